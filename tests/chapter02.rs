//! The equations of chapter 2.

mod common;

use common::*;
use gradus::fused::log_sum_exp;
use gradus::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Elementwise, FusedLoss, GradientDescent, Identity,
    Init, Loss, MeanSquaredError, NeuralNetwork, OutputActivation, Sigmoid, Softmax,
    SparseCategoricalCrossEntropy, Tanh, chain_rule, one_hot,
};
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1, Axis, concatenate};
use ndarray_linalg::SVD;
use std::f64::consts::PI;

/// Samples and outputs of the batches that the equations are tried on.
const SHAPES: [(usize, usize); 4] = [(1, 2), (3, 5), (5, 3), (4, 7)];

/// Two ways of writing the same dozen operations: what rounding can do to them, times ten.
const ROUNDING: f64 = 1e-13;

/// One side is a central difference, which is right to about 1e-10.
const MEASURED: f64 = 1e-8;

/// Softmax of a row as it is defined, without any care for large inputs.
fn naive_softmax(z: ArrayView1<f64>) -> Array1<f64> {
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    z.mapv(|z| z.exp() / sum)
}

/// The same for every row.
fn naive_softmax_rows(z: &ArrayRef2<f64>) -> Array2<f64> {
    let mut s = z.to_owned();
    for (mut s, z) in s.rows_mut().into_iter().zip(z.rows()) {
        s.assign(&naive_softmax(z));
    }
    s
}

/// The sigmoid as it is defined.
fn naive_sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// [j = k]: 1 if they are equal, else 0.
fn equal(j: usize, k: usize) -> f64 {
    if j == k { 1.0 } else { 0.0 }
}

fn fused_values(loss: &impl FusedLoss<f64>, z: &ArrayRef2<f64>, y: &ArrayRef2<f64>) -> Array1<f64> {
    let mut values = Array1::zeros(z.nrows());
    loss.fused_values_into(z, y, &mut values);
    values
}

fn fused_derivative(
    loss: &impl FusedLoss<f64>,
    y_hat: &ArrayRef2<f64>,
    y: &ArrayRef2<f64>,
) -> Array2<f64> {
    let mut d_z = Array2::zeros(y_hat.raw_dim());
    loss.fused_derivative_into(y_hat, y, &mut d_z);
    d_z
}

fn backward(
    output: &impl OutputActivation<f64>,
    z: &ArrayRef2<f64>,
    d_y_hat: &ArrayRef2<f64>,
) -> Array2<f64> {
    let mut d_z = Array2::zeros(z.raw_dim());
    output.backward_into(z, &output.apply(z), d_y_hat, &mut d_z);
    d_z
}

/// The Jacobian of softmax for one random row z of length m.
fn random_jacobian(m: usize, rng: &mut rand::rngs::ChaCha8Rng) -> (Array1<f64>, Array2<f64>) {
    let z = normal((1, m), 1.5, rng);
    (naive_softmax(z.row(0)), Softmax.jacobian(&z).index_axis_move(Axis(0), 0))
}

/// The squared error of a sample is the mean, over its outputs, of the squared differences.
///
/// ```math
/// L(\hat y, y) = \frac1m \sum_{j=1}^m (\hat y_j - y_j)^2
/// ```
#[test]
fn mse_value() {
    let mut rng = rng(201);
    for (n, m) in SHAPES {
        let (y_hat, y) = (normal((n, m), 2.0, &mut rng), normal((n, m), 2.0, &mut rng));
        let values = MeanSquaredError.values(&y_hat, &y);
        for i in 0..n {
            let sum: f64 = (0..m).map(|j| (y_hat[[i, j]] - y[[i, j]]).powi(2)).sum();
            assert_close(values[i], sum / m as f64, ROUNDING);
        }
    }
}

/// Each output is told its own difference: of the m terms only one contains it, and the power 2
/// comes down as a factor.
///
/// ```math
/// \frac{\partial L}{\partial \hat y_j}
///   = \frac1m \sum_{k=1}^m \frac{\partial}{\partial \hat y_j} (\hat y_k - y_k)^2
///   = \frac2m\,(\hat y_j - y_j)
/// ```
#[test]
fn mse_derivative() {
    let mut rng = rng(202);
    for (n, m) in SHAPES {
        let (y_hat, y) = (normal((n, m), 2.0, &mut rng), normal((n, m), 2.0, &mut rng));
        let derivative = MeanSquaredError.derivative(&y_hat, &y);
        assert_eq!(derivative.dim(), (n, 1, m));
        for i in 0..n {
            let loss = |row: &Array1<f64>| {
                row.iter().zip(y.row(i)).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / m as f64
            };
            let measured = gradient(loss, &y_hat.row(i).to_owned());
            for j in 0..m {
                let term = |k: usize| {
                    let term = |row: &Array1<f64>| (row[k] - y[[i, k]]).powi(2);
                    gradient(term, &y_hat.row(i).to_owned())[j]
                };
                let terms = (0..m).map(term).sum::<f64>() / m as f64;
                assert_close(measured[j], terms, MEASURED);
                let printed = 2.0 / m as f64 * (y_hat[[i, j]] - y[[i, j]]);
                assert_close(measured[j], printed, MEASURED);
                assert_close(derivative[[i, 0, j]], printed, ROUNDING);
            }
        }
    }
}

/// Behind a sigmoid, the derivative of the squared error carries the slope of the sigmoid as a
/// factor: where that is flat, the loss hardly depends on the logit.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial}{\partial z} \bigl( \sigma(z) - y \bigr)^2
///   &= 2\,\bigl( \sigma(z) - y \bigr)\,\sigma'(z) \\
///   &= 2\,(\hat y - y)\;\hat y\,(1 - \hat y)
/// \end{aligned}
/// ```
#[test]
fn squared_error_behind_a_sigmoid() {
    let mut rng = rng(230);
    for (n, _) in SHAPES {
        let (z, y) = (normal((n, 1), 3.0, &mut rng), uniform((n, 1), 0.0, 1.0, &mut rng));
        let y_hat = Elementwise(Sigmoid).apply(&z);
        let d = MeanSquaredError.derivative(&y_hat, &y).index_axis_move(Axis(1), 0);
        let composed = backward(&Elementwise(Sigmoid), &z, &d);
        for i in 0..n {
            let (z, y) = (z[[i, 0]], y[[i, 0]]);
            let s = naive_sigmoid(z);
            let factors = 2.0 * (s - y) * slope(naive_sigmoid, z);
            assert_close(slope(|z| (naive_sigmoid(z) - y).powi(2), z), factors, MEASURED);
            assert_close(composed[[i, 0]], 2.0 * (s - y) * s * (1.0 - s), ROUNDING);
            assert_close(factors, composed[[i, 0]], MEASURED);
        }
    }
}

/// The likelihood of independent samples is the product of the probabilities that their true
/// classes c were given; minus its logarithm, divided by their number, is a mean.
///
/// ```math
/// -\frac1n \ln \prod_{i=1}^n \hat y_{i c_i}
///   = \frac1n \sum_{i=1}^n \bigl( -\ln \hat y_{i c_i} \bigr)
/// ```
#[test]
fn likelihood_of_a_batch() {
    let mut rng = rng(231);
    for (n, m) in [(1, 2), (4, 7), (200, 10)] {
        let y_hat = distributions(n, m, &mut rng);
        let classes = labels(n, m, &mut rng);
        let product: f64 = (0..n).map(|i| y_hat[[i, classes[i]]]).product();
        let mean = (0..n).map(|i| -y_hat[[i, classes[i]]].ln()).sum::<f64>() / n as f64;
        assert_close(-product.ln() / n as f64, mean, ROUNDING);
        let rows = one_hot(&classes, m).unwrap();
        let values = CategoricalCrossEntropy.values(&y_hat, &rows);
        assert_close(values.mean().unwrap(), mean, ROUNDING);
    }
    // The product of many leaves the range of f64 on the left; the sum on the right does not.
    assert_eq!([0.1; 400].iter().product::<f64>(), 0.0);
    assert_close([0.1_f64; 400].iter().map(|p| -p.ln()).sum::<f64>() / 400.0, 10f64.ln(), ROUNDING);
}

/// The loss of a sample whose true class is c can be written as a sum over all classes, of which
/// it keeps one term.
///
/// ```math
/// -\ln \hat y_c = -\sum_{k=1}^m [k = c] \ln \hat y_k
/// ```
#[test]
fn sparse_keeps_one_term() {
    let mut rng = rng(208);
    for (n, m) in SHAPES {
        let y_hat = distributions(n, m, &mut rng);
        let classes = labels(n, m, &mut rng);
        let column = Array2::from_shape_fn((n, 1), |(i, _)| classes[i] as f64);
        let rows = one_hot(&classes, m).unwrap();
        let sparse = SparseCategoricalCrossEntropy.values(&y_hat, &column);
        let categorical = CategoricalCrossEntropy.values(&y_hat, &rows);
        let sparse_derivative = SparseCategoricalCrossEntropy.derivative(&y_hat, &column);
        for i in 0..n {
            let c = classes[i];
            let sum: f64 = (0..m).map(|k| equal(k, c) * y_hat[[i, k]].ln()).sum();
            assert_close(sparse[i], -sum, ROUNDING);
            assert_close(categorical[i], -y_hat[[i, c]].ln(), ROUNDING);
            for k in 0..m {
                let printed = -equal(k, c) / y_hat[[i, k]];
                assert_close(sparse_derivative[[i, 0, k]], printed, ROUNDING);
            }
        }
    }
}

/// If class k has probability ŷ_k, and of N draws a share y_k fell on it, the likelihood is a
/// product over the classes; minus its logarithm, divided by N, is a sum.
///
/// ```math
/// -\frac1N \ln \prod_{k=1}^m \hat y_k^{\,N y_k} = -\sum_{k=1}^m y_k \ln \hat y_k
/// ```
#[test]
fn cce_likelihood() {
    let mut rng = rng(205);
    for (n, m) in SHAPES {
        let (y_hat, y) = (distributions(n, m, &mut rng), distributions(n, m, &mut rng));
        for i in 0..n {
            let sum: f64 = (0..m).map(|k| y[[i, k]] * y_hat[[i, k]].ln()).sum();
            for draws in [1.0, 7.0, 20.0] {
                let power = |k: usize| y_hat[[i, k]].powf(draws * y[[i, k]]);
                let likelihood: f64 = (0..m).map(power).product();
                assert_close(-likelihood.ln() / draws, -sum, ROUNDING);
            }
        }
    }
}

/// The categorical cross-entropy is a sum over the classes, not a mean.
///
/// ```math
/// L(\hat y, y) = -\sum_{k=1}^m y_k \ln \hat y_k
/// ```
#[test]
fn cce_value() {
    let mut rng = rng(206);
    for (n, m) in SHAPES {
        let (y_hat, y) = (distributions(n, m, &mut rng), distributions(n, m, &mut rng));
        let values = CategoricalCrossEntropy.values(&y_hat, &y);
        for i in 0..n {
            let sum: f64 = (0..m).map(|k| y[[i, k]] * y_hat[[i, k]].ln()).sum();
            assert_close(values[i], -sum, ROUNDING);
        }
    }
}

/// A class that was given little probability and has a target gets a large derivative; a class
/// without a target gets none.
///
/// ```math
/// \frac{\partial L}{\partial \hat y_k} = -\frac{y_k}{\hat y_k}
/// ```
#[test]
fn cce_derivative() {
    let mut rng = rng(207);
    for (n, m) in SHAPES {
        let (y_hat, y) = (distributions(n, m, &mut rng), distributions(n, m, &mut rng));
        let derivative = CategoricalCrossEntropy.derivative(&y_hat, &y);
        assert_eq!(derivative.dim(), (n, 1, m));
        for i in 0..n {
            // As a function of m free numbers: for a derivative they need not sum to 1.
            let loss = |p: &Array1<f64>| -(0..m).map(|k| y[[i, k]] * p[k].ln()).sum::<f64>();
            let measured = gradient(loss, &y_hat.row(i).to_owned());
            for k in 0..m {
                let printed = -y[[i, k]] / y_hat[[i, k]];
                assert_close(measured[k], printed, MEASURED);
                assert_close(derivative[[i, 0, k]], printed, ROUNDING);
            }
        }
    }
}

/// If output j says that a coin falls on 1 with probability ŷ, the likelihood of what was seen
/// is a product over the coins; minus its logarithm, divided by m, is the binary cross-entropy.
///
/// ```math
/// \begin{aligned}
/// L(\hat y, y)
///   &= -\frac1m \ln \prod_{j=1}^m \hat y_j^{\,y_j}\,(1 - \hat y_j)^{1 - y_j} \\
///   &= -\frac1m \sum_{j=1}^m \Bigl( y_j \ln \hat y_j \\
///   &\qquad\quad {} + (1 - y_j) \ln (1 - \hat y_j) \Bigr)
/// \end{aligned}
/// ```
#[test]
fn bce_value() {
    let mut rng = rng(203);
    for (n, m) in SHAPES {
        let y_hat = uniform((n, m), 0.02, 0.98, &mut rng);
        let soft = uniform((n, m), 0.0, 1.0, &mut rng);
        for y in [soft.clone(), soft.mapv(f64::round)] {
            let values = BinaryCrossEntropy.values(&y_hat, &y);
            for i in 0..n {
                let (mut likelihood, mut sum) = (1.0, 0.0);
                for j in 0..m {
                    let (p, y) = (y_hat[[i, j]], y[[i, j]]);
                    likelihood *= p.powf(y) * (1.0 - p).powf(1.0 - y);
                    sum += y * p.ln() + (1.0 - y) * (1.0 - p).ln();
                }
                assert_close(values[i], -likelihood.ln() / m as f64, ROUNDING);
                assert_close(values[i], -sum / m as f64, ROUNDING);
            }
        }
    }
}

/// The derivative of the binary cross-entropy grows without bound where an output is sure and
/// wrong: there one factor of the denominator goes to 0, and the numerator does not.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial \hat y_j}
///   &= \frac1m \left( \frac{1 - y_j}{1 - \hat y_j} - \frac{y_j}{\hat y_j} \right) \\
///   &= \frac1m\,\frac{\hat y_j\,(1 - y_j) - (1 - \hat y_j)\,y_j}{\hat y_j\,(1 - \hat y_j)} \\
///   &= \frac1m\,\frac{\hat y_j - y_j}{\hat y_j\,(1 - \hat y_j)}
/// \end{aligned}
/// ```
#[test]
fn bce_derivative() {
    let mut rng = rng(204);
    for (n, m) in SHAPES {
        let y_hat = uniform((n, m), 0.1, 0.9, &mut rng);
        let y = uniform((n, m), 0.0, 1.0, &mut rng);
        let derivative = BinaryCrossEntropy.derivative(&y_hat, &y);
        for i in 0..n {
            for j in 0..m {
                let (p, y) = (y_hat[[i, j]], y[[i, j]]);
                let loss = |p: f64| -(y * p.ln() + (1.0 - y) * (1.0 - p).ln()) / m as f64;
                let two_terms = ((1.0 - y) / (1.0 - p) - y / p) / m as f64;
                let same = (p * (1.0 - y) - (1.0 - p) * y) / (p * (1.0 - p)) / m as f64;
                assert_close(two_terms, same, ROUNDING);
                let one_term = (p - y) / (p * (1.0 - p)) / m as f64;
                assert_close(slope(loss, p), two_terms, MEASURED);
                assert_close(slope(loss, p), one_term, MEASURED);
                assert_close(derivative[[i, 0, j]], one_term, ROUNDING);
            }
        }
    }
}

/// If each target is the output and a normal error of variance 1, minus the logarithm of their
/// density is the squared error, times a constant, plus a constant.
///
/// ```math
/// \begin{aligned}
/// &-\ln \prod_{j=1}^m \frac{1}{\sqrt{2\pi}}\,e^{-(y_j - \hat y_j)^2 / 2} \\
///   &\quad = \frac12 \sum_{j=1}^m (\hat y_j - y_j)^2 + \frac m2 \ln 2\pi
/// \end{aligned}
/// ```
#[test]
fn squared_error_from_likelihood() {
    let mut rng = rng(232);
    for (n, m) in SHAPES {
        let (y_hat, y) = (normal((n, m), 1.0, &mut rng), normal((n, m), 1.0, &mut rng));
        let values = MeanSquaredError.values(&y_hat, &y);
        for i in 0..n {
            let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
            let likelihood: f64 = (0..m).map(|j| density(y[[i, j]] - y_hat[[i, j]])).product();
            let sum: f64 = (0..m).map(|j| (y_hat[[i, j]] - y[[i, j]]).powi(2)).sum();
            let constant = m as f64 / 2.0 * (2.0 * PI).ln();
            assert_close(-likelihood.ln(), sum / 2.0 + constant, ROUNDING);
            assert_close(-likelihood.ln(), m as f64 / 2.0 * values[i] + constant, ROUNDING);
        }
    }
}

/// The cross-entropy is the entropy of the targets, which no network can change, and the
/// Kullback–Leibler divergence of the outputs from them.
///
/// ```math
/// \begin{aligned}
/// &-\sum_{k=1}^m y_k \ln \hat y_k \\
///   &\quad = \underbrace{-\sum_{k=1}^m y_k \ln y_k}_{\text{entropy}}
///   + \underbrace{\sum_{k=1}^m y_k \ln \frac{y_k}{\hat y_k}}_{\text{divergence}}
/// \end{aligned}
/// ```
#[test]
fn cross_entropy_splits() {
    let mut rng = rng(209);
    for (n, m) in SHAPES {
        let (y_hat, y) = (distributions(n, m, &mut rng), distributions(n, m, &mut rng));
        let values = CategoricalCrossEntropy.values(&y_hat, &y);
        for i in 0..n {
            let (mut entropy, mut divergence) = (0.0, 0.0);
            for k in 0..m {
                entropy -= y[[i, k]] * y[[i, k]].ln();
                divergence += y[[i, k]] * (y[[i, k]] / y_hat[[i, k]]).ln();
            }
            assert_close(values[i], entropy + divergence, ROUNDING);
        }
    }
}

/// A logarithm never lies above its tangent at 1, which it touches there alone: their distance
/// falls before 1 and rises after it.
///
/// ```math
/// \begin{gathered}
/// \frac{\mathrm{d}}{\mathrm{d}x} \bigl( x - 1 - \ln x \bigr) = 1 - \frac1x \\
/// 1 - \frac1x \; \begin{cases} < 0 & x < 1 \\ = 0 & x = 1 \\ > 0 & x > 1 \end{cases} \\
/// \ln x \le x - 1
/// \end{gathered}
/// ```
#[test]
fn logarithm_below_its_tangent() {
    let distance = |x: f64| x - 1.0 - x.ln();
    assert_eq!(distance(1.0), 0.0);
    for x in [1e-9, 0.01, 0.5, 0.99, 1.01, 2.0, 30.0, 1e9] {
        assert!(distance(x) > 0.0, "{x}");
        let derivative = 1.0 - 1.0 / x;
        assert_eq!(derivative > 0.0, x > 1.0);
        assert_eq!(derivative < 0.0, x < 1.0);
        // The step of `slope` is too large below 0.01.
        if x >= 0.01 {
            assert_close(slope(distance, x), derivative, 1e-7);
        }
    }
}

/// The divergence is never negative, because each logarithm may be replaced by the tangent above
/// it, and outputs and targets have the same sum.
///
/// ```math
/// \begin{aligned}
/// \sum_{k=1}^m y_k \ln \frac{y_k}{\hat y_k}
///   &= -\sum_{k=1}^m y_k \ln \frac{\hat y_k}{y_k} \\
///   &\ge -\sum_{k=1}^m y_k \left( \frac{\hat y_k}{y_k} - 1 \right) \\
///   &= \sum_{k=1}^m y_k - \sum_{k=1}^m \hat y_k \\
///   &= 1 - 1 = 0
/// \end{aligned}
/// ```
#[test]
fn divergence_is_never_negative() {
    let mut rng = rng(210);
    for (n, m) in SHAPES {
        let (y_hat, y) = (distributions(n, m, &mut rng), distributions(n, m, &mut rng));
        let cross = CategoricalCrossEntropy.values(&y_hat, &y);
        let entropy = CategoricalCrossEntropy.values(&y, &y);
        for i in 0..n {
            let (mut divergence, mut flipped, mut bound) = (0.0, 0.0, 0.0);
            for k in 0..m {
                let (p, y) = (y_hat[[i, k]], y[[i, k]]);
                divergence += y * (y / p).ln();
                flipped -= y * (p / y).ln();
                bound -= y * (p / y - 1.0);
                // Term by term: no random row of outputs equals its targets.
                assert!(-y * (p / y).ln() >= -y * (p / y - 1.0));
            }
            assert_close(divergence, flipped, ROUNDING);
            assert_close(bound, y.row(i).sum() - y_hat.row(i).sum(), ROUNDING);
            assert_close(bound, 0.0, ROUNDING);
            assert_close(cross[i] - entropy[i], divergence, ROUNDING);
            assert!(divergence > 1e-6, "{divergence}");
        }
    }
}

/// Every output of a sample may depend on every input z, so every path from an input to the loss
/// counts.
///
/// ```math
/// \frac{\partial L}{\partial z_j}
///   = \sum_{k=1}^m \frac{\partial L}{\partial \hat y_k}\,
///     \frac{\partial \hat y_k}{\partial z_j}
/// ```
#[test]
fn chain_rule_sums_over_paths() {
    let mut rng = rng(211);
    let m = 4;
    for _ in 0..5 {
        // Outputs whose Jacobian has no symmetry, and a loss that mixes them.
        let (a, b) = (normal((m, m), 1.0, &mut rng), normal(m, 1.0, &mut rng));
        let outputs = |z: &Array1<f64>| a.dot(&z.mapv(f64::tanh)) + &(z * z);
        let loss = |y: &Array1<f64>| y.dot(&b).sin() + y[0] * y[1];
        let z = normal(m, 1.0, &mut rng);
        let left = gradient(|z| loss(&outputs(z)), &z);
        let d_loss = gradient(loss, &outputs(&z));
        for j in 0..m {
            let mut sum = 0.0;
            for k in 0..m {
                sum += d_loss[k] * gradient(|z| outputs(z)[k], &z)[j];
            }
            assert_close(left[j], sum, MEASURED);
        }
    }
}

/// For a batch, that sum is one product of a row vector and a matrix for each sample, with no
/// sum over the samples i.
///
/// ```math
/// \underset{(n,\,1,\,m)}{\Bigl[\tfrac{\partial L}{\partial z}\Bigr]_{i1j}}
///   = \sum_{k=1}^m
///     \underset{(n,\,1,\,m)}{\Bigl[\tfrac{\partial L}{\partial \hat y}\Bigr]_{i1k}}\;
///     \underset{(n,\,m,\,m)}{\Bigl[\tfrac{\partial \hat y}{\partial z}\Bigr]_{ikj}}
/// ```
#[test]
fn chain_rule_batched_product() {
    let mut rng = rng(212);
    // A matrix need not be square: m outputs of any number of inputs.
    for (n, m, inputs) in [(1, 2, 2), (3, 4, 4), (4, 3, 5), (2, 9, 12)] {
        let d = normal((n, 1, m), 1.0, &mut rng);
        let jacobian = normal((n, m, inputs), 1.0, &mut rng);
        let product = chain_rule(&d, &jacobian);
        assert_eq!(product.dim(), (n, 1, inputs));
        for i in 0..n {
            for j in 0..inputs {
                let mut sum = 0.0;
                for k in 0..m {
                    sum += d[[i, 0, k]] * jacobian[[i, k, j]];
                }
                assert_close(product[[i, 0, j]], sum, ROUNDING);
            }
        }
    }
}

/// Through an elementwise output the matrices of a batch are diagonal, and their products are one
/// product entry by entry.
///
/// ```math
/// \underset{(n,\,m)}{\frac{\partial L}{\partial z}}
///   = \underset{(n,\,m)}{\frac{\partial L}{\partial \hat y}}
///     \odot \underset{(n,\,m)}{\mathstrut f'(z)}
/// ```
#[test]
fn chain_rule_elementwise() {
    let mut rng = rng(213);
    for (n, m) in SHAPES {
        let (z, y) = (normal((n, m), 1.5, &mut rng), normal((n, m), 1.0, &mut rng));
        let output = Elementwise(Tanh);
        let d = MeanSquaredError.derivative(&output.apply(&z), &y);
        let through_jacobian = chain_rule(&d, &output.jacobian(&z));
        let directly = backward(&output, &z, &d.clone().index_axis_move(Axis(1), 0));
        for i in 0..n {
            for j in 0..m {
                let loss = |z: f64| (z.tanh() - y[[i, j]]).powi(2) / m as f64;
                let printed = d[[i, 0, j]] * slope(f64::tanh, z[[i, j]]);
                assert_close(slope(loss, z[[i, j]]), printed, MEASURED);
                assert_close(through_jacobian[[i, 0, j]], printed, MEASURED);
                assert_close(directly[[i, j]], printed, MEASURED);
            }
        }
    }
}

/// The loss of a batch is the mean over its samples, so each sample's derivative is divided by
/// their number, once.
///
/// ```math
/// \begin{gathered}
/// L = \frac1n \sum_{i=1}^n L_i \\
/// \frac{\partial L}{\partial \hat y_{ij}} = \frac1n\,\frac{\partial L_i}{\partial \hat y_{ij}}
/// \end{gathered}
/// ```
#[test]
fn batch_mean_divides_once() {
    let mut rng = rng(222);
    for (n, m) in SHAPES {
        let (y_hat, y) = (normal((n, m), 1.0, &mut rng), normal((n, m), 1.0, &mut rng));
        let mean_loss = |flat: &Array1<f64>| {
            let mut sum = 0.0;
            for i in 0..n {
                let row = (0..m).map(|j| (flat[i * m + j] - y[[i, j]]).powi(2)).sum::<f64>();
                sum += row / m as f64;
            }
            sum / n as f64
        };
        let measured = gradient(mean_loss, &Array1::from_iter(y_hat.iter().copied()));
        let derivative = MeanSquaredError.derivative(&y_hat, &y);
        let mut column_sums = Array1::<f64>::zeros(m);
        for i in 0..n {
            for j in 0..m {
                let printed = derivative[[i, 0, j]] / n as f64;
                assert_close(measured[i * m + j], printed, MEASURED);
                column_sums[j] += measured[i * m + j];
            }
        }
        // A network whose outputs are its inputs plus biases: the biases collect the columns.
        let (loss, gradient) =
            layer(m, Identity, MeanSquaredError).loss_and_gradient(&y_hat, &y).unwrap();
        let flat = Array1::from_iter(y_hat.iter().copied());
        assert_close(loss, mean_loss(&flat), ROUNDING);
        let biases = gradient.slice(ndarray::s![m * m..]);
        assert_all_close(&biases, &column_sums, MEASURED);
    }
}

/// A network of one layer that leaves its inputs as they are: weights 1 on the diagonal, no
/// biases.
fn layer(
    m: usize,
    output: impl gradus::Activation<f64> + 'static,
    loss: impl Loss<f64> + 'static,
) -> NeuralNetwork<f64> {
    let optimizer = GradientDescent::new(0.1).unwrap();
    let output = Elementwise(output);
    let mut network =
        NeuralNetwork::new(&[m, m], Identity, output, loss, optimizer, Init::Lazar, 0).unwrap();
    let mut params = Array1::zeros(m * m + m);
    (0..m).for_each(|j| params[j * m + j] = 1.0);
    network.set_params(&params).unwrap();
    network
}

/// Every sample twice: neither the mean loss nor its gradient with respect to the parameters θ
/// can tell.
///
/// ```math
/// \begin{aligned}
/// \frac1{2n} \sum_{i=1}^n (L_i + L_i) &= \frac1n \sum_{i=1}^n L_i \\
/// \frac1{2n} \sum_{i=1}^n \left(
///   \frac{\partial L_i}{\partial \theta} + \frac{\partial L_i}{\partial \theta} \right)
///   &= \frac1n \sum_{i=1}^n \frac{\partial L_i}{\partial \theta}
/// \end{aligned}
/// ```
#[test]
fn batch_twice_is_the_same() {
    let mut rng = rng(223);
    for (n, m) in SHAPES {
        let x = normal((n, m), 1.5, &mut rng);
        let y = uniform((n, m), 0.0, 1.0, &mut rng);
        let twice = |a: &Array2<f64>| concatenate![Axis(0), *a, *a];
        let (loss, gradient) = layer(m, Sigmoid, BinaryCrossEntropy)
            .loss_and_gradient(&twice(&x), &twice(&y))
            .unwrap();
        // The right-hand sides, by hand, from the single batch: z = x here.
        let mut value = 0.0;
        let mut by_hand = Array1::<f64>::zeros(m * m + m);
        for i in 0..n {
            for j in 0..m {
                let (s, y) = (naive_sigmoid(x[[i, j]]), y[[i, j]]);
                value -= (y * s.ln() + (1.0 - y) * (1.0 - s).ln()) / m as f64 / n as f64;
                let d_z = (s - y) / m as f64 / n as f64;
                (0..m).for_each(|l| by_hand[l * m + j] += x[[i, l]] * d_z);
                by_hand[m * m + j] += d_z;
            }
        }
        assert_close(loss, value, ROUNDING);
        assert_all_close(&gradient, &by_hand, ROUNDING);
    }
}

/// The cross-entropy's row times the Jacobian of softmax: the outputs in the denominators cancel,
/// whatever the targets are.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial z_j}
///   &= \sum_{k=1}^m \left( -\frac{y_k}{\hat y_k} \right)
///      \hat y_k\,\bigl([k = j] - \hat y_j\bigr) \\
///   &= -\sum_{k=1}^m y_k\,[k = j] + \hat y_j \sum_{k=1}^m y_k \\
///   &= \hat y_j \sum_{k=1}^m y_k - y_j
/// \end{aligned}
/// ```
#[test]
fn softmax_cce_for_any_targets() {
    let mut rng = rng(215);
    for (n, m) in SHAPES {
        let z = normal((n, m), 1.5, &mut rng);
        // Any numbers: neither probabilities, nor summing to 1.
        let y = normal((n, m), 1.0, &mut rng);
        let y_hat = Softmax.apply(&z);
        let derivative = CategoricalCrossEntropy.derivative(&y_hat, &y);
        let d_z = chain_rule(&derivative, &Softmax.jacobian(&z));
        let s = naive_softmax_rows(&z);
        for i in 0..n {
            for j in 0..m {
                let (mut sum, mut kept, mut targets) = (0.0, 0.0, 0.0);
                for k in 0..m {
                    sum += -y[[i, k]] / s[[i, k]] * s[[i, k]] * (equal(k, j) - s[[i, j]]);
                    kept += y[[i, k]] * equal(k, j);
                    targets += y[[i, k]];
                }
                assert_close(d_z[[i, 0, j]], sum, ROUNDING);
                assert_close(d_z[[i, 0, j]], -kept + s[[i, j]] * targets, ROUNDING);
                assert_close(d_z[[i, 0, j]], s[[i, j]] * targets - y[[i, j]], ROUNDING);
            }
        }
    }
}

/// Targets that sum to 1 leave the difference of output and target, and nothing else.
///
/// ```math
/// \underset{(1,\,m)}{\frac{\partial L}{\partial z}}
///   = \underset{(1,\,m)}{\mathstrut \hat y} - \underset{(1,\,m)}{\mathstrut y}
///   \qquad \text{if } \sum_{k=1}^m y_k = 1
/// ```
#[test]
fn softmax_cce_gradient() {
    let mut rng = rng(216);
    for (n, m) in SHAPES {
        let z = normal((n, m), 1.5, &mut rng);
        let y = distributions(n, m, &mut rng);
        let fused = fused_derivative(&CategoricalCrossEntropy, &Softmax.apply(&z), &y);
        let s = naive_softmax_rows(&z);
        for i in 0..n {
            let loss = |z: &Array1<f64>| -y.row(i).dot(&naive_softmax(z.view()).mapv(f64::ln));
            let measured = gradient(loss, &z.row(i).to_owned());
            for j in 0..m {
                assert_close(measured[j], s[[i, j]] - y[[i, j]], MEASURED);
                assert_close(fused[[i, j]], s[[i, j]] - y[[i, j]], ROUNDING);
            }
        }
    }
}

/// With a single class c as the target, that is the row of outputs with 1 taken from entry c.
///
/// ```math
/// \frac{\partial L}{\partial z_j} = \hat y_j - [j = c]
/// ```
#[test]
fn sparse_gradient_from_logits() {
    let mut rng = rng(217);
    for (n, m) in SHAPES {
        let z = normal((n, m), 1.5, &mut rng);
        let classes = labels(n, m, &mut rng);
        let column = Array2::from_shape_fn((n, 1), |(i, _)| classes[i] as f64);
        let loss = SparseCategoricalCrossEntropy;
        let fused = fused_derivative(&loss, &Softmax.apply(&z), &column);
        let composed =
            chain_rule(&loss.derivative(&Softmax.apply(&z), &column), &Softmax.jacobian(&z));
        let s = naive_softmax_rows(&z);
        for i in 0..n {
            for j in 0..m {
                let printed = s[[i, j]] - equal(j, classes[i]);
                assert_close(fused[[i, j]], printed, ROUNDING);
                assert_close(composed[[i, 0, j]], printed, ROUNDING);
            }
        }
    }
}

/// Behind a sigmoid, the denominator of the binary cross-entropy's derivative cancels against the
/// slope of the sigmoid.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial z_j}
///   &= \underbrace{\frac1m\,\frac{\hat y_j - y_j}{\hat y_j\,(1 - \hat y_j)}}
///       _{\partial L / \partial \hat y_j}\;
///     \underbrace{\hat y_j\,(1 - \hat y_j)}_{\sigma'(z_j)} \\
///   &= \frac1m\,(\hat y_j - y_j)
/// \end{aligned}
/// ```
#[test]
fn sigmoid_bce_gradient() {
    let mut rng = rng(221);
    for (n, m) in SHAPES {
        let z = normal((n, m), 2.0, &mut rng);
        let y = uniform((n, m), 0.0, 1.0, &mut rng);
        let y_hat = Elementwise(Sigmoid).apply(&z);
        let fused = fused_derivative(&BinaryCrossEntropy, &y_hat, &y);
        let derivative = BinaryCrossEntropy.derivative(&y_hat, &y).index_axis_move(Axis(1), 0);
        let composed = backward(&Elementwise(Sigmoid), &z, &derivative);
        for i in 0..n {
            for j in 0..m {
                let (s, y) = (naive_sigmoid(z[[i, j]]), y[[i, j]]);
                let loss = |z: f64| {
                    let s = naive_sigmoid(z);
                    -(y * s.ln() + (1.0 - y) * (1.0 - s).ln()) / m as f64
                };
                let factors = (s - y) / (s * (1.0 - s)) / m as f64 * (s * (1.0 - s));
                assert_close(slope(loss, z[[i, j]]), factors, MEASURED);
                assert_close(composed[[i, j]], (s - y) / m as f64, ROUNDING);
                assert_close(fused[[i, j]], (s - y) / m as f64, ROUNDING);
            }
        }
    }
}

/// A constant a can be taken out of the logarithm of a sum of exponentials.
///
/// ```math
/// \begin{aligned}
/// \ln \sum_{k=1}^m e^{z_k} &= \ln \Bigl( e^a \sum_{k=1}^m e^{z_k - a} \Bigr) \\
///   &= a + \ln \sum_{k=1}^m e^{z_k - a}
/// \end{aligned}
/// ```
#[test]
fn log_sum_exp_shift() {
    let mut rng = rng(218);
    let printed = |z: &Array1<f64>, a: f64| a + z.mapv(|z| (z - a).exp()).sum().ln();
    for m in [1, 2, 5, 40] {
        let z = normal(m, 3.0, &mut rng);
        let a = normal(1, 2.0, &mut rng)[0];
        let plain = z.mapv(f64::exp).sum().ln();
        let factor = (a.exp() * z.mapv(|z| (z - a).exp()).sum()).ln();
        assert_close(plain, factor, ROUNDING);
        assert_close(plain, printed(&z, a), ROUNDING);
        assert_close(log_sum_exp(&z), plain, ROUNDING);
        // Far out the left side overflows; the right side with any a nearby does not.
        for far in [5000.0, -5000.0] {
            let z = &z + far;
            assert!(!z.mapv(f64::exp).sum().ln().is_finite());
            assert_close(log_sum_exp(&z), printed(&z, far + a), ROUNDING);
        }
    }
}

/// With the largest z as the constant its own exponential is 1, the others are not larger, and
/// the result lies between the largest z and ln m more.
///
/// ```math
/// \begin{gathered}
/// z_t = \max_k z_k \\
/// \ln \sum_{k=1}^m e^{z_k} = z_t + \ln \Bigl( 1 + \sum_{k \ne t} e^{z_k - z_t} \Bigr) \\
/// z_t \;\le\; \ln \sum_{k=1}^m e^{z_k} \;\le\; z_t + \ln m
/// \end{gathered}
/// ```
#[test]
fn log_sum_exp_largest_term() {
    let mut rng = rng(233);
    for m in [1, 2, 5, 40] {
        let z = normal(m, 3.0, &mut rng);
        let max = z.fold(f64::NEG_INFINITY, |max, &z| max.max(z));
        let t = z.iter().position(|&z| z == max).unwrap();
        let rest: f64 = (0..m).filter(|&k| k != t).map(|k| (z[k] - max).exp()).sum();
        let plain = z.mapv(f64::exp).sum().ln();
        assert_close(plain, max + (1.0 + rest).ln(), ROUNDING);
        let far = &z * 1000.0;
        for z in [&z, &far, &(-&far)] {
            let max = z.fold(f64::NEG_INFINITY, |max, &z| max.max(z));
            let value = log_sum_exp(z);
            assert!(max <= value && value <= max + (m as f64).ln() * (1.0 + 1e-15), "{value}");
        }
        // Both ends are reached.
        assert_close(log_sum_exp(&Array1::from_elem(m, 3.0)), 3.0 + (m as f64).ln(), ROUNDING);
    }
    assert_eq!(log_sum_exp(&ndarray::array![0.0, -800.0]), 0.0);
}

/// The loss from logits: the logarithm meets the exponential inside softmax, and neither is left
/// alone with a tiny probability.
///
/// ```math
/// \begin{aligned}
/// L &= -\sum_{j=1}^m y_j \ln \frac{e^{z_j}}{\sum_k e^{z_k}} \\
///   &= \sum_{j=1}^m y_j \Bigl( \ln \sum_{k=1}^m e^{z_k} - z_j \Bigr) \\
///   &= \ln \sum_{k=1}^m e^{z_k} - \sum_{j=1}^m y_j z_j \\
///   &\qquad \text{if } \sum_{j=1}^m y_j = 1
/// \end{aligned}
/// ```
#[test]
fn softmax_cce_from_logits() {
    let mut rng = rng(219);
    for (n, m) in SHAPES {
        let z = normal((n, m), 2.0, &mut rng);
        let y = distributions(n, m, &mut rng);
        let fused = fused_values(&CategoricalCrossEntropy, &z, &y);
        let classes = labels(n, m, &mut rng);
        let column = Array2::from_shape_fn((n, 1), |(i, _)| classes[i] as f64);
        let sparse = fused_values(&SparseCategoricalCrossEntropy, &z, &column);
        for i in 0..n {
            let log_sum = z.row(i).mapv(f64::exp).sum().ln();
            let s = naive_softmax(z.row(i));
            let naive: f64 = (0..m).map(|j| -y[[i, j]] * s[j].ln()).sum();
            let targets: f64 = (0..m).map(|j| y[[i, j]] * z[[i, j]]).sum();
            let weighted: f64 = (0..m).map(|j| y[[i, j]] * (log_sum - z[[i, j]])).sum();
            assert_close(naive, weighted, ROUNDING);
            assert_close(naive, log_sum - targets, ROUNDING);
            assert_close(fused[i], log_sum - targets, ROUNDING);
            assert_close(sparse[i], log_sum - z[[i, classes[i]]], ROUNDING);
        }
    }
}

/// The derivative of a log-sum-exp is softmax, so that the loss from logits has its derivative
/// without a Jacobian.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial}{\partial z_j} \ln \sum_{k=1}^m e^{z_k}
///   &= \frac{e^{z_j}}{\sum_{k} e^{z_k}} = \hat y_j \\
/// \frac{\partial}{\partial z_j} \sum_{k=1}^m y_k z_k &= y_j
/// \end{aligned}
/// ```
#[test]
fn log_sum_exp_derivative() {
    let mut rng = rng(234);
    for (_, m) in SHAPES {
        let (z, y) = (normal(m, 1.5, &mut rng), normal(m, 1.0, &mut rng));
        let measured = gradient(|z| z.mapv(f64::exp).sum().ln(), &z);
        let of_library = gradient(|z| log_sum_exp(z), &z);
        let linear = gradient(|z| y.dot(z), &z);
        let s = Softmax.apply(&z.clone().insert_axis(Axis(0)));
        for j in 0..m {
            let printed = z[j].exp() / z.mapv(f64::exp).sum();
            assert_close(measured[j], printed, MEASURED);
            assert_close(of_library[j], printed, MEASURED);
            assert_close(s[[0, j]], printed, ROUNDING);
            assert_close(linear[j], y[j], MEASURED);
        }
    }
}

/// The logarithms of the two probabilities of a coin, as functions of its logit.
///
/// ```math
/// \begin{aligned}
/// \ln \sigma(z) &= \ln \frac{e^{z}}{1 + e^{z}} \\
///   &= z - \ln \bigl( 1 + e^{z} \bigr) \\
/// \ln \bigl( 1 - \sigma(z) \bigr) &= \ln \frac{1}{1 + e^{z}} \\
///   &= -\ln \bigl( 1 + e^{z} \bigr)
/// \end{aligned}
/// ```
#[test]
fn logarithms_of_sigmoid() {
    for z in [-9.0, -2.5, -0.1, 0.0, 0.3, 4.0, 9.0] {
        let softplus = (1.0 + f64::exp(z)).ln();
        let s = naive_sigmoid(z);
        assert_close(s.ln(), (f64::exp(z) / (1.0 + f64::exp(z))).ln(), ROUNDING);
        assert_close(s.ln(), z - softplus, ROUNDING);
        // 1 − σ loses up to four digits for these z.
        assert_close((1.0 - s).ln(), (1.0 / (1.0 + f64::exp(z))).ln(), 1e-11);
        assert_close((1.0 - s).ln(), -softplus, 1e-11);
    }
}

/// Sigmoid and binary cross-entropy from logits: first without, then with an exponential that
/// cannot overflow.
///
/// ```math
/// \begin{aligned}
/// L &= -\frac1m \sum_{j=1}^m \Bigl( y_j \ln \sigma(z_j) \\
///   &\qquad\quad {} + (1 - y_j) \ln \bigl(1 - \sigma(z_j)\bigr) \Bigr) \\
///   &= \frac1m \sum_{j=1}^m \Bigl( \ln \bigl(1 + e^{z_j}\bigr) - y_j z_j \Bigr) \\
///   &= \frac1m \sum_{j=1}^m \Bigl( \ln \bigl(1 + e^{-|z_j|}\bigr) \\
///   &\qquad\quad {} + \max(z_j, 0) - y_j z_j \Bigr)
/// \end{aligned}
/// ```
#[test]
fn sigmoid_bce_from_logits() {
    let mut rng = rng(220);
    for (n, m) in SHAPES {
        let z = normal((n, m), 3.0, &mut rng);
        let y = uniform((n, m), 0.0, 1.0, &mut rng);
        let stable = |z: f64, y: f64| z.max(0.0) - y * z + (1.0 + (-z.abs()).exp()).ln();
        let fused = fused_values(&BinaryCrossEntropy, &z, &y);
        let far = &z * 1000.0;
        let fused_far = fused_values(&BinaryCrossEntropy, &far, &y);
        for i in 0..n {
            let mean = |z: &Array2<f64>, term: &dyn Fn(f64, f64) -> f64| {
                (0..m).map(|j| term(z[[i, j]], y[[i, j]])).sum::<f64>() / m as f64
            };
            let composed = mean(&z, &|z, y| {
                let s = naive_sigmoid(z);
                -(y * s.ln() + (1.0 - y) * (1.0 - s).ln())
            });
            // 1 − σ loses up to four digits for these z.
            assert_close(composed, mean(&z, &stable), 1e-11);
            assert_close(
                mean(&z, &|z, y| (1.0 + z.exp()).ln() - y * z),
                mean(&z, &stable),
                ROUNDING,
            );
            assert_close(fused[i], mean(&z, &stable), ROUNDING);
            assert_close(fused_far[i], mean(&far, &stable), ROUNDING);
        }
    }
}

/// What stands beside the logarithm is the size of the logit times the share of the target that
/// lies on the wrong side: nothing is subtracted from a larger number.
///
/// ```math
/// \begin{aligned}
/// &\max(z, 0) - y\,z \\
///   &\quad = \begin{cases} (1 - y)\,|z| & z > 0 \\ y\,|z| & z \le 0 \end{cases}
/// \end{aligned}
/// ```
#[test]
fn wrong_share_of_the_target() {
    let mut rng = rng(235);
    let softplus = |z: f64| (1.0 + z.exp()).ln();
    for z in [-800.0, -3.0, -0.5, 0.0, 0.25, 2.0, 800.0_f64] {
        for y in [0.0, 1.0, uniform(1, 0.0, 1.0, &mut rng)[0]] {
            let wrong = if z > 0.0 { 1.0 - y } else { y };
            assert_close(z.max(0.0) - y * z, wrong * z.abs(), ROUNDING);
            let (z_row, y_row) = (ndarray::array![[z]], ndarray::array![[y]]);
            let fused = fused_values(&BinaryCrossEntropy, &z_row, &y_row)[0];
            assert_close(fused, softplus(-z.abs()) + wrong * z.abs(), ROUNDING);
        }
    }
}

/// Through softmax, the derivatives of any loss with respect to the logits of a sample sum to
/// zero: the vector of ones lies in the null space of the Jacobian.
///
/// ```math
/// \begin{aligned}
/// \sum_{j=1}^m \frac{\partial L}{\partial z_j}
///   &= \underset{(1,\,m)}{\mathstrut d}\;\underset{(m,\,m)}{\mathstrut J}\;
///     \underset{(m,\,1)}{\mathstrut \mathbf 1} \\
///   &= \sum_{k=1}^m d_k\,\hat y_k \Bigl( 1 - \sum_{j=1}^m \hat y_j \Bigr) \\
///   &= 0
/// \end{aligned}
/// ```
#[test]
fn jacobian_of_softmax_null_vector() {
    let mut rng = rng(224);
    for (n, m) in SHAPES {
        let (z, y) = (normal((n, m), 1.5, &mut rng), distributions(n, m, &mut rng));
        let y_hat = Softmax.apply(&z);
        let s = naive_softmax_rows(&z);
        let losses: [&dyn Loss<f64>; 3] =
            [&MeanSquaredError, &BinaryCrossEntropy, &CategoricalCrossEntropy];
        for loss in losses {
            let d = loss.derivative(&y_hat, &y);
            let d_z = chain_rule(&d, &Softmax.jacobian(&z));
            for i in 0..n {
                let rest = 1.0 - s.row(i).sum();
                let sum: f64 = (0..m).map(|k| d[[i, 0, k]] * s[[i, k]] * rest).sum();
                assert_close(d_z.index_axis(Axis(0), i).sum(), sum, ROUNDING);
                assert_close(sum, 0.0, ROUNDING);
                // Not because all of them are zero.
                assert!(d_z.index_axis(Axis(0), i).iter().any(|d| d.abs() > 1e-4));
            }
        }
    }
}

/// As a quadratic form, the Jacobian is the variance of the entries of v when they are drawn with
/// the probabilities ŷ, and a variance is never negative.
///
/// ```math
/// \begin{aligned}
/// \bar v &= \sum_{k=1}^m \hat y_k v_k \\
/// \underset{(1,\,m)}{\mathstrut v^\top}\,\underset{(m,\,m)}{\mathstrut J}\,
///     \underset{(m,\,1)}{\mathstrut v}
///   &= \sum_{k=1}^m \hat y_k v_k^2 - \bar v^2 \\
///   &= \sum_{k=1}^m \hat y_k v_k^2 - 2\,\bar v \sum_{k=1}^m \hat y_k v_k \\
///   &\qquad {} + \bar v^2 \sum_{k=1}^m \hat y_k \\
///   &= \sum_{k=1}^m \hat y_k\,(v_k - \bar v)^2 \\
///   &\ge 0
/// \end{aligned}
/// ```
#[test]
fn jacobian_of_softmax_is_a_variance() {
    let mut rng = rng(225);
    for m in [2, 3, 6, 20] {
        for _ in 0..5 {
            let (s, jacobian) = random_jacobian(m, &mut rng);
            let (d, e) = (normal(m, 2.0, &mut rng), normal(m, 2.0, &mut rng));
            let mean = |v: &Array1<f64>| (0..m).map(|k| s[k] * v[k]).sum::<f64>();
            let form = |v: &ArrayRef1<f64>, w: &ArrayRef1<f64>| v.dot(&jacobian).dot(w);
            let variance: f64 = (0..m).map(|k| s[k] * (d[k] - mean(&d)).powi(2)).sum();
            assert!(variance > 0.0);
            let squares: f64 = (0..m).map(|k| s[k] * d[k] * d[k]).sum();
            assert_close(form(&d, &d), squares - mean(&d).powi(2), ROUNDING);
            let product: f64 = (0..m).map(|k| s[k] * d[k]).sum();
            let spelt_out = squares - 2.0 * mean(&d) * product + mean(&d).powi(2) * s.sum();
            assert_close(form(&d, &d), spelt_out, ROUNDING);
            assert_close(form(&d, &d), variance, ROUNDING);
            // Symmetric: with another vector on the right, it is a covariance.
            let covariance: f64 =
                (0..m).map(|k| s[k] * (d[k] - mean(&d)) * (e[k] - mean(&e))).sum();
            assert_close(form(&d, &e), covariance, ROUNDING);
            assert_close(form(&e, &d), covariance, ROUNDING);
        }
    }
}

/// Only a vector with equal entries has no variance, so the ones are the whole null space: the
/// last singular value is zero, its vector is the ones, and no other is.
///
/// ```math
/// \begin{gathered}
/// J v = 0 \iff v = a\,\mathbf 1 \\
/// \operatorname{rank}
///   \underset{(m,\,m)}{\bigl(\operatorname{diag}(\hat y) - \hat y \hat y^\top\bigr)}
///   = m - 1
/// \end{gathered}
/// ```
#[test]
fn jacobian_of_softmax_rank() {
    let mut rng = rng(226);
    for m in [2, 3, 6, 20, 50] {
        let (s, jacobian) = random_jacobian(m, &mut rng);
        for ((j, k), &entry) in jacobian.indexed_iter() {
            assert_close(entry, equal(j, k) * s[k] - s[j] * s[k], ROUNDING);
        }
        let (_, lambda, vt) = jacobian.svd(false, true).unwrap();
        // The smallest of 50 probabilities is about 1e-4, and rounding about 1e-17.
        let rank = lambda.iter().filter(|&&lambda| lambda > 1e-12).count();
        assert_eq!(rank, m - 1, "{lambda}");
        let vt = vt.unwrap();
        let null = vt.row(m - 1);
        for j in 0..m {
            assert_close(null[j] * null[0].signum(), 1.0 / (m as f64).sqrt(), 1e-10);
        }
    }
}

/// An eigenvector of the Jacobian is known as soon as its eigenvalue λ is, and every eigenvalue
/// but 0 solves one equation in one unknown (the probabilities being different).
///
/// ```math
/// \begin{aligned}
/// &J v = \lambda v \\
///   &\iff \hat y_k v_k - \hat y_k \bar v = \lambda v_k \;\text{ for all } k \\
///   &\implies v_k = \frac{\hat y_k}{\hat y_k - \lambda}\,\bar v \\
///   &\implies 1 = \sum_{k=1}^m \frac{\hat y_k^2}{\hat y_k - \lambda} \\
///   &\phantom{{}\implies 1} = \sum_{k=1}^m \hat y_k
///     \Bigl( 1 + \frac{\lambda}{\hat y_k - \lambda} \Bigr) \\
///   &\phantom{{}\implies 1} = 1 + \lambda \sum_{k=1}^m \frac{\hat y_k}{\hat y_k - \lambda} \\
///   &\implies \lambda = 0 \;\text{ or }\;
///     \sum_{k=1}^m \frac{\hat y_k}{\hat y_k - \lambda} = 0
/// \end{aligned}
/// ```
#[test]
fn jacobian_of_softmax_eigenvalues() {
    let mut rng = rng(236);
    for m in [2, 3, 6] {
        for _ in 0..5 {
            let (s, jacobian) = random_jacobian(m, &mut rng);
            let (_, lambda, vt) = jacobian.svd(false, true).unwrap();
            let vt = vt.unwrap();
            for (row, &lambda) in lambda.iter().enumerate() {
                let v = vt.row(row);
                let mean = s.dot(&v);
                assert!(mean.abs() > 1e-6, "{mean}");
                let (mut squares, mut rewritten, mut poles, mut sizes) = (0.0, 0.0, 0.0, 0.0);
                for k in 0..m {
                    assert_close(jacobian.row(k).dot(&v), lambda * v[k], ROUNDING);
                    assert_close(s[k] * v[k] - s[k] * mean, lambda * v[k], ROUNDING);
                    let gap = s[k] - lambda;
                    assert_close(v[k] * gap, s[k] * mean, ROUNDING);
                    squares += s[k] * s[k] / gap;
                    rewritten += s[k] * (1.0 + lambda / gap);
                    poles += s[k] / gap;
                    sizes += s[k] / gap.abs() * (1.0 + s[k] / gap.abs());
                }
                // An error of 1e-16 in λ, magnified by the slope of each term.
                let rounding = ROUNDING * sizes;
                assert_close(squares, 1.0, rounding);
                assert_close(rewritten, 1.0, rounding);
                assert_close(1.0 + lambda * poles, 1.0, rounding);
                assert_eq!(poles.abs() < rounding, row < m - 1, "{poles} {lambda}");
            }
        }
    }
}

/// The other eigenvalues, in order of size, lie between neighbouring probabilities, because the
/// left side of that equation rises without end from one probability to the next.
///
/// ```math
/// \begin{gathered}
/// \frac{\mathrm{d}}{\mathrm{d}\lambda} \sum_{k=1}^m \frac{\hat y_k}{\hat y_k - \lambda}
///   = \sum_{k=1}^m \frac{\hat y_k}{(\hat y_k - \lambda)^2} > 0 \\[1ex]
/// \hat y_{(1)} \ge \lambda_1 \ge \hat y_{(2)} \ge \lambda_2 \ge \dots \\
/// \dots \ge \lambda_{m-1} \ge \hat y_{(m)} > \lambda_m = 0
/// \end{gathered}
/// ```
#[test]
fn jacobian_of_softmax_interlacing() {
    let mut rng = rng(227);
    for m in [2, 3, 6, 20] {
        let (s, jacobian) = random_jacobian(m, &mut rng);
        let (_, lambda, _) = jacobian.svd(false, false).unwrap();
        let mut sorted = s.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let left = |at: f64| s.iter().map(|s| s / (s - at)).sum::<f64>();
        for k in 0..m - 1 {
            assert!(sorted[k] + 1e-15 >= lambda[k], "{sorted:?} {lambda}");
            assert!(lambda[k] + 1e-15 >= sorted[k + 1], "{sorted:?} {lambda}");
            // In the middle of each gap, in units of the gap; and at both of its ends.
            let (below, gap) = (sorted[k + 1], sorted[k] - sorted[k + 1]);
            let printed: f64 = s.iter().map(|s| s / (s - below - gap / 2.0).powi(2)).sum();
            let measured = slope(|x| left(below + gap * (0.5 + x)), 0.0) / gap;
            assert_close(measured / printed, 1.0, 1e-6);
            assert!(left(below + gap * 1e-9) < 0.0 && left(below + gap * (1.0 - 1e-9)) > 0.0);
        }
        assert!(sorted[m - 1] > 1e-6 && lambda[m - 1] < 1e-15, "{sorted:?} {lambda}");
    }
    // Equal probabilities leave no room between them.
    let (_, lambda, _) = Softmax
        .jacobian(&ndarray::array![[1.0, 1.0, 0.0]])
        .index_axis_move(Axis(0), 0)
        .svd(false, false)
        .unwrap();
    assert_close(lambda[0], naive_softmax(ndarray::array![1.0, 1.0, 0.0].view())[0], ROUNDING);
}

/// All eigenvalues together are the probability that two draws of a class differ: a confident
/// softmax passes next to nothing back.
///
/// ```math
/// \begin{aligned}
/// \sum_{k=1}^m \lambda_k &= \sum_{k=1}^m J_{kk} = \sum_{k=1}^m \hat y_k\,(1 - \hat y_k) \\
///   &= 1 - \sum_{k=1}^m \hat y_k^2
/// \end{aligned}
/// ```
#[test]
fn jacobian_of_softmax_trace() {
    let mut rng = rng(237);
    for m in [2, 3, 6, 20] {
        let (s, jacobian) = random_jacobian(m, &mut rng);
        let (_, lambda, _) = jacobian.svd(false, false).unwrap();
        assert_close(lambda.sum(), jacobian.diag().sum(), ROUNDING);
        assert_close(lambda.sum(), s.mapv(|s| s * (1.0 - s)).sum(), ROUNDING);
        assert_close(lambda.sum(), 1.0 - s.dot(&s), ROUNDING);
        let mut differ = 0.0;
        for (j, k) in (0..m).flat_map(|j| (0..m).map(move |k| (j, k))) {
            differ += (1.0 - equal(j, k)) * s[j] * s[k];
        }
        assert_close(lambda.sum(), differ, ROUNDING);
    }
}

/// A small ε in the denominator, put there against a division by zero, multiplies the whole
/// gradient by a factor that goes to 0 with the probability p of the true class c.
///
/// ```math
/// \begin{aligned}
/// &\sum_{k=1}^m \left( -\frac{[k = c]}{\hat y_k + \varepsilon} \right)
///     \hat y_k\,\bigl([k = j] - \hat y_j\bigr) \\
///   &\quad = -\frac{\hat y_c}{\hat y_c + \varepsilon}\,\bigl([c = j] - \hat y_j\bigr) \\
///   &\quad = \frac{p}{p + \varepsilon}\,\bigl(\hat y_j - [j = c]\bigr), \quad p = \hat y_c
/// \end{aligned}
/// ```
#[test]
fn eps_shrinks_the_gradient() {
    let mut rng = rng(228);
    for (n, m) in SHAPES {
        for epsilon in [0.1, 1e-3, f64::EPSILON] {
            let classes = labels(n, m, &mut rng);
            let mut z = normal((n, m), 1.5, &mut rng);
            // Probabilities of the true class from about 1 down to far below every epsilon.
            (0..n).for_each(|i| z[[i, classes[i]]] -= 20.0 * i as f64 - 1.0);
            let y_hat = Softmax.apply(&z);
            let mut d = ndarray::Array3::zeros((n, 1, m));
            for (i, &c) in classes.iter().enumerate() {
                d[[i, 0, c]] = -1.0 / (y_hat[[i, c]] + epsilon);
            }
            let left = chain_rule(&d, &Softmax.jacobian(&z));
            let s = naive_softmax_rows(&z);
            for i in 0..n {
                let p = s[[i, classes[i]]];
                for j in 0..m {
                    let right = p / (p + epsilon) * (s[[i, j]] - equal(j, classes[i]));
                    // Relative to their own size, which may be 1e-10.
                    assert_close(left[[i, 0, j]] / right, 1.0, 1e-12);
                }
            }
        }
    }
}

/// How many steps of rate 1 a true class needs that begins z logits behind one other: while the
/// gap u closes, each step takes 2r from it, and T adds up the time.
///
/// ```math
/// \begin{aligned}
/// r &= \frac{p}{p + \varepsilon}\,(1 - p), \qquad p = \frac{1}{1 + e^u} \\
/// \frac1r &= \bigl( 1 + \varepsilon\,(1 + e^u) \bigr)\,\bigl( 1 + e^{-u} \bigr) \\
///   &= 1 + e^{-u} + \varepsilon\,\bigl( 2 + e^u + e^{-u} \bigr) \\
/// T &= \int_0^z \frac{\mathrm{d}u}{2r} \\
///   &= \tfrac12 \Bigl( z + 1 - e^{-z} \\
///   &\qquad {} + \varepsilon\,\bigl( 2z + e^z - e^{-z} \bigr) \Bigr)
/// \end{aligned}
/// ```
#[test]
fn steps_behind_an_eps() {
    let closed =
        |z: f64, e: f64| 0.5 * (z + 1.0 - (-z).exp() + e * (2.0 * z + z.exp() - (-z).exp()));
    let rate = |u: f64, epsilon: f64| {
        let p = 1.0 / (1.0 + u.exp());
        p / (p + epsilon) * (1.0 - p)
    };
    for (z, epsilon) in [(10.0_f64, 0.01), (5.0, 0.0), (12.0, 1e-3), (3.0, 2.0)] {
        for u in [0.0, 0.4 * z, z] {
            let expanded = 1.0 + (-u).exp() + epsilon * (2.0 + u.exp() + (-u).exp());
            assert_close(
                1.0 / rate(u, epsilon),
                (1.0 + epsilon * (1.0 + u.exp())) * (1.0 + (-u).exp()),
                1e-11,
            );
            assert_close(1.0 / rate(u, epsilon), expanded, 1e-11);
        }
        // The integral, by the midpoint rule.
        let parts = 20_000;
        let width = z / f64::from(parts);
        let middle = |part: i32| width * (f64::from(part) + 0.5);
        let integral: f64 =
            (0..parts).map(|part| width / (2.0 * rate(middle(part), epsilon))).sum();
        assert_close(integral, closed(z, epsilon), 1e-6);
        // Gradient descent with a small rate, on the derivatives of the two logits.
        let (mut logits, small, mut steps) = (ndarray::array![[0.0, z]], 1e-3, 0);
        while logits[[0, 0]] < logits[[0, 1]] {
            let mut d = ndarray::Array3::zeros((1, 1, 2));
            d[[0, 0, 0]] = -1.0 / (Softmax.apply(&logits)[[0, 0]] + epsilon);
            let d_z = chain_rule(&d, &Softmax.jacobian(&logits)).index_axis_move(Axis(1), 0);
            logits = logits - small * &d_z;
            steps += 1;
        }
        assert_close(small * f64::from(steps) / closed(z, epsilon), 1.0, 2e-3);
    }
}

/// A backward pass that keeps only the diagonal of the Jacobian tells the true class what it
/// should, and no longer tells the other classes to give way.
///
/// ```math
/// \begin{aligned}
/// &\underbrace{\mathstrut \hat y_j - y_j}_{\text{the gradient}}
///   - \underbrace{\left( -\frac{y_j}{\hat y_j} \right) \hat y_j\,(1 - \hat y_j)}
///       _{\text{through the diagonal}} \\
///   &\quad = \hat y_j - y_j + y_j\,(1 - \hat y_j) \\
///   &\quad = \hat y_j\,(1 - y_j)
/// \end{aligned}
/// ```
#[test]
fn diagonal_alone_misses() {
    let mut rng = rng(229);
    for (n, m) in SHAPES {
        let z = normal((n, m), 1.5, &mut rng);
        let y = distributions(n, m, &mut rng);
        let y_hat = Softmax.apply(&z);
        let d = CategoricalCrossEntropy.derivative(&y_hat, &y);
        let jacobian = Softmax.jacobian(&z);
        let whole = chain_rule(&d, &jacobian);
        let s = naive_softmax_rows(&z);
        for i in 0..n {
            for j in 0..m {
                let (s, y) = (s[[i, j]], y[[i, j]]);
                let diagonal = d[[i, 0, j]] * jacobian[[i, j, j]];
                assert_close(diagonal, -y / s * s * (1.0 - s), ROUNDING);
                assert_close(s - y - diagonal, s - y + y * (1.0 - s), ROUNDING);
                assert_close(whole[[i, 0, j]] - diagonal, s * (1.0 - y), ROUNDING);
            }
        }
    }
}

/// Through the diagonal alone, the derivatives of a sample of class c do not sum to zero: each
/// step raises the mean of its logits.
///
/// ```math
/// \begin{aligned}
/// &\sum_{j=1}^m \left( -\frac{[j = c]}{\hat y_j} \right) \hat y_j\,(1 - \hat y_j) \\
///   &\quad = -(1 - \hat y_c) < 0
/// \end{aligned}
/// ```
#[test]
fn diagonal_raises_the_mean_logit() {
    let mut rng = rng(238);
    for (n, m) in SHAPES {
        let z = normal((n, m), 1.5, &mut rng);
        let classes = labels(n, m, &mut rng);
        let y_hat = Softmax.apply(&z);
        let d = CategoricalCrossEntropy.derivative(&y_hat, &one_hot(&classes, m).unwrap());
        let jacobian = Softmax.jacobian(&z);
        let s = naive_softmax_rows(&z);
        for (i, &c) in classes.iter().enumerate() {
            let through: Array1<f64> = (0..m).map(|j| d[[i, 0, j]] * jacobian[[i, j, j]]).collect();
            let entry = |j: usize| -equal(j, c) / s[[i, j]] * s[[i, j]] * (1.0 - s[[i, j]]);
            assert_close(through.sum(), (0..m).map(entry).sum(), ROUNDING);
            assert_close(through.sum(), -(1.0 - s[[i, c]]), ROUNDING);
            assert!(through.sum() < 0.0);
            let stepped = &z.row(i) - &(0.1 * &through);
            assert!(stepped.sum() > z.row(i).sum());
        }
    }
}

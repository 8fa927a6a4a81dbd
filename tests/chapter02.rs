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

/// 1 if j = k, else 0.
fn delta(j: usize, k: usize) -> f64 {
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

/// Each output pulls in proportion to its own difference, and the power 2 comes down as a
/// factor.
///
/// ```math
/// \frac{\partial L}{\partial \hat y_j} = \frac2m\,(\hat y_j - y_j)
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
                let printed = 2.0 / m as f64 * (y_hat[[i, j]] - y[[i, j]]);
                assert_close(measured[j], printed, MEASURED);
                assert_close(derivative[[i, 0, j]], printed, ROUNDING);
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
///   &= -\frac1m \sum_{j=1}^m \Bigl( y_j \ln \hat y_j + (1 - y_j) \ln (1 - \hat y_j) \Bigr)
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
/// \frac{\partial L}{\partial \hat y_j}
///   = \frac1m \left( \frac{1 - y_j}{1 - \hat y_j} - \frac{y_j}{\hat y_j} \right)
///   = \frac1m\,\frac{\hat y_j - y_j}{\hat y_j\,(1 - \hat y_j)}
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
                let one_term = (p - y) / (p * (1.0 - p)) / m as f64;
                assert_close(slope(loss, p), two_terms, MEASURED);
                assert_close(slope(loss, p), one_term, MEASURED);
                assert_close(derivative[[i, 0, j]], one_term, ROUNDING);
            }
        }
    }
}

/// If class k has probability ŷ_k, and a share y_k of all draws fell on it, the likelihood per
/// draw is a product over the classes, and minus its logarithm is a sum.
///
/// ```math
/// -\ln \prod_{k=1}^m \hat y_k^{\,y_k} = -\sum_{k=1}^m y_k \ln \hat y_k
/// ```
#[test]
fn cce_likelihood() {
    let mut rng = rng(205);
    for (n, m) in SHAPES {
        let (y_hat, y) = (distributions(n, m, &mut rng), distributions(n, m, &mut rng));
        for i in 0..n {
            let likelihood: f64 = (0..m).map(|k| y_hat[[i, k]].powf(y[[i, k]])).product();
            let sum: f64 = (0..m).map(|k| y[[i, k]] * y_hat[[i, k]].ln()).sum();
            assert_close(-likelihood.ln(), -sum, ROUNDING);
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

/// The less probability a class was given, the harder its target pulls.
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

/// Where the target is a single class c, the sum keeps a single term.
///
/// ```math
/// L(\hat y, c) = -\sum_{k=1}^m [k = c] \ln \hat y_k = -\ln \hat y_c
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
            let sum: f64 = (0..m).map(|k| delta(k, c) * y_hat[[i, k]].ln()).sum();
            assert_close(sparse[i], -sum, ROUNDING);
            assert_close(categorical[i], -y_hat[[i, c]].ln(), ROUNDING);
            for k in 0..m {
                let printed = -delta(k, c) / y_hat[[i, k]];
                assert_close(sparse_derivative[[i, 0, k]], printed, ROUNDING);
            }
        }
    }
}

/// The cross-entropy is the entropy of the targets, which no network can change, and the
/// Kullback–Leibler divergence of the outputs from them.
///
/// ```math
/// -\sum_{k=1}^m y_k \ln \hat y_k
///   = \underbrace{-\sum_{k=1}^m y_k \ln y_k}_{\text{entropy}}
///   + \underbrace{\sum_{k=1}^m y_k \ln \frac{y_k}{\hat y_k}}_{\text{divergence}}
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

/// The divergence is never negative, because a logarithm never lies above its tangent at 1; so
/// the cross-entropy is smallest where the outputs are the targets.
///
/// ```math
/// \sum_{k=1}^m y_k \ln \frac{y_k}{\hat y_k}
///   = -\sum_{k=1}^m y_k \ln \frac{\hat y_k}{y_k}
///   \;\ge\; -\sum_{k=1}^m y_k \left( \frac{\hat y_k}{y_k} - 1 \right) = 0
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
/// \underset{n \times 1 \times k}{\Bigl[\tfrac{\partial L}{\partial z}\Bigr]_{i1j}}
///   = \sum_{l=1}^m
///     \underset{n \times 1 \times m}{\Bigl[\tfrac{\partial L}{\partial \hat y}\Bigr]_{i1l}}\;
///     \underset{n \times m \times k}{\Bigl[\tfrac{\partial \hat y}{\partial z}\Bigr]_{ilj}}
/// ```
#[test]
fn chain_rule_batched_product() {
    let mut rng = rng(212);
    for (n, m, k) in [(1, 2, 2), (3, 4, 4), (4, 3, 5), (2, 9, 12)] {
        let d = normal((n, 1, m), 1.0, &mut rng);
        let jacobian = normal((n, m, k), 1.0, &mut rng);
        let product = chain_rule(&d, &jacobian);
        assert_eq!(product.dim(), (n, 1, k));
        for i in 0..n {
            for j in 0..k {
                let mut sum = 0.0;
                for l in 0..m {
                    sum += d[[i, 0, l]] * jacobian[[i, l, j]];
                }
                assert_close(product[[i, 0, j]], sum, ROUNDING);
            }
        }
    }
}

/// An elementwise activation has a diagonal Jacobian, and a product with a diagonal matrix is a
/// product entry by entry.
///
/// ```math
/// \underset{1 \times m}{d}\;
/// \underset{m \times m}{\operatorname{diag}\bigl(f'(z_1), \dots, f'(z_m)\bigr)}
///   = \underset{1 \times m}{\bigl(d_1 f'(z_1), \dots, d_m f'(z_m)\bigr)}
/// ```
#[test]
fn chain_rule_elementwise() {
    let mut rng = rng(213);
    for (n, m) in SHAPES {
        let (z, d) = (normal((n, m), 1.5, &mut rng), normal((n, m), 1.0, &mut rng));
        let stack = d.clone().insert_axis(Axis(1));
        let through_jacobian = chain_rule(&stack, &Elementwise(Tanh).jacobian(&z));
        let directly = backward(&Elementwise(Tanh), &z, &d);
        for i in 0..n {
            for j in 0..m {
                let printed = d[[i, j]] * slope(f64::tanh, z[[i, j]]);
                assert_close(through_jacobian[[i, 0, j]], printed, MEASURED);
                assert_close(directly[[i, j]], printed, MEASURED);
            }
        }
    }
}

/// The product of a row vector d with the Jacobian of softmax needs no matrix: one inner product
/// serves all m entries.
///
/// ```math
/// \sum_{k=1}^m d_k\,\hat y_k\,(\delta_{kj} - \hat y_j)
///   = \hat y_j \Bigl( d_j - \sum_{k=1}^m d_k \hat y_k \Bigr)
/// ```
#[test]
fn vjp_through_softmax() {
    let mut rng = rng(214);
    for (n, m) in SHAPES {
        let (z, d) = (normal((n, m), 1.5, &mut rng), normal((n, m), 1.0, &mut rng));
        let without_matrix = backward(&Softmax, &z, &d);
        let with_matrix = chain_rule(&d.clone().insert_axis(Axis(1)), &Softmax.jacobian(&z));
        let s = naive_softmax_rows(&z);
        for i in 0..n {
            for j in 0..m {
                let path = |k: usize| d[[i, k]] * s[[i, k]] * (delta(k, j) - s[[i, j]]);
                let sum: f64 = (0..m).map(path).sum();
                let inner: f64 = (0..m).map(|k| d[[i, k]] * s[[i, k]]).sum();
                assert_close(without_matrix[[i, j]], sum, ROUNDING);
                assert_close(with_matrix[[i, 0, j]], s[[i, j]] * (d[[i, j]] - inner), ROUNDING);
            }
        }
    }
}

/// Put the cross-entropy's derivative into that sum, and the outputs in the denominators cancel,
/// whatever the targets are.
///
/// ```math
/// \frac{\partial L}{\partial z_j}
///   = \sum_{k=1}^m \left( -\frac{y_k}{\hat y_k} \right) \hat y_k\,(\delta_{kj} - \hat y_j)
///   = \hat y_j \sum_{k=1}^m y_k - y_j
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
                let (mut sum, mut targets) = (0.0, 0.0);
                for k in 0..m {
                    sum += -y[[i, k]] / s[[i, k]] * s[[i, k]] * (delta(k, j) - s[[i, j]]);
                    targets += y[[i, k]];
                }
                assert_close(d_z[[i, 0, j]], sum, ROUNDING);
                assert_close(d_z[[i, 0, j]], s[[i, j]] * targets - y[[i, j]], ROUNDING);
            }
        }
    }
}

/// Targets that sum to 1 leave the difference of output and target, and nothing else.
///
/// ```math
/// \underset{1 \times m}{\frac{\partial L}{\partial z}}
///   = \underset{1 \times m}{\hat y} - \underset{1 \times m}{y}
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
                let printed = s[[i, j]] - delta(j, classes[i]);
                assert_close(fused[[i, j]], printed, ROUNDING);
                assert_close(composed[[i, 0, j]], printed, ROUNDING);
            }
        }
    }
}

/// A constant c moves in and out of the logarithm of a sum of exponentials; with the largest z
/// as c, nothing can overflow.
///
/// ```math
/// \ln \sum_{k=1}^m e^{z_k} = c + \ln \sum_{k=1}^m e^{z_k - c}
/// ```
#[test]
fn log_sum_exp_shift() {
    let mut rng = rng(218);
    let printed = |z: &Array1<f64>, c: f64| c + z.mapv(|z| (z - c).exp()).sum().ln();
    for m in [1, 2, 5, 40] {
        let z = normal(m, 3.0, &mut rng);
        let c = normal(1, 2.0, &mut rng)[0];
        let plain = z.mapv(f64::exp).sum().ln();
        assert_close(plain, printed(&z, c), ROUNDING);
        assert_close(log_sum_exp(&z), plain, ROUNDING);
        // Far out the left side overflows; the right side with any c nearby does not.
        for far in [5000.0, -5000.0] {
            let z = &z + far;
            assert!(!z.mapv(f64::exp).sum().ln().is_finite());
            assert_close(log_sum_exp(&z), printed(&z, far + c), ROUNDING);
        }
    }
}

/// The loss from logits: the logarithm meets the exponential inside softmax, and neither is left
/// alone with a tiny probability.
///
/// ```math
/// L = -\sum_{j=1}^m y_j \ln \frac{e^{z_j}}{\sum_k e^{z_k}}
///   = \ln \sum_{k=1}^m e^{z_k} - \sum_{j=1}^m y_j z_j
///   \qquad \text{if } \sum_{j=1}^m y_j = 1
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
            assert_close(naive, log_sum - targets, ROUNDING);
            assert_close(fused[i], log_sum - targets, ROUNDING);
            assert_close(sparse[i], log_sum - z[[i, classes[i]]], ROUNDING);
        }
    }
}

/// Sigmoid and binary cross-entropy from logits: first without, then with an exponential that
/// cannot overflow.
///
/// ```math
/// \begin{aligned}
/// L &= -\frac1m \sum_{j=1}^m
///        \Bigl( y_j \ln \sigma(z_j) + (1 - y_j) \ln \bigl(1 - \sigma(z_j)\bigr) \Bigr) \\
///   &= \frac1m \sum_{j=1}^m \Bigl( \ln \bigl(1 + e^{z_j}\bigr) - y_j z_j \Bigr) \\
///   &= \frac1m \sum_{j=1}^m
///        \Bigl( \max(z_j, 0) - y_j z_j + \ln \bigl(1 + e^{-|z_j|}\bigr) \Bigr)
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

/// Here too the denominator of the loss's derivative cancels against the activation's.
///
/// ```math
/// \frac{\partial L}{\partial z_j}
///   = \underbrace{\frac1m\,\frac{\hat y_j - y_j}{\hat y_j\,(1 - \hat y_j)}}
///       _{\partial L / \partial \hat y_j}\;
///     \underbrace{\hat y_j\,(1 - \hat y_j)}_{\sigma'(z_j)}
///   = \frac1m\,(\hat y_j - y_j)
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

/// The loss of a batch is the mean over its samples, so each sample's derivative is divided by
/// their number, once.
///
/// ```math
/// L = \frac1n \sum_{i=1}^n L_i
///   \quad\Longrightarrow\quad
/// \frac{\partial L}{\partial \hat y_{ij}} = \frac1n\,\frac{\partial L_i}{\partial \hat y_{ij}}
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
/// \frac1{2n} \sum_{i=1}^n (L_i + L_i) = \frac1n \sum_{i=1}^n L_i,
/// \qquad
/// \frac1{2n} \sum_{i=1}^n \left(
///   \frac{\partial L_i}{\partial \theta} + \frac{\partial L_i}{\partial \theta} \right)
///   = \frac1n \sum_{i=1}^n \frac{\partial L_i}{\partial \theta}
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

/// Raising all z of a row together moves no probability: the vector of ones lies in the null
/// space of the Jacobian.
///
/// ```math
/// \underset{m \times m}{J}\;\underset{m \times 1}{\mathbf 1} = \mathbf 0,
/// \qquad
/// \sum_{k=1}^m \hat y_j\,(\delta_{jk} - \hat y_k) = \hat y_j - \hat y_j \sum_{k=1}^m \hat y_k = 0
/// ```
#[test]
fn jacobian_of_softmax_null_vector() {
    let mut rng = rng(224);
    for (n, m) in SHAPES {
        let z = normal((n, m), 1.5, &mut rng);
        let jacobian = Softmax.jacobian(&z);
        let s = naive_softmax_rows(&z);
        for i in 0..n {
            for j in 0..m {
                let row: f64 = (0..m).map(|k| jacobian[[i, j, k]]).sum();
                assert_close(row, 0.0, ROUNDING);
                let entries: f64 = (0..m).map(|k| s[[i, j]] * (delta(j, k) - s[[i, k]])).sum();
                let rest = s[[i, j]] - s[[i, j]] * s.row(i).sum();
                assert_close(row, entries, ROUNDING);
                assert_close(row, rest, ROUNDING);
                // Not because the entries are all zero.
                assert_close(jacobian[[i, j, j]], s[[i, j]] - s[[i, j]].powi(2), ROUNDING);
            }
        }
    }
}

/// As a quadratic form, the Jacobian is the variance of the entries of d when they are drawn with
/// the probabilities ŷ: so it is symmetric, and never negative.
///
/// ```math
/// \underset{1 \times m}{d^\top}\,\underset{m \times m}{J}\,\underset{m \times 1}{d}
///   = \sum_{k=1}^m \hat y_k\,(d_k - \bar d)^2 \;\ge\; 0,
/// \qquad
/// \bar d = \sum_{k=1}^m \hat y_k d_k
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
/// J v = 0 \iff v = c\,\mathbf 1,
/// \qquad
/// \operatorname{rank}
///   \underset{m \times m}{\bigl(\operatorname{diag}(\hat y) - \hat y \hat y^\top\bigr)}
///   = m - 1
/// ```
#[test]
fn jacobian_of_softmax_rank() {
    let mut rng = rng(226);
    for m in [2, 3, 6, 20, 50] {
        let (s, jacobian) = random_jacobian(m, &mut rng);
        for ((j, k), &entry) in jacobian.indexed_iter() {
            assert_close(entry, delta(j, k) * s[k] - s[j] * s[k], ROUNDING);
        }
        let (_, sigma, vt) = jacobian.svd(false, true).unwrap();
        // The smallest of 50 probabilities is about 1e-4, and rounding about 1e-17.
        let rank = sigma.iter().filter(|&&sigma| sigma > 1e-12).count();
        assert_eq!(rank, m - 1, "{sigma}");
        let vt = vt.unwrap();
        let null = vt.row(m - 1);
        for j in 0..m {
            assert_close(null[j] * null[0].signum(), 1.0 / (m as f64).sqrt(), 1e-10);
        }
    }
}

/// The other singular values lie between neighbouring probabilities, in order of size: a
/// confident softmax passes almost nothing back.
///
/// ```math
/// \hat y_{(1)} \ge \sigma_1 \ge \hat y_{(2)} \ge \sigma_2 \ge \dots
///   \ge \sigma_{m-1} \ge \hat y_{(m)} > \sigma_m = 0
/// ```
#[test]
fn jacobian_of_softmax_singular_values_interlace() {
    let mut rng = rng(227);
    for m in [2, 3, 6, 20] {
        let (s, jacobian) = random_jacobian(m, &mut rng);
        let (_, sigma, _) = jacobian.svd(false, false).unwrap();
        let mut sorted = s.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        for k in 0..m - 1 {
            assert!(sorted[k] + 1e-15 >= sigma[k], "{sorted:?} {sigma}");
            assert!(sigma[k] + 1e-15 >= sorted[k + 1], "{sorted:?} {sigma}");
        }
        assert!(sorted[m - 1] > 1e-6 && sigma[m - 1] < 1e-15, "{sorted:?} {sigma}");
    }
}

/// A small ε in the denominator, put there against a division by zero, multiplies the whole
/// gradient by a factor that goes to 0 with the probability p of the true class c.
///
/// ```math
/// \sum_{k=1}^m \left( -\frac{[k = c]}{\hat y_k + \varepsilon} \right)
///     \hat y_k\,(\delta_{kj} - \hat y_j)
///   = \frac{p}{p + \varepsilon}\,\bigl(\hat y_j - [j = c]\bigr),
/// \qquad p = \hat y_c
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
                    let right = p / (p + epsilon) * (s[[i, j]] - delta(j, classes[i]));
                    // Relative to their own size, which may be 1e-10.
                    assert_close(left[[i, 0, j]] / right, 1.0, 1e-12);
                }
            }
        }
    }
}

/// A backward pass that keeps only the diagonal of the Jacobian leaves the true class as it was
/// and no longer tells the other classes to give way.
///
/// ```math
/// \underbrace{\hat y_j - y_j}_{\text{the gradient}}
///   - \underbrace{\left( -\frac{y_j}{\hat y_j} \right) \hat y_j\,(1 - \hat y_j)}
///       _{\text{through the diagonal}}
///   = \hat y_j\,(1 - y_j)
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
                assert_close(whole[[i, 0, j]] - diagonal, s * (1.0 - y), ROUNDING);
            }
        }
    }
}

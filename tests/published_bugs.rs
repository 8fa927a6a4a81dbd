//! The published bugs: each mistake of the four tutorials, rebuilt as a small wrong variant,
//! and the check of ours that finds it. Beside each stands the right variant, which the same
//! check lets pass.

mod common;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Mutex;

use common::*;
use gradus::check::{Check, Verdict};
use gradus::{
    Activation, BinaryCrossEntropy, CategoricalCrossEntropy, Dense, Elementwise, Error, Fit, Float,
    GradientDescent, Init, Loss, MeanSquaredError, Network, NeuralNetwork, OutputActivation, Part,
    Relu, Samples, Sequential, Shape, Sigmoid, Softmax, Source, layers, one_hot, toy, train,
};
use ndarray::{
    Array1, Array2, Array3, ArrayRef1, ArrayRef2, ArrayRef3, Axis, Zip, array, concatenate, s,
};

/// Names the wrong variants.
macro_rules! wrong_parts {
    ($($part:ident),*) => {$(
        #[derive(Debug)]
        struct $part;

        impl<F: Float> Part<F> for $part {
            fn name(&self) -> &str {
                stringify!($part)
            }
        }
    )*};
}

wrong_parts!(
    ReluWithSlopeOneEverywhere,
    SoftmaxWithDiagonalOnly,
    SoftmaxShiftedByBatch,
    LossWithEps
);

/// Checks the gradient of a network of these parts on a random batch.
fn check_network(
    hidden: impl Activation<f64> + 'static,
    output: impl OutputActivation<f64> + 'static,
    loss: impl Loss<f64> + 'static,
    n: usize,
) -> Verdict {
    let mut rng = rng(11);
    let (x, labels) = (normal((n, 4), 1.0, &mut rng), labels(n, 3, &mut rng));
    let y = one_hot(&labels, 3).unwrap();
    let optimizer = GradientDescent::new(0.1).unwrap();
    let sizes = [4, 6, 3];
    let network = NeuralNetwork::new(&sizes, hidden, output, loss, optimizer, Init::Lazar, 2);
    let mut network = network.unwrap().composed();
    let (_, gradient) = network.loss_and_gradient(&x, &y).unwrap();
    let at = network.params().clone();
    let f = |params: &ArrayRef1<f64>| {
        network.set_params(params).unwrap();
        network.loss_and_gradient(&x, &y).unwrap().0
    };
    Check::default().gradient(f, &at, &gradient).unwrap()
}

impl<F: Float> Activation<F> for ReluWithSlopeOneEverywhere {
    fn value(&self, z: F) -> F {
        z.max(F::zero())
    }

    fn derivative(&self, _: F) -> F {
        F::one()
    }
}

// Yuan / NTHU DataLab, "Neural Networks from Scratch".
#[test]
fn bug_relu_slope_of_one_fails_the_gradient_check() {
    let wrong = check_network(ReluWithSlopeOneEverywhere, Softmax, CategoricalCrossEntropy, 8);
    assert!(!wrong.passed && wrong.error > 0.1, "{wrong}");
    let right = check_network(Relu, Softmax, CategoricalCrossEntropy, 8);
    assert!(right.passed, "{right}");
}

impl<F: Float> OutputActivation<F> for SoftmaxWithDiagonalOnly {
    fn apply_into(&self, z: &ArrayRef2<F>, y_hat: &mut ArrayRef2<F>) {
        Softmax.apply_into(z, y_hat);
    }

    fn jacobian_into(&self, z: &ArrayRef2<F>, jacobian: &mut ArrayRef3<F>) {
        jacobian.fill(F::zero());
        for ((i, j), &s) in Softmax.apply(z).indexed_iter() {
            jacobian[[i, j, j]] = s * (F::one() - s);
        }
    }
}

// Elsharkawy, "NNs from scratch using NumPy".
#[test]
fn bug_diagonal_softmax_fails_even_with_one_sample() {
    for n in [1, 8] {
        let wrong = check_network(Relu, SoftmaxWithDiagonalOnly, CategoricalCrossEntropy, n);
        assert!(!wrong.passed && wrong.error > 0.1, "{n} samples: {wrong}");
        let right = check_network(Relu, Softmax, CategoricalCrossEntropy, n);
        assert!(right.passed, "{n} samples: {right}");
    }
}

// Elsharkawy again: the gradient is divided by the batch size in two places.
#[test]
fn bug_dividing_twice_by_the_batch_is_a_factor_of_eight() {
    let n = 8;
    let mut rng = rng(12);
    let x = normal((n, 2), 1.0, &mut rng);
    let y = normal((n, 1), 1.0, &mut rng);
    let optimizer = GradientDescent::new(0.1).unwrap();
    let identity = Elementwise(gradus::Identity);
    let sizes = [2, 1];
    let network =
        NeuralNetwork::new(&sizes, Relu, identity, MeanSquaredError, optimizer, Init::LeCun, 1);
    let mut network = network.unwrap();
    let (_, gradient) = network.loss_and_gradient(&x, &y).unwrap();
    let at = network.params().clone();
    let mut loss = |params: &ArrayRef1<f64>| {
        network.set_params(params).unwrap();
        network.loss_and_gradient(&x, &y).unwrap().0
    };
    assert!(Check::default().gradient(&mut loss, &at, &gradient).unwrap().passed);
    let twice = &gradient / n as f64;
    let wrong = Check::default().gradient(&mut loss, &at, &twice).unwrap();
    assert!(!wrong.passed, "{wrong}");
    assert_close(wrong.derived / wrong.measured, 0.125, 1e-6);
}

impl<F: Float> OutputActivation<F> for SoftmaxShiftedByBatch {
    fn apply_into(&self, z: &ArrayRef2<F>, y_hat: &mut ArrayRef2<F>) {
        let max = z.fold(F::neg_infinity(), |max, &z| max.max(z));
        y_hat.assign(&z.mapv(|z| (z - max).exp()));
        y_hat.rows_mut().into_iter().for_each(|mut row| row /= row.sum());
    }

    fn jacobian_into(&self, z: &ArrayRef2<F>, jacobian: &mut ArrayRef3<F>) {
        Softmax.jacobian_into(z, jacobian);
    }
}

// Yuan / NTHU DataLab: one large sample turns every other sample into NaN.
#[test]
fn bug_batch_maximum_in_softmax_loses_the_other_rows() {
    let z = array![[1.0, 2.0, 3.0], [1000.0, 0.0, 1.0]];
    let sums = |output: &dyn OutputActivation<f64>| output.apply(&z).sum_axis(Axis(1));
    let wrong = sums(&SoftmaxShiftedByBatch);
    assert!(wrong[0].is_nan() && wrong[1] == 1.0, "{wrong}");
    assert_all_close(&sums(&Softmax), &array![1.0, 1.0], 1e-15);
    // Nobody noticed: on rows of one size both give the same.
    let tame = array![[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]];
    assert_all_close(&SoftmaxShiftedByBatch.apply(&tame), &Softmax.apply(&tame), 1e-15);
}

impl<F: Float> Loss<F> for LossWithEps {
    fn values_into(&self, y_hat: &ArrayRef2<F>, y: &ArrayRef2<F>, values: &mut ArrayRef1<F>) {
        let eps = F::epsilon();
        let losses = Zip::from(y_hat).and(y).map_collect(|&p, &y| -y * (p + eps).ln());
        values.assign(&losses.sum_axis(Axis(1)));
    }

    fn derivative_into(&self, y_hat: &ArrayRef2<F>, y: &ArrayRef2<F>, d: &mut ArrayRef2<F>) {
        let eps = F::epsilon();
        Zip::from(d).and(y_hat).and(y).for_each(|d, &p, &y| *d = -y / (p + eps));
    }
}

/// ∂L/∂z of a sample that a network with one weight for each logit classifies wrongly, by this
/// much.
fn gradient_at_margin(loss: impl Loss<f64> + 'static, margin: f64) -> Array1<f64> {
    let optimizer = GradientDescent::new(0.1).unwrap();
    let sizes = [1, 2];
    let network = NeuralNetwork::new(&sizes, Relu, Softmax, loss, optimizer, Init::LeCun, 1);
    let mut network = network.unwrap();
    network.set_params(&array![margin, 0.0, 0.0, 0.0]).unwrap();
    let (_, gradient) = network.loss_and_gradient(&array![[1.0]], &array![[0.0, 1.0]]).unwrap();
    gradient.slice(s![..2]).to_owned()
}

// Lazar, "Implement a Neural Network from Scratch with NumPy".
#[test]
fn bug_eps_in_the_loss_loses_the_worst_mistakes() {
    let exact = array![1.0, -1.0];
    for margin in [5.0, 20.0, 50.0, 500.0] {
        let right = gradient_at_margin(CategoricalCrossEntropy, margin);
        let p = 1.0 / (1.0 + margin.exp());
        assert_all_close(&right, &array![1.0 - p, p - 1.0], 1e-14);
        let wrong = gradient_at_margin(LossWithEps, margin);
        if margin <= 5.0 {
            assert_all_close(&wrong, &right, 1e-10);
        }
        if margin >= 50.0 {
            assert!((&right - &exact).iter().all(|d| d.abs() < 1e-15), "{right}");
            assert!(wrong.iter().all(|d| d.abs() < 1e-5), "margin {margin}: {wrong}");
        }
    }
}

// Lazar again: machine epsilon is called the smallest positive number. It is the distance from
// 1 to the next number; there are numbers far below it.
#[test]
fn bug_epsilon_is_not_the_smallest_positive_number() {
    assert_eq!(1.0 + f64::EPSILON / 2.0, 1.0);
    let normal = f64::from_bits(1 << 52);
    assert!(normal.is_normal() && normal < 1e-290 * f64::EPSILON);
    let smallest = f64::from_bits(1);
    assert!(smallest > 0.0 && smallest / 2.0 == 0.0);
    assert!(smallest < 1e-300 * f64::EPSILON);
}

/// `to_categorical` as published.
fn to_categorical_by_maximum(labels: &[usize]) -> Array2<f64> {
    one_hot(labels, labels.iter().max().unwrap() + 1).unwrap()
}

// Lazar again: a batch without the last class gets too few columns.
#[test]
fn bug_counting_classes_by_the_largest_label() {
    assert_eq!(to_categorical_by_maximum(&[0, 2, 1]).ncols(), 3);
    let wrong = to_categorical_by_maximum(&[0, 1, 1]);
    assert_eq!(wrong.ncols(), 2);
    assert_eq!(one_hot::<f64>(&[0, 1, 1], 3).unwrap().ncols(), 3);
    let optimizer = GradientDescent::new(0.1).unwrap();
    let loss = CategoricalCrossEntropy;
    let sizes = [2, 3];
    let network = NeuralNetwork::new(&sizes, Relu, Softmax, loss, optimizer, Init::LeCun, 1);
    let refused = network.unwrap().loss_and_gradient(&Array2::ones((3, 2)), &wrong);
    assert!(matches!(refused, Err(Error::Shape { .. })));
}

// Lazar again: "Xavier" initialisation with half of Glorot's variance.
#[test]
fn bug_half_of_glorots_variance() {
    let variance = |init: Init| {
        let mut weights = Array2::<f64>::zeros((300, 200));
        init.fill(&mut weights, &mut Array1::zeros(200), &mut rng(13));
        weights.iter().map(|w| w * w).sum::<f64>() / weights.len() as f64
    };
    // The relative standard error of a variance over 60,000 draws is 0.6 %.
    assert_close(variance(Init::GlorotNormal) * 500.0, 2.0, 0.02);
    assert_close(variance(Init::GlorotUniform) * 500.0, 2.0, 0.02);
    assert_close(variance(Init::Lazar) * 500.0, 1.0, 0.02);
}

// Lazar again: gradients that are not finite are replaced by zeros, and training seems to go on.
#[test]
fn bug_silent_zeros_hide_a_diverged_training() {
    let data = toy::moons::<f64>(64, 0.1, 1).unwrap();
    let optimizer = GradientDescent::new(1e200).unwrap();
    let identity = Elementwise(gradus::Identity);
    let sizes = [2, 4, 1];
    let mut network =
        NeuralNetwork::new(&sizes, Relu, identity, MeanSquaredError, optimizer, Init::LeCun, 1)
            .unwrap();
    let error = network.fit(&data, &Fit::default(), None, &mut train::silent).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, .. }), "{error}");
    // What the published line does to the gradient of such a step: no step at all.
    let silenced = array![f64::NAN, f64::INFINITY].mapv(|g| if g.is_finite() { g } else { 0.0 });
    assert_eq!(silenced, array![0.0, 0.0]);
}

/// Remembers which samples were gathered.
struct Watched {
    samples: Samples<f64>,
    seen: Mutex<BTreeSet<usize>>,
}

impl Source<f64> for Watched {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn input_columns(&self) -> usize {
        self.samples.input_columns()
    }

    fn target_columns(&self) -> usize {
        self.samples.target_columns()
    }

    fn gather(&self, rows: &[usize], x: &mut ArrayRef2<f64>, y: &mut ArrayRef2<f64>) {
        self.seen.lock().unwrap().extend(rows);
        self.samples.gather(rows, x, y);
    }
}

// Yuan / NTHU DataLab: each epoch drops its last sample.
#[test]
fn bug_the_last_sample_of_an_epoch_is_dropped() {
    let samples = toy::moons::<f64>(21, 0.1, 1).unwrap();
    let watched = Watched { samples, seen: Mutex::default() };
    let optimizer = GradientDescent::new(0.1).unwrap();
    let sizes = [2, 3, 1];
    let output = Elementwise(Sigmoid);
    let loss = BinaryCrossEntropy;
    let mut network =
        NeuralNetwork::new(&sizes, Relu, output, loss, optimizer, Init::LeCun, 1).unwrap();
    let fit = Fit { batch_size: 4, epochs: 1, ..Fit::default() };
    // The look at all samples before the first step does not count.
    let mut first = true;
    let mut forget = |_: gradus::Event| {
        if std::mem::take(&mut first) {
            let mut seen = watched.seen.lock().unwrap();
            seen.clear();
        }
        ControlFlow::Continue(())
    };
    network.fit(&watched, &fit, None, &mut forget).unwrap();
    // All but the four of the first batch; dropping one would leave 16.
    assert_eq!(watched.seen.lock().unwrap().len(), 17);
    // As published: a batch ends at the last index, which a range leaves out.
    let (n, size) = (21, 4);
    let published: usize =
        (0..n).step_by(size).map(|begin| (begin..(begin + size).min(n - 1)).len()).sum();
    assert_eq!(published, 20);
}

/// Classes as published: every output above one half.
fn threshold(y_hat: &ArrayRef2<f64>) -> Array2<f64> {
    y_hat.mapv(|p| f64::from(u8::from(p > 0.5)))
}

// Elsharkawy again: a threshold of one half is no class decision for softmax.
#[test]
fn bug_threshold_on_softmax_decides_nothing() {
    let optimizer = GradientDescent::new(0.1).unwrap();
    let loss = CategoricalCrossEntropy;
    let sizes = [1, 3];
    let network = NeuralNetwork::new(&sizes, Relu, Softmax, loss, optimizer, Init::LeCun, 1);
    let mut network = network.unwrap();
    network.set_params(&array![0.3, 0.5, 0.1, 0.0, 0.0, 0.0]).unwrap();
    let x = array![[1.0]];
    assert_eq!(threshold(&network.predict(&x).unwrap()).sum(), 0.0);
    assert_eq!(network.predict_labels(&x).unwrap(), [1]);
}

/// A dense layer as published: `backward` answers, and takes a step of its own.
struct LearningLayer {
    weights: Array2<f64>,
    biases: Array1<f64>,
}

impl LearningLayer {
    fn forward(&self, x: &Array2<f64>) -> Array2<f64> {
        x.dot(&self.weights) + &self.biases
    }

    fn backward(&mut self, x: &Array2<f64>, d_y: &Array2<f64>, rate: f64) -> Array2<f64> {
        let d_x = d_y.dot(&self.weights.t());
        self.weights.scaled_add(-rate, &x.t().dot(d_y));
        self.biases.scaled_add(-rate, &d_y.sum_axis(Axis(0)));
        d_x
    }

    fn params(&self) -> Array1<f64> {
        self.weights.iter().chain(&self.biases).copied().collect()
    }
}

// Aflak, "Math: Neural Network from scratch in Python": a layer that is asked has moved. All that
// it shows of its gradient is the step, and where a check looks, the gradient is another one.
#[test]
fn bug_a_layer_that_learns_while_it_is_asked() {
    let (x, y, rate) = (array![[1.0, 1.0]], array![[2.0]], 0.1);
    let mut published = LearningLayer { weights: array![[0.5], [-0.3]], biases: Array1::zeros(1) };
    let layers = layers![Dense::new(1, Init::LeCun).unwrap()];
    let descent = GradientDescent::new(rate).unwrap();
    let ours = Sequential::new(Shape::Vector(2), layers, MeanSquaredError, descent, 1);
    let mut ours = ours.unwrap();
    let before = published.params();
    ours.set_params(&before).unwrap();

    let d_y = (published.forward(&x) - &y) * 2.0;
    let d_x = published.backward(&x, &d_y, rate);
    let read_off = (&before - &published.params()) / rate;
    let gradient = ours.loss_and_gradient(&x, &y).unwrap().1;
    assert_all_close(&read_off, &gradient, 1e-14);
    // Asked again, ours says the same, and the published one does not.
    assert_eq!(ours.loss_and_gradient(&x, &y).unwrap().1, gradient);
    let again = published.backward(&x, &d_y, 0.0);
    assert!((again - d_x).iter().all(|d| d.abs() > 0.1));

    let mut check = |at: &Array1<f64>, gradient: &Array1<f64>| {
        let loss = |params: &ArrayRef1<f64>| {
            ours.set_params(params).unwrap();
            ours.loss_and_gradient(&x, &y).unwrap().0
        };
        Check::default().gradient(loss, at, gradient).unwrap()
    };
    let right = check(&before, &gradient);
    assert!(right.passed, "{right}");
    let wrong = check(&published.params(), &read_off);
    assert!(!wrong.passed, "{wrong}");
    // The step takes the share 2η(|x|² + 1) of the error away, here 0.6.
    assert_close(wrong.derived / wrong.measured, 1.0 / 0.4, 1e-6);
}

/// A valid convolution with stride 1: (inputs, h, w) * (outputs, inputs, k, k) → (outputs, …).
/// The bias of each output is added `bias_times` times.
fn convolve(
    x: &Array3<f64>,
    kernels: &[Array3<f64>],
    bias: &Array1<f64>,
    bias_times: f64,
) -> Array3<f64> {
    let (_, h, w) = x.dim();
    let k = kernels[0].dim().1;
    Array3::from_shape_fn((kernels.len(), h - k + 1, w - k + 1), |(o, i, j)| {
        let window = x.slice(s![.., i..i + k, j..j + k]);
        (&window * &kernels[o]).sum() + bias_times * bias[o]
    })
}

// Aflak again, in the convolution of the repository: the bias is added once for each input
// channel, and its gradient multiplied by the number of output channels.
#[test]
fn bug_convolution_bias_times_channels() {
    for (inputs, outputs, expected) in [(1, 2, 2.0), (2, 3, 1.5)] {
        let mut rng = rng(14);
        let x = normal((inputs, 5, 4), 1.0, &mut rng);
        let kernels: Vec<_> = (0..outputs).map(|_| normal((inputs, 3, 3), 1.0, &mut rng)).collect();
        let bias = normal(outputs, 1.0, &mut rng);
        let cotangent = normal((outputs, 3, 2), 1.0, &mut rng);
        let sums = cotangent.sum_axis(Axis(2)).sum_axis(Axis(1));
        let loss = |bias: &ArrayRef1<f64>, times: f64| {
            (&convolve(&x, &kernels, &bias.to_owned(), times) * &cotangent).sum()
        };
        let check = Check::default();
        let right = check.gradient(|b| loss(b, 1.0), &bias, &sums).unwrap();
        assert!(right.passed, "{right}");
        let published = &sums * outputs as f64;
        let wrong = check.gradient(|b| loss(b, inputs as f64), &bias, &published).unwrap();
        assert!(!wrong.passed, "{wrong}");
        assert_close(wrong.derived / wrong.measured, expected, 1e-6);
    }
}

// Every classic mistake about the batch: a mean must not change when the batch is doubled.
#[test]
fn bug_a_missing_mean_doubles_with_the_batch() {
    let data = toy::spirals::<f64>(12, 3, 0.1, 1).unwrap();
    let optimizer = GradientDescent::new(0.1).unwrap();
    let loss = CategoricalCrossEntropy;
    let sizes = [2, 5, 3];
    let network = NeuralNetwork::new(&sizes, Relu, Softmax, loss, optimizer, Init::LeCun, 1);
    let network = network.unwrap();
    let twice = |a: &Array2<f64>| concatenate![Axis(0), a.view(), a.view()];
    let (loss, gradient) = network.loss_and_gradient(data.x(), data.y()).unwrap();
    let (twice_loss, twice_gradient) =
        network.loss_and_gradient(&twice(data.x()), &twice(data.y())).unwrap();
    assert_close(loss, twice_loss, 1e-14);
    assert_all_close(&gradient, &twice_gradient, 1e-14);
    // The mistake: a sum where the mean should be.
    let (sum, twice_sum) = (&gradient * 12.0, &twice_gradient * 24.0);
    assert!((&twice_sum - &sum).iter().any(|d| d.abs() > 1e-3));
}

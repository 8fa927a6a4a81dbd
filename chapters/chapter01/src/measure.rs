//! What the sections measure.

use gradus::check::{Check, Verdict};
use gradus::random::Random;
use gradus::{
    Activation, CategoricalCrossEntropy, Fit, Float, Init, MovingAverage, Network, NeuralNetwork,
    OutputActivation, Softmax, toy,
};
use lab::{Lab, Result};
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::naive;
use crate::published::softmax_by_batch_maximum;

/// The random numbers of one section: those of another do not disturb them.
pub fn generator(seed: u64, section: u64) -> ChaCha8Rng {
    Random::new(seed, 100 + section).generator()
}

/// Numbers from −size to size, none of them within 0.01 of 0, where ReLU has a corner.
pub fn off_the_corner(count: usize, size: f64, rng: &mut ChaCha8Rng) -> Array1<f64> {
    Array1::from_shape_simple_fn(count, || {
        let sign = if rng.random() { 1.0 } else { -1.0 };
        sign * (0.01 + (size - 0.01) * rng.random::<f64>())
    })
}

/// The least and the largest derivative between −8 and 8.
pub fn extremes(f: &dyn Activation<f64>) -> (f64, f64) {
    let slopes = (-8000..=8000).map(|i| f.derivative(f64::from(i) / 1000.0));
    slopes.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, largest), slope| {
        (least.min(slope), largest.max(slope))
    })
}

/// Where `holds` stops to hold between `yes` and `no`, by halving the interval.
fn border<F: Float>(mut yes: F, mut no: F, holds: impl Fn(F) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = (yes + no) / F::cast(2.0);
        if holds(middle) { yes = middle } else { no = middle }
    }
    yes.as_f64()
}

/// The largest z for which eᶻ is finite.
pub fn largest_exponent<F: Float>() -> f64 {
    border(F::zero(), F::cast(1000.0), |z| z.exp().is_finite())
}

/// The smallest z for which eᶻ is not 0.
pub fn smallest_exponent<F: Float>() -> f64 {
    border(F::zero(), F::cast(-1000.0), |z| z.exp() > F::zero())
}

/// The largest z at which σ(z) (1 − σ(z)), computed as it stands, is not 0.
pub fn last_slope<F: Float>() -> f64 {
    border(F::zero(), F::cast(100.0), |z| naive::sigmoid_derivative(z) > F::zero())
}

/// By how much one input of another sample must exceed all inputs of a row for the row's
/// softmax, shifted by the maximum of both, to become NaN: the first whole number.
pub fn nan_gap<F: Float>() -> u32 {
    let is_nan = |gap: u32| {
        let batch = ndarray::array![[F::zero(), F::zero()], [F::zero(), F::cast(gap.into())]];
        softmax_by_batch_maximum(&batch)[[0, 0]].is_nan()
    };
    (0..1000).find(|&gap| is_nan(gap)).unwrap_or(1000)
}

/// The largest difference between corresponding entries.
pub fn largest_difference<F: Float>(a: &ArrayRef1<F>, b: &ArrayRef1<F>) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (a - b).as_f64().abs()).fold(0.0, |max, d| {
        // Unlike `max`, this keeps a NaN.
        if d <= max { max } else { d }
    })
}

/// ‖a − b‖ / (‖a‖ + ‖b‖): how far two gradients are apart, from 0 to 1.
pub fn distance(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> f64 {
    let norm = |x: &ArrayRef2<f64>| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    norm(&Array2::from_shape_fn(a.raw_dim(), |i| a[i] - b[i])) / (norm(a) + norm(b))
}

/// What a training led to.
pub struct Trained {
    /// The loss of each epoch.
    pub loss: Vec<f64>,
    /// The share of new samples that are classified right.
    pub accuracy: f64,
}

/// Trains a small network with this hidden activation to tell three spirals apart: chapter 4
/// explains how.
pub fn train(hidden: impl Activation<f64> + 'static, seed: u64, lab: &mut Lab) -> Result<Trained> {
    let mut progress = lab.progress(hidden.name());
    let (sizes, optimizer) = (&[2, 32, 3], MovingAverage::new(0.5, 0.9)?);
    let mut network = NeuralNetwork::new(
        sizes,
        hidden,
        Softmax,
        CategoricalCrossEntropy,
        optimizer,
        Init::LeCun,
        seed,
    )?;
    let (samples, new) = (toy::spirals(600, 3, 0.02, seed)?, toy::spirals(600, 3, 0.02, !seed)?);
    let fit = Fit { epochs: 100, seed, ..Fit::default() };
    let loss =
        network.fit(&samples, &fit, None, &mut |event| progress.observe(event))?.loss.clone();
    progress.finish();
    let accuracy = network.score(&new)?.accuracy().ok_or("spirals have classes")?;
    Ok(Trained { loss, accuracy })
}

// ANCHOR: check
/// Checks f′ at these points: the gradient of Σᵢ f(zᵢ) has the entries f′(zᵢ).
pub fn check(f: &dyn Activation<f64>, z: &Array1<f64>) -> Result<Verdict> {
    let derived = z.mapv(|z| f.derivative(z));
    let sum = |z: &ArrayRef1<f64>| z.iter().map(|&z| f.value(z)).sum();
    Ok(Check::default().gradient(sum, z, &derived)?)
}
// ANCHOR_END: check

/// Checks the vector–Jacobian product of softmax, for n random rows of m inputs.
pub fn check_softmax(n: usize, m: usize, rng: &mut ChaCha8Rng) -> gradus::Result<Verdict> {
    let z = off_the_corner(n * m, 3.0, rng);
    let c = off_the_corner(n * m, 1.0, rng);
    let rows = |x: &ArrayRef1<f64>| Array2::from_shape_fn((n, m), |(i, j)| x[i * m + j]);
    let mut derived = Array2::zeros((n, m));
    Softmax.backward_into(&rows(&z), &Softmax.apply(&rows(&z)), &rows(&c), &mut derived);
    let value = |z: &ArrayRef1<f64>| (Softmax.apply(&rows(z)) * rows(&c)).sum();
    Check::default().gradient(value, &z, &Array1::from_iter(derived))
}

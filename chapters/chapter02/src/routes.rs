//! The ways from a loss back to the logits z, and down a gradient.

use std::fmt;

use gradus::{
    CategoricalCrossEntropy, Float, FusedLoss, Loss, OutputActivation, Softmax, chain_rule,
};
use lab::Lab;
use ndarray::{Array1, Array2, ArrayRef2, Axis};

use crate::wrong::PaddedCrossEntropy;

// ANCHOR: composed
/// ∂L/∂z by the chain rule: the loss's row times the Jacobian of the output.
///
/// # Shapes
/// (n, 1, m) × (n, m, m) → (n, m)
pub fn composed<F: Float>(
    loss: &dyn Loss<F>,
    output: &dyn OutputActivation<F>,
    z: &ArrayRef2<F>,
    y: &ArrayRef2<F>,
) -> Array2<F> {
    let d_y_hat = loss.derivative(&output.apply(z), y);
    chain_rule(&d_y_hat, &output.jacobian(z)).index_axis_move(Axis(1), 0)
}
// ANCHOR_END: composed

/// ∂L/∂z of a loss that knows its output activation.
///
/// # Shapes
/// (n, m) → (n, m)
pub fn fused<F: Float>(
    loss: &dyn FusedLoss<F>,
    output: &dyn OutputActivation<F>,
    z: &ArrayRef2<F>,
    y: &ArrayRef2<F>,
) -> Array2<F> {
    let mut d_z = Array2::zeros(z.raw_dim());
    loss.fused_derivative_into(&output.apply(z), y, &mut d_z);
    d_z
}

/// The product of the probabilities of n samples that are all p.
pub fn product_of(p: f64, n: usize) -> f64 {
    (0..n).fold(1.0, |product, _| product * p)
}

/// The cross-entropy of softmax, from logits.
///
/// # Shapes
/// (n, m) → (n)
pub fn loss_from_logits<F: Float>(z: &ArrayRef2<F>, y: &ArrayRef2<F>) -> Array1<F> {
    let mut values = Array1::zeros(z.nrows());
    CategoricalCrossEntropy.fused_values_into(z, y, &mut values);
    values
}

/// One sample of class 0 whose wrong class, 1, is ahead: its logits and its target.
pub fn confident<F: Float>(margin: f64) -> (Array2<F>, Array2<F>) {
    let row = |a: F, b: F| ndarray::array![[a, b]];
    (row(F::zero(), F::cast(margin)), row(F::one(), F::zero()))
}

// ANCHOR: descend
/// The loss before each of `steps` steps of gradient descent with rate 1 on the
/// logits, and after the last.
pub fn descend(
    z: &ArrayRef2<f64>,
    y: &ArrayRef2<f64>,
    steps: usize,
    gradient: impl Fn(&Array2<f64>) -> Array2<f64>,
) -> Vec<f64> {
    let mut z = z.to_owned();
    let mut losses = vec![loss_from_logits(&z, y)[0]];
    for _ in 0..steps {
        z -= &gradient(&z);
        losses.push(loss_from_logits(&z, y)[0]);
    }
    losses
}
// ANCHOR_END: descend

/// Steps until the true class of a confidently wrong sample is ahead.
pub struct Arrival {
    /// By ŷ − y.
    pub right: Steps,
    /// With ε in the denominator.
    pub padded: Steps,
    /// With ε, for steps so small that the descent is a curve.
    pub predicted: f64,
}

/// How many steps the descent takes from `z` logits behind, treated as a curve.
pub fn predicted_steps(z: f64, epsilon: f64) -> f64 {
    (z + 1.0 + epsilon * z.exp()) / 2.0
}

/// A number of steps, or none if a million was not enough.
pub struct Steps(Option<usize>);

impl Arrival {
    /// Goes down both gradients.
    pub fn of(margin: f64) -> Self {
        let (z, y) = confident(margin);
        let right = steps_until_right(&z, |z| softmax_fused(z, &y));
        let padded = steps_until_right(&z, |z| composed(&PaddedCrossEntropy, &Softmax, z, &y));
        let predicted = predicted_steps(margin, f64::EPSILON);
        Self { right, padded, predicted }
    }

    /// Adds the numbers to the results.
    pub fn record(&self, lab: &mut Lab) {
        for (name, steps) in [("steps_right", &self.right), ("steps_padded", &self.padded)] {
            if let Steps(Some(steps)) = steps {
                // Rounding is far too small to change a count.
                lab.near(name, *steps as f64, 1e-6);
            }
        }
        lab.near("steps_padded_predicted", self.predicted, 1e-9);
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Steps(Some(steps)) => steps.fmt(f),
            Steps(None) => write!(f, "more than {LIMIT}"),
        }
    }
}

const LIMIT: usize = 1_000_000;

fn steps_until_right(z: &ArrayRef2<f64>, gradient: impl Fn(&Array2<f64>) -> Array2<f64>) -> Steps {
    let mut z = z.to_owned();
    Steps((0..=LIMIT).find(|_| {
        let right = z[[0, 0]] > z[[0, 1]];
        z -= &gradient(&z);
        right
    }))
}

/// The largest difference between two arrays.
pub fn difference<F: Float>(a: &ArrayRef2<F>, b: &ArrayRef2<F>) -> f64 {
    a.iter().zip(b).fold(0.0, |max, (a, b)| (*a - *b).abs().as_f64().max(max))
}

/// The gradient of softmax with cross-entropy: ŷ − y.
pub fn softmax_fused<F: Float>(z: &ArrayRef2<F>, y: &ArrayRef2<F>) -> Array2<F> {
    fused(&CategoricalCrossEntropy, &Softmax, z, y)
}

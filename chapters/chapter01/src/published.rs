//! Two lines of a published tutorial, rebuilt: Yuan and DataLab, *Neural Networks from
//! Scratch*.

use gradus::check::{Check, Verdict};
use gradus::{Activation, Float, OutputActivation, Part, Softmax};
use ndarray::{Array1, Array2, ArrayRef2};
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

// ANCHOR: ReluWithSlopeOne
/// ReLU with the derivative 1 for every input, negative ones included.
#[derive(Debug, Clone, Copy)]
pub struct ReluWithSlopeOne;

impl<F: Float> Part<F> for ReluWithSlopeOne {
    fn name(&self) -> &str {
        "relu_with_slope_one"
    }
}

impl<F: Float> Activation<F> for ReluWithSlopeOne {
    fn value(&self, z: F) -> F {
        z.max(F::zero())
    }

    fn derivative(&self, _: F) -> F {
        F::one()
    }
}
// ANCHOR_END: ReluWithSlopeOne

// ANCHOR: softmax_by_batch_maximum
/// Softmax, shifted by the largest input of the batch, not by each row's own.
pub fn softmax_by_batch_maximum<F: Float>(z: &ArrayRef2<F>) -> Array2<F> {
    let max = z.iter().fold(F::neg_infinity(), |max, &z| max.max(z));
    let mut s = z.mapv(|z| (z - max).exp());
    for mut row in s.rows_mut() {
        let sum = row.sum();
        row.mapv_inplace(|e| e / sum);
    }
    s
}
// ANCHOR_END: softmax_by_batch_maximum

/// A hidden layer and a softmax, and a random linear function L of what comes out: as much of
/// a network as a gradient check needs.
///
/// # Shapes
/// x: (n, p), w: (p, m), v: (m, k), d_y_hat: (n, k)
pub struct HiddenLayer {
    /// The inputs.
    pub x: Array2<f64>,
    /// The weights of the hidden layer: what L is differentiated by.
    pub w: Array2<f64>,
    v: Array2<f64>,
    d_y_hat: Array2<f64>,
}

impl HiddenLayer {
    /// Everything drawn from a normal distribution.
    pub fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut normal = |shape, std: f64| {
            Array2::from_shape_simple_fn(shape, || {
                let z: f64 = StandardNormal.sample(rng);
                std * z
            })
        };
        let (n, p, m, k) = (16, 5, 12, 4);
        let (x, w) = (normal((n, p), 1.0), normal((p, m), 0.5));
        let (v, d_y_hat) = (normal((m, k), 0.5), normal((n, k), 1.0 / n as f64));
        Self { x, w, v, d_y_hat }
    }

    /// The same layer with all inputs and weights positive: no hidden unit is ever negative.
    pub fn positive(&self) -> Self {
        Self { x: self.x.abs(), w: self.w.abs(), v: self.v.clone(), d_y_hat: self.d_y_hat.clone() }
    }

    /// L = Σ d_y_hat ⊙ softmax(f(x w) v)
    fn value(&self, hidden: &dyn Activation<f64>, w: &Array2<f64>) -> f64 {
        (Softmax.apply(&hidden.apply(&self.x.dot(w)).dot(&self.v)) * &self.d_y_hat).sum()
    }

    /// ∂L/∂w by the chain rule, from the right to the left.
    pub fn gradient(&self, hidden: &dyn Activation<f64>) -> Array2<f64> {
        let z = self.x.dot(&self.w);
        let scores = hidden.apply(&z).dot(&self.v);
        let mut d_scores = Array2::zeros(scores.raw_dim());
        Softmax.backward_into(&scores, &Softmax.apply(&scores), &self.d_y_hat, &mut d_scores);
        let mut d = d_scores.dot(&self.v.t());
        hidden.backward_in_place(&z, &mut d);
        self.x.t().dot(&d)
    }

    /// Compares ∂L/∂w with central differences.
    pub fn check(&self, hidden: &dyn Activation<f64>) -> gradus::Result<Verdict> {
        let flat = |w: &Array2<f64>| Array1::from_iter(w.iter().copied());
        let value = |w: &ndarray::ArrayRef1<f64>| {
            let w = w.to_owned().into_shape_with_order(self.w.raw_dim());
            self.value(hidden, &w.expect("as many entries as w has"))
        };
        Check::default().gradient(value, &flat(&self.w), &flat(&self.gradient(hidden)))
    }
}

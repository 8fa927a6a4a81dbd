//! The training step as one first writes it, and what can be done about its waste.

use gradus::{
    CategoricalCrossEntropy, Float, FusedLoss, OutputActivation, Softmax, Source, chain_rule,
};
use ndarray::{Array, Array1, Array2, ArrayRef2, Axis, Dimension, Zip};

use crate::measure::Watch;
use crate::task::{MOMENTUM, Place, RATE, Task};

/// How the gradient finds its way through softmax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Through the Jacobian of each sample.
    Jacobian,
    /// By the vector–Jacobian product.
    Product,
    /// Together with the cross-entropy: ŷ − y.
    Fused,
}

/// What is done about the waste.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    pub route: Route,
    /// Whether the gradient of the inputs is computed, which nobody asks for.
    pub d_x: bool,
    /// Whether velocities too small to matter become 0.
    pub flush: bool,
}

/// Nothing is done.
pub const PLAIN: How = How { route: Route::Jacobian, d_x: true, flush: false };

/// The network, with the velocity of each of its parameters.
pub struct Plain<F: Float> {
    w: [Array2<F>; 2],
    b: [Array1<F>; 2],
    v_w: [Array2<F>; 2],
    v_b: [Array1<F>; 2],
    /// Where the time of its steps goes.
    pub watch: Watch,
}

/// All images and their targets, as floats.
pub struct Floats<F: Float> {
    pub x: Array2<F>,
    pub y: Array2<F>,
}

impl<F: Float> Floats<F> {
    /// A copy of the images.
    pub fn of(source: &dyn Source<F>) -> Self {
        let n = source.len();
        let mut x = Array2::zeros((n, source.input_columns()));
        let mut y = Array2::zeros((n, source.target_columns()));
        source.gather(&(0..n).collect::<Vec<_>>(), &mut x, &mut y);
        Self { x, y }
    }
}

impl<F: Float> Plain<F> {
    /// The network at some place.
    pub fn at(place: &Place<F>, task: &Task) -> Self {
        let Place { params, velocity } = place;
        let matrices = |v| [0, 1].map(|i| task.layout.weights(v, i).to_owned());
        let vectors = |v| [0, 1].map(|i| task.layout.biases(v, i).to_owned());
        Self {
            w: matrices(params),
            b: vectors(params),
            v_w: matrices(velocity),
            v_b: vectors(velocity),
            watch: Watch::start(),
        }
    }

    /// All parameters, in the library's order.
    pub fn params(&self) -> Array1<F> {
        let matrices = self.w.iter().flat_map(|w| w.iter());
        matrices.chain(self.b.iter().flat_map(|b| b.iter())).copied().collect()
    }

    // ANCHOR: plain_step
    /// One step on the images with these numbers; returns their mean loss.
    pub fn step(&mut self, all: &Floats<F>, rows: &[usize], how: How) -> f64 {
        let x = all.x.select(Axis(0), rows);
        let y = all.y.select(Axis(0), rows);
        self.watch.lap("gather");
        let z1 = x.dot(&self.w[0]) + &self.b[0];
        let a1 = z1.mapv(|z| z.max(F::zero()));
        let z2 = a1.dot(&self.w[1]) + &self.b[1];
        self.watch.lap("forward");
        let (loss, d_z2) = match how.route {
            Route::Jacobian => through_jacobian(&z2, &y),
            Route::Product => through_product(&z2, &y),
            Route::Fused => fused(&z2, &y),
        };
        self.watch.lap("softmax and loss");
        let d_w2 = a1.t().dot(&d_z2);
        let d_a1 = d_z2.dot(&self.w[1].t());
        let d_z1 = d_a1 * z1.mapv(|z| F::cast(f64::from(z > F::zero())));
        let d_w1 = x.t().dot(&d_z1);
        let d_b = [&d_z1, &d_z2].map(|d| d.sum_axis(Axis(0)));
        self.watch.lap("backward");
        if how.d_x {
            let _d_x = d_z1.dot(&self.w[0].t());
        }
        self.watch.lap("gradient of the inputs");
        for (i, d_w) in [&d_w1, &d_w2].into_iter().enumerate() {
            update(&mut self.w[i], &mut self.v_w[i], d_w, how.flush);
            update(&mut self.b[i], &mut self.v_b[i], &d_b[i], how.flush);
        }
        self.watch.lap("update");
        loss.as_f64()
    }
    // ANCHOR_END: plain_step
}

// ANCHOR: through_jacobian
/// The mean loss, and its gradient by the chain rule: one Jacobian for each
/// sample.
fn through_jacobian<F: Float>(z: &Array2<F>, y: &Array2<F>) -> (F, Array2<F>) {
    let n = F::cast(z.nrows() as f64);
    let y_hat = Softmax.apply(z);
    let loss = -(y * &y_hat.ln()).sum() / n;
    let d_y_hat = -(y / &y_hat) / n;
    let jacobian = Softmax.jacobian(z);
    let d_z = chain_rule(&d_y_hat.insert_axis(Axis(1)), &jacobian);
    (loss, d_z.index_axis_move(Axis(1), 0))
}
// ANCHOR_END: through_jacobian

/// The same without a Jacobian.
fn through_product<F: Float>(z: &Array2<F>, y: &Array2<F>) -> (F, Array2<F>) {
    let n = F::cast(z.nrows() as f64);
    let y_hat = Softmax.apply(z);
    let loss = -(y * &y_hat.ln()).sum() / n;
    let d_y_hat = -(y / &y_hat) / n;
    let mut d_z = Array2::zeros(z.raw_dim());
    Softmax.backward_into(z, &y_hat, &d_y_hat, &mut d_z);
    (loss, d_z)
}

/// The same as one function of z.
fn fused<F: Float>(z: &Array2<F>, y: &Array2<F>) -> (F, Array2<F>) {
    let n = F::cast(z.nrows() as f64);
    let mut losses = Array1::zeros(z.nrows());
    CategoricalCrossEntropy.fused_values_into(z, y, &mut losses);
    let d_z = (Softmax.apply(z) - y) / n;
    (losses.sum() / n, d_z)
}

// ANCHOR: update
/// v ← μ v − η g, then θ ← θ + v.
fn update<F: Float, D: Dimension>(
    theta: &mut Array<F, D>,
    v: &mut Array<F, D>,
    g: &Array<F, D>,
    flush: bool,
) {
    let next = &*v * F::cast(MOMENTUM) - g * F::cast(RATE);
    *v = if flush { next.mapv(flushed) } else { next };
    *theta = &*theta + &*v;
}
// ANCHOR_END: update

/// Zero for what is too small to matter, by the library's rule.
pub fn flushed<F: Float>(v: F) -> F {
    if v.abs() < F::min_positive_value() / F::epsilon() { F::zero() } else { v }
}

/// Momentum in place, with the comparison or without.
pub fn update_in_place<F: Float, const FLUSH: bool>(
    params: &mut Array1<F>,
    velocity: &mut Array1<F>,
    gradient: &Array1<F>,
) {
    let (rate, momentum) = (F::cast(RATE), F::cast(MOMENTUM));
    Zip::from(params).and(gradient).and(velocity).for_each(|theta, &g, v| {
        let next = momentum * *v - rate * g;
        *v = if FLUSH { flushed(next) } else { next };
        *theta += *v;
    });
}

/// The share of entries that are not zero.
pub fn density<F: Float>(x: &ArrayRef2<F>) -> f64 {
    x.iter().filter(|x| **x != F::zero()).count() as f64 / x.len() as f64
}

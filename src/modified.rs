//! Optimizers whose gradient is changed before each step.
//!
//! | optimizer | instead of g, a step has |
//! |---|---|
//! | [`Clipped`] | g · min(1, c / ‖g‖) |
//! | [`Decayed`] | g + λ θ |
//!
//! The outer one comes first: `Clipped` around `Decayed` leaves the decay whole,
//! as does PyTorch, where gradients are clipped before an optimizer has them.

use ndarray::{Array1, ArrayRef1, Zip};

use crate::error::{Result, setting};
use crate::float::Float;
use crate::optimizer::{Optimizer, prepare, ready};
use crate::part::{Part, State};

/// g ← g · min(1, c / ‖g‖): an optimizer that meets no gradient longer than c.
///
/// The norm is that of all parameters together. PyTorch divides by ‖g‖ + 1e-6,
/// which leaves clipped gradients a little shorter than c.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | largest norm c | | length of the longest gradient | positive, finite |
///
/// Source: Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent
/// neural networks* (2013).
#[derive(Debug)]
pub struct Clipped<F: Float> {
    inner: Box<dyn Optimizer<F>>,
    name: String,
    max_norm: f64,
    gradient: Array1<F>,
}

/// g ← g + λ θ: an optimizer of the loss plus ½ λ ‖θ‖², biases included.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | weight decay λ | | strength of the pull towards zero | at least 0, finite |
///
/// In plain descent at rate η each parameter loses the share η λ of itself in
/// each step. Where steps are divided by the size of the gradients, the decay is
/// divided as well: see [`AdamW`](crate::AdamW).
#[derive(Debug)]
pub struct Decayed<F: Float> {
    inner: Box<dyn Optimizer<F>>,
    name: String,
    weight_decay: f64,
    gradient: Array1<F>,
}

// ANCHOR: Clipped
impl<F: Float> Optimizer<F> for Clipped<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.gradient, parameters)?;
        self.inner.prepare(parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.gradient, params.len());
        // In `f64`, where the squares of an `f32` do not overflow.
        let squares = gradient.iter().map(|g| g.as_f64().powi(2));
        let norm = squares.sum::<f64>().sqrt();
        let share = F::cast((self.max_norm / norm).min(1.0));
        Zip::from(&mut self.gradient)
            .and(gradient)
            .for_each(|clipped, &g| *clipped = share * g);
        self.inner.step(params, &self.gradient);
    }
}
// ANCHOR_END: Clipped

// ANCHOR: Decayed
impl<F: Float> Optimizer<F> for Decayed<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.gradient, parameters)?;
        self.inner.prepare(parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.gradient, params.len());
        let decay = F::cast(self.weight_decay);
        Zip::from(&mut self.gradient)
            .and(gradient)
            .and(&*params)
            .for_each(|sum, &g, &theta| *sum = g + decay * theta);
        self.inner.step(params, &self.gradient);
    }
}
// ANCHOR_END: Decayed

fn check_max_norm(max_norm: f64) -> Result<()> {
    let ok = max_norm > 0.0 && max_norm.is_finite();
    setting("the largest norm", "be positive and finite", max_norm, ok)
}

pub(crate) fn check_weight_decay(weight_decay: f64) -> Result<()> {
    let ok = weight_decay >= 0.0 && weight_decay.is_finite();
    let range = "be finite and at least 0";
    setting("the weight decay", range, weight_decay, ok)
}

impl<F: Float> Clipped<F> {
    /// The optimizer, with gradients up to this norm.
    ///
    /// # Errors
    /// If the largest norm is not positive and finite.
    pub fn new(
        optimizer: impl Optimizer<F> + 'static,
        max_norm: f64,
    ) -> Result<Self> {
        check_max_norm(max_norm)?;
        let name = format!("clipped {}", optimizer.name());
        let (inner, gradient) = (Box::new(optimizer), Array1::zeros(0));
        Ok(Self { inner, name, max_norm, gradient })
    }
}

impl<F: Float> Decayed<F> {
    /// The optimizer, with this weight decay.
    ///
    /// # Errors
    /// If the weight decay is not finite, or negative.
    pub fn new(
        optimizer: impl Optimizer<F> + 'static,
        weight_decay: f64,
    ) -> Result<Self> {
        check_weight_decay(weight_decay)?;
        let name = format!("decayed {}", optimizer.name());
        let (inner, gradient) = (Box::new(optimizer), Array1::zeros(0));
        Ok(Self { inner, name, weight_decay, gradient })
    }
}

impl<F: Float> Part<F> for Clipped<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> State<F> {
        State::default()
            .with_number("max_norm", self.max_norm)
            .with_inner(self.inner.state())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        self.max_norm = state.take_number("max_norm")?;
        check_max_norm(self.max_norm)?;
        self.inner.restore(state.take_inner())?;
        state.finish()
    }
}

impl<F: Float> Part<F> for Decayed<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> State<F> {
        State::default()
            .with_number("weight_decay", self.weight_decay)
            .with_inner(self.inner.state())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        self.weight_decay = state.take_number("weight_decay")?;
        check_weight_decay(self.weight_decay)?;
        self.inner.restore(state.take_inner())?;
        state.finish()
    }
}

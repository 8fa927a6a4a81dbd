//! Adaptive optimizers: every parameter has a rate of its own.
//!
//! Each divides a gradient by the size that the gradients of its parameter have
//! had so far: s gathers their squares, and √s is that size. With parameters θ,
//! gradient g, learning rate η, and s zero at first:
//!
//! | optimizer | update | s is |
//! |---|---|---|
//! | [`AdaGrad`] | s ← s + g², then θ ← θ − η g / (√s + ε) | the sum of all squares |
//! | [`RmsProp`] | s ← β s + (1 − β) g², then θ ← θ − η g / (√s + ε) | an average of squares |
//!
//! # Where ε stands
//!
//! Outside the root, as in PyTorch. A parameter whose gradient has always been
//! zero stays where it is, and one whose gradients are far below ε moves as in
//! plain descent at rate η / ε. It has to be at least 1e-12: in `f32` the square
//! of a gradient below 1e-14 or so no longer counts, and nothing else would
//! bound the step.

use ndarray::{Array1, ArrayRef1, Zip};

use crate::error::{Result, setting};
use crate::float::Float;
use crate::optimizer::{Optimizer, check_rate, flush, prepare, ready};
use crate::part::{Part, State};

/// s ← s + g², then θ ← θ − η g / (√s + ε): rates that only ever fall.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | learning rate η | | length of the first step | positive, finite |
/// | epsilon ε | 1e-10 | keeps the division finite | at least 1e-12, finite |
///
/// Source: Duchi, Hazan, Singer, *Adaptive subgradient methods for online
/// learning and stochastic optimization* (2011), with diagonal matrices; ε is
/// their δ. The default is PyTorch's.
#[derive(Debug, Clone)]
pub struct AdaGrad<F: Float> {
    learning_rate: f64,
    epsilon: f64,
    squares: Array1<F>,
}

/// s ← β s + (1 − β) g², then θ ← θ − η g / (√s + ε): AdaGrad that forgets.
///
/// As s begins at zero and is not corrected, the first step has length η / √(1 −
/// β), several times η.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | learning rate η | | length of a step | positive, finite |
/// | beta β | | how much of the old average is kept | [0, 1) |
/// | epsilon ε | 1e-8 | keeps the division finite | at least 1e-12, finite |
///
/// Source: Tieleman, Hinton, *Lecture 6.5: RMSProp* (2012), with β = 0.9.
/// PyTorch calls β `alpha`, 0.99 unless told otherwise; ε and its place are
/// PyTorch's.
#[derive(Debug, Clone)]
pub struct RmsProp<F: Float> {
    learning_rate: f64,
    beta: f64,
    epsilon: f64,
    squares: Array1<F>,
}

// ANCHOR: AdaGrad
impl<F: Float> Optimizer<F> for AdaGrad<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.squares, parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.squares, params.len());
        let (rate, epsilon) =
            (F::cast(self.learning_rate), F::cast(self.epsilon));
        Zip::from(params).and(gradient).and(&mut self.squares).for_each(
            |theta, &g, s| {
                *s += g * g;
                *theta -= rate * g / (s.sqrt() + epsilon);
            },
        );
    }
}
// ANCHOR_END: AdaGrad

// ANCHOR: RmsProp
impl<F: Float> Optimizer<F> for RmsProp<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.squares, parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.squares, params.len());
        let (rate, epsilon) =
            (F::cast(self.learning_rate), F::cast(self.epsilon));
        let (beta, rest) = (F::cast(self.beta), F::cast(1.0 - self.beta));
        Zip::from(params).and(gradient).and(&mut self.squares).for_each(
            |theta, &g, s| {
                *s = flush(beta * *s + rest * g * g);
                *theta -= rate * g / (s.sqrt() + epsilon);
            },
        );
    }
}
// ANCHOR_END: RmsProp

pub(crate) fn check_beta(name: &'static str, beta: f64) -> Result<()> {
    setting(name, "lie in [0, 1)", beta, (0.0..1.0).contains(&beta))
}

pub(crate) fn check_epsilon(epsilon: f64) -> Result<()> {
    let ok = epsilon >= 1e-12 && epsilon.is_finite();
    setting("epsilon", "be finite and at least 1e-12", epsilon, ok)
}

/// Takes sums or averages of squares out of a state.
pub(crate) fn take_squares<F: Float>(
    state: &mut State<F>,
) -> Result<Array1<F>> {
    let squares = state.take_vector("squares")?;
    if let Some(bad) = squares.iter().find(|s| s.is_nan() || **s < F::zero()) {
        setting("each of the squares", "be at least 0", bad.as_f64(), false)?;
    }
    Ok(squares)
}

impl<F: Float> AdaGrad<F> {
    /// The optimizer at rest, with the given learning rate.
    ///
    /// # Errors
    /// If the learning rate is not positive and finite.
    pub fn new(learning_rate: f64) -> Result<Self> {
        check_rate(learning_rate)?;
        Ok(Self { learning_rate, epsilon: 1e-10, squares: Array1::zeros(0) })
    }

    /// The same with another epsilon.
    ///
    /// # Errors
    /// If epsilon is not finite, or less than 1e-12.
    pub fn with_epsilon(self, epsilon: f64) -> Result<Self> {
        check_epsilon(epsilon)?;
        Ok(Self { epsilon, ..self })
    }
}

impl<F: Float> RmsProp<F> {
    /// The optimizer at rest, with the given learning rate and beta.
    ///
    /// # Errors
    /// If the learning rate is not positive and finite, or beta not in [0, 1).
    pub fn new(learning_rate: f64, beta: f64) -> Result<Self> {
        check_rate(learning_rate)?;
        check_beta("beta", beta)?;
        let squares = Array1::zeros(0);
        Ok(Self { learning_rate, beta, epsilon: 1e-8, squares })
    }

    /// The same with another epsilon.
    ///
    /// # Errors
    /// If epsilon is not finite, or less than 1e-12.
    pub fn with_epsilon(self, epsilon: f64) -> Result<Self> {
        check_epsilon(epsilon)?;
        Ok(Self { epsilon, ..self })
    }
}

impl<F: Float> Part<F> for AdaGrad<F> {
    fn name(&self) -> &str {
        "adagrad"
    }

    fn state(&self) -> State<F> {
        State::default()
            .with_number("learning_rate", self.learning_rate)
            .with_number("epsilon", self.epsilon)
            .with_vector("squares", self.squares.clone())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        *self = Self::new(state.take_number("learning_rate")?)?
            .with_epsilon(state.take_number("epsilon")?)?;
        self.squares = take_squares(&mut state)?;
        state.finish()
    }
}

impl<F: Float> Part<F> for RmsProp<F> {
    fn name(&self) -> &str {
        "rmsprop"
    }

    fn state(&self) -> State<F> {
        State::default()
            .with_number("learning_rate", self.learning_rate)
            .with_number("beta", self.beta)
            .with_number("epsilon", self.epsilon)
            .with_vector("squares", self.squares.clone())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        let rate = state.take_number("learning_rate")?;
        *self = Self::new(rate, state.take_number("beta")?)?
            .with_epsilon(state.take_number("epsilon")?)?;
        self.squares = take_squares(&mut state)?;
        state.finish()
    }
}

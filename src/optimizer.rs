//! Optimizers: how a gradient becomes a step.
//!
//! With parameters θ, gradient g, learning rate η, and velocity v (zero at
//! first):
//!
//! | optimizer | update | the velocity is |
//! |---|---|---|
//! | [`GradientDescent`] | θ ← θ − η g | |
//! | [`Momentum`] | v ← μ v − η g, then θ ← θ + v | the last step |
//! | [`MovingAverage`] | v ← β v + (1 − β) g, then θ ← θ − η v | an average of gradients |
//! | [`Nesterov`] | v ← μ v − η g, then θ ← θ + μ v − η g | the last step, looked ahead |
//!
//! A moving average at rate η takes the very steps of momentum μ = β at rate (1
//! − β) η.

use ndarray::{Array1, ArrayRef1, Zip};

use crate::error::{Error, Result, setting};
use crate::float::Float;
use crate::part::{Part, State};

// ANCHOR: Optimizer
/// Turns gradients into steps.
pub trait Optimizer<F: Float>: Part<F> {
    /// Makes ready for this many parameters, so that no step needs to allocate.
    ///
    /// # Errors
    /// If the optimizer has gathered state for another number of parameters.
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        let _ = parameters;
        Ok(())
    }

    /// Takes one step, in place.
    ///
    /// # Shapes
    /// `params` and `gradient`: (p)
    ///
    /// # Panics
    /// If p changes from one step to the next.
    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>);
}
// ANCHOR_END: Optimizer

/// θ ← θ − η g.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | learning rate η | | length of a step | positive, finite |
#[derive(Debug, Clone)]
pub struct GradientDescent {
    learning_rate: f64,
}

/// v ← μ v − η g, then θ ← θ + v: the heavy ball.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | learning rate η | | length of a step | positive, finite |
/// | momentum μ | | how much of the last step is kept | [0, 1) |
///
/// Source: Polyak, *Some methods of speeding up the convergence of iteration
/// methods* (1964).
#[derive(Debug, Clone)]
pub struct Momentum<F: Float> {
    learning_rate: f64,
    momentum: f64,
    velocity: Array1<F>,
}

/// v ← β v + (1 − β) g, then θ ← θ − η v: steps along an average of the
/// gradients.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | learning rate η | | length of a step | positive, finite |
/// | momentum β | | how much of the old average is kept | [0, 1) |
#[derive(Debug, Clone)]
pub struct MovingAverage<F: Float> {
    learning_rate: f64,
    momentum: f64,
    velocity: Array1<F>,
}

/// v ← μ v − η g, then θ ← θ + μ v − η g: momentum that looks one step ahead.
///
/// The gradient is taken at the point that is handed in: the parameters are
/// the points ahead.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | learning rate η | | length of a step | positive, finite |
/// | momentum μ | | how much of the last step is kept | [0, 1) |
///
/// Source: Sutskever, Martens, Dahl, Hinton, *On the importance of
/// initialization and momentum in deep learning* (2013); the points ahead are
/// kept as in Bengio, Boulanger-Lewandowski, Pascanu, *Advances in optimizing
/// recurrent networks* (2013).
#[derive(Debug, Clone)]
pub struct Nesterov<F: Float> {
    learning_rate: f64,
    momentum: f64,
    velocity: Array1<F>,
}

// ANCHOR: GradientDescent
impl<F: Float> Optimizer<F> for GradientDescent {
    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        params.scaled_add(-F::cast(self.learning_rate), gradient);
    }
}
// ANCHOR_END: GradientDescent

// ANCHOR: Momentum
impl<F: Float> Optimizer<F> for Momentum<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.velocity, parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.velocity, params.len());
        let (rate, momentum) =
            (F::cast(self.learning_rate), F::cast(self.momentum));
        Zip::from(&mut self.velocity)
            .and(gradient)
            .for_each(|v, &g| *v = flush(momentum * *v - rate * g));
        // A second pass: parameters that another thread has read are claimed
        // back from it sooner if nothing else is written in between.
        params.zip_mut_with(&self.velocity, |theta, &v| *theta += v);
    }
}
// ANCHOR_END: Momentum

// ANCHOR: MovingAverage
impl<F: Float> Optimizer<F> for MovingAverage<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.velocity, parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.velocity, params.len());
        let (rate, beta) =
            (F::cast(self.learning_rate), F::cast(self.momentum));
        Zip::from(&mut self.velocity)
            .and(gradient)
            .for_each(|v, &g| *v = flush(beta * *v + (F::one() - beta) * g));
        params.scaled_add(-rate, &self.velocity);
    }
}
// ANCHOR_END: MovingAverage

// ANCHOR: Nesterov
impl<F: Float> Optimizer<F> for Nesterov<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.velocity, parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.velocity, params.len());
        let (rate, momentum) =
            (F::cast(self.learning_rate), F::cast(self.momentum));
        Zip::from(&mut self.velocity)
            .and(gradient)
            .for_each(|v, &g| *v = flush(momentum * *v - rate * g));
        Zip::from(params)
            .and(gradient)
            .and(&self.velocity)
            .for_each(|theta, &g, &v| *theta += momentum * v - rate * g);
    }
}
// ANCHOR_END: Nesterov

// An optimizer that was chosen at run time is an optimizer.
impl<F: Float, O: Optimizer<F> + ?Sized> Optimizer<F> for Box<O> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        (**self).prepare(parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        (**self).step(params, gradient);
    }
}

// ANCHOR: flush
/// Zero for what is too small to matter.
///
/// An average of gradients that stay zero shrinks for ever. Below the smallest
/// normal number many processors take several times as long to compute with it,
/// others no longer than usual. The threshold lies a factor 1/ε above, about
/// 1e-31 in `f32`, so that products with a rate or a momentum stay normal too.
pub(crate) fn flush<F: Float>(v: F) -> F {
    if v.abs() < F::min_positive_value() / F::epsilon() { F::zero() } else { v }
}
// ANCHOR_END: flush

/// A velocity, or another such memory, of the right length: zero if there is
/// none yet.
pub(crate) fn prepare<F: Float>(
    memory: &mut Array1<F>,
    parameters: usize,
) -> Result<()> {
    if memory.is_empty() {
        *memory = Array1::zeros(parameters);
    }
    let found = memory.len();
    if found == parameters {
        Ok(())
    } else {
        Err(Error::OtherNetwork { expected: parameters, found })
    }
}

pub(crate) fn ready<F: Float>(memory: &mut Array1<F>, parameters: usize) {
    if let Err(error) = prepare(memory, parameters) {
        panic!("{error}");
    }
}

pub(crate) fn check_rate(learning_rate: f64) -> Result<()> {
    let ok = learning_rate > 0.0 && learning_rate.is_finite();
    setting("the learning rate", "be positive and finite", learning_rate, ok)
}

impl GradientDescent {
    /// Gradient descent with the given learning rate.
    ///
    /// # Errors
    /// If the learning rate is not positive and finite.
    pub fn new(learning_rate: f64) -> Result<Self> {
        check_rate(learning_rate)?;
        Ok(Self { learning_rate })
    }
}

impl<F: Float> Part<F> for GradientDescent {
    fn name(&self) -> &str {
        "gradient_descent"
    }

    fn state(&self) -> State<F> {
        State::default().with_number("learning_rate", self.learning_rate)
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        *self = Self::new(state.take_number("learning_rate")?)?;
        state.finish()
    }
}

/// What the three optimizers with a velocity have in common: two settings and
/// the velocity.
macro_rules! with_velocity {
    ($($optimizer:ident => $name:literal),*) => {$(
        impl<F: Float> $optimizer<F> {
            /// The optimizer at rest, with the given learning rate and
            /// momentum.
            ///
            /// # Errors
            /// If the learning rate is not positive and finite, or the momentum
            /// not in [0, 1).
            pub fn new(learning_rate: f64, momentum: f64) -> Result<Self> {
                check_rate(learning_rate)?;
                setting("the momentum", "lie in [0, 1)", momentum, (0.0..1.0).contains(&momentum))?;
                Ok(Self { learning_rate, momentum, velocity: Array1::zeros(0) })
            }

            /// The velocity: empty before the first step.
            ///
            /// # Shapes
            /// (p)
            pub fn velocity(&self) -> &ArrayRef1<F> {
                &self.velocity
            }
        }

        impl<F: Float> Part<F> for $optimizer<F> {
            fn name(&self) -> &str {
                $name
            }

            fn state(&self) -> State<F> {
                State::default()
                    .with_number("learning_rate", self.learning_rate)
                    .with_number("momentum", self.momentum)
                    .with_vector("velocity", self.velocity.clone())
            }

            fn restore(&mut self, mut state: State<F>) -> Result<()> {
                *self =
                    Self::new(state.take_number("learning_rate")?, state.take_number("momentum")?)?;
                self.velocity = state.take_vector("velocity")?;
                state.finish()
            }
        }
    )*};
}

with_velocity!(
    Momentum => "momentum",
    MovingAverage => "moving_average",
    Nesterov => "nesterov"
);

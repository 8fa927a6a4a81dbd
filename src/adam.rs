//! Adam: momentum, and a rate of its own for every parameter.
//!
//! With parameters θ, gradient g, learning rate η, and v and s zero at first:
//!
//! | optimizer | update |
//! |---|---|
//! | [`Adam`] | v ← β₁ v + (1 − β₁) g and s ← β₂ s + (1 − β₂) g², then θ ← θ − η v̂ / (√ŝ + ε) |
//! | [`AdamW`] | θ ← θ − η λ θ, then as Adam |
//!
//! After t steps the averages v and s have weights that sum to 1 − β₁ᵗ and 1 −
//! β₂ᵗ, and not yet to 1: v̂ = v / (1 − β₁ᵗ) and ŝ = s / (1 − β₂ᵗ) correct this
//! bias towards zero. ε stands outside the root and is added after the
//! correction, as in PyTorch.

use ndarray::{Array1, ArrayRef1, Zip};

use crate::adaptive::{check_beta, check_epsilon, take_squares};
use crate::error::{Result, setting};
use crate::float::Float;
use crate::modified::check_weight_decay;
use crate::optimizer::{Optimizer, check_rate, flush, prepare, ready};
use crate::part::{Part, State};

/// v ← β₁ v + (1 − β₁) g and s ← β₂ s + (1 − β₂) g², then θ ← θ − η v̂ / (√ŝ +
/// ε), with v̂ = v / (1 − β₁ᵗ) and ŝ = s / (1 − β₂ᵗ) in step t = 1, 2, …
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | learning rate η | | length of the first step | positive, finite |
/// | beta1 β₁ | 0.9 | how much of the old average of gradients is kept | [0, 1) |
/// | beta2 β₂ | 0.999 | how much of the old average of squares is kept | [0, 1) |
/// | epsilon ε | 1e-8 | keeps the division finite | at least 1e-12, finite |
///
/// Source: Kingma, Ba, *Adam: a method for stochastic optimization* (2015),
/// algorithm 1, with v and s for their m and v. PyTorch computes the same, with
/// the same defaults.
///
/// ```
/// use gradus::{Adam, Optimizer};
/// use ndarray::{Array1, array};
///
/// let mut adam = Adam::new(0.001)?.with_betas(0.9, 0.99)?;
/// let mut params: Array1<f64> = array![1.0, 1.0];
/// adam.step(&mut params, &array![1000.0, -0.01]);
/// // The first step has length η, whatever the gradient.
/// assert!((params[0] - 0.999).abs() < 1e-8);
/// assert!((params[1] - 1.001).abs() < 1e-8);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Adam<F: Float> {
    learning_rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    steps: f64,
    velocity: Array1<F>,
    squares: Array1<F>,
}

/// θ ← θ − η λ θ, then as [`Adam`]: weight decay that is not part of the
/// gradient.
///
/// Added to the gradient, λ θ would be divided by √ŝ as well: the weights with
/// the largest gradients would decay least.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | learning rate η, β₁, β₂, ε | as Adam's | | |
/// | weight decay λ | | η λ is the share of itself that a parameter loses in each step | at least 0, finite |
///
/// All parameters decay, biases too.
///
/// Source: Loshchilov, Hutter, *Decoupled weight decay regularization* (2019),
/// algorithm 2. There the decay is not multiplied by the learning rate, only by
/// a schedule; here it is multiplied by η, as in PyTorch.
#[derive(Debug, Clone)]
pub struct AdamW<F: Float> {
    adam: Adam<F>,
    weight_decay: f64,
}

// ANCHOR: Adam
impl<F: Float> Optimizer<F> for Adam<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.velocity, parameters)?;
        prepare(&mut self.squares, parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.velocity, params.len());
        ready(&mut self.squares, params.len());
        self.steps += 1.0;
        let (rate, epsilon) =
            (F::cast(self.learning_rate), F::cast(self.epsilon));
        // In `f64`: a beta near 1 has few digits of 1 − β left in `f32`.
        let weights = |beta: f64| {
            let sum = 1.0 - beta.powf(self.steps);
            (F::cast(beta), F::cast(1.0 - beta), F::cast(sum))
        };
        let (beta1, rest1, sum1) = weights(self.beta1);
        let (beta2, rest2, sum2) = weights(self.beta2);
        Zip::from(params)
            .and(gradient)
            .and(&mut self.velocity)
            .and(&mut self.squares)
            .for_each(|theta, &g, v, s| {
                *v = flush(beta1 * *v + rest1 * g);
                *s = flush(beta2 * *s + rest2 * g * g);
                let (v_hat, s_hat) = (*v / sum1, *s / sum2);
                *theta -= rate * v_hat / (s_hat.sqrt() + epsilon);
            });
    }
}
// ANCHOR_END: Adam

// ANCHOR: AdamW
impl<F: Float> Optimizer<F> for AdamW<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        self.adam.prepare(parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        let kept = 1.0 - self.adam.learning_rate * self.weight_decay;
        params.mapv_inplace(|theta| F::cast(kept) * theta);
        self.adam.step(params, gradient);
    }
}
// ANCHOR_END: AdamW

impl<F: Float> Adam<F> {
    /// The optimizer at rest, with the given learning rate.
    ///
    /// # Errors
    /// If the learning rate is not positive and finite.
    pub fn new(learning_rate: f64) -> Result<Self> {
        check_rate(learning_rate)?;
        Ok(Self {
            learning_rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            steps: 0.0,
            velocity: Array1::zeros(0),
            squares: Array1::zeros(0),
        })
    }

    /// The same with other betas.
    ///
    /// # Errors
    /// If one of them is not in [0, 1).
    pub fn with_betas(self, beta1: f64, beta2: f64) -> Result<Self> {
        check_beta("beta1", beta1)?;
        check_beta("beta2", beta2)?;
        Ok(Self { beta1, beta2, ..self })
    }

    /// The same with another epsilon.
    ///
    /// # Errors
    /// If epsilon is not finite, or less than 1e-12.
    pub fn with_epsilon(self, epsilon: f64) -> Result<Self> {
        check_epsilon(epsilon)?;
        Ok(Self { epsilon, ..self })
    }

    /// The same with decoupled weight decay.
    ///
    /// # Errors
    /// If the weight decay is not finite, or negative.
    pub fn with_weight_decay(self, weight_decay: f64) -> Result<AdamW<F>> {
        check_weight_decay(weight_decay)?;
        Ok(AdamW { adam: self, weight_decay })
    }
}

impl<F: Float> AdamW<F> {
    /// The optimizer at rest, with the given learning rate and weight decay; for
    /// other settings, see [`Adam::with_weight_decay`].
    ///
    /// # Errors
    /// If the learning rate is not positive and finite, or the weight decay not
    /// finite, or negative.
    pub fn new(learning_rate: f64, weight_decay: f64) -> Result<Self> {
        Adam::new(learning_rate)?.with_weight_decay(weight_decay)
    }
}

impl<F: Float> Part<F> for Adam<F> {
    fn name(&self) -> &str {
        "adam"
    }

    fn state(&self) -> State<F> {
        State::default()
            .with_number("learning_rate", self.learning_rate)
            .with_number("beta1", self.beta1)
            .with_number("beta2", self.beta2)
            .with_number("epsilon", self.epsilon)
            .with_number("steps", self.steps)
            .with_vector("velocity", self.velocity.clone())
            .with_vector("squares", self.squares.clone())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        let beta1 = state.take_number("beta1")?;
        *self = Self::new(state.take_number("learning_rate")?)?
            .with_betas(beta1, state.take_number("beta2")?)?
            .with_epsilon(state.take_number("epsilon")?)?;
        self.steps = state.take_number("steps")?;
        let ok = self.steps >= 0.0 && self.steps.fract() == 0.0;
        let range = "be a whole number, at least 0";
        setting("the number of steps", range, self.steps, ok)?;
        self.velocity = state.take_vector("velocity")?;
        self.squares = take_squares(&mut state)?;
        state.finish()
    }
}

impl<F: Float> Part<F> for AdamW<F> {
    fn name(&self) -> &str {
        "adamw"
    }

    fn state(&self) -> State<F> {
        self.adam.state().with_number("weight_decay", self.weight_decay)
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        self.weight_decay = state.take_number("weight_decay")?;
        check_weight_decay(self.weight_decay)?;
        self.adam.restore(state)
    }
}

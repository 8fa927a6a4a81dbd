//! Schedules: learning rates that change from step to step.
//!
//! With t steps done, the learning rate η is multiplied by
//!
//! | schedule | factor |
//! |---|---|
//! | [`Schedule::Step`] | γ^⌊t / every⌋ |
//! | [`Schedule::Cosine`] | (1 + cos(π t / T)) / 2, and 0 from T on |
//! | [`Schedule::WarmUp`] | (t + 1) / T, and 1 from T on |
//! | [`Schedule::OneCycle`] | half a cosine up from 1 / 25 to 1, reached with t = peak, and half a cosine down to 4e-6, reached with t = T − 1 |
//!
//! [`Scheduled`] multiplies the whole step of an optimizer by the factor: if the
//! optimizer alone goes from θ to θ′, both together go to θ plus the factor
//! times θ′ − θ. What the optimizer gathers is not multiplied, nor is it in
//! PyTorch: with momentum, a rate that falls shortens the step at once, and not
//! only as the velocity forgets.

use std::f64::consts::PI;

use ndarray::{Array1, ArrayRef1, Zip};

use crate::error::{Result, setting};
use crate::float::Float;
use crate::optimizer::{Optimizer, prepare, ready};
use crate::part::{Part, State};

/// How a learning rate changes; steps are batches, not epochs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The rate is multiplied by `factor`, in (0, 1], after every so many steps.
    Step {
        /// How many steps have the same rate; 1 or more.
        every: usize,
        /// What the rate is multiplied by.
        factor: f64,
    },
    /// Half a cosine, from the full rate to 0. Source: Loshchilov, Hutter,
    /// *SGDR: stochastic gradient descent with warm restarts* (2017), without
    /// the restarts.
    Cosine {
        /// How many steps there will be; 1 or more.
        steps: usize,
    },
    /// A straight line up to the full rate. Source: Goyal and others, *Accurate,
    /// large minibatch SGD: training ImageNet in 1 hour* (2017).
    WarmUp {
        /// The first step with the full rate, counted from 1; 1 or more.
        steps: usize,
    },
    /// Up and down. Source: Smith, Topin, *Super-convergence: very fast training
    /// of neural networks using large learning rates* (2019), with cosines and
    /// ends as PyTorch has them, and a momentum that stays.
    OneCycle {
        /// How many steps there will be; at least `peak` + 2.
        steps: usize,
        /// After how many steps the full rate is reached; 1 or more.
        peak: usize,
    },
}

impl Schedule {
    // ANCHOR: factor
    /// What the learning rate is multiplied by when so many steps are done.
    pub fn factor(&self, done: usize) -> f64 {
        let t = done as f64;
        // From 1 down to 0, as x goes from 0 to 1.
        let cosine = |x: f64| (1.0 + (PI * x.min(1.0)).cos()) / 2.0;
        match *self {
            Self::Step { every, factor } => {
                factor.powf((done / every.max(1)) as f64)
            }
            Self::Cosine { steps } => cosine(t / steps as f64),
            Self::WarmUp { steps } => ((t + 1.0) / steps as f64).min(1.0),
            Self::OneCycle { steps, peak } => {
                let (first, last) = (1.0 / 25.0, 1.0 / 25e4);
                let (top, end) = (peak as f64, steps as f64 - 1.0);
                if t <= top {
                    1.0 - (1.0 - first) * cosine(t / top)
                } else {
                    last + (1.0 - last) * cosine((t - top) / (end - top))
                }
            }
        }
    }
    // ANCHOR_END: factor

    /// The word before the name of the optimizer whose rate it changes.
    fn word(&self) -> &'static str {
        match self {
            Self::Step { .. } => "step",
            Self::Cosine { .. } => "cosine",
            Self::WarmUp { .. } => "warm_up",
            Self::OneCycle { .. } => "one_cycle",
        }
    }

    /// A schedule with this word, and any settings in range.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let all = [
            Self::Step { every: 1, factor: 1.0 },
            Self::Cosine { steps: 1 },
            Self::WarmUp { steps: 1 },
            Self::OneCycle { steps: 3, peak: 1 },
        ];
        all.into_iter().find(|schedule| schedule.word() == word)
    }

    fn check(&self) -> Result<()> {
        let at_least = |name, range, least: usize, value: usize| {
            setting(name, range, value as f64, value >= least)
        };
        let (steps_of, one) =
            ("the number of steps of the schedule", "be at least 1");
        match *self {
            Self::Step { every, factor } => {
                at_least("the number of steps at one rate", one, 1, every)?;
                let ok = factor > 0.0 && factor <= 1.0;
                setting(
                    "the factor of the schedule",
                    "lie in (0, 1]",
                    factor,
                    ok,
                )
            }
            Self::Cosine { steps } | Self::WarmUp { steps } => {
                at_least(steps_of, one, 1, steps)
            }
            Self::OneCycle { steps, peak } => {
                at_least("the peak of the schedule", one, 1, peak)?;
                let range = "be at least 2 more than its peak";
                at_least(steps_of, range, peak.saturating_add(2), steps)
            }
        }
    }

    fn state<F: Float>(&self) -> State<F> {
        let state = State::default();
        match *self {
            Self::Step { every, factor } => state
                .with_number("every", every as f64)
                .with_number("factor", factor),
            Self::Cosine { steps } | Self::WarmUp { steps } => {
                state.with_number("steps", steps as f64)
            }
            Self::OneCycle { steps, peak } => state
                .with_number("steps", steps as f64)
                .with_number("peak", peak as f64),
        }
    }

    /// The same kind of schedule, with the settings in a state.
    fn restored<F: Float>(mut self, state: &mut State<F>) -> Result<Self> {
        match &mut self {
            Self::Step { every, factor } => {
                *every = take_count(state, "every")?;
                *factor = state.take_number("factor")?;
            }
            Self::Cosine { steps } | Self::WarmUp { steps } => {
                *steps = take_count(state, "steps")?;
            }
            Self::OneCycle { steps, peak } => {
                *steps = take_count(state, "steps")?;
                *peak = take_count(state, "peak")?;
            }
        }
        self.check()?;
        Ok(self)
    }
}

/// Takes a number of steps out of a state.
fn take_count<F: Float>(state: &mut State<F>, name: &str) -> Result<usize> {
    let count = state.take_number(name)?;
    // All of them are exact as `f64`s.
    let ok = (0.0..=2f64.powi(53)).contains(&count) && count.fract() == 0.0;
    let range = "be a whole number from 0 to 2^53";
    setting("each number of steps in a schedule", range, count, ok)?;
    Ok(count as usize)
}

/// An optimizer whose learning rate follows a schedule.
///
/// ```
/// use gradus::{Adam, Schedule, Scheduled};
///
/// let cosine = Schedule::Cosine { steps: 1000 };
/// let adam = Scheduled::<f32>::new(Adam::new(0.001)?, cosine)?;
/// // Schedules multiply: first up, then down.
/// let warm_up = Schedule::WarmUp { steps: 50 };
/// let adam = Scheduled::new(adam, warm_up)?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug)]
pub struct Scheduled<F: Float> {
    inner: Box<dyn Optimizer<F>>,
    name: String,
    schedule: Schedule,
    done: usize,
    before: Array1<F>,
}

// ANCHOR: Scheduled
impl<F: Float> Optimizer<F> for Scheduled<F> {
    fn prepare(&mut self, parameters: usize) -> Result<()> {
        prepare(&mut self.before, parameters)?;
        self.inner.prepare(parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        ready(&mut self.before, params.len());
        self.before.assign(params);
        self.inner.step(params, gradient);
        let factor = F::cast(self.schedule.factor(self.done));
        Zip::from(params).and(&self.before).for_each(|theta, &before| {
            *theta = before + factor * (*theta - before);
        });
        self.done += 1;
    }
}
// ANCHOR_END: Scheduled

impl<F: Float> Scheduled<F> {
    /// The optimizer, and a schedule that begins with its next step. The
    /// learning rate of the optimizer is the full rate.
    ///
    /// # Errors
    /// If a setting of the schedule is out of range.
    pub fn new(
        optimizer: impl Optimizer<F> + 'static,
        schedule: Schedule,
    ) -> Result<Self> {
        schedule.check()?;
        let name = format!("{} {}", schedule.word(), optimizer.name());
        let inner = Box::new(optimizer);
        Ok(Self { inner, name, schedule, done: 0, before: Array1::zeros(0) })
    }
}

impl<F: Float> Part<F> for Scheduled<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> State<F> {
        let state = self.schedule.state();
        state
            .with_number("done", self.done as f64)
            .with_inner(self.inner.state())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        self.schedule = self.schedule.restored(&mut state)?;
        self.done = take_count(&mut state, "done")?;
        self.inner.restore(state.take_inner())?;
        state.finish()
    }
}

//! The error of a difference, against its step.

use gradus::check::Check;
use gradus::{Activation, Sigmoid};
use ndarray::array;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

// ANCHOR: forward
/// (f(x + h) − f(x)) / h
pub fn forward(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    // The step that was really taken: rounding may have changed h.
    let right = x + h;
    (f(right) - f(x)) / (right - x)
}
// ANCHOR_END: forward

/// (f(x + h) − f(x − h)) / 2h, as the library's gradient check computes it. It multiplies the
/// step by |x| where that is above 1; here it is not.
pub fn central(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    let check = Check { step: h, ..Check::default() };
    let verdict = check.gradient(|x| f(x[0]), &array![x], &array![0.0]);
    verdict.expect("one coordinate, one derivative").measured
}

/// Steps, and the error that each leads to.
pub struct Errors {
    /// The steps, from large to small.
    pub steps: Vec<f64>,
    /// The largest error of a hundred differences with about this step.
    pub errors: Vec<f64>,
}

impl Errors {
    /// Differences of the sigmoid at x, with steps from 0.1 to 1e-12.
    pub fn measure(
        difference: impl Fn(fn(f64) -> f64, f64, f64) -> f64,
        x: f64,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let steps: Vec<f64> = (4..=48).map(|k| 10_f64.powf(-f64::from(k) / 4.0)).collect();
        let mut error = |step: f64| {
            let h = step * (0.9 + 0.2 * rng.random::<f64>());
            (difference(|x| Sigmoid.value(x), x, h) - Sigmoid.derivative(x)).abs()
        };
        let mut worst = |&step: &f64| (0..100).map(|_| error(step)).fold(0.0, f64::max);
        let errors = steps.iter().map(&mut worst).collect();
        Self { steps, errors }
    }

    /// The step with the smallest error, and that error.
    pub fn best(&self) -> (f64, f64) {
        let pairs = self.steps.iter().copied().zip(self.errors.iter().copied());
        pairs.min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are steps")
    }
}

/// What is to be expected: the error as a function of the step, and where it is least.
pub struct Expected {
    f: f64,
    second: f64,
    third: f64,
}

impl Expected {
    /// For the sigmoid at x: |f|, |f″| and |f‴|.
    pub fn new(x: f64) -> Self {
        let s: f64 = Sigmoid.value(x);
        let slope: f64 = Sigmoid.derivative(x);
        let second = slope * (1.0 - 2.0 * s);
        let third = slope * (1.0 - 6.0 * s + 6.0 * s * s);
        Self { f: s, second: second.abs(), third: third.abs() }
    }

    /// h/2 |f″| + ε |f| / h
    pub fn forward(&self, h: f64) -> f64 {
        h / 2.0 * self.second + f64::EPSILON * self.f / h
    }

    /// h²/6 |f‴| + ε |f| / 2h
    pub fn central(&self, h: f64) -> f64 {
        h * h / 6.0 * self.third + f64::EPSILON * self.f / (2.0 * h)
    }

    /// √(2 ε |f| / |f″|)
    pub fn best_forward(&self) -> f64 {
        (2.0 * f64::EPSILON * self.f / self.second).sqrt()
    }

    /// ∛(3 ε |f| / 2 |f‴|)
    pub fn best_central(&self) -> f64 {
        (1.5 * f64::EPSILON * self.f / self.third).cbrt()
    }
}

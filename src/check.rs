//! Gradient checking: a derivative that was worked out against one that was
//! measured.
//!
//! The check knows nothing of networks. It is given a function, a point, and
//! the gradient that somebody derived, and compares the gradient with central
//! differences:
//!
//! ```text
//! ∂f/∂xᵢ ≈ (f(x + h eᵢ) − f(x − h eᵢ)) / 2h
//! ```
//!
//! It computes in `f64`: in `f32` the differences lose so many digits that a
//! wrong factor of 1.01 would pass.
//!
//! ```
//! use gradus::check::Check;
//! use ndarray::array;
//!
//! let f = |x: &ndarray::ArrayRef1<f64>| x[0] * x[0] * x[1];
//! let at = array![3.0, -2.0];
//! assert!(Check::default().gradient(f, &at, &array![-12.0, 9.0])?.passed);
//!
//! let verdict = Check::default().gradient(f, &at, &array![-12.0, 9.1])?;
//! assert!(!verdict.passed);
//! assert_eq!(verdict.worst, 1);
//! # Ok::<(), gradus::Error>(())
//! ```

use std::fmt;

use ndarray::{Array1, ArrayRef1};
use rand_distr::{Distribution, StandardNormal};

use crate::error::{Error, Result, shape};

/// How to compare: passed where `|derived − measured| ≤ absolute + relative ·
/// max(|derived|, |measured|)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// The step h, as a fraction of `max(1, |xᵢ|)`.
    ///
    /// The default, the cube root of the machine epsilon, balances the two
    /// errors of a central difference: the one of the formula, which grows as
    /// h², and the one of rounding, which grows as 1/h.
    pub step: f64,
    /// The tolerance in proportion to the larger of the two derivatives.
    pub relative: f64,
    /// The tolerance that remains where both derivatives are tiny.
    pub absolute: f64,
}

impl Default for Check {
    fn default() -> Self {
        Self { step: f64::EPSILON.cbrt(), relative: 1e-6, absolute: 1e-8 }
    }
}

/// What a check found: the coordinate (or direction) that fits least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Whether every derivative that was compared is within the tolerance.
    pub passed: bool,
    /// The index of the worst coordinate or direction.
    pub worst: usize,
    /// The derivative there that was handed in.
    pub derived: f64,
    /// The derivative there that was measured.
    pub measured: f64,
    /// The relative error there: `|derived − measured| / max(|derived|,
    /// |measured|)`.
    pub error: f64,
    /// How many coordinates or directions were compared.
    pub compared: usize,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, worst, derived, measured, error, compared } = self;
        let verdict = if *passed { "passed" } else { "FAILED" };
        write!(
            f,
            "{verdict}: worst of {compared} is number {worst}, derived {derived:.9e}, \
             measured {measured:.9e}, relative error {error:.1e}"
        )
    }
}

impl Check {
    // ANCHOR: gradient
    /// Compares every coordinate of `gradient` with a central difference of
    /// `f`.
    ///
    /// # Shapes
    /// `at` and `gradient`: (p), p at least 1. `f` is called 2p times.
    ///
    /// # Errors
    /// If the shapes differ, or p is 0.
    pub fn gradient(
        &self,
        mut f: impl FnMut(&ArrayRef1<f64>) -> f64,
        at: &ArrayRef1<f64>,
        gradient: &ArrayRef1<f64>,
    ) -> Result<Verdict> {
        non_empty_pair(at, gradient)?;
        let mut x = at.to_owned();
        let pairs = (0..at.len()).map(|i| {
            let h = self.step * at[i].abs().max(1.0);
            let (right, left) = (at[i] + h, at[i] - h);
            x[i] = right;
            let above = f(&x);
            x[i] = left;
            let below = f(&x);
            x[i] = at[i];
            // The step that was really taken: rounding may have changed h.
            (gradient[i], (above - below) / (right - left))
        });
        Ok(self.verdict(pairs))
    }
    // ANCHOR_END: gradient

    /// Compares the slope of `f` along random unit directions with what
    /// `gradient` says it is.
    ///
    /// For networks with many parameters: each direction costs two calls of
    /// `f`, however long the vector, and sees an error in any coordinate.
    ///
    /// # Shapes
    /// `at` and `gradient`: (p), p at least 1.
    ///
    /// # Errors
    /// If the shapes differ, p is 0, or no direction is asked for.
    pub fn directions(
        &self,
        mut f: impl FnMut(&ArrayRef1<f64>) -> f64,
        at: &ArrayRef1<f64>,
        gradient: &ArrayRef1<f64>,
        directions: usize,
        rng: &mut impl rand::Rng,
    ) -> Result<Verdict> {
        non_empty_pair(at, gradient)?;
        if directions == 0 {
            return Err(Error::Empty { what: "the list of directions" });
        }
        let pairs = (0..directions).map(|_| {
            let draw = || StandardNormal.sample(&mut *rng);
            let direction: Array1<f64> =
                Array1::from_iter(std::iter::repeat_with(draw).take(at.len()));
            let u: Array1<f64> = &direction / direction.dot(&direction).sqrt();
            let h =
                self.step * at.iter().fold(1.0, |max: f64, x| max.max(x.abs()));
            let above = f(&(&u * h + at));
            let below = f(&(&u * -h + at));
            (u.dot(gradient), (above - below) / (2.0 * h))
        });
        Ok(self.verdict(pairs))
    }

    /// The verdict over pairs (derived, measured): the pair that uses up most
    /// of its tolerance.
    fn verdict(&self, pairs: impl Iterator<Item = (f64, f64)>) -> Verdict {
        let mut worst = Verdict {
            passed: true,
            worst: 0,
            derived: f64::NAN,
            measured: f64::NAN,
            error: 0.0,
            compared: 0,
        };
        let mut most_used = f64::NEG_INFINITY;
        for (i, (derived, measured)) in pairs.enumerate() {
            let size = derived.abs().max(measured.abs());
            let difference = (derived - measured).abs();
            let used = difference / (self.absolute + self.relative * size);
            // A NaN compares as false with everything: it must fail, and be the
            // worst.
            let fits = used <= 1.0;
            let used = if used.is_nan() { f64::INFINITY } else { used };
            if used > most_used {
                most_used = used;
                worst.worst = i;
                worst.derived = derived;
                worst.measured = measured;
                worst.error =
                    if difference == 0.0 { 0.0 } else { difference / size };
            }
            worst.passed &= fits;
            worst.compared += 1;
        }
        worst
    }
}

fn non_empty_pair(
    at: &ArrayRef1<f64>,
    gradient: &ArrayRef1<f64>,
) -> Result<()> {
    if at.is_empty() {
        return Err(Error::Empty {
            what: "the point at which a gradient is checked",
        });
    }
    shape("the gradient", at.shape(), gradient.shape())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    fn cubic(x: &ArrayRef1<f64>) -> f64 {
        x[0].powi(3) - x[0] * x[1] + 4.0 * x[2]
    }

    #[test]
    fn a_right_gradient_passes_and_a_wrong_one_is_named() {
        let at = array![1.5, -2.0, 100.0];
        let right = array![3.0 * 1.5 * 1.5 + 2.0, -1.5, 4.0];
        assert!(Check::default().gradient(cubic, &at, &right).unwrap().passed);
        for i in 0..3 {
            let mut wrong = right.clone();
            wrong[i] *= 1.0 + 1e-5;
            let verdict =
                Check::default().gradient(cubic, &at, &wrong).unwrap();
            assert!(!verdict.passed && verdict.worst == i, "{verdict}");
        }
    }

    #[test]
    fn directions_see_an_error_in_any_coordinate() {
        let at = array![1.5, -2.0, 100.0];
        let right = array![3.0 * 1.5 * 1.5 + 2.0, -1.5, 4.0];
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let check = |g: &Array1<f64>, rng: &mut ChaCha8Rng| {
            Check::default().directions(cubic, &at, g, 5, rng).unwrap().passed
        };
        assert!(check(&right, &mut rng));
        for i in 0..3 {
            let mut wrong = right.clone();
            wrong[i] *= 1.01;
            assert!(!check(&wrong, &mut rng), "coordinate {i}");
        }
    }

    #[test]
    fn nan_and_infinity_fail_on_either_side() {
        let at = array![1.0, 2.0];
        for bad in [f64::NAN, f64::INFINITY] {
            let verdict = Check::default()
                .gradient(|x| x.sum(), &at, &array![1.0, bad])
                .unwrap();
            assert!(!verdict.passed && verdict.worst == 1, "{verdict}");
            let f =
                |x: &ArrayRef1<f64>| if x[0] == 1.0 { x.sum() } else { bad };
            assert!(
                !Check::default()
                    .gradient(f, &at, &array![1.0, 1.0])
                    .unwrap()
                    .passed
            );
        }
    }
}

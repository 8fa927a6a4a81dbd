//! Features on one scale: each with mean 0 and deviation 1, where it was learned
//! what that means.

use ndarray::{Array1, Array2, ArrayRef2, Axis};

use crate::error::{Error, Result, shape};
use crate::float::Float;
use crate::target::check_finite;

/// (x − μ) / σ, feature by feature, with the mean μ and the deviation σ of the
/// samples it was made from: those that train, and no others.
///
/// σ² is the mean of (x − μ)²: divided by n, not by n − 1. A feature that is the
/// same in all samples has no scale: it is only shifted.
///
/// ```
/// use gradus::Standardiser;
/// use ndarray::array;
///
/// let train = array![[1.0, 5.0], [3.0, 5.0]];
/// let standardiser = Standardiser::of(&train)?;
/// assert_eq!(standardiser.apply(&train)?, array![[-1.0, 0.0], [1.0, 0.0]]);
/// assert_eq!(standardiser.apply(&array![[4.0, 6.0]])?, array![[2.0, 1.0]]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Standardiser<F: Float> {
    mean: Array1<F>,
    deviation: Array1<F>,
}

// ANCHOR: Standardiser
impl<F: Float> Standardiser<F> {
    /// The scale of these samples.
    ///
    /// # Shapes
    /// `x`: (n, features)
    ///
    /// # Errors
    /// If there are no samples, or one is not finite.
    pub fn of(x: &ArrayRef2<F>) -> Result<Self> {
        let empty = Error::Empty { what: "the samples to be standardised" };
        let first = x.rows().into_iter().next().ok_or(empty)?;
        check_finite("the samples to be standardised", x)?;
        // From the first sample on: what never varies is then exactly 0.
        let n = F::cast(x.nrows() as f64);
        let mean = &first + (x.to_owned() - first).sum_axis(Axis(0)) / n;
        let squares = (x.to_owned() - &mean).mapv(|d| d * d);
        let deviation = (squares.sum_axis(Axis(0)) / n).mapv(F::sqrt);
        let deviation =
            deviation.mapv(|s| if s > F::zero() { s } else { F::one() });
        Ok(Self { mean, deviation })
    }

    /// Samples on this scale.
    ///
    /// # Shapes
    /// (n, features) → (n, features)
    ///
    /// # Errors
    /// If there are not as many features.
    pub fn apply(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        let expected = [x.nrows(), self.mean.len()];
        shape("the samples to be standardised", &expected, x.shape())?;
        Ok((x.to_owned() - &self.mean) / &self.deviation)
    }
}
// ANCHOR_END: Standardiser

impl<F: Float> Standardiser<F> {
    /// The mean of each feature: (features).
    pub fn mean(&self) -> &Array1<F> {
        &self.mean
    }

    /// The deviation of each feature, 1 where it never varied: (features).
    pub fn deviation(&self) -> &Array1<F> {
        &self.deviation
    }
}

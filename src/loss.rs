//! Losses: one number for each sample, and its derivative with respect to the
//! outputs.
//!
//! Per sample, [`MeanSquaredError`] and [`BinaryCrossEntropy`] are means over
//! the m outputs, [`CategoricalCrossEntropy`] is a sum over the classes. The
//! loss of a batch is the mean over its samples.
//!
//! | loss | of one sample | target row |
//! |---|---|---|
//! | [`MeanSquaredError`] | 1/m Σ (ŷ − y)² | m numbers |
//! | [`BinaryCrossEntropy`] | −1/m Σ (y ln ŷ + (1 − y) ln(1 − ŷ)) | m numbers in [0, 1] |
//! | [`CategoricalCrossEntropy`] | −Σ y ln ŷ | m numbers in [0, 1], summing to 1 |
//! | [`SparseCategoricalCrossEntropy`] | −ln ŷ of the label | one label, 0 to m − 1 |

use ndarray::{Array1, Array3, ArrayRef1, ArrayRef2, ArrayView1, Axis, Zip};

use crate::activation::Link;
use crate::error::Result;
use crate::float::Float;
use crate::part::{Part, stateless};
use crate::target::{
    check_distributions, check_labels, check_probabilities, label,
    one_hot_class,
};

// ANCHOR: Loss
/// How far the outputs are from the targets.
pub trait Loss<F: Float>: Part<F> {
    /// Writes the loss of each sample.
    ///
    /// # Shapes
    /// `y_hat`: (n, m), `y`: (n, [`target_columns`](Self::target_columns)),
    /// `values`: (n).
    fn values_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    );

    /// Writes the derivative of each sample's loss with respect to its outputs.
    ///
    /// # Shapes
    /// As above; `d_y_hat`: (n, m).
    fn derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d_y_hat: &mut ArrayRef2<F>,
    );

    /// How many columns the targets have for m outputs.
    fn target_columns(&self, outputs: usize) -> usize {
        outputs
    }
    // ANCHOR_END: Loss

    /// Checks targets of the right shape: are they ones that this loss is
    /// defined for?
    ///
    /// # Errors
    /// With the first entry that is not.
    fn check_targets(&self, y: &ArrayRef2<F>, outputs: usize) -> Result<()> {
        let _ = (y, outputs);
        Ok(())
    }

    /// The class that a target row names, if it names one.
    fn class(&self, y: ArrayView1<F>) -> Option<usize> {
        one_hot_class(y)
    }

    /// The same loss from logits, if it can be fused with this output
    /// activation.
    fn fused(&self, link: Link) -> Option<&dyn FusedLoss<F>> {
        let _ = link;
        None
    }

    /// The loss of each sample as a new array.
    ///
    /// # Shapes
    /// (n, m) → (n)
    fn values(&self, y_hat: &ArrayRef2<F>, y: &ArrayRef2<F>) -> Array1<F> {
        let mut values = Array1::zeros(y_hat.nrows());
        self.values_into(y_hat, y, &mut values);
        values
    }

    /// The derivatives as a stack of row vectors, ready for the chain rule.
    ///
    /// # Shapes
    /// (n, m) → (n, 1, m)
    fn derivative(&self, y_hat: &ArrayRef2<F>, y: &ArrayRef2<F>) -> Array3<F> {
        let mut stack = Array3::zeros((y_hat.nrows(), 1, y_hat.ncols()));
        self.derivative_into(y_hat, y, &mut stack.index_axis_mut(Axis(1), 0));
        stack
    }
}

// ANCHOR: FusedLoss
/// A loss and an output activation as one function of the logits z.
pub trait FusedLoss<F: Float> {
    /// Writes the loss of each sample.
    ///
    /// # Shapes
    /// `z`: (n, m), `values`: (n).
    fn fused_values_into(
        &self,
        z: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    );

    /// Writes the derivative with respect to z, given ŷ: ŷ − y, or its mean
    /// over outputs.
    ///
    /// # Shapes
    /// `y_hat` and `d_z`: (n, m).
    fn fused_derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d_z: &mut ArrayRef2<F>,
    );
}
// ANCHOR_END: FusedLoss

/// 1/m Σ (ŷ − y)², the mean over the outputs of a sample.
#[derive(Debug, Clone, Copy, Default)]
pub struct MeanSquaredError;

/// −1/m Σ (y ln ŷ + (1 − y) ln(1 − ŷ)), the mean over the outputs of a sample.
#[derive(Debug, Clone, Copy, Default)]
pub struct BinaryCrossEntropy;

/// −Σ y ln ŷ over the classes; each target row is a distribution.
#[derive(Debug, Clone, Copy, Default)]
pub struct CategoricalCrossEntropy;

/// −ln ŷ of the class that the target names; targets are labels, one column.
#[derive(Debug, Clone, Copy, Default)]
pub struct SparseCategoricalCrossEntropy;

// ANCHOR: MeanSquaredError
impl<F: Float> Loss<F> for MeanSquaredError {
    fn values_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    ) {
        let m = F::cast(y_hat.ncols() as f64);
        Zip::from(values).and(y_hat.rows()).and(y.rows()).for_each(
            |value, y_hat, y| {
                *value =
                    sum_over(y_hat, y, |y_hat, y| (y_hat - y) * (y_hat - y))
                        / m;
            },
        );
    }

    fn derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d: &mut ArrayRef2<F>,
    ) {
        let factor = F::cast(2.0 / y_hat.ncols() as f64);
        Zip::from(d)
            .and(y_hat)
            .and(y)
            .for_each(|d, &y_hat, &y| *d = factor * (y_hat - y));
    }
}
// ANCHOR_END: MeanSquaredError

// ANCHOR: BinaryCrossEntropy
impl<F: Float> Loss<F> for BinaryCrossEntropy {
    fn values_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    ) {
        let m = F::cast(y_hat.ncols() as f64);
        Zip::from(values).and(y_hat.rows()).and(y.rows()).for_each(
            |value, y_hat, y| {
                *value = sum_over(y_hat, y, |p, y| {
                    -times_ln(y, p) - times_ln(F::one() - y, F::one() - p)
                }) / m;
            },
        );
    }

    fn derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d: &mut ArrayRef2<F>,
    ) {
        let m = F::cast(y_hat.ncols() as f64);
        Zip::from(d).and(y_hat).and(y).for_each(|d, &p, &y| {
            *d = (over(F::one() - y, F::one() - p) - over(y, p)) / m;
        });
    }

    fn check_targets(&self, y: &ArrayRef2<F>, _: usize) -> Result<()> {
        check_probabilities(y)
    }

    fn fused(&self, link: Link) -> Option<&dyn FusedLoss<F>> {
        if link == Link::Sigmoid { Some(self) } else { None }
    }
}
// ANCHOR_END: BinaryCrossEntropy

// ANCHOR: CategoricalCrossEntropy
impl<F: Float> Loss<F> for CategoricalCrossEntropy {
    fn values_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    ) {
        Zip::from(values).and(y_hat.rows()).and(y.rows()).for_each(
            |value, y_hat, y| {
                *value = sum_over(y_hat, y, |p, y| -times_ln(y, p));
            },
        );
    }

    fn derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d: &mut ArrayRef2<F>,
    ) {
        Zip::from(d).and(y_hat).and(y).for_each(|d, &p, &y| *d = -over(y, p));
    }

    fn check_targets(&self, y: &ArrayRef2<F>, _: usize) -> Result<()> {
        check_probabilities(y)?;
        check_distributions(y)
    }

    fn fused(&self, link: Link) -> Option<&dyn FusedLoss<F>> {
        if link == Link::Softmax { Some(self) } else { None }
    }
}
// ANCHOR_END: CategoricalCrossEntropy

impl<F: Float> Loss<F> for SparseCategoricalCrossEntropy {
    fn values_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    ) {
        Zip::from(values).and(y_hat.rows()).and(y.rows()).for_each(
            |value, y_hat, y| {
                *value = -y_hat[label(y[0])].ln();
            },
        );
    }

    fn derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d: &mut ArrayRef2<F>,
    ) {
        d.fill(F::zero());
        Zip::from(d.rows_mut()).and(y_hat.rows()).and(y.rows()).for_each(
            |mut d, y_hat, y| {
                d[label(y[0])] = -y_hat[label(y[0])].recip();
            },
        );
    }

    fn target_columns(&self, _: usize) -> usize {
        1
    }

    fn check_targets(&self, y: &ArrayRef2<F>, outputs: usize) -> Result<()> {
        check_labels(y, outputs)
    }

    fn class(&self, y: ArrayView1<F>) -> Option<usize> {
        Some(label(y[0]))
    }

    fn fused(&self, link: Link) -> Option<&dyn FusedLoss<F>> {
        if link == Link::Softmax { Some(self) } else { None }
    }
}

/// Σ f(a, b) over two rows.
pub(crate) fn sum_over<F: Float>(
    a: ArrayView1<F>,
    b: ArrayView1<F>,
    f: impl Fn(F, F) -> F,
) -> F {
    Zip::from(&a).and(&b).fold(F::zero(), |sum, &a, &b| sum + f(a, b))
}

/// y ln p, with 0 ln 0 = 0: what a class that is not the target adds to a
/// cross-entropy.
fn times_ln<F: Float>(y: F, p: F) -> F {
    if y == F::zero() { F::zero() } else { y * p.ln() }
}

/// y / p, with 0 / 0 = 0: the derivative of the above.
fn over<F: Float>(y: F, p: F) -> F {
    if y == F::zero() { F::zero() } else { y / p }
}

stateless!(
    MeanSquaredError => "mean_squared_error",
    BinaryCrossEntropy => "binary_cross_entropy",
    CategoricalCrossEntropy => "categorical_cross_entropy",
    SparseCategoricalCrossEntropy => "sparse_categorical_cross_entropy"
);

// A loss that was chosen at run time is a loss.
impl<F: Float, L: Loss<F> + ?Sized> Loss<F> for Box<L> {
    fn values_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    ) {
        (**self).values_into(y_hat, y, values);
    }

    fn derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d: &mut ArrayRef2<F>,
    ) {
        (**self).derivative_into(y_hat, y, d);
    }

    fn target_columns(&self, outputs: usize) -> usize {
        (**self).target_columns(outputs)
    }

    fn check_targets(&self, y: &ArrayRef2<F>, outputs: usize) -> Result<()> {
        (**self).check_targets(y, outputs)
    }

    fn class(&self, y: ArrayView1<F>) -> Option<usize> {
        (**self).class(y)
    }

    fn fused(&self, link: Link) -> Option<&dyn FusedLoss<F>> {
        (**self).fused(link)
    }
}

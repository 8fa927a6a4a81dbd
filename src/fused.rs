//! Losses from logits: softmax or sigmoid and the cross-entropy that belongs to
//! it, as one function of z.
//!
//! Composed, the pair divides by a probability that may have come to 0. Fused,
//! the division is gone: the derivative is ŷ − y, and the value a difference of
//! logits.

use ndarray::{ArrayRef1, ArrayRef2, Zip};

use crate::activation::{Activation, Softplus};
use crate::float::Float;
use crate::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, FusedLoss,
    SparseCategoricalCrossEntropy, sum_over,
};
use crate::output::maximum;
use crate::target::label;

// ANCHOR: log_sum_exp
/// ln Σ e^zₖ of a row, without overflow.
pub fn log_sum_exp<F: Float>(z: &ArrayRef1<F>) -> F {
    let (max, rest) = max_and_rest(z);
    max + rest
}

/// The two terms of ln Σ e^zₖ = max + ln(1 + Σ e^(zₖ − max)), where the sum
/// goes over all k but that of the maximum.
///
/// A loss takes a logit from this sum. It is taken from the maximum first:
/// where the two are close, the small second term would be lost in their sum.
fn max_and_rest<F: Float>(z: &ArrayRef1<F>) -> (F, F) {
    let max = maximum(z);
    let top = z.iter().position(|&z| z == max);
    let others = z.indexed_iter().filter(|(k, _)| Some(*k) != top);
    let rest = others.fold(F::zero(), |sum, (_, &z)| sum + (z - max).exp());
    (max, rest.ln_1p())
}
// ANCHOR_END: log_sum_exp

// ANCHOR: fused_categorical
impl<F: Float> FusedLoss<F> for CategoricalCrossEntropy {
    fn fused_values_into(
        &self,
        z: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    ) {
        Zip::from(values).and(z.rows()).and(y.rows()).for_each(
            |value, z, y| {
                let (max, rest) = max_and_rest(&z);
                *value = sum_over(z, y, |z, y| y * ((max - z) + rest));
            },
        );
    }

    fn fused_derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d: &mut ArrayRef2<F>,
    ) {
        Zip::from(d).and(y_hat).and(y).for_each(|d, &p, &y| *d = p - y);
    }
}
// ANCHOR_END: fused_categorical

// ANCHOR: fused_sparse
impl<F: Float> FusedLoss<F> for SparseCategoricalCrossEntropy {
    fn fused_values_into(
        &self,
        z: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    ) {
        Zip::from(values).and(z.rows()).and(y.rows()).for_each(
            |value, z, y| {
                let (max, rest) = max_and_rest(&z);
                *value = (max - z[label(y[0])]) + rest;
            },
        );
    }

    fn fused_derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d: &mut ArrayRef2<F>,
    ) {
        d.assign(y_hat);
        Zip::from(d.rows_mut())
            .and(y.rows())
            .for_each(|mut d, y| d[label(y[0])] -= F::one());
    }
}
// ANCHOR_END: fused_sparse

// ANCHOR: fused_binary
impl<F: Float> FusedLoss<F> for BinaryCrossEntropy {
    fn fused_values_into(
        &self,
        z: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        values: &mut ArrayRef1<F>,
    ) {
        let m = F::cast(z.ncols() as f64);
        Zip::from(values).and(z.rows()).and(y.rows()).for_each(
            |value, z, y| {
                // softplus(z) − y z, and the same with both signs changed
                // where z is positive: no term is then larger than the loss.
                *value = sum_over(z, y, |z, y| {
                    let wrong = if z > F::zero() { F::one() - y } else { y };
                    Softplus.value(-z.abs()) + wrong * z.abs()
                }) / m;
            },
        );
    }

    fn fused_derivative_into(
        &self,
        y_hat: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        d: &mut ArrayRef2<F>,
    ) {
        let m = F::cast(y_hat.ncols() as f64);
        Zip::from(d).and(y_hat).and(y).for_each(|d, &p, &y| *d = (p - y) / m);
    }
}
// ANCHOR_END: fused_binary

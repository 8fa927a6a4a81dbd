//! Two published mistakes, rebuilt as parts that a network takes like any other.

use gradus::{Float, Loss, OutputActivation, Part, Softmax};
use ndarray::{ArrayRef1, ArrayRef2, ArrayRef3, Zip};

/// A cross-entropy that adds the machine epsilon to every probability, so that nothing is
/// divided by zero: −Σ y ln(ŷ + ε), with derivative −y / (ŷ + ε).
#[derive(Debug, Clone, Copy)]
pub struct PaddedCrossEntropy;

impl<F: Float> Part<F> for PaddedCrossEntropy {
    fn name(&self) -> &str {
        "padded_cross_entropy"
    }
}

impl<F: Float> Loss<F> for PaddedCrossEntropy {
    fn values_into(&self, y_hat: &ArrayRef2<F>, y: &ArrayRef2<F>, values: &mut ArrayRef1<F>) {
        Zip::from(values).and(y_hat.rows()).and(y.rows()).for_each(|value, y_hat, y| {
            let term = |sum, &p: &F, &y: &F| sum - y * (p + F::epsilon()).ln();
            *value = Zip::from(&y_hat).and(&y).fold(F::zero(), term);
        });
    }

    fn derivative_into(&self, y_hat: &ArrayRef2<F>, y: &ArrayRef2<F>, d: &mut ArrayRef2<F>) {
        // ANCHOR: padded
        let epsilon = F::epsilon();
        let slope = |p: F, y: F| -y / (p + epsilon);
        Zip::from(d).and(y_hat).and(y).for_each(|d, &p, &y| *d = slope(p, y));
        // ANCHOR_END: padded
    }
}

/// A softmax that goes back as if it were elementwise: it keeps ŷ (1 − ŷ), the diagonal of
/// its Jacobian, and drops the rest.
#[derive(Debug, Clone, Copy)]
pub struct DiagonalSoftmax;

impl<F: Float> Part<F> for DiagonalSoftmax {
    fn name(&self) -> &str {
        "diagonal_softmax"
    }
}

impl<F: Float> OutputActivation<F> for DiagonalSoftmax {
    fn apply_into(&self, z: &ArrayRef2<F>, y_hat: &mut ArrayRef2<F>) {
        Softmax.apply_into(z, y_hat);
    }

    // ANCHOR: diagonal
    fn jacobian_into(&self, z: &ArrayRef2<F>, jacobian: &mut ArrayRef3<F>) {
        let y_hat = self.apply(z);
        jacobian.fill(F::zero());
        for ((i, j), &p) in y_hat.indexed_iter() {
            jacobian[[i, j, j]] = p * (F::one() - p);
        }
    }
    // ANCHOR_END: diagonal
}

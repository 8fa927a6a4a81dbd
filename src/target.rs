//! Targets: what outputs are compared with, and what may be one.

use ndarray::{Array2, ArrayRef2, ArrayView1};

use crate::error::{Error, Result, room, setting};
use crate::float::Float;

// ANCHOR: one_hot
/// Class labels as rows of zeros with a one in the label's column.
///
/// The number of classes is handed in: a batch that happens to lack the last
/// class must not get fewer columns than the others.
///
/// # Shapes
/// n labels → (n, classes)
///
/// # Errors
/// If there are no classes, or a label is not below their number.
pub fn one_hot<F: Float>(
    labels: &[usize],
    classes: usize,
) -> Result<Array2<F>> {
    setting(
        "the number of classes",
        "be at least 1",
        classes as f64,
        classes > 0,
    )?;
    room("the number of classes", classes, labels.len(), classes)?;
    let mut rows = Array2::zeros((labels.len(), classes));
    for (row, &label) in labels.iter().enumerate() {
        if label >= classes {
            return Err(Error::Label { row, value: label as f64, classes });
        }
        rows[[row, label]] = F::one();
    }
    Ok(rows)
}
// ANCHOR_END: one_hot

/// Checks that every entry is finite.
pub(crate) fn check_finite<F: Float>(
    what: &'static str,
    x: &ArrayRef2<F>,
) -> Result<()> {
    // A sum is finite unless an entry is not, or the entries are huge: the slow
    // look is rare.
    if x.sum().is_finite() {
        return Ok(());
    }
    match x.indexed_iter().find(|(_, x)| !x.is_finite()) {
        None => Ok(()),
        Some(((row, column), x)) => {
            Err(Error::NotFinite { what, row, column, value: x.as_f64() })
        }
    }
}

/// A label as an index. Labels were checked before.
pub(crate) fn label<F: Float>(y: F) -> usize {
    y.as_f64() as usize
}

/// The class that a row of exact zeros and one exact one names, or a single
/// zero or one.
pub(crate) fn one_hot_class<F: Float>(y: ArrayView1<F>) -> Option<usize> {
    if y.iter().any(|&y| y != F::zero() && y != F::one()) {
        return None;
    }
    if y.len() == 1 {
        return Some(label(y[0]));
    }
    let mut ones = y.iter().enumerate().filter(|&(_, &y)| y == F::one());
    let (class, _) = ones.next()?;
    if ones.next().is_some() { None } else { Some(class) }
}

/// Checks that every target lies in [0, 1].
pub(crate) fn check_probabilities<F: Float>(y: &ArrayRef2<F>) -> Result<()> {
    match y.indexed_iter().find(|(_, y)| !(F::zero()..=F::one()).contains(*y)) {
        None => Ok(()),
        Some(((row, column), y)) => {
            Err(Error::Probability { row, column, value: y.as_f64() })
        }
    }
}

/// Checks that each row of targets sums to 1.
pub(crate) fn check_distributions<F: Float>(y: &ArrayRef2<F>) -> Result<()> {
    // Rounding of the sum of m numbers: far below 1e-3 for any m in use, in
    // `f32` too.
    for (row, y) in y.rows().into_iter().enumerate() {
        let sum = y.sum().as_f64();
        if (sum - 1.0).abs() > 1e-3 {
            return Err(Error::Distribution { row, sum });
        }
    }
    Ok(())
}

/// Checks that every target is the number of a class.
pub(crate) fn check_labels<F: Float>(
    y: &ArrayRef2<F>,
    classes: usize,
) -> Result<()> {
    for (row, y) in y.iter().enumerate() {
        let value = y.as_f64();
        if !(value >= 0.0 && value < classes as f64 && value.fract() == 0.0) {
            return Err(Error::Label { row, value, classes });
        }
    }
    Ok(())
}

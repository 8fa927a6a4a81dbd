//! What published code gets wrong, and what students do, as small functions.

use std::ops::Range;

use gradus::{Activation, Float, Part};
use ndarray::Array2;

/// An activation that takes its slope at a = f(z) instead of at z: a forward pass that keeps
/// only a makes this mistake easy.
#[derive(Debug)]
pub struct SlopeAtOutput<A>(pub A);

impl<F: Float, A: Activation<F>> Part<F> for SlopeAtOutput<A> {
    fn name(&self) -> &str {
        "slope_at_output"
    }
}

// ANCHOR: SlopeAtOutput
impl<F: Float, A: Activation<F>> Activation<F> for SlopeAtOutput<A> {
    fn value(&self, z: F) -> F {
        self.0.value(z)
    }

    fn derivative(&self, z: F) -> F {
        self.0.derivative(self.0.value(z))
    }
}
// ANCHOR_END: SlopeAtOutput

// ANCHOR: to_categorical
/// Lazar's `to_categorical`: the columns are counted by the largest label.
pub fn to_categorical(labels: &[usize]) -> Array2<f64> {
    let columns = labels.iter().max().map_or(0, |largest| largest + 1);
    let mut rows = Array2::zeros((labels.len(), columns));
    for (row, &label) in labels.iter().enumerate() {
        rows[[row, label]] = 1.0;
    }
    rows
}
// ANCHOR_END: to_categorical

// ANCHOR: batches
/// The batches of an epoch as in Yuan's tutorial.
pub fn batches(samples: usize, batch_size: usize) -> Vec<Range<usize>> {
    let begins = (0..samples).step_by(batch_size);
    let end = |begin: usize| (begin + batch_size).min(samples - 1);
    begins.map(|begin| begin..end(begin)).collect()
}
// ANCHOR_END: batches

//! What published code gets wrong, and what students do, as small functions.

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

impl<F: Float, A: Activation<F>> Activation<F> for SlopeAtOutput<A> {
    fn value(&self, z: F) -> F {
        self.0.value(z)
    }

    fn derivative(&self, z: F) -> F {
        self.0.derivative(self.0.value(z))
    }
}

/// Lazar's `to_categorical`: as many columns as the largest label of this batch asks for.
pub fn to_categorical(labels: &[usize]) -> Array2<f64> {
    let columns = labels.iter().max().map_or(0, |largest| largest + 1);
    Array2::from_shape_fn(
        (labels.len(), columns),
        |(row, column)| {
            if labels[row] == column { 1.0 } else { 0.0 }
        },
    )
}

/// The batches of an epoch as in Yuan's tutorial: the last one ends before the last sample.
pub fn batches(samples: usize, batch_size: usize) -> Vec<std::ops::Range<usize>> {
    let begins = (0..samples).step_by(batch_size);
    begins.map(|begin| begin..(begin + batch_size).min(samples - 1)).collect()
}

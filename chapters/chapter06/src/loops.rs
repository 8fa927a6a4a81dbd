//! T2's way to train: no batches, no shuffling.

use gradus::random::Random;
use gradus::{Activate, Init, Samples, Share, Tanh};
use gradus::{Dense, Float, GradientDescent, Layer, MeanSquaredError, Model, Sequential, Shape};
use lab::Result;
use ndarray::{Array1, s};
use rand::RngExt;

/// How a network starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// T2's: weights and biases uniform in [−½, ½).
    Uniform,
    /// Glorot's normal weights; biases 0.
    Glorot,
}

// ANCHOR: tanh_network
/// Dense layers of these sizes, each followed by tanh, with the mean squared
/// error and plain gradient descent.
pub fn tanh_network<F: Float>(
    sizes: &[usize],
    rate: f64,
    start: Start,
    seed: u64,
) -> Result<Sequential<F>> {
    let mut layers: Vec<Box<dyn Layer<F>>> = Vec::new();
    for &units in &sizes[1..] {
        layers.push(Box::new(Dense::new(units, Init::GlorotNormal)?));
        layers.push(Box::new(Activate(Tanh)));
    }
    let (input, loss) = (Shape::Vector(sizes[0]), MeanSquaredError);
    let descent = GradientDescent::new(rate)?;
    let mut network = Sequential::new(input, layers, loss, descent, seed)?;
    if start == Start::Uniform {
        let mut rng = Random::new(seed, 6).generator();
        let uniform = |_| F::cast(rng.random::<f64>() - 0.5);
        let params = network.params().mapv(uniform);
        network.set_params(&params)?;
    }
    Ok(network)
}
// ANCHOR_END: tanh_network

// ANCHOR: in_order
/// The samples in their order, one at a time, a step after each. Returns the
/// mean of the losses of each epoch, as they were met.
pub fn in_order<F: Float>(
    network: &mut Sequential<F>,
    samples: &Samples<F>,
    epochs: usize,
    mut after: impl FnMut(usize, &Sequential<F>) -> Result<()>,
) -> Result<Vec<f64>> {
    let n = samples.x().nrows();
    let mut trace = network.trace(1);
    let mut g = Array1::zeros(network.params().len());
    let mut losses = Vec::new();
    for epoch in 1..=epochs {
        let mut sum = 0.0;
        for row in 0..n {
            let x = samples.x().slice(s![row..=row, ..]);
            let y = samples.y().slice(s![row..=row, ..]);
            let one = Share::whole(1);
            sum += network.gradient_into(&x, &y, one, &mut trace, &mut g);
            network.step(&g);
        }
        losses.push(sum / n as f64);
        after(epoch, network)?;
    }
    Ok(losses)
}
// ANCHOR_END: in_order

//! A few handwritten digits to learn from, and many to be judged by.

use std::path::Path;

use gradus::{
    CategoricalCrossEntropy, Error, Fit, Float, History, Layer, Mnist, Network, Optimizer,
    Sequential, Shape, Subset, mnist, train,
};
use lab::Result;

/// The images.
pub struct Digits {
    images: Mnist,
}

impl Digits {
    /// Reads MNIST.
    pub fn read() -> Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        Ok(Self { images: Mnist::read(workspace.unwrap_or(Path::new("")).join("data/mnist"))? })
    }

    /// The first images, to learn from.
    pub fn few<F: Float>(&self, n: usize) -> Result<Subset<'_, F>> {
        Ok(Subset::new(&self.images.train, 0..n)?)
    }

    /// The first images of those that judge.
    pub fn others<F: Float>(&self, n: usize) -> Result<Subset<'_, F>> {
        Ok(Subset::new(&self.images.test, 0..n)?)
    }
}

/// A network for the digits, of these layers.
pub fn network<F: Float>(
    layers: Vec<Box<dyn Layer<F>>>,
    optimizer: impl Optimizer<F> + 'static,
    seed: u64,
) -> gradus::Result<Sequential<F>> {
    let input = Shape::Vector(mnist::SIDE * mnist::SIDE);
    Sequential::new(input, layers, CategoricalCrossEntropy, optimizer, seed)
}

/// Trains in batches of 50; `None` if loss or parameters became infinite.
pub fn learn<F: Float>(
    network: &mut Sequential<F>,
    samples: &Subset<F>,
    validation: Option<&Subset<F>>,
    epochs: usize,
    seed: u64,
) -> Result<Option<History>> {
    let fit = Fit { batch_size: 50, epochs, seed, ..Fit::default() };
    let validation = validation.map(|source| source as &dyn gradus::Source<F>);
    match network.fit(samples, &fit, validation, &mut train::silent) {
        Ok(history) => Ok(Some(history)),
        Err(Error::Diverged { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

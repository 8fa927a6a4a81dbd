//! What the benchmarks compute with.

use std::sync::LazyLock;

use gradus::random::Random;
use gradus::{
    CategoricalCrossEntropy, Float, Init, Mnist, Momentum, NeuralNetwork, Relu, Softmax, Source,
};
use ndarray::{Array2, Dimension, ShapeBuilder};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};

/// The network that learns MNIST: inputs, hidden units, classes.
pub const SIZES: [usize; 3] = [784, 64, 10];

/// Samples for each step.
pub const BATCH: usize = 128;

/// The folder with MNIST.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist");

/// MNIST, read when it is first needed.
pub static MNIST: LazyLock<Mnist> =
    LazyLock::new(|| Mnist::read(FOLDER).expect("MNIST, in the folder of this repository"));

/// The numbers of all samples that train, shuffled.
pub fn order() -> Vec<usize> {
    let mut order: Vec<usize> = (0..MNIST.train.labels().len()).collect();
    order.shuffle(&mut Random::new(2, 0).generator());
    order
}

/// A batch of MNIST, with its targets.
pub fn batch<F: Float>() -> (Array2<F>, Array2<F>) {
    let (mut x, mut y) = (Array2::zeros((BATCH, SIZES[0])), Array2::zeros((BATCH, SIZES[2])));
    MNIST.train.gather(&order()[..BATCH], &mut x, &mut y);
    (x, y)
}

/// The network, fresh.
pub fn network<F: Float>() -> NeuralNetwork<F> {
    let momentum = Momentum::new(0.1, 0.9).expect("a rate and a momentum in range");
    NeuralNetwork::new(&SIZES, Relu, Softmax, CategoricalCrossEntropy, momentum, Init::He, 1)
        .expect("sizes that are not 0")
}

/// Random numbers of both signs, with mean 0 and variance 1.
pub fn noise<F: Float, D: Dimension>(shape: impl ShapeBuilder<Dim = D>) -> ndarray::Array<F, D> {
    let mut rng = Random::new(3, 0).generator();
    ndarray::Array::from_shape_simple_fn(shape, || F::cast(StandardNormal.sample(&mut rng)))
}

//! Random inputs, from a seed that is printed.

use ndarray::{Array, Array2, Axis, Dimension, ShapeBuilder};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// Draws the inputs of one check.
pub struct Draw {
    /// The generator, for what has no method here.
    pub rng: ChaCha8Rng,
}

impl Draw {
    /// The inputs of check number `stream`: other checks do not change them.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng }
    }

    /// Normal entries with mean 0 and this standard deviation: of both signs, and different.
    pub fn normal<D: Dimension>(
        &mut self,
        shape: impl ShapeBuilder<Dim = D>,
        std: f64,
    ) -> Array<f64, D> {
        Array::from_shape_simple_fn(shape, || {
            let z: f64 = StandardNormal.sample(&mut self.rng);
            std * z
        })
    }

    /// Uniform entries in [low, high).
    pub fn uniform<D: Dimension>(
        &mut self,
        shape: impl ShapeBuilder<Dim = D>,
        low: f64,
        high: f64,
    ) -> Array<f64, D> {
        Array::from_shape_simple_fn(shape, || low + (high - low) * self.rng.random::<f64>())
    }

    /// Rows of positive numbers that sum to 1.
    pub fn distributions(&mut self, n: usize, m: usize) -> Array2<f64> {
        let rows = self.uniform((n, m), 0.05, 1.0);
        let sums = rows.sum_axis(Axis(1)).insert_axis(Axis(1));
        rows / sums
    }

    /// One random label below `classes` for each of n samples.
    pub fn labels(&mut self, n: usize, classes: usize) -> Vec<usize> {
        (0..n).map(|_| self.rng.random_range(0..classes)).collect()
    }

    /// Targets: in each row one 1, at a random place.
    pub fn one_hot(&mut self, n: usize, classes: usize) -> Array2<f64> {
        let mut y = Array2::zeros((n, classes));
        for (i, label) in self.labels(n, classes).into_iter().enumerate() {
            y[[i, label]] = 1.0;
        }
        y
    }
}

//! What the tests of the equations share: random points, and comparison.
#![allow(dead_code)] // each test binary uses its own part of this

pub mod six_loops;

use ndarray::{Array, Array1, Array2, ArrayRef, Dimension, ShapeBuilder};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// A generator for one test: the same numbers in every run.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Normal entries with mean 0 and this standard deviation: of both signs, and different.
pub fn normal<D: Dimension>(
    shape: impl ShapeBuilder<Dim = D>,
    std: f64,
    rng: &mut ChaCha8Rng,
) -> Array<f64, D> {
    Array::from_shape_simple_fn(shape, || {
        let z: f64 = StandardNormal.sample(rng);
        std * z
    })
}

/// Uniform entries in [lo, hi).
pub fn uniform<D: Dimension>(
    shape: impl ShapeBuilder<Dim = D>,
    lo: f64,
    hi: f64,
    rng: &mut ChaCha8Rng,
) -> Array<f64, D> {
    Array::from_shape_simple_fn(shape, || lo + (hi - lo) * rng.random::<f64>())
}

/// Rows of positive numbers that sum to 1.
pub fn distributions(n: usize, m: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let mut rows = uniform((n, m), 0.05, 1.0, rng);
    for mut row in rows.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    rows
}

/// One random label below `classes` for each of n samples.
pub fn labels(n: usize, classes: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    (0..n).map(|_| rng.random_range(0..classes)).collect()
}

/// The derivative of f at x by a central difference, with an error of about 1e-10.
pub fn slope(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let h = 1e-5 * x.abs().max(1.0);
    // Richardson: two central differences, combined so that the error of order h² cancels.
    let central = |h: f64| (f(x + h) - f(x - h)) / (2.0 * h);
    (4.0 * central(h / 2.0) - central(h)) / 3.0
}

/// The gradient of f at x by central differences.
pub fn gradient(f: impl Fn(&Array1<f64>) -> f64, x: &Array1<f64>) -> Array1<f64> {
    Array1::from_shape_fn(x.len(), |i| {
        slope(
            |xi| {
                let mut at = x.clone();
                at[i] = xi;
                f(&at)
            },
            x[i],
        )
    })
}

/// Both sides agree, to `tolerance` of the larger one or of 1, whichever is more. NaN agrees
/// with nothing.
#[track_caller]
pub fn assert_close(left: f64, right: f64, tolerance: f64) {
    assert!(
        approx::relative_eq!(left, right, epsilon = tolerance, max_relative = tolerance),
        "left {left:e} and right {right:e} differ by {:e}, more than {tolerance:e} allows",
        (left - right).abs()
    );
}

/// Both arrays have one shape and agree entry by entry, as in [`assert_close`].
#[track_caller]
pub fn assert_all_close<D: Dimension>(
    left: &ArrayRef<f64, D>,
    right: &ArrayRef<f64, D>,
    tolerance: f64,
) {
    assert_eq!(left.shape(), right.shape(), "shapes differ");
    for (&left, &right) in left.iter().zip(right.iter()) {
        assert_close(left, right, tolerance);
    }
}

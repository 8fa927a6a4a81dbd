//! Small data sets that can be drawn on a page, each made from a seed.

use std::f64::consts::PI;

use ndarray::{Array2, array};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::data::Samples;
use crate::error::{Result, room, setting};
use crate::float::Float;
use crate::random::{Random, stream};
use crate::target::one_hot;

/// The four cases of exclusive or: the target is 1 where the two inputs differ.
///
/// # Shapes
/// x: (4, 2), y: (4, 1)
pub fn xor<F: Float>() -> Samples<F> {
    let (o, l) = (F::zero(), F::one());
    let x = array![[o, o], [o, l], [l, o], [l, l]];
    let y = array![[o], [l], [l], [o]];
    Samples::new(x, y).expect("four inputs have four targets")
}

/// Two half circles that reach into each other, in alternating order; the
/// target is 0 for the upper one and 1 for the lower one.
///
/// # Shapes
/// x: (n, 2), y: (n, 1)
///
/// # Errors
/// If there are no samples, or the noise is not a number from 0.
pub fn moons<F: Float>(n: usize, noise: f64, seed: u64) -> Result<Samples<F>> {
    let mut rng = generator(n, noise, seed)?;
    let mut x = Array2::zeros((n, 2));
    let mut y = Array2::zeros((n, 1));
    for i in 0..n {
        let angle = PI * rng.random::<f64>();
        let (mut right, mut up) = (angle.cos(), angle.sin());
        if i % 2 == 1 {
            (right, up) = (1.0 - right, 0.5 - up);
            y[[i, 0]] = F::one();
        }
        x[[i, 0]] = F::cast(right + noise * normal(&mut rng));
        x[[i, 1]] = F::cast(up + noise * normal(&mut rng));
    }
    Samples::new(x, y)
}

/// Spiral arms, one for each class, in alternating order; targets are one-hot.
///
/// # Shapes
/// x: (n, 2), y: (n, arms)
///
/// # Errors
/// If there are no samples or no arms, or the noise is not a number from 0.
pub fn spirals<F: Float>(
    n: usize,
    arms: usize,
    noise: f64,
    seed: u64,
) -> Result<Samples<F>> {
    let mut rng = generator(n, noise, seed)?;
    let labels: Vec<usize> = (0..n).map(|i| i % arms.max(1)).collect();
    let y = one_hot(&labels, arms)?;
    let mut x = Array2::zeros((n, 2));
    for i in 0..n {
        // Three quarters of a turn, evenly spread over the radius.
        let radius = rng.random::<f64>();
        let angle = 2.0 * PI * (0.75 * radius + labels[i] as f64 / arms as f64);
        x[[i, 0]] = F::cast(radius * angle.cos() + noise * normal(&mut rng));
        x[[i, 1]] = F::cast(radius * angle.sin() + noise * normal(&mut rng));
    }
    Samples::new(x, y)
}

/// Points on the curve y = sin x for x in [−π, π], with noise on y.
///
/// # Shapes
/// x: (n, 1), y: (n, 1)
///
/// # Errors
/// If there are no samples, or the noise is not a number from 0.
pub fn sine<F: Float>(n: usize, noise: f64, seed: u64) -> Result<Samples<F>> {
    let mut rng = generator(n, noise, seed)?;
    let mut x = Array2::zeros((n, 1));
    let mut y = Array2::zeros((n, 1));
    for i in 0..n {
        let at = PI * (2.0 * rng.random::<f64>() - 1.0);
        x[[i, 0]] = F::cast(at);
        y[[i, 0]] = F::cast(at.sin() + noise * normal(&mut rng));
    }
    Samples::new(x, y)
}

fn generator(n: usize, noise: f64, seed: u64) -> Result<ChaCha8Rng> {
    setting("the number of samples", "be at least 1", n as f64, n > 0)?;
    room("the number of samples", n, n, 2)?;
    let ok = noise >= 0.0 && noise.is_finite();
    setting("the noise", "be finite and at least 0", noise, ok)?;
    Ok(Random::new(seed, stream::DATA).generator())
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

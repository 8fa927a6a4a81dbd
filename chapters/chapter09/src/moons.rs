//! Two moons that overlap: the problem of most sections, and what is known of it.

use std::f64::consts::PI;

use gradus::{
    Activate, BinaryCrossEntropy, Dense, Elementwise, Fit, History, Init, Layer, Momentum, Network,
    Optimizer, Output, Relu, Samples, Sequential, Shape, Sigmoid, Source, layers, toy, train,
};
use lab::{Regions, Result};
use ndarray::{Array2, ArrayView1};

/// How far a sample strays from its moon: the deviation of the noise.
pub const NOISE: f64 = 0.3;

/// How many samples there are to learn from.
pub const SAMPLES: usize = 100;

/// How many new samples judge.
pub const NEW: usize = 2000;

/// How often all samples are seen.
pub const EPOCHS: usize = 1000;

/// How many trainings a mean is taken of, each with samples of its own.
pub const RUNS: u64 = 10;

/// Units of each of the two hidden layers.
pub const WIDTH: usize = 64;

/// The learning rate and the momentum of all trainings on the moons.
pub const RATE: f64 = 0.03;
pub const MU: f64 = 0.97;

/// Momentum, as all trainings on the moons have it.
pub fn momentum() -> gradus::Result<Momentum<f64>> {
    Momentum::new(RATE, MU)
}

/// The samples of a training, which no other number gives.
pub fn learned_from(run: u64) -> Result<Samples<f64>> {
    Ok(toy::moons(SAMPLES, NOISE, run)?)
}

/// Samples that nothing is learned from.
pub fn new(seed: u64) -> Result<Samples<f64>> {
    Ok(toy::moons(NEW, NOISE, seed.wrapping_add(1_000_000))?)
}

/// A network 2-64-64-1 with ReLU and a sigmoid, far larger than 100 samples ask for.
pub fn large(
    optimizer: impl Optimizer<f64> + 'static,
    seed: u64,
) -> gradus::Result<Sequential<f64>> {
    let dense = |units| Dense::new(units, Init::He);
    of(
        layers![
            dense(WIDTH)?,
            Activate(Relu),
            dense(WIDTH)?,
            Activate(Relu),
            dense(1)?,
            Output(Elementwise(Sigmoid)),
        ],
        optimizer,
        seed,
    )
}

/// A network for the moons, of these layers.
pub fn of(
    layers: Vec<Box<dyn Layer<f64>>>,
    optimizer: impl Optimizer<f64> + 'static,
    seed: u64,
) -> gradus::Result<Sequential<f64>> {
    Sequential::new(Shape::Vector(2), layers, BinaryCrossEntropy, optimizer, seed)
}

/// Trains on all samples at once.
pub fn learn(
    network: &mut Sequential<f64>,
    samples: &Samples<f64>,
    epochs: usize,
    validation: Option<&dyn Source<f64>>,
) -> gradus::Result<History> {
    let fit = Fit { epochs, batch_size: samples.x().nrows(), ..Fit::default() };
    network.fit(samples, &fit, validation, &mut train::silent)
}

/// Loss and accuracy.
pub fn verdict(network: &Sequential<f64>, samples: &Samples<f64>) -> Result<(f64, f64)> {
    let score = network.score(samples)?;
    Ok((score.loss, score.accuracy().ok_or("moons have classes")?))
}

/// Who knows how the moons are made: the probability of the lower one at x, from the densities
/// of both, each the mean of normal densities around the points of a half circle.
pub fn known(x: ArrayView1<f64>) -> f64 {
    const POINTS: usize = 400;
    let density = |lower: bool| -> f64 {
        let at = |i: usize| {
            let angle = PI * (i as f64 + 0.5) / POINTS as f64;
            let (right, up) = (angle.cos(), angle.sin());
            let (right, up) = if lower { (1.0 - right, 0.5 - up) } else { (right, up) };
            let squares = (x[0] - right).powi(2) + (x[1] - up).powi(2);
            (-squares / (2.0 * NOISE * NOISE)).exp()
        };
        (0..POINTS).map(at).sum()
    };
    let (upper, lower) = (density(false), density(true));
    lower / (upper + lower)
}

/// Loss and accuracy of who knows how the moons are made: on average nobody does better.
pub fn verdict_of_who_knows(samples: &Samples<f64>) -> (f64, f64) {
    let (mut loss, mut right) = (0.0, 0.0);
    for (x, y) in samples.x().rows().into_iter().zip(samples.y()) {
        let p = known(x);
        loss -= if *y == 1.0 { p.ln() } else { (1.0 - p).ln() };
        right += f64::from((p > 0.5) == (*y == 1.0));
    }
    let n = samples.y().len() as f64;
    (loss / n, right / n)
}

/// The rectangle that figures show.
const X: (f64, f64) = (-2.0, 3.0);
const Y: (f64, f64) = (-1.5, 2.0);
const GRID: (usize, usize) = (85, 121);

/// What a classifier decides, with the samples it learned from.
pub fn regions(
    p: impl FnOnce(&Array2<f64>) -> gradus::Result<Array2<f64>>,
    samples: &Samples<f64>,
) -> Result<Regions> {
    let values = p(&Regions::points(X, Y, GRID))?;
    let values = values.into_shape_with_order(GRID)?;
    let mut regions = Regions::new("x₁", "x₂", X, Y, &values);
    for (class, name) in [(0.0, "upper moon"), (1.0, "lower moon")] {
        let rows = samples.x().rows().into_iter().zip(samples.y());
        let rows = rows.filter(|(_, y)| **y == class).map(|(x, _)| (x[0], x[1]));
        regions = regions.scatter(name, &rows.collect::<Vec<_>>());
    }
    Ok(regions)
}

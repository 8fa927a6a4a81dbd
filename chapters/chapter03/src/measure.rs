//! What is measured: paths, rates, and the steps that a precision costs.

use gradus::Optimizer;
use lab::Result;
use ndarray::{Array1, Array2, array};
use ndarray_linalg::EigVals;

use crate::bowl::Bowl;

// ANCHOR: path
/// The points that an optimizer visits on its way, the start included.
pub fn path(
    mut optimizer: impl Optimizer<f64>,
    mut gradient: impl FnMut(&Array1<f64>) -> Array1<f64>,
    start: &Array1<f64>,
    steps: usize,
) -> Vec<Array1<f64>> {
    let mut points = vec![start.clone()];
    let mut theta = start.clone();
    for _ in 0..steps {
        let g = gradient(&theta);
        optimizer.step(&mut theta, &g);
        points.push(theta.clone());
    }
    points
}
// ANCHOR_END: path

/// The first two coordinates of these points, to be drawn.
pub fn pairs(points: &[Array1<f64>]) -> Vec<(f64, f64)> {
    points.iter().map(|theta| (theta[0], theta[1])).collect()
}

/// Where the races begin: off by 1 along the floor, and by 1 across.
pub fn off_in_both(bowl: &Bowl) -> Array1<f64> {
    bowl.at(1.0, 1.0)
}

/// By which factor an optimizer multiplies the error in each step, in the end.
///
/// The logarithm of the error is fitted by a straight line over the second half of up to
/// 4000 steps. Of an optimizer that oscillates, two points in succession are looked at.
pub fn rate(mut optimizer: impl Optimizer<f64>, bowl: &Bowl) -> Result<f64> {
    let bowl = bowl.at_origin()?;
    let mut theta = off_in_both(&bowl);
    let mut before = bowl.distance(&theta);
    let mut logs = Vec::new();
    for _ in 0..4000 {
        let g = bowl.gradient(&theta);
        optimizer.step(&mut theta, &g);
        let now = bowl.distance(&theta);
        let size = now.hypot(before);
        // The distance is a root of squares, and an f64 ends at 1e-308 and 1e308.
        if !(1e-140..1e140).contains(&size) {
            break;
        }
        logs.push(size.ln());
        before = now;
    }
    Ok(slope(&logs[logs.len() / 2..]).exp())
}

/// The slope of the straight line that fits these values best.
fn slope(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let x = |i: usize| i as f64 - middle;
    let both: f64 = values.iter().enumerate().map(|(i, y)| x(i) * y).sum();
    let square: f64 = (0..values.len()).map(|i| x(i) * x(i)).sum();
    both / square
}

/// How many steps it takes until the distance from the minimum is `factor` times smaller.
pub fn steps_to(mut optimizer: impl Optimizer<f64>, bowl: &Bowl, factor: f64) -> Result<usize> {
    let bowl = bowl.at_origin()?;
    let mut theta = off_in_both(&bowl);
    let target = bowl.distance(&theta) / factor;
    for step in 1..=10_000_000 {
        let g = bowl.gradient(&theta);
        optimizer.step(&mut theta, &g);
        if bowl.distance(&theta) <= target {
            return Ok(step);
        }
    }
    Err("ten million steps were not enough".into())
}

// ANCHOR: slowest
/// What a step of the heavy ball does to error and velocity along an
/// eigenvector.
pub fn heavy_ball(eta: f64, mu: f64, lambda: f64) -> Array2<f64> {
    array![[1.0 - eta * lambda, mu], [-eta * lambda, mu]]
}

/// The largest |r| over the eigenvalues r of the matrices of all directions of
/// a bowl.
pub fn slowest<M>(bowl: &Bowl, matrix: M) -> Result<f64>
where
    M: Fn(f64) -> Array2<f64>,
{
    let mut slowest = 0.0_f64;
    for &lambda in &bowl.lambda {
        for r in matrix(lambda).eigvals()? {
            slowest = slowest.max(r.norm());
        }
    }
    Ok(slowest)
}
// ANCHOR_END: slowest

/// What one step of Nesterov's momentum does to error and velocity along an eigenvector.
pub fn nesterov(eta: f64, mu: f64, lambda: f64) -> Array2<f64> {
    array![[1.0 - (1.0 + mu) * eta * lambda, mu * mu], [-eta * lambda, mu]]
}

/// A size with two digits or more: with an exponent only where there would be many zeros.
pub fn short(size: f64) -> String {
    match size {
        0.0 => "0".into(),
        0.001..1.0 => format!("{size:.4}"),
        1.0..10.0 => format!("{size:.3}"),
        10.0..10_000.0 => format!("{size:.0}"),
        _ => format!("{size:.0e}"),
    }
}

/// An error unless what was measured is what was predicted, up to the tolerance.
pub fn agree(what: &str, measured: f64, predicted: f64, tolerance: f64) -> Result<()> {
    if (measured - predicted).abs() <= tolerance {
        return Ok(());
    }
    Err(format!("{what}: measured {measured}, but predicted {predicted}").into())
}

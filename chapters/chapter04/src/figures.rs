//! Figures: what the chapter's numbers look like.

use gradus::{Network, NeuralNetwork, Samples};
use lab::{Regions, Result};
use ndarray::Array2;

/// The numbers of the epochs, counted from 1.
pub fn epochs(n: usize) -> impl Iterator<Item = f64> + Clone {
    (1..=n).map(|epoch| epoch as f64)
}

/// What a network with two inputs decides around the samples, with the samples of each class.
pub fn regions(
    network: &NeuralNetwork<f64>,
    samples: &Samples<f64>,
    classes: &[&str],
) -> Result<Regions> {
    let range = |column: usize| {
        let values = samples.x().column(column);
        let lo = values.fold(f64::INFINITY, |lo, &x| lo.min(x));
        let hi = values.fold(f64::NEG_INFINITY, |hi, &x| hi.max(x));
        // To a tenth, with a margin.
        ((10.0 * lo - 1.5).floor() / 10.0, (10.0 * hi + 1.5).ceil() / 10.0)
    };
    let (x_range, y_range, grid) = (range(0), range(1), (90, 120));
    let points = Regions::points(x_range, y_range, grid);
    let values = if classes.len() == 2 {
        network.predict(&points)?.column(0).to_vec()
    } else {
        network.predict_labels(&points)?.iter().map(|&label| label as f64).collect()
    };
    let values = Array2::from_shape_vec(grid, values)?;
    let mut regions = Regions::new("x₁", "x₂", x_range, y_range, &values);
    for (class, name) in classes.iter().enumerate() {
        let rows = (0..samples.x().nrows()).filter(|&i| label(samples, i) == class);
        let points: Vec<_> = rows.map(|i| (samples.x()[[i, 0]], samples.x()[[i, 1]])).collect();
        regions = regions.scatter(name, &points);
    }
    Ok(regions)
}

/// The class of a sample: its target, or the column of the one in its target.
fn label(samples: &Samples<f64>, row: usize) -> usize {
    let y = samples.y().row(row);
    if y.len() == 1 {
        usize::from(y[0] > 0.5)
    } else {
        y.iter().position(|&y| y > 0.5).unwrap_or(0)
    }
}

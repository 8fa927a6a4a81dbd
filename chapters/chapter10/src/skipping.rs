//! When it pays to skip zeros.

use gradus::{blas, zeros};
use lab::{Lab, Lines, Result, Table};
use ndarray::Array2;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::ceilings::Ceilings;
use crate::cost::{dense, skipping};
use crate::counts;
use crate::measure::best_of;
use crate::task::{BATCH, SIZES, Task};

/// How often a time is taken, and in how many rounds of all that is to be timed: what disturbs a
/// machine comes and goes.
const TIMES: usize = 5;
const ROUNDS: usize = 8;

/// Up to this density the library skips zeros.
const SKIPPED: f64 = 0.25;

/// Seconds of both products, (forward, backward), of the first layer.
#[derive(Clone, Copy)]
struct Times {
    forward: f64,
    backward: f64,
}

const NEVER: Times = Times { forward: f64::INFINITY, backward: f64::INFINITY };

impl Times {
    /// The smaller of each.
    fn least(&mut self, other: Times) {
        self.forward = self.forward.min(other.forward);
        self.backward = self.backward.min(other.backward);
    }
}

fn skip(x: &Array2<f32>) -> Times {
    let [k, m, _] = SIZES;
    let (w, d) = (Array2::from_elem((k, m), 0.1_f32), Array2::from_elem((x.nrows(), m), 0.1_f32));
    let (mut y, mut d_w) = (Array2::zeros((x.nrows(), m)), Array2::zeros((k, m)));
    Times {
        forward: best_of(TIMES, || zeros::product(x, &w, &mut y)),
        backward: best_of(TIMES, || zeros::transposed_product(x, &d, &mut d_w)),
    }
}

fn all(x: &Array2<f32>) -> Times {
    let [k, m, _] = SIZES;
    let (w, d) = (Array2::from_elem((k, m), 0.1_f32), Array2::from_elem((x.nrows(), m), 0.1_f32));
    let (mut y, mut d_w) = (Array2::zeros((x.nrows(), m)), Array2::zeros((k, m)));
    Times {
        forward: best_of(TIMES, || blas::product(1.0, x, &w, 1.0, &mut y)),
        backward: best_of(TIMES, || blas::product(1.0, &x.t(), &d, 0.0, &mut d_w)),
    }
}

/// A batch in which a share of the entries, at random, is not zero.
fn random(density: f64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    Array2::from_shape_fn(
        (BATCH, SIZES[0]),
        |_| {
            if rng.random::<f64>() < density { 0.5 } else { 0.0 }
        },
    )
}

/// The straight line through some points with the least squares: (at 0, slope).
pub fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let xy: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let xx: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    (y - xy / xx * x, xy / xx)
}

/// The density at which two floors are the same, found by halving.
fn predicted_break_even(ceilings: &Ceilings) -> f64 {
    let [n, k, m] = [BATCH, SIZES[0], SIZES[1]].map(|size| size as f64);
    let rate = ceilings.product[0];
    let dense = dense("", [n, k, m], 4.0).floor(rate, ceilings);
    let (mut lo, mut hi) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = (lo + hi) / 2.0;
        let floor = skipping("", [n, k, m], 4.0, middle).floor(rate, ceilings);
        if floor < dense { lo = middle } else { hi = middle }
    }
    lo
}

/// Zeros.
pub fn pays(
    task: &Task,
    (pixels, hidden): (f64, f64),
    ceilings: &Ceilings,
    lab: &mut Lab,
) -> Result<()> {
    let x = counts::a_batch(task);
    let rho = counts::of_a_batch(task);
    let densities: Vec<f64> = (0..=8).map(|i| 0.03 * f64::from(i)).collect();
    let batches: Vec<Array2<f32>> = densities.iter().map(|&rho| random(rho)).collect();
    let (mut dense, mut skipped, mut by_density) = (NEVER, NEVER, vec![NEVER; batches.len()]);
    for _ in 0..ROUNDS {
        dense.least(all(&x));
        skipped.least(skip(&x));
        by_density.iter_mut().zip(&batches).for_each(|(times, batch)| times.least(skip(batch)));
    }
    let times = by_density.iter().map(|times| 1e6 * times.forward);
    let points: Vec<(f64, f64)> = densities.into_iter().zip(times).collect();
    let (at_0, slope) = line(&points[1..]);
    let dense_us = 1e6 * dense.forward;
    let measured = (dense_us - at_0) / slope;

    lab.section("zeros", "When it pays to skip zeros")?;
    lab.section_machine();
    let mut table = Table::new(&["µs for a batch", "y ← y + x w", "d_w ← xᵀ d"]);
    for (name, times) in [("all products", &dense), ("zeros skipped", &skipped)] {
        let cell = |seconds: f64| format!("{:.1}", 1e6 * seconds);
        table.push(vec![name.into(), cell(times.forward), cell(times.backward)]);
    }
    lab.table(&table);
    let entries = (BATCH * SIZES[0]) as f64;
    let operations = 2.0 * rho * entries * SIZES[1] as f64;
    let look = points[0].1;
    lab.say(format!(
        "\nOf the pixels of this batch, {:.1} % are not black; of all pixels, {:.1} %; of the hidden\n\
         units after four epochs, {:.1} %. To find that everything is zero takes {look:.1} microseconds,\n\
         {:.2} nanoseconds for each entry. The entries that are not zero are multiplied at {:.0} billion\n\
         operations a second.",
        100.0 * rho,
        100.0 * pixels,
        100.0 * hidden,
        1e3 * look / entries,
        operations / (skipped.forward - 1e-6 * look) / 1e9,
    ));
    let predicted = predicted_break_even(ceilings);
    // Of the formula with what was measured on the digits: ρ = P′ / P − τ P′ / (2 m).
    let all_rate = 2.0 * entries * SIZES[1] as f64 / dense.forward;
    let skip_rate = operations / (skipped.forward - 1e-6 * look);
    let formula =
        skip_rate / all_rate - 1e-6 * look / entries * skip_rate / (2.0 * SIZES[1] as f64);
    lab.say(format!(
        "\nSkipping takes as long as all products at a density of {:.2}, if its line goes on as it\n\
         begins. From the rates on the digits it follows that it would be at {formula:.2}, and from the\n\
         counted bytes and operations at {predicted:.2}.",
        measured
    ));
    lab.machine("break_even_formula", formula, "");
    lab.machine("dense_forward_us", 1e6 * dense.forward, "µs");
    lab.machine("dense_backward_us", 1e6 * dense.backward, "µs");
    lab.machine("skip_forward_us", 1e6 * skipped.forward, "µs");
    lab.machine("skip_backward_us", 1e6 * skipped.backward, "µs");
    lab.machine("skip_rate", operations / (skipped.forward - 1e-6 * look) / 1e9, "GFLOP/s");
    lab.machine("look_us", look, "µs");
    lab.machine("look_ns", 1e3 * look / entries, "ns");
    lab.near("density_batch", rho, 1e-12);
    lab.near("density_hidden", hidden, 0.004);
    lab.machine("break_even_measured", measured, "");
    lab.machine("break_even_predicted", predicted, "");
    let end = measured.clamp(SKIPPED, 1.0).min(0.9) + 0.1;
    let (xs, ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    let figure = Lines::new("density: the share of entries that are not zero", "µs for a product")
        .points("zeros skipped", xs, ys)
        .dashed("straight on", [0.0, end], [at_0, at_0 + slope * end])
        .series("all products", [0.0, end], [dense_us, dense_us])
        .vertical("MNIST", pixels)
        .vertical("the library's limit", SKIPPED);
    lab.figure(
        "break_even",
        "The time of the first layer's product, forward, against the density of its inputs: 128 \
         rows of 784 entries, zeros at random, 64 outputs, f32. All products are BLAS's; a line is \
         fitted to the points and carried on.",
        "Points on a rising straight line that begins a little above 0, and a level line, which it \
         crosses to the right of both marks.",
        &figure,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_again() {
        let (at_0, slope) = line(&[(1.0, 5.0), (2.0, 7.0), (4.0, 11.0)]);
        assert!((at_0 - 3.0).abs() < 1e-12 && (slope - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_random_batch_has_its_density() {
        assert!((crate::plain::density(&random(0.2)) - 0.2).abs() < 0.005);
        assert_eq!(crate::plain::density(&random(0.0)), 0.0);
    }
}

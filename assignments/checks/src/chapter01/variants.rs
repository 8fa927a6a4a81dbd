//! Chapter 1: wrong answers, and other right ones.

use ndarray::{Array1, Array2, Array3, Axis};

use super::{CHECKS, Functions, REFERENCE};
use crate::chapter::{Variant, bind};

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    [softmax(), jacobian(), vjp(), sigmoid(), relu(), error()].into_iter().flatten().collect()
}

fn wrong(check: &'static str, name: &'static str, functions: Functions) -> Variant {
    Variant::wrong(check, name, bind(CHECKS, functions))
}

fn right(name: &'static str, functions: Functions) -> Variant {
    Variant::right(name, bind(CHECKS, functions))
}

fn softmax() -> Vec<Variant> {
    let with = |softmax_rows| Functions { softmax_rows, ..REFERENCE };
    let wrong = |name, function| wrong("softmax_rows", name, with(function));
    vec![
        wrong("no shift", |z| shares(&z.exp(), Axis(1))),
        // Published: Yuan and DataLab.
        wrong("shifted by the maximum of the batch", |z| {
            shares(&(z - maximum(z.iter())).exp(), Axis(1))
        }),
        wrong("shifted by the mean of the row", |z| {
            let means = z.mean_axis(Axis(1)).expect("columns").insert_axis(Axis(1));
            shares(&(z - &means).exp(), Axis(1))
        }),
        wrong("columns instead of rows", |z| {
            let maxima = z.map_axis(Axis(0), |column| maximum(column.iter()));
            shares(&(z - &maxima).exp(), Axis(0))
        }),
        wrong("divided by the sum of the batch", |z| {
            let e = (z - &maxima(z)).exp();
            &e / e.sum()
        }),
        wrong("a small number added to the sum", |z| {
            let e = (z - &maxima(z)).exp();
            &e / &(e.sum_axis(Axis(1)).insert_axis(Axis(1)) + 1e-8)
        }),
        right(
            "through the logarithm",
            with(|z| {
                let shifted = z - &maxima(z);
                let sums = shifted.exp().sum_axis(Axis(1)).insert_axis(Axis(1));
                (shifted - sums.ln()).exp()
            }),
        ),
    ]
}

fn jacobian() -> Vec<Variant> {
    let with = |softmax_jacobian_stack| Functions { softmax_jacobian_stack, ..REFERENCE };
    let wrong = |name, function| wrong("softmax_jacobian_stack", name, with(function));
    vec![
        // Published, inside a backward pass: Elsharkawy.
        wrong("the diagonal only", |s| stack(s, |j, k, s_j, s_k| equal(j, k) * s_j * (1.0 - s_k))),
        wrong("diag(s) only", |s| stack(s, |j, k, s_j, _| equal(j, k) * s_j)),
        wrong("−s sᵀ, without the diagonal", |s| stack(s, |_, _, s_j, s_k| -s_j * s_k)),
        wrong("I − s sᵀ", |s| stack(s, |j, k, s_j, s_k| equal(j, k) - s_j * s_k)),
        wrong("s sᵀ − diag(s)", |s| stack(s, |j, k, s_j, s_k| s_j * (s_k - equal(j, k)))),
        wrong("diag(s) + s sᵀ", |s| stack(s, |j, k, s_j, s_k| s_j * (equal(j, k) + s_k))),
        wrong("the first sample's for all", |s| {
            let all = jacobians(s);
            let first = all.index_axis(Axis(0), 0);
            first.broadcast(all.raw_dim()).expect("one more axis").to_owned()
        }),
        right("sⱼ (δⱼₖ − sₖ)", with(jacobians)),
    ]
}

fn vjp() -> Vec<Variant> {
    let with = |softmax_vjp| Functions { softmax_vjp, ..REFERENCE };
    let wrong = |name, function| wrong("softmax_vjp", name, with(function));
    vec![
        // Published: Elsharkawy.
        wrong("the diagonal of the Jacobian only", |s, d| d * s * (1.0 - s)),
        wrong("nothing subtracted", |s, d| d * s),
        wrong("the plain mean subtracted", |s, d| {
            s * &(d - &d.mean_axis(Axis(1)).expect("columns").insert_axis(Axis(1)))
        }),
        wrong("the sum of the batch subtracted", |s, d| s * &(d - (s * d).sum())),
        wrong("subtracted after the product", |s, d| s * d - mean(s, d)),
        wrong("the other sign", |s, d| s * &(mean(s, d) - d)),
        right("through the Jacobian", with(|s, d| product(s, d, false))),
        right(
            "through the transposed Jacobian, which is the same",
            with(|s, d| product(s, d, true)),
        ),
    ]
}

fn sigmoid() -> Vec<Variant> {
    let with = |sigmoid_stable| Functions { sigmoid_stable, ..REFERENCE };
    let wrong = |name, function| wrong("sigmoid_stable", name, with(function));
    // The library's value and slope, for variants that get one of the two wrong.
    fn value(z: f64) -> f64 {
        (REFERENCE.sigmoid_stable)(z).0
    }
    fn slope(z: f64) -> f64 {
        (REFERENCE.sigmoid_stable)(z).1
    }
    vec![
        wrong("eᶻ / (1 + eᶻ)", |z| (z.exp() / (1.0 + z.exp()), slope(z))),
        wrong("1 − 1 / (1 + eᶻ)", |z| (1.0 - 1.0 / (1.0 + z.exp()), slope(z))),
        wrong("(1 + tanh(z / 2)) / 2", |z| ((1.0 + (z / 2.0).tanh()) / 2.0, slope(z))),
        wrong("clipped to ±500", |z| {
            let z = z.clamp(-500.0, 500.0);
            (value(z), slope(z))
        }),
        wrong("σ (1 − σ), which cancels", |z| (value(z), value(z) * (1.0 - value(z)))),
        wrong("e⁻ᶻ / (1 + e⁻ᶻ)²", |z| (value(z), (-z).exp() / (1.0 + (-z).exp()).powi(2))),
        wrong("the slope with the other sign", |z| (value(z), -slope(z))),
        right("1 / (1 + e⁻ᶻ), and σ(z) σ(−z)", with(|z| (logistic(z), logistic(z) * logistic(-z)))),
    ]
}

fn relu() -> Vec<Variant> {
    let with = |relu_slope| Functions { relu_slope, ..REFERENCE };
    let wrong = |name, function| wrong("relu_slope", name, with(function));
    vec![
        // Published: Yuan and DataLab.
        wrong("1 everywhere", |z| Array2::ones(z.raw_dim())),
        wrong("ReLU itself", |z| z.mapv(|z| z.max(0.0))),
        wrong("the sign", |z| z.mapv(f64::signum)),
        wrong("turned around", |z| z.mapv(|z| if z < 0.0 { 1.0 } else { 0.0 })),
        wrong("leaky", |z| z.mapv(|z| if z > 0.0 { 1.0 } else { 0.01 })),
        wrong("NaN at 0", |z| z.mapv(|z| z.max(0.0) / z)),
        right("1 at 0", with(|z| z.mapv(|z| if z >= 0.0 { 1.0 } else { 0.0 }))),
        right("½ at 0", with(|z| z.mapv(|z| if z == 0.0 { 0.5 } else { z.max(0.0) / z }))),
    ]
}

fn error() -> Vec<Variant> {
    let with = |relative_error| Functions { relative_error, ..REFERENCE };
    let wrong = |name, function| wrong("relative_error", name, with(function));
    vec![
        wrong("absolute", |g, m| worst(&(g - m).abs())),
        wrong("as a part of the derived", |g, m| worst(&errors(g, m, |g, _| g))),
        wrong("as a part of the measured", |g, m| worst(&errors(g, m, |_, m| m))),
        wrong("as a part of the sum", |g, m| worst(&errors(g, m, |g, m| g + m))),
        wrong("the mean of all entries", |g, m| errors(g, m, f64::max).mean().expect("entries")),
        wrong("norms instead of entries", |g, m| {
            let norm = |x: &Array1<f64>| x.dot(x).sqrt();
            norm(&(g - m)) / norm(g).max(norm(m))
        }),
        wrong("without absolute values", |g, m| {
            let pairs = g.iter().zip(m).filter(|(g, m)| g != m);
            let errors: Array1<f64> =
                pairs.map(|(&g, &m)| (g - m) / g.abs().max(m.abs())).collect();
            worst(&errors)
        }),
        wrong("0 / 0", |g, m| {
            let pairs = g.iter().zip(m);
            worst(&pairs.map(|(&g, &m)| (g - m).abs() / g.abs().max(m.abs())).collect())
        }),
        wrong("a NaN that is lost", |g, m| errors(g, m, f64::max).into_iter().fold(0.0, f64::max)),
        wrong("a NaN of the measured that is lost", |g, m| {
            // `f64::max` takes the larger of the two to be the one that is a number.
            let known = m.iter().zip(g).map(|(&m, &g)| if m.is_nan() { g } else { m }).collect();
            worst(&errors(g, &known, f64::max))
        }),
        right("in a plain loop", with(|g, m| worst(&errors(g, m, f64::max)))),
    ]
}

/// Every entry as a part of its row's sum (`Axis(1)`), or of its column's.
fn shares(e: &Array2<f64>, along: Axis) -> Array2<f64> {
    e / &e.sum_axis(along).insert_axis(along)
}

fn maximum<'a>(numbers: impl Iterator<Item = &'a f64>) -> f64 {
    numbers.copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The maximum of each row, (n, 1).
fn maxima(z: &Array2<f64>) -> Array2<f64> {
    z.map_axis(Axis(1), |row| maximum(row.iter())).insert_axis(Axis(1))
}

/// The mean of each row of `d`, weighted with `s`, (n, 1).
fn mean(s: &Array2<f64>, d: &Array2<f64>) -> Array2<f64> {
    (s * d).sum_axis(Axis(1)).insert_axis(Axis(1))
}

fn equal(j: usize, k: usize) -> f64 {
    if j == k { 1.0 } else { 0.0 }
}

/// A matrix for each row: the entry j, k from j, k, sⱼ and sₖ.
fn stack(s: &Array2<f64>, entry: fn(usize, usize, f64, f64) -> f64) -> Array3<f64> {
    let (n, m) = s.dim();
    Array3::from_shape_fn((n, m, m), |(i, j, k)| entry(j, k, s[[i, j]], s[[i, k]]))
}

fn jacobians(s: &Array2<f64>) -> Array3<f64> {
    stack(s, |j, k, s_j, s_k| s_j * (equal(j, k) - s_k))
}

/// Each row vector times its Jacobian.
fn product(s: &Array2<f64>, d: &Array2<f64>, transposed: bool) -> Array2<f64> {
    let mut d_z = Array2::zeros(s.raw_dim());
    for (i, j) in jacobians(s).outer_iter().enumerate() {
        let j = if transposed { j.t().to_owned() } else { j.to_owned() };
        d_z.row_mut(i).assign(&d.row(i).dot(&j));
    }
    d_z
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// The largest entry, or a NaN if there is one.
fn worst(errors: &Array1<f64>) -> f64 {
    let mut worst = 0.0;
    for &error in errors {
        if error.is_nan() {
            return f64::NAN;
        }
        if error > worst {
            worst = error;
        }
    }
    worst
}

/// Each entry's error, as a part of what `size` makes of the two absolute values.
fn errors(g: &Array1<f64>, m: &Array1<f64>, size: fn(f64, f64) -> f64) -> Array1<f64> {
    let pairs = g.iter().zip(m);
    pairs
        .map(|(&g, &m)| if g == m { 0.0 } else { (g - m).abs() / size(g.abs(), m.abs()) })
        .collect()
}

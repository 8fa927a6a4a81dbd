//! Chapter 1: wrong answers, and other right ones.

mod elementwise;

use ndarray::{Array2, Array3, Axis};

use signatures::chapter01::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    [softmax(), jacobian(), vjp(), elementwise::all()].into_iter().flatten().collect()
}

fn softmax() -> Vec<Variant> {
    let with = |softmax_rows| Functions { softmax_rows, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("softmax_rows", name, with(function));
    let right = |name, function| Variant::right("softmax_rows", name, with(function));
    vec![
        wrong("nothing subtracted before the exponentials", |z| shares(&z.exp(), Axis(1)))
            .see("softmax_largest_exponent_is_zero"),
        wrong("the maximum of the whole batch subtracted from every row", |z| {
            shares(&(z - maximum(z.iter())).exp(), Axis(1))
        })
        .published("yuan")
        .see("softmax-batch-maximum"),
        wrong("the mean of each row subtracted, where it should be the maximum", |z| {
            let means = z.mean_axis(Axis(1)).expect("columns").insert_axis(Axis(1));
            shares(&(z - &means).exp(), Axis(1))
        })
        .see("softmax_largest_exponent_is_zero"),
        wrong("the minimum of each row subtracted, where it should be the maximum", |z| {
            shares(&(z + &maxima(&-z)).exp(), Axis(1))
        })
        .see("softmax_largest_exponent_is_zero"),
        wrong("a maximum that begins at 0, which is larger than every negative entry", |z| {
            shares(&(z - &maxima(z).mapv(|max| max.max(0.0))).exp(), Axis(1))
        })
        .see("softmax_largest_exponent_is_zero"),
        wrong("the largest absolute value of each row subtracted", |z| {
            shares(&(z - &maxima(&z.abs())).exp(), Axis(1))
        })
        .see("softmax_largest_exponent_is_zero"),
        wrong("entries clipped before the exponentials", |z| {
            shares(&z.clamp(-500.0, 500.0).exp(), Axis(1))
        })
        .see("softmax_shift"),
        wrong("the maximum subtracted above the fraction bar, and not below it", |z| {
            (z - &maxima(z)).exp() / z.exp().sum_axis(Axis(1)).insert_axis(Axis(1))
        })
        .see("softmax_shift"),
        wrong("the softmax of each column", |z| {
            let maxima = z.map_axis(Axis(0), |column| maximum(column.iter()));
            shares(&(z - &maxima).exp(), Axis(0))
        }),
        wrong("each row divided by the sum of the whole batch", |z| {
            let e = (z - &maxima(z)).exp();
            &e / e.sum()
        }),
        wrong("the exponentials of the shifted row, not divided by their sum", |z| {
            (z - &maxima(z)).exp()
        }),
        wrong("a small number added to the sum", |z| {
            let e = (z - &maxima(z)).exp();
            &e / &(e.sum_axis(Axis(1)).insert_axis(Axis(1)) + 1e-8)
        }),
        wrong("the logarithm of softmax", |z| {
            let shifted = z - &maxima(z);
            let sums = shifted.exp().sum_axis(Axis(1)).insert_axis(Axis(1));
            shifted - sums.ln()
        }),
        wrong("the sigmoid of each entry", |z| z.mapv(elementwise::logistic)),
        right("through the logarithm", |z| {
            let shifted = z - &maxima(z);
            let sums = shifted.exp().sum_axis(Axis(1)).insert_axis(Axis(1));
            (shifted - sums.ln()).exp()
        }),
    ]
}

fn jacobian() -> Vec<Variant> {
    let with = |softmax_jacobian_stack| Functions { softmax_jacobian_stack, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("softmax_jacobian_stack", name, with(function));
    let right = |name, function| Variant::right("softmax_jacobian_stack", name, with(function));
    vec![
        // Published inside a backward pass.
        wrong("the diagonal of the Jacobian only", |s| {
            stack(s, |j, k, s_j, s_k| equal(j, k) * s_j * (1.0 - s_k))
        })
        .published("elsharkawy")
        .see("softmax_quotient_other_input"),
        wrong(
            "a diagonal matrix of the outputs, diag(s), from which s sᵀ is still to be taken",
            |s| stack(s, |j, k, s_j, _| equal(j, k) * s_j),
        ),
        wrong("−s sᵀ alone, which lacks sⱼ on the diagonal", |s| {
            stack(s, |_, _, s_j, s_k| -s_j * s_k)
        })
        .see("softmax_quotient_own_input"),
        wrong("I − s sᵀ, with ones on the diagonal in place of s", |s| {
            stack(s, |j, k, s_j, s_k| equal(j, k) - s_j * s_k)
        }),
        wrong("every entry with the other sign: s sᵀ − diag(s)", |s| {
            stack(s, |j, k, s_j, s_k| s_j * (s_k - equal(j, k)))
        }),
        wrong("diag(s) + s sᵀ, where it should be minus", |s| {
            stack(s, |j, k, s_j, s_k| s_j * (equal(j, k) + s_k))
        }),
        wrong("entries beside the diagonal without their minus sign", |s| {
            stack(s, |j, k, s_j, s_k| s_j * s_k + equal(j, k) * s_j * (1.0 - 2.0 * s_k))
        })
        .see("softmax_quotient_other_input"),
        wrong("the first sample's Jacobian for all samples", |s| {
            let all = jacobians(s);
            let first = all.index_axis(Axis(0), 0);
            first.broadcast(all.raw_dim()).expect("one more axis").to_owned()
        }),
        wrong("softmax applied once more, to what it had returned", |s| {
            jacobians(&shares(&s.exp(), Axis(1)))
        }),
        right("sⱼ (δⱼₖ − sₖ)", jacobians),
    ]
}

fn vjp() -> Vec<Variant> {
    let with = |softmax_vjp| Functions { softmax_vjp, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("softmax_vjp", name, with(function));
    let right = |name, function| Variant::right("softmax_vjp", name, with(function));
    vec![
        wrong("the diagonal of the Jacobian only", |s, d| d * s * (1.0 - s))
            .published("elsharkawy")
            .see("softmax_quotient_other_input"),
        wrong("nothing subtracted: d_s times s", |s, d| d * s),
        wrong("the plain mean of each row subtracted, not the one weighted with s", |s, d| {
            s * &(d - &d.mean_axis(Axis(1)).expect("columns").insert_axis(Axis(1)))
        }),
        wrong("the plain sum of each row subtracted, not the one weighted with s", |s, d| {
            s * &(d - &d.sum_axis(Axis(1)).insert_axis(Axis(1)))
        }),
        wrong("the weighted sum of each row divided by the number of outputs as well", |s, d| {
            s * &(d - &(mean(s, d) / s.ncols() as f64))
        }),
        wrong("the sum of the whole batch subtracted from every row", |s, d| {
            s * &(d - (s * d).sum())
        }),
        wrong("the sum of each column subtracted, where it should be that of the row", |s, d| {
            s * &(d - &(s * d).sum_axis(Axis(0)))
        }),
        wrong("the weighted mean subtracted after the product with s", |s, d| s * d - mean(s, d)),
        wrong("the weighted mean subtracted, and no product with s after it", |s, d| {
            d - mean(s, d)
        }),
        wrong("the weighted mean added, where it should be subtracted", |s, d| {
            s * &(d + mean(s, d))
        }),
        wrong("every entry divided by the batch size", |s, d| {
            s * &(d - mean(s, d)) / s.nrows() as f64
        }),
        wrong("every entry with the other sign", |s, d| s * &(mean(s, d) - d)),
        wrong("softmax applied once more, to what it had returned", |s, d| {
            product(&shares(&s.exp(), Axis(1)), d, false)
        }),
        right("through the Jacobian", |s, d| product(s, d, false)),
        right("through the transposed Jacobian, which is the same", |s, d| product(s, d, true)),
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

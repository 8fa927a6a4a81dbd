//! Chapter 2: wrong answers, and other right ones.

use ndarray::{Array1, Array2, Array3, Axis, Zip};

use super::{CHECKS, Functions, REFERENCE, Rows};
use crate::chapter::{Variant, bind};

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    [squared(), entropy(), chain(), log_sum(), softmax_loss(), coins()]
        .into_iter()
        .flatten()
        .collect()
}

fn wrong(check: &'static str, name: &'static str, functions: Functions) -> Variant {
    Variant::wrong(check, name, bind(CHECKS, functions))
}

fn right(name: &'static str, functions: Functions) -> Variant {
    Variant::right(name, bind(CHECKS, functions))
}

fn squared() -> Vec<Variant> {
    let with = |squared_error_rows: Rows| Functions { squared_error_rows, ..REFERENCE };
    let wrong = |name, function| wrong("squared_error_rows", name, with(function));
    // The library's values and rows, for variants that get one of the two wrong.
    fn values(y_hat: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
        (REFERENCE.squared_error_rows)(y_hat, y).0
    }
    fn rows(y_hat: &Array2<f64>, y: &Array2<f64>) -> Array3<f64> {
        (REFERENCE.squared_error_rows)(y_hat, y).1
    }
    vec![
        wrong("a sum over the outputs", |p, y| {
            let m = p.ncols() as f64;
            (values(p, y) * m, rows(p, y) * m)
        }),
        // Published: Elsharkawy divides by the batch once more.
        wrong("the derivative divided by n as well", |p, y| {
            (values(p, y), rows(p, y) / p.nrows() as f64)
        }),
        wrong("divided by n instead of m", |p, y| {
            let factor = p.ncols() as f64 / p.nrows() as f64;
            (values(p, y) * factor, rows(p, y) * factor)
        }),
        wrong("half of the square", |p, y| (values(p, y) / 2.0, rows(p, y) / 2.0)),
        wrong("the 2 forgotten in the derivative", |p, y| (values(p, y), rows(p, y) / 2.0)),
        wrong("target minus output", |p, y| (values(p, y), rows(y, p))),
        wrong("the root of the mean", |p, y| (values(p, y).sqrt(), rows(p, y))),
        wrong("a stack of shape (1, n, m)", |p, y| {
            (values(p, y), rows(p, y).index_axis_move(Axis(1), 0).insert_axis(Axis(0)))
        }),
        right(
            "entry by entry",
            with(|p, y| {
                let ((n, m), mean) = (p.dim(), 1.0 / p.ncols() as f64);
                let value = |i| (0..m).map(|j| mean * (p[[i, j]] - y[[i, j]]).powi(2)).sum();
                let rows = Array3::from_shape_fn((n, 1, m), |(i, _, j)| {
                    2.0 * mean * (p[[i, j]] - y[[i, j]])
                });
                (Array1::from_shape_fn(n, value), rows)
            }),
        ),
    ]
}

fn entropy() -> Vec<Variant> {
    let with = |cross_entropy_rows: Rows| Functions { cross_entropy_rows, ..REFERENCE };
    let wrong = |name, function| wrong("cross_entropy_rows", name, with(function));
    fn values(y_hat: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
        (REFERENCE.cross_entropy_rows)(y_hat, y).0
    }
    fn rows(y_hat: &Array2<f64>, y: &Array2<f64>) -> Array3<f64> {
        (REFERENCE.cross_entropy_rows)(y_hat, y).1
    }
    fn stacked(d: Array2<f64>) -> Array3<f64> {
        d.insert_axis(Axis(1))
    }
    vec![
        wrong("0 ln 0", |p, y| (-(y * &p.ln()).sum_axis(Axis(1)), rows(p, y))),
        wrong("0 / 0", |p, y| (values(p, y), stacked(-(y / p)))),
        // Published: Lazar.
        wrong("machine epsilon in the denominator", |p, y| {
            (values(p, y), stacked(-(y / (p + f64::EPSILON))))
        }),
        wrong("1e-8 in the logarithm", |p, y| {
            (-(y * &(p + 1e-8).ln()).sum_axis(Axis(1)), rows(p, y))
        }),
        wrong("clipped at 1e-12", |p, y| {
            let p = p.mapv(|p| p.max(1e-12));
            (values(&p, y), rows(&p, y))
        }),
        wrong("a mean over the classes", |p, y| {
            let m = p.ncols() as f64;
            (values(p, y) / m, rows(p, y) / m)
        }),
        wrong("the class of the largest target alone", |p, y| {
            let mut single = Array2::zeros(y.raw_dim());
            for (mut single, y) in single.rows_mut().into_iter().zip(y.rows()) {
                let max = y.fold(0.0, |max: f64, &y| max.max(y));
                let class = y.iter().position(|&y| y == max).expect("classes");
                single[class] = 1.0;
            }
            (values(p, &single), rows(p, &single))
        }),
        wrong("the gradient behind a softmax", |p, y| (values(p, y), stacked(p - y))),
        wrong("the other sign", |p, y| (values(p, y), -rows(p, y))),
        wrong("outputs and targets exchanged", |p, y| {
            let y_ln_p =
                Zip::from(p).and(y).map_collect(|&p, &y| if p > 0.0 { p * y.ln() } else { 0.0 });
            (-y_ln_p.sum_axis(Axis(1)), rows(p, y))
        }),
        wrong("divided by n", |p, y| (values(p, y), rows(p, y) / p.nrows() as f64)),
        right(
            "asked about the target first",
            with(|p, y| {
                let only = |f: fn(f64, f64) -> f64| {
                    let f = move |&p: &f64, &y: &f64| if y == 0.0 { 0.0 } else { f(p, y) };
                    Zip::from(p).and(y).map_collect(f)
                };
                (only(|p, y| -y * p.ln()).sum_axis(Axis(1)), stacked(only(|p, y| -y / p)))
            }),
        ),
    ]
}

fn chain() -> Vec<Variant> {
    let with = |rows_through_jacobians| Functions { rows_through_jacobians, ..REFERENCE };
    let wrong = |name, function| wrong("rows_through_jacobians", name, with(function));
    vec![
        wrong("the transposed Jacobian, where it fits", |d, jacobian| {
            let (_, m, k) = jacobian.dim();
            if m == k {
                products(d, &jacobian.view().permuted_axes([0, 2, 1]).to_owned())
            } else {
                products(d, jacobian)
            }
        }),
        // Published, behind a softmax: Elsharkawy.
        wrong("the diagonal only, where there is one", |d, jacobian| {
            let (_, m, k) = jacobian.dim();
            let mut kept = jacobian.clone();
            if m == k {
                kept.indexed_iter_mut().for_each(|((_, j, l), x)| *x *= f64::from(j == l));
            }
            products(d, &kept)
        }),
        wrong("the first sample's Jacobian for all", |d, jacobian| {
            let first = jacobian.index_axis(Axis(0), 0);
            let all = first.broadcast(jacobian.raw_dim()).expect("one more axis").to_owned();
            products(d, &all)
        }),
        wrong("the first sample's row for all", |d, jacobian| {
            let first = d.index_axis(Axis(0), 0);
            products(&first.broadcast(d.raw_dim()).expect("one more axis").to_owned(), jacobian)
        }),
        wrong("summed over the samples", |d, jacobian| {
            let all = products(d, jacobian);
            let sum = all.sum_axis(Axis(0));
            sum.broadcast(all.raw_dim()).expect("one more axis").to_owned()
        }),
        wrong("divided by n", |d, jacobian| products(d, jacobian) / d.dim().0 as f64),
        wrong("a shape without the 1", |d, jacobian| {
            products(d, jacobian).index_axis_move(Axis(1), 0).insert_axis(Axis(0))
        }),
        right("as a triple loop", with(products)),
        right(
            "as column sums",
            with(|d, jacobian| {
                let rows = d.view().permuted_axes([0, 2, 1]);
                (&rows * jacobian).sum_axis(Axis(1)).insert_axis(Axis(1))
            }),
        ),
    ]
}

fn log_sum() -> Vec<Variant> {
    let with = |stable_log_sum| Functions { stable_log_sum, ..REFERENCE };
    let wrong = |name, function| wrong("stable_log_sum", name, with(function));
    vec![
        wrong("no shift", |z| z.exp().sum_axis(Axis(1)).ln()),
        // Published, inside a softmax: Yuan and DataLab.
        wrong("shifted by the maximum of the batch", |z| {
            let max = maximum(z.iter());
            (z - max).exp().sum_axis(Axis(1)).ln() + max
        }),
        wrong("a 1 in the sum", |z| {
            let maxima = maxima(z);
            (z - &maxima).exp().sum_axis(Axis(1)).ln() + maxima.index_axis_move(Axis(1), 0)
        }),
        wrong("the shift not added back", |z| (z - &maxima(z)).exp().sum_axis(Axis(1)).ln()),
        wrong("all maxima left out", |z| {
            let maxima = maxima(z);
            let others = (z - &maxima).mapv(|z| if z == 0.0 { 0.0 } else { z.exp() });
            others.sum_axis(Axis(1)).ln_1p() + maxima.index_axis_move(Axis(1), 0)
        }),
        wrong("the maximum counted twice", |z| {
            let maxima = maxima(z);
            (z - &maxima).exp().sum_axis(Axis(1)).ln_1p() + maxima.index_axis_move(Axis(1), 0)
        }),
        wrong("the maximum", |z| maxima(z).index_axis_move(Axis(1), 0)),
        wrong("columns instead of rows, where they are as many", |z| {
            let t = if z.is_square() { z.t().to_owned() } else { z.clone() };
            (REFERENCE.stable_log_sum)(&t)
        }),
        right(
            "with the largest sorted to the end",
            with(|z| {
                z.rows()
                    .into_iter()
                    .map(|row| {
                        let mut row = row.to_vec();
                        row.sort_by(f64::total_cmp);
                        let max = row.pop().expect("entries");
                        max + row.iter().map(|z| (z - max).exp()).sum::<f64>().ln_1p()
                    })
                    .collect()
            }),
        ),
    ]
}

fn softmax_loss() -> Vec<Variant> {
    let with = |softmax_loss_from_logits| Functions { softmax_loss_from_logits, ..REFERENCE };
    let wrong = |name, function| wrong("softmax_loss_from_logits", name, with(function));
    fn value(z: &Array2<f64>, y: &Array2<f64>) -> f64 {
        (REFERENCE.softmax_loss_from_logits)(z, y).0
    }
    fn slope(z: &Array2<f64>, y: &Array2<f64>) -> Array2<f64> {
        (REFERENCE.softmax_loss_from_logits)(z, y).1
    }
    vec![
        wrong("sums over the batch", |z, y| {
            let n = z.nrows() as f64;
            (value(z, y) * n, slope(z, y) * n)
        }),
        wrong("the derivative of the sum", |z, y| (value(z, y), slope(z, y) * z.nrows() as f64)),
        // Published: Elsharkawy.
        wrong("divided by n twice", |z, y| (value(z, y), slope(z, y) / z.nrows() as f64)),
        // Published: Elsharkawy.
        wrong("the diagonal of the Jacobian only", |z, y| {
            (value(z, y), -(y * &(1.0 - softmax(z))) / z.nrows() as f64)
        }),
        // Published: Lazar.
        wrong("machine epsilon in the denominator", |z, y| {
            let s = softmax(z);
            let d = -(y / &(&s + f64::EPSILON));
            let means = (&s * &d).sum_axis(Axis(1)).insert_axis(Axis(1));
            (value(z, y), s * (d - means) / z.nrows() as f64)
        }),
        wrong("a division by a probability of 0", |z, y| {
            let s = softmax(z);
            let d = -(y / &s);
            let means = (&s * &d).sum_axis(Axis(1)).insert_axis(Axis(1));
            (value(z, y), s * (d - means) / z.nrows() as f64)
        }),
        wrong("the loss through its probability", |z, y| {
            let terms = Zip::from(&softmax(z))
                .and(y)
                .map_collect(|&s, &y| if y == 0.0 { 0.0 } else { -y * s.ln() });
            (terms.sum() / z.nrows() as f64, slope(z, y))
        }),
        wrong("no shift", |z, y| {
            let e = z.exp();
            let sums = e.sum_axis(Axis(1));
            let loss = sums.ln().sum() - (y * z).sum();
            let n = z.nrows() as f64;
            (loss / n, (e / sums.insert_axis(Axis(1)) - y) / n)
        }),
        wrong("target minus output", |z, y| (value(z, y), -slope(z, y))),
        wrong("a mean over the classes too", |z, y| {
            let m = z.ncols() as f64;
            (value(z, y) / m, slope(z, y) / m)
        }),
        right(
            "through the logarithm of softmax",
            with(|z, y| {
                let sums = (REFERENCE.stable_log_sum)(z).insert_axis(Axis(1));
                let logs = z - &sums;
                let n = z.nrows() as f64;
                (-(y * &logs).sum() / n, (logs.exp() - y) / n)
            }),
        ),
    ]
}

fn coins() -> Vec<Variant> {
    let with = |coins_from_logits| Functions { coins_from_logits, ..REFERENCE };
    let wrong = |name, function| wrong("coins_from_logits", name, with(function));
    vec![
        wrong("through the sigmoid", |z, y| {
            means(z, y, |z, y| {
                let s = 1.0 / (1.0 + (-z).exp());
                let term = |y: f64, p: f64| if y == 0.0 { 0.0 } else { -y * p.ln() };
                term(y, s) + term(1.0 - y, 1.0 - s)
            })
        }),
        wrong("an exponential that overflows", |z, y| means(z, y, |z, y| z.exp().ln_1p() - y * z)),
        wrong("the 1 added before the logarithm", |z, y| {
            means(z, y, |z, y| z.max(0.0) - y * z + (1.0 + (-z.abs()).exp()).ln())
        }),
        wrong("y ln σ alone", |z, y| means(z, y, |z, y| y * softplus(-z))),
        wrong("targets turned around", |z, y| means(z, y, |z, y| coin(z, 1.0 - y))),
        wrong("a sum over the outputs", |z, y| means(z, y, coin) * z.ncols() as f64),
        wrong("a mean over the batch", |z, y| {
            means(z, y, coin) * z.ncols() as f64 / z.nrows() as f64
        }),
        wrong("logits clipped at 30", |z, y| means(z, y, |z, y| coin(z.clamp(-30.0, 30.0), y))),
        right(
            "max(z, 0) − y z",
            with(|z, y| means(z, y, |z, y| z.max(0.0) - y * z + (-z.abs()).exp().ln_1p())),
        ),
        right("a mixture of two softplus", with(|z, y| means(z, y, coin))),
    ]
}

/// Each row vector times its Jacobian.
fn products(d: &Array3<f64>, jacobian: &Array3<f64>) -> Array3<f64> {
    let (n, m, k) = jacobian.dim();
    Array3::from_shape_fn((n, 1, k), |(i, _, j)| {
        (0..m).map(|l| d[[i, 0, l]] * jacobian[[i, l, j]]).sum()
    })
}

fn maximum<'a>(numbers: impl Iterator<Item = &'a f64>) -> f64 {
    numbers.copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The maximum of each row, (n, 1).
fn maxima(z: &Array2<f64>) -> Array2<f64> {
    z.map_axis(Axis(1), |row| maximum(row.iter())).insert_axis(Axis(1))
}

fn softmax(z: &Array2<f64>) -> Array2<f64> {
    let e = (z - &maxima(z)).exp();
    let sums = e.sum_axis(Axis(1)).insert_axis(Axis(1));
    e / sums
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// The loss of one coin.
fn coin(z: f64, y: f64) -> f64 {
    y * softplus(-z) + (1.0 - y) * softplus(z)
}

/// The mean over the outputs of each sample.
fn means(z: &Array2<f64>, y: &Array2<f64>, loss: fn(f64, f64) -> f64) -> Array1<f64> {
    let losses = Zip::from(z).and(y).map_collect(|&z, &y| loss(z, y));
    losses.mean_axis(Axis(1)).expect("outputs")
}

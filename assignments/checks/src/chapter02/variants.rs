//! Chapter 2: wrong answers, and other right ones.

mod coins;
mod logits;

use ndarray::{Array1, Array2, Array3, Axis, Zip};

use signatures::chapter02::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    [squared(), entropy(), chain(), logits::all(), coins::all()].into_iter().flatten().collect()
}

fn squared() -> Vec<Variant> {
    let with = |squared_error_rows| Functions { squared_error_rows, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("squared_error_rows", name, with(function));
    let right = |name, function| Variant::right("squared_error_rows", name, with(function));
    // The library's values and rows, for variants that get one of the two wrong.
    fn values(y_hat: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
        (REFERENCE.squared_error_rows)(y_hat, y).0
    }
    fn rows(y_hat: &Array2<f64>, y: &Array2<f64>) -> Array3<f64> {
        (REFERENCE.squared_error_rows)(y_hat, y).1
    }
    vec![
        wrong("sums over the outputs, where there should be means", |p, y| {
            let m = p.ncols() as f64;
            (values(p, y) * m, rows(p, y) * m)
        })
        .see("mse_value"),
        wrong("a mean as the value, and the derivative of the sum", |p, y| {
            (values(p, y), rows(p, y) * p.ncols() as f64)
        }),
        wrong("the derivative divided by the batch size as well", |p, y| {
            (values(p, y), rows(p, y) / p.nrows() as f64)
        })
        .published("elsharkawy")
        .see("batch_mean_divides_once"),
        wrong("value and derivative divided by the batch size as well", |p, y| {
            let n = p.nrows() as f64;
            (values(p, y) / n, rows(p, y) / n)
        })
        .see("batch_mean_divides_once"),
        wrong(
            "value and derivative divided by the batch size, not by the number of outputs",
            |p, y| {
                let factor = p.ncols() as f64 / p.nrows() as f64;
                (values(p, y) * factor, rows(p, y) * factor)
            },
        )
        .see("mse_value"),
        wrong("the mean over the whole batch as the value of every sample", |p, y| {
            let values = values(p, y);
            (Array1::from_elem(p.nrows(), values.mean().expect("samples")), rows(p, y))
        })
        .see("mse_value"),
        wrong("half of the mean squared error", |p, y| (values(p, y) / 2.0, rows(p, y) / 2.0))
            .see("mse_value"),
        wrong("the factor 2 of the derivative forgotten", |p, y| (values(p, y), rows(p, y) / 2.0)),
        wrong("ŷ − y as the derivative, without the factor 2 / m", |p, y| {
            (values(p, y), (p - y).insert_axis(Axis(1)))
        }),
        wrong("a derivative with the other sign: target minus output", |p, y| {
            (values(p, y), rows(y, p))
        }),
        wrong("the root of the mean squared error as the value", |p, y| {
            (values(p, y).sqrt(), rows(p, y))
        })
        .see("mse_value"),
        wrong("the square of the mean error as the value", |p, y| {
            ((p - y).mean_axis(Axis(1)).expect("outputs").powi(2), rows(p, y))
        })
        .see("mse_value"),
        wrong("the mean absolute error, and its derivative", |p, y| {
            let errors = p - y;
            let signs = errors.mapv(f64::signum) / p.ncols() as f64;
            (errors.abs().mean_axis(Axis(1)).expect("outputs"), signs.insert_axis(Axis(1)))
        })
        .see("mse_value"),
        wrong("a stack of the shape (1, n, m), with the 1 in the wrong place", |p, y| {
            (values(p, y), rows(p, y).index_axis_move(Axis(1), 0).insert_axis(Axis(0)))
        })
        .see("chain_rule_batched_product"),
        wrong("a stack of columns, (n, m, 1), where there should be rows", |p, y| {
            (values(p, y), rows(p, y).index_axis_move(Axis(1), 0).insert_axis(Axis(2)))
        })
        .see("chain_rule_batched_product"),
        right("entry by entry", |p, y| {
            let ((n, m), mean) = (p.dim(), 1.0 / p.ncols() as f64);
            let value = |i| (0..m).map(|j| mean * (p[[i, j]] - y[[i, j]]).powi(2)).sum();
            let rows =
                Array3::from_shape_fn((n, 1, m), |(i, _, j)| 2.0 * mean * (p[[i, j]] - y[[i, j]]));
            (Array1::from_shape_fn(n, value), rows)
        }),
    ]
}

fn entropy() -> Vec<Variant> {
    let with = |cross_entropy_rows| Functions { cross_entropy_rows, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("cross_entropy_rows", name, with(function));
    let right = |name, function| Variant::right("cross_entropy_rows", name, with(function));
    fn values(y_hat: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
        (REFERENCE.cross_entropy_rows)(y_hat, y).0
    }
    fn rows(y_hat: &Array2<f64>, y: &Array2<f64>) -> Array3<f64> {
        (REFERENCE.cross_entropy_rows)(y_hat, y).1
    }
    fn stacked(d: Array2<f64>) -> Array3<f64> {
        d.insert_axis(Axis(1))
    }
    // With a small number added to the outputs.
    fn padded_values(p: &Array2<f64>, y: &Array2<f64>, small: f64) -> Array1<f64> {
        -(y * &(p + small).ln()).sum_axis(Axis(1))
    }
    fn padded_rows(p: &Array2<f64>, y: &Array2<f64>, small: f64) -> Array3<f64> {
        stacked(-(y / &(p + small)))
    }
    fn padded<const DIGITS: i32>(p: &Array2<f64>, y: &Array2<f64>) -> (Array1<f64>, Array3<f64>) {
        let small = 10_f64.powi(-DIGITS);
        (padded_values(p, y, small), padded_rows(p, y, small))
    }
    fn clipped<const DIGITS: i32>(p: &Array2<f64>, y: &Array2<f64>) -> (Array1<f64>, Array3<f64>) {
        let p = p.mapv(|p| p.max(10_f64.powi(-DIGITS)));
        (values(&p, y), rows(&p, y))
    }
    vec![
        wrong("0 ln 0 in the value and 0 / 0 in the derivative, which are NaN", |p, y| {
            (-(y * &p.ln()).sum_axis(Axis(1)), stacked(-(y / p)))
        }),
        wrong("0 ln 0 in the value, which is NaN", |p, y| {
            (-(y * &p.ln()).sum_axis(Axis(1)), rows(p, y))
        })
        .see("cce_value"),
        wrong("0 / 0 in the derivative, which is NaN", |p, y| (values(p, y), stacked(-(y / p)))),
        wrong("machine epsilon added to the denominator", |p, y| {
            (values(p, y), padded_rows(p, y, f64::EPSILON))
        })
        .published("lazar")
        .see("eps_shrinks_the_gradient"),
        wrong("machine epsilon added to every output", |p, y| {
            (padded_values(p, y, f64::EPSILON), padded_rows(p, y, f64::EPSILON))
        })
        .published("lazar")
        .see("eps_shrinks_the_gradient"),
        wrong("the smallest normal number, f64::MIN_POSITIVE, added to every output", |p, y| {
            let small = f64::MIN_POSITIVE;
            (padded_values(p, y, small), padded_rows(p, y, small))
        })
        .see("eps_shrinks_the_gradient"),
        wrong("1e-7 added to every output", padded::<7>).see("eps_shrinks_the_gradient"),
        wrong("1e-8 added to every output", padded::<8>).see("eps_shrinks_the_gradient"),
        wrong("1e-10 added to every output", padded::<10>).see("eps_shrinks_the_gradient"),
        wrong("1e-12 added to every output", padded::<12>).see("eps_shrinks_the_gradient"),
        wrong("1e-15 added to every output", padded::<15>).see("eps_shrinks_the_gradient"),
        wrong("1e-8 added to the output in the logarithm", |p, y| {
            (padded_values(p, y, 1e-8), rows(p, y))
        })
        .see("cce_value"),
        wrong("outputs below 1e-7 raised to it", clipped::<7>).see("vanishing-gradient"),
        wrong("outputs below 1e-12 raised to it", clipped::<12>).see("vanishing-gradient"),
        wrong("outputs below 1e-15 raised to it", clipped::<15>).see("vanishing-gradient"),
        wrong("a mean over the classes, where there should be a sum", |p, y| {
            let m = p.ncols() as f64;
            (values(p, y) / m, rows(p, y) / m)
        })
        .see("cce_value"),
        wrong("the class with the largest target alone, as if all targets were one-hot", |p, y| {
            let mut single = Array2::zeros(y.raw_dim());
            for (mut single, y) in single.rows_mut().into_iter().zip(y.rows()) {
                let max = y.fold(0.0, |max: f64, &y| max.max(y));
                let class = y.iter().position(|&y| y == max).expect("classes");
                single[class] = 1.0;
            }
            (values(p, &single), rows(p, &single))
        })
        .see("cce_value"),
        wrong("every class with a target above 0 counted in full, as if it were 1", |p, y| {
            let full = y.mapv(|y| if y > 0.0 { 1.0 } else { 0.0 });
            (values(p, &full), rows(p, &full))
        })
        .see("cce_value"),
        wrong("classes with a target of exactly 1 counted, and no others", |p, y| {
            let ones = y.mapv(|y| if y == 1.0 { 1.0 } else { 0.0 });
            (values(p, &ones), rows(p, &ones))
        })
        .see("cce_value"),
        wrong("the divergence as the value: the entropy of the targets taken away", |p, y| {
            (values(p, y) - values(y, y), rows(p, y))
        })
        .see("cross_entropy_splits"),
        wrong("ŷ − y as the derivative, which is the one behind a softmax", |p, y| {
            (values(p, y), stacked(p - y))
        }),
        wrong("a derivative with the other sign", |p, y| (values(p, y), -rows(p, y))),
        wrong("a value with the other sign", |p, y| (-values(p, y), rows(p, y))).see("cce_value"),
        wrong("−1 / ŷ as the derivative, for all classes alike", |p, y| {
            (values(p, y), stacked(-1.0 / p))
        }),
        wrong("outputs and targets exchanged in the value", |p, y| {
            let y_ln_p =
                Zip::from(p).and(y).map_collect(|&p, &y| if p > 0.0 { p * y.ln() } else { 0.0 });
            (-y_ln_p.sum_axis(Axis(1)), rows(p, y))
        })
        .see("cce_value"),
        wrong("the value in bits, by the logarithm to base 2", |p, y| {
            (values(p, y) / 2_f64.ln(), rows(p, y))
        })
        .see("cce_value"),
        wrong("the binary cross-entropy, summed over the classes", |p, y| {
            let others = (1.0 - p, 1.0 - y);
            let values = values(p, y) + values(&others.0, &others.1);
            (values, rows(p, y) - rows(&others.0, &others.1))
        })
        .see("cce_value"),
        wrong("the derivative divided by the batch size as well", |p, y| {
            (values(p, y), rows(p, y) / p.nrows() as f64)
        })
        .published("elsharkawy")
        .see("batch_mean_divides_once"),
        right("asked about the target first", |p, y| {
            let only = |f: fn(f64, f64) -> f64| {
                let f = move |&p: &f64, &y: &f64| if y == 0.0 { 0.0 } else { f(p, y) };
                Zip::from(p).and(y).map_collect(f)
            };
            (only(|p, y| -y * p.ln()).sum_axis(Axis(1)), stacked(only(|p, y| -y / p)))
        }),
    ]
}

fn chain() -> Vec<Variant> {
    let with = |rows_through_jacobians| Functions { rows_through_jacobians, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("rows_through_jacobians", name, with(function));
    let right = |name, function| Variant::right("rows_through_jacobians", name, with(function));
    // The same sum for every sample.
    fn for_all(sum: &Array2<f64>, n: usize) -> Array3<f64> {
        sum.broadcast((n, sum.nrows(), sum.ncols())).expect("one more axis").to_owned()
    }
    vec![
        wrong("the transposed Jacobian, where its shape allows it", |d, jacobian| {
            let (_, m, k) = jacobian.dim();
            if m == k {
                products(d, &jacobian.view().permuted_axes([0, 2, 1]).to_owned())
            } else {
                products(d, jacobian)
            }
        }),
        // Published behind a softmax.
        wrong("the diagonal of the Jacobian only, where it is square", |d, jacobian| {
            let (_, m, k) = jacobian.dim();
            let mut kept = jacobian.clone();
            if m == k {
                kept.indexed_iter_mut().for_each(|((_, j, l), x)| *x *= f64::from(j == l));
            }
            products(d, &kept)
        })
        .published("elsharkawy")
        .see("diagonal-bug"),
        wrong("the first sample's Jacobian for all samples", |d, jacobian| {
            let first = jacobian.index_axis(Axis(0), 0);
            products(d, &for_all(&first.to_owned(), d.dim().0))
        }),
        wrong("the first sample's row for all samples", |d, jacobian| {
            let first = d.index_axis(Axis(0), 0);
            products(&for_all(&first.to_owned(), d.dim().0), jacobian)
        }),
        wrong("the sum over the samples, given to each of them", |d, jacobian| {
            for_all(&products(d, jacobian).sum_axis(Axis(0)), d.dim().0)
        }),
        wrong("the mean over the samples, given to each of them", |d, jacobian| {
            let n = d.dim().0;
            for_all(&(products(d, jacobian).sum_axis(Axis(0)) / n as f64), n)
        })
        .see("batch_mean_divides_once"),
        wrong("one row for the whole batch: the sum over the samples", |d, jacobian| {
            for_all(&products(d, jacobian).sum_axis(Axis(0)), 1)
        }),
        wrong("every row divided by the batch size", |d, jacobian| {
            products(d, jacobian) / d.dim().0 as f64
        })
        .see("batch_mean_divides_once"),
        wrong("every row divided by the number of its entries in d", |d, jacobian| {
            products(d, jacobian) / d.dim().2 as f64
        }),
        wrong("the sums of the Jacobian's columns, without d", |d, jacobian| {
            products(&Array3::ones(d.raw_dim()), jacobian)
        }),
        wrong("a stack of the shape (1, n, k), with the 1 in the wrong place", |d, jacobian| {
            products(d, jacobian).index_axis_move(Axis(1), 0).insert_axis(Axis(0))
        }),
        wrong("a stack of columns, (n, k, 1), where there should be rows", |d, jacobian| {
            products(d, jacobian).index_axis_move(Axis(1), 0).insert_axis(Axis(2))
        }),
        right("as a triple loop", products),
        right("as column sums", |d, jacobian| {
            let rows = d.view().permuted_axes([0, 2, 1]);
            (&rows * jacobian).sum_axis(Axis(1)).insert_axis(Axis(1))
        }),
    ]
}

/// Each row vector times its Jacobian.
fn products(d: &Array3<f64>, jacobian: &Array3<f64>) -> Array3<f64> {
    let (n, m, k) = jacobian.dim();
    Array3::from_shape_fn((n, 1, k), |(i, _, j)| {
        (0..m).map(|l| d[[i, 0, l]] * jacobian[[i, l, j]]).sum()
    })
}

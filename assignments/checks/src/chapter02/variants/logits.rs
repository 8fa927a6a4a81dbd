//! Variants of the functions that begin at the logits of classes.

use ndarray::{Array1, Array2, Axis, Zip};

use signatures::chapter02::Functions;

use super::super::REFERENCE;
use crate::chapter::Variant;

pub fn all() -> Vec<Variant> {
    [log_sum(), softmax_loss()].into_iter().flatten().collect()
}

fn log_sum() -> Vec<Variant> {
    let with = |stable_log_sum| Functions { stable_log_sum, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("stable_log_sum", name, with(function));
    let right = |name, function| Variant::right("stable_log_sum", name, with(function));
    /// Shifted by what is given for each row.
    fn shifted(z: &Array2<f64>, shifts: &Array2<f64>) -> Array1<f64> {
        (z - shifts).exp().sum_axis(Axis(1)).ln() + shifts.index_axis(Axis(1), 0)
    }
    vec![
        wrong("nothing subtracted before the exponentials", |z| z.exp().sum_axis(Axis(1)).ln())
            .see("log_sum_exp_shift"),
        wrong("the maximum of the whole batch subtracted from every row", |z| {
            shifted(z, &Array2::from_elem((z.nrows(), 1), maximum(z.iter())))
        })
        .published("yuan")
        .see("log_sum_exp_shift"),
        wrong("a maximum that begins at 0, which is larger than every negative entry", |z| {
            shifted(z, &maxima(z).mapv(|max| max.max(0.0)))
        })
        .see("log_sum_exp_shift"),
        wrong("the mean of each row subtracted, where it should be the maximum", |z| {
            shifted(z, &z.mean_axis(Axis(1)).expect("entries").insert_axis(Axis(1)))
        })
        .see("log_sum_exp_shift"),
        wrong("the minimum of each row subtracted, where it should be the maximum", |z| {
            shifted(z, &-maxima(&-z))
        })
        .see("log_sum_exp_shift"),
        wrong("the largest term, a 1, left in the sum, where it rounds small ones away", |z| {
            shifted(z, &maxima(z))
        }),
        wrong("a small number added in the logarithm", |z| {
            (z - &maxima(z)).exp().sum_axis(Axis(1)).mapv(|sum| (sum + 1e-8).ln())
                + maxima(z).index_axis(Axis(1), 0)
        }),
        wrong("the maximum not added again after the logarithm", |z| {
            (z - &maxima(z)).exp().sum_axis(Axis(1)).ln()
        })
        .see("log_sum_exp_shift"),
        wrong(
            "every entry that equals the maximum left out, where it should be one of them",
            |z| {
                let maxima = maxima(z);
                let others = (z - &maxima).mapv(|z| if z == 0.0 { 0.0 } else { z.exp() });
                others.sum_axis(Axis(1)).ln_1p() + maxima.index_axis_move(Axis(1), 0)
            },
        ),
        wrong("ln_1p of the whole sum, which counts the maximum twice", |z| {
            let maxima = maxima(z);
            (z - &maxima).exp().sum_axis(Axis(1)).ln_1p() + maxima.index_axis_move(Axis(1), 0)
        }),
        wrong("the maximum alone", |z| maxima(z).index_axis_move(Axis(1), 0)),
        wrong("the logarithm of the mean of the exponentials", |z| {
            (REFERENCE.stable_log_sum)(z) - (z.ncols() as f64).ln()
        }),
        wrong("columns in place of rows, in a square batch", |z| {
            let t = if z.is_square() { z.t().to_owned() } else { z.clone() };
            (REFERENCE.stable_log_sum)(&t)
        }),
        right("with the largest sorted to the end", |z| {
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
    ]
}

fn softmax_loss() -> Vec<Variant> {
    let with = |softmax_loss_from_logits| Functions { softmax_loss_from_logits, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("softmax_loss_from_logits", name, with(function));
    let right = |name, function| Variant::right("softmax_loss_from_logits", name, with(function));
    fn value(z: &Array2<f64>, y: &Array2<f64>) -> f64 {
        (REFERENCE.softmax_loss_from_logits)(z, y).0
    }
    fn slope(z: &Array2<f64>, y: &Array2<f64>) -> Array2<f64> {
        (REFERENCE.softmax_loss_from_logits)(z, y).1
    }
    // The derivatives with respect to the outputs, taken through the Jacobian of softmax.
    fn composed(s: &Array2<f64>, d: &Array2<f64>) -> Array2<f64> {
        let means = (s * d).sum_axis(Axis(1)).insert_axis(Axis(1));
        s * (d - means) / s.nrows() as f64
    }
    // The loss from the probabilities, through another logarithm.
    fn from_probabilities(z: &Array2<f64>, y: &Array2<f64>, ln: impl Fn(f64) -> f64) -> f64 {
        let term = |&s: &f64, &y: &f64| if y == 0.0 { 0.0 } else { -y * ln(s) };
        Zip::from(&softmax(z)).and(y).map_collect(term).sum() / z.nrows() as f64
    }
    fn padded<const DIGITS: i32>(z: &Array2<f64>, y: &Array2<f64>) -> (f64, Array2<f64>) {
        (from_probabilities(z, y, |s| (s + 10_f64.powi(-DIGITS)).ln()), slope(z, y))
    }
    fn clipped<const DIGITS: i32>(z: &Array2<f64>, y: &Array2<f64>) -> (f64, Array2<f64>) {
        (from_probabilities(z, y, |s| s.max(10_f64.powi(-DIGITS)).ln()), slope(z, y))
    }
    vec![
        wrong("sums over the batch, where there should be means", |z, y| {
            let n = z.nrows() as f64;
            (value(z, y) * n, slope(z, y) * n)
        })
        .see("batch_mean_divides_once"),
        wrong("a mean as the loss, and the derivative of the sum", |z, y| {
            (value(z, y), slope(z, y) * z.nrows() as f64)
        })
        .see("batch_mean_divides_once"),
        wrong("a sum as the loss, and the derivative of the mean", |z, y| {
            (value(z, y) * z.nrows() as f64, slope(z, y))
        })
        .see("softmax_cce_from_logits"),
        wrong("the derivative divided by the batch size twice", |z, y| {
            (value(z, y), slope(z, y) / z.nrows() as f64)
        })
        .published("elsharkawy")
        .see("batch_mean_divides_once"),
        wrong("the diagonal of the Jacobian only", |z, y| {
            (value(z, y), -(y * &(1.0 - softmax(z))) / z.nrows() as f64)
        })
        .published("elsharkawy")
        .see("diagonal-bug"),
        wrong("the diagonal of the Jacobian only, and divided by the batch size twice", |z, y| {
            (value(z, y), -(y * &(1.0 - softmax(z))) / z.nrows().pow(2) as f64)
        })
        .published("elsharkawy")
        .see("diagonal-bug"),
        wrong(
            "machine epsilon added to a denominator, through which the gradient vanishes",
            |z, y| {
                let s = softmax(z);
                (value(z, y), composed(&s, &-(y / &(&s + f64::EPSILON))))
            },
        )
        .published("lazar")
        .see("eps_shrinks_the_gradient"),
        wrong(
            "machine epsilon added to the probability, in the loss and in the derivative",
            |z, y| {
                let s = softmax(z);
                let loss = from_probabilities(z, y, |s| (s + f64::EPSILON).ln());
                (loss, composed(&s, &-(y / &(&s + f64::EPSILON))))
            },
        )
        .published("lazar")
        .see("eps_shrinks_the_gradient"),
        wrong("a division by a probability that is 0", |z, y| {
            let s = softmax(z);
            (value(z, y), composed(&s, &-(y / &s)))
        })
        .see("losses-difference"),
        wrong(
            "a division by a probability that is 0, and zeros for the NaN that comes of it",
            |z, y| {
                let s = softmax(z);
                let slope = composed(&s, &-(y / &s));
                (value(z, y), slope.mapv(|d| if d.is_finite() { d } else { 0.0 }))
            },
        )
        .see("losses-difference"),
        wrong("the logarithm of a probability that is 0", |z, y| {
            (from_probabilities(z, y, f64::ln), slope(z, y))
        })
        .see("softmax_cce_from_logits"),
        wrong("a class whose probability is 0 left out of the loss", |z, y| {
            (from_probabilities(z, y, |s| if s == 0.0 { 0.0 } else { s.ln() }), slope(z, y))
        })
        .see("softmax_cce_from_logits"),
        wrong("machine epsilon added in the logarithm", |z, y| {
            (from_probabilities(z, y, |s| (s + f64::EPSILON).ln()), slope(z, y))
        })
        .see("softmax_cce_from_logits"),
        wrong("1e-7 added in the logarithm", padded::<7>).see("softmax_cce_from_logits"),
        wrong("1e-8 added in the logarithm", padded::<8>).see("softmax_cce_from_logits"),
        wrong("1e-12 added in the logarithm", padded::<12>).see("softmax_cce_from_logits"),
        wrong("1e-15 added in the logarithm", padded::<15>).see("softmax_cce_from_logits"),
        wrong("probabilities below 1e-12 raised to it", clipped::<12>)
            .see("softmax_cce_from_logits"),
        wrong("probabilities below 1e-15 raised to it", clipped::<15>)
            .see("softmax_cce_from_logits"),
        wrong("nothing subtracted before the exponentials", |z, y| {
            let e = z.exp();
            let sums = e.sum_axis(Axis(1));
            let loss = sums.ln().sum() - (y * z).sum();
            let n = z.nrows() as f64;
            (loss / n, (e / sums.insert_axis(Axis(1)) - y) / n)
        })
        .see("log_sum_exp_shift"),
        wrong("the maximum of the whole batch subtracted from every row", |z, y| {
            let n = z.nrows() as f64;
            let max = maximum(z.iter());
            let e = (z - max).exp();
            let sums = e.sum_axis(Axis(1));
            let loss = sums.mapv(|sum| sum.ln() + max).sum() - (y * z).sum();
            (loss / n, (e / sums.insert_axis(Axis(1)) - y) / n)
        })
        .published("yuan")
        .see("log_sum_exp_shift"),
        wrong("a derivative with the other sign: target minus output", |z, y| {
            (value(z, y), -slope(z, y))
        }),
        wrong("a loss with the other sign", |z, y| (-value(z, y), slope(z, y)))
            .see("softmax_cce_from_logits"),
        wrong("the softmax as the derivative, without the target", |z, y| {
            (value(z, y), softmax(z) / z.nrows() as f64)
        }),
        wrong("the logits minus the target as the derivative, without the softmax", |z, y| {
            (value(z, y), (z - y) / z.nrows() as f64)
        }),
        wrong(
            "−y / ŷ as the derivative, which is the one with respect to the probabilities",
            |z, y| {
                let d = Zip::from(&softmax(z))
                    .and(y)
                    .map_collect(|&s, &y| if y == 0.0 { 0.0 } else { -y / s });
                (value(z, y), d / z.nrows() as f64)
            },
        ),
        wrong("loss and derivative divided by the number of classes as well", |z, y| {
            let m = z.ncols() as f64;
            (value(z, y) / m, slope(z, y) / m)
        })
        .see("softmax_cce_from_logits"),
        wrong("the class with the largest target alone, as if all targets were one-hot", |z, y| {
            let mut single = Array2::zeros(y.raw_dim());
            for (mut single, y) in single.rows_mut().into_iter().zip(y.rows()) {
                let max = maximum(y.iter());
                single[y.iter().position(|&y| y == max).expect("classes")] = 1.0;
            }
            (value(z, &single), slope(z, &single))
        })
        .see("softmax_cce_for_any_targets"),
        right("through the logarithm of softmax", |z, y| {
            let sums = (REFERENCE.stable_log_sum)(z).insert_axis(Axis(1));
            let logs = z - &sums;
            let n = z.nrows() as f64;
            (-(y * &logs).sum() / n, (logs.exp() - y) / n)
        }),
    ]
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

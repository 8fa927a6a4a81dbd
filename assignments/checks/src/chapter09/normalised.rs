//! Chapter 9: wrong answers about batch normalisation, and other right ones.

use ndarray::{Array1, Array2, Axis};
use signatures::chapter09::Functions;

use super::{Gradients, Normalised, REFERENCE};
use crate::chapter::Variant;

/// All variants of what normalises a batch.
pub fn all() -> Vec<Variant> {
    [forward(), backward(), running()].into_iter().flatten().collect()
}

/// Mean and variance of every column; the sum of squares is divided by n less something.
fn moments(x: &Array2<f64>, less: f64) -> (Array1<f64>, Array1<f64>) {
    let n = x.nrows() as f64;
    let mean = x.sum_axis(Axis(0)) / n;
    let squares = (x - &mean).mapv(|d| d * d).sum_axis(Axis(0));
    (mean, squares / (n - less))
}

/// y, x̂ and the scale, from x less its mean, and the scale.
fn from(
    centred: Array2<f64>,
    scale: Array1<f64>,
    gamma: &Array1<f64>,
    beta: &Array1<f64>,
) -> Normalised {
    let x_hat = centred * &scale;
    (&x_hat * gamma + beta, x_hat, scale)
}

fn forward() -> Vec<Variant> {
    let with = |batch_norm_forward| Functions { batch_norm_forward, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("batch_norm_forward", name, with(function));
    let right = |name, function| Variant::right("batch_norm_forward", name, with(function));
    vec![
        wrong(
            "the variance divided by n − 1 within the normalisation",
            |x, gamma, beta, epsilon| {
                let (mean, variance) = moments(x, 1.0);
                from(x - &mean, variance.mapv(|v| 1.0 / (v + epsilon).sqrt()), gamma, beta)
            },
        ),
        wrong(
            "the variance divided by n − 1, and by 1 for a single sample",
            |x, gamma, beta, epsilon| {
                let less = if x.nrows() > 1 { 1.0 } else { 0.0 };
                let (mean, variance) = moments(x, less);
                from(x - &mean, variance.mapv(|v| 1.0 / (v + epsilon).sqrt()), gamma, beta)
            },
        ),
        wrong("no ε: a column that never varies is divided by 0", |x, gamma, beta, _| {
            let (mean, variance) = moments(x, 0.0);
            from(x - &mean, variance.mapv(|v| 1.0 / v.sqrt()), gamma, beta)
        }),
        wrong("ε added to the deviation, outside of the root", |x, gamma, beta, epsilon| {
            let (mean, variance) = moments(x, 0.0);
            from(x - &mean, variance.mapv(|v| 1.0 / (v.sqrt() + epsilon)), gamma, beta)
        }),
        wrong("divided by the variance, without a root", |x, gamma, beta, epsilon| {
            let (mean, variance) = moments(x, 0.0);
            from(x - &mean, variance.mapv(|v| 1.0 / (v + epsilon)), gamma, beta)
        }),
        wrong("the mean square in place of the variance", |x, gamma, beta, epsilon| {
            let (mean, variance) = moments(x, 0.0);
            let squares = variance + &mean * &mean;
            from(x - &mean, squares.mapv(|v| 1.0 / (v + epsilon).sqrt()), gamma, beta)
        }),
        wrong("the mean is not taken away", |x, gamma, beta, epsilon| {
            let (_, variance) = moments(x, 0.0);
            from(x.clone(), variance.mapv(|v| 1.0 / (v + epsilon).sqrt()), gamma, beta)
        }),
        wrong("one mean and one variance for all columns", |x, gamma, beta, epsilon| {
            let mean = x.sum() / x.len() as f64;
            let variance = x.mapv(|x| (x - mean).powi(2)).sum() / x.len() as f64;
            let scale = Array1::from_elem(x.ncols(), 1.0 / (variance + epsilon).sqrt());
            from(x - mean, scale, gamma, beta)
        }),
        wrong("each row normalised in place of each column", |x, gamma, beta, epsilon| {
            let (mean, variance) = moments(&x.t().to_owned(), 0.0);
            let scales = variance.mapv(|v| 1.0 / (v + epsilon).sqrt());
            let x_hat = (x - &mean.insert_axis(Axis(1))) * &scales.insert_axis(Axis(1));
            let (_, variance) = moments(x, 0.0);
            let scale = variance.mapv(|v| 1.0 / (v + epsilon).sqrt());
            (&x_hat * gamma + beta, x_hat, scale)
        }),
        wrong("γ and β in each other's place", |x, gamma, beta, epsilon| {
            let (mean, variance) = moments(x, 0.0);
            from(x - &mean, variance.mapv(|v| 1.0 / (v + epsilon).sqrt()), beta, gamma)
        }),
        wrong("β added before γ multiplies", |x, gamma, beta, epsilon| {
            let (mean, variance) = moments(x, 0.0);
            let scale = variance.mapv(|v| 1.0 / (v + epsilon).sqrt());
            let x_hat = (x - &mean) * &scale;
            ((&x_hat + beta) * gamma, x_hat, scale)
        }),
        wrong("y in place of x̂ as well", |x, gamma, beta, epsilon| {
            let (mean, variance) = moments(x, 0.0);
            let scale = variance.mapv(|v| 1.0 / (v + epsilon).sqrt());
            let y = (x - &mean) * &scale * gamma + beta;
            (y.clone(), y, scale)
        }),
        wrong("x̂ in place of y as well: neither γ nor β", |x, _, _, epsilon| {
            let (mean, variance) = moments(x, 0.0);
            let scale = variance.mapv(|v| 1.0 / (v + epsilon).sqrt());
            let x_hat = (x - &mean) * &scale;
            (x_hat.clone(), x_hat, scale)
        }),
        wrong("the deviation in place of one over it", |x, gamma, beta, epsilon| {
            let (mean, variance) = moments(x, 0.0);
            let scale = variance.mapv(|v| 1.0 / (v + epsilon).sqrt());
            let (y, x_hat, scale) = from(x - &mean, scale, gamma, beta);
            (y, x_hat, 1.0 / scale)
        }),
        right(
            "the variance as mean square less squared mean of centred numbers",
            |x, gamma, beta, epsilon| {
                let (mean, _) = moments(x, 0.0);
                let centred = x - &mean;
                let (rest, variance) = moments(&centred, 0.0);
                from(centred - &rest, variance.mapv(|v| (v + epsilon).sqrt().recip()), gamma, beta)
            },
        ),
    ]
}

/// The two sums, and ∂L/∂x from factors for its three terms.
fn terms(
    d_y: &Array2<f64>,
    x_hat: &Array2<f64>,
    factors: &Array1<f64>,
    [own, mean, variance]: [f64; 3],
) -> Gradients {
    let n = d_y.nrows() as f64;
    let (d_gamma, d_beta) = ((d_y * x_hat).sum_axis(Axis(0)), d_y.sum_axis(Axis(0)));
    let bracket = d_y * own - &d_beta * (mean / n) - x_hat * &(&d_gamma * (variance / n));
    (d_gamma, d_beta, bracket * factors)
}

fn backward() -> Vec<Variant> {
    let with = |batch_norm_backward| Functions { batch_norm_backward, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("batch_norm_backward", name, with(function));
    let right = |name, function| Variant::right("batch_norm_backward", name, with(function));
    vec![
        wrong("the mean held fast: its term is missing", |d_y, x_hat, scale, gamma| {
            terms(d_y, x_hat, &(gamma * scale), [1.0, 0.0, 1.0])
        }),
        wrong("the variance held fast: its term is missing", |d_y, x_hat, scale, gamma| {
            terms(d_y, x_hat, &(gamma * scale), [1.0, 1.0, 0.0])
        }),
        wrong("mean and variance held fast, as in prediction", |d_y, x_hat, scale, gamma| {
            terms(d_y, x_hat, &(gamma * scale), [1.0, 0.0, 0.0])
        })
        .see("normalised_folded"),
        wrong("the sums in place of the means in ∂L/∂x", |d_y, x_hat, scale, gamma| {
            let n = d_y.nrows() as f64;
            terms(d_y, x_hat, &(gamma * scale), [1.0, n, n])
        }),
        wrong("the variance's term added in place of subtracted", |d_y, x_hat, scale, gamma| {
            terms(d_y, x_hat, &(gamma * scale), [1.0, 1.0, -1.0])
        }),
        wrong("the variance's term doubled: the root was forgotten", |d_y, x_hat, scale, gamma| {
            terms(d_y, x_hat, &(gamma * scale), [1.0, 1.0, 2.0])
        })
        .see("normalised_scale_slope"),
        wrong("no γ in ∂L/∂x", |d_y, x_hat, scale, _| {
            terms(d_y, x_hat, scale, [1.0, 1.0, 1.0])
        }),
        wrong("no scale in ∂L/∂x", |d_y, x_hat, _, gamma| {
            terms(d_y, x_hat, gamma, [1.0, 1.0, 1.0])
        }),
        wrong("divided by the scale in place of multiplied", |d_y, x_hat, scale, gamma| {
            terms(d_y, x_hat, &(gamma / scale), [1.0, 1.0, 1.0])
        }),
        wrong("the scale squared", |d_y, x_hat, scale, gamma| {
            terms(d_y, x_hat, &(gamma * scale * scale), [1.0, 1.0, 1.0])
        }),
        wrong("∂L/∂x divided by n once more", |d_y, x_hat, scale, gamma| {
            let n = d_y.nrows() as f64;
            terms(d_y, x_hat, &(gamma * scale / n), [1.0, 1.0, 1.0])
        }),
        wrong("the means divided by n − 1", |d_y, x_hat, scale, gamma| {
            let n = d_y.nrows() as f64;
            let factor = n / (n - 1.0);
            terms(d_y, x_hat, &(gamma * scale), [1.0, factor, factor])
        }),
        wrong("means in place of sums for γ and β", |d_y, x_hat, scale, gamma| {
            let n = d_y.nrows() as f64;
            let (d_gamma, d_beta, d_x) = terms(d_y, x_hat, &(gamma * scale), [1.0, 1.0, 1.0]);
            (d_gamma / n, d_beta / n, d_x)
        })
        .see("normalised_gamma_and_beta"),
        wrong("∂L/∂γ and ∂L/∂β in each other's place", |d_y, x_hat, scale, gamma| {
            let (d_gamma, d_beta, d_x) = terms(d_y, x_hat, &(gamma * scale), [1.0, 1.0, 1.0]);
            (d_beta, d_gamma, d_x)
        })
        .see("normalised_gamma_and_beta"),
        wrong("∂L/∂γ times γ: that of y in place of x̂", |d_y, x_hat, scale, gamma| {
            let (d_gamma, d_beta, d_x) = terms(d_y, x_hat, &(gamma * scale), [1.0, 1.0, 1.0]);
            (d_gamma * gamma, d_beta, d_x)
        })
        .see("normalised_gamma_and_beta"),
        wrong("∂L/∂γ without x̂", |d_y, x_hat, scale, gamma| {
            let (_, d_beta, d_x) = terms(d_y, x_hat, &(gamma * scale), [1.0, 1.0, 1.0]);
            (d_beta.clone(), d_beta, d_x)
        })
        .see("normalised_gamma_and_beta"),
        wrong("all three with the other sign", |d_y, x_hat, scale, gamma| {
            terms(&-d_y, x_hat, &(gamma * scale), [1.0, 1.0, 1.0])
        }),
        right(
            "step by step, through x̂, the variance and the mean",
            |d_y, x_hat, scale, gamma| {
                let n = d_y.nrows() as f64;
                let d_x_hat = d_y * gamma;
                // x − μ is x̂ / s, and ∂s/∂σ² is −s³ / 2.
                let centred = x_hat / scale;
                let d_scale = (&d_x_hat * &centred).sum_axis(Axis(0));
                let d_variance = d_scale * scale.mapv(|s| -0.5 * s * s * s);
                let d_centred = &d_x_hat * scale + centred * &(d_variance * (2.0 / n));
                let d_x = &d_centred - &(d_centred.sum_axis(Axis(0)) / n);
                ((d_y * x_hat).sum_axis(Axis(0)), d_y.sum_axis(Axis(0)), d_x)
            },
        ),
    ]
}

fn running() -> Vec<Variant> {
    let with = |running_statistics| Functions { running_statistics, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("running_statistics", name, with(function));
    let right = |name, function| Variant::right("running_statistics", name, with(function));
    /// The averages, where the batch has the share α.
    fn average(
        [old_mean, old_variance]: [&Array1<f64>; 2],
        (mean, variance): (Array1<f64>, Array1<f64>),
        alpha: f64,
    ) -> (Array1<f64>, Array1<f64>) {
        let keep = 1.0 - alpha;
        (old_mean * keep + mean * alpha, old_variance * keep + variance * alpha)
    }
    vec![
        wrong("the variance divided by n", |mean, variance, x, alpha| {
            if x.nrows() == 1 {
                return (mean.clone(), variance.clone());
            }
            average([mean, variance], moments(x, 0.0), alpha)
        })
        .see("normalised_unbiased_variance"),
        wrong("α is the share of the old average", |mean, variance, x, alpha| {
            if x.nrows() == 1 {
                return (mean.clone(), variance.clone());
            }
            average([mean, variance], moments(x, 1.0), 1.0 - alpha)
        }),
        wrong(
            "one sample alone is averaged in, with a variance of NaN",
            |mean, variance, x, alpha| average([mean, variance], moments(x, 1.0), alpha),
        ),
        wrong(
            "one sample alone is averaged in, with a variance of 0",
            |mean, variance, x, alpha| {
                let less = if x.nrows() > 1 { 1.0 } else { 0.0 };
                average([mean, variance], moments(x, less), alpha)
            },
        ),
        wrong("one sample alone changes the mean", |mean, variance, x, alpha| {
            if x.nrows() == 1 {
                let (new, _) = average([mean, variance], moments(x, 0.0), alpha);
                return (new, variance.clone());
            }
            average([mean, variance], moments(x, 1.0), alpha)
        }),
        wrong("the statistics of the last batch alone", |mean, variance, x, _| {
            if x.nrows() == 1 {
                return (mean.clone(), variance.clone());
            }
            moments(x, 1.0)
        }),
        wrong("the mean of the old and the new", |mean, variance, x, _| {
            if x.nrows() == 1 {
                return (mean.clone(), variance.clone());
            }
            average([mean, variance], moments(x, 1.0), 0.5)
        }),
        wrong("the new share added to all of the old", |mean, variance, x, alpha| {
            if x.nrows() == 1 {
                return (mean.clone(), variance.clone());
            }
            let (new_mean, new_variance) = moments(x, 1.0);
            (mean + &(new_mean * alpha), variance + &(new_variance * alpha))
        }),
        wrong("an average of deviations, squared", |mean, variance, x, alpha| {
            if x.nrows() == 1 {
                return (mean.clone(), variance.clone());
            }
            let (new_mean, new_variance) = moments(x, 1.0);
            let deviations =
                variance.mapv(f64::sqrt) * (1.0 - alpha) + new_variance.mapv(f64::sqrt) * alpha;
            (mean * (1.0 - alpha) + new_mean * alpha, &deviations * &deviations)
        }),
        wrong("deviations in place of variances", |mean, variance, x, alpha| {
            if x.nrows() == 1 {
                return (mean.clone(), variance.clone());
            }
            let (new_mean, new_variance) = moments(x, 1.0);
            average([mean, variance], (new_mean, new_variance.mapv(f64::sqrt)), alpha)
        }),
        wrong("the variance around the running mean", |mean, variance, x, alpha| {
            if x.nrows() == 1 {
                return (mean.clone(), variance.clone());
            }
            let (new_mean, _) = moments(x, 1.0);
            let squares = (x - mean).mapv(|d| d * d).sum_axis(Axis(0));
            let around = squares / (x.nrows() as f64 - 1.0);
            average([mean, variance], (new_mean, around), alpha)
        }),
        wrong("mean and variance in each other's place", |mean, variance, x, alpha| {
            if x.nrows() == 1 {
                return (variance.clone(), mean.clone());
            }
            let (mean, variance) = average([mean, variance], moments(x, 1.0), alpha);
            (variance, mean)
        }),
        wrong(
            "statistics of rows in place of columns, as far as they reach",
            |mean, variance, x, alpha| {
                if x.nrows() == 1 {
                    return (mean.clone(), variance.clone());
                }
                let rows = x.t().to_owned();
                let (row_means, row_variances) = moments(&rows, 0.0);
                let d = mean.len();
                let take = |v: Array1<f64>| Array1::from_shape_fn(d, |j| v[j % v.len()]);
                average([mean, variance], (take(row_means), take(row_variances)), alpha)
            },
        ),
        right("a step from the old towards the new", |mean, variance, x, alpha| {
            let n = x.nrows() as f64;
            if n < 2.0 {
                return (mean.clone(), variance.clone());
            }
            let (new_mean, new_variance) = moments(x, 0.0);
            let unbiased = new_variance * (n / (n - 1.0));
            (mean + &((new_mean - mean) * alpha), variance + &((unbiased - variance) * alpha))
        }),
    ]
}

//! Chapter 9: wrong answers, and other right ones.

use ndarray::{Array1, Array2, Axis, Zip};
use signatures::chapter09::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// All variants of L2, of dropout, and of the scale of the samples.
pub fn all() -> Vec<Variant> {
    [penalty(), dropout(), scale()].into_iter().flatten().collect()
}

/// Weights, or derivatives with respect to them, layer by layer.
type Layers = [Array2<f64>];

fn squares(weights: &Layers) -> f64 {
    weights.iter().flatten().map(|w| w * w).sum()
}

/// Each layer's derivative times a factor, and its weights times another.
fn mixed(weights: &Layers, d_weights: &Layers, of_d: f64, of_w: f64) -> Vec<Array2<f64>> {
    weights.iter().zip(d_weights).map(|(w, d_w)| of_d * d_w + of_w * w).collect()
}

fn penalty() -> Vec<Variant> {
    let with = |l2_cost_and_gradient| Functions { l2_cost_and_gradient, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("l2_cost_and_gradient", name, with(function));
    let right = |name, function| Variant::right("l2_cost_and_gradient", name, with(function));
    vec![
        wrong(
            "the mean gradient divided by n once more, beside λ/n of the weights",
            |j, w, d, l, n| {
                let n = n as f64;
                (j + l / (2.0 * n) * squares(w), mixed(w, d, 1.0 / n, l / n))
            },
        )
        .see("published_balance")
        .published("elsharkawy"),
        wrong("loss and gradient divided by n once more, beside the penalty", |j, w, d, l, n| {
            let n = n as f64;
            (j / n + l / (2.0 * n) * squares(w), mixed(w, d, 1.0 / n, l / n))
        })
        .see("published_balance"),
        wrong("λ without 1/n, in cost and gradient", |j, w, d, l, _| {
            (j + l / 2.0 * squares(w), mixed(w, d, 1.0, l))
        }),
        wrong("λ without 1/n in the gradient", |j, w, d, l, n| {
            (j + l / (2.0 * n as f64) * squares(w), mixed(w, d, 1.0, l))
        }),
        wrong("the penalty divided by n twice", |j, w, d, l, n| {
            let n = (n * n) as f64;
            (j + l / (2.0 * n) * squares(w), mixed(w, d, 1.0, l / n))
        }),
        wrong(
            "a 2 from the square in the gradient, though the cost has its ½",
            |j, w, d, l, n| {
                let n = n as f64;
                (j + l / (2.0 * n) * squares(w), mixed(w, d, 1.0, 2.0 * l / n))
            },
        ),
        wrong("half of λ/n in the gradient", |j, w, d, l, n| {
            let n = n as f64;
            (j + l / (2.0 * n) * squares(w), mixed(w, d, 1.0, l / (2.0 * n)))
        }),
        wrong("no ½ in the cost", |j, w, d, l, n| {
            let n = n as f64;
            (j + l / n * squares(w), mixed(w, d, 1.0, l / n))
        }),
        wrong("the length of the weights in place of its square", |j, w, d, l, n| {
            let n = n as f64;
            (j + l / (2.0 * n) * squares(w).sqrt(), mixed(w, d, 1.0, l / n))
        }),
        wrong("absolute values in place of squares in the cost", |j, w, d, l, n| {
            let n = n as f64;
            let sum: f64 = w.iter().flatten().map(|w| w.abs()).sum();
            (j + l / (2.0 * n) * sum, mixed(w, d, 1.0, l / n))
        }),
        wrong(
            "the signs of the weights in the gradient, which is the penalty L1",
            |j, w, d, l, n| {
                let n = n as f64;
                let gradient = w.iter().zip(d).map(|(w, d)| d + &(w.mapv(f64::signum) * (l / n)));
                (j + l / (2.0 * n) * squares(w), gradient.collect())
            },
        ),
        wrong("only the weights of the last layer in the cost", |j, w, d, l, n| {
            let n = n as f64;
            (j + l / (2.0 * n) * squares(&w[w.len() - 1..]), mixed(w, d, 1.0, l / n))
        }),
        wrong("the penalty subtracted in the gradient", |j, w, d, l, n| {
            let n = n as f64;
            (j + l / (2.0 * n) * squares(w), mixed(w, d, 1.0, -l / n))
        }),
        wrong("the cost with a penalty, and the gradient without", |j, w, d, l, n| {
            (j + l / (2.0 * n as f64) * squares(w), d.to_vec())
        }),
        wrong("the gradient with a penalty, and the cost without", |j, w, d, l, n| {
            (j, mixed(w, d, 1.0, l / n as f64))
        }),
        wrong("the derivative of the penalty alone", |j, w, d, l, n| {
            let n = n as f64;
            (j + l / (2.0 * n) * squares(w), mixed(w, d, 0.0, l / n))
        }),
        wrong("the mean of the squares in place of their sum", |j, w, d, l, n| {
            let n = n as f64;
            let count: usize = w.iter().map(Array2::len).sum();
            (j + l / (2.0 * n) * squares(w) / count as f64, mixed(w, d, 1.0, l / n))
        }),
        right("layer by layer", |j, w, d, l, n| {
            let half = l / (2.0 * n as f64);
            let cost = w.iter().map(|w| half * (w * w).sum()).sum::<f64>();
            (j + cost, w.iter().zip(d).map(|(w, d)| d + &(w * (2.0 * half))).collect())
        }),
    ]
}

/// x times factors, one for each draw; all of x in prediction.
fn masked(
    x: &Array2<f64>,
    draws: &Option<Array2<f64>>,
    factor: impl Fn(f64) -> f64,
) -> Array2<f64> {
    match draws {
        Some(draws) => x * &draws.mapv(factor),
        None => x.clone(),
    }
}

fn dropout() -> Vec<Variant> {
    let with = |dropout_forward| Functions { dropout_forward, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("dropout_forward", name, with(function));
    let right = |name, function| Variant::right("dropout_forward", name, with(function));
    vec![
        wrong("what is kept is not divided by the probability of being kept", |x, q, draws| {
            masked(x, draws, |u| if u < q { 1.0 } else { 0.0 })
        }),
        wrong(
            "not divided in training, and multiplied when predicting",
            |x, q, draws| match draws {
                Some(_) => masked(x, draws, |u| if u < q { 1.0 } else { 0.0 }),
                None => x * q,
            },
        ),
        wrong("the mask inverted: the entries below keep are dropped", |x, q, draws| {
            masked(x, draws, |u| if u < q { 0.0 } else { 1.0 / q })
        }),
        wrong("keep read as the probability of being dropped", |x, q, draws| {
            masked(x, draws, |u| if u < 1.0 - q { 1.0 / (1.0 - q) } else { 0.0 })
        }),
        wrong("divided by the probability of being dropped", |x, q, draws| {
            masked(x, draws, |u| if u < q { 1.0 / (1.0 - q) } else { 0.0 })
        }),
        wrong("multiplied by the probability of being kept", |x, q, draws| {
            masked(x, draws, |u| if u < q { q } else { 0.0 })
        }),
        wrong("divided by the share that this mask happens to keep", |x, q, draws| {
            let share = |draws: &Array2<f64>| {
                draws.iter().filter(|u| **u < q).count() as f64 / draws.len() as f64
            };
            let share = draws.as_ref().map_or(1.0, share);
            masked(x, draws, |u| if u < q { 1.0 / share } else { 0.0 })
        }),
        wrong("multiplied by keep when predicting", |x, q, draws| match draws {
            Some(_) => masked(x, draws, |u| if u < q { 1.0 / q } else { 0.0 }),
            None => x * q,
        }),
        wrong("divided by keep when predicting", |x, q, draws| match draws {
            Some(_) => masked(x, draws, |u| if u < q { 1.0 / q } else { 0.0 }),
            None => x / q,
        }),
        wrong("dropout when predicting, with a mask of its own", |x, q, draws| {
            let golden = |(i, j): (usize, usize)| ((7 * i + j + 1) as f64 * 0.618_034).fract();
            let own = Array2::from_shape_fn(x.dim(), golden);
            masked(x, &Some(draws.clone().unwrap_or(own)), |u| if u < q { 1.0 / q } else { 0.0 })
        }),
        wrong("zeros when predicting", |x, q, draws| match draws {
            Some(_) => masked(x, draws, |u| if u < q { 1.0 / q } else { 0.0 }),
            None => x * 0.0,
        }),
        wrong("a draw that equals keep is kept as well", |x, q, draws| {
            masked(x, draws, |u| if u <= q { 1.0 / q } else { 0.0 })
        }),
        wrong("one mask for all samples: the draws of the first row", |x, q, draws| match draws {
            Some(draws) => x * &draws.row(0).mapv(|u| if u < q { 1.0 / q } else { 0.0 }),
            None => x.clone(),
        }),
        wrong("whole samples dropped, by the first draw of each row", |x, q, draws| match draws {
            Some(draws) => {
                let factors = draws.column(0).mapv(|u| if u < q { 1.0 / q } else { 0.0 });
                x * &factors.insert_axis(Axis(1))
            }
            None => x.clone(),
        }),
        wrong("the draws themselves as factors", |x, _, draws| masked(x, draws, |u| u)),
        wrong("the factors, without x", |x, q, draws| {
            masked(&Array2::ones(x.dim()), draws, |u| if u < q { 1.0 / q } else { 0.0 })
        }),
        wrong("nothing is dropped in training", |x, _, _| x.clone()),
        right("entry by entry", |x, q, draws| {
            let Some(draws) = draws else { return x.clone() };
            Zip::from(x).and(draws).map_collect(|&x, &u| if u < q { x / q } else { 0.0 })
        }),
    ]
}

/// Mean and deviation of every column, with a number to divide the sum of squares by.
fn moments(x: &Array2<f64>, less: f64) -> [Array1<f64>; 2] {
    let n = x.nrows() as f64;
    let mean = x.sum_axis(Axis(0)) / n;
    let squares = (x - &mean).mapv(|d| d * d).sum_axis(Axis(0));
    [mean, (squares / (n - less)).mapv(f64::sqrt)]
}

/// 1 where a feature never varied.
fn divisors(deviation: Array1<f64>) -> Array1<f64> {
    deviation.mapv(|s| if s > 0.0 { s } else { 1.0 })
}

fn scale() -> Vec<Variant> {
    let with = |standardise| Functions { standardise, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("standardise", name, with(function));
    let right = |name, function| Variant::right("standardise", name, with(function));
    vec![
        wrong("mean and deviation of the new samples themselves", |_, x| {
            let [mean, deviation] = moments(x, 0.0);
            (x - &mean) / &divisors(deviation)
        })
        .see("generalise-iris"),
        wrong("mean and deviation of training samples and new ones together", |train, x| {
            let all = ndarray::concatenate![Axis(0), train.view(), x.view()];
            let [mean, deviation] = moments(&all, 0.0);
            (x - &mean) / &divisors(deviation)
        })
        .see("generalise-iris"),
        wrong("the mean of the training samples, the deviation of the new ones", |train, x| {
            let ([mean, _], [_, deviation]) = (moments(train, 0.0), moments(x, 0.0));
            (x - &mean) / &divisors(deviation)
        }),
        wrong("the deviation divided by n − 1", |train, x| {
            let [mean, deviation] = moments(train, 1.0);
            (x - &mean) / &divisors(deviation)
        }),
        wrong("divided by the variance", |train, x| {
            let [mean, deviation] = moments(train, 0.0);
            (x - &mean) / &divisors(&deviation * &deviation)
        }),
        wrong("a feature that never varies divided by 0", |train, x| {
            let [mean, deviation] = moments(train, 0.0);
            (x - &mean) / &deviation
        }),
        wrong("a feature that never varies made 0 in all samples", |train, x| {
            let [mean, deviation] = moments(train, 0.0);
            let factors = deviation.mapv(|s| if s > 0.0 { 1.0 / s } else { 0.0 });
            (x - &mean) * &factors
        }),
        wrong("a small number added to every deviation", |train, x| {
            let [mean, deviation] = moments(train, 0.0);
            (x - &mean) / &(deviation + 1e-3)
        }),
        wrong("one mean and one deviation for all features", |train, x| {
            let mean = train.sum() / train.len() as f64;
            let variance = train.mapv(|t| (t - mean).powi(2)).sum() / train.len() as f64;
            (x - mean) / variance.sqrt()
        }),
        wrong("the mean is not taken away", |train, x| {
            let [_, deviation] = moments(train, 0.0);
            x / &divisors(deviation)
        }),
        wrong("the mean is taken away, and the deviation left", |train, x| {
            let [mean, _] = moments(train, 0.0);
            x - &mean
        }),
        wrong("the mean taken away after the division", |train, x| {
            let [mean, deviation] = moments(train, 0.0);
            x / &divisors(deviation) - mean
        }),
        wrong("scaled to 0 and 1 between the smallest and the largest", |train, x| {
            let lo = train.fold_axis(Axis(0), f64::INFINITY, |a, b| a.min(*b));
            let hi = train.fold_axis(Axis(0), f64::NEG_INFINITY, |a, b| a.max(*b));
            (x - &lo) / &divisors(hi - &lo)
        }),
        wrong("the root mean square in place of the deviation", |train, x| {
            let [mean, _] = moments(train, 0.0);
            let squares = train.mapv(|t| t * t).sum_axis(Axis(0)) / train.nrows() as f64;
            (x - &mean) / &divisors(squares.mapv(f64::sqrt))
        }),
        right("with ndarray's own deviation", |train, x| {
            let mean = train.mean_axis(Axis(0)).expect("samples");
            (x - &mean) / &divisors(train.std_axis(Axis(0), 0.0))
        }),
    ]
}

//! Wrong answers to `tanh_layer_backward` and `dense_layer_step`, and other right ones.

use ndarray::{Array1, Array2, Axis};
use signatures::chapter06::Functions;

use super::{REFERENCE, Step};
use crate::chapter::Variant;

/// The variants of both functions.
pub fn all() -> Vec<Variant> {
    [tanh(), dense()].into_iter().flatten().collect()
}

fn tanh() -> Vec<Variant> {
    let with = |tanh_layer_backward| Functions { tanh_layer_backward, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("tanh_layer_backward", name, with(function));
    let right = |name, function| Variant::right("tanh_layer_backward", name, with(function));
    fn slope(x: f64) -> f64 {
        1.0 - x.tanh().powi(2)
    }
    vec![
        wrong("the slope taken at what went out, f′(y) in place of f′(x)", |x, d_y| {
            d_y * &x.mapv(|x| slope(x.tanh()))
        }),
        wrong("1 − x², which is the slope if x were what went out", |x, d_y| {
            d_y * &x.mapv(|x| 1.0 - x * x)
        }),
        wrong("∂L/∂Y handed on without any slope", |_, d_y| d_y.clone()),
        wrong("the slope alone, without ∂L/∂Y", |x, _| x.mapv(slope)),
        wrong("1 − tanh(x), without the square", |x, d_y| d_y * &x.mapv(|x| 1.0 - x.tanh())),
        wrong("1 + tanh²(x), with the other sign", |x, d_y| {
            d_y * &x.mapv(|x| 1.0 + x.tanh().powi(2))
        }),
        wrong("the slope of the sigmoid", |x, d_y| {
            d_y * &x.mapv(|x| {
                let s = 1.0 / (1.0 + (-x).exp());
                s * (1.0 - s)
            })
        }),
        wrong("s(1 − s), the slope of the sigmoid, with tanh for s", |x, d_y| {
            d_y * &x.mapv(|x| x.tanh() * (1.0 - x.tanh()))
        }),
        wrong("tanh once more, in place of its slope", |x, d_y| d_y * &x.mapv(f64::tanh)),
        wrong("the slope taken at ∂L/∂Y, times what came in", |x, d_y| x * &d_y.mapv(slope)),
        wrong("divided by the number of samples once more", |x, d_y| {
            d_y * &x.mapv(slope) / x.nrows() as f64
        })
        .see("batch_of_squared_errors"),
        right("1 / cosh²(x)", |x, d_y| d_y * &x.mapv(|x| x.cosh().powi(-2))),
        right("1 − y², from what went out", |x, d_y| {
            let y = x.mapv(f64::tanh);
            d_y * &(1.0 - &y * &y)
        }),
    ]
}

fn dense() -> Vec<Variant> {
    let with = |dense_layer_step| Functions { dense_layer_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("dense_layer_step", name, with(function));
    let right = |name, function| Variant::right("dense_layer_step", name, with(function));
    vec![
        wrong("∂L/∂X with the weights after the step", |x, w, b, d_y, rate| {
            let (_, w_new, b_new) = step(x, w, b, d_y, rate);
            (d_y.dot(&w_new.t()), w_new, b_new)
        })
        .see("layers-moves"),
        wrong("a step uphill: added, not taken away", |x, w, b, d_y, rate| {
            step(x, w, b, d_y, -rate)
        }),
        wrong("∂L/∂X times the learning rate", |x, w, b, d_y, rate| {
            let (d_x, w_new, b_new) = step(x, w, b, d_y, rate);
            (d_x * rate, w_new, b_new)
        })
        .see("dense_inputs_of_one_sample"),
        wrong("a step of ∂L/∂X away from X in place of ∂L/∂X", |x, w, b, d_y, rate| {
            let (d_x, w_new, b_new) = step(x, w, b, d_y, rate);
            (x - &(d_x * rate), w_new, b_new)
        })
        .see("dense_inputs_of_one_sample"),
        wrong("the derivatives of W and b in place of their new values", |x, w, b, d_y, _| {
            let (d_x, d_w, d_b) = step(x, &(w * 0.0), &(b * 0.0), d_y, -1.0);
            (d_x + d_y.dot(&w.t()), d_w, d_b)
        }),
        wrong("the learning rate left out", |x, w, b, d_y, _| step(x, w, b, d_y, 1.0)),
        wrong("the biases not moved", |x, w, b, d_y, rate| {
            let (d_x, w_new, _) = step(x, w, b, d_y, rate);
            (d_x, w_new, b.clone())
        }),
        wrong("the weights not moved", |x, w, b, d_y, rate| {
            let (d_x, _, b_new) = step(x, w, b, d_y, rate);
            (d_x, w.clone(), b_new)
        }),
        wrong(
            "for the biases the mean over the samples in place of the sum",
            |x, w, b, d_y, rate| {
                let (d_x, w_new, _) = step(x, w, b, d_y, rate);
                (d_x, w_new, b - &(d_y.mean_axis(Axis(0)).expect("samples") * rate))
            },
        ),
        wrong("for the biases the first sample alone", |x, w, b, d_y, rate| {
            let (d_x, w_new, _) = step(x, w, b, d_y, rate);
            (d_x, w_new, b - &(d_y.row(0).to_owned() * rate))
        }),
        wrong(
            "W and b moved by the mean of a batch that has been divided by n already",
            |x, w, b, d_y, rate| {
                let (d_x, ..) = step(x, w, b, d_y, rate);
                let (_, w_new, b_new) = step(x, w, b, d_y, rate / x.nrows() as f64);
                (d_x, w_new, b_new)
            },
        )
        .see("batch_of_squared_errors")
        .published("elsharkawy"),
        wrong("all three divided by the number of samples once more", |x, w, b, d_y, rate| {
            step(x, w, b, &(d_y / x.nrows() as f64), rate)
        })
        .see("batch_of_squared_errors"),
        wrong(
            "sample after sample, each ∂L/∂X with the weights that the last one left",
            |x, w, b, d_y, rate| {
                let (mut d_x, mut w, mut b) = (x * 0.0, w.clone(), b.clone());
                for (i, (x, d_y)) in x.rows().into_iter().zip(d_y.rows()).enumerate() {
                    let row = |row: ndarray::ArrayView1<f64>| row.to_owned().insert_axis(Axis(0));
                    let one = step(&row(x), &w, &b, &row(d_y), rate);
                    d_x.row_mut(i).assign(&one.0.row(0));
                    (w, b) = (one.1, one.2);
                }
                (d_x, w, b)
            },
        )
        .see("updates_in_a_row_are_not_their_sum"),
        wrong("W in place of its transpose in ∂L/∂X", |x, w, b, d_y, rate| {
            let (_, w_new, b_new) = step(x, w, b, d_y, rate);
            (d_y.dot(w), w_new, b_new)
        })
        .see("dense_inputs_of_one_sample"),
        wrong("∂L/∂W transposed", |x, w, b, d_y, rate| {
            let (d_x, _, b_new) = step(x, w, b, d_y, rate);
            (d_x, w - &(d_y.t().dot(x) * rate), b_new)
        }),
        wrong("X in place of its transpose in ∂L/∂W", |x, w, b, d_y, rate| {
            let (d_x, _, b_new) = step(x, w, b, d_y, rate);
            (d_x, w - &(x.dot(d_y) * rate), b_new)
        }),
        right("as matrices", step),
        right("entry by entry", by_entries),
    ]
}

fn step(x: &Array2<f64>, w: &Array2<f64>, b: &Array1<f64>, d_y: &Array2<f64>, rate: f64) -> Step {
    let d_x = d_y.dot(&w.t());
    (d_x, w - &(x.t().dot(d_y) * rate), b - &(d_y.sum_axis(Axis(0)) * rate))
}

fn by_entries(
    x: &Array2<f64>,
    w: &Array2<f64>,
    b: &Array1<f64>,
    d_y: &Array2<f64>,
    rate: f64,
) -> Step {
    let mut answer = (x * 0.0, w.clone(), b.clone());
    for ((i, j), &d) in d_y.indexed_iter() {
        answer.2[j] -= rate * d;
        for k in 0..x.ncols() {
            answer.0[[i, k]] += d * w[[k, j]];
            answer.1[[k, j]] -= rate * x[[i, k]] * d;
        }
    }
    answer
}

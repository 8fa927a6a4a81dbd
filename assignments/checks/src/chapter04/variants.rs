//! Chapter 4: wrong answers, and other right ones.

use ndarray::{Array1, Array2, Axis};

use signatures::chapter04::Functions;

use super::{Gradients, REFERENCE, vectors};
use crate::chapter::Variant;

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    [backward(), vectors::all(), deviations(), forward()].into_iter().flatten().collect()
}

fn backward() -> Vec<Variant> {
    let with = |affine_backward| Functions { affine_backward, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("affine_backward", name, with(function));
    let right = |name, function| Variant::right("affine_backward", name, with(function));
    vec![
        wrong("∂L/∂W and ∂L/∂b divided by the number of samples once more", |x, w, d_z| {
            let ((d_w, d_b, d_x), n) = (by_matrices(x, w, d_z), x.nrows() as f64);
            (d_w / n, d_b / n, d_x)
        })
        .see("backprop_begins_at_softmax")
        .published("elsharkawy"),
        wrong("all three divided by the number of samples once more", |x, w, d_z| {
            by_matrices(x, w, &(d_z / x.nrows() as f64))
        })
        .see("backprop_begins_at_softmax"),
        wrong("for the biases the mean over the samples in place of the sum", |x, w, d_z| {
            let (d_w, _, d_x) = by_matrices(x, w, d_z);
            (d_w, d_z.mean_axis(Axis(0)).expect("samples"), d_x)
        })
        .see("backprop_biases"),
        wrong("for the biases the first sample alone", |x, w, d_z| {
            let (d_w, _, d_x) = by_matrices(x, w, d_z);
            (d_w, d_z.row(0).to_owned(), d_x)
        })
        .see("backprop_biases"),
        wrong("for the biases a sum over the units of each sample", |x, w, d_z| {
            let (d_w, _, d_x) = by_matrices(x, w, d_z);
            (d_w, d_z.sum_axis(Axis(1)), d_x)
        })
        .see("backprop_biases"),
        wrong("∂L/∂W and ∂L/∂b of the last sample alone, = in place of +=", |x, w, d_z| {
            let mut answer = by_matrices(x, w, d_z);
            for (x, d_z) in x.rows().into_iter().zip(d_z.rows()) {
                let (x, d_z) = (x.insert_axis(Axis(1)), d_z.insert_axis(Axis(0)));
                answer.0 = x.dot(&d_z);
                answer.1 = d_z.row(0).to_owned();
            }
            answer
        })
        .see("backprop_weights_by_entries"),
        wrong("X in place of its transpose in ∂L/∂W", |x, w, d_z| {
            let (_, d_b, d_x) = by_matrices(x, w, d_z);
            (x.dot(d_z), d_b, d_x)
        })
        .see("backprop_weights_by_matrices"),
        wrong("W in place of its transpose in ∂L/∂X", |x, w, d_z| {
            let (d_w, d_b, _) = by_matrices(x, w, d_z);
            (d_w, d_b, d_z.dot(w))
        }),
        wrong("∂L/∂W transposed", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            (d_w.reversed_axes(), d_b, d_x)
        })
        .see("backprop_weights_by_matrices"),
        wrong("∂L/∂W and ∂L/∂X in each other's place", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            (d_x, d_b, d_w)
        }),
        wrong("∂L/∂X times the slope of a tanh that is not there", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            (d_w, d_b, d_x * x.mapv(|a| 1.0 - a * a))
        })
        .see("backprop_hidden"),
        wrong("∂L/∂X times the slope of a ReLU that is not there", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            (d_w, d_b, d_x * x.mapv(|a| if a > 0.0 { 1.0 } else { 0.0 }))
        })
        .see("backprop_hidden"),
        wrong("X and W both without their transposes", |x, w, d_z| {
            (x.dot(d_z), d_z.sum_axis(Axis(0)), d_z.dot(w))
        })
        .see("backprop_weights_by_matrices"),
        wrong("all three with the other sign", |x, w, d_z| by_matrices(x, w, &-d_z)),
        wrong("zeros in place of what is not finite", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            let finite = |d: f64| if d.is_finite() { d } else { 0.0 };
            (d_w.mapv(finite), d_b.mapv(finite), d_x.mapv(finite))
        })
        .see("network-fit")
        .published("lazar"),
        right("as matrices", by_matrices),
        right("entry by entry", by_entries),
    ]
}

fn deviations() -> Vec<Variant> {
    let with = |weight_deviations| Functions { weight_deviations, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("weight_deviations", name, with(function));
    let right = |name, function| Variant::right("weight_deviations", name, with(function));
    fn root(variances: [f64; 3]) -> (f64, f64, f64) {
        let [lecun, glorot, he] = variances.map(f64::sqrt);
        (lecun, glorot, he)
    }
    vec![
        wrong("the variances, without their square roots", |i, o| {
            let (i, o) = (i as f64, o as f64);
            (1.0 / i, 2.0 / (i + o), 2.0 / i)
        }),
        wrong("half of Glorot's variance: a 2 is missing", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 1.0 / (i + o), 2.0 / i])
        })
        .see("variance_of_lazar")
        .published("lazar"),
        wrong("half of He's variance, which is LeCun's", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 2.0 / (i + o), 1.0 / i])
        }),
        wrong("fan_out in place of fan_in", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / o, 2.0 / (i + o), 2.0 / o])
        })
        .see("variance_forward"),
        wrong("Glorot's for He's", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 2.0 / (i + o), 2.0 / (i + o)])
        }),
        wrong("He's with the mean of fan_in and fan_out", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 2.0 / (i + o), 4.0 / (i + o)])
        }),
        wrong("for Glorot's variance the mean of 1 / fan_in and 1 / fan_out", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 0.5 * (1.0 / i + 1.0 / o), 2.0 / i])
        })
        .see("variance_of_glorot"),
        wrong("the 2 outside of the root", |i, o| {
            let (i, o) = (i as f64, o as f64);
            (i.recip().sqrt(), 2.0 * (i + o).recip().sqrt(), 2.0 * i.recip().sqrt())
        }),
        wrong("the limits of uniform weights", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([3.0 / i, 6.0 / (i + o), 6.0 / i])
        })
        .see("variance_of_uniform_weights"),
        wrong("a division of whole numbers, before the conversion to f64", |i, o| {
            root([(1 / i) as f64, (2 / (i + o)) as f64, (2 / i) as f64])
        }),
        wrong("He's first and LeCun's last", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([2.0 / i, 2.0 / (i + o), 1.0 / i])
        }),
        wrong("Glorot's last", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 2.0 / i, 2.0 / (i + o)])
        }),
        right("the harmonic mean, and √2 times LeCun's", |i, o| {
            let (i, o) = (i as f64, o as f64);
            let lecun = i.sqrt().recip();
            (lecun, (1.0 / ((i + o) / 2.0)).sqrt(), 2.0_f64.sqrt() * lecun)
        }),
    ]
}

fn forward() -> Vec<Variant> {
    let with = |forward_pass| Functions { forward_pass, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("forward_pass", name, with(function));
    let right = |name, function| Variant::right("forward_pass", name, with(function));
    vec![
        wrong("tanh in the last layer too", |x, weights, biases| {
            softmax(&through(x, weights, biases, f64::tanh).mapv(f64::tanh))
        }),
        wrong("no activation between the layers", |x, weights, biases| {
            softmax(&through(x, weights, biases, |z| z))
        })
        .see("affine_layers_collapse"),
        wrong("ReLU in place of tanh", |x, weights, biases| {
            softmax(&through(x, weights, biases, |z| z.max(0.0)))
        }),
        wrong("sigmoid in place of tanh", |x, weights, biases| {
            softmax(&through(x, weights, biases, |z| 1.0 / (1.0 + (-z).exp())))
        }),
        wrong("softmax in place of tanh, after every layer", |x, weights, biases| {
            weights.iter().zip(biases).fold(x.clone(), |a, (w, b)| softmax(&(a.dot(w) + b)))
        }),
        wrong("tanh before the first layer", |x, weights, biases| {
            softmax(&through(&x.mapv(f64::tanh), weights, biases, f64::tanh))
        }),
        wrong("transposed weights", |x, weights, biases| {
            let transposed: Vec<_> = weights.iter().map(|w| w.t().to_owned()).collect();
            softmax(&through(x, &transposed, biases, f64::tanh))
        })
        .see("affine_layer_by_matrices"),
        wrong("no biases", |x, weights, biases| {
            let none: Vec<_> = biases.iter().map(|b| Array1::zeros(b.len())).collect();
            softmax(&through(x, weights, &none, f64::tanh))
        })
        .see("affine_layer_by_matrices"),
        wrong("no biases in the last layer", |x, weights, biases| {
            let mut some = biases.to_vec();
            if let Some(last) = some.last_mut() {
                last.fill(0.0);
            }
            softmax(&through(x, weights, &some, f64::tanh))
        }),
        wrong("biases added behind tanh, not before it", |x, weights, biases| {
            let (mut a, last) = (x.clone(), weights.len() - 1);
            for (i, (w, b)) in weights.iter().zip(biases).enumerate() {
                let z = a.dot(w);
                a = if i < last { z.mapv(f64::tanh) } else { z } + b;
            }
            softmax(&a)
        }),
        wrong("the logits, without softmax", |x, weights, biases| {
            through(x, weights, biases, f64::tanh)
        }),
        wrong("softmax without its shift, so that it overflows", |x, weights, biases| {
            shares(&through(x, weights, biases, f64::tanh).exp(), Axis(1))
        }),
        wrong("softmax shifted by the maximum of the whole batch", |x, weights, biases| {
            let z = through(x, weights, biases, f64::tanh);
            let largest = z.fold(f64::NEG_INFINITY, |max, &z| max.max(z));
            shares(&(z - largest).exp(), Axis(1))
        })
        .published("yuan"),
        wrong(
            "softmax shifted by something else than each row's maximum, such as its mean",
            |x, weights, biases| {
                let z = through(x, weights, biases, f64::tanh);
                let means = z.mean_axis(Axis(1)).expect("outputs").insert_axis(Axis(1));
                shares(&(z - &means).exp(), Axis(1))
            },
        ),
        wrong("softmax of logits that were clipped to ±500", |x, weights, biases| {
            let z = through(x, weights, biases, f64::tanh);
            softmax(&z.mapv(|z| z.clamp(-500.0, 500.0)))
        }),
        wrong("softmax over the samples in place of the units", |x, weights, biases| {
            softmax(&through(x, weights, biases, f64::tanh).reversed_axes()).reversed_axes()
        }),
        wrong("softmax divided by the sum over the whole batch", |x, weights, biases| {
            let s = softmax(&through(x, weights, biases, f64::tanh));
            &s / s.sum()
        }),
        wrong("no more than two layers", |x, weights, biases| {
            let some = weights.len().min(2);
            softmax(&through(x, &weights[..some], &biases[..some], f64::tanh))
        }),
        right("layer by layer", |x, weights, biases| {
            softmax(&through(x, weights, biases, f64::tanh))
        }),
    ]
}

fn by_matrices(x: &Array2<f64>, w: &Array2<f64>, d_z: &Array2<f64>) -> Gradients {
    (x.t().dot(d_z), d_z.sum_axis(Axis(0)), d_z.dot(&w.t()))
}

fn by_entries(x: &Array2<f64>, w: &Array2<f64>, d_z: &Array2<f64>) -> Gradients {
    let mut answer = (Array2::zeros(w.raw_dim()), Array1::zeros(w.ncols()), x * 0.0);
    for ((i, j), &d) in d_z.indexed_iter() {
        answer.1[j] += d;
        for k in 0..x.ncols() {
            answer.0[[k, j]] += x[[i, k]] * d;
            answer.2[[i, k]] += d * w[[k, j]];
        }
    }
    answer
}

/// The logits.
fn through(
    x: &Array2<f64>,
    weights: &[Array2<f64>],
    biases: &[Array1<f64>],
    hidden: fn(f64) -> f64,
) -> Array2<f64> {
    let mut a = x.clone();
    for (i, (w, b)) in weights.iter().zip(biases).enumerate() {
        if i > 0 {
            a.mapv_inplace(hidden);
        }
        a = a.dot(w) + b;
    }
    a
}

fn softmax(z: &Array2<f64>) -> Array2<f64> {
    let largest = z.map_axis(Axis(1), |row| row.fold(f64::NEG_INFINITY, |max, &z| max.max(z)));
    shares(&(z - &largest.insert_axis(Axis(1))).exp(), Axis(1))
}

/// Every entry as a part of the sum along this axis.
fn shares(e: &Array2<f64>, along: Axis) -> Array2<f64> {
    e / &e.sum_axis(along).insert_axis(along)
}

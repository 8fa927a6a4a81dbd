//! Chapter 4: wrong answers, and other right ones.

use ndarray::{Array1, Array2, Axis, s};

use super::{AffineBackward, CHECKS, Functions, Gradients, Layers, REFERENCE};
use crate::chapter::{Variant, bind};

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    let parts = [backward(), flatten(), restore(), one_hot(), deviations(), forward()];
    parts.into_iter().flatten().collect()
}

fn wrong(check: &'static str, name: &'static str, functions: Functions) -> Variant {
    Variant::wrong(check, name, bind(CHECKS, functions))
}

fn right(name: &'static str, functions: Functions) -> Variant {
    Variant::right(name, bind(CHECKS, functions))
}

fn backward() -> Vec<Variant> {
    fn with(affine_backward: AffineBackward) -> Functions {
        Functions { affine_backward, ..REFERENCE }
    }
    fn wrong_one(name: &'static str, function: AffineBackward) -> Variant {
        wrong("affine_backward", name, with(function))
    }
    vec![
        wrong_one("divided by n once more", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            let n = x.nrows() as f64;
            (d_w / n, d_b / n, d_x)
        }),
        wrong_one("the mean over the biases", |x, w, d_z| {
            let (d_w, _, d_x) = by_matrices(x, w, d_z);
            (d_w, d_z.mean_axis(Axis(0)).expect("samples"), d_x)
        }),
        wrong_one("the biases of the first sample", |x, w, d_z| {
            let (d_w, _, d_x) = by_matrices(x, w, d_z);
            (d_w, d_z.row(0).to_owned(), d_x)
        }),
        wrong_one("biases that add up the samples' units", |x, w, d_z| {
            let (d_w, _, d_x) = by_matrices(x, w, d_z);
            (d_w, d_z.sum_axis(Axis(1)), d_x)
        }),
        wrong_one("no transpose where the layer is square", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            (d_w, d_b, if w.is_square() { d_z.dot(w) } else { d_x })
        }),
        wrong_one("the weights of the transposed layer", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            (d_w.reversed_axes(), d_b, d_x)
        }),
        wrong_one("through a slope that is not there", |x, w, d_z| {
            let (d_w, d_b, d_x) = by_matrices(x, w, d_z);
            (d_w, d_b, d_x * x.mapv(|a| 1.0 - a * a))
        }),
        right("as matrices", with(by_matrices)),
        right("entry by entry", with(by_entries)),
    ]
}

fn flatten() -> Vec<Variant> {
    let with = |flatten_parameters| Functions { flatten_parameters, ..REFERENCE };
    let wrong = |name, function| wrong("flatten_parameters", name, with(function));
    vec![
        wrong("each layer's biases behind its weights", |weights, biases| {
            let pairs = weights.iter().zip(biases);
            pairs.flat_map(|(w, b)| w.iter().chain(b)).copied().collect()
        }),
        wrong("biases first", |weights, biases| {
            let weights = weights.iter().flatten();
            biases.iter().flatten().chain(weights).copied().collect()
        }),
        wrong("column by column", |weights, biases| {
            let weights = weights.iter().flat_map(|w| w.t().iter().copied().collect::<Vec<_>>());
            weights.chain(biases.iter().flatten().copied()).collect()
        }),
        wrong("in the order of the memory", |weights, biases| {
            let weights = weights.iter().flat_map(|w| w.as_slice_memory_order().expect("whole"));
            weights.chain(biases.iter().flatten()).copied().collect()
        }),
        wrong("without the biases", |weights, _| weights.iter().flatten().copied().collect()),
        wrong("the last layer first", |weights, biases| {
            let weights = weights.iter().rev().flatten();
            weights.chain(biases.iter().rev().flatten()).copied().collect()
        }),
        right(
            "place by place",
            with(|weights, biases| {
                let mut theta = Vec::new();
                for w in weights {
                    w.rows().into_iter().for_each(|row| theta.extend(row));
                }
                biases.iter().for_each(|b| theta.extend(b));
                Array1::from(theta)
            }),
        ),
    ]
}

fn restore() -> Vec<Variant> {
    let with = |restore_parameters| Functions { restore_parameters, ..REFERENCE };
    let wrong = |name, function| wrong("restore_parameters", name, with(function));
    vec![
        wrong("too long is good enough", |theta, sizes| {
            (theta.len() >= count(sizes)).then(|| cut(theta, sizes))
        }),
        wrong("too short is filled with zeros", |theta, sizes| {
            let p = count(sizes);
            let filled = Array1::from_shape_fn(p, |i| theta.get(i).copied().unwrap_or(0.0));
            (theta.len() <= p).then(|| cut(&filled, sizes))
        }),
        wrong("each layer's biases behind its weights", |theta, sizes| {
            let (mut place, mut layers) = (0, (vec![], vec![]));
            for pair in sizes.windows(2) {
                layers.0.push(matrix(theta, &mut place, pair[0], pair[1]));
                layers.1.push(vector(theta, &mut place, pair[1]));
            }
            (theta.len() == count(sizes)).then_some(layers)
        }),
        wrong("column by column", |theta, sizes| {
            let (mut place, mut layers) = (0, (vec![], vec![]));
            for pair in sizes.windows(2) {
                let transposed = matrix(theta, &mut place, pair[1], pair[0]);
                layers.0.push(transposed.reversed_axes());
            }
            layers.1.extend(sizes[1..].iter().map(|&size| vector(theta, &mut place, size)));
            (theta.len() == count(sizes)).then_some(layers)
        }),
        wrong("a bias for each input", |theta, sizes| {
            let (weights, mut biases) = cut(theta, sizes);
            let last = biases.len() - 1;
            biases[last] = Array1::zeros(sizes[last]);
            (theta.len() == count(sizes)).then_some((weights, biases))
        }),
        right(
            "piece by piece",
            with(|theta, sizes| (theta.len() == count(sizes)).then(|| cut(theta, sizes))),
        ),
    ]
}

fn one_hot() -> Vec<Variant> {
    let with = |one_hot_labels| Functions { one_hot_labels, ..REFERENCE };
    let wrong = |name, function| wrong("one_hot_labels", name, with(function));
    vec![
        // Published: Lazar.
        wrong("classes counted by the largest label", |labels, _| {
            Some(rows(labels, labels.iter().max().map_or(0, |largest| largest + 1)))
        }),
        wrong("as many columns as different labels", |labels, classes| {
            let mut different = labels.to_vec();
            different.sort_unstable();
            different.dedup();
            let fits = labels.iter().all(|&label| label < classes);
            fits.then(|| rows(labels, different.len()))
        }),
        wrong("counted from 1", |labels, classes| {
            let shifted: Vec<usize> = labels.iter().map(|label| label.wrapping_sub(1)).collect();
            let fits = labels.iter().all(|&label| label < classes);
            fits.then(|| rows(&shifted, classes))
        }),
        wrong("a label too large gives a row of zeros", |labels, classes| {
            Some(rows(labels, classes))
        }),
        wrong("the label that is the number of classes is let in", |labels, classes| {
            let fits = labels.iter().all(|&label| label <= classes);
            fits.then(|| rows(labels, classes))
        }),
        wrong("classes in rows", |labels, classes| {
            let fits = labels.iter().all(|&label| label < classes);
            fits.then(|| rows(labels, classes).reversed_axes())
        }),
        right(
            "by comparison",
            with(|labels, classes| {
                let fits = labels.iter().all(|&label| label < classes);
                fits.then(|| rows(labels, classes))
            }),
        ),
    ]
}

fn deviations() -> Vec<Variant> {
    let with = |weight_deviations| Functions { weight_deviations, ..REFERENCE };
    let wrong = |name, function| wrong("weight_deviations", name, with(function));
    fn root(variances: [f64; 3]) -> (f64, f64, f64) {
        let [lecun, glorot, he] = variances.map(f64::sqrt);
        (lecun, glorot, he)
    }
    vec![
        wrong("the variances", |i, o| {
            let (i, o) = (i as f64, o as f64);
            (1.0 / i, 2.0 / (i + o), 2.0 / i)
        }),
        // Published: Lazar.
        wrong("half of Glorot's variance", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 1.0 / (i + o), 2.0 / i])
        }),
        wrong("the outputs in place of the inputs", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / o, 2.0 / (i + o), 2.0 / o])
        }),
        wrong("He's with the sum", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 2.0 / (i + o), 4.0 / (i + o)])
        }),
        wrong("the mean of 1 / fan_in and 1 / fan_out", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([1.0 / i, 0.5 * (1.0 / i + 1.0 / o), 2.0 / i])
        }),
        wrong("the limits of uniform weights", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([3.0 / i, 6.0 / (i + o), 6.0 / i])
        }),
        wrong("divided as whole numbers", |i, o| {
            root([(1 / i) as f64, (2 / (i + o)) as f64, (2 / i) as f64])
        }),
        wrong("another order", |i, o| {
            let (i, o) = (i as f64, o as f64);
            root([2.0 / i, 2.0 / (i + o), 1.0 / i])
        }),
        right(
            "the harmonic mean, and √2 times LeCun's",
            with(|i, o| {
                let (i, o) = (i as f64, o as f64);
                let lecun = i.sqrt().recip();
                (lecun, (1.0 / ((i + o) / 2.0)).sqrt(), 2.0_f64.sqrt() * lecun)
            }),
        ),
    ]
}

fn forward() -> Vec<Variant> {
    let with = |forward_pass| Functions { forward_pass, ..REFERENCE };
    let wrong = |name, function| wrong("forward_pass", name, with(function));
    vec![
        wrong("tanh in the last layer too", |x, weights, biases| {
            softmax(&through(x, weights, biases, f64::tanh).mapv(f64::tanh))
        }),
        wrong("no activation between the layers", |x, weights, biases| {
            softmax(&through(x, weights, biases, |z| z))
        }),
        wrong("ReLU in place of tanh", |x, weights, biases| {
            softmax(&through(x, weights, biases, |z| z.max(0.0)))
        }),
        wrong("tanh before the first layer", |x, weights, biases| {
            softmax(&through(&x.mapv(f64::tanh), weights, biases, f64::tanh))
        }),
        wrong("without biases", |x, weights, biases| {
            let none: Vec<_> = biases.iter().map(|b| Array1::zeros(b.len())).collect();
            softmax(&through(x, weights, &none, f64::tanh))
        }),
        wrong("without biases in the last layer", |x, weights, biases| {
            let mut some = biases.to_vec();
            if let Some(last) = some.last_mut() {
                last.fill(0.0);
            }
            softmax(&through(x, weights, &some, f64::tanh))
        }),
        wrong("the logits", |x, weights, biases| through(x, weights, biases, f64::tanh)),
        wrong("a softmax that overflows", |x, weights, biases| {
            let e = through(x, weights, biases, f64::tanh).exp();
            &e / &e.sum_axis(Axis(1)).insert_axis(Axis(1))
        }),
        wrong("softmax over the samples", |x, weights, biases| {
            softmax(&through(x, weights, biases, f64::tanh).reversed_axes()).reversed_axes()
        }),
        wrong("the first two layers alone", |x, weights, biases| {
            let some = weights.len().min(2);
            softmax(&through(x, &weights[..some], &biases[..some], f64::tanh))
        }),
        right(
            "layer by layer",
            with(|x, weights, biases| softmax(&through(x, weights, biases, f64::tanh))),
        ),
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

/// How many parameters a network of these sizes has.
fn count(sizes: &[usize]) -> usize {
    sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
}

/// The next numbers of a vector, as many as are there; zeros in place of the others.
fn vector(theta: &Array1<f64>, place: &mut usize, len: usize) -> Array1<f64> {
    let begin = *place;
    *place += len;
    Array1::from_shape_fn(len, |i| theta.get(begin + i).copied().unwrap_or(0.0))
}

fn matrix(theta: &Array1<f64>, place: &mut usize, rows: usize, columns: usize) -> Array2<f64> {
    let entries = vector(theta, place, rows * columns).to_vec();
    Array2::from_shape_vec((rows, columns), entries).expect("as many")
}

fn cut(theta: &Array1<f64>, sizes: &[usize]) -> Layers {
    let mut place = 0;
    let pairs = sizes.windows(2);
    let weights = pairs.map(|pair| matrix(theta, &mut place, pair[0], pair[1])).collect();
    let biases = sizes[1..].iter().map(|&size| vector(theta, &mut place, size)).collect();
    (weights, biases)
}

/// A one where the column is the label.
fn rows(labels: &[usize], columns: usize) -> Array2<f64> {
    let entry = |(i, j): (usize, usize)| if labels[i] == j { 1.0 } else { 0.0 };
    Array2::from_shape_fn((labels.len(), columns), entry)
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
    let mut e = z.clone();
    for i in 0..e.nrows() {
        let mut row = e.slice_mut(s![i, ..]);
        let largest = row.fold(f64::NEG_INFINITY, |max, &z| max.max(z));
        row.mapv_inplace(|z| (z - largest).exp());
        let sum = row.sum();
        row /= sum;
    }
    e
}

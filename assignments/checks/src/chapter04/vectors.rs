//! Chapter 4: wrong answers, and other right ones, to what turns arrays into others.

use ndarray::{Array1, Array2};

use signatures::chapter04::Functions;

use super::{Layers, REFERENCE};
use crate::chapter::Variant;

/// The variants of flattening, restoring and one-hot rows.
pub fn all() -> Vec<Variant> {
    [flatten(), restore(), one_hot()].into_iter().flatten().collect()
}

fn flatten() -> Vec<Variant> {
    let with = |flatten_parameters| Functions { flatten_parameters, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("flatten_parameters", name, with(function));
    let right = |name, function| Variant::right("flatten_parameters", name, with(function));
    vec![
        wrong("each layer's biases right behind its weights", |weights, biases| {
            let pairs = weights.iter().zip(biases);
            pairs.flat_map(|(w, b)| w.iter().chain(b)).copied().collect()
        }),
        wrong("the biases first", |weights, biases| {
            let weights = weights.iter().flatten();
            biases.iter().flatten().chain(weights).copied().collect()
        }),
        wrong("the weights column by column", |weights, biases| {
            let weights = weights.iter().flat_map(|w| w.t().iter().copied().collect::<Vec<_>>());
            weights.chain(biases.iter().flatten().copied()).collect()
        }),
        wrong("the weights in the order in which they lie in memory", |weights, biases| {
            let weights = weights.iter().flat_map(|w| w.as_slice_memory_order().expect("whole"));
            weights.chain(biases.iter().flatten()).copied().collect()
        }),
        wrong("no biases", |weights, _| weights.iter().flatten().copied().collect()),
        wrong("the last layer first", |weights, biases| {
            let weights = weights.iter().rev().flatten();
            weights.chain(biases.iter().rev().flatten()).copied().collect()
        }),
        wrong("the first layer alone", |weights, biases| {
            weights[0].iter().chain(&biases[0]).copied().collect()
        }),
        right("place by place", |weights, biases| {
            let mut theta = Vec::new();
            for w in weights {
                w.rows().into_iter().for_each(|row| theta.extend(row));
            }
            biases.iter().for_each(|b| theta.extend(b));
            Array1::from(theta)
        }),
    ]
}

fn restore() -> Vec<Variant> {
    let with = |restore_parameters| Functions { restore_parameters, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("restore_parameters", name, with(function));
    let right = |name, function| Variant::right("restore_parameters", name, with(function));
    vec![
        wrong("a vector that is too long is taken", |theta, sizes| {
            (theta.len() >= count(sizes)).then(|| cut(theta, sizes))
        })
        .see("parameters_counted"),
        wrong("a vector that is too short is filled with zeros", |theta, sizes| {
            let p = count(sizes);
            let filled = Array1::from_shape_fn(p, |i| theta.get(i).copied().unwrap_or(0.0));
            (theta.len() <= p).then(|| cut(&filled, sizes))
        })
        .see("parameters_counted"),
        wrong("the number of entries is not looked at", |theta, sizes| {
            assert!(theta.len() >= count(sizes), "out of bounds");
            Some(cut(theta, sizes))
        })
        .see("parameters_counted"),
        wrong("the parameters counted with a bias for each input of a layer", |theta, sizes| {
            let p: usize = sizes.windows(2).map(|pair| pair[0] * (pair[1] + 1)).sum();
            (theta.len() == p).then(|| {
                let (weights, _) = cut(theta, sizes);
                let mut place = weights.iter().map(Array2::len).sum();
                let inputs = &sizes[..weights.len()];
                (weights, inputs.iter().map(|&size| vector(theta, &mut place, size)).collect())
            })
        })
        .see("parameters_counted"),
        wrong("the parameters counted without the biases", |theta, sizes| {
            let p: usize = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
            assert!(theta.len() != p, "out of bounds");
            None
        })
        .see("parameters_counted"),
        wrong("each layer's biases right behind its weights", |theta, sizes| {
            let (mut place, mut layers) = (0, (vec![], vec![]));
            for pair in sizes.windows(2) {
                layers.0.push(matrix(theta, &mut place, pair[0], pair[1]));
                layers.1.push(vector(theta, &mut place, pair[1]));
            }
            (theta.len() == count(sizes)).then_some(layers)
        })
        .see("flatten_index_formula"),
        wrong("the biases first", |theta, sizes| {
            let mut place = 0;
            let biases = sizes[1..].iter().map(|&size| vector(theta, &mut place, size)).collect();
            let pairs = sizes.windows(2);
            let weights = pairs.map(|pair| matrix(theta, &mut place, pair[0], pair[1])).collect();
            (theta.len() == count(sizes)).then_some((weights, biases))
        })
        .see("flatten_index_formula"),
        wrong("the weights column by column", |theta, sizes| {
            let weights = turned(theta, sizes).into_iter().map(Array2::reversed_axes).collect();
            (theta.len() == count(sizes)).then(|| (weights, cut(theta, sizes).1))
        })
        .see("flatten_index_formula"),
        wrong("weights with the outputs in rows and the inputs in columns", |theta, sizes| {
            let weights = turned(theta, sizes);
            (theta.len() == count(sizes)).then(|| (weights, cut(theta, sizes).1))
        }),
        wrong("every piece cut from the beginning", |theta, sizes| {
            let pairs = sizes.windows(2);
            let weights = pairs.map(|pair| matrix(theta, &mut 0, pair[0], pair[1])).collect();
            let biases = sizes[1..].iter().map(|&size| vector(theta, &mut 0, size)).collect();
            (theta.len() == count(sizes)).then_some((weights, biases))
        })
        .see("flatten_index_formula"),
        right("piece by piece", |theta, sizes| {
            (theta.len() == count(sizes)).then(|| cut(theta, sizes))
        }),
    ]
}

fn one_hot() -> Vec<Variant> {
    let with = |one_hot_labels| Functions { one_hot_labels, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("one_hot_labels", name, with(function));
    let right = |name, function| Variant::right("one_hot_labels", name, with(function));
    vec![
        wrong("as many columns as the largest label asks for", |labels, _| {
            Some(rows(labels, labels.iter().max().map_or(0, |largest| largest + 1)))
        })
        .see("last_class_is_missing")
        .published("lazar"),
        wrong("as many columns as there are different labels", |labels, classes| {
            let mut different = labels.to_vec();
            different.sort_unstable();
            different.dedup();
            fit(labels, classes).then(|| rows(labels, different.len()))
        })
        .see("last_class_is_missing"),
        wrong("None for labels that lack the last class", |labels, classes| {
            let all = labels.iter().max().is_some_and(|largest| largest + 1 == classes);
            all.then(|| rows(labels, classes))
        })
        .see("last_class_is_missing"),
        wrong("labels counted from 1", |labels, classes| {
            let shifted: Vec<usize> = labels.iter().map(|label| label.wrapping_sub(1)).collect();
            fit(labels, classes).then(|| rows(&shifted, classes))
        }),
        wrong("a row of zeros for a label that is too large", |labels, classes| {
            Some(rows(labels, classes))
        }),
        wrong("the last class for a label that is too large", |labels, classes| {
            let nearest: Vec<usize> = labels.iter().map(|&l| l.min(classes - 1)).collect();
            Some(rows(&nearest, classes))
        }),
        wrong("no row for a label that is too large", |labels, classes| {
            let some: Vec<usize> = labels.iter().copied().filter(|&l| l < classes).collect();
            Some(rows(&some, classes))
        }),
        wrong("a label let in that is the number of classes", |labels, classes| {
            fit(labels, classes + 1).then(|| rows(labels, classes))
        }),
        wrong("labels used as places without a look at how many classes there are", |labels, n| {
            let mut y = Array2::zeros((labels.len(), n));
            labels.iter().enumerate().for_each(|(i, &label)| y[[i, label]] = 1.0);
            Some(y)
        })
        .panics(),
        wrong("classes in rows and samples in columns", |labels, classes| {
            fit(labels, classes).then(|| rows(labels, classes).reversed_axes())
        }),
        wrong("−1 in place of 0", |labels, classes| {
            fit(labels, classes).then(|| rows(labels, classes) * 2.0 - 1.0)
        }),
        right("by comparison", |labels, classes| {
            fit(labels, classes).then(|| rows(labels, classes))
        }),
    ]
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

/// Each matrix with as many rows as it should have columns, filled row by row.
fn turned(theta: &Array1<f64>, sizes: &[usize]) -> Vec<Array2<f64>> {
    let mut place = 0;
    sizes.windows(2).map(|pair| matrix(theta, &mut place, pair[1], pair[0])).collect()
}

/// Whether every label is below the number of classes.
fn fit(labels: &[usize], classes: usize) -> bool {
    labels.iter().all(|&label| label < classes)
}

/// A one where the column is the label.
fn rows(labels: &[usize], columns: usize) -> Array2<f64> {
    let entry = |(i, j): (usize, usize)| if labels[i] == j { 1.0 } else { 0.0 };
    Array2::from_shape_fn((labels.len(), columns), entry)
}

//! Chapter 4: the network.

mod variants;
mod vectors;

use gradus::layout::{flatten, restore};
use gradus::{
    CategoricalCrossEntropy, Elementwise, GradientDescent, Identity, Init, MeanSquaredError, Model,
    Network, NeuralNetwork, Share, Softmax, Tanh, one_hot,
};
use ndarray::{Array1, Array2, ShapeBuilder, array};
use signatures::chapter04::{Functions, call};

use crate::chapter::Chapter;
use crate::draw::Draw;
use crate::question::Ask;

/// Weights and biases, layer by layer.
type Layers = (Vec<Array2<f64>>, Vec<Array1<f64>>);

/// ∂L/∂W, ∂L/∂b and ∂L/∂X.
type Gradients = (Array2<f64>, Array1<f64>, Array2<f64>);

/// What the library says.
const REFERENCE: Functions = Functions {
    affine_backward: backward_of_the_library,
    flatten_parameters: |weights, biases| flatten(weights, biases),
    restore_parameters: |theta, sizes| restore(theta, sizes).ok(),
    one_hot_labels: |labels, classes| one_hot(labels, classes).ok(),
    weight_deviations: |fan_in, fan_out| {
        let deviation = |init: Init| init.variance(fan_in, fan_out).sqrt();
        (deviation(Init::LeCun), deviation(Init::GlorotNormal), deviation(Init::He))
    },
    forward_pass: |x, weights, biases| {
        let (output, loss) = (Softmax, CategoricalCrossEntropy);
        let optimizer = GradientDescent::new(1.0).expect("a rate");
        let network =
            NeuralNetwork::new(&sizes(weights), Tanh, output, loss, optimizer, Init::He, 1);
        let mut network = network.expect("layers");
        network.set_params(&flatten(weights, biases)).expect("they fit");
        network.predict(x).expect("finite outputs")
    },
};

/// The backward pass of a network whose second layer is the one in question: the first one lets
/// everything through, and the targets miss the outputs by what makes ∂L/∂Z.
fn backward_of_the_library(x: &Array2<f64>, w: &Array2<f64>, d_z: &Array2<f64>) -> Gradients {
    let ((n, s), m) = (x.dim(), w.ncols());
    let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(1.0).expect("a rate"));
    let (loss, init) = (MeanSquaredError, Init::He);
    let network = NeuralNetwork::new(&[s, s, m], Identity, output, loss, optimizer, init, 1);
    let mut network = network.expect("sizes");
    let biases = [Array1::zeros(s), Array1::zeros(m)];
    network.set_params(&flatten(&[Array2::eye(s), w.clone()], &biases)).expect("they fit");
    let y = network.predict(x).expect("finite outputs") - d_z * (0.5 * (n * m) as f64);
    let (mut trace, mut gradient) = (network.trace(n), Array1::zeros(network.params().len()));
    network.gradient_into(x, &y, Share::whole(n), &mut trace, &mut gradient);
    let layout = network.layout();
    let d_w = layout.weights(&gradient, 1).to_owned();
    (d_w, layout.biases(&gradient, 1).to_owned(), trace.d_z.remove(0))
}

/// The layer sizes of a network with these weights.
fn sizes(weights: &[Array2<f64>]) -> Vec<usize> {
    let last = weights.last().map(Array2::ncols);
    weights.iter().map(Array2::nrows).chain(last).collect()
}

/// The assignment of chapter 4: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 4,
    exercises: include_str!("../../chapter04/exercises.toml"),
    checks: &[
        ("affine_backward", affine_backward),
        ("flatten_parameters", flatten_parameters),
        ("restore_parameters", restore_parameters),
        ("one_hot_labels", one_hot_labels),
        ("weight_deviations", weight_deviations),
        ("forward_pass", forward_pass),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: variants::all,
};

fn affine_backward(ask: &mut Ask<'_>) {
    // Worked out by hand, so that a mistake of the library could not hide one of the student. All
    // sides are equal at first: a transpose that is missing gives numbers here, and a panic later.
    let (x, w) = (array![[1.0, 2.0], [3.0, 4.0]], array![[1.0, 2.0], [0.0, -1.0]]);
    let d_z = array![[1.0, 0.0], [2.0, -1.0]];
    let right =
        (array![[7.0, -3.0], [10.0, -4.0]], array![3.0, -1.0], array![[1.0, 0.0], [0.0, 1.0]]);
    ask.call(call::affine_backward(&x, &w, &d_z)).case("all sides are equal").returns(&right);
    let w = array![[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]];
    let d_z = array![[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]];
    let d_w = array![[7.0, 3.0, -1.0], [10.0, 4.0, -2.0]];
    let d_x = array![[-1.0, -1.0], [2.0, -1.0]];
    ask.call(call::affine_backward(&x, &w, &d_z)).returns(&(d_w, array![3.0, 1.0, -1.0], d_x));
    for (n, s, m) in [(4, 3, 2), (1, 2, 3), (2, 3, 1), (3, 3, 3)] {
        let (x, w) = (ask.draw.normal((n, s), 1.0), ask.draw.normal((s, m), 1.0));
        let d_z = ask.draw.normal((n, m), 1.0);
        ask.call(call::affine_backward(&x, &w, &d_z));
    }
    let (x, w) = (ask.draw.normal((2, 3), 1.0), ask.draw.normal((3, 2), 1.0));
    let mut d_z = ask.draw.normal((2, 2), 1.0);
    d_z[[1, 0]] = f64::NAN;
    let in_place = |(d_w, d_b, d_x): &Gradients| {
        d_w.indexed_iter().all(|((_, j), d)| d.is_nan() == (j == 0))
            && d_b.indexed_iter().all(|(j, d)| d.is_nan() == (j == 0))
            && d_x.indexed_iter().all(|((i, _), d)| d.is_nan() == (i == 1))
    };
    ask.call(call::affine_backward(&x, &w, &d_z)).case("a NaN in d_z").has(
        "NaN in column 0 of ∂L/∂W and ∂L/∂b and in row 1 of ∂L/∂X, and nowhere else",
        in_place,
    );
}

/// Normal weights and biases for these sizes.
fn layers(sizes: &[usize], std: f64, draw: &mut Draw) -> Layers {
    let weights = sizes.windows(2).map(|pair| draw.normal((pair[0], pair[1]), std)).collect();
    (weights, sizes[1..].iter().map(|&size| draw.normal(size, std)).collect())
}

fn flatten_parameters(ask: &mut Ask<'_>) {
    let weights = [array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![[7.0], [8.0]]];
    let biases = [array![9.0, 10.0], array![11.0]];
    let theta = Array1::range(1.0, 12.0, 1.0);
    ask.call(call::flatten_parameters(&weights, &biases)).case("two layers").returns(&theta);
    for (sizes, case) in [(&[3, 2][..], "one layer"), (&[2, 3, 1, 4], "three layers")] {
        let (weights, biases) = layers(sizes, 1.0, &mut ask.draw);
        ask.call(call::flatten_parameters(&weights, &biases)).case(case);
    }
    let by_columns = Array2::from_shape_vec((2, 3).f(), vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let weights = [by_columns.expect("six numbers")];
    ask.call(call::flatten_parameters(&weights, &[array![7.0, 8.0, 9.0]]))
        .case("a matrix that lies in memory column by column")
        .returns(&Array1::range(1.0, 10.0, 1.0));
}

fn restore_parameters(ask: &mut Ask<'_>) {
    let right = (
        vec![array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![[7.0], [8.0]]],
        vec![array![9.0, 10.0], array![11.0]],
    );
    ask.call(call::restore_parameters(&Array1::range(1.0, 12.0, 1.0), &[3, 2, 1]))
        .case("two layers")
        .returns(&Some(right));
    for (sizes, p) in [(&[3, 2][..], 8), (&[2, 3, 1, 4], 21)] {
        let theta = ask.draw.normal(p, 1.0);
        ask.call(call::restore_parameters(&theta, sizes)).case("the right number of entries");
        let theta = ask.draw.normal(p + 1, 1.0);
        ask.call(call::restore_parameters(&theta, sizes)).case("one entry too many").returns(&None);
        let theta = ask.draw.normal(p - 1, 1.0);
        ask.call(call::restore_parameters(&theta, sizes)).case("one entry too few").returns(&None);
        let theta = ask.draw.normal(p - sizes[1..].iter().sum::<usize>(), 1.0);
        ask.call(call::restore_parameters(&theta, sizes))
            .case("entries for the weights, and none for the biases")
            .returns(&None);
    }
}

fn one_hot_labels(ask: &mut Ask<'_>) {
    let right = array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    ask.call(call::one_hot_labels(&[2, 0, 1, 2], 3))
        .case("all classes are there")
        .returns(&Some(right));
    let labels = ask.draw.labels(5, 3);
    ask.call(call::one_hot_labels(&labels, 4)).case("the last class is not there");
    ask.call(call::one_hot_labels(&[0, 0], 3))
        .case("class 0 alone")
        .returns(&Some(array![[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]));
    ask.call(call::one_hot_labels(&[1], 2)).case("one sample").returns(&Some(array![[0.0, 1.0]]));
    ask.call(call::one_hot_labels(&[1, 3, 0], 3))
        .case("a label that is the number of classes")
        .returns(&None);
    ask.call(call::one_hot_labels(&[0, 2, 5], 3))
        .case("a label too large behind others that are not")
        .returns(&None);
    ask.call(call::one_hot_labels(&[7, 0], 3)).case("a label far too large").returns(&None);
}

fn weight_deviations(ask: &mut Ask<'_>) {
    // 1 / 16, 2 / 50 and 2 / 16 are the variances.
    ask.call(call::weight_deviations(16, 34)).returns(&(0.25, 0.2, 0.125_f64.sqrt()));
    ask.call(call::weight_deviations(1, 7)).returns(&(1.0, 0.5, 2.0_f64.sqrt()));
    let many = ask.draw.labels(3, 90);
    for (fan_in, fan_out) in [(784, 10 + many[0]), (2 + many[1], 300), (64 + many[2], 64)] {
        ask.call(call::weight_deviations(fan_in, fan_out));
    }
}

fn forward_pass(ask: &mut Ask<'_>) {
    // tanh(½ ln 3) = ½, and the logits are (ln 2, −ln 2) and (−ln 2, −ln 2).
    let (half, two) = (0.5 * 3.0_f64.ln(), 2.0_f64.ln());
    let weights = [array![[half, 0.0], [half, 0.0]], array![[2.0 * two, 0.0], [1.0, 0.0]]];
    let biases = [array![0.0, 0.0], array![0.0, -two]];
    ask.call(call::forward_pass(&array![[-1.0, 2.0], [0.5, -1.5]], &weights, &biases))
        .case("two layers, all sides equal")
        .returns(&array![[0.8, 0.2], [0.5, 0.5]]);
    for (sizes, case) in
        [(&[3, 2][..], "one layer"), (&[2, 4, 3], "two layers"), (&[2, 3, 4, 3], "three layers")]
    {
        let x = ask.draw.normal((3, sizes[0]), 1.0);
        let (weights, biases) = layers(sizes, 1.0, &mut ask.draw);
        ask.call(call::forward_pass(&x, &weights, &biases)).case(case);
    }
    let x = ask.draw.normal((2, 2), 1.0);
    let (weights, mut biases) = layers(&[2, 3, 3], 1.0, &mut ask.draw);
    biases[1] = array![-1500.0, 1499.0, 1500.0];
    ask.call(call::forward_pass(&x, &weights, &biases))
        .case("logits near −1500 and near 1500 in one row");
    // Every row differs by ln 2 from column to column, and the rows by 800 from each other.
    let (x, w) = (array![[2.0], [0.0], [-2.0]], array![[400.0, 400.0]]);
    ask.call(call::forward_pass(&x, &[w], &[array![two, 0.0]]))
        .case("logits near 800, near 0 and near −800, in one batch")
        .returns(&array![[2.0 / 3.0, 1.0 / 3.0], [2.0 / 3.0, 1.0 / 3.0], [2.0 / 3.0, 1.0 / 3.0]]);
}

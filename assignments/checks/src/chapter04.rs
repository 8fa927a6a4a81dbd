//! Chapter 4: the network.

mod variants;

use gradus::layout::{flatten, restore};
use gradus::{
    CategoricalCrossEntropy, Elementwise, GradientDescent, Identity, Init, MeanSquaredError, Model,
    NeuralNetwork, Softmax, Tanh, one_hot,
};
use ndarray::{Array1, Array2, ShapeBuilder, array};

use crate::chapter::{Chapter, CheckOf, bind};
use crate::draw::Draw;
use crate::given::{Verdict, given};

/// Weights and biases, layer by layer.
type Layers = (Vec<Array2<f64>>, Vec<Array1<f64>>);

/// The functions of chapter 4, as the student writes them.
#[derive(Clone, Copy)]
pub struct Functions {
    pub affine_backward: AffineBackward,
    pub flatten_parameters: fn(&[Array2<f64>], &[Array1<f64>]) -> Array1<f64>,
    pub restore_parameters: fn(&Array1<f64>, &[usize]) -> Option<Layers>,
    pub one_hot_labels: fn(&[usize], usize) -> Option<Array2<f64>>,
    pub weight_deviations: fn(usize, usize) -> (f64, f64, f64),
    pub forward_pass: fn(&Array2<f64>, &[Array2<f64>], &[Array1<f64>]) -> Array2<f64>,
}

type AffineBackward = fn(&Array2<f64>, &Array2<f64>, &Array2<f64>) -> Gradients;

/// ∂L/∂W, ∂L/∂b and ∂L/∂X.
type Gradients = (Array2<f64>, Array1<f64>, Array2<f64>);

#[cfg(feature = "chapter04")]
const STUDENT: Option<Functions> = {
    use ::student::chapter04::*;
    Some(Functions {
        affine_backward,
        flatten_parameters,
        restore_parameters,
        one_hot_labels,
        weight_deviations,
        forward_pass,
    })
};
#[cfg(not(feature = "chapter04"))]
const STUDENT: Option<Functions> = None;

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
    network.gradient_into(x, &y, n, &mut trace, &mut gradient);
    let layout = network.layout();
    let d_w = layout.weights(&gradient, 1).to_owned();
    (d_w, layout.biases(&gradient, 1).to_owned(), trace.d_z.remove(0))
}

/// The layer sizes of a network with these weights.
fn sizes(weights: &[Array2<f64>]) -> Vec<usize> {
    let last = weights.last().map(Array2::ncols);
    weights.iter().map(Array2::nrows).chain(last).collect()
}

/// The checks, in the order of `exercises.toml`.
const CHECKS: &[(&str, CheckOf<Functions>)] = &[
    ("affine_backward", affine_backward),
    ("flatten_parameters", flatten_parameters),
    ("restore_parameters", restore_parameters),
    ("one_hot_labels", one_hot_labels),
    ("weight_deviations", weight_deviations),
    ("forward_pass", forward_pass),
];

/// The assignment of chapter 4.
pub const CHAPTER: Chapter = Chapter {
    number: 4,
    exercises: include_str!("../../chapter04/exercises.toml"),
    student: || STUDENT.map(|functions| bind(CHECKS, functions)),
    reference: || bind(CHECKS, REFERENCE),
    variants: variants::all,
};

fn affine_backward(f: &Functions, draw: &mut Draw) -> Verdict {
    let call = |x: &Array2<f64>, w: &Array2<f64>, d_z: &Array2<f64>, right: &Gradients| {
        let arguments = given("x", x).and("w", w).and("d_z", d_z);
        arguments.expect(right, || (f.affine_backward)(x, w, d_z))
    };
    // Worked out by hand, so that a mistake of the library could not hide one of the student.
    let (x, w) = (array![[1.0, 2.0], [3.0, 4.0]], array![[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]]);
    let d_z = array![[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]];
    let d_w = array![[7.0, 3.0, -1.0], [10.0, 4.0, -2.0]];
    let d_x = array![[-1.0, -1.0], [2.0, -1.0]];
    call(&x, &w, &d_z, &(d_w, array![3.0, 1.0, -1.0], d_x))?;
    for (n, s, m) in [(4, 3, 2), (1, 2, 3), (2, 3, 1), (3, 3, 3)] {
        let (x, w) = (draw.normal((n, s), 1.0), draw.normal((s, m), 1.0));
        let d_z = draw.normal((n, m), 1.0);
        call(&x, &w, &d_z, &(REFERENCE.affine_backward)(&x, &w, &d_z))?;
    }
    Ok(())
}

/// Normal weights and biases for these sizes.
fn layers(sizes: &[usize], std: f64, draw: &mut Draw) -> Layers {
    let weights = sizes.windows(2).map(|pair| draw.normal((pair[0], pair[1]), std)).collect();
    (weights, sizes[1..].iter().map(|&size| draw.normal(size, std)).collect())
}

fn flatten_parameters(f: &Functions, draw: &mut Draw) -> Verdict {
    let call =
        |weights: &Vec<Array2<f64>>, biases: &Vec<Array1<f64>>, case: &str, right: &Array1<f64>| {
            let arguments = given("weights", weights).and("biases", biases).case(case);
            arguments.expect(right, || (f.flatten_parameters)(weights, biases))
        };
    let (weights, biases) = (
        vec![array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![[7.0], [8.0]]],
        vec![array![9.0, 10.0], array![11.0]],
    );
    let right = array![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0];
    call(&weights, &biases, "two layers", &right)?;
    for (sizes, case) in [(&[3, 2][..], "one layer"), (&[2, 3, 1, 4], "three layers")] {
        let (weights, biases) = layers(sizes, 1.0, draw);
        call(&weights, &biases, case, &flatten(&weights, &biases))?;
    }
    let by_columns = Array2::from_shape_vec((2, 3).f(), vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let weights = vec![by_columns.expect("six numbers")];
    let right = array![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    let case = "a matrix that lies in memory column by column";
    call(&weights, &vec![array![7.0, 8.0, 9.0]], case, &right)
}

fn restore_parameters(f: &Functions, draw: &mut Draw) -> Verdict {
    let call = |theta: &Array1<f64>, sizes: &[usize], case: &str, right: &Option<Layers>| {
        let arguments = given("theta", theta).and("sizes", &sizes.to_vec()).case(case);
        arguments.expect(right, || (f.restore_parameters)(theta, sizes))
    };
    let theta = Array1::range(1.0, 12.0, 1.0);
    let right = (
        vec![array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![[7.0], [8.0]]],
        vec![array![9.0, 10.0], array![11.0]],
    );
    call(&theta, &[3, 2, 1], "two layers", &Some(right))?;
    for (sizes, p) in [(&[3, 2][..], 8), (&[2, 3, 1, 4], 21)] {
        let theta = draw.normal(p, 1.0);
        let right = (REFERENCE.restore_parameters)(&theta, sizes);
        call(&theta, sizes, "the right number of entries", &right)?;
        call(&draw.normal(p + 1, 1.0), sizes, "one entry too many", &None)?;
        call(&draw.normal(p - 1, 1.0), sizes, "one entry too few", &None)?;
    }
    Ok(())
}

fn one_hot_labels(f: &Functions, draw: &mut Draw) -> Verdict {
    let call = |labels: &Vec<usize>, classes: usize, case: &str, right: &Option<Array2<f64>>| {
        let arguments = given("labels", labels).and("classes", &classes).case(case);
        arguments.expect(right, || (f.one_hot_labels)(labels, classes))
    };
    let right = array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    call(&vec![2, 0, 1, 2], 3, "all classes are there", &Some(right))?;
    let classes = 4;
    let labels = draw.labels(5, classes - 1);
    let right = (REFERENCE.one_hot_labels)(&labels, classes);
    call(&labels, classes, "the last class is not there", &right)?;
    let right = array![[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]];
    call(&vec![0, 0], 3, "class 0 alone", &Some(right))?;
    call(&vec![1, 3, 0], 3, "a label that is the number of classes", &None)?;
    call(&vec![7, 0], 3, "a label far too large", &None)
}

fn weight_deviations(f: &Functions, draw: &mut Draw) -> Verdict {
    let call = |fan_in: usize, fan_out: usize, right: &(f64, f64, f64)| {
        let arguments = given("fan_in", &fan_in).and("fan_out", &fan_out);
        arguments.expect(right, || (f.weight_deviations)(fan_in, fan_out))
    };
    // 1 / 16, 2 / 50 and 2 / 16 are the variances.
    call(16, 34, &(0.25, 0.2, 0.125_f64.sqrt()))?;
    let many = draw.labels(3, 90);
    for (fan_in, fan_out) in [(784, 10 + many[0]), (2 + many[1], 300), (64 + many[2], 64)] {
        call(fan_in, fan_out, &(REFERENCE.weight_deviations)(fan_in, fan_out))?;
    }
    Ok(())
}

fn forward_pass(f: &Functions, draw: &mut Draw) -> Verdict {
    let call = |x: &Array2<f64>, (weights, biases): &Layers, case: &str, right: &Array2<f64>| {
        let arguments = given("x", x).and("weights", weights).and("biases", biases).case(case);
        arguments.expect(right, || (f.forward_pass)(x, weights, biases))
    };
    // tanh(½ ln 3) = ½, and softmax of (½ · 2 ln 2, 0) is (2/3, 1/3).
    let (half, two) = (0.5 * 3.0_f64.ln(), 2.0 * 2.0_f64.ln());
    let weights = vec![array![[half], [0.0]], array![[two, 0.0]]];
    let pinned = (weights, vec![array![0.0], array![0.0, 0.0]]);
    let right = array![[2.0 / 3.0, 1.0 / 3.0], [1.0 / 3.0, 2.0 / 3.0]];
    call(&array![[1.0, 5.0], [-1.0, 0.0]], &pinned, "two layers", &right)?;
    for (sizes, case) in
        [(&[3, 2][..], "one layer"), (&[2, 4, 3], "two layers"), (&[2, 3, 4, 3], "three layers")]
    {
        let (x, layers) = (draw.normal((3, sizes[0]), 1.0), layers(sizes, 1.0, draw));
        call(&x, &layers, case, &(REFERENCE.forward_pass)(&x, &layers.0, &layers.1))?;
    }
    let (x, mut layers) = (draw.normal((2, 2), 1.0), layers(&[2, 3, 3], 1.0, draw));
    layers.1[1] = array![1000.0, 999.0, -1000.0];
    let right = (REFERENCE.forward_pass)(&x, &layers.0, &layers.1);
    call(&x, &layers, "logits near 1000", &right)
}

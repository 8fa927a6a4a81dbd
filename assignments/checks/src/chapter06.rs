//! Chapter 6: layer by layer.

mod gradient;
mod places;
mod steps;

use gradus::layout::Layout;
use gradus::{
    Activate, Dense, GradientDescent, Identity, Init, Layer, Loss, MeanSquaredError, Mode,
    Optimizer, Pass, Sequential, Shape, Tanh,
};
use ndarray::{Array1, Array2, array};
use signatures::chapter06::{Functions, call};

use crate::chapter::{Chapter, Variant};
use crate::question::Ask;

/// ∂L/∂X, and W and b after the step.
type Step = (Array2<f64>, Array2<f64>, Array1<f64>);

/// What the library says.
const REFERENCE: Functions = Functions {
    tanh_layer_backward: |x, d_y| back(&mut Activate(Tanh), &Array1::zeros(0), x, d_y).0,
    dense_layer_step: |x, w, b, d_y, rate| {
        let mut layer = Dense::new(b.len(), Init::He).expect("units");
        let mut params: Array1<f64> = w.iter().chain(b).copied().collect();
        let (d_x, d_params) = back(&mut layer, &params, x, d_y);
        // A rate of 0 is no rate of the library's.
        if rate > 0.0 {
            GradientDescent::new(rate).expect("a rate").step(&mut params, &d_params);
        }
        let (w_new, b_new) = params.view().split_at(ndarray::Axis(0), w.len());
        let w_new = w_new.to_owned().into_shape_with_order(w.dim()).expect("as many weights");
        (d_x, w_new, b_new.to_owned())
    },
    parameter_places: |inputs, units| {
        let layers = units.iter().map(|&units| -> Box<dyn Layer<f64>> {
            match units {
                0 => Box::new(Activate(Identity)),
                _ => Box::new(Dense::new(units, Init::He).expect("units")),
            }
        });
        let network = network(Shape::Vector(inputs), layers.collect());
        let ranges = (0..units.len()).map(|i| network.range(i));
        ranges.map(|range| (range.start, range.end)).collect()
    },
    layer_by_layer_order: |theta, sizes| {
        let layout = Layout::new(sizes).expect("sizes");
        let layer = |i| {
            let weights = layout.weights(theta, i).iter().copied().collect::<Vec<f64>>();
            [weights, layout.biases(theta, i).to_vec()].concat()
        };
        (0..layout.layers()).flat_map(layer).collect()
    },
    jacobian_costs: |sizes| {
        let side = |(rows, columns): (usize, usize), more: usize| (rows * columns * more, more);
        let last = sizes.len() - 1;
        let mut left = (0, (1, sizes[last]));
        let mut right = (0, (sizes[1], sizes[0]));
        for l in (1..=last).rev() {
            let (cost, columns) = side(left.1, sizes[l - 1]);
            left = (left.0 + cost, (1, columns));
        }
        for l in 2..=last {
            right = (right.0 + sizes[l] * right.1.0 * right.1.1, (sizes[l], sizes[0]));
        }
        (left.0, right.0 + right.1.0 * right.1.1)
    },
    shared_answer: |y| {
        let answer = y.mean().expect("targets");
        let (y_hat, y) = (Array2::from_elem((y.len(), 1), answer), y.clone());
        let losses = MeanSquaredError.values(&y_hat, &y.insert_axis(ndarray::Axis(1)));
        (answer, losses.mean().expect("targets"))
    },
    stack_loss_and_gradient: |x, y, theta, sizes| {
        let mut layers: Vec<Box<dyn Layer<f64>>> = Vec::new();
        for &units in &sizes[1..] {
            layers.push(Box::new(Dense::new(units, Init::He).expect("units")));
            layers.push(Box::new(Activate(Tanh)));
        }
        let mut network = network(Shape::Vector(sizes[0]), layers);
        network.set_params(theta).expect("as many parameters");
        network.loss_and_gradient(x, y).expect("a batch that fits")
    },
};

fn network(input: Shape, layers: Vec<Box<dyn Layer<f64>>>) -> Sequential<f64> {
    let descent = GradientDescent::new(1.0).expect("a rate");
    Sequential::new(input, layers, MeanSquaredError, descent, 1).expect("layers that fit")
}

/// Through a layer of the library and back: ∂L/∂x and ∂L/∂θ.
fn back(
    layer: &mut dyn Layer<f64>,
    params: &Array1<f64>,
    x: &Array2<f64>,
    d_y: &Array2<f64>,
) -> (Array2<f64>, Array1<f64>) {
    layer.accept(Shape::Vector(x.ncols())).expect("features");
    let (mut y, mut kept) = (d_y * 0.0, Array1::zeros(layer.room(x.nrows())));
    layer.forward_into(Mode::Predict, params, x, &mut y, &mut kept);
    let (mut d_x, mut d_params) = (x * 0.0, params * 0.0);
    let pass = Pass { params: params.view(), x: x.view(), y: y.view(), kept: kept.view() };
    layer.backward_into(&pass, d_y, Some(&mut d_x), &mut d_params);
    (d_x, d_params)
}

/// The assignment of chapter 6: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 6,
    exercises: include_str!("../../chapter06/exercises.toml"),
    checks: &[
        ("tanh_layer_backward", tanh_layer_backward),
        ("dense_layer_step", dense_layer_step),
        ("parameter_places", parameter_places),
        ("layer_by_layer_order", layer_by_layer_order),
        ("jacobian_costs", jacobian_costs),
        ("shared_answer", shared_answer),
        ("stack_loss_and_gradient", stack_loss_and_gradient),
    ],
    reference: |call| REFERENCE.answer(call),
    variants,
};

/// All variants of the chapter.
fn variants() -> Vec<Variant> {
    [steps::all(), places::all(), gradient::all()].into_iter().flatten().collect()
}

fn tanh_layer_backward(ask: &mut Ask<'_>) {
    // tanh(½ ln 3) = ½, so that the slope is ¾; at 0 it is 1.
    let half = 0.5 * 3.0_f64.ln();
    let (x, d_y) = (array![[half, 0.0, -half]], array![[4.0, -3.0, 2.0]]);
    ask.call(call::tanh_layer_backward(&x, &d_y)).returns(&array![[3.0, -3.0, 1.5]]);
    for (n, m) in [(1, 4), (3, 3), (4, 2)] {
        let (x, d_y) = (ask.draw.normal((n, m), 1.0), ask.draw.normal((n, m), 1.0));
        ask.call(call::tanh_layer_backward(&x, &d_y));
    }
    let (x, d_y) = (array![[400.0, -400.0], [1000.0, 0.5]], array![[2.0, -1.0], [3.0, 1.0]]);
    ask.call(call::tanh_layer_backward(&x, &d_y)).case("inputs of several hundred");
}

fn dense_layer_step(ask: &mut Ask<'_>) {
    // Worked out by hand, with all sides equal, so that a missing transpose gives numbers.
    let (x, w) = (array![[1.0, 2.0], [3.0, 4.0]], array![[1.0, 2.0], [0.0, -1.0]]);
    let (b, d_y) = (array![0.5, -0.5], array![[1.0, 0.0], [2.0, -1.0]]);
    let right =
        (array![[1.0, 0.0], [0.0, 1.0]], array![[-2.5, 3.5], [-5.0, 1.0]], array![-1.0, 0.0]);
    ask.call(call::dense_layer_step(&x, &w, &b, &d_y, 0.5))
        .case("all sides are equal")
        .returns(&right);
    for (n, k, m, rate) in [(4, 3, 2, 0.1), (1, 2, 3, 0.7), (2, 3, 1, 1.0), (3, 3, 3, 0.03)] {
        let (x, w) = (ask.draw.normal((n, k), 1.0), ask.draw.normal((k, m), 1.0));
        let (b, d_y) = (ask.draw.normal(m, 1.0), ask.draw.normal((n, m), 1.0));
        ask.call(call::dense_layer_step(&x, &w, &b, &d_y, rate));
    }
    let (x, w) = (ask.draw.normal((3, 2), 1.0), ask.draw.normal((2, 3), 1.0));
    let (b, d_y) = (ask.draw.normal(3, 1.0), ask.draw.normal((3, 3), 1.0));
    ask.call(call::dense_layer_step(&x, &w, &b, &d_y, 0.0)).case("a rate of 0");
}

fn parameter_places(ask: &mut Ask<'_>) {
    let right = [(0, 9), (9, 9), (9, 13), (13, 13)];
    ask.call(call::parameter_places(2, &[3, 0, 1, 0]))
        .case("2-3-1, an activation after each layer")
        .returns(&right.to_vec());
    let right =
        [(0, 78_500), (78_500, 78_500), (78_500, 83_550), (83_550, 83_550), (83_550, 84_060)];
    ask.call(call::parameter_places(784, &[100, 0, 50, 0, 10]))
        .case("the tutorial's network for digits")
        .returns(&right.to_vec());
    ask.call(call::parameter_places(5, &[0, 4, 0, 0, 3]))
        .case("an activation first, and two in a row");
    ask.call(call::parameter_places(3, &[2, 2, 6])).case("no activation at all");
    ask.call(call::parameter_places(7, &[1])).case("one layer");
    let many = ask.draw.labels(4, 8);
    let units = [1 + many[0], 0, 2 + many[1], 3 + many[2]];
    ask.call(call::parameter_places(2 + many[3], &units));
}

fn layer_by_layer_order(ask: &mut Ask<'_>) {
    // Sizes 2, 1, 2: two weights, two weights, one bias, two biases.
    let theta = array![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let right = array![1.0, 2.0, 5.0, 3.0, 4.0, 6.0, 7.0];
    ask.call(call::layer_by_layer_order(&theta, &[2, 1, 2])).case("two layers").returns(&right);
    for (sizes, p, case) in [
        (&[3, 2][..], 8, "one layer"),
        (&[2, 3, 1], 13, "the tutorial's network for exclusive or"),
        (&[2, 3, 4, 2], 35, "three layers"),
        (&[1, 2, 2, 3, 1], 23, "four layers"),
    ] {
        let theta = ask.draw.normal(p, 1.0);
        ask.call(call::layer_by_layer_order(&theta, sizes)).case(case);
    }
}

fn jacobian_costs(ask: &mut Ask<'_>) {
    ask.call(call::jacobian_costs(&[784, 100, 50, 10]))
        .case("the tutorial's network for digits")
        .returns(&(83_900, 4_319_840));
    ask.call(call::jacobian_costs(&[2, 3, 1]))
        .case("the tutorial's network for exclusive or")
        .returns(&(9, 8));
    ask.call(call::jacobian_costs(&[7, 2])).case("one layer").returns(&(14, 14));
    ask.call(call::jacobian_costs(&[1, 4, 9])).case("one input").returns(&(40, 45));
    let draw = ask.draw.labels(5, 9);
    let sizes: Vec<usize> = draw.into_iter().map(|size| size + 2).collect();
    ask.call(call::jacobian_costs(&sizes)).case("four layers");
}

fn shared_answer(ask: &mut Ask<'_>) {
    ask.call(call::shared_answer(&array![0.0, 1.0, 1.0, 0.0]))
        .case("exclusive or")
        .returns(&(0.5, 0.25));
    ask.call(call::shared_answer(&array![1.0, 0.0, 1.0]))
        .case("three cases of it")
        .returns(&(2.0 / 3.0, 2.0 / 9.0));
    ask.call(call::shared_answer(&array![-1.5])).case("one sample").returns(&(-1.5, 0.0));
    for n in [4, 5, 7] {
        let y = ask.draw.normal(n, 2.0);
        ask.call(call::shared_answer(&y));
    }
}

fn stack_loss_and_gradient(ask: &mut Ask<'_>) {
    // One weight of ½ ln 3 at x = 1 and a bias of 0: ŷ = ½ with the slope ¾. The targets are 1
    // and −½ for the two samples, x = 1 and x = −1: errors −½ and 0.
    let half = 0.5 * 3.0_f64.ln();
    let (x, y) = (array![[1.0], [-1.0]], array![[1.0], [-0.5]]);
    ask.call(call::stack_loss_and_gradient(&x, &y, &array![half, 0.0], &[1, 1]))
        .case("one weight and one bias")
        .returns(&(0.125, array![-0.375, -0.375]));
    for (n, sizes, p, case) in [
        (3, &[2, 2, 2][..], 12, "all layers are square"),
        (4, &[2, 3, 1], 13, "the tutorial's network for exclusive or"),
        (1, &[3, 2], 8, "one layer, one sample"),
        (3, &[2, 3, 4, 2], 35, "three layers"),
    ] {
        let (x, y) = (
            ask.draw.normal((n, sizes[0]), 1.0),
            ask.draw.normal((n, *sizes.last().expect("sizes")), 1.0),
        );
        let theta = ask.draw.normal(p, 0.8);
        ask.call(call::stack_loss_and_gradient(&x, &y, &theta, sizes)).case(case);
    }
}

//! Wrong answers to `stack_loss_and_gradient`, and other right ones.

use ndarray::{Array1, Array2, Axis, s};
use signatures::chapter06::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// What can go wrong on the way there or back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slip {
    None,
    SlopeAtOutput,
    NoSlope,
    NoLastSlope,
    LinearEnd,
    NoTwo,
    NoOutputs,
    NoBatch,
    TwiceBatch,
    SumOfLosses,
    SumOverOutputs,
    MeanOfBiases,
    BiasesOfOne,
    NoBiases,
    NotTransposed,
    StepBefore,
}

type LossAndGradients = (f64, Vec<(Array2<f64>, Array1<f64>)>);

/// Loss, and the gradients of each layer's weights and biases.
fn stack(
    x: &Array2<f64>,
    y: &Array2<f64>,
    parameters: &[(Array2<f64>, Array1<f64>)],
    slip: Slip,
) -> LossAndGradients {
    let (n, m, last) = (x.nrows() as f64, y.ncols() as f64, parameters.len() - 1);
    let (mut entered, mut sums) = (vec![x.clone()], Vec::new());
    for (l, (w, b)) in parameters.iter().enumerate() {
        let z = entered[l].dot(w) + b;
        let linear = slip == Slip::LinearEnd && l == last;
        entered.push(if linear { z.clone() } else { z.mapv(f64::tanh) });
        sums.push(z);
    }
    let error = &entered[last + 1] - y;
    let squares = (&error * &error).sum();
    let loss = match slip {
        Slip::SumOfLosses => squares / m,
        Slip::SumOverOutputs => squares / n,
        _ => squares / (n * m),
    };
    let factor = match slip {
        Slip::NoTwo => 1.0 / (n * m),
        Slip::NoOutputs | Slip::SumOverOutputs => 2.0 / n,
        Slip::NoBatch | Slip::SumOfLosses => 2.0 / m,
        _ => 2.0 / (n * m),
    };
    let mut d_y = &error * factor;
    let mut gradients = Vec::new();
    for (l, (w, b)) in parameters.iter().enumerate().rev() {
        let slope = |z: f64| match slip {
            Slip::SlopeAtOutput => 1.0 - z.tanh().tanh().powi(2),
            Slip::NoSlope => 1.0,
            Slip::NoLastSlope | Slip::LinearEnd if l == last => 1.0,
            _ => 1.0 - z.tanh().powi(2),
        };
        let d_z = d_y * sums[l].mapv(slope);
        let again = if slip == Slip::TwiceBatch { 1.0 / n } else { 1.0 };
        let d_w = entered[l].t().dot(&d_z) * again;
        let d_b = match slip {
            Slip::MeanOfBiases => d_z.mean_axis(Axis(0)).expect("samples"),
            Slip::BiasesOfOne => d_z.row(0).to_owned(),
            Slip::NoBiases => b * 0.0,
            _ => d_z.sum_axis(Axis(0)) * again,
        };
        d_y = match slip {
            Slip::NotTransposed => d_z.dot(w),
            // As a layer that learns at once, at a rate of 1, and asks itself too late.
            Slip::StepBefore => d_z.dot(&(w - &d_w).t()),
            _ => d_z.dot(&w.t()),
        };
        gradients.push((d_w, d_b));
    }
    gradients.reverse();
    (loss, gradients)
}

/// The parameters of each layer, in the order of a `Sequential`.
fn by_layers(theta: &Array1<f64>, sizes: &[usize]) -> Vec<(Array2<f64>, Array1<f64>)> {
    let mut at = 0;
    let layer = |pair: &[usize]| {
        let middle = at + pair[0] * pair[1];
        let w = theta.slice(s![at..middle]).to_owned();
        let b = theta.slice(s![middle..middle + pair[1]]).to_owned();
        at = middle + pair[1];
        (w.into_shape_with_order((pair[0], pair[1])).expect("weights"), b)
    };
    sizes.windows(2).map(layer).collect()
}

/// The same in chapter 4's order.
fn weights_first(theta: &Array1<f64>, sizes: &[usize]) -> Vec<(Array2<f64>, Array1<f64>)> {
    let mut at = 0;
    let mut take = |count: usize| {
        at += count;
        theta.slice(s![at - count..at]).to_owned()
    };
    let weights: Vec<Array2<f64>> = sizes
        .windows(2)
        .map(|pair| take(pair[0] * pair[1]).into_shape_with_order((pair[0], pair[1])).expect("w"))
        .collect();
    weights.into_iter().zip(&sizes[1..]).map(|(w, &units)| (w, take(units))).collect()
}

fn joined((loss, gradients): LossAndGradients) -> (f64, Array1<f64>) {
    (loss, gradients.iter().flat_map(|(w, b)| w.iter().chain(b)).copied().collect())
}

fn with_slip(
    x: &Array2<f64>,
    y: &Array2<f64>,
    theta: &Array1<f64>,
    sizes: &[usize],
    slip: Slip,
) -> (f64, Array1<f64>) {
    joined(stack(x, y, &by_layers(theta, sizes), slip))
}

/// The variants.
pub fn all() -> Vec<Variant> {
    let with = |stack_loss_and_gradient| Functions { stack_loss_and_gradient, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("stack_loss_and_gradient", name, with(function));
    let right = |name, function| Variant::right("stack_loss_and_gradient", name, with(function));
    vec![
        wrong("the slope of tanh taken at what went out", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::SlopeAtOutput)
        })
        .see("activation_layer_scales_each_entry"),
        wrong("no slopes of tanh at all on the way back", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::NoSlope)
        })
        .see("activation_layer_scales_each_entry"),
        wrong("the slope of the last tanh forgotten", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::NoLastSlope)
        })
        .see("activation_layer_scales_each_entry"),
        wrong("no tanh after the last layer", |x, y, t, s| with_slip(x, y, t, s, Slip::LinearEnd)),
        wrong("the gradient half as large: the 2 of the square is missing", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::NoTwo)
        })
        .see("batch_of_squared_errors"),
        wrong("the gradient not divided by the number of outputs", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::NoOutputs)
        })
        .see("batch_of_squared_errors"),
        wrong("the gradient not divided by the number of samples", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::NoBatch)
        })
        .see("batch_of_squared_errors"),
        wrong("the gradient divided by the number of samples twice", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::TwiceBatch)
        })
        .see("batch_of_squared_errors")
        .published("elsharkawy"),
        wrong("loss and gradient added up over the samples", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::SumOfLosses)
        })
        .see("batch_of_squared_errors"),
        wrong("loss and gradient added up over the outputs", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::SumOverOutputs)
        })
        .see("batch_of_squared_errors"),
        wrong("for the biases the mean over the samples in place of the sum", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::MeanOfBiases)
        })
        .see("dense_batch_adds_outer_products"),
        wrong("for the biases the first sample alone", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::BiasesOfOne)
        })
        .see("dense_batch_adds_outer_products"),
        wrong("no gradient for the biases", |x, y, t, s| with_slip(x, y, t, s, Slip::NoBiases))
            .see("dense_batch_adds_outer_products"),
        wrong("W in place of its transpose on the way back", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::NotTransposed)
        })
        .see("dense_inputs_of_one_sample"),
        wrong("a layer's weights moved before it is asked for ∂L/∂X", |x, y, t, s| {
            with_slip(x, y, t, s, Slip::StepBefore)
        })
        .see("layers-moves"),
        wrong("the gradient in chapter 4's order, all weights first", |x, y, t, s| {
            let (loss, gradients) = stack(x, y, &by_layers(t, s), Slip::None);
            let weights = gradients.iter().flat_map(|(w, _)| w);
            let biases = gradients.iter().flat_map(|(_, b)| b);
            (loss, weights.chain(biases).copied().collect())
        })
        .see("gradient_in_another_order"),
        wrong("parameters and gradient in chapter 4's order, all weights first", |x, y, t, s| {
            let (loss, gradients) = stack(x, y, &weights_first(t, s), Slip::None);
            let weights = gradients.iter().flat_map(|(w, _)| w);
            let biases = gradients.iter().flat_map(|(_, b)| b);
            (loss, weights.chain(biases).copied().collect())
        })
        .see("places_layer_by_layer"),
        wrong("each layer's biases before its weights, in the gradient", |x, y, t, s| {
            let (loss, gradients) = stack(x, y, &by_layers(t, s), Slip::None);
            (loss, gradients.iter().flat_map(|(w, b)| b.iter().chain(w)).copied().collect())
        })
        .see("places_layer_by_layer"),
        wrong("the last layer's gradient first, as it was computed", |x, y, t, s| {
            let (loss, mut gradients) = stack(x, y, &by_layers(t, s), Slip::None);
            gradients.reverse();
            joined((loss, gradients))
        })
        .see("places_layer_by_layer"),
        wrong("the gradient with the other sign", |x, y, t, s| {
            let (loss, gradient) = with_slip(x, y, t, s, Slip::None);
            (loss, -gradient)
        }),
        right("there and back", |x, y, t, s| with_slip(x, y, t, s, Slip::None)),
        right("sample by sample, and the mean of them", |x, y, t, s| {
            let parameters = by_layers(t, s);
            let mut sum = (0.0, t * 0.0);
            for (x, y) in x.rows().into_iter().zip(y.rows()) {
                let row = |row: ndarray::ArrayView1<f64>| row.to_owned().insert_axis(Axis(0));
                let (loss, gradient) = joined(stack(&row(x), &row(y), &parameters, Slip::None));
                sum = (sum.0 + loss, sum.1 + gradient);
            }
            let n = x.nrows() as f64;
            (sum.0 / n, sum.1 / n)
        }),
    ]
}

//! The figures: which data, which axes, and what is said about them.

use gradus::{Activation, OutputActivation, Sigmoid, Softmax, Tanh};
use lab::{HeatMap, Lab, Lines, Panels, Result};
use ndarray::{Array2, ArrayRef1, ArrayRef2};

use crate::Named;
use crate::differences::{Errors, Expected};
use crate::measure::Trained;
use crate::naive;

/// From `lo` to `hi` in equal steps, both included.
fn span(lo: f64, hi: f64, points: usize) -> Vec<f64> {
    (0..points).map(|i| lo + (hi - lo) * i as f64 / (points - 1) as f64).collect()
}

/// One panel for each activation: the function and its derivative.
pub fn curves(lab: &mut Lab, activations: &[Named]) -> Result<()> {
    // An even number of points has none at 0, where ReLU has no derivative.
    let zs = span(-5.0, 5.0, 250);
    let panels = activations.iter().fold(Panels::new(4), |panels, (name, f)| {
        let values = zs.iter().map(|&z| f.value(z));
        let slopes = zs.iter().map(|&z| f.derivative(z));
        let lines = Lines::new("z", "f, f′")
            .series("f(z)", zs.iter().copied(), values)
            .dashed("f′(z)", zs.iter().copied(), slopes)
            .x_range(-5.0, 5.0)
            .y_range(-1.25, 2.25);
        panels.panel(name, lines)
    });
    lab.figure(
        "curves",
        "Seven activations (solid) and their derivatives (dashed) for z from −5 to 5. The leaky ReLU \
         has slope 0.1 here, so that one can see it.",
        "Seven panels. Sigmoid and tanh are S-shaped; their derivatives are bells that vanish on both \
         sides. Softplus and GELU are ReLU with a rounded corner; the derivative of GELU overshoots 1 \
         and dips below 0. The derivative of ReLU jumps from 0 to 1 at z = 0, that of the leaky ReLU \
         from 0.1 to 1. That of the identity is 1 everywhere.",
        &panels,
    )
}

/// The share of its value that a formula on paper gets wrong.
pub fn cancellation(lab: &mut Lab) -> Result<()> {
    let zs = span(0.25, 45.0, 180);
    let error = |naive: f64, stable: f64| ((naive - stable) / stable).abs();
    let errors: [(&str, &dyn Fn(f64) -> f64); 3] = [
        ("σ(z) (1 − σ(z)) in f32", &|z| {
            error(naive::sigmoid_derivative(z as f32).into(), Sigmoid.derivative(z))
        }),
        ("σ(z) (1 − σ(z)) in f64", &|z| {
            error(naive::sigmoid_derivative(z), Sigmoid.derivative(z))
        }),
        ("1 − tanh² z in f64", &|z| error(naive::tanh_derivative(z), Tanh.derivative(z))),
    ];
    let mut lines = Lines::new("z", "relative error").log_y().y_range(1e-18, 30.0);
    for (name, error) in errors {
        // An error of exactly 0 has no place on a logarithmic axis.
        let pairs = zs.iter().map(|&z| (z, error(z))).filter(|&(_, error)| error > 0.0);
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.unzip();
        lines = lines.points(name, x, y);
    }
    for (name, epsilon) in [(errors[0].0, f32::EPSILON.into()), (errors[1].0, f64::EPSILON)] {
        let line = zs.iter().map(|&z| (z, epsilon * z.exp())).filter(|&(_, bound)| bound < 1.0);
        let (x, y): (Vec<f64>, Vec<f64>) = line.unzip();
        lines = lines.dashed(name, x, y);
    }
    lab.figure(
        "cancellation",
        "The relative error of two slopes, computed as their formulas stand on paper, against z. \
         Dashed: ε eᶻ, two roundings of a number near 1 as a part of e⁻ᶻ. Where an error is exactly 0, \
         no point is drawn.",
        "Three clouds of points rise along straight lines on a logarithmic axis and stay at 1 once they \
         reach it. For the slope of the sigmoid they follow the dashed lines: in f32 from 1e-7 on the \
         left to 1 at z = 17, in f64 from 1e-16 to 1 at z = 37. That of tanh is twice as steep and \
         reaches 1 at z = 19.",
        &lines,
    )
}

/// Softmax of (z, 1, −1): what each of the three outputs does while z grows.
pub fn one_input_grows(lab: &mut Lab) -> Result<()> {
    let zs = span(-6.0, 8.0, 281);
    let rows = Array2::from_shape_fn((zs.len(), 3), |(i, j)| [zs[i], 1.0, -1.0][j]);
    let s = Softmax.apply(&rows);
    let mut lines = Lines::new("z", "softmax of (z, 1, −1)").y_range(0.0, 1.0);
    for (name, column) in ["s₁, input z", "s₂, input 1", "s₃, input −1"].iter().zip(s.columns())
    {
        lines = lines.series(name, zs.iter().copied(), column.iter().copied());
    }
    lab.figure(
        "one_input_grows",
        "The three outputs of softmax for the row (z, 1, −1), against z.",
        "The output of z rises from 0 to 1 as a sigmoid does. The outputs of 1 and of −1 begin at 0.88 \
         and 0.12 and fall to 0 together, although their own inputs never change.",
        &lines,
    )
}

/// The Jacobian of softmax for one row.
pub fn jacobian(
    lab: &mut Lab,
    z: &ArrayRef1<f64>,
    s: &ArrayRef1<f64>,
    jacobian: &ArrayRef2<f64>,
) -> Result<()> {
    let inputs = z.iter().map(|z| z.to_string().replace('-', "−"));
    let map = HeatMap::new("with respect to the input z", "derivative of the output s", jacobian)
        .labels(s.iter().map(|s| format!("{s:.3}")), inputs)
        .annotate(3)
        .diverging();
    lab.figure(
        "jacobian",
        "The Jacobian of softmax for the row (2, 1.5, 0, −0.5, −1): how fast each output (to the left of \
         its row) changes with each input (below its column).",
        "A symmetric matrix of five by five cells. The diagonal is positive, everything else is \
         negative, and in each row and each column the positive cell balances the negative ones. \
         The cells of the two largest inputs are by far the strongest.",
        &map,
    )
}

/// The error of forward and central differences against their step: measured and expected.
pub fn steps(
    lab: &mut Lab,
    forward: &Errors,
    central: &Errors,
    expected: &Expected,
    at: f64,
) -> Result<()> {
    let steps = || forward.steps.iter().copied();
    let lines = Lines::new("step h", "error of the derivative")
        .log_x()
        .log_y()
        .y_range(1e-13, 1e-2)
        .points("forward difference", steps(), forward.errors.iter().copied())
        .points("central difference", steps(), central.errors.iter().copied())
        .dashed("forward difference", steps(), steps().map(|h| expected.forward(h)))
        .dashed("central difference", steps(), steps().map(|h| expected.central(h)))
        .vertical("√ε", f64::EPSILON.sqrt())
        .vertical("∛ε", f64::EPSILON.cbrt());
    lab.figure(
        "steps",
        &format!(
            "The error of forward and central differences of the sigmoid at {at}, in f64, against the \
             step. Each point is the largest of a hundred errors, with steps within a tenth of h; the \
             dashed lines are what the formulas for E(h) say."
        ),
        "Two V shapes on logarithmic axes. On the right the errors fall with the step, the central one \
         twice as steeply; on the left both rise again, side by side, as the step gets smaller. \
         The forward difference is best near the square root of ε, the central one near the cube root, \
         with an error hundreds of times smaller. The points follow the dashed lines.",
        &lines,
    )
}

/// The loss of two trainings, epoch by epoch.
pub fn losses(lab: &mut Lab, right: &Trained, published: &Trained) -> Result<()> {
    let epochs = || (1..=right.loss.len()).map(|epoch| epoch as f64);
    let lines = Lines::new("epoch", "mean cross-entropy")
        .series("ReLU′ = 1 everywhere", epochs(), published.loss.iter().copied())
        .series("ReLU′ as derived", epochs(), right.loss.iter().copied())
        .y_range(0.0, 1.2);
    lab.figure(
        "relu_bug",
        "The training loss of one network on three spirals, once with the derivative of ReLU as \
         derived and once with the published one: 2-32-3, batches of 32, moving average 0.9, rate 0.5.",
        "Two curves begin together near 1. The one with the right derivative falls to below 0.1; the \
         other stops falling within the first few epochs and stays above 0.6.",
        &lines,
    )
}

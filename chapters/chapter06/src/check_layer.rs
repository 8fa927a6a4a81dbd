//! One layer alone against finite differences.

use gradus::check::{Check, Verdict};
use gradus::{Layer, Mode, Pass, Shape};
use lab::Result;
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, concatenate};
use rand::rngs::ChaCha8Rng;

use crate::tools::normal;

// ANCHOR: check_layer
/// Compares ∂s/∂x and ∂s/∂θ of one layer, where s = Σ c ⊙ y, with central
/// differences, at normal x and θ. The layer is told that ∂L/∂y is c.
pub fn check_layer(
    layer: &mut dyn Layer<f64>,
    input: Shape,
    c: &ArrayRef2<f64>,
    rng: &mut ChaCha8Rng,
) -> Result<Verdict> {
    layer.accept(input)?;
    let (n, p) = (c.nrows(), parameter_count(layer));
    let at = normal((1, n * input.len() + p), rng).row(0).to_owned();
    let (y, kept, x, params) = forward(layer, &at, c, input);
    let mut d_x = Array2::zeros(x.raw_dim());
    let mut d_params = Array1::zeros(p);
    let pass = Pass {
        params: params.view(), // (p)
        x: x.view(),           // (n, inputs)
        y: y.view(),           // (n, outputs)
        kept: kept.view(),     // (room(n))
    };
    layer.backward_into(&pass, c, Some(&mut d_x), &mut d_params);
    let derived = concatenate![Axis(0), d_x.flatten(), d_params];
    let s = |at: &ArrayRef1<f64>| (forward(layer, at, c, input).0 * c).sum();
    Ok(Check::default().gradient(s, &at, &derived)?)
}
// ANCHOR_END: check_layer

/// How many parameters a layer has.
pub fn parameter_count(layer: &dyn Layer<f64>) -> usize {
    let sizes = layer.parameters().into_iter().map(|(_, shape)| shape.iter().product::<usize>());
    sizes.sum()
}

type Forward = (Array2<f64>, Array1<f64>, Array2<f64>, Array1<f64>);

/// The forward pass at a point: all inputs, then all parameters. Returns y, what was kept, x, θ.
fn forward(
    layer: &dyn Layer<f64>,
    at: &ArrayRef1<f64>,
    c: &ArrayRef2<f64>,
    input: Shape,
) -> Forward {
    let (x, params) = at.view().split_at(Axis(0), c.nrows() * input.len());
    let x = x.into_shape_with_order((c.nrows(), input.len())).expect("as many as there are");
    let mut y = Array2::zeros(c.raw_dim());
    let mut kept = Array1::zeros(layer.room(c.nrows()));
    layer.forward_into(Mode::Predict, &params, &x, &mut y, &mut kept);
    (y, kept, x.to_owned(), params.to_owned())
}

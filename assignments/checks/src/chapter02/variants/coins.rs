//! Variants of the loss of coins.

use ndarray::{Array1, Array2, Axis, Zip};

use signatures::chapter02::Functions;

use super::super::REFERENCE;
use crate::chapter::Variant;

pub fn all() -> Vec<Variant> {
    let with = |coins_from_logits| Functions { coins_from_logits, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("coins_from_logits", name, with(function));
    let right = |name, function| Variant::right("coins_from_logits", name, with(function));
    fn through_the_sigmoid(z: f64, y: f64, ln: impl Fn(f64) -> f64) -> f64 {
        let s = 1.0 / (1.0 + (-z).exp());
        let term = |y: f64, p: f64| if y == 0.0 { 0.0 } else { -y * ln(p) };
        term(y, s) + term(1.0 - y, 1.0 - s)
    }
    fn padded<const DIGITS: i32>(z: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
        means(z, y, |z, y| through_the_sigmoid(z, y, |p| (p + 10_f64.powi(-DIGITS)).ln()))
    }
    fn clipped<const DIGITS: i32>(z: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
        means(z, y, |z, y| through_the_sigmoid(z, y, |p| p.max(10_f64.powi(-DIGITS)).ln()))
    }
    vec![
        wrong("the logarithm of a sigmoid that has rounded to 0 or 1", |z, y| {
            means(z, y, |z, y| through_the_sigmoid(z, y, f64::ln))
        })
        .see("logarithms_of_sigmoid"),
        wrong("1e-8 added to the probability", padded::<8>).see("logarithms_of_sigmoid"),
        wrong("1e-12 added to the probability", padded::<12>).see("logarithms_of_sigmoid"),
        wrong("1e-15 added to the probability", padded::<15>).see("logarithms_of_sigmoid"),
        wrong("machine epsilon added to the probability", |z, y| {
            means(z, y, |z, y| through_the_sigmoid(z, y, |p| (p + f64::EPSILON).ln()))
        })
        .see("logarithms_of_sigmoid"),
        wrong("probabilities below 1e-12 raised to it", clipped::<12>).see("logarithms_of_sigmoid"),
        wrong("probabilities below 1e-15 raised to it", clipped::<15>).see("logarithms_of_sigmoid"),
        wrong("the exponential of a positive logit, which overflows", |z, y| {
            means(z, y, |z, y| z.exp().ln_1p() - y * z)
        })
        .see("sigmoid_bce_from_logits"),
        wrong(
            "the exponential of a negative logit with its sign changed, which overflows",
            |z, y| means(z, y, |z, y| (-z).exp().ln_1p() + (1.0 - y) * z),
        )
        .see("sigmoid_bce_from_logits"),
        wrong("the 1 added before the logarithm, where it rounds small terms away", |z, y| {
            means(z, y, |z, y| z.max(0.0) - y * z + (1.0 + (-z.abs()).exp()).ln())
        }),
        wrong(
            "the logarithm forgotten: the size of the logit times the wrong share alone",
            |z, y| means(z, y, |z, y| z.max(0.0) - y * z),
        ),
        wrong("the size of the logit times 1 − y, whatever the sign of the logit", |z, y| {
            means(z, y, |z, y| z.abs() * (1.0 - y) + (-z.abs()).exp().ln_1p())
        }),
        wrong("the term with y alone, as if a coin had one side", |z, y| {
            means(z, y, |z, y| y * softplus(-z))
        })
        .see("bce_value"),
        wrong("the term with 1 − y alone, as if a coin had one side", |z, y| {
            means(z, y, |z, y| (1.0 - y) * softplus(z))
        })
        .see("bce_value"),
        wrong("every target taken for 0", |z, y| means(z, y, |z, _| softplus(z)))
            .see("sigmoid_bce_from_logits"),
        wrong("every target y exchanged for 1 − y", |z, y| means(z, y, |z, y| coin(z, 1.0 - y)))
            .see("sigmoid_bce_from_logits"),
        wrong("targets rounded to 0 or 1", |z, y| means(z, y, |z, y| coin(z, y.round())))
            .see("bce_value"),
        wrong("a loss with the other sign", |z, y| -means(z, y, coin)).see("bce_value"),
        wrong("a sum over the outputs, where there should be a mean", |z, y| {
            means(z, y, coin) * z.ncols() as f64
        })
        .see("bce_value"),
        wrong("a division by the batch size, where it should be the number of outputs", |z, y| {
            means(z, y, coin) * z.ncols() as f64 / z.nrows() as f64
        })
        .see("bce_value"),
        wrong("the mean over the whole batch as the value of every sample", |z, y| {
            let losses = means(z, y, coin);
            Array1::from_elem(losses.len(), losses.mean().expect("samples"))
        })
        .see("bce_value"),
        wrong("logits clipped at ±30", |z, y| means(z, y, |z, y| coin(z.clamp(-30.0, 30.0), y))),
        right("max(z, 0) − y z", |z, y| {
            means(z, y, |z, y| z.max(0.0) - y * z + (-z.abs()).exp().ln_1p())
        }),
        right("a mixture of two softplus", |z, y| means(z, y, coin)),
    ]
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// The loss of one coin.
fn coin(z: f64, y: f64) -> f64 {
    y * softplus(-z) + (1.0 - y) * softplus(z)
}

/// The mean over the outputs of each sample.
fn means(z: &Array2<f64>, y: &Array2<f64>, loss: fn(f64, f64) -> f64) -> Array1<f64> {
    let losses = Zip::from(z).and(y).map_collect(|&z, &y| loss(z, y));
    losses.mean_axis(Axis(1)).expect("outputs")
}

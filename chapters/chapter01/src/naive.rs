//! Formulas as they stand on paper. Each is right, and each fails on a computer somewhere.

use gradus::Float;

// ANCHOR: softmax
/// e^zᵢ / Σⱼ e^zⱼ: infinity divided by infinity from zᵢ = 710 on.
pub fn softmax(z: &[f64]) -> Vec<f64> {
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    z.iter().map(|z| z.exp() / sum).collect()
}
// ANCHOR_END: softmax

/// eᶻ / (1 + eᶻ): infinity divided by infinity from z = 710 on.
pub fn sigmoid(z: f64) -> f64 {
    z.exp() / (1.0 + z.exp())
}

/// s (1 − s): 0 as soon as s has been rounded to 1.
pub fn sigmoid_derivative<F: Float>(z: F) -> F {
    let s = F::one() / (F::one() + (-z).exp());
    s * (F::one() - s)
}

/// (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ): infinity divided by infinity from z = 710 on.
pub fn tanh(z: f64) -> f64 {
    (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())
}

/// 1 − tanh² z: 0 as soon as tanh z has been rounded to 1.
pub fn tanh_derivative(z: f64) -> f64 {
    1.0 - z.tanh() * z.tanh()
}

/// ln(1 + eᶻ): infinite from z = 710 on, and 0 as soon as 1 + eᶻ has been rounded to 1.
pub fn softplus(z: f64) -> f64 {
    (1.0 + z.exp()).ln()
}

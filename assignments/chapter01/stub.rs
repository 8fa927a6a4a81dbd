//! Chapter 1: activations and their derivatives.
//!
//! Rows are samples, columns are outputs: n samples of m outputs are an array of shape (n, m).
//! The names in brackets are equations of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2, Array3};

/// Softmax of each row: s\[i, j\] = e^z\[i, j\] / Σₖ e^z\[i, k\] (`softmax_definition`), for
/// entries of any size that an `f64` can have, and rows of very different sizes.
///
/// # Shapes
/// `z`: (n, m) → (n, m)
pub fn softmax_rows(z: &Array2<f64>) -> Array2<f64> {
    todo!()
}

/// The Jacobian of softmax for each row, from what softmax returned:
/// J\[i, j, k\] = ∂s\[i, j\] / ∂z\[i, k\] (`softmax_jacobian`).
///
/// # Shapes
/// `s`: (n, m), positive, each row with the sum 1 → (n, m, m)
pub fn softmax_jacobian_stack(s: &Array2<f64>) -> Array3<f64> {
    todo!()
}

/// The chain rule through softmax, without building the Jacobians: given ∂L/∂s, returns ∂L/∂z
/// (`softmax_vector_product`).
///
/// # Shapes
/// `s`, what softmax returned, and `d_s`, which is ∂L/∂s: (n, m) → (n, m)
pub fn softmax_vjp(s: &Array2<f64>, d_s: &Array2<f64>) -> Array2<f64> {
    todo!()
}

/// The sigmoid 1 / (1 + e⁻ᶻ) and its slope, both with all their digits for every z
/// (`sigmoid_two_forms`, `sigmoid_slope_is_even`).
///
/// Returns the pair (σ(z), σ′(z)).
pub fn sigmoid_stable(z: f64) -> (f64, f64) {
    todo!()
}

/// The slope of ReLU, max(0, z), at each entry (`relu_corner`). At 0 itself any number from 0
/// to 1 will do.
///
/// # Shapes
/// `z`: (n, m) → (n, m)
pub fn relu_slope(z: &Array2<f64>) -> Array2<f64> {
    todo!()
}

/// How far a derived gradient g is from a measured one ĝ: the largest
/// |gᵢ − ĝᵢ| / max(|gᵢ|, |ĝᵢ|) of all entries.
///
/// Where both are 0, the error is 0. If any entry of either is not a number, the answer is not
/// a number: a gradient check that loses a NaN on the way passes everything.
///
/// # Shapes
/// `derived` and `measured`: (p), p at least 1
pub fn relative_error(derived: &Array1<f64>, measured: &Array1<f64>) -> f64 {
    todo!()
}

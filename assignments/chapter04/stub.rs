//! Chapter 4: the network.
//!
//! Rows are samples, columns are units. A layer with s inputs and m outputs has weights of shape
//! (s, m) and m biases. The names in brackets are equations of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2};

/// One layer, backwards: from what entered it, its weights, and ∂L/∂Z, the derivatives with
/// respect to the weights, the biases, and what entered (`backprop_weights_by_matrices`,
/// `backprop_biases`, `backprop_inputs`).
///
/// Returns ∂L/∂W, ∂L/∂b and ∂L/∂X, in this order.
///
/// # Shapes
/// `x`: (n, s), `w`: (s, m), `d_z`, which is ∂L/∂Z: (n, m) → (s, m), (m) and (n, s)
pub fn affine_backward(
    x: &Array2<f64>,
    w: &Array2<f64>,
    d_z: &Array2<f64>,
) -> (Array2<f64>, Array1<f64>, Array2<f64>) {
    todo!()
}

/// All weights, layer by layer and row by row, then all biases (`flatten_index_formula`).
///
/// # Shapes
/// `weights`: D arrays (sᵢ, sᵢ₊₁), `biases`: D arrays (sᵢ₊₁) → (p)
pub fn flatten_parameters(weights: &[Array2<f64>], biases: &[Array1<f64>]) -> Array1<f64> {
    todo!()
}

/// The weights and the biases of all layers, cut out of one vector
/// (`flatten_and_restore_are_inverse`); `None` if it does not have as many entries as a network
/// of these sizes has parameters (`parameters_counted`).
///
/// # Shapes
/// `theta`: (p), `sizes`: D + 1 numbers → D arrays (sᵢ, sᵢ₊₁) and D arrays (sᵢ₊₁)
#[allow(clippy::type_complexity)]
pub fn restore_parameters(
    theta: &Array1<f64>,
    sizes: &[usize],
) -> Option<(Vec<Array2<f64>>, Vec<Array1<f64>>)> {
    todo!()
}

/// Labels as rows of zeros with a single 1 (`one_hot_rows`); `None` if a label is not below the
/// number of classes.
///
/// # Shapes
/// n labels → (n, classes)
pub fn one_hot_labels(labels: &[usize], classes: usize) -> Option<Array2<f64>> {
    todo!()
}

/// The standard deviations with which LeCun, Glorot and He draw weights, in this order
/// (`variance_of_lecun`, `variance_of_glorot`, `variance_of_he`).
pub fn weight_deviations(fan_in: usize, fan_out: usize) -> (f64, f64, f64) {
    todo!()
}

/// The outputs of a network with tanh in its hidden layers and softmax at its end
/// (`affine_layers_composed`), for logits of any size.
///
/// # Shapes
/// `x`: (n, s₀), `weights`: D arrays (sᵢ, sᵢ₊₁), `biases`: D arrays (sᵢ₊₁), D at least 1
/// → (n, s_D)
pub fn forward_pass(
    x: &Array2<f64>,
    weights: &[Array2<f64>],
    biases: &[Array1<f64>],
) -> Array2<f64> {
    todo!()
}

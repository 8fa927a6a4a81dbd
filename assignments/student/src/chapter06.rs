//! Chapter 6: layer by layer.
//!
//! Rows are samples, columns are features. A dense layer has weights of shape (inputs, units) and
//! one bias for each unit. The names in brackets are equations of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2};

/// ∂L/∂X of a layer Y = tanh(X), from what came in and ∂L/∂Y
/// (`activation_layer_scales_each_entry`).
///
/// # Shapes
/// `x`, `d_y`, which is ∂L/∂Y: (n, m) → (n, m)
pub fn tanh_layer_backward(x: &Array2<f64>, d_y: &Array2<f64>) -> Array2<f64> {
    todo!()
}

/// The way back through a dense layer Y = XW + b that takes its step at once: ∂L/∂X at the
/// parameters that made Y, and the weights and biases after a step of gradient descent
/// (`dense_batch_adds_outer_products`).
///
/// Returns ∂L/∂X, the new W and the new b, in this order.
///
/// # Shapes
/// `x`: (n, k), `w`: (k, m), `b`: (m), `d_y`, which is ∂L/∂Y: (n, m)
/// → (n, k), (k, m) and (m)
pub fn dense_layer_step(
    x: &Array2<f64>,
    w: &Array2<f64>,
    b: &Array1<f64>,
    d_y: &Array2<f64>,
    rate: f64,
) -> (Array2<f64>, Array2<f64>, Array1<f64>) {
    todo!()
}

/// Where the parameters of each layer begin and end in one vector, layer by layer
/// (`places_layer_by_layer`). `units[l]` is how many units dense layer l has; 0 stands for an
/// activation, which has no parameters and gives as many numbers as it takes.
///
/// # Shapes
/// D numbers of units → D pairs (first place, first place of what comes after)
pub fn parameter_places(inputs: usize, units: &[usize]) -> Vec<(usize, usize)> {
    todo!()
}

/// A parameter vector of chapter 4, all weights and then all biases, in the order of chapter 6:
/// layer by layer, weights before biases (`orders_differ_by_a_permutation`).
///
/// # Shapes
/// `theta`: (p), `sizes`: D + 1 numbers → (p)
pub fn layer_by_layer_order(theta: &Array1<f64>, sizes: &[usize]) -> Array1<f64> {
    todo!()
}

/// How many multiplications it costs to multiply a row and the Jacobians of dense layers of these
/// sizes, from the left and from the right, in this order (`stack_multiplications_by_order`).
///
/// # Shapes
/// `sizes`: D + 1 numbers, D at least 1
pub fn jacobian_costs(sizes: &[usize]) -> (usize, usize) {
    todo!()
}

/// The best answer for samples that have to share one, and the mean squared error that it costs
/// (`shared_answer_costs_the_variance`).
///
/// # Shapes
/// `y`: (n), n at least 1
pub fn shared_answer(y: &Array1<f64>) -> (f64, f64) {
    todo!()
}

/// The mean loss of a batch and its gradient, for dense layers of these sizes with tanh after each
/// of them, the last one too, and the mean squared error (`stack_from_the_left`,
/// `batch_of_squared_errors`). Parameters and gradient lie layer by layer, weights before biases.
///
/// # Shapes
/// `x`: (n, s₀), `y`: (n, s_D), `theta`: (p), `sizes`: D + 1 numbers → a number and (p)
pub fn stack_loss_and_gradient(
    x: &Array2<f64>,
    y: &Array2<f64>,
    theta: &Array1<f64>,
    sizes: &[usize],
) -> (f64, Array1<f64>) {
    todo!()
}

//! Chapter 9: generalisation.
//!
//! Rows are samples, columns are features or units. The names in brackets are equations of the
//! book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2};

/// The cost with the penalty of L2, and its gradient with respect to the weights of each layer,
/// given the mean loss of n samples and its gradient (`penalty_gradient`).
///
/// # Shapes
/// `weights` and `d_weights`, which is ∂L/∂W: D arrays (sᵢ, sᵢ₊₁) → a number, and D arrays
pub fn l2_cost_and_gradient(
    loss: f64,
    weights: &[Array2<f64>],
    d_weights: &[Array2<f64>],
    lambda: f64,
    n: usize,
) -> (f64, Vec<Array2<f64>>) {
    todo!()
}

/// What leaves a layer with inverted dropout (`dropout_mean_and_variance`).
///
/// In training there is a uniform number from [0, 1) for each entry, and those entries are kept
/// whose number is below `keep`. In prediction there are no numbers.
///
/// # Shapes
/// `x`: (n, d), `draws`: (n, d), or `None` in prediction → (n, d)
pub fn dropout_forward(x: &Array2<f64>, keep: f64, draws: &Option<Array2<f64>>) -> Array2<f64> {
    todo!()
}

/// Batch normalisation in training (`normalised_forward`).
///
/// Returns y, x̂, and for each column the factor 1 / √(σ² + ε), in this order.
///
/// # Shapes
/// `x`: (n, d), `gamma` and `beta`: (d) → (n, d), (n, d) and (d)
pub fn batch_norm_forward(
    x: &Array2<f64>,
    gamma: &Array1<f64>,
    beta: &Array1<f64>,
    epsilon: f64,
) -> (Array2<f64>, Array2<f64>, Array1<f64>) {
    todo!()
}

/// Batch normalisation, backwards: from ∂L/∂y and what the forward pass kept, the derivatives with
/// respect to γ, β and x (`normalised_gamma_and_beta`, `normalised_backward`).
///
/// Returns ∂L/∂γ, ∂L/∂β and ∂L/∂x, in this order.
///
/// # Shapes
/// `d_y`, which is ∂L/∂y, and `x_hat`: (n, d), `scale` and `gamma`: (d) → (d), (d) and (n, d)
pub fn batch_norm_backward(
    d_y: &Array2<f64>,
    x_hat: &Array2<f64>,
    scale: &Array1<f64>,
    gamma: &Array1<f64>,
) -> (Array1<f64>, Array1<f64>, Array2<f64>) {
    todo!()
}

/// The running mean and the running variance after one more batch, which has the share α
/// (`normalised_running_average`, `normalised_unbiased_variance`). A batch of one sample leaves
/// both as they are.
///
/// # Shapes
/// `mean` and `variance`: (d), `x`: (n, d) → (d) and (d)
pub fn running_statistics(
    mean: &Array1<f64>,
    variance: &Array1<f64>,
    x: &Array2<f64>,
    alpha: f64,
) -> (Array1<f64>, Array1<f64>) {
    todo!()
}

/// Samples on the scale of the training samples: less their mean, and divided by their deviation,
/// which divides by n. A feature that is the same in all training samples is only shifted.
///
/// # Shapes
/// `train`: (n, d), `x`: (k, d) → (k, d)
pub fn standardise(train: &Array2<f64>, x: &Array2<f64>) -> Array2<f64> {
    todo!()
}

/// The class of each row of outputs (`decision_by_largest`): of several outputs the place of the
/// largest, the first of equals; of a single one 1 if it is above one half, otherwise 0.
///
/// # Shapes
/// `y_hat`: (n, m) → n labels
pub fn decide_classes(y_hat: &Array2<f64>) -> Vec<usize> {
    todo!()
}

//! Chapter 2: losses, and the way back through the output.
//!
//! Rows are samples, columns are outputs: n samples of m outputs are an array of shape (n, m).
//! The names in brackets are equations of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2, Array3};

/// The mean squared error of each sample, and its derivatives with respect to the outputs as a
/// stack of row vectors (`mse_value`, `mse_derivative`). The mean is over the outputs.
///
/// # Shapes
/// `y_hat`, `y`: (n, m) → (n) and (n, 1, m)
pub fn squared_error_rows(y_hat: &Array2<f64>, y: &Array2<f64>) -> (Array1<f64>, Array3<f64>) {
    todo!()
}

/// The categorical cross-entropy of each sample, and its derivatives with respect to the outputs
/// as a stack of row vectors (`cce_value`, `cce_derivative`).
///
/// An output may be 0 where its target is 0: such a class adds nothing to either.
///
/// # Shapes
/// `y_hat`, `y`, each row with the sum 1: (n, m) → (n) and (n, 1, m)
pub fn cross_entropy_rows(y_hat: &Array2<f64>, y: &Array2<f64>) -> (Array1<f64>, Array3<f64>) {
    todo!()
}

/// The chain rule for a batch: each sample's row vector times its Jacobian
/// (`chain_rule_batched_product`).
///
/// # Shapes
/// `d`: (n, 1, m), `jacobian`: (n, m, k) → (n, 1, k)
pub fn rows_through_jacobians(d: &Array3<f64>, jacobian: &Array3<f64>) -> Array3<f64> {
    todo!()
}

/// ln Σₖ e^z\[i, k\] of each row i (`log_sum_exp_largest_term`), for entries of any size, and with
/// the digits of results that are close to 0.
///
/// # Shapes
/// `z`: (n, m) → (n)
pub fn stable_log_sum(z: &Array2<f64>) -> Array1<f64> {
    todo!()
}

/// Softmax with categorical cross-entropy, from logits (`softmax_cce_from_logits`): the mean of the
/// loss over the batch, and the derivative of that mean with respect to each logit
/// (`softmax_cce_gradient`, `batch_mean_divides_once`).
///
/// # Shapes
/// `z`, `y`, whose rows have the sum 1: (n, m) → a number and (n, m)
pub fn softmax_loss_from_logits(z: &Array2<f64>, y: &Array2<f64>) -> (f64, Array2<f64>) {
    todo!()
}

/// Sigmoid with binary cross-entropy, from logits (`sigmoid_bce_from_logits`,
/// `wrong_share_of_the_target`): the mean over the outputs of each sample, for logits of any size,
/// and with the digits of losses that are close to 0.
///
/// # Shapes
/// `z`, `y`, between 0 and 1: (n, m) → (n)
pub fn coins_from_logits(z: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
    todo!()
}

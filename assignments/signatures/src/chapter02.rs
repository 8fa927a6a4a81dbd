//! Chapter 2: losses, and the way back through the output.

use ndarray::{Array1, Array2, Array3};

crate::signatures! {
    fn squared_error_rows(y_hat: &Array2<f64>, y: &Array2<f64>) -> (Array1<f64>, Array3<f64>);
    fn cross_entropy_rows(y_hat: &Array2<f64>, y: &Array2<f64>) -> (Array1<f64>, Array3<f64>);
    fn rows_through_jacobians(d: &Array3<f64>, jacobian: &Array3<f64>) -> Array3<f64>;
    fn stable_log_sum(z: &Array2<f64>) -> Array1<f64>;
    fn softmax_loss_from_logits(z: &Array2<f64>, y: &Array2<f64>) -> (f64, Array2<f64>);
    fn coins_from_logits(z: &Array2<f64>, y: &Array2<f64>) -> Array1<f64>;
}

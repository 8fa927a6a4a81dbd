//! Chapter 1: activations.

use ndarray::{Array1, Array2, Array3};

crate::signatures! {
    fn softmax_rows(z: &Array2<f64>) -> Array2<f64>;
    fn softmax_jacobian_stack(s: &Array2<f64>) -> Array3<f64>;
    fn softmax_vjp(s: &Array2<f64>, d_s: &Array2<f64>) -> Array2<f64>;
    fn sigmoid_stable(z: f64) -> (f64, f64);
    fn relu_slope(z: &Array2<f64>) -> Array2<f64>;
    fn relative_error(derived: &Array1<f64>, measured: &Array1<f64>) -> f64;
}

//! Chapter 4: the network.

use ndarray::{Array1, Array2};

crate::signatures! {
    fn affine_backward(
        x: &Array2<f64>,
        w: &Array2<f64>,
        d_z: &Array2<f64>,
    ) -> (Array2<f64>, Array1<f64>, Array2<f64>);
    fn flatten_parameters(weights: &[Array2<f64>], biases: &[Array1<f64>]) -> Array1<f64>;
    fn restore_parameters(
        theta: &Array1<f64>,
        sizes: &[usize],
    ) -> Option<(Vec<Array2<f64>>, Vec<Array1<f64>>)>;
    fn one_hot_labels(labels: &[usize], classes: usize) -> Option<Array2<f64>>;
    fn weight_deviations(fan_in: usize, fan_out: usize) -> (f64, f64, f64);
    fn forward_pass(
        x: &Array2<f64>,
        weights: &[Array2<f64>],
        biases: &[Array1<f64>],
    ) -> Array2<f64>;
}

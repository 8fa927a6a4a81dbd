//! Chapter 6: layer by layer.

use ndarray::{Array1, Array2};

crate::signatures! {
    fn tanh_layer_backward(x: &Array2<f64>, d_y: &Array2<f64>) -> Array2<f64>;
    fn dense_layer_step(
        x: &Array2<f64>,
        w: &Array2<f64>,
        b: &Array1<f64>,
        d_y: &Array2<f64>,
        rate: f64,
    ) -> (Array2<f64>, Array2<f64>, Array1<f64>);
    fn parameter_places(inputs: usize, units: &[usize]) -> Vec<(usize, usize)>;
    fn layer_by_layer_order(theta: &Array1<f64>, sizes: &[usize]) -> Array1<f64>;
    fn jacobian_costs(sizes: &[usize]) -> (usize, usize);
    fn shared_answer(y: &Array1<f64>) -> (f64, f64);
    fn stack_loss_and_gradient(
        x: &Array2<f64>,
        y: &Array2<f64>,
        theta: &Array1<f64>,
        sizes: &[usize],
    ) -> (f64, Array1<f64>);
}

//! Chapter 9: generalisation.

use ndarray::{Array1, Array2};

crate::signatures! {
    fn l2_cost_and_gradient(
        loss: f64,
        weights: &[Array2<f64>],
        d_weights: &[Array2<f64>],
        lambda: f64,
        n: usize,
    ) -> (f64, Vec<Array2<f64>>);
    fn dropout_forward(
        x: &Array2<f64>,
        keep: f64,
        draws: &Option<Array2<f64>>,
    ) -> Array2<f64>;
    fn batch_norm_forward(
        x: &Array2<f64>,
        gamma: &Array1<f64>,
        beta: &Array1<f64>,
        epsilon: f64,
    ) -> (Array2<f64>, Array2<f64>, Array1<f64>);
    fn batch_norm_backward(
        d_y: &Array2<f64>,
        x_hat: &Array2<f64>,
        scale: &Array1<f64>,
        gamma: &Array1<f64>,
    ) -> (Array1<f64>, Array1<f64>, Array2<f64>);
    fn running_statistics(
        mean: &Array1<f64>,
        variance: &Array1<f64>,
        x: &Array2<f64>,
        alpha: f64,
    ) -> (Array1<f64>, Array1<f64>);
    fn standardise(train: &Array2<f64>, x: &Array2<f64>) -> Array2<f64>;
    fn decide_classes(y_hat: &Array2<f64>) -> Vec<usize>;
}

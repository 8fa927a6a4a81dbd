//! Chapter 3: gradient descent and momentum.

use ndarray::{Array1, Array2};

crate::signatures! {
    fn bowl_step(a: &Array2<f64>, b: &Array1<f64>, theta: &Array1<f64>, eta: f64) -> Array1<f64>;
    fn momentum_step(
        theta: &Array1<f64>,
        v: &Array1<f64>,
        g: &Array1<f64>,
        eta: f64,
        mu: f64,
    ) -> (Array1<f64>, Array1<f64>);
    fn moving_average_step(
        theta: &Array1<f64>,
        v: &Array1<f64>,
        g: &Array1<f64>,
        eta: f64,
        beta: f64,
    ) -> (Array1<f64>, Array1<f64>);
    fn nesterov_step(
        theta: &Array1<f64>,
        v: &Array1<f64>,
        g: &Array1<f64>,
        eta: f64,
        mu: f64,
    ) -> (Array1<f64>, Array1<f64>);
    fn heavy_ball_radius(eta: f64, mu: f64, lambda: f64) -> f64;
    fn best_pair(lambda: &Array1<f64>) -> (f64, f64);
}

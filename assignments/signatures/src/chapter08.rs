//! Chapter 8: the optimizer zoo.

use ndarray::Array1;

crate::signatures! {
    fn adagrad_step(
        theta: &Array1<f64>,
        s: &Array1<f64>,
        g: &Array1<f64>,
        eta: f64,
        epsilon: f64,
    ) -> (Array1<f64>, Array1<f64>);
    fn rmsprop_step(
        theta: &Array1<f64>,
        s: &Array1<f64>,
        g: &Array1<f64>,
        eta: f64,
        beta: f64,
        epsilon: f64,
    ) -> (Array1<f64>, Array1<f64>);
    fn adam_step(
        theta: &Array1<f64>,
        v: &Array1<f64>,
        s: &Array1<f64>,
        g: &Array1<f64>,
        t: usize,
        eta: f64,
    ) -> (Array1<f64>, Array1<f64>, Array1<f64>);
    fn adamw_step(
        theta: &Array1<f64>,
        v_hat: &Array1<f64>,
        s_hat: &Array1<f64>,
        eta: f64,
        lambda: f64,
    ) -> Array1<f64>;
    fn clip_by_norm(g: &Array1<f64>, c: f64) -> Array1<f64>;
    fn cosine_rate(eta: f64, t: usize, steps: usize) -> f64;
    fn one_cycle_rate(eta: f64, t: usize, steps: usize, peak: usize) -> f64;
}

//! Chapter 10: fast.

use ndarray::{Array1, Array2};

crate::signatures! {
    fn step_operations(n: usize, sizes: &[usize]) -> usize;
    fn product_floor(
        n: usize,
        k: usize,
        m: usize,
        c: usize,
        peak: f64,
        bandwidth: f64,
    ) -> (f64, f64);
    fn nonzero_product(y: &Array2<f64>, x: &Array2<f64>, w: &Array2<f64>) -> Array2<f64>;
    fn unit_rows_vjp(x: &Array2<f64>, d_y: &Array2<f64>) -> Array2<f64>;
    fn steps_until_tiny(v: f64, mu: f64, r: usize) -> usize;
    fn batch_shares(n: usize, q: usize) -> Vec<(usize, usize)>;
    fn speed_up_with(t_1: f64, t_q: f64, q: usize, threads: usize) -> (f64, f64);
    fn sum_in_order(gradients: &Array2<f64>, threads: &[usize]) -> Array1<f64>;
}

//! Chapter 7: convolution.

use ndarray::{Array1, Array2, Array3, Array4};

crate::signatures! {
    fn output_size(side: usize, kernel: usize, stride: usize, padding: usize) -> Option<usize>;
    fn convolve_image(
        x: &Array3<f64>,
        w: &Array4<f64>,
        bias: &Array1<f64>,
        stride: usize,
        padding: usize,
    ) -> Array3<f64>;
    fn im2col(x: &Array3<f64>, kernel: usize, stride: usize) -> Array2<f64>;
    fn col2im(
        columns: &Array2<f64>,
        size: (usize, usize),
        kernel: usize,
        stride: usize,
    ) -> Array3<f64>;
    fn kernel_gradient(
        x: &Array3<f64>,
        d_y: &Array3<f64>,
        kernel: usize,
        stride: usize,
    ) -> (Array4<f64>, Array1<f64>);
    fn max_pool(x: &Array3<f64>, size: usize, stride: usize) -> Array3<f64>;
    fn max_pool_backward(
        x: &Array3<f64>,
        d_y: &Array3<f64>,
        size: usize,
        stride: usize,
    ) -> Array3<f64>;
}

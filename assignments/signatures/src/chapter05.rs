//! Chapter 5: bytes, files, and a training that goes on.

use ndarray::{Array1, Array2};

crate::signatures! {
    fn scale_pixels(images: &Array2<u8>, rows: &[usize]) -> Array2<f64>;
    fn place_in_epoch(steps: usize, samples: usize, batch_size: usize) -> (usize, usize, usize);
    fn header_length(file: &[u8]) -> Option<u64>;
    fn float_from_bytes(bytes: [u8; 4]) -> f64;
    fn read_tensor(file: &[u8], first_byte: usize, shape: (usize, usize)) -> Option<Array2<f64>>;
    fn resumed_step(
        before: &Array1<f64>,
        now: &Array1<f64>,
        gradient: &Array1<f64>,
        learning_rate: f64,
        momentum: f64,
    ) -> Array1<f64>;
}

//! Chapter 5: bytes, files, and a training that goes on.
//!
//! Rows are samples. The bytes of a file are counted from 0. The names in brackets are equations
//! of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2};

/// The images with these numbers, each as a row of numbers from 0 to 1 (`pixel_scaling`,
/// `byte_batches_are_rows_of_the_float_matrix`).
///
/// # Shapes
/// `images`: (n, inputs); `rows`: b numbers below n, in any order → (b, inputs)
pub fn scale_pixels(images: &Array2<u8>, rows: &[usize]) -> Array2<f64> {
    todo!()
}

/// Where a training stands after `steps` steps (`epoch_steps_and_last_batch`). The last batch of
/// an epoch has what is left.
///
/// Returns how many epochs are complete, how many batches of the next one are done, and how many
/// samples the next batch will have.
///
/// # Shapes
/// Numbers; `samples` and `batch_size` are at least 1
pub fn place_in_epoch(steps: usize, samples: usize, batch_size: usize) -> (usize, usize, usize) {
    todo!()
}

/// The length that a safetensors file gives for its header, in its first eight bytes, the lowest
/// first (`header_length_in_eight_bytes`). `None` if there are fewer than eight.
///
/// # Shapes
/// `file`: any number of bytes → a number
pub fn header_length(file: &[u8]) -> Option<u64> {
    todo!()
}

/// The `f32` that is stored in four bytes, the lowest first (`four_bytes_make_a_float`), with all
/// exponents: 0 stands for ± fraction · 2⁻¹⁴⁹, and 255 for ±∞ where the fraction is 0, for NaN
/// otherwise.
///
/// # Shapes
/// Four bytes → a number
pub fn float_from_bytes(bytes: [u8; 4]) -> f64 {
    todo!()
}

/// A matrix of `f32` numbers in a safetensors file, from where it begins, counted from the end of
/// the header (`tensor_entry_has_its_place`). `None` if the file ends too early.
///
/// # Shapes
/// `file`: bytes, at least eight; `shape` is (rows, columns) → (rows, columns)
pub fn read_tensor(file: &[u8], first_byte: usize, shape: (usize, usize)) -> Option<Array2<f64>> {
    todo!()
}

/// The parameters after the next step of momentum, from those before the last step, those of now,
/// and the gradient of now (`velocity_is_the_last_step`, `resumed_path_by_hand`).
///
/// # Shapes
/// `before`, `now`, `gradient`: (p) → (p)
pub fn resumed_step(
    before: &Array1<f64>,
    now: &Array1<f64>,
    gradient: &Array1<f64>,
    learning_rate: f64,
    momentum: f64,
) -> Array1<f64> {
    todo!()
}

//! Chapter 10: fast.
//!
//! An operation is one addition, subtraction or multiplication of floats. The names in brackets
//! are equations of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2};

/// How many operations the products of one training step take, for a batch of `n` samples
/// (`operations_of_one_step`).
///
/// # Shapes
/// `sizes`: how many numbers enter the first layer, and how many leave each layer, at least two
pub fn step_operations(n: usize, sizes: &[usize]) -> usize {
    todo!()
}

/// The arithmetic intensity of y ← x w, if each of the three matrices is moved once
/// (`intensity_of_a_product`), and the least time that it can take (`roofline`).
///
/// A number has `c` bytes. The processor does `peak` operations in a second, and the memory
/// delivers `bandwidth` bytes.
///
/// # Shapes
/// x: (n, k), w: (k, m), y: (n, m) → operations for each byte, and seconds
pub fn product_floor(
    n: usize,
    k: usize,
    m: usize,
    c: usize,
    peak: f64,
    bandwidth: f64,
) -> (f64, f64) {
    todo!()
}

/// y + x w, without the entries of x that are zero (`skipping_leaves_the_density`). What stands in
/// w behind a zero is never looked at.
///
/// # Shapes
/// `y`: (n, m), `x`: (n, k), `w`: (k, m) → (n, m)
pub fn nonzero_product(y: &Array2<f64>, x: &Array2<f64>, w: &Array2<f64>) -> Array2<f64> {
    todo!()
}

/// ∂L/∂x, where each row of y is the row of x divided by its length, and without any Jacobian
/// (the way of `two_routes_through_softmax`).
///
/// # Shapes
/// `x`: (n, m), `d_y`, which is ∂L/∂y: (n, m) → (n, m)
pub fn unit_rows_vjp(x: &Array2<f64>, d_y: &Array2<f64>) -> Array2<f64> {
    todo!()
}

/// After how many steps without a gradient the size of a velocity is below 2⁻ʳ for the first time
/// (`steps_until_a_velocity_is_tiny`); 0 if it is below from the start. `mu` lies between 0 and 1.
pub fn steps_until_tiny(v: f64, mu: f64, r: usize) -> usize {
    todo!()
}

/// The shares of a batch of `n` rows for `q` threads: for each thread its first row, and the row
/// after its last, counted from 0. The shares follow each other, cover the batch, and differ by at
/// most one row.
///
/// # Shapes
/// → q pairs
pub fn batch_shares(n: usize, q: usize) -> Vec<(usize, usize)> {
    todo!()
}

/// From the time of one thread and the time of `q` threads: the share σ of the work that one
/// thread does alone, and how many times as fast as one thread another number of `threads` will be
/// (`threads_share_what_is_not_serial`). `q` is at least 2.
pub fn speed_up_with(t_1: f64, t_q: f64, q: usize, threads: usize) -> (f64, f64) {
    todo!()
}

/// The sum of the gradients of q threads, added in the order of the threads, whichever was done
/// first (`sum_in_any_order`).
///
/// Row r of `gradients` is the one that arrived as number r, and it is from thread `threads[r]`.
///
/// # Shapes
/// `gradients`: (q, p), `threads`: each of 0, …, q − 1 once → (p)
pub fn sum_in_order(gradients: &Array2<f64>, threads: &[usize]) -> Array1<f64> {
    todo!()
}

//! Chapter 7: convolution.
//!
//! An image is an array of shape (height, width, channels): `x[[i, j, c]]` is the number of channel
//! c at row i and column j. A window stands at places that are `stride` pixels apart, the first one
//! in the upper left corner; what is left over at the right and at the bottom is not looked at. The
//! names in brackets are equations of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2, Array3, Array4};

/// How many places a window of `kernel` pixels has along a side of `side` pixels
/// (`places_of_a_window`), with `padding` pixels more at both ends.
///
/// Returns `None` if the window does not fit in anywhere.
pub fn output_size(side: usize, kernel: usize, stride: usize, padding: usize) -> Option<usize> {
    todo!()
}

/// The convolution of an image (`padded_image_and_stride`), with `padding` pixels of zeros on all
/// four sides.
///
/// # Shapes
/// `x`: (height, width, inputs), `w`: (kernel, kernel, inputs, outputs), `bias`: (outputs) →
/// (places along the height, places along the width, outputs)
pub fn convolve_image(
    x: &Array3<f64>,
    w: &Array4<f64>,
    bias: &Array1<f64>,
    stride: usize,
    padding: usize,
) -> Array3<f64> {
    todo!()
}

/// What the window sees at every place, as the rows of a matrix (`columns_of_a_tiny_image`): places row by
/// row, and in each of them the pixels of the window row by row, the channels of a pixel side by
/// side.
///
/// # Shapes
/// `x`: (height, width, channels) → (places, kernel · kernel · channels)
pub fn im2col(x: &Array3<f64>, kernel: usize, stride: usize) -> Array2<f64> {
    todo!()
}

/// The way back (`col2im_is_the_transpose_of_im2col`): an image of `size` (height, width) in which every number is the
/// sum of the entries of `columns` that [`im2col`] would have copied from it.
///
/// # Shapes
/// `columns`: (places, kernel · kernel · channels) → (height, width, channels)
pub fn col2im(
    columns: &Array2<f64>,
    size: (usize, usize),
    kernel: usize,
    stride: usize,
) -> Array3<f64> {
    todo!()
}

/// ∂L/∂w and ∂L/∂bias of a convolution without padding (`kernel_gradient_entry_by_entry`), given ∂L/∂y.
///
/// # Shapes
/// `x`: (height, width, inputs), `d_y`: (places along the height, along the width, outputs) →
/// (kernel, kernel, inputs, outputs) and (outputs)
pub fn kernel_gradient(
    x: &Array3<f64>,
    d_y: &Array3<f64>,
    kernel: usize,
    stride: usize,
) -> (Array4<f64>, Array1<f64>) {
    todo!()
}

/// The largest number of every window of `size` × `size` pixels (`max_pool_takes_the_largest`), channel by
/// channel.
///
/// # Shapes
/// `x`: (height, width, channels) → (places along the height, along the width, channels)
pub fn max_pool(x: &Array3<f64>, size: usize, stride: usize) -> Array3<f64> {
    todo!()
}

/// ∂L/∂x of max-pooling (`max_pool_routes_the_gradient`), given ∂L/∂y. Where several numbers of a window
/// are the largest, the first of them counts, row by row.
///
/// # Shapes
/// `x`: (height, width, channels), `d_y`: (places along the height, along the width, channels) →
/// (height, width, channels)
pub fn max_pool_backward(
    x: &Array3<f64>,
    d_y: &Array3<f64>,
    size: usize,
    stride: usize,
) -> Array3<f64> {
    todo!()
}

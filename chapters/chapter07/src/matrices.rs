//! One convolution as two matrix products.

use gradus::{Convolution, Init, Shape};
use lab::{HeatMap, Lab, Result};
use ndarray::{Array1, Array2};

use crate::alone::Alone;

/// The tiny case: an image of 5 × 5 pixels and a kernel of 3 × 3.
const IMAGE: usize = 5;
const KERNEL: usize = 3;
const PLACES: usize = IMAGE - KERNEL + 1;

// ANCHOR: toeplitz
/// The kernel as a matrix that multiplies the whole image, written as a row:
/// one row for every pixel, one column for every place of the window.
fn toeplitz(kernel: &Array2<f64>) -> Array2<f64> {
    let mut matrix = Array2::zeros((IMAGE * IMAGE, PLACES * PLACES));
    for place in 0..PLACES * PLACES {
        let (i, j) = (place / PLACES, place % PLACES);
        for ((r, t), &w) in kernel.indexed_iter() {
            matrix[[(i + r) * IMAGE + j + t, place]] = w;
        }
    }
    matrix
}
// ANCHOR_END: toeplitz

/// The image as a matrix that the kernel, written as a column, is multiplied with: one row for
/// every place of the window, one column for every pixel of the window.
fn im2col(image: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn((PLACES * PLACES, KERNEL * KERNEL), |(place, pixel)| {
        let (i, j) = (place / PLACES, place % PLACES);
        image[[i + pixel / KERNEL, j + pixel % KERNEL]]
    })
}

/// The same nine outputs from a large matrix of weights and from a matrix of pixels.
pub fn two_matrices(lab: &mut Lab) -> Result<()> {
    let count = |side: usize| Array1::from_iter((1..=side * side).map(|v| v as f64));
    let image = count(IMAGE).into_shape_with_order((IMAGE, IMAGE))?;
    let kernel = count(KERNEL).into_shape_with_order((KERNEL, KERNEL))?;
    let (t, columns) = (toeplitz(&kernel), im2col(&image));
    let (x, w) = (image.into_flat(), kernel.into_flat());

    let mut alone =
        Alone::new(Convolution::new(1, KERNEL, Init::He)?, Shape::image(IMAGE, IMAGE, 1), 1)?;
    alone.params.fill(0.0);
    alone.params.slice_mut(ndarray::s![..w.len()]).assign(&w);
    let y = alone.forward(&x.clone().insert_axis(ndarray::Axis(0)));
    let same = |product: &Array1<f64>| product.iter().zip(&y).all(|(a, b)| a == b);
    if !(same(&x.dot(&t)) && same(&columns.dot(&w))) {
        return Err("the two matrix products are not the layer's output".into());
    }
    let zeros = t.iter().filter(|&&entry| entry == 0.0).count();
    lab.section("matrices", "The same sums as two matrix products")?;
    lab.say(format!(
        "An image of {IMAGE} × {IMAGE} pixels, numbered 1 to {}, and a kernel of {KERNEL} × {KERNEL} weights, numbered\n\
         1 to {}. The layer's {} outputs are\n    {}",
        x.len(),
        w.len(),
        y.len(),
        y.iter().map(f64::to_string).collect::<Vec<_>>().join(", "),
    ));
    lab.say(format!(
        "and so are the image times a matrix T of {} × {} entries, {zeros} of them zero, and a matrix C\n\
         of {} × {} pixels times the kernel. All three agree to the last bit.",
        t.nrows(),
        t.ncols(),
        columns.nrows(),
        columns.ncols(),
    ));
    // The first convolution of the chapter's network as a dense layer.
    let (pixels, outputs) = (28 * 28, 24 * 24 * 8);
    lab.say(format!(
        "\nA dense layer from 28×28 pixels to 24×24×8 outputs has {} weights. The convolution of 5×5\n\
         pixels between them has {}, each used {} times for an image.",
        lab::text::thousands(pixels * outputs),
        25 * 8,
        24 * 24,
    ));
    lab.exact("toeplitz_zeros", zeros);
    lab.exact("toeplitz_entries", t.len());
    lab.exact("dense_weights", pixels * outputs);
    lab.exact("convolution_weights", 25 * 8);
    let numbers = |count: usize| (1..=count).map(|n| n.to_string());
    let places = || (0..PLACES).flat_map(|i| (0..PLACES).map(move |j| format!("({i}, {j})")));
    lab.figure(
        "toeplitz",
        &format!(
            "The matrix T of a {KERNEL} × {KERNEL} kernel with weights 1 to 9 on an image of {IMAGE} × {IMAGE} \
             pixels, turned on its side: one row for each place of the window, one column for each \
             pixel."
        ),
        "Nine rows of 25 cells. Each row holds the numbers 1 to 9 in three groups of three with gaps \
         of two between them, and zeros elsewhere; from row to row the groups move to the right by \
         one, after each third row by three.",
        &HeatMap::new("pixel of the image", "place of the window", &t.t().to_owned())
            .labels(places(), numbers(x.len()))
            .annotate(0),
    )?;
    lab.figure(
        "im2col",
        &format!(
            "The matrix C of the same image, whose pixels are numbered 1 to {}: one row for each \
             place of the window, with the {} pixels that it sees.",
            x.len(),
            w.len()
        ),
        "Nine rows of nine cells with the numbers of pixels. The first row holds 1, 2, 3, 6, 7, 8, \
         11, 12, 13; each next row is one more everywhere, or three more where the window begins a \
         new line. Most pixels stand in several rows.",
        &HeatMap::new("weight of the kernel", "place of the window", &columns)
            .labels(places(), numbers(w.len()))
            .annotate(0),
    )
}

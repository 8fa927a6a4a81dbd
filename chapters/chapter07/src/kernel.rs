//! One kernel, chosen by hand, on one digit.

use gradus::Mnist;
use lab::{Images, Lab, Result};
use ndarray::{Array1, Array3, Array4, ArrayRef2, array};

use crate::digits::SIDE;
use crate::shifted::SHOWN;
use crate::six_loops::six_loops;

/// The place whose sum is shown, term by term: rows and columns of the output.
const PLACE: (usize, usize) = (7, 6);

/// A digit as an image with one channel.
pub fn digit(images: &Mnist, row: usize) -> Result<Array3<f64>> {
    let pixels = images.test.bytes().row(row).mapv(|byte| f64::from(byte) / 255.0);
    Ok(pixels.into_shape_with_order((SIDE, SIDE, 1))?)
}

/// Numbers as greys: 0 is in the middle, and the largest in size is ink or paper.
pub fn around_grey(values: impl Iterator<Item = f64> + Clone) -> Vec<u8> {
    let most = values.clone().map(f64::abs).fold(1e-12, f64::max);
    values.map(|value| (127.5 + 127.5 * value / most).round() as u8).collect()
}

/// Numbers from 0 as greys: 0 is paper, and the largest is ink.
pub fn from_paper(values: impl Iterator<Item = f64> + Clone) -> Vec<u8> {
    let most = values.clone().fold(1e-12, f64::max);
    values.map(|value| (255.0 * value / most).round() as u8).collect()
}

/// A matrix in brackets, line by line.
fn lines(matrix: &ArrayRef2<f64>, decimals: usize) -> Vec<String> {
    let width = matrix.iter().map(|v| format!("{v:.decimals$}").len()).max().unwrap_or(0);
    let line = |row: ndarray::ArrayView1<f64>| {
        let entries = row.iter().map(|v| format!("{v:>width$.decimals$}"));
        entries.collect::<Vec<_>>().join("  ")
    };
    matrix.rows().into_iter().map(line).collect()
}

/// Edges, found by nine numbers.
pub fn edges(images: &Mnist, lab: &mut Lab) -> Result<()> {
    let x = digit(images, SHOWN)?;
    let upright = array![[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]];
    let level = upright.t().as_standard_layout().into_owned();
    let mean = ndarray::Array2::from_elem((3, 3), 1.0 / 9.0);
    let apply = |kernel: &ArrayRef2<f64>| -> Result<Array3<f64>> {
        let w: Array4<f64> = kernel.to_owned().into_shape_with_order((3, 3, 1, 1))?;
        Ok(six_loops(&x, &w, &Array1::zeros(1), 1, 0))
    };
    let y = apply(&upright)?;
    let (i, j) = PLACE;
    let window = x.slice(ndarray::s![i..i + 3, j..j + 3, 0]).to_owned();
    let sum = (&window * &upright).sum();
    if (sum - y[[i, j, 0]]).abs() > 1e-12 {
        return Err("the sum over a window is not the output there".into());
    }
    lab.section("kernel", "Nine numbers that see edges")?;
    lab.say(format!(
        "The first test digit, and a kernel of 3 × 3 that takes what is on the left from what is on\n\
         the right. With its upper left corner at row {i}, column {j} of the image, the window holds\n\
         the numbers on the left; times the kernel, entry by entry, they sum to {sum:.4}:\n",
    ));
    for (window, kernel) in lines(&window, 4).iter().zip(lines(&upright, 0)) {
        lab.say(format!("    {window}        {kernel}"));
    }
    let (low, high) = y.iter().fold((0.0_f64, 0.0_f64), |(lo, hi), &v| (lo.min(v), hi.max(v)));
    lab.say(format!(
        "\nAt every place of the image that makes {} × {} outputs, from {low:.2} to {high:.2}. Nine weights\n\
         serve for all of them.",
        y.dim().0,
        y.dim().1,
    ));
    lab.exact("kernel_row", i);
    lab.exact("kernel_column", j);
    lab.near("kernel_sum", sum, 1e-9);
    lab.near("kernel_low", low, 1e-9);
    lab.near("kernel_high", high, 1e-9);
    let ink: Vec<u8> = images.test.bytes().row(SHOWN).to_vec();
    let grey = |y: &Array3<f64>| around_grey(y.iter().copied());
    let figure = Images::new(4)
        .image(&ink, "digit", false)
        .image(&grey(&y), "upright edges", false)
        .image(&grey(&apply(&level)?), "level edges", false)
        .image(&from_paper(apply(&mean)?.iter().copied()), "mean of nine", false);
    lab.figure(
        "edges",
        "A test digit, and what three kernels of 3 × 3 make of it: one that answers to upright \
         edges, the same turned for level ones, and the mean of nine pixels. In the two in the \
         middle, grey is 0, dark is positive, light is negative.",
        "A handwritten seven and three images made from it. The second shows its left edges dark \
         and its right edges light, the third the upper edges dark or light and the lower ones the \
         other way round, the fourth the same seven blurred.",
        &figure,
    )
}

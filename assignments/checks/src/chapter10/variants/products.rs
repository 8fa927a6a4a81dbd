//! Chapter 10: a product without zeros, and one without a Jacobian.

use ndarray::{Array2, Axis};
use signatures::chapter10::Functions;

use super::super::REFERENCE;
use crate::chapter::Variant;

pub fn all() -> Vec<Variant> {
    [nonzero(), unit_rows()].into_iter().flatten().collect()
}

/// y + x w, with the entries of x for which this says so: they and their place, and the row of w
/// that they meet.
fn product(
    y: &Array2<f64>,
    x: &Array2<f64>,
    w: &Array2<f64>,
    taken: impl Fn(usize, usize, f64) -> bool,
) -> Array2<f64> {
    let mut sum = y.clone();
    for ((i, l), &x) in x.indexed_iter() {
        if taken(i, l, x) {
            for j in 0..w.ncols() {
                sum[[i, j]] += x * w[[l, j]];
            }
        }
    }
    sum
}

fn nonzero() -> Vec<Variant> {
    let with = |nonzero_product| Functions { nonzero_product, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("nonzero_product", name, with(function));
    let right = |name, function| Variant::right("nonzero_product", name, with(function));
    vec![
        wrong("the plain product: zeros are multiplied as well", |y, x, w| {
            product(y, x, w, |_, _, _| true)
        })
        .see("fast-zeros"),
        wrong("the product of all of x and w, zeros included, and y added to it", |y, x, w| {
            y + &product(&Array2::zeros(y.dim()), x, w, |_, _, _| true)
        })
        .see("fast-zeros"),
        wrong("the zeros of w skipped, not those of x", |y, x, w| {
            Array2::from_shape_fn(y.dim(), |(i, j)| {
                let terms = (0..w.nrows()).filter(|&l| w[[l, j]] != 0.0);
                terms.fold(y[[i, j]], |sum, l| sum + x[[i, l]] * w[[l, j]])
            })
        })
        .see("fast-zeros"),
        wrong("the zeros of y skipped, not those of x", |y, x, w| {
            let full = (REFERENCE.nonzero_product)(y, x, w);
            Array2::from_shape_fn(y.dim(), |at| if y[at] == 0.0 { 0.0 } else { full[at] })
        })
        .see("fast-zeros"),
        wrong("the terms alone: y is not added", |y, x, w| {
            product(&Array2::zeros(y.dim()), x, w, |_, _, x| x != 0.0)
        }),
        wrong("y added at the end: a sum in another order", |y, x, w| {
            y + &product(&Array2::zeros(y.dim()), x, w, |_, _, x| x != 0.0)
        })
        .see("sum_in_any_order"),
        wrong("columns from the last to the first: a sum in another order", |y, x, w| {
            let mut sum = y.clone();
            for ((i, l), &x) in x.indexed_iter().collect::<Vec<_>>().into_iter().rev() {
                for j in 0..w.ncols() {
                    if x != 0.0 {
                        sum[[i, j]] += x * w[[l, j]];
                    }
                }
            }
            sum
        })
        .see("sum_in_any_order"),
        wrong("at the first zero the row ends", |y, x, w| {
            product(y, x, w, |i, l, _| x.row(i).iter().take(l + 1).all(|&x| x != 0.0))
        }),
        wrong("rows of w counted among the entries that are not zero", |y, x, w| {
            let mut sum = y.clone();
            for (i, row) in x.rows().into_iter().enumerate() {
                for (l, &x) in row.iter().filter(|&&x| x != 0.0).enumerate() {
                    for j in 0..w.ncols() {
                        sum[[i, j]] += x * w[[l, j]];
                    }
                }
            }
            sum
        })
        .see("lowest_bit_goes_first"),
        wrong("negative entries skipped with the zeros", |y, x, w| {
            product(y, x, w, |_, _, x| x > 0.0)
        }),
        wrong("small entries taken for zeros", |y, x, w| {
            product(y, x, w, |_, _, x| x.abs() > 1e-9)
        }),
        wrong("the places of the first row for all rows", |y, x, w| {
            product(y, x, w, |_, l, _| x[[0, l]] != 0.0)
        }),
        wrong("the first 64 columns alone: what is left over is lost", |y, x, w| {
            product(y, x, w, |_, l, x| l < 64 && x != 0.0)
        })
        .see("fast-zeros"),
        wrong("bits in place of numbers: −0 is taken for something else", |y, x, w| {
            product(y, x, w, |_, _, x| x.to_bits() != 0)
        }),
        wrong("rows of w added, whatever the entry that is not zero", |y, x, w| {
            let ones = x.mapv(|x| f64::from(u8::from(x != 0.0)));
            product(y, &ones, w, |_, _, x| x != 0.0)
        }),
        right("with a bit for each column", |y, x, w| {
            let mut sum = y.clone();
            for (i, row) in x.rows().into_iter().enumerate() {
                for left in (0..row.len()).step_by(64) {
                    let strip = row.iter().skip(left).take(64).enumerate();
                    let mut bits =
                        strip.fold(0_u64, |bits, (l, &x)| bits | (u64::from(x != 0.0) << l));
                    while bits != 0 {
                        let l = left + bits.trailing_zeros() as usize;
                        bits &= bits - 1;
                        sum.row_mut(i).scaled_add(row[l], &w.row(l));
                    }
                }
            }
            sum
        }),
        right("entry by entry of the result", |y, x, w| {
            Array2::from_shape_fn(y.dim(), |(i, j)| {
                let terms = (0..w.nrows()).filter(|&l| x[[i, l]] != 0.0);
                terms.fold(y[[i, j]], |sum, l| sum + x[[i, l]] * w[[l, j]])
            })
        }),
    ]
}

/// Σ of each row, as a column.
fn row_sums(a: &Array2<f64>) -> Array2<f64> {
    a.sum_axis(Axis(1)).insert_axis(Axis(1))
}

/// The length of each row, as a column.
fn lengths(x: &Array2<f64>) -> Array2<f64> {
    row_sums(&(x * x)).mapv(f64::sqrt)
}

fn unit_rows() -> Vec<Variant> {
    let with = |unit_rows_vjp| Functions { unit_rows_vjp, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("unit_rows_vjp", name, with(function));
    let right = |name, function| Variant::right("unit_rows_vjp", name, with(function));
    vec![
        wrong("divided by the length alone, as if it were a constant", |x, d_y| d_y / &lengths(x)),
        wrong("the length forgotten in front", |x, d_y| {
            let y = x / &lengths(x);
            let along = row_sums(&(d_y * &y));
            d_y - &(y * along)
        }),
        wrong("divided by the square of the length", |x, d_y| {
            (REFERENCE.unit_rows_vjp)(x, d_y) / &lengths(x)
        }),
        wrong("the diagonal of the Jacobian alone", |x, d_y| {
            let y = x / &lengths(x);
            d_y * &(1.0 - &y * &y) / &lengths(x)
        }),
        wrong("x in place of y within the sum", |x, d_y| {
            let y = x / &lengths(x);
            let along = row_sums(&(d_y * x));
            (d_y - &(y * along)) / &lengths(x)
        }),
        wrong("x in place of y, twice", |x, d_y| {
            let along = row_sums(&(d_y * x));
            (d_y - &(x * &along)) / &lengths(x)
        }),
        wrong("the derivative of softmax: the factor y for all of it", |x, d_y| {
            let y = x / &lengths(x);
            let along = row_sums(&(d_y * &y));
            (d_y - &along) * &y
        })
        .see("fast-jacobian"),
        wrong("the sum not multiplied by y", |x, d_y| {
            let along = row_sums(&(d_y * &(x / &lengths(x))));
            (d_y - &along) / &lengths(x)
        }),
        wrong("the mean in place of the sum along the row", |x, d_y| {
            let y = x / &lengths(x);
            let along = row_sums(&(d_y * &y)) / x.ncols() as f64;
            (d_y - &(y * along)) / &lengths(x)
        }),
        wrong("the part along the row added, not subtracted", |x, d_y| {
            let y = x / &lengths(x);
            let along = row_sums(&(d_y * &y));
            (d_y + &(y * along)) / &lengths(x)
        }),
        wrong("the part along the row, which should go", |x, d_y| {
            let y = x / &lengths(x);
            let along = row_sums(&(d_y * &y));
            y * along / &lengths(x)
        }),
        wrong("one length for the whole batch", |x, d_y| {
            let length = (x * x).sum().sqrt();
            let y = x / length;
            let along = row_sums(&(d_y * &y));
            (d_y - &(y * along)) / length
        }),
        wrong("one sum for the whole batch", |x, d_y| {
            let y = x / &lengths(x);
            let along = (d_y * &y).sum();
            (d_y - &(y * along)) / &lengths(x)
        }),
        wrong("the sum of sizes in place of the length", |x, d_y| {
            let length = row_sums(&x.mapv(f64::abs));
            let y = x / &length;
            let along = row_sums(&(d_y * &y));
            (d_y - &(y * along)) / length
        }),
        wrong("the rows divided once more: y for ∂L/∂x", |x, _| x / &lengths(x)),
        right("with the cube of the length", |x, d_y| {
            let squares = row_sums(&(x * x));
            let along = row_sums(&(d_y * x));
            (d_y * &squares - &(x * &along)) / squares.mapv(|s| s * s.sqrt())
        }),
        right("row by row", |x, d_y| {
            let mut d_x = d_y.clone();
            for (mut d, x) in d_x.rows_mut().into_iter().zip(x.rows()) {
                let length = x.dot(&x).sqrt();
                let along = d.dot(&x) / length;
                d.zip_mut_with(&x, |d, x| *d = (*d - along * x / length) / length);
            }
            d_x
        }),
    ]
}

//! Chapter 7: wrong answers, and other right ones.

mod matrices;
mod pooling;

use ndarray::{Array1, Array3, Array4};

use signatures::chapter07::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    let lists = [sizes(), convolutions(), matrices::all(), gradients(), pooling::all()];
    lists.into_iter().flatten().collect()
}

fn sizes() -> Vec<Variant> {
    let with = |output_size| Functions { output_size, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("output_size", name, with(function));
    let right = |name, function| Variant::right("output_size", name, with(function));
    vec![
        wrong(
            "one place too few: the first one is not counted",
            |side, kernel, stride, padding| {
                Some((side + 2 * padding).checked_sub(kernel)? / stride)
            },
        ),
        wrong("the padding counted once, not at both ends", |side, kernel, stride, padding| {
            Some((side + padding).checked_sub(kernel)? / stride + 1)
        }),
        wrong("the padding forgotten", |side, kernel, stride, _| {
            Some(side.checked_sub(kernel)? / stride + 1)
        }),
        wrong(
            "rounded up: a window that sticks out is counted",
            |side, kernel, stride, padding| {
                Some((side + 2 * padding).checked_sub(kernel)?.div_ceil(stride) + 1)
            },
        ),
        wrong("rounded to the nearest whole number", |side, kernel, stride, padding| {
            let left = (side + 2 * padding).checked_sub(kernel)?;
            Some((left as f64 / stride as f64).round() as usize + 1)
        }),
        wrong("the stride ignored", |side, kernel, _, padding| {
            Some((side + 2 * padding).checked_sub(kernel)? + 1)
        }),
        wrong("the 1 inside the fraction", |side, kernel, stride, padding| {
            let places = (side + 2 * padding + 1).checked_sub(kernel)?;
            (places > 0).then_some(places / stride)
        }),
        wrong("the padding added after the division", |side, kernel, stride, padding| {
            if side + 2 * padding < kernel {
                return None;
            }
            let places = (side as f64 - kernel as f64) / stride as f64;
            Some((places.floor() + 2.0 * padding as f64 + 1.0).max(0.0) as usize)
        }),
        wrong("one place where the window does not fit at all", |side, kernel, stride, padding| {
            Some((side + 2 * padding).saturating_sub(kernel) / stride + 1)
        }),
        wrong("no place where the window fits exactly once", |side, kernel, stride, padding| {
            let left = (side + 2 * padding).checked_sub(kernel)?;
            (left > 0).then_some(left / stride + 1)
        }),
        wrong("none where the last step leaves pixels over", |side, kernel, stride, padding| {
            let left = (side + 2 * padding).checked_sub(kernel)?;
            (left % stride == 0).then_some(left / stride + 1)
        }),
        right("place by place", |side, kernel, stride, padding| {
            let fits = |&place: &usize| place * stride + kernel <= side + 2 * padding;
            let places = (0..).take_while(fits).count();
            (places > 0).then_some(places)
        }),
    ]
}

/// How many places there are along a side.
fn places(side: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    (side + 2 * padding - kernel) / stride + 1
}

/// A convolution without bias: which weight belongs to (a, b, c, o) of the window, and which
/// number of the image the window sees at row or column i · stride + a of the padded image.
fn sums(
    x: &Array3<f64>,
    w: &Array4<f64>,
    (stride, padding): (usize, usize),
    weight: impl Fn([usize; 4]) -> [usize; 4],
    at: impl Fn(&Array3<f64>, isize, isize, usize) -> f64,
) -> Array3<f64> {
    let (kernel, _, inputs, outputs) = w.dim();
    let shape = [x.dim().0, x.dim().1].map(|side| places(side, kernel, stride, padding));
    let pixel = |i: usize, a: usize| (i * stride + a) as isize - padding as isize;
    Array3::from_shape_fn((shape[0], shape[1], outputs), |(i, j, o)| {
        let mut sum = 0.0;
        for a in 0..kernel {
            for b in 0..kernel {
                for c in 0..inputs {
                    sum += at(x, pixel(i, a), pixel(j, b), c) * w[weight([a, b, c, o])];
                }
            }
        }
        sum
    })
}

/// The number at a pixel, or zero outside.
fn zero(x: &Array3<f64>, row: isize, column: isize, channel: usize) -> f64 {
    if row < 0 || column < 0 {
        return 0.0;
    }
    x.get([row as usize, column as usize, channel]).copied().unwrap_or(0.0)
}

/// The nearest number to a pixel.
fn nearest(x: &Array3<f64>, row: isize, column: isize, channel: usize) -> f64 {
    let inside = |at: isize, side: usize| at.clamp(0, side as isize - 1) as usize;
    x[[inside(row, x.dim().0), inside(column, x.dim().1), channel]]
}

fn convolutions() -> Vec<Variant> {
    let with = |convolve_image| Functions { convolve_image, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("convolve_image", name, with(function));
    let right = |name, function| Variant::right("convolve_image", name, with(function));
    vec![
        wrong("the kernel flipped in both directions", |x, w, bias, s, p| {
            let k = w.dim().0;
            sums(x, w, (s, p), |[a, b, c, o]| [k - 1 - a, k - 1 - b, c, o], zero) + bias
        })
        .see("flipped_kernel_is_the_convolution_of_analysis"),
        wrong("the kernel with rows and columns exchanged", |x, w, bias, s, p| {
            sums(x, w, (s, p), |[a, b, c, o]| [b, a, c, o], zero) + bias
        }),
        wrong("the bias added once for each input channel", |x, w, bias, s, p| {
            sums(x, w, (s, p), |at| at, zero) + &(bias * x.dim().2 as f64)
        })
        .published("aflak")
        .see("bias_is_added_once_per_input_channel"),
        wrong("the bias added once for each weight of the window", |x, w, bias, s, p| {
            sums(x, w, (s, p), |at| at, zero) + &(bias * (w.len() / bias.len()) as f64)
        })
        .see("bias_is_added_once_per_input_channel"),
        wrong("the bias forgotten", |x, w, _, s, p| sums(x, w, (s, p), |at| at, zero)),
        wrong("the padding forgotten", |x, w, bias, s, p| {
            let k = w.dim().0;
            if x.dim().0.min(x.dim().1) < k {
                return (REFERENCE.convolve_image)(x, w, bias, s, p);
            }
            sums(x, w, (s, 0), |at| at, zero) + bias
        })
        .see("places_of_a_window"),
        wrong("padding at the top and on the left only", |x, w, bias, s, p| {
            let k = w.dim().0;
            let shape = [x.dim().0, x.dim().1].map(|side| (side + p - k) / s + 1);
            let all = sums(x, w, (s, p), |at| at, zero) + bias;
            all.slice(ndarray::s![..shape[0], ..shape[1], ..]).to_owned()
        })
        .see("places_of_a_window"),
        wrong("pixels at the border repeated in place of zeros", |x, w, bias, s, p| {
            sums(x, w, (s, p), |at| at, nearest) + bias
        })
        .see("places_of_a_window"),
        wrong(
            "the window begins inside the image, the padding is at the end",
            |x, w, bias, s, p| {
                let at = |x: &Array3<f64>, row: isize, column: isize, c: usize| {
                    zero(x, row + p as isize, column + p as isize, c)
                };
                sums(x, w, (s, p), |at| at, at) + bias
            },
        )
        .see("places_of_a_window"),
        wrong("the stride ignored", |x, w, bias, _, p| sums(x, w, (1, p), |at| at, zero) + bias)
            .see("places_of_a_window"),
        wrong("as many places as with the stride, but one pixel apart", |x, w, bias, s, p| {
            let all = sums(x, w, (1, p), |at| at, zero) + bias;
            let shape = [x.dim().0, x.dim().1].map(|side| places(side, w.dim().0, s, p));
            all.slice(ndarray::s![..shape[0], ..shape[1], ..]).to_owned()
        }),
        wrong("the first input channel only", |x, w, bias, s, p| {
            let first = |x: &Array3<f64>, row, column, c: usize| {
                if c == 0 { zero(x, row, column, c) } else { 0.0 }
            };
            sums(x, w, (s, p), |at| at, first) + bias
        }),
        wrong("the last input channel only: the sum is overwritten", |x, w, bias, s, p| {
            let last = |x: &Array3<f64>, row, column, c: usize| {
                if c + 1 == x.dim().2 { zero(x, row, column, c) } else { 0.0 }
            };
            sums(x, w, (s, p), |at| at, last) + bias
        }),
        wrong("one kernel for all input channels", |x, w, bias, s, p| {
            sums(x, w, (s, p), |[a, b, _, o]| [a, b, 0, o], zero) + bias
        }),
        wrong("the mean over the window in place of the sum", |x, w, bias, s, p| {
            let count = (w.len() / bias.len()) as f64;
            sums(x, w, (s, p), |at| at, zero) / count + bias
        }),
        right("an image with a border of zeros, and no padding", |x, w, bias, s, p| {
            let (height, width, channels) = x.dim();
            let mut wide = Array3::zeros((height + 2 * p, width + 2 * p, channels));
            wide.slice_mut(ndarray::s![p..p + height, p..p + width, ..]).assign(x);
            sums(&wide, w, (s, 0), |at| at, zero) + bias
        }),
    ]
}

/// Sums over all places: of what the window sees at `pixel(i, a)` and `pixel(j, b)`, times ∂L/∂y.
fn weights(
    x: &Array3<f64>,
    d_y: &Array3<f64>,
    kernel: usize,
    pixel: impl Fn(usize, usize) -> usize,
) -> Array4<f64> {
    let shape = (kernel, kernel, x.dim().2, d_y.dim().2);
    Array4::from_shape_fn(shape, |(a, b, c, o)| {
        let terms = d_y.indexed_iter().filter(|((_, _, channel), _)| *channel == o);
        terms.map(|((i, j, _), d)| x[[pixel(i, a), pixel(j, b), c]] * d).sum()
    })
}

/// Sums over all places, for each output channel.
fn biases(d_y: &Array3<f64>) -> Array1<f64> {
    d_y.lanes(ndarray::Axis(2)).into_iter().fold(Array1::zeros(d_y.dim().2), |sum, d| sum + d)
}

fn gradients() -> Vec<Variant> {
    let with = |kernel_gradient| Functions { kernel_gradient, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("kernel_gradient", name, with(function));
    let right = |name, function| Variant::right("kernel_gradient", name, with(function));
    vec![
        wrong("the gradient of the bias times the number of output channels", |x, d_y, k, s| {
            (weights(x, d_y, k, |i, a| i * s + a), biases(d_y) * d_y.dim().2 as f64)
        })
        .published("aflak")
        .see("bias_gradient_is_off_by_a_ratio_of_channels"),
        wrong("the gradient of the bias times the number of input channels", |x, d_y, k, s| {
            (weights(x, d_y, k, |i, a| i * s + a), biases(d_y) * x.dim().2 as f64)
        })
        .see("bias_gradient_is_off_by_a_ratio_of_channels"),
        wrong("the gradient of the bias as a mean over the places", |x, d_y, k, s| {
            let places = (d_y.dim().0 * d_y.dim().1) as f64;
            (weights(x, d_y, k, |i, a| i * s + a), biases(d_y) / places)
        })
        .see("channel_bias_gradient"),
        wrong("the gradient of the bias at the first place only", |x, d_y, k, s| {
            let first = d_y.slice(ndarray::s![0, 0, ..]).to_owned();
            (weights(x, d_y, k, |i, a| i * s + a), first)
        })
        .see("channel_bias_gradient"),
        wrong("one sum over all channels for every bias", |x, d_y, k, s| {
            let sum = Array1::from_elem(d_y.dim().2, d_y.sum());
            (weights(x, d_y, k, |i, a| i * s + a), sum)
        })
        .see("channel_bias_gradient"),
        wrong("both gradients as means over the places", |x, d_y, k, s| {
            let places = (d_y.dim().0 * d_y.dim().1) as f64;
            (weights(x, d_y, k, |i, a| i * s + a) / places, biases(d_y) / places)
        }),
        wrong("the stride ignored: windows one pixel apart", |x, d_y, k, _| {
            (weights(x, d_y, k, |i, a| i + a), biases(d_y))
        }),
        wrong("the stride on the pixels of the window", |x, d_y, k, s| {
            let last = |at: usize, side: usize| at.min(side - 1);
            let side = x.dim().0.min(x.dim().1);
            (weights(x, d_y, k, |i, a| last(i + a * s, side)), biases(d_y))
        }),
        wrong("the gradient of the weights flipped", |x, d_y, k, s| {
            (weights(x, d_y, k, |i, a| i * s + k - 1 - a), biases(d_y))
        }),
        wrong("the gradient of the weights with rows and columns exchanged", |x, d_y, k, s| {
            let d_w = weights(x, d_y, k, |i, a| i * s + a);
            (d_w.permuted_axes([1, 0, 2, 3]).as_standard_layout().into_owned(), biases(d_y))
        }),
        wrong("the last place only: the sum is overwritten", |x, d_y, k, s| {
            let mut last = Array3::zeros(d_y.dim());
            let (i, j) = (d_y.dim().0 - 1, d_y.dim().1 - 1);
            let place = ndarray::s![i, j, ..];
            last.slice_mut(place).assign(&d_y.slice(place));
            (weights(x, &last, k, |i, a| i * s + a), biases(d_y))
        }),
        wrong("the sum of all input channels in each of them", |x, d_y, k, s| {
            let sum = x.sum_axis(ndarray::Axis(2)).insert_axis(ndarray::Axis(2));
            let x = sum.broadcast(x.dim()).expect("one channel").to_owned();
            (weights(&x, d_y, k, |i, a| i * s + a), biases(d_y))
        }),
        wrong("∂L/∂y averaged over the output channels", |x, d_y, k, s| {
            let mean = d_y.mean_axis(ndarray::Axis(2)).expect("channels");
            let mean = mean.insert_axis(ndarray::Axis(2));
            let mean = mean.broadcast(d_y.dim()).expect("one channel").to_owned();
            (weights(x, &mean, k, |i, a| i * s + a), biases(d_y))
        }),
        right("one matrix product: Cᵀ ∂L/∂y", |x, d_y, k, s| {
            let columns = (REFERENCE.im2col)(x, k, s);
            let outputs = d_y.dim().2;
            let d_y = d_y.to_shape((columns.nrows(), outputs)).expect("a row for each place");
            let d_w =
                columns.t().dot(&d_y).to_shape((k, k, x.dim().2, outputs)).map(|d| d.to_owned());
            (d_w.expect("weights"), d_y.sum_axis(ndarray::Axis(0)))
        }),
    ]
}

//! Variants of max-pooling, and of the way back.

use ndarray::{Array3, Axis, s};

use signatures::chapter07::Functions;

use super::super::REFERENCE;
use super::places;
use crate::chapter::Variant;

/// All variants of `max_pool` and `max_pool_backward`.
pub fn all() -> Vec<Variant> {
    [forward(), backward()].into_iter().flatten().collect()
}

/// One number from what each window sees, row by row of its pixels.
fn pooled(x: &Array3<f64>, size: usize, stride: usize, of: impl Fn(&[f64]) -> f64) -> Array3<f64> {
    let [down, across] = [x.dim().0, x.dim().1].map(|side| places(side, size, stride, 0));
    Array3::from_shape_fn((down, across, x.dim().2), |(i, j, c)| {
        let (i, j) = (i * stride, j * stride);
        let window = x.slice(s![i..i + size, j..j + size, c]);
        of(&window.iter().copied().collect::<Vec<_>>())
    })
}

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn forward() -> Vec<Variant> {
    let with = |max_pool| Functions { max_pool, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("max_pool", name, with(function));
    let right = |name, function| Variant::right("max_pool", name, with(function));
    vec![
        wrong("the search begins at 0: nothing below it is found", |x, size, stride| {
            pooled(x, size, stride, |window| largest(window).max(0.0))
        }),
        wrong("the largest in size, whatever its sign", |x, size, stride| {
            pooled(x, size, stride, |window| {
                window.iter().fold(0.0, |a: f64, &b| if b.abs() > a.abs() { b } else { a })
            })
        }),
        wrong("the absolute value of the largest in size", |x, size, stride| {
            pooled(x, size, stride, |window| {
                largest(&window.iter().map(|v| v.abs()).collect::<Vec<_>>())
            })
        }),
        wrong("the smallest number", |x, size, stride| {
            pooled(x, size, stride, |window| window.iter().copied().fold(f64::INFINITY, f64::min))
        }),
        wrong("the mean of the window", |x, size, stride| {
            pooled(x, size, stride, |window| window.iter().sum::<f64>() / window.len() as f64)
        }),
        wrong("the first number of the window", |x, size, stride| {
            pooled(x, size, stride, |window| window[0])
        }),
        wrong("one maximum for all channels", |x, size, stride| {
            let most = x.map_axis(Axis(2), |pixel| largest(&pixel.to_vec())).insert_axis(Axis(2));
            let most = most.broadcast(x.dim()).expect("one channel").to_owned();
            pooled(&most, size, stride, largest)
        }),
        wrong("the stride ignored: windows side by side", |x, size, _| {
            pooled(x, size, size, largest)
        }),
        wrong("the stride ignored: windows one pixel apart", |x, size, _| {
            pooled(x, size, 1, largest)
        }),
        wrong("a window more for what is left over", |x, size, stride| {
            let (height, width, channels) = x.dim();
            let more = |side: usize| (side - size).div_ceil(stride) * stride + size;
            let mut wide =
                Array3::from_elem((more(height), more(width), channels), f64::NEG_INFINITY);
            wide.slice_mut(s![..height, ..width, ..]).assign(x);
            pooled(&wide, size, stride, largest)
        }),
        right("sorted, and the last taken", |x, size, stride| {
            pooled(x, size, stride, |window| {
                let mut sorted = window.to_vec();
                sorted.sort_by(f64::total_cmp);
                sorted[sorted.len() - 1]
            })
        }),
    ]
}

/// ∂L/∂x from what each window gives to each of its numbers: `share` is told what the window sees
/// and the number's place in it.
fn sent_back(
    x: &Array3<f64>,
    d_y: &Array3<f64>,
    (size, stride): (usize, usize),
    share: impl Fn(&[f64], usize) -> f64,
) -> Array3<f64> {
    let mut d_x = Array3::zeros(x.dim());
    for ((i, j, c), d) in d_y.indexed_iter() {
        let (i, j) = (i * stride, j * stride);
        let window = x.slice(s![i..i + size, j..j + size, c]);
        let window: Vec<f64> = window.iter().copied().collect();
        for place in 0..window.len() {
            d_x[[i + place / size, j + place % size, c]] += d * share(&window, place);
        }
    }
    d_x
}

fn first(window: &[f64]) -> usize {
    let most = largest(window);
    window.iter().position(|&v| v == most).unwrap_or(0)
}

fn last(window: &[f64]) -> usize {
    let most = largest(window);
    window.iter().rposition(|&v| v == most).unwrap_or(0)
}

fn one_if(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}

fn backward() -> Vec<Variant> {
    let with = |max_pool_backward| Functions { max_pool_backward, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("max_pool_backward", name, with(function));
    let right = |name, function| Variant::right("max_pool_backward", name, with(function));
    vec![
        wrong("a tie: every largest number gets the whole", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |window, place| {
                one_if(window[place] == largest(window))
            })
        }),
        wrong("a tie: the largest numbers share", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |window, place| {
                let most = largest(window);
                let ties = window.iter().filter(|&&v| v == most).count();
                one_if(window[place] == most) / ties as f64
            })
        }),
        wrong("a tie: the last of the largest numbers", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |window, place| one_if(place == last(window)))
        }),
        wrong("overwritten: a number gets the gradient of one window", |x, d_y, size, stride| {
            let mut d_x = Array3::zeros(x.dim());
            for ((i, j, c), d) in d_y.indexed_iter() {
                let (i, j) = (i * stride, j * stride);
                let window = x.slice(s![i..i + size, j..j + size, c]);
                let place = first(&window.iter().copied().collect::<Vec<_>>());
                d_x[[i + place / size, j + place % size, c]] = *d;
            }
            d_x
        }),
        wrong("the whole gradient to every number of the window", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |_, _| 1.0)
        }),
        wrong("the gradient of average pooling", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |window, _| 1.0 / window.len() as f64)
        }),
        wrong("the gradient times the largest number", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |window, place| {
                one_if(place == first(window)) * window[place]
            })
        }),
        wrong("to the first number of each window", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |_, place| one_if(place == 0))
        }),
        wrong("the place in the window taken for one in the image", |x, d_y, size, stride| {
            let mut d_x = Array3::zeros(x.dim());
            for ((i, j, c), d) in d_y.indexed_iter() {
                let (i, j) = (i * stride, j * stride);
                let window = x.slice(s![i..i + size, j..j + size, c]);
                let place = first(&window.iter().copied().collect::<Vec<_>>());
                d_x[[place / size, place % size, c]] += d;
            }
            d_x
        }),
        wrong("for all channels to where the first has its maximum", |x, d_y, size, stride| {
            let mut d_x = Array3::zeros(x.dim());
            for ((i, j, c), d) in d_y.indexed_iter() {
                let (i, j) = (i * stride, j * stride);
                let window = x.slice(s![i..i + size, j..j + size, 0]);
                let place = first(&window.iter().copied().collect::<Vec<_>>());
                d_x[[i + place / size, j + place % size, c]] += d;
            }
            d_x
        }),
        wrong("the stride ignored: windows one pixel apart", |x, d_y, size, _| {
            sent_back(x, d_y, (size, 1), |window, place| one_if(place == first(window)))
        }),
        wrong("nothing where the largest number is not positive", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |window, place| {
                one_if(place == first(window) && window[place] > 0.0)
            })
        }),
        right("window by window, to the first of the largest", |x, d_y, size, stride| {
            sent_back(x, d_y, (size, stride), |window, place| one_if(place == first(window)))
        }),
    ]
}

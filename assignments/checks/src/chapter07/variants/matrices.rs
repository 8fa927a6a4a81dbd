//! Variants of the way from an image to a matrix, and back.

use ndarray::{Array2, Array3};

use signatures::chapter07::Functions;

use super::super::REFERENCE;
use super::places;
use crate::chapter::Variant;

/// All variants of `im2col` and `col2im`.
pub fn all() -> Vec<Variant> {
    [to_columns(), from_columns()].into_iter().flatten().collect()
}

/// Where things stand: the place (i, j), and in its window the pixel (a, b) and its channel c.
type At = (usize, usize, usize, usize, usize);

/// A window that moves over an image.
#[derive(Clone, Copy)]
struct Moving {
    down: usize,
    across: usize,
    kernel: usize,
    stride: usize,
    channels: usize,
}

impl Moving {
    fn new((height, width): (usize, usize), channels: usize, kernel: usize, stride: usize) -> Self {
        let [down, across] = [height, width].map(|side| places(side, kernel, stride, 0));
        Self { down, across, kernel, stride, channels }
    }

    fn over(x: &Array3<f64>, kernel: usize, stride: usize) -> Self {
        let (height, width, channels) = x.dim();
        Self::new((height, width), channels, kernel, stride)
    }

    /// All places and pixels, in their order.
    fn all(self) -> Vec<At> {
        let Self { down, across, kernel, channels, .. } = self;
        let mut all = Vec::new();
        for place in 0..down * across {
            for number in 0..kernel * kernel * channels {
                let (pixel, c) = (number / channels, number % channels);
                all.push((place / across, place % across, pixel / kernel, pixel % kernel, c));
            }
        }
        all
    }

    /// The row and the column of an entry in the matrix.
    fn entry(self, (i, j, a, b, c): At) -> [usize; 2] {
        [i * self.across + j, (a * self.kernel + b) * self.channels + c]
    }

    /// The pixel and the channel in the image.
    fn pixel(self, (i, j, a, b, c): At) -> [usize; 3] {
        [i * self.stride + a, j * self.stride + b, c]
    }

    fn empty(self) -> Array2<f64> {
        let columns = self.kernel * self.kernel * self.channels;
        Array2::zeros((self.down * self.across, columns))
    }

    /// The matrix, with its entries and the pixels they come from chosen in another way.
    fn matrix(
        self,
        x: &Array3<f64>,
        entry: impl Fn(Self, At) -> [usize; 2],
        pixel: impl Fn(Self, At) -> [usize; 3],
    ) -> Array2<f64> {
        let mut columns = self.empty();
        for at in self.all() {
            // Outside the image there is nothing.
            columns[entry(self, at)] = x.get(pixel(self, at)).copied().unwrap_or(0.0);
        }
        columns
    }

    /// The image, from entries that are added where they belong, or elsewhere.
    fn image(
        self,
        columns: &Array2<f64>,
        (height, width): (usize, usize),
        entry: impl Fn(Self, At) -> [usize; 2],
        pixel: impl Fn(Self, At) -> [usize; 3],
    ) -> Array3<f64> {
        let mut x = Array3::zeros((height, width, self.channels));
        for at in self.all() {
            if let Some(x) = x.get_mut(pixel(self, at)) {
                *x += columns[entry(self, at)];
            }
        }
        x
    }
}

/// The entry if channels come first: all pixels of a channel side by side.
fn channels_first(moving: Moving, (i, j, a, b, c): At) -> [usize; 2] {
    let pixels = moving.kernel * moving.kernel;
    [i * moving.across + j, c * pixels + a * moving.kernel + b]
}

/// The entry if places are counted column by column.
fn places_by_columns(moving: Moving, at @ (i, j, ..): At) -> [usize; 2] {
    [j * moving.down + i, moving.entry(at)[1]]
}

/// The entry if the pixels of the window are counted column by column.
fn pixels_by_columns(moving: Moving, (i, j, a, b, c): At) -> [usize; 2] {
    moving.entry((i, j, b, a, c))
}

/// The entry if the window is flipped.
fn flipped(moving: Moving, (i, j, a, b, c): At) -> [usize; 2] {
    let last = moving.kernel - 1;
    moving.entry((i, j, last - a, last - b, c))
}

/// The pixel if windows were one pixel apart.
fn one_apart(_: Moving, (i, j, a, b, c): At) -> [usize; 3] {
    [i + a, j + b, c]
}

/// The pixel if the pixels of a window were as far apart as the windows are.
fn spread(moving: Moving, (i, j, a, b, c): At) -> [usize; 3] {
    [i + a * moving.stride, j + b * moving.stride, c]
}

/// The pixel if windows stood side by side.
fn side_by_side(moving: Moving, (i, j, a, b, c): At) -> [usize; 3] {
    [i * moving.kernel + a, j * moving.kernel + b, c]
}

fn to_columns() -> Vec<Variant> {
    let with = |im2col| Functions { im2col, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("im2col", name, with(function));
    let right = |name, function| Variant::right("im2col", name, with(function));
    vec![
        wrong("all pixels of a channel side by side, channel after channel", |x, k, s| {
            Moving::over(x, k, s).matrix(x, channels_first, Moving::pixel)
        }),
        wrong("a column for each place: the matrix transposed", |x, k, s| {
            let columns = Moving::over(x, k, s).matrix(x, Moving::entry, Moving::pixel);
            columns.t().as_standard_layout().into_owned()
        }),
        wrong("places counted column by column", |x, k, s| {
            Moving::over(x, k, s).matrix(x, places_by_columns, Moving::pixel)
        }),
        wrong("the pixels of a window counted column by column", |x, k, s| {
            Moving::over(x, k, s).matrix(x, pixels_by_columns, Moving::pixel)
        }),
        wrong("the window flipped", |x, k, s| {
            Moving::over(x, k, s).matrix(x, flipped, Moving::pixel)
        }),
        wrong("the stride ignored", |x, k, _| {
            Moving::over(x, k, 1).matrix(x, Moving::entry, Moving::pixel)
        }),
        wrong("as many places as with the stride, but one pixel apart", |x, k, s| {
            Moving::over(x, k, s).matrix(x, Moving::entry, one_apart)
        }),
        wrong("the stride between the pixels of a window", |x, k, s| {
            Moving::over(x, k, s).matrix(x, Moving::entry, spread)
        }),
        wrong("windows side by side, whatever the stride", |x, k, s| {
            Moving::over(x, k, s).matrix(x, Moving::entry, side_by_side)
        }),
        wrong("the first channel only", |x, k, s| {
            let first = x.slice(ndarray::s![.., .., ..1]).to_owned();
            Moving::over(&first, k, s).matrix(&first, Moving::entry, Moving::pixel)
        }),
        right("window by window, each as a slice", |x, k, s| {
            let windows = x.windows_with_stride((k, k, x.dim().2), (s, s, 1));
            let numbers: Vec<f64> =
                windows.into_iter().flat_map(|w| w.iter().copied().collect::<Vec<_>>()).collect();
            let columns = k * k * x.dim().2;
            Array2::from_shape_vec((numbers.len() / columns, columns), numbers).expect("rows")
        }),
    ]
}

/// The window of a matrix.
fn of(columns: &Array2<f64>, size: (usize, usize), kernel: usize, stride: usize) -> Moving {
    Moving::new(size, columns.ncols() / (kernel * kernel), kernel, stride)
}

/// An image from all that arrives at each of its numbers.
fn gathered(
    columns: &Array2<f64>,
    size: (usize, usize),
    kernel: usize,
    stride: usize,
    made_of: impl Fn(&[f64]) -> f64,
) -> Array3<f64> {
    let moving = of(columns, size, kernel, stride);
    Array3::from_shape_fn((size.0, size.1, moving.channels), |(i, j, c)| {
        let there = |at: &At| moving.pixel(*at) == [i, j, c];
        let all = moving.all().into_iter().filter(there);
        let arriving: Vec<f64> = all.map(|at| columns[moving.entry(at)]).collect();
        if arriving.is_empty() { 0.0 } else { made_of(&arriving) }
    })
}

fn from_columns() -> Vec<Variant> {
    let with = |col2im| Functions { col2im, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("col2im", name, with(function));
    let right = |name, function| Variant::right("col2im", name, with(function));
    vec![
        wrong("overwritten: the last window that sees a number decides", |columns, size, k, s| {
            gathered(columns, size, k, s, |all| all[all.len() - 1])
        }),
        wrong("the first window that sees a number decides", |columns, size, k, s| {
            gathered(columns, size, k, s, |all| all[0])
        }),
        wrong("the mean of what arrives, not the sum", |columns, size, k, s| {
            gathered(columns, size, k, s, |all| all.iter().sum::<f64>() / all.len() as f64)
        }),
        wrong("all pixels of a channel taken for neighbours", |columns, size, k, s| {
            of(columns, size, k, s).image(columns, size, channels_first, Moving::pixel)
        })
        .see("columns_of_a_tiny_image"),
        wrong("places counted column by column", |columns, size, k, s| {
            of(columns, size, k, s).image(columns, size, places_by_columns, Moving::pixel)
        })
        .see("columns_of_a_tiny_image"),
        wrong("the pixels of a window counted column by column", |columns, size, k, s| {
            of(columns, size, k, s).image(columns, size, pixels_by_columns, Moving::pixel)
        })
        .see("columns_of_a_tiny_image"),
        wrong("the window flipped", |columns, size, k, s| {
            of(columns, size, k, s).image(columns, size, flipped, Moving::pixel)
        })
        .see("columns_of_a_tiny_image"),
        wrong("the stride ignored: windows one pixel apart", |columns, size, k, s| {
            of(columns, size, k, s).image(columns, size, Moving::entry, one_apart)
        })
        .see("columns_of_a_tiny_image"),
        wrong("the stride between the pixels of a window", |columns, size, k, s| {
            of(columns, size, k, s).image(columns, size, Moving::entry, spread)
        })
        .see("columns_of_a_tiny_image"),
        wrong("windows side by side, whatever the stride", |columns, size, k, s| {
            of(columns, size, k, s).image(columns, size, Moving::entry, side_by_side)
        })
        .see("columns_of_a_tiny_image"),
        right(
            "number by number, from all entries that were copied from it",
            |columns, size, k, s| gathered(columns, size, k, s, |all| all.iter().sum()),
        ),
    ]
}

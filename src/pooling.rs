//! Pooling: one number for each window of each channel.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2, ArrayView1, ArrayViewMut1};

use crate::error::{Result, setting};
use crate::float::Float;
use crate::layer::{Layer, Mode, Pass, Shape};
use crate::part::{Part, State};
use crate::window::Window;

// ANCHOR: MaxPool
/// Keeps the largest number of every window, channel by channel.
///
/// The gradient goes to the first maximum of a window, row by row of its
/// pixels; where windows overlap, a number gets the sum. A window with a NaN
/// gives NaN. Pixels at the right and at the bottom that fill no window are
/// left out.
///
/// | setting | purpose | range | default |
/// |---|---|---|---|
/// | `size` | side of the window, in pixels | 1 to 4096 | |
/// | `stride` | pixels from window to window | 1 or more | `size` |
#[derive(Debug, Clone)]
pub struct MaxPool {
    window: Window,
}

/// Keeps the mean of every window, channel by channel.
///
/// The settings are those of [`MaxPool`].
#[derive(Debug, Clone)]
pub struct AveragePool {
    window: Window,
}
// ANCHOR_END: MaxPool

/// The number of a pixel in a window of this size still fits in an `f32`.
const LARGEST: usize = 4096;

/// What both have in common: settings, name and state.
macro_rules! pool {
    ($layer:ident, $name:literal) => {
        impl $layer {
            /// A layer with square windows that do not overlap.
            ///
            /// # Errors
            /// If they have no pixels, or more than 4096 × 4096.
            pub fn new(size: usize) -> Result<Self> {
                setting(
                    "the size of a window",
                    "be from 1 to 4096",
                    size as f64,
                    (1..=LARGEST).contains(&size),
                )?;
                Ok(Self { window: Window::new(size, size) })
            }

            /// The same layer with another stride.
            ///
            /// # Errors
            /// If it is 0.
            pub fn stride(mut self, stride: usize) -> Result<Self> {
                self.window.set_stride(stride)?;
                Ok(self)
            }
        }

        impl<F: Float> Part<F> for $layer {
            fn name(&self) -> &str {
                $name
            }

            fn state(&self) -> State<F> {
                State::default()
                    .with_number("size", self.window.size as f64)
                    .with_number("stride", self.window.stride as f64)
            }

            fn restore(&mut self, mut state: State<F>) -> Result<()> {
                let size = state.take_count("size")?;
                let stride = state.take_count("stride")?;
                state.finish()?;
                *self = Self::new(size)?.stride(stride)?;
                Ok(())
            }
        }
    };
}

pool!(MaxPool, "max_pool");
pool!(AveragePool, "average_pool");

impl<F: Float> Layer<F> for MaxPool {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        accept(&mut self.window, input)
    }

    // ANCHOR: MaxPool_forward
    fn forward_into(
        &self,
        _: Mode,
        _: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        kept: &mut ArrayRef1<F>,
    ) {
        y.fill(F::neg_infinity());
        kept.fill(F::zero());
        let x = x.as_standard_layout();
        for (i, mut y) in y.rows_mut().into_iter().enumerate() {
            let (x, y) = (x.row(i), slice_mut(&mut y));
            let (x, kept) = (slice(&x), &mut flat_mut(kept)[i * y.len()..]);
            pixels(&self.window).for_each(|(number, seen, place)| {
                let number = F::cast(number as f64);
                let best = y[place.clone()].iter_mut().zip(&mut kept[place]);
                for ((y, kept), &x) in best.zip(&x[seen]) {
                    if x > *y || (x.is_nan() && !y.is_nan()) {
                        (*y, *kept) = (x, number);
                    }
                }
            });
        }
    }
    // ANCHOR_END: MaxPool_forward

    // ANCHOR: MaxPool_backward
    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        _: &mut ArrayRef1<F>,
    ) {
        let Some(d_x) = d_x else { return };
        d_x.fill(F::zero());
        let d_y = d_y.as_standard_layout();
        for (i, mut d_x) in d_x.rows_mut().into_iter().enumerate() {
            let (d_y, d_x) = (d_y.row(i), slice_mut(&mut d_x));
            let (d_y, kept) = (slice(&d_y), slice(&pass.kept));
            let kept = &kept[i * d_y.len()..];
            pixels(&self.window).for_each(|(number, seen, place)| {
                let number = F::cast(number as f64);
                let best = d_y[place.clone()].iter().zip(&kept[place]);
                for ((&d_y, &kept), d_x) in best.zip(&mut d_x[seen]) {
                    if kept == number {
                        *d_x += d_y;
                    }
                }
            });
        }
    }
    // ANCHOR_END: MaxPool_backward

    /// For every output, which pixel of its window it came from.
    fn room(&self, rows: usize) -> usize {
        rows * self.window.places() * self.window.channels
    }
}

impl<F: Float> Layer<F> for AveragePool {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        accept(&mut self.window, input)
    }

    fn forward_into(
        &self,
        _: Mode,
        _: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        _: &mut ArrayRef1<F>,
    ) {
        y.fill(F::zero());
        let (x, share) = (x.as_standard_layout(), self.share());
        for (x, mut y) in x.rows().into_iter().zip(y.rows_mut()) {
            let (x, y) = (slice(&x), slice_mut(&mut y));
            pixels(&self.window).for_each(|(_, seen, place)| {
                add(&mut y[place], share, &x[seen]);
            });
        }
    }

    fn backward_into(
        &self,
        _: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        _: &mut ArrayRef1<F>,
    ) {
        let Some(d_x) = d_x else { return };
        d_x.fill(F::zero());
        let (d_y, share) = (d_y.as_standard_layout(), self.share());
        for (d_y, mut d_x) in d_y.rows().into_iter().zip(d_x.rows_mut()) {
            let (d_y, d_x) = (slice(&d_y), slice_mut(&mut d_x));
            pixels(&self.window).for_each(|(_, seen, place)| {
                add(&mut d_x[seen], share, &d_y[place]);
            });
        }
    }
}

impl AveragePool {
    /// Each pixel's share of the mean.
    fn share<F: Float>(&self) -> F {
        F::cast((self.window.size as f64).powi(-2))
    }
}

fn accept(window: &mut Window, input: Shape) -> Result<Shape> {
    let (height, width) = window.accept(input)?;
    Ok(Shape::image(height, width, input.channels()))
}

// ANCHOR: pixels
/// For every place of the window, every pixel seen from there: its number in
/// the window, what of the image it is, and what of the output the place is.
fn pixels(
    window: &Window,
) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
    let channels = window.channels;
    let from = move |start| start..start + channels;
    (0..window.places()).flat_map(move |place| {
        let runs = window.runs(place);
        let seen = runs.flat_map(move |(_, run)| run.step_by(channels));
        let place = from(place * channels);
        seen.enumerate().map(move |(i, start)| (i, from(start), place.clone()))
    })
}
// ANCHOR_END: pixels

/// y ← y + factor x.
fn add<F: Float>(y: &mut [F], factor: F, x: &[F]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y += factor * x);
}

const CONTIGUOUS: &str = "the numbers of a sample lie side by side";

fn slice<'a, F: Float>(row: &'a ArrayView1<F>) -> &'a [F] {
    row.as_slice().expect(CONTIGUOUS)
}

fn slice_mut<'a, F: Float>(row: &'a mut ArrayViewMut1<F>) -> &'a mut [F] {
    row.as_slice_mut().expect(CONTIGUOUS)
}

fn flat_mut<F: Float>(kept: &mut ArrayRef1<F>) -> &mut [F] {
    kept.as_slice_mut().expect(CONTIGUOUS)
}

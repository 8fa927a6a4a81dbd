//! Convolutions: the same small weights at every place of an image.
//!
//! The windows of a batch, one after the other, are the rows of a matrix, the
//! columns C (im2col):
//!
//! ```text
//! y = C W + b                     (n·places, k·k·c) (k·k·c, channels)
//! ∂L/∂W = Cᵀ ∂L/∂y                (k·k·c, n·places) (n·places, channels)
//! ∂L/∂b = sum of the rows of ∂L/∂y, over all places
//! ∂L/∂C = ∂L/∂y Wᵀ                (n·places, channels) (channels, k·k·c)
//! ```
//!
//! and ∂L/∂x adds every entry of ∂L/∂C to the number it was copied from
//! (col2im).

use ndarray::{
    ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut2, CowArray, Ix2, s,
};
use rand::rngs::ChaCha8Rng;

use crate::blas::product;
use crate::dense::{matrix, matrix_mut};
use crate::error::{Result, setting};
use crate::float::Float;
use crate::init::Init;
use crate::layer::{Layer, Mode, Pass, Shape, misfit};
use crate::part::{Part, State};
use crate::window::Window;

// ANCHOR: Convolution
/// A convolutional layer: every window of the image through the same weights.
///
/// As in other libraries, the kernel is not flipped: what is computed is the
/// cross-correlation of image and kernel. The weights are
/// kernel × kernel × channels that come in × channels that go out, the last of
/// them side by side.
///
/// | setting | purpose | range | default |
/// |---|---|---|---|
/// | `channels` | how many go out | 1 or more | |
/// | `kernel` | side of the window, in pixels | 1 or more | |
/// | `init` | how the parameters are drawn | any | |
/// | `stride` | pixels from window to window | 1 or more | 1 |
/// | `padding` | pixels of zeros around the image | below `kernel` | 0 |
///
/// ```
/// use gradus::{Convolution, Init};
///
/// let layer = Convolution::new(8, 5, Init::He)?.stride(2)?.padding(2)?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Convolution {
    channels: usize,
    window: Window,
    init: Init,
}
// ANCHOR_END: Convolution

impl Convolution {
    /// A layer with so many output channels and a square kernel, stride 1 and
    /// no padding.
    ///
    /// # Errors
    /// If there are no channels, or the kernel has no pixels.
    pub fn new(channels: usize, kernel: usize, init: Init) -> Result<Self> {
        setting(
            "the number of channels",
            "be at least 1",
            channels as f64,
            channels > 0,
        )?;
        setting(
            "the size of the kernel",
            "be at least 1",
            kernel as f64,
            kernel > 0,
        )?;
        Ok(Self { channels, window: Window::new(kernel, 1), init })
    }

    /// The same layer with another stride.
    ///
    /// # Errors
    /// If it is 0.
    pub fn stride(mut self, stride: usize) -> Result<Self> {
        self.window.set_stride(stride)?;
        Ok(self)
    }

    /// The same layer with zeros around the image.
    ///
    /// # Errors
    /// If a kernel would have room in the padding.
    pub fn padding(mut self, padding: usize) -> Result<Self> {
        self.window.set_padding(padding)?;
        Ok(self)
    }

    fn weights<'a, F: Float>(
        &self,
        params: &'a ArrayRef1<F>,
    ) -> ArrayView2<'a, F> {
        matrix(params, self.window.len(), self.channels)
    }

    fn weight_count(&self) -> usize {
        self.window.len() * self.channels
    }

    /// A batch of outputs, or of their derivatives, with one row for each
    /// window.
    fn by_place<'a, F: Float>(
        &self,
        y: &'a CowArray<'_, F, Ix2>,
    ) -> ArrayView2<'a, F> {
        let rows = y.nrows() * self.window.places();
        let slice = y.as_slice().expect(CONTIGUOUS);
        ArrayView2::from_shape((rows, self.channels), slice).expect(FITS)
    }

    // ANCHOR: columns_into
    /// im2col: writes what every window sees as a row of `columns`.
    fn columns_into<F: Float>(&self, x: &ArrayRef2<F>, columns: &mut [F]) {
        let Self { window, .. } = self;
        if window.padding > 0 {
            columns.fill(F::zero());
        }
        let x = x.as_standard_layout();
        let image = window.places() * window.len();
        for (x, columns) in x.rows().into_iter().zip(columns.chunks_mut(image))
        {
            let x = x.to_slice().expect(CONTIGUOUS);
            let rows = columns.chunks_exact_mut(window.len());
            for (place, row) in rows.enumerate() {
                window.runs(place).for_each(|(within, piece)| {
                    row[within..][..piece.len()].copy_from_slice(&x[piece]);
                });
            }
        }
    }
    // ANCHOR_END: columns_into

    // ANCHOR: d_x_into
    /// ∂L/∂x = col2im(∂L/∂y Wᵀ): the matrix in brackets is as large as all
    /// columns, and is used up piece by piece.
    fn d_x_into<F: Float>(
        &self,
        w: &ArrayRef2<F>,
        d_y: &ArrayRef2<F>,
        d_x: &mut ArrayRef2<F>,
    ) {
        let mut room = [F::zero(); ROWS * COLUMNS];
        d_x.fill(F::zero());
        for start in (0..w.nrows()).step_by(COLUMNS) {
            let end = w.nrows().min(start + COLUMNS);
            let w = w.slice(s![start..end, ..]);
            for first in (0..d_y.nrows()).step_by(ROWS) {
                let last = d_y.nrows().min(first + ROWS);
                let d_y = d_y.slice(s![first..last, ..]);
                let shape = (last - first, end - start);
                let piece = &mut room[..shape.0 * shape.1];
                let mut d_columns =
                    ArrayViewMut2::from_shape(shape, piece).expect(FITS);
                product(F::one(), &d_y, &w.t(), F::zero(), &mut d_columns);
                for (row, d_columns) in piece.chunks(shape.1).enumerate() {
                    self.add_back(first + row, start, d_columns, d_x);
                }
            }
        }
    }
    // ANCHOR_END: d_x_into

    // ANCHOR: add_back
    /// col2im, for the entries of one row of the columns from entry `start` on:
    /// adds each to the number of the image it was copied from.
    fn add_back<F: Float>(
        &self,
        row: usize,
        start: usize,
        d_columns: &[F],
        d_x: &mut ArrayRef2<F>,
    ) {
        let (sample, place) =
            (row / self.window.places(), row % self.window.places());
        let mut d_x = d_x.row_mut(sample);
        let d_x = d_x.as_slice_mut().expect(CONTIGUOUS);
        let end = start + d_columns.len();
        for (within, piece) in self.window.runs(place) {
            let from = within.max(start);
            let to = (within + piece.len()).min(end);
            if from < to {
                let d_x = &mut d_x[piece.start + from - within..];
                let d_columns = &d_columns[from - start..to - start];
                d_x.iter_mut().zip(d_columns).for_each(|(x, &d)| *x += d);
            }
        }
    }
    // ANCHOR_END: add_back
}

/// How many rows and columns of ∂L/∂C are computed at a time.
const ROWS: usize = 64;
const COLUMNS: usize = 256;

const CONTIGUOUS: &str = "a batch lies in one piece";
const FITS: &str = "a batch has the size that was agreed on";

impl<F: Float> Part<F> for Convolution {
    fn name(&self) -> &str {
        "convolution"
    }

    fn state(&self) -> State<F> {
        State::default()
            .with_number("channels", self.channels as f64)
            .with_number("kernel", self.window.size as f64)
            .with_number("stride", self.window.stride as f64)
            .with_number("padding", self.window.padding as f64)
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        let channels = state.take_count("channels")?;
        let kernel = state.take_count("kernel")?;
        let stride = state.take_count("stride")?;
        let padding = state.take_count("padding")?;
        state.finish()?;
        *self = Self::new(channels, kernel, self.init)?
            .stride(stride)?
            .padding(padding)?;
        Ok(())
    }
}

impl<F: Float> Layer<F> for Convolution {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        let (height, width) = self.window.accept(input)?;
        let output = Shape::image(height, width, self.channels);
        let columns = height.checked_mul(width).and_then(|places| {
            Shape::image(places, self.window.len(), 1).checked_len()
        });
        match columns {
            Some(_) => Ok(output),
            None => Err(misfit("images whose windows fit in memory", input)),
        }
    }

    // ANCHOR: Convolution_forward
    fn forward_into(
        &self,
        _: Mode,
        params: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        kept: &mut ArrayRef1<F>,
    ) {
        self.columns_into(x, kept.as_slice_mut().expect(CONTIGUOUS));
        let rows = x.nrows() * self.window.places();
        let columns = matrix(kept, rows, self.window.len());
        let y = y.as_slice_mut().expect(CONTIGUOUS);
        let mut y =
            ArrayViewMut2::from_shape((rows, self.channels), y).expect(FITS);
        y.assign(&params.slice(s![self.weight_count()..]));
        product(F::one(), &columns, &self.weights(params), F::one(), &mut y);
    }
    // ANCHOR_END: Convolution_forward

    // ANCHOR: Convolution_backward
    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        d_params: &mut ArrayRef1<F>,
    ) {
        let d_y = d_y.as_standard_layout();
        let d_y = self.by_place(&d_y);
        let columns = matrix(&pass.kept, d_y.nrows(), self.window.len());
        let mut d_w = matrix_mut(d_params, self.window.len(), self.channels);
        product(F::one(), &columns.t(), &d_y, F::zero(), &mut d_w);
        let mut d_b = d_params.slice_mut(s![self.weight_count()..]);
        sum_rows_into(&d_y, &mut d_b);
        if let Some(d_x) = d_x {
            self.d_x_into(&self.weights(&pass.params), &d_y, d_x);
        }
    }
    // ANCHOR_END: Convolution_backward

    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        let kernel = self.window.size;
        vec![
            (
                "weights",
                vec![kernel, kernel, self.window.channels, self.channels],
            ),
            ("biases", vec![self.channels]),
        ]
    }

    // ANCHOR: Convolution_initialise
    fn initialise(&self, params: &mut ArrayRef1<F>, rng: &mut ChaCha8Rng) {
        let fan_in = self.window.len();
        let (mut weights, mut biases) =
            params.view_mut().split_at(ndarray::Axis(0), self.weight_count());
        let mut weights = matrix_mut(&mut weights, fan_in, self.channels);
        self.init.fill(&mut weights, &mut biases, rng);
        // A pixel is seen at up to kernel² places of a window, and each time by
        // all channels: more outputs than the matrix has columns.
        let fan_out = self.window.size.pow(2) * self.channels;
        let variance = |fan_out| self.init.variance(fan_in, fan_out);
        let ratio = variance(fan_out) / variance(self.channels);
        *params *= F::cast(ratio.sqrt());
    }
    // ANCHOR_END: Convolution_initialise

    /// The columns: as many numbers as all windows see.
    fn room(&self, rows: usize) -> usize {
        rows * self.window.places() * self.window.len()
    }
}

/// Adds the rows of a matrix up.
fn sum_rows_into<F: Float>(rows: &ArrayView2<F>, sum: &mut ArrayRef1<F>) {
    sum.fill(F::zero());
    let sum = sum.as_slice_mut().expect(CONTIGUOUS);
    for row in rows.rows() {
        let row = row.to_slice().expect(CONTIGUOUS);
        sum.iter_mut().zip(row).for_each(|(sum, &d)| *sum += d);
    }
}

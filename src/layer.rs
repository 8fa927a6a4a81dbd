//! Layers: a network in pieces that know nothing of each other.
//!
//! A layer turns its input x into its output y, and later ∂L/∂y into ∂L/∂x: that
//! is all its neighbours need. What else it computes on the way back, ∂L/∂θ of
//! its own parameters θ, is between it and the optimizer.
//!
//! A sample is one row of a batch, whatever its shape: an image of h × w pixels
//! with c channels is a row of h·w·c numbers, row of pixels by row of pixels,
//! the channels of a pixel side by side.

use std::fmt;

use ndarray::{ArrayRef1, ArrayRef2, ArrayView1, ArrayView2};
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::activation::Link;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::part::Part;
use crate::random::{Random, stream};

// ANCHOR: Shape
/// The shape of a sample, on its way from layer to layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// So many features, without any order.
    Vector(usize),
    /// Pixels, each of which has all channels.
    Image {
        /// Rows of pixels.
        height: usize,
        /// Pixels in a row.
        width: usize,
        /// Numbers for each pixel.
        channels: usize,
    },
}
// ANCHOR_END: Shape

impl Shape {
    /// An image.
    pub fn image(height: usize, width: usize, channels: usize) -> Self {
        Shape::Image { height, width, channels }
    }

    /// How many numbers there are, unless they would not fit in memory.
    pub fn checked_len(self) -> Option<usize> {
        let len = match self {
            Shape::Vector(size) => size,
            Shape::Image { height, width, channels } => {
                height.checked_mul(width)?.checked_mul(channels)?
            }
        };
        (len <= isize::MAX as usize / 16).then_some(len)
    }

    /// How many numbers there are: the features of a sample.
    ///
    /// # Panics
    /// If they would not fit in memory.
    pub fn len(self) -> usize {
        self.checked_len().expect("a shape that fits in memory")
    }

    /// Whether there is nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many numbers each pixel has; a vector is one pixel.
    pub fn channels(self) -> usize {
        match self {
            Shape::Vector(size) => size,
            Shape::Image { channels, .. } => channels,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Shape::Vector(size) => write!(f, "a vector of {size}"),
            Shape::Image { height, width, channels } => {
                write!(f, "an image of {height}×{width}×{channels}")
            }
        }
    }
}

// ANCHOR: Layer
/// One step on the way from the inputs to the outputs.
pub trait Layer<F: Float>: Part<F> {
    /// Is told, once, what shape comes in; says what shape goes out.
    ///
    /// # Errors
    /// If the layer cannot take this shape.
    fn accept(&mut self, input: Shape) -> Result<Shape>;

    /// Writes the outputs of a batch, and keeps what the way back will need.
    ///
    /// # Shapes
    /// `params`: (p), `x`: (n, inputs), `y`: (n, outputs), `kept`: (room(n))
    fn forward_into(
        &self,
        mode: Mode,
        params: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        kept: &mut ArrayRef1<F>,
    );

    /// Writes ∂L/∂θ, and ∂L/∂x unless nobody asks for it, given ∂L/∂y.
    ///
    /// # Shapes
    /// `d_y`: (n, outputs), `d_x`: (n, inputs), `d_params`: (p)
    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        d_params: &mut ArrayRef1<F>,
    );
    // ANCHOR_END: Layer

    // ANCHOR: Layer_parameters
    /// The names and shapes of the parameters, in their order in θ. The
    /// default: there are none.
    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        Vec::new()
    }

    /// Draws the parameters with which training starts.
    ///
    /// # Shapes
    /// `params`: (p)
    fn initialise(&self, params: &mut ArrayRef1<F>, rng: &mut ChaCha8Rng) {
        let _ = (params, rng);
    }

    /// How many numbers the forward pass of n samples keeps for the way back.
    fn room(&self, rows: usize) -> usize {
        let _ = rows;
        0
    }
    // ANCHOR_END: Layer_parameters

    // ANCHOR: Layer_statistics
    /// How many numbers the layer measures on every batch that trains.
    fn statistics(&self) -> usize {
        0
    }

    /// Writes what was measured on some rows of a batch, times their share of
    /// it: the sum over all shares is what [`absorb`](Self::absorb) is given.
    fn measure_into(&self, pass: &Pass<F>, share: F, found: &mut ArrayRef1<F>) {
        let _ = (pass, share, found);
    }

    /// Takes note of what was measured on a whole batch.
    fn absorb(&mut self, found: &ArrayRef1<F>) {
        let _ = found;
    }
    // ANCHOR_END: Layer_statistics

    /// Which probability function this layer is, if it is one: a loss may then
    /// be computed from what enters it. The default, `None`, is always right.
    fn link(&self) -> Option<Link> {
        None
    }
}

// ANCHOR: Pass
/// What a layer saw on the way forward.
#[derive(Debug)]
pub struct Pass<'a, F: Float> {
    /// Its parameters: (p).
    pub params: ArrayView1<'a, F>,
    /// What came in: (n, inputs).
    pub x: ArrayView2<'a, F>,
    /// What went out: (n, outputs).
    pub y: ArrayView2<'a, F>,
    /// What it kept: (room(n)).
    pub kept: ArrayView1<'a, F>,
}
// ANCHOR_END: Pass

// ANCHOR: Mode
/// What a forward pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To predict: nothing is random, and nothing is learned.
    Predict,
    /// To take a step of a training.
    Train(Draw),
}

/// Where a layer that is random takes its numbers from: the same place gives
/// the same numbers, however many threads share the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// The network's seed.
    pub seed: u64,
    /// The layer's place in the network, counted from 0.
    pub layer: usize,
    /// How many steps the network has taken.
    pub step: u64,
    /// How many samples of the batch come before these rows.
    pub first: usize,
}
// ANCHOR_END: Mode

impl Draw {
    /// A generator for these rows, if each takes so many 32-bit words.
    pub fn generator(&self, words: usize) -> ChaCha8Rng {
        // A row of another step begins elsewhere, for batches of up to 2²⁰.
        let row = (self.step << 20).wrapping_add(self.first as u64);
        let position = row.wrapping_mul(words as u64);
        let stream = stream::LAYERS + self.layer as u64;
        Random { seed: self.seed, stream, position }.generator()
    }
}

/// The error of a layer that cannot take a shape.
pub(crate) fn misfit(takes: impl Into<String>, given: Shape) -> Error {
    Error::Misfit { takes: takes.into(), given: given.to_string() }
}

// A layer that was chosen at run time is a layer.
impl<F: Float, L: Layer<F> + ?Sized> Layer<F> for Box<L> {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        (**self).accept(input)
    }

    fn forward_into(
        &self,
        mode: Mode,
        params: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        kept: &mut ArrayRef1<F>,
    ) {
        (**self).forward_into(mode, params, x, y, kept);
    }

    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        d_params: &mut ArrayRef1<F>,
    ) {
        (**self).backward_into(pass, d_y, d_x, d_params);
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        (**self).parameters()
    }

    fn initialise(&self, params: &mut ArrayRef1<F>, rng: &mut ChaCha8Rng) {
        (**self).initialise(params, rng);
    }

    fn room(&self, rows: usize) -> usize {
        (**self).room(rows)
    }

    fn statistics(&self) -> usize {
        (**self).statistics()
    }

    fn measure_into(&self, pass: &Pass<F>, share: F, found: &mut ArrayRef1<F>) {
        (**self).measure_into(pass, share, found);
    }

    fn absorb(&mut self, found: &ArrayRef1<F>) {
        (**self).absorb(found);
    }

    fn link(&self) -> Option<Link> {
        (**self).link()
    }
}

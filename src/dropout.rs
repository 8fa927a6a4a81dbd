//! Dropout: units that sit out a step of training, drawn anew for every sample.
//!
//! ```text
//! training:    y = x ∘ r,  r = 1/q with probability q, otherwise 0
//! prediction:  y = x
//! backward:    ∂L/∂x = ∂L/∂y ∘ r
//! ```

use ndarray::{Array2, ArrayRef1, ArrayRef2, ArrayView2, Zip};
use rand::Rng;

use crate::error::{Result, setting};
use crate::float::Float;
use crate::layer::{Draw, Layer, Mode, Pass, Shape};
use crate::part::{Part, State};

/// Inverted dropout: what is kept is divided by the probability of being kept,
/// so that the mean is the input, and prediction has nothing to do.
///
/// | setting | purpose | range |
/// |---|---|---|
/// | `keep` | the probability q of being kept | from 2⁻³² to 1 |
///
/// Which units sit out depends on the network's seed, the layer's place, the
/// step, and the sample's place in the batch, and on nothing else: not on the
/// number of threads, nor on whether the training was resumed.
///
/// Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, *Dropout:
/// a simple way to prevent neural networks from overfitting* (2014).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    keep: f64,
    width: usize,
}

impl Dropout {
    /// A layer that keeps each entry with this probability.
    ///
    /// # Errors
    /// If it is not a probability, or smaller than 2⁻³².
    pub fn new(keep: f64) -> Result<Self> {
        let ok = (1.0 / WORDS..=1.0).contains(&keep);
        let range = "lie between 2⁻³² and 1";
        setting("the probability of being kept", range, keep, ok)?;
        Ok(Self { keep, width: 0 })
    }

    /// The factors with which these rows are multiplied in training, if each
    /// has so many entries: 0, or one over the probability of being kept.
    ///
    /// ```
    /// use gradus::{Draw, Dropout};
    ///
    /// let draw = Draw { seed: 7, layer: 0, step: 0, first: 0 };
    /// let r = Dropout::new(0.5)?.mask::<f64>(draw, 100, 30);
    /// assert!(r.iter().all(|&r| r == 0.0 || r == 2.0));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Shapes
    /// → (rows, width)
    pub fn mask<F: Float>(
        &self,
        draw: Draw,
        rows: usize,
        width: usize,
    ) -> Array2<F> {
        let mut mask = Array2::zeros((rows, width));
        self.fill(draw, width, mask.iter_mut());
        mask
    }

    // ANCHOR: Dropout_fill
    /// Writes the factors of some rows of a batch, one after the other.
    fn fill<'a, F: Float>(
        &self,
        draw: Draw,
        width: usize,
        mask: impl Iterator<Item = &'a mut F>,
    ) {
        let mut rng = draw.generator(width);
        let kept = (self.keep * WORDS).ceil() as u64;
        let factor = F::cast(1.0 / self.keep);
        mask.for_each(|r| {
            let is_kept = u64::from(rng.next_u32()) < kept;
            *r = if is_kept { factor } else { F::zero() };
        });
    }
    // ANCHOR_END: Dropout_fill
}

/// How many 32-bit words there are: 2³².
const WORDS: f64 = 4_294_967_296.0;

impl<F: Float> Part<F> for Dropout {
    fn name(&self) -> &str {
        "dropout"
    }

    fn state(&self) -> State<F> {
        State::default().with_number("keep", self.keep)
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        *self = Self::new(state.take_number("keep")?)?;
        state.finish()
    }
}

// ANCHOR: Dropout_layer
impl<F: Float> Layer<F> for Dropout {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        self.width = input.len();
        Ok(input)
    }

    fn forward_into(
        &self,
        mode: Mode,
        _: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        kept: &mut ArrayRef1<F>,
    ) {
        y.assign(x);
        let Mode::Train(draw) = mode else { return };
        self.fill(draw, self.width, kept.iter_mut());
        *y *= &*rows(kept, self.width);
    }

    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        _: &mut ArrayRef1<F>,
    ) {
        let Some(d_x) = d_x else { return };
        let r = rows(&pass.kept, self.width);
        Zip::from(d_x).and(d_y).and(r).for_each(|d_x, &d_y, &r| *d_x = d_y * r);
    }
    // ANCHOR_END: Dropout_layer

    fn room(&self, rows: usize) -> usize {
        rows * self.width
    }
}

/// The factors as rows of a batch.
fn rows<F: Float>(mask: &ArrayRef1<F>, width: usize) -> ArrayView2<'_, F> {
    let rows = (mask.len() / width, width);
    let mask = mask.view().into_shape_with_order(rows);
    mask.expect("the factors lie in one piece")
}

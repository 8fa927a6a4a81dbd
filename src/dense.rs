//! Dense layers: every output depends on every input.
//!
//! ```text
//! y = x W + b                     (n, inputs) (inputs, units) + (units)
//! ∂L/∂W = xᵀ ∂L/∂y                (inputs, n) (n, units)
//! ∂L/∂b = sum of the rows of ∂L/∂y
//! ∂L/∂x = ∂L/∂y Wᵀ                (n, units) (units, inputs)
//! ```

use ndarray::{ArrayRef1, ArrayRef2, ArrayView2, ArrayViewMut2, s};
use rand::rngs::ChaCha8Rng;

use crate::blas::product;
use crate::error::{Result, setting};
use crate::float::Float;
use crate::init::Init;
use crate::layer::{Layer, Mode, Pass, Shape, misfit};
use crate::part::{Part, State};
use crate::zeros;

/// A fully connected layer: y = x W + b.
///
/// | setting | purpose | range |
/// |---|---|---|
/// | `units` | how many outputs | 1 or more |
/// | `init` | how the parameters are drawn | any |
///
/// The initialisation has done its work when training begins: a saved model
/// does not name it.
#[derive(Debug, Clone)]
pub struct Dense {
    inputs: usize,
    units: usize,
    init: Init,
}

impl Dense {
    /// A layer with so many outputs.
    ///
    /// # Errors
    /// If there are none.
    pub fn new(units: usize, init: Init) -> Result<Self> {
        setting(
            "the number of units",
            "be at least 1",
            units as f64,
            units > 0,
        )?;
        Ok(Self { inputs: 0, units, init })
    }

    fn weights<'a, F: Float>(
        &self,
        params: &'a ArrayRef1<F>,
    ) -> ArrayView2<'a, F> {
        matrix(params, self.inputs, self.units)
    }
}

impl<F: Float> Part<F> for Dense {
    fn name(&self) -> &str {
        "dense"
    }

    fn state(&self) -> State<F> {
        State::default().with_number("units", self.units as f64)
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        let units = state.take_count("units")?;
        state.finish()?;
        *self = Self::new(units, self.init)?;
        Ok(())
    }
}

// ANCHOR: Dense_layer
impl<F: Float> Layer<F> for Dense {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        let Shape::Vector(inputs) = input else {
            return Err(misfit("a vector (see Flatten)", input));
        };
        self.inputs = inputs;
        Ok(Shape::Vector(self.units))
    }

    fn forward_into(
        &self,
        _: Mode,
        params: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        _: &mut ArrayRef1<F>,
    ) {
        y.assign(&params.slice(s![self.inputs * self.units..]));
        zeros::product(x, &self.weights(params), y);
    }
    // ANCHOR_END: Dense_layer

    // ANCHOR: Dense_backward
    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        d_params: &mut ArrayRef1<F>,
    ) {
        let mut d_w = matrix_mut(d_params, self.inputs, self.units);
        zeros::transposed_product(&pass.x, d_y, &mut d_w);
        let mut d_b = d_params.slice_mut(s![self.inputs * self.units..]);
        d_b.fill(F::zero());
        d_y.rows().into_iter().for_each(|row| d_b += &row);
        if let Some(d_x) = d_x {
            let w = self.weights(&pass.params);
            product(F::one(), d_y, &w.t(), F::zero(), d_x);
        }
    }
    // ANCHOR_END: Dense_backward

    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        vec![
            ("weights", vec![self.inputs, self.units]),
            ("biases", vec![self.units]),
        ]
    }

    fn initialise(&self, params: &mut ArrayRef1<F>, rng: &mut ChaCha8Rng) {
        let (mut weights, mut biases) = params
            .view_mut()
            .split_at(ndarray::Axis(0), self.inputs * self.units);
        let mut weights = matrix_mut(&mut weights, self.inputs, self.units);
        self.init.fill(&mut weights, &mut biases, rng);
    }
}

const CONTIGUOUS: &str = "the parameters lie in one piece";

/// The first rows·columns parameters, as a matrix.
pub(crate) fn matrix<F: Float>(
    params: &ArrayRef1<F>,
    rows: usize,
    columns: usize,
) -> ArrayView2<'_, F> {
    let part = params.slice(s![..rows * columns]);
    part.into_shape_with_order((rows, columns)).expect(CONTIGUOUS)
}

/// The first rows·columns parameters, as a matrix to be written.
pub(crate) fn matrix_mut<F: Float>(
    params: &mut ArrayRef1<F>,
    rows: usize,
    columns: usize,
) -> ArrayViewMut2<'_, F> {
    let part = params.slice_mut(s![..rows * columns]);
    part.into_shape_with_order((rows, columns)).expect(CONTIGUOUS)
}

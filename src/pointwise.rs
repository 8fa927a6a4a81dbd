//! Layers without parameters that leave a sample's size as it is: activations,
//! and the flattening of images.

use ndarray::{ArrayRef1, ArrayRef2};

use crate::activation::{Activation, Link};
use crate::error::Result;
use crate::float::Float;
use crate::layer::{Layer, Mode, Pass, Shape, misfit};
use crate::output::OutputActivation;
use crate::part::{Part, State, stateless};

/// The parts that a layer wraps lend it their name and their state.
macro_rules! wraps {
    ($layer:ident, $kind:ident) => {
        impl<F: Float, A: $kind<F>> Part<F> for $layer<A> {
            fn name(&self) -> &str {
                self.0.name()
            }

            fn state(&self) -> State<F> {
                self.0.state()
            }

            fn restore(&mut self, state: State<F>) -> Result<()> {
                self.0.restore(state)
            }
        }
    };
}

// ANCHOR: Activate
/// An elementwise activation as a layer: y = f(x).
///
/// It keeps the name and the state of what it wraps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Activate<A>(pub A);

impl<F: Float, A: Activation<F>> Layer<F> for Activate<A> {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        Ok(input)
    }

    fn forward_into(
        &self,
        _: Mode,
        _: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        _: &mut ArrayRef1<F>,
    ) {
        self.0.apply_into(x, y);
    }

    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        _: &mut ArrayRef1<F>,
    ) {
        let Some(d_x) = d_x else { return };
        d_x.assign(d_y);
        self.0.backward_in_place(&pass.x, d_x);
    }
    // ANCHOR_END: Activate

    fn link(&self) -> Option<Link> {
        self.0.link()
    }
}

wraps!(Activate, Activation);

/// An output activation as a layer: each row of y depends on the same row of x.
///
/// It keeps the name and the state of what it wraps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output<A>(pub A);

impl<F: Float, A: OutputActivation<F>> Layer<F> for Output<A> {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        match input {
            Shape::Vector(_) => Ok(input),
            Shape::Image { .. } => Err(misfit("a vector", input)),
        }
    }

    fn forward_into(
        &self,
        _: Mode,
        _: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        _: &mut ArrayRef1<F>,
    ) {
        self.0.apply_into(x, y);
    }

    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        _: &mut ArrayRef1<F>,
    ) {
        if let Some(d_x) = d_x {
            self.0.backward_into(&pass.x, &pass.y, d_y, d_x);
        }
    }

    fn link(&self) -> Option<Link> {
        self.0.link()
    }
}

wraps!(Output, OutputActivation);

/// Forgets that a sample is an image: its numbers stay where they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flatten;

stateless!(Flatten => "flatten");

// ANCHOR: Flatten
impl<F: Float> Layer<F> for Flatten {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        Ok(Shape::Vector(input.len()))
    }

    fn forward_into(
        &self,
        _: Mode,
        _: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        _: &mut ArrayRef1<F>,
    ) {
        y.assign(x);
    }

    fn backward_into(
        &self,
        _: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        _: &mut ArrayRef1<F>,
    ) {
        if let Some(d_x) = d_x {
            d_x.assign(d_y);
        }
    }
}
// ANCHOR_END: Flatten

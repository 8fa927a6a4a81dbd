//! Layers with the mistakes that are made most often, for the check to find.

use gradus::{Dense, Layer, Mode, Part, Pass, Shape};
use ndarray::{ArrayRef1, ArrayRef2, Axis, s};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// ∂L/∂x = ∂L/∂y W, without the transpose: runs if the layer is square.
    WeightsNotTransposed,
    /// ∂L/∂b is that of the first sample.
    BiasesOfOneSample,
    /// ∂L/∂W comes from the wrong side: (∂L/∂y)ᵀ x, if the layer is square.
    GradientTransposed,
    /// The slope is taken at y instead of x.
    SlopeAtOutput,
    /// Softmax: the diagonal of the Jacobian alone, as published.
    DiagonalOnly,
    /// Softmax: the plain mean of ∂L/∂y taken away, not the mean weighted by y.
    PlainMean,
}

/// A layer that goes wrong on its way back.
#[derive(Debug)]
pub struct Wrong(pub Box<dyn Layer<f64>>, pub Mistake);

impl Part<f64> for Wrong {
    fn name(&self) -> &str {
        "wrong"
    }
}

impl Layer<f64> for Wrong {
    fn accept(&mut self, input: Shape) -> gradus::Result<Shape> {
        self.0.accept(input)
    }

    fn forward_into(
        &self,
        mode: Mode,
        params: &ArrayRef1<f64>,
        x: &ArrayRef2<f64>,
        y: &mut ArrayRef2<f64>,
        kept: &mut ArrayRef1<f64>,
    ) {
        self.0.forward_into(mode, params, x, y, kept);
    }

    fn backward_into(
        &self,
        pass: &Pass<f64>,
        d_y: &ArrayRef2<f64>,
        d_x: Option<&mut ArrayRef2<f64>>,
        d_params: &mut ArrayRef1<f64>,
    ) {
        let Some(d_x) = d_x else { return };
        let (x, y) = (&pass.x, &pass.y);
        let weights = x.ncols() * y.ncols();
        let side = (x.ncols(), y.ncols());
        self.0.backward_into(pass, d_y, Some(&mut *d_x), d_params);
        match self.1 {
            Mistake::WeightsNotTransposed => {
                let w = pass.params.slice(s![..weights]);
                let w = w.into_shape_with_order(side).expect("weights");
                d_x.assign(&d_y.dot(&w));
            }
            Mistake::BiasesOfOneSample => d_params.slice_mut(s![weights..]).assign(&d_y.row(0)),
            Mistake::GradientTransposed => {
                let d_w = d_y.t().dot(x);
                d_params.slice_mut(s![..weights]).assign(&d_w.flatten());
            }
            Mistake::SlopeAtOutput => {
                let at_y = Pass { params: pass.params, x: pass.y, y: pass.y, kept: pass.kept };
                self.0.backward_into(&at_y, d_y, Some(d_x), d_params);
            }
            Mistake::DiagonalOnly => d_x.assign(&(y * &y.mapv(|y| 1.0 - y) * d_y)),
            Mistake::PlainMean => {
                let mean = d_y.mean_axis(Axis(1)).expect("columns").insert_axis(Axis(1));
                d_x.assign(&(y * &(d_y.to_owned() - &mean)));
            }
        }
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        self.0.parameters()
    }

    fn room(&self, rows: usize) -> usize {
        self.0.room(rows)
    }
}

/// A square dense layer with a mistake.
pub fn dense(mistake: Mistake) -> gradus::Result<Wrong> {
    Ok(Wrong(Box::new(Dense::new(3, gradus::Init::He)?), mistake))
}

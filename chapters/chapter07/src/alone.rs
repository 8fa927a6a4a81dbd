//! One layer, without a network around it.

use gradus::check::{Check, Verdict};
use gradus::random::Random;
use gradus::{Float, Layer, Mode, Pass, Shape};
use lab::Result;
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand_distr::{Distribution, StandardNormal};

/// A layer with the parameters that somebody chose for it.
pub struct Alone<F: Float, L> {
    pub layer: L,
    pub params: Array1<F>,
    pub output: Shape,
}

/// What a layer has computed.
pub struct Gradients<F: Float> {
    pub d_x: Array2<F>,
    pub d_params: Array1<F>,
}

/// Normal random numbers.
pub fn normal<F: Float>(count: usize, seed: u64, stream: u64) -> Array1<F> {
    let mut rng = Random::new(seed, 32 + stream).generator();
    let draw = || -> f64 { StandardNormal.sample(&mut rng) };
    std::iter::repeat_with(draw).take(count).map(F::cast).collect()
}

/// The same, row by row.
pub fn normal_rows<F: Float>(
    (rows, columns): (usize, usize),
    seed: u64,
    stream: u64,
) -> Result<Array2<F>> {
    Ok(normal(rows * columns, seed, stream).into_shape_with_order((rows, columns))?)
}

impl<F: Float, L: Layer<F>> Alone<F, L> {
    /// With random parameters.
    pub fn new(mut layer: L, input: Shape, seed: u64) -> Result<Self> {
        let output = layer.accept(input)?;
        let sizes = layer.parameters();
        let count = sizes.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        Ok(Self { layer, params: normal(count, seed, 0), output })
    }

    /// The outputs for a batch, and what was kept.
    pub fn forward_at(&self, params: &ArrayRef1<F>, x: &ArrayRef2<F>) -> (Array2<F>, Array1<F>) {
        let mut y = Array2::zeros((x.nrows(), self.output.len()));
        let mut kept = Array1::zeros(self.layer.room(x.nrows()));
        self.layer.forward_into(Mode::Predict, params, x, &mut y, &mut kept);
        (y, kept)
    }

    /// The outputs for a batch.
    pub fn forward(&self, x: &ArrayRef2<F>) -> Array2<F> {
        self.forward_at(&self.params, x).0
    }

    /// All gradients of a loss, given ∂L/∂y.
    pub fn backward(&self, x: &ArrayRef2<F>, d_y: &ArrayRef2<F>) -> Gradients<F> {
        let (y, kept) = self.forward_at(&self.params, x);
        let mut d_x = Array2::zeros(x.dim());
        let mut d_params = Array1::zeros(self.params.len());
        let (params, x) = (self.params.view(), x.view());
        let pass = Pass { params, x, y: y.view(), kept: kept.view() };
        self.layer.backward_into(&pass, d_y, Some(&mut d_x), &mut d_params);
        Gradients { d_x, d_params }
    }
}

impl<L: Layer<f64>> Alone<f64, L> {
    /// The layer check: L = Σ r y with random r, whose gradients with respect to the parameters
    /// and to the inputs are compared with central differences.
    pub fn check(&self, x: &ArrayRef2<f64>, seed: u64) -> Result<(Option<Verdict>, Verdict)> {
        let r = normal_rows((x.nrows(), self.output.len()), seed, 1)?;
        let found = self.backward(x, &r);
        let loss =
            |params: &ArrayRef1<f64>, x: &ArrayRef2<f64>| (self.forward_at(params, x).0 * &r).sum();
        let check = Check::default();
        let params = if self.params.is_empty() {
            None
        } else {
            Some(check.gradient(|params| loss(params, x), &self.params, &found.d_params)?)
        };
        let flat = |x: Array2<f64>| x.into_flat();
        let of_x = |at: &ArrayRef1<f64>| {
            let x = at.to_owned().into_shape_with_order(x.dim());
            x.map_or(f64::NAN, |x| loss(&self.params, &x))
        };
        let inputs = check.gradient(of_x, &flat(x.to_owned()), &flat(found.d_x))?;
        Ok((params, inputs))
    }
}

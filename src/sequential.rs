//! The network of part II: layers in a row, whatever they are.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, ArrayView1, Axis, s};

use crate::error::{Error, Result, shape};
use crate::float::Float;
use crate::layer::{Layer, Shape, misfit};
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::random::{Random, stream};
use crate::target::check_finite;
use crate::training::Training;

// ANCHOR: Sequential
/// A network of layers, each of which takes what the one before it gives.
///
/// ```
/// use gradus::{Activate, Dense, Momentum, Sequential, Shape, Tanh, layers};
/// use gradus::{Fit, Init, MeanSquaredError, Network, toy, train};
///
/// let mut network = Sequential::<f64>::new(
///     Shape::Vector(2),
///     layers![
///         Dense::new(3, Init::GlorotNormal)?,
///         Activate(Tanh),
///         Dense::new(1, Init::GlorotNormal)?,
///         Activate(Tanh),
///     ],
///     MeanSquaredError,
///     Momentum::new(0.05, 0.9)?,
///     1,
/// )?;
/// let fit = Fit { batch_size: 1, epochs: 1000, ..Fit::default() };
/// let history = network.fit(&toy::xor(), &fit, None, &mut train::silent)?;
/// assert!(history.loss[999] < 0.01);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug)]
pub struct Sequential<F: Float> {
    pub(crate) input: Shape,
    pub(crate) layers: Vec<Box<dyn Layer<F>>>,
    pub(crate) plan: Vec<Place>,
    pub(crate) params: Array1<F>,
    pub(crate) loss: Box<dyn Loss<F>>,
    pub(crate) optimizer: Box<dyn Optimizer<F>>,
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) training: Option<Training>,
}
// ANCHOR_END: Sequential

// ANCHOR: Place
/// What a network knows of a layer: what goes out, and which part of the
/// parameters and of the statistics is its own.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub output: Shape,
    pub params: Range<usize>,
    pub statistics: Range<usize>,
}
// ANCHOR_END: Place

/// The layers of a [`Sequential`], as a list: each in a box of its own.
#[macro_export]
macro_rules! layers {
    ($($layer:expr),* $(,)?) => {
        vec![$(Box::new($layer) as Box<dyn $crate::layer::Layer<_>>),*]
    };
}

impl<F: Float> Sequential<F> {
    /// A network with fresh parameters.
    ///
    /// `input` is the shape of one sample. The seed decides the parameters, and
    /// whatever is random in the layers.
    ///
    /// # Errors
    /// If a layer cannot take what the one before it gives, or there are no
    /// layers, or no parameters.
    pub fn new(
        input: Shape,
        mut layers: Vec<Box<dyn Layer<F>>>,
        loss: impl Loss<F> + 'static,
        mut optimizer: impl Optimizer<F> + 'static,
        seed: u64,
    ) -> Result<Self> {
        let plan = plan(input, &mut layers)?;
        let mut params = Array1::zeros(parameter_count(&plan));
        let mut rng = Random::new(seed, stream::INITIALISATION).generator();
        for (layer, place) in layers.iter().zip(&plan) {
            let mut params = params.slice_mut(s![place.params.clone()]);
            layer.initialise(&mut params, &mut rng);
        }
        optimizer.prepare(params.len())?;
        Ok(Self {
            input,
            layers,
            plan,
            params,
            loss: Box::new(loss),
            optimizer: Box::new(optimizer),
            seed,
            steps: 0,
            training: None,
        })
    }

    /// The shape of a sample.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The layers, the first one first.
    pub fn layers(&self) -> &[Box<dyn Layer<F>>] {
        &self.layers
    }

    /// The shape that leaves layer i.
    ///
    /// # Panics
    /// If there is no layer i.
    pub fn output_shape(&self, i: usize) -> Shape {
        self.plan[i].output
    }

    /// Which of the parameters belong to layer i.
    ///
    /// # Panics
    /// If there is no layer i.
    pub fn range(&self, i: usize) -> Range<usize> {
        self.plan[i].params.clone()
    }

    /// All parameters, layer by layer.
    ///
    /// # Shapes
    /// (p)
    pub fn params(&self) -> &Array1<F> {
        &self.params
    }

    /// The parameters of layer i, as a view.
    ///
    /// # Panics
    /// If there is no layer i.
    pub fn layer_params(&self, i: usize) -> ArrayView1<'_, F> {
        self.params.slice(s![self.range(i)])
    }

    /// Replaces all parameters. The optimizer, the training, and what layers
    /// have measured stay as they are.
    ///
    /// # Errors
    /// If there are not as many as the network has, or one is not finite; the
    /// old ones then stay.
    pub fn set_params(&mut self, params: &ArrayRef1<F>) -> Result<()> {
        shape("the parameter vector", self.params.shape(), params.shape())?;
        check_finite(
            "the parameters, as one row,",
            &params.view().insert_axis(Axis(0)),
        )?;
        self.params.assign(params);
        Ok(())
    }

    /// The optimizer.
    pub fn optimizer(&self) -> &dyn Optimizer<F> {
        &*self.optimizer
    }

    /// Replaces the optimizer, by one at rest or one that has moved these
    /// parameters: for another learning rate, or a fresh start.
    ///
    /// # Errors
    /// If the optimizer has gathered state for another number of parameters.
    pub fn set_optimizer(
        &mut self,
        mut optimizer: impl Optimizer<F> + 'static,
    ) -> Result<()> {
        optimizer.prepare(self.params.len())?;
        self.optimizer = Box::new(optimizer);
        Ok(())
    }
}

// ANCHOR: plan
/// Asks every layer whether it can take what the one before it gives, and gives
/// it its place.
///
/// # Errors
/// If a layer cannot, or there is nothing to learn.
pub(crate) fn plan<F: Float>(
    input: Shape,
    layers: &mut [Box<dyn Layer<F>>],
) -> Result<Vec<Place>> {
    check_room(input)?;
    let mut plan: Vec<Place> = Vec::new();
    for (i, layer) in layers.iter_mut().enumerate() {
        let place = place(layer, input, plan.last()).map_err(|source| {
            let (name, source) = (layer.name().to_owned(), Box::new(source));
            Error::Layer { place: i + 1, name, source }
        })?;
        plan.push(place);
    }
    match parameter_count(&plan) {
        0 => Err(Error::Empty { what: "the parameters of all layers" }),
        _ => Ok(plan),
    }
}
// ANCHOR_END: plan

fn parameter_count(plan: &[Place]) -> usize {
    plan.last().map_or(0, |last| last.params.end)
}

/// The place of a layer behind another one.
fn place<F: Float>(
    layer: &mut dyn Layer<F>,
    input: Shape,
    before: Option<&Place>,
) -> Result<Place> {
    let given = before.map_or(input, |before| before.output);
    let output = layer.accept(given)?;
    check_room(output)?;
    let start = before.map_or(0, |before| before.params.end);
    let end = layer.parameters().iter().try_fold(start, |end, (_, shape)| {
        let product = |size: usize, &side: &usize| size.checked_mul(side);
        shape.iter().try_fold(1, product).and_then(|size| end.checked_add(size))
    });
    let fits = |&end: &usize| end <= isize::MAX as usize / 16;
    let end = end.filter(fits).ok_or_else(|| {
        misfit("fewer features, so that its parameters fit in memory", given)
    })?;
    let first = before.map_or(0, |before| before.statistics.end);
    let statistics = first..first + layer.statistics();
    Ok(Place { output, params: start..end, statistics })
}

/// Checks that a sample of this shape has features, and that memory has room for
/// it.
fn check_room(shape: Shape) -> Result<()> {
    match shape.checked_len() {
        Some(0) => Err(Error::Empty { what: "the shape of a sample" }),
        Some(_) => Ok(()),
        None => Err(misfit("samples that fit in memory", shape)),
    }
}

//! Parts by name: what makes a saved model whole again.

use std::collections::BTreeMap;

use crate::activation::{
    Activation, Gelu, Identity, LeakyRelu, Relu, Sigmoid, Softplus, Tanh,
};
use crate::adam::{Adam, AdamW};
use crate::adaptive::{AdaGrad, RmsProp};
use crate::batch_norm::BatchNorm;
use crate::convolution::Convolution;
use crate::dense::Dense;
use crate::dropout::Dropout;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::init::Init;
use crate::layer::Layer;
use crate::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Loss, MeanSquaredError,
    SparseCategoricalCrossEntropy,
};
use crate::modified::{Clipped, Decayed};
use crate::optimizer::{
    GradientDescent, Momentum, MovingAverage, Nesterov, Optimizer,
};
use crate::output::{Elementwise, OutputActivation, Softmax};
use crate::part::{Part, State};
use crate::pointwise::{Activate, Flatten, Output};
use crate::pooling::{AveragePool, MaxPool};
use crate::schedule::{Schedule, Scheduled};

/// Makes a part: any one of its kind, which is then given its state.
type Maker<T> = Box<dyn Fn() -> Box<T> + Send + Sync>;

/// The parts that can be loaded: the built-in ones, and those that were
/// registered.
///
/// ```
/// use gradus::{Activation, Float, Part, Registry};
///
/// #[derive(Debug)]
/// struct Swish;
///
/// impl<F: Float> Part<F> for Swish {
///     fn name(&self) -> &str {
///         "swish"
///     }
/// }
///
/// impl<F: Float> Activation<F> for Swish {
///     fn value(&self, z: F) -> F {
///         z / (F::one() + (-z).exp())
///     }
///
///     fn derivative(&self, z: F) -> F {
///         let s = (F::one() + (-z).exp()).recip();
///         s + z * s * (F::one() - s)
///     }
/// }
///
/// let mut registry = Registry::<f32>::default();
/// registry.add_activation(|| Box::new(Swish))?;
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Registry<F: Float> {
    activations: BTreeMap<String, Maker<dyn Activation<F>>>,
    outputs: BTreeMap<String, Maker<dyn OutputActivation<F>>>,
    losses: BTreeMap<String, Maker<dyn Loss<F>>>,
    optimizers: BTreeMap<String, Maker<dyn Optimizer<F>>>,
    layers: BTreeMap<String, Maker<dyn Layer<F>>>,
}

impl<F: Float> Default for Registry<F> {
    fn default() -> Self {
        /// Adds parts that are made by these expressions.
        macro_rules! add {
            ($registry:ident . $add:ident: $($part:expr),*) => {
                $($registry.$add(|| Box::new($part)).expect("built-in parts have names of their own");)*
            };
        }
        const VALID: &str =
            "any settings in range will do: the saved state replaces them";
        let mut registry = Self {
            activations: BTreeMap::new(),
            outputs: BTreeMap::new(),
            losses: BTreeMap::new(),
            optimizers: BTreeMap::new(),
            layers: BTreeMap::new(),
        };
        add!(registry.add_activation: Identity, Relu, LeakyRelu::default(), Sigmoid, Tanh);
        add!(registry.add_activation: Softplus, Gelu);
        add!(registry.add_output: Softmax);
        add!(registry.add_loss: MeanSquaredError, BinaryCrossEntropy, CategoricalCrossEntropy);
        add!(registry.add_loss: SparseCategoricalCrossEntropy);
        add!(registry.add_optimizer: GradientDescent::new(1.0).expect(VALID));
        add!(registry.add_optimizer: Momentum::new(1.0, 0.0).expect(VALID));
        add!(registry.add_optimizer: MovingAverage::new(1.0, 0.0).expect(VALID));
        add!(registry.add_optimizer: Nesterov::new(1.0, 0.0).expect(VALID));
        add!(registry.add_optimizer: AdaGrad::new(1.0).expect(VALID));
        add!(registry.add_optimizer: RmsProp::new(1.0, 0.0).expect(VALID));
        add!(registry.add_optimizer: Adam::new(1.0).expect(VALID));
        add!(registry.add_optimizer: AdamW::new(1.0, 0.0).expect(VALID));
        add!(registry.add_layer: Dense::new(1, Init::He).expect(VALID), Flatten);
        add!(registry.add_layer: Dropout::new(1.0).expect(VALID), BatchNorm::new());
        add!(registry.add_layer: Convolution::new(1, 1, Init::He).expect(VALID));
        add!(registry.add_layer: MaxPool::new(1).expect(VALID), AveragePool::new(1).expect(VALID));
        registry
    }
}

/// What kinds of part there are, as errors and saved models call them.
pub(crate) mod kind {
    pub const ACTIVATION: &str = "hidden activation";
    pub const OUTPUT: &str = "output activation";
    pub const LOSS: &str = "loss";
    pub const OPTIMIZER: &str = "optimizer";
    pub const LAYER: &str = "layer";
}

impl<F: Float> Registry<F> {
    /// Adds an elementwise activation, which can then be an output activation
    /// as well.
    ///
    /// # Errors
    /// If there is one of this name.
    pub fn add_activation(
        &mut self,
        make: impl Fn() -> Box<dyn Activation<F>> + Send + Sync + 'static,
    ) -> Result<()> {
        let name = make().name().to_owned();
        self.free(&[kind::OUTPUT, kind::LAYER], &name)?;
        add(&mut self.activations, kind::ACTIVATION, name, Box::new(make))
    }

    /// Adds an output activation.
    ///
    /// # Errors
    /// If there is one of this name.
    pub fn add_output(
        &mut self,
        make: impl Fn() -> Box<dyn OutputActivation<F>> + Send + Sync + 'static,
    ) -> Result<()> {
        let name = make().name().to_owned();
        self.free(&[kind::ACTIVATION, kind::LAYER], &name)?;
        add(&mut self.outputs, kind::OUTPUT, name, Box::new(make))
    }

    /// Adds a loss.
    ///
    /// # Errors
    /// If there is one of this name.
    pub fn add_loss(
        &mut self,
        make: impl Fn() -> Box<dyn Loss<F>> + Send + Sync + 'static,
    ) -> Result<()> {
        let name = make().name().to_owned();
        add(&mut self.losses, kind::LOSS, name, Box::new(make))
    }

    /// Adds an optimizer.
    ///
    /// # Errors
    /// If there is one of this name.
    pub fn add_optimizer(
        &mut self,
        make: impl Fn() -> Box<dyn Optimizer<F>> + Send + Sync + 'static,
    ) -> Result<()> {
        let name = make().name().to_owned();
        if self.make_optimizer(&name, WRAPPERS).is_some() {
            return Err(Error::NameTaken { kind: kind::OPTIMIZER, name });
        }
        add(&mut self.optimizers, kind::OPTIMIZER, name, Box::new(make))
    }

    /// Adds a layer. Activations are layers already.
    ///
    /// # Errors
    /// If there is one of this name, or an activation is called so.
    pub fn add_layer(
        &mut self,
        make: impl Fn() -> Box<dyn Layer<F>> + Send + Sync + 'static,
    ) -> Result<()> {
        let name = make().name().to_owned();
        self.free(&[kind::ACTIVATION, kind::OUTPUT], &name)?;
        add(&mut self.layers, kind::LAYER, name, Box::new(make))
    }

    /// Checks that no part of these kinds has this name: layers and activations
    /// stand side by side in a file.
    fn free(&self, kinds: &[&'static str], name: &str) -> Result<()> {
        let taken = kinds.iter().find(|&&kind| match kind {
            kind::ACTIVATION => self.activations.contains_key(name),
            kind::OUTPUT => self.outputs.contains_key(name),
            _ => self.layers.contains_key(name),
        });
        let name = name.to_owned();
        taken.map_or(Ok(()), |kind| Err(Error::NameTaken { kind, name }))
    }

    /// The elementwise activation of this name, with this state.
    ///
    /// # Errors
    /// If there is none, or the state is not one of its own.
    pub fn activation(
        &self,
        name: &str,
        state: State<F>,
    ) -> Result<Box<dyn Activation<F>>> {
        let mut part = find(&self.activations, kind::ACTIVATION, name)?();
        part.restore(state).map_err(in_part(kind::ACTIVATION, name))?;
        Ok(part)
    }

    /// The output activation of this name, with this state; an elementwise one
    /// if no other has the name.
    ///
    /// # Errors
    /// If there is none, or the state is not one of its own.
    pub fn output(
        &self,
        name: &str,
        state: State<F>,
    ) -> Result<Box<dyn OutputActivation<F>>> {
        let mut part =
            match (self.outputs.get(name), self.activations.get(name)) {
                (Some(make), _) => make(),
                (None, Some(make)) => Box::new(Elementwise(make())),
                (None, None) => {
                    let known =
                        self.outputs.keys().chain(self.activations.keys());
                    return Err(unknown(kind::OUTPUT, name, known));
                }
            };
        part.restore(state).map_err(in_part(kind::OUTPUT, name))?;
        Ok(part)
    }

    /// The loss of this name, with this state.
    ///
    /// # Errors
    /// If there is none, or the state is not one of its own.
    pub fn loss(
        &self,
        name: &str,
        state: State<F>,
    ) -> Result<Box<dyn Loss<F>>> {
        let mut part = find(&self.losses, kind::LOSS, name)?();
        part.restore(state).map_err(in_part(kind::LOSS, name))?;
        Ok(part)
    }

    /// The optimizer of this name, with this state. `"clipped adam"` is
    /// [`Clipped`] around [`Adam`], and so on for up to 8 words before the
    /// optimizer's own name: clipped, decayed, step, cosine, warm_up, one_cycle.
    ///
    /// # Errors
    /// If there is none, or the state is not one of its own.
    pub fn optimizer(
        &self,
        name: &str,
        state: State<F>,
    ) -> Result<Box<dyn Optimizer<F>>> {
        let mut part =
            self.make_optimizer(name, WRAPPERS).ok_or_else(|| {
                unknown(kind::OPTIMIZER, name, self.optimizers.keys())
            })?;
        part.restore(state).map_err(in_part(kind::OPTIMIZER, name))?;
        Ok(part)
    }

    /// The layer of this name, with this state; an activation as a layer if it
    /// is called so.
    ///
    /// # Errors
    /// If there is none, or the state is not one of its own.
    pub fn layer(
        &self,
        name: &str,
        state: State<F>,
    ) -> Result<Box<dyn Layer<F>>> {
        let mut part: Box<dyn Layer<F>> =
            if let Some(make) = self.layers.get(name) {
                make()
            } else if let Some(make) = self.outputs.get(name) {
                Box::new(Output(make()))
            } else if let Some(make) = self.activations.get(name) {
                Box::new(Activate(make()))
            } else {
                let activations =
                    self.outputs.keys().chain(self.activations.keys());
                let known = self.layers.keys().chain(activations);
                return Err(unknown(kind::LAYER, name, known));
            };
        part.restore(state).map_err(in_part(kind::LAYER, name))?;
        Ok(part)
    }

    /// Any optimizer of this name, with up to so many others around it.
    fn make_optimizer(
        &self,
        name: &str,
        wrappers: usize,
    ) -> Option<Box<dyn Optimizer<F>>> {
        if let Some(make) = self.optimizers.get(name) {
            return Some(make());
        }
        let (word, name) = name.split_once(' ')?;
        let inner = self.make_optimizer(name, wrappers.checked_sub(1)?)?;
        Some(match word {
            "clipped" => Box::new(Clipped::new(inner, 1.0).ok()?),
            "decayed" => Box::new(Decayed::new(inner, 0.0).ok()?),
            _ => {
                let schedule = Schedule::of_word(word)?;
                Box::new(Scheduled::new(inner, schedule).ok()?)
            }
        })
    }
}

/// How many optimizers may stand around another in a file, which may be anyone's.
const WRAPPERS: usize = 8;

fn add<T: ?Sized>(
    makers: &mut BTreeMap<String, Maker<T>>,
    kind: &'static str,
    name: String,
    make: Maker<T>,
) -> Result<()> {
    if makers.contains_key(&name) {
        return Err(Error::NameTaken { kind, name });
    }
    makers.insert(name, make);
    Ok(())
}

fn find<'a, T: ?Sized>(
    makers: &'a BTreeMap<String, Maker<T>>,
    kind: &'static str,
    name: &str,
) -> Result<&'a Maker<T>> {
    makers.get(name).ok_or_else(|| unknown(kind, name, makers.keys()))
}

fn unknown<'a>(
    kind: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> Error {
    Error::UnknownPart {
        kind,
        name: name.to_owned(),
        known: known.cloned().collect(),
    }
}

fn in_part(kind: &'static str, name: &str) -> impl FnOnce(Error) -> Error {
    let name = name.to_owned();
    move |source| Error::Part { kind, name, source: Box::new(source) }
}

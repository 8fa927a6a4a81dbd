//! The network of part I: layers of weights and biases with one hidden
//! activation, an output activation, a loss and an optimizer, all handed in.

use ndarray::{Array1, ArrayRef1, ArrayView1, ArrayView2, Axis};

use crate::activation::Activation;
use crate::error::{Result, shape};
use crate::float::Float;
use crate::init::Init;
use crate::layout::Layout;
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::output::OutputActivation;
use crate::random::{Random, stream};
use crate::target::check_finite;
use crate::training::Training;

// ANCHOR: NeuralNetwork
/// A fully connected network.
///
/// ```
/// use gradus::{BinaryCrossEntropy, Elementwise, Sigmoid, Tanh};
/// use gradus::{Fit, Init, Momentum, Network, NeuralNetwork, toy, train};
///
/// let mut network = NeuralNetwork::<f32>::new(
///     &[2, 8, 1],
///     Tanh,
///     Elementwise(Sigmoid),
///     BinaryCrossEntropy,
///     Momentum::new(0.5, 0.9)?,
///     Init::GlorotNormal,
///     1,
/// )?;
/// let xor = toy::xor();
/// let fit = Fit { batch_size: 4, epochs: 200, ..Fit::default() };
/// let history = network.fit(&xor, &fit, None, &mut train::silent)?;
/// assert!(history.loss[199] < 0.1);
/// assert_eq!(network.predict_labels(xor.x())?, [0, 1, 1, 0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug)]
pub struct NeuralNetwork<F: Float> {
    pub(crate) layout: Layout,
    pub(crate) params: Array1<F>,
    pub(crate) hidden: Box<dyn Activation<F>>,
    pub(crate) output: Box<dyn OutputActivation<F>>,
    pub(crate) loss: Box<dyn Loss<F>>,
    pub(crate) optimizer: Box<dyn Optimizer<F>>,
    pub(crate) composed: bool,
    pub(crate) training: Option<Training>,
}
// ANCHOR_END: NeuralNetwork

impl<F: Float> NeuralNetwork<F> {
    /// A network with fresh parameters.
    ///
    /// `sizes` are those of all layers, input and output included. The seed
    /// decides the parameters.
    ///
    /// # Errors
    /// If there are fewer than two sizes, or one is 0.
    pub fn new(
        sizes: &[usize],
        hidden: impl Activation<F> + 'static,
        output: impl OutputActivation<F> + 'static,
        loss: impl Loss<F> + 'static,
        mut optimizer: impl Optimizer<F> + 'static,
        init: Init,
        seed: u64,
    ) -> Result<Self> {
        let layout = Layout::new(sizes)?;
        let mut params = Array1::zeros(layout.parameter_count());
        let mut rng = Random::new(seed, stream::INITIALISATION).generator();
        for i in 0..layout.layers() {
            let mut biases = Array1::zeros(sizes[i + 1]);
            init.fill(
                &mut layout.weights_mut(&mut params, i),
                &mut biases,
                &mut rng,
            );
            layout.biases_mut(&mut params, i).assign(&biases);
        }
        optimizer.prepare(params.len())?;
        Ok(Self {
            layout,
            params,
            hidden: Box::new(hidden),
            output: Box::new(output),
            loss: Box::new(loss),
            optimizer: Box::new(optimizer),
            composed: false,
            training: None,
        })
    }

    /// The same network, trained by the chain rule through the output
    /// activation even where the loss could be fused with it: what chapter 2
    /// compares.
    #[must_use]
    pub fn composed(mut self) -> Self {
        self.composed = true;
        self
    }

    /// The layer sizes, input and output included.
    pub fn sizes(&self) -> &[usize] {
        self.layout.sizes()
    }

    /// Where each weight and bias lies in the parameter vector.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All parameters.
    ///
    /// # Shapes
    /// (p)
    pub fn params(&self) -> &Array1<F> {
        &self.params
    }

    /// Replaces all parameters. The optimizer and the training stay as they are.
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

    /// The weights of layer i.
    ///
    /// # Shapes
    /// (sᵢ, sᵢ₊₁)
    ///
    /// # Panics
    /// If there is no layer i.
    pub fn weights(&self, i: usize) -> ArrayView2<'_, F> {
        self.layout.weights(&self.params, i)
    }

    /// The biases of layer i.
    ///
    /// # Shapes
    /// (sᵢ₊₁)
    ///
    /// # Panics
    /// If there is no layer i.
    pub fn biases(&self, i: usize) -> ArrayView1<'_, F> {
        self.layout.biases(&self.params, i)
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

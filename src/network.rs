//! The network of part I: layers of weights and biases with one hidden activation, an output
//! activation, a loss and an optimizer, all handed in.
//!
//! For layer i, with a₋₁ = x:
//!
//! ```text
//! zᵢ = aᵢ₋₁ Wᵢ + bᵢ      (n, sᵢ) (sᵢ, sᵢ₊₁) + (sᵢ₊₁)
//! aᵢ = f(zᵢ)             hidden activation, or output activation in the last layer
//! ```

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView1, ArrayView2, Axis, s};

use crate::activation::Activation;
use crate::blas::product;
use crate::crew::Model;
use crate::data::{Source, check_finite};
use crate::error::{Error, Result, shape};
use crate::float::Float;
use crate::init::Init;
use crate::layout::Layout;
use crate::loss::{FusedLoss, Loss};
use crate::optimizer::Optimizer;
use crate::output::OutputActivation;
use crate::random::{Random, stream};
use crate::train::{self, Fit, History, Observer, Training};

// ANCHOR: NeuralNetwork
/// A fully connected network.
///
/// ```
/// use gradus::{BinaryCrossEntropy, Elementwise, Fit, Init, Momentum, NeuralNetwork, Sigmoid, Tanh};
/// use gradus::{toy, train};
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

/// How well a network does on samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The mean loss.
    pub loss: f64,
    /// How many samples of each true class (row) were taken for each class (column), if every
    /// target names a class.
    pub confusion: Option<Array2<usize>>,
}

impl Score {
    /// The share of samples whose class was predicted rightly, if they have classes.
    pub fn accuracy(&self) -> Option<f64> {
        let confusion = self.confusion.as_ref()?;
        Some(confusion.diag().sum() as f64 / confusion.sum() as f64)
    }
}

impl<F: Float> NeuralNetwork<F> {
    /// A network with fresh parameters.
    ///
    /// `sizes` are those of all layers, input and output included. The seed decides the
    /// parameters.
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
            init.fill(&mut layout.weights_mut(&mut params, i), &mut biases, &mut rng);
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

    /// The same network, trained by the chain rule through the output activation even where
    /// the loss could be fused with it: what chapter 2 compares.
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

    /// Replaces all parameters.
    ///
    /// # Errors
    /// If there are not as many as the network has, or one is not finite.
    pub fn set_params(&mut self, params: &ArrayRef1<F>) -> Result<()> {
        shape("the parameter vector", self.params.shape(), params.shape())?;
        check_finite("the parameter vector", &params.view().insert_axis(Axis(0)))?;
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

    /// The training so far, if there was one.
    pub fn training(&self) -> Option<&Training> {
        self.training.as_ref()
    }

    /// Trains, from the parameters and the optimizer's state as they are.
    ///
    /// # Errors
    /// If a setting or the data are out of range, or the loss is no longer finite. The network
    /// keeps its last finite parameters.
    pub fn fit(
        &mut self,
        source: &dyn Source<F>,
        fit: &Fit,
        validation: Option<&dyn Source<F>>,
        observer: Observer,
    ) -> Result<History> {
        fit.check()?;
        self.go_on(Training::new(fit.clone(), source.len()), source, validation, observer)
    }

    /// Goes on with a training that was broken off or loaded, until it has had `epochs` epochs
    /// in all. Given the same samples, it takes the very steps that an unbroken training takes.
    ///
    /// # Errors
    /// If there is no training to resume, and as for [`fit`](Self::fit).
    pub fn resume(
        &mut self,
        source: &dyn Source<F>,
        epochs: usize,
        validation: Option<&dyn Source<F>>,
        observer: Observer,
    ) -> Result<History> {
        let mut training = self.training.clone().ok_or(Error::NothingToResume)?;
        training.fit.epochs = epochs;
        self.go_on(training, source, validation, observer)
    }

    fn go_on(
        &mut self,
        mut training: Training,
        source: &dyn Source<F>,
        validation: Option<&dyn Source<F>>,
        observer: Observer,
    ) -> Result<History> {
        let result = train::run(self, source, validation, &mut training, observer);
        let history = training.history.clone();
        self.training = Some(training);
        result.map(|()| history)
    }

    /// The outputs ŷ.
    ///
    /// # Shapes
    /// (n, inputs) → (n, outputs)
    ///
    /// # Errors
    /// If the inputs have the wrong number of columns, or one is not finite.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        self.check_inputs(x)?;
        let mut y_hat = Array2::zeros((x.nrows(), self.outputs()));
        let mut trace = self.trace(x.nrows().min(train::CHUNK));
        let chunks = x.axis_chunks_iter(Axis(0), train::CHUNK);
        for (x, mut y_hat) in chunks.zip(y_hat.axis_chunks_iter_mut(Axis(0), train::CHUNK)) {
            self.forward_into(&x, &mut trace);
            y_hat.assign(&trace.y_hat(x.nrows()));
        }
        Ok(y_hat)
    }

    /// The class of each sample: that of the largest output, or, of a network with one output,
    /// 1 if it is above one half and 0 otherwise.
    ///
    /// # Shapes
    /// (n, inputs) → n labels
    ///
    /// # Errors
    /// As for [`predict`](Self::predict).
    pub fn predict_labels(&self, x: &ArrayRef2<F>) -> Result<Vec<usize>> {
        Ok(self.predict(x)?.rows().into_iter().map(decide).collect())
    }

    /// The mean loss, and the confusion matrix if the targets are classes.
    ///
    /// # Errors
    /// If the samples do not fit the network.
    pub fn score(&self, source: &dyn Source<F>) -> Result<Score> {
        train::check_source(self, source)?;
        let classes = self.outputs().max(2);
        let mut confusion = Some(Array2::zeros((classes, classes)));
        let mut trace = self.trace(source.len().min(train::CHUNK));
        let mut sum = 0.0;
        train::in_chunks(source, |_, x, y| {
            self.forward_into(x, &mut trace);
            sum += self.loss_of(y, &mut trace);
            for (y, y_hat) in y.rows().into_iter().zip(trace.y_hat(y.nrows()).rows()) {
                match (self.loss.class(y), &mut confusion) {
                    (Some(class), Some(counts)) if class < classes => {
                        counts[[class, decide(y_hat)]] += 1;
                    }
                    _ => confusion = None,
                }
            }
            Ok(())
        })?;
        Ok(Score { loss: sum / source.len() as f64, confusion })
    }

    /// The mean loss of a batch and its gradient, as one vector in the order of the parameters.
    ///
    /// # Shapes
    /// `x`: (n, inputs), `y`: (n, targets) → (p)
    ///
    /// # Errors
    /// If the samples do not fit the network, or there are none.
    pub fn loss_and_gradient(
        &self,
        x: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
    ) -> Result<(f64, Array1<F>)> {
        if x.nrows() == 0 {
            return Err(Error::Empty { what: "the batch" });
        }
        self.check(x, y)?;
        let mut gradient = Array1::zeros(self.params.len());
        let mut trace = self.trace(x.nrows());
        let sum = self.gradient_into(x, y, x.nrows(), &mut trace, &mut gradient);
        Ok((sum / x.nrows() as f64, gradient))
    }

    /// The forward pass, with everything that the backward pass needs.
    ///
    /// # Shapes
    /// (n, inputs) → zᵢ and aᵢ, each (n, sᵢ₊₁)
    ///
    /// # Errors
    /// As for [`predict`](Self::predict).
    pub fn forward(&self, x: &ArrayRef2<F>) -> Result<Trace<F>> {
        self.check_inputs(x)?;
        let mut trace = self.trace(x.nrows());
        self.forward_into(x, &mut trace);
        Ok(trace)
    }
}

/// The class that an output row stands for.
fn decide<F: Float>(y_hat: ArrayView1<F>) -> usize {
    if y_hat.len() == 1 {
        return usize::from(y_hat[0] > F::cast(0.5));
    }
    let best = |best, i| if y_hat[i] > y_hat[best] { i } else { best };
    (1..y_hat.len()).fold(0, best)
}

// ANCHOR: Trace
/// What one pass over a batch leaves behind, layer by layer.
#[derive(Debug, Clone)]
pub struct Trace<F: Float> {
    /// What entered the activation: zᵢ, (n, sᵢ₊₁).
    pub z: Vec<Array2<F>>,
    /// What left it: aᵢ, (n, sᵢ₊₁); the last is ŷ.
    pub a: Vec<Array2<F>>,
    /// After the backward pass, ∂L/∂zᵢ: (n, sᵢ₊₁).
    pub d_z: Vec<Array2<F>>,
    d_y_hat: Array2<F>,
    losses: Array1<F>,
}
// ANCHOR_END: Trace

impl<F: Float> Trace<F> {
    fn y_hat(&self, n: usize) -> ArrayView2<'_, F> {
        self.a[self.a.len() - 1].slice(s![..n, ..])
    }
}

impl<F: Float> NeuralNetwork<F> {
    fn outputs(&self) -> usize {
        self.sizes()[self.layout.layers()]
    }

    fn check_inputs(&self, x: &ArrayRef2<F>) -> Result<()> {
        shape("a batch of inputs", &[x.nrows(), self.sizes()[0]], x.shape())?;
        check_finite("inputs", x)
    }

    /// The loss from logits, if it is to be computed so.
    fn fused(&self) -> Option<&dyn FusedLoss<F>> {
        if self.composed { None } else { self.loss.fused(self.output.link()?) }
    }

    // ANCHOR: forward_into
    fn forward_into(&self, x: &ArrayRef2<F>, trace: &mut Trace<F>) {
        let n = x.nrows();
        for i in 0..self.layout.layers() {
            let (before, rest) = trace.a.split_at_mut(i);
            let input = before.last().map_or(x.view(), |a| a.slice(s![..n, ..]));
            let mut z = trace.z[i].slice_mut(s![..n, ..]);
            let mut a = rest[0].slice_mut(s![..n, ..]);
            z.assign(&self.biases(i));
            product(F::one(), &input, &self.weights(i), F::one(), &mut z);
            if i + 1 < self.layout.layers() {
                self.hidden.apply_into(&z, &mut a);
            } else {
                self.output.apply_into(&z, &mut a);
            }
        }
    }
    // ANCHOR_END: forward_into

    /// The sum of the losses, after a forward pass.
    fn loss_of(&self, y: &ArrayRef2<F>, trace: &mut Trace<F>) -> f64 {
        let n = y.nrows();
        let last = self.layout.layers() - 1;
        let mut losses = trace.losses.slice_mut(s![..n]);
        match self.fused() {
            Some(loss) => {
                loss.fused_values_into(&trace.z[last].slice(s![..n, ..]), y, &mut losses);
            }
            None => self.loss.values_into(&trace.a[last].slice(s![..n, ..]), y, &mut losses),
        }
        losses.iter().map(|loss| loss.as_f64()).sum()
    }

    // ANCHOR: backward_into
    /// After a forward pass: the gradient of the sum of the losses, divided by `batch`.
    fn backward_into(
        &self,
        x: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        batch: usize,
        trace: &mut Trace<F>,
        gradient: &mut ArrayRef1<F>,
    ) {
        let rows = s![..x.nrows(), ..];
        let last = self.layout.layers() - 1;
        let y_hat = trace.a[last].slice(rows);
        let mut d_z = trace.d_z[last].slice_mut(rows);
        if let Some(loss) = self.fused() {
            loss.fused_derivative_into(&y_hat, y, &mut d_z);
        } else {
            let mut d_y_hat = trace.d_y_hat.slice_mut(rows);
            self.loss.derivative_into(&y_hat, y, &mut d_y_hat);
            self.output.backward_into(&trace.z[last].slice(rows), &y_hat, &d_y_hat, &mut d_z);
        }
        d_z /= F::cast(batch as f64);
        for i in (0..=last).rev() {
            let (before, rest) = trace.d_z.split_at_mut(i);
            let d_z = rest[0].slice(rows);
            let input = if i == 0 { x.view() } else { trace.a[i - 1].slice(rows) };
            let mut d_weights = self.layout.weights_mut(gradient, i);
            product(F::one(), &input.t(), &d_z, F::zero(), &mut d_weights);
            let mut d_biases = self.layout.biases_mut(gradient, i);
            d_biases.fill(F::zero());
            d_z.rows().into_iter().for_each(|row| d_biases += &row);
            // The input has no layer before it that would need its gradient.
            if let Some(d_a) = before.last_mut() {
                let mut d = d_a.slice_mut(rows);
                product(F::one(), &d_z, &self.weights(i).t(), F::zero(), &mut d);
                self.hidden.backward_in_place(&trace.z[i - 1].slice(rows), &mut d);
            }
        }
    }
    // ANCHOR_END: backward_into
}

impl<F: Float> Model<F> for NeuralNetwork<F> {
    type Trace = Trace<F>;

    fn parameter_count(&self) -> usize {
        self.params.len()
    }

    fn trace(&self, rows: usize) -> Trace<F> {
        let room = || self.sizes()[1..].iter().map(|&size| Array2::zeros((rows, size))).collect();
        let d_y_hat = Array2::zeros((rows, self.outputs()));
        Trace { z: room(), a: room(), d_z: room(), d_y_hat, losses: Array1::zeros(rows) }
    }

    fn check(&self, x: &ArrayRef2<F>, y: &ArrayRef2<F>) -> Result<()> {
        self.check_inputs(x)?;
        let targets = self.loss.target_columns(self.outputs());
        shape("a batch of targets", &[x.nrows(), targets], y.shape())?;
        check_finite("targets", y)?;
        self.loss.check_targets(y, self.outputs())
    }

    fn gradient_into(
        &self,
        x: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        batch: usize,
        trace: &mut Trace<F>,
        gradient: &mut ArrayRef1<F>,
    ) -> f64 {
        self.forward_into(x, trace);
        self.backward_into(x, y, batch, trace, gradient);
        self.loss_of(y, trace)
    }

    fn step(&mut self, gradient: &ArrayRef1<F>) {
        self.optimizer.step(&mut self.params, gradient);
    }

    fn is_finite(&self) -> bool {
        self.params.iter().all(|x| x.is_finite())
    }

    fn evaluate(&self, source: &dyn Source<F>) -> Result<(f64, Option<f64>)> {
        let score = self.score(source)?;
        Ok((score.loss, score.accuracy()))
    }
}

//! Through the network and back.
//!
//! For layer i, with a₋₁ = x:
//!
//! ```text
//! zᵢ = aᵢ₋₁ Wᵢ + bᵢ      (n, sᵢ) (sᵢ, sᵢ₊₁) + (sᵢ₊₁)
//! aᵢ = f(zᵢ)             hidden activation, or output activation in the last layer
//! ```
//!
//! and back, from ∂L/∂z of the last layer:
//!
//! ```text
//! ∂L/∂Wᵢ = aᵢ₋₁ᵀ ∂L/∂zᵢ                  (sᵢ, n) (n, sᵢ₊₁)
//! ∂L/∂bᵢ = sum of the rows of ∂L/∂zᵢ     (sᵢ₊₁)
//! ∂L/∂zᵢ₋₁ = (∂L/∂zᵢ Wᵢᵀ) ⊙ f′(zᵢ₋₁)     (n, sᵢ₊₁) (sᵢ₊₁, sᵢ)
//! ```

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView2, s};

use crate::blas::product;
use crate::crew::{Model, Share};
use crate::data::Source;
use crate::error::{Error, Result, shape};
use crate::fit::Network;
use crate::float::Float;
use crate::loss::{FusedLoss, Loss};
use crate::network::NeuralNetwork;
use crate::target::check_finite;
use crate::training::Training;
use crate::zeros;

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

impl<F: Float> NeuralNetwork<F> {
    /// The mean loss of a batch and its gradient, as one vector in the order of
    /// the parameters.
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
        let share = Share::whole(x.nrows());
        let sum = self.gradient_into(x, y, share, &mut trace, &mut gradient);
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

    /// The loss from logits, if it is to be computed so.
    fn fused(&self) -> Option<&dyn FusedLoss<F>> {
        if self.composed { None } else { self.loss.fused(self.output.link()?) }
    }

    // ANCHOR: forward_into
    /// The forward pass, into the first rows of a trace.
    fn forward_into(&self, x: &ArrayRef2<F>, trace: &mut Trace<F>) {
        let n = x.nrows();
        for i in 0..self.layout.layers() {
            let (before, rest) = trace.a.split_at_mut(i);
            let input =
                before.last().map_or(x.view(), |a| a.slice(s![..n, ..]));
            let mut z = trace.z[i].slice_mut(s![..n, ..]);
            let mut a = rest[0].slice_mut(s![..n, ..]);
            z.assign(&self.biases(i));
            zeros::product(&input, &self.weights(i), &mut z);
            if i + 1 < self.layout.layers() {
                self.hidden.apply_into(&z, &mut a);
            } else {
                self.output.apply_into(&z, &mut a);
            }
        }
    }
    // ANCHOR_END: forward_into

    // ANCHOR: output_gradient_into
    /// After a forward pass: ∂L/∂z of the last layer, where L is the sum of the
    /// losses, divided by `batch`.
    fn output_gradient_into(
        &self,
        y: &ArrayRef2<F>,
        batch: usize,
        trace: &mut Trace<F>,
    ) {
        let rows = s![..y.nrows(), ..];
        let last = self.layout.layers() - 1;
        let y_hat = trace.a[last].slice(rows);
        let mut d_z = trace.d_z[last].slice_mut(rows);
        if let Some(loss) = self.fused() {
            loss.fused_derivative_into(&y_hat, y, &mut d_z);
            d_z /= F::cast(batch as f64);
        } else {
            let mut d_y_hat = trace.d_y_hat.slice_mut(rows);
            self.loss.derivative_into(&y_hat, y, &mut d_y_hat);
            d_y_hat /= F::cast(batch as f64);
            self.output.backward_into(
                &trace.z[last].slice(rows),
                &y_hat,
                &d_y_hat,
                &mut d_z,
            );
        }
    }
    // ANCHOR_END: output_gradient_into

    // ANCHOR: backward_into
    /// After a forward pass: the gradient of the sum of the losses, divided by
    /// `batch`.
    fn backward_into(
        &self,
        x: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        batch: usize,
        trace: &mut Trace<F>,
        gradient: &mut ArrayRef1<F>,
    ) {
        let rows = s![..x.nrows(), ..];
        self.output_gradient_into(y, batch, trace);
        for i in (0..self.layout.layers()).rev() {
            let (before, rest) = trace.d_z.split_at_mut(i);
            let d_z = rest[0].slice(rows);
            let input =
                if i == 0 { x.view() } else { trace.a[i - 1].slice(rows) };
            let mut d_weights = self.layout.weights_mut(gradient, i);
            zeros::transposed_product(&input, &d_z, &mut d_weights);
            let mut d_biases = self.layout.biases_mut(gradient, i);
            d_biases.fill(F::zero());
            d_z.rows().into_iter().for_each(|row| d_biases += &row);
            // The input has no layer before it that would need its gradient.
            if let Some(d_a) = before.last_mut() {
                let mut d = d_a.slice_mut(rows);
                product(
                    F::one(),
                    &d_z,
                    &self.weights(i).t(),
                    F::zero(),
                    &mut d,
                );
                self.hidden
                    .backward_in_place(&trace.z[i - 1].slice(rows), &mut d);
            }
        }
    }
    // ANCHOR_END: backward_into
}

impl<F: Float> Model<F> for NeuralNetwork<F> {
    type Trace = Trace<F>;

    fn gradient_len(&self) -> usize {
        self.params.len()
    }

    fn trace(&self, rows: usize) -> Trace<F> {
        let room = || {
            self.sizes()[1..]
                .iter()
                .map(|&size| Array2::zeros((rows, size)))
                .collect()
        };
        let d_y_hat = Array2::zeros((rows, self.outputs()));
        Trace {
            z: room(),
            a: room(),
            d_z: room(),
            d_y_hat,
            losses: Array1::zeros(rows),
        }
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
        share: Share,
        trace: &mut Trace<F>,
        gradient: &mut ArrayRef1<F>,
    ) -> f64 {
        self.forward_into(x, trace);
        self.backward_into(x, y, share.batch, trace, gradient);
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

impl<F: Float> Network<F> for NeuralNetwork<F> {
    fn outputs(&self) -> usize {
        self.sizes()[self.layout.layers()]
    }

    fn loss(&self) -> &dyn Loss<F> {
        &*self.loss
    }

    fn check_inputs(&self, x: &ArrayRef2<F>) -> Result<()> {
        shape("a batch of inputs", &[x.nrows(), self.sizes()[0]], x.shape())?;
        check_finite("inputs", x)
    }

    fn predict_into(&self, x: &ArrayRef2<F>, trace: &mut Trace<F>) {
        self.forward_into(x, trace);
    }

    fn y_hat<'a>(&self, trace: &'a Trace<F>, n: usize) -> ArrayView2<'a, F> {
        trace.a[self.layout.layers() - 1].slice(s![..n, ..])
    }

    fn loss_of(&self, y: &ArrayRef2<F>, trace: &mut Trace<F>) -> f64 {
        let rows = s![..y.nrows(), ..];
        let last = self.layout.layers() - 1;
        let mut losses = trace.losses.slice_mut(s![..y.nrows()]);
        match self.fused() {
            Some(loss) => loss.fused_values_into(
                &trace.z[last].slice(rows),
                y,
                &mut losses,
            ),
            None => self.loss.values_into(
                &trace.a[last].slice(rows),
                y,
                &mut losses,
            ),
        }
        losses.iter().map(|loss| loss.as_f64()).sum()
    }

    fn training(&self) -> Option<&Training> {
        self.training.as_ref()
    }

    fn set_training(&mut self, training: Training) {
        self.training = Some(training);
    }
}

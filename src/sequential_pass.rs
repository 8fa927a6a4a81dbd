//! Through the layers and back: a layer's output is the next one's input, and
//! ∂L/∂x of a layer is ∂L/∂y of the one before it.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayView2, Axis, s};

use crate::crew::{Model, Share};
use crate::data::Source;
use crate::error::{Error, Result, shape};
use crate::fit::Network;
use crate::float::Float;
use crate::layer::{Draw, Mode, Pass};
use crate::loss::{FusedLoss, Loss};
use crate::sequential::Sequential;
use crate::target::check_finite;
use crate::training::Training;

// ANCHOR: Passage
/// What one pass over a batch leaves behind, layer by layer.
#[derive(Debug, Clone)]
pub struct Passage<F: Float> {
    /// What left layer i: (n, outputs of layer i); the last is ŷ.
    pub y: Vec<Array2<F>>,
    /// After the backward pass, ∂L/∂y of layer i.
    pub d_y: Vec<Array2<F>>,
    /// What layer i kept for itself.
    pub kept: Vec<Array1<F>>,
    losses: Array1<F>,
}
// ANCHOR_END: Passage

impl<F: Float> Sequential<F> {
    /// The mean loss of a batch and its gradient, as one vector in the order of
    /// the parameters: those with which the next step of a training would be
    /// taken, dropout and all.
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
        let mut gradient = Array1::zeros(self.gradient_len());
        let mut trace = self.trace(x.nrows());
        let share = Share::whole(x.nrows());
        let sum = self.gradient_into(x, y, share, &mut trace, &mut gradient);
        let gradient = gradient.slice(s![..self.params.len()]).to_owned();
        Ok((sum / x.nrows() as f64, gradient))
    }

    /// What every layer makes of these samples when the network predicts.
    ///
    /// # Shapes
    /// (n, inputs) → for each layer, (n, outputs of the layer)
    ///
    /// # Errors
    /// As for [`predict`](Network::predict).
    pub fn forward(&self, x: &ArrayRef2<F>) -> Result<Passage<F>> {
        self.check_inputs(x)?;
        let mut trace = self.trace(x.nrows());
        self.predict_into(x, &mut trace);
        Ok(trace)
    }

    /// The loss from what enters the last layer, if it can be computed so.
    fn fused(&self) -> Option<&dyn FusedLoss<F>> {
        let (last, before) = self.layers.split_last()?;
        let simple = !before.is_empty() && last.parameters().is_empty();
        self.loss.fused(last.link().filter(|_| simple)?)
    }

    /// What entered layer i.
    fn x_of<'a>(
        &self,
        i: usize,
        x: &'a ArrayRef2<F>,
        y: &'a [Array2<F>],
    ) -> ArrayView2<'a, F> {
        let below = y[..i].last();
        below.map_or(x.view(), |y| y.slice(s![..x.nrows(), ..]))
    }

    // ANCHOR: through
    /// The forward pass, into the first rows of a trace.
    fn forward_into(
        &self,
        mode: impl Fn(usize) -> Mode,
        x: &ArrayRef2<F>,
        trace: &mut Passage<F>,
    ) {
        let n = x.nrows();
        for (i, layer) in self.layers.iter().enumerate() {
            let (below, rest) = trace.y.split_at_mut(i);
            layer.forward_into(
                mode(i),
                &self.layer_params(i),
                &self.x_of(i, x, below),
                &mut rest[0].slice_mut(s![..n, ..]),
                &mut trace.kept[i].slice_mut(s![..layer.room(n)]),
            );
        }
    }
    // ANCHOR_END: through

    // ANCHOR: back
    /// After a forward pass: the gradient of the sum of the losses, divided by
    /// the size of the batch.
    fn backward_into(
        &self,
        x: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        batch: usize,
        trace: &mut Passage<F>,
        gradient: &mut ArrayRef1<F>,
    ) {
        let rows = s![..x.nrows(), ..];
        let top = self.loss_gradient_into(y, batch, trace);
        for i in (0..=top).rev() {
            let (below, rest) = trace.d_y.split_at_mut(i);
            // The input has no layer before it that would need its gradient.
            let mut d_x = below.last_mut().map(|d_x| d_x.slice_mut(rows));
            self.layers[i].backward_into(
                &self.pass(i, x, &trace.y, &trace.kept),
                &rest[0].slice(rows),
                d_x.as_deref_mut(),
                &mut gradient.slice_mut(s![self.range(i)]),
            );
        }
    }
    // ANCHOR_END: back

    /// Writes ∂L/∂y of the highest layer that has to be gone through, and says
    /// which one that is: not the last, if the loss is fused with it.
    fn loss_gradient_into(
        &self,
        y: &ArrayRef2<F>,
        batch: usize,
        trace: &mut Passage<F>,
    ) -> usize {
        let rows = s![..y.nrows(), ..];
        let last = self.layers.len() - 1;
        let y_hat = trace.y[last].slice(rows);
        let fused = self.fused();
        let top = if fused.is_some() { last - 1 } else { last };
        let mut d_y = trace.d_y[top].slice_mut(rows);
        match fused {
            Some(loss) => loss.fused_derivative_into(&y_hat, y, &mut d_y),
            None => self.loss.derivative_into(&y_hat, y, &mut d_y),
        }
        d_y /= F::cast(batch as f64);
        top
    }

    /// What layer i saw.
    fn pass<'a>(
        &'a self,
        i: usize,
        x: &'a ArrayRef2<F>,
        y: &'a [Array2<F>],
        kept: &'a [Array1<F>],
    ) -> Pass<'a, F> {
        let n = x.nrows();
        Pass {
            params: self.layer_params(i),
            x: self.x_of(i, x, y),
            y: y[i].slice(s![..n, ..]),
            kept: kept[i].slice(s![..self.layers[i].room(n)]),
        }
    }

    /// What the layers measured on these samples, times their share of the
    /// batch, behind the gradient of the parameters.
    fn measure_into(
        &self,
        x: &ArrayRef2<F>,
        batch: usize,
        trace: &Passage<F>,
        gradient: &mut ArrayRef1<F>,
    ) {
        let share = F::cast(x.nrows() as f64 / batch as f64);
        let mut found = gradient.slice_mut(s![self.params.len()..]);
        for (i, place) in self.plan.iter().enumerate() {
            let mut found = found.slice_mut(s![place.statistics.clone()]);
            let pass = self.pass(i, x, &trace.y, &trace.kept);
            self.layers[i].measure_into(&pass, share, &mut found);
        }
    }
}

impl<F: Float> Model<F> for Sequential<F> {
    type Trace = Passage<F>;

    fn gradient_len(&self) -> usize {
        let statistics = self.plan.last().map_or(0, |last| last.statistics.end);
        self.params.len() + statistics
    }

    fn trace(&self, rows: usize) -> Passage<F> {
        let room = || {
            let sizes = self.plan.iter().map(|place| place.output.len());
            sizes.map(|size| Array2::zeros((rows, size))).collect()
        };
        let kept = self.layers.iter().map(|layer| layer.room(rows));
        Passage {
            y: room(),
            d_y: room(),
            kept: kept.map(Array1::zeros).collect(),
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
        trace: &mut Passage<F>,
        gradient: &mut ArrayRef1<F>,
    ) -> f64 {
        let (seed, step, first) = (self.seed, self.steps, share.first);
        let mode = |layer| Mode::Train(Draw { seed, layer, step, first });
        self.forward_into(mode, x, trace);
        self.backward_into(x, y, share.batch, trace, gradient);
        self.measure_into(x, share.batch, trace, gradient);
        self.loss_of(y, trace)
    }

    fn step(&mut self, gradient: &ArrayRef1<F>) {
        let (gradient, statistics) =
            gradient.view().split_at(Axis(0), self.params.len());
        self.optimizer.step(&mut self.params, &gradient);
        for (layer, place) in self.layers.iter_mut().zip(&self.plan) {
            layer.absorb(&statistics.slice(s![place.statistics.clone()]));
        }
        self.steps += 1;
    }

    fn is_finite(&self) -> bool {
        self.params.iter().all(|x| x.is_finite())
    }

    fn evaluate(&self, source: &dyn Source<F>) -> Result<(f64, Option<f64>)> {
        let score = self.score(source)?;
        Ok((score.loss, score.accuracy()))
    }
}

impl<F: Float> Network<F> for Sequential<F> {
    fn outputs(&self) -> usize {
        self.plan.last().map_or(0, |last| last.output.len())
    }

    fn loss(&self) -> &dyn Loss<F> {
        &*self.loss
    }

    fn check_inputs(&self, x: &ArrayRef2<F>) -> Result<()> {
        let expected = [x.nrows(), self.input.len()];
        shape("a batch of inputs", &expected, x.shape())?;
        check_finite("inputs", x)
    }

    fn predict_into(&self, x: &ArrayRef2<F>, trace: &mut Passage<F>) {
        self.forward_into(|_| Mode::Predict, x, trace);
    }

    fn y_hat<'a>(&self, trace: &'a Passage<F>, n: usize) -> ArrayView2<'a, F> {
        trace.y[self.layers.len() - 1].slice(s![..n, ..])
    }

    fn loss_of(&self, y: &ArrayRef2<F>, trace: &mut Passage<F>) -> f64 {
        let rows = s![..y.nrows(), ..];
        let last = self.layers.len() - 1;
        let mut losses = trace.losses.slice_mut(s![..y.nrows()]);
        match self.fused() {
            Some(loss) => loss.fused_values_into(
                &trace.y[last - 1].slice(rows),
                y,
                &mut losses,
            ),
            None => self.loss.values_into(
                &trace.y[last].slice(rows),
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

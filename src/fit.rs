//! What a network is for, whatever it is made of: to be trained, to predict, and
//! to be judged.

use ndarray::{Array2, ArrayRef2, ArrayView1, ArrayView2, Axis};

use crate::crew::Model;
use crate::data::Source;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::loss::Loss;
use crate::target::check_finite;
use crate::train::{self, Observer};
use crate::training::{Fit, History, Training};

/// How well a network does on samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The mean loss.
    pub loss: f64,
    /// How many samples of each true class (row) were taken for each class
    /// (column), if every target names a class.
    pub confusion: Option<Array2<usize>>,
}

impl Score {
    /// The share of samples whose class was predicted rightly, if they have
    /// classes.
    pub fn accuracy(&self) -> Option<f64> {
        let confusion = self.confusion.as_ref()?;
        Some(confusion.diag().sum() as f64 / confusion.sum() as f64)
    }
}

/// A model that maps inputs to outputs, and judges them by a loss.
///
/// [`NeuralNetwork`](crate::NeuralNetwork) and
/// [`Sequential`](crate::Sequential) say how they compute; what can be done with
/// a network follows from that, and is the same for both.
pub trait Network<F: Float>: Model<F> + Sized {
    /// How many outputs there are.
    fn outputs(&self) -> usize;

    /// The loss.
    fn loss(&self) -> &dyn Loss<F>;

    /// Checks the shape and the content of inputs.
    ///
    /// # Errors
    /// With what is wrong; rows are counted from 0.
    fn check_inputs(&self, x: &ArrayRef2<F>) -> Result<()>;

    /// The forward pass of samples that are not trained on, into the first rows
    /// of a trace.
    fn predict_into(&self, x: &ArrayRef2<F>, trace: &mut Self::Trace);

    /// The outputs of the first n samples of a trace.
    fn y_hat<'a>(&self, trace: &'a Self::Trace, n: usize) -> ArrayView2<'a, F>;

    /// The sum of the losses, after a forward pass.
    fn loss_of(&self, y: &ArrayRef2<F>, trace: &mut Self::Trace) -> f64;

    /// The training so far, if there was one.
    fn training(&self) -> Option<&Training>;

    /// Takes note of how far the training has come.
    fn set_training(&mut self, training: Training);

    /// Trains, from the parameters and the optimizer's state as they are.
    ///
    /// # Errors
    /// If a setting or the data are out of range: nothing has changed then. Or
    /// if the loss or a parameter is no longer finite: the network has the
    /// parameters of the last step, finite or not.
    fn fit(
        &mut self,
        source: &dyn Source<F>,
        fit: &Fit,
        validation: Option<&dyn Source<F>>,
        observer: Observer,
    ) -> Result<History> {
        let training = Training::new(fit.clone(), source.len());
        go_on(self, training, source, validation, observer)
    }

    /// Goes on with a training that was broken off or loaded, until it has had
    /// `epochs` epochs in all. Given the same samples, it takes the very steps
    /// that an unbroken training takes.
    ///
    /// A training that ran out of patience stays finished: begin another with
    /// [`fit`](Self::fit).
    ///
    /// # Errors
    /// If there is no training to resume, and as for [`fit`](Self::fit).
    fn resume(
        &mut self,
        source: &dyn Source<F>,
        epochs: usize,
        validation: Option<&dyn Source<F>>,
        observer: Observer,
    ) -> Result<History> {
        let mut training =
            self.training().cloned().ok_or(Error::NothingToResume)?;
        training.fit.epochs = epochs;
        go_on(self, training, source, validation, observer)
    }

    /// The outputs ŷ.
    ///
    /// # Shapes
    /// (n, inputs) → (n, outputs)
    ///
    /// # Errors
    /// If the inputs have the wrong number of columns, or an input or an output
    /// is not finite.
    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        self.check_inputs(x)?;
        let mut y_hat = Array2::zeros((x.nrows(), self.outputs()));
        let mut trace = self.trace(x.nrows().min(train::CHUNK));
        let chunks = x.axis_chunks_iter(Axis(0), train::CHUNK);
        for (x, mut y_hat) in
            chunks.zip(y_hat.axis_chunks_iter_mut(Axis(0), train::CHUNK))
        {
            self.predict_into(&x, &mut trace);
            y_hat.assign(&self.y_hat(&trace, x.nrows()));
        }
        check_finite("outputs", &y_hat)?;
        Ok(y_hat)
    }

    /// The class of each sample: that of the largest output, or, of a network
    /// with one output, 1 if it is above one half and 0 otherwise.
    ///
    /// # Shapes
    /// (n, inputs) → n labels
    ///
    /// # Errors
    /// As for [`predict`](Self::predict).
    fn predict_labels(&self, x: &ArrayRef2<F>) -> Result<Vec<usize>> {
        Ok(self.predict(x)?.rows().into_iter().map(decide).collect())
    }

    /// The mean loss, and the confusion matrix if the targets are classes.
    ///
    /// # Errors
    /// If the samples do not fit the network, or an output is not finite.
    fn score(&self, source: &dyn Source<F>) -> Result<Score> {
        let mut trace = self.trace(source.len().min(train::CHUNK));
        let mut sum = 0.0;
        // The true class of each sample and the one it was taken for, while
        // targets name classes.
        let mut decisions = Some(Vec::new());
        train::in_chunks(source, |x, y| {
            self.check(x, y)?;
            self.predict_into(x, &mut trace);
            sum += self.loss_of(y, &mut trace);
            let y_hat = self.y_hat(&trace, y.nrows());
            check_finite("outputs", &y_hat)?;
            for (y, y_hat) in y.rows().into_iter().zip(y_hat.rows()) {
                match (self.loss().class(y), &mut decisions) {
                    (Some(class), Some(decisions)) => {
                        decisions.push([class, decide(y_hat)])
                    }
                    _ => decisions = None,
                }
            }
            Ok(())
        })?;
        let confusion = decisions.map(|decisions| {
            let classes =
                decisions.iter().flatten().max().map_or(0, |class| class + 1);
            let classes = classes.max(self.outputs()).max(2);
            let mut counts = Array2::zeros((classes, classes));
            decisions.into_iter().for_each(|decision| counts[decision] += 1);
            counts
        });
        Ok(Score { loss: sum / source.len() as f64, confusion })
    }
}

fn go_on<F: Float, N: Network<F>>(
    network: &mut N,
    mut training: Training,
    source: &dyn Source<F>,
    validation: Option<&dyn Source<F>>,
    observer: Observer,
) -> Result<History> {
    train::check(network, source, validation, &training)?;
    let result =
        train::go_on(network, source, validation, &mut training, observer);
    let history = training.history.clone();
    network.set_training(training);
    result.map(|()| history)
}

/// The class that an output row stands for.
fn decide<F: Float>(y_hat: ArrayView1<F>) -> usize {
    if y_hat.len() == 1 {
        return usize::from(y_hat[0] > F::cast(0.5));
    }
    let best = |best, i| if y_hat[i] > y_hat[best] { i } else { best };
    (1..y_hat.len()).fold(0, best)
}

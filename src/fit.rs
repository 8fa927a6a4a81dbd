//! What a network is for: to be trained, to predict, and to be judged.

use ndarray::{Array2, ArrayRef2, ArrayView1, Axis};

use crate::crew::Model;
use crate::data::Source;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::network::NeuralNetwork;
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

impl<F: Float> NeuralNetwork<F> {
    /// Trains, from the parameters and the optimizer's state as they are.
    ///
    /// # Errors
    /// If a setting or the data are out of range: nothing has changed then. Or
    /// if the loss or a parameter is no longer finite: the network has the
    /// parameters of the last step, finite or not.
    pub fn fit(
        &mut self,
        source: &dyn Source<F>,
        fit: &Fit,
        validation: Option<&dyn Source<F>>,
        observer: Observer,
    ) -> Result<History> {
        self.go_on(
            Training::new(fit.clone(), source.len()),
            source,
            validation,
            observer,
        )
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
    pub fn resume(
        &mut self,
        source: &dyn Source<F>,
        epochs: usize,
        validation: Option<&dyn Source<F>>,
        observer: Observer,
    ) -> Result<History> {
        let mut training =
            self.training.clone().ok_or(Error::NothingToResume)?;
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
        train::check(self, source, validation, &training)?;
        let result =
            train::go_on(self, source, validation, &mut training, observer);
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
    /// If the inputs have the wrong number of columns, or an input or an output
    /// is not finite.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        self.check_inputs(x)?;
        let mut y_hat = Array2::zeros((x.nrows(), self.outputs()));
        let mut trace = self.trace(x.nrows().min(train::CHUNK));
        let chunks = x.axis_chunks_iter(Axis(0), train::CHUNK);
        for (x, mut y_hat) in
            chunks.zip(y_hat.axis_chunks_iter_mut(Axis(0), train::CHUNK))
        {
            self.forward_into(&x, &mut trace);
            y_hat.assign(&trace.y_hat(x.nrows()));
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
    pub fn predict_labels(&self, x: &ArrayRef2<F>) -> Result<Vec<usize>> {
        Ok(self.predict(x)?.rows().into_iter().map(decide).collect())
    }

    /// The mean loss, and the confusion matrix if the targets are classes.
    ///
    /// # Errors
    /// If the samples do not fit the network, or an output is not finite.
    pub fn score(&self, source: &dyn Source<F>) -> Result<Score> {
        let mut trace = self.trace(source.len().min(train::CHUNK));
        let mut sum = 0.0;
        // The true class of each sample and the one it was taken for, while
        // targets name classes.
        let mut decisions = Some(Vec::new());
        train::in_chunks(source, |x, y| {
            self.check(x, y)?;
            self.forward_into(x, &mut trace);
            sum += self.loss_of(y, &mut trace);
            let y_hat = trace.y_hat(y.nrows());
            check_finite("outputs", &y_hat)?;
            for (y, y_hat) in y.rows().into_iter().zip(y_hat.rows()) {
                match (self.loss.class(y), &mut decisions) {
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

/// The class that an output row stands for.
fn decide<F: Float>(y_hat: ArrayView1<F>) -> usize {
    if y_hat.len() == 1 {
        return usize::from(y_hat[0] > F::cast(0.5));
    }
    let best = |best, i| if y_hat[i] > y_hat[best] { i } else { best };
    (1..y_hat.len()).fold(0, best)
}

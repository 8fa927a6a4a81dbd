//! What a training is told, where it stands, and what happened: everything about
//! it that can be saved.

use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
use crate::random::{Random, stream};

/// How to train.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | `batch_size` | 32 | samples for each step; the last batch of an epoch may have fewer | 1 or more |
/// | `epochs` | 10 | how often every sample is seen | 1 or more |
/// | `seed` | 0 | decides the order of the samples | any |
/// | `threads` | 1 | each batch is split between them | 1 to 64 |
/// | `patience` | none | stop after this many epochs without a lower validation loss | 1 or more |
///
/// A training that stops early leaves the parameters of its last epoch. To keep
/// the best ones, break it off after each epoch and look at
/// [`params`](crate::NeuralNetwork::params).
///
/// The same seed gives the same bits on the same machine with the same BLAS
/// kernel and the same number of threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Samples for each step.
    pub batch_size: usize,
    /// How often every sample is seen.
    pub epochs: usize,
    /// Decides the order of the samples.
    pub seed: u64,
    /// How many threads share a batch.
    pub threads: usize,
    /// Stop after this many epochs without a lower validation loss.
    pub patience: Option<usize>,
}

impl Default for Fit {
    fn default() -> Self {
        Self { batch_size: 32, epochs: 10, seed: 0, threads: 1, patience: None }
    }
}

impl Fit {
    /// Checks every setting.
    pub(crate) fn check(&self) -> Result<()> {
        let at_least_1 = |name, value: usize| {
            setting(name, "be at least 1", value as f64, value > 0)
        };
        at_least_1("the batch size", self.batch_size)?;
        at_least_1("the number of epochs", self.epochs)?;
        at_least_1("the patience", self.patience.unwrap_or(1))?;
        let ok = (1..=64).contains(&self.threads);
        setting(
            "the number of threads",
            "lie in 1 to 64",
            self.threads as f64,
            ok,
        )
    }
}

/// What happened, epoch by epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The mean loss over the samples of each epoch, as they were met.
    pub loss: Vec<f64>,
    /// The loss of the validation data after each epoch that had some: fewer than
    /// epochs, if the training began without.
    pub validation_loss: Vec<f64>,
    /// The accuracy on the validation data; empty unless they have classes.
    pub validation_accuracy: Vec<f64>,
}

/// A training, finished or not: its settings, where it stands, and what
/// happened so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// How to train.
    pub fit: Fit,
    /// How many samples there are.
    pub samples: usize,
    /// How many epochs are complete.
    pub epoch: usize,
    /// How many batches of the next epoch are done.
    pub batch: usize,
    /// The sum of their losses.
    pub loss_sum: f64,
    /// The generator as it stood before this epoch's samples were shuffled.
    pub random: Random,
    /// What happened in the complete epochs.
    pub history: History,
}

impl Training {
    /// The beginning of a training over this many samples.
    pub fn new(fit: Fit, samples: usize) -> Self {
        let random = Random::new(fit.seed, stream::SHUFFLE);
        let history = History::default();
        Self {
            fit,
            samples,
            epoch: 0,
            batch: 0,
            loss_sum: 0.0,
            random,
            history,
        }
    }

    /// Whether nothing is left to do.
    pub fn is_finished(&self) -> bool {
        self.epoch >= self.fit.epochs
            || (self.batch == 0 && self.is_out_of_patience())
    }

    fn is_out_of_patience(&self) -> bool {
        let losses = &self.history.validation_loss;
        let best = losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
        match (self.fit.patience, best) {
            (Some(patience), Some((best, _))) => {
                losses.len() - 1 - best >= patience
            }
            _ => false,
        }
    }

    /// How many batches an epoch has.
    pub fn batches(&self) -> usize {
        self.samples.div_ceil(self.fit.batch_size.max(1))
    }

    /// Checks every setting, and that the numbers fit each other: they may come
    /// from a file.
    pub(crate) fn check(&self) -> Result<()> {
        self.fit.check()?;
        let History { loss, validation_loss, validation_accuracy } =
            &self.history;
        let (name, range) =
            ("the number of batches done", "be at most that of an epoch");
        setting(name, range, self.batch as f64, self.batch <= self.batches())?;
        let (name, range) = (
            "the number of epochs done",
            "be that of the losses in the history",
        );
        setting(name, range, self.epoch as f64, self.epoch == loss.len())?;
        let (name, range) =
            ("the number of validation losses", "be at most that of epochs");
        let ok = validation_loss.len() <= self.epoch;
        setting(name, range, validation_loss.len() as f64, ok)?;
        let (name, range) = (
            "the number of validation accuracies",
            "be at most that of losses",
        );
        let ok = validation_accuracy.len() <= validation_loss.len();
        setting(name, range, validation_accuracy.len() as f64, ok)?;
        setting(
            "the sum of losses",
            "be finite",
            self.loss_sum,
            self.loss_sum.is_finite(),
        )
    }
}

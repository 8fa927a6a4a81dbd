//! The training loop: epochs of shuffled batches, over anything that is a
//! [`Model`].
//!
//! Everything the loop knows is in a [`Training`], which can be saved between
//! any two batches. A training that is resumed from there takes the very steps
//! that it would have taken without the pause.

use std::ops::ControlFlow;

use ndarray::{Array2, s};
use rand::seq::SliceRandom;

use crate::blas;
use crate::crew::Crew;
pub use crate::crew::{Model, Share};
use crate::data::Source;
use crate::error::{Error, Result, setting};
use crate::float::Float;
use crate::random::Random;
use crate::training::Training;

/// What an observer is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// A batch is done.
    Batch {
        /// The mean loss of its samples, before the step.
        loss: f64,
        /// Where the training stands now.
        training: &'a Training,
    },
    /// An epoch is complete.
    Epoch {
        /// Where the training stands now.
        training: &'a Training,
    },
}

/// Is told of every batch and every epoch, and may break the training off: it
/// can be resumed.
pub type Observer<'a> = &'a mut dyn FnMut(Event) -> ControlFlow<()>;

/// The observer that looks away.
pub fn silent(_: Event) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Goes on with a training until it is finished or the observer breaks it off.
///
/// Sets OpenBLAS to one thread, for the whole process: batches are split
/// instead.
///
/// # Errors
/// If a setting is out of range, the samples do not fit the model or have
/// changed in number since the training began, or the loss or a parameter is no
/// longer finite.
pub fn run<F: Float, M: Model<F>>(
    model: &mut M,
    source: &dyn Source<F>,
    validation: Option<&dyn Source<F>>,
    training: &mut Training,
    observer: Observer,
) -> Result<()> {
    check(model, source, validation, training)?;
    go_on(model, source, validation, training, observer)
}

/// Checks everything that can be checked before the first step.
pub(crate) fn check<F: Float, M: Model<F>>(
    model: &M,
    source: &dyn Source<F>,
    validation: Option<&dyn Source<F>>,
    training: &Training,
) -> Result<()> {
    training.check()?;
    check_source(model, source)?;
    let (expected, found) = (training.samples, source.len());
    if expected != found {
        return Err(Error::SampleCount { expected, found });
    }
    if let Some(validation) = validation {
        let in_validation =
            |error| Error::Validation { source: Box::new(error) };
        check_source(model, validation).map_err(in_validation)?;
    } else if let Some(patience) = training.fit.patience {
        let range = "come with validation data, or be None";
        setting("the patience", range, patience as f64, false)?;
    }
    Ok(())
}

/// What [`run`] does after the checks.
pub(crate) fn go_on<F: Float, M: Model<F>>(
    model: &mut M,
    source: &dyn Source<F>,
    validation: Option<&dyn Source<F>>,
    training: &mut Training,
    observer: Observer,
) -> Result<()> {
    blas::use_one_thread();
    let rows = training.fit.batch_size.min(source.len());
    Crew::new(model, source, rows, training.fit.threads).run(|crew| {
        while !training.is_finished() {
            match epoch(crew, validation, training, observer)? {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(()) => break,
            }
        }
        Ok(())
    })
}

// ANCHOR: epoch
/// The rest of an epoch: all of it, unless the training was broken off within.
fn epoch<F: Float, M: Model<F>>(
    crew: &Crew<F, M>,
    validation: Option<&dyn Source<F>>,
    training: &mut Training,
    observer: Observer,
) -> Result<ControlFlow<()>> {
    let mut rng = training.random.generator();
    crew.reorder(|order| {
        order.sort_unstable();
        order.shuffle(&mut rng);
    });
    while training.batch < training.batches() {
        let start = training.batch * training.fit.batch_size;
        let end =
            training.samples.min(start.saturating_add(training.fit.batch_size));
        let loss = crew.share_out(start..end);
        finite("the loss", training.loss_sum + loss, training)?;
        crew.step();
        training.batch += 1;
        training.loss_sum += loss;
        let loss = loss / (end - start) as f64;
        if observer(Event::Batch { loss, training }).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    let sound = if crew.model(M::is_finite) { 0.0 } else { f64::NAN };
    finite("a parameter", sound, training)?;
    if let Some(validation) = validation {
        validate(crew, validation, training)?;
    }
    training.history.loss.push(training.loss_sum / training.samples as f64);
    training.random = Random::of(training.random.seed, &rng);
    training.epoch += 1;
    training.batch = 0;
    training.loss_sum = 0.0;
    Ok(observer(Event::Epoch { training }))
}
// ANCHOR_END: epoch

/// Records the loss and the accuracy on samples that do not train.
fn validate<F: Float, M: Model<F>>(
    crew: &Crew<F, M>,
    validation: &dyn Source<F>,
    training: &mut Training,
) -> Result<()> {
    let (loss, accuracy) = crew.model(|model| model.evaluate(validation))?;
    finite("the validation loss", loss, training)?;
    training.history.validation_loss.push(loss);
    training.history.validation_accuracy.extend(accuracy);
    Ok(())
}

fn finite(what: &'static str, value: f64, training: &Training) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    let batch = training.batches().min(training.batch + 1);
    Err(Error::Diverged { what, epoch: training.epoch + 1, batch, value })
}

/// Looks at every sample once, before the first step is taken.
pub(crate) fn check_source<F: Float, M: Model<F>>(
    model: &M,
    source: &dyn Source<F>,
) -> Result<()> {
    in_chunks(source, |x, y| model.check(x, y))
}

/// Visits all samples in order, some hundred at a time. Rows in an error of the
/// visitor are counted from the first of all.
///
/// # Errors
/// If there are no samples, or the visitor's first.
pub(crate) fn in_chunks<F: Float>(
    source: &dyn Source<F>,
    mut visit: impl FnMut(
        &ndarray::ArrayRef2<F>,
        &ndarray::ArrayRef2<F>,
    ) -> Result<()>,
) -> Result<()> {
    if source.is_empty() {
        return Err(Error::Empty { what: "the list of samples" });
    }
    let size = CHUNK.min(source.len());
    let mut x = Array2::zeros((size, source.input_columns()));
    let mut y = Array2::zeros((size, source.target_columns()));
    let mut rows = Vec::with_capacity(size);
    for first in (0..source.len()).step_by(CHUNK) {
        rows.clear();
        rows.extend(first..source.len().min(first + CHUNK));
        let mut x = x.slice_mut(s![..rows.len(), ..]);
        let mut y = y.slice_mut(s![..rows.len(), ..]);
        source.gather(&rows, &mut x, &mut y);
        visit(&x, &y).map_err(|error| error.in_rows_from(first))?;
    }
    Ok(())
}

/// How many samples are looked at together when there is nothing to be learned
/// from them.
pub(crate) const CHUNK: usize = 256;

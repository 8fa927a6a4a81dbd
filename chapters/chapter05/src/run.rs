//! Trainings that are watched, and broken off.

use std::ops::ControlFlow;

use gradus::{Event, Mnist};
use lab::{Progress, Result};

use crate::args::Args;

/// A training that notes the loss of every batch, and may stop after some of them.
#[derive(Default)]
pub struct Run {
    /// The loss of every batch so far.
    pub losses: Vec<f64>,
    stop: Option<usize>,
}

impl Run {
    /// Until this many batches are done.
    pub fn of(batches: usize) -> Self {
        Self { losses: Vec::new(), stop: Some(batches) }
    }

    // ANCHOR: observe
    /// Takes note of a batch, and breaks the training off after the last that
    /// is wanted.
    pub fn observe(&mut self, event: Event) -> ControlFlow<()> {
        if let Event::Batch { loss, .. } = event {
            self.losses.push(loss);
        }
        if self.stop == Some(self.losses.len()) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
    // ANCHOR_END: observe

    /// The same, and shows how far the training is.
    pub fn observe_with(&mut self, progress: &mut Progress, event: Event) -> ControlFlow<()> {
        let _ = progress.observe(event);
        self.observe(event)
    }
}

/// The middle of a training, moved to the middle of an epoch: how many batches are done.
pub fn half_way(images: &Mnist, args: &Args) -> Result<usize> {
    let n = images.train.labels().len();
    let batches = n.div_ceil(args.batch_size);
    if batches < 2 {
        let (size, fix) = (args.batch_size, format!("choose less than {n}"));
        return Err(format!("--batch-size {size} makes epochs of one step: {fix}").into());
    }
    Ok(args.epochs / 2 * batches + batches / 2)
}

/// The means of each `width` neighbours: as many less as one needs to begin with.
pub fn smoothed(numbers: &[f64], width: usize) -> Vec<f64> {
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / numbers.len() as f64;
    numbers.windows(width.min(numbers.len()).max(1)).map(mean).collect()
}

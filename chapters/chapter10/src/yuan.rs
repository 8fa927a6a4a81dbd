//! The command line of a tutorial, and the training that it runs.

use std::ops::ControlFlow;
use std::time::Instant;

use gradus::{Event, Fit, Float, Mnist, Network, NeuralNetwork};
use lab::{Lab, Result};

use crate::args::{Choice, Precision, Training};

/// An epoch, as it is printed.
pub struct Epoch {
    /// Seconds of training so far, without what is in between.
    pub seconds: f64,
    /// Loss and accuracy on the images learned from.
    pub train: (f64, f64),
    /// The same on the test images.
    pub test: (f64, f64),
}

/// Trains as chosen, and prints a line for each epoch.
pub fn run(choice: &Choice, images: &Mnist, lab: &mut Lab) -> Result<Epoch> {
    match choice.precision {
        Precision::F32 => run_in(choice, choice.network::<f32>()?, images, lab),
        Precision::F64 => run_in(choice, choice.network::<f64>()?, images, lab),
    }
}

// ANCHOR: run_in
fn run_in<F: Float>(
    choice: &Choice,
    mut network: NeuralNetwork<F>,
    images: &Mnist,
    lab: &mut Lab,
) -> Result<Epoch> {
    lab.say("epoch  seconds  train loss  accuracy  test loss  accuracy");
    lab.say("─────  ───────  ──────────  ────────  ─────────  ────────");
    let (mut seconds, mut last) = (0.0, None);
    for epochs in 1..=choice.fit.epochs {
        seconds += one_epoch(&mut network, choice, epochs, images)?;
        let train = network.score(&images.train)?;
        let test = network.score(&images.test)?;
        let train = (train.loss, train.accuracy().unwrap_or_default());
        let test = (test.loss, test.accuracy().unwrap_or_default());
        lab.say(format!(
            "{epochs:5}  {seconds:7.2}  {:10.4}  {:6.2} %  {:9.4}  {:6.2} %",
            train.0,
            100.0 * train.1,
            test.0,
            100.0 * test.1,
        ));
        last = Some(Epoch { seconds, train, test });
    }
    last.ok_or_else(|| "a training has at least one epoch".into())
}
// ANCHOR_END: run_in

/// Goes on until this many epochs are complete. Returns the seconds that the last one took: a
/// training that is resumed first looks at all images, which is not counted.
fn one_epoch<F: Float>(
    network: &mut NeuralNetwork<F>,
    choice: &Choice,
    epochs: usize,
    images: &Mnist,
) -> Result<f64> {
    let mut first: Option<Instant> = None;
    let mut seconds = 0.0;
    let mut watch = |event: Event| {
        if let Event::Batch { training, .. } = event {
            let begin = *first.get_or_insert_with(Instant::now);
            let (batches, all) = (training.batch as f64 - 1.0, training.batches() as f64);
            seconds = begin.elapsed().as_secs_f64() / batches.max(1.0) * all;
        }
        ControlFlow::Continue(())
    };
    let source = &images.train;
    if epochs == 1 {
        network.fit(source, &Fit { epochs, ..choice.fit.clone() }, None, &mut watch)?;
    } else {
        network.resume(source, epochs, None, &mut watch)?;
    }
    Ok(seconds)
}

/// The tutorial's own settings.
pub fn its_own_settings(seed: u64, images: &Mnist, lab: &mut Lab) -> Result<()> {
    lab.section("yuan", "The tutorial's own settings")?;
    lab.section_machine();
    let choice = Training::default().choice(seed)?;
    lab.say(format!("{}:\n", choice.words()));
    let Epoch { seconds, train, test } = run(&choice, images, lab)?;
    lab.say(format!(
        "\nThe training alone took {seconds:.2} seconds. The tutorial promises about 98 % on the test\n\
         images in about 10 s; here they are {:.2} %.",
        100.0 * test.1
    ));
    lab.machine("yuan_seconds", seconds, "s");
    lab.near("yuan_accuracy", test.1, 0.005);
    lab.near("yuan_train_accuracy", train.1, 0.005);
    Ok(())
}

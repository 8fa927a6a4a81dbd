//! Early stopping: the epoch at which new samples say that it is enough.

use gradus::{Fit, Network, Samples, Sequential, toy, train};
use lab::text::number;
use lab::{Lab, Lines, Result, Table};

use crate::heart::best;
use crate::moons::{self, EPOCHS, NOISE, RUNS, SAMPLES};
use crate::stats::{Mean, epochs, percent};

/// How many epochs without a lower validation loss are waited for.
const PATIENCE: usize = 100;

/// Samples that decide when to stop.
fn validation(run: u64) -> Result<Samples<f64>> {
    Ok(toy::moons(SAMPLES, NOISE, run.wrapping_add(2_000_000))?)
}

// ANCHOR: keep_best
/// Trains until the validation loss has not fallen for some epochs, and gives
/// the network the parameters of the epoch in which it was lowest.
fn keep_best(
    network: &mut Sequential<f64>,
    samples: &Samples<f64>,
    validation: &Samples<f64>,
    fit: &Fit,
) -> gradus::Result<Vec<f64>> {
    let mut epoch = Fit { epochs: 1, ..fit.clone() };
    let silent = &mut train::silent;
    let mut history = network.fit(samples, &epoch, Some(validation), silent)?;
    let (mut kept, mut lowest) = (network.params().clone(), f64::INFINITY);
    while history.validation_loss.len() == epoch.epochs {
        if history.validation_loss[epoch.epochs - 1] < lowest {
            lowest = history.validation_loss[epoch.epochs - 1];
            kept.assign(network.params());
        }
        if epoch.epochs == fit.epochs {
            break;
        }
        epoch.epochs += 1;
        // Out of patience, it takes no step, and the history stays as it is.
        let epochs = epoch.epochs;
        history = network.resume(samples, epochs, Some(validation), silent)?;
    }
    network.set_params(&kept)?;
    Ok(history.validation_loss)
}
// ANCHOR_END: keep_best

/// One training: where it stops, and how the best epoch is kept.
pub fn one_training(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("stopping", "Early stopping")?;
    lab.section_near(0.02);
    let (samples, validation, new) =
        (moons::learned_from(seed)?, validation(seed)?, moons::new(seed)?);
    let patient = fit(Some(PATIENCE));
    let mut network = moons::large(moons::momentum()?, seed)?;
    let history = network.fit(&samples, &patient, Some(&validation), &mut train::silent)?;
    let (stop, lowest) = (history.loss.len(), best(&history.validation_loss));
    let at_stop = moons::verdict(&network, &new)?;
    let mut kept = moons::large(moons::momentum()?, seed)?;
    keep_best(&mut kept, &samples, &validation, &patient)?;
    let at_best = moons::verdict(&kept, &new)?;
    let mut through = moons::large(moons::momentum()?, seed)?;
    let all = through.fit(&samples, &fit(None), Some(&validation), &mut train::silent)?;
    let at_end = moons::verdict(&through, &new)?;
    lab.say(format!(
        "{SAMPLES} samples to learn from, {SAMPLES} others to decide when to stop, {} to judge. With a\n\
         patience of {PATIENCE} epochs:\n",
        moons::NEW,
    ));
    let mut table =
        Table::new(&["parameters of", "epoch", "validation loss", "new samples", "right"]);
    let rows = [
        ("the lowest validation loss", "best", lowest + 1, at_best),
        ("the epoch where patience ends", "stop", stop, at_stop),
        ("the last epoch, had it gone on", "end", EPOCHS, at_end),
    ];
    for (name, key, epoch, (loss, accuracy)) in rows {
        let validation = all.validation_loss[epoch - 1];
        let cells = [epoch.to_string(), number(validation), number(loss), percent(accuracy)];
        table.push([vec![name.into()], cells.into()].concat());
        lab.near(&format!("stopping_{key}_epoch"), epoch as f64, 0.1);
        lab.near(&format!("stopping_{key}_loss"), loss, 0.02);
        lab.near(&format!("stopping_{key}_accuracy"), accuracy, 0.01);
    }
    lab.table(&table);
    lab.figure(
        "stopping",
        "Loss of the 100 samples and of 100 others by epoch. Vertical lines: the epoch of the lowest \
         validation loss, and that in which a patience of 100 epochs ends.",
        "The training loss falls steadily. The validation loss falls, has a flat minimum in the \
         second hundred of epochs, and then climbs for the rest of the training.",
        &Lines::new("epoch", "mean loss")
            .series("samples", epochs(EPOCHS), all.loss.iter().copied())
            .series("validation", epochs(EPOCHS), all.validation_loss.iter().copied())
            .vertical("lowest", (lowest + 1) as f64)
            .vertical("stop", stop as f64),
    )
}

fn fit(patience: Option<usize>) -> Fit {
    Fit { epochs: EPOCHS, batch_size: SAMPLES, patience, ..Fit::default() }
}

/// The same for several draws of all samples.
pub fn many_trainings(lab: &mut Lab) -> Result<()> {
    lab.section("stopping_runs", "Stopping, many times")?;
    lab.section_near(0.02);
    let new = moons::new(0)?;
    let mut runs = Vec::new();
    for run in 1..=2 * RUNS {
        let samples = moons::learned_from(run)?;
        let validation = validation(run)?;
        let mut kept = moons::large(moons::momentum()?, run)?;
        let losses = keep_best(&mut kept, &samples, &validation, &fit(Some(PATIENCE)))?;
        let mut through = moons::large(moons::momentum()?, run)?;
        moons::learn(&mut through, &samples, EPOCHS, None)?;
        let epoch = (best(&losses) + 1) as f64;
        let (stopped, end) = (moons::verdict(&kept, &new)?, moons::verdict(&through, &new)?);
        runs.push([epoch, losses[best(&losses)], stopped.0, stopped.1, end.0, end.1]);
    }
    let mean = |part: usize| Mean::over(&runs, |run| run[part]);
    let spread = |pick: fn(f64, f64) -> f64| runs.iter().map(|run| run[0]).reduce(pick);
    let (first, last) =
        (spread(f64::min).unwrap_or_default(), spread(f64::max).unwrap_or_default());
    lab.say(format!(
        "{} trainings with samples of their own. The best epochs lie between {first} and {last}. Means,\n\
         ± standard error:\n",
        runs.len(),
    ));
    let mut table = Table::new(&["", "loss, new samples", "right"]);
    for (name, key, loss) in [("best epoch kept", "kept", 2), ("all epochs", "end", 4)] {
        let (loss, accuracy) = (mean(loss), mean(loss + 1));
        table.push(vec![name.into(), loss.loss(), accuracy.share()]);
        lab.near(&format!("stopping_runs_{key}_loss"), loss.mean, 0.02);
        lab.near(&format!("stopping_runs_{key}_loss_error"), loss.error, 0.02);
        lab.near(&format!("stopping_runs_{key}_accuracy"), accuracy.mean, 0.005);
        lab.near(&format!("stopping_runs_{key}_accuracy_error"), accuracy.error, 0.002);
    }
    lab.table(&table);
    let gain = Mean::over(&runs, |run| run[3] - run[5]);
    lab.say(format!(
        "\nThe loss is {} of what it was. The accuracy gains {}, training by training:\n\
         with that error, it may as well gain nothing.",
        percent(mean(2).mean / mean(4).mean),
        gain.share(),
    ));
    lab.near("stopping_loss_left", mean(2).mean / mean(4).mean, 0.01);
    lab.near("stopping_gain", gain.mean, 1e-3);
    lab.near("stopping_gain_error", gain.error, 1e-3);
    let optimism = Mean::over(&runs, |run| run[2] - run[1]);
    lab.say(format!(
        "\nThe loss of the validation samples, at the epoch that they chose, was {} below\n\
         that of new samples: a number that was used to choose has become part of the training.",
        optimism.loss(),
    ));
    lab.near("stopping_runs_first", first, 0.1);
    lab.near("stopping_runs_last", last, 0.1);
    lab.near("stopping_runs_epoch", mean(0).mean, 0.05);
    lab.near("stopping_optimism", optimism.mean, 0.005);
    lab.near("stopping_optimism_error", optimism.error, 0.005);
    Ok(())
}

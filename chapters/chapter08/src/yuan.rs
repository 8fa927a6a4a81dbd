//! Section 14, continued: the program of a tutorial, with its moving average of gradients.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use gradus::{
    CategoricalCrossEntropy, Error, Fit, Init, MovingAverage, Network, NeuralNetwork, Relu,
    Sigmoid, Softmax,
};
use lab::{Lab, Result, Table};

use crate::mnist::{Digits, SEEDS};

/// The command that trains.
const COMMAND: &str = "cargo run --bin chapter08 -- --full";

/// Hidden activation and rate, and which accuracy the tutorial's own program came to here.
const RUNS: [(&str, f64, &str); 3] =
    [("sigmoid", 4.0, "98 %"), ("ReLU", 0.1, "93 %"), ("ReLU", 1.0, "NaN")];

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("yuan.csv")
}

/// Trains on all of MNIST, and stores the accuracies.
pub fn train(seed: u64, digits: &Digits, lab: &mut Lab) -> Result<()> {
    let mut text = format!("# {COMMAND}\nactivation,rate,mean accuracy,worst,best\n");
    for (activation, rate, _) in RUNS {
        let mut accuracies = Vec::new();
        for seed in seed..seed + SEEDS {
            match one(activation, rate, seed, digits, lab) {
                Ok(accuracy) => accuracies.push(accuracy),
                Err(error) if matches!(error.downcast_ref(), Some(Error::Diverged { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        let mean = accuracies.iter().sum::<f64>() / SEEDS as f64;
        let worst = accuracies.iter().copied().fold(1.0, f64::min);
        let best = accuracies.iter().copied().fold(0.0, f64::max);
        let all = accuracies.len() as u64 == SEEDS;
        let found = if all { format!("{mean},{worst},{best}") } else { ",,".into() };
        let _ = writeln!(text, "{activation},{rate},{found}");
    }
    Ok(fs::write(file(), text).map_err(|e| format!("cannot write {}: {e}", file().display()))?)
}

/// The accuracy on the test images after ten epochs.
fn one(activation: &str, rate: f64, seed: u64, digits: &Digits, lab: &mut Lab) -> Result<f64> {
    let (loss, average) = (CategoricalCrossEntropy, MovingAverage::new(rate, 0.9)?);
    let (sizes, init) = ([784, 64, 10], Init::LeCun);
    let mut network = if activation == "ReLU" {
        NeuralNetwork::<f32>::new(&sizes, Relu, Softmax, loss, average, init, seed)?
    } else {
        NeuralNetwork::<f32>::new(&sizes, Sigmoid, Softmax, loss, average, init, seed)?
    };
    let fit = Fit { batch_size: 128, epochs: 10, seed, ..Fit::default() };
    let mut progress = lab.progress(&format!("{activation}, rate {rate}"));
    network.fit(&digits.all().train, &fit, None, &mut |event| progress.observe(event))?;
    progress.finish();
    Ok(network.score(&digits.all().test)?.accuracy().unwrap_or_default())
}

/// Tells what was stored.
pub fn tell(lab: &mut Lab) -> Result<()> {
    lab.section("yuan", "    The network of a tutorial")?;
    let path = file();
    let wrong = |what: &str| format!("{}: {what}; {COMMAND} makes it anew", path.display());
    let text = fs::read_to_string(&path).map_err(|error| wrong(&error.to_string()))?;
    lab.say(format!(
        "784-64-10, a moving average of gradients with β = 0.9, batches of 128, ten epochs on all of\n\
         MNIST; the mean of {SEEDS} trainings, the worst and the best: stored by\n\
         {COMMAND}.\n\
         Beside them, what the tutorial's own program, whose ReLU has the derivative 1 everywhere,\n\
         printed with the same settings. It prints two digits.\n",
    ));
    let mut table = Table::new(&[
        "hidden activation",
        "rate",
        "test accuracy",
        "worst",
        "best",
        "the tutorial's",
    ]);
    for (activation, rate, theirs) in RUNS {
        let begin = format!("{activation},{rate},");
        let row = text.lines().find_map(|line| line.strip_prefix(&begin));
        let found = row.ok_or_else(|| wrong(&format!("no row begins with {begin:?}")))?;
        let mut cells = vec![activation.to_owned(), rate.to_string()];
        let name = format!("yuan_{}_{rate}", activation.to_lowercase()).replace('.', "_");
        let parts = ["", "_worst", "_best"];
        if found.split(',').count() != parts.len() {
            return Err(wrong(&format!("{found:?} is not three numbers")).into());
        }
        for (part, accuracy) in parts.iter().zip(found.split(',')) {
            if found == ",," {
                cells.push("diverges".into());
                continue;
            }
            let accuracy: f64 = accuracy.parse().map_err(|_| wrong("no number"))?;
            lab.near(&format!("{name}{part}"), accuracy, 1e-9);
            cells.push(format!("{:.2} %", 100.0 * accuracy));
        }
        cells.push(theirs.into());
        table.push(cells);
    }
    lab.table(&table);
    Ok(())
}

//! All 60,000 digits: a training that takes minutes, and the file that keeps what came of it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use gradus::{Adam, Fit, History, Mnist, Schedule, Scheduled};
use lab::{Lab, Lines, Panels, Result, Table};

use crate::networks::{self, convolutional};

/// The network, and how it is trained.
pub const CHANNELS: [usize; 2] = [16, 32];
const EPOCHS: usize = 8;
const BATCH: usize = 100;
const RATE: f64 = 0.003;

/// The command that trains.
const COMMAND: &str = "cargo run --bin chapter07 -- --full";

/// How many threads share a batch, unless it is said otherwise.
pub const THREADS: usize = 2;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("full.csv")
}

/// Trains the network, and stores what came of it.
pub fn train(seed: u64, threads: usize, images: &Mnist, lab: &mut Lab) -> Result<()> {
    let steps = EPOCHS * images.train.labels().len().div_ceil(BATCH);
    let schedule = Schedule::OneCycle { steps, peak: steps / 4 };
    let adam = Scheduled::new(Adam::new(RATE)?, schedule)?;
    let mut network = convolutional(CHANNELS, adam, seed)?;
    let fit = Fit { batch_size: BATCH, epochs: EPOCHS, seed, threads, patience: None };
    let start = Instant::now();
    let label = "all digits";
    let trained =
        networks::train(lab, label, &mut network, &images.train, Some(&images.test), &fit)?;
    let stored = Stored {
        command: command(seed, threads),
        machine: lab::machine(),
        seconds: start.elapsed().as_secs_f64().round(),
        parameters: network.params().len(),
        epochs: epochs(&trained.history),
    };
    let path = file();
    Ok(fs::write(&path, stored.text())
        .map_err(|e| format!("cannot write {}: {e}", path.display()))?)
}

/// What is known of an epoch: the mean training loss, and loss and accuracy on the test digits.
struct Epoch {
    loss: f64,
    test_loss: f64,
    accuracy: f64,
}

fn epochs(history: &History) -> Vec<Epoch> {
    let tests = history.validation_loss.iter().zip(&history.validation_accuracy);
    let epochs = history.loss.iter().zip(tests);
    epochs.map(|(&loss, (&test_loss, &accuracy))| Epoch { loss, test_loss, accuracy }).collect()
}

/// What came of the training, as it is stored.
pub struct Stored {
    command: String,
    machine: String,
    seconds: f64,
    parameters: usize,
    epochs: Vec<Epoch>,
}

/// What stands before the numbers, line by line.
const HEAD: [&str; 4] = ["command", "machine", "seconds", "parameters"];

impl Stored {
    fn text(&self) -> String {
        let (seconds, parameters) = (self.seconds.to_string(), self.parameters.to_string());
        let values = [&self.command, &self.machine, &seconds, &parameters];
        let mut text = String::new();
        for (name, value) in HEAD.into_iter().zip(values) {
            let _ = writeln!(text, "# {name}: {value}");
        }
        text.push_str("training loss,test loss,test accuracy\n");
        for Epoch { loss, test_loss, accuracy } in &self.epochs {
            let _ = writeln!(text, "{loss:.6},{test_loss:.6},{accuracy}");
        }
        text
    }

    /// Reads what the last full run has stored.
    pub fn read() -> Result<Self> {
        let path = file();
        let wrong = |what: String| format!("{}: {what}; {COMMAND} makes it anew", path.display());
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        Ok(Self::parse(&text).ok_or_else(|| wrong("is not what a full run stores".into()))?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut head = HEAD.into_iter().map(|name| {
            let line = lines.next()?.strip_prefix("# ")?;
            Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned())
        });
        let (command, machine) = (head.next()??, head.next()??);
        let (seconds, parameters) = (head.next()??, head.next()??);
        drop(head);
        let epoch = |line: &str| {
            let numbers: Vec<f64> =
                line.split(",").map(|number| number.parse().ok()).collect::<Option<_>>()?;
            let [loss, test_loss, accuracy] = numbers[..] else { return None };
            Some(Epoch { loss, test_loss, accuracy })
        };
        let epochs: Vec<Epoch> = lines.skip(1).map(epoch).collect::<Option<_>>()?;
        let (seconds, parameters) = (seconds.parse().ok()?, parameters.parse().ok()?);
        (!epochs.is_empty()).then_some(Self { command, machine, seconds, parameters, epochs })
    }
}

/// What was typed.
fn command(seed: u64, threads: usize) -> String {
    let mut command = COMMAND.to_owned();
    if threads != THREADS {
        let _ = write!(command, " --threads {threads}");
    }
    if seed != 1 {
        let _ = write!(command, " --seed {seed}");
    }
    command
}

/// What the last full run has found.
pub fn account(stored: &Stored, lab: &mut Lab) -> Result<()> {
    lab.section("full", "All 60,000 digits")?;
    let [first, second] = CHANNELS;
    let Stored { command, machine, seconds, parameters, epochs } = stored;
    lab.say(format!(
        "The same network with {first} and {second} channels, {} parameters, on all 60,000 digits: {} epochs,\n\
         batches of {BATCH}, Adam with rates up to {RATE} in one cycle. This is what\n\n    {command}\n\n\
         has stored, which took {seconds} s on {machine}:\n",
        lab::text::thousands(*parameters),
        epochs.len(),
    ));
    let mut table = Table::new(&["epoch", "training loss", "test loss", "test accuracy"]);
    for (i, Epoch { loss, test_loss, accuracy }) in epochs.iter().enumerate() {
        let accuracy = format!("{:.2} %", 100.0 * accuracy);
        let numbers = [format!("{loss:.4}"), format!("{test_loss:.4}"), accuracy];
        table.push([vec![(i + 1).to_string()], numbers.to_vec()].concat());
    }
    lab.table(&table);
    let accuracy = epochs.last().ok_or("a full run has epochs")?.accuracy;
    let mistakes = ((1.0 - accuracy) * 10_000.0).round() as usize;
    lab.say(format!("\nIt misreads {mistakes} of 10,000 test digits."));
    lab.exact("full_accuracy", accuracy);
    lab.exact("full_mistakes", mistakes);
    lab.exact("full_epochs", epochs.len());
    lab.exact("full_parameters", *parameters);
    lab.exact("full_seconds", *seconds);
    let count = || (1..).map(f64::from);
    let loss = Lines::new("epoch", "loss")
        .series("training digits", count(), epochs.iter().map(|epoch| epoch.loss))
        .series("test digits", count(), epochs.iter().map(|epoch| epoch.test_loss))
        .log_y();
    let misread = epochs.iter().map(|epoch| 100.0 * (1.0 - epoch.accuracy));
    let misread = Lines::new("epoch", "misread, in %").series("test digits", count(), misread);
    lab.figure(
        "full",
        &format!(
            "The network with {first} and {second} channels on all 60,000 digits, {} epochs: the loss, and \
             the share of the 10,000 test digits that is misread.",
            epochs.len()
        ),
        "Two plots. Left: two falling curves, of which that of the training digits ends far below \
         that of the test digits. Right: the share of misread digits falls below one in a hundred.",
        &Panels::new(2).panel("loss", loss).panel("test digits", misread),
    )
}

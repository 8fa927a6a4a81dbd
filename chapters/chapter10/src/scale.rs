//! How the time grows.

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::time::Instant;

use gradus::{
    Bytes, CategoricalCrossEntropy, Event, Fit, Init, Momentum, Network, NeuralNetwork, Relu,
    Softmax,
};
use lab::{Lab, Lines, Result, Table};
use ndarray::s;

use crate::measure::median;
use crate::skipping::line;
use crate::stored::Stored;
use crate::task::{BATCH, SAMPLES, Task, stored};

/// The command that measures.
const COMMAND: &str = "cargo run --bin chapter10 -- --scale";

/// How many times as large things become.
const FACTORS: [usize; 6] = [1, 2, 3, 5, 7, 10];

/// How often a time is taken.
const ROUNDS: usize = 5;

/// What grows, and from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Width,
    Batch,
    Depth,
    Samples,
}

const ALL: [(What, &str, &str); 4] = [
    (What::Width, "width", "units of the hidden layer, from 64"),
    (What::Batch, "batch", "images of a batch, from 128"),
    (What::Depth, "depth", "hidden layers of 64 units, from 1"),
    (What::Samples, "samples", "images learned from, from 6,000"),
];

/// A training of some size.
#[derive(Debug, Clone, PartialEq)]
struct Size {
    hidden: Vec<usize>,
    batch: usize,
    samples: usize,
}

impl What {
    fn times(self, factor: usize) -> Size {
        let usual = Size { hidden: vec![64], batch: BATCH, samples: SAMPLES };
        match self {
            What::Width => Size { hidden: vec![64 * factor], ..usual },
            What::Batch => Size { batch: BATCH * factor, ..usual },
            What::Depth => Size { hidden: vec![64; factor], ..usual },
            What::Samples => Size { samples: SAMPLES / 10 * factor, ..usual },
        }
    }
}

impl Size {
    /// Milliseconds of an epoch, after a first one that is not timed.
    fn epoch(&self, images: &Bytes) -> Result<f64> {
        let sizes = [&[784], &self.hidden[..], &[10]].concat();
        // A rate so small that ten layers go on learning.
        let (loss, momentum) = (CategoricalCrossEntropy, Momentum::new(0.01, 0.9)?);
        let mut network =
            NeuralNetwork::<f32>::new(&sizes, Relu, Softmax, loss, momentum, Init::He, 1)?;
        let fit = Fit { batch_size: self.batch, epochs: 2, seed: 1, ..Fit::default() };
        let (mut begin, mut seconds) = (Instant::now(), 0.0);
        network.fit(images, &fit, None, &mut |event| {
            if let Event::Epoch { .. } = event {
                seconds = begin.elapsed().as_secs_f64();
                begin = Instant::now();
            }
            ControlFlow::Continue(())
        })?;
        Ok(1e3 * seconds)
    }
}

/// Measures everything, and stores it.
pub fn measure(task: &Task, lab: &mut Lab) -> Result<()> {
    let train = &task.images.train;
    let mut text = format!("# {COMMAND}\n# {}\n", lab::machine());
    let mut times = vec![vec![Vec::new(); FACTORS.len()]; ALL.len()];
    // In turn, so that a noisy minute hits all alike.
    for _ in 0..ROUNDS {
        for (times, (what, _, _)) in times.iter_mut().zip(ALL) {
            for (times, factor) in times.iter_mut().zip(FACTORS) {
                let size = what.times(factor);
                let bytes = train.bytes().slice(s![..size.samples, ..]).to_owned();
                let labels = train.labels()[..size.samples].to_vec();
                let images = Bytes::new(bytes, labels, 1.0 / 255.0, 10)?;
                times.push(size.epoch(&images)?);
            }
        }
    }
    for (times, (_, name, _)) in times.iter().zip(ALL) {
        for (times, factor) in times.iter().zip(FACTORS) {
            let _ = writeln!(text, "{name},{factor},{:.3}", median(times));
            lab.say(format!("{name} × {factor}: {:.1} ms", median(times)));
        }
    }
    Ok(fs::write(stored("scale.csv"), text)?)
}

/// An exponent as it is printed: one that rounds to zero has no sign.
fn two_digits(exponent: f64) -> String {
    format!("{:.2}", if exponent.abs() < 0.005 { 0.0 } else { exponent })
}

/// How the time grows, as it was stored.
pub fn tell(lab: &mut Lab) -> Result<()> {
    let file = Stored::read("scale.csv", COMMAND)?;
    lab.section("scale", "How the time grows")?;
    lab.say(format!("Stored by {COMMAND}, on\n{}.\n", file.machine()));
    let header: Vec<String> = FACTORS.iter().map(|factor| format!("× {factor}")).collect();
    let columns = ["ms an epoch".to_owned()].into_iter().chain(header).chain(["exponent".into()]);
    let mut table = Table::new(&columns.collect::<Vec<_>>());
    let mut figure = Lines::new("times as large", "times as long").log_x().log_y();
    for (_, name, what) in ALL {
        let mut points = Vec::new();
        for row in file.rows(&[name]) {
            let [factor, ms] = file.numbers::<2>(row)?;
            points.push((factor, ms));
        }
        if points.len() != FACTORS.len() {
            return Err(file.wrong(&format!("{} rows of {name}", points.len())).into());
        }
        let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
        let (at_1, exponent) = line(&logs);
        let told = two_digits(exponent);
        let cells = points.iter().map(|(_, ms)| format!("{ms:.0}"));
        let cells = [what.to_owned()].into_iter().chain(cells);
        table.push(cells.chain([told.clone()]).collect());
        lab.near(&format!("scale_{name}"), exponent, 1e-9);
        let first = points[0].1;
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().map(|(x, y)| (*x, y / first)).unzip();
        let fitted = [1.0, 10.0].map(|x: f64| (at_1 + exponent * x.ln()).exp() / first);
        let name = format!("{name}, exponent {told}");
        figure = figure.points(&name, xs, ys).dashed(&name, [1.0, 10.0], fitted);
    }
    lab.table(&table);
    lab.figure(
        "scale",
        "The time of an epoch against the width of the hidden layer, the size of the batches, the \
         number of hidden layers and the number of images, each for itself, on logarithmic axes, \
         and straight lines through them, whose slopes are the exponents. One thread, f32.",
        "Points along four dashed lines from one corner. That of samples rises by the same factor \
         as it goes to the right; those of width and depth rise less steeply at first; that of the \
         batch is level or falls.",
        &figure,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_that_rounds_to_zero_has_no_sign() {
        let printed = [-0.000_45, 0.004, -0.006, -0.5, 0.784].map(two_digits);
        assert_eq!(printed, ["0.00", "0.00", "-0.01", "-0.50", "0.78"]);
    }

    #[test]
    fn one_size_grows_at_a_time() {
        let usual = Size { hidden: vec![64], batch: 128, samples: 60_000 };
        assert_eq!(What::Width.times(1), usual);
        assert_eq!(What::Width.times(10), Size { hidden: vec![640], ..usual.clone() });
        assert_eq!(What::Batch.times(3), Size { batch: 384, ..usual.clone() });
        assert_eq!(What::Depth.times(2), Size { hidden: vec![64, 64], ..usual.clone() });
        assert_eq!(What::Samples.times(10), usual);
        assert_eq!(What::Samples.times(1).samples, 6_000);
    }
}

//! Task P, with which the book compares this library with others: MNIST, 784-64-10, ReLU,
//! softmax with cross-entropy, batches of 128, momentum 0.9 at rate 0.1, 10 epochs. It prints
//! one line of JSON, and the time in it is that of `fit`.
//!
//! `cargo run --release --example task_p -- --threads 2 --seed 1`; other options are
//! `--epochs 10`, `--precision f64`, `--sequential` for a [`Sequential`] of the same layers,
//! and `--race` for the way to 98 % of which chapter 10 tells.

use std::path::Path;
use std::str::FromStr;
use std::time::Instant;
use std::{env, error, process};

use gradus::{
    Activate, Bytes, CategoricalCrossEntropy, Dense, Fit, Float, Init, Mnist, Momentum, Network,
    NeuralNetwork, Optimizer, Output, Part, Relu, Sequential, Shape, Softmax, Source, blas, layers,
    train,
};
use ndarray::{Array1, ArrayRef1, ArrayRef2, Zip};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

/// What the command line asks for.
struct Args {
    threads: usize,
    seed: u64,
    epochs: Option<usize>,
    precision: String,
    sequential: bool,
    race: bool,
}

impl Args {
    fn read() -> Result<Self> {
        let (mut words, mut args) = (env::args().skip(1), Self::default());
        while let Some(word) = words.next() {
            match &word[..] {
                "--threads" => args.threads = value(words.next())?,
                "--seed" => args.seed = value(words.next())?,
                "--epochs" => args.epochs = Some(value(words.next())?),
                "--precision" => args.precision = value(words.next())?,
                "--sequential" => args.sequential = true,
                "--race" => args.race = true,
                _ => return Err(format!("there is no option {word}").into()),
            }
        }
        Ok(args)
    }
}

impl Default for Args {
    fn default() -> Self {
        let (threads, seed, epochs, precision) = (1, 0, None, "f32".to_owned());
        Self { threads, seed, epochs, precision, sequential: false, race: false }
    }
}

fn value<T: FromStr>(word: Option<String>) -> Result<T> {
    let value = word.as_deref().and_then(|word| word.parse().ok());
    value.ok_or_else(|| "an option needs its value".into())
}

fn main() {
    let result = Args::read().and_then(|args| match &args.precision[..] {
        "f32" => task::<f32>(&args),
        "f64" => task::<f64>(&args),
        _ => Err("the precision is f32 or f64".into()),
    });
    if let Err(error) = result {
        eprintln!("error: {error}");
        process::exit(1);
    }
}

/// Makes the network that was asked for, and trains it.
fn task<F: Float>(args: &Args) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    let Mnist { train, test } = Mnist::read(folder)?;
    let epochs = args.epochs.unwrap_or(if args.race { 4 } else { 10 });
    let fit =
        Fit { batch_size: 128, epochs, seed: args.seed, threads: args.threads, ..Fit::default() };
    let steps = epochs * train.labels().len().div_ceil(fit.batch_size);
    if args.race {
        let source = Smoothed { bytes: train, smoothing: 0.05 };
        trained::<F>(args, 128, Ramp::new(steps), &source, &test, &fit)
    } else {
        trained::<F>(args, 64, Momentum::new(0.1, 0.9)?, &train, &test, &fit)
    }
}

/// Trains either kind of network.
fn trained<F: Float>(
    args: &Args,
    hidden: usize,
    optimizer: impl Optimizer<F> + 'static,
    source: &dyn Source<F>,
    test: &Bytes,
    fit: &Fit,
) -> Result<()> {
    let loss = CategoricalCrossEntropy;
    if args.sequential {
        let layers = layers![
            Dense::new(hidden, Init::He)?,
            Activate(Relu),
            Dense::new(10, Init::He)?,
            Output(Softmax),
        ];
        let network = Sequential::new(Shape::Vector(784), layers, loss, optimizer, args.seed)?;
        run(args, network, source, test, fit)
    } else {
        let sizes = [784, hidden, 10];
        let (relu, softmax) = (Relu, Softmax);
        let network =
            NeuralNetwork::new(&sizes, relu, softmax, loss, optimizer, Init::He, args.seed)?;
        run(args, network, source, test, fit)
    }
}

/// Trains a network, and prints what came of it.
fn run<F: Float>(
    args: &Args,
    mut network: impl Network<F>,
    source: &dyn Source<F>,
    test: &Bytes,
    fit: &Fit,
) -> Result<()> {
    let start = Instant::now();
    let history = network.fit(source, fit, None, &mut train::silent)?;
    let seconds = start.elapsed().as_secs_f64();
    let version = concat!("Gradus ", env!("CARGO_PKG_VERSION"));
    let version = match blas::openblas() {
        Some(blas) => format!("{version}, {} {}", first_words(&blas.config), blas.kernel),
        None => version.to_owned(),
    };
    let line = json!({
        "name": "Gradus",
        "version": version,
        "threads": args.threads,
        "seed": args.seed,
        "precision": args.precision,
        "sequential": args.sequential,
        "seconds": seconds,
        "accuracy": network.score(test)?.accuracy(),
        "losses": history.loss,
    });
    println!("{line}");
    Ok(())
}

/// "OpenBLAS 0.3.21", of all that OpenBLAS says of itself.
fn first_words(config: &str) -> String {
    config.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// Samples whose targets are not quite certain: 0.955 and nine times 0.005 for a smoothing of
/// 0.05.
struct Smoothed {
    bytes: Bytes,
    smoothing: f64,
}

impl<F: Float> Source<F> for Smoothed {
    fn len(&self) -> usize {
        Source::<F>::len(&self.bytes)
    }

    fn input_columns(&self) -> usize {
        Source::<F>::input_columns(&self.bytes)
    }

    fn target_columns(&self) -> usize {
        Source::<F>::target_columns(&self.bytes)
    }

    fn gather(&self, rows: &[usize], x: &mut ArrayRef2<F>, y: &mut ArrayRef2<F>) {
        self.bytes.gather(rows, x, y);
        let (kept, spread) = (1.0 - self.smoothing, self.smoothing / y.ncols() as f64);
        let (kept, spread) = (F::cast(kept), F::cast(spread));
        y.mapv_inplace(|y| kept * y + spread);
    }
}

/// Nesterov's momentum, v ← μ v + g and θ ← θ − η (g + μ v), at a rate η that rises on a
/// straight line for a tenth of all steps, and falls on another to 0.
#[derive(Debug)]
struct Ramp<F: Float> {
    steps: f64,
    done: f64,
    velocity: Array1<F>,
}

impl<F: Float> Ramp<F> {
    const PEAK: f64 = 0.3;
    const MOMENTUM: f64 = 0.9;

    fn new(steps: usize) -> Self {
        Self { steps: steps as f64, done: 0.0, velocity: Array1::zeros(0) }
    }

    fn rate(&self) -> f64 {
        let top = 0.1 * self.steps;
        Self::PEAK * (self.done / top).min((self.steps - self.done) / (self.steps - top))
    }
}

impl<F: Float> Part<F> for Ramp<F> {
    fn name(&self) -> &str {
        "ramp"
    }
}

impl<F: Float> Optimizer<F> for Ramp<F> {
    fn prepare(&mut self, parameters: usize) -> gradus::Result<()> {
        self.velocity = Array1::zeros(parameters);
        Ok(())
    }

    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        let (rate, momentum) = (F::cast(self.rate()), F::cast(Self::MOMENTUM));
        let tiny = F::cast(1e-30);
        Zip::from(&mut self.velocity).and(gradient).for_each(|v, &g| {
            let next = momentum * *v + g;
            *v = if next.abs() < tiny { F::zero() } else { next };
        });
        // In a pass of its own, as chapter 10 tells.
        Zip::from(params)
            .and(gradient)
            .and(&self.velocity)
            .for_each(|theta, &g, &v| *theta -= rate * (g + momentum * v));
        self.done += 1.0;
    }
}

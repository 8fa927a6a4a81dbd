//! Section 14: handwritten digits, each optimizer at its tuned rate.

use std::path::Path;

use gradus::{
    CategoricalCrossEntropy, Error, Event, Fit, Float, Init, Mnist, Network, NeuralNetwork,
    Optimizer, Relu, Softmax, Source, Subset,
};
use lab::{Lab, Lines, Panels, Result, Table, text::thousands};
use std::ops::ControlFlow;

use crate::tune::Tuned;
use crate::zoo::{Maker, key, with_decay, zoo};

/// How many images are learned from.
pub const IMAGES: usize = 10_000;

/// Images for each step.
pub const BATCH: usize = 100;

/// How often every image is seen.
pub const EPOCHS: usize = 5;

/// Units of the layers.
const SIZES: [usize; 3] = [784, 32, 10];

/// How many trainings every number is the mean of.
pub const SEEDS: u64 = 3;

/// The images.
pub struct Digits {
    images: Mnist,
}

/// What a training came to.
pub struct Trained {
    /// The loss of every batch.
    pub losses: Vec<f64>,
    /// The mean loss of the images learned from, at the end.
    pub loss: f64,
    /// The share of the test images that is read rightly.
    pub accuracy: f64,
}

/// The means over some trainings, none of which went to infinity.
pub struct Means {
    pub loss: f64,
    pub accuracy: f64,
    /// Half of the distance between the largest and the smallest accuracy.
    pub spread: f64,
}

impl Digits {
    /// Reads MNIST.
    pub fn read() -> Result<Self> {
        Ok(Self { images: Mnist::read(workspace().join("data/mnist"))? })
    }

    /// All of MNIST.
    pub fn all(&self) -> &Mnist {
        &self.images
    }

    /// The images to learn from.
    pub fn source<F: Float>(&self) -> Result<Subset<'_, F>> {
        Ok(Subset::new(&self.images.train, 0..IMAGES)?)
    }

    /// Trains a fresh network; `None` if loss or parameters became infinite.
    pub fn train(
        &self,
        optimizer: impl Optimizer<f32> + 'static,
        seed: u64,
    ) -> Result<Option<Trained>> {
        self.train_on(&self.source()?, optimizer, seed)
    }

    /// The same on images of another source.
    pub fn train_on(
        &self,
        source: &dyn Source<f32>,
        optimizer: impl Optimizer<f32> + 'static,
        seed: u64,
    ) -> Result<Option<Trained>> {
        let mut network = network(optimizer, seed)?;
        let Some(losses) = fit(&mut network, source, EPOCHS, seed)? else { return Ok(None) };
        let Ok(score) = network.score(&self.source()?) else { return Ok(None) };
        let accuracy = network.score(&self.images.test)?.accuracy().unwrap_or_default();
        Ok(Some(Trained { losses, loss: score.loss, accuracy }))
    }

    /// The losses of one epoch in `f64`.
    pub fn losses_f64(
        &self,
        optimizer: impl Optimizer<f64> + 'static,
        seed: u64,
    ) -> Result<Vec<f64>> {
        let mut network = network(optimizer, seed)?;
        let losses = fit(&mut network, &self.source()?, 1, seed)?;
        losses.ok_or_else(|| "a training of one epoch went to infinity".into())
    }

    /// The means over the trainings with some seeds; `None` if one went to infinity.
    pub fn means(&self, maker: &dyn Fn() -> Result<Boxed>, first: u64) -> Result<Option<Means>> {
        let mut runs = Vec::new();
        for seed in first..first + SEEDS {
            let Some(trained) = self.train(maker()?, seed)? else { return Ok(None) };
            runs.push(trained);
        }
        Ok(Some(Means::of(&runs)))
    }
}

/// An optimizer that was chosen at run time.
pub type Boxed = Box<dyn Optimizer<f32>>;

impl Means {
    /// The means of these trainings.
    pub fn of(runs: &[Trained]) -> Self {
        let mean = |f: fn(&Trained) -> f64| runs.iter().map(f).sum::<f64>() / runs.len() as f64;
        let accuracies = || runs.iter().map(|run| run.accuracy);
        let (lo, hi) = (accuracies().fold(1.0, f64::min), accuracies().fold(0.0, f64::max));
        Self {
            loss: mean(|run| run.loss),
            accuracy: mean(|run| run.accuracy),
            spread: (hi - lo) / 2.0,
        }
    }

    /// Loss and accuracy, as the cells of a table.
    pub fn cells(&self) -> Vec<String> {
        let Self { loss, accuracy, .. } = self;
        vec![format!("{loss:.4}"), format!("{:.2} %", 100.0 * accuracy)]
    }
}

/// The cells of trainings that may have gone to infinity.
pub fn cells(means: &Option<Means>) -> Vec<String> {
    means.as_ref().map_or_else(|| vec!["diverges".into(), "–".into()], Means::cells)
}

fn network<F: Float>(
    optimizer: impl Optimizer<F> + 'static,
    seed: u64,
) -> Result<NeuralNetwork<F>> {
    let (loss, init) = (CategoricalCrossEntropy, Init::He);
    Ok(NeuralNetwork::new(&SIZES, Relu, Softmax, loss, optimizer, init, seed)?)
}

/// Trains, and notes the loss of every batch.
fn fit<F: Float>(
    network: &mut NeuralNetwork<F>,
    source: &dyn Source<F>,
    epochs: usize,
    seed: u64,
) -> Result<Option<Vec<f64>>> {
    let fit = Fit { batch_size: BATCH, epochs, seed, ..Fit::default() };
    let mut losses = Vec::new();
    let result = network.fit(source, &fit, None, &mut |event| {
        if let Event::Batch { loss, .. } = event {
            losses.push(loss);
        }
        ControlFlow::Continue(())
    });
    match result {
        Ok(_) => Ok(Some(losses)),
        Err(Error::Diverged { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Where the book is.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(""))
}

/// The zoo, and AdamW.
pub fn all() -> Vec<(&'static str, Maker<f32>)> {
    zoo().into_iter().chain([("AdamW", with_decay as Maker<f32>)]).collect()
}

/// The means of each ten neighbours.
pub fn smoothed(losses: &[f64]) -> Vec<(f64, f64)> {
    let mean = |(k, ten): (usize, &[f64])| {
        (10.0 * k as f64 + 5.5, ten.iter().sum::<f64>() / ten.len() as f64)
    };
    losses.chunks(10).enumerate().map(mean).collect()
}

/// 14. Handwritten digits.
pub fn digits_at_tuned_rates(
    seed: u64,
    digits: &Digits,
    tuned: &Tuned,
    lab: &mut Lab,
) -> Result<()> {
    lab.section("mnist", "14  Handwritten digits, each at its tuned rate")?;
    lab.section_near(0.02); // other kernels of OpenBLAS end elsewhere
    lab.say(format!(
        "A network 784-32-10 with ReLU learns from the first {} images of MNIST, in {EPOCHS} epochs of\n\
         batches of {BATCH}: {} steps in f32. The rates were found by {},\n\
         with other seeds; here are the means of {SEEDS} trainings.\n",
        thousands(IMAGES),
        EPOCHS * IMAGES / BATCH,
        tuned.command,
    ));
    let mut table =
        Table::new(&["", "rate", "training loss", "test accuracy", "loss in the search"]);
    let mut widest = 0.0_f64;
    let mut panels = [
        Lines::new("step", "loss, mean of 10 steps").log_y(),
        Lines::new("step", "loss, mean of 10 steps").log_y(),
    ];
    for (index, (name, maker)) in all().into_iter().enumerate() {
        let (rate, then) = tuned.best(name)?;
        let mut runs = Vec::new();
        for seed in seed..seed + SEEDS {
            let trained = digits.train(maker(rate)?, seed)?;
            runs.push(trained.ok_or("a training at a tuned rate went to infinity")?);
        }
        let means = Means::of(&runs);
        widest = widest.max(means.spread);
        let cells = [vec![name.into(), rate.to_string()], means.cells()].concat();
        table.push([cells, vec![format!("{then:.4}")]].concat());
        let key = key(name);
        lab.near(&format!("mnist_rate_{key}"), rate, 1e-12);
        lab.near(&format!("mnist_loss_{key}"), means.loss, 0.01);
        lab.near(&format!("mnist_accuracy_{key}"), means.accuracy, 0.005);
        if name != "AdamW" {
            let points = smoothed(&runs[0].losses);
            let panel = &mut panels[index / 3];
            let (xs, ys) = points.iter().copied().unzip::<f64, f64, Vec<_>, Vec<_>>();
            *panel = panel.clone().series(name, xs, ys).y_range(0.07, 2.5);
        }
    }
    lab.table(&table);
    lab.say(format!(
        "\nFrom seed to seed, the accuracies of one optimizer differ by up to {:.1} % from their middle.",
        100.0 * widest
    ));
    lab.near("mnist_spread", widest, 0.01);
    let [left, right] = panels;
    let panels = Panels::new(2).panel("one rate for all parameters", left);
    lab.figure(
        "mnist",
        "The loss on 10,000 images of MNIST over 500 steps of 100 images, at each optimizer's tuned \
         rate: of one training, each point the mean of ten steps, on a logarithmic axis.",
        "Two plots with three jagged curves each, which fall steeply for fifty steps and slowly \
         afterwards. All six end close together; plain gradient descent on the left is the slowest \
         at first.",
        &panels.panel("a rate for each parameter", right),
    )?;
    sensitivity(tuned, lab)
}

/// The loss at the end against the rate, as the search stored it.
fn sensitivity(tuned: &Tuned, lab: &mut Lab) -> Result<()> {
    lab.section("sensitivity", "   How much the rate matters")?;
    lab.say(format!(
        "The rates at which the training loss at the end is at most twice the best one, from the\n\
         stored search ({}).\n",
        tuned.command
    ));
    let mut table = Table::new(&["", "from", "best", "to", "best loss"]);
    let mut figure = Lines::new("learning rate", "training loss at the end").log_x().log_y();
    for (name, _) in all() {
        let (best, least) = tuned.best(name)?;
        let curve = tuned.curve(name);
        let good = || curve.iter().filter(|(_, loss)| *loss <= 2.0 * least);
        let lo = good().map(|(rate, _)| *rate).fold(f64::INFINITY, f64::min);
        let hi = good().map(|(rate, _)| *rate).fold(0.0, f64::max);
        table.push(vec![
            name.into(),
            lo.to_string(),
            best.to_string(),
            hi.to_string(),
            format!("{least:.4}"),
        ]);
        let key = key(name);
        lab.near(&format!("sensitivity_from_{key}"), lo, 1e-12);
        lab.near(&format!("sensitivity_to_{key}"), hi, 1e-12);
        if name != "AdamW" {
            let xs = curve.iter().map(|point| point.0).collect::<Vec<_>>();
            figure = figure.series(name, xs, curve.iter().map(|point| point.1));
        }
    }
    lab.table(&table);
    lab.figure(
        "sensitivity",
        "The training loss after 500 steps against the learning rate, on logarithmic axes: the means \
         of three trainings with rates that are powers of √10, about 3. Rates at which a training went to \
         infinity are left out.",
        "Six valleys side by side, of similar depth. From left to right: RMSprop and Adam, \
         momentum and Nesterov together with AdaGrad, gradient descent. Each valley is about one \
         power of ten wide.",
        &figure.y_range(0.05, 3.0),
    )
}

//! Networks that go back through the whole Jacobian of softmax, or through its diagonal.

use gradus::{
    CategoricalCrossEntropy, Fit, Init, Loss, Momentum, Network, NeuralNetwork, OutputActivation,
    Samples, Softmax, Tanh, one_hot, toy, train,
};
use lab::Lab;
use ndarray::{Array2, ArrayRef1};

use crate::measure::normal;
use crate::wrong::{DiagonalSoftmax, PaddedCrossEntropy};

/// A small classifier that goes back through `output`.
fn classifier(
    sizes: &[usize],
    output: impl OutputActivation<f64> + 'static,
    seed: u64,
) -> lab::Result<NeuralNetwork<f64>> {
    network(sizes, output, CategoricalCrossEntropy, 0.05, seed)
}

fn network(
    sizes: &[usize],
    output: impl OutputActivation<f64> + 'static,
    loss: impl Loss<f64> + 'static,
    rate: f64,
    seed: u64,
) -> lab::Result<NeuralNetwork<f64>> {
    let optimizer = Momentum::new(rate, 0.9)?;
    Ok(NeuralNetwork::new(sizes, Tanh, output, loss, optimizer, Init::GlorotNormal, seed)?)
}

/// How wrong the gradient of all parameters is, on average.
pub struct DiagonalError {
    /// Its name among the results.
    pub name: &'static str,
    /// What was done.
    pub text: &'static str,
    /// The mean of ‖wrong − right‖ / (‖wrong‖ + ‖right‖).
    pub mean: f64,
}

/// The errors of the diagonal for one sample, for eight, and for eight with 1/n twice.
pub fn diagonal_errors(seed: u64) -> lab::Result<[DiagonalError; 3]> {
    let mean = |n, factor| mean_diagonal_error(n, factor, seed);
    Ok([
        DiagonalError {
            name: "diagonal_error_1",
            text: "1 sample, the diagonal",
            mean: mean(1, 1.0)?,
        },
        DiagonalError {
            name: "diagonal_error_8",
            text: "8 samples, the diagonal",
            mean: mean(8, 1.0)?,
        },
        DiagonalError {
            name: "diagonal_error_8_twice",
            text: "8 samples, and divided by 8 once too often",
            mean: mean(8, 1.0 / 8.0)?,
        },
    ])
}

/// Over 100 fresh classifiers, with n samples each. `factor` multiplies the wrong gradient.
fn mean_diagonal_error(n: usize, factor: f64, seed: u64) -> lab::Result<f64> {
    let mut sum = 0.0;
    for draw in 0..100 {
        let seed = seed.wrapping_add(draw);
        let batch: Samples<f64> = toy::spirals(n, 3, 0.05, seed)?;
        let whole = classifier(&[2, 4, 3], Softmax, seed)?;
        let diagonal = classifier(&[2, 4, 3], DiagonalSoftmax, seed)?;
        let (_, right) = whole.loss_and_gradient(batch.x(), batch.y())?;
        let (_, wrong) = diagonal.loss_and_gradient(batch.x(), batch.y())?;
        let wrong = wrong * factor;
        let norm = |v: &ArrayRef1<f64>| v.dot(v).sqrt();
        sum += norm(&(&wrong - &right)) / (norm(&wrong) + norm(&right));
    }
    Ok(sum / 100.0)
}

/// What the networks are trained on: three classes of points in the plane.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    /// Three round clouds, each in its own direction.
    Clusters,
    /// Three spiral arms.
    Spirals,
}

impl Task {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Task::Clusters => "clusters",
            Task::Spirals => "spirals",
        }
    }

    /// The layers of the network that it is given to.
    pub fn sizes(self) -> &'static [usize] {
        match self {
            Task::Clusters => &[2, 3],
            Task::Spirals => &[2, 32, 3],
        }
    }

    fn samples(self, n: usize, seed: u64) -> lab::Result<Samples<f64>> {
        if let Task::Spirals = self {
            return Ok(toy::spirals(n, 3, 0.03, seed)?);
        }
        let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let noise = normal(n, 2, 0.5, seed, 4);
        let x = Array2::from_shape_fn((n, 2), |(i, axis)| {
            let angle = std::f64::consts::TAU * labels[i] as f64 / 3.0;
            [angle.cos(), angle.sin()][axis] + noise[[i, axis]]
        });
        Ok(Samples::new(x, one_hot(&labels, 3)?)?)
    }
}

/// How a training went.
pub struct Trained {
    /// The loss of each epoch.
    pub loss: Vec<f64>,
    /// The accuracy on fresh samples.
    pub accuracy: f64,
    /// The mean of all their logits.
    pub logit: f64,
    /// The share of hidden outputs within 0.01 of ±1.
    pub saturated: f64,
}

/// The same network on the same samples, trained in both ways.
pub struct BothWays {
    /// What it was trained on.
    pub task: Task,
    /// Through the whole Jacobian.
    pub whole: Trained,
    /// Through its diagonal.
    pub diagonal: Trained,
}

/// Trains in both ways.
pub fn both_ways(task: Task, epochs: usize, seed: u64, lab: &mut Lab) -> lab::Result<BothWays> {
    let whole = fitted(task, Softmax, epochs, seed, lab)?;
    let diagonal = fitted(task, DiagonalSoftmax, epochs, seed, lab)?;
    Ok(BothWays { task, whole, diagonal })
}

impl BothWays {
    /// Adds what came of it to the results. Another kernel rounds in another way; that moved no
    /// accuracy in 200 epochs, so that the tolerances need not be wide.
    pub fn record(&self, lab: &mut Lab) {
        let task = self.task.name();
        for (way, trained) in [("whole", &self.whole), ("diagonal", &self.diagonal)] {
            lab.near(&format!("accuracy_{task}_{way}"), trained.accuracy, 0.005);
            lab.near(&format!("logit_{task}_{way}"), trained.logit, 0.01);
            if let Task::Spirals = self.task {
                lab.near(&format!("saturated_{task}_{way}"), trained.saturated, 0.01);
            }
        }
    }
}

fn fitted(
    task: Task,
    output: impl OutputActivation<f64> + 'static,
    epochs: usize,
    seed: u64,
    lab: &mut Lab,
) -> lab::Result<Trained> {
    let mut network = classifier(task.sizes(), output, seed)?;
    let fit = Fit { batch_size: 30, epochs, seed, ..Fit::default() };
    let mut progress = lab.progress(task.name());
    let samples = task.samples(300, seed)?;
    let history = network.fit(&samples, &fit, None, &mut |event| progress.observe(event))?;
    progress.finish();
    let fresh = task.samples(3000, seed.wrapping_add(1))?;
    let trace = network.forward(fresh.x())?;
    let last = trace.z.len() - 1;
    let hidden: Vec<f64> = trace.a[..last].iter().flatten().copied().collect();
    let flat = hidden.iter().filter(|a| a.abs() > 0.99).count();
    Ok(Trained {
        loss: history.loss,
        accuracy: network.score(&fresh)?.accuracy().unwrap_or(f64::NAN),
        logit: trace.z[last].mean().unwrap_or(f64::NAN),
        saturated: flat as f64 / hidden.len().max(1) as f64,
    })
}

/// The accuracies of one network on clusters, from many starts, with two losses.
pub struct Units {
    /// In which unit the points are given.
    pub name: &'static str,
    /// The learning rate that suits it.
    pub rate: f64,
    /// Before any step.
    pub start: Vec<f64>,
    /// By ŷ − y.
    pub right: Vec<f64>,
    /// With ε in the denominator.
    pub padded: Vec<f64>,
}

impl Units {
    /// Trains from 20 starts. A metre is `scale` units.
    pub fn of(name: &'static str, scale: f64, rate: f64, seed: u64) -> lab::Result<Self> {
        let mut units =
            Self { name, rate, start: Vec::new(), right: Vec::new(), padded: Vec::new() };
        for start in 0..20 {
            let seed = seed.wrapping_add(start);
            let clusters = |n, seed| {
                let metres = Task::Clusters.samples(n, seed)?;
                lab::Result::Ok(Samples::new(metres.x() * scale, metres.y().to_owned())?)
            };
            let (samples, fresh) = (clusters(300, seed)?, clusters(3000, seed.wrapping_add(1))?);
            let fit = Fit { batch_size: 30, epochs: 50, seed, ..Fit::default() };
            let accuracy = |mut network: NeuralNetwork<f64>| {
                network.fit(&samples, &fit, None, &mut train::silent)?;
                lab::Result::Ok(network.score(&fresh)?.accuracy().unwrap_or(f64::NAN))
            };
            let sizes = Task::Clusters.sizes();
            let loss = CategoricalCrossEntropy;
            let begin = network(sizes, Softmax, loss, rate, seed)?;
            units.start.push(begin.score(&fresh)?.accuracy().unwrap_or(f64::NAN));
            units.right.push(accuracy(begin)?);
            let loss = PaddedCrossEntropy;
            units.padded.push(accuracy(network(sizes, Softmax, loss, rate, seed)?)?);
        }
        Ok(units)
    }

    /// Adds mean and worst to the results.
    pub fn record(&self, lab: &mut Lab) {
        lab.near(&format!("accuracy_{}_start", self.name), mean(&self.start), 0.005);
        for (way, accuracies) in [("right", &self.right), ("padded", &self.padded)] {
            lab.near(&format!("accuracy_{}_{way}", self.name), mean(accuracies), 0.005);
            lab.near(&format!("accuracy_{}_{way}_worst", self.name), worst(accuracies), 0.005);
        }
    }
}

/// The mean of some accuracies.
pub fn mean(accuracies: &[f64]) -> f64 {
    accuracies.iter().sum::<f64>() / accuracies.len() as f64
}

/// The least of some accuracies.
pub fn worst(accuracies: &[f64]) -> f64 {
    accuracies.iter().copied().fold(f64::INFINITY, f64::min)
}

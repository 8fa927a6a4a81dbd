//! The training that the chapter takes apart: MNIST, one hidden layer of 64 units.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gradus::layout::Layout;
use gradus::{
    CategoricalCrossEntropy, Event, Fit, Float, Init, Mnist, Momentum, Network, NeuralNetwork,
    Optimizer, Part, Relu, Softmax, Source, State, Training,
};
use lab::Result;
use ndarray::Array1;
use rand::seq::SliceRandom;

/// Units of the layers: k, m and the classes.
pub const SIZES: [usize; 3] = [784, 64, 10];

/// Images for each step: n.
pub const BATCH: usize = 128;

/// The images learned from: N.
pub const SAMPLES: usize = 60_000;

/// Steps in an epoch.
pub const STEPS: usize = SAMPLES.div_ceil(BATCH);

/// Epochs in a training.
pub const EPOCHS: usize = 10;

/// The learning rate, and how much of the last step is kept.
pub const RATE: f64 = 0.1;
pub const MOMENTUM: f64 = 0.9;

/// Parameters and velocities.
#[derive(Debug, Clone)]
pub struct Place<F: Float> {
    pub params: Array1<F>,
    pub velocity: Array1<F>,
}

impl<F: Float> Place<F> {
    /// The same in the other precision.
    pub fn cast<G: Float>(&self) -> Place<G> {
        let cast = |v: &Array1<F>| v.mapv(|x| G::cast(x.as_f64()));
        Place { params: cast(&self.params), velocity: cast(&self.velocity) }
    }
}

/// The images, and where trainings begin.
pub struct Task {
    pub images: Mnist,
    pub layout: Layout,
    pub seed: u64,
}

impl Task {
    /// Reads MNIST.
    pub fn read(seed: u64) -> Result<Self> {
        let images = Mnist::read(workspace().join("data/mnist"))?;
        Ok(Self { images, layout: Layout::new(&SIZES)?, seed })
    }

    /// Where all trainings begin, at rest.
    pub fn start(&self) -> Result<Place<f64>> {
        let params = self.fresh::<f64>()?.params().clone();
        let velocity = Array1::zeros(params.len());
        Ok(Place { params, velocity })
    }

    fn fresh<F: Float>(&self) -> Result<NeuralNetwork<F>> {
        let (loss, momentum) = (CategoricalCrossEntropy, Momentum::new(RATE, MOMENTUM)?);
        Ok(NeuralNetwork::new(&SIZES, Relu, Softmax, loss, momentum, Init::He, self.seed)?)
    }

    /// The library's network at some place.
    pub fn network<F: Float>(&self, at: &Place<F>) -> Result<NeuralNetwork<F>> {
        let mut network = self.fresh()?;
        network.set_params(&at.params)?;
        network.set_optimizer(momentum(at)?)?;
        Ok(network)
    }

    /// How it is trained.
    pub fn fit(&self, epochs: usize, threads: usize) -> Fit {
        Fit { batch_size: BATCH, epochs, seed: self.seed, threads, patience: None }
    }

    /// The order of the images in each epoch, as `fit` has it.
    pub fn orders(&self, epochs: usize) -> Vec<Vec<usize>> {
        let training = Training::new(self.fit(epochs, 1), SAMPLES);
        let mut rng = training.random.generator();
        let order = |_| {
            let mut order: Vec<usize> = (0..SAMPLES).collect();
            order.shuffle(&mut rng);
            order
        };
        (0..epochs).map(order).collect()
    }

    /// Trains the library's network for so many steps after a first one that is not timed; the
    /// seconds of each of them, and the losses of all.
    pub fn fitted<F: Float>(
        &self,
        at: &Place<F>,
        source: &dyn Source<F>,
        threads: usize,
        steps: usize,
    ) -> Result<(f64, Vec<f64>)> {
        let mut network = self.network(at)?;
        let (mut begin, mut losses, mut seconds) = (Instant::now(), Vec::new(), 0.0);
        network.fit(source, &self.fit(1, threads), None, &mut |event| {
            if let Event::Batch { loss, .. } = event {
                losses.push(loss);
                if losses.len() == 1 {
                    begin = Instant::now();
                } else if losses.len() == steps + 1 {
                    seconds = begin.elapsed().as_secs_f64();
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok((seconds / steps as f64, losses))
    }
}

/// The library's momentum, with the velocity of a place.
pub fn momentum<F: Float>(at: &Place<F>) -> Result<Momentum<F>> {
    let mut momentum = Momentum::new(RATE, MOMENTUM)?;
    momentum.prepare(at.params.len())?;
    let state = State::default()
        .with_number("learning_rate", RATE)
        .with_number("momentum", MOMENTUM)
        .with_vector("velocity", at.velocity.clone());
    momentum.restore(state)?;
    Ok(momentum)
}

/// Where the book is.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(""))
}

/// A file of this crate that stores a long run.
pub fn stored(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

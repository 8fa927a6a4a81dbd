//! The two networks of this chapter, and how they are trained.

use std::ops::ControlFlow;

use gradus::{
    Activate, CategoricalCrossEntropy, Convolution, Dense, Event, Fit, Flatten, History, Init,
    Layer, MaxPool, Momentum, Network, NeuralNetwork, Optimizer, Output, Relu, Sequential, Shape,
    Softmax, Source, layers,
};
use lab::{Lab, Result};

/// How both are trained.
pub const RATE: f64 = 0.02;
pub const MOMENTUM: f64 = 0.9;
pub const BATCH: usize = 50;
pub const EPOCHS: usize = 5;

/// Units of the dense network.
pub const HIDDEN: usize = 64;

/// The dense network: one hidden layer.
pub fn dense(seed: u64) -> Result<NeuralNetwork<f32>> {
    let (sizes, optimizer) = ([784, HIDDEN, 10], Momentum::new(RATE, MOMENTUM)?);
    let loss = CategoricalCrossEntropy;
    Ok(NeuralNetwork::new(&sizes, Relu, Softmax, loss, optimizer, Init::He, seed)?)
}

// ANCHOR: convolutional
/// Two convolutions of 5 × 5, with so many channels, each followed by ReLU and
/// pooling; a dense layer to ten classes.
pub fn convolutional(
    [first, second]: [usize; 2],
    optimizer: impl Optimizer<f32> + 'static,
    seed: u64,
) -> gradus::Result<Sequential<f32>> {
    let layers = layers![
        Convolution::new(first, 5, Init::He)?,
        Activate(Relu),
        MaxPool::new(2)?,
        Convolution::new(second, 5, Init::He)?,
        Activate(Relu),
        MaxPool::new(2)?,
        Flatten,
        Dense::new(10, Init::He)?,
        Output(Softmax),
    ];
    let (input, loss) = (Shape::image(28, 28, 1), CategoricalCrossEntropy);
    Sequential::new(input, layers, loss, optimizer, seed)
}
// ANCHOR_END: convolutional

/// The convolutional network of the default run.
pub fn small(seed: u64) -> Result<Sequential<f32>> {
    Ok(convolutional([8, 16], Momentum::new(RATE, MOMENTUM)?, seed)?)
}

/// A training, as it went.
pub struct Trained {
    pub history: History,
    /// The loss of every batch.
    pub losses: Vec<f64>,
}

/// Trains a network, and shows how far it is.
pub fn train<N: Network<f32>>(
    lab: &mut Lab,
    label: &str,
    network: &mut N,
    source: &dyn Source<f32>,
    test: Option<&dyn Source<f32>>,
    fit: &Fit,
) -> Result<Trained> {
    let (mut losses, mut progress) = (Vec::new(), lab.progress(label));
    let history = network.fit(source, fit, test, &mut |event| {
        if let Event::Batch { loss, .. } = event {
            losses.push(loss);
        }
        let _ = progress.observe(event);
        ControlFlow::Continue(())
    })?;
    progress.finish();
    Ok(Trained { history, losses })
}

/// How the chapter's own runs are trained.
pub fn fit(seed: u64) -> Fit {
    Fit { batch_size: BATCH, epochs: EPOCHS, seed, ..Fit::default() }
}

/// The name of a layer with what leaves it, such as `convolution, 24×24×8`.
pub fn step(layer: &dyn Layer<f32>, output: Shape) -> [String; 2] {
    let output = match output {
        Shape::Vector(size) => size.to_string(),
        Shape::Image { height, width, channels } => format!("{height}×{width}×{channels}"),
    };
    [layer.name().replace('_', " "), output]
}

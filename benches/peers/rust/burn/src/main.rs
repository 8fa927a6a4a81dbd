//! Task P in burn, with its backend for CPUs, flex: <https://burn.dev>.
//!
//! Recommended for speed, and done: the features `simd`, `rayon` and `x86-v4`.
//! Tried and dropped: losses added up as tensors. Its optimizer keeps the velocities to itself,
//! so that nothing flushes their denormal numbers.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation::relu};
use shared::{BATCH, Draw, HIDDEN, INPUTS, Images, MOMENTUM, OUTPUTS, Options, RATE};

/// The samples as tensors.
struct Samples {
    pixels: Tensor<2>,
    labels: Tensor<1, Int>,
}

impl Samples {
    fn new(images: Images, device: &Device) -> Self {
        let (n, labels) = (images.count(), images.labels.iter().map(|&label| i32::from(label)));
        let labels = TensorData::new(labels.collect::<Vec<_>>(), [n]);
        Self {
            pixels: Tensor::from_data(TensorData::new(images.pixels, [n, INPUTS]), device),
            labels: Tensor::from_data(labels, device),
        }
    }
}

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn new(draw: &mut Draw, device: &Device) -> Self {
        let mut layer = |inputs, outputs| {
            let weights = TensorData::new(draw.weights(inputs, outputs), [inputs, outputs]);
            Linear {
                weight: Param::from_tensor(Tensor::from_data(weights, device)),
                bias: Some(Param::from_tensor(Tensor::zeros([outputs], device))),
            }
        };
        Self { hidden: layer(INPUTS, HIDDEN), output: layer(HIDDEN, OUTPUTS) }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(x)))
    }

    fn correct(&self, data: &Samples) -> usize {
        let predicted = self.forward(data.pixels.clone()).argmax(1).squeeze_dim::<1>(1);
        predicted.equal(data.labels.clone()).int().sum().into_scalar::<i64>() as usize
    }
}

/// Trains the network, and gives the mean loss of each epoch.
fn train(network: Network, data: &Samples, draw: &mut Draw, epochs: usize) -> (Network, Vec<f64>) {
    let device = data.pixels.device();
    let loss = CrossEntropyLossConfig::new().init(&device);
    // Momentum as PyTorch has it: unless told, burn dampens gradients by 0.1.
    let momentum = MomentumConfig::new().with_momentum(MOMENTUM).with_dampening(0.0);
    let mut optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
    let (mut network, mut losses) = (network, Vec::new());
    let mut order: Vec<i32> = (0..60_000).collect();
    for _ in 0..epochs {
        draw.shuffle(&mut order);
        let mut sum = 0.0;
        for rows in order.chunks(BATCH) {
            let indices = Tensor::<1, Int>::from_data(TensorData::from(rows), &device);
            let x = data.pixels.clone().select(0, indices.clone());
            let labels = data.labels.clone().select(0, indices);
            let loss = loss.forward(network.forward(x), labels);
            sum += loss.clone().into_scalar::<f64>() * rows.len() as f64;
            let grads = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(RATE, network, grads);
        }
        losses.push(sum / order.len() as f64);
    }
    (network, losses)
}

fn main() {
    let options = Options::read();
    let device = Device::flex().autodiff();
    let train_set = Samples::new(Images::read("train"), &device);
    let test_set = Samples::new(Images::read("t10k"), &device);
    let mut draw = Draw::new(options.seed);
    let network = Some(Network::new(&mut draw, &device));
    shared::run(
        "burn flex",
        "burn 0.22.1",
        &options,
        network,
        |network| {
            let untrained = network.take().expect("it is there");
            let (trained, losses) = train(untrained, &train_set, &mut draw, options.epochs);
            *network = Some(trained);
            losses
        },
        |network| network.as_ref().expect("it is there").correct(&test_set),
    );
}

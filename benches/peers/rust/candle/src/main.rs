//! Task P in candle: <https://github.com/huggingface/candle>.
//!
//! Recommended for speed, and done: `target-cpu=native`; Rayon for more threads than one.

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::{Linear, Module, loss};
use shared::{BATCH, Draw, HIDDEN, INPUTS, Images, MOMENTUM, OUTPUTS, Options, RATE};

/// The samples as tensors.
struct Samples {
    pixels: Tensor,
    labels: Tensor,
}

impl Samples {
    fn new(images: &Images) -> Result<Self> {
        let labels = images.labels.iter().map(|&label| u32::from(label)).collect::<Vec<_>>();
        let shape = (images.count(), INPUTS);
        let pixels = Tensor::from_slice(&images.pixels, shape, &Device::Cpu)?;
        Ok(Self { pixels, labels: Tensor::new(labels, &Device::Cpu)? })
    }
}

/// 784-64-10, with the velocity of each parameter: candle-nn's SGD has no momentum.
struct Network {
    params: Vec<Var>,
    velocities: Vec<Tensor>,
}

impl Network {
    fn new(draw: &mut Draw) -> Result<Self> {
        let mut layer = |inputs, outputs| -> Result<[Var; 2]> {
            // A row for each output, as `Linear` has them.
            let weights = draw.weights(inputs, outputs);
            let weights = Tensor::from_vec(weights, (outputs, inputs), &Device::Cpu)?;
            let biases = Tensor::zeros(outputs, weights.dtype(), &Device::Cpu)?;
            Ok([Var::from_tensor(&weights)?, Var::from_tensor(&biases)?])
        };
        let params = [layer(INPUTS, HIDDEN)?, layer(HIDDEN, OUTPUTS)?].concat();
        let velocities = params.iter().map(|param| param.zeros_like()).collect::<Result<_>>()?;
        Ok(Self { params, velocities })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let layer = |i: usize| {
            let [weights, biases] = [&self.params[i], &self.params[i + 1]].map(|v| v.as_tensor());
            Linear::new(weights.clone(), Some(biases.clone()))
        };
        layer(2).forward(&layer(0).forward(x)?.relu()?)
    }

    /// One step, v ← μ v + g, θ ← θ − η v; gives the loss.
    fn step(&mut self, x: &Tensor, labels: &Tensor) -> Result<Tensor> {
        let loss = loss::cross_entropy(&self.forward(x)?, labels)?;
        let grads = loss.backward()?;
        for (param, v) in self.params.iter().zip(&mut self.velocities) {
            let g = grads.get(param).expect("the loss depends on every parameter");
            *v = ((&*v * MOMENTUM)? + g)?;
            param.set(&(param.as_tensor() - (&*v * RATE)?)?)?;
        }
        Ok(loss.detach())
    }

    /// Velocities decay into denormal numbers, which are slow: zero is as good. What is
    /// 1e-30 now is a normal number for 175 steps more.
    fn flush(&mut self) -> Result<()> {
        for v in &mut self.velocities {
            *v = v.abs()?.ge(1e-30)?.where_cond(v, &v.zeros_like()?)?;
        }
        Ok(())
    }

    fn train(&mut self, data: &Samples, draw: &mut Draw, epochs: usize) -> Result<Vec<f64>> {
        let mut order: Vec<u32> = (0..60_000).collect();
        let mut losses = Vec::new();
        for _ in 0..epochs {
            draw.shuffle(&mut order);
            let mut sum = Tensor::zeros((), data.pixels.dtype(), &Device::Cpu)?;
            for (i, rows) in order.chunks(BATCH).enumerate() {
                let rows = Tensor::new(rows, &Device::Cpu)?;
                let x = data.pixels.index_select(&rows, 0)?;
                let loss = self.step(&x, &data.labels.index_select(&rows, 0)?)?;
                sum = (sum + (loss * rows.dims1()? as f64)?)?;
                if i % 100 == 99 {
                    self.flush()?;
                }
            }
            losses.push(f64::from(sum.to_scalar::<f32>()?) / order.len() as f64);
        }
        Ok(losses)
    }

    fn correct(&self, data: &Samples) -> Result<usize> {
        let predicted = self.forward(&data.pixels)?.argmax(1)?;
        let right = predicted.eq(&data.labels)?.to_dtype(candle_core::DType::U32)?;
        Ok(right.sum_all()?.to_scalar::<u32>()? as usize)
    }
}

fn main() -> Result<()> {
    let options = Options::read();
    let (train, test) =
        (Samples::new(&Images::read("train"))?, Samples::new(&Images::read("t10k"))?);
    let mut draw = Draw::new(options.seed);
    let network = Network::new(&mut draw)?;
    shared::run(
        "candle",
        "candle 0.11.1",
        &options,
        network,
        |network| network.train(&train, &mut draw, options.epochs).expect("it trains"),
        |network| network.correct(&test).expect("it predicts"),
    );
    Ok(())
}

//! Layers, forward and back, with 32 samples.
//!
//! Compare the way back of each with its way forward: where a layer has parameters, it computes
//! two gradients, and takes about twice as long. Compare batch normalisation and pooling, a few
//! operations for each number, with the same numbers in other shapes. The throughput is in numbers
//! that come in or go out, whichever are more.

use criterion::{BenchmarkId, Criterion, Throughput};
use gradus::random::Random;
use gradus::{
    Activate, AveragePool, BatchNorm, Convolution, Dense, Draw, Dropout, Init, Layer, MaxPool,
    Mode, Pass, Relu, Result, Shape,
};
use ndarray::{Array1, Array2};

use crate::data::noise;

const SAMPLES: usize = 32;

pub fn all(criterion: &mut Criterion) {
    of_each_kind(criterion).expect("settings in range, and layers that fit");
}

fn of_each_kind(criterion: &mut Criterion) -> Result<()> {
    let vector = Shape::Vector;
    let image = |side, channels| Shape::image(side, side, channels);
    let convolution = |channels, size| Convolution::new(channels, size, Init::He);
    let padded = convolution(8, 3)?.padding(1)?;

    bench(criterion, "dense to 64", vector(784), Dense::new(64, Init::He)?)?;
    bench(criterion, "convolution 5×5 to 8 channels", image(28, 1), convolution(8, 5)?)?;
    bench(criterion, "convolution 5×5 to 16 channels", image(12, 8), convolution(16, 5)?)?;
    bench(criterion, "convolution 3×3 to 8 channels, padded", image(28, 1), padded)?;
    for input in [image(28, 1), image(24, 8), image(8, 64), vector(784)] {
        bench(criterion, "batch norm", input, BatchNorm::new())?;
    }
    bench(criterion, "max pool 2×2", image(24, 8), MaxPool::new(2)?)?;
    bench(criterion, "average pool 2×2", image(24, 8), AveragePool::new(2)?)?;
    bench(criterion, "dropout", vector(784), Dropout::new(0.5)?)?;
    bench(criterion, "relu", vector(784), Activate(Relu))
}

fn bench(
    criterion: &mut Criterion,
    name: &str,
    input: Shape,
    layer: impl Layer<f32>,
) -> Result<()> {
    let mut group = criterion.benchmark_group("layer");
    let mut room = Room::new(layer, input)?;
    let numbers = room.x.len().max(room.y.len());
    group.throughput(Throughput::Elements(numbers as u64));
    let name = format!("{name}, {input}");
    group.bench_function(BenchmarkId::new(&name, "forward"), |b| b.iter(|| room.forward()));
    group.bench_function(BenchmarkId::new(&name, "back"), |b| b.iter(|| room.back()));
    Ok(())
}

/// A layer, and everything it reads and writes.
struct Room<L> {
    layer: L,
    params: Array1<f32>,
    x: Array2<f32>,
    y: Array2<f32>,
    kept: Array1<f32>,
    d_y: Array2<f32>,
    d_x: Array2<f32>,
    d_params: Array1<f32>,
}

impl<L: Layer<f32>> Room<L> {
    fn new(mut layer: L, input: Shape) -> Result<Self> {
        let output = layer.accept(input)?;
        let shapes = layer.parameters();
        let parameters: usize = shapes.iter().map(|(_, s)| s.iter().product::<usize>()).sum();
        let mut params = Array1::zeros(parameters);
        layer.initialise(&mut params, &mut Random::new(5, 0).generator());
        let (inputs, outputs) = ((SAMPLES, input.len()), (SAMPLES, output.len()));
        let mut room = Self {
            params,
            x: noise(inputs),
            y: Array2::zeros(outputs),
            kept: Array1::zeros(layer.room(SAMPLES)),
            d_y: noise(outputs),
            d_x: Array2::zeros(inputs),
            d_params: Array1::zeros(parameters),
            layer,
        };
        room.forward(); // for what the way back needs
        Ok(room)
    }

    fn forward(&mut self) {
        let mode = Mode::Train(Draw { seed: 1, layer: 0, step: 0, first: 0 });
        let Self { layer, params, x, y, kept, .. } = self;
        layer.forward_into(mode, params, x, y, kept);
    }

    fn back(&mut self) {
        let pass = Pass {
            params: self.params.view(),
            x: self.x.view(),
            y: self.y.view(),
            kept: self.kept.view(),
        };
        let (d_x, d_params) = (&mut self.d_x, &mut self.d_params);
        self.layer.backward_into(&pass, &self.d_y, Some(d_x), d_params);
    }
}

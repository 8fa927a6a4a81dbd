//! One step of every optimizer, for the 50,890 parameters of the network that learns MNIST, with
//! the gradient of a batch of it.
//!
//! Compare gradient descent, which reads two vectors and writes one, with those that read and
//! write a velocity as well, and those with those that take a root. The last one is momentum
//! whose gradients have vanished: its velocities have long decayed, and would be denormal if they
//! were not made 0. It should take no longer than momentum. The throughput is in parameters.

use criterion::{Criterion, Throughput};
use gradus::{
    AdaGrad, Adam, AdamW, Clipped, Decayed, GradientDescent, Momentum, MovingAverage, Nesterov,
    Optimizer, Result, RmsProp, Schedule, Scheduled,
};
use ndarray::{Array1, ArrayRef1};

use crate::data::{batch, network};

/// Small enough for any number of steps along the same gradient.
const RATE: f64 = 1e-6;

pub fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("optimizer");
    let start = network::<f32>().params().clone();
    group.throughput(Throughput::Elements(start.len() as u64));
    let (x, y) = batch();
    let (_, gradient) = network().loss_and_gradient(&x, &y).expect("a batch that fits");
    for mut optimizer in optimizers().expect("settings in range") {
        let name = optimizer.name().to_owned();
        let mut params = start.clone();
        optimizer.prepare(params.len()).expect("an optimizer at rest");
        group.bench_function(name, |b| b.iter(|| optimizer.step(&mut params, &gradient)));
    }
    let mut params = start;
    let zero = Array1::zeros(params.len());
    let mut momentum = decayed(&gradient);
    group.bench_function("momentum, vanished gradients", |b| {
        b.iter(|| momentum.step(&mut params, &zero));
    });
}

fn optimizers() -> Result<Vec<Box<dyn Optimizer<f32>>>> {
    let momentum = || Momentum::new(RATE, 0.9);
    Ok(vec![
        Box::new(GradientDescent::new(RATE)?),
        Box::new(momentum()?),
        Box::new(MovingAverage::new(RATE, 0.9)?),
        Box::new(Nesterov::new(RATE, 0.9)?),
        Box::new(AdaGrad::new(RATE)?),
        Box::new(RmsProp::new(RATE, 0.9)?),
        Box::new(Adam::new(RATE)?),
        Box::new(AdamW::new(RATE, 0.01)?),
        Box::new(Clipped::new(momentum()?, 1.0)?),
        Box::new(Decayed::new(momentum()?, 1e-4)?),
        Box::new(Scheduled::new(momentum()?, Schedule::Cosine { steps: usize::MAX })?),
    ])
}

/// Momentum that had a gradient once, and none for a thousand steps since.
fn decayed(gradient: &ArrayRef1<f32>) -> Momentum<f32> {
    let mut momentum = Momentum::new(RATE, 0.9).expect("settings in range");
    let mut params = Array1::zeros(gradient.len());
    let zero = params.clone();
    momentum.step(&mut params, gradient);
    (0..1000).for_each(|_| momentum.step(&mut params, &zero));
    momentum
}

//! A step of a training on MNIST: a batch is gathered, goes through the network and back, and
//! the parameters move. An epoch has 469 of them.
//!
//! Compare the two kinds of network, which should take the same time; two threads with one;
//! and f64 with f32: twice as many bytes, and half as many numbers in a register. The
//! throughput is in samples.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use gradus::{
    Activate, Bytes, CategoricalCrossEntropy, Dense, Event, Fit, Float, Init, Momentum, Network,
    Output, Relu, Sequential, Shape, Softmax, layers,
};

use crate::data::{BATCH, MNIST, SIZES, network};

pub fn all(criterion: &mut Criterion) {
    with_precision::<f32>(criterion);
    with_precision::<f64>(criterion);
}

fn with_precision<F: Float>(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    let digits = &MNIST.train;
    group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));
    for (threads, word) in [(1, "1 thread"), (2, "2 threads")] {
        let name = format!("{}, {word}", F::NAME);
        group.bench_function(BenchmarkId::new("NeuralNetwork", &name), |b| {
            b.iter_custom(|steps| time(network::<F>(), digits, threads, steps));
        });
        group.bench_function(BenchmarkId::new("Sequential", &name), |b| {
            b.iter_custom(|steps| time(sequential::<F>(), digits, threads, steps));
        });
    }
}

/// How long so many steps take, the first of a training left out: it comes after a look at all
/// samples and the start of the threads.
fn time<F: Float>(
    mut network: impl Network<F>,
    samples: &Bytes,
    threads: usize,
    steps: u64,
) -> Duration {
    let fit = Fit { batch_size: BATCH, epochs: usize::MAX, threads, ..Fit::default() };
    let (mut start, mut done) = (None, 0);
    let mut observe = |event: Event| {
        let Event::Batch { .. } = event else { return ControlFlow::Continue(()) };
        match start {
            None => start = Some(Instant::now()),
            Some(_) => done += 1,
        }
        if done < steps { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    network.fit(samples, &fit, None, &mut observe).expect("a training that goes well");
    start.expect("a first step").elapsed()
}

/// The same network, layer by layer.
fn sequential<F: Float>() -> Sequential<F> {
    let dense = |units| Dense::new(units, Init::He).expect("a number of units that is not 0");
    Sequential::new(
        Shape::Vector(SIZES[0]),
        layers![dense(SIZES[1]), Activate(Relu), dense(SIZES[2]), Output(Softmax)],
        CategoricalCrossEntropy,
        Momentum::new(0.1, 0.9).expect("a rate and a momentum in range"),
        1,
    )
    .expect("layers that fit each other")
}

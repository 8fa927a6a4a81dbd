//! A batch of digits, gathered from all that train.
//!
//! Compare bytes, which become floats on the way, with floats, of which four or eight times as
//! many bytes have to come from memory; and the shuffled order of a training, where every row is
//! somewhere else, with the order in which the samples lie. The throughput is in bytes that are
//! read.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use gradus::{Float, Samples, Source};
use ndarray::Array2;

use crate::data::{BATCH, MNIST, SIZES, order};

pub fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gather");
    let bytes = &MNIST.train;
    let targets = Array2::zeros((bytes.labels().len(), SIZES[2]));
    let floats = Samples::new(bytes.inputs(), targets).expect("as many targets as images");
    let (shuffled, in_order) = (order(), Vec::from_iter(0..bytes.labels().len()));
    let size = |bytes: usize| Throughput::Bytes((BATCH * SIZES[0] * bytes) as u64);

    group.throughput(size(1));
    bench::<f32>(&mut group, "bytes to f32, shuffled", bytes, &shuffled);
    bench::<f64>(&mut group, "bytes to f64, shuffled", bytes, &shuffled);
    bench::<f32>(&mut group, "bytes to f32, in order", bytes, &in_order);
    group.throughput(size(4));
    bench::<f32>(&mut group, "f32, shuffled", &floats, &shuffled);
    bench::<f32>(&mut group, "f32, in order", &floats, &in_order);
}

/// Gathers one batch after the other, in the order that is handed in.
fn bench<F: Float>(
    group: &mut BenchmarkGroup<WallTime>,
    name: &str,
    source: &dyn Source<F>,
    order: &[usize],
) {
    let (mut x, mut y) = (Array2::zeros((BATCH, SIZES[0])), Array2::zeros((BATCH, SIZES[2])));
    let mut batches = order.chunks_exact(BATCH).cycle();
    group.bench_function(name, |b| {
        b.iter(|| source.gather(batches.next().expect("a batch"), &mut x, &mut y));
    });
}

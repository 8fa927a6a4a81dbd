//! A batch of digits, gathered from all that train.
//!
//! Compare bytes, which become floats on the way, with floats, of which four or eight times as
//! many bytes have to come from memory; and the shuffled order of a training, where every row is
//! somewhere else, with the order in which the samples lie. The throughput is in bytes that are
//! read.

use std::sync::LazyLock;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use gradus::{Float, Samples, Source};
use ndarray::Array2;

use crate::data::{BATCH, MNIST, SIZES, order};

static SHUFFLED: LazyLock<Vec<usize>> = LazyLock::new(order);
static IN_ORDER: LazyLock<Vec<usize>> = LazyLock::new(|| (0..SHUFFLED.len()).collect());
static FLOATS: LazyLock<Samples<f32>> = LazyLock::new(|| {
    let images = MNIST.train.inputs();
    let targets = Array2::zeros((images.nrows(), SIZES[2]));
    Samples::new(images, targets).expect("as many targets as images")
});

pub fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gather");
    let size = |bytes: usize| Throughput::Bytes((BATCH * SIZES[0] * bytes) as u64);
    let bytes = || &MNIST.train;
    let floats = || &*FLOATS;

    group.throughput(size(1));
    bench::<f32, _>(&mut group, "bytes to f32, shuffled", bytes, &SHUFFLED);
    bench::<f64, _>(&mut group, "bytes to f64, shuffled", bytes, &SHUFFLED);
    bench::<f32, _>(&mut group, "bytes to f32, in order", bytes, &IN_ORDER);
    group.throughput(size(4));
    bench::<f32, _>(&mut group, "f32, shuffled", floats, &SHUFFLED);
    bench::<f32, _>(&mut group, "f32, in order", floats, &IN_ORDER);
}

/// Gathers one batch after the other, in the order that is handed in.
fn bench<F: Float, S: Source<F> + 'static>(
    group: &mut BenchmarkGroup<WallTime>,
    name: &str,
    source: impl Fn() -> &'static S,
    order: &LazyLock<Vec<usize>>,
) {
    let (mut x, mut y) = (Array2::zeros((BATCH, SIZES[0])), Array2::zeros((BATCH, SIZES[2])));
    group.bench_function(name, |b| {
        let source = source();
        let mut batches = order.chunks_exact(BATCH).cycle();
        b.iter(|| source.gather(batches.next().expect("a batch"), &mut x, &mut y));
    });
}

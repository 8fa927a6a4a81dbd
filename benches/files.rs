//! Files: MNIST, and a trained network.
//!
//! Compare saving with making the bytes of the file: the rest is the disk, which a saved file has
//! to reach before the old one goes. The throughput is in bytes: those of MNIST unpacked, or of the
//! saved network, which is three times as large as its parameters: it has a velocity for each as
//! well, and their digest.

use std::cell::LazyCell;

use criterion::{Criterion, Throughput};
use gradus::persist::Document;
use gradus::{Fit, Mnist, Network, NeuralNetwork, Subset, train};

use crate::data::{BATCH, FOLDER, MNIST, SIZES, network};

pub fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("file");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(70_000 * (SIZES[0] as u64 + 1)));
    group.bench_function("read MNIST", |b| b.iter(|| Mnist::read(FOLDER).expect("MNIST")));

    let network = LazyCell::new(trained);
    let folder = tempfile::tempdir().expect("a folder for files that do not stay");
    let path = folder.path().join("network.safetensors");
    group.bench_function("save a network", |b| b.iter(|| network.save(&path).expect("a file")));
    group.bench_function("load a network", |b| {
        network.save(&path).expect("a file");
        b.iter(|| NeuralNetwork::<f32>::load(&path).expect("the network"));
    });
    group.bench_function("a network to bytes", |b| {
        b.iter(|| network.to_document().expect("finite numbers").to_bytes());
    });
    let bytes = LazyCell::new(|| network.to_document().expect("finite numbers").to_bytes());
    group.bench_function("bytes to a document", |b| {
        b.iter(|| Document::<f32>::from_bytes(&bytes).expect("the document"));
    });
}

/// The network after a few steps.
fn trained() -> NeuralNetwork<f32> {
    let mut network = network();
    let some = Subset::new(&MNIST.train, 0..10 * BATCH).expect("samples that are there");
    let fit = Fit { batch_size: BATCH, epochs: 1, ..Fit::default() };
    network.fit(&some, &fit, None, &mut train::silent).expect("a training that goes well");
    network
}

//! Files: MNIST, and a trained network.
//!
//! Compare saving with making the bytes of the file: the rest is the disk, which the new file has
//! reached before the old one goes. Loading also makes the network again. The throughput is in
//! bytes: those of MNIST unpacked, or of the saved network, which has a velocity for every
//! parameter.

use criterion::{Criterion, Throughput};
use gradus::persist::Document;
use gradus::{Fit, Mnist, Network, NeuralNetwork, Subset, train};

use crate::data::{BATCH, FOLDER, MNIST, SIZES, network};

pub fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("file");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(70_000 * (SIZES[0] as u64 + 1)));
    group.bench_function("read MNIST", |b| b.iter(|| Mnist::read(FOLDER).expect("MNIST")));

    let network = trained();
    let to_bytes = || network.to_document().expect("finite numbers").to_bytes();
    let bytes = to_bytes();
    let folder = tempfile::tempdir().expect("a folder for files that do not stay");
    let path = folder.path().join("network.safetensors");
    network.save(&path).expect("a file");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("network to bytes", |b| b.iter(to_bytes));
    group.bench_function("bytes to document", |b| {
        b.iter(|| Document::<f32>::from_bytes(&bytes).expect("the document"));
    });
    group.bench_function("save network", |b| b.iter(|| network.save(&path).expect("a file")));
    group.bench_function("load network", |b| {
        b.iter(|| NeuralNetwork::<f32>::load(&path).expect("the network"));
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

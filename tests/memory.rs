//! How much memory a training on MNIST takes at most. A test binary of its own: the system
//! counts for the whole process.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use gradus::{
    CategoricalCrossEntropy, Fit, Init, Mnist, Momentum, Network, NeuralNetwork, Relu, Softmax,
    train,
};

/// The most memory that this process has had at once, in bytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<usize>().unwrap() * 1024
}

#[test]
fn a_training_on_mnist_takes_the_bytes_of_its_images_and_50_megabytes() {
    let before = peak();
    let mnist = Mnist::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist")).unwrap();
    let momentum = Momentum::new(0.1, 0.9).unwrap();
    let mut network = NeuralNetwork::<f32>::new(
        &[784, 64, 10],
        Relu,
        Softmax,
        CategoricalCrossEntropy,
        momentum,
        Init::He,
        1,
    )
    .unwrap();
    let fit = Fit { batch_size: 128, epochs: 1, threads: 2, ..Fit::default() };
    let history = network.fit(&mnist.train, &fit, None, &mut train::silent).unwrap();
    assert!(history.loss[0] < 0.4);
    let bytes = mnist.train.bytes().len() + mnist.test.bytes().len();
    let more = (peak() - before).saturating_sub(bytes);
    assert!(more <= 50_000_000, "{more} bytes beside the {bytes} of the images");
}

//! What the programs in Rust have in common: the digits, the options, the line of JSON.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use flate2::read::GzDecoder;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use serde_json::{Value, json};

/// Pixels of an image.
pub const INPUTS: usize = 784;
/// Hidden units.
pub const HIDDEN: usize = 64;
/// Classes.
pub const OUTPUTS: usize = 10;
/// Images for each step; the last step of an epoch has 96.
pub const BATCH: usize = 128;
/// The learning rate.
pub const RATE: f64 = 0.1;
/// How much of the last velocity is kept.
pub const MOMENTUM: f64 = 0.9;

/// Images, one after the other, and what they show.
pub struct Images {
    /// The pixels, 784 for each image, in [0, 1].
    pub pixels: Vec<f32>,
    /// A class for each image.
    pub labels: Vec<u8>,
}

impl Images {
    /// Reads images and labels, `train` or `t10k`, from the repository's `data/mnist`.
    pub fn read(part: &str) -> Self {
        let bytes = idx(&format!("{part}-images-idx3-ubyte.gz"), 16);
        let pixels = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        Self { pixels, labels: idx(&format!("{part}-labels-idx1-ubyte.gz"), 8) }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.labels.len()
    }
}

/// The bytes of a file in IDX format, without the head.
fn idx(name: &str, head: usize) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../data/mnist");
    let file = File::open(folder.join(name)).expect("the repository has MNIST");
    let mut content = Vec::new();
    GzDecoder::new(file).read_to_end(&mut content).expect("the file is gzipped");
    content.split_off(head)
}

/// What the command line asks for. Threads are asked for by RAYON_NUM_THREADS.
pub struct Options {
    pub threads: usize,
    pub seed: u64,
    pub epochs: usize,
}

impl Options {
    /// `--threads 1 --seed 0 --epochs 10`, in any order.
    pub fn read() -> Self {
        let args: Vec<String> = std::env::args().collect();
        let value = |name: &str, default: u64| {
            let place = args.iter().position(|arg| arg == name);
            place.map_or(default, |i| args[i + 1].parse().expect("a number follows the option"))
        };
        Self {
            threads: value("--threads", 1) as usize,
            seed: value("--seed", 0),
            epochs: value("--epochs", 10) as usize,
        }
    }
}

/// All that is drawn at random in a training.
pub struct Draw(StdRng);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// He's initial weights: normal, with variance 2 / inputs.
    pub fn weights(&mut self, inputs: usize, outputs: usize) -> Vec<f32> {
        let deviation = (2.0 / inputs as f32).sqrt();
        let mut normal = || self.0.sample::<f32, _>(StandardNormal);
        (0..inputs * outputs).map(|_| deviation * normal()).collect()
    }

    /// Puts the numbers of the samples into another order.
    pub fn shuffle<T>(&mut self, order: &mut [T]) {
        order.shuffle(&mut self.0);
    }
}

/// Trains, and prints what came of it: `train` gives the mean loss of each epoch, `correct`
/// then the number of test images that are read rightly.
pub fn run<M>(
    name: &str,
    version: &str,
    options: &Options,
    mut model: M,
    train: impl FnOnce(&mut M) -> Vec<f64>,
    correct: impl FnOnce(&M) -> usize,
) {
    let start = Instant::now();
    let losses = train(&mut model);
    let seconds = start.elapsed().as_secs_f64();
    let line: Value = json!({
        "name": name,
        "version": version,
        "threads": options.threads,
        "seed": options.seed,
        "seconds": seconds,
        "accuracy": correct(&model) as f64 / 10_000.0,
        "losses": losses,
    });
    println!("{line}");
}

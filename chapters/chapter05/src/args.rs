//! The command line, and what follows from it.

use std::fs;
use std::path::{Path, PathBuf};

use gradus::{
    CategoricalCrossEntropy, Fit, Init, Mnist, Momentum, NeuralNetwork, Relu, Softmax, mnist,
};
use lab::Result;

/// What can be chosen.
#[derive(clap::Parser)]
#[command(about = "Chapter 5: a network that is trained on MNIST, saved, loaded and resumed")]
pub struct Args {
    #[command(flatten)]
    pub common: lab::Common,

    /// Folder with the four IDX files of MNIST or a set like it, plain or gzipped
    /// [default: data/mnist]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Where the network is saved [default: target/chapter05/mnist.safetensors]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// How often every image is seen
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub epochs: usize,

    /// Images for each step
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub batch_size: usize,

    /// How far each step follows the gradient
    #[arg(long, value_name = "X", default_value_t = 0.05, allow_negative_numbers = true)]
    pub learning_rate: f64,

    /// How much of the last step is kept: 0 or more, below 1
    #[arg(long, value_name = "X", default_value_t = 0.9, allow_negative_numbers = true)]
    pub momentum: f64,

    /// Units of each hidden layer, such as 64 or 64,32
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "128")]
    pub hidden: Vec<usize>,

    /// Threads that share a batch; another number of threads gives other last digits
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub threads: usize,

    /// Loads the model, writes its outputs into this folder, and goes on with its training:
    /// what this program asks of a second process
    #[arg(long, value_name = "DIR", hide = true)]
    pub new_process: Option<PathBuf>,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

/// The largest hidden layer: beyond it, an epoch takes minutes.
const LARGEST: usize = 4096;

impl Args {
    /// Checks what can be checked before anything takes time.
    pub fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err("--epochs must be at least 1, but is 0".into());
        }
        if self.batch_size == 0 {
            return Err("--batch-size must be at least 1, but is 0: try 128".into());
        }
        if !(1..=64).contains(&self.threads) {
            let threads = self.threads;
            return Err(format!("--threads must lie in 1 to 64, but is {threads}: try 2").into());
        }
        if let Some(units) = self.hidden.iter().find(|units| !(1..=LARGEST).contains(*units)) {
            let range = format!("each layer of --hidden must have 1 to {LARGEST} units");
            return Err(format!("{range}, but one has {units}: try --hidden 128").into());
        }
        self.network(0)?;
        let model = self.model();
        if model.is_dir() {
            let model = model.display();
            return Err(format!("--model must name a file, but {model} is a folder").into());
        }
        if model.extension().is_some_and(|extension| extension == "npy") {
            return Err("--model must not end in .npy: the parameters alone are saved there".into());
        }
        let folder = self.folder();
        let writable = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
        writable.map_err(|e| {
            let folder = folder.display();
            format!("--model must lie where one may write, but {folder} is no such place: {e}")
        })?;
        Ok(())
    }

    /// A fresh network.
    pub fn network(&self, seed: u64) -> gradus::Result<NeuralNetwork<f32>> {
        let ends = [mnist::SIDE * mnist::SIDE, mnist::CLASSES];
        let sizes = [&ends[..1], &self.hidden, &ends[1..]].concat();
        let momentum = Momentum::new(self.learning_rate, self.momentum)?;
        NeuralNetwork::new(&sizes, Relu, Softmax, CategoricalCrossEntropy, momentum, Init::He, seed)
    }

    /// How it is trained.
    pub fn fit(&self) -> Fit {
        let Self { batch_size, epochs, threads, .. } = *self;
        Fit { batch_size, epochs, threads, seed: self.common.seed, patience: None }
    }

    /// Reads the images.
    pub fn images(&self) -> Result<Mnist> {
        let hint = "--data needs a folder with four IDX files like those in data/mnist";
        Mnist::read(self.data()).map_err(|e| format!("{e}\n{hint}").into())
    }

    /// The folder with the images.
    pub fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| workspace().join("data/mnist"))
    }

    /// The file of the model.
    pub fn model(&self) -> PathBuf {
        let default = || workspace().join("target/chapter05/mnist.safetensors");
        self.model.clone().unwrap_or_else(default)
    }

    /// The folder that the model is saved in.
    pub fn folder(&self) -> PathBuf {
        match self.model().parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }
}

/// Where the book is.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(""))
}

/// A path, from the book's folder if it lies there.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(workspace()).unwrap_or(path).display().to_string()
}

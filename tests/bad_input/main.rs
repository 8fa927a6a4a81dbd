//! Bad input: what is refused, with the very message, and what is odd but right.
//!
//! No input may make the library panic, and each message names the value that is wrong and
//! what would be right. Every case of a table must return an error; one that panics, returns a
//! result, or says something else is listed by its name.

mod damaged;
mod data;
mod edits;
mod mnist;
mod models;
mod npy;
mod odd;
mod saving;
mod settings;
mod training;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use gradus::{
    CategoricalCrossEntropy, Init, Momentum, NeuralNetwork, Result, Samples, Softmax, Tanh,
};
use ndarray::array;
use tempfile::TempDir;

/// Cases of one kind, with a folder for their files.
struct Table {
    folder: TempDir,
    cases: usize,
    wrong: Vec<String>,
}

impl Table {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), cases: 0, wrong: Vec::new() }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in the folder.
    fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// A new file in the folder with this content.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// What `attempt` does must be refused, with this message. The name of the folder is
    /// written as `FOLDER`.
    fn case<T>(&mut self, name: &str, message: &str, attempt: impl FnOnce() -> Result<T>) {
        self.judge(name, message, Box::new(|| attempt().map(drop)));
    }

    fn judge(&mut self, name: &str, message: &str, attempt: Box<dyn FnOnce() -> Result<()> + '_>) {
        self.cases += 1;
        let said = match catch_unwind(AssertUnwindSafe(attempt)) {
            Err(_) => "panicked".to_owned(),
            Ok(Ok(())) => "was accepted".to_owned(),
            Ok(Err(error)) => {
                let said = error.to_string();
                let said = said.replace(&*self.folder().to_string_lossy(), "FOLDER");
                if said == message {
                    return;
                }
                format!("says     {said}")
            }
        };
        self.wrong.push(format!("{name}:\n  must say {message}\n  {said}"));
    }

    /// Fails if a case went wrong, or if there are not as many as there should be.
    #[track_caller]
    fn finish(self, cases: usize) {
        let wrong = self.wrong.join("\n");
        assert!(self.wrong.is_empty(), "{} of {}:\n{wrong}", self.wrong.len(), self.cases);
        assert_eq!(self.cases, cases, "a case was lost, or the count was not raised");
    }
}

/// A classifier of two inputs and three classes.
fn classifier() -> NeuralNetwork<f64> {
    network(&[2, 3]).unwrap()
}

fn network(sizes: &[usize]) -> Result<NeuralNetwork<f64>> {
    let optimizer = Momentum::new(0.1, 0.9)?;
    let init = Init::GlorotNormal;
    NeuralNetwork::new(sizes, Tanh, Softmax, CategoricalCrossEntropy, optimizer, init, 1)
}

/// Four samples that the classifier can learn.
fn samples() -> Samples<f64> {
    let x = array![[0.1, 0.2], [1.0, -1.0], [-0.5, 0.3], [0.7, 0.7]];
    let y = array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
    Samples::new(x, y).unwrap()
}

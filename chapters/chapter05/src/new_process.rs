//! A second process: all it knows of the training is a file.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use gradus::{Event, Network, NeuralNetwork};
use lab::{Lab, Result};
use ndarray::Array2;

use crate::args::Args;

/// Where the second process leaves the outputs it computed.
const OUTPUTS: &str = "y_hat.bits";

// ANCHOR: go_on
/// What the second process does: it loads the network, predicts, goes on with
/// the training, and saves the network where it was.
pub fn go_on(args: &Args, lab: &mut Lab, answers: &Path) -> Result<()> {
    let model = args.model();
    let images = args.images()?;
    let (train, test) = (&images.train, &images.test);
    let mut network = NeuralNetwork::<f32>::load(&model)?;
    let y_hat = network.predict(&test.inputs())?;
    fs::write(answers.join(OUTPUTS), bytes(&y_hat))?;
    let mut progress = lab.progress("In a new process");
    let mut show = |event: Event| progress.observe(event);
    network.resume(train, args.epochs, Some(test), &mut show)?;
    progress.finish();
    Ok(network.save(&model)?)
}
// ANCHOR_END: go_on

/// Starts this program as a second process, waits until it has gone on with the training of
/// the model in its file, and returns the outputs that it computed before.
pub fn start(args: &Args) -> Result<Vec<u8>> {
    let answers = tempfile::tempdir()?;
    let status = Command::new(std::env::current_exe()?)
        .arg("--new-process")
        .arg(answers.path())
        .arg("--out")
        .arg(answers.path())
        .arg("--data")
        .arg(args.data())
        .arg("--model")
        .arg(args.model())
        .args(["--epochs", &args.epochs.to_string()])
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("the second process failed ({status})").into());
    }
    Ok(fs::read(answers.path().join(OUTPUTS))?)
}

/// All bits of an array.
pub fn bytes(array: &Array2<f32>) -> Vec<u8> {
    array.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// At how many places two texts of bytes differ.
pub fn differing(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count() + a.len().abs_diff(b.len())
}

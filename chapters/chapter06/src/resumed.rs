//! A network of layers, saved in the middle of a training.

use std::fs;
use std::ops::ControlFlow;

use gradus::{
    Activate, CategoricalCrossEntropy, Dense, Event, Fit, Init, Momentum, Network, Output, Relu,
    Sequential, Shape, Softmax, Tanh, layers, train,
};
use lab::text::thousands;
use lab::{Lab, Result};
use ndarray::{Array2, s};

use crate::args::Args;
use crate::digits::Digits;

/// The settings of this training, and after how many batches it is broken off.
const EPOCHS: usize = 4;
const BREAK: usize = 45;

fn network(seed: u64) -> gradus::Result<Sequential<f32>> {
    let layers = layers![
        Dense::new(50, Init::He)?,
        Activate(Relu),
        Dense::new(20, Init::GlorotNormal)?,
        Activate(Tanh),
        Dense::new(10, Init::GlorotNormal)?,
        Output(Softmax),
    ];
    let (input, loss) = (Shape::Vector(784), CategoricalCrossEntropy);
    Sequential::new(input, layers, loss, Momentum::new(0.05, 0.9)?, seed)
}

/// Trains up to the break, saves, loads, and goes on to the end.
fn saved_and_resumed(
    digits: &Digits,
    fit: &Fit,
    path: &std::path::Path,
) -> Result<(Vec<usize>, Sequential<f32>)> {
    let mut first = network(fit.seed)?;
    let mut batches = 0;
    first.fit(&digits.train, fit, None, &mut |event| {
        batches += usize::from(matches!(event, Event::Batch { .. }));
        match batches {
            BREAK => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })?;
    first.save(path)?;
    let mut second = Sequential::<f32>::load(path)?;
    let x: Array2<f32> = digits.train.x().slice(s![..100, ..]).to_owned();
    let outputs = [first.predict(&x)?, second.predict(&x)?].map(|y| bytes(&y));
    let training = second.training().ok_or("there was a training")?;
    let (epoch, batch) = (training.epoch, training.batch);
    second.resume(&digits.train, fit.epochs, None, &mut train::silent)?;
    let different = differing(&outputs[0], &outputs[1]);
    Ok((vec![epoch, batch, outputs[0].len(), different], second))
}

/// All bits of an array.
fn bytes(array: &Array2<f32>) -> Vec<u8> {
    array.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// At how many places two texts of bytes differ.
fn differing(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count() + a.len().abs_diff(b.len())
}

/// Broken off, saved, loaded, resumed: against a training that was not.
pub fn resumed(args: &Args, lab: &mut Lab, digits: &Digits) -> Result<()> {
    lab.section("resumed", "Saved and resumed")?;
    lab.section_near(0.1);
    let fit = Fit { epochs: EPOCHS, batch_size: 32, seed: args.common.seed, ..Fit::default() };
    let mut whole = network(fit.seed)?;
    whole.fit(&digits.train, &fit, None, &mut train::silent)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("layers.safetensors");
    let (facts, resumed) = saved_and_resumed(digits, &fit, &path)?;
    let size = fs::metadata(&path)?.len() as usize;
    let (file, never) = (resumed.to_document()?.to_bytes(), whole.to_document()?.to_bytes());
    let different = differing(&file, &never);
    lab.say(format!(
        "A network of dense layers, ReLU, tanh and softmax, {} parameters, learns from {} digits\n\
         for {EPOCHS} epochs. Once without a break; once broken off in epoch {}, after batch {}, saved\n\
         ({} bytes), loaded and resumed.\n\
         \n\
         Outputs of the loaded network for 100 images: {} bytes, of which {} differ.\n\
         The two trainings, saved at their end: {} bytes each, of which {different} differ.",
        thousands(whole.params().len()),
        thousands(digits.train.x().nrows()),
        facts[0] + 1,
        facts[1],
        thousands(size),
        thousands(facts[2]),
        facts[3],
        thousands(never.len()),
    ));
    lab.exact("resumed_output_bytes", facts[2]);
    lab.exact("resumed_output_bytes_that_differ", facts[3]);
    lab.near("resumed_file_bytes", never.len() as f64, 0.02);
    lab.exact("resumed_file_bytes_that_differ", different);
    lab.exact("resumed_epoch", facts[0] + 1);
    lab.exact("resumed_batch", facts[1]);
    if different + facts[3] > 0 || file.is_empty() {
        return Err("a resumed training must not differ from one that was never broken off".into());
    }
    Ok(())
}

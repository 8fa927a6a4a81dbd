//! A training without randomness, resumed in two ways.

use std::path::Path;

use gradus::{Fit, Mnist, Network, NeuralNetwork, Subset};
use lab::Result;
use ndarray::Array1;

use crate::args::Args;
use crate::run::Run;

/// The images of the training: all in one batch.
pub const IMAGES: usize = 500;

/// After how many steps it breaks off, at which steps the two are compared, and how many there
/// are in all.
pub const BREAK: usize = 10;
pub const SOON: usize = 20;
pub const LATE: usize = 40;
pub const STEPS: usize = 50;

/// A smooth training, resumed in two ways.
pub struct Smooth {
    /// The loss of each step; after the break, from the whole file.
    pub whole: Vec<f64>,
    /// The loss of each step after the break, from the parameters alone.
    pub alone: Vec<f64>,
    /// The lengths of the first steps after the break.
    pub length_whole: f64,
    pub length_alone: f64,
    /// By how much the first steps differ otherwise than by μ v, as a share of that.
    pub error: f64,
    /// The cosine of the angle between the velocity at the break and the way straight down.
    pub along: f64,
    /// How many steps later the second comes to where the first is at `SOON`, and at `LATE`.
    pub behind: Option<[f64; 2]>,
}

/// Trains up to the break, and resumes from the whole file and from the parameters alone.
pub fn training(args: &Args, images: &Mnist) -> Result<Smooth> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let few = Subset::<f32>::new(&images.train, 0..IMAGES)?;
    let fit = Fit { batch_size: IMAGES, epochs: BREAK - 1, ..args.fit() };
    let mut run = Run::default();
    let mut network = args.network(args.common.seed)?;
    network.fit(&few, &fit, None, &mut |event| run.observe(event))?;
    let before = network.params().clone();
    network.resume(&few, BREAK, None, &mut |event| run.observe(event))?;
    let (at_break, velocity) = (network.params().clone(), network.params() - &before);
    network.save(file("whole"))?;
    network.save_params(file("alone.npy"))?;

    let mut whole = load_and_step(&file("whole"), &few, &mut run)?;
    let step_whole = whole.params() - &at_break;
    whole.resume(&few, STEPS, None, &mut |event| run.observe(event))?;

    let mut second = Run::default();
    let mut alone = args.network(args.common.seed.wrapping_add(1))?;
    alone.load_params(file("alone.npy"))?;
    alone.fit(&few, &Fit { epochs: 1, ..fit }, None, &mut |event| second.observe(event))?;
    let step_alone = alone.params() - &at_break;
    alone.resume(&few, STEPS - BREAK, None, &mut |event| second.observe(event))?;

    let lost = &velocity * (args.momentum as f32);
    let error = length(&(&step_whole - &step_alone - &lost)) / length(&lost).max(f64::MIN_POSITIVE);
    // The fresh optimizer's first step goes straight down.
    let lengths = length(&velocity) * length(&step_alone);
    let along = f64::from(velocity.dot(&step_alone)) / lengths.max(f64::MIN_POSITIVE);
    // The first loss after the break belongs to the parameters at the break, in both.
    let behind_at = |step: usize| {
        let steps = crossing(&second.losses, run.losses[step])?;
        Some(steps - (step - BREAK) as f64).filter(|behind| *behind >= 0.0)
    };
    let behind = behind_at(SOON).and_then(|soon| Some([soon, behind_at(LATE)?]));
    Ok(Smooth {
        whole: run.losses,
        alone: second.losses,
        length_whole: length(&step_whole),
        length_alone: length(&step_alone),
        error: if args.momentum == 0.0 { 0.0 } else { error },
        along,
        behind,
    })
}

fn load_and_step(file: &Path, few: &Subset<f32>, run: &mut Run) -> Result<NeuralNetwork<f32>> {
    let mut network = NeuralNetwork::load(file)?;
    network.resume(few, BREAK + 1, None, &mut |event| run.observe(event))?;
    Ok(network)
}

fn length(vector: &Array1<f32>) -> f64 {
    vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

/// After how many steps falling losses come down to a goal, between two steps as on a line.
fn crossing(losses: &[f64], goal: f64) -> Option<f64> {
    let i = losses.iter().position(|&loss| loss <= goal)?;
    if i == 0 {
        return Some(0.0);
    }
    let (above, below) = (losses[i - 1], losses[i]);
    Some((i - 1) as f64 + (above - goal) / (above - below))
}

//! Chapter 9: generalisation.
//!
//! A network that knows a hundred samples by heart, and what helps against it: more samples, L2,
//! early stopping, dropout. Ten layers, and what helps them to learn at all: where the weights
//! start, and batch normalisation. Then three species of iris, how outputs become decisions, and
//! a published bug that gives L2 a hundred times the weight that was meant.

mod decay;
mod decide;
mod deep;
mod digits;
mod dropout;
mod flowers;
mod heart;
mod moons;
mod normalise;
mod published;
mod stats;
mod stopping;

use std::process::ExitCode;

use digits::Digits;
use lab::Lab;

#[derive(clap::Parser)]
#[command(about = "Chapter 9: generalisation")]
struct Args {
    #[command(flatten)]
    common: lab::Common,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

fn main() -> ExitCode {
    lab::main(env!("CARGO_PKG_NAME"), chapter)
}

fn chapter(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    let seed = args.common.seed;
    let digits = Digits::read()?;
    heart::by_heart(seed, lab)?;
    heart::more_samples(lab)?;

    deep::variances(&digits, seed, lab)?;
    deep::trainings(&digits, seed, lab)?;

    decay::strengths(lab)?;
    decay::a_smooth_boundary(seed, lab)?;
    stopping::one_training(seed, lab)?;
    stopping::many_trainings(lab)?;
    dropout::masks(seed, lab)?;
    dropout::of_moons(seed, lab)?;
    dropout::of_digits(&digits, seed, lab)?;

    normalise::rates(&digits, seed, lab)?;
    let normalised = normalise::starts(&digits, seed, lab)?;
    normalise::statistics(&normalised, &digits, seed, lab)?;
    normalise::scale_of_weights(&digits, seed, lab)?;

    flowers::fifty_splits(lab)?;
    decide::one_half(lab)?;
    decide::one_sigmoid(seed, lab)?;
    published::twice(seed, lab)
}

//! Chapter 7: convolution.
//!
//! A dense network that fails as soon as digits move; one kernel chosen by hand; the
//! convolution as six loops, as two matrix products, and as the library's layer; where
//! max-pooling sends its gradient. Then a convolutional network on MNIST, what it learns and
//! what it sees, and the published bug of a bias that is added once too often. With `--full`
//! the network learns from all 60,000 digits.

mod aflak;
mod alone;
mod digits;
mod full;
mod kernel;
mod matrices;
mod network;
mod networks;
mod pooling;
mod published;
mod shifted;
mod six_loops;

use std::process::ExitCode;

use lab::{Clock, Lab, Result};

#[derive(clap::Parser)]
#[command(about = "Chapter 7: convolution")]
struct Args {
    #[command(flatten)]
    common: lab::Common,

    /// First trains the larger network on all 60,000 digits, for some minutes, and stores what
    /// came of it in chapters/chapter07/full.csv; then runs the chapter
    #[arg(long)]
    full: bool,

    /// Threads that share a batch of the full training; another number of threads gives other
    /// last digits
    #[arg(long, value_name = "N", default_value_t = full::THREADS)]
    threads: usize,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

fn main() -> ExitCode {
    lab::main(env!("CARGO_PKG_NAME"), chapter)
}

fn chapter(args: &Args, lab: &mut Lab) -> Result<()> {
    if !(1..=64).contains(&args.threads) {
        let threads = args.threads;
        return Err(format!("--threads must lie in 1 to 64, but is {threads}: try 2").into());
    }
    let (seed, images) = (args.common.seed, digits::read()?);
    if args.full {
        full::train(seed, args.threads, &images, lab)?;
    }
    let stored = full::Stored::read()?;
    let mut clock = Clock::start();

    let dense = shifted::a_few_pixels_aside(seed, &images, lab)?;
    clock.lap("dense", "the dense network, and the moved digits");

    kernel::edges(&images, lab)?;
    six_loops::against_the_layer(seed, lab)?;
    matrices::two_matrices(lab)?;
    pooling::routing(lab)?;
    clock.lap("checks", "kernels, loops, checks, matrices");

    let network = network::on_digits(seed, &images, &dense, lab)?;
    clock.lap("network", "the convolutional network");
    network::layer_by_layer(&images, &network, lab)?;
    network::what_it_misreads(&images, &network, lab)?;
    shifted::once_more(&images, &dense, &network, lab)?;
    clock.lap("reading", "what it reads and misreads");
    full::account(&stored, lab)?;

    published::bias(seed, lab)?;
    published::what_it_costs(seed, &images, lab)?;
    clock.lap("bias", "the published bug, in fourteen trainings");
    aflak::a_thousand_digits(seed, &images, lab)?;
    clock.lap("aflak", "the tutorial's network");
    clock.tell(lab)
}

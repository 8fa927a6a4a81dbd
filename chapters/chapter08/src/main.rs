//! Chapter 8: the optimizer zoo.
//!
//! Optimizers with a rate for each parameter, beside those of chapter 3: what they do on
//! ravines, on a saddle and in Rosenbrock's valley, what becomes of their rates and first
//! steps, what schedules, clipping and weight decay add, and how all of them train a small
//! network on MNIST at rates that a search has found. At the end a published bug that Adam
//! hides, until weight decay brings it out.

mod adaptive;
mod clipping;
mod correction;
mod decay;
mod mnist;
mod one_rate;
mod schedules;
mod surface;
mod surfaces;
mod tune;
mod twice;
mod wrong_way;
mod yuan;
mod zoo;

use std::process::ExitCode;

use lab::Lab;
use mnist::Digits;
use tune::Tuned;

#[derive(clap::Parser)]
#[command(about = "Chapter 8: the optimizer zoo")]
struct Args {
    #[command(flatten)]
    common: lab::Common,

    /// Searches the rates for the digits anew, in about a minute, and stores what it finds in
    /// chapters/chapter08/tuned.csv; then runs the chapter with it
    #[arg(long)]
    tune: bool,

    /// Trains the network of a tutorial on all of MNIST anew, and stores what it finds in
    /// chapters/chapter08/yuan.csv; then runs the chapter with it
    #[arg(long)]
    full: bool,
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
    let (seed, digits) = (args.common.seed, Digits::read()?);
    if args.tune {
        tune::search(&digits, lab)?;
    }
    if args.full {
        yuan::train(seed, &digits, lab)?;
    }
    let tuned = Tuned::read()?;

    one_rate::no_rate_fits(lab)?;
    one_rate::turned(lab)?;
    adaptive::falling(seed, lab)?;
    adaptive::rare_inputs(seed, lab)?;
    adaptive::no_rest(lab)?;
    correction::first_steps(seed, &digits, lab)?;
    correction::other_units(lab)?;
    wrong_way::up_the_hill(lab)?;

    surfaces::six_on_four(lab)?;
    surfaces::off_the_ridge(lab)?;

    schedules::curves(lab)?;
    schedules::on_a_noisy_bowl(seed, lab)?;
    schedules::on_digits(seed, &digits, &tuned, lab)?;
    clipping::giant_gradients(seed, &digits, &tuned, lab)?;
    decay::beside_the_gradient(lab)?;

    mnist::digits_at_tuned_rates(seed, &digits, &tuned, lab)?;
    yuan::tell(lab)?;
    twice::mean_of_a_mean(seed, &digits, &tuned, lab)
}

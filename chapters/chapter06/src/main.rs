//! Chapter 6: a network of layers.
//!
//! A published layer that learns while it answers, and what a check makes of it; one layer
//! alone; layers in a row, in which order they are multiplied, and that they are chapter 4's
//! network; then two published runs, exclusive or and a thousand digits, as they were published
//! and as they can be; and a training that is saved and resumed.

mod alone;
mod args;
mod batches;
mod check_layer;
mod chosen;
mod digits;
mod loops;
mod moves;
mod published;
mod resumed;
mod same;
mod stack;
mod tools;
mod wrong;
mod xor;

use std::process::ExitCode;

use args::Args;
use digits::Digits;
use lab::{Lab, Result};

fn main() -> ExitCode {
    lab::main(env!("CARGO_PKG_NAME"), chapter)
}

fn chapter(args: &Args, lab: &mut Lab) -> Result<()> {
    let digits = Digits::read(args)?;
    moves::moves(args, lab)?;
    stack::from_the_left(args, lab)?;
    stack::in_a_row(args, lab)?;
    alone::one_layer_alone(args, lab)?;
    same::the_same_network(args, lab, &digits)?;
    chosen::layer_by_layer(args, lab)?;
    xor::exclusive_or(args, lab)?;

    digits::too_sure_to_learn(args, lab, &digits)?;
    digits::a_thousand_digits(args, lab, &digits)?;
    batches::one_at_a_time(args, lab, &digits)?;
    resumed::resumed(args, lab, &digits)
}

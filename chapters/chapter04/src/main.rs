//! Chapter 4: the network.
//!
//! Why training cannot start at zero; the forward and the backward pass, with a gradient check
//! of the whole; all parameters as one vector; how large random weights should be; exclusive
//! or, two moons, spirals and a sine, learned; and two bugs of published tutorials that no loss
//! curve shows.

mod arguments;
mod figures;
mod gradients;
mod parameters;
mod problems;
mod published;
mod start;
mod text;
mod variance;
mod wrong;
mod xor;

use std::process::ExitCode;

use arguments::Args;
use lab::{Lab, Result};

fn main() -> ExitCode {
    lab::main(env!("CARGO_PKG_NAME"), chapter)
}

fn chapter(args: &Args, lab: &mut Lab) -> Result<()> {
    args.check()?;
    start::eight_units_that_are_one(args, lab)?;

    gradients::forward_and_back(args, lab)?;
    gradients::the_whole_gradient(args, lab)?;
    gradients::a_slope_at_the_wrong_place(args, lab)?;

    parameters::one_vector(args, lab)?;
    parameters::nothing_to_copy(args, lab)?;

    start::layer_by_layer(args, lab)?;
    start::what_the_start_costs(args, lab)?;

    gradients::shares_of_a_batch(args, lab)?;

    let curves = [
        xor::exclusive_or(args, lab)?,
        problems::two_moons(args, lab)?,
        problems::three_spirals(args, lab)?,
        problems::a_sine(args, lab)?,
    ];
    problems::all_losses(&curves, lab)?;

    published::a_batch_without_the_last_class(args, lab)?;
    published::what_stretching_costs(args, lab)?;
    published::the_last_sample(args, lab)
}

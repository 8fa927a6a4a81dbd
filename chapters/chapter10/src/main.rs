//! Chapter 10: where the time of a training goes, and what each measure against it is worth.
//!
//! The training step as one first writes it, beside the library's; what a step has to do and
//! what this machine can do at most; what it costs to gather, to multiply by zero, to build
//! Jacobians, to compute with numbers that are too small, and to share work between threads.
//! Then each measure in turn, predicted and measured. With options, the command line of a
//! tutorial.

mod args;
mod ceilings;
mod child;
mod cost;
mod counts;
mod curve;
mod denormals;
mod gathering;
mod in_place;
mod jacobian;
mod kernels;
mod ladder;
mod measure;
mod memory;
mod peers;
mod plain;
mod precision;
mod profile;
mod race;
mod scale;
mod sharing;
mod skipping;
mod smoothing;
mod stored;
mod task;
mod yuan;

use std::process::ExitCode;

use args::Args;
use ceilings::Ceilings;
use lab::Lab;
use task::Task;

fn main() -> ExitCode {
    child::asked().unwrap_or_else(|| lab::main(env!("CARGO_PKG_NAME"), chapter))
}

fn chapter(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    let seed = args.common.seed;
    if args.training.is_chosen() {
        let choice = args.training.choice(seed)?;
        lab.aside();
        lab.section("training", &choice.words())?;
        lab.section_machine();
        yuan::run(&choice, &Task::read(seed)?.images, lab)?;
        return Ok(());
    }
    let task = Task::read(seed)?;
    if args.race {
        race::race(&task, lab)?;
    }
    if args.scale {
        scale::measure(&task, lab)?;
    }
    let mut clock = lab::Clock::start();
    let pixels = counts::pixels(&task);
    let unflushed = denormals::unflushed(&task)?;
    let at = &unflushed.at;
    clock.lap("unflushed", "a training without flushing");
    let slow = ladder::slow(&task, at)?;
    let ceilings = Ceilings::measure(slow.as_ref().and_then(|slow| slow.number("product_f64")));
    clock.lap("ceilings", "ceilings, and the slow kernel");

    yuan::its_own_settings(seed, &task.images, lab)?;
    clock.lap("yuan", "the tutorial's settings");
    curve::sooner(&task, lab)?;
    clock.lap("plain", "the plain program");
    counts::operations(pixels, lab)?;
    ceilings::tell(&ceilings, lab)?;
    gathering::a_batch(&task, &ceilings, lab)?;
    skipping::pays(&task, (pixels, unflushed.hidden), &ceilings, lab)?;
    jacobian::or_product(&ceilings, lab)?;
    precision::single_or_double(&task, at, lab)?;
    denormals::too_small(&unflushed, lab)?;
    clock.lap("parts", "gathering, zeros, Jacobians, small numbers");
    sharing::two_and_four(&task, at, lab)?;
    memory::of_a_training(&task, lab)?;
    clock.lap("threads", "threads and memory");
    ladder::climb(&task, at, pixels, (&ceilings, slow.as_ref()), lab)?;
    clock.lap("ladder", "the ladder");
    profile::against_the_floors(&task, at, pixels, &ceilings, lab)?;
    clock.lap("profile", "the profile");
    peers::tell(lab)?;
    race::tell(lab)?;
    scale::tell(lab)?;
    kernels::old_and_new(&ceilings, slow.as_ref(), lab)?;
    clock.tell(lab)
}

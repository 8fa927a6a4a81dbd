//! Chapter 3: gradient descent and momentum on bowls.
//!
//! A bowl is a quadratic function, and everything about it can be worked out: in which
//! directions an optimizer is slow, which learning rate is too large, which is best, and what
//! momentum adds. The library's optimizers take the steps; the eigenvalues predict them; the
//! chapter prints both side by side. At the end a bowl comes from data, with mini-batches and
//! a published bug that behaves like a learning rate.

mod batches;
mod bowl;
mod descent;
mod line;
mod measure;
mod momentum;
mod relatives;
mod tiny;

use std::process::ExitCode;

use bowl::Bowl;
use lab::Lab;
use line::Line;

#[derive(clap::Parser)]
#[command(about = "Chapter 3: gradient descent and momentum on bowls")]
struct Args {
    #[command(flatten)]
    common: lab::Common,

    /// How many times steeper the bowl is across than along (its condition number)
    #[arg(long, value_name = "KAPPA", default_value_t = 25.0)]
    #[arg(value_parser = |s: &str| within(s, 4.0, 10_000.0))]
    condition: f64,

    /// How far below and above the limit the learning rates of sections 1 and 2 are, as a
    /// fraction of it
    #[arg(long, value_name = "PART", default_value_t = 0.03)]
    #[arg(value_parser = |s: &str| within(s, 0.001, 0.3))]
    gap: f64,

    /// The momentum of sections 10 and 11
    #[arg(long, value_name = "MU", default_value_t = 0.9)]
    #[arg(value_parser = |s: &str| within(s, 0.1, 0.99))]
    momentum: f64,

    /// How many samples the line of sections 12, 13 and 15 goes through
    #[arg(long, value_name = "N", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u8).range(4..=16))]
    samples: u8,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

/// A number from `lo` to `hi`.
fn within(text: &str, lo: f64, hi: f64) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "this is not a number".to_owned())?;
    if (lo..=hi).contains(&value) { Ok(value) } else { Err(format!("must lie in {lo} to {hi}")) }
}

fn main() -> ExitCode {
    lab::main(env!("CARGO_PKG_NAME"), chapter)
}

fn chapter(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    let bowl = Bowl::turned(args.condition)?;
    descent::a_step_too_long(&bowl, args.gap, lab)?;
    descent::two_directions(&bowl, args.gap, lab)?;
    descent::the_limit(&bowl, lab)?;
    descent::the_best_rate(&bowl, lab)?;

    momentum::velocity(lab)?;
    momentum::the_matrix(&bowl, lab)?;
    momentum::the_best_pair(&bowl, lab)?;
    momentum::the_new_limit(&bowl, lab)?;
    momentum::misjudged(&bowl, lab)?;
    relatives::moving_average(&bowl, args.momentum, lab)?;
    relatives::looking_ahead(&bowl, args.momentum, lab)?;

    let line = Line::new(args.samples.into(), args.common.seed);
    batches::mini_batches(&line, args.common.seed, lab)?;
    batches::noise_floor(&line, args.common.seed, lab)?;
    tiny::velocity(lab)?;
    batches::averaged_twice(&line, lab)
}

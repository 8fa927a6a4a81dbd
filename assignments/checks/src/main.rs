//! Grades the student's answers to one chapter: `cargo xtask grade 1` builds and starts this.

use std::process::{ExitCode, exit};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use assignments::{CHAPTERS, Registry, Report};
use clap::Parser;

/// Checks the answers to one chapter
#[derive(Parser)]
#[command(bin_name = "cargo xtask grade")]
struct Args {
    /// The chapter's number
    chapter: u32,
    /// Chooses the random inputs; another one for each run, unless given
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match grade(&args) {
        Ok(report) => {
            println!("{report}");
            // A check that was too slow still has a thread, which must not keep us.
            exit(i32::from(report.earned() < report.total()))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn grade(args: &Args) -> Result<Report, String> {
    let number = args.chapter;
    let chapter = CHAPTERS.iter().find(|chapter| chapter.number == number);
    let chapter = chapter.ok_or_else(|| format!("chapter {number} has no assignment"))?;
    let registry = Registry::read(chapter.exercises)
        .map_err(|error| format!("chapter {number}, exercises.toml: {error}"))?;
    let checks = (chapter.student)().ok_or_else(|| {
        format!("chapter {number} is not built in: use `cargo xtask grade {number}`")
    })?;
    let seed = args.seed.unwrap_or_else(any_seed);
    Ok(Report::new(number, &registry, checks, seed, Duration::from_secs(10)))
}

/// A seed that can be typed again: up to four digits of the clock.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| u64::from(now.subsec_micros()) % 10_000)
}

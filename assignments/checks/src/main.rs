//! Grades a student's answers: `cargo xtask grade 1` builds them, and starts this.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use assignments::{Outcome, Part, Programs, Report, gradescope, junit, summary, write};
use clap::Parser;

/// Checks the answers to one part of the course, or to several
#[derive(Parser)]
#[command(bin_name = "cargo xtask grade")]
struct Args {
    /// A chapter's number; `together`, for all answers at once; `all`, for one after another
    #[arg(required = true)]
    parts: Vec<String>,
    /// Holds the programs with the student's code: `chapter02`, or `chapter02.txt`, which says why
    /// there is none
    #[arg(long, value_name = "FOLDER", required_unless_present = "unfinished")]
    programs: Option<PathBuf>,
    /// A word of the command that starts such a program; repeat it for each word
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    run_with: Vec<OsString>,
    /// Chooses the random inputs; another one for each run, unless given
    #[arg(long)]
    seed: Option<u64>,
    /// Writes the results for Gradescope
    #[arg(long, value_name = "FILE")]
    gradescope: Option<PathBuf>,
    /// Writes the results as JUnit does
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Starts no program, and reports what has to be there if grading does not end
    #[arg(long)]
    unfinished: bool,
    /// Where the book is published; without it, links are the names of its pages
    #[arg(long, value_name = "URL")]
    book: Option<String>,
    /// Prints a line for each part instead of a report
    #[arg(long)]
    summary: bool,
    /// Prints no report
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(complete) if complete || args.gradescope.is_some() || args.junit.is_some() => {
            ExitCode::SUCCESS
        }
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all points were earned.
fn run(args: &Args) -> Result<bool, String> {
    let parts = parts(&args.parts)?;
    let seed = args.seed.unwrap_or_else(any_seed);
    let book = args.book.as_ref().map(|url| format!("{}/", url.trim_end_matches('/')));
    let book = book.unwrap_or_default();
    let mut reports: Vec<Report> = Vec::new();
    for part in parts {
        let report = match &args.programs {
            Some(folder) if !args.unfinished => {
                let (folder, run_with) = (folder.clone(), args.run_with.clone());
                assignments::grade(part, &Programs { folder, run_with }, seed)
            }
            _ => part.report(seed, |_| Outcome::NotGraded(UNFINISHED.to_owned())),
        };
        reports.push(report.map_err(in_words)?);
    }
    if args.summary {
        println!("{}", summary(&reports));
    } else if !args.quiet {
        let shown: Vec<String> = reports.iter().map(|report| report.show(&book)).collect();
        println!("{}", shown.join("\n\n"));
    }
    if let Some(path) = &args.gradescope {
        let text = gradescope(&reports, &book);
        write(path, &text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    if let Some(path) = &args.junit {
        let text = junit(&reports, &book).map_err(in_words)?;
        write(path, &text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(reports.iter().all(|report| report.earned() == report.total()))
}

/// What has to be in the results if grading does not end.
const UNFINISHED: &str = "The grader did not finish. That is not your doing, or not only: please \
                          tell your instructor. Handing in once more may help.";

fn parts(asked: &[String]) -> Result<Vec<Part>, String> {
    if asked == ["all"] {
        return Ok(Part::all());
    }
    asked.iter().map(|part| part.parse().map_err(in_words)).collect()
}

fn in_words(error: impl Display) -> String {
    error.to_string()
}

/// A seed that can be typed again: up to four digits of the clock.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| u64::from(now.subsec_micros()) % 10_000)
}

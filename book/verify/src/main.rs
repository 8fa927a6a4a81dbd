//! Compares what a chapter finds today with what the book says.
//!
//! `verify COMMITTED FOUND` takes two folders that the same chapter has written and prints
//! how they differ. What may differ, and how far, stands in the chapter's `results.json`.

mod chapter;
mod figure;
mod results;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folders: Vec<_> = std::env::args_os().skip(1).collect();
    let [committed, found] = &folders[..] else {
        eprintln!("usage: verify COMMITTED FOUND, two folders that a chapter has written");
        return ExitCode::from(2);
    };
    let differences = chapter::compare(Path::new(committed), Path::new(found));
    for difference in &differences {
        println!("{difference}");
    }
    if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One place where the two runs do not agree.
#[derive(Debug, Clone, PartialEq)]
struct Difference {
    /// The file, and where in it.
    place: String,
    /// What the book says.
    committed: String,
    /// What the chapter found now.
    found: String,
}

impl Difference {
    fn new(
        place: impl Into<String>,
        committed: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { place: place.into(), committed: committed.into(), found: found.into() }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { place, committed, found } = self;
        write!(f, "  {place}\n    committed: {committed}\n    found:     {found}")
    }
}

/// How far another run may stray from the numbers in a text or a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Likeness {
    /// To x with |x − v| ≤ tolerance · max(1, |v|).
    Near(f64),
    /// As far as it likes: only the words are compared.
    Machine,
}

/// The rule of `near`.
fn near(committed: f64, found: f64, tolerance: f64) -> bool {
    (found - committed).abs() <= tolerance * committed.abs().max(1.0)
}

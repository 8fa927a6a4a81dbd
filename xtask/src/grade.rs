//! `cargo xtask grade 1`: the student's answers to one chapter, checked.

use std::fs;
use std::process::ExitStatus;

use crate::Error;
use crate::plan::Need;
use crate::set_up::set_up;
use crate::workspace::{cargo, root, status};

/// Builds one chapter's answers with their checks, and runs these. An answer that does not
/// compile is shown as the compiler has it.
pub fn grade(asked: &str, seed: Option<u64>) -> Result<ExitStatus, Error> {
    let number = find(asked)?;
    set_up(&[Need::Compiler, Need::OpenBlas])?;
    let feature = format!("assignments/chapter{number:02}");
    let mut cargo = cargo("run");
    // The features of the whole workspace, so that nothing is built twice.
    cargo.args(["--quiet", "--bin", "grade", "--features", &feature, "--", &number.to_string()]);
    if let Some(seed) = seed {
        cargo.args(["--seed", &seed.to_string()]);
    }
    eprintln!("Building your answers to chapter {number} (for the first time, this takes a while)");
    status(&mut cargo)
}

/// The number of the chapter that was asked for, by number or by name.
fn find(asked: &str) -> Result<u32, Error> {
    let there_are = assignments()?;
    let number = asked.strip_prefix("chapter").unwrap_or(asked).parse();
    match number {
        Ok(number) if there_are.contains(&number) => Ok(number),
        _ => Err(Error::NoSuchAssignment { asked: asked.to_owned(), chapters: there_are }),
    }
}

/// The chapters that have an assignment: those with a file of checks.
fn assignments() -> Result<Vec<u32>, Error> {
    let path = root().join("assignments/checks/src");
    let read = || -> std::io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&path)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix("chapter").and_then(|name| name.strip_suffix(".rs"));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    };
    read().map_err(|source| Error::CannotRead { path: path.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_is_found_by_number_or_by_name() {
        for asked in ["1", "01", "chapter01"] {
            assert_eq!(find(asked).unwrap(), 1, "{asked}");
        }
    }

    #[test]
    fn what_has_no_assignment_is_an_error_that_lists_what_has() {
        for asked in ["0", "99", "chapter", "one", "-1", ""] {
            let said = find(asked).unwrap_err().to_string();
            let right = format!("chapter `{asked}` has no assignment; these have one: [1");
            assert!(said.starts_with(&right), "{said}");
        }
    }
}

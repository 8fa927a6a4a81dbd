//! The student's answers: which files they are in, and the programs made of them.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{fs, io};

use crate::plan::Need;
use crate::set_up::set_up;
use crate::workspace::{cannot_start, cargo, root, status};
use crate::{Error, done};

/// The chapter that was asked for, by number or by name, or all of them.
pub fn find(asked: &str) -> Result<Vec<u32>, Error> {
    let there_are = chapters()?;
    if asked == "all" {
        return Ok(there_are);
    }
    match asked.strip_prefix("chapter").unwrap_or(asked).parse() {
        Ok(number) if there_are.contains(&number) => Ok(vec![number]),
        _ => Err(Error::NoSuchAssignment { asked: asked.to_owned(), chapters: there_are }),
    }
}

/// The chapters that have an assignment: those with a stub.
pub fn chapters() -> Result<Vec<u32>, Error> {
    let path = root().join("assignments");
    let read = || -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix("chapter").and_then(|number| number.parse::<u32>().ok());
            numbers.extend(number.filter(|_| entry.path().join("stub.rs").exists()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    };
    read().map_err(|source| Error::CannotRead { path: path.clone(), source })
}

/// The name of the program with the answers to a chapter.
pub fn program(chapter: u32) -> String {
    format!("chapter{chapter:02}")
}

/// The name of the file that the student writes.
pub fn file_name(chapter: u32) -> String {
    format!("{}.rs", program(chapter))
}

/// The folder with the chapter's texts.
pub fn folder(chapter: u32) -> PathBuf {
    root().join("assignments").join(program(chapter))
}

/// Where it is.
pub fn file(chapter: u32) -> PathBuf {
    root().join("assignments/student/src").join(file_name(chapter))
}

/// Goes on if the files of these chapters are there.
pub fn are_there(chapters: &[u32]) -> Result<(), Error> {
    match chapters.iter().find(|&&chapter| !file(chapter).exists()) {
        Some(&chapter) => Err(Error::NoAnswers { path: file(chapter), chapter }),
        None => Ok(()),
    }
}

/// Sets the machine up, and builds the grader, which takes some minutes the first time.
pub fn prepare() -> Result<(), Error> {
    set_up(&[Need::Compiler])?;
    let mut cargo = build_in_course();
    if course().join("debug/grade").exists() {
        cargo.arg("--quiet");
    } else {
        eprintln!("Building the grader, which takes some minutes the first time");
    }
    done(status(cargo.args(["--package", "assignments"]))?)
}

/// Builds a program for each chapter, and one for those that work together. Instead of one that does not compile it
/// leaves a text with what the compiler said.
pub fn build_all(chapters: &[u32]) -> Result<(), Error> {
    for program in chapters.iter().map(|&chapter| program(chapter)) {
        eprintln!("Building {program}");
        match compile(&program, false)? {
            Ok(_) => keep(&program)?,
            Err(said) => leave_text(&program, &format!("your file does not compile\n{said}"))?,
        }
    }
    match compile("together", false)? {
        Ok(_) => keep("together"),
        // What the compiler says stands at the chapter.
        Err(_) => leave_text("together", "it needs several chapters, and not all of them compile"),
    }
}

/// Builds a program, and returns what the compiler said, in colours if a terminal will show it:
/// warnings, or why it does not compile.
pub fn compile(program: &str, colours: bool) -> Result<Result<String, String>, Error> {
    let mut cargo = build(program);
    if colours {
        cargo.args(["--color", "always"]);
    }
    let output = cargo.stderr(Stdio::piped()).output();
    let output = output.map_err(|source| cannot_start(&cargo, source))?;
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(Ok(said));
    }
    // The student has never seen the file that such an error is in.
    if said.contains("could not compile `answers`") {
        said += &format!(
            "\nYour functions are called from assignments/answers. That they cannot be means that one \
             of them\nis missing, is not `pub`, or has another signature than in {}.\n",
            if program == "together" {
                "its stub".to_owned()
            } else {
                format!("assignments/{program}/stub.rs")
            }
        );
    }
    Ok(Err(said))
}

/// Cargo, building the program with the answers to one chapter, or to those that work together.
fn build(program: &str) -> Command {
    let mut cargo = build_in_course();
    cargo.args(["--quiet", "--package", "answers", "--no-default-features"]);
    cargo.args(["--features", program]);
    cargo
}

/// Cargo, building into a folder of the course's own: without OpenBLAS, and nothing that is
/// being built elsewhere keeps a student waiting.
fn build_in_course() -> Command {
    let mut cargo = cargo("build");
    cargo.args(["--locked", "--target-dir"]).arg(course());
    cargo
}

/// Puts the program that was just built where the grader looks for it.
pub fn keep(program: &str) -> Result<(), Error> {
    let path = programs().join(program);
    let copy = || {
        fs::create_dir_all(programs())?;
        let _ = fs::remove_file(path.with_extension("txt"));
        // A program that still runs cannot be written to, but it can be replaced.
        let _ = fs::remove_file(&path);
        fs::copy(course().join("debug/answers"), &path)
    };
    copy().map(drop).map_err(|source| Error::CannotWrite { path: path.clone(), source })
}

/// Puts a text there instead of the program.
fn leave_text(program: &str, text: &str) -> Result<(), Error> {
    let path = programs().join(program);
    let leave = || {
        fs::create_dir_all(programs())?;
        let _ = fs::remove_file(&path);
        fs::write(path.with_extension("txt"), text)
    };
    leave().map_err(|source| Error::CannotWrite { path: path.clone(), source })
}

/// The grader, for a part of the course.
pub fn run_grader(part: &str) -> Command {
    let mut grader = Command::new(course().join("debug/grade"));
    grader.arg(part).arg("--programs").arg(programs());
    grader
}

/// Where the course is built.
pub fn course() -> PathBuf {
    root().join("target/course")
}

fn programs() -> PathBuf {
    course().join("programs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_is_found_by_number_or_by_name() {
        for asked in ["1", "01", "chapter01"] {
            assert_eq!(find(asked).unwrap(), [1], "{asked}");
        }
        assert_eq!(find("all").unwrap(), chapters().unwrap());
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

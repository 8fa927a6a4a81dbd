//! The student's answers: building, grading, watching and resetting them.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::plan::Need;
use crate::set_up::set_up;
use crate::workspace::{cannot_start, cargo, root, status};
use crate::{Error, done};

/// What all the commands of the course share with the program `grade`.
#[derive(clap::Args)]
pub struct Options {
    /// Chooses the random inputs; another one for each run, unless given
    #[arg(long)]
    seed: Option<u64>,
    /// Writes the results as JUnit does, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Where the book is, for links to it
    #[arg(long, value_name = "URL")]
    book: Option<String>,
}

/// Checks the answers to a chapter's assignment, or to `all`.
pub fn grade(asked: &str, options: &Options) -> Result<ExitStatus, Error> {
    let chapters = find(asked)?;
    prepare(&chapters)?;
    grade_once(asked, &chapters, options)
}

/// Does so again whenever the file is saved, until it is interrupted.
pub fn watch(asked: &str, options: &Options) -> Result<ExitStatus, Error> {
    let chapters = find(asked)?;
    prepare(&chapters)?;
    loop {
        let saved = last_saved(&chapters);
        grade_once(asked, &chapters, options)?;
        let files: Vec<String> = chapters.iter().map(|&chapter| file_name(chapter)).collect();
        eprintln!("\n--- waiting for {} to be saved; Ctrl-C ends this", files.join(", "));
        while last_saved(&chapters) == saved {
            thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Where the student stands, in all chapters.
pub fn progress() -> Result<ExitStatus, Error> {
    let chapters = chapters()?;
    prepare(&chapters)?;
    build_all(&chapters)?;
    let status = status(run_grader("all").arg("--summary"))?;
    // Exit code 1 says that points are missing, which is no failure of this.
    if status.code() == Some(1) { Ok(ExitStatus::default()) } else { Ok(status) }
}

/// Makes an archive with everything that Gradescope needs.
pub fn gradescope(args: &[String]) -> Result<ExitStatus, Error> {
    set_up(&[Need::Compiler])?;
    let mut cargo = cargo("run");
    cargo.args(["--quiet", "--locked", "--package", "gradescope", "--target-dir"]).arg(course());
    status(cargo.arg("--").args(args))
}

fn grade_once(asked: &str, chapters: &[u32], options: &Options) -> Result<ExitStatus, Error> {
    let part = match chapters {
        [chapter] => {
            // What the compiler says is shown as it is.
            let built = status(build(&program(*chapter)).stderr(Stdio::inherit()))?;
            if !built.success() {
                return Ok(built);
            }
            keep(&program(*chapter))?;
            chapter.to_string()
        }
        _ => {
            build_all(chapters)?;
            asked.to_owned()
        }
    };
    let mut grader = run_grader(&part);
    if let Some(seed) = options.seed {
        grader.args(["--seed", &seed.to_string()]);
    }
    if let Some(file) = &options.junit {
        grader.arg("--junit").arg(file);
    }
    if let Some(url) = &options.book {
        grader.args(["--book", url]);
    }
    status(&mut grader)
}

/// Puts a chapter's file back as it was at first, and keeps what was in it.
pub fn reset(asked: &str, yes: bool) -> Result<ExitStatus, Error> {
    for chapter in find(asked)? {
        let (file, stub) = (answers(chapter), root().join(format!("{}/stub.rs", folder(chapter))));
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|source| Error::CannotRead { path: path.clone(), source })
        };
        let new = read(&stub)?;
        let old = if file.exists() { Some(read(&file)?) } else { None };
        let name = file_name(chapter);
        let Some(kept) = old.filter(|old| *old != new).map(|_| kept(&file)) else {
            write(&file, &new)?;
            eprintln!("{name} is as it was at first");
            continue;
        };
        let kept_name = kept.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !yes && !agreed(&format!("Empty {name}? Your answers are kept as {kept_name}."))? {
            eprintln!("{name} stays as it is");
            continue;
        }
        let cannot_write = |source| Error::CannotWrite { path: kept.clone(), source };
        fs::rename(&file, &kept).map_err(cannot_write)?;
        write(&file, &new)?;
        eprintln!("{name} is as it was at first; your answers are in {}", kept.display());
    }
    Ok(ExitStatus::default())
}

/// A name that no file has yet: chapter02.rs.old, chapter02.rs.old2, and so on.
fn kept(file: &std::path::Path) -> PathBuf {
    let mut names = (1..).map(|number| {
        let end = if number == 1 { "rs.old".to_owned() } else { format!("rs.old{number}") };
        file.with_extension(end)
    });
    names.find(|name| !name.exists()).expect("there are names enough")
}

fn write(file: &PathBuf, text: &[u8]) -> Result<(), Error> {
    fs::write(file, text).map_err(|source| Error::CannotWrite { path: file.clone(), source })
}

/// Whether the reader says yes. Where nobody can be asked, nobody has agreed.
fn agreed(question: &str) -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::NotAsked(question.to_owned()));
    }
    eprint!("{question} [y/N] ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Sets the machine up, and builds the grader, which may take a minute for the first time.
fn prepare(chapters: &[u32]) -> Result<(), Error> {
    for &chapter in chapters {
        let path = answers(chapter);
        if !path.exists() {
            return Err(Error::NoAnswers { path, chapter });
        }
    }
    set_up(&[Need::Compiler])?;
    let mut cargo = build_in_course();
    if !course().join("debug/grade").exists() {
        eprintln!("Building the grader, which takes a minute the first time");
    }
    done(status(cargo.args(["--package", "assignments"]))?)
}

/// Builds a program for each chapter, and one for all. Instead of one that does not compile it
/// leaves a text with what the compiler said.
fn build_all(chapters: &[u32]) -> Result<(), Error> {
    let mut sound = true;
    for program in chapters.iter().map(|&chapter| program(chapter)) {
        eprintln!("Building {program}");
        sound &= build_or_explain(&program)?;
    }
    if sound {
        build_or_explain("together")?;
        return Ok(());
    }
    leave_text("together", "it needs all chapters, and not all of them compile")
}

fn build_or_explain(program: &str) -> Result<bool, Error> {
    let mut cargo = build(program);
    let output = cargo.stderr(Stdio::piped()).output();
    let output = output.map_err(|source| cannot_start(&cargo, source))?;
    if output.status.success() {
        keep(program)?;
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        leave_text(program, &format!("your file does not compile\n{said}"))?;
    }
    Ok(output.status.success())
}

/// Cargo, building the program with the answers to one chapter, or to all.
fn build(program: &str) -> Command {
    let mut cargo = build_in_course();
    let features = if program == "together" { "all" } else { program };
    cargo.args(["--package", "answers", "--no-default-features", "--features", features]);
    cargo
}

/// Cargo, building into a folder of the course's own: without OpenBLAS, and nothing that is
/// being built elsewhere keeps a student waiting.
fn build_in_course() -> Command {
    let mut cargo = cargo("build");
    cargo.args(["--quiet", "--locked", "--target-dir"]).arg(course());
    cargo
}

/// Puts the program that was just built where the grader looks for it.
fn keep(program: &str) -> Result<(), Error> {
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

fn run_grader(part: &str) -> Command {
    let mut grader = Command::new(course().join("debug/grade"));
    grader.arg(part).arg("--programs").arg(programs());
    grader
}

fn course() -> PathBuf {
    root().join("target/course")
}

fn programs() -> PathBuf {
    course().join("programs")
}

fn program(chapter: u32) -> String {
    format!("chapter{chapter:02}")
}

fn file_name(chapter: u32) -> String {
    format!("{}.rs", program(chapter))
}

fn folder(chapter: u32) -> String {
    format!("assignments/{}", program(chapter))
}

/// The file that the student writes.
fn answers(chapter: u32) -> PathBuf {
    root().join("assignments/student/src").join(file_name(chapter))
}

/// When each of these files was last saved.
fn last_saved(chapters: &[u32]) -> Vec<Option<(SystemTime, u64)>> {
    let saved = chapters.iter().map(|&chapter| {
        let data = fs::metadata(answers(chapter)).ok()?;
        Some((data.modified().ok()?, data.len()))
    });
    saved.collect()
}

/// The chapter that was asked for, by number or by name, or all of them.
fn find(asked: &str) -> Result<Vec<u32>, Error> {
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
fn chapters() -> Result<Vec<u32>, Error> {
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

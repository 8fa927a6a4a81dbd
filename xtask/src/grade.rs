//! Grading a student's answers: once, at each save, all of them, or elsewhere.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::Error;
use crate::answers::{
    are_there, build_all, chapters, compile, course, file, file_name, find, keep, prepare, program,
    run_grader,
};
use crate::plan::Need;
use crate::set_up::set_up;
use crate::workspace::{cargo, root, status};

/// What is handed on to the program `grade`.
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
    prepare()?;
    grade_once(asked, &chapters, options)
}

/// Does so again whenever the file is saved, until it is interrupted.
pub fn watch(asked: &str, options: &Options) -> Result<ExitStatus, Error> {
    let chapters = find(asked)?;
    prepare()?;
    loop {
        let saved = last_saved(&chapters);
        match grade_once(asked, &chapters, options) {
            Err(error @ (Error::NoAnswers { .. } | Error::DoesNotCompile)) => {
                eprintln!("error: {error}");
            }
            result => drop(result?),
        }
        let files: Vec<String> = chapters.iter().map(|&chapter| file_name(chapter)).collect();
        eprintln!("\n--- waiting for {} to be saved; Ctrl-C ends this", files.join(", "));
        // Some editors take a file away before they put the new one there.
        let is_new = |now: &[Option<_>]| now != saved && now.iter().all(Option::is_some);
        while !is_new(&last_saved(&chapters)) {
            thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Where the student stands, in all chapters.
pub fn progress() -> Result<ExitStatus, Error> {
    let chapters = chapters()?;
    are_there(&chapters)?;
    prepare()?;
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
    are_there(chapters)?;
    let part = match chapters {
        [chapter] => {
            // What the compiler says is shown as it is.
            match compile(&program(*chapter), io::stderr().is_terminal())? {
                Ok(warnings) => eprint!("{warnings}"),
                Err(said) => {
                    eprint!("{said}");
                    return Err(Error::DoesNotCompile);
                }
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
    grader.arg("--book").arg(options.book.clone().unwrap_or_else(book));
    status(&mut grader)
}

/// The pages, if they were built on this machine; otherwise where they will be served.
fn book() -> String {
    let pages = root().join("target/book-html");
    if pages.join("index.html").exists() {
        format!("file://{}/", pages.display())
    } else {
        "http://localhost:3000/".to_owned()
    }
}

/// When each of these files was last saved.
fn last_saved(chapters: &[u32]) -> Vec<Option<(SystemTime, u64)>> {
    let saved = chapters.iter().map(|&chapter| {
        let data = fs::metadata(file(chapter)).ok()?;
        Some((data.modified().ok()?, data.len()))
    });
    saved.collect()
}

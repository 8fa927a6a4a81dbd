//! The chapters: running them, testing what they say, and comparing it with the book.

use crate::plan::Need;
use crate::set_up::set_up;
use crate::workspace::{cargo, chapters, find_chapter, output, root, status};
use crate::{Error, done};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{env, fs, thread};

/// What a chapter needs.
const NEEDS: &[Need] = &[Need::Compiler, Need::OpenBlas];

/// `cargo run --bin chapterNN -- ARGS`.
pub fn run(asked: &str, args: &[String]) -> Result<ExitStatus, Error> {
    let chapter = find_chapter(asked)?;
    set_up(NEEDS)?;
    let mut cargo = cargo("run");
    status(cargo.args(["--bin", &chapter, "--"]).args(args))
}

/// `cargo test ARGS`, on the kernel of OpenBLAS that suits this processor.
pub fn test(args: &[String], program_args: &[String]) -> Result<ExitStatus, Error> {
    set_up(NEEDS)?;
    let mut cargo = cargo("test");
    cargo.args(args).arg("--").args(program_args);
    if env::var_os("OPENBLAS_NUM_THREADS").is_none() {
        cargo.env("OPENBLAS_NUM_THREADS", "1");
    }
    if env::var_os("OPENBLAS_CORETYPE").is_none()
        && let Some(kernel) = better_kernel()?
    {
        eprintln!("OpenBLAS fell back to a slow kernel: testing with OPENBLAS_CORETYPE={kernel}");
        cargo.env("OPENBLAS_CORETYPE", kernel);
    }
    status(&mut cargo)
}

/// The kernel that OpenBLAS should have chosen, if it fell back to a slow one. Only a
/// program that links OpenBLAS can tell: the library's example `kernel`.
pub fn better_kernel() -> Result<Option<String>, Error> {
    let (status, kernel) = output(cargo("run").args(["--example", "kernel"]))?;
    // A failure says why by itself, and will stop `cargo test` too.
    let kernel = kernel.trim().to_owned();
    Ok((status.success() && !kernel.is_empty()).then_some(kernel))
}

/// Runs chapters as their readers do, into the book.
pub fn render(asked: &[String]) -> Result<ExitStatus, Error> {
    let chapters = find_chapters(asked)?;
    set_up(NEEDS)?;
    done(status(&mut build(&chapters))?)?;
    for chapter in &chapters {
        done(status(cargo("run").args(["--quiet", "--bin", chapter]))?)?;
    }
    if asked.is_empty() {
        // What the checks of the course catch is printed, too.
        done(status(cargo("run").args(["--quiet", "--bin", "matrix"]))?)?;
    }
    Ok(ExitStatus::default())
}

/// Runs chapters again, beside the book, and compares what they write with what it says: as many at
/// a time as there are cores, since most of them use one.
pub fn verify_book(asked: &[String]) -> Result<ExitStatus, Error> {
    let chapters = find_chapters(asked)?;
    set_up(NEEDS)?;
    done(status(build(&chapters).args(["--bin", "verify"]))?)?;
    // What an earlier run has left may be there or not.
    let _ = fs::remove_dir_all(scratch());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = Mutex::new(chapters.iter());
    let worker = || {
        let mut differing = Vec::new();
        let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some(chapter) = take() {
            if !is_as_in_the_book(chapter)? {
                differing.push(chapter.clone());
            }
        }
        Ok::<_, Error>(differing)
    };
    let differing = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let results = workers.into_iter().map(|worker| worker.join().expect("a worker's panic"));
        results.collect::<Result<Vec<_>, _>>()
    })?;
    let mut differing = differing.concat();
    differing.sort();
    if differing.is_empty() { Ok(ExitStatus::default()) } else { Err(Error::NotTheBook(differing)) }
}

/// Where the chapters write when they are verified.
fn scratch() -> PathBuf {
    root().join("target/verify-book")
}

/// Runs one chapter, compares, and says how long that took.
fn is_as_in_the_book(chapter: &str) -> Result<bool, Error> {
    let start = Instant::now();
    let found = scratch().join(chapter);
    let mut run = cargo("run");
    run.args(["--quiet", "--bin", chapter, "--", "--out"]).arg(&found).stdout(Stdio::null());
    done(status(&mut run)?)?;
    let mut verify = cargo("run");
    verify.args(["--quiet", "--bin", "verify", "--"]);
    verify.arg(root().join("book/src/generated").join(chapter)).arg(found);
    let (status, text) = output(&mut verify)?;
    let same = if status.success() { "as in the book" } else { "differs from the book:" };
    print!("{chapter}, {:.0} s: {same}\n{text}", start.elapsed().as_secs_f64());
    Ok(status.success())
}

/// The chapters that were asked for, or all.
fn find_chapters(asked: &[String]) -> Result<Vec<String>, Error> {
    if asked.is_empty() {
        chapters()
    } else {
        asked.iter().map(|name| find_chapter(name)).collect()
    }
}

/// `cargo build` of some chapters at once.
fn build(chapters: &[String]) -> Command {
    let mut cargo = cargo("build");
    for chapter in chapters {
        cargo.args(["--bin", chapter]);
    }
    cargo
}

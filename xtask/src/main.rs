//! The repository's own commands: `cargo xtask`. They set a machine up, say so first, and
//! then do their job.

mod found;
mod plan;
mod set_up;

use clap::{Parser, Subcommand};
use plan::Need;
use set_up::set_up;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::{env, fs, io};

/// Sets this machine up for the book, and runs it
#[derive(Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs a chapter, after installing what it needs
    Run {
        /// The chapter, `chapter05` or only `5`, and what is handed to it: try `5 --help`
        // One list, so that everything after the chapter is the chapter's, `--help` too.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        #[arg(value_names = ["CHAPTER", "ARGS"])]
        words: Vec<String>,
    },
    /// Runs the tests, after installing what they need
    Test {
        /// Handed to `cargo test`: the name of an equation, for one
        #[arg(allow_hyphen_values = true)]
        args: Vec<String>,
        /// Handed to the test programs
        #[arg(last = true)]
        program_args: Vec<String>,
    },
}

/// Why a task could not be done.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("there is no chapter `{asked}`; there are: {}", .chapters.join(", "))]
    NoSuchChapter { asked: String, chapters: Vec<String> },
    #[error(transparent)]
    SetUp(#[from] set_up::Error),
    #[error("cannot start `{program}`: {source}")]
    CannotStart { program: String, source: io::Error },
    #[error("cannot read {}: {source}", .path.display())]
    CannotRead { path: PathBuf, source: io::Error },
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Run { words } => match &words[..] {
            // As plain cargo has it.
            [chapter, dashes, args @ ..] if dashes == "--" => run(chapter, args),
            words => run(&words[0], &words[1..]),
        },
        Task::Test { args, program_args } => test(&args, &program_args),
    };
    match result {
        Ok(status) => exit_code(status),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `cargo run --bin chapterNN -- ARGS`.
fn run(asked: &str, args: &[String]) -> Result<ExitStatus, Error> {
    let chapter = find_chapter(asked)?;
    set_up(&[Need::Compiler, Need::OpenBlas])?;
    let mut cargo = cargo("run");
    status(cargo.args(["--bin", &chapter, "--"]).args(args))
}

/// `cargo test ARGS`, on the kernel of OpenBLAS that suits this processor.
fn test(args: &[String], program_args: &[String]) -> Result<ExitStatus, Error> {
    set_up(&[Need::Compiler, Need::OpenBlas])?;
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
fn better_kernel() -> Result<Option<String>, Error> {
    let mut cargo = cargo("run");
    cargo.args(["--example", "kernel"]).stderr(Stdio::inherit());
    let output = cargo.output().map_err(|source| cannot_start(&cargo, source))?;
    // A failure says why by itself, and will stop `cargo test` too.
    let kernel = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((output.status.success() && !kernel.is_empty()).then_some(kernel))
}

/// The folder of the chapter that was asked for, by name or by number.
fn find_chapter(asked: &str) -> Result<String, Error> {
    let chapters = chapters()?;
    let name = match asked.parse::<u32>() {
        Ok(number) => format!("chapter{number:02}"),
        Err(_) => asked.to_owned(),
    };
    if chapters.contains(&name) {
        return Ok(name);
    }
    let asked = asked.to_owned();
    Err(Error::NoSuchChapter { asked, chapters })
}

/// The chapters there are, in order.
fn chapters() -> Result<Vec<String>, Error> {
    let path = root().join("chapters");
    let read = || -> io::Result<Vec<String>> {
        fs::read_dir(&path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    };
    let mut names = read().map_err(|source| Error::CannotRead { path: path.clone(), source })?;
    names.retain(|name| name.starts_with("chapter"));
    names.sort();
    Ok(names)
}

/// The root of the repository.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// The cargo that started us, as if typed in the root of the repository. Paths among the
/// arguments stay relative to where the reader is.
fn cargo(subcommand: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(subcommand).arg("--manifest-path").arg(root().join("Cargo.toml"));
    // Cargo told us which package we are. Build scripts that watch these variables would
    // run again, and most of the workspace after them, each time that plain cargo and this
    // program take turns.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

fn status(command: &mut Command) -> Result<ExitStatus, Error> {
    command.status().map_err(|source| cannot_start(command, source))
}

fn cannot_start(command: &Command, source: io::Error) -> Error {
    let program = command.get_program().to_string_lossy().into_owned();
    Error::CannotStart { program, source }
}

/// The child's exit code, or failure where a signal ended it.
fn exit_code(status: ExitStatus) -> ExitCode {
    match status.code().map(u8::try_from) {
        Some(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    }
}

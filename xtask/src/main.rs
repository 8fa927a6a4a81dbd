//! The repository's own commands: `cargo xtask`. They set a machine up, say so first, and
//! then do their job.

mod answers;
mod bench_peers;
mod book;
mod chapters;
mod found;
mod grade;
mod plan;
mod reset;
mod set_up;
mod workspace;

use clap::{Parser, Subcommand};
use std::io;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

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
    /// Serves the book as pages on this machine, after installing mdBook: try `serve --open`
    Serve {
        /// Handed to `mdbook serve`: `--open`, `--port 4000`
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        args: Vec<String>,
    },
    /// Builds the book once; a warning is an error
    Book,
    /// Runs the chapters, all or some, and so re-draws the book's figures and numbers
    Render {
        /// `chapter05`, or only `5`
        chapters: Vec<String>,
    },
    /// Runs the chapters again, all or some, and compares them with what the book says
    VerifyBook {
        /// `chapter05`, or only `5`
        chapters: Vec<String>,
    },
    /// Checks your answers to a chapter's assignment, `grade 1`, or all: `grade all`
    Grade {
        /// The chapter, by number; `all`, for each chapter and then your work together
        chapter: String,
        #[command(flatten)]
        options: grade::Options,
        /// Checks again whenever you save the file
        #[arg(long)]
        watch: bool,
    },
    /// Shows where you stand in the whole course
    Progress,
    /// Puts the file with your answers back as it was at first, and keeps what you wrote
    Reset {
        /// The chapter, by number, or `all`
        chapter: String,
        /// Does not ask
        #[arg(long)]
        yes: bool,
    },
    /// Compares the library's speed with that of others, after installing them: 9 GB
    BenchPeers(bench_peers::Options),
    /// Makes an autograder for Gradescope: `gradescope 2`, or `gradescope all`
    Gradescope {
        /// The chapter, and options: try `gradescope --help`
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        args: Vec<String>,
    },
}

/// Why a task could not be done.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("there is no chapter `{asked}`; there are: {}", .chapters.join(", "))]
    NoSuchChapter { asked: String, chapters: Vec<String> },
    #[error("chapter `{asked}` has no assignment; these have one: {chapters:?}")]
    NoSuchAssignment { asked: String, chapters: Vec<u32> },
    #[error(transparent)]
    SetUp(#[from] set_up::Error),
    #[error("mdBook gave {0} warnings or errors")]
    Warnings(usize),
    #[error(
        "what {} find{} is not what the book says. If it should say it, `cargo xtask render {}` \
         writes it down; look at the difference before you commit it",
        .0.join(", "), if .0.len() == 1 { "s" } else { "" }, .0.join(" ")
    )]
    NotTheBook(Vec<String>),
    #[error("there is no program `{asked}`; there are: {}", .programs.join(", "))]
    NoSuchProgram { asked: String, programs: Vec<&'static str> },
    #[error("a command failed: {0}")]
    Failed(ExitStatus),
    #[error("cannot start `{program}`: {source}")]
    CannotStart { program: String, source: io::Error },
    #[error("cannot read {}: {source}", .path.display())]
    CannotRead { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", .path.display())]
    CannotWrite { path: PathBuf, source: io::Error },
    #[error("{} is not there. `cargo xtask reset {chapter}` makes it again", .path.display())]
    NoAnswers { path: PathBuf, chapter: u32 },
    #[error("your file does not compile; begin with the first error above")]
    DoesNotCompile,
    #[error("{0} Nobody is here to be asked; with --yes it is done without asking")]
    NotAsked(String),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Run { words } => match &words[..] {
            // As plain cargo has it.
            [chapter, dashes, args @ ..] if dashes == "--" => chapters::run(chapter, args),
            words => chapters::run(&words[0], &words[1..]),
        },
        Task::Test { args, program_args } => chapters::test(&args, &program_args),
        Task::Serve { args } => book::serve(&args),
        Task::Book => book::build(),
        Task::Render { chapters } => chapters::render(&chapters),
        Task::VerifyBook { chapters } => chapters::verify_book(&chapters),
        Task::Grade { chapter, options, watch: false } => grade::grade(&chapter, &options),
        Task::Grade { chapter, options, watch: true } => grade::watch(&chapter, &options),
        Task::Progress => grade::progress(),
        Task::Reset { chapter, yes } => reset::reset(&chapter, yes),
        Task::BenchPeers(options) => bench_peers::bench_peers(&options),
        Task::Gradescope { args } => grade::gradescope(&args),
    };
    match result {
        Ok(status) | Err(Error::Failed(status)) => exit_code(status),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Goes on if a command went well; one that did not has said why.
fn done(status: ExitStatus) -> Result<(), Error> {
    if status.success() { Ok(()) } else { Err(Error::Failed(status)) }
}

/// The child's exit code, or failure where a signal ended it.
fn exit_code(status: ExitStatus) -> ExitCode {
    match status.code().map(u8::try_from) {
        Some(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    }
}

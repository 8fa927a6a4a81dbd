//! How a chapter starts and ends.

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use gradus::blas;

use crate::{Lab, Result};

/// The arguments that every chapter takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// Decides all random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Folder for figures, outputs and results [default: the chapter's own folder in
    /// book/src/generated]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A chapter's arguments, of which [`Common`] is a part.
pub trait Arguments {
    /// The part that every chapter has.
    fn common(&self) -> &Common;
}

/// Runs a chapter: what its `main` calls, and all that it does.
///
/// `chapter` is its name, such as `chapter01`. Where OpenBLAS fell back to a slow kernel and
/// the processor has a better one, the program starts itself again once with that kernel and
/// says so; a setting of the user's own stands.
pub fn main<A: clap::Parser + Arguments>(
    chapter: &str,
    body: impl FnOnce(&A, &mut Lab) -> Result<()>,
) -> ExitCode {
    let args = A::parse();
    if let Some(code) = start_again() {
        return code;
    }
    blas::use_one_thread();
    match run(chapter, &args, body) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("error: {}", with_sources(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

fn run<A: Arguments>(
    chapter: &str,
    args: &A,
    body: impl FnOnce(&A, &mut Lab) -> Result<()>,
) -> Result<()> {
    let command = command(chapter, std::env::args_os().skip(1));
    let mut lab = Lab::new(chapter, command, args.common().out.as_deref())?;
    body(args, &mut lab)?;
    lab.finish()
}

/// Writes a line to standard error, and does not mind if nobody listens.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An error and its sources, except those that its own message already repeats.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// The command that makes what this run makes: as it was typed, without the choice of a folder.
fn command(chapter: &str, args: impl Iterator<Item = OsString>) -> String {
    let mut args = args.map(|arg| arg.to_string_lossy().into_owned());
    let mut kept = Vec::new();
    while let Some(arg) = args.next() {
        if arg == "--out" {
            args.next();
        } else if !arg.starts_with("--out=") {
            kept.push(quoted(arg));
        }
    }
    let command = format!("cargo run --bin {chapter}");
    if kept.is_empty() { command } else { format!("{command} -- {}", kept.join(" ")) }
}

fn quoted(arg: String) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=+.,:/@%".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}

/// Runs this program again with a better OpenBLAS kernel, if there is one: OpenBLAS looks at
/// the setting only once, before `main`. It cannot happen twice, because a kernel that is set
/// is never bettered.
fn start_again() -> Option<ExitCode> {
    let kernel = blas::better_kernel()?;
    let slow = blas::openblas()?.kernel;
    let program = std::env::current_exe().ok()?;
    tell(&format!(
        "OpenBLAS chose its slow kernel {slow} here: starting again with OPENBLAS_CORETYPE={kernel}"
    ));
    let mut again = Command::new(program);
    again.args(std::env::args_os().skip(1)).env("OPENBLAS_CORETYPE", kernel);
    replace(again)
}

/// Becomes another program; returns only if that fails.
#[cfg(unix)]
fn replace(mut command: Command) -> Option<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    tell(&format!("that failed ({error}): going on with the slow kernel"));
    None
}

/// Runs another program and passes its exit code on; `None` if it did not start.
#[cfg(not(unix))]
fn replace(mut command: Command) -> Option<ExitCode> {
    match command.status() {
        Ok(status) => {
            Some(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into())
        }
        Err(error) => {
            tell(&format!("that failed ({error}): going on with the slow kernel"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command_of(args: &[&str]) -> String {
        command("chapter01", args.iter().map(OsString::from))
    }

    #[test]
    fn the_command_leaves_out_the_folder_and_nothing_else() {
        assert_eq!(command_of(&[]), "cargo run --bin chapter01");
        assert_eq!(command_of(&["--out", "a b"]), "cargo run --bin chapter01");
        assert_eq!(command_of(&["--out=x"]), "cargo run --bin chapter01");
        let typed = ["--naive", "--out", "x", "--seed", "3", "it's"];
        let expected = r"cargo run --bin chapter01 -- --naive --seed 3 'it'\''s'";
        assert_eq!(command_of(&typed), expected);
    }

    #[test]
    fn sources_are_told_unless_the_message_repeats_them() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Outer(&'static str, #[source] std::io::Error);
        let cause = || std::io::Error::other("no disk");
        assert_eq!(with_sources(&Outer("cannot save", cause())), "cannot save: no disk");
        assert_eq!(with_sources(&Outer("lost: no disk", cause())), "lost: no disk");
    }
}

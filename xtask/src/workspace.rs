//! The repository: its root, its chapters, and cargo in it.

use crate::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::{env, fs, io};

/// The folder of the chapter that was asked for, by name or by number.
pub fn find_chapter(asked: &str) -> Result<String, Error> {
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
pub fn chapters() -> Result<Vec<String>, Error> {
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
pub fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// The cargo that started us, as if typed in the root of the repository. Paths among the
/// arguments stay relative to where the reader is.
pub fn cargo(subcommand: &str) -> Command {
    cargo_in(&root(), subcommand)
}

/// The same cargo, as if typed in another workspace.
pub fn cargo_in(folder: &Path, subcommand: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(subcommand).arg("--manifest-path").arg(folder.join("Cargo.toml"));
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

/// Runs a command.
pub fn status(command: &mut Command) -> Result<ExitStatus, Error> {
    command.status().map_err(|source| cannot_start(command, source))
}

/// Runs a command, and keeps what it prints to standard output.
pub fn output(command: &mut Command) -> Result<(ExitStatus, String), Error> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|source| cannot_start(command, source))?;
    Ok((output.status, String::from_utf8_lossy(&output.stdout).into_owned()))
}

pub fn cannot_start(command: &Command, source: io::Error) -> Error {
    let program = command.get_program().to_string_lossy().into_owned();
    Error::CannotStart { program, source }
}

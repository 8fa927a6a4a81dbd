//! A student's file, as it was at first.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::Error;
use crate::answers::{file, file_name, find, folder};

/// Puts a chapter's file back as it was at first, and keeps what was in it.
pub fn reset(asked: &str, yes: bool) -> Result<ExitStatus, Error> {
    for chapter in find(asked)? {
        let (file, stub) = (file(chapter), folder(chapter).join("stub.rs"));
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
fn kept(file: &Path) -> PathBuf {
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

//! Files of the repository, by their paths from its root.

use crate::problem::{Place, Problems};
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// The text of a file; a file that cannot be read is a problem, and empty.
pub fn read(root: &Path, file: &str, problems: &mut Problems) -> String {
    fs::read_to_string(root.join(file)).unwrap_or_else(|error| {
        problems.add(&Place::new(file, 1), format!("cannot read it: {error}"));
        String::new()
    })
}

/// What a text of TOML holds; a text that holds something else is a problem.
pub fn toml<T: DeserializeOwned>(
    file: &str,
    text: &str,
    what: &str,
    problems: &mut Problems,
) -> Option<T> {
    let problem = |error: toml::de::Error| {
        let begin = error.span().map_or(0, |span| span.start);
        let line = text[..begin].matches('\n').count() + 1;
        problems.add(&Place::new(file, line), format!("not {what}: {}", error.message()));
    };
    toml::from_str(text).map_err(problem).ok()
}

/// Where the entries of a list of TOML begin: the lines that are this heading.
pub fn entries<'a>(file: &'a str, text: &'a str, heading: &'a str) -> impl Iterator<Item = Place> {
    let lines = text.lines().enumerate();
    let begin = lines.filter(move |(_, line)| line.trim() == heading);
    begin.map(move |(i, _)| Place::new(file, i + 1))
}

/// All files in a folder and its folders whose names end so, in alphabetical order. Build
/// products and hidden files are left out; a folder that is not there has none.
pub fn below(root: &Path, folder: &str, extension: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if entry.path().is_dir() {
            files.extend(below(root, &path, extension));
        } else if Path::new(&name).extension().is_some_and(|e| e == extension) {
            files.push(path);
        }
    }
    files.sort();
    files
}

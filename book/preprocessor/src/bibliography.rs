//! The works the book refers to.

use crate::files;
use crate::problem::Problems;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The file of the works.
pub const FILE: &str = "book/bibliography.toml";

/// A work.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Who wrote it.
    pub authors: String,
    /// Who wrote it, as the text says it.
    pub short: String,
    /// When.
    pub year: Option<i32>,
    /// What it is called.
    pub title: String,
    /// Where it appeared.
    #[serde(default, rename = "where")]
    pub place: String,
}

impl Work {
    /// As the text says it: "Polyak (1964)".
    pub fn label(&self) -> String {
        match self.year {
            Some(year) => format!("{} ({year})", self.short),
            None => self.short.clone(),
        }
    }
}

/// The works, by key.
pub fn read(root: &Path, problems: &mut Problems) -> BTreeMap<String, Work> {
    if !root.join(FILE).is_file() {
        return BTreeMap::new();
    }
    let text = files::read(root, FILE, problems);
    files::toml(FILE, &text, "a bibliography", problems).unwrap_or_default()
}

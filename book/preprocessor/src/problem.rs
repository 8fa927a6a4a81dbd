//! What is wrong with the book, and where.

use std::collections::BTreeSet;
use std::fmt;

/// A line of a file of the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's path, from the root of the repository.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl Place {
    /// A line of a file.
    pub fn new(file: impl Into<String>, line: usize) -> Self {
        Self { file: file.into(), line }
    }

    /// The line that is `lines` below this one.
    pub fn below(&self, lines: usize) -> Self {
        Self::new(self.file.clone(), self.line + lines)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Everything that is wrong, each thing once, in the order of the files.
#[derive(Debug, Default)]
pub struct Problems(BTreeSet<(Place, String)>);

impl Problems {
    /// Adds a problem.
    pub fn add(&mut self, place: &Place, message: impl Into<String>) {
        self.0.insert((place.clone(), message.into()));
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where, and what.
    pub fn iter(&self) -> impl Iterator<Item = &(Place, String)> {
        self.0.iter()
    }
}

/// The sentence about a name that is not there: it names the closest that are.
pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut close: Vec<(f64, &str)> = known
        .into_iter()
        .map(|candidate| (likeness(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.55)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names: Vec<String> = close.iter().take(3).map(|(_, c)| format!("`{c}`")).collect();
    match &names[..] {
        [] => format!("there is no {what} `{name}`"),
        names => format!("there is no {what} `{name}`: did you mean {}?", names.join(" or ")),
    }
}

/// How alike two names are, from 0 to 1.
fn likeness(name: &str, candidate: &str) -> f64 {
    if name.len() > 3 && (candidate.contains(name) || name.contains(candidate)) {
        return 0.9;
    }
    strsim::normalized_damerau_levenshtein(name, candidate)
}

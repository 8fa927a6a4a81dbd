//! The registry: `assignments/chapterNN/exercises.toml`, one for each chapter. The book prints
//! the same text.

use serde::Deserialize;

/// The exercises of one chapter, in their order in the book.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// All of them, under the heading that each has in the file.
    #[serde(rename = "exercise")]
    pub exercises: Vec<Exercise>,
}

/// One exercise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// Unique in the book; for an assignment also the name of the function and of its check.
    pub name: String,
    /// Checked by code, or open.
    pub kind: Kind,
    /// A few words.
    pub title: String,
    /// What an assignment is worth.
    pub points: Option<u32>,
    /// The equation or the section of the book that it belongs to.
    pub about: String,
    /// What to do.
    pub task: String,
    /// Folded away in the book; printed when a check fails.
    pub hint: String,
    /// How one knows that it is right.
    pub check: String,
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A function, checked by code.
    Assignment,
    /// Open: to think about, to measure, to build.
    Challenge,
}

impl Registry {
    /// Reads the text of an `exercises.toml`.
    ///
    /// # Errors
    /// If it is not TOML, or a key is missing or unknown.
    pub fn read(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The exercises that are checked by code.
    pub fn assignments(&self) -> impl Iterator<Item = &Exercise> {
        self.exercises.iter().filter(|exercise| exercise.kind == Kind::Assignment)
    }
}

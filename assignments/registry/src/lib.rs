//! The registry of exercises: `assignments/chapterNN/exercises.toml`, one for each chapter. The
//! book prints what it says, and the checks score it. `assignments/README.md` explains the keys.
//!
//! ```
//! let text = "
//! [[exercise]]
//! name = 'halve'
//! kind = 'assignment'
//! title = 'Half of it'
//! points = 2
//! visibility = 'after_due_date'
//! about = 'twice_is_the_sum'
//! task = 'Write `pub fn halve(x: f64) -> f64`.'
//! hint = 'Undo the doubling.'
//! check = '3 becomes 1.5.'
//! ";
//! let registry = registry::Registry::read(text)?;
//! let exercise = &registry.exercises[0];
//! assert_eq!((exercise.name.as_str(), exercise.line), ("halve", 2));
//! assert_eq!(exercise.visibility, Some(registry::Visibility::AfterDueDate));
//!
//! let error = registry::Registry::read(&text.replace("points = 2", "")).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "line 2: `halve` is checked by code and has no points: add `points = 1`, or more"
//! );
//! # Ok::<(), registry::Error>(())
//! ```

use serde::{Deserialize, Serialize};
use toml::Spanned;

mod error;
#[cfg(test)]
mod tests;

pub use error::{Error, Fault};

/// The exercises of one chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// All of them, in their order in the book.
    pub exercises: Vec<Exercise>,
}

/// One exercise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// Unique in the book; for an assignment also the name of the function and of its check.
    pub name: String,
    /// Checked by code, or open.
    pub kind: Kind,
    /// A few words.
    pub title: String,
    /// What it is worth, where code checks it; a challenge has none.
    pub points: Option<u32>,
    /// When a student sees the result, where code checks it. Nothing means
    /// [always](Visibility::Visible).
    pub visibility: Option<Visibility>,
    /// The equation or the section of the book that it belongs to.
    pub about: String,
    /// What to do, in Markdown with the book's directives.
    pub task: String,
    /// Folded away in the book; printed when a check fails.
    pub hint: String,
    /// How one knows that it is right.
    pub check: String,
    /// The line of the file that it begins on, from 1.
    #[serde(skip)]
    pub line: usize,
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A function, checked by code.
    Assignment,
    /// The functions of all chapters so far, checked together.
    Together,
    /// Open: to think about, to measure, to build.
    Challenge,
}

/// When a student sees the result of a check, in the words of Gradescope, which are also those
/// of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Always.
    #[default]
    Visible,
    /// Never.
    Hidden,
    /// When nothing can be handed in any more.
    AfterDueDate,
    /// When the marks are published.
    AfterPublished,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    exercise: Vec<Spanned<Exercise>>,
}

impl Registry {
    /// Reads the text of an `exercises.toml` in which nothing is wrong.
    ///
    /// # Errors
    /// If it is not TOML, if a key is missing, unknown, or holds what it cannot, or if one of the
    /// [faults](Self::faults) is there: then the first.
    pub fn read(text: &str) -> Result<Self, Error> {
        let registry = Self::parse(text)?;
        match registry.faults().into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(registry),
        }
    }

    /// Reads the text of an `exercises.toml` in which the keys are right, whatever else is wrong.
    ///
    /// # Errors
    /// If it is not TOML, or if a key is missing, unknown, or holds what it cannot.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|error| {
            let line = line(error.span().map_or(0, |span| span.start));
            Error { line, fault: Fault::Unreadable(error.message().to_owned()) }
        })?;
        let exercises = file.exercise.into_iter().map(|exercise| {
            let line = line(exercise.span().start);
            Exercise { line, ..exercise.into_inner() }
        });
        Ok(Self { exercises: exercises.collect() })
    }

    /// What is wrong with exercises whose keys are right, in the order of the file.
    pub fn faults(&self) -> Vec<Error> {
        let mut faults = Vec::new();
        for (i, exercise) in self.exercises.iter().enumerate() {
            let twin = self.exercises[..i].iter().find(|other| other.name == exercise.name);
            let twin = twin.map(|other| Fault::Twice(exercise.name.clone(), other.line));
            let all = twin.into_iter().chain(exercise.faults());
            faults.extend(all.map(|fault| Error { line: exercise.line, fault }));
        }
        faults
    }

    /// The functions that code checks, each by itself.
    pub fn assignments(&self) -> impl Iterator<Item = &Exercise> {
        self.exercises.iter().filter(|exercise| exercise.kind == Kind::Assignment)
    }
}

impl Exercise {
    /// What is wrong with it alone.
    fn faults(&self) -> Vec<Fault> {
        let name = || self.name.clone();
        let mut faults = Vec::new();
        for (key, text) in [
            ("name", &self.name),
            ("title", &self.title),
            ("about", &self.about),
            ("task", &self.task),
            ("hint", &self.hint),
            ("check", &self.check),
        ] {
            if text.trim().is_empty() {
                faults.push(Fault::Empty(name(), key));
            }
        }
        match (self.kind, self.points) {
            (Kind::Assignment | Kind::Together, None | Some(0)) => {
                faults.push(Fault::NoPoints(name()))
            }
            (Kind::Challenge, Some(_)) => faults.push(Fault::NotScored(name(), "points")),
            _ => {}
        }
        if self.kind == Kind::Challenge && self.visibility.is_some() {
            faults.push(Fault::NotScored(name(), "visibility"));
        }
        faults
    }
}

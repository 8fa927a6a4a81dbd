//! What can be wrong with the text of a registry.

use thiserror::Error;

/// What is wrong, and on which line. Whoever knows the file's name puts it before them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not TOML, or a key that is missing, unknown, or holds what it cannot.
    #[error("not a registry of exercises: {0}")]
    Unreadable(String),
    /// An exercise with a name that the one on that line has already.
    #[error("there is another exercise `{0}` on line {1}: rename one of them")]
    Twice(String, usize),
    /// A key of an exercise without a text.
    #[error("`{0}` has an empty `{1}`: write it")]
    Empty(String, &'static str),
    /// What code checks is worth nothing.
    #[error("`{0}` is checked by code and has no points: add `points = 1`, or more")]
    NoPoints(String),
    /// A key that a challenge cannot have.
    #[error("`{0}` is a challenge, which nobody scores: take away its `{1}`")]
    NotScored(String, &'static str),
}

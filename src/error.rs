//! What can be wrong with what the library is given, each with the offending
//! value.

use std::path::PathBuf;

use crate::file_problem::FileProblem;

/// The result of everything that checks its input.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What was wrong, where, and what would have been right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array has the wrong shape.
    #[error("{what} must have shape {expected:?}, not {found:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape it must have.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },

    /// There is nothing to compute with.
    #[error("{what} must not be empty")]
    Empty {
        /// What is empty.
        what: &'static str,
    },

    /// A setting lies outside its range.
    #[error("{name} must {range}, but is {value}")]
    Setting {
        /// The setting, in words: "the learning rate".
        name: &'static str,
        /// Its range, in words: "be positive and finite".
        range: &'static str,
        /// The value it was given.
        value: f64,
    },

    /// An entry of the data is infinite or not a number.
    #[error("{what} must be finite, but row {row}, column {column} is {value}")]
    NotFinite {
        /// Which array.
        what: &'static str,
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The entry.
        value: f64,
    },

    /// A class label is not one of the classes.
    #[error(
        "labels must be whole numbers from 0 to {}, but row {row} is {value}",
        classes.saturating_sub(1)
    )]
    Label {
        /// The row, counted from 0.
        row: usize,
        /// The label.
        value: f64,
        /// How many classes there are.
        classes: usize,
    },

    /// A target is not a probability.
    #[error(
        "targets must lie in [0, 1], but row {row}, column {column} is {value}"
    )]
    Probability {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The entry.
        value: f64,
    },

    /// A row of targets is not a distribution over the classes.
    #[error("each row of targets must sum to 1, but row {row} sums to {sum}")]
    Distribution {
        /// The row, counted from 0.
        row: usize,
        /// Its sum.
        sum: f64,
    },

    /// A sample is asked for that is not there.
    #[error("there is no sample {number}: there are {samples}, counted from 0")]
    NoSuchSample {
        /// The number that was asked for.
        number: usize,
        /// How many samples there are.
        samples: usize,
    },

    /// Something is wrong with the validation data, not with the samples to
    /// learn from.
    #[error("in the validation data: {source}")]
    Validation {
        /// What is wrong.
        source: Box<Error>,
    },

    /// A layer cannot take what it is given.
    #[error("takes {takes}, but is given {given}")]
    Misfit {
        /// What the layer takes.
        takes: String,
        /// The shape it is given.
        given: String,
    },

    /// The layers of a network do not fit each other, or one of them is wrong.
    #[error("layer {place}, {name:?}, {source}")]
    Layer {
        /// Its place, counted from 1.
        place: usize,
        /// Its name.
        name: String,
        /// What is wrong.
        source: Box<Error>,
    },

    /// Training left the realm of finite numbers.
    #[error(
        "{what} became {value} in epoch {epoch}, batch {batch}: try a smaller learning rate, \
         or inputs scaled to about 1"
    )]
    Diverged {
        /// What became infinite or not a number: "the loss" or "a parameter".
        what: &'static str,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The batch, counted from 1.
        batch: usize,
        /// Its value.
        value: f64,
    },

    /// There is no training to resume.
    #[error("there is no training to resume: call `fit` first")]
    NothingToResume,

    /// A training cannot go on with other samples than it began with.
    #[error(
        "this training began with {expected} samples and cannot go on with {found}"
    )]
    SampleCount {
        /// How many samples there were.
        expected: usize,
        /// How many there are now.
        found: usize,
    },

    /// An optimizer remembers another network.
    #[error(
        "this optimizer has moved {found} parameters before, but the network has {expected}: \
         use a new optimizer for another network"
    )]
    OtherNetwork {
        /// How many parameters the network has.
        expected: usize,
        /// How many the optimizer has moved before.
        found: usize,
    },

    /// A part with this name is not known.
    #[error("no {kind} is called {name:?}; known are {}", known.join(", "))]
    UnknownPart {
        /// What kind of part: "hidden activation", "loss", …
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names that are known.
        known: Vec<String>,
    },

    /// Two parts of one kind have the same name.
    #[error(
        "there is already a built-in or registered {kind} called {name:?}: choose another name"
    )]
    NameTaken {
        /// What kind of part: "hidden activation", "loss", …
        kind: &'static str,
        /// The name.
        name: String,
    },

    /// The state of a part lacks something, or holds something that the part
    /// does not know.
    #[error("the state of this part {problem} {key:?}")]
    State {
        /// "lacks", or "must not hold".
        problem: &'static str,
        /// The name of the number or vector.
        key: String,
    },

    /// A part of a saved model could not be made again.
    #[error("the {kind} {name:?} cannot be restored: {source}")]
    Part {
        /// What kind of part: "hidden activation", "loss", …
        kind: &'static str,
        /// Its name.
        name: String,
        /// Why not.
        source: Box<Error>,
    },

    /// A number that a file cannot hold.
    #[error(
        "a model with {name} = {value} cannot be saved: it would not load again"
    )]
    Unsavable {
        /// The name of the number.
        name: String,
        /// Its value.
        value: f64,
    },

    /// Reading or writing failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// "read" or "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file does not hold what it should.
    #[error("{} {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: FileProblem,
    },
}

impl Error {
    /// The same error, if it names a row of a piece of the data that begins at
    /// row `first`.
    pub(crate) fn in_rows_from(mut self, first: usize) -> Self {
        if let Error::NotFinite { row, .. }
        | Error::Label { row, .. }
        | Error::Probability { row, .. }
        | Error::Distribution { row, .. } = &mut self
        {
            *row += first;
        }
        self
    }
}

/// Checks a setting: `Err` unless `ok`.
pub(crate) fn setting(
    name: &'static str,
    range: &'static str,
    value: f64,
    ok: bool,
) -> Result<()> {
    if ok { Ok(()) } else { Err(Error::Setting { name, range, value }) }
}

/// Checks that the length of an array does not overflow, which is a panic;
/// memory that is asked for and not there ends the program anyway.
pub(crate) fn room(
    name: &'static str,
    value: usize,
    rows: usize,
    columns: usize,
) -> Result<()> {
    let length = rows.max(1).checked_mul(columns.max(1));
    let ok = length.is_some_and(|length| length <= isize::MAX as usize / 16);
    setting(name, "leave room in memory", value as f64, ok)
}

/// Checks a shape.
pub(crate) fn shape(
    what: &'static str,
    expected: &[usize],
    found: &[usize],
) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Shape {
        what,
        expected: expected.to_vec(),
        found: found.to_vec(),
    })
}

//! A chapter's assignment: its text, its checks, and the variants that prove the checks.

use signatures::{Call, Functions, Misfit, Value};

use crate::draw::Draw;
use crate::question::{Ask, Question};

/// Asks what has to be asked about one function.
pub type Check = fn(&mut Ask<'_>);

/// The assignment of one chapter.
pub struct Chapter {
    /// The chapter's number.
    pub number: u32,
    /// The text of its `exercises.toml`.
    pub exercises: &'static str,
    /// For each function the check of that name, in the order of the exercises.
    pub checks: &'static [(&'static str, Check)],
    /// The functions as the library has them.
    pub reference: fn(&Call) -> Result<Value, Misfit>,
    /// Wrong answers that fail, and other right ones that pass.
    pub variants: fn() -> Vec<Variant>,
}

/// A chapter's functions with one of them replaced.
pub struct Variant {
    /// What it is, in a few words: "the diagonal of the Jacobian only".
    pub name: &'static str,
    /// The function that was replaced, which is also the name of its check.
    pub function: &'static str,
    /// Whether its check must fail.
    pub wrong: bool,
    /// Whether the first answer that is wrong is a panic.
    pub panics: bool,
    /// The equation or section that says how it should be, if not that of the exercise.
    pub about: Option<&'static str>,
    /// The tutorial that has it, by its key in the bibliography.
    pub published: Option<&'static str>,
    /// The functions.
    pub answer: Box<Functions>,
}

impl Variant {
    /// A wrong variant: the check of this name fails, and no other.
    pub fn wrong(
        function: &'static str,
        name: &'static str,
        functions: impl Into<Box<Functions>>,
    ) -> Self {
        let answer = functions.into();
        Self { name, function, wrong: true, panics: false, about: None, published: None, answer }
    }

    /// Another right answer to the check of this name.
    pub fn right(
        function: &'static str,
        name: &'static str,
        functions: impl Into<Box<Functions>>,
    ) -> Self {
        Self { wrong: false, ..Self::wrong(function, name, functions) }
    }

    /// Says that its first wrong answer is a panic.
    pub fn panics(self) -> Self {
        Self { panics: true, ..self }
    }

    /// Says which equation or section tells what would be right.
    pub fn see(self, about: &'static str) -> Self {
        Self { about: Some(about), ..self }
    }

    /// Says which tutorial has it, by its key in the bibliography.
    pub fn published(self, by: &'static str) -> Self {
        Self { published: Some(by), ..self }
    }
}

impl Chapter {
    /// What the check with this number asks. The seed and the number choose its inputs.
    pub fn questions(&self, check: usize, seed: u64) -> Vec<Question> {
        let mut ask = Ask::new(Draw::new(seed, check as u64), &self.reference);
        (self.checks[check].1)(&mut ask);
        ask.questions()
    }
}

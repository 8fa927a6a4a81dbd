//! A chapter's assignment: its text, its checks, and the variants that prove the checks.

use std::fmt;

use crate::draw::Draw;
use crate::given::Verdict;

/// The assignment of one chapter.
pub struct Chapter {
    /// The chapter's number.
    pub number: u32,
    /// The text of its `exercises.toml`.
    pub exercises: &'static str,
    /// The checks of the student's functions; nothing where they are not built in.
    pub student: fn() -> Option<Vec<Check>>,
    /// The checks of the functions that point at the library.
    pub reference: fn() -> Vec<Check>,
    /// Wrong answers that fail, and other right ones that pass.
    pub variants: fn() -> Vec<Variant>,
}

/// One check of one function.
pub struct Check {
    /// The name of the exercise, and of the function.
    pub name: &'static str,
    run: Box<dyn FnOnce(&mut Draw) -> Verdict + Send>,
}

/// A chapter's functions with one of them replaced.
pub struct Variant {
    /// What it is, in a few words: "the diagonal of the Jacobian only".
    pub name: &'static str,
    /// The check that it fails; nothing if it is right.
    pub fails: Option<&'static str>,
    /// The checks of these functions.
    pub checks: Vec<Check>,
}

/// A check of a chapter whose functions are in the struct `F`.
pub type CheckOf<F> = fn(&F, &mut Draw) -> Verdict;

/// The checks of a chapter, bound to the functions that they will call.
pub fn bind<F: Copy + Send + 'static>(
    checks: &[(&'static str, CheckOf<F>)],
    functions: F,
) -> Vec<Check> {
    let bound = checks
        .iter()
        .map(|&(name, check)| Check { name, run: Box::new(move |draw| check(&functions, draw)) });
    bound.collect()
}

impl Variant {
    /// A wrong variant, which fails the check of this name and no other.
    pub fn wrong(fails: &'static str, name: &'static str, checks: Vec<Check>) -> Self {
        Self { name, fails: Some(fails), checks }
    }

    /// Another right answer.
    pub fn right(name: &'static str, checks: Vec<Check>) -> Self {
        Self { name, fails: None, checks }
    }
}

impl Check {
    /// Calls the function, in this thread.
    pub(crate) fn run(self, draw: &mut Draw) -> Verdict {
        (self.run)(draw)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

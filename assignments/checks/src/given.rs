//! One call of a student's function: what it is given, and what is expected of it.

use crate::panic::{self, Panic};
use crate::show;
use crate::value::{Entry, Value};

/// The outcome of a check.
pub type Verdict = Result<(), Failure>;

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The function is still `todo!()`.
    NotWritten,
    /// The function returned something else than expected.
    Wrong {
        /// What is special about this call, if anything.
        case: Option<String>,
        /// The arguments: names and values.
        given: Vec<(String, String)>,
        /// What the function should have returned.
        expected: String,
        /// What it returned.
        found: String,
        /// The first place where the two differ, with all digits.
        difference: String,
    },
    /// The function panicked.
    Panicked {
        /// What is special about this call, if anything.
        case: Option<String>,
        /// The arguments: names and values.
        given: Vec<(String, String)>,
        /// What the panic said, and where.
        message: String,
    },
}

/// How far a number may be from what is expected: |found − expected| ≤ absolute + relative ·
/// |expected|.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// In proportion to what is expected.
    pub relative: f64,
    /// What remains where that is close to 0.
    pub absolute: f64,
}

impl Default for Tolerance {
    /// A thousand times what rounding does to a sum of a thousand numbers near 1, in `f64`; a
    /// mistake is larger by far.
    fn default() -> Self {
        Self { relative: 1e-9, absolute: 1e-12 }
    }
}

/// The arguments of one call.
#[derive(Debug, Clone)]
pub struct Given {
    arguments: Vec<(String, String)>,
    case: Option<String>,
    tolerance: Tolerance,
}

/// A call that is given `value` under the name that the student's function has for it.
pub fn given(name: &str, value: &impl Value) -> Given {
    Given { arguments: Vec::new(), case: None, tolerance: Tolerance::default() }.and(name, value)
}

impl Given {
    /// One more argument.
    pub fn and(mut self, name: &str, value: &impl Value) -> Self {
        let shape = value.shape();
        let name = if shape.is_empty() { name.to_owned() } else { format!("{name} {shape}") };
        self.arguments.push((name, value.show()));
        self
    }

    /// Says what is special about this call: "rows of very different sizes".
    pub fn case(mut self, case: &str) -> Self {
        self.case = Some(case.to_owned());
        self
    }

    /// Another tolerance than the default.
    pub fn within(mut self, relative: f64, absolute: f64) -> Self {
        self.tolerance = Tolerance { relative, absolute };
        self
    }

    /// Calls the function and compares what it returns. The shapes must be the same, and a NaN
    /// is never right.
    ///
    /// # Errors
    /// If the function is not written, panics, or returns something else.
    pub fn expect<V: Value>(self, expected: &V, call: impl FnOnce() -> V) -> Verdict {
        self.expect_that(call, |found, tolerance| {
            let difference = difference(expected, found, tolerance)?;
            Some((show_with_shape(expected), difference))
        })
    }

    /// Calls the function and asks `fault` what is wrong: what was expected, and where it is
    /// not so. For answers that are not determined to the last entry.
    ///
    /// # Errors
    /// If the function is not written, panics, or something is wrong.
    pub fn expect_that<V: Value>(
        self,
        call: impl FnOnce() -> V,
        fault: impl FnOnce(&V, Tolerance) -> Option<(String, String)>,
    ) -> Verdict {
        let Self { arguments: given, case, tolerance } = self;
        let found = match panic::catch(call) {
            Ok(found) => found,
            Err(Panic::NotWritten) => return Err(Failure::NotWritten),
            Err(Panic::Said(message)) => return Err(Failure::Panicked { case, given, message }),
        };
        match fault(&found, tolerance) {
            None => Ok(()),
            Some((expected, difference)) => {
                let found = show_with_shape(&found);
                Err(Failure::Wrong { case, given, expected, found, difference })
            }
        }
    }
}

/// The first place where two values differ, in words.
fn difference<V: Value>(expected: &V, found: &V, tolerance: Tolerance) -> Option<String> {
    if expected.shape() != found.shape() {
        let (expected, found) = (expected.shape(), found.shape());
        return Some(format!("the shape should be {expected}, and is {found}"));
    }
    let pairs = expected.entries().into_iter().zip(found.entries());
    for ((place, expected), (_, found)) in pairs {
        if !close(&expected, &found, tolerance) {
            let place = if place.is_empty() { String::new() } else { format!("at {place}: ") };
            let (expected, found) = (in_full(&expected), in_full(&found));
            return Some(format!("{place}expected {expected}, found {found}"));
        }
    }
    None
}

/// Whether an entry is what was expected. Written so that a NaN is not.
fn close(expected: &Entry, found: &Entry, tolerance: Tolerance) -> bool {
    match (expected, found) {
        (&Entry::Number(expected), &Entry::Number(found)) => {
            let allowed = tolerance.absolute + tolerance.relative * expected.abs();
            expected == found || (allowed.is_finite() && (found - expected).abs() <= allowed)
        }
        (expected, found) => expected == found,
    }
}

fn in_full(entry: &Entry) -> String {
    match entry {
        Entry::Number(x) if *x != 0.0 && !(1e-4..1e6).contains(&x.abs()) => format!("{x:e}"),
        Entry::Number(x) => x.to_string(),
        Entry::Exact(text) => text.clone(),
    }
}

/// The shape on the first line, if there is one.
fn show_with_shape(value: &impl Value) -> String {
    let (shape, shown) = (value.shape(), value.show());
    if shape.is_empty() { shown } else { format!("{shape}\n{}", show::indent(&shown, 0)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn verdict(found: Array2<f64>) -> Verdict {
        let expected = array![[1.0, -2.0, 0.0], [1e6, 0.5, 1e-20]];
        given("z", &array![1.0]).expect(&expected, || found)
    }

    fn difference_of(verdict: Verdict) -> String {
        match verdict {
            Err(Failure::Wrong { difference, .. }) => difference,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rounding_passes_and_mistakes_fail() {
        assert_eq!(verdict(array![[1.0 + 1e-10, -2.0, 1e-13], [1e6 + 1e-4, 0.5, 0.0]]), Ok(()));
        let sign = verdict(array![[1.0, 2.0, 0.0], [1e6, 0.5, 1e-20]]);
        assert_eq!(difference_of(sign), "at [0, 1]: expected -2, found 2");
        let small = verdict(array![[1.0, -2.0, 1e-11], [1e6, 0.5, 1e-20]]);
        assert_eq!(difference_of(small), "at [0, 2]: expected 0, found 1e-11");
        assert!(verdict(array![[1.0, -2.0, 0.0], [1e6 + 1.0, 0.5, 1e-20]]).is_err());
    }

    #[test]
    fn what_is_not_finite_fails() {
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(verdict(array![[1.0, -2.0, 0.0], [1e6, wrong, 1e-20]]).is_err(), "{wrong}");
        }
        assert!(given("z", &1.0).expect(&f64::INFINITY, || 1.0).is_err());
        assert!(given("z", &1.0).expect(&f64::NAN, || f64::NAN).is_err());
        assert!(given("z", &1.0).expect(&f64::INFINITY, || f64::INFINITY).is_ok());
    }

    #[test]
    fn the_shape_is_part_of_the_answer() {
        let transposed = array![[1.0, -2.0, 0.0], [1e6, 0.5, 1e-20]].reversed_axes();
        let said = difference_of(verdict(transposed));
        assert_eq!(said, "the shape should be (2, 3), and is (3, 2)");
    }

    #[test]
    fn whole_numbers_words_and_pairs() {
        assert!(given("z", &1.0).expect(&7_usize, || 7).is_ok());
        assert!(given("z", &1.0).expect(&7_usize, || 8).is_err());
        assert!(given("z", &1.0).expect(&vec![1_u8, 2], || vec![1, 3]).is_err());
        assert!(given("z", &1.0).expect(&Some(1.0), || None).is_err());
        let pair = given("z", &1.0).expect(&(1.0, array![2.0]), || (1.0, array![3.0]));
        assert_eq!(difference_of(pair), "at second [0]: expected 2, found 3");
    }
}

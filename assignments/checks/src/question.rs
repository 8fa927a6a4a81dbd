//! What a check asks: calls of the student's functions, and what is expected of each.

use std::marker::PhantomData;

use signatures::{Call, Exchange, Functions, Reply, TypedCall, Value, reply_to};

use crate::compare::{self, Tolerance};
use crate::draw::Draw;
use crate::show;

/// One call, and what is expected of it.
pub struct Question {
    /// The call.
    pub call: Call,
    /// What is special about it: "rows of very different sizes". Often nothing.
    pub case: String,
    expected: Expected,
    tolerance: Tolerance,
}

enum Expected {
    /// This value, within the tolerance.
    Value(Value),
    /// Whatever has a property: the property in words, and whether a value has it.
    Property(&'static str, Box<dyn Fn(&Value) -> bool>),
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What was expected, as it is shown.
    pub expected: String,
    /// What came, as it is shown.
    pub found: String,
    /// The first place where the two differ, with all digits.
    pub difference: String,
}

/// Collects the questions of one check. None of them depends on an answer.
pub struct Ask<'a> {
    /// Draws inputs.
    pub draw: Draw,
    reference: &'a Functions,
    questions: Vec<Question>,
}

/// The question just asked, for saying more about it.
pub struct Asked<'a, R> {
    question: &'a mut Question,
    returns: PhantomData<fn() -> R>,
}

impl<'a> Ask<'a> {
    /// Nothing asked yet. Unless a question says otherwise, what the reference returns is right.
    pub fn new(draw: Draw, reference: &'a Functions) -> Self {
        Self { draw, reference, questions: Vec::new() }
    }

    /// Asks for what the reference returns.
    ///
    /// # Panics
    /// If the reference cannot be called like this.
    pub fn call<R: Exchange>(&mut self, call: TypedCall<R>) -> Asked<'_, R> {
        let call = call.call;
        let expected = match reply_to(|| (self.reference)(&call)) {
            Reply::Returned(value) => Expected::Value(value),
            other => panic!("the reference has no answer to {call:?}: {other:?}"),
        };
        let tolerance = Tolerance::default();
        self.questions.push(Question { call, case: String::new(), expected, tolerance });
        let question = self.questions.last_mut().expect("just pushed");
        Asked { question, returns: PhantomData }
    }

    /// All questions, in the order asked.
    pub fn questions(self) -> Vec<Question> {
        self.questions
    }
}

impl<R: Exchange + 'static> Asked<'_, R> {
    /// Says what is special about this call.
    pub fn case(self, case: &str) -> Self {
        case.clone_into(&mut self.question.case);
        self
    }

    /// Expects a value that was worked out by hand: a mistake of the library must not pass as
    /// right.
    pub fn returns(self, value: &R) -> Self {
        self.question.expected = Expected::Value(value.to_value());
        self
    }

    /// Expects a property, where the value is not determined.
    pub fn has(self, words: &'static str, property: impl Fn(&R) -> bool + 'static) -> Self {
        let property = move |value: &Value| R::from_value(value).is_some_and(|v| property(&v));
        self.question.expected = Expected::Property(words, Box::new(property));
        self
    }

    /// Another tolerance than the default.
    pub fn within(self, relative: f64, absolute: f64) -> Self {
        self.question.tolerance = Tolerance { relative, absolute };
        self
    }
}

impl Question {
    /// Whether two answers are the same mistake.
    pub fn alike(&self, one: &Value, other: &Value) -> bool {
        compare::alike(one, other, self.tolerance)
    }

    /// What is wrong with this value as an answer; nothing if it is right. A NaN is wrong, unless
    /// it was asked for.
    pub fn fault(&self, found: &Value) -> Option<Fault> {
        let (expected, difference) = match &self.expected {
            Expected::Value(expected) => {
                let difference = compare::difference(expected, found, self.tolerance)?;
                (show::with_shape(expected), difference)
            }
            Expected::Property(_, property) if property(found) => return None,
            Expected::Property(words, _) => ((*words).to_owned(), format!("expected {words}")),
        };
        Some(Fault { expected, found: show::with_shape(found), difference })
    }
}

//! A call, and what becomes of it.

use serde::{Deserialize, Serialize};
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::argument::Exchange;
use crate::value::Value;

/// A call of one of the student's functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The function's name.
    pub function: String,
    /// Each argument, under the name that the signature has for it.
    pub arguments: Vec<(String, Value)>,
}

/// A call of a function that returns an `R`.
#[derive(Debug, Clone)]
pub struct TypedCall<R> {
    /// The call itself.
    pub call: Call,
    returns: PhantomData<fn() -> R>,
}

impl<R: Exchange> TypedCall<R> {
    /// A call of `function` with these arguments; [`signatures!`](crate::signatures) makes them.
    pub fn new(function: &str, arguments: Vec<(String, Value)>) -> Self {
        Self { call: Call { function: function.to_owned(), arguments }, returns: PhantomData }
    }
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The function returned.
    Returned(Value),
    /// The function is still `todo!()`.
    NotWritten,
    /// The function panicked: what it said, and where, if that is in the student's own file.
    Panicked(String),
    /// The call does not fit the functions there are.
    Misfit(String),
}

/// A call that cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// There is no such function.
    #[error("there is no function `{0}`")]
    Function(String),
    /// An argument is missing, or of another type.
    #[error("`{function}` cannot take this as `{argument}`")]
    Argument {
        /// The function.
        function: &'static str,
        /// The argument's name.
        argument: &'static str,
    },
}

/// Functions of any chapter: what a call of one of them returns.
pub type Functions = dyn Fn(&Call) -> Result<Value, Misfit>;

thread_local! {
    /// Where this thread last panicked in [`reply_to`]; nothing outside of it.
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes a call, and turns a panic into a reply without printing anything.
pub fn reply_to(answer: impl FnOnce() -> Result<Value, Misfit>) -> Reply {
    keep_quiet();
    let outside = PANICKED_AT.replace(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(answer));
    let place = PANICKED_AT.replace(outside).unwrap_or_default();
    match result {
        Ok(Ok(value)) => Reply::Returned(value),
        Ok(Err(misfit)) => Reply::Misfit(misfit.to_string()),
        Err(payload) => {
            let said = words(&*payload);
            if said.starts_with("not yet implemented") || said == "not implemented" {
                Reply::NotWritten
            } else if place.is_empty() {
                Reply::Panicked(said)
            } else {
                Reply::Panicked(format!("{said}\nat {place}"))
            }
        }
    }
}

/// From now on a panic inside [`reply_to`] is noted, not printed. All others are printed as ever.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let inside = PANICKED_AT.with_borrow_mut(|place| match place {
                Some(place) => {
                    // A panic inside ndarray says where in ndarray: that helps nobody.
                    let own = info.location().filter(|l| l.file().contains(STUDENT));
                    *place = own.map(ToString::to_string).or_else(called_from).unwrap_or_default();
                    true
                }
                None => false,
            });
            if !inside {
                others(info);
            }
        }));
    });
}

/// The folder of the student's files, as the compiler writes it down.
const STUDENT: &str = "student/src/";

/// The line of the student's that called what panics now.
fn called_from() -> Option<String> {
    let trace = Backtrace::force_capture().to_string();
    let line = trace.lines().find(|line| line.contains(STUDENT))?;
    let begin = line.find("assignments/").or_else(|| line.find(STUDENT))?;
    Some(line[begin..].to_owned())
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_reply() {
        let said = |text: &str| Reply::Panicked(text.to_owned());
        assert_eq!(reply_to(|| Ok(Value::Whole(1))), Reply::Returned(Value::Whole(1)));
        assert_eq!(reply_to(|| panic!("no row {}", 3)), said("no row 3"));
        assert_eq!(reply_to(|| panic!("plain")), said("plain"));
        let misfit = reply_to(|| Err(Misfit::Function("f".to_owned())));
        assert_eq!(misfit, Reply::Misfit("there is no function `f`".to_owned()));
    }

    #[test]
    #[allow(clippy::todo, clippy::unimplemented)]
    fn a_stub_is_not_written() {
        assert_eq!(reply_to(|| todo!()), Reply::NotWritten);
        assert_eq!(reply_to(|| todo!("later")), Reply::NotWritten);
        assert_eq!(reply_to(|| unimplemented!()), Reply::NotWritten);
    }
}

//! Panics of a student's code: caught, and put into words.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// How a call ended that did not return.
#[derive(Debug, Clone, PartialEq)]
pub enum Panic {
    /// At a `todo!()`.
    NotWritten,
    /// At anything else: what it said, and where, if that is in the student's own file.
    Said(String),
}

thread_local! {
    /// Whether this thread is inside [`catch`], and where it last panicked there.
    static CAUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls `call`, and prints nothing if it panics.
///
/// # Errors
/// If it panics.
pub fn catch<T>(call: impl FnOnce() -> T) -> Result<T, Panic> {
    keep_quiet();
    let outside = CAUGHT.replace(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    let place = CAUGHT.replace(outside).unwrap_or_default();
    result.map_err(|payload| {
        let said = words(&*payload);
        if said.starts_with("not yet implemented") || said == "not implemented" {
            Panic::NotWritten
        } else if place.is_empty() {
            Panic::Said(said)
        } else {
            Panic::Said(format!("{said}\nat {place}"))
        }
    })
}

/// From now on a panic inside [`catch`] is noted, not printed. All others are printed as ever.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let inside = CAUGHT.with_borrow_mut(|caught| match caught {
                Some(place) => {
                    // A panic inside ndarray says where in ndarray: that helps nobody.
                    let own = info.location().filter(|l| l.file().contains("student"));
                    *place = own.map(ToString::to_string).unwrap_or_default();
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

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_words() {
        assert_eq!(catch(|| 1), Ok(1));
        assert_eq!(catch(|| -> u8 { panic!("no row {}", 3) }), Err(Panic::Said("no row 3".into())));
        assert_eq!(catch(|| -> u8 { panic!("plain") }), Err(Panic::Said("plain".into())));
    }

    #[test]
    #[allow(clippy::todo, clippy::unimplemented)]
    fn a_stub_is_not_written() {
        assert_eq!(catch(|| -> u8 { todo!() }), Err(Panic::NotWritten));
        assert_eq!(catch(|| -> u8 { todo!("later") }), Err(Panic::NotWritten));
        assert_eq!(catch(|| -> u8 { unimplemented!() }), Err(Panic::NotWritten));
    }
}

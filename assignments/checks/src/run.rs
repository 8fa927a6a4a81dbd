//! Running a check where it can do no harm.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::chapter::Check;
use crate::draw::Draw;
use crate::given::{Failure, Verdict};
use crate::panic::{self, Panic};

/// How a check ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It came to a verdict.
    Judged(Verdict),
    /// It had not come to one within this time.
    TooSlow(Duration),
}

impl Outcome {
    /// Whether the answer is right.
    pub fn passed(&self) -> bool {
        *self == Self::Judged(Ok(()))
    }
}

/// Runs a check in a thread of its own. `number`, its place in the chapter, chooses its random
/// numbers. A thread that takes longer than `limit` is left behind, until the process ends.
pub fn run(check: Check, seed: u64, number: usize, limit: Duration) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    // The name is what Rust prints if the stack overflows.
    let thread = thread::Builder::new().name(check.name.to_owned());
    let work = move || {
        let mut draw = Draw::new(seed, number as u64);
        // Calls of the student's functions catch their panics themselves; this is for all else.
        let verdict = panic::catch(|| check.run(&mut draw)).unwrap_or_else(|panic| match panic {
            Panic::NotWritten => Err(Failure::NotWritten),
            Panic::Said(message) => {
                Err(Failure::Panicked { case: None, given: Vec::new(), message })
            }
        });
        // Nobody listens any more if we were too slow.
        let _ = sender.send(verdict);
    };
    match thread.spawn(work) {
        Ok(_) => receiver.recv_timeout(limit).map_or(Outcome::TooSlow(limit), Outcome::Judged),
        Err(error) => Outcome::Judged(Err(Failure::Panicked {
            case: None,
            given: Vec::new(),
            message: format!("cannot start a thread: {error}"),
        })),
    }
}

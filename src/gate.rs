//! Where the threads of a training meet.

use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

// ANCHOR: Gate
/// A barrier for threads that wait for each other some thousand times a second.
///
/// A thread that is put to sleep takes longer to wake up than a batch takes to
/// compute. It waits awake at first, and goes to sleep only if the others are
/// late: they may have no processor to themselves.
pub(crate) struct Gate {
    threads: usize,
    waiting: AtomicUsize,
    opened: AtomicUsize,
    asleep: Mutex<()>,
    opens: Condvar,
}

impl Gate {
    pub fn new(threads: usize) -> Self {
        Self {
            threads,
            waiting: AtomicUsize::new(0),
            opened: AtomicUsize::new(0),
            asleep: Mutex::new(()),
            opens: Condvar::new(),
        }
    }

    /// Waits until all threads are here. What each did before, all see after.
    pub fn wait(&self) {
        let opened = self.opened.load(Ordering::Acquire);
        if self.waiting.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.waiting.store(0, Ordering::Relaxed);
            let asleep = self.asleep.lock();
            self.opened.store(opened.wrapping_add(1), Ordering::Release);
            drop(asleep);
            self.opens.notify_all();
            return;
        }
        let closed = || self.opened.load(Ordering::Acquire) == opened;
        for _ in 0..AWAKE {
            if !closed() {
                return;
            }
            hint::spin_loop();
        }
        let mut asleep =
            self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        while closed() {
            asleep = self
                .opens
                .wait(asleep)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}
// ANCHOR_END: Gate

/// How often a thread looks before it sleeps: for some fifty
/// microseconds.
const AWAKE: usize = 2_000;

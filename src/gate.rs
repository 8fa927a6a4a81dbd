//! Where the threads of a training meet.

use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

// ANCHOR: Gate
/// A barrier for threads that wait for each other some thousand times a second.
///
/// To be put to sleep and to wake up takes a while, which would be lost with
/// every batch. A thread waits awake at first, and goes to sleep only if the
/// others are late: they may have no processor to themselves.
pub(crate) struct Gate {
    threads: usize,
    waiting: AtomicUsize,
    opened: AtomicUsize,
    asleep: Mutex<usize>,
    opens: Condvar,
}
// ANCHOR_END: Gate

impl Gate {
    pub fn new(threads: usize) -> Self {
        Self {
            threads,
            waiting: AtomicUsize::new(0),
            opened: AtomicUsize::new(0),
            asleep: Mutex::new(0),
            opens: Condvar::new(),
        }
    }

    // ANCHOR: Gate_wait
    /// Waits until all threads are here. What each did before, all see after.
    pub fn wait(&self) {
        let opened = self.opened.load(Ordering::Acquire);
        if self.waiting.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.waiting.store(0, Ordering::Relaxed);
            let asleep = self.asleep();
            self.opened.store(opened.wrapping_add(1), Ordering::Release);
            if *asleep > 0 {
                self.opens.notify_all();
            }
            return;
        }
        let closed = || self.opened.load(Ordering::Acquire) == opened;
        for _ in 0..AWAKE {
            if !closed() {
                return;
            }
            hint::spin_loop();
        }
        let mut asleep = self.asleep();
        *asleep += 1;
        while closed() {
            asleep =
                self.opens.wait(asleep).unwrap_or_else(PoisonError::into_inner);
        }
        *asleep -= 1;
    }
    // ANCHOR_END: Gate_wait

    /// How many threads are asleep.
    fn asleep(&self) -> MutexGuard<'_, usize> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often a thread looks before it sleeps: for some fifty microseconds.
const AWAKE: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    /// No thread leaves a round before all have entered it: each sees what every
    /// other wrote before. Some come so late that the others sleep.
    #[test]
    fn nobody_leaves_before_all_are_here() {
        let (threads, rounds) = (3, 200);
        let gate = Gate::new(threads);
        let entered = AtomicUsize::new(0);
        thread::scope(|scope| {
            for i in 0..threads {
                let (gate, entered) = (&gate, &entered);
                scope.spawn(move || {
                    for round in 1..=rounds {
                        if round % 40 == i {
                            thread::sleep(Duration::from_millis(3));
                        }
                        entered.fetch_add(1, Ordering::Relaxed);
                        gate.wait();
                        let seen = entered.load(Ordering::Relaxed);
                        assert!(seen >= round * threads, "{seen} in {round}");
                        assert!(seen < (round + 1) * threads, "{seen}");
                    }
                });
            }
        });
    }
}

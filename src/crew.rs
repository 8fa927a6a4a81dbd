//! A batch split between threads: each computes the gradient of its share, and
//! the shares are added in a fixed order, so that the same number of threads
//! gives the same bits.
//!
//! Threads are started once for a whole training and meet at a barrier twice a
//! batch: when there is a batch to share, and when all have finished. Nothing
//! is allocated in between.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{
    Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};

use crate::data::Source;
use crate::error::Result;
use crate::float::Float;
use crate::gate::Gate;

// ANCHOR: Model
/// Anything that can be trained: it has parameters, and a loss with a gradient.
pub trait Model<F: Float>: Send + Sync {
    /// What one pass over a batch needs room for.
    type Trace: Send;

    /// How many numbers a gradient has: one for each parameter, and one for
    /// everything that layers measure on a batch.
    fn gradient_len(&self) -> usize;

    /// Room for a pass over this many samples.
    fn trace(&self, rows: usize) -> Self::Trace;

    /// Checks that a batch has the right shape and content.
    ///
    /// # Errors
    /// With what is wrong; rows are counted from 0.
    fn check(&self, x: &ArrayRef2<F>, y: &ArrayRef2<F>) -> Result<()>;

    /// Returns the sum of the losses of the samples in `x`, and writes the
    /// gradient of that sum divided by `share.batch`: what these samples
    /// contribute to the mean over a batch.
    ///
    /// # Shapes
    /// `x`: (n, inputs), `y`: (n, targets), `gradient`: (p)
    fn gradient_into(
        &self,
        x: &ArrayRef2<F>,
        y: &ArrayRef2<F>,
        share: Share,
        trace: &mut Self::Trace,
        gradient: &mut ArrayRef1<F>,
    ) -> f64;

    /// Moves the parameters, given the gradient of a batch.
    fn step(&mut self, gradient: &ArrayRef1<F>);
    // ANCHOR_END: Model

    /// Whether all parameters are finite.
    fn is_finite(&self) -> bool;

    /// The mean loss, and the accuracy if the targets are classes.
    ///
    /// # Errors
    /// If the samples do not fit the model.
    fn evaluate(&self, source: &dyn Source<F>) -> Result<(f64, Option<f64>)>;
}

/// Which rows of a batch some samples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many samples of the batch come before them.
    pub first: usize,
    /// How many samples the batch has.
    pub batch: usize,
}

impl Share {
    /// All rows of a batch.
    pub fn whole(batch: usize) -> Self {
        Self { first: 0, batch }
    }
}

/// What all threads look at.
struct Blackboard<'a, M> {
    model: &'a mut M,
    batch: Range<usize>,
    dismissed: bool,
}

/// The samples that one thread works on.
struct Tray<F: Float> {
    x: Array2<F>,
    y: Array2<F>,
    /// The places in the order where they stand.
    places: Range<usize>,
}

/// What one thread makes of them.
struct Desk<F: Float, T> {
    trace: T,
    gradient: Array1<F>,
    loss: f64,
    panic: Option<Box<dyn Any + Send>>,
}

/// The threads of a training, the calling one included.
pub(crate) struct Crew<'a, F: Float, M: Model<F>> {
    source: &'a dyn Source<F>,
    order: RwLock<Vec<usize>>,
    board: RwLock<Blackboard<'a, M>>,
    trays: Vec<Mutex<Tray<F>>>,
    desks: Vec<Mutex<Desk<F, M::Trace>>>,
    gate: Gate,
}

impl<'a, F: Float, M: Model<F>> Crew<'a, F, M> {
    /// Room for `threads` threads and batches of up to `batch_size` samples.
    pub fn new(
        model: &'a mut M,
        source: &'a dyn Source<F>,
        batch_size: usize,
        threads: usize,
    ) -> Self {
        let rows = batch_size.div_ceil(threads);
        let tray = |_| {
            Mutex::new(Tray {
                x: Array2::zeros((rows, source.input_columns())),
                y: Array2::zeros((rows, source.target_columns())),
                places: 0..0,
            })
        };
        let desk = |_| {
            Mutex::new(Desk {
                trace: model.trace(rows),
                gradient: Array1::zeros(model.gradient_len()),
                loss: 0.0,
                panic: None,
            })
        };
        let trays = (0..threads).map(tray).collect();
        let desks = (0..threads).map(desk).collect();
        let board = Blackboard { model, batch: 0..0, dismissed: false };
        let order = RwLock::new((0..source.len()).collect());
        let gate = Gate::new(threads);
        Self { source, order, board: RwLock::new(board), trays, desks, gate }
    }

    /// Runs `lead` on this thread while the others wait for the batches that it
    /// shares out.
    pub fn run<R>(&self, lead: impl FnOnce(&Self) -> R) -> R {
        /// Sends the threads home, also when `lead` panics.
        struct Dismissal<'c, 'a, F: Float, M: Model<F>>(&'c Crew<'a, F, M>);
        impl<F: Float, M: Model<F>> Drop for Dismissal<'_, '_, F, M> {
            fn drop(&mut self) {
                self.0.write(|board| board.dismissed = true);
                self.0.gate.wait();
            }
        }
        std::thread::scope(|scope| {
            for desk in 1..self.desks.len() {
                scope.spawn(move || self.follow(desk));
            }
            let _dismissal = Dismissal(self);
            lead(self)
        })
    }

    /// Gives the order of the samples to `change`.
    pub fn reorder(&self, change: impl FnOnce(&mut Vec<usize>)) {
        change(&mut write(&self.order));
        for tray in &self.trays {
            lock(tray).places = 0..0;
        }
    }

    // ANCHOR: share_out
    /// Computes the loss of the samples at these places of the order: their
    /// sum. The gradient of their mean is kept for [`step`](Self::step).
    pub fn share_out(&self, batch: Range<usize>) -> f64 {
        self.write(|board| board.batch = batch);
        self.gate.wait();
        self.compute(0);
        self.gate.wait();
        let mut first = lock(&self.desks[0]);
        for i in 1..self.desks.len() {
            let mut other = lock(&self.desks[i]);
            first.gradient += &other.gradient;
            first.loss += other.loss;
            first.panic = first.panic.take().or(other.panic.take());
        }
        if let Some(panic) = first.panic.take() {
            drop(first);
            resume_unwind(panic);
        }
        first.loss
    }
    // ANCHOR_END: share_out

    /// Moves the parameters along the gradient of the last batch.
    pub fn step(&self) {
        let desk = lock(&self.desks[0]);
        self.write(|board| board.model.step(&desk.gradient));
    }

    /// Looks at the model.
    pub fn model<R>(&self, look: impl FnOnce(&M) -> R) -> R {
        look(read(&self.board).model)
    }

    // ANCHOR: follow
    /// What every thread but the first does.
    fn follow(&self, i: usize) {
        loop {
            self.gate.wait();
            if read(&self.board).dismissed {
                return;
            }
            let batch = self.compute(i);
            self.gate.wait();
            // While the first thread takes the step, there is time to gather
            // what will most probably be asked for next. A source that panics
            // will do so again when it is.
            let next = batch.end..batch.end + batch.len();
            let tray = &mut *lock(&self.trays[i]);
            let _ = catch_unwind(AssertUnwindSafe(|| {
                self.gather(tray, self.share(i, next));
            }));
        }
    }
    // ANCHOR_END: follow

    /// The places that are one thread's part of a batch, which ends where the
    /// order does.
    fn share(&self, i: usize, batch: Range<usize>) -> Range<usize> {
        let end = batch.end.min(self.source.len());
        let start = batch.start.min(end);
        let part = |i| start + (end - start) * i / self.desks.len();
        part(i)..part(i + 1)
    }

    /// Fills a tray with the samples at these places, unless it has them.
    fn gather(&self, tray: &mut Tray<F>, places: Range<usize>) {
        if tray.places == places {
            return;
        }
        tray.places = 0..0;
        let rows = &read(&self.order)[places.clone()];
        let mut x = tray.x.slice_mut(s![..rows.len(), ..]);
        let mut y = tray.y.slice_mut(s![..rows.len(), ..]);
        self.source.gather(rows, &mut x, &mut y);
        tray.places = places;
    }

    /// One thread's part of the batch on the board; returns the batch.
    fn compute(&self, i: usize) -> Range<usize> {
        let board = read(&self.board);
        let batch = board.batch.clone();
        let places = self.share(i, batch.clone());
        let rows = s![..places.len(), ..];
        let share =
            Share { first: places.start - batch.start, batch: batch.len() };
        let tray = &mut *lock(&self.trays[i]);
        let desk = &mut *lock(&self.desks[i]);
        // A part from outside may panic; the others must not wait for it for
        // ever.
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.gather(tray, places);
            let (x, y) = (tray.x.slice(rows), tray.y.slice(rows));
            let Desk { trace, gradient, .. } = desk;
            board.model.gradient_into(&x, &y, share, trace, gradient)
        }));
        match result {
            Ok(sum) => desk.loss = sum,
            Err(payload) => desk.panic = Some(payload),
        }
        batch
    }

    fn write(&self, change: impl FnOnce(&mut Blackboard<'a, M>)) {
        change(&mut write(&self.board));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

//! Several threads.

use std::hint;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use gradus::{Bytes, Float, Model, Share, Source};
use lab::{Lab, Lines, Result, Table};
use ndarray::{Array1, Array2, ArrayRef2, s};

use crate::child::{self, ROUNDS};
use crate::measure::{least, seconds};
use crate::task::{BATCH, EPOCHS, Place, STEPS, Task};

/// How many threads are tried, cores or not.
const THREADS: [usize; 3] = [1, 2, 4];

/// How many steps are timed.
const TIMED: usize = 200;

/// How often threads meet while it is timed.
const MEETINGS: usize = 20_000;

/// Images without a black pixel: products with them go to BLAS.
struct Grey<'a>(&'a Bytes);

impl<F: Float> Source<F> for Grey<'_> {
    fn len(&self) -> usize {
        Source::<F>::len(self.0)
    }

    fn input_columns(&self) -> usize {
        Source::<F>::input_columns(self.0)
    }

    fn target_columns(&self) -> usize {
        Source::<F>::target_columns(self.0)
    }

    fn gather(&self, rows: &[usize], x: &mut ArrayRef2<F>, y: &mut ArrayRef2<F>) {
        self.0.gather(rows, x, y);
        x.mapv_inplace(|x| x + F::cast(1.0 / 256.0));
    }
}

/// The share of the time that no thread can take over, by Amdahl's law.
fn serial_share(speed_up: f64, threads: f64) -> f64 {
    ((threads / speed_up - 1.0) / (threads - 1.0)).clamp(0.0, 1.0)
}

/// Amdahl's law.
fn speed_up(serial: f64, threads: f64) -> f64 {
    1.0 / (serial + (1.0 - serial) / threads)
}

/// Microseconds of a meeting of two threads, asleep at std's barrier and awake at a counter.
fn meetings() -> [f64; 2] {
    let barrier = Barrier::new(2);
    let asleep = together(|| {
        barrier.wait();
    });
    let arrived = AtomicUsize::new(0);
    let awake = together(|| {
        // The one who comes second is even: both may go on.
        let mine = arrived.fetch_add(1, Ordering::AcqRel) + 1;
        let both = mine.div_ceil(2) * 2;
        let mut patience = 0;
        while arrived.load(Ordering::Acquire) < both {
            hint::spin_loop();
            patience += 1;
            if patience > 100_000 {
                std::thread::yield_now(); // there may be one core only
            }
        }
    });
    [asleep, awake].map(|seconds| 1e6 * seconds / MEETINGS as f64)
}

/// Seconds that two threads take to do this many times.
fn together(meet: impl Fn() + Sync) -> f64 {
    let all = || (0..MEETINGS).for_each(|_| meet());
    seconds(|| {
        std::thread::scope(|scope| {
            scope.spawn(all);
            all();
        });
    })
}

/// Milliseconds of an epoch with each number of threads: the least of some rounds, since whatever
/// else runs on a machine with few cores takes one of them away.
fn fitted(task: &Task, at: &Place<f32>, source: &dyn Source<f32>) -> Result<[f64; 3]> {
    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (times, threads) in times.iter_mut().zip(THREADS) {
            times.push(task.fitted(at, source, threads, TIMED)?.0);
        }
    }
    Ok(times.map(|times| 1e3 * STEPS as f64 * least(&times)))
}

/// The same with BLAS's own threads, in processes of their own; `None` without OpenBLAS.
fn blas_threads(task: &Task) -> [Option<f64>; 3] {
    THREADS.map(|threads| {
        let setting = [("OPENBLAS_NUM_THREADS", &threads.to_string()[..])];
        let answer = child::ask("threads", task.seed, Path::new("-"), &setting)?;
        Some(1e3 * STEPS as f64 * answer.number("seconds")?)
    })
}

/// Threads.
pub fn two_and_four(task: &Task, at: &Place<f32>, lab: &mut Lab) -> Result<()> {
    let images = &task.images.train;
    let fit = fitted(task, at, images)?;
    let split = fitted(task, at, &Grey(images))?;
    let blas = blas_threads(task);
    let [asleep, awake] = meetings();

    lab.section("threads", "Several threads")?;
    lab.section_machine();
    let mut table = Table::new(&[
        "ms an epoch, threads",
        "fit",
        "speed-up",
        "all products, our split",
        "all products, BLAS's split",
    ]);
    for (i, threads) in THREADS.into_iter().enumerate() {
        let ours = fit[0] / fit[i];
        table.push(vec![
            threads.to_string(),
            format!("{:.0}", fit[i]),
            format!("{ours:.2}"),
            format!("{:.0}", split[i]),
            blas[i].map_or("–".into(), |blas| format!("{blas:.0}")),
        ]);
        lab.machine(&format!("threads_{threads}_ms"), fit[i], "ms");
        lab.machine(&format!("split_{threads}_ms"), split[i], "ms");
        lab.machine(&format!("blas_threads_{threads}_ms"), blas[i].unwrap_or(0.0), "ms");
        if threads > 1 {
            lab.machine(&format!("threads_{threads}_speedup"), ours, "");
        }
    }
    lab.table(&table);
    let serial = serial_share(fit[0] / fit[1], 2.0);
    let meet = 2 * STEPS * EPOCHS;
    lab.say(format!(
        "\nBy Amdahl's law, {:.0} % of the time with one thread is such that a second one does not\n\
         help. Threads meet {meet} times in {EPOCHS} epochs. A meeting of two takes {asleep:.1} microseconds if\n\
         they wait asleep, and {awake:.2} if they wait awake.",
        100.0 * serial,
    ));
    lab.machine("amdahl_serial", serial, "");
    lab.machine("barrier_us", asleep, "µs");
    lab.machine("spin_us", awake, "µs");
    lab.exact("meetings", meet);
    let ratio = blas[1].map_or(0.0, |blas| blas / split[1]);
    lab.machine("blas_threads_over_ours", ratio, "");
    lab.machine("dense_over_sparse", split[0] / fit[0], "");
    another_order(task, at, lab)?;
    let xs = || THREADS.map(|threads| threads as f64);
    let law = (0..=30).map(|i| 1.0 + f64::from(i) / 10.0);
    let figure = Lines::new("threads", "times as fast as one thread")
        .series("fit", xs(), fit.map(|ms| fit[0] / ms))
        .points("fit", xs(), fit.map(|ms| fit[0] / ms))
        .series("all products, our split", xs(), split.map(|ms| split[0] / ms))
        .points("all products, our split", xs(), split.map(|ms| split[0] / ms));
    let figure = match blas {
        [Some(one), Some(two), Some(four)] => {
            let ys = [1.0, one / two, one / four];
            let name = "all products, BLAS's split";
            figure.series(name, xs(), ys).points(name, xs(), ys)
        }
        _ => figure,
    };
    lab.figure(
        "threads",
        "How many times as fast an epoch is with two and four threads, and Amdahl's law for the \
         serial share that two threads show. A batch of 128 images is split by the library, or \
         each of its products by BLAS. Beyond the number of cores, threads wait for each other.",
        "Curves from 1 thread to 4. Those of the library rise to two threads; Amdahl's curve, \
         dashed, goes on rising and bends.",
        &figure.dashed("Amdahl's law", law.clone(), law.map(|q| speed_up(serial, q))),
    )
}

/// How far the gradients of a batch are apart if it is split.
fn another_order(task: &Task, at: &Place<f32>, lab: &mut Lab) -> Result<()> {
    let order = task.orders(1).remove(0);
    let (mut x, mut y) = (Array2::<f32>::zeros((BATCH, 784)), Array2::zeros((BATCH, 10)));
    task.images.train.gather(&order[..BATCH], &mut x, &mut y);
    let network = task.network(at)?;
    let mut trace = network.trace(BATCH);
    let mut gradient = |shares: usize| {
        let mut sum = Array1::<f32>::zeros(at.params.len());
        for share in 0..shares {
            let rows = BATCH * share / shares..BATCH * (share + 1) / shares;
            let (x, y) = (x.slice(s![rows.clone(), ..]), y.slice(s![rows.clone(), ..]));
            let mut part = Array1::zeros(sum.len());
            let share = Share { first: rows.start, batch: BATCH };
            network.gradient_into(&x, &y, share, &mut trace, &mut part);
            sum += &part;
        }
        let d_z = trace.d_z[0].clone();
        (sum, d_z)
    };
    let (whole, d_z) = gradient(1);
    // Each term meets at most n − 1 additions and one rounding of its product, each within half an
    // ε: n ε / 2 in one order, and as much in the other.
    let terms = x.mapv(f32::abs).t().dot(&d_z.mapv(f32::abs));
    let bound = BATCH as f32 * f32::EPSILON;
    for shares in [2, 4] {
        let (split, _) = gradient(shares);
        let first = terms.len();
        let (mut most, mut share) = (0.0_f32, 0.0_f32);
        for ((a, b), terms) in whole.iter().zip(&split).take(first).zip(&terms) {
            most = most.max((a - b).abs());
            if *terms > 0.0 {
                share = share.max((a - b).abs() / (bound * terms));
            }
        }
        lab.say(format!(
            "\nOf the gradient of the first weights, an entry differs by up to {most:.1e} if a batch is added\n\
             up in {shares} shares; that is at most {share:.4} of what rounding can do."
        ));
        lab.machine(&format!("order_difference_{shares}"), f64::from(most), "");
        lab.machine(&format!("order_over_bound_{shares}"), f64::from(share), "");
        if share > 1.0 {
            return Err(format!("{shares} shares differ by more than rounding").into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amdahls_law_and_its_inverse() {
        assert!((speed_up(0.25, 4.0) - 1.0 / 0.4375).abs() < 1e-12);
        assert!((serial_share(speed_up(0.3, 2.0), 2.0) - 0.3).abs() < 1e-12);
        assert!((serial_share(speed_up(0.1, 4.0), 4.0) - 0.1).abs() < 1e-12);
        // No speed-up, or even less: all of it is serial.
        assert_eq!(serial_share(0.9, 2.0), 1.0);
    }
}

//! How fast this machine can be at all.

use std::hint::black_box;

use gradus::{Float, blas};
use lab::{Lab, Lines, Result, Table};
use multiversion::multiversion;
use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::cost::{products, sizes};
use crate::measure::{best_of, median_of};
use crate::plain::update_in_place;
use crate::task::SAMPLES;

/// The ceilings that nothing on this machine gets through.
#[derive(Debug, Clone)]
pub struct Ceilings {
    /// Operations a second of the best matrix product, in f32 and f64.
    pub product: [f64; 2],
    /// The same in f64 with a slow kernel of OpenBLAS, if there is one.
    pub slow_product: Option<f64>,
    /// Bytes up to which an array lies in each level of memory, and bytes a second that are read
    /// from there.
    pub read: [(f64, f64); 4],
    /// Seconds for a number from anywhere in memory, asked for alone.
    pub latency: f64,
    /// Seconds of an exponential.
    pub exponential: f64,
    /// Seconds that a velocity costs more in one update if it is subnormal.
    pub subnormal: f64,
}

/// The names of the levels, and the size in bytes of an array that lies there.
const LEVELS: [(&str, &str, usize); 4] = [
    ("l1", "first cache, 16 KB", 16 << 10),
    ("l2", "second cache, 256 KB", 256 << 10),
    ("l3", "third cache, 4 MB", 4 << 20),
    ("memory", "memory, 256 MB", 256 << 20),
];

/// Bytes up to which we take an array to lie in the first three levels.
const LIMITS: [f64; 4] = [32e3, 1e6, 16e6, f64::INFINITY];

impl Ceilings {
    /// Measures all of them.
    pub fn measure(slow_product: Option<f64>) -> Self {
        let mut read = LIMITS.map(|limit| (limit, 0.0));
        for ((_, rate), (_, _, bytes)) in read.iter_mut().zip(LEVELS) {
            *rate = read_rate(bytes);
        }
        Self {
            product: [best_product::<f32>(), best_product::<f64>()],
            slow_product,
            read,
            latency: latency(64 << 20),
            exponential: exponential(),
            subnormal: {
                let (normal, (_, most)) = (update_seconds(NORMAL), subnormal_seconds());
                (most - normal).max(0.0)
            },
        }
    }

    /// Bytes a second of an array of this size.
    pub fn bandwidth(&self, bytes: f64) -> f64 {
        let level = self.read.iter().find(|(limit, _)| bytes <= *limit);
        level.map_or(self.read[3].1, |(_, rate)| *rate)
    }
}

/// Operations a second of the best of some square products.
pub fn best_product<F: Float>() -> f64 {
    let rate = |n: usize| {
        let (a, b) = (Array2::from_elem((n, n), F::one()), Array2::from_elem((n, n), F::one()));
        let mut c = Array2::zeros((n, n));
        let run = || blas::product(F::one(), &a, &b, F::zero(), black_box(&mut c));
        2.0 * (n as f64).powi(3) / best_of(9, run)
    };
    [256, 384, 512].map(rate).into_iter().fold(0.0, f64::max)
}

/// Bytes a second that are read, one after the other, from an array of this many bytes.
pub fn read_rate(bytes: usize) -> f64 {
    // Where lines of 64 bytes begin, so that no vector is read from two of them.
    let numbers = vec![1_u32; bytes / 4 + 16];
    let begin = numbers.as_ptr().align_offset(64).min(16);
    let numbers = &numbers[begin..][..bytes / 4];
    let seconds = best_of(9, || {
        black_box(sum(black_box(numbers)));
    });
    bytes as f64 / seconds
}

/// A sum with as many running sums as keep the processor busy: reading is what it waits for.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn sum(numbers: &[u32]) -> u32 {
    const LANES: usize = 64;
    let mut sums = [0_u32; LANES];
    for chunk in numbers.chunks_exact(LANES) {
        for (sum, number) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*number);
        }
    }
    sums.iter().fold(0, |all, sum| all.wrapping_add(*sum))
}

/// Seconds for one number from an array of this many bytes, if each says where the next one is.
fn latency(bytes: usize) -> f64 {
    const LINE: usize = 16; // numbers of 4 bytes in a line of the cache
    let lines = bytes / (4 * LINE);
    let mut order: Vec<usize> = (0..lines).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
    let mut next = vec![0_u32; lines * LINE];
    for (i, &line) in order.iter().enumerate() {
        next[line * LINE] = (order[(i + 1) % lines] * LINE) as u32;
    }
    let mut at = 0;
    let mut run = || {
        for _ in 0..50_000 {
            at = next[at as usize];
        }
        black_box(at);
    };
    best_of(5, &mut run) / 50_000.0
}

fn exponential() -> f64 {
    let numbers: Vec<f32> = (0..1280).map(|i| -0.01 * i as f32).collect();
    let mut out = vec![0.0; numbers.len()];
    let run = || {
        for (out, x) in out.iter_mut().zip(black_box(&numbers)) {
            *out = x.exp();
        }
        black_box(&mut out);
    };
    best_of(9, run) / numbers.len() as f64
}

/// A velocity that is an ordinary number, and one that is smaller than those.
pub const NORMAL: f32 = 1e-4;
const SUBNORMAL: f32 = 1e-40;

/// How often the second is tried.
pub const TRIES: usize = 8;

/// Seconds for one velocity in one update if all are subnormal: the least and the most of some
/// tries. There are machines on which it changes from one second to the next.
pub fn subnormal_seconds() -> (f64, f64) {
    let mut all = (f64::INFINITY, 0.0_f64);
    for _ in 0..TRIES {
        let now = update_seconds(SUBNORMAL);
        all = (all.0.min(now), all.1.max(now));
        std::thread::sleep(std::time::Duration::from_millis(40));
    }
    all
}

/// Seconds for one velocity in one update without a gradient, if all are of this size.
pub fn update_seconds(size: f32) -> f64 {
    const P: usize = 50_890;
    let (mut params, gradient) = (Array1::from_elem(P, 0.1_f32), Array1::zeros(P));
    let velocity = Array1::from_elem(P, size);
    let mut v = velocity.clone();
    // Ten updates leave a velocity in its order of magnitude.
    let ten = || {
        v.assign(&velocity);
        for _ in 0..10 {
            update_in_place::<f32, false>(&mut params, &mut v, black_box(&gradient));
        }
    };
    median_of(9, ten) / (10 * P) as f64
}

/// What this machine can do at most.
pub fn tell(ceilings: &Ceilings, lab: &mut Lab) -> Result<()> {
    lab.section("ceilings", "What this machine can do at most")?;
    lab.section_machine();
    let mut table = Table::new(&["", "", ""]);
    let giga = |x: f64| format!("{:.1}", x / 1e9);
    let [single, double] = ceilings.product;
    let row = |what: &str, value: String, unit: &str| vec![what.into(), value, unit.into()];
    table.push(row("best matrix product, f32", giga(single), "billion operations a second"));
    table.push(row("best matrix product, f64", giga(double), "billion operations a second"));
    for ((name, what, _), (_, rate)) in LEVELS.iter().zip(ceilings.read) {
        table.push(row(&format!("read from {what}"), giga(rate), "GB a second"));
        lab.machine(&format!("bandwidth_{name}"), rate / 1e9, "GB/s");
        lab.machine(&format!("ridge_{name}"), single / rate, "operations a byte");
    }
    let nano = |x: f64| format!("{:.1}", 1e9 * x);
    table.push(row("a number from anywhere", nano(ceilings.latency), "ns"));
    table.push(row("an exponential", nano(ceilings.exponential), "ns"));
    table.push(row("a subnormal velocity, extra", nano(ceilings.subnormal), "ns"));
    lab.table(&table);
    lab.say(format!(
        "\nWhile one number comes from anywhere in memory, the best product does {:.0} operations.\n\
         A step that does fewer than {:.0} operations for each byte that it reads from memory\n\
         waits for memory.",
        ceilings.latency * single,
        single / ceilings.read[3].1,
    ));
    let [n, k, m, _, _] = sizes();
    let products: f64 = products(SAMPLES as f64).iter().map(|(_, count)| count).sum();
    lab.machine("floor_forward_us", 1e6 * 2.0 * n * k * m / single, "µs");
    lab.machine("floor_products_ms", 1e3 * products / single, "ms");
    lab.machine("peak_f32", single / 1e9, "GFLOP/s");
    lab.machine("peak_f64", double / 1e9, "GFLOP/s");
    lab.machine("latency_ns", 1e9 * ceilings.latency, "ns");
    lab.machine("exp_f32", 1e9 * ceilings.exponential, "ns");
    lab.machine("subnormal_ns", 1e9 * ceilings.subnormal, "ns");
    lab.machine("latency_operations", ceilings.latency * single, "operations");
    steps_of_the_caches(lab)
}

/// The rate of reading against the size of what is read.
fn steps_of_the_caches(lab: &mut Lab) -> Result<()> {
    let sizes: Vec<usize> = (2..=18).map(|power| 1024 << power).collect();
    let rates = sizes.iter().map(|&bytes| read_rate(bytes) / 1e9);
    let kilobytes = sizes.iter().map(|&bytes| bytes as f64 / 1024.0);
    let figure = Lines::new("size of the array in KB", "read in GB a second").log_x().log_y();
    lab.figure(
        "bandwidth",
        "How many bytes a second are read, one after the other, from an array that is read again \
         and again, against its size, on logarithmic axes: one thread.",
        "A staircase that falls from left to right: a high step for arrays of some ten kilobytes, \
         lower ones up to a megabyte and up to some ten megabytes, and the lowest beyond.",
        &figure.series("one thread", kilobytes, rates),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_the_rate_of_its_level() {
        let read = [(10.0, 4.0), (100.0, 3.0), (1000.0, 2.0), (f64::INFINITY, 1.0)];
        let ceilings = Ceilings {
            product: [2.0, 1.0],
            slow_product: None,
            read,
            latency: 0.0,
            exponential: 0.0,
            subnormal: 0.0,
        };
        assert_eq!([10.0, 11.0, 1000.0, 1e9].map(|b| ceilings.bandwidth(b)), [4.0, 3.0, 2.0, 1.0]);
    }

    #[test]
    fn the_sum_reads_every_number() {
        let numbers: Vec<u32> = (0..1024).collect();
        assert_eq!(sum(&numbers), 1023 * 512);
    }
}

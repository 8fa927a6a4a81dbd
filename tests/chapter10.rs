//! The equations of chapter 10.
//!
//! No test here measures a time. Operations are counted by numbers that count, bytes by an
//! allocator or a memory that counts, and where a formula speaks of time, a machine is simulated
//! tick by tick.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::iter::repeat_n;
use std::ops::{Add, ControlFlow, Mul, Sub};

use common::*;
use gradus::train::{Event, silent};
use gradus::{
    Bytes, CategoricalCrossEntropy, Fit, Float, GradientDescent, Init, Model, Momentum, Network,
    NeuralNetwork, Optimizer, OutputActivation, Relu, Samples, Share, Softmax, Source, chain_rule,
    one_hot, zeros,
};
use ndarray::{Array1, Array2, Array3, ArrayRef2, Axis, array, s};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

thread_local! {
    static OPERATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// A number that counts what is done with it.
#[derive(Debug, Clone, Copy)]
struct Num(f64);

macro_rules! counting {
    ($($operator:ident $method:ident $sign:tt),*) => {$(
        impl $operator for Num {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                OPERATIONS.set(OPERATIONS.get() + 1);
                Self(self.0 $sign other.0)
            }
        }
    )*};
}

counting!(Add add +, Sub sub -, Mul mul *);

/// A result, and the number of additions, subtractions and multiplications it took.
fn counted<R>(run: impl FnOnce() -> R) -> (R, u64) {
    let before = OPERATIONS.get();
    let result = run();
    (result, OPERATIONS.get() - before)
}

fn nums(a: &ArrayRef2<f64>) -> Array2<Num> {
    a.map(|&x| Num(x))
}

fn plain(a: &ArrayRef2<Num>) -> Array2<f64> {
    a.map(|x| x.0)
}

/// y ← y + x w, as the definition says.
fn multiply(x: &ArrayRef2<Num>, w: &ArrayRef2<Num>, y: &mut ArrayRef2<Num>) {
    for ((i, j), y) in y.indexed_iter_mut() {
        for l in 0..x.ncols() {
            *y = *y + x[[i, l]] * w[[l, j]];
        }
    }
}

/// y ← y + x w, without the entries of x that are zero.
fn multiply_others(x: &ArrayRef2<Num>, w: &ArrayRef2<Num>, y: &mut ArrayRef2<Num>) {
    for ((i, l), &x) in x.indexed_iter().filter(|(_, x)| x.0 != 0.0) {
        for j in 0..w.ncols() {
            y[[i, j]] = y[[i, j]] + x * w[[l, j]];
        }
    }
}

/// A memory that counts how many numbers are read from it and written to it.
struct Memory {
    numbers: Vec<Num>,
    moved: Cell<u64>,
}

impl Memory {
    fn new(numbers: &Array1<f64>) -> Self {
        Self { numbers: numbers.iter().map(|&x| Num(x)).collect(), moved: Cell::new(0) }
    }

    fn read(&self, i: usize) -> Num {
        self.moved.set(self.moved.get() + 1);
        self.numbers[i]
    }

    fn write(&mut self, i: usize, x: Num) {
        self.moved.set(self.moved.get() + 1);
        self.numbers[i] = x;
    }

    fn all(&self) -> Array1<f64> {
        self.numbers.iter().map(|x| x.0).collect()
    }
}

/// Knows how many bytes this thread has asked for and not given back.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[allow(unsafe_code)]
// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE_BYTES.set(LIVE_BYTES.get().wrapping_add(layout.size()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.set(LIVE_BYTES.get().wrapping_sub(layout.size()));
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// A matrix of which about this share is not zero.
fn sparse(shape: (usize, usize), density: f64, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let mut x = normal(shape, 1.0, rng);
    x.mapv_inplace(|x| if rng.random::<f64>() < density { x } else { 0.0 });
    x
}

fn network(sizes: &[usize], rng: &mut ChaCha8Rng) -> NeuralNetwork<f64> {
    let (loss, descent) = (CategoricalCrossEntropy, GradientDescent::new(0.1).unwrap());
    let mut network = NeuralNetwork::new(sizes, Relu, Softmax, loss, descent, Init::He, 1).unwrap();
    network.set_params(&normal(network.params().len(), 0.5, rng)).unwrap();
    network
}

/// One-hot targets of random classes.
fn targets(n: usize, m: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    one_hot(&labels(n, m, rng), m).unwrap()
}

/// Σ sₗ₋₁ sₗ over the layers from this one on, counted from 1.
fn weights_from(sizes: &[usize], first: usize) -> u64 {
    sizes.windows(2).skip(first - 1).map(|pair| (pair[0] * pair[1]) as u64).sum()
}

// ---------------------------------------------------------------------------------------
// Operations

/// A product of matrices: each of the n m entries of y gets k products, and each product is one
/// multiplication and one addition.
///
/// ```math
/// \begin{aligned}
/// \underset{(n, m)}{\mathstrut y} &\leftarrow \underset{(n, m)}{\mathstrut y}
///   + \underset{(n, k)}{\mathstrut x}\,\underset{(k, m)}{\mathstrut w}, \qquad
///   y_{ij} \leftarrow y_{ij} + \sum_{l=1}^{k} x_{il}\,w_{lj} \\
/// F &= 2\,n\,k\,m
/// \end{aligned}
/// ```
#[test]
fn product_takes_2nkm_operations() {
    let mut rng = rng(1001);
    for (n, k, m) in [(3, 4, 5), (1, 7, 2), (20, 70, 16), (9, 65, 33)] {
        // The library computes the same, whether it skips zeros or asks BLAS.
        for density in [0.1, 1.0] {
            let x = sparse((n, k), density, &mut rng);
            let (w, begin) = (normal((k, m), 1.0, &mut rng), normal((n, m), 1.0, &mut rng));
            let mut y = nums(&begin);
            let ((), operations) = counted(|| multiply(&nums(&x), &nums(&w), &mut y));
            assert_eq!(operations, 2 * (n * k * m) as u64);
            let mut library = begin.clone();
            zeros::product(&x, &w, &mut library);
            assert_all_close(&plain(&y), &library, 1e-12);
        }
    }
}

/// A layer and the way back through it: three products, with the same three sizes in three
/// orders. Next to them the biases are little.
///
/// ```math
/// \begin{aligned}
/// y_{ij} &= b_j + \sum_{l=1}^{k} x_{il}\,w_{lj} & F &= 2\,n\,k\,m \\
/// \frac{\partial L}{\partial w_{lj}} &= \sum_{i=1}^{n} x_{il}\,\frac{\partial L}{\partial y_{ij}}
///   & F &= 2\,n\,k\,m \\
/// \frac{\partial L}{\partial x_{il}} &= \sum_{j=1}^{m} \frac{\partial L}{\partial y_{ij}}\,w_{lj}
///   & F &= 2\,n\,k\,m \\
/// \frac{\partial L}{\partial b_j} &= \sum_{i=1}^{n} \frac{\partial L}{\partial y_{ij}}
///   & F &= n\,m
/// \end{aligned}
/// ```
#[test]
fn layer_takes_three_products() {
    let mut rng = rng(1002);
    let (n, k, m) = (4, 3, 5);
    let (x, w) = (normal((n, k), 1.0, &mut rng), normal((k, m), 1.0, &mut rng));
    let (b, d) = (normal(m, 1.0, &mut rng), normal((n, m), 1.0, &mut rng));
    // A loss with the derivatives d.
    let loss = |x: &Array2<f64>, w: &Array2<f64>, b: &Array1<f64>| (&d * &(x.dot(w) + b)).sum();
    let once = 2 * (n * k * m) as u64;
    let nothing = |shape| Array2::from_elem(shape, Num(0.0));
    let d_num = nums(&d);

    let mut y = Array2::from_shape_fn((n, m), |(_, j)| Num(b[j]));
    let ((), forward) = counted(|| multiply(&nums(&x), &nums(&w), &mut y));
    assert_all_close(&plain(&y), &(x.dot(&w) + &b), 1e-14);

    let mut d_w = nothing((k, m));
    let ((), weights) = counted(|| multiply(&nums(&x.t()), &d_num, &mut d_w));
    let flat = |a: &Array2<f64>| Array1::from_iter(a.iter().copied());
    let of_w = |w: &Array1<f64>| loss(&x, &w.to_shape((k, m)).unwrap().to_owned(), &b);
    assert_all_close(&flat(&plain(&d_w)), &gradient(of_w, &flat(&w)), 1e-9);

    let mut d_x = nothing((n, k));
    let ((), inputs) = counted(|| multiply(&d_num, &nums(&w.t()), &mut d_x));
    let of_x = |x: &Array1<f64>| loss(&x.to_shape((n, k)).unwrap().to_owned(), &w, &b);
    assert_all_close(&flat(&plain(&d_x)), &gradient(of_x, &flat(&x)), 1e-9);

    let mut d_b = vec![Num(0.0); m];
    let add = || d_num.indexed_iter().for_each(|((_, j), &d)| d_b[j] = d_b[j] + d);
    let ((), biases) = counted(add);
    let d_b: Array1<f64> = d_b.iter().map(|d| d.0).collect();
    assert_all_close(&d_b, &gradient(|b| loss(&x, &w, b), &b), 1e-9);

    assert_eq!((forward, weights, inputs, biases), (once, once, once, (n * m) as u64));
}

/// Forward and back through a network as the tests count it: the gradient, and the operations of
/// its products. Whoever skips zeros skips those of the inputs.
fn step(
    network: &NeuralNetwork<f64>,
    x: &Array2<f64>,
    y: &Array2<f64>,
    skip: bool,
) -> (Array1<f64>, u64) {
    let (n, layers) = (x.nrows(), network.sizes().len() - 1);
    let mut operations = 0;
    let mut product = |a: &ArrayRef2<Num>, b: &ArrayRef2<Num>, c: &mut Array2<Num>, input| {
        let run = if skip && input { multiply_others } else { multiply };
        operations += counted(|| run(a, b, c)).1;
    };
    let mut a = vec![nums(x)];
    for i in 0..layers {
        let b = network.biases(i);
        let mut z = Array2::from_shape_fn((n, b.len()), |(_, j)| Num(b[j]));
        product(&a[i], &nums(&network.weights(i)), &mut z, i == 0);
        let relu = |z: Num| Num(z.0.max(0.0));
        a.push(if i + 1 < layers { z.mapv(relu) } else { nums(&Softmax.apply(&plain(&z))) });
    }
    let mut d = nums(&((plain(&a[layers]) - y) / n as f64));
    let mut weights = vec![];
    let mut biases = vec![];
    for i in (0..layers).rev() {
        let mut d_w = Array2::from_elem((a[i].ncols(), d.ncols()), Num(0.0));
        product(&a[i].t(), &d, &mut d_w, i == 0);
        weights.insert(0, plain(&d_w));
        biases.insert(0, plain(&d).sum_axis(Axis(0)));
        // Nobody asks for the gradient of the inputs of the network.
        if i > 0 {
            let mut d_a = Array2::from_elem((n, a[i].ncols()), Num(0.0));
            product(&d, &nums(&network.weights(i).t()), &mut d_a, false);
            d_a.zip_mut_with(&a[i], |d, a| d.0 *= f64::from(u8::from(a.0 > 0.0)));
            d = d_a;
        }
    }
    (gradus::layout::flatten(&weights, &biases), operations)
}

/// A step of a network: three products for each layer, and one fewer, because no one asks for
/// the gradient of the inputs.
///
/// ```math
/// \begin{aligned}
/// F_{\text{step}} &= \sum_{l=1}^{D} 2\,n\,s_{l-1}\,s_l + \sum_{l=1}^{D} 2\,n\,s_{l-1}\,s_l
///   + \sum_{l=2}^{D} 2\,n\,s_{l-1}\,s_l \\
/// &= 2\,n\,\Bigl(3 \sum_{l=1}^{D} s_{l-1}\,s_l - s_0\,s_1\Bigr)
/// \end{aligned}
/// ```
#[test]
fn operations_of_one_step() {
    let mut rng = rng(1003);
    for sizes in [&[7, 5, 3][..], &[4, 6, 5, 3], &[6, 2]] {
        let n = 5;
        let network = network(sizes, &mut rng);
        let (x, y) =
            (normal((n, sizes[0]), 1.0, &mut rng), targets(n, sizes[sizes.len() - 1], &mut rng));
        let (gradient, operations) = step(&network, &x, &y, false);
        let (_, library) = network.loss_and_gradient(&x, &y).unwrap();
        assert_all_close(&gradient, &library, 1e-12);
        let all = weights_from(sizes, 1);
        let sums = 2 * n as u64 * (all + all + weights_from(sizes, 2));
        assert_eq!(operations, sums);
        assert_eq!(operations, 2 * n as u64 * (3 * all - (sizes[0] * sizes[1]) as u64));
    }
}

/// Samples that count how many rows are gathered.
struct Watched(Samples<f64>, std::sync::atomic::AtomicU64);

impl Source<f64> for Watched {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn input_columns(&self) -> usize {
        self.0.input_columns()
    }

    fn target_columns(&self) -> usize {
        self.0.target_columns()
    }

    fn gather(&self, rows: &[usize], x: &mut ArrayRef2<f64>, y: &mut ArrayRef2<f64>) {
        self.1.fetch_add(rows.len() as u64, std::sync::atomic::Ordering::Relaxed);
        self.0.gather(rows, x, y);
    }
}

/// A whole training: E epochs of N samples. The size of the batches is not in the formula.
///
/// ```math
/// F = 2\,E\,N\,\Bigl(3 \sum_{l=1}^{D} s_{l-1}\,s_l - s_0\,s_1\Bigr)
/// ```
#[test]
fn operations_of_a_training() {
    let mut rng = rng(1004);
    let sizes = [6, 4, 3];
    let (samples, epochs) = (23, 3);
    for (batch_size, threads) in [(1, 1), (5, 1), (8, 2), (23, 1)] {
        let mut network = network(&sizes, &mut rng);
        let (x, y) = (normal((samples, 6), 1.0, &mut rng), targets(samples, 3, &mut rng));
        let source = Watched(Samples::new(x.clone(), y.clone()).unwrap(), 0.into());
        let fit = Fit { batch_size, epochs, threads, ..Fit::default() };
        network.fit(&source, &fit, None, &mut silent).unwrap();
        // Before the first step, every sample is looked at once.
        let rows = source.1.into_inner() - samples as u64;
        let (_, of_one) = step(
            &network,
            &x.slice(s![..1, ..]).to_owned(),
            &y.slice(s![..1, ..]).to_owned(),
            false,
        );
        let formula = 2 * (epochs * samples) as u64 * (3 * weights_from(&sizes, 1) - 6 * 4);
        assert_eq!(rows * of_one, formula);
    }
    // Task P of the text.
    let sizes = [784, 64, 10];
    let operations = 2 * 10 * 60_000 * (3 * weights_from(&sizes, 1) - 784 * 64);
    assert_eq!(operations, 122_726_400_000);
}

/// A step of momentum reads three numbers for each parameter and writes two, for four
/// operations. With c bytes for a number, the operations for each byte are few.
///
/// ```math
/// \begin{aligned}
/// v &\leftarrow \mu\,v - \eta\,g, \qquad \theta \leftarrow \theta + v \\
/// F &= 4\,p, \qquad Q = 5\,c\,p, \qquad I = \frac{F}{Q} = \frac{4}{5\,c}
/// \end{aligned}
/// ```
#[test]
fn momentum_moves_five_numbers() {
    let mut rng = rng(1005);
    let (p, eta, mu) = (40, 0.1, 0.9);
    let start = normal(p, 1.0, &mut rng);
    let mut optimizer = Momentum::<f64>::new(eta, mu).unwrap();
    let mut params = start.clone();
    let (mut theta, mut v) = (Memory::new(&start), Memory::new(&Array1::zeros(p)));
    for _ in 0..3 {
        let g = normal(p, 1.0, &mut rng);
        optimizer.step(&mut params, &g);
        let g = Memory::new(&g);
        (theta.moved, v.moved) = (Cell::new(0), Cell::new(0));
        let ((), operations) = counted(|| {
            for i in 0..p {
                let next = Num(mu) * v.read(i) - Num(eta) * g.read(i);
                v.write(i, next);
                theta.write(i, theta.read(i) + next);
            }
        });
        let numbers = theta.moved.get() + v.moved.get() + g.moved.get();
        for c in [size_of::<f32>(), size_of::<f64>()] {
            let bytes = numbers * c as u64;
            assert_eq!((operations, bytes), (4 * p as u64, (5 * c * p) as u64));
            assert_close(operations as f64 / bytes as f64, 4.0 / (5.0 * c as f64), 1e-15);
        }
    }
    assert_all_close(&theta.all(), &params, 1e-14);
    assert_all_close(&v.all(), &optimizer.velocity().to_owned(), 1e-14);
}

// ---------------------------------------------------------------------------------------
// Bytes

/// The arithmetic intensity of a product, if each of the three matrices is moved once: the
/// smallest of the three sizes limits it.
///
/// ```math
/// I = \frac{2\,n\,k\,m}{c\,(n k + k m + n m)}
///   = \frac{2}{c}\,\frac{1}{\frac1n + \frac1k + \frac1m}
///   < \frac{2}{c}\,\min(n, k, m)
/// ```
#[test]
fn intensity_of_a_product() {
    for (n, k, m) in [(3, 4, 5), (128, 784, 64), (128, 64, 10), (1, 50, 50)] {
        // Every number that takes part, once.
        let mut touched = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        let mut operations = 0_u64;
        // Rows and columns are as good as entries here: all pairs occur.
        for i in 0..n {
            touched[0].extend((0..k).map(|l| (i, l)));
            touched[2].extend((0..m).map(|j| (i, j)));
            operations += 2 * (k * m) as u64;
        }
        (0..k).for_each(|l| touched[1].extend((0..m).map(|j| (l, j))));
        let numbers: usize = touched.iter().map(BTreeSet::len).sum();
        for c in [4, 8] {
            let intensity = operations as f64 / (c * numbers) as f64;
            let [n, k, m, c] = [n, k, m, c].map(|x| x as f64);
            assert_close(intensity, 2.0 * n * k * m / (c * (n * k + k * m + n * m)), 1e-14);
            assert_close(intensity, 2.0 / c / (1.0 / n + 1.0 / k + 1.0 / m), 1e-14);
            assert!(intensity < 2.0 / c * n.min(k).min(m));
        }
    }
}

/// A product in square blocks of side b: for each block of y, all blocks of x beside it and of w
/// above it pass through a fast memory that holds three blocks.
///
/// ```math
/// \begin{aligned}
/// Q &= c\,\frac{n\,m}{b^2} \Bigl(2\,b^2 + \frac{k}{b}\,2\,b^2\Bigr)
///   = 2\,c\,n\,m\,\Bigl(1 + \frac{k}{b}\Bigr) \\
/// I &= \frac{2\,n\,k\,m}{Q} = \frac{b}{c}\,\frac{k}{k + b} < \frac{b}{c}
/// \end{aligned}
/// ```
#[test]
fn blocks_raise_the_intensity() {
    let mut rng = rng(1007);
    let (n, k, m) = (12, 24, 6);
    let (x, w) = (normal((n, k), 1.0, &mut rng), normal((k, m), 1.0, &mut rng));
    for b in [1, 2, 3, 6] {
        let mut y = Array2::from_elem((n, m), Num(0.0));
        let (mut moved, mut operations) = (0, 0);
        for (i, j) in (0..n / b).flat_map(|i| (0..m / b).map(move |j| (i * b, j * b))) {
            // What is not in one of these three is not in the fast memory.
            let mut sum = y.slice(s![i..i + b, j..j + b]).to_owned();
            moved += sum.len();
            for l in (0..k).step_by(b) {
                let left = nums(&x.slice(s![i..i + b, l..l + b]));
                let right = nums(&w.slice(s![l..l + b, j..j + b]));
                moved += left.len() + right.len();
                operations += counted(|| multiply(&left, &right, &mut sum)).1;
            }
            y.slice_mut(s![i..i + b, j..j + b]).assign(&sum);
            moved += sum.len();
        }
        let mut library = Array2::zeros((n, m));
        zeros::product(&x, &w, &mut library);
        assert_all_close(&plain(&y), &library, 1e-13);
        for c in [4, 8] {
            let bytes = (c * moved) as f64;
            let [n, k, m, b, c] = [n, k, m, b, c].map(|x| x as f64);
            let blocks = n * m / (b * b);
            assert_close(bytes, c * blocks * (2.0 * b * b + k / b * 2.0 * b * b), 1e-14);
            assert_close(bytes, 2.0 * c * n * m * (1.0 + k / b), 1e-14);
            let intensity = operations as f64 / bytes;
            assert_close(intensity, b / c * k / (k + b), 1e-14);
            assert!(intensity < b / c);
        }
    }
}

/// How many ticks a machine takes for jobs of (operations, bytes): in each tick some bytes
/// arrive, and some operations are done for jobs whose bytes are there.
fn ticks(jobs: &[(u64, u64)], operations: u64, bytes: u64) -> u64 {
    let (mut ticks, mut arrived, mut needed) = (0, 0, 0);
    let mut left: Vec<u64> = jobs.iter().map(|job| job.0).collect();
    let ends: Vec<u64> = jobs
        .iter()
        .map(|job| {
            needed += job.1;
            needed
        })
        .collect();
    while arrived < needed || left.iter().any(|&left| left > 0) {
        ticks += 1;
        arrived += bytes;
        let mut budget = operations;
        for (left, _) in left.iter_mut().zip(&ends).filter(|(_, end)| **end <= arrived) {
            let done = budget.min(*left);
            *left -= done;
            budget -= done;
        }
    }
    ticks
}

/// Jobs of random sizes.
fn jobs(count: usize, rng: &mut ChaCha8Rng) -> Vec<(u64, u64)> {
    (0..count).map(|_| (rng.random_range(0..60), rng.random_range(0..60))).collect()
}

fn totals(jobs: &[(u64, u64)]) -> (f64, f64) {
    (
        jobs.iter().map(|job| job.0).sum::<u64>() as f64,
        jobs.iter().map(|job| job.1).sum::<u64>() as f64,
    )
}

/// The roofline. With P operations a second at most, and R bytes, no machine needs less time
/// than either of the two; the lower of two roofs limits the rate.
///
/// ```math
/// T \ge \max\Bigl(\frac{F}{P},\, \frac{Q}{R}\Bigr)
/// \quad\Longleftrightarrow\quad
/// \frac{F}{T} \le \min(P,\, I\,R)
/// ```
#[test]
fn roofline() {
    let mut rng = rng(1008);
    for (p, r) in [(3, 5), (7, 2), (11, 11)] {
        for count in [1, 4, 200] {
            let jobs = jobs(count, &mut rng);
            let (f, q) = totals(&jobs);
            let time = ticks(&jobs, p, r) as f64;
            let (p, r) = (p as f64, r as f64);
            let floor = (f / p).max(q / r);
            assert!(time >= floor);
            assert!(f / time <= p.min(f / q * r) * (1.0 + 1e-14));
            // The same statement: a time below the floor is a rate above the roof.
            for time in [0.5, 0.99, 1.01, 3.0].map(|by| by * floor) {
                assert_eq!(time >= floor, f / time <= p.min(f / q * r));
            }
        }
        // The roof is reached by even jobs: both go on at once, but for one job's worth.
        for job in [(37, 23), (5, 60), (60, 5)] {
            let time = ticks(&[job; 200], p, r) as f64;
            let (f, q, p, r) = (job.0 as f64, job.1 as f64, p as f64, r as f64);
            assert!(time <= 200.0 * (f / p).max(q / r) + f / p + q / r + 2.0);
        }
    }
}

/// Several parts one after the other: the sum of their floors is at least the floor of all of
/// them together, because no part can use what another one leaves idle.
///
/// ```math
/// T \ge \sum_i \max\Bigl(\frac{F_i}{P},\, \frac{Q_i}{R}\Bigr)
///   \ge \max\Bigl(\frac{\sum_i F_i}{P},\, \frac{\sum_i Q_i}{R}\Bigr)
/// ```
#[test]
fn parts_in_turn_leave_something_idle() {
    let mut rng = rng(1009);
    let mut strictly = 0;
    for _ in 0..50 {
        let (p, r) = (rng.random_range(1..9), rng.random_range(1..9));
        let parts = jobs(6, &mut rng);
        // Each part has the machine to itself.
        let in_turn: u64 = parts.iter().map(|&part| ticks(&[part], p, r)).sum();
        let (f, q) = totals(&parts);
        let (p, r) = (p as f64, r as f64);
        let floors = parts.iter().map(|&(f, q)| (f as f64 / p).max(q as f64 / r)).sum::<f64>();
        assert!(in_turn as f64 >= floors - 1e-9);
        assert!(floors >= (f / p).max(q / r) - 1e-9);
        strictly += i32::from(floors > (f / p).max(q / r) + 1e-9);
    }
    assert!(strictly > 25, "the two are rarely the same");
}

// ---------------------------------------------------------------------------------------
// Rows at random places

/// How many cache lines of 64 bytes a row of k bytes touches, if the first row begins with a
/// line. For an image of 784 bytes it is the same number for all rows.
///
/// ```math
/// \begin{aligned}
/// \ell_r &= \Bigl\lfloor \frac{(r + 1)\,k - 1}{64} \Bigr\rfloor
///   - \Bigl\lfloor \frac{r\,k}{64} \Bigr\rfloor + 1, \qquad r = 0, 1, \dots \\
/// k &= 784 \;\Longrightarrow\; \ell_r = 13
/// \end{aligned}
/// ```
#[test]
fn cache_lines_of_a_row() {
    for k in [1, 10, 63, 64, 65, 100, 784, 3072] {
        for r in 0..300 {
            let lines: BTreeSet<usize> = (r * k..(r + 1) * k).map(|byte| byte / 64).collect();
            assert_eq!(lines.len(), ((r + 1) * k - 1) / 64 - r * k / 64 + 1);
        }
    }
    // Also if the first row begins at another multiple of 16, as memory from a system may.
    for (r, offset) in (0..60_000).flat_map(|r| [0, 16, 32, 48].map(|offset| (r, offset))) {
        let begin = offset + r * 784;
        assert_eq!((begin + 783) / 64 - begin / 64 + 1, 13);
        // One byte in 64 is enough to touch them all.
        let touched: BTreeSet<usize> = (begin..begin + 784).step_by(64).map(|b| b / 64).collect();
        assert_eq!(touched.len(), 13);
    }
}

/// Lines from a memory that answers after a time λ, if up to a of them may be under way at once:
/// how long it takes, and how many bytes come in a second.
///
/// ```math
/// T = \Bigl\lceil \frac{\ell}{a} \Bigr\rceil\,\lambda, \qquad
/// \frac{64\,\ell}{T} \le \frac{64\,a}{\lambda}
/// ```
#[test]
fn waiting_for_several_at_once() {
    for (lines, latency) in [(13, 80), (1664, 7), (5, 5)] {
        for at_once in [1, 2, 5, 12, 2000] {
            // Ask whenever fewer than so many are under way.
            let (mut now, mut asked, mut arrived) = (0_u64, 0, 0);
            let mut under_way: Vec<u64> = vec![];
            while arrived < lines {
                under_way.retain(|&answer| answer > now);
                arrived = asked - under_way.len();
                while asked < lines && under_way.len() < at_once {
                    under_way.push(now + latency);
                    asked += 1;
                }
                now += u64::from(arrived < lines);
            }
            assert_eq!(now, (lines as u64).div_ceil(at_once as u64) * latency);
            let (rate, limit) =
                ((64 * lines) as f64 / now as f64, (64 * at_once) as f64 / latency as f64);
            assert!(rate <= limit * (1.0 + 1e-14));
            assert!(lines % at_once > 0 || rate >= limit * (1.0 - 1e-14));
        }
    }
}

/// Gathering a batch of n rows from floats moves every number twice; from bytes, one byte and one
/// number. The data set is c times smaller.
///
/// ```math
/// \begin{aligned}
/// Q_{\text{floats}} &= 2\,c\,n\,k, \qquad Q_{\text{bytes}} = (1 + c)\,n\,k, \qquad
/// \frac{Q_{\text{floats}}}{Q_{\text{bytes}}} = \frac{2\,c}{1 + c}
/// \end{aligned}
/// ```
#[test]
fn gathering_moves_bytes() {
    fn check<F: Float>(rng: &mut ChaCha8Rng) {
        let (samples, k, c) = (50, 30, size_of::<F>());
        let bytes = Array2::from_shape_simple_fn((samples, k), || rng.random::<u8>());
        let source = Bytes::new(bytes, vec![0; samples], 1.0 / 255.0, 1).unwrap();
        let floats =
            Samples::new(source.inputs::<F>(), Array2::from_elem((samples, 1), F::one())).unwrap();
        let rows = [3, 49, 0, 17, 17];
        let n = rows.len();
        let gathered = |source: &dyn Source<F>| {
            let (mut x, mut y) = (Array2::zeros((n, k)), Array2::zeros((n, 1)));
            source.gather(&rows, &mut x, &mut y);
            x
        };
        let (x, same) = (gathered(&source), gathered(&floats));
        assert_eq!(x, same);
        let row_of_bytes = size_of_val(source.bytes().row(3).as_slice().unwrap());
        let row_of_floats = size_of_val(floats.x().row(3).as_slice().unwrap());
        let written = size_of_val(x.as_slice().unwrap());
        let from_floats = n * row_of_floats + written;
        let from_bytes = n * row_of_bytes + written;
        assert_eq!((from_floats, from_bytes), (2 * c * n * k, (1 + c) * n * k));
        let ratio = from_floats as f64 / from_bytes as f64;
        assert_close(ratio, 2.0 * c as f64 / (1.0 + c as f64), 1e-15);
        let sets = (floats.x().as_slice().unwrap(), source.bytes().as_slice().unwrap());
        assert_eq!(size_of_val(sets.0), c * size_of_val(sets.1));
    }
    check::<f32>(&mut rng(1012));
    check::<f64>(&mut rng(1012));
}

// ---------------------------------------------------------------------------------------
// Zeros

/// If only a share ρ of the entries of x is not zero, that share of the operations is left, in
/// both products of the layer with its inputs.
///
/// ```math
/// \begin{aligned}
/// \rho &= \frac{1}{n\,k} \sum_{i=1}^{n} \sum_{l=1}^{k} [x_{il} \ne 0] \\
/// y_{ij} &\leftarrow y_{ij} + \sum_{l:\,x_{il} \ne 0} x_{il}\,w_{lj}, \qquad
/// \frac{\partial L}{\partial w_{lj}} = \sum_{i:\,x_{il} \ne 0}
///   x_{il}\,\frac{\partial L}{\partial y_{ij}} \\
/// F &= 2\,\rho\,n\,k\,m \quad \text{each}
/// \end{aligned}
/// ```
#[test]
fn skipping_leaves_the_density() {
    let mut rng = rng(1013);
    for (n, k, m, density) in [(70, 130, 35, 0.2), (128, 64, 16, 0.05), (3, 70, 64, 0.0)] {
        let x = sparse((n, k), density, &mut rng);
        let (w, d) = (normal((k, m), 1.0, &mut rng), normal((n, m), 1.0, &mut rng));
        let others = x.iter().filter(|&&x| x != 0.0).count();
        let rho = others as f64 / (n * k) as f64;
        let begin = normal((n, m), 1.0, &mut rng);
        let mut y = nums(&begin);
        let ((), forward) = counted(|| multiply_others(&nums(&x), &nums(&w), &mut y));
        let mut library = begin.clone();
        zeros::product(&x, &w, &mut library);
        assert_all_close(&plain(&y), &library, 1e-12);

        let mut d_w = Array2::from_elem((k, m), Num(0.0));
        let ((), back) = counted(|| multiply_others(&nums(&x.t()), &nums(&d), &mut d_w));
        let mut library = normal((k, m), 1.0, &mut rng);
        zeros::transposed_product(&x, &d, &mut library);
        assert_all_close(&plain(&d_w), &library, 1e-12);

        let formula = 2.0 * rho * (n * k * m) as f64;
        assert_close(forward as f64, formula, 1e-12);
        assert_close(back as f64, formula, 1e-12);
    }
}

/// A step of a network whose inputs have density ρ, if their zeros are skipped.
///
/// ```math
/// F_{\text{step}} = 4\,\rho\,n\,s_0\,s_1 + 6\,n \sum_{l=2}^{D} s_{l-1}\,s_l
/// ```
#[test]
fn step_without_its_zeros() {
    let mut rng = rng(1014);
    for sizes in [&[40, 5, 3][..], &[25, 6, 5, 3], &[30, 2]] {
        let n = 8;
        let network = network(sizes, &mut rng);
        let x = sparse((n, sizes[0]), 0.2, &mut rng);
        let y = targets(n, sizes[sizes.len() - 1], &mut rng);
        let rho = x.iter().filter(|&&x| x != 0.0).count() as f64 / x.len() as f64;
        let (gradient, operations) = step(&network, &x, &y, true);
        let (_, library) = network.loss_and_gradient(&x, &y).unwrap();
        assert_all_close(&gradient, &library, 1e-12);
        let (n, first) = (n as f64, (sizes[0] * sizes[1]) as f64);
        let formula = 4.0 * rho * n * first + 6.0 * n * weights_from(sizes, 2) as f64;
        assert_close(operations as f64, formula, 1e-12);
    }
}

/// A set of columns as the bits of one number. Taking 1 away turns the lowest bit off and all
/// zeros below it on; "and" keeps what both numbers have, which is all but that bit.
///
/// ```math
/// \begin{aligned}
/// b &= 2^{j_1} + 2^{j_2} + \dots + 2^{j_r}, \qquad 0 \le j_1 < j_2 < \dots < j_r < 64 \\
/// b - 1 &= \bigl(2^{j_1 - 1} + \dots + 2^1 + 2^0\bigr) + 2^{j_2} + \dots + 2^{j_r} \\
/// b \wedge (b - 1) &= 2^{j_2} + \dots + 2^{j_r}
/// \end{aligned}
/// ```
#[test]
fn lowest_bit_goes_first() {
    let mut rng = rng(1015);
    let power = |j: &u32| 1_u64 << j;
    for count in (1..=64).chain([1; 20]) {
        let mut columns: Vec<u32> = (0..64).collect();
        columns.shuffle(&mut rng);
        columns.truncate(count);
        columns.sort_unstable();
        let mut b: u64 = columns.iter().map(power).sum();
        let below: u64 = (0..columns[0]).map(|j| power(&j)).sum();
        assert_eq!(b - 1, below + columns[1..].iter().map(power).sum::<u64>());
        let mut found = vec![];
        while b != 0 {
            found.push(b.trailing_zeros());
            b &= b - 1;
            assert_eq!(b, columns[found.len()..].iter().map(power).sum::<u64>());
        }
        assert_eq!(found, columns);
    }
}

/// Skipping zeros takes a time τ for a look at each entry, and then does less, at a lower rate
/// P′. It pays below a density that can be worked out, and never if m is too small.
///
/// ```math
/// \begin{aligned}
/// T_{\text{dense}} &= \frac{2\,n\,k\,m}{P}, \qquad
/// T_{\text{skip}} = n\,k\,\Bigl(\tau + \frac{2\,\rho\,m}{P'}\Bigr) \\
/// T_{\text{skip}} < T_{\text{dense}} &\;\Longleftrightarrow\;
///   \rho < \rho^* = \frac{P'}{P} - \frac{\tau\,P'}{2\,m}, \qquad
///   \rho^* > 0 \;\Longleftrightarrow\; m > \frac{\tau\,P}{2}
/// \end{aligned}
/// ```
#[test]
fn density_at_which_skipping_pays() {
    // Operations a tick, and ticks for a look: whole numbers, and powers of 2 below the line.
    for (p, p_skip, tau) in [(8.0, 4.0, 1.0), (16.0, 4.0, 2.0), (4.0, 4.0, 3.0)] {
        for m in [2.0, 4.0, 6.0, 8.0, 16.0, 32.0, 64.0] {
            let (n, k) = (8, 16);
            let best = p_skip / p - tau * p_skip / (2.0 * m);
            assert_eq!(best > 0.0, m > tau * p / 2.0);
            for others in 0..=n * k {
                let x: Vec<f64> =
                    repeat_n(1.0, others).chain(repeat_n(0.0, n * k - others)).collect();
                // Two machines do their work, entry by entry.
                let (mut dense, mut skip) = (0.0, 0.0);
                for &x in &x {
                    dense += 2.0 * m / p;
                    skip += tau;
                    if x != 0.0 {
                        skip += 2.0 * m / p_skip;
                    }
                }
                let rho = others as f64 / (n * k) as f64;
                assert_eq!(dense, 2.0 * (n * k) as f64 * m / p);
                assert_eq!(skip, (n * k) as f64 * (tau + 2.0 * rho * m / p_skip));
                assert_eq!(skip < dense, rho < best - 1e-12, "{p} {p_skip} {tau} {m} {others}");
            }
        }
    }
}

// ---------------------------------------------------------------------------------------
// Two routes through softmax

/// The derivative of softmax by two routes: through the stack of Jacobians, and without it. They
/// give the same, and one costs m times as much.
///
/// ```math
/// \begin{aligned}
/// J_{ijk} &= \hat y_{ij}\,(\delta_{jk} - \hat y_{ik}), \qquad
/// \frac{\partial L}{\partial z_{ik}}
///   = \sum_{j=1}^{m} \frac{\partial L}{\partial \hat y_{ij}}\,J_{ijk}
///   & F &= 4\,n\,m^2 \\
/// \frac{\partial L}{\partial z_{ik}} &= \Bigl(\frac{\partial L}{\partial \hat y_{ik}}
///   - \sum_{j=1}^{m} \frac{\partial L}{\partial \hat y_{ij}}\,\hat y_{ij}\Bigr)\,\hat y_{ik}
///   & F &= 4\,n\,m
/// \end{aligned}
/// ```
#[test]
fn two_routes_through_softmax() {
    let mut rng = rng(1017);
    for (n, m) in [(3, 2), (4, 10), (2, 31)] {
        let (z, d) = (normal((n, m), 2.0, &mut rng), normal((n, m), 1.0, &mut rng));
        let y_hat = Softmax.apply(&z);
        let (y_num, d_num) = (nums(&y_hat), nums(&d));
        let mut stack = Array3::from_elem((n, m, m), Num(0.0));
        let mut long = Array2::from_elem((n, m), Num(0.0));
        let ((), through) = counted(|| {
            for ((i, j, k), entry) in stack.indexed_iter_mut() {
                let delta = Num(f64::from(u8::from(j == k)));
                *entry = y_num[[i, j]] * (delta - y_num[[i, k]]);
            }
            for ((i, k), long) in long.indexed_iter_mut() {
                for j in 0..m {
                    *long = *long + d_num[[i, j]] * stack[[i, j, k]];
                }
            }
        });
        let mut short = Array2::from_elem((n, m), Num(0.0));
        let ((), without) = counted(|| {
            for i in 0..n {
                let mut sum = Num(0.0);
                for j in 0..m {
                    sum = sum + d_num[[i, j]] * y_num[[i, j]];
                }
                for k in 0..m {
                    short[[i, k]] = (d_num[[i, k]] - sum) * y_num[[i, k]];
                }
            }
        });
        assert_eq!((through, without), (4 * (n * m * m) as u64, 4 * (n * m) as u64));
        let jacobian = Softmax.jacobian(&z);
        let rows = d.clone().insert_axis(Axis(1));
        let library_long = chain_rule(&rows, &jacobian).index_axis_move(Axis(1), 0);
        let mut library_short = Array2::zeros((n, m));
        Softmax.backward_into(&z, &y_hat, &d, &mut library_short);
        assert_all_close(&stack.map(|x| x.0), &jacobian, 1e-15);
        assert_all_close(&plain(&long), &library_long, 1e-14);
        assert_all_close(&plain(&short), &library_short, 1e-14);
        assert_all_close(&library_long, &library_short, 1e-14);
    }
}

// ---------------------------------------------------------------------------------------
// Numbers, large and small

/// One instruction works on a register of V bytes. Numbers with twice the bytes need twice as
/// many instructions for the same operations, and twice the bytes are moved: with G instructions
/// a second, and N numbers to be moved, the floor doubles.
///
/// ```math
/// \begin{aligned}
/// T(c) &= \max\Bigl(\frac{F}{V / c}\,\frac1G,\; \frac{c\,N}{R}\Bigr)
///   = c\,\max\Bigl(\frac{F}{V G},\, \frac{N}{R}\Bigr) \\
/// T(8) &= 2\,T(4)
/// \end{aligned}
/// ```
#[test]
fn twice_the_bytes_twice_the_time() {
    for (operations, numbers, instructions, rate) in
        [(6400_u64, 100_usize, 3.0, 7.0), (64, 5000, 2.0, 4.0), (1 << 20, 1 << 10, 1.0, 32.0)]
    {
        for register in [32, 64] {
            let time = |c: usize, moved: usize| {
                // So many instructions, each for a whole register.
                let count = (0..operations).step_by(register / c).count() as f64;
                (count / instructions).max(moved as f64 / rate)
            };
            let floats = time(4, size_of_val(vec![0.0_f32; numbers].as_slice()));
            let doubles = time(8, size_of_val(vec![0.0_f64; numbers].as_slice()));
            assert_close(doubles, 2.0 * floats, 1e-14);
            for (c, time) in [(4.0, floats), (8.0, doubles)] {
                let (f, v, n) = (operations as f64, register as f64, numbers as f64);
                assert_close(time, (f / (v / c) / instructions).max(c * n / rate), 1e-14);
                assert_close(time, c * (f / (v * instructions)).max(n / rate), 1e-14);
            }
        }
    }
}

/// Without a gradient, a velocity shrinks by the factor μ in each step. So many steps have to be
/// taken until it is below a given power of 2.
///
/// ```math
/// \lvert v_t \rvert = \mu^t\,\lvert v_0 \rvert < 2^{-r}
/// \quad\Longleftrightarrow\quad
/// t > \frac{\ln \lvert v_0 \rvert + r \ln 2}{\ln (1 / \mu)}
/// ```
#[test]
fn steps_until_a_velocity_is_tiny() {
    for (begin, mu) in [(0.01_f32, 0.9), (3.0, 0.9), (-1e-5, 0.5), (0.2, 0.99)] {
        // What the library's optimizer multiplies with, as a number.
        let exact = f64::from(mu as f32);
        let above = |r: f64| (f64::from(begin.abs()).ln() + r * 2.0_f64.ln()) / (1.0 / exact).ln();
        // In exact arithmetic, to which f32 comes close enough here.
        let (mut t, mut v) = (0, f64::from(begin.abs()));
        while v >= 2.0_f64.powi(-126) {
            (t, v) = (t + 1, v * exact);
        }
        assert_eq!(t, above(126.0).floor() as usize + 1);
        let (mut t, mut v) = (0, begin.abs());
        while v >= f32::MIN_POSITIVE {
            (t, v) = (t + 1, v * mu as f32);
        }
        assert_eq!(t, above(126.0).floor() as usize + 1);
        // The library: one step with a gradient, and then none; it flushes below 2⁻¹⁰³.
        let mut optimizer = Momentum::<f32>::new(1.0, mu).unwrap();
        let mut theta = array![0.0_f32];
        optimizer.step(&mut theta, &array![-begin]);
        assert_eq!(optimizer.velocity()[0], begin);
        let mut t = 0;
        while optimizer.velocity()[0] != 0.0 {
            optimizer.step(&mut theta, &array![0.0]);
            t += 1;
        }
        assert_eq!(t, above(103.0).floor() as usize + 1);
    }
}

/// Far down, floats are whole multiples of the smallest one, and a product is rounded to the
/// nearest of them. A few multiples are rounded back to where they were: they never get smaller.
///
/// ```math
/// \begin{aligned}
/// \operatorname{fl}\bigl(\mu \cdot j\,2^{-149}\bigr) &= j\,2^{-149}
///   \quad\text{if}\quad j\,(1 - \mu) < \tfrac12 \\
/// \operatorname{fl}\bigl(\mu \cdot j\,2^{-149}\bigr) &< j\,2^{-149}
///   \quad\text{if}\quad j\,(1 - \mu) > \tfrac12
/// \end{aligned}
/// ```
#[test]
fn smallest_floats_do_not_shrink() {
    for mu in [0.5_f32, 0.75, 0.9, 0.95, 0.99] {
        let mut stay = 0;
        for j in 1..200_u32 {
            let v = f32::from_bits(j);
            assert_eq!(f64::from(v), f64::from(j) * 2.0_f64.powi(-149));
            let lost = f64::from(j) * (1.0 - f64::from(mu));
            if lost < 0.5 {
                assert_eq!(mu * v, v);
                stay = j;
            } else if lost > 0.5 {
                assert!(mu * v < v);
            }
        }
        // A number that shrinks arrives there, and stays.
        let mut v = 1e-40_f32;
        (0..2000).for_each(|_| v *= mu);
        let end = v.to_bits();
        assert!(end == stay || (end == stay + 1 && f64::from(end) * (1.0 - f64::from(mu)) == 0.5));
    }
}

/// Where the library flushes: a factor 1/ε above the smallest normal number, so that what is
/// left stays normal even if it is multiplied by a rate or a momentum as small as ε.
///
/// ```math
/// \lvert v \rvert \ge \frac{2^{-126}}{\varepsilon} = 2^{-103}, \quad \mu \ge \varepsilon
/// \quad\Longrightarrow\quad \mu\,\lvert v \rvert \ge 2^{-126}
/// ```
#[test]
fn flushed_above_the_smallest_normal() {
    // Whether a velocity survives a step without a gradient that keeps nearly all of it.
    let survives = |v: f32| {
        let mut optimizer = Momentum::<f32>::new(1.0, 0.0).unwrap();
        optimizer.step(&mut array![0.0], &array![-v]);
        optimizer.velocity()[0] == v
    };
    let threshold = 2.0_f32.powi(-103);
    assert_eq!(f32::MIN_POSITIVE / f32::EPSILON, threshold);
    assert_eq!(f32::MIN_POSITIVE, 2.0_f32.powi(-126));
    assert!(survives(threshold) && !survives(threshold.next_down()));
    assert!(survives(-threshold) && !survives(-threshold.next_down()));
    let mut rng = rng(1021);
    for _ in 0..1000 {
        let v = threshold * 2.0_f32.powf(40.0 * rng.random::<f32>());
        let mu = f32::EPSILON.powf(rng.random::<f32>()).clamp(f32::EPSILON, 1.0);
        assert!((mu * v).is_normal() && mu * v >= f32::MIN_POSITIVE);
    }
    assert_eq!(f32::EPSILON * threshold, f32::MIN_POSITIVE);
    assert!(!(0.99 * f32::EPSILON * threshold).is_normal());
}

// ---------------------------------------------------------------------------------------
// Amdahl's law, and threads

/// A part that has the share φ of a time becomes u times faster. What is left cannot be less
/// than the other parts, and another part, with a share ψ of the old time, has a larger share of
/// the new one.
///
/// ```math
/// \frac{T'}{T} = 1 - \varphi + \frac{\varphi}{u} > 1 - \varphi, \qquad
/// \psi' = \frac{\psi}{1 - \varphi + \varphi / u} \ge \psi
/// ```
#[test]
fn one_part_made_faster() {
    let mut rng = rng(1022);
    for _ in 0..100 {
        // Whole ticks, of which the first part's can be divided by u.
        let u = rng.random_range(1..9_u64);
        let parts: Vec<u64> = (0..4).map(|_| u * rng.random_range(1..50)).collect();
        let before: u64 = parts.iter().sum();
        let after: u64 = parts[0] / u + parts[1..].iter().sum::<u64>();
        let (phi, psi) = (parts[0] as f64 / before as f64, parts[1] as f64 / before as f64);
        let quotient = 1.0 - phi + phi / u as f64;
        assert_close(after as f64 / before as f64, quotient, 1e-14);
        assert!(quotient > 1.0 - phi);
        let new_share = parts[1] as f64 / after as f64;
        assert_close(new_share, psi / quotient, 1e-14);
        assert!(new_share >= psi);
    }
}

/// Amdahl's law: the share σ of the work is done by one thread while the others wait, and q
/// threads share the rest. From two times, one can tell the share.
///
/// ```math
/// \begin{aligned}
/// T_q &= T_1 \Bigl(\sigma + \frac{1 - \sigma}{q}\Bigr), \qquad
/// \frac{T_1}{T_q} < \frac1\sigma \\
/// \sigma &= \frac{q\,T_q / T_1 - 1}{q - 1}
/// \end{aligned}
/// ```
#[test]
fn threads_share_what_is_not_serial() {
    // Exact: whole ticks, with fractions compared by products.
    for (serial, shared) in [(1_u64, 840), (30, 840), (840, 2520), (500, 840)] {
        let alone = serial + shared;
        for q in 2..=8 {
            // The threads take the ticks of the shared work in turn; the slowest decides.
            let mut threads = vec![0; q as usize];
            (0..shared).for_each(|tick| threads[(tick % q) as usize] += 1);
            let together = serial + threads.iter().max().unwrap();
            // q T_q = q σ T_1 + (1 − σ) T_1
            assert_eq!(together * q, serial * q + (alone - serial));
            // T_1 / T_q < 1 / σ
            assert!(alone * serial < alone * together);
            // σ (q − 1) T_1 = q T_q − T_1
            assert_eq!(serial * (q - 1), q * together - alone);
            let sigma = serial as f64 / alone as f64;
            let quotient = together as f64 / alone as f64;
            assert_close(quotient, sigma + (1.0 - sigma) / q as f64, 1e-14);
            assert_close((q as f64 * quotient - 1.0) / (q as f64 - 1.0), sigma, 1e-12);
        }
    }
}

/// What one thread does while the others wait: it adds their q − 1 gradients to its own, and
/// takes the step of momentum.
///
/// ```math
/// F = (q - 1)\,p + 4\,p, \qquad Q = 3\,c\,(q - 1)\,p + 5\,c\,p
/// ```
#[test]
fn gradients_of_threads_are_added() {
    let mut rng = rng(1024);
    let (n, sizes) = (9, [5, 4, 3]);
    let network = network(&sizes, &mut rng);
    let (x, y) = (normal((n, 5), 1.0, &mut rng), targets(n, 3, &mut rng));
    let p = network.params().len();
    for q in [1, 2, 3, 4] {
        let bound = |t| n * t / q;
        let parts: Vec<Array1<f64>> = (0..q)
            .map(|t| {
                let rows = s![bound(t)..bound(t + 1), ..];
                let share = Share { first: bound(t), batch: n };
                let (mut part, mut trace) = (Array1::zeros(p), network.trace(n));
                network.gradient_into(&x.slice(rows), &y.slice(rows), share, &mut trace, &mut part);
                part
            })
            .collect();
        let mut first = Memory::new(&parts[0]);
        let others: Vec<Memory> = parts[1..].iter().map(Memory::new).collect();
        let ((), additions) = counted(|| {
            for other in &others {
                for i in 0..p {
                    first.write(i, first.read(i) + other.read(i));
                }
            }
        });
        let adding = first.moved.get() + others.iter().map(|other| other.moved.get()).sum::<u64>();
        let (mut theta, mut v) = (Memory::new(network.params()), Memory::new(&Array1::zeros(p)));
        first.moved.set(0);
        let ((), step) = counted(|| {
            for i in 0..p {
                let next = Num(0.9) * v.read(i) - Num(0.1) * first.read(i);
                v.write(i, next);
                theta.write(i, theta.read(i) + next);
            }
        });
        let stepping = first.moved.get() + theta.moved.get() + v.moved.get();
        let (q64, p64) = (q as u64, p as u64);
        assert_eq!(additions + step, (q64 - 1) * p64 + 4 * p64);
        for c in [4, 8] {
            assert_eq!(c * (adding + stepping), 3 * c * (q64 - 1) * p64 + 5 * c * p64);
        }
        // This is what the library's threads do.
        let mut trained = network_like(&network);
        let fit = Fit { batch_size: n, epochs: 1, threads: q, ..Fit::default() };
        let source = Samples::new(x.clone(), y.clone()).unwrap();
        trained.fit(&source, &fit, None, &mut silent).unwrap();
        assert_all_close(&theta.all(), trained.params(), 1e-13);
    }
}

/// The same network once more, with momentum at rest.
fn network_like(network: &NeuralNetwork<f64>) -> NeuralNetwork<f64> {
    let momentum = Momentum::new(0.1, 0.9).unwrap();
    let (loss, init) = (CategoricalCrossEntropy, Init::He);
    let mut same =
        NeuralNetwork::new(network.sizes(), Relu, Softmax, loss, momentum, init, 1).unwrap();
    same.set_params(network.params()).unwrap();
    same
}

/// A sum of r floats, added up in any order: each of the r − 1 additions rounds. Two orders may
/// differ by twice as much.
///
/// ```math
/// \begin{aligned}
/// \Bigl\lvert \operatorname{fl}\Bigl(\sum_{i=1}^{r} x_i\Bigr) - \sum_{i=1}^{r} x_i \Bigr\rvert
///   &\le \gamma \sum_{i=1}^{r} \lvert x_i \rvert, \qquad
///   \gamma = \frac{(r - 1)\,\varepsilon / 2}{1 - (r - 1)\,\varepsilon / 2} \\
/// \Bigl\lvert \operatorname{fl}\Bigl(\sum_{i=1}^{r} x_i\Bigr)
///   - \operatorname{fl}\Bigl(\sum_{i=1}^{r} x_{\pi(i)}\Bigr) \Bigr\rvert
///   &\le 2\,\gamma \sum_{i=1}^{r} \lvert x_i \rvert
/// \end{aligned}
/// ```
#[test]
fn sum_in_any_order() {
    let mut rng = rng(1025);
    let in_turn = |x: &[f32]| x.iter().fold(0.0_f32, |sum, &x| sum + x);
    let mut differ = 0;
    for r in [2, 3, 10, 1000] {
        let half = f64::from(f32::EPSILON) / 2.0;
        let gamma = (r - 1) as f64 * half / (1.0 - (r - 1) as f64 * half);
        for _ in 0..50 {
            let mut x: Vec<f32> = normal(r, 1.0, &mut rng).iter().map(|&x| x as f32).collect();
            // Exact to many more digits than f32 has.
            let exact: f64 = x.iter().map(|&x| f64::from(x)).sum();
            let size: f64 = x.iter().map(|&x| f64::from(x.abs())).sum();
            let mut sums = vec![in_turn(&x)];
            x.sort_by(f32::total_cmp);
            sums.push(in_turn(&x));
            x.shuffle(&mut rng);
            sums.push(in_turn(&x));
            // Shares, as threads have them, and their sum.
            for threads in [2, 3] {
                let shares: Vec<f32> = x.chunks(r.div_ceil(threads)).map(in_turn).collect();
                sums.push(in_turn(&shares));
            }
            for a in &sums {
                assert!((f64::from(*a) - exact).abs() <= gamma * size);
                for b in &sums {
                    assert!((f64::from(*a) - f64::from(*b)).abs() <= 2.0 * gamma * size);
                    differ += i32::from(a != b);
                }
            }
        }
        // The worst case comes close to the bound: each small one is lost beside the 1.
        let small = (half * 0.999) as f32;
        let x: Vec<f32> = [1.0].into_iter().chain(repeat_n(small, r - 1)).collect();
        let exact: f64 = x.iter().map(|&x| f64::from(x)).sum();
        assert!((f64::from(in_turn(&x)) - exact).abs() > 0.99 * gamma * exact);
    }
    assert!(differ > 100, "orders that differ: {differ}");
}

/// A thread waits awake for a while, and then goes to sleep, after which it takes some time to
/// wake up. If the while is as long as the waking, it never loses more than twice what somebody
/// would who knew how long the wait will be.
///
/// ```math
/// \begin{aligned}
/// C &= \begin{cases}
///   T_{\text{wait}} & \text{if } T_{\text{wait}} \le T_{\text{awake}} \\
///   T_{\text{awake}} + T_{\text{wake}} & \text{if } T_{\text{wait}} > T_{\text{awake}}
/// \end{cases} \\
/// T_{\text{awake}} = T_{\text{wake}} &\;\Longrightarrow\;
///   C \le 2\,\min(T_{\text{wait}},\, T_{\text{wake}})
/// \end{aligned}
/// ```
#[test]
fn awake_as_long_as_waking_takes() {
    // Counted tick by tick: looking costs a tick, and so does each tick of being woken.
    let cost = |wait: u32, awake: u32, wake: u32| {
        let (mut cost, mut now) = (0, 0);
        while now < wait {
            if now == awake {
                return cost + wake;
            }
            (now, cost) = (now + 1, cost + 1);
        }
        cost
    };
    let worst = |awake: u32, wake: u32| {
        let times = |wait: u32| f64::from(cost(wait, awake, wake)) / f64::from(wait.min(wake));
        (1..400).map(times).fold(0.0, f64::max)
    };
    for wake in [5, 50] {
        for (wait, awake) in (0..200).flat_map(|wait| (0..100).map(move |awake| (wait, awake))) {
            let formula = if wait <= awake { wait } else { awake + wake };
            assert_eq!(cost(wait, awake, wake), formula);
        }
        assert!((0..400).all(|wait| cost(wait, wake, wake) <= 2 * wait.min(wake)));
        // No other length promises as little, but for the length of a tick.
        for awake in (1..150).filter(|&awake| awake > wake || awake + 2 < wake) {
            assert!(worst(awake, wake) > worst(wake, wake));
        }
    }
}

// ---------------------------------------------------------------------------------------
// Memory

/// What a training has in memory: the samples as bytes with their labels, their order, the
/// parameters with the velocity and the gradients of q threads, a batch, and what a pass over it
/// leaves behind.
///
/// ```math
/// \begin{aligned}
/// Q &= (s_0 + 1)\,N + 8\,N + c\,(2 + q)\,p \\
/// &\quad + c\,n\,(s_0 + s_D) + c\,n\,\Bigl(3 \sum_{l=1}^{D} s_l + s_D + 1\Bigr)
/// \end{aligned}
/// ```
#[test]
fn memory_of_a_training() {
    // The bytes that this thread has in use when the second batch is done, for a training that
    // is set up from nothing; some hundred of them are for small things.
    let in_use = |samples: usize, n: usize, threads: usize, sizes: &[usize]| {
        let before = LIVE_BYTES.get();
        let labels = vec![1; samples];
        let bytes = Array2::from_elem((samples, sizes[0]), 7_u8);
        let source = Bytes::new(bytes, labels, 1.0 / 255.0, sizes[sizes.len() - 1]).unwrap();
        let momentum = Momentum::<f32>::new(0.01, 0.9).unwrap();
        let (loss, init) = (CategoricalCrossEntropy, Init::He);
        let mut network =
            NeuralNetwork::new(sizes, Relu, Softmax, loss, momentum, init, 1).unwrap();
        let fit = Fit { batch_size: n, epochs: 1, threads, ..Fit::default() };
        let mut found = 0;
        let mut observer = |event: Event| {
            if let Event::Batch { training, .. } = event
                && training.batch == 2
            {
                found = LIVE_BYTES.get().wrapping_sub(before);
            }
            ControlFlow::Continue(())
        };
        network.fit(&source, &fit, None, &mut observer).unwrap();
        found as i64
    };
    let formula = |samples: usize, n: usize, q: usize, sizes: &[usize]| {
        let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
        let p: usize = sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
        let (c, units) = (size_of::<f32>(), sizes[1..].iter().sum::<usize>());
        let q = (first + 1) * samples
            + 8 * samples
            + c * (2 + q) * p
            + c * n * (first + last)
            + c * n * (3 * units + last + 1);
        q as i64
    };
    let sizes = [50, 30, 20, 10];
    let settings = [
        (400, 64, 1, &sizes[..]),
        (900, 64, 1, &sizes),
        (400, 128, 1, &sizes),
        (400, 64, 2, &sizes),
        (400, 64, 4, &sizes),
        (400, 64, 1, &[80, 30, 20, 10]),
        (400, 64, 1, &[50, 30, 20, 17]),
        (400, 64, 1, &[50, 33, 20, 10]),
    ];
    // Once for what is made on first use only.
    in_use(400, 64, 1, &sizes);
    // Small things come besides, as many bytes for each setting, and some for each thread.
    let besides = |(samples, n, q, sizes): (usize, usize, usize, &[usize])| {
        in_use(samples, n, q, sizes) - formula(samples, n, q, sizes)
    };
    let small = besides(settings[0]);
    assert!((0..2000).contains(&small), "{small} bytes besides");
    for setting in settings {
        let for_threads = besides(setting) - small;
        let others = setting.2 as i64 - 1;
        assert!((0..=1500 * others).contains(&for_threads), "{for_threads} more");
    }
}

// ---------------------------------------------------------------------------------------
// Races and exponents

/// Smoothed targets: each class gets a little, so that no output has to become 0 or 1. They
/// still sum to 1, so the fused derivative holds.
///
/// ```math
/// \begin{aligned}
/// \tilde y_j &= (1 - \alpha)\,y_j + \frac{\alpha}{m}, \qquad \sum_{j=1}^{m} \tilde y_j = 1 \\
/// \frac{\partial L}{\partial z_j} &= \hat y_j - \tilde y_j
///   = 0 \;\Longleftrightarrow\; \hat y_j = \tilde y_j
/// \end{aligned}
/// ```
#[test]
fn smoothed_targets() {
    let mut rng = rng(1028);
    let m = 4;
    for alpha in [0.05, 0.1, 0.5] {
        let y = targets(1, m, &mut rng);
        let smooth = y.mapv(|y| (1.0 - alpha) * y + alpha / m as f64);
        assert_close(smooth.sum(), 1.0, 1e-15);
        // One layer with weights of zero and biases z.
        let mut network = network(&[1, m], &mut rng);
        let x = array![[1.0]];
        let loss = |z: &Array1<f64>| {
            let total: f64 = z.iter().map(|z| z.exp()).sum();
            z.iter().zip(&smooth).map(|(z, y)| -y * (z.exp() / total).ln()).sum::<f64>()
        };
        let mut derivatives = |z: &Array1<f64>| {
            let mut params = Array1::zeros(2 * m);
            params.slice_mut(s![m..]).assign(z);
            network.set_params(&params).unwrap();
            let (value, d) = network.loss_and_gradient(&x, &smooth).unwrap();
            assert_close(value, loss(z), 1e-13);
            d.slice(s![m..]).to_owned()
        };
        let z = normal(m, 1.0, &mut rng);
        let y_hat = Softmax.apply(&z.clone().insert_axis(Axis(0))).row(0).to_owned();
        let d = derivatives(&z);
        assert_all_close(&d, &(&y_hat - &smooth.row(0)), 1e-14);
        assert_all_close(&d, &gradient(loss, &z), 1e-9);
        // Where the derivative is zero, the outputs are the smoothed targets.
        let best = smooth.row(0).mapv(f64::ln) + 0.7;
        assert_all_close(&derivatives(&best), &Array1::zeros(m), 1e-14);
        assert!(d.iter().all(|d| d.abs() > 1e-3), "elsewhere it is not");
    }
}

/// Times that follow a power law lie on a straight line on logarithmic axes, and the slope of
/// the least squares line is the exponent.
///
/// ```math
/// T_i = C\,\nu_i^{\,r} \quad\Longrightarrow\quad
/// r = \frac{\sum_i (\ln \nu_i - \overline{\ln \nu})\,\ln T_i}
///   {\sum_i (\ln \nu_i - \overline{\ln \nu})^2}
/// ```
#[test]
fn exponent_of_a_power_law() {
    let mut rng = rng(1029);
    for exponent in [-0.5, 0.0, 1.0, 1.8] {
        let nu = uniform(6, 1.0, 100.0, &mut rng);
        let time = nu.mapv(|nu| 0.03 * nu.powf(exponent));
        let logs = nu.mapv(f64::ln);
        let mean = logs.mean().unwrap();
        let above: f64 = logs.iter().zip(&time).map(|(l, t)| (l - mean) * t.ln()).sum();
        let below: f64 = logs.iter().map(|l| (l - mean).powi(2)).sum();
        assert_close(above / below, exponent, 1e-12);
        // It is the least squares line: any other slope is worse, with the best height for it.
        let noisy = time.mapv(|t| t.ln()) + normal(6, 0.1, &mut rng);
        let slope = logs.iter().zip(&noisy).map(|(l, t)| (l - mean) * t).sum::<f64>() / below;
        let misses = |slope: f64| {
            let rest = &noisy - &(&logs * slope);
            (&rest - rest.mean().unwrap()).mapv(|r| r * r).sum()
        };
        assert!(misses(slope) < misses(slope + 1e-3) && misses(slope) < misses(slope - 1e-3));
    }
}

/// With a part that does not grow, the slope on logarithmic axes lies between 0 and 1, and tells
/// which share of the time grows.
///
/// ```math
/// T = T_0 + C\,\nu \quad\Longrightarrow\quad
/// \frac{\mathrm{d} \ln T}{\mathrm{d} \ln \nu} = \frac{C\,\nu}{T_0 + C\,\nu} < 1
/// ```
#[test]
fn exponent_beside_a_constant() {
    for (constant, c) in [(0.5, 2.0), (10.0, 0.1)] {
        for nu in [0.1_f64, 1.0, 7.0, 300.0] {
            // As a function of the logarithm.
            let log_time = |log_nu: f64| (constant + c * log_nu.exp()).ln();
            let formula = c * nu / (constant + c * nu);
            assert_close(slope(log_time, nu.ln()), formula, 1e-8);
            assert!(0.0 < formula && formula < 1.0);
        }
    }
}

/// A disturbance makes a run longer, never shorter. If a run is disturbed by at most δ with
/// probability h, whatever the other runs met, then the shortest of r runs is off by more than δ
/// only if all of them are.
///
/// ```math
/// \min_i T_i \ge T, \qquad
/// \Pr\bigl(\min_i T_i > T + \delta\bigr) = (1 - h)^r
/// ```
#[test]
fn shortest_of_several_runs() {
    // Ten equally likely disturbances, of which some are small; all outcomes of r runs.
    for (small, r) in [(1, 1), (3, 2), (5, 4), (2, 5)] {
        let (undisturbed, delta) = (100, 4);
        let late = |case: usize| if case < small { case } else { delta + 1 + case };
        let outcomes = 10_usize.pow(r);
        let mut off = 0;
        for outcome in 0..outcomes {
            let case = |run| outcome / 10_usize.pow(run) % 10;
            let shortest = (0..r).map(|run| undisturbed + late(case(run))).min().unwrap();
            assert!(shortest >= undisturbed);
            off += usize::from(shortest > undisturbed + delta);
        }
        let h = small as f64 / 10.0;
        assert_close(off as f64 / outcomes as f64, (1.0 - h).powi(r as i32), 1e-14);
    }
}

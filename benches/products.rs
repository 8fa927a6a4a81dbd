//! Matrix products.
//!
//! - `product`: the five of a step on MNIST. Those with the inputs x come three times: by BLAS;
//!   by [`zeros`] with a batch of digits, of which four pixels in five are black; and by
//!   [`zeros`] with a batch without zeros, which has to be looked through before BLAS is asked.
//! - `density`: the two with the inputs, where so many per cent of them are not zero. BLAS takes
//!   the same time whatever they are: compare with `product`. Where skipping zeros takes as
//!   long, it no longer pays, and above one entry in four [`zeros`] leaves the product to BLAS.
//!
//! The throughput is in operations: 2nkm for each product, the multiplications by zero counted.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use gradus::random::Random;
use gradus::{Float, blas, zeros};
use ndarray::Array2;
use rand::RngExt;

use crate::data::{BATCH, SIZES, batch, noise};

pub fn all(criterion: &mut Criterion) {
    of_a_step::<f32>(criterion);
    of_a_step::<f64>(criterion);
    densities(criterion);
}

fn of_a_step<F: Float>(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product");
    let [inputs, hidden, classes] = SIZES;
    let digits = batch::<F>().0;
    let full = noise::<F, _>((BATCH, inputs));
    let a = noise::<F, _>((BATCH, hidden));
    let (w_1, w_2) = (noise::<F, _>((inputs, hidden)), noise::<F, _>((hidden, classes)));
    let (d_1, d_2) = (noise::<F, _>((BATCH, hidden)), noise::<F, _>((BATCH, classes)));

    group.throughput(operations(BATCH, inputs, hidden));
    let mut z = Array2::zeros((BATCH, hidden));
    bench::<F>(&mut group, "x W", || blas::product(F::one(), &full, &w_1, F::one(), &mut z));
    bench::<F>(&mut group, "x W, digits", || zeros::product(&digits, &w_1, &mut z));
    bench::<F>(&mut group, "x W, looked through", || zeros::product(&full, &w_1, &mut z));
    let mut d_w = Array2::zeros((inputs, hidden));
    bench::<F>(&mut group, "xᵀ d", || {
        blas::product(F::one(), &full.t(), &d_1, F::zero(), &mut d_w);
    });
    bench::<F>(&mut group, "xᵀ d, digits", || {
        zeros::transposed_product(&digits, &d_1, &mut d_w);
    });
    bench::<F>(&mut group, "xᵀ d, looked through", || {
        zeros::transposed_product(&full, &d_1, &mut d_w);
    });

    group.throughput(operations(BATCH, hidden, classes));
    let mut z = Array2::zeros((BATCH, classes));
    bench::<F>(&mut group, "a W", || blas::product(F::one(), &a, &w_2, F::one(), &mut z));
    let mut d_w = Array2::zeros((hidden, classes));
    bench::<F>(&mut group, "aᵀ d", || {
        blas::product(F::one(), &a.t(), &d_2, F::zero(), &mut d_w);
    });
    let mut d_a = Array2::zeros((BATCH, hidden));
    bench::<F>(&mut group, "d Wᵀ", || {
        blas::product(F::one(), &d_2, &w_2.t(), F::zero(), &mut d_a);
    });
}

fn densities(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("density");
    let [inputs, hidden, _] = SIZES;
    group.throughput(operations(BATCH, inputs, hidden));
    let (w, d) = (noise::<f32, _>((inputs, hidden)), noise::<f32, _>((BATCH, hidden)));
    let mut z = Array2::zeros((BATCH, hidden));
    let mut d_w = Array2::zeros((inputs, hidden));
    for per_cent in [2, 5, 10, 15, 20, 24, 30, 50] {
        let x = sparse(f64::from(per_cent) / 100.0);
        group.bench_function(BenchmarkId::new("x W", per_cent), |b| {
            b.iter(|| zeros::product(&x, &w, &mut z));
        });
        group.bench_function(BenchmarkId::new("xᵀ d", per_cent), |b| {
            b.iter(|| zeros::transposed_product(&x, &d, &mut d_w));
        });
    }
}

/// Inputs of which this share is not zero, anywhere.
fn sparse(density: f64) -> Array2<f32> {
    let mut rng = Random::new(4, 0).generator();
    let mut x = noise((BATCH, SIZES[0]));
    x.mapv_inplace(|x| if rng.random_bool(density) { x } else { 0.0 });
    x
}

fn bench<F: Float>(group: &mut BenchmarkGroup<WallTime>, name: &str, mut product: impl FnMut()) {
    group.bench_function(BenchmarkId::new(name, F::NAME), |b| b.iter(&mut product));
}

/// Those of a product (n, k) (k, m).
fn operations(n: usize, k: usize, m: usize) -> Throughput {
    Throughput::Elements(2 * (n * k * m) as u64)
}

//! From ∂L/∂ŷ to ∂L/∂z through softmax, for a batch of m outputs.
//!
//! Compare the two routes as m grows: through the Jacobian of each sample, m² numbers that are
//! written and read, and by the vector–Jacobian product, which never builds them. At m = 320 the
//! Jacobians of a batch take 52 MB, in new memory for every batch. The throughput is in outputs.

use criterion::{BenchmarkId, Criterion, Throughput};
use gradus::{OutputActivation, Softmax, chain_rule};
use ndarray::{Array2, Axis};

use crate::data::{BATCH, noise};

pub fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("softmax");
    group.sample_size(10);
    for m in [10, 32, 100, 320] {
        group.throughput(Throughput::Elements((BATCH * m) as u64));
        let (z, d_y_hat) = (noise::<f32, _>((BATCH, m)), noise::<f32, _>((BATCH, m)));
        let y_hat = Softmax.apply(&z);
        group.bench_function(BenchmarkId::new("Jacobian", m), |b| {
            let rows = d_y_hat.view().insert_axis(Axis(1));
            b.iter(|| chain_rule(&rows, &Softmax.jacobian(&z)));
        });
        let mut d_z = Array2::zeros((BATCH, m));
        group.bench_function(BenchmarkId::new("without Jacobian", m), |b| {
            b.iter(|| Softmax.backward_into(&z, &y_hat, &d_y_hat, &mut d_z));
        });
    }
}

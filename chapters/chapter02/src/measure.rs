//! What the sections measure with: random points, gradient checks, a stopwatch.

use std::hint::black_box;
use std::time::Instant;

use gradus::check::{Check, Verdict};
use gradus::random::Random;
use gradus::{Loss, OutputActivation, Softmax, chain_rule};
use lab::Lab;
use ndarray::{Array1, Array2, Array3, ArrayRef1, ArrayRef2, Axis};
use rand_distr::{Distribution, StandardNormal};

use crate::routes::difference;

/// Normal entries with mean 0. Every `stream` of a seed is independent of the others.
pub fn normal(n: usize, m: usize, std: f64, seed: u64, stream: u64) -> Array2<f64> {
    let mut rng = Random::new(seed, stream).generator();
    Array2::from_shape_simple_fn((n, m), || {
        let draw: f64 = StandardNormal.sample(&mut rng);
        std * draw
    })
}

/// The name of a loss with an output activation, both of them, and targets.
pub type Pair<'a> =
    (&'static str, &'a dyn Loss<f64>, &'a dyn OutputActivation<f64>, &'a Array2<f64>);

/// ∂L/∂z of each sample against differences of the batch's mean loss.
pub fn verdict(
    loss: &dyn Loss<f64>,
    output: &dyn OutputActivation<f64>,
    z: &Array2<f64>,
    y: &Array2<f64>,
    d_z: &Array2<f64>,
) -> lab::Result<Verdict> {
    verdict_on(|z| loss.values(&output.apply(z), y), z, d_z)
}

/// The same for any loss of the logits.
pub fn verdict_on(
    losses: impl Fn(&Array2<f64>) -> Array1<f64>,
    z: &Array2<f64>,
    d_z: &Array2<f64>,
) -> lab::Result<Verdict> {
    let flat = |a: &ArrayRef2<f64>| Array1::from_iter(a.iter().copied());
    let mean_loss = |at: &ArrayRef1<f64>| {
        let z = Array2::from_shape_fn(z.raw_dim(), |(i, j)| at[i * z.ncols() + j]);
        losses(&z).mean().unwrap_or(f64::NAN)
    };
    Ok(Check::default().gradient(mean_loss, &flat(z), &flat(&(d_z / z.nrows() as f64)))?)
}

/// The relative error of the worst entry of a gradient that must pass that check.
pub fn passed(
    loss: &dyn Loss<f64>,
    output: &dyn OutputActivation<f64>,
    z: &Array2<f64>,
    y: &Array2<f64>,
    d_z: &Array2<f64>,
) -> lab::Result<f64> {
    let verdict = verdict(loss, output, z, y, d_z)?;
    if verdict.passed { Ok(verdict.error) } else { Err(verdict.to_string().into()) }
}

/// What going back through softmax costs one batch.
pub struct Cost {
    /// Outputs.
    pub m: usize,
    /// The least seconds with the Jacobians built and multiplied.
    pub jacobian: f64,
    /// The least seconds for the vector–Jacobian product.
    pub product: f64,
    /// The largest difference between the two results.
    pub difference: f64,
}

impl Cost {
    /// The size of n Jacobians in `f32`, in millions of bytes.
    pub fn megabytes(&self, n: usize) -> f64 {
        (n * self.m * self.m * size_of::<f32>()) as f64 / 1e6
    }

    /// Adds the numbers to the results.
    pub fn record(&self, n: usize, lab: &mut Lab) {
        let m = self.m;
        lab.exact(&format!("jacobian_megabytes_{m}"), self.megabytes(n));
        lab.machine(&format!("jacobian_seconds_{m}"), self.jacobian, "s");
        lab.machine(&format!("product_seconds_{m}"), self.product, "s");
        lab.machine(&format!("jacobian_over_product_{m}"), self.jacobian / self.product, "");
    }
}

/// Takes the time of both ways for n samples of m outputs, in `f32`.
pub fn cost(n: usize, m: usize, seed: u64) -> Cost {
    let single = |a: Array2<f64>| a.mapv(|x| x as f32);
    let z = single(normal(n, m, 1.0, seed, 100 + m as u64));
    let d = single(normal(n, m, 1.0, seed, 2000 + m as u64));
    let y_hat = Softmax.apply(&z);
    let stack = d.clone().insert_axis(Axis(1));
    let mut through = Array3::zeros((0, 0, 0));
    let mut d_z = Array2::zeros((n, m));
    let (mut long, mut short) = (Vec::new(), Vec::new());
    // Three times, and again as long as it all takes less than a fifth of a second.
    let start = Instant::now();
    while long.len() < 3 || (start.elapsed().as_secs_f64() < 0.2 && long.len() < 1000) {
        long.push(seconds(|| through = chain_rule(&stack, &Softmax.jacobian(&z))));
        short.push(seconds(|| Softmax.backward_into(&z, &y_hat, &d, &mut d_z)));
        black_box((&through, &d_z));
    }
    let difference = difference(&through.index_axis_move(Axis(1), 0), &d_z);
    Cost { m, jacobian: least(&long), product: least(&short), difference }
}

fn seconds(f: impl FnOnce()) -> f64 {
    let start = Instant::now();
    f();
    start.elapsed().as_secs_f64()
}

/// Other work on the machine only ever adds time.
fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

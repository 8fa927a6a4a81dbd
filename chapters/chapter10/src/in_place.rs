//! The training step of the library, part by part through its public functions, with a clock.

use gradus::{
    Activation, CategoricalCrossEntropy, Float, FusedLoss, Momentum, Optimizer, OutputActivation,
    Relu, Softmax, Source, blas, zeros,
};
use lab::Result;
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Zip, s};

use crate::measure::Watch;
use crate::plain::update_in_place;
use crate::task::{BATCH, Place, SIZES, Task, momentum};

/// The parts of a step that the clock tells apart.
pub const PARTS: [&str; 10] = [
    "gather",
    "forward, first layer",
    "ReLU",
    "forward, second layer",
    "softmax and loss",
    "backward, second layer",
    "ReLU, backward",
    "backward, first layer",
    "sums of rows",
    "update",
];

/// What is left of the measures when arrays are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct With {
    /// Whether products skip zeros.
    pub zeros: bool,
    /// Whether velocities too small to matter become 0.
    pub flush: bool,
}

/// Everything on.
pub const ALL: With = With { zeros: true, flush: true };

/// The network, and room for everything that a step writes.
pub struct InPlace<'a, F: Float> {
    task: &'a Task,
    pub at: Place<F>,
    momentum: Momentum<F>,
    gradient: Array1<F>,
    pub x: Array2<F>,
    y: Array2<F>,
    z: [Array2<F>; 2],
    pub a: [Array2<F>; 2],
    pub d: [Array2<F>; 2],
    losses: Array1<F>,
}

impl<'a, F: Float> InPlace<'a, F> {
    /// The network at some place.
    pub fn at(at: &Place<F>, task: &'a Task) -> Result<Self> {
        let [k, m, c] = SIZES;
        let room = || [Array2::zeros((BATCH, m)), Array2::zeros((BATCH, c))];
        Ok(Self {
            task,
            at: at.clone(),
            momentum: momentum(at)?,
            gradient: Array1::zeros(at.params.len()),
            x: Array2::zeros((BATCH, k)),
            y: Array2::zeros((BATCH, c)),
            z: room(),
            a: room(),
            d: room(),
            losses: Array1::zeros(BATCH),
        })
    }

    /// One step on the images with these numbers; returns their mean loss.
    pub fn step(
        &mut self,
        source: &dyn Source<F>,
        rows: &[usize],
        with: With,
        watch: &mut Watch,
    ) -> f64 {
        let n = rows.len();
        source.gather(rows, &mut self.x.slice_mut(s![..n, ..]), &mut self.y.slice_mut(s![..n, ..]));
        watch.lap("gather");
        let (x, y) = (self.x.slice(s![..n, ..]), self.y.slice(s![..n, ..]));
        let [z1, z2] = self.z.each_mut().map(|z| z.slice_mut(s![..n, ..]));
        let [a1, a2] = self.a.each_mut().map(|a| a.slice_mut(s![..n, ..]));
        let [d1, d2] = self.d.each_mut().map(|d| d.slice_mut(s![..n, ..]));
        let (mut z1, mut z2, mut a1, mut a2, mut d1, mut d2) = (z1, z2, a1, a2, d1, d2);
        let (layout, params) = (&self.task.layout, &self.at.params);

        z1.assign(&layout.biases(params, 0));
        product(&x, &layout.weights(params, 0), &mut z1, with);
        watch.lap("forward, first layer");
        Relu.apply_into(&z1, &mut a1);
        watch.lap("ReLU");
        z2.assign(&layout.biases(params, 1));
        product(&a1, &layout.weights(params, 1), &mut z2, with);
        watch.lap("forward, second layer");
        Softmax.apply_into(&z2, &mut a2);
        let loss = CategoricalCrossEntropy;
        let mut losses = self.losses.slice_mut(s![..n]);
        loss.fused_values_into(&z2, &y, &mut losses);
        loss.fused_derivative_into(&a2, &y, &mut d2);
        d2 /= F::cast(n as f64);
        let sum: f64 = losses.iter().map(|loss| loss.as_f64()).sum();
        watch.lap("softmax and loss");

        transposed_product(&a1, &d2, &mut layout.weights_mut(&mut self.gradient, 1), with);
        let w2 = layout.weights(params, 1);
        blas::product(F::one(), &d2, &w2.t(), F::zero(), &mut d1);
        watch.lap("backward, second layer");
        Relu.backward_in_place(&z1, &mut d1);
        watch.lap("ReLU, backward");
        transposed_product(&x, &d1, &mut layout.weights_mut(&mut self.gradient, 0), with);
        watch.lap("backward, first layer");
        sum_rows(&d1, &mut layout.biases_mut(&mut self.gradient, 0));
        sum_rows(&d2, &mut layout.biases_mut(&mut self.gradient, 1));
        watch.lap("sums of rows");
        if with.flush {
            self.momentum.step(&mut self.at.params, &self.gradient);
        } else {
            update_in_place::<F, false>(&mut self.at.params, &mut self.at.velocity, &self.gradient);
        }
        watch.lap("update");
        sum / n as f64
    }
}

fn product<F: Float>(x: &ArrayRef2<F>, w: &ArrayRef2<F>, y: &mut ArrayRef2<F>, with: With) {
    if with.zeros {
        zeros::product(x, w, y);
    } else {
        blas::product(F::one(), x, w, F::one(), y);
    }
}

fn transposed_product<F: Float>(
    x: &ArrayRef2<F>,
    d: &ArrayRef2<F>,
    d_w: &mut ArrayRef2<F>,
    with: With,
) {
    if with.zeros {
        zeros::transposed_product(x, d, d_w);
    } else {
        blas::product(F::one(), &x.t(), d, F::zero(), d_w);
    }
}

fn sum_rows<F: Float>(d: &ArrayRef2<F>, sum: &mut ArrayRef1<F>) {
    sum.fill(F::zero());
    for row in d.rows() {
        Zip::from(&mut *sum).and(&row).for_each(|sum, &d| *sum += d);
    }
}

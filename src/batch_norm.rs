//! Batch normalisation: every channel is given mean 0 and variance 1 over the
//! batch, and then whatever mean and variance the network would like.
//!
//! ```text
//! x̂ = (x − μ) / √(σ² + ε),  y = γ x̂ + β
//! ∂L/∂x = γ / √(σ² + ε) (∂L/∂y − mean of ∂L/∂y − x̂ · mean of x̂ ∂L/∂y)
//! ```
//!
//! In training, μ and σ² are the mean and the variance of the batch, divided by
//! the number N of values of the channel; in prediction, running averages of
//! what the batches of the training had, with the variance divided by N − 1.

use ndarray::{
    Array1, ArrayRef1, ArrayRef2, ArrayView, ArrayView1, ArrayView2,
    ArrayViewMut, ArrayViewMut1, ArrayViewMut2, Axis, Dimension, Zip, s,
};
use rand::rngs::ChaCha8Rng;

use crate::error::{Result, setting};
use crate::float::Float;
use crate::layer::{Layer, Mode, Pass, Shape, misfit};
use crate::part::{Part, State};

/// Batch normalisation, of each feature of a vector or each channel of an
/// image.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | momentum | 0.1 | share of a batch in the running averages | 0 to 1 |
/// | epsilon ε | 1e-5 | keeps the divisor from being 0 | positive, finite |
///
/// These are the settings of PyTorch, and mean what they mean there. Threads
/// that share a batch normalise their own rows each: with two threads, this is
/// batch normalisation of batches half as large. One value alone has no
/// variance: it is its own mean, so that x̂ is 0 and y is β; nothing flows back
/// to it, and the running averages stay.
///
/// Source: Ioffe, Szegedy, *Batch normalization: accelerating deep network
/// training by reducing internal covariate shift* (2015).
#[derive(Debug, Clone)]
pub struct BatchNorm<F: Float> {
    momentum: f64,
    epsilon: f64,
    size: usize,
    running_mean: Array1<F>,
    running_variance: Array1<F>,
}

impl<F: Float> Default for BatchNorm<F> {
    fn default() -> Self {
        Self {
            momentum: 0.1,
            epsilon: 1e-5,
            size: 0,
            running_mean: Array1::zeros(0),
            running_variance: Array1::zeros(0),
        }
    }
}

impl<F: Float> BatchNorm<F> {
    /// The layer with its defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same layer with another share of each batch in the running averages.
    ///
    /// # Errors
    /// If it does not lie in \[0, 1\].
    pub fn momentum(mut self, momentum: f64) -> Result<Self> {
        let ok = (0.0..=1.0).contains(&momentum);
        setting("the momentum", "lie in [0, 1]", momentum, ok)?;
        self.momentum = momentum;
        Ok(self)
    }

    /// The same layer with another ε.
    ///
    /// # Errors
    /// If it is not positive and finite, as a number of this precision.
    pub fn epsilon(mut self, epsilon: f64) -> Result<Self> {
        let rounded = F::cast(epsilon);
        let ok = rounded > F::zero() && rounded.is_finite();
        setting("epsilon", "be positive and finite", epsilon, ok)?;
        self.epsilon = epsilon;
        Ok(self)
    }

    /// The running means, one for each channel.
    pub fn running_mean(&self) -> &Array1<F> {
        &self.running_mean
    }

    /// The running variances, one for each channel.
    pub fn running_variance(&self) -> &Array1<F> {
        &self.running_variance
    }

    fn channels(&self) -> usize {
        self.running_mean.len()
    }
}

impl<F: Float> Part<F> for BatchNorm<F> {
    fn name(&self) -> &str {
        "batch_norm"
    }

    fn state(&self) -> State<F> {
        State::default()
            .with_number("momentum", self.momentum)
            .with_number("epsilon", self.epsilon)
            .with_vector("running_mean", self.running_mean.clone())
            .with_vector("running_variance", self.running_variance.clone())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        let mut layer = Self::new()
            .momentum(state.take_number("momentum")?)?
            .epsilon(state.take_number("epsilon")?)?;
        layer.running_mean = state.take_vector("running_mean")?;
        layer.running_variance = state.take_vector("running_variance")?;
        state.finish()?;
        let length = layer.running_variance.len();
        let ok = length == layer.running_mean.len();
        let range = "have as many entries as the running mean";
        setting("the running variance", range, length as f64, ok)?;
        for &mean in &layer.running_mean {
            let (value, ok) = (mean.as_f64(), mean.is_finite());
            setting("a running mean", "be finite", value, ok)?;
        }
        for &variance in &layer.running_variance {
            let ok = variance >= F::zero() && variance.is_finite();
            let (value, range) =
                (variance.as_f64(), "be finite and at least 0");
            setting("a running variance", range, value, ok)?;
        }
        *self = layer;
        Ok(())
    }
}

impl<F: Float> Layer<F> for BatchNorm<F> {
    fn accept(&mut self, input: Shape) -> Result<Shape> {
        let channels = input.channels();
        if self.running_mean.is_empty() {
            self.running_mean = Array1::zeros(channels);
            self.running_variance = Array1::ones(channels);
        }
        if self.channels() != channels {
            let takes = format!("{} channels", self.channels());
            return Err(misfit(takes, input));
        }
        self.size = input.len();
        Ok(input)
    }

    // ANCHOR: BatchNorm_forward
    fn forward_into(
        &self,
        mode: Mode,
        params: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        kept: &mut ArrayRef1<F>,
    ) {
        let (gamma, beta) = params.view().split_at(Axis(0), self.channels());
        let [mut mean, mut variance, mut scale, x_hat] = self.split_mut(kept);
        y.assign(x);
        let mut y = pixels_mut(y.view_mut(), self.channels());
        match mode {
            Mode::Train(_) => moments(&y, &mut mean, &mut variance),
            Mode::Predict => {
                mean.assign(&self.running_mean);
                variance.assign(&self.running_variance);
            }
        }
        let epsilon = F::cast(self.epsilon);
        Zip::from(&mut scale)
            .and(&variance)
            .for_each(|s, &variance| *s = (variance + epsilon).sqrt().recip());
        y -= &mean;
        y *= &scale;
        pixels_mut(x_hat, self.channels()).assign(&y);
        y *= &gamma;
        y += &beta;
    }
    // ANCHOR_END: BatchNorm_forward

    // ANCHOR: BatchNorm_backward
    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        d_params: &mut ArrayRef1<F>,
    ) {
        let channels = self.channels();
        let [_, _, scale, x_hat] = self.split(&pass.kept);
        let x_hat = pixels(x_hat, channels);
        let d_y = pixels(d_y.view(), channels);
        d_params.fill(F::zero());
        let (mut d_gamma, mut d_beta) =
            d_params.view_mut().split_at(Axis(0), channels);
        for (d_y, x_hat) in d_y.rows().into_iter().zip(x_hat.rows()) {
            d_beta += &d_y;
            Zip::from(&mut d_gamma)
                .and(&d_y)
                .and(&x_hat)
                .for_each(|sum, &d_y, &x_hat| *sum += d_y * x_hat);
        }
        let Some(d_x) = d_x else { return };
        let n = F::cast(d_y.nrows() as f64);
        let mut d_x = pixels_mut(d_x.view_mut(), channels);
        Zip::from(&mut d_x)
            .and(&d_y)
            .and(&x_hat)
            .and_broadcast(&d_gamma)
            .and_broadcast(&d_beta)
            .for_each(|d_x, &d_y, &x_hat, &d_gamma, &d_beta| {
                *d_x = d_y - (d_beta + x_hat * d_gamma) / n;
            });
        d_x *= &scale;
        d_x *= &pass.params.slice(s![..channels]);
    }
    // ANCHOR_END: BatchNorm_backward

    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        let each = vec![self.channels()];
        vec![("gamma", each.clone()), ("beta", each)]
    }

    fn initialise(&self, params: &mut ArrayRef1<F>, _: &mut ChaCha8Rng) {
        params.fill(F::zero());
        params.slice_mut(s![..self.channels()]).fill(F::one());
    }

    fn room(&self, rows: usize) -> usize {
        3 * self.channels() + rows * self.size
    }

    fn statistics(&self) -> usize {
        1 + 2 * self.channels()
    }

    // ANCHOR: BatchNorm_statistics
    fn measure_into(&self, pass: &Pass<F>, share: F, found: &mut ArrayRef1<F>) {
        found.fill(F::zero());
        let values = pass.x.len() / self.channels();
        if values < 2 {
            return;
        }
        let [mean, variance, ..] = self.split(&pass.kept);
        let unbiased = F::cast(values as f64 / (values - 1) as f64);
        found[0] = share;
        let (mut means, mut variances) =
            found.slice_mut(s![1..]).split_at(Axis(0), self.channels());
        means.scaled_add(share, &mean);
        variances.scaled_add(share * unbiased, &variance);
    }

    fn absorb(&mut self, found: &ArrayRef1<F>) {
        if found[0] == F::zero() {
            return;
        }
        let momentum = F::cast(self.momentum);
        let share = momentum / found[0];
        let (means, variances) =
            found.slice(s![1..]).split_at(Axis(0), self.channels());
        self.running_mean *= F::one() - momentum;
        self.running_mean.scaled_add(share, &means);
        self.running_variance *= F::one() - momentum;
        self.running_variance.scaled_add(share, &variances);
    }
    // ANCHOR_END: BatchNorm_statistics
}

// ANCHOR: moments
/// The mean and the variance of each column; of nothing, both are 0.
fn moments<F: Float>(
    x: &ArrayRef2<F>,
    mean: &mut ArrayRef1<F>,
    variance: &mut ArrayRef1<F>,
) {
    let n = F::cast(x.nrows().max(1) as f64);
    mean.fill(F::zero());
    x.rows().into_iter().for_each(|x| *mean += &*x);
    *mean /= n;
    variance.fill(F::zero());
    for x in x.rows() {
        Zip::from(&mut *variance)
            .and(x)
            .and(&*mean)
            .for_each(|sum, &x, &mean| *sum += (x - mean) * (x - mean));
    }
    *variance /= n;
}
// ANCHOR_END: moments

impl<F: Float> BatchNorm<F> {
    /// What is kept: mean, variance, 1 / √(variance + ε), and x̂.
    fn split<'a>(&self, kept: &'a ArrayRef1<F>) -> [ArrayView1<'a, F>; 4] {
        let (mean, rest) = kept.view().split_at(Axis(0), self.channels());
        let (variance, rest) = rest.split_at(Axis(0), self.channels());
        let (scale, x_hat) = rest.split_at(Axis(0), self.channels());
        [mean, variance, scale, x_hat]
    }

    /// The same, to be written.
    fn split_mut<'a>(
        &self,
        kept: &'a mut ArrayRef1<F>,
    ) -> [ArrayViewMut1<'a, F>; 4] {
        let (mean, rest) = kept.view_mut().split_at(Axis(0), self.channels());
        let (variance, rest) = rest.split_at(Axis(0), self.channels());
        let (scale, x_hat) = rest.split_at(Axis(0), self.channels());
        [mean, variance, scale, x_hat]
    }
}

const CONTIGUOUS: &str = "layers write in one piece";

/// One row for every pixel: (n · height · width, channels).
fn pixels<F: Float, D: Dimension>(
    numbers: ArrayView<'_, F, D>,
    channels: usize,
) -> ArrayView2<'_, F> {
    let shape = (numbers.len() / channels, channels);
    numbers.into_shape_with_order(shape).expect(CONTIGUOUS)
}

/// The same, to be written.
fn pixels_mut<F: Float, D: Dimension>(
    numbers: ArrayViewMut<'_, F, D>,
    channels: usize,
) -> ArrayViewMut2<'_, F> {
    let shape = (numbers.len() / channels, channels);
    numbers.into_shape_with_order(shape).expect(CONTIGUOUS)
}

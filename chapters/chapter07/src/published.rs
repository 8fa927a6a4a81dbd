//! A published bug: a bias that is added too often, and moved too far.

use gradus::check::Check;
use gradus::{
    Activate, CategoricalCrossEntropy, Convolution, Dense, Fit, Flatten, Float, Init, Layer,
    MaxPool, Mnist, Mode, Momentum, Network, Output, Part, Pass, Relu, Result as GradusResult,
    Sequential, Shape, Softmax, layers,
};
use lab::{Lab, Lines, Result, Table};
use ndarray::{Array1, Array3, Array4, ArrayRef1, ArrayRef2, s};

use crate::alone::normal;
use crate::digits::{first, moved_test};
use crate::networks::{MOMENTUM, train};

/// (height, width, channels)
type Image = Array3<f64>;

/// (kernel, kernel, inputs, outputs)
type Kernels = Array4<f64>;

/// (outputs)
type Biases = ArrayRef1<f64>;

// ANCHOR: published_forward
/// The forward pass as published: image x, kernels w.
fn published_forward(x: &Image, w: &Kernels, bias: &Biases) -> Image {
    let (kernel, _, inputs, outputs) = w.dim();
    let (height, width) = (x.dim().0 - kernel + 1, x.dim().1 - kernel + 1);
    let mut y = Array3::zeros((height, width, outputs));
    for o in 0..outputs {
        for c in 0..inputs {
            let w = w.slice(s![.., .., c, o]);
            for ((i, j), y) in y.slice_mut(s![.., .., o]).indexed_iter_mut() {
                let window = x.slice(s![i..i + kernel, j..j + kernel, c]);
                *y += (&window * &w).sum() + bias[o];
            }
        }
    }
    y
}

/// The gradient of the biases as published, given ∂L/∂y.
fn published_d_bias(d_y: &Image) -> Array1<f64> {
    let outputs = d_y.dim().2;
    let sum = |o| d_y.slice(s![.., .., o]).sum();
    (0..outputs).map(|o| outputs as f64 * sum(o)).collect()
}
// ANCHOR_END: published_forward

/// Channels that come in and go out.
const PAIRS: [(usize, usize); 6] = [(1, 1), (1, 2), (2, 1), (2, 3), (1, 8), (8, 16)];

/// The gradient check of the published biases.
pub fn bias(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("bias", "Published bug: a bias for every channel")?;
    lab.say(
        "Convolutions of 3 × 3 on 5 × 5 pixels, as published. L = Σ r y with random r; the published\n\
         ∂L/∂b against central differences of the published forward pass:\n",
    );
    let header = ["channels", "derived / measured", "relative error", "check"];
    let mut table = Table::new(&header);
    for (inputs, outputs) in PAIRS {
        let x = normal(25 * inputs, seed, 5).into_shape_with_order((5, 5, inputs))?;
        let w = normal(9 * inputs * outputs, seed, 6);
        let w = w.into_shape_with_order((3, 3, inputs, outputs))?;
        let b = normal(outputs, seed, 7);
        let r = normal(9 * outputs, seed, 8).into_shape_with_order((3, 3, outputs))?;
        let derived = published_d_bias(&r);
        let loss = |b: &ArrayRef1<f64>| (published_forward(&x, &w, b) * &r).sum();
        let verdict = Check::default().gradient(loss, &b, &derived)?;
        let ratio = verdict.derived / verdict.measured;
        let expected = outputs as f64 / inputs as f64;
        if (ratio - expected).abs() > 1e-6 || verdict.passed != (inputs == outputs) {
            return Err(format!("the published bias gradient is off by {ratio}").into());
        }
        table.push(vec![
            format!("{inputs} → {outputs}"),
            format!("{ratio:.3}"),
            if verdict.passed { "< 1e-6".into() } else { format!("{:.2}", verdict.error) },
            if verdict.passed { "passed" } else { "FAILED" }.into(),
        ]);
        lab.near(&format!("bias_ratio_{inputs}_{outputs}"), ratio, 1e-6);
    }
    lab.table(&table);
    lab.say(
        "\nThe ratio is that of the channels: how many go out over how many come in. With one channel\n\
         in and one out, as in the tutorial's own example, the check passes.",
    );
    Ok(())
}

/// The same bug in a layer that is fast enough to train: the library's convolution, with a
/// bias that is multiplied on the way forward, and its gradient on the way back.
#[derive(Debug)]
struct Published {
    inner: Convolution,
    inputs: usize,
    outputs: usize,
}

impl Published {
    fn new(channels: usize, size: usize, init: Init) -> GradusResult<Self> {
        Ok(Self { inner: Convolution::new(channels, size, init)?, inputs: 0, outputs: channels })
    }

    /// The parameters, with each bias as often as it is added.
    fn added<F: Float>(&self, params: &ArrayRef1<F>) -> Array1<F> {
        let mut params = params.to_owned();
        let biases = params.len() - self.outputs;
        params.slice_mut(s![biases..]).mapv_inplace(|b| F::cast(self.inputs as f64) * b);
        params
    }
}

impl<F: Float> Part<F> for Published {
    fn name(&self) -> &str {
        "published_convolution"
    }
}

impl<F: Float> Layer<F> for Published {
    fn accept(&mut self, input: Shape) -> GradusResult<Shape> {
        self.inputs = input.channels();
        Layer::<F>::accept(&mut self.inner, input)
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        Layer::<F>::parameters(&self.inner)
    }

    fn initialise(&self, params: &mut ArrayRef1<F>, rng: &mut rand::rngs::ChaCha8Rng) {
        self.inner.initialise(params, rng);
    }

    fn room(&self, rows: usize) -> usize {
        Layer::<F>::room(&self.inner, rows)
    }

    fn forward_into(
        &self,
        mode: Mode,
        params: &ArrayRef1<F>,
        x: &ArrayRef2<F>,
        y: &mut ArrayRef2<F>,
        kept: &mut ArrayRef1<F>,
    ) {
        self.inner.forward_into(mode, &self.added(params), x, y, kept);
    }

    fn backward_into(
        &self,
        pass: &Pass<F>,
        d_y: &ArrayRef2<F>,
        d_x: Option<&mut ArrayRef2<F>>,
        d_params: &mut ArrayRef1<F>,
    ) {
        self.inner.backward_into(pass, d_y, d_x, d_params);
        let biases = d_params.len() - self.outputs;
        let factor = F::cast(self.outputs as f64);
        d_params.slice_mut(s![biases..]).mapv_inplace(|d| factor * d);
    }
}

/// Digits and epochs of each of the many trainings.
const DIGITS: usize = 2000;
const EPOCHS: usize = 3;
const RATES: [f64; 7] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05];

/// The chapter's network, with the library's convolutions or with the published ones.
fn network(published: bool, rate: f64, seed: u64) -> Result<Sequential<f32>> {
    let convolution = |channels| -> Result<Box<dyn Layer<f32>>> {
        Ok(if published {
            Box::new(Published::new(channels, 5, Init::He)?)
        } else {
            Box::new(Convolution::new(channels, 5, Init::He)?)
        })
    };
    let layers = layers![
        convolution(8)?,
        Activate(Relu),
        MaxPool::new(2)?,
        convolution(16)?,
        Activate(Relu),
        MaxPool::new(2)?,
        Flatten,
        Dense::new(10, Init::He)?,
        Output(Softmax),
    ];
    let (input, loss) = (Shape::image(28, 28, 1), CategoricalCrossEntropy);
    Ok(Sequential::new(input, layers, loss, Momentum::new(rate, MOMENTUM)?, seed)?)
}

/// What the bug costs in the chapter's network.
pub fn what_it_costs(seed: u64, images: &Mnist, lab: &mut Lab) -> Result<()> {
    let (source, test) = (first(images, DIGITS)?, moved_test(images, 0, 0)?);
    let fit = Fit { batch_size: 20, epochs: EPOCHS, seed, ..Fit::default() };
    let mut found = Vec::new();
    for published in [false, true] {
        let mut accuracies = Vec::new();
        for rate in RATES {
            let mut network = network(published, rate, seed)?;
            // A loss that is no longer finite ends a training with an error.
            let accuracy = match train(lab, "bias", &mut network, &source, None, &fit) {
                Ok(_) => network.score(&test)?.accuracy().ok_or("digits have classes")?,
                Err(_) => 0.1,
            };
            accuracies.push(accuracy);
        }
        found.push(accuracies);
    }
    lab.section("bias_cost", "What it costs")?;
    // At the largest rates, chance decides when a training breaks down.
    lab.section_machine();
    lab.say(format!(
        "The chapter's network on {DIGITS} digits, {EPOCHS} epochs, batches of {}, momentum {MOMENTUM}: the share of\n\
         every fifth test digit that is read rightly, against the learning rate.\n",
        fit.batch_size,
    ));
    let mut table = Table::new(&["rate", "right", "published"]);
    for (i, rate) in RATES.iter().enumerate() {
        let percent = |accuracies: &[f64]| format!("{:.1} %", 100.0 * accuracies[i]);
        table.push(vec![rate.to_string(), percent(&found[0]), percent(&found[1])]);
    }
    lab.table(&table);
    for (name, accuracies) in ["right", "published"].into_iter().zip(&found) {
        let (best, accuracy) = accuracies
            .iter()
            .enumerate()
            .fold((0, 0.0), |best, (i, &a)| if a > best.1 { (i, a) } else { best });
        lab.near(&format!("bias_{name}_best"), accuracy, 0.02);
        lab.machine(&format!("bias_{name}_best_rate"), RATES[best], "");
        lab.near(&format!("bias_{name}_fast"), accuracies[RATES.len() - 1], 0.06);
    }
    let percent = |accuracies: &[f64]| accuracies.iter().map(|a| 100.0 * a).collect::<Vec<_>>();
    lab.figure(
        "bias_cost",
        &format!(
            "The chapter's network after {EPOCHS} epochs on {DIGITS} digits, with the library's \
             convolutions and with the published ones, against the learning rate."
        ),
        "Two curves that rise together at small rates. That of the library's convolutions stays high up \
         to the largest rate; that of the published ones turns down after a rate of 0.01, and ends at \
         chance.",
        &Lines::new("learning rate", "accuracy in %")
            .log_x()
            .series("right", RATES, percent(&found[0]))
            .series("published", RATES, percent(&found[1]))
            .y_range(0.0, 100.0),
    )
}

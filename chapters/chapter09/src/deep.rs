//! Ten layers: what the weights at the start do to them.

use gradus::{
    Activate, BatchNorm, Dense, Float, Init, Layer, Model, Momentum, Output, Relu, Sequential,
    Share, Softmax, Source, Subset, Tanh,
};
use lab::text::number;
use lab::{Lab, Lines, Panels, Result, Table};
use ndarray::{Array1, Array2, ArrayRef2, s};

use crate::digits::{self, Digits};
use crate::stats::{epochs, percent};

/// How many dense layers there are, and how many units each but the last has.
pub const LAYERS: usize = 10;
pub const WIDTH: usize = 64;

/// How many digits are learned from, and how often.
pub const IMAGES: usize = 2000;
pub const EPOCHS: usize = 10;

/// The activations to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    Tanh,
    Relu,
}

impl Hidden {
    fn name(self) -> &'static str {
        match self {
            Hidden::Tanh => "tanh",
            Hidden::Relu => "ReLU",
        }
    }

    fn layer<F: Float>(self) -> Box<dyn Layer<F>> {
        match self {
            Hidden::Tanh => Box::new(Activate(Tanh)),
            Hidden::Relu => Box::new(Activate(Relu)),
        }
    }
}

// ANCHOR: deep
/// Ten dense layers: nine of 64 units with an activation, and one for the ten
/// digits. Batch normalisation, if wanted, stands before each activation.
pub fn deep<F: Float>(
    hidden: Hidden,
    init: Init,
    normalised: bool,
) -> gradus::Result<Vec<Box<dyn Layer<F>>>> {
    let mut layers: Vec<Box<dyn Layer<F>>> = Vec::new();
    for _ in 1..LAYERS {
        layers.push(Box::new(Dense::new(WIDTH, init)?));
        if normalised {
            layers.push(Box::new(BatchNorm::new()));
        }
        layers.push(hidden.layer());
    }
    layers.push(Box::new(Dense::new(10, init)?));
    layers.push(Box::new(Output(Softmax)));
    Ok(layers)
}
// ANCHOR_END: deep

/// How weights are drawn: as the library does it, or normal with deviation 0.01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Small,
    Of(Init),
}

/// The three that are compared, with their names.
pub const STARTS: [(&str, &str, Start); 3] = [
    ("normal × 0.01", "small", Start::Small),
    ("LeCun", "lecun", Start::Of(Init::LeCun)),
    ("He", "he", Start::Of(Init::He)),
];

impl Start {
    /// A deep network that starts here.
    pub fn network<F: Float>(
        self,
        hidden: Hidden,
        normalised: bool,
        rate: f64,
        seed: u64,
    ) -> gradus::Result<Sequential<F>> {
        let init = if let Start::Of(init) = self { init } else { Init::LeCun };
        let layers = deep(hidden, init, normalised)?;
        let mut network = digits::network(layers, Momentum::new(rate, 0.9)?, seed)?;
        if self == Start::Small {
            shrink(&mut network)?;
        }
        Ok(network)
    }
}

/// Gives all weights, which LeCun's initialisation drew, the deviation 0.01.
fn shrink<F: Float>(network: &mut Sequential<F>) -> gradus::Result<()> {
    let mut params = network.params().clone();
    for (i, layer) in network.layers().iter().enumerate() {
        if let Some(("weights", shape)) = layer.parameters().first() {
            // LeCun's deviation is 1 / √fan_in.
            let factor = 0.01 * (shape[0] as f64).sqrt();
            let start = network.range(i).start;
            let mut weights = params.slice_mut(s![start..start + shape[0] * shape[1]]);
            weights *= F::cast(factor);
        }
    }
    network.set_params(&params)
}

/// Layer by layer: the mean square of what leaves it, and that of the derivative with respect
/// to it.
struct Squares {
    forward: Vec<f64>,
    backward: Vec<f64>,
}

/// All rows of a source at once.
pub fn rows<F: Float>(source: &Subset<F>) -> (Array2<F>, Array2<F>) {
    let mut x = Array2::zeros((source.len(), source.input_columns()));
    let mut y = Array2::zeros((source.len(), source.target_columns()));
    source.gather(&(0..source.len()).collect::<Vec<_>>(), &mut x, &mut y);
    (x, y)
}

/// Sends digits through the nine activations, and their derivatives back.
fn measure(network: &Sequential<f64>, samples: &Subset<f64>) -> Squares {
    let (x, y) = rows(samples);
    let mut trace = network.trace(x.nrows());
    let mut gradient = Array1::zeros(network.gradient_len());
    network.gradient_into(&x, &y, Share::whole(x.nrows()), &mut trace, &mut gradient);
    let hidden = |i: &usize| ["tanh", "relu"].contains(&network.layers()[*i].name());
    let places: Vec<usize> = (0..network.layers().len()).filter(hidden).collect();
    Squares {
        forward: places.iter().map(|&i| mean_square(&trace.y[i])).collect(),
        backward: places.iter().map(|&i| mean_square(&trace.d_y[i])).collect(),
    }
}

fn mean_square(a: &ArrayRef2<f64>) -> f64 {
    a.iter().map(|a| a * a).sum::<f64>() / a.len() as f64
}

/// Before any step: the variances.
pub fn variances(digits: &Digits, seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("variances", "Ten layers, before the first step")?;
    lab.say(format!(
        "500 digits go through {LAYERS} layers, nine of them with {WIDTH} units and an activation, and\n\
         the derivatives of the loss come back. Mean squares, of the activations a and of ∂L/∂a:\n",
    ));
    let header =
        ["", "weights", "a, layer 1", "a, layer 9", "each layer", "∂L/∂a, 9", "∂L/∂a, 1", "each"];
    let mut table = Table::new(&header);
    let mut panels = Panels::new(2);
    for hidden in [Hidden::Tanh, Hidden::Relu] {
        let mut forward = Lines::new("layer", "mean square of a").log_y().y_range(1e-24, 10.0);
        let mut backward = Lines::new("layer", "mean square of ∂L/∂a").log_y().y_range(1e-31, 1e-4);
        for (name, key, start) in STARTS {
            let network = start.network(hidden, false, 0.01, seed)?;
            let Squares { forward: a, backward: d_a } = measure(&network, &digits.few(500)?);
            let last = a.len() - 1;
            let factor = |from: f64, to: f64| (to / from).powf(1.0 / last as f64);
            let (up, down) = (factor(a[0], a[last]), factor(d_a[last], d_a[0]));
            let cells = [a[0], a[last], up, d_a[last], d_a[0], down].map(number);
            table.push([vec![hidden.name().into(), name.into()], cells.into()].concat());
            let key = format!("variances_{}_{key}", hidden.name().to_lowercase());
            lab.near(&format!("{key}_first"), a[0], 1e-9);
            lab.near(&format!("{key}_last"), a[last], 1e-9);
            lab.near(&format!("{key}_factor"), up, 1e-9);
            lab.near(&format!("{key}_gradient_last"), d_a[last], 1e-9);
            lab.near(&format!("{key}_gradient_first"), d_a[0], 1e-9);
            lab.near(&format!("{key}_gradient_factor"), down, 1e-9);
            forward = forward.series(name, epochs(a.len()), a);
            backward = backward.series(name, epochs(d_a.len()), d_a);
        }
        panels = panels
            .panel(&format!("{}, forward", hidden.name()), forward)
            .panel(&format!("{}, backward", hidden.name()), backward);
    }
    lab.table(&table);
    lab.say(
        "\n\"Each layer\" is the factor by which the mean square changes from one layer to the next, on\n\
         the way there and on the way back: the eighth root of what it does over eight.",
    );
    lab.figure(
        "variances",
        "Mean square of the activations, and of the derivatives of the loss with respect to them, in \
         nine hidden layers of 64 units, for three initialisations; 500 digits, before any training.",
        "Four panels with logarithmic axes. Weights of deviation 0.01 make straight lines that fall by \
         two powers of ten in each layer on the way forward and again on the way back. LeCun's lines \
         are nearly level with tanh and sink with ReLU; He's are level with ReLU.",
        &panels,
    )
}

/// After some epochs: what becomes of the training.
pub fn trainings(digits: &Digits, seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("start", "What becomes of them")?;
    lab.section_near(0.1);
    let (few, new) = (digits.few(IMAGES)?, digits.others(2000)?);
    let mut table =
        Table::new(&["", "weights", "loss, epoch 1", "2", "5", "10", "new digits right"]);
    let mut panels = Panels::new(2);
    for hidden in [Hidden::Tanh, Hidden::Relu] {
        let mut lines = Lines::new("epoch", "mean loss").y_range(0.0, 2.5);
        for (name, key, start) in STARTS {
            let mut network: Sequential<f32> = start.network(hidden, false, RATE, seed)?;
            let history = digits::learn(&mut network, &few, None, EPOCHS, seed)?;
            let history = history.ok_or("a training from a common start went to infinity")?;
            let accuracy = network.evaluate(&new)?.1.ok_or("digits have classes")?;
            let cells = [1, 2, 5, EPOCHS].map(|epoch| number(history.loss[epoch - 1]));
            let names = vec![hidden.name().into(), name.into()];
            table.push([names, cells.into(), vec![percent(accuracy)]].concat());
            let key = format!("start_{}_{key}", hidden.name().to_lowercase());
            lab.near(&format!("{key}_loss"), history.loss[EPOCHS - 1], 0.05);
            lab.near(&format!("{key}_accuracy"), accuracy, 0.03);
            lines = lines.series(name, epochs(EPOCHS), history.loss);
        }
        panels = panels.panel(hidden.name(), lines);
    }
    lab.say(format!(
        "Ten layers, nine of them with 64 units, learn from {IMAGES} digits, in batches of 50, at\n\
         rate {RATE} with momentum 0.9. Who gives every digit one tenth has the loss ln 10 = {:.4}.\n",
        10_f64.ln(),
    ));
    lab.table(&table);
    lab.figure(
        "start",
        "Training loss of the ten layers by epoch, from three initialisations; 2,000 digits, batches of \
         50, rate 0.01, momentum 0.9.",
        "Two panels. In both the curve of weights of deviation 0.01 is a level line at 2.3. The others \
         fall: with tanh LeCun's and He's together, with ReLU He's faster than LeCun's.",
        &panels,
    )
}

/// The learning rate of these trainings.
pub const RATE: f64 = 0.01;

//! Losses, gradients, predictions and running statistics of 100 networks of layers against
//! values from PyTorch, in `f64`.
//!
//! `layers.py` in `tests/parity` made the values.

use std::collections::{BTreeMap, BTreeSet};

use gradus::train::Share;
use gradus::{Draw, Dropout, GradientDescent, Model, Network, Registry, Sequential, Shape, State};
use ndarray::{Array1, Array2};
use rand::Rng;
use serde::Deserialize;

/// Agreement to this part of the norm. Rounding alone amounts to about 2e-15.
const TOLERANCE: f64 = 1e-12;

/// The seed of all networks here, which decides what dropout draws.
const SEED: u64 = 1;

#[derive(Deserialize)]
struct File {
    networks: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: Vec<usize>,
    layers: Vec<Layer>,
    loss: String,
    x: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    params: Vec<f64>,
    masks: Vec<Vec<Vec<f64>>>,
    loss_value: f64,
    gradient: Vec<f64>,
    statistics: Vec<[Vec<f64>; 2]>,
    predictions: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Layer {
    name: String,
    numbers: BTreeMap<String, f64>,
}

fn file() -> File {
    serde_json::from_str(include_str!("parity/layers.json")).unwrap()
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

/// How far a is from b, as a part of the norm of b.
fn distance(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    let d = a - b;
    d.dot(&d).sqrt() / b.dot(b).sqrt()
}

impl Case {
    fn network(&self) -> Sequential<f64> {
        let registry = Registry::default();
        let layer = |layer: &Layer| {
            let mut state = State { numbers: layer.numbers.clone(), ..State::default() };
            if layer.name == "batch_norm" {
                state = state.with_vector("running_mean", Array1::zeros(0));
                state = state.with_vector("running_variance", Array1::zeros(0));
            }
            registry.layer(&layer.name, state).unwrap()
        };
        let input = match self.input[..] {
            [height, width, channels] => Shape::Image { height, width, channels },
            _ => Shape::Vector(self.input[0]),
        };
        let mut network = Sequential::new(
            input,
            self.layers.iter().map(layer).collect(),
            registry.loss(&self.loss, State::default()).unwrap(),
            GradientDescent::new(1.0).unwrap(),
            SEED,
        )
        .unwrap();
        network.set_params(&Array1::from(self.params.clone())).unwrap();
        network
    }

    /// That PyTorch was given the masks that the library draws.
    fn check_masks(&self, network: &Sequential<f64>) {
        let mut masks = self.masks.iter();
        for (place, layer) in self.layers.iter().enumerate() {
            if layer.name == "dropout" {
                let draw = Draw { seed: SEED, layer: place, step: 0, first: 0 };
                let width = network.output_shape(place).len();
                let dropout = Dropout::new(layer.numbers["keep"]).unwrap();
                let factors = dropout.mask::<f64>(draw, self.x.len(), width);
                let mask = factors.mapv(|r| f64::from(r > 0.0));
                assert_eq!(mask, matrix(masks.next().unwrap()), "{}", self.name);
            }
        }
        assert!(masks.next().is_none());
    }
}

#[test]
fn networks_of_layers_agree_with_pytorch() {
    let networks = file().networks;
    assert_eq!(networks.len(), 100);
    let mut used = BTreeSet::new();
    for case in &networks {
        let (x, y) = (matrix(&case.x), matrix(&case.y));
        let mut network = case.network();
        case.check_masks(&network);
        let (loss, gradient) = network.loss_and_gradient(&x, &y).unwrap();
        let error = distance(&gradient, &Array1::from(case.gradient.clone()));
        assert!(error <= TOLERANCE, "{}: the gradient differs by {error:e} of its norm", case.name);
        let error = (loss - case.loss_value).abs() / case.loss_value;
        assert!(error <= TOLERANCE, "{}: loss {loss}, not {}", case.name, case.loss_value);

        // One step, so that the layers take note of what they measured; then the old parameters.
        let mut all = Array1::zeros(network.gradient_len());
        let mut trace = network.trace(x.nrows());
        network.gradient_into(&x, &y, Share::whole(x.nrows()), &mut trace, &mut all);
        network.step(&all);
        network.set_params(&Array1::from(case.params.clone())).unwrap();
        let mut statistics = case.statistics.iter();
        for layer in network.layers().iter().filter(|layer| layer.name() == "batch_norm") {
            let (state, [mean, variance]) = (layer.state(), statistics.next().unwrap());
            for (name, expected) in [("running_mean", mean), ("running_variance", variance)] {
                let error = distance(&state.vectors[name], &Array1::from(expected.clone()));
                assert!(error <= TOLERANCE, "{}: {name} differs by {error:e}", case.name);
            }
        }
        let predictions = network.predict(&x).unwrap() - matrix(&case.predictions);
        let error = predictions.iter().fold(0.0, |max: f64, d| max.max(d.abs()));
        assert!(error <= TOLERANCE, "{}: a prediction differs by {error:e}", case.name);
        used.extend(case.layers.iter().map(|layer| layer.name.as_str()));
    }
    // Every built-in layer and activation.
    assert_eq!(used.len(), 15, "{used:?}");
}

/// Writes what `layers.py` needs in order to drop the same units.
#[test]
#[ignore = "only where the way in which random numbers are drawn has changed"]
fn write_the_words() {
    let words = |layer| {
        let mut generator = Draw { seed: SEED, layer, step: 0, first: 0 }.generator(1);
        (0..600).map(|_| generator.next_u32()).collect()
    };
    let words: Vec<Vec<u32>> = (0..16).map(words).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/words.json");
    std::fs::write(path, serde_json::to_string(&words).unwrap() + "\n").unwrap();
}

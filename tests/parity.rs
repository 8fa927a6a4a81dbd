//! Losses, predictions and gradients of 56 networks, and 24 paths of optimizers over 100 steps,
//! against values from PyTorch, in `f64`.
//!
//! `generate.py` and `optimizers.py` in `tests/parity` made the values; `README.md` there says how.

use std::collections::{BTreeMap, BTreeSet};

use gradus::{GradientDescent, Init, Network, NeuralNetwork, Registry, State};
use ndarray::{Array1, Array2};
use serde::Deserialize;

/// Agreement to this part of the gradient's norm. Rounding alone amounts to about 2e-15.
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct File {
    networks: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    sizes: Vec<usize>,
    hidden: String,
    hidden_state: BTreeMap<String, f64>,
    output: String,
    loss: String,
    x: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    params: Vec<f64>,
    loss_value: f64,
    predictions: Vec<Vec<f64>>,
    gradient: Vec<f64>,
}

impl Case {
    fn network(&self) -> NeuralNetwork<f64> {
        let registry = Registry::default();
        let numbers = self.hidden_state.clone();
        let hidden = State { numbers, ..State::default() };
        let mut network = NeuralNetwork::new(
            &self.sizes,
            registry.activation(&self.hidden, hidden).unwrap(),
            registry.output(&self.output, State::default()).unwrap(),
            registry.loss(&self.loss, State::default()).unwrap(),
            GradientDescent::new(1.0).unwrap(),
            Init::LeCun,
            0,
        )
        .unwrap();
        network.set_params(&Array1::from(self.params.clone())).unwrap();
        network
    }
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    let columns = rows[0].len();
    Array2::from_shape_vec((rows.len(), columns), rows.concat()).unwrap()
}

fn norm(v: &Array1<f64>) -> f64 {
    v.dot(v).sqrt()
}

#[test]
fn networks_agree_with_pytorch() {
    let file: File = serde_json::from_str(include_str!("parity/networks.json")).unwrap();
    assert!(file.networks.len() >= 40);
    for case in &file.networks {
        let (x, y) = (matrix(&case.x), matrix(&case.y));
        let network = case.network();
        let (loss, gradient) = network.loss_and_gradient(&x, &y).unwrap();
        let expected = Array1::from(case.gradient.clone());
        let error = norm(&(&gradient - &expected)) / norm(&expected);
        assert!(error <= TOLERANCE, "{}: the gradient differs by {error:e} of its norm", case.name);
        let error = (loss - case.loss_value).abs() / case.loss_value.abs();
        assert!(error <= TOLERANCE, "{}: loss {loss}, not {}", case.name, case.loss_value);
        let predictions = network.predict(&x).unwrap() - matrix(&case.predictions);
        let error = predictions.iter().fold(0.0, |max: f64, d| max.max(d.abs()));
        assert!(error <= TOLERANCE, "{}: a prediction differs by {error:e}", case.name);
    }
}

#[test]
fn composed_and_fused_gradients_agree_where_nothing_underflows() {
    let file: File = serde_json::from_str(include_str!("parity/networks.json")).unwrap();
    let mut compared = 0;
    for case in &file.networks {
        let smallest = case.predictions.iter().flatten().fold(f64::INFINITY, |a, &b| a.min(b));
        let largest = case.predictions.iter().flatten().fold(0.0, |a: f64, &b| a.max(b));
        if !case.loss.contains("cross_entropy") || smallest < 1e-3 || largest > 0.999 {
            continue;
        }
        let (x, y) = (matrix(&case.x), matrix(&case.y));
        let (loss, gradient) = case.network().composed().loss_and_gradient(&x, &y).unwrap();
        let expected = Array1::from(case.gradient.clone());
        let error = norm(&(&gradient - &expected)) / norm(&expected);
        assert!(error <= TOLERANCE, "{}: the gradient differs by {error:e} of its norm", case.name);
        assert!((loss - case.loss_value).abs() <= TOLERANCE * loss.abs().max(1.0), "{}", case.name);
        compared += 1;
    }
    assert!(compared >= 8, "only {compared} networks without extreme probabilities");
}

#[derive(Deserialize)]
struct Paths {
    start: Vec<f64>,
    kept: Vec<usize>,
    gradients: Vec<Vec<f64>>,
    cases: Vec<Path>,
}

#[derive(Deserialize)]
struct Path {
    name: String,
    settings: BTreeMap<String, f64>,
    path: Vec<Vec<f64>>,
}

/// What each optimizer remembers: at rest, vectors of no length, and no steps.
fn at_rest(name: &str, settings: &BTreeMap<String, f64>) -> State<f64> {
    let mut state = State { numbers: settings.clone(), ..State::default() };
    if let Some((word, name)) = name.split_once(' ') {
        let inner = state.take_inner();
        if !["clipped", "decayed"].contains(&word) {
            state = state.with_number("done", 0.0);
        }
        return state.with_inner(at_rest(name, &inner.numbers));
    }
    let vectors: &[&str] = match name {
        "gradient_descent" => &[],
        "adagrad" | "rmsprop" => &["squares"],
        "adam" | "adamw" => &["squares", "velocity"],
        _ => &["velocity"],
    };
    if name.starts_with("adam") {
        state = state.with_number("steps", 0.0);
    }
    vectors.iter().fold(state, |state, vector| state.with_vector(vector, Array1::zeros(0)))
}

#[test]
fn optimizers_agree_with_pytorch() {
    let paths: Paths = serde_json::from_str(include_str!("parity/optimizers.json")).unwrap();
    assert_eq!((paths.gradients.len(), paths.kept.last()), (100, Some(&100)));
    let names: BTreeSet<&str> = paths.cases.iter().map(|case| &*case.name).collect();
    assert_eq!(names.len(), 20, "{names:?}");
    for Path { name, settings, path } in &paths.cases {
        let registry = Registry::<f64>::default();
        let mut optimizer = registry.optimizer(name, at_rest(name, settings)).unwrap();
        let mut params = Array1::from(paths.start.clone());
        let mut expected = paths.kept.iter().zip(path).peekable();
        for (t, gradient) in (1..).zip(&paths.gradients) {
            optimizer.step(&mut params, &Array1::from(gradient.clone()));
            let Some((_, expected)) = expected.next_if(|(kept, _)| **kept == t) else { continue };
            for (i, (&found, &expected)) in params.iter().zip(expected).enumerate() {
                // The gradients are given: rounding adds up to about 2e-15.
                let error = (found - expected).abs() / expected.abs().max(1.0);
                let what = format!("{name} {settings:?}, parameter {i} after step {t}");
                assert!(error <= TOLERANCE, "{what}: {found}, not {expected}");
            }
        }
        assert!(expected.next().is_none(), "{name}: a step was not compared");
    }
}

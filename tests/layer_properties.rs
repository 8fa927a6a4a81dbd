//! What holds for every network of layers, tried on random ones: random layers, sizes, samples.

mod common;

use common::{normal, rng};
use gradus::{
    Activate, AveragePool, BatchNorm, CategoricalCrossEntropy, Convolution, Dense, Dropout,
    Flatten, Gelu, GradientDescent, Init, Layer, MaxPool, Network, Output, Registry, Sequential,
    Shape, Sigmoid, Softmax, Softplus, Tanh, one_hot,
};
use ndarray::{Array1, Array2, Axis, concatenate};
use proptest::prelude::*;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

type Boxed = Box<dyn Layer<f64>>;

fn activation(rng: &mut ChaCha8Rng) -> Boxed {
    match rng.random_range(0..4) {
        0 => Box::new(Activate(Tanh)),
        1 => Box::new(Activate(Sigmoid)),
        2 => Box::new(Activate(Softplus)),
        _ => Box::new(Activate(Gelu)),
    }
}

/// Something that takes images, and may not fit.
fn of_images(rng: &mut ChaCha8Rng) -> Boxed {
    let (size, stride) = (rng.random_range(1..4), rng.random_range(1..3));
    let padding = rng.random_range(0..size);
    match rng.random_range(0..5) {
        0 | 1 => {
            let layer = Convolution::new(rng.random_range(1..4), size, Init::GlorotNormal);
            Box::new(layer.unwrap().stride(stride).unwrap().padding(padding).unwrap())
        }
        2 => Box::new(MaxPool::new(size).unwrap().stride(stride).unwrap()),
        3 => Box::new(AveragePool::new(size).unwrap().stride(stride).unwrap()),
        _ => Box::new(BatchNorm::new()),
    }
}

/// A network of some seven layers for three classes, whose input is an image or a vector.
fn network(seed: u64, dropout: bool) -> (Sequential<f64>, usize) {
    let mut rng = rng(seed);
    let (h, w, c) = (rng.random_range(3..7), rng.random_range(3..7), rng.random_range(1..3));
    let (input, image) = match rng.random_range(0..3) {
        0 => (Shape::Vector(h * w), false),
        _ => (Shape::image(h, w, c), true),
    };
    let (mut layers, mut shape): (Vec<Boxed>, _) = (Vec::new(), input);
    for _ in 0..if image { 3 } else { 0 } {
        let mut layer = of_images(&mut rng);
        if let Ok(output) = layer.accept(shape) {
            shape = output;
            layers.extend([layer, activation(&mut rng)]);
        }
    }
    if image {
        layers.push(Box::new(Flatten));
    }
    layers.push(Box::new(Dense::new(rng.random_range(1..6), Init::LeCun).unwrap()));
    if rng.random() {
        layers.push(Box::new(BatchNorm::new()));
    }
    layers.push(activation(&mut rng));
    if dropout {
        let place = rng.random_range(0..=layers.len());
        layers.insert(place, Box::new(Dropout::new(0.7).unwrap()));
    }
    layers.push(Box::new(Dense::new(3, Init::LeCun).unwrap()));
    layers.push(Box::new(Output(Softmax)));
    let descent = GradientDescent::new(0.1).unwrap();
    let network = Sequential::new(input, layers, CategoricalCrossEntropy, descent, seed).unwrap();
    (network, input.len())
}

fn batch(seed: u64, n: usize, inputs: usize) -> (Array2<f64>, Array2<f64>) {
    let mut rng = rng(seed ^ 0xba7c4);
    let labels: Vec<usize> = (0..n).map(|_| rng.random_range(0..3)).collect();
    (normal((n, inputs), 1.0, &mut rng), one_hot(&labels, 3).unwrap())
}

fn largest(difference: impl IntoIterator<Item = f64>) -> f64 {
    difference.into_iter().fold(0.0, |max, d| max.max(d.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_network_of_layers_has_the_gradient_of_its_loss(seed in any::<u64>(), n in 2_usize..8) {
        let (mut network, inputs) = network(seed, true);
        let (x, y) = batch(seed, n, inputs);
        let (loss, gradient) = network.loss_and_gradient(&x, &y).unwrap();
        let theta = network.params().clone();
        let direction: Array1<f64> = normal(theta.len(), 1.0, &mut rng(seed ^ 1));
        // The smaller step decides where the larger one crosses an edge of a max-pool.
        let errors = [1e-4, 1e-5, 1e-6].map(|h| {
            let mut at = |h: f64| {
                network.set_params(&(&theta + &(&direction * h))).unwrap();
                network.loss_and_gradient(&x, &y).unwrap().0
            };
            let measured = (at(h) - at(-h)) / (2.0 * h);
            (measured - gradient.dot(&direction)).abs() / (gradient.dot(&gradient).sqrt() + loss)
        });
        let least = errors.iter().fold(f64::INFINITY, |least, &e| least.min(e));
        prop_assert!(least < 1e-6, "{errors:?}");
    }

    #[test]
    fn a_prediction_is_the_samples_own(seed in any::<u64>(), n in 2_usize..8) {
        let (network, inputs) = network(seed, true);
        let (x, _) = batch(seed, n, inputs);
        let together = network.predict(&x).unwrap();
        for (i, row) in x.axis_chunks_iter(Axis(0), 1).enumerate() {
            let alone = network.predict(&row).unwrap();
            prop_assert!(largest(&alone.row(0) - &together.row(i)) < 1e-13);
        }
    }

    #[test]
    fn samples_may_come_in_any_order_and_twice(seed in any::<u64>(), n in 2_usize..8) {
        let (network, inputs) = network(seed, false);
        let (x, y) = batch(seed, n, inputs);
        let (loss, gradient) = network.loss_and_gradient(&x, &y).unwrap();
        let size = gradient.dot(&gradient).sqrt().max(1e-3);
        let backwards: Vec<usize> = (0..n).rev().collect();
        let mixed = (x.select(Axis(0), &backwards), y.select(Axis(0), &backwards));
        let twice = |a: &Array2<f64>| concatenate![Axis(0), *a, *a];
        for (x, y) in [mixed, (twice(&x), twice(&y))] {
            let (other, other_gradient) = network.loss_and_gradient(&x, &y).unwrap();
            prop_assert!((loss - other).abs() < 1e-11, "{loss} {other}");
            let difference = largest(&gradient - &other_gradient);
            prop_assert!(difference < 1e-9 * size, "{difference} of {size}");
        }
    }

    #[test]
    fn any_network_of_layers_survives_its_file(seed in any::<u64>()) {
        let (network, inputs) = network(seed, true);
        let document = network.to_document().unwrap();
        let bytes = document.to_bytes();
        let again = gradus::persist::Document::from_bytes(&bytes).unwrap();
        let again = Sequential::from_document(again, &Registry::default()).unwrap();
        prop_assert_eq!(again.to_document().unwrap(), document);
        let (x, y) = batch(seed, 5, inputs);
        prop_assert_eq!(again.predict(&x).unwrap(), network.predict(&x).unwrap());
        // Dropout draws the same masks, too.
        let (one, other) = (network.loss_and_gradient(&x, &y), again.loss_and_gradient(&x, &y));
        prop_assert_eq!(one.unwrap(), other.unwrap());
    }
}

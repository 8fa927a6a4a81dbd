//! The training loop: what it visits, what it reports, and how it ends.

mod common;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::*;
use gradus::{
    Activation, BinaryCrossEntropy, Elementwise, Event, Fit, Float, GradientDescent, Identity,
    Init, MeanSquaredError, Momentum, Network, NeuralNetwork, Part, Samples, Sigmoid, Tanh, toy,
    train,
};
use ndarray::{Array2, array};

fn moons_network(seed: u64) -> NeuralNetwork<f64> {
    let optimizer = Momentum::new(0.1, 0.9).unwrap();
    let output = Elementwise(Sigmoid);
    let init = Init::GlorotNormal;
    NeuralNetwork::new(&[2, 6, 1], Tanh, output, BinaryCrossEntropy, optimizer, init, seed).unwrap()
}

/// ŷ = w x + b, with squared error and a tiny learning rate: its losses can be added up by hand.
fn still_line(w: f64, b: f64) -> NeuralNetwork<f64> {
    let optimizer = GradientDescent::new(1e-300).unwrap();
    let identity = Elementwise(Identity);
    let loss = MeanSquaredError;
    let mut line =
        NeuralNetwork::new(&[1, 1], Identity, identity, loss, optimizer, Init::LeCun, 1).unwrap();
    line.set_params(&array![w, b]).unwrap();
    line
}

#[test]
fn training_reports_every_batch_and_every_epoch() {
    let data = toy::moons(10, 0.1, 1).unwrap();
    let fit = Fit { batch_size: 4, epochs: 2, ..Fit::default() };
    let mut seen = Vec::new();
    let mut observe = |event: Event| {
        seen.push(match event {
            Event::Batch { training, .. } => ("batch", training.epoch, training.batch),
            Event::Epoch { training } => ("epoch", training.epoch, training.batch),
        });
        ControlFlow::Continue(())
    };
    let history = moons_network(1).fit(&data, &fit, Some(&data), &mut observe).unwrap();
    let of_epoch = |e| [("batch", e, 1), ("batch", e, 2), ("batch", e, 3), ("epoch", e + 1, 0)];
    assert_eq!(seen, [of_epoch(0), of_epoch(1)].concat());
    assert_eq!(history.loss.len(), 2);
    assert_eq!(history.validation_loss.len(), 2);
    assert_eq!(history.validation_accuracy.len(), 2);
}

#[test]
fn training_history_is_a_mean_over_samples_not_over_batches() {
    let x: Array2<f64> = uniform((7, 1), -1.0, 1.0, &mut rng(31));
    let y = uniform((7, 1), -9.0, 9.0, &mut rng(32));
    let data = Samples::new(x.clone(), y.clone()).unwrap();
    let mut line = still_line(2.0, -1.0);
    let fit = Fit { batch_size: 3, epochs: 1, ..Fit::default() };
    let mut batches = Vec::new();
    let mut observe = |event: Event| {
        if let Event::Batch { loss, .. } = event {
            batches.push(loss);
        }
        ControlFlow::Continue(())
    };
    let history = line.fit(&data, &fit, None, &mut observe).unwrap();
    let loss = |(x, y): (&f64, &f64)| (2.0 * x - 1.0 - y) * (2.0 * x - 1.0 - y);
    let mean = x.iter().zip(&y).map(loss).sum::<f64>() / 7.0;
    assert_close(history.loss[0], mean, 1e-14);
    // The last batch has one sample, and counts as one.
    let weighted = (3.0 * batches[0] + 3.0 * batches[1] + batches[2]) / 7.0;
    assert_close(history.loss[0], weighted, 1e-14);
    assert!((history.loss[0] - batches.iter().sum::<f64>() / 3.0).abs() > 1e-3);
}

#[test]
fn training_depends_on_both_seeds() {
    let data = toy::moons(40, 0.1, 1).unwrap();
    let train = |network_seed, seed| {
        let mut network = moons_network(network_seed);
        let fit = Fit { batch_size: 7, epochs: 2, seed, ..Fit::default() };
        network.fit(&data, &fit, None, &mut train::silent).unwrap();
        network.params().clone()
    };
    assert_eq!(train(1, 1), train(1, 1));
    assert_ne!(train(1, 1), train(1, 2));
    assert_ne!(train(1, 1), train(2, 1));
}

#[test]
fn training_stops_early_when_the_validation_loss_stops_falling() {
    let mut rng = rng(33);
    let x = normal((12, 2), 1.0, &mut rng);
    let noise = labels(12, 2, &mut rng);
    let targets = |flip: usize| Array2::from_shape_fn((12, 1), |(i, _)| (noise[i] ^ flip) as f64);
    // What is learned from one half is wrong about the other: the validation loss only rises.
    let data = Samples::new(x.clone(), targets(0)).unwrap();
    let contrary = Samples::new(x, targets(1)).unwrap();
    let fit = Fit { batch_size: 12, epochs: 50, patience: Some(3), ..Fit::default() };
    let mut network = moons_network(1);
    let history = network.fit(&data, &fit, Some(&contrary), &mut train::silent).unwrap();
    let losses = &history.validation_loss;
    let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
    assert_eq!(losses.len(), best + 1 + 3, "{losses:?}");
    assert!(network.training().unwrap().is_finished());
    // The same without patience goes on to the end.
    let fit = Fit { patience: None, ..fit };
    let history = moons_network(1).fit(&data, &fit, Some(&contrary), &mut train::silent).unwrap();
    assert_eq!(history.loss.len(), 50);
}

#[test]
fn training_can_be_broken_off_anywhere_and_resumed() {
    let data = toy::moons(30, 0.1, 1).unwrap();
    let held_out = toy::moons(20, 0.1, 2).unwrap();
    for threads in [1, 3] {
        let fit = Fit { batch_size: 8, epochs: 3, seed: 5, threads, patience: Some(9) };
        let mut whole = moons_network(1);
        whole.fit(&data, &fit, Some(&held_out), &mut train::silent).unwrap();
        // Four batches and an end in each epoch: break off after each of the 15 events.
        for stop in 1..=15 {
            let mut events = 0;
            let mut observe = |_: Event| {
                events += 1;
                if events == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let mut halves = moons_network(1);
            halves.fit(&data, &fit, Some(&held_out), &mut observe).unwrap();
            assert_eq!(events, stop);
            assert_eq!(halves.training().unwrap().is_finished(), stop == 15);
            halves.resume(&data, 3, Some(&held_out), &mut train::silent).unwrap();
            assert_eq!(halves.params(), whole.params(), "broken off after event {stop}");
            assert_eq!(halves.training(), whole.training(), "broken off after event {stop}");
        }
    }
}

#[test]
fn training_goes_on_with_another_optimizer() {
    let data = toy::moons(30, 0.1, 1).unwrap();
    let fit = Fit { batch_size: 30, epochs: 1, ..Fit::default() };
    let mut network = moons_network(1);
    network.fit(&data, &fit, None, &mut train::silent).unwrap();
    let (_, gradient) = network.loss_and_gradient(data.x(), data.y()).unwrap();
    let before = network.params().clone();
    network.set_optimizer(GradientDescent::new(0.5).unwrap()).unwrap();
    network.resume(&data, 2, None, &mut train::silent).unwrap();
    // One plain step, without the velocity of the optimizer before.
    assert_all_close(network.params(), &(before - 0.5 * gradient), 1e-14);
}

/// An activation that fails in the middle of a training.
#[derive(Debug)]
struct Faulty;

impl<F: Float> Part<F> for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }
}

impl<F: Float> Activation<F> for Faulty {
    fn value(&self, z: F) -> F {
        assert!(z.abs() < F::cast(5.0), "this activation fails at {z}");
        z
    }

    fn derivative(&self, _: F) -> F {
        F::one()
    }
}

#[test]
fn training_ends_when_a_part_or_the_observer_panics() {
    let mut x = normal((30, 1), 0.1, &mut rng(34));
    x[[11, 0]] = 1e3;
    let data = Samples::new(x.clone(), x).unwrap();
    for threads in [1, 2, 4] {
        let fit = Fit { batch_size: 4, epochs: 2, threads, ..Fit::default() };
        let network = || {
            let optimizer = GradientDescent::new(1e-3).unwrap();
            let identity = Elementwise(Identity);
            let loss = MeanSquaredError;
            let mut network =
                NeuralNetwork::new(&[1, 1, 1], Faulty, identity, loss, optimizer, Init::LeCun, 1)
                    .unwrap();
            network.set_params(&array![1.0, 1.0, 0.0, 0.0]).unwrap();
            network
        };
        let mut faulty = network();
        let part = AssertUnwindSafe(|| faulty.fit(&data, &fit, None, &mut train::silent));
        let message = catch_unwind(part).unwrap_err();
        let message = message.downcast_ref::<String>().unwrap();
        assert!(message.contains("this activation fails at 1000"), "{message}");

        let tame = toy::sine(30, 0.0, 1).unwrap();
        let mut sound = network();
        let mut observe = |_: Event| panic!("the observer fails");
        let observer = AssertUnwindSafe(|| sound.fit(&tame, &fit, None, &mut observe));
        let message = catch_unwind(observer).unwrap_err();
        assert_eq!(*message.downcast_ref::<&str>().unwrap(), "the observer fails");
    }
}

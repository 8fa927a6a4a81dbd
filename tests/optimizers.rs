//! What each optimizer with a rate for every parameter does: its first steps by hand, what
//! distinguishes it from the others, and that a pause changes nothing.

mod common;

use common::*;
use gradus::{
    AdaGrad, Adam, AdamW, Elementwise, Fit, Float, Identity, Init, MeanSquaredError, NeuralNetwork,
    Optimizer, Part, Registry, Result, RmsProp, Samples, State, Tanh, train,
};
use ndarray::{Array1, array};

/// The parameters after a step along each of these gradients, from 1.
fn path(optimizer: &mut dyn Optimizer<f64>, gradients: &[f64]) -> Vec<f64> {
    let mut params = array![1.0];
    let step = |&g: &f64| {
        optimizer.step(&mut params, &array![g]);
        params[0]
    };
    gradients.iter().map(step).collect()
}

#[track_caller]
fn assert_path(optimizer: &mut dyn Optimizer<f64>, gradients: &[f64], expected: &[f64]) {
    let found = path(optimizer, gradients);
    assert_all_close(&Array1::from(found), &Array1::from(expected.to_vec()), 1e-14);
}

#[test]
fn adagrad_steps_by_hand() {
    // s = 9 and 9 + 16 = 25, with roots 3 and 5, to which ε adds 1 each time.
    let mut adagrad = AdaGrad::new(0.5).unwrap().with_epsilon(1.0).unwrap();
    let first = 1.0 - 0.5 * 3.0 / 4.0;
    assert_path(&mut adagrad, &[3.0, -4.0], &[first, first + 0.5 * 4.0 / 6.0]);
    assert_eq!(adagrad.state().vectors["squares"], array![25.0]);
}

#[test]
fn rmsprop_steps_by_hand() {
    // s = 16 / 4 = 4 and 3 · 4 / 4 + 24 / 4 = 9, with roots 2 and 3.
    let mut rmsprop = RmsProp::new(0.5, 0.75).unwrap().with_epsilon(1.0).unwrap();
    let (first, g) = (1.0 - 0.5 * 4.0 / 3.0, 24f64.sqrt());
    assert_path(&mut rmsprop, &[4.0, -g], &[first, first + 0.5 * g / 4.0]);
    assert_close(rmsprop.state().vectors["squares"][0], 9.0, 1e-15);
}

#[test]
fn adam_steps_by_hand() {
    let adam = || Adam::new(0.5).unwrap().with_betas(0.5, 0.75).unwrap().with_epsilon(1.0).unwrap();
    // v = 2, s = 4; corrected by 1 / 2 and 1 / 4: 4 and 16, with root 4.
    // v = 1 − 1 = 0 ⇒ no step; s = 3 + 1 = 4.
    let first = 1.0 - 0.5 * 4.0 / 5.0;
    assert_path(&mut adam(), &[4.0, -2.0], &[first, first]);
    // v = 1 + 3 = 4, s = 3 + 9 = 12; corrected by 3 / 4 and 7 / 16: 16 / 3 and 192 / 7.
    let second = first - 0.5 * (16.0 / 3.0) / ((192.0_f64 / 7.0).sqrt() + 1.0);
    let mut both = adam();
    assert_path(&mut both, &[4.0, 6.0], &[first, second]);
    let state = both.state();
    assert_eq!((state.numbers["steps"], &state.vectors["velocity"]), (2.0, &array![4.0]));
    assert_eq!(state.vectors["squares"], array![12.0]);
}

#[test]
fn adamw_steps_by_hand() {
    // A tenth of each parameter is lost (0.5 · 0.2), and then Adam's own steps are taken.
    let adam = Adam::new(0.5).unwrap().with_betas(0.5, 0.75).unwrap().with_epsilon(1.0).unwrap();
    let mut adamw = adam.with_weight_decay(0.2).unwrap();
    let first = 0.9 - 0.5 * 4.0 / 5.0;
    assert_path(&mut adamw, &[4.0, -2.0], &[first, 0.9 * first]);
    // Without a gradient nothing but the decay is left, at the same share for all.
    let mut adamw = AdamW::new(0.5, 0.2).unwrap();
    let mut params = array![1.0, -100.0];
    adamw.step(&mut params, &array![0.0, 0.0]);
    assert_all_close(&params, &array![0.9, -90.0], 1e-15);
}

#[test]
fn adamw_without_decay_is_adam() {
    let mut rng = rng(80);
    let (mut adam, mut adamw) = (Adam::new(0.1).unwrap(), AdamW::new(0.1, 0.0).unwrap());
    let mut a = normal(5, 1.0, &mut rng);
    let mut b = a.clone();
    for _ in 0..10 {
        let g = normal(5, 1.0, &mut rng);
        adam.step(&mut a, &g);
        adamw.step(&mut b, &g);
    }
    assert_eq!(a, b);
}

/// The optimizers of this file, at rest.
fn all<F: Float>() -> Vec<Box<dyn Optimizer<F>>> {
    vec![
        Box::new(AdaGrad::new(0.05).unwrap()),
        Box::new(RmsProp::new(0.01, 0.9).unwrap().with_epsilon(1e-6).unwrap()),
        Box::new(Adam::new(0.02).unwrap().with_betas(0.8, 0.99).unwrap()),
        Box::new(AdamW::new(0.02, 0.1).unwrap()),
    ]
}

#[test]
fn the_size_of_a_gradient_does_not_matter() {
    for mut optimizer in all::<f64>() {
        let mut params = array![1.0, 1.0, 1.0];
        for g in [1.0, -0.5, 2.0, 0.25] {
            optimizer.step(&mut params, &array![g, 1e3 * g, -1e-2 * g]);
        }
        // As far as epsilon is small beside the gradients: 1e-6 beside 1e-3.
        assert_close(params[0], params[1], 1e-5);
        let decayed = params[0] + params[2];
        assert!((1.0 - params[0]).abs() > 1e-3, "{optimizer:?}");
        let kept: f64 = if optimizer.name() == "adamw" { 0.998 } else { 1.0 };
        assert_close(decayed, 2.0 * kept.powi(4), 1e-4);
    }
}

#[test]
fn a_parameter_without_gradients_stays_in_both_precisions() {
    fn check<F: Float>() {
        for mut optimizer in all::<F>().into_iter().take(3) {
            let mut params = Array1::from_elem(2, F::cast(0.7));
            for _ in 0..50 {
                optimizer.step(&mut params, &Array1::from(vec![F::zero(), F::one()]));
            }
            assert_eq!(params[0], F::cast(0.7), "{optimizer:?}");
            assert!(params[1] < F::cast(0.5), "{optimizer:?}");
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Gradients so small that their squares are lost move nothing far, though epsilon is as small
/// as it may be.
#[test]
fn no_gradient_is_too_small_for_f32() {
    let epsilon = 1e-12;
    let mut optimizers: [Box<dyn Optimizer<f32>>; 3] = [
        Box::new(AdaGrad::new(0.1).unwrap().with_epsilon(epsilon).unwrap()),
        Box::new(RmsProp::new(0.1, 0.99).unwrap().with_epsilon(epsilon).unwrap()),
        Box::new(Adam::new(0.1).unwrap().with_epsilon(epsilon).unwrap()),
    ];
    for optimizer in &mut optimizers {
        for exponent in -45..-10 {
            let mut params = array![0.0_f32];
            optimizer.restore(emptied(optimizer.state())).unwrap();
            for _ in 0..3 {
                optimizer.step(&mut params, &array![10f32.powi(exponent)]);
            }
            // RMSprop's first step is 10 η long.
            assert!((-2.5..=0.0).contains(&params[0]), "{optimizer:?}, 1e{exponent}: {params}");
        }
    }
}

/// Numbers below the smallest normal one are slow on many processors.
#[test]
fn averages_that_fade_end_at_zero() {
    let adam = Adam::new(0.1).unwrap().with_betas(0.5, 0.6).unwrap();
    let optimizers: [Box<dyn Optimizer<f32>>; 2] =
        [Box::new(RmsProp::new(0.1, 0.5).unwrap()), Box::new(adam)];
    for mut optimizer in optimizers {
        let mut params = array![0.0_f32];
        optimizer.step(&mut params, &array![1.0]);
        for _ in 0..300 {
            optimizer.step(&mut params, &array![0.0]);
            for (name, vector) in optimizer.state().vectors {
                assert!(!vector[0].is_subnormal(), "{optimizer:?}: {name}");
            }
        }
        assert!(optimizer.state().vectors.values().all(|vector| vector[0] == 0.0));
    }
}

/// The same state, at rest.
fn emptied<F: Float>(mut state: State<F>) -> State<F> {
    state.vectors.values_mut().for_each(|vector| *vector = Array1::zeros(0));
    if let Some(steps) = state.numbers.get_mut("steps") {
        *steps = 0.0;
    }
    state
}

#[test]
fn betas_close_to_one_keep_their_digits_in_f32() {
    // In `f32` 1 − 1e-9 is 1: averages must still begin at the first gradient, not at 0 / 0.
    for beta in [0.999, 0.999_999, 1.0 - 1e-9] {
        let mut adam = Adam::new(0.5).unwrap().with_betas(beta, beta).unwrap();
        let mut params = array![1.0_f32, 1.0];
        adam.step(&mut params, &array![3.0, -0.2]);
        let error = (&params - &array![0.5, 1.5]).mapv(f32::abs).sum();
        assert!(error < 1e-6, "{beta}: {params}");
    }
}

#[test]
fn state_is_taken_and_restored_whole() {
    let mut rng = rng(81);
    let gradients: Vec<_> = (0..20).map(|_| normal(4, 1.0, &mut rng)).collect();
    for mut optimizer in all::<f64>() {
        let mut params = normal(4, 1.0, &mut rng);
        let fresh = optimizer.state();
        gradients[..7].iter().for_each(|g| optimizer.step(&mut params, g));
        assert_ne!(optimizer.state(), fresh);
        let registry = Registry::default();
        let mut restored = registry.optimizer(optimizer.name(), optimizer.state()).unwrap();
        assert_eq!((restored.name(), restored.state()), (optimizer.name(), optimizer.state()));
        let mut same = params.clone();
        for g in &gradients[7..] {
            optimizer.step(&mut params, g);
            restored.step(&mut same, g);
        }
        assert_eq!(params, same);
        assert_eq!(restored.state(), optimizer.state());
    }
}

fn network<F: Float>(optimizer: Box<dyn Optimizer<F>>) -> NeuralNetwork<F> {
    let output = Elementwise(Identity);
    let sizes = [3, 6, 2];
    NeuralNetwork::new(&sizes, Tanh, output, MeanSquaredError, optimizer, Init::LeCun, 5).unwrap()
}

#[test]
fn training_resumed_from_a_file_is_training_without_a_pause() {
    fn check<F: Float>() -> Result<()> {
        let mut rng = rng(82);
        let narrow = |z: f64| F::cast(z);
        let x = normal((23, 3), 1.0, &mut rng).mapv(narrow);
        let y = normal((23, 2), 1.0, &mut rng).mapv(narrow);
        let data = Samples::new(x, y)?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let fit = Fit { batch_size: 5, epochs: 6, ..Fit::default() };
        for (whole, half) in all::<F>().into_iter().zip(all::<F>()) {
            let (mut whole, mut half) = (network(whole), network(half));
            whole.fit(&data, &fit, None, &mut train::silent)?;
            // Broken off in the middle of an epoch.
            let mut batches = 0;
            half.fit(&data, &fit, None, &mut |_| {
                batches += 1;
                if batches == 14 {
                    std::ops::ControlFlow::Break(())
                } else {
                    std::ops::ControlFlow::Continue(())
                }
            })?;
            assert!(half.training().unwrap().batch > 0);
            half.save(&path)?;
            let mut half = NeuralNetwork::<F>::load(&path)?;
            half.resume(&data, 6, None, &mut train::silent)?;
            assert_eq!(half.to_document()?, whole.to_document()?);
        }
        Ok(())
    }
    check::<f32>().unwrap();
    check::<f64>().unwrap();
}

#[test]
#[should_panic(expected = "this optimizer has moved 1 parameters before, but the network has 2")]
fn the_number_of_parameters_cannot_change() {
    let mut adam = Adam::new(0.1).unwrap();
    adam.step(&mut array![1.0], &array![1.0]);
    adam.step(&mut array![1.0, 2.0], &array![1.0, 1.0]);
}

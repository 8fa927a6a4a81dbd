//! What each optimizer with a rate for every parameter does, and what may stand around any
//! optimizer: first steps by hand, what distinguishes them, and that a pause changes nothing.

mod common;

use common::*;
use gradus::{
    AdaGrad, Adam, AdamW, Clipped, Decayed, Elementwise, Error, Fit, Float, GradientDescent,
    Identity, Init, MeanSquaredError, Momentum, Network, NeuralNetwork, Optimizer, Part, Registry,
    Result, RmsProp, Samples, Schedule, Scheduled, State, Tanh, train,
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

/// Optimizers with something around them, at rest.
fn around<F: Float>() -> Vec<Box<dyn Optimizer<F>>> {
    let momentum = || Momentum::new(0.05, 0.8).unwrap();
    let scheduled = |schedule| Scheduled::new(momentum(), schedule).unwrap();
    let clipped = Clipped::new(momentum(), 0.5).unwrap();
    let decayed = Decayed::new(Adam::new(0.02).unwrap(), 0.1).unwrap();
    let twice = Clipped::new(Clipped::new(decayed, 0.4).unwrap(), 0.3).unwrap();
    vec![
        Box::new(scheduled(Schedule::Step { every: 4, factor: 0.5 })),
        Box::new(scheduled(Schedule::Cosine { steps: 31 })),
        Box::new(scheduled(Schedule::OneCycle { steps: 30, peak: 9 })),
        Box::new(clipped),
        Box::new(Scheduled::new(twice, Schedule::WarmUp { steps: 12 }).unwrap()),
    ]
}

#[test]
fn schedules_by_hand() {
    let check = |schedule: Schedule, expected: &[(usize, f64)]| {
        for &(done, expected) in expected {
            assert_close(schedule.factor(done), expected, 1e-15);
        }
    };
    let half = 0.5f64.sqrt();
    check(
        Schedule::Step { every: 3, factor: 0.5 },
        &[(0, 1.0), (2, 1.0), (3, 0.5), (5, 0.5), (6, 0.25)],
    );
    check(
        Schedule::Cosine { steps: 8 },
        &[(0, 1.0), (2, (1.0 + half) / 2.0), (4, 0.5), (8, 0.0), (9, 0.0), (16, 0.0)],
    );
    check(Schedule::WarmUp { steps: 4 }, &[(0, 0.25), (1, 0.5), (3, 1.0), (4, 1.0), (99, 1.0)]);
    check(
        Schedule::OneCycle { steps: 11, peak: 4 },
        &[(0, 0.04), (2, 0.52), (4, 1.0), (7, 0.500_002), (10, 4e-6), (11, 4e-6), (40, 4e-6)],
    );
}

#[test]
fn scheduled_steps_by_hand() {
    // The first step is half of v = −0.1 · 4; the second is whole, and of the whole velocity.
    let momentum = Momentum::new(0.1, 0.5).unwrap();
    let mut scheduled = Scheduled::new(momentum, Schedule::WarmUp { steps: 2 }).unwrap();
    assert_path(&mut scheduled, &[4.0, -1.0], &[0.8, 0.8 + 0.5 * -0.4 + 0.1]);
    let state = scheduled.state();
    assert_eq!((state.numbers["done"], state.numbers["steps"]), (2.0, 2.0));
    assert_close(state.vectors["inner.velocity"][0], -0.1, 1e-15);
    // AdamW's decay follows the schedule as its step does.
    let adamw = AdamW::new(0.5, 0.2).unwrap();
    let mut scheduled = Scheduled::new(adamw, Schedule::WarmUp { steps: 2 }).unwrap();
    assert_path(&mut scheduled, &[0.0, 0.0], &[0.95, 0.95 * 0.9]);
}

#[test]
fn clipped_and_decayed_steps_by_hand() {
    let descent = || GradientDescent::new(1.0).unwrap();
    // ‖(6, −8)‖ = 10 is cut to 5, ‖(3, 4)‖ = 5 is not.
    let mut clipped = Clipped::new(descent(), 5.0).unwrap();
    let mut params: Array1<f64> = array![1.0, 1.0];
    clipped.step(&mut params, &array![6.0, -8.0]);
    assert_all_close(&params, &array![-2.0, 5.0], 1e-15);
    clipped.step(&mut params, &array![3.0, 4.0]);
    assert_all_close(&params, &array![-5.0, 1.0], 1e-15);
    clipped.step(&mut params, &array![0.0, 0.0]);
    assert_all_close(&params, &array![-5.0, 1.0], 1e-15);

    let mut decayed = Decayed::new(descent(), 0.25).unwrap();
    let mut params: Array1<f64> = array![4.0, -8.0];
    decayed.step(&mut params, &array![1.0, 0.0]);
    assert_all_close(&params, &array![4.0 - 2.0, -6.0], 1e-15);

    // The outer one comes first: here the decay, 4 · 0.25, is not clipped, and there it is.
    let inside = Decayed::new(descent(), 0.25).unwrap();
    assert_path(&mut Clipped::new(inside, 0.5).unwrap(), &[-2.0], &[1.0 + 0.5 - 0.25]);
    let inside = Clipped::new(descent(), 0.5).unwrap();
    assert_path(&mut Decayed::new(inside, 0.25).unwrap(), &[-2.0], &[1.0 + 0.5]);
}

#[test]
fn a_norm_that_overflows_in_f32_is_clipped_all_the_same() {
    let mut clipped = Clipped::new(GradientDescent::new(1.0).unwrap(), 5.0).unwrap();
    let mut params = array![0.0_f32, 0.0];
    clipped.step(&mut params, &array![3e30, -4e30]);
    assert!((params[0] + 3.0).abs() < 1e-5 && (params[1] - 4.0).abs() < 1e-5, "{params}");
    // What is no number does not become one.
    clipped.step(&mut params, &array![f32::NAN, 1.0]);
    assert!(params[0].is_nan());
}

#[test]
fn what_stands_around_an_optimizer_is_found_by_its_words() {
    let names: Vec<_> = around::<f64>().iter().map(|o| o.name().to_owned()).collect();
    let expected = [
        "step momentum",
        "cosine momentum",
        "one_cycle momentum",
        "clipped momentum",
        "warm_up clipped clipped decayed adam",
    ];
    assert_eq!(names, expected);
    let registry = Registry::<f64>::default();
    let known = |name: &str| {
        let unknown = |e| matches!(e, Error::UnknownPart { .. });
        !registry.optimizer(name, State::default()).is_err_and(unknown)
    };
    assert!(names.iter().all(|name| known(name)));
    assert!(known(&format!("{}adam", "clipped ".repeat(8))));
    assert!(!known(&format!("{}adam", "clipped ".repeat(9))));
    assert!(!known(&"clipped ".repeat(1_000_000)));
    for name in ["clipped", "clipped ", " adam", "adam clipped", "Cosine adam", "cosine  adam"] {
        assert!(!known(name), "{name:?}");
    }
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
    for mut optimizer in all::<f64>().into_iter().chain(around()) {
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
        let all = || all::<F>().into_iter().chain(around());
        for (whole, half) in all().zip(all()) {
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

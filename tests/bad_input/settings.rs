//! Settings, sizes, labels, parameters and parts that are out of range.

use gradus::check::Check;
use gradus::{
    Activation, AdaGrad, Adam, AdamW, Bytes, Clipped, Decayed, Elementwise, Float, GradientDescent,
    LeakyRelu, Loss, MeanSquaredError, Momentum, MovingAverage, Nesterov, NeuralNetwork, Optimizer,
    Part, Registry, Relu, Result, RmsProp, Samples, Schedule, Scheduled, Sigmoid, Softmax,
    SparseCategoricalCrossEntropy, State, Subset, Tanh, layout, one_hot, toy,
};
use ndarray::{Array1, Array2, array};

use crate::{Table, classifier, network, samples};

#[test]
fn refuses_hyperparameters_out_of_range() {
    let mut t = Table::new();
    let slope = LeakyRelu::new;
    t.case("slope 1", "the slope must lie in [0, 1), but is 1", || slope(1.0));
    t.case("slope below 0", "the slope must lie in [0, 1), but is -0.01", || slope(-0.01));
    t.case("slope NaN", "the slope must lie in [0, 1), but is NaN", || slope(f64::NAN));

    let rate = "the learning rate must be positive and finite, but is";
    t.case("rate 0", &format!("{rate} 0"), || GradientDescent::new(0.0));
    t.case("rate below 0", &format!("{rate} -0.5"), || Momentum::<f32>::new(-0.5, 0.9));
    t.case("rate NaN", &format!("{rate} NaN"), || MovingAverage::<f32>::new(f64::NAN, 0.9));
    t.case("rate infinite", &format!("{rate} inf"), || Nesterov::<f32>::new(f64::INFINITY, 0.9));

    let momentum = "the momentum must lie in [0, 1), but is";
    t.case("momentum 1", &format!("{momentum} 1"), || Momentum::<f32>::new(0.1, 1.0));
    t.case("momentum below 0", &format!("{momentum} -0.1"), || Nesterov::<f32>::new(0.1, -0.1));
    t.case("momentum NaN", &format!("{momentum} NaN"), || MovingAverage::<f32>::new(0.1, f64::NAN));
    t.finish(10);
}

#[test]
fn refuses_settings_of_adaptive_optimizers_out_of_range() {
    let mut t = Table::new();
    let rate = "the learning rate must be positive and finite, but is";
    t.case("AdaGrad, rate", &format!("{rate} 0"), || AdaGrad::<f32>::new(0.0));
    t.case("RMSprop, rate", &format!("{rate} -1"), || RmsProp::<f32>::new(-1.0, 0.9));
    t.case("Adam, rate", &format!("{rate} NaN"), || Adam::<f32>::new(f64::NAN));
    t.case("AdamW, rate", &format!("{rate} inf"), || AdamW::<f32>::new(f64::INFINITY, 0.1));

    let beta = |name: &str, value: &str| format!("{name} must lie in [0, 1), but is {value}");
    t.case("RMSprop, beta 1", &beta("beta", "1"), || RmsProp::<f32>::new(0.1, 1.0));
    t.case("RMSprop, beta NaN", &beta("beta", "NaN"), || RmsProp::<f32>::new(0.1, f64::NAN));
    let adam = || Adam::<f64>::new(0.1).unwrap();
    t.case("beta1 below 0", &beta("beta1", "-0.1"), || adam().with_betas(-0.1, 0.9));
    t.case("beta2 of 1", &beta("beta2", "1"), || adam().with_betas(0.9, 1.0));

    let epsilon = "epsilon must be finite and at least 1e-12, but is";
    t.case("AdaGrad, epsilon 0", &format!("{epsilon} 0"), || {
        AdaGrad::<f64>::new(0.1)?.with_epsilon(0.0)
    });
    t.case("RMSprop, epsilon below 0", &format!("{epsilon} -0.5"), || {
        RmsProp::<f64>::new(0.1, 0.9)?.with_epsilon(-0.5)
    });
    t.case("Adam, epsilon NaN", &format!("{epsilon} NaN"), || adam().with_epsilon(f64::NAN));
    t.case("Adam, epsilon infinite", &format!("{epsilon} inf"), || {
        adam().with_epsilon(f64::INFINITY)
    });

    let decay = "the weight decay must be finite and at least 0, but is";
    t.case("decay below 0", &format!("{decay} -0.01"), || AdamW::<f32>::new(0.1, -0.01));
    t.case("decay NaN", &format!("{decay} NaN"), || adam().with_weight_decay(f64::NAN));
    t.case("decay infinite", &format!("{decay} inf"), || AdamW::<f32>::new(0.1, f64::INFINITY));
    t.finish(15);
}

#[test]
fn refuses_settings_of_schedules_and_clipping_out_of_range() {
    let mut t = Table::new();
    let momentum = || Momentum::<f64>::new(0.1, 0.9).unwrap();
    let norm = "the largest norm must be positive and finite, but is";
    t.case("norm 0", &format!("{norm} 0"), || Clipped::new(momentum(), 0.0));
    t.case("norm infinite", &format!("{norm} inf"), || Clipped::new(momentum(), f64::INFINITY));
    t.case("norm NaN", &format!("{norm} NaN"), || Clipped::new(momentum(), f64::NAN));
    let decay = "the weight decay must be finite and at least 0, but is";
    t.case("decay below 0", &format!("{decay} -1"), || Decayed::new(momentum(), -1.0));
    t.case("decay NaN", &format!("{decay} NaN"), || Decayed::new(momentum(), f64::NAN));

    let mut schedule = |name: &str, message: &str, schedule| {
        t.case(name, message, || Scheduled::new(momentum(), schedule));
    };
    let factor = "the factor of the schedule must lie in (0, 1], but is";
    for (value, said) in [(0.0, "0"), (1.5, "1.5"), (f64::NAN, "NaN")] {
        let step = Schedule::Step { every: 1, factor: value };
        schedule("factor", &format!("{factor} {said}"), step);
    }
    let message = "the number of steps at one rate must be at least 1, but is 0";
    schedule("every 0", message, Schedule::Step { every: 0, factor: 0.5 });
    let message = "the number of steps of the schedule must be at least 1, but is 0";
    schedule("cosine of 0", message, Schedule::Cosine { steps: 0 });
    schedule("warm-up of 0", message, Schedule::WarmUp { steps: 0 });
    let message = "the peak of the schedule must be at least 1, but is 0";
    schedule("peak 0", message, Schedule::OneCycle { steps: 10, peak: 0 });
    let range = "the number of steps of the schedule must be at least 2 more than its peak, but is";
    schedule("peak at the end", &format!("{range} 10"), Schedule::OneCycle { steps: 10, peak: 9 });
    let all = Schedule::OneCycle { steps: 10, peak: usize::MAX };
    schedule("peak far off", &format!("{range} 10"), all);

    let mut registry = Registry::<f64>::default();
    let state = || {
        let cosine = Schedule::Cosine { steps: 5 };
        Scheduled::new(Clipped::new(momentum(), 1.0).unwrap(), cosine).unwrap().state()
    };
    let name = "cosine clipped momentum";
    assert!(registry.optimizer(name, state()).is_ok());
    let mut restore = |case: &str, reason: &str, state: State<f64>| {
        let message = format!("the optimizer {name:?} cannot be restored: {reason}");
        t.case(case, &message, || registry.optimizer(name, state));
    };
    let count = "each number of steps in a schedule must be a whole number from 0 to 2^53, but is";
    for (value, said) in [(-1.0, "-1"), (0.5, "0.5"), (1e16, "10000000000000000")] {
        restore("done", &format!("{count} {said}"), state().with_number("done", value));
    }
    let message = "the number of steps of the schedule must be at least 1, but is 0";
    restore("steps", message, state().with_number("steps", 0.0));
    restore("norm", &format!("{norm} -2"), state().with_number("inner.max_norm", -2.0));
    let message = "the momentum must lie in [0, 1), but is 1";
    restore("momentum", message, state().with_number("inner.inner.momentum", 1.0));
    let too_much = |key: &str| format!("the state of this part must not hold {key:?}");
    restore("too much outside", &too_much("peak"), state().with_number("peak", 1.0));
    restore("too much inside", &too_much("done"), state().with_number("inner.inner.done", 1.0));
    let lacks = |key: &str| format!("the state of this part lacks {key:?}");
    for (key, inner) in [("done", "done"), ("inner.max_norm", "max_norm")] {
        let mut state = state();
        state.numbers.remove(key);
        restore("a number missing", &lacks(inner), state);
    }

    let message = "there is already a built-in or registered optimizer called \"clipped momentum\": \
                   choose another name";
    t.case("a name in words", message, || {
        registry.add_optimizer(|| {
            let momentum = Momentum::new(0.1, 0.9).unwrap();
            Box::new(Clipped::new(momentum, 1.0).unwrap())
        })
    });
    t.finish(25);
}

#[test]
fn refuses_states_of_adaptive_optimizers_that_cannot_be() {
    let mut t = Table::new();
    let registry = Registry::<f64>::default();
    let mut restore = |name: &str, part: &str, reason: &str, change: &dyn Fn(&mut State<f64>)| {
        let mut state = match part {
            "adagrad" => AdaGrad::new(0.1).unwrap().state(),
            "rmsprop" => RmsProp::new(0.1, 0.9).unwrap().state(),
            "adam" => Adam::new(0.1).unwrap().state(),
            _ => AdamW::new(0.1, 0.1).unwrap().state(),
        };
        assert!(registry.optimizer(part, state.clone()).is_ok());
        change(&mut state);
        let message = format!("the optimizer {part:?} cannot be restored: {reason}");
        t.case(name, &message, || registry.optimizer(part, state));
    };
    let lacks = |key: &str| format!("the state of this part lacks {key:?}");
    for part in ["adagrad", "rmsprop", "adam", "adamw"] {
        restore("no squares", part, &lacks("squares"), &|state| {
            state.vectors.remove("squares");
        });
        restore("no epsilon", part, &lacks("epsilon"), &|state| {
            state.numbers.remove("epsilon");
        });
        let negative = "each of the squares must be at least 0, but is -0.5";
        restore("a negative square", part, negative, &|state| {
            state.vectors.insert("squares".to_owned(), array![0.0, -0.5]);
        });
        let none = "each of the squares must be at least 0, but is NaN";
        restore("a square that is none", part, none, &|state| {
            state.vectors.insert("squares".to_owned(), array![f64::NAN]);
        });
        let rate = "the learning rate must be positive and finite, but is 0";
        restore("rate 0", part, rate, &|state| {
            state.numbers.insert("learning_rate".to_owned(), 0.0);
        });
        let epsilon = "epsilon must be finite and at least 1e-12, but is 0.0000000000001";
        restore("epsilon 1e-13", part, epsilon, &|state| {
            state.numbers.insert("epsilon".to_owned(), 1e-13);
        });
        restore("too much", part, "the state of this part must not hold \"momentum\"", &|state| {
            state.numbers.insert("momentum".to_owned(), 0.9);
        });
    }
    let beta = "beta must lie in [0, 1), but is 2";
    restore("beta 2", "rmsprop", beta, &|state| {
        state.numbers.insert("beta".to_owned(), 2.0);
    });
    for part in ["adam", "adamw"] {
        restore("no velocity", part, &lacks("velocity"), &|state| {
            state.vectors.remove("velocity");
        });
        restore("no steps", part, &lacks("steps"), &|state| {
            state.numbers.remove("steps");
        });
        let beta = "beta2 must lie in [0, 1), but is 1";
        restore("beta2 of 1", part, beta, &|state| {
            state.numbers.insert("beta2".to_owned(), 1.0);
        });
        let steps = "the number of steps must be a whole number, at least 0, but is";
        for (value, said) in [(-1.0, "-1"), (0.5, "0.5"), (f64::INFINITY, "inf")] {
            restore("steps", part, &format!("{steps} {said}"), &|state| {
                state.numbers.insert("steps".to_owned(), value);
            });
        }
    }
    let decay = "the weight decay must be finite and at least 0, but is -1";
    restore("decay -1", "adamw", decay, &|state| {
        state.numbers.insert("weight_decay".to_owned(), -1.0);
    });
    t.finish(42);
}

#[test]
fn refuses_sizes_and_parameters_that_do_not_fit() {
    let mut t = Table::new();
    let few = "the number of layer sizes must be at least 2, but is";
    t.case("no sizes", &format!("{few} 0"), || network(&[]));
    t.case("one size", &format!("{few} 1"), || network(&[3]));
    t.case("size 0", "each layer size must be at least 1, but is 0", || network(&[2, 0, 3]));
    let room = "the largest layer size must leave the parameters room in memory, but is";
    t.case("a product overflows", &format!("{room} 18446744073709552000"), || {
        network(&[usize::MAX, usize::MAX])
    });
    t.case("a sum overflows", &format!("{room} 18446744073709552000"), || {
        network(&[1, usize::MAX, 1])
    });
    t.case("1e18 weights", &format!("{room} 1000000000000000000"), || {
        network(&[1, 1_000_000_000_000_000_000])
    });

    let mut n = classifier();
    let before = n.params().clone();
    t.case("a parameter less", "the parameter vector must have shape [9], not [8]", || {
        n.set_params(&Array1::zeros(8))
    });
    for (name, value, said) in [("NaN", f64::NAN, "NaN"), ("infinite", f64::NEG_INFINITY, "-inf")] {
        let message =
            format!("the parameters, as one row, must be finite, but row 0, column 4 is {said}");
        t.case(&format!("a parameter {name}"), &message, || {
            let mut params = Array1::zeros(9);
            params[4] = value;
            n.set_params(&params)
        });
    }
    assert_eq!(n.params(), before, "refused parameters leave the old ones");

    t.case("restore too few", "the parameter vector must have shape [9], not [3]", || {
        layout::restore(&array![1.0, 2.0, 3.0], &[2, 3])
    });
    t.case("restore no layers", &format!("{few} 1"), || layout::restore(&array![1.0], &[2]));
    t.finish(11);
}

#[test]
fn refuses_an_optimizer_that_moved_another_network() {
    let mut t = Table::new();
    let message = "this optimizer has moved 2 parameters before, but the network has 9: \
                   use a new optimizer for another network";
    fn used<O: Optimizer<f64> + 'static>(mut optimizer: O) -> Result<NeuralNetwork<f64>> {
        optimizer.step(&mut array![1.0, 2.0], &array![0.5, 0.5]);
        let (loss, init) = (MeanSquaredError, gradus::Init::He);
        NeuralNetwork::new(&[2, 3], Tanh, Softmax, loss, optimizer, init, 1)
    }
    t.case("momentum", message, || used(Momentum::new(0.1, 0.9)?));
    t.case("moving average", message, || used(MovingAverage::new(0.1, 0.9)?));
    t.case("Nesterov", message, || used(Nesterov::new(0.1, 0.9)?));
    t.case("AdaGrad", message, || used(AdaGrad::new(0.1)?));
    t.case("RMSprop", message, || used(RmsProp::new(0.1, 0.9)?));
    t.case("Adam", message, || used(Adam::new(0.1)?));
    t.case("AdamW", message, || used(AdamW::new(0.1, 0.1)?));
    t.case("clipped", message, || used(Clipped::new(Momentum::new(0.1, 0.9)?, 1.0)?));
    t.case("scheduled", message, || {
        used(Scheduled::new(Momentum::new(0.1, 0.9)?, Schedule::Cosine { steps: 3 })?)
    });
    // What stands around an optimizer looks at it, too.
    fn fits(optimizer: impl Optimizer<f64> + 'static) -> Result<NeuralNetwork<f64>> {
        NeuralNetwork::new(&[2, 3], Tanh, Softmax, MeanSquaredError, optimizer, gradus::Init::He, 1)
    }
    let moved = || -> Result<Momentum<f64>> {
        let mut momentum = Momentum::new(0.1, 0.9)?;
        momentum.step(&mut array![1.0, 2.0], &array![0.5, 0.5]);
        Ok(momentum)
    };
    t.case("clipped around", message, || fits(Clipped::new(moved()?, 1.0)?));
    t.case("decayed around", message, || fits(Decayed::new(moved()?, 0.1)?));
    let cosine = Schedule::Cosine { steps: 3 };
    t.case("scheduled around", message, || fits(Scheduled::new(moved()?, cosine)?));
    t.case("Adam, two lengths", message, || {
        let mut adam = Adam::<f64>::new(0.1)?;
        let mut state = adam.state();
        state.vectors.insert("velocity".to_owned(), Array1::zeros(9));
        state.vectors.insert("squares".to_owned(), Array1::zeros(2));
        adam.restore(state)?;
        fits(adam)
    });
    assert!(used(GradientDescent::new(0.1).unwrap()).is_ok(), "it has nothing to remember");
    t.finish(13);
}

#[test]
fn refuses_labels_and_samples_that_cannot_be() {
    let mut t = Table::new();
    let label = "labels must be whole numbers from 0 to 2, but row 1 is 3";
    t.case("one-hot label", label, || one_hot::<f32>(&[0, 3, 7], 3));
    let classes = "the number of classes must be at least 1, but is 0";
    t.case("one-hot without classes", classes, || one_hot::<f32>(&[0], 0));
    let room = "the number of classes must leave room in memory, but is 18446744073709552000";
    t.case("one-hot, all classes", room, || one_hot::<f32>(&[0], usize::MAX));
    t.case("one-hot, all classes, no label", room, || one_hot::<f32>(&[], usize::MAX));
    // The loss is a public trait: the message itself must not fail.
    let none = "labels must be whole numbers from 0 to 0, but row 0 is 0";
    t.case("a label of no classes", none, || {
        SparseCategoricalCrossEntropy.check_targets(&array![[0.0]], 0)
    });

    let bytes =
        |labels: Vec<u8>, scale, classes| Bytes::new(Array2::zeros((2, 3)), labels, scale, classes);
    t.case("bytes, label", label, || bytes(vec![2, 3], 1.0, 3));
    let rows = "the labels must have shape [2], not [3]";
    t.case("bytes, one label more", rows, || bytes(vec![0, 1, 2], 1.0, 3));
    t.case("bytes, scale NaN", "the scale must be finite, but is NaN", || {
        bytes(vec![0, 1], f64::NAN, 3)
    });
    t.case("bytes, scale infinite", "the scale must be finite, but is -inf", || {
        bytes(vec![0, 1], f64::NEG_INFINITY, 3)
    });
    let classes = "the number of classes must lie in 1 to 256, but is";
    t.case("bytes, no classes", &format!("{classes} 0"), || bytes(vec![0, 1], 1.0, 0));
    t.case("bytes, 257 classes", &format!("{classes} 257"), || bytes(vec![0, 1], 1.0, 257));
    t.case("bytes, all classes", &format!("{classes} 18446744073709552000"), || {
        bytes(vec![0, 1], 1.0, usize::MAX)
    });

    let data = samples();
    let outside = "there is no sample 4: there are 4, counted from 0";
    t.case("subset", outside, || Subset::new(&data, [3, 4, 9]).map(drop));
    t.case("subset without end", outside, || Subset::new(&data, 0..usize::MAX).map(drop));
    let outside = "there is no sample 0: there are 0, counted from 0";
    t.case("subset of nothing", outside, || {
        let nothing = Subset::new(&data, [])?;
        Subset::new(&nothing, [0]).map(drop)
    });
    let rows = "the targets must have shape [3, 1], not [2, 1]";
    t.case("a target less", rows, || {
        Samples::<f64>::new(Array2::zeros((3, 2)), Array2::zeros((2, 1)))
    });

    let none = "the number of samples must be at least 1, but is 0";
    t.case("no moons", none, || toy::moons::<f32>(0, 0.1, 1));
    t.case("no spirals", none, || toy::spirals::<f32>(0, 3, 0.1, 1));
    t.case("no sine", none, || toy::sine::<f32>(0, 0.1, 1));
    let noise = "the noise must be finite and at least 0, but is";
    t.case("moons, noise", &format!("{noise} -0.1"), || toy::moons::<f32>(4, -0.1, 1));
    t.case("spirals, noise", &format!("{noise} NaN"), || toy::spirals::<f32>(4, 2, f64::NAN, 1));
    t.case("sine, noise", &format!("{noise} inf"), || toy::sine::<f32>(4, f64::INFINITY, 1));
    let classes = "the number of classes must be at least 1, but is 0";
    t.case("spirals without arms", classes, || toy::spirals::<f32>(4, 0, 0.1, 1));
    t.case("spirals of all arms", room, || toy::spirals::<f32>(4, usize::MAX, 0.1, 1));
    let room = "the number of samples must leave room in memory, but is 18446744073709552000";
    t.case("all moons", room, || toy::moons::<f32>(usize::MAX, 0.1, 1));
    t.case("all spirals", room, || toy::spirals::<f32>(usize::MAX, 2, 0.1, 1));
    t.case("all of a sine", room, || toy::sine::<f32>(usize::MAX, 0.1, 1));
    t.finish(27);
}

#[test]
fn refuses_gradient_checks_of_nothing() {
    let mut t = Table::new();
    let check = Check::default();
    let mut rng = gradus::random::Random::new(1, 0).generator();
    let empty = "the point at which a gradient is checked must not be empty";
    t.case("no coordinate", empty, || {
        check.gradient(|_| 0.0, &Array1::zeros(0), &Array1::zeros(0))
    });
    t.case("another length", "the gradient must have shape [2], not [3]", || {
        check.gradient(|_| 0.0, &Array1::zeros(2), &Array1::zeros(3))
    });
    t.case("no direction", "the list of directions must not be empty", || {
        check.directions(|_| 0.0, &Array1::zeros(2), &Array1::zeros(2), 0, &mut rng)
    });
    t.finish(3);
}

/// An activation with a name of its own choice.
#[derive(Debug)]
struct Named(&'static str);

impl<F: Float> Part<F> for Named {
    fn name(&self) -> &str {
        self.0
    }
}

impl<F: Float> Activation<F> for Named {
    fn value(&self, z: F) -> F {
        z
    }

    fn derivative(&self, _: F) -> F {
        F::one()
    }
}

#[test]
fn refuses_part_names_that_are_taken_or_unknown() {
    let mut t = Table::new();
    let mut registry = Registry::<f64>::default();
    let taken = |kind: &str, name: &str| {
        format!(
            "there is already a built-in or registered {kind} called {name:?}: choose another name"
        )
    };
    t.case("activation", &taken("hidden activation", "relu"), || {
        registry.add_activation(|| Box::new(Relu))
    });
    t.case("output", &taken("output activation", "softmax"), || {
        registry.add_output(|| Box::new(Softmax))
    });
    t.case("loss", &taken("loss", "mean_squared_error"), || {
        registry.add_loss(|| Box::new(MeanSquaredError))
    });
    t.case("optimizer", &taken("optimizer", "gradient_descent"), || {
        registry.add_optimizer(|| Box::new(GradientDescent::new(1.0).unwrap()))
    });
    // Either kind can be the output of a network: one name must not mean two things there.
    t.case("an output with an activation's name", &taken("hidden activation", "sigmoid"), || {
        registry.add_output(|| Box::new(Elementwise(Sigmoid)))
    });
    t.case("an activation with an output's name", &taken("output activation", "softmax"), || {
        registry.add_activation(|| Box::new(Named("softmax")))
    });
    registry.add_activation(|| Box::new(Named("mine"))).unwrap();
    t.case("registered twice", &taken("hidden activation", "mine"), || {
        registry.add_activation(|| Box::new(Named("mine")))
    });

    let none = State::default;
    let known = "gelu, identity, leaky_relu, mine, relu, sigmoid, softplus, tanh";
    let message = format!("no hidden activation is called \"Relu\"; known are {known}");
    t.case("unknown activation", &message, || registry.activation("Relu", none()));
    let message = format!("no output activation is called \"\"; known are softmax, {known}");
    t.case("unknown output", &message, || registry.output("", none()));
    let message = "no loss is called \"mse\"; known are binary_cross_entropy, \
                   categorical_cross_entropy, mean_squared_error, sparse_categorical_cross_entropy";
    t.case("unknown loss", message, || registry.loss("mse", none()));
    let message = "no optimizer is called \"sgd\"; known are adagrad, adam, adamw, \
                   gradient_descent, momentum, moving_average, nesterov, rmsprop";
    t.case("unknown optimizer", message, || registry.optimizer("sgd", none()));

    let state = |part: &str, problem: &str, key: &str| {
        format!("the {part} cannot be restored: the state of this part {problem} {key:?}")
    };
    let message = state("hidden activation \"leaky_relu\"", "lacks", "slope");
    t.case("a number missing", &message, || registry.activation("leaky_relu", none()));
    let message = state("output activation \"softmax\"", "must not hold", "heat");
    t.case("a number too much", &message, || {
        registry.output("softmax", none().with_number("heat", 2.0))
    });
    let message = state("loss \"mean_squared_error\"", "must not hold", "w");
    t.case("a vector too much", &message, || {
        registry.loss("mean_squared_error", none().with_vector("w", array![1.0]))
    });
    let message = state("optimizer \"momentum\"", "lacks", "velocity");
    t.case("a vector missing", &message, || {
        let numbers = none().with_number("learning_rate", 0.1).with_number("momentum", 0.9);
        registry.optimizer("momentum", numbers)
    });
    t.finish(15);
}

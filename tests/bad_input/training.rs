//! Trainings that cannot begin, cannot go on, or leave the finite numbers.

use std::ops::ControlFlow;

use gradus::{
    Elementwise, Event, Fit, GradientDescent, Identity, Init, MeanSquaredError, Network,
    NeuralNetwork, Registry, Relu, Result, Samples, Training, toy, train,
};
use ndarray::{Array1, Array2, array};

use crate::{Table, classifier, network, samples};

#[test]
fn refuses_settings_of_a_training() {
    let mut t = Table::new();
    let fit = |change: fn(&mut Fit)| {
        let mut fit = Fit::default();
        change(&mut fit);
        classifier().fit(&samples(), &fit, None, &mut train::silent)
    };
    t.case("batch size 0", "the batch size must be at least 1, but is 0", || {
        fit(|fit| fit.batch_size = 0)
    });
    t.case("no epochs", "the number of epochs must be at least 1, but is 0", || {
        fit(|fit| fit.epochs = 0)
    });
    let threads = "the number of threads must lie in 1 to 64, but is";
    t.case("no threads", &format!("{threads} 0"), || fit(|fit| fit.threads = 0));
    t.case("65 threads", &format!("{threads} 65"), || fit(|fit| fit.threads = 65));
    t.case("all threads", &format!("{threads} 18446744073709552000"), || {
        fit(|fit| fit.threads = usize::MAX)
    });
    t.case("patience 0", "the patience must be at least 1, but is 0", || {
        fit(|fit| fit.patience = Some(0))
    });
    let alone = "the patience must come with validation data, or be None, but is 3";
    t.case("patience alone", alone, || fit(|fit| fit.patience = Some(3)));

    // The loop is public, and takes a training that anyone can write.
    let run = |change: fn(&mut Training)| {
        let mut training = Training::new(Fit { batch_size: 2, ..Fit::default() }, 4);
        change(&mut training);
        train::run(&mut classifier(), &samples(), None, &mut training, &mut train::silent)
    };
    t.case(
        "batch 3 of 2",
        "the number of batches done must be at most that of an epoch, but is 3",
        || run(|training| training.batch = 3),
    );
    let epochs = "the number of epochs done must be that of the losses in the history, but is";
    t.case("epochs without a history", &format!("{epochs} 2"), || {
        run(|training| training.epoch = 2)
    });
    t.case("a history without epochs", &format!("{epochs} 0"), || {
        run(|training| training.history.loss = vec![0.5])
    });
    t.case(
        "validation losses without epochs",
        "the number of validation losses must be at most that of epochs, but is 1",
        || run(|training| training.history.validation_loss = vec![0.5]),
    );
    t.case(
        "accuracies without losses",
        "the number of validation accuracies must be at most that of losses, but is 2",
        || run(|training| training.history.validation_accuracy = vec![0.5, 0.6]),
    );
    t.case("a sum that is NaN", "the sum of losses must be finite, but is NaN", || {
        run(|training| training.loss_sum = f64::NAN)
    });
    t.case("no batch size", "the batch size must be at least 1, but is 0", || {
        run(|training| training.fit.batch_size = 0)
    });
    assert_eq!(Training::new(Fit { batch_size: 0, ..Fit::default() }, 4).batches(), 4);
    t.finish(14);
}

#[test]
fn refuses_to_resume_what_does_not_fit() {
    let mut t = Table::new();
    let nothing = "there is no training to resume: call `fit` first";
    t.case("no training", nothing, || classifier().resume(&samples(), 5, None, &mut train::silent));

    let fit = Fit { batch_size: 2, epochs: 3, ..Fit::default() };
    let trained = || {
        let mut network = classifier();
        network.fit(&samples(), &fit, None, &mut train::silent).map(|_| network)
    };
    let more = Samples::new(Array2::zeros((5, 2)), Array2::from_elem((5, 3), 1.0 / 3.0)).unwrap();
    let count = "this training began with 4 samples and cannot go on with 5";
    t.case("a sample more", count, || trained()?.resume(&more, 5, None, &mut train::silent));
    t.case("no epochs", "the number of epochs must be at least 1, but is 0", || {
        trained()?.resume(&samples(), 0, None, &mut train::silent)
    });
    t.case("another problem", "a batch of inputs must have shape [4, 2], not [4, 1]", || {
        let y = samples().y().clone();
        trained()?.resume(&Samples::new(Array2::zeros((4, 1)), y)?, 5, None, &mut train::silent)
    });
    t.case(
        "patience alone",
        "the patience must come with validation data, or be None, but is 9",
        || {
            let (mut network, data) = (classifier(), samples());
            let fit = Fit { patience: Some(9), ..fit.clone() };
            network.fit(&data, &fit, Some(&data), &mut train::silent)?;
            network.resume(&data, 5, None, &mut train::silent)
        },
    );
    t.finish(5);
}

#[test]
fn a_refused_call_leaves_the_network_as_it_was() {
    let mut network = classifier();
    let (data, fit) = (samples(), Fit { batch_size: 2, epochs: 3, ..Fit::default() });
    network.fit(&data, &fit, None, &mut train::silent).unwrap();
    let before = network.to_document().unwrap();
    let nothing = Samples::new(Array2::zeros((0, 2)), Array2::zeros((0, 3))).unwrap();
    let bad = Fit { threads: 0, ..Fit::default() };
    assert!(network.resume(&data, 0, None, &mut train::silent).is_err());
    assert!(network.resume(&nothing, 9, None, &mut train::silent).is_err());
    assert!(network.fit(&nothing, &fit, None, &mut train::silent).is_err());
    assert!(network.fit(&data, &bad, None, &mut train::silent).is_err());
    assert!(network.fit(&data, &fit, Some(&nothing), &mut train::silent).is_err());
    assert_eq!(network.to_document().unwrap(), before);
}

/// ŷ = w x + b with gradient descent: x = 1, y = 0 and w = b = 1 make every number exact.
fn line(rate: f64) -> Result<NeuralNetwork<f64>> {
    let optimizer = GradientDescent::new(rate)?;
    let (output, loss) = (Elementwise(Identity), MeanSquaredError);
    let mut network = NeuralNetwork::new(&[1, 1], Relu, output, loss, optimizer, Init::He, 1)?;
    network.set_params(&array![1.0, 1.0])?;
    Ok(network)
}

#[test]
fn names_the_place_where_training_diverges() {
    let mut t = Table::new();
    let hint = "try a smaller learning rate, or inputs scaled to about 1";
    let one = |x: f64, y: f64| Samples::new(array![[x]], array![[y]]).unwrap();
    let fit = Fit { batch_size: 1, epochs: 100, ..Fit::default() };

    // Each step multiplies ŷ by 1 − 4 · 10⁶: its square overflows at the 25th.
    let message = format!("the loss became inf in epoch 25, batch 1: {hint}");
    t.case("learning rate 1e6", &message, || {
        line(1e6)?.fit(&one(1.0, 0.0), &fit, None, &mut train::silent)
    });
    let two = Samples::new(array![[1.0], [1.0]], array![[0.0], [0.0]]).unwrap();
    let message = format!("the loss became inf in epoch 13, batch 1: {hint}");
    t.case("two batches an epoch", &message, || {
        line(1e6)?.fit(&two, &fit, None, &mut train::silent)
    });
    let message = format!("the loss became inf in epoch 1, batch 1: {hint}");
    t.case("a huge input", &message, || {
        line(0.1)?.fit(&one(1e308, 0.0), &fit, None, &mut train::silent)
    });
    t.case("a huge target", &message, || {
        line(0.1)?.fit(&one(1.0, -1e308), &fit, None, &mut train::silent)
    });
    // ∞ − ∞ within the product.
    let message = format!("the loss became NaN in epoch 1, batch 1: {hint}");
    t.case("huge inputs that cancel", &message, || {
        let mut network = network(&[2, 3])?;
        network.set_params(&Array1::from_elem(9, 1e3))?;
        let source = Samples::new(array![[1e308, -1e308]], array![[1.0, 0.0, 0.0]])?;
        network.fit(&source, &fit, None, &mut train::silent)
    });
    // Each loss is finite, and their sum is not: the history could not hold their mean.
    let message = format!("the loss became inf in epoch 1, batch 2: {hint}");
    t.case("a sum of losses", &message, || {
        let y = array![[1.2e154], [1.2e154]];
        let source = Samples::new(array![[1.0], [1.0]], y)?;
        line(1e-300)?.fit(&source, &fit, None, &mut train::silent)
    });
    let message = format!("a parameter became NaN in epoch 1, batch 1: {hint}");
    t.case("the last step of an epoch", &message, || {
        line(1e300)?.fit(&one(1e10, 0.0), &fit, None, &mut train::silent)
    });
    let message = format!("the validation loss became inf in epoch 1, batch 1: {hint}");
    t.case("validation", &message, || {
        let validation = one(1e300, 0.0);
        line(0.1)?.fit(&one(1.0, 0.0), &fit, Some(&validation), &mut train::silent)
    });
    t.case(
        "a learning rate beyond f32",
        &format!("a parameter became NaN in epoch 1, batch 1: {hint}"),
        || {
            let optimizer = GradientDescent::new(1e300)?;
            let (output, loss) = (Elementwise(Identity), MeanSquaredError);
            let mut network =
                NeuralNetwork::<f32>::new(&[2, 1], Relu, output, loss, optimizer, Init::He, 1)?;
            network.fit(&toy::xor(), &Fit { epochs: 3, ..Fit::default() }, None, &mut train::silent)
        },
    );
    t.finish(9);
}

#[test]
fn a_training_may_ask_for_more_than_there_is() {
    let data = samples();
    // A batch larger than the data is the whole data.
    let whole = |batch_size| {
        let mut network = classifier();
        let fit = Fit { batch_size, epochs: 3, ..Fit::default() };
        network.fit(&data, &fit, None, &mut train::silent).unwrap();
        network.params().clone()
    };
    assert_eq!(whole(4), whole(usize::MAX));

    // More threads than samples: most have nothing to do.
    let threads = |threads| {
        let mut network = network(&[2, 9, 3]).unwrap();
        let fit = Fit { batch_size: 3, epochs: 3, threads, ..Fit::default() };
        network.fit(&data, &fit, None, &mut train::silent).unwrap();
        network.params().clone()
    };
    let difference = threads(1) - threads(64);
    assert!(difference.iter().all(|d| d.abs() < 1e-12), "{difference}");

    // Epochs without end, and an observer that ends them: within an epoch, and between two.
    for (stop, place) in [(5, (1, 2)), (6, (2, 0))] {
        let mut network = classifier();
        let endless = Fit { batch_size: 2, epochs: usize::MAX, seed: u64::MAX, ..Fit::default() };
        network.fit(&data, &endless, None, &mut after(stop)).unwrap();
        let training = network.training().unwrap();
        assert_eq!((training.epoch, training.batch), place);

        // Fewer epochs than are done: there is nothing to do, and nothing changes.
        let before = network.params().clone();
        let history = network.resume(&data, 1, None, &mut train::silent).unwrap();
        assert_eq!((history.loss.len(), network.params()), (place.0, &before));
        // It is a whole training all the same, and its end can be put off again.
        let document = network.to_document().unwrap();
        let mut loaded = NeuralNetwork::from_document(document, &Registry::default()).unwrap();
        assert_eq!(loaded.resume(&data, 4, None, &mut train::silent).unwrap().loss.len(), 4);

        let patient = Fit { patience: Some(usize::MAX), ..endless };
        network.fit(&data, &patient, Some(&data), &mut after(stop)).unwrap();
    }
}

/// Breaks a training off after so many events.
fn after(events: usize) -> impl FnMut(Event) -> ControlFlow<()> {
    let mut seen = 0;
    move |_| {
        seen += 1;
        if seen == events { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

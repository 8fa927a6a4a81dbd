//! Whole files, with the checksum that fits, of models that cannot be.

use std::ops::ControlFlow;
use std::path::Path;

use gradus::persist::Document;
use gradus::{Fit, Network, NeuralNetwork, Registry, Result};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

use crate::{Table, classifier, samples};

/// A classifier at the end of its second epoch's first batch.
pub fn trained() -> NeuralNetwork<f64> {
    let (mut network, data) = (classifier(), samples());
    let mut events = 0;
    let mut stop = |_: gradus::Event| {
        events += 1;
        if events == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let fit = Fit { batch_size: 2, epochs: 3, ..Fit::default() };
    network.fit(&data, &fit, Some(&data), &mut stop).unwrap();
    let training = network.training().unwrap();
    assert_eq!((training.epoch, training.batch), (1, 1));
    network
}

/// What a file says whose metadata are wrong for this reason.
pub fn unreadable(reason: &str) -> String {
    format!("FOLDER/file has metadata that cannot be read: {reason}")
}

pub fn load(path: &Path) -> Result<NeuralNetwork<f64>> {
    NeuralNetwork::load(path)
}

/// Models that are whole files, and say something impossible.
#[test]
fn refuses_models_that_cannot_be() {
    let mut t = Table::new();
    let path = t.path("file");
    let mut change = |name: &str, message: &str, change: &dyn Fn(&mut Document<f64>)| {
        t.case(name, message, || {
            let mut document = trained().to_document()?;
            change(&mut document);
            document.save(&path)?;
            load(&path)
        });
    };
    let mut says = |name: &str, message: &str, at: &str, value: Value| {
        change(name, message, &|document| {
            *document.description.pointer_mut(at).expect("it is there to be changed") =
                value.clone();
        });
    };

    let no = unreadable;
    says(
        "another model",
        &no("a \"forest\" is not a \"neural_network\""),
        "/model",
        json!("forest"),
    );
    says("no description", &no("invalid type: null, expected struct Description"), "", Value::Null);
    let known = "gelu, identity, leaky_relu, relu, sigmoid, softplus, tanh";
    let unknown = format!("no hidden activation is called \"swish\"; known are {known}");
    says("unknown activation", &unknown, "/hidden/name", json!("swish"));
    let unknown = format!("no output activation is called \"argmax\"; known are softmax, {known}");
    says("unknown output", &unknown, "/output/name", json!("argmax"));
    let losses = "binary_cross_entropy, categorical_cross_entropy, mean_squared_error, \
                  sparse_categorical_cross_entropy";
    let unknown = format!("no loss is called \"hinge\"; known are {losses}");
    says("unknown loss", &unknown, "/loss/name", json!("hinge"));
    let unknown = "no optimizer is called \"sgd\"; known are adagrad, adam, adamw, \
                   gradient_descent, momentum, moving_average, nesterov, rmsprop";
    says("unknown optimizer", unknown, "/optimizer/name", json!("sgd"));

    let part = |kind: &str, reason: &str| format!("the {kind} cannot be restored: {reason}");
    let optimizer = |reason: &str| part("optimizer \"momentum\"", reason);
    let message = optimizer("the learning rate must be positive and finite, but is -1");
    says("rate -1", &message, "/optimizer/numbers/learning_rate", json!(-1));
    let message = optimizer("the momentum must lie in [0, 1), but is 1");
    says("momentum 1", &message, "/optimizer/numbers/momentum", json!(1.0));
    let message = no("invalid type: null, expected f64");
    says("momentum null", &message, "/optimizer/numbers/momentum", Value::Null);
    let message = optimizer("the state of this part lacks \"learning_rate\"");
    says("numbers missing", &message, "/optimizer/numbers", json!({"momentum": 0.5}));
    let message =
        part("hidden activation \"tanh\"", "the state of this part must not hold \"slope\"");
    says("a number too much", &message, "/hidden/numbers", json!({"slope": 0.5}));
    let message =
        part("hidden activation \"leaky_relu\"", "the slope must lie in [0, 1), but is 2");
    let leaky = json!({"name": "leaky_relu", "numbers": {"slope": 2}});
    says("slope 2", &message, "/hidden", leaky);
    // The velocity of momentum is a vector that gradient descent does not know.
    let message =
        part("optimizer \"gradient_descent\"", "the state of this part must not hold \"velocity\"");
    let descent = json!({"name": "gradient_descent", "numbers": {"learning_rate": 0.1}});
    says("a vector too much", &message, "/optimizer", descent);

    let unusable = |reason: &str| format!("FOLDER/file cannot be used: {reason}");
    let message = unusable("each layer size must be at least 1, but is 0");
    says("size 0", &message, "/sizes", json!([2, 0, 3]));
    let message = unusable("the number of layer sizes must be at least 2, but is 1");
    says("one size", &message, "/sizes", json!([2]));
    let room = "the largest layer size must leave the parameters room in memory, but is";
    let message = unusable(&format!("{room} 1000000000000000000"));
    says("size 1e18", &message, "/sizes", json!([2, 1_000_000_000_000_000_000_u64]));
    says("size -1", &no("invalid value: integer `-1`, expected usize"), "/sizes/0", json!(-1));
    let shape = "FOLDER/file has a tensor \"weights.0\" of shape [2, 3], not";
    says("another size", &format!("{shape} [3, 3]"), "/sizes/0", json!(3));
    says("a huge size", &format!("{shape} [2, 1000000000]"), "/sizes/1", json!(1_000_000_000));
    let message = "FOLDER/file lacks the tensor \"weights.1\"";
    says("a layer more", message, "/sizes", json!([2, 3, 3]));

    let message = unusable("the batch size must be at least 1, but is 0");
    says("batch size 0", &message, "/training/fit/batch_size", json!(0));
    let message = unusable("the number of epochs must be at least 1, but is 0");
    says("no epochs", &message, "/training/fit/epochs", json!(0));
    let message = unusable("the number of threads must lie in 1 to 64, but is 65");
    says("65 threads", &message, "/training/fit/threads", json!(65));
    let message = unusable("the patience must be at least 1, but is 0");
    says("patience 0", &message, "/training/fit/patience", json!(0));
    let message = unusable("the number of batches done must be at most that of an epoch, but is 3");
    says("batch 3 of 2", &message, "/training/batch", json!(3));
    let epochs = "the number of epochs done must be that of the losses in the history, but is";
    says("epoch 2 of 1", &unusable(&format!("{epochs} 2")), "/training/epoch", json!(2));
    let message = unusable(&format!("{epochs} 1"));
    says("no history", &message, "/training/history/loss", json!([]));
    let message =
        unusable("the number of validation losses must be at most that of epochs, but is 2");
    says("two validation losses", &message, "/training/history/validation_loss", json!([0.5, 0.4]));
    let message =
        unusable("the number of validation accuracies must be at most that of losses, but is 1");
    says("no validation losses", &message, "/training/history/validation_loss", json!([]));
    let message = no("invalid type: floating point `0.5`, expected u64");
    says("position 0.5", &message, "/training/random/position", json!(0.5));
    let message = no("invalid type: null, expected f64");
    says("a loss that was no number", &message, "/training/history/loss/0", Value::Null);
    let message = no("invalid type: string \"no\", expected struct Training");
    says("no training", &message, "/training", json!("no"));

    change(
        "an unknown entry",
        &no("unknown field `licence`, expected one of `model`, `sizes`, \
        `composed`, `hidden`, `output`, `loss`, `optimizer`, `training`"),
        &|document| {
            document.description["licence"] = json!("MIT");
        },
    );
    change("a missing entry", &no("missing field `composed`"), &|document| {
        document.description.as_object_mut().unwrap().remove("composed");
    });
    change("a missing tensor", "FOLDER/file lacks the tensor \"biases.0\"", &|document| {
        document.tensors.remove("biases.0");
    });
    change("a tensor too much", &no("the tensor \"weights.7\" belongs to nothing"), &|document| {
        document.tensors.insert("weights.7".into(), ArrayD::zeros(IxDyn(&[1])));
    });
    change(
        "a transposed tensor",
        "FOLDER/file has a tensor \"weights.0\" of shape [3, 2], not [2, 3]",
        &|document| {
            let transposed = document.tensors["weights.0"].t().to_owned();
            document.tensors.insert("weights.0".into(), transposed);
        },
    );
    change(
        "a flat tensor",
        "FOLDER/file has a tensor \"weights.0\" of shape [6], not [2, 3]",
        &|document| {
            document.tensors.insert("weights.0".into(), ArrayD::zeros(IxDyn(&[6])));
        },
    );
    let finite = "the parameters, as one row, must be finite, but row 0, column";
    change("a weight that is NaN", &unusable(&format!("{finite} 4 is NaN")), &|document| {
        document.tensors.get_mut("weights.0").unwrap()[[1, 1]] = f64::NAN;
    });
    change("an infinite bias", &unusable(&format!("{finite} 8 is -inf")), &|document| {
        document.tensors.get_mut("biases.0").unwrap()[2] = f64::NEG_INFINITY;
    });
    change("no velocity", &optimizer("the state of this part lacks \"velocity\""), &|document| {
        document.tensors.remove("optimizer.velocity");
    });
    let message = unusable(
        "this optimizer has moved 4 parameters before, but the network has 9: \
         use a new optimizer for another network",
    );
    change("a short velocity", &message, &|document| {
        document.tensors.insert("optimizer.velocity".into(), ArrayD::zeros(IxDyn(&[4])));
    });
    t.finish(42);
}

/// A document without a file is refused in the same words.
#[test]
fn refuses_documents_that_are_no_networks() {
    let mut t = Table::new();
    let mut document = |name: &str, message: &str, change: &dyn Fn(&mut Document<f64>)| {
        t.case(name, message, || {
            let mut document = trained().to_document()?;
            change(&mut document);
            NeuralNetwork::from_document(document, &Registry::default())
        });
    };
    document("a missing tensor", "the document lacks the tensor \"biases.0\"", &|document| {
        document.tensors.clear();
        document.tensors.insert("weights.0".into(), ArrayD::zeros(IxDyn(&[2, 3])));
    });
    let message = "the document has metadata that cannot be read: missing field `model`";
    document("an empty description", message, &|document| document.description = json!({}));
    t.finish(2);
}

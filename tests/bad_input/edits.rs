//! Every entry of a saved model's description, replaced by everything that JSON knows.
//!
//! A table has the cases that somebody thought of. This has the others: each edit is refused,
//! or gives a network that can be used, resumed and saved.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gradus::persist::Document;
use gradus::{Network, NeuralNetwork, Registry, train};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

use crate::models::trained;
use crate::samples;

/// The JSON pointers of a value and of everything in it.
fn pointers(value: &Value, here: String, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| pointers(v, format!("{here}/{k}"), all)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| pointers(v, format!("{here}/{i}"), all));
        }
        _ => {}
    }
    all.push(here);
}

/// Uses a network, if the document makes one. Whether it does.
fn is_usable(document: Document<f64>) -> bool {
    let bytes = document.to_bytes();
    let document = Document::from_bytes(&bytes).expect("a whole file of any content");
    let Ok(mut network) = NeuralNetwork::from_document(document, &Registry::default()) else {
        return false;
    };
    let data = samples();
    network.to_document().expect("what was loaded can be saved");
    let _ = network.predict(data.x());
    let _ = network.score(&data);
    // Another number of samples, or a patience: not every training can go on.
    let epochs = network.training().map_or(1, |training| training.epoch + 1);
    if network.resume(&data, epochs, Some(&data), &mut train::silent).is_ok() {
        let saved = network.to_document().expect("what was resumed can be saved").to_bytes();
        let again = Document::<f64>::from_bytes(&saved).expect("and read");
        NeuralNetwork::from_document(again, &Registry::default()).expect("and loaded");
    }
    true
}

#[test]
fn every_edit_of_a_description_is_refused_or_usable() {
    let document = trained().to_document().unwrap();
    let mut places = Vec::new();
    pointers(&document.description, String::new(), &mut places);
    assert!(places.len() > 40, "{places:?}");
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(2),
        json!(-1),
        json!(0.5),
        json!(-0.0),
        json!(5e-324),
        json!(1e308),
        json!(-1e308),
        json!(1_000_000_000_000_000_000_u64),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!("softmax"),
        json!("f64\u{0}\u{10ffff}"),
        json!([]),
        json!([1, 1]),
        json!([[1]]),
        json!({}),
        json!({"": 0}),
    ];
    let (mut edits, mut usable) = (0, 0);
    let mut attempt = |what: String, document: Document<f64>| {
        let result = catch_unwind(AssertUnwindSafe(|| is_usable(document)));
        usable += usize::from(result.unwrap_or_else(|_| panic!("{what} makes the library panic")));
        edits += 1;
    };
    for place in &places {
        for value in &values {
            let mut edited = document.clone();
            *edited.description.pointer_mut(place).unwrap() = value.clone();
            attempt(format!("{place} = {value}"), edited);
        }
        let Some((parent, key)) = place.rsplit_once('/') else { continue };
        for rename in [None, Some(format!("{key}s"))] {
            let mut edited = document.clone();
            match edited.description.pointer_mut(parent).unwrap() {
                Value::Object(map) => {
                    let value = map.remove(key).unwrap();
                    rename.and_then(|name| map.insert(name, value));
                }
                Value::Array(list) => {
                    let value = list.remove(key.parse().unwrap());
                    rename.into_iter().for_each(|_| list.extend([value.clone(), value.clone()]));
                }
                _ => unreachable!("it has a key"),
            }
            attempt(format!("{place} removed or renamed"), edited);
        }
    }
    assert!(usable > 50, "seeds, settings and losses may be others: {usable} of {edits}");
    assert!(usable < edits / 2, "{usable} of {edits}");
}

#[test]
fn every_edit_of_the_tensors_is_refused_or_usable() {
    let document = trained().to_document().unwrap();
    for (name, tensor) in &document.tensors {
        let len = tensor.len();
        let edits = [
            None,
            Some(ArrayD::zeros(IxDyn(&[]))),
            Some(ArrayD::zeros(IxDyn(&[0]))),
            Some(ArrayD::zeros(IxDyn(&[0, usize::MAX >> 4]))),
            Some(ArrayD::zeros(IxDyn(&[len + 1]))),
            Some(ArrayD::zeros(IxDyn(&[1, len]))),
            Some(ArrayD::zeros(IxDyn(&[len, 1, 1]))),
            Some(tensor.mapv(|_| f64::NAN)),
            Some(tensor.mapv(|x| x * 1e308 * 1e308)),
            Some(tensor.mapv(|x| 1e308_f64.copysign(x))),
            Some(tensor.t().to_owned()),
        ];
        for (i, edit) in edits.into_iter().enumerate() {
            let mut edited = document.clone();
            edited.tensors.remove(name);
            if let Some(edit) = edit {
                edited.tensors.insert(name.clone(), edit);
            }
            let result = catch_unwind(AssertUnwindSafe(|| is_usable(edited)));
            assert!(result.is_ok(), "edit {i} of {name} makes the library panic");
        }
    }
}

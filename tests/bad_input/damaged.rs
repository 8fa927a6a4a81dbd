//! Files that are no models, or are no longer: cut and flipped as bytes, or made to measure.

use std::collections::HashMap;

use gradus::NeuralNetwork;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Table;
use crate::models::{load, trained, unreadable};

/// Puts the digest that fits into the bytes of a file.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let start = 8 + br#"{"__metadata__":{"gradus":""#.len();
    bytes[start..start + 64].fill(b'0');
    let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    bytes[start..start + 64].copy_from_slice(digest.as_bytes());
    bytes
}

/// A safetensors file with one tensor and this entry `gradus`.
fn file_with(entry: &str) -> Vec<u8> {
    let numbers = 1.5_f64.to_le_bytes();
    let tensor = TensorView::new(Dtype::F64, vec![1], &numbers).unwrap();
    let metadata = HashMap::from([("gradus".to_owned(), entry.to_owned())]);
    safetensors::serialize([("weights.0", tensor)], Some(metadata)).unwrap()
}

/// A whole file of our format that says this of itself.
fn file_that_says(metadata: &Value) -> Vec<u8> {
    seal(file_with(&format!("{} {metadata}", "0".repeat(64))))
}

const DAMAGED: &str =
    "FOLDER/file is damaged: its checksum does not fit its content; restore it from a copy";

#[test]
fn refuses_foreign_and_damaged_files() {
    let mut t = Table::new();
    if cfg!(unix) {
        let (none, folder) = (t.path("none"), t.folder().to_owned());
        let message = "cannot read FOLDER/none: No such file or directory (os error 2)";
        t.case("no file", message, || load(&none));
        t.case("a folder", "cannot read FOLDER: Is a directory (os error 21)", || load(&folder));
    }
    let mut content = |name: &str, message: &str, bytes: &[u8]| {
        let path = t.file("file", bytes);
        t.case(name, message, || load(&path));
    };

    let foreign = "FOLDER/file is not a model saved by gradus \
                   (a safetensors file with its metadata first)";
    content("empty", foreign, b"");
    content("text", foreign, b"Gradus ad Parnassum, sive manuductio ad compositionem musicae");
    let pytorch = {
        let tensor = TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap();
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize([("weights.0", tensor)], Some(metadata)).unwrap()
    };
    content("safetensors from PyTorch", foreign, &pytorch);
    content("safetensors with a short entry", DAMAGED, &file_with("1.0"));
    content("safetensors with an entry of zeros", DAMAGED, &file_with(&"0".repeat(99)));
    content("safetensors with a digest only", foreign, &seal(file_with(&"0".repeat(64))));

    let whole = trained().to_document().unwrap().to_bytes();
    content("the length only", foreign, &whole[..8]);
    content("cut within the digest", foreign, &whole[..60]);
    content("cut after the digest", DAMAGED, &whole[..99]);
    content("cut in half", DAMAGED, &whole[..whole.len() / 2]);
    content("a byte less", DAMAGED, &whole[..whole.len() - 1]);
    content("a byte more", DAMAGED, &[&whole[..], b"\0"].concat());
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    content("a bit of the length", DAMAGED, &flipped(3));
    content("a bit of the beginning", foreign, &flipped(20));
    content("a bit of the digest", DAMAGED, &flipped(50));
    content("a bit of the header", DAMAGED, &flipped(500));
    content("a bit of a number", DAMAGED, &flipped(whole.len() - 5));
    content("one byte twice", DAMAGED, &[&whole[..700], &whole[699..]].concat());
    assert!(load(&t.file("file", &whole)).is_ok(), "only the damage is refused");
    t.finish(if cfg!(unix) { 20 } else { 18 });
}

#[test]
fn refuses_headers_that_make_no_sense() {
    let mut t = Table::new();
    let whole = trained().to_document().unwrap().to_bytes();
    let with_length = |length: u64| seal([&length.to_le_bytes(), &whole[8..]].concat());
    let mut content = |name: &str, message: &str, bytes: &[u8]| {
        let path = t.file("file", bytes);
        t.case(name, message, || load(&path));
    };
    content("a header of 2⁶⁴ bytes", &unreadable("header too large"), &with_length(u64::MAX));
    let message = unreadable("invalid header length");
    content("a header beyond the end", &message, &with_length(whole.len() as u64 - 7));
    let message = "invalid JSON in header: EOF while parsing a string at line 1 column 200";
    content("a header cut short", &unreadable(message), &with_length(200));
    let version = "FOLDER/file has format version 2, but this library reads version 1";
    let second = json!({"version": 2, "precision": "f64", "description": {}});
    content("version 2", version, &file_that_says(&second));
    // Another version may have other entries: its number comes before them.
    content("version 2, otherwise new", version, &file_that_says(&json!({"version": 2, "x": 1})));
    let mut says = |name: &str, reason: &str, metadata: Value| {
        content(name, &unreadable(reason), &file_that_says(&metadata));
    };
    let message = "invalid type: string \"1\", expected struct Metadata";
    says("a word", message, json!("1"));
    says("nothing", "missing field `version`", json!({}));
    says("version one", "invalid type: string \"1\", expected u64", json!({"version": "1"}));
    let fields = "expected one of `version`, `precision`, `description`";
    says(
        "an unknown entry",
        &format!("unknown field `more`, {fields}"),
        json!({"version": 1, "precision": "f64", "description": {}, "more": 1}),
    );
    let half = json!({"version": 1, "precision": "f16", "description": {}});
    let message = "FOLDER/file holds f16 numbers, not f64: load it as a network of f16";
    content("half precision", message, &file_that_says(&half));
    let message = unreadable("key must be a string at line 1 column 2");
    let entry = format!("{} {{1}}", "0".repeat(64));
    content("no JSON", &message, &seal(file_with(&entry)));

    let single = json!({"version": 1, "precision": "f32", "description": {}});
    let path = t.file("file", file_that_says(&single));
    let message = unreadable("tensor \"weights.0\" is not f32");
    t.case("f32 by name, f64 by number", &message, || NeuralNetwork::<f32>::load(&path));
    let path = t.file("file", &whole);
    let message = "FOLDER/file holds f64 numbers, not f32: load it as a network of f64";
    t.case("f64 as f32", message, || NeuralNetwork::<f32>::load(&path));
    t.finish(13);
}

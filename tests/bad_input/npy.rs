//! Files that are no vectors in NumPy's format, or not the right ones.

use std::path::Path;

use gradus::{GradientDescent, Init, MeanSquaredError, NeuralNetwork, Result, Softmax, Tanh};
use ndarray::Array1;

use crate::{Table, classifier, network};

/// A file in NumPy's format: version, the text of its header, and what follows it.
fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let length = header.len() as u32;
    let length = if version == 1 { &length.to_le_bytes()[..2] } else { &length.to_le_bytes()[..] };
    [b"\x93NUMPY", &[version, 0][..], length, header.as_bytes(), data].concat()
}

fn vector(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    npy(1, &header, data)
}

fn load(path: &Path) -> Result<Array1<f64>> {
    let mut network = network(&[1, 1])?;
    let before = network.params().clone();
    let loaded = network.load_params(path);
    assert!(loaded.is_ok() || network.params() == before, "the old parameters are lost");
    loaded.map(|()| network.params().clone())
}

#[test]
fn refuses_parameters_that_are_no_vector() {
    let mut t = Table::new();
    if cfg!(unix) {
        let (none, folder) = (t.path("none"), t.folder().to_owned());
        let message = "cannot read FOLDER/none: No such file or directory (os error 2)";
        t.case("no file", message, || load(&none));
        t.case("a folder", "cannot read FOLDER: Is a directory (os error 21)", || load(&folder));
    }
    let mut content = |name: &str, reason: &str, bytes: &[u8]| {
        let path = t.file("file", bytes);
        let message =
            format!("FOLDER/file is not a NumPy file with one vector of floats: {reason}");
        t.case(name, &message, || load(&path));
    };
    let short = "it ends within its header";
    let whole = vector("<f8", "(2,)", &[0; 16]);
    content("empty", short, b"");
    content(
        "a model",
        "start does not match magic string",
        &classifier().to_document().unwrap().to_bytes(),
    );
    content("the magic string only", short, &whole[..6]);
    content("cut in the header", short, &whole[..40]);
    content(
        "a byte less",
        "its header announces 2 numbers, but 15 bytes follow",
        &whole[..whole.len() - 1],
    );
    let more = [&whole[..], b"\n"].concat();
    content("a byte more", "its header announces 2 numbers, but 17 bytes follow", &more);

    let endless = "its header announces 1000000000000000000 numbers, but 16 bytes follow";
    content("10¹⁸ numbers", endless, &vector("<f8", "(1000000000000000000,)", &[0; 16]));
    let endless = "its header announces 18446744073709551615 numbers, but 16 bytes follow";
    content("2⁶⁴ numbers", endless, &vector("<f4", "(18446744073709551615,)", &[0; 16]));
    let long = "illegal value for key shape: (100000000000000000000,)";
    content("10²⁰ numbers", long, &vector("<f8", "(100000000000000000000,)", &[0; 16]));
    let long = "illegal value for key shape: (-2,)";
    content("-2 numbers", long, &vector("<f8", "(-2,)", &[0; 16]));
    content("a matrix", "its shape is [2, 1]", &vector("<f4", "(2, 1)", &[0; 8]));
    content("one number without a shape", "its shape is []", &vector("<f8", "()", &[0; 8]));
    let kind = |kind: &str| format!("its numbers are {kind}, not '<f4' or '<f8'");
    content("integers", &kind("'<i8'"), &vector("<i8", "(2,)", &[0; 16]));
    content("big-endian", &kind("'>f8'"), &vector(">f8", "(2,)", &[0; 16]));
    content("half precision", &kind("'<f2'"), &vector("<f2", "(2,)", &[0; 4]));
    content("complex", &kind("'<c16'"), &vector("<c16", "(2,)", &[0; 32]));
    let message = "unknown version number: 9.0";
    content("version 9", message, &npy(9, "{}\n", &[]));
    let message = "missing key: descr";
    content("an empty header", message, &npy(1, "{}\n", &[]));
    let message = "newline missing at end of header";
    content("no header", message, &npy(1, "", &[]));
    let message = "error parsing metadata dict: syntax error:  --> 1:1";
    content("a header of words", message, &npy(2, "two floats, please\n", &[]));
    let mut longer = npy(2, "{}\n", &[]);
    longer[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    content("a header of 4 GB", short, &longer);

    let mut other = |name: &str, message: &str, bytes: &[u8]| {
        let path = t.file("file", bytes);
        t.case(name, &format!("FOLDER/file {message}"), || load(&path));
    };
    let count = |n| format!("holds {n} values, but the network has 2 parameters");
    other("three numbers", &count(3), &vector("<f4", "(3,)", &[0; 12]));
    other("no numbers", &count(0), &vector("<f4", "(0,)", &[]));
    let finite =
        "cannot be used: the parameters, as one row, must be finite, but row 0, column 1 is";
    let with = |x: f64| vector("<f8", "(2,)", &[1.0_f64.to_le_bytes(), x.to_le_bytes()].concat());
    other("NaN", &format!("{finite} NaN"), &with(f64::NAN));
    other("infinite", &format!("{finite} -inf"), &with(f64::NEG_INFINITY));
    t.finish(if cfg!(unix) { 27 } else { 25 });
}

/// A header may be nested so deeply that reading it fails: it must fail as an error.
#[test]
fn refuses_nests_of_brackets_instead_of_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for bracket in ["(", "[", "{1:", "{'descr': ("] {
        std::fs::write(&path, npy(2, &format!("{}\n", bracket.repeat(100_000)), &[])).unwrap();
        let said = load(&path).unwrap_err().to_string();
        assert!(said.contains("is not a NumPy file with one vector of floats: "), "{said}");
        assert!(said.len() < 500, "{} bytes of message", said.len());
    }
}

#[test]
fn odd_but_whole_parameter_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let numbers = [1.5_f64, -0.25];
    let double = numbers.map(f64::to_le_bytes).concat();
    let single = numbers.map(|x| (x as f32).to_le_bytes()).concat();
    // Numbers may begin at any address, and one dimension has both orders.
    for padding in 0..9 {
        for (kind, data) in [("<f8", &double), ("<f4", &single)] {
            for order in ["False", "True"] {
                let header = format!(
                    "{{'descr': '{kind}', 'fortran_order': {order}, 'shape': (2,), }}{}\n",
                    " ".repeat(padding)
                );
                for version in [1, 2, 3] {
                    std::fs::write(&path, npy(version, &header, data)).unwrap();
                    assert_eq!(load(&path).unwrap().to_vec(), numbers);
                }
            }
        }
    }
    // What is too large for an `f32` is infinite in it, and refused.
    std::fs::write(&path, vector("<f8", "(2,)", &[1e300, 0.0].map(f64::to_le_bytes).concat()))
        .unwrap();
    let (optimizer, init) = (GradientDescent::new(0.1).unwrap(), Init::He);
    let mut network =
        NeuralNetwork::<f32>::new(&[1, 1], Tanh, Softmax, MeanSquaredError, optimizer, init, 1)
            .unwrap();
    let said = network.load_params(&path).unwrap_err().to_string();
    assert!(said.ends_with("must be finite, but row 0, column 0 is inf"), "{said}");
}

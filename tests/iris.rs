//! Iris is the one of Fisher's paper, to the last flower; and features on one scale.

use approx::assert_abs_diff_eq;
use gradus::{Standardiser, iris};
use ndarray::{Array2, Axis, array, s};
use sha2::{Digest, Sha256};

#[test]
fn the_file_is_the_one_that_its_notes_describe() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read(root.join("src/iris.csv")).unwrap();
    let digest: String = Sha256::digest(&file).iter().map(|b| format!("{b:02x}")).collect();
    let notes = std::fs::read_to_string(root.join("data/iris/README.md")).unwrap();
    assert!(notes.contains(&digest), "{digest} is not in data/iris/README.md");
    let first = String::from_utf8(file).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(first, format!("150,4,{}", iris::SPECIES.join(",")));
}

#[test]
fn there_are_fifty_flowers_of_each_species() {
    let flowers = iris::load::<f64>();
    assert_eq!(flowers.x().dim(), (150, iris::FEATURES.len()));
    assert_eq!(flowers.y().dim(), (150, iris::SPECIES.len()));
    let labels = iris::labels();
    for (row, &label) in labels.iter().enumerate() {
        assert_eq!(label, row / 50);
        assert_eq!(flowers.y().row(row).sum(), 1.0);
        assert_eq!(flowers.y()[[row, label]], 1.0);
    }
    assert_eq!(iris::load::<f32>().x()[[149, 3]], 1.8);
}

/// The means of Fisher's table 2 ("observed means"), in centimetres.
#[test]
fn the_means_are_those_that_fisher_printed() {
    let x = iris::load::<f64>().x().clone();
    let expected = array![
        [5.006, 3.428, 1.462, 0.246],
        [5.936, 2.770, 4.260, 1.326],
        [6.588, 2.974, 5.552, 2.026],
    ];
    for (species, expected) in expected.rows().into_iter().enumerate() {
        let flowers = x.slice(s![50 * species..50 * (species + 1), ..]);
        let means = flowers.mean_axis(Axis(0)).unwrap();
        assert_abs_diff_eq!(means, expected, epsilon = 1e-12);
    }
}

#[test]
fn the_two_flowers_that_uci_has_wrong_are_right() {
    let x = iris::load::<f64>().x().clone();
    assert_eq!(x.row(34).to_vec(), [4.9, 3.1, 1.5, 0.2]);
    assert_eq!(x.row(37).to_vec(), [4.9, 3.6, 1.4, 0.1]);
}

#[test]
fn standardised_features_have_mean_0_and_deviation_1() {
    let x = iris::load::<f64>().x().clone();
    let z = Standardiser::of(&x).unwrap().apply(&x).unwrap();
    for feature in z.columns() {
        let n = feature.len() as f64;
        assert_abs_diff_eq!(feature.sum() / n, 0.0, epsilon = 1e-12);
        let squares: f64 = feature.iter().map(|z| z * z).sum();
        assert_abs_diff_eq!(squares / n, 1.0, epsilon = 1e-12);
    }
}

#[test]
fn new_samples_are_measured_with_the_scale_of_the_old() {
    let standardiser = Standardiser::of(&array![[1.0, -2.0], [5.0, -2.0]]).unwrap();
    assert_eq!(standardiser.mean(), array![3.0, -2.0]);
    assert_eq!(standardiser.deviation(), array![2.0, 1.0]);
    let z = standardiser.apply(&array![[7.0, 0.0]]).unwrap();
    assert_eq!(z, array![[2.0, 2.0]]);
    // A feature that never varies, whose sum is rounded.
    let constant = Standardiser::of(&Array2::from_elem((49, 1), 0.1_f64)).unwrap();
    assert_eq!((constant.mean()[0], constant.deviation()[0]), (0.1, 1.0));
}

#[test]
fn what_cannot_be_standardised_is_refused() {
    let refused = |x: Array2<f64>| Standardiser::of(&x).unwrap_err().to_string();
    let what = "the samples to be standardised must";
    assert_eq!(refused(Array2::zeros((0, 2))), format!("{what} not be empty"));
    let nan = refused(array![[1.0, f64::NAN]]);
    assert_eq!(nan, format!("{what} be finite, but row 0, column 1 is NaN"));
    let standardiser = Standardiser::of(&array![[1.0, 2.0]]).unwrap();
    let error = standardiser.apply(&array![[1.0]]).unwrap_err().to_string();
    assert_eq!(error, format!("{what} have shape [1, 2], not [1, 1]"));
}

//! Models and places that nothing can be saved from, or to.

use gradus::{
    Activation, CategoricalCrossEntropy, Elementwise, Fit, Float, GradientDescent, Identity, Init,
    MeanSquaredError, Network, NeuralNetwork, Part, Result, Samples, Softmax, State, train,
};
use ndarray::array;
use serde_json::Value;

use crate::Table;
use crate::models::trained;

/// An activation with a number that no file can hold.
#[derive(Debug)]
struct Hot(f64);

impl<F: Float> Part<F> for Hot {
    fn name(&self) -> &str {
        "hot"
    }

    fn state(&self) -> State<F> {
        State::default().with_number("heat", self.0)
    }
}

impl<F: Float> Activation<F> for Hot {
    fn value(&self, z: F) -> F {
        z
    }

    fn derivative(&self, _: F) -> F {
        F::one()
    }
}

#[test]
fn refuses_to_save_what_would_not_load() {
    let mut t = Table::new();
    let path = t.path("file");
    let hot = |heat: f64| -> Result<NeuralNetwork<f64>> {
        let (optimizer, init) = (GradientDescent::new(0.1)?, Init::He);
        let loss = CategoricalCrossEntropy;
        NeuralNetwork::new(&[2, 2, 2], Hot(heat), Softmax, loss, optimizer, init, 1)
    };
    for (heat, said) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let message =
            format!("a model with hidden.heat = {said} cannot be saved: it would not load again");
        t.case(&format!("a part's number {said}"), &message, || hot(heat)?.save(&path));
    }
    let message = "the parameters, as one row, must be finite, but row 0, column 0 is -inf";
    t.case("a network that diverged", message, || {
        let (optimizer, init) = (GradientDescent::new(1e300)?, Init::He);
        let (output, loss) = (Elementwise(Identity), MeanSquaredError);
        let mut network = NeuralNetwork::new(&[1, 1], Identity, output, loss, optimizer, init, 1)?;
        network.set_params(&array![1.0, 0.0])?;
        let data = Samples::new(array![[1e100]], array![[0.0]])?;
        assert!(network.fit(&data, &Fit::default(), None, &mut train::silent).is_err());
        network.save(&path)
    });
    let long = "cannot write FOLDER/file: the description does not fit: header too large";
    t.case("more than 100 MB of description", long, || {
        let mut document = trained().to_document()?;
        document.description = Value::String("x".repeat(100_000_000));
        document.save(&path)
    });
    if cfg!(unix) {
        let network = trained();
        let (missing, folder) = (t.path("no/such/file"), t.folder().to_owned());
        let message = "cannot write FOLDER/no/such/file: No such file or directory (os error 2)";
        t.case("into no folder", message, || network.save(&missing));
        t.case("params into no folder", message, || network.save_params(&missing));
        let message = "cannot write FOLDER: Is a directory (os error 21)";
        t.case("onto a folder", message, || network.save(&folder));
        t.case("params onto a folder", message, || network.save_params(&folder));
        let message = "cannot write : No such file or directory (os error 2)";
        t.case("nowhere", message, || network.save(""));
        let within = t.file("text", "").join("file");
        let message = "cannot write FOLDER/text/file: Not a directory (os error 20)";
        t.case("into a file", message, || network.save(&within));
        let message = "cannot write FOLDER/a\0b: Invalid argument (os error 22)";
        let zero = t.path("a\0b");
        t.case("a name that cannot be", message, || network.save(&zero));
    }
    let left = std::fs::read_dir(t.folder()).unwrap().map(|file| file.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name != "text").collect();
    t.finish(if cfg!(unix) { 12 } else { 5 });
    assert!(left.is_empty(), "a save that failed left {left:?}");
}

//! Samples that do not fit a network, wherever it takes them.

use gradus::{
    BinaryCrossEntropy, Bytes, Elementwise, Fit, GradientDescent, Identity, Init, Loss,
    MeanSquaredError, Network, NeuralNetwork, OutputActivation, Relu, Result, Samples, Sigmoid,
    Softmax, Source, SparseCategoricalCrossEntropy, train,
};
use ndarray::{Array1, Array2, ArrayRef2, array};

use crate::{Table, classifier, samples};

/// Every way in: each must refuse these samples with this message.
fn everywhere(t: &mut Table, name: &str, message: &str, y: &Array2<f64>, x: &Array2<f64>) {
    let source = Samples::new(x.clone(), y.clone()).unwrap();
    let fit = Fit::default();
    t.case(&format!("fit: {name}"), message, || {
        classifier().fit(&source, &fit, None, &mut train::silent)
    });
    t.case(&format!("score: {name}"), message, || classifier().score(&source));
    t.case(&format!("gradient: {name}"), message, || classifier().loss_and_gradient(x, y));
    t.case(&format!("validation: {name}"), &format!("in the validation data: {message}"), || {
        classifier().fit(&samples(), &fit, Some(&source), &mut train::silent)
    });
}

#[test]
fn refuses_samples_of_the_wrong_shape() {
    let mut t = Table::new();
    let inputs = "a batch of inputs must have shape [4, 2], not";
    let targets = "a batch of targets must have shape [4, 3], not";
    let (x, y) = (samples().x().clone(), samples().y().clone());
    everywhere(&mut t, "an input more", &format!("{inputs} [4, 3]"), &y, &Array2::zeros((4, 3)));
    everywhere(&mut t, "no inputs", &format!("{inputs} [4, 0]"), &y, &Array2::zeros((4, 0)));
    everywhere(&mut t, "a target less", &format!("{targets} [4, 2]"), &Array2::zeros((4, 2)), &x);
    everywhere(&mut t, "no targets", &format!("{targets} [4, 0]"), &Array2::zeros((4, 0)), &x);

    let (none, fit) = ((Array2::zeros((0, 2)), Array2::zeros((0, 3))), Fit::default());
    let nothing = Samples::new(none.0.clone(), none.1.clone()).unwrap();
    let empty = "the list of samples must not be empty";
    t.case("fit: nothing", empty, || classifier().fit(&nothing, &fit, None, &mut train::silent));
    t.case("score: nothing", empty, || classifier().score(&nothing));
    t.case("gradient: nothing", "the batch must not be empty", || {
        classifier().loss_and_gradient(&none.0, &none.1)
    });
    t.case("validation: nothing", &format!("in the validation data: {empty}"), || {
        classifier().fit(&samples(), &fit, Some(&nothing), &mut train::silent)
    });
    t.case("gradient: other rows", "a batch of targets must have shape [4, 3], not [2, 3]", || {
        classifier().loss_and_gradient(&x, &Array2::zeros((2, 3)))
    });

    // More rows than any memory holds, in no memory at all.
    let rows = 1_usize << 62;
    let endless = Samples::new(Array2::zeros((rows, 0)), Array2::zeros((rows, 0))).unwrap();
    let message = "a batch of inputs must have shape [256, 2], not [256, 0]";
    t.case("fit: 2⁶² empty rows", message, || {
        classifier().fit(&endless, &fit, None, &mut train::silent)
    });
    t.case("score: 2⁶² empty rows", message, || classifier().score(&endless));

    let message = "a batch of inputs must have shape [1, 2], not [1, 5]";
    let wide = Array2::zeros((1, 5));
    t.case("predict", message, || classifier().predict(&wide));
    t.case("predict labels", message, || classifier().predict_labels(&wide));
    t.case("forward", message, || classifier().forward(&wide));
    t.finish(26);
}

#[test]
fn refuses_entries_that_are_not_finite() {
    let mut t = Table::new();
    let (x, y) = (samples().x().clone(), samples().y().clone());
    for (bad, said) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let with = |array: &Array2<f64>, at| {
            let mut array = array.clone();
            array[at] = bad;
            array
        };
        let message = format!("inputs must be finite, but row 3, column 1 is {said}");
        everywhere(&mut t, said, &message, &y, &with(&x, [3, 1]));
        t.case(&format!("predict: {said}"), &message, || classifier().predict(&with(&x, [3, 1])));
        let message = format!("targets must be finite, but row 0, column 2 is {said}");
        everywhere(&mut t, said, &message, &with(&y, [0, 2]), &x);
    }

    // Finite inputs, whose products are not.
    let overflowing = || {
        let mut network = classifier();
        network.set_params(&Array1::from_elem(9, 10.0)).unwrap();
        network
    };
    let message = "outputs must be finite, but row 0, column 0 is NaN";
    let huge = Samples::new(array![[1e308, 1e308]], array![[1.0, 0.0, 0.0]]).unwrap();
    t.case("predict: overflow", message, || overflowing().predict(huge.x()));
    t.case("predict labels: overflow", message, || overflowing().predict_labels(huge.x()));
    t.case("score: overflow", message, || overflowing().score(&huge));

    // The row is counted from the beginning, not from that of the piece that was looked at.
    let mut x = Array2::from_elem((1000, 2), 0.5);
    x[[700, 0]] = f64::NAN;
    let y = Array2::from_shape_fn((1000, 3), |(i, j)| f64::from(u8::from(i % 3 == j)));
    let message = "inputs must be finite, but row 700, column 0 is NaN";
    everywhere(&mut t, "far down", message, &y, &x);
    // Finite as an `f64`, and not as an `f32`.
    t.case("a scale too large", "inputs must be finite, but row 0, column 1 is inf", || {
        let bytes = Bytes::new(array![[0, 9]], vec![1], 1e38, 2)?;
        net32(&[2, 2], Softmax, SparseCategoricalCrossEntropy)?.score(&bytes.sparse())
    });
    t.finish(35);
}

fn net32(
    sizes: &[usize],
    output: impl OutputActivation<f32> + 'static,
    loss: impl Loss<f32> + 'static,
) -> Result<NeuralNetwork<f32>> {
    NeuralNetwork::new(sizes, Relu, output, loss, GradientDescent::new(0.1)?, Init::He, 1)
}

#[test]
fn refuses_targets_that_the_loss_is_not_defined_for() {
    let mut t = Table::new();
    let x = Array2::from_elem((2, 2), 0.5_f32);
    let train_on = |network: Result<NeuralNetwork<f32>>, source: &dyn Source<f32>| {
        network?.fit(source, &Fit::default(), None, &mut train::silent)
    };
    let on = |network: Result<NeuralNetwork<f32>>, y: &ArrayRef2<f32>| {
        train_on(network, &Samples::new(x.clone(), y.to_owned())?)
    };

    let sparse = || net32(&[2, 3], Softmax, SparseCategoricalCrossEntropy);
    let label = "labels must be whole numbers from 0 to 2, but row 1 is";
    t.case("label 3", &format!("{label} 3"), || on(sparse(), &array![[2.0], [3.0]]));
    t.case("label -1", &format!("{label} -1"), || on(sparse(), &array![[0.0], [-1.0]]));
    t.case("label 0.5", &format!("{label} 0.5"), || on(sparse(), &array![[0.0], [0.5]]));
    let below = 1.0_f32.next_down();
    t.case("a label just below 1", &format!("{label} 0.9999999403953552"), || {
        on(sparse(), &array![[0.0], [below]])
    });
    t.case("a huge label", &format!("{label} 340282346638528860000000000000000000000"), || {
        on(sparse(), &array![[0.0], [f32::MAX]])
    });
    t.case("one-hot for labels", "a batch of targets must have shape [2, 1], not [2, 3]", || {
        on(sparse(), &array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    });

    let binary = || net32(&[2, 2], Elementwise(Sigmoid), BinaryCrossEntropy);
    let probability = "targets must lie in [0, 1], but row 1, column 0 is";
    t.case("probability 1.5", &format!("{probability} 1.5"), || {
        on(binary(), &array![[0.0, 1.0], [1.5, 0.0]])
    });
    t.case("probability below 0", &format!("{probability} -0.25"), || {
        on(binary(), &array![[0.0, 1.0], [-0.25, 0.0]])
    });
    t.case("probability, composed", &format!("{probability} 2"), || {
        on(binary().map(NeuralNetwork::composed), &array![[0.0, 1.0], [2.0, 0.0]])
    });

    let classes = || net32(&[2, 2], Softmax, gradus::CategoricalCrossEntropy);
    t.case("a class of 2", &format!("{probability} 2"), || {
        on(classes(), &array![[0.0, 1.0], [2.0, -1.0]])
    });
    let sum = "each row of targets must sum to 1, but row 1 sums to";
    t.case("no class", &format!("{sum} 0"), || on(classes(), &array![[0.0, 1.0], [0.0, 0.0]]));
    t.case("two classes", &format!("{sum} 2"), || on(classes(), &array![[0.0, 1.0], [1.0, 1.0]]));

    let bytes = Bytes::new(Array2::zeros((2, 2)), vec![0, 2], 1.0, 3).unwrap();
    let columns = "a batch of targets must have shape [2, 2], not [2, 3]";
    t.case("bytes of three classes", columns, || train_on(classes(), &bytes));
    let columns = "a batch of targets must have shape [2, 2], not [2, 1]";
    t.case("sparse bytes", columns, || train_on(classes(), &bytes.clone().sparse()));
    let label = "labels must be whole numbers from 0 to 1, but row 1 is 2";
    t.case("sparse bytes, fewer outputs", label, || {
        let sparse = net32(&[2, 2], Softmax, SparseCategoricalCrossEntropy);
        train_on(sparse, &bytes.clone().sparse())
    });
    let columns = "a batch of inputs must have shape [2, 5], not [2, 2]";
    t.case("bytes of two inputs", columns, || {
        train_on(net32(&[5, 3], Elementwise(Identity), MeanSquaredError), &bytes)
    });
    t.finish(16);
}

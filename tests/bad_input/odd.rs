//! Arrays that are odd and right: they must give the numbers of plain ones.

use gradus::{
    BinaryCrossEntropy, Elementwise, Error, Fit, Float, Init, MeanSquaredError, Network,
    NeuralNetwork, Relu, Result, Samples, Sigmoid, SparseCategoricalCrossEntropy, layout, train,
};
use ndarray::{Array1, Array2, Axis, ShapeBuilder, array, s};

use crate::{classifier, network};

/// Sizes below and above those that are handed to BLAS.
const SIZES: [&[usize]; 4] = [&[2, 3], &[2, 20, 3], &[9, 1, 30, 2], &[1, 1]];

fn close<D: ndarray::Dimension>(a: &ndarray::ArrayRef<f64, D>, b: &ndarray::ArrayRef<f64, D>) {
    assert_eq!(a.shape(), b.shape());
    a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() <= 1e-13, "{a} is not {b}"));
}

#[test]
fn no_rows_have_no_outputs() {
    for sizes in SIZES {
        let network = network(sizes).unwrap();
        let none = Array2::zeros((0, sizes[0]));
        assert_eq!(network.predict(&none).unwrap().dim(), (0, sizes[sizes.len() - 1]));
        assert!(network.predict_labels(&none).unwrap().is_empty());
        let trace = network.forward(&none).unwrap();
        assert_eq!(trace.a.last().unwrap().nrows(), 0);
    }
}

#[test]
fn arrays_in_any_layout_give_the_same_numbers() {
    for sizes in SIZES {
        let network = network(sizes).unwrap();
        let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
        let n = 11;
        let x = Array2::from_shape_fn((n, inputs), |(i, j)| (i as f64 - 4.5) / (j + 2) as f64);
        let y = Array2::from_shape_fn((n, outputs), |(i, j)| f64::from(u8::from(i % outputs == j)));

        let (fortran_x, fortran_y) = (fortran(&x), fortran(&y));
        // Every third row and second column of a larger array, and a mirrored array.
        let (sparse_x, sparse_y) = (spread(&x), spread(&y));
        let (mirror_x, mirror_y) = (mirrored(&x), mirrored(&y));
        let layouts = [
            (fortran_x.view(), fortran_y.view()),
            (sparse_x.slice(s![..;3, ..;2]), sparse_y.slice(s![..;3, ..;2])),
            (mirror_x.slice(s![..;-1, ..;-1]), mirror_y.slice(s![..;-1, ..;-1])),
        ];
        let plain = network.loss_and_gradient(&x, &y).unwrap();
        for (odd_x, odd_y) in &layouts {
            assert_eq!((odd_x, odd_y), (&x.view(), &y.view()));
            close(&network.predict(odd_x).unwrap(), &network.predict(&x).unwrap());
            let (loss, gradient) = network.loss_and_gradient(odd_x, odd_y).unwrap();
            assert!((loss - plain.0).abs() < 1e-13);
            close(&gradient, &plain.1);
        }
        // Rows that all lie in one place.
        let (row_x, row_y) = (x.slice(s![3..4, ..]), y.slice(s![3..4, ..]));
        let (same_x, same_y) = (row_x.broadcast((n, inputs)), row_y.broadcast((n, outputs)));
        let (same_x, same_y) = (same_x.unwrap(), same_y.unwrap());
        close(&network.predict(&same_x).unwrap(), &network.predict(&same_x.to_owned()).unwrap());
        let one = network.loss_and_gradient(&row_x, &row_y).unwrap();
        let all = network.loss_and_gradient(&same_x, &same_y).unwrap();
        assert!((one.0 - all.0).abs() < 1e-13);
        close(&one.1, &all.1);

        // The same samples in training: the very same parameters.
        let trained = |x: Array2<f64>, y: Array2<f64>| {
            let mut network = crate::network(sizes).unwrap();
            let fit = Fit { batch_size: 4, epochs: 2, threads: 2, ..Fit::default() };
            let source = Samples::new(x, y).unwrap();
            network.fit(&source, &fit, Some(&source), &mut train::silent).unwrap();
            network.params().clone()
        };
        assert_eq!(trained(fortran_x, fortran_y), trained(x, y));
    }
}

fn fortran(x: &Array2<f64>) -> Array2<f64> {
    let mut copy = Array2::zeros(x.raw_dim().f());
    copy.assign(x);
    copy
}

fn spread(x: &Array2<f64>) -> Array2<f64> {
    let mut copy = Array2::from_elem((3 * x.nrows(), 2 * x.ncols()), f64::NAN);
    copy.slice_mut(s![..;3, ..;2]).assign(x);
    copy
}

fn mirrored(x: &Array2<f64>) -> Array2<f64> {
    x.slice(s![..;-1, ..;-1]).to_owned()
}

#[test]
fn parameter_vectors_with_gaps_are_taken() {
    let vector = Array1::from_iter((0..18).map(f64::from));
    for odd in [vector.slice(s![..;2]), vector.slice(s![..;-2])] {
        let plain = odd.to_owned();
        assert_eq!(
            layout::restore(&odd, &[2, 3]).unwrap(),
            layout::restore(&plain, &[2, 3]).unwrap()
        );
        let mut network = classifier();
        network.set_params(&odd).unwrap();
        assert_eq!(network.params(), plain);
    }
    // A column of a matrix, as a vector.
    let matrix = Array2::from_shape_fn((9, 4), |(i, j)| (i * j) as f64);
    let mut network = classifier();
    network.set_params(&matrix.index_axis(Axis(1), 2)).unwrap();
    assert_eq!(network.weights(0), array![[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]);
}

/// Outputs are finite, or refused because they are not.
#[track_caller]
fn ended<T>(result: Result<T>) {
    if let Err(error) = result {
        assert!(matches!(error, Error::NotFinite { what: "outputs", .. }), "{error}");
    }
}

/// What overflows is an error, and no panic.
fn extremes<F: Float>(largest: F, smallest: F) {
    let x = array![[largest, -largest], [-largest, -largest], [smallest, largest], [smallest; 2]];
    let labels = array![[F::zero()], [F::one()], [F::zero()], [F::one()]];
    let fit = Fit { batch_size: 2, epochs: 3, threads: 2, ..Fit::default() };
    let all = |network: Result<NeuralNetwork<F>>| {
        let mut network = network.unwrap();
        let huge = network.params().mapv(|p| if p > F::zero() { largest } else { -largest });
        for step in 0..2 {
            let source = Samples::new(x.clone(), labels.clone()).unwrap();
            ended(network.predict(&x));
            ended(network.predict_labels(&x));
            ended(network.score(&source));
            network.loss_and_gradient(&x, &labels).unwrap();
            // Finite or not: it ends, and what was finite can be saved.
            let trained = network.fit(&source, &fit, Some(&source), &mut train::silent);
            assert!(trained.is_err() || network.to_document().is_ok(), "step {step}");
            network.set_params(&huge).unwrap();
        }
    };
    for sizes in [&[2, 1][..], &[2, 3, 1], &[2, 20, 1]] {
        for composed in [false, true] {
            let optimizer = gradus::Nesterov::new(0.5, 0.9).unwrap();
            let (output, loss) = (Elementwise(Sigmoid), BinaryCrossEntropy);
            let network =
                NeuralNetwork::new(sizes, Relu, output, loss, optimizer.clone(), Init::He, 1);
            all(network.map(|network| if composed { network.composed() } else { network }));
            let (output, loss) = (Elementwise(gradus::Gelu), MeanSquaredError);
            all(NeuralNetwork::new(sizes, gradus::Gelu, output, loss, optimizer, Init::He, 1));
        }
    }
    for sizes in [&[2, 2][..], &[2, 3, 2], &[2, 20, 2]] {
        for composed in [false, true] {
            let optimizer = gradus::MovingAverage::new(0.5, 0.9).unwrap();
            let loss = SparseCategoricalCrossEntropy;
            let hidden = gradus::Softplus;
            let network =
                NeuralNetwork::new(sizes, hidden, gradus::Softmax, loss, optimizer, Init::He, 1);
            all(network.map(|network| if composed { network.composed() } else { network }));
        }
    }
}

#[test]
fn extreme_inputs_and_parameters_do_not_panic() {
    extremes(f32::MAX, f32::from_bits(1));
    extremes(f64::MAX, f64::from_bits(1));
    extremes(1e308, 5e-324);
}

#[test]
fn labels_just_in_range_are_taken() {
    let optimizer = gradus::GradientDescent::new(0.1).unwrap();
    let loss = SparseCategoricalCrossEntropy;
    let mut network =
        NeuralNetwork::<f32>::new(&[1, 3], Relu, gradus::Softmax, loss, optimizer, Init::He, 1)
            .unwrap();
    let source = Samples::new(array![[0.5], [0.5]], array![[-0.0], [2.0]]).unwrap();
    network.fit(&source, &Fit::default(), None, &mut train::silent).unwrap();
    assert_eq!(network.score(&source).unwrap().confusion.unwrap().sum(), 2);
}

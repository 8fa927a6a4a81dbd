//! What makes training fast changes nothing but the time: the products that skip zeros, and a
//! training on mostly black images, against the plain formulas.

mod common;

use common::{normal, rng};
use gradus::{
    Activate, Bytes, CategoricalCrossEntropy, Dense, Fit, Float, Init, Momentum, Network,
    NeuralNetwork, Output, Relu, Sequential, Shape, Softmax, blas, layers, train, zeros,
};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rand::RngExt;

/// A matrix in which about so many entries of a hundred are anything but zero.
fn mostly_black<F: Float>(rows: usize, columns: usize, percent: u32, seed: u64) -> Array2<F> {
    let mut rng = rng(seed);
    Array2::from_shape_simple_fn((rows, columns), || {
        let x = F::cast(rng.random_range(-1.0..1.0));
        if rng.random_range(0..100) < percent { x } else { F::zero() }
    })
}

fn full<F: Float>(rows: usize, columns: usize, seed: u64) -> Array2<F> {
    normal((rows, columns), 1.0, &mut rng(seed)).mapv(F::cast)
}

/// y + x w, term by term in the order of the columns of x.
fn product<F: Float>(x: &Array2<F>, w: &Array2<F>, y: &Array2<F>) -> Array2<F> {
    Array2::from_shape_fn(y.dim(), |(i, l)| {
        (0..x.ncols()).fold(y[[i, l]], |sum, j| sum + x[[i, j]] * w[[j, l]])
    })
}

/// Sizes at, below and above those of a tile and of a block.
const SIZES: [(usize, usize, usize); 8] = [
    (1, 64, 16),
    (7, 65, 17),
    (63, 100, 21),
    (64, 128, 64),
    (65, 127, 63),
    (128, 784, 64),
    (129, 70, 165),
    (200, 191, 100),
];

/// Adding a zero changes no bit, so neither does leaving it out: the products are those of plain
/// loops to the last bit, which those of BLAS are not.
fn skipped_zeros_change_no_bit<F: Float>() {
    for (seed, (n, k, m)) in SIZES.into_iter().enumerate() {
        for percent in [0, 3, 18] {
            let seed = seed as u64;
            let x = mostly_black::<F>(n, k, percent, seed);
            let (w, d, y) = (full(k, m, seed + 50), full(n, m, seed + 90), full(n, m, seed));
            let mut found = y.clone();
            zeros::product(&x, &w, &mut found);
            assert_eq!(found, product(&x, &w, &y), "{n} {k} {m} {percent}");

            let mut found = full(k, m, 1);
            zeros::transposed_product(&x, &d, &mut found);
            let expected = product(&x.t().to_owned(), &d, &Array2::zeros((k, m)));
            assert_eq!(found, expected, "{n} {k} {m} {percent}, transposed");
        }
    }
}

#[test]
fn skipped_zeros_change_no_bit_in_f32() {
    skipped_zeros_change_no_bit::<f32>();
}

#[test]
fn skipped_zeros_change_no_bit_in_f64() {
    skipped_zeros_change_no_bit::<f64>();
}

/// Where zeros are few, or there is little to do, the bits are those of BLAS.
#[test]
fn other_products_are_those_of_blas() {
    blas::use_one_thread(); // several would add in another order each time
    for (n, k, m, percent) in
        [(64, 784, 64, 40), (64, 784, 64, 100), (64, 60, 64, 5), (64, 784, 9, 5)]
    {
        let x = mostly_black::<f32>(n, k, percent, 4);
        let (w, d, y) = (full(k, m, 5), full(n, m, 6), full(n, m, 7));
        let (mut found, mut expected) = (y.clone(), y);
        zeros::product(&x, &w, &mut found);
        blas::product(1.0, &x, &w, 1.0, &mut expected);
        assert_eq!(found, expected, "{n} {k} {m} {percent}");

        let (mut found, mut expected) = (full(k, m, 1), Array2::zeros((k, m)));
        zeros::transposed_product(&x, &d, &mut found);
        blas::product(1.0, &x.t(), &d, 0.0, &mut expected);
        assert_eq!(found, expected, "{n} {k} {m} {percent}, transposed");
    }
}

/// Matrices that do not lie row after row are multiplied as well.
#[test]
fn a_matrix_in_another_order_is_multiplied() {
    let x = mostly_black::<f64>(200, 70, 10, 8).reversed_axes();
    let (w, d) = (full(200, 20, 9), full(70, 20, 10));
    let mut y = Array2::zeros((70, 20));
    zeros::product(&x, &w, &mut y);
    assert!((y - x.dot(&w)).iter().all(|difference: &f64| difference.abs() < 1e-12));
    let mut d_w = Array2::zeros((200, 20));
    zeros::transposed_product(&x, &d, &mut d_w);
    assert!((d_w - x.t().dot(&d)).iter().all(|difference: &f64| difference.abs() < 1e-12));
}

#[test]
#[should_panic(expected = "the inner sizes of a product must agree")]
fn a_product_of_sizes_that_do_not_fit_is_refused() {
    zeros::product(
        &Array2::<f32>::zeros((2, 64)),
        &Array2::zeros((65, 16)),
        &mut Array2::zeros((2, 16)),
    );
}

const N: usize = 150;
const SIZES_P: [usize; 3] = [784, 64, 10];

/// Images as black as those of MNIST.
fn images() -> Bytes {
    let mut rng = rng(11);
    let bytes = Array2::from_shape_simple_fn((N, 784), || {
        if rng.random_range(0..100) < 19 { rng.random_range(1..=255) } else { 0 }
    });
    let labels = (0..N).map(|i| (i * 7 % 10) as u8).collect();
    Bytes::new(bytes, labels, 1.0 / 255.0, 10).unwrap()
}

fn plain<F: Float>() -> NeuralNetwork<F> {
    let momentum = Momentum::new(0.1, 0.9).unwrap();
    NeuralNetwork::new(&SIZES_P, Relu, Softmax, CategoricalCrossEntropy, momentum, Init::He, 3)
        .unwrap()
}

fn layered<F: Float>() -> Sequential<F> {
    let dense = |units| Dense::new(units, Init::He).unwrap();
    let layers = layers![dense(64), Activate(Relu), dense(10), Output(Softmax)];
    let momentum = Momentum::new(0.1, 0.9).unwrap();
    Sequential::new(Shape::Vector(784), layers, CategoricalCrossEntropy, momentum, 3).unwrap()
}

/// Steps of momentum with the gradient of all samples, by the formulas of chapter 4 in `f64`:
/// no batch, no thread, no buffer.
fn by_the_formulas(images: &Bytes, params: &Array1<f64>, steps: usize) -> Array1<f64> {
    let x = images.bytes().mapv(f64::from) / 255.0;
    let mut y = Array2::<f64>::zeros((N, 10));
    for (i, &label) in images.labels().iter().enumerate() {
        y[[i, usize::from(label)]] = 1.0;
    }
    let mut theta = params.clone();
    let mut v = Array1::<f64>::zeros(theta.len());
    for _ in 0..steps {
        let (w0, w1) = (784 * 64, 784 * 64 + 64 * 10);
        let matrix = |rows, columns, from: usize| {
            let part = theta.slice(s![from..from + rows * columns]).to_vec();
            Array2::from_shape_vec((rows, columns), part).unwrap()
        };
        let (weights, more) = (matrix(784, 64, 0), matrix(64, 10, w0));
        let z = x.dot(&weights) + theta.slice(s![w1..w1 + 64]);
        let a = z.mapv(|z| z.max(0.0));
        let exp = (a.dot(&more) + theta.slice(s![w1 + 64..])).mapv(f64::exp);
        let y_hat = &exp / &exp.sum_axis(Axis(1)).insert_axis(Axis(1));
        let d = (y_hat - &y) / N as f64;
        let d_hidden = d.dot(&more.t()) * z.mapv(|z| if z > 0.0 { 1.0 } else { 0.0 });
        let flat = |m: Array2<f64>| m.as_standard_layout().iter().copied().collect::<Vec<_>>();
        let gradient: Array1<f64> = [
            flat(x.t().dot(&d_hidden)),
            flat(a.t().dot(&d)),
            d_hidden.sum_axis(Axis(0)).to_vec(),
            d.sum_axis(Axis(0)).to_vec(),
        ]
        .concat()
        .into();
        v = 0.9 * v - 0.1 * gradient;
        theta += &v;
    }
    theta
}

/// All weights, then all biases, from the parameters of layers one after the other.
fn weights_first(params: &Array1<f64>) -> Array1<f64> {
    let w0 = 784 * 64;
    let part = |from: usize, to: usize| params.slice(s![from..to]).to_vec();
    let (b0, w1) = (w0 + 64, w0 + 64 + 640);
    [part(0, w0), part(b0, w1), part(w0, b0), part(w1, params.len())].concat().into()
}

fn trained<F: Float, N: Network<F>>(mut network: N, threads: usize, steps: usize) -> N {
    let fit = Fit { batch_size: N, epochs: steps, threads, ..Fit::default() };
    network.fit(&images(), &fit, None, &mut train::silent).unwrap();
    network
}

fn assert_near(found: &Array1<f64>, expected: &Array1<f64>, tolerance: f64) {
    let far = (found - expected).iter().fold(0.0_f64, |far, d| far.max(d.abs()));
    assert!(far <= tolerance, "{far:e} is more than {tolerance:e}");
}

/// Both networks, in both precisions, by one thread and by three.
#[test]
fn fast_training_follows_the_formulas() {
    let wide = |params: &Array1<f32>| params.mapv(f64::from);
    for threads in [1, 3] {
        let expected = by_the_formulas(&images(), plain::<f64>().params(), 5);
        let network = trained(plain::<f64>(), threads, 5);
        assert_near(network.params(), &expected, 1e-12);
        let network = trained(plain::<f32>(), threads, 5);
        let from = wide(plain::<f32>().params());
        assert_near(&wide(network.params()), &by_the_formulas(&images(), &from, 5), 1e-6);

        let from = weights_first(layered::<f64>().params());
        let network = trained(layered::<f64>(), threads, 5);
        let expected = by_the_formulas(&images(), &from, 5);
        assert_near(&weights_first(network.params()), &expected, 1e-12);
        let from = weights_first(&wide(layered::<f32>().params()));
        let network = trained(layered::<f32>(), threads, 5);
        let expected = by_the_formulas(&images(), &from, 5);
        assert_near(&weights_first(&wide(network.params())), &expected, 1e-6);
    }
}

/// The same seed and the same number of threads: the same bits, whichever thread comes first.
#[test]
fn threads_that_skip_zeros_keep_the_same_bits() {
    for threads in [1, 2, 4] {
        let run = || {
            let mut network = plain::<f32>();
            let fit = Fit { batch_size: 32, epochs: 4, threads, seed: 5, ..Fit::default() };
            network.fit(&images(), &fit, None, &mut train::silent).unwrap();
            network.params().to_vec()
        };
        let first = run();
        assert!((0..3).all(|_| run() == first), "{threads} threads");
    }
}

/// A view of the weights is enough: they need not begin where an array begins.
#[test]
fn weights_may_begin_anywhere() {
    let x = mostly_black::<f32>(20, 80, 15, 1);
    let numbers = full::<f32>(1, 3 + 80 * 16, 2).into_raw_vec_and_offset().0;
    let w = ArrayView2::from_shape((80, 16), &numbers[3..]).unwrap();
    let mut y = Array2::zeros((20, 16));
    zeros::product(&x, &w, &mut y);
    assert_eq!(y, product(&x, &w.to_owned(), &Array2::zeros((20, 16))));
}

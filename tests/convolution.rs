//! Convolution and pooling beside their definitions, on every kind of shape; what they refuse;
//! files; speed is measured by chapter 7.

mod common;

use common::six_loops::{Slide, convolve, images, parameter_count, rows, run};
use common::*;
use gradus::check::{Check, Verdict};
use gradus::{
    Activate, AveragePool, CategoricalCrossEntropy, Convolution, Dense, Error, Fit, Flatten, Init,
    Layer, MaxPool, Mode, Momentum, Network, Output, Part, Pass, Relu, Samples, Sequential, Shape,
    Softmax, State, Tanh, layers, train,
};
use ndarray::{Array1, Array2, Array4, ArrayRef1, ArrayRef2, Axis, ShapeBuilder, array, s};

/// Kernel, stride, padding, image, channels in, channels out.
const SHAPES: [(Slide, (usize, usize), usize, usize); 9] = [
    (slide(1, 1, 0), (1, 1), 1, 1),
    (slide(2, 1, 0), (2, 2), 1, 1),
    (slide(3, 1, 0), (5, 4), 2, 3),
    (slide(3, 1, 1), (4, 6), 3, 2),
    (slide(3, 2, 1), (7, 6), 2, 4),
    (slide(2, 3, 0), (7, 9), 1, 9), // a stride that leaves pixels out
    (slide(5, 2, 4), (3, 2), 2, 2), // more padding than image
    (slide(4, 1, 2), (2, 9), 5, 8),
    (slide(7, 1, 0), (9, 8), 12, 3), // more columns than one piece of the way back
];

const fn slide(kernel: usize, stride: usize, padding: usize) -> Slide {
    Slide { kernel, stride, padding }
}

fn layer(slide: Slide, out: usize) -> Convolution {
    let layer = Convolution::new(out, slide.kernel, Init::He).unwrap();
    layer.stride(slide.stride).unwrap().padding(slide.padding).unwrap()
}

#[test]
fn convolution_layer_is_the_six_loops() {
    let mut rng = rng(71);
    for (slide, (h, w), c, out) in SHAPES {
        for n in [1, 3, 20] {
            let x = normal((n, h, w, c), 1.0, &mut rng);
            let k = slide.kernel;
            let weights = normal((k, k, c, out), 1.0, &mut rng);
            let biases = normal(out, 1.0, &mut rng);
            let params: Array1<f64> = weights.iter().chain(&biases).copied().collect();
            let expected = convolve(slide, &x, &weights, &biases);
            let d_y = normal(expected.raw_dim(), 1.0, &mut rng);
            let mut layer = layer(slide, out);
            let run = run(&mut layer, Shape::image(h, w, c), &params, &rows(&x), &rows(&d_y));
            assert_eq!(parameter_count::<f64>(&layer), params.len());
            assert_all_close(&images(&run.y, run.output), &expected, 1e-12);

            // Every product of the six loops, on its way back.
            let (mut d_x, mut d_w) = (Array4::zeros(x.raw_dim()), Array4::zeros(weights.raw_dim()));
            for ((s, i, j, o), d) in d_y.indexed_iter() {
                for ((a, b, c, w_o), w) in weights.indexed_iter() {
                    let row = slide.pixel(i, a, x.dim().1);
                    let column = slide.pixel(j, b, x.dim().2);
                    if let (true, Some(row), Some(column)) = (w_o == o, row, column) {
                        d_x[[s, row, column, c]] += d * w;
                        d_w[[a, b, c, o]] += d * x[[s, row, column, c]];
                    }
                }
            }
            let d_b = d_y.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0));
            let d_params: Array1<f64> = d_w.iter().chain(&d_b).copied().collect();
            assert_all_close(&rows(&d_x), &run.d_x, 1e-11);
            assert_all_close(&d_params, &run.d_params, 1e-11);
        }
    }
}

/// A batch in another order in memory gives the same, and neither does anybody have to ask for
/// ∂L/∂x.
#[test]
fn convolution_and_pooling_take_arrays_in_any_order() {
    let mut rng = rng(72);
    let input = Shape::image(6, 5, 2);
    let x = normal((4, 60), 1.0, &mut rng);
    let mut turned = Array2::zeros((4, 60).f());
    turned.assign(&x);
    assert!(turned.as_slice().is_none());
    let layers: [Box<dyn Layer<f64>>; 3] = [
        Box::new(layer(slide(3, 1, 1), 3)),
        Box::new(MaxPool::new(2).unwrap()),
        Box::new(AveragePool::new(3).unwrap().stride(1).unwrap()),
    ];
    for mut layer in layers {
        let output = layer.accept(input).unwrap();
        let params = normal(parameter_count(&*layer), 1.0, &mut rng);
        let d_y = normal((4, output.len()), 1.0, &mut rng);
        let mut d_y_turned = Array2::zeros((4, output.len()).f());
        d_y_turned.assign(&d_y);
        let one = run(&mut layer, input, &params, &x, &d_y);
        let other = run(&mut layer, input, &params, &turned, &d_y_turned);
        assert_eq!(one.y, other.y);
        assert_eq!(one.d_x, other.d_x);
        assert_eq!(one.d_params, other.d_params);

        let mut d_params = Array1::from_elem(params.len(), f64::NAN);
        let pass =
            Pass { params: params.view(), x: x.view(), y: one.y.view(), kept: one.kept.view() };
        layer.backward_into(&pass, &d_y, None, &mut d_params);
        assert_eq!(one.d_params, d_params);
    }
}

#[test]
fn pooling_layers_are_their_definitions() {
    let mut rng = rng(73);
    for (size, stride, (h, w), c) in [
        (1, 1, (1, 1), 1),
        (2, 2, (4, 6), 3),
        (2, 2, (5, 7), 2), // a row and a column are left out
        (3, 1, (5, 4), 2), // windows overlap
        (3, 2, (8, 7), 1),
        (2, 3, (8, 9), 4), // pixels between windows are left out
    ] {
        let slide = slide(size, stride, 0);
        let x = normal((3, h, w, c), 1.0, &mut rng);
        let shape = (3, slide.places(h), slide.places(w), c);
        let d_y = normal(shape, 1.0, &mut rng);
        let (mut y, mut d_x) = (Array4::zeros(shape), Array4::zeros(x.raw_dim()));
        let (mut mean, mut d_x_mean) = (Array4::zeros(shape), Array4::zeros(x.raw_dim()));
        for ((n, i, j, c), &d) in d_y.indexed_iter() {
            let (i0, j0) = (i * stride, j * stride);
            let window = x.slice(s![n, i0..i0 + size, j0..j0 + size, c]);
            let ((a, b), max) =
                window.indexed_iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap();
            y[[n, i, j, c]] = *max;
            d_x[[n, i0 + a, j0 + b, c]] += d;
            mean[[n, i, j, c]] = window.mean().unwrap();
            let mut d_window = d_x_mean.slice_mut(s![n, i0..i0 + size, j0..j0 + size, c]);
            d_window += d / (size * size) as f64;
        }
        let none = Array1::zeros(0);
        let input = Shape::image(h, w, c);
        let mut max_pool = MaxPool::new(size).unwrap().stride(stride).unwrap();
        let max = run(&mut max_pool, input, &none, &rows(&x), &rows(&d_y));
        assert_eq!(max.y, rows(&y));
        assert_all_close(&max.d_x, &rows(&d_x), 1e-14);
        let mut average_pool = AveragePool::new(size).unwrap().stride(stride).unwrap();
        let average = run(&mut average_pool, input, &none, &rows(&x), &rows(&d_y));
        assert_all_close(&average.y, &rows(&mean), 1e-14);
        assert_all_close(&average.d_x, &rows(&d_x_mean), 1e-14);
    }
}

#[test]
fn pooling_windows_do_not_overlap_unless_told_to() {
    let mut pool = MaxPool::new(2).unwrap();
    assert_eq!(
        Layer::<f64>::accept(&mut pool, Shape::image(9, 6, 5)).unwrap(),
        Shape::image(4, 3, 5)
    );
    let mut pool = AveragePool::new(3).unwrap();
    assert_eq!(
        Layer::<f64>::accept(&mut pool, Shape::image(9, 6, 5)).unwrap(),
        Shape::image(3, 2, 5)
    );
}

#[test]
fn max_pool_lets_nan_and_infinities_pass() {
    let input = Shape::image(2, 4, 1);
    let x = array![
        [1.0, f64::NAN, 2.0, f64::NEG_INFINITY, f64::NAN, 9.0, f64::INFINITY, 3.0],
        [
            -1.0,
            -2.0,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
            -3.0,
            -4.0,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY
        ],
    ];
    let d_y = array![[10.0, 20.0], [30.0, 40.0]];
    let mut pool = MaxPool::new(2).unwrap();
    let run = run(&mut pool, input, &Array1::zeros(0), &x, &d_y);
    assert!(run.y[[0, 0]].is_nan());
    assert_eq!(run.y[[0, 1]], f64::INFINITY);
    assert_eq!(run.y.row(1), array![-1.0, f64::NEG_INFINITY]);
    let expected = array![
        [0.0, 10.0, 0.0, 0.0, 0.0, 0.0, 20.0, 0.0],
        [30.0, 0.0, 40.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    ];
    assert_eq!(run.d_x, expected);
}

/// f32 takes the same code: the same numbers to the digits it has.
#[test]
fn convolution_in_f32_is_that_in_f64() {
    let mut rng = rng(74);
    let (x, params) = (normal((3, 8 * 8 * 3), 1.0, &mut rng), normal(27 * 4 + 4, 0.3, &mut rng));
    let d_y = normal((3, 8 * 8 * 4), 1.0, &mut rng);
    let mut layer = layer(slide(3, 1, 1), 4);
    let input = Shape::image(8, 8, 3);
    let exact = run(&mut layer, input, &params, &x, &d_y);
    let single = |x: &Array2<f64>| x.mapv(|x| x as f32);
    let rounded = run(&mut layer, input, &params.mapv(|x| x as f32), &single(&x), &single(&d_y));
    assert_all_close(&rounded.y.mapv(f64::from), &exact.y, 1e-5);
    assert_all_close(&rounded.d_x.mapv(f64::from), &exact.d_x, 1e-5);
    assert_all_close(&rounded.d_params.mapv(f64::from), &exact.d_params, 1e-5);
}

/// He and LeCun count what comes in, Glorot also what a pixel goes out to: kernel² windows, as
/// the literature (and PyTorch) has it.
#[test]
fn convolution_draws_its_weights_with_the_right_variance() {
    let (kernel, channels, out) = (5, 6, 40);
    let (fan_in, fan_out) = (kernel * kernel * channels, kernel * kernel * out);
    for (init, variance) in [
        (Init::He, 2.0 / fan_in as f64),
        (Init::LeCun, 1.0 / fan_in as f64),
        (Init::GlorotNormal, 2.0 / (fan_in + fan_out) as f64),
        (Init::GlorotUniform, 2.0 / (fan_in + fan_out) as f64),
        (Init::Lazar, 1.0 / (fan_in + fan_out) as f64),
    ] {
        let mut layer = Convolution::new(out, kernel, init).unwrap();
        Layer::<f64>::accept(&mut layer, Shape::image(9, 9, channels)).unwrap();
        let mut params = Array1::<f64>::zeros(parameter_count::<f64>(&layer));
        layer.initialise(&mut params, &mut rng(75));
        let weights = params.slice(s![..fan_in * out]);
        let biases = params.slice(s![fan_in * out..]);
        // 6000 numbers: their variance is known to about 2 %, that of 40 biases to 22 %.
        assert_close(weights.mapv(|w| w * w).mean().unwrap() / variance, 1.0, 0.08);
        if init == Init::Lazar {
            assert_close(biases.mapv(|b| b * b).mean().unwrap() / variance, 1.0, 0.6);
        } else {
            assert!(biases.iter().all(|&b| b == 0.0));
        }
    }
}

fn small_network(seed: u64) -> Sequential<f64> {
    let layers = layers![
        Convolution::new(3, 3, Init::He).unwrap().padding(1).unwrap(),
        Activate(Relu),
        MaxPool::new(2).unwrap(),
        Convolution::new(4, 2, Init::GlorotUniform).unwrap().stride(2).unwrap(),
        Activate(Tanh),
        AveragePool::new(2).unwrap().stride(1).unwrap(),
        Flatten,
        Dense::new(3, Init::He).unwrap(),
        Output(Softmax),
    ];
    let optimizer = Momentum::new(0.1, 0.9).unwrap();
    Sequential::new(Shape::image(8, 9, 2), layers, CategoricalCrossEntropy, optimizer, seed)
        .unwrap()
}

fn small_samples(n: usize) -> Samples<f64> {
    let mut rng = rng(76);
    let x = normal((n, 8 * 9 * 2), 1.0, &mut rng);
    let labels = labels(n, 3, &mut rng);
    let y = gradus::one_hot(&labels, 3).unwrap();
    Samples::new(x, y).unwrap()
}

#[test]
fn network_with_convolutions_passes_the_gradient_check() {
    let mut network = small_network(5);
    let samples = small_samples(6);
    let (_, gradient) = network.loss_and_gradient(samples.x(), samples.y()).unwrap();
    let at = network.params().clone();
    let f = |params: &ArrayRef1<f64>| {
        network.set_params(params).unwrap();
        network.loss_and_gradient(samples.x(), samples.y()).unwrap().0
    };
    let verdict = Check::default().gradient(f, &at, &gradient).unwrap();
    assert!(verdict.passed, "{verdict}");
    assert!(gradient.iter().all(|&g| g != 0.0), "every parameter takes part");
}

#[test]
fn network_with_convolutions_comes_back_from_a_file_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let samples = small_samples(40);
    let fit = Fit { batch_size: 7, epochs: 2, ..Fit::default() };
    let mut network = small_network(6);
    network.fit(&samples, &fit, None, &mut train::silent).unwrap();
    network.save(&path).unwrap();
    let mut loaded = Sequential::<f64>::load(&path).unwrap();
    assert_eq!(loaded.params(), network.params());
    assert_eq!(loaded.predict(samples.x()).unwrap(), network.predict(samples.x()).unwrap());
    for i in 0..network.layers().len() {
        assert_eq!(loaded.output_shape(i), network.output_shape(i));
        assert_eq!(loaded.layers()[i].state(), network.layers()[i].state());
    }
    for network in [&mut network, &mut loaded] {
        network.fit(&samples, &fit, None, &mut train::silent).unwrap();
    }
    assert_eq!(loaded.params(), network.params());
}

#[test]
fn convolution_and_pooling_refuse_what_makes_no_sense() {
    let said = |result: Result<_, Error>| match result {
        Ok(()) => panic!("accepted"),
        Err(error) => error.to_string(),
    };
    let new = |channels, kernel| Convolution::new(channels, kernel, Init::He);
    assert_eq!(said(new(0, 3).map(drop)), "the number of channels must be at least 1, but is 0");
    assert_eq!(said(new(3, 0).map(drop)), "the size of the kernel must be at least 1, but is 0");
    let stride = new(1, 3).unwrap().stride(0);
    assert_eq!(said(stride.map(drop)), "the stride must be at least 1, but is 0");
    let padding = new(1, 3).unwrap().padding(3);
    assert_eq!(
        said(padding.map(drop)),
        "the padding must be less than the size of the kernel, which would see nothing of the \
         image, but is 3"
    );
    assert_eq!(
        said(MaxPool::new(0).map(drop)),
        "the size of a window must be from 1 to 4096, but is 0"
    );
    let stride = AveragePool::new(2).unwrap().stride(0);
    assert_eq!(said(stride.map(drop)), "the stride must be at least 1, but is 0");

    let accept = |layer: &mut dyn Layer<f64>, shape| said(layer.accept(shape).map(drop));
    let vector = accept(&mut new(1, 3).unwrap(), Shape::Vector(9));
    assert_eq!(vector, "takes an image, but is given a vector of 9");
    let small = accept(&mut new(1, 5).unwrap().padding(1).unwrap(), Shape::image(3, 2, 4));
    assert_eq!(small, "takes an image of at least 3×3 pixels, but is given an image of 3×2×4");
    let pool = accept(&mut MaxPool::new(3).unwrap(), Shape::image(2, 9, 1));
    assert_eq!(pool, "takes an image of at least 3×3 pixels, but is given an image of 2×9×1");
    accept(&mut AveragePool::new(3).unwrap(), Shape::Vector(9));
}

/// Sizes that overflow are errors, in whatever way they are combined.
#[test]
fn convolution_refuses_sizes_that_overflow() {
    let sizes = [1, 2, 3, 1 << 20, 1 << 31, 1 << 32, 1 << 58, usize::MAX / 2, usize::MAX];
    let mut accepted = 0;
    for kernel in sizes {
        for padding in sizes.map(|size| size - 1) {
            for side in sizes {
                for channels in sizes {
                    let layer = Convolution::new(channels, kernel, Init::He).unwrap();
                    let Ok(layer) = layer.padding(padding) else { continue };
                    for stride in [1, 2, usize::MAX] {
                        let mut layer = layer.clone().stride(stride).unwrap();
                        let shape = Shape::image(side, 3, channels);
                        let Ok(output) = Layer::<f64>::accept(&mut layer, shape) else { continue };
                        if output.checked_len().is_some() && channels < 4 {
                            accepted += 1;
                            assert!(!output.is_empty());
                            assert!(Layer::<f64>::room(&layer, 1) > 0);
                        }
                    }
                    let mut pool = MaxPool::new(kernel.min(4096)).unwrap();
                    let _ = Layer::<f64>::accept(&mut pool, Shape::image(side, side, channels));
                }
            }
        }
    }
    assert!(accepted > 20, "{accepted}");
}

#[test]
fn convolution_state_in_a_file_is_checked() {
    let mut layer = Convolution::new(1, 1, Init::He).unwrap();
    let state = |channels: f64, kernel: f64, stride: f64, padding: f64| {
        State::<f64>::default()
            .with_number("channels", channels)
            .with_number("kernel", kernel)
            .with_number("stride", stride)
            .with_number("padding", padding)
    };
    layer.restore(state(4.0, 3.0, 2.0, 1.0)).unwrap();
    assert_eq!(layer.state(), state(4.0, 3.0, 2.0, 1.0));
    for wrong in [
        state(0.0, 3.0, 2.0, 1.0),
        state(4.0, 0.0, 2.0, 0.0),
        state(4.0, 3.0, 0.0, 1.0),
        state(4.0, 3.0, 2.0, 3.0),
        state(4.0, 3.5, 2.0, 1.0),
        state(4.0, 3.0, -2.0, 1.0),
        state(4.0, 3.0, f64::NAN, 1.0),
        state(4.0, 3.0, 2.0, 1.0).with_number("flipped", 1.0),
        State::default().with_number("channels", 4.0),
    ] {
        assert!(layer.restore(wrong.clone()).is_err(), "{wrong:?}");
    }
    // A state that was refused changes nothing.
    assert_eq!(layer.state(), state(4.0, 3.0, 2.0, 1.0));

    let mut pool = MaxPool::new(1).unwrap();
    let state = |size: f64, stride: f64| {
        State::<f64>::default().with_number("size", size).with_number("stride", stride)
    };
    pool.restore(state(3.0, 1.0)).unwrap();
    assert_eq!(pool.state(), state(3.0, 1.0));
    assert!(Part::<f64>::restore(&mut pool, state(0.0, 1.0)).is_err());
    assert!(Part::<f64>::restore(&mut pool, state(1.0, 0.0)).is_err());
}

#[test]
fn no_samples_are_no_trouble() {
    let input = Shape::image(4, 4, 1);
    let mut layer = layer(slide(3, 1, 1), 8);
    let params = Array1::from_elem(80, 1.0);
    let run = run(&mut layer, input, &params, &Array2::zeros((0, 16)), &Array2::zeros((0, 128)));
    assert_eq!(run.y.dim(), (0, 128));
    assert_eq!(run.d_params, Array1::<f64>::zeros(80));
    let mode = Mode::Predict;
    let mut y = Array2::<f64>::zeros((0, 4));
    let mut pool = MaxPool::new(2).unwrap();
    Layer::<f64>::accept(&mut pool, input).unwrap();
    let (none, x) = (Array1::zeros(0), Array2::zeros((0, 16)));
    pool.forward_into(mode, &none, &x, &mut y, &mut Array1::zeros(0));
}

/// The largest window whose pixels can be told apart in f32: the last of 2²⁴ is the maximum.
#[test]
fn max_pool_routes_to_the_last_pixel_of_the_largest_window() {
    let side = 4096;
    assert!(MaxPool::new(side + 1).is_err());
    let mut pool = MaxPool::new(side).unwrap();
    let mut x = Array2::<f32>::zeros((1, side * side));
    x[[0, side * side - 1]] = 1.0;
    let input = Shape::image(side, side, 1);
    let run = run(&mut pool, input, &Array1::zeros(0), &x, &array![[5.0]]);
    assert_eq!(run.d_x[[0, side * side - 1]], 5.0);
    assert_eq!(run.d_x.sum(), 5.0);
}

/// Aflak's convolution, as a layer: the bias is added once for each input channel, and its
/// gradient multiplied by the number of output channels.
#[derive(Debug)]
struct BiasForEachChannel {
    right: Convolution,
    inputs: usize,
    outputs: usize,
}

impl BiasForEachChannel {
    fn new(outputs: usize) -> Self {
        let right = Convolution::new(outputs, 3, Init::He).unwrap();
        Self { right, inputs: 0, outputs }
    }
}

impl Part<f64> for BiasForEachChannel {
    fn name(&self) -> &str {
        "bias_for_each_channel"
    }
}

impl Layer<f64> for BiasForEachChannel {
    fn accept(&mut self, input: Shape) -> gradus::Result<Shape> {
        self.inputs = input.channels();
        Layer::<f64>::accept(&mut self.right, input)
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        Layer::<f64>::parameters(&self.right)
    }

    fn room(&self, rows: usize) -> usize {
        Layer::<f64>::room(&self.right, rows)
    }

    fn forward_into(
        &self,
        mode: Mode,
        params: &ArrayRef1<f64>,
        x: &ArrayRef2<f64>,
        y: &mut ArrayRef2<f64>,
        kept: &mut ArrayRef1<f64>,
    ) {
        let mut params = params.to_owned();
        let biases = params.len() - self.outputs;
        params.slice_mut(s![biases..]).mapv_inplace(|b| self.inputs as f64 * b);
        self.right.forward_into(mode, &params, x, y, kept);
    }

    fn backward_into(
        &self,
        pass: &Pass<f64>,
        d_y: &ArrayRef2<f64>,
        d_x: Option<&mut ArrayRef2<f64>>,
        d_params: &mut ArrayRef1<f64>,
    ) {
        self.right.backward_into(pass, d_y, d_x, d_params);
        let biases = d_params.len() - self.outputs;
        d_params.slice_mut(s![biases..]).mapv_inplace(|d| self.outputs as f64 * d);
    }
}

/// A layer by itself against central differences: L = Σ y r, with random r.
fn layer_check(layer: &mut dyn Layer<f64>, input: Shape) -> Verdict {
    let mut rng = rng(77);
    let output = layer.accept(input).unwrap();
    let params = normal(parameter_count(layer), 1.0, &mut rng);
    let x = normal((3, input.len()), 1.0, &mut rng);
    let r = normal((3, output.len()), 1.0, &mut rng);
    let d_params = run(layer, input, &params, &x, &r).d_params;
    let loss = |params: &ArrayRef1<f64>| (run(layer, input, params, &x, &r).y * &r).sum();
    Check::default().gradient(loss, &params, &d_params).unwrap()
}

#[test]
fn published_bias_for_each_channel_fails_the_layer_check() {
    for (inputs, outputs) in [(1, 2), (2, 3), (1, 8), (3, 2)] {
        let input = Shape::image(5, 4, inputs);
        let right = layer_check(&mut layer(slide(3, 1, 0), outputs), input);
        assert!(right.passed, "{right}");
        let wrong = layer_check(&mut BiasForEachChannel::new(outputs), input);
        assert!(!wrong.passed, "{wrong}");
        assert_close(wrong.derived / wrong.measured, outputs as f64 / inputs as f64, 1e-6);
    }
    // As many channels on both sides: the two mistakes cancel, and nobody notices.
    for channels in [1, 3] {
        let hidden =
            layer_check(&mut BiasForEachChannel::new(channels), Shape::image(5, 4, channels));
        assert!(hidden.passed, "{hidden}");
    }
}

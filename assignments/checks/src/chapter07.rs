//! Chapter 7: convolution.

mod variants;

use gradus::{Convolution, Init, Layer, MaxPool, Mode, Pass, Shape};
use ndarray::{Array, Array1, Array2, Array3, Array4, ArrayRef, Dimension, array, s};
use rand::RngExt;
use signatures::chapter07::{Functions, call};

use crate::chapter::Chapter;
use crate::question::Ask;

/// What the library's layers say.
const REFERENCE: Functions = Functions {
    output_size: |side, kernel, stride, padding| {
        let mut layer = convolution(1, kernel, stride, padding);
        match Layer::<f64>::accept(&mut layer, Shape::image(side, side, 1)) {
            Ok(Shape::Image { height, .. }) => Some(height),
            _ => None,
        }
    },
    convolve_image: |x, w, bias, stride, padding| {
        let layer = convolution(bias.len(), w.dim().0, stride, padding);
        let params = one_row(w).into_iter().chain(bias.iter().copied()).collect();
        Seen::new(layer, x, params).y
    },
    im2col: |x, kernel, stride| {
        let y = Seen::new(copying(x.dim().2, kernel, stride), x, every_pixel(x.dim().2, kernel)).y;
        let (height, width, columns) = y.dim();
        y.into_shape_with_order((height * width, columns)).expect("one row for each place")
    },
    col2im: |columns, (height, width), kernel, stride| {
        let channels = columns.ncols() / (kernel * kernel);
        let x = Array3::zeros((height, width, channels));
        let layer = copying(channels, kernel, stride);
        let seen = Seen::new(layer, &x, every_pixel(channels, kernel));
        let d_y = columns.clone().into_shape_with_order(seen.y.dim()).expect("the same numbers");
        seen.back(&d_y).0
    },
    kernel_gradient: |x, d_y, kernel, stride| {
        let (inputs, outputs) = (x.dim().2, d_y.dim().2);
        let weights = kernel * kernel * inputs * outputs;
        let layer = convolution(outputs, kernel, stride, 0);
        let (_, d_params) = Seen::new(layer, x, Array1::zeros(weights + outputs)).back(d_y);
        let d_w = d_params.slice(s![..weights]).to_owned();
        let d_w = d_w.into_shape_with_order((kernel, kernel, inputs, outputs)).expect("weights");
        (d_w, d_params.slice(s![weights..]).to_owned())
    },
    max_pool: |x, size, stride| Seen::new(pool(size, stride), x, Array1::zeros(0)).y,
    max_pool_backward: |x, d_y, size, stride| {
        Seen::new(pool(size, stride), x, Array1::zeros(0)).back(d_y).0
    },
};

fn convolution(channels: usize, kernel: usize, stride: usize, padding: usize) -> Convolution {
    let layer = Convolution::new(channels, kernel, Init::He).and_then(|layer| layer.stride(stride));
    layer.and_then(|layer| layer.padding(padding)).expect("settings")
}

fn pool(size: usize, stride: usize) -> MaxPool {
    MaxPool::new(size).and_then(|layer| layer.stride(stride)).expect("settings")
}

/// The convolution that has an output channel for every number of a window.
fn copying(channels: usize, kernel: usize, stride: usize) -> Convolution {
    convolution(kernel * kernel * channels, kernel, stride, 0)
}

/// The parameters with which it writes every number of a window down.
fn every_pixel(channels: usize, kernel: usize) -> Array1<f64> {
    let columns = kernel * kernel * channels;
    one_row(&Array2::eye(columns)).into_iter().chain(std::iter::repeat_n(0.0, columns)).collect()
}

/// All numbers, in the order of their indices.
fn one_row<D: Dimension>(array: &ArrayRef<f64, D>) -> Array1<f64> {
    array.iter().copied().collect()
}

/// A layer that has seen one image.
struct Seen<L> {
    layer: L,
    params: Array1<f64>,
    x: Array2<f64>,
    shape: (usize, usize, usize),
    y: Array3<f64>,
    kept: Array1<f64>,
}

impl<L: Layer<f64>> Seen<L> {
    fn new(mut layer: L, x: &Array3<f64>, params: Array1<f64>) -> Self {
        let shape = x.dim();
        let output = layer.accept(Shape::image(shape.0, shape.1, shape.2));
        let Ok(Shape::Image { height, width, channels }) = output else {
            panic!("an image comes out of an image, not {output:?}")
        };
        let x = rows_of(one_row(x));
        let mut y = Array2::zeros((1, height * width * channels));
        let mut kept = Array1::zeros(layer.room(1));
        layer.forward_into(Mode::Predict, &params, &x, &mut y, &mut kept);
        let y = y.into_shape_with_order((height, width, channels)).expect("an image");
        Self { layer, params, x, shape, y, kept }
    }

    /// ∂L/∂x and ∂L/∂θ.
    fn back(&self, d_y: &Array3<f64>) -> (Array3<f64>, Array1<f64>) {
        let (d_y, y) = (rows_of(one_row(d_y)), rows_of(one_row(&self.y)));
        let (mut d_x, mut d_params) = (Array2::zeros(self.x.dim()), self.params.clone());
        let (params, kept) = (self.params.view(), self.kept.view());
        let pass = Pass { params, x: self.x.view(), y: y.view(), kept };
        self.layer.backward_into(&pass, &d_y, Some(&mut d_x), &mut d_params);
        (d_x.into_shape_with_order(self.shape).expect("an image"), d_params)
    }
}

/// One sample as a batch.
fn rows_of(x: Array1<f64>) -> Array2<f64> {
    let columns = x.len();
    x.into_shape_with_order((1, columns)).expect("one row")
}

/// The assignment of chapter 7: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 7,
    exercises: include_str!("../../chapter07/exercises.toml"),
    checks: &[
        ("output_size", output_size),
        ("convolve_image", convolve_image),
        ("im2col", im2col),
        ("col2im", col2im),
        ("kernel_gradient", kernel_gradient),
        ("max_pool", max_pool),
        ("max_pool_backward", max_pool_backward),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: variants::all,
};

/// An image with one channel.
fn grey<const N: usize, const M: usize>(rows: [[f64; M]; N]) -> Array3<f64> {
    Array3::from_shape_fn((N, M, 1), |(i, j, _)| rows[i][j])
}

fn output_size(ask: &mut Ask<'_>) {
    for (arguments, right, case) in [
        ((28, 5, 1, 0), Some(24), ""),
        ((7, 3, 1, 1), Some(7), "as many places as pixels"),
        ((28, 3, 2, 1), Some(14), "the last step leaves a pixel over"),
        ((5, 2, 2, 0), Some(2), "the last step leaves a pixel over"),
        ((9, 3, 2, 0), Some(4), "nothing is left over"),
        ((10, 3, 4, 1), Some(3), "the last step leaves a pixel over"),
        ((5, 5, 1, 0), Some(1), "the window is as large as the image"),
        ((5, 5, 3, 0), Some(1), "the window is as large as the image"),
        ((3, 5, 1, 1), Some(1), "the window is as large as image and padding"),
        ((3, 5, 1, 0), None, "the window is larger than the image"),
        ((3, 6, 2, 1), None, "the window is larger than image and padding"),
        ((1, 9, 1, 3), None, "the window is larger than image and padding"),
    ] {
        let (side, kernel, stride, padding) = arguments;
        let asked = ask.call(call::output_size(side, kernel, stride, padding));
        asked.case(case).returns(&right);
    }
    for _ in 0..6 {
        let kernel = ask.draw.rng.random_range(2..6);
        let side = kernel + ask.draw.rng.random_range(3..20);
        let stride = ask.draw.rng.random_range(1..5);
        let padding = ask.draw.rng.random_range(0..kernel);
        ask.call(call::output_size(side, kernel, stride, padding));
    }
}

fn convolve_image(ask: &mut Ask<'_>) {
    // Worked out by hand: 1·1 + 0·2 + 2·4 − 1·5 + 10 is the first.
    let x = grey([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
    let w = Array4::from_shape_vec((2, 2, 1, 1), vec![1.0, 0.0, 2.0, -1.0]).expect("four weights");
    let y = grey([[14.0, 16.0], [20.0, 22.0]]);
    ask.call(call::convolve_image(&x, &w, &array![10.0], 1, 0)).returns(&y);
    let y = grey([[9.0, 11.0], [3.0, 22.0]]);
    ask.call(call::convolve_image(&x, &w, &array![10.0], 2, 1))
        .case("stride 2 and padding 1")
        .returns(&y);
    for ((height, width), (inputs, outputs), (kernel, stride, padding), case) in [
        ((4, 5), (1, 1), (3, 1, 0), "one channel"),
        ((4, 5), (2, 3), (3, 1, 0), "several channels"),
        ((4, 3), (3, 2), (2, 1, 1), "padding"),
        ((6, 5), (2, 2), (2, 2, 0), "a stride that leaves a pixel over"),
        ((5, 6), (2, 2), (3, 2, 2), "stride and padding"),
        ((3, 4), (3, 2), (1, 1, 0), "a kernel of one pixel"),
        ((3, 3), (2, 2), (3, 1, 0), "a kernel as large as the image"),
    ] {
        let x = ask.draw.normal((height, width, inputs), 1.0);
        let w = ask.draw.normal((kernel, kernel, inputs, outputs), 1.0);
        let bias = ask.draw.normal(outputs, 1.0);
        ask.call(call::convolve_image(&x, &w, &bias, stride, padding)).case(case);
    }
}

/// Images for windows: size, channels, kernel, stride, and what is special.
type Windows = ((usize, usize), usize, (usize, usize), &'static str);

const WINDOWS: [Windows; 6] = [
    ((3, 4), 1, (2, 1), "one channel"),
    ((4, 3), 2, (2, 1), "two channels"),
    ((4, 4), 3, (3, 1), "windows that overlap in two directions"),
    ((5, 4), 2, (2, 2), "windows side by side, and a row left over"),
    ((5, 7), 2, (3, 2), "windows that overlap, with a stride of 2"),
    ((4, 7), 1, (2, 3), "gaps between the windows"),
];

fn im2col(ask: &mut Ask<'_>) {
    let x = Array3::from_shape_fn((2, 3, 2), |(i, j, c)| (10 * i + j) as f64 + c as f64 / 2.0);
    let columns = array![
        [0.0, 0.5, 1.0, 1.5, 10.0, 10.5, 11.0, 11.5],
        [1.0, 1.5, 2.0, 2.5, 11.0, 11.5, 12.0, 12.5],
    ];
    ask.call(call::im2col(&x, 2, 1)).returns(&columns);
    for ((height, width), channels, (kernel, stride), case) in WINDOWS {
        let x = ask.draw.normal((height, width, channels), 1.0);
        ask.call(call::im2col(&x, kernel, stride)).case(case);
    }
}

fn col2im(ask: &mut Ask<'_>) {
    // The pixel in the middle of each row is seen by both windows.
    let columns = array![[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]];
    let x = grey([[1.0, 12.0, 20.0], [3.0, 34.0, 40.0]]);
    ask.call(call::col2im(&columns, (2, 3), 2, 1)).returns(&x);
    for ((height, width), channels, (kernel, stride), case) in WINDOWS {
        let places = |side: usize| (side - kernel) / stride + 1;
        let shape = (places(height) * places(width), kernel * kernel * channels);
        let columns = ask.draw.normal(shape, 1.0);
        ask.call(call::col2im(&columns, (height, width), kernel, stride)).case(case);
    }
}

fn kernel_gradient(ask: &mut Ask<'_>) {
    let x = grey([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let d_y = grey([[10.0, -1.0]]);
    let d_w = Array4::from_shape_vec((2, 2, 1, 1), vec![8.0, 17.0, 35.0, 44.0]).expect("weights");
    ask.call(call::kernel_gradient(&x, &d_y, 2, 1)).returns(&(d_w, array![9.0]));
    for ((height, width), (inputs, outputs), (kernel, stride), case) in [
        ((4, 5), (1, 2), (3, 1), "from one channel to two"),
        ((4, 3), (2, 3), (2, 1), "from two channels to three"),
        ((3, 4), (3, 1), (2, 1), "from three channels to one"),
        ((5, 6), (2, 2), (2, 2), "a stride that leaves a row over"),
        ((5, 8), (1, 3), (3, 2), "a stride of 2"),
        ((3, 3), (2, 2), (3, 1), "a single place"),
    ] {
        let x = ask.draw.normal((height, width, inputs), 1.0);
        let places = |side: usize| (side - kernel) / stride + 1;
        let d_y = ask.draw.normal((places(height), places(width), outputs), 1.0);
        ask.call(call::kernel_gradient(&x, &d_y, kernel, stride)).case(case);
    }
}

fn max_pool(ask: &mut Ask<'_>) {
    let x = grey([
        [1.0, 3.0, -2.0, -6.0, 9.0],
        [4.0, 0.0, -1.0, -2.0, 9.0],
        [0.0, -1.0, 5.0, 6.0, 9.0],
        [-2.0, -3.0, 8.0, 7.0, 9.0],
    ]);
    ask.call(call::max_pool(&x, 2, 2)).returns(&grey([[4.0, -1.0], [0.0, 8.0]]));
    let less = x.slice(s![.., ..4, ..]).to_owned();
    let y = grey([[4.0, 3.0, -1.0], [4.0, 5.0, 6.0], [0.0, 8.0, 8.0]]);
    ask.call(call::max_pool(&less, 2, 1)).case("windows that overlap").returns(&y);
    for ((height, width), channels, (size, stride), case) in WINDOWS {
        let x = ask.draw.normal((height, width, channels), 1.0);
        ask.call(call::max_pool(&x, size, stride)).case(case);
    }
    let x = ask.draw.uniform((4, 4, 2), -3.0, -1.0);
    ask.call(call::max_pool(&x, 2, 2)).case("all numbers are negative");
}

fn max_pool_backward(ask: &mut Ask<'_>) {
    let x = grey([
        [1.0, 3.0, 2.0, 2.0],
        [4.0, 0.0, 1.0, 2.0],
        [0.0, -1.0, 5.0, 6.0],
        [-2.0, -3.0, 8.0, 7.0],
    ]);
    let d_y = grey([[10.0, 20.0], [30.0, 40.0]]);
    let d_x = grey([
        [0.0, 0.0, 20.0, 0.0],
        [10.0, 0.0, 0.0, 0.0],
        [30.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 40.0, 0.0],
    ]);
    ask.call(call::max_pool_backward(&x, &d_y, 2, 2))
        .case("a tie in the window on the upper right")
        .returns(&d_x);
    let x = grey([[1.0, 2.0, 3.0], [4.0, 9.0, 5.0], [6.0, 7.0, 8.0]]);
    let d_x = grey([[0.0, 0.0, 0.0], [0.0, 100.0, 0.0], [0.0, 0.0, 0.0]]);
    ask.call(call::max_pool_backward(&x, &d_y, 2, 1))
        .case("one number is the largest of four windows")
        .returns(&d_x);
    for ((height, width), channels, (size, stride), case) in WINDOWS {
        let x = ask.draw.normal((height, width, channels), 1.0);
        let places = |side: usize| (side - size) / stride + 1;
        let d_y = ask.draw.normal((places(height), places(width), channels), 1.0);
        ask.call(call::max_pool_backward(&x, &d_y, size, stride)).case(case);
    }
    // Zeros as ReLU leaves them.
    let x = ask.draw.normal((4, 4, 2), 1.0).mapv(|v: f64| if v < 0.7 { 0.0 } else { v });
    let d_y: Array<f64, _> = ask.draw.normal((2, 2, 2), 1.0);
    ask.call(call::max_pool_backward(&x, &d_y, 2, 2)).case("behind ReLU, with many zeros");
}

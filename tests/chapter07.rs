//! The equations of chapter 7.
//!
//! Everything is counted from 0. An image x has h × u pixels of d channels, a kernel has k × k
//! pixels, and m channels go out. A window stands at place (i, j) of h′ × u′; (r, t) is a pixel
//! of the kernel, c a channel that comes in, and o one that goes out. x̃ is x with its padding.

mod common;

use common::six_loops::{Run, Slide, convolve, images, parameter_count, rows, run};
use common::*;
use gradus::{
    Activation, AveragePool, Convolution, Dense, Flatten, Init, Layer, MaxPool, Relu, Shape, Tanh,
};
use ndarray::{Array1, Array2, Array3, Array4, ArrayRef2, Axis, array, s};
use rand::rngs::ChaCha8Rng;

const fn slide(kernel: usize, stride: usize, padding: usize) -> Slide {
    Slide { kernel, stride, padding }
}

/// Kernel, stride and padding; height, width and channels of the image; channels that go out.
const CASES: [(Slide, [usize; 3], usize); 6] = [
    (slide(2, 1, 0), [3, 3, 1], 1),
    (slide(3, 1, 0), [5, 4, 2], 3),
    (slide(3, 1, 1), [4, 5, 3], 2),
    (slide(3, 2, 1), [6, 7, 2], 4),
    (slide(2, 3, 0), [7, 5, 1], 2),
    (slide(4, 2, 3), [3, 5, 2], 1),
];

/// The library's layer.
fn layer(slide: Slide, m: usize) -> Convolution {
    let layer = Convolution::new(m, slide.kernel, Init::He).unwrap();
    layer.stride(slide.stride).unwrap().padding(slide.padding).unwrap()
}

/// A random convolution with random images and ∂L/∂y.
#[derive(Debug)]
struct Case {
    slide: Slide,
    x: Array4<f64>,
    w: Array4<f64>,
    b: Array1<f64>,
    d_y: Array4<f64>,
}

impl Case {
    fn new(slide: Slide, [h, u, d]: [usize; 3], m: usize, n: usize, rng: &mut ChaCha8Rng) -> Self {
        let (k, places) = (slide.kernel, (n, slide.places(h), slide.places(u), m));
        Self {
            slide,
            x: normal((n, h, u, d), 1.0, rng),
            w: normal((k, k, d, m), 1.0, rng),
            b: normal(m, 1.0, rng),
            d_y: normal(places, 1.0, rng),
        }
    }

    fn all(n: usize, seed: u64) -> Vec<Self> {
        let mut rng = rng(seed);
        CASES.iter().map(|&(slide, x, m)| Self::new(slide, x, m, n, &mut rng)).collect()
    }

    fn input(&self) -> Shape {
        let (_, h, u, d) = self.x.dim();
        Shape::image(h, u, d)
    }

    /// Weights and biases as one vector.
    fn params(&self) -> Array1<f64> {
        self.w.iter().chain(&self.b).copied().collect()
    }

    /// Through the library's layer and back.
    fn run(&self) -> Run<f64> {
        let mut layer = layer(self.slide, self.b.len());
        run(&mut layer, self.input(), &self.params(), &rows(&self.x), &rows(&self.d_y))
    }

    /// What the library makes of the images.
    fn y(&self) -> Array4<f64> {
        let run = self.run();
        images(&run.y, run.output)
    }

    fn d_x(&self) -> Array4<f64> {
        images(&self.run().d_x, self.input())
    }

    fn d_w(&self) -> Array4<f64> {
        let d_params = self.run().d_params;
        let d_w = d_params.slice(s![..self.w.len()]);
        d_w.to_shape(self.w.raw_dim()).unwrap().to_owned()
    }

    fn d_b(&self) -> Array1<f64> {
        self.run().d_params.slice(s![self.w.len()..]).to_owned()
    }

    /// L = Σ y ∂L/∂y, in which ∂L/∂y is what it is called, from the six loops.
    fn loss(&self, x: &Array4<f64>, w: &Array4<f64>, b: &Array1<f64>) -> f64 {
        (convolve(self.slide, x, w, b) * &self.d_y).sum()
    }

    /// Its matrix C, from the padded images: a row for each place, a column for each weight.
    fn columns(&self) -> Array2<f64> {
        let Slide { kernel: k, stride: s, padding } = self.slide;
        let (n, h, u, m) = self.d_y.dim();
        let d = self.x.dim().3;
        let (x, _) = (pad(&self.x, padding), m);
        let mut columns = Array2::zeros((n * h * u, k * k * d));
        for l in 0..n {
            for (i, j) in pairs(h, u) {
                for (r, t) in pairs(k, k) {
                    for c in 0..d {
                        let place = (l * h + i) * u + j;
                        let weight = (r * k + t) * d + c;
                        columns[[place, weight]] = x[[l, s * i + r, s * j + t, c]];
                    }
                }
            }
        }
        columns
    }
}

/// All (i, j) with i < a and j < b, row by row.
fn pairs(a: usize, b: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..a).flat_map(move |i| (0..b).map(move |j| (i, j)))
}

/// x̃: images with so many pixels of zeros around them.
fn pad(x: &Array4<f64>, p: usize) -> Array4<f64> {
    let (n, h, u, d) = x.dim();
    let mut padded = Array4::zeros((n, h + 2 * p, u + 2 * p, d));
    padded.slice_mut(s![.., p..p + h, p..p + u, ..]).assign(x);
    padded
}

/// The derivatives of f at x by central differences.
fn slopes(f: impl Fn(&Array4<f64>) -> f64, x: &Array4<f64>) -> Array4<f64> {
    let flat: Array1<f64> = x.iter().copied().collect();
    let shaped = |flat: &Array1<f64>| flat.to_shape(x.raw_dim()).unwrap().to_owned();
    shaped(&gradient(|flat| f(&shaped(flat)), &flat))
}

/// As a matrix: one row for every place of every sample.
fn by_place(y: &Array4<f64>) -> Array2<f64> {
    let (n, h, u, m) = y.dim();
    y.to_shape((n * h * u, m)).unwrap().to_owned()
}

/// W: the weights as a matrix.
fn weight_matrix(w: &Array4<f64>) -> Array2<f64> {
    let (k, _, d, m) = w.dim();
    w.to_shape((k * k * d, m)).unwrap().to_owned()
}

/// A product of matrices, entry by entry.
fn times(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Array2<f64> {
    assert_eq!(a.ncols(), b.nrows());
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
        (0..a.ncols()).map(|k| a[[i, k]] * b[[k, j]]).sum()
    })
}

/// One channel in, one out: at each place, the products of the window's pixels with the
/// weights, summed.
///
/// ```math
/// \underset{(h', u')}{\mathstrut y_{i,j}} = b + \sum_{r=0}^{k-1} \sum_{t=0}^{k-1}
///   \underset{(h, u)}{\mathstrut x_{i+r,\,j+t}}\;\underset{(k, k)}{\mathstrut w_{r,t}}
/// ```
#[test]
fn kernel_slides_over_one_channel() {
    let mut rng = rng(701);
    for (k, [h, u]) in [(1, [1, 1]), (2, [3, 4]), (3, [5, 5]), (3, [3, 7])] {
        let case = Case::new(slide(k, 1, 0), [h, u, 1], 1, 1, &mut rng);
        let y = case.y();
        assert_eq!(y.dim(), (1, h - k + 1, u - k + 1, 1));
        for (i, j) in pairs(h - k + 1, u - k + 1) {
            let sum: f64 =
                pairs(k, k).map(|(r, t)| case.x[[0, i + r, j + t, 0]] * case.w[[r, t, 0, 0]]).sum();
            assert_close(y[[0, i, j, 0]], case.b[0] + sum, 1e-13);
        }
    }
}

/// Several channels: the window has all that come in, and each that goes out has weights of its
/// own for all of them, and one bias.
///
/// ```math
/// \underset{(h', u', m)}{\mathstrut y_{i,j,o}} = \underset{(m)}{\mathstrut b_o}
///   + \sum_{r=0}^{k-1} \sum_{t=0}^{k-1} \sum_{c=0}^{d-1}
///   \underset{(h, u, d)}{\mathstrut x_{i+r,\,j+t,\,c}}\;
///   \underset{(k, k, d, m)}{\mathstrut w_{r,t,c,o}}
/// ```
#[test]
fn kernel_sums_over_channels() {
    let mut rng = rng(702);
    for (k, [h, u, d], m) in [(2, [3, 4, 1], 3), (3, [5, 5, 4], 1), (2, [4, 3, 3], 2)] {
        let case = Case::new(slide(k, 1, 0), [h, u, d], m, 1, &mut rng);
        let y = case.y();
        for ((_, i, j, o), &y) in y.indexed_iter() {
            let mut sum = case.b[o];
            for (r, t) in pairs(k, k) {
                for c in 0..d {
                    sum += case.x[[0, i + r, j + t, c]] * case.w[[r, t, c, o]];
                }
            }
            assert_close(y, sum, 1e-13);
        }
    }
}

/// With a stride and a padding: x̃ is the image inside a frame of zeros, and the window begins
/// at every s-th of its pixels.
///
/// ```math
/// \begin{aligned}
/// \underset{(h + 2p,\, u + 2p,\, d)}{\mathstrut \tilde{x}_{i,j,c}} &= \begin{cases}
///   x_{i-p,\,j-p,\,c} & \text{if } p \le i < p + h \text{ and } p \le j < p + u, \\
///   0 & \text{otherwise} \end{cases} \\
/// y_{i,j,o} &= b_o + \sum_{r,t,c} \tilde{x}_{si+r,\,sj+t,\,c}\; w_{r,t,c,o}
/// \end{aligned}
/// ```
#[test]
fn padded_image_and_stride() {
    for case in Case::all(2, 703) {
        let Slide { kernel: k, stride: s, padding: p } = case.slide;
        let (n, h, u, d) = case.x.dim();
        let padded = Array4::from_shape_fn((n, h + 2 * p, u + 2 * p, d), |(l, i, j, c)| {
            let inside = p <= i && i < p + h && p <= j && j < p + u;
            if inside { case.x[[l, i - p, j - p, c]] } else { 0.0 }
        });
        assert_eq!(padded, pad(&case.x, p));
        let y = case.y();
        assert_eq!(y.dim(), case.d_y.dim());
        for ((l, i, j, o), &y) in y.indexed_iter() {
            let mut sum = case.b[o];
            for (r, t) in pairs(k, k) {
                for c in 0..d {
                    sum += padded[[l, s * i + r, s * j + t, c]] * case.w[[r, t, c, o]];
                }
            }
            assert_close(y, sum, 1e-13);
        }
    }
}

/// How many places there are along a side: the last window must end inside the padded image.
///
/// ```math
/// \begin{aligned}
/// s\,i + k &\le h + 2p \\
/// i &\le \frac{h + 2p - k}{s} \\
/// h' &= \left\lfloor \frac{h + 2p - k}{s} \right\rfloor + 1
/// \end{aligned}
/// ```
#[test]
fn places_of_a_window() {
    for (h, k) in pairs(10, 7).map(|(h, k)| (h + 1, k + 1)) {
        for s in 1..5 {
            for p in (0..k).filter(|p| h + 2 * p >= k) {
                let last = (0..100).rev().find(|i| s * i + k <= h + 2 * p).unwrap();
                assert!(last as f64 <= (h + 2 * p - k) as f64 / s as f64);
                assert!((last + 1) as f64 > (h + 2 * p - k) as f64 / s as f64);
                let places = ((h + 2 * p - k) as f64 / s as f64).floor() as usize + 1;
                assert_eq!(places, last + 1);
                let mut layer = layer(slide(k, s, p), 2);
                let output = Layer::<f64>::accept(&mut layer, Shape::image(h, h, 1));
                assert_eq!(output.unwrap(), Shape::image(places, places, 2));
            }
        }
    }
}

/// With an odd kernel and stride 1, half of what is left and right of its middle keeps the size.
///
/// ```math
/// s = 1, \quad p = \frac{k - 1}{2} \quad\Longrightarrow\quad
/// h' = h + 2\,\frac{k - 1}{2} - k + 1 = h
/// ```
#[test]
fn odd_kernel_keeps_the_size() {
    for (h, k) in [(1, 1), (4, 3), (9, 5), (2, 7)] {
        let p = (k - 1) / 2;
        assert_eq!(h + 2 * ((k - 1) / 2) - k + 1, h);
        let mut layer = layer(slide(k, 1, p), 3);
        let output = Layer::<f64>::accept(&mut layer, Shape::image(h, h + 1, 2)).unwrap();
        assert_eq!(output, Shape::image(h, h + 1, 3));
    }
}

/// What analysis calls a convolution goes through the kernel backwards. It is what the layer
/// computes with the flipped kernel, up to where the counting of the places begins.
///
/// ```math
/// \begin{aligned}
/// (x * w)_{i,j} &= \sum_{r,t} x_{i-r,\,j-t}\;w_{r,t} \\
/// w'_{r,t} &= w_{k-1-r,\,k-1-t} \\
/// (x * w)_{i+k-1,\,j+k-1}
///   &= \sum_{r,t} x_{i+(k-1-r),\,j+(k-1-t)}\;w_{r,t} \\
///   &= \sum_{r,t} x_{i+r,\,j+t}\;w'_{r,t}
/// \end{aligned}
/// ```
#[test]
fn flipped_kernel_is_the_convolution_of_analysis() {
    let mut rng = rng(704);
    for (k, [h, u]) in [(2, [4, 3]), (3, [6, 5])] {
        let mut case = Case::new(slide(k, 1, 0), [h, u, 1], 1, 1, &mut rng);
        let w = case.w.clone();
        // Flip the layer's kernel, and leave the bias out.
        for (r, t) in pairs(k, k) {
            case.w[[r, t, 0, 0]] = w[[k - 1 - r, k - 1 - t, 0, 0]];
        }
        case.b.fill(0.0);
        let convolution = |i: usize, j: usize| -> f64 {
            pairs(k, k).map(|(r, t)| case.x[[0, i - r, j - t, 0]] * w[[r, t, 0, 0]]).sum()
        };
        for ((_, i, j, _), &y) in case.y().indexed_iter() {
            let third: f64 = pairs(k, k)
                .map(|(r, t)| case.x[[0, i + (k - 1 - r), j + (k - 1 - t), 0]] * w[[r, t, 0, 0]])
                .sum();
            assert_close(y, convolution(i + k - 1, j + k - 1), 1e-13);
            assert_close(y, third, 1e-13);
        }
    }
}

/// Move the image by a multiple of the stride, and the output moves along.
///
/// ```math
/// \begin{aligned}
/// x'_{i,j,c} &= x_{i - s\alpha,\; j - s\beta,\; c} \\
/// y'_{i,j,o} &= b_o + \sum_{r,t,c} x'_{si+r,\,sj+t,\,c}\;w_{r,t,c,o} \\
///   &= b_o + \sum_{r,t,c} x_{s(i-\alpha)+r,\;s(j-\beta)+t,\;c}\;w_{r,t,c,o} \\
///   &= y_{i-\alpha,\; j-\beta,\; o}
/// \end{aligned}
/// ```
#[test]
fn shifted_image_gives_shifted_output() {
    let mut rng = rng(705);
    for (k, s, alpha, beta) in [(3, 1, 1, 0), (3, 1, 2, 3), (2, 2, 1, 2), (3, 2, 2, 1)] {
        let mut case = Case::new(slide(k, s, 0), [24, 24, 2], 3, 1, &mut rng);
        // Far from the border, so that nothing is lost when it moves.
        let small = case.x.slice(s![.., 8..13, 8..12, ..]).to_owned();
        case.x.fill(0.0);
        case.x.slice_mut(s![.., 8..13, 8..12, ..]).assign(&small);
        let y = case.y();
        let (down, right) = (s * alpha, s * beta);
        case.x.fill(0.0);
        let mut moved = case.x.slice_mut(s![.., 8 + down..13 + down, 8 + right..12 + right, ..]);
        moved.assign(&small);
        let y_moved = case.y();
        assert_ne!(y, y_moved);
        for ((l, i, j, o), &moved) in y_moved.indexed_iter() {
            if i >= alpha && j >= beta {
                assert_eq!(moved, y[[l, i - alpha, j - beta, o]]);
            } else {
                assert_eq!(moved, case.b[o]);
            }
        }
    }
}

/// Let S be the matrix that moves a row of h numbers by one, the last to the front. A matrix M
/// for which it makes no difference whether one moves before or after it is a convolution, of
/// which w is the first row.
///
/// ```math
/// \begin{aligned}
/// x\,S\,M &= x\,M\,S \quad\text{for every } x
///   \quad\Longleftrightarrow\quad M = S^\top M\,S \\
/// M_{i,j} &= M_{i-1,\,j-1} = \dots = M_{0,\,j-i} = w_{j-i}
///   \qquad \text{(indices modulo } h\text{)} \\
/// (x\,M)_j &= \sum_i x_i\,w_{j-i}
/// \end{aligned}
/// ```
#[test]
fn commuting_with_shifts_leaves_only_convolutions() {
    let mut rng = rng(706);
    for h in [2, 3, 5] {
        // (x S)_j = x_{j−1}.
        let shift = Array2::from_shape_fn((h, h), |(i, j)| f64::from((i + 1) % h == j));
        let any: Array2<f64> = normal((h, h), 1.0, &mut rng);
        let turned = times(&times(&shift.t(), &any), &shift);
        for (i, j) in pairs(h, h) {
            assert_eq!(turned[[i, j]], any[[(i + h - 1) % h, (j + h - 1) % h]]);
        }
        // The mean over all turns is a matrix of this kind, and any is not.
        let (mut mean, mut turned) = (Array2::zeros((h, h)), any.clone());
        for _ in 0..h {
            mean += &(&turned / h as f64);
            turned = times(&times(&shift.t(), &turned), &shift);
        }
        let moves = |m: &Array2<f64>| times(&shift, m) - times(m, &shift);
        assert!(moves(&any).iter().any(|d| d.abs() > 0.1));
        assert_all_close(&moves(&mean), &Array2::zeros((h, h)), 1e-13);
        let w = mean.row(0).to_owned();
        for (i, j) in pairs(h, h) {
            assert_close(mean[[i, j]], w[(j + h - i) % h], 1e-13);
        }
        let x = normal((1, h), 1.0, &mut rng);
        let y = times(&x, &mean);
        for j in 0..h {
            let sum: f64 = (0..h).map(|i| x[[0, i]] * w[(j + h - i) % h]).sum();
            assert_close(y[[0, j]], sum, 1e-13);
        }
        // The library's layer, whose image is the row twice, so that the window can go around,
        // and whose kernel is w, flipped.
        let twice = Shape::image(h, 2 * h, 1);
        let mut images = Array2::zeros((1, 2 * h * h));
        images.slice_mut(s![0, ..2 * h]).assign(&Array1::from_shape_fn(2 * h, |i| x[[0, i % h]]));
        let mut kernel = Array1::zeros(h * h + 1);
        kernel.slice_mut(s![..h]).assign(&w.slice(s![..;-1]));
        let mut layer = layer(slide(h, 1, 0), 1);
        let out = run(&mut layer, twice, &kernel, &images, &Array2::zeros((1, h + 1)));
        for j in 0..h {
            // Window i ends at number i + h − 1 of the row.
            assert_close(out.y[[0, (j + 1) % h]], y[[0, j]], 1e-13);
        }
    }
}

/// The matrix of a kernel of 2 × 2 on an image of 3 × 3: one row of its transpose for each of
/// the four places, one column for each of the nine pixels.
///
/// ```math
/// \underset{(1, 4)}{\mathstrut y} = \underset{(1, 9)}{\mathstrut x}\;
///   \underset{(9, 4)}{\mathstrut T} + b, \qquad
/// T^\top = \begin{pmatrix}
/// w_{00} & w_{01} & 0 & w_{10} & w_{11} & 0 & 0 & 0 & 0 \\
/// 0 & w_{00} & w_{01} & 0 & w_{10} & w_{11} & 0 & 0 & 0 \\
/// 0 & 0 & 0 & w_{00} & w_{01} & 0 & w_{10} & w_{11} & 0 \\
/// 0 & 0 & 0 & 0 & w_{00} & w_{01} & 0 & w_{10} & w_{11}
/// \end{pmatrix}
/// ```
#[test]
fn toeplitz_matrix_of_a_tiny_kernel() {
    let mut rng = rng(707);
    let case = Case::new(slide(2, 1, 0), [3, 3, 1], 1, 3, &mut rng);
    let [w00, w01, w10, w11] = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(r, t)| case.w[[r, t, 0, 0]]);
    let transposed = array![
        [w00, w01, 0.0, w10, w11, 0.0, 0.0, 0.0, 0.0],
        [0.0, w00, w01, 0.0, w10, w11, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, w00, w01, 0.0, w10, w11, 0.0],
        [0.0, 0.0, 0.0, 0.0, w00, w01, 0.0, w10, w11],
    ];
    let y = times(&rows(&case.x), &transposed.t()) + case.b[0];
    assert_all_close(&rows(&case.y()), &y, 1e-13);
    // ∂L/∂x of a dense layer with this matrix.
    let d_x = times(&rows(&case.d_y), &transposed);
    assert_all_close(&rows(&case.d_x()), &d_x, 1e-13);
}

/// The weights of a dense layer that is a convolution are tied to each other: T is a sum of the
/// k² weights, each times a matrix of zeros and ones that says where it stands. So the
/// derivative with respect to a weight is a sum over all the places where it stands.
///
/// ```math
/// \begin{aligned}
/// \underset{(hu,\, h'u')}{\mathstrut T} &= \sum_{r,t} w_{r,t}\;
///   \underset{(hu,\, h'u')}{\mathstrut E^{(r,t)}}, \qquad
/// E^{(r,t)}_{(i',j'),(i,j)} = \begin{cases}
///   1 & \text{if } i' = i + r \text{ and } j' = j + t, \\ 0 & \text{otherwise} \end{cases} \\
/// \frac{\partial L}{\partial w_{r,t}} &= \sum_{i',j'} \sum_{i,j}
///   \frac{\partial L}{\partial T_{(i',j'),(i,j)}}\; E^{(r,t)}_{(i',j'),(i,j)} \\
///   &= \sum_{i',j'} \sum_{i,j} x_{i',j'}\,\frac{\partial L}{\partial y_{i,j}}\;
///   E^{(r,t)}_{(i',j'),(i,j)}
///   = \sum_{i,j} x_{i+r,\,j+t}\,\frac{\partial L}{\partial y_{i,j}}
/// \end{aligned}
/// ```
#[test]
fn tied_weights_add_their_gradients() {
    let mut rng = rng(708);
    let (h, u, k) = (4, 5, 2);
    let case = Case::new(slide(k, 1, 0), [h, u, 1], 1, 1, &mut rng);
    let (out_h, out_u) = (h - k + 1, u - k + 1);
    let pattern = |r: usize, t: usize| {
        Array2::from_shape_fn((h * u, out_h * out_u), |(pixel, place)| {
            let (row, column) = (pixel / u, pixel % u);
            let (i, j) = (place / out_u, place % out_u);
            f64::from(row == i + r && column == j + t)
        })
    };
    let mut matrix = Array2::zeros((h * u, out_h * out_u));
    for (r, t) in pairs(k, k) {
        matrix += &(pattern(r, t) * case.w[[r, t, 0, 0]]);
    }
    let y = times(&rows(&case.x), &matrix) + case.b[0];
    assert_all_close(&rows(&case.y()), &y, 1e-13);

    // The dense layer's own derivative: xᵀ ∂L/∂y.
    let mut dense = Dense::new(out_h * out_u, Init::He).unwrap();
    let biases = Array1::from_elem(out_h * out_u, case.b[0]);
    let params: Array1<f64> = matrix.iter().chain(&biases).copied().collect();
    let vector = Shape::Vector(h * u);
    let out = run(&mut dense, vector, &params, &rows(&case.x), &rows(&case.d_y));
    let d_matrix = out.d_params.slice(s![..h * u * out_h * out_u]);
    let d_matrix = d_matrix.to_shape((h * u, out_h * out_u)).unwrap();
    let d_w = case.d_w();
    for (r, t) in pairs(k, k) {
        let ties = pattern(r, t);
        let first: f64 = (&d_matrix * &ties).sum();
        let mut second = 0.0;
        for (pixel, place) in pairs(h * u, out_h * out_u) {
            let d_y = rows(&case.d_y)[[0, place]];
            second += rows(&case.x)[[0, pixel]] * d_y * ties[[pixel, place]];
        }
        let third: f64 = pairs(out_h, out_u)
            .map(|(i, j)| case.x[[0, i + r, j + t, 0]] * case.d_y[[0, i, j, 0]])
            .sum();
        for sum in [first, second, third] {
            assert_close(d_w[[r, t, 0, 0]], sum, 1e-12);
        }
    }
}

/// The same nine pixels and four weights the other way around: the pixels become the matrix.
///
/// ```math
/// \underset{(4, 1)}{\mathstrut y} = \underset{(4, 4)}{\mathstrut C}\;
///   \underset{(4, 1)}{\mathstrut W} + b, \qquad
/// C = \begin{pmatrix}
/// x_{00} & x_{01} & x_{10} & x_{11} \\
/// x_{01} & x_{02} & x_{11} & x_{12} \\
/// x_{10} & x_{11} & x_{20} & x_{21} \\
/// x_{11} & x_{12} & x_{21} & x_{22}
/// \end{pmatrix}, \qquad
/// W = \begin{pmatrix} w_{00} \\ w_{01} \\ w_{10} \\ w_{11} \end{pmatrix}
/// ```
#[test]
fn columns_of_a_tiny_image() {
    let mut rng = rng(709);
    let case = Case::new(slide(2, 1, 0), [3, 3, 1], 1, 1, &mut rng);
    let x = |i: usize, j: usize| case.x[[0, i, j, 0]];
    let columns = array![
        [x(0, 0), x(0, 1), x(1, 0), x(1, 1)],
        [x(0, 1), x(0, 2), x(1, 1), x(1, 2)],
        [x(1, 0), x(1, 1), x(2, 0), x(2, 1)],
        [x(1, 1), x(1, 2), x(2, 1), x(2, 2)],
    ];
    let w = array![
        [case.w[[0, 0, 0, 0]]],
        [case.w[[0, 1, 0, 0]]],
        [case.w[[1, 0, 0, 0]]],
        [case.w[[1, 1, 0, 0]]]
    ];
    assert_all_close(&by_place(&case.y()), &(times(&columns, &w) + case.b[0]), 1e-13);
    // It is what the layer keeps.
    let kept = case.run().kept;
    assert_eq!(kept.to_shape((4, 4)).unwrap(), columns);
}

/// For a batch: every place of every sample has a row, which holds what the window sees there.
///
/// ```math
/// \begin{aligned}
/// C_{(l,i,j),\,(r,t,c)} &= \tilde{x}_{l,\;si+r,\;sj+t,\;c} \\
/// \underset{(n h' u',\; m)}{\mathstrut Y} &=
///   \underset{(n h' u',\; k^2 d)}{\mathstrut C}\;\underset{(k^2 d,\; m)}{\mathstrut W}
///   + \underset{(n h' u',\; 1)}{\mathstrut \mathbf{1}}\;\underset{(1, m)}{\mathstrut b}
/// \end{aligned}
/// ```
#[test]
fn columns_times_weights() {
    for case in Case::all(3, 710) {
        let columns = case.columns();
        let run = case.run();
        assert_eq!(run.kept.to_shape(columns.raw_dim()).unwrap(), columns);
        let ones = Array2::ones((columns.nrows(), 1));
        let b = case.b.view().insert_axis(Axis(0)).to_owned();
        let y = times(&columns, &weight_matrix(&case.w)) + times(&ones, &b);
        assert_all_close(&by_place(&images(&run.y, run.output)), &y, 1e-12);
    }
}

/// Taking columns is linear: every entry of C is a copy of a pixel, or a zero of the padding. As
/// one row each, C is x times a matrix of zeros and ones with at most a single one per column.
///
/// ```math
/// \begin{aligned}
/// \underset{(1,\; h'u' k^2 d)}{\mathstrut \operatorname{row}(C)} &=
///   \underset{(1,\; hud)}{\mathstrut \operatorname{row}(x)}\;
///   \underset{(hud,\; h'u' k^2 d)}{\mathstrut G} \\
/// G_{(i',j',c'),\,(i,j,r,t,c)} &= \begin{cases} 1 & \text{if } i' = si + r - p,\;
///   j' = sj + t - p,\; c' = c, \\ 0 & \text{otherwise} \end{cases}
/// \end{aligned}
/// ```
#[test]
fn columns_are_gathered_by_a_matrix() {
    for case in Case::all(1, 711) {
        let gather = gather(&case);
        for column in gather.columns() {
            assert!(column.sum() == 1.0 || (case.slide.padding > 0 && column.sum() == 0.0));
        }
        let columns = times(&rows(&case.x), &gather);
        assert_eq!(case.run().kept, columns.row(0));
    }
}

/// G, entry by entry.
fn gather(case: &Case) -> Array2<f64> {
    let Slide { kernel: k, stride: s, padding: p } = case.slide;
    let (_, h, u, d) = case.x.dim();
    let (_, out_h, out_u, _) = case.d_y.dim();
    let mut gather = Array2::zeros((h * u * d, out_h * out_u * k * k * d));
    for ((row, column, channel), pixel) in
        pairs(h, u).flat_map(|(i, j)| (0..d).map(move |c| (i, j, c))).zip(0..)
    {
        for ((i, j), place) in pairs(out_h, out_u).zip(0..) {
            for ((r, t), weight) in pairs(k, k).zip(0..) {
                for c in 0..d {
                    let entry = (place * k * k + weight) * d + c;
                    let same = row + p == s * i + r && column + p == s * j + t && channel == c;
                    gather[[pixel, entry]] = f64::from(same);
                }
            }
        }
    }
    gather
}

/// Parameters and multiplications of a convolution, of a dense layer between the same images,
/// and how many numbers the columns are.
///
/// ```math
/// \begin{array}{lll}
/// & \text{parameters} & \text{multiplications, per sample} \\
/// \text{dense} & (hud + 1)\,h'u'm & hud \cdot h'u'm \\
/// \text{convolution} & (k^2 d + 1)\,m & k^2 d \cdot h'u'm \\
/// \text{columns} & \text{none} & \text{none, but } h'u' k^2 d \text{ numbers to keep}
/// \end{array}
/// ```
#[test]
fn weights_and_products_are_counted() {
    for case in Case::all(1, 712) {
        let k = case.slide.kernel;
        let (_, h, u, d) = case.x.dim();
        let (_, out_h, out_u, m) = case.d_y.dim();
        let mut layer = layer(case.slide, m);
        Layer::<f64>::accept(&mut layer, case.input()).unwrap();
        assert_eq!(parameter_count::<f64>(&layer), (k * k * d + 1) * m);
        let mut dense = Dense::new(out_h * out_u * m, Init::He).unwrap();
        Layer::<f64>::accept(&mut dense, Shape::Vector(h * u * d)).unwrap();
        assert_eq!(parameter_count::<f64>(&dense), (h * u * d + 1) * out_h * out_u * m);
        assert_eq!(Layer::<f64>::room(&layer, 1), out_h * out_u * k * k * d);
        assert_eq!(case.run().kept.len(), out_h * out_u * k * k * d);
        // A product of (a, b) and (b, c) multiplies a · b · c times: ones count them.
        let ones = |rows, columns| Array2::<f64>::ones((rows, columns));
        let products =
            |rows, inner, columns| times(&ones(rows, inner), &ones(inner, columns)).sum();
        let (places, numbers) = (out_h * out_u, k * k * d);
        assert_eq!(products(places, numbers, m), (k * k * d * out_h * out_u * m) as f64);
        assert_eq!(products(1, h * u * d, places * m), (h * u * d * out_h * out_u * m) as f64);
    }
}

/// The bias of a channel is in every output of the channel, once.
///
/// ```math
/// \frac{\partial L}{\partial b_o}
///   = \sum_{l,i,j} \frac{\partial L}{\partial y_{l,i,j,o}}\,
///   \underbrace{\frac{\partial y_{l,i,j,o}}{\partial b_o}}_{1}
///   = \sum_{l,i,j} \frac{\partial L}{\partial y_{l,i,j,o}}
/// ```
#[test]
fn channel_bias_gradient() {
    for case in Case::all(3, 713) {
        let d_b = case.d_b();
        let measured = gradient(|b| case.loss(&case.x, &case.w, b), &case.b);
        assert_all_close(&measured, &d_b, 1e-7);
        for o in 0..case.b.len() {
            let sum: f64 = case.d_y.slice(s![.., .., .., o]).iter().sum();
            assert_close(d_b[o], sum, 1e-12);
        }
    }
}

/// A weight is in every output of its channel, times what the window shows it there.
///
/// ```math
/// \frac{\partial L}{\partial w_{r,t,c,o}}
///   = \sum_{l,i,j} \frac{\partial L}{\partial y_{l,i,j,o}}\,
///   \frac{\partial y_{l,i,j,o}}{\partial w_{r,t,c,o}}
///   = \sum_{l,i,j} \frac{\partial L}{\partial y_{l,i,j,o}}\;
///   \tilde{x}_{l,\;si+r,\;sj+t,\;c}
/// ```
#[test]
fn kernel_gradient_entry_by_entry() {
    for case in Case::all(2, 714) {
        let (s, x) = (case.slide.stride, pad(&case.x, case.slide.padding));
        let d_w = case.d_w();
        let measured = slopes(|w| case.loss(&case.x, w, &case.b), &case.w);
        assert_all_close(&measured, &d_w, 1e-7);
        for ((r, t, c, o), &d_w) in d_w.indexed_iter() {
            let mut sum = 0.0;
            for ((l, i, j, channel), d_y) in case.d_y.indexed_iter() {
                if channel == o {
                    sum += d_y * x[[l, s * i + r, s * j + t, c]];
                }
            }
            assert_close(d_w, sum, 1e-12);
        }
    }
}

/// Both as products.
///
/// ```math
/// \begin{aligned}
/// \underset{(k^2 d,\; m)}{\mathstrut \frac{\partial L}{\partial W}} &=
///   \underset{(k^2 d,\; n h' u')}{\mathstrut C^\top}\;
///   \underset{(n h' u',\; m)}{\mathstrut \frac{\partial L}{\partial Y}} \\
/// \underset{(1, m)}{\mathstrut \frac{\partial L}{\partial b}} &=
///   \underset{(1,\; n h' u')}{\mathstrut \mathbf{1}^\top}\;
///   \underset{(n h' u',\; m)}{\mathstrut \frac{\partial L}{\partial Y}}
/// \end{aligned}
/// ```
#[test]
fn kernel_gradient_is_a_product() {
    for case in Case::all(3, 715) {
        let (columns, d_y) = (case.columns(), by_place(&case.d_y));
        assert_all_close(&weight_matrix(&case.d_w()), &times(&columns.t(), &d_y), 1e-12);
        let ones = Array2::ones((1, d_y.nrows()));
        assert_all_close(&case.d_b(), &times(&ones, &d_y).row(0).to_owned(), 1e-12);
    }
}

/// A pixel is in the outputs of all windows that see it, each time with another weight: with
/// the one that lies on it.
///
/// ```math
/// \frac{\partial L}{\partial x_{i',j',c}} = \sum_{i,j,o}
///   \frac{\partial L}{\partial y_{i,j,o}}\;w_{r,t,c,o} \quad\text{with}\quad
///   r = i' + p - si,\quad t = j' + p - sj,\quad 0 \le r, t < k
/// ```
#[test]
fn pixel_gradient_entry_by_entry() {
    for case in Case::all(2, 716) {
        let Slide { kernel: k, stride: s, padding: p } = case.slide;
        let d_x = case.d_x();
        let measured = slopes(|x| case.loss(x, &case.w, &case.b), &case.x);
        assert_all_close(&measured, &d_x, 1e-7);
        for ((l, row, column, c), &d_x) in d_x.indexed_iter() {
            let mut sum = 0.0;
            for ((sample, i, j, o), d_y) in case.d_y.indexed_iter() {
                let r = (row + p).checked_sub(s * i).filter(|&r| r < k);
                let t = (column + p).checked_sub(s * j).filter(|&t| t < k);
                if let (Some(r), Some(t), true) = (r, t, sample == l) {
                    sum += d_y * case.w[[r, t, c, o]];
                }
            }
            assert_close(d_x, sum, 1e-12);
        }
    }
}

/// With stride 1 the way back is a convolution too: over ∂L/∂y with a frame of k − 1 − p zeros,
/// with the kernel flipped, and with the channels that come in and go out exchanged.
///
/// ```math
/// \begin{aligned}
/// w'_{r,t,o,c} &= w_{k-1-r,\;k-1-t,\;c,\;o} \\
/// \tilde{\delta}_{i + (k - 1 - p),\;j + (k - 1 - p),\;o} &=
///   \frac{\partial L}{\partial y_{i,j,o}}, \quad \text{all others } 0 \\
/// \frac{\partial L}{\partial x_{i',j',c}} &= \sum_{r,t,o}
///   \tilde{\delta}_{i'+r,\;j'+t,\;o}\; w'_{r,t,o,c}
/// \end{aligned}
/// ```
#[test]
fn pixel_gradient_is_a_full_convolution() {
    let mut rng = rng(717);
    for (k, p, [h, u, d], m) in
        [(2, 0, [3, 3, 1], 1), (3, 0, [5, 4, 2], 3), (3, 1, [4, 5, 3], 2), (4, 3, [3, 5, 2], 4)]
    {
        let case = Case::new(slide(k, 1, p), [h, u, d], m, 2, &mut rng);
        let mut back = Case::new(slide(k, 1, k - 1 - p), [1; 3], 1, 1, &mut rng);
        back.w = Array4::from_shape_fn((k, k, m, d), |(r, t, o, c)| {
            case.w[[k - 1 - r, k - 1 - t, c, o]]
        });
        let padded = pad(&case.d_y, k - 1 - p);
        let d_x = case.d_x();
        for ((l, i, j, c), &d_x) in d_x.indexed_iter() {
            let mut sum = 0.0;
            for (r, t) in pairs(k, k) {
                for o in 0..m {
                    sum += padded[[l, i + r, j + t, o]] * back.w[[r, t, o, c]];
                }
            }
            assert_close(d_x, sum, 1e-12);
        }
        // The library's own forward pass, as the way back.
        back.x = case.d_y.clone();
        back.b = Array1::zeros(d);
        back.d_y = case.x.clone();
        assert_all_close(&back.y(), &d_x, 1e-12);
    }
}

/// As matrices: back through the product, and back through the copying. Every number of
/// ∂L/∂C is added to the pixel it was copied from; this is called col2im.
///
/// ```math
/// \begin{aligned}
/// \underset{(n h' u',\; k^2 d)}{\mathstrut \frac{\partial L}{\partial C}} &=
///   \underset{(n h' u',\; m)}{\mathstrut \frac{\partial L}{\partial Y}}\;
///   \underset{(m,\; k^2 d)}{\mathstrut W^\top} \\
/// \underset{(1,\; hud)}{\mathstrut \operatorname{row}\Bigl(\frac{\partial L}{\partial x}\Bigr)}
///   &= \underset{(1,\; h'u' k^2 d)}{\mathstrut
///   \operatorname{row}\Bigl(\frac{\partial L}{\partial C}\Bigr)}\;
///   \underset{(h'u' k^2 d,\; hud)}{\mathstrut G^\top}
/// \end{aligned}
/// ```
#[test]
fn pixel_gradient_as_products() {
    for case in Case::all(1, 718) {
        let d_columns = times(&by_place(&case.d_y), &weight_matrix(&case.w).t());
        // ∂L/∂C is what it says: L as a function of C alone.
        let loss = |columns: &Array1<f64>| {
            let columns = columns.to_shape(case.columns().raw_dim()).unwrap();
            let y = times(&columns, &weight_matrix(&case.w)) + &case.b;
            (y * by_place(&case.d_y)).sum()
        };
        let at: Array1<f64> = case.columns().iter().copied().collect();
        let row = d_columns.to_shape((1, d_columns.len())).unwrap();
        assert_all_close(&gradient(loss, &at), &row.row(0).to_owned(), 1e-7);
        let d_x = times(&row, &gather(&case).t());
        assert_all_close(&rows(&case.d_x()), &d_x, 1e-12);
    }
}

/// The layer with W = I and b = 0 is im2col, and its way back is col2im.
fn im2col(slide: Slide, x: &Array4<f64>, d_columns: Option<&Array2<f64>>) -> Run<f64> {
    let (n, h, u, d) = x.dim();
    let size = slide.kernel * slide.kernel * d;
    let unit = Array2::<f64>::eye(size);
    let params: Array1<f64> = unit.iter().copied().chain((0..size).map(|_| 0.0)).collect();
    let none = Array2::zeros((n, slide.places(h) * slide.places(u) * size));
    let mut layer = layer(slide, size);
    run(&mut layer, Shape::image(h, u, d), &params, &rows(x), d_columns.unwrap_or(&none))
}

/// That col2im is the transpose of im2col can be tested without a matrix. Let ⟨ , ⟩ be the sum
/// of the products of all entries, and A any array of the shape of the columns.
///
/// ```math
/// \bigl\langle \operatorname{im2col}(x),\, A \bigr\rangle
///   = x\,G\,A^\top = x\,(A\,G^\top)^\top
///   = \bigl\langle x,\, \operatorname{col2im}(A) \bigr\rangle
///   \qquad \text{(all arrays as rows)}
/// ```
#[test]
fn col2im_is_the_transpose_of_im2col() {
    let mut rng = rng(719);
    for case in Case::all(3, 720) {
        let columns = im2col(case.slide, &case.x, None).y;
        assert_eq!(
            columns.iter().copied().collect::<Vec<_>>(),
            case.columns().into_raw_vec_and_offset().0
        );
        let a = normal(columns.raw_dim(), 1.0, &mut rng);
        let back = im2col(case.slide, &case.x, Some(&a)).d_x;
        let inner =
            |a: &Array2<f64>, b: &Array2<f64>| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        assert_close(inner(&columns, &a), inner(&rows(&case.x), &back), 1e-12);
        let by_matrix: f64 =
            (0..3).map(|l| times(&rows(&case.x), &gather(&case)).row(l).dot(&a.row(l))).sum();
        assert_close(by_matrix, inner(&columns, &a), 1e-12);
        assert_all_close(&times(&a, &gather(&case).t()), &back, 1e-12);
    }
}

/// There and back again is not where we started: a pixel returns as often as windows see it.
///
/// ```math
/// \begin{aligned}
/// \operatorname{col2im}\bigl(\operatorname{im2col}(x)\bigr)_{i,j,c} &= N_i\,N_j\,x_{i,j,c} \\
/// N_i &= \#\bigl\{\, i' : 0 \le i + p - s i' < k,\; 0 \le i' < h' \,\bigr\}
/// \end{aligned}
/// ```
#[test]
fn col2im_of_im2col_counts_windows() {
    for case in Case::all(2, 721) {
        let Slide { kernel: k, stride: s, padding: p } = case.slide;
        let (_, h, u, _) = case.x.dim();
        let columns = im2col(case.slide, &case.x, None).y;
        let back = images(&im2col(case.slide, &case.x, Some(&columns)).d_x, case.input());
        let (_, down, across, _) = case.d_y.dim();
        let seen = |i: usize, places: usize| {
            let see = |&other: &usize| {
                let pixel = (i + p) as i64 - (s * other) as i64;
                0 <= pixel && pixel < k as i64
            };
            (0..places).filter(see).count() as f64
        };
        assert!((0..h).chain(0..u).any(|i| seen(i, down.max(across)) != 1.0));
        for ((l, i, j, c), &back) in back.indexed_iter() {
            assert_close(back, seen(i, down) * seen(j, across) * case.x[[l, i, j, c]], 1e-13);
        }
    }
}

/// What one number sees after several layers. Layer v has the kernel kᵥ and the stride sᵥ; Qᵥ is
/// how far apart, in pixels of the image, its neighbouring outputs look, and Rᵥ how many pixels
/// of a side each of them sees.
///
/// ```math
/// \begin{aligned}
/// Q_0 &= 1, & Q_v &= Q_{v-1}\,s_v \\
/// R_0 &= 1, & R_v &= R_{v-1} + (k_v - 1)\,Q_{v-1}
/// \end{aligned}
/// ```
#[test]
fn receptive_field_of_a_stack() {
    // The chapter's network among them: 5, pool 2, 5, pool 2.
    for (stack, side) in [
        (vec![(3, 1)], 9),
        (vec![(3, 1), (3, 1)], 9),
        (vec![(3, 2), (3, 1), (2, 2)], 24),
        (vec![(5, 1), (2, 2), (5, 1), (2, 2)], 28),
    ] {
        let (mut jump, mut field) = (1, 1);
        let mut shape = Shape::image(side, side, 1);
        let mut through: Vec<(Box<dyn Layer<f64>>, Shape)> = Vec::new();
        for (number, &(k, s)) in stack.iter().enumerate() {
            field += (k - 1) * jump;
            jump *= s;
            // Layers whose every weight counts.
            let mut layer: Box<dyn Layer<f64>> = match number % 2 {
                0 => Box::new(layer(slide(k, s, 0), 1)),
                _ => Box::new(AveragePool::new(k).unwrap().stride(s).unwrap()),
            };
            let input = shape;
            shape = layer.accept(shape).unwrap();
            through.push((layer, input));
        }
        let Shape::Image { width, .. } = shape else { panic!("{shape}") };
        // Back from one output, and from its neighbour on the right.
        let seen = |at: usize| {
            let mut d_y = Array2::zeros((1, shape.len()));
            d_y[[0, at]] = 1.0;
            for (layer, input) in through.iter().rev() {
                let mut layer: Box<dyn Layer<f64>> =
                    gradus::Registry::default().layer(layer.name(), layer.state()).unwrap();
                layer.accept(*input).unwrap();
                let params = Array1::ones(parameter_count(&*layer));
                let x = Array2::zeros((1, input.len()));
                d_y = run(&mut layer, *input, &params, &x, &d_y).d_x;
            }
            let image = images(&d_y, Shape::image(side, side, 1));
            let columns = image.slice(s![0, .., .., 0]).sum_axis(Axis(0));
            (0..side).filter(|&j| columns[j] != 0.0).collect::<Vec<_>>()
        };
        let one = seen(0);
        assert_eq!(one, (0..field).collect::<Vec<_>>(), "{stack:?}");
        if width > 1 {
            assert_eq!(seen(1)[0], jump);
        }
    }
}

/// V convolutions of 3 × 3 with d channels in and out see as much as one of 2V + 1, with fewer
/// weights as soon as V is more than 1.
///
/// ```math
/// \begin{aligned}
/// R_V &= 1 + 2V \\
/// \underbrace{9 V d^2}_{V \text{ layers}} \;<\;
///   \underbrace{(2V + 1)^2 d^2}_{\text{one layer}} \quad&\Longleftrightarrow\quad
///   4V^2 - 5V + 1 = (4V - 1)(V - 1) > 0
/// \end{aligned}
/// ```
#[test]
fn small_kernels_in_a_row_see_as_much() {
    let count = |k: usize, d: usize| {
        let mut layer = layer(slide(k, 1, 0), d);
        Layer::<f64>::accept(&mut layer, Shape::image(30, 30, d)).unwrap();
        parameter_count::<f64>(&layer) - d
    };
    for depth in 1..6 {
        let (mut field, jump) = (1, 1);
        (0..depth).for_each(|_| field += (3 - 1) * jump);
        assert_eq!(field, 1 + 2 * depth);
        let v = depth as f64;
        assert_eq!(4.0 * v * v - 5.0 * v + 1.0, (4.0 * v - 1.0) * (v - 1.0));
        for d in [1, 3] {
            let (many, one) = (depth * count(3, d), count(field, d));
            assert_eq!(many, 9 * depth * d * d);
            assert_eq!(one, (2 * depth + 1).pow(2) * d * d);
            assert_eq!(many < one, (4.0 * v - 1.0) * (v - 1.0) > 0.0);
        }
        // They see as much, and no more.
        let side = 2 * depth + 1;
        let mut shape = Shape::image(side, side, 1);
        for _ in 0..depth {
            shape = Layer::<f64>::accept(&mut layer(slide(3, 1, 0), 1), shape).unwrap();
        }
        assert_eq!(shape, Shape::image(1, 1, 1));
    }
}

/// Max-pooling: the largest number that the window sees, channel by channel.
///
/// ```math
/// \underset{(h', u', d)}{\mathstrut y_{i,j,c}} = \max_{0 \le r, t < k}\;
///   \underset{(h, u, d)}{\mathstrut x_{si+r,\;sj+t,\;c}}
/// ```
#[test]
fn max_pool_takes_the_largest() {
    for (case, pool) in pools(722) {
        let Slide { kernel: k, stride: s, .. } = case.slide;
        for ((l, i, j, c), &y) in pool.y.indexed_iter() {
            let seen = pairs(k, k).map(|(r, t)| case.x[[l, s * i + r, s * j + t, c]]);
            assert_eq!(y, seen.fold(f64::NEG_INFINITY, f64::max));
        }
    }
}

/// What max-pooling makes of an image, and of ∂L/∂y.
#[derive(Debug)]
struct Pool {
    y: Array4<f64>,
    d_x: Array4<f64>,
}

fn max_pool(slide: Slide, x: &Array4<f64>, d_y: &Array4<f64>) -> Pool {
    let pool = MaxPool::new(slide.kernel).unwrap().stride(slide.stride).unwrap();
    pooled(pool, x, d_y)
}

fn average_pool(slide: Slide, x: &Array4<f64>, d_y: &Array4<f64>) -> Pool {
    let pool = AveragePool::new(slide.kernel).unwrap().stride(slide.stride).unwrap();
    pooled(pool, x, d_y)
}

fn pooled(mut layer: impl Layer<f64>, x: &Array4<f64>, d_y: &Array4<f64>) -> Pool {
    let (_, h, u, d) = x.dim();
    let input = Shape::image(h, u, d);
    let run = run(&mut layer, input, &Array1::zeros(0), &rows(x), &rows(d_y));
    Pool { y: images(&run.y, run.output), d_x: images(&run.d_x, input) }
}

/// Images for pooling, with windows beside, above and away from each other, and what becomes of
/// them. Half of them have only three different numbers, so that there are ties.
fn pools(seed: u64) -> Vec<(Case, Pool)> {
    let mut rng = rng(seed);
    let mut pools = Vec::new();
    for (slide, x) in [
        (slide(2, 2, 0), [4, 6, 3]),
        (slide(3, 1, 0), [5, 4, 2]),
        (slide(3, 2, 0), [8, 7, 1]),
        (slide(2, 3, 0), [8, 9, 2]),
    ] {
        for ties in [false, true] {
            let mut case = Case::new(slide, x, x[2], 2, &mut rng);
            if ties {
                case.x.mapv_inplace(|x| x.round().clamp(-1.0, 1.0));
            }
            let pool = max_pool(slide, &case.x, &case.d_y);
            pools.push((case, pool));
        }
    }
    pools
}

/// Its derivative is 1 for the largest number and 0 for the others. If several are the largest,
/// we take the first, row by row.
///
/// ```math
/// \frac{\partial y_{i,j,c}}{\partial x_{si+r,\;sj+t,\;c'}} = \begin{cases}
///   1 & \text{if } c' = c \text{ and } (r, t) \text{ is the first with }
///   x_{si+r,\;sj+t,\;c} = y_{i,j,c}, \\
///   0 & \text{otherwise} \end{cases}
/// ```
#[test]
fn max_pool_derivative_is_zero_or_one() {
    for (case, pool) in pools(723) {
        let Slide { kernel: k, stride: s, .. } = case.slide;
        let (_, h, u, d) = case.x.dim();
        // Row by row of the Jacobian: back from one output at a time.
        for ((l, i, j, c), &y) in pool.y.indexed_iter() {
            let mut one = Array4::zeros(case.d_y.raw_dim());
            one[[l, i, j, c]] = 1.0;
            let row = max_pool(case.slide, &case.x, &one).d_x;
            let first = pairs(k, k).find(|&(r, t)| case.x[[l, s * i + r, s * j + t, c]] == y);
            let (r, t) = first.unwrap();
            let mut expected = Array4::zeros((2, h, u, d));
            expected[[l, s * i + r, s * j + t, c]] = 1.0;
            assert_eq!(row, expected);
        }
    }
    // Without ties it is the derivative.
    let (case, pool) = pools(723).swap_remove(2);
    let measured = slopes(|x| (max_pool(case.slide, x, &case.d_y).y * &case.d_y).sum(), &case.x);
    assert_all_close(&measured, &pool.d_x, 1e-7);
}

/// At a tie there is a kink: the derivative from the right is not that from the left. Here ε is
/// positive.
///
/// ```math
/// \begin{aligned}
/// \lim_{\varepsilon \to 0} \frac{\max(z + \varepsilon,\, z) - \max(z, z)}{\varepsilon} &= 1 \\
/// \lim_{\varepsilon \to 0} \frac{\max(z - \varepsilon,\, z) - \max(z, z)}{-\varepsilon} &= 0
/// \end{aligned}
/// ```
#[test]
fn max_pool_has_a_kink_at_a_tie() {
    let at = |z: f64, moved: f64| {
        let x = Array4::from_shape_vec((1, 2, 2, 1), vec![z - 1.0, moved, z - 2.0, z]).unwrap();
        max_pool(slide(2, 2, 0), &x, &Array4::ones((1, 1, 1, 1))).y[[0, 0, 0, 0]]
    };
    for z in [-3.0, 0.0, 2.0] {
        for epsilon in [0.5, 2f64.powi(-10), 2f64.powi(-30)] {
            assert_eq!((at(z, z + epsilon) - at(z, z)) / epsilon, 1.0);
            assert_eq!((at(z, z - epsilon) - at(z, z)) / -epsilon, 0.0);
        }
    }
}

/// So a pixel gets what the windows send in which it is the first maximum, and the numbers that
/// arrive sum to those that were sent.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial x_{i',j',c}} &= \sum_{(i,j)\;:\;\text{first maximum at } (i',j')}
///   \frac{\partial L}{\partial y_{i,j,c}} \\
/// \sum_{i',j'} \frac{\partial L}{\partial x_{i',j',c}} &= \sum_{i,j}
///   \frac{\partial L}{\partial y_{i,j,c}}
/// \end{aligned}
/// ```
#[test]
fn max_pool_routes_the_gradient() {
    for (case, pool) in pools(724) {
        let Slide { kernel: k, stride: s, .. } = case.slide;
        for ((l, row, column, c), &d_x) in pool.d_x.indexed_iter() {
            let mut sum = 0.0;
            for ((sample, i, j, channel), d_y) in case.d_y.indexed_iter() {
                if sample != l || channel != c {
                    continue;
                }
                let y = pool.y[[l, i, j, c]];
                let first = pairs(k, k).find(|&(r, t)| case.x[[l, s * i + r, s * j + t, c]] == y);
                let (r, t) = first.unwrap();
                if (s * i + r, s * j + t) == (row, column) {
                    sum += d_y;
                }
            }
            assert_close(d_x, sum, 1e-13);
        }
        for (l, c) in pairs(2, case.x.dim().3) {
            let arrived = pool.d_x.slice(s![l, .., .., c]).sum();
            assert_close(arrived, case.d_y.slice(s![l, .., .., c]).sum(), 1e-12);
        }
    }
}

/// An activation that never falls can wait until after the pooling, where it has fewer numbers
/// to look at.
///
/// ```math
/// f \text{ never falls} \quad\Longrightarrow\quad
/// \max_{r,t} f\bigl(x_{si+r,\,sj+t,\,c}\bigr) = f\Bigl(\max_{r,t} x_{si+r,\,sj+t,\,c}\Bigr)
/// ```
#[test]
fn activation_can_wait_for_the_pooling() {
    for (case, pool) in pools(725) {
        let after = |f: &dyn Activation<f64>| pool.y.mapv(|y| f.value(y));
        let before = |f: &dyn Activation<f64>| {
            max_pool(case.slide, &case.x.mapv(|x| f.value(x)), &case.d_y).y
        };
        assert_eq!(before(&Relu), after(&Relu));
        assert_eq!(before(&Tanh), after(&Tanh));
        // Not so with one that falls.
        let square = |x: &Array4<f64>| x.mapv(|x| x * x);
        let ties = case.x.iter().all(|x| x.fract() == 0.0);
        if case.slide.kernel == 3 && !ties {
            assert_ne!(max_pool(case.slide, &square(&case.x), &case.d_y).y, square(&pool.y));
        }
    }
}

/// The mean over a window is a convolution with weights that nobody learns, channel by channel.
///
/// ```math
/// \begin{aligned}
/// y_{i,j,c} &= \frac{1}{k^2} \sum_{r,t} x_{si+r,\;sj+t,\;c} = \sum_{r,t,c'}
///   x_{si+r,\;sj+t,\;c'}\; w_{r,t,c',c}, \qquad
///   w_{r,t,c',c} = \begin{cases} 1/k^2 & \text{if } c' = c, \\
///   0 & \text{otherwise} \end{cases} \\
/// \frac{\partial L}{\partial x_{i',j',c}} &= \frac{1}{k^2}
///   \sum_{(i,j)\;:\;\text{sees } (i',j')} \frac{\partial L}{\partial y_{i,j,c}}
/// \end{aligned}
/// ```
#[test]
fn average_pool_is_a_convolution() {
    for (mut case, _) in pools(726) {
        let Slide { kernel: k, stride: s, .. } = case.slide;
        let pool = average_pool(case.slide, &case.x, &case.d_y);
        let share = 1.0 / (k * k) as f64;
        case.w = Array4::from_shape_fn(
            case.w.raw_dim(),
            |(_, _, from, to)| {
                if from == to { share } else { 0.0 }
            },
        );
        case.b.fill(0.0);
        assert_all_close(&pool.y, &case.y(), 1e-14);
        assert_all_close(&pool.d_x, &case.d_x(), 1e-14);
        for ((l, i, j, c), &y) in pool.y.indexed_iter() {
            let sum: f64 = pairs(k, k).map(|(r, t)| case.x[[l, s * i + r, s * j + t, c]]).sum();
            assert_close(y, sum / (k * k) as f64, 1e-14);
        }
        for ((l, row, column, c), &d_x) in pool.d_x.indexed_iter() {
            let sees = |i: usize, pixel: usize| s * i <= pixel && pixel < s * i + k;
            let sum: f64 = case
                .d_y
                .indexed_iter()
                .filter(|((sample, i, j, to), _)| {
                    *sample == l && *to == c && sees(*i, row) && sees(*j, column)
                })
                .map(|(_, d)| d)
                .sum();
            assert_close(d_x, sum / (k * k) as f64, 1e-14);
        }
    }
}

/// A dense layer behind a flattened image is a convolution whose window is the whole image: it
/// has one place, and the same weights in the same order.
///
/// ```math
/// \begin{aligned}
/// \operatorname{row}(x)_{(iu + j)d + c} &= x_{i,j,c} \\
/// k = h = u, \quad p = 0 \quad&\Longrightarrow\quad h' = u' = 1 \\
/// y_{0,0,o} &= b_o + \sum_{r,t,c} x_{r,t,c}\,w_{r,t,c,o}
///   = \bigl(\operatorname{row}(x)\,W + b\bigr)_o
/// \end{aligned}
/// ```
#[test]
fn dense_layer_is_a_convolution_of_the_whole_image() {
    let mut rng = rng(727);
    for (k, d, m) in [(1, 4, 3), (3, 2, 5), (4, 1, 1)] {
        let case = Case::new(slide(k, 1, 0), [k, k, d], m, 3, &mut rng);
        let mut flatten = Flatten;
        let none = Array1::zeros(0);
        let flat = run(&mut flatten, case.input(), &none, &rows(&case.x), &rows(&case.x));
        assert_eq!(flat.output, Shape::Vector(k * k * d));
        for ((l, i, j, c), &x) in case.x.indexed_iter() {
            assert_eq!(flat.y[[l, (i * k + j) * d + c]], x);
        }
        let mut dense = Dense::new(m, Init::He).unwrap();
        let out = run(&mut dense, flat.output, &case.params(), &flat.y, &rows(&case.d_y));
        let convolution = case.run();
        assert_eq!(convolution.output, Shape::image(1, 1, m));
        assert_all_close(&convolution.y, &out.y, 1e-13);
        assert_all_close(&convolution.d_x, &out.d_x, 1e-13);
        assert_all_close(&convolution.d_params, &out.d_params, 1e-13);
        for (l, o) in pairs(3, m) {
            let mut sum = case.b[o];
            for (r, t) in pairs(k, k) {
                for c in 0..d {
                    sum += case.x[[l, r, t, c]] * case.w[[r, t, c, o]];
                }
            }
            assert_close(convolution.y[[l, o]], sum, 1e-13);
        }
    }
}

/// How large should the weights be at first? Independent weights of mean 0 and variance
/// Var(w): an output sums over k²d of them, and, with stride 1 and no padding, a pixel away from
/// the border gets back k²m terms.
///
/// ```math
/// \begin{aligned}
/// \operatorname{Var}(y_{i,j,o}) &= \operatorname{Var}(w)
///   \sum_{r,t,c} x_{i+r,\,j+t,\,c}^2 = k^2 d\;\operatorname{Var}(w)\;
///   \overline{x^2} \\
/// \operatorname{Var}\Bigl(\frac{\partial L}{\partial x_{i,j,c}}\Bigr) &= \operatorname{Var}(w)
///   \sum_{r,t,o} \Bigl(\frac{\partial L}{\partial y_{i-r,\,j-t,\,o}}\Bigr)^2
///   = k^2 m\;\operatorname{Var}(w)\;\overline{\Bigl(\frac{\partial L}{\partial y}\Bigr)^2} \\
/// \text{fan}_{\text{in}} &= k^2 d, \qquad \text{fan}_{\text{out}} = k^2 m
/// \end{aligned}
/// ```
#[test]
fn fans_of_a_convolution() {
    let mut rng = rng(728);
    for (k, d, m) in [(1, 3, 2), (2, 1, 3), (3, 2, 4)] {
        let side = 3 * k;
        let mut case = Case::new(slide(k, 1, 0), [side, side, d], m, 1, &mut rng);
        case.b.fill(0.0);
        let variance = 0.3;
        // Both are linear in the weights, so their variances are sums over the weights of
        // squared coefficients: what a weight of 1, alone, makes of them.
        let (mut of_y, mut of_d_x) = (0.0, 0.0);
        let (i, j, c, o) = (k, k, d - 1, m - 1);
        for index in 0..case.w.len() {
            case.w.fill(0.0);
            case.w.as_slice_mut().unwrap()[index] = 1.0;
            of_y += variance * case.y()[[0, i, j, o]].powi(2);
            of_d_x += variance * case.d_x()[[0, i, j, c]].powi(2);
        }
        let (mut squares, mut d_squares) = (0.0, 0.0);
        for (r, t) in pairs(k, k) {
            (0..d).for_each(|c| squares += case.x[[0, i + r, j + t, c]].powi(2));
            (0..m).for_each(|o| d_squares += case.d_y[[0, i - r, j - t, o]].powi(2));
        }
        assert_close(of_y, variance * squares, 1e-12);
        assert_close(of_d_x, variance * d_squares, 1e-12);
        let (fan_in, fan_out) = (k * k * d, k * k * m);
        assert_close(of_y, fan_in as f64 * variance * (squares / fan_in as f64), 1e-12);
        assert_close(of_d_x, fan_out as f64 * variance * (d_squares / fan_out as f64), 1e-12);

        // What the layer draws is what Init says for these two.
        for init in [Init::He, Init::GlorotNormal] {
            let mut layer = Convolution::new(m, k, init).unwrap();
            Layer::<f64>::accept(&mut layer, case.input()).unwrap();
            let mut drawn = Array1::zeros(parameter_count::<f64>(&layer));
            layer.initialise(&mut drawn, &mut common::rng(1));
            let (mut plain, mut b) = (Array2::zeros((fan_in, m)), Array1::zeros(m));
            Init::LeCun.fill(&mut plain, &mut b, &mut common::rng(1));
            let ratio = (init.variance(fan_in, fan_out) * fan_in as f64).sqrt();
            let plain: Array1<f64> = plain.iter().map(|w| ratio * w).chain(b.to_vec()).collect();
            assert_all_close(&drawn, &plain, 1e-13);
        }
    }
}

/// The published forward pass: the bias is added inside the sum over the channels that come in,
/// and so it is added d times.
///
/// ```math
/// y_{i,j,o} = \sum_c \Bigl( b_o + \sum_{r,t} x_{i+r,\,j+t,\,c}\; w_{r,t,c,o} \Bigr)
///   = d\,b_o + \sum_{r,t,c} x_{i+r,\,j+t,\,c}\; w_{r,t,c,o}
/// ```
#[test]
fn bias_is_added_once_per_input_channel() {
    let mut rng = rng(729);
    for (d, m) in [(1, 1), (1, 2), (2, 3), (5, 2)] {
        let mut case = Case::new(slide(2, 1, 0), [4, 3, d], m, 1, &mut rng);
        let x = case.x.index_axis(Axis(0), 0).to_owned();
        let published = published_forward(&x, &case.w, &case.b);
        // It is the library's layer with a bias that is d times as large.
        case.b *= d as f64;
        let y = case.y().index_axis(Axis(0), 0).to_owned();
        assert_all_close(&published, &y, 1e-13);
    }
}

/// The forward pass of the tutorial, channel by channel.
fn published_forward(x: &Array3<f64>, w: &Array4<f64>, b: &Array1<f64>) -> Array3<f64> {
    let (k, _, d, m) = w.dim();
    let mut y = Array3::zeros((x.dim().0 - k + 1, x.dim().1 - k + 1, m));
    for (o, c) in pairs(m, d) {
        for ((i, j), y) in y.slice_mut(s![.., .., o]).indexed_iter_mut() {
            let seen = pairs(k, k).map(|(r, t)| x[[i + r, j + t, c]] * w[[r, t, c, o]]);
            *y += seen.sum::<f64>() + b[o];
        }
    }
    y
}

/// Its true derivative is d times a sum. The published one is the same sum, times the number m
/// of channels that go out: two wrongs, whose quotient the check sees.
///
/// ```math
/// \begin{aligned}
/// \text{true:} \quad \frac{\partial L}{\partial b_o} &= d \sum_{i,j}
///   \frac{\partial L}{\partial y_{i,j,o}}, \qquad
/// \text{published:} \quad m \sum_{i,j} \frac{\partial L}{\partial y_{i,j,o}} \\
/// \frac{\text{published}}{\text{true}} &= \frac{m}{d}: \qquad
///   \frac{1}{1} = 1, \quad \frac{2}{1} = 2, \quad \frac{3}{2} = 1.5
/// \end{aligned}
/// ```
#[test]
fn bias_gradient_is_off_by_a_ratio_of_channels() {
    let mut rng = rng(730);
    for (d, m, ratio) in [(1, 1, 1.0), (1, 2, 2.0), (2, 3, 1.5), (4, 2, 0.5)] {
        let case = Case::new(slide(2, 1, 0), [4, 3, d], m, 1, &mut rng);
        let x = case.x.index_axis(Axis(0), 0).to_owned();
        let d_y = case.d_y.index_axis(Axis(0), 0).to_owned();
        let loss = |b: &Array1<f64>| (published_forward(&x, &case.w, b) * &d_y).sum();
        let measured = gradient(loss, &case.b);
        for o in 0..m {
            let sum: f64 = d_y.slice(s![.., .., o]).iter().sum();
            assert_close(measured[o], d as f64 * sum, 1e-8);
            let published = m as f64 * sum;
            assert_close(published / measured[o], m as f64 / d as f64, 1e-7);
            assert_close(m as f64 / d as f64, ratio, 1e-15);
        }
    }
}

/// Seen from outside, the bias is B, the number that is really added, d times b. A step of
/// gradient descent with the published gradient moves it dm times as far as a right one would.
///
/// ```math
/// \begin{aligned}
/// B_o &= d\,b_o, \qquad \frac{\partial L}{\partial B_o} = \sum_{i,j}
///   \frac{\partial L}{\partial y_{i,j,o}} \\
/// b_o &\leftarrow b_o - \eta\,m\,\frac{\partial L}{\partial B_o}
///   \quad\Longrightarrow\quad
///   B_o \leftarrow B_o - \eta\,d\,m\,\frac{\partial L}{\partial B_o}
/// \end{aligned}
/// ```
#[test]
fn published_bias_learns_at_a_rate_of_its_own() {
    let mut rng = rng(731);
    let eta = 0.01;
    for (d, m) in [(1, 2), (2, 3), (3, 3)] {
        let mut case = Case::new(slide(2, 1, 0), [4, 3, d], m, 1, &mut rng);
        let d_y = case.d_y.index_axis(Axis(0), 0).to_owned();
        let sums = Array1::from_shape_fn(m, |o| d_y.slice(s![.., .., o]).sum());
        let b = &case.b - &(eta * m as f64 * &sums);
        let added = d as f64 * &case.b;
        let moved = &added - &(eta * (d * m) as f64 * &case.d_b());
        assert_all_close(&(d as f64 * &b), &moved, 1e-12);
        // The forward pass after the step is that of the right layer with the bias that moved.
        let x = case.x.index_axis(Axis(0), 0).to_owned();
        let published = published_forward(&x, &case.w, &b);
        case.b = moved;
        assert_all_close(&published, &case.y().index_axis(Axis(0), 0).to_owned(), 1e-12);
    }
}

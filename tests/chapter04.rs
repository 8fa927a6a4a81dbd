//! The equations of chapter 4.

mod common;

use std::ops::ControlFlow;

use common::*;
use gradus::layout::{Layout, flatten, restore};
use gradus::random::Random;
use gradus::train::{Event, silent};
use gradus::{
    Activation, BinaryCrossEntropy, CategoricalCrossEntropy, Elementwise, Fit, GradientDescent,
    Identity, Init, Loss, MeanSquaredError, Model, Network, NeuralNetwork, OutputActivation, Relu,
    Samples, Share, Sigmoid, Softmax, Tanh, Trace, one_hot, toy,
};
use ndarray::{Array1, Array2, ArrayRef, Axis, Dimension, array, s};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

// What the library is compared with: a network written out in loops, with nothing shared.

/// a b, entry by entry.
fn times(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    assert_eq!(a.ncols(), b.nrows());
    let entry = |i, j| (0..a.ncols()).map(|k| a[[i, k]] * b[[k, j]]).sum();
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| entry(i, j))
}

/// Where the weights of layer i begin: after the weights of all layers before.
fn weights_begin(sizes: &[usize], i: usize) -> usize {
    (0..i).map(|l| sizes[l] * sizes[l + 1]).sum()
}

/// Where the biases of layer i begin: after all weights, and the biases of all layers before.
fn biases_begin(sizes: &[usize], i: usize) -> usize {
    weights_begin(sizes, sizes.len() - 1) + (0..i).map(|l| sizes[l + 1]).sum::<usize>()
}

/// Layer sizes, hidden activation, and the loss of one sample from its last row of z.
#[derive(Clone, Copy)]
struct Plain {
    sizes: &'static [usize],
    hidden: fn(f64) -> f64,
    loss: fn(&[f64], &[f64]) -> f64,
}

impl Plain {
    fn weights(&self, theta: &Array1<f64>, i: usize) -> Array2<f64> {
        let begin = weights_begin(self.sizes, i);
        let shape = (self.sizes[i], self.sizes[i + 1]);
        Array2::from_shape_fn(shape, |(k, j)| theta[begin + k * shape.1 + j])
    }

    /// zᵢ, given what enters layer i.
    fn layer(&self, theta: &Array1<f64>, i: usize, a: &Array2<f64>) -> Array2<f64> {
        let mut z = times(a, &self.weights(theta, i));
        let begin = biases_begin(self.sizes, i);
        z.indexed_iter_mut().for_each(|((_, j), z)| *z += theta[begin + j]);
        z
    }

    /// How much z₀ changes when entry q of the parameters grows by 1.
    fn layer_by(&self, theta: &Array1<f64>, x: &Array2<f64>, q: usize) -> Array2<f64> {
        let mut moved = theta.clone();
        moved[q] += 1.0;
        self.layer(&moved, 0, x) - self.layer(theta, 0, x)
    }

    /// The zᵢ of all layers.
    fn forward(&self, theta: &Array1<f64>, x: &Array2<f64>) -> Vec<Array2<f64>> {
        let mut z = vec![self.layer(theta, 0, x)];
        for i in 1..self.sizes.len() - 1 {
            z.push(self.layer(theta, i, &z[i - 1].mapv(self.hidden)));
        }
        z
    }

    /// The mean loss over the batch, given zᵢ of one layer.
    fn loss_from(&self, theta: &Array1<f64>, i: usize, z: &Array2<f64>, y: &Array2<f64>) -> f64 {
        if i + 2 < self.sizes.len() {
            let next = self.layer(theta, i + 1, &z.mapv(self.hidden));
            return self.loss_from(theta, i + 1, &next, y);
        }
        let row = |a: &Array2<f64>, i| a.row(i).to_vec();
        let losses = (0..z.nrows()).map(|i| (self.loss)(&row(z, i), &row(y, i)));
        losses.sum::<f64>() / z.nrows() as f64
    }

    fn mean_loss(&self, theta: &Array1<f64>, x: &Array2<f64>, y: &Array2<f64>) -> f64 {
        self.loss_from(theta, 0, &self.layer(theta, 0, x), y)
    }
}

/// 1/m Σ (z − y)²: the outputs are z itself.
fn squared(z: &[f64], y: &[f64]) -> f64 {
    z.iter().zip(y).map(|(z, y)| (z - y) * (z - y)).sum::<f64>() / z.len() as f64
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    z.iter().map(|z| z.exp() / sum).collect()
}

/// −Σ y ln ŷ, with ŷ the softmax of z.
fn cross_entropy(z: &[f64], y: &[f64]) -> f64 {
    -softmax(z).iter().zip(y).map(|(p, y)| y * p.ln()).sum::<f64>()
}

/// The derivative of f with respect to each entry of a matrix, measured.
fn matrix_gradient(f: impl Fn(&Array2<f64>) -> f64, at: &Array2<f64>) -> Array2<f64> {
    let shape = at.dim();
    let matrix = |x: &Array1<f64>| x.clone().into_shape_with_order(shape).unwrap();
    matrix(&gradient(|x| f(&matrix(x)), &at.flatten().to_owned()))
}

/// The library's network with random parameters, biases included.
fn network(
    sizes: &[usize],
    hidden: impl Activation<f64> + 'static,
    output: impl OutputActivation<f64> + 'static,
    loss: impl Loss<f64> + 'static,
    rate: f64,
    rng: &mut ChaCha8Rng,
) -> NeuralNetwork<f64> {
    let optimizer = GradientDescent::new(rate).unwrap();
    let init = Init::Lazar;
    let mut network = NeuralNetwork::new(sizes, hidden, output, loss, optimizer, init, 1).unwrap();
    network.set_params(&normal(network.params().len(), 0.6, rng)).unwrap();
    network
}

/// The same network twice, with tanh and squared errors, and a batch of six for it.
fn tanh_pair(seed: u64, rate: f64) -> (NeuralNetwork<f64>, Plain, Array2<f64>, Array2<f64>) {
    let mut rng = rng(seed);
    let plain = Plain { sizes: &[3, 4, 5, 2], hidden: f64::tanh, loss: squared };
    let output = Elementwise(Identity);
    let network = network(plain.sizes, Tanh, output, MeanSquaredError, rate, &mut rng);
    (network, plain, normal((6, 3), 1.0, &mut rng), normal((6, 2), 1.0, &mut rng))
}

/// What the library's forward and backward pass leave behind, and its gradient.
fn backward(
    network: &NeuralNetwork<f64>,
    x: &Array2<f64>,
    y: &Array2<f64>,
) -> (Trace<f64>, Array1<f64>) {
    let mut trace = network.trace(x.nrows());
    let mut gradient = Array1::zeros(network.params().len());
    network.gradient_into(x, y, Share::whole(x.nrows()), &mut trace, &mut gradient);
    (trace, gradient)
}

fn mean_square<D: Dimension>(x: &ArrayRef<f64, D>) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64
}

fn variance<D: Dimension>(x: &ArrayRef<f64, D>) -> f64 {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64
}

/// A variance that was sampled agrees with one that was worked out. The variance of N normal
/// numbers has a relative standard error of √(2 / N): five of those, which no seed exceeds.
#[track_caller]
fn assert_variance(sampled: f64, expected: f64, samples: usize) {
    assert_close(sampled / expected, 1.0, 5.0 * (2.0 / samples as f64).sqrt());
}

/// The weights and biases that an initialisation draws.
fn drawn(init: Init, fan_in: usize, fan_out: usize, seed: u64) -> (Array2<f64>, Array1<f64>) {
    let mut parts = (Array2::zeros((fan_in, fan_out)), Array1::zeros(fan_out));
    init.fill(&mut parts.0, &mut parts.1, &mut rng(seed));
    parts
}

/// Each entry that leaves a layer is a weighted sum of the entries of one sample, and a bias.
///
/// ```math
/// z_{ij} = \sum_{k} x_{ik}\, w_{kj} + b_j
/// ```
#[test]
fn affine_layer_by_entries() {
    let mut rng = rng(401);
    let network = network(&[3, 2], Tanh, Elementwise(Identity), MeanSquaredError, 0.1, &mut rng);
    let x = normal((5, 3), 1.0, &mut rng);
    let (w, b) = (network.weights(0), network.biases(0));
    let z = network.forward(&x).unwrap().z.remove(0);
    assert_eq!(z.dim(), (5, 2));
    for ((i, j), &z) in z.indexed_iter() {
        let mut sum = b[j];
        for k in 0..3 {
            sum += x[[i, k]] * w[[k, j]];
        }
        assert_close(z, sum, 1e-14);
    }
}

/// The same sums for a whole batch are one matrix product; the biases are added to each row.
///
/// ```math
/// \underset{(n,\,m)}{\mathstrut Z}
///   = \underset{(n,\,s)}{\mathstrut X}\;\underset{(s,\,m)}{\mathstrut W}
///   + \underset{(n,\,1)}{\mathstrut \mathbf 1}\;\underset{(1,\,m)}{\mathstrut b}
/// ```
#[test]
fn affine_layer_by_matrices() {
    let mut rng = rng(402);
    let network = network(&[4, 7], Tanh, Elementwise(Identity), MeanSquaredError, 0.1, &mut rng);
    let x = normal((9, 4), 1.0, &mut rng);
    let b = network.biases(0).insert_axis(Axis(0)).to_owned();
    let right = times(&x, &network.weights(0).to_owned()) + times(&Array2::ones((9, 1)), &b);
    assert_all_close(&network.forward(&x).unwrap().z[0], &right, 1e-14);
}

/// A network of two layers puts the output of the first into the second.
///
/// ```math
/// \begin{aligned}
/// \underset{(n,\,s_1)}{\mathstrut Z_0}
///   &= \underset{(n,\,s_0)}{\mathstrut X}\;\underset{(s_0,\,s_1)}{\mathstrut W_0}
///     + \underset{(n,\,1)}{\mathstrut \mathbf 1}\;\underset{(1,\,s_1)}{\mathstrut b_0} \\
/// \underset{(n,\,s_1)}{\mathstrut A_0} &= f(Z_0) \\
/// \underset{(n,\,s_2)}{\mathstrut Z_1}
///   &= \underset{(n,\,s_1)}{\mathstrut A_0}\;\underset{(s_1,\,s_2)}{\mathstrut W_1}
///     + \underset{(n,\,1)}{\mathstrut \mathbf 1}\;\underset{(1,\,s_2)}{\mathstrut b_1} \\
/// \underset{(n,\,s_2)}{\mathstrut \hat Y} &= g(Z_1)
/// \end{aligned}
/// ```
#[test]
fn affine_layers_composed() {
    let mut rng = rng(403);
    let network = network(&[3, 5, 4], Tanh, Softmax, CategoricalCrossEntropy, 0.1, &mut rng);
    let x = normal((6, 3), 1.0, &mut rng);
    let affine = |a: &Array2<f64>, i| {
        let b = network.biases(i).insert_axis(Axis(0)).to_owned();
        times(a, &network.weights(i).to_owned()) + times(&Array2::ones((6, 1)), &b)
    };
    let z_0 = affine(&x, 0);
    let a_0 = z_0.mapv(f64::tanh);
    let z_1 = affine(&a_0, 1);
    let trace = network.forward(&x).unwrap();
    assert_all_close(&trace.z[0], &z_0, 1e-14);
    assert_all_close(&trace.a[0], &a_0, 1e-14);
    assert_all_close(&trace.z[1], &z_1, 1e-14);
    let y_hat = network.predict(&x).unwrap();
    for (y_hat, z) in y_hat.rows().into_iter().zip(z_1.rows()) {
        assert_all_close(&y_hat, &Array1::from(softmax(&z.to_vec())), 1e-14);
    }
}

/// Without an activation between them, two layers are one: the products of matrices may be
/// multiplied out.
///
/// ```math
/// \begin{aligned}
/// &(X W_0 + \mathbf 1 b_0)\, W_1 + \mathbf 1 b_1 \\
///   &\quad = X W_0 W_1 + \mathbf 1 b_0 W_1 + \mathbf 1 b_1 \\
///   &\quad = \underset{(n,\,s_0)}{\mathstrut X}\;\underset{(s_0,\,s_2)}{\mathstrut (W_0 W_1)}
///   + \underset{(n,\,1)}{\mathstrut \mathbf 1}\;\underset{(1,\,s_2)}{\mathstrut (b_0 W_1 + b_1)}
/// \end{aligned}
/// ```
#[test]
fn affine_layers_collapse() {
    let mut rng = rng(426);
    let output = Elementwise(Identity);
    let network = network(&[3, 5, 4], Identity, output, MeanSquaredError, 0.1, &mut rng);
    let x = normal((6, 3), 1.0, &mut rng);
    let [w0, w1] = [0, 1].map(|i| network.weights(i).to_owned());
    let [b0, b1] = [0, 1].map(|i| network.biases(i).insert_axis(Axis(0)).to_owned());
    let ones = Array2::ones((6, 1));
    let left = times(&(times(&x, &w0) + times(&ones, &b0)), &w1) + times(&ones, &b1);
    let three = times(&times(&x, &w0), &w1) + times(&times(&ones, &b0), &w1) + times(&ones, &b1);
    let right = times(&x, &times(&w0, &w1)) + times(&ones, &(times(&b0, &w1) + b1));
    assert_all_close(&left, &three, 1e-13);
    assert_all_close(&left, &right, 1e-13);
    assert_all_close(&network.predict(&x).unwrap(), &right, 1e-13);
}

/// A single affine unit gives the four cases of exclusive or two equal sums; right answers would
/// need a negative sum on the left and a positive one on the right.
///
/// ```math
/// \begin{aligned}
/// z(0, 0) + z(1, 1) &= b + (w_1 + w_2 + b) \\
///   &= (w_2 + b) + (w_1 + b) \\
///   &= z(0, 1) + z(1, 0)
/// \end{aligned}
/// ```
#[test]
fn exclusive_or_is_not_affine() {
    let mut rng = rng(427);
    for _ in 0..20 {
        let output = Elementwise(Sigmoid);
        let network = network(&[2, 1], Tanh, output, BinaryCrossEntropy, 0.1, &mut rng);
        let (w, b) = (network.weights(0).to_owned(), network.biases(0)[0]);
        let (w1, w2) = (w[[0, 0]], w[[1, 0]]);
        // In the order (0, 0), (0, 1), (1, 0), (1, 1).
        let z = network.forward(toy::xor().x()).unwrap().z.remove(0);
        let (same, different) = (z[[0, 0]] + z[[3, 0]], z[[1, 0]] + z[[2, 0]]);
        assert_close(same, b + (w1 + w2 + b), 1e-14);
        assert_close(same, (w2 + b) + (w1 + b), 1e-14);
        assert_close(same, different, 1e-14);
        assert!(network.score(&toy::xor()).unwrap().accuracy().unwrap() < 1.0);
    }
}

/// Two hidden units with ReLU are enough: the second takes back what the first says too much
/// when both inputs are 1.
///
/// ```math
/// x_1 \oplus x_2 = \operatorname{relu}(x_1 + x_2) - 2\operatorname{relu}(x_1 + x_2 - 1)
/// ```
#[test]
fn exclusive_or_by_hand() {
    let relu = |z: f64| z.max(0.0);
    let xor = toy::xor();
    for (x, y) in xor.x().rows().into_iter().zip(xor.y()) {
        assert_eq!(relu(x[0] + x[1]) - 2.0 * relu(x[0] + x[1] - 1.0), *y);
    }
    let (output, mut rng) = (Elementwise(Identity), rng(428));
    let mut network = network(&[2, 2, 1], Relu, output, MeanSquaredError, 0.1, &mut rng);
    let (w, b) =
        ([array![[1.0, 1.0], [1.0, 1.0]], array![[1.0], [-2.0]]], [array![0.0, -1.0], array![0.0]]);
    network.set_params(&flatten(&w, &b)).unwrap();
    assert_eq!(network.predict(xor.x()).unwrap(), xor.y());
}

/// The number of parameters: a weight for each pair of neighbours in adjacent layers, a bias
/// for each unit that is not an input.
///
/// ```math
/// p = \sum_{i=0}^{D-1} \bigl(s_i\, s_{i+1} + s_{i+1}\bigr)
/// ```
#[test]
fn parameters_counted() {
    let mut rng = rng(404);
    for layers in 1..6 {
        let sizes: Vec<usize> = (0..=layers).map(|_| rng.random_range(1..30)).collect();
        let p: usize = (0..layers).map(|i| sizes[i] * sizes[i + 1] + sizes[i + 1]).sum();
        let output = Elementwise(Identity);
        let network = network(&sizes, Tanh, output, MeanSquaredError, 0.1, &mut rng);
        assert_eq!(network.layout().parameter_count(), p, "{sizes:?}");
        let entries = |i| network.weights(i).len() + network.biases(i).len();
        assert_eq!((0..layers).map(entries).sum::<usize>(), p, "{sizes:?}");
    }
}

/// What each entry of Z answers to: the weights of its own column, the bias of its own column,
/// and the inputs of its own row.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial z_{il}}{\partial w_{kj}} &= x_{ik}\,\delta_{jl} \\
/// \frac{\partial z_{il}}{\partial b_j} &= \delta_{jl} \\
/// \frac{\partial z_{lj}}{\partial x_{ik}} &= w_{kj}\,\delta_{il}
/// \end{aligned}
/// ```
#[test]
fn affine_layer_derivatives() {
    let mut rng = rng(431);
    let plain = Plain { sizes: &[3, 2], hidden: f64::tanh, loss: squared };
    let output = Elementwise(Identity);
    let network = network(plain.sizes, Tanh, output, MeanSquaredError, 0.1, &mut rng);
    let (x, w) = (normal((5, 3), 1.0, &mut rng), network.weights(0).to_owned());
    let delta = |i, j| if i == j { 1.0 } else { 0.0 };
    // Each z is linear in each single number, so that a difference over any distance is exact.
    let z_of_x = |x: &Array2<f64>| network.forward(x).unwrap().z.remove(0);
    let by_x = |i, k| {
        let mut moved = x.clone();
        moved[[i, k]] += 1.0;
        z_of_x(&moved) - z_of_x(&x)
    };
    for ((i, l), _) in z_of_x(&x).indexed_iter() {
        for j in 0..2 {
            for k in 0..3 {
                let by_w = plain.layer_by(network.params(), &x, k * 2 + j);
                assert_close(by_w[[i, l]], x[[i, k]] * delta(j, l), 1e-14);
            }
            let by_b = plain.layer_by(network.params(), &x, 6 + j);
            assert_close(by_b[[i, l]], delta(j, l), 1e-14);
        }
    }
    for ((i, k), _) in x.indexed_iter() {
        for ((l, j), &by_x) in by_x(i, k).indexed_iter() {
            assert_close(by_x, w[[k, j]] * delta(i, l), 1e-14);
        }
    }
}

/// A weight acts on every sample of the batch, through the input it multiplies.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial w_{kj}}
///   &= \sum_{i=1}^{n} \sum_{l}
///     \frac{\partial L}{\partial z_{il}}\,\frac{\partial z_{il}}{\partial w_{kj}} \\
///   &= \sum_{i=1}^{n} \sum_{l} \frac{\partial L}{\partial z_{il}}\, x_{ik}\,\delta_{jl} \\
///   &= \sum_{i=1}^{n} x_{ik}\, \frac{\partial L}{\partial z_{ij}}
/// \end{aligned}
/// ```
#[test]
fn backprop_weights_by_entries() {
    let (network, plain, x, y) = tanh_pair(413, 0.1);
    let theta = network.params();
    let d_z = matrix_gradient(|z| plain.loss_from(theta, 0, z, &y), &plain.layer(theta, 0, &x));
    let (_, gradient) = backward(&network, &x, &y);
    let d_weights = network.layout().weights(&gradient, 0);
    assert_eq!(d_weights.dim(), (3, 4));
    for ((k, j), &d_weight) in d_weights.indexed_iter() {
        let mut sum = 0.0;
        for i in 0..6 {
            sum += x[[i, k]] * d_z[[i, j]];
        }
        assert_close(d_weight, sum, 1e-9);
        let by_w = plain.layer_by(theta, &x, k * 4 + j);
        assert_close(d_weight, (&d_z * &by_w).sum(), 1e-9);
    }
}

/// As matrices, for the inputs of any layer.
///
/// ```math
/// \underset{(s,\,m)}{\frac{\partial L}{\partial W}}
///   = \underset{(s,\,n)}{\vphantom{\frac{L}{Z}} A^\top}\;
///     \underset{(n,\,m)}{\frac{\partial L}{\partial Z}}
/// ```
#[test]
fn backprop_weights_by_matrices() {
    let (network, plain, x, y) = tanh_pair(414, 0.1);
    let theta = network.params();
    let z = plain.forward(theta, &x);
    let (_, gradient) = backward(&network, &x, &y);
    for i in 0..3 {
        let a = if i == 0 { x.clone() } else { z[i - 1].mapv(f64::tanh) };
        let d_z = matrix_gradient(|z| plain.loss_from(theta, i, z, &y), &z[i]);
        let right = times(&a.t().to_owned(), &d_z);
        assert_all_close(&network.layout().weights(&gradient, i), &right, 1e-9);
    }
}

/// A bias is added to every sample, so it collects from every sample.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial b_j}
///   &= \sum_{i=1}^{n} \sum_{l} \frac{\partial L}{\partial z_{il}}\,\delta_{jl}
///   = \sum_{i=1}^{n} \frac{\partial L}{\partial z_{ij}} \\
/// \underset{(1,\,m)}{\frac{\partial L}{\partial b}}
///   &= \underset{(1,\,n)}{\vphantom{\frac{L}{Z}} \mathbf 1^\top}\;
///     \underset{(n,\,m)}{\frac{\partial L}{\partial Z}}
/// \end{aligned}
/// ```
#[test]
fn backprop_biases() {
    let (network, plain, x, y) = tanh_pair(415, 0.1);
    let theta = network.params();
    let z = plain.forward(theta, &x);
    let (_, gradient) = backward(&network, &x, &y);
    for layer in 0..3 {
        let d_z = matrix_gradient(|z| plain.loss_from(theta, layer, z, &y), &z[layer]);
        for (j, &d_bias) in network.layout().biases(&gradient, layer).indexed_iter() {
            let sum: f64 = (0..6).map(|i| d_z[[i, j]]).sum();
            assert_close(d_bias, sum, 1e-9);
        }
        let d_biases = network.layout().biases(&gradient, layer).insert_axis(Axis(0));
        assert_all_close(&d_biases, &times(&Array2::ones((1, 6)), &d_z), 1e-9);
    }
}

/// An input acts on every output of its own sample; the layer before needs this derivative.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial a_{ik}}
///   &= \sum_{j} \frac{\partial L}{\partial z_{ij}}\,\frac{\partial z_{ij}}{\partial a_{ik}}
///   = \sum_{j} \frac{\partial L}{\partial z_{ij}}\, w_{kj} \\
/// \underset{(n,\,s)}{\frac{\partial L}{\partial A}}
///   &= \underset{(n,\,m)}{\frac{\partial L}{\partial Z}}\;
///     \underset{(m,\,s)}{\vphantom{\frac{L}{Z}} W^\top}
/// \end{aligned}
/// ```
#[test]
fn backprop_inputs() {
    // With the identity as hidden activation, the library's ∂L/∂z₀ is ∂L/∂a₀.
    let mut rng = rng(416);
    let plain = Plain { sizes: &[3, 4, 2], hidden: |z| z, loss: squared };
    let output = Elementwise(Identity);
    let network = network(plain.sizes, Identity, output, MeanSquaredError, 0.1, &mut rng);
    let (x, y) = (normal((6, 3), 1.0, &mut rng), normal((6, 2), 1.0, &mut rng));
    let theta = network.params();
    let z = plain.forward(theta, &x);
    let d_z = matrix_gradient(|z| plain.loss_from(theta, 1, z, &y), &z[1]);
    let w = plain.weights(theta, 1);
    let d_a = &backward(&network, &x, &y).0.d_z[0];
    assert_eq!(d_a.dim(), (6, 4));
    for ((i, k), &d_a) in d_a.indexed_iter() {
        let mut sum = 0.0;
        for j in 0..2 {
            sum += d_z[[i, j]] * w[[k, j]];
        }
        assert_close(d_a, sum, 1e-9);
    }
    assert_all_close(d_a, &times(&d_z, &w.t().to_owned()), 1e-9);
}

/// Through the activation of a hidden layer: entry by entry, as each a depends on one z.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial Z_i} &= \frac{\partial L}{\partial A_i} \odot f'(Z_i) \\
///   &= \Bigl(\underset{(n,\,s_{i+2})}{\frac{\partial L}{\partial Z_{i+1}}}\;
///     \underset{(s_{i+2},\,s_{i+1})}{\vphantom{\frac{L}{Z}} W_{i+1}^\top}\Bigr)
///     \odot \underset{(n,\,s_{i+1})}{\vphantom{\frac{L}{Z}} f'(Z_i)}
/// \end{aligned}
/// ```
#[test]
fn backprop_hidden() {
    let (network, plain, x, y) = tanh_pair(417, 0.1);
    let theta = network.params();
    let z = plain.forward(theta, &x);
    let (trace, _) = backward(&network, &x, &y);
    for i in 0..2 {
        let slopes = z[i].mapv(|z| 1.0 - z.tanh() * z.tanh());
        let loss_of_a =
            |a: &Array2<f64>| plain.loss_from(theta, i + 1, &plain.layer(theta, i + 1, a), &y);
        let d_a = matrix_gradient(loss_of_a, &z[i].mapv(f64::tanh));
        assert_all_close(&trace.d_z[i], &(&d_a * &slopes), 1e-9);

        let d_next = matrix_gradient(|z| plain.loss_from(theta, i + 1, z, &y), &z[i + 1]);
        let d_a = times(&d_next, &plain.weights(theta, i + 1).t().to_owned());
        assert_all_close(&trace.d_z[i], &(&d_a * &slopes), 1e-9);
    }
}

/// All of it at once, for the weights into and out of hidden unit j: whatever carries the index
/// j belongs to that unit.
///
/// ```math
/// \begin{aligned}
/// \Bigl(\frac{\partial L}{\partial W_0}\Bigr)_{kj}
///   &= \sum_{i=1}^{n} x_{ik} \Bigl(\frac{\partial L}{\partial Z_0}\Bigr)_{ij} \\
/// \Bigl(\frac{\partial L}{\partial Z_0}\Bigr)_{ij}
///   &= f'\bigl((Z_0)_{ij}\bigr)
///     \sum_{l} \Bigl(\frac{\partial L}{\partial Z_1}\Bigr)_{il} (W_1)_{jl} \\
/// \Bigl(\frac{\partial L}{\partial W_1}\Bigr)_{jl}
///   &= \sum_{i=1}^{n} f\bigl((Z_0)_{ij}\bigr) \Bigl(\frac{\partial L}{\partial Z_1}\Bigr)_{il}
/// \end{aligned}
/// ```
#[test]
fn equal_units_stay_equal() {
    let mut rng = rng(432);
    let plain = Plain { sizes: &[3, 4, 2], hidden: f64::tanh, loss: squared };
    let output = Elementwise(Identity);
    let mut network = network(plain.sizes, Tanh, output, MeanSquaredError, 0.1, &mut rng);
    let (x, y) = (normal((6, 3), 1.0, &mut rng), normal((6, 2), 1.0, &mut rng));
    let z = plain.forward(network.params(), &x);
    let d_z = matrix_gradient(|z| plain.loss_from(network.params(), 1, z, &y), &z[1]);
    let (layout, w1) = (network.layout().clone(), plain.weights(network.params(), 1));
    let (trace, gradient) = backward(&network, &x, &y);
    let d_z0 = |i: usize, j: usize| {
        let slope = 1.0 - z[0][[i, j]].tanh().powi(2);
        slope * (0..2).map(|l| d_z[[i, l]] * w1[[j, l]]).sum::<f64>()
    };
    for ((i, j), &d) in trace.d_z[0].indexed_iter() {
        assert_close(d, d_z0(i, j), 1e-9);
    }
    for ((k, j), &d_weight) in layout.weights(&gradient, 0).indexed_iter() {
        let sum: f64 = (0..6).map(|i| x[[i, k]] * d_z0(i, j)).sum();
        assert_close(d_weight, sum, 1e-9);
    }
    for ((j, l), &d_weight) in layout.weights(&gradient, 1).indexed_iter() {
        let sum: f64 = (0..6).map(|i| z[0][[i, j]].tanh() * d_z[[i, l]]).sum();
        assert_close(d_weight, sum, 1e-9);
    }

    // Unit 2 becomes a copy of unit 1: the gradient cannot tell them apart.
    let mut theta = network.params().clone();
    for k in 0..3 {
        theta[k * 4 + 2] = theta[k * 4 + 1];
    }
    for l in 0..2 {
        theta[12 + 2 * 2 + l] = theta[12 + 2 + l];
    }
    theta[20 + 2] = theta[20 + 1];
    network.set_params(&theta).unwrap();
    let (_, gradient) = backward(&network, &x, &y);
    let (d_w0, d_b0) = (layout.weights(&gradient, 0), layout.biases(&gradient, 0));
    let d_w1 = layout.weights(&gradient, 1);
    assert_all_close(&d_w0.column(2), &d_w0.column(1), 1e-15);
    assert_all_close(&d_w1.row(2), &d_w1.row(1), 1e-15);
    assert_close(d_b0[2], d_b0[1], 1e-15);
    assert!((d_w0[[0, 1]] - d_w0[[0, 3]]).abs() > 1e-3, "other units differ");
}

/// Where the way back begins, for softmax with cross-entropy: the mean over the batch puts 1/n
/// in front of what chapter 2 derived for one sample.
///
/// ```math
/// \underset{(n,\,s_D)}{\frac{\partial L}{\partial Z_{D-1}}}
///   = \frac{1}{n}\bigl(\underset{(n,\,s_D)}{\vphantom{\frac{L}{Z}} \hat Y}
///     - \underset{(n,\,s_D)}{\vphantom{\frac{L}{Z}} Y}\bigr)
/// ```
#[test]
fn backprop_begins_at_softmax() {
    let mut rng = rng(418);
    let network = network(&[3, 5, 4], Tanh, Softmax, CategoricalCrossEntropy, 0.1, &mut rng);
    let plain = Plain { sizes: &[3, 5, 4], hidden: f64::tanh, loss: cross_entropy };
    let (x, y) = (normal((7, 3), 1.0, &mut rng), distributions(7, 4, &mut rng));
    let z = plain.forward(network.params(), &x).remove(1);
    let d_z = &backward(&network, &x, &y).0.d_z[1];
    for i in 0..7 {
        let y_hat = softmax(&z.row(i).to_vec());
        for j in 0..4 {
            assert_close(d_z[[i, j]], (y_hat[j] - y[[i, j]]) / 7.0, 1e-13);
        }
    }
}

/// The gradient of a mean over a batch is the mean of the samples' gradients.
///
/// ```math
/// \nabla \Bigl(\frac1n \sum_{i=1}^{n} L_i\Bigr) = \frac1n \sum_{i=1}^{n} \nabla L_i
/// ```
#[test]
fn gradient_of_the_mean() {
    let (network, plain, x, y) = tanh_pair(419, 0.1);
    let theta = network.params();
    let (_, whole) = network.loss_and_gradient(&x, &y).unwrap();
    let mut sum = Array1::zeros(theta.len());
    for i in 0..6 {
        let row = s![i..=i, ..];
        let (x, y) = (x.slice(row).to_owned(), y.slice(row).to_owned());
        sum += &gradient(|theta| plain.mean_loss(theta, &x, &y), theta);
    }
    assert_all_close(&whole, &(sum / 6.0), 1e-9);
}

/// The whole gradient, all layers at once, against the definition of a derivative.
///
/// ```math
/// \frac{\partial L}{\partial \theta_i}
///   = \lim_{h \to 0}
///     \frac{L(\theta + h\,\mathbf e_i) - L(\theta - h\,\mathbf e_i)}{2h}
/// ```
#[test]
fn gradient_of_the_whole_network() {
    let mut rng = rng(420);
    let sizes = &[3, 6, 5, 4];
    let network = network(sizes, Relu, Softmax, CategoricalCrossEntropy, 0.1, &mut rng);
    let plain = Plain { sizes, hidden: |z| z.max(0.0), loss: cross_entropy };
    let (x, y) = (normal((7, 3), 1.0, &mut rng), distributions(7, 4, &mut rng));
    // No z may cross the kink of ReLU while a parameter moves by h.
    let z = plain.forward(network.params(), &x);
    assert!(z[..2].iter().flatten().all(|z| z.abs() > 1e-3), "choose another seed");
    let (loss, derived) = network.loss_and_gradient(&x, &y).unwrap();
    assert_close(loss, plain.mean_loss(network.params(), &x, &y), 1e-13);
    for i in 0..derived.len() {
        let moved = |h: f64| {
            let mut theta = network.params().clone();
            theta[i] += h;
            plain.mean_loss(&theta, &x, &y)
        };
        // The error of the quotient is of order h², about 1e-10 here.
        let h = 1e-5;
        assert_close(derived[i], (moved(h) - moved(-h)) / (2.0 * h), 1e-9);
    }
}

/// In the parameter vector all weights come first, layer by layer and row by row, then all
/// biases.
///
/// ```math
/// \begin{aligned}
/// (W_i)_{kj} &= \theta\Bigl[\textstyle\sum_{l<i} s_l\, s_{l+1} + k\, s_{i+1} + j\Bigr] \\
/// (b_i)_j &= \theta\Bigl[\textstyle\sum_{l<D} s_l\, s_{l+1} + \sum_{l<i} s_{l+1} + j\Bigr]
/// \end{aligned}
/// ```
#[test]
fn flatten_index_formula() {
    let mut rng = rng(405);
    let sizes = [3, 4, 2, 5];
    let weights: Vec<Array2<f64>> =
        (0..3).map(|i| normal((sizes[i], sizes[i + 1]), 1.0, &mut rng)).collect();
    let biases: Vec<Array1<f64>> = (0..3).map(|i| normal(sizes[i + 1], 1.0, &mut rng)).collect();
    let theta = flatten(&weights, &biases);
    assert_eq!(theta.len(), 12 + 8 + 10 + 4 + 2 + 5);
    let products =
        |range: std::ops::Range<usize>| -> usize { range.map(|l| sizes[l] * sizes[l + 1]).sum() };
    for i in 0..3 {
        for ((k, j), &w) in weights[i].indexed_iter() {
            assert_eq!(theta[products(0..i) + k * sizes[i + 1] + j], w);
        }
        for (j, &b) in biases[i].indexed_iter() {
            assert_eq!(theta[products(0..3) + sizes[1..=i].iter().sum::<usize>() + j], b);
        }
    }
}

/// Restoring undoes flattening, and flattening undoes restoring.
///
/// ```math
/// \begin{aligned}
/// \operatorname{restore}\bigl(\operatorname{flatten}(W, b)\bigr) &= (W, b) \\
/// \operatorname{flatten}\bigl(\operatorname{restore}(\theta)\bigr) &= \theta
/// \end{aligned}
/// ```
#[test]
fn flatten_and_restore_are_inverse() {
    let mut rng = rng(406);
    let sizes = [4, 3, 6, 2];
    let weights: Vec<Array2<f64>> =
        (0..3).map(|i| normal((sizes[i], sizes[i + 1]), 1.0, &mut rng)).collect();
    let biases: Vec<Array1<f64>> = (0..3).map(|i| normal(sizes[i + 1], 1.0, &mut rng)).collect();
    let (w, b) = restore(&flatten(&weights, &biases), &sizes).unwrap();
    assert_eq!((w, b), (weights, biases));

    let theta = normal(12 + 18 + 12 + 3 + 6 + 2, 1.0, &mut rng);
    let (w, b) = restore(&theta, &sizes).unwrap();
    assert_eq!(flatten(&w, &b), theta);
}

/// The matrices are views: a step that is written into each of them is a step of the vector.
///
/// ```math
/// \begin{aligned}
/// &\theta \leftarrow \theta - \eta\, \nabla L \\
/// \Longleftrightarrow\quad
/// &\left\{
/// \begin{aligned}
/// W_i &\leftarrow W_i - \eta\, \frac{\partial L}{\partial W_i} \\
/// b_i &\leftarrow b_i - \eta\, \frac{\partial L}{\partial b_i}
/// \end{aligned}
/// \right. \quad \text{for all } i
/// \end{aligned}
/// ```
#[test]
fn views_write_through() {
    let mut rng = rng(407);
    let sizes = [3, 4, 2, 5];
    let layout = Layout::new(&sizes).unwrap();
    let (theta, g) = (normal(41, 1.0, &mut rng), normal(41, 1.0, &mut rng));
    let mut through_views = theta.clone();
    for i in 0..3 {
        let mut weights = layout.weights_mut(&mut through_views, i);
        for ((k, j), w) in weights.indexed_iter_mut() {
            *w -= 0.3 * g[weights_begin(&sizes, i) + k * sizes[i + 1] + j];
        }
        let mut biases = layout.biases_mut(&mut through_views, i);
        for (j, b) in biases.indexed_iter_mut() {
            *b -= 0.3 * g[biases_begin(&sizes, i) + j];
        }
    }
    for i in 0..41 {
        assert_close(through_views[i], theta[i] - 0.3 * g[i], 1e-15);
    }
}

/// A sum of inputs, weighted with weights that have mean 0 and depend neither on each other nor
/// on the inputs. The inputs may depend on each other.
///
/// ```math
/// \begin{aligned}
/// z &= \sum_k a_k\, w_k \\
/// \mathbb E[z] &= \sum_k \mathbb E[a_k]\,\mathbb E[w_k] = 0 \\
/// \operatorname{Var}(z) &= \mathbb E[z^2]
///   = \sum_k \sum_l \mathbb E[a_k a_l]\,\mathbb E[w_k w_l] \\
///   &= \sum_k \mathbb E[a_k^2]\,\mathbb E[w_k^2] \\
///   &= \sum_k \mathbb E[a_k^2]\operatorname{Var}(w_k)
/// \end{aligned}
/// ```
#[test]
fn variance_of_a_weighted_sum() {
    // Exactly, over all outcomes: four equally likely inputs, and each weight −1 or, half as
    // often, 2.
    let inputs = normal((4, 3), 1.0, &mut rng(429)) + 1.0;
    let draws = |i: usize| [1, 2, 4].map(|bit| if i & bit == 0 { -1.0 } else { 2.0 });
    let outcomes: Vec<([f64; 3], [f64; 3], f64)> = (0..32)
        .map(|i| {
            let w = draws(i / 4);
            let p = w.iter().map(|&w| if w < 0.0 { 2.0 / 3.0 } else { 1.0 / 3.0 });
            let a = [0, 1, 2].map(|k| inputs[[i % 4, k]]);
            (a, w, p.product::<f64>() / 4.0)
        })
        .collect();
    let mean = |f: &dyn Fn(&[f64; 3], &[f64; 3]) -> f64| {
        outcomes.iter().map(|(a, w, p)| p * f(a, w)).sum::<f64>()
    };
    let z = |a: &[f64; 3], w: &[f64; 3]| a[0] * w[0] + a[1] * w[1] + a[2] * w[2];
    assert_close(mean(&|_, _| 1.0), 1.0, 1e-14);
    assert_close(mean(&z), 0.0, 1e-14);
    assert_close((0..3).map(|k| mean(&|a, _| a[k]) * mean(&|_, w| w[k])).sum(), 0.0, 1e-14);

    let variance = mean(&|a, w| (z(a, w) - mean(&z)).powi(2));
    let pairs = (0..3).flat_map(|k| (0..3).map(move |l| (k, l)));
    let double = pairs.map(|(k, l)| mean(&|a, _| a[k] * a[l]) * mean(&|_, w| w[k] * w[l]));
    let squares = |k: usize| mean(&|a, _| a[k] * a[k]) * mean(&|_, w| w[k] * w[k]);
    let variances = |k: usize| {
        let mean_w = mean(&|_, w| w[k]);
        mean(&|a, _| a[k] * a[k]) * mean(&|_, w| (w[k] - mean_w).powi(2))
    };
    assert_close(variance, mean(&|a, w| z(a, w) * z(a, w)), 1e-13);
    assert_close(variance, double.sum(), 1e-13);
    assert_close(variance, (0..3).map(squares).sum(), 1e-13);
    assert_close(variance, (0..3).map(variances).sum(), 1e-13);
}

/// The variance of a sum of inputs, weighted with independent weights of mean 0: the mean of
/// the squared inputs counts, not their variance.
///
/// ```math
/// \operatorname{Var}(z) = \text{fan\_in} \cdot \operatorname{Var}(w) \cdot \mathbb E[a^2]
/// ```
#[test]
fn variance_forward() {
    let mut rng = rng(408);
    // 20,000 sums of the same 30 inputs; a mean of 1 sets E[a²] apart from Var(a).
    let a = uniform((1, 30), -1.0, 3.0, &mut rng);
    let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(0.1).unwrap());
    let sizes = [30, 20_000];
    let loss = MeanSquaredError;
    let network = NeuralNetwork::new(&sizes, Tanh, output, loss, optimizer, Init::He, 8).unwrap();
    let z = network.forward(&a).unwrap().z.remove(0);
    let expected = 30.0 * variance(&network.weights(0)) * mean_square(&a);
    assert_variance(variance(&z), expected, 20_000);
}

/// LeCun's initialisation makes the factor in front of E[a²] equal to 1.
///
/// ```math
/// \text{fan\_in} \cdot \operatorname{Var}(w) = 1
/// \quad\Longleftrightarrow\quad
/// \operatorname{Var}(w) = \frac{1}{\text{fan\_in}}
/// ```
#[test]
fn variance_of_lecun() {
    for (seed, fan_in, fan_out) in [(1, 30, 2000), (2, 700, 100)] {
        let (weights, biases) = drawn(Init::LeCun, fan_in, fan_out, seed);
        assert_variance(variance(&weights), 1.0 / fan_in as f64, weights.len());
        assert_variance(fan_in as f64 * variance(&weights), 1.0, weights.len());
        assert_close(Init::LeCun.variance(fan_in, fan_out) * fan_in as f64, 1.0, 1e-15);
        assert!(biases.iter().all(|&b| b == 0.0), "{biases}");
    }
}

/// On the way back each input collects from all outputs of the layer: fan_out takes the place
/// of fan_in.
///
/// ```math
/// \operatorname{Var}\Bigl(\frac{\partial L}{\partial a}\Bigr)
///   = \text{fan\_out} \cdot \operatorname{Var}(w) \cdot
///     \mathbb E\biggl[\Bigl(\frac{\partial L}{\partial z}\Bigr)^{2}\biggr]
/// ```
#[test]
fn variance_backward() {
    let mut rng = rng(409);
    // Inputs and biases are 0, so outputs are 0 and ∂L/∂z = 2/m (0 − y), whatever the weights.
    // The hidden activation is the identity, so the library's ∂L/∂z₀ is the ∂L/∂a of layer 1.
    let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(0.1).unwrap());
    let (sizes, loss) = ([2, 20_000, 15], MeanSquaredError);
    let init = Init::LeCun;
    let network = NeuralNetwork::new(&sizes, Identity, output, loss, optimizer, init, 9).unwrap();
    let y = uniform((1, 15), -1.0, 3.0, &mut rng);
    let (trace, _) = backward(&network, &Array2::zeros((1, 2)), &y);
    let d_z = y.mapv(|y| 2.0 / 15.0 * (0.0 - y));
    let expected = 15.0 * variance(&network.weights(1)) * mean_square(&d_z);
    assert_variance(variance(&trace.d_z[0]), expected, 20_000);
}

/// Glorot's compromise between the two directions: the harmonic mean of what each wants.
///
/// ```math
/// \begin{aligned}
/// \operatorname{Var}(w)
///   &= \frac{2}{\left(\dfrac{1}{\text{fan\_in}}\right)^{-1}
///     + \left(\dfrac{1}{\text{fan\_out}}\right)^{-1}} \\
///   &= \frac{2}{\text{fan\_in} + \text{fan\_out}}
/// \end{aligned}
/// ```
#[test]
fn variance_of_glorot() {
    for (seed, fan_in, fan_out) in [(1, 40, 1200), (2, 900, 50)] {
        let (forward, backward) = (1.0 / fan_in as f64, 1.0 / fan_out as f64);
        let harmonic = 2.0 / (forward.recip() + backward.recip());
        let formula = 2.0 / (fan_in as f64 + fan_out as f64);
        assert_close(harmonic / formula, 1.0, 1e-14);
        for init in [Init::GlorotNormal, Init::GlorotUniform] {
            let (weights, biases) = drawn(init, fan_in, fan_out, seed);
            assert_variance(variance(&weights), formula, weights.len());
            assert_close(init.variance(fan_in, fan_out) / harmonic, 1.0, 1e-14);
            assert!(biases.iter().all(|&b| b == 0.0), "{biases}");
        }
    }
}

/// The tutorial's variance is half of Glorot's, so that a square layer halves what it is given;
/// its biases, drawn likewise, put a little back.
///
/// ```math
/// \begin{aligned}
/// \operatorname{Var}(w)
///   &= \operatorname{Var}(b) = \frac{1}{\text{fan\_in} + \text{fan\_out}} \\
/// \operatorname{Var}(z)
///   &= \text{fan\_in} \cdot \operatorname{Var}(w) \cdot \mathbb E[a^2]
///    + \operatorname{Var}(b) \\
///   &= \frac{\text{fan\_in} \cdot \mathbb E[a^2] + 1}{\text{fan\_in} + \text{fan\_out}}
/// \end{aligned}
/// ```
#[test]
fn variance_of_lazar() {
    let glorot = Init::GlorotNormal.variance(40, 60);
    assert_close(Init::Lazar.variance(40, 60) / (0.5 * glorot), 1.0, 1e-15);

    // Small inputs, so that the biases count: 3,000 layers of 10 outputs.
    let a = uniform((1, 6), -0.2, 0.6, &mut rng(410));
    let (mut w, mut b, mut z) = (vec![], vec![], vec![]);
    for seed in 0..3000 {
        let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(0.1).unwrap());
        let (sizes, loss) = ([6, 10], MeanSquaredError);
        let network =
            NeuralNetwork::new(&sizes, Tanh, output, loss, optimizer, Init::Lazar, seed).unwrap();
        w.extend(network.weights(0));
        b.extend(network.biases(0));
        z.extend(network.forward(&a).unwrap().z.remove(0));
    }
    let (of_w, of_b) = (variance(&Array1::from(w)), variance(&Array1::from(b)));
    assert_variance(of_w, 1.0 / (6.0 + 10.0), 180_000);
    assert_variance(of_b, 1.0 / (6.0 + 10.0), 30_000);
    let expected = (6.0 * mean_square(&a) + 1.0) / (6.0 + 10.0);
    let of_z = variance(&Array1::from(z));
    assert_variance(of_z, 6.0 * of_w * mean_square(&a) + of_b, 30_000);
    assert_variance(of_z, expected, 30_000);
}

/// With ReLU and layers of s units each, the tutorial's weights and ReLU leave a quarter of the
/// mean square, and the biases put 1/(2s) back: it comes to rest where the two balance.
///
/// ```math
/// \begin{aligned}
/// V_{i+1} &= \tfrac14\, V_i + \frac{1}{2s} \\
/// V_* &= \tfrac14\, V_* + \frac{1}{2s}
/// \quad\Longleftrightarrow\quad V_* = \frac{2}{3s} \\
/// V_{i+1} - V_* &= \tfrac14\, (V_i - V_*)
/// \end{aligned}
/// ```
#[test]
fn variance_floor_of_lazar() {
    let s = 50.0;
    let (next, rest) = (|v: f64| 0.25 * v + 1.0 / (2.0 * s), 2.0 / (3.0 * s));
    assert_close(next(rest), rest, 1e-17);
    for v in [0.0, 0.01, 1.0] {
        assert_close(next(v) - rest, 0.25 * (v - rest), 1e-16);
    }

    // 200 networks of 12 layers, whose inputs are far above the floor. What a layer's 50 units
    // have in common adds a little to the error of 10,000 independent ones.
    let mut v = Array1::<f64>::zeros(12);
    for seed in 0..200 {
        let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(0.1).unwrap());
        let (sizes, loss, init) = ([50; 13], MeanSquaredError, Init::Lazar);
        let network =
            NeuralNetwork::new(&sizes, Relu, output, loss, optimizer, init, seed).unwrap();
        let z = network.forward(&Array2::from_elem((1, 50), 1.0)).unwrap().z;
        z.iter().zip(&mut v).for_each(|(z, v)| *v += mean_square(z) / 200.0);
    }
    let tolerance = 5.0 * (2.5 / 10_000.0_f64).sqrt();
    assert!(v[0] > 20.0 * v[11], "{v} does not fall far");
    for i in 0..11 {
        assert_close(v[i + 1] / next(v[i]), 1.0, tolerance);
    }
    assert_close(v[11] / rest, 1.0, tolerance);
}

/// ReLU keeps half of the mean square of anything that is distributed symmetrically about 0.
///
/// ```math
/// \begin{aligned}
/// \mathbb E\bigl[\operatorname{relu}(z)^2\bigr]
///   &= \mathbb E\bigl[z^2\,[z > 0]\bigr] \\
///   &= \tfrac12\, \mathbb E[z^2]
///   = \tfrac12 \operatorname{Var}(z)
/// \end{aligned}
/// ```
#[test]
fn variance_after_relu() {
    // A symmetric distribution: each z with its mirror image, equally likely.
    let half = normal(500, 2.0, &mut rng(411)).mapv(f64::exp);
    let z = Array1::from_iter(half.iter().flat_map(|&z| [z, -z]));
    let left = mean_square(&z.mapv(|z| Relu.value(z)));
    let positive = mean_square(&z.mapv(|z| if z > 0.0 { z } else { 0.0 }));
    for right in [positive, 0.5 * mean_square(&z), 0.5 * variance(&z)] {
        assert_close(left / right, 1.0, 1e-12);
    }
}

/// He's initialisation gives back the half that ReLU took.
///
/// ```math
/// \begin{aligned}
/// \operatorname{Var}(z_{i+1}) &= \text{fan\_in} \cdot \operatorname{Var}(w) \cdot
///   \tfrac12 \operatorname{Var}(z_i) \\
/// \text{fan\_in} \cdot \operatorname{Var}(w) \cdot \tfrac12 &= 1 \\
/// \Longleftrightarrow\quad
/// \operatorname{Var}(w) &= \frac{2}{\text{fan\_in}}
/// \end{aligned}
/// ```
#[test]
fn variance_of_he() {
    let (weights, biases) = drawn(Init::He, 300, 800, 1);
    assert_variance(variance(&weights), 2.0 / 300.0, weights.len());
    assert_close(300.0 * Init::He.variance(300, 800) * 0.5, 1.0, 1e-15);
    assert_close(Init::He.variance(300, 800) / (2.0 / 300.0), 1.0, 1e-15);
    assert!(biases.iter().all(|&b| b == 0.0), "{biases}");

    // Ten networks with 1,000 units in the middle. The mean of relu(z)² over N units has a
    // relative standard error of √(5 / N), as its fourth moment is 3/2.
    let x = normal((1, 8), 1.0, &mut rng(412));
    let (mut before, mut after, mut predicted) = (0.0, 0.0, 0.0);
    for seed in 0..10 {
        let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(0.1).unwrap());
        let (sizes, loss) = ([8, 1000, 400], MeanSquaredError);
        let network =
            NeuralNetwork::new(&sizes, Relu, output, loss, optimizer, Init::He, seed).unwrap();
        let z = network.forward(&x).unwrap().z;
        before += variance(&z[0]) / 10.0;
        predicted += 1000.0 * variance(&network.weights(1)) * 0.5 * variance(&z[0]) / 10.0;
        after += variance(&z[1]) / 10.0;
    }
    let tolerance = 5.0 * (5.0 / 10_000.0 + 2.0 / 4000.0_f64).sqrt();
    assert_close(after / predicted, 1.0, tolerance);
    assert_close(after / before, 1.0, tolerance);
}

/// On the way back a slope of ReLU is 1 or 0, each half of the time: of the mean square that
/// arrives, half passes on.
///
/// ```math
/// \begin{aligned}
/// \mathbb E\biggl[\Bigl(\frac{\partial L}{\partial z_i}\Bigr)^{2}\biggr]
///   &= \tfrac12\, \mathbb E\biggl[\Bigl(\frac{\partial L}{\partial a_i}\Bigr)^{2}\biggr] \\
///   &= \text{fan\_out} \cdot \operatorname{Var}(w) \cdot
///     \tfrac12\, \mathbb E\biggl[\Bigl(\frac{\partial L}{\partial z_{i+1}}\Bigr)^{2}\biggr]
/// \end{aligned}
/// ```
#[test]
fn variance_back_through_relu() {
    let mut rng = rng(430);
    let x = normal((1, 8), 1.0, &mut rng);
    let (mut measured, mut at_a, mut predicted) = (0.0, 0.0, 0.0);
    for seed in 0..10 {
        let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(0.1).unwrap());
        let (sizes, loss) = ([8, 1000, 400], MeanSquaredError);
        let network =
            NeuralNetwork::new(&sizes, Relu, output, loss, optimizer, Init::He, seed).unwrap();
        // Outputs that miss by normal numbers: ∂L/∂z of the last layer knows nothing of weights.
        let y = network.predict(&x).unwrap() + normal((1, 400), 20.0, &mut rng);
        let d_z = backward(&network, &x, &y).0.d_z;
        let d_a = times(&d_z[1], &network.weights(1).t().to_owned());
        measured += mean_square(&d_z[0]) / 10.0;
        at_a += 0.5 * mean_square(&d_a) / 10.0;
        predicted += 400.0 * variance(&network.weights(1)) * 0.5 * mean_square(&d_z[1]) / 10.0;
    }
    // Over N units, a mean of squares of which half are 0 has a relative standard error of √(5 / N).
    let tolerance = 5.0 * (5.0 / 10_000.0_f64).sqrt();
    assert_close(measured / at_a, 1.0, tolerance);
    assert_close(measured / predicted, 1.0, tolerance);
}

/// The variance of a uniform number, and the limit that Glorot's uniform weights need.
///
/// ```math
/// \begin{aligned}
/// \operatorname{Var}(w) &= \frac{1}{2r}\int_{-r}^{r} w^2\, \mathrm{d}w
///   = \frac{1}{2r} \cdot \frac{2 r^3}{3} = \frac{r^2}{3} \\
/// \frac{r^2}{3} &= \frac{2}{\text{fan\_in} + \text{fan\_out}} \\
/// \Longleftrightarrow\quad
/// r &= \sqrt{\frac{6}{\text{fan\_in} + \text{fan\_out}}}
/// \end{aligned}
/// ```
#[test]
fn variance_of_uniform_weights() {
    let (fan_in, fan_out) = (70, 500);
    let r = (6.0 / (fan_in + fan_out) as f64).sqrt();
    // The midpoint rule with N pieces is off by a factor 1 − 1 / N².
    let midpoint = |i: i32| r * ((2 * i + 1) as f64 / 10_000.0 - 1.0);
    let integral: f64 = (0..10_000).map(|i| midpoint(i).powi(2) * 2.0 * r / 10_000.0).sum();
    assert_close(integral / (2.0 * r.powi(3) / 3.0), 1.0, 2e-8);
    assert_close(integral / (2.0 * r) / (r * r / 3.0), 1.0, 2e-8);
    assert_close(r * r / 3.0 * (fan_in + fan_out) as f64, 2.0, 1e-14);

    let (weights, _) = drawn(Init::GlorotUniform, fan_in, fan_out, 1);
    assert_variance(variance(&weights), r * r / 3.0, weights.len());
    let largest = weights.iter().fold(0.0, |max: f64, w| max.max(w.abs()));
    assert!(largest <= r && largest > 0.999 * r, "{largest} is not close below {r}");
}

/// Threads split a batch: thread t sums over its own share, and divides by the size of the whole
/// batch. The sum of what they find is the gradient.
///
/// ```math
/// \nabla L = \sum_{t} \frac1n \sum_{i \in S_t} \nabla L_i,
/// \qquad \sum_t \lvert S_t \rvert = n
/// ```
#[test]
fn gradient_shared_between_threads() {
    let (mut network, plain, x, y) = tanh_pair(421, 1.0);
    let before = network.params().clone();
    let whole = gradient(|theta| plain.mean_loss(theta, &x, &y), &before);
    let mut sum = Array1::zeros(before.len());
    for range in [0..1, 1..4, 4..6] {
        let share = Share { first: range.start, batch: 6 };
        let rows = s![range, ..];
        let mut part = Array1::zeros(before.len());
        let mut trace = network.trace(6);
        network.gradient_into(&x.slice(rows), &y.slice(rows), share, &mut trace, &mut part);
        sum += &part;
    }
    assert_all_close(&sum, &whole, 1e-9);

    // One step of length 1 with real threads; 6 samples do not divide by 4.
    let fit = Fit { batch_size: 6, epochs: 1, threads: 4, ..Fit::default() };
    network.fit(&Samples::new(x, y).unwrap(), &fit, None, &mut silent).unwrap();
    assert_all_close(&(&before - network.params()), &whole, 1e-9);
}

/// The loss of an epoch is the mean over its samples: a smaller last batch counts for less.
///
/// ```math
/// \begin{aligned}
/// L_{B_l} &= \frac{1}{\lvert B_l \rvert} \sum_{i \in B_l} L_i \\
/// L_{\text{epoch}} &= \frac1n \sum_{l} \lvert B_l \rvert\, L_{B_l}
///   = \frac1n \sum_{i=1}^{n} L_i
/// \end{aligned}
/// ```
#[test]
fn epoch_loss_weighs_batches() {
    // The rate is so small that the parameters stay what they are, bit for bit.
    let (mut network, plain, x, y) = tanh_pair(422, 1e-300);
    let (x, y) = (x.slice(s![..5, ..]).to_owned(), y.slice(s![..5, ..]).to_owned());
    let mean = plain.mean_loss(network.params(), &x, &y);
    let mut batches = vec![];
    let mut observer = |event: Event| {
        if let Event::Batch { loss, .. } = event {
            batches.push(loss);
        }
        ControlFlow::Continue(())
    };
    let fit = Fit { batch_size: 2, epochs: 1, ..Fit::default() };
    // The order of the epoch: shuffles come from stream 2 of the seed.
    let mut order: Vec<usize> = (0..5).collect();
    order.shuffle(&mut Random::new(fit.seed, 2).generator());
    let of_batch = |rows: &[usize]| {
        let (x, y) = (x.select(Axis(0), rows), y.select(Axis(0), rows));
        plain.mean_loss(network.params(), &x, &y)
    };
    let expected: Vec<f64> = order.chunks(2).map(of_batch).collect();

    let samples = Samples::new(x, y).unwrap();
    let history = network.fit(&samples, &fit, None, &mut observer).unwrap();
    assert_eq!(batches.len(), 3);
    for (batch, expected) in batches.iter().zip(expected) {
        assert_close(*batch, expected, 1e-14);
    }
    let weighed: f64 = [2.0, 2.0, 1.0].iter().zip(&batches).map(|(n, loss)| n * loss).sum();
    assert_close(history.loss[0], weighed / 5.0, 1e-14);
    assert_close(history.loss[0], mean, 1e-14);
}

/// A class as a row: a one in its column, zeros elsewhere, and as many columns as classes.
///
/// ```math
/// \underset{(n,\,m)}{\mathstrut Y}: \quad y_{ij}
///   = [c_i = j] = \begin{cases} 1 & j = c_i \\ 0 & \text{otherwise} \end{cases}
/// ```
#[test]
fn one_hot_rows() {
    // No sample of the last class: the column is there all the same.
    let labels = labels(40, 6, &mut rng(423));
    let y: Array2<f64> = one_hot(&labels, 7).unwrap();
    assert_eq!(y.dim(), (40, 7));
    for i in 0..40 {
        for j in 0..7 {
            assert_eq!(y[[i, j]], if j == labels[i] { 1.0 } else { 0.0 });
        }
    }
}

/// A class can be read off the logits: softmax keeps their order, and the sigmoid is above one
/// half where its logit is positive.
///
/// ```math
/// \begin{aligned}
/// \operatorname*{arg\,max}_j\, \operatorname{softmax}(z)_j
///   &= \operatorname*{arg\,max}_j\, z_j \\
/// \sigma(z) > \tfrac12 &\iff z > 0
/// \end{aligned}
/// ```
#[test]
fn decision_from_logits() {
    let mut rng = rng(424);
    let x = normal((200, 3), 1.5, &mut rng);
    let many = network(&[3, 5, 4], Tanh, Softmax, CategoricalCrossEntropy, 0.1, &mut rng);
    let plain = Plain { sizes: &[3, 5, 4], hidden: f64::tanh, loss: cross_entropy };
    let logits = plain.forward(many.params(), &x).remove(1);
    for (z, class) in logits.rows().into_iter().zip(many.predict_labels(&x).unwrap()) {
        assert!((0..4).all(|j| z[j] <= z[class]), "{z} was taken for class {class}");
    }

    let one = network(&[3, 5, 1], Tanh, Elementwise(Sigmoid), BinaryCrossEntropy, 0.1, &mut rng);
    let plain = Plain { sizes: &[3, 5, 1], ..plain };
    let logits = plain.forward(one.params(), &x).remove(1);
    let classes = one.predict_labels(&x).unwrap();
    assert!(classes.contains(&0) && classes.contains(&1));
    for (z, class) in logits.iter().zip(classes) {
        assert_eq!(class, usize::from(*z > 0.0), "logit {z}");
    }
}

/// The confusion matrix counts samples by true class (row) and predicted class (column); those
/// on its diagonal were predicted rightly.
///
/// ```math
/// \begin{aligned}
/// C_{jk} &= \sum_{i=1}^{n} \bigl[c_i = j\bigr]\bigl[\hat c_i = k\bigr] \\
/// \text{accuracy} &= \frac1n \sum_{i=1}^{n} \bigl[\hat c_i = c_i\bigr]
///   = \frac{\sum_{j} C_{jj}}{\sum_{j} \sum_{k} C_{jk}}
/// \end{aligned}
/// ```
#[test]
fn accuracy_is_a_trace() {
    let mut rng = rng(425);
    let network = network(&[3, 5, 4], Tanh, Softmax, CategoricalCrossEntropy, 0.1, &mut rng);
    let plain = Plain { sizes: &[3, 5, 4], hidden: f64::tanh, loss: cross_entropy };
    // More than the library looks at in one go.
    let (x, truth) = (normal((600, 3), 1.5, &mut rng), labels(600, 4, &mut rng));
    let logits = plain.forward(network.params(), &x).remove(1);
    let largest =
        |i: usize| (0..4).fold(0, |j, k| if logits[[i, k]] > logits[[i, j]] { k } else { j });
    let right = (0..600).filter(|&i| largest(i) == truth[i]).count();

    let score = network.score(&Samples::new(x, one_hot(&truth, 4).unwrap()).unwrap()).unwrap();
    assert_close(score.accuracy().unwrap(), right as f64 / 600.0, 1e-15);
    let counts = score.confusion.unwrap();
    let trace: usize = (0..4).map(|j| counts[[j, j]]).sum();
    assert_close(trace as f64 / counts.iter().sum::<usize>() as f64, right as f64 / 600.0, 1e-15);
    for ((j, k), &count) in counts.indexed_iter() {
        assert_eq!(count, (0..600).filter(|&i| truth[i] == j && largest(i) == k).count());
    }
}

/// If several cases have to share one answer q, the best is the mean of their targets, and it
/// costs the entropy of that mean.
///
/// ```math
/// \begin{aligned}
/// L(q) &= -\frac1n \sum_{i=1}^{n} \bigl(y_i \ln q + (1 - y_i) \ln(1 - q)\bigr) \\
///   &= -\bar y \ln q - (1 - \bar y) \ln(1 - q) \\
/// L'(q) &= -\frac{\bar y}{q} + \frac{1 - \bar y}{1 - q}
///   = \frac{q - \bar y}{q\,(1 - q)} \\
/// \min_q L(q) &= L(\bar y) = H(\bar y) \\
/// H(q) &= -q \ln q - (1 - q) \ln(1 - q)
/// \end{aligned}
/// ```
#[test]
fn shared_answer_costs_its_entropy() {
    for targets in [vec![0.0, 1.0, 1.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0, 1.0]] {
        let y = Array2::from_shape_vec((targets.len(), 1), targets).unwrap();
        let mean = y.mean().unwrap();
        // With the library's loss of each case.
        let loss =
            |q: f64| BinaryCrossEntropy.values(&Array2::from_elem(y.dim(), q), &y).mean().unwrap();
        let entropy = -mean * mean.ln() - (1.0 - mean) * (1.0 - mean).ln();
        assert_close(loss(mean), entropy, 1e-14);
        for q in [0.1_f64, 0.3, 0.45, 0.6, 0.9] {
            let means = -mean * q.ln() - (1.0 - mean) * (1.0 - q).ln();
            assert_close(loss(q), means, 1e-14);
            assert!(loss(q) > entropy);
            let parts = -mean / q + (1.0 - mean) / (1.0 - q);
            assert_close(parts, (q - mean) / (q * (1.0 - q)), 1e-13);
            assert_close(slope(loss, q), parts, 1e-8);
        }
    }
}

/// Targets that are a true value u and noise ν of mean 0: the square of a sum, with a mixed term
/// that vanishes on average. What is left when the network is right is the noise.
///
/// ```math
/// \begin{aligned}
/// \mathbb E\bigl[(\hat y - y)^2\bigr]
///   &= \mathbb E\bigl[\bigl((\hat y - u) - \nu\bigr)^2\bigr] \\
///   &= (\hat y - u)^2 - 2\,(\hat y - u)\,\mathbb E[\nu] + \mathbb E[\nu^2] \\
///   &= (\hat y - u)^2 + \operatorname{Var}(\nu)
/// \end{aligned}
/// ```
#[test]
fn noise_is_the_floor() {
    // Noise of mean 0 that is not symmetric: −0.3 (once in four times) or 0.1.
    let (u, noise) = (0.7, [-0.3, 0.1, 0.1, 0.1]);
    let mean = noise.iter().sum::<f64>() / 4.0;
    let square = noise.iter().map(|v| v * v).sum::<f64>() / 4.0;
    assert_close(mean, 0.0, 1e-16);
    let y = Array2::from_shape_fn((4, 1), |(i, _)| u + noise[i]);
    for y_hat in [-1.0, 0.5, 0.7, 0.8] {
        let outputs = Array2::from_elem((4, 1), y_hat);
        let values = MeanSquaredError.values(&outputs, &y);
        let (expected, miss): (f64, f64) = (values.mean().unwrap(), y_hat - u);
        for (value, v) in values.iter().zip(noise) {
            assert_close(*value, (miss - v) * (miss - v), 1e-15);
        }
        assert_close(expected, miss * miss - 2.0 * miss * mean + square, 1e-15);
        assert_close(expected, miss * miss + variance(&Array1::from(noise.to_vec())), 1e-15);
    }
}

/// How often a batch of n labels, drawn from m equally likely classes, lacks the last class: each
/// label misses it independently.
///
/// ```math
/// P\Bigl(\max_i c_i < m - 1\Bigr) = \Bigl(1 - \frac1m\Bigr)^{n}
/// ```
#[test]
fn last_class_is_missing() {
    for (classes, n) in [(2_usize, 8_u32), (3, 6), (5, 4), (10, 3)] {
        // All batches, as the digits of a number in base c.
        let count = classes.pow(n);
        let largest = |batch: usize| (0..n).map(|i| batch / classes.pow(i) % classes).max();
        let lacking = (0..count).filter(|&batch| largest(batch) < Some(classes - 1)).count();
        let formula = (1.0 - 1.0 / classes as f64).powi(n as i32);
        assert_close(lacking as f64 / count as f64, formula, 1e-14);
    }
}

/// Where gradients balance for a sample of class 0 among two classes, if targets are stretched in
/// a share β of its batches: its output is held down.
///
/// ```math
/// \begin{aligned}
/// \beta &= 2^{-(n - 1)} \\
/// 0 &= \beta\,(2\hat y_0 - 1) + (1 - \beta)(\hat y_0 - 1) \\
///   &= (1 + \beta)\,\hat y_0 - 1 \\
/// \Longleftrightarrow\quad
/// \hat y_0 &= \frac{1}{1 + \beta}
/// \end{aligned}
/// ```
#[test]
fn stretched_targets_cap_the_output() {
    // ∂L/∂z₀ of one sample, through the library's loss and the Jacobian of its softmax.
    let d_z0 = |z: &Array2<f64>, y: &Array2<f64>| {
        let (y_hat, mut d_z) = (Softmax.apply(z), Array2::zeros((1, 2)));
        let d_y_hat = CategoricalCrossEntropy.derivative(&y_hat, y).index_axis_move(Axis(1), 0);
        Softmax.backward_into(z, &y_hat, &d_y_hat, &mut d_z);
        d_z[[0, 0]]
    };
    for batch_size in [1, 2, 4, 6] {
        // All labels of the others in the batch: targets are stretched if all are 0.
        let others = 1 << (batch_size - 1);
        let mean = |y_hat_0: f64| {
            let z = array![[(y_hat_0 / (1.0 - y_hat_0)).ln(), 0.0]];
            let targets =
                |others| if others == 0 { array![[1.0, 1.0]] } else { array![[1.0, 0.0]] };
            (0..others).map(|others| d_z0(&z, &targets(others))).sum::<f64>() / f64::from(others)
        };
        let beta = 0.5_f64.powi(batch_size - 1);
        for y_hat_0 in [0.2, 0.6, 0.95] {
            let shares = beta * (2.0 * y_hat_0 - 1.0) + (1.0 - beta) * (y_hat_0 - 1.0);
            assert_close(mean(y_hat_0), shares, 1e-13);
            assert_close(mean(y_hat_0), (1.0 + beta) * y_hat_0 - 1.0, 1e-13);
        }
        // In batches of one the logits are equal.
        assert_close(mean(1.0 / (1.0 + beta)), 0.0, 1e-13);
    }
}

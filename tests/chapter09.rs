//! The equations of chapter 9.
//!
//! Means over random draws are taken exactly wherever the draws are few enough to be listed: all
//! outcomes, each with its probability.

mod common;

use std::ops::Range;

use common::*;
use gradus::{
    Activate, BatchNorm, BinaryCrossEntropy, CategoricalCrossEntropy, Decayed, Dense, Draw,
    Dropout, GradientDescent, Identity, Init, Layer, MeanSquaredError, Mode, Model, Network,
    Optimizer, Output, Pass, Relu, Sequential, Shape, Share, Sigmoid, Softmax, Tanh, layers,
};
use ndarray::{Array1, Array2, Axis, array, s};
use ndarray_linalg::{Eigh, Inverse, QR, Solve, Trace, UPLO};

/// All rows of n signs.
fn signs(n: usize) -> impl Iterator<Item = Array1<f64>> {
    (0..1usize << n)
        .map(move |bits| Array1::from_shape_fn(n, |i| if bits >> i & 1 == 0 { 1.0 } else { -1.0 }))
}

/// The mean of a function over all rows of n signs.
fn over_signs(n: usize, f: impl Fn(&Array1<f64>) -> f64) -> f64 {
    signs(n).map(|row| f(&row)).sum::<f64>() / (1usize << n) as f64
}

/// The mean of a function over all masks of inverted dropout, each with its probability.
fn over_masks(d: usize, q: f64, f: impl Fn(&Array1<f64>) -> f64) -> f64 {
    signs(d)
        .map(|row| {
            let kept = row.mapv(|sign| f64::from(sign > 0.0));
            let probability: f64 = kept.iter().map(|k| k * q + (1.0 - k) * (1.0 - q)).product();
            probability * f(&(kept / q))
        })
        .sum()
}

fn mean<'a>(x: impl IntoIterator<Item = &'a f64>) -> f64 {
    let (sum, n) = x.into_iter().fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
    sum / n
}

fn square_norm<'a>(x: impl IntoIterator<Item = &'a f64>) -> f64 {
    x.into_iter().map(|x| x * x).sum()
}

fn identity(n: usize) -> Array2<f64> {
    Array2::eye(n)
}

/// A symmetric, positive definite matrix.
fn curvature(p: usize, seed: u64) -> Array2<f64> {
    let (q, _) = normal((p, p), 1.0, &mut rng(seed)).qr().unwrap();
    let h = Array1::from_shape_fn(p, |i| 0.05 * 3f64.powi(i as i32));
    (&q * &h).dot(&q.t())
}

/// Eigenvalues, and an eigenvector in each column.
fn eigen(a: &Array2<f64>) -> (Array1<f64>, Array2<f64>) {
    a.eigh(UPLO::Lower).unwrap()
}

const TRAINING: Mode = Mode::Train(Draw { seed: 5, layer: 1, step: 3, first: 0 });

/// The outputs of a layer, and what it keeps.
fn forward<L: Layer<f64>>(
    layer: &L,
    mode: Mode,
    params: &Array1<f64>,
    x: &Array2<f64>,
    outputs: usize,
) -> (Array2<f64>, Array1<f64>) {
    let mut y = Array2::zeros((x.nrows(), outputs));
    let mut kept = Array1::zeros(layer.room(x.nrows()));
    layer.forward_into(mode, params, x, &mut y, &mut kept);
    (y, kept)
}

/// ∂L/∂x and ∂L/∂θ of a layer in training.
fn backward<L: Layer<f64>>(
    layer: &L,
    params: &Array1<f64>,
    x: &Array2<f64>,
    d_y: &Array2<f64>,
) -> (Array2<f64>, Array1<f64>) {
    let (y, kept) = forward(layer, TRAINING, params, x, d_y.ncols());
    let pass = Pass { params: params.view(), x: x.view(), y: y.view(), kept: kept.view() };
    let (mut d_x, mut d_params) = (Array2::zeros(x.raw_dim()), Array1::zeros(params.len()));
    layer.backward_into(&pass, d_y, Some(&mut d_x), &mut d_params);
    (d_x, d_params)
}

/// Batch normalisation of so many features.
fn batch_norm(features: usize, epsilon: f64) -> BatchNorm<f64> {
    let mut layer = BatchNorm::new().epsilon(epsilon).unwrap();
    layer.accept(Shape::Vector(features)).unwrap();
    layer
}

/// Batch normalisation of one column in training, by its definition.
fn normalised(x: &Array1<f64>, epsilon: f64) -> Array1<f64> {
    let mu = mean(x);
    let variance = x.iter().map(|x| (x - mu).powi(2)).sum::<f64>() / x.len() as f64;
    x.mapv(|x| (x - mu) / (variance + epsilon).sqrt())
}

/// s = 1 / √(σ² + ε).
fn scale(x: &Array1<f64>, epsilon: f64) -> f64 {
    let mu = mean(x);
    let variance = x.iter().map(|x| (x - mu).powi(2)).sum::<f64>() / x.len() as f64;
    (variance + epsilon).sqrt().recip()
}

fn dense(units: usize) -> Dense {
    Dense::new(units, Init::GlorotNormal).unwrap()
}

fn descent() -> GradientDescent {
    GradientDescent::new(0.1).unwrap()
}

/// A dense layer that is normalised, and another one: with the samples it is trained on.
fn normalising(epsilon: f64, seed: u64) -> (Sequential<f64>, Array2<f64>, Array2<f64>) {
    let normalise = BatchNorm::new().epsilon(epsilon).unwrap();
    let layers = layers![dense(4), normalise, Activate(Tanh), dense(2), Output(Softmax)];
    let mut network =
        Sequential::new(Shape::Vector(3), layers, CategoricalCrossEntropy, descent(), seed)
            .unwrap();
    let mut rng = rng(seed);
    let params = normal(network.params().len(), 0.8, &mut rng);
    network.set_params(&params).unwrap();
    (network, normal((9, 3), 1.5, &mut rng) + 0.7, distributions(9, 2, &mut rng))
}

/// The weights into unit j of the first layer of [`normalising`], as places in θ.
fn column(j: usize) -> impl Iterator<Item = usize> {
    (0..3).map(move |k| 4 * k + j)
}

/// Over training sets and new targets: the mean squared error is the variance of the predictions,
/// the square of their bias, and the variance of the noise.
///
/// ```math
/// \begin{aligned}
/// y &= f + \nu, \qquad \bar{y} = \mathbb{E}\,\hat{y} \\
/// \mathbb{E}\,(\hat{y} - y)^2
///   &= \mathbb{E}\,\bigl((\hat{y} - \bar{y}) + (\bar{y} - f) - \nu\bigr)^2 \\
///   &= \mathbb{E}\,(\hat{y} - \bar{y})^2 + (\bar{y} - f)^2 + \mathbb{E}\,\nu^2
/// \end{aligned}
/// ```
#[test]
fn heart_bias_and_variance() {
    // A line through four points of a parabola with noise; all training sets, one new target.
    let x = array![[1.0, -1.0], [1.0, 0.0], [1.0, 0.5], [1.0, 2.0]];
    let (at, tau) = (array![1.0, 1.2], 0.7);
    let truth = |x: f64| x * x - 0.3;
    let fit = x.t().dot(&x).inv().unwrap().dot(&x.t());
    let prediction = |noise: &Array1<f64>| {
        let y = Array1::from_shape_fn(4, |i| truth(x[[i, 1]]) + tau * noise[i]);
        at.dot(&fit.dot(&y))
    };
    let f = truth(at[1]);
    let known = |all: &Array1<f64>| prediction(&all.slice(s![..4]).to_owned());
    let error = over_signs(5, |all| (known(all) - (f + tau * all[4])).powi(2));
    let y_bar = over_signs(4, prediction);
    let three = |all: &Array1<f64>| (known(all) - y_bar) + (y_bar - f) - tau * all[4];
    assert_close(error, over_signs(5, |all| three(all).powi(2)), 1e-12);
    let variance = over_signs(4, |noise| (prediction(noise) - y_bar).powi(2));
    let noise = over_signs(1, |nu| (tau * nu[0]).powi(2));
    assert_close(error, variance + (y_bar - f).powi(2) + noise, 1e-12);
    assert!(variance > 0.05 && (y_bar - f).powi(2) > 0.05, "{variance} {y_bar} {f}");
}

/// A model of six samples with p features, and H, which turns targets into predictions.
fn linear_model(p: usize) -> (Array2<f64>, Array1<f64>, Array2<f64>) {
    let mut rng = rng(901 + p as u64);
    let (x, theta) = (normal((6, p), 1.0, &mut rng), normal(p, 1.0, &mut rng));
    let hat = x.dot(&x.t().dot(&x).inv().unwrap()).dot(&x.t());
    (x, theta, hat)
}

/// The best linear fit on its own samples: H is a projection onto p dimensions, which take their
/// share of the noise with them.
///
/// ```math
/// \begin{aligned}
/// \underset{(n)}{\mathstrut y}
///   &= \underset{(n, p)}{\mathstrut X}\,\underset{(p)}{\mathstrut \theta^*}
///   + \underset{(n)}{\mathstrut \nu}, \qquad
///   \hat{y} = H y, \qquad
///   \underset{(n, n)}{\mathstrut H} = X\,\bigl(X^\top X\bigr)^{-1} X^\top \\
/// H X &= X, \qquad H^\top = H = H H, \qquad \operatorname{tr} H = p \\
/// \hat{y} - y &= H X \theta^* + H \nu - X \theta^* - \nu = -(I - H)\,\nu \\
/// \tfrac1n\,\mathbb{E}\,\lVert \hat{y} - y \rVert^2
///   &= \tfrac1n\,\mathbb{E}\,\nu^\top (I - H)\,\nu
///   = \tfrac{\tau^2}{n} \operatorname{tr}(I - H)
///   = \tau^2 \left(1 - \frac{p}{n}\right)
/// \end{aligned}
/// ```
#[test]
fn heart_training_error() {
    let (n, tau) = (6, 0.8);
    for p in [1, 2, 5, 6] {
        let (x, theta, hat) = linear_model(p);
        assert_all_close(&hat.dot(&x), &x, 1e-10);
        assert_all_close(&hat.t(), &hat, 1e-10);
        assert_all_close(&hat.dot(&hat), &hat, 1e-10);
        assert_close(hat.trace().unwrap(), p as f64, 1e-10);
        let rest = identity(n) - &hat;
        let residual = |signs: &Array1<f64>| {
            let y = x.dot(&theta) + tau * signs;
            hat.dot(&y) - y
        };
        signs(n).for_each(|signs| {
            assert_all_close(&residual(&signs), &-rest.dot(&(tau * &signs)), 1e-10);
        });
        let error = over_signs(n, |signs| square_norm(&residual(signs)) / n as f64);
        let form = |signs: &Array1<f64>| tau * tau * signs.dot(&rest.dot(signs)) / n as f64;
        assert_close(error, over_signs(n, form), 1e-10);
        assert_close(error, tau * tau / n as f64 * rest.trace().unwrap(), 1e-10);
        assert_close(error, tau * tau * (1.0 - p as f64 / n as f64), 1e-10);
    }
}

/// The same fit on new targets for the same inputs: the noise that was learned is now an error,
/// beside the new noise.
///
/// ```math
/// \begin{aligned}
/// y' &= X\,\theta^* + \nu', \qquad \hat{y} - y' = H \nu - \nu' \\
/// \tfrac1n\,\mathbb{E}\,\lVert \hat{y} - y' \rVert^2
///   &= \tfrac1n\,\mathbb{E}\,\nu^\top H\,\nu + \tfrac1n\,\mathbb{E}\,\lVert \nu' \rVert^2
///   = \tau^2 \left(1 + \frac{p}{n}\right)
/// \end{aligned}
/// ```
#[test]
fn heart_test_error() {
    let (n, tau) = (6, 0.8);
    for p in [1, 2, 5, 6] {
        let (x, theta, hat) = linear_model(p);
        let error = over_signs(2 * n, |all| {
            let (old, new) = (tau * &all.slice(s![..n]), tau * &all.slice(s![n..]));
            let prediction = hat.dot(&(x.dot(&theta) + &old));
            let wrong = prediction - (x.dot(&theta) + &new);
            assert_all_close(&wrong, &(hat.dot(&old) - &new), 1e-10);
            square_norm(&wrong) / n as f64
        });
        let learned = over_signs(n, |nu| tau * tau * nu.dot(&hat.dot(nu)) / n as f64);
        let new = over_signs(n, |nu| tau * tau * square_norm(nu) / n as f64);
        assert_close(error, learned + new, 1e-10);
        assert_close(error, tau * tau * (1.0 + p as f64 / n as f64), 1e-10);
    }
}

/// The places of the weights of three layers of two units without biases among twelve signs.
fn weights_of(signs: &Array1<f64>, size: f64) -> [Array1<f64>; 3] {
    let part = |range: Range<usize>| {
        let mut params = Array1::zeros(6);
        params.slice_mut(s![..4]).assign(&(size * &signs.slice(s![range])));
        params
    };
    [part(0..4), part(4..8), part(8..12)]
}

/// Through k layers the mean square of what enters a unit is a product of k − 1 factors. Here all
/// layers have d units, and weights of one variance.
///
/// ```math
/// \begin{aligned}
/// \phi &= \begin{cases}
///   d \operatorname{Var}(w) & \text{identity, or tanh near 0} \\
///   \tfrac12\, d \operatorname{Var}(w) & \text{ReLU}
/// \end{cases} \\
/// \mathbb{E}\bigl[z_k^2\bigr] &= \phi\,\mathbb{E}\bigl[z_{k-1}^2\bigr]
///   = \phi^{\,k-1}\,\mathbb{E}\bigl[z_1^2\bigr]
/// \end{aligned}
/// ```
#[test]
fn depth_product() {
    // All 4,096 networks of three layers of two units with weights ±w.
    let (size, x) = (0.6, array![[0.7, -1.9]]);
    let mut layer = dense(2);
    Layer::<f64>::accept(&mut layer, Shape::Vector(2)).unwrap();
    for relu in [false, true] {
        let mut squares = [0.0; 3];
        for signs in signs(12) {
            let mut a = x.clone();
            for (params, square) in weights_of(&signs, size).iter().zip(&mut squares) {
                let (z, _) = forward(&layer, Mode::Predict, params, &a, 2);
                *square += square_norm(&z) / 2.0 / 4096.0;
                a = if relu { forward(&Activate(Relu), TRAINING, params, &z, 2).0 } else { z };
            }
        }
        let variance = over_signs(1, |sign| (size * sign[0]).powi(2));
        let phi = if relu { 0.5 * 2.0 * variance } else { 2.0 * variance };
        for k in 1..3 {
            assert_close(squares[k], phi * squares[k - 1], 1e-12);
            assert_close(squares[k], phi.powi(k as i32) * squares[0], 1e-12);
        }
        assert_close(squares[0], variance * square_norm(&x), 1e-12);
    }
}

/// Without activations every layer's weights have gradients of the same size: what the way
/// forward has not yet lost, the way back loses.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}\left[\Bigl(\frac{\partial L}{\partial w_l}\Bigr)^{2}\right]
///   &= \mathbb{E}\bigl[a_{l-1}^2\bigr]\;
///   \mathbb{E}\left[\Bigl(\frac{\partial L}{\partial z_l}\Bigr)^{2}\right] \\
///   &= \phi^{\,l-1}\,\mathbb{E}\bigl[a_0^2\bigr] \cdot \phi^{\,k-l}\,
///   \mathbb{E}\left[\Bigl(\frac{\partial L}{\partial z_k}\Bigr)^{2}\right]
///   = \phi^{\,k-1}\,\mathbb{E}\bigl[a_0^2\bigr]\,
///   \mathbb{E}\left[\Bigl(\frac{\partial L}{\partial z_k}\Bigr)^{2}\right]
/// \end{aligned}
/// ```
#[test]
fn depth_weight_gradients() {
    let (size, x, top) = (0.6, array![[0.7, -1.9]], array![[1.1, -0.4]]);
    let mut layer = dense(2);
    Layer::<f64>::accept(&mut layer, Shape::Vector(2)).unwrap();
    let (mut of_w, mut of_a, mut of_z) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    for signs in signs(12) {
        let params = weights_of(&signs, size);
        let mut a = vec![x.clone()];
        for params in &params {
            a.push(forward(&layer, TRAINING, params, &a[a.len() - 1], 2).0);
        }
        let mut d_z = top.clone();
        for l in (0..3).rev() {
            let (d_a, d_params) = backward(&layer, &params[l], &a[l], &d_z);
            of_w[l] += square_norm(d_params.slice(s![..4])) / 4.0 / 4096.0;
            of_a[l] += square_norm(&a[l]) / 2.0 / 4096.0;
            of_z[l] += square_norm(&d_z) / 2.0 / 4096.0;
            d_z = d_a;
        }
    }
    let (phi, k) = (2.0 * size * size, 3);
    let (first, last) = (square_norm(&x) / 2.0, square_norm(&top) / 2.0);
    for l in 1..=k {
        assert_close(of_w[l - 1], of_a[l - 1] * of_z[l - 1], 1e-12);
        let forth = phi.powi(l as i32 - 1) * first;
        let back = phi.powi((k - l) as i32) * last;
        assert_close(of_w[l - 1], forth * back, 1e-12);
        assert_close(of_w[l - 1], phi.powi(k as i32 - 1) * first * last, 1e-12);
    }
}

/// Layers of different widths: what He's factors of the way back multiply to, and how far apart
/// Glorot's factors of the two ways can be.
///
/// ```math
/// \begin{aligned}
/// \prod_{l=1}^{k} \tfrac12\, d_l \cdot \frac{2}{d_{l-1}}
///   &= \frac{d_1}{d_0} \cdot \frac{d_2}{d_1} \cdots \frac{d_k}{d_{k-1}} = \frac{d_k}{d_0} \\
/// d_{l-1} \cdot \frac{2}{d_{l-1} + d_l} \;\cdot\; d_l \cdot \frac{2}{d_{l-1} + d_l}
///   &= 1 - \left(\frac{d_{l-1} - d_l}{d_{l-1} + d_l}\right)^{2}
/// \end{aligned}
/// ```
#[test]
fn depth_telescopes() {
    let d = [784, 300, 40, 90, 10];
    let back = d.windows(2).map(|d| 0.5 * d[1] as f64 * Init::He.variance(d[0], d[1]));
    assert_close(back.product(), d[4] as f64 / d[0] as f64, 1e-14);
    let steps = d.windows(2).map(|d| d[1] as f64 / d[0] as f64);
    assert_close(steps.product(), d[4] as f64 / d[0] as f64, 1e-14);
    for d in d.windows(2) {
        let variance = Init::GlorotNormal.variance(d[0], d[1]);
        let (fan_in, fan_out) = (d[0] as f64, d[1] as f64);
        let apart = (fan_in - fan_out) / (fan_in + fan_out);
        assert_close(fan_in * variance * (fan_out * variance), 1.0 - apart * apart, 1e-14);
    }
}

/// The penalty on the weights, as the tutorial writes it, its gradient, and what becomes of a
/// step: the weights shrink by a fixed share, the biases do not.
///
/// ```math
/// \begin{aligned}
/// J &= L + \frac{\lambda}{2 n} \sum_l \lVert W_l \rVert^2, \qquad
///   \lVert W \rVert^2 = \sum_{k, j} W_{kj}^2 \\
/// \frac{\partial J}{\partial W_l}
///   &= \frac{\partial L}{\partial W_l} + \frac{\lambda}{n}\,W_l, \qquad
///   \frac{\partial J}{\partial b_l} = \frac{\partial L}{\partial b_l} \\
/// W_l - \eta\,\frac{\partial J}{\partial W_l}
///   &= \Bigl(1 - \frac{\eta \lambda}{n}\Bigr)\,W_l - \eta\,\frac{\partial L}{\partial W_l}
/// \end{aligned}
/// ```
#[test]
fn penalty_gradient() {
    let mut rng = rng(908);
    let (n, lambda, eta) = (8, 1.7, 0.1);
    let layers = layers![dense(4), Activate(Tanh), dense(1), Activate(Sigmoid)];
    let mut network =
        Sequential::new(Shape::Vector(3), layers, BinaryCrossEntropy, descent(), 1).unwrap();
    let (x, y) = (normal((n, 3), 1.0, &mut rng), uniform((n, 1), 0.0, 1.0, &mut rng));
    let theta = normal(network.params().len(), 1.0, &mut rng);
    network.set_params(&theta).unwrap();
    let (_, of_l) = network.loss_and_gradient(&x, &y).unwrap();
    // W₀ (3, 4), b₀, W₁ (4, 1), b₁.
    let is_weight = |i: usize| i < 12 || (16..20).contains(&i);
    let probe = std::cell::RefCell::new(network);
    let cost = |theta: &Array1<f64>| {
        probe.borrow_mut().set_params(theta).unwrap();
        let (loss, _) = probe.borrow().loss_and_gradient(&x, &y).unwrap();
        let squares = (0..theta.len()).filter(|&i| is_weight(i)).map(|i| theta[i] * theta[i]);
        loss + lambda / (2.0 * n as f64) * squares.sum::<f64>()
    };
    let of_j = gradient(cost, &theta);
    let mut step = theta.clone();
    let rate = GradientDescent::new(eta).unwrap();
    Decayed::new(rate, lambda / n as f64).unwrap().step(&mut step, &of_l);
    for i in 0..theta.len() {
        if is_weight(i) {
            assert_close(of_j[i], of_l[i] + lambda / n as f64 * theta[i], 1e-8);
            let shrunk = (1.0 - eta * lambda / n as f64) * theta[i] - eta * of_l[i];
            assert_close(theta[i] - eta * of_j[i], shrunk, 1e-8);
            assert_close(step[i], shrunk, 1e-14);
        } else {
            assert_close(of_j[i], of_l[i], 1e-8);
            // The library's decay takes its share of the biases too.
            let shrunk = (1.0 - eta * lambda / n as f64) * theta[i] - eta * of_l[i];
            assert_close(step[i], shrunk, 1e-14);
        }
    }
}

/// In a bowl the penalty moves the minimum. Along the eigenvector with curvature h, a share
/// h / (h + λ) of it is left.
///
/// ```math
/// \begin{aligned}
/// J(\theta) &= \tfrac12\,(\theta - \theta^*)^\top A\,(\theta - \theta^*)
///   + \tfrac{\lambda}{2}\,\lVert \theta \rVert^2, \qquad
///   \underset{(p, p)}{\mathstrut A}\,\underset{(p)}{\mathstrut u_i}
///   = h_i\,\underset{(p)}{\mathstrut u_i} \\
/// \nabla J(\theta_\lambda) &= A\,(\theta_\lambda - \theta^*) + \lambda\,\theta_\lambda = 0 \\
/// (h_i + \lambda)\,u_i^\top \theta_\lambda &= h_i\,u_i^\top \theta^* \\
/// u_i^\top \theta_\lambda &= \frac{h_i}{h_i + \lambda}\,u_i^\top \theta^*
/// \end{aligned}
/// ```
#[test]
fn penalty_shrinks_components() {
    let (a, best, lambda) = (curvature(4, 909), normal(4, 1.0, &mut rng(910)), 0.3);
    let (h, u) = eigen(&a);
    let cost = |theta: &Array1<f64>| {
        let e = theta - &best;
        0.5 * e.dot(&a.dot(&e)) + 0.5 * lambda * square_norm(theta)
    };
    // Found by descent with decay, which knows nothing of the formula.
    let mut theta = Array1::zeros(4);
    let rate = GradientDescent::new(0.5).unwrap();
    let mut optimizer = Decayed::new(rate, lambda).unwrap();
    for _ in 0..1000 {
        let g = a.dot(&(&theta - &best));
        optimizer.step(&mut theta, &g);
    }
    assert_all_close(&gradient(cost, &theta), &Array1::zeros(4), 1e-8);
    let formula = a.dot(&(&theta - &best)) + lambda * &theta;
    assert_all_close(&formula, &Array1::zeros(4), 1e-12);
    for i in 0..4 {
        let (found, meant) = (u.column(i).dot(&theta), u.column(i).dot(&best));
        assert_close((h[i] + lambda) * found, h[i] * meant, 1e-12);
        assert_close(found, h[i] / (h[i] + lambda) * meant, 1e-12);
    }
}

/// Normal noise, and parameters that are normal before anything is known: the penalised squared
/// error is the logarithm of how probable the parameters are afterwards, turned upside down.
///
/// ```math
/// \begin{aligned}
/// -\ln P(\theta \mid y)
///   &= \sum_{i} \frac{(\hat{y}_i - y_i)^2}{2 \tau^2}
///   + \frac{\lVert \theta \rVert^2}{2 \omega^2} + \text{constant} \\
///   &= \frac{n}{\tau^2} \left(\frac{1}{2n} \sum_{i} (\hat{y}_i - y_i)^2
///   + \frac{\lambda}{2}\,\lVert \theta \rVert^2\right) + \text{constant},
///   \qquad \lambda = \frac{\tau^2}{n\,\omega^2}
/// \end{aligned}
/// ```
#[test]
fn penalty_is_a_prior() {
    let mut rng = rng(911);
    let (n, p, tau, omega) = (5, 3, 0.7, 1.9);
    let (x, y) = (normal((n, p), 1.0, &mut rng), normal(n, 1.0, &mut rng));
    let density = |x: f64, deviation: f64| {
        (-0.5 * (x / deviation).powi(2)).exp() / (deviation * std::f64::consts::TAU.sqrt())
    };
    // Bayes' rule without the denominator, which does not depend on θ.
    let surprise = |theta: &Array1<f64>| {
        let wrong = x.dot(theta) - &y;
        let given: f64 = wrong.iter().map(|&wrong| density(wrong, tau).ln()).sum();
        let before: f64 = theta.iter().map(|&theta| density(theta, omega).ln()).sum();
        -(given + before)
    };
    let errors = |theta: &Array1<f64>| square_norm(&(x.dot(theta) - &y));
    let first = |theta: &Array1<f64>| {
        errors(theta) / (2.0 * tau * tau) + square_norm(theta) / (2.0 * omega * omega)
    };
    let lambda = tau * tau / (n as f64 * omega * omega);
    let second = |theta: &Array1<f64>| {
        let cost = errors(theta) / (2.0 * n as f64) + lambda / 2.0 * square_norm(theta);
        n as f64 / (tau * tau) * cost
    };
    let (one, other) = (normal(p, 2.0, &mut rng), normal(p, 2.0, &mut rng));
    let difference = surprise(&one) - surprise(&other);
    assert_close(difference, first(&one) - first(&other), 1e-12);
    assert_close(difference, second(&one) - second(&other), 1e-12);
}

/// The gap between the error on new targets and the error on the old ones, for a linear fit with
/// a penalty: each direction counts for the share that is left of it.
///
/// ```math
/// \begin{aligned}
/// \underset{(n, n)}{\mathstrut H_\lambda} &= \underset{(n, p)}{\mathstrut X}\,
///   \underset{(p, p)}{\mathstrut \bigl(X^\top X + n \lambda I\bigr)^{-1}}
///   \underset{(p, n)}{\mathstrut X^\top}, \qquad
///   \tfrac1n X^\top X\,u_i = h_i\,u_i \\
/// \operatorname{tr} H_\lambda &= \sum_{i=1}^{p} \frac{h_i}{h_i + \lambda} \\
/// \tfrac1n\,\mathbb{E}\,\lVert \hat{y} - y' \rVert^2
///   - \tfrac1n\,\mathbb{E}\,\lVert \hat{y} - y \rVert^2
///   &= \frac{2 \tau^2}{n} \operatorname{tr} H_\lambda
/// \end{aligned}
/// ```
#[test]
fn penalty_effective_parameters() {
    let (n, p, tau) = (6, 4, 0.8);
    let (x, theta, _) = linear_model(p);
    let (h, _) = eigen(&(x.t().dot(&x) / n as f64));
    for lambda in [0.0, 0.1, 5.0] {
        let inner = x.t().dot(&x) + n as f64 * lambda * identity(p);
        let hat = x.dot(&inner.inv().unwrap()).dot(&x.t());
        let effective: f64 = h.iter().map(|h| h / (h + lambda)).sum();
        assert_close(hat.trace().unwrap(), effective, 1e-10);
        let gap = over_signs(2 * n, |all| {
            let (old, new) = (tau * &all.slice(s![..n]), tau * &all.slice(s![n..]));
            let (y, other) = (x.dot(&theta) + old, x.dot(&theta) + new);
            let y_hat = hat.dot(&y);
            (square_norm(&(&y_hat - &other)) - square_norm(&(&y_hat - &y))) / n as f64
        });
        assert_close(gap, 2.0 * tau * tau / n as f64 * effective, 1e-10);
    }
}

/// Descent in a bowl, from zero: after t steps, this share of the minimum has been reached along
/// each eigenvector.
///
/// ```math
/// \begin{aligned}
/// \theta_0 &= 0, \qquad \theta_{t+1} = \theta_t - \eta A\,(\theta_t - \theta^*) \\
/// u_i^\top (\theta_t - \theta^*) &= (1 - \eta h_i)^t\,u_i^\top (0 - \theta^*) \\
/// u_i^\top \theta_t &= \bigl(1 - (1 - \eta h_i)^t\bigr)\,u_i^\top \theta^*
/// \end{aligned}
/// ```
#[test]
fn stopping_after_t_steps() {
    let (a, best, eta) = (curvature(4, 912), normal(4, 1.0, &mut rng(913)), 0.4);
    let (h, u) = eigen(&a);
    let mut theta = Array1::zeros(4);
    let mut optimizer = GradientDescent::new(eta).unwrap();
    for t in 0..60 {
        for i in 0..4 {
            let (found, meant) = (u.column(i).dot(&theta), u.column(i).dot(&best));
            let rest = (1.0 - eta * h[i]).powi(t);
            assert_close(u.column(i).dot(&(&theta - &best)), rest * (0.0 - meant), 1e-12);
            assert_close(found, (1.0 - rest) * meant, 1e-12);
        }
        let g = a.dot(&(&theta - &best));
        optimizer.step(&mut theta, &g);
    }
}

/// Stopped after t steps, or with a penalty of λ = 1 / (η t): in no direction do the two shares
/// differ by more than a factor of two.
///
/// ```math
/// \begin{aligned}
/// \lambda &= \frac{1}{\eta t}: \qquad
///   \frac{h}{h + \lambda} = \frac{\eta t h}{1 + \eta t h}, \qquad 0 \le \eta h \le 1 \\
/// (1 - \eta h)^t &\le e^{-\eta t h} \le \frac{1}{1 + \eta t h} \\
/// \frac{h}{h + \lambda} &\le 1 - (1 - \eta h)^t \le \min(1, \eta t h)
///   \le \frac{2 h}{h + \lambda}
/// \end{aligned}
/// ```
#[test]
fn stopping_beside_decay() {
    let round = 1e-15;
    let mut largest = 0.0_f64;
    for eta in [0.01, 0.3] {
        for t in [1, 2, 10, 500, 100_000] {
            let lambda = 1.0 / (eta * f64::from(t));
            for part in [1e-9, 1e-4, 0.003, 0.02, 0.1, 0.5, 0.9, 1.0] {
                let h = part / eta;
                let u = eta * f64::from(t) * h;
                let decayed = h / (h + lambda);
                assert_close(decayed, u / (1.0 + u), 1e-12);
                let rest = (1.0 - eta * h).powi(t);
                assert!(rest <= (-u).exp() * (1.0 + 1e-9) && (-u).exp() <= 1.0 / (1.0 + u) + round);
                // Where u is small, 1 − (1 − ηh)^t without cancellation.
                let stopped = -(f64::from(t) * (-eta * h).ln_1p()).exp_m1();
                assert_close(stopped, 1.0 - rest, 1e-11);
                assert!(decayed <= stopped * (1.0 + 1e-12), "{decayed} {stopped}");
                assert!(stopped <= u.min(1.0) * (1.0 + 1e-12), "{stopped} {u}");
                assert!(u.min(1.0) <= 2.0 * decayed * (1.0 + 1e-12), "{u} {decayed}");
                if u < 1e-6 {
                    assert_close(stopped / decayed, 1.0, 1e-5);
                }
                largest = largest.max(stopped / decayed);
            }
        }
    }
    // The factor of two is reached.
    assert_close(largest, 2.0, 1e-12);
}

/// Inverted dropout keeps the mean of every entry, and adds a variance in proportion to its
/// square.
///
/// ```math
/// \begin{aligned}
/// r &= \begin{cases} 1/q & \text{with probability } q \\
///   0 & \text{with probability } 1 - q \end{cases} \\
/// \mathbb{E}[r] &= q \cdot \frac1q + (1 - q) \cdot 0 = 1, \qquad
///   \operatorname{Var}(r) = q \cdot \frac{1}{q^2} - 1^2 = \frac{1 - q}{q} \\
/// \mathbb{E}[x\,r] &= x, \qquad \operatorname{Var}(x\,r) = \frac{1 - q}{q}\,x^2
/// \end{aligned}
/// ```
#[test]
fn dropout_mean_and_variance() {
    let x = -1.7;
    for q in [0.1, 0.5, 0.8, 1.0] {
        let mean_of = |f: &dyn Fn(f64) -> f64| over_masks(1, q, |r| f(r[0]));
        assert_close(mean_of(&|r| r), q * (1.0 / q) + (1.0 - q) * 0.0, 1e-14);
        assert_close(mean_of(&|r| r), 1.0, 1e-14);
        let variance = mean_of(&|r| (r - 1.0) * (r - 1.0));
        assert_close(variance, q * (1.0 / (q * q)) - 1.0, 1e-13);
        assert_close(variance, (1.0 - q) / q, 1e-13);
        assert_close(mean_of(&|r| x * r), x, 1e-14);
        assert_close(mean_of(&|r| (x * r - x).powi(2)), (1.0 - q) / q * x * x, 1e-13);

        // What the library draws: 200,000 entries, up to five standard errors.
        let draw = Draw { seed: 9, layer: 0, step: 0, first: 0 };
        let r: Array2<f64> = Dropout::new(q).unwrap().mask(draw, 2000, 100);
        let error = ((1.0 - q) / q / 200_000.0).sqrt();
        assert_close(mean(&r), 1.0, 5.0 * error + 1e-12);
        let second = over_masks(1, q, |r| (r[0] * r[0] - 1.0 / q).powi(2));
        assert_close(mean(&(&r * &r)), 1.0 / q, 5.0 * (second / 200_000.0).sqrt() + 1e-12);
    }
}

/// On the way back the same factors stand between the two gradients.
///
/// ```math
/// \underset{(n, d)}{\mathstrut y} = \underset{(n, d)}{\mathstrut x}
///   \circ \underset{(n, d)}{\mathstrut r}
/// \qquad\Longrightarrow\qquad
/// \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \circ r
/// ```
#[test]
fn dropout_same_mask_back() {
    let mut rng = rng(914);
    let mut layer = Dropout::new(0.6).unwrap();
    Layer::<f64>::accept(&mut layer, Shape::Vector(4)).unwrap();
    let (Mode::Train(draw), x) = (TRAINING, normal((5, 4), 1.0, &mut rng)) else { unreachable!() };
    let r = layer.mask::<f64>(draw, 5, 4);
    assert!(r.iter().any(|&r| r == 0.0) && r.iter().any(|&r| r > 0.0));
    let weight = normal((5, 4), 1.0, &mut rng);
    let outputs = |x: &Array2<f64>| forward(&layer, TRAINING, &array![], x, 4).0;
    let as_matrix = |x: &Array1<f64>| x.clone().into_shape_with_order((5, 4)).unwrap();
    let loss = |x: &Array1<f64>| (outputs(&as_matrix(x)).mapv(f64::sin) * &weight).sum();
    let product = Array2::from_shape_fn((5, 4), |at| x[at] * r[at]);
    assert_all_close(&outputs(&x), &product, 1e-15);
    let d_y = product.mapv(f64::cos) * &weight;
    let measured = as_matrix(&gradient(loss, &x.flatten().to_owned()));
    let formula = Array2::from_shape_fn((5, 4), |at| d_y[at] * r[at]);
    assert_all_close(&measured, &formula, 1e-8);
    assert_all_close(&backward(&layer, &array![], &x, &d_y).0, &formula, 1e-15);
}

/// A linear model with n samples, whose features have different sizes.
fn samples_of_a_line(n: usize, seed: u64) -> (Array2<f64>, Array1<f64>) {
    let mut rng = rng(seed);
    let x = normal((n, 3), 1.0, &mut rng) * &array![0.5, 1.0, 2.0] + 0.3;
    let y = x.dot(&array![1.0, -2.0, 0.7]) + normal(n, 0.4, &mut rng);
    (x, y)
}

/// The mean over all masks of the mean squared error of a linear model.
fn loss_with_dropout(x: &Array2<f64>, y: &Array1<f64>, w: &Array1<f64>, q: f64) -> f64 {
    let of = |i: usize| over_masks(3, q, |r| ((&x.row(i) * r).dot(w) - y[i]).powi(2));
    (0..x.nrows()).map(of).sum::<f64>() / x.nrows() as f64
}

/// A linear model with dropout of its inputs and a squared error, in the mean over the masks: the
/// squared error without dropout, plus a penalty. Each weight's part is weighed by the mean square
/// of its input.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}\Bigl(\sum_k x_k r_k w_k - y\Bigr)^2
///   &= \Bigl(\sum_k x_k w_k - y\Bigr)^2 + \sum_k \operatorname{Var}(r_k)\,x_k^2\,w_k^2 \\
/// \frac1n \sum_i \mathbb{E}\Bigl(\sum_k X_{ik} r_{ik} w_k - y_i\Bigr)^2
///   &= \frac1n\,\lVert X w - y \rVert^2 + \frac{1 - q}{q} \sum_k C_{kk}\,w_k^2, \qquad
///   \underset{(d, d)}{\mathstrut C}
///   = \tfrac1n \underset{(d, n)}{\mathstrut X^\top}\,\underset{(n, d)}{\mathstrut X}
/// \end{aligned}
/// ```
#[test]
fn dropout_linear_penalty() {
    let (x, y) = samples_of_a_line(7, 915);
    let (w, q) = (array![0.9, -1.1, 0.4], 0.7);
    for i in 0..7 {
        let dropped = over_masks(3, q, |r| ((&x.row(i) * r).dot(&w) - y[i]).powi(2));
        let variance = over_masks(1, q, |r| (r[0] - 1.0).powi(2));
        let penalty: f64 = (0..3).map(|k| variance * (x[[i, k]] * w[k]).powi(2)).sum();
        assert_close(dropped, (x.row(i).dot(&w) - y[i]).powi(2) + penalty, 1e-12);
    }
    let c = x.t().dot(&x) / 7.0;
    let error = square_norm(&(x.dot(&w) - &y)) / 7.0;
    let penalty = (1.0 - q) / q * (0..3).map(|k| c[[k, k]] * w[k] * w[k]).sum::<f64>();
    assert_close(loss_with_dropout(&x, &y, &w, q), error + penalty, 1e-12);

    // The library's own steps, over 40,000 masks.
    let layers = layers![Dropout::new(q).unwrap(), dense(1), Activate(Identity)];
    let mut network =
        Sequential::new(Shape::Vector(3), layers, MeanSquaredError, descent(), 3).unwrap();
    network.set_params(&array![w[0], w[1], w[2], 0.0]).unwrap();
    let y = y.insert_axis(Axis(1));
    let still = Array1::zeros(network.gradient_len());
    let losses: Array1<f64> = (0..40_000)
        .map(|_| {
            network.step(&still);
            network.loss_and_gradient(&x, &y).unwrap().0
        })
        .collect();
    let deviation = losses.std(1.0) / 200.0;
    assert_close(mean(&losses), error + penalty, 5.0 * deviation);
}

/// The weights that dropout of the inputs looks for. If every input has the mean square 1, they
/// are those of L2 with λ = (1 − q) / q.
///
/// ```math
/// \begin{aligned}
/// \Bigl(C + \frac{1 - q}{q}\,D\Bigr)\,w &= \tfrac1n X^\top y, \qquad
///   D_{kk} = C_{kk}, \quad D_{kl} = 0 \text{ for } k \ne l \\
/// C_{kk} = 1 \text{ for all } k: \quad
///   \bigl(C + \lambda I\bigr)\,w &= \tfrac1n X^\top y, \qquad
///   \lambda = \frac{1 - q}{q}
/// \end{aligned}
/// ```
#[test]
fn dropout_solution() {
    let q = 0.7;
    let (x, y) = samples_of_a_line(7, 916);
    let solve = |x: &Array2<f64>, penalty: &Array2<f64>| {
        (x.t().dot(x) / 7.0 + penalty).solve(&(x.t().dot(&y) / 7.0)).unwrap()
    };
    let squares =
        |x: &Array2<f64>| Array1::from_shape_fn(3, |k| mean(&(&x.column(k) * &x.column(k))));
    let w = solve(&x, &((1.0 - q) / q * Array2::from_diag(&squares(&x))));
    let slope = gradient(|w| loss_with_dropout(&x, &y, w, q), &w);
    assert_all_close(&slope, &Array1::zeros(3), 1e-8);

    let scaled = &x / &squares(&x).mapv(f64::sqrt);
    let ridge = solve(&scaled, &((1.0 - q) / q * identity(3)));
    let slope = gradient(|w| loss_with_dropout(&scaled, &y, w, q), &ridge);
    assert_all_close(&slope, &Array1::zeros(3), 1e-8);
    let half = |w: &Array1<f64>| {
        square_norm(&(scaled.dot(w) - &y)) / 14.0 + 0.5 * (1.0 - q) / q * square_norm(w)
    };
    assert_all_close(&gradient(half, &ridge), &Array1::zeros(3), 1e-8);
}

/// A softmax right behind dropout: predicting without dropout gives the geometric mean of what
/// all thinned networks predict, scaled so that it sums to 1.
///
/// ```math
/// \begin{aligned}
/// \underset{(m)}{\mathstrut \hat{y}}
///   &= \operatorname{softmax}\bigl((\underset{(d)}{\mathstrut x} \circ
///   \underset{(d)}{\mathstrut r})\,\underset{(d, m)}{\mathstrut W}
///   + \underset{(m)}{\mathstrut b}\bigr) \\
/// \ln \hat{y}_j &= \sum_k x_k\,r_k\,W_{kj} + b_j - \text{the same for all } j \\
/// \frac{e^{\mathbb{E} \ln \hat{y}_j}}{\sum_i e^{\mathbb{E} \ln \hat{y}_i}}
///   &= \operatorname{softmax}(x\,W + b)_j
/// \end{aligned}
/// ```
#[test]
fn dropout_geometric_mean() {
    let mut rng = rng(917);
    let (x, w) = (normal(4, 1.0, &mut rng), normal((4, 3), 1.5, &mut rng));
    let (b, q) = (normal(3, 1.0, &mut rng), 0.6);
    let softmax = |z: &Array1<f64>| {
        let e = z.mapv(f64::exp);
        let sum = e.sum();
        e / sum
    };
    let p = |r: &Array1<f64>| softmax(&((&x * r).dot(&w) + &b));
    for signs in signs(4) {
        let r = signs.mapv(|sign| f64::from(sign > 0.0) / q);
        let term = |j: usize| (0..4).map(|k| x[k] * r[k] * w[[k, j]]).sum::<f64>() + b[j];
        for j in 0..3 {
            assert_close(p(&r)[j].ln() - p(&r)[0].ln(), term(j) - term(0), 1e-12);
        }
    }
    let geometric = Array1::from_shape_fn(3, |j| over_masks(4, q, |r| p(r)[j].ln()).exp());
    let sum = geometric.sum();
    assert!(sum < 0.9, "the thinned networks agree: {sum}");

    let layers = layers![Dropout::new(q).unwrap(), dense(3), Output(Softmax)];
    let mut network =
        Sequential::new(Shape::Vector(4), layers, CategoricalCrossEntropy, descent(), 1).unwrap();
    let params: Array1<f64> = w.iter().chain(&b).copied().collect();
    network.set_params(&params).unwrap();
    let predicted = network.predict(&x.insert_axis(Axis(0))).unwrap();
    assert_all_close(&(geometric / sum), &predicted.row(0), 1e-12);
}

/// Batch normalisation in training, for each channel j of N values.
///
/// ```math
/// \begin{aligned}
/// \mu_j &= \frac1N \sum_{i=1}^{N} x_{ij}, \qquad
///   \sigma_j^2 = \frac1N \sum_{i=1}^{N} (x_{ij} - \mu_j)^2 \\
/// \hat{x}_{ij} &= \frac{x_{ij} - \mu_j}{\sqrt{\sigma_j^2 + \epsilon}}, \qquad
///   y_{ij} = \gamma_j\,\hat{x}_{ij} + \beta_j
/// \end{aligned}
/// ```
#[test]
fn normalised_forward() {
    let mut rng = rng(918);
    let epsilon = 0.05;
    // Four images of two pixels with three channels.
    let mut layer = BatchNorm::new().epsilon(epsilon).unwrap();
    layer.accept(Shape::image(1, 2, 3)).unwrap();
    let x = normal((8, 3), 1.0, &mut rng) * &array![0.1, 1.0, 5.0] + &array![2.0, 0.0, -3.0];
    let (gamma, beta) = (array![2.0, -0.5, 1.0], array![0.3, 0.0, -1.0]);
    let params = Array1::from_iter(gamma.iter().chain(&beta).copied());
    let images = x.clone().into_shape_with_order((4, 6)).unwrap();
    let (y, _) = forward(&layer, TRAINING, &params, &images, 6);
    let y = y.into_shape_with_order((8, 3)).unwrap();
    for j in 0..3 {
        let mu = (0..8).map(|i| x[[i, j]]).sum::<f64>() / 8.0;
        let variance = (0..8).map(|i| (x[[i, j]] - mu).powi(2)).sum::<f64>() / 8.0;
        for i in 0..8 {
            let x_hat = (x[[i, j]] - mu) / (variance + epsilon).sqrt();
            assert_close(y[[i, j]], gamma[j] * x_hat + beta[j], 1e-13);
        }
    }
}

/// What normalised values have in common: their mean is 0, and their mean square a little less
/// than 1.
///
/// ```math
/// \frac1N \sum_{i=1}^{N} \hat{x}_i = 0, \qquad
/// \frac1N \sum_{i=1}^{N} \hat{x}_i^2 = \frac{\sigma^2}{\sigma^2 + \epsilon}
///   = 1 - \frac{\epsilon}{\sigma^2 + \epsilon}
/// ```
#[test]
fn normalised_moments() {
    for (size, epsilon) in [(3.0, 1e-5), (0.2, 0.3), (1e-4, 1e-5)] {
        let x = normal(9, size, &mut rng(919)) + 1.0;
        let plain = x.clone().insert_axis(Axis(1));
        let (y, _) = forward(&batch_norm(1, epsilon), TRAINING, &array![1.0, 0.0], &plain, 1);
        let variance = x.iter().map(|x| (x - mean(&x_of(&plain))).powi(2)).sum::<f64>() / 9.0;
        assert_close(mean(&y), 0.0, 1e-12);
        let square = square_norm(&y) / 9.0;
        assert_close(square / (variance / (variance + epsilon)), 1.0, 1e-10);
        assert_close(square, 1.0 - epsilon / (variance + epsilon), 1e-11);
    }
}

/// The only column.
fn x_of(x: &Array2<f64>) -> Array1<f64> {
    x.column(0).to_owned()
}

/// What is added before a normalisation is taken away again, and a positive factor c is the same
/// as another ε.
///
/// ```math
/// \begin{aligned}
/// x'_i &= c\,x_i + b: \qquad \mu' = c\,\mu + b, \qquad \sigma'^2 = c^2 \sigma^2 \\
/// \hat{x}'_i &= \frac{c\,x_i + b - c\,\mu - b}{\sqrt{c^2 \sigma^2 + \epsilon}}
///   = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon / c^2}}
/// \end{aligned}
/// ```
#[test]
fn normalised_scale_and_shift() {
    let (x, epsilon) = (normal(9, 1.3, &mut rng(920)) + 0.4, 0.07);
    let as_column = |x: &Array1<f64>| x.clone().insert_axis(Axis(1));
    let of = |x: &Array1<f64>, epsilon| {
        x_of(&forward(&batch_norm(1, epsilon), TRAINING, &array![1.0, 0.0], &as_column(x), 1).0)
    };
    for (c, b) in [(1.0, -3.0), (5.0, 0.7), (0.01, 0.0)] {
        let other = c * &x + b;
        let (mu, variance) = (mean(&x), x.var(0.0));
        assert_close(mean(&other), c * mu + b, 1e-13);
        assert_close(other.var(0.0), c * c * variance, 1e-13);
        let long = Array1::from_shape_fn(9, |i| {
            (c * x[i] + b - c * mu - b) / (c * c * variance + epsilon).sqrt()
        });
        let short =
            Array1::from_shape_fn(9, |i| (x[i] - mu) / (variance + epsilon / (c * c)).sqrt());
        assert_all_close(&of(&other, epsilon), &long, 1e-12);
        assert_all_close(&of(&other, epsilon), &short, 1e-12);
        assert_all_close(&of(&other, epsilon), &of(&x, epsilon / (c * c)), 1e-12);
    }
}

/// A bias before a normalisation moves nothing, and has no gradient.
///
/// ```math
/// \underset{(N)}{\mathstrut z} = \underset{(N, d)}{\mathstrut X}\,
///   \underset{(d)}{\mathstrut w} + b\,\mathbf{1}
/// \quad\text{normalised:}\qquad
/// \frac{\partial L}{\partial b} = \sum_{i=1}^{N} \frac{\partial L}{\partial z_i} = 0
/// ```
#[test]
fn normalised_bias_gradient() {
    let (mut network, x, y) = normalising(0.02, 921);
    let (loss, of_l) = network.loss_and_gradient(&x, &y).unwrap();
    // W (3, 4), then the four biases.
    for i in 12..16 {
        assert_close(of_l[i], 0.0, 1e-15);
        let mut theta = network.params().clone();
        theta[i] += 3.0;
        network.set_params(&theta).unwrap();
        assert_close(network.loss_and_gradient(&x, &y).unwrap().0, loss, 1e-12);
    }
    assert!((0..12).all(|i| of_l[i].abs() > 1e-6), "{of_l}");
}

/// The gradient of the weights before a normalisation is perpendicular to them: exactly if ε is
/// 0, and otherwise up to a share of ε. Longer weights have a shorter gradient.
///
/// ```math
/// \begin{aligned}
/// \epsilon = 0: \qquad L(c\,w) &= L(w) \text{ for } c > 0 \quad\Longrightarrow\quad
///   0 = \frac{\mathrm d L(c\,w)}{\mathrm d c}\bigg|_{c = 1}
///   = w^\top \frac{\partial L}{\partial w} \\
/// \frac{\partial L}{\partial w}\bigg|_{c\,w}
///   &= \frac1c\,\frac{\partial L}{\partial w}\bigg|_{w} \\
/// \epsilon > 0: \qquad w^\top \frac{\partial L}{\partial w}
///   &= \frac{\epsilon}{\sigma^2 + \epsilon}\,\gamma\,\frac{\partial L}{\partial \gamma}
/// \end{aligned}
/// ```
#[test]
fn normalised_weight_gradient() {
    // An ε that is 0 beside any variance.
    let (mut network, x, y) = normalising(1e-40, 922);
    let theta = network.params().clone();
    let (loss, of_l) = network.loss_and_gradient(&x, &y).unwrap();
    for (j, c) in [(0, 0.3), (1, 2.0), (3, 17.0)] {
        let product: f64 = column(j).map(|i| theta[i] * of_l[i]).sum();
        let sizes: f64 = column(j).map(|i| (theta[i] * of_l[i]).abs()).sum();
        assert!(product.abs() < 1e-13 * sizes.max(0.01) && sizes > 1e-4, "{product} {sizes}");
        let mut longer = theta.clone();
        column(j).for_each(|i| longer[i] *= c);
        network.set_params(&longer).unwrap();
        let (same, shorter) = network.loss_and_gradient(&x, &y).unwrap();
        assert_close(same, loss, 1e-13);
        column(j).for_each(|i| assert_close(shorter[i], of_l[i] / c, 1e-12));
        network.set_params(&theta).unwrap();
        let mut along = |c: f64| {
            let mut longer = theta.clone();
            column(j).for_each(|i| longer[i] *= c);
            network.set_params(&longer).unwrap();
            network.loss_and_gradient(&x, &y).unwrap().0
        };
        assert_close((along(1.01) - along(0.99)) / 0.02, 0.0, 1e-12);
    }

    let epsilon = 0.8;
    let (network, x, y) = normalising(epsilon, 922);
    let theta = network.params();
    let (_, of_l) = network.loss_and_gradient(&x, &y).unwrap();
    let z = x.dot(&theta.slice(s![..12]).to_owned().into_shape_with_order((3, 4)).unwrap());
    for j in 0..4 {
        let product: f64 = column(j).map(|i| theta[i] * of_l[i]).sum();
        let variance = z.column(j).var(0.0);
        let formula = epsilon / (variance + epsilon) * theta[16 + j] * of_l[16 + j];
        assert_close(product, formula, 1e-13);
        assert!(product.abs() > 1e-5, "{product}");
    }
}

/// Weights before a normalisation only grow in plain descent, by Pythagoras.
///
/// ```math
/// \lVert w - \eta\,g \rVert^2
///   = \lVert w \rVert^2 - 2 \eta\,w^\top g + \eta^2 \lVert g \rVert^2
///   = \lVert w \rVert^2 + \eta^2 \lVert g \rVert^2,
/// \qquad g = \frac{\partial L}{\partial w}, \quad w^\top g = 0
/// ```
#[test]
fn normalised_weights_grow() {
    let (network, x, y) = normalising(1e-40, 923);
    let (eta, theta) = (0.9, network.params());
    let (_, of_l) = network.loss_and_gradient(&x, &y).unwrap();
    let mut stepped = theta.clone();
    GradientDescent::new(eta).unwrap().step(&mut stepped, &of_l);
    for j in 0..4 {
        let of = |v: &Array1<f64>| Array1::from_iter(column(j).map(|i| v[i]));
        let (w, g, after) = (of(theta), of(&of_l), of(&stepped));
        let long = square_norm(&w) - 2.0 * eta * w.dot(&g) + eta * eta * square_norm(&g);
        assert_close(square_norm(&after), long, 1e-14);
        assert_close(square_norm(&after), square_norm(&w) + eta * eta * square_norm(&g), 1e-13);
        assert!(square_norm(&after) > square_norm(&w) + 1e-6);
    }
}

/// One normalised channel with a loss that looks at every output: its inputs, ε, γ, β, and
/// ∂L/∂y, with L as a function of the outputs.
struct Channel {
    x: Array1<f64>,
    epsilon: f64,
    gamma: f64,
    beta: f64,
    weight: Array1<f64>,
}

impl Channel {
    fn new(seed: u64) -> Self {
        let mut rng = rng(seed);
        let x = normal(6, 1.4, &mut rng) + 0.5;
        Self { x, epsilon: 0.3, gamma: -1.3, beta: 0.4, weight: normal(6, 1.0, &mut rng) }
    }

    fn outputs(&self, x: &Array1<f64>, gamma: f64, beta: f64) -> Array1<f64> {
        gamma * normalised(x, self.epsilon) + beta
    }

    fn loss(&self, y: &Array1<f64>) -> f64 {
        (y.mapv(f64::sin) * &self.weight).sum() + y[0] * y[1]
    }

    fn d_y(&self) -> Array1<f64> {
        gradient(|y| self.loss(y), &self.outputs(&self.x, self.gamma, self.beta))
    }

    /// ∂L/∂x, ∂L/∂γ and ∂L/∂β of the library's layer.
    fn library(&self) -> (Array1<f64>, f64, f64) {
        let as_column = |x: &Array1<f64>| x.clone().insert_axis(Axis(1));
        let params = array![self.gamma, self.beta];
        let layer = batch_norm(1, self.epsilon);
        let (d_x, d_params) =
            backward(&layer, &params, &as_column(&self.x), &as_column(&self.d_y()));
        (x_of(&d_x), d_params[0], d_params[1])
    }
}

/// The way back through the last step, y = γ x̂ + β, in which γ and β serve all N values.
///
/// ```math
/// \frac{\partial L}{\partial \gamma} = \sum_{i=1}^{N} \hat{x}_i\,\frac{\partial L}{\partial y_i},
/// \qquad
/// \frac{\partial L}{\partial \beta} = \sum_{i=1}^{N} \frac{\partial L}{\partial y_i},
/// \qquad
/// \frac{\partial L}{\partial \hat{x}_i} = \gamma\,\frac{\partial L}{\partial y_i}
/// ```
#[test]
fn normalised_gamma_and_beta() {
    let channel = Channel::new(924);
    let (x, d_y, x_hat) = (&channel.x, channel.d_y(), normalised(&channel.x, channel.epsilon));
    let (_, d_gamma, d_beta) = channel.library();
    let of_gamma =
        slope(|gamma| channel.loss(&channel.outputs(x, gamma, channel.beta)), channel.gamma);
    let of_beta =
        slope(|beta| channel.loss(&channel.outputs(x, channel.gamma, beta)), channel.beta);
    let formula: f64 = (0..6).map(|i| x_hat[i] * d_y[i]).sum();
    assert_close(of_gamma, formula, 1e-8);
    assert_close(d_gamma, formula, 1e-13);
    assert_close(of_beta, d_y.sum(), 1e-8);
    assert_close(d_beta, d_y.sum(), 1e-13);
    let of_x_hat = gradient(|x_hat| channel.loss(&(channel.gamma * x_hat + channel.beta)), &x_hat);
    assert_all_close(&of_x_hat, &(channel.gamma * &d_y), 1e-8);
}

/// How the mean and the variance answer to one of the values. In the variance the way through the
/// mean adds up to 0.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial \mu}{\partial x_i} &= \frac1N \\
/// \frac{\partial \sigma^2}{\partial x_i}
///   &= \frac2N \sum_{k=1}^{N} (x_k - \mu) \Bigl(\delta_{ki} - \frac1N\Bigr)
///   = \frac2N\,(x_i - \mu) - \frac{2}{N^2} \sum_{k=1}^{N} (x_k - \mu)
///   = \frac2N\,(x_i - \mu)
/// \end{aligned}
/// ```
#[test]
fn normalised_mean_and_variance_slopes() {
    let x = Channel::new(925).x;
    let n = 6.0;
    assert_all_close(&gradient(|x| mean(x), &x), &Array1::from_elem(6, 1.0 / n), 1e-8);
    let variance = |x: &Array1<f64>| x.iter().map(|xk| (xk - mean(x)).powi(2)).sum::<f64>() / n;
    let (slopes, mu) = (gradient(variance, &x), mean(&x));
    for i in 0..6 {
        let delta = |k: usize| f64::from(k == i);
        let sum: f64 = (0..6).map(|k| (x[k] - mu) * (delta(k) - 1.0 / n)).sum();
        assert_close(slopes[i], 2.0 / n * sum, 1e-8);
        let deviations: f64 = x.iter().map(|x| x - mu).sum();
        assert_close(slopes[i], 2.0 / n * (x[i] - mu) - 2.0 / (n * n) * deviations, 1e-8);
        assert_close(slopes[i], 2.0 / n * (x[i] - mu), 1e-8);
    }
}

/// How the scale answers to one of the values.
///
/// ```math
/// s = \frac{1}{\sqrt{\sigma^2 + \epsilon}}: \qquad
/// \frac{\partial s}{\partial x_i}
///   = -\frac12\,\bigl(\sigma^2 + \epsilon\bigr)^{-\frac32} \cdot \frac2N\,(x_i - \mu)
///   = -\frac{s^3}{N}\,(x_i - \mu)
///   = -\frac{s^2}{N}\,\hat{x}_i
/// ```
#[test]
fn normalised_scale_slope() {
    let channel = Channel::new(926);
    let (x, epsilon, n) = (&channel.x, channel.epsilon, 6.0);
    let slopes = gradient(|x| scale(x, epsilon), x);
    let (mu, variance, x_hat) = (mean(x), x.var(0.0), normalised(x, epsilon));
    let s = 1.0 / (variance + epsilon).sqrt();
    assert_close(s, scale(x, epsilon), 1e-14);
    for i in 0..6 {
        let chain = -0.5 * (variance + epsilon).powf(-1.5) * (2.0 / n * (x[i] - mu));
        assert_close(slopes[i], chain, 1e-8);
        assert_close(slopes[i], -s.powi(3) / n * (x[i] - mu), 1e-8);
        assert_close(slopes[i], -s * s / n * x_hat[i], 1e-8);
    }
}

/// Every normalised value answers to every value of its channel: directly, through the mean, and
/// through the scale.
///
/// ```math
/// \begin{aligned}
/// \hat{x}_k &= s\,(x_k - \mu) \\
/// \frac{\partial \hat{x}_k}{\partial x_i}
///   &= s\,\Bigl(\delta_{ki} - \frac1N\Bigr) - (x_k - \mu)\,\frac{s^2}{N}\,\hat{x}_i
///   = s\,\Bigl(\delta_{ki} - \frac1N - \frac{\hat{x}_k\,\hat{x}_i}{N}\Bigr)
/// \end{aligned}
/// ```
#[test]
fn normalised_jacobian() {
    let channel = Channel::new(927);
    let (x, epsilon, n) = (&channel.x, channel.epsilon, 6.0);
    let (s, mu, x_hat) = (scale(x, epsilon), mean(x), normalised(x, epsilon));
    for k in 0..6 {
        assert_close(x_hat[k], s * (x[k] - mu), 1e-14);
        let row = gradient(|x| normalised(x, epsilon)[k], x);
        for i in 0..6 {
            let delta = f64::from(k == i);
            let paths = s * (delta - 1.0 / n) - (x[k] - mu) * s * s / n * x_hat[i];
            assert_close(row[i], paths, 1e-8);
            assert_close(row[i], s * (delta - 1.0 / n - x_hat[k] * x_hat[i] / n), 1e-8);
        }
    }
}

/// The backward pass of batch normalisation. Two of its three terms are sums that are there
/// already: the gradients of β and γ.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial x_i}
///   &= \sum_{k=1}^{N} \gamma\,\frac{\partial L}{\partial y_k}\,
///   s\,\Bigl(\delta_{ki} - \frac1N - \frac{\hat{x}_k\,\hat{x}_i}{N}\Bigr) \\
///   &= \gamma s \left(\frac{\partial L}{\partial y_i}
///   - \frac1N \sum_{k=1}^{N} \frac{\partial L}{\partial y_k}
///   - \frac{\hat{x}_i}{N} \sum_{k=1}^{N} \hat{x}_k\,\frac{\partial L}{\partial y_k}\right) \\
///   &= \gamma s \left(\frac{\partial L}{\partial y_i}
///   - \frac1N \Bigl(\frac{\partial L}{\partial \beta}
///   + \hat{x}_i\,\frac{\partial L}{\partial \gamma}\Bigr)\right)
/// \end{aligned}
/// ```
#[test]
fn normalised_backward() {
    let channel = Channel::new(928);
    let (x, epsilon, gamma, n) = (&channel.x, channel.epsilon, channel.gamma, 6.0);
    let (s, x_hat, d_y) = (scale(x, epsilon), normalised(x, epsilon), channel.d_y());
    let measured = gradient(|x| channel.loss(&channel.outputs(x, gamma, channel.beta)), x);
    let (d_x, d_gamma, d_beta) = channel.library();
    for i in 0..6 {
        let through = |k: usize| {
            let delta = f64::from(k == i);
            gamma * d_y[k] * s * (delta - 1.0 / n - x_hat[k] * x_hat[i] / n)
        };
        let sum: f64 = (0..6).map(through).sum();
        let moments: f64 = (0..6).map(|k| x_hat[k] * d_y[k]).sum();
        let three = gamma * s * (d_y[i] - d_y.sum() / n - x_hat[i] / n * moments);
        let short = gamma * s * (d_y[i] - (d_beta + x_hat[i] * d_gamma) / n);
        for formula in [sum, three, short] {
            assert_close(measured[i], formula, 1e-8);
            assert_close(d_x[i], formula, 1e-12);
        }
    }
}

/// What the backward pass takes out of a gradient: all of its mean, and, up to a share of ε, all
/// that would stretch the values.
///
/// ```math
/// \sum_{i=1}^{N} \frac{\partial L}{\partial x_i} = 0, \qquad
/// \sum_{i=1}^{N} \hat{x}_i\,\frac{\partial L}{\partial x_i}
///   = \gamma s\,\bigl(1 - s^2 \sigma^2\bigr)\,\frac{\partial L}{\partial \gamma}
///   = \gamma s\,\frac{\epsilon}{\sigma^2 + \epsilon}\,\frac{\partial L}{\partial \gamma}
/// ```
#[test]
fn normalised_gradient_sums() {
    let channel = Channel::new(929);
    let (x, epsilon) = (&channel.x, channel.epsilon);
    let (s, x_hat, variance) = (scale(x, epsilon), normalised(x, epsilon), x.var(0.0));
    let (d_x, d_gamma, _) = channel.library();
    assert_close(d_x.sum(), 0.0, 1e-14);
    let sum: f64 = (0..6).map(|i| x_hat[i] * d_x[i]).sum();
    assert_close(sum, channel.gamma * s * (1.0 - s * s * variance) * d_gamma, 1e-13);
    let share = epsilon / (variance + epsilon);
    assert_close(sum, channel.gamma * s * share * d_gamma, 1e-13);
    assert!(sum.abs() > 1e-3, "{sum}");
}

/// The variance of a batch is too small in the mean, because its own mean lies in the middle of
/// it: by the factor (N − 1) / N.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}\,(x_i - \mu)^2
///   &= \Bigl(1 - \frac1N\Bigr)^{2} \operatorname{Var}(x)
///   + (N - 1)\,\frac{1}{N^2} \operatorname{Var}(x)
///   = \frac{N - 1}{N} \operatorname{Var}(x) \\
/// \mathbb{E}\left[\frac{N}{N - 1}\,\sigma^2\right] &= \operatorname{Var}(x)
/// \end{aligned}
/// ```
#[test]
fn normalised_unbiased_variance() {
    let values = array![-1.0, 0.5, 3.0];
    let variance = values.var(0.0);
    for n in [2_u32, 3, 5] {
        // All batches of n draws.
        let batches = (0..3_usize.pow(n)).map(|number| {
            Array1::from_shape_fn(n as usize, |i| values[number / 3_usize.pow(i as u32) % 3])
        });
        let (mut square, mut found) = (0.0, 0.0);
        let count = f64::from(3_u32.pow(n));
        let mut layer = batch_norm(1, 1e-5).momentum(1.0).unwrap();
        for x in batches {
            square += (x[0] - mean(&x)).powi(2) / count;
            // What the library would take note of.
            let x = x.insert_axis(Axis(1));
            let params = array![1.0, 0.0];
            let (y, kept) = forward(&layer, TRAINING, &params, &x, 1);
            let pass = Pass { params: params.view(), x: x.view(), y: y.view(), kept: kept.view() };
            let mut measured = Array1::zeros(Layer::<f64>::statistics(&layer));
            layer.measure_into(&pass, 1.0, &mut measured);
            layer.absorb(&measured);
            found += layer.running_variance()[0] / count;
        }
        let n = f64::from(n);
        let sum = (1.0 - 1.0 / n).powi(2) * variance + (n - 1.0) / (n * n) * variance;
        assert_close(square, sum, 1e-12);
        assert_close(square, (n - 1.0) / n * variance, 1e-12);
        assert_close(found, variance, 1e-12);
    }
}

/// A running average R of what was measured, M, is a sum with geometric weights.
///
/// ```math
/// \begin{aligned}
/// R_{t+1} &= (1 - \alpha)\,R_t + \alpha\,M_t \\
/// R_t &= (1 - \alpha)^t\,R_0 + \alpha \sum_{k=0}^{t-1} (1 - \alpha)^{t-1-k}\,M_k, \qquad
///   \alpha \sum_{k=0}^{t-1} (1 - \alpha)^{t-1-k} = 1 - (1 - \alpha)^t
/// \end{aligned}
/// ```
#[test]
fn normalised_running_average() {
    let alpha = 0.3;
    let mut layer = batch_norm(2, 1e-5).momentum(alpha).unwrap();
    let batches = normal((8, 2, 5), 1.0, &mut rng(930));
    let params = array![1.0, 1.0, 0.0, 0.0];
    let mut found = vec![];
    for (t, x) in batches.outer_iter().enumerate() {
        let running = layer.running_mean().clone();
        let x = x.t().as_standard_layout().into_owned();
        let (y, kept) = forward(&layer, TRAINING, &params, &x, 2);
        let pass = Pass { params: params.view(), x: x.view(), y: y.view(), kept: kept.view() };
        let mut measured = Array1::zeros(Layer::<f64>::statistics(&layer));
        layer.measure_into(&pass, 1.0, &mut measured);
        layer.absorb(&measured);
        found.push((x.mean_axis(Axis(0)).unwrap(), x.var_axis(Axis(0), 1.0)));
        let step = (1.0 - alpha) * &running + alpha * &found[t].0;
        assert_all_close(layer.running_mean(), &step, 1e-13);
        let rest = (1.0 - alpha).powi(t as i32 + 1);
        let weight = |k: usize| alpha * (1.0 - alpha).powi((t - k) as i32);
        for j in 0..2 {
            let means: f64 = (0..=t).map(|k| weight(k) * found[k].0[j]).sum();
            let variances: f64 = (0..=t).map(|k| weight(k) * found[k].1[j]).sum();
            assert_close(layer.running_mean()[j], rest * 0.0 + means, 1e-13);
            assert_close(layer.running_variance()[j], rest * 1.0 + variances, 1e-13);
        }
        assert_close((0..=t).map(weight).sum(), 1.0 - rest, 1e-13);
    }
}

/// In prediction the layer is an affine one, and the dense layer before it can take it in.
///
/// ```math
/// \begin{aligned}
/// s_j &= \frac{1}{\sqrt{\sigma_j^2 + \epsilon}} \text{ with the running } \sigma_j^2: \\
/// \gamma_j s_j \Bigl(\sum_k x_k W_{kj} + b_j - \mu_j\Bigr) + \beta_j
///   &= \sum_k x_k\,\bigl(W_{kj}\,\gamma_j s_j\bigr)
///   + \bigl(\gamma_j s_j\,(b_j - \mu_j) + \beta_j\bigr)
/// \end{aligned}
/// ```
#[test]
fn normalised_folded() {
    let (mut network, x, y) = normalising(0.01, 931);
    let theta = network.params().clone();
    // Two steps that only measure.
    for _ in 0..2 {
        let mut all = Array1::zeros(network.gradient_len());
        let mut trace = network.trace(9);
        network.gradient_into(&x, &y, Share::whole(9), &mut trace, &mut all);
        network.step(&all);
        network.set_params(&theta).unwrap();
    }
    let state = network.layers()[1].state();
    let (mu, variance) = (&state.vectors["running_mean"], &state.vectors["running_variance"]);
    let s = variance.mapv(|variance| 1.0 / (variance + 0.01).sqrt());
    let (gamma, beta) = (theta.slice(s![16..20]), theta.slice(s![20..24]));
    let mut folded = Vec::new();
    folded.extend((0..12).map(|i| theta[i] * gamma[i % 4] * s[i % 4]));
    folded.extend((0..4).map(|j| gamma[j] * s[j] * (theta[12 + j] - mu[j]) + beta[j]));
    folded.extend(theta.iter().skip(24));
    let layers = layers![dense(4), Activate(Tanh), dense(2), Output(Softmax)];
    let mut plain =
        Sequential::new(Shape::Vector(3), layers, CategoricalCrossEntropy, descent(), 1).unwrap();
    plain.set_params(&Array1::from(folded)).unwrap();
    let (one, other) = (network.predict(&x).unwrap(), plain.predict(&x).unwrap());
    assert_all_close(&one, &other, 1e-13);
}

/// The class with the largest probability is the best answer there is. With two classes it is the
/// one above one half.
///
/// ```math
/// \begin{aligned}
/// P(\text{the answer } j \text{ is right}) &= \hat{y}_j \le \max_k \hat{y}_k \\
/// m = 2: \qquad \hat{y}_1 > \hat{y}_2 &\iff \hat{y}_1 > \tfrac12
/// \end{aligned}
/// ```
#[test]
fn decision_by_largest() {
    let mut rng = rng(932);
    // Outputs that are the probabilities: softmax of their logarithms.
    for m in [2, 3, 6] {
        let p = distributions(50, m, &mut rng);
        let layers = layers![Output(Softmax), dense(m), Output(Softmax)];
        let mut network =
            Sequential::new(Shape::Vector(m), layers, CategoricalCrossEntropy, descent(), 1)
                .unwrap();
        let mut params = Array1::zeros(network.params().len());
        (0..m).for_each(|j| params[j * m + j] = 5.0);
        network.set_params(&params).unwrap();
        let labels = network.predict_labels(&p.mapv(f64::ln)).unwrap();
        for (p, &label) in p.rows().into_iter().zip(&labels) {
            // How often each answer is right, over all classes with their probabilities.
            let right = |answer: usize| {
                (0..m).map(|class| p[class] * f64::from(class == answer)).sum::<f64>()
            };
            for j in 0..m {
                assert_close(right(j), p[j], 1e-15);
                assert!(right(j) <= right(label), "{p}: {label}");
            }
            if m == 2 {
                assert_eq!(p[0] > p[1], p[0] > 0.5);
                assert_eq!(label == 0, p[0] > 0.5);
            }
        }
    }
}

/// Asking which probabilities are above one half gives one class at most, and often none.
///
/// ```math
/// \begin{aligned}
/// \sum_{j=1}^{m} \hat{y}_j = 1 \quad&\Longrightarrow\quad
///   \text{at most one } \hat{y}_j > \tfrac12 \\
/// \hat{y} = (0.4,\ 0.35,\ 0.25): \qquad
///   &\bigl(\hat{y}_j > \tfrac12\bigr)_j = (0, 0, 0), \qquad
///   \operatorname*{arg\,max}_j \hat{y}_j = 1
/// \end{aligned}
/// ```
#[test]
fn decision_by_threshold() {
    let mut rng = rng(933);
    let above = |p: &Array1<f64>| p.mapv(|p| f64::from(p > 0.5));
    let mut none = 0;
    for m in [2, 3, 10] {
        for p in distributions(200, m, &mut rng).rows() {
            let count = above(&p.to_owned()).sum();
            assert!(count <= 1.0, "{p}");
            none += usize::from(count == 0.0);
        }
    }
    assert!(none > 300, "{none}");

    let p = array![0.4, 0.35, 0.25];
    assert_eq!(above(&p), array![0.0, 0.0, 0.0]);
    let layers = layers![dense(3), Output(Softmax)];
    let mut network =
        Sequential::new(Shape::Vector(1), layers, CategoricalCrossEntropy, descent(), 1).unwrap();
    let logits = p.mapv(f64::ln);
    network.set_params(&array![0.0, 0.0, 0.0, logits[0], logits[1], logits[2]]).unwrap();
    let x = array![[0.0]];
    assert_all_close(&network.predict(&x).unwrap().row(0), &p, 1e-15);
    // Classes are counted from 1 on paper, and from 0 in the code.
    assert_eq!(network.predict_labels(&x).unwrap(), [1 - 1]);
}

/// Accuracies v of K splits of the same samples, with variance V and correlation ρ between any
/// two: how far their mean scatters, and what their own scatter says about it.
///
/// ```math
/// \begin{aligned}
/// \operatorname{Var}(\bar{v}) &= \frac{1}{K^2} \bigl(K V + K (K - 1)\,\rho V\bigr)
///   = V \left(\rho + \frac{1 - \rho}{K}\right) \\
/// \mathbb{E}\left[\frac{1}{K - 1} \sum_{i=1}^{K} (v_i - \bar{v})^2\right]
///   &= V\,(1 - \rho)
/// \end{aligned}
/// ```
#[test]
fn splits_correlated_mean() {
    for k in [2, 4, 7] {
        for rho in [0.0, 0.3, 0.9] {
            // What all splits share, and what each has of its own: every combination of signs.
            let (variance, count) = (0.6_f64, k as f64);
            let (shared, own) = ((rho * variance).sqrt(), ((1.0 - rho) * variance).sqrt());
            let v = |signs: &Array1<f64>| {
                Array1::from_shape_fn(k, |i| 0.9 + shared * signs[k] + own * signs[i])
            };
            assert_close(over_signs(k + 1, |s| (v(s)[0] - 0.9).powi(2)), variance, 1e-12);
            let product = over_signs(k + 1, |s| (v(s)[0] - 0.9) * (v(s)[1] - 0.9));
            assert_close(product, rho * variance, 1e-12);

            let scatter = over_signs(k + 1, |s| (mean(&v(s)) - 0.9).powi(2));
            let sum = (count * variance + count * (count - 1.0) * rho * variance) / count.powi(2);
            assert_close(scatter, sum, 1e-12);
            assert_close(scatter, variance * (rho + (1.0 - rho) / count), 1e-12);
            let within = over_signs(k + 1, |s| v(s).var(1.0));
            assert_close(within, variance * (1.0 - rho), 1e-12);
        }
    }
}

/// The loss divided by n twice, the penalty once: the step of a cost in which the penalty counts n
/// times as much, and along each direction of a bowl the minimum to which it leads.
///
/// ```math
/// \begin{aligned}
/// \frac1n \frac{\partial L}{\partial \theta} + \frac{\lambda}{n}\,\theta
///   &= \frac1n \left(\frac{\partial L}{\partial \theta} + \lambda\,\theta\right) \\
/// \text{meant:} \quad u_i^\top \theta &= \frac{h_i}{h_i + \lambda / n}\,u_i^\top \theta^*,
/// \qquad \text{found:} \quad
///   u_i^\top \theta = \frac{h_i}{h_i + \lambda}\,u_i^\top \theta^*
/// \end{aligned}
/// ```
#[test]
fn published_balance() {
    let (a, best) = (curvature(4, 934), normal(4, 1.0, &mut rng(935)));
    let ((h, u), n, lambda) = (eigen(&a), 8.0, 0.6);
    let of_l = |theta: &Array1<f64>| a.dot(&(theta - &best));
    let walk = |gradient: &dyn Fn(&Array1<f64>) -> Array1<f64>| {
        let mut theta = Array1::zeros(4);
        let mut optimizer = GradientDescent::new(0.4).unwrap();
        (0..20_000).for_each(|_| {
            let g = gradient(&theta);
            optimizer.step(&mut theta, &g);
        });
        theta
    };
    let published = |theta: &Array1<f64>| of_l(theta) / n + lambda / n * theta;
    let other = normal(4, 1.0, &mut rng(936));
    assert_all_close(&published(&other), &((of_l(&other) + lambda * &other) / n), 1e-14);
    let (found, meant) = (walk(&published), walk(&|theta| of_l(theta) + lambda / n * theta));
    for i in 0..4 {
        let along = |theta: &Array1<f64>| u.column(i).dot(theta);
        assert_close(along(&meant), h[i] / (h[i] + lambda / n) * along(&best), 1e-12);
        assert_close(along(&found), h[i] / (h[i] + lambda) * along(&best), 1e-12);
    }
}

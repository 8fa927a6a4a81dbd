//! The equations of chapter 1.

mod common;

use common::*;
use gradus::check::Check;
use gradus::{
    Activation, Elementwise, Float, Gelu, Identity, LeakyRelu, OutputActivation, Relu, Sigmoid,
    Softmax, Softplus, Tanh,
};
use ndarray::{Array1, Array2, ArrayRef1, array};

/// The softmax of one row, as its definition says.
fn softmax(z: &ArrayRef1<f64>) -> Array1<f64> {
    let e = z.mapv(f64::exp);
    &e / e.sum()
}

/// The derivatives ∂sᵢ/∂zₖ of the softmax of one row, by central differences.
fn softmax_differences(z: &Array1<f64>) -> Array2<f64> {
    let m = z.len();
    let mut differences = Array2::zeros((m, m));
    for i in 0..m {
        differences.row_mut(i).assign(&gradient(|z| softmax(z)[i], z));
    }
    differences
}

/// The two forms of the sigmoid: the second is the first, multiplied above and below by eᶻ.
///
/// ```math
/// \sigma(z) = \frac{1}{1 + e^{-z}} = \frac{e^{z}}{1 + e^{z}}
/// ```
#[test]
fn sigmoid_two_forms() {
    for &z in &uniform(200, -20.0, 20.0, &mut rng(101)) {
        let first = 1.0 / (1.0 + (-z).exp());
        let second = z.exp() / (1.0 + z.exp());
        // Ratios, so that the small values count as much as the large ones.
        assert_close(Sigmoid.value(z) / first, 1.0, 1e-14);
        assert_close(Sigmoid.value(z) / second, 1.0, 1e-14);
    }
}

/// Turning the sign of the input around exchanges the two outcomes.
///
/// ```math
/// \begin{aligned}
/// \sigma(-z) &= \frac{e^{-z}}{1 + e^{-z}} = \frac{(1 + e^{-z}) - 1}{1 + e^{-z}} \\
///   &= 1 - \sigma(z)
/// \end{aligned}
/// ```
#[test]
fn sigmoid_symmetry() {
    for &z in &uniform(200, -8.0, 8.0, &mut rng(102)) {
        let flipped = Sigmoid.value(-z);
        assert_close(flipped, (-z).exp() / (1.0 + (-z).exp()), 1e-14);
        assert_close(flipped, ((1.0 + (-z).exp()) - 1.0) / (1.0 + (-z).exp()), 1e-14);
        assert_close(flipped, 1.0 - 1.0 / (1.0 + (-z).exp()), 1e-14);
    }
}

/// The derivative of the sigmoid, by the chain rule, and in terms of its value.
///
/// ```math
/// \begin{aligned}
/// \sigma'(z) &= -\frac{1}{(1 + e^{-z})^2} \cdot \bigl(-e^{-z}\bigr) \\
///   &= \frac{1}{1 + e^{-z}} \cdot \frac{e^{-z}}{1 + e^{-z}} \\
///   &= \sigma(z)\,\sigma(-z) \\
///   &= \sigma(z)\,\bigl(1 - \sigma(z)\bigr)
/// \end{aligned}
/// ```
#[test]
fn sigmoid_derivative() {
    let sigma = |z: f64| 1.0 / (1.0 + (-z).exp());
    for &z in &uniform(200, -8.0, 8.0, &mut rng(103)) {
        let e = (-z).exp();
        let chain = -1.0 / (1.0 + e).powi(2) * -e;
        let product = 1.0 / (1.0 + e) * (e / (1.0 + e));
        // On the left what is measured, on the right what is printed.
        assert_close(slope(sigma, z), chain, 1e-9);
        assert_close(slope(sigma, z), product, 1e-9);
        assert_close(slope(sigma, z), sigma(z) * sigma(-z), 1e-9);
        assert_close(slope(sigma, z), sigma(z) * (1.0 - sigma(z)), 1e-9);
        // And the library.
        assert_close(Sigmoid.derivative(z), chain, 1e-14);
    }
}

/// The sigmoid is steepest at 0, where its value is one half: complete the square.
///
/// ```math
/// \sigma'(z) = \tfrac14 - \bigl(\sigma(z) - \tfrac12\bigr)^2 \le \tfrac14
/// ```
#[test]
fn sigmoid_is_steepest_at_a_half() {
    for &z in &uniform(200, -8.0, 8.0, &mut rng(136)) {
        let square = (1.0 / (1.0 + (-z).exp()) - 0.5).powi(2);
        assert_close(slope(|z| 1.0 / (1.0 + (-z).exp()), z), 0.25 - square, 1e-9);
        assert_close(Sigmoid.derivative(z), 0.25 - square, 1e-14);
        assert!(Sigmoid.derivative(z) < 0.25);
    }
    assert_eq!(Sigmoid.derivative(0.0), 0.25);
}

/// The derivative of the sigmoid is even, so that its exponential never has to exceed 1.
///
/// ```math
/// \begin{aligned}
/// \sigma'(-z) &= \sigma(-z)\,\sigma(z) = \sigma'(z) \\
///   &= \frac{e^{-|z|}}{\bigl(1 + e^{-|z|}\bigr)^2}
/// \end{aligned}
/// ```
#[test]
fn sigmoid_slope_is_even() {
    for &z in &uniform(200, -8.0, 8.0, &mut rng(104)) {
        let stable = (-z.abs()).exp() / (1.0 + (-z.abs()).exp()).powi(2);
        assert_close(slope(|z| 1.0 / (1.0 + (-z).exp()), z), stable, 1e-9);
        assert_close(slope(|z| 1.0 / (1.0 + (-z).exp()), -z), stable, 1e-9);
        assert_close(1.0 / (1.0 + z.exp()) * (1.0 / (1.0 + (-z).exp())), stable, 1e-14);
    }
    // Ratios, over all that an `f64` can tell from 0: no digit is lost.
    for &z in &uniform(200, -700.0, 700.0, &mut rng(105)) {
        let stable = (-z.abs()).exp() / (1.0 + (-z.abs()).exp()).powi(2);
        assert_close(Sigmoid.derivative(z) / stable, 1.0, 1e-14);
        assert_close(Sigmoid.derivative(-z) / stable, 1.0, 1e-14);
    }
}

/// The hyperbolic tangent is a sigmoid, stretched to reach from −1 to 1 and twice as steep.
///
/// ```math
/// \begin{aligned}
/// \tanh z &= \frac{e^{z} - e^{-z}}{e^{z} + e^{-z}} = \frac{1 - e^{-2z}}{1 + e^{-2z}} \\
///   &= \frac{2 - (1 + e^{-2z})}{1 + e^{-2z}} \\
///   &= 2\,\sigma(2z) - 1
/// \end{aligned}
/// ```
#[test]
fn tanh_from_sigmoid() {
    for &z in &uniform(200, -8.0, 8.0, &mut rng(106)) {
        let quotient = (z.exp() - (-z).exp()) / (z.exp() + (-z).exp());
        let e = (-2.0 * z).exp();
        let stretched = 2.0 / (1.0 + e) - 1.0;
        assert_close(Tanh.value(z), quotient, 1e-14);
        assert_close(Tanh.value(z), (1.0 - e) / (1.0 + e), 1e-14);
        assert_close(Tanh.value(z), (2.0 - (1.0 + e)) / (1.0 + e), 1e-14);
        assert_close(Tanh.value(z), stretched, 1e-14);
    }
}

/// The derivative of the hyperbolic tangent, by the quotient rule, and in terms of its value.
///
/// ```math
/// \begin{aligned}
/// \tanh' z &= \frac{(e^{z} + e^{-z})^2 - (e^{z} - e^{-z})^2}{(e^{z} + e^{-z})^2} \\
///   &= 1 - \tanh^2 z
/// \end{aligned}
/// ```
#[test]
fn tanh_derivative() {
    let tanh = |z: f64| (z.exp() - (-z).exp()) / (z.exp() + (-z).exp());
    for &z in &uniform(200, -8.0, 8.0, &mut rng(107)) {
        let right = 1.0 - tanh(z) * tanh(z);
        let (sum, difference) = (z.exp() + (-z).exp(), z.exp() - (-z).exp());
        assert_close((sum * sum - difference * difference) / (sum * sum), right, 1e-14);
        assert_close(slope(tanh, z), right, 1e-9);
        assert_close(Tanh.derivative(z), right, 1e-14);
    }
}

/// The same derivative through the sigmoid, which keeps its digits where tanh is close to ±1.
///
/// ```math
/// \tanh' z = 4\,\sigma'(2z) = \frac{4\,e^{-2|z|}}{\bigl(1 + e^{-2|z|}\bigr)^2}
/// ```
#[test]
fn tanh_slope_from_sigmoid() {
    for &z in &uniform(200, -4.0, 4.0, &mut rng(108)) {
        let sigma = |z: f64| 1.0 / (1.0 + (-z).exp());
        assert_close(Tanh.derivative(z), 4.0 * slope(sigma, 2.0 * z), 1e-9);
    }
    // Ratios, over all that an `f64` can tell from 0: no digit is lost.
    for &z in &uniform(200, -350.0, 350.0, &mut rng(109)) {
        let e = (-2.0 * z.abs()).exp();
        assert_close(Tanh.derivative(z) / (4.0 * e / (1.0 + e).powi(2)), 1.0, 1e-14);
    }
}

/// The identity leaves its input alone, and its derivative is 1.
///
/// ```math
/// f(z) = z, \qquad f'(z) = 1
/// ```
#[test]
fn identity_and_slope() {
    for &z in &normal(100, 3.0, &mut rng(110)) {
        assert_eq!(Identity.value(z), z);
        assert_eq!(Identity.derivative(z), 1.0);
        assert_close(slope(|z| Identity.value(z), z), 1.0, 1e-9);
    }
}

/// ReLU cuts off what is negative; its derivative is 1 on one side of the corner and 0 on the
/// other.
///
/// At the corner there is no derivative. We take 0.
///
/// ```math
/// \begin{aligned}
/// f(z) &= \max(0, z) \\
/// f'(z) &= \begin{cases} 1 & z > 0 \\ 0 & z \le 0 \end{cases}
/// \end{aligned}
/// ```
#[test]
fn relu_corner() {
    for &size in &uniform(100, 0.01, 10.0, &mut rng(111)) {
        for z in [size, -size] {
            let (value, derivative) = if z > 0.0 { (z, 1.0) } else { (0.0, 0.0) };
            assert_eq!(Relu.value(z), value);
            assert_eq!(Relu.derivative(z), derivative);
            assert_close(slope(|z| if z > 0.0 { z } else { 0.0 }, z), derivative, 1e-9);
        }
    }
    assert_eq!((Relu.value(0.0), Relu.derivative(0.0)), (0.0, 0.0));
}

/// Leaky ReLU lets a fraction α of a negative input through.
///
/// ```math
/// \begin{aligned}
/// f(z) &= \begin{cases} z & z > 0 \\ \alpha z & z \le 0 \end{cases} \\
/// f'(z) &= \begin{cases} 1 & z > 0 \\ \alpha & z \le 0 \end{cases}
/// \end{aligned}
/// ```
#[test]
fn leaky_relu_slopes() {
    let mut rng = rng(112);
    for &alpha in &uniform(10, 0.001, 0.9, &mut rng) {
        let leaky = LeakyRelu::new(alpha).unwrap();
        let cases = |z: f64| if z > 0.0 { (z, 1.0) } else { (alpha * z, alpha) };
        for &size in &uniform(20, 0.01, 10.0, &mut rng) {
            for z in [size, -size] {
                let (value, derivative) = cases(z);
                assert_close(leaky.value(z), value, 1e-15);
                assert_close(leaky.derivative(z), derivative, 1e-15);
                assert_close(slope(|z| cases(z).0, z), derivative, 1e-9);
            }
        }
        assert_eq!((leaky.value(0.0), leaky.derivative(0.0)), (0.0, alpha));
    }
    assert_eq!(LeakyRelu::default().derivative(-1.0), 0.01);
}

/// Softplus without overflow: what is large leaves the logarithm before it is computed.
///
/// ```math
/// \begin{aligned}
/// \ln\bigl(1 + e^{z}\bigr) &= \ln\bigl(e^{z}\,(e^{-z} + 1)\bigr) \\
///   &= z + \ln\bigl(1 + e^{-z}\bigr) \\
/// \operatorname{softplus}(z) &= \max(0, z) \\
///   &\quad + \ln\bigl(1 + e^{-|z|}\bigr)
/// \end{aligned}
/// ```
#[test]
fn softplus_without_overflow() {
    for &z in &uniform(200, -30.0, 30.0, &mut rng(113)) {
        let naive = (1.0 + z.exp()).ln();
        assert_close(Softplus.value(z), naive, 1e-14);
        assert_close((z.exp() * ((-z).exp() + 1.0)).ln(), naive, 1e-14);
        assert_close(z + (1.0 + (-z).exp()).ln(), naive, 1e-14);
        assert_close(z.max(0.0) + (1.0 + (-z.abs()).exp()).ln(), naive, 1e-14);
    }
    // Far from 0, one of the two terms is all there is.
    for &z in &uniform(50, 40.0, 700.0, &mut rng(114)) {
        assert_close(Softplus.value(z), z, 1e-15);
        assert_close(Softplus.value(-z) / (-z).exp(), 1.0, 1e-14);
    }
}

/// Softplus is a logarithm, and its derivative is the sigmoid.
///
/// ```math
/// \begin{aligned}
/// \operatorname{softplus}(z) &= \ln\bigl(1 + e^{z}\bigr) \\
/// \operatorname{softplus}'(z) &= \frac{e^{z}}{1 + e^{z}} = \sigma(z)
/// \end{aligned}
/// ```
#[test]
fn softplus_derivative() {
    for &z in &uniform(200, -8.0, 8.0, &mut rng(115)) {
        let right = z.exp() / (1.0 + z.exp());
        assert_close(Softplus.value(z), (1.0 + z.exp()).ln(), 1e-14);
        assert_close(slope(|z| (1.0 + z.exp()).ln(), z), right, 1e-9);
        assert_close(Softplus.derivative(z), right, 1e-14);
        assert_close(Softplus.derivative(z), 1.0 / (1.0 + (-z).exp()), 1e-14);
    }
}

/// Softplus of z and of −z differ by z, as max(0, z) and max(0, −z) do.
///
/// ```math
/// \begin{aligned}
/// &\operatorname{softplus}(z) - \operatorname{softplus}(-z) \\
///   &\quad = \ln\frac{1 + e^{z}}{1 + e^{-z}} = \ln\frac{e^{z}\,(e^{-z} + 1)}{1 + e^{-z}} \\
///   &\quad = z
/// \end{aligned}
/// ```
#[test]
fn softplus_difference() {
    for &z in &uniform(200, -30.0, 30.0, &mut rng(116)) {
        assert_close(Softplus.value(z) - Softplus.value(-z), z, 1e-14);
        assert_close(((1.0 + z.exp()) / (1.0 + (-z).exp())).ln(), z, 1e-14);
        assert_close((z.exp() * ((-z).exp() + 1.0) / (1.0 + (-z).exp())).ln(), z, 1e-14);
    }
}

/// φ(t), the density of the standard normal distribution.
fn normal_density(t: f64) -> f64 {
    (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Φ(z) as the area under the density, by Simpson's rule from −12, below which there is less
/// than 1e-32 of it.
fn normal_area(z: f64) -> f64 {
    let steps = 2000;
    let h = (z + 12.0) / steps as f64;
    let mut sum = normal_density(-12.0) + normal_density(z);
    for i in 1..steps {
        let weight = if i % 2 == 1 { 4.0 } else { 2.0 };
        sum += weight * normal_density(-12.0 + h * i as f64);
    }
    sum * h / 3.0
}

/// GELU multiplies its input by the probability that a normal variable lies below it.
///
/// ```math
/// \begin{aligned}
/// \operatorname{gelu}(z) &= z\,\Phi(z) \\
/// \Phi(z) &= \int_{-\infty}^{z} \varphi(t)\,\mathrm{d}t \\
/// \varphi(t) &= \frac{e^{-t^2/2}}{\sqrt{2\pi}}
/// \end{aligned}
/// ```
#[test]
fn gelu_value() {
    for &z in &uniform(100, -6.0, 6.0, &mut rng(117)) {
        // Simpson's rule errs by h⁴/180 · φ‴(z), less than 1e-10.
        assert_close(Gelu.value(z), z * normal_area(z), 1e-9);
    }
}

/// The derivative of GELU, by the product rule: the derivative of Φ is φ.
///
/// ```math
/// \operatorname{gelu}'(z) = \Phi(z) + z\,\varphi(z)
/// ```
#[test]
fn gelu_derivative() {
    for &z in &uniform(100, -6.0, 6.0, &mut rng(118)) {
        let right = normal_area(z) + z * normal_density(z);
        assert_close(slope(|z| z * normal_area(z), z), right, 1e-9);
        assert_close(Gelu.derivative(z), right, 1e-9);
    }
}

/// GELU is steepest where its second derivative vanishes: at √2, and at −√2 downwards.
///
/// ```math
/// \begin{aligned}
/// \varphi'(z) &= -z\,\varphi(z) \\
/// \operatorname{gelu}''(z) &= \varphi(z) + \varphi(z) + z\,\varphi'(z) \\
///   &= (2 - z^2)\,\varphi(z)
/// \end{aligned}
/// ```
#[test]
fn gelu_is_steepest_at_root_two() {
    for &z in &uniform(100, -6.0, 6.0, &mut rng(137)) {
        let density = normal_density(z);
        assert_close(slope(normal_density, z), -z * density, 1e-9);
        let right = (2.0 - z * z) * density;
        assert_close(density + density + z * slope(normal_density, z), right, 1e-9);
        assert_close(slope(|z| normal_area(z) + z * normal_density(z), z), right, 1e-9);
        assert_close(slope(|z| Gelu.derivative(z), z), right, 1e-9);
        let root = 2.0_f64.sqrt();
        assert!(Gelu.derivative(z) < Gelu.derivative(root) + 1e-14, "{z}");
        assert!(Gelu.derivative(z) > Gelu.derivative(-root) - 1e-14, "{z}");
    }
}

/// ∫ₓ^∞ e^(−u²) du by Simpson's rule, up to x + 20 or 12, beyond which there is nothing left.
fn gauss_tail(x: f64) -> f64 {
    let (end, steps) = ((x + 20.0).min(12.0), 4000);
    let h = (end - x) / steps as f64;
    let weight = |i: usize| if i % 2 == 1 { 4.0 } else { 2.0 };
    let inner: f64 = (1..steps).map(|i| weight(i) * (-(x + h * i as f64).powi(2)).exp()).sum();
    ((-x * x).exp() + inner + (-end * end).exp()) * h / 3.0
}

/// The area under the normal density, from the function that mathematical libraries have:
/// substitute t = −√2 u.
///
/// ```math
/// \begin{aligned}
/// \Phi(z) &= \int_{-\infty}^{z} \frac{e^{-t^2/2}}{\sqrt{2\pi}}\,\mathrm{d}t \\
///   &= \frac{1}{\sqrt{\pi}} \int_{-z/\sqrt2}^{\infty} e^{-u^2}\,\mathrm{d}u \\
///   &= \tfrac12\,\operatorname{erfc}\Bigl(-\frac{z}{\sqrt2}\Bigr)
/// \end{aligned}
/// ```
#[test]
fn gelu_area_from_erfc() {
    for &z in &uniform(100, -6.0, 6.0, &mut rng(138)) {
        let substituted = gauss_tail(-z / 2.0_f64.sqrt()) / std::f64::consts::PI.sqrt();
        assert_close(normal_area(z), substituted, 1e-9);
        assert_close(substituted, 0.5 * libm::erfc(-z / 2.0_f64.sqrt()), 1e-9);
        assert_close(Gelu.value(z), z * substituted, 1e-9);
    }
}

/// The Jacobian of an elementwise function is diagonal, and the chain rule multiplies entry by
/// entry.
///
/// ```math
/// \begin{gathered}
/// \frac{\partial f(z_j)}{\partial z_k} =
///   \begin{cases} f'(z_j) & j = k \\ 0 & j \ne k \end{cases} \\
/// \underset{(1, m)}{\mathstrut d}\;
///   \underset{(m, m)}{\mathstrut \operatorname{diag}\bigl(f'(z)\bigr)}
///   = \underset{(1, m)}{\mathstrut d} \odot \underset{(1, m)}{\mathstrut f'(z)}
/// \end{gathered}
/// ```
#[test]
fn elementwise_jacobian_is_diagonal() {
    let mut rng = rng(119);
    let (n, m) = (3, 4);
    let (z, d) = (normal((n, m), 1.5, &mut rng), normal((n, m), 1.0, &mut rng));
    let mut d_z = Array2::from_elem((n, m), f64::NAN);
    let activation = Elementwise(Tanh);
    let jacobian = activation.jacobian(&z);
    activation.backward_into(&z, &activation.apply(&z), &d, &mut d_z);
    assert_eq!(jacobian.dim(), (n, m, m));
    for i in 0..n {
        let product = d.row(i).dot(&jacobian.index_axis(ndarray::Axis(0), i));
        for k in 0..m {
            let derivative = slope(f64::tanh, z[[i, k]]);
            assert_close(product[k], d[[i, k]] * derivative, 1e-9);
            assert_close(d_z[[i, k]], d[[i, k]] * derivative, 1e-9);
            for j in 0..m {
                let right = if j == k { derivative } else { 0.0 };
                assert_close(jacobian[[i, j, k]], right, 1e-9);
            }
        }
    }
}

/// Softmax: exponentials, each divided by the sum of all in its row.
///
/// ```math
/// s_i = \frac{e^{z_i}}{\sum_{j=1}^{m} e^{z_j}}
/// ```
#[test]
fn softmax_definition() {
    let z = normal((5, 4), 2.0, &mut rng(120));
    let s = Softmax.apply(&z);
    for (i, row) in z.rows().into_iter().enumerate() {
        let mut sum = 0.0;
        for z in row {
            sum += z.exp();
        }
        for (j, z) in row.iter().enumerate() {
            assert_close(s[[i, j]] / (z.exp() / sum), 1.0, 1e-14);
        }
    }
}

/// What comes out of softmax is a probability for each class.
///
/// ```math
/// \begin{gathered}
/// 0 < s_i < 1 \\
/// \sum_{i=1}^{m} s_i = \frac{\sum_i e^{z_i}}{\sum_j e^{z_j}} = 1
/// \end{gathered}
/// ```
#[test]
fn softmax_sums_to_one() {
    let z = normal((20, 7), 3.0, &mut rng(121));
    for (z, s) in z.rows().into_iter().zip(Softmax.apply(&z).rows()) {
        assert!(s.iter().all(|&s| 0.0 < s && s < 1.0), "{s}");
        assert_close(s.sum(), 1.0, 1e-14);
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        assert_close(z.iter().map(|z| z.exp() / sum).sum(), 1.0, 1e-14);
    }
}

/// Softmax does not change when one number is taken away from all its inputs.
///
/// ```math
/// \frac{e^{z_i - c}}{\sum_j e^{z_j - c}}
///   = \frac{e^{-c}\,e^{z_i}}{e^{-c}\,\sum_j e^{z_j}}
///   = \frac{e^{z_i}}{\sum_j e^{z_j}}
/// ```
#[test]
fn softmax_shift() {
    let mut rng = rng(122);
    let z = normal((20, 4), 2.0, &mut rng);
    for (z, &c) in z.rows().into_iter().zip(&uniform(20, -500.0, 500.0, &mut rng)) {
        let shifted = z.mapv(|z| z - c);
        let (e, factor) = (z.mapv(f64::exp), (-c).exp());
        let with_factor = factor * &e / (factor * e.sum());
        let right = softmax(&z);
        // Subtracting c rounds z by up to 500 · 1.1e-16 = 5.6e-14, and s follows.
        assert_all_close(&softmax(&shifted), &right, 5e-13);
        assert_all_close(&with_factor, &right, 1e-14);
        let row = shifted.insert_axis(ndarray::Axis(0));
        assert_all_close(&Softmax.apply(&row).row(0), &right.view(), 5e-13);
    }
}

/// With the largest input taken away, nothing overflows and the sum cannot vanish.
///
/// ```math
/// \begin{gathered}
/// c = \max_k z_k \\
/// 1 \;\le\; \sum_{j=1}^{m} e^{z_j - c} = \frac{1}{\max_i s_i} \;\le\; m
/// \end{gathered}
/// ```
#[test]
fn softmax_largest_exponent_is_zero() {
    let m = 6;
    // Rows of very different sizes: of each row its own maximum must be taken away.
    let mut z = normal((30, m), 1.0, &mut rng(123));
    for (i, mut row) in z.rows_mut().into_iter().enumerate() {
        row *= 1.35_f64.powi(i as i32);
        row += (i as f64 - 15.0) * 200.0;
    }
    for (z, s) in z.rows().into_iter().zip(Softmax.apply(&z).rows()) {
        let c = z.fold(f64::NEG_INFINITY, |c, &z| c.max(z));
        let sum: f64 = z.iter().map(|z| (z - c).exp()).sum();
        let largest = s.fold(f64::NEG_INFINITY, |c, &s| c.max(s));
        assert!((1.0..=m as f64).contains(&sum), "{sum}");
        assert!(s.iter().all(|s| s.is_finite()), "{s}");
        assert_close(largest, 1.0 / sum, 1e-14);
    }
}

/// A probability with respect to its own input, by the quotient rule.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial s_i}{\partial z_i}
///   &= \frac{e^{z_i}\,\sum_j e^{z_j} - e^{z_i}\,e^{z_i}}{\bigl(\sum_j e^{z_j}\bigr)^2} \\
///   &= \frac{e^{z_i}}{\sum_j e^{z_j}} \cdot \frac{\sum_j e^{z_j} - e^{z_i}}{\sum_j e^{z_j}} \\
///   &= s_i\,(1 - s_i)
/// \end{aligned}
/// ```
#[test]
fn softmax_quotient_own_input() {
    let z = normal((6, 5), 1.5, &mut rng(124));
    let jacobian = Softmax.jacobian(&z);
    for (n, z) in z.rows().into_iter().enumerate() {
        let (s, differences) = (softmax(&z), softmax_differences(&z.to_owned()));
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        for i in 0..5 {
            let e = z[i].exp();
            let quotient = (e * sum - e * e) / (sum * sum);
            assert_close(differences[[i, i]], quotient, 1e-9);
            assert_close(quotient, e / sum * ((sum - e) / sum), 1e-14);
            assert_close(quotient, s[i] * (1.0 - s[i]), 1e-14);
            assert_close(jacobian[[n, i, i]], quotient, 1e-14);
        }
    }
}

/// A probability with respect to another input: the numerator does not depend on it.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial s_i}{\partial z_k}
///   &= \frac{0 - e^{z_i}\,e^{z_k}}{\bigl(\sum_j e^{z_j}\bigr)^2} \\
///   &= -s_i\,s_k \qquad (i \ne k)
/// \end{aligned}
/// ```
#[test]
fn softmax_quotient_other_input() {
    let z = normal((6, 5), 1.5, &mut rng(125));
    let jacobian = Softmax.jacobian(&z);
    for (n, z) in z.rows().into_iter().enumerate() {
        let (s, differences) = (softmax(&z), softmax_differences(&z.to_owned()));
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        for i in 0..5 {
            for k in (0..5).filter(|&k| k != i) {
                let quotient = (0.0 - z[i].exp() * z[k].exp()) / (sum * sum);
                assert_close(differences[[i, k]], quotient, 1e-9);
                assert_close(quotient, -s[i] * s[k], 1e-14);
                assert_close(jacobian[[n, i, k]], quotient, 1e-14);
            }
        }
    }
}

/// Both cases in one line, with a δ that is 1 where its indices agree and 0 elsewhere.
///
/// ```math
/// \begin{gathered}
/// \frac{\partial s_i}{\partial z_k} = s_i\,(\delta_{ik} - s_k) \\
/// \delta_{ik} = \begin{cases} 1 & i = k \\ 0 & i \ne k \end{cases}
/// \end{gathered}
/// ```
#[test]
fn softmax_entry_with_kronecker_delta() {
    let z = normal((6, 5), 1.5, &mut rng(139));
    let jacobian = Softmax.jacobian(&z);
    for (n, z) in z.rows().into_iter().enumerate() {
        let (s, differences) = (softmax(&z), softmax_differences(&z.to_owned()));
        for i in 0..5 {
            for k in 0..5 {
                let delta = if i == k { 1.0 } else { 0.0 };
                let right = s[i] * (delta - s[k]);
                assert_close(differences[[i, k]], right, 1e-9);
                assert_close(jacobian[[n, i, k]], right, 1e-14);
            }
        }
    }
}

/// The same through the logarithm of softmax, which is a difference where softmax is a quotient.
///
/// ```math
/// \begin{aligned}
/// \frac{1}{s_i}\,\frac{\partial s_i}{\partial z_k} &= \frac{\partial \ln s_i}{\partial z_k} \\
///   &= \frac{\partial}{\partial z_k} \Bigl(z_i - \ln \sum_j e^{z_j}\Bigr) \\
///   &= \delta_{ik} - \frac{e^{z_k}}{\sum_j e^{z_j}} \\
///   &= \delta_{ik} - s_k
/// \end{aligned}
/// ```
#[test]
fn softmax_through_its_logarithm() {
    let z = normal((6, 5), 1.5, &mut rng(140));
    let jacobian = Softmax.jacobian(&z);
    for (n, z) in z.rows().into_iter().enumerate() {
        let (z, s) = (z.to_owned(), softmax(&z));
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        for i in 0..5 {
            let logarithm = gradient(|z| softmax(z)[i].ln(), &z);
            let difference = gradient(|z| z[i] - z.mapv(f64::exp).sum().ln(), &z);
            for k in 0..5 {
                let delta = if i == k { 1.0 } else { 0.0 };
                assert_close(logarithm[k], jacobian[[n, i, k]] / s[i], 1e-9);
                assert_close(logarithm[k], difference[k], 1e-9);
                assert_close(logarithm[k], delta - z[k].exp() / sum, 1e-9);
                assert_close(logarithm[k], delta - s[k], 1e-9);
            }
        }
    }
}

/// Both cases in one matrix: the Jacobian of softmax, for each sample.
///
/// ```math
/// \underset{(m, m)}{\mathstrut J} = \underset{(m, m)}{\mathstrut \operatorname{diag}(s)}
///   - \underset{(m, 1)}{\mathstrut s}\;\underset{(1, m)}{\mathstrut s^\top}
/// ```
#[test]
fn softmax_jacobian() {
    let (n, m) = (4, 3);
    let z = normal((n, m), 1.5, &mut rng(126));
    let stack = Softmax.jacobian(&z);
    assert_eq!(stack.dim(), (n, m, m));
    for (z, jacobian) in z.rows().into_iter().zip(stack.outer_iter()) {
        let column = softmax(&z).into_shape_with_order((m, 1)).unwrap();
        let right = Array2::from_diag(&softmax(&z)) - column.dot(&column.t());
        assert_all_close(&softmax_differences(&z.to_owned()), &right, 1e-9);
        assert_all_close(&jacobian, &right.view(), 1e-14);
    }
}

/// Each row and each column of the Jacobian sums to zero: adding one number to all inputs
/// changes nothing, and the outputs keep their sum.
///
/// ```math
/// \begin{aligned}
/// \sum_{k=1}^{m} J_{ik} &= s_i - s_i \sum_{k=1}^{m} s_k = 0 \\
/// \sum_{i=1}^{m} J_{ik} &= s_k - s_k \sum_{i=1}^{m} s_i = 0
/// \end{aligned}
/// ```
#[test]
fn softmax_row_and_column_sums() {
    let (n, m) = (4, 5);
    let z = normal((n, m), 1.5, &mut rng(127));
    let stack = Softmax.jacobian(&z);
    for (z, jacobian) in z.rows().into_iter().zip(stack.outer_iter()) {
        let (s, differences) = (softmax(&z), softmax_differences(&z.to_owned()));
        for i in 0..m {
            assert_close(jacobian.row(i).sum(), 0.0, 1e-14);
            assert_close(jacobian.column(i).sum(), 0.0, 1e-14);
            assert_close(differences.row(i).sum(), s[i] - s[i] * s.sum(), 1e-9);
            assert_close(differences.column(i).sum(), s[i] - s[i] * s.sum(), 1e-9);
            // The sums vanish although their terms do not.
            assert!(jacobian[[i, i]] > 1e-4, "{}", jacobian[[i, i]]);
        }
    }
}

/// A row vector times the Jacobian of softmax, without the Jacobian.
///
/// ```math
/// \begin{aligned}
/// \sum_{i=1}^{m} d_i\,J_{ik} &= \sum_{i=1}^{m} d_i\,s_i\,(\delta_{ik} - s_k) \\
///   &= s_k \Bigl(d_k - \sum_{i=1}^{m} d_i\,s_i\Bigr) \\
/// \underset{(1, m)}{\mathstrut d}\;\underset{(m, m)}{\mathstrut J}
///   &= \underset{(1, m)}{\mathstrut s^\top} \odot
///     \bigl(\underset{(1, m)}{\mathstrut d} - \underset{(1, 1)}{\mathstrut d\,s}\bigr)
/// \end{aligned}
/// ```
#[test]
fn softmax_vector_product() {
    let mut rng = rng(128);
    let (n, m) = (4, 3);
    let (z, d) = (normal((n, m), 1.5, &mut rng), normal((n, m), 1.0, &mut rng));
    let mut d_z = Array2::from_elem((n, m), f64::NAN);
    Softmax.backward_into(&z, &Softmax.apply(&z), &d, &mut d_z);
    for n in 0..n {
        let row = z.row(n).to_owned();
        let (s, differences) = (softmax(&row), softmax_differences(&row));
        for k in 0..m {
            let (mut product, mut terms, mut mean) = (0.0, 0.0, 0.0);
            for i in 0..m {
                let delta = if i == k { 1.0 } else { 0.0 };
                product += d[[n, i]] * differences[[i, k]];
                terms += d[[n, i]] * s[i] * (delta - s[k]);
                mean += d[[n, i]] * s[i];
            }
            assert_close(terms, s[k] * (d[[n, k]] - mean), 1e-14);
            let right = s[k] * (d[[n, k]] - mean);
            assert_close(product, right, 1e-9);
            assert_close(d_z[[n, k]], right, 1e-14);
        }
    }
}

/// Softmax of two classes is a sigmoid of the difference of its inputs.
///
/// ```math
/// \begin{aligned}
/// \frac{e^{z_1}}{e^{z_1} + e^{z_2}} &= \frac{1}{1 + e^{-(z_1 - z_2)}} \\
///   &= \sigma(z_1 - z_2)
/// \end{aligned}
/// ```
#[test]
fn softmax_of_two_classes() {
    let z = normal((100, 2), 3.0, &mut rng(129));
    for (z, s) in z.rows().into_iter().zip(Softmax.apply(&z).rows()) {
        let right = 1.0 / (1.0 + (-(z[0] - z[1])).exp());
        assert_close(s[0], right, 1e-14);
        assert_close(s[1], 1.0 - right, 1e-14);
        assert_close(Sigmoid.value(z[0] - z[1]), z[0].exp() / (z[0].exp() + z[1].exp()), 1e-14);
    }
}

/// A positive float is a whole number of equal steps above a power of 2, and the next one is one
/// step away.
///
/// ```math
/// \begin{gathered}
/// x = \Bigl(1 + \frac{r}{2^{52}}\Bigr)\,2^{q} \\
/// r = 0, 1, \dots, 2^{52} - 1 \\
/// x^{+} - x = 2^{-52} \cdot 2^{q}
/// \end{gathered}
/// ```
#[test]
fn float_spacing() {
    let mut rng = rng(141);
    let (fractions, exponents) =
        (uniform(500, 0.0, 1.0, &mut rng), uniform(500, -900.0, 900.0, &mut rng));
    for (fraction, exponent) in fractions.iter().zip(&exponents) {
        let r = (fraction * 2.0_f64.powi(52)).floor();
        let power = 2.0_f64.powi(exponent.round() as i32);
        let x = (1.0 + r / 2.0_f64.powi(52)) * power;
        // No digit was lost on the way: r is there again.
        assert_eq!((x / power - 1.0) * 2.0_f64.powi(52), r);
        // The bits of a positive float, read as a whole number, count the floats below it.
        let next = f64::from_bits(x.to_bits() + 1);
        assert_eq!(next - x, 2.0_f64.powi(-52) * power);
    }
}

/// Machine epsilon is the gap behind 1; the smallest positive number is the gap behind 0.
///
/// ```math
/// \begin{aligned}
/// \varepsilon = {} &\min\{x \in \mathbb{F} : x > 1\} - 1 \\
///   &\quad = 2^{-52} \approx 2.2 \cdot 10^{-16} \\
/// &\min\{x \in \mathbb{F} : x > 0\} \\
///   &\quad = 2^{-1074} \approx 4.9 \cdot 10^{-324}
/// \end{aligned}
/// ```
#[test]
fn float_gaps_at_one_and_zero() {
    // The bits of a positive float, read as a whole number, count the floats below it.
    let next = |x: f64| f64::from_bits(x.to_bits() + 1);
    assert_eq!(next(1.0) - 1.0, 2.0_f64.powi(-52));
    assert_eq!(f64::EPSILON, 2.0_f64.powi(-52));
    // `powi` would go through 2¹⁰⁷⁴: we halve instead.
    let smallest = (0..1074).fold(1.0_f64, |x, _| x / 2.0);
    assert_eq!(next(0.0), smallest);
    assert!(smallest > 0.0 && smallest / 2.0 == 0.0);
    assert!((2.2e-16 / f64::EPSILON - 1.0).abs() < 0.05);
    // So few digits are left here that 4.9e-324 is this very number.
    assert_eq!(smallest, 4.9e-324);
}

/// A number becomes the nearest float: the relative error is at most half an epsilon.
///
/// ```math
/// \begin{gathered}
/// 2^{q} \le |x| < 2^{q+1}: \\
/// \bigl|\operatorname{fl}(x) - x\bigr| \le \tfrac12\,\varepsilon\,2^{q}
///   \le \tfrac12\,\varepsilon\,|x|
/// \end{gathered}
/// ```
#[test]
fn float_rounding() {
    // In `f32`, where `f64` can see the error. Its epsilon is 2⁻²³.
    let mut rng = rng(130);
    let exponents = uniform(20_000, -60.0, 60.0, &mut rng);
    let signs = normal(20_000, 1.0, &mut rng).mapv(f64::signum);
    let bound = 0.5 * 2.0_f64.powi(-23);
    let numbers = &exponents.mapv(f64::exp2) * &signs;
    for &x in &numbers {
        let power = x.abs().log2().floor().exp2();
        assert!((f32::cast(x).as_f64() - x).abs() <= bound * power, "{x:e}");
    }
    let worst = numbers
        .iter()
        .map(|&x| (f32::cast(x).as_f64() - x).abs() / x.abs())
        .inspect(|&error| assert!(error <= bound, "{error:e}"))
        .fold(0.0, f64::max);
    // The bound is reached, nearly: a smaller one would be wrong.
    assert!(worst > 0.99 * bound, "{worst:e}");
}

/// Where an exponential leaves what an `f64` can hold, above and below.
///
/// ```math
/// \begin{gathered}
/// e^{z} \ge 2^{1024} \iff z \ge 1024 \ln 2 \\
/// 1024 \ln 2 \approx 709.8 \\
/// e^{z} \le 2^{-1075} \iff z \le -1075 \ln 2 \\
/// -1075 \ln 2 \approx -745.1
/// \end{gathered}
/// ```
#[test]
fn exponential_range() {
    let (above, below) = (1024.0 * 2.0_f64.ln(), -1075.0 * 2.0_f64.ln());
    // A billionth aside, so that it does not matter how the exponential itself is rounded.
    assert!((above - 1e-9).exp().is_finite() && (above + 1e-9).exp().is_infinite());
    assert!((below + 1e-9).exp() > 0.0 && (below - 1e-9).exp() == 0.0);
    assert!((above - 709.8).abs() < 0.05 && (below + 745.1).abs() < 0.05);
}

/// A small difference from 1 has the error of the number near 1, and little to compare it with.
///
/// ```math
/// \begin{aligned}
/// &\frac{\bigl|\bigl(1 - \operatorname{fl}(\sigma(z))\bigr) - \bigl(1 - \sigma(z)\bigr)\bigr|}
///   {1 - \sigma(z)} \\
/// &\qquad \le \tfrac12\,\varepsilon\,\frac{\sigma(z)}{1 - \sigma(z)}
///   = \tfrac12\,\varepsilon\,e^{z}
/// \end{aligned}
/// ```
#[test]
fn one_minus_sigmoid_cancels() {
    // In `f32`, where `f64` can see the error. Its epsilon is 2⁻²³.
    let epsilon = 2.0_f64.powi(-23);
    let mut worst: f64 = 0.0;
    for &z in &uniform(2000, -3.0, 12.0, &mut rng(142)) {
        let (sigma, rest) = (1.0 / (1.0 + (-z).exp()), 1.0 / (1.0 + z.exp()));
        let rounded = f32::cast(sigma).as_f64();
        let error = ((1.0 - rounded) - rest).abs() / rest;
        assert_close(sigma / rest / z.exp(), 1.0, 1e-10);
        assert!(error <= 0.5 * epsilon * z.exp() * 1.000_001, "{z}: {error:e}");
        worst = worst.max(error / (0.5 * epsilon * z.exp()));
    }
    assert!(worst > 0.9, "the bound is never nearly reached: {worst}");
}

/// From where on 1 + e⁻ᶻ is 1, so that a sigmoid is 1 and its slope s (1 − s) is 0.
///
/// ```math
/// \begin{gathered}
/// \begin{aligned}
/// \operatorname{fl}\bigl(1 + e^{-z}\bigr) = 1 &\iff e^{-z} \le \tfrac12\,\varepsilon \\
///   &\iff z \ge \ln\frac{2}{\varepsilon}
/// \end{aligned} \\
/// \ln\frac{2}{\varepsilon} = 53 \ln 2 \approx 36.7
/// \end{gathered}
/// ```
#[test]
fn sigmoid_rounds_to_one() {
    let border = (2.0 / f64::EPSILON).ln();
    assert_close(border, 53.0 * 2.0_f64.ln(), 1e-15);
    assert!((border - 36.7).abs() < 0.05);
    for &aside in &uniform(100, 1e-9, 1.0, &mut rng(143)) {
        let naive = |z: f64| 1.0 / (1.0 + (-z).exp());
        assert_eq!(1.0 + (-(border + aside)).exp(), 1.0);
        assert!(1.0 + (-(border - aside)).exp() > 1.0);
        assert_eq!(naive(border + aside) * (1.0 - naive(border + aside)), 0.0);
        assert!(naive(border - aside) * (1.0 - naive(border - aside)) > 0.0);
    }
}

/// A function with derivatives of all orders that differ: f, f′, f″ and f‴ of e²ˣ sin x.
fn wave(x: f64) -> [f64; 4] {
    let (e, s, c) = ((2.0 * x).exp(), x.sin(), x.cos());
    [e * s, e * (2.0 * s + c), e * (3.0 * s + 4.0 * c), e * (2.0 * s + 11.0 * c)]
}

/// Taylor's formula, a step to the right and a step to the left.
///
/// ```math
/// \begin{aligned}
/// f(x \pm h) &= f(x) \pm h\,f'(x) \\
///   &\quad + \frac{h^2}{2}\,f''(x) \pm \frac{h^3}{6}\,f'''(x) \\
///   &\quad + O(h^4)
/// \end{aligned}
/// ```
#[test]
fn taylor_to_both_sides() {
    for &x in &uniform(50, -1.0, 1.0, &mut rng(144)) {
        let [f, first, second, third] = wave(x);
        for sign in [1.0, -1.0] {
            let remainder = |h: f64| {
                let right = f + sign * h * first + h * h / 2.0 * second;
                wave(x + sign * h)[0] - (right + sign * h.powi(3) / 6.0 * third)
            };
            // The fourth derivative of e²ˣ sin x is below 60 here: h⁴/24 of it is what remains.
            for h in [1e-1, 1e-2] {
                assert!(remainder(h).abs() < 2.5 * h.powi(4), "x = {x}, h = {h}");
            }
        }
    }
}

/// The error of a forward difference falls as h.
///
/// ```math
/// \begin{aligned}
/// &\frac{f(x + h) - f(x)}{h} \\
/// &\quad = f'(x) + \frac{h}{2}\,f''(x) + O(h^2)
/// \end{aligned}
/// ```
#[test]
fn forward_difference_error() {
    for &x in &uniform(50, -1.0, 1.0, &mut rng(131)) {
        let [f, first, second, _] = wave(x);
        let remainder = |h: f64| (wave(x + h)[0] - f) / h - (first + h / 2.0 * second);
        // What remains is of order h²: a tenth of the step leaves a hundredth.
        let (large, small) = (remainder(1e-3), remainder(1e-4));
        assert!(large.abs() < 5e-5, "{large:e}");
        assert!((small / large - 0.01).abs() < 0.002, "{small:e} of {large:e}");
    }
}

/// The error of a central difference falls as h²: the term with f″ cancels.
///
/// ```math
/// \begin{aligned}
/// &\frac{f(x + h) - f(x - h)}{2h} \\
/// &\quad = f'(x) + \frac{h^2}{6}\,f'''(x) + O(h^4)
/// \end{aligned}
/// ```
#[test]
fn central_difference_error() {
    // The library's differences, with a step that it multiplies by |x| where that is above 1.
    let measured = |x: f64, step: f64| {
        let check = Check { step, ..Check::default() };
        check.gradient(|x| wave(x[0])[0], &array![x], &array![0.0]).unwrap().measured
    };
    for &x in &uniform(50, -1.5, 1.5, &mut rng(132)) {
        let [_, first, _, third] = wave(x);
        for step in [1e-2, 1e-3] {
            let h = step * x.abs().max(1.0);
            let right = first + h * h / 6.0 * third;
            // The fifth derivative is below 1200 here: h⁴/120 of it is what remains.
            let tolerance = h.powi(4) * 10.0 + 1e-11;
            assert!((measured(x, step) - right).abs() <= tolerance, "x = {x}, h = {h}");
            let quotient = (wave(x + h)[0] - wave(x - h)[0]) / (2.0 * h);
            assert_close(quotient, right, tolerance);
        }
    }
}

/// What rounding two values does to their difference quotient.
///
/// ```math
/// \begin{aligned}
/// &\frac{\bigl|\bigl(\operatorname{fl}(f_2) - \operatorname{fl}(f_1)\bigr)
///   - (f_2 - f_1)\bigr|}{h} \\
/// &\qquad \le \frac{\tfrac12\,\varepsilon\,|f_2| + \tfrac12\,\varepsilon\,|f_1|}{h}
///   \approx \frac{\varepsilon\,|f|}{h}
/// \end{aligned}
/// ```
#[test]
fn difference_of_rounded_values() {
    // In `f32`, where `f64` can see the error. Its epsilon is 2⁻²³.
    let (epsilon, mut worst) = (2.0_f64.powi(-23), 0.0_f64);
    for &x in &uniform(2000, 0.2, 1.5, &mut rng(145)) {
        for h in [1e-2, 1e-4, 1e-6] {
            let (f, g) = (wave(x)[0], wave(x + h)[0]);
            // The difference of two floats so close to each other is a float: nothing is rounded.
            let rounded = f64::from(f32::cast(g) - f32::cast(f));
            let error = (rounded - (g - f)).abs() / h;
            let bound = (0.5 * epsilon * g.abs() + 0.5 * epsilon * f.abs()) / h;
            assert!(error <= bound, "x = {x}, h = {h}: {error:e} above {bound:e}");
            assert_close(bound / (epsilon * f.abs() / h), 1.0, 5.0 * h);
            worst = worst.max(error / bound);
        }
    }
    assert!(worst > 0.8, "the bound is never nearly reached: {worst}");
}

/// The h > 0 at which `error` is smallest, to about 1e-6, by golden sections of ln h.
fn best_step(error: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (1e-14_f64.ln(), 1.0_f64.ln());
    while high - low > 1e-9 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if error(a.exp()) < error(b.exp()) { high = b } else { low = a }
    }
    ((low + high) / 2.0).exp()
}

/// The best step of a forward difference, where the error of the formula and the error of
/// rounding are equal.
///
/// ```math
/// \begin{aligned}
/// E(h) &= \frac{h}{2}\,|f''| + \frac{\varepsilon\,|f|}{h} \\
/// E'(h) &= \frac{|f''|}{2} - \frac{\varepsilon\,|f|}{h^2} = 0 \quad\text{at} \\
/// h &= \sqrt{\frac{2\,\varepsilon\,|f|}{|f''|}}, \quad\text{and there} \\
/// E(h) &= h\,|f''| = \sqrt{2\,\varepsilon\,|f|\,|f''|}
/// \end{aligned}
/// ```
#[test]
fn forward_difference_best_step() {
    let mut rng = rng(133);
    for sizes in uniform((20, 2), 0.1, 10.0, &mut rng).rows() {
        let (f, second) = (sizes[0], sizes[1]);
        let error = |h: f64| h / 2.0 * second + f64::EPSILON * f / h;
        let derivative = |h: f64| second / 2.0 - f64::EPSILON * f / (h * h);
        let h = (2.0 * f64::EPSILON * f / second).sqrt();
        assert_close(
            slope(|t| error(t * h) / error(h), 1.3),
            derivative(1.3 * h) * h / error(h),
            1e-9,
        );
        assert_close(derivative(h) / second, 0.0, 1e-14);
        assert_close(error(h) / (h * second), 1.0, 1e-14);
        // A minimum is flat: where E is least is seen to the square root of its own digits.
        assert_close(best_step(error) / h, 1.0, 1e-6);
        assert_close(
            error(best_step(error)) / (2.0 * f64::EPSILON * f * second).sqrt(),
            1.0,
            1e-12,
        );
    }
}

/// The best step of a central difference is larger, and its error smaller.
///
/// ```math
/// \begin{aligned}
/// E(h) &= \frac{h^2}{6}\,|f'''| + \frac{\varepsilon\,|f|}{2h} \\
/// E'(h) &= \frac{h}{3}\,|f'''| - \frac{\varepsilon\,|f|}{2h^2} = 0 \quad\text{at} \\
/// h &= \sqrt[3]{\frac{3\,\varepsilon\,|f|}{2\,|f'''|}}, \quad\text{and there} \\
/// E(h) &= \frac{h^2}{2}\,|f'''|
/// \end{aligned}
/// ```
#[test]
fn central_difference_best_step() {
    let mut rng = rng(134);
    for sizes in uniform((20, 2), 0.1, 10.0, &mut rng).rows() {
        let (f, third) = (sizes[0], sizes[1]);
        let error = |h: f64| h * h / 6.0 * third + f64::EPSILON * f / (2.0 * h);
        let derivative = |h: f64| h / 3.0 * third - f64::EPSILON * f / (2.0 * h * h);
        let h = (3.0 * f64::EPSILON * f / (2.0 * third)).cbrt();
        assert_close(
            slope(|t| error(t * h) / error(h), 1.3),
            derivative(1.3 * h) * h / error(h),
            1e-9,
        );
        assert_close(derivative(h) / (h * third), 0.0, 1e-14);
        assert_close(best_step(error) / h, 1.0, 1e-6);
        assert_close(error(best_step(error)) / (h * h / 2.0 * third), 1.0, 1e-12);
        // The library does not know f and f‴: it takes them to be about equally large.
        let known = Check::default().step * (1.5 * f / third).cbrt();
        assert_close(best_step(error) / known, 1.0, 1e-6);
    }
}

/// The second and the third derivative of the sigmoid, in terms of the first.
///
/// ```math
/// \begin{aligned}
/// \sigma'' &= \sigma' - 2\,\sigma\,\sigma' = \sigma'\,(1 - 2\,\sigma) \\
/// \sigma''' &= \sigma''\,(1 - 2\,\sigma) - 2\,\sigma'\,\sigma' \\
///   &= \sigma'\,\bigl((1 - 2\,\sigma)^2 - 2\,\sigma'\bigr) \\
///   &= \sigma'\,(1 - 6\,\sigma')
/// \end{aligned}
/// ```
#[test]
fn sigmoid_higher_derivatives() {
    for &z in &uniform(200, -8.0, 8.0, &mut rng(147)) {
        let sigma = |z: f64| 1.0 / (1.0 + (-z).exp());
        let slope_of_sigma = |z: f64| sigma(z) * (1.0 - sigma(z));
        let second = |z: f64| slope_of_sigma(z) * (1.0 - 2.0 * sigma(z));
        let (s, first) = (sigma(z), slope_of_sigma(z));
        assert_close(slope(|z| Sigmoid.derivative(z), z), first - 2.0 * s * first, 1e-9);
        assert_close(second(z), first - 2.0 * s * first, 1e-14);
        let third = second(z) * (1.0 - 2.0 * s) - 2.0 * first * first;
        assert_close(slope(second, z), third, 1e-9);
        assert_close(first * ((1.0 - 2.0 * s).powi(2) - 2.0 * first), third, 1e-14);
        assert_close(first * (1.0 - 6.0 * first), third, 1e-14);
    }
}

/// A derivative passes the check if it differs from the measured one by no more than a part of
/// the larger of the two, and a little.
///
/// ```math
/// \bigl|g_i - \hat g_i\bigr| \le \tau + \rho\,\max\bigl(|g_i|, |\hat g_i|\bigr)
/// ```
#[test]
fn gradient_check_criterion() {
    let mut rng = rng(135);
    // Generous tolerances, so that it matters whether the larger one is taken.
    let check = Check { relative: 0.5, absolute: 0.05, ..Check::default() };
    let mut passed = 0;
    for size in [0.03, 0.3, 3.0, 30.0] {
        for i in (0..3).cycle().take(150) {
            let slopes = normal(3, size, &mut rng);
            let mut derived = slopes.clone();
            derived[i] += normal(1, 0.05 + 0.7 * size, &mut rng)[0];
            let (g, measured) = (derived[i], slopes[i]);
            let fits = (g - measured).abs() <= 0.05 + 0.5 * g.abs().max(measured.abs());
            // A straight line: its central differences are its slopes.
            let line = |x: &ArrayRef1<f64>| x.dot(&slopes);
            let verdict = check.gradient(line, &array![0.1, -0.2, 0.3], &derived).unwrap();
            assert_eq!((verdict.passed, verdict.worst), (fits, i), "{verdict}");
            passed += usize::from(fits);
        }
    }
    assert!((200..400).contains(&passed), "{passed} of 600 passed: the points teach nothing");
}

/// Where the corner of ReLU lies within the step, one value comes from one branch and one from
/// the other.
///
/// ```math
/// \begin{gathered}
/// |z| < h: \\
/// \begin{aligned}
/// &\frac{\max(0, z + h) - \max(0, z - h)}{2h} \\
///   &\quad = \frac{(z + h) - 0}{2h} = \frac12 + \frac{z}{2h}
/// \end{aligned}
/// \end{gathered}
/// ```
#[test]
fn relu_difference_across_the_corner() {
    let check = Check { step: 0.25, ..Check::default() };
    for &z in &uniform(100, -0.24, 0.24, &mut rng(146)) {
        let measured = |z: f64| {
            let relu = |z: &ArrayRef1<f64>| Relu.value(z[0]);
            check.gradient(relu, &array![z], &array![0.0]).unwrap().measured
        };
        let (right, left) = ((z + 0.25).max(0.0), (z - 0.25).max(0.0));
        assert_close(measured(z), (right - left) / 0.5, 1e-14);
        assert_close(measured(z), ((z + 0.25) - 0.0) / 0.5, 1e-14);
        assert_close(measured(z), 0.5 + z / 0.5, 1e-14);
    }
}

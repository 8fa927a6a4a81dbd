//! The equations of chapter 8.
//!
//! Steps are counted from 1: gₜ is the gradient at θₜ₋₁, and step t leads from there to θₜ.
//! Squares, roots and quotients of vectors are taken entry by entry.

mod common;

use common::*;
use gradus::{
    AdaGrad, Adam, AdamW, Clipped, Decayed, GradientDescent, Momentum, Optimizer, Part, RmsProp,
    Schedule, Scheduled, State,
};
use ndarray::{Array1, Array2, array};
use ndarray_linalg::{Eigh, UPLO};
use std::f64::consts::{E, PI};

/// So small that it changes nothing beside gradients of about 1.
const TINY: f64 = 1e-12;

/// The points an optimizer visits, the start included.
fn visit(
    optimizer: &mut dyn Optimizer<f64>,
    gradient: impl Fn(usize, &Array1<f64>) -> Array1<f64>,
    start: &Array1<f64>,
    steps: usize,
) -> Vec<Array1<f64>> {
    let mut points = vec![start.clone()];
    for t in 0..steps {
        let mut theta = points[t].clone();
        optimizer.step(&mut theta, &gradient(t, &points[t]));
        points.push(theta);
    }
    points
}

/// How far one parameter goes in each step along given gradients, from 0; positive is downhill
/// where the gradient is positive.
fn lengths(optimizer: &mut dyn Optimizer<f64>, gradients: &[f64]) -> Vec<f64> {
    let gradient = |&g: &f64| {
        // From 0 each time: a step is then known to all its digits.
        let mut theta = array![0.0];
        optimizer.step(&mut theta, &array![g]);
        -theta[0]
    };
    gradients.iter().map(gradient).collect()
}

/// Gradients of both signs and of sizes from about 0.001 to 1000.
fn wild(count: usize, seed: u64) -> Vec<f64> {
    let mut rng = rng(seed);
    let (sign, size) = (normal(count, 1.0, &mut rng), uniform(count, -3.0, 3.0, &mut rng));
    (0..count).map(|i| sign[i] * 10f64.powf(size[i])).collect()
}

fn adagrad(eta: f64, epsilon: f64) -> AdaGrad<f64> {
    AdaGrad::new(eta).unwrap().with_epsilon(epsilon).unwrap()
}

fn rmsprop(eta: f64, beta: f64, epsilon: f64) -> RmsProp<f64> {
    RmsProp::new(eta, beta).unwrap().with_epsilon(epsilon).unwrap()
}

fn adam(eta: f64, beta1: f64, beta2: f64, epsilon: f64) -> Adam<f64> {
    Adam::new(eta).unwrap().with_betas(beta1, beta2).unwrap().with_epsilon(epsilon).unwrap()
}

/// One vector of what an optimizer remembers.
fn memory(optimizer: &dyn Optimizer<f64>, name: &str) -> Array1<f64> {
    optimizer.state().vectors[name].clone()
}

/// The largest eigenvalue of a symmetric matrix divided by the smallest.
fn condition(a: &Array2<f64>) -> f64 {
    let (values, _) = a.eigh(UPLO::Lower).unwrap();
    values[values.len() - 1] / values[0]
}

/// ½ θᵀAθ.
fn bowl(a: &Array2<f64>, theta: &Array1<f64>) -> f64 {
    a.indexed_iter().map(|((i, j), a)| theta[i] * a * theta[j]).sum::<f64>() / 2.0
}

// ---------------------------------------------------------------------------------------
// One rate for all, or a rate for each

/// In a bowl along the axes, the steepest axis limits the learning rate, and the rate limits
/// what a step can do along the flattest.
///
/// ```math
/// \begin{aligned}
/// \theta_{i,t} &= (1 - \eta\,a_i)\,\theta_{i,t-1}, \qquad
///   \kappa = \frac{a_{\max}}{a_{\min}} \\
/// 0 < \eta < \frac{2}{a_{\max}} &\;\Longrightarrow\;
///   0 < \eta\,a_{\min} < \frac{2}{\kappa}
/// \end{aligned}
/// ```
#[test]
fn one_rate_for_all_axes() {
    for (steep, flat) in [(100.0, 1.0), (25.0, 0.5), (3.0, 2.0)] {
        let a = array![steep, (steep + flat) / 2.0, flat];
        let kappa = steep / flat;
        for of_limit in [0.2, 0.999] {
            let eta = of_limit * 2.0 / steep;
            let mut descent = GradientDescent::new(eta).unwrap();
            let points = visit(&mut descent, |_, theta| &a * theta, &array![1.0, -2.0, 3.0], 20);
            for pair in points.windows(2) {
                let next = Array1::from_shape_fn(3, |i| (1.0 - eta * a[i]) * pair[0][i]);
                assert_all_close(&pair[1], &next, 1e-14);
                let removed = 1.0 - pair[1][2] / pair[0][2];
                assert!(0.0 < removed && removed < 2.0 / kappa);
                // The bound is reached at the limit, and no smaller one would do.
                assert_close(removed, of_limit * 2.0 / kappa, 1e-12);
            }
        }
        let mut descent = GradientDescent::new(2.001 / steep).unwrap();
        let points = visit(&mut descent, |_, theta| &a * theta, &array![1.0, 1.0, 1.0], 20);
        assert!(points[20][0].abs() > 1.0);
    }
}

/// A rate for each parameter is one rate for all of them, in other units.
///
/// ```math
/// \begin{aligned}
/// \underset{(p)}{\mathstrut \tilde\theta}
///   &= \underset{(p, p)}{\mathstrut D^{1/2}}\,\underset{(p)}{\mathstrut \theta}, \qquad
///   \tilde\theta_i = \sqrt{d_i}\;\theta_i \\
/// \tilde g_i = \frac{\partial f}{\partial \tilde\theta_i}
///   &= \frac{\partial f}{\partial \theta_i}\,
///     \frac{\partial \theta_i}{\partial \tilde\theta_i}
///   = \frac{g_i}{\sqrt{d_i}} \\
/// D^{-1/2} \bigl(\tilde\theta - \eta\,\tilde g\bigr)
///   &= \theta - \eta\,\underset{(p, p)}{\mathstrut D^{-1}}\,\underset{(p)}{\mathstrut g}
/// \end{aligned}
/// ```
#[test]
fn rates_are_units() {
    let mut rng = rng(801);
    let (p, eta) = (4, 0.03);
    let (d, theta) = (uniform(p, 0.2, 9.0, &mut rng), normal(p, 1.0, &mut rng));
    // Not a bowl: nothing here needs one.
    let f = |x: &Array1<f64>| (x[0] * x[1]).sin() + x[2].powi(4) + (x[3] - x[0]).exp();
    let g = gradient(f, &theta);
    let tilde = Array1::from_shape_fn(p, |i| d[i].sqrt() * theta[i]);
    let g_tilde = gradient(|x| f(&(x / &d.mapv(f64::sqrt))), &tilde);
    for i in 0..p {
        assert_close(g_tilde[i], g[i] / d[i].sqrt(), 1e-8);
    }
    let mut stepped = tilde.clone();
    GradientDescent::new(eta).unwrap().step(&mut stepped, &g_tilde);
    let back = Array1::from_shape_fn(p, |i| stepped[i] / d[i].sqrt());
    let own_rates = Array1::from_shape_fn(p, |i| theta[i] - eta / d[i] * g[i]);
    assert_all_close(&back, &own_rates, 1e-9);
}

/// What a bowl looks like in the other units. If D holds the curvatures along the axes, all of
/// them become 1.
///
/// ```math
/// \begin{aligned}
/// \tfrac12\,\theta^\top A\,\theta
///   &= \tfrac12\,\tilde\theta^\top \tilde A\,\tilde\theta, \qquad
/// \underset{(p, p)}{\mathstrut \tilde A}
///   = \underset{(p, p)}{\mathstrut D^{-1/2}}\,\underset{(p, p)}{\mathstrut A}\,
///     \underset{(p, p)}{\mathstrut D^{-1/2}} \\
/// \tilde A_{ij} &= \frac{A_{ij}}{\sqrt{d_i\,d_j}}, \qquad
///   d_i = A_{ii} \;\Longrightarrow\; \tilde A_{ii} = 1
/// \end{aligned}
/// ```
#[test]
fn bowl_in_other_units() {
    let mut rng = rng(802);
    let p = 3;
    let half = normal((p, p), 1.0, &mut rng);
    let a = half.dot(&half.t());
    let theta = normal(p, 1.0, &mut rng);
    for d in [uniform(p, 0.2, 9.0, &mut rng), a.diag().to_owned()] {
        let inverse_root = Array2::from_diag(&d.mapv(|d| 1.0 / d.sqrt()));
        let tilde_a = inverse_root.dot(&a).dot(&inverse_root);
        let tilde = Array1::from_shape_fn(p, |i| d[i].sqrt() * theta[i]);
        assert_close(bowl(&a, &theta), bowl(&tilde_a, &tilde), 1e-13);
        for ((i, j), &entry) in tilde_a.indexed_iter() {
            assert_close(entry, a[[i, j]] / (d[i] * d[j]).sqrt(), 1e-14);
        }
        if d == a.diag() {
            assert_all_close(&tilde_a.diag().to_owned(), &Array1::ones(p), 1e-14);
            // An axis-parallel bowl becomes round, whatever its condition number was.
            let parallel = Array2::from_diag(&d);
            let round = inverse_root.dot(&parallel).dot(&inverse_root);
            assert_close(condition(&round), 1.0, 1e-14);
        }
    }
}

/// The best that a rate for each parameter can do for a bowl of two. If both curvatures along
/// the axes are the same, it can do nothing.
///
/// ```math
/// \begin{aligned}
/// \min_D\,\kappa\bigl(D^{-1/2} A\,D^{-1/2}\bigr) &= \frac{1 + \rho}{1 - \rho}, \qquad
///   \rho = \frac{\lvert A_{12} \rvert}{\sqrt{A_{11}\,A_{22}}}, \qquad p = 2 \\
/// A_{11} = A_{22} &\;\Longrightarrow\; \kappa(A) = \frac{1 + \rho}{1 - \rho}
/// \end{aligned}
/// ```
#[test]
fn best_diagonal_of_two() {
    let mut rng = rng(803);
    for case in 0..8 {
        let half = normal((2, 2), 1.0, &mut rng);
        let mut a = half.dot(&half.t());
        if case % 2 == 0 {
            a[[1, 1]] = a[[0, 0]];
            a[[0, 1]] *= 0.9 * a[[0, 0]] / a[[0, 1]].abs().max(a[[0, 0]]);
            a[[1, 0]] = a[[0, 1]];
        }
        let r = a[[0, 1]].abs() / (a[[0, 0]] * a[[1, 1]]).sqrt();
        let best = (1.0 + r) / (1.0 - r);
        let of = |quotient: f64| {
            let d = array![1.0, quotient];
            condition(&Array2::from_shape_fn((2, 2), |(i, j)| a[[i, j]] / (d[i] * d[j]).sqrt()))
        };
        // A common factor of d changes nothing: one quotient is left to try.
        let tried = (-4000..=4000).map(|k| of(1.005f64.powi(k)));
        let found = tried.fold(f64::INFINITY, f64::min);
        assert!(found >= best * (1.0 - 1e-9), "{found} is below {best}");
        assert_close(of(a[[1, 1]] / a[[0, 0]]), best, 1e-9);
        assert_close(found, best, 1e-3 * best);
        if case % 2 == 0 {
            assert_close(condition(&a), best, 1e-9);
        }
    }
}

// ---------------------------------------------------------------------------------------
// AdaGrad

/// AdaGrad: the sum of all squares so far, and a step divided by its root.
///
/// ```math
/// \begin{aligned}
/// \underset{(p)}{\mathstrut s_t} &= s_{t-1} + g_t^2 = \sum_{k=1}^{t} g_k^2, \qquad s_0 = 0 \\
/// \underset{(p)}{\mathstrut \theta_t} &= \theta_{t-1} - \eta\,\frac{g_t}{\sqrt{s_t} + \varepsilon}
/// \end{aligned}
/// ```
#[test]
fn adagrad_update() {
    let mut rng = rng(804);
    let (p, eta, epsilon) = (3, 0.2, 0.05);
    let gradients = normal((12, p), 2.0, &mut rng);
    let mut optimizer = adagrad(eta, epsilon);
    let start = normal(p, 1.0, &mut rng);
    let points = visit(&mut optimizer, |t, _| gradients.row(t).to_owned(), &start, 12);
    for i in 0..p {
        let mut s = 0.0;
        for t in 1..=12 {
            let g = gradients[[t - 1, i]];
            s += g * g;
            let sum: f64 = (1..=t).map(|k| gradients[[k - 1, i]].powi(2)).sum();
            assert_close(s, sum, 1e-13);
            let next = points[t - 1][i] - eta * g / (sum.sqrt() + epsilon);
            assert_close(points[t][i], next, 1e-14);
        }
        assert_close(memory(&optimizer, "squares")[i], s, 1e-13);
    }
}

/// A square is never larger than a sum that contains it: no step of AdaGrad is longer than the
/// learning rate, and the first one, beside which ε is small, is that long.
///
/// ```math
/// \begin{aligned}
/// \lvert g_t \rvert \le \sqrt{s_t} &\;\Longrightarrow\;
///   \lvert \theta_t - \theta_{t-1} \rvert
///   = \eta\,\frac{\lvert g_t \rvert}{\sqrt{s_t} + \varepsilon} < \eta \\
/// \lvert \theta_1 - \theta_0 \rvert
///   &= \eta\,\frac{\lvert g_1 \rvert}{\lvert g_1 \rvert + \varepsilon}
/// \end{aligned}
/// ```
#[test]
fn adagrad_longest_step() {
    for seed in 0..20 {
        let (gradients, eta, epsilon) = (wild(50, seed), 0.3, 1e-4);
        let mut optimizer = adagrad(eta, epsilon);
        let steps = lengths(&mut optimizer, &gradients);
        let mut s = 0.0;
        for (step, g) in steps.iter().zip(&gradients) {
            s += g * g;
            assert!(g.abs() <= f64::sqrt(s) * (1.0 + 1e-15));
            assert_close(step.abs(), eta * g.abs() / (f64::sqrt(s) + epsilon), 1e-13);
            assert!(step.abs() < eta);
        }
        assert_close(
            steps[0].abs(),
            eta * gradients[0].abs() / (gradients[0].abs() + epsilon),
            1e-14,
        );
    }
}

/// On an even slope the steps of AdaGrad shrink like the root of their number, and the way
/// grows like that root (without ε).
///
/// ```math
/// \begin{aligned}
/// g_t = g &\;\Longrightarrow\; s_t = t\,g^2, \qquad
///   \lvert \theta_t - \theta_{t-1} \rvert = \frac{\eta}{\sqrt t} \\
/// 2\sqrt{t + 1} - 2 &< \sum_{k=1}^{t} \frac{1}{\sqrt k}
///   = \frac{\lvert \theta_t - \theta_0 \rvert}{\eta} \le 2\sqrt t - 1
/// \end{aligned}
/// ```
#[test]
fn adagrad_on_an_even_slope() {
    for g in [0.3, -40.0] {
        let (eta, count) = (0.7, 2000);
        let mut optimizer = adagrad(eta, TINY);
        let steps = lengths(&mut optimizer, &vec![g; count]);
        let (mut way, mut sum) = (0.0, 0.0);
        for (t, step) in (1..).zip(&steps) {
            let t = f64::from(t);
            assert_close(step.abs(), eta / t.sqrt(), 1e-10);
            way += step.abs();
            sum += 1.0 / t.sqrt();
            assert_close(way / eta, sum, 1e-9);
            assert!(2.0 * (t + 1.0).sqrt() - 2.0 < way / eta);
            assert!(way / eta <= 2.0 * t.sqrt() - 1.0 + 1e-9);
        }
        assert_close(memory(&optimizer, "squares")[0], count as f64 * g * g, 1e-10);
    }
}

/// A gradient that comes in every k-th step only, j times so far: in plain descent its
/// parameter goes k times less far than one that has the same gradient in every step, with
/// AdaGrad about the root of k times.
///
/// ```math
/// \begin{aligned}
/// \text{descent:} &\qquad \frac{\eta\,j\,\lvert g \rvert}{\eta\,jk\,\lvert g \rvert}
///   = \frac1k \\
/// \text{AdaGrad:} &\qquad
///   \frac{\eta \sum_{i=1}^{j} 1/\sqrt i}{\eta \sum_{i=1}^{jk} 1/\sqrt i}
///   \approx \frac{2\sqrt{j}}{2\sqrt{jk}} = \frac{1}{\sqrt k}
/// \end{aligned}
/// ```
#[test]
fn adagrad_rare_gradients() {
    let (j, g, eta) = (2000, -0.6, 0.01);
    for k in [2, 5, 16] {
        let gradients = |t: usize| array![g, if (t + 1).is_multiple_of(k) { g } else { 0.0 }];
        let zero = Array1::zeros(2);
        let mut descent = GradientDescent::new(eta).unwrap();
        let plain = visit(&mut descent, |t, _| gradients(t), &zero, j * k);
        assert_close(plain[j * k][1] / plain[j * k][0], 1.0 / k as f64, 1e-11);
        let points = visit(&mut adagrad(eta, TINY), |t, _| gradients(t), &zero, j * k);
        let sum = |count: usize| (1..=count).map(|i| 1.0 / (i as f64).sqrt()).sum::<f64>();
        let quotient = points[j * k][1] / points[j * k][0];
        assert_close(quotient, sum(j) / sum(j * k), 1e-10);
        // The sums differ from 2√j by less than 2, which is 2 % here.
        assert_close(quotient * (k as f64).sqrt(), 1.0, 0.03);
    }
}

/// The length of step t + k, if the first t gradients were u times as large as the k that
/// followed. AdaGrad remembers the steep slope for ever, RMSprop forgets it geometrically (both
/// without ε).
///
/// ```math
/// \begin{aligned}
/// \text{AdaGrad:} &\qquad \frac{\eta\,\lvert g \rvert}{\sqrt{t\,(ug)^2 + k\,g^2}}
///   = \frac{\eta}{\sqrt{u^2\,t + k}} \\
/// \text{RMSprop:} &\qquad
///   \frac{\eta\,\lvert g \rvert}{\sqrt{\beta^k (1 - \beta^t)\,(ug)^2 + (1 - \beta^k)\,g^2}}
///   = \frac{\eta}{\sqrt{1 + \beta^k \bigl(u^2 (1 - \beta^t) - 1\bigr)}}
/// \end{aligned}
/// ```
#[test]
fn forgetting_a_steep_slope() {
    let (eta, u, g, beta, t) = (0.5, 10.0, 0.8, 0.9, 30);
    let gradients: Vec<f64> = (0..130).map(|i| if i < t { u * g } else { g }).collect();
    let sums = lengths(&mut adagrad(eta, TINY), &gradients);
    let averages = lengths(&mut rmsprop(eta, beta, TINY), &gradients);
    for k in 1..=100 {
        let (count, old) = (k as f64, t as f64);
        let middle = eta * g / (old * (u * g).powi(2) + count * g * g).sqrt();
        assert_close(sums[t + k - 1], middle, 1e-10);
        assert_close(sums[t + k - 1], eta / (u * u * old + count).sqrt(), 1e-10);
        let (kept, start) = (beta.powi(k as i32), 1.0 - beta.powi(t as i32));
        let s = kept * start * (u * g).powi(2) + (1.0 - kept) * g * g;
        assert_close(averages[t + k - 1], eta * g / s.sqrt(), 1e-10);
        let right = eta / (1.0 + kept * (u * u * start - 1.0)).sqrt();
        assert_close(averages[t + k - 1], right, 1e-10);
    }
}

// ---------------------------------------------------------------------------------------
// RMSprop

/// RMSprop: an average of the squares, in which each fades with its age.
///
/// ```math
/// \begin{aligned}
/// \underset{(p)}{\mathstrut s_t} &= \beta\,s_{t-1} + (1 - \beta)\,g_t^2
///   = (1 - \beta) \sum_{k=0}^{t-1} \beta^k g_{t-k}^2, \qquad s_0 = 0 \\
/// \underset{(p)}{\mathstrut \theta_t} &= \theta_{t-1} - \eta\,\frac{g_t}{\sqrt{s_t} + \varepsilon}
/// \end{aligned}
/// ```
#[test]
fn rmsprop_update() {
    let mut rng = rng(805);
    let (p, eta, beta, epsilon) = (3, 0.2, 0.8, 0.05);
    let gradients = normal((12, p), 2.0, &mut rng);
    let mut optimizer = rmsprop(eta, beta, epsilon);
    let start = normal(p, 1.0, &mut rng);
    let points = visit(&mut optimizer, |t, _| gradients.row(t).to_owned(), &start, 12);
    for i in 0..p {
        let mut s = 0.0;
        for t in 1..=12 {
            let g = |t: usize| gradients[[t - 1, i]];
            s = beta * s + (1.0 - beta) * g(t).powi(2);
            let sum: f64 = (0..t).map(|k| beta.powi(k as i32) * g(t - k).powi(2)).sum();
            assert_close(s, (1.0 - beta) * sum, 1e-13);
            let next = points[t - 1][i] - eta * g(t) / (s.sqrt() + epsilon);
            assert_close(points[t][i], next, 1e-14);
        }
        assert_close(memory(&optimizer, "squares")[i], s, 1e-13);
    }
}

/// How long RMSprop remembers. The last k squares have all of the weight but the share β to the
/// power of k, and the time after which one e-th is left for what is older lies between two
/// simple bounds.
///
/// ```math
/// \begin{aligned}
/// (1 - \beta) \sum_{i=0}^{k-1} \beta^i &= 1 - \beta^k \\
/// \beta^k = \frac1e &\;\Longleftrightarrow\; k = \frac{1}{-\ln\beta} \\
/// \frac{\beta}{1 - \beta} &< \frac{1}{-\ln\beta} < \frac{1}{1 - \beta}
/// \end{aligned}
/// ```
#[test]
fn rmsprop_memory() {
    for beta in [0.1f64, 0.5, 0.9, 0.99, 0.999] {
        for k in [1, 2, 7, 40] {
            let sum: f64 = (0..k).map(|i| beta.powi(i)).sum();
            assert_close((1.0 - beta) * sum, 1.0 - beta.powi(k), 1e-12);
        }
        // As an optimizer sees it: k squares of 1 after a long time of zeros.
        let mut optimizer = rmsprop(0.1, beta, TINY);
        let gradients: Vec<f64> = (0..60).map(|t| f64::from(u8::from(t >= 50))).collect();
        lengths(&mut optimizer, &gradients);
        assert_close(memory(&optimizer, "squares")[0], 1.0 - beta.powi(10), 1e-13);

        let k = 1.0 / -beta.ln();
        assert_close(beta.powf(k), 1.0 / E, 1e-13);
        assert!(beta.powf(k - 0.01) > 1.0 / E && beta.powf(k + 0.01) < 1.0 / E);
        assert!(beta / (1.0 - beta) < k && k < 1.0 / (1.0 - beta));
    }
}

/// On an even slope the steps of RMSprop begin too long, and end at the learning rate (without
/// ε).
///
/// ```math
/// \begin{aligned}
/// g_t = g &\;\Longrightarrow\; s_t = (1 - \beta^t)\,g^2 \\
/// \lvert \theta_t - \theta_{t-1} \rvert &= \frac{\eta}{\sqrt{1 - \beta^t}}, \qquad
/// \lvert \theta_1 - \theta_0 \rvert = \frac{\eta}{\sqrt{1 - \beta}}, \qquad
/// \lim_{t \to \infty} \lvert \theta_t - \theta_{t-1} \rvert = \eta
/// \end{aligned}
/// ```
#[test]
fn rmsprop_on_an_even_slope() {
    for (g, beta) in [(0.3, 0.9), (-40.0, 0.99), (2.0, 0.0)] {
        let eta = 0.02;
        let mut optimizer = rmsprop(eta, beta, TINY);
        let steps = lengths(&mut optimizer, &vec![g; 3000]);
        for (t, step) in (1..).zip(&steps) {
            assert_close(step.abs() / eta, 1.0 / (1.0 - f64::powi(beta, t)).sqrt(), 1e-9);
        }
        assert_close(steps[0].abs() / eta, 1.0 / (1.0 - beta).sqrt(), 1e-9);
        assert_close(steps[2999].abs() / eta, 1.0, 1e-9);
        let s = memory(&optimizer, "squares")[0];
        assert_close(s, (1.0 - beta.powi(3000)) * g * g, 1e-9);
    }
}

/// RMSprop does not come to rest. In a parabola of any curvature it can hop to and fro over
/// the lowest point for ever, in steps as long as the learning rate (without ε).
///
/// ```math
/// \begin{aligned}
/// \theta_{t-1} = \tfrac12\eta, \quad s_{t-1} = \bigl(\tfrac12 a\,\eta\bigr)^2
///   &\;\Longrightarrow\; g_t = \tfrac12 a\,\eta, \quad s_t = \bigl(\tfrac12 a\,\eta\bigr)^2 \\
/// \theta_t &= \tfrac12\eta - \eta\,\frac{\tfrac12 a\,\eta}{\tfrac12 a\,\eta} = -\tfrac12\eta
/// \end{aligned}
/// ```
#[test]
fn rmsprop_never_rests() {
    for (a, eta, beta) in [(1.0, 0.1, 0.9), (400.0, 0.1, 0.5), (3.0, 0.7, 0.99)] {
        let mut optimizer = rmsprop(eta, beta, TINY);
        let s = (0.5 * a * eta).powi(2);
        let mut state: State<f64> = optimizer.state();
        state.vectors.insert("squares".to_owned(), array![s]);
        optimizer.restore(state).unwrap();
        let points = visit(&mut optimizer, |_, theta| a * theta, &array![0.5 * eta], 60);
        for (t, theta) in points.iter().enumerate() {
            let side = if t % 2 == 0 { 0.5 } else { -0.5 };
            assert_close(theta[0] / eta, side, 1e-7);
        }
        assert_close(memory(&optimizer, "squares")[0] / s, 1.0, 1e-7);
        // From elsewhere it ends in hops as well: never far below half a step from the bottom.
        let mut fresh = rmsprop(eta, beta, TINY);
        let points = visit(&mut fresh, |_, theta| a * theta, &array![3.3 * eta], 4000);
        let late = points[3900..].iter().map(|theta| theta[0].abs()).fold(0.0, f64::max);
        assert!(late > 0.2 * eta, "{late}");
    }
}

// ---------------------------------------------------------------------------------------
// Adam

/// Adam: an average of the gradients above, the root of an average of their squares below,
/// both corrected for having begun at zero.
///
/// ```math
/// \begin{aligned}
/// \underset{(p)}{\mathstrut v_t} &= \beta_1 v_{t-1} + (1 - \beta_1)\,g_t, &
/// \underset{(p)}{\mathstrut s_t} &= \beta_2\,s_{t-1} + (1 - \beta_2)\,g_t^2 \\
/// \hat v_t &= \frac{v_t}{1 - \beta_1^t}, &
/// \hat s_t &= \frac{s_t}{1 - \beta_2^t} \\
/// \theta_t &= \theta_{t-1} - \eta\,\frac{\hat v_t}{\sqrt{\hat s_t} + \varepsilon}, &
/// v_0 &= s_0 = 0
/// \end{aligned}
/// ```
#[test]
fn adam_update() {
    let mut rng = rng(806);
    let (p, eta, beta1, beta2, epsilon) = (3, 0.2, 0.7, 0.9, 0.05);
    let gradients = normal((12, p), 2.0, &mut rng);
    let mut optimizer = adam(eta, beta1, beta2, epsilon);
    let start = normal(p, 1.0, &mut rng);
    let points = visit(&mut optimizer, |t, _| gradients.row(t).to_owned(), &start, 12);
    for i in 0..p {
        let (mut v, mut s, mut power1, mut power2) = (0.0, 0.0, 1.0, 1.0);
        for t in 1..=12 {
            let g = gradients[[t - 1, i]];
            v = beta1 * v + (1.0 - beta1) * g;
            s = beta2 * s + (1.0 - beta2) * g * g;
            (power1, power2) = (power1 * beta1, power2 * beta2);
            let (v_hat, s_hat): (f64, f64) = (v / (1.0 - power1), s / (1.0 - power2));
            let next = points[t - 1][i] - eta * v_hat / (s_hat.sqrt() + epsilon);
            assert_close(points[t][i], next, 1e-13);
        }
        assert_close(memory(&optimizer, "velocity")[i], v, 1e-13);
        assert_close(memory(&optimizer, "squares")[i], s, 1e-13);
    }
}

/// The mean of a function over all sequences of t gradients, each of which is one of these values
/// with this probability, independently.
fn mean_over_sequences(values: &[(f64, f64)], t: usize, f: impl Fn(&[f64]) -> f64) -> f64 {
    let count = values.len().pow(t as u32);
    let sequences = (0..count).map(|mut code| {
        let mut probability = 1.0;
        let mut sequence = Vec::new();
        for _ in 0..t {
            let (value, p) = values[code % values.len()];
            (sequence, probability) = (
                {
                    sequence.push(value);
                    sequence
                },
                probability * p,
            );
            code /= values.len();
        }
        probability * f(&sequence)
    });
    sequences.sum()
}

/// A moving average that begins at zero is too small on average, by a factor that depends on
/// nothing but β and t, as long as all gradients have the same mean. The squares have it too.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}[v_t] &= (1 - \beta) \sum_{k=0}^{t-1} \beta^k\,\mathbb{E}[g_{t-k}] \\
///   &= (1 - \beta)\,\mathbb{E}[g] \sum_{k=0}^{t-1} \beta^k \\
///   &= (1 - \beta^t)\,\mathbb{E}[g] \\
/// \mathbb{E}[\hat v_t] &= \mathbb{E}\Bigl[\frac{v_t}{1 - \beta^t}\Bigr] = \mathbb{E}[g]
/// \end{aligned}
/// ```
#[test]
fn average_of_a_steady_sequence() {
    let values = [(2.0, 0.5), (-0.5, 0.3), (0.1, 0.2)];
    let mean = |power: i32| values.iter().map(|(g, p)| p * f64::powi(*g, power)).sum::<f64>();
    for t in [1, 2, 5, 8] {
        for (name, beta, power) in [("velocity", 0.7, 1), ("squares", 0.9, 2)] {
            let average = |sequence: &[f64]| {
                let mut optimizer = adam(0.1, 0.7, 0.9, TINY);
                lengths(&mut optimizer, sequence);
                memory(&optimizer, name)[0]
            };
            let found = mean_over_sequences(&values, t, average);
            let weights: f64 = (0..t).map(|k| f64::powi(beta, k as i32)).sum();
            assert_close(found, (1.0 - beta) * mean(power) * weights, 1e-12);
            let factor = 1.0 - beta.powi(t as i32);
            assert_close(found, factor * mean(power), 1e-12);
            let corrected = mean_over_sequences(&values, t, |g| average(g) / factor);
            assert_close(corrected, mean(power), 1e-12);
        }
    }
}

/// Adam's steps on an even slope all have the same length, from the first. The first has it on
/// any slope, since it knows no other gradient.
///
/// ```math
/// \begin{aligned}
/// g_t = g &\;\Longrightarrow\; \hat v_t = g, \quad \hat s_t = g^2, \quad
///   \theta_{t-1} - \theta_t = \eta\,\frac{g}{\lvert g \rvert + \varepsilon} \\
/// \theta_0 - \theta_1 &= \eta\,\frac{g_1}{\lvert g_1 \rvert + \varepsilon}
/// \end{aligned}
/// ```
#[test]
fn adam_on_an_even_slope() {
    for g in [1.0, -3e4, 2e-5, 1e-8] {
        let (eta, epsilon) = (0.01, 1e-8);
        let mut optimizer = adam(eta, 0.9, 0.999, epsilon);
        let steps = lengths(&mut optimizer, &[g; 400]);
        for step in &steps {
            assert_close(step / eta, g / (f64::abs(g) + epsilon), 1e-10);
        }
        let v_hat = memory(&optimizer, "velocity")[0] / (1.0 - 0.9f64.powi(400));
        let s_hat = memory(&optimizer, "squares")[0] / (1.0 - 0.999f64.powi(400));
        assert_close(v_hat / g, 1.0, 1e-12);
        assert_close(s_hat / (g * g), 1.0, 1e-11);
    }
    for g in wild(50, 807) {
        let step = lengths(&mut adam(0.01, 0.9, 0.999, 1e-3), &[g])[0];
        assert_close(step / 0.01, g / (g.abs() + 1e-3), 1e-11);
    }
}

/// What happens without the correction: every step is multiplied by a factor that depends on
/// nothing but its number (without ε).
///
/// ```math
/// \begin{aligned}
/// \eta\,\frac{v_t}{\sqrt{s_t}}
///   &= \eta\,\frac{(1 - \beta_1^t)\,\hat v_t}{\sqrt{(1 - \beta_2^t)\,\hat s_t}}
///   = \frac{1 - \beta_1^t}{\sqrt{1 - \beta_2^t}} \cdot \eta\,\frac{\hat v_t}{\sqrt{\hat s_t}} \\
/// t = 1: &\qquad \frac{1 - \beta_1}{\sqrt{1 - \beta_2}}, \qquad\qquad
/// t \to \infty: \quad 1
/// \end{aligned}
/// ```
#[test]
fn missing_bias_correction() {
    let (eta, beta1, beta2) = (0.01, 0.9, 0.999);
    let gradients = normal(15_000, 1.0, &mut rng(808)).to_vec();
    let mut optimizer = adam(eta, beta1, beta2, TINY);
    let corrected = lengths(&mut optimizer, &gradients);
    let (mut v, mut s) = (0.0, 0.0);
    let mut wrong = Vec::new();
    for g in &gradients {
        v = beta1 * v + (1.0 - beta1) * g;
        s = beta2 * s + (1.0 - beta2) * g * g;
        wrong.push(eta * v / f64::sqrt(s));
    }
    let factor = |t: usize| (1.0 - beta1.powi(t as i32)) / (1.0 - beta2.powi(t as i32)).sqrt();
    for t in 1..=gradients.len() {
        assert_close(wrong[t - 1], factor(t) * corrected[t - 1], 1e-9);
    }
    assert_close(wrong[0] / corrected[0], (1.0 - beta1) / (1.0 - beta2).sqrt(), 1e-9);
    // 3.16 at first; 0.999 to the power of 15,000 is 3e-7.
    assert_close(wrong[0] / corrected[0], 10f64.sqrt(), 1e-9);
    assert_close(wrong[14_999] / corrected[14_999], 1.0, 1e-6);
}

/// Gradients that are nothing but noise, with mean zero and independent: the average of t of
/// them, and how small it becomes in the long run.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}\bigl[\hat v_t^{\,2}\bigr]
///   &= \frac{(1 - \beta_1)^2}{(1 - \beta_1^t)^2} \sum_{k=0}^{t-1} \beta_1^{2k}\,\sigma^2 \\
///   &= \frac{1 - \beta_1}{1 + \beta_1} \cdot \frac{1 + \beta_1^t}{1 - \beta_1^t}\,\sigma^2 \\
/// t = 1: &\quad \sigma^2, \qquad\qquad
/// t \to \infty: \quad \frac{1 - \beta_1}{1 + \beta_1}\,\sigma^2
/// \end{aligned}
/// ```
#[test]
fn adam_averages_noise() {
    let (sigma, beta1) = (1.7f64, 0.8f64);
    // Mean zero, but not symmetric: 2/3 of the time −x, 1/3 of the time 2x.
    let x = sigma / 2f64.sqrt();
    let values = [(-x, 2.0 / 3.0), (2.0 * x, 1.0 / 3.0)];
    for t in [1, 2, 4, 9] {
        let square = |sequence: &[f64]| {
            let mut optimizer = adam(0.1, beta1, 0.9, TINY);
            lengths(&mut optimizer, sequence);
            (memory(&optimizer, "velocity")[0] / (1.0 - beta1.powi(t as i32))).powi(2)
        };
        let found = mean_over_sequences(&values, t, square);
        let power = beta1.powi(t as i32);
        let sum: f64 = (0..t).map(|k| beta1.powi(2 * k as i32) * sigma * sigma).sum();
        assert_close(found, ((1.0 - beta1) / (1.0 - power)).powi(2) * sum, 1e-12);
        let closed = (1.0 - beta1) / (1.0 + beta1) * (1.0 + power) / (1.0 - power);
        assert_close(found, closed * sigma * sigma, 1e-12);
        if t == 1 {
            assert_close(found, sigma * sigma, 1e-12);
        }
    }
    // In the long run, as a mean over one long sequence.
    let mut optimizer = adam(0.1, beta1, 0.9, TINY);
    let (mut sum, count) = (0.0, 200_000);
    for g in normal(count, sigma, &mut rng(809)) {
        lengths(&mut optimizer, &[g]);
        sum += memory(&optimizer, "velocity")[0].powi(2);
    }
    let expected = (1.0 - beta1) / (1.0 + beta1) * sigma * sigma;
    // Neighbours are alike: about 200,000 / 9 independent squares, each with the relative
    // standard deviation √2.
    assert_close(sum / count as f64 / expected, 1.0, 0.04);
}

/// How long a step of Adam can be, in the long run. The second line is the inequality of Cauchy
/// and Schwarz, with equality if the gradients have grown by the factor β₂/β₁ in every step.
///
/// ```math
/// \begin{aligned}
/// \lvert v_t \rvert
///   &\le (1 - \beta_1) \sum_{k=0}^{t-1}
///     \Bigl(\frac{\beta_1}{\sqrt{\beta_2}}\Bigr)^{\!k}
///     \cdot \sqrt{\beta_2}^{\,k}\,\lvert g_{t-k} \rvert \\
///   &\le (1 - \beta_1)\,
///     \sqrt{\sum_{k=0}^{t-1} \Bigl(\frac{\beta_1^2}{\beta_2}\Bigr)^{\!k}}\;
///     \sqrt{\sum_{k=0}^{t-1} \beta_2^k\,g_{t-k}^2} \\
///   &< (1 - \beta_1)\,\frac{1}{\sqrt{1 - \beta_1^2/\beta_2}}\,
///     \sqrt{\frac{s_t}{1 - \beta_2}}, \qquad \beta_1^2 < \beta_2
/// \end{aligned}
/// ```
#[test]
fn adam_longest_step() {
    for (beta1, beta2) in [(0.9f64, 0.999f64), (0.5, 0.9), (0.9, 0.85), (0.0, 0.99)] {
        let bound = (1.0 - beta1) / ((1.0 - beta2) * (1.0 - beta1 * beta1 / beta2)).sqrt();
        let growing = (0..40).map(|k| (beta2 / f64::max(beta1, 0.01)).powi(k)).collect();
        for gradients in [wild(40, 810), wild(40, 811), vec![1.0; 40], growing] {
            let (mut first, mut second) = (0.0, 0.0);
            let (mut v, mut s) = (0.0, 0.0);
            for t in 1..=gradients.len() {
                v = beta1 * v + (1.0 - beta1) * gradients[t - 1];
                s = beta2 * s + (1.0 - beta2) * gradients[t - 1].powi(2);
                let terms = (0..t).map(|k| {
                    let g = gradients[t - 1 - k].abs();
                    let share = (beta1 / f64::sqrt(beta2)).powi(k as i32);
                    (
                        share * beta2.sqrt().powi(k as i32) * g,
                        share * share,
                        beta2.powi(k as i32) * g * g,
                    )
                });
                let (sum, weights, squares) =
                    terms.fold((0.0, 0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
                first = (1.0 - beta1) * sum;
                second = (1.0 - beta1) * f64::sqrt(weights) * f64::sqrt(squares);
                assert!(v.abs() <= first * (1.0 + 1e-12));
                assert!(first <= second * (1.0 + 1e-12));
                assert!(second <= bound * s.sqrt() * (1.0 + 1e-12));
            }
            assert!(first > 0.0 && second > 0.0);
        }
    }
    // With the usual settings the bound is 7.27, and the library comes as near as one likes:
    // zeros for so long that the corrections are 1, then gradients that grow.
    let (beta1, beta2, eta) = (0.9, 0.999, 0.01);
    let bound = (1.0f64 - beta1) / f64::sqrt((1.0 - beta2) * (1.0 - beta1 * beta1 / beta2));
    assert_close(bound, 7.27, 1e-3);
    let growing = (0..200).map(|k| f64::powf(beta2 / beta1, f64::from(k) - 199.0));
    let gradients: Vec<f64> = std::iter::repeat_n(0.0, 20_000).chain(growing).collect();
    let steps = lengths(&mut adam(eta, beta1, beta2, TINY), &gradients);
    assert_close(steps.last().unwrap() / eta, bound, 1e-6);
    // A lone gradient after zeros: √10.
    let lone: Vec<f64> = std::iter::repeat_n(0.0, 20_000).chain([1.0]).collect();
    let steps = lengths(&mut adam(eta, beta1, beta2, TINY), &lone);
    assert_close(steps.last().unwrap() / eta, 10f64.sqrt(), 1e-6);
}

/// A factor on all gradients is a factor on ε, the other way around; the two averages pass it
/// on, and the quotient loses it.
///
/// ```math
/// g_t' = u\,g_t, \quad u > 0 \;\Longrightarrow\;
/// \eta\,\frac{\hat v_t'}{\sqrt{\hat s_t'} + \varepsilon}
///   = \eta\,\frac{u\,\hat v_t}{\sqrt{u^2\,\hat s_t} + \varepsilon}
///   = \eta\,\frac{\hat v_t}{\sqrt{\hat s_t} + \varepsilon/u}
/// ```
#[test]
fn scale_goes_into_epsilon() {
    let gradients = normal(40, 1.0, &mut rng(812)).to_vec();
    for u in [0.01, 1.0, 300.0] {
        let scaled: Vec<f64> = gradients.iter().map(|g| u * g).collect();
        let epsilon = 1e-3;
        let (mut one, mut other) =
            (adam(0.1, 0.8, 0.95, epsilon), adam(0.1, 0.8, 0.95, epsilon / u));
        let (left, right) = (lengths(&mut one, &scaled), lengths(&mut other, &gradients));
        assert_all_close(&Array1::from(left.clone()), &Array1::from(right), 1e-13);
        // The averages pass the factor on.
        assert_close(memory(&one, "velocity")[0], u * memory(&other, "velocity")[0], 1e-12);
        assert_close(memory(&one, "squares")[0], u * u * memory(&other, "squares")[0], 1e-12);
        let v_hat = memory(&other, "velocity")[0] / (1.0 - 0.8f64.powi(40));
        let s_hat = memory(&other, "squares")[0] / (1.0 - 0.95f64.powi(40));
        assert_close(left[39], 0.1 * u * v_hat / ((u * u * s_hat).sqrt() + epsilon), 1e-12);
        // The same for those that have one average only.
        let with_one = |epsilon: f64| -> [Box<dyn Optimizer<f64>>; 2] {
            [Box::new(adagrad(0.1, epsilon)), Box::new(rmsprop(0.1, 0.9, epsilon))]
        };
        for (mut one, mut other) in with_one(epsilon).into_iter().zip(with_one(epsilon / u)) {
            let (left, right) = (lengths(&mut one, &scaled), lengths(&mut other, &gradients));
            assert_all_close(&Array1::from(left), &Array1::from(right), 1e-13);
        }
    }
}

/// Where ε stands decides below which size gradients lose their full step: with ε outside the
/// root at ε itself, with ε inside it near its root.
///
/// ```math
/// \begin{aligned}
/// \text{outside:} &\quad \frac{\lvert g \rvert}{\sqrt{g^2} + \varepsilon} = \frac12
///   \;\Longleftrightarrow\; \lvert g \rvert = \varepsilon \\
/// \text{inside:} &\quad \frac{\lvert g \rvert}{\sqrt{g^2 + \varepsilon}} = \frac12
///   \;\Longleftrightarrow\; \lvert g \rvert = \sqrt{\varepsilon/3}
/// \end{aligned}
/// ```
#[test]
fn epsilon_inside_or_outside() {
    let eta = 0.01;
    for epsilon in [1e-8, 1e-4, 0.3] {
        let first = |g: f64| lengths(&mut adam(eta, 0.9, 0.999, epsilon), &[g])[0].abs() / eta;
        let outside = |g: f64| g.abs() / (g.powi(2).sqrt() + epsilon);
        let inside = |g: f64| g.abs() / (g * g + epsilon).sqrt();
        for g in [-epsilon, epsilon] {
            assert_close(first(g), 0.5, 1e-9);
            assert_close(outside(g), 0.5, 1e-14);
        }
        assert!(outside(0.99 * epsilon) < 0.5 && outside(1.01 * epsilon) > 0.5);
        let half = (epsilon / 3.0).sqrt();
        assert_close(inside(half), 0.5, 1e-14);
        assert!(inside(0.99 * half) < 0.5 && inside(1.01 * half) > 0.5);
        // The library has it outside.
        assert_close(first(half), outside(half), 1e-9);
    }
}

/// A rare large gradient is divided by a root that it has just made large itself. With these
/// three gradients in turn, descent walks down and Adam (β₁ = 0) walks up. The average of
/// squares has one limit after each of the three.
///
/// ```math
/// \begin{aligned}
/// g &= C, -1, -1, C, -1, -1, \dots, \qquad
///   C > 2, \quad \beta_1 = 0, \quad \beta_2 = \frac{1}{1 + C^2} \\
/// s_{\text I} &\to \frac{C^2 + \beta_2 + \beta_2^2}{1 + \beta_2 + \beta_2^2}, \qquad
///   s_{\text{II}} \to \frac{1 + \beta_2\,C^2 + \beta_2^2}{1 + \beta_2 + \beta_2^2}, \qquad
///   s_{\text{III}} \to \frac{1 + \beta_2 + \beta_2^2\,C^2}{1 + \beta_2 + \beta_2^2} \\
/// \theta_{t+3} - \theta_t &\to
///   \eta\,\Bigl({-\frac{C}{\sqrt{s_{\text I}}}} + \frac{1}{\sqrt{s_{\text{II}}}}
///   + \frac{1}{\sqrt{s_{\text{III}}}}\Bigr) > 0
/// \end{aligned}
/// ```
#[test]
fn adam_walks_the_wrong_way() {
    for c in [2.01, 3.0, 4.0, 20.0] {
        let beta2 = 1.0 / (1.0 + c * c);
        let (eta, epsilon) = (0.01, TINY);
        let gradients: Vec<f64> = (0..60).map(|t| if t % 3 == 0 { c } else { -1.0 }).collect();
        let mut optimizer = adam(eta, 0.0, beta2, epsilon);
        let steps = lengths(&mut optimizer, &gradients[..57]);
        let weights = 1.0 + beta2 + beta2 * beta2;
        let limits: [f64; 3] = [
            (c * c + beta2 + beta2 * beta2) / weights,
            (1.0 + beta2 * c * c + beta2 * beta2) / weights,
            (1.0 + beta2 + beta2 * beta2 * c * c) / weights,
        ];
        let mut way = -steps[54..].iter().sum::<f64>();
        let expected =
            eta * (-c / limits[0].sqrt() + 1.0 / limits[1].sqrt() + 1.0 / limits[2].sqrt());
        assert_close(way / eta, expected / eta, 1e-9);
        assert!(way > 0.01 * eta, "{c}: {way}");
        for (g, limit) in gradients[57..].iter().zip(limits) {
            lengths(&mut optimizer, &[*g]);
            assert_close(memory(&optimizer, "squares")[0], limit, 1e-9);
        }
        // Descent goes the right way, and so does Adam with its usual settings.
        let mut descent = GradientDescent::new(eta).unwrap();
        way = -lengths(&mut descent, &gradients[54..57]).iter().sum::<f64>();
        assert_close(way, -eta * (c - 2.0), 1e-13);
        let long: Vec<f64> = gradients.iter().copied().cycle().take(30_000).collect();
        let usual = lengths(&mut adam(eta, 0.9, 0.999, epsilon), &long);
        assert!(-usual[29_700..].iter().sum::<f64>() < 0.0);
    }
}

// ---------------------------------------------------------------------------------------
// Decay and clipping

/// A penalty on the squares of the parameters adds λθ to the gradient. In plain descent this
/// is the same as to shrink all parameters by one factor first.
///
/// ```math
/// \begin{aligned}
/// \nabla\Bigl(L(\theta) + \frac{\lambda}{2} \sum_{i=1}^{p} \theta_i^2\Bigr)
///   &= \underset{(p)}{\mathstrut g} + \lambda\,\underset{(p)}{\mathstrut \theta} \\
/// \theta - \eta\,(g + \lambda\,\theta) &= (1 - \eta\lambda)\,\theta - \eta\,g
/// \end{aligned}
/// ```
#[test]
fn decay_in_plain_descent() {
    let mut rng = rng(813);
    let (p, eta, lambda) = (4, 0.1, 0.3);
    let theta = normal(p, 1.0, &mut rng);
    let loss = |x: &Array1<f64>| (x[0] * x[1]).sin() + x[2].powi(4) + (x[3] - x[0]).exp();
    let g = gradient(loss, &theta);
    let penalised = |x: &Array1<f64>| loss(x) + lambda / 2.0 * x.iter().map(|x| x * x).sum::<f64>();
    let sum = Array1::from_shape_fn(p, |i| g[i] + lambda * theta[i]);
    assert_all_close(&gradient(penalised, &theta), &sum, 1e-8);

    let mut stepped = theta.clone();
    let descent = GradientDescent::new(eta).unwrap();
    Decayed::new(descent.clone(), lambda).unwrap().step(&mut stepped, &g);
    let inside = Array1::from_shape_fn(p, |i| theta[i] - eta * (g[i] + lambda * theta[i]));
    let shrunk = Array1::from_shape_fn(p, |i| (1.0 - eta * lambda) * theta[i] - eta * g[i]);
    assert_all_close(&stepped, &inside, 1e-14);
    assert_all_close(&stepped, &shrunk, 1e-14);
}

/// Inside Adam the decay is divided by the size of the gradients, like everything else. Where
/// the loss pulls nowhere and its gradients are noise, this is the share of itself that a
/// parameter loses in a step: the more noise, the less.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}[g] = 0 &\;\Longrightarrow\;
///   \mathbb{E}[g + \lambda\,\theta] = \lambda\,\theta, \qquad
///   \mathbb{E}\bigl[(g + \lambda\,\theta)^2\bigr] = \mathbb{E}[g^2] + \lambda^2 \theta^2 \\
/// \frac{\theta_{t-1} - \theta_t}{\theta_{t-1}}
///   &\approx \frac{\eta\,\lambda}{\sqrt{\mathbb{E}[g^2] + \lambda^2\theta^2} + \varepsilon}
/// \end{aligned}
/// ```
#[test]
fn decay_inside_adam() {
    let (eta, lambda, steps) = (1e-4, 0.1, 40_000);
    let noise = [(-1.0, 2.0 / 3.0), (2.0, 1.0 / 3.0)];
    let theta = 1.5;
    let mean =
        |f: &dyn Fn(f64) -> f64| noise.iter().map(|(g, p)| p * f(g + lambda * theta)).sum::<f64>();
    assert_close(mean(&|g| g), lambda * theta, 1e-15);
    assert_close(mean(&|g| g * g), 2.0 + (lambda * theta).powi(2), 1e-14);

    for size in [0.5, 2.0, 8.0] {
        // Blocks of three in random order: the noise has the mean zero exactly.
        let mut rng = rng(814);
        let order = uniform(steps, 0.0, 1.0, &mut rng);
        let mut block: Vec<f64> = Vec::new();
        let mut optimizer = Decayed::new(adam(eta, 0.9, 0.999, 1e-8), lambda).unwrap();
        let (mut params, mut predicted) = (array![1.5], 1.5);
        let mut square = 0.0;
        for at in order {
            if block.is_empty() {
                block = vec![-1.0, -1.0, 2.0];
            }
            let g = size * block.remove((at * block.len() as f64) as usize);
            square += g * g / steps as f64;
            optimizer.step(&mut params, &array![g]);
            let root = f64::sqrt(2.0 * size * size + (lambda * predicted).powi(2));
            predicted *= 1.0 - eta * lambda / (root + 1e-8);
        }
        assert_close(square, 2.0 * size * size, 1e-4 * size * size);
        // The share that is lost in all steps together, to a tenth of itself.
        let (lost, expected) = (1.5 - params[0], 1.5 - predicted);
        assert!(expected > 0.03);
        assert_close(lost / expected, 1.0, 0.02);
    }
}

/// AdamW shrinks the parameters beside Adam's step. Every parameter loses the same share, and
/// what has no gradient decays geometrically.
///
/// ```math
/// \begin{aligned}
/// \theta_t &= (1 - \eta\lambda)\,\theta_{t-1}
///   - \eta\,\frac{\hat v_t}{\sqrt{\hat s_t} + \varepsilon} \\
/// g_t = 0 \text{ for all } t &\;\Longrightarrow\;
///   \theta_t = (1 - \eta\lambda)^t\,\theta_0
/// \end{aligned}
/// ```
#[test]
fn adamw_update() {
    let mut rng = rng(815);
    let (p, eta, lambda) = (3, 0.02, 0.4);
    let gradients = normal((15, p), 2.0, &mut rng);
    let make = || adam(eta, 0.7, 0.95, 0.01);
    let mut adamw = make().with_weight_decay(lambda).unwrap();
    let start = normal(p, 1.0, &mut rng);
    let points = visit(&mut adamw, |t, _| gradients.row(t).to_owned(), &start, 15);
    let (mut v, mut s) = (Array1::<f64>::zeros(p), Array1::<f64>::zeros(p));
    for t in 1..=15 {
        for i in 0..p {
            let g = gradients[[t - 1, i]];
            v[i] = 0.7 * v[i] + 0.3 * g;
            s[i] = 0.95 * s[i] + 0.05 * g * g;
            let (v_hat, s_hat) =
                (v[i] / (1.0 - 0.7f64.powi(t as i32)), s[i] / (1.0 - 0.95f64.powi(t as i32)));
            let adams = eta * v_hat / (s_hat.sqrt() + 0.01);
            assert_close(points[t][i], (1.0 - eta * lambda) * points[t - 1][i] - adams, 1e-13);
        }
    }
    let mut adamw = AdamW::new(eta, lambda).unwrap();
    let points = visit(&mut adamw, |_, _| Array1::zeros(p), &start, 50);
    for (t, point) in points.iter().enumerate() {
        let kept = (1.0 - eta * lambda).powi(t as i32);
        assert_all_close(point, &start.mapv(|theta| kept * theta), 1e-13);
    }
}

/// On an even slope decay and step come to an equilibrium that does not depend on how steep the
/// slope is: no parameter of AdamW goes further (without ε).
///
/// ```math
/// \begin{aligned}
/// \theta_t &= (1 - \eta\lambda)\,\theta_{t-1} - \eta\,\frac{g}{\lvert g \rvert} \\
/// \theta_\infty = (1 - \eta\lambda)\,\theta_\infty - \eta\,\frac{g}{\lvert g \rvert}
///   &\;\Longrightarrow\; \theta_\infty = -\frac1\lambda\,\frac{g}{\lvert g \rvert}
/// \end{aligned}
/// ```
#[test]
fn adamw_equilibrium() {
    let (eta, lambda) = (0.05, 0.4);
    for g in [3.0, -0.02, 500.0] {
        for start in [0.0, 9.0, -2.0] {
            let mut adamw = adam(eta, 0.9, 0.999, TINY).with_weight_decay(lambda).unwrap();
            let points = visit(&mut adamw, |_, _| array![g], &array![start], 2000);
            for pair in points.windows(2) {
                let next = (1.0 - eta * lambda) * pair[0][0] - eta * f64::signum(g);
                assert_close(pair[1][0], next, 1e-9);
            }
            assert_close(points[2000][0], -f64::signum(g) / lambda, 1e-9);
        }
    }
}

/// A gradient whose mean was taken twice, with an L2 term whose division by n is right
/// (published bug): what is left of the two is the right gradient with a decay that is n times
/// too strong, all divided by n. Adam forgets the division and keeps the decay.
///
/// ```math
/// \begin{aligned}
/// \text{meant:} &\qquad g + \frac{\lambda}{n}\,\theta \\
/// \text{computed:} &\qquad \frac1n\,g + \frac{\lambda}{n}\,\theta
///   = \frac1n\,\bigl(g + \lambda\,\theta\bigr)
/// \end{aligned}
/// ```
#[test]
fn mean_taken_twice_beside_decay() {
    let mut rng = rng(816);
    let (n, p, eta, lambda) = (50.0, 4, 0.01, 0.7);
    let gradients = normal((60, p), 1.0, &mut rng);
    let start = normal(p, 2.0, &mut rng);
    let g = |t: usize| gradients.row(t).to_owned();
    let computed = |t: usize, theta: &Array1<f64>| {
        Array1::from_shape_fn(p, |i| g(t)[i] / n + lambda / n * theta[i])
    };
    for t in 0..5 {
        let right = Array1::from_shape_fn(p, |i| (g(t)[i] + lambda * start[i]) / n);
        assert_all_close(&computed(t, &start), &right, 1e-15);
    }
    // Under Adam, as if λ had been meant to be n times as large.
    let wrong = visit(&mut adam(eta, 0.9, 0.999, TINY), computed, &start, 60);
    let strong = Decayed::new(adam(eta, 0.9, 0.999, TINY), lambda);
    let as_if = visit(&mut strong.unwrap(), |t, _| g(t), &start, 60);
    let meant = Decayed::new(adam(eta, 0.9, 0.999, TINY), lambda / n);
    let meant = visit(&mut meant.unwrap(), |t, _| g(t), &start, 60);
    assert_all_close(&wrong[60], &as_if[60], 1e-9);
    assert!((&wrong[60] - &meant[60]).mapv(f64::abs).sum() > 0.05);
    // Without decay nothing is left to see.
    let hidden = visit(&mut adam(eta, 0.9, 0.999, TINY), |t, _| g(t) / n, &start, 60);
    let right = visit(&mut adam(eta, 0.9, 0.999, TINY), |t, _| g(t), &start, 60);
    assert_all_close(&hidden[60], &right[60], 1e-9);
}

/// Clipping by the norm of all parameters together: what is too long is shortened to the
/// largest norm c, and keeps its direction.
///
/// ```math
/// \begin{aligned}
/// \underset{(p)}{\mathstrut g'} &= \min\Bigl(1, \frac{c}{\lVert g \rVert}\Bigr)\,
///   \underset{(p)}{\mathstrut g}, \qquad
///   \lVert g \rVert = \sqrt{\textstyle\sum_i g_i^2} \\
/// \lVert g' \rVert &= \min\bigl(\lVert g \rVert, c\bigr), \qquad
/// \frac{g'}{\lVert g' \rVert} = \frac{g}{\lVert g \rVert}
/// \end{aligned}
/// ```
#[test]
fn clipping_keeps_the_direction() {
    let mut rng = rng(817);
    let norm = |g: &Array1<f64>| g.iter().map(|g| g * g).sum::<f64>().sqrt();
    for size in [0.01, 1.0, 40.0] {
        for c in [0.5, 3.0] {
            let g = normal(6, size, &mut rng);
            let mut clipped = Clipped::new(GradientDescent::new(1.0).unwrap(), c).unwrap();
            let mut params = Array1::zeros(6);
            clipped.step(&mut params, &g);
            let shorter = -params;
            let share = f64::min(1.0, c / norm(&g));
            assert_all_close(&shorter, &g.mapv(|g| share * g), 1e-14);
            assert_close(norm(&shorter), f64::min(norm(&g), c), 1e-14);
            let direction = |g: &Array1<f64>| g / norm(g);
            assert_all_close(&direction(&shorter), &direction(&g), 1e-13);
        }
    }
}

// ---------------------------------------------------------------------------------------
// Schedules

/// A schedule multiplies the step. With momentum, what the velocity remembers is not
/// multiplied: a rate that falls to zero stops the ball at once.
///
/// ```math
/// \begin{aligned}
/// v_t &= \mu\,v_{t-1} - \eta\,g_t \\
/// \theta_t &= \theta_{t-1} + \varphi(t - 1)\,v_t
/// \end{aligned}
/// ```
#[test]
fn schedule_multiplies_the_step() {
    let mut rng = rng(818);
    let (eta, mu) = (0.1, 0.8);
    let schedule = Schedule::Cosine { steps: 10 };
    let momentum = Momentum::new(eta, mu).unwrap();
    let mut scheduled = Scheduled::new(momentum, schedule).unwrap();
    let gradients = normal((14, 3), 1.0, &mut rng);
    let start = normal(3, 1.0, &mut rng);
    let points = visit(&mut scheduled, |t, _| gradients.row(t).to_owned(), &start, 14);
    let mut v = Array1::<f64>::zeros(3);
    for t in 1..=14 {
        for i in 0..3 {
            v[i] = mu * v[i] - eta * gradients[[t - 1, i]];
            let next = points[t - 1][i] + schedule.factor(t - 1) * v[i];
            assert_close(points[t][i], next, 1e-13);
        }
    }
    assert_all_close(&points[14], &points[10], 1e-15);
}

/// In steps: the rate is multiplied by γ after every K steps.
///
/// ```math
/// \varphi(t) = \gamma^{\lfloor t/K \rfloor}, \qquad
/// \varphi(t + K) = \gamma\,\varphi(t)
/// ```
#[test]
fn schedule_in_steps() {
    for (every, gamma) in [(1, 0.5), (7, 0.1), (30, 0.9), (4, 1.0)] {
        let schedule = Schedule::Step { every, factor: gamma };
        let mut rate = 1.0;
        for t in 0..100 {
            if t > 0 && t % every == 0 {
                rate *= gamma;
            }
            let floor = (t as f64 / every as f64).floor();
            assert_close(schedule.factor(t) / gamma.powf(floor), 1.0, 1e-12);
            assert_close(schedule.factor(t) / rate, 1.0, 1e-12);
            assert_close(schedule.factor(t + every) / schedule.factor(t), gamma, 1e-12);
        }
    }
}

/// Half a cosine: from 1 to 0, half-way through at one half, and on average a little more than
/// that, as the first step is at the full rate and none of the T is at 0.
///
/// ```math
/// \begin{aligned}
/// \varphi(t) &= \tfrac12\Bigl(1 + \cos\frac{\pi t}{T}\Bigr), \quad t \le T, \qquad
///   \varphi(0) = 1, \quad \varphi(T) = 0 \\
/// \varphi(t) + \varphi(T - t) &= 1 \\
/// \frac1T \sum_{t=0}^{T-1} \varphi(t) &= \frac12 + \frac{1}{2T}
/// \end{aligned}
/// ```
#[test]
fn schedule_of_a_cosine() {
    for steps in [1, 2, 9, 250] {
        let schedule = Schedule::Cosine { steps };
        let end = steps as f64;
        assert_close(schedule.factor(0), 1.0, 1e-15);
        assert_close(schedule.factor(steps), 0.0, 1e-15);
        assert_eq!(schedule.factor(steps + 3), schedule.factor(steps));
        let mut sum = 0.0;
        for t in 0..=steps {
            let cosine = (1.0 + (PI * t as f64 / end).cos()) / 2.0;
            assert_close(schedule.factor(t), cosine, 1e-15);
            assert_close(schedule.factor(t) + schedule.factor(steps - t), 1.0, 1e-14);
            sum += if t < steps { schedule.factor(t) } else { 0.0 };
        }
        assert_close(sum / end, 0.5 + 1.0 / (2.0 * end), 1e-13);
    }
}

/// Warming up: in a straight line to the full rate, which step T is the first to have. The T
/// steps go about half as far as they would at the full rate.
///
/// ```math
/// \begin{aligned}
/// \varphi(t) &= \min\Bigl(1, \frac{t + 1}{T}\Bigr), \qquad
///   \varphi(0) = \frac1T, \quad \varphi(T - 1) = 1 \\
/// \sum_{t=0}^{T-1} \varphi(t) &= \frac{T + 1}{2}
/// \end{aligned}
/// ```
#[test]
fn schedule_of_a_warm_up() {
    for steps in [1, 2, 9, 250] {
        let schedule = Schedule::WarmUp { steps };
        let end = steps as f64;
        assert_close(schedule.factor(0), 1.0 / end, 1e-15);
        assert_close(schedule.factor(steps - 1), 1.0, 1e-15);
        for t in 0..2 * steps {
            assert_close(schedule.factor(t), f64::min(1.0, (t as f64 + 1.0) / end), 1e-15);
        }
        let sum: f64 = (0..steps).map(|t| schedule.factor(t)).sum();
        assert_close(sum, (end + 1.0) / 2.0, 1e-12);
    }
}

/// One cycle: half a cosine up from a to 1 within P steps, and half a cosine down to b with the
/// last of T; with the constants of PyTorch.
///
/// ```math
/// \begin{aligned}
/// \varphi(t) &= \begin{cases}
///   1 - (1 - \varphi_0)\,\tfrac12\Bigl(1 + \cos\dfrac{\pi t}{P}\Bigr) & t \le P \\[8pt]
///   \varphi_1 + (1 - \varphi_1)\,\tfrac12\Bigl(1 + \cos\dfrac{\pi\,(t - P)}{T - 1 - P}\Bigr)
///     & t > P
/// \end{cases} \\
/// \varphi(0) &= \varphi_0 = \frac{1}{25}, \qquad \varphi(P) = 1, \qquad
/// \varphi(T - 1) = \varphi_1 = \frac{1}{250\,000} \\
/// \sum_{t=0}^{T-1} \varphi(t) &= (P + 1)\,\frac{1 + \varphi_0}{2}
///   + (T - 1 - P)\,\frac{1 + \varphi_1}{2} - \frac{1 - \varphi_1}{2}
/// \end{aligned}
/// ```
#[test]
fn schedule_of_one_cycle() {
    let (first, last) = (1.0 / 25.0, 1.0 / 250_000.0);
    for (steps, peak) in [(3, 1), (11, 4), (100, 29), (250, 200)] {
        let schedule = Schedule::OneCycle { steps, peak };
        assert_close(schedule.factor(0), first, 1e-15);
        assert_close(schedule.factor(peak), 1.0, 1e-15);
        assert_close(schedule.factor(steps - 1), last, 1e-15);
        let (top, end) = (peak as f64, steps as f64);
        let mut sum = 0.0;
        for t in 0..steps {
            let at = t as f64;
            let value = if t <= peak {
                1.0 - (1.0 - first) * 0.5 * (1.0 + (PI * at / top).cos())
            } else {
                let part = (at - top) / (end - 1.0 - top);
                last + (1.0 - last) * 0.5 * (1.0 + (PI * part).cos())
            };
            assert_close(schedule.factor(t), value, 1e-14);
            sum += schedule.factor(t);
        }
        let (up, down) = (top + 1.0, end - 1.0 - top);
        let right = up * (1.0 + first) / 2.0 + down * (1.0 + last) / 2.0 - (1.0 - last) / 2.0;
        assert_close(sum, right, 1e-12);
    }
}

// ---------------------------------------------------------------------------------------
// Landscapes

fn saddle(theta: &Array1<f64>) -> f64 {
    theta[0].powi(2) / 2.0 - theta[1].powi(2) / 2.0 + theta[1].powi(4) / 4.0
}

/// The gradient and the second derivatives of the program's saddle: at 0 the gradient is zero,
/// one curvature is 1 and the other is −1; the minima lie at the two sides.
///
/// ```math
/// \begin{aligned}
/// f(\theta) &= \tfrac12\theta_1^2 - \tfrac12\theta_2^2 + \tfrac14\theta_2^4 \\
/// \nabla f(\theta) &= \begin{pmatrix} \theta_1 \\ \theta_2^3 - \theta_2 \end{pmatrix}, \qquad
/// \nabla^2 f(\theta) = \begin{pmatrix} 1 & 0 \\ 0 & 3\,\theta_2^2 - 1 \end{pmatrix} \\
/// f(0, 0) &= 0, \qquad f(0, \pm 1) = -\tfrac14, \qquad
///   \nabla f(0, 0) = \nabla f(0, \pm 1) = 0
/// \end{aligned}
/// ```
#[test]
fn saddle_and_its_minima() {
    let derivatives = |x: &Array1<f64>| array![x[0], x[1].powi(3) - x[1]];
    for theta in [array![0.7, -0.4], array![0.0, 0.0], array![-1.3, 1.6]] {
        assert_all_close(&gradient(saddle, &theta), &derivatives(&theta), 1e-8);
        for i in 0..2 {
            let row = gradient(|x| derivatives(x)[i], &theta);
            let expected =
                if i == 0 { array![1.0, 0.0] } else { array![0.0, 3.0 * theta[1].powi(2) - 1.0] };
            assert_all_close(&row, &expected, 1e-8);
        }
    }
    assert_eq!(saddle(&array![0.0, 0.0]), 0.0);
    for side in [-1.0, 1.0] {
        assert_close(saddle(&array![0.0, side]), -0.25, 1e-15);
        assert_all_close(&gradient(saddle, &array![0.0, side]), &Array1::zeros(2), 1e-9);
    }
}

/// Near a saddle, along the direction of curvature −a, gradient descent leaves as a geometric
/// sequence. The time to a distance R grows with the logarithm of how near it began.
///
/// ```math
/// \begin{aligned}
/// \theta_t &= \theta_{t-1} + \eta\,a\,\theta_{t-1} = (1 + \eta\,a)^t\,\theta_0 \\
/// \lvert \theta_t \rvert = R &\;\Longleftrightarrow\;
///   t = \frac{\ln\bigl(R/\lvert \theta_0 \rvert\bigr)}{\ln(1 + \eta\,a)}
///   \approx \frac{1}{\eta\,a} \ln\frac{R}{\lvert \theta_0 \rvert}
/// \end{aligned}
/// ```
#[test]
fn saddle_escape_of_descent() {
    for (a, eta, start) in [(1.0, 0.01, 1e-2), (1.0, 0.01, -1e-8), (0.2, 0.02, 1e-4)] {
        let mut descent = GradientDescent::new(eta).unwrap();
        let radius: f64 = 0.5;
        let points = visit(&mut descent, |_, theta| -a * theta, &array![start], 6000);
        let mut theta = start;
        for (t, point) in (1..=1000).zip(&points[1..]) {
            theta += eta * a * theta;
            assert_close(point[0] / theta, 1.0, 1e-12);
            let power = (1.0 + eta * a).powi(t);
            assert_close(point[0] / (power * start), 1.0, 1e-11);
        }
        let arrived = points.iter().position(|theta| theta[0].abs() >= radius).unwrap();
        let time = (radius / start.abs()).ln() / (1.0 + eta * a).ln();
        assert_eq!(arrived, time.ceil() as usize);
        // η a is at most 0.01, and so is the relative error of ln(1 + η a) ≈ η a.
        let short = (radius / start.abs()).ln() / (eta * a);
        assert_close(short / time, 1.0, 0.01);
    }
}

/// A heavy ball leaves a saddle as a geometric sequence too, with a factor further from 1: the
/// larger zero of its characteristic polynomial, with −a for the eigenvalue.
///
/// ```math
/// \begin{aligned}
/// \theta_{t+1} &= (1 + \mu + \eta\,a)\,\theta_t - \mu\,\theta_{t-1} \\
/// r_+ &= \tfrac12 \Bigl(1 + \mu + \eta\,a + \sqrt{(1 + \mu + \eta\,a)^2 - 4\mu}\Bigr)
///   \approx 1 + \frac{\eta\,a}{1 - \mu}
/// \end{aligned}
/// ```
#[test]
fn saddle_escape_of_momentum() {
    for (a, eta, mu) in [(1.0, 0.01, 0.9), (0.3, 0.001, 0.5), (1.0, 1e-5, 0.99)] {
        let mut momentum = Momentum::new(eta, mu).unwrap();
        let points = visit(&mut momentum, |_, theta| -a * theta, &array![1e-3], 2000);
        for t in 1..50 {
            let next = (1.0 + mu + eta * a) * points[t][0] - mu * points[t - 1][0];
            assert_close(points[t + 1][0] * 1e3, next * 1e3, 1e-11);
        }
        let sum: f64 = 1.0 + mu + eta * a;
        let r = 0.5 * (sum + (sum * sum - 4.0 * mu).sqrt());
        assert_close(points[2000][0] / points[1999][0], r, 1e-9);
        // The next term of the series is of second order in η a.
        let relative = (r - 1.0) / (eta * a / (1.0 - mu));
        assert!(relative < 1.0);
        let second = eta * a / (1.0 - mu).powi(2);
        assert!(1.0 - relative < 1.1 * mu * second, "{relative} {second}");
    }
}

/// A step that has only the sign of the gradient leaves in a time that depends neither on the
/// curvature nor, as long as it begins near the saddle, on where it began. RMSprop with β = 0,
/// without ε, takes such steps.
///
/// ```math
/// \begin{aligned}
/// \lvert \theta_t \rvert &= \lvert \theta_{t-1} \rvert
///   + \eta\,\frac{a\,\lvert \theta_{t-1} \rvert}{a\,\lvert \theta_{t-1} \rvert}
///   = \lvert \theta_0 \rvert + \eta\,t \\
/// \lvert \theta_t \rvert = R &\;\Longleftrightarrow\;
///   t = \frac{R - \lvert \theta_0 \rvert}{\eta}
/// \end{aligned}
/// ```
#[test]
fn saddle_escape_of_signs() {
    let (eta, radius) = (0.01, 0.5);
    for (a, start) in [(1.0, 1e-2f64), (1.0, -1e-4), (1e-3, 1e-6)] {
        let mut signs = rmsprop(eta, 0.0, TINY);
        let points = visit(&mut signs, |_, theta| -a * theta, &array![start], 80);
        for (t, theta) in points.iter().enumerate() {
            assert_close(theta[0].abs(), start.abs() + eta * t as f64, 1e-4);
        }
        let arrived = points.iter().position(|theta| theta[0].abs() >= radius - 1e-4).unwrap();
        assert_close(arrived as f64, (radius - start.abs()) / eta, 0.02);
    }
}

fn rosenbrock(theta: &Array1<f64>) -> f64 {
    (1.0 - theta[0]).powi(2) + 100.0 * (theta[1] - theta[0].powi(2)).powi(2)
}

/// The gradient and the second derivatives of Rosenbrock's function.
///
/// ```math
/// \begin{aligned}
/// f(\theta) &= (1 - \theta_1)^2 + 100\,(\theta_2 - \theta_1^2)^2 \\
/// \nabla f(\theta) &= \begin{pmatrix}
///   -2\,(1 - \theta_1) - 400\,\theta_1\,(\theta_2 - \theta_1^2) \\
///   200\,(\theta_2 - \theta_1^2) \end{pmatrix} \\
/// \nabla^2 f(\theta) &= \begin{pmatrix}
///   2 - 400\,\theta_2 + 1200\,\theta_1^2 & -400\,\theta_1 \\
///   -400\,\theta_1 & 200 \end{pmatrix}
/// \end{aligned}
/// ```
#[test]
fn rosenbrock_derivatives() {
    let derivatives = |x: &Array1<f64>| {
        let off = x[1] - x[0].powi(2);
        array![-2.0 * (1.0 - x[0]) - 400.0 * x[0] * off, 200.0 * off]
    };
    for theta in [array![-1.2, 1.0], array![0.3, -0.8], array![1.0, 1.0]] {
        assert_all_close(&gradient(rosenbrock, &theta), &derivatives(&theta), 1e-7);
        let hessian = array![
            [2.0 - 400.0 * theta[1] + 1200.0 * theta[0].powi(2), -400.0 * theta[0]],
            [-400.0 * theta[0], 200.0]
        ];
        for i in 0..2 {
            let row = gradient(|x| derivatives(x)[i], &theta);
            assert_all_close(&row, &hessian.row(i).to_owned(), 1e-7);
        }
    }
    assert_eq!(rosenbrock(&array![1.0, 1.0]), 0.0);
}

/// How narrow Rosenbrock's valley is at its lowest point, and how narrow it stays with the best
/// rate for each parameter.
///
/// ```math
/// \begin{aligned}
/// \nabla^2 f(1, 1) &= \begin{pmatrix} 802 & -400 \\ -400 & 200 \end{pmatrix}, \qquad
/// \kappa = \frac{501 + \sqrt{501^2 - 400}}{501 - \sqrt{501^2 - 400}} \approx 2508 \\
/// \rho &= \frac{400}{\sqrt{802 \cdot 200}}, \qquad \frac{1 + \rho}{1 - \rho} \approx 1602
/// \end{aligned}
/// ```
#[test]
fn rosenbrock_condition() {
    let at = array![1.0, 1.0];
    let hessian = Array2::from_shape_fn((2, 2), |(i, j)| {
        let along = |x: &Array1<f64>| gradient(rosenbrock, x)[i];
        // The gradient is measured itself, to 1e-10: a larger step than usual.
        let (mut up, mut down) = (at.clone(), at.clone());
        (up[j], down[j]) = (at[j] + 1e-3, at[j] - 1e-3);
        (along(&up) - along(&down)) / 2e-3
    });
    assert_all_close(&hessian, &array![[802.0, -400.0], [-400.0, 200.0]], 1e-5);
    let exact = array![[802.0, -400.0], [-400.0, 200.0]];
    let root = (501.0f64.powi(2) - 400.0).sqrt();
    assert_close(condition(&exact), (501.0 + root) / (501.0 - root), 1e-9);
    assert_close(condition(&exact), 2508.0, 0.5 / 2508.0);
    let r = 400.0 / (802.0f64 * 200.0).sqrt();
    let d = exact.diag().to_owned();
    let scaled = Array2::from_shape_fn((2, 2), |(i, j)| exact[[i, j]] / (d[i] * d[j]).sqrt());
    assert_close(condition(&scaled), (1.0 + r) / (1.0 - r), 1e-9);
    assert_close(condition(&scaled), 1602.0, 0.5 / 1602.0);
}

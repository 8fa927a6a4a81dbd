//! The equations of chapter 3.
//!
//! A bowl is f(θ) = ½ θᵀAθ − bᵀθ with A symmetric and positive definite, its minimum at θ*.
//! The error is e = θ − θ*, the gradient at step t is gₜ, and all velocities begin at zero.

mod common;

use common::*;
use gradus::check::Check;
use gradus::{
    Elementwise, GradientDescent, Identity, Init, MeanSquaredError, Momentum, MovingAverage,
    Nesterov, NeuralNetwork, Optimizer, State,
};
use ndarray::{Array1, Array2, ArrayRef1, Axis, array, concatenate};
use ndarray_linalg::{Determinant, EigVals, Eigh, QR, Solve, UPLO, c64};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// A symmetric matrix with these eigenvalues and random eigenvectors.
fn symmetric(eigenvalues: &[f64], rng: &mut ChaCha8Rng) -> Array2<f64> {
    let (q, _) = normal((eigenvalues.len(), eigenvalues.len()), 1.0, rng).qr().unwrap();
    let a = (&q * &Array1::from(eigenvalues.to_vec())).dot(&q.t());
    (&a + &a.t()) / 2.0
}

/// Eigenvalues in ascending order, and an orthonormal eigenvector in each column.
fn eigen(a: &Array2<f64>) -> (Array1<f64>, Array2<f64>) {
    a.eigh(UPLO::Lower).unwrap()
}

/// f(θ) = ½ Σᵢⱼ θᵢ Aᵢⱼ θⱼ − Σᵢ bᵢ θᵢ, for any A.
fn quadratic(a: &Array2<f64>, b: &Array1<f64>, theta: &Array1<f64>) -> f64 {
    let square: f64 = a.indexed_iter().map(|((i, j), a)| theta[i] * a * theta[j]).sum();
    let line: f64 = (0..b.len()).map(|i| b[i] * theta[i]).sum();
    square / 2.0 - line
}

/// The points an optimizer visits, the start included.
fn visit(
    optimizer: &mut dyn Optimizer<f64>,
    gradient: impl Fn(&Array1<f64>) -> Array1<f64>,
    start: &Array1<f64>,
    steps: usize,
) -> Vec<Array1<f64>> {
    let mut points = vec![start.clone()];
    for t in 0..steps {
        let mut theta = points[t].clone();
        optimizer.step(&mut theta, &gradient(&points[t]));
        points.push(theta);
    }
    points
}

/// ‖x‖.
fn norm(x: &Array1<f64>) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// What one step of an optimizer with a velocity does to (e, v), in one direction of a bowl:
/// column by column, by letting it take a step from (1, 0) and from (0, 1).
fn matrix_of(optimizer: &mut dyn Optimizer<f64>, lambda: f64) -> Array2<f64> {
    let mut matrix = Array2::zeros((2, 2));
    for (mut column, (e, v)) in matrix.columns_mut().into_iter().zip([(1.0, 0.0), (0.0, 1.0)]) {
        let mut state: State<f64> = optimizer.state();
        state.vectors.insert("velocity".to_owned(), array![v]);
        optimizer.restore(state).unwrap();
        let mut params = array![e];
        optimizer.step(&mut params, &array![lambda * e]);
        column[0] = params[0];
        column[1] = optimizer.state().vectors["velocity"][0];
    }
    matrix
}

/// The largest |r| over the eigenvalues r of a matrix.
fn spectral_radius(matrix: &Array2<f64>) -> f64 {
    matrix.eigvals().unwrap().iter().map(|r| r.norm()).fold(0.0, f64::max)
}

/// Where a function that first falls and then rises is smallest, by golden section.
fn minimum_between(lo: f64, hi: f64, f: impl Fn(f64) -> f64) -> f64 {
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut lo, mut hi) = (lo, hi);
    for _ in 0..80 {
        let (left, right) = (hi - golden * (hi - lo), lo + golden * (hi - lo));
        if f(left) < f(right) { hi = right } else { lo = left }
    }
    (lo + hi) / 2.0
}

/// The gradient of a quadratic; for a symmetric matrix the two products are one.
///
/// ```math
/// \begin{aligned}
/// f(\theta) &= \tfrac12\,\underset{(1,p)}{\theta^\top}\,\underset{(p,p)}{A}\,\underset{(p)}{\theta}
///   - b^\top\theta \\
/// \nabla f(\theta) &= \tfrac12\,\bigl(A + A^\top\bigr)\,\theta - b
///   \;\overset{A = A^\top}{=}\; A\,\theta - b
/// \end{aligned}
/// ```
#[test]
fn bowl_gradient() {
    let mut rng = rng(301);
    for p in [1, 2, 5] {
        let (b, theta) = (normal(p, 1.0, &mut rng), normal(p, 2.0, &mut rng));
        let a = normal((p, p), 1.0, &mut rng);
        let both = (0..p)
            .map(|i| (0..p).map(|j| 0.5 * (a[[i, j]] + a[[j, i]]) * theta[j]).sum::<f64>() - b[i]);
        let measured = gradient(|theta| quadratic(&a, &b, theta), &theta);
        assert_all_close(&measured, &both.collect::<Array1<f64>>(), 1e-8);

        let a = symmetric(normal(p, 1.0, &mut rng).as_slice().unwrap(), &mut rng);
        let one = (0..p).map(|i| (0..p).map(|j| a[[i, j]] * theta[j]).sum::<f64>() - b[i]);
        let measured = gradient(|theta| quadratic(&a, &b, theta), &theta);
        assert_all_close(&measured, &one.collect::<Array1<f64>>(), 1e-8);
    }
}

/// The lowest point of a bowl, and the height above it: along each eigenvector a parabola of
/// its own, as steep as its eigenvalue.
///
/// ```math
/// \begin{aligned}
/// A\,\theta^* &= b, \qquad e = \theta - \theta^* \\
/// f(\theta) - f(\theta^*) &= \tfrac12\, e^\top A\, e
///   = \tfrac12 \sum_{i=1}^{p} \lambda_i \bigl(q_i^\top e\bigr)^2
/// \end{aligned}
/// ```
#[test]
fn bowl_height() {
    let mut rng = rng(302);
    for eigenvalues in [vec![0.3, 4.0], vec![0.2, 1.0, 2.5, 7.0]] {
        let p = eigenvalues.len();
        let a = symmetric(&eigenvalues, &mut rng);
        let (b, theta) = (normal(p, 1.0, &mut rng), normal(p, 2.0, &mut rng));
        let lowest = a.solve(&b).unwrap();
        assert_all_close(&gradient(|x| quadratic(&a, &b, x), &lowest), &Array1::zeros(p), 1e-7);

        let e = &theta - &lowest;
        let height = quadratic(&a, &b, &theta) - quadratic(&a, &b, &lowest);
        assert_close(height, quadratic(&a, &Array1::zeros(p), &e), 1e-12);
        let (lambda, q) = eigen(&a);
        let along = |i: usize| (0..p).map(|j| q[[j, i]] * e[j]).sum::<f64>();
        let sum: f64 = (0..p).map(|i| lambda[i] * along(i).powi(2)).sum();
        assert_close(height, 0.5 * sum, 1e-12);
    }
}

/// Gradient descent on a bowl: each step multiplies the error by the same matrix.
///
/// ```math
/// \begin{aligned}
/// \theta_{t+1} &= \theta_t - \eta\,\bigl(A\,\theta_t - b\bigr) \\
/// e_{t+1} &= \bigl(I - \eta A\bigr)\,e_t
/// \end{aligned}
/// ```
#[test]
fn descent_error_recursion() {
    let mut rng = rng(303);
    let (p, eta) = (3, 0.17);
    let a = symmetric(&[0.5, 2.0, 6.0], &mut rng);
    let b = normal(p, 1.0, &mut rng);
    let lowest = a.solve(&b).unwrap();
    let mut descent = GradientDescent::new(eta).unwrap();
    let start = normal(p, 2.0, &mut rng);
    let points = visit(&mut descent, |theta| a.dot(theta) - &b, &start, 4);
    for pair in points.windows(2) {
        let step = (0..p).map(|i| {
            pair[0][i] - eta * ((0..p).map(|j| a[[i, j]] * pair[0][j]).sum::<f64>() - b[i])
        });
        assert_all_close(&pair[1], &step.collect::<Array1<f64>>(), 1e-13);
        let e = &pair[0] - &lowest;
        let next = (0..p).map(|i| {
            let entry = |j: usize| f64::from(u8::from(i == j)) - eta * a[[i, j]];
            (0..p).map(|j| entry(j) * e[j]).sum::<f64>()
        });
        assert_all_close(&(&pair[1] - &lowest), &next.collect::<Array1<f64>>(), 1e-13);
    }
}

/// Along each eigenvector the error shrinks on its own, by a factor that is the same in every
/// step.
///
/// ```math
/// A\,q_i = \lambda_i\,q_i
/// \quad\Longrightarrow\quad
/// q_i^\top e_t = \bigl(1 - \eta\lambda_i\bigr)^t\; q_i^\top e_0
/// ```
#[test]
fn descent_along_eigenvectors() {
    let mut rng = rng(304);
    let a = symmetric(&[0.4, 1.5, 5.0, 9.0], &mut rng);
    let (b, start) = (normal(4, 1.0, &mut rng), normal(4, 2.0, &mut rng));
    let lowest = a.solve(&b).unwrap();
    let (lambda, q) = eigen(&a);
    // 9 η = 2.07: the steepest direction diverges, the others converge.
    let eta = 0.23;
    let mut descent = GradientDescent::new(eta).unwrap();
    let points = visit(&mut descent, |theta| a.dot(theta) - &b, &start, 12);
    for (t, theta) in points.iter().enumerate() {
        for i in 0..4 {
            let along =
                |x: &Array1<f64>| (0..4).map(|j| q[[j, i]] * (x[j] - lowest[j])).sum::<f64>();
            let factor = 1.0 - eta * lambda[i];
            assert_close(along(theta), factor.powi(t as i32) * along(&start), 1e-11);
        }
    }
}

/// Gradient descent converges from every start if, and only if, the learning rate is below a
/// limit that the steepest direction alone decides.
///
/// ```math
/// \bigl|1 - \eta\lambda_i\bigr| < 1 \;\text{ for all } i
/// \quad\Longleftrightarrow\quad
/// 0 < \eta < \frac{2}{\lambda_{\max}}
/// ```
#[test]
fn descent_stability_limit() {
    let mut rng = rng(305);
    for _ in 0..10 {
        let eigenvalues = uniform(3, 0.5, 6.0, &mut rng);
        let a = symmetric(eigenvalues.as_slice().unwrap(), &mut rng);
        let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
        for of_limit in [0.3, 0.9, 0.999, 1.001, 1.1] {
            let eta = of_limit * 2.0 / largest;
            let mut descent = GradientDescent::new(eta).unwrap();
            let start = normal(3, 1.0, &mut rng);
            let points = visit(&mut descent, |theta| a.dot(theta), &start, 4000);
            let converges =
                norm(&points[4000]) < norm(&points[2000]) || norm(&points[2000]) < 1e-200;
            assert_eq!(converges, eigenvalues.iter().all(|l| (1.0 - eta * l).abs() < 1.0));
            assert_eq!(converges, 0.0 < eta && eta < 2.0 / largest, "{of_limit} of the limit");
        }
    }
}

/// The rate at which the error shrinks in the end: the flattest or the steepest direction
/// decides, whichever is slower.
///
/// ```math
/// \lim_{t\to\infty} \frac{\lVert e_{t+1}\rVert}{\lVert e_t\rVert}
///   = \max_i \bigl|1 - \eta\lambda_i\bigr|
///   = \max\bigl(1 - \eta\lambda_{\min},\; \eta\lambda_{\max} - 1\bigr)
/// ```
#[test]
fn descent_rate() {
    let mut rng = rng(306);
    let eigenvalues = [0.7, 1.9, 3.1, 4.2];
    let a = symmetric(&eigenvalues, &mut rng);
    for eta in [0.07, 0.2, 0.33, 0.43, 0.47, 0.6] {
        let mut descent = GradientDescent::new(eta).unwrap();
        let start = normal(4, 1.0, &mut rng);
        let points = visit(&mut descent, |theta| a.dot(theta), &start, 500);
        let measured = norm(&points[500]) / norm(&points[499]);
        let all = eigenvalues.iter().map(|l| (1.0 - eta * l).abs()).fold(0.0, f64::max);
        let ends = f64::max(1.0 - eta * 0.7, eta * 4.2 - 1.0);
        // The slower directions have died out after 500 steps.
        assert_close(measured, all, 1e-9);
        assert_close(measured, ends, 1e-9);
    }
}

/// The best learning rate makes the two ends equally slow.
///
/// ```math
/// \eta^* = \frac{2}{\lambda_{\min} + \lambda_{\max}}, \qquad
/// \max_i \bigl|1 - \eta^*\lambda_i\bigr| = \frac{\kappa - 1}{\kappa + 1}, \qquad
/// \kappa = \frac{\lambda_{\max}}{\lambda_{\min}}
/// ```
#[test]
fn descent_best_rate() {
    let mut rng = rng(307);
    for _ in 0..5 {
        let eigenvalues = uniform(4, 0.1, 8.0, &mut rng);
        let a = symmetric(eigenvalues.as_slice().unwrap(), &mut rng);
        let slowest = |eta: f64| {
            let step = Array2::eye(4) - &(&a * eta);
            eigen(&step).0.iter().map(|r| r.abs()).fold(0.0, f64::max)
        };
        let least = eigenvalues.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
        let kappa = largest / least;
        let best = minimum_between(0.0, 2.0 / largest, slowest);
        assert_close(best, 2.0 / (least + largest), 1e-9);
        assert_close(slowest(best), (kappa - 1.0) / (kappa + 1.0), 1e-9);
    }
}

/// How many steps divide the error by 1/ε at the best learning rate: about in proportion to
/// the condition number.
///
/// ```math
/// T = \Biggl\lceil
///   \frac{\ln \frac1\varepsilon}{\ln \frac{\kappa + 1}{\kappa - 1}}
/// \Biggr\rceil
/// \approx \frac{\kappa}{2}\,\ln\frac1\varepsilon
/// ```
#[test]
fn descent_steps_needed() {
    let mut rng = rng(308);
    for kappa in [1.5, 4.0, 25.0, 170.0] {
        let least = rng.random_range(0.2..3.0);
        let a = symmetric(&[least, kappa * least], &mut rng);
        let mut descent = GradientDescent::new(2.0 / (least + kappa * least)).unwrap();
        let start = normal(2, 1.0, &mut rng);
        let epsilon: f64 = 3e-4;
        let points = visit(&mut descent, |theta| a.dot(theta), &start, 2000);
        let target = epsilon * norm(&start);
        let counted = points.iter().position(|e| norm(e) <= target).unwrap() as f64;
        let exact = epsilon.recip().ln() / ((kappa + 1.0) / (kappa - 1.0)).ln();
        assert_eq!(counted, exact.ceil(), "kappa = {kappa}");
        // ln((κ + 1) / (κ − 1)) = 2/κ + 2/(3κ³) + …: the next term is smaller by κ²/3.
        let about = kappa / 2.0 * epsilon.recip().ln();
        assert!(((about - exact) / about).abs() < 1.0 / (kappa * kappa), "kappa = {kappa}");
    }
}

/// Momentum: the velocity keeps a share of the last step and adds a new one downhill.
///
/// ```math
/// \begin{aligned}
/// v_{t+1} &= \mu\,v_t - \eta\,g_t \\
/// \theta_{t+1} &= \theta_t + v_{t+1}
/// \end{aligned}
/// ```
#[test]
fn momentum_update() {
    let mut rng = rng(309);
    let (eta, mu) = (0.07, 0.8);
    let mut momentum = Momentum::new(eta, mu).unwrap();
    let mut theta = normal(6, 1.0, &mut rng);
    let (mut v, mut expected) = ([0.0; 6], theta.clone());
    for _ in 0..7 {
        let g = normal(6, 1.0, &mut rng);
        momentum.step(&mut theta, &g);
        for i in 0..6 {
            v[i] = mu * v[i] - eta * g[i];
            expected[i] += v[i];
        }
        assert_all_close(momentum.velocity(), &array![v[0], v[1], v[2], v[3], v[4], v[5]], 1e-14);
        assert_all_close(&theta, &expected, 1e-14);
    }
}

/// The same steps are those of a ball of mass 1 that rolls down the surface with friction c,
/// seen at intervals of h.
///
/// ```math
/// \frac{\theta_{t+1} - 2\theta_t + \theta_{t-1}}{h^2}
///   + c\,\frac{\theta_t - \theta_{t-1}}{h} = -g_t,
/// \qquad \eta = h^2, \quad \mu = 1 - c\,h
/// ```
#[test]
fn heavy_ball_equation_of_motion() {
    let mut rng = rng(310);
    let (h, c): (f64, f64) = (0.3, 0.7);
    // Not a bowl: f = Σ (θᵢ⁴/4 − θᵢ) + θ₀ θ₁.
    let g = |theta: &Array1<f64>| {
        array![theta[0].powi(3) - 1.0 + theta[1], theta[1].powi(3) - 1.0 + theta[0]]
    };
    let mut momentum = Momentum::new(h * h, 1.0 - c * h).unwrap();
    let points = visit(&mut momentum, g, &normal(2, 1.0, &mut rng), 20);
    for at in points.windows(3) {
        for i in 0..2 {
            let acceleration = (at[2][i] - 2.0 * at[1][i] + at[0][i]) / (h * h);
            let friction = c * (at[1][i] - at[0][i]) / h;
            assert_close(acceleration + friction, -g(&at[1])[i], 1e-12);
        }
    }
}

/// The velocity is a sum over all past gradients, each forgotten a little more.
///
/// ```math
/// v_{t+1} = -\eta \sum_{k=0}^{t} \mu^k\, g_{t-k}
/// ```
#[test]
fn momentum_unrolled() {
    let mut rng = rng(311);
    let (eta, mu): (f64, f64) = (0.3, 0.85);
    let mut momentum = Momentum::new(eta, mu).unwrap();
    let mut theta = normal(3, 1.0, &mut rng);
    let g = normal((15, 3), 1.0, &mut rng);
    for t in 0..15 {
        momentum.step(&mut theta, &g.row(t));
        for i in 0..3 {
            let sum: f64 = (0..=t).map(|k| mu.powi(k as i32) * g[[t - k, i]]).sum();
            assert_close(momentum.velocity()[i], -eta * sum, 1e-14);
        }
    }
}

/// On a slope that stays the same the velocity grows up to a limit: momentum 0.9 makes steps
/// ten times as long.
///
/// ```math
/// g_0 = g_1 = \dots = g
/// \quad\Longrightarrow\quad
/// v_t = -\eta\,\frac{1 - \mu^t}{1 - \mu}\,g
/// \;\xrightarrow{\;t\to\infty\;}\; -\frac{\eta\,g}{1 - \mu}
/// ```
#[test]
fn momentum_terminal_velocity() {
    let mut rng = rng(312);
    for (eta, mu) in [(0.2_f64, 0.5_f64), (0.03, 0.9), (1.5, 0.0)] {
        let mut momentum = Momentum::new(eta, mu).unwrap();
        let (mut theta, g) = (normal(3, 1.0, &mut rng), normal(3, 1.0, &mut rng));
        for t in 1..=400 {
            momentum.step(&mut theta, &g);
            let grown = (1.0 - mu.powi(t)) / (1.0 - mu);
            for i in 0..3 {
                assert_close(momentum.velocity()[i], -eta * grown * g[i], 1e-13);
            }
        }
        for i in 0..3 {
            assert_close(momentum.velocity()[i], -eta * g[i] / (1.0 - mu), 1e-13);
        }
    }
}

/// A moving average of the gradients weighs them alike, but its weights sum to a little less
/// than 1 at first.
///
/// ```math
/// \begin{aligned}
/// v_{t+1} &= \beta\,v_t + (1 - \beta)\,g_t
///   = (1 - \beta) \sum_{k=0}^{t} \beta^k\, g_{t-k} \\
/// 1 - \beta^{t+1} &= (1 - \beta) \sum_{k=0}^{t} \beta^k
/// \end{aligned}
/// ```
#[test]
fn moving_average_weights() {
    let mut rng = rng(313);
    let (eta, beta): (f64, f64) = (0.3, 0.85);
    let mut average = MovingAverage::new(eta, beta).unwrap();
    let mut weights = MovingAverage::new(eta, beta).unwrap();
    let mut theta = normal(3, 1.0, &mut rng);
    let g = normal((15, 3), 1.0, &mut rng);
    let mut v = [0.0; 3];
    for t in 0..15 {
        average.step(&mut theta, &g.row(t));
        for i in 0..3 {
            v[i] = beta * v[i] + (1.0 - beta) * g[[t, i]];
            let sum: f64 = (0..=t).map(|k| beta.powi(k as i32) * g[[t - k, i]]).sum();
            assert_close(average.velocity()[i], v[i], 1e-14);
            assert_close(average.velocity()[i], (1.0 - beta) * sum, 1e-14);
        }
        // The average of gradients that are all 1 is the sum of the weights.
        weights.step(&mut array![0.4], &array![1.0]);
        let sum: f64 = (0..=t).map(|k| beta.powi(k as i32)).sum();
        assert_close(weights.velocity()[0], 1.0 - beta.powi(t as i32 + 1), 1e-14);
        assert_close(weights.velocity()[0], (1.0 - beta) * sum, 1e-14);
    }
}

/// A moving average (bars) with its larger learning rate takes the very steps of momentum.
///
/// ```math
/// \begin{aligned}
/// \bar\theta_{t+1} &= \bar\theta_t - \bar\eta\,\bar v_{t+1}
///   \quad\text{with}\quad \beta = \mu, \quad (1 - \beta)\,\bar\eta = \eta \\
/// v_t &= -\bar\eta\,\bar v_t, \qquad \bar\theta_t = \theta_t \;\text{ for all } t
/// \end{aligned}
/// ```
#[test]
fn moving_average_takes_the_steps_of_momentum() {
    let mut rng = rng(314);
    let (eta, mu) = (0.08, 0.9);
    let eta_bar = eta / (1.0 - mu);
    let a = symmetric(&[0.5, 2.0, 6.0], &mut rng);
    let gradient = |theta: &Array1<f64>| a.dot(theta).mapv(f64::sin);
    let start = normal(3, 1.0, &mut rng);
    let mut average = MovingAverage::new(eta_bar, mu).unwrap();
    let averaged = visit(&mut average, gradient, &start, 40);
    let mut momentum = Momentum::new(eta, mu).unwrap();
    let rolled = visit(&mut momentum, gradient, &start, 40);
    // Each form of the library against the other form, written out here.
    let (mut v, mut theta) = (Array1::<f64>::zeros(3), start.clone());
    let (mut v_bar, mut theta_bar) = (Array1::<f64>::zeros(3), start.clone());
    for t in 0..40 {
        let (g, g_bar) = (gradient(&theta), gradient(&theta_bar));
        for i in 0..3 {
            v[i] = mu * v[i] - eta * g[i];
            theta[i] += v[i];
            v_bar[i] = mu * v_bar[i] + (1.0 - mu) * g_bar[i];
            theta_bar[i] -= eta_bar * v_bar[i];
        }
        assert_all_close(&averaged[t + 1], &theta, 1e-12);
        assert_all_close(&rolled[t + 1], &theta_bar, 1e-12);
    }
    assert_all_close(&v, &average.velocity().mapv(|v_bar| -eta_bar * v_bar), 1e-12);
    assert_all_close(momentum.velocity(), &v_bar.mapv(|v_bar| -eta_bar * v_bar), 1e-12);
}

/// Momentum on a bowl, along one eigenvector: error and velocity are multiplied by the same
/// two-by-two matrix in every step.
///
/// ```math
/// \begin{pmatrix} q_i^\top e_{t+1} \\ q_i^\top v_{t+1} \end{pmatrix}
/// = \underbrace{\begin{pmatrix} 1 - \eta\lambda_i & \mu \\ -\eta\lambda_i & \mu
///   \end{pmatrix}}_{M\ (2,2)}
/// \begin{pmatrix} q_i^\top e_t \\ q_i^\top v_t \end{pmatrix}
/// ```
#[test]
fn heavy_ball_matrix() {
    let mut rng = rng(315);
    let (eta, mu) = (0.2, 0.7);
    let a = symmetric(&[0.5, 2.0, 9.0], &mut rng);
    let b = normal(3, 1.0, &mut rng);
    let lowest = a.solve(&b).unwrap();
    let (lambda, q) = eigen(&a);
    let mut momentum = Momentum::new(eta, mu).unwrap();
    let mut theta = normal(3, 2.0, &mut rng);
    let mut v = Array1::<f64>::zeros(3);
    for _ in 0..10 {
        let before = (&theta - &lowest, v.clone());
        let gradient = a.dot(&theta) - &b;
        momentum.step(&mut theta, &gradient);
        v.assign(momentum.velocity());
        let after = (&theta - &lowest, v.clone());
        for i in 0..3 {
            let along = |x: &Array1<f64>| (0..3).map(|j| q[[j, i]] * x[j]).sum::<f64>();
            let (e0, v0) = (along(&before.0), along(&before.1));
            let m = [[1.0 - eta * lambda[i], mu], [-eta * lambda[i], mu]];
            assert_close(along(&after.0), m[0][0] * e0 + m[0][1] * v0, 1e-13);
            assert_close(along(&after.1), m[1][0] * e0 + m[1][1] * v0, 1e-13);
        }
    }
}

/// The characteristic polynomial of that matrix: its eigenvalues r have the product μ,
/// whatever the learning rate.
///
/// ```math
/// \det(r I - M) = r^2 - \bigl(1 + \mu - \eta\lambda\bigr)\,r + \mu
/// ```
#[test]
fn heavy_ball_characteristic_polynomial() {
    let mut rng = rng(316);
    for _ in 0..50 {
        let (eta, lambda) = (rng.random_range(0.1..1.0), rng.random_range(0.1..4.0));
        let (mu, r) = (rng.random_range(0.0..1.0), rng.random_range(-3.0..3.0));
        let m = matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda);
        let determinant = (Array2::eye(2) * r - &m).det().unwrap();
        assert_close(determinant, r * r - (1.0 + mu - eta * lambda) * r + mu, 1e-13);
    }
}

/// The two eigenvalues: real, or a conjugate pair.
///
/// ```math
/// r_\pm = \tfrac12 \Bigl( 1 + \mu - \eta\lambda
///   \pm \sqrt{\bigl(1 + \mu - \eta\lambda\bigr)^2 - 4\mu} \Bigr)
/// ```
#[test]
fn heavy_ball_eigenvalues() {
    let mut rng = rng(317);
    let (mut real, mut complex) = (0, 0);
    for _ in 0..100 {
        let (eta, lambda) = (rng.random_range(0.1..1.0), rng.random_range(0.1..5.0));
        let mu = rng.random_range(0.0..1.0);
        let m = matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda);
        let found = m.eigvals().unwrap();
        let s = c64::new(1.0 + mu - eta * lambda, 0.0);
        let root = (s * s - 4.0 * mu).sqrt();
        let expected = [(s + root) * 0.5, (s - root) * 0.5];
        // The pair comes in either order.
        let swap = (found[0] - expected[0]).norm() > (found[0] - expected[1]).norm();
        for (found, i) in found.iter().zip(if swap { [1, 0] } else { [0, 1] }) {
            assert_close(found.re, expected[i].re, 1e-7);
            assert_close(found.im, expected[i].im, 1e-7);
        }
        if root.im == 0.0 { real += 1 } else { complex += 1 }
    }
    assert!(real > 10 && complex > 10, "{real} real, {complex} complex");
}

/// Over a wide range of learning rates the eigenvalues are complex, and both have the same
/// size, which depends on the momentum alone.
///
/// ```math
/// \bigl(1 - \sqrt\mu\bigr)^2 < \eta\lambda < \bigl(1 + \sqrt\mu\bigr)^2
/// \quad\Longleftrightarrow\quad r_\pm \notin \mathbb R
/// \quad\Longrightarrow\quad |r_+| = |r_-| = \sqrt\mu
/// ```
#[test]
fn heavy_ball_complex_regime() {
    let mut rng = rng(318);
    let mut complex = 0;
    for _ in 0..200 {
        let (eta, lambda) = (rng.random_range(0.1..1.0), rng.random_range(0.1..5.0));
        let mu: f64 = rng.random_range(0.0..1.0);
        let m = matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda);
        let r = m.eigvals().unwrap();
        let low = (1.0 - mu.sqrt()).powi(2);
        let high = (1.0 + mu.sqrt()).powi(2);
        let inside = low < eta * lambda && eta * lambda < high;
        assert_eq!(r[0].im != 0.0, inside, "mu = {mu}, eta lambda = {}", eta * lambda);
        if inside {
            complex += 1;
            assert_close(r[0].norm(), mu.sqrt(), 1e-12);
            assert_close(r[1].norm(), mu.sqrt(), 1e-12);
        }
    }
    assert!((20..180).contains(&complex), "{complex} of 200");
}

/// With momentum a learning rate may be almost twice as large before the error grows.
///
/// ```math
/// \max\bigl(|r_+|, |r_-|\bigr) < 1
/// \quad\Longleftrightarrow\quad
/// 0 < \eta < \frac{2\,(1 + \mu)}{\lambda}
/// ```
#[test]
fn heavy_ball_stability_limit() {
    let mut rng = rng(319);
    for mu in [0.0, 0.3, 0.9] {
        let lambda = rng.random_range(0.3..4.0);
        for of_limit in [0.2, 0.6, 0.999, 1.001, 1.2] {
            let eta: f64 = of_limit * 2.0 * (1.0 + mu) / lambda;
            let mut momentum = Momentum::new(eta, mu).unwrap();
            let points = visit(&mut momentum, |e| e * lambda, &array![1.3], 4000);
            let late = |t: usize| f64::hypot(points[t][0], points[t - 1][0]);
            let converges = late(4000) < late(2000) || late(2000) < 1e-200;
            assert_eq!(converges, spectral_radius(&matrix_of(&mut momentum, lambda)) < 1.0);
            assert_eq!(converges, 0.0 < eta && eta < 2.0 * (1.0 + mu) / lambda, "{of_limit}");
        }
    }
}

/// The best pair puts both ends of the bowl on the two edges of the complex range: two linear
/// equations for √η and √μ.
///
/// ```math
/// \left.\begin{aligned}
/// \sqrt{\eta\,\lambda_{\min}} &= 1 - \sqrt\mu \\
/// \sqrt{\eta\,\lambda_{\max}} &= 1 + \sqrt\mu
/// \end{aligned}\right\}
/// \quad\Longrightarrow\quad
/// \sqrt\eta = \frac{2}{\sqrt{\lambda_{\max}} + \sqrt{\lambda_{\min}}}, \quad
/// \sqrt\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}
/// ```
#[test]
fn heavy_ball_both_ends() {
    let mut rng = rng(320);
    for _ in 0..20 {
        let least: f64 = rng.random_range(0.1..2.0);
        let largest: f64 = least * rng.random_range(1.5..90.0);
        // Two equations in (√η, √μ): √λ_min x + y = 1 and √λ_max x − y = 1.
        let system = array![[least.sqrt(), 1.0], [largest.sqrt(), -1.0]];
        let roots = system.solve(&array![1.0, 1.0]).unwrap();
        let kappa = largest / least;
        assert_close(roots[0], 2.0 / (largest.sqrt() + least.sqrt()), 1e-12);
        assert_close(roots[1], (kappa.sqrt() - 1.0) / (kappa.sqrt() + 1.0), 1e-12);
        // At these two edges, the eigenvalues meet: the discriminant is zero.
        let (eta, mu) = (roots[0].powi(2), roots[1].powi(2));
        for lambda in [least, largest] {
            let m = matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda);
            let (trace, determinant) = (m[[0, 0]] + m[[1, 1]], m.det().unwrap());
            assert_close(trace * trace, 4.0 * determinant, 1e-12);
        }
    }
}

/// No pair of learning rate and momentum makes the slowest direction faster than this one.
///
/// ```math
/// \eta^* = \frac{4}{\bigl(\sqrt{\lambda_{\max}} + \sqrt{\lambda_{\min}}\bigr)^2}, \qquad
/// \mu^* = \left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^{\!2}, \qquad
/// \rho^* = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}
/// ```
#[test]
fn heavy_ball_best_pair() {
    let mut rng = rng(321);
    for _ in 0..3 {
        let eigenvalues = uniform(3, 0.2, 9.0, &mut rng);
        let least = eigenvalues.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
        let slowest = |eta: f64, mu: f64| {
            let mut momentum = Momentum::new(eta, mu).unwrap();
            let radius = |&lambda: &f64| spectral_radius(&matrix_of(&mut momentum, lambda));
            eigenvalues.iter().map(radius).fold(0.0, f64::max)
        };
        let best_eta = |mu: f64| minimum_between(1e-3, 4.0 / largest, |eta| slowest(eta, mu));
        let mu = minimum_between(0.0, 0.999, |mu| slowest(best_eta(mu), mu));
        let eta = best_eta(mu);
        // At the optimum the eigenvalues are double: rounding is felt as its square root.
        let (root_max, root_min) = (largest.sqrt(), least.sqrt());
        let root_kappa = (largest / least).sqrt();
        let rate = (root_kappa - 1.0) / (root_kappa + 1.0);
        assert_close(eta, 4.0 / (root_max + root_min).powi(2), 1e-5);
        assert_close(mu, rate.powi(2), 1e-5);
        assert_close(slowest(eta, mu), rate, 1e-5);
    }
}

/// Nesterov's momentum as the library writes it: where plain momentum steps by v, it steps
/// by what the next v would be if the gradient stayed the same.
///
/// ```math
/// \begin{aligned}
/// v_{t+1} &= \mu\,v_t - \eta\,g_t \\
/// \theta_{t+1} &= \theta_t + \mu\,v_{t+1} - \eta\,g_t
/// \end{aligned}
/// ```
#[test]
fn nesterov_update() {
    let mut rng = rng(322);
    let (eta, mu) = (0.07, 0.8);
    let mut nesterov = Nesterov::new(eta, mu).unwrap();
    let mut theta = normal(5, 1.0, &mut rng);
    let (mut v, mut expected) = (Array1::<f64>::zeros(5), theta.clone());
    for _ in 0..7 {
        let g = normal(5, 1.0, &mut rng);
        nesterov.step(&mut theta, &g);
        for i in 0..5 {
            v[i] = mu * v[i] - eta * g[i];
            expected[i] = expected[i] + mu * v[i] - eta * g[i];
        }
        assert_all_close(nesterov.velocity(), &v, 1e-14);
        assert_all_close(&theta, &expected, 1e-14);
    }
}

/// Sutskever's form of the same: the gradient is taken at the point ahead, φ. The library
/// keeps φ itself as its parameters.
///
/// ```math
/// \begin{aligned}
/// v_{t+1} &= \mu\,v_t - \eta\,\nabla f(\theta_t + \mu\,v_t) \\
/// \theta_{t+1} &= \theta_t + v_{t+1}, \qquad \varphi_t = \theta_t + \mu\,v_t \\
/// \varphi_{t+1} &= \varphi_t + \mu\,v_{t+1} - \eta\,\nabla f(\varphi_t)
/// \end{aligned}
/// ```
#[test]
fn nesterov_lookahead() {
    let mut rng = rng(323);
    let (eta, mu) = (0.05, 0.85);
    let a = symmetric(&[0.5, 2.0, 6.0], &mut rng);
    // Not linear: the change of variable must not lean on the bowl.
    let gradient = |theta: &Array1<f64>| a.dot(theta) + &theta.mapv(|x| x.powi(3));
    let start = normal(3, 1.0, &mut rng);
    let mut nesterov = Nesterov::new(eta, mu).unwrap();
    let library = visit(&mut nesterov, gradient, &start, 30);
    // With v = 0 at first, φ₀ = θ₀.
    let (mut theta, mut v) = (start, Array1::<f64>::zeros(3));
    for point in &library {
        let phi: Array1<f64> = (0..3).map(|i| theta[i] + mu * v[i]).collect();
        assert_all_close(point, &phi, 1e-12);
        let g = gradient(&phi);
        for i in 0..3 {
            v[i] = mu * v[i] - eta * g[i];
            theta[i] += v[i];
        }
        let next = (0..3).map(|i| phi[i] + mu * v[i] - eta * g[i]).collect::<Array1<f64>>();
        let ahead = (0..3).map(|i| theta[i] + mu * v[i]).collect::<Array1<f64>>();
        assert_all_close(&next, &ahead, 1e-12);
    }
}

/// Nesterov's momentum along one eigenvector: the product of the eigenvalues is now smaller in
/// the steep directions, which are damped the most.
///
/// ```math
/// \begin{aligned}
/// N &= \begin{pmatrix} 1 - (1 + \mu)\,\eta\lambda & \mu^2 \\ -\eta\lambda & \mu \end{pmatrix} \\
/// \det(r I - N) &= r^2 - (1 + \mu)\,(1 - \eta\lambda)\,r + \mu\,(1 - \eta\lambda)
/// \end{aligned}
/// ```
#[test]
fn nesterov_matrix() {
    let mut rng = rng(324);
    for _ in 0..50 {
        let (eta, lambda) = (rng.random_range(0.1..1.0), rng.random_range(0.1..4.0));
        let (mu, r) = (rng.random_range(0.0..1.0), rng.random_range(-3.0..3.0));
        let found = matrix_of(&mut Nesterov::new(eta, mu).unwrap(), lambda);
        let x = eta * lambda;
        assert_all_close(&found, &array![[1.0 - (1.0 + mu) * x, mu * mu], [-x, mu]], 1e-13);
        let determinant = (Array2::eye(2) * r - &found).det().unwrap();
        let polynomial = r * r - (1.0 + mu) * (1.0 - x) * r + mu * (1.0 - x);
        assert_close(determinant, polynomial, 1e-12);
    }
}

/// At the usual setting Nesterov's momentum takes one step down the steepest direction, and
/// the flattest decides the rate.
///
/// ```math
/// \eta = \frac{1}{\lambda_{\max}}, \quad
/// \mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}
/// \quad\Longrightarrow\quad
/// \max_i \rho\bigl(N(\lambda_i)\bigr) = 1 - \frac{1}{\sqrt\kappa}
/// ```
#[test]
fn nesterov_rate() {
    let mut rng = rng(325);
    for _ in 0..20 {
        let least: f64 = rng.random_range(0.1..2.0);
        let kappa: f64 = rng.random_range(1.5..90.0);
        let mu = (kappa.sqrt() - 1.0) / (kappa.sqrt() + 1.0);
        let mut nesterov = Nesterov::new(1.0 / (kappa * least), mu).unwrap();
        let between = uniform(20, least, kappa * least, &mut rng);
        let lambdas = between.iter().copied().chain([least, kappa * least]);
        let radius = lambdas.map(|l| spectral_radius(&matrix_of(&mut nesterov, l)));
        // The eigenvalue is double: rounding is felt as its square root.
        assert_close(radius.fold(0.0, f64::max), 1.0 - 1.0 / kappa.sqrt(), 1e-6);
    }
}

/// n samples with k inputs and one target each, and a network without hidden layers that is to
/// fit them: its parameters are the k weights and the bias.
fn regression(n: usize, k: usize, rng: &mut ChaCha8Rng) -> Regression {
    let (x, y) = (normal((n, k), 1.0, rng), normal((n, 1), 1.5, rng));
    let network = linear(&normal(k + 1, 1.0, rng));
    Regression { x, y, network }
}

struct Regression {
    x: Array2<f64>,
    y: Array2<f64>,
    network: NeuralNetwork<f64>,
}

fn linear(w: &Array1<f64>) -> NeuralNetwork<f64> {
    let descent = GradientDescent::new(1.0).unwrap();
    let sizes = [w.len() - 1, 1];
    let output = Elementwise(Identity);
    let mut network =
        NeuralNetwork::new(&sizes, Identity, output, MeanSquaredError, descent, Init::LeCun, 1)
            .unwrap();
    network.set_params(w).unwrap();
    network
}

impl Regression {
    /// The gradient of the library over these samples.
    fn gradient(&self, rows: &[usize]) -> Array1<f64> {
        let (x, y) = (self.x.select(Axis(0), rows), self.y.select(Axis(0), rows));
        self.network.loss_and_gradient(&x, &y).unwrap().1
    }

    /// The gradient of the squared error of sample i: 2 (x̃ᵢᵀw − yᵢ) x̃ᵢ.
    fn gradient_of_one(&self, i: usize) -> Array1<f64> {
        let (x, w) = (self.with_ones(), self.network.params());
        let error = (0..w.len()).map(|j| x[[i, j]] * w[j]).sum::<f64>() - self.y[[i, 0]];
        (0..w.len()).map(|j| 2.0 * error * x[[i, j]]).collect()
    }

    /// X̃: the inputs and a column of ones.
    fn with_ones(&self) -> Array2<f64> {
        let ones = Array2::ones((self.x.nrows(), 1));
        concatenate(Axis(1), &[self.x.view(), ones.view()]).unwrap()
    }
}

/// All sets of b of the numbers below n.
fn subsets(n: u32, b: u32) -> Vec<Vec<usize>> {
    let members = |set: u32| (0..n as usize).filter(|i| set >> i & 1 == 1).collect();
    (0..1 << n).filter(|set: &u32| set.count_ones() == b).map(members).collect()
}

/// Fitting a straight line is rolling down a bowl: the mean squared error of a linear model is
/// a quadratic in its parameters. A column of ones in X̃ makes the bias one more weight.
///
/// ```math
/// \begin{aligned}
/// L(w) &= \frac1n \sum_{i=1}^{n} \bigl(\tilde x_i^\top w - y_i\bigr)^2, \qquad
///   \tilde X = \bigl[\,X \;\; \mathbf 1\,\bigr] \\
/// \nabla L(w) &= \frac2n\,\underset{(k+1,n)}{\tilde X^\top}
///   \bigl(\underset{(n,k+1)}{\tilde X}\,\underset{(k+1)}{w} - \underset{(n)}{y}\bigr)
///   = A\,w - b, \qquad
///   A = \tfrac2n \tilde X^\top \tilde X, \quad b = \tfrac2n \tilde X^\top y
/// \end{aligned}
/// ```
#[test]
fn least_squares_is_a_bowl() {
    let mut rng = rng(326);
    for (n, k) in [(1, 1), (7, 3), (4, 6)] {
        let case = regression(n, k, &mut rng);
        let (x, y, w) = (case.with_ones(), &case.y, case.network.params());
        let loss = |w: &Array1<f64>| {
            let error = |i: usize| (0..=k).map(|j| x[[i, j]] * w[j]).sum::<f64>() - y[[i, 0]];
            (0..n).map(|i| error(i).powi(2)).sum::<f64>() / n as f64
        };
        assert_all_close(&gradient(loss, w), &case.gradient(&Vec::from_iter(0..n)), 1e-8);

        let (value, found) = case.network.loss_and_gradient(&case.x, y).unwrap();
        assert_close(value, loss(w), 1e-13);
        let two_over_n = 2.0 / n as f64;
        let a = Array2::from_shape_fn((k + 1, k + 1), |(i, j)| {
            two_over_n * (0..n).map(|s| x[[s, i]] * x[[s, j]]).sum::<f64>()
        });
        let b = Array1::from_shape_fn(k + 1, |i| {
            two_over_n * (0..n).map(|s| x[[s, i]] * y[[s, 0]]).sum::<f64>()
        });
        let bowl = (0..=k).map(|i| (0..=k).map(|j| a[[i, j]] * w[j]).sum::<f64>() - b[i]);
        assert_all_close(&found, &bowl.collect::<Array1<f64>>(), 1e-13);
        let middle = (0..=k).map(|j| {
            let error = |i: usize| (0..=k).map(|l| x[[i, l]] * w[l]).sum::<f64>() - y[[i, 0]];
            two_over_n * (0..n).map(|i| x[[i, j]] * error(i)).sum::<f64>()
        });
        assert_all_close(&found, &middle.collect::<Array1<f64>>(), 1e-13);
    }
}

/// The gradient of a mini-batch is right on average: over all batches B of b samples, its mean
/// is the gradient over all n samples.
///
/// ```math
/// g_B = \frac1b \sum_{i \in B} \nabla L_i(w)
/// \quad\Longrightarrow\quad
/// \binom{n}{b}^{\!-1} \sum_{|B| = b} g_B = \frac1n \sum_{i=1}^{n} \nabla L_i(w) = \nabla L(w)
/// ```
#[test]
fn minibatch_is_unbiased() {
    let mut rng = rng(327);
    let (n, k) = (7, 3);
    let case = regression(n, k, &mut rng);
    let full = (0..n).map(|i| case.gradient_of_one(i)).reduce(|a, b| a + b).unwrap() / n as f64;
    assert_all_close(&case.gradient(&Vec::from_iter(0..n)), &full, 1e-13);
    for b in 1..=n {
        let batches = subsets(n as u32, b as u32);
        let mut mean = Array1::<f64>::zeros(k + 1);
        for batch in &batches {
            let sum = batch.iter().map(|&i| case.gradient_of_one(i)).reduce(|a, b| a + b).unwrap();
            assert_all_close(&case.gradient(batch), &(sum / b as f64), 1e-13);
            mean += &(case.gradient(batch) / batches.len() as f64);
        }
        assert_all_close(&mean, &full, 1e-13);
    }
}

/// How far a mini-batch is off: the variance of the samples' gradients, divided by the batch
/// size, and by a little more because no sample is drawn twice.
///
/// ```math
/// \binom{n}{b}^{\!-1} \sum_{|B| = b} \bigl\lVert g_B - \nabla L \bigr\rVert^2
///   = \frac{n - b}{n - 1} \cdot \frac{\sigma^2}{b}, \qquad
/// \sigma^2 = \frac1n \sum_{i=1}^{n} \bigl\lVert \nabla L_i - \nabla L \bigr\rVert^2
/// ```
#[test]
fn minibatch_noise() {
    let mut rng = rng(328);
    let (n, k) = (7, 2);
    let case = regression(n, k, &mut rng);
    let full = case.gradient(&Vec::from_iter(0..n));
    let square = |x: Array1<f64>| x.iter().map(|x| x * x).sum::<f64>();
    let each = (0..n).map(|i| square(case.gradient_of_one(i) - &full));
    let variance = each.sum::<f64>() / n as f64;
    for b in 1..=n {
        let batches = subsets(n as u32, b as u32);
        let off: f64 = batches.iter().map(|batch| square(case.gradient(batch) - &full)).sum();
        let (n, b) = (n as f64, b as f64);
        let expected = (n - b) / (n - 1.0) * variance / b;
        assert_close(off / batches.len() as f64, expected, 1e-12);
    }
}

/// A mean that is taken twice (published bug): every gradient is n times too small, and
/// gradient descent learns as if its learning rate were η/n.
///
/// ```math
/// g' = \frac1n \cdot \frac1n \sum_{i=1}^{n} \nabla L_i(w) = \frac1n\,\nabla L(w)
/// \quad\Longrightarrow\quad
/// w - \eta\,g' = w - \frac{\eta}{n}\,\nabla L(w)
/// ```
#[test]
fn twice_averaged_gradient() {
    let mut rng = rng(329);
    let (n, k, eta) = (8, 3, 0.4);
    let case = regression(n, k, &mut rng);
    let sum = (0..n).map(|i| case.gradient_of_one(i)).reduce(|a, b| a + b).unwrap();
    let wrong = &sum * (1.0 / n as f64) * (1.0 / n as f64);
    let right = case.gradient(&Vec::from_iter(0..n));
    for i in 0..=k {
        assert_close(wrong[i] / right[i], 0.125, 1e-13);
    }
    let w = case.network.params();
    let mut stepped = w.clone();
    GradientDescent::new(eta).unwrap().step(&mut stepped, &wrong);
    let expected = (0..=k).map(|i| w[i] - eta / n as f64 * right[i]).collect::<Array1<f64>>();
    assert_all_close(&stepped, &expected, 1e-13);

    // A gradient check sees it at once.
    let loss =
        |w: &ArrayRef1<f64>| linear(&w.to_owned()).loss_and_gradient(&case.x, &case.y).unwrap().0;
    assert!(Check::default().gradient(loss, w, &right).unwrap().passed);
    let verdict = Check::default().gradient(loss, w, &wrong).unwrap();
    assert!(!verdict.passed && (verdict.error - 0.875).abs() < 1e-6, "{verdict}");
}

/// Why nobody notices: Adam divides by the size of the gradient (here without its small ε), so
/// gradients that are all c times too small lead to the same steps.
///
/// ```math
/// \theta_t - \theta_{t+1}
///   = \eta\,\frac{\hat m_{t+1}}{\sqrt{\hat v_{t+1}}}
///   = \eta\;\frac{\dfrac{1 - \beta_1}{1 - \beta_1^{t+1}} \displaystyle\sum_{k=0}^{t} \beta_1^k\, c\,g_{t-k}}
///     {\sqrt{\dfrac{1 - \beta_2}{1 - \beta_2^{t+1}} \displaystyle\sum_{k=0}^{t} \beta_2^k\, c^2 g_{t-k}^2}}
///   \quad\text{is the same for every } c > 0
/// ```
#[test]
fn adam_forgets_the_scale() {
    let mut rng = rng(330);
    let (eta, beta1, beta2): (f64, f64, f64) = (0.01, 0.9, 0.999);
    let g = normal(30, 1.0, &mut rng);
    // The recursion on the true gradients …
    let (mut m, mut v) = (0.0, 0.0);
    for t in 0..30 {
        m = beta1 * m + (1.0 - beta1) * g[t];
        v = beta2 * v + (1.0 - beta2) * g[t] * g[t];
        let m_hat = m / (1.0 - beta1.powi(t as i32 + 1));
        let v_hat = v / (1.0 - beta2.powi(t as i32 + 1));
        let step = eta * m_hat / v_hat.sqrt();
        // … and the formula on gradients that are too small, or too large.
        for c in [0.125, 1.0, 60.0] {
            let sum1: f64 = (0..=t).map(|k| beta1.powi(k as i32) * c * g[t - k]).sum();
            let sum2: f64 = (0..=t).map(|k| beta2.powi(k as i32) * (c * g[t - k]).powi(2)).sum();
            let top = (1.0 - beta1) / (1.0 - beta1.powi(t as i32 + 1)) * sum1;
            let below = ((1.0 - beta2) / (1.0 - beta2.powi(t as i32 + 1)) * sum2).sqrt();
            assert_close(step / eta, top / below, 1e-10);
        }
    }
}

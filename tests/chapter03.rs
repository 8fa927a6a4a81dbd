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
/// f(\theta) &= \tfrac12\,\underset{(1, p)}{\mathstrut \theta^\top}\,
///   \underset{(p, p)}{\mathstrut A}\,\underset{(p)}{\mathstrut \theta}
///   - \underset{(1, p)}{\mathstrut b^\top}\,\underset{(p)}{\mathstrut \theta} \\
///   &= \tfrac12 \sum_{i,j} \theta_i\,A_{ij}\,\theta_j - \sum_i b_i\,\theta_i \\
/// \frac{\partial f}{\partial \theta_k}
///   &= \tfrac12 \sum_j A_{kj}\,\theta_j + \tfrac12 \sum_i \theta_i\,A_{ik} - b_k \\
/// \nabla f(\theta) &= \tfrac12\,\bigl(A + A^\top\bigr)\,\theta - b \\
///   &\overset{A = A^\top}{=} A\,\theta - b
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
        for k in 0..p {
            let row: f64 = (0..p).map(|j| a[[k, j]] * theta[j]).sum();
            let column: f64 = (0..p).map(|i| theta[i] * a[[i, k]]).sum();
            assert_close(measured[k], 0.5 * row + 0.5 * column - b[k], 1e-8);
        }
        let value = 0.5 * theta.dot(&a.dot(&theta)) - b.dot(&theta);
        assert_close(value, quadratic(&a, &b, &theta), 1e-13);

        let a = symmetric(normal(p, 1.0, &mut rng).as_slice().unwrap(), &mut rng);
        let one = (0..p).map(|i| (0..p).map(|j| a[[i, j]] * theta[j]).sum::<f64>() - b[i]);
        let measured = gradient(|theta| quadratic(&a, &b, theta), &theta);
        assert_all_close(&measured, &one.collect::<Array1<f64>>(), 1e-8);
    }
}

/// Seen from the point where the gradient is zero, a bowl has no linear part: what is left
/// is the height above that point.
///
/// ```math
/// \begin{aligned}
/// \underset{(p, p)}{\mathstrut A}\,\underset{(p)}{\mathstrut \theta^*}
///   &= \underset{(p)}{\mathstrut b}, \qquad e = \theta - \theta^* \\
/// f(\theta^* + e)
///   &= \tfrac12\,(\theta^* + e)^\top A\,(\theta^* + e) - b^\top (\theta^* + e) \\
///   &= f(\theta^*) + e^\top \bigl(A\,\theta^* - b\bigr) + \tfrac12\,e^\top A\,e \\
///   &= f(\theta^*) + \tfrac12\,\underset{(1, p)}{\mathstrut e^\top}\,
///     \underset{(p, p)}{\mathstrut A}\,\underset{(p)}{\mathstrut e}
/// \end{aligned}
/// ```
#[test]
fn bowl_completed_square() {
    let mut rng = rng(302);
    for eigenvalues in [vec![0.3, 4.0], vec![0.2, 1.0, 2.5, 7.0]] {
        let p = eigenvalues.len();
        let a = symmetric(&eigenvalues, &mut rng);
        let (b, e) = (normal(p, 1.0, &mut rng), normal(p, 2.0, &mut rng));
        let lowest = a.solve(&b).unwrap();
        assert_all_close(&gradient(|x| quadratic(&a, &b, x), &lowest), &Array1::zeros(p), 1e-7);

        let (at, height) = (quadratic(&a, &b, &lowest), quadratic(&a, &Array1::zeros(p), &e));
        assert_close(quadratic(&a, &b, &(&lowest + &e)), at + height, 1e-12);
        // The third line holds from every point, not from the lowest alone.
        let other = normal(p, 1.0, &mut rng);
        let slope: f64 =
            (0..p).map(|i| e[i] * ((0..p).map(|j| a[[i, j]] * other[j]).sum::<f64>() - b[i])).sum();
        let line = quadratic(&a, &b, &other) + slope + height;
        assert_close(quadratic(&a, &b, &(&other + &e)), line, 1e-12);
    }
}

/// The eigenvectors of a symmetric matrix are as good a set of axes as any: perpendicular, of
/// length 1, and enough to reach every point.
///
/// ```math
/// \begin{aligned}
/// \underset{(p, p)}{\mathstrut A}\,\underset{(p)}{\mathstrut q_i}
///   &= \lambda_i\,\underset{(p)}{\mathstrut q_i}, \qquad
/// q_i^\top q_j = \begin{cases} 1 & i = j \\ 0 & i \ne j \end{cases} \\
/// e &= \sum_{i=1}^{p} \underset{\text{scalar}}{\mathstrut (q_i^\top e)}\;
///   \underset{(p)}{\mathstrut q_i}, \qquad
/// \lVert e \rVert^2 = \sum_{i=1}^{p} \bigl(q_i^\top e\bigr)^2
/// \end{aligned}
/// ```
#[test]
fn bowl_eigenvectors() {
    let mut rng = rng(331);
    for eigenvalues in [vec![0.3, 4.0], vec![0.2, 1.0, 2.5, 7.0]] {
        let p = eigenvalues.len();
        let a = symmetric(&eigenvalues, &mut rng);
        let (lambda, q) = eigen(&a);
        let e = normal(p, 2.0, &mut rng);
        let mut sum = Array1::<f64>::zeros(p);
        let mut squares = 0.0;
        for i in 0..p {
            assert_close(lambda[i], eigenvalues[i], 1e-13);
            let product = (0..p).map(|k| (0..p).map(|l| a[[k, l]] * q[[l, i]]).sum::<f64>());
            let scaled = q.column(i).mapv(|q| lambda[i] * q);
            assert_all_close(&product.collect::<Array1<f64>>(), &scaled, 1e-13);
            for j in 0..p {
                let product: f64 = (0..p).map(|k| q[[k, i]] * q[[k, j]]).sum();
                assert_close(product, if i == j { 1.0 } else { 0.0 }, 1e-13);
            }
            let along: f64 = (0..p).map(|k| q[[k, i]] * e[k]).sum();
            (0..p).for_each(|k| sum[k] += along * q[[k, i]]);
            squares += along * along;
        }
        assert_all_close(&sum, &e, 1e-13);
        assert_close(norm(&e).powi(2), squares, 1e-13);
    }
}

/// The height above the lowest point: along each eigenvector a parabola of its own, as steep
/// as its eigenvalue.
///
/// ```math
/// \begin{aligned}
/// f(\theta) - f(\theta^*) &= \tfrac12\, e^\top A\, e \\
///   &= \tfrac12\, e^\top \sum_{i=1}^{p} \bigl(q_i^\top e\bigr)\,A\,q_i \\
///   &= \tfrac12\, e^\top \sum_{i=1}^{p} \bigl(q_i^\top e\bigr)\,\lambda_i\,q_i \\
///   &= \tfrac12 \sum_{i=1}^{p} \lambda_i \bigl(q_i^\top e\bigr)^2
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
        let e = &theta - &lowest;
        let height = quadratic(&a, &b, &theta) - quadratic(&a, &b, &lowest);
        assert_close(height, quadratic(&a, &Array1::zeros(p), &e), 1e-12);
        let (lambda, q) = eigen(&a);
        let along = |i: usize| (0..p).map(|j| q[[j, i]] * e[j]).sum::<f64>();
        let (mut product, mut scaled, mut sum) = (0.0, 0.0, 0.0);
        for i in 0..p {
            for k in 0..p {
                let a_q: f64 = (0..p).map(|l| a[[k, l]] * q[[l, i]]).sum();
                product += e[k] * along(i) * a_q;
                scaled += e[k] * along(i) * lambda[i] * q[[k, i]];
            }
            sum += lambda[i] * along(i).powi(2);
        }
        assert_close(height, 0.5 * product, 1e-12);
        assert_close(height, 0.5 * scaled, 1e-12);
        assert_close(height, 0.5 * sum, 1e-12);
    }
}

/// Gradient descent on a bowl: each step multiplies the error by the same matrix.
///
/// ```math
/// \begin{aligned}
/// \underset{(p)}{\mathstrut \theta_{t+1}} &= \underset{(p)}{\mathstrut \theta_t}
///   - \eta\,\bigl(\underset{(p, p)}{\mathstrut A}\,\underset{(p)}{\mathstrut \theta_t}
///   - \underset{(p)}{\mathstrut b}\bigr) \\
/// \theta_{t+1} - \theta^*
///   &= \theta_t - \theta^* - \eta\,\bigl(A\,\theta_t - A\,\theta^*\bigr) \\
/// e_{t+1} &= e_t - \eta\,A\,e_t
///   = \bigl(\underset{(p, p)}{\mathstrut I} - \eta\,\underset{(p, p)}{\mathstrut A}\bigr)\,
///     \underset{(p)}{\mathstrut e_t}
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
        let product = |x: &Array1<f64>, i: usize| (0..p).map(|j| a[[i, j]] * x[j]).sum::<f64>();
        let two = (0..p).map(|i| e[i] - eta * (product(&pair[0], i) - product(&lowest, i)));
        assert_all_close(&(&pair[1] - &lowest), &two.collect::<Array1<f64>>(), 1e-13);
    }
}

/// Along each eigenvector the error shrinks on its own, by a factor that is the same in every
/// step.
///
/// ```math
/// \begin{aligned}
/// q_i^\top e_{t+1} &= q_i^\top e_t - \eta\,q_i^\top A\,e_t \\
///   &= q_i^\top e_t - \eta\,\bigl(A\,q_i\bigr)^\top e_t \\
///   &= \bigl(1 - \eta\lambda_i\bigr)\; q_i^\top e_t \\
/// q_i^\top e_t &= \bigl(1 - \eta\lambda_i\bigr)^t\; q_i^\top e_0
/// \end{aligned}
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
            let Some(next) = points.get(t + 1) else { continue };
            assert_close(along(next), factor * along(theta), 1e-11);
            let (mut q_a_e, mut a_q_e) = (0.0, 0.0);
            for k in 0..4 {
                for l in 0..4 {
                    q_a_e += q[[k, i]] * a[[k, l]] * (theta[l] - lowest[l]);
                    a_q_e += a[[k, l]] * q[[l, i]] * (theta[k] - lowest[k]);
                }
            }
            assert_close(along(next), along(theta) - eta * q_a_e, 1e-11);
            assert_close(along(next), along(theta) - eta * a_q_e, 1e-11);
        }
    }
}

/// Gradient descent converges from every start if, and only if, the learning rate is below a
/// limit that the steepest direction alone decides.
///
/// ```math
/// \begin{aligned}
/// & \bigl|1 - \eta\lambda_i\bigr| < 1 \;\text{ for all } i \\
/// \Longleftrightarrow\quad & {-1} < 1 - \eta\lambda_i < 1 \;\text{ for all } i \\
/// \Longleftrightarrow\quad & 0 < \eta\lambda_i < 2 \;\text{ for all } i \\
/// \Longleftrightarrow\quad & 0 < \eta < \frac{2}{\lambda_{\max}}
/// \end{aligned}
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
            let between = |lo: f64, x: f64, hi: f64| lo < x && x < hi;
            assert_eq!(converges, eigenvalues.iter().all(|l| between(-1.0, 1.0 - eta * l, 1.0)));
            assert_eq!(converges, eigenvalues.iter().all(|l| between(0.0, eta * l, 2.0)));
            assert_eq!(converges, 0.0 < eta && eta < 2.0 / largest, "{of_limit} of the limit");
        }
    }
}

/// The rate at which the error shrinks in the end: the flattest or the steepest direction
/// decides, whichever is slower.
///
/// ```math
/// \begin{aligned}
/// \lVert e_t \rVert^2
///   &= \sum_{i=1}^{p} \bigl(1 - \eta\lambda_i\bigr)^{2t}\,\bigl(q_i^\top e_0\bigr)^2 \\
/// \lim_{t\to\infty} \frac{\lVert e_{t+1}\rVert}{\lVert e_t\rVert}
///   &= \max_i \bigl|1 - \eta\lambda_i\bigr| \\
///   &= \max\bigl(1 - \eta\lambda_{\min},\; \eta\lambda_{\max} - 1\bigr)
/// \end{aligned}
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
        let (lambda, q) = eigen(&a);
        for t in [0, 1, 2, 5, 9] {
            let square: f64 = (0..4)
                .map(|i| (1.0 - eta * lambda[i]).powi(2 * t) * q.column(i).dot(&start).powi(2))
                .sum();
            assert_close(norm(&points[t as usize]).powi(2), square, 1e-12);
        }
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
/// \begin{aligned}
/// 1 - \eta^*\lambda_{\min} &= \eta^*\lambda_{\max} - 1 \\
/// \eta^* &= \frac{2}{\lambda_{\min} + \lambda_{\max}} \\
/// \max_i \bigl|1 - \eta^*\lambda_i\bigr|
///   &= \frac{2\,\lambda_{\max}}{\lambda_{\min} + \lambda_{\max}} - 1 \\
///   &= \frac{\lambda_{\max} - \lambda_{\min}}{\lambda_{\max} + \lambda_{\min}} \\
///   &= \frac{\kappa - 1}{\kappa + 1}
/// \end{aligned}
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
        assert_close(1.0 - best * least, best * largest - 1.0, 1e-9);
        assert_close(slowest(best), 2.0 * largest / (least + largest) - 1.0, 1e-9);
        assert_close(slowest(best), (largest - least) / (largest + least), 1e-9);
    }
}

/// How many steps divide the error by 1/ε at the best learning rate: about in proportion to
/// the condition number.
///
/// ```math
/// \begin{aligned}
/// \Bigl(\frac{\kappa - 1}{\kappa + 1}\Bigr)^{T} &\le \varepsilon \\
/// \Longleftrightarrow\quad
///   T &\ge \ln\frac1\varepsilon \bigg/ \ln\frac{\kappa + 1}{\kappa - 1} \\
/// \ln\frac{\kappa + 1}{\kappa - 1}
///   &= \ln\Bigl(1 + \frac1\kappa\Bigr) - \ln\Bigl(1 - \frac1\kappa\Bigr) \\
///   &= \frac2\kappa + \frac{2}{3\kappa^3} + \dots \\
/// T &\approx \frac{\kappa}{2}\,\ln\frac1\varepsilon
/// \end{aligned}
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
        // The next term of the series is 2/(5κ⁵), and all that follow are smaller.
        let log = ((kappa + 1.0) / (kappa - 1.0)).ln();
        assert_close(log, (1.0 / kappa).ln_1p() - (-1.0 / kappa).ln_1p(), 1e-13);
        let rest = log - 2.0 / kappa - 2.0 / (3.0 * kappa.powi(3));
        let next = 2.0 / (5.0 * kappa.powi(5));
        assert!((-1e-15..2.0 * next + 1e-15).contains(&rest), "{rest} against {next}");
        // So what is left out of T is smaller by a factor of κ²/3.
        let about = kappa / 2.0 * epsilon.recip().ln();
        assert!(((about - exact) / about).abs() < 1.0 / (kappa * kappa), "kappa = {kappa}");
    }
}

/// A ball of mass 1 that rolls down a surface: gravity pulls it downhill, and friction brakes
/// it in proportion to its speed.
///
/// ```math
/// \underset{\text{acceleration}}{\mathstrut \ddot\theta}
///   = \underset{\text{downhill}}{\mathstrut -\nabla f(\theta)}
///   \;-\; \underset{\text{friction}}{\mathstrut \gamma\,\dot\theta}
/// ```
#[test]
fn heavy_ball_law_of_motion() {
    let (lambda, friction): (f64, f64) = (3.0, 0.7);
    // On the parabola ½ λ θ², let go at rest from 1: a damped oscillation.
    let omega = (lambda - friction * friction / 4.0).sqrt();
    let ball = |time: f64| {
        let sin_cos = (omega * time).cos() + friction / (2.0 * omega) * (omega * time).sin();
        (-friction * time / 2.0).exp() * sin_cos
    };
    for time in [0.3, 1.0, 2.2] {
        let (h, speed) = (1e-4, slope(ball, time));
        let acceleration = (ball(time + h) - 2.0 * ball(time) + ball(time - h)) / (h * h);
        assert_close(acceleration, -lambda * ball(time) - friction * speed, 1e-6);
    }
    // Momentum follows it, with an error in proportion to its interval h.
    let off = |h: f64| {
        let mut momentum = Momentum::new(h * h, 1.0 - friction * h).unwrap();
        let steps = (2.0 / h).round() as usize;
        let points = visit(&mut momentum, |theta| theta * lambda, &array![1.0], steps);
        (points[steps][0] - ball(2.0)).abs()
    };
    assert!(off(1e-3) < 2e-3, "{}", off(1e-3));
    assert_close(off(1e-3) / off(5e-4), 2.0, 0.02);
}

/// The ball seen at intervals of h, with differences instead of derivatives: each step is a
/// share of the step before, and a new one downhill.
///
/// ```math
/// \begin{aligned}
/// \frac{\theta_{t+1} - 2\,\theta_t + \theta_{t-1}}{h^2}
///   &= -g_t - \gamma\,\frac{\theta_t - \theta_{t-1}}{h} \\
/// \theta_{t+1} - \theta_t
///   &= \underbrace{(1 - \gamma h)}_{\mu}\,\bigl(\theta_t - \theta_{t-1}\bigr)
///   - \underbrace{\mathstrut h^2}_{\eta}\,g_t
/// \end{aligned}
/// ```
#[test]
fn heavy_ball_equation_of_motion() {
    let mut rng = rng(310);
    let (h, friction): (f64, f64) = (0.3, 0.7);
    // Not a bowl: f = Σ (θᵢ⁴/4 − θᵢ) + θ₀ θ₁.
    let g = |theta: &Array1<f64>| {
        array![theta[0].powi(3) - 1.0 + theta[1], theta[1].powi(3) - 1.0 + theta[0]]
    };
    let mut momentum = Momentum::new(h * h, 1.0 - friction * h).unwrap();
    let points = visit(&mut momentum, g, &normal(2, 1.0, &mut rng), 20);
    for at in points.windows(3) {
        for i in 0..2 {
            let acceleration = (at[2][i] - 2.0 * at[1][i] + at[0][i]) / (h * h);
            let braking = friction * (at[1][i] - at[0][i]) / h;
            assert_close(acceleration, -g(&at[1])[i] - braking, 1e-12);
            let step = (1.0 - friction * h) * (at[1][i] - at[0][i]) - h * h * g(&at[1])[i];
            assert_close(at[2][i] - at[1][i], step, 1e-12);
        }
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
/// \begin{aligned}
/// g_0 &= g_1 = \dots = g \\
/// v_t &= -\eta\,\bigl(1 + \mu + \dots + \mu^{t-1}\bigr)\,g \\
///   &= -\eta\,\frac{1 - \mu^t}{1 - \mu}\,g
///   \;\xrightarrow{\;t\to\infty\;}\; -\frac{\eta\,g}{1 - \mu}
/// \end{aligned}
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
            assert_close(grown, (0..t).map(|k| mu.powi(k)).sum(), 1e-13);
            for i in 0..3 {
                assert_close(momentum.velocity()[i], -eta * grown * g[i], 1e-13);
            }
        }
        for i in 0..3 {
            assert_close(momentum.velocity()[i], -eta * g[i] / (1.0 - mu), 1e-13);
        }
    }
}

/// Where the gradient changes sign from step to step, the velocity stays smaller than one step
/// of gradient descent: momentum 0.9 nearly halves it.
///
/// ```math
/// \begin{aligned}
/// g_t &= (-1)^t\,g \\
/// v_t &= -\eta\,\frac{1 - (-\mu)^t}{1 + \mu}\,g_{t-1} \\
/// \frac{1 - (-\mu)^t}{1 + \mu} &\;\xrightarrow{\;t\to\infty\;}\; \frac{1}{1 + \mu}
/// \end{aligned}
/// ```
#[test]
fn momentum_on_alternating_slopes() {
    let mut rng = rng(332);
    for (eta, mu) in [(0.2_f64, 0.5_f64), (0.03, 0.9), (1.5, 0.0)] {
        let mut momentum = Momentum::new(eta, mu).unwrap();
        let (mut theta, g) = (normal(3, 1.0, &mut rng), normal(3, 1.0, &mut rng));
        let mut last = g.clone();
        for t in 1..=400 {
            last = g.mapv(|g| if t % 2 == 1 { g } else { -g });
            momentum.step(&mut theta, &last);
            let share = (1.0 - (-mu).powi(t)) / (1.0 + mu);
            for i in 0..3 {
                assert_close(momentum.velocity()[i], -eta * share * last[i], 1e-13);
            }
        }
        for i in 0..3 {
            assert_close(momentum.velocity()[i], -eta * last[i] / (1.0 + mu), 1e-13);
        }
    }
}

/// A moving average of the gradients weighs them alike, but its weights sum to a little less
/// than 1 at first.
///
/// ```math
/// \begin{aligned}
/// \bar v_{t+1} &= \beta\,\bar v_t + (1 - \beta)\,g_t \\
///   &= (1 - \beta) \sum_{k=0}^{t} \beta^k\, g_{t-k} \\
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
/// \bar\theta_{t+1} &= \bar\theta_t - \bar\eta\,\bar v_{t+1} \\
/// -\bar\eta\,\bar v_{t+1}
///   &= \beta\,\bigl(-\bar\eta\,\bar v_t\bigr) - \bar\eta\,(1 - \beta)\,g_t \\[6pt]
/// \beta = \mu, \;\; \bar\eta &= \frac{\eta}{1 - \mu} \\
///   \Longrightarrow\quad
///   -\bar\eta\,\bar v_t &= v_t, \;\; \bar\theta_t = \theta_t
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
            let second = mu * (-eta_bar * v_bar[i]) - eta_bar * (1.0 - mu) * g_bar[i];
            v_bar[i] = mu * v_bar[i] + (1.0 - mu) * g_bar[i];
            assert_close(-eta_bar * v_bar[i], second, 1e-13);
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
/// \begin{aligned}
/// a_t &= q_i^\top e_t, \qquad w_t = q_i^\top v_t \\
/// w_{t+1} &= \mu\,w_t - \eta\lambda_i\,a_t \\
/// a_{t+1} &= a_t + w_{t+1} = \bigl(1 - \eta\lambda_i\bigr)\,a_t + \mu\,w_t \\
/// \underset{(2)}{\begin{pmatrix} a_{t+1} \\ w_{t+1} \end{pmatrix}}
/// &= \underset{M,\;(2, 2)}{\begin{pmatrix} 1 - \eta\lambda_i & \mu \\ -\eta\lambda_i & \mu
///   \end{pmatrix}}
/// \underset{(2)}{\begin{pmatrix} a_t \\ w_t \end{pmatrix}}
/// \end{aligned}
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
            let (a0, w0) = (along(&before.0), along(&before.1));
            let (a1, w1) = (along(&after.0), along(&after.1));
            let m = [[1.0 - eta * lambda[i], mu], [-eta * lambda[i], mu]];
            assert_close(a1, m[0][0] * a0 + m[0][1] * w0, 1e-13);
            assert_close(w1, m[1][0] * a0 + m[1][1] * w0, 1e-13);
            assert_close(w1, mu * w0 - eta * lambda[i] * a0, 1e-13);
            assert_close(a1, a0 + w1, 1e-13);
        }
    }
}

/// The characteristic polynomial of that matrix: its eigenvalues r have the product μ,
/// whatever the learning rate.
///
/// ```math
/// \begin{aligned}
/// \chi(r) &= \det(r I - M) \\
///   &= \bigl(r - 1 + \eta\lambda\bigr)\,(r - \mu) + \mu\,\eta\lambda \\
///   &= r^2 - \bigl(1 + \mu - \eta\lambda\bigr)\,r + \mu
/// \end{aligned}
/// ```
#[test]
fn heavy_ball_characteristic_polynomial() {
    let mut rng = rng(316);
    for _ in 0..50 {
        let (eta, lambda) = (rng.random_range(0.1..1.0), rng.random_range(0.1..4.0));
        let (mu, r) = (rng.random_range(0.0..1.0), rng.random_range(-3.0..3.0));
        let m = matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda);
        let determinant = (Array2::eye(2) * r - &m).det().unwrap();
        let expanded = (r - 1.0 + eta * lambda) * (r - mu) + mu * eta * lambda;
        assert_close(determinant, expanded, 1e-13);
        assert_close(determinant, r * r - (1.0 + mu - eta * lambda) * r + mu, 1e-13);
    }
}

/// The error along one eigenvector without the velocity: each error follows from the two before
/// it.
///
/// ```math
/// \begin{aligned}
/// w_t &= a_t - a_{t-1} \\
/// a_{t+1} &= a_t + \mu\,\bigl(a_t - a_{t-1}\bigr) - \eta\lambda\,a_t \\
///   &= \bigl(1 + \mu - \eta\lambda\bigr)\,a_t - \mu\,a_{t-1}
/// \end{aligned}
/// ```
#[test]
fn heavy_ball_three_terms() {
    let mut rng = rng(333);
    let (eta, mu) = (0.2, 0.7);
    let a = symmetric(&[0.5, 2.0, 9.0], &mut rng);
    let (lambda, q) = eigen(&a);
    let mut momentum = Momentum::new(eta, mu).unwrap();
    let start = normal(3, 2.0, &mut rng);
    let points = visit(&mut momentum, |theta| a.dot(theta), &start, 12);
    for i in 0..3 {
        let along = |t: usize| (0..3).map(|j| q[[j, i]] * points[t][j]).sum::<f64>();
        for t in 1..12 {
            let (before, now) = (along(t - 1), along(t));
            let x = eta * lambda[i];
            assert_close(along(t + 1), now + mu * (now - before) - x * now, 1e-12);
            assert_close(along(t + 1), (1.0 + mu - x) * now - mu * before, 1e-12);
        }
        let w: f64 = (0..3).map(|j| q[[j, i]] * momentum.velocity()[j]).sum();
        assert_close(w, along(12) - along(11), 1e-12);
    }
}

/// Every path is a sum of two geometric sequences, one for each zero of χ; where the two zeros
/// are one, a factor t takes the place of the second.
///
/// ```math
/// a_t = \begin{cases}
///   c_+\,r_+^t + c_-\,r_-^t & \text{if } r_+ \ne r_- \\[4pt]
///   \bigl(c_+ + c_-\,t\bigr)\,r^t & \text{if } r_+ = r_- = r
/// \end{cases}
/// ```
#[test]
fn heavy_ball_modes() {
    let mut rng = rng(334);
    let path = |eta: f64, mu: f64, lambda: f64| {
        let mut momentum = Momentum::new(eta, mu).unwrap();
        let points = visit(&mut momentum, |a| a * lambda, &array![1.3], 25);
        points.iter().map(|a| a[0]).collect::<Vec<f64>>()
    };
    let (mut real, mut complex) = (0, 0);
    for _ in 0..300 {
        let (eta, lambda) = (rng.random_range(0.1..1.0), rng.random_range(0.1..3.0));
        let mu = rng.random_range(0.1..1.0);
        let a = path(eta, mu, lambda);
        let s = c64::new(1.0 + mu - eta * lambda, 0.0);
        let root = (s * s - 4.0 * mu).sqrt();
        if root.norm() < 0.1 {
            continue; // the two constants are large, and cancel
        }
        if root.im == 0.0 {
            real += 1
        } else {
            complex += 1
        }
        let (plus, minus) = ((s + root) * 0.5, (s - root) * 0.5);
        // c₊ + c₋ = a₀ and c₊ r₊ + c₋ r₋ = a₁.
        let c_plus = (c64::from(a[1]) - minus * a[0]) / (plus - minus);
        let c_minus = c64::from(a[0]) - c_plus;
        for (t, &a) in a.iter().enumerate() {
            let sum = c_plus * plus.powi(t as i32) + c_minus * minus.powi(t as i32);
            assert_close(a, sum.re, 1e-10);
            assert_close(0.0, sum.im, 1e-10);
        }
    }
    assert!(real > 10 && complex > 10, "{real} real, {complex} complex");

    for (root_mu, sign) in [(0.3_f64, 1.0), (0.8, 1.0), (0.5, -1.0)] {
        // ηλ = (1 ∓ √μ)², where the square root is zero and r = ±√μ.
        let a = path(1.0, root_mu.powi(2), (1.0 - sign * root_mu).powi(2));
        let r = sign * root_mu;
        let (c_plus, c_minus) = (a[0], a[1] / r - a[0]);
        for (t, &a) in a.iter().enumerate() {
            assert_close(a, (c_plus + c_minus * t as f64) * r.powi(t as i32), 1e-12);
        }
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
/// \begin{aligned}
/// r_\pm \notin \mathbb R
///   &\;\Longleftrightarrow\; \bigl|1 + \mu - \eta\lambda\bigr| < 2\sqrt\mu \\
///   &\;\Longleftrightarrow\;
///   \bigl(1 - \sqrt\mu\bigr)^2 < \eta\lambda < \bigl(1 + \sqrt\mu\bigr)^2 \\
/// r_\pm \notin \mathbb R
///   &\;\Longrightarrow\; |r_+|^2 = |r_-|^2 = r_+\,r_- = \mu
/// \end{aligned}
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
        assert_eq!((1.0 + mu - eta * lambda).abs() < 2.0 * mu.sqrt(), inside);
        if inside {
            complex += 1;
            assert_close(r[0].norm().powi(2), mu, 1e-12);
            assert_close(r[1].norm().powi(2), mu, 1e-12);
            assert_close((r[0] * r[1]).re, mu, 1e-12);
        }
    }
    assert!((20..180).contains(&complex), "{complex} of 200");
}

/// The value of χ at two points, as a distance of ηλ from two bounds.
///
/// ```math
/// \begin{aligned}
/// \chi(\rho) &= \rho^2 - \bigl(1 + \mu - \eta\lambda\bigr)\,\rho + \mu \\
///   &= \rho\,\Bigl[\eta\lambda - (1 - \rho)\Bigl(1 - \frac\mu\rho\Bigr)\Bigr] \\
/// \chi(-\rho) &= \rho^2 + \bigl(1 + \mu - \eta\lambda\bigr)\,\rho + \mu \\
///   &= \rho\,\Bigl[(1 + \rho)\Bigl(1 + \frac\mu\rho\Bigr) - \eta\lambda\Bigr]
/// \end{aligned}
/// ```
#[test]
fn heavy_ball_at_two_points() {
    let mut rng = rng(335);
    for _ in 0..50 {
        let (eta, lambda) = (rng.random_range(0.1..1.0), rng.random_range(0.1..4.0));
        let (mu, rho) = (rng.random_range(0.0..1.0), rng.random_range(0.1..1.5));
        let m = matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda);
        let chi = |r: f64| (Array2::eye(2) * r - &m).det().unwrap();
        let s = 1.0 + mu - eta * lambda;
        assert_close(chi(rho), rho * rho - s * rho + mu, 1e-12);
        assert_close(chi(-rho), rho * rho + s * rho + mu, 1e-12);
        let above = eta * lambda - (1.0 - rho) * (1.0 - mu / rho);
        let below = (1.0 + rho) * (1.0 + mu / rho) - eta * lambda;
        assert_close(chi(rho), rho * above, 1e-12);
        assert_close(chi(-rho), rho * below, 1e-12);
    }
}

/// When both eigenvalues lie in a circle around zero: their product is small enough, and χ is
/// not negative where the circle crosses the real axis.
///
/// ```math
/// |r_\pm| \le \rho
/// \;\Longleftrightarrow\;
/// \left\{\begin{aligned}
/// \mu &\le \rho^2 \\
/// \eta\lambda &\ge (1 - \rho)\Bigl(1 - \frac\mu\rho\Bigr) \\
/// \eta\lambda &\le (1 + \rho)\Bigl(1 + \frac\mu\rho\Bigr)
/// \end{aligned}\right.
/// ```
#[test]
fn heavy_ball_within_a_circle() {
    let mut rng = rng(336);
    let (mut yes, mut no) = (0, [0; 3]);
    for _ in 0..3000 {
        let (eta, lambda) = (rng.random_range(0.1..1.0), rng.random_range(0.1..5.0));
        let (mu, rho): (f64, f64) = (rng.random_range(0.0..1.0), rng.random_range(0.2..1.0));
        let radius = spectral_radius(&matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda));
        let x = eta * lambda;
        let conditions = [
            mu <= rho * rho,
            x >= (1.0 - rho) * (1.0 - mu / rho),
            x <= (1.0 + rho) * (1.0 + mu / rho),
        ];
        assert_eq!(radius <= rho, conditions.iter().all(|&c| c), "{eta} {lambda} {mu} {rho}");
        if radius <= rho {
            yes += 1
        }
        // How often one condition alone is the reason.
        for (i, no) in no.iter_mut().enumerate() {
            let others = (0..3).filter(|&j| j != i).all(|j| conditions[j]);
            if others && !conditions[i] {
                *no += 1
            }
        }
    }
    assert!(yes > 100 && no.iter().all(|&no| no > 50), "{yes} {no:?}");
}

/// With momentum a learning rate may be almost twice as large before the error grows.
///
/// ```math
/// |r_\pm| < 1 \;\Longleftrightarrow\; 0 < \eta\lambda < 2\,(1 + \mu)
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
            let printed = 0.0 < eta * lambda && eta * lambda < 2.0 * (1.0 + mu);
            assert_eq!(converges, printed, "{of_limit}");
        }
    }
}

/// A rate below ρ in every direction is possible only if the bowl is not too narrow, whatever
/// the learning rate and the momentum.
///
/// ```math
/// \begin{aligned}
/// \kappa = \frac{\eta\lambda_{\max}}{\eta\lambda_{\min}}
///   &\le \frac{1 + \rho}{1 - \rho} \cdot \frac{1 + \mu/\rho}{1 - \mu/\rho} \\
///   &\overset{\mu \le \rho^2}{\le} \Bigl(\frac{1 + \rho}{1 - \rho}\Bigr)^{2} \\
/// \sqrt\kappa\,(1 - \rho) &\le 1 + \rho \\
/// \rho &\ge \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}
/// \end{aligned}
/// ```
#[test]
fn heavy_ball_condition_bound() {
    let mut rng = rng(337);
    let radius_of = |eta: f64, mu: f64, lambda: f64| {
        spectral_radius(&matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda))
    };
    let side = |x: f64| (1.0 + x) / (1.0 - x);
    let mut tried = 0;
    for _ in 0..3000 {
        let (least, eta): (f64, f64) = (rng.random_range(0.1..1.0), rng.random_range(0.1..1.0));
        let (kappa, mu): (f64, f64) = (rng.random_range(1.1..20.0), rng.random_range(0.01..1.0));
        let rho = radius_of(eta, mu, least).max(radius_of(eta, mu, kappa * least));
        if rho < 1.0 {
            tried += 1;
            assert!(kappa <= side(rho) * side(mu / rho) * (1.0 + 1e-9));
            assert!(side(rho) * side(mu / rho) <= side(rho).powi(2) * (1.0 + 1e-9));
            assert!(kappa.sqrt() * (1.0 - rho) <= (1.0 + rho) * (1.0 + 1e-9));
            assert!(rho >= (kappa.sqrt() - 1.0) / (kappa.sqrt() + 1.0) - 1e-9);
        }
    }
    assert!(tried > 500, "{tried}");
    // None of the three can be made tighter: with both ends on their bounds they are equal.
    for (rho, share) in [(0.5, 0.3), (0.9, 0.7), (0.8, 1.0)] {
        let (eta, mu) = (0.2, share * rho * rho);
        let ends = [(1.0 - rho) * (1.0 - mu / rho) / eta, (1.0 + rho) * (1.0 + mu / rho) / eta];
        let found = radius_of(eta, mu, ends[0]).max(radius_of(eta, mu, ends[1]));
        // Where the eigenvalues are double, rounding is felt as its square root.
        assert_close(found, rho, 1e-6);
        assert_close(ends[1] / ends[0], side(rho) * side(mu / rho), 1e-12);
        if share == 1.0 {
            let root = (ends[1] / ends[0]).sqrt();
            assert_close(root, side(rho), 1e-12);
            assert_close(rho, (root - 1.0) / (root + 1.0), 1e-12);
        }
    }
}

/// The best pair puts both ends of the bowl on the two edges of the complex range, and no other
/// makes the slowest direction faster.
///
/// ```math
/// \begin{aligned}
/// \sqrt{\eta^*\,\lambda_{\min}} &= 1 - \sqrt{\mu^*} \\
/// \sqrt{\eta^*\,\lambda_{\max}} &= 1 + \sqrt{\mu^*} \\
/// \sqrt{\eta^*} &= \frac{2}{\sqrt{\lambda_{\max}} + \sqrt{\lambda_{\min}}} \\
/// \rho^* = \sqrt{\mu^*}
///   &= \frac{\sqrt{\lambda_{\max}} - \sqrt{\lambda_{\min}}}
///     {\sqrt{\lambda_{\max}} + \sqrt{\lambda_{\min}}} \\
///   &= \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}
/// \end{aligned}
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
        assert_close((eta * least).sqrt(), 1.0 - mu.sqrt(), 1e-5);
        assert_close((eta * largest).sqrt(), 1.0 + mu.sqrt(), 1e-5);
        assert_close(eta.sqrt(), 2.0 / (root_max + root_min), 1e-5);
        assert_close(mu.sqrt(), (root_max - root_min) / (root_max + root_min), 1e-5);
        assert_close(mu.sqrt(), (root_kappa - 1.0) / (root_kappa + 1.0), 1e-5);
        assert_close(slowest(eta, mu), (root_kappa - 1.0) / (root_kappa + 1.0), 1e-5);
    }
    for _ in 0..20 {
        let least: f64 = rng.random_range(0.1..2.0);
        let largest: f64 = least * rng.random_range(1.5..90.0);
        // Two equations in (√η, √μ): √λ_min x + y = 1 and √λ_max x − y = 1.
        let system = array![[least.sqrt(), 1.0], [largest.sqrt(), -1.0]];
        let roots = system.solve(&array![1.0, 1.0]).unwrap();
        let sum = largest.sqrt() + least.sqrt();
        assert_close(roots[0], 2.0 / sum, 1e-12);
        assert_close(roots[1], (largest.sqrt() - least.sqrt()) / sum, 1e-12);
        // At these two edges, the eigenvalues meet: the discriminant is zero.
        let (eta, mu) = (roots[0].powi(2), roots[1].powi(2));
        for lambda in [least, largest] {
            let m = matrix_of(&mut Momentum::new(eta, mu).unwrap(), lambda);
            let (trace, determinant) = (m[[0, 0]] + m[[1, 1]], m.det().unwrap());
            assert_close(trace * trace, 4.0 * determinant, 1e-12);
        }
    }
}

/// Nesterov's momentum takes the gradient at the point ahead, φ, and written in φ alone it
/// needs no other point.
///
/// ```math
/// \begin{aligned}
/// \varphi_t &= \theta_t + \mu\,v_t \\
/// v_{t+1} &= \mu\,v_t - \eta\,\nabla f(\varphi_t) \\
/// \theta_{t+1} &= \theta_t + v_{t+1} \\
/// \varphi_{t+1} &= \theta_{t+1} + \mu\,v_{t+1} \\
///   &= \underbrace{\theta_t + \mu\,v_t}_{\varphi_t}
///   + \underbrace{v_{t+1} - \mu\,v_t}_{-\eta\,\nabla f(\varphi_t)} + \mu\,v_{t+1}
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
        let (g, before) = (gradient(&phi), v.clone());
        let (from, phi_is) = (theta.clone(), &phi);
        for i in 0..3 {
            v[i] = mu * v[i] - eta * g[i];
            theta[i] += v[i];
        }
        for i in 0..3 {
            assert_close(from[i] + mu * before[i], phi_is[i], 1e-12);
            assert_close(v[i] - mu * before[i], -eta * g[i], 1e-12);
        }
        let next = (0..3).map(|i| phi[i] + mu * v[i] - eta * g[i]).collect::<Array1<f64>>();
        let ahead = (0..3).map(|i| theta[i] + mu * v[i]).collect::<Array1<f64>>();
        assert_all_close(&next, &ahead, 1e-12);
    }
}

/// Nesterov's momentum as the library writes it, with the point ahead as its parameters: where
/// plain momentum steps by v, it steps by what the next v would be if the gradient stayed the
/// same.
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

/// Nesterov's momentum along one eigenvector: the product of the eigenvalues is now smaller in
/// the steep directions, which are damped the most.
///
/// ```math
/// \begin{aligned}
/// a_{t+1} &= a_t + \mu\,\bigl(\mu\,w_t - \eta\lambda\,a_t\bigr) - \eta\lambda\,a_t \\
/// \underset{(2, 2)}{\mathstrut N}
///   &= \begin{pmatrix} 1 - (1 + \mu)\,\eta\lambda & \mu^2 \\ -\eta\lambda & \mu \end{pmatrix} \\
/// \det(r I - N) &= r^2 - (1 + \mu)\,(1 - \eta\lambda)\,r \\
///   &\quad + \mu\,(1 - \eta\lambda)
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
        let next = |a: f64, w: f64| a + mu * (mu * w - x * a) - x * a;
        assert_all_close(&found.row(0), &array![next(1.0, 0.0), next(0.0, 1.0)], 1e-13);
        let determinant = (Array2::eye(2) * r - &found).det().unwrap();
        let polynomial = r * r - (1.0 + mu) * (1.0 - x) * r + mu * (1.0 - x);
        assert_close(determinant, polynomial, 1e-12);
    }
}

/// Where the eigenvalues are complex, a direction is calmed by the momentum and, the steeper it
/// is, by the bowl.
///
/// ```math
/// \begin{aligned}
/// 0 < \eta\lambda &< 1: \\
/// r_\pm \notin \mathbb R
///   &\;\Longleftrightarrow\; (1 + \mu)^2\,(1 - \eta\lambda) < 4\mu \\
///   &\;\Longrightarrow\; |r_\pm| = \sqrt{\mu\,(1 - \eta\lambda)}
/// \end{aligned}
/// ```
#[test]
fn nesterov_complex_regime() {
    let mut rng = rng(338);
    let (mut real, mut complex) = (0, 0);
    for _ in 0..200 {
        let (eta, mu): (f64, f64) = (rng.random_range(0.1..1.0), rng.random_range(0.0..1.0));
        let lambda = rng.random_range(0.01..0.99) / eta;
        let r = matrix_of(&mut Nesterov::new(eta, mu).unwrap(), lambda).eigvals().unwrap();
        let inside = (1.0 + mu).powi(2) * (1.0 - eta * lambda) < 4.0 * mu;
        assert_eq!(r[0].im != 0.0, inside, "mu = {mu}, eta lambda = {}", eta * lambda);
        if inside {
            complex += 1;
            assert_close(r[0].norm(), (mu * (1.0 - eta * lambda)).sqrt(), 1e-12);
            assert_close(r[1].norm(), (mu * (1.0 - eta * lambda)).sqrt(), 1e-12);
        } else {
            real += 1;
        }
    }
    assert!(real > 20 && complex > 20, "{real} real, {complex} complex");
}

/// At the usual setting Nesterov's momentum is done with the steepest direction in two steps, and
/// the flattest decides the rate.
///
/// ```math
/// \begin{aligned}
/// \eta = \frac{1}{\lambda_{\max}}&, \quad
/// \mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} \\
/// (1 + \mu)^2 \Bigl(1 - \frac1\kappa\Bigr) &= 4\mu \\
/// \max_i \bigl|r_\pm(\lambda_i)\bigr| &= \tfrac12\,(1 + \mu)\Bigl(1 - \frac1\kappa\Bigr) \\
///   &= 1 - \frac{1}{\sqrt\kappa}
/// \end{aligned}
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
        let slowest = radius.fold(0.0, f64::max);
        assert_close((1.0 + mu).powi(2) * (1.0 - 1.0 / kappa), 4.0 * mu, 1e-12);
        assert_close(slowest, 0.5 * (1.0 + mu) * (1.0 - 1.0 / kappa), 1e-6);
        assert_close(slowest, 1.0 - 1.0 / kappa.sqrt(), 1e-6);
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
/// \underset{(n, p)}{\mathstrut \tilde X} &= \bigl[\,X \;\; \mathbf 1\,\bigr] \\
/// L_i(\theta) &= \bigl(\tilde x_i^\top \theta - y_i\bigr)^2 \\
/// L(\theta) &= \frac1n \sum_{i=1}^{n} L_i(\theta) \\
/// \frac{\partial L}{\partial \theta_j}
///   &= \frac2n \sum_{i=1}^{n} \bigl(\tilde x_i^\top \theta - y_i\bigr)\,\tilde x_{ij} \\
/// \nabla L(\theta) &= \frac2n\,\underset{(p, n)}{\mathstrut \tilde X^\top}
///   \bigl(\underset{(n, p)}{\mathstrut \tilde X}\,\underset{(p)}{\mathstrut \theta}
///   - \underset{(n)}{\mathstrut y}\bigr) \\
///   &= \underset{A,\;(p, p)}{\mathstrut \tfrac2n \tilde X^\top \tilde X}\,\theta
///   - \underset{b,\;(p)}{\mathstrut \tfrac2n \tilde X^\top y}
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

/// Of all sets S of B samples out of n, the share that holds sample i, and the share that holds
/// both i and j.
///
/// ```math
/// \begin{aligned}
/// \frac{\#\{S : i \in S\}}{\#\{S\}}
///   &= \binom{n-1}{B-1} \bigg/ \binom nB = \frac Bn \\[4pt]
/// \frac{\#\{S : i, j \in S\}}{\#\{S\}}
///   &= \binom{n-2}{B-2} \bigg/ \binom nB = \frac{B\,(B-1)}{n\,(n-1)}
/// \end{aligned}
/// ```
#[test]
fn batch_membership() {
    let choose = |n: usize, k: usize| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
    let n = 7;
    for b in 1..=n {
        let batches = subsets(n as u32, b as u32);
        let all = batches.len() as f64;
        assert_close(all, choose(n, b), 1e-13);
        for i in 0..n {
            let one = batches.iter().filter(|s| s.contains(&i)).count() as f64;
            assert_close(one / all, choose(n - 1, b - 1) / choose(n, b), 1e-13);
            assert_close(one / all, b as f64 / n as f64, 1e-13);
            for j in (0..n).filter(|&j| j != i) {
                let both = batches.iter().filter(|s| s.contains(&i) && s.contains(&j)).count();
                let pairs = if b < 2 { 0.0 } else { choose(n - 2, b - 2) };
                assert_close(both as f64 / all, pairs / choose(n, b), 1e-13);
                let printed = (b * (b - 1)) as f64 / (n * (n - 1)) as f64;
                assert_close(both as f64 / all, printed, 1e-13);
            }
        }
    }
}

/// The gradient of a mini-batch is right on average: over all batches S of B samples, its mean
/// is the gradient over all n samples.
///
/// ```math
/// \begin{aligned}
/// g_S &= \frac1B \sum_{i \in S} \nabla L_i(\theta) \\
/// \mathbb E_S[g_S] &= \frac1B \sum_{i=1}^{n} \frac Bn\,\nabla L_i(\theta) \\
///   &= \frac1n \sum_{i=1}^{n} \nabla L_i(\theta) = \nabla L(\theta)
/// \end{aligned}
/// ```
#[test]
fn minibatch_is_unbiased() {
    let mut rng = rng(327);
    let (n, k) = (7, 3);
    let case = regression(n, k, &mut rng);
    let sum = (0..n).map(|i| case.gradient_of_one(i)).reduce(|a, b| a + b).unwrap();
    let full = &sum / n as f64;
    assert_all_close(&case.gradient(&Vec::from_iter(0..n)), &full, 1e-13);
    for b in 1..=n {
        let batches = subsets(n as u32, b as u32);
        let mut mean = Array1::<f64>::zeros(k + 1);
        for batch in &batches {
            let sum = batch.iter().map(|&i| case.gradient_of_one(i)).reduce(|a, b| a + b).unwrap();
            assert_all_close(&case.gradient(batch), &(sum / b as f64), 1e-13);
            mean += &(case.gradient(batch) / batches.len() as f64);
        }
        let shares = &sum * (b as f64 / n as f64) / b as f64;
        assert_all_close(&mean, &shares, 1e-13);
        assert_all_close(&mean, &full, 1e-13);
    }
}

/// The deviations of the samples' gradients from their mean sum to zero, and so the products of
/// different ones sum to a negative number.
///
/// ```math
/// \begin{aligned}
/// d_i &= \nabla L_i - \nabla L, \quad
///   \sum_{i=1}^{n} d_i = 0 \\
/// \sigma^2 &= \frac1n \sum_{i=1}^{n} \lVert d_i \rVert^2 \\
/// \sum_{i \ne j} d_i^\top d_j
///   &= \Bigl\lVert \sum_{i=1}^{n} d_i \Bigr\rVert^2 - \sum_{i=1}^{n} \lVert d_i \rVert^2 \\
///   &= -n\,\sigma^2
/// \end{aligned}
/// ```
#[test]
fn deviations_cancel() {
    let mut rng = rng(339);
    let (n, k) = (7, 2);
    let case = regression(n, k, &mut rng);
    let full = case.gradient(&Vec::from_iter(0..n));
    let d: Vec<Array1<f64>> = (0..n).map(|i| case.gradient_of_one(i) - &full).collect();
    let sum = d.iter().fold(Array1::zeros(k + 1), |sum: Array1<f64>, d| sum + d);
    assert_all_close(&sum, &Array1::zeros(k + 1), 1e-13);
    let squares: f64 = d.iter().map(|d| norm(d).powi(2)).sum();
    let variance = squares / n as f64;
    let mut products = 0.0;
    for i in 0..n {
        products += (0..n).filter(|&j| j != i).map(|j| d[i].dot(&d[j])).sum::<f64>();
    }
    assert_close(products, norm(&sum).powi(2) - squares, 1e-12);
    assert_close(products, -(n as f64) * variance, 1e-12);
}

/// How far a mini-batch is off: the variance of the samples' gradients, divided by the batch
/// size, and by a little more because no sample is drawn twice.
///
/// ```math
/// \begin{aligned}
/// \mathbb E_S \bigl\lVert g_S - \nabla L \bigr\rVert^2
///   &= \mathbb E_S \Bigl\lVert \frac1B \sum_{i \in S} d_i \Bigr\rVert^2 \\
///   &= \frac{1}{B^2} \Bigl( \frac Bn \sum_{i=1}^{n} \lVert d_i \rVert^2
///     + \frac{B\,(B-1)}{n\,(n-1)} \sum_{i \ne j} d_i^\top d_j \Bigr) \\
///   &= \frac{\sigma^2}{B} \Bigl( 1 - \frac{B - 1}{n - 1} \Bigr) \\
///   &= \frac{n - B}{n - 1} \cdot \frac{\sigma^2}{B}
/// \end{aligned}
/// ```
#[test]
fn minibatch_noise() {
    let mut rng = rng(328);
    let (n, k) = (7, 2);
    let case = regression(n, k, &mut rng);
    let full = case.gradient(&Vec::from_iter(0..n));
    let d: Vec<Array1<f64>> = (0..n).map(|i| case.gradient_of_one(i) - &full).collect();
    let squares: f64 = d.iter().map(|d| norm(d).powi(2)).sum();
    let pairs = (0..n).flat_map(|i| (0..n).filter(move |&j| j != i).map(move |j| (i, j)));
    let products: f64 = pairs.map(|(i, j)| d[i].dot(&d[j])).sum();
    let variance = squares / n as f64;
    for b in 1..=n {
        let batches = subsets(n as u32, b as u32);
        let (mut off, mut mean_of_d) = (0.0, 0.0);
        for batch in &batches {
            off += norm(&(case.gradient(batch) - &full)).powi(2) / batches.len() as f64;
            let sum = batch.iter().fold(Array1::zeros(k + 1), |sum: Array1<f64>, &i| sum + &d[i]);
            mean_of_d += norm(&(sum / b as f64)).powi(2) / batches.len() as f64;
        }
        let (n, b) = (n as f64, b as f64);
        assert_close(off, mean_of_d, 1e-12);
        let two = b / n * squares + b * (b - 1.0) / (n * (n - 1.0)) * products;
        assert_close(off, two / (b * b), 1e-12);
        assert_close(off, variance / b * (1.0 - (b - 1.0) / (n - 1.0)), 1e-12);
        assert_close(off, (n - b) / (n - 1.0) * variance / b, 1e-12);
    }
}

/// Gradients with noise do not lead to the bottom: along an eigenvector, the square of the error
/// settles where each step adds as much noise as it removes error.
///
/// ```math
/// \begin{aligned}
/// a_{t+1} &= (1 - \eta\lambda)\,a_t - \eta\,\xi_t \\
/// \mathbb E[\xi_t] &= 0, \qquad \mathbb E[\xi_t^2] = \tau^2 \\
/// \mathbb E\bigl[a_{t+1}^2\bigr]
///   &= (1 - \eta\lambda)^2\,\mathbb E\bigl[a_t^2\bigr] + \eta^2\tau^2 \\
///   &\xrightarrow{\;t\to\infty\;} \frac{\eta\,\tau^2}{\lambda\,(2 - \eta\lambda)}
/// \end{aligned}
/// ```
#[test]
fn descent_noise_floor() {
    for (eta, lambda, tau) in [(0.3, 1.4, 0.8), (0.9, 2.0, 1.5), (0.05, 7.0, 0.2)] {
        let factor: f64 = 1.0 - eta * lambda;
        // All sequences of twelve gradients that are off by τ to one side or the other.
        let mut squares = [0.0; 13];
        for signs in 0..1_u32 << 12 {
            let noise = |t: usize| if signs >> t & 1 == 1 { tau } else { -tau };
            let mut descent = GradientDescent::new(eta).unwrap();
            let mut a = array![1.3];
            squares[0] += a[0] * a[0] / 4096.0;
            for t in 0..12 {
                let before = a[0];
                let gradient = array![lambda * a[0] + noise(t)];
                descent.step(&mut a, &gradient);
                assert_close(a[0], factor * before - eta * noise(t), 1e-13);
                squares[t + 1] += a[0] * a[0] / 4096.0;
            }
        }
        for t in 0..12 {
            let next = factor.powi(2) * squares[t] + eta * eta * tau * tau;
            assert_close(squares[t + 1], next, 1e-12);
        }
        let mut square = squares[12];
        for _ in 0..1000 {
            square = factor.powi(2) * square + eta * eta * tau * tau;
        }
        assert_close(square, eta * tau * tau / (lambda * (2.0 - eta * lambda)), 1e-12);
    }
}

/// A mean that is taken twice (published bug): every gradient is n times too small, and
/// gradient descent learns as if its learning rate were η/n.
///
/// ```math
/// \begin{aligned}
/// g' &= \frac1n \cdot \frac1n \sum_{i=1}^{n} \nabla L_i(\theta) \\
///   &= \frac1n\,\nabla L(\theta) \\
/// \theta - \eta\,g' &= \theta - \frac{\eta}{n}\,\nabla L(\theta)
/// \end{aligned}
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
/// \begin{aligned}
/// \hat v &= \frac{\sum_k \beta_1^k\, c\,g_{t-k}}{\sum_k \beta_1^k} \\[4pt]
/// \hat s &= \frac{\sum_k \beta_2^k\, c^2 g_{t-k}^2}{\sum_k \beta_2^k} \\
/// \theta_t - \theta_{t+1} &= \eta\,\frac{\hat v}{\sqrt{\hat s}}
///   \;\text{ is the same for all } c > 0
/// \end{aligned}
/// ```
#[test]
fn adam_forgets_the_scale() {
    let mut rng = rng(330);
    let (eta, beta1, beta2): (f64, f64, f64) = (0.01, 0.9, 0.999);
    let g = normal(30, 1.0, &mut rng);
    // The recursion on the true gradients …
    let (mut v, mut s) = (0.0, 0.0);
    for t in 0..30 {
        v = beta1 * v + (1.0 - beta1) * g[t];
        s = beta2 * s + (1.0 - beta2) * g[t] * g[t];
        let v_hat = v / (1.0 - beta1.powi(t as i32 + 1));
        let s_hat = s / (1.0 - beta2.powi(t as i32 + 1));
        let step = eta * v_hat / s_hat.sqrt();
        // … and the formula on gradients that are too small, or too large.
        for c in [0.125, 1.0, 60.0] {
            let sum1: f64 = (0..=t).map(|k| beta1.powi(k as i32) * c * g[t - k]).sum();
            let sum2: f64 = (0..=t).map(|k| beta2.powi(k as i32) * (c * g[t - k]).powi(2)).sum();
            let weights = |beta: f64| (0..=t).map(|k| beta.powi(k as i32)).sum::<f64>();
            let (mean, square) = (sum1 / weights(beta1), sum2 / weights(beta2));
            assert_close(step, eta * mean / square.sqrt(), 1e-10);
        }
    }
}

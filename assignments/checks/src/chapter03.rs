//! Chapter 3: gradient descent and momentum.

mod variants;

use gradus::{GradientDescent, Momentum, MovingAverage, Nesterov, Optimizer, State};
use ndarray::{Array1, array};
use rand::RngExt;
use signatures::TypedCall;
use signatures::chapter03::{Functions, call};

use crate::chapter::Chapter;
use crate::question::Ask;

/// What the library says; of the best pair, what the book derives.
const REFERENCE: Functions = Functions {
    bowl_step: |a, b, theta, eta| {
        let gradient = (a.dot(theta) + a.t().dot(theta)) / 2.0 - b;
        let mut params = theta.clone();
        GradientDescent::new(eta).expect("a rate").step(&mut params, &gradient);
        params
    },
    momentum_step: |theta, v, g, eta, mu| {
        step(Momentum::new(eta, mu).expect("settings"), theta, v, g)
    },
    moving_average_step: |theta, v, g, eta, beta| {
        step(MovingAverage::new(eta, beta).expect("settings"), theta, v, g)
    },
    nesterov_step: |theta, v, g, eta, mu| {
        step(Nesterov::new(eta, mu).expect("settings"), theta, v, g)
    },
    heavy_ball_radius: |eta, mu, lambda| {
        // The columns of M are what a step of the library makes of (1, 0) and of (0, 1).
        let column = |e: f64, v: f64| {
            let momentum = Momentum::new(eta, mu).expect("settings");
            let (e, v) = step(momentum, &array![e], &array![v], &array![lambda * e]);
            (e[0], v[0])
        };
        let ((a, c), (b, d)) = (column(1.0, 0.0), column(0.0, 1.0));
        let (trace, determinant) = (a + d, a * d - b * c);
        let under = trace * trace - 4.0 * determinant;
        if under < 0.0 { determinant.sqrt() } else { (trace.abs() + under.sqrt()) / 2.0 }
    },
    best_pair: |lambda| {
        let largest = lambda.iter().copied().fold(0.0, f64::max).sqrt();
        let least = lambda.iter().copied().fold(f64::INFINITY, f64::min).sqrt();
        (4.0 / (largest + least).powi(2), ((largest - least) / (largest + least)).powi(2))
    },
};

/// One step of an optimizer that is given its velocity.
fn step(
    mut optimizer: impl Optimizer<f64>,
    theta: &Array1<f64>,
    v: &Array1<f64>,
    g: &Array1<f64>,
) -> (Array1<f64>, Array1<f64>) {
    let mut state: State<f64> = optimizer.state();
    state.vectors.insert("velocity".to_owned(), v.clone());
    optimizer.restore(state).expect("a state of its own");
    let mut params = theta.clone();
    optimizer.step(&mut params, g);
    let v = optimizer.state().vectors.remove("velocity").expect("a velocity");
    (params, v)
}

/// The assignment of chapter 3: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 3,
    exercises: include_str!("../../chapter03/exercises.toml"),
    checks: &[
        ("bowl_step", bowl_step),
        ("momentum_step", momentum_step),
        ("moving_average_step", moving_average_step),
        ("nesterov_step", nesterov_step),
        ("heavy_ball_radius", heavy_ball_radius),
        ("best_pair", best_pair),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: variants::all,
};

fn bowl_step(ask: &mut Ask<'_>) {
    // Worked out by hand: the gradient is (2, 9.5).
    let (a, b, theta) = (array![[2.0, 1.0], [0.0, 4.0]], array![1.0, -1.0], array![1.0, 2.0]);
    ask.call(call::bowl_step(&a, &b, &theta, 0.1)).returns(&array![0.8, 1.05]);
    for p in [1, 3, 3] {
        let (a, b) = (ask.draw.normal((p, p), 1.0), ask.draw.normal(p, 1.0));
        let theta = ask.draw.normal(p, 2.0);
        let eta = ask.draw.rng.random_range(0.05..0.8);
        ask.call(call::bowl_step(&a, &b, &theta, eta));
    }
}

fn momentum_step(ask: &mut Ask<'_>) {
    ask_steps(ask, call::momentum_step, (0.35, -0.65));
}

fn moving_average_step(ask: &mut Ask<'_>) {
    ask_steps(ask, call::moving_average_step, (1.025, -0.25));
}

fn nesterov_step(ask: &mut Ask<'_>) {
    ask_steps(ask, call::nesterov_step, (0.215, -0.65));
}

/// A call of a step with a velocity: parameters, velocity, gradient, learning rate and momentum.
type CallOfStep =
    fn(&Array1<f64>, &Array1<f64>, &Array1<f64>, f64, f64) -> TypedCall<(Array1<f64>, Array1<f64>)>;

/// Asks for steps, first on numbers whose result, `by_hand`, is in the text.
fn ask_steps(ask: &mut Ask<'_>, step: CallOfStep, by_hand: (f64, f64)) {
    let by_hand = (array![by_hand.0], array![by_hand.1]);
    ask.call(step(&array![1.0], &array![-0.5], &array![2.0], 0.1, 0.9)).returns(&by_hand);
    for p in [1, 3] {
        let (theta, v) = (ask.draw.normal(p, 1.0), ask.draw.normal(p, 1.0));
        let g = ask.draw.normal(p, 2.0);
        let eta = ask.draw.rng.random_range(0.05..0.8);
        let mu = ask.draw.rng.random_range(0.3..0.95);
        ask.call(step(&theta, &v, &g, eta, mu));
        ask.call(step(&theta, &Array1::zeros(p), &g, eta, mu)).case("from rest");
        ask.call(step(&theta, &v, &g, eta, 0.0)).case("without momentum");
    }
}

fn heavy_ball_radius(ask: &mut Ask<'_>) {
    for (eta, mu, lambda, right, case) in [
        (0.1, 0.9, 4.0, 0.9_f64.sqrt(), "the ball swings"),
        (1.0, 0.25, 0.25, 0.5, "both eigenvalues are ½"),
        (1.0, 0.25, 2.25, 0.5, "both eigenvalues are −½"),
        (0.1, 0.9, 38.0, 1.0, "at the limit"),
        (1.0, 0.0, 0.25, 0.75, "no momentum"),
        (1.0, 0.0, 2.5, 1.5, "no momentum, and divergence"),
    ] {
        // Where the two zeros nearly meet, rounding is felt as its root.
        ask.call(call::heavy_ball_radius(eta, mu, lambda))
            .case(case)
            .within(1e-7, 1e-12)
            .returns(&right);
    }
    for (low, high, case) in [
        (0.05, 0.95, "the ball creeps"),
        (1.05, 0.95, "the ball swings"),
        (1.05, 1.4, "the steep side of the range in which the ball swings"),
    ] {
        for _ in 0..2 {
            let mu: f64 = ask.draw.rng.random_range(0.1..0.9);
            let lambda: f64 = ask.draw.rng.random_range(0.2..9.0);
            // Between two parts of the edges of the complex range.
            let edges = ((1.0 - mu.sqrt()).powi(2), (1.0 + mu.sqrt()).powi(2));
            let (from, to) = match case {
                "the ball creeps" => (low * edges.0, high * edges.0),
                "the ball swings" => (low * edges.0, high * edges.1),
                _ => (low * edges.1, high * edges.1),
            };
            let eta = ask.draw.rng.random_range(from..to) / lambda;
            ask.call(call::heavy_ball_radius(eta, mu, lambda)).case(case).within(1e-7, 1e-12);
        }
    }
}

fn best_pair(ask: &mut Ask<'_>) {
    for (lambda, right) in [
        (array![9.0, 25.0, 1.0], (1.0 / 9.0, 4.0 / 9.0)),
        (array![25.0, 1.0], (1.0 / 9.0, 4.0 / 9.0)),
        (array![4.0], (0.25, 0.0)),
        (array![4.0, 4.0], (0.25, 0.0)),
    ] {
        ask.call(call::best_pair(&lambda)).returns(&right);
    }
    for (lambda, right, case) in [
        (array![9e6, 25e6, 1e6], (1e-6 / 9.0, 4.0 / 9.0), "large eigenvalues"),
        (array![9e-6, 25e-6, 1e-6], (1e6 / 9.0, 4.0 / 9.0), "small eigenvalues"),
        (array![9.0, 16.0, 4.0, 25.0, 1.0, 12.0], (1.0 / 9.0, 4.0 / 9.0), "the ends far back"),
    ] {
        ask.call(call::best_pair(&lambda)).case(case).returns(&right);
    }
    ask.call(call::best_pair(&array![3.9, 3.2])).case("ends that are close");
    for p in [2, 3, 6] {
        let lambda = ask.draw.uniform(p, 0.2, 9.0);
        ask.call(call::best_pair(&lambda));
    }
}

//! Chapter 3: gradient descent and momentum.

mod variants;

use gradus::{GradientDescent, Momentum, MovingAverage, Nesterov, Optimizer, State};
use ndarray::{Array1, Array2, array};
use rand::RngExt;

use crate::chapter::{Chapter, CheckOf, bind};
use crate::draw::Draw;
use crate::given::{Verdict, given};

/// A step of gradient descent: from the matrix and the vector of a bowl, parameters and learning
/// rate to the new parameters.
pub type Descent = fn(&Array2<f64>, &Array1<f64>, &Array1<f64>, f64) -> Array1<f64>;

/// A step of an optimizer with a velocity: from parameters, velocity, gradient, learning rate
/// and momentum to the new parameters and the new velocity.
pub type Step =
    fn(&Array1<f64>, &Array1<f64>, &Array1<f64>, f64, f64) -> (Array1<f64>, Array1<f64>);

/// The functions of chapter 3, as the student writes them.
#[derive(Clone, Copy)]
pub struct Functions {
    pub bowl_step: Descent,
    pub momentum_step: Step,
    pub moving_average_step: Step,
    pub nesterov_step: Step,
    pub heavy_ball_radius: fn(f64, f64, f64) -> f64,
    pub best_pair: fn(&Array1<f64>) -> (f64, f64),
}

#[cfg(feature = "chapter03")]
const STUDENT: Option<Functions> = {
    use ::student::chapter03::*;
    Some(Functions {
        bowl_step,
        momentum_step,
        moving_average_step,
        nesterov_step,
        heavy_ball_radius,
        best_pair,
    })
};
#[cfg(not(feature = "chapter03"))]
const STUDENT: Option<Functions> = None;

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

/// The checks, in the order of `exercises.toml`.
const CHECKS: &[(&str, CheckOf<Functions>)] = &[
    ("bowl_step", bowl_step),
    ("momentum_step", momentum_step),
    ("moving_average_step", moving_average_step),
    ("nesterov_step", nesterov_step),
    ("heavy_ball_radius", heavy_ball_radius),
    ("best_pair", best_pair),
];

/// The assignment of chapter 3.
pub const CHAPTER: Chapter = Chapter {
    number: 3,
    exercises: include_str!("../../chapter03/exercises.toml"),
    student: || STUDENT.map(|functions| bind(CHECKS, functions)),
    reference: || bind(CHECKS, REFERENCE),
    variants: variants::all,
};

fn bowl_step(f: &Functions, draw: &mut Draw) -> Verdict {
    let one = |a: Array2<f64>, b: Array1<f64>, theta: Array1<f64>, eta: f64, right: Array1<f64>| {
        given("a", &a)
            .and("b", &b)
            .and("theta", &theta)
            .and("eta", &eta)
            .expect(&right, || (f.bowl_step)(&a, &b, &theta, eta))
    };
    // Worked out by hand: the gradient is (2, 9.5).
    let a = array![[2.0, 1.0], [0.0, 4.0]];
    one(a, array![1.0, -1.0], array![1.0, 2.0], 0.1, array![0.8, 1.05])?;
    for p in [1, 3, 3] {
        let (a, b, theta) = (draw.normal((p, p), 1.0), draw.normal(p, 1.0), draw.normal(p, 2.0));
        let eta = draw.rng.random_range(0.05..0.8);
        let right = (REFERENCE.bowl_step)(&a, &b, &theta, eta);
        one(a, b, theta, eta, right)?;
    }
    Ok(())
}

fn momentum_step(f: &Functions, draw: &mut Draw) -> Verdict {
    check_step(draw, "mu", REFERENCE.momentum_step, f.momentum_step, (0.35, -0.65))
}

fn moving_average_step(f: &Functions, draw: &mut Draw) -> Verdict {
    let (right, call) = (REFERENCE.moving_average_step, f.moving_average_step);
    check_step(draw, "beta", right, call, (1.025, -0.25))
}

fn nesterov_step(f: &Functions, draw: &mut Draw) -> Verdict {
    check_step(draw, "mu", REFERENCE.nesterov_step, f.nesterov_step, (0.215, -0.65))
}

/// Checks a step, first on numbers whose result, `by_hand`, is in the text.
fn check_step(
    draw: &mut Draw,
    momentum: &str,
    reference: Step,
    call: Step,
    by_hand: (f64, f64),
) -> Verdict {
    let one = |theta: &Array1<f64>, v: &Array1<f64>, g: &Array1<f64>, eta: f64, mu: f64, right| {
        given("theta", theta)
            .and("v", v)
            .and("g", g)
            .and("eta", &eta)
            .and(momentum, &mu)
            .expect(&right, || call(theta, v, g, eta, mu))
    };
    let right = (array![by_hand.0], array![by_hand.1]);
    one(&array![1.0], &array![-0.5], &array![2.0], 0.1, 0.9, right)?;
    for p in [1, 3] {
        let theta = draw.normal(p, 1.0);
        let (v, g) = (draw.normal(p, 1.0), draw.normal(p, 2.0));
        let (eta, mu) = (draw.rng.random_range(0.05..0.8), draw.rng.random_range(0.3..0.95));
        // From rest, on the way, and without momentum.
        one(&theta, &v, &g, eta, mu, reference(&theta, &v, &g, eta, mu))?;
        let rest = Array1::zeros(p);
        one(&theta, &rest, &g, eta, mu, reference(&theta, &rest, &g, eta, mu))?;
        one(&theta, &v, &g, eta, 0.0, reference(&theta, &v, &g, eta, 0.0))?;
    }
    Ok(())
}

fn heavy_ball_radius(f: &Functions, draw: &mut Draw) -> Verdict {
    let one = |eta: f64, mu: f64, lambda: f64, right: f64, case: &str| {
        given("eta", &eta)
            .and("mu", &mu)
            .and("lambda", &lambda)
            .case(case)
            // Where the two zeros nearly meet, rounding is felt as its root.
            .within(1e-7, 1e-12)
            .expect(&right, || (f.heavy_ball_radius)(eta, mu, lambda))
    };
    one(0.1, 0.9, 4.0, 0.9_f64.sqrt(), "the ball swings")?;
    one(1.0, 0.25, 0.25, 0.5, "both eigenvalues are ½")?;
    one(1.0, 0.25, 2.25, 0.5, "both eigenvalues are −½")?;
    one(0.1, 0.9, 38.0, 1.0, "at the limit")?;
    one(1.0, 0.0, 0.25, 0.75, "no momentum")?;
    one(1.0, 0.0, 2.5, 1.5, "no momentum, and divergence")?;
    for (low, high, case) in [
        (0.05, 0.95, "the ball creeps"),
        (1.05, 0.95, "the ball swings"),
        (1.05, 1.4, "the steep side of the range in which the ball swings"),
    ] {
        for _ in 0..2 {
            let (mu, lambda): (f64, f64) =
                (draw.rng.random_range(0.1..0.9), draw.rng.random_range(0.2..9.0));
            // Between two parts of the edges of the complex range.
            let edges = ((1.0 - mu.sqrt()).powi(2), (1.0 + mu.sqrt()).powi(2));
            let (from, to) = match case {
                "the ball creeps" => (low * edges.0, high * edges.0),
                "the ball swings" => (low * edges.0, high * edges.1),
                _ => (low * edges.1, high * edges.1),
            };
            let eta = draw.rng.random_range(from..to) / lambda;
            one(eta, mu, lambda, (REFERENCE.heavy_ball_radius)(eta, mu, lambda), case)?;
        }
    }
    Ok(())
}

fn best_pair(f: &Functions, draw: &mut Draw) -> Verdict {
    let one = |lambda: Array1<f64>, right: (f64, f64)| {
        given("lambda", &lambda).expect(&right, || (f.best_pair)(&lambda))
    };
    one(array![9.0, 25.0, 1.0], (1.0 / 9.0, 4.0 / 9.0))?;
    one(array![25.0, 1.0], (1.0 / 9.0, 4.0 / 9.0))?;
    one(array![4.0], (0.25, 0.0))?;
    one(array![4.0, 4.0], (0.25, 0.0))?;
    for p in [2, 3, 6] {
        let lambda = draw.uniform(p, 0.2, 9.0);
        let right = (REFERENCE.best_pair)(&lambda);
        one(lambda, right)?;
    }
    Ok(())
}

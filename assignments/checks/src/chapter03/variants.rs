//! Chapter 3: wrong answers, and other right ones.

use ndarray::{Array1, Array2};

use super::{CHECKS, Functions, REFERENCE, Step};
use crate::chapter::{Variant, bind};

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    let lists = [bowl(), momentum(), moving_average(), nesterov(), radius(), pair()];
    lists.into_iter().flatten().collect()
}

fn wrong(check: &'static str, name: &'static str, functions: Functions) -> Variant {
    Variant::wrong(check, name, bind(CHECKS, functions))
}

fn right(name: &'static str, functions: Functions) -> Variant {
    Variant::right(name, bind(CHECKS, functions))
}

fn bowl() -> Vec<Variant> {
    let with = |bowl_step| Functions { bowl_step, ..REFERENCE };
    let wrong = |name, function| wrong("bowl_step", name, with(function));
    fn both(a: &Array2<f64>, theta: &Array1<f64>) -> Array1<f64> {
        (a.dot(theta) + a.t().dot(theta)) / 2.0
    }
    vec![
        wrong("the matrix taken for symmetric", |a, b, theta, eta| {
            theta - &((a.dot(theta) - b) * eta)
        }),
        wrong("the transposed matrix alone", |a, b, theta, eta| {
            theta - &((a.t().dot(theta) - b) * eta)
        }),
        wrong("without the half", |a, b, theta, eta| theta - &((both(a, theta) * 2.0 - b) * eta)),
        wrong("uphill", |a, b, theta, eta| theta + &((both(a, theta) - b) * eta)),
        wrong("b forgotten", |a, _, theta, eta| theta - &(both(a, theta) * eta)),
        wrong("b with the other sign", |a, b, theta, eta| theta - &((both(a, theta) + b) * eta)),
        wrong("the step instead of the parameters", |a, b, theta, eta| (both(a, theta) - b) * -eta),
        // Published: Elsharkawy, for n = p.
        wrong("divided by p", |a, b, theta, eta| {
            theta - &((both(a, theta) - b) * (eta / theta.len() as f64))
        }),
        right(
            "entry by entry",
            with(|a, b, theta, eta| {
                let p = theta.len();
                Array1::from_shape_fn(p, |k| {
                    let row: f64 = (0..p).map(|j| a[[k, j]] * theta[j]).sum();
                    let column: f64 = (0..p).map(|i| theta[i] * a[[i, k]]).sum();
                    theta[k] - eta * (0.5 * row + 0.5 * column - b[k])
                })
            }),
        ),
    ]
}

fn momentum() -> Vec<Variant> {
    let with = |momentum_step: Step| Functions { momentum_step, ..REFERENCE };
    let wrong = |name, function| wrong("momentum_step", name, with(function));
    vec![
        wrong("a step by the old velocity", |theta, v, g, eta, mu| {
            (theta + v, v * mu - &(g * eta))
        }),
        wrong("uphill", |theta, v, g, eta, mu| {
            let v = v * mu + &(g * eta);
            (theta + &v, v)
        }),
        wrong("a velocity that points uphill", |theta, v, g, eta, mu| {
            let v = v * mu + &(g * eta);
            (theta - &v, v)
        }),
        wrong("the rate outside of the velocity", |theta, v, g, eta, mu| {
            let v = v * mu - g;
            (theta + &(&v * eta), v)
        }),
        wrong("a moving average", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * (eta * (1.0 - mu)));
            (theta + &v, v)
        }),
        wrong("the velocity forgotten", |theta, _, g, eta, _| (theta - &(g * eta), g * -eta)),
        wrong("the momentum on the whole velocity", |theta, v, g, eta, mu| {
            let v = (v - &(g * eta)) * mu;
            (theta + &v, v)
        }),
        wrong("looking ahead", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &(&v * mu) - &(g * eta), v)
        }),
        right(
            "the velocity as the difference of two places",
            with(|theta, v, g, eta, mu| {
                let next = theta + &(v * mu) - &(g * eta);
                let v = &next - theta;
                (next, v)
            }),
        ),
    ]
}

fn moving_average() -> Vec<Variant> {
    let with = |moving_average_step: Step| Functions { moving_average_step, ..REFERENCE };
    let wrong = |name, function| wrong("moving_average_step", name, with(function));
    vec![
        wrong("momentum", |theta, v, g, eta, beta| {
            let v = v * beta - &(g * eta);
            (theta + &v, v)
        }),
        wrong("the whole new gradient", |theta, v, g, eta, beta| {
            let v = v * beta + g;
            (theta - &(&v * eta), v)
        }),
        wrong("the two shares exchanged", |theta, v, g, eta, beta| {
            let v = v * (1.0 - beta) + &(g * beta);
            (theta - &(&v * eta), v)
        }),
        wrong("a step by the old average", |theta, v, g, eta, beta| {
            (theta - &(v * eta), v * beta + &(g * (1.0 - beta)))
        }),
        wrong("uphill", |theta, v, g, eta, beta| {
            let v = v * beta + &(g * (1.0 - beta));
            (theta + &(&v * eta), v)
        }),
        wrong("the rate in the average, too", |theta, v, g, eta, beta| {
            let v = v * beta + &(g * (eta * (1.0 - beta)));
            (theta - &(&v * eta), v)
        }),
        wrong("corrected for a first step", |theta, v, g, eta, beta| {
            let v = v * beta + &(g * (1.0 - beta));
            (theta - &(&v * (eta / (1.0 - beta))), v)
        }),
        right(
            "a part of the way to the new gradient",
            with(|theta, v, g, eta, beta| {
                let v = v + &((g - v) * (1.0 - beta));
                (theta - &(&v * eta), v)
            }),
        ),
    ]
}

fn nesterov() -> Vec<Variant> {
    let with = |nesterov_step: Step| Functions { nesterov_step, ..REFERENCE };
    let wrong = |name, function| wrong("nesterov_step", name, with(function));
    vec![
        wrong("the heavy ball", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &v, v)
        }),
        wrong("the share of the new velocity alone", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &(&v * mu), v)
        }),
        wrong("the new velocity and the gradient once more", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &v - &(g * eta), v)
        }),
        wrong("the share of the old velocity", |theta, v, g, eta, mu| {
            (theta + &(v * (mu * mu)) - &(g * eta), v * mu - &(g * eta))
        }),
        wrong("the step kept as the velocity", |theta, v, g, eta, mu| {
            let step = (v * mu - &(g * eta)) * mu - &(g * eta);
            (theta + &step, step)
        }),
        wrong("the gradient uphill", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &(&v * mu) + &(g * eta), v)
        }),
        right(
            "the step of the heavy ball, and the change of what lies ahead",
            with(|theta, old, g, eta, mu| {
                let v = old * mu - &(g * eta);
                (theta + &v + &((&v - old) * mu), v)
            }),
        ),
    ]
}

fn radius() -> Vec<Variant> {
    let with = |heavy_ball_radius| Functions { heavy_ball_radius, ..REFERENCE };
    let wrong = |name, function| wrong("heavy_ball_radius", name, with(function));
    fn sum(eta: f64, mu: f64, lambda: f64) -> f64 {
        1.0 + mu - eta * lambda
    }
    vec![
        wrong("NaN where the ball swings", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            (s.abs() + (s * s - 4.0 * mu).sqrt()) / 2.0
        }),
        wrong("the real part where the ball swings", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            (s.abs() + (s * s - 4.0 * mu).max(0.0).sqrt()) / 2.0
        }),
        wrong("r₊ alone", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            let under = s * s - 4.0 * mu;
            if under < 0.0 { mu.sqrt() } else { ((s + under.sqrt()) / 2.0).abs() }
        }),
        wrong("not its size", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            let under = s * s - 4.0 * mu;
            let root = if s < 0.0 { -under.sqrt() } else { under.sqrt() };
            if under < 0.0 { mu.sqrt() } else { (s + root) / 2.0 }
        }),
        wrong("√μ everywhere", |_, mu, _| mu.sqrt()),
        wrong("μ where the ball swings", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            let under = s * s - 4.0 * mu;
            if under < 0.0 { mu } else { (s.abs() + under.sqrt()) / 2.0 }
        }),
        wrong("without momentum", |eta, _, lambda| (1.0 - eta * lambda).abs()),
        wrong("Nesterov's", |eta, mu, lambda| {
            let x = eta * lambda;
            let (s, product) = ((1.0 + mu) * (1.0 - x), mu * (1.0 - x));
            let under = s * s - 4.0 * product;
            if under < 0.0 { product.sqrt() } else { (s.abs() + under.sqrt()) / 2.0 }
        }),
        right(
            "the larger zero from the smaller",
            with(|eta, mu, lambda| {
                let s = sum(eta, mu, lambda).abs();
                let under = s * s - 4.0 * mu;
                let larger = (s + under.max(0.0).sqrt()) / 2.0;
                if under < 0.0 { mu.sqrt() } else { larger.max(mu / larger) }
            }),
        ),
    ]
}

fn pair() -> Vec<Variant> {
    let with = |best_pair| Functions { best_pair, ..REFERENCE };
    let wrong = |name, function| wrong("best_pair", name, with(function));
    fn ends(lambda: &Array1<f64>) -> (f64, f64) {
        let least = lambda.iter().copied().fold(f64::INFINITY, f64::min);
        (least, lambda.iter().copied().fold(0.0, f64::max))
    }
    vec![
        wrong("the momentum first", |lambda| {
            let (eta, mu) = (REFERENCE.best_pair)(lambda);
            (mu, eta)
        }),
        wrong("the rate in place of the momentum", |lambda| {
            let (eta, mu) = (REFERENCE.best_pair)(lambda);
            (eta, mu.sqrt())
        }),
        wrong("the best rate of gradient descent", |lambda| {
            let (least, largest) = ends(lambda);
            (2.0 / (least + largest), (REFERENCE.best_pair)(lambda).1)
        }),
        wrong("κ without its root", |lambda| {
            let ((least, largest), (eta, _)) = (ends(lambda), (REFERENCE.best_pair)(lambda));
            (eta, ((largest - least) / (largest + least)).powi(2))
        }),
        wrong("sorted already", |lambda| {
            let (first, last) = (lambda[0].sqrt(), lambda[lambda.len() - 1].sqrt());
            (4.0 / (first + last).powi(2), ((last - first) / (last + first)).powi(2))
        }),
        wrong("Nesterov's usual pair", |lambda| {
            (1.0 / ends(lambda).1, (REFERENCE.best_pair)(lambda).1.sqrt())
        }),
        wrong("the rate not squared", |lambda| {
            let (least, largest) = ends(lambda);
            (2.0 / (least.sqrt() + largest.sqrt()), (REFERENCE.best_pair)(lambda).1)
        }),
        right(
            "through κ",
            with(|lambda| {
                let (least, largest) = ends(lambda);
                let root = (largest / least).sqrt();
                let rate = (root - 1.0) / (root + 1.0);
                ((1.0 + rate).powi(2) / largest, rate * rate)
            }),
        ),
        right(
            "with κ the other way up",
            with(|lambda| {
                let (least, largest) = ends(lambda);
                let root = (least / largest).sqrt();
                let rate = (1.0 - root) / (1.0 + root);
                ((1.0 - rate).powi(2) / least, rate * rate)
            }),
        ),
    ]
}

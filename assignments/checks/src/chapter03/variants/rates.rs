//! Variants of the functions that predict rates.

use ndarray::Array1;

use signatures::chapter03::Functions;

use super::super::REFERENCE;
use crate::chapter::Variant;

pub fn all() -> Vec<Variant> {
    [radius(), pair()].into_iter().flatten().collect()
}

fn radius() -> Vec<Variant> {
    let with = |heavy_ball_radius| Functions { heavy_ball_radius, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("heavy_ball_radius", name, with(function));
    let right = |name, function| Variant::right("heavy_ball_radius", name, with(function));
    fn sum(eta: f64, mu: f64, lambda: f64) -> f64 {
        1.0 + mu - eta * lambda
    }
    /// The larger size of two zeros with this sum and this product.
    fn of(sum: f64, product: f64) -> f64 {
        let under = sum * sum - 4.0 * product;
        if under < 0.0 { product.sqrt() } else { (sum.abs() + under.sqrt()) / 2.0 }
    }
    vec![
        wrong(
            "NaN where the ball swings, from the root of a negative number",
            |eta, mu, lambda| {
                let s = sum(eta, mu, lambda);
                (s.abs() + (s * s - 4.0 * mu).sqrt()) / 2.0
            },
        )
        .see("heavy_ball_complex_regime"),
        wrong("the real part of the eigenvalues where the ball swings", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            (s.abs() + (s * s - 4.0 * mu).max(0.0).sqrt()) / 2.0
        })
        .see("heavy_ball_complex_regime"),
        wrong("the real and the imaginary part added where the ball swings", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            (s.abs() + (s * s - 4.0 * mu).abs().sqrt()) / 2.0
        })
        .see("heavy_ball_complex_regime"),
        wrong("μ where the ball swings, without its root", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            if s * s < 4.0 * mu { mu } else { of(s, mu) }
        })
        .see("heavy_ball_complex_regime"),
        wrong("√μ everywhere, also where the zeros are real", |_, mu, _| mu.sqrt())
            .see("heavy_ball_complex_regime"),
        wrong(
            "|r₊| alone, which is the smaller one where 1 + μ − ηλ is negative",
            |eta, mu, lambda| {
                let s = sum(eta, mu, lambda);
                let under = s * s - 4.0 * mu;
                if under < 0.0 { mu.sqrt() } else { ((s + under.sqrt()) / 2.0).abs() }
            },
        ),
        wrong("the smaller of |r₊| and |r₋|", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            let under = s * s - 4.0 * mu;
            if under < 0.0 { mu.sqrt() } else { (s.abs() - under.sqrt()).abs() / 2.0 }
        }),
        wrong("r₊ without its absolute value", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            let under = s * s - 4.0 * mu;
            if under < 0.0 { mu.sqrt() } else { (s + under.sqrt()) / 2.0 }
        }),
        wrong("the larger eigenvalue with its sign, not its size", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            let under = s * s - 4.0 * mu;
            if under < 0.0 { mu.sqrt() } else { of(s, mu).copysign(s) }
        }),
        wrong("the division by 2 forgotten", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            let under = s * s - 4.0 * mu;
            if under < 0.0 { mu.sqrt() } else { s.abs() + under.sqrt() }
        }),
        wrong("the trace as 1 − μ − ηλ", |eta, mu, lambda| of(1.0 - mu - eta * lambda, mu))
            .see("heavy_ball_characteristic_polynomial"),
        wrong("the trace as 1 + μ + ηλ", |eta, mu, lambda| of(1.0 + mu + eta * lambda, mu))
            .see("heavy_ball_characteristic_polynomial"),
        wrong("the factor 4 under the root forgotten", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda);
            let under = s * s - mu;
            if under < 0.0 { mu.sqrt() } else { (s.abs() + under.sqrt()) / 2.0 }
        }),
        wrong("the rate of gradient descent, |1 − ηλ|", |eta, _, lambda| {
            (1.0 - eta * lambda).abs()
        })
        .see("heavy_ball_matrix"),
        wrong("the radius of Nesterov's momentum", |eta, mu, lambda| {
            let left = 1.0 - eta * lambda;
            of((1.0 + mu) * left, mu * left)
        })
        .see("heavy_ball_matrix"),
        wrong(
            "the radius of the moving average, whose learning rate is (1 − μ) η",
            |eta, mu, lambda| of(sum(eta * (1.0 - mu), mu, lambda), mu),
        )
        .see("moving_average_takes_the_steps_of_momentum"),
        right("the larger zero from the smaller", |eta, mu, lambda| {
            let s = sum(eta, mu, lambda).abs();
            let under = s * s - 4.0 * mu;
            let larger = (s + under.max(0.0).sqrt()) / 2.0;
            if under < 0.0 { mu.sqrt() } else { larger.max(mu / larger) }
        }),
    ]
}

fn pair() -> Vec<Variant> {
    let with = |best_pair| Functions { best_pair, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("best_pair", name, with(function));
    let right = |name, function| Variant::right("best_pair", name, with(function));
    fn ends(lambda: &Array1<f64>) -> (f64, f64) {
        let least = lambda.iter().copied().fold(f64::INFINITY, f64::min);
        (least, lambda.iter().copied().fold(0.0, f64::max))
    }
    fn of(least: f64, largest: f64) -> (f64, f64) {
        let (low, high) = (least.sqrt(), largest.sqrt());
        (4.0 / (high + low).powi(2), ((high - low) / (high + low)).powi(2))
    }
    vec![
        wrong("the momentum first, and then the learning rate", |lambda| {
            let (eta, mu) = (REFERENCE.best_pair)(lambda);
            (mu, eta)
        }),
        wrong("the rate √μ that the ball reaches, in place of the momentum μ", |lambda| {
            let (eta, mu) = (REFERENCE.best_pair)(lambda);
            (eta, mu.sqrt())
        }),
        wrong("the best learning rate of gradient descent, beside the right momentum", |lambda| {
            let (least, largest) = ends(lambda);
            (2.0 / (least + largest), (REFERENCE.best_pair)(lambda).1)
        }),
        wrong("the best pair of gradient descent, which has no momentum", |lambda| {
            let (least, largest) = ends(lambda);
            (2.0 / (least + largest), 0.0)
        }),
        wrong("1 divided by the largest eigenvalue as the learning rate", |lambda| {
            (1.0 / ends(lambda).1, (REFERENCE.best_pair)(lambda).1)
        }),
        wrong("a momentum from κ, where it should be from √κ", |lambda| {
            let ((least, largest), (eta, _)) = (ends(lambda), (REFERENCE.best_pair)(lambda));
            (eta, ((largest - least) / (largest + least)).powi(2))
        }),
        wrong("eigenvalues without their roots, in learning rate and momentum", |lambda| {
            let (least, largest) = ends(lambda);
            of(least.powi(2), largest.powi(2))
        }),
        wrong("the first and the last eigenvalue, as if they were sorted", |lambda| {
            let (first, last) = (lambda[0], lambda[lambda.len() - 1]);
            of(first.min(last), first.max(last))
        }),
        wrong("a minimum that begins at a number of its own, such as 100", |lambda| {
            let least = lambda.iter().copied().fold(100.0, f64::min);
            (REFERENCE.best_pair)(&Array1::from(vec![least, ends(lambda).1.max(least)]))
        }),
        wrong("the ends sought among the first three eigenvalues alone", |lambda| {
            (REFERENCE.best_pair)(&lambda.iter().copied().take(3).collect())
        }),
        wrong("a smallest eigenvalue of 0, from a minimum that begins there", |lambda| {
            of(0.0, ends(lambda).1)
        }),
        wrong("the pair that is usual for Nesterov's momentum", |lambda| {
            (1.0 / ends(lambda).1, (REFERENCE.best_pair)(lambda).1.sqrt())
        })
        .see("nesterov_rate"),
        wrong("2 divided by the sum of the roots as the learning rate, not its square", |lambda| {
            let (least, largest) = ends(lambda);
            (2.0 / (least.sqrt() + largest.sqrt()), (REFERENCE.best_pair)(lambda).1)
        }),
        wrong("a learning rate with 2 in place of 4", |lambda| {
            let (eta, mu) = (REFERENCE.best_pair)(lambda);
            (eta / 2.0, mu)
        }),
        wrong("the mean of the eigenvalues in place of the largest", |lambda| {
            of(ends(lambda).0, lambda.mean().expect("eigenvalues"))
        }),
        right("through κ", |lambda| {
            let (least, largest) = ends(lambda);
            let root = (largest / least).sqrt();
            let rate = (root - 1.0) / (root + 1.0);
            ((1.0 + rate).powi(2) / largest, rate * rate)
        }),
        right("with κ the other way up", |lambda| {
            let (least, largest) = ends(lambda);
            let root = (least / largest).sqrt();
            let rate = (1.0 - root) / (1.0 + root);
            ((1.0 - rate).powi(2) / least, rate * rate)
        }),
    ]
}

//! Chapter 3: wrong answers, and other right ones.

mod rates;

use ndarray::{Array1, Array2};

use signatures::chapter03::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    let lists = [bowl(), momentum(), moving_average(), nesterov(), rates::all()];
    lists.into_iter().flatten().collect()
}

fn bowl() -> Vec<Variant> {
    let with = |bowl_step| Functions { bowl_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("bowl_step", name, with(function));
    let right = |name, function| Variant::right("bowl_step", name, with(function));
    fn both(a: &Array2<f64>, theta: &Array1<f64>) -> Array1<f64> {
        (a.dot(theta) + a.t().dot(theta)) / 2.0
    }
    vec![
        wrong("Aθ alone, as if the matrix were symmetric", |a, b, theta, eta| {
            theta - &((a.dot(theta) - b) * eta)
        }),
        wrong("Aᵀθ alone, as if the matrix were symmetric", |a, b, theta, eta| {
            theta - &((a.t().dot(theta) - b) * eta)
        }),
        wrong("½ Aθ alone: one of the two parts of the gradient", |a, b, theta, eta| {
            theta - &((a.dot(theta) / 2.0 - b) * eta)
        }),
        wrong("the diagonal of the matrix only", |a, b, theta, eta| {
            theta - &((&a.diag() * theta - b) * eta)
        })
        .see("bowl_eigenvectors"),
        wrong("Aθ + Aᵀθ without the factor ½", |a, b, theta, eta| {
            theta - &((both(a, theta) * 2.0 - b) * eta)
        }),
        wrong("the factor ½ on b as well", |a, b, theta, eta| {
            theta - &((both(a, theta) - &(b / 2.0)) * eta)
        }),
        wrong("a step uphill: the gradient added", |a, b, theta, eta| {
            theta + &((both(a, theta) - b) * eta)
        })
        .see("momentum-descent"),
        wrong("b forgotten", |a, _, theta, eta| theta - &(both(a, theta) * eta)),
        wrong("b with the other sign", |a, b, theta, eta| theta - &((both(a, theta) + b) * eta)),
        wrong("the step in place of the new parameters", |a, b, theta, eta| {
            (both(a, theta) - b) * -eta
        })
        .see("momentum-descent"),
        wrong("the gradient in place of the new parameters", |a, b, theta, _| both(a, theta) - b)
            .see("momentum-descent"),
        wrong("the learning rate forgotten", |a, b, theta, _| theta - &(both(a, theta) - b))
            .see("momentum-descent"),
        wrong("the gradient divided by the number of parameters", |a, b, theta, eta| {
            theta - &((both(a, theta) - b) * (eta / theta.len() as f64))
        })
        .see("momentum-bug"),
        right("entry by entry", |a, b, theta, eta| {
            let p = theta.len();
            Array1::from_shape_fn(p, |k| {
                let row: f64 = (0..p).map(|j| a[[k, j]] * theta[j]).sum();
                let column: f64 = (0..p).map(|i| theta[i] * a[[i, k]]).sum();
                theta[k] - eta * (0.5 * row + 0.5 * column - b[k])
            })
        }),
    ]
}

fn momentum() -> Vec<Variant> {
    let with = |momentum_step| Functions { momentum_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("momentum_step", name, with(function));
    let right = |name, function| Variant::right("momentum_step", name, with(function));
    vec![
        wrong("a step by the old velocity", |theta, v, g, eta, mu| {
            (theta + v, v * mu - &(g * eta))
        }),
        wrong("the right step, but the old velocity returned", |theta, v, g, eta, mu| {
            (theta + &(v * mu) - &(g * eta), v.clone())
        }),
        wrong("a step uphill: the gradient added", |theta, v, g, eta, mu| {
            let v = v * mu + &(g * eta);
            (theta + &v, v)
        }),
        wrong("a velocity that points uphill, and is subtracted", |theta, v, g, eta, mu| {
            let v = v * mu + &(g * eta);
            (theta - &v, v)
        }),
        wrong("the new velocity subtracted from the parameters", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta - &v, v)
        }),
        wrong("the learning rate in the step, not in the velocity", |theta, v, g, eta, mu| {
            let v = v * mu - g;
            (theta + &(&v * eta), v)
        })
        .see("momentum_unrolled"),
        wrong(
            "the learning rate in the velocity, and in the step once more",
            |theta, v, g, eta, mu| {
                let v = v * mu - &(g * eta);
                (theta + &(&v * eta), v)
            },
        ),
        wrong("a moving average: the gradient times 1 − μ", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * (eta * (1.0 - mu)));
            (theta + &v, v)
        })
        .see("moving_average_takes_the_steps_of_momentum"),
        wrong(
            "the average of gradients, with the learning rate in the step",
            |theta, v, g, eta, mu| (REFERENCE.moving_average_step)(theta, v, g, eta, mu),
        )
        .see("moving_average_takes_the_steps_of_momentum"),
        wrong(
            "a velocity μ v + g, with the learning rate and the minus in the step",
            |theta, v, g, eta, mu| {
                let v = v * mu + g;
                (theta - &(&v * eta), v)
            },
        )
        .see("momentum_unrolled"),
        wrong("the learning rate on the old velocity as well", |theta, v, g, eta, mu| {
            let v = (v * mu - g) * eta;
            (theta + &v, v)
        })
        .see("momentum_unrolled"),
        wrong("gradient descent: the old velocity forgotten", |theta, _, g, eta, _| {
            (theta - &(g * eta), g * -eta)
        }),
        wrong("a new velocity, but a step by the gradient alone", |theta, v, g, eta, mu| {
            (theta - &(g * eta), v * mu - &(g * eta))
        }),
        wrong("the momentum on the gradient, too", |theta, v, g, eta, mu| {
            let v = (v - &(g * eta)) * mu;
            (theta + &v, v)
        })
        .see("momentum_unrolled"),
        wrong("the whole old velocity, without the momentum", |theta, v, g, eta, _| {
            let v = v - &(g * eta);
            (theta + &v, v)
        })
        .see("momentum_unrolled"),
        wrong("1 − μ in place of μ", |theta, v, g, eta, mu| {
            let v = v * (1.0 - mu) - &(g * eta);
            (theta + &v, v)
        }),
        wrong("Nesterov's step, which looks ahead", |theta, v, g, eta, mu| {
            (REFERENCE.nesterov_step)(theta, v, g, eta, mu)
        })
        .see("momentum-nesterov"),
        wrong("the velocity first, and then the parameters", |theta, v, g, eta, mu| {
            let (theta, v) = (REFERENCE.momentum_step)(theta, v, g, eta, mu);
            (v, theta)
        }),
        wrong("the step in place of the new parameters", |theta, v, g, eta, mu| {
            let v = (REFERENCE.momentum_step)(theta, v, g, eta, mu).1;
            (v.clone(), v)
        }),
        right("the velocity as the difference of two places", |theta, v, g, eta, mu| {
            let next = theta + &(v * mu) - &(g * eta);
            let v = &next - theta;
            (next, v)
        }),
    ]
}

fn moving_average() -> Vec<Variant> {
    let with = |moving_average_step| Functions { moving_average_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("moving_average_step", name, with(function));
    let right = |name, function| Variant::right("moving_average_step", name, with(function));
    vec![
        wrong("momentum, which does not average", |theta, v, g, eta, beta| {
            (REFERENCE.momentum_step)(theta, v, g, eta, beta)
        })
        .see("moving_average_takes_the_steps_of_momentum"),
        wrong("the whole new gradient, not the share 1 − β of it", |theta, v, g, eta, beta| {
            let v = v * beta + g;
            (theta - &(&v * eta), v)
        }),
        wrong("the shares β and 1 − β exchanged", |theta, v, g, eta, beta| {
            let v = v * (1.0 - beta) + &(g * beta);
            (theta - &(&v * eta), v)
        }),
        wrong("a step by the old average", |theta, v, g, eta, beta| {
            (theta - &(v * eta), v * beta + &(g * (1.0 - beta)))
        }),
        wrong("the right step, but the old average returned", |theta, v, g, eta, beta| {
            ((REFERENCE.moving_average_step)(theta, v, g, eta, beta).0, v.clone())
        }),
        wrong("a step uphill: the average added", |theta, v, g, eta, beta| {
            let v = v * beta + &(g * (1.0 - beta));
            (theta + &(&v * eta), v)
        }),
        wrong("an average that points downhill, and is added", |theta, v, g, eta, beta| {
            let v = v * beta - &(g * (1.0 - beta));
            (theta + &(&v * eta), v)
        }),
        wrong("the learning rate in the average, not in the step", |theta, v, g, eta, beta| {
            let v = v * beta + &(g * (eta * (1.0 - beta)));
            (theta - &v, v)
        }),
        wrong(
            "the learning rate in the step, and in the average, too",
            |theta, v, g, eta, beta| {
                let v = v * beta + &(g * (eta * (1.0 - beta)));
                (theta - &(&v * eta), v)
            },
        ),
        wrong("the learning rate forgotten", |theta, v, g, _, beta| {
            let v = v * beta + &(g * (1.0 - beta));
            (theta - &v, v)
        }),
        wrong(
            "a step divided by 1 − β, the correction for a first step",
            |theta, v, g, eta, beta| {
                let v = v * beta + &(g * (1.0 - beta));
                (theta - &(&v * (eta / (1.0 - beta))), v)
            },
        ),
        wrong("a new average, but a step by the gradient alone", |theta, v, g, eta, beta| {
            (theta - &(g * eta), v * beta + &(g * (1.0 - beta)))
        }),
        wrong("the average first, and then the parameters", |theta, v, g, eta, beta| {
            let (theta, v) = (REFERENCE.moving_average_step)(theta, v, g, eta, beta);
            (v, theta)
        }),
        right("a part of the way to the new gradient", |theta, v, g, eta, beta| {
            let v = v + &((g - v) * (1.0 - beta));
            (theta - &(&v * eta), v)
        }),
    ]
}

fn nesterov() -> Vec<Variant> {
    let with = |nesterov_step| Functions { nesterov_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("nesterov_step", name, with(function));
    let right = |name, function| Variant::right("nesterov_step", name, with(function));
    vec![
        wrong("the heavy ball: a step by the new velocity", |theta, v, g, eta, mu| {
            (REFERENCE.momentum_step)(theta, v, g, eta, mu)
        }),
        wrong("the share of the new velocity, without the gradient", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &(&v * mu), v)
        }),
        wrong("the whole new velocity, and the gradient once more", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &v - &(g * eta), v)
        }),
        wrong("the new velocity, and its share on top of it", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &(&v * (1.0 + mu)), v)
        })
        .see("nesterov_lookahead"),
        wrong(
            "the share μ² of the old velocity, without that of the gradient",
            |theta, v, g, eta, mu| (theta + &(v * (mu * mu)) - &(g * eta), v * mu - &(g * eta)),
        ),
        wrong("the step kept as the velocity", |theta, v, g, eta, mu| {
            let step = (v * mu - &(g * eta)) * mu - &(g * eta);
            (theta + &step, step)
        }),
        wrong("the right step, but the old velocity returned", |theta, v, g, eta, mu| {
            ((REFERENCE.nesterov_step)(theta, v, g, eta, mu).0, v.clone())
        }),
        wrong(
            "the gradient added in the step, where it should be subtracted",
            |theta, v, g, eta, mu| {
                let v = v * mu - &(g * eta);
                (theta + &(&v * mu) + &(g * eta), v)
            },
        ),
        wrong("a step uphill: the gradient added in velocity and step", |theta, v, g, eta, mu| {
            let v = v * mu + &(g * eta);
            (theta + &(&v * mu) + &(g * eta), v)
        }),
        wrong("a velocity that points uphill, and is subtracted", |theta, v, g, eta, mu| {
            let v = v * mu + &(g * eta);
            (theta - &(&v * mu) - &(g * eta), v)
        }),
        wrong(
            "a velocity μ v + g, with the learning rate and the minus in the step",
            |theta, v, g, eta, mu| {
                let v = v * mu + g;
                (theta - &((&v * mu + g) * eta), v)
            },
        ),
        wrong("the gradient of the step without the learning rate", |theta, v, g, eta, mu| {
            let v = v * mu - &(g * eta);
            (theta + &(&v * mu) - g, v)
        }),
        wrong("the velocity first, and then the parameters", |theta, v, g, eta, mu| {
            let (theta, v) = (REFERENCE.nesterov_step)(theta, v, g, eta, mu);
            (v, theta)
        }),
        right(
            "the step of the heavy ball, and the change of what lies ahead",
            |theta, old, g, eta, mu| {
                let v = old * mu - &(g * eta);
                (theta + &v + &((&v - old) * mu), v)
            },
        ),
    ]
}

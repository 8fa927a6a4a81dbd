//! Chapter 8: Adam and AdamW.

use ndarray::Array1;

use signatures::chapter08::Functions;

use super::super::REFERENCE;
use super::{divided, square};
use crate::chapter::Variant;

pub fn all() -> Vec<Variant> {
    [adam(), adamw()].into_iter().flatten().collect()
}

const EPSILON: f64 = 1e-8;

/// The new averages, with these betas.
fn averages(
    v: &Array1<f64>,
    s: &Array1<f64>,
    g: &Array1<f64>,
    (beta1, beta2): (f64, f64),
) -> (Array1<f64>, Array1<f64>) {
    (v * beta1 + &(g * (1.0 - beta1)), s * beta2 + &(square(g) * (1.0 - beta2)))
}

/// 1 − βᵗ for both betas.
fn sums(t: usize) -> (f64, f64) {
    (1.0 - 0.9_f64.powf(t as f64), 1.0 - 0.999_f64.powf(t as f64))
}

/// A step by averages that are divided by two numbers.
fn stepped(
    theta: &Array1<f64>,
    (v, s): (Array1<f64>, Array1<f64>),
    (by1, by2): (f64, f64),
    eta: f64,
) -> (Array1<f64>, Array1<f64>, Array1<f64>) {
    (theta - &(divided(&(&v / by1), &(&s / by2), EPSILON) * eta), v, s)
}

const BETAS: (f64, f64) = (0.9, 0.999);

fn adam() -> Vec<Variant> {
    let with = |adam_step| Functions { adam_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("adam_step", name, with(function));
    let right = |name, function| Variant::right("adam_step", name, with(function));
    vec![
        wrong("no correction of the averages", |theta, v, s, g, _, eta| {
            stepped(theta, averages(v, s, g, BETAS), (1.0, 1.0), eta)
        })
        .see("missing_bias_correction"),
        wrong(
            "the average of gradients corrected, that of squares not",
            |theta, v, s, g, t, eta| {
                stepped(theta, averages(v, s, g, BETAS), (sums(t).0, 1.0), eta)
            },
        )
        .see("missing_bias_correction"),
        wrong(
            "the average of squares corrected, that of gradients not",
            |theta, v, s, g, t, eta| {
                stepped(theta, averages(v, s, g, BETAS), (1.0, sums(t).1), eta)
            },
        )
        .see("missing_bias_correction"),
        wrong("steps counted from 0", |theta, v, s, g, t, eta| {
            stepped(theta, averages(v, s, g, BETAS), sums(t - 1), eta)
        })
        .see("zoo-correction"),
        wrong("one step too many in the correction", |theta, v, s, g, t, eta| {
            stepped(theta, averages(v, s, g, BETAS), sums(t + 1), eta)
        })
        .see("zoo-correction"),
        wrong("the correction of the first step in every step", |theta, v, s, g, _, eta| {
            stepped(theta, averages(v, s, g, BETAS), sums(1), eta)
        })
        .see("zoo-correction"),
        wrong("multiplied by the correction, not divided", |theta, v, s, g, t, eta| {
            let (by1, by2) = sums(t);
            stepped(theta, averages(v, s, g, BETAS), (1.0 / by1, 1.0 / by2), eta)
        })
        .see("average_of_a_steady_sequence"),
        wrong("the root of the squares corrected, not the squares", |theta, v, s, g, t, eta| {
            let (by1, by2) = sums(t);
            stepped(theta, averages(v, s, g, BETAS), (by1, by2 * by2), eta)
        })
        .see("zoo-correction"),
        wrong("the two betas exchanged", |theta, v, s, g, t, eta| {
            let (by1, by2) = sums(t);
            stepped(theta, averages(v, s, g, (BETAS.1, BETAS.0)), (by2, by1), eta)
        }),
        wrong("β₁ for both averages", |theta, v, s, g, t, eta| {
            let (by1, _) = sums(t);
            stepped(theta, averages(v, s, g, (BETAS.0, BETAS.0)), (by1, by1), eta)
        }),
        wrong("each correction with the other beta", |theta, v, s, g, t, eta| {
            let (by1, by2) = sums(t);
            stepped(theta, averages(v, s, g, BETAS), (by2, by1), eta)
        }),
        wrong("an average of gradients in place of that of squares", |theta, v, s, g, t, eta| {
            let (v, _) = averages(v, s, g, BETAS);
            stepped(theta, (v, s * 0.999 + &(g * 0.001)), sums(t), eta)
        }),
        wrong("the square of the average in place of that of squares", |theta, v, s, g, t, eta| {
            let (v, _) = averages(v, s, g, BETAS);
            let s = s * 0.999 + &(square(&v) * 0.001);
            stepped(theta, (v, s), sums(t), eta)
        }),
        wrong("the whole new gradient, not the share 1 − β₁", |theta, v, s, g, t, eta| {
            let (_, s) = averages(v, s, g, BETAS);
            stepped(theta, (v * 0.9 + g, s), sums(t), eta)
        }),
        wrong(
            "the corrected averages returned, to be corrected again",
            |theta, v, s, g, t, eta| {
                let (by1, by2) = sums(t);
                let (theta, v, s) = (REFERENCE.adam_step)(theta, v, s, g, t, eta);
                (theta, v / by1, s / by2)
            },
        )
        .see("zoo-correction"),
        wrong("the right step, but the old averages returned", |theta, v, s, g, t, eta| {
            ((REFERENCE.adam_step)(theta, v, s, g, t, eta).0, v.clone(), s.clone())
        }),
        wrong("a step by the gradient, not by its average", |theta, v, s, g, t, eta| {
            let (v, s) = averages(v, s, g, BETAS);
            (theta - &(divided(g, &(&s / sums(t).1), EPSILON) * eta), v, s)
        }),
        wrong("ε inside of the root", |theta, v, s, g, t, eta| {
            let ((v, s), (by1, by2)) = (averages(v, s, g, BETAS), sums(t));
            (theta - &(divided(&(&v / by1), &(&s / by2 + EPSILON), 0.0) * eta), v, s)
        })
        .see("epsilon_inside_or_outside"),
        wrong("ε added to the root before the correction", |theta, v, s, g, t, eta| {
            let ((v, s), (by1, by2)) = (averages(v, s, g, BETAS), sums(t));
            (theta - &(divided(&v, &s, EPSILON) * (eta * by2.sqrt() / by1)), v, s)
        })
        .see("zoo-conventions"),
        wrong("ε forgotten", |theta, v, s, g, t, eta| {
            let ((v, s), (by1, by2)) = (averages(v, s, g, BETAS), sums(t));
            (theta - &(divided(&(&v / by1), &(&s / by2), 0.0) * eta), v, s)
        })
        .see("scale_goes_into_epsilon"),
        wrong("the average of squares without its root", |theta, v, s, g, t, eta| {
            let ((v, s), (by1, by2)) = (averages(v, s, g, BETAS), sums(t));
            (theta - &(&v / by1 / &(&s / by2 + EPSILON) * eta), v, s)
        })
        .see("zoo-scale"),
        wrong("a step uphill: the average added", |theta, v, s, g, t, eta| {
            stepped(theta, averages(v, s, g, BETAS), sums(t), -eta)
        }),
        wrong("the averages exchanged in what is returned", |theta, v, s, g, t, eta| {
            let (theta, v, s) = (REFERENCE.adam_step)(theta, v, s, g, t, eta);
            (theta, s, v)
        }),
        right("the two corrections in one rate, and in ε", |theta, v, s, g, t, eta| {
            let ((v, s), (by1, by2)) = (averages(v, s, g, BETAS), sums(t));
            let rate = eta * by2.sqrt() / by1;
            (theta - &(divided(&v, &s, EPSILON * by2.sqrt()) * rate), v, s)
        }),
        right("the powers by multiplying", |theta, v, s, g, t, eta| {
            let power = |beta: f64| (0..t).fold(1.0, |power, _| power * beta);
            let by = (1.0 - power(0.9), 1.0 - power(0.999));
            stepped(theta, averages(v, s, g, BETAS), by, eta)
        }),
    ]
}

fn adamw() -> Vec<Variant> {
    let with = |adamw_step| Functions { adamw_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("adamw_step", name, with(function));
    let right = |name, function| Variant::right("adamw_step", name, with(function));
    vec![
        wrong("decay through the gradient: L2 inside Adam", |theta, v, s, eta, lambda| {
            theta - &(divided(&(v + &(theta * lambda)), s, EPSILON) * eta)
        })
        .see("decay_inside_adam"),
        wrong("the decay not multiplied by the learning rate", |theta, v, s, eta, lambda| {
            theta * (1.0 - lambda) - &(divided(v, s, EPSILON) * eta)
        })
        .see("zoo-conventions"),
        wrong("the learning rate twice in the decay", |theta, v, s, eta, lambda| {
            theta * (1.0 - eta * eta * lambda) - &(divided(v, s, EPSILON) * eta)
        }),
        wrong("the decay after the step, which decays as well", |theta, v, s, eta, lambda| {
            (theta - &(divided(v, s, EPSILON) * eta)) * (1.0 - eta * lambda)
        }),
        wrong("growth in place of decay", |theta, v, s, eta, lambda| {
            theta * (1.0 + eta * lambda) - &(divided(v, s, EPSILON) * eta)
        }),
        wrong("no decay: Adam", |theta, v, s, eta, _| theta - &(divided(v, s, EPSILON) * eta)),
        wrong("the sign of a parameter decays, not its share", |theta, v, s, eta, lambda| {
            theta - &(theta.mapv(f64::signum) * (eta * lambda)) - &(divided(v, s, EPSILON) * eta)
        })
        .see("decay_in_plain_descent"),
        wrong("the square of a parameter as its decay", |theta, v, s, eta, lambda| {
            theta - &(square(theta) * (eta * lambda)) - &(divided(v, s, EPSILON) * eta)
        })
        .see("decay_in_plain_descent"),
        wrong("half of the decay", |theta, v, s, eta, lambda| {
            theta * (1.0 - 0.5 * eta * lambda) - &(divided(v, s, EPSILON) * eta)
        })
        .see("decay_in_plain_descent"),
        wrong("ε inside of the root", |theta, v, s, eta, lambda| {
            theta * (1.0 - eta * lambda) - &(divided(v, &(s + EPSILON), 0.0) * eta)
        })
        .see("epsilon_inside_or_outside"),
        wrong("ε forgotten", |theta, v, s, eta, lambda| {
            theta * (1.0 - eta * lambda) - &(divided(v, s, 0.0) * eta)
        })
        .see("scale_goes_into_epsilon"),
        wrong("the average of squares without its root", |theta, v, s, eta, lambda| {
            theta * (1.0 - eta * lambda) - &(v / &(s + EPSILON) * eta)
        })
        .see("zoo-scale"),
        wrong("the step without the learning rate", |theta, v, s, eta, lambda| {
            theta * (1.0 - eta * lambda) - &divided(v, s, EPSILON)
        }),
        wrong("a step uphill: the average added", |theta, v, s, eta, lambda| {
            theta * (1.0 - eta * lambda) + &(divided(v, s, EPSILON) * eta)
        }),
        right("both at once, times the learning rate", |theta, v, s, eta, lambda| {
            theta - &((divided(v, s, EPSILON) + &(theta * lambda)) * eta)
        }),
    ]
}

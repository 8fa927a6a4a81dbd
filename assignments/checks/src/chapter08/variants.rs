//! Chapter 8: wrong answers, and other right ones.

mod adam;
mod rates;

use ndarray::Array1;

use signatures::chapter08::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    let lists = [adagrad(), rmsprop(), adam::all(), clip(), rates::all()];
    lists.into_iter().flatten().collect()
}

fn square(g: &Array1<f64>) -> Array1<f64> {
    g * g
}

/// g / (√s + ε).
fn divided(g: &Array1<f64>, s: &Array1<f64>, epsilon: f64) -> Array1<f64> {
    g / &(s.mapv(f64::sqrt) + epsilon)
}

fn norm(g: &Array1<f64>) -> f64 {
    g.dot(g).sqrt()
}

fn adagrad() -> Vec<Variant> {
    let with = |adagrad_step| Functions { adagrad_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("adagrad_step", name, with(function));
    let right = |name, function| Variant::right("adagrad_step", name, with(function));
    vec![
        wrong("the gradient added to the sum, not its square", |theta, s, g, eta, epsilon| {
            let s = s + g;
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("the size of the gradient added, not its square", |theta, s, g, eta, epsilon| {
            let s = s + &g.mapv(f64::abs);
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("the sum of squares without its root", |theta, s, g, eta, epsilon| {
            let s = s + &square(g);
            (theta - &(g / &(&s + epsilon) * eta), s)
        })
        .see("zoo-scale"),
        wrong("ε inside of the root", |theta, s, g, eta, epsilon| {
            let s = s + &square(g);
            (theta - &(divided(g, &(&s + epsilon), 0.0) * eta), s)
        })
        .see("epsilon_inside_or_outside"),
        wrong("ε forgotten", |theta, s, g, eta, _| {
            let s = s + &square(g);
            (theta - &(divided(g, &s, 0.0) * eta), s)
        }),
        wrong("ε added to the sum that is returned", |theta, s, g, eta, epsilon| {
            let (theta, s) = (REFERENCE.adagrad_step)(theta, s, g, eta, epsilon);
            (theta, s + epsilon)
        }),
        wrong("a step by the old sum, without the newest gradient", |theta, s, g, eta, epsilon| {
            (theta - &(divided(g, s, epsilon) * eta), s + &square(g))
        }),
        wrong("the right step, but the old sum returned", |theta, s, g, eta, epsilon| {
            ((REFERENCE.adagrad_step)(theta, s, g, eta, epsilon).0, s.clone())
        }),
        wrong("the newest square alone: the old sum forgotten", |theta, _, g, eta, epsilon| {
            let s = square(g);
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("one sum for all parameters together", |theta, s, g, eta, epsilon| {
            let s = s + &square(g);
            (theta - &(g / (s.sum().sqrt() + epsilon) * eta), s)
        })
        .see("zoo-diagonal"),
        wrong("a step uphill: the gradient added", |theta, s, g, eta, epsilon| {
            let s = s + &square(g);
            (theta + &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("the rate alone divided: the gradient forgotten", |theta, s, g, eta, epsilon| {
            let s = s + &square(g);
            (theta - &(s.mapv(|s| eta / (s.sqrt() + epsilon))), s)
        }),
        wrong("the learning rate forgotten", |theta, s, g, _, epsilon| {
            let s = s + &square(g);
            (theta - &divided(g, &s, epsilon), s)
        }),
        wrong("the learning rate inside of the sum", |theta, s, g, eta, epsilon| {
            let s = s + &(square(g) * eta);
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("gradient descent: divided by nothing", |theta, s, g, eta, _| {
            (theta - &(g * eta), s + &square(g))
        }),
        wrong("the sum first, and then the parameters", |theta, s, g, eta, epsilon| {
            let (theta, s) = (REFERENCE.adagrad_step)(theta, s, g, eta, epsilon);
            (s, theta)
        }),
        right("entry by entry", |theta, s, g, eta, epsilon| {
            let new = Array1::from_shape_fn(s.len(), |k| s[k] + g[k].powi(2));
            let step = |k: usize| theta[k] - eta * g[k] / (new[k].powf(0.5) + epsilon);
            (Array1::from_shape_fn(s.len(), step), new)
        }),
    ]
}

fn rmsprop() -> Vec<Variant> {
    let with = |rmsprop_step| Functions { rmsprop_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("rmsprop_step", name, with(function));
    let right = |name, function| Variant::right("rmsprop_step", name, with(function));
    vec![
        wrong("AdaGrad: a sum that forgets nothing", |theta, s, g, eta, _, epsilon| {
            (REFERENCE.adagrad_step)(theta, s, g, eta, epsilon)
        })
        .see("zoo-rmsprop"),
        wrong("the shares β and 1 − β exchanged", |theta, s, g, eta, beta, epsilon| {
            let s = s * (1.0 - beta) + &(square(g) * beta);
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("the whole new square, not the share 1 − β", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &square(g);
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("the whole old average, not the share β", |theta, s, g, eta, beta, epsilon| {
            let s = s + &(square(g) * (1.0 - beta));
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("an average of gradients, not of squares", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &(g * (1.0 - beta));
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("an average of sizes, not of squares", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &(g.mapv(f64::abs) * (1.0 - beta));
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("1 − β squared along with the gradient", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &square(&(g * (1.0 - beta)));
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("the average without its root", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &(square(g) * (1.0 - beta));
            (theta - &(g / &(&s + epsilon) * eta), s)
        })
        .see("zoo-scale"),
        wrong("ε inside of the root", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &(square(g) * (1.0 - beta));
            (theta - &(divided(g, &(&s + epsilon), 0.0) * eta), s)
        })
        .see("epsilon_inside_or_outside"),
        wrong("a step by the old average", |theta, s, g, eta, beta, epsilon| {
            let new = s * beta + &(square(g) * (1.0 - beta));
            (theta - &(divided(g, s, epsilon) * eta), new)
        }),
        wrong("the right step, but the old average returned", |theta, s, g, eta, beta, epsilon| {
            ((REFERENCE.rmsprop_step)(theta, s, g, eta, beta, epsilon).0, s.clone())
        }),
        wrong("Adam's correction for a first step", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &(square(g) * (1.0 - beta));
            (theta - &(divided(g, &(&s / (1.0 - beta)), epsilon) * eta), s)
        })
        .see("zoo-correction"),
        wrong("one average for all parameters together", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &(square(g) * (1.0 - beta));
            (theta - &(g / (s.sum().sqrt() + epsilon) * eta), s)
        })
        .see("zoo-diagonal"),
        wrong("a step uphill: the gradient added", |theta, s, g, eta, beta, epsilon| {
            let s = s * beta + &(square(g) * (1.0 - beta));
            (theta + &(divided(g, &s, epsilon) * eta), s)
        }),
        wrong("the learning rate forgotten", |theta, s, g, _, beta, epsilon| {
            (REFERENCE.rmsprop_step)(theta, s, g, 1.0, beta, epsilon)
        }),
        wrong("the average first, and then the parameters", |theta, s, g, eta, beta, epsilon| {
            let (theta, s) = (REFERENCE.rmsprop_step)(theta, s, g, eta, beta, epsilon);
            (s, theta)
        }),
        right("a part of the way to the new square", |theta, s, g, eta, beta, epsilon| {
            let s = s + &((square(g) - s) * (1.0 - beta));
            (theta - &(divided(g, &s, epsilon) * eta), s)
        }),
    ]
}

fn clip() -> Vec<Variant> {
    let with = |clip_by_norm| Functions { clip_by_norm, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("clip_by_norm", name, with(function));
    let right = |name, function| Variant::right("clip_by_norm", name, with(function));
    vec![
        wrong("each entry clipped by itself", |g, c| g.mapv(|g| g.clamp(-c, c))),
        wrong("the square of the norm in place of the norm", |g, c| g * (c / g.dot(g)).min(1.0)),
        wrong("the right comparison, and a division by the square of the norm", |g, c| {
            if norm(g) > c { g * (c / g.dot(g)) } else { g.clone() }
        }),
        wrong("the square of the norm compared with c", |g, c| {
            if g.dot(g) > c { g * (c / norm(g)) } else { g.clone() }
        }),
        wrong("short gradients made longer: always the length c", |g, c| {
            if norm(g) > 0.0 { g * (c / norm(g)) } else { g.clone() }
        }),
        wrong("always divided by the norm, zero included", |g, c| g * (c / norm(g))),
        wrong("a length of 1 where the gradient is too long", |g, c| {
            if norm(g) > c { g / norm(g) } else { g.clone() }
        }),
        wrong("multiplied by c where the gradient is too long", |g, c| {
            if norm(g) > c { g * c } else { g.clone() }
        }),
        wrong("the largest entry in place of the norm", |g, c| {
            let largest = g.fold(0.0_f64, |a, b| a.max(b.abs()));
            g * (c / largest).min(1.0)
        }),
        wrong("the sum of sizes in place of the norm", |g, c| {
            g * (c / g.mapv(f64::abs).sum()).min(1.0)
        }),
        wrong("the root of the mean square in place of the norm", |g, c| {
            g * (c / (norm(g) / (g.len() as f64).sqrt())).min(1.0)
        }),
        wrong("PyTorch's 1e-6 added to the norm", |g, c| g * (c / (norm(g) + 1e-6)).min(1.0))
            .see("zoo-conventions"),
        wrong("no gradient at all where it is too long", |g, c| {
            if norm(g) > c { g * 0.0 } else { g.clone() }
        }),
        wrong("the larger of the two factors in place of the smaller", |g, c| {
            let norm = norm(g);
            if norm > 0.0 { g * (c / norm).max(1.0) } else { g.clone() }
        }),
        right("divided by the part that is too much", |g, c| g / (norm(g) / c).max(1.0)),
    ]
}

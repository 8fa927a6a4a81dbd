//! Variants of the functions of single entries, and of the judge of gradients.

use ndarray::{Array1, Array2, Zip};

use signatures::chapter01::Functions;

use super::super::REFERENCE;
use crate::chapter::Variant;

pub fn all() -> Vec<Variant> {
    [sigmoid(), relu(), error()].into_iter().flatten().collect()
}

fn sigmoid() -> Vec<Variant> {
    let with = |sigmoid_stable| Functions { sigmoid_stable, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("sigmoid_stable", name, with(function));
    let right = |name, function| Variant::right("sigmoid_stable", name, with(function));
    // The library's value and slope, for variants that get one of the two wrong.
    fn value(z: f64) -> f64 {
        (REFERENCE.sigmoid_stable)(z).0
    }
    fn slope(z: f64) -> f64 {
        (REFERENCE.sigmoid_stable)(z).1
    }
    fn overflowing(z: f64) -> f64 {
        z.exp() / (1.0 + z.exp())
    }
    fn cancelling(z: f64) -> f64 {
        1.0 - 1.0 / (1.0 + z.exp())
    }
    vec![
        wrong("the value as eᶻ / (1 + eᶻ), which overflows", |z| (overflowing(z), slope(z)))
            .see("sigmoid_two_forms"),
        wrong("the value as eᶻ / (1 + eᶻ), which overflows, and from it the slope", |z| {
            (overflowing(z), overflowing(z) * (1.0 - overflowing(z)))
        })
        .see("sigmoid_two_forms"),
        // Their digits go at the same place: nothing tells the two forms apart.
        wrong(
            "small values from a sum of large ones: 1 − 1 / (1 + eᶻ), or (1 + tanh(z / 2)) / 2",
            |z| (cancelling(z), slope(z)),
        )
        .see("one_minus_sigmoid_cancels"),
        wrong("small values from a sum of large ones, and from them the slope", |z| {
            (cancelling(z), cancelling(z) * (1.0 - cancelling(z)))
        })
        .see("one_minus_sigmoid_cancels"),
        wrong("z clipped, at ±500 for example, before its exponential is taken", |z| {
            let z = z.clamp(-500.0, 500.0);
            (value(z), slope(z))
        })
        .see("sigmoid_two_forms"),
        wrong("z clipped, at ±30 for example, before its exponential is taken", |z| {
            let z = z.clamp(-30.0, 30.0);
            (value(z), slope(z))
        })
        .see("sigmoid_two_forms"),
        wrong("the slope as σ (1 − σ), which cancels where σ is close to 1", |z| {
            (value(z), value(z) * (1.0 - value(z)))
        })
        .see("one_minus_sigmoid_cancels"),
        wrong("the slope as e⁻ᶻ / (1 + e⁻ᶻ)², which overflows", |z| {
            (value(z), (-z).exp() / (1.0 + (-z).exp()).powi(2))
        }),
        wrong("the slope with the other sign", |z| (value(z), -slope(z))).see("sigmoid_derivative"),
        wrong(
            "z (1 − z) as the slope, which is the formula for the output taken at the input",
            |z| (value(z), z * (1.0 - z)),
        )
        .see("sigmoid_derivative"),
        wrong("1 − σ² as the slope, which is that of tanh", |z| {
            (value(z), 1.0 - value(z).powi(2))
        })
        .see("sigmoid_derivative"),
        wrong("1 − σ as the slope", |z| (value(z), value(-z))).see("sigmoid_derivative"),
        wrong("the slope first, and then the value", |z| (slope(z), value(z))),
        right("1 / (1 + e⁻ᶻ), and σ(z) σ(−z)", |z| {
            (logistic(z), logistic(z) * logistic(-z))
        }),
    ]
}

fn relu() -> Vec<Variant> {
    let with = |relu_slope| Functions { relu_slope, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("relu_slope", name, with(function));
    let right = |name, function| Variant::right("relu_slope", name, with(function));
    vec![
        wrong("a slope of 1 everywhere", |z| Array2::ones(z.raw_dim()))
            .published("yuan")
            .see("activation-bugs"),
        wrong("ReLU itself, not its slope", |z| z.mapv(|z| z.max(0.0))),
        wrong("the sign of z: −1 where it is negative", |z| {
            z.mapv(|z| if z == 0.0 { 0.0 } else { z.signum() })
        }),
        wrong("the sign of z as f64::signum has it, which is −1 at −0.0, too", |z| {
            z.mapv(f64::signum)
        }),
        wrong("the two sides exchanged: 1 where z is negative", |z| {
            z.mapv(|z| if z < 0.0 { 1.0 } else { 0.0 })
        }),
        wrong("the slope of leaky ReLU", |z| z.mapv(|z| if z > 0.0 { 1.0 } else { 0.01 }))
            .see("leaky_relu_slopes"),
        wrong("the slope of softplus, a ReLU with a rounded corner", |z| z.mapv(logistic))
            .see("softplus_derivative"),
        wrong("ReLU divided by z, which is NaN at 0", |z| z.mapv(|z| z.max(0.0) / z)),
        wrong("1 only where z is larger than 1", |z| z.mapv(|z| if z > 1.0 { 1.0 } else { 0.0 })),
        wrong("1 only where z is larger than a small number", |z| {
            z.mapv(|z| if z > 1e-8 { 1.0 } else { 0.0 })
        }),
        right("1 at 0", |z| z.mapv(|z| if z >= 0.0 { 1.0 } else { 0.0 })),
        right("½ at 0", |z| z.mapv(|z| if z == 0.0 { 0.5 } else { z.max(0.0) / z })),
    ]
}

fn error() -> Vec<Variant> {
    let with = |relative_error| Functions { relative_error, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("relative_error", name, with(function));
    let right = |name, function| Variant::right("relative_error", name, with(function));
    fn norm(x: &Array1<f64>) -> f64 {
        x.dot(x).sqrt()
    }
    vec![
        wrong("the absolute error", |g, m| worst(&(g - m).abs())),
        wrong("errors as parts of the derived entries", |g, m| worst(&errors(g, m, |g, _| g))),
        wrong("errors as parts of the measured entries", |g, m| worst(&errors(g, m, |_, m| m))),
        wrong("errors as parts of the smaller of the two entries", |g, m| {
            worst(&errors(g, m, f64::min))
        }),
        wrong("errors as parts of the sum of the two entries", |g, m| {
            worst(&errors(g, m, |g, m| g + m))
        }),
        wrong("errors as parts of the mean of the two entries", |g, m| {
            worst(&errors(g, m, |g, m| (g + m) / 2.0))
        }),
        wrong("errors as parts of the larger entry, not of the larger absolute value", |g, m| {
            let one = |&g: &f64, &m: &f64| if g == m { 0.0 } else { (g - m).abs() / g.max(m) };
            worst(&Zip::from(g).and(m).map_collect(one))
        }),
        wrong("a small number added to every denominator", |g, m| {
            worst(&errors(g, m, |g, m| g.max(m) + 1e-8))
        }),
        wrong("no denominator below 1", |g, m| worst(&errors(g, m, |g, m| g.max(m).max(1.0)))),
        wrong("the mean of all errors, where it should be the largest", |g, m| {
            errors(g, m, f64::max).mean().expect("entries")
        }),
        wrong("the largest difference as a part of the largest entry", |g, m| {
            let largest = worst(&g.abs()).max(worst(&m.abs()));
            worst(&(g - m).abs()) / largest
        }),
        wrong("the length of the difference as a part of the longer of the two vectors", |g, m| {
            norm(&(g - m)) / norm(g).max(norm(m))
        }),
        wrong("the length of the difference as a part of the sum of both lengths", |g, m| {
            norm(&(g - m)) / (norm(g) + norm(m))
        }),
        wrong("differences without their absolute values", |g, m| {
            let pairs = g.iter().zip(m).filter(|(g, m)| g != m);
            let errors: Array1<f64> =
                pairs.map(|(&g, &m)| (g - m) / g.abs().max(m.abs())).collect();
            worst(&errors)
        }),
        wrong("0 / 0 where both entries are 0", |g, m| {
            let pairs = g.iter().zip(m);
            worst(&pairs.map(|(&g, &m)| (g - m).abs() / g.abs().max(m.abs())).collect())
        }),
        wrong("an error of 0 wherever one of the two entries is 0", |g, m| {
            let errors = errors(g, m, f64::max);
            let parts = Zip::from(&errors).and(g).and(m);
            worst(&parts.map_collect(|&e, &g, &m| if g == 0.0 || m == 0.0 { 0.0 } else { e }))
        }),
        wrong("a NaN that is lost on the way to the largest error", |g, m| {
            errors(g, m, f64::max).into_iter().fold(0.0, f64::max)
        }),
        wrong("a NaN that is found in the last place only", |g, m| {
            let errors = errors(g, m, f64::max);
            errors.into_iter().fold(0.0, |worst, e| if worst > e { worst } else { e })
        }),
        wrong("a NaN that is found in the first place only", |g, m| {
            let errors = errors(g, m, f64::max);
            let first = errors[0];
            errors.into_iter().fold(first, |worst, e| if e > worst { e } else { worst })
        }),
        wrong("a NaN of the measured gradient that is lost", |g, m| {
            // `f64::max` takes the larger of the two to be the one that is a number.
            let known = m.iter().zip(g).map(|(&m, &g)| if m.is_nan() { g } else { m }).collect();
            worst(&errors(g, &known, f64::max))
        }),
        right("in a plain loop", |g, m| worst(&errors(g, m, f64::max))),
    ]
}

pub fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// The largest entry, or a NaN if there is one.
fn worst(errors: &Array1<f64>) -> f64 {
    let mut worst = 0.0;
    for &error in errors {
        if error.is_nan() {
            return f64::NAN;
        }
        if error > worst {
            worst = error;
        }
    }
    worst
}

/// Each entry's error, as a part of what `size` makes of the two absolute values.
fn errors(g: &Array1<f64>, m: &Array1<f64>, size: fn(f64, f64) -> f64) -> Array1<f64> {
    let pairs = g.iter().zip(m);
    pairs
        .map(|(&g, &m)| if g == m { 0.0 } else { (g - m).abs() / size(g.abs(), m.abs()) })
        .collect()
}

//! Chapter 8: rates that change on purpose.

use std::f64::consts::PI;

use signatures::chapter08::Functions;

use super::super::REFERENCE;
use crate::chapter::Variant;

pub fn all() -> Vec<Variant> {
    [cosine(), one_cycle()].into_iter().flatten().collect()
}

/// From 1 down to 0, as x goes from 0 to 1, along half a cosine.
fn down(x: f64) -> f64 {
    0.5 * (1.0 + (PI * x).cos())
}

fn share(t: usize, steps: usize) -> f64 {
    (t as f64 / steps as f64).min(1.0)
}

fn cosine() -> Vec<Variant> {
    let with = |cosine_rate| Functions { cosine_rate, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("cosine_rate", name, with(function));
    let right = |name, function| Variant::right("cosine_rate", name, with(function));
    vec![
        wrong("a cosine that never reaches the end: T + 1 in place of T", |eta, t, steps| {
            eta * down(share(t, steps + 1))
        }),
        wrong("a cosine that ends one step too early: T − 1 in place of T", |eta, t, steps| {
            eta * down(share(t, (steps - 1).max(1)))
        }),
        wrong("one step too far: t + 1 in place of t", |eta, t, steps| {
            eta * down(share(t + 1, steps))
        }),
        wrong("up again after the end", |eta, t, steps| eta * down(t as f64 / steps as f64)),
        wrong("0 after the end, but not at the end", |eta, t, steps| {
            if t == steps { eta } else { eta * down(share(t, steps)) }
        }),
        wrong("a whole wave of the cosine", |eta, t, steps| eta * down(2.0 * share(t, steps))),
        wrong("a quarter of a wave of the cosine", |eta, t, steps| {
            eta * (0.5 * PI * share(t, steps)).cos()
        }),
        wrong("a cosine between 1 and −1", |eta, t, steps| eta * (PI * share(t, steps)).cos()),
        wrong("the factor ½ forgotten", |eta, t, steps| 2.0 * eta * down(share(t, steps))),
        wrong("from 0 up to the full rate", |eta, t, steps| eta * (1.0 - down(share(t, steps)))),
        wrong("a straight line", |eta, t, steps| eta * (1.0 - share(t, steps))),
        wrong("t divided by T as whole numbers", |eta, t, steps| {
            eta * down((t / steps).min(1) as f64)
        }),
        wrong("an angle in degrees", |eta, t, steps| {
            eta * 0.5 * (1.0 + (180.0 * share(t, steps)).cos())
        }),
        wrong("the factor in place of the rate", |_, t, steps| down(share(t, steps))),
        right("the square of a cosine of half the angle", |eta, t, steps| {
            eta * (0.5 * PI * share(t, steps)).cos().powi(2)
        }),
    ]
}

/// One cycle with these ends, and so many steps from the first to the last.
fn cycle(eta: f64, t: usize, (peak, end): (usize, usize), (first, last): (f64, f64)) -> f64 {
    if t <= peak {
        eta * (1.0 - (1.0 - first) * down(t as f64 / peak as f64))
    } else {
        eta * (last + (1.0 - last) * down((t - peak) as f64 / (end - peak) as f64))
    }
}

fn one_cycle() -> Vec<Variant> {
    let with = |one_cycle_rate| Functions { one_cycle_rate, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("one_cycle_rate", name, with(function));
    let right = |name, function| Variant::right("one_cycle_rate", name, with(function));
    const ENDS: (f64, f64) = (1.0 / 25.0, 1.0 / 250_000.0);
    vec![
        wrong("an end that is never reached: T in place of T − 1", |eta, t, steps, peak| {
            cycle(eta, t, (peak, steps), ENDS)
        }),
        wrong("the end one step too early", |eta, t, steps, peak| {
            cycle(eta, t.min(steps - 2), (peak, steps - 2), ENDS)
        }),
        wrong("the peak one step too late", |eta, t, steps, peak| {
            cycle(eta, t, (peak + 1, steps.max(peak + 3) - 1), ENDS)
        }),
        wrong("the peak always after three tenths of the steps", |eta, t, steps, _| {
            let peak = (3 * steps / 10).clamp(1, steps - 2);
            cycle(eta, t, (peak, steps - 1), ENDS)
        }),
        wrong("from 0 at the first step", |eta, t, steps, peak| {
            cycle(eta, t, (peak, steps - 1), (0.0, ENDS.1))
        }),
        wrong("down to 0 at the last step", |eta, t, steps, peak| {
            cycle(eta, t, (peak, steps - 1), (ENDS.0, 0.0))
        }),
        wrong("down to where it began", |eta, t, steps, peak| {
            cycle(eta, t, (peak, steps - 1), (ENDS.0, ENDS.0))
        }),
        wrong("a ten-thousandth of the peak at the last step", |eta, t, steps, peak| {
            cycle(eta, t, (peak, steps - 1), (ENDS.0, 1e-4))
        }),
        wrong("a tenth of the peak at the first step", |eta, t, steps, peak| {
            cycle(eta, t, (peak, steps - 1), (0.1, ENDS.1))
        }),
        wrong("up in a straight line", |eta, t, steps, peak| {
            if t <= peak {
                eta * (ENDS.0 + (1.0 - ENDS.0) * t as f64 / peak as f64)
            } else {
                cycle(eta, t, (peak, steps - 1), ENDS)
            }
        }),
        wrong("down in a straight line", |eta, t, steps, peak| {
            if t > peak {
                let x = (t - peak) as f64 / (steps - 1 - peak) as f64;
                eta * (1.0 - (1.0 - ENDS.1) * x)
            } else {
                cycle(eta, t, (peak, steps - 1), ENDS)
            }
        }),
        wrong("the way down measured from the first step", |eta, t, steps, peak| {
            if t <= peak {
                cycle(eta, t, (peak, steps - 1), ENDS)
            } else {
                eta * (ENDS.1 + (1.0 - ENDS.1) * down(t as f64 / (steps - 1) as f64))
            }
        }),
        wrong("down first, and then up", |eta, t, steps, peak| {
            let there = cycle(eta, t, (peak, steps - 1), ENDS);
            eta - there
        }),
        wrong("the factor in place of the rate", |_, t, steps, peak| {
            cycle(1.0, t, (peak, steps - 1), ENDS)
        }),
        right("two cosines with their middles", |eta, t, steps, peak| {
            let (t, top, end) = (t as f64, peak as f64, steps as f64 - 1.0);
            let half = |low: f64| (eta * (1.0 + low) / 2.0, eta * (1.0 - low) / 2.0);
            if t < top {
                let (middle, height) = half(ENDS.0);
                middle - height * (PI * t / top).cos()
            } else {
                let (middle, height) = half(ENDS.1);
                middle + height * (PI * (t - top) / (end - top)).cos()
            }
        }),
    ]
}

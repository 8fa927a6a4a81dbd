//! Chapter 10: wrong answers, and other right ones.

mod products;
mod threads;

use signatures::chapter10::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    let lists = [operations(), floor(), products::all(), steps(), threads::all()];
    lists.into_iter().flatten().collect()
}

/// Σ sₗ₋₁ sₗ.
fn weights(sizes: &[usize]) -> usize {
    sizes.windows(2).map(|pair| pair[0] * pair[1]).sum()
}

fn operations() -> Vec<Variant> {
    let with = |step_operations| Functions { step_operations, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("step_operations", name, with(function));
    let right = |name, function| Variant::right("step_operations", name, with(function));
    vec![
        wrong("the factor 2 forgotten: multiplications alone", |n, sizes| {
            n * (3 * weights(sizes) - sizes[0] * sizes[1])
        })
        .see("product_takes_2nkm_operations"),
        wrong("the gradient of the inputs counted, which nobody needs", |n, sizes| {
            6 * n * weights(sizes)
        }),
        wrong("the way forward alone", |n, sizes| 2 * n * weights(sizes))
            .see("layer_takes_three_products"),
        wrong("two products for each layer: no gradient is handed on", |n, sizes| {
            4 * n * weights(sizes)
        })
        .see("layer_takes_three_products"),
        wrong("the way back alone", |n, sizes| 2 * n * (2 * weights(sizes) - sizes[0] * sizes[1]))
            .see("layer_takes_three_products"),
        wrong("the product of the last layer left out, not of the first", |n, sizes| {
            let last = sizes.len() - 1;
            2 * n * (3 * weights(sizes) - sizes[last - 1] * sizes[last])
        }),
        wrong("all three products of the first layer left out", |n, sizes| {
            6 * n * (weights(sizes) - sizes[0] * sizes[1])
        }),
        wrong("biases counted as products: one more input for each layer", |n, sizes| {
            let all: usize = sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
            2 * n * (3 * all - (sizes[0] + 1) * sizes[1])
        }),
        wrong("the biases added, which belong to no product", |n, sizes| {
            let units: usize = sizes[1..].iter().sum();
            2 * n * (3 * weights(sizes) - sizes[0] * sizes[1]) + 2 * n * units
        }),
        wrong("one sample in place of the batch", |_, sizes| {
            2 * (3 * weights(sizes) - sizes[0] * sizes[1])
        }),
        wrong("the weights as a batch: n squared", |n, sizes| {
            2 * n * n * (3 * weights(sizes) - sizes[0] * sizes[1])
        }),
        wrong("sizes added in place of multiplied", |n, sizes| {
            let sums: usize = sizes.windows(2).map(|pair| pair[0] + pair[1]).sum();
            2 * n * (3 * sums - sizes[0] - sizes[1])
        }),
        right("layer by layer", |n, sizes| {
            let mut operations = 0;
            for l in 1..sizes.len() {
                let products = if l == 1 { 2 } else { 3 };
                operations += products * 2 * n * sizes[l - 1] * sizes[l];
            }
            operations
        }),
    ]
}

/// 2 n k m.
fn full(n: usize, k: usize, m: usize) -> f64 {
    (2 * n * k * m) as f64
}

fn bytes(n: usize, k: usize, m: usize, c: usize) -> f64 {
    (c * (n * k + k * m + n * m)) as f64
}

fn floor() -> Vec<Variant> {
    let with = |product_floor| Functions { product_floor, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("product_floor", name, with(function));
    let right = |name, function| Variant::right("product_floor", name, with(function));
    vec![
        wrong("the factor 2 forgotten", |n, k, m, c, peak, bandwidth| {
            let (f, q) = (full(n, k, m) / 2.0, bytes(n, k, m, c));
            (f / q, (f / peak).max(q / bandwidth))
        })
        .see("product_takes_2nkm_operations"),
        wrong("numbers counted as bytes", |n, k, m, _, peak, bandwidth| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, 1));
            (f / q, (f / peak).max(q / bandwidth))
        })
        .see("fast-bytes"),
        wrong("four bytes for every number", |n, k, m, _, peak, bandwidth| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, 4));
            (f / q, (f / peak).max(q / bandwidth))
        })
        .see("fast-bytes"),
        wrong("the result not moved: x and w alone", |n, k, m, c, peak, bandwidth| {
            let (f, q) = (full(n, k, m), (c * (n * k + k * m)) as f64);
            (f / q, (f / peak).max(q / bandwidth))
        })
        .see("intensity_of_a_product"),
        wrong("the weights alone moved", |n, k, m, c, peak, bandwidth| {
            let (f, q) = (full(n, k, m), (c * k * m) as f64);
            (f / q, (f / peak).max(q / bandwidth))
        })
        .see("intensity_of_a_product"),
        wrong("every factor moved for every term: no number is used twice", |n, k, m, c, p, r| {
            let (f, q) = (full(n, k, m), (2 * c * n * k * m) as f64);
            (f / q, (f / p).max(q / r))
        })
        .see("intensity_of_a_product"),
        wrong("both times added", |n, k, m, c, peak, bandwidth| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, c));
            (f / q, f / peak + q / bandwidth)
        }),
        wrong("the shorter of the two times", |n, k, m, c, peak, bandwidth| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, c));
            (f / q, (f / peak).min(q / bandwidth))
        }),
        wrong("the operations alone", |n, k, m, c, peak, _| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, c));
            (f / q, f / peak)
        }),
        wrong("the bytes alone", |n, k, m, c, _, bandwidth| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, c));
            (f / q, q / bandwidth)
        }),
        wrong("the rate in place of the time", |n, k, m, c, peak, bandwidth| {
            let i = full(n, k, m) / bytes(n, k, m, c);
            (i, peak.min(i * bandwidth))
        }),
        wrong("bytes for each operation", |n, k, m, c, peak, bandwidth| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, c));
            (q / f, (f / peak).max(q / bandwidth))
        })
        .see("intensity_of_a_product"),
        wrong("the limit of the intensity, by the smallest size", |n, k, m, c, peak, bandwidth| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, c));
            (2.0 * n.min(k).min(m) as f64 / c as f64, (f / peak).max(q / bandwidth))
        })
        .see("intensity_of_a_product"),
        wrong("the time first, and then the intensity", |n, k, m, c, peak, bandwidth| {
            let (f, q) = (full(n, k, m), bytes(n, k, m, c));
            ((f / peak).max(q / bandwidth), f / q)
        }),
        right("by the lower of the two roofs", |n, k, m, c, peak, bandwidth| {
            let sizes = 1.0 / n as f64 + 1.0 / k as f64 + 1.0 / m as f64;
            let i = 2.0 / c as f64 / sizes;
            (i, full(n, k, m) / peak.min(i * bandwidth))
        }),
    ]
}

/// How many factors μ lie between the velocity and the power of 2.
fn factors(v: f64, mu: f64, r: usize) -> f64 {
    (v.abs().log2() + r as f64) / (1.0 / mu).log2()
}

fn steps() -> Vec<Variant> {
    let with = |steps_until_tiny| Functions { steps_until_tiny, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("steps_until_tiny", name, with(function));
    let right = |name, function| Variant::right("steps_until_tiny", name, with(function));
    vec![
        wrong("at most in place of below: one step too few where it is met", |v, mu, r| {
            factors(v, mu, r).ceil().max(0.0) as usize
        }),
        wrong("the last step in which it is not below", |v, mu, r| {
            factors(v, mu, r).floor().max(0.0) as usize
        }),
        wrong("one step too many", |v, mu, r| (REFERENCE.steps_until_tiny)(v, mu, r) + 1),
        wrong("at least one step, even if it is below from the start", |v, mu, r| {
            (REFERENCE.steps_until_tiny)(v, mu, r).max(1)
        }),
        wrong("the sign of the velocity kept: negative ones are below at once", |v, mu, r| {
            if v < 0.0 { 0 } else { (REFERENCE.steps_until_tiny)(v, mu, r) }
        }),
        wrong("a velocity that begins at 1", |v, mu, r| {
            if factors(v, mu, r) < 0.0 { 0 } else { (REFERENCE.steps_until_tiny)(1.0, mu, r) }
        }),
        wrong("a power of 10 in place of 2", |v, mu, r| {
            let steps = (v.abs().log10() + r as f64) / (1.0 / mu).log10();
            if steps < 0.0 { 0 } else { steps.floor() as usize + 1 }
        }),
        wrong("natural logarithms, and an exponent of 2 that is not one of e", |v, mu, r| {
            let steps = (v.abs().ln() + r as f64) / (1.0 / mu).ln();
            if steps < 0.0 { 0 } else { steps.floor() as usize + 1 }
        }),
        wrong("1 − μ in place of the logarithm of 1 / μ", |v, mu, r| {
            let steps = (v.abs().ln() + r as f64 * 2.0_f64.ln()) / (1.0 - mu);
            if steps < 0.0 { 0 } else { steps.floor() as usize + 1 }
        }),
        wrong("1 − μ kept of the velocity, not μ", |v, mu, r| {
            (REFERENCE.steps_until_tiny)(v, 1.0 - mu, r)
        }),
        wrong(
            "the size of the velocity subtracted: its logarithm with the wrong sign",
            |v, mu, r| {
                if factors(v, mu, r) < 0.0 {
                    0
                } else {
                    (REFERENCE.steps_until_tiny)(1.0 / v, mu, r)
                }
            },
        ),
        right("step by step", |v, mu, r| {
            let (mut t, mut v) = (0, v.abs());
            while v >= 0.5_f64.powi(r as i32) {
                (t, v) = (t + 1, v * mu);
            }
            t
        }),
        right("with natural logarithms", |v, mu, r| {
            let above = (v.abs().ln() + r as f64 * 2.0_f64.ln()) / (1.0 / mu).ln();
            if above < 0.0 { 0 } else { above as usize + 1 }
        }),
    ]
}

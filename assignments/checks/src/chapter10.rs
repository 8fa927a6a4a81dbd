//! Chapter 10: fast.
//!
//! Nothing here is a matter of time. Whether zeros were skipped shows in a weight that is infinite
//! behind one of them, and whether a Jacobian was built in a row whose Jacobian has no room.

mod variants;

use gradus::zeros;
use ndarray::{Array1, Array2, Axis, array};
use rand::RngExt;
use rand::seq::SliceRandom;
use signatures::chapter10::{Functions, call};

use crate::chapter::Chapter;
use crate::question::Ask;

/// What the book derives. The library has loops of its own for the product without zeros, and one
/// question compares with them.
const REFERENCE: Functions = Functions {
    step_operations: |n, sizes| {
        let all: usize = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
        2 * n * (3 * all - sizes[0] * sizes[1])
    },
    product_floor: |n, k, m, c, peak, bandwidth| {
        let operations = (2 * n * k * m) as f64;
        let bytes = (c * (n * k + k * m + n * m)) as f64;
        (operations / bytes, (operations / peak).max(bytes / bandwidth))
    },
    nonzero_product: |y, x, w| {
        let mut sum = y.clone();
        for ((i, l), &x) in x.indexed_iter().filter(|(_, x)| **x != 0.0) {
            for j in 0..w.ncols() {
                sum[[i, j]] += x * w[[l, j]];
            }
        }
        sum
    },
    unit_rows_vjp: |x, d_y| {
        let length = (x * x).sum_axis(Axis(1)).mapv(f64::sqrt).insert_axis(Axis(1));
        let y = x / &length;
        let along = (d_y * &y).sum_axis(Axis(1)).insert_axis(Axis(1));
        (d_y - &(y * along)) / length
    },
    steps_until_tiny: |v, mu, r| {
        let steps = (v.abs().log2() + r as f64) / (1.0 / mu).log2();
        if steps < 0.0 { 0 } else { steps.floor() as usize + 1 }
    },
    batch_shares: |n, q| (0..q).map(|t| (n * t / q, n * (t + 1) / q)).collect(),
    speed_up_with: |t_1, t_q, q, threads| {
        let sigma = (q as f64 * t_q / t_1 - 1.0) / (q as f64 - 1.0);
        (sigma, 1.0 / (sigma + (1.0 - sigma) / threads as f64))
    },
    sum_in_order: |gradients, threads| {
        let mut rows: Vec<_> = threads.iter().zip(gradients.rows()).collect();
        rows.sort_by_key(|(thread, _)| **thread);
        rows.iter().fold(Array1::zeros(gradients.ncols()), |sum, (_, row)| sum + row)
    },
};

/// The assignment of chapter 10: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 10,
    exercises: include_str!("../../chapter10/exercises.toml"),
    checks: &[
        ("step_operations", step_operations),
        ("product_floor", product_floor),
        ("nonzero_product", nonzero_product),
        ("unit_rows_vjp", unit_rows_vjp),
        ("steps_until_tiny", steps_until_tiny),
        ("batch_shares", batch_shares),
        ("speed_up_with", speed_up_with),
        ("sum_in_order", sum_in_order),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: variants::all,
};

fn step_operations(ask: &mut Ask<'_>) {
    // Worked out by hand: 12 and 20 weights, three products of each but one.
    ask.call(call::step_operations(2, &[3, 4, 5])).returns(&336);
    ask.call(call::step_operations(128, &[784, 64, 10])).case("the digits").returns(&26_181_632);
    ask.call(call::step_operations(1, &[6, 2])).case("one layer, one sample").returns(&48);
    for layers in [1, 2, 3, 4] {
        let n = ask.draw.rng.random_range(2..50);
        let sizes: Vec<usize> =
            (0..=layers).map(|l| 7 * l + ask.draw.rng.random_range(2..9)).collect();
        ask.call(call::step_operations(n, &sizes));
    }
}

fn product_floor(ask: &mut Ask<'_>) {
    // Worked out by hand: 48 operations, 26 numbers.
    ask.call(call::product_floor(2, 3, 4, 4, 16.0, 8.0))
        .case("the bytes decide")
        .returns(&(6.0 / 13.0, 13.0));
    ask.call(call::product_floor(2, 3, 4, 4, 2.0, 8.0))
        .case("the operations decide")
        .returns(&(6.0 / 13.0, 24.0));
    ask.call(call::product_floor(2, 3, 4, 8, 2.0, 8.0))
        .case("numbers of eight bytes")
        .returns(&(3.0 / 13.0, 26.0));
    for c in [4, 8] {
        let [n, k, m] = [(); 3].map(|()| ask.draw.rng.random_range(2..300));
        let ridge = 2.0 / c as f64 / (1.0 / n as f64 + 1.0 / k as f64 + 1.0 / m as f64);
        let bandwidth = ask.draw.rng.random_range(2.0..30.0);
        let share = ask.draw.rng.random_range(0.3..0.8);
        let peak = ridge * bandwidth;
        ask.call(call::product_floor(n, k, m, c, peak * share, bandwidth))
            .case("the operations decide");
        ask.call(call::product_floor(n, k, m, c, peak / share, bandwidth)).case("the bytes decide");
    }
}

/// Less than the distance of a float to the next, 1.1e-16 of it or more, so that all bits have to be
/// right. A mistake that is off by rounding besides is recognised.
const TO_THE_BIT: f64 = 1e-16;

fn nonzero_product(ask: &mut Ask<'_>) {
    // Worked out by hand: the middle row of w twice.
    let (y, x) = (array![[1.0, -1.0]], array![[0.0, 2.0, 0.0]]);
    let w = array![[5.0, 6.0], [0.5, -1.0], [7.0, 8.0]];
    ask.call(call::nonzero_product(&y, &x, &w)).returns(&array![[2.0, -3.0]]);
    let (y, w) = (array![[0.0, 10.0], [0.0, 20.0]], array![[f64::INFINITY, f64::NAN], [1.0, 2.0]]);
    let right = array![[1.0, 12.0], [-2.0, 16.0]];
    ask.call(call::nonzero_product(&y, &array![[0.0, 1.0], [0.0, -2.0]], &w))
        .case("infinite weights behind zeros")
        .returns(&right);
    ask.call(call::nonzero_product(&y, &array![[-0.0, 1.0], [-0.0, -2.0]], &w))
        .case("zeros with a sign")
        .returns(&right);
    let right = array![[0.1_f64 + 0.2 + 0.3]];
    ask.call(call::nonzero_product(&array![[0.1]], &array![[1.0, 1.0]], &array![[0.2], [0.3]]))
        .case("to the last bit")
        .within(TO_THE_BIT, 0.0)
        .returns(&right);
    ask.call(call::nonzero_product(
        &array![[1e20]],
        &array![[1.0, 1.0, 1.0]],
        &array![[1.0], [-1e20], [3.0]],
    ))
    .case("what is large cancels")
    .within(TO_THE_BIT, 0.0)
    .returns(&array![[3.0]]);
    ask.call(call::nonzero_product(
        &array![[1.0]],
        &array![[f64::INFINITY, 2.0]],
        &array![[0.0], [1.0]],
    ))
    .case("an infinite input before a zero of w")
    .has("NaN, as infinity times zero is", |sum: &Array2<f64>| {
        sum.dim() == (1, 1) && sum[[0, 0]].is_nan()
    });
    let (y, w) = (array![[3.0, -2.0]], array![[1e13, -2e13], [1.0, 1.0]]);
    ask.call(call::nonzero_product(&y, &array![[1e-13, 0.0]], &w)).case("small, but not zero");
    for (n, k, m) in [(1, 4, 3), (3, 5, 2), (2, 6, 4)] {
        let (y, w) = (ask.draw.normal((n, m), 1.0), ask.draw.normal((k, m), 1.0));
        let x = ask.draw.normal((n, k), 1.0);
        ask.call(call::nonzero_product(&y, &x, &w)).case("no zeros");
        let sparse =
            Array2::from_shape_fn((n, k), |(i, l)| if (i + l) % 3 == 1 { x[[i, l]] } else { 0.0 });
        ask.call(call::nonzero_product(&y, &sparse, &w)).case("two of three zero");
        ask.call(call::nonzero_product(&y, &(x * 0.0), &w)).case("nothing but zeros");
    }
    // Large and rare enough for the library's loops.
    let (y, w) = (ask.draw.normal((3, 16), 1.0), ask.draw.normal((70, 16), 1.0));
    let x = ask.draw.normal((3, 70), 1.0);
    let x = Array2::from_shape_fn(
        (3, 70),
        |(i, l)| {
            if (5 * i + 3 * l) % 7 == 0 { x[[i, l]] } else { 0.0 }
        },
    );
    let mut library = y.clone();
    zeros::product(&x, &w, &mut library);
    ask.call(call::nonzero_product(&y, &x, &w))
        .case("more than 64 columns")
        .within(TO_THE_BIT, 0.0)
        .returns(&library);
}

/// So many numbers in a row that its Jacobian takes 3.2 GB.
const LONG: usize = 20_000;

fn unit_rows_vjp(ask: &mut Ask<'_>) {
    // Worked out by hand: y = (0.6, 0.8), and 2.2 along it.
    let x = array![[3.0, 4.0]];
    ask.call(call::unit_rows_vjp(&x, &array![[1.0, 2.0]])).returns(&array![[-0.064, 0.048]]);
    ask.call(call::unit_rows_vjp(&x, &array![[6.0, 8.0]]))
        .case("a gradient along the row")
        .returns(&array![[0.0, 0.0]]);
    ask.call(call::unit_rows_vjp(&x, &array![[-4.0, 3.0]]))
        .case("a gradient across the row")
        .returns(&array![[-0.8, 0.6]]);
    ask.call(call::unit_rows_vjp(
        &array![[0.3, 0.4], [30.0, -40.0]],
        &array![[1.0, 2.0], [1.0, 2.0]],
    ))
    .case("rows of very different lengths")
    .returns(&array![[-0.64, 0.48], [0.032, 0.024]]);
    for (n, m) in [(1, 3), (2, 3), (4, 2), (3, 1)] {
        let (x, d_y) = (ask.draw.normal((n, m), 2.0), ask.draw.normal((n, m), 1.0));
        ask.call(call::unit_rows_vjp(&x, &d_y));
    }
    // One number along the row, and pairs that cancel.
    let across = Array2::from_shape_fn((1, LONG), |(_, k)| if k % 2 == 0 { 2.0 } else { -2.0 });
    ask.call(call::unit_rows_vjp(&Array2::ones((1, LONG)), &(&across + 3.0)))
        .case("a Jacobian would take 3.2 GB")
        .returns(&(across / (LONG as f64).sqrt()));
}

fn steps_until_tiny(ask: &mut Ask<'_>) {
    for (v, mu, r, right, case) in [
        (0.01, 0.9, 126, 786, "where normal numbers end"),
        (0.01, 0.9, 103, 634, "where the library flushes"),
        (8.0, 0.5, 5, 9, "exactly there after 8 steps"),
        (-8.0, 0.5, 5, 9, "a negative velocity"),
        (1.0, 0.25, 10, 6, "exactly there after 5 steps"),
        (1e-3, 0.9, 5, 0, "below from the start"),
        (-1e-40, 0.99, 126, 0, "below from the start"),
        (1e-30, 0.9, 100, 3, "small from the start"),
    ] {
        ask.call(call::steps_until_tiny(v, mu, r)).case(case).returns(&right);
    }
    for case in ["", "", "a negative velocity", ""] {
        // Far enough from a whole number of steps that rounding decides nothing.
        let (v, mu, r) = loop {
            let (v, mu): (f64, f64) =
                (ask.draw.rng.random_range(0.001..5.0), ask.draw.rng.random_range(0.6..0.99));
            let r = ask.draw.rng.random_range(40..149);
            let steps = (v.log2() + r as f64) / (1.0 / mu).log2();
            if (0.1..0.9).contains(&steps.fract()) {
                break (v, mu, r);
            }
        };
        let v = if case.is_empty() { v } else { -v };
        ask.call(call::steps_until_tiny(v, mu, r)).case(case);
    }
}

fn batch_shares(ask: &mut Ask<'_>) {
    ask.call(call::batch_shares(12, 3)).returns(&vec![(0, 4), (4, 8), (8, 12)]);
    ask.call(call::batch_shares(5, 1)).case("one thread").returns(&vec![(0, 5)]);
    let few = [(7, 3), (128, 5), (96, 5), (10, 4), (11, 4), (3, 3), (1, 2), (2, 5), (5, 7)];
    let random = [(); 4].map(|()| {
        let q = ask.draw.rng.random_range(3..9);
        (q * ask.draw.rng.random_range(3..40) + ask.draw.rng.random_range(2..q), q)
    });
    for (n, q) in few.into_iter().chain(random) {
        let case = if n < q { "fewer rows than threads" } else { "" };
        ask.call(call::batch_shares(n, q)).case(case).has(
            "a share for each thread, one after the other, all rows, sizes at most one row apart",
            move |shares| {
                let sizes = || shares.iter().map(|(begin, end)| end.saturating_sub(*begin));
                shares.len() == q
                    && shares[0].0 == 0
                    && shares[q - 1].1 == n
                    && shares.iter().all(|(begin, end)| begin <= end)
                    && shares.windows(2).all(|pair| pair[0].1 == pair[1].0)
                    && sizes().max() <= sizes().min().map(|least| least + 1)
            },
        );
    }
}

fn speed_up_with(ask: &mut Ask<'_>) {
    // Worked out by hand: 0.2 alone, and 0.8 shared.
    ask.call(call::speed_up_with(1.0, 0.6, 2, 4)).returns(&(0.2, 2.5));
    ask.call(call::speed_up_with(6.0, 3.0, 3, 2)).returns(&(0.25, 1.6));
    ask.call(call::speed_up_with(8.0, 2.0, 4, 16))
        .case("nothing is done alone")
        .returns(&(0.0, 16.0));
    ask.call(call::speed_up_with(2.0, 2.0, 4, 7)).case("nothing is shared").returns(&(1.0, 1.0));
    ask.call(call::speed_up_with(1.0, 1.5, 2, 4))
        .case("slower with threads")
        .returns(&(2.0, 4.0 / 7.0));
    for q in [2, 3, 5] {
        let (t_1, sigma) =
            (ask.draw.rng.random_range(0.3..5.0), ask.draw.rng.random_range(0.05..0.6));
        let t_q = t_1 * (sigma + (1.0 - sigma) / q as f64);
        let threads = ask.draw.rng.random_range(6..40);
        ask.call(call::speed_up_with(t_1, t_q, q, threads));
    }
}

fn sum_in_order(ask: &mut Ask<'_>) {
    // 0.2 and 0.3 first. In the order of arrival it is the float after it.
    let rows = array![[0.1], [0.2], [0.3]];
    ask.call(call::sum_in_order(&rows, &[2, 0, 1])).within(0.0, 0.0).returns(&array![0.6]);
    let large = array![[-1e20, 0.0], [1.0, 2.0], [1e20, 4.0]];
    ask.call(call::sum_in_order(&large, &[1, 2, 0]))
        .case("what is large cancels")
        .within(0.0, 0.0)
        .returns(&array![1.0, 6.0]);
    ask.call(call::sum_in_order(&array![[1.5, -2.0]], &[0]))
        .case("one thread")
        .returns(&array![1.5, -2.0]);
    for (q, p) in [(3, 12), (5, 12), (8, 12)] {
        let gradients = ask.draw.normal((q, p), 1.0);
        // No order that can be mistaken for another one.
        let mut threads: Vec<usize> = (0..q).collect();
        let plain = |threads: &[usize]| {
            let twice = (0..q).all(|r| threads[threads[r]] == r);
            let side = threads[0] == 0 || threads[q - 1] == q - 1;
            twice || side || threads[0] == q - 1
        };
        while plain(&threads) {
            threads.shuffle(&mut ask.draw.rng);
        }
        ask.call(call::sum_in_order(&gradients, &threads)).within(0.0, 0.0);
        let in_order: Vec<usize> = (0..q).collect();
        ask.call(call::sum_in_order(&gradients, &in_order))
            .case("they came in order")
            .within(0.0, 0.0);
    }
}

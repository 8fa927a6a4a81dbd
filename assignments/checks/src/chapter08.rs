//! Chapter 8: the optimizer zoo.

mod variants;

use gradus::{AdaGrad, Adam, Clipped, GradientDescent, Optimizer, RmsProp, Schedule, State};
use ndarray::{Array1, array};
use rand::RngExt;
use signatures::chapter08::{Functions, call};

use crate::chapter::Chapter;
use crate::question::Ask;

/// What the library says; of AdamW, what the book derives.
const REFERENCE: Functions = Functions {
    adagrad_step: |theta, s, g, eta, epsilon| {
        let adagrad = AdaGrad::new(eta).and_then(|it| it.with_epsilon(epsilon));
        let (theta, mut memory) = step(adagrad.expect("settings"), &[("squares", s)], 0, theta, g);
        (theta, memory.remove(0))
    },
    rmsprop_step: |theta, s, g, eta, beta, epsilon| {
        let rmsprop = RmsProp::new(eta, beta).and_then(|it| it.with_epsilon(epsilon));
        let (theta, mut memory) = step(rmsprop.expect("settings"), &[("squares", s)], 0, theta, g);
        (theta, memory.remove(0))
    },
    adam_step: |theta, v, s, g, t, eta| {
        let memory = [("velocity", v), ("squares", s)];
        let (theta, mut memory) = step(Adam::new(eta).expect("a rate"), &memory, t - 1, theta, g);
        let s = memory.remove(1);
        (theta, memory.remove(0), s)
    },
    adamw_step: |theta, v_hat, s_hat, eta, lambda| {
        theta * (1.0 - eta * lambda) - &(v_hat / &(s_hat.mapv(f64::sqrt) + 1e-8) * eta)
    },
    clip_by_norm: |g, c| {
        let mut step = Array1::zeros(g.len());
        let descent = GradientDescent::new(1.0).and_then(|it| Clipped::new(it, c));
        descent.expect("a norm").step(&mut step, g);
        -step
    },
    cosine_rate: |eta, t, steps| eta * Schedule::Cosine { steps }.factor(t),
    one_cycle_rate: |eta, t, steps, peak| eta * Schedule::OneCycle { steps, peak }.factor(t),
};

/// One step of an optimizer that is given what it has gathered in so many steps, by name: the
/// parameters, and what it has gathered then.
fn step(
    mut optimizer: impl Optimizer<f64>,
    memory: &[(&str, &Array1<f64>)],
    steps: usize,
    theta: &Array1<f64>,
    g: &Array1<f64>,
) -> (Array1<f64>, Vec<Array1<f64>>) {
    let mut state: State<f64> = optimizer.state();
    for (name, vector) in memory {
        state.vectors.insert((*name).to_owned(), (*vector).clone());
    }
    if let Some(number) = state.numbers.get_mut("steps") {
        *number = steps as f64;
    }
    optimizer.restore(state).expect("a state of its own");
    let mut params = theta.clone();
    optimizer.step(&mut params, g);
    let mut state: State<f64> = optimizer.state();
    let memory = memory.iter().map(|(name, _)| state.vectors.remove(*name).expect("its memory"));
    (params, memory.collect())
}

/// The assignment of chapter 8: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 8,
    exercises: include_str!("../../chapter08/exercises.toml"),
    checks: &[
        ("adagrad_step", adagrad_step),
        ("rmsprop_step", rmsprop_step),
        ("adam_step", adam_step),
        ("adamw_step", adamw_step),
        ("clip_by_norm", clip_by_norm),
        ("cosine_rate", cosine_rate),
        ("one_cycle_rate", one_cycle_rate),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: variants::all,
};

fn adagrad_step(ask: &mut Ask<'_>) {
    // Worked out by hand: the sum of squares is 25, and its root is 5.
    ask.call(call::adagrad_step(&array![1.0], &array![9.0], &array![4.0], 0.5, 1e-10))
        .returns(&(array![0.6], array![25.0]));
    ask.call(call::adagrad_step(
        &array![1.0, 2.0],
        &array![0.0, 5.0],
        &array![-3.0, 2.0],
        0.5,
        1.0,
    ))
    .case("a first gradient, and a large ε")
    .returns(&(array![1.375, 1.75], array![9.0, 9.0]));
    ask.call(call::adagrad_step(
        &array![1.0, -2.0],
        &array![0.0, 4.0],
        &array![0.0, 0.0],
        0.1,
        0.1,
    ))
    .case("no gradient, and one parameter that has never had one")
    .returns(&(array![1.0, -2.0], array![0.0, 4.0]));
    for p in [1, 3, 3] {
        let (theta, s, g) = inputs(ask, p);
        let eta = ask.draw.rng.random_range(0.05..0.8);
        let epsilon = ask.draw.rng.random_range(0.1..0.5);
        ask.call(call::adagrad_step(&theta, &s, &g, eta, epsilon));
        ask.call(call::adagrad_step(&theta, &s, &g, eta, 1e-10)).case("a small ε");
    }
}

/// Parameters, squares and gradients.
fn inputs(ask: &mut Ask<'_>, p: usize) -> (Array1<f64>, Array1<f64>, Array1<f64>) {
    (ask.draw.normal(p, 1.0), ask.draw.uniform(p, 0.5, 4.0), ask.draw.normal(p, 2.0))
}

fn rmsprop_step(ask: &mut Ask<'_>) {
    // Worked out by hand: the average of 1 and 49 is 25, and its root is 5.
    ask.call(call::rmsprop_step(&array![1.0], &array![1.0], &array![7.0], 0.5, 0.5, 1e-10))
        .returns(&(array![0.3], array![25.0]));
    ask.call(call::rmsprop_step(&array![1.0], &array![0.0], &array![-2.0], 0.1, 0.75, 1.0))
        .case("a first gradient, and a large ε")
        .returns(&(array![1.1], array![1.0]));
    for p in [1, 3] {
        let (theta, s, g) = inputs(ask, p);
        let eta = ask.draw.rng.random_range(0.05..0.8);
        let beta = ask.draw.rng.random_range(0.6..0.95);
        let epsilon = ask.draw.rng.random_range(0.1..0.5);
        ask.call(call::rmsprop_step(&theta, &s, &g, eta, beta, epsilon));
        ask.call(call::rmsprop_step(&theta, &s, &g, eta, beta, 1e-8)).case("a small ε");
        ask.call(call::rmsprop_step(&theta, &Array1::zeros(p), &g, eta, beta, 1e-8))
            .case("the first step");
        ask.call(call::rmsprop_step(&theta, &s, &Array1::zeros(p), eta, beta, 1e-8))
            .case("no gradient");
        ask.call(call::rmsprop_step(&theta, &s, &g, eta, 0.0, epsilon)).case("without a memory");
    }
}

fn adam_step(ask: &mut Ask<'_>) {
    let zero = array![0.0];
    // The first step has length η, whatever the gradient.
    let first = (array![0.9], array![0.2], array![0.004]);
    ask.call(call::adam_step(&array![1.0], &zero, &zero, &array![2.0], 1, 0.1))
        .case("the first step")
        .within(1e-7, 1e-12)
        .returns(&first);
    // Where a gradient is ε, the first step is half as long.
    let half = (array![1.05], array![-1e-9], array![1e-19]);
    ask.call(call::adam_step(&array![1.0], &zero, &zero, &array![-1e-8], 1, 0.1))
        .case("a gradient as small as ε")
        .within(1e-9, 1e-24)
        .returns(&half);
    for (p, t) in [(1, 1), (3, 1), (1, 2), (3, 7), (2, 300), (3, 100_000)] {
        let (theta, s, g) = inputs(ask, p);
        let v = ask.draw.normal(p, 1.0);
        let (v, s) = if t == 1 { (Array1::zeros(p), Array1::zeros(p)) } else { (v, s) };
        let eta = ask.draw.rng.random_range(0.05..0.8);
        ask.call(call::adam_step(&theta, &v, &s, &g, t, eta));
        // The averages of gradients that are all about as small as ε.
        let (v, s, g) = (v * 1e-8, s * 1e-16, g * 1e-8);
        ask.call(call::adam_step(&theta, &v, &s, &g, t, eta))
            .case("gradients of about 1e-8")
            .within(1e-9, 1e-26);
    }
}

fn adamw_step(ask: &mut Ask<'_>) {
    // Worked out by hand: the decay takes 0.1 away, and the step 0.3.
    ask.call(call::adamw_step(&array![2.0], &array![3.0], &array![4.0], 0.2, 0.25))
        .within(1e-7, 1e-12)
        .returns(&array![1.6]);
    for p in [1, 3, 3] {
        let (theta, s_hat, v_hat) = inputs(ask, p);
        let eta = ask.draw.rng.random_range(0.05..0.8);
        let lambda = ask.draw.rng.random_range(0.1..0.9);
        ask.call(call::adamw_step(&theta, &v_hat, &s_hat, eta, lambda));
        ask.call(call::adamw_step(&theta, &v_hat, &s_hat, eta, 0.0)).case("no decay");
        ask.call(call::adamw_step(&theta, &Array1::zeros(p), &s_hat, eta, lambda))
            .case("nothing but decay");
        ask.call(call::adamw_step(&theta, &(v_hat * 1e-8), &(s_hat * 1e-16), eta, lambda))
            .case("gradients of about 1e-8");
    }
}

fn clip_by_norm(ask: &mut Ask<'_>) {
    let g = array![3.0, -4.0];
    ask.call(call::clip_by_norm(&g, 1.0)).returns(&array![0.6, -0.8]);
    ask.call(call::clip_by_norm(&g, 4.5)).case("longer, though no entry is").returns(&(&g * 0.9));
    ask.call(call::clip_by_norm(&g, 5.0)).case("just as long").returns(&g);
    ask.call(call::clip_by_norm(&g, 6.0)).case("not too long").returns(&g);
    ask.call(call::clip_by_norm(&g, 20.0)).case("far from too long").returns(&g);
    ask.call(call::clip_by_norm(&(&g * 0.1), 0.4)).case("shorter than 1").returns(&(&g * 0.08));
    ask.call(call::clip_by_norm(&(&g * 0.1), 1.0)).case("shorter than 1").returns(&(&g * 0.1));
    ask.call(call::clip_by_norm(&array![0.0, 0.0], 0.5)).case("zero").returns(&array![0.0, 0.0]);
    for p in [1, 3, 6] {
        let g = ask.draw.normal(p, 3.0);
        let norm = g.dot(&g).sqrt();
        let share = ask.draw.rng.random_range(0.1..0.9);
        ask.call(call::clip_by_norm(&g, share * norm)).case("too long");
        ask.call(call::clip_by_norm(&g, norm / share)).case("not too long");
    }
}

fn cosine_rate(ask: &mut Ask<'_>) {
    for (eta, t, steps, right, case) in [
        (0.1, 0, 100, 0.1, "the full rate"),
        (0.1, 50, 100, 0.05, "half-way"),
        (0.3, 1, 3, 0.225, "a third of the way"),
        (0.3, 2, 3, 0.075, "two thirds of the way"),
        (0.1, 100, 100, 0.0, "the end"),
        (0.1, 130, 100, 0.0, "after the end"),
        (0.1, 200, 100, 0.0, "after the end"),
        (0.1, 1, 1, 0.0, "a schedule of one step"),
    ] {
        ask.call(call::cosine_rate(eta, t, steps)).case(case).returns(&right);
    }
    for _ in 0..4 {
        let eta = ask.draw.rng.random_range(0.01..2.0);
        let steps = ask.draw.rng.random_range(20..500);
        let t = ask.draw.rng.random_range(1..steps);
        ask.call(call::cosine_rate(eta, t, steps));
    }
}

fn one_cycle_rate(ask: &mut Ask<'_>) {
    for (eta, t, steps, peak, right, case) in [
        (0.5, 0, 100, 30, 0.02, "the first step"),
        (0.5, 30, 100, 30, 0.5, "the peak"),
        (0.5, 99, 100, 30, 2e-6, "the last step"),
        (0.5, 15, 100, 30, 0.26, "half-way up"),
        (0.5, 10, 100, 30, 0.14, "a third of the way up"),
        (0.5, 65, 101, 30, 0.250_001, "half-way down"),
        (1.0, 1, 3, 1, 1.0, "three steps"),
        (1.0, 2, 3, 1, 4e-6, "three steps"),
    ] {
        ask.call(call::one_cycle_rate(eta, t, steps, peak)).case(case).returns(&right);
    }
    for _ in 0..3 {
        let eta = ask.draw.rng.random_range(0.01..2.0);
        let steps: usize = ask.draw.rng.random_range(50..500);
        let peak = ask.draw.rng.random_range(10..steps - 20);
        let (up, down) =
            (ask.draw.rng.random_range(1..peak), ask.draw.rng.random_range(peak + 1..steps - 1));
        ask.call(call::one_cycle_rate(eta, up, steps, peak)).case("on the way up");
        ask.call(call::one_cycle_rate(eta, down, steps, peak)).case("on the way down");
    }
}

//! Chapter 2: losses, and the way back through the output.

mod variants;

use gradus::fused::log_sum_exp;
use gradus::{
    BinaryCrossEntropy, CategoricalCrossEntropy, FusedLoss, Loss, MeanSquaredError,
    OutputActivation, Softmax, chain_rule,
};
use ndarray::{Array1, Array2, array};
use signatures::chapter02::{Functions, call};

use crate::chapter::Chapter;
use crate::question::Ask;

/// What the library says.
const REFERENCE: Functions = Functions {
    squared_error_rows: |y_hat, y| {
        (MeanSquaredError.values(y_hat, y), MeanSquaredError.derivative(y_hat, y))
    },
    cross_entropy_rows: |y_hat, y| {
        (CategoricalCrossEntropy.values(y_hat, y), CategoricalCrossEntropy.derivative(y_hat, y))
    },
    rows_through_jacobians: |d, jacobian| chain_rule(d, jacobian),
    stable_log_sum: |z| z.rows().into_iter().map(|row| log_sum_exp(&row)).collect(),
    softmax_loss_from_logits: |z, y| {
        let n = z.nrows() as f64;
        let (mut values, mut d_z) = (Array1::zeros(z.nrows()), Array2::zeros(z.raw_dim()));
        CategoricalCrossEntropy.fused_values_into(z, y, &mut values);
        CategoricalCrossEntropy.fused_derivative_into(&Softmax.apply(z), y, &mut d_z);
        (values.sum() / n, d_z / n)
    },
    coins_from_logits: |z, y| {
        let mut values = Array1::zeros(z.nrows());
        BinaryCrossEntropy.fused_values_into(z, y, &mut values);
        values
    },
};

/// The assignment of chapter 2: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 2,
    exercises: include_str!("../../chapter02/exercises.toml"),
    checks: &[
        ("squared_error_rows", squared_error_rows),
        ("cross_entropy_rows", cross_entropy_rows),
        ("rows_through_jacobians", rows_through_jacobians),
        ("stable_log_sum", stable_log_sum),
        ("softmax_loss_from_logits", softmax_loss_from_logits),
        ("coins_from_logits", coins_from_logits),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: variants::all,
};

fn squared_error_rows(ask: &mut Ask<'_>) {
    let (y_hat, y) = (array![[1.0, 2.0]], array![[0.0, 4.0]]);
    let by_hand = (array![2.5], array![[[1.0, -2.0]]]);
    ask.call(call::squared_error_rows(&y_hat, &y)).returns(&by_hand);
    for (n, m) in [(1, 3), (2, 3), (4, 2), (3, 1)] {
        let (y_hat, y) = (ask.draw.normal((n, m), 1.0), ask.draw.normal((n, m), 2.0));
        ask.call(call::squared_error_rows(&y_hat, &y));
    }
}

fn cross_entropy_rows(ask: &mut Ask<'_>) {
    let (y_hat, y) = (array![[0.5, 0.25, 0.25]], array![[0.5, 0.5, 0.0]]);
    let by_hand = (array![1.5 * 2f64.ln()], array![[[-1.0, -2.0, 0.0]]]);
    ask.call(call::cross_entropy_rows(&y_hat, &y)).returns(&by_hand);
    for (n, m) in [(1, 3), (2, 4), (4, 2)] {
        let y_hat = ask.draw.distributions(n, m);
        for y in [ask.draw.one_hot(n, m), ask.draw.distributions(n, m)] {
            ask.call(call::cross_entropy_rows(&y_hat, &y));
        }
    }
    let (y_hat, y) = (array![[0.5, 0.0, 0.5], [0.0, 0.25, 0.75]], ask.draw.one_hot(1, 2));
    let y = array![[y[[0, 0]], 0.0, y[[0, 1]]], [0.0, 1.0, 0.0]];
    ask.call(call::cross_entropy_rows(&y_hat, &y)).case("outputs of 0 where the target is 0");
    let y_hat = array![[1e-17, 0.75, 0.25], [0.5, 1e-9, 0.5], [0.25, 0.75, 1e-300]];
    let y = ask.draw.distributions(3, 3);
    ask.call(call::cross_entropy_rows(&y_hat, &y)).case("tiny probabilities");
}

fn rows_through_jacobians(ask: &mut Ask<'_>) {
    let (d, jacobian) = (array![[[1.0, 2.0]]], array![[[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]]);
    let by_hand = array![[[5.0, 50.0, 500.0]]];
    ask.call(call::rows_through_jacobians(&d, &jacobian)).returns(&by_hand);
    for (n, m, k) in [(1, 3, 3), (2, 3, 3), (3, 2, 2), (2, 4, 2), (3, 1, 2)] {
        let (d, jacobian) = (ask.draw.normal((n, 1, m), 1.0), ask.draw.normal((n, m, k), 1.0));
        ask.call(call::rows_through_jacobians(&d, &jacobian));
    }
}

fn stable_log_sum(ask: &mut Ask<'_>) {
    // Relative: small values have digits too.
    let tiny = 1e-300;
    let z = array![[1.0, 2.0, 3.0], [2.0, 2.0, 2.0], [-1.0, 0.5, 0.5]];
    let last = 0.5 + (2.0 + (-1.5f64).exp()).ln();
    let by_hand = array![3.40760596444438, 2.0 + 3f64.ln(), last];
    ask.call(call::stable_log_sum(&z)).case("ordinary rows").within(1e-9, tiny).returns(&by_hand);
    for shape in [(4, 3), (2, 5), (3, 1)] {
        let z = ask.draw.normal(shape, 2.0);
        ask.call(call::stable_log_sum(&z)).case("ordinary rows").within(1e-9, tiny);
    }
    let mut z = ask.draw.normal((3, 3), 1.0);
    z.row_mut(0).mapv_inplace(|z| z + 1000.0);
    z.row_mut(1).mapv_inplace(|z| z - 1000.0);
    let case = "rows near 1000, near −1000 and near 0, in one batch";
    ask.call(call::stable_log_sum(&z)).case(case).within(1e-9, tiny);
    let z = array![[1e6, 0.0, -1e6], [-2000.0, -2000.0, 2000.0]];
    let by_hand = array![1e6, 2000.0];
    ask.call(call::stable_log_sum(&z))
        .case("large differences")
        .within(1e-9, tiny)
        .returns(&by_hand);
    let z = array![[800.0, 0.0], [-100.0, 700.0]];
    ask.call(call::stable_log_sum(&z))
        .case("differences of 800")
        .within(1e-9, tiny)
        .returns(&array![800.0, 700.0]);
    let z = array![[0.0, -40.0], [-50.0, 0.0]];
    let by_hand = array![(-40f64).exp(), (-50f64).exp()];
    ask.call(call::stable_log_sum(&z))
        .case("results close to 0")
        .within(1e-9, tiny)
        .returns(&by_hand);
}

fn softmax_loss_from_logits(ask: &mut Ask<'_>) {
    let (z, y) = (array![[0.0, 3f64.ln()]], array![[1.0, 0.0]]);
    let by_hand = (4f64.ln(), array![[-0.75, 0.75]]);
    ask.call(call::softmax_loss_from_logits(&z, &y)).returns(&by_hand);
    for (n, m) in [(1, 3), (2, 3), (4, 2), (3, 5)] {
        let z = ask.draw.normal((n, m), 2.0);
        for y in [ask.draw.one_hot(n, m), ask.draw.distributions(n, m)] {
            ask.call(call::softmax_loss_from_logits(&z, &y));
        }
    }
    let (z, y) = (array![[0.0, 800.0], [900.0, 0.0]], array![[1.0, 0.0], [1.0, 0.0]]);
    let by_hand = (400.0, array![[-0.5, 0.5], [0.0, 0.0]]);
    ask.call(call::softmax_loss_from_logits(&z, &y))
        .case("one sample sure and wrong, one sure and right")
        .returns(&by_hand);
    let z = ask.draw.normal((2, 3), 1.0) + array![[40.0, 0.0, 0.0], [0.0, 60.0, 0.0]];
    let y = array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    ask.call(call::softmax_loss_from_logits(&z, &y)).case("wrong by about 40 and 60 logits");
    let (z, y) = (array![[28.0, 0.0], [0.0, -27.0]], array![[0.0, 1.0], [0.25, 0.75]]);
    ask.call(call::softmax_loss_from_logits(&z, &y)).case("wrong by 28 logits");
    let mut z = ask.draw.normal((3, 4), 1.0);
    z.row_mut(0).mapv_inplace(|z| z + 1000.0);
    z.row_mut(1).mapv_inplace(|z| z - 1000.0);
    let y = ask.draw.distributions(3, 4);
    ask.call(call::softmax_loss_from_logits(&z, &y))
        .case("rows near 1000, near −1000 and near 0, in one batch");
}

fn coins_from_logits(ask: &mut Ask<'_>) {
    // Relative: small values have digits too.
    let tiny = 1e-300;
    let (z, y) = (array![[0.0, 0.0], [3f64.ln(), -3f64.ln()]], array![[1.0, 0.3], [0.0, 0.0]]);
    let by_hand = array![2f64.ln(), 4f64.ln() - 0.5 * 3f64.ln()];
    ask.call(call::coins_from_logits(&z, &y)).within(1e-9, tiny).returns(&by_hand);
    for (n, m) in [(1, 2), (2, 3), (4, 1)] {
        let (z, soft) = (ask.draw.normal((n, m), 3.0), ask.draw.uniform((n, m), 0.0, 1.0));
        for y in [soft.round(), soft] {
            ask.call(call::coins_from_logits(&z, &y)).within(1e-9, tiny);
        }
    }
    let (z, y) = (array![[800.0, -800.0], [800.0, 0.0]], array![[0.0, 1.0], [0.25, 1.0]]);
    let by_hand = array![800.0, 300.0 + 0.5 * 2f64.ln()];
    ask.call(call::coins_from_logits(&z, &y))
        .case("logits of 800")
        .within(1e-9, tiny)
        .returns(&by_hand);
    let (z, y) = (array![[40.0, -40.0], [-50.0, 60.0]], array![[1.0, 0.0], [0.0, 1.0]]);
    let small = |z: f64| (-z).exp();
    let by_hand = array![small(40.0), 0.5 * (small(50.0) + small(60.0))];
    ask.call(call::coins_from_logits(&z, &y))
        .case("right by 40 logits and more")
        .within(1e-9, tiny)
        .returns(&by_hand);
    let (z, y) = (array![[-28.0], [27.0]], array![[1.0], [0.25]]);
    ask.call(call::coins_from_logits(&z, &y)).case("wrong by 28 logits").within(1e-9, tiny);
    let (z, y) = (array![[-800.0], [800.0], [-800.0], [800.0]], array![[1.0], [1.0], [0.0], [0.0]]);
    ask.call(call::coins_from_logits(&z, &y))
        .case("logits of 800, one output each")
        .within(1e-9, tiny)
        .returns(&array![800.0, 0.0, 0.0, 800.0]);
}

//! Chapter 2: losses, and the way back through the output.

mod variants;

use gradus::fused::log_sum_exp;
use gradus::{
    BinaryCrossEntropy, CategoricalCrossEntropy, FusedLoss, Loss, MeanSquaredError,
    OutputActivation, Softmax, chain_rule,
};
use ndarray::{Array1, Array2, Array3, array};

use crate::chapter::{Chapter, CheckOf, bind};
use crate::draw::Draw;
use crate::given::{Verdict, given};

/// The values of a loss, and its derivatives as a stack of rows.
pub type Rows = fn(&Array2<f64>, &Array2<f64>) -> (Array1<f64>, Array3<f64>);

/// The functions of chapter 2, as the student writes them.
#[derive(Clone, Copy)]
pub struct Functions {
    pub squared_error_rows: Rows,
    pub cross_entropy_rows: Rows,
    pub rows_through_jacobians: fn(&Array3<f64>, &Array3<f64>) -> Array3<f64>,
    pub stable_log_sum: fn(&Array2<f64>) -> Array1<f64>,
    pub softmax_loss_from_logits: fn(&Array2<f64>, &Array2<f64>) -> (f64, Array2<f64>),
    pub coins_from_logits: fn(&Array2<f64>, &Array2<f64>) -> Array1<f64>,
}

#[cfg(feature = "chapter02")]
const STUDENT: Option<Functions> = {
    use ::student::chapter02::*;
    Some(Functions {
        squared_error_rows,
        cross_entropy_rows,
        rows_through_jacobians,
        stable_log_sum,
        softmax_loss_from_logits,
        coins_from_logits,
    })
};
#[cfg(not(feature = "chapter02"))]
const STUDENT: Option<Functions> = None;

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

/// The checks, in the order of `exercises.toml`.
const CHECKS: &[(&str, CheckOf<Functions>)] = &[
    ("squared_error_rows", squared_error_rows),
    ("cross_entropy_rows", cross_entropy_rows),
    ("rows_through_jacobians", rows_through_jacobians),
    ("stable_log_sum", stable_log_sum),
    ("softmax_loss_from_logits", softmax_loss_from_logits),
    ("coins_from_logits", coins_from_logits),
];

/// The assignment of chapter 2.
pub const CHAPTER: Chapter = Chapter {
    number: 2,
    exercises: include_str!("../../chapter02/exercises.toml"),
    student: || STUDENT.map(|functions| bind(CHECKS, functions)),
    reference: || bind(CHECKS, REFERENCE),
    variants: variants::all,
};

fn squared_error_rows(f: &Functions, draw: &mut Draw) -> Verdict {
    let (y_hat, y) = (array![[1.0, 2.0]], array![[0.0, 4.0]]);
    given("y_hat", &y_hat)
        .and("y", &y)
        .expect(&(array![2.5], array![[[1.0, -2.0]]]), || (f.squared_error_rows)(&y_hat, &y))?;
    for (n, m) in [(1, 3), (2, 3), (4, 2), (3, 1)] {
        let (y_hat, y) = (draw.normal((n, m), 1.0), draw.normal((n, m), 2.0));
        let expected = (REFERENCE.squared_error_rows)(&y_hat, &y);
        given("y_hat", &y_hat)
            .and("y", &y)
            .expect(&expected, || (f.squared_error_rows)(&y_hat, &y))?;
    }
    Ok(())
}

fn cross_entropy_rows(f: &Functions, draw: &mut Draw) -> Verdict {
    let check = |y_hat: &Array2<f64>, y: &Array2<f64>, case: &str, expected: &_| {
        let call = given("y_hat", y_hat).and("y", y);
        let call = if case.is_empty() { call } else { call.case(case) };
        call.expect(expected, || (f.cross_entropy_rows)(y_hat, y))
    };
    let (y_hat, y) = (array![[0.5, 0.25, 0.25]], array![[0.5, 0.5, 0.0]]);
    let expected = (array![1.5 * 2f64.ln()], array![[[-1.0, -2.0, 0.0]]]);
    check(&y_hat, &y, "", &expected)?;
    for (n, m) in [(1, 3), (2, 4), (4, 2)] {
        let y_hat = draw.distributions(n, m);
        for y in [draw.one_hot(n, m), draw.distributions(n, m)] {
            check(&y_hat, &y, "", &(REFERENCE.cross_entropy_rows)(&y_hat, &y))?;
        }
    }
    let (y_hat, y) = (array![[0.5, 0.0, 0.5], [0.0, 0.25, 0.75]], draw.one_hot(1, 2));
    let y = array![[y[[0, 0]], 0.0, y[[0, 1]]], [0.0, 1.0, 0.0]];
    let expected = (REFERENCE.cross_entropy_rows)(&y_hat, &y);
    check(&y_hat, &y, "outputs of 0 where the target is 0", &expected)?;
    let (y_hat, y) = (array![[1e-17, 0.75, 0.25], [0.5, 1e-9, 0.5]], draw.distributions(2, 3));
    let expected = (REFERENCE.cross_entropy_rows)(&y_hat, &y);
    check(&y_hat, &y, "tiny probabilities", &expected)
}

fn rows_through_jacobians(f: &Functions, draw: &mut Draw) -> Verdict {
    let (d, jacobian) = (array![[[1.0, 2.0]]], array![[[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]]);
    given("d", &d)
        .and("jacobian", &jacobian)
        .expect(&array![[[5.0, 50.0, 500.0]]], || (f.rows_through_jacobians)(&d, &jacobian))?;
    for (n, m, k) in [(1, 3, 3), (2, 3, 3), (3, 2, 2), (2, 4, 2), (3, 1, 2)] {
        let (d, jacobian) = (draw.normal((n, 1, m), 1.0), draw.normal((n, m, k), 1.0));
        let expected = (REFERENCE.rows_through_jacobians)(&d, &jacobian);
        given("d", &d)
            .and("jacobian", &jacobian)
            .expect(&expected, || (f.rows_through_jacobians)(&d, &jacobian))?;
    }
    Ok(())
}

fn stable_log_sum(f: &Functions, draw: &mut Draw) -> Verdict {
    let check = |z: &Array2<f64>, case: &str, expected: &Array1<f64>| {
        given("z", z).case(case).within(1e-9, 1e-300).expect(expected, || (f.stable_log_sum)(z))
    };
    let three = 3f64.ln();
    let z = array![[1.0, 2.0, 3.0], [2.0, 2.0, 2.0], [-1.0, 0.5, 0.5]];
    let last = 0.5 + (2.0 + (-1.5f64).exp()).ln();
    check(&z, "ordinary rows", &array![3.40760596444438, 2.0 + three, last])?;
    for shape in [(4, 3), (2, 5), (3, 1)] {
        let z = draw.normal(shape, 2.0);
        check(&z, "ordinary rows", &(REFERENCE.stable_log_sum)(&z))?;
    }
    let mut z = draw.normal((3, 3), 1.0);
    z.row_mut(0).mapv_inplace(|z| z + 1000.0);
    z.row_mut(1).mapv_inplace(|z| z - 1000.0);
    let case = "rows near 1000, near −1000 and near 0, in one batch";
    check(&z, case, &(REFERENCE.stable_log_sum)(&z))?;
    let z = array![[1e6, 0.0, -1e6], [-2000.0, -2000.0, 2000.0]];
    check(&z, "large differences", &array![1e6, 2000.0])?;
    let z = array![[0.0, -40.0], [-50.0, 0.0]];
    check(&z, "results close to 0", &array![(-40f64).exp(), (-50f64).exp()])
}

fn softmax_loss_from_logits(f: &Functions, draw: &mut Draw) -> Verdict {
    let check = |z: &Array2<f64>, y: &Array2<f64>, case: &str, expected: &(f64, Array2<f64>)| {
        let call = given("z", z).and("y", y);
        let call = if case.is_empty() { call } else { call.case(case) };
        call.expect(expected, || (f.softmax_loss_from_logits)(z, y))
    };
    let (z, y) = (array![[0.0, 3f64.ln()]], array![[1.0, 0.0]]);
    check(&z, &y, "", &(4f64.ln(), array![[-0.75, 0.75]]))?;
    for (n, m) in [(1, 3), (2, 3), (4, 2), (3, 5)] {
        let z = draw.normal((n, m), 2.0);
        for y in [draw.one_hot(n, m), draw.distributions(n, m)] {
            check(&z, &y, "", &(REFERENCE.softmax_loss_from_logits)(&z, &y))?;
        }
    }
    let (z, y) = (array![[0.0, 800.0], [900.0, 0.0]], array![[1.0, 0.0], [1.0, 0.0]]);
    let expected = (400.0, array![[-0.5, 0.5], [0.0, 0.0]]);
    check(&z, &y, "one sample sure and wrong, one sure and right", &expected)?;
    let z = draw.normal((2, 3), 1.0) + array![[40.0, 0.0, 0.0], [0.0, 60.0, 0.0]];
    let y = array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let expected = (REFERENCE.softmax_loss_from_logits)(&z, &y);
    check(&z, &y, "wrong by about 40 and 60 logits", &expected)
}

fn coins_from_logits(f: &Functions, draw: &mut Draw) -> Verdict {
    let check = |z: &Array2<f64>, y: &Array2<f64>, case: &str, expected: &Array1<f64>| {
        let call = given("z", z).and("y", y).within(1e-9, 1e-300);
        let call = if case.is_empty() { call } else { call.case(case) };
        call.expect(expected, || (f.coins_from_logits)(z, y))
    };
    let (z, y) = (array![[0.0, 0.0], [3f64.ln(), -3f64.ln()]], array![[1.0, 0.3], [0.0, 0.0]]);
    let expected = array![2f64.ln(), 4f64.ln() - 0.5 * 3f64.ln()];
    check(&z, &y, "", &expected)?;
    for (n, m) in [(1, 2), (2, 3), (4, 1)] {
        let (z, soft) = (draw.normal((n, m), 3.0), draw.uniform((n, m), 0.0, 1.0));
        for y in [soft.round(), soft] {
            check(&z, &y, "", &(REFERENCE.coins_from_logits)(&z, &y))?;
        }
    }
    let z = array![[800.0, -800.0], [800.0, 0.0]];
    let y = array![[0.0, 1.0], [0.25, 1.0]];
    let expected = array![800.0, 300.0 + 0.5 * 2f64.ln()];
    check(&z, &y, "logits of 800", &expected)?;
    let (z, y) = (array![[40.0, -40.0], [-50.0, 60.0]], array![[1.0, 0.0], [0.0, 1.0]]);
    let small = |z: f64| (-z).exp();
    let expected = array![small(40.0), 0.5 * (small(50.0) + small(60.0))];
    check(&z, &y, "right by 40 logits and more", &expected)
}

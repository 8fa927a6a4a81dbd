//! Chapter 9: wrong decisions, and other right ones.

use ndarray::Array2;
use signatures::chapter09::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// The place of the largest entry, the first of equals.
fn largest(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}

/// The label of each row: of a single output by one function, of several by another.
fn rows(y_hat: &Array2<f64>, one: fn(f64) -> bool, several: fn(&[f64]) -> usize) -> Vec<usize> {
    let label = |row: Vec<f64>| match row[..] {
        [p] => usize::from(one(p)),
        _ => several(&row),
    };
    y_hat.rows().into_iter().map(|row| label(row.to_vec())).collect()
}

/// As it should be for a single output.
fn above_half(p: f64) -> bool {
    p > 0.5
}

/// All variants of decisions.
pub fn all() -> Vec<Variant> {
    let with = |decide_classes| Functions { decide_classes, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("decide_classes", name, with(function));
    let right = |name, function| Variant::right("decide_classes", name, with(function));
    vec![
        wrong("the first output above one half, and class 0 if there is none", |y_hat| {
            rows(y_hat, above_half, |row| row.iter().position(|&p| p > 0.5).unwrap_or(0))
        })
        .see("decision_by_threshold")
        .published("elsharkawy"),
        wrong("the last output above one half, and class 0 if there is none", |y_hat| {
            rows(y_hat, above_half, |row| row.iter().rposition(|&p| p > 0.5).unwrap_or(0))
        })
        .see("decision_by_threshold"),
        wrong("the largest of a single output, which is always the first", |y_hat| {
            rows(y_hat, |_| false, largest)
        }),
        wrong("an output of exactly one half taken for class 1", |y_hat| {
            rows(y_hat, |p| p >= 0.5, largest)
        }),
        wrong("class 1 below one half", |y_hat| rows(y_hat, |p| p < 0.5, largest)),
        wrong("a single output compared with 0, as if it were a logit", |y_hat| {
            rows(y_hat, |p| p > 0.0, largest)
        }),
        wrong("the last of equal outputs", |y_hat| {
            rows(y_hat, above_half, |row| {
                (1..row.len()).fold(0, |best, i| if row[i] >= row[best] { i } else { best })
            })
        }),
        wrong("the smallest output", |y_hat| {
            rows(y_hat, above_half, |row| largest(&row.iter().map(|y| -y).collect::<Vec<_>>()))
        }),
        wrong("the largest output in absolute value", |y_hat| {
            rows(y_hat, above_half, |row| largest(&row.iter().map(|y| y.abs()).collect::<Vec<_>>()))
        }),
        wrong("classes counted from 1", |y_hat| rows(y_hat, above_half, |row| largest(row) + 1)),
        wrong("the first output alone compared with one half", |y_hat| {
            rows(y_hat, above_half, |row| usize::from(row[0] > 0.5))
        }),
        wrong("for each class the sample with the largest output", |y_hat| {
            if y_hat.ncols() == 1 {
                return rows(y_hat, above_half, largest);
            }
            y_hat.columns().into_iter().map(|column| largest(&column.to_vec())).collect()
        }),
        right("from the end, with equals going to the earlier", |y_hat| {
            rows(y_hat, above_half, |row| {
                let last = row.len() - 1;
                (0..last).rev().fold(last, |best, i| if row[i] >= row[best] { i } else { best })
            })
        }),
    ]
}

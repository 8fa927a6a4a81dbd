//! Chapter 10: shares, what more threads bring, and sums in an order.

use ndarray::{Array1, Array2};
use signatures::chapter10::Functions;

use super::super::REFERENCE;
use crate::chapter::Variant;

pub fn all() -> Vec<Variant> {
    [shares(), speed_up(), sums()].into_iter().flatten().collect()
}

/// Shares from how many rows each has.
fn in_turn(lengths: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let ends = lengths.scan(0, |end, length| {
        let begin = *end;
        *end += length;
        Some((begin, *end))
    });
    ends.collect()
}

fn shares() -> Vec<Variant> {
    let with = |batch_shares| Functions { batch_shares, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("batch_shares", name, with(function));
    let right = |name, function| Variant::right("batch_shares", name, with(function));
    vec![
        wrong("what is left over is dropped", |n, q| in_turn((0..q).map(|_| n / q))),
        wrong("all that is left over goes to the last thread", |n, q| {
            in_turn((0..q).map(|t| if t + 1 < q { n / q } else { n - (q - 1) * (n / q) }))
        }),
        wrong("all that is left over goes to the first thread", |n, q| {
            in_turn((0..q).map(|t| if t > 0 { n / q } else { n - (q - 1) * (n / q) }))
        }),
        wrong("rounded up: the last threads have few rows or none", |n, q| {
            let most = n.div_ceil(q);
            (0..q).map(|t| ((t * most).min(n), ((t + 1) * most).min(n))).collect()
        }),
        wrong("rounded up, and beyond the end", |n, q| {
            let most = n.div_ceil(q);
            (0..q).map(|t| (t * most, (t + 1) * most)).collect()
        }),
        wrong("the last row of a share, not the row after it", |n, q| {
            let shares = (REFERENCE.batch_shares)(n, q);
            shares.into_iter().map(|(begin, end)| (begin, end.saturating_sub(1))).collect()
        }),
        wrong("rows counted from 1", |n, q| {
            let shares = (REFERENCE.batch_shares)(n, q);
            shares.into_iter().map(|(begin, end)| (begin + 1, end + 1)).collect()
        }),
        wrong("the number of rows in place of the end", |n, q| {
            let shares = (REFERENCE.batch_shares)(n, q);
            shares.into_iter().map(|(begin, end)| (begin, end - begin)).collect()
        }),
        wrong("a row twice: each share begins with the last row of the one before it", |n, q| {
            let shares = (REFERENCE.batch_shares)(n, q);
            shares.into_iter().map(|(begin, end)| (begin.saturating_sub(1), end)).collect()
        }),
        wrong("the beginning rounded down and the end up: rows that two threads have", |n, q| {
            (0..q).map(|t| (n * t / q, (n * (t + 1)).div_ceil(q))).collect()
        }),
        wrong("no thread for an empty share", |n, q| (REFERENCE.batch_shares)(n, q.min(n))),
        wrong("at least one row for each thread, whether it is there or not", |n, q| {
            (REFERENCE.batch_shares)(n.max(q), q)
        }),
        wrong("the shares from the last to the first", |n, q| {
            (REFERENCE.batch_shares)(n, q).into_iter().rev().collect()
        }),
        wrong("the whole batch for everybody", |n, q| vec![(0, n); q]),
        right("the first threads have one row more", |n, q| {
            in_turn((0..q).map(|t| n / q + usize::from(t < n % q)))
        }),
        right("rounded to the nearest", |n, q| {
            let bound = |t: usize| (2 * n * t + q) / (2 * q);
            (0..q).map(|t| (bound(t), bound(t + 1))).collect()
        }),
    ]
}

/// T₁ / T for so many threads, with the share σ.
fn amdahl(sigma: f64, threads: usize) -> f64 {
    1.0 / (sigma + (1.0 - sigma) / threads as f64)
}

fn share(t_1: f64, t_q: f64, q: usize) -> f64 {
    (q as f64 * t_q / t_1 - 1.0) / (q as f64 - 1.0)
}

fn speed_up() -> Vec<Variant> {
    let with = |speed_up_with| Functions { speed_up_with, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("speed_up_with", name, with(function));
    let right = |name, function| Variant::right("speed_up_with", name, with(function));
    vec![
        wrong("serial and shared work exchanged", |t_1, t_q, q, threads| {
            let shared = 1.0 - share(t_1, t_q, q);
            (shared, amdahl(shared, threads))
        }),
        wrong(
            "the right share, and serial and shared exchanged after that",
            |t_1, t_q, q, threads| {
                let sigma = share(t_1, t_q, q);
                (sigma, amdahl(1.0 - sigma, threads))
            },
        ),
        wrong("the shared part as the answer, and the right speed-up", |t_1, t_q, q, threads| {
            let sigma = share(t_1, t_q, q);
            (1.0 - sigma, amdahl(sigma, threads))
        }),
        wrong("nothing divided by q − 1", |t_1, t_q, q, threads| {
            let sigma = q as f64 * t_q / t_1 - 1.0;
            (sigma, amdahl(sigma, threads))
        }),
        wrong("divided by q, not by q − 1", |t_1, t_q, q, threads| {
            let sigma = (q as f64 * t_q / t_1 - 1.0) / q as f64;
            (sigma, amdahl(sigma, threads))
        }),
        wrong("what is missing to q times as fast as the serial share", |t_1, t_q, q, threads| {
            let sigma = 1.0 - t_1 / (q as f64 * t_q);
            (sigma, amdahl(sigma, threads))
        }),
        wrong("the quotient of the times as the serial share", |t_1, t_q, _, threads| {
            (t_q / t_1, amdahl(t_q / t_1, threads))
        }),
        wrong("both times exchanged", |t_1, t_q, q, threads| {
            let sigma = share(t_q, t_1, q);
            (sigma, amdahl(sigma, threads))
        }),
        wrong("the share from the other number of threads", |t_1, t_q, _, threads| {
            let sigma = share(t_1, t_q, threads);
            (sigma, amdahl(sigma, threads))
        }),
        wrong("the speed-up on q threads, which was measured", |t_1, t_q, q, _| {
            (share(t_1, t_q, q), t_1 / t_q)
        }),
        wrong("as fast as q threads in place of one", |t_1, t_q, q, threads| {
            let sigma = share(t_1, t_q, q);
            (sigma, amdahl(sigma, threads) * t_q / t_1)
        }),
        wrong("the share of the time, not its inverse", |t_1, t_q, q, threads| {
            let sigma = share(t_1, t_q, q);
            (sigma, 1.0 / amdahl(sigma, threads))
        }),
        wrong("the time in seconds, not the speed-up", |t_1, t_q, q, threads| {
            let sigma = share(t_1, t_q, q);
            (sigma, t_1 / amdahl(sigma, threads))
        }),
        wrong("Gustafson's law: the work grows with the threads", |t_1, t_q, q, threads| {
            let sigma = share(t_1, t_q, q);
            (sigma, sigma + (1.0 - sigma) * threads as f64)
        }),
        wrong("as many times as fast as there are threads", |t_1, t_q, q, threads| {
            (share(t_1, t_q, q), threads as f64)
        }),
        wrong("the limit for any number of threads", |t_1, t_q, q, _| {
            let sigma = share(t_1, t_q, q);
            (sigma, 1.0 / sigma)
        }),
        wrong("the share held between 0 and 1", |t_1, t_q, q, threads| {
            let sigma = share(t_1, t_q, q).clamp(0.0, 1.0);
            (sigma, amdahl(sigma, threads))
        }),
        right(
            "from two equations for what is serial and what is shared",
            |t_1, t_q, q, threads| {
                let shared = (t_1 - t_q) * q as f64 / (q as f64 - 1.0);
                let serial = t_1 - shared;
                (serial / t_1, t_1 / (serial + shared / threads as f64))
            },
        ),
    ]
}

/// The row in which each thread is.
fn places(threads: &[usize]) -> Vec<usize> {
    let mut places = vec![0; threads.len()];
    threads.iter().enumerate().for_each(|(row, &thread)| places[thread] = row);
    places
}

/// The sum of these rows, in this order.
fn added(gradients: &Array2<f64>, rows: impl Iterator<Item = usize>) -> Array1<f64> {
    rows.fold(Array1::zeros(gradients.ncols()), |sum, row| sum + gradients.row(row))
}

fn sums() -> Vec<Variant> {
    let with = |sum_in_order| Functions { sum_in_order, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("sum_in_order", name, with(function));
    let right = |name, function| Variant::right("sum_in_order", name, with(function));
    vec![
        wrong("added as they arrived", |gradients, threads| added(gradients, 0..threads.len())),
        wrong("the number of a thread taken for that of a row", |gradients, threads| {
            added(gradients, threads.iter().copied())
        }),
        wrong("from the last thread to the first", |gradients, threads| {
            added(gradients, places(threads).into_iter().rev())
        }),
        wrong("added in pairs: in a fixed order, but another one", |gradients, threads| {
            let rows = places(threads).into_iter().map(|row| gradients.row(row).to_owned());
            let mut rows: Vec<Array1<f64>> = rows.collect();
            while rows.len() > 1 {
                rows = rows
                    .chunks(2)
                    .map(|pair| if pair.len() == 2 { &pair[0] + &pair[1] } else { pair[0].clone() })
                    .collect();
            }
            rows.remove(0)
        }),
        wrong("the mean: each share has been divided by the whole batch already", |g, threads| {
            added(g, places(threads).into_iter()) / threads.len() as f64
        })
        .see("fast-threads"),
        wrong("the first thread counted twice", |gradients, threads| {
            let first = places(threads)[0];
            added(gradients, [first].into_iter().chain(places(threads)))
        }),
        wrong("the gradient of the first thread left out", |gradients, threads| {
            added(gradients, places(threads).into_iter().skip(1))
        }),
        wrong("the last thread left out", |gradients, threads| {
            added(gradients, places(threads).into_iter().take(threads.len() - 1))
        }),
        wrong("the last one that arrived, and no sum", |gradients, _| {
            gradients.row(gradients.nrows() - 1).to_owned()
        }),
        right("entry by entry", |gradients, threads| {
            let places = places(threads);
            Array1::from_shape_fn(gradients.ncols(), |j| {
                let rest = places[1..].iter().map(|&row| gradients[[row, j]]);
                rest.fold(gradients[[places[0], j]], |sum, g| sum + g)
            })
        }),
    ]
}

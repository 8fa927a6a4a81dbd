//! Wrong answers about places, orders and costs, and to `shared_answer`; and other right ones.

use ndarray::Array1;
use signatures::chapter06::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// The variants of four functions.
pub fn all() -> Vec<Variant> {
    [places(), order(), costs(), shared()].into_iter().flatten().collect()
}

/// Goes through the layers. `layer` says from the features that come in and the number of units
/// how many places the layer takes, and how many features come out.
fn walk(
    inputs: usize,
    units: &[usize],
    layer: fn(usize, usize) -> (usize, usize),
) -> Vec<(usize, usize)> {
    let (mut features, mut start) = (inputs, 0);
    let place = |&units: &usize| {
        let (count, out) = layer(features, units);
        let place = (start, start + count);
        (features, start) = (out, place.1);
        place
    };
    units.iter().map(place).collect()
}

/// What is right.
fn dense(features: usize, units: usize) -> (usize, usize) {
    ((features + 1) * units, if units == 0 { features } else { units })
}

fn places() -> Vec<Variant> {
    let with = |parameter_places| Functions { parameter_places, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("parameter_places", name, with(function));
    let right = |name, function| Variant::right("parameter_places", name, with(function));
    vec![
        wrong("no places for the biases", |inputs, units| {
            walk(inputs, units, |k, m| (k * m, dense(k, m).1))
        }),
        wrong("no places for the weights", |inputs, units| {
            walk(inputs, units, |k, m| (m, dense(k, m).1))
        }),
        wrong("as many biases as inputs", |inputs, units| {
            walk(inputs, units, |k, m| (if m == 0 { 0 } else { k * m + k }, dense(k, m).1))
        }),
        wrong("nothing comes out of an activation", |inputs, units| {
            walk(inputs, units, |k, m| ((k + 1) * m, m))
        }),
        wrong(
            "an activation takes places as if it had a bias for each feature",
            |inputs, units| {
                walk(inputs, units, |k, m| (if m == 0 { k } else { (k + 1) * m }, dense(k, m).1))
            },
        ),
        wrong("every layer takes the inputs of the first one", |inputs, units| {
            walk(inputs, units, |k, m| ((k + 1) * m, k))
        }),
        wrong("how many parameters there are, in place of where they end", |inputs, units| {
            let places = walk(inputs, units, dense);
            places.into_iter().map(|(start, end)| (start, end - start)).collect()
        }),
        wrong("the last place in place of the one after it", |inputs, units| {
            let places = walk(inputs, units, dense);
            let last =
                |(start, end): (usize, usize)| (start, if end > start { end - 1 } else { end });
            places.into_iter().map(last).collect()
        }),
        wrong("places counted from 1", |inputs, units| {
            let places = walk(inputs, units, dense);
            places.into_iter().map(|(start, end)| (start + 1, end + 1)).collect()
        }),
        wrong("every layer begins at 0", |inputs, units| {
            let places = walk(inputs, units, dense);
            places.into_iter().map(|(start, end)| (0, end - start)).collect()
        }),
        wrong("activations left out of the list", |inputs, units| {
            let places = walk(inputs, units, dense);
            places.into_iter().filter(|(start, end)| start < end).collect()
        }),
        wrong("the empty place of an activation put at 0", |inputs, units| {
            let places = walk(inputs, units, dense);
            let empty = |(start, end)| if start == end { (0, 0) } else { (start, end) };
            places.into_iter().map(empty).collect()
        }),
        right("layer by layer", |inputs, units| walk(inputs, units, dense)),
    ]
}

/// The pieces of a vector of chapter 4: weights and biases of each layer.
fn pieces(theta: &Array1<f64>, sizes: &[usize]) -> Vec<(Vec<f64>, Vec<f64>)> {
    let weights = |pair: &[usize]| pair[0] * pair[1];
    let (mut w, mut b) = (0, sizes.windows(2).map(weights).sum::<usize>());
    let piece = |pair: &[usize]| {
        let (next_w, next_b) = (w + weights(pair), b + pair[1]);
        let slice = |range: std::ops::Range<usize>| {
            theta.iter().copied().skip(range.start).take(range.len()).collect()
        };
        let both = (slice(w..next_w), slice(b..next_b));
        (w, b) = (next_w, next_b);
        both
    };
    sizes.windows(2).map(piece).collect()
}

fn order() -> Vec<Variant> {
    let with = |layer_by_layer_order| Functions { layer_by_layer_order, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("layer_by_layer_order", name, with(function));
    let right = |name, function| Variant::right("layer_by_layer_order", name, with(function));
    vec![
        wrong("nothing moved", |theta, _| theta.clone()),
        wrong("the way back: from layer by layer to all weights first", |theta, sizes| {
            let (mut weights, mut biases, mut at) = (Vec::new(), Vec::new(), 0);
            for pair in sizes.windows(2) {
                let middle = at + pair[0] * pair[1];
                weights.extend(theta.iter().skip(at).take(middle - at));
                at = middle + pair[1];
                biases.extend(theta.iter().skip(middle).take(pair[1]));
            }
            weights.into_iter().chain(biases).copied().collect()
        }),
        wrong("each layer's biases before its weights", |theta, sizes| {
            pieces(theta, sizes).into_iter().flat_map(|(w, b)| [b, w].concat()).collect()
        }),
        wrong("all biases, then all weights", |theta, sizes| {
            let pieces = pieces(theta, sizes);
            let biases = pieces.iter().flat_map(|(_, b)| b);
            biases.chain(pieces.iter().flat_map(|(w, _)| w)).copied().collect()
        }),
        wrong("the last layer first", |theta, sizes| {
            pieces(theta, sizes).into_iter().rev().flat_map(|(w, b)| [w, b].concat()).collect()
        }),
        wrong("weights column by column", |theta, sizes| {
            let layer = |((w, b), pair): ((Vec<f64>, Vec<f64>), &[usize])| {
                let turned = (0..w.len()).map(|i| w[i % pair[0] * pair[1] + i / pair[0]]);
                turned.chain(b.iter().copied()).collect::<Vec<_>>()
            };
            pieces(theta, sizes).into_iter().zip(sizes.windows(2)).flat_map(layer).collect()
        })
        .see("places_layer_by_layer"),
        wrong("for every layer the biases from the beginning of all biases", |theta, sizes| {
            let pieces = pieces(theta, sizes);
            let all: Vec<f64> = pieces.iter().flat_map(|(_, b)| b.clone()).collect();
            let layer = |(w, b): (Vec<f64>, Vec<f64>)| [w, all[..b.len()].to_vec()].concat();
            pieces.clone().into_iter().flat_map(layer).collect()
        }),
        wrong("read as if the biases came first in chapter 4", |theta, sizes| {
            let biases: usize = sizes[1..].iter().sum();
            let turned: Vec<f64> =
                theta.iter().skip(biases).chain(theta.iter().take(biases)).copied().collect();
            let turned = Array1::from(turned);
            pieces(&turned, sizes).into_iter().flat_map(|(w, b)| [w, b].concat()).collect()
        }),
        right("piece by piece", |theta, sizes| {
            pieces(theta, sizes).into_iter().flat_map(|(w, b)| [w, b].concat()).collect()
        }),
    ]
}

/// The products of neighbouring sizes.
fn products(sizes: &[usize]) -> Vec<usize> {
    sizes.windows(2).map(|pair| pair[0] * pair[1]).collect()
}

fn ends(sizes: &[usize]) -> (usize, usize) {
    (sizes[0], sizes[sizes.len() - 1])
}

fn both(sizes: &[usize]) -> (usize, usize) {
    let (products, (first, last)) = (products(sizes), ends(sizes));
    let inner: usize = products[1..].iter().sum();
    (products.iter().sum(), first * (last + inner))
}

fn costs() -> Vec<Variant> {
    let with = |jacobian_costs| Functions { jacobian_costs, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("jacobian_costs", name, with(function));
    let right = |name, function| Variant::right("jacobian_costs", name, with(function));
    vec![
        wrong("the two in each other's place", |sizes| {
            let (left, right) = both(sizes);
            (right, left)
        }),
        wrong("from the right without the row, which comes last", |sizes| {
            let (left, right) = both(sizes);
            (left, right - ends(sizes).0 * ends(sizes).1)
        }),
        wrong("from the right one product too many: the first Jacobian times a matrix", |sizes| {
            let (left, right) = both(sizes);
            (left, right + sizes[0] * products(sizes)[0])
        }),
        wrong("from the left a matrix is carried, not a row", |sizes| {
            let (products, (_, last)) = (products(sizes), ends(sizes));
            let inner: usize = products[..products.len() - 1].iter().sum();
            (last * inner + ends(sizes).0 * last, both(sizes).1)
        }),
        wrong("additions counted as well", |sizes| {
            let (left, right) = both(sizes);
            (2 * left, 2 * right)
        }),
        wrong("all sizes multiplied, in place of a sum of products", |sizes| {
            let all = sizes.iter().product();
            (all, all)
        }),
        wrong(
            "from the right the columns left out: a sum of products, as from the left",
            |sizes| (both(sizes).0, both(sizes).0),
        ),
        wrong("from the right the columns of the outputs, not of the inputs", |sizes| {
            let (first, last) = ends(sizes);
            let inner: usize = products(sizes)[1..].iter().sum();
            (both(sizes).0, last * (first + inner))
        }),
        wrong("the sizes added up", |sizes| (sizes.iter().sum(), both(sizes).1)),
        right("product by product", both),
    ]
}

fn shared() -> Vec<Variant> {
    let with = |shared_answer| Functions { shared_answer, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("shared_answer", name, with(function));
    let right = |name, function| Variant::right("shared_answer", name, with(function));
    fn mean(y: &Array1<f64>) -> f64 {
        y.sum() / y.len() as f64
    }
    fn squares(y: &Array1<f64>, answer: f64) -> f64 {
        y.iter().map(|y| (y - answer) * (y - answer)).sum()
    }
    vec![
        wrong("the squares added up, and not divided by the number of samples", |y| {
            (mean(y), squares(y, mean(y)))
        }),
        wrong("divided by n − 1, as an estimate of a variance is", |y| {
            (mean(y), squares(y, mean(y)) / (y.len() as f64 - 1.0))
        }),
        wrong("half the squares, which have the same best answer", |y| {
            (mean(y), 0.5 * squares(y, mean(y)) / y.len() as f64)
        }),
        wrong("the standard deviation in place of its square", |y| {
            (mean(y), (squares(y, mean(y)) / y.len() as f64).sqrt())
        }),
        wrong("the mean distance in place of the mean square", |y| {
            let m = mean(y);
            (m, y.iter().map(|y| (y - m).abs()).sum::<f64>() / y.len() as f64)
        }),
        wrong("the median in place of the mean", |y| {
            let mut sorted = y.to_vec();
            sorted.sort_by(f64::total_cmp);
            let answer = sorted[sorted.len() / 2];
            (answer, squares(y, answer) / y.len() as f64)
        }),
        wrong("the mean of the smallest and the largest in place of the mean of all", |y| {
            let lo = y.fold(f64::INFINITY, |lo, &y| lo.min(y));
            let hi = y.fold(f64::NEG_INFINITY, |hi, &y| hi.max(y));
            (0.5 * (lo + hi), squares(y, 0.5 * (lo + hi)) / y.len() as f64)
        }),
        wrong("one half, whatever the targets are", |y| (0.5, squares(y, 0.5) / y.len() as f64)),
        wrong("the mean rounded to a class", |y| {
            let answer = mean(y).round();
            (answer, squares(y, answer) / y.len() as f64)
        }),
        wrong("ȳ (1 − ȳ), which holds for targets of 0 and 1 alone", |y| {
            (mean(y), mean(y) * (1.0 - mean(y)))
        }),
        wrong("the mean of the squares, without taking the square of the mean away", |y| {
            (mean(y), y.dot(y) / y.len() as f64)
        }),
        wrong("the two in each other's place", |y| (squares(y, mean(y)) / y.len() as f64, mean(y))),
        right("the mean and the variance", |y| (mean(y), squares(y, mean(y)) / y.len() as f64)),
        right("the mean of the squares less the square of the mean", |y| {
            (mean(y), y.dot(y) / y.len() as f64 - mean(y) * mean(y))
        }),
    ]
}

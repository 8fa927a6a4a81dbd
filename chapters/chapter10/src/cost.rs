//! What a step has to do, counted, and the time that this must take at least.

use crate::ceilings::Ceilings;
use crate::plain::Route;
use crate::task::{BATCH, SAMPLES, SIZES};

// ANCHOR: Work
/// What a part of a step has to do.
#[derive(Debug, Clone)]
pub struct Work {
    /// Which part.
    pub name: &'static str,
    /// Additions and multiplications.
    pub operations: f64,
    /// Bytes read or written, and the bytes of the arrays that they lie in.
    pub traffic: Vec<(f64, f64)>,
    /// Exponentials and logarithms.
    pub exponentials: f64,
}

impl Work {
    /// The least time that it can take. What it computes and what it moves
    /// happen side by side, and of the two times the slower decides;
    /// exponentials come on top.
    pub fn floor(&self, rate: f64, ceilings: &Ceilings) -> f64 {
        let computing = self.operations / rate;
        let time = |(bytes, of): &(f64, f64)| bytes / ceilings.bandwidth(*of);
        let moving: f64 = self.traffic.iter().map(time).sum();
        computing.max(moving) + self.exponentials * ceilings.exponential
    }
    // ANCHOR_END: Work

    /// All bytes.
    pub fn bytes(&self) -> f64 {
        self.traffic.iter().map(|(bytes, _)| bytes).sum()
    }
}

/// How a step is computed.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Bytes of a number.
    pub number: f64,
    pub route: Route,
    pub d_x: bool,
    /// Whether arrays are there already.
    pub in_place: bool,
    /// Whether batches are gathered from bytes.
    pub bytes: bool,
    /// Whether the products with the inputs skip zeros.
    pub zeros: bool,
    /// How many of the velocities are subnormal.
    pub subnormal: f64,
    pub threads: f64,
}

/// The network in numbers: n, k, m, classes and p.
pub fn sizes() -> [f64; 5] {
    let [k, m, c] = SIZES.map(|size| size as f64);
    [BATCH as f64, k, m, c, k * m + m * c + m + c]
}

/// An array that is read or written once.
fn once(bytes: f64) -> (f64, f64) {
    (bytes, bytes)
}

fn work(name: &'static str, operations: f64, traffic: &[(f64, f64)]) -> Work {
    Work { name, operations, traffic: traffic.to_vec(), exponentials: 0.0 }
}

/// y ← y + x w, or d_w ← xᵀ d, of these sizes.
pub fn dense(name: &'static str, [n, k, m]: [f64; 3], number: f64) -> Work {
    work(name, 2.0 * n * k * m, &[once((n * k + k * m + n * m) * number)])
}

/// The same, if only a share of x is looked up: each entry that is not zero meets a row of m
/// numbers, in a tile that lies in the first cache; x is read once to find them, and one row in
/// eight of it before, to see whether it pays.
pub fn skipping(name: &'static str, [n, k, m]: [f64; 3], number: f64, density: f64) -> Work {
    let rows = (density * n * k * m * number, 64.0 * m.min(64.0) * number);
    let look = (1.125 * n * k * number, n * k * number);
    work(name, 2.0 * density * n * k * m, &[rows, look, once((k * m + n * m) * number)])
}

/// The parts of a step, in the order of `in_place::PARTS` and two more: `density` is that of the
/// pixels.
pub fn parts(recipe: &Recipe, density: f64) -> Vec<Work> {
    let [n, k, m, c, p] = sizes();
    let f = recipe.number;
    let first = |name| match recipe.zeros {
        true => skipping(name, [n, k, m], f, density),
        false => dense(name, [n, k, m], f),
    };
    let from = if recipe.bytes { 1.0 } else { f };
    let gather = [(n * k * from, SAMPLES as f64 * k * from), once(n * k * f)];
    // Softmax and the logarithm of its sum, or of each probability.
    let mut softmax = work("softmax and loss", 10.0 * n * c, &[once(5.0 * n * c * f)]);
    softmax.exponentials = 2.0 * n * c;
    if recipe.route == Route::Jacobian {
        softmax.operations += 4.0 * n * c * c;
        softmax.traffic.push((2.0 * n * c * c * f, n * c * c * f));
    }
    // In place: v and g are read and v written, then θ and v are read and θ written. With new
    // arrays, ten times p numbers move.
    let moved = if recipe.in_place { 6.0 } else { 10.0 };
    let mut parts = vec![
        work("gather", n * k, &gather),
        first("forward, first layer"),
        work("ReLU", n * m, &[once(2.0 * n * m * f)]),
        dense("forward, second layer", [n, m, c], f),
        softmax,
        // Two products: for the weights and for the layer before.
        work("backward, second layer", 4.0 * n * m * c, &[once(2.0 * (n * m + m * c + n * c) * f)]),
        work("ReLU, backward", n * m, &[once(3.0 * n * m * f)]),
        first("backward, first layer"),
        work("sums of rows", n * (m + c), &[once(n * (m + c) * f)]),
        work("update", 4.0 * p, &[(moved * p * f, 3.0 * p * f)]),
    ];
    if recipe.d_x {
        parts.push(dense("gradient of the inputs", [n, k, m], f));
    }
    if !recipe.in_place {
        // The results of products begin as zeros: those bytes are written twice.
        let fresh = (k * m + m * c + 2.0 * n * m + n * c) * f;
        let d_x = if recipe.d_x { n * k * f } else { 0.0 };
        parts.push(work("new arrays", 0.0, &[once(fresh + d_x)]));
    }
    parts
}

// ANCHOR: predicted
/// The seconds that a step takes at least: each part one after the other, the
/// update by one thread alone; subnormal velocities come on top.
pub fn predicted(recipe: &Recipe, rho: f64, rate: f64, top: &Ceilings) -> f64 {
    let floors = parts(recipe, rho).into_iter().map(|part| {
        let alone = part.name == "update";
        let floor = part.floor(rate, top);
        if alone { floor } else { floor / recipe.threads }
    });
    floors.sum::<f64>() + recipe.subnormal * top.subnormal
}
// ANCHOR_END: predicted

/// The operations of the products of a step with this many rows, without the gradient of the
/// inputs.
pub fn products(rows: f64) -> [(&'static str, f64); 5] {
    let [_, k, m, c, _] = sizes();
    [
        ("forward, first layer", 2.0 * rows * k * m),
        ("forward, second layer", 2.0 * rows * m * c),
        ("gradient of the second weights", 2.0 * rows * m * c),
        ("gradient of the hidden layer", 2.0 * rows * m * c),
        ("gradient of the first weights", 2.0 * rows * k * m),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILINGS: Ceilings = Ceilings {
        product: [100.0, 50.0],
        slow_product: None,
        read: [(10.0, 8.0), (100.0, 4.0), (1000.0, 2.0), (f64::INFINITY, 1.0)],
        latency: 0.0,
        exponential: 3.0,
        subnormal: 7.0,
    };

    #[test]
    fn the_slower_of_computing_and_moving_decides() {
        let mut part = work("a", 200.0, &[(8.0, 10.0), (3.0, 2000.0)]);
        assert_eq!(part.floor(100.0, &CEILINGS), 4.0); // 8 / 8 + 3 / 1
        assert_eq!(part.floor(10.0, &CEILINGS), 20.0);
        part.exponentials = 2.0;
        assert_eq!(part.floor(10.0, &CEILINGS), 26.0);
        assert_eq!(part.bytes(), 11.0);
    }

    #[test]
    fn skipping_leaves_the_share_of_the_operations_that_is_not_zero() {
        let sizes = [128.0, 784.0, 64.0];
        let all = dense("a", sizes, 4.0).operations;
        assert_eq!(all, 12_845_056.0);
        assert_eq!(skipping("a", sizes, 4.0, 0.25).operations, 0.25 * all);
    }

    #[test]
    fn a_training_takes_the_operations_that_are_told() {
        let all: f64 = products(SAMPLES as f64).iter().map(|(_, count)| count).sum();
        assert_eq!(10.0 * all, 122_726_400_000.0);
    }

    #[test]
    fn each_measure_lowers_the_prediction() {
        let mut recipe = Recipe {
            number: 8.0,
            route: Route::Jacobian,
            d_x: true,
            in_place: false,
            bytes: false,
            zeros: false,
            subnormal: 10.0,
            threads: 1.0,
        };
        let mut last = f64::INFINITY;
        let mut falls = |recipe: &Recipe| {
            let now = predicted(recipe, 0.2, 1e3, &CEILINGS);
            assert!(now < last, "{now} {last}");
            last = now;
        };
        falls(&recipe);
        recipe.route = Route::Fused;
        falls(&recipe);
        recipe.d_x = false;
        falls(&recipe);
        recipe.number = 4.0;
        falls(&recipe);
        recipe.subnormal = 0.0;
        falls(&recipe);
        recipe.in_place = true;
        falls(&recipe);
        recipe.bytes = true;
        falls(&recipe);
        recipe.threads = 2.0;
        falls(&recipe);
    }
}

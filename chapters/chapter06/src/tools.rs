//! Small things that several sections need.

use ndarray::{Array2, ArrayRef1};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// The length of a vector.
pub fn norm(v: &ArrayRef1<f64>) -> f64 {
    v.dot(v).sqrt()
}

/// Normal numbers with mean 0 and variance 1.
pub fn normal(shape: (usize, usize), rng: &mut impl Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut *rng))
}

/// Two digits and an exponent.
pub fn short(x: f64) -> String {
    if x == 0.0 { "0".into() } else { format!("{x:.1e}") }
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The sizes of a network: "2-16-16-1".
pub fn sizes(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("-")
}

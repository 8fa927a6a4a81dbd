//! The equations of chapter 1.

mod common;

use common::*;
use gradus::{Activation, Sigmoid};

/// The derivative of the sigmoid, in terms of its value.
///
/// ```math
/// \sigma'(z) = \sigma(z)\,\bigl(1 - \sigma(z)\bigr)
/// ```
#[test]
fn sigmoid_derivative() {
    let mut rng = rng(1);
    for &z in &uniform(200, -8.0, 8.0, &mut rng) {
        let s = Sigmoid.value(z);
        assert_close(slope(|z| Sigmoid.value(z), z), s * (1.0 - s), 1e-9);
    }
}

//! Chapter 1: activations and their derivatives.

mod variants;

use gradus::{Activation, OutputActivation, Relu, Sigmoid, Softmax};
use ndarray::{Array1, Array2, array};
use signatures::chapter01::{Functions, call};

use crate::chapter::Chapter;
use crate::question::Ask;

/// What the library says.
const REFERENCE: Functions = Functions {
    softmax_rows: |z| Softmax.apply(z),
    // The softmax of ln s is s again, where s sums to 1.
    softmax_jacobian_stack: |s| Softmax.jacobian(&s.ln()),
    softmax_vjp: |s, d_s| {
        let mut d_z = Array2::zeros(s.raw_dim());
        Softmax.backward_into(&s.ln(), s, d_s, &mut d_z);
        d_z
    },
    sigmoid_stable: |z| (Sigmoid.value(z), Sigmoid.derivative(z)),
    relu_slope: |z| Relu.derivatives(z),
    relative_error: |derived, measured| {
        let pairs = derived.iter().zip(measured);
        let errors = pairs
            .map(|(&g, &m)| if g == m { 0.0 } else { (g - m).abs() / f64::max(g.abs(), m.abs()) });
        errors.fold(0.0, |worst, e| if e.is_nan() || e > worst { e } else { worst })
    },
};

/// The assignment of chapter 1: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 1,
    exercises: include_str!("../../chapter01/exercises.toml"),
    checks: &[
        ("softmax_rows", softmax_rows),
        ("softmax_jacobian_stack", softmax_jacobian_stack),
        ("softmax_vjp", softmax_vjp),
        ("sigmoid_stable", sigmoid_stable),
        ("relu_slope", relu_slope),
        ("relative_error", relative_error),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: variants::all,
};

fn softmax_rows(ask: &mut Ask<'_>) {
    // A pinned value, so that a mistake of the library could not hide one of the student.
    let third = 1.0 / 3.0;
    let s = array![[0.09003057317038046, 0.24472847105479764, 0.6652409557748219], [third; 3]];
    ask.call(call::softmax_rows(&array![[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])).returns(&s);
    for shape in [(4, 3), (2, 5)] {
        let z = ask.draw.normal(shape, 2.0);
        ask.call(call::softmax_rows(&z));
    }
    let mut z = ask.draw.normal((3, 4), 1.0);
    z.row_mut(0).mapv_inplace(|z| z + 1000.0);
    z.row_mut(1).mapv_inplace(|z| z - 1000.0);
    ask.call(call::softmax_rows(&z)).case("rows near 1000, near −1000 and near 0, in one batch");
    let z = ask.draw.normal((2, 3), 1.0) - 400.0;
    ask.call(call::softmax_rows(&z)).case("rows near −400, whose exponentials are tiny");
    let z = array![[1500.0, 0.0, -1500.0], [-1500.0, 1499.0, 1500.0]];
    ask.call(call::softmax_rows(&z)).case("entries of one row that are far apart");
}

fn softmax_jacobian_stack(ask: &mut Ask<'_>) {
    let pinned = array![[[0.25, -0.15, -0.1], [-0.15, 0.21, -0.06], [-0.1, -0.06, 0.16]]];
    ask.call(call::softmax_jacobian_stack(&array![[0.5, 0.3, 0.2]])).returns(&pinned);
    for (n, m) in [(1, 2), (2, 3), (3, 4)] {
        let s = ask.draw.distributions(n, m);
        ask.call(call::softmax_jacobian_stack(&s));
    }
}

fn softmax_vjp(ask: &mut Ask<'_>) {
    let (s, d_s) = (array![[0.5, 0.3, 0.2]], array![[1.0, 2.0, -1.0]]);
    ask.call(call::softmax_vjp(&s, &d_s)).returns(&array![[0.05, 0.33, -0.38]]);
    for (n, m) in [(1, 3), (2, 3), (3, 2)] {
        let (s, d_s) = (ask.draw.distributions(n, m), ask.draw.normal((n, m), 1.0));
        ask.call(call::softmax_vjp(&s, &d_s));
    }
}

fn sigmoid_stable(ask: &mut Ask<'_>) {
    // Relative: small values have digits too. What is below 1e-300 may be 0.
    let tiny = 1e-300;
    ask.call(call::sigmoid_stable(0.0)).returns(&(0.5, 0.25));
    // e⁻⁴⁰ is so small that 1 + e⁻⁴⁰ is 1.
    let small = (-40.0_f64).exp();
    ask.call(call::sigmoid_stable(-40.0)).within(1e-9, tiny).returns(&(small, small));
    let moderate = ask.draw.uniform(20, -6.0, 6.0);
    for &z in moderate.iter().chain(&[20.0, -20.0, 40.0, 700.0, -700.0, 800.0, -800.0]) {
        ask.call(call::sigmoid_stable(z)).within(1e-9, tiny);
    }
}

fn relu_slope(ask: &mut Ask<'_>) {
    let z = array![[1e-300, -1e-300, 0.5], [-1e6, 1e6, -0.5]];
    ask.call(call::relu_slope(&z)).returns(&array![[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]);
    for shape in [(3, 4), (5, 2)] {
        let z = ask.draw.normal(shape, 2.0);
        ask.call(call::relu_slope(&z));
    }
    let between = |found: &Array2<f64>| {
        found.dim() == (1, 2) && found.iter().all(|slope| (0.0..=1.0).contains(slope))
    };
    ask.call(call::relu_slope(&array![[0.0, -0.0]]))
        .case("at 0")
        .has("a number from 0 to 1, twice", between);
}

fn relative_error(ask: &mut Ask<'_>) {
    for (derived, measured, right) in [
        (array![2.0, -1.0], array![2.0, -4.0], 0.75),
        (array![-4.0, 2.0], array![-1.0, 2.0], 0.75),
        (array![1.0, -3.0], array![-1.0, -3.0], 2.0),
        (array![1e-7, 5.0], array![2e-7, 5.0], 0.5),
        (array![0.0, 3.0], array![0.0, 3.3], 1.0 / 11.0),
        // One of the two is 0, the other is not.
        (array![0.0, 3.0], array![0.5, 3.0], 1.0),
        (array![2.0, -1e-9], array![2.0, 0.0], 1.0),
        (array![0.0], array![0.0], 0.0),
    ] {
        ask.call(call::relative_error(&derived, &measured)).returns(&right);
    }
    for p in [2, 5] {
        let derived: Array1<f64> = ask.draw.normal(p, 3.0);
        let measured = &derived + &ask.draw.normal(p, 1.0);
        ask.call(call::relative_error(&derived, &measured));
    }
    for place in 0..3 {
        let sound = ask.draw.normal(3, 1.0);
        let mut broken = sound.clone();
        broken[place] = f64::NAN;
        for (derived, measured) in [(&sound, &broken), (&broken, &sound)] {
            ask.call(call::relative_error(derived, measured))
                .has("NaN, because one of the entries is", |found| found.is_nan());
        }
    }
}

//! Chapter 1: activations and their derivatives.

mod variants;

use gradus::{Activation, OutputActivation, Relu, Sigmoid, Softmax};
use ndarray::{Array1, Array2, Array3, array};

use crate::chapter::{Chapter, CheckOf, bind};
use crate::draw::Draw;
use crate::given::{Verdict, given};

/// The functions of chapter 1, as the student writes them.
#[derive(Clone, Copy)]
pub struct Functions {
    pub softmax_rows: fn(&Array2<f64>) -> Array2<f64>,
    pub softmax_jacobian_stack: fn(&Array2<f64>) -> Array3<f64>,
    pub softmax_vjp: fn(&Array2<f64>, &Array2<f64>) -> Array2<f64>,
    pub sigmoid_stable: fn(f64) -> (f64, f64),
    pub relu_slope: fn(&Array2<f64>) -> Array2<f64>,
    pub relative_error: fn(&Array1<f64>, &Array1<f64>) -> f64,
}

#[cfg(feature = "chapter01")]
const STUDENT: Option<Functions> = {
    use ::student::chapter01::*;
    Some(Functions {
        softmax_rows,
        softmax_jacobian_stack,
        softmax_vjp,
        sigmoid_stable,
        relu_slope,
        relative_error,
    })
};
#[cfg(not(feature = "chapter01"))]
const STUDENT: Option<Functions> = None;

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

/// The checks, in the order of `exercises.toml`.
const CHECKS: &[(&str, CheckOf<Functions>)] = &[
    ("softmax_rows", softmax_rows),
    ("softmax_jacobian_stack", softmax_jacobian_stack),
    ("softmax_vjp", softmax_vjp),
    ("sigmoid_stable", sigmoid_stable),
    ("relu_slope", relu_slope),
    ("relative_error", relative_error),
];

/// The assignment of chapter 1.
pub const CHAPTER: Chapter = Chapter {
    number: 1,
    exercises: include_str!("../../chapter01/exercises.toml"),
    student: || STUDENT.map(|functions| bind(CHECKS, functions)),
    reference: || bind(CHECKS, REFERENCE),
    variants: variants::all,
};

fn softmax_rows(f: &Functions, draw: &mut Draw) -> Verdict {
    // A pinned value, so that a mistake of the library could not hide one of the student.
    let z = array![[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]];
    let third = 1.0 / 3.0;
    let s = array![[0.09003057317038046, 0.24472847105479764, 0.6652409557748219], [third; 3]];
    given("z", &z).expect(&s, || (f.softmax_rows)(&z))?;
    for shape in [(4, 3), (2, 5)] {
        let z = draw.normal(shape, 2.0);
        given("z", &z).expect(&(REFERENCE.softmax_rows)(&z), || (f.softmax_rows)(&z))?;
    }
    let mut z = draw.normal((3, 4), 1.0);
    z.row_mut(0).mapv_inplace(|z| z + 1000.0);
    z.row_mut(1).mapv_inplace(|z| z - 1000.0);
    given("z", &z)
        .case("rows near 1000, near −1000 and near 0, in one batch")
        .expect(&(REFERENCE.softmax_rows)(&z), || (f.softmax_rows)(&z))?;
    let z = array![[1500.0, 0.0, -1500.0], [-1500.0, 1499.0, 1500.0]];
    given("z", &z)
        .case("entries of one row that are far apart")
        .expect(&(REFERENCE.softmax_rows)(&z), || (f.softmax_rows)(&z))
}

fn softmax_jacobian_stack(f: &Functions, draw: &mut Draw) -> Verdict {
    let s = array![[0.5, 0.3, 0.2]];
    let pinned = array![[[0.25, -0.15, -0.1], [-0.15, 0.21, -0.06], [-0.1, -0.06, 0.16]]];
    given("s", &s).expect(&pinned, || (f.softmax_jacobian_stack)(&s))?;
    for (n, m) in [(1, 2), (2, 3), (3, 4)] {
        let s = draw.distributions(n, m);
        let expected = (REFERENCE.softmax_jacobian_stack)(&s);
        given("s", &s).expect(&expected, || (f.softmax_jacobian_stack)(&s))?;
    }
    Ok(())
}

fn softmax_vjp(f: &Functions, draw: &mut Draw) -> Verdict {
    let (s, d_s) = (array![[0.5, 0.3, 0.2]], array![[1.0, 2.0, -1.0]]);
    let pinned = array![[0.05, 0.33, -0.38]];
    given("s", &s).and("d_s", &d_s).expect(&pinned, || (f.softmax_vjp)(&s, &d_s))?;
    for (n, m) in [(1, 3), (2, 3), (3, 2)] {
        let (s, d_s) = (draw.distributions(n, m), draw.normal((n, m), 1.0));
        let expected = (REFERENCE.softmax_vjp)(&s, &d_s);
        given("s", &s).and("d_s", &d_s).expect(&expected, || (f.softmax_vjp)(&s, &d_s))?;
    }
    Ok(())
}

fn sigmoid_stable(f: &Functions, draw: &mut Draw) -> Verdict {
    given("z", &0.0).expect(&(0.5, 0.25), || (f.sigmoid_stable)(0.0))?;
    // e⁻⁴⁰ is so small that 1 + e⁻⁴⁰ is 1.
    let (small, tiny) = ((-40.0_f64).exp(), 1e-300);
    given("z", &-40.0).within(1e-9, tiny).expect(&(small, small), || (f.sigmoid_stable)(-40.0))?;
    let moderate = draw.uniform(20, -6.0, 6.0);
    for &z in moderate.iter().chain(&[20.0, -20.0, 40.0, 700.0, -700.0, 800.0, -800.0]) {
        // Relative: small values have digits too. What is below 1e-300 may be 0.
        given("z", &z)
            .within(1e-9, tiny)
            .expect(&(REFERENCE.sigmoid_stable)(z), || (f.sigmoid_stable)(z))?;
    }
    Ok(())
}

fn relu_slope(f: &Functions, draw: &mut Draw) -> Verdict {
    for shape in [(3, 4), (5, 2)] {
        let z = draw.normal(shape, 2.0);
        given("z", &z).expect(&(REFERENCE.relu_slope)(&z), || (f.relu_slope)(&z))?;
    }
    let z = array![[0.0, -0.0]];
    given("z", &z).case("at 0").expect_that(
        || (f.relu_slope)(&z),
        |found, _| {
            let right = found.dim() == (1, 2) && found.iter().all(|d| (0.0..=1.0).contains(d));
            let words = "a number from 0 to 1, twice";
            (!right).then(|| (words.to_owned(), format!("at 0: expected {words}")))
        },
    )
}

fn relative_error(f: &Functions, draw: &mut Draw) -> Verdict {
    let call = |g: &Array1<f64>, m: &Array1<f64>| (f.relative_error)(g, m);
    let one = |g: Array1<f64>, m: Array1<f64>, right: f64| {
        given("derived", &g).and("measured", &m).expect(&right, || call(&g, &m))
    };
    one(array![2.0, -1.0], array![2.0, -4.0], 0.75)?;
    one(array![-4.0, 2.0], array![-1.0, 2.0], 0.75)?;
    one(array![1.0, -3.0], array![-1.0, -3.0], 2.0)?;
    one(array![1e-7, 5.0], array![2e-7, 5.0], 0.5)?;
    one(array![0.0, 3.0], array![0.0, 3.3], 1.0 / 11.0)?;
    for p in [2, 5] {
        let derived = draw.normal(p, 3.0);
        let measured = &derived + &draw.normal(p, 1.0);
        let right = (REFERENCE.relative_error)(&derived, &measured);
        one(derived, measured, right)?;
    }
    for place in 0..3 {
        let sound = draw.normal(3, 1.0);
        let mut broken = sound.clone();
        broken[place] = f64::NAN;
        for (g, m) in [(&sound, &broken), (&broken, &sound)] {
            let not_a_number = |found: &f64, _| {
                let words = "NaN, because one of the entries is";
                (!found.is_nan()).then(|| (words.to_owned(), format!("expected {words}")))
            };
            given("derived", g).and("measured", m).expect_that(|| call(g, m), not_a_number)?;
        }
    }
    Ok(())
}

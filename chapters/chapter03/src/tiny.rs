//! Section 14: a velocity that never ends.

use gradus::{Momentum, Optimizer};
use lab::{Lab, Result, Table};
use ndarray::array;

/// How long the velocities are left alone.
const STEPS: usize = 10_000;

/// 14. What becomes of a velocity whose gradient stays zero.
pub fn velocity(lab: &mut Lab) -> Result<()> {
    lab.section("tiny", "14  A velocity that never ends")?;
    let (eta, mu) = (0.1_f32, 0.9_f32);
    lab.say(format!(
        "One gradient of 1, and then none, in f32, with η = {eta} and μ = {mu}: from there on each step\n\
         multiplies the velocity by {mu}. After {STEPS} steps nothing should be left of it.\n"
    ));
    let mut plain = -eta;
    let mut subnormal = None;
    let mut before = f32::NAN;
    let mut stuck = None;
    for step in 1..=STEPS {
        plain *= mu;
        if plain.is_subnormal() {
            subnormal.get_or_insert(step);
        }
        if plain == before {
            stuck.get_or_insert(step);
        }
        before = plain;
    }
    let mut momentum = Momentum::<f32>::new(eta.into(), mu.into())?;
    let mut theta = array![0.0_f32];
    momentum.step(&mut theta, &array![1.0]);
    let mut zero = None;
    for step in 1..=STEPS {
        momentum.step(&mut theta, &array![0.0]);
        if momentum.velocity()[0] == 0.0 {
            zero.get_or_insert(step);
        }
    }
    let missing = "a velocity did not become as small as it should";
    let (subnormal, stuck) = (subnormal.ok_or(missing)?, stuck.ok_or(missing)?);
    let zero = zero.ok_or(missing)?;
    let smallest = f32::from_bits(1);
    let units = -plain / smallest;

    let mut table = Table::new(&["", "at step"]);
    let rows = [
        ("v ← μv leaves the normal numbers".to_owned(), subnormal),
        (format!("v ← μv does not change any more, at {plain:.1e}"), stuck),
        ("the library's velocity is zero".to_owned(), zero),
    ];
    for (what, step) in rows {
        table.push(vec![what, format!("{step}")]);
    }
    lab.table(&table);
    lab.say(format!(
        "\nWhere it stops it is {units} times the smallest number of f32. Times {mu} that is {:.1}, which\n\
         rounds to {units} again: the velocity is stuck, and never zero.",
        units * mu
    ));
    lab.exact("tiny_subnormal", subnormal);
    lab.exact("tiny_stuck", stuck);
    lab.exact("tiny_units", units as usize);
    lab.exact("tiny_zero", zero);
    Ok(())
}

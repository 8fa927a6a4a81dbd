//! Velocities that become too small to compute with.

use lab::{Lab, Lines, Result, Table};
use ndarray::Array1;

use crate::ceilings::{NORMAL, TRIES, subnormal_seconds, update_seconds};
use crate::in_place::{InPlace, With};
use crate::ladder::subnormal;
use crate::measure::Watch;
use crate::plain::{density, update_in_place};
use crate::task::{BATCH, EPOCHS, MOMENTUM, Place, Task};
use lab::text::thousands;

/// After how many epochs the ladder begins.
pub const WARM: usize = 4;

/// The velocity with which the decay begins.
const FIRST: f32 = 0.01;

/// How many steps without a gradient are drawn.
const WATCHED: usize = 1100;

/// A training that flushes nothing: where it is after [`WARM`] epochs, the share of hidden units
/// that are not 0 there, and how many velocities are subnormal after each epoch.
pub struct Unflushed {
    pub at: Place<f32>,
    pub hidden: f64,
    pub counts: Vec<usize>,
}

/// Trains without flushing.
pub fn unflushed(task: &Task) -> Result<Unflushed> {
    let mut network = InPlace::at(&task.start()?.cast::<f32>(), task)?;
    let with = With { zeros: true, flush: false };
    let mut counts = Vec::new();
    let mut warm = None;
    for order in task.orders(EPOCHS) {
        for rows in order.chunks(BATCH) {
            network.step(&task.images.train, rows, with, &mut Watch::start());
        }
        counts.push(subnormal(&network.at));
        if counts.len() == WARM {
            warm = Some((network.at.clone(), density(&network.a[0])));
        }
    }
    let (at, hidden) = warm.ok_or("a training has more epochs than that")?;
    Ok(Unflushed { at, hidden, counts })
}

/// The first step after which a velocity without a gradient is below a limit.
fn steps_below(limit: f64) -> usize {
    ((limit / f64::from(FIRST)).ln() / MOMENTUM.ln()).ceil() as usize
}

/// The same found by computing it, and the velocity after many more steps.
fn found(limit: f32) -> (usize, f32) {
    let (mut v, mut steps, mut below) = (FIRST, 0, None);
    while steps < 100_000 {
        v *= MOMENTUM as f32;
        steps += 1;
        if below.is_none() && v < limit {
            below = Some(steps);
        }
    }
    (below.unwrap_or(steps), v)
}

/// Numbers too small to compute with.
pub fn too_small(unflushed: &Unflushed, lab: &mut Lab) -> Result<()> {
    lab.section("denormals", "Numbers too small to compute with")?;
    lab.section_machine();
    let smallest = f32::MIN_POSITIVE;
    let threshold = smallest / f32::EPSILON;
    let (steps, stuck) = found(smallest);
    let (flush_steps, _) = found(threshold);
    let (predicted, flush_predicted) =
        (steps_below(f64::from(smallest)), steps_below(f64::from(threshold)));
    let stuck = stuck / f32::from_bits(1);
    lab.say(format!(
        "A velocity of {FIRST} whose gradient stays 0 falls below the smallest normal f32 after\n\
         {predicted} steps by the formula, and after {steps} when it is computed. The library's threshold\n\
         comes after {flush_predicted} by the formula, and after {flush_steps}. Without it, the velocity never\n\
         becomes 0: it stops at {stuck} times the smallest number that there is.\n"
    ));
    lab.exact("denormal_steps", predicted);
    lab.exact("denormal_steps_found", steps);
    lab.exact("flush_steps", flush_predicted);
    lab.exact("flush_steps_found", flush_steps);
    lab.exact("denormal_stuck", stuck as u64);
    let parameters = unflushed.at.velocity.len();
    let mut table = Table::new(&["after epoch", "subnormal velocities", "of all"]);
    for (epoch, &count) in unflushed.counts.iter().enumerate() {
        let share = format!("{:.1} %", 100.0 * count as f64 / parameters as f64);
        table.push(vec![(epoch + 1).to_string(), thousands(count), share]);
    }
    lab.table(&table);
    let most = unflushed.counts.iter().copied().max().unwrap_or(0);
    lab.near("denormal_share", most as f64 / parameters as f64, 0.004);
    let (normal, (least, most)) = (update_seconds(NORMAL), subnormal_seconds());
    let micro = |one: f64| 1e6 * one * parameters as f64;
    lab.say(format!(
        "\nAn update of {} velocities takes {:.1} microseconds if all are normal. If all are\n\
         subnormal, it takes {:.1} to {:.1}, at most {:.1} times as long: measured {TRIES} times within a\n\
         second, for some machines do not always take as long.",
        thousands(parameters),
        micro(normal),
        micro(least),
        micro(most),
        most / normal,
    ));
    lab.machine("update_normal_us", micro(normal), "µs");
    lab.machine("update_denormal_us", micro(most), "µs");
    lab.machine("update_denormal_least_us", micro(least), "µs");
    lab.machine("denormal_slower", most / normal, "");
    decay(predicted, flush_predicted, lab)
}

/// A velocity of [`FIRST`] after each of so many steps without a gradient, as the update has it,
/// for as long as it is not 0.
fn decaying<const FLUSH: bool>(steps: usize) -> Vec<(f64, f64)> {
    let (mut params, mut velocity) = (Array1::zeros(1), Array1::from_elem(1, FIRST));
    let gradient = Array1::zeros(1);
    let mut points = vec![(0.0, f64::from(FIRST))];
    for step in 1..=steps {
        update_in_place::<f32, FLUSH>(&mut params, &mut velocity, &gradient);
        if velocity[0] == 0.0 {
            break;
        }
        points.push((step as f64, f64::from(velocity[0])));
    }
    points
}

/// A velocity on its way down.
fn decay(denormal: usize, flush: usize, lab: &mut Lab) -> Result<()> {
    let mut figure = Lines::new("steps without a gradient", "velocity").log_y();
    for (name, points) in
        [("as it is", decaying::<false>(WATCHED)), ("flushed", decaying::<true>(WATCHED))]
    {
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        figure = if name == "flushed" {
            figure.dashed(name, xs, ys)
        } else {
            figure.series(name, xs, ys)
        };
    }
    let stuck = f64::from(f32::from_bits(4));
    lab.figure(
        "denormals",
        &format!(
            "A velocity in f32 whose gradient has become 0, against the steps since, on a \
             logarithmic axis: momentum {MOMENTUM}, from {FIRST}. It is subnormal below 2⁻¹²⁶, and \
             comes to rest at four times the smallest number that there is; the library makes it 0 \
             below 2⁻¹⁰³."
        ),
        "A straight line that falls for almost nine hundred steps, bends, and goes on level at the \
         bottom. A dashed line lies on it and ends where the first mark stands; at the second, the \
         other goes on into the subnormal numbers.",
        &figure
            .vertical("below 2⁻¹⁰³: flushed", flush as f64)
            .vertical("below 2⁻¹²⁶: subnormal", denormal as f64)
            .horizontal("at rest", stuck)
            .y_range(1e-46, 1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flushed_velocity_ends_and_another_does_not() {
        let (without, with) = (decaying::<false>(WATCHED), decaying::<true>(WATCHED));
        assert_eq!(without.len(), WATCHED + 1);
        assert_eq!(without[WATCHED].1, f64::from(f32::from_bits(4)));
        let limit = f64::from(f32::MIN_POSITIVE / f32::EPSILON);
        assert_eq!(with.len(), steps_below(limit));
        assert_eq!(with, without[..with.len()]);
    }

    #[test]
    fn formula_and_computation_agree_to_a_step() {
        let limit = f32::MIN_POSITIVE;
        let (steps, stuck) = found(limit);
        assert!(steps.abs_diff(steps_below(f64::from(limit))) <= 1);
        // 0.9 · 5 = 4.5 is rounded to 4, and 0.9 · 4 = 3.6 to 4 again.
        assert_eq!(stuck, f32::from_bits(4));
    }
}

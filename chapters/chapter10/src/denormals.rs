//! Velocities that become too small to compute with.

use std::hint::black_box;

use lab::{Lab, Lines, Result, Table};
use ndarray::Array1;

use crate::ceilings::{NORMAL, subnormal_seconds, update_seconds};
use crate::in_place::{InPlace, With};
use crate::ladder::subnormal;
use crate::measure::{Watch, median, seconds};
use crate::plain::{density, update_in_place};
use crate::task::{BATCH, EPOCHS, MOMENTUM, Place, RATE, Task};
use lab::text::thousands;

/// After how many epochs the ladder begins.
pub const WARM: usize = 4;

/// The velocity with which the decay begins.
const FIRST: f32 = 0.01;

/// How often an update is watched on its way down.
const TRIES: usize = 8;

/// How many updates without a gradient are watched.
const WATCHED: usize = 1200;

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
    decay(parameters, predicted, flush_predicted, lab)
}

/// The microseconds of each update of velocities that decay, medians of ten: as it is, and
/// flushed.
fn decaying(begin: &Place<f32>) -> [Vec<f64>; 2] {
    let gradient = Array1::zeros(begin.params.len());
    let (mut plain, mut clean) = (begin.clone(), begin.clone());
    let [mut without, mut with] = [const { Vec::new() }; 2];
    // In turn: what disturbs one disturbs the other as well.
    for _ in 0..WATCHED / 10 {
        without.push(ten(|| {
            let Place { params, velocity } = &mut plain;
            update_in_place::<f32, false>(params, velocity, black_box(&gradient));
        }));
        with.push(ten(|| {
            let Place { params, velocity } = &mut clean;
            update_in_place::<f32, true>(params, velocity, black_box(&gradient));
        }));
    }
    [without, with]
}

/// The median of the microseconds of ten updates.
fn ten(mut update: impl FnMut()) -> f64 {
    median(&[(); 10].map(|()| 1e6 * seconds(&mut update)))
}

/// How much more the last updates take as it is than flushed, less if the run was disturbed.
fn cost([without, with]: &[Vec<f64>; 2]) -> f64 {
    let quarter = with.len() / 4;
    let last = |times: &[f64]| median(&times[times.len() - quarter..]);
    last(without) / last(with) * median(&with[..quarter]) / last(with)
}

/// The time of each update of velocities that decay.
fn decay(parameters: usize, denormal: usize, flush: usize, lab: &mut Lab) -> Result<()> {
    let begin = Place {
        params: Array1::from_elem(parameters, 0.1_f32),
        velocity: Array1::from_elem(parameters, FIRST),
    };
    let mut runs = Vec::new();
    for _ in 0..TRIES {
        runs.push(decaying(&begin));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    runs.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    let [without, with] = runs.pop().ok_or("it was watched at least once")?;
    let steps = || (0..).map(|ten| 10.0 * f64::from(ten) + 5.0);
    let figure = Lines::new("steps without a gradient", "µs for an update")
        .series("as it is", steps(), without)
        .series("flushed", steps(), with)
        .vertical("flushed to 0", flush as f64)
        .vertical("subnormal", denormal as f64);
    lab.figure(
        "denormals",
        &format!(
            "The time of one update of {} velocities whose gradients have become 0, against the \
             steps since: medians of ten steps. Momentum {MOMENTUM}, rate {RATE}; all velocities \
             begin at {FIRST}. Of {TRIES} runs, the one in which subnormal numbers cost most.",
            thousands(parameters)
        ),
        "Two curves, both level at first. Where velocities become subnormal, the one without \
         flushing rises and does not come back; the other stays where it was.",
        &figure,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formula_and_computation_agree_to_a_step() {
        let limit = f32::MIN_POSITIVE;
        let (steps, stuck) = found(limit);
        assert!(steps.abs_diff(steps_below(f64::from(limit))) <= 1);
        // 0.9 · 5 = 4.5 is rounded to 4, and 0.9 · 4 = 3.6 to 4 again.
        assert_eq!(stuck, f32::from_bits(4));
    }
}

//! Section 8: six optimizers on four surfaces.

use lab::{Lab, Race, Result, Table};
use ndarray::array;

use crate::surface::{RAVINE, ROSENBROCK, SADDLE, Surface, TURNED};
use crate::zoo::{Maker, key, zoo};

/// The rates that are tried: ten to each decade, from 0.0001 to 10.
fn rates() -> impl Iterator<Item = f64> {
    (-40..=10).map(|k| 10_f64.powf(f64::from(k) / 10.0))
}

// ANCHOR: tuned
/// The rate with the fewest steps to the goal, and how many these are.
pub fn tuned(surface: &Surface, maker: Maker<f64>) -> Result<(f64, usize)> {
    let mut best: Option<(f64, usize)> = None;
    for rate in rates() {
        let steps = surface.steps_to(maker(rate)?, surface.start_height());
        let fewest = best.map_or(usize::MAX, |(_, fewest)| fewest);
        if let Some(steps) = steps.filter(|&steps| steps < fewest) {
            best = Some((rate, steps));
        }
    }
    best.ok_or_else(|| format!("no rate fits the {}", surface.name).into())
}
// ANCHOR_END: tuned

/// How many steps the race has.
const RACE: usize = 100;

/// 8. Six optimizers on four surfaces.
pub fn six_on_four(lab: &mut Lab) -> Result<()> {
    lab.section("surfaces", "8  Six optimizers on four surfaces")?;
    let surfaces = [RAVINE, TURNED, SADDLE, ROSENBROCK];
    lab.say(
        "How many steps until the height is below the goal for good, each at the rate for which it\n\
         takes the fewest. A search tries ten rates to each decade, from 0.0001 to 10; a path that\n\
         climbs above its start does not count.\n",
    );
    let header = surfaces.map(|surface| surface.name.to_owned());
    let mut steps_table = Table::new(&[vec![String::new()], header.to_vec()].concat());
    let mut rates_table = steps_table.clone();
    let goals = surfaces.map(|surface| surface.goal.to_string());
    steps_table.push([vec!["goal".to_owned()], goals.to_vec()].concat());
    let mut views = surfaces.map(|surface| surface.view());
    for (name, maker) in zoo() {
        let (mut steps_row, mut rates_row) = (vec![name.to_owned()], vec![name.to_owned()]);
        for (k, surface) in surfaces.iter().enumerate() {
            let (rate, steps) = tuned(surface, maker)?;
            steps_row.push(steps.to_string());
            rates_row.push(format!("{rate:.5}"));
            let key = format!("{}_{}", key(surface.name), key(name));
            lab.near(&format!("steps_{key}"), steps as f64, 0.02);
            lab.near(&format!("rate_{key}"), rate, 1e-9);
            let shown = [RACE, 100, 60, 200][k];
            views[k] = views[k].clone().path(name, &surface.path(maker(rate)?, shown));
        }
        steps_table.push(steps_row);
        rates_table.push(rates_row);
    }
    lab.table(&steps_table);
    lab.say("\nThe rates that were found:\n");
    lab.table(&rates_table);
    let [race, turned, saddle, rosenbrock] = views;
    lab.figure(
        "race",
        "Six optimizers on a ravine that is 100 times steeper across than along, all from the same \
         start, each at the rate for which it needs the fewest steps. The animation shows 100 steps; \
         it waits while the pointer is on it. On paper and where motion is not wanted, there is a \
         dot at every tenth step.",
        "Level lines of a long flat ellipse, and six paths from its left end towards the minimum. Gradient \
         descent leaps to the bottom of the ravine and creeps along it. Momentum swings from wall to \
         wall, Nesterov's swings die out at once. AdaGrad arrives after a few long leaps. \
         RMSprop walks straight down and then along; Adam follows a wide curve, passes the \
         minimum and comes back in a spiral.",
        &Race::new("race", race, 16.0, 10),
    )?;
    lab.figure(
        "turned_ravine",
        "The same ravine, turned by 45 degrees, with the rates tuned for it: the first 100 steps.",
        "The paths of gradient descent, momentum and Nesterov are those of the ravine along the \
         axes, turned with it. AdaGrad, RMSprop and Adam now zig-zag or creep along the bottom as well.",
        &turned,
    )?;
    lab.figure(
        "saddle",
        "A saddle at the origin, from (−1.7, 0.001), almost on its ridge: the first 60 steps of six \
         optimizers, each at its tuned rate.",
        "Gradient descent, momentum and Nesterov first run along the ridge to the saddle, and leave it \
         sideways, momentum after several wide swings. AdaGrad, RMSprop and Adam leave the \
         ridge with their first step, at 45 degrees, straight towards the valley.",
        &saddle,
    )?;
    lab.figure(
        "rosenbrock",
        "Rosenbrock's valley from (−1.2, 1): the first 200 steps of six optimizers, each at its tuned rate.",
        "A curved valley in the form of a parabola. After 200 steps momentum and Nesterov are around the bend and \
         near the minimum, and the four others still in the left half of the valley.",
        &rosenbrock,
    )
}

/// Where the saddle is left behind: |θ₂| of at least this.
const AWAY: f64 = 0.5;

/// 8, continued: how long a saddle holds them.
pub fn off_the_ridge(lab: &mut Lab) -> Result<()> {
    lab.section("saddles", "   How long a saddle holds them")?;
    lab.say(format!("Steps until |θ₂| is {AWAY}, from (−1.7, θ₂), with η = 0.1 for all:\n",));
    let starts = [("0.01", 1e-2), ("1e-4", 1e-4), ("1e-8", 1e-8)];
    let header = starts.map(|(name, _)| format!("θ₂ = {name}"));
    let mut table = Table::new(&[vec![String::new()], header.to_vec()].concat());
    for (name, maker) in zoo() {
        let mut row = vec![name.to_owned()];
        for (text, start) in starts {
            let mut optimizer = maker(0.1)?;
            let mut theta = array![-1.7_f64, start];
            let mut steps = 0;
            while theta[1].abs() < AWAY && steps < SADDLE.steps {
                let gradient = SADDLE.gradient(&theta);
                optimizer.step(&mut theta, &gradient);
                steps += 1;
            }
            row.push(steps.to_string());
            let start = text.replace("0.01", "1em2").replace('-', "m");
            lab.exact(&format!("saddle_{}_{start}", key(name)), steps);
        }
        table.push(row);
    }
    lab.table(&table);
    lab.say(
        "\nWhere the gradient is small, gradient descent takes small steps: a thousandth of the\n\
         distance costs it so many steps more, again and again. An optimizer that divides by the size\n\
         of the gradient does not see how small it is.",
    );
    Ok(())
}

//! Where the time of an epoch goes, against what it has to take.

use gradus::Source;
use lab::{Lab, Lines, Result, Rows, Table};

use crate::ceilings::Ceilings;
use crate::cost::{Recipe, Work, parts};
use crate::in_place::{ALL, InPlace, PARTS, With};
use crate::measure::{Watch, median};
use crate::plain::Route;
use crate::task::{BATCH, Place, STEPS, Task};

/// How many epochs of each kind are timed.
const ROUNDS: usize = 3;

/// What the library does.
const LIBRARY: Recipe = Recipe {
    number: 4.0,
    route: Route::Fused,
    d_x: false,
    in_place: true,
    bytes: true,
    zeros: true,
    subnormal: 0.0,
    threads: 1.0,
};

/// Seconds of each part of an epoch: medians.
fn epoch(task: &Task, at: &Place<f32>, with: With, order: &[usize]) -> Result<Vec<f64>> {
    let mut times = vec![Vec::new(); PARTS.len()];
    for _ in 0..ROUNDS {
        let mut network = InPlace::at(at, task)?;
        let mut watch = Watch::start();
        for rows in order.chunks(BATCH) {
            network.step(&task.images.train, rows, with, &mut watch);
        }
        for (times, part) in times.iter_mut().zip(PARTS) {
            times.push(watch.of(part));
        }
    }
    Ok(times.iter().map(|times| median(times)).collect())
}

/// The profile, and the roofline.
pub fn against_the_floors(
    task: &Task,
    at: &Place<f32>,
    pixels: f64,
    ceilings: &Ceilings,
    lab: &mut Lab,
) -> Result<()> {
    let order = task.orders(1).remove(0);
    let skipped = epoch(task, at, ALL, &order)?;
    let dense = epoch(task, at, With { zeros: false, ..ALL }, &order)?;
    let source: &dyn Source<f32> = &task.images.train;
    let fits: Vec<f64> = (0..ROUNDS)
        .map(|_| Ok(task.fitted(at, source, 1, STEPS - 1)?.0 * STEPS as f64))
        .collect::<Result<_>>()?;
    let fit = median(&fits);

    lab.section("profile", "Where the time of an epoch goes")?;
    lab.section_machine();
    let (works, all_works) =
        (parts(&LIBRARY, pixels), parts(&Recipe { zeros: false, ..LIBRARY }, pixels));
    let floor = |work: &Work| 1e3 * STEPS as f64 * work.floor(ceilings.product[0], ceilings);
    let mut table = Table::new(&["ms an epoch", "measured", "share", "floor", "with all products"]);
    let sum: f64 = skipped.iter().sum();
    let (mut floors, mut all_floors) = (Vec::new(), Vec::new());
    for (i, part) in PARTS.into_iter().enumerate() {
        let (low, high) = (floor(&works[i]), floor(&all_works[i]));
        floors.push(low);
        all_floors.push(high);
        table.push(vec![
            part.into(),
            format!("{:.1}", 1e3 * skipped[i]),
            format!("{:.0} %", 100.0 * skipped[i] / sum),
            format!("{low:.1}"),
            format!("{high:.1}"),
        ]);
        let key = part.to_lowercase().replace(", ", "_").replace(' ', "_");
        lab.machine(&format!("profile_{key}_ms"), 1e3 * skipped[i], "ms");
        lab.machine(&format!("profile_{key}_share"), skipped[i] / sum, "");
    }
    let (low, high) = (floors.iter().sum::<f64>(), all_floors.iter().sum::<f64>());
    table.push(vec![
        "in all".into(),
        format!("{:.1}", 1e3 * sum),
        "100 %".into(),
        format!("{low:.1}"),
        format!("{high:.1}"),
    ]);
    lab.table(&table);
    lab.say(format!(
        "\nThe library's fit takes {:.1} milliseconds for an epoch: {:.2} times the floor that skips zeros,\n\
         and {:.2} times that of all products.",
        1e3 * fit,
        1e3 * fit / low,
        1e3 * fit / high,
    ));
    lab.machine("profile_ms", 1e3 * sum, "ms");
    lab.machine("fit_epoch_ms", 1e3 * fit, "ms");
    lab.machine("floor_skipping", low, "ms");
    lab.machine("floor_dense", high, "ms");
    lab.machine("fit_over_floor_skipping", 1e3 * fit / low, "");
    lab.machine("fit_over_floor_dense", 1e3 * fit / high, "");
    lab.figure(
        "profile",
        "The time of one epoch, part by part, through the library's public functions on one \
         thread, and the least time that the counted operations and bytes of each part take at \
         the measured ceilings: with zeros skipped, and with all products.",
        "Ten named rows with a bar each. The longest bars are those of the two products of the \
         first layer and of gathering. The floors of the two products lie within the bars if zeros \
         are skipped, and beyond their ends if not.",
        &Rows::new("ms an epoch", &PARTS)
            .bars("measured", skipped.iter().map(|seconds| 1e3 * seconds))
            .points("floor, zeros skipped", floors)
            .points("floor, all products", all_floors),
    )?;
    roofline((&works, &skipped), (&all_works, &dense), ceilings, lab)
}

/// The parts of a step under the roof.
fn roofline(
    (works, skipped): (&[Work], &[f64]),
    (all_works, dense): (&[Work], &[f64]),
    ceilings: &Ceilings,
    lab: &mut Lab,
) -> Result<()> {
    lab.section("roofline", "Under the roof")?;
    lab.section_machine();
    let mut table = Table::new(&["", "operations a byte", "billion a second", "of its ceiling"]);
    let mut groups: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    let mut point = |group: &'static str, name: String, work: &Work, seconds: f64| {
        let intensity = work.operations / work.bytes();
        let rate = work.operations * STEPS as f64 / seconds;
        let floor = work.floor(ceilings.product[0], ceilings) * STEPS as f64;
        let share = 100.0 * floor / seconds;
        table.push(vec![
            name,
            format!("{intensity:.2}"),
            format!("{:.2}", rate / 1e9),
            format!("{share:.0} %"),
        ]);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, points)) => points.push((intensity, rate / 1e9)),
            None => groups.push((group, vec![(intensity, rate / 1e9)])),
        }
    };
    for (i, part) in PARTS.into_iter().enumerate() {
        match part {
            "forward, first layer" | "backward, first layer" => {
                let name = format!("{part}, all products");
                point("first layer, all products", name, &all_works[i], dense[i]);
                let name = format!("{part}, zeros skipped");
                point("first layer, zeros skipped", name, &works[i], skipped[i]);
            }
            "forward, second layer" | "backward, second layer" => {
                point("second layer", part.into(), &works[i], skipped[i]);
            }
            "gather" => point("gather", part.into(), &works[i], skipped[i]),
            "update" => point("update", part.into(), &works[i], skipped[i]),
            _ => {}
        }
    }
    lab.table(&table);
    let peak = ceilings.product[0] / 1e9;
    let mut figure = Lines::new("operations a byte", "billion operations a second").log_x().log_y();
    for (name, (_, rate)) in [
        ("roof of the first cache", ceilings.read[0]),
        ("roof of the second cache", ceilings.read[1]),
        ("roof of memory", ceilings.read[3]),
    ] {
        let ridge = peak / (rate / 1e9);
        let roof = |intensity: f64| peak.min(intensity * rate / 1e9);
        let xs = [0.1, ridge, 200.0];
        figure = figure.series(name, xs, xs.map(roof));
    }
    for (name, points) in groups {
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        figure = figure.points(name, xs, ys);
    }
    lab.figure(
        "roofline",
        "The parts of a step by their operations for each byte and their measured rate, under the \
         roofs of this machine: the smaller of the best product's rate and of what the bytes of a \
         second allow, if they come from a cache or from memory. Logarithmic axes, f32, one \
         thread.",
        "Three slanted lines that bend into one level line. The points of the first layer with all \
         products lie just below the level line on the right; those with zeros skipped and of the \
         update lie on the left, below the slanted lines.",
        &figure,
    )
}

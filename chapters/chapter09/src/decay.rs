//! L2: large weights cost something.

use gradus::{Decayed, Network};
use lab::text::number;
use lab::{Lab, Lines, Panels, Result, Table};

use crate::moons::{self, EPOCHS, RUNS};
use crate::stats::{Mean, percent};

/// The strengths that are compared.
const LAMBDAS: [(&str, f64); 8] = [
    ("0", 0.0),
    ("0.0001", 1e-4),
    ("0.0003", 3e-4),
    ("0.001", 1e-3),
    ("0.003", 3e-3),
    ("0.01", 1e-2),
    ("0.03", 3e-2),
    ("0.1", 1e-1),
];

/// What a training came to.
struct Run {
    seen: (f64, f64),
    new: (f64, f64),
    norm: f64,
}

/// Trains with this λ.
fn run(lambda: f64, run: u64) -> Result<Run> {
    let (samples, new) = (moons::learned_from(run)?, moons::new(0)?);
    let mut network = moons::large(Decayed::new(moons::momentum()?, lambda)?, run)?;
    moons::learn(&mut network, &samples, EPOCHS, None)?;
    let (seen, new) = (moons::verdict(&network, &samples)?, moons::verdict(&network, &new)?);
    let norm = network.params().dot(network.params()).sqrt();
    Ok(Run { seen, new, norm })
}

/// The same trainings for several λ.
pub fn strengths(lab: &mut Lab) -> Result<()> {
    lab.section("decay", "L2: large weights cost something")?;
    lab.section_near(0.02);
    let known = moons::verdict_of_who_knows(&moons::new(0)?);
    let mut table =
        Table::new(&["λ", "‖θ‖", "loss, seen", "accuracy", "loss, new samples", "accuracy"]);
    let mut all: Vec<Vec<Run>> = Vec::new();
    for (name, lambda) in LAMBDAS {
        let runs = (1..=RUNS).map(|seed| run(lambda, seed)).collect::<Result<Vec<_>>>()?;
        let norm = Mean::over(&runs, |run| run.norm).mean;
        let (seen_loss, seen) =
            (Mean::over(&runs, |run| run.seen.0), Mean::over(&runs, |run| run.seen.1));
        let (loss, accuracy) =
            (Mean::over(&runs, |run| run.new.0), Mean::over(&runs, |run| run.new.1));
        table.push(vec![
            name.into(),
            format!("{norm:.1}"),
            format!("{:.3}", seen_loss.mean),
            percent(seen.mean),
            loss.loss(),
            accuracy.share(),
        ]);
        let key = format!("decay_{}", name.replace('.', "_"));
        lab.near(&format!("{key}_norm"), norm, 0.01);
        lab.near(&format!("{key}_seen_loss"), seen_loss.mean, 0.01);
        lab.near(&format!("{key}_seen_accuracy"), seen.mean, 0.005);
        lab.near(&format!("{key}_loss"), loss.mean, 0.02);
        lab.near(&format!("{key}_loss_error"), loss.error, 0.02);
        lab.near(&format!("{key}_accuracy"), accuracy.mean, 0.005);
        lab.near(&format!("{key}_accuracy_error"), accuracy.error, 0.002);
        all.push(runs);
    }
    lab.say(format!(
        "The network of the first section, {EPOCHS} epochs on 100 moons, with λθ added to the gradient.\n\
         Means of {RUNS} trainings with samples of their own, ± standard error; ‖θ‖ is the length of\n\
         the vector of all parameters. Who knows the moons: loss {}, accuracy {}.\n",
        number(known.0),
        percent(known.1),
    ));
    lab.table(&table);
    paired(&all[0], &all[4], lab);
    let curve =
        |part: fn(&Run) -> f64| all[1..].iter().map(move |runs| Mean::over(runs, part).mean);
    let without = |part: fn(&Run) -> f64| Mean::over(&all[0], part).mean;
    let xs = || LAMBDAS[1..].iter().map(|(_, lambda)| *lambda);
    lab.figure(
        "decay",
        "Loss of the 100 samples and of 2,000 new ones (left), and length of the vector of all \
         parameters (right), against λ: means of ten trainings. Dotted: the same without L2, and the \
         loss of who knows the moons.",
        "Left: as λ grows, the loss of the samples seen rises steadily, while that of new samples \
         falls to a minimum between 0.003 and 0.01, close above a dotted line, and rises again. \
         Right: the length of the parameters falls all the way.",
        &Panels::new(2)
            .panel(
                "loss",
                Lines::new("λ", "mean loss")
                    .log_x()
                    .series("samples", xs(), curve(|run| run.seen.0))
                    .series("new samples", xs(), curve(|run| run.new.0))
                    .horizontal("λ = 0, new", without(|run| run.new.0))
                    .horizontal("known", known.0),
            )
            .panel(
                "length of θ",
                Lines::new("λ", "‖θ‖")
                    .log_x()
                    .series("‖θ‖", xs(), curve(|run| run.norm))
                    .horizontal("λ = 0", without(|run| run.norm)),
            ),
    )
}

/// What λ = 0.003 gains, training by training.
fn paired(without: &[Run], with: &[Run], lab: &mut Lab) {
    let pairs: Vec<(&Run, &Run)> = without.iter().zip(with).collect();
    let gain = Mean::over(&pairs, |(without, with)| with.new.1 - without.new.1);
    let better = pairs.iter().filter(|(without, with)| with.new.1 > without.new.1).count();
    let less = pairs.iter().filter(|(without, with)| with.new.0 < without.new.0).count();
    lab.say(format!(
        "\nOf the {RUNS} pairs of trainings with λ = 0 and with λ = 0.003, {less} had the lower loss on new\n\
         samples with L2, and {better} the higher accuracy; the gain in accuracy was {}.",
        gain.share(),
    ));
    lab.near("decay_gain", gain.mean, 0.005);
    lab.near("decay_gain_error", gain.error, 0.003);
    lab.near("decay_better", better as f64, 0.15);
    lab.near("decay_less", less as f64, 0.15);
}

/// The boundary of the first section, with L2.
pub fn a_smooth_boundary(seed: u64, lab: &mut Lab) -> Result<()> {
    let samples = moons::learned_from(seed)?;
    let mut network = moons::large(Decayed::new(moons::momentum()?, 3e-3)?, seed)?;
    moons::learn(&mut network, &samples, 3 * EPOCHS, None)?;
    let (seen, new) =
        (moons::verdict(&network, &samples)?, moons::verdict(&network, &moons::new(seed)?)?);
    lab.say(format!(
        "\nThe training of the first section with λ = 0.003, {} epochs as there: {} of the samples\n\
         right, and {} of the new ones; loss {} and {}.",
        3 * EPOCHS,
        percent(seen.1),
        percent(new.1),
        number(seen.0),
        number(new.0),
    ));
    lab.near("decay_boundary_seen", seen.1, 0.01);
    lab.near("decay_boundary_new", new.1, 0.005);
    lab.near("decay_boundary_loss", new.0, 0.01);
    lab.figure(
        "decay_regions",
        "The same 100 samples and the same network after 3000 epochs, trained with λ = 0.003.",
        "The two clouds of points again. The boundary is a smooth S, the colours are pale around it, and \
         a few points of each class are left on the wrong side.",
        &moons::regions(|x| network.predict(x), &samples)?,
    )
}

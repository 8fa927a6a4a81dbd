//! Knowing by heart: what a large network makes of few samples.

use gradus::random::Random;
use gradus::{Fit, Network, Samples, Subset, train};
use lab::{Lab, Lines, Panels, Result, Table};
use rand::RngExt;

use crate::moons::{self, EPOCHS, NEW, NOISE, RUNS, SAMPLES};
use crate::stats::{Mean, epochs, percent};
use lab::text::{number, thousands};

/// A network that misses nothing of what it has seen, and much of what it has not.
pub fn by_heart(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("heart", "Knowing by heart")?;
    lab.section_near(0.1);
    let (samples, new) = (moons::learned_from(seed)?, moons::new(seed)?);
    let mut network = moons::large(moons::momentum()?, seed)?;
    let parameters = network.params().len();
    lab.say(format!(
        "{SAMPLES} samples of two moons with noise {NOISE}, so strong that the moons overlap; a network\n\
         2-64-64-1 with ReLU, which has {} parameters; {} epochs at rate {}, with momentum\n\
         {}. Then the same with a coin tossed for every label. The last row is of a judge who\n\
         learns nothing, but knows how the moons are made.\n",
        thousands(parameters),
        thousands(LONG),
        moons::RATE,
        moons::MU,
    ));
    let history = moons::learn(&mut network, &samples, LONG, Some(&new))?;
    let mut coins = moons::large(moons::momentum()?, seed)?;
    let [tossed, new_tossed] = [tossed(&samples, seed)?, tossed(&new, seed + 1)?];
    moons::learn(&mut coins, &tossed, LONG, None)?;
    let known = moons::verdict_of_who_knows(&new);
    let of = |network, [a, b]: [&Samples<f64>; 2]| -> Result<[(f64, f64); 2]> {
        Ok([moons::verdict(network, a)?, moons::verdict(network, b)?])
    };
    let scores = of(&network, [&samples, &new])?;
    let coin_scores = of(&coins, [&tossed, &new_tossed])?;
    let of_who_knows = [moons::verdict_of_who_knows(&samples), known];

    let new_samples = format!("{} new ones", thousands(NEW));
    let mut table = Table::new(&["", "loss, 100 samples", "accuracy", &new_samples, "accuracy"]);
    let rows = [
        ("the network", "network", scores),
        ("the same, with labels of a coin", "coin", coin_scores),
        ("who knows the moons", "known", of_who_knows),
    ];
    for (name, key, scores) in rows {
        let cells = scores.iter().flat_map(|score| [number(score.0), percent(score.1)]);
        table.push(std::iter::once(name.to_owned()).chain(cells).collect());
        for (on, (loss, accuracy)) in ["seen", "new"].into_iter().zip(scores) {
            // Labels of a coin are learned on the edge: rounding is seen at the end.
            let near = if key == "coin" { 0.1 } else { 0.02 };
            lab.near(&format!("heart_{key}_{on}_loss"), loss, near);
            lab.near(&format!("heart_{key}_{on}_accuracy"), accuracy, near / 2.0);
        }
    }
    lab.table(&table);
    lab.exact("parameters", parameters);
    let best = best(&history.validation_loss);
    lab.near("heart_best_epoch", (best + 1) as f64, 0.1);
    // Momentum moves at the rate η / (1 − μ) in the long run.
    let equal = (1.0 - moons::MU) / moons::RATE / (best + 1) as f64;
    lab.near("heart_equal_lambda", equal, 6e-4);
    lab.near("heart_best_loss", history.validation_loss[best], 0.005);
    lab.say(format!(
        "\nThe loss on new samples was lowest after epoch {}, at {}. It rises from there, while\n\
         that on the {SAMPLES} goes on falling: what is learned from then on holds for these only.",
        best + 1,
        number(history.validation_loss[best]),
    ));
    lab.figure(
        "heart_regions",
        "What the network of 4,417 parameters takes for each class after 3000 epochs on the 100 \
         samples shown. The boundary is where ŷ = ½.",
        "Two overlapping clouds of points. The boundary is jagged: it runs around single points, with \
         spikes and islands, and both regions are in full colour up to its edge.",
        &moons::regions(|x| network.predict(x), &samples)?,
    )?;
    lab.figure(
        "heart_known",
        "The same samples and the probability of the lower moon, computed from how the moons are made. \
         No classifier does better on new samples, on average.",
        "The same points over two regions with a smooth boundary in the shape of an S. Around it the \
         colours are pale, and points of each class lie on the wrong side.",
        &moons::regions(|x| Ok(known_at(x)), &samples)?,
    )?;
    let lines = |name| Lines::new("epoch", name).log_x();
    lab.figure(
        "heart_curves",
        "Mean loss (left) and accuracy on new samples (right) after each epoch, for the 100 samples \
         and for 2,000 new ones. Dotted: who knows how the moons are made, on the new samples.",
        "Left: the loss on the samples falls towards 0, that on new samples falls at first and then \
         climbs far above its start. Right: the accuracy on new samples rises, and then slowly falls.",
        &Panels::new(2)
            .panel(
                "loss",
                lines("mean loss")
                    .series("samples", epochs(LONG), history.loss.iter().copied())
                    .series("new samples", epochs(LONG), history.validation_loss.iter().copied())
                    .horizontal("known", known.0),
            )
            .panel(
                "accuracy",
                lines("accuracy")
                    .series("new samples", epochs(LONG), history.validation_accuracy)
                    .horizontal("known", known.1),
            ),
    )
}

/// How many epochs it takes to know a hundred samples by heart.
const LONG: usize = 3 * EPOCHS;

/// The same points, with a coin tossed for every label.
fn tossed(samples: &Samples<f64>, seed: u64) -> Result<Samples<f64>> {
    let mut rng = Random::new(seed, 9).generator();
    let y = samples.y().mapv(|_| f64::from(rng.random_range(0..2_u8)));
    Ok(Samples::new(samples.x().clone(), y)?)
}

fn known_at(x: &ndarray::Array2<f64>) -> ndarray::Array2<f64> {
    x.map_axis(ndarray::Axis(1), moons::known).insert_axis(ndarray::Axis(1))
}

/// Where the lowest of these is.
pub fn best(losses: &[f64]) -> usize {
    (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0)
}

/// More samples leave less to be known by heart.
pub fn more_samples(lab: &mut Lab) -> Result<()> {
    lab.section("samples", "More samples")?;
    lab.section_near(0.02);
    let new = moons::new(0)?;
    let known = moons::verdict_of_who_knows(&new);
    let sizes = [25, 50, 100, 200, 400, 800, 1600];
    let header = ["samples", "loss on them", "accuracy", "on new ones", "accuracy"];
    let mut table = Table::new(&header);
    let mut curves: [Vec<f64>; 4] = Default::default();
    for n in sizes {
        let mut runs = Vec::new();
        for run in 1..=RUNS / 2 {
            let samples = gradus::toy::moons(n, NOISE, run)?;
            let mut network = moons::large(moons::momentum()?, run)?;
            // As many steps for all.
            let fit = Fit { batch_size: 100, epochs: EPOCHS * 100 / n.max(100), ..Fit::default() };
            network.fit(&Subset::new(&samples, 0..n)?, &fit, None, &mut train::silent)?;
            let (seen, unseen) =
                (moons::verdict(&network, &samples)?, moons::verdict(&network, &new)?);
            runs.push([seen.0, seen.1, unseen.0, unseen.1]);
        }
        let means = [0, 1, 2, 3].map(|part| Mean::over(&runs, |run| run[part]));
        let [a, b, c, d] = means;
        table.push(vec![n.to_string(), a.loss(), b.share(), c.loss(), d.share()]);
        for (curve, mean) in curves.iter_mut().zip(means) {
            curve.push(mean.mean);
        }
        lab.near(&format!("samples_{n}_seen_accuracy"), b.mean, 0.01);
        lab.near(&format!("samples_{n}_new_loss"), c.mean, 0.03);
        lab.near(&format!("samples_{n}_new_accuracy"), d.mean, 0.01);
    }
    lab.say(format!(
        "The same network, trained for {} steps on more samples or fewer: means of {} trainings,\n\
         ± their standard error. Who knows the moons has {} of the new samples right.\n",
        thousands(EPOCHS),
        RUNS / 2,
        percent(known.1),
    ));
    lab.table(&table);
    let xs = || sizes.map(|n| n as f64);
    let [seen_loss, seen, new_loss, unseen] = curves;
    lab.figure(
        "samples",
        "Loss and accuracy of the same network against the number of samples that it learned from, on \
         these and on 2,000 new ones: means of five trainings.",
        "Two panels with two curves each, which approach each other from the left to the right: with few \
         samples those seen are nearly all right and new ones are not; with 1600 both meet close to a \
         dotted line, the accuracy of who knows the moons.",
        &Panels::new(2)
            .panel(
                "loss",
                Lines::new("samples", "mean loss")
                    .log_x()
                    .x_range(20.0, 2000.0)
                    .series("samples", xs(), seen_loss)
                    .series("new samples", xs(), new_loss)
                    .horizontal("known", known.0),
            )
            .panel(
                "accuracy",
                Lines::new("samples", "accuracy")
                    .log_x()
                    .x_range(20.0, 2000.0)
                    .series("samples", xs(), seen)
                    .series("new samples", xs(), unseen)
                    .horizontal("known", known.1),
            ),
    )
}

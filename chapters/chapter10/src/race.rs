//! The fastest ways to 98.0 and to 98.5 percent.

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use gradus::{
    Bytes, CategoricalCrossEntropy, Fit, Init, Nesterov, Network, NeuralNetwork, Relu, Schedule,
    Scheduled, Softmax, Source, Subset, train,
};
use lab::{Lab, Lines, Result, Table};
use ndarray::s;

use crate::measure::median;
use crate::smoothing::Smoothed;
use crate::stored::Stored;
use crate::task::{BATCH, MOMENTUM, SAMPLES, Task, stored};

/// The command that races.
const COMMAND: &str = "cargo run --bin chapter10 -- --race";

/// The images that recipes are chosen by; they are the last of those to learn from.
const VALIDATION: usize = 10_000;

/// How many seeds a candidate has if each counts, and if their mean does; and how many the race.
const TRIED: u64 = 5;
const TRIED_FOR_MEAN: u64 = 3;
const SEEDS: u64 = 10;

/// Seeds of the race begin here: no candidate was chosen by them.
const FRESH: u64 = 1000;

/// A recipe: one hidden layer, Nesterov's momentum, a rate that rises and falls.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Recipe {
    width: usize,
    epochs: usize,
    rate: f64,
    smoothing: f64,
}

/// What is to be reached, and how it is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Target {
    name: &'static str,
    accuracy: f64,
    /// Whether every seed has to reach it, and not only their mean.
    every: bool,
    widths: &'static [usize],
    epochs: &'static [usize],
    rates: &'static [f64],
    smoothings: &'static [f64],
}

const TARGETS: [Target; 2] = [
    Target {
        name: "98.0",
        accuracy: 0.98,
        every: true,
        widths: &[96, 128, 192],
        epochs: &[4, 5, 6],
        rates: &[0.3],
        smoothings: &[0.05, 0.1],
    },
    Target {
        name: "98.5",
        accuracy: 0.985,
        every: false,
        widths: &[256, 384, 512],
        epochs: &[6, 8, 10],
        rates: &[0.3],
        smoothings: &[0.1],
    },
];

impl Recipe {
    // ANCHOR: recipe_network
    /// A fresh network, and an optimizer whose rate goes up for a tenth of its
    /// steps and down for the rest.
    fn network(&self, samples: usize, seed: u64) -> Result<NeuralNetwork<f32>> {
        let steps = self.epochs * samples.div_ceil(BATCH);
        let schedule = Schedule::OneCycle { steps, peak: steps / 10 };
        let nesterov = Nesterov::new(self.rate, MOMENTUM)?;
        Ok(NeuralNetwork::new(
            &[784, self.width, 10],
            Relu,
            Softmax,
            CategoricalCrossEntropy,
            Scheduled::new(nesterov, schedule)?,
            Init::He,
            seed,
        )?)
    }
    // ANCHOR_END: recipe_network

    /// Trains, and returns the seconds that it took and the accuracy on other images.
    fn run(
        &self,
        source: &dyn Source<f32>,
        others: &dyn Source<f32>,
        threads: usize,
        seed: u64,
    ) -> Result<(f64, f64)> {
        let mut network = self.network(source.len(), seed)?;
        let smoothed = Smoothed { source, share: self.smoothing };
        let fit = Fit { batch_size: BATCH, epochs: self.epochs, seed, threads, patience: None };
        let begin = Instant::now();
        network.fit(&smoothed, &fit, None, &mut train::silent)?;
        let seconds = begin.elapsed().as_secs_f64();
        Ok((seconds, network.score(others)?.accuracy().unwrap_or_default()))
    }

    /// What it costs, by which candidates are compared: how many units see all images how often.
    /// It is the same on every machine and in every minute, which seconds are not.
    fn cost(&self) -> usize {
        self.width * self.epochs
    }

    fn words(&self) -> String {
        let Self { width, epochs, rate, smoothing } = self;
        format!("784-{width}-10, {epochs} epochs, rate up to {rate}, smoothing {smoothing}")
    }

    fn cells(&self) -> String {
        let Self { width, epochs, rate, smoothing } = self;
        format!("{width},{epochs},{rate},{smoothing}")
    }
}

impl Target {
    fn recipes(&self) -> Vec<Recipe> {
        let mut recipes = Vec::new();
        for &width in self.widths {
            for &epochs in self.epochs {
                for &rate in self.rates {
                    for &smoothing in self.smoothings {
                        recipes.push(Recipe { width, epochs, rate, smoothing });
                    }
                }
            }
        }
        recipes
    }

    /// The number by which accuracies of several seeds are judged.
    fn judged(&self, accuracies: &[f64]) -> f64 {
        if self.every { worst(accuracies) } else { mean(accuracies) }
    }
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn worst(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::INFINITY, f64::min)
}

/// A candidate: seconds, and the accuracies on the validation images.
struct Tried {
    recipe: Recipe,
    seconds: f64,
    accuracies: Vec<f64>,
}

/// The cheapest candidate that reaches the target, the best of those that are as cheap; or the
/// best of all if none does.
fn chosen(target: &Target, tried: &[Tried]) -> Option<usize> {
    let judged = |i: usize| target.judged(&tried[i].accuracies);
    let better = |a: usize, b: usize| judged(b).total_cmp(&judged(a));
    let good = (0..tried.len()).filter(|&i| judged(i) >= target.accuracy);
    let cost = |i: usize| tried[i].recipe.cost();
    let cheapest = good.min_by(|&a, &b| cost(a).cmp(&cost(b)).then(better(a, b)));
    cheapest.or_else(|| (0..tried.len()).min_by(|&a, &b| better(a, b)))
}

/// Tries every candidate for a target.
fn search(
    target: &Target,
    learned: &dyn Source<f32>,
    validation: &dyn Source<f32>,
    lab: &mut Lab,
) -> Result<Vec<Tried>> {
    let seeds = if target.every { TRIED } else { TRIED_FOR_MEAN };
    let mut tried = Vec::new();
    for recipe in target.recipes() {
        let runs = (1..=seeds).map(|seed| recipe.run(learned, validation, 1, seed));
        let runs: Vec<(f64, f64)> = runs.collect::<Result<_>>()?;
        let (seconds, accuracies): (Vec<f64>, Vec<f64>) = runs.into_iter().unzip();
        let found = Tried { recipe, seconds: median(&seconds), accuracies };
        lab.say(format!(
            "{}: {:.2} s, mean {:.2} %, worst {:.2} %",
            recipe.words(),
            found.seconds,
            100.0 * mean(&found.accuracies),
            100.0 * worst(&found.accuracies)
        ));
        tried.push(found);
    }
    Ok(tried)
}

/// Chooses and races, and stores everything.
pub fn race(task: &Task, lab: &mut Lab) -> Result<()> {
    let train = &task.images.train;
    let first = SAMPLES - VALIDATION;
    let bytes = train.bytes().slice(s![..first, ..]).to_owned();
    let learned = Bytes::new(bytes, train.labels()[..first].to_vec(), 1.0 / 255.0, 10)?;
    let validation = Subset::<f32>::new(train, first..SAMPLES)?;
    let mut text = format!("# {COMMAND}\n# {}\n", lab::machine());
    let mut winners = Vec::new();
    for target in TARGETS {
        let tried = search(&target, &learned, &validation, lab)?;
        let best = chosen(&target, &tried).ok_or("there is no candidate")?;
        for (i, Tried { recipe, seconds, accuracies }) in tried.iter().enumerate() {
            let mark = if i == best { "chosen" } else { "tried" };
            let (mean, worst) = (mean(accuracies), worst(accuracies));
            let cells = recipe.cells();
            let _ = writeln!(text, "{mark},{},{cells},{seconds:.4},{mean},{worst}", target.name);
        }
        winners.push((target, tried[best].recipe));
    }
    for (Target { name, .. }, recipe) in winners {
        for seed in FRESH..FRESH + SEEDS {
            let (one, accuracy) = recipe.run(train, &task.images.test, 1, seed)?;
            let (two, with_two) = recipe.run(train, &task.images.test, 2, seed)?;
            let _ = writeln!(text, "raced,{name},{seed},{accuracy},{with_two},{one:.4},{two:.4}");
            lab.say(format!(
                "{name} %, seed {seed}: {one:.2} s {:.2} %, two threads {two:.2} s {:.2} %",
                100.0 * accuracy,
                100.0 * with_two
            ));
        }
    }
    Ok(fs::write(stored("race.csv"), text)?)
}

/// The race, as it was stored.
pub fn tell(lab: &mut Lab) -> Result<()> {
    let file = Stored::read("race.csv", COMMAND)?;
    lab.section("race", "The fastest ways to 98.0 and to 98.5 percent")?;
    lab.say(format!(
        "Stored by {COMMAND}, on\n{}. Chosen by the last {VALIDATION}\n\
         of the images to learn from: the candidate with the fewest units times epochs whose worst\n\
         of {TRIED} seeds, or mean of {TRIED_FOR_MEAN}, reaches the target. Then {SEEDS} fresh seeds learned from all of\n\
         the images, with one thread and with two, and were judged by the test images.\n",
        file.machine()
    ));
    let mut figure = Lines::new("seconds to train", "accuracy on the validation images in %");
    let mut table = Table::new(&[
        "target",
        "width",
        "epochs",
        "rate",
        "smoothing",
        "worst",
        "mean",
        "seeds there",
        "s, 1 thread",
        "s, 2 threads",
    ]);
    for target in TARGETS {
        let mut points = Vec::new();
        for row in file.rows(&["tried", target.name]).chain(file.rows(&["chosen", target.name])) {
            let [.., seconds, mean, worst] = file.numbers::<7>(row)?;
            points.push((seconds, 100.0 * if target.every { worst } else { mean }));
        }
        let row =
            file.rows(&["chosen", target.name]).next().ok_or_else(|| file.wrong("no choice"))?;
        let [width, epochs, rate, smoothing, at, mean_then, worst_then] = file.numbers::<7>(row)?;
        let mut raced: [Vec<f64>; 4] = Default::default();
        for row in file.rows(&["raced", target.name]) {
            let [_, numbers @ ..] = file.numbers::<5>(row)?;
            raced.iter_mut().zip(numbers).for_each(|(all, number)| all.push(number));
        }
        let [one, two, seconds_one, seconds_two] = raced;
        let accuracies = [one, two].concat();
        let there = accuracies.iter().filter(|a| **a >= target.accuracy).count();
        let (s1, s2) = (median(&seconds_one), median(&seconds_two));
        table.push(vec![
            format!("{} %", target.name),
            width.to_string(),
            epochs.to_string(),
            rate.to_string(),
            smoothing.to_string(),
            format!("{:.2} %", 100.0 * worst(&accuracies)),
            format!("{:.2} %", 100.0 * mean(&accuracies)),
            format!("{there} of {}", accuracies.len()),
            format!("{s1:.2}"),
            format!("{s2:.2}"),
        ]);
        let key = target.name.replace('.', "").trim_end_matches('0').to_owned();
        lab.near(&format!("race_{key}_seconds"), s1, 1e-9);
        lab.near(&format!("race_{key}_seconds_2"), s2, 1e-9);
        lab.near(&format!("race_{key}_worst"), worst(&accuracies), 1e-9);
        lab.near(&format!("race_{key}_mean"), mean(&accuracies), 1e-9);
        lab.exact(&format!("race_{key}_there"), there);
        lab.exact(&format!("race_{key}_width"), width as usize);
        lab.exact(&format!("race_{key}_epochs"), epochs as usize);
        lab.near(&format!("race_{key}_rate"), rate, 1e-12);
        lab.near(&format!("race_{key}_smoothing"), smoothing, 1e-12);
        let judged = 100.0 * if target.every { worst_then } else { mean_then };
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let what = if target.every { "worst of five" } else { "mean of three" };
        figure = figure
            .points(&format!("for {} %, {what}", target.name), xs, ys)
            .points(&format!("chosen for {} %", target.name), [at], [judged])
            .horizontal(&format!("{} %", target.name), 100.0 * target.accuracy);
    }
    lab.exact("race_trainings", (2 * SEEDS) as usize);
    lab.table(&table);
    lab.figure(
        "race",
        "Every candidate by the time that it takes and its accuracy on images that it did not \
         learn from: the worst of five seeds for the first target, the mean of three for the second. \
         The one with the fewest units times epochs on or above its line is chosen.",
        "Two clouds of points that rise from left to right and flatten out, each with a level line; \
         one point on or just above each line is marked.",
        &figure,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(width: usize, accuracies: &[f64]) -> Tried {
        let recipe = Recipe { width, epochs: 2, rate: 0.1, smoothing: 0.0 };
        Tried { recipe, seconds: 1.0, accuracies: accuracies.into() }
    }

    #[test]
    fn the_cheapest_of_the_good_ones_is_chosen() {
        let [every, average] = TARGETS;
        let all = [
            tried(1, &[0.99, 0.97]),
            tried(3, &[0.986, 0.984]),
            tried(2, &[0.981, 0.981]),
            tried(2, &[0.982, 0.982]),
        ];
        assert_eq!(chosen(&every, &all), Some(3));
        assert_eq!(chosen(&average, &all), Some(1));
        // If none is good enough, the best one.
        assert_eq!(chosen(&average, &all[2..]), Some(1));
        assert_eq!(chosen(&every, &[]), None);
    }

    #[test]
    fn a_recipe_has_a_rate_that_rises_and_falls() {
        let recipe = Recipe { width: 8, epochs: 2, rate: 0.3, smoothing: 0.1 };
        let network = recipe.network(1280, 1).unwrap();
        let state = network.optimizer().state();
        assert_eq!((state.numbers["steps"], state.numbers["peak"]), (20.0, 2.0));
        assert_eq!(TARGETS[0].recipes().len(), 18);
    }
}

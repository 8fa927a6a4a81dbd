//! Iris: three species, fifty splits.

use gradus::random::Random;
use gradus::{
    Activate, CategoricalCrossEntropy, Dense, Fit, Init, Momentum, Network, Output, Samples,
    Sequential, Shape, Softmax, Standardiser, Tanh, iris, layers, train,
};
use lab::{HeatMap, Lab, Lines, Panels, Result, Table};
use ndarray::{Array2, Axis};
use rand::seq::SliceRandom;

use crate::stats::{Mean, epochs, percent};

/// How many splits there are.
pub const SPLITS: u64 = 50;

/// How many flowers of each species are learned from.
pub const OF_EACH: usize = 35;

/// How often they are seen.
pub const EPOCHS: usize = 100;

/// Whose mean and deviation the features are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Centimetres.
    None,
    /// Of the flowers that are learned from.
    Training,
    /// Of all flowers, those that judge included.
    All,
}

// ANCHOR: splits
/// The numbers of the flowers to learn from, so many of each species, and of
/// the others, which judge.
fn split(seed: u64) -> [Vec<usize>; 2] {
    let labels = iris::labels();
    let mut rng = Random::new(seed, 21).generator();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for species in 0..iris::SPECIES.len() {
        let of_it = |&row: &usize| labels[row] == species;
        let mut rows: Vec<_> = (0..labels.len()).filter(of_it).collect();
        rows.shuffle(&mut rng);
        test.extend(rows.split_off(OF_EACH));
        train.extend(rows);
    }
    [train, test]
}

/// The flowers of a split. The scale is that of the training flowers; the test
/// flowers have no part in it.
pub fn flowers(seed: u64, scale: Scale) -> gradus::Result<[Samples<f64>; 2]> {
    let all = iris::load::<f64>();
    let [train, test] = split(seed);
    let standardiser = match scale {
        Scale::None => None,
        Scale::Training => Some(all.x().select(Axis(0), &train)),
        Scale::All => Some(all.x().clone()),
    };
    let standardiser = standardiser.map(|x| Standardiser::of(&x)).transpose()?;
    let part = |rows: &[usize]| {
        let x = all.x().select(Axis(0), rows);
        let y = all.y().select(Axis(0), rows);
        match &standardiser {
            Some(standardiser) => Samples::new(standardiser.apply(&x)?, y),
            None => Samples::new(x, y),
        }
    };
    Ok([part(&train)?, part(&test)?])
}
// ANCHOR_END: splits

/// A network 4-16-3 with tanh and softmax.
pub fn network(seed: u64) -> gradus::Result<Sequential<f64>> {
    Sequential::new(
        Shape::Vector(iris::FEATURES.len()),
        layers![
            Dense::new(16, Init::GlorotNormal)?,
            Activate(Tanh),
            Dense::new(iris::SPECIES.len(), Init::GlorotNormal)?,
            Output(Softmax),
        ],
        CategoricalCrossEntropy,
        Momentum::new(0.02, 0.9)?,
        seed,
    )
}

/// How to train on a split.
pub fn fit(seed: u64) -> Fit {
    Fit { epochs: EPOCHS, batch_size: 15, seed, ..Fit::default() }
}

/// What came of one split.
struct Run {
    train: f64,
    test: f64,
    test_loss: f64,
    confusion: Array2<usize>,
    train_losses: Vec<f64>,
    test_losses: Vec<f64>,
}

fn run(seed: u64, scale: Scale) -> Result<Run> {
    let [train, test] = flowers(seed, scale)?;
    let mut network = network(seed)?;
    let history = network.fit(&train, &fit(seed), Some(&test), &mut train::silent)?;
    let (on_train, on_test) = (network.score(&train)?, network.score(&test)?);
    let accuracy = |score: &gradus::Score| score.accuracy().ok_or("flowers have classes");
    Ok(Run {
        train: accuracy(&on_train)?,
        test: accuracy(&on_test)?,
        test_loss: on_test.loss,
        confusion: on_test.confusion.ok_or("flowers have classes")?,
        train_losses: history.loss,
        test_losses: history.validation_loss,
    })
}

/// Fifty splits, on three scales.
pub fn fifty_splits(lab: &mut Lab) -> Result<()> {
    lab.section("iris", "Iris: fifty splits")?;
    lab.section_near(0.02);
    let judges = iris::load::<f64>().x().nrows() - 3 * OF_EACH;
    let mut table =
        Table::new(&["features", "training flowers right", "test flowers right", "test loss"]);
    let mut panels = Panels::new(2);
    let scales = [
        ("in centimetres", "raw", Scale::None),
        ("standardised", "standardised", Scale::Training),
        ("with the test flowers' help", "leaked", Scale::All),
    ];
    let mut confusion = Array2::zeros((3, 3));
    for (name, key, scale) in scales {
        let runs = (0..SPLITS).map(|seed| run(seed, scale)).collect::<Result<Vec<_>>>()?;
        let (train, test) = (Mean::over(&runs, |run| run.train), Mean::over(&runs, |run| run.test));
        let loss = Mean::over(&runs, |run| run.test_loss);
        table.push(vec![name.into(), train.share(), test.share(), loss.loss()]);
        for (part, mean) in [("train", train), ("test", test), ("loss", loss)] {
            lab.near(&format!("iris_{key}_{part}"), mean.mean, 2e-3);
            lab.near(&format!("iris_{key}_{part}_error"), mean.error, 1e-3);
        }
        if scale == Scale::All {
            continue;
        }
        if scale == Scale::Training {
            confusion = runs.iter().fold(confusion, |sum, run| sum + &run.confusion);
        }
        let mean = |losses: fn(&Run) -> &Vec<f64>| -> Vec<f64> {
            let at = |epoch: usize| Mean::over(&runs, |run| losses(run)[epoch]).mean;
            (0..EPOCHS).map(at).collect()
        };
        let lines = Lines::new("epoch", "mean loss").log_y().y_range(0.03, 2.0);
        panels = panels.panel(
            name,
            lines.series("training", epochs(EPOCHS), mean(|run| &run.train_losses)).dashed(
                "test",
                epochs(EPOCHS),
                mean(|run| &run.test_losses),
            ),
        );
    }
    lab.say(format!(
        "150 flowers, {OF_EACH} of each species to learn from and {judges} to judge: {SPLITS} times, at random.\n\
         A network 4-16-3 with tanh and softmax, {EPOCHS} epochs in batches of 15, rate 0.02, momentum\n\
         0.9. Means over the splits, ± standard error between them:\n",
    ));
    lab.table(&table);
    lab.exact("iris_splits", SPLITS);
    lab.exact("iris_judges", judges);
    let right = confusion.diag().sum() as f64 / confusion.sum() as f64;
    let error = (right * (1.0 - right) / 150.0).sqrt();
    lab.near("iris_flowers_error", error, 1e-3);
    lab.say(format!(
        "\nThe splits share their flowers: that error says how far {SPLITS} other splits of these 150 would\n\
         lie, not how far 150 other flowers would. The standard error of 150 independent answers,\n\
         of which {} are right, is {}.",
        percent(right),
        percent(error),
    ));
    lab.figure(
        "iris_curves",
        "Mean over fifty splits of the loss of training and test flowers by epoch, with features in \
         centimetres and with standardised features.",
        "Two panels with two falling curves each. With standardised features the loss falls faster in \
         the first ten epochs; on both sides the test loss comes to rest above the training loss.",
        &panels,
    )?;
    confused(&confusion, lab)
}

/// Which species are taken for which.
fn confused(confusion: &Array2<usize>, lab: &mut Lab) -> Result<()> {
    lab.section("iris_confusion", "Which species for which")?;
    lab.section_near(0.05);
    let mut table = Table::new(&["species", "taken for setosa", "for versicolor", "for virginica"]);
    for (name, row) in iris::SPECIES.iter().zip(confusion.rows()) {
        let cells = row.iter().map(usize::to_string);
        table.push(std::iter::once((*name).to_owned()).chain(cells).collect());
    }
    lab.say(format!("All test flowers of the {SPLITS} splits, with standardised features:\n"));
    lab.table(&table);
    let share = |species: usize, taken: usize| {
        confusion[[species, taken]] as f64 / confusion.row(species).sum() as f64
    };
    lab.near("iris_setosa_right", share(0, 0), 1e-3);
    lab.near("iris_versicolor_for_virginica", share(1, 2), 5e-3);
    lab.near("iris_virginica_for_versicolor", share(2, 1), 5e-3);
    let shares = Array2::from_shape_fn((3, 3), |(i, j)| 100.0 * share(i, j));
    lab.figure(
        "iris_confusion",
        "Per cent of the test flowers of each species (row) that were taken for each (column); all \
         fifty splits, standardised features.",
        "A grid of three by three cells. The diagonal is dark, with 100 for setosa; only versicolor and \
         virginica are taken for each other, by a few per cent.",
        &HeatMap::new("taken for", "species", &shares)
            .labels(iris::SPECIES, iris::SPECIES)
            .annotate(1),
    )
}

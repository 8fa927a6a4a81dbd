//! Dropout: units that sit out a step.

use gradus::{
    Activate, Dense, Draw, Dropout, Elementwise, Float, Init, Layer, Model, Momentum, Network,
    Output, Relu, Samples, Sequential, Share, Sigmoid, Softmax, layers,
};
use lab::{Lab, Lines, Panels, Result, Table};
use ndarray::{Array1, Array2};

use crate::digits::{self, Digits};
use crate::moons::{self, EPOCHS, RUNS, WIDTH};
use crate::stats::{Mean, epochs, percent};

// ANCHOR: dropout_layers
/// Two hidden layers, with dropout before every dense layer: of the inputs, and
/// of what leaves each hidden layer.
fn dropout_layers<F: Float>(
    keep: [f64; 3],
    width: usize,
    outputs: usize,
    last: Box<dyn Layer<F>>,
) -> gradus::Result<Vec<Box<dyn Layer<F>>>> {
    Ok(layers![
        Dropout::new(keep[0])?,
        Dense::new(width, Init::He)?,
        Activate(Relu),
        Dropout::new(keep[1])?,
        Dense::new(width, Init::He)?,
        Activate(Relu),
        Dropout::new(keep[2])?,
        Dense::new(outputs, Init::He)?,
        last,
    ])
}
// ANCHOR_END: dropout_layers

/// Where the masks come from.
pub fn masks(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("masks", "Which units sit out")?;
    let (dropout, rows, width) = (Dropout::new(0.8)?, 8, 48);
    let draw = |step, first| Draw { seed, layer: 2, step, first };
    let mask = dropout.mask::<f64>(draw(0, 0), rows, width);
    lab.say(format!(
        "{rows} samples of a batch and {width} units, each kept with probability 0.8 (█) or not (·):\n",
    ));
    for row in mask.rows() {
        let units: String = row.iter().map(|&r| if r > 0.0 { '█' } else { '·' }).collect();
        lab.say(format!("    {units}"));
    }
    let differing = |a: &Array2<f64>, b: &Array2<f64>| {
        a.iter().zip(b).filter(|(a, b)| a.to_bits() != b.to_bits()).count()
    };
    let again = dropout.mask(draw(0, 0), rows, width);
    let [first, second] = [0, rows / 2].map(|at| dropout.mask(draw(0, at), rows / 2, width));
    let halves = ndarray::concatenate![ndarray::Axis(0), first, second];
    let next = dropout.mask(draw(1, 0), rows, width);
    let counts = [differing(&mask, &again), differing(&mask, &halves), differing(&mask, &next)];
    let kept = mask.iter().filter(|&&r| r > 0.0).count();
    lab.say(format!(
        "\n{kept} of {} are kept, and multiplied by {}. Entries that differ:\n",
        mask.len(),
        mask.iter().fold(0.0_f64, |most, &r| most.max(r)),
    ));
    let mut table = Table::new(&["against", "entries"]);
    let names =
        ["the same step, once more", "two threads, each with half of the batch", "the next step"];
    for (name, count) in names.into_iter().zip(counts) {
        table.push(vec![name.into(), count.to_string()]);
    }
    lab.table(&table);
    lab.exact("mask_kept", kept);
    lab.exact("mask_entries", mask.len());
    lab.exact("mask_differ_again", counts[0]);
    lab.exact("mask_differ_threads", counts[1]);
    lab.exact("mask_differ_next", counts[2]);
    Ok(())
}

/// The probabilities of being kept that are compared on the moons.
const KEEPS: [(&str, &str, [f64; 3]); 5] = [
    ("1, 1, 1", "none", [1.0, 1.0, 1.0]),
    ("1, 0.8, 0.8", "80", [1.0, 0.8, 0.8]),
    ("1, 0.5, 0.5", "50", [1.0, 0.5, 0.5]),
    ("1, 0.3, 0.3", "30", [1.0, 0.3, 0.3]),
    ("0.9, 0.5, 0.5", "input", [0.9, 0.5, 0.5]),
];

/// A network for the moons that keeps inputs and units with these probabilities.
fn on_moons(keep: [f64; 3], seed: u64) -> gradus::Result<Sequential<f64>> {
    let layers = dropout_layers(keep, WIDTH, 1, Box::new(Output(Elementwise(Sigmoid))))?;
    moons::of(layers, moons::momentum()?, seed)
}

/// The moons, with dropout.
pub fn of_moons(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("dropout", "Dropout on the moons")?;
    lab.section_near(0.02);
    let new = moons::new(0)?;
    let mut table = Table::new(&[
        "kept: inputs, layer 1, layer 2",
        "loss, seen",
        "right",
        "loss, new",
        "right",
    ]);
    let mut all = Vec::new();
    for (name, key, keep) in KEEPS {
        let mut runs = Vec::new();
        for run in 1..=RUNS {
            let samples = moons::learned_from(run)?;
            let mut network = on_moons(keep, run)?;
            moons::learn(&mut network, &samples, EPOCHS, None)?;
            let (seen, new) =
                (moons::verdict(&network, &samples)?, moons::verdict(&network, &new)?);
            runs.push([seen.0, seen.1, new.0, new.1]);
        }
        let [a, b, c, d] = [0, 1, 2, 3].map(|part| Mean::over(&runs, |run| run[part]));
        let cells = [format!("{:.3}", a.mean), percent(b.mean), c.loss(), d.share()];
        table.push([vec![name.into()], cells.into()].concat());
        lab.near(&format!("dropout_{key}_seen_loss"), a.mean, 0.01);
        lab.near(&format!("dropout_{key}_seen_accuracy"), b.mean, 0.005);
        lab.near(&format!("dropout_{key}_loss"), c.mean, 0.02);
        lab.near(&format!("dropout_{key}_loss_error"), c.error, 0.02);
        lab.near(&format!("dropout_{key}_accuracy"), d.mean, 0.005);
        lab.near(&format!("dropout_{key}_accuracy_error"), d.error, 0.002);
        all.push(runs);
    }
    lab.say(format!(
        "The network of the first section with dropout, {EPOCHS} epochs on 100 moons: means of {RUNS}\n\
         trainings, ± standard error. All losses are those of predictions, with all units.\n",
    ));
    lab.table(&table);
    let pairs: Vec<f64> = all[0].iter().zip(&all[2]).map(|(a, b)| b[3] - a[3]).collect();
    let (gain, better) = (Mean::of(&pairs), pairs.iter().filter(|gain| **gain > 0.0).count());
    lab.say(format!(
        "\nWith half of the units, {better} of the {RUNS} trainings are right more often than without\n\
         dropout; the gain is {}.",
        gain.share(),
    ));
    lab.near("dropout_gain", gain.mean, 0.005);
    lab.near("dropout_gain_error", gain.error, 0.003);
    lab.near("dropout_better", better as f64, 0.15);

    let samples = moons::learned_from(seed)?;
    let mut network = on_moons([1.0, 0.5, 0.5], seed)?;
    moons::learn(&mut network, &samples, 3 * EPOCHS, None)?;
    lab.near("dropout_boundary_new", moons::verdict(&network, &moons::new(seed)?)?.1, 0.01);
    when_predicting(&network, &moons::new(seed)?, lab)?;
    lab.figure(
        "dropout_regions",
        "The 100 samples of the first section and the same network after 3000 epochs, trained with \
         dropout that keeps half of the units of each hidden layer.",
        "The two clouds of points. The boundary follows the gap between the moons more closely than \
         without dropout, and has no islands, but still has a spike towards a single point and a wedge \
         at the lower right.",
        &moons::regions(|x| network.predict(x), &samples)?,
    )
}

/// What becomes of predictions if units go on sitting out.
fn when_predicting(network: &Sequential<f64>, new: &Samples<f64>, lab: &mut Lab) -> Result<()> {
    const MASKS: usize = 100;
    let (n, y) = (new.x().nrows(), new.y());
    let mut trace = network.trace(n);
    let mut gradient = Array1::zeros(network.gradient_len());
    let right = |y_hat: &Array2<f64>| {
        let right = |(y_hat, y): &(&f64, &f64)| (**y_hat > 0.5) == (**y == 1.0);
        y_hat.iter().zip(y).filter(right).count() as f64 / n as f64
    };
    let (mut mean, mut single) = (Array2::zeros((n, 1)), Vec::new());
    for k in 0..MASKS {
        // As if the samples stood further down in a large batch: another mask for each k.
        let share = Share { first: k * n, batch: n };
        network.gradient_into(new.x(), y, share, &mut trace, &mut gradient);
        let y_hat = network.y_hat(&trace, n).to_owned();
        single.push(right(&y_hat));
        mean += &y_hat;
    }
    mean /= MASKS as f64;
    let off = network.predict(new.x())?;
    let difference = (&mean - &off).mapv(f64::abs).mean().unwrap_or_default();
    let (on, averaged, off) = (Mean::of(&single).mean, right(&mean), right(&off));
    lab.say(format!(
        "\nThe training of the first section with half of the units kept, {} epochs as there. Of the\n\
         new samples it has right, predicting with\n",
        3 * EPOCHS,
    ));
    let table = Table::new(&["", "right"])
        .row(["all units", &percent(off)])
        .row(["a mask, as in training (mean of 100)", &percent(on)])
        .row(["the mean output of 100 masks", &percent(averaged)]);
    lab.table(&table);
    lab.say(format!(
        "\nThe mean output of the masks is {difference:.3} away from that of all units, on average.",
    ));
    lab.near("dropout_off_accuracy", off, 0.01);
    lab.near("dropout_on_accuracy", on, 0.01);
    lab.near("dropout_averaged_accuracy", averaged, 0.01);
    lab.near("dropout_averaged_difference", difference, 0.005);
    Ok(())
}

/// How many digits are learned from, and how often.
const IMAGES: usize = 1000;
const DIGIT_EPOCHS: usize = 40;

/// A thousand digits, with dropout.
pub fn of_digits(digits: &Digits, seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("digits", "Dropout on a thousand digits")?;
    lab.section_near(0.05);
    let (few, new) = (digits.few::<f32>(IMAGES)?, digits.others::<f32>(10_000)?);
    let (width, seeds) = (128, 3);
    let keeps = [
        ("none", "none", [1.0, 1.0, 1.0]),
        ("hidden 0.5", "hidden", [1.0, 0.5, 0.5]),
        ("inputs 0.8, hidden 0.5", "all", [0.8, 0.5, 0.5]),
    ];
    let mut table = Table::new(&["kept", "loss, seen", "right", "loss, new", "right"]);
    let mut panels = [Lines::new("epoch", "mean loss"), Lines::new("epoch", "accuracy")];
    for (name, key, keep) in keeps {
        let mut runs = Vec::new();
        for run in seed..seed + seeds {
            let layers = dropout_layers(keep, width, 10, Box::new(Output(Softmax)))?;
            let mut network = digits::network(layers, Momentum::new(0.02, 0.9)?, run)?;
            let curve = (run == seed).then(|| digits.others(1000)).transpose()?;
            let history = digits::learn(&mut network, &few, curve.as_ref(), DIGIT_EPOCHS, run)?;
            let history = history.ok_or("a training with dropout went to infinity")?;
            let (seen, new) = (network.evaluate(&few)?, network.evaluate(&new)?);
            runs.push([seen.0, seen.1.unwrap_or(0.0), new.0, new.1.unwrap_or(0.0)]);
            if run == seed {
                let [loss, accuracy] = panels;
                let at = epochs(DIGIT_EPOCHS);
                panels = [
                    loss.series(name, at.clone(), history.validation_loss),
                    accuracy.series(name, at, history.validation_accuracy),
                ];
            }
        }
        let [a, b, c, d] = [0, 1, 2, 3].map(|part| Mean::over(&runs, |run| run[part]));
        let cells = [format!("{:.4}", a.mean), percent(b.mean), c.loss(), d.share()];
        table.push([vec![name.into()], cells.into()].concat());
        lab.near(&format!("digits_{key}_seen_accuracy"), b.mean, 0.005);
        lab.near(&format!("digits_{key}_loss"), c.mean, 0.02);
        lab.near(&format!("digits_{key}_accuracy"), d.mean, 0.005);
        lab.near(&format!("digits_{key}_accuracy_error"), d.error, 0.003);
    }
    lab.say(format!(
        "A network 784-{width}-{width}-10 with ReLU, {DIGIT_EPOCHS} epochs on the first {IMAGES} digits in batches of\n\
         50, rate 0.02, momentum 0.9; judged by the 10,000 test images. Means of {seeds} trainings,\n\
         ± standard error.\n",
    ));
    lab.table(&table);
    let [loss, accuracy] = panels;
    lab.figure(
        "digits",
        "Loss and accuracy on 1,000 test images after each epoch of a training on 1,000 others, without \
         dropout and with.",
        "Two panels with three curves each. Without dropout the loss has a minimum early and rises \
         again; with dropout of the inputs as well it goes on falling, and ends lowest. The accuracies can \
         hardly be told apart at the end.",
        &Panels::new(2).panel("loss", loss).panel("accuracy", accuracy),
    )
}

//! From probabilities to classes.

use gradus::{
    Activate, CategoricalCrossEntropy, Dense, Init, Network, Output, Relu, Sequential, Shape,
    Softmax, layers, train,
};
use lab::{Lab, Lines, Result, Table};
use ndarray::{ArrayView1, s};

use crate::flowers::{self, SPLITS, Scale};
use crate::moons::{self, WIDTH};
use crate::stats::{Mean, percent};

// ANCHOR: threshold_decision
/// Elsharkawy's decision: the class whose probability is above one half. There
/// need not be one.
fn threshold_decision(y_hat: ArrayView1<f64>) -> Option<usize> {
    y_hat.iter().position(|&p| p > 0.5)
}
// ANCHOR_END: threshold_decision

/// The epochs after which the decisions are compared.
const AFTER: [usize; 7] = [1, 2, 3, 5, 10, 30, 100];

/// One half against the largest, on softmax.
pub fn one_half(lab: &mut Lab) -> Result<()> {
    lab.section("decide", "The largest, or more than one half?")?;
    lab.section_near(0.02);
    let mut shares: Vec<Vec<[f64; 3]>> = vec![Vec::new(); AFTER.len()];
    for seed in 0..SPLITS {
        let [train, test] = flowers::flowers(seed, Scale::Training)?;
        let mut network = flowers::network(seed)?;
        for (k, &epoch) in AFTER.iter().enumerate() {
            let fit = gradus::Fit { epochs: epoch, ..flowers::fit(seed) };
            match k {
                0 => network.fit(&train, &fit, None, &mut train::silent)?,
                _ => network.resume(&train, epoch, None, &mut train::silent)?,
            };
            let (y_hat, labels) = (network.predict(test.x())?, network.predict_labels(test.x())?);
            let mut counts = [0.0; 3];
            for ((y_hat, y), label) in y_hat.rows().into_iter().zip(test.y().rows()).zip(labels) {
                let decision = threshold_decision(y_hat);
                counts[0] += f64::from(y[label] == 1.0);
                counts[1] += f64::from(decision.is_some_and(|k| y[k] == 1.0));
                counts[2] += f64::from(decision.is_none());
            }
            shares[k].push(counts.map(|count| count / test.y().nrows() as f64));
        }
    }
    let mut table = Table::new(&["epoch", "the largest: right", "above ½: right", "no decision"]);
    for (epoch, runs) in AFTER.iter().zip(&shares) {
        let [largest, half, none] = [0, 1, 2].map(|part| Mean::over(runs, |run| run[part]));
        table.push(vec![epoch.to_string(), largest.share(), half.share(), percent(none.mean)]);
        lab.near(&format!("decide_largest_{epoch}"), largest.mean, 2e-3);
        lab.near(&format!("decide_half_{epoch}"), half.mean, 2e-3);
        lab.near(&format!("decide_none_{epoch}"), none.mean, 2e-3);
    }
    lab.say(format!(
        "The {SPLITS} splits of iris again. After some epochs, the share of test flowers that are right\n\
         if the largest output decides, and if an output has to be above one half:\n",
    ));
    lab.table(&table);
    lab.say(
        "\nThe outputs are the same in both columns: only the decision differs. It costs most while the\n\
         network is unsure. Where it has become sure, nobody notices.",
    );
    let curve = |part: usize| shares.iter().map(move |runs| Mean::over(runs, |run| run[part]).mean);
    let xs = || AFTER.iter().map(|&epoch| epoch as f64);
    lab.figure(
        "decide",
        "Share of the test flowers of iris that are right if the largest output decides, or an output \
         above one half, by epoch; and share of those without an output above one half. Means of fifty \
         splits.",
        "Three curves over a logarithmic axis of epochs. At first that of the largest output is far \
         above that of the threshold, and many flowers have no decision; the two curves meet \
         as the share without decision falls to 0.",
        &Lines::new("epoch", "share of test flowers")
            .log_x()
            .series("largest", xs(), curve(0))
            .series("above ½", xs(), curve(1))
            .dashed("no decision", xs(), curve(2)),
    )
}

/// One sigmoid decides as a softmax of two.
pub fn one_sigmoid(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("sigmoid", "One sigmoid")?;
    lab.section_near(0.02);
    let (samples, new) = (moons::learned_from(seed)?, moons::new(seed)?);
    let mut one = moons::large(moons::momentum()?, seed)?;
    moons::learn(&mut one, &samples, 200, None)?;
    let two = with_two_outputs(&one)?;
    let (p, q) = (one.predict(new.x())?, two.predict(new.x())?);
    let apart = p.iter().zip(q.column(1)).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max);
    let labels = [one.predict_labels(new.x())?, two.predict_labels(new.x())?];
    let differ = labels[0].iter().zip(&labels[1]).filter(|(a, b)| a != b).count();
    let right = |decide: &dyn Fn(usize) -> usize| {
        let right = |&row: &usize| decide(row) as f64 == new.y()[[row, 0]];
        (0..moons::NEW).filter(right).count() as f64 / moons::NEW as f64
    };
    let half = right(&|row| labels[0][row]);
    // The largest of one number is the first.
    let largest = right(&|_| 0);
    lab.say(format!(
        "A network for the moons with one sigmoid, and the same weights in a network with a softmax\n\
         of two outputs, one of which is always 0 before the softmax. On {} new samples the\n\
         probabilities differ by less than 1e-12: {}. Decisions that differ: {differ}.\n",
        moons::NEW,
        if apart < 1e-12 { "yes" } else { "NO" },
    ));
    let table = Table::new(&["how one sigmoid decides", "right"])
        .row(["above one half", &percent(half)])
        .row(["the largest of its outputs, which is always the first", &percent(largest)]);
    lab.table(&table);
    lab.exact("sigmoid_differ", differ);
    lab.near("sigmoid_half", half, 0.01);
    lab.exact("sigmoid_largest", largest);
    Ok(())
}

/// The same function with two outputs: the logits are 0 and z.
fn with_two_outputs(one: &Sequential<f64>) -> gradus::Result<Sequential<f64>> {
    let dense = |units| Dense::new(units, Init::He);
    let mut two = Sequential::new(
        Shape::Vector(2),
        layers![
            dense(WIDTH)?,
            Activate(Relu),
            dense(WIDTH)?,
            Activate(Relu),
            dense(2)?,
            Output(Softmax),
        ],
        CategoricalCrossEntropy,
        moons::momentum()?,
        1,
    )?;
    let mut params = two.params().clone();
    params.fill(0.0);
    let last = one.range(4);
    params.slice_mut(s![..last.start]).assign(&one.params().slice(s![..last.start]));
    // Rows of two weights each, and two biases: the second of each pair is the one sigmoid's.
    params.slice_mut(s![last.start + 1..;2]).assign(&one.params().slice(s![last]));
    two.set_params(&params)?;
    Ok(two)
}

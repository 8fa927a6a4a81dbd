//! Two bugs of published tutorials.

use gradus::random::Random;
use gradus::{
    CategoricalCrossEntropy, GradientDescent, Init, Loss, Model, Network, NeuralNetwork,
    OutputActivation, Samples, Share, Softmax, Subset, Tanh, one_hot, toy,
};
use lab::{Lab, Result, Table};
use ndarray::{Array1, Array2, Axis, array};
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::arguments::{Args, yes_or_no};
use crate::problems::learn;
use crate::text::{percent, shape};
use crate::wrong;
use lab::text::{number, thousands};

/// Lazar's `to_categorical` counts the classes of the batch, not of the problem.
pub fn a_batch_without_the_last_class(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("columns", "A batch without the last class")?;
    lab.say("One-hot rows for three classes, with max + 1 columns as in a published tutorial:");
    let mut table = Table::new(&["labels of the batch", "published", "library"]);
    for labels in [[0, 2, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]] {
        let (published, right) = (wrong::to_categorical(&labels), one_hot::<f64>(&labels, 3)?);
        table.push(vec![format!("{labels:?}"), shape(published.shape()), shape(right.shape())]);
    }
    lab.table(&table);

    let network = args.network(&[2, 4, 3], Softmax, CategoricalCrossEntropy, 0.1)?;
    let refused = network
        .loss_and_gradient(&Array2::zeros((4, 2)), &wrong::to_categorical(&[0, 1, 1, 0]))
        .map_or_else(|error| error.to_string(), |_| "nothing".into());
    lab.say(format!("Here the second is refused: {refused}."));
    stretched(lab)?;

    let mut table =
        Table::new(&["classes", "batch size", "batches without the last class", "derived"]);
    let mut rng = Random::new(args.seed(), 11).generator();
    for (classes, size) in [(3, 8), (10, 8), (10, 32), (100, 32)] {
        let misses = |_: &usize| (0..size).all(|_| rng.random_range(0..classes) + 1 < classes);
        let share = (0..20_000_usize).filter(misses).count() as f64 / 20_000.0;
        let derived = (1.0 - 1.0 / f64::from(classes)).powi(size);
        table.push(vec![classes.to_string(), size.to_string(), percent(share), percent(derived)]);
        lab.near(&format!("columns_{classes}_{size}_measured"), share, 1e-12);
        lab.near(&format!("columns_{classes}_{size}_derived"), derived, 1e-12);
    }
    lab.say(
        "How often a batch of n lacks the last of m classes, in 20,000 of random labels, against\n\
         (1 − 1/m)ⁿ:",
    );
    lab.table(&table);
    Ok(())
}

/// What NumPy makes of a target with one column: it stretches it over all classes.
fn stretched(lab: &mut Lab) -> Result<()> {
    let z = array![[1.0, 0.2, -0.5]];
    let y_hat = Softmax.apply(&z);
    let gradient = |y: &Array2<f64>| {
        let mut d_z = Array2::zeros((1, 3));
        let d_y_hat =
            CategoricalCrossEntropy.derivative(&y_hat, y).index_axis_move(ndarray::Axis(1), 0);
        Softmax.backward_into(&z, &y_hat, &d_y_hat, &mut d_z);
        d_z
    };
    let right = gradient(&one_hot(&[0], 3)?);
    let column = wrong::to_categorical(&[0]);
    let wide = column.broadcast((1, 3)).ok_or("one column can be stretched")?.to_owned();
    let wrong = gradient(&wide);
    let mut table = Table::new(&["∂L/∂z of a sample of class 0", "z₀", "z₁", "z₂"]);
    for (class, (right, wrong)) in right.iter().zip(&wrong).enumerate() {
        lab.near(&format!("stretched_right_{class}"), *right, 1e-12);
        lab.near(&format!("stretched_wrong_{class}"), *wrong, 1e-12);
    }
    for (name, row) in
        [("ŷ − y, as it should be", right), ("targets stretched to (1, 1, 1)", wrong)]
    {
        let cells = row.iter().map(|&d| number(d));
        table.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }
    lab.say(
        "NumPy refuses (4, 2) against (4, 3) as well. But one column it stretches over all three\n\
         classes without a word: the sample asks for every class at once, and of all classes its own\n\
         is told to fall:",
    );
    lab.table(&table);
    Ok(())
}

/// With two classes, a batch of class 0 alone has one column, and NumPy stretches it.
pub fn what_stretching_costs(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("stretched", "What stretching costs")?;
    lab.section_near(5e-3);
    let test = toy::moons(2000, 0.15, args.test_seed())?;
    let header = [
        "batch size",
        "class 0 stretched",
        "ŷ₀ derived",
        "ŷ₀ published",
        "library",
        "accuracy published",
        "library",
    ];
    let mut table = Table::new(&header);
    for size in [1, 2, 4, 8] {
        let others = 0.5_f64.powi(size - 1);
        let derived = 1.0 / (1.0 + others);
        let published = on_moons(args, size, |labels| Ok(wrong::to_categorical(labels)))?;
        let right = on_moons(args, size, |labels| one_hot(labels, 2))?;
        let [ours, theirs] = [&right, &published].map(|network| verdict(network, &test));
        let (ours, theirs) = (ours?, theirs?);
        table.push(vec![
            size.to_string(),
            percent(others),
            format!("{derived:.3}"),
            format!("{:.3}", theirs.0),
            format!("{:.3}", ours.0),
            percent(theirs.1),
            percent(ours.1),
        ]);
        lab.near(&format!("stretched_{size}_share"), others, 1e-12);
        lab.near(&format!("stretched_{size}_derived"), derived, 1e-12);
        lab.near(&format!("stretched_{size}_published"), theirs.0, 5e-3);
        lab.near(&format!("stretched_{size}_accuracy"), theirs.1, 1e-3);
        lab.near(&format!("stretched_{size}_library_accuracy"), ours.1, 1e-3);
    }
    lab.say(
        "Two moons as two classes, a 2-16-16-2 network with softmax, 400 epochs at rate 0.01\n\
         (300 samples), targets made batch by batch. ŷ₀ is the median probability of class 0 for\n\
         those of 2000 new samples that belong to it.",
    );
    lab.table(&table);
    lab.say(
        "One sample at a time, the targets of class 0 are all stretched. In larger batches fewer are,\n\
         and the accuracy no longer shows it.",
    );
    Ok(())
}

/// Trains on the moons as two classes; each batch makes targets of its own labels.
fn on_moons(
    args: &Args,
    size: i32,
    targets: impl Fn(&[usize]) -> gradus::Result<Array2<f64>>,
) -> Result<NeuralNetwork<f64>> {
    let moons = toy::moons(300, 0.15, args.seed())?;
    let (sizes, optimizer) = ([2, 16, 16, 2], GradientDescent::new(0.01)?);
    let (loss, init) = (CategoricalCrossEntropy, Init::GlorotNormal);
    let network = NeuralNetwork::new(&sizes, Tanh, Softmax, loss, optimizer, init, args.seed())?;
    // Through the Jacobian, as published: the fused derivative expects targets that sum to 1.
    let mut network = network.composed();
    let mut gradient = Array1::zeros(network.params().len());
    let mut rng = Random::new(args.seed(), 12).generator();
    let mut order: Vec<usize> = (0..300).collect();
    for _ in 0..400 {
        order.shuffle(&mut rng);
        for rows in order.chunks(size as usize) {
            let labels: Vec<usize> = rows.iter().map(|&row| moons.y()[[row, 0]] as usize).collect();
            let y = targets(&labels)?;
            let y = y.broadcast((rows.len(), 2)).ok_or("two columns, or one to stretch")?;
            let x = moons.x().select(Axis(0), rows);
            let mut trace = network.trace(rows.len());
            network.gradient_into(&x, &y, Share::whole(rows.len()), &mut trace, &mut gradient);
            network.step(&gradient);
        }
    }
    Ok(network)
}

/// The median ŷ₀ of the samples of class 0, and the accuracy on all.
fn verdict(network: &NeuralNetwork<f64>, samples: &Samples<f64>) -> Result<(f64, f64)> {
    let (y, y_hat) = (samples.y(), network.predict(samples.x())?);
    let rows = || y.iter().zip(y_hat.rows());
    let mut of_class_0: Vec<f64> =
        rows().filter(|(y, _)| **y == 0.0).map(|(_, row)| row[0]).collect();
    of_class_0.sort_by(f64::total_cmp);
    let right = rows().filter(|(y, row)| (row[1] > row[0]) == (**y == 1.0)).count();
    Ok((of_class_0[of_class_0.len() / 2], right as f64 / y.len() as f64))
}

/// Yuan's epochs end one sample early.
pub fn the_last_sample(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("last_sample", "The last sample")?;
    lab.say("Batches that end at min(begin + size, n − 1), as in a published tutorial:");
    let mut table = Table::new(&["samples", "batch size", "batches", "last batch", "samples seen"]);
    for (samples, size) in [(60_000, 128), (129, 128), (4, 2)] {
        let batches = wrong::batches(samples, size);
        let seen: usize = batches.iter().map(ExactSizeIterator::len).sum();
        let last = batches.last().map_or(0, ExactSizeIterator::len);
        let row = [
            thousands(samples),
            size.to_string(),
            batches.len().to_string(),
            last.to_string(),
            thousands(seen),
        ];
        table.push(row.into());
        lab.exact(&format!("last_sample_of_{samples}_seen"), seen);
    }
    lab.table(&table);
    lab.say(
        "With 60,000 shuffled samples nobody notices. With 129 the second batch is empty, and the mean\n\
         of its losses is 0 / 0. With the four cases of XOR in their order one is never seen:",
    );

    let samples = toy::xor();
    let fit = gradus::Fit { epochs: 500, batch_size: 4, seed: args.seed(), ..Default::default() };
    let mut table =
        Table::new(&["trained on", "ŷ(0, 0)", "ŷ(0, 1)", "ŷ(1, 0)", "ŷ(1, 1)", "right"]);
    for (name, key, seen) in [("all four", "all", 0..4), ("the first three", "three", 0..3)] {
        let hidden = args.activation;
        let mut network =
            yes_or_no(&[2, 8, 1], 0.1, hidden.activation(), hidden.init(), args.seed())?;
        learn(lab, "XOR", &mut network, &Subset::new(&samples, seen)?, None, &fit)?;
        let cells = network.predict(samples.x())?.iter().map(|&y| format!("{y:.3}")).collect();
        let right = 4.0 * network.score(&samples)?.accuracy().ok_or("XOR has classes")?;
        table.push([vec![name.into()], cells, vec![format!("{right} of 4")]].concat());
        lab.exact(&format!("last_sample_{key}_right"), right);
    }
    lab.table(&table);
    Ok(())
}

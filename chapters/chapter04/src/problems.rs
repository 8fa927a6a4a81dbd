//! Moons, spirals and a sine, learned.

use gradus::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Elementwise, Fit, History, Identity, Init,
    MeanSquaredError, Network, NeuralNetwork, Samples, Sigmoid, Softmax, Source, toy,
};
use lab::{Lab, Lines, Panels, Result, Table};
use ndarray::{Array2, ArrayView1};

use crate::arguments::{Args, yes_or_no};
use crate::figures::{epochs, regions};
use crate::text::{percent, sizes};
use lab::text::number;

/// The losses of a training, to be drawn beside others.
pub struct Curve {
    pub name: &'static str,
    pub key: &'static str,
    pub loss: Vec<f64>,
    pub validation: Option<Vec<f64>>,
    /// What no network can go below, if that is known.
    pub floor: Option<f64>,
}

/// Trains, with progress; an error says what was being trained.
pub fn learn(
    lab: &mut Lab,
    name: &str,
    network: &mut NeuralNetwork<f64>,
    samples: &dyn Source<f64>,
    validation: Option<&dyn Source<f64>>,
    fit: &Fit,
) -> Result<History> {
    let mut progress = lab.progress(name);
    let history = network.fit(samples, fit, validation, &mut |event| progress.observe(event));
    progress.finish();
    history.map_err(|error| format!("{name}: {error}").into())
}

/// Two classes that no straight line separates.
pub fn two_moons(args: &Args, lab: &mut Lab) -> Result<Curve> {
    lab.section("moons", "Two moons")?;
    let noise = 0.15;
    let train = toy::moons(500, noise, args.seed())?;
    let test = toy::moons(2000, noise, args.test_seed())?;
    let fit = args.fit(100, 32);
    let layers = [2, args.hidden, args.hidden, 1];
    let mut network = args.network(&layers, Elementwise(Sigmoid), BinaryCrossEntropy, 0.02)?;
    let history = learn(lab, "moons", &mut network, &train, Some(&test), &fit)?;
    let mut line = yes_or_no(&[2, 1], 0.1, Identity, Init::GlorotNormal, args.seed())?;
    learn(lab, "a line", &mut line, &train, None, &fit)?;

    let mut table = Table::new(&["network", "training loss", "accuracy", "test loss", "accuracy"]);
    for (name, key, network) in [("2-1", "line", &line), (&*sizes(&layers), "moons", &network)] {
        let scores = [network.score(&train)?, network.score(&test)?];
        let mut row = vec![name.to_owned()];
        for score in scores {
            row.extend([
                number(score.loss),
                percent(score.accuracy().ok_or("moons have classes")?),
            ]);
        }
        table.push(row);
        let accuracy = network.score(&test)?.accuracy().ok_or("moons have classes")?;
        lab.near(&format!("moons_{key}_accuracy"), accuracy, 1e-3);
    }
    lab.say(format!(
        "500 samples with noise {noise}, {} epochs in batches of 32; 2000 new samples for the test.",
        fit.epochs
    ));
    lab.table(&table);
    lab.say("The moons overlap a little, so that no boundary has all samples on the right side.");
    lab.figure(
        "moons",
        &format!(
            "What a {} network with {} takes for each class after {} epochs on 500 samples of two \
             moons (noise {noise}). The boundary is where ŷ = ½.",
            sizes(&layers),
            args.activation.name(),
            fit.epochs
        ),
        "Two interlocking half-moons of points. The boundary between the coloured regions winds \
         between them in an S, with a few points of each class on the wrong side.",
        &regions(&network, &train, &["upper moon", "lower moon"])?,
    )?;
    let validation = Some(history.validation_loss);
    Ok(Curve { name: "Two moons", key: "moons", loss: history.loss, validation, floor: None })
}

/// Three classes that wind around each other.
pub fn three_spirals(args: &Args, lab: &mut Lab) -> Result<Curve> {
    lab.section("spirals", "Three spirals")?;
    let (arms, noise) = (3, 0.02);
    let train = toy::spirals(600, arms, noise, args.seed())?;
    let test = toy::spirals(1500, arms, noise, args.test_seed())?;
    let fit = args.fit(200, 32);
    let layers = [2, args.hidden, args.hidden, arms];
    let mut network = args.network(&layers, Softmax, CategoricalCrossEntropy, 0.02)?;
    let history = learn(lab, "spirals", &mut network, &train, Some(&test), &fit)?;

    let score = network.score(&test)?;
    let accuracy = score.accuracy().ok_or("spirals have classes")?;
    let confusion = score.confusion.ok_or("spirals have classes")?;
    let mut table = Table::new(&["true class", "taken for 0", "for 1", "for 2"]);
    for (class, counts) in confusion.rows().into_iter().enumerate() {
        let cells = counts.iter().map(usize::to_string);
        table.push(std::iter::once(class.to_string()).chain(cells).collect());
    }
    lab.say(format!(
        "600 samples with noise {noise}, {} epochs in batches of 32, a {} network. Of 1500 new\n\
         samples:",
        fit.epochs,
        sizes(&layers)
    ));
    lab.table(&table);
    let (trace, total) = (confusion.diag().sum(), confusion.sum());
    let near_centre = mistakes_near_centre(&network, &test)?;
    lab.say(format!(
        "On the diagonal are {trace} of {total}: an accuracy of {}. {} of the {} mistakes lie within\n\
         0.2 of the centre, where the arms meet.",
        percent(accuracy),
        near_centre,
        total - trace,
    ));
    lab.near("spirals_mistakes_near_centre", near_centre as f64, 0.05);
    lab.near("spirals_right", trace as f64, 5e-4);
    lab.near("spirals_mistakes", (total - trace) as f64, 0.05);
    lab.near("spirals_accuracy", accuracy, 1e-3);
    lab.near("spirals_loss", score.loss, 1e-6);
    lab.figure(
        "spirals",
        &format!(
            "What a {} network with {} takes for each of three classes after {} epochs on 600 \
             samples (noise {noise}).",
            sizes(&layers), args.activation.name(), fit.epochs
        ),
        "Three arms of points wind out of a common centre by three quarters of a turn. Three coloured \
         regions follow them; only near the centre do some points lie in a wrong one.",
        &regions(&network, &train, &["class 0", "class 1", "class 2"])?,
    )?;
    let validation = Some(history.validation_loss);
    Ok(Curve { name: "Three spirals", key: "spirals", loss: history.loss, validation, floor: None })
}

/// How many samples closer than 0.2 to the origin are taken for a wrong class.
fn mistakes_near_centre(network: &NeuralNetwork<f64>, samples: &Samples<f64>) -> Result<usize> {
    let labels = network.predict_labels(samples.x())?;
    let rows = samples.x().rows().into_iter().zip(samples.y().rows()).zip(labels);
    let wrong = |((x, y), label): &((ArrayView1<f64>, ArrayView1<f64>), usize)| {
        x[0].hypot(x[1]) < 0.2 && y[*label] == 0.0
    };
    Ok(rows.filter(wrong).count())
}

/// A curve through noisy points.
pub fn a_sine(args: &Args, lab: &mut Lab) -> Result<Curve> {
    lab.section("sine", "A sine")?;
    let noise = 0.15;
    let train = toy::sine(200, noise, args.seed())?;
    let test = toy::sine(1000, noise, args.test_seed())?;
    let fit = args.fit(1000, 200);
    let layers = [1, args.hidden, args.hidden, 1];
    let mut network = args.network(&layers, Elementwise(Identity), MeanSquaredError, 0.02)?;
    let history = learn(lab, "sine", &mut network, &train, Some(&test), &fit)?;

    let (train_loss, test_loss) = (network.score(&train)?.loss, network.score(&test)?.loss);
    let pi = std::f64::consts::PI;
    let inside = mean_square_distance(&network, -pi, pi)?.sqrt();
    let outside = mean_square_distance(&network, pi, 2.0 * pi)?.sqrt();
    let table = Table::new(&["", "value"])
        .row(["mean squared error on the 200 samples", &number(train_loss)])
        .row(["on 1000 new samples", &number(test_loss)])
        .row(["variance of the noise, which nobody can learn", &number(noise * noise)])
        .row(["distance from the true sine, root mean square", &number(inside)])
        .row(["the same from π to 2π, where there was no sample", &number(outside)]);
    lab.table(&table);
    let found = if inside < 0.1 { "found" } else { "has not yet found" };
    lab.say(format!(
        "The network {found} the sine behind the noise. Of what lies outside the samples it knows\n\
         nothing, and gives no sign of it.",
    ));
    for (name, value) in [("train", train_loss), ("test", test_loss), ("noise", noise * noise)] {
        lab.near(&format!("sine_{name}_loss"), value, 1e-6);
    }
    lab.near("sine_distance", inside, 1e-6);
    // The noise and the distance from the curve add up, as their product has mean 0.
    lab.near("sine_expected_loss", noise * noise + inside * inside, 1e-6);
    lab.near("sine_distance_outside", outside, 1e-6);
    let xs: Vec<f64> = (-200..=200).map(|i| f64::from(i) / 100.0 * pi).collect();
    let fitted = network.predict(&column(&xs))?;
    lab.figure(
        "sine",
        &format!(
            "A {} network with {} after {} epochs on 200 samples of y = sin x with noise {noise}. The \
             samples lie between the vertical lines, at −π and π.",
            sizes(&layers), args.activation.name(), fit.epochs
        ),
        "Noisy points scatter about one period of a sine. The fitted curve runs through their middle, close \
         to the dashed true sine, and leaves it beyond the last points on either side.",
        &Lines::new("x", "y")
            .points("samples", column_of(&train, true), column_of(&train, false))
            .dashed("sin x", xs.iter().copied(), xs.iter().map(|x| x.sin()))
            .series("network", xs.iter().copied(), fitted.iter().copied())
            .vertical("−π", -pi)
            .vertical("π", pi),
    )?;
    let (validation, floor) = (Some(history.validation_loss), Some(noise * noise));
    Ok(Curve { name: "A sine", key: "sine", loss: history.loss, validation, floor })
}

fn column(xs: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((xs.len(), 1), |(i, _)| xs[i])
}

fn column_of(samples: &Samples<f64>, x: bool) -> Vec<f64> {
    if x { samples.x().column(0).to_vec() } else { samples.y().column(0).to_vec() }
}

/// The mean of (ŷ − sin x)² from `lo` to `hi`.
fn mean_square_distance(network: &NeuralNetwork<f64>, lo: f64, hi: f64) -> Result<f64> {
    let xs: Vec<f64> = (0..1000).map(|i| lo + (hi - lo) * (f64::from(i) + 0.5) / 1000.0).collect();
    let y_hat = network.predict(&column(&xs))?;
    Ok(xs.iter().zip(&y_hat).map(|(x, y_hat)| (y_hat - x.sin()).powi(2)).sum::<f64>() / 1000.0)
}

/// The losses of all four.
pub fn all_losses(curves: &[Curve], lab: &mut Lab) -> Result<()> {
    lab.section("losses", "Four trainings")?;
    let mut table = Table::new(&["problem", "epoch 1", "a tenth", "a half", "last", "test, last"]);
    let mut panels = Panels::new(2);
    for Curve { name, key, loss, validation, floor } in curves {
        let n = loss.len();
        let at = [1, n.div_ceil(10), n.div_ceil(2), n].map(|epoch| number(loss[epoch - 1]));
        let test = validation.as_ref().map_or("–".into(), |losses| number(losses[n - 1]));
        table.push([vec![(*name).to_owned()], at.into(), vec![test]].concat());
        lab.near(&format!("losses_{key}"), loss[n - 1], 1e-6);
        let mut lines = Lines::new("epoch", "mean loss").log_y();
        lines = lines.series("training", epochs(n), loss.iter().copied());
        if let Some(losses) = validation {
            lines = lines.dashed("test", epochs(n), losses.iter().copied());
        }
        if let Some(floor) = floor {
            lines = lines.horizontal("noise", *floor);
        }
        panels = panels.panel(name, lines);
    }
    lab.say("The mean loss of the training samples by epoch, as they were met.");
    lab.table(&table);
    lab.figure(
        "losses",
        "Mean loss of each epoch (training) and after it (test) for the four problems.",
        "Four panels with falling curves on logarithmic axes. XOR falls smoothly without end. The \
         training losses of moons and spirals keep falling in jitters while the test losses level out. \
         The sine's losses come to rest at a dotted line, the variance of the noise.",
        &panels,
    )
}

//! The chapter's network: how it learns, and what it makes of a digit.

use gradus::{Mnist, Network, Sequential};
use lab::{Images, Lab, Lines, Panels, Result, Table};
use ndarray::{Array3, s};

use crate::digits::{IMAGES, first};
use crate::kernel::around_grey;
use crate::networks::{self, BATCH, EPOCHS, MOMENTUM, RATE, Trained, step, train};
use crate::shifted::{Dense, SHOWN, last};

/// Over how many batches the losses in the figure are averaged.
const WIDTH: usize = 50;

/// Trains the network on as many digits as the dense one had.
pub fn on_digits(
    seed: u64,
    images: &Mnist,
    dense: &Dense,
    lab: &mut Lab,
) -> Result<Sequential<f32>> {
    let mut network = networks::small(seed)?;
    let (source, fit) = (first(images, IMAGES)?, networks::fit(seed));
    let trained = train(lab, "convolutional", &mut network, &source, Some(&images.test), &fit)?;
    lab.section("network", "A convolutional network")?;
    lab.section_near(0.05);
    let mut table = Table::new(&["layer", "parameters", "leaves"]);
    for (i, layer) in network.layers().iter().enumerate() {
        let [name, output] = step(&**layer, network.output_shape(i));
        table.push(vec![name, network.range(i).len().to_string(), output]);
    }
    lab.table(&table);
    let thousands = lab::text::thousands;
    lab.say(format!(
        "\nIn all {} parameters; the dense network has {}. The same {} digits, {EPOCHS} epochs,\n\
         batches of {BATCH}, momentum {MOMENTUM} and rate {RATE}:\n",
        thousands(network.params().len()),
        thousands(dense.network.params().len()),
        thousands(IMAGES),
    ));
    let mut table = Table::new(&["epoch", "dense: loss", "test", "convolutional: loss", "test"]);
    for epoch in 0..EPOCHS {
        let cells = [&dense.trained, &trained].map(|trained| {
            let history = &trained.history;
            let accuracy = 100.0 * history.validation_accuracy[epoch];
            [format!("{:.4}", history.loss[epoch]), format!("{accuracy:.2} %")]
        });
        table.push([vec![(epoch + 1).to_string()], cells.concat()].concat());
    }
    lab.table(&table);
    let (theirs, ours) = (last(&dense.trained)?, last(&trained)?);
    lab.say(format!(
        "\nOf the {} test digits the dense network misreads {}, the convolutional one {}.",
        thousands(images.test.labels().len()),
        thousands(mistakes(images, theirs)),
        thousands(mistakes(images, ours)),
    ));
    lab.exact("parameters", network.params().len());
    lab.near("accuracy", ours, 0.01);
    lab.near("mistakes", mistakes(images, ours) as f64, 0.3);
    lab.near("dense_mistakes", mistakes(images, theirs) as f64, 0.15);
    curves(lab, &dense.trained, &trained)?;
    Ok(network)
}

fn mistakes(images: &Mnist, accuracy: f64) -> usize {
    ((1.0 - accuracy) * images.test.labels().len() as f64).round() as usize
}

/// How both networks learn.
fn curves(lab: &mut Lab, dense: &Trained, convolutional: &Trained) -> Result<()> {
    let both = [("dense", dense), ("convolutional", convolutional)];
    let mut loss = Lines::new("digits seen", "loss").log_y();
    let mut error = Lines::new("epoch", "test digits misread, in %").log_y();
    for (name, trained) in both {
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        let means = trained.losses.chunks_exact(WIDTH).map(mean);
        let seen = (1..).map(|k: i32| f64::from(k) * (WIDTH * BATCH) as f64);
        loss = loss.series(name, seen, means);
        let misread = trained.history.validation_accuracy.iter().map(|right| 100.0 * (1.0 - right));
        error = error.series(name, (1..).map(f64::from), misread);
    }
    lab.figure(
        "curves",
        &format!(
            "The dense and the convolutional network on the same {} digits. Left: the loss of \
             the batches, each point the mean of {WIDTH}. Right: the share of the test digits that is \
             misread after each epoch. Both axes upwards are logarithmic.",
            lab::text::thousands(IMAGES)
        ),
        "Two plots with two falling curves each. On both, the convolutional network is below the \
         dense one from the first points on; at the end it misreads less than half as many digits.",
        &Panels::new(2).panel("while it learns", loss).panel("on test digits", error),
    )
}

/// The weights of the first convolution.
fn filters(lab: &mut Lab, network: &Sequential<f32>) -> Result<()> {
    let params = network.layer_params(0);
    let channels = network.output_shape(0).channels();
    let weights = params.slice(s![..25 * channels]);
    let mut figure = Images::new(channels);
    for channel in 0..channels {
        let weights = weights.iter().skip(channel).step_by(channels).map(|&w| f64::from(w));
        figure = figure.image(&around_grey(weights), &format!("channel {channel}"), false);
    }
    lab.figure(
        "filters",
        "The weights of the first convolution after training: 5 × 5 for each of its eight channels. \
         Grey is 0, dark is positive, light is negative; each image has a scale of its own.",
        "Eight small images of 25 squares. Most have a dark side and a light side, upright, level or \
         slanted: detectors of strokes and edges in different directions.",
        &figure,
    )
}

/// One digit, layer by layer.
pub fn layer_by_layer(images: &Mnist, network: &Sequential<f32>, lab: &mut Lab) -> Result<()> {
    lab.section("maps", "One digit, layer by layer")?;
    lab.section_machine();
    filters(lab, network)?;
    let x = images.test.bytes().slice(s![SHOWN..=SHOWN, ..]).mapv(|byte| f32::from(byte) / 255.0);
    let passage = network.forward(&x)?;
    let mut figure = Images::new(8);
    let mut table = Table::new(&["after", "numbers", "zeros"]);
    let names = ["convolution 1", "ReLU", "pooling", "convolution 2", "ReLU", "pooling"];
    for (layer, name) in names.into_iter().enumerate() {
        let gradus::Shape::Image { height, width, channels } = network.output_shape(layer) else {
            return Err("these layers give images".into());
        };
        let y = passage.y[layer].row(0).mapv(f64::from);
        let zeros = y.iter().filter(|&&v| v == 0.0).count();
        let share = 100.0 * zeros as f64 / y.len() as f64;
        table.push(vec![name.into(), y.len().to_string(), format!("{share:.0} %")]);
        if name.starts_with("convolution") {
            continue;
        }
        let y: Array3<f64> = y.into_shape_with_order((height, width, channels))?;
        let name = if name == "ReLU" { "ReLU" } else { "pool" };
        let title = |channel| format!("{name} {}: {channel}", 1 + layer / 3);
        let most = y.iter().copied().fold(1e-12, f64::max);
        for channel in 0..channels {
            let map = y.slice(s![.., .., channel]).to_owned();
            // All maps of a layer on one scale.
            let pixels = map.iter().map(|v| (255.0 * v / most).round() as u8).collect::<Vec<_>>();
            figure = figure.image(&pixels, &title(channel), false);
        }
    }
    lab.say("The first test digit on its way through the network:\n");
    lab.table(&table);
    lab.figure(
        "maps",
        "The first test digit on its way through the network: the 8 feature maps after the first \
         convolution and ReLU, the same after pooling, and the 16 of the second convolution, before \
         and after pooling. The number after the colon is that of the channel; the maps of a layer \
         share a scale, from 0 (light) to the largest (dark).",
        "Six rows of eight images. The first row shows a seven eight times, each time other edges of \
         it; the second the same, coarser. The next two rows hold 16 maps of 8 × 8 with a few dark \
         spots, the last two the same in 4 × 4: no longer a seven to the eye.",
        &figure,
    )?;
    Ok(())
}

/// The pairs it confuses most, and the mistakes that it was surest of.
pub fn what_it_misreads(images: &Mnist, network: &Sequential<f32>, lab: &mut Lab) -> Result<()> {
    lab.section("misread", "What it misreads")?;
    lab.section_machine();
    let y_hat = network.predict(&images.test.inputs())?;
    let said = network.predict_labels(&images.test.inputs())?;
    let is = |row: usize| usize::from(images.test.labels()[row]);
    let mut wrong: Vec<usize> = (0..said.len()).filter(|&row| said[row] != is(row)).collect();
    wrong.sort_by(|&a, &b| y_hat[[b, said[b]]].total_cmp(&y_hat[[a, said[a]]]));
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for (class, taken) in (0..10).flat_map(|class| (0..10).map(move |taken| (class, taken))) {
        let count = wrong.iter().filter(|&&row| (is(row), said[row]) == (class, taken)).count();
        pairs.push((count, class, taken));
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then(a.cmp(b)));
    let mut table = Table::new(&["is", "said", "times"]);
    for (count, class, taken) in pairs.iter().take(5) {
        table.push([class, taken, count].map(usize::to_string).to_vec());
    }
    lab.say("The five pairs it confuses most often:\n");
    lab.table(&table);
    let mut figure = Images::new(5);
    for &row in wrong.iter().take(10) {
        let title = format!("said {}, is {}", said[row], is(row));
        figure = figure.image(&images.test.bytes().row(row).to_vec(), &title, false);
    }
    lab.figure(
        "mistakes",
        "The ten mistakes that the network was surest of: what it took the digit for, and what the \
         digit is.",
        "Ten handwritten digits that are hard to read: broken, slanted or half closed strokes.",
        &figure,
    )
}

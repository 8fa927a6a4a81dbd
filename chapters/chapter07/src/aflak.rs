//! The network of a tutorial: one convolution with one channel, on a thousand digits.

use gradus::{
    Activate, Convolution, Dense, Fit, Flatten, GradientDescent, Init, MeanSquaredError, Mnist,
    Network, Sequential, Shape, Tanh, layers,
};
use lab::{Lab, Result, Table};

use crate::digits::first;
use crate::networks::{step, train};

/// How many digits it learns from, and how often.
const DIGITS: usize = 1000;
const EPOCHS: usize = 100;

// ANCHOR: aflak
/// One convolution with one channel, and two dense layers.
fn network(seed: u64) -> gradus::Result<Sequential<f32>> {
    let layers = layers![
        Convolution::new(1, 3, Init::GlorotNormal)?,
        Activate(Tanh),
        Flatten,
        Dense::new(100, Init::GlorotNormal)?,
        Activate(Tanh),
        Dense::new(10, Init::GlorotNormal)?,
        Activate(Tanh),
    ];
    let input = Shape::image(28, 28, 1);
    let descent = GradientDescent::new(0.1)?;
    Sequential::new(input, layers, MeanSquaredError, descent, seed)
}
// ANCHOR_END: aflak

/// A thousand digits, one at a time.
pub fn a_thousand_digits(seed: u64, images: &Mnist, lab: &mut Lab) -> Result<()> {
    let mut network = network(seed)?;
    let fit = Fit { batch_size: 1, epochs: EPOCHS, seed, ..Fit::default() };
    let trained = train(lab, "one at a time", &mut network, &first(images, DIGITS)?, None, &fit)?;
    lab.section("aflak", "The tutorial's network")?;
    lab.section_near(0.05);
    let mut table = Table::new(&["layer", "parameters", "leaves"]);
    for (i, layer) in network.layers().iter().enumerate() {
        let [name, output] = step(&**layer, network.output_shape(i));
        table.push(vec![name, network.range(i).len().to_string(), output]);
    }
    lab.table(&table);
    let score = network.score(&images.test)?;
    let learned = network.score(&first(images, DIGITS)?)?;
    let accuracy = score.accuracy().ok_or("digits have classes")?;
    let known = learned.accuracy().ok_or("digits have classes")?;
    let losses = &trained.history.loss;
    let end = losses.last().copied().unwrap_or_default();
    lab.say(format!(
        "\nThe first {DIGITS} digits, one at a time, {EPOCHS} epochs, rate 0.1: the mean squared error falls\n\
         from {:.4} in the first epoch to {end:.4} in the last. Of the {DIGITS} digits it learned from the\n\
         network reads {:.1} %, of the {} test digits {:.1} %.",
        losses[0],
        100.0 * known,
        lab::text::thousands(images.test.labels().len()),
        100.0 * accuracy,
    ));
    lab.exact("aflak_parameters", network.params().len());
    lab.exact("aflak_epochs", EPOCHS);
    lab.near("aflak_first_loss", losses[0], 0.005);
    lab.near("aflak_last_loss", end, 0.005);
    lab.near("aflak_accuracy", accuracy, 0.02);
    lab.near("aflak_known", known, 0.02);
    Ok(())
}

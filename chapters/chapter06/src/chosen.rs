//! Activations chosen layer by layer.

use gradus::{
    Activate, CategoricalCrossEntropy, Dense, Fit, Init, Layer, Momentum, Network, Output, Relu,
    Sequential, Shape, Sigmoid, Softmax, Tanh, toy, train,
};
use lab::text::number;
use lab::{HeatMap, Lab, Result, Table};
use ndarray::Array2;

use crate::args::Args;

/// The activations to choose from.
const NAMES: [&str; 3] = ["sigmoid", "tanh", "ReLU"];

/// Over how many seeds a loss is averaged.
const SEEDS: u64 = 5;

/// A dense layer and its activation.
fn stage(units: usize, name: &str) -> gradus::Result<Vec<Box<dyn Layer<f64>>>> {
    let init = if name == "ReLU" { Init::He } else { Init::GlorotNormal };
    let activation: Box<dyn Layer<f64>> = match name {
        "sigmoid" => Box::new(Activate(Sigmoid)),
        "tanh" => Box::new(Activate(Tanh)),
        _ => Box::new(Activate(Relu)),
    };
    Ok(vec![Box::new(Dense::new(units, init)?), activation])
}

/// Nine networks, of which chapter 4 could make three.
pub fn layer_by_layer(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("chosen", "An activation for each layer")?;
    let spirals = toy::spirals::<f64>(300, 3, 0.04, args.common.seed)?;
    let mut losses = Array2::zeros((3, 3));
    let mut accuracies = Array2::zeros((3, 3));
    for ((i, j), mean) in losses.indexed_iter_mut() {
        for seed in 1..=SEEDS {
            let mut layers = stage(16, NAMES[i])?;
            layers.extend(stage(16, NAMES[j])?);
            layers.push(Box::new(Dense::new(3, Init::GlorotNormal)?));
            layers.push(Box::new(Output(Softmax)));
            let (input, momentum) = (Shape::Vector(2), Momentum::new(0.05, 0.9)?);
            let mut network =
                Sequential::new(input, layers, CategoricalCrossEntropy, momentum, seed)?;
            let fit = Fit { epochs: 100, batch_size: 32, seed, ..Fit::default() };
            network.fit(&spirals, &fit, None, &mut train::silent)?;
            let score = network.score(&spirals)?;
            *mean += score.loss / SEEDS as f64;
            accuracies[[i, j]] += score.accuracy().unwrap_or(f64::NAN) / SEEDS as f64;
        }
    }
    let mut table = Table::new(&["first hidden layer", "then sigmoid", "then tanh", "then ReLU"]);
    for (i, name) in NAMES.into_iter().enumerate() {
        let cells = (0..3).map(|j| {
            let percent = 100.0 * accuracies[[i, j]];
            format!("{} ({percent:.0} %)", number(losses[[i, j]]))
        });
        table.push(std::iter::once(name.to_owned()).chain(cells).collect());
        for (j, then) in NAMES.into_iter().enumerate() {
            let key = format!("{name}_{then}").to_lowercase();
            lab.near(&format!("chosen_{key}_loss"), losses[[i, j]], 1e-3);
            lab.near(&format!("chosen_{key}_accuracy"), accuracies[[i, j]], 0.01);
        }
    }
    lab.say(format!(
        "Three spirals, 300 samples, 2-16-16-3 with softmax, 100 epochs of momentum (rate 0.05). The\n\
         activations of the two hidden layers are chosen one by one; the loss, and in brackets the\n\
         accuracy, on the samples it learned from, as the mean over {SEEDS} seeds:\n"
    ));
    lab.table(&table);
    lab.say("\nChapter 4 could make the three on the diagonal.");
    lab.section_near(1e-3);
    lab.figure(
        "chosen",
        &format!(
            "Cross-entropy on three spirals after 100 epochs, 2-16-16-3, for each choice of the two \
             hidden activations; mean over {SEEDS} seeds."
        ),
        "A grid of three by three losses. By far the darkest cell, 0.74, is that of two sigmoids; \
         the others with a sigmoid in the first layer, and tanh followed by sigmoid, are half as \
         dark or less; the remaining five are pale, with losses near 0.1.",
        &HeatMap::new("second hidden layer", "first hidden layer", &losses)
            .labels(NAMES, NAMES)
            .annotate(3),
    )
}

//! Where training starts.

use std::collections::BTreeSet;

use gradus::{Init, Network, NeuralNetwork, Relu, Tanh, toy};
use lab::{Lab, Lines, Panels, Result, Table};
use ndarray::Array1;

use crate::arguments::{Args, yes_or_no};
use crate::figures::epochs;
use crate::problems::learn;
use crate::text::percent;
use crate::variance::{LAYERS, SAMPLES, STARTS, WIDTH, measure};
use lab::text::number;

/// A program that misbehaves: all weights start at the same value.
pub fn eight_units_that_are_one(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("symmetry", "Eight hidden units that are one")?;
    lab.say("Exclusive or, a network of sizes 2-8-1 with tanh, 1000 epochs, from three starts.");
    let mut table = Table::new(&["start", "loss", "units that differ", "cases right"]);
    let fit = gradus::Fit { epochs: 1000, batch_size: 4, seed: args.seed(), ..Default::default() };
    let starts = [("all parameters 0", Some(0.0)), ("all 0.5", Some(0.5)), ("Glorot", None)];
    for ((name, value), key) in starts.into_iter().zip(["zero", "half", "glorot"]) {
        let mut network = yes_or_no(&[2, 8, 1], 0.1, Tanh, Init::GlorotNormal, args.seed())?;
        if let Some(value) = value {
            network.set_params(&Array1::from_elem(network.params().len(), value))?;
        }
        let history = learn(lab, name, &mut network, &toy::xor(), None, &fit)?;
        let loss = history.loss[999];
        let units = different_units(&network);
        let accuracy = network.score(&toy::xor())?.accuracy().ok_or("XOR has classes")?;
        let right = (4.0 * accuracy).round();
        table.push(vec![name.into(), number(loss), units.to_string(), right.to_string()]);
        lab.near(&format!("symmetry_{key}_loss"), loss, 1e-6);
        lab.exact(&format!("symmetry_{key}_units"), units);
        lab.exact(&format!("symmetry_{key}_right"), right);
    }
    lab.table(&table);
    lab.say(
        "Units that start alike receive the same gradient, take the same step, and stay alike: eight\n\
         units compute one number. From zero not even that one can move: every weight's gradient is a\n\
         product with a zero, and the output's bias already fits, as half of the targets are 1. The\n\
         loss stays at ln 2 = 0.6931. Random weights break the tie.",
    );
    Ok(())
}

/// How many hidden units of a 2-8-1 network have weights of their own.
fn different_units(network: &NeuralNetwork<f64>) -> usize {
    let bits = |unit: usize| {
        let weights = network.weights(0).column(unit).mapv(f64::to_bits).to_vec();
        (weights, network.biases(0)[unit].to_bits())
    };
    (0..8).map(bits).collect::<BTreeSet<_>>().len()
}

/// What the variance of the weights does to the size of the numbers.
pub fn layer_by_layer(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("variance", "How large should random be?")?;
    lab.say(format!(
        "{SAMPLES} samples of normal numbers pass {LAYERS} layers of {WIDTH} units with ReLU. The root mean\n\
         square of z changes by a factor from layer to layer; the derivation says by which.",
    ));
    let header = [
        "weights",
        "Var(w) · fan_in",
        "factor derived",
        "in layers 0 to 2",
        "z in layer 9",
        "of it by sample",
    ];
    let mut table = Table::new(&header);
    let (mut relu, mut tanh) = (panels("ReLU"), panels("tanh"));
    for (name, key, start) in STARTS {
        let sizes = measure(Relu, start, args.seed())?;
        let fan_in_variance = start.variance() * WIDTH as f64;
        let derived = (fan_in_variance / 2.0).sqrt();
        // Over the first layers: Lazar's biases take over further down.
        let measured = (sizes.forward[2] / sizes.forward[0]).sqrt();
        let last = sizes.forward[LAYERS - 1];
        let row = [number(fan_in_variance), number(derived), number(measured), number(last)];
        let signal = percent(sizes.spread / last);
        table.push([vec![name.into()], row.into(), vec![signal]].concat());
        lab.near(&format!("variance_{key}_derived"), derived, 1e-12);
        lab.near(&format!("variance_{key}_measured"), measured, 1e-9);
        lab.near(&format!("variance_{key}_last"), last, 1e-9);
        lab.near(&format!("variance_{key}_signal"), sizes.spread / last, 1e-9);
        relu = with_curves(relu, name, &sizes);
        tanh = with_curves(tanh, name, &measure(Tanh, start, args.seed())?);
    }
    lab.table(&table);
    // Half of what arrives is lost to the weights and half to ReLU; the biases add 1 / (2 · 256).
    lab.near("variance_lazar_floor", (2.0 / (3.0 * WIDTH as f64)).sqrt(), 1e-12);
    lab.say(
        "ReLU halves the mean square, and He's variance of 2 / fan_in pays for it. The tutorial's\n\
         weights lose half of the size in each layer, until its random biases are all that is\n\
         left of z: the last column says how much of z still depends on the sample. It is never\n\
         all, because what ReLU lets through is positive: all samples share a large part. (The\n\
         factors measured are those of one network, and stray by a few per cent.)",
    );
    lab.figure(
        "variance",
        &format!(
            "Root mean square of z on the way forward and of ∂L/∂z on the way back (as a multiple of \
             the last layer's), in {LAYERS} layers of {WIDTH} units, for five initialisations. {SAMPLES} samples."
        ),
        "Four panels with logarithmic vertical axes. With ReLU, on the way forward, He's line is level, \
         Glorot's falls gently, Lazar's falls faster and then flattens, and those of weights that are \
         too small or too large fall and rise by many powers of ten. On the way back the lines \
         mirror this. With tanh Glorot's line sinks a little, and large weights saturate it.",
        &relu.into_iter().chain(tanh).fold(Panels::new(2), |all, (title, p)| all.panel(&title, p)),
    )
}

fn panels(activation: &str) -> Vec<(String, Lines)> {
    vec![
        (
            format!("{activation}, forward"),
            Lines::new("layer", "size of z").log_y().y_range(1e-10, 1e5),
        ),
        (
            format!("{activation}, backward"),
            Lines::new("layer", "size of ∂L/∂z").log_y().y_range(1e-10, 1e5),
        ),
    ]
}

fn with_curves(
    panels: Vec<(String, Lines)>,
    name: &str,
    sizes: &crate::variance::Sizes,
) -> Vec<(String, Lines)> {
    let curves = [&sizes.forward, &sizes.backward];
    let layers = (0..LAYERS).map(|layer| layer as f64);
    let add = |((title, lines), curve): ((String, Lines), &Vec<f64>)| {
        (title, lines.series(name, layers.clone(), curve.iter().copied()))
    };
    panels.into_iter().zip(curves).map(add).collect()
}

/// The same starts, trained.
pub fn what_the_start_costs(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("start", "What a bad start costs")?;
    let sizes = [2, 32, 32, 32, 32, 32, 32, 32, 1];
    let train = toy::moons(400, 0.15, args.seed())?;
    let fit = gradus::Fit { epochs: 60, seed: args.seed(), ..Default::default() };
    let mut table = Table::new(&["weights", "loss, epoch 1", "epoch 20", "epoch 60", "right"]);
    let mut lines = Lines::new("epoch", "mean loss");
    for (name, key, start) in STARTS.iter().filter(|(_, key, _)| *key != "large") {
        let mut network =
            start.network(&sizes, |sizes, init| yes_or_no(sizes, 0.02, Relu, init, args.seed()))?;
        let history = learn(lab, name, &mut network, &train, None, &fit)?;
        let right = network.score(&train)?.accuracy().ok_or("moons have classes")?;
        let cells = [0, 19, 59].map(|epoch| number(history.loss[epoch]));
        table.push([vec![(*name).into()], cells.into(), vec![percent(right)]].concat());
        lab.near(&format!("start_{key}_first"), history.loss[0], 1e-6);
        lab.near(&format!("start_{key}_epoch_20"), history.loss[19], 1e-6);
        lab.near(&format!("start_{key}_loss"), history.loss[59], 1e-6);
        lab.near(&format!("start_{key}_accuracy"), right, 1e-3);
        lines = lines.series(name, epochs(60), history.loss);
    }
    // With few layers there is little to choose.
    for hidden in [1, 2] {
        let sizes = [&[2][..], &vec![32; hidden], &[1]].concat();
        for (key, init) in [("lazar", Init::Lazar), ("he", Init::He)] {
            let mut network = yes_or_no(&sizes, 0.02, Relu, init, args.seed())?;
            let history = learn(lab, "a shallow network", &mut network, &train, None, &fit)?;
            lab.near(&format!("start_{hidden}_{key}_epoch_20"), history.loss[19], 1e-6);
        }
    }
    lab.say("Seven hidden layers of 32 ReLU units, two moons (400 samples), 60 epochs.");
    lab.table(&table);
    lab.say(
        "Through weights × 0.01 so little of the sample arrives at the output, and so little of the\n\
         gradient comes back, that 60 epochs change next to nothing. The others differ in when they\n\
         begin to learn.",
    );
    lab.figure(
        "start",
        "Two moons, learned by a network of seven hidden layers of 32 ReLU units, from four \
         initialisations. Rate 0.02, momentum 0.9, batches of 32.",
        "The curve of weights × 0.01 stays level at 0.69 throughout. Lazar's stays there for some ten epochs \
         before it falls. Glorot's and He's fall from the start; all three end near 0.",
        &lines,
    )
}

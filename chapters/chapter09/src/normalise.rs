//! Batch normalisation: ten layers that need no lucky start.

use gradus::{Float, Init, Model, Network, Sequential, Share, Subset};
use lab::text::number;
use lab::{Lab, Lines, Panels, Result, Table};
use ndarray::{Array1, Array2, Axis, s};

use crate::deep::{EPOCHS, Hidden, IMAGES, RATE, STARTS, Start, WIDTH, rows};
use crate::digits::{self, Digits};
use crate::stats::{epochs, percent};

/// The rates that are compared.
const RATES: [f64; 5] = [0.003, 0.01, 0.03, 0.3, 1.0];

/// The start of the networks whose rates are compared.
const HE: Start = Start::Of(Init::He);

/// The same ten layers at larger and larger rates.
pub fn rates(digits: &Digits, seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("rates", "Larger and larger rates")?;
    lab.section_machine(); // far up, the last bit decides how a training ends
    let (few, new) = (digits.few::<f32>(IMAGES)?, digits.others(2000)?);
    let mut table = Table::new(&["rate", "plain: loss", "new digits right", "normalised", "right"]);
    let mut panels = Panels::new(2);
    let mut largest = [0.0_f64; 2];
    let (mut plain, mut normalised) = (curves(), curves());
    for rate in RATES {
        let mut cells = vec![rate.to_string()];
        for (side, lines) in [&mut plain, &mut normalised].into_iter().enumerate() {
            let mut network = HE.network(Hidden::Relu, side == 1, rate, seed)?;
            let history = digits::learn(&mut network, &few, None, EPOCHS, seed)?;
            let accuracy = match history {
                Some(_) => network.evaluate(&new).ok().and_then(|score| score.1).unwrap_or(0.0),
                None => 0.0,
            };
            let Some(history) = history.filter(|_| accuracy > 0.5) else {
                cells.extend(["nowhere".into(), "–".into()]);
                continue;
            };
            let loss = history.loss[EPOCHS - 1];
            largest[side] = largest[side].max(rate);
            cells.extend([number(loss), percent(accuracy)]);
            *lines = lines.clone().series(&format!("rate {rate}"), epochs(EPOCHS), history.loss);
            let key = format!("rates_{}_{rate}", ["plain", "normalised"][side]).replace('.', "_");
            lab.near(&format!("{key}_loss"), loss, 0.1);
            lab.near(&format!("{key}_accuracy"), accuracy, 0.05);
        }
        table.push(cells);
    }
    lab.say(format!(
        "Ten layers with ReLU from He's start, {EPOCHS} epochs on {IMAGES} digits in batches of 50, with\n\
         momentum 0.9. Training loss of the last epoch and share of 2000 new digits, without and\n\
         with batch normalisation:\n",
    ));
    lab.table(&table);
    lab.near("rates_plain_largest", largest[0], 1e-9);
    lab.near("rates_normalised_largest", largest[1], 1e-9);
    lab.say(format!(
        "\n\"Nowhere\" is infinity, or a network that guesses. The largest of these rates that leads\n\
         somewhere is {} without and {} with it.",
        largest[0], largest[1],
    ));
    panels = panels.panel("plain", plain).panel("with batch normalisation", normalised);
    lab.figure(
        "rates",
        "Training loss of ten layers by epoch, at several learning rates, without batch normalisation \
         and with it. Rates that led nowhere are left out.",
        "Left: three curves, of rates up to 0.03, that fall to about 0.2. Right: four curves, of rates up \
         to 0.3, that fall as far.",
        &panels,
    )
}

fn curves() -> Lines {
    Lines::new("epoch", "mean loss").y_range(0.0, 2.6)
}

/// The same ten layers from good and bad starts.
pub fn starts(digits: &Digits, seed: u64, lab: &mut Lab) -> Result<Sequential<f32>> {
    lab.section("normalised", "Any start will do")?;
    lab.section_near(0.1);
    let (few, new) = (digits.few(IMAGES)?, digits.others(2000)?);
    let mut table = Table::new(&["weights", "loss, epoch 1", "2", "5", "10", "new digits right"]);
    let mut kept = None;
    for (name, key, start) in STARTS {
        let mut network = start.network(Hidden::Relu, true, RATE, seed)?;
        let history = digits::learn(&mut network, &few, None, EPOCHS, seed)?;
        let history = history.ok_or("a normalised training went to infinity")?;
        let accuracy = network.evaluate(&new)?.1.ok_or("digits have classes")?;
        let cells = [1, 2, 5, EPOCHS].map(|epoch| number(history.loss[epoch - 1]));
        table.push([vec![name.into()], cells.into(), vec![percent(accuracy)]].concat());
        lab.near(&format!("normalised_{key}_loss"), history.loss[EPOCHS - 1], 0.1);
        lab.near(&format!("normalised_{key}_accuracy"), accuracy, 0.1);
        kept = Some(network);
    }
    lab.say(format!(
        "The three starts that ten layers with ReLU had above, now with batch normalisation; rate\n\
         {RATE} as there:\n",
    ));
    lab.table(&table);
    Ok(kept.ok_or("there are three starts")?)
}

/// Which statistics to predict with.
pub fn statistics(
    network: &Sequential<f32>,
    digits: &Digits,
    seed: u64,
    lab: &mut Lab,
) -> Result<()> {
    lab.section("statistics", "Whose mean, whose variance?")?;
    lab.section_near(0.2); // in small batches a digit's neighbours decide
    let new = digits.others(2000)?;
    let (x, y) = rows(&new);
    let mut table = Table::new(&["predicted with the statistics of", "new digits right"]);
    for size in [1, 2, 5, 10, 50, 500] {
        let accuracy = in_batches(network, &x, &y, size);
        let name = if size == 1 { "the sample alone".into() } else { format!("batches of {size}") };
        table.push(vec![name, percent(accuracy)]);
        lab.near(&format!("statistics_batch_{size}"), accuracy, 0.05);
    }
    let running = network.evaluate(&new)?.1.ok_or("digits have classes")?;
    table.push(vec!["the training (running averages)".into(), percent(running)]);
    lab.near("statistics_running", running, 0.03);
    lab.say(
        "The last of these networks, after its training. With the statistics of the batch a digit is\n\
         read differently in other company; alone, it is its own mean, and every digit looks the same:\n",
    );
    lab.table(&table);
    running_averages(digits, seed, lab)
}

/// The share of rights if every batch is normalised by itself, as in training.
fn in_batches(network: &Sequential<f32>, x: &Array2<f32>, y: &Array2<f32>, size: usize) -> f64 {
    let mut trace = network.trace(size);
    let mut gradient = Array1::zeros(network.gradient_len());
    let mut right = 0;
    let batches = x.axis_chunks_iter(Axis(0), size).zip(y.axis_chunks_iter(Axis(0), size));
    for (x, y) in batches {
        network.gradient_into(&x, &y, Share::whole(x.nrows()), &mut trace, &mut gradient);
        let y_hat = network.y_hat(&trace, x.nrows());
        right += y_hat
            .rows()
            .into_iter()
            .zip(y.rows())
            .filter(|(y_hat, y)| {
                let most = (0..10).fold(0, |k, i| if y_hat[i] > y_hat[k] { i } else { k });
                y[most] == 1.0
            })
            .count();
    }
    right as f64 / x.nrows() as f64
}

/// How the running averages of one unit follow what the batches have.
fn running_averages(digits: &Digits, seed: u64, lab: &mut Lab) -> Result<()> {
    const STEPS: usize = 120;
    const UNIT: usize = 0;
    let few: Subset<f32> = digits.few(IMAGES)?;
    let (x, y) = rows(&few);
    let mut network = HE.network(Hidden::Relu, true, RATE, seed)?;
    let mut trace = network.trace(50);
    let mut gradient = Array1::zeros(network.gradient_len());
    let mut series: [Vec<f64>; 4] = Default::default();
    for step in 0..STEPS {
        let at = 50 * step % IMAGES;
        let (x, y) = (x.slice(s![at..at + 50, ..]), y.slice(s![at..at + 50, ..]));
        network.gradient_into(&x, &y, Share::whole(50), &mut trace, &mut gradient);
        // Layer 0 is dense, layer 1 normalises what leaves it.
        let entering = trace.y[0].column(UNIT).mapv(f64::from);
        let mean = entering.mean().unwrap_or_default();
        network.step(&gradient);
        let state = network.layers()[1].state();
        let running = |name: &str| state.vectors[name][UNIT];
        for (series, value) in series.iter_mut().zip([
            mean,
            entering.var(1.0),
            f64::from(running("running_mean")),
            f64::from(running("running_variance")),
        ]) {
            series.push(value);
        }
    }
    let [mean, variance, running_mean, running_variance] = series;
    let last = |values: &[f64]| values[STEPS - 1];
    lab.near("running_mean_last", last(&running_mean), 0.02);
    lab.near("running_variance_last", last(&running_variance), 0.05);
    lab.figure(
        "running",
        "Mean and variance (divided by n − 1) of what enters the batch normalisation of one unit of the \
         first layer, in each batch of 50 digits of a training, and the running averages, in which each \
         batch has a share of one tenth.",
        "Two panels. The points of the batches scatter; a curve goes through their middle, after it has \
         come from 0, or from 1, in the first thirty steps.",
        &Panels::new(2)
            .panel(
                "mean",
                Lines::new("step", "mean")
                    .points("batch", epochs(STEPS), mean)
                    .series("running average", epochs(STEPS), running_mean),
            )
            .panel(
                "variance",
                Lines::new("step", "variance")
                    .points("batch", epochs(STEPS), variance)
                    .series("running average", epochs(STEPS), running_variance),
            ),
    )
}

/// The weights before a normalisation can have any length.
pub fn scale_of_weights(digits: &Digits, seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("scale", "The scale of the weights")?;
    lab.section_near(1e-3); // ε is not quite nothing
    let few = digits.few::<f64>(200)?;
    let (x, y) = rows(&few);
    let mut table = Table::new(&[
        "weights of layer 5",
        "plain: loss",
        "‖∂L/∂W‖",
        "normalised: loss",
        "‖∂L/∂W‖",
    ]);
    for factor in [1.0, 10.0, 100.0] {
        let mut cells = vec![format!("times {factor}")];
        for (key, normalised) in [("plain", false), ("normalised", true)] {
            let mut network = HE.network(Hidden::Relu, normalised, RATE, seed)?;
            let range = weights_of_layer_5(&network);
            let mut params = network.params().clone();
            params.slice_mut(s![range.clone()]).mapv_inplace(|w| factor * w);
            network.set_params(&params)?;
            let (loss, gradient) = network.loss_and_gradient(&x, &y)?;
            let gradient = gradient.slice(s![range]);
            let length = gradient.dot(&gradient).sqrt();
            cells.extend([number(loss), number(length)]);
            lab.near(&format!("scale_{key}_{factor}_loss"), loss, 1e-3);
            lab.near(&format!("scale_{key}_{factor}_gradient"), length, 1e-3);
        }
        table.push(cells);
    }
    lab.say(
        "200 digits, ten layers with ReLU from He's start; only the weights of one layer grow:\n",
    );
    lab.table(&table);
    lab.say(
        "\nWith batch normalisation behind them the loss stays, and the derivative shrinks as the\n\
         weights grow: large weights take small steps.",
    );
    Ok(())
}

/// Where the weights of the fifth dense layer lie.
fn weights_of_layer_5<F: Float>(network: &Sequential<F>) -> std::ops::Range<usize> {
    let dense = (0..network.layers().len()).filter(|&i| network.layers()[i].name() == "dense");
    let start = dense.map(|i| network.range(i).start).nth(4).unwrap_or_default();
    start..start + WIDTH * WIDTH
}

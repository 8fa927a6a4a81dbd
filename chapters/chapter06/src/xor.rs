//! Exclusive or as published: how often it is learned, and where it stops.

use gradus::{Fit, Network, Sequential, toy, train};
use lab::text::{number, thousands};
use lab::{Lab, Lines, Panels, Regions, Result, Table};
use ndarray::{Array1, Array2};
use ndarray_linalg::{Eigh, UPLO};

use crate::args::Args;
use crate::loops::{Start, in_order, tanh_network};
use crate::tools::norm;

/// The tutorial's settings.
const SIZES: [usize; 3] = [2, 3, 1];
const EPOCHS: usize = 1000;
const RATE: f64 = 0.1;

/// How many curves the figure shows.
const SHOWN: usize = 10;

/// How many of those that rest are trained on.
const LOOKED: usize = 10;

/// From how many seeds the figures of one network are chosen: the first that fits.
const SEARCHED: u64 = 200;

/// After how many epochs the unfinished ones are looked at again.
const LATER: usize = 250;

/// The errors of answers that are shared: by all four cases, by three, by two.
const LEVELS: [(&str, &str, f64); 3] =
    [("1/4", "quarter", 0.25), ("1/6", "sixth", 1.0 / 6.0), ("1/8", "eighth", 0.125)];

/// One network after the published number of epochs.
struct Trained {
    network: Sequential<f64>,
    /// The parameters that it began with.
    start: Array1<f64>,
    /// The error of each epoch, as its four cases were met.
    met: Vec<f64>,
    /// The error of the four cases after each epoch; of the first seeds only.
    errors: Vec<f64>,
    /// The last of these, of every seed.
    error: f64,
    learned: bool,
}

fn learned(network: &Sequential<f64>) -> Result<bool> {
    Ok(network.score(&toy::xor())?.accuracy() == Some(1.0))
}

/// From many seeds, as the tutorial trains.
fn train_all(start: Start, seeds: u64) -> Result<Vec<Trained>> {
    let train = |seed| {
        let mut network = tanh_network(&SIZES, RATE, start, seed)?;
        let (start, mut errors) = (network.params().clone(), Vec::new());
        let met = in_order(&mut network, &toy::xor(), EPOCHS, |_, network| {
            if seed <= SHOWN as u64 {
                errors.push(network.score(&toy::xor())?.loss);
            }
            Ok(())
        })?;
        let error = network.score(&toy::xor())?.loss;
        Ok(Trained { learned: learned(&network)?, network, start, met, errors, error })
    };
    (1..=seeds).map(train).collect()
}

/// Both starts, from many seeds.
pub fn exclusive_or(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("xor", "Exclusive or, as published")?;
    let seeds = args.seeds;
    let starts = [(Start::Uniform, "published"), (Start::Glorot, "glorot")];
    let mut table = Table::new(&["", "uniform in ±½", "Glorot"]);
    let mut columns: Vec<Vec<String>> = Vec::new();
    let mut panels = Panels::new(2);
    let mut all = Vec::new();
    for (start, key) in starts {
        let runs = train_all(start, seeds)?;
        let count = |f: &dyn Fn(&Trained) -> bool| runs.iter().filter(|run| f(run)).count();
        let solved = count(&|run| run.learned);
        let first_ten = runs[..10].iter().filter(|run| run.learned).count();
        let mut epochs: Vec<usize> = runs.iter().filter_map(epoch_of).collect();
        epochs.sort_unstable();
        let median = epochs.get(epochs.len() / 2).copied().unwrap_or(EPOCHS);
        let at = |level: f64| count(&|run| !run.learned && (run.error - level).abs() < 0.02);
        let mut column =
            vec![format!("{first_ten} of 10"), format!("{solved} of {seeds}"), format!("{median}")];
        lab.exact(&format!("xor_{key}_first_ten"), first_ten);
        lab.exact(&format!("xor_{key}_solved"), solved);
        lab.exact(&format!("xor_{key}_share"), solved as f64 / seeds as f64);
        lab.exact(&format!("xor_{key}_epochs"), median);
        for (_, name, level) in LEVELS {
            column.push(at(level).to_string());
            lab.exact(&format!("xor_{key}_{name}"), at(level));
        }
        columns.push(column);
        let title =
            if start == Start::Uniform { "weights and biases uniform in ±½" } else { "Glorot" };
        panels = panels.panel(title, curves(&runs));
        all.push(runs);
    }
    let names =
        ["learned, seeds 1 to 10", "learned, all seeds", "epochs to an error of 0.05 (median)"];
    let levels = LEVELS.iter().map(|(name, ..)| format!("not learned, error near {name}"));
    for (row, name) in names.into_iter().map(str::to_owned).chain(levels).enumerate() {
        table.push(vec![name, columns[0][row].clone(), columns[1][row].clone()]);
    }
    lab.say(format!(
        "A 2-3-1 network with tanh after both layers, mean squared error, rate {RATE}, {EPOCHS} epochs of the\n\
         four cases in their order, one at a time; from {seeds} seeds, with the start that was published\n\
         and with Glorot's. Learned: all four answers on the right side of ½.\n",
    ));
    lab.table(&table);
    lab.exact("xor_seeds", seeds as usize);
    lab.section_near(0.1);
    lab.figure(
        "xor",
        &format!(
            "Error on the four cases of exclusive or by epoch, seeds 1 to {SHOWN}, from two starts; \
             2-3-1, tanh, rate {RATE}, one case at a time. Marked, the errors of an answer that is \
             shared by four cases, by three, by two."
        ),
        "Two plots of ten curves. Left, from uniform weights, all ten begin at 1/4 or come there at \
         once. Five leave it within the first hundred epochs and a sixth after two hundred, and fall \
         to nearly 0; four stay level at 1/4. Right, from Glorot's weights, all ten fall, some after \
         a pause near 1/6, and are at nearly 0 after 300 epochs.",
        &panels,
    )?;
    other_ways(args, lab)?;
    where_they_rest(args, lab, all)
}

/// The epoch in which the error was first below 0.05, if it ever was.
fn epoch_of(run: &Trained) -> Option<usize> {
    run.met.iter().position(|&error| error < 0.05).map(|epoch| epoch + 1)
}

fn curves(runs: &[Trained]) -> Lines {
    let epochs = || (1..).map(f64::from);
    let mut lines = Lines::new("epoch", "error").y_range(0.0, 0.36);
    // Those that were learned first, so that the legend names them first.
    for (name, which) in [("learned", true), ("not learned", false)] {
        for run in runs[..SHOWN].iter().filter(|run| run.learned == which) {
            lines = lines.series(name, epochs(), run.errors.iter().copied());
        }
    }
    LEVELS.iter().fold(lines, |lines, (name, _, level)| lines.horizontal(name, *level))
}

/// The same with smaller steps, and with the library's own loop, which shuffles.
fn other_ways(args: &Args, lab: &mut Lab) -> Result<()> {
    let seeds = args.seeds.min(50);
    let mut table = Table::new(&["one case at a time", "epochs", "learned"]);
    for (rate, epochs, key) in [(0.1, 1000, "10"), (0.05, 2000, "05"), (0.02, 5000, "02")] {
        let mut solved = 0;
        for seed in 1..=seeds {
            let mut network = tanh_network(&SIZES, rate, Start::Uniform, seed)?;
            in_order(&mut network, &toy::xor(), epochs, |_, _| Ok(()))?;
            solved += usize::from(learned(&network)?);
        }
        let name = format!("in order, rate {rate}");
        table.push(vec![name, thousands(epochs), format!("{solved} of {seeds}")]);
        lab.exact(&format!("xor_rate_{key}_solved"), solved);
    }
    let mut solved = 0;
    for seed in 1..=seeds {
        let mut network = tanh_network(&SIZES, RATE, Start::Uniform, seed)?;
        let fit = Fit { batch_size: 1, epochs: EPOCHS, seed, ..Fit::default() };
        network.fit(&toy::xor(), &fit, None, &mut train::silent)?;
        solved += usize::from(learned(&network)?);
    }
    table.push(vec![
        format!("shuffled, rate {RATE}"),
        thousands(EPOCHS),
        format!("{solved} of {seeds}"),
    ]);
    lab.say(format!("\nThe published start again, from {seeds} seeds, in other ways:\n"));
    lab.table(&table);
    lab.exact("xor_shuffled_solved", solved);
    lab.exact("xor_rate_seeds", seeds as usize);
    Ok(())
}

/// How a training goes on that had not learned.
const WAYS: [(&str, &str, usize, f64); 3] = [
    ("one at a time, rate 0.1", "same", 1, RATE),
    ("one at a time, rate 0.01", "slower", 1, RATE / 10.0),
    ("all four at once, rate 0.4", "together", 4, 4.0 * RATE),
];

/// Those of one start that rest at one level.
struct Rest {
    name: &'static str,
    level: &'static str,
    key: String,
    runs: Vec<Trained>,
}

/// What becomes of those that had not learned.
fn where_they_rest(args: &Args, lab: &mut Lab, all: Vec<Vec<Trained>>) -> Result<()> {
    lab.section("xor_rest", "Where the others rest")?;
    lab.section_near(0.1);
    let mut groups = Vec::new();
    for (runs, (name, key)) in
        all.into_iter().zip([("uniform in ±½", "published"), ("Glorot", "glorot")])
    {
        let rest = runs.into_iter().filter(|run| !run.learned);
        let (high, low) = rest.partition::<Vec<_>, _>(|run| run.error > 0.2);
        for (level, level_key, runs) in [("1/4", "quarter", high), ("1/8", "eighth", low)] {
            if !runs.is_empty() {
                let key = format!("xor_rest_{key}_{level_key}");
                groups.push(Rest { name, level, key, runs });
            }
        }
    }
    let header = [
        "start",
        "rest at",
        "how many",
        "as met",
        "‖∇L‖",
        "lowest λ",
        "‖w‖ at the start",
        "at rest",
    ];
    let mut table = Table::new(&header);
    for Rest { name, level, key, runs } in &groups {
        let slopes = runs.iter().map(|run| Ok(norm(&gradient(&run.network)?)));
        let lowest = runs.iter().map(|run| lowest_curvature(&run.network));
        let slope = median(slopes.collect::<Result<_>>()?);
        let curvature = median(lowest.collect::<Result<_>>()?);
        let met = median(runs.iter().map(|run| run.met[EPOCHS - 1]).collect());
        let starts = runs.iter().map(|run| weights(&run.start));
        let ends = runs.iter().map(|run| weights(run.network.params()));
        let sizes = [median(starts.collect()), median(ends.collect())];
        table.push(vec![
            (*name).into(),
            (*level).into(),
            runs.len().to_string(),
            number(met),
            number(slope),
            format!("{curvature:.4}"),
            format!("{:.2}", sizes[0]),
            format!("{:.2}", sizes[1]),
        ]);
        lab.exact(&format!("{key}_count"), runs.len());
        lab.near(&format!("{key}_met"), met, 1e-3);
        lab.near(&format!("{key}_size_start"), sizes[0], 1e-3);
        lab.near(&format!("{key}_size_rest"), sizes[1], 1e-3);
        lab.near(&format!("{key}_gradient"), slope, 1e-3);
        lab.near(&format!("{key}_curvature"), curvature, 1e-3);
    }
    lab.say(format!(
        "Those that had not learned after {EPOCHS} epochs, by the mean error of the four cases where they\n\
         were: the error as the tutorial prints it, case by case as they are met; the gradient of\n\
         the mean error; its lowest curvature λ, an eigenvalue of the Hessian; and the norm of the nine\n\
         weights (medians).\n",
    ));
    lab.table(&table);
    let first = groups.first().ok_or("every network learned: there is nothing to look at")?;
    let stuck = answers(&first.runs[0].network)?;
    for (i, y_hat) in stuck.iter().enumerate() {
        lab.near(&format!("xor_stuck_{i}"), *y_hat, 1e-3);
    }
    let stuck: Vec<String> = stuck.iter().map(|y_hat| format!("{y_hat:.3}")).collect();
    lab.say(format!(
        "\nAt 1/4 the network says nearly the same to every case, here {}.\n\
         The mean error has a slope there, and negative curvature in some direction: it is no minimum.\n",
        stuck.join(", "),
    ));
    from_there(args, lab, &groups)?;
    regions(lab)
}

/// Goes on from where they rest, in three ways.
fn from_there(args: &Args, lab: &mut Lab, groups: &[Rest]) -> Result<()> {
    let patience = args.patience as usize;
    let mut table =
        Table::new(&["from there on", "start", "rest at", "learned", "epochs (median)"]);
    for (way, way_key, batch_size, rate) in WAYS {
        for Rest { name, level, key, runs } in groups {
            let mut took = Vec::new();
            for run in runs.iter().take(LOOKED) {
                let mut network = tanh_network::<f64>(&SIZES, rate, Start::Glorot, 0)?;
                network.set_params(run.network.params())?;
                let mut epochs = EPOCHS;
                while epochs < patience && !learned(&network)? {
                    epochs += LATER;
                    if batch_size == 1 {
                        in_order(&mut network, &toy::xor(), LATER, |_, _| Ok(()))?;
                    } else {
                        let fit = Fit { batch_size, epochs: LATER, ..Fit::default() };
                        network.fit(&toy::xor(), &fit, None, &mut train::silent)?;
                    }
                }
                if learned(&network)? {
                    took.push((epochs - EPOCHS) as f64);
                }
            }
            let (count, learned) = (runs.len().min(LOOKED), took.len());
            let when = if took.is_empty() { "–".into() } else { format!("{:.0}", median(took)) };
            table.push(vec![
                way.into(),
                (*name).into(),
                (*level).into(),
                format!("{learned} of {count}"),
                when,
            ]);
            lab.exact(&format!("{key}_{way_key}"), learned);
            lab.exact(&format!("{key}_{way_key}_of"), count);
        }
    }
    lab.exact("xor_patience", patience);
    lab.say(format!(
        "Up to {LOOKED} of each were then trained on, up to epoch {patience}, in three ways:\n"
    ));
    lab.table(&table);
    Ok(())
}

/// The outputs for the four cases.
fn answers(network: &Sequential<f64>) -> Result<Vec<f64>> {
    Ok(network.predict(toy::xor::<f64>().x())?.column(0).to_vec())
}

/// The norm of the nine weights, without the biases.
fn weights(params: &Array1<f64>) -> f64 {
    let squares = params.iter().enumerate().filter(|(i, _)| !(6..9).contains(i) && *i < 12);
    squares.map(|(_, w)| w * w).sum::<f64>().sqrt()
}

/// The gradient of the mean loss of the four cases.
fn gradient(network: &Sequential<f64>) -> Result<Array1<f64>> {
    let xor = toy::xor::<f64>();
    Ok(network.loss_and_gradient(xor.x(), xor.y())?.1)
}

/// The smallest eigenvalue of the Hessian of the mean loss, from differences of gradients.
fn lowest_curvature(network: &Sequential<f64>) -> Result<f64> {
    let (at, h) = (network.params().clone(), 1e-5);
    let mut probe = tanh_network::<f64>(&SIZES, RATE, Start::Glorot, 0)?;
    let mut hessian = Array2::zeros((at.len(), at.len()));
    for (i, mut column) in hessian.columns_mut().into_iter().enumerate() {
        for sign in [1.0, -1.0] {
            let mut moved = at.clone();
            moved[i] += sign * h;
            probe.set_params(&moved)?;
            column.scaled_add(sign / (2.0 * h), &gradient(&probe)?);
        }
    }
    let hessian = (&hessian + &hessian.t()) / 2.0;
    let (eigenvalues, _) = hessian.eigh(UPLO::Lower)?;
    Ok(eigenvalues[0])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What a network that learned and one that did not say between the cases.
fn regions(lab: &mut Lab) -> Result<()> {
    let find = |start, wanted: f64| -> Result<Option<(u64, Sequential<f64>)>> {
        for seed in 1..=SEARCHED {
            let mut network = tanh_network(&SIZES, RATE, start, seed)?;
            in_order(&mut network, &toy::xor(), EPOCHS, |_, _| Ok(()))?;
            let loss = network.score(&toy::xor())?.loss;
            if (loss - wanted).abs() < 0.02 {
                return Ok(Some((seed, network)));
            }
        }
        Ok(None)
    };
    let missing = "no seed gives a figure";
    let (seed, network) = find(Start::Glorot, 0.0)?.ok_or(missing)?;
    lab.figure(
        "xor_learned",
        &format!(
            "What a network that learned exclusive or says between the cases (Glorot, seed {seed})."
        ),
        "A square with the four cases at its corners. A band of one class runs from corner to \
         corner along the diagonal, with both cases of that class in it, and the two others lie on \
         either side.",
        &region(&network)?,
    )?;
    let (seed, network) = find(Start::Glorot, 0.125)?.ok_or(missing)?;
    lab.figure(
        "xor_stuck",
        &format!(
            "The same for a network that rests at an error of 1/8 (Glorot, seed {seed}): the \
             two cases on the right share one answer, near one half."
        ),
        "The same square. A bounded region of one class holds the lower left corner, and the upper \
         left corner lies deep in the other class. Over the right half of the square the colour is \
         so pale that the two corners there, of different classes, are undecided.",
        &region(&network)?,
    )
}

fn region(network: &Sequential<f64>) -> Result<Regions> {
    let (range, grid) = ((-0.25, 1.25), (91, 91));
    let points = Regions::points(range, range, grid);
    let values = network.predict(&points)?.mapv(|y| y.clamp(0.0, 1.0));
    let values = values.into_shape_with_order(grid)?;
    Ok(Regions::new("x₁", "x₂", range, range, &values)
        .scatter("target 0", &[(0.0, 0.0), (1.0, 1.0)])
        .scatter("target 1", &[(0.0, 1.0), (1.0, 0.0)]))
}

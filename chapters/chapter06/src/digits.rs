//! A thousand digits, as published, and what the tutorial does not report.

use gradus::{Mnist, Network, Samples, Sequential};
use lab::text::thousands;
use lab::{HeatMap, Images, Lab, Lines, Result, Table};
use ndarray::{Array1, Array2, s};

use crate::args::{Args, first};
use crate::loops::{Start, in_order, tanh_network};
use crate::stack::SIZES;
use crate::tools::{percent, sizes};

/// How many images the tutorial trains on, and how.
pub const IMAGES: usize = 1000;
pub const EPOCHS: usize = 35;
pub const RATE: f64 = 0.1;

/// The two errors that the tutorial prints (Aflak), with their epochs.
const PUBLISHED: [(usize, f64); 2] = [(1, 0.2316), (31, 0.0093)];

/// After which epochs the test images are looked at.
pub const LOOKS: [usize; 11] = [1, 2, 3, 5, 7, 10, 15, 20, 25, 31, 35];

/// Which of these epochs the table shows.
const ROWS: [usize; 7] = [1, 2, 5, 10, 20, 31, 35];

/// How many seeds show how much the published start strays.
const SEEDS: u64 = 3;

/// What all who answer a tenth to every class pay: (1/m)(1 − 1/m).
const CONSTANT: f64 = 0.09;

/// The images, and the first thousand of them.
pub struct Digits {
    pub all: Mnist,
    pub train: Samples<f32>,
}

impl Digits {
    pub fn read(args: &Args) -> Result<Self> {
        let all = args.images()?;
        Ok(Self { train: first(&all.train, IMAGES)?, all })
    }
}

/// How well a network did at one of the epochs that are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub training_accuracy: f64,
    pub test_error: f64,
    pub test_accuracy: f64,
}

impl Look {
    pub fn at(network: &Sequential<f32>, digits: &Digits) -> Result<Self> {
        let (train, test) = (network.score(&digits.train)?, network.score(&digits.all.test)?);
        let accuracy = |score: gradus::Score| score.accuracy().ok_or("digits have classes");
        Ok(Self {
            test_error: test.loss,
            training_accuracy: accuracy(train)?,
            test_accuracy: accuracy(test)?,
        })
    }
}

/// A finished run of the tutorial's.
struct Run {
    network: Sequential<f32>,
    errors: Vec<f64>,
    looks: Vec<Look>,
}

/// The published training.
fn run(digits: &Digits, start: Start, seed: u64) -> Result<Run> {
    let mut network = tanh_network::<f32>(&SIZES, RATE, start, seed)?;
    let mut looks = Vec::new();
    let errors = in_order(&mut network, &digits.train, EPOCHS, |epoch, network| {
        if LOOKS.contains(&epoch) {
            looks.push(Look::at(network, digits)?);
        }
        Ok(())
    })?;
    Ok(Run { network, errors, looks })
}

/// How large the sums in the first layer are under the published start.
pub fn too_sure_to_learn(args: &Args, lab: &mut Lab, digits: &Digits) -> Result<()> {
    lab.section("saturated", "Too sure to learn")?;
    lab.section_near(1e-3);
    let (x, inputs) = (digits.train.x(), SIZES[0] as f64);
    let square = x.mapv(|x| f64::from(x) * f64::from(x)).mean().ok_or("there are images")?;
    let derived = [(inputs * square + 1.0) / 12.0, 2.0 * inputs * square / (inputs + 100.0)];
    let mut table = Table::new(&["", "uniform in ±½", "Glorot"]);
    let mut measured = Vec::new();
    let mut lines = Lines::new("sum z in the first layer", "density, or slope");
    let starts = [
        (Start::Uniform, "published", "uniform in ±½", derived[0]),
        (Start::Glorot, "glorot", "Glorot", derived[1]),
    ];
    for (start, key, name, variance) in starts {
        let network = tanh_network::<f32>(&SIZES, RATE, start, args.common.seed)?;
        let passage = network.forward(x)?;
        let z = |layer: usize| passage.y[2 * layer].mapv(f64::from);
        let slope = |z: f64| 1.0 - z.tanh().powi(2);
        let mean = |values: &Array2<f64>| values.mean().unwrap_or(f64::NAN);
        let first = z(0);
        let found = mean(&first.mapv(|z| z * z));
        let mean_slope = mean(&first.mapv(slope));
        let flat = mean(&first.mapv(|z| f64::from(u8::from(slope(z) < 0.01))));
        let bound = (2.0 / (std::f64::consts::PI * variance)).sqrt();
        let outputs = passage.y[5].mapv(|y| f64::from(y) * f64::from(y));
        let outputs = mean(&outputs);
        lab.near(&format!("saturated_variance_derived_{key}"), variance, 1e-6);
        lab.near(&format!("saturated_variance_measured_{key}"), found, 1e-3);
        lab.near(&format!("saturated_slope_{key}"), mean_slope, 1e-4);
        lab.near(&format!("saturated_slope_bound_{key}"), bound, 1e-6);
        lab.near(&format!("saturated_share_{key}"), flat, 1e-3);
        lab.near(&format!("saturated_output_{key}"), outputs, 1e-3);
        measured.push([variance, found, mean_slope, bound, flat, outputs]);
        lines = lines.series(name, centres(), histogram(&first));
    }
    lab.near("saturated_mean_square", square, 1e-6);
    let names = [
        "variance of z, derived",
        "mean of z², measured",
        "mean slope tanh′(z)",
        "… at most, √(2/(πV))",
        "units with a slope below 0.01",
        "mean of ŷ²",
    ];
    for (row, name) in names.into_iter().enumerate() {
        let cell = |column: &[f64; 6]| match row {
            4 => percent(column[row]),
            // A slope is at most 1 anyway.
            3 if column[row] > 1.0 => "–".into(),
            _ => format!("{:.3}", column[row]),
        };
        table.push(vec![name.into(), cell(&measured[0]), cell(&measured[1])]);
    }
    lab.say(format!(
        "The first {} training images in a fresh {}: the sums z of the first layer\n\
         under both starts. A pixel's mean square is {square:.4}.\n",
        thousands(IMAGES),
        sizes(&SIZES),
    ));
    lab.table(&table);
    let slope = centres().map(|z| 1.0 - z.tanh().powi(2));
    lab.figure(
        "saturation",
        &format!(
            "How the sums z of the first layer are distributed before training, over {} images and \
             {} units, from two starts (density, in intervals of ¼). Dashed, the slope of \
             tanh at z.",
            thousands(IMAGES),
            SIZES[1],
        ),
        "Two bells around 0 and a dashed peak of height 1. Glorot's bell is narrow and as high as \
         the peak of the slope, and lies below it. The uniform start's bell is low and \
         wide: half of it lies beyond ±2, where the slope of tanh is nearly 0.",
        &lines.dashed("slope of tanh", centres(), slope).x_range(-8.0, 8.0),
    )
}

/// The width of an interval of the histogram, and where it ends.
const WIDTH: f64 = 0.25;
const END: f64 = 8.0;

fn centres() -> impl Iterator<Item = f64> + Clone {
    let count = (2.0 * END / WIDTH) as usize + 1;
    (0..count).map(|i| WIDTH * i as f64 - END)
}

/// The share of the values in each interval, divided by its width.
fn histogram(values: &Array2<f64>) -> Vec<f64> {
    let mut counts = vec![0.0; centres().count()];
    for z in values {
        let place = ((z + END) / WIDTH).round();
        if (0.0..counts.len() as f64).contains(&place) {
            counts[place as usize] += 1.0 / (WIDTH * values.len() as f64);
        }
    }
    counts
}

/// The published run, from the published start and from Glorot's.
pub fn a_thousand_digits(args: &Args, lab: &mut Lab, digits: &Digits) -> Result<()> {
    lab.section("digits", "A thousand digits")?;
    lab.section_near(0.03);
    let seed = args.common.seed;
    let published = run(digits, Start::Uniform, seed)?;
    let glorot = run(digits, Start::Glorot, seed)?;
    let header = [
        "epoch",
        "printed",
        "error",
        "training",
        "test error",
        "test",
        "Glorot",
        "test error",
        "test",
    ];
    let mut table = Table::new(&header);
    for (place, epoch) in LOOKS.into_iter().enumerate().filter(|(_, e)| ROWS.contains(e)) {
        let printed = PUBLISHED.iter().find(|(at, _)| *at == epoch);
        let mut cells =
            vec![epoch.to_string(), printed.map_or(String::new(), |(_, e)| format!("{e:.4}"))];
        for (run, key) in [(&published, "published"), (&glorot, "glorot")] {
            let (look, error) = (run.looks[place], run.errors[epoch - 1]);
            cells.push(format!("{error:.4}"));
            if key == "published" {
                cells.push(percent(look.training_accuracy));
            }
            cells.push(format!("{:.4}", look.test_error));
            cells.push(percent(look.test_accuracy));
            let key = format!("digits_{key}_{epoch}");
            lab.near(&format!("{key}_error"), error, 5e-4);
            lab.near(&format!("{key}_training_accuracy"), look.training_accuracy, 5e-3);
            lab.near(&format!("{key}_test_error"), look.test_error, 2e-3);
            lab.near(&format!("{key}_test_accuracy"), look.test_accuracy, 0.01);
        }
        table.push(cells);
    }
    lab.say(format!(
        "The first {} images, {}, tanh after each layer, mean squared error, rate {RATE},\n\
         {EPOCHS} epochs in order, one image at a time: {} steps. Left the tutorial's start, beside the\n\
         two errors that it prints; right Glorot's, its error first. An error is the mean over an epoch\n\
         as its images were met; accuracies and test errors are taken after it, on the {} training\n\
         and the {} test images.\n",
        thousands(IMAGES),
        sizes(&SIZES),
        thousands(EPOCHS * IMAGES),
        thousands(IMAGES),
        thousands(digits.all.test.labels().len()),
    ));
    lab.table(&table);
    let strays = strays(digits, &published, seed)?;
    lab.say(format!(
        "\nFrom {SEEDS} seeds of the published start the error at epoch 1 lies between {:.3} and {:.3}, at\n\
         epoch 31 between {:.4} and {:.4}; the test accuracy in the end between {} and {}.",
        strays[0].0,
        strays[0].1,
        strays[1].0,
        strays[1].1,
        percent(strays[2].0),
        percent(strays[2].1),
    ));
    for (key, (lo, hi)) in ["error_1", "error_31", "test_accuracy"].into_iter().zip(strays) {
        lab.near(&format!("digits_strays_{key}_least"), lo, 0.01);
        lab.near(&format!("digits_strays_{key}_most"), hi, 0.01);
    }
    let bound = 1.0 - 2.0 * 10.0 * PUBLISHED[1].1;
    lab.say(format!(
        "\nWho answers one tenth to every class pays {CONSTANT}: the published first epoch is worse than\n\
         saying nothing. By the bound 2mL on the share of mistakes, an error of {} promises that\n\
         at least {} of the answers in that epoch were right, and no more than that.",
        PUBLISHED[1].1,
        percent(bound),
    ));
    lab.exact("digits_parameters", published.network.params().len());
    lab.exact("digits_steps", EPOCHS * IMAGES);
    lab.exact("digits_test_images", digits.all.test.labels().len());
    lab.near("digits_constant", CONSTANT, 1e-12);
    lab.near("digits_bound_31", bound, 1e-12);
    for (epoch, error) in PUBLISHED {
        lab.near(&format!("digits_printed_{epoch}"), error, 1e-12);
    }
    error_figure(lab, &published, &glorot)?;
    predictions(lab, digits, &published)
}

/// The smallest and the largest of three results over a few seeds: the errors at epochs 1 and 31,
/// the test accuracy in the end.
fn strays(digits: &Digits, one: &Run, seed: u64) -> Result<[(f64, f64); 3]> {
    let results = |run: &Run| -> Result<[f64; 3]> {
        Ok([run.errors[0], run.errors[30], Look::at(&run.network, digits)?.test_accuracy])
    };
    let mut all = vec![results(one)?];
    for other in 1..SEEDS {
        let mut network = tanh_network(&SIZES, RATE, Start::Uniform, seed.wrapping_add(other))?;
        let errors = in_order(&mut network, &digits.train, EPOCHS, |_, _| Ok(()))?;
        all.push(results(&Run { network, errors, looks: Vec::new() })?);
    }
    Ok([0, 1, 2].map(|i| {
        let values = all.iter().map(|results| results[i]);
        let lo = values.clone().fold(f64::INFINITY, f64::min);
        (lo, values.fold(f64::NEG_INFINITY, f64::max))
    }))
}

/// The error, epoch by epoch.
fn error_figure(lab: &mut Lab, published: &Run, glorot: &Run) -> Result<()> {
    let epochs = || (1..).map(f64::from);
    let looks = || LOOKS.into_iter().map(|epoch| epoch as f64);
    let test = |run: &Run| run.looks.iter().map(|look| look.test_error).collect::<Vec<_>>();
    let printed = PUBLISHED.map(|(epoch, error)| (epoch as f64, error));
    lab.figure(
        "digits_error",
        &format!(
            "Mean squared error by epoch: {}, tanh, rate {RATE}, the first {} images of MNIST one \
             at a time. The two errors that the tutorial prints as points; dashed, the error on the \
             10,000 test images; marked, what the constant answer of one tenth pays.",
            sizes(&SIZES),
            thousands(IMAGES),
        ),
        "Four curves over 35 epochs, the error on a logarithmic axis. From the uniform start the \
         error falls from 0.22 to 0.01, and the two published points lie on or near it; its dashed \
         test error stays near 0.05. From Glorot's start the error begins below the mark at 0.09 \
         and falls to 0.003, its test error stays just below 0.03.",
        &Lines::new("epoch", "error")
            .series("uniform in ±½", epochs(), published.errors.clone())
            .dashed("uniform in ±½, test", looks(), test(published))
            .series("Glorot", epochs(), glorot.errors.clone())
            .dashed("Glorot, test", looks(), test(glorot))
            .points("printed (Aflak)", printed.map(|p| p.0), printed.map(|p| p.1))
            .horizontal("0.09", CONSTANT)
            .log_y(),
    )
}

/// The first three test images: their outputs beside the truth.
fn predictions(lab: &mut Lab, digits: &Digits, run: &Run) -> Result<()> {
    lab.section("predictions", "Three predictions beside the truth")?;
    lab.section_near(0.1);
    let test = &digits.all.test;
    let x: Array2<f32> = test.inputs();
    let y_hat = run.network.predict(&x.slice(s![..3, ..]))?.mapv(f64::from);
    let said = run.network.predict_labels(&x)?;
    let is = |row: usize| usize::from(test.labels()[row]);
    let header: Vec<String> =
        std::iter::once("test image".to_owned()).chain((0..10).map(|k| k.to_string())).collect();
    let mut table = Table::new(&header);
    let mut values = Array2::zeros((6, 10));
    let mut images = Images::new(5);
    let mut rows = Vec::new();
    for row in 0..3 {
        let truth = Array1::from_shape_fn(10, |k| f64::from(u8::from(k == is(row))));
        for (name, line, place) in
            [("said", y_hat.row(row).to_owned(), 2 * row), ("true", truth, 2 * row + 1)]
        {
            let cells = line.iter().map(|y| format!("{y:.2}"));
            let name = format!("{} {name}", row + 1);
            table.push(std::iter::once(name.clone()).chain(cells).collect());
            values.row_mut(place).assign(&line);
            rows.push(name);
        }
    }
    // The first five, and the five mistakes that come after them.
    let mistakes = (5..said.len()).filter(|&row| said[row] != is(row));
    for row in (0..5).chain(mistakes.take(5)) {
        let title = match said[row] == is(row) {
            true => format!("{}", said[row]),
            false => format!("said {}, is {}", said[row], is(row)),
        };
        images = images.image(&test.bytes().row(row).to_vec(), &title, said[row] != is(row));
    }
    let right = (0..3).filter(|&row| said[row] == is(row)).count();
    lab.say("The ten outputs of the published network for the first three test images:\n");
    lab.table(&table);
    let wrong = (0..said.len()).filter(|&row| said[row] != is(row)).count();
    lab.say(format!(
        "\n{right} of these three are right. So are {} of all {}.",
        thousands(said.len() - wrong),
        thousands(said.len()),
    ));
    lab.near("predictions_right", right as f64, 1e-9);
    lab.near("predictions_wrong", wrong as f64, 0.1);
    lab.figure(
        "predictions",
        "Three test images as the tutorial shows them: the ten outputs (said) and the targets \
         (true). Outputs of tanh may lie anywhere between −1 and 1.",
        "Six rows of ten numbers, in pairs. In the first and the third pair the largest output \
         stands in the column of the one in the row below. In the second it stands under 0, while \
         the truth is 2. The other outputs are small, of either sign.",
        &HeatMap::new("class", "test image", &values).labels(rows, 0..10).annotate(2).diverging(),
    )?;
    lab.figure(
        "digits",
        "The first five test images with what the published network takes them for, and the next \
         five mistakes; mistakes are framed.",
        "Two rows of five digits. In the upper row the second, a 2 with a loop, is framed as a \
         mistake; the other four are read rightly. All five in the lower row are framed and carry \
         two numbers: what was said and what it is.",
        &images,
    )
}

//! What a file of parameters alone loses.

use std::fs;
use std::sync::Mutex;

use gradus::persist::Document;
use gradus::{Bytes, Fit, Mnist, Network, NeuralNetwork, Registry, Source, Subset};
use lab::{Lab, Result, Table};
use ndarray::ArrayRef2;

use crate::args::Args;
use crate::figures::{self, Around};
use crate::run::Run;
use crate::smooth::{self, BREAK, IMAGES, LATE, SOON, Smooth};
use crate::{Broken, Whole};
use lab::text::thousands;

/// How many batches after the chapter's own break are looked at, at most.
const AFTER: usize = 200;

/// Resumes from parameters alone, with a fresh optimizer and a fresh order of the images.
pub fn parameters_alone(
    args: &Args,
    lab: &mut Lab,
    images: &Mnist,
    whole: &Whole,
    broken: &Broken,
) -> Result<()> {
    lab.section("parameters_alone", "What the parameters alone have lost")?;
    lab.section_near(0.1);
    what_each_file_holds(args, lab, broken)?;
    let smooth = the_velocity(args, lab, images)?;
    let noisy_alone = the_place(args, lab, images, whole, broken)?;
    figures::kink(
        lab,
        &Around {
            smooth: (smooth.whole, BREAK),
            smooth_alone: smooth.alone,
            noisy: (whole.losses.clone(), broken.half),
            noisy_alone,
            width: 20,
            images: IMAGES,
        },
    )
}

/// A table of the two files.
fn what_each_file_holds(args: &Args, lab: &mut Lab, broken: &Broken) -> Result<()> {
    let training = broken.network.training().ok_or("there was no training")?;
    let npy = fs::metadata(args.model().with_extension("npy"))?.len() as usize;
    let yes = || "yes".to_owned();
    let rows = [
        ("parameters", thousands(broken.network.params().len())),
        ("velocity", thousands(broken.network.params().len())),
        ("place in the epoch", format!("batch {} of {}", training.batch, training.batches())),
        (
            "order of the images",
            format!("{} random words drawn", thousands(training.random.position as usize)),
        ),
        ("layers, activation, loss", yes()),
        ("rates, batch size, threads", yes()),
        ("losses so far", format!("{} epochs", training.history.loss.len())),
        ("checksum", yes()),
    ];
    let mut table = Table::new(&["", ".safetensors", ".npy"]);
    for (i, (what, value)) in rows.into_iter().enumerate() {
        let npy = if i == 0 { value.clone() } else { "–".to_owned() };
        table = table.row([what.to_owned(), value, npy]);
    }
    lab.table(&table.row([
        "bytes in all".to_owned(),
        thousands(broken.file.len()),
        thousands(npy),
    ]));
    lab.exact("npy_bytes", npy);
    lab.exact("order_position", training.random.position);
    Ok(())
}

/// What the velocity is worth, where nothing else matters.
fn the_velocity(args: &Args, lab: &mut Lab, images: &Mnist) -> Result<Smooth> {
    let smooth = smooth::training(args, images)?;
    let exact = smooth.error < 1e-4;
    lab.say(format!(
        "\nMost of these lines fit on a slip of paper. The velocity does not: it is as large as the\n\
         network. To see what it is worth, {} images are learned in one batch, so that nothing\n\
         is random, and the training breaks off after {BREAK} steps. The next step has the length\n\
         {:.4} with the whole file, and {:.4} with the parameters alone. Their difference is μ v,\n\
         the share μ of the step before{}.",
        thousands(IMAGES),
        smooth.length_whole,
        smooth.length_alone,
        if exact { ", to four digits and more" } else { ", but not to four digits" },
    ));
    lab.near("step_with_velocity", smooth.length_whole, 2e-4);
    lab.near("step_without_velocity", smooth.length_alone, 2e-5);
    lab.near("step_ratio", smooth.length_whole / smooth.length_alone, 1e-3);
    lab.exact("first_steps_differ_by_mu_v", i32::from(exact));
    let mu = args.momentum;
    let even: f64 = (1..=BREAK as i32).map(|k| mu.powi(k)).sum();
    lab.near("steps_behind_even", even, 1e-9);
    lab.near("velocity_along", smooth.along, 2e-3);
    if let Some([soon, late]) = smooth.behind {
        lab.say(format!(
            "\nThe loss that the whole file reaches at step {SOON} is reached {soon:.1} steps later without the\n\
             velocity, and that of step {LATE}, {late:.1} steps later. On an even slope it would be\n\
             μ + μ² + … + μ^{BREAK} = {even:.1} steps in the end. But this slope bends: the cosine of the angle\n\
             between the velocity and the way straight down is {:.2}.",
            smooth.along,
        ));
        lab.near("steps_behind", soon, 4e-3);
        lab.near("steps_behind_late", late, 4e-3);
    }
    Ok(smooth)
}

/// What it costs not to know where in the epoch one was. Returns the losses of the batches
/// after the break, from the parameters alone.
fn the_place(
    args: &Args,
    lab: &mut Lab,
    images: &Mnist,
    whole: &Whole,
    broken: &Broken,
) -> Result<Vec<f64>> {
    let training = broken.network.training().ok_or("there was no training")?;
    let after = AFTER.min(training.batches() - training.batch);
    let anew = Fit { seed: args.common.seed.wrapping_add(1), ..args.fit() };
    let source = Watched::new(&images.train, broken)?;
    let seen = after * args.batch_size;

    let from_file = || -> Result<NeuralNetwork<f32>> {
        let document = Document::from_bytes(&broken.file)?;
        Ok(NeuralNetwork::from_document(document, &Registry::default())?)
    };
    let mut kept = Run::of(after);
    from_file()?.resume(&source, args.epochs, None, &mut |event| kept.observe(event))?;
    let met_by_kept = source.met_again(seen);

    let mut order_lost = Run::of(after);
    from_file()?.fit(&source, &anew, None, &mut |event| order_lost.observe(event))?;
    let met_by_order_lost = source.met_again(seen);

    let mut alone = Run::of(after);
    let mut network = args.network(args.common.seed.wrapping_add(1))?;
    network.load_params(args.model().with_extension("npy"))?;
    network.fit(&source, &anew, None, &mut |event| alone.observe(event))?;
    let met_by_alone = source.met_again(seen);

    let rows = [
        ("whole", "whole file", &kept, met_by_kept),
        ("order_lost", "with the velocity, epoch begun anew", &order_lost, met_by_order_lost),
        ("alone", "parameters alone", &alone, met_by_alone),
    ];
    let mut table = Table::new(&["resumed from", "mean loss", "images met again"]);
    for (name, what, run, met) in rows {
        table = table.row([what.to_owned(), format!("{:.4}", mean(&run.losses)), thousands(met)]);
        lab.near(&format!("loss_after_break_{name}"), mean(&run.losses), 0.008);
        lab.exact(&format!("met_again_{name}"), met);
    }
    lab.say(format!(
        "\nIn the chapter's own training, half-way through, the loss is nearly level and the velocity\n\
         makes little difference. It is the place in the epoch that is missed. The next {after} batches:\n"
    ));
    lab.table(&table);
    let cheap = mean(&alone.losses) < mean(&kept.losses);
    let [met, waiting] = source.losses_at_the_break(&broken.network)?;
    lab.near("loss_at_break_met", met, 0.001);
    lab.near("loss_at_break_waiting", waiting, 0.001);
    lab.say(format!(
        "\nThe parameters do not know that half an epoch was over, and a new one begins: of its first\n\
         {} images, {} had been met in that half, and as many others have to wait. The whole\n\
         file goes on with images that this epoch has not met. At the break, the mean loss of those\n\
         that it had met is {met:.4}, and of the others {waiting:.4}.{}",
        thousands(seen.min(images.train.labels().len())),
        thousands(met_by_alone),
        if cheap {
            " The lower loss is no progress:\nwhat was learned a moment ago is cheap."
        } else {
            ""
        },
    ));
    // As many steps as are left of the training that was never interrupted.
    let left = whole.losses.len() - broken.half;
    if left > after {
        let mut rest = Run::of(left - after);
        network.resume(&images.train, args.epochs, None, &mut |event| rest.observe(event))?;
    }
    let accuracy = |network: &NeuralNetwork<f32>| -> Result<f64> {
        let score = network.score(&images.test)?;
        Ok(score.accuracy().ok_or("the test images have no classes")?)
    };
    let (never, alone_accuracy) = (accuracy(&whole.network)?, accuracy(&network)?);
    lab.say(format!(
        "\nAfter the {} steps that were left, the training from parameters alone reads {:.2} %\n\
         of the test images rightly; the one that was never interrupted, {:.2} %.",
        thousands(left),
        100.0 * alone_accuracy,
        100.0 * never,
    ));
    lab.exact("steps_left", left);
    lab.near("test_accuracy_alone", alone_accuracy, 0.0025);
    Ok(alone.losses)
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The training images, with an eye on which of them are asked for.
struct Watched<'a> {
    images: &'a Bytes,
    /// Which were met in the epoch that was broken off.
    met: Vec<bool>,
    asked: Mutex<Vec<usize>>,
}

impl<'a> Watched<'a> {
    /// Finds out which images the broken epoch had met, from the order in the file.
    fn new(images: &'a Bytes, broken: &Broken) -> Result<Self> {
        let training = broken.network.training().ok_or("there was no training")?;
        let n = images.labels().len();
        let mut order: Vec<usize> = (0..n).collect();
        rand::seq::SliceRandom::shuffle(&mut order[..], &mut training.random.generator());
        let mut met = vec![false; n];
        order[..training.batch * training.fit.batch_size].iter().for_each(|&row| met[row] = true);
        Ok(Self { images, met, asked: Mutex::default() })
    }

    /// The mean loss of a network on the images that were met, and on the others.
    fn losses_at_the_break(&self, network: &NeuralNetwork<f32>) -> Result<[f64; 2]> {
        let loss = |met: bool| -> Result<f64> {
            let rows = (0..self.met.len()).filter(|&row| self.met[row] == met);
            Ok(network.score(&Subset::new(self.images, rows)?)?.loss)
        };
        Ok([loss(true)?, loss(false)?])
    }

    /// How many of the first images that were asked for since the last time had been met before.
    fn met_again(&self, seen: usize) -> usize {
        let mut asked = self.asked.lock().unwrap_or_else(|error| error.into_inner());
        // Each training begins with a look at all images, and may end with some in advance.
        let trained_on = asked.iter().skip(self.met.len()).take(seen);
        let count = trained_on.filter(|&&row| self.met[row]).count();
        asked.clear();
        count
    }
}

impl Source<f32> for Watched<'_> {
    fn len(&self) -> usize {
        self.met.len()
    }

    fn input_columns(&self) -> usize {
        Source::<f32>::input_columns(self.images)
    }

    fn target_columns(&self) -> usize {
        Source::<f32>::target_columns(self.images)
    }

    fn gather(&self, rows: &[usize], x: &mut ArrayRef2<f32>, y: &mut ArrayRef2<f32>) {
        self.asked.lock().unwrap_or_else(|error| error.into_inner()).extend(rows);
        self.images.gather(rows, x, y);
    }
}

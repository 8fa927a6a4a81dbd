//! Chapter 5: a network that is trained on MNIST, saved, loaded and resumed.
//!
//! Trains on 60,000 handwritten digits and shows what the network takes them for. Trains once
//! more, breaks off in the middle of an epoch, saves; a new process loads the file, predicts
//! the same bits and goes on to the same bits. Then: what a file of parameters alone loses,
//! what is in the file, what a damaged file says, and how it is read from Python.

mod alone;
mod args;
mod figures;
mod file;
mod new_process;
mod run;
mod smooth;

use std::fs;
use std::process::ExitCode;

use args::{Args, shown};
use gradus::{Bytes, Mnist, Network, NeuralNetwork, mnist};
use lab::text::thousands;
use lab::{Clock, Lab, Result, Table};
use ndarray::Array2;
use new_process::{bytes, differing};
use run::Run;

fn main() -> ExitCode {
    lab::main(env!("CARGO_PKG_NAME"), chapter)
}

fn chapter(args: &Args, lab: &mut Lab) -> Result<()> {
    args.check()?;
    if let Some(answers) = &args.new_process {
        return new_process::go_on(args, lab, answers);
    }
    let mut clock = Clock::start();
    let images = args.images()?;
    clock.lap("reading", "reading and checking 70,000 images");
    let half = run::half_way(&images, args)?;
    seventy_thousand_images(args, lab, &images)?;
    let whole = without_a_break(args, lab, &images)?;
    clock.lap("training", "the training without a break");
    what_it_reads(lab, &images, &whole.network)?;
    what_it_confuses(lab, &images, &whole.network)?;
    clock.lap("reading_digits", "the test images, and two figures");
    let broken = broken_off(args, lab, &images, &whole, half)?;
    clock.lap("half", "the training up to the break");
    in_a_new_process(args, lab, &images, &whole, &broken)?;
    clock.lap("new_process", "the rest of it, in a new process");
    alone::parameters_alone(args, lab, &images, &whole, &broken)?;
    clock.lap("alone", "trainings from parameters alone");
    file::what_is_in_it(lab, &broken.file, &broken.network)?;
    file::what_is_refused(args, lab, &broken)?;
    file::old_or_new(args, lab, &broken.network, &whole.network)?;
    clock.lap("files", "files: damaged ones, and 80 saves under watch");
    file::from_python(args, lab, &images, &whole.network)?;
    clock.tell(lab)
}

/// The data, and what there is to learn.
fn seventy_thousand_images(args: &Args, lab: &mut Lab, images: &Mnist) -> Result<()> {
    lab.section("images", "Seventy thousand images")?;
    let (n, test) = (images.train.labels().len(), images.test.labels().len());
    let network = args.network(args.common.seed)?;
    let parameters = network.params().len();
    let batches = n.div_ceil(args.batch_size);
    let last = n - (batches - 1) * args.batch_size.min(n);
    let loss = network.score(&images.test)?.loss;
    let (bytes, labels) = (images.test.bytes().clone(), images.test.labels().to_vec());
    let unscaled = network.score(&Bytes::new(bytes, labels, 1.0, mnist::CLASSES)?)?.loss;
    let sizes: Vec<String> = network.sizes().iter().map(usize::to_string).collect();
    lab.say(format!(
        "{} holds {} images to learn from and {} to be judged by. Each has 28 × 28\n\
         bytes and a class from 0 to 9. The network has layers of {} units, which makes\n\
         {} parameters. An epoch takes {batches} steps: {} batches of {} images and one of {last}.",
        shown(&args.data()),
        thousands(n),
        thousands(test),
        sizes.join(", "),
        thousands(parameters),
        batches - 1,
        args.batch_size,
    ));
    lab.say(format!(
        "\nWho knows nothing and says so gives every class one tenth, and pays ln 10 = {:.3} for\n\
         each image. The fresh network pays {loss:.3}: it has opinions, and they are worthless. If\n\
         nobody had divided the bytes by 255, it would pay {unscaled:.0}.",
        10_f64.ln(),
    ));
    lab.exact("training_images", n);
    lab.exact("test_images", test);
    lab.exact("parameters", parameters);
    lab.exact("batches", batches);
    lab.exact("last_batch", last);
    lab.near("untrained_loss", loss, 1e-3);
    lab.near("unscaled_loss", unscaled, 1e-3);
    Ok(())
}

/// A finished training that was never interrupted.
struct Whole {
    network: NeuralNetwork<f32>,
    losses: Vec<f64>,
}

/// Trains on all images, from the beginning to the end.
fn without_a_break(args: &Args, lab: &mut Lab, images: &Mnist) -> Result<Whole> {
    let mut network = args.network(args.common.seed)?;
    let (mut run, mut progress) = (Run::default(), lab.progress("Without a break"));
    let history = network.fit(&images.train, &args.fit(), Some(&images.test), &mut |event| {
        run.observe_with(&mut progress, event)
    })?;
    progress.finish();
    lab.section("training", "A training without a break")?;
    lab.section_near(0.01); // MNIST is long: another kernel of OpenBLAS ends elsewhere
    let mut table = Table::new(&["epoch", "training loss", "test loss", "test accuracy"]);
    let tests = history.validation_loss.iter().zip(&history.validation_accuracy);
    for (epoch, (loss, (test_loss, accuracy))) in history.loss.iter().zip(tests).enumerate() {
        let loss = [format!("{loss:.4}"), format!("{test_loss:.4}")];
        let accuracy = format!("{:.2} %", 100.0 * accuracy);
        table.push([vec![(epoch + 1).to_string()], loss.to_vec(), vec![accuracy]].concat());
    }
    lab.table(&table);
    let accuracy = history.validation_accuracy.last().copied().unwrap_or_default();
    lab.say(format!(
        "\nOf {} images that it never learned from, it reads {:.2} % rightly. The test set is\n\
         only looked at: no step depends on it, and no epoch was picked.",
        thousands(images.test.labels().len()),
        100.0 * accuracy,
    ));
    lab.near("test_accuracy", accuracy, 0.0025);
    lab.near("training_loss", history.loss.last().copied().unwrap_or_default(), 0.008);
    lab.near("test_loss", history.validation_loss.last().copied().unwrap_or_default(), 0.02);
    figures::curves(args, lab, &history)?;
    Ok(Whole { network, losses: run.losses })
}

/// Some of the test images, with what the network takes them for.
fn what_it_reads(lab: &mut Lab, images: &Mnist, network: &NeuralNetwork<f32>) -> Result<()> {
    lab.section("digits", "What it takes them for")?;
    lab.section_machine();
    let y_hat = network.predict(&images.test.inputs())?;
    let said = network.predict_labels(&images.test.inputs())?;
    let is = |row: usize| usize::from(images.test.labels()[row]);
    let mut wrong: Vec<usize> = (0..said.len()).filter(|&row| said[row] != is(row)).collect();
    wrong.sort_by(|&a, &b| y_hat[[b, said[b]]].total_cmp(&y_hat[[a, said[a]]]));
    let mut table = Table::new(&["test image", "is", "said", "with probability", "right class"]);
    for row in (0..5).chain(wrong.iter().copied().take(5)) {
        let percent = |k: usize| format!("{:.2} %", 100.0 * y_hat[[row, k]]);
        let numbers = [row, is(row), said[row]].map(|number| number.to_string());
        table.push([&numbers[..], &[percent(said[row]), percent(is(row))]].concat());
    }
    lab.say("The first five test images, and the five mistakes that it was surest of:\n");
    lab.table(&table);
    lab.say(format!(
        "\nIt is wrong {} times. A probability near 1 is no promise: it says how sure the network\n\
         is, not how right.",
        thousands(wrong.len()),
    ));
    lab.near("mistakes", wrong.len() as f64, 0.2);
    figures::digits(lab, images, &said, &wrong)
}

/// Which digits it takes for which.
fn what_it_confuses(lab: &mut Lab, images: &Mnist, network: &NeuralNetwork<f32>) -> Result<()> {
    lab.section("confusion", "What it takes for what")?;
    lab.section_machine();
    let score = network.score(&images.test)?;
    let counts = score.confusion.clone().ok_or("the test images have no classes")?;
    let columns: Vec<String> = (0..10).map(|k| format!("said {k}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(&[&["class"][..], &columns].concat());
    for (class, row) in counts.rows().into_iter().enumerate() {
        let row = row.iter().map(usize::to_string).collect();
        table.push([vec![format!("is {class}")], row].concat());
    }
    lab.table(&table);
    let (n, right) = (counts.sum() as f64, counts.diag().sum() as f64);
    let p = right / n;
    let error = (p * (1.0 - p) / n).sqrt();
    let mistakes = counts.indexed_iter().filter(|((j, k), _)| j != k);
    let ((is, said), times) = mistakes.max_by_key(|(_, count)| **count).ok_or("no classes")?;
    lab.say(format!(
        "\nThe diagonal holds {} of {}: an accuracy of {:.2} %. Another {} images from the same\n\
         hands would give another number; its standard error √(α (1 − α) / n) is {:.2} %. The\n\
         most frequent mistake: {times} times, a {is} was taken for a {said}.",
        thousands(right as usize),
        thousands(n as usize),
        100.0 * p,
        thousands(n as usize),
        100.0 * error,
    ));
    lab.near("accuracy_standard_error", error, 1e-4);
    figures::confusion(lab, &counts)
}

/// A training that was broken off, and the file it was saved in.
struct Broken {
    network: NeuralNetwork<f32>,
    /// How many batches were done.
    half: usize,
    file: Vec<u8>,
}

/// The same training again, broken off in the middle of an epoch and saved.
fn broken_off(
    args: &Args,
    lab: &mut Lab,
    images: &Mnist,
    whole: &Whole,
    half: usize,
) -> Result<Broken> {
    let mut network = args.network(args.common.seed)?;
    let (mut run, mut progress) = (Run::of(half), lab.progress("Up to the break"));
    network.fit(&images.train, &args.fit(), Some(&images.test), &mut |event| {
        run.observe_with(&mut progress, event)
    })?;
    progress.finish();
    network.save(args.model())?;
    network.save_params(args.model().with_extension("npy"))?;
    let file = fs::read(args.model())?;

    lab.section("break", "Broken off in the middle of an epoch")?;
    lab.section_near(0.01); // the file holds losses, some longer than others
    let training = network.training().ok_or("there was no training")?;
    let alike = run.losses.iter().zip(&whole.losses).filter(|(a, b)| a.to_bits() == b.to_bits());
    let alike = alike.count();
    lab.say(format!(
        "The same network from the same seed, trained again: the loss of {} batches was the\n\
         same, bit for bit, in {} of them. Then its observer broke the training off, after batch\n\
         {} of {} in epoch {}, and the network was saved:",
        thousands(half),
        thousands(alike),
        training.batch,
        training.batches(),
        training.epoch + 1,
    ));
    lab.say(format!(
        "\n    {}: {} bytes\n    {}: {} bytes",
        shown(&args.model()),
        thousands(file.len()),
        shown(&args.model().with_extension("npy")),
        thousands(fs::read(args.model().with_extension("npy"))?.len()),
    ));
    lab.say(
        "\nThe first is the whole network. The second is what one tutorial saves: its parameters.",
    );
    lab.exact("break_batch", half);
    lab.exact("break_epoch", training.epoch + 1);
    lab.exact("break_batch_in_epoch", training.batch);
    lab.exact("batches_alike", alike);
    Ok(Broken { network, half, file })
}

/// The rest of the training in a process that has nothing but the file.
fn in_a_new_process(
    args: &Args,
    lab: &mut Lab,
    images: &Mnist,
    whole: &Whole,
    broken: &Broken,
) -> Result<()> {
    let theirs = new_process::start(args)?;
    lab.section("resume", "In a new process")?;
    lab.section_near(0.01);
    let y_hat: Array2<f32> = broken.network.predict(&images.test.inputs())?;
    let outputs = differing(&bytes(&y_hat), &theirs);
    lab.say(format!(
        "This program started itself once more, and gave the new process the name of the file and\n\
         the folder with the images. It loaded the network and computed the {} outputs for the\n\
         test images. Of their {} bytes, {} differ from those computed here.",
        thousands(y_hat.len()),
        thousands(theirs.len()),
        thousands(outputs),
    ));
    let (resumed, never) = (fs::read(args.model())?, whole.network.to_document()?.to_bytes());
    let file = differing(&resumed, &never);
    lab.say(format!(
        "\nThen it went on to the end of epoch {} and saved the network over the file. The training\n\
         that was never interrupted, saved the same way, makes a file of {} bytes. Of these,\n\
         {} differ: parameters, velocity, history, and the order of the epoch that would come next.",
        args.epochs,
        thousands(never.len()),
        thousands(file),
    ));
    lab.exact("output_bytes_that_differ", outputs);
    lab.exact("file_bytes_that_differ", file);
    if outputs + file > 0 {
        return Err("a resumed training must not differ from one that was never broken off".into());
    }
    Ok(())
}

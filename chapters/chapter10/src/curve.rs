//! The plain program beside the library.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use gradus::{Event, Float, Network};
use lab::{Lab, Lines, Result, Table};
use ndarray::Array1;

use crate::child::{self, SLOW};
use crate::measure::Watch;
use crate::plain::{Floats, PLAIN, Plain};
use crate::task::{BATCH, Place, STEPS, Task};

/// How many epochs are drawn.
const DRAWN: usize = 3;

/// How far the parameters of the plain program and of the library may be apart after an epoch in
/// f64: rounding, carried through 469 steps.
const ROUNDING: f64 = 1e-8;

/// A training: seconds and test accuracy after each epoch, and how the time of the first epoch
/// is shared.
pub struct Curve {
    seconds: Vec<f64>,
    accuracy: Vec<f64>,
    first: Array1<f64>,
}

/// What the plain program does in a process of its own: it trains, says what it found, and writes
/// the parameters after its first epoch.
pub fn alone(task: &Task, file: &Path) -> Result<()> {
    let (curve, watch) = plain(task)?;
    let line = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    println!("epochs {}", line(&curve.seconds));
    println!("accuracy {}", line(&curve.accuracy));
    println!("parts {}", line(&WASTE.map(|(part, _)| watch.of(part))));
    let velocity = Array1::zeros(curve.first.len());
    child::write_place(&Place { params: curve.first, velocity }, file)
}

/// The plain program's training with the kernel of OpenBLAS that any processor has, or with the
/// one in use if there is no such kernel; and the seconds of its parts.
fn slow_or_not(task: &Task) -> Result<(Curve, Vec<f64>)> {
    let file = tempfile::NamedTempFile::new()?;
    let settings = [("OPENBLAS_CORETYPE", SLOW)];
    if let Some(answer) = child::ask("plain", task.seed, file.path(), &settings) {
        let first = child::read_place(file.path())?.params;
        let (seconds, accuracy) = (answer.numbers("epochs"), answer.numbers("accuracy"));
        return Ok((Curve { seconds, accuracy, first }, answer.numbers("parts")));
    }
    let (curve, watch) = plain(task)?;
    Ok((curve, WASTE.map(|(part, _)| watch.of(part)).into()))
}

/// The plain program's training.
fn plain(task: &Task) -> Result<(Curve, Watch)> {
    let floats = Floats::<f64>::of(&task.images.train);
    let mut network = Plain::at(&task.start()?, task);
    let mut curve = Curve { seconds: vec![], accuracy: vec![], first: Array1::zeros(0) };
    let mut so_far = 0.0;
    for order in task.orders(DRAWN) {
        network.watch.skip();
        let begin = Instant::now();
        for rows in order.chunks(BATCH) {
            network.step(&floats, rows, PLAIN);
        }
        so_far += begin.elapsed().as_secs_f64();
        let params = network.params();
        curve.seconds.push(so_far);
        curve.accuracy.push(accuracy(task, &params)?);
        if curve.first.is_empty() {
            curve.first = params;
        }
    }
    Ok((curve, network.watch))
}

fn accuracy(task: &Task, params: &Array1<f64>) -> Result<f64> {
    let place = Place { params: params.clone(), velocity: params * 0.0 };
    let score = task.network(&place)?.score(&task.images.test)?;
    Ok(score.accuracy().unwrap_or_default())
}

/// The library's training.
fn library<F: Float>(task: &Task) -> Result<Curve> {
    let mut network = task.network(&task.start()?.cast::<F>())?;
    let mut curve = Curve { seconds: vec![], accuracy: vec![], first: Array1::zeros(0) };
    let mut so_far = 0.0;
    for epochs in 1..=DRAWN {
        let (mut begin, mut seconds) = (None, 0.0);
        let mut watch = |event: Event| {
            if let Event::Batch { training, .. } = event {
                let begin = *begin.get_or_insert_with(Instant::now);
                seconds = begin.elapsed().as_secs_f64() / training.batch as f64 * STEPS as f64;
            }
            ControlFlow::Continue(())
        };
        if epochs == 1 {
            network.fit(&task.images.train, &task.fit(1, 1), None, &mut watch)?;
            curve.first = network.params().mapv(|x| x.as_f64());
        } else {
            network.resume(&task.images.train, epochs, None, &mut watch)?;
        }
        so_far += seconds;
        curve.seconds.push(so_far);
        let score = network.score(&task.images.test)?;
        curve.accuracy.push(score.accuracy().unwrap_or_default());
    }
    Ok(curve)
}

/// What is wasteful about each part of the plain step.
const WASTE: [(&str, &str); 6] = [
    ("gather", "eight bytes for each pixel, which is one byte"),
    ("forward", "four of five products are with 0"),
    ("softmax and loss", "a Jacobian for each image"),
    ("backward", "the same zeros again"),
    ("gradient of the inputs", "all of it: images do not learn"),
    ("update", "new arrays for each parameter, three times"),
];

/// The same curve, sooner; and where the plain program's time goes.
pub fn sooner(task: &Task, lab: &mut Lab) -> Result<()> {
    let (slow, parts) = slow_or_not(task)?;
    let exact = library::<f64>(task)?;
    let fast = library::<f32>(task)?;
    let difference = (&slow.first - &exact.first).mapv(f64::abs).fold(0.0, |a, &b| f64::max(a, b));
    if difference.is_nan() || difference > ROUNDING {
        return Err(format!("the plain program computes something else: {difference:e}").into());
    }

    lab.section("plain", "The step as one first writes it")?;
    lab.section_machine();
    let mut table = Table::new(&["part of the step", "ms an epoch", "share", "what is wasted"]);
    let all: f64 = parts.iter().sum();
    for ((part, waste), seconds) in WASTE.into_iter().zip(parts) {
        table.push(vec![
            part.into(),
            format!("{:.0}", 1e3 * seconds / DRAWN as f64),
            format!("{:.0} %", 100.0 * seconds / all),
            waste.into(),
        ]);
        let key = part.replace(' ', "_");
        lab.machine(&format!("plain_{key}_ms"), 1e3 * seconds / DRAWN as f64, "ms");
    }
    lab.table(&table);
    let per_epoch = |curve: &Curve| curve.seconds[DRAWN - 1] / DRAWN as f64;
    lab.say(format!(
        "\nAn epoch takes {:.2} seconds, and {:.3} in the library: {:.0} times as long. In f64, after\n\
         an epoch from the same start, no parameter of the two is more than {:.0e} apart.",
        per_epoch(&slow),
        per_epoch(&fast),
        per_epoch(&slow) / per_epoch(&fast),
        10_f64.powf(difference.max(1e-300).log10().ceil()),
    ));
    lab.machine("plain_epoch", per_epoch(&slow), "s");
    lab.machine("library_epoch", per_epoch(&fast), "s");
    lab.machine("plain_over_fit", per_epoch(&slow) / per_epoch(&fast), "");
    lab.near("plain_difference", difference, ROUNDING);
    lab.near("plain_accuracy", slow.accuracy[DRAWN - 1], 0.005);
    lab.near("library_accuracy", fast.accuracy[DRAWN - 1], 0.005);
    let percent = |curve: &Curve| curve.accuracy.iter().map(|a| 100.0 * a).collect::<Vec<_>>();
    let (first, last) = (fast.seconds[0], slow.seconds[DRAWN - 1]);
    let range = (first.min(last) * 0.8, first.max(last) * 1.25);
    let mut figure = Lines::new("seconds", "test accuracy in %").log_x().x_range(range.0, range.1);
    for (name, curve) in [("as one first writes it", &slow), ("the library", &fast)] {
        figure = figure.series(name, curve.seconds.iter().copied(), percent(curve)).points(
            name,
            curve.seconds.iter().copied(),
            percent(curve),
        );
    }
    lab.figure(
        "same_curve",
        &format!(
            "Accuracy on the test images after each of {DRAWN} epochs against the time of the \
             training, on a logarithmic axis: the same network from the same start, batches in the \
             same order, one thread."
        ),
        "Two rising curves of three points each and of the same shape. That of the library lies \
         far to the left.",
        &figure,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain::{How, Route};

    /// The routes through softmax, of which the plain step takes the first.
    fn routes_agree(task: &Task) -> Result<f64> {
        let floats = Floats::<f64>::of(&gradus::Subset::new(&task.images.train, 0..BATCH)?);
        let rows: Vec<usize> = (0..BATCH).collect();
        let params = |route| -> Result<Array1<f64>> {
            let mut network = Plain::at(&task.start()?, task);
            network.step(&floats, &rows, How { route, ..PLAIN });
            Ok(network.params())
        };
        let first = params(Route::Jacobian)?;
        let mut most = 0.0_f64;
        for route in [Route::Product, Route::Fused] {
            let apart = (&params(route)? - &first).mapv(f64::abs);
            most = apart.fold(most, |a, &b| a.max(b));
        }
        Ok(most)
    }

    #[test]
    fn the_three_routes_take_the_same_step() {
        let apart = routes_agree(&Task::read(1).unwrap()).unwrap();
        assert!(apart < 1e-15, "{apart:e}");
    }

    #[test]
    fn the_plain_step_is_that_of_the_library() {
        let task = Task::read(2).unwrap();
        let order = task.orders(1).remove(0);
        let floats = Floats::<f64>::of(&task.images.train);
        let start = task.start().unwrap();
        let mut plain = Plain::at(&start, &task);
        let losses: Vec<f64> =
            (order.chunks(BATCH).take(4)).map(|rows| plain.step(&floats, rows, PLAIN)).collect();
        let (_, expected) = task.fitted(&start, &task.images.train, 1, 3).unwrap();
        for (a, b) in losses.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-12, "{losses:?} {expected:?}");
        }
        assert_eq!((losses.len(), expected.len()), (4, 4));
    }
}

//! All of a student's work together: a network of two layers that learns digits with the
//! student's functions. Only what no exercise asks for, tanh of the hidden layer and its slope,
//! is computed here.

use std::path::Path;

use gradus::Mnist;
use ndarray::{Array1, Array2, Axis, s};
use rand::seq::SliceRandom;
use signatures::{
    Call, Exchange, Misfit, TypedCall, Value, chapter02, chapter03, chapter04, chapter05,
};

use crate::CHAPTERS;
use crate::answer::{Answer, Answers};
use crate::course::Error;
use crate::draw::Draw;
use crate::outcome::{Failure, Outcome, Reason};
use crate::question::Fault;

const SIDE: usize = 14;
const SIZES: [usize; 3] = [SIDE * SIDE, 24, 10];
const SAMPLES: usize = 2000;
const UNSEEN: usize = 1000;
const BATCH: usize = 64;
const EPOCHS: usize = 4;
const LEARNING_RATE: f64 = 0.1;
const MOMENTUM: f64 = 0.9;

/// Rounding grows while a network learns; a mistake is there from its first step.
const TOLERANCE: f64 = 1e-6;

/// What came of a training.
struct Trained {
    /// The mean loss of each batch.
    losses: Vec<f64>,
    /// How many of the unseen images were recognised.
    recognised: usize,
}

/// The images, and the order in which they are learned.
struct Digits {
    images: Array2<u8>,
    labels: Vec<usize>,
    unseen: Array2<u8>,
    unseen_labels: Vec<usize>,
}

/// Trains with the student's functions, and with the library's: the losses have to be the same.
/// Returns in words, besides the outcome, what the network has learned.
///
/// # Errors
/// If the images cannot be read.
pub fn grade(seed: u64, student: &mut dyn Answers) -> Result<(Outcome, String), Error> {
    let digits = Digits::read(seed)?;
    let right = match train(&digits, seed, &mut reference) {
        Ok(right) => right,
        Err(outcome) => panic!("the library does not train: {outcome:?}"),
    };
    let found = match train(&digits, seed, student) {
        Ok(found) => found,
        Err(outcome) => return Ok((outcome, String::new())),
    };
    let same = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * a.abs();
    let parted: Vec<usize> = (0..right.losses.len().min(found.losses.len()))
        .filter(|&step| !same(right.losses[step], found.losses[step]))
        .collect();
    let difference = match parted.first() {
        Some(&step) => {
            let (expected, found) = (right.losses[step], found.losses[step]);
            Some(format!("the loss of step {step}: expected {expected}, found {found}"))
        }
        None => (found.recognised != right.recognised)
            .then(|| "the losses are right: it is forward_pass on images that are new".to_owned()),
    };
    let outcome = match difference {
        None => Outcome::Passed,
        Some(difference) => {
            let fault = Fault { expected: right.show(), found: found.show(), difference };
            failed(Reason::Wrong(fault), parted.len(), right.losses.len())
        }
    };
    let loss = found.losses.last().copied().unwrap_or(f64::NAN);
    let learned = format!(
        "your functions trained a network of {SIZES:?} units on {SAMPLES} digits for {EPOCHS} epochs: \
         its loss went from {:.3} to {loss:.3}, and it recognises {} of {UNSEEN} digits that it has \
         not seen",
        found.losses[0], found.recognised,
    );
    Ok((outcome, learned))
}

/// The library's functions, of all chapters.
///
/// # Errors
/// If no chapter has such a function, or an argument is missing or of another type.
pub fn reference(call: &Call) -> Result<Value, Misfit> {
    let has = |&(name, _): &(&str, _)| name == call.function;
    match CHAPTERS.iter().find(|chapter| chapter.checks.iter().any(has)) {
        Some(chapter) => (chapter.reference)(call),
        None => Err(Misfit::Function(call.function.clone())),
    }
}

impl Trained {
    fn show(&self) -> String {
        let (losses, recognised, last) = (&self.losses, self.recognised, self.losses.len() - 1);
        format!(
            "losses {:.6}, {:.6}, … {:.6}; {recognised} digits recognised",
            losses[0], losses[1], losses[last]
        )
    }
}

fn failed(reason: Reason, wrong: usize, asked: usize) -> Outcome {
    let case = "training a network with all of your functions".to_owned();
    let (given, diagnoses) = (Vec::new(), Vec::new());
    Outcome::Failed(Box::new(Failure { case, given, reason, wrong, asked, diagnoses }))
}

/// The end of a training at a call that went wrong.
fn stopped(reason: Reason) -> Outcome {
    failed(reason, 1, 1)
}

/// Trains a network; an outcome where a function fails on the way.
fn train(digits: &Digits, seed: u64, student: &mut dyn Answers) -> Result<Trained, Outcome> {
    let mut ask = Asking(student);
    let y = ask.required(chapter04::call::one_hot_labels(&digits.labels, SIZES[2]))?;
    let mut theta = initial(seed, &mut ask)?;
    let mut velocity = Array1::zeros(theta.len());
    let mut losses = Vec::new();
    loop {
        let place = chapter05::call::place_in_epoch(losses.len(), SAMPLES, BATCH);
        let (epoch, batch, size) = ask.get(place)?;
        let rows = batch.saturating_mul(BATCH)..batch.saturating_mul(BATCH).saturating_add(size);
        if rows.end > SAMPLES || losses.len() > EPOCHS * SAMPLES {
            let said = format!("place_in_epoch: there are no samples {rows:?}");
            return Err(stopped(Reason::Panicked(said)));
        }
        if epoch >= EPOCHS {
            break;
        }
        let images = digits.images.slice(s![rows.clone(), ..]).to_owned();
        let order: Vec<usize> = (0..images.nrows()).collect();
        let x = ask.get(chapter05::call::scale_pixels(&images, &order))?;
        let (loss, gradient) = backward(&x, &y.slice(s![rows, ..]).to_owned(), &theta, &mut ask)?;
        let step =
            chapter03::call::momentum_step(&theta, &velocity, &gradient, LEARNING_RATE, MOMENTUM);
        (theta, velocity) = ask.get(step)?;
        losses.push(loss);
    }
    if losses.len() < 2 {
        return Err(stopped(Reason::Panicked("place_in_epoch ends before it begins".to_owned())));
    }
    let recognised = ask.recognised(digits, &theta)?;
    Ok(Trained { losses, recognised })
}

/// The first parameters: Glorot's, and no biases.
fn initial(seed: u64, ask: &mut Asking<'_>) -> Result<Array1<f64>, Outcome> {
    let mut draw = Draw::new(seed, u64::from(u32::MAX));
    let mut weights = Vec::new();
    for pair in SIZES.windows(2) {
        let (_, glorot, _) = ask.get(chapter04::call::weight_deviations(pair[0], pair[1]))?;
        weights.push(draw.normal((pair[0], pair[1]), glorot));
    }
    let biases = [Array1::zeros(SIZES[1]), Array1::zeros(SIZES[2])];
    ask.get(chapter04::call::flatten_parameters(&weights, &biases))
}

/// The loss of a batch, and its gradient.
fn backward(
    x: &Array2<f64>,
    y: &Array2<f64>,
    theta: &Array1<f64>,
    ask: &mut Asking<'_>,
) -> Result<(f64, Array1<f64>), Outcome> {
    let restored = chapter04::call::restore_parameters(theta, &SIZES);
    let (weights, biases) = ask.required(restored)?;
    fits(weights.len() == 2 && biases.len() == 2, "restore_parameters")?;
    fits(
        weights[0].dim() == (SIZES[0], SIZES[1]) && biases[0].dim() == SIZES[1],
        "restore_parameters",
    )?;
    fits(
        weights[1].dim() == (SIZES[1], SIZES[2]) && biases[1].dim() == SIZES[2],
        "restore_parameters",
    )?;
    fits(x.dim() == (y.nrows(), SIZES[0]), "scale_pixels")?;
    let hidden = (x.dot(&weights[0]) + &biases[0]).tanh();
    let logits = hidden.dot(&weights[1]) + &biases[1];
    let (loss, d_logits) = ask.get(chapter02::call::softmax_loss_from_logits(&logits, y))?;
    let (d_w1, d_b1, d_hidden) =
        ask.get(chapter04::call::affine_backward(&hidden, &weights[1], &d_logits))?;
    fits(d_hidden.dim() == hidden.dim(), "affine_backward")?;
    let d_z = d_hidden * &(1.0 - &hidden * &hidden);
    let (d_w0, d_b0, _) = ask.get(chapter04::call::affine_backward(x, &weights[0], &d_z))?;
    let gradient = chapter04::call::flatten_parameters(&[d_w0, d_w1], &[d_b0, d_b1]);
    Ok((loss, ask.get(gradient)?))
}

/// Goes on if what a function returned has the right shape.
fn fits(right: bool, function: &str) -> Result<(), Outcome> {
    let said = || format!("{function} returned arrays of the wrong shapes");
    if right { Ok(()) } else { Err(stopped(Reason::Panicked(said()))) }
}

/// The student's functions, with types.
struct Asking<'a>(&'a mut dyn Answers);

impl Asking<'_> {
    /// What a function returns.
    fn get<R: Exchange>(&mut self, call: TypedCall<R>) -> Result<R, Outcome> {
        let function = &call.call.function;
        let reason = match self.0.answer(&call.call) {
            Answer::Returned(value) => match R::from_value(&value) {
                Some(value) => return Ok(value),
                None => Reason::Panicked(format!("{function} returned another kind of value")),
            },
            Answer::NotWritten => return Err(Outcome::NotWritten),
            Answer::Panicked(said) => Reason::Panicked(format!("{function}: {said}")),
            Answer::Ended(how) => Reason::Ended(format!("{function}: {how}")),
            Answer::TooSlow => Reason::TooSlow,
        };
        Err(stopped(reason))
    }

    /// What is in the `Some` that a function must return here.
    fn required<R: Exchange>(&mut self, call: TypedCall<Option<R>>) -> Result<R, Outcome> {
        let function = call.call.function.clone();
        let said = || format!("{function} returned None");
        self.get(call)?.ok_or_else(|| stopped(Reason::Panicked(said())))
    }

    /// How many of the unseen digits the network recognises, by its softmax.
    fn recognised(&mut self, digits: &Digits, theta: &Array1<f64>) -> Result<usize, Outcome> {
        let restored = chapter04::call::restore_parameters(theta, &SIZES);
        let (weights, biases) = self.required(restored)?;
        let order: Vec<usize> = (0..UNSEEN).collect();
        let x = self.get(chapter05::call::scale_pixels(&digits.unseen, &order))?;
        let outputs = self.get(chapter04::call::forward_pass(&x, &weights, &biases))?;
        fits(outputs.dim() == (UNSEEN, SIZES[2]), "forward_pass")?;
        let largest = outputs.map_axis(Axis(1), |row| {
            let pairs = row.iter().enumerate();
            pairs.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
        });
        let right = largest.iter().zip(&digits.unseen_labels).filter(|(a, b)| a == b);
        Ok(right.count())
    }
}

impl Digits {
    /// The first images of MNIST's two parts; the seed chooses the order of the former.
    fn read(seed: u64) -> Result<Self, Error> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist");
        let mnist = Mnist::read(folder)?;
        let mut order: Vec<usize> = (0..SAMPLES).collect();
        order.shuffle(&mut Draw::new(seed, u64::from(u32::MAX) + 1).rng);
        let labels = |labels: &[u8]| labels.iter().map(|&label| label.into()).collect::<Vec<_>>();
        let all = labels(mnist.train.labels());
        Ok(Self {
            images: halved(&mnist.train.bytes().select(Axis(0), &order)),
            labels: order.iter().map(|&row| all[row]).collect(),
            unseen: halved(&mnist.test.bytes().slice(s![..UNSEEN, ..]).to_owned()),
            unseen_labels: labels(&mnist.test.labels()[..UNSEEN]),
        })
    }
}

/// Images of half the height and half the width: each pixel is the mean of four.
fn halved(images: &Array2<u8>) -> Array2<u8> {
    Array2::from_shape_fn((images.nrows(), SIDE * SIDE), |(i, pixel)| {
        let corner = 2 * (pixel / SIDE) * (2 * SIDE) + 2 * (pixel % SIDE);
        let four = [0, 1, 2 * SIDE, 2 * SIDE + 1].map(|step| u16::from(images[[i, corner + step]]));
        (four.iter().sum::<u16>() / 4) as u8
    })
}

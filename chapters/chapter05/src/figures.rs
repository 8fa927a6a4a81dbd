//! The chapter's figures.

use gradus::{History, Mnist};
use lab::{HeatMap, Images, Lab, Lines, Panels, Result};
use ndarray::Array2;

use crate::args::Args;
use crate::run::smoothed;

/// Loss and accuracy, epoch by epoch.
pub fn curves(args: &Args, lab: &mut Lab, history: &History) -> Result<()> {
    let epochs = || (1..).map(f64::from);
    let percent = history.validation_accuracy.iter().map(|accuracy| 100.0 * accuracy);
    let loss = Lines::new("epoch", "loss")
        .series("training images", epochs(), history.loss.iter().copied())
        .series("test images", epochs(), history.validation_loss.iter().copied())
        .log_y();
    let accuracy = Lines::new("epoch", "accuracy in %").series("test images", epochs(), percent);
    let hidden: Vec<String> = args.hidden.iter().map(usize::to_string).collect();
    lab.figure(
        "curves",
        &format!(
            "Loss and accuracy over {} epochs; hidden layer {}, rate {}, momentum {}, batches of \
             {}. The training loss is the mean over an epoch, the others are taken at its end.",
            args.epochs,
            hidden.join(", "),
            args.learning_rate,
            args.momentum,
            args.batch_size,
        ),
        "Two plots. Left: the training loss keeps falling, on a logarithmic axis, while the test \
         loss falls for a few epochs and then stays level above it. Right: the test accuracy \
         rises steeply at first, and creeps up with small jumps later.",
        &Panels::new(2).panel("loss", loss).panel("accuracy", accuracy),
    )
}

/// The first ten test images, and the ten mistakes that the network was surest of.
pub fn digits(lab: &mut Lab, images: &Mnist, said: &[usize], wrong: &[usize]) -> Result<()> {
    let mut figure = Images::new(5);
    for row in (0..10).chain(wrong.iter().copied().take(10)) {
        let (is, said) = (usize::from(images.test.labels()[row]), said[row]);
        let title = if is == said { format!("{said}") } else { format!("said {said}, is {is}") };
        figure = figure.image(&images.test.bytes().row(row).to_vec(), &title, is != said);
    }
    lab.figure(
        "digits",
        "The first ten test images with what the network takes them for, and the ten mistakes \
         that it was surest of, framed.",
        "Four rows of five handwritten digits. The upper two rows are ordinary digits, read \
         rightly. The lower two are framed: digits that are hard to read, each with the class \
         it was taken for and the class it has.",
        &figure,
    )
}

/// The mistakes, by class.
pub fn confusion(lab: &mut Lab, counts: &Array2<usize>) -> Result<()> {
    let mistakes = Array2::from_shape_fn(counts.dim(), |(class, said)| {
        if class == said { 0.0 } else { counts[[class, said]] as f64 }
    });
    let figure = HeatMap::new("said", "is", &mistakes).annotate(0);
    lab.figure(
        "confusion",
        "How many test images of each class (row) were taken for each other class (column). The \
         diagonal, which would hold those read rightly, is left at 0.",
        "A grid of ten by ten small counts. Most cells are pale, with counts of 0 to 3; a few dark \
         ones stand for pairs that look alike, such as 4 and 9.",
        &figure,
    )
}

/// Curves around a break: where training is smooth, and where it is noisy.
pub struct Around {
    /// The losses of a small, smooth training, from its first step, and where it broke off.
    pub smooth: (Vec<f64>, usize),
    /// The same after the break, from parameters alone.
    pub smooth_alone: Vec<f64>,
    /// The losses of the chapter's training, and where it broke off.
    pub noisy: (Vec<f64>, usize),
    /// The same after the break, from parameters alone.
    pub noisy_alone: Vec<f64>,
    /// Over how many batches the noisy losses are averaged.
    pub width: usize,
    /// How many images the smooth training has.
    pub images: usize,
}

const WHOLE: &str = "whole file";
const ALONE: &str = "parameters alone";

/// What is lost with the velocity.
pub fn kink(lab: &mut Lab, around: &Around) -> Result<()> {
    let Around { smooth: (smooth, at), noisy: (noisy, half), .. } = around;
    let from = |first: usize| (first..).map(|step| step as f64);
    let window = half.saturating_sub(200)..noisy.len().min(half + around.noisy_alone.len());
    let (width, smoothed) = (around.width, |losses: &[f64]| smoothed(losses, around.width));
    let left = Lines::new("step", "loss")
        .series(WHOLE, from(0), smooth.iter().copied())
        .dashed(ALONE, from(*at), around.smooth_alone.iter().copied())
        .vertical("break", *at as f64);
    let right = Lines::new("step", "loss, averaged")
        .series(WHOLE, from(window.start + width - 1), smoothed(&noisy[window]))
        .dashed(ALONE, from(half + width - 1), smoothed(&around.noisy_alone))
        .vertical("break", *half as f64);
    lab.figure(
        "kink",
        &format!(
            "Training resumed from the whole file and from the parameters alone. Left: {} images \
             in one batch, so that nothing is random. Right: the chapter's training around its \
             break, each point the mean of the last {} batches.",
            around.images, width,
        ),
        "Two plots with a vertical line where training broke off. Left: a steeply falling curve; \
         resumed from the whole file it goes on as if nothing had happened, resumed from the \
         parameters alone it bends at the break, falls slowly at first, and stays behind. Right: \
         two jagged, nearly level curves; that of the parameters alone begins clearly lower and \
         comes back up.",
        &Panels::new(2).panel("one batch, early", left).panel("batches, half-way through", right),
    )
}

//! A dense network on digits that are not where they used to be.

use gradus::{Mnist, Network, NeuralNetwork, Sequential};
use lab::text::thousands;
use lab::{Images, Lab, Lines, Result, Table};
use ndarray::{ArrayRef2, s};

use crate::digits::{DIRECTIONS, IMAGES, first, moved, moved_test};
use crate::networks::{self, BATCH, EPOCHS, HIDDEN, MOMENTUM, RATE, Trained, train};

/// As far as digits are moved.
const FAR: isize = 4;

/// The test image that is shown: its number.
pub const SHOWN: usize = 0;

/// A network with what was measured while it learned.
pub struct Dense {
    pub network: NeuralNetwork<f32>,
    pub trained: Trained,
    pub accuracies: Vec<f64>,
}

/// Accuracy against how far the digits are moved: the mean over four directions.
pub fn accuracies<N: Network<f32>>(network: &N, images: &Mnist) -> Result<Vec<f64>> {
    let accuracy = |down, right| -> Result<f64> {
        let score = network.score(&moved_test(images, down, right)?)?;
        Ok(score.accuracy().ok_or("digits have classes")?)
    };
    let mut means = vec![accuracy(0, 0)?];
    for far in 1..=FAR {
        let all = DIRECTIONS.map(|(_, down, right)| accuracy(far * down, far * right));
        let sum = all.into_iter().sum::<Result<f64>>()?;
        means.push(sum / DIRECTIONS.len() as f64);
    }
    Ok(means)
}

/// A network that reads digits, until they move.
pub fn a_few_pixels_aside(seed: u64, images: &Mnist, lab: &mut Lab) -> Result<Dense> {
    let mut network = networks::dense(seed)?;
    let source = first(images, IMAGES)?;
    let fit = networks::fit(seed);
    let trained = train(lab, "dense", &mut network, &source, Some(&images.test), &fit)?;
    lab.section("shifted", "Digits that move a few pixels")?;
    lab.section_near(0.1);
    let accuracies = accuracies(&network, images)?;
    lab.say(format!(
        "A dense network 784-{HIDDEN}-10, trained on {} digits ({EPOCHS} epochs, batches of {BATCH},\n\
         momentum {MOMENTUM}, rate {RATE}), reads {:.2} % of the test digits. Then every fifth test digit\n\
         is moved up, down, left and right; even {FAR} pixels cost no more than {:.2} % of the ink:\n",
        thousands(IMAGES),
        100.0 * last(&trained)?,
        100.0 * lost(images),
    ));
    let mut table = Table::new(&["moved by", "accuracy"]);
    for (far, accuracy) in accuracies.iter().enumerate() {
        table.push(vec![pixels(far), format!("{:.1} %", 100.0 * accuracy)]);
        lab.near(&format!("dense_moved_{far}"), *accuracy, 0.03);
    }
    lab.table(&table);
    lab.near("dense_accuracy", last(&trained)?, 0.01);
    lab.exact("dense_parameters", network.params().len());
    lab.exact("images", IMAGES);
    the_same_seven(lab, images, &network)?;
    let far = || (0..=FAR).map(|far| far as f64);
    let percent = accuracies.iter().map(|accuracy| 100.0 * accuracy);
    lab.figure(
        "shifted",
        &format!(
            "The share of test digits that a dense network 784-{HIDDEN}-10 reads rightly, when \
             they are moved by some pixels: the mean over four directions."
        ),
        "A curve that starts above 90 % and falls the steeper the farther the digits are moved, to \
         far less than half at four pixels; a line at 10 % marks pure chance.",
        &Lines::new("moved by, in pixels", "accuracy in %")
            .series("dense network", far(), percent)
            .horizontal("chance", 10.0)
            .y_range(0.0, 100.0),
    )?;
    Ok(Dense { network, trained, accuracies })
}

/// The share of the ink that leaves the image when digits are moved as far as they are.
fn lost(images: &Mnist) -> f64 {
    let ink = |bytes: &ArrayRef2<u8>| bytes.iter().map(|&byte| f64::from(byte)).sum::<f64>();
    let bytes = images.test.bytes();
    let kept = DIRECTIONS.map(|(_, down, right)| ink(&moved(bytes, FAR * down, FAR * right)));
    1.0 - kept.iter().sum::<f64>() / (DIRECTIONS.len() as f64 * ink(bytes))
}

fn pixels(far: usize) -> String {
    if far == 1 { "1 pixel".into() } else { format!("{far} pixels") }
}

/// The accuracy on all test digits after the last epoch.
pub fn last(trained: &Trained) -> Result<f64> {
    Ok(*trained.history.validation_accuracy.last().ok_or("there was no epoch")?)
}

/// One digit, moved to the right, and what the network takes it for.
fn the_same_seven(lab: &mut Lab, images: &Mnist, network: &NeuralNetwork<f32>) -> Result<()> {
    let label = usize::from(images.test.labels()[SHOWN]);
    let image = images.test.bytes().slice(s![SHOWN..=SHOWN, ..]).to_owned();
    let mut figure = Images::new(5);
    let mut said = Vec::new();
    for far in 0..=FAR {
        let pixels = moved(&image, 0, far);
        let y_hat = network.predict(&pixels.mapv(|byte| f32::from(byte) / 255.0))?;
        let row = y_hat.row(0);
        let class = (0..10).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        let title = format!("{class} ({:.0} %)", 100.0 * row[class]);
        said.push(title.clone());
        figure = figure.image(pixels.as_slice().ok_or("in one piece")?, &title, class != label);
    }
    lab.say(format!(
        "\nThe first test digit, a {label}, moved to the right by 0 to {FAR} pixels, is taken for\n    {}",
        said.join(", "),
    ));
    lab.figure(
        "shifted_digits",
        &format!(
            "The first test digit, moved to the right by 0 to {FAR} pixels, with the class that \
             the dense network takes it for and the probability it gives it; mistakes are framed."
        ),
        "Five images of the same handwritten seven, each a pixel farther to the right. To the eye \
         they are all the same seven; the network's answer changes along the row.",
        &figure,
    )
}

/// The same digits, read by both networks.
pub fn once_more(
    images: &Mnist,
    dense: &Dense,
    convolutional: &Sequential<f32>,
    lab: &mut Lab,
) -> Result<()> {
    lab.section("shifted_again", "The moved digits once more")?;
    lab.section_near(0.1);
    let theirs = accuracies(convolutional, images)?;
    let mut table = Table::new(&["moved by", "dense network", "convolutional network"]);
    let percent = |accuracy: &f64| format!("{:.1} %", 100.0 * accuracy);
    for (far, (dense, theirs)) in dense.accuracies.iter().zip(&theirs).enumerate() {
        table.push(vec![pixels(far), percent(dense), percent(theirs)]);
        lab.near(&format!("moved_{far}"), *theirs, 0.05);
    }
    lab.table(&table);
    let far = || (0..=FAR).map(|far| far as f64);
    let both = [("dense network", &dense.accuracies), ("convolutional network", &theirs)];
    let lines = both.into_iter().fold(
        Lines::new("moved by, in pixels", "accuracy in %"),
        |lines, (name, accuracies)| {
            lines.series(name, far(), accuracies.iter().map(|accuracy| 100.0 * accuracy))
        },
    );
    lab.figure(
        "shifted_both",
        "The share of moved test digits that is read rightly: the dense network of the beginning \
         and the convolutional one, both trained on the same digits, none of which was moved.",
        "Two falling curves. That of the convolutional network starts a little higher, stays near \
         its start for the first two pixels, and falls later; that of the dense network falls at \
         once.",
        &lines.horizontal("chance", 10.0).y_range(0.0, 100.0),
    )
}

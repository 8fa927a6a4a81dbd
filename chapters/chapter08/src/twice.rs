//! Section 15: a published bug that Adam hides, for a while.

use gradus::{Adam, Decayed, GradientDescent, Momentum, Optimizer, Part, RmsProp, State};
use lab::{Lab, Result, Table};
use ndarray::{Array1, ArrayRef1, Zip};

use crate::mnist::{BATCH, Boxed, Digits, Means, SEEDS, cells};
use crate::tune::Tuned;
use crate::zoo::key;

/// Elsharkawy's gradient: divided by the size of the batch, although it is a mean already,
/// with λ/m of the weights added afterwards.
#[derive(Debug)]
struct AveragedTwice {
    inner: Boxed,
    batch: f32,
    /// λ/m.
    decay: f32,
    gradient: Array1<f32>,
}

impl Part<f32> for AveragedTwice {
    fn name(&self) -> &str {
        "averaged_twice"
    }

    fn state(&self) -> State<f32> {
        self.inner.state()
    }
}

// ANCHOR: AveragedTwice
impl Optimizer<f32> for AveragedTwice {
    fn prepare(&mut self, parameters: usize) -> gradus::Result<()> {
        self.gradient = Array1::zeros(parameters);
        self.inner.prepare(parameters)
    }

    fn step(&mut self, params: &mut ArrayRef1<f32>, mean: &ArrayRef1<f32>) {
        Zip::from(&mut self.gradient)
            .and(mean)
            .and(&*params)
            .for_each(|g, &mean, &w| *g = mean / self.batch + self.decay * w);
        self.inner.step(params, &self.gradient);
    }
}
// ANCHOR_END: AveragedTwice

fn averaged_twice(inner: Boxed, decay: f64) -> Boxed {
    let gradient = Array1::zeros(0);
    Box::new(AveragedTwice { inner, batch: BATCH as f32, decay: decay as f32, gradient })
}

type Maker = fn(f64) -> gradus::Result<Boxed>;

/// 15. The mean of a mean.
pub fn mean_of_a_mean(seed: u64, digits: &Digits, tuned: &Tuned, lab: &mut Lab) -> Result<()> {
    lab.section("twice", "15  A mean that is divided once more")?;
    lab.section_near(0.02);
    lab.say(format!(
        "The gradient of a published program is divided by the size of the batch, here {BATCH}, twice.\n\
         The digits again, at the tuned rates, with the right gradient and with that one:\n",
    ));
    let makers: [(&str, Maker); 4] = [
        ("gradient descent", |eta| Ok(Box::new(GradientDescent::new(eta)?))),
        ("momentum", |eta| Ok(Box::new(Momentum::new(eta, 0.9)?))),
        ("RMSprop", |eta| Ok(Box::new(RmsProp::new(eta, 0.9)?))),
        ("Adam", |eta| Ok(Box::new(Adam::new(eta)?))),
    ];
    let header = ["", "loss, right", "accuracy", "loss, twice", "accuracy"];
    let mut table = Table::new(&header);
    for (name, maker) in makers {
        let rate = tuned.best(name)?.0;
        let right = digits.means(&|| Ok(maker(rate)?), seed)?;
        let twice = digits.means(&|| Ok(averaged_twice(maker(rate)?, 0.0)), seed)?;
        table.push([vec![name.into()], cells(&right), cells(&twice)].concat());
        let key = key(name);
        note(&format!("twice_right_{key}"), &right, lab);
        note(&format!("twice_wrong_{key}"), &twice, lab);
    }
    lab.table(&table);
    lab.say(
        "\nPlain descent and momentum move a hundred times too little. RMSprop and Adam divide by the\n\
         size of the gradients, and hardly notice.",
    );

    lab.section("twice_decay", "    … and with weight decay")?;
    lab.section_near(0.02);
    lab.say(format!(
        "That program then adds λ/m times the weights. Adam, with λ/m = λ/{BATCH} added to the right\n\
         gradient, and to the one that is divided twice:\n",
    ));
    let rate = tuned.best("Adam")?.0;
    let mut table = Table::new(&[&["λ"], &header[1..]].concat());
    for (name, lambda) in [("0", 0.0), ("0.01", 0.01), ("0.1", 0.1), ("1", 1.0)] {
        let decay = lambda / BATCH as f64;
        let adam = || Adam::new(rate);
        let right = digits.means(&|| Ok(Box::new(Decayed::new(adam()?, decay)?)), seed)?;
        let twice = digits.means(&|| Ok(averaged_twice(Box::new(adam()?), decay)), seed)?;
        table.push([vec![name.into()], cells(&right), cells(&twice)].concat());
        let key = name.replace('.', "_");
        note(&format!("twice_decay_right_{key}"), &right, lab);
        note(&format!("twice_decay_wrong_{key}"), &twice, lab);
    }
    lab.table(&table);
    lab.say(format!(
        "\nThe sum is divided by its size as a whole, so that the decay counts {BATCH} times as much as\n\
         was meant. Each number is the mean of {SEEDS} trainings.",
    ));
    Ok(())
}

fn note(name: &str, means: &Option<Means>, lab: &mut Lab) {
    if let Some(means) = means {
        lab.near(&format!("{name}_loss"), means.loss, 0.01);
        lab.near(&format!("{name}_accuracy"), means.accuracy, 0.01);
    }
}

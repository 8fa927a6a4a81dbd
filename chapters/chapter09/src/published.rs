//! A mean that is divided once more, beside a penalty that is not.

use gradus::{Decayed, Momentum, Optimizer, Part};
use lab::{Lab, Result, Table};
use ndarray::{Array1, ArrayRef1};

use crate::moons::{self, EPOCHS, MU, RATE, SAMPLES};
use crate::stats::percent;

/// Elsharkawy's gradient: that of the mean loss divided by m again, and λ/m times the
/// parameters.
#[derive(Debug)]
struct TwiceWithL2 {
    inner: Momentum<f64>,
    m: f64,
    lambda: f64,
}

impl Part<f64> for TwiceWithL2 {
    fn name(&self) -> &str {
        "twice_with_l2"
    }
}

// ANCHOR: TwiceWithL2
impl Optimizer<f64> for TwiceWithL2 {
    fn step(&mut self, params: &mut ArrayRef1<f64>, mean: &ArrayRef1<f64>) {
        let gradient = mean / self.m + &*params * (self.lambda / self.m);
        self.inner.step(params, &gradient);
    }
}
// ANCHOR_END: TwiceWithL2

/// The tutorial's λ, with λ/m in its gradient: ours is λ/m.
const LAMBDAS: [(&str, f64); 5] =
    [("0", 0.0), ("0.003", 3e-3), ("0.03", 3e-2), ("0.3", 0.3), ("3", 3.0)];

/// What the second division does to L2.
pub fn twice(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("published", "Divided twice, with L2")?;
    lab.section_near(0.02);
    let (samples, new) = (moons::learned_from(seed)?, moons::new(seed)?);
    let m = SAMPLES as f64;
    let mut table = Table::new(&[
        "λ",
        "right: ‖θ‖",
        "new samples",
        "published: ‖θ‖",
        "new",
        "rate × m: ‖θ‖",
        "new",
    ]);
    for (name, lambda) in LAMBDAS {
        let right = Decayed::new(Momentum::new(RATE, MU)?, lambda / m)?;
        let published = TwiceWithL2 { inner: Momentum::new(RATE, MU)?, m, lambda };
        let faster = TwiceWithL2 { inner: Momentum::new(RATE * m, MU)?, m, lambda };
        let mut cells = vec![name.to_owned()];
        let optimizers: [(&str, Box<dyn Optimizer<f64>>); 3] = [
            ("right", Box::new(right)),
            ("twice", Box::new(published)),
            ("faster", Box::new(faster)),
        ];
        for (key, optimizer) in optimizers {
            let mut network = moons::large(optimizer, seed)?;
            moons::learn(&mut network, &samples, EPOCHS, None)?;
            let norm = network.params().dot(network.params()).sqrt();
            let accuracy = moons::verdict(&network, &new)?.1;
            cells.extend([format!("{norm:.1}"), percent(accuracy)]);
            let key = format!("published_{key}_{}", name.replace('.', "_"));
            lab.near(&format!("{key}_norm"), norm, 0.02);
            lab.near(&format!("{key}_accuracy"), accuracy, 0.01);
        }
        table.push(cells);
    }
    lab.say(format!(
        "A published program adds λ/m of the weights to a gradient that it has divided by m = {SAMPLES}\n\
         twice. {EPOCHS} epochs on the {SAMPLES} moons of the first section, with the right gradient, with the\n\
         published one, and with the published one at a rate {SAMPLES} times as high:\n",
    ));
    lab.table(&table);
    same_steps(seed, lab)
}

/// The published gradient at m times the rate is the right one with m times the λ.
fn same_steps(seed: u64, lab: &mut Lab) -> Result<()> {
    const STEPS: usize = 20;
    let (samples, m, lambda) = (moons::learned_from(seed)?, SAMPLES as f64, 0.03);
    let published = TwiceWithL2 { inner: Momentum::new(RATE * m, MU)?, m, lambda };
    let mut published = moons::large(published, seed)?;
    let mut right = moons::large(Decayed::new(Momentum::new(RATE, MU)?, lambda)?, seed)?;
    moons::learn(&mut published, &samples, STEPS, None)?;
    moons::learn(&mut right, &samples, STEPS, None)?;
    let apart = (published.params() - right.params()).mapv(f64::abs);
    let apart = apart.iter().fold(0.0_f64, |most, &x| most.max(x));
    lab.say(format!(
        "\nWith the rate raised by m the loss is minimised again, but the penalty counts m times: {STEPS}\n\
         steps of it with λ = {lambda} and as many of the right gradient with {} · λ end at parameters\n\
         that differ by less than 1e-9: {}.",
        SAMPLES,
        if apart < 1e-9 { "yes" } else { "NO" },
    ));
    check(seed, lab)
}

/// What a gradient check says of it.
fn check(seed: u64, lab: &mut Lab) -> Result<()> {
    let (samples, m, lambda) = (moons::learned_from(seed)?, SAMPLES as f64, 0.3);
    let network = moons::large(Momentum::new(RATE, MU)?, seed)?;
    let (_, mean) = network.loss_and_gradient(samples.x(), samples.y())?;
    let decay = network.params() * (lambda / m);
    let (right, published) = (&mean + &decay, &mean / m + &decay);
    let length = |v: &Array1<f64>| v.dot(v).sqrt();
    let error = length(&(&right - &published)) / (length(&right) + length(&published));
    lab.say(format!(
        "\nAgainst the derivative of the loss with its penalty (λ = {lambda}) the published gradient has a\n\
         relative error of {error:.2}.",
    ));
    lab.near("published_check", error, 1e-3);
    lab.exact("published_m", SAMPLES);
    Ok(())
}

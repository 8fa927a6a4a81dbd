//! Sections 3 and 4: rates that fall, and steps that do not become smaller.

use gradus::{AdaGrad, Adam, GradientDescent, Optimizer, RmsProp};
use lab::{Lab, Lines, Panels, Result, Table, text::number};
use ndarray::{Array1, Array2, array};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::zoo::{key, zoo};

/// How many steps the gradients have size 1 for; then they have size 0.1.
const CHANGE: usize = 1000;

/// The effective rate in each of so many steps: what a gradient is multiplied by.
fn effective(mut optimizer: impl Optimizer<f64>, gradients: &[f64]) -> Vec<f64> {
    let mut theta = array![0.0];
    let rate = |&g: &f64| {
        let before = theta[0];
        optimizer.step(&mut theta, &array![g]);
        (before - theta[0]) / g
    };
    gradients.iter().map(rate).collect()
}

/// 3. What has become of the rate after many steps.
pub fn falling(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("falling", "3  Rates that fall")?;
    let steps = 10 * CHANGE;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sign = |t: usize| {
        let size = if t < CHANGE { 1.0 } else { 0.1 };
        if rng.random_bool(0.5) { size } else { -size }
    };
    let gradients: Vec<f64> = (0..steps).map(sign).collect();
    lab.say(format!(
        "One parameter with η = 1. Its gradients are +1 or −1 at random for {CHANGE} steps, and then\n\
         +0.1 or −0.1. The effective rate is what the gradient is multiplied by. Adam is shown without\n\
         its average of gradients, with β₁ = 0:\n",
    ));
    // With β₁ = 0, Adam's step is the corrected average of squares alone.
    let adam = Adam::new(1.0)?.with_betas(0.0, 0.999)?;
    let rates = [
        ("AdaGrad", "adagrad", effective(AdaGrad::new(1.0)?, &gradients)),
        ("RMSprop, β = 0.9", "rmsprop_9", effective(RmsProp::new(1.0, 0.9)?, &gradients)),
        ("RMSprop, β = 0.99", "rmsprop_99", effective(RmsProp::new(1.0, 0.99)?, &gradients)),
        ("Adam, β₂ = 0.999", "adam", effective(adam, &gradients)),
    ];
    let at = [1, 10, 100, CHANGE, CHANGE + 100, steps];
    let header = at.map(|t| format!("step {t}"));
    let mut table = Table::new(&[vec![String::new()], header.to_vec()].concat());
    let mut figure = Lines::new("step", "effective rate / η").log_x().log_y();
    let mut shown: Vec<usize> =
        (0..200).map(|k| 10_f64.powf(f64::from(k) / 49.75) as usize).collect();
    shown.extend((1..40).map(|k| CHANGE + k));
    shown.sort_unstable();
    shown.dedup();
    for (name, key, rates) in &rates {
        let row = at.map(|t| format!("{:.4}", rates[t - 1]));
        table.push([vec![(*name).to_owned()], row.to_vec()].concat());
        let points = || shown.iter().filter(|t| (1..=steps).contains(*t));
        figure = figure.series(name, points().map(|&t| t as f64), points().map(|&t| rates[t - 1]));
        // How long it takes until the steps have nine tenths of their old length again.
        let back = (CHANGE..steps).find(|&t| rates[t] >= 9.0).map(|t| t + 1 - CHANGE);
        lab.near(&format!("falling_{key}_end"), rates[steps - 1], 1e-6);
        if let Some(back) = back {
            lab.exact(&format!("falling_{key}_back"), back);
        }
    }
    lab.table(&table);
    lab.say(
        "\nAdaGrad adds up all squares: its rate is 1/√t while all gradients have size 1, and hardly\n\
         notices that they have become smaller. An average forgets what it was made of: soon the\n\
         rate is ten times what it was, and the steps are as long as before.",
    );
    lab.figure(
        "effective",
        "The effective rate of four optimizers in units of η, on logarithmic axes. The gradients \
         have size 1 in the first 1,000 steps, and size 0.1 in all others.",
        "AdaGrad is a straight line that falls from 1 to 0.03 at step 1,000 and does not rise again. \
         The two lines of RMSprop start above 1, come down to 1, and jump to 10 soon after step \
         1,000, the one with β = 0.9 first. Adam's stays at 1 and rises to 10 over several thousand \
         steps.",
        &figure,
    )
}

/// How many inputs there are: input k is there in a share of 1/2ᵏ of the samples.
const INPUTS: usize = 8;

/// The weights to be found: 0.6, −0.7, and so on to −1.3.
fn right_weights() -> Array1<f64> {
    Array1::from_shape_fn(INPUTS, |k| (0.6 + 0.1 * k as f64) * if k % 2 == 0 { 1.0 } else { -1.0 })
}

/// The distance of each weight from the right one, after each of so many steps on batches of 32.
fn rare_errors(mut optimizer: impl Optimizer<f64>, steps: usize, seed: u64) -> Vec<Array1<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let right = right_weights();
    let mut weights = Array1::<f64>::zeros(INPUTS);
    let mut errors = Vec::new();
    for _ in 0..steps {
        let x = Array2::from_shape_simple_fn((32, INPUTS), || rng.random::<f64>());
        let x = Array2::from_shape_fn((32, INPUTS), |(i, k)| {
            let share = 0.5_f64.powi(k as i32 + 1);
            if x[[i, k]] >= share {
                0.0
            } else if x[[i, k]] < share / 2.0 {
                1.0
            } else {
                -1.0
            }
        });
        let residuals = x.dot(&(&weights - &right));
        let gradient = x.t().dot(&residuals) * (2.0 / 32.0);
        optimizer.step(&mut weights, &gradient);
        errors.push((&weights - &right).mapv(f64::abs));
    }
    errors
}

/// 3, continued: inputs that are rarely there.
pub fn rare_inputs(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("rare", "   Inputs that are rarely there")?;
    let steps = 100;
    lab.say(format!(
        "Eight inputs. Input k is +1 or −1 in a share of 1/2ᵏ of the samples, and 0 in all others. A\n\
         linear network learns a sum of them, without noise, from {steps} batches of 32. How far is the\n\
         weight of each input from the right one? The rates are those of ten to each decade for which\n\
         the sum of all distances is smallest.\n",
    ));
    let mut table = Table::new(&["", "rate", "input 1", "3", "5", "7", "8"]);
    let (mut panels, shown) = (Panels::new(2), [0, 2, 4, 6, 7]);
    for (name, maker) in zoo() {
        let all = |errors: &[Array1<f64>]| errors[steps - 1].sum();
        let mut best = (f64::INFINITY, 0.0, Vec::new());
        for k in -30..=10 {
            let rate = 10_f64.powf(f64::from(k) / 10.0);
            let errors = rare_errors(maker(rate)?, steps, seed);
            if all(&errors) < best.0 {
                best = (all(&errors), rate, errors);
            }
        }
        let (_, rate, errors) = best;
        let last = &errors[steps - 1];
        let cells =
            shown.map(|k| if last[k] < 5e-7 { "0".into() } else { format!("{:.6}", last[k]) });
        table.push([vec![name.to_owned(), format!("{rate:.4}")], cells.to_vec()].concat());
        let name_ = key(name);
        lab.near(&format!("rare_rate_{name_}"), rate, 1e-9);
        for k in [0, 7] {
            lab.near(&format!("rare_{name_}_{}", k + 1), last[k], 1e-6);
        }
        if ["gradient descent", "AdaGrad"].contains(&name) {
            let mut lines = Lines::new("step", "distance from the right weight").y_range(0.0, 1.4);
            for k in [0, 2, 4, 7] {
                let steps = (0..).map(f64::from);
                let distances = [right_weights()[k].abs()]
                    .into_iter()
                    .chain(errors.iter().map(|errors| errors[k]));
                lines = lines.series(&format!("input {}", k + 1), steps, distances);
            }
            panels = panels.panel(name, lines);
        }
    }
    lab.table(&table);
    lab.figure(
        "rare",
        "How far four weights are from the right ones, over 100 batches of 32 samples, under \
         gradient descent and AdaGrad at tuned rates. Input 1 is there in half of the samples, input 8 \
         in one of 256.",
        "Left: the distances of inputs 1, 3 and 5 come down to almost zero within 20 steps and never \
         quite rest; that of input 8 comes down from 1.3 in a dozen small stairs, and ends at 0.3. Right: \
         that of input 8 falls to almost zero in one high stair, and after 30 steps all four are zero.",
        &panels,
    )
}

/// 4. A step that does not know how near the minimum is.
pub fn no_rest(lab: &mut Lab) -> Result<()> {
    lab.section("rest", "4  Steps that do not become smaller")?;
    let (eta, steps) = (0.01, 5000);
    lab.say(format!(
        "A parabola, ½ a θ², from θ = 1 with η = {eta}. How far from the minimum are the last ten of\n\
         {steps} steps, in units of η?\n",
    ));
    let header = ["", "a = 1", "a = 100"];
    let mut table = Table::new(&header);
    type Maker = fn(f64) -> gradus::Result<Box<dyn Optimizer<f64>>>;
    let makers: [(&str, Maker); 4] = [
        ("gradient descent", |eta| Ok(Box::new(GradientDescent::new(eta)?))),
        ("AdaGrad", |eta| Ok(Box::new(AdaGrad::new(eta)?))),
        ("RMSprop", |eta| Ok(Box::new(RmsProp::new(eta, 0.9)?))),
        ("Adam", |eta| Ok(Box::new(Adam::new(eta)?))),
    ];
    for (name, maker) in makers {
        let mut row = vec![name.to_owned()];
        for a in [1.0, 100.0] {
            let away = last_ten(maker(eta)?, a, steps) / eta;
            row.push(if away < 1e-6 { "0".into() } else { number(away) });
            if name == "RMSprop" {
                lab.near(&format!("rest_rmsprop_{a}"), away, 1e-4);
            }
        }
        table.push(row);
    }
    lab.table(&table);
    lab.say(
        "\nAt the minimum of RMSprop the gradient changes its sign in every step, and the step keeps\n\
         its length: it hops from −η/2 to η/2 for ever, however steep the parabola is.",
    );
    Ok(())
}

/// The largest |θ| in the last ten steps on a parabola.
fn last_ten(mut optimizer: impl Optimizer<f64>, a: f64, steps: usize) -> f64 {
    let mut theta: Array1<f64> = array![1.0];
    let mut away = 0.0_f64;
    for step in 0..steps {
        let gradient = a * &theta;
        optimizer.step(&mut theta, &gradient);
        if step + 10 >= steps {
            away = away.max(theta[0].abs());
        }
    }
    away
}

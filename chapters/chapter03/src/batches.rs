//! Sections 12, 13 and 15: a bowl that comes from data.

use gradus::check::Check;
use gradus::random::Random;
use gradus::{GradientDescent, Optimizer};
use lab::{Contours, Lab, Lines, Panels, Result, Table};
use ndarray::{Array1, ArrayRef1, array};
use rand::RngExt;
use rand::seq::index::sample;

use crate::bowl::Bowl;
use crate::descent::steps;
use crate::line::{Adam, Line, subsets};
use crate::measure::{agree, pairs, path};

/// Where the search for the line begins: weight and bias.
fn start() -> Array1<f64> {
    array![-1.0, 1.5]
}

fn square(x: &Array1<f64>) -> f64 {
    x.dot(x)
}

/// 12. A gradient from a few samples, right on average.
pub fn mini_batches(line: &Line, seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("batches", "12  A bowl made of samples")?;
    let (bowl, n) = (line.bowl()?, line.len());
    let w = start();
    let full = line.loss_and_gradient(&line.all(), &w)?.1;
    agree("the slope of the bowl", full[0], bowl.gradient(&w)[0], 1e-10)?;
    agree("the slope of the bowl", full[1], bowl.gradient(&w)[1], 1e-10)?;
    lab.say(format!(
        "The mean squared error of a line through {n} points is a bowl over its weight and bias,\n\
         with A = 2/n X̃ᵀX̃, where X̃ has a row (x, 1) for each point. Its eigenvalues are {:.3} and\n\
         {:.3}, its condition number {:.1}. A gradient from B of the {n} samples costs less, and is\n\
         wrong. How wrong, over all batches of B samples:\n",
        bowl.flattest(),
        bowl.steepest(),
        bowl.condition(),
    ));
    let mut variance = 0.0;
    for i in 0..n {
        variance += square(&(line.loss_and_gradient(&[i], &w)?.1 - &full)) / n as f64;
    }
    let header = ["B", "batches", "‖mean − gradient‖", "mean ‖error‖²", "(n − B)/(n − 1) · σ²/B"];
    let mut table = Table::new(&header);
    for b in [1, 2, 4, 8, 16].into_iter().filter(|&b| b < n).chain([n]) {
        let batches = subsets(n, b);
        let (mut mean, mut noise) = (Array1::<f64>::zeros(2), 0.0);
        for batch in &batches {
            let gradient = line.loss_and_gradient(batch, &w)?.1;
            noise += square(&(&gradient - &full)) / batches.len() as f64;
            mean.scaled_add(1.0 / batches.len() as f64, &gradient);
        }
        let off = square(&(mean - &full)).sqrt();
        let predicted = (n - b) as f64 / (n - 1) as f64 * variance / b as f64;
        agree("the mean over all batches", off, 0.0, 1e-12)?;
        agree("the noise of a batch", noise, predicted, 1e-10)?;
        table.push(vec![
            format!("{b}"),
            format!("{}", batches.len()),
            "< 1e-12".into(),
            format!("{noise:.4}"),
            format!("{predicted:.4}"),
        ]);
        lab.near(&format!("noise_{b}"), noise, 1e-9);
    }
    lab.table(&table);
    lab.say(
        "\nOn average the gradient of a batch is the gradient: the third column is zero to 1e-12. The\n\
         noise shrinks as the batch grows, and as (n − B)/(n − 1) · σ²/B says, to 1e-10.",
    );
    lab.near("line_condition", bowl.condition(), 1e-9);
    noisy_paths(line, &bowl, seed, lab)
}

/// 13. Where a constant learning rate ends up.
pub fn noise_floor(line: &Line, seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("noise-floor", "13  How near a noisy gradient leads")?;
    let bowl = line.bowl()?;
    lab.say(
        "With one random sample in each step the path wanders around the minimum for ever. The noise\n\
         there has a variance τ² along each eigenvector, and ½ητ²/(2 − ηλ), summed over both, predicts\n\
         the mean height above the lowest loss. 100,000 steps, after 1000 that do not count:\n",
    );
    let variances = line.noise_at_minimum(&bowl);
    let mut table = Table::new(&["η / (2/λₘₐₓ)", "predicted", "measured", "ratio"]);
    for part in [0.4, 0.2, 0.1, 0.05] {
        let eta = part * bowl.limit();
        let each = bowl.lambda.iter().zip(&variances);
        let predicted = each.map(|(l, v)| eta * v / (2.0 - eta * l) / 2.0).sum::<f64>();
        let mut descent = GradientDescent::new(eta)?;
        let mut rng = Random::new(seed, 4).generator();
        let (mut w, mut sum) = (bowl.minimum.clone(), 0.0);
        for step in 0..101_000 {
            let g = line.gradient_of_one(rng.random_range(0..line.len()), &w);
            descent.step(&mut w, &g);
            if step >= 1000 {
                sum += bowl.height(&w) / 100_000.0;
            }
        }
        table.push(vec![
            format!("{part}"),
            format!("{predicted:.4}"),
            format!("{sum:.4}"),
            format!("{:.2}", sum / predicted),
        ]);
        let name = (part * 100.0).round() as i32;
        lab.near(&format!("floor_{name}"), sum, 1e-6);
        lab.near(&format!("floor_predicted_{name}"), predicted, 1e-9);
        lab.near(&format!("floor_ratio_{name}"), sum / predicted, 1e-6);
    }
    lab.table(&table);
    lab.say(
        "\nThe prediction takes the noise for the same everywhere. It grows away from the minimum, so\n\
         the measured height is a little larger, the less so the smaller the learning rate. At small\n\
         ones, half the learning rate is half the height.",
    );
    Ok(())
}

fn noisy_paths(line: &Line, bowl: &Bowl, seed: u64, lab: &mut Lab) -> Result<()> {
    let eta = 0.3 * bowl.limit();
    let mut rng = Random::new(seed, 3).generator();
    let highest = bowl.height(&start());
    let levels: Vec<f64> = (1..=6).map(|k| highest * f64::from(k * k) / 36.0).collect();
    let f = |w: f64, b: f64| bowl.height(&array![w, b]);
    let mut figure = Contours::new("weight", "bias", (-1.4, 2.0), (-1.8, 1.8), f, &levels);
    for b in [1, line.len()] {
        let mut failure = None;
        let points = path(
            GradientDescent::new(eta)?,
            |w| {
                let rows = sample(&mut rng, line.len(), b).into_vec();
                line.loss_and_gradient(&rows, w).map_or_else(
                    |error| {
                        failure = Some(error);
                        Array1::zeros(2)
                    },
                    |(_, gradient)| gradient,
                )
            },
            &start(),
            60,
        );
        if let Some(error) = failure {
            return Err(error.into());
        }
        let name = if b == 1 { "one sample a step".into() } else { format!("all {b} samples") };
        figure = figure.path(&name, &pairs(&points));
    }
    figure = figure.mark("best line", bowl.minimum[0], bowl.minimum[1]);
    lab.figure(
        "batches",
        &format!(
            "Gradient descent on the mean squared error of a line through {} points, 60 steps with \
             η = {eta:.3}: with the gradient over all samples, and with that of one random sample \
             in each step.",
            line.len()
        ),
        "The path over all samples runs smoothly down the bowl to the best line. The path with one \
         sample a step stumbles around it, arrives in the same region as fast, and keeps wandering \
         around the best line without coming to rest.",
        &figure,
    )
}

/// 15. Published bug: a mean that is taken twice.
pub fn averaged_twice(line: &Line, lab: &mut Lab) -> Result<()> {
    lab.section("twice", "15  Published bug: a mean that is taken twice")?;
    let (bowl, n, w) = (line.bowl()?, line.len(), start());
    let (right, wrong) = (bowl.gradient(&w), line.twice_averaged(&w));
    let loss = |w: &ArrayRef1<f64>| {
        line.loss_and_gradient(&line.all(), w).map_or(f64::NAN, |(loss, _)| loss)
    };
    let check = Check::default();
    let (passed, failed) = (check.gradient(loss, &w, &right)?, check.gradient(loss, &w, &wrong)?);
    if !passed.passed || failed.passed {
        return Err(format!("the gradient check is mistaken: {passed}; {failed}").into());
    }
    let ratio = (square(&wrong) / square(&right)).sqrt();
    agree("the ratio of the gradients", ratio, 1.0 / n as f64, 1e-12)?;
    lab.say(format!(
        "The loss is a mean over the n samples, so its derivative has a factor 1/n. The code of one\n\
         tutorial divides by n there, and again where it sums over the samples: with n = {n}, every\n\
         gradient is 1/{n} = {ratio:.4} of what it should be. The gradient check passes the right\n\
         one, to a relative error of {:.0e}, and says of the wrong one\n\n{}\n",
        check.relative,
        // On two lines, for the width of a page.
        failed.to_string().replace(", measured", ",\n  measured")
    ));
    lab.near("twice_ratio", ratio, 1e-12);
    lab.near("twice_check_error", failed.error, 1e-6);
    let eta = 0.05 * bowl.limit();
    let few = steps_down(&bowl, eta, |w| bowl.gradient(w))?;
    let many = steps_down(&bowl, eta, |w| line.twice_averaged(w))?;
    lab.say(format!(
        "Training works all the same. The wrong gradient points downhill, only the steps are {n} times\n\
         too short: a learning rate of η/{n}, and another one for every batch size. Down to a\n\
         millionth of the height it takes {many} steps instead of {few}, {:.2} times as many.\n",
        many as f64 / few as f64
    ));
    let left = path(GradientDescent::new(eta)?, |w| line.twice_averaged(w), &w, few)
        .last()
        .map_or(f64::NAN, |there| bowl.height(there) / bowl.height(&w));
    lab.say(format!(
        "When the right gradient has arrived there, {:.1} % of the height are left to the wrong one.\n",
        100.0 * left
    ));
    lab.near("twice_left", left, 1e-9);
    lab.near("twice_steps_right", few as f64, 1.0 / few as f64);
    lab.near("twice_steps_wrong", many as f64, 1.0 / many as f64);
    lab.near("twice_steps_ratio", many as f64 / few as f64, 1e-3);
    how_nobody_noticed(line, &bowl, eta, lab)
}

/// How many steps gradient descent takes to a millionth of the height above the minimum.
fn steps_down(
    bowl: &Bowl,
    eta: f64,
    gradient: impl Fn(&Array1<f64>) -> Array1<f64>,
) -> Result<usize> {
    let mut descent = GradientDescent::new(eta)?;
    let mut w = start();
    let target = 1e-6 * bowl.height(&w);
    for step in 1..=1_000_000 {
        let g = gradient(&w);
        descent.step(&mut w, &g);
        if bowl.height(&w) <= target {
            return Ok(step);
        }
    }
    Err("a million steps were not enough".into())
}

/// Adam, whose steps are the same with either gradient.
fn how_nobody_noticed(line: &Line, bowl: &Bowl, eta: f64, lab: &mut Lab) -> Result<()> {
    let run = |optimizer: Box<dyn Optimizer<f64>>, wrong: bool, count: usize| -> Vec<f64> {
        let gradient =
            |w: &Array1<f64>| if wrong { line.twice_averaged(w) } else { bowl.gradient(w) };
        path(optimizer, gradient, &start(), count).iter().map(|w| bowl.height(w)).collect()
    };
    let adam = |wrong: bool| run(Box::new(Adam::new(0.05, 2)), wrong, 200);
    let descent = |wrong: bool| -> Result<Vec<f64>> {
        Ok(run(Box::new(GradientDescent::new(eta)?), wrong, 600))
    };
    let (right, wrong) = (adam(false), adam(true));
    let apart = right.iter().zip(&wrong).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    agree("Adam on the right and the wrong gradient", apart, 0.0, 1e-3)?;
    lab.say(format!(
        "How nobody noticed: the optimizer Adam divides each step by the size of the gradients, and a\n\
         factor that is always there cancels. Its two runs differ by {apart:.0e} at most, because of\n\
         the small ε in its denominator."
    ));
    lab.near("twice_adam_difference", apart, 1e-10);
    let plot = |right: Vec<f64>, wrong: Vec<f64>| {
        let count = right.len() - 1;
        Lines::new("step", "loss above the lowest")
            .log_y()
            .y_range(1e-7, 20.0)
            .series("right gradient", steps(count), right)
            .dashed("mean taken twice", steps(count), wrong)
    };
    let figure = Panels::new(2)
        .panel("gradient descent", plot(descent(false)?, descent(true)?))
        .panel("Adam", plot(right, wrong));
    lab.figure(
        "twice",
        &format!(
            "The mean squared error of the line through {} points, above its lowest value, with the \
             right gradient and with the mean taken twice: gradient descent with η = {eta:.4}, and \
             Adam with η = 0.05.",
            line.len()
        ),
        "On the left, gradient descent: the curve of the wrong gradient falls much more slowly than \
         that of the right one. On the right, Adam: the two curves lie on each other.",
        &figure,
    )
}

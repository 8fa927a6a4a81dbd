//! Sections 5 and 6: Adam's first steps, and what does not change its steps.

use gradus::{Adam, GradientDescent, Optimizer, Part, State};
use lab::{Lab, Lines, Panels, Result, Table, text::number};
use ndarray::{Array1, ArrayRef1, Zip, array};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::mnist::Digits;
use crate::surface::RAVINE;

/// Adam without the correction of its averages: not what one wants.
#[derive(Debug, Default)]
pub struct Uncorrected {
    rate: f64,
    velocity: Array1<f64>,
    squares: Array1<f64>,
}

impl Uncorrected {
    /// At rest, with the usual betas.
    fn new(rate: f64) -> Self {
        Self { rate, ..Self::default() }
    }
}

impl Part<f64> for Uncorrected {
    fn name(&self) -> &str {
        "uncorrected_adam"
    }

    fn state(&self) -> State<f64> {
        State::default().with_number("rate", self.rate)
    }
}

// ANCHOR: Uncorrected
impl Optimizer<f64> for Uncorrected {
    fn prepare(&mut self, parameters: usize) -> gradus::Result<()> {
        self.velocity = Array1::zeros(parameters);
        self.squares = Array1::zeros(parameters);
        Ok(())
    }

    fn step(&mut self, params: &mut ArrayRef1<f64>, g: &ArrayRef1<f64>) {
        self.velocity.zip_mut_with(g, |v, &g| *v = 0.9 * *v + 0.1 * g);
        self.squares.zip_mut_with(g, |s, &g| *s = 0.999 * *s + 0.001 * g * g);
        let (averages, rate) = (&self.velocity, self.rate);
        Zip::from(params)
            .and(averages)
            .and(&self.squares)
            .for_each(|theta, &v, &s| *theta -= rate * v / (s.sqrt() + 1e-8));
    }
}
// ANCHOR_END: Uncorrected

/// By which factor the step t is too long where nothing is corrected and all gradients are alike.
fn too_long(t: usize) -> f64 {
    (1.0 - 0.9_f64.powf(t as f64)) / (1.0 - 0.999_f64.powf(t as f64)).sqrt()
}

/// The steps of an optimizer with η = 1 along gradients of 1.
fn steps_along_ones(mut optimizer: impl Optimizer<f64>, steps: usize) -> Result<Vec<f64>> {
    optimizer.prepare(1)?;
    let mut theta = array![0.0];
    let step = |_| {
        let before = theta[0];
        optimizer.step(&mut theta, &array![1.0]);
        before - theta[0]
    };
    Ok((0..steps).map(step).collect())
}

/// 5. What the correction corrects.
pub fn first_steps(seed: u64, digits: &Digits, lab: &mut Lab) -> Result<()> {
    lab.section("correction", "5  Adam's first steps")?;
    lab.section_near(0.02); // a training in f64
    let steps = 2000;
    let plain = steps_along_ones(Uncorrected::new(1.0), steps)?;
    let corrected = steps_along_ones(Adam::new(1.0)?, steps)?;
    let longest = (0..steps).max_by(|&a, &b| plain[a].total_cmp(&plain[b])).unwrap_or(0);
    for (t, step) in plain.iter().enumerate() {
        agree("an uncorrected step", *step, too_long(t + 1), 1e-6)?;
        agree("a corrected step", corrected[t], 1.0, 1e-6)?;
    }
    lab.say(
        "All gradients are 1 and η = 1: each step should have length 1. The averages begin at zero,\n\
         and without their correction the steps are\n",
    );
    let at = [1, 2, 5, longest + 1, 50, 100, 500, 1000, 2000];
    let mut table = Table::new(&["step", "length", "(1 − β₁ᵗ)/√(1 − β₂ᵗ)"]);
    for t in at {
        table.push(vec![
            t.to_string(),
            format!("{:.4}", plain[t - 1]),
            format!("{:.4}", too_long(t)),
        ]);
    }
    lab.table(&table);
    lab.exact("correction_longest_at", longest + 1);
    lab.near("correction_longest", plain[longest], 1e-6);
    lab.near("correction_first", plain[0], 1e-6);
    lab.near("correction_at_1000", plain[999], 1e-6);

    let zeros = || std::iter::repeat_n(0.0, 20_000);
    // In units of η: gradients that grow as fast as suits Adam best, and one after many zeros.
    let growth = 0.999_f64 / 0.9;
    let growing = longest_along(zeros().chain((0..400).map(|t| 1e-6 * growth.powi(t))))?;
    let lone = longest_along(zeros().chain([1.0]))?;
    lab.say(format!(
        "\nWith the correction a step can be long too: {lone:.2} η for a lone gradient after many zeros, and\n\
         {growing:.2} η where after the zeros each is β₂/β₁ = {growth:.2} times the one before. No step is longer.",
    ));
    lab.near("adam_lone", lone, 1e-4);
    lab.near("adam_longest", growing, 1e-4);

    let losses = [
        digits.losses_f64(Uncorrected::new(RATE), seed)?,
        digits.losses_f64(Adam::new(RATE)?, seed)?,
    ];
    let mean = |losses: &[f64], from: usize, to: usize| {
        losses[from..to].iter().sum::<f64>() / (to - from) as f64
    };
    lab.say(format!(
        "\nThe handwritten digits, as at the end of the chapter, for one epoch of 100 steps with\n\
         η = {RATE}. The mean loss of\n"
    ));
    let parts = [(0, 1), (1, 10), (10, 50), (50, 100)];
    let header =
        parts.map(
            |(from, to)| {
                if from == 0 { "step 1".into() } else { format!("steps {} to {to}", from + 1) }
            },
        );
    let mut table = Table::new(&[vec![String::new()], header.to_vec()].concat());
    for (name, key, losses) in
        [("not corrected", "uncorrected", &losses[0]), ("corrected", "corrected", &losses[1])]
    {
        let means = parts.map(|(from, to)| mean(losses, from, to));
        table.push(
            [vec![name.to_owned()], means.map(|loss| format!("{loss:.3}")).to_vec()].concat(),
        );
        lab.near(&format!("correction_loss_{key}_2_10"), means[1], 0.05);
        lab.near(&format!("correction_loss_{key}_50_100"), means[3], 0.02);
    }
    lab.table(&table);
    figure(seed, &plain, lab)
}

/// The longest step of Adam, in units of η, along such gradients.
fn longest_along(gradients: impl Iterator<Item = f64>) -> Result<f64> {
    // With the smallest ε, for gradients that are very small at first.
    let mut adam = Adam::new(1.0)?.with_epsilon(1e-12)?;
    let (mut theta, mut longest) = (array![0.0_f64], 0.0_f64);
    for gradient in gradients {
        let before = theta[0];
        adam.step(&mut theta, &array![gradient]);
        longest = longest.max((theta[0] - before).abs());
    }
    Ok(longest)
}

/// The rate of the two trainings in this section.
const RATE: f64 = 0.01;

fn figure(seed: u64, plain: &[f64], lab: &mut Lab) -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut v, mut averages, mut corrected) = (0.0, Vec::new(), Vec::new());
    let shown = 60;
    for t in 1..=shown {
        let noise: f64 = StandardNormal.sample(&mut rng);
        v = 0.9 * v + 0.1 * (1.0 + 0.3 * noise);
        averages.push(v);
        corrected.push(v / (1.0 - 0.9_f64.powi(t)));
    }
    let steps = || (1..).map(f64::from);
    let left = Lines::new("step", "average of the gradients")
        .series("v, not corrected", steps(), averages)
        .series("v̂, corrected", steps(), corrected)
        .y_range(0.0, 1.5)
        .horizontal("", 1.0);
    let at = || (1..60).chain((60..=plain.len()).step_by(20));
    let right = Lines::new("step", "length of the step / η")
        .series("v, not corrected", at().map(|t| t as f64), at().map(|t| plain[t - 1]))
        .log_x()
        .horizontal("", 1.0);
    let figure =
        Panels::new(2).panel("β₁ = 0.9, gradients 1 ± 0.3", left).panel("β₂ = 0.999", right);
    lab.figure(
        "correction",
        "Adam with and without the correction of its averages. Left: the average of gradients with \
         mean 1 and standard deviation 0.3. Right: how long the steps are that are not corrected, \
         with gradients of 1, on a logarithmic axis. The dotted lines are at 1.",
        "Left: the corrected average wanders around 1 from its first step; the other one begins at \
         0.1 and needs some thirty steps to come near it. Right: the length begins at 3, rises to \
         more than 6 near step 12, and needs a thousand steps to come down to 1.2.",
        &figure,
    )
}

/// 6. Gradients in other units.
pub fn other_units(lab: &mut Lab) -> Result<()> {
    lab.section("scale", "6  Gradients in other units")?;
    lab.say(
        "The same ravine, measured in other units: all gradients are multiplied by a constant. Where\n\
         are gradient descent (η = 0.01) and Adam (η = 0.1) after 100 steps, seen as a height?\n",
    );
    let mut table = Table::new(&["gradients times", "gradient descent", "Adam"]);
    for (name, scale) in
        [("1e-9", 1e-9), ("1e-6", 1e-6), ("0.001", 1e-3), ("1", 1.0), ("1000", 1e3), ("1e6", 1e6)]
    {
        let descent = height_after(GradientDescent::new(0.01)?, scale);
        let adam = height_after(Adam::new(0.1)?, scale);
        table.push(vec![
            name.into(),
            if descent.is_finite() { number(descent) } else { "diverges".into() },
            format!("{adam:.4}"),
        ]);
        let key = name.replace("e-", "em").replace("0.001", "em3");
        lab.near(&format!("scale_adam_{key}"), adam, 1e-3);
    }
    lab.table(&table);
    lab.say(
        "\nAdam divides by the size of the gradients, and takes the same steps in all units, until\n\
         they are so small that ε counts.",
    );

    lab.section("epsilon", "   Where ε stands")?;
    lab.say(
        "The length of the first step in units of η, for gradients of several sizes, with ε = 1e-8\n\
         outside of the root, √ŝ + ε, and inside of it, √(ŝ + ε):\n",
    );
    let mut table = Table::new(&["gradient", "outside", "inside"]);
    for (name, g) in [
        ("1", 1.0),
        ("1e-3", 1e-3),
        ("1e-4", 1e-4),
        ("1e-6", 1e-6),
        ("1e-8", 1e-8),
        ("1e-10", 1e-10),
    ] {
        let mut adam = Adam::new(1.0)?;
        let mut theta = array![0.0];
        adam.step(&mut theta, &array![g]);
        let outside = -theta[0];
        let inside = g / (g * g + 1e-8_f64).sqrt();
        agree("Adam's first step", outside, g / (g + 1e-8), 1e-9)?;
        table.push(vec![name.into(), number(outside), number(inside)]);
    }
    lab.table(&table);
    // Where a step is half as long as η.
    lab.near("epsilon_half_outside", 1e-8, 1e-15);
    lab.near("epsilon_half_inside", (1e-8_f64 / 3.0).sqrt(), 1e-12);
    lab.say(format!(
        "\nOutside, a step is half as long as it should be where the gradients are as small as 1e-8;\n\
         inside, where they are {:.1e}.",
        (1e-8_f64 / 3.0).sqrt()
    ));
    Ok(())
}

/// The height on the ravine after 100 steps along gradients times `scale`.
fn height_after(mut optimizer: impl Optimizer<f64>, scale: f64) -> f64 {
    let mut theta = array![RAVINE.start.0, RAVINE.start.1];
    for _ in 0..100 {
        let gradient = scale * RAVINE.gradient(&theta);
        optimizer.step(&mut theta, &gradient);
    }
    RAVINE.height(&theta)
}

/// An error unless what was measured is what was predicted, up to the tolerance.
pub fn agree(what: &str, measured: f64, predicted: f64, tolerance: f64) -> Result<()> {
    if (measured - predicted).abs() <= tolerance {
        return Ok(());
    }
    Err(format!("{what}: measured {measured}, but predicted {predicted}").into())
}

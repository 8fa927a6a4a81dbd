//! Sections 9 to 11: rates that change on purpose.

use gradus::{GradientDescent, Momentum, Optimizer, Schedule, Scheduled};
use lab::{Lab, Lines, Result, Table};
use ndarray::Array1;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::mnist::{BATCH, Boxed, Digits, EPOCHS, IMAGES, cells};
use crate::tune::Tuned;

/// The schedules of the chapter over so many steps. Several are multiplied.
fn schedules(steps: usize) -> [(&'static str, &'static str, Vec<Schedule>); 5] {
    let cosine = Schedule::Cosine { steps };
    [
        ("constant", "constant", vec![]),
        (
            "step, a half at each quarter",
            "step",
            vec![Schedule::Step { every: steps / 4, factor: 0.5 }],
        ),
        ("cosine", "cosine", vec![cosine]),
        ("warm-up, then cosine", "warm_up", vec![Schedule::WarmUp { steps: steps / 10 }, cosine]),
        ("one-cycle", "one_cycle", vec![Schedule::OneCycle { steps, peak: 3 * steps / 10 }]),
    ]
}

/// 9. Five schedules as curves.
pub fn curves(lab: &mut Lab) -> Result<()> {
    lab.section("schedules", "9  Five schedules")?;
    let steps = 1000;
    lab.say(format!("The factor of the rate, over {steps} steps:\n"));
    let at = [0, 50, 100, 300, 500, 750, 999];
    let header = at.map(|t| format!("t = {t}"));
    let mut table = Table::new(&[vec![String::new()], header.to_vec()].concat());
    let mut figure = Lines::new("steps done, t", "factor of the rate");
    for (name, _, schedules) in schedules(steps) {
        let factor = |t: usize| schedules.iter().map(|s| s.factor(t)).product::<f64>();
        table.push(
            [vec![name.to_owned()], at.map(|t| format!("{:.4}", factor(t))).to_vec()].concat(),
        );
        let shown = || (0..steps).step_by(5).chain([steps - 1]);
        figure = figure.series(name, shown().map(|t| t as f64), shown().map(factor));
    }
    lab.table(&table);
    lab.figure(
        "schedules",
        "Five schedules over 1,000 steps: what the learning rate is multiplied by when t steps are \
         done.",
        "A level line at 1; stairs down from 1 in four steps; half a cosine from 1 down to 0; the \
         same with a short straight rise at its beginning; and a curve that rises from almost 0 to 1 \
         at step 300 and falls back to 0.",
        &figure,
    )
}

/// How many parameters the bowl has: its mean height hardly depends on the noise.
const WIDE: usize = 400;

/// 10. A bowl with noisy gradients.
pub fn on_a_noisy_bowl(seed: u64, lab: &mut Lab) -> Result<()> {
    lab.section("noise", "10  A bowl whose gradients are noisy")?;
    let (eta, steps) = (0.1, 1000);
    lab.say(format!(
        "½ θ² for each of {WIDE} parameters, whose gradients are θ plus noise of standard deviation 1;\n\
         gradient descent from θ = 3 with η = {eta}. The mean height of a parameter after\n",
    ));
    let at = [0, 50, 300, 700, steps];
    let header = at.map(|t| format!("{t} steps"));
    let mut table = Table::new(&[vec![String::new()], header.to_vec()].concat());
    let mut figure = Lines::new("step", "mean height of a parameter").log_y();
    for (name, key, schedules) in schedules(steps) {
        let mut optimizer: Box<dyn Optimizer<f64>> = Box::new(GradientDescent::new(eta)?);
        for schedule in schedules {
            optimizer = Box::new(Scheduled::new(optimizer, schedule)?);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut theta = Array1::from_elem(WIDE, 3.0);
        let height = |theta: &Array1<f64>| 0.5 * theta.dot(theta) / WIDE as f64;
        let mut heights = vec![height(&theta)];
        for _ in 0..steps {
            let gradient = theta.mapv(|theta| {
                let noise: f64 = StandardNormal.sample(&mut rng);
                theta + noise
            });
            optimizer.step(&mut theta, &gradient);
            heights.push(height(&theta));
        }
        table.push(
            [vec![name.to_owned()], at.map(|t| format!("{:.5}", heights[t])).to_vec()].concat(),
        );
        lab.near(&format!("noise_{key}"), heights[steps], 1e-6);
        let shown = || (0..=steps).step_by(5);
        figure = figure.series(name, shown().map(|t| t as f64), shown().map(|t| heights[t]));
    }
    lab.table(&table);
    let floor = eta / (2.0 * (2.0 - eta));
    lab.say(format!(
        "\nA constant rate comes down to the floor η/(2(2 − η)) = {floor:.5}, and stays there, up to chance.\n\
         A rate that falls takes the floor down with it.",
    ));
    lab.near("noise_floor", floor, 1e-12);
    lab.figure(
        "noise",
        "Gradient descent with η = 0.1 under five schedules on a bowl of 400 parameters whose \
         gradients are noisy: the mean height of a parameter, on a logarithmic axis. Dotted: the \
         floor of the constant rate.",
        "All curves fall from 4.5. The constant rate's is level from step 40 on. The stairs go down \
         by a half each time. Those that end with a cosine sink to a hundredth of the floor at the end; \
         one-cycle begins late.",
        &figure.horizontal("floor", floor),
    )
}

/// 11. What schedules do for the digits.
pub fn on_digits(seed: u64, digits: &Digits, tuned: &Tuned, lab: &mut Lab) -> Result<()> {
    lab.section("scheduled", "11  What they do for the digits")?;
    lab.section_near(0.02);
    let rate = tuned.best("momentum")?.0;
    let steps = EPOCHS * IMAGES / BATCH;
    lab.say(format!(
        "Momentum on the handwritten digits, as at the end of the chapter: {steps} steps, with its tuned\n\
         rate {rate} as the full rate, and with three times that:\n",
    ));
    let header = ["", "loss", "accuracy", "loss at 3η", "accuracy"];
    let mut table = Table::new(&header);
    for (name, key, schedules) in schedules(steps) {
        let mut row = vec![name.to_owned()];
        for (times, factor) in [("", 1.0), ("_3", 3.0)] {
            let maker = || {
                let mut optimizer: Boxed = Box::new(Momentum::new(factor * rate, 0.9)?);
                for &schedule in &schedules {
                    optimizer = Box::new(Scheduled::new(optimizer, schedule)?);
                }
                Ok(optimizer)
            };
            let means = digits.means(&maker, seed)?;
            row.extend(cells(&means));
            if let Some(means) = means {
                lab.near(&format!("scheduled_{key}{times}_loss"), means.loss, 0.02);
                lab.near(&format!("scheduled_{key}{times}_accuracy"), means.accuracy, 0.01);
            }
        }
        table.push(row);
    }
    lab.table(&table);
    Ok(())
}

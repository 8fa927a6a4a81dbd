//! Sections 5 to 9: momentum.

use gradus::{GradientDescent, Momentum, Nesterov, Optimizer};
use lab::{Contours, Lab, Lines, Result, Table};
use ndarray::{Array2, array};
use ndarray_linalg::EigVals;

use crate::bowl::Bowl;
use crate::descent::{distances, steps};
use crate::measure::{agree, heavy_ball, nesterov, off_in_both, path, rate, slowest, steps_to};

/// 5. What the velocity remembers.
pub fn velocity(lab: &mut Lab) -> Result<()> {
    lab.section("velocity", "5  A ball with a memory")?;
    lab.say(
        "Momentum keeps a velocity: v ← μv − ηg, then θ ← θ + v. On a slope that is the same\n\
         everywhere, the steps grow from ηg up to ηg/(1 − μ):\n",
    );
    let mut table = Table::new(&["μ", "1/(1 − μ)", "measured", "steps to 90 % of it"]);
    let mut figure = Lines::new("step", "length of the step / ηg").log_y();
    for mu in [0.0, 0.5, 0.9, 0.99] {
        let mut momentum = Momentum::new(0.1, mu)?;
        let (mut theta, g) = (array![0.0], array![2.0]);
        let mut lengths = Vec::new();
        for _ in 0..4000 {
            let before = theta[0];
            momentum.step(&mut theta, &g);
            lengths.push((before - theta[0]) / (0.1 * 2.0));
        }
        let (last, limit) = (lengths[3999], 1.0 / (1.0 - mu));
        agree("the terminal velocity", last, limit, 1e-8)?;
        let ninety = lengths.iter().position(|&length| length >= 0.9 * limit).map_or(0, |t| t + 1);
        table.push(vec![
            format!("{mu}"),
            format!("{limit:.0}"),
            format!("{last:.6}"),
            format!("{ninety}"),
        ]);
        lab.exact(&format!("steps_to_terminal_{}", (mu * 100.0).round() as i32), ninety);
        lengths.truncate(300);
        figure = figure.series(&format!("μ = {mu}"), steps(300).skip(1), lengths);
    }
    lab.table(&table);
    lab.say(
        "\nThat is the promise: along a valley floor that hardly changes, momentum 0.9 takes steps ten\n\
         times as long. Across the valley the gradients alternate in sign, and cancel.",
    );
    lab.figure(
        "velocity",
        "The length of momentum's steps on a constant slope, in units of a step of gradient \
         descent, against the number of steps, for four values of the momentum μ.",
        "Four curves that rise and level off, at 1, 2, 10 and 100. The larger the momentum, the \
         higher the level and the longer it takes to get there.",
        &figure,
    )
}

/// 6. Two numbers for each direction, and the matrix that moves them.
pub fn the_matrix(bowl: &Bowl, lab: &mut Lab) -> Result<()> {
    lab.section("matrix", "6  Two numbers for each direction")?;
    let (eta, mu, _) = bowl.best_pair();
    let limit = bowl.limit();
    lab.say(
        "With momentum, the state along an eigenvector is a pair: error and velocity. A step\n\
         multiplies it by the matrix M = (1 − ηλ, μ; −ηλ, μ), whose eigenvalues r may be complex.\n\
         The largest |r| over all directions predicts the rate:\n",
    );
    let header = ["η / (2/λₘₐₓ)", "μ", "r, flattest", "r, steepest", "predicted", "measured"];
    let mut table = Table::new(&header);
    let settings = [(0.95, 0.0), (0.5, 0.5), (0.5, 0.9), (1.5, 0.7), (1.5, 0.3), (eta / limit, mu)];
    for (part, mu) in settings {
        let eta = part * limit;
        let predicted = slowest(bowl, |lambda| heavy_ball(eta, mu, lambda))?;
        let measured = rate(Momentum::new(eta, mu)?, bowl)?;
        agree("the rate of the heavy ball", measured, predicted, 3e-3)?;
        let root = |i: usize| -> Result<String> {
            let r = heavy_ball(eta, mu, bowl.lambda[i]).eigvals()?;
            let larger = if r[0].norm() >= r[1].norm() { r[0] } else { r[1] };
            Ok(match (r[0] - r[1]).norm() {
                // Two that coincide are found to half the digits only.
                0.0..1e-6 => format!("{:.3}, twice", larger.re),
                _ if larger.im == 0.0 => format!("{:.3}", larger.re),
                _ => format!("{:.3} ± {:.3}i", larger.re, larger.im.abs()),
            })
        };
        table.push(vec![
            format!("{:.3}", eta / limit),
            format!("{mu:.3}"),
            root(0)?,
            root(1)?,
            format!("{predicted:.4}"),
            format!("{measured:.4}"),
        ]);
    }
    lab.table(&table);
    lab.say(
        "\nPredicted and measured agree to 0.003: a ball that oscillates has a rate only on average.\n\
         A complex pair has |r| = √μ, whatever the learning rate. The last row is the best there is.",
    );
    radius_figure(bowl, lab)
}

/// The rate of the heavy ball over the plane of learning rates (in units of 2/λₘₐₓ) and momenta.
fn radius_figure(bowl: &Bowl, lab: &mut Lab) -> Result<()> {
    let limit = bowl.limit();
    let (best_eta, best_mu, _) = bowl.best_pair();
    let best_part = best_eta / limit;
    let radius = |part: f64, mu: f64| slowest(bowl, |l| heavy_ball(part * limit, mu, l));
    for (name, mu) in [("removed_half_0", 0.0), ("removed_half_70", 0.7)] {
        lab.near(name, 1.0 - radius(0.5, mu)?, 1e-9);
    }
    let levels = [0.7, 0.75, 0.8, 0.85, 0.9, 0.95];
    let f = |part: f64, mu: f64| radius(part, mu).unwrap_or(f64::NAN);
    let range = (0.0, 2.1);
    let figure =
        Contours::new("learning rate η / (2/λₘₐₓ)", "momentum μ", range, (0.0, 1.0), f, &levels)
            .path("stability limit, η = 2(1 + μ)/λₘₐₓ", &[(1.0, 0.0), (2.0, 1.0)])
            .mark("best pair", best_part, best_mu)
            .mark("best gradient descent", bowl.best_rate().0 / limit, 0.0);
    lab.figure(
        "radius",
        "Level lines of the rate of the heavy ball over learning rate, in units of gradient \
         descent's limit, and momentum: 0.95 outermost, then 0.9 and so on inwards to 0.7.",
        "Nested triangles that point down to the right. Their upper edges are horizontal, their right \
         edges run along the straight stability limit, and in the innermost one, next to its tip, \
         lies the best pair. The best gradient descent lies far below, on the axis.",
        &figure,
    )
}

/// A method's name, learning rate, momentum, predicted rate, and how to make it.
type Method =
    (&'static str, f64, f64, f64, fn(f64, f64) -> gradus::Result<Box<dyn Optimizer<f64>>>);

/// The three methods, each with the settings that suit this bowl.
fn methods(bowl: &Bowl) -> [Method; 3] {
    let (eta, rate) = bowl.best_rate();
    let (heavy_eta, heavy_mu, heavy_rate) = bowl.best_pair();
    let (ahead_eta, ahead_mu, ahead_rate) = bowl.usual_pair();
    [
        ("gradient descent", eta, 0.0, rate, |eta, _| Ok(Box::new(GradientDescent::new(eta)?))),
        ("Nesterov", ahead_eta, ahead_mu, ahead_rate, |eta, mu| {
            Ok(Box::new(Nesterov::new(eta, mu)?))
        }),
        ("heavy ball", heavy_eta, heavy_mu, heavy_rate, |eta, mu| {
            Ok(Box::new(Momentum::new(eta, mu)?))
        }),
    ]
}

/// 7. The best learning rate and momentum, and what they are worth.
pub fn the_best_pair(bowl: &Bowl, lab: &mut Lab) -> Result<()> {
    lab.section("best-pair", "7  The best pair")?;
    lab.say(
        "The best pair, η* = 4/(√λₘₐₓ + √λₘᵢₙ)² and μ* = ((√κ − 1)/(√κ + 1))², makes both ends of\n\
         the bowl equally fast, at the edge between real and complex eigenvalues. Its rate is\n\
         (√κ − 1)/(√κ + 1). Nesterov's momentum at η = 1/λₘₐₓ and μ = √μ* reaches 1 − 1/√κ:\n",
    );
    let mut table = Table::new(&["", "η", "μ", "predicted rate", "measured", "steps to 10⁻⁶"]);
    let mut figure = Lines::new("step", "distance from the minimum").log_y().y_range(1e-12, 10.0);
    for (name, eta, mu, predicted, make) in methods(bowl) {
        let measured = rate(make(eta, mu)?, bowl)?;
        agree(name, measured, predicted, 3e-3)?;
        let counted = steps_to(make(eta, mu)?, bowl, 1e6)?;
        table.push(vec![
            name.into(),
            format!("{eta:.5}"),
            format!("{mu:.4}"),
            format!("{predicted:.4}"),
            format!("{measured:.4}"),
            format!("{counted}"),
        ]);
        let key = name.to_lowercase().replace(' ', "_");
        lab.near(&format!("{key}_rate"), predicted, 1e-12);
        lab.near(&format!("{key}_rate_measured"), measured, 1e-6);
        lab.exact(&format!("{key}_steps"), counted);
        let from = off_in_both(bowl);
        let points = path(make(eta, mu)?, |theta| bowl.gradient(theta), &from, 120);
        // Further down there is only rounding.
        let away: Vec<f64> =
            distances(bowl, &points).into_iter().take_while(|&distance| distance > 1e-13).collect();
        let first = away[0];
        let line = steps(120).map(|t| first * predicted.powf(t));
        let on_the_way = steps(away.len() - 1);
        figure = figure.series(name, on_the_way, away).dashed("predicted rate", steps(120), line);
    }
    lab.table(&table);
    let (eta, mu, _) = bowl.best_pair();
    lab.near("heavy_ball_eta", eta, 1e-12);
    lab.near("heavy_ball_mu", mu, 1e-12);
    lab.say(
        "\nMeasured and predicted agree to 0.003: where two eigenvalues coincide, the error falls like\n\
         t·ρᵗ, a little slower than the rate alone says. Momentum has taken the square root of the\n\
         condition number. The narrower the valley, the more that is worth; steps to 10⁻⁶ again:\n",
    );
    lab.figure(
        "race",
        &format!(
            "Distance from the minimum against steps on a bowl with condition number {}, from one \
             start, each method at its best or usual setting; dashed, the predicted rates.",
            bowl.condition().round()
        ),
        "Three falling curves on a logarithmic scale. Gradient descent is the slowest by far, \
         Nesterov's momentum falls about three times as steeply, the heavy ball steeper still. Each \
         is nearly parallel to its dashed straight line in the end.",
        &figure,
    )?;
    with_condition(lab)
}

/// The steps that a precision costs, against the condition number.
fn with_condition(lab: &mut Lab) -> Result<()> {
    let kappas: Vec<f64> = (2..=8).map(|k| 10f64.powf(f64::from(k) / 2.0)).collect();
    let mut counts = Array2::zeros((kappas.len(), 3));
    for (kappa, mut counts) in kappas.iter().zip(counts.rows_mut()) {
        let bowl = Bowl::turned(*kappa)?;
        for ((_, eta, mu, _, make), count) in methods(&bowl).into_iter().zip(&mut counts) {
            *count = steps_to(make(eta, mu)?, &bowl, 1e6)? as f64;
        }
    }
    let mut table = Table::new(&["κ", "gradient descent", "Nesterov", "heavy ball"]);
    for (row, &kappa) in kappas.iter().enumerate().step_by(2) {
        let count = |method: usize| format!("{}", counts[[row, method]]);
        table.push(vec![format!("{kappa:.0}"), count(0), count(1), count(2)]);
        for (method, column) in [("nesterov", 1), ("heavy_ball", 2)] {
            // One step more or less.
            let steps = counts[[row, column]];
            lab.near(&format!("{method}_steps_{kappa:.0}"), steps, 1.0 / steps);
        }
    }
    lab.table(&table);
    let digits = 1e6_f64.ln();
    let all = || kappas.iter().copied();
    let figure = Lines::new("condition number κ", "steps to 10⁻⁶")
        .points("gradient descent", all(), counts.column(0).to_vec())
        .points("Nesterov", all(), counts.column(1).to_vec())
        .points("heavy ball", all(), counts.column(2).to_vec())
        .dashed("κ/2 · ln 10⁶", all(), all().map(|kappa| kappa / 2.0 * digits))
        .dashed("√κ/2 · ln 10⁶", all(), all().map(|kappa| kappa.sqrt() / 2.0 * digits))
        .log_x()
        .x_range(7.0, 15_000.0)
        .log_y();
    lab.figure(
        "condition",
        "Steps until the error is a million times smaller, against the condition number, each \
         method at its best or usual setting for that bowl.",
        "On two logarithmic scales the points lie on straight lines. Gradient descent follows the \
         dashed line κ/2 · ln 10⁶; both kinds of momentum rise half as steeply, a little above the \
         dashed line √κ/2 · ln 10⁶.",
        &figure,
    )
}

/// 8. The limit with momentum.
pub fn the_new_limit(bowl: &Bowl, lab: &mut Lab) -> Result<()> {
    lab.section("momentum-limit", "8  A limit that moves")?;
    lab.say(
        "With momentum the limit is 2(1 + μ)/λₘₐₓ, up to twice that of gradient descent. Measured\n\
         rates one per cent below and above it:\n",
    );
    let mut table = Table::new(&["μ", "limit", "0.99 of it", "", "1.01 of it", ""]);
    for mu in [0.0, 0.5, 0.9, 0.99] {
        let limit = 2.0 * (1.0 + mu) / bowl.steepest();
        let mut cells = vec![format!("{mu}"), format!("{limit:.5}")];
        for part in [0.99, 1.01] {
            let measured = rate(Momentum::new(part * limit, mu)?, bowl)?;
            let predicted = slowest(bowl, |lambda| heavy_ball(part * limit, mu, lambda))?;
            agree("the rate near the limit", measured, predicted, 3e-3)?;
            cells.push(format!("{measured:.4}"));
            cells.push(if measured < 1.0 { "converges" } else { "diverges" }.into());
        }
        table.push(cells);
        lab.near(&format!("limit_{}", (mu * 100.0).round() as i32), limit, 1e-12);
    }
    lab.table(&table);
    lab.say("\nAll eight agree to 0.003 with the eigenvalues of M.");
    Ok(())
}

/// 9. The best pair for another bowl.
pub fn misjudged(bowl: &Bowl, lab: &mut Lab) -> Result<()> {
    lab.section("misjudged", "9  The best pair for another bowl")?;
    lab.say(
        "Nobody knows the eigenvalues of a network's loss. Suppose the steepest direction is steeper\n\
         than we thought, and each method keeps the settings that suit the bowl we had in mind:\n",
    );
    let header = ["λₘₐₓ is larger by", "gradient descent", "Nesterov", "heavy ball"];
    let mut table = Table::new(&header);
    for percent in [0.0, 1.0, 2.0, 5.0] {
        let steeper = Bowl::turned(bowl.condition() * (1.0 + percent / 100.0))?;
        let mut cells = vec![format!("{percent} %")];
        for (name, eta, mu, _, make) in methods(bowl) {
            let measured = rate(make(eta, mu)?, &steeper)?;
            let predicted = match name {
                "Nesterov" => slowest(&steeper, |lambda| nesterov(eta, mu, lambda))?,
                _ => slowest(&steeper, |lambda| heavy_ball(eta, mu, lambda))?,
            };
            agree(name, measured, predicted, 3e-3)?;
            cells.push(format!("{measured:.4}"));
            let key = name.to_lowercase().replace(' ', "_");
            lab.near(&format!("{key}_misjudged_{percent}"), measured, 1e-5);
        }
        table.push(cells);
    }
    lab.table(&table);
    let (descent, pair) = (bowl.best_rate().0, bowl.best_pair());
    let limits = (2.0 / descent, 2.0 * (1.0 + pair.1) / pair.0);
    agree("the two limits", limits.0, limits.1, 1e-9)?;
    lab.say(format!(
        "\nAbove 1 a method diverges. The best rate of gradient descent and the best pair of the heavy\n\
         ball stand at the same distance from the edge: both diverge as soon as λₘₐₓ is larger than\n\
         {:.0}, by {:.0} %. Nesterov's usual pair has room to spare.",
        limits.0,
        100.0 * (limits.0 / bowl.steepest() - 1.0)
    ));
    lab.near("edge", limits.0, 1e-9);
    lab.near("edge_percent", limits.0 / bowl.steepest() - 1.0, 1e-9);
    Ok(())
}

//! Sections 1 to 4: gradient descent.

use gradus::GradientDescent;
use lab::{Contours, Lab, Lines, Panels, Result, Table};
use ndarray::Array1;

use crate::bowl::Bowl;
use crate::measure::{agree, pairs, path, rate, short, steps_to};

/// Where the paths of this chapter begin.
pub fn start(bowl: &Bowl) -> Array1<f64> {
    bowl.at(-5.0, 1.0)
}

/// The bowl from above, with level lines (closer together at the bottom) and its minimum.
pub fn view(bowl: &Bowl) -> Contours {
    let highest = bowl.height(&start(bowl));
    let levels: Vec<f64> = (1..=7).map(|k| highest * f64::from(k * k) / 16.0).collect();
    let f = |x: f64, y: f64| bowl.height(&Array1::from(vec![x, y]));
    let (x, y) = (bowl.minimum[0], bowl.minimum[1]);
    Contours::new("θ₁", "θ₂", (-4.6, 3.6), (-3.6, 1.6), f, &levels).mark("θ*", x, y)
}

/// The distances from the minimum along a path.
pub fn distances(bowl: &Bowl, points: &[Array1<f64>]) -> Vec<f64> {
    points.iter().map(|theta| bowl.distance(theta)).collect()
}

fn descend(bowl: &Bowl, eta: f64, steps: usize) -> Result<Vec<Array1<f64>>> {
    Ok(path(GradientDescent::new(eta)?, |theta| bowl.gradient(theta), &start(bowl), steps))
}

/// The numbers of the steps, for an axis.
pub fn steps(count: usize) -> impl Iterator<Item = f64> + Clone {
    (0..=count).map(|t| t as f64)
}

/// 1. Two learning rates that differ by a little.
pub fn a_step_too_long(bowl: &Bowl, gap: f64, lab: &mut Lab) -> Result<()> {
    lab.section("bowl", "1  A bowl, and a step that is a little too long")?;
    let a = bowl.a();
    lab.say(format!(
        "f(θ) = ½ θᵀAθ − bᵀθ is a bowl over two parameters, with A = ({:.3}, {:.3}; {:.3}, {:.3})\n\
         and its minimum at θ* = (1, −0.5). Gradient descent starts {:.2} away from there, with two\n\
         learning rates that differ by {:.1} %. After some steps, the distance from θ* is\n",
        a[[0, 0]],
        a[[0, 1]],
        a[[1, 0]],
        a[[1, 1]],
        bowl.distance(&start(bowl)),
        100.0 * 2.0 * gap / (1.0 - gap),
    ));
    let mut table = Table::new(&["learning rate", "10 steps", "100 steps", "200 steps"]);
    let rates = [("below", (1.0 - gap) * bowl.limit()), ("above", (1.0 + gap) * bowl.limit())];
    for (name, eta) in rates {
        let away = distances(bowl, &descend(bowl, eta, 200)?);
        table.push(vec![
            format!("η = {eta:.5}"),
            short(away[10]),
            short(away[100]),
            short(away[200]),
        ]);
        lab.near(&format!("eta_{name}"), eta, 1e-12);
        lab.near(&format!("distance_{name}_10"), away[10], 1e-6);
        lab.near(&format!("distance_{name}_100"), away[100], 1e-6);
        lab.near(&format!("distance_{name}_200"), away[200], 1e-6);
    }
    lab.table(&table);
    lab.near("condition", bowl.condition(), 1e-12);
    lab.near("start_distance", bowl.distance(&start(bowl)), 1e-12);
    lab.near("gap_percent", 100.0 * 2.0 * gap / (1.0 - gap), 1e-12);
    lab.say(
        "\nBoth paths leap from one wall of the valley to the other. One gains a little height with\n\
         every leap, the other loses a little, and that decides everything.",
    );
    let [below, above] = rates;
    let figure = view(bowl)
        .path(&format!("η = {:.4}: above the limit", above.1), &pairs(&descend(bowl, above.1, 10)?))
        .path(
            &format!("η = {:.4}: below the limit", below.1),
            &pairs(&descend(bowl, below.1, 40)?),
        );
    lab.figure(
        "zigzag",
        &format!(
            "Gradient descent on a bowl with condition number {}: the first 40 steps with a \
             learning rate {:.0} % below the limit 2/λₘₐₓ, and the first 10 with one {:.0} % \
             above it.",
            bowl.condition().round(),
            100.0 * gap,
            100.0 * gap
        ),
        "Level lines of a long narrow valley. Both paths start at its far left end and zig-zag \
         across it on their way right. The zig-zag of the smaller learning rate narrows as it \
         nears the minimum; that of the larger one widens with every step.",
        &figure,
    )
}

/// 2. Along an eigenvector, the error is multiplied by the same number in each step.
pub fn two_directions(bowl: &Bowl, gap: f64, lab: &mut Lab) -> Result<()> {
    lab.section("directions", "2  Two directions that know nothing of each other")?;
    lab.say(
        "The zig-zag is two motions at once. Seen along one eigenvector q of A, with eigenvalue λ,\n\
         a step multiplies the error qᵀ(θ − θ*) by 1 − ηλ, whatever happens in the other direction:\n",
    );
    let header = ["direction", "λ", "q", "η", "1 − ηλ", "measured"];
    let mut table = Table::new(&header);
    let mut panels = Panels::new(2);
    for (side, eta) in
        [("below", (1.0 - gap) * bowl.limit()), ("above", (1.0 + gap) * bowl.limit())]
    {
        let points = descend(bowl, eta, 24)?;
        let mut lines = Lines::new("step", "error along the eigenvector").log_y();
        for (i, direction) in ["flattest", "steepest"].into_iter().enumerate() {
            let predicted = 1.0 - eta * bowl.lambda[i];
            let errors: Vec<f64> = points.iter().map(|theta| bowl.along(i, theta)).collect();
            let measured = errors[1] / errors[0];
            agree(direction, measured, predicted, 1e-10)?;
            table.push(vec![
                direction.into(),
                format!("{:.0}", bowl.lambda[i]),
                format!("({:.2}, {:.2})", bowl.q[[0, i]], bowl.q[[1, i]]),
                format!("{eta:.5}"),
                format!("{predicted:.6}"),
                format!("{measured:.6}"),
            ]);
            lab.near(&format!("factor_{direction}_{side}"), predicted, 1e-10);
            let line = steps(24).map(|t| errors[0].abs() * predicted.abs().powf(t));
            lines = lines.dashed(&format!("{direction}: predicted"), steps(24), line).points(
                &format!("{direction}: measured"),
                steps(24).step_by(2),
                errors.iter().map(|e| e.abs()).step_by(2),
            );
        }
        panels = panels.panel(&format!("η = {eta:.4}, {side} the limit"), lines);
    }
    lab.table(&table);
    lab.say(
        "\nMeasured and predicted factors agree to 1e-10. A negative factor is the zig-zag: the error\n\
         changes sides. Below the limit both factors are smaller than 1 in size; above it one is not.",
    );
    lab.figure(
        "directions",
        "The error along each eigenvector of the bowl against the steps, on a logarithmic scale: \
         measured in every second step (dots), and predicted by |1 − ηλ|ᵗ (dashed), for a learning \
         rate below the limit 2/λₘₐₓ and one above it.",
        "Two plots of straight lines with dots exactly on them. On the left, below the limit, both \
         lines fall. On the right the line of the flattest direction falls as before, and that of \
         the steepest rises.",
        &panels,
    )
}

/// 3. The limit 2/λₘₐₓ, and the rate on both sides of it.
pub fn the_limit(bowl: &Bowl, lab: &mut Lab) -> Result<()> {
    lab.section("limit", "3  The limit")?;
    let (limit, (best, _)) = (bowl.limit(), bowl.best_rate());
    lab.say(format!(
        "In the long run the slowest direction is all that is left, and the error shrinks by the\n\
         larger of |1 − ηλₘᵢₙ| and |1 − ηλₘₐₓ| in each step. It stays below 1 as long as\n\
         η < 2/λₘₐₓ = {limit:.6}:\n",
    ));
    let mut table = Table::new(&["η / limit", "predicted", "measured", ""]);
    let predict = |eta: f64| bowl.lambda.iter().map(|l| (1.0 - eta * l).abs()).fold(0.0, f64::max);
    for part in [0.5, 0.9, 0.99, 1.01, 1.1] {
        let eta = part * limit;
        let measured = rate(GradientDescent::new(eta)?, bowl)?;
        agree("the rate", measured, predict(eta), 1e-3)?;
        table.push(vec![
            format!("{part}"),
            format!("{:.6}", predict(eta)),
            format!("{measured:.6}"),
            if measured < 1.0 { "converges" } else { "diverges" }.into(),
        ]);
    }
    lab.table(&table);
    lab.near("limit", limit, 1e-12);
    let sweep = |count: usize| (1..=count).map(move |k| 1.15 * limit * k as f64 / count as f64);
    let mut measured = Vec::new();
    for eta in sweep(46) {
        let found = rate(GradientDescent::new(eta)?, bowl)?;
        agree("the rate", found, predict(eta), 1e-3)?;
        measured.push(found);
    }
    lab.say(
        "\nThe figure has 46 learning rates; all measured rates are the predicted ones to 0.001.",
    );
    let envelope = |lambda: f64| sweep(230).map(move |eta| (1.0 - eta * lambda).abs());
    let figure = Lines::new("learning rate η", "error after a step / error before")
        .dashed("|1 − ηλₘᵢₙ|, the flattest direction", sweep(230), envelope(bowl.flattest()))
        .dashed("|1 − ηλₘₐₓ|, the steepest direction", sweep(230), envelope(bowl.steepest()))
        .points("measured", sweep(46), measured)
        .y_range(0.0, 1.35)
        .vertical("η*", best)
        .vertical("2/λₘₐₓ", limit)
        .horizontal("no progress", 1.0);
    lab.figure(
        "rate",
        "The factor by which gradient descent multiplies the error in each step, in the long run, \
         against the learning rate: measured (dots), and the two factors |1 − ηλ| (dashed).",
        "Two dashed lines start at 1. That of the flattest direction falls a little all the way; that \
         of the steepest falls to 0 and rises again, as a V. The dots follow whichever is higher: \
         slowly down to the best learning rate η* where the lines cross, then steeply up, reaching 1 \
         at the limit 2/λₘₐₓ.",
        &figure,
    )
}

/// 4. The best rate, and how it grows with the condition number.
pub fn the_best_rate(bowl: &Bowl, lab: &mut Lab) -> Result<()> {
    lab.section("best-rate", "4  The best learning rate, and what it cannot do")?;
    let (eta, predicted) = bowl.best_rate();
    let measured = rate(GradientDescent::new(eta)?, bowl)?;
    agree("the best rate", measured, predicted, 1e-6)?;
    lab.say(format!(
        "Where the two factors cross, at η* = 2/(λₘᵢₙ + λₘₐₓ) = {eta:.6}, neither direction can be\n\
         helped without harming the other. The rate there is (κ − 1)/(κ + 1) = {predicted:.6};\n\
         measured {measured:.6}. It is {:.1} % of the limit: the best learning rate lies next to the\n\
         cliff, and the narrower the valley, the nearer.\n\n\
         How many steps make the error a million times smaller?\n",
        100.0 * eta / bowl.limit(),
    ));
    lab.near("best_eta", eta, 1e-12);
    lab.near("best_rate", predicted, 1e-12);
    lab.near("best_percent_of_limit", 100.0 * eta / bowl.limit(), 1e-12);
    let mut table = Table::new(&["κ", "predicted", "measured"]);
    for kappa in [10.0, 100.0, 1000.0, 10_000.0] {
        let bowl = Bowl::turned(kappa)?;
        let (eta, rate) = bowl.best_rate();
        let counted = steps_to(GradientDescent::new(eta)?, &bowl, 1e6)?;
        let predicted = (1e6_f64.ln() / -rate.ln()).ceil();
        agree("the number of steps", counted as f64, predicted, 1.0)?;
        table.push(vec![format!("{kappa}"), format!("{predicted}"), format!("{counted}")]);
        lab.near(&format!("descent_steps_{kappa}"), counted as f64, 1.0 / counted as f64);
    }
    lab.table(&table);
    lab.say(
        "\nThat is about κ/2 · ln 10⁶ steps: ten times the condition number, ten times the steps. No\n\
         constant learning rate can change it, because this is the best one.",
    );
    Ok(())
}

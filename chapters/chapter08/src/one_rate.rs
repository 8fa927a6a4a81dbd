//! Sections 1 and 2: one rate for two directions, and what a rate for each can do.

use gradus::{GradientDescent, Momentum};
use lab::{Lab, Result, Table};

use crate::surface::{KAPPA, RAVINE};

/// Above this, a path is lost.
const HIGHEST: f64 = 1e9;

/// 1. A ravine in which no rate fits.
pub fn no_rate_fits(lab: &mut Lab) -> Result<()> {
    lab.section("one_rate", "1  A ravine in which no rate fits")?;
    let (x, y) = RAVINE.start;
    lab.say(format!(
        "f(θ) = ½ (θ₁² + {KAPPA} θ₂²) is a ravine along the axis of θ₁. From ({x}, {y}), gradient\n\
         descent multiplies θ₁ by 1 − η in each step, and θ₂ by 1 − {KAPPA}η. How many steps until\n\
         the height is below {} for good?\n",
        RAVINE.goal,
    ));
    let mut table = Table::new(&["learning rate", "1 − η", "1 − 100η", "steps"]);
    let best = 2.0 / (1.0 + KAPPA);
    let rates = [
        ("best along, 1", 1.0),
        ("a little too long, 0.0202", 0.0202),
        ("best for both, 2/101", best),
        ("best across, 0.01", 0.01),
    ];
    for (name, eta) in rates {
        let steps = RAVINE.steps_to(GradientDescent::new(eta)?, HIGHEST);
        table.push(vec![
            name.into(),
            format!("{:.4}", 1.0 - eta),
            format!("{:.4}", 1.0 - KAPPA * eta),
            steps.map_or("never".into(), |steps| steps.to_string()),
        ]);
    }
    lab.table(&table);
    let (big, small) = (KAPPA.sqrt(), 1.0);
    let (eta, mu) = (4.0 / (big + small).powi(2), ((big - small) / (big + small)).powi(2));
    let needs = "gradient descent and momentum must reach the goal";
    let descent = RAVINE.steps_to(GradientDescent::new(best)?, HIGHEST).ok_or(needs)?;
    let momentum = RAVINE.steps_to(Momentum::new(eta, mu)?, HIGHEST).ok_or(needs)?;
    lab.say(format!(
        "\nMomentum with the best pair of chapter 3, η = {eta:.4} and μ = {mu:.4}, takes {momentum} steps. A rate\n\
         for each parameter, 1 for θ₁ and {} for θ₂, takes one.",
        1.0 / KAPPA,
    ));
    lab.exact("ravine_descent_steps", descent);
    lab.exact("ravine_momentum_steps", momentum);
    lab.near("ravine_best_rate", best, 1e-12);
    lab.near("ravine_momentum_rate", eta, 1e-12);
    lab.near("ravine_momentum", mu, 1e-12);
    lab.near("ravine_start_height", RAVINE.start_height(), 1e-12);
    let figure = RAVINE
        .view()
        .path(
            &format!("gradient descent, η = {best:.4}"),
            &RAVINE.path(GradientDescent::new(best)?, 60),
        )
        .path("η = 1 for θ₁, 0.01 for θ₂", &[RAVINE.start, (0.0, 0.0)]);
    lab.figure(
        "ravine",
        "A ravine that is 100 times steeper across than along: the first 60 steps of gradient \
         descent at its best rate, and the one step that a rate for each parameter needs.",
        "Level lines of a long flat ellipse. Gradient descent leaps from one wall to the other for \
         dozens of steps, and comes a little more than half of the way. The other path is one \
         straight line from the start to the minimum.",
        &figure,
    )
}

/// 2. How far a rate for each parameter can help, by how far the ravine is turned.
pub fn turned(lab: &mut Lab) -> Result<()> {
    lab.section("diagonal", "2  What a rate for each parameter can do")?;
    lab.say(format!(
        "Rates in inverse proportion to the curvature along each axis are the best rates for two\n\
         parameters. They change the condition number κ = {KAPPA} of the ravine into another one, which\n\
         depends on how far the ravine is turned away from the axes. The last row is the minimum of\n\
         Rosenbrock's valley.\n",
    ));
    let mut table = Table::new(&["turned by", "κ, one rate", "κ, two rates"]);
    for degrees in [0, 1, 5, 10, 20, 30, 45] {
        let (c, s) = (f64::from(degrees).to_radians().cos(), f64::from(degrees).to_radians().sin());
        // A = Q diag(1, κ) Qᵀ, and D^(−½) A D^(−½), which has ones on its diagonal.
        let (a11, a22) = (c * c + KAPPA * s * s, s * s + KAPPA * c * c);
        let a12 = (1.0 - KAPPA) * c * s;
        let one = condition(a11, a22, a12);
        let two = condition(1.0, 1.0, a12 / (a11 * a22).sqrt());
        table.push(vec![format!("{degrees}°"), format!("{one:.1}"), format!("{two:.2}")]);
        lab.near(&format!("kappa_turned_{degrees}"), two, 1e-9);
    }
    // The second derivatives of Rosenbrock's function at its minimum (1, 1).
    let (one, two) =
        (condition(802.0, 200.0, -400.0), condition(1.0, 1.0, -400.0 / (802.0_f64 * 200.0).sqrt()));
    table.push(vec!["Rosenbrock".into(), format!("{one:.1}"), format!("{two:.2}")]);
    lab.near("kappa_rosenbrock", one, 1e-9);
    lab.near("kappa_rosenbrock_two", two, 1e-9);
    lab.table(&table);
    lab.say(
        "\nAlong the axes nothing is left of the ravine. Turned by 45 degrees, both parameters have\n\
         the same curvature, and the best two rates are the same.",
    );
    Ok(())
}

/// The condition number of a symmetric matrix of two rows.
fn condition(a11: f64, a22: f64, a12: f64) -> f64 {
    let (middle, radius) = (0.5 * (a11 + a22), (0.5 * (a11 - a22)).hypot(a12));
    (middle + radius) / (middle - radius)
}

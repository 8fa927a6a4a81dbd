//! Sections 10 and 11: two other ways to write momentum.

use gradus::{Momentum, MovingAverage, Nesterov, Optimizer};
use lab::{Lab, Result, Table};
use ndarray::Array1;

use crate::bowl::Bowl;
use crate::descent::{start, view};
use crate::measure::{agree, heavy_ball, nesterov, pairs, path, short, slowest};

/// The largest distance between two paths.
fn apart(left: &[Array1<f64>], right: &[Array1<f64>]) -> f64 {
    let distance = |(l, r): (&Array1<f64>, &Array1<f64>)| (l - r).mapv(|d| d * d).sum().sqrt();
    left.iter().zip(right).map(distance).fold(0.0, f64::max)
}

fn visit(bowl: &Bowl, optimizer: impl Optimizer<f64>, steps: usize) -> Vec<Array1<f64>> {
    path(optimizer, |theta| bowl.gradient(theta), &start(bowl), steps)
}

/// 10. A moving average of the gradients.
pub fn moving_average(bowl: &Bowl, mu: f64, lab: &mut Lab) -> Result<()> {
    lab.section("moving-average", "10  The same steps under another name")?;
    let eta = 0.1 * bowl.limit();
    lab.say(format!(
        "Some libraries average the gradients, v ← βv + (1 − β)g, and step by −ηv. With β = {mu}\n\
         and a learning rate {} times as large, that takes the very steps of momentum:\n",
        (100.0 / (1.0 - mu)).round() / 100.0
    ));
    let momentum = visit(bowl, Momentum::new(eta, mu)?, 100);
    let scaled = visit(bowl, MovingAverage::new(eta / (1.0 - mu), mu)?, 100);
    let unscaled = visit(bowl, MovingAverage::new(eta, mu)?, 100);
    let header = ["", "η", "distance after 100 steps", "from momentum's path"];
    let mut table = Table::new(&header);
    let rows = [
        ("momentum", eta, &momentum),
        ("moving average", eta / (1.0 - mu), &scaled),
        ("moving average, η forgotten", eta, &unscaled),
    ];
    for (name, eta, points) in rows {
        table.push(vec![
            name.into(),
            format!("{eta:.5}"),
            short(bowl.distance(&points[100])),
            if apart(points, &momentum) < 1e-9 {
                "< 1e-9".into()
            } else {
                short(apart(points, &momentum))
            },
        ]);
    }
    agree("the paths of momentum and moving average", apart(&scaled, &momentum), 0.0, 1e-9)?;
    lab.table(&table);
    lab.say(
        "\nThe first two never differ by more than rounding. Whoever moves a learning rate from one\n\
         library to another without this factor changes it without noticing.",
    );
    lab.near("moving_average_difference", apart(&scaled, &momentum), 1e-9);
    lab.near("moving_average_unscaled", bowl.distance(&unscaled[100]), 1e-6);
    lab.near("moving_average_scaled", bowl.distance(&scaled[100]), 1e-6);
    Ok(())
}

/// Nesterov's momentum in Sutskever's form: the gradient is taken at θ + μv. Returns the points
/// θ + μv, which is where the library keeps its parameters.
fn sutskever(bowl: &Bowl, eta: f64, mu: f64, steps: usize) -> Vec<Array1<f64>> {
    let mut theta = start(bowl);
    let mut v = Array1::<f64>::zeros(2);
    let mut points = vec![&theta + &(&v * mu)];
    for t in 0..steps {
        v = v * mu - bowl.gradient(&points[t]) * eta;
        theta += &v;
        points.push(&theta + &(&v * mu));
    }
    points
}

/// 11. Nesterov's momentum looks ahead.
pub fn looking_ahead(bowl: &Bowl, mu: f64, lab: &mut Lab) -> Result<()> {
    lab.section("nesterov", "11  Looking one step ahead")?;
    let eta = 0.5 * bowl.limit();
    let heavy = visit(bowl, Momentum::new(eta, mu)?, 60);
    let ahead = visit(bowl, Nesterov::new(eta, mu)?, 60);
    let difference = apart(&ahead, &sutskever(bowl, eta, mu, 60));
    agree("Sutskever's form and the library's", difference, 0.0, 1e-12)?;
    lab.say(format!(
        "Nesterov's momentum takes the gradient where the velocity is about to carry the ball, at\n\
         θ + μv. The library keeps that point as its parameters; over 60 steps the two forms stay\n\
         together to 1e-12. With η = {eta:.4} and μ = {mu}, the largest |r| in each direction is\n"
    ));
    let mut table = Table::new(&["direction", "λ", "1 − ηλ", "heavy ball", "Nesterov"]);
    for (i, direction) in ["flattest", "steepest"].into_iter().enumerate() {
        let lambda = bowl.lambda[i];
        let one = Bowl::new(ndarray::Array2::eye(2) * lambda, Array1::zeros(2))?;
        let heavy = slowest(&one, |lambda| heavy_ball(eta, mu, lambda))?;
        let ahead = slowest(&one, |lambda| nesterov(eta, mu, lambda))?;
        table.push(vec![
            direction.into(),
            format!("{lambda:.0}"),
            format!("{:.2}", 1.0 - eta * lambda),
            format!("{heavy:.4}"),
            format!("{ahead:.4}"),
        ]);
        lab.near(&format!("heavy_ball_radius_{direction}"), heavy, 1e-6);
        lab.near(&format!("nesterov_radius_{direction}"), ahead, 1e-6);
    }
    lab.table(&table);
    lab.say(
        "\nWhere its eigenvalues are complex, the heavy ball forgets at the same rate √μ in every\n\
         direction, and swings across the valley for a long time. Nesterov's momentum adds a factor\n\
         √(1 − ηλ): the steeper, the sooner calm.",
    );
    let figure = view(bowl)
        .path("heavy ball", &pairs(&heavy[..=30]))
        .path("Nesterov", &pairs(&ahead[..=30]));
    lab.figure(
        "paths",
        &format!(
            "The first 30 steps of the heavy ball and of Nesterov's momentum on one bowl, both \
             with η = {eta:.4} and μ = {mu}."
        ),
        "The heavy ball swings from wall to wall of the valley on its way to the minimum, beyond \
         it and back. Nesterov's path comes down the wall in one leap and then runs along the \
         valley floor; it also overshoots the minimum, but along the floor only.",
        &figure,
    )
}

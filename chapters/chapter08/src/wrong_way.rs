//! Section 7: a problem on which Adam walks away from the minimum.

use gradus::{Adam, GradientDescent, Optimizer};
use lab::{Lab, Lines, Result, Table};
use ndarray::array;

/// One gradient of this size is followed by two of −1.
const LARGE: f64 = 4.0;

/// How many gradients there are.
const STEPS: usize = 3000;

/// Where an optimizer is after every third step.
fn walk(mut optimizer: impl Optimizer<f64>) -> Vec<f64> {
    let mut theta = array![0.0];
    let mut visited = vec![0.0];
    for step in 1..=STEPS {
        let gradient = if step % 3 == 1 { LARGE } else { -1.0 };
        optimizer.step(&mut theta, &array![gradient]);
        if step % 3 == 0 {
            visited.push(theta[0]);
        }
    }
    visited
}

/// 7. Rare large gradients, and frequent small ones.
pub fn up_the_hill(lab: &mut Lab) -> Result<()> {
    lab.section("wrong_way", "7  A slope that Adam climbs")?;
    let (eta, beta2) = (0.001, 1.0 / (1.0 + LARGE * LARGE));
    lab.say(format!(
        "The gradients are {LARGE}, −1, −1, and again {LARGE}, −1, −1, wherever θ is. Their mean is {:.2}: the\n\
         way down is to the left. After {STEPS} steps from 0, with η = {eta}:\n",
        (LARGE - 2.0) / 3.0
    ));
    let walks = [
        ("gradient descent", "descent", walk(GradientDescent::new(eta)?)),
        ("Adam, β₁ = 0.9, β₂ = 0.999", "usual", walk(Adam::new(eta)?)),
        ("Adam, β₁ = 0, β₂ = 1/17", "short", walk(Adam::new(eta)?.with_betas(0.0, beta2)?)),
    ];
    let mut table = Table::new(&["", "θ", "for three steps, in units of η"]);
    let mut figure = Lines::new("step", "θ");
    for (name, key, visited) in &walks {
        let end = visited[visited.len() - 1];
        let each = (end - visited[visited.len() - 2]) / eta;
        table.push(vec![(*name).into(), format!("{end:.3}"), format!("{each:.3}")]);
        lab.near(&format!("wrong_way_{key}"), end, 1e-6);
        lab.near(&format!("wrong_way_{key}_each"), each, 1e-6);
        let steps = (0..visited.len()).map(|k| 3.0 * k as f64).step_by(10);
        figure = figure.series(name, steps, visited.iter().copied().step_by(10));
    }
    lab.table(&table);
    lab.say(
        "\nEach of the three steps of the last one is about as long as the others: one to the left,\n\
         two to the right. A memory of a thousand gradients knows better.",
    );
    lab.figure(
        "wrong_way",
        "Three optimizers with η = 0.001 on a slope whose gradients are 4, −1, −1, 4, −1, −1, …, \
         with mean 2/3: down is to smaller θ.",
        "Three straight lines from 0. Those of gradient descent and of Adam with the usual betas \
         fall. That of Adam with a short memory rises.",
        &figure,
    )
}

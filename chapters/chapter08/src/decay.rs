//! Section 13: weight decay beside the gradient, and inside of it.

use gradus::{Adam, AdamW, Decayed, Optimizer};
use lab::{Lab, Lines, Panels, Result, Table};
use ndarray::array;

use crate::correction::agree;

const RATE: f64 = 0.001;
const DECAY: f64 = 0.1;
const STEPS: usize = 5000;

/// Three weights of 1, whose gradients change their signs in each step and have these sizes.
const SIZES: [f64; 3] = [10.0, 1.0, 0.1];

/// The weights after every hundredth step.
fn shrink(mut optimizer: impl Optimizer<f64>) -> Vec<[f64; 3]> {
    let mut theta = array![1.0, 1.0, 1.0];
    let mut visited = vec![[1.0; 3]];
    for step in 1..=STEPS {
        let sign = if step % 2 == 0 { 1.0 } else { -1.0 };
        optimizer.step(&mut theta, &array![sign * SIZES[0], sign * SIZES[1], sign * SIZES[2]]);
        if step % 100 == 0 {
            visited.push([theta[0], theta[1], theta[2]]);
        }
    }
    visited
}

/// 13. AdamW against L2 inside Adam.
pub fn beside_the_gradient(lab: &mut Lab) -> Result<()> {
    lab.section("decay", "13  Weight decay, inside the gradient and beside it")?;
    lab.section_near(1e-4);
    lab.say(format!(
        "Three weights of 1 whose gradients are nothing but noise: they change sign in each step, and\n\
         have the sizes 10, 1 and 0.1. With η = {RATE} and λ = {DECAY}, each should have shrunk to\n\
         (1 − ηλ)^{STEPS} = {:.4} after {STEPS} steps.\n",
        (1.0 - RATE * DECAY).powi(STEPS as i32)
    ));
    let runs = [
        ("L2 inside Adam", "inside", shrink(Decayed::new(Adam::new(RATE)?, DECAY)?)),
        ("AdamW", "beside", shrink(AdamW::new(RATE, DECAY)?)),
    ];
    let header = SIZES.map(|size| format!("noise {size}"));
    let mut table = Table::new(&[vec![String::new()], header.to_vec()].concat());
    let mut panels = Panels::new(2);
    for (name, key, visited) in &runs {
        let end = visited[visited.len() - 1];
        table.push([vec![(*name).to_owned()], end.map(|w| format!("{w:.4}")).to_vec()].concat());
        let mut lines = Lines::new("step", "weight").y_range(0.0, 1.05);
        for (i, size) in SIZES.iter().enumerate() {
            let name = format!("noise {size}");
            lab.near(&format!("decay_{key}_{}", ["10", "1", "01"][i]), end[i], 1e-4);
            let steps = (0..visited.len()).map(|k| 100.0 * k as f64);
            lines = lines.series(&name, steps, visited.iter().map(|weights| weights[i]));
        }
        panels = panels.panel(name, lines);
    }
    let kept = (1.0 - RATE * DECAY).powi(STEPS as i32);
    for weight in runs[1].2[runs[1].2.len() - 1] {
        agree("a weight under AdamW", weight, kept, 0.01)?;
    }
    lab.table(&table);
    lab.near("decay_kept", kept, 1e-9);
    lab.say(
        "\nInside the gradient, λθ is divided by the size of the noise as well: the noisiest weight\n\
         hardly decays, and the quietest is gone. AdamW treats all alike.",
    );
    lab.figure(
        "decay",
        "Three weights under nothing but noise of size 10, 1 and 0.1, with weight decay 0.1 and \
         η = 0.001: L2 as a part of the gradient in Adam, and AdamW.",
        "Left: three lines that start at 1; one stays near 1, one falls by about a third, one falls \
         to 0 soon. Right: three lines on top of each other, which fall to about 0.6.",
        &panels,
    )
}

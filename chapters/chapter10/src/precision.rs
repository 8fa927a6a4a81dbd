//! Half as many bytes for each number.

use lab::{Lab, Result, Table};

use crate::child::ROUNDS;
use crate::measure::median;
use crate::task::{Place, STEPS, Task};

/// f32 against f64.
pub fn single_or_double(task: &Task, at: &Place<f32>, lab: &mut Lab) -> Result<()> {
    let images = &task.images.train;
    let (mut single, mut double) = (Vec::new(), Vec::new());
    let mut apart = 0.0_f64;
    for _ in 0..ROUNDS {
        let (time, losses) = task.fitted(at, images, 1, STEPS - 1)?;
        single.push(time);
        let (time, exact) = task.fitted(&at.cast::<f64>(), images, 1, STEPS - 1)?;
        double.push(time);
        apart = losses.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(apart, f64::max);
    }
    let [single, double] = [single, double].map(|times| 1e3 * STEPS as f64 * median(&times));
    lab.section("precision", "f32 and f64")?;
    lab.section_machine();
    lab.table(
        &Table::new(&["", "ms an epoch"])
            .row(["f32", &format!("{single:.1}")])
            .row(["f64", &format!("{double:.1}")]),
    );
    lab.say(format!(
        "\nf64 takes {:.2} times as long. Over an epoch, the losses of the two are at most {:.0e} apart.",
        double / single,
        10_f64.powf(apart.max(1e-16).log10().ceil()),
    ));
    lab.machine("precision_f32_ms", single, "ms");
    lab.machine("precision_f64_ms", double, "ms");
    lab.machine("precision_ratio", double / single, "");
    lab.near("precision_apart", apart, 0.01);
    Ok(())
}

//! What there is to do, counted.

use lab::{Lab, Result, Table, text::thousands};

use crate::cost::{products, sizes};
use crate::plain::density;
use crate::task::{BATCH, EPOCHS, SAMPLES, STEPS, Task};
use gradus::Source;
use ndarray::Array2;

/// The share of the pixels that are not black, over all images learned from.
pub fn pixels(task: &Task) -> f64 {
    let bytes = task.images.train.bytes();
    bytes.iter().filter(|byte| **byte != 0).count() as f64 / bytes.len() as f64
}

/// Operations.
pub fn operations(rho: f64, lab: &mut Lab) -> Result<()> {
    lab.section("cost", "What there is to do")?;
    let mut table =
        Table::new(&["product", "operations of a step", "share", "not with a black pixel"]);
    let step = products(BATCH as f64);
    let all: f64 = step.iter().map(|(_, count)| count).sum();
    let mut left = 0.0;
    for (name, count) in step {
        let first = name.contains("first");
        let rest = if first { rho * count } else { count };
        left += rest;
        table.push(vec![
            name.into(),
            thousands(count as usize),
            format!("{:.1} %", 100.0 * count / all),
            thousands(rest.round() as usize),
        ]);
    }
    table.push(vec![
        "a step".into(),
        thousands(all as usize),
        "100.0 %".into(),
        thousands(left.round() as usize),
    ]);
    lab.table(&table);
    let epoch: f64 = products(SAMPLES as f64).iter().map(|(_, count)| count).sum();
    let training = EPOCHS as f64 * epoch;
    lab.say(format!(
        "\nAn epoch has {STEPS} steps and {} operations, {EPOCHS} epochs have {:.1} billion. Of the\n\
         pixels, {:.1} % are not black.",
        thousands(epoch as usize),
        training / 1e9,
        100.0 * rho,
    ));
    let [_, k, m, _, p] = sizes();
    lab.exact("parameters", p as usize);
    lab.exact("operations_step", all as usize);
    lab.exact("operations_epoch", epoch as usize);
    lab.exact("operations_ten_epochs", training as usize);
    lab.near("first_layer_share", 4.0 * BATCH as f64 * k * m / all, 1e-9);
    lab.near("density_pixels", rho, 1e-12);
    lab.near("operations_left", left / all, 1e-9);
    Ok(())
}

/// A batch of images, as floats.
pub fn a_batch(task: &Task) -> Array2<f32> {
    let (mut x, mut y) = (Array2::zeros((BATCH, 784)), Array2::zeros((BATCH, 10)));
    task.images.train.gather(&(0..BATCH).collect::<Vec<_>>(), &mut x, &mut y);
    x
}

/// The density of a batch.
pub fn of_a_batch(task: &Task) -> f64 {
    density(&a_batch(task))
}

//! Tables of this chapter.

use gradus::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Float, Loss, MeanSquaredError, OutputActivation,
    Softmax,
};
use lab::Table;
use ndarray::{Array1, Array3, ArrayView1, Axis, array};

use crate::measure::Cost;
use crate::routes::{composed, confident, loss_from_logits, product_of, softmax_fused};
use crate::trained::{BothWays, DiagonalError, Units, mean, worst};
use crate::wrong::PaddedCrossEntropy;

/// A row vector, to three decimals.
pub fn row(row: ArrayView1<f64>) -> String {
    // Adding 0 turns −0 into 0.
    row.iter().map(|x| format!("{:7.3}", x + 0.0)).collect::<Vec<_>>().join(" ")
}

/// The losses at some steps of two descents.
pub fn stuck(right: &[f64], padded: &[f64]) -> Table {
    let last = right.len() - 1;
    let mut table = Table::new(&["step", "loss, by ŷ − y", "loss, with ε"]);
    for step in [0, 1, last / 10, last / 5, 3 * last / 10, last] {
        let loss = |losses: &[f64]| format!("{:.6}", losses[step]);
        table = table.row([step.to_string(), loss(right), loss(padded)]);
    }
    table
}

/// Two losses of one output with target 1, and their slopes.
pub fn losses(outputs: &[f64]) -> Table {
    let mut table = Table::new(&["ŷ", "(ŷ − y)²", "slope", "−ln ŷ", "slope"]);
    for &p in outputs {
        let (y_hat, y) = (array![[p]], array![[1.0]]);
        let losses: [&dyn Loss<f64>; 2] = [&MeanSquaredError, &BinaryCrossEntropy];
        let [squared, entropy] = losses.map(|loss| {
            let slope = loss.derivative(&y_hat, &y)[[0, 0, 0]];
            [format!("{:.4}", loss.values(&y_hat, &y)[0]), format!("{slope:.3}")]
        });
        table = table.row([vec![p.to_string()], squared.to_vec(), entropy.to_vec()].concat());
    }
    table
}

/// The likelihood of n samples whose true classes all have probability p.
pub fn likelihood(p: f64, counts: &[usize]) -> Table {
    let mut table = Table::new(&["samples n", "product", "−ln of it", "Σ −ln ŷ", "Σ / n"]);
    for &n in counts {
        let product = product_of(p, n);
        let sum = -(n as f64) * p.ln();
        table = table.row([
            n.to_string(),
            format!("{product:.0e}"),
            format!("{:.1}", -product.ln()),
            format!("{sum:.1}"),
            format!("{:.4}", sum / n as f64),
        ]);
    }
    table
}

/// The loss of a sample whose wrong class is ahead, through its probability and from logits.
pub fn from_logits(margins: &[f64]) -> Table {
    let mut table =
        Table::new(&["behind by", "f32, −ln ŷ", "f32, from z", "f64, −ln ŷ", "f64, from z"]);
    for &margin in margins {
        let [a, b] = both_losses::<f32>(margin);
        let [c, d] = both_losses::<f64>(margin);
        table = table.row([vec![margin.to_string()], [a, b, c, d].map(digits).to_vec()].concat());
    }
    table
}

fn both_losses<F: Float>(margin: f64) -> [f64; 2] {
    let (z, y) = confident::<F>(margin);
    let through = CategoricalCrossEntropy.values(&Softmax.apply(&z), &y);
    [through[0].as_f64(), loss_from_logits(&z, &y)[0].as_f64()]
}

/// Row times matrix is row, sample by sample.
pub fn chain_rule(d: &Array3<f64>, jacobian: &Array3<f64>, product: &Array3<f64>) -> Table {
    let (n, m, _) = jacobian.dim();
    let header = |name: &str, rows| format!("{name}  ({n}, {rows}, {m})");
    let mut table =
        Table::new(&["sample".into(), header("∂L/∂ŷ", 1), header("∂ŷ/∂z", m), header("∂L/∂z", 1)]);
    for i in 0..n {
        for j in 0..m {
            let once = |text: String| if j == 0 { text } else { String::new() };
            table = table.row([
                once(i.to_string()),
                once(row(d.index_axis(Axis(0), i).row(0))),
                row(jacobian.index_axis(Axis(0), i).row(j)),
                once(row(product.index_axis(Axis(0), i).row(0))),
            ]);
        }
    }
    table
}

/// Memory and time of both ways through softmax.
pub fn costs(n: usize, costs: &[Cost]) -> Table {
    let mut table =
        Table::new(&["outputs", "Jacobians, MB", "with them, ms", "without, ms", "ratio"]);
    for cost in costs {
        table = table.row([
            cost.m.to_string(),
            format!("{:.2}", cost.megabytes(n)),
            format!("{:.2}", cost.jacobian * 1e3),
            format!("{:.4}", cost.product * 1e3),
            format!("{:.0}", cost.jacobian / cost.product),
        ]);
    }
    table
}

/// Probabilities and singular values, each in order of size.
pub fn spectrum(sorted: &[f64], sigma: &Array1<f64>) -> Table {
    let mut table = Table::new(&["k", "probability", "singular value"]);
    for (k, (p, sigma)) in sorted.iter().zip(sigma).enumerate() {
        let value = if *sigma < f64::EPSILON { "0".into() } else { format!("{sigma:.6}") };
        table = table.row([(k + 1).to_string(), format!("{p:.6}"), value]);
    }
    table
}

/// Three ways to the slope at the logit of the true class.
pub fn vanishing(margins: &[f64]) -> Table {
    let mut table = Table::new(&["behind by", "p", "with ε", "without ε", "ŷ − y"]);
    for &margin in margins {
        let (z, y) = confident(margin);
        let slope = |loss: &dyn Loss<f64>| composed(loss, &Softmax, &z, &y)[[0, 0]];
        table = table.row([
            margin.to_string(),
            format!("{:.0e}", 1.0 / (1.0 + margin.exp())),
            digits(slope(&PaddedCrossEntropy)),
            digits(slope(&CategoricalCrossEntropy)),
            digits(softmax_fused(&z, &y)[[0, 0]]),
        ]);
    }
    table
}

/// Six decimals, or the order of magnitude where they would all be 0.
fn digits(x: f64) -> String {
    if x != 0.0 && x.abs() < 1e-4 { format!("{x:.0e}") } else { format!("{x:.6}") }
}

/// Accuracies in two units, with two losses.
pub fn units(units: &[Units]) -> Table {
    let header = ["inputs in", "rate", "start", "by ŷ − y", "worst", "with ε", "worst"];
    units.iter().fold(Table::new(&header), |table, units| {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        table.row([
            units.name.to_owned(),
            units.rate.to_string(),
            percent(mean(&units.start)),
            percent(mean(&units.right)),
            percent(worst(&units.right)),
            percent(mean(&units.padded)),
            percent(worst(&units.padded)),
        ])
    })
}

/// How wrong gradients are.
pub fn diagonal_errors(errors: &[DiagonalError]) -> Table {
    let table = Table::new(&["gradient of all parameters", "error"]);
    errors.iter().fold(table, |table, error| {
        table.row([error.text.to_owned(), format!("{:.2}", error.mean)])
    })
}

/// What trainings led to.
pub fn both_ways(tasks: &[&BothWays]) -> Table {
    let mut table = Table::new(&["task, layers", "whole", "mean logit", "diagonal", "mean logit"]);
    for both in tasks {
        let sizes = both.task.sizes().iter().map(usize::to_string).collect::<Vec<_>>().join("-");
        let mut row = vec![format!("{}, {sizes}", both.task.name())];
        for trained in [&both.whole, &both.diagonal] {
            row.push(format!("{:.1} %", 100.0 * trained.accuracy));
            // Adding 0 turns −0 into 0.
            row.push(format!("{:.1}", (10.0 * trained.logit).round() / 10.0 + 0.0));
        }
        table = table.row(row);
    }
    table
}

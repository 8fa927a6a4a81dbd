//! Chapter 2: losses, and the way back through the output.
//!
//! A loss says how far outputs are from targets; its derivative is a row vector for each
//! sample. The chain rule multiplies that row by the Jacobian of the output activation. This
//! chapter finds out where the losses come from, follows the product by its shapes, sees it
//! shrink to ŷ − y for softmax with cross-entropy, measures what the matrix costs, and why it is
//! singular. It ends with two published bugs: a gradient that vanishes where it is needed most,
//! and a lone diagonal.

mod args;
mod figures;
mod measure;
mod published;
mod routes;
mod tables;
mod trained;
mod wrong;

use std::process::ExitCode;

use args::Args;
use gradus::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Elementwise, Identity, Loss, MeanSquaredError,
    OutputActivation, Sigmoid, Softmax, Tanh, chain_rule, one_hot,
};
use lab::{Lab, Table};
use measure::Pair;
use ndarray::{Axis, array};
use ndarray_linalg::SVD;
use routes::{composed, confident, descend, difference, fused, softmax_fused};
use wrong::PaddedCrossEntropy;

fn main() -> ExitCode {
    lab::main(env!("CARGO_PKG_NAME"), chapter)
}

fn chapter(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    stuck(args, lab)?;
    losses(lab)?;
    likelihood(lab)?;
    shapes(lab)?;
    gradients(args.common.seed, lab)?;
    from_logits(lab)?;
    cost(args, lab)?;
    singular(args, lab)?;
    published::vanishing(args, lab)?;
    published::units(args, lab)?;
    published::diagonal(args.common.seed, lab)?;
    published::unnoticed(args.common.seed, lab)
}

/// A program that misbehaves: two gradients of one loss, and only one of them moves.
fn stuck(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    lab.section("stuck", "1. Sure, wrong, and stuck")?;
    let (z, y) = confident(args.margin);
    let steps = 2 * args.margin as usize;
    let right = descend(&z, &y, steps, |z| softmax_fused(z, &y));
    let padded = descend(&z, &y, steps, |z| composed(&PaddedCrossEntropy, &Softmax, z, &y));
    lab.say(format!(
        "One sample, two classes. The logits are 0 and {}, and the first class is the right one:\n\
         its probability is {:.0e}. Gradient descent with rate 1 may change the logits. It is\n\
         given two gradients of the same cross-entropy. One is ŷ − y. The other is from a\n\
         published tutorial, which guards its division: −y / (ŷ + ε), times the Jacobian of\n\
         softmax.\n",
        args.margin,
        Softmax.apply(&z)[[0, 0]],
    ));
    lab.table(&tables::stuck(&right, &padded));
    lab.say(
        "\nOne loss falls by 2 a step until the mistake is mended. The other gets a section below.",
    );
    lab.near("stuck_loss_right", right[steps], 1e-9);
    lab.near("stuck_loss_padded", padded[steps], 1e-6);
    figures::stuck(lab, args.margin, &right, &padded)
}

/// What losses are, as curves over an output and over the logit behind it.
fn losses(lab: &mut Lab) -> lab::Result<()> {
    lab.section("losses", "2. What a loss asks for")?;
    lab.say(
        "One output ŷ, with target 1. The squared error is never more than 1, and its slope never\n\
         steeper than −2. The cross-entropy −ln ŷ has no upper end, and its slope −1/ŷ has none\n\
         either.\n",
    );
    lab.table(&tables::losses(&[0.999, 0.9, 0.5, 0.1, 0.001, 1e-6]));
    // The same losses over the logit: the chain rule of one number.
    let (z, y) = (array![[-10.0]], array![[1.0]]);
    let slope = |loss: &dyn Loss<f64>| composed(loss, &Elementwise(Sigmoid), &z, &y)[[0, 0]];
    let (flat, steep) = (slope(&MeanSquaredError), slope(&BinaryCrossEntropy));
    lab.say(format!(
        "\nNow let ŷ be the sigmoid of a logit z. At z = −10 the slope over z is {flat:.5} for the\n\
         squared error, and {steep:.5} for the cross-entropy."
    ));
    lab.near("slope_squared_at_minus_10", flat, 1e-12);
    lab.near("slope_entropy_at_minus_10", steep, 1e-12);
    figures::losses(lab)?;
    figures::logits(lab)
}

/// The probability of all targets together, and why its logarithm is taken.
fn likelihood(lab: &mut Lab) -> lab::Result<()> {
    lab.section("likelihood", "3. A product that vanishes")?;
    let gone = (1..).find(|&n| routes::product_of(0.1, n) == 0.0).unwrap_or(0);
    lab.say(
        "A network that knows nothing of ten digits gives each the probability 0.1. How probable\n\
         are all targets together? The product has the answer, until it has none.\n",
    );
    lab.table(&tables::likelihood(0.1, &[1, 10, 100, 300, gone - 1, gone, 60_000]));
    lab.say(format!(
        "\nAfter {gone} samples the product is 0, and minus its logarithm infinite. The sum of the\n\
         logarithms is the same number on paper, and goes on. Divided by n it is the loss of\n\
         knowing nothing, ln 10: where every training on ten classes should begin."
    ));
    lab.exact("samples_until_zero", gone);
    Ok(())
}

/// The chain rule of a batch, number by number.
fn shapes(lab: &mut Lab) -> lab::Result<()> {
    lab.section("shapes", "4. The chain rule, with shapes")?;
    let z = array![[1.0, 0.0, -1.0], [0.5, 2.0, 0.0]];
    let y = one_hot(&[0, 2], 3)?;
    let y_hat = Softmax.apply(&z);
    let row = CategoricalCrossEntropy.derivative(&y_hat, &y);
    let jacobian = Softmax.jacobian(&z);
    let d_z = chain_rule(&row, &jacobian);
    lab.say(
        "Two samples, three classes; the true classes are 0 and 2. For each sample, the loss\n\
         gives a row, softmax gives a matrix, and row times matrix is the row for the logits:\n",
    );
    lab.table(&tables::chain_rule(&row, &jacobian, &d_z));
    let short = &y_hat - &y;
    let off = difference(&d_z.index_axis_move(Axis(1), 0), &short);
    lab.say("\nNow take the outputs, and subtract the targets:\n");
    short.rows().into_iter().for_each(|row| lab.say(format!("  ŷ − y  {}", tables::row(row))));
    lab.say(format!(
        "\nThe same six numbers (largest difference {off:.0e}, checked to 1e-14): the matrix was\n\
         built for nothing."
    ));
    lab.near("chain_rule_less_difference", off, 1e-14);
    Ok(())
}

/// Every loss with an output activation, both ways, against finite differences.
fn gradients(seed: u64, lab: &mut Lab) -> lab::Result<()> {
    lab.section("gradients", "5. Measured, not believed")?;
    let (n, m) = (5, 4);
    let z = measure::normal(n, m, 1.5, seed, 1);
    let real = measure::normal(n, m, 1.0, seed, 2);
    let soft = Softmax.apply(&real);
    let pairs: [Pair; 5] = [
        ("squared error, identity", &MeanSquaredError, &Elementwise(Identity), &real),
        ("squared error, tanh", &MeanSquaredError, &Elementwise(Tanh), &real),
        ("squared error, softmax", &MeanSquaredError, &Softmax, &soft),
        ("binary cross-entropy, sigmoid", &BinaryCrossEntropy, &Elementwise(Sigmoid), &soft),
        ("categorical cross-entropy, softmax", &CategoricalCrossEntropy, &Softmax, &soft),
    ];
    lab.say(format!(
        "Random logits, {n} samples of {m} outputs. Each gradient is compared with central\n\
         differences of the loss; the table has the relative error of the worst entry.\n"
    ));
    let mut table = Table::new(&["loss, output activation", "Jacobian", "fused"]);
    let mut worst: f64 = 0.0;
    for (name, loss, output, y) in pairs {
        let long = composed(loss, output, &z, y);
        let long = measure::passed(loss, output, &z, y, &long)?;
        let mut cells = [name.into(), format!("{long:.0e}"), "–".into()];
        worst = worst.max(long);
        if let Some(fusable) = output.link().and_then(|link| loss.fused(link)) {
            let short = fused(fusable, output, &z, y);
            let short = measure::passed(loss, output, &z, y, &short)?;
            cells[2] = format!("{short:.0e}");
            worst = worst.max(short);
        }
        table = table.row(cells);
    }
    lab.table(&table);
    lab.say(
        "\nAll pass: the tolerance is 1e-6. A wrong sign would show as 2, a forgotten 1/2 as 0.5.",
    );
    lab.near("worst_gradient_error", worst, 1e-6);
    Ok(())
}

/// The loss of one sample, through its probability and around it.
fn from_logits(lab: &mut Lab) -> lab::Result<()> {
    lab.section("from_logits", "6. A loss without its probability")?;
    let margins = [-800.0, -40.0, -20.0, 0.0, 50.0, 100.0, 700.0, 800.0];
    lab.say(
        "One sample of two classes again. Softmax, then −ln ŷ: this is the loss through the\n\
         probability of the true class. A difference of logits and a small correction: this is the\n\
         loss without it.\n",
    );
    lab.table(&tables::from_logits(&margins));
    lab.say(
        "\nOne column of each pair ends in infinity below, and in 0 too early above. The other is\n\
         right.",
    );
    let ahead = confident::<f64>(-40.0);
    lab.near("loss_40_ahead", routes::loss_from_logits(&ahead.0, &ahead.1)[0], 1e-25);
    Ok(())
}

/// What the matrix costs, and the product that never builds it.
fn cost(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    lab.section("cost", "7. What the matrix costs")?;
    lab.section_machine();
    let n = usize::from(args.samples);
    lab.say(format!(
        "Going back through softmax, {n} samples in f32: once with the stack of Jacobians, once\n\
         with s ⊙ (d − s·d), which is the same product and needs no matrix.\n"
    ));
    let costs = [10, 30, 100, 300, 1000].map(|m| measure::cost(n, m, args.common.seed));
    lab.table(&tables::costs(n, &costs));
    let off = costs.iter().fold(0.0, |max: f64, cost| max.max(cost.difference));
    lab.say(format!(
        "\nTen times the outputs make the stack a hundred times as large; what the short product\n\
         reads and writes grows only ten times. The time includes making room for the stack. Both\n\
         give the same rows (largest difference {off:.0e}, checked to 1e-5)."
    ));
    costs.iter().for_each(|cost| cost.record(n, lab));
    lab.near("jacobian_product_difference", off, 1e-5);
    figures::cost(lab, n, &costs)
}

/// Why the Jacobian of softmax has no inverse.
fn singular(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    lab.section("singular", "8. A matrix that forgets one direction")?;
    let m = usize::from(args.classes);
    let z = measure::normal(1, m, 1.5, args.common.seed, 3);
    let mut sorted = Softmax.apply(&z).row(0).to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let jacobian = Softmax.jacobian(&z).index_axis_move(Axis(0), 0);
    let (_, sigma, vt) = jacobian.svd(false, true)?;
    let vt = vt.ok_or("the decomposition gave no vectors")?;
    let null = &vt.row(m - 1) / vt[[m - 1, 0]].signum();
    let rank = sigma.iter().filter(|&&sigma| sigma > 1e-15).count();
    lab.say(format!(
        "The Jacobian of softmax at {m} random logits, taken apart by a singular value\n\
         decomposition; beside it the probabilities, in order of size.\n"
    ));
    lab.table(&tables::spectrum(&sorted, &sigma));
    lab.say(format!(
        "\nEach singular value lies between a probability and the next. Below the last probability\n\
         there is no next, and the last singular value is 0 (checked to 1e-15): the rank is {rank},\n\
         not {m}. The direction that is lost is\n\n  {}\n\n\
         all entries equal, 1/√{m} = {:.3}. Raise every logit by the same amount, and no probability\n\
         moves. Softmax forgets that amount, so no gradient can come back for it.",
        tables::row(null.view()),
        1.0 / (m as f64).sqrt(),
    ));
    let uneven = null.iter().fold(0.0, |max: f64, x| max.max((x - null[0]).abs()));
    lab.exact("classes", m);
    lab.exact("rank", rank);
    lab.near("largest_probability", sorted[0], 1e-9);
    lab.near("largest_singular_value", sigma[0], 1e-9);
    lab.near("smallest_singular_value", sigma[m - 1], 1e-15);
    lab.near("null_vector_unevenness", uneven, 1e-9);
    figures::spectrum(lab, &sorted, &sigma)?;
    figures::confidence(lab, &z)
}

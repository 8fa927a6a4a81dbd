//! Two published mistakes: a gradient that vanishes, and a lone diagonal.

use gradus::check::Verdict;
use gradus::{CategoricalCrossEntropy, Softmax, one_hot};
use lab::Lab;
use ndarray::array;

use crate::args::Args;
use crate::routes::{self, composed, confident, loss_from_logits, softmax_fused};
use crate::trained::{Task, Units, both_ways, diagonal_errors};
use crate::wrong::{DiagonalSoftmax, PaddedCrossEntropy};
use crate::{figures, measure, tables};

/// Section 1 again: what ε does to the gradient.
pub fn vanishing(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    lab.section("vanishing", "9. The gradient that is not there")?;
    lab.say(
        "The slope of the loss at the logit of the true class, as the wrong class gets ahead. It\n\
         should go to −1: the more wrong, the clearer the order to change.\n",
    );
    lab.table(&tables::vanishing(&[0.0, 10.0, 30.0, 36.0, 40.0, 50.0, 100.0, 700.0, 800.0]));
    let arrival = routes::Arrival::of(args.margin);
    lab.say(format!(
        "\nWith ε = {:.1e} the slope is half gone at 36 logits. Without ε it is right until 1/p\n\
         overflows, at 710; what follows is infinite, then NaN. ŷ − y divides by nothing.\n\n\
         The sample we began with is {} logits behind. Steps until its true class is ahead: {}\n\
         by ŷ − y, {} with ε. Treated as a curve, the descent takes (z + 1 + ε eᶻ)/2 steps from\n\
         z logits behind, which is {:.0}.",
        f64::EPSILON,
        args.margin,
        arrival.right,
        arrival.padded,
        arrival.predicted,
    ));
    arrival.record(lab);
    let single = routes::predicted_steps(30.0, f64::from(f32::EPSILON));
    lab.near("steps_predicted_f32_30", single, 1e-9);
    figures::vanishing(lab)
}

/// What finds the ε, and what it costs: the same points in two units.
pub fn units(args: &Args, lab: &mut Lab) -> lab::Result<()> {
    lab.section("units", "10. Metres and millimetres")?;
    let (z, y) = confident(args.margin);
    let d_z = composed(&PaddedCrossEntropy, &Softmax, &z, &y);
    let own = measure::verdict(&PaddedCrossEntropy, &Softmax, &z, &y, &d_z)?;
    let other = measure::verdict_on(|z| loss_from_logits(z, &y), &z, &d_z)?;
    lab.say(format!(
        "The gradient with ε, {} logits behind, checked against the loss that has the same ε:\n\n  \
         {}\n\n\
         and against the loss from logits:\n\n  {}\n",
        args.margin,
        in_short(&own),
        in_short(&other)
    ));
    lab.exact("padded_passes_on_its_own_loss", i32::from(own.passed));
    lab.near("padded_error", other.error, 1e-3);
    let units = [
        Units::of("metres", 1.0, 0.05, args.common.seed)?,
        Units::of("millimetres", 1000.0, 5e-6, args.common.seed)?,
    ];
    lab.say(
        "Three clusters of points, one layer of weights, 50 epochs from 20 starts: accuracy on\n\
         3000 fresh samples.\n",
    );
    lab.table(&tables::units(&units));
    lab.say(
        "\nWhere the inputs are about 1, ε changes nothing. In millimetres the first logits are\n\
         hundreds apart, and a start that is wrong stays wrong.",
    );
    units.iter().for_each(|units| units.record(lab));
    Ok(())
}

/// A published softmax that goes back through its diagonal alone, and the check that tells.
pub fn diagonal(seed: u64, lab: &mut Lab) -> lab::Result<()> {
    lab.section("diagonal", "11. Only the diagonal")?;
    let (z, y) = (array![[1.0, 0.0, -1.0]], one_hot(&[1], 3)?);
    let kept = composed(&CategoricalCrossEntropy, &DiagonalSoftmax, &z, &y);
    let verdict = measure::verdict(&CategoricalCrossEntropy, &Softmax, &z, &y, &kept)?;
    lab.say(format!(
        "Another tutorial treats softmax as if it were elementwise, and multiplies by ŷ (1 − ŷ),\n\
         the diagonal of its Jacobian. For one sample of class 1:\n\n  \
         ŷ − y         {}\n  \
         the diagonal  {}\n\n\
         The true class is told to rise, as it should. No other is told to fall. The check says\n\n  \
         {}\n",
        tables::row(softmax_fused(&z, &y).row(0)),
        tables::row(kept.row(0)),
        in_short(&verdict),
    ));
    lab.near("diagonal_worst_error", verdict.error, 1e-9);
    let errors = diagonal_errors(seed)?;
    lab.say("Over 100 small networks, ‖wrong − right‖ / (‖wrong‖ + ‖right‖) is on average\n");
    lab.table(&tables::diagonal_errors(&errors));
    lab.say("\nThe last line is that tutorial's whole gradient: it divides by n twice.");
    errors.iter().for_each(|error| lab.near(error.name, error.mean, 1e-6));
    Ok(())
}

/// Why nobody noticed: it learns, as long as nothing lies behind the last layer.
pub fn unnoticed(seed: u64, lab: &mut Lab) -> lab::Result<()> {
    lab.section("unnoticed", "12. How nobody noticed")?;
    let epochs = 200;
    lab.say(format!(
        "Two tasks with three classes, {epochs} epochs each, with the whole Jacobian and with its\n\
         diagonal: accuracy on 3000 fresh samples, and the mean of their logits.\n"
    ));
    let clusters = both_ways(Task::Clusters, epochs, seed, lab)?;
    let spirals = both_ways(Task::Spirals, epochs, seed, lab)?;
    lab.table(&tables::both_ways(&[&clusters, &spirals]));
    lab.say(format!(
        "\nOn clusters both learn, and one of them lets its logits climb. On spirals, with the\n\
         diagonal, {:.0} % of the hidden outputs end within 0.01 of ±1, where tanh is flat (with the\n\
         whole Jacobian {:.0} %), and the network guesses.",
        100.0 * spirals.diagonal.saturated,
        100.0 * spirals.whole.saturated,
    ));
    [&clusters, &spirals].into_iter().for_each(|both| both.record(lab));
    figures::diagonal(lab, &clusters, &spirals)
}

/// A verdict without the digits that are rounding.
fn in_short(verdict: &Verdict) -> String {
    let Verdict { passed, derived, measured, .. } = verdict;
    let word = if *passed { "passed" } else { "FAILED" };
    format!("{word}: in the worst entry derived {derived:.1e}, measured {measured:.1e}")
}

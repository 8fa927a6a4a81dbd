//! The second half of the chapter: how derivatives are checked, and what a check finds.

use gradus::check::Check;
use gradus::{Activation, OutputActivation, Relu, Softmax};
use lab::text::number;
use lab::{Lab, Result, Table};
use ndarray::{Array2, Axis, array};

use crate::arguments::Args;
use crate::differences::{self, Errors, Expected};
use crate::measure::{self, generator, off_the_corner};
use crate::published::{HiddenLayer, ReluWithSlopeOne, softmax_by_batch_maximum};
use crate::text::{self, list, size};
use crate::{figures, seven};

/// How small the step of a difference should be.
pub fn the_step_of_a_difference(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("steps", "How small a step?")?;
    lab.section_near(0.8); // the largest of a hundred rounding errors
    let expected = Expected::new(args.at);
    let mut rng = generator(args.common.seed, 2);
    let forward = Errors::measure(differences::forward, args.at, &mut rng);
    let central = Errors::measure(differences::central, args.at, &mut rng);
    let (h_forward, h_central) = (expected.best_forward(), expected.best_central());
    let least = [expected.forward(h_forward), expected.central(h_central)];
    let rows = [
        ("√ε and ∛ε", "rule_of_thumb", [f64::EPSILON.sqrt(), Check::default().step], 1e-9),
        ("best step, expected", "expected_step", [h_forward, h_central], 1e-9),
        ("best step, measured", "measured_step", [forward.best().0, central.best().0], 0.8),
        ("error there, expected", "expected_error", least, 1e-9),
        ("error there, measured", "measured_error", [forward.best().1, central.best().1], 0.8),
    ];
    let mut table = Table::new(&["", "forward", "central"]);
    for (meaning, name, [forward, central], tolerance) in rows {
        table = table.row([meaning.to_owned(), size(forward), size(central)]);
        lab.near(&format!("forward_{name}"), forward, tolerance * forward);
        lab.near(&format!("central_{name}"), central, tolerance * central);
    }
    lab.say(format!("The slope of the sigmoid at {}, from differences of its values:\n", args.at));
    lab.table(&table);
    let gain = forward.best().1 / central.best().1;
    lab.say(format!(
        "\nA large step errs because the curve bends. A small step errs because it takes two values\n\
         from each other that agree in almost all their digits. The best step lies between, and\n\
         there a central difference is {gain:.0} times as accurate as a forward one."
    ));
    lab.near("central_gain", gain, 0.8);
    figures::steps(lab, &forward, &central, &expected, args.at)
}

/// A gradient check of everything so far.
pub fn every_derivative(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("check", "Every derivative, checked")?;
    lab.section_near(1.0); // the last bits decide which point fits least
    let mut rng = generator(args.common.seed, 3);
    let mut table = Table::new(&["", "derived", "measured", "relative error", "verdict"]);
    for (name, f) in &seven()? {
        let verdict = measure::check(&**f, &off_the_corner(100, 6.0, &mut rng))?;
        table.push([&[(*name).to_owned()], &text::verdict(&verdict)[..]].concat());
        lab.near(&format!("check_{}", f.name()), verdict.error, 1e-5);
    }
    let verdict = measure::check_softmax(40, 5, &mut rng)?;
    table.push([&["softmax".to_owned()], &text::verdict(&verdict)[..]].concat());
    lab.near("check_softmax", verdict.error, 1e-5);
    let Check { relative, absolute, .. } = Check::default();
    lab.say(
        "Each function at a hundred random points of both signs, softmax at forty random rows: what\n\
         was derived, against central differences. Of each, the point that fits least:\n",
    );
    lab.table(&table);
    lab.say(format!(
        "\nA derivative passes if it is off by no more than {relative:.0e} of the larger of the two, plus\n\
         {absolute:.0e}: where both are nearly 0, a relative error means little.",
    ));
    Ok(())
}

/// Where a check fails although nothing is wrong.
pub fn the_corner(lab: &mut Lab) -> Result<()> {
    lab.section("corner", "Where a check is wrong itself")?;
    let mut table = Table::new(&["z", "derived", "measured", "relative error", "verdict"]);
    for z in [1e-2, 1e-4, 1e-5, 1e-6, 0.0, -1e-6, -1e-5] {
        let derived = array![Relu.derivative(z)];
        let verdict = Check::default().gradient(|z| Relu.value(z[0]), &array![z], &derived)?;
        let shown = if z == 0.0 { "0".into() } else { format!("{z:e}") };
        table.push([&[shown], &text::verdict(&verdict)[..]].concat());
    }
    lab.say("The derivative of ReLU, close to its corner:\n");
    lab.table(&table);
    lab.say(format!(
        "\nWithin the step of {} around the corner, one of the two values comes from the other\n\
         branch. At 0 itself a central difference says 1/2; we chose 0. A check that fails with a\n\
         measured slope between the two true ones is asking about a corner.",
        size(Check::default().step)
    ));
    Ok(())
}

/// A published bug: ReLU with the derivative 1 everywhere.
pub fn a_slope_of_one(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("relu_bug", "A published bug: a slope of one")?;
    lab.section_near(0.01); // one entry is shown, and the last bits decide which
    let layer = HiddenLayer::new(&mut generator(args.common.seed, 4));
    let positive = layer.positive();
    let cases: [(&str, &str, &HiddenLayer, &dyn Activation<f64>); 3] = [
        ("ReLU′ as derived", "right", &layer, &Relu),
        ("ReLU′ = 1", "published", &layer, &ReluWithSlopeOne),
        ("ReLU′ = 1, nothing negative", "positive", &positive, &ReluWithSlopeOne),
    ];
    let mut table = Table::new(&["", "derived", "measured", "worst entry", "verdict", "gradient"]);
    for (meaning, name, layer, hidden) in cases {
        let verdict = layer.check(hidden)?;
        let apart = measure::distance(&layer.gradient(hidden), &layer.gradient(&Relu));
        let cells =
            [&[meaning.to_owned()], &text::verdict(&verdict)[..], &[number(apart)]].concat();
        table.push(cells);
        lab.near(&format!("relu_{name}_worst"), verdict.error, 1e-6);
        lab.near(&format!("relu_{name}_gradient"), apart, 1e-9);
    }
    lab.say(
        "A hidden layer, differentiated by its weights. Under \"worst entry\" is the largest relative\n\
         error of an entry, under \"gradient\" the distance of the whole from the gradient with the\n\
         right slope, ‖a − b‖ / (‖a‖ + ‖b‖).\n",
    );
    lab.table(&table);
    let seed = args.common.seed;
    let right = measure::train(Relu, seed, lab)?;
    let published = measure::train(ReluWithSlopeOne, seed, lab)?;
    lab.say(format!(
        "\nThe check finds it, unless no hidden unit is ever negative: then the wrong slope is the\n\
         right one. What it costs: the same network, trained on three spirals with each slope,\n\
         classifies {:.1} % of new points right with the derived one, and {:.1} % with the published\n\
         one. A guess would be right in 33.3 %: it does learn, and so nobody noticed.",
        100.0 * right.accuracy,
        100.0 * published.accuracy,
    ));
    for (name, trained) in [("right", &right), ("published", &published)] {
        let last = trained.loss.last().copied().unwrap_or(f64::NAN);
        lab.near(&format!("relu_{name}_loss"), last, 0.2);
    }
    lab.near("relu_right_accuracy", right.accuracy, 0.03);
    lab.near("relu_published_accuracy", published.accuracy, 0.1);
    figures::losses(lab, &right, &published)
}

/// A published bug: softmax shifted by the largest input of the batch.
pub fn one_maximum_for_all(lab: &mut Lab) -> Result<()> {
    lab.section("batch_maximum", "A published bug: one maximum for all")?;
    let row = array![1.0, 2.0, 3.0];
    let right = Softmax.apply(&row.view().insert_axis(Axis(0)));
    lab.say(format!("The softmax of (1, 2, 3) is {}.", list(&right, 4)));
    lab.say("Now a second sample shares the batch, and the maximum is taken over both:\n");
    let mut table = Table::new(&["largest input of the other", "in f64", "in f32"]);
    for other in [3.0, 50.0, 103.0, 107.0, 700.0, 745.0, 747.0, 750.0] {
        let batch = array![[1.0, 2.0, 3.0], [0.0, 0.0, other]];
        let double = softmax_by_batch_maximum(&batch);
        let single = softmax_by_batch_maximum(&batch.mapv(|z| z as f32)).mapv(f64::from);
        for (kind, s) in [("f64", double[[0, 0]]), ("f32", single[[0, 0]])] {
            if s.is_finite() {
                // What is left of it consists of a few of the smallest numbers.
                lab.near(&format!("batch_maximum_{other}_{kind}"), s, 0.05);
            }
        }
        let shown = |s: &Array2<f64>| list(s.row(0), 4);
        table = table.row([other.to_string(), shown(&double), shown(&single)]);
    }
    lab.table(&table);
    let failure = [measure::nan_gap::<f32>(), measure::nan_gap::<f64>()];
    lab.say(format!(
        "\nEverything in the row becomes e to the power of a large negative number, and at last 0: 0\n\
         divided by 0 is not a number. In f32 that takes an input {} above the row's own largest,\n\
         in f64 one {} above. Shortly before, the digits go, and nothing tells: the row still\n\
         sums to 1.",
        failure[0], failure[1],
    ));
    lab.exact("batch_maximum_nan_gap_f32", failure[0]);
    lab.exact("batch_maximum_nan_gap_f64", failure[1]);
    Ok(())
}

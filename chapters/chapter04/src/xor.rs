//! Exclusive or: the smallest problem that needs a hidden layer.

use gradus::{BinaryCrossEntropy, Elementwise, Identity, Init, Network, Sigmoid, toy};
use lab::{Lab, Lines, Result, Table};

use crate::arguments::{Args, Hidden, yes_or_no};
use crate::figures::epochs;
use crate::problems::{Curve, learn};
use lab::text::number;

/// How many seeds are tried, and how many units.
const SEEDS: u64 = 50;
const UNITS: [usize; 5] = [2, 3, 4, 8, 16];

/// One network that cannot, one that can, and how often small ones do.
pub fn exclusive_or(args: &Args, lab: &mut Lab) -> Result<Curve> {
    lab.section("xor", "Exclusive or")?;
    let samples = toy::xor();
    let fit = args.fit(500, 4);
    let mut line = yes_or_no(&[2, 1], 0.1, Identity, Init::GlorotNormal, args.seed())?;
    let line_history = learn(lab, "no hidden layer", &mut line, &samples, None, &fit)?;
    let sizes = [2, args.hidden, 1];
    let mut network = args.network(&sizes, Elementwise(Sigmoid), BinaryCrossEntropy, 0.1)?;
    let history = learn(lab, "XOR", &mut network, &samples, None, &fit)?;

    let (without, with) = (line.predict(samples.x())?, network.predict(samples.x())?);
    let hidden = format!("{} {} units", args.hidden, args.activation.name());
    let mut table = Table::new(&["x₁ x₂", "y", "no hidden layer", &hidden]);
    for (i, x) in samples.x().rows().into_iter().enumerate() {
        let numbers =
            [samples.y()[[i, 0]].to_string(), number(without[[i, 0]]), number(with[[i, 0]])];
        table.push([vec![format!("{}  {}", x[0], x[1])], numbers.into()].concat());
    }
    let losses = [&line_history, &history].map(|h| h.loss[fit.epochs - 1]);
    table.push(vec!["loss".into(), String::new(), number(losses[0]), number(losses[1])]);
    lab.say(format!("The output ŷ for the four cases, after {} epochs.", fit.epochs));
    lab.table(&table);
    lab.say(
        "No straight line has the two ones on one side. The best that a network without a hidden layer\n\
         can do is one half for all four, at a loss of ln 2 = 0.6931.",
    );
    lab.near("xor_line_loss", losses[0], 1e-6);
    lab.near("xor_loss", losses[1], 1e-6);
    lab.exact("xor_right", 4.0 * network.score(&samples)?.accuracy().ok_or("XOR has classes")?);
    over_seeds(args, lab)?;
    let validation = None;
    Ok(Curve { name: "XOR", key: "xor", loss: history.loss, validation, floor: None })
}

/// How often it works, and where it ends when it does not.
fn over_seeds(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("xor_seeds", "How often that works")?;
    let fit = args.fit(500, 4);
    let header =
        ["hidden units", "solved", "½ ln 2 = 0.347", "¾ H(⅓) = 0.477", "ln 2 = 0.693", "elsewhere"];
    let mut table = Table::new(&header);
    let mut lines = Lines::new("epoch", "loss");
    for (hidden, key) in [(Hidden::Tanh, "tanh"), (Hidden::Relu, "relu")] {
        for units in UNITS {
            let mut counts = [0_usize; 5];
            for seed in 0..SEEDS {
                let mut network =
                    yes_or_no(&[2, units, 1], 0.1, hidden.activation(), hidden.init(), seed)?;
                let history = learn(lab, "XOR", &mut network, &toy::xor(), None, &fit)?;
                let solved = network.score(&toy::xor())?.accuracy() == Some(1.0);
                counts[if solved { 0 } else { plateau(history.loss[fit.epochs - 1]) }] += 1;
                if (key, units) == ("tanh", 2) && seed < 6 {
                    lines = lines.series(&format!("seed {seed}"), epochs(fit.epochs), history.loss);
                }
            }
            let cells =
                counts.iter().skip(1).map(|&n| if n == 0 { "–".into() } else { n.to_string() });
            let name = format!("{units} {}", hidden.name());
            let solved = format!("{} of {SEEDS}", counts[0]);
            table.push([vec![name, solved], cells.collect()].concat());
            lab.near(&format!("xor_{key}_{units}_solved"), counts[0] as f64, 0.02);
        }
    }
    lab.say(format!(
        "{SEEDS} seeds each, {} epochs; a failure is counted by the loss it ends at.",
        fit.epochs
    ));
    lab.table(&table);
    lab.say(
        "Two units are enough on paper. From a random start they often end in a place where the gradient\n\
         is nearly zero and the answer wrong: at ½ ln 2 two cases cannot be told apart and get one half\n\
         each, at ¾ H(⅓) three cases share one answer (H is the entropy of one against two), at ln 2 all\n\
         four do. More units than needed are more chances to start well.",
    );
    lab.figure(
        "xor",
        "Loss on the four cases of XOR by epoch: 2-2-1 networks with tanh, seeds 0 to 5. Rate 0.1, \
         momentum 0.9.",
        "Six curves that begin near 0.7. Four fall to nearly 0, one of them only after 150 epochs near 0.69; \
         two come down to the dotted line at half of ln 2 and stay there.",
        &lines.horizontal("½ ln 2", 0.5 * std::f64::consts::LN_2).y_range(0.0, 1.0),
    )
}

/// Which of the known places a loss is at: 1 to 3, or 4 for none of them.
fn plateau(loss: f64) -> usize {
    let third = 1.0 / 3.0_f64;
    let entropy = -third * third.ln() - (1.0 - third) * (1.0 - third).ln();
    let places = [0.5 * 2.0_f64.ln(), 0.75 * entropy, 2.0_f64.ln()];
    places.iter().position(|place| (loss - place).abs() < 0.01).map_or(4, |place| place + 1)
}

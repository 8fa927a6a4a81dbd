//! Forward and backward, and the gradient check of the whole.

use gradus::check::{Check, Verdict};
use gradus::random::Random;
use gradus::{
    Activation, BinaryCrossEntropy, CategoricalCrossEntropy, Elementwise, Gelu, GradientDescent,
    Identity, Init, Loss, MeanSquaredError, Model, Network, NeuralNetwork, OutputActivation, Relu,
    Share, Sigmoid, Softmax, Softplus, SparseCategoricalCrossEntropy, Tanh, one_hot, toy,
};
use lab::{Lab, Result, Table};
use ndarray::{Array1, Array2, ArrayRef1, s};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::arguments::{Args, normal, yes_or_no};
use crate::problems::learn;
use crate::text::{percent, shape, size, sizes};
use crate::variance::backward;
use crate::wrong::SlopeAtOutput;
use lab::text::{number, passed};

/// The shapes of one pass in both directions.
pub fn forward_and_back(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("shapes", "Forward, and back")?;
    let batch = toy::moons(32, 0.15, args.seed())?;
    let layers = [2, args.hidden, args.hidden, 1];
    let network = args.network(&layers, Elementwise(Sigmoid), BinaryCrossEntropy, 0.1)?;
    let trace = backward(&network, batch.x(), batch.y());
    let mut table =
        Table::new(&["layer", "enters: a", "W", "b", "z and ∂L/∂z", "∂L/∂W = aᵀ ∂L/∂z"]);
    for i in 0..3 {
        let a = if i == 0 { batch.x() } else { &trace.a[i - 1] };
        let d_weights = a.t().dot(&trace.d_z[i]);
        table.push(vec![
            i.to_string(),
            shape(a.shape()),
            shape(network.weights(i).shape()),
            shape(network.biases(i).shape()),
            shape(trace.d_z[i].shape()),
            shape(d_weights.shape()),
        ]);
    }
    lab.say(format!("A batch of 32 moons passes a network of sizes {}.", sizes(&layers)));
    lab.table(&table);
    lab.say("What comes back through a layer has the shape of what went into it.");
    lab.exact("shapes_parameters", network.params().len());
    Ok(())
}

/// A network, a batch for it, and how they are described.
struct Case {
    hidden: &'static str,
    output: &'static str,
    network: NeuralNetwork<f64>,
    x: Array2<f64>,
    y: Array2<f64>,
}

impl Case {
    /// The derived gradient against differences of the loss: of every coordinate, or along 20
    /// random directions.
    fn check(&mut self, directions: Option<&mut ChaCha8Rng>) -> Result<Verdict> {
        let Case { network, x, y, .. } = self;
        let (_, derived) = network.loss_and_gradient(x, y)?;
        let at = network.params().clone();
        let loss = |theta: &ArrayRef1<f64>| {
            let moved = network.set_params(theta).and_then(|()| network.loss_and_gradient(x, y));
            moved.map_or(f64::NAN, |(loss, _)| loss)
        };
        let verdict = match directions {
            None => Check::default().gradient(loss, &at, &derived)?,
            Some(rng) => Check::default().directions(loss, &at, &derived, 20, rng)?,
        };
        network.set_params(&at)?;
        Ok(verdict)
    }
}

/// Every kind of layer, output and loss, against finite differences.
pub fn the_whole_gradient(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("gradient_check", "The gradient of the whole network")?;
    lab.say(
        "Each parameter is moved a little to both sides, and the slope of the loss compared with what\n\
         the backward pass says. Passed: they agree to 1e-6 of the larger one, or to 1e-8.",
    );
    let header = ["network", "hidden", "output, loss", "parameters", "relative error", "verdict"];
    let mut table = Table::new(&header);
    let mut rng = Random::new(args.seed(), 10).generator();
    let mut worst = 0.0_f64;
    let mut cases = cases(&mut rng)?;
    let (count, last) = (cases.len(), cases.len() - 1);
    for (i, case) in cases.iter_mut().enumerate() {
        let verdict = case.check(if i == last { Some(&mut rng) } else { None })?;
        table.push(vec![
            sizes(case.network.sizes()),
            case.hidden.into(),
            case.output.into(),
            case.network.params().len().to_string(),
            size(verdict.error),
            passed(verdict.passed).into(),
        ]);
        worst = worst.max(verdict.error);
    }
    lab.table(&table);
    lab.say(
        "The error is that of the parameter that fits least. The last network has too many of them to\n\
         try each one: its loss is compared along 20 random directions, and each of those sees all\n\
         parameters at once.",
    );
    lab.exact("gradient_check_networks", count);
    lab.near("gradient_check_worst", worst, 1e-6);
    lab.exact("gradient_check_large_parameters", cases[last].network.params().len());
    Ok(())
}

/// One network for each kind of part; the large one comes last.
fn cases(rng: &mut ChaCha8Rng) -> Result<Vec<Case>> {
    let yes_or_no = || (Elementwise(Sigmoid), BinaryCrossEntropy);
    let classes = || (Softmax, CategoricalCrossEntropy);
    let mut bits = Array2::from_shape_simple_fn((7, 1), || f64::from(rng.random_range(0..2_u8)));
    let (x1, x2) = (normal((7, 2), rng), normal((7, 3), rng));
    let (x3, y3) = (normal((7, 1), rng), normal((7, 2), rng));
    let labels: Vec<usize> = (0..7).map(|_| rng.random_range(0..3)).collect();
    let one_hot_rows = one_hot(&labels, 3)?;
    let label_column = Array2::from_shape_fn((7, 1), |(i, _)| labels[i] as f64);
    bits[[0, 0]] = 1.0;

    let (output, loss) = yes_or_no();
    let mut all =
        vec![case("tanh", "sigmoid, fused", &[2, 8, 1], Tanh, output, loss, (&x1, &bits))?];
    let (output, loss) = classes();
    let samples = (&x2, &one_hot_rows);
    all.push(case("ReLU", "softmax, fused", &[3, 9, 6, 3], Relu, output, loss, samples)?);
    let (output, loss) = classes();
    let composed = case("ReLU", "softmax, Jacobian", &[3, 9, 6, 3], Relu, output, loss, samples)?;
    all.push(Case { network: composed.network.composed(), ..composed });
    let sparse = SparseCategoricalCrossEntropy;
    let samples = (&x2, &label_column);
    all.push(case(
        "sigmoid",
        "softmax, labels",
        &[3, 5, 6, 7, 3],
        Sigmoid,
        Softmax,
        sparse,
        samples,
    )?);
    let (output, loss) = (Elementwise(Identity), MeanSquaredError);
    all.push(case("GELU", "identity, squares", &[1, 12, 12, 2], Gelu, output, loss, (&x3, &y3))?);
    let (output, loss) = (Elementwise(Tanh), MeanSquaredError);
    all.push(case("softplus", "tanh, squares", &[1, 10, 2], Softplus, output, loss, (&x3, &y3))?);
    let (output, loss) = classes();
    all.push(case(
        "none",
        "softmax, fused",
        &[3, 3],
        Identity,
        output,
        loss,
        (&x2, &one_hot_rows),
    )?);

    let (images, digits) = (normal((5, 784), rng), one_hot(&[3, 1, 4, 1, 5], 10)?);
    let (output, loss) = classes();
    let samples = (&images, &digits);
    all.push(case("ReLU", "softmax, fused", &[784, 64, 10], Relu, output, loss, samples)?);
    Ok(all)
}

fn case(
    name: &'static str,
    output_name: &'static str,
    sizes: &[usize],
    hidden: impl Activation<f64> + 'static,
    output: impl OutputActivation<f64> + 'static,
    loss: impl Loss<f64> + 'static,
    (x, y): (&Array2<f64>, &Array2<f64>),
) -> Result<Case> {
    let optimizer = GradientDescent::new(0.1)?;
    // Lazar's, because it draws the biases too: at zero they would hide mistakes.
    let network = NeuralNetwork::new(sizes, hidden, output, loss, optimizer, Init::Lazar, 4)?;
    Ok(Case { hidden: name, output: output_name, network, x: x.clone(), y: y.clone() })
}

/// A mistake that only some networks show, and that hardly shows in training.
pub fn a_slope_at_the_wrong_place(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("wrong_slope", "A slope at the wrong place")?;
    lab.section_near(0.01); // one entry is shown, and the last bits decide which
    lab.say(
        "On the way back ∂L/∂a is multiplied by f′(z). A forward pass that keeps only a = f(z) invites\n\
         f′(a) instead. The check of a fresh network, and its accuracy on 2000 new samples after 100\n\
         epochs on the moons:",
    );
    let train = toy::moons(400, 0.15, args.seed())?;
    let test = toy::moons(2000, 0.15, args.test_seed())?;
    let batch =
        (train.x().slice(s![..16, ..]).to_owned(), train.y().slice(s![..16, ..]).to_owned());
    let header =
        ["hidden", "slope", "derived", "measured", "relative error", "verdict", "test accuracy"];
    let mut table = Table::new(&header);
    let mut row = |name: &'static str, slope: &'static str, network: NeuralNetwork<f64>| {
        let (x, y) = batch.clone();
        let mut case = Case { hidden: name, output: "sigmoid", network, x, y };
        let verdict = case.check(None)?;
        let fit = gradus::Fit { epochs: 100, seed: args.seed(), ..Default::default() };
        learn(lab, name, &mut case.network, &train, None, &fit)?;
        let accuracy = case.network.score(&test)?.accuracy().ok_or("moons have classes")?;
        let numbers = [number(verdict.derived), number(verdict.measured), size(verdict.error)];
        let ends = vec![passed(verdict.passed).into(), percent(accuracy)];
        table.push([vec![name.into(), slope.into()], numbers.into(), ends].concat());
        let right = if slope == "f′(z)" { "right" } else { "wrong" };
        let key = format!("{}_{right}", name.to_lowercase());
        lab.near(&format!("wrong_slope_{key}_accuracy"), accuracy, 1e-3);
        lab.exact(&format!("wrong_slope_{key}_passed"), u8::from(verdict.passed));
        lab.near(&format!("wrong_slope_{key}_error"), verdict.error, 1e-6);
        Result::Ok(())
    };
    let sizes = [2, 16, 16, 1];
    row("tanh", "f′(z)", yes_or_no(&sizes, 0.1, Tanh, Init::GlorotNormal, args.seed())?)?;
    let wrong = SlopeAtOutput(Tanh);
    row("tanh", "f′(a)", yes_or_no(&sizes, 0.1, wrong, Init::GlorotNormal, args.seed())?)?;
    row("ReLU", "f′(z)", yes_or_no(&sizes, 0.1, Relu, Init::He, args.seed())?)?;
    row("ReLU", "f′(a)", yes_or_no(&sizes, 0.1, SlopeAtOutput(Relu), Init::He, args.seed())?)?;
    lab.table(&table);
    lab.say(
        "With tanh the wrong slope is positive, as the right one is: training finds its way downhill\n\
         all the same, and no accuracy gives it away. With ReLU nothing is wrong, as a is positive\n\
         exactly where z is: a check with one activation clears only that one.",
    );
    Ok(())
}

/// The gradient of a batch, computed in pieces.
pub fn shares_of_a_batch(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("shares", "A batch in pieces")?;
    let batch = toy::moons(32, 0.15, args.seed())?;
    let layers = [2, args.hidden, args.hidden, 1];
    let network = args.network(&layers, Elementwise(Sigmoid), BinaryCrossEntropy, 0.1)?;
    let (_, whole) = network.loss_and_gradient(batch.x(), batch.y())?;
    let mut table =
        Table::new(&["batch of 32 as", "largest difference", "relative to the largest entry"]);
    let largest = whole.fold(0.0, |max: f64, g| max.max(g.abs()));
    for pieces in [2, 3, 32] {
        let mut sum = Array1::<f64>::zeros(whole.len());
        for piece in 0..pieces {
            let first = 32 * piece / pieces;
            let rows = s![first..32 * (piece + 1) / pieces, ..];
            let mut part = Array1::zeros(whole.len());
            let (x, y) = (batch.x().slice(rows), batch.y().slice(rows));
            let share = Share { first, batch: 32 };
            network.gradient_into(&x, &y, share, &mut network.trace(x.nrows()), &mut part);
            sum += &part;
        }
        let difference = (&sum - &whole).fold(0.0, |max: f64, d| max.max(d.abs()));
        let name =
            if pieces == 32 { "32 single samples".into() } else { format!("{pieces} shares") };
        table.push(vec![name, size(difference), size(difference / largest)]);
        lab.near(&format!("shares_{pieces}_difference"), difference, 1e-12);
    }
    lab.say(
        "Each piece divides by 32, not by its own size, and the sum is the gradient of the batch.",
    );
    lab.table(&table);
    lab.say("What differs is rounding. That is how threads share a batch.");
    Ok(())
}

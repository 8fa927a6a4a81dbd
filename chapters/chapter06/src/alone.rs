//! Every layer alone.

use gradus::random::Random;
use gradus::{Activate, Dense, Elementwise, Flatten, Gelu, Init, Layer, Output, Relu, Shape};
use gradus::{Sigmoid, Softmax, Softplus, Tanh, layers};
use lab::text::{number, passed};
use lab::{Lab, Result, Table};
use ndarray::Array2;
use rand::rngs::ChaCha8Rng;

use crate::args::Args;
use crate::check_layer::{check_layer, parameter_count};
use crate::tools::{normal, short};
use crate::wrong::{self, Mistake, Wrong};

/// How many samples a layer is checked with.
const ROWS: usize = 4;

/// A layer, what it is called in the table and in the results, and what comes in.
type Named = (&'static str, &'static str, Shape, Box<dyn Layer<f64>>);

/// Layers by a random cotangent against finite differences.
pub fn one_layer_alone(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("check", "One layer alone")?;
    lab.section_near(1.0); // the rounding of differences
    let mut rng = Random::new(args.common.seed, 60).generator();
    let (three, image) = (Shape::Vector(3), Shape::image(2, 2, 3));
    let all: Vec<Named> = {
        let list = layers![
            Dense::new(5, Init::He)?,
            Dense::new(1, Init::He)?,
            Activate(Tanh),
            Activate(Sigmoid),
            Activate(Relu),
            Activate(Gelu),
            Activate(Softplus),
            Activate(Tanh),
            Output(Softmax),
            Output(Elementwise(Sigmoid)),
            Flatten,
        ];
        let names = [
            ("dense, 5 units", "dense_5"),
            ("dense, 1 unit", "dense_1"),
            ("tanh", "tanh"),
            ("sigmoid", "sigmoid"),
            ("ReLU", "relu"),
            ("GELU", "gelu"),
            ("softplus", "softplus"),
            ("tanh, of an image", "tanh_image"),
            ("softmax", "softmax"),
            ("sigmoid, as an output", "sigmoid_output"),
            ("flatten", "flatten"),
        ];
        let shape = |key: &str| if matches!(key, "tanh_image" | "flatten") { image } else { three };
        let named = names.into_iter().zip(list);
        named.map(|((name, key), layer)| (name, key, shape(key), layer)).collect()
    };
    let header = ["layer", "x", "θ", "compared", "worst relative error", "verdict"];
    let mut table = Table::new(&header);
    for (name, key, input, mut layer) in all {
        let verdict = with_random(&mut *layer, input, &mut rng)?;
        table.push(vec![
            name.into(),
            format!("({ROWS}, {})", input.len()),
            parameter_count(&*layer).to_string(),
            verdict.compared.to_string(),
            short(verdict.error),
            passed(verdict.passed).into(),
        ]);
        lab.near(&format!("check_{key}"), verdict.error, 1e-5);
        if !verdict.passed {
            return Err(format!("{name}: {verdict}").into());
        }
    }
    lab.say(format!(
        "Each layer alone, {ROWS} samples of normal numbers, a random cotangent c for ∂L/∂y; every entry\n\
         of ∂/∂x and ∂/∂θ against a central difference:\n",
    ));
    lab.table(&table);
    mistakes(lab, &mut rng)
}

/// A check with a random cotangent.
fn with_random(
    layer: &mut dyn Layer<f64>,
    input: Shape,
    rng: &mut ChaCha8Rng,
) -> Result<gradus::check::Verdict> {
    let output = layer.accept(input)?;
    let c = normal((ROWS, output.len()), rng);
    check_layer(layer, input, &c, rng)
}

/// Layers that are wrong, with a random cotangent and with one of ones.
fn mistakes(lab: &mut Lab, rng: &mut ChaCha8Rng) -> Result<()> {
    let softmax = |mistake| Wrong(Box::new(Output(Softmax)), mistake);
    let tanh = Wrong(Box::new(Activate(Tanh)), Mistake::SlopeAtOutput);
    let all = [
        (
            "dense: ∂L/∂y W, W not transposed",
            "transpose",
            wrong::dense(Mistake::WeightsNotTransposed)?,
        ),
        (
            "dense: (∂L/∂y)ᵀ x instead of xᵀ ∂L/∂y",
            "gradient",
            wrong::dense(Mistake::GradientTransposed)?,
        ),
        ("dense: ∂L/∂b of one sample", "biases", wrong::dense(Mistake::BiasesOfOneSample)?),
        ("tanh: slope at y instead of x", "slope", tanh),
        ("softmax: the diagonal alone", "diagonal", softmax(Mistake::DiagonalOnly)),
        ("softmax: ∂L/∂y minus its plain mean", "mean", softmax(Mistake::PlainMean)),
    ];
    let mut table = Table::new(&["what is wrong", "error", "random c", "error", "c = ones"]);
    for (name, key, mut layer) in all {
        let input = Shape::Vector(3);
        let random = with_random(&mut layer, input, rng)?;
        let ones = check_layer(&mut layer, input, &Array2::ones((ROWS, 3)), rng)?;
        let mut row = vec![name.to_owned()];
        for verdict in [random, ones] {
            row.push(if verdict.passed { "–".into() } else { number(verdict.error) });
            row.push(passed(verdict.passed).into());
        }
        table.push(row);
        lab.near(&format!("check_wrong_{key}"), random.error, 1e-4);
        lab.exact(&format!("check_wrong_{key}_found"), u8::from(!random.passed));
        lab.exact(&format!("check_wrong_{key}_found_by_ones"), u8::from(!ones.passed));
        if random.passed {
            return Err(format!("the check did not find what is wrong with {name}").into());
        }
    }
    lab.say("\nThe same check of layers that are wrong, all of them from 3 to 3:\n");
    lab.table(&table);
    lab.say(
        "\nThe outputs of softmax always sum to 1, so their sum has no gradient: with ones as the\n\
         cotangent, whatever takes the mean away looks right.",
    );
    Ok(())
}

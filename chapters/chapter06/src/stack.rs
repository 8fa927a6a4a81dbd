//! Layers in a row: what fits, where the parameters lie, and in which order to multiply.

use std::hint::black_box;
use std::time::Instant;

use gradus::random::Random;
use gradus::{
    Activate, Dense, Flatten, GradientDescent, Init, Layer, MeanSquaredError, Model, Network,
};
use gradus::{Output, Sequential, Shape, Share, Softmax, Tanh, layers};
use lab::text::thousands;
use lab::{Lab, Result, Table};
use ndarray::{Array1, Array2, Axis, s};

use crate::args::Args;
use crate::loops::{Start, tanh_network};
use crate::tools::{normal, sizes};

/// The network of the tutorial's MNIST run.
pub const SIZES: [usize; 4] = [784, 100, 50, 10];

/// Jacobians multiplied from the left and from the right.
pub fn from_the_left(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("order", "In which order to multiply")?;
    lab.section_machine();
    let network = tanh_network::<f64>(&SIZES, 0.1, Start::Glorot, args.common.seed)?;
    let mut rng = Random::new(args.common.seed, 62).generator();
    let x = normal((1, SIZES[0]), &mut rng) * 0.3;
    let passage = network.forward(&x)?;
    let d_y_hat = normal((1, SIZES[3]), &mut rng);
    // Wᵀ and the slopes of tanh, layer by layer: the Jacobians of one sample.
    let weights = |i: usize| {
        let params = network.layer_params(2 * i);
        let w = params.slice(s![..SIZES[i] * SIZES[i + 1]]);
        w.into_shape_with_order((SIZES[i], SIZES[i + 1])).expect("weights").to_owned()
    };
    let weights: Vec<Array2<f64>> = (0..3).map(weights).collect();
    let slopes = |i: usize| passage.y[2 * i].mapv(|z| 1.0 - z.tanh().powi(2)).row(0).to_owned();
    let slopes: Vec<Array1<f64>> = (0..3).map(slopes).collect();

    let left = || {
        let backwards = slopes.iter().zip(&weights).rev();
        backwards.fold(d_y_hat.clone(), |d_y, (slope, w)| (d_y * slope).dot(&w.t()))
    };
    let right = || {
        let column = |slope: &Array1<f64>| slope.clone().insert_axis(Axis(1));
        let first = &weights[0].t() * &column(&slopes[0]);
        let later = slopes.iter().zip(&weights).skip(1);
        let jacobian = later.fold(first, |j, (slope, w)| w.t().dot(&j) * column(slope));
        d_y_hat.dot(&jacobian)
    };
    let apart = (left() - right()).mapv(f64::abs).fold(0.0, |max: f64, &d| max.max(d));
    lab.near("order_difference", apart, 1e-12);

    let pairs = || SIZES.windows(2).map(|pair| (pair[0], pair[1]));
    // The slopes of an activation are a diagonal: one multiplication for each number that passes.
    let from_left: usize = pairs().map(|(inputs, units)| inputs * units).sum();
    let from_right = SIZES[0] * (SIZES[3] + pairs().skip(1).map(|(k, m)| k * m).sum::<usize>());
    let forward: usize = pairs().map(|(inputs, units)| inputs * units).sum();
    let p = network.params().len();

    let (time_left, time_right) = (median_time(left), median_time(right));
    let (mut trace, mut gradient) = (network.trace(1), Array1::zeros(p));
    let one = Share::whole(1);
    let time_forward = median_time(|| {
        network.predict_into(&x, &mut trace);
    });
    let time_both =
        median_time(|| network.gradient_into(&x, &d_y_hat, one, &mut trace, &mut gradient));
    let mut table = Table::new(&["∂L/∂x of one sample", "multiplications", "time in µs"]);
    let mut row = |name: &str, key: &str, count: usize, time: f64| {
        table.push(vec![name.into(), thousands(count), format!("{time:.0}")]);
        lab.exact(&format!("order_{key}"), count);
        lab.machine(&format!("order_{key}_time"), time, "µs");
    };
    row("from the left, vector times matrix", "left", from_left, time_left);
    row("from the right, matrix times matrix", "right", from_right, time_right);
    row("the forward pass, to compare", "forward", forward, time_forward);
    row("forward, back, and all of ∂L/∂θ", "both", 3 * forward - SIZES[0] * SIZES[1], time_both);
    row(
        "differences: a forward pass for each θ",
        "differences",
        p * forward,
        p as f64 * time_forward,
    );
    lab.say(format!(
        "Layers of {} units, tanh after each, one sample. Both orders multiply the same\n\
         Jacobians (counted are those of the dense layers: that of tanh is a diagonal, and costs one\n\
         multiplication for each number that passes):\n",
        sizes(&SIZES)
    ));
    lab.table(&table);
    let ratio = from_right as f64 / from_left as f64;
    lab.near("order_ratio", ratio, 1e-9);
    lab.machine("order_time_ratio", time_right / time_left, "");
    lab.say(format!(
        "\nThe results agree to rounding. From the right each product carries all {} columns of inputs\n\
         along: {ratio:.0} times as many multiplications. (The library does not ask for ∂L/∂x of the\n\
         first layer: the network's own way back computes two products per layer, and one in the\n\
         first. The time of the differences is that of one forward pass, times {}.)",
        SIZES[0],
        thousands(p),
    ));
    Ok(())
}

/// The median time of a call, in microseconds.
pub fn median_time<R>(mut f: impl FnMut() -> R) -> f64 {
    let mut times: Vec<f64> = (0..51)
        .map(|_| {
            let start = Instant::now();
            black_box(f());
            1e6 * start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[25]
}

/// A network in a row, layer by layer.
pub fn in_a_row(args: &Args, lab: &mut Lab) -> Result<()> {
    lab.section("sequential", "In a row")?;
    let network = tanh_network::<f32>(&SIZES, 0.1, Start::Uniform, args.common.seed)?;
    let header = ["layer", "in", "out", "parameters", "first place in θ"];
    let mut table = Table::new(&header);
    let mut input = network.input();
    for (i, layer) in network.layers().iter().enumerate() {
        let (output, range) = (network.output_shape(i), network.range(i));
        let place = if range.is_empty() { "–".into() } else { thousands(range.start) };
        table.push(vec![
            format!("{}  {}", i + 1, layer.name()),
            input.len().to_string(),
            output.len().to_string(),
            thousands(range.len()),
            place,
        ]);
        input = output;
    }
    let p = network.params().len();
    table.push(vec!["all".into(), String::new(), String::new(), thousands(p), String::new()]);
    lab.exact("sequential_parameters", p);
    lab.say(format!("The tutorial's network for MNIST, {}:\n", sizes(&SIZES)));
    lab.table(&table);
    misfits(lab)
}

/// Stacks that cannot be, and what is said of them.
fn misfits(lab: &mut Lab) -> Result<()> {
    lab.section("misfit", "Layers that do not fit")?;
    let dense = |units| Dense::new(units, Init::GlorotNormal);
    let image = Shape::image(28, 28, 1);
    let refused: Vec<(&str, gradus::Result<Sequential<f64>>)> = vec![
        ("28×28×1, dense 10", network(image, layers![dense(10)?])),
        ("28×28×1, tanh, dense 10", network(image, layers![Activate(Tanh), dense(10)?])),
        (
            "28×28×1, flatten, dense 10, softmax",
            network(image, layers![Flatten, dense(10)?, Output(Softmax)]),
        ),
        ("2×2×3, softmax", network(Shape::image(2, 2, 3), layers![Output(Softmax)])),
        ("784, tanh", network(Shape::Vector(784), layers![Activate(Tanh)])),
        ("0, dense 10", network(Shape::Vector(0), layers![dense(10)?])),
        ("784, dense 0", dense(0).and_then(|dense| network(Shape::Vector(784), layers![dense]))),
    ];
    lab.say("What `Sequential::new` says of a few networks, written as input and layers:\n");
    let mut count = 0;
    for (name, network) in &refused {
        let said = match network {
            Err(error) => {
                count += 1;
                format!("error: {error}")
            }
            Ok(network) => format!("fits: {} parameters", thousands(network.params().len())),
        };
        lab.say(format!("{name}\n    {said}"));
    }
    lab.exact("misfit_refused", count);
    if count + 1 != refused.len() {
        return Err("one of these networks fits, and the others do not".into());
    }
    let network = tanh_network::<f64>(&[4, 2], 0.1, Start::Glorot, 1)?;
    let said = network.loss_and_gradient(&Array2::zeros((5, 3)), &Array2::zeros((5, 2)));
    let said = said.map_or_else(|error| error.to_string(), |_| "nothing".into());
    lab.say(format!(
        "\nA network that takes 4 numbers, given a batch of 5 samples with 3:\n    {said}"
    ));
    Ok(())
}

fn network(input: Shape, layers: Vec<Box<dyn Layer<f64>>>) -> gradus::Result<Sequential<f64>> {
    Sequential::new(input, layers, MeanSquaredError, GradientDescent::new(0.1)?, 1)
}

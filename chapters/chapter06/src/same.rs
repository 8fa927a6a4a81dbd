//! The same network twice: layers in a row, and chapter 4's.

use gradus::{
    Activate, Activation, Adam, BinaryCrossEntropy, CategoricalCrossEntropy, Dense, Elementwise,
    Fit, Float, Gelu, GradientDescent, Identity, Init, Layer, Loss, MeanSquaredError, Momentum,
    Nesterov, Network, NeuralNetwork, Optimizer, Output, OutputActivation, Relu, Sequential, Shape,
    Sigmoid, Softmax, Source, Tanh, toy, train,
};
use lab::text::thousands;
use lab::{HeatMap, Lab, Result, Table};
use ndarray::{Array1, Array2, ArrayRef1};

use crate::args::Args;
use crate::digits::Digits;
use crate::tools::sizes as name_of;

/// For each place in the parameter vector of a `Sequential` of dense layers,
/// where chapter 4's network of these sizes keeps the same parameter.
pub fn permutation(sizes: &[usize]) -> Vec<usize> {
    let weights = |pair: &[usize]| pair[0] * pair[1];
    let (mut w, mut b) = (0, sizes.windows(2).map(weights).sum::<usize>());
    let mut places = Vec::new();
    for pair in sizes.windows(2) {
        places.extend(w..w + weights(pair));
        places.extend(b..b + pair[1]);
        (w, b) = (w + weights(pair), b + pair[1]);
    }
    places
}

/// The names of the parameters of dense layers, layer by layer.
fn names(sizes: &[usize]) -> Vec<String> {
    let layer = |(i, pair): (usize, &[usize])| {
        let (k, m) = (pair[0], pair[1]);
        let weights = (0..k * m).map(move |at| format!("W{i}[{}, {}]", at / m, at % m));
        weights.chain((0..m).map(move |j| format!("b{i}[{j}]"))).collect::<Vec<_>>()
    };
    sizes.windows(2).enumerate().flat_map(layer).collect()
}

/// Two orders of the same parameters, and the same numbers in both.
pub fn the_same_network(args: &Args, lab: &mut Lab, digits: &Digits) -> Result<()> {
    lab.section("same", "The same network in another order")?;
    let sizes = [2, 3, 1];
    let places = permutation(&sizes);
    let mut table = Table::new(&["parameter", "layer by layer", "chapter 4"]);
    for (here, (name, there)) in names(&sizes).iter().zip(&places).enumerate() {
        table.push(vec![name.clone(), here.to_string(), there.to_string()]);
    }
    lab.say("Where the 13 parameters of a 2-3-1 network lie in each of the two vectors:\n");
    lab.table(&table);
    figure(lab, &sizes)?;
    trained(args, lab, digits)
}

/// The permutation as a matrix.
fn figure(lab: &mut Lab, sizes: &[usize]) -> Result<()> {
    let (places, names) = (permutation(sizes), names(sizes));
    let mut matrix = Array2::zeros((names.len(), names.len()));
    let mut there = vec![String::new(); names.len()];
    for (here, (&place, name)) in places.iter().zip(&names).enumerate() {
        matrix[[here, place]] = 1.0;
        there[place].clone_from(name);
    }
    let map = HeatMap::new("in chapter 4's vector", "in a Sequential's vector", &matrix);
    lab.figure(
        "permutation",
        "The permutation matrix between the two parameter vectors of a 2-3-1 network: each row has \
         its one 1 in the column where chapter 4 keeps the same parameter.",
        "A grid of 13 by 13 cells with one coloured cell in each row and each column. The six \
         weights of the first layer lie on the diagonal. Its three biases lie further right, the \
         three weights of the second layer as much further left, and its bias ends the diagonal.",
        &map.labels(names, there),
    )
}

/// The layers of chapter 4's network: the hidden activation after each but the last.
fn layers<F: Float, A: Activation<F> + Clone + 'static>(
    sizes: &[usize],
    hidden: A,
    output: impl OutputActivation<F> + 'static,
    init: Init,
) -> gradus::Result<Vec<Box<dyn Layer<F>>>> {
    let mut layers: Vec<Box<dyn Layer<F>>> = Vec::new();
    for &units in &sizes[1..] {
        layers.push(Box::new(Dense::new(units, init)?));
        layers.push(Box::new(Activate(hidden.clone())));
    }
    layers.pop();
    layers.push(Box::new(Output(output)));
    Ok(layers)
}

/// How many entries of two vectors differ in a bit, the second one permuted.
fn differing<F: Float>(ours: &ArrayRef1<F>, theirs: &ArrayRef1<F>, places: &[usize]) -> usize {
    let bits = |x: F| x.as_f64().to_bits();
    places.iter().zip(ours).filter(|(place, x)| bits(**x) != bits(theirs[**place])).count()
}

/// What was compared: how much of it, and how much was different.
struct Comparison {
    epochs: usize,
    compared: usize,
    differing: usize,
    moved: bool,
}

/// Trains both from one seed, and compares at every step of the way that one can look at.
fn compare<F: Float>(
    ours: impl Fn() -> gradus::Result<Sequential<F>>,
    theirs: impl Fn() -> gradus::Result<NeuralNetwork<F>>,
    source: &dyn Source<F>,
    fit: &Fit,
) -> Result<Comparison> {
    let (mut ours, mut theirs) = (ours()?, theirs()?);
    let places = permutation(theirs.sizes());
    let rows: Vec<usize> = (0..source.len().min(64)).collect();
    let mut x = Array2::zeros((rows.len(), source.input_columns()));
    let mut y = Array2::zeros((rows.len(), source.target_columns()));
    source.gather(&rows, &mut x, &mut y);
    let (mut compared, mut different) = (0, 0);
    let mut look = |ours: &Sequential<F>, theirs: &NeuralNetwork<F>| -> Result<()> {
        let ((loss, gradient), (loss_4, gradient_4)) =
            (ours.loss_and_gradient(&x, &y)?, theirs.loss_and_gradient(&x, &y)?);
        let outputs: (Array2<F>, Array2<F>) = (ours.predict(&x)?, theirs.predict(&x)?);
        let same: Vec<usize> = (0..outputs.0.len()).collect();
        different += differing(&outputs.0.flatten(), &outputs.1.flatten(), &same);
        different += usize::from(loss.to_bits() != loss_4.to_bits());
        different += differing(&gradient, &gradient_4, &places);
        different += differing(ours.params(), theirs.params(), &places);
        compared += 1 + outputs.0.len() + 2 * places.len();
        Ok(())
    };
    look(&ours, &theirs)?;
    let start: Array1<F> = ours.params().clone();
    let losses = ours.fit(source, fit, None, &mut train::silent)?.loss;
    let losses_4 = theirs.fit(source, fit, None, &mut train::silent)?.loss;
    look(&ours, &theirs)?;
    let unequal = losses.iter().zip(&losses_4).filter(|(a, b)| a.to_bits() != b.to_bits());
    different += unequal.count();
    compared += losses.len();
    let moved = start.iter().zip(ours.params()).any(|(a, b)| a != b);
    Ok(Comparison { epochs: fit.epochs, compared, differing: different, moved })
}

/// A pair of networks made of the same parts, compared with one thread and with two.
#[allow(clippy::too_many_arguments)]
fn pair<F: Float, A: Activation<F> + Clone + 'static>(
    rows: &mut Vec<(String, usize, usize, Comparison)>,
    name: &str,
    sizes: &[usize],
    (hidden, init): (A, Init),
    output: impl OutputActivation<F> + Copy + 'static,
    loss: impl Loss<F> + Copy + 'static,
    optimizer: impl Optimizer<F> + Clone + 'static,
    (source, fit): (&dyn Source<F>, Fit),
) -> Result<()> {
    let seed = fit.seed;
    for threads in [1, 2] {
        let ours = || {
            let layers = layers(sizes, hidden.clone(), output, init)?;
            Sequential::new(Shape::Vector(sizes[0]), layers, loss, optimizer.clone(), seed)
        };
        let theirs = || {
            let optimizer = optimizer.clone();
            NeuralNetwork::new(sizes, hidden.clone(), output, loss, optimizer, init, seed)
        };
        let comparison = compare(ours, theirs, source, &Fit { threads, ..fit.clone() })?;
        let name = format!("{} {name}", name_of(sizes));
        let p = permutation(sizes).len();
        rows.push((name, p, threads, comparison));
    }
    Ok(())
}

/// Pairs of networks, before and after a training.
fn trained(args: &Args, lab: &mut Lab, digits: &Digits) -> Result<()> {
    let seed = args.common.seed;
    let fit = |epochs, batch_size| Fit { epochs, batch_size, seed, ..Fit::default() };
    let mut rows = Vec::new();
    let (normal, he) = (Init::GlorotNormal, Init::He);
    pair(
        &mut rows,
        "tanh, XOR, gradient descent",
        &[2, 3, 1],
        (Tanh, normal),
        Elementwise(Tanh),
        MeanSquaredError,
        GradientDescent::new(0.1)?,
        (&toy::xor::<f64>(), fit(1000, 1)),
    )?;
    pair(
        &mut rows,
        "tanh, moons, momentum",
        &[2, 16, 16, 1],
        (Tanh, normal),
        Elementwise(Sigmoid),
        BinaryCrossEntropy,
        Momentum::new(0.02, 0.9)?,
        (&toy::moons::<f64>(300, 0.15, seed)?, fit(50, 32)),
    )?;
    pair(
        &mut rows,
        "GELU, a sine, Nesterov",
        &[1, 16, 1],
        (Gelu, Init::Lazar),
        Elementwise(Identity),
        MeanSquaredError,
        Nesterov::new(0.02, 0.9)?,
        (&toy::sine::<f64>(100, 0.1, seed)?, fit(50, 7)),
    )?;
    pair(
        &mut rows,
        "ReLU, digits in f32, Adam",
        &[784, 32, 10],
        (Relu, he),
        Softmax,
        CategoricalCrossEntropy,
        Adam::new(0.001)?,
        (&digits.train, fit(3, 32)),
    )?;
    let header = ["network", "parameters", "threads", "epochs", "compared", "differ"];
    let mut table = Table::new(&header);
    let (mut all, mut different) = (0, 0);
    for (name, p, threads, comparison) in rows {
        let Comparison { epochs, compared, differing, moved } = comparison;
        if !moved {
            return Err(format!("{name}: nothing was learned").into());
        }
        let cells = [thousands(p), threads.to_string(), thousands(epochs), thousands(compared)];
        table.push([&[name][..], &cells, &[differing.to_string()]].concat());
        (all, different) = (all + compared, different + differing);
    }
    lab.say(
        "\nThe same parts, the same seed, one network of each kind. Compared, bit for bit, before and\n\
         after a training: loss, gradient, parameters (the two vectors permuted), outputs for up to\n\
         64 samples; and the loss of each epoch:\n",
    );
    lab.table(&table);
    lab.exact("same_compared", all);
    lab.exact("same_differ", different);
    if different > 0 {
        return Err("the two networks must not differ".into());
    }
    Ok(())
}

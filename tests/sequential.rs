//! Networks of layers: the same as chapter 4's where both can be built, whole in files, and with
//! errors that name the layer.

mod common;

use std::ops::ControlFlow;

use gradus::part::State;
use gradus::{
    Activate, BinaryCrossEntropy, CategoricalCrossEntropy, Dense, Elementwise, Event, Fit, Flatten,
    Init, Layer, LeakyRelu, Loss, MeanSquaredError, Mode, Momentum, Network, NeuralNetwork, Output,
    OutputActivation, Part, Pass, Registry, Samples, Sequential, Shape, Sigmoid, Softmax, Tanh,
    layers, toy, train,
};
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, array};

/// From the parameters of layers one after the other to those of chapter 4: all weights, then
/// all biases.
fn weights_first(params: &Array1<f64>, sizes: &[usize]) -> Array1<f64> {
    let (mut weights, mut biases, mut start) = (Vec::new(), Vec::new(), 0);
    for pair in sizes.windows(2) {
        let middle = start + pair[0] * pair[1];
        let end = middle + pair[1];
        weights.extend(params.iter().skip(start).take(middle - start));
        biases.extend(params.iter().skip(middle).take(end - middle));
        start = end;
    }
    weights.append(&mut biases);
    Array1::from(weights)
}

fn momentum() -> Momentum<f64> {
    Momentum::new(0.1, 0.9).unwrap()
}

fn dense(units: usize) -> Dense {
    Dense::new(units, Init::Lazar).unwrap()
}

/// Both networks, of sizes 2-5-4-m, from the same seed.
fn twins(
    output: impl OutputActivation<f64> + Clone + 'static,
    loss: impl Loss<f64> + Clone + 'static,
    m: usize,
) -> (Sequential<f64>, NeuralNetwork<f64>) {
    let layers = layers![
        dense(5),
        Activate(Tanh),
        dense(4),
        Activate(Tanh),
        dense(m),
        Output(output.clone())
    ];
    let layered = Sequential::new(Shape::Vector(2), layers, loss.clone(), momentum(), 7).unwrap();
    let sizes = [2, 5, 4, m];
    let plain = NeuralNetwork::new(&sizes, Tanh, output, loss, momentum(), Init::Lazar, 7).unwrap();
    (layered, plain)
}

/// Trains both, and compares everything that can be compared, bit by bit.
fn train_alike(mut layered: Sequential<f64>, mut plain: NeuralNetwork<f64>, data: &Samples<f64>) {
    let sizes = plain.sizes().to_vec();
    assert_ne!(*layered.params(), weights_first(layered.params(), &sizes), "another order");
    for threads in [1, 3] {
        assert_eq!(weights_first(layered.params(), &sizes), plain.params());
        let (loss, gradient) = layered.loss_and_gradient(data.x(), data.y()).unwrap();
        let (plain_loss, plain_gradient) = plain.loss_and_gradient(data.x(), data.y()).unwrap();
        assert_eq!(loss, plain_loss);
        assert_eq!(weights_first(&gradient, &sizes), plain_gradient);
        // 100 samples in batches of 32: the last has 4.
        let fit = Fit { batch_size: 32, epochs: 4, threads, ..Fit::default() };
        let history = layered.fit(data, &fit, Some(data), &mut train::silent).unwrap();
        assert_eq!(history, plain.fit(data, &fit, Some(data), &mut train::silent).unwrap());
        assert!(history.loss[3] < 0.9 * history.loss[0], "it learns: {:?}", history.loss);
    }
    assert_eq!(weights_first(layered.params(), &sizes), plain.params());
    assert_eq!(layered.predict(data.x()).unwrap(), plain.predict(data.x()).unwrap());
    assert_eq!(layered.score(data).unwrap(), plain.score(data).unwrap());
}

/// Moons whose two classes are one-hot rows.
fn one_hot_moons() -> Samples<f64> {
    let moons = toy::moons::<f64>(100, 0.1, 3).unwrap();
    let y = Array2::from_shape_fn((100, 2), |(i, j)| f64::from(moons.y()[[i, 0]] == j as f64));
    Samples::new(moons.x().clone(), y).unwrap()
}

#[test]
fn layers_train_exactly_as_the_network_of_chapter_4() {
    let moons = toy::moons(100, 0.1, 3).unwrap();
    // Fused, composed through the derivative, and composed through a whole Jacobian.
    let (layered, plain) = twins(Elementwise(Sigmoid), BinaryCrossEntropy, 1);
    train_alike(layered, plain, &moons);
    let (layered, plain) = twins(Elementwise(Tanh), MeanSquaredError, 1);
    train_alike(layered, plain, &moons);
    let (layered, plain) = twins(Softmax, CategoricalCrossEntropy, 2);
    train_alike(layered, plain, &one_hot_moons());
    let (layered, plain) = twins(Softmax, MeanSquaredError, 2);
    train_alike(layered, plain, &one_hot_moons());
}

#[test]
fn an_elementwise_activation_may_be_the_last_layer() {
    let moons = toy::moons(100, 0.1, 3).unwrap();
    let (_, plain) = twins(Elementwise(Sigmoid), BinaryCrossEntropy, 1);
    let layers =
        layers![dense(5), Activate(Tanh), dense(4), Activate(Tanh), dense(1), Activate(Sigmoid)];
    let input = Shape::Vector(2);
    let layered = Sequential::new(input, layers, BinaryCrossEntropy, momentum(), 7).unwrap();
    train_alike(layered, plain, &moons);
}

fn error(input: Shape, layers: Vec<Box<dyn Layer<f64>>>) -> String {
    Sequential::new(input, layers, MeanSquaredError, momentum(), 1).unwrap_err().to_string()
}

#[test]
fn layers_that_do_not_fit_are_named_with_both_shapes() {
    let image = Shape::image(28, 28, 3);
    assert_eq!(
        error(image, layers![Activate(Tanh), dense(10)]),
        "layer 2, \"dense\", takes a vector (see Flatten), but is given an image of 28×28×3"
    );
    assert_eq!(
        error(image, layers![Output(Softmax)]),
        "layer 1, \"softmax\", takes a vector, but is given an image of 28×28×3"
    );
    let huge = Shape::Vector(1 << 40);
    assert_eq!(
        error(huge, layers![dense(1 << 30)]),
        "layer 1, \"dense\", takes fewer features, so that its parameters fit in memory, but is \
         given a vector of 1099511627776"
    );
    assert_eq!(
        error(Shape::Vector(2), layers![dense(1 << 61)]),
        "layer 1, \"dense\", takes samples that fit in memory, but is given a vector of \
         2305843009213693952"
    );
    assert_eq!(
        error(Shape::Vector(2), layers![]),
        "the parameters of all layers must not be empty"
    );
    let empty = error(Shape::Vector(2), layers![Activate(Tanh)]);
    assert_eq!(empty, "the parameters of all layers must not be empty");
    let nothing = error(Shape::image(2, 0, 1), layers![Flatten, dense(1)]);
    assert_eq!(nothing, "the shape of a sample must not be empty");
    let none = Dense::new(0, Init::He).unwrap_err().to_string();
    assert_eq!(none, "the number of units must be at least 1, but is 0");
}

#[test]
fn samples_that_do_not_fit_are_refused() {
    let (mut network, _) = twins(Softmax, CategoricalCrossEntropy, 2);
    let message = network.predict(&array![[1.0, 2.0, 3.0]]).unwrap_err().to_string();
    assert_eq!(message, "a batch of inputs must have shape [1, 2], not [1, 3]");
    let message = network.predict(&array![[1.0, f64::NAN]]).unwrap_err().to_string();
    assert_eq!(message, "inputs must be finite, but row 0, column 1 is NaN");
    let moons = toy::moons(10, 0.1, 3).unwrap();
    let message = network.fit(&moons, &Fit::default(), None, &mut train::silent).unwrap_err();
    assert_eq!(message.to_string(), "a batch of targets must have shape [10, 2], not [10, 1]");
    let empty = network.loss_and_gradient(&Array2::zeros((0, 2)), &Array2::zeros((0, 2)));
    assert_eq!(empty.unwrap_err().to_string(), "the batch must not be empty");
    let short = network.set_params(&array![1.0]).unwrap_err().to_string();
    assert!(short.starts_with("the parameter vector must have shape ["), "{short}");
}

/// A layer from outside the crate, with a parameter and a setting: y = scale · θ · x.
#[derive(Debug)]
struct Scale {
    scale: f64,
    seen: f64,
}

impl Part<f64> for Scale {
    fn name(&self) -> &str {
        "scale"
    }

    fn state(&self) -> State<f64> {
        let state = State::default().with_number("scale", self.scale);
        state.with_vector("seen", array![self.seen])
    }

    fn restore(&mut self, mut state: State<f64>) -> gradus::Result<()> {
        self.scale = state.take_number("scale")?;
        self.seen = state.take_vector("seen")?[0];
        state.finish()
    }
}

impl Layer<f64> for Scale {
    fn accept(&mut self, input: Shape) -> gradus::Result<Shape> {
        Ok(input)
    }

    fn forward_into(
        &self,
        _: Mode,
        params: &ArrayRef1<f64>,
        x: &ArrayRef2<f64>,
        y: &mut ArrayRef2<f64>,
        kept: &mut ArrayRef1<f64>,
    ) {
        kept.fill(self.scale * params[0]);
        y.assign(&(x * kept[0]));
    }

    fn backward_into(
        &self,
        pass: &Pass<f64>,
        d_y: &ArrayRef2<f64>,
        d_x: Option<&mut ArrayRef2<f64>>,
        d_params: &mut ArrayRef1<f64>,
    ) {
        d_params[0] = self.scale * (&pass.x * &d_y.view()).sum();
        if let Some(d_x) = d_x {
            d_x.assign(&(d_y * pass.kept[0]));
        }
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<usize>)> {
        vec![("factor", vec![1])]
    }

    fn initialise(&self, params: &mut ArrayRef1<f64>, _: &mut rand::rngs::ChaCha8Rng) {
        params.fill(1.0);
    }

    fn room(&self, rows: usize) -> usize {
        rows
    }

    fn statistics(&self) -> usize {
        1
    }

    fn measure_into(&self, pass: &Pass<f64>, share: f64, found: &mut ArrayRef1<f64>) {
        found[0] = share * pass.x.mean().unwrap();
    }

    fn absorb(&mut self, found: &ArrayRef1<f64>) {
        self.seen += found[0];
    }
}

fn with_scale(seed: u64) -> Sequential<f64> {
    let layers = layers![
        Scale { scale: 2.0, seen: 0.0 },
        dense(4),
        Activate(LeakyRelu::new(0.2).unwrap()),
        Scale { scale: -0.5, seen: 0.0 },
        dense(2),
        Output(Softmax),
    ];
    Sequential::new(Shape::Vector(2), layers, CategoricalCrossEntropy, momentum(), seed).unwrap()
}

fn registry() -> Registry<f64> {
    let mut registry = Registry::default();
    registry.add_layer(|| Box::new(Scale { scale: 1.0, seen: 0.0 })).unwrap();
    registry
}

#[test]
fn a_layer_from_outside_is_trained_and_its_gradient_is_right() {
    let (data, mut network) = (one_hot_moons(), with_scale(3));
    let (_, gradient) = network.loss_and_gradient(data.x(), data.y()).unwrap();
    let theta = network.params().clone();
    for i in 0..theta.len() {
        let mut loss_at = |step: f64| {
            let mut moved = theta.clone();
            moved[i] += step;
            network.set_params(&moved).unwrap();
            network.loss_and_gradient(data.x(), data.y()).unwrap().0
        };
        let slope = (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6;
        assert!((slope - gradient[i]).abs() < 1e-8, "{i}: {slope} {}", gradient[i]);
    }
}

#[test]
fn what_layers_measure_is_the_same_for_any_number_of_threads() {
    let data = one_hot_moons();
    let seen = |threads| {
        let mut network = with_scale(3);
        let fit = Fit { batch_size: 32, epochs: 2, threads, ..Fit::default() };
        network.fit(&data, &fit, None, &mut train::silent).unwrap();
        network.layers()[0].state().vectors["seen"][0]
    };
    // Two epochs of four batches, of which the last has 4 samples: the sum of the batches' means.
    let whole = seen(1);
    assert!(whole.abs() > 0.1);
    assert!((seen(3) - whole).abs() < 1e-12);
}

#[test]
fn a_training_that_was_saved_goes_on_bit_for_bit() {
    let data = one_hot_moons();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let fit = Fit { batch_size: 32, epochs: 6, ..Fit::default() };
    let mut whole = with_scale(3);
    let history = whole.fit(&data, &fit, Some(&data), &mut train::silent).unwrap();

    let mut broken_off = with_scale(3);
    let mut batches = 0;
    let mut stop = |event: Event| {
        batches += usize::from(matches!(event, Event::Batch { .. }));
        if batches == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    broken_off.fit(&data, &fit, Some(&data), &mut stop).unwrap();
    broken_off.save(&path).unwrap();
    let mut resumed = Sequential::load_with(&path, &registry()).unwrap();
    assert_eq!(resumed.to_document().unwrap(), broken_off.to_document().unwrap());
    assert_eq!(resumed.resume(&data, 6, Some(&data), &mut train::silent).unwrap(), history);
    assert_eq!(resumed.to_document().unwrap(), whole.to_document().unwrap());
    assert_eq!(resumed.to_document().unwrap().to_bytes(), whole.to_document().unwrap().to_bytes());
}

#[test]
fn a_file_that_does_not_hold_such_a_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let (layered, plain) = twins(Softmax, CategoricalCrossEntropy, 2);
    let error = |result: gradus::Result<Sequential<f64>>| {
        let message = result.map(|_| ()).unwrap_err().to_string();
        message.replace(&path.display().to_string(), "FILE")
    };
    plain.save(&path).unwrap();
    assert_eq!(
        error(Sequential::load(&path)),
        "FILE has metadata that cannot be read: a \"neural_network\" is not a \"sequential\""
    );
    layered.save(&path).unwrap();
    let other = NeuralNetwork::<f64>::load(&path).unwrap_err().to_string();
    assert!(other.ends_with("a \"sequential\" is not a \"neural_network\""), "{other}");
    with_scale(1).save(&path).unwrap();
    let unknown = error(Sequential::load(&path));
    assert!(unknown.starts_with("no layer is called \"scale\"; known are "), "{unknown}");

    let whole = layered.to_document().unwrap();
    let edited = |edit: &dyn Fn(&mut gradus::persist::Document<f64>)| {
        let mut document = whole.clone();
        edit(&mut document);
        document.save(&path).unwrap();
        error(Sequential::load(&path))
    };
    let lacks = edited(&|d| drop(d.tensors.remove("layers.2.weights")));
    assert_eq!(lacks, "FILE lacks the tensor \"layers.2.weights\"");
    let extra = edited(&|d| drop(d.tensors.insert("layers.1.x".into(), array![1.0].into_dyn())));
    assert!(extra.ends_with("the tensor \"layers.1.x\" belongs to nothing"), "{extra}");
    let shape = edited(&|d| d.description["layers"][2]["numbers"]["units"] = 3.into());
    let expected = "FILE has a tensor \"layers.2.weights\" of shape [5, 4], not [5, 3]";
    assert_eq!(shape, expected);
    let units = edited(&|d| d.description["layers"][2]["numbers"]["units"] = 1.5.into());
    assert!(units.contains("must be a whole number from 0 to 4294967296, but is 1.5"), "{units}");
    let vast = edited(&|d| {
        d.description["layers"][0]["numbers"]["units"] = 4294967296_u64.into();
        d.description["layers"][2]["numbers"]["units"] = 4294967296_u64.into();
    });
    assert!(vast.contains("layer 3, \"dense\", takes fewer features"), "{vast}");
    let name = edited(&|d| d.description["layers"][1]["name"] = "tan".into());
    assert!(name.starts_with("no layer is called \"tan\"; known are "), "{name}");
    let input = edited(&|d| d.description["input"] = serde_json::json!({"vector": 3}));
    assert!(input.contains("of shape [2, 5], not [3, 5]"), "{input}");
}

#[test]
fn layers_and_activations_share_their_names() {
    let mut registry = registry();
    let taken = registry.add_layer(|| Box::new(Activate(Tanh))).unwrap_err().to_string();
    let words = "there is already a built-in or registered hidden activation called \"tanh\"";
    assert!(taken.starts_with(words), "{taken}");
    let twice = registry.add_layer(|| Box::new(Flatten)).unwrap_err().to_string();
    assert!(twice.contains("layer called \"flatten\""), "{twice}");
}

//! Dropout and batch normalisation as layers: what they do in a training and in prediction, on
//! several threads, after a pause, in files, and at the edges of their settings. Their equations
//! are those of chapter 9.

use std::ops::ControlFlow;

use gradus::{
    Activate, BatchNorm, CategoricalCrossEntropy, Dense, Draw, Dropout, Event, Fit, Float,
    GradientDescent, Identity, Init, Layer, MeanSquaredError, Mode, Model, Momentum, Network,
    Output, Part, Pass, Registry, Relu, Samples, Sequential, Shape, Share, Softmax, State, Tanh,
    layers, one_hot, toy, train,
};
use ndarray::{Array1, Array2, Axis, array, s};

/// Normal numbers, with a mean that is not 0: what the entries of a mean have in common must not
/// go unnoticed.
fn numbers(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let all = toy::moons::<f64>(rows * columns, 1.0, seed).unwrap();
    let column = all.x().column(0).mapv(|x| 1.0 + 2.0 * x);
    column.to_owned().into_shape_with_order((rows, columns)).unwrap()
}

fn moons() -> Samples<f64> {
    let moons = toy::moons::<f64>(100, 0.2, 3).unwrap();
    let labels: Vec<usize> = moons.y().iter().map(|&y| y as usize).collect();
    Samples::new(moons.x().clone(), one_hot(&labels, 2).unwrap()).unwrap()
}

fn dense(units: usize) -> Dense {
    Dense::new(units, Init::GlorotNormal).unwrap()
}

fn dropout(keep: f64) -> Dropout {
    Dropout::new(keep).unwrap()
}

/// A network that drops inputs and hidden units.
fn dropping(seed: u64) -> Sequential<f64> {
    let layers =
        layers![dropout(0.8), dense(6), Activate(Tanh), dropout(0.5), dense(2), Output(Softmax)];
    let momentum = Momentum::new(0.1, 0.9).unwrap();
    Sequential::new(Shape::Vector(2), layers, CategoricalCrossEntropy, momentum, seed).unwrap()
}

/// A network that drops and normalises.
fn both(seed: u64) -> Sequential<f64> {
    let layers = layers![
        BatchNorm::new().momentum(0.3).unwrap(),
        dense(6),
        BatchNorm::new(),
        Activate(Relu),
        dropout(0.7),
        dense(2),
        Output(Softmax)
    ];
    let momentum = Momentum::new(0.1, 0.9).unwrap();
    Sequential::new(Shape::Vector(2), layers, CategoricalCrossEntropy, momentum, seed).unwrap()
}

/// Room for one layer, and passes through it.
struct Bench<L> {
    layer: L,
    params: Array1<f64>,
    kept: Array1<f64>,
    y: Array2<f64>,
}

impl<L: Layer<f64>> Bench<L> {
    fn new(mut layer: L, input: Shape) -> Self {
        let output = layer.accept(input).unwrap();
        let shapes = layer.parameters();
        let p: usize = shapes.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        let mut params = Array1::zeros(p);
        let mut rng = Draw { seed: 1, layer: 0, step: 0, first: 0 }.generator(1);
        layer.initialise(&mut params, &mut rng);
        Self { layer, params, kept: Array1::zeros(0), y: Array2::zeros((0, output.len())) }
    }

    fn forward(&mut self, mode: Mode, x: &Array2<f64>) -> Array2<f64> {
        self.kept = Array1::from_elem(self.layer.room(x.nrows()), f64::NAN);
        self.y = Array2::from_elem((x.nrows(), self.y.ncols()), f64::NAN);
        self.layer.forward_into(mode, &self.params, x, &mut self.y, &mut self.kept);
        self.y.clone()
    }

    fn pass<'a>(&'a self, x: &'a Array2<f64>) -> Pass<'a, f64> {
        let (params, kept) = (self.params.view(), self.kept.view());
        Pass { params, x: x.view(), y: self.y.view(), kept }
    }

    /// ∂L/∂x and ∂L/∂θ.
    fn backward(&self, x: &Array2<f64>, d_y: &Array2<f64>) -> (Array2<f64>, Array1<f64>) {
        let mut d_x = Array2::from_elem(x.raw_dim(), f64::NAN);
        let mut d_params = Array1::from_elem(self.params.len(), f64::NAN);
        self.layer.backward_into(&self.pass(x), d_y, Some(&mut d_x), &mut d_params);
        (d_x, d_params)
    }

    fn measure(&self, x: &Array2<f64>, share: f64) -> Array1<f64> {
        let mut found = Array1::from_elem(self.layer.statistics(), f64::NAN);
        self.layer.measure_into(&self.pass(x), share, &mut found);
        found
    }
}

fn draw(step: u64, first: usize) -> Draw {
    Draw { seed: 7, layer: 2, step, first }
}

fn assert_near<'a>(
    left: impl IntoIterator<Item = &'a f64>,
    right: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
) {
    let (left, right) = (Vec::from_iter(left), Vec::from_iter(right));
    assert_eq!(left.len(), right.len());
    for (left, right) in left.into_iter().zip(right) {
        assert!((left - right).abs() <= tolerance, "{left} and {right}");
    }
}

fn message<T>(result: gradus::Result<T>) -> String {
    result.err().expect("an error").to_string()
}

// Dropout

#[test]
fn a_mask_has_the_asked_share_of_kept_units() {
    for (keep, factor) in [(0.8, 1.25), (0.5, 2.0), (0.01, 100.0)] {
        let r: Array2<f64> = dropout(keep).mask(draw(0, 0), 400, 500);
        assert!(r.iter().all(|&r| r == 0.0 || r == factor), "{keep}");
        let kept = r.iter().filter(|&&r| r > 0.0).count() as f64;
        let deviation = (200_000.0 * keep * (1.0 - keep)).sqrt();
        assert!((kept - 200_000.0 * keep).abs() < 4.0 * deviation, "{keep}: {kept}");
    }
    assert!(dropout(1.0).mask::<f64>(draw(0, 0), 400, 500).iter().all(|&r| r == 1.0));
    // With the smallest probability, one in four thousand million.
    let r: Array2<f64> = dropout(2f64.powi(-32)).mask(draw(0, 0), 400, 500);
    assert_eq!(r.sum(), 0.0);
}

#[test]
fn masks_differ_between_seeds_layers_steps_and_rows_and_nothing_else() {
    let mask = |draw| dropout(0.5).mask::<f64>(draw, 4, 30);
    let here = draw(3, 0);
    assert_eq!(mask(here), mask(here));
    assert_ne!(mask(here), mask(Draw { seed: 8, ..here }));
    assert_ne!(mask(here), mask(Draw { layer: 3, ..here }));
    assert_ne!(mask(here), mask(Draw { step: 4, ..here }));
    let whole: Array2<f64> = dropout(0.5).mask(here, 10, 30);
    for first in 0..7 {
        assert_eq!(mask(Draw { first, ..here }), whole.slice(s![first..first + 4, ..]));
    }
    for i in 1..10 {
        assert_ne!(whole.row(0), whole.row(i));
    }
    assert_eq!(
        dropout(0.5).mask::<f32>(here, 10, 30).mapv(f64::from),
        whole,
        "the same in both precisions"
    );
}

#[test]
fn a_training_step_uses_the_mask_that_can_be_asked_for() {
    let (x, d_y) = (numbers(5, 12, 1), numbers(5, 12, 2));
    for shape in [Shape::Vector(12), Shape::image(2, 3, 2)] {
        let mut bench = Bench::new(dropout(0.6), shape);
        let r = dropout(0.6).mask::<f64>(draw(9, 3), 5, 12);
        assert_eq!(bench.forward(Mode::Train(draw(9, 3)), &x), &x * &r);
        assert_eq!(bench.backward(&x, &d_y).0, &d_y * &r);
        assert_eq!(bench.forward(Mode::Predict, &x), x);
    }
}

#[test]
fn the_gradient_of_a_network_that_drops_is_right() {
    for mut network in [dropping(5), both(5)] {
        let data = moons();
        let fit = Fit { batch_size: 32, epochs: 2, ..Fit::default() };
        network.fit(&data, &fit, None, &mut train::silent).unwrap();
        let x = data.x().slice(s![..20, ..]).to_owned();
        let y = data.y().slice(s![..20, ..]).to_owned();
        let (_, gradient) = network.loss_and_gradient(&x, &y).unwrap();
        let theta = network.params().clone();
        for i in 0..theta.len() {
            let mut loss_at = |step: f64| {
                let mut moved = theta.clone();
                moved[i] += step;
                network.set_params(&moved).unwrap();
                network.loss_and_gradient(&x, &y).unwrap().0
            };
            let slope = (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6;
            assert!((slope - gradient[i]).abs() < 1e-7, "{i}: {slope} {}", gradient[i]);
        }
    }
}

#[test]
fn dropout_is_the_same_for_any_number_of_threads() {
    let data = moons();
    let trained = |threads| {
        let mut network = dropping(5);
        // The last batch has four samples, fewer than five threads.
        let fit = Fit { batch_size: 32, epochs: 3, threads, ..Fit::default() };
        network.fit(&data, &fit, None, &mut train::silent).unwrap();
        network.params().clone()
    };
    let alone = trained(1);
    for threads in [2, 3, 5] {
        assert_near(&trained(threads), &alone, 1e-12);
    }
}

#[test]
fn nothing_is_dropped_when_a_network_predicts() {
    let (with, x) = (dropping(5), moons());
    let layers = layers![dense(6), Activate(Tanh), dense(2), Output(Softmax)];
    let descent = GradientDescent::new(0.1).unwrap();
    let loss = CategoricalCrossEntropy;
    let mut without = Sequential::<f64>::new(Shape::Vector(2), layers, loss, descent, 1).unwrap();
    without.set_params(with.params()).unwrap();
    assert_eq!(with.predict(x.x()).unwrap(), without.predict(x.x()).unwrap());
    assert_eq!(with.score(&x).unwrap(), without.score(&x).unwrap());
    let (in_training, _) = with.loss_and_gradient(x.x(), x.y()).unwrap();
    assert!((in_training - with.score(&x).unwrap().loss).abs() > 1e-3);
}

// Batch normalisation

#[test]
fn batch_norm_values_by_hand() {
    // Mean 3 and 10, variance 8/3 and 0; γ = (2, 1), β = (1, −1).
    let x = array![[1.0, 10.0], [3.0, 10.0], [5.0, 10.0]];
    let mut bench = Bench::new(BatchNorm::new().epsilon(1.0 / 3.0).unwrap(), Shape::Vector(2));
    assert_eq!(bench.params, array![1.0, 1.0, 0.0, 0.0]);
    bench.params = array![2.0, 1.0, 1.0, -1.0];
    let y = bench.forward(Mode::Train(draw(0, 0)), &x);
    let s = 3f64.sqrt();
    let expected = array![[1.0 - 4.0 / s, -1.0], [1.0, -1.0], [1.0 + 4.0 / s, -1.0]];
    assert_near(&y, &expected, 1e-15);

    // 1/4 of the batch beside the old 0 and 1; variances divided by N − 1: 4 and 0.
    let found = bench.measure(&x, 1.0);
    let mut layer = bench.layer.clone().momentum(0.25).unwrap();
    layer.absorb(&found);
    assert_near(layer.running_mean(), &array![0.75, 2.5], 1e-15);
    assert_near(layer.running_variance(), &array![1.75, 0.75], 1e-15);
    layer.absorb(&found);
    assert_near(layer.running_mean(), &array![0.75 * 0.75 + 0.75, 0.75 * 2.5 + 2.5], 1e-15);

    // Prediction: (x − running mean) / √(running variance + ε).
    let mut bench = Bench { layer: layer.clone(), ..bench };
    let y = bench.forward(Mode::Predict, &x);
    let (mean, variance) = (layer.running_mean(), layer.running_variance());
    let expected = Array2::from_shape_fn((3, 2), |(i, j)| {
        let x_hat = (x[[i, j]] - mean[j]) / (variance[j] + 1.0 / 3.0).sqrt();
        bench.params[j] * x_hat + bench.params[2 + j]
    });
    assert_near(&y, &expected, 1e-15);
}

#[test]
fn channels_of_images_are_the_features_of_their_pixels() {
    let (x, d_y) = (numbers(4, 12, 4), numbers(4, 12, 5));
    let pixels = |x: &Array2<f64>| x.clone().into_shape_with_order((24, 2)).unwrap();
    let mut image = Bench::new(BatchNorm::new(), Shape::image(3, 2, 2));
    let mut vector = Bench::new(BatchNorm::new(), Shape::Vector(2));
    for params in [array![1.0, 1.0, 0.0, 0.0], array![1.5, -0.5, 2.0, 0.3]] {
        (image.params, vector.params) = (params.clone(), params);
        for mode in [Mode::Predict, Mode::Train(draw(0, 0))] {
            let y = image.forward(mode, &x);
            assert_eq!(pixels(&y), vector.forward(mode, &pixels(&x)));
        }
        let (d_x, d_params) = image.backward(&x, &d_y);
        let (of_pixels, d_of_pixels) = vector.backward(&pixels(&x), &pixels(&d_y));
        assert_eq!((pixels(&d_x), d_params), (of_pixels, d_of_pixels));
        assert_eq!(image.measure(&x, 1.0), vector.measure(&pixels(&x), 1.0));
    }
}

#[test]
fn one_value_for_a_channel_is_its_own_mean() {
    for shape in [Shape::Vector(3), Shape::image(1, 1, 3)] {
        let mut bench = Bench::new(BatchNorm::new(), shape);
        bench.params = array![2.0, 3.0, 4.0, 0.1, 0.2, 0.3];
        let x = array![[5.0, -6.0, 7e9]];
        let y = bench.forward(Mode::Train(draw(0, 0)), &x);
        assert_eq!(y, array![[0.1, 0.2, 0.3]]);
        let (d_x, d_params) = bench.backward(&x, &array![[1.0, 2.0, 3.0]]);
        assert_eq!(d_x, array![[0.0, 0.0, 0.0]]);
        assert_eq!(d_params, array![0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
        bench.layer.absorb(&bench.measure(&x, 1.0));
        assert_eq!(bench.layer.running_mean(), &array![0.0, 0.0, 0.0]);
        assert_eq!(bench.layer.running_variance(), &array![1.0, 1.0, 1.0]);
    }
    // Pixels are values too: one image of four pixels has a variance.
    let mut bench = Bench::new(BatchNorm::new(), Shape::image(2, 2, 1));
    let x = array![[1.0, 2.0, 3.0, 4.0]];
    bench.forward(Mode::Train(draw(0, 0)), &x);
    assert_near(&bench.measure(&x, 1.0), &array![1.0, 2.5, 5.0 / 3.0], 1e-15);
}

#[test]
fn a_share_of_one_value_leaves_the_measuring_to_the_others() {
    let x = numbers(4, 2, 7);
    let (three, one) = (x.slice(s![..3, ..]).to_owned(), x.slice(s![3.., ..]).to_owned());
    let mut bench = Bench::new(BatchNorm::new().momentum(1.0).unwrap(), Shape::Vector(2));
    let mut measure = |x: &Array2<f64>, share: f64| {
        bench.forward(Mode::Train(draw(0, 0)), x);
        bench.measure(x, share)
    };
    let sum = measure(&three, 0.75) + measure(&one, 0.25);
    bench.layer.absorb(&sum);
    assert_near(bench.layer.running_mean(), &three.mean_axis(Axis(0)).unwrap(), 1e-15);
    assert_near(bench.layer.running_variance(), &three.var_axis(Axis(0), 1.0), 1e-14);
}

#[test]
fn no_value_for_a_channel_counts_for_nothing() {
    let mut bench = Bench::new(BatchNorm::new(), Shape::Vector(2));
    let nothing = Array2::zeros((0, 2));
    bench.forward(Mode::Train(draw(0, 0)), &nothing);
    assert_eq!(bench.measure(&nothing, 0.0), array![0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(bench.backward(&nothing, &nothing).1, array![0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn a_constant_channel_becomes_beta() {
    let mut bench = Bench::new(BatchNorm::new(), Shape::Vector(1));
    let x = Array2::from_elem((7, 1), 0.1);
    let y = bench.forward(Mode::Train(draw(0, 0)), &x);
    assert_near(&y, &Array2::zeros((7, 1)), 1e-13);
    let (d_x, _) = bench.backward(&x, &numbers(7, 1, 6));
    assert!(d_x.iter().all(|d| d.is_finite()));
}

#[test]
fn threads_normalise_their_own_rows() {
    let data = moons();
    let (x, y) = (data.x(), data.y());
    let network = both(2);
    let mut trace = network.trace(100);
    let size = network.gradient_len();
    let mut gradient_of = |rows: std::ops::Range<usize>| {
        let share = Share { first: rows.start, batch: 100 };
        let (x, y) = (x.slice(s![rows.clone(), ..]), y.slice(s![rows, ..]));
        let mut gradient = Array1::zeros(size);
        network.gradient_into(&x, &y, share, &mut trace, &mut gradient);
        gradient
    };
    let (first, second) = (gradient_of(0..50), gradient_of(50..100));
    let whole = gradient_of(0..100);
    let p = network.params().len();
    let sum = &first + &second;
    // Together the halves are not the whole: each was normalised by its own statistics.
    let difference = (&sum - &whole).slice(s![..p]).mapv(f64::abs).sum();
    assert!(difference > 1e-3, "{difference}");
    // What the first layer measured on them: the mean of the halves' means and variances.
    assert_near(sum.slice(s![p..p + 3]), whole.slice(s![p..p + 3]), 1e-15);
    let half = |rows| x.slice(s![rows, ..]).var_axis(Axis(0), 1.0);
    let expected = (half(0..50) + half(50..100)) / 2.0;
    assert_near(sum.slice(s![p + 3..p + 5]), &expected, 1e-14);

    // With two threads a training goes so, and with more threads than samples in a batch.
    for threads in [2, 5] {
        let mut network = both(2);
        let fit = Fit { batch_size: 33, epochs: 3, threads, ..Fit::default() };
        let history = network.fit(&data, &fit, None, &mut train::silent).unwrap();
        assert!(history.loss[2] < history.loss[0]);
        assert!(network.predict(data.x()).unwrap().iter().all(|y| y.is_finite()));
    }
}

#[test]
fn batches_of_one_sample_leave_batch_norm_at_rest() {
    let data = moons();
    let mut network = both(2);
    let fit = Fit { batch_size: 1, epochs: 1, ..Fit::default() };
    network.fit(&data, &fit, None, &mut train::silent).unwrap();
    let state = network.layers()[0].state();
    assert_eq!(state.vectors["running_mean"], array![0.0, 0.0]);
    assert_eq!(state.vectors["running_variance"], array![1.0, 1.0]);
    assert!(network.score(&data).unwrap().loss.is_finite());
}

#[test]
fn running_averages_settle_at_the_values_of_the_data() {
    let data = moons();
    let mut network = both(2);
    let fit = Fit { batch_size: 100, epochs: 60, ..Fit::default() };
    network.fit(&data, &fit, None, &mut train::silent).unwrap();
    let state = network.layers()[0].state();
    // 0.7⁶⁰ of the beginning is left.
    let (mean, variance) = (data.x().mean_axis(Axis(0)).unwrap(), data.x().var_axis(Axis(0), 1.0));
    assert_near(&state.vectors["running_mean"], &mean, 1e-8);
    assert_near(&state.vectors["running_variance"], &variance, 1e-8);
}

#[test]
fn samples_that_do_not_lie_in_one_piece_are_normalised_all_the_same() {
    let layers = layers![BatchNorm::new(), dense(1), Activate(Identity)];
    let descent = GradientDescent::new(0.1).unwrap();
    let network =
        Sequential::<f64>::new(Shape::Vector(3), layers, MeanSquaredError, descent, 1).unwrap();
    let (x, y) = (numbers(5, 3, 8), numbers(5, 1, 9));
    let columns = x.t().as_standard_layout().into_owned();
    let turned = columns.t();
    let one = network.loss_and_gradient(&x, &y).unwrap();
    assert_eq!(one, network.loss_and_gradient(&turned, &y).unwrap());
    assert_eq!(network.predict(&x).unwrap(), network.predict(&turned).unwrap());
}

// Files, pauses, and settings

#[test]
fn a_pause_changes_neither_masks_nor_running_averages() {
    let data = moons();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    for threads in [1, 2] {
        let fit = Fit { batch_size: 32, epochs: 6, threads, ..Fit::default() };
        let mut whole = both(4);
        let history = whole.fit(&data, &fit, Some(&data), &mut train::silent).unwrap();

        let mut broken_off = both(4);
        let mut batches = 0;
        let mut stop = |event: Event| {
            batches += usize::from(matches!(event, Event::Batch { .. }));
            if batches == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        broken_off.fit(&data, &fit, Some(&data), &mut stop).unwrap();
        broken_off.save(&path).unwrap();
        let mut resumed = Sequential::load(&path).unwrap();
        assert_eq!(resumed.resume(&data, 6, Some(&data), &mut train::silent).unwrap(), history);
        assert_eq!(resumed.to_document().unwrap(), whole.to_document().unwrap());
    }
}

#[test]
fn a_file_whose_averages_do_not_fit_is_refused() {
    let network = both(1);
    let registry = Registry::default();
    let load = |change: &dyn Fn(&mut State<f64>)| {
        let mut state = network.layers()[0].state();
        change(&mut state);
        let mut layer = registry.layer("batch_norm", state)?;
        layer.accept(Shape::Vector(2))
    };
    let put = |name: &'static str, value: Array1<f64>| {
        message(load(&|state| {
            state.vectors.insert(name.to_owned(), value.clone());
        }))
    };
    load(&|_| ()).unwrap();
    let cannot = "the layer \"batch_norm\" cannot be restored: ";
    assert_eq!(
        put("running_mean", array![0.0]),
        format!(
            "{cannot}the running variance must have as many entries as the running mean, but is 2"
        )
    );
    assert_eq!(
        put("running_mean", array![0.0, f64::NAN]),
        format!("{cannot}a running mean must be finite, but is NaN")
    );
    for bad in [-1e-300, f64::INFINITY, f64::NAN] {
        assert_eq!(
            put("running_variance", array![0.0, bad]),
            format!("{cannot}a running variance must be finite and at least 0, but is {bad}")
        );
    }
    let three = message(load(&|state| {
        let names = ["running_mean", "running_variance"];
        let _ = names.map(|name| state.vectors.insert(name.to_owned(), Array1::ones(3)));
    }));
    assert_eq!(three, "takes 3 channels, but is given a vector of 2");
}

#[test]
fn settings_out_of_range_are_errors() {
    for keep in [0.0, -0.5, 1.0000001, 1e-10, f64::NAN, f64::INFINITY] {
        assert_eq!(
            message(Dropout::new(keep)),
            format!("the probability of being kept must lie between 2⁻³² and 1, but is {keep}")
        );
    }
    for momentum in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(
            message(BatchNorm::<f64>::new().momentum(momentum)),
            format!("the momentum must lie in [0, 1], but is {momentum}")
        );
    }
    for epsilon in [0.0, -1e-5, f64::NAN, f64::INFINITY] {
        assert_eq!(
            message(BatchNorm::<f64>::new().epsilon(epsilon)),
            format!("epsilon must be positive and finite, but is {epsilon}")
        );
    }
    // What is 0 in 32 bits could be divided by.
    assert!(BatchNorm::<f32>::new().epsilon(1e-50).is_err());
    assert!(BatchNorm::<f64>::new().epsilon(1e-50).is_ok());
    // The same from a file.
    fn restored<F: Float>(name: &str, key: &str, value: f64) -> String {
        let registry = Registry::<F>::default();
        let mut state = match name {
            "dropout" => Part::<F>::state(&Dropout::new(0.5).unwrap()),
            _ => BatchNorm::<F>::new().state(),
        };
        state.numbers.insert(key.to_owned(), value);
        message(registry.layer(name, state))
    }
    assert!(restored::<f64>("dropout", "keep", 0.0).contains("2⁻³² and 1, but is 0"));
    assert!(restored::<f64>("batch_norm", "momentum", 2.0).contains("[0, 1], but is 2"));
    assert!(restored::<f64>("batch_norm", "epsilon", 0.0).contains("positive and finite"));
    assert!(restored::<f32>("batch_norm", "epsilon", 1e-50).contains("positive and finite"));
}

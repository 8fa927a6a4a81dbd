//! Properties that hold for every network, batch and file, tried on random ones.

mod common;

use common::{assert_all_close, assert_close, distributions, labels, normal, rng};
use gradus::fused::log_sum_exp;
use gradus::layout::{flatten, restore};
use gradus::{
    Activation, AdaGrad, Adam, AdamW, BinaryCrossEntropy, Bytes, CategoricalCrossEntropy, Fit,
    GradientDescent, Init, Link, Loss, Momentum, MovingAverage, Nesterov, Network, NeuralNetwork,
    Optimizer, OutputActivation, Registry, RmsProp, Samples, Softmax, Source,
    SparseCategoricalCrossEntropy, State, one_hot, train,
};
use ndarray::{Array1, Array2, Axis, array, concatenate, s};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const ACTIVATIONS: [&str; 7] =
    ["identity", "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "gelu"];

/// An output activation and a loss that suit each other.
const ENDS: [(&str, &str); 5] = [
    ("softmax", "categorical_cross_entropy"),
    ("softmax", "sparse_categorical_cross_entropy"),
    ("sigmoid", "binary_cross_entropy"),
    ("identity", "mean_squared_error"),
    ("softmax", "mean_squared_error"),
];

const OPTIMIZERS: [&str; 8] = [
    "gradient_descent",
    "momentum",
    "moving_average",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adam",
    "adamw",
];

/// A random choice of everything that makes a network.
#[derive(Debug, Clone)]
struct Plan {
    sizes: Vec<usize>,
    hidden: &'static str,
    end: (&'static str, &'static str),
    optimizer: &'static str,
    n: usize,
    seed: u64,
}

prop_compose! {
    fn plan()(
        sizes in prop::collection::vec(1_usize..10, 1..4),
        outputs in 2_usize..9,
        hidden in prop::sample::select(&ACTIVATIONS[..]),
        end in prop::sample::select(&ENDS[..]),
        optimizer in prop::sample::select(&OPTIMIZERS[..]),
        n in 1_usize..20,
        seed in any::<u64>(),
    ) -> Plan {
        let sizes = [sizes, vec![outputs]].concat();
        Plan { sizes, hidden, end, optimizer, n, seed }
    }
}

impl Plan {
    fn network(&self) -> NeuralNetwork<f64> {
        let registry = Registry::default();
        let hidden = match self.hidden {
            "leaky_relu" => State::default().with_number("slope", 0.1),
            _ => State::default(),
        };
        NeuralNetwork::new(
            &self.sizes,
            registry.activation(self.hidden, hidden).unwrap(),
            registry.output(self.end.0, State::default()).unwrap(),
            registry.loss(self.end.1, State::default()).unwrap(),
            self.optimizer(),
            Init::Lazar,
            self.seed,
        )
        .unwrap()
    }

    fn optimizer(&self) -> Box<dyn Optimizer<f64>> {
        let rate = 0.001;
        match self.optimizer {
            "gradient_descent" => Box::new(GradientDescent::new(rate).unwrap()),
            "momentum" => Box::new(Momentum::new(rate, 0.8).unwrap()),
            "moving_average" => Box::new(MovingAverage::new(rate, 0.8).unwrap()),
            "nesterov" => Box::new(Nesterov::new(rate, 0.8).unwrap()),
            "adagrad" => Box::new(AdaGrad::new(rate).unwrap()),
            "rmsprop" => Box::new(RmsProp::new(rate, 0.8).unwrap()),
            "adam" => Box::new(Adam::new(rate).unwrap()),
            "adamw" => Box::new(AdamW::new(rate, 0.1).unwrap()),
            other => unreachable!("{other}"),
        }
    }

    fn outputs(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// Samples whose targets suit the loss.
    fn samples(&self) -> Samples<f64> {
        let mut rng = rng(self.seed);
        let x = normal((self.n, self.sizes[0]), 1.0, &mut rng);
        let labels = labels(self.n, self.outputs(), &mut rng);
        let y = match self.end.1 {
            "sparse_categorical_cross_entropy" => column(&labels),
            "mean_squared_error" => normal((self.n, self.outputs()), 1.0, &mut rng),
            _ => distributions(self.n, self.outputs(), &mut rng),
        };
        Samples::new(x, y).unwrap()
    }
}

/// The same cases in every run, unless the environment asks for others (`PROPTEST_RNG_SEED`,
/// `PROPTEST_CASES`).
fn config() -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}

fn column(labels: &[usize]) -> Array2<f64> {
    Array2::from_shape_fn((labels.len(), 1), |(i, _)| labels[i] as f64)
}

/// The fused loss of the same numbers in `f32` and in `f64`.
fn assert_same_in_both_precisions(
    loss: impl Loss<f32> + Loss<f64>,
    link: Link,
    z: &Array2<f32>,
    y: &Array2<f32>,
) {
    let (mut narrow, mut wide) = (Array1::zeros(z.nrows()), Array1::zeros(z.nrows()));
    Loss::<f32>::fused(&loss, link).unwrap().fused_values_into(z, y, &mut narrow);
    let (z, y) = (z.mapv(f64::from), y.mapv(f64::from));
    Loss::<f64>::fused(&loss, link).unwrap().fused_values_into(&z, &y, &mut wide);
    for (&narrow, &wide) in narrow.iter().zip(&wide) {
        // Of itself, however small: an exponent near −88 alone costs 88 / 2^24.
        let difference = (f64::from(narrow) - wide).abs();
        assert!(difference <= 2e-5 * wide + 1e-37, "{link:?}: {narrow} and {wide}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_vector_survives_restore_and_flatten(
        sizes in prop::collection::vec(1_usize..8, 2..6),
        seed in any::<u64>(),
    ) {
        let count: usize = sizes.windows(2).map(|s| s[0] * s[1] + s[1]).sum();
        let vector = normal(count, 1.0, &mut rng(seed));
        let (weights, biases) = restore(&vector, &sizes).unwrap();
        for (i, size) in sizes.windows(2).enumerate() {
            prop_assert_eq!(weights[i].dim(), (size[0], size[1]));
            prop_assert_eq!(biases[i].dim(), size[1]);
        }
        prop_assert_eq!(flatten(&weights, &biases), vector);
    }

    #[test]
    fn any_network_is_indifferent_to_the_order_of_rows(plan in plan()) {
        let (network, data) = (plan.network(), plan.samples());
        let backwards = |a: &Array2<f64>| a.slice(s![..;-1, ..]).to_owned();
        let (x, y) = (backwards(data.x()), backwards(data.y()));
        let (loss, gradient) = network.loss_and_gradient(data.x(), data.y()).unwrap();
        let (turned_loss, turned_gradient) = network.loss_and_gradient(&x, &y).unwrap();
        assert_close(loss, turned_loss, 1e-12);
        assert_all_close(&gradient, &turned_gradient, 1e-12);
        let turned = backwards(&network.predict(&x).unwrap());
        assert_all_close(&network.predict(data.x()).unwrap(), &turned, 1e-12);
    }

    #[test]
    fn any_network_has_the_same_mean_over_a_batch_met_twice(plan in plan()) {
        let (network, data) = (plan.network(), plan.samples());
        let twice = |a: &Array2<f64>| concatenate![Axis(0), a.view(), a.view()];
        let (loss, gradient) = network.loss_and_gradient(data.x(), data.y()).unwrap();
        let (twice_loss, twice_gradient) =
            network.loss_and_gradient(&twice(data.x()), &twice(data.y())).unwrap();
        assert_close(loss, twice_loss, 1e-12);
        assert_all_close(&gradient, &twice_gradient, 1e-12);
    }

    #[test]
    fn any_network_scores_as_it_predicts(plan in plan()) {
        let (network, data) = (plan.network(), plan.samples());
        let score = network.score(&data).unwrap();
        let (loss, _) = network.loss_and_gradient(data.x(), data.y()).unwrap();
        assert_close(score.loss, loss, 1e-12);
        if plan.end.1 == "sparse_categorical_cross_entropy" {
            let labels = network.predict_labels(data.x()).unwrap();
            let right = labels.iter().zip(data.y()).filter(|&(&l, &y)| l as f64 == y).count();
            prop_assert_eq!(score.accuracy(), Some(right as f64 / plan.n as f64));
        }
    }

    #[test]
    fn any_trained_network_is_saved_whole(plan in plan(), batch_size in 1_usize..8) {
        let data = plan.samples();
        let mut network = plan.network();
        let fit = Fit { batch_size, epochs: 2, seed: plan.seed, ..Fit::default() };
        network.fit(&data, &fit, None, &mut train::silent).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.safetensors");
        network.save(&path).unwrap();
        let mut loaded = NeuralNetwork::<f64>::load(&path).unwrap();
        prop_assert_eq!(loaded.to_document().unwrap(), network.to_document().unwrap());
        prop_assert_eq!(loaded.predict(data.x()).unwrap(), network.predict(data.x()).unwrap());
        network.resume(&data, 3, None, &mut train::silent).unwrap();
        loaded.resume(&data, 3, None, &mut train::silent).unwrap();
        prop_assert_eq!(loaded.to_document().unwrap(), network.to_document().unwrap());
    }

    #[test]
    fn any_training_gives_the_same_bits_again(plan in plan(), threads in 1_usize..4) {
        let data = plan.samples();
        let train = || {
            let mut network = plan.network();
            let fit = Fit { batch_size: 5, epochs: 2, threads, ..Fit::default() };
            network.fit(&data, &fit, None, &mut train::silent).unwrap();
            network.params().clone()
        };
        prop_assert_eq!(train(), train());
    }

    #[test]
    fn any_softmax_row_sums_to_one_and_ignores_a_shift(
        n in 1_usize..6, m in 1_usize..12, std in 0.1_f64..400.0, shift in -1e3_f64..1e3,
        seed in any::<u64>(),
    ) {
        let z = normal((n, m), std, &mut rng(seed));
        let y_hat = Softmax.apply(&z);
        prop_assert!(y_hat.iter().all(|p| (0.0..=1.0).contains(p)));
        assert_all_close(&y_hat.sum_axis(Axis(1)), &Array1::ones(n), 1e-14);
        // A shift by 1000 costs three digits of z.
        assert_all_close(&Softmax.apply(&(&z + shift)), &y_hat, 1e-11);
        for row in z.rows() {
            assert_close(log_sum_exp(&(&row + shift)), log_sum_exp(&row) + shift, 1e-14);
        }
    }

    #[test]
    fn any_activation_is_finite_and_precise_far_out(z in -1e4_f64..1e4) {
        let registry = Registry::<f64>::default();
        let registry32 = Registry::<f32>::default();
        for name in ACTIVATIONS {
            let wide = match name {
                "leaky_relu" => State::default().with_number("slope", 0.1),
                _ => State::default(),
            };
            let f = registry.activation(name, wide.clone()).unwrap();
            let narrow = State { numbers: wide.numbers, ..State::default() };
            let f32 = registry32.activation(name, narrow).unwrap();
            prop_assert!(f.value(z).is_finite() && f.derivative(z).is_finite(), "{}", name);
            // The same number in both precisions: to 1e-6 of itself, also where it is tiny, down
            // to the smallest normal number. An exponent of z has an error of |z| / 2^24.
            let z32 = z as f32;
            let tolerance = 2e-6 + 2.0 * z.abs().min(100.0) * f64::from(f32::EPSILON);
            let pairs = [
                (f.value(f64::from(z32)), f32.value(z32)),
                (f.derivative(f64::from(z32)), f32.derivative(z32)),
            ];
            for (wide, narrow) in pairs {
                let narrow = f64::from(narrow);
                let close = (wide - narrow).abs() <= tolerance * wide.abs() + 1e-37;
                prop_assert!(close, "{} at {}: {} and {}", name, z32, wide, narrow);
            }
        }
    }

    #[test]
    fn any_fused_loss_keeps_its_digits_in_f32(
        m in 2_usize..8, spread in 1.0_f64..20.0, shift in -5e3_f64..5e3, seed in any::<u64>(),
    ) {
        let mut rng = rng(seed);
        let z = (normal((4, m), spread, &mut rng) + shift).mapv(|z| z as f32);
        let hot: Array2<f64> = one_hot(&labels(4, m, &mut rng), m).unwrap();
        let [y, soft] = [hot, distributions(4, m, &mut rng)].map(|y| y.mapv(|y| y as f32));
        assert_same_in_both_precisions(CategoricalCrossEntropy, Link::Softmax, &z, &y);
        assert_same_in_both_precisions(CategoricalCrossEntropy, Link::Softmax, &z, &soft);
        assert_same_in_both_precisions(BinaryCrossEntropy, Link::Sigmoid, &z, &soft);
    }

    #[test]
    fn any_labels_lose_the_same_sparse_and_one_hot(
        n in 1_usize..8, m in 2_usize..8, seed in any::<u64>(),
    ) {
        let mut rng = rng(seed);
        let y_hat = distributions(n, m, &mut rng);
        let labels = labels(n, m, &mut rng);
        let (sparse, full) = (column(&labels), one_hot(&labels, m).unwrap());
        assert_all_close(
            &SparseCategoricalCrossEntropy.values(&y_hat, &sparse),
            &CategoricalCrossEntropy.values(&y_hat, &full),
            1e-15,
        );
        assert_all_close(
            &SparseCategoricalCrossEntropy.derivative(&y_hat, &sparse),
            &CategoricalCrossEntropy.derivative(&y_hat, &full),
            1e-15,
        );
        for (row, &label) in full.rows().into_iter().zip(&labels) {
            prop_assert_eq!(Loss::<f64>::class(&CategoricalCrossEntropy, row), Some(label));
        }
    }

    #[test]
    fn any_bytes_train_as_the_floats_they_stand_for(
        n in 1_usize..12, seed in any::<u64>(), sparse in any::<bool>(),
    ) {
        let mut rng = rng(seed);
        let labels = labels(n, 3, &mut rng);
        let bytes = normal((n, 4), 80.0, &mut rng).mapv(|b| b.abs().min(255.0) as u8);
        let narrow = labels.iter().map(|&label| label as u8).collect();
        let mut source = Bytes::new(bytes, narrow, 1.0 / 255.0, 3).unwrap();
        let mut y = one_hot(&labels, 3).unwrap();
        if sparse {
            (source, y) = (source.sparse(), column(&labels));
        }
        let arrays = Samples::new(source.inputs(), y).unwrap();
        let train = |source: &dyn Source<f64>| {
            let end = if sparse { ENDS[1] } else { ENDS[0] };
            let registry = Registry::default();
            let output = registry.output(end.0, State::default()).unwrap();
            let loss = registry.loss(end.1, State::default()).unwrap();
            let optimizer = Momentum::new(0.1, 0.5).unwrap();
            let sizes = [4, 5, 3];
            let mut network = NeuralNetwork::new(
                &sizes, gradus::Tanh, output, loss, optimizer, Init::LeCun, 1,
            ).unwrap();
            network.fit(source, &Fit { batch_size: 3, ..Fit::default() }, None, &mut train::silent)
                .unwrap();
            network.params().clone()
        };
        prop_assert_eq!(train(&source), train(&arrays));
    }

    #[test]
    fn any_number_of_threads_agrees_to_rounding(threads in 2_usize..5, n in 1_usize..40) {
        let mut rng = rng(n as u64);
        let data = Samples::new(normal((n, 3), 1.0, &mut rng), normal((n, 2), 1.0, &mut rng)).unwrap();
        let train = |threads| {
            let optimizer = GradientDescent::new(0.05).unwrap();
            let identity = gradus::Elementwise(gradus::Identity);
            let loss = gradus::MeanSquaredError;
            let sizes = [3, 8, 2];
            let mut network = NeuralNetwork::new(
                &sizes, gradus::Tanh, identity, loss, optimizer, Init::LeCun, 1,
            ).unwrap();
            let fit = Fit { batch_size: 7, epochs: 3, threads, ..Fit::default() };
            let history = network.fit(&data, &fit, None, &mut train::silent).unwrap();
            (history.loss[2], network.params().clone())
        };
        let ((loss, params), (split_loss, split_params)) = (train(1), train(threads));
        assert_close(loss, split_loss, 1e-11);
        assert_all_close(&params, &split_params, 1e-11);
    }
}

/// A number that is none must reach the output, where it is an error.
#[test]
fn activations_hand_nan_on() {
    for name in ACTIVATIONS {
        let state = match name {
            "leaky_relu" => State::default().with_number("slope", 0.1),
            _ => State::default(),
        };
        let f = Registry::<f64>::default().activation(name, state).unwrap();
        assert!(f.value(f64::NAN).is_nan(), "{name}");
    }
    assert!(Softmax.apply(&array![[0.0, f64::NAN, 1.0]]).iter().all(|p| p.is_nan()));
}

//! Pieces from outside: what a user of the crate can add without changing it. An activation,
//! an output activation, a loss and an optimizer are defined here, checked, trained with,
//! saved, and loaded.

mod common;

use common::*;
use gradus::check::Check;
use gradus::{
    Activation, CategoricalCrossEntropy, Error, Fit, Float, GradientDescent, Init, Loss, Network,
    NeuralNetwork, Optimizer, OutputActivation, Part, Registry, Relu, Result, Samples, Softmax,
    Source, State, chain_rule, toy, train,
};
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, ArrayRef3, Axis, Zip};

/// f(z) = z / (1 + |z|), with a state of its own.
#[derive(Debug)]
struct Softsign {
    sharpness: f64,
}

impl<F: Float> Part<F> for Softsign {
    fn name(&self) -> &str {
        "softsign"
    }

    fn state(&self) -> State<F> {
        State::default().with_number("sharpness", self.sharpness)
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        self.sharpness = state.take_number("sharpness")?;
        state.finish()
    }
}

impl<F: Float> Activation<F> for Softsign {
    fn value(&self, z: F) -> F {
        let z = F::cast(self.sharpness) * z;
        z / (F::one() + z.abs())
    }

    fn derivative(&self, z: F) -> F {
        let k = F::cast(self.sharpness);
        k / (F::one() + (k * z).abs()).powi(2)
    }
}

/// ŷₖ = zₖ² / Σⱼ zⱼ²: rows that sum to 1, with a Jacobian that is not symmetric. It relies on
/// the vector–Jacobian product that the trait provides.
#[derive(Debug)]
struct SquareShare;

impl<F: Float> Part<F> for SquareShare {
    fn name(&self) -> &str {
        "square_share"
    }
}

impl<F: Float> OutputActivation<F> for SquareShare {
    fn apply_into(&self, z: &ArrayRef2<F>, y_hat: &mut ArrayRef2<F>) {
        Zip::from(y_hat.rows_mut()).and(z.rows()).for_each(|mut y_hat, z| {
            let sum = z.dot(&z);
            Zip::from(&mut y_hat).and(&z).for_each(|y, &z| *y = z * z / sum);
        });
    }

    fn jacobian_into(&self, z: &ArrayRef2<F>, jacobian: &mut ArrayRef3<F>) {
        let two = F::cast(2.0);
        Zip::indexed(jacobian).for_each(|(i, j, k), entry| {
            let row = z.row(i);
            let sum = row.dot(&row);
            let own = if j == k { two * row[j] / sum } else { F::zero() };
            *entry = own - row[j] * row[j] * two * row[k] / (sum * sum);
        });
    }
}

/// Σ |ŷ − y|^1.5 over the outputs.
#[derive(Debug)]
struct PowerLoss;

impl<F: Float> Part<F> for PowerLoss {
    fn name(&self) -> &str {
        "power_loss"
    }
}

impl<F: Float> Loss<F> for PowerLoss {
    fn values_into(&self, y_hat: &ArrayRef2<F>, y: &ArrayRef2<F>, values: &mut ArrayRef1<F>) {
        let difference = y_hat - y;
        values.assign(&difference.mapv(|d| d.abs().powf(F::cast(1.5))).sum_axis(Axis(1)));
    }

    fn derivative_into(&self, y_hat: &ArrayRef2<F>, y: &ArrayRef2<F>, d: &mut ArrayRef2<F>) {
        Zip::from(d).and(y_hat).and(y).for_each(|d, &y_hat, &y| {
            *d = F::cast(1.5) * (y_hat - y).signum() * (y_hat - y).abs().sqrt();
        });
    }
}

/// Steps along the sign of the gradient, shrinking with every step: numbers and a vector to
/// remember.
#[derive(Debug)]
struct ShrinkingSign<F: Float> {
    step: f64,
    last: Array1<F>,
}

impl<F: Float> Part<F> for ShrinkingSign<F> {
    fn name(&self) -> &str {
        "shrinking_sign"
    }

    fn state(&self) -> State<F> {
        State::default().with_number("step", self.step).with_vector("last", self.last.clone())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        self.step = state.take_number("step")?;
        self.last = state.take_vector("last")?;
        state.finish()
    }
}

impl<F: Float> Optimizer<F> for ShrinkingSign<F> {
    fn step(&mut self, params: &mut ArrayRef1<F>, gradient: &ArrayRef1<F>) {
        if self.last.len() != params.len() {
            self.last = Array1::zeros(params.len());
        }
        self.step *= 0.999;
        let step = F::cast(self.step);
        Zip::from(params).and(gradient).and(&mut self.last).for_each(|theta, &g, last| {
            // Half of the new direction, half of the one before.
            *last = F::cast(0.5) * (*last + g.signum());
            *theta -= step * *last;
        });
    }
}

fn registry<F: Float>() -> Registry<F> {
    let mut registry = Registry::default();
    registry.add_activation(|| Box::new(Softsign { sharpness: 0.0 })).unwrap();
    registry.add_output(|| Box::new(SquareShare)).unwrap();
    registry.add_loss(|| Box::new(PowerLoss)).unwrap();
    registry
        .add_optimizer(|| Box::new(ShrinkingSign { step: 0.0, last: Array1::zeros(0) }))
        .unwrap();
    registry
}

fn network<F: Float>() -> NeuralNetwork<F> {
    let optimizer = ShrinkingSign { step: 0.02, last: Array1::zeros(0) };
    let hidden = Softsign { sharpness: 2.0 };
    NeuralNetwork::new(&[2, 12, 3], hidden, SquareShare, PowerLoss, optimizer, Init::LeCun, 3)
        .unwrap()
}

#[test]
fn outside_parts_pass_the_gradient_check() {
    let mut network = network::<f64>();
    let data = toy::spirals(20, 3, 0.1, 1).unwrap();
    let (_, gradient) = network.loss_and_gradient(data.x(), data.y()).unwrap();
    let at = network.params().clone();
    let loss = |params: &ArrayRef1<f64>| {
        network.set_params(params).unwrap();
        network.loss_and_gradient(data.x(), data.y()).unwrap().0
    };
    let verdict = Check::default().gradient(loss, &at, &gradient).unwrap();
    assert!(verdict.passed, "{verdict}");
}

#[test]
fn outside_parts_train_and_are_saved_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outside.safetensors");
    let data = toy::spirals::<f32>(150, 3, 0.02, 1).unwrap();
    let fit = Fit { batch_size: 16, epochs: 60, threads: 2, ..Fit::default() };

    let mut whole = network::<f32>();
    let before = whole.score(&data).unwrap().loss;
    whole.fit(&data, &fit, None, &mut train::silent).unwrap();
    let after = whole.score(&data).unwrap();
    assert!(after.loss < 0.5 * before, "{before} {}", after.loss);
    assert!(after.accuracy().unwrap() > 0.8, "{after:?}");

    let mut half = network::<f32>();
    half.fit(&data, &Fit { epochs: 30, ..fit }, None, &mut train::silent).unwrap();
    half.save(&path).unwrap();
    let unknown = NeuralNetwork::<f32>::load(&path).unwrap_err();
    assert!(matches!(&unknown, Error::UnknownPart { name, .. } if name == "softsign"), "{unknown}");
    let mut half = NeuralNetwork::load_with(&path, &registry()).unwrap();
    half.resume(&data, 60, None, &mut train::silent).unwrap();
    assert_eq!(half.params(), whole.params());
    assert_eq!(half.to_document().unwrap(), whole.to_document().unwrap());
}

#[test]
fn an_outside_activation_serves_as_output_and_keeps_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("softsign.safetensors");
    let output = gradus::Elementwise(Softsign { sharpness: 3.0 });
    let optimizer = GradientDescent::new(0.1).unwrap();
    let sizes = [1, 3, 1];
    let network =
        NeuralNetwork::<f64>::new(&sizes, Relu, output, PowerLoss, optimizer, Init::Lazar, 4)
            .unwrap();
    network.save(&path).unwrap();
    let loaded = NeuralNetwork::load_with(&path, &registry()).unwrap();
    let x = toy::sine(5, 0.0, 1).unwrap().x().clone();
    assert_eq!(loaded.predict(&x).unwrap(), network.predict(&x).unwrap());
}

/// A source that makes its samples when asked.
struct Parity;

impl Source<f64> for Parity {
    fn len(&self) -> usize {
        16
    }

    fn input_columns(&self) -> usize {
        4
    }

    fn target_columns(&self) -> usize {
        1
    }

    fn gather(&self, rows: &[usize], x: &mut ArrayRef2<f64>, y: &mut ArrayRef2<f64>) {
        for (i, &row) in rows.iter().enumerate() {
            for bit in 0..4 {
                x[[i, bit]] = f64::from(u8::from(row >> bit & 1 == 1));
            }
            y[[i, 0]] = f64::from(row.count_ones() % 2);
        }
    }
}

#[test]
fn an_outside_source_trains_as_its_arrays_do() {
    let mut x = Array2::zeros((16, 4));
    let mut y = Array2::zeros((16, 1));
    Parity.gather(&(0..16).collect::<Vec<_>>(), &mut x, &mut y);
    let arrays = Samples::new(x, y).unwrap();
    let train = |source: &dyn Source<f64>| {
        let optimizer = GradientDescent::new(0.3).unwrap();
        let output = gradus::Elementwise(gradus::Sigmoid);
        let loss = gradus::BinaryCrossEntropy;
        let sizes = [4, 8, 1];
        let mut network =
            NeuralNetwork::new(&sizes, gradus::Tanh, output, loss, optimizer, Init::LeCun, 1)
                .unwrap();
        let fit = Fit { batch_size: 5, epochs: 20, ..Fit::default() };
        network.fit(source, &fit, None, &mut train::silent).unwrap();
        network.params().clone()
    };
    assert_eq!(train(&Parity), train(&arrays));
}

#[test]
fn boxed_parts_do_what_plain_parts_do() {
    let mut rng = rng(5);
    let z = normal((6, 4), 3.0, &mut rng);
    let d = normal((6, 4), 1.0, &mut rng);
    let y = distributions(6, 4, &mut rng);

    let plain = gradus::Sigmoid;
    let boxed: Box<dyn Activation<f64>> = Box::new(plain);
    assert_eq!(boxed.apply(&z), plain.apply(&z));
    assert_eq!(boxed.derivatives(&z), plain.derivatives(&z));
    assert_eq!(boxed.link(), Activation::<f64>::link(&plain));

    let boxed: Box<dyn OutputActivation<f64>> = Box::new(Softmax);
    let y_hat = Softmax.apply(&z);
    assert_eq!(boxed.apply(&z), y_hat);
    assert_eq!(boxed.jacobian(&z), Softmax.jacobian(&z));
    assert_eq!(boxed.link(), OutputActivation::<f64>::link(&Softmax));
    let (mut from_boxed, mut from_plain) = (z.clone(), z.clone());
    boxed.backward_into(&z, &y_hat, &d, &mut from_boxed);
    Softmax.backward_into(&z, &y_hat, &d, &mut from_plain);
    assert_eq!(from_boxed, from_plain);

    let plain = CategoricalCrossEntropy;
    let boxed: Box<dyn Loss<f64>> = Box::new(plain);
    assert_eq!(boxed.values(&y_hat, &y), plain.values(&y_hat, &y));
    assert_eq!(boxed.derivative(&y_hat, &y), plain.derivative(&y_hat, &y));
    assert!(boxed.fused(gradus::Link::Softmax).is_some());
    assert!(boxed.check_targets(&d, 4).is_err());
    let sparse: Box<dyn Loss<f64>> = Box::new(gradus::SparseCategoricalCrossEntropy);
    assert_eq!(sparse.target_columns(4), 1);
    assert_eq!(sparse.class(ndarray::aview1(&[3.0])), Some(3));

    let plain = || gradus::Nesterov::new(0.1, 0.9).unwrap();
    let mut boxed: Box<dyn Optimizer<f64>> = Box::new(plain());
    let mut plain = plain();
    boxed.prepare(3).unwrap();
    assert!(boxed.prepare(4).is_err());
    let g = normal(3, 1.0, &mut rng);
    let (mut a, mut b) = (g.clone(), g.clone());
    for _ in 0..3 {
        boxed.step(&mut a, &g);
        plain.step(&mut b, &g);
    }
    assert_eq!(a, b);
    assert_eq!(boxed.name(), "nesterov");
    assert_eq!(boxed.state(), plain.state());
}

#[test]
fn short_products_agree_with_the_jacobian_route() {
    let mut rng = rng(6);
    let z = normal((7, 5), 2.0, &mut rng);
    let d = normal((7, 5), 1.0, &mut rng);
    let outputs: [Box<dyn OutputActivation<f64>>; 4] = [
        Box::new(Softmax),
        Box::new(SquareShare),
        Box::new(gradus::Elementwise(gradus::Gelu)),
        Box::new(gradus::Elementwise(Softsign { sharpness: 0.7 })),
    ];
    for output in outputs {
        let mut short = Array2::zeros(z.raw_dim());
        output.backward_into(&z, &output.apply(&z), &d, &mut short);
        let long = chain_rule(&d.clone().insert_axis(Axis(1)), &output.jacobian(&z));
        assert_all_close(&short, &long.index_axis(Axis(1), 0), 1e-14);
    }
}

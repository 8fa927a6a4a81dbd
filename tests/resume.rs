//! Every built-in layer and every built-in optimizer: a training that was saved between two
//! batches and loaded goes on bit for bit, dropout, running averages, schedules and all.

use std::ops::ControlFlow;

use gradus::{
    Activate, AdaGrad, Adam, AdamW, AveragePool, BatchNorm, CategoricalCrossEntropy, Clipped,
    Convolution, Decayed, Dense, Dropout, Event, Fit, Flatten, Gelu, GradientDescent, Init,
    LeakyRelu, MaxPool, Momentum, MovingAverage, Nesterov, Network, Optimizer, Output, Relu,
    RmsProp, Samples, Schedule, Scheduled, Sequential, Shape, Softmax, layers, train,
};
use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

type Boxed = Box<dyn Optimizer<f32>>;

/// Each optimizer, and each of those that stand around another.
fn optimizers() -> Vec<Boxed> {
    let cosine = Schedule::Cosine { steps: 30 };
    let step = Schedule::Step { every: 7, factor: 0.5 };
    let momentum = || Momentum::new(0.05, 0.9).unwrap();
    vec![
        Box::new(GradientDescent::new(0.1).unwrap()),
        Box::new(momentum()),
        Box::new(MovingAverage::new(0.1, 0.9).unwrap()),
        Box::new(Nesterov::new(0.05, 0.9).unwrap()),
        Box::new(AdaGrad::new(0.05).unwrap()),
        Box::new(RmsProp::new(0.01, 0.9).unwrap()),
        Box::new(Adam::new(0.01).unwrap()),
        Box::new(AdamW::new(0.01, 0.1).unwrap()),
        Box::new(Clipped::new(momentum(), 0.1).unwrap()),
        Box::new(Decayed::new(momentum(), 0.01).unwrap()),
        Box::new(Scheduled::new(Adam::new(0.01).unwrap(), cosine).unwrap()),
        Box::new(
            Clipped::new(Scheduled::new(RmsProp::new(0.01, 0.9).unwrap(), step).unwrap(), 0.5)
                .unwrap(),
        ),
    ]
}

/// A network with every built-in layer.
fn network(optimizer: Boxed) -> Sequential<f32> {
    let layers = layers![
        Dropout::new(0.9).unwrap(),
        Convolution::new(3, 3, Init::He).unwrap().padding(1).unwrap(),
        BatchNorm::new(),
        Activate(LeakyRelu::new(0.1).unwrap()),
        MaxPool::new(2).unwrap(),
        Convolution::new(4, 2, Init::He).unwrap(),
        Activate(Gelu),
        AveragePool::new(2).unwrap().stride(1).unwrap(),
        Flatten,
        Dense::new(6, Init::GlorotUniform).unwrap(),
        BatchNorm::new().momentum(0.2).unwrap(),
        Activate(Relu),
        Dropout::new(0.7).unwrap(),
        Dense::new(3, Init::LeCun).unwrap(),
        Output(Softmax),
    ];
    let shape = Shape::image(8, 8, 1);
    Sequential::new(shape, layers, CategoricalCrossEntropy, optimizer, 5).unwrap()
}

/// Images that are brighter at the left, in the middle, or at the right.
fn samples() -> Samples<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let x = Array2::from_shape_fn((45, 64), |(i, pixel)| {
        let noise: f32 = StandardNormal.sample(&mut rng);
        0.5 * noise + f32::from(u8::from(pixel % 8 / 3 == i % 3))
    });
    let y = Array2::from_shape_fn((45, 3), |(i, k)| f32::from(u8::from(i % 3 == k)));
    Samples::new(x, y).unwrap()
}

#[test]
fn every_layer_and_every_optimizer_goes_on_bit_for_bit() {
    let (data, folder) = (samples(), tempfile::tempdir().unwrap());
    for (i, optimizer) in optimizers().into_iter().enumerate() {
        let name = optimizer.name().to_owned();
        let fit = Fit { batch_size: 10, epochs: 5, threads: 1 + i % 2, ..Fit::default() };
        let mut whole = network(optimizer);
        let history = whole.fit(&data, &fit, Some(&data), &mut train::silent).unwrap();
        assert!(history.loss[4] < history.loss[0], "{name} learns: {:?}", history.loss);

        let mut broken_off = network(optimizers().swap_remove(i));
        let mut batches = 0;
        let mut stop = |event: Event| {
            batches += usize::from(matches!(event, Event::Batch { .. }));
            // In the middle of epoch 3.
            if batches == 12 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        broken_off.fit(&data, &fit, Some(&data), &mut stop).unwrap();
        let path = folder.path().join(format!("{i}.safetensors"));
        broken_off.save(&path).unwrap();
        drop(broken_off);
        let mut resumed = Sequential::<f32>::load(&path).unwrap();
        assert_eq!(resumed.training().map(|training| training.batch), Some(2), "{name}");
        let went_on = resumed.resume(&data, 5, Some(&data), &mut train::silent).unwrap();
        assert_eq!(went_on, history, "{name}");
        let bytes = |network: &Sequential<f32>| network.to_document().unwrap().to_bytes();
        assert!(bytes(&resumed) == bytes(&whole), "{name}");
        assert_eq!(resumed.predict(data.x()).unwrap(), whole.predict(data.x()).unwrap());
    }
}

#[test]
fn an_optimizer_that_is_not_restored_would_be_noticed() {
    // The test above can fail: with a fresh optimizer the same training goes elsewhere.
    let data = samples();
    let fit = Fit { batch_size: 10, epochs: 2, ..Fit::default() };
    for (i, optimizer) in optimizers().into_iter().enumerate().filter(|(i, _)| *i > 0) {
        let name = optimizer.name().to_owned();
        let mut whole = network(optimizer);
        whole.fit(&data, &fit, None, &mut train::silent).unwrap();
        let mut fresh = Sequential::<f32>::from_document(
            whole.to_document().unwrap(),
            &gradus::Registry::default(),
        )
        .unwrap();
        fresh.set_optimizer(optimizers().swap_remove(i)).unwrap();
        whole.resume(&data, 4, None, &mut train::silent).unwrap();
        fresh.resume(&data, 4, None, &mut train::silent).unwrap();
        assert_ne!(whole.params(), fresh.params(), "{name}");
    }
}

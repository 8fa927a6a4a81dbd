//! A training step allocates nothing after the first: a counting allocator, all threads
//! counted. A test binary of its own, because the allocator serves the whole process, and
//! one test, because two at a time would count each other.
#![cfg(feature = "openblas")] // matrixmultiply allocates for every product

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use gradus::{
    Activate, AdaGrad, Adam, AdamW, AveragePool, BatchNorm, BinaryCrossEntropy, Bytes,
    CategoricalCrossEntropy, Clipped, Convolution, Decayed, Dense, Dropout, Elementwise, Event,
    Fit, Flatten, Gelu, GradientDescent, Init, Layer, LeakyRelu, Loss, MaxPool, MeanSquaredError,
    Momentum, MovingAverage, Nesterov, Network, NeuralNetwork, Optimizer, Output, Registry, Relu,
    RmsProp, Samples, Schedule, Scheduled, Sequential, Shape, Sigmoid, Softmax, Source,
    SparseCategoricalCrossEntropy, State, Subset, layers,
};
use ndarray::{Array2, array};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code)]
// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::SeqCst);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::SeqCst);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations between the end of the first batch and the end of the last, in one epoch with a
/// smaller last batch.
fn allocations(network: &mut impl Network<f32>, source: &dyn Source<f32>, fit: &Fit) -> usize {
    let (mut after_first, mut after_last) = (0, 0);
    let mut observe = |event: Event| {
        if let Event::Batch { training, .. } = event {
            let calls = CALLS.load(Ordering::SeqCst);
            match training.batch {
                1 => after_first = calls,
                _ => after_last = calls,
            }
        }
        ControlFlow::Continue(())
    };
    network.fit(source, fit, None, &mut observe).unwrap();
    assert!(after_first > 0 && after_last > 0, "at least two batches");
    after_last - after_first
}

fn network(
    sizes: &[usize],
    hidden: &str,
    output: &str,
    loss: &str,
    optimizer: impl Optimizer<f32> + 'static,
) -> NeuralNetwork<f32> {
    let registry = Registry::default();
    let state = State::default;
    let hidden = match hidden {
        "leaky_relu" => Box::new(LeakyRelu::default()),
        other => registry.activation(other, state()).unwrap(),
    };
    let output = registry.output(output, state()).unwrap();
    let loss = registry.loss(loss, state()).unwrap();
    NeuralNetwork::new(sizes, hidden, output, loss, optimizer, Init::He, 1).unwrap()
}

/// `n` samples for these sizes; the targets suit the loss.
fn samples(n: usize, sizes: &[usize], loss: &dyn Loss<f32>) -> Samples<f32> {
    let outputs = sizes[sizes.len() - 1];
    let x =
        Array2::from_shape_fn((n, sizes[0]), |(i, j)| ((i * 7 + j * 3) % 11) as f32 / 5.0 - 1.0);
    let y = match loss.target_columns(outputs) {
        1 if outputs > 1 => Array2::from_shape_fn((n, 1), |(i, _)| (i % outputs) as f32),
        _ => Array2::from_shape_fn((n, outputs), |(i, j)| f32::from(u8::from(i % outputs == j))),
    };
    Samples::new(x, y).unwrap()
}

#[test]
fn training_steps_allocate_nothing_after_the_first() {
    let momentum = || Momentum::new(0.01, 0.9).unwrap();
    let pairs: [(&str, &str, Box<dyn Loss<f32>>); 6] = [
        ("softmax", "categorical_cross_entropy", Box::new(CategoricalCrossEntropy)),
        ("softmax", "sparse_categorical_cross_entropy", Box::new(SparseCategoricalCrossEntropy)),
        ("sigmoid", "binary_cross_entropy", Box::new(BinaryCrossEntropy)),
        ("identity", "mean_squared_error", Box::new(MeanSquaredError)),
        ("softmax", "mean_squared_error", Box::new(MeanSquaredError)),
        ("tanh", "mean_squared_error", Box::new(MeanSquaredError)),
    ];
    // From XOR's size to sizes beyond BLAS's threshold, with sides of 1.
    for sizes in [&[2, 2, 1][..], &[2, 3, 3], &[2, 8, 1], &[1, 20, 1, 9], &[30, 33, 10]] {
        for (output, name, loss) in &pairs {
            if *output == "softmax" && sizes[sizes.len() - 1] == 1 {
                continue;
            }
            let data = samples(50, sizes, &**loss);
            for (composed, threads, batch_size) in
                [(false, 1, 8), (true, 1, 8), (false, 2, 16), (true, 3, 16), (false, 1, 49)]
            {
                let mut network = network(sizes, "tanh", output, name, momentum());
                if composed {
                    network = network.composed();
                }
                let fit = Fit { batch_size, epochs: 1, threads, ..Fit::default() };
                let calls = allocations(&mut network, &data, &fit);
                assert_eq!(calls, 0, "{sizes:?} {output} {name} {composed} {threads} {batch_size}");
            }
        }
    }

    let sizes = [4, 9, 3];
    let data = samples(50, &sizes, &CategoricalCrossEntropy);
    let fit = Fit { batch_size: 8, epochs: 1, ..Fit::default() };
    let check = |what: &str, mut network: NeuralNetwork<f32>, data: &dyn Source<f32>| {
        assert_eq!(allocations(&mut network, data, &fit), 0, "{what}");
    };
    let standard =
        |hidden: &str| network(&sizes, hidden, "softmax", "categorical_cross_entropy", momentum());
    for hidden in ["identity", "relu", "leaky_relu", "sigmoid", "softplus", "gelu"] {
        check(hidden, standard(hidden), &data);
    }
    macro_rules! optimizers {
        ($($optimizer:expr),*) => {$(
            let optimizer = $optimizer;
            let name = format!("{optimizer:?}");
            let loss = "categorical_cross_entropy";
            check(&name, network(&sizes, "relu", "softmax", loss, optimizer), &data);
        )*};
    }
    optimizers!(
        GradientDescent::new(0.01).unwrap(),
        MovingAverage::new(0.01, 0.9).unwrap(),
        Nesterov::new(0.01, 0.9).unwrap(),
        AdaGrad::new(0.01).unwrap(),
        RmsProp::new(0.01, 0.9).unwrap(),
        Adam::new(0.01).unwrap(),
        AdamW::new(0.01, 0.1).unwrap(),
        Clipped::new(momentum(), 0.1).unwrap(),
        Decayed::new(momentum(), 0.1).unwrap(),
        Scheduled::new(momentum(), Schedule::OneCycle { steps: 5, peak: 2 }).unwrap()
    );
    // Parts that are handed in plainly, and not in a box.
    let plain = NeuralNetwork::new(
        &sizes,
        Gelu,
        Elementwise(Sigmoid),
        BinaryCrossEntropy,
        momentum(),
        Init::GlorotUniform,
        1,
    );
    check("plain parts", plain.unwrap(), &data);

    let bytes = Array2::from_shape_fn((50, 4), |(i, j)| (17 * i + 5 * j) as u8);
    let bytes = Bytes::new(bytes, (0..50).map(|i| i % 3).collect(), 1.0 / 255.0, 3).unwrap();
    check("bytes", standard("relu"), &bytes);
    check("a subset", standard("relu"), &Subset::new(&bytes, 5..45).unwrap());
    layers_allocate_nothing_after_the_first_step();
    assert!(allocation_is_counted());
}

/// The same for networks of layers, with every layer there is.
fn layers_allocate_nothing_after_the_first_step() {
    let init = Init::He;
    let conv = |channels, kernel| Convolution::new(channels, kernel, init).unwrap();
    type Layers = Vec<Box<dyn Layer<f32>>>;
    let networks: [(&str, Layers); 3] = [
        (
            "all layers",
            layers![
                conv(4, 3).padding(1).unwrap(),
                BatchNorm::new(),
                Activate(Relu),
                MaxPool::new(2).unwrap(),
                conv(9, 2).stride(2).unwrap(),
                Activate(Gelu),
                AveragePool::new(2).unwrap().stride(1).unwrap(),
                Flatten,
                Dropout::new(0.8).unwrap(),
                Dense::new(8, init).unwrap(),
                BatchNorm::new(),
                Activate(Relu),
                Dense::new(3, init).unwrap(),
                Output(Softmax),
            ],
        ),
        // As small as products by hand, and larger than one piece of the way back.
        (
            "one pixel",
            layers![conv(1, 8), conv(2, 1), Flatten, Dense::new(3, init).unwrap(), Output(Softmax)],
        ),
        (
            "many columns",
            layers![
                conv(40, 3),
                conv(8, 3),
                Flatten,
                Dense::new(3, init).unwrap(),
                Output(Softmax)
            ],
        ),
    ];
    let input = Shape::image(8, 8, 2);
    let data = samples(50, &[128, 3], &CategoricalCrossEntropy);
    for (what, layers) in networks {
        let optimizer = Adam::new(0.01).unwrap();
        let mut network =
            Sequential::new(input, layers, CategoricalCrossEntropy, optimizer, 1).unwrap();
        for (threads, batch_size) in [(1, 8), (2, 16), (3, 16), (1, 49)] {
            let fit = Fit { batch_size, epochs: 1, threads, ..Fit::default() };
            let calls = allocations(&mut network, &data, &fit);
            assert_eq!(calls, 0, "{what} {threads} {batch_size}");
        }
    }
}

/// The counter counts: otherwise a zero would mean nothing.
fn allocation_is_counted() -> bool {
    let before = CALLS.load(Ordering::SeqCst);
    let array = std::hint::black_box(array![1.0, 2.0]);
    drop(array);
    CALLS.load(Ordering::SeqCst) > before
}

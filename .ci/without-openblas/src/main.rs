//! Learns exclusive or, on matrix products that do not come from OpenBLAS.

use gradus::{BinaryCrossEntropy, Elementwise, Fit, Init, Momentum, Network, NeuralNetwork, Sigmoid, Tanh};
use gradus::{blas, toy, train};

fn main() -> gradus::Result<()> {
    assert_eq!(blas::openblas(), None);
    // Sides above 7, so that the products are matrixmultiply's.
    let mut network = NeuralNetwork::<f32>::new(
        &[2, 16, 16, 1],
        Tanh,
        Elementwise(Sigmoid),
        BinaryCrossEntropy,
        Momentum::new(0.1, 0.9)?,
        Init::GlorotNormal,
        1,
    )?;
    let xor = toy::xor();
    let fit = Fit { batch_size: 4, epochs: 500, ..Fit::default() };
    let history = network.fit(&xor, &fit, None, &mut train::silent)?;
    let labels = network.predict_labels(xor.x())?;
    println!("exclusive or: loss {:.4}, labels {labels:?}", history.loss[499]);
    assert_eq!(labels, [0, 1, 1, 0]);
    assert!(history.loss[499] < 0.05);
    Ok(())
}

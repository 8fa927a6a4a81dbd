//! The optimizers of this chapter, by name.

use gradus::{
    AdaGrad, Adam, AdamW, Float, GradientDescent, Momentum, Nesterov, Optimizer, Result, RmsProp,
};

/// Makes an optimizer with this learning rate.
pub type Maker<F> = fn(f64) -> Result<Box<dyn Optimizer<F>>>;

// ANCHOR: zoo
/// Six optimizers by name; what is not their rate is as usual.
pub fn zoo<F: Float>() -> [(&'static str, Maker<F>); 6] {
    [
        ("gradient descent", |eta| Ok(Box::new(GradientDescent::new(eta)?))),
        ("momentum", |eta| Ok(Box::new(Momentum::new(eta, 0.9)?))),
        ("Nesterov", |eta| Ok(Box::new(Nesterov::new(eta, 0.9)?))),
        ("AdaGrad", |eta| Ok(Box::new(AdaGrad::new(eta)?))),
        ("RMSprop", |eta| Ok(Box::new(RmsProp::new(eta, 0.9)?))),
        ("Adam", |eta| Ok(Box::new(Adam::new(eta)?))),
    ]
}
// ANCHOR_END: zoo

/// A name in the results: "gradient descent" is `gradient_descent`.
pub fn key(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

/// AdamW with the weight decay that PyTorch has by default.
pub fn with_decay<F: Float>(eta: f64) -> Result<Box<dyn Optimizer<F>>> {
    Ok(Box::new(AdamW::new(eta, 0.01)?))
}

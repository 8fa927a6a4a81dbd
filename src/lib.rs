//! A neural network from scratch: the library of the book *Gradus*.
//!
//! Each module is one idea, and imports only modules that stand above it in
//! this list:
//!
//! | module | idea |
//! |---|---|
//! | [`float`](mod@float), `file_problem`, [`error`] | `f32` and `f64`; what can be wrong |
//! | [`blas`] | matrix products, and which kernel computes them |
//! | [`zeros`] | matrix products that skip zeros |
//! | [`check`] | a derivative against finite differences |
//! | [`part`] | what all parts have in common: a name and a state |
//! | [`activation`] | functions of one number |
//! | [`output`] | functions of a row, and their Jacobians |
//! | [`target`], [`loss`] | targets, and how far outputs are from them |
//! | [`fused`] | the same losses from logits, without a division |
//! | [`optimizer`] | from a gradient to a step |
//! | [`modified`], [`schedule`] | clipping, L2, and learning rates that change |
//! | [`adaptive`], [`adam`] | steps with a rate for every parameter |
//! | [`random`], [`init`] | seeds; where training starts |
//! | [`data`], [`toy`], [`iris`], [`mnist`] | samples, batches, data sets |
//! | [`standardise`] | features on one scale |
//! | [`training`], `gate`, `crew`, [`train`] | what a training is; the loop, and how threads share a batch |
//! | [`layout`] | all parameters as one vector |
//! | [`layer`], [`dense`], [`pointwise`] | layers that know nothing of each other |
//! | `window`, [`convolution`], [`pooling`] | layers that look at an image through a window |
//! | [`dropout`], [`batch_norm`] | layers that behave otherwise in training than in prediction |
//! | [`registry`] | parts by name |
//! | `file`, [`persist`], `npy` | files that are whole or not there |
//! | `fit` | what every network can do: train, predict, be judged |
//! | [`network`], `pass`, `saved` | the network of part I; forward and back; saving |
//! | [`sequential`], `sequential_pass`, `sequential_saved` | the same for a network of layers |
//!
//! Rows are samples, columns are features. In shapes, n is the number of
//! samples in a batch, m the number of outputs, p the number of parameters. `x`
//! are inputs, `z` is what enters an activation, `a` what leaves it; `y` are
//! targets and `y_hat` outputs; `d_x` is ∂L/∂x.

pub mod float;

mod file_problem;

pub mod error;

pub mod blas;

pub mod zeros;

pub mod check;

pub mod part;

pub mod activation;

pub mod output;

pub mod target;

pub mod loss;

pub mod fused;

pub mod optimizer;

pub mod modified;

pub mod schedule;

pub mod adaptive;

pub mod adam;

pub mod random;

pub mod init;

pub mod data;

pub mod toy;

pub mod iris;

pub mod mnist;

pub mod standardise;

pub mod training;

mod gate;

mod crew;

pub mod train;

pub mod layout;

pub mod layer;

pub mod dense;

pub mod pointwise;

mod window;

pub mod convolution;

pub mod pooling;

pub mod dropout;

pub mod batch_norm;

pub mod registry;

mod file;

pub mod persist;

mod npy;

mod fit;

pub mod network;

mod pass;

mod saved;

pub mod sequential;

mod sequential_pass;

mod sequential_saved;

#[doc(inline)]
pub use activation::{
    Activation, Gelu, Identity, LeakyRelu, Link, Relu, Sigmoid, Softplus, Tanh,
};
#[doc(inline)]
pub use adam::{Adam, AdamW};
#[doc(inline)]
pub use adaptive::{AdaGrad, RmsProp};
#[doc(inline)]
pub use batch_norm::BatchNorm;
#[doc(inline)]
pub use convolution::Convolution;
#[doc(inline)]
pub use data::{Bytes, Samples, Source, Subset};
#[doc(inline)]
pub use dense::Dense;
#[doc(inline)]
pub use dropout::Dropout;
#[doc(inline)]
pub use error::{Error, Result};
#[doc(inline)]
pub use file_problem::FileProblem;
#[doc(inline)]
pub use fit::{Network, Score};
#[doc(inline)]
pub use float::Float;
#[doc(inline)]
pub use init::Init;
#[doc(inline)]
pub use layer::{Draw, Layer, Mode, Pass, Shape};
#[doc(inline)]
pub use loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, FusedLoss, Loss,
    MeanSquaredError, SparseCategoricalCrossEntropy,
};
#[doc(inline)]
pub use mnist::Mnist;
#[doc(inline)]
pub use modified::{Clipped, Decayed};
#[doc(inline)]
pub use network::NeuralNetwork;
#[doc(inline)]
pub use optimizer::{
    GradientDescent, Momentum, MovingAverage, Nesterov, Optimizer,
};
#[doc(inline)]
pub use output::{Elementwise, OutputActivation, Softmax, chain_rule};
#[doc(inline)]
pub use part::{Part, State};
#[doc(inline)]
pub use pass::Trace;
#[doc(inline)]
pub use pointwise::{Activate, Flatten, Output};
#[doc(inline)]
pub use pooling::{AveragePool, MaxPool};
#[doc(inline)]
pub use registry::Registry;
#[doc(inline)]
pub use schedule::{Schedule, Scheduled};
#[doc(inline)]
pub use sequential::Sequential;
#[doc(inline)]
pub use sequential_pass::Passage;
#[doc(inline)]
pub use standardise::Standardiser;
#[doc(inline)]
pub use target::one_hot;
#[doc(inline)]
pub use train::{Event, Model, Share};
#[doc(inline)]
pub use training::{Fit, History, Training};

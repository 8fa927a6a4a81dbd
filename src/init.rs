//! Initialisations: where training starts.
//!
//! For a layer with `fan_in` inputs and `fan_out` outputs:
//!
//! | initialisation | weights | biases |
//! |---|---|---|
//! | [`Init::Lazar`] | normal, variance 1 / (fan_in + fan_out) | the same |
//! | [`Init::GlorotNormal`] | normal, variance 2 / (fan_in + fan_out) | 0 |
//! | [`Init::GlorotUniform`] | uniform, the same variance | 0 |
//! | [`Init::He`] | normal, variance 2 / fan_in | 0 |
//! | [`Init::LeCun`] | normal, variance 1 / fan_in | 0 |

use ndarray::{ArrayRef1, ArrayRef2};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal, StandardUniform};

use crate::float::Float;

/// How weights and biases are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Init {
    /// Lazar, *Implement a neural network from scratch with NumPy*. The
    /// variance is half of Glorot's, and the biases are drawn as well.
    Lazar,
    /// Glorot, Bengio, *Understanding the difficulty of training deep
    /// feedforward neural networks* (2010), with normal weights. For tanh and
    /// sigmoid.
    GlorotNormal,
    /// The same variance with uniform weights, as in the paper.
    GlorotUniform,
    /// He, Zhang, Ren, Sun, *Delving deep into rectifiers* (2015). For ReLU.
    He,
    /// LeCun, Bottou, Orr, Müller, *Efficient backprop* (1998).
    LeCun,
}

impl Init {
    // ANCHOR: variance
    /// The variance of each weight.
    pub fn variance(self, fan_in: usize, fan_out: usize) -> f64 {
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        match self {
            Init::Lazar => 1.0 / (fan_in + fan_out),
            Init::GlorotNormal | Init::GlorotUniform => {
                2.0 / (fan_in + fan_out)
            }
            Init::He => 2.0 / fan_in,
            Init::LeCun => 1.0 / fan_in,
        }
    }
    // ANCHOR_END: variance

    /// Draws the weights and biases of one layer.
    ///
    /// # Shapes
    /// `weights`: (fan_in, fan_out), `biases`: (fan_out)
    pub fn fill<F: Float>(
        self,
        weights: &mut ArrayRef2<F>,
        biases: &mut ArrayRef1<F>,
        rng: &mut impl Rng,
    ) {
        let (fan_in, fan_out) = weights.dim();
        let std = self.variance(fan_in, fan_out).sqrt();
        for weight in weights.iter_mut() {
            *weight = F::cast(std * self.standard(rng));
        }
        for bias in biases.iter_mut() {
            *bias = if self == Init::Lazar {
                F::cast(std * self.standard(rng))
            } else {
                F::zero()
            };
        }
    }

    /// A random number with mean 0 and variance 1.
    fn standard(self, rng: &mut impl Rng) -> f64 {
        match self {
            // A uniform number in [−√3, √3) has variance 1.
            Init::GlorotUniform => {
                let uniform: f64 = StandardUniform.sample(rng);
                3.0_f64.sqrt() * (2.0 * uniform - 1.0)
            }
            _ => StandardNormal.sample(rng),
        }
    }
}

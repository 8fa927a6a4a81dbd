//! What can be asked of this chapter on the command line.

use clap::{Parser, ValueEnum};
use gradus::{Activation, Elementwise, Fit, Gelu, Init, Momentum, NeuralNetwork, Relu, Sigmoid};
use gradus::{BinaryCrossEntropy, Loss, OutputActivation, Tanh};
use ndarray::Array2;

/// Chapter 4: the network
#[derive(Parser)]
pub struct Args {
    #[command(flatten)]
    pub common: lab::Common,

    /// The activation of the hidden layers
    #[arg(long, value_name = "NAME", default_value = "tanh")]
    pub activation: Hidden,

    /// How many units each hidden layer has, from 1 to 500
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = units)]
    pub hidden: usize,

    /// The learning rate of the four problems [default: 0.1 for XOR, 0.02 for the others]
    #[arg(long, value_name = "ETA", allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,

    /// The momentum, from 0 to less than 1
    #[arg(long, value_name = "MU", default_value_t = 0.9, allow_negative_numbers = true)]
    pub momentum: f64,

    /// How many epochs each of the four problems is trained for, from 1 to 10000 [default: 500
    /// for XOR, 100 for the moons, 200 for the spirals, 1000 for the sine]
    #[arg(long, value_name = "N", value_parser = epochs)]
    pub epochs: Option<usize>,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

/// The hidden activations to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Hidden {
    Tanh,
    Relu,
    Sigmoid,
    Gelu,
}

impl Hidden {
    pub fn activation(self) -> Box<dyn Activation<f64>> {
        match self {
            Hidden::Tanh => Box::new(Tanh),
            Hidden::Relu => Box::new(Relu),
            Hidden::Sigmoid => Box::new(Sigmoid),
            Hidden::Gelu => Box::new(Gelu),
        }
    }

    /// The initialisation that belongs to it.
    pub fn init(self) -> Init {
        match self {
            Hidden::Tanh | Hidden::Sigmoid => Init::GlorotNormal,
            Hidden::Relu | Hidden::Gelu => Init::He,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Hidden::Tanh => "tanh",
            Hidden::Relu => "ReLU",
            Hidden::Sigmoid => "sigmoid",
            Hidden::Gelu => "GELU",
        }
    }
}

impl Args {
    /// Finds what is wrong before anything has been computed.
    pub fn check(&self) -> gradus::Result<()> {
        self.optimizer(0.1).map(|_| ())
    }

    pub fn seed(&self) -> u64 {
        self.common.seed
    }

    /// The seed of samples that no network was trained on.
    pub fn test_seed(&self) -> u64 {
        self.common.seed.wrapping_add(1_000_000)
    }

    /// Momentum, with this learning rate unless another was asked for.
    pub fn optimizer(&self, rate: f64) -> gradus::Result<Momentum<f64>> {
        Momentum::new(self.learning_rate.unwrap_or(rate), self.momentum)
    }

    /// How to train, for this many epochs unless another number was asked for.
    pub fn fit(&self, epochs: usize, batch_size: usize) -> Fit {
        let epochs = self.epochs.unwrap_or(epochs);
        Fit { epochs, batch_size, seed: self.seed(), ..Fit::default() }
    }

    /// A network with the hidden activation that was asked for.
    pub fn network(
        &self,
        sizes: &[usize],
        output: impl OutputActivation<f64> + 'static,
        loss: impl Loss<f64> + 'static,
        rate: f64,
    ) -> gradus::Result<NeuralNetwork<f64>> {
        let (hidden, init) = (self.activation.activation(), self.activation.init());
        let optimizer = self.optimizer(rate)?;
        NeuralNetwork::new(sizes, hidden, output, loss, optimizer, init, self.seed())
    }
}

/// A network for yes or no: one output, a sigmoid, with binary cross-entropy. Momentum 0.9.
pub fn yes_or_no(
    sizes: &[usize],
    rate: f64,
    hidden: impl Activation<f64> + 'static,
    init: Init,
    seed: u64,
) -> gradus::Result<NeuralNetwork<f64>> {
    let optimizer = Momentum::new(rate, 0.9)?;
    let output = Elementwise(Sigmoid);
    NeuralNetwork::new(sizes, hidden, output, BinaryCrossEntropy, optimizer, init, seed)
}

/// Normal numbers with mean 0 and variance 1.
pub fn normal(shape: (usize, usize), rng: &mut impl rand::Rng) -> Array2<f64> {
    use rand_distr::{Distribution, StandardNormal};
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut *rng))
}

fn units(text: &str) -> Result<usize, String> {
    whole(text, 500)
}

fn epochs(text: &str) -> Result<usize, String> {
    whole(text, 10_000)
}

fn whole(text: &str, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=most).contains(&n) => Ok(n),
        Ok(n) => Err(format!("must lie in 1 to {most}, but is {n}")),
        Err(_) => Err(format!("must be a whole number from 1 to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused_with_their_value() {
        let refused = |args: &[&str]| {
            let args = ["chapter04"].iter().chain(args);
            match Args::try_parse_from(args) {
                Err(error) => error.to_string(),
                Ok(args) => args.check().unwrap_err().to_string(),
            }
        };
        assert!(refused(&["--hidden", "0"]).contains("must lie in 1 to 500, but is 0"));
        assert!(refused(&["--epochs", "1.5"]).contains("must be a whole number"));
        assert!(refused(&["--activation", "step"]).contains("tanh, relu, sigmoid, gelu"));
        assert!(refused(&["--learning-rate", "-1"]).contains("positive and finite, but is -1"));
        assert!(refused(&["--learning-rate", "nan"]).contains("positive and finite, but is NaN"));
        assert!(refused(&["--momentum", "1"]).contains("lie in [0, 1), but is 1"));
        assert!(Args::try_parse_from(["chapter04", "--activation", "gelu"]).is_ok());
    }
}

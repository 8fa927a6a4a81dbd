//! How large the numbers in a deep network are, layer by layer.

use gradus::random::Random;
use gradus::{
    Activation, Elementwise, Identity, Init, MeanSquaredError, Model, Network, NeuralNetwork, Share,
};
use gradus::{GradientDescent, Trace};
use lab::Result;
use ndarray::{Array1, Array2, ArrayRef2, Axis};

use crate::arguments::normal;

/// How many units each layer has, how many layers there are, and how many samples pass.
pub const WIDTH: usize = 256;
pub const LAYERS: usize = 10;
pub const SAMPLES: usize = 64;

/// How weights are drawn: as the library does it, or normal with a given standard deviation.
#[derive(Clone, Copy)]
pub enum Start {
    Of(Init),
    Normal(f64),
}

/// The five that are compared, with their names.
pub const STARTS: [(&str, &str, Start); 5] = [
    ("normal × 0.01", "small", Start::Normal(0.01)),
    ("Lazar", "lazar", Start::Of(Init::Lazar)),
    ("Glorot", "glorot", Start::Of(Init::GlorotNormal)),
    ("He", "he", Start::Of(Init::He)),
    ("normal × 0.2", "large", Start::Normal(0.2)),
];

impl Start {
    /// The variance of each weight of a square layer.
    pub fn variance(self) -> f64 {
        match self {
            Start::Of(init) => init.variance(WIDTH, WIDTH),
            Start::Normal(std) => std * std,
        }
    }

    /// A network that starts here.
    pub fn network(
        self,
        sizes: &[usize],
        make: impl FnOnce(&[usize], Init) -> gradus::Result<NeuralNetwork<f64>>,
    ) -> gradus::Result<NeuralNetwork<f64>> {
        let std = match self {
            Start::Of(init) => return make(sizes, init),
            Start::Normal(std) => std,
        };
        let mut network = make(sizes, Init::LeCun)?;
        let layout = network.layout().clone();
        let mut params = network.params().clone();
        for (i, &fan_in) in sizes[..layout.layers()].iter().enumerate() {
            // LeCun's standard deviation is 1 / √fan_in.
            let factor = std * (fan_in as f64).sqrt();
            layout.weights_mut(&mut params, i).mapv_inplace(|w| factor * w);
        }
        network.set_params(&params)?;
        Ok(network)
    }
}

/// Root mean squares, layer by layer.
pub struct Sizes {
    /// Of z.
    pub forward: Vec<f64>,
    /// Of ∂L/∂z, as a multiple of what it is in the last layer.
    pub backward: Vec<f64>,
    /// Of what differs between the samples in the last layer's z.
    pub spread: f64,
}

/// Sends normal numbers through a deep network, and normal numbers back.
pub fn measure(hidden: impl Activation<f64> + 'static, start: Start, seed: u64) -> Result<Sizes> {
    let network = start.network(&[WIDTH; LAYERS + 1], |sizes, init| {
        let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(0.1)?);
        NeuralNetwork::new(sizes, hidden, output, MeanSquaredError, optimizer, init, seed)
    })?;
    let mut rng = Random::new(seed, 7).generator();
    let x = normal((SAMPLES, WIDTH), &mut rng);
    // Targets that lie a normal number away from the outputs: ∂L/∂z is normal in the last layer.
    let y = network.predict(&x)? + normal((SAMPLES, WIDTH), &mut rng);
    let trace = backward(&network, &x, &y);
    let last = root_mean_square(&trace.d_z[LAYERS - 1]);
    let z = &trace.z[LAYERS - 1];
    let mean = z.mean_axis(Axis(0)).ok_or("there are samples")?;
    Ok(Sizes {
        forward: trace.z.iter().map(|z| root_mean_square(z)).collect(),
        backward: trace.d_z.iter().map(|d_z| root_mean_square(d_z) / last).collect(),
        spread: root_mean_square(&(z - &mean)),
    })
}

/// What a forward and a backward pass leave behind.
pub fn backward(network: &NeuralNetwork<f64>, x: &Array2<f64>, y: &Array2<f64>) -> Trace<f64> {
    let mut trace = network.trace(x.nrows());
    let mut gradient = Array1::zeros(network.params().len());
    network.gradient_into(x, y, Share::whole(x.nrows()), &mut trace, &mut gradient);
    trace
}

fn root_mean_square(a: &ArrayRef2<f64>) -> f64 {
    (a.iter().map(|a| a * a).sum::<f64>() / a.len() as f64).sqrt()
}

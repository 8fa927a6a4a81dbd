//! A straight line through a few samples: a bowl that comes from data, its mini-batches, a
//! gradient with a published bug in it, and the optimizer that hides it.

use gradus::random::Random;
use gradus::{Elementwise, GradientDescent, Identity, Init, MeanSquaredError, NeuralNetwork, Part};
use gradus::{Float, Optimizer};
use lab::Result;
use ndarray::{Array1, Array2, ArrayRef1, Axis};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use crate::bowl::Bowl;

/// Samples of a line with noise, and a network without hidden layers that is to find it: one
/// weight, one bias.
pub struct Line {
    x: Array2<f64>,
    y: Array2<f64>,
}

impl Line {
    /// n samples of y = 0.8 x − 0.4 with x between −0.5 and 1.5, and noise on y.
    pub fn new(n: usize, seed: u64) -> Self {
        let mut rng = Random::new(seed, 0).generator();
        let x = Array2::from_shape_simple_fn((n, 1), || 2.0 * rng.random::<f64>() - 0.5);
        let y = x.mapv(|x| {
            let noise: f64 = StandardNormal.sample(&mut rng);
            0.8 * x - 0.4 + 0.3 * noise
        });
        Self { x, y }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.x.nrows()
    }

    /// The library's loss and gradient over these samples, at weight and bias w.
    pub fn loss_and_gradient(
        &self,
        rows: &[usize],
        w: &ArrayRef1<f64>,
    ) -> gradus::Result<(f64, Array1<f64>)> {
        let descent = GradientDescent::new(1.0)?;
        let output = Elementwise(Identity);
        let mut network = NeuralNetwork::new(
            &[1, 1],
            Identity,
            output,
            MeanSquaredError,
            descent,
            Init::LeCun,
            1,
        )?;
        network.set_params(w)?;
        network.loss_and_gradient(&self.x.select(Axis(0), rows), &self.y.select(Axis(0), rows))
    }

    /// The gradient of the squared error of sample i: 2 (x̃ᵢᵀw − yᵢ) x̃ᵢ.
    pub fn gradient_of_one(&self, i: usize, w: &ArrayRef1<f64>) -> Array1<f64> {
        let x = self.x[[i, 0]];
        let error = x * w[0] + w[1] - self.y[[i, 0]];
        Array1::from(vec![2.0 * error * x, 2.0 * error])
    }

    /// The variance of the samples' gradients at the minimum, along each eigenvector.
    pub fn noise_at_minimum(&self, bowl: &Bowl) -> Array1<f64> {
        let each = |i: usize| bowl.q.t().dot(&self.gradient_of_one(i, &bowl.minimum));
        let squares = (0..self.len()).map(|i| each(i).mapv(|g| g * g));
        squares.fold(Array1::zeros(2), |sum, square| sum + square) / self.len() as f64
    }

    /// The numbers of all samples.
    pub fn all(&self) -> Vec<usize> {
        (0..self.len()).collect()
    }

    /// The bowl that the mean squared error is: A = 2/n X̃ᵀX̃ and b = 2/n X̃ᵀy.
    pub fn bowl(&self) -> Result<Bowl> {
        let ones = Array2::ones((self.len(), 1));
        let x = ndarray::concatenate(Axis(1), &[self.x.view(), ones.view()])?;
        let two_over_n = 2.0 / self.len() as f64;
        let b = x.t().dot(&self.y.column(0)) * two_over_n;
        Bowl::new(x.t().dot(&x) * two_over_n, b)
    }

    // ANCHOR: twice_averaged
    /// The published bug: the derivative of the loss is a mean over the
    /// samples already, and the gradients of weight and bias divide by n again.
    pub fn twice_averaged(&self, w: &Array1<f64>) -> Array1<f64> {
        let n = self.len() as f64;
        let y_hat = &self.x * w[0] + w[1];
        let d_y_hat = (y_hat - &self.y) * (2.0 / n);
        let d_weight = (&self.x * &d_y_hat).sum() / n;
        let d_bias = d_y_hat.sum() / n;
        Array1::from(vec![d_weight, d_bias])
    }
    // ANCHOR_END: twice_averaged
}

/// All sets of `size` of the numbers below n.
pub fn subsets(n: usize, size: usize) -> Vec<Vec<usize>> {
    let members = |set: u32| (0..n).filter(|i| set >> i & 1 == 1).collect();
    (0..1_u32 << n).filter(|set| set.count_ones() as usize == size).map(members).collect()
}

/// Adam: a step is the mean of the gradients, divided by their size.
#[derive(Debug)]
pub struct Adam {
    rate: f64,
    mean: Array1<f64>,
    square: Array1<f64>,
    steps: i32,
}

impl Adam {
    /// Adam with the usual β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn new(rate: f64, parameters: usize) -> Self {
        let zeros = || Array1::zeros(parameters);
        Self { rate, mean: zeros(), square: zeros(), steps: 0 }
    }
}

impl<F: Float> Part<F> for Adam {
    fn name(&self) -> &str {
        "adam"
    }
}

impl Optimizer<f64> for Adam {
    fn step(&mut self, params: &mut ArrayRef1<f64>, gradient: &ArrayRef1<f64>) {
        let (beta1, beta2, epsilon): (f64, f64, f64) = (0.9, 0.999, 1e-8);
        self.steps += 1;
        for i in 0..params.len() {
            let g = gradient[i];
            self.mean[i] = beta1 * self.mean[i] + (1.0 - beta1) * g;
            self.square[i] = beta2 * self.square[i] + (1.0 - beta2) * g * g;
            let mean = self.mean[i] / (1.0 - beta1.powi(self.steps));
            let square = self.square[i] / (1.0 - beta2.powi(self.steps));
            params[i] -= self.rate * mean / (square.sqrt() + epsilon);
        }
    }
}

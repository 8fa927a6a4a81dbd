//! The dense layer of a published tutorial, rebuilt: on the way back it learns.

use ndarray::{Array1, Array2, Axis};

// ANCHOR: LearningLayer
/// Aflak's fully connected layer: `backward` answers and takes a step.
#[derive(Debug, Clone)]
pub struct LearningLayer {
    pub weights: Array2<f64>,
    pub biases: Array1<f64>,
    input: Array2<f64>,
}

impl LearningLayer {
    /// y = x W + b; the layer remembers x.
    pub fn forward(&mut self, x: &Array2<f64>) -> Array2<f64> {
        self.input = x.clone();
        x.dot(&self.weights) + &self.biases
    }

    /// ∂L/∂x, given ∂L/∂y. The parameters have moved when it returns.
    pub fn backward(&mut self, d_y: &Array2<f64>, rate: f64) -> Array2<f64> {
        let d_x = d_y.dot(&self.weights.t());
        self.weights.scaled_add(-rate, &self.input.t().dot(d_y));
        self.biases.scaled_add(-rate, &d_y.sum_axis(Axis(0)));
        d_x
    }
}
// ANCHOR_END: LearningLayer

impl LearningLayer {
    pub fn new(weights: Array2<f64>, biases: Array1<f64>) -> Self {
        let input = Array2::zeros((0, weights.nrows()));
        Self { weights, biases, input }
    }
}

/// The tutorial's 2-3-1 for exclusive or: two such layers, tanh after each.
#[derive(Debug, Clone)]
pub struct LearningNetwork {
    pub layers: Vec<LearningLayer>,
    inputs_of_tanh: Vec<Array2<f64>>,
}

impl LearningNetwork {
    pub fn new(layers: Vec<LearningLayer>) -> Self {
        Self { layers, inputs_of_tanh: Vec::new() }
    }

    pub fn forward(&mut self, x: &Array2<f64>) -> Array2<f64> {
        self.inputs_of_tanh.clear();
        let mut y = x.clone();
        for layer in &mut self.layers {
            let z = layer.forward(&y);
            y = z.mapv(f64::tanh);
            self.inputs_of_tanh.push(z);
        }
        y
    }

    /// The squared error of one sample.
    pub fn loss(&mut self, x: &Array2<f64>, y: &Array2<f64>) -> f64 {
        (self.forward(x) - y).mapv(|e| e * e).sum() / y.len() as f64
    }

    /// The loss, and one step of every layer.
    pub fn learn(&mut self, x: &Array2<f64>, y: &Array2<f64>, rate: f64) -> f64 {
        let error = self.forward(x) - y;
        let mut d_y = &error * (2.0 / y.len() as f64);
        for (layer, z) in self.layers.iter_mut().zip(&self.inputs_of_tanh).rev() {
            let d_z = d_y * z.mapv(|z| 1.0 - z.tanh() * z.tanh());
            d_y = layer.backward(&d_z, rate);
        }
        error.mapv(|e| e * e).sum() / y.len() as f64
    }

    /// All parameters, layer by layer.
    pub fn params(&self) -> Array1<f64> {
        let all =
            self.layers.iter().flat_map(|layer| layer.weights.iter().chain(layer.biases.iter()));
        all.copied().collect()
    }

    /// Replaces all parameters.
    pub fn set_params(&mut self, params: &ndarray::ArrayRef1<f64>) {
        let mut rest = params.iter().copied();
        for layer in &mut self.layers {
            for place in layer.weights.iter_mut().chain(layer.biases.iter_mut()) {
                *place = rest.next().unwrap_or(f64::NAN);
            }
        }
    }
}

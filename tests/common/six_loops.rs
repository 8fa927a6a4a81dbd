//! Convolution and pooling from their definitions, one number at a time, and a way to run any
//! layer outside a network.

use gradus::{Float, Layer, Mode, Pass, Shape};
use ndarray::{Array1, Array2, Array4, ArrayRef1, ArrayRef2};

/// How a window moves over an image.
#[derive(Debug, Clone, Copy)]
pub struct Slide {
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Slide {
    /// How many places it has along a side of so many pixels.
    pub fn places(&self, side: usize) -> usize {
        (0..).take_while(|i| i * self.stride + self.kernel <= side + 2 * self.padding).count()
    }

    /// Pixel a of the window at place i, as a pixel of the image, if it is one.
    pub fn pixel(&self, i: usize, a: usize, side: usize) -> Option<usize> {
        (i * self.stride + a).checked_sub(self.padding).filter(|&pixel| pixel < side)
    }
}

/// The convolution of a batch (n, h, w, c) with weights (k, k, c, m) and biases (m): six loops,
/// and one over the samples.
pub fn convolve(
    slide: Slide,
    x: &Array4<f64>,
    weights: &Array4<f64>,
    biases: &Array1<f64>,
) -> Array4<f64> {
    let (n, height, width, channels) = x.dim();
    let shape = (n, slide.places(height), slide.places(width), biases.len());
    let mut y = Array4::zeros(shape);
    for s in 0..n {
        for i in 0..shape.1 {
            for j in 0..shape.2 {
                for o in 0..shape.3 {
                    let mut sum = biases[o];
                    for a in 0..slide.kernel {
                        for b in 0..slide.kernel {
                            for c in 0..channels {
                                let row = slide.pixel(i, a, height);
                                let column = slide.pixel(j, b, width);
                                if let (Some(row), Some(column)) = (row, column) {
                                    sum += x[[s, row, column, c]] * weights[[a, b, c, o]];
                                }
                            }
                        }
                    }
                    y[[s, i, j, o]] = sum;
                }
            }
        }
    }
    y
}

/// A batch (n, h, w, c) as the rows that a layer takes.
pub fn rows(x: &Array4<f64>) -> Array2<f64> {
    let (n, h, w, c) = x.dim();
    x.to_shape((n, h * w * c)).unwrap().to_owned()
}

/// Rows as a batch of images of this shape.
pub fn images(x: &ArrayRef2<f64>, shape: Shape) -> Array4<f64> {
    let Shape::Image { height, width, channels } = shape else { panic!("{shape} is no image") };
    x.to_shape((x.nrows(), height, width, channels)).unwrap().to_owned()
}

/// What a layer makes of a batch, and of ∂L/∂y on the way back.
#[derive(Debug)]
pub struct Run<F: Float> {
    pub output: Shape,
    pub y: Array2<F>,
    pub d_x: Array2<F>,
    pub d_params: Array1<F>,
    pub kept: Array1<F>,
}

/// Runs a layer forward, and back with the ∂L/∂y that `d_y_of` makes of y. Everything that the
/// layer writes to is full of NaN before.
pub fn run_with<F: Float>(
    layer: &mut dyn Layer<F>,
    input: Shape,
    params: &ArrayRef1<F>,
    x: &ArrayRef2<F>,
    d_y_of: impl FnOnce(&Array2<F>) -> Array2<F>,
) -> Run<F> {
    let output = layer.accept(input).unwrap();
    let n = x.nrows();
    let mut y = Array2::from_elem((n, output.len()), F::nan());
    let mut kept = Array1::from_elem(layer.room(n), F::nan());
    layer.forward_into(Mode::Predict, params, x, &mut y, &mut kept);
    let d_y = d_y_of(&y);
    let mut d_x = Array2::from_elem(x.raw_dim(), F::nan());
    let mut d_params = Array1::from_elem(params.len(), F::nan());
    let pass = Pass { params: params.view(), x: x.view(), y: y.view(), kept: kept.view() };
    layer.backward_into(&pass, &d_y, Some(&mut d_x), &mut d_params);
    Run { output, y, d_x, d_params, kept }
}

/// The same with a ∂L/∂y that is known.
pub fn run<F: Float>(
    layer: &mut dyn Layer<F>,
    input: Shape,
    params: &ArrayRef1<F>,
    x: &ArrayRef2<F>,
    d_y: &ArrayRef2<F>,
) -> Run<F> {
    run_with(layer, input, params, x, |_| d_y.to_owned())
}

/// How many parameters a layer has, after it has accepted its input.
pub fn parameter_count<F: Float>(layer: &dyn Layer<F>) -> usize {
    layer.parameters().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
}

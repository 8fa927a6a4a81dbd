//! Chapter 9: generalisation.

mod decisions;
mod normalised;
mod variants;

use gradus::{
    BatchNorm, Decayed, Draw, Elementwise, GradientDescent, Identity, Init, Layer,
    MeanSquaredError, Mode, Network, NeuralNetwork, Optimizer, Pass, Shape, Standardiser,
};
use ndarray::{Array1, Array2, Axis, array, s};
use signatures::chapter09::{Functions, call};

use crate::chapter::Chapter;
use crate::question::Ask;

/// What the library says.
const REFERENCE: Functions = Functions {
    l2_cost_and_gradient: |loss, weights, d_weights, lambda, n| {
        let lambda = lambda / n as f64;
        let squares: f64 = weights.iter().flatten().map(|w| w * w).sum();
        let gradient = |(w, d_w): (&Array2<f64>, &Array2<f64>)| {
            let descent = GradientDescent::new(1.0).expect("a rate");
            let mut decayed = Decayed::new(descent, lambda).expect("a decay");
            let mut moved = Array1::from_iter(w.iter().copied());
            decayed.step(&mut moved, &Array1::from_iter(d_w.iter().copied()));
            // A step of length 1 takes the gradient away.
            w - &moved.into_shape_with_order(w.raw_dim()).expect("as many")
        };
        (loss + lambda / 2.0 * squares, weights.iter().zip(d_weights).map(gradient).collect())
    },
    dropout_forward: |x, keep, draws| match draws {
        None => x.clone(),
        Some(draws) => {
            let factor = |&draw: &f64| if draw < keep { 1.0 / keep } else { 0.0 };
            x * &draws.map(factor)
        }
    },
    batch_norm_forward: forward_of_the_library,
    batch_norm_backward: backward_of_the_library,
    running_statistics: running_of_the_library,
    standardise: |train, x| {
        Standardiser::of(train).and_then(|scale| scale.apply(x)).expect("finite samples")
    },
    decide_classes: |y_hat| {
        let m = y_hat.ncols();
        let (output, optimizer) = (Elementwise(Identity), GradientDescent::new(1.0));
        let (optimizer, loss) = (optimizer.expect("a rate"), MeanSquaredError);
        let network = NeuralNetwork::new(&[m, m], Identity, output, loss, optimizer, Init::He, 1);
        let mut network = network.expect("sizes");
        let mut through = Array1::zeros(m * m + m);
        (0..m).for_each(|j| through[j * m + j] = 1.0);
        network.set_params(&through).expect("they fit");
        network.predict_labels(y_hat).expect("finite outputs")
    },
};

/// y, x̂, and 1 / √(σ² + ε).
type Normalised = (Array2<f64>, Array2<f64>, Array1<f64>);

/// ∂L/∂γ, ∂L/∂β and ∂L/∂x.
type Gradients = (Array1<f64>, Array1<f64>, Array2<f64>);

/// A step of a training; batch normalisation has nothing random.
const TRAIN: Mode = Mode::Train(Draw { seed: 1, layer: 0, step: 0, first: 0 });

fn layer(columns: usize, epsilon: f64) -> BatchNorm<f64> {
    let mut layer = BatchNorm::new().epsilon(epsilon).expect("an epsilon");
    layer.accept(Shape::Vector(columns)).expect("a vector");
    layer
}

fn forward_of_the_library(
    x: &Array2<f64>,
    gamma: &Array1<f64>,
    beta: &Array1<f64>,
    epsilon: f64,
) -> Normalised {
    let (n, d) = x.dim();
    let layer = layer(d, epsilon);
    let params = ndarray::concatenate![Axis(0), gamma.view(), beta.view()];
    let (mut y, mut kept) = (Array2::zeros((n, d)), Array1::zeros(layer.room(n)));
    layer.forward_into(TRAIN, &params, x, &mut y, &mut kept);
    // It keeps mean, variance, scale, and x̂.
    let x_hat = kept.slice(s![3 * d..]).to_owned();
    let scale = kept.slice(s![2 * d..3 * d]).to_owned();
    (y, x_hat.into_shape_with_order((n, d)).expect("as many"), scale)
}

fn backward_of_the_library(
    d_y: &Array2<f64>,
    x_hat: &Array2<f64>,
    scale: &Array1<f64>,
    gamma: &Array1<f64>,
) -> Gradients {
    let (n, d) = d_y.dim();
    let layer = layer(d, 1e-5);
    let x_hat = Array1::from_iter(x_hat.iter().copied());
    let before = Array1::zeros(2 * d);
    let kept = ndarray::concatenate![Axis(0), before.view(), scale.view(), x_hat.view()];
    let params = ndarray::concatenate![Axis(0), gamma.view(), before.slice(s![..d])];
    let unused = Array2::zeros((n, d));
    let (mut d_x, mut d_params) = (Array2::zeros((n, d)), Array1::zeros(2 * d));
    let (params, kept) = (params.view(), kept.view());
    let pass = Pass { params, x: unused.view(), y: unused.view(), kept };
    layer.backward_into(&pass, d_y, Some(&mut d_x), &mut d_params);
    (d_params.slice(s![..d]).to_owned(), d_params.slice(s![d..]).to_owned(), d_x)
}

fn running_of_the_library(
    mean: &Array1<f64>,
    variance: &Array1<f64>,
    x: &Array2<f64>,
    alpha: f64,
) -> (Array1<f64>, Array1<f64>) {
    let (n, d) = x.dim();
    let mut layer = BatchNorm::new().momentum(alpha).expect("a share");
    layer.accept(Shape::Vector(d)).expect("a vector");
    let state = gradus::Part::<f64>::state(&layer)
        .with_vector("running_mean", mean.clone())
        .with_vector("running_variance", variance.clone());
    gradus::Part::restore(&mut layer, state).expect("a state");
    layer.accept(Shape::Vector(d)).expect("a vector");
    let params = ndarray::concatenate![Axis(0), Array1::ones(d), Array1::zeros(d)];
    let (mut y, mut kept) = (Array2::zeros((n, d)), Array1::zeros(layer.room(n)));
    layer.forward_into(TRAIN, &params, x, &mut y, &mut kept);
    let mut found = Array1::zeros(layer.statistics());
    let (params, kept) = (params.view(), kept.view());
    let pass = Pass { params, x: x.view(), y: y.view(), kept };
    layer.measure_into(&pass, 1.0, &mut found);
    layer.absorb(&found);
    (layer.running_mean().clone(), layer.running_variance().clone())
}

/// The assignment of chapter 9: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 9,
    exercises: include_str!("../../chapter09/exercises.toml"),
    checks: &[
        ("l2_cost_and_gradient", l2_cost_and_gradient),
        ("dropout_forward", dropout_forward),
        ("batch_norm_forward", batch_norm_forward),
        ("batch_norm_backward", batch_norm_backward),
        ("running_statistics", running_statistics),
        ("standardise", standardise),
        ("decide_classes", decide_classes),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: || {
        let all = [variants::all(), normalised::all(), decisions::all()];
        all.into_iter().flatten().collect()
    },
};

fn l2_cost_and_gradient(ask: &mut Ask<'_>) {
    // The squares are 1 + 4 + 9 + 4 + 1 + 1 = 20, and λ / n is ½.
    let weights = [array![[1.0, -2.0], [3.0, 2.0]], array![[-1.0], [1.0]]];
    let d_weights = [array![[0.5, 1.0], [-1.5, 0.0]], array![[0.25], [-1.0]]];
    let right = vec![array![[1.0, 0.0], [0.0, 1.0]], array![[-0.25], [-0.5]]];
    ask.call(call::l2_cost_and_gradient(0.75, &weights, &d_weights, 2.0, 4))
        .case("two layers")
        .returns(&(5.75, right));
    for (sizes, n, lambda) in
        [(&[3, 2][..], 5, 0.7), (&[2, 4, 1, 3], 10, 3.0), (&[2, 3], 1, 0.5), (&[2, 2, 2], 7, 0.0)]
    {
        let mut layers = |_: ()| -> Vec<Array2<f64>> {
            sizes.windows(2).map(|pair| ask.draw.normal((pair[0], pair[1]), 1.0)).collect()
        };
        let (weights, d_weights) = (layers(()), layers(()));
        ask.call(call::l2_cost_and_gradient(1.25, &weights, &d_weights, lambda, n));
    }
}

fn dropout_forward(ask: &mut Ask<'_>) {
    let x = array![[1.0, -2.0, 3.0], [-4.0, 5.0, 0.0]];
    let draws = array![[0.1, 0.9, 0.24], [0.25, 0.0, 0.5]];
    // 0.25 is not below 0.25.
    ask.call(call::dropout_forward(&x, 0.25, &Some(draws)))
        .case("a draw that equals keep, and one of 0")
        .returns(&array![[4.0, 0.0, 12.0], [0.0, 20.0, 0.0]]);
    ask.call(call::dropout_forward(&x, 0.25, &None)).case("a prediction").returns(&x);
    for (n, d, keep) in [(4, 3, 0.8), (1, 5, 0.5), (3, 2, 1.0), (3, 4, 0.05)] {
        let (x, draws) = (ask.draw.normal((n, d), 2.0), ask.draw.uniform((n, d), 0.0, 1.0));
        ask.call(call::dropout_forward(&x, keep, &Some(draws)));
    }
    let x = ask.draw.normal((2, 3), 1.0);
    ask.call(call::dropout_forward(&x, 0.7, &None)).case("another prediction").returns(&x);
}

fn batch_norm_forward(ask: &mut Ask<'_>) {
    // Means 3 and 1, variances 8 and 0; with ε = 1 the roots are 3 and 1.
    let r = 8.0_f64.sqrt();
    let x = array![[3.0 - r, 1.0], [3.0 + r, 1.0]];
    let y = array![[1.0 - 2.0 * r / 3.0, -1.0], [1.0 + 2.0 * r / 3.0, -1.0]];
    let right = (y, array![[-r / 3.0, 0.0], [r / 3.0, 0.0]], array![1.0 / 3.0, 1.0]);
    ask.call(call::batch_norm_forward(&x, &array![2.0, 5.0], &array![1.0, -1.0], 1.0))
        .case("a column that never varies")
        .returns(&right);
    for (n, d, size) in [(5, 3, 1.0), (2, 2, 100.0), (4, 1, 1.0), (3, 3, 0.1)] {
        let x = ask.draw.normal((n, d), size) + 3.0;
        let (gamma, beta) = (ask.draw.normal(d, 1.0), ask.draw.normal(d, 1.0));
        ask.call(call::batch_norm_forward(&x, &gamma, &beta, 1e-5)).within(1e-8, 1e-10);
    }
    let x = ask.draw.normal((1, 3), 1.0);
    let (gamma, beta) = (ask.draw.normal(3, 1.0), ask.draw.normal(3, 1.0));
    let right =
        (beta.clone().insert_axis(Axis(0)), Array2::zeros((1, 3)), Array1::from_elem(3, 2.0));
    ask.call(call::batch_norm_forward(&x, &gamma, &beta, 0.25))
        .case("one sample, which is its own mean")
        .returns(&right);
}

fn batch_norm_backward(ask: &mut Ask<'_>) {
    // Sums 2 and 4 of the products x̂ ∂L/∂y, and 2 and −2 of ∂L/∂y.
    let x_hat = array![[1.0, -1.0], [-1.0, 1.0]];
    let d_y = array![[2.0, -3.0], [0.0, 1.0]];
    // One column: ∂L/∂y less 1 less x̂ is (0, 0); the same for two samples always.
    let right = (array![2.0, 4.0], array![2.0, -2.0], Array2::zeros((2, 2)));
    ask.call(call::batch_norm_backward(&d_y, &x_hat, &array![3.0, 2.0], &array![1.0, 5.0]))
        .case("two samples, which can only be −1 and 1")
        .returns(&right);
    // Four samples: 1, 1, −1, −1 and derivatives 4, 0, 0, 0: the mean is 1, that of the products 1.
    let x_hat = array![[1.0], [1.0], [-1.0], [-1.0]];
    let d_y = array![[4.0], [0.0], [0.0], [0.0]];
    let right = (array![4.0], array![4.0], array![[12.0], [-12.0], [0.0], [0.0]]);
    ask.call(call::batch_norm_backward(&d_y, &x_hat, &array![2.0], &array![3.0]))
        .case("four samples")
        .returns(&right);
    for (n, d) in [(5, 3), (3, 1), (4, 4)] {
        let (x, gamma) = (ask.draw.normal((n, d), 2.0), ask.draw.normal(d, 1.0));
        let beta = Array1::zeros(d);
        let (_, x_hat, scale) = forward_of_the_library(&x, &gamma, &beta, 1e-5);
        let d_y = ask.draw.normal((n, d), 1.0);
        ask.call(call::batch_norm_backward(&d_y, &x_hat, &scale, &gamma)).within(1e-8, 1e-10);
    }
    let gamma = ask.draw.normal(2, 1.0);
    let d_y = ask.draw.normal((1, 2), 1.0);
    let right = (Array1::zeros(2), d_y.row(0).to_owned(), Array2::zeros((1, 2)));
    ask.call(call::batch_norm_backward(&d_y, &Array2::zeros((1, 2)), &array![2.0, 0.5], &gamma))
        .case("one sample, on which nothing depends")
        .returns(&right);
}

fn running_statistics(ask: &mut Ask<'_>) {
    // Means 2 and −1; the unbiased variances are 2 and 8.
    let (mean, variance) = (array![4.0, 1.0], array![1.0, 4.0]);
    let x = array![[1.0, 1.0], [3.0, -3.0]];
    ask.call(call::running_statistics(&mean, &variance, &x, 0.25))
        .case("two samples")
        .returns(&(array![3.5, 0.5], array![1.25, 5.0]));
    for (n, d, alpha) in [(5, 3, 0.1), (3, 2, 1.0), (4, 1, 0.0), (2, 4, 0.9)] {
        let x = ask.draw.normal((n, d), 2.0) - 1.0;
        let (mean, variance) = (ask.draw.normal(d, 1.0), ask.draw.uniform(d, 0.5, 3.0));
        ask.call(call::running_statistics(&mean, &variance, &x, alpha));
    }
    let (mean, variance) = (ask.draw.normal(2, 1.0), ask.draw.uniform(2, 0.5, 3.0));
    let x = ask.draw.normal((1, 2), 1.0);
    ask.call(call::running_statistics(&mean, &variance, &x, 0.5))
        .case("one sample alone")
        .returns(&(mean, variance));
}

fn standardise(ask: &mut Ask<'_>) {
    // Means 3 and −2; deviations 2, and none.
    let train = array![[1.0, -2.0], [5.0, -2.0]];
    let right = array![[2.0, 0.0], [-1.5, 3.0], [0.0, -8.0]];
    ask.call(call::standardise(&train, &array![[7.0, -2.0], [0.0, 1.0], [3.0, -10.0]]))
        .case("a feature that never varies")
        .returns(&right);
    for (n, d, k) in [(6, 3, 4), (3, 1, 2), (5, 2, 1)] {
        let train = ask.draw.normal((n, d), 2.0) + 5.0;
        let x = ask.draw.normal((k, d), 3.0);
        ask.call(call::standardise(&train, &x)).within(1e-8, 1e-10);
    }
    let train = ask.draw.normal((4, 2), 0.3) - 1.0;
    ask.call(call::standardise(&train, &train))
        .case("the training samples themselves")
        .within(1e-8, 1e-10);
}

fn decide_classes(ask: &mut Ask<'_>) {
    let y_hat = array![[0.3, 0.3, 0.4], [0.4, 0.35, 0.25], [0.1, 0.2, 0.7], [0.3, 0.45, 0.25]];
    ask.call(call::decide_classes(&y_hat))
        .case("rows without an output above one half")
        .returns(&vec![2, 0, 2, 1]);
    ask.call(call::decide_classes(&array![[0.2, 0.4, 0.4], [0.5, 0.0, 0.5]]))
        .case("ties")
        .returns(&vec![1, 0]);
    ask.call(call::decide_classes(&array![[0.2], [0.8], [0.5], [0.51]]))
        .case("one column")
        .returns(&vec![0, 1, 0, 1]);
    for (n, m) in [(6, 3), (5, 2), (4, 5)] {
        let y_hat = ask.draw.distributions(n, m);
        ask.call(call::decide_classes(&y_hat));
    }
    let y_hat = ask.draw.uniform((6, 1), 0.0, 1.0);
    ask.call(call::decide_classes(&y_hat)).case("one column");
    // Outputs need not be probabilities.
    ask.call(call::decide_classes(&array![[-3.0, -1.0, -2.0], [7.0, 9.0, 8.0]]))
        .case("outputs that are no probabilities")
        .returns(&vec![1, 1]);
}

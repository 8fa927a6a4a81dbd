//! The equations of chapter 6.
//!
//! Layers are counted from 1, as in the library's messages. A sample is a row: x₀ enters the
//! first layer, xₗ leaves layer l, and sₗ is how many numbers xₗ has.

mod common;

use common::*;
use gradus::{
    Activate, Dense, Elementwise, Float, GradientDescent, Init, Layer, Loss, MeanSquaredError,
    Mode, Model, Momentum, Network, NeuralNetwork, Optimizer, Output, Part, Pass, Sequential,
    Shape, Share, Sigmoid, Softmax, Tanh, layers, one_hot, toy,
};
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, array, s};
use rand::rngs::ChaCha8Rng;

/// A layer by itself, which has been told its shape and has random parameters.
struct Alone {
    layer: Box<dyn Layer<f64>>,
    outputs: usize,
    params: Array1<f64>,
}

impl Alone {
    fn new(layer: impl Layer<f64> + 'static, inputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut layer: Box<dyn Layer<f64>> = Box::new(layer);
        let outputs = layer.accept(Shape::Vector(inputs)).unwrap().len();
        let sizes = layer.parameters().into_iter().map(|(_, s)| s.iter().product::<usize>());
        let params = normal(sizes.sum::<usize>(), 0.7, rng);
        Self { layer, outputs, params }
    }

    /// What the layer makes of these inputs with these parameters.
    fn at(&self, params: &Array1<f64>, x: &Array2<f64>) -> Array2<f64> {
        let mut y = Array2::zeros((x.nrows(), self.outputs));
        let mut kept = Array1::zeros(self.layer.room(x.nrows()));
        self.layer.forward_into(Mode::Predict, params, x, &mut y, &mut kept);
        y
    }

    /// What the layer returns for ∂L/∂y: ∂L/∂x and ∂L/∂θ.
    fn back(&self, x: &Array2<f64>, d_y: &Array2<f64>) -> (Array2<f64>, Array1<f64>) {
        let y = self.at(&self.params, x);
        let kept = Array1::zeros(0);
        let (params, kept) = (self.params.view(), kept.view());
        let pass = Pass { params, x: x.view(), y: y.view(), kept };
        // Numbers that were there before must not matter.
        let mut d_x = Array2::from_elem(x.dim(), 7.0);
        let mut d_params = Array1::from_elem(self.params.len(), 7.0);
        self.layer.backward_into(&pass, d_y, Some(&mut d_x), &mut d_params);
        (d_x, d_params)
    }
}

/// A dense layer with its weights and biases as matrices of their own.
fn dense(inputs: usize, units: usize, rng: &mut ChaCha8Rng) -> (Alone, Array2<f64>, Array1<f64>) {
    let alone = Alone::new(Dense::new(units, Init::LeCun).unwrap(), inputs, rng);
    let w = Array2::from_shape_fn((inputs, units), |(k, j)| alone.params[k * units + j]);
    let b = Array1::from_shape_fn(units, |j| alone.params[inputs * units + j]);
    (alone, w, b)
}

/// The first derivatives of a dense layer's weights, and those of its biases.
fn halves(d_params: &Array1<f64>, w: &Array2<f64>) -> (Array2<f64>, Array1<f64>) {
    let d_w = d_params.slice(s![..w.len()]).to_owned();
    (d_w.into_shape_with_order(w.dim()).unwrap(), d_params.slice(s![w.len()..]).to_owned())
}

/// a b, entry by entry.
fn times(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    assert_eq!(a.ncols(), b.nrows());
    let entry = |i, j| (0..a.ncols()).map(|k| a[[i, k]] * b[[k, j]]).sum();
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| entry(i, j))
}

fn transposed(a: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn((a.ncols(), a.nrows()), |(i, j)| a[[j, i]])
}

fn norm(x: &Array1<f64>) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The Jacobian of f at x, measured: row j holds the derivatives of output j.
fn jacobian(f: impl Fn(&Array1<f64>) -> Array1<f64>, x: &Array1<f64>) -> Array2<f64> {
    let rows = (0..f(x).len()).map(|j| gradient(|x| f(x)[j], x));
    let rows: Vec<_> = rows.collect();
    Array2::from_shape_fn((rows.len(), x.len()), |(j, k)| rows[j][k])
}

/// The derivative of f with respect to each entry of a matrix, measured.
fn matrix_gradient(f: impl Fn(&Array2<f64>) -> f64, at: &Array2<f64>) -> Array2<f64> {
    let shape = at.dim();
    let matrix = |x: &Array1<f64>| x.clone().into_shape_with_order(shape).unwrap();
    matrix(&gradient(|x| f(&matrix(x)), &at.flatten().to_owned()))
}

/// Σ cᵢⱼ yᵢⱼ.
fn inner(c: &Array2<f64>, y: &Array2<f64>) -> f64 {
    assert_eq!(c.dim(), y.dim());
    c.iter().zip(y).map(|(c, y)| c * y).sum()
}

// A network written out in loops, to compare with.

/// The layers of the stack below.
#[derive(Clone, Copy)]
enum Kind {
    Dense(usize),
    Tanh,
    Softmax,
}

/// Four layers: sizes 3, 4, 4, 3, 3.
const STACK: [Kind; 4] = [Kind::Dense(4), Kind::Tanh, Kind::Dense(3), Kind::Softmax];
const STACK_SIZES: [usize; 5] = [3, 4, 4, 3, 3];

/// One sample through one layer.
fn apply(kind: Kind, theta: &Array1<f64>, x: &Array1<f64>) -> Array1<f64> {
    match kind {
        Kind::Dense(units) => Array1::from_shape_fn(units, |j| {
            let sum: f64 = (0..x.len()).map(|k| x[k] * theta[k * units + j]).sum();
            sum + theta[x.len() * units + j]
        }),
        Kind::Tanh => x.mapv(f64::tanh),
        Kind::Softmax => {
            let sum: f64 = x.iter().map(|x| x.exp()).sum();
            x.mapv(|x| x.exp() / sum)
        }
    }
}

/// How many parameters layer l has.
fn stack_parameters(l: usize) -> usize {
    match STACK[l - 1] {
        Kind::Dense(units) => (STACK_SIZES[l - 1] + 1) * units,
        _ => 0,
    }
}

/// The parameters of layer l.
fn part_of(theta: &Array1<f64>, l: usize) -> Array1<f64> {
    let begin: usize = (1..l).map(stack_parameters).sum();
    theta.slice(s![begin..begin + stack_parameters(l)]).to_owned()
}

/// What leaves each layer, with x₀ in front.
fn through(theta: &Array1<f64>, x: &Array1<f64>) -> Vec<Array1<f64>> {
    let mut all = vec![x.clone()];
    for l in 1..=STACK.len() {
        all.push(apply(STACK[l - 1], &part_of(theta, l), &all[l - 1]));
    }
    all
}

/// 1/m Σ (ŷ − y)².
fn squared(y_hat: &Array1<f64>, y: &Array1<f64>) -> f64 {
    y_hat.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / y.len() as f64
}

/// The library's network of these layers, with random parameters.
fn stack(rng: &mut ChaCha8Rng) -> Sequential<f64> {
    let dense = |units| Dense::new(units, Init::LeCun).unwrap();
    let layers = layers![dense(4), Activate(Tanh), dense(3), Output(Softmax)];
    with_random_parameters(Shape::Vector(3), layers, rng)
}

fn with_random_parameters(
    input: Shape,
    layers: Vec<Box<dyn Layer<f64>>>,
    rng: &mut ChaCha8Rng,
) -> Sequential<f64> {
    let descent = GradientDescent::new(0.1).unwrap();
    let mut network = Sequential::new(input, layers, MeanSquaredError, descent, 1).unwrap();
    network.set_params(&normal(network.params().len(), 0.7, rng)).unwrap();
    network
}

/// A network with the sizes 2-3-1 and tanh, and samples with random targets.
fn small(n: usize, seed: u64) -> (Sequential<f64>, Array2<f64>, Array2<f64>) {
    let mut rng = rng(seed);
    let dense = |units| Dense::new(units, Init::LeCun).unwrap();
    let layers = layers![dense(3), Activate(Tanh), dense(1), Activate(Tanh)];
    let network = with_random_parameters(Shape::Vector(2), layers, &mut rng);
    (network, normal((n, 2), 1.0, &mut rng), normal((n, 1), 0.5, &mut rng))
}

/// Loss and gradient of a network at other parameters.
fn at(
    network: &mut Sequential<f64>,
    theta: &Array1<f64>,
    x: &ArrayRef2<f64>,
    y: &ArrayRef2<f64>,
) -> (f64, Array1<f64>) {
    network.set_params(theta).unwrap();
    network.loss_and_gradient(x, y).unwrap()
}

/// What the library's forward and backward pass leave behind, and its gradient.
fn passage(
    network: &Sequential<f64>,
    x: &Array2<f64>,
    y: &Array2<f64>,
) -> (<Sequential<f64> as Model<f64>>::Trace, Array1<f64>) {
    let mut trace = network.trace(x.nrows());
    let mut gradient = Array1::zeros(network.params().len());
    network.gradient_into(x, y, Share::whole(x.nrows()), &mut trace, &mut gradient);
    (trace, gradient)
}

/// f along a direction, differentiated: what a Hessian does to it, if f is a gradient.
fn along(
    mut f: impl FnMut(&Array1<f64>) -> Array1<f64>,
    at: &Array1<f64>,
    direction: &Array1<f64>,
) -> Array1<f64> {
    let h = 1e-4;
    let mut central = |h: f64| (f(&(at + direction * h)) - f(&(at - direction * h))) / (2.0 * h);
    (central(h / 2.0) * 4.0 - central(h)) / 3.0
}

/// A layer that takes its step while it goes back can be asked for its gradient only by looking
/// how far it has moved, and then it stands elsewhere. What is measured there is another gradient.
///
/// ```math
/// \begin{aligned}
/// \theta' &= \theta - \eta\,g(\theta) \\
/// \frac{\theta - \theta'}{\eta} &= g(\theta) \\
/// g(\theta') &= g(\theta) - \eta\,\underset{(p, p)}{\mathstrut H}\,
///   \underset{(p)}{\mathstrut g(\theta)} + O(\eta^2) \\
/// \frac{\lVert g(\theta) - g(\theta')\rVert}{\lVert g(\theta')\rVert}
///   &= \eta\,\frac{\lVert H\,g(\theta)\rVert}{\lVert g(\theta)\rVert} + O(\eta^2)
/// \end{aligned}
/// ```
#[test]
fn update_moves_what_is_checked() {
    let (mut network, x, y) = small(6, 601);
    let theta = network.params().clone();
    let g = at(&mut network, &theta, &x, &y).1;
    let h_g = along(|theta| at(&mut network, theta, &x, &y).1, &theta, &g);
    let after = |eta: f64| {
        let mut moved = theta.clone();
        GradientDescent::new(eta).unwrap().step(&mut moved, &g);
        moved
    };
    let mut measured = |moved: &Array1<f64>| {
        let f = |theta: &Array1<f64>| {
            let mut copy = small(6, 601).0;
            at(&mut copy, theta, &x, &y).0
        };
        let difference = gradient(f, moved);
        assert_all_close(&at(&mut network, moved, &x, &y).1, &difference, 1e-8);
        difference
    };
    let mut left = [0.0; 2];
    for (eta, left) in [0.02, 0.01].into_iter().zip(&mut left) {
        let moved = after(eta);
        assert_all_close(&((&theta - &moved) / eta), &g, 1e-12);
        *left = norm(&(measured(&moved) - &g + &h_g * eta));
    }
    // What is left out is of second order: half of η, a quarter of it.
    assert!((left[0] / left[1] - 4.0).abs() < 0.1, "{left:?}");
    let off = |eta: f64, there: &Array1<f64>| {
        norm(&(&g - there)) / norm(there) - eta * norm(&h_g) / norm(&g)
    };
    let rest = [0.02, 0.01].map(|eta| off(eta, &measured(&after(eta))));
    assert!((rest[0] / rest[1] - 4.0).abs() < 0.2, "{rest:?}");
    assert!(rest[0].abs() < 0.1 * 0.02 * norm(&h_g) / norm(&g), "{rest:?}");
}

/// A small learning rate makes the move small, but not the rounding of the place where the layer
/// comes to stand, and the quotient divides that by the learning rate.
///
/// ```math
/// \Bigl|\frac{\theta_k - \operatorname{round}(\theta_k - \eta\,g_k)}{\eta} - g_k\Bigr|
///   \le \frac{\varepsilon\,|\theta'_k|}{2\,\eta}
/// ```
#[test]
fn update_rounds_what_is_read_off() {
    let mut rng = rng(602);
    let (theta, g) = (normal(200, 1.0, &mut rng), normal(200, 0.3, &mut rng));
    for power in [4, 20, 36, 48] {
        // A power of two, by which one multiplies and divides without rounding.
        let eta = 0.5_f64.powi(power);
        let mut moved = theta.clone();
        GradientDescent::new(eta).unwrap().step(&mut moved, &g);
        let mut largest: f64 = 0.0;
        for k in 0..200 {
            let bound = f64::EPSILON * moved[k].abs() / (2.0 * eta);
            // Where the move is longer than half of θ, the difference is rounded as well.
            let again = f64::EPSILON * (theta[k] - moved[k]).abs() / (2.0 * eta);
            let again =
                if 2.0 * (theta[k] - moved[k]).abs() > theta[k].abs() { again } else { 0.0 };
            let off = ((theta[k] - moved[k]) / eta - g[k]).abs();
            assert!(off <= bound + again, "{off:e} > {bound:e} for η = 2^-{power}");
            largest = largest.max(off / bound);
        }
        assert!(largest > 0.4, "{largest}");
    }
}

/// Two samples, one after the other with an update in between: not the step of both together.
///
/// ```math
/// \begin{aligned}
/// \theta' &= \theta - \eta\,g_1(\theta) \\
/// \theta'' &= \theta' - \eta\,g_2(\theta') \\
///   &= \theta - \eta\,\bigl(g_1(\theta) + g_2(\theta)\bigr)
///     + \eta^2\,\underset{(p, p)}{\mathstrut H_2}\,\underset{(p)}{\mathstrut g_1(\theta)}
///     + O(\eta^3)
/// \end{aligned}
/// ```
#[test]
fn updates_in_a_row_are_not_their_sum() {
    let (mut network, x, y) = small(2, 603);
    let theta = network.params().clone();
    let mut g = |i: usize, theta: &Array1<f64>| {
        at(&mut network, theta, &x.slice(s![i..=i, ..]), &y.slice(s![i..=i, ..])).1
    };
    let (g_1, g_2) = (g(0, &theta), g(1, &theta));
    let h_g = along(|theta| g(1, theta), &theta, &g_1);
    assert!(norm(&h_g) > 1e-3);
    let mut rest = |eta: f64| {
        let mut moved = theta.clone();
        let mut descent = GradientDescent::new(eta).unwrap();
        for i in 0..2 {
            let gradient = g(i, &moved);
            descent.step(&mut moved, &gradient);
        }
        norm(&(moved - (&theta - (&g_1 + &g_2) * eta + &h_g * (eta * eta))))
    };
    let ratio = rest(0.02) / rest(0.01);
    assert!((ratio - 8.0).abs() < 0.3, "{ratio}");
}

/// A network is a composition: each layer is a function with parameters of its own, and takes
/// what the one before it gives.
///
/// ```math
/// \begin{aligned}
/// x_l &= f_l(x_{l-1};\, \theta_l), \qquad l = 1, \dots, D \\
/// \hat y &= x_D = f_D\bigl(\dots f_2\bigl(f_1(x_0;\, \theta_1);\, \theta_2\bigr) \dots;\,
///   \theta_D\bigr)
/// \end{aligned}
/// ```
#[test]
fn stack_is_a_composition() {
    let mut rng = rng(604);
    let network = stack(&mut rng);
    let x = normal((5, 3), 1.0, &mut rng);
    let trace = network.forward(&x).unwrap();
    let y_hat = network.predict(&x).unwrap();
    for i in 0..5 {
        let all = through(network.params(), &x.row(i).to_owned());
        for l in 1..=4 {
            assert_eq!(network.output_shape(l - 1), Shape::Vector(STACK_SIZES[l]));
            assert_all_close(&trace.y[l - 1].row(i), &all[l], 1e-14);
        }
        let part = |l| part_of(network.params(), l);
        let nested = apply(
            STACK[3],
            &part(4),
            &apply(
                STACK[2],
                &part(3),
                &apply(STACK[1], &part(2), &apply(STACK[0], &part(1), &all[0])),
            ),
        );
        assert_all_close(&y_hat.row(i), &nested, 1e-14);
    }
}

/// The Jacobian of a composition is the product of the Jacobians, the last layer's first.
///
/// ```math
/// \begin{aligned}
/// \underset{(s_l,\, s_{l-1})}{\mathstrut J_l} &= \frac{\partial x_l}{\partial x_{l-1}} \\
/// \underset{(s_D,\, s_0)}{\mathstrut \frac{\partial \hat y}{\partial x_0}}
///   &= \underset{(s_D,\, s_{D-1})}{\mathstrut J_D}\;
///   \underset{(s_{D-1},\, s_{D-2})}{\mathstrut J_{D-1}} \cdots
///   \underset{(s_1,\, s_0)}{\mathstrut J_1}
/// \end{aligned}
/// ```
#[test]
fn stack_jacobian_is_a_product() {
    let mut rng = rng(605);
    let network = stack(&mut rng);
    let theta = network.params().clone();
    let x = normal(3, 1.0, &mut rng);
    let all = through(&theta, &x);
    let predict = |x: &Array1<f64>| {
        let row = x.clone().insert_axis(Axis(0));
        network.predict(&row).unwrap().row(0).to_owned()
    };
    let whole = jacobian(predict, &x);
    let each = |l: usize| jacobian(|x| apply(STACK[l - 1], &part_of(&theta, l), x), &all[l - 1]);
    let product = (1..4).rev().fold(each(4), |product, l| times(&product, &each(l)));
    assert_eq!(whole.dim(), (3, 3));
    assert_all_close(&whole, &product, 1e-9);
}

/// From the left, the product begins with a row, and stays one: each layer turns the derivatives
/// with respect to its outputs into those with respect to its inputs, and to its parameters.
///
/// ```math
/// \begin{aligned}
/// \underset{(1,\, s_{l-1})}{\mathstrut \frac{\partial L}{\partial x_{l-1}}}
///   &= \underset{(1,\, s_l)}{\mathstrut \frac{\partial L}{\partial x_l}}\;
///   \underset{(s_l,\, s_{l-1})}{\mathstrut J_l} \\
/// \underset{(1,\, p_l)}{\mathstrut \frac{\partial L}{\partial \theta_l}}
///   &= \underset{(1,\, s_l)}{\mathstrut \frac{\partial L}{\partial x_l}}\;
///   \underset{(s_l,\, p_l)}{\mathstrut \frac{\partial x_l}{\partial \theta_l}} \\
/// \frac{\partial L}{\partial x_0}
///   &= \Bigl(\dots\Bigl(\Bigl(\frac{\partial L}{\partial \hat y}\;J_D\Bigr)\;J_{D-1}\Bigr)
///   \dots\Bigr)\;J_1
/// \end{aligned}
/// ```
#[test]
fn stack_from_the_left() {
    let mut rng = rng(606);
    let network = stack(&mut rng);
    let theta = network.params().clone();
    let (x, y) = (normal(3, 1.0, &mut rng), normal(3, 1.0, &mut rng));
    let row = |x: &Array1<f64>| x.clone().insert_axis(Axis(0));
    let (trace, gradient_of_all) = passage(&network, &row(&x), &row(&y));
    let all = through(&theta, &x);
    let d_y_hat = gradient(|y_hat| squared(y_hat, &y), &all[4]);
    assert_all_close(&trace.d_y[3], &row(&d_y_hat), 1e-9);
    let mut product = row(&d_y_hat);
    let mut begin = theta.len();
    for l in (1..=4).rev() {
        let by_params =
            jacobian(|theta| apply(STACK[l - 1], theta, &all[l - 1]), &part_of(&theta, l));
        let begin_of_l = begin - stack_parameters(l);
        if stack_parameters(l) > 0 {
            let d_theta = times(&row(&trace.d_y[l - 1].row(0).to_owned()), &by_params);
            assert_all_close(&gradient_of_all.slice(s![begin_of_l..begin]), &d_theta.row(0), 1e-9);
        }
        begin = begin_of_l;
        let j_l = jacobian(|x| apply(STACK[l - 1], &part_of(&theta, l), x), &all[l - 1]);
        product = times(&product, &j_l);
        if l > 1 {
            let one = times(&row(&trace.d_y[l - 1].row(0).to_owned()), &j_l);
            assert_all_close(&trace.d_y[l - 2], &one, 1e-9);
        }
    }
    assert_eq!(begin, 0);
    let loss = |x: &Array1<f64>| squared(&through(&theta, x)[4], &y);
    assert_all_close(&product, &row(&gradient(loss, &x)), 1e-9);
}

/// What both orders cost, in multiplications, if every Jacobian is a full matrix: from the left
/// there is one row to carry, from the right there are as many columns as inputs.
///
/// ```math
/// \begin{aligned}
/// \text{from the left:}\quad M &= \sum_{l=1}^{D} s_l\,s_{l-1} \\
/// \text{from the right:}\quad N &= s_0\,\Bigl(s_D + \sum_{l=2}^{D} s_l\,s_{l-1}\Bigr)
/// \end{aligned}
/// ```
#[test]
fn stack_multiplications_by_order() {
    let mut rng = rng(607);
    for sizes in [vec![784, 100, 50, 10], vec![3, 5, 4, 6, 2], vec![7, 2], vec![1, 4, 9]] {
        let depth = sizes.len() - 1;
        let matrices: Vec<Array2<f64>> =
            (1..=depth).map(|l| normal((sizes[l], sizes[l - 1]), 0.1, &mut rng)).collect();
        let row = normal((1, sizes[depth]), 1.0, &mut rng);
        // A product of (a, b) and (b, c) by the definition multiplies a b c times.
        let mut count = 0;
        let mut counted = |a: &Array2<f64>, b: &Array2<f64>| {
            count += a.nrows() * a.ncols() * b.ncols();
            a.dot(b)
        };
        let left = matrices.iter().rev().fold(row.clone(), |row, j| counted(&row, j));
        let m = std::mem::take(&mut count);
        let mut counted = |a: &Array2<f64>, b: &Array2<f64>| {
            count += a.nrows() * a.ncols() * b.ncols();
            a.dot(b)
        };
        let all = matrices.iter().skip(1).fold(matrices[0].clone(), |all, j| counted(j, &all));
        let right = counted(&row, &all);
        assert_all_close(&left, &right, 1e-12);
        assert_eq!(m, (1..=depth).map(|l| sizes[l] * sizes[l - 1]).sum::<usize>());
        let inner: usize = (2..=depth).map(|l| sizes[l] * sizes[l - 1]).sum();
        assert_eq!(count, sizes[0] * (sizes[depth] + inner));
    }
}

/// One sample, one weight: the weight feeds one output, so one term of the sum is left.
///
/// ```math
/// \begin{aligned}
/// y_i &= \sum_k x_k\,w_{ki} + b_i \\
/// \frac{\partial L}{\partial w_{kj}}
///   &= \sum_i \frac{\partial L}{\partial y_i}\,\frac{\partial y_i}{\partial w_{kj}} \\
///   &= \frac{\partial L}{\partial y_j}\;x_k
/// \end{aligned}
/// ```
#[test]
fn dense_weight_of_one_sample() {
    let mut rng = rng(608);
    let (alone, w, b) = dense(4, 3, &mut rng);
    let (x, target) = (normal((1, 4), 1.0, &mut rng), normal(3, 1.0, &mut rng));
    let of_weights = |w: &Array2<f64>, i: usize| {
        let sum: f64 = (0..4).map(|k| x[[0, k]] * w[[k, i]]).sum();
        sum + b[i]
    };
    let y = alone.at(&alone.params, &x);
    (0..3).for_each(|i| assert_close(y[[0, i]], of_weights(&w, i), 1e-14));
    let d_y = gradient(|y| squared(y, &target), &y.row(0).to_owned());
    let loss = |w: &Array2<f64>| squared(&Array1::from_shape_fn(3, |i| of_weights(w, i)), &target);
    let measured = matrix_gradient(loss, &w);
    let back = alone.back(&x, &d_y.clone().insert_axis(Axis(0))).1;
    let d_w = halves(&back, &w).0;
    for ((k, j), &measured) in measured.indexed_iter() {
        let by_weight = |i: usize| {
            let mut moved = w.clone();
            moved[[k, j]] += 1.0;
            of_weights(&moved, i) - of_weights(&w, i)
        };
        let sum: f64 = (0..3).map(|i| d_y[i] * by_weight(i)).sum();
        assert_close(measured, sum, 1e-9);
        assert_close(measured, d_y[j] * x[[0, k]], 1e-9);
        assert_close(d_w[[k, j]], d_y[j] * x[[0, k]], 1e-14);
    }
}

/// All weights at once: the column of the inputs times the row of the derivatives. The biases
/// get the derivatives as they are.
///
/// ```math
/// \begin{aligned}
/// \underset{(s,\, m)}{\mathstrut \frac{\partial L}{\partial W}}
///   &= \underset{(s,\, 1)}{\mathstrut x^\top}\;
///   \underset{(1,\, m)}{\mathstrut \frac{\partial L}{\partial y}} \\
/// \underset{(1,\, m)}{\mathstrut \frac{\partial L}{\partial b}}
///   &= \underset{(1,\, m)}{\mathstrut \frac{\partial L}{\partial y}}
/// \end{aligned}
/// ```
#[test]
fn dense_outer_product_of_one_sample() {
    let mut rng = rng(609);
    let (alone, w, b) = dense(4, 3, &mut rng);
    let (x, target) = (normal((1, 4), 1.0, &mut rng), normal(3, 1.0, &mut rng));
    let loss =
        |w: &Array2<f64>, b: &Array1<f64>| squared(&(times(&x, w).row(0).to_owned() + b), &target);
    let y = alone.at(&alone.params, &x).row(0).to_owned();
    let d_y = gradient(|y| squared(y, &target), &y).insert_axis(Axis(0));
    let (d_w, d_b) = halves(&alone.back(&x, &d_y).1, &w);
    assert_all_close(&times(&transposed(&x), &d_y), &matrix_gradient(|w| loss(w, &b), &w), 1e-9);
    assert_all_close(&times(&transposed(&x), &d_y), &d_w, 1e-14);
    assert_all_close(&d_y.row(0), &gradient(|b| loss(&w, b), &b), 1e-9);
    assert_all_close(&d_y.row(0), &d_b, 1e-14);
}

/// An input reaches every output, so all terms stay: the row of the derivatives times the
/// transposed weights, which are the layer's Jacobian.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial x_k}
///   &= \sum_j \frac{\partial L}{\partial y_j}\,\frac{\partial y_j}{\partial x_k}
///   = \sum_j \frac{\partial L}{\partial y_j}\,w_{kj} \\
/// \underset{(1,\, s)}{\mathstrut \frac{\partial L}{\partial x}}
///   &= \underset{(1,\, m)}{\mathstrut \frac{\partial L}{\partial y}}\;
///   \underset{(m,\, s)}{\mathstrut W^\top}, \qquad
///   \underset{(m,\, s)}{\mathstrut J} = W^\top
/// \end{aligned}
/// ```
#[test]
fn dense_inputs_of_one_sample() {
    let mut rng = rng(610);
    let (alone, w, _) = dense(4, 3, &mut rng);
    let (x, target) = (normal((1, 4), 1.0, &mut rng), normal(3, 1.0, &mut rng));
    let row = |x: &Array1<f64>| x.clone().insert_axis(Axis(0));
    let layer = |x: &Array1<f64>| alone.at(&alone.params, &row(x)).row(0).to_owned();
    let x_row = x.row(0).to_owned();
    let d_y = gradient(|y| squared(y, &target), &layer(&x_row));
    let measured = gradient(|x| squared(&layer(x), &target), &x_row);
    let j = jacobian(layer, &x_row);
    assert_all_close(&j, &transposed(&w), 1e-9);
    let d_x = alone.back(&x, &row(&d_y)).0;
    assert_all_close(&d_x, &times(&row(&d_y), &transposed(&w)), 1e-14);
    for k in 0..4 {
        assert_close(measured[k], (0..3).map(|i| d_y[i] * j[[i, k]]).sum(), 1e-9);
        assert_close(measured[k], (0..3).map(|i| d_y[i] * w[[k, i]]).sum(), 1e-9);
        assert_close(d_x[[0, k]], measured[k], 1e-9);
    }
}

/// A batch: every sample adds its outer product to the weights and its row to the biases, and
/// gets back a row of its own. Here xᵢ and yᵢ are the rows of X and Y.
///
/// ```math
/// \begin{aligned}
/// \underset{(s,\, m)}{\mathstrut \frac{\partial L}{\partial W}}
///   &= \sum_{i=1}^{n} x_i^\top\,\frac{\partial L}{\partial y_i}
///   = \underset{(s,\, n)}{\mathstrut X^\top}\;
///   \underset{(n,\, m)}{\mathstrut \frac{\partial L}{\partial Y}} \\
/// \underset{(1,\, m)}{\mathstrut \frac{\partial L}{\partial b}}
///   &= \sum_{i=1}^{n} \frac{\partial L}{\partial y_i}
///   = \underset{(1,\, n)}{\mathstrut \mathbf 1^\top}\;
///   \underset{(n,\, m)}{\mathstrut \frac{\partial L}{\partial Y}} \\
/// \underset{(n,\, s)}{\mathstrut \frac{\partial L}{\partial X}}
///   &= \underset{(n,\, m)}{\mathstrut \frac{\partial L}{\partial Y}}\;
///   \underset{(m,\, s)}{\mathstrut W^\top}
/// \end{aligned}
/// ```
#[test]
fn dense_batch_adds_outer_products() {
    let mut rng = rng(611);
    for (n, s, m) in [(5, 4, 3), (1, 2, 6), (40, 20, 12)] {
        let (alone, w, _) = dense(s, m, &mut rng);
        let (x, c) = (normal((n, s), 1.0, &mut rng), normal((n, m), 1.0, &mut rng));
        let (d_x, d_params) = alone.back(&x, &c);
        let (d_w, d_b) = halves(&d_params, &w);
        let (mut outer, mut sum) = (Array2::<f64>::zeros((s, m)), Array1::<f64>::zeros(m));
        for i in 0..n {
            for j in 0..m {
                (0..s).for_each(|k| outer[[k, j]] += x[[i, k]] * c[[i, j]]);
                sum[j] += c[[i, j]];
            }
        }
        assert_all_close(&d_w, &outer, 1e-13);
        assert_all_close(&d_w, &times(&transposed(&x), &c), 1e-13);
        assert_all_close(&d_b, &sum, 1e-13);
        assert_all_close(&d_b, &times(&Array2::ones((1, n)), &c).row(0), 1e-13);
        assert_all_close(&d_x, &times(&c, &transposed(&w)), 1e-13);
        if n * s > 100 {
            continue;
        }
        let measured = matrix_gradient(|x| inner(&c, &alone.at(&alone.params, x)), &x);
        assert_all_close(&d_x, &measured, 1e-9);
        let measured = gradient(|theta| inner(&c, &alone.at(theta, &x)), &alone.params);
        assert_all_close(&d_params, &measured, 1e-9);
    }
}

/// An activation layer has no parameters, and output k depends on input k alone.
///
/// ```math
/// \begin{aligned}
/// \frac{\partial L}{\partial x_k}
///   &= \sum_j \frac{\partial L}{\partial y_j}\,\frac{\partial y_j}{\partial x_k}
///   = \frac{\partial L}{\partial y_k}\,f'(x_k) \\
/// \underset{(n,\, s)}{\mathstrut \frac{\partial L}{\partial X}}
///   &= \underset{(n,\, s)}{\mathstrut \frac{\partial L}{\partial Y}} \odot
///   \underset{(n,\, s)}{\mathstrut f'(X)}
/// \end{aligned}
/// ```
#[test]
fn activation_layer_scales_each_entry() {
    let mut rng = rng(612);
    let x = normal((5, 4), 1.5, &mut rng);
    let c = normal((5, 4), 1.0, &mut rng);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let functions: [fn(f64) -> f64; 2] = [f64::tanh, sigmoid];
    let layers =
        [Alone::new(Activate(Tanh), 4, &mut rng), Alone::new(Activate(Sigmoid), 4, &mut rng)];
    for (alone, f) in layers.iter().zip(functions) {
        assert_all_close(&alone.at(&alone.params, &x), &x.mapv(f), 1e-14);
        let (d_x, d_params) = alone.back(&x, &c);
        assert!(d_params.is_empty());
        for ((i, k), &d) in d_x.indexed_iter() {
            let row = x.row(i).to_owned();
            let j = jacobian(|x| x.mapv(f), &row);
            assert_close(d, (0..4).map(|l| c[[i, l]] * j[[l, k]]).sum(), 1e-9);
            assert_close(d, c[[i, k]] * slope(f, x[[i, k]]), 1e-9);
        }
    }
}

/// A layer whose outputs depend on the whole row needs the whole Jacobian of each sample; that
/// of softmax can be multiplied without being built.
///
/// ```math
/// \begin{aligned}
/// \underset{(1,\, m)}{\mathstrut \frac{\partial L}{\partial x_i}}
///   &= \underset{(1,\, m)}{\mathstrut \frac{\partial L}{\partial y_i}}\;
///   \underset{(m,\, m)}{\mathstrut J(x_i)} \\
/// \text{softmax:}\quad \frac{\partial L}{\partial x_{ik}}
///   &= y_{ik}\,\Bigl(\frac{\partial L}{\partial y_{ik}}
///   - \sum_j \frac{\partial L}{\partial y_{ij}}\,y_{ij}\Bigr)
/// \end{aligned}
/// ```
#[test]
fn row_layer_multiplies_by_its_jacobian() {
    let mut rng = rng(613);
    let alone = Alone::new(Output(Softmax), 4, &mut rng);
    let (x, c) = (normal((5, 4), 1.5, &mut rng), normal((5, 4), 1.0, &mut rng));
    let d_x = alone.back(&x, &c).0;
    for i in 0..5 {
        let row = x.row(i).to_owned();
        let softmax = |x: &Array1<f64>| apply(Kind::Softmax, &array![], x);
        let j = jacobian(softmax, &row);
        let y = softmax(&row);
        assert_all_close(&alone.at(&alone.params, &x).row(i), &y, 1e-14);
        let weighted: f64 = (0..4).map(|l| c[[i, l]] * y[l]).sum();
        for k in 0..4 {
            assert_close(d_x[[i, k]], (0..4).map(|l| c[[i, l]] * j[[l, k]]).sum(), 1e-9);
            assert_close(d_x[[i, k]], y[k] * (c[[i, k]] - weighted), 1e-14);
        }
    }
}

/// The mean squared error of a batch, a mean over samples and outputs, and where the way back
/// begins.
///
/// ```math
/// \begin{aligned}
/// L &= \frac{1}{n} \sum_{i=1}^{n} \frac{1}{m} \sum_{j=1}^{m}
///   \bigl(\hat y_{ij} - y_{ij}\bigr)^2 \\
/// \underset{(n,\, m)}{\mathstrut \frac{\partial L}{\partial \hat Y}}
///   &= \frac1n \cdot \frac{2}{m}\,\bigl(\underset{(n,\, m)}{\mathstrut \hat Y}
///   - \underset{(n,\, m)}{\mathstrut Y}\bigr)
/// \end{aligned}
/// ```
#[test]
fn batch_of_squared_errors() {
    let mut rng = rng(614);
    let network = stack(&mut rng);
    for n in [1, 7] {
        let (x, y) = (normal((n, 3), 1.0, &mut rng), normal((n, 3), 1.0, &mut rng));
        let y_hat = network.predict(&x).unwrap();
        let mean = |y_hat: &Array2<f64>| {
            let rows = y_hat.rows().into_iter().zip(y.rows());
            rows.map(|(a, b)| squared(&a.to_owned(), &b.to_owned())).sum::<f64>() / n as f64
        };
        assert_close(network.loss_and_gradient(&x, &y).unwrap().0, mean(&y_hat), 1e-14);
        let d_y_hat = passage(&network, &x, &y).0.d_y.pop().unwrap();
        let formula = Array2::from_shape_fn((n, 3), |(i, j)| {
            1.0 / n as f64 * 2.0 / 3.0 * (y_hat[[i, j]] - y[[i, j]])
        });
        assert_all_close(&d_y_hat, &formula, 1e-14);
        assert_all_close(&d_y_hat, &matrix_gradient(mean, &y_hat), 1e-9);
    }
}

/// The way back is linear: a factor may be applied before it or after it, once. Here B is what a
/// layer makes of the derivatives that reach it.
///
/// ```math
/// \begin{aligned}
/// B(C) &= \Bigl(\frac{\partial L}{\partial X},\, \frac{\partial L}{\partial \theta}\Bigr)
///   \quad\text{for}\quad \frac{\partial L}{\partial Y} = C \\
/// B\Bigl(\frac1n\,C + C'\Bigr) &= \frac1n\,B(C) + B(C')
/// \end{aligned}
/// ```
#[test]
fn way_back_is_linear() {
    let mut rng = rng(615);
    let alone = [
        Alone::new(Dense::new(4, Init::LeCun).unwrap(), 4, &mut rng),
        Alone::new(Activate(Tanh), 4, &mut rng),
        Alone::new(Output(Softmax), 4, &mut rng),
    ];
    for alone in &alone {
        let x = normal((6, 4), 1.0, &mut rng);
        let (c, other) = (normal((6, 4), 1.0, &mut rng), normal((6, 4), 1.0, &mut rng));
        let (d_x, d_params) = alone.back(&x, &(&c / 6.0 + &other));
        let (first, second) = (alone.back(&x, &c), alone.back(&x, &other));
        assert_all_close(&d_x, &(first.0 / 6.0 + second.0), 1e-13);
        assert_all_close(&d_params, &(first.1 / 6.0 + second.1), 1e-13);
        // And B(C) is what its name says.
        let scalar = |x: &Array2<f64>| inner(&c, &alone.at(&alone.params, x));
        assert_all_close(&alone.back(&x, &c).0, &matrix_gradient(scalar, &x), 1e-9);
    }
}

/// A layer alone: weigh its outputs by any numbers and add them up. The derivatives of this sum
/// with respect to the outputs are the weights, so the layer's way back has to return its
/// gradient.
///
/// ```math
/// \begin{aligned}
/// S(X, \theta) &= \sum_{i,j} c_{ij}\,y_{ij}, \qquad
///   \underset{(n,\, m)}{\mathstrut \frac{\partial S}{\partial Y}}
///   = \underset{(n,\, m)}{\mathstrut C} \\
/// \frac{\partial S}{\partial x_{ik}}
///   &= \sum_j c_{ij}\,\frac{\partial y_{ij}}{\partial x_{ik}}, \qquad
/// \frac{\partial S}{\partial \theta_k}
///   = \sum_{i,j} c_{ij}\,\frac{\partial y_{ij}}{\partial \theta_k}
/// \end{aligned}
/// ```
#[test]
fn layer_alone_by_a_cotangent() {
    let mut rng = rng(616);
    let alone = [
        Alone::new(Dense::new(3, Init::LeCun).unwrap(), 4, &mut rng),
        Alone::new(Activate(Sigmoid), 4, &mut rng),
        Alone::new(Output(Softmax), 4, &mut rng),
        Alone::new(Output(Elementwise(Tanh)), 4, &mut rng),
    ];
    for alone in &alone {
        let x = normal((5, 4), 1.0, &mut rng);
        let c = normal((5, alone.outputs), 1.0, &mut rng);
        let (d_x, d_params) = alone.back(&x, &c);
        let s_of_x = |x: &Array2<f64>| inner(&c, &alone.at(&alone.params, x));
        let s_of_params = |params: &Array1<f64>| inner(&c, &alone.at(params, &x));
        assert_all_close(&d_x, &matrix_gradient(s_of_x, &x), 1e-9);
        assert_all_close(&d_params, &gradient(s_of_params, &alone.params), 1e-9);
        let y = alone.at(&alone.params, &x);
        assert_all_close(&matrix_gradient(|y| inner(&c, y), &y), &c, 1e-9);
        for i in 0..5 {
            let row = |x: &Array1<f64>| {
                alone.at(&alone.params, &x.clone().insert_axis(Axis(0))).row(0).to_owned()
            };
            let j = jacobian(row, &x.row(i).to_owned());
            for k in 0..4 {
                let sum = (0..alone.outputs).map(|l| c[[i, l]] * j[[l, k]]).sum();
                assert_close(d_x[[i, k]], sum, 1e-9);
            }
        }
        if !alone.params.is_empty() {
            let flat = |params: &Array1<f64>| alone.at(params, &x).flatten().to_owned();
            let by_params = jacobian(flat, &alone.params);
            let c = c.flatten().insert_axis(Axis(0)).to_owned();
            assert_all_close(&d_params, &times(&c, &by_params).row(0), 1e-9);
        }
    }
}

/// If a Jacobian is wrong by Δ, random weights see it in every column in which Δ is not zero:
/// their products have mean zero, unless a weight meets itself.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}[c_i\,c_j] &= \begin{cases} 1 & i = j \\ 0 & i \ne j \end{cases} \\
/// \mathbb{E}\Bigl[\Bigl(\sum_j c_j\,\Delta_{jk}\Bigr)^2\Bigr]
///   &= \sum_i \sum_j \mathbb{E}[c_i\,c_j]\,\Delta_{ik}\,\Delta_{jk}
///   = \sum_j \Delta_{jk}^2
/// \end{aligned}
/// ```
#[test]
fn random_cotangent_sees_every_mistake() {
    let mut rng = rng(617);
    let alone = Alone::new(Output(Softmax), 4, &mut rng);
    let x = normal((1, 4), 1.0, &mut rng);
    // A way back that returns zeros is wrong by the whole Jacobian, and ones do not see it.
    let delta = Array2::from_shape_fn((4, 4), |(j, k)| {
        let unit = Array2::from_shape_fn((1, 4), |(_, l)| if l == j { 1.0 } else { 0.0 });
        -alone.back(&x, &unit).0[[0, k]]
    });
    let product = |c: &Array1<f64>, k: usize| (0..4).map(|j| c[j] * delta[[j, k]]).sum::<f64>();
    let squares = |k: usize| (0..4).map(|j| delta[[j, k]].powi(2)).sum::<f64>();
    // Signs have the two means of the first line, and there are only sixteen rows of them.
    let signs = (0..16_u32)
        .map(|set| Array1::from_shape_fn(4, |j| if set >> j & 1 == 1 { 1.0 } else { -1.0 }));
    let signs: Vec<Array1<f64>> = signs.collect();
    let draws: Vec<Array1<f64>> = (0..40_000).map(|_| normal(4, 1.0, &mut rng)).collect();
    for i in 0..4 {
        for j in 0..4 {
            let mean = |all: &[Array1<f64>]| {
                all.iter().map(|c| c[i] * c[j]).sum::<f64>() / all.len() as f64
            };
            let expected = if i == j { 1.0 } else { 0.0 };
            assert_close(mean(&signs), expected, 1e-14);
            // Five standard errors of a mean of 40,000 with the variance 2.
            assert_close(mean(&draws), expected, 5.0 * (2.0_f64 / 40_000.0).sqrt());
        }
    }
    for k in 0..4 {
        assert_close(product(&Array1::ones(4), k), 0.0, 1e-14);
        let mean = signs.iter().map(|c| product(c, k).powi(2)).sum::<f64>() / 16.0;
        assert_close(mean, squares(k), 1e-14);
        let mean = draws.iter().map(|c| product(c, k).powi(2)).sum::<f64>() / 40_000.0;
        assert_close(mean / squares(k), 1.0, 5.0 * (2.0_f64 / 40_000.0).sqrt());
        assert!(draws.iter().all(|c| product(c, k) != 0.0));
    }
}

/// Where the parameters of a layer lie: after those of all layers before it. A layer without
/// parameters takes no room.
///
/// ```math
/// \begin{aligned}
/// p_l &= s_{l-1}\,s_l + s_l, \qquad p = \sum_{l=1}^{D} p_l, \qquad o_l = \sum_{r<l} p_r \\
/// (W_l)_{kj} &= \theta[\,o_l + k\,s_l + j\,], \qquad
/// (b_l)_j = \theta[\,o_l + s_{l-1}\,s_l + j\,]
/// \end{aligned}
/// ```
#[test]
fn places_layer_by_layer() {
    let dense = |units| Dense::new(units, Init::LeCun).unwrap();
    let stack = layers![dense(4), Activate(Tanh), dense(3), Activate(Tanh), dense(2)];
    let mut network = with_random_parameters(Shape::Vector(5), stack, &mut rng(618));
    let sizes = [5, 4, 4, 3, 3, 2];
    let count = |l: usize| if l % 2 == 1 { sizes[l - 1] * sizes[l] + sizes[l] } else { 0 };
    let p: usize = (1..=5).map(count).sum();
    assert_eq!(network.params().len(), p);
    // Every parameter is its own place, which floats hold exactly.
    network.set_params(&Array1::from_shape_fn(p, |place| place as f64)).unwrap();
    for l in 1..=5 {
        let o: usize = (1..l).map(count).sum();
        assert_eq!(network.range(l - 1), o..o + count(l));
        if count(l) == 0 {
            continue;
        }
        let answer = |x: &Array2<f64>| {
            let (mut y, layer) = (Array2::zeros((1, sizes[l])), &network.layers()[l - 1]);
            let params = network.layer_params(l - 1);
            layer.forward_into(Mode::Predict, &params, x, &mut y, &mut Array1::zeros(0));
            y
        };
        let nothing = answer(&Array2::zeros((1, sizes[l - 1])));
        for j in 0..sizes[l] {
            assert_eq!(nothing[[0, j]], (o + sizes[l - 1] * sizes[l] + j) as f64);
            for k in 0..sizes[l - 1] {
                let mut unit = Array2::zeros((1, sizes[l - 1]));
                unit[[0, k]] = 1.0;
                let weight = answer(&unit)[[0, j]] - nothing[[0, j]];
                assert_eq!(weight, (o + k * sizes[l] + j) as f64);
            }
        }
    }
}

/// What a pass over n samples keeps until the way back is done, beside the losses: each layer's
/// outputs, as many derivatives, and what the layer asks room for.
///
/// ```math
/// 2\,n \sum_{l=1}^{D} s_l + \sum_{l=1}^{D} \operatorname{room}_l(n)
/// ```
#[test]
fn memory_of_a_passage() {
    #[derive(Debug)]
    struct KeepsThree;

    impl<F: Float> Part<F> for KeepsThree {
        fn name(&self) -> &str {
            "keeps_three"
        }
    }

    impl<F: Float> Layer<F> for KeepsThree {
        fn accept(&mut self, input: Shape) -> gradus::Result<Shape> {
            Ok(input)
        }

        fn forward_into(
            &self,
            _: Mode,
            _: &ArrayRef1<F>,
            x: &ArrayRef2<F>,
            y: &mut ArrayRef2<F>,
            kept: &mut ArrayRef1<F>,
        ) {
            assert_eq!(kept.len(), 3 * x.nrows());
            y.assign(x);
        }

        fn backward_into(
            &self,
            _: &Pass<F>,
            _: &ArrayRef2<F>,
            _: Option<&mut ArrayRef2<F>>,
            _: &mut ArrayRef1<F>,
        ) {
        }

        fn room(&self, rows: usize) -> usize {
            3 * rows
        }
    }

    let dense = |units| Dense::new(units, Init::LeCun).unwrap();
    let layers = layers![dense(4), KeepsThree, Activate(Tanh), dense(2)];
    let network = with_random_parameters(Shape::Vector(5), layers, &mut rng(619));
    for n in [1, 6] {
        let trace = network.forward(&Array2::ones((n, 5))).unwrap();
        let numbers = |arrays: &[Array2<f64>]| arrays.iter().map(|a| a.len()).sum::<usize>();
        let kept: usize = trace.kept.iter().map(|kept| kept.len()).sum();
        let sizes = 4 + 4 + 4 + 2;
        assert_eq!(numbers(&trace.y) + numbers(&trace.d_y) + kept, 2 * n * sizes + 3 * n);
    }
}

/// The names of all parameters of a network with these sizes: a weight or a bias, its dense
/// layer, its row, its column.
type Name = (char, usize, usize, usize);

/// Layer by layer: W₁, b₁, W₂, b₂, …
fn names_by_layers(sizes: &[usize]) -> Vec<Name> {
    let mut names = Vec::new();
    for l in 1..sizes.len() {
        (0..sizes[l - 1]).for_each(|k| names.extend((0..sizes[l]).map(|j| ('W', l, k, j))));
        names.extend((0..sizes[l]).map(|j| ('b', l, 0, j)));
    }
    names
}

/// All weights, then all biases.
fn names_weights_first(sizes: &[usize]) -> Vec<Name> {
    let names = names_by_layers(sizes);
    let of = |kind| names.iter().filter(move |name| name.0 == kind).copied();
    of('W').chain(of('b')).collect()
}

/// P: row a has its 1 in the column of the parameter with the same name.
fn permutation(sizes: &[usize]) -> Array2<f64> {
    let (rows, columns) = (names_by_layers(sizes), names_weights_first(sizes));
    let entry = |(a, b): (usize, usize)| if rows[a] == columns[b] { 1.0 } else { 0.0 };
    Array2::from_shape_fn((rows.len(), columns.len()), entry)
}

/// P x, or Pᵀ x: each sum has one term that is not zero, so that nothing is rounded.
fn permuted(p: &Array2<f64>, x: &Array1<f64>) -> Array1<f64> {
    times(p, &x.clone().insert_axis(Axis(1))).column(0).to_owned()
}

const ORDER_SIZES: [usize; 4] = [2, 5, 3, 1];

/// The network of layers and that of chapter 4, with the same seed.
fn both(optimizer: impl Fn() -> Momentum<f64>) -> (Sequential<f64>, NeuralNetwork<f64>) {
    let init = Init::Lazar;
    let dense = |units| Dense::new(units, init).unwrap();
    let layers =
        layers![dense(5), Activate(Tanh), dense(3), Activate(Tanh), dense(1), Activate(Tanh)];
    let (loss, output) = (MeanSquaredError, Elementwise(Tanh));
    let layered = Sequential::new(Shape::Vector(2), layers, loss, optimizer(), 3).unwrap();
    let plain = NeuralNetwork::new(&ORDER_SIZES, Tanh, output, loss, optimizer(), init, 3);
    (layered, plain.unwrap())
}

/// The same parameters in another order: a matrix with a single 1 in each row and each column,
/// whose transpose undoes it. θ is the vector of chapter 4, with a tilde that of the layers.
///
/// ```math
/// \begin{aligned}
/// \underset{(p)}{\mathstrut \tilde\theta}
///   &= \underset{(p,\, p)}{\mathstrut P}\;\underset{(p)}{\mathstrut \theta}, \qquad
/// P_{ab} = \begin{cases} 1 & \tilde\theta_a \text{ and } \theta_b
///   \text{ are the same parameter} \\ 0 & \text{otherwise} \end{cases} \\
/// \bigl(P^\top P\bigr)_{bc} &= \sum_a P_{ab}\,P_{ac}
///   = \begin{cases} 1 & b = c \\ 0 & b \ne c \end{cases}
/// \end{aligned}
/// ```
#[test]
fn orders_differ_by_a_permutation() {
    let p = permutation(&ORDER_SIZES);
    assert_eq!(times(&transposed(&p), &p), Array2::<f64>::eye(p.nrows()));
    assert_ne!(p, Array2::<f64>::eye(p.nrows()));
    let (layered, plain) = both(|| Momentum::new(0.1, 0.9).unwrap());
    // Both networks drew the same numbers, each into its own order.
    assert_eq!(layered.params(), permuted(&p, plain.params()));
    assert_eq!(permuted(&transposed(&p), layered.params()), plain.params());
}

/// The loss in the new order asks the old one, so its gradient is the old gradient in the new
/// order.
///
/// ```math
/// \begin{aligned}
/// \tilde L(\tilde\theta) &= L(P^\top \tilde\theta) \\
/// \tilde g_a = \frac{\partial \tilde L}{\partial \tilde\theta_a}
///   &= \sum_b \frac{\partial L}{\partial \theta_b}\,
///     \frac{\partial \theta_b}{\partial \tilde\theta_a}
///   = \sum_b g_b\,P_{ab} \\
/// \underset{(p)}{\mathstrut \tilde g}
///   &= \underset{(p,\, p)}{\mathstrut P}\;\underset{(p)}{\mathstrut g}
/// \end{aligned}
/// ```
#[test]
fn gradient_in_another_order() {
    let p = permutation(&ORDER_SIZES);
    let (mut layered, mut plain) = both(|| Momentum::new(0.1, 0.9).unwrap());
    let mut rng = rng(620);
    for n in [1, 9] {
        let (x, y) = (normal((n, 2), 1.0, &mut rng), normal((n, 1), 0.5, &mut rng));
        let theta = normal(layered.params().len(), 0.8, &mut rng);
        layered.set_params(&theta).unwrap();
        plain.set_params(&permuted(&transposed(&p), &theta)).unwrap();
        let (loss, g) = plain.loss_and_gradient(&x, &y).unwrap();
        let (same_loss, g_tilde) = layered.loss_and_gradient(&x, &y).unwrap();
        // Not only close: the same bits.
        assert_eq!(loss, same_loss);
        assert_eq!(g_tilde, permuted(&p, &g));
        let f = |theta: &Array1<f64>| {
            let mut copy = both(|| Momentum::new(0.1, 0.9).unwrap()).1;
            copy.set_params(&permuted(&transposed(&p), theta)).unwrap();
            copy.loss_and_gradient(&x, &y).unwrap().0
        };
        let measured = gradient(f, &theta);
        assert_all_close(&measured, &g_tilde, 1e-8);
        let sums = (0..g.len()).map(|a| (0..g.len()).map(|b| g[b] * p[[a, b]]).sum());
        assert_all_close(&measured, &sums.collect::<Array1<f64>>(), 1e-8);
    }
}

/// One step in the new order is the old step in the new order, if it was so before the step: a
/// permutation may be taken out of sums and multiples. By induction, so are all steps.
///
/// ```math
/// \begin{aligned}
/// \tilde v_{t+1} &= \mu\,\tilde v_t - \eta\,\tilde g_t
///   = \mu\,P\,v_t - \eta\,P\,g_t
///   = P\,\bigl(\mu\,v_t - \eta\,g_t\bigr) = P\,v_{t+1} \\
/// \tilde\theta_{t+1} &= \tilde\theta_t + \tilde v_{t+1}
///   = P\,\theta_t + P\,v_{t+1} = P\,\theta_{t+1}
/// \end{aligned}
/// ```
#[test]
fn steps_in_another_order() {
    let p = permutation(&ORDER_SIZES);
    for (eta, mu) in [(0.1, 0.9), (0.3, 0.0)] {
        let (mut layered, mut plain) = both(|| Momentum::new(eta, mu).unwrap());
        let moons = toy::moons::<f64>(40, 0.2, 5).unwrap();
        let mut velocity = Array1::<f64>::zeros(p.nrows());
        let mut old = Array1::<f64>::zeros(p.nrows());
        for t in 0..50 {
            let rows = s![t % 5 * 8..t % 5 * 8 + 8, ..];
            let (x, y) = (moons.x().slice(rows), moons.y().slice(rows));
            let before = layered.params().clone();
            let (g, g_tilde) = (
                plain.loss_and_gradient(&x, &y).unwrap().1,
                layered.loss_and_gradient(&x, &y).unwrap().1,
            );
            plain.step(&g);
            layered.step(&g_tilde);
            let v = |network: &dyn Optimizer<f64>| network.state().vectors["velocity"].clone();
            let (v, v_tilde) = (v(plain.optimizer()), v(layered.optimizer()));
            assert_eq!(v_tilde, permuted(&p, &v));
            assert_eq!(layered.params(), permuted(&p, plain.params()));
            velocity = &velocity * mu - &g_tilde * eta;
            let apart = permuted(&p, &old) * mu - permuted(&p, &g) * eta;
            assert_all_close(&v_tilde, &apart, 1e-12);
            assert_all_close(&v_tilde, &permuted(&p, &(&old * mu - &g * eta)), 1e-12);
            old = v;
            assert_all_close(&v_tilde, &velocity, 1e-12);
            assert_all_close(layered.params(), &(before + &velocity), 1e-12);
        }
    }
}

/// Hidden units with tanh may change places, and each may change the sign of all its weights:
/// so many networks with s hidden units compute the same.
///
/// ```math
/// \begin{aligned}
/// v_j \tanh\Bigl(\sum_k x_k\,w_{kj} + b_j\Bigr)
///   &= (-v_j)\,\tanh\Bigl(\sum_k x_k\,(-w_{kj}) + (-b_j)\Bigr) \\
/// \text{networks} &= 2^s\,s!
/// \end{aligned}
/// ```
#[test]
fn hidden_units_have_twins() {
    let (mut network, x, _) = small(5, 621);
    let theta = network.params().clone();
    let y_hat = network.predict(&x).unwrap();
    // 2-3-1, layer by layer: six weights, three biases, three weights, one bias.
    let places = |unit: usize| [unit, 3 + unit, 6 + unit, 9 + unit];
    let mut seen: Vec<Array1<f64>> = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for signs in 0..8_u32 {
            let mut twin = theta.clone();
            for (unit, from) in order.into_iter().enumerate() {
                let sign = if signs >> unit & 1 == 1 { -1.0 } else { 1.0 };
                for (to, from) in places(unit).into_iter().zip(places(from)) {
                    twin[to] = sign * theta[from];
                }
            }
            network.set_params(&twin).unwrap();
            assert_all_close(&network.predict(&x).unwrap(), &y_hat, 1e-14);
            assert!(!seen.contains(&twin));
            seen.push(twin);
        }
    }
    assert_eq!(seen.len(), 2_usize.pow(3) * (1..=3).product::<usize>());
    for x in x.rows() {
        let sum = |sign: f64| sign * theta[6] + sign * (x[0] * theta[0] + x[1] * theta[3]);
        assert_close(theta[9] * sum(1.0).tanh(), -theta[9] * sum(-1.0).tanh(), 1e-15);
    }
}

/// Cases that have to share one answer q: the best one is the mean of their targets, and with
/// squared errors it costs their variance. For targets of 0 and 1, that is a product.
///
/// ```math
/// \begin{aligned}
/// \frac1n \sum_i (q - y_i)^2 &= (q - \bar y)^2 + \frac1n \sum_i (\bar y - y_i)^2 \\
/// y_i \in \{0, 1\} \quad\Longrightarrow\quad
/// \frac1n \sum_i (\bar y - y_i)^2 &= \bar y\,(1 - \bar y)
/// \end{aligned}
/// ```
#[test]
fn shared_answer_costs_the_variance() {
    let mut rng = rng(622);
    for n in [2, 3, 4, 9] {
        let any = normal(n, 1.0, &mut rng);
        let bits = labels(n, 2, &mut rng).into_iter().map(|label| label as f64);
        for y in [any, bits.collect()] {
            let q: f64 = normal(1, 1.0, &mut rng)[0];
            let mean = y.sum() / n as f64;
            let column = y.clone().insert_axis(Axis(1));
            let loss = |q: f64| {
                let y_hat = Array2::from_elem((n, 1), q);
                MeanSquaredError.values(&y_hat, &column).sum() / n as f64
            };
            let variance = y.iter().map(|y| (mean - y) * (mean - y)).sum::<f64>() / n as f64;
            assert_close(loss(q), (q - mean).powi(2) + variance, 1e-13);
            if y.iter().all(|&y| y == 0.0 || y == 1.0) {
                assert_close(variance, mean * (1.0 - mean), 1e-14);
            }
        }
    }
}

/// A first layer with weights and biases uniform between −½ and ½: what the size of its outputs
/// owes to the inputs.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}[w_k^2] &= \mathbb{E}[b^2] = \int_{-1/2}^{1/2} u^2\,\mathrm{d}u = \frac{1}{12} \\
/// \mathbb{E}[z^2] &= \sum_{k=1}^{s} x_k^2\;\mathbb{E}[w_k^2] + \mathbb{E}[b^2]
///   = \frac{1}{12}\,\Bigl(\sum_{k=1}^{s} x_k^2 + 1\Bigr)
/// \end{aligned}
/// ```
#[test]
fn uniform_start_of_many_inputs() {
    let mut rng = rng(623);
    let (s, draws) = (60, 40_000);
    // Pixels: many zeros, and some numbers between 0 and 1.
    let x = uniform(s, -1.0, 1.0, &mut rng).mapv(|x: f64| x.max(0.0));
    let alone = Alone::new(Dense::new(1, Init::LeCun).unwrap(), s, &mut rng);
    let x = x.insert_axis(Axis(0));
    let (mut z, mut w) = (0.0, [0.0; 2]);
    for _ in 0..draws {
        let params = uniform(s + 1, -0.5, 0.5, &mut rng);
        z += alone.at(&params, &x)[[0, 0]].powi(2) / f64::from(draws);
        w[0] += params[0].powi(2) / f64::from(draws);
        w[1] += params[s].powi(2) / f64::from(draws);
    }
    // No sum of uniform numbers strays farther than a normal one does.
    let tolerance = 5.0 * (2.0 / f64::from(draws)).sqrt();
    assert_close(12.0 * w[0], 1.0, tolerance);
    assert_close(12.0 * w[1], 1.0, tolerance);
    let steps = 1000;
    let middle = |i: i32| ((f64::from(i) + 0.5) / f64::from(steps) - 0.5).powi(2);
    assert_close((0..steps).map(middle).sum::<f64>() / f64::from(steps), 1.0 / 12.0, 1e-6);
    let sum: f64 = x.iter().map(|x| x * x / 12.0).sum::<f64>() + 1.0 / 12.0;
    let derived = (x.iter().map(|x| x * x).sum::<f64>() + 1.0) / 12.0;
    assert_close(sum, derived, 1e-13);
    assert_close(z / derived, 1.0, tolerance);
}

/// The mean slope of tanh, where z is normal with a variance V: the density is highest at 0, and
/// the slope has the area 2 below it.
///
/// ```math
/// \begin{aligned}
/// \mathbb{E}[\tanh'(z)] &= \int_{-\infty}^{\infty} \tanh'(z)\,
///   \frac{e^{-z^2/(2V)}}{\sqrt{2\pi V}}\,\mathrm{d}z \\
///   &\le \frac{1}{\sqrt{2\pi V}} \int_{-\infty}^{\infty} \tanh'(z)\,\mathrm{d}z
///   = \frac{2}{\sqrt{2\pi V}}
/// \end{aligned}
/// ```
#[test]
fn mean_slope_of_a_wide_unit() {
    use gradus::Activation;
    let pi = std::f64::consts::PI;
    let integral = |f: &dyn Fn(f64) -> f64| {
        let (reach, steps) = (40.0, 80_000);
        let width = 2.0 * reach / f64::from(steps);
        (0..=steps).map(|i| f(f64::from(i) * width - reach) * width).sum::<f64>()
    };
    let tanh_slope = |z: f64| Tanh.derivative(z);
    assert_close(integral(&tanh_slope), 2.0, 1e-10);
    let mut rng = rng(624);
    for v in [0.3_f64, 2.0, 7.0, 60.0] {
        let density = |z: f64| (-z * z / (2.0 * v)).exp() / (2.0 * pi * v).sqrt();
        let mean = integral(&|z| tanh_slope(z) * density(z));
        let bound = 2.0 / (2.0 * pi * v).sqrt();
        assert!(mean < bound, "{mean} against {bound}");
        let z = normal(20_000, v.sqrt(), &mut rng);
        assert_close(mean, z.iter().map(|&z| tanh_slope(z)).sum::<f64>() / 20_000.0, 0.02);
        // The wider, the closer: what is missing is about π²/(24 V) of the bound.
        if v > 5.0 {
            assert_close(1.0 - mean / bound, pi * pi / (24.0 * v), 0.01);
        }
    }
}

/// What it costs to give every one of m classes the answer 1/m, whatever the classes are.
///
/// ```math
/// \begin{aligned}
/// \frac1m \sum_{j=1}^{m} \Bigl(\frac1m - y_{ij}\Bigr)^2
///   &= \frac1m\,\biggl(\Bigl(1 - \frac1m\Bigr)^2 + (m - 1)\,\frac{1}{m^2}\biggr) \\
///   &= \frac1m\,\Bigl(1 - \frac1m\Bigr)
/// \end{aligned}
/// ```
#[test]
fn constant_answer_for_classes() {
    let mut rng = rng(625);
    for m in [2, 3, 10] {
        let y = one_hot::<f64>(&labels(8, m, &mut rng), m).unwrap();
        let share = 1.0 / m as f64;
        let values = MeanSquaredError.values(&Array2::from_elem((8, m), share), &y);
        let two = share * ((1.0 - share).powi(2) + (m as f64 - 1.0) * share * share);
        for value in values {
            assert_close(value, two, 1e-15);
            assert_close(value, share * (1.0 - share), 1e-15);
        }
    }
}

/// A sample of class k that is taken for class j has a loss that cannot be small, so a small loss
/// leaves room for few mistakes.
///
/// ```math
/// \begin{aligned}
/// \hat y_j \ge \hat y_k \quad\Longrightarrow\quad
///   (1 - \hat y_k)^2 + \hat y_j^2
///   &\ge \tfrac12\,\bigl((1 - \hat y_k) + \hat y_j\bigr)^2 \ge \tfrac12 \\
/// \text{mistakes} \cdot \frac1m \cdot \frac12 &\le n\,L \\
/// \frac{\text{mistakes}}{n} &\le 2\,m\,L
/// \end{aligned}
/// ```
#[test]
fn loss_bounds_the_mistakes() {
    let mut rng = rng(626);
    for m in [2, 3, 10] {
        let mut tightest: f64 = 0.0;
        for spread in [0.05, 0.3, 1.0] {
            let n = 400;
            let classes = labels(n, m, &mut rng);
            let y = one_hot::<f64>(&classes, m).unwrap();
            let mut y_hat = &y * 0.5 + normal((n, m), spread / 2.0, &mut rng);
            // As cheap as a mistake can be: one half for the class and one half for another.
            let other = (classes[0] + 1) % m;
            y_hat.row_mut(0).fill(0.0);
            y_hat[[0, classes[0]]] = 0.5;
            y_hat[[0, other]] = 0.5 + 1e-9;
            let losses = MeanSquaredError.values(&y_hat, &y);
            let mut mistakes = 0;
            for (i, &k) in classes.iter().enumerate() {
                for j in (0..m).filter(|&j| j != k && y_hat[[i, j]] >= y_hat[[i, k]]) {
                    let two = (1.0 - y_hat[[i, k]]).powi(2) + y_hat[[i, j]].powi(2);
                    let sum = 1.0 - y_hat[[i, k]] + y_hat[[i, j]];
                    assert!(two >= 0.5 * sum * sum - 1e-15 && 0.5 * sum * sum >= 0.5);
                }
                let others = (0..m).filter(|&j| j != k).map(|j| y_hat[[i, j]]);
                if others.fold(f64::NEG_INFINITY, f64::max) > y_hat[[i, k]] {
                    mistakes += 1;
                    tightest = tightest.max(0.5 / m as f64 / losses[i]);
                }
            }
            let nl = losses.sum();
            assert!(mistakes as f64 / m as f64 / 2.0 <= nl);
            assert!(mistakes as f64 / n as f64 <= 2.0 * m as f64 * nl / n as f64);
        }
        // The bound on one sample is reached, and if all samples reach it, the others are too.
        assert!(tightest > 0.999, "{tightest}");
        let (n, y) = (3, one_hot::<f64>(&[0, 0, 0], m).unwrap());
        let cheapest = |(_, j)| if j < 2 { 0.5 + 1e-9 * j as f64 } else { 0.0 };
        let losses = MeanSquaredError.values(&Array2::from_shape_fn((n, m), cheapest), &y);
        let (nl, mistakes) = (losses.sum(), n as f64);
        assert_close(mistakes / m as f64 / 2.0, nl, 1e-6);
        assert_close(mistakes / n as f64, 2.0 * m as f64 * nl / n as f64, 1e-6);
    }
}

/// The parameters after an epoch in which the samples come in their order, one at a time.
fn epoch(
    network: &mut Sequential<f64>,
    (x, y): (&Array2<f64>, &Array2<f64>),
    theta: &Array1<f64>,
    eta: f64,
) -> Array1<f64> {
    let (mut walked, mut descent) = (theta.clone(), GradientDescent::new(eta).unwrap());
    for i in 0..x.nrows() {
        let one = s![i..=i, ..];
        let gradient = at(network, &walked, &x.slice(one), &y.slice(one)).1;
        descent.step(&mut walked, &gradient);
    }
    walked
}

/// Σ gᵢ, and Σ Hⱼ gᵢ over all i < j, at one place.
fn sums_of_an_epoch(
    network: &mut Sequential<f64>,
    (x, y): (&Array2<f64>, &Array2<f64>),
    theta: &Array1<f64>,
) -> (Array1<f64>, Array1<f64>) {
    let mut g = |i: usize, theta: &Array1<f64>| {
        at(network, theta, &x.slice(s![i..=i, ..]), &y.slice(s![i..=i, ..])).1
    };
    let (mut first, mut second) = (Array1::zeros(theta.len()), Array1::zeros(theta.len()));
    for j in 0..x.nrows() {
        for i in 0..j {
            let g_i = g(i, theta);
            second += &along(|theta| g(j, theta), theta, &g_i);
        }
        first += &g(j, theta);
    }
    (first, second)
}

/// An epoch of samples in a fixed order, up to third order. Where the epochs have come to rest,
/// the sum of the gradients is not zero.
///
/// ```math
/// \begin{aligned}
/// \theta_n &= \theta_0 - \eta \sum_{i=1}^{n} g_i(\theta_0)
///   + \eta^2 \sum_{i<j} H_j\,g_i(\theta_0) + O(\eta^3) \\
/// \theta_n = \theta_0 \quad\Longrightarrow\quad
///   \sum_{i=1}^{n} g_i(\theta_0) &= \eta \sum_{i<j} H_j\,g_i(\theta_0) + O(\eta^2)
/// \end{aligned}
/// ```
#[test]
fn epoch_in_a_fixed_order() {
    let (mut network, x, y) = small(4, 628);
    let theta = network.params().clone();
    let (first, second) = sums_of_an_epoch(&mut network, (&x, &y), &theta);
    let rest = [8e-4, 4e-4].map(|eta| {
        let expected = &theta - &first * eta + &second * (eta * eta);
        norm(&(epoch(&mut network, (&x, &y), &theta, eta) - expected))
    });
    assert!((rest[0] / rest[1] - 8.0).abs() < 0.3, "{rest:?}");

    // A plane through four points comes to rest for certain.
    let line = layers![Dense::new(1, Init::LeCun).unwrap()];
    let mut line = with_random_parameters(Shape::Vector(2), line, &mut rng(629));
    let rest = [2e-2, 1e-2].map(|eta| {
        let mut theta = line.params().clone();
        for _ in 0..4000 {
            theta = epoch(&mut line, (&x, &y), &theta, eta);
        }
        assert_all_close(&epoch(&mut line, (&x, &y), &theta, eta), &theta, 1e-13);
        let (first, second) = sums_of_an_epoch(&mut line, (&x, &y), &theta);
        assert!(norm(&first) > 0.1 * eta, "{first}");
        norm(&(first - &second * eta)) / norm(&second)
    });
    assert!((rest[0] / rest[1] - 4.0).abs() < 0.5, "{rest:?}");
}

/// The term of second order, averaged over all orders of an epoch: each pair of samples comes in
/// either order equally often.
///
/// ```math
/// \begin{aligned}
/// \frac{1}{n!} \sum_{\text{orders}}\; \sum_{i \text{ before } j} H_j\,g_i
///   &= \tfrac12 \sum_{i \ne j} H_j\,g_i \\
///   &= \tfrac12 \Bigl(\sum_j H_j\Bigr) \Bigl(\sum_i g_i\Bigr)
///     - \tfrac12 \sum_i H_i\,g_i \\
///   &= \tfrac12 \Bigl(\sum_j H_j\Bigr) \Bigl(\sum_i g_i\Bigr)
///     - \tfrac14\,\nabla \sum_i \lVert g_i \rVert^2
/// \end{aligned}
/// ```
#[test]
fn epoch_in_a_random_order() {
    let (mut network, x, y) = small(4, 630);
    let theta = network.params().clone();
    let mut g = |i: usize, theta: &Array1<f64>| {
        at(&mut network, theta, &x.slice(s![i..=i, ..]), &y.slice(s![i..=i, ..])).1
    };
    let gradients: Vec<Array1<f64>> = (0..4).map(|i| g(i, &theta)).collect();
    let mut h = |j: usize, v: &Array1<f64>| along(|theta| g(j, theta), &theta, v);
    // Hⱼ gᵢ for all pairs.
    let pairs: Vec<Vec<Array1<f64>>> =
        (0..4).map(|j| gradients.iter().map(|g_i| h(j, g_i)).collect()).collect();
    let sum_of_all = gradients.iter().fold(Array1::zeros(theta.len()), |sum, g| sum + g);
    let whole = (0..4).fold(Array1::zeros(theta.len()), |sum, j| sum + h(j, &sum_of_all));
    let zero = || Array1::<f64>::zeros(theta.len());
    let (mut mean, mut orders) = (zero(), 0.0);
    for code in 0..256 {
        let order = [code / 64, code / 16 % 4, code / 4 % 4, code % 4];
        if (0..4).any(|i| !order.contains(&i)) {
            continue;
        }
        orders += 1.0;
        for (place, &j) in order.iter().enumerate() {
            order[..place].iter().for_each(|&i| mean += &pairs[j][i]);
        }
    }
    mean /= orders;
    assert_eq!(orders, 24.0);
    let (mut different, mut own) = (zero(), zero());
    for (j, row) in pairs.iter().enumerate() {
        own += &row[j];
        (0..4).filter(|&i| i != j).for_each(|i| different += &row[i]);
    }
    assert_all_close(&mean, &(&different / 2.0), 1e-12);
    assert_all_close(&mean, &(&whole / 2.0 - &own / 2.0), 1e-9);
    let squares = |theta: &Array1<f64>| {
        let mut copy = small(4, 630).0;
        let mut g =
            |i: usize| at(&mut copy, theta, &x.slice(s![i..=i, ..]), &y.slice(s![i..=i, ..])).1;
        (0..4).map(|i| norm(&g(i)).powi(2)).sum::<f64>()
    };
    assert_all_close(&mean, &(&whole / 2.0 - gradient(squares, &theta) / 4.0), 1e-8);
}

/// As many small steps as a batch has samples, each with the gradient of one, are a step with
/// the mean gradient and a learning rate that is larger by their number, up to second order.
///
/// ```math
/// \begin{aligned}
/// \theta_i &= \theta_{i-1} - \eta\,g_i(\theta_{i-1}), \qquad i = 1, \dots, n \\
/// \theta_n &= \theta_0 - \eta \sum_{i=1}^{n} g_i(\theta_0) + O(\eta^2) \\
///   &= \theta_0 - (n\,\eta)\,\frac1n \sum_{i=1}^{n} g_i(\theta_0) + O(\eta^2)
/// \end{aligned}
/// ```
#[test]
fn small_steps_add_up() {
    let n = 6;
    let (mut network, x, y) = small(n, 627);
    let theta = network.params().clone();
    let sum = sums_of_an_epoch(&mut network, (&x, &y), &theta).0;
    let mean = at(&mut network, &theta, &x, &y).1;
    assert_all_close(&(&sum / n as f64), &mean, 1e-13);
    let mut walk = |eta| epoch(&mut network, (&x, &y), &theta, eta);
    let (coarse, fine) = (walk(2e-3), walk(1e-3));
    let rest = |walked: &Array1<f64>, eta: f64| norm(&(walked - (&theta - &sum * eta)));
    let ratio = rest(&coarse, 2e-3) / rest(&fine, 1e-3);
    assert!((ratio - 4.0).abs() < 0.1, "{ratio}");
    let batch = |walked: &Array1<f64>, eta: f64| {
        let mut stepped = theta.clone();
        GradientDescent::new(n as f64 * eta).unwrap().step(&mut stepped, &mean);
        norm(&(walked - &stepped))
    };
    let ratio = batch(&coarse, 2e-3) / batch(&fine, 1e-3);
    assert!((ratio - 4.0).abs() < 0.1, "{ratio}");
}

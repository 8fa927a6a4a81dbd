//! Chapter 3: gradient descent and momentum.
//!
//! All parameters are one vector of shape (p), and so are the velocity and the gradient. The
//! names in brackets are equations of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::{Array1, Array2};

/// One step of gradient descent on f(θ) = ½ θᵀAθ − bᵀθ (`bowl_gradient`), for any square A,
/// symmetric or not.
///
/// Returns the new parameters.
///
/// # Shapes
/// `a`: (p, p); `b`, `theta`: (p) → (p)
pub fn bowl_step(a: &Array2<f64>, b: &Array1<f64>, theta: &Array1<f64>, eta: f64) -> Array1<f64> {
    todo!()
}

/// One step of momentum (`momentum_update`).
///
/// Returns the new parameters and the new velocity.
///
/// # Shapes
/// `theta`, `v`, `g`: (p) → (p) and (p)
pub fn momentum_step(
    theta: &Array1<f64>,
    v: &Array1<f64>,
    g: &Array1<f64>,
    eta: f64,
    mu: f64,
) -> (Array1<f64>, Array1<f64>) {
    todo!()
}

/// One step along a moving average of the gradients (`moving_average_weights`,
/// `moving_average_takes_the_steps_of_momentum`), which is not corrected for its first steps.
///
/// Returns the new parameters and the new average.
///
/// # Shapes
/// `theta`, `v`, `g`: (p) → (p) and (p)
pub fn moving_average_step(
    theta: &Array1<f64>,
    v: &Array1<f64>,
    g: &Array1<f64>,
    eta: f64,
    beta: f64,
) -> (Array1<f64>, Array1<f64>) {
    todo!()
}

/// One step of Nesterov's momentum in the library's form (`nesterov_update`): `theta` is the
/// point ahead, and `g` the gradient there.
///
/// Returns the new parameters and the new velocity.
///
/// # Shapes
/// `theta`, `v`, `g`: (p) → (p) and (p)
pub fn nesterov_step(
    theta: &Array1<f64>,
    v: &Array1<f64>,
    g: &Array1<f64>,
    eta: f64,
    mu: f64,
) -> (Array1<f64>, Array1<f64>) {
    todo!()
}

/// The spectral radius of the heavy ball's matrix M along an eigenvector with the eigenvalue
/// `lambda` (`heavy_ball_eigenvalues`): the larger of |r₊| and |r₋|, whether the two are real
/// or complex.
pub fn heavy_ball_radius(eta: f64, mu: f64, lambda: f64) -> f64 {
    todo!()
}

/// The best learning rate and the best momentum of the heavy ball on a bowl with these
/// eigenvalues, which are positive and in any order (`heavy_ball_best_pair`).
///
/// Returns the learning rate and the momentum.
///
/// # Shapes
/// `lambda`: (p), with p at least 1
pub fn best_pair(lambda: &Array1<f64>) -> (f64, f64) {
    todo!()
}

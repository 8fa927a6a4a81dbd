//! Chapter 8: the optimizer zoo.
//!
//! All parameters are one vector of shape (p), and so are the gradient `g`, its average `v`, and
//! the sum or average `s` of its squares. Every formula is for each entry by itself, unless it
//! says otherwise. The names in brackets are equations of the book, and their tests.

// Until all is written. Take this line away to be warned of what you leave unused.
#![allow(unused_variables)]

use ndarray::Array1;

/// One step of AdaGrad (`adagrad_update`).
///
/// Returns the new parameters and the new sum of squares.
///
/// # Shapes
/// `theta`, `s`, `g`: (p) → (p) and (p)
pub fn adagrad_step(
    theta: &Array1<f64>,
    s: &Array1<f64>,
    g: &Array1<f64>,
    eta: f64,
    epsilon: f64,
) -> (Array1<f64>, Array1<f64>) {
    todo!()
}

/// One step of RMSprop (`rmsprop_update`), whose average is not corrected for its first steps.
///
/// Returns the new parameters and the new average of squares.
///
/// # Shapes
/// `theta`, `s`, `g`: (p) → (p) and (p)
pub fn rmsprop_step(
    theta: &Array1<f64>,
    s: &Array1<f64>,
    g: &Array1<f64>,
    eta: f64,
    beta: f64,
    epsilon: f64,
) -> (Array1<f64>, Array1<f64>) {
    todo!()
}

/// Step number `t` of Adam (`adam_update`), with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8. The first
/// step is number 1.
///
/// Returns the new parameters and the two new averages, which are not corrected.
///
/// # Shapes
/// `theta`, `v`, `s`, `g`: (p) → (p), (p) and (p)
pub fn adam_step(
    theta: &Array1<f64>,
    v: &Array1<f64>,
    s: &Array1<f64>,
    g: &Array1<f64>,
    t: usize,
    eta: f64,
) -> (Array1<f64>, Array1<f64>, Array1<f64>) {
    todo!()
}

/// What a step of AdamW with weight decay `lambda` makes of the parameters (`adamw_update`), from
/// averages that are corrected already, with ε = 1e-8.
///
/// Returns the new parameters.
///
/// # Shapes
/// `theta`, `v_hat`, `s_hat`: (p) → (p)
pub fn adamw_step(
    theta: &Array1<f64>,
    v_hat: &Array1<f64>,
    s_hat: &Array1<f64>,
    eta: f64,
    lambda: f64,
) -> Array1<f64> {
    todo!()
}

/// The gradient, no longer than `c` (`clipping_keeps_the_direction`).
///
/// # Shapes
/// `g`: (p) → (p)
pub fn clip_by_norm(g: &Array1<f64>, c: f64) -> Array1<f64> {
    todo!()
}

/// The learning rate of the next step, when `t` steps are done, on half a cosine from `eta` to 0
/// over `steps` steps, and 0 from then on (`schedule_of_a_cosine`).
pub fn cosine_rate(eta: f64, t: usize, steps: usize) -> f64 {
    todo!()
}

/// The learning rate of the next step, when `t` steps are done, on one cycle of `steps` steps with
/// its peak `eta` at t = `peak` (`schedule_of_one_cycle`). `t` is below `steps`, and `peak` lies
/// between the first and the last step.
pub fn one_cycle_rate(eta: f64, t: usize, steps: usize, peak: usize) -> f64 {
    todo!()
}

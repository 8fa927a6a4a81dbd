//! Output activations: each entry of `ŷ` may depend on its whole row of `z`, so
//! that the derivative is a matrix for each sample.
//!
//! For n samples of m outputs the derivatives form a stack of Jacobians, (n, m,
//! m), with `J[i, j, k] = ∂ŷ[i, j] / ∂z[i, k]`. The chain rule multiplies a row
//! vector by such a matrix. [`OutputActivation::backward_into`] computes that
//! product; for softmax it never builds the matrix.

use ndarray::{Array2, Array3, ArrayRef1, ArrayRef2, ArrayRef3, Axis, Zip};

use crate::activation::{Activation, Link};
use crate::error::Result;
use crate::float::Float;
use crate::part::{Part, State};

// ANCHOR: OutputActivation
/// An activation that acts on each row as a whole.
#[diagnostic::on_unimplemented(
    note = "an elementwise activation has to be wrapped: `Elementwise(Sigmoid)`"
)]
pub trait OutputActivation<F: Float>: Part<F> {
    /// Writes ŷ.
    ///
    /// # Shapes
    /// `z` and `y_hat`: (n, m).
    fn apply_into(&self, z: &ArrayRef2<F>, y_hat: &mut ArrayRef2<F>);

    /// Writes the Jacobian of each row.
    ///
    /// # Shapes
    /// `z`: (n, m), `jacobian`: (n, m, m).
    fn jacobian_into(&self, z: &ArrayRef2<F>, jacobian: &mut ArrayRef3<F>);

    /// Writes ∂L/∂z, given ∂L/∂ŷ: the vector–Jacobian product of each row. The
    /// default builds the Jacobians; an activation that knows a shorter way
    /// overrides it.
    ///
    /// # Shapes
    /// All (n, m). `y_hat` is what [`apply_into`](Self::apply_into) wrote for
    /// `z`.
    fn backward_into(
        &self,
        z: &ArrayRef2<F>,
        y_hat: &ArrayRef2<F>,
        d_y_hat: &ArrayRef2<F>,
        d_z: &mut ArrayRef2<F>,
    ) {
        let _ = y_hat;
        let rows = d_y_hat.to_owned().insert_axis(Axis(1));
        d_z.assign(
            &chain_rule(&rows, &self.jacobian(z)).index_axis_move(Axis(1), 0),
        );
    }
    // ANCHOR_END: OutputActivation

    /// Which probability function this is, if it is one: a loss may then be
    /// computed from z itself. The default, `None`, is always right.
    fn link(&self) -> Option<Link> {
        None
    }

    /// ŷ as a new array.
    ///
    /// # Shapes
    /// (n, m) → (n, m)
    fn apply(&self, z: &ArrayRef2<F>) -> Array2<F> {
        let mut y_hat = Array2::zeros(z.raw_dim());
        self.apply_into(z, &mut y_hat);
        y_hat
    }

    /// The Jacobians as a new array.
    ///
    /// # Shapes
    /// (n, m) → (n, m, m)
    fn jacobian(&self, z: &ArrayRef2<F>) -> Array3<F> {
        let mut jacobian = Array3::zeros((z.nrows(), z.ncols(), z.ncols()));
        self.jacobian_into(z, &mut jacobian);
        jacobian
    }
}

// ANCHOR: chain_rule
/// The chain rule for a batch: each sample's row vector times its Jacobian.
///
/// # Shapes
/// `d`: (n, 1, m), `jacobian`: (n, m, k) → (n, 1, k).
///
/// # Panics
/// If the shapes do not fit.
pub fn chain_rule<F: Float>(
    d: &ArrayRef3<F>,
    jacobian: &ArrayRef3<F>,
) -> Array3<F> {
    let (n, m, k) = jacobian.dim();
    assert_eq!(
        d.dim(),
        (n, 1, m),
        "one row vector for each of {n} Jacobians with {m} rows"
    );
    let mut result = Array3::zeros((n, 1, k));
    Zip::from(result.outer_iter_mut())
        .and(d.outer_iter())
        .and(jacobian.outer_iter())
        .for_each(|mut result, d, jacobian| result.assign(&d.dot(&jacobian)));
    result
}
// ANCHOR_END: chain_rule

/// ŷₖ = e^zₖ / Σⱼ e^zⱼ, in each row: positive, and summing to 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Softmax;

impl<F: Float> Part<F> for Softmax {
    fn name(&self) -> &str {
        "softmax"
    }
}

// ANCHOR: Softmax
impl<F: Float> OutputActivation<F> for Softmax {
    fn apply_into(&self, z: &ArrayRef2<F>, y_hat: &mut ArrayRef2<F>) {
        Zip::from(y_hat.rows_mut()).and(z.rows()).for_each(|mut y_hat, z| {
            let max = maximum(&z);
            Zip::from(&mut y_hat)
                .and(&z)
                .for_each(|s, &z| *s = (z - max).exp());
            let sum = y_hat.sum();
            y_hat.mapv_inplace(|e| e / sum);
        });
    }
    // ANCHOR_END: Softmax

    // ANCHOR: Softmax_jacobian
    fn jacobian_into(&self, z: &ArrayRef2<F>, jacobian: &mut ArrayRef3<F>) {
        let s = self.apply(z);
        Zip::from(jacobian.outer_iter_mut()).and(s.rows()).for_each(
            |mut jacobian, s| {
                // diag(s) − s sᵀ, row by row.
                for (j, mut row) in jacobian.rows_mut().into_iter().enumerate()
                {
                    Zip::from(&mut row)
                        .and(&s)
                        .for_each(|entry, &s_k| *entry = -s[j] * s_k);
                    row[j] = s[j] * (F::one() - s[j]);
                }
            },
        );
    }
    // ANCHOR_END: Softmax_jacobian

    // ANCHOR: Softmax_backward
    fn backward_into(
        &self,
        _: &ArrayRef2<F>,
        y_hat: &ArrayRef2<F>,
        d_y_hat: &ArrayRef2<F>,
        d_z: &mut ArrayRef2<F>,
    ) {
        Zip::from(d_z.rows_mut())
            .and(y_hat.rows())
            .and(d_y_hat.rows())
            .for_each(|mut d_z, s, d| {
                let mean = s.dot(&d);
                Zip::from(&mut d_z)
                    .and(&s)
                    .and(&d)
                    .for_each(|z, &s, &d| *z = s * (d - mean));
            });
    }
    // ANCHOR_END: Softmax_backward

    fn link(&self) -> Option<Link> {
        Some(Link::Softmax)
    }
}

/// The largest entry of a row.
pub(crate) fn maximum<F: Float>(row: &ArrayRef1<F>) -> F {
    row.iter().fold(F::neg_infinity(), |max, &z| max.max(z))
}

// ANCHOR: Elementwise
/// Makes an output activation of an elementwise one: its Jacobians are
/// diagonal.
///
/// It keeps the name and the state of what it wraps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Elementwise<A>(pub A);

impl<F: Float, A: Activation<F>> OutputActivation<F> for Elementwise<A> {
    fn apply_into(&self, z: &ArrayRef2<F>, y_hat: &mut ArrayRef2<F>) {
        self.0.apply_into(z, y_hat);
    }

    fn jacobian_into(&self, z: &ArrayRef2<F>, jacobian: &mut ArrayRef3<F>) {
        jacobian.fill(F::zero());
        for ((i, j), &z) in z.indexed_iter() {
            jacobian[[i, j, j]] = self.0.derivative(z);
        }
    }

    fn backward_into(
        &self,
        z: &ArrayRef2<F>,
        _: &ArrayRef2<F>,
        d_y_hat: &ArrayRef2<F>,
        d_z: &mut ArrayRef2<F>,
    ) {
        d_z.assign(d_y_hat);
        self.0.backward_in_place(z, d_z);
    }

    fn link(&self) -> Option<Link> {
        self.0.link()
    }
}
// ANCHOR_END: Elementwise

impl<F: Float, A: Activation<F>> Part<F> for Elementwise<A> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn state(&self) -> State<F> {
        self.0.state()
    }

    fn restore(&mut self, state: State<F>) -> Result<()> {
        self.0.restore(state)
    }
}

// An output activation that was chosen at run time is an output activation.
impl<F: Float, A: OutputActivation<F> + ?Sized> OutputActivation<F> for Box<A> {
    fn apply_into(&self, z: &ArrayRef2<F>, y_hat: &mut ArrayRef2<F>) {
        (**self).apply_into(z, y_hat);
    }

    fn jacobian_into(&self, z: &ArrayRef2<F>, jacobian: &mut ArrayRef3<F>) {
        (**self).jacobian_into(z, jacobian);
    }

    fn backward_into(
        &self,
        z: &ArrayRef2<F>,
        y_hat: &ArrayRef2<F>,
        d_y_hat: &ArrayRef2<F>,
        d_z: &mut ArrayRef2<F>,
    ) {
        (**self).backward_into(z, y_hat, d_y_hat, d_z);
    }

    fn link(&self) -> Option<Link> {
        (**self).link()
    }
}

//! Elementwise activations: each entry of `a = f(z)` depends on one entry of
//! `z`.
//!
//! | activation | f(z) | f′(z) |
//! |---|---|---|
//! | [`Identity`] | z | 1 |
//! | [`Relu`] | max(0, z) | 1 if z > 0, else 0 |
//! | [`LeakyRelu`] | z if z > 0, else slope · z | 1 if z > 0, else slope |
//! | [`Sigmoid`] | 1 / (1 + e⁻ᶻ) | f (1 − f) |
//! | [`Tanh`] | tanh z | 1 − f² |
//! | [`Softplus`] | ln(1 + eᶻ) | sigmoid z |
//! | [`Gelu`] | z Φ(z) | Φ(z) + z φ(z) |
//!
//! (Φ and φ are the distribution function and the density of the standard
//! normal distribution.) All are written so that nothing overflows and no
//! digits are lost, however large |z| is.

use ndarray::{Array2, ArrayRef2, Zip};

use crate::error::{Result, setting};
use crate::float::Float;
use crate::part::{Part, State, stateless};

// ANCHOR: Activation
/// An activation that acts on each entry alone.
pub trait Activation<F: Float>: Part<F> {
    /// f(z).
    fn value(&self, z: F) -> F;

    /// f′(z).
    fn derivative(&self, z: F) -> F;

    /// Which probability function this is, if it is one: a loss may then be
    /// computed from z itself. The default, `None`, is always right.
    fn link(&self) -> Option<Link> {
        None
    }

    /// Writes f(z) of every entry.
    ///
    /// # Shapes
    /// `z` and `a`: (n, m).
    fn apply_into(&self, z: &ArrayRef2<F>, a: &mut ArrayRef2<F>) {
        Zip::from(a).and(z).for_each(|a, &z| *a = self.value(z));
    }

    /// Multiplies every entry by f′(z): the chain rule of an elementwise
    /// function.
    ///
    /// # Shapes
    /// `z` and `d`: (n, m); `d` holds ∂L/∂a before and ∂L/∂z after.
    fn backward_in_place(&self, z: &ArrayRef2<F>, d: &mut ArrayRef2<F>) {
        Zip::from(d).and(z).for_each(|d, &z| *d *= self.derivative(z));
    }
    // ANCHOR_END: Activation

    /// f(z) of every entry, as a new array.
    ///
    /// # Shapes
    /// (n, m) → (n, m)
    fn apply(&self, z: &ArrayRef2<F>) -> Array2<F> {
        let mut a = Array2::zeros(z.raw_dim());
        self.apply_into(z, &mut a);
        a
    }

    /// f′(z) of every entry, as a new array.
    ///
    /// # Shapes
    /// (n, m) → (n, m)
    fn derivatives(&self, z: &ArrayRef2<F>) -> Array2<F> {
        let mut d = Array2::ones(z.raw_dim());
        self.backward_in_place(z, &mut d);
        d
    }
}

/// The functions that turn real numbers into probabilities and belong together
/// with a cross-entropy: a loss that knows both can be computed from z without
/// losing digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Row-wise softmax.
    Softmax,
    /// Elementwise sigmoid.
    Sigmoid,
}

/// f(z) = z.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity;

/// f(z) = max(0, z): the rectified linear unit.
///
/// The derivative at 0 does not exist; we take 0, as most libraries do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Relu;

/// f(z) = z for positive z, and slope · z otherwise.
///
/// | setting | default | purpose | range |
/// |---|---|---|---|
/// | slope | 0.01 | what is left of a negative input | [0, 1) |
///
/// Source: Maas, Hannun, Ng, *Rectifier nonlinearities improve neural network
/// acoustic models* (2013).
#[derive(Debug, Clone, Copy)]
pub struct LeakyRelu {
    slope: f64,
}

/// f(z) = 1 / (1 + e⁻ᶻ), between 0 and 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sigmoid;

/// f(z) = tanh z, between −1 and 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tanh;

/// f(z) = ln(1 + eᶻ): ReLU with a rounded corner.
#[derive(Debug, Clone, Copy, Default)]
pub struct Softplus;

/// f(z) = z Φ(z), where Φ is the standard normal distribution function.
///
/// Source: Hendrycks, Gimpel, *Gaussian error linear units* (2016); this is the
/// exact form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gelu;

impl LeakyRelu {
    /// A leaky ReLU with the given slope.
    ///
    /// # Errors
    /// If the slope does not lie in [0, 1).
    pub fn new(slope: f64) -> Result<Self> {
        setting(
            "the slope",
            "lie in [0, 1)",
            slope,
            (0.0..1.0).contains(&slope),
        )?;
        Ok(Self { slope })
    }
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self { slope: 0.01 }
    }
}

impl<F: Float> Activation<F> for Identity {
    fn value(&self, z: F) -> F {
        z
    }

    fn derivative(&self, _: F) -> F {
        F::one()
    }
}

// ANCHOR: Relu
impl<F: Float> Activation<F> for Relu {
    fn value(&self, z: F) -> F {
        // Written so that a z that is not a number stays one.
        if z < F::zero() { F::zero() } else { z }
    }

    fn derivative(&self, z: F) -> F {
        if z > F::zero() { F::one() } else { F::zero() }
    }
}
// ANCHOR_END: Relu

impl<F: Float> Activation<F> for LeakyRelu {
    fn value(&self, z: F) -> F {
        if z > F::zero() { z } else { F::cast(self.slope) * z }
    }

    fn derivative(&self, z: F) -> F {
        if z > F::zero() { F::one() } else { F::cast(self.slope) }
    }
}

// ANCHOR: Sigmoid
impl<F: Float> Activation<F> for Sigmoid {
    fn value(&self, z: F) -> F {
        // Of the two forms of the formula, take the one whose exponential is at
        // most 1.
        let e = (-z.abs()).exp();
        if z >= F::zero() {
            F::one() / (F::one() + e)
        } else {
            e / (F::one() + e)
        }
    }

    fn derivative(&self, z: F) -> F {
        // s (1 − s) with both factors written out: 1 − s would lose the digits
        // of a small one.
        let e = (-z.abs()).exp();
        e / ((F::one() + e) * (F::one() + e))
    }

    fn link(&self) -> Option<Link> {
        Some(Link::Sigmoid)
    }
}
// ANCHOR_END: Sigmoid

// ANCHOR: Tanh
impl<F: Float> Activation<F> for Tanh {
    fn value(&self, z: F) -> F {
        z.tanh()
    }

    fn derivative(&self, z: F) -> F {
        // tanh z = 2 sigmoid(2z) − 1, so tanh′ z = 4 sigmoid′(2z).
        F::cast(4.0) * Sigmoid.derivative(z + z)
    }
}
// ANCHOR_END: Tanh

// ANCHOR: Softplus
impl<F: Float> Activation<F> for Softplus {
    fn value(&self, z: F) -> F {
        z.max(F::zero()) + (-z.abs()).exp().ln_1p()
    }

    fn derivative(&self, z: F) -> F {
        Sigmoid.value(z)
    }
}
// ANCHOR_END: Softplus

// ANCHOR: Gelu
impl<F: Float> Activation<F> for Gelu {
    fn value(&self, z: F) -> F {
        let z = z.as_f64();
        F::cast(z * normal_cdf(z))
    }

    fn derivative(&self, z: F) -> F {
        let z = z.as_f64();
        let density =
            (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        F::cast(normal_cdf(z) + z * density)
    }
}

/// Φ(z). Written with the complementary error function, which keeps its digits
/// where Φ is close to 0.
fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}
// ANCHOR_END: Gelu

stateless!(
    Identity => "identity",
    Relu => "relu",
    Sigmoid => "sigmoid",
    Tanh => "tanh",
    Softplus => "softplus",
    Gelu => "gelu"
);

impl<F: Float> Part<F> for LeakyRelu {
    fn name(&self) -> &str {
        "leaky_relu"
    }

    fn state(&self) -> State<F> {
        State::default().with_number("slope", self.slope)
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        *self = Self::new(state.take_number("slope")?)?;
        state.finish()
    }
}

// An activation that was chosen at run time is an activation.
impl<F: Float, A: Activation<F> + ?Sized> Activation<F> for Box<A> {
    fn value(&self, z: F) -> F {
        (**self).value(z)
    }

    fn derivative(&self, z: F) -> F {
        (**self).derivative(z)
    }

    fn link(&self) -> Option<Link> {
        (**self).link()
    }

    fn apply_into(&self, z: &ArrayRef2<F>, a: &mut ArrayRef2<F>) {
        (**self).apply_into(z, a);
    }

    fn backward_in_place(&self, z: &ArrayRef2<F>, d: &mut ArrayRef2<F>) {
        (**self).backward_in_place(z, d);
    }
}

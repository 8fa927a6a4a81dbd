//! The two scalars of the library: `f32`, in which networks train, and `f64`,
//! in which derivations are verified.

use ndarray::NdFloat;

/// A floating-point number: `f32` or `f64`.
///
/// [`NdFloat`] brings the arithmetic, `exp` and `ln`, printing, and what matrix
/// products need. It is implemented for these two types only, and so is this
/// trait.
pub trait Float: NdFloat + From<u8> {
    /// The name of the type, as saved models spell it: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest number of this type.
    ///
    /// ```
    /// use gradus::Float;
    /// assert_eq!(f32::cast(0.1), 0.1_f32);
    /// ```
    fn cast(x: f64) -> Self;

    /// The same number as an `f64`: exact for both types.
    fn as_f64(self) -> f64;
}

impl Float for f32 {
    const NAME: &'static str = "f32";

    #[inline]
    fn cast(x: f64) -> Self {
        x as f32
    }

    #[inline]
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Float for f64 {
    const NAME: &'static str = "f64";

    #[inline]
    fn cast(x: f64) -> Self {
        x
    }

    #[inline]
    fn as_f64(self) -> f64 {
        self
    }
}

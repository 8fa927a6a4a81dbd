//! What every part that is handed to a network has in common: a name, and a
//! state.
//!
//! A saved model names its parts and holds their states. Loading makes a part
//! by its name and gives it back its state, so that a file needs no code beside
//! it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ndarray::Array1;

use crate::error::{Error, Result, setting};
use crate::float::Float;

/// A part of a model: an activation, a loss, or an optimizer.
///
/// Most parts have nothing to remember, and a name is all they need:
///
/// ```
/// use gradus::{Float, Part};
///
/// #[derive(Debug)]
/// struct Swish;
///
/// impl<F: Float> Part<F> for Swish {
///     fn name(&self) -> &str {
///         "swish"
///     }
/// }
/// ```
pub trait Part<F: Float>: Debug + Send + Sync {
    /// The name that a saved model uses. It must tell this part from all others
    /// of its kind.
    fn name(&self) -> &str;

    /// Everything that makes this part behave as it does: hyperparameters, and
    /// what it has gathered on the way.
    fn state(&self) -> State<F> {
        State::default()
    }

    /// Takes a state back that [`Part::state`] gave.
    ///
    /// # Errors
    /// If something is missing, unknown, or out of range.
    fn restore(&mut self, state: State<F>) -> Result<()> {
        state.finish()
    }
}

// A part that was chosen at run time is a part.
impl<F: Float, P: Part<F> + ?Sized> Part<F> for Box<P> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn state(&self) -> State<F> {
        (**self).state()
    }

    fn restore(&mut self, state: State<F>) -> Result<()> {
        (**self).restore(state)
    }
}

/// The state of a part: numbers and vectors, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct State<F: Float> {
    /// Single numbers, such as a learning rate.
    pub numbers: BTreeMap<String, f64>,
    /// Vectors, such as a velocity.
    pub vectors: BTreeMap<String, Array1<F>>,
}

impl<F: Float> Default for State<F> {
    fn default() -> Self {
        Self { numbers: BTreeMap::new(), vectors: BTreeMap::new() }
    }
}

impl<F: Float> State<F> {
    /// The same state and one number more.
    #[must_use]
    pub fn with_number(mut self, name: &str, value: f64) -> Self {
        self.numbers.insert(name.to_owned(), value);
        self
    }

    /// The same state and one vector more.
    #[must_use]
    pub fn with_vector(mut self, name: &str, value: Array1<F>) -> Self {
        self.vectors.insert(name.to_owned(), value);
        self
    }

    /// Takes a number out.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn take_number(&mut self, name: &str) -> Result<f64> {
        self.numbers.remove(name).ok_or_else(|| lacks(name))
    }

    /// Takes a number out that counts something.
    ///
    /// # Errors
    /// If there is none of this name, or it is not a whole number from 0 to
    /// 2³².
    pub fn take_count(&mut self, name: &str) -> Result<usize> {
        let value = self.take_number(name)?;
        let ok = value.fract() == 0.0 && (0.0..=COUNT).contains(&value);
        let range = "be a whole number from 0 to 4294967296";
        setting("a count in the state of this part", range, value, ok)?;
        Ok(value as usize)
    }

    /// Takes a vector out.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn take_vector(&mut self, name: &str) -> Result<Array1<F>> {
        self.vectors.remove(name).ok_or_else(|| lacks(name))
    }

    /// The same state and that of a part within this one, as `inner.…`.
    #[must_use]
    pub fn with_inner(mut self, inner: State<F>) -> Self {
        let within = |name: String| format!("inner.{name}");
        let numbers = inner.numbers.into_iter();
        self.numbers.extend(numbers.map(|(name, x)| (within(name), x)));
        let vectors = inner.vectors.into_iter();
        self.vectors.extend(vectors.map(|(name, v)| (within(name), v)));
        self
    }

    /// Takes the state of a part within this one out; it may be empty.
    #[must_use]
    pub fn take_inner(&mut self) -> State<F> {
        State {
            numbers: split_off_inner(&mut self.numbers),
            vectors: split_off_inner(&mut self.vectors),
        }
    }

    /// Ends the reading of a state: everything in it must have been taken out.
    ///
    /// # Errors
    /// If something is left over.
    pub fn finish(self) -> Result<()> {
        match self.numbers.into_keys().chain(self.vectors.into_keys()).next() {
            None => Ok(()),
            Some(key) => Err(Error::State { problem: "must not hold", key }),
        }
    }
}

/// 2³²: the largest count in a file.
const COUNT: f64 = 4_294_967_296.0;

fn split_off_inner<T>(map: &mut BTreeMap<String, T>) -> BTreeMap<String, T> {
    let mut inner = BTreeMap::new();
    for (key, value) in std::mem::take(map) {
        match key.strip_prefix("inner.") {
            Some(name) => inner.insert(name.to_owned(), value),
            None => map.insert(key, value),
        };
    }
    inner
}

fn lacks(key: &str) -> Error {
    Error::State { problem: "lacks", key: key.to_owned() }
}

/// Names the parts that have no state.
macro_rules! stateless {
    ($($part:ty => $name:literal),*) => {$(
        impl<F: Float> Part<F> for $part {
            fn name(&self) -> &str {
                $name
            }
        }
    )*};
}
pub(crate) use stateless;

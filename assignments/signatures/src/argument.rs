//! The types of the signatures, turned into [`Value`]s and back.

use ndarray::{Array, Dimension, ShapeBuilder};
use std::borrow::Borrow;

use crate::value::Value;

/// A type that a function may return, or that an argument is borrowed from.
pub trait Exchange: Sized {
    /// The value without its type.
    fn to_value(&self) -> Value;

    /// The typed value; nothing if this is a value of another type.
    fn from_value(value: &Value) -> Option<Self>;
}

/// A type that a function may take.
pub trait Argument<'a>: Sized {
    /// What the argument is borrowed from, or the argument itself.
    type Owned: Exchange;

    /// The argument without its type.
    fn into_value(self) -> Value;

    /// The argument as the function takes it.
    fn from_owned(owned: &'a Self::Owned) -> Self;
}

impl<'a, T: ?Sized + ToOwned> Argument<'a> for &'a T
where
    T::Owned: Exchange,
{
    type Owned = T::Owned;

    fn into_value(self) -> Value {
        self.to_owned().to_value()
    }

    fn from_owned(owned: &'a T::Owned) -> Self {
        owned.borrow()
    }
}

/// Types that are handed over themselves.
macro_rules! by_value {
    ($($type:ty),*) => { $(
        impl Argument<'_> for $type {
            type Owned = Self;

            fn into_value(self) -> Value {
                Exchange::to_value(&self)
            }

            fn from_owned(owned: &Self) -> Self {
                *owned
            }
        }
    )* };
}

by_value!(f64, usize, (usize, usize), [u8; 4]);

impl Exchange for f64 {
    fn to_value(&self) -> Value {
        Value::Number(*self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Number(number) = value { Some(*number) } else { None }
    }
}

/// Whole numbers that fit into 64 bits.
macro_rules! whole {
    ($($type:ty),*) => { $(
        impl Exchange for $type {
            fn to_value(&self) -> Value {
                Value::Whole(*self as u64)
            }

            fn from_value(value: &Value) -> Option<Self> {
                if let Value::Whole(number) = value { (*number).try_into().ok() } else { None }
            }
        }
    )* };
}

whole!(u8, u64, usize);

/// The entries of arrays, as numbers.
trait Entry: Copy {
    fn to_number(self) -> f64;
    fn from_number(number: f64) -> Option<Self>;
}

impl Entry for f64 {
    fn to_number(self) -> f64 {
        self
    }

    fn from_number(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl Entry for u8 {
    fn to_number(self) -> f64 {
        self.into()
    }

    fn from_number(number: f64) -> Option<Self> {
        let byte = number as u8;
        (f64::from(byte) == number).then_some(byte)
    }
}

impl<T: Entry, D: Dimension> Exchange for Array<T, D> {
    fn to_value(&self) -> Value {
        Value::Array {
            shape: self.shape().to_vec(),
            by_columns: !self.is_standard_layout(),
            numbers: self.iter().map(|&entry| entry.to_number()).collect(),
        }
    }

    fn from_value(value: &Value) -> Option<Self> {
        let Value::Array { shape, by_columns, numbers } = value else { return None };
        let entries =
            numbers.iter().map(|&number| T::from_number(number)).collect::<Option<_>>()?;
        let by_rows = Array::from_shape_vec(shape.as_slice(), entries).ok()?;
        let by_rows = by_rows.into_dimensionality::<D>().ok()?;
        if !by_columns {
            return Some(by_rows);
        }
        let entries = by_rows.t().iter().copied().collect();
        Array::from_shape_vec(by_rows.raw_dim().f(), entries).ok()
    }
}

impl<T: Exchange> Exchange for Vec<T> {
    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }

    fn from_value(value: &Value) -> Option<Self> {
        if let Value::List(all) = value { all.iter().map(T::from_value).collect() } else { None }
    }
}

impl<T: Exchange, const N: usize> Exchange for [T; N] {
    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }

    fn from_value(value: &Value) -> Option<Self> {
        Vec::from_value(value)?.try_into().ok()
    }
}

impl<T: Exchange> Exchange for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Nothing, |value| Value::Something(Box::new(value.to_value())))
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Nothing => Some(None),
            Value::Something(value) => Some(Some(T::from_value(value)?)),
            _ => None,
        }
    }
}

impl<A: Exchange, B: Exchange> Exchange for (A, B) {
    fn to_value(&self) -> Value {
        Value::Tuple(vec![self.0.to_value(), self.1.to_value()])
    }

    fn from_value(value: &Value) -> Option<Self> {
        let Value::Tuple(parts) = value else { return None };
        let [a, b] = parts.as_slice() else { return None };
        Some((A::from_value(a)?, B::from_value(b)?))
    }
}

impl<A: Exchange, B: Exchange, C: Exchange> Exchange for (A, B, C) {
    fn to_value(&self) -> Value {
        Value::Tuple(vec![self.0.to_value(), self.1.to_value(), self.2.to_value()])
    }

    fn from_value(value: &Value) -> Option<Self> {
        let Value::Tuple(parts) = value else { return None };
        let [a, b, c] = parts.as_slice() else { return None };
        Some((A::from_value(a)?, B::from_value(b)?, C::from_value(c)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2, Array3, array};
    use std::fmt::Debug;

    fn there_and_back<T: Exchange + PartialEq + Debug>(value: T) {
        assert_eq!(T::from_value(&value.to_value()).as_ref(), Some(&value), "{value:?}");
    }

    #[test]
    fn every_type_survives_the_exchange() {
        there_and_back(-0.1);
        there_and_back(usize::MAX);
        there_and_back([1_u8, 2, 3, 255]);
        there_and_back(array![[1_u8, 0], [7, 255]]);
        there_and_back(Array3::from_shape_fn((2, 1, 3), |(i, j, k)| (i + 2 * j) as f64 - k as f64));
        there_and_back((vec![array![[1.0, 2.0]]], vec![array![0.5], Array1::zeros(0)]));
        there_and_back(Some((1.0, 2.0, array![3.0])));
        there_and_back(None::<f64>);
        there_and_back(vec![(1_usize, 2_usize)]);
        assert!(f64::from_value(&f64::NAN.to_value()).unwrap().is_nan());
    }

    #[test]
    fn the_order_in_memory_survives_too() {
        let by_columns = Array2::from_shape_vec((2, 3).f(), vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let by_columns = by_columns.unwrap();
        let back = Array2::<f64>::from_value(&by_columns.to_value()).unwrap();
        assert_eq!(back, array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(back.strides(), by_columns.strides());
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        let matrix = array![[1.0, 2.5]].to_value();
        assert_eq!(Array1::<f64>::from_value(&matrix), None);
        assert_eq!(Array2::<u8>::from_value(&matrix), None);
        assert_eq!(u8::from_value(&256_u64.to_value()), None);
        assert_eq!(<(f64, f64)>::from_value(&(1.0, 2.0, 3.0).to_value()), None);
        assert_eq!(<[u8; 4]>::from_value(&vec![1_u8; 3].to_value()), None);
        let short = Value::Array { shape: vec![2, 2], by_columns: true, numbers: vec![1.0; 3] };
        assert_eq!(Array2::<f64>::from_value(&short), None);
        assert!(!short.is_sound() && matrix.is_sound());
        let huge = Value::Array { shape: vec![1 << 40; 2], by_columns: false, numbers: vec![] };
        assert!(!Value::List(vec![Value::Something(Box::new(huge))]).is_sound());
    }
}

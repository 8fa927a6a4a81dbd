//! What can be handed to a student's function, and what can come back.

use serde::{Deserialize, Serialize};

/// A value of any type that occurs in a signature, without that type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A number, compared within a tolerance.
    Number(f64),
    /// A whole number, compared exactly.
    Whole(u64),
    /// Numbers in rows.
    Array {
        /// The length of each axis.
        shape: Vec<usize>,
        /// Whether it lies in memory column by column; that changes nothing about the numbers.
        by_columns: bool,
        /// The numbers, row by row.
        #[serde(with = "eight_bytes_each")]
        numbers: Vec<f64>,
    },
    /// Any number of values of one type.
    List(Vec<Value>),
    /// A pair, or more, of values of different types.
    Tuple(Vec<Value>),
    /// `None`.
    Nothing,
    /// `Some`.
    Something(Box<Value>),
}

impl Value {
    /// Whether every array has as many numbers as its shape says: what comes out of a student's
    /// process need not.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Number(_) | Self::Whole(_) | Self::Nothing => true,
            Self::Array { shape, numbers, .. } => {
                let size = shape.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis));
                size == Some(numbers.len())
            }
            Self::List(all) | Self::Tuple(all) => all.iter().all(Self::is_sound),
            Self::Something(value) => value.is_sound(),
        }
    }
}

/// Numbers as one string of bytes: written one by one, images would take ten times as long.
mod eight_bytes_each {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_bytes::ByteBuf;

    pub fn serialize<S: Serializer>(numbers: &[f64], to: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        to.serialize_bytes(&bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        let bytes = ByteBuf::deserialize(from)?;
        let (numbers, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(D::Error::custom("numbers have eight bytes each"));
        }
        Ok(numbers.iter().map(|&number| f64::from_le_bytes(number)).collect())
    }
}

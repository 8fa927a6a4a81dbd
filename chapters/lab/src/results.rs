//! The numbers a chapter found, as the book and its checks read them.

use std::collections::BTreeMap;

use serde::Serialize;

/// A whole or real number, kept to its last digit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Number(serde_json::Value);

macro_rules! whole_number {
    ($($t:ty)*) => {$(
        impl From<$t> for Number {
            fn from(value: $t) -> Self {
                Self(value.into())
            }
        }
    )*};
}

whole_number!(i32 i64 isize u8 u32 u64 usize);

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        // JSON has no word for what is not finite: it becomes null, which `add` refuses.
        Self(value.into())
    }
}

/// A result, and how far another run may stray from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Value {
    /// The same in every run.
    Exact {
        /// The number.
        value: Number,
    },
    /// Another run finds x with |x − value| ≤ tolerance · max(1, |value|).
    Near {
        /// How far x may be from the number.
        tolerance: f64,
        /// The number.
        value: Number,
    },
    /// Depends on the machine, such as a time.
    Machine {
        /// What the number counts.
        unit: String,
        /// The number.
        value: Number,
    },
}

impl Value {
    fn number(&self) -> &Number {
        match self {
            Value::Exact { value } | Value::Near { value, .. } | Value::Machine { value, .. } => {
                value
            }
        }
    }
}

/// How far the numbers in an output or a figure may stray in another run; its words stay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Likeness {
    /// By the rule of [`Value::Near`], or by one in the last digit that is printed.
    Near {
        /// How far.
        tolerance: f64,
    },
    /// As far as they like: they depend on the machine.
    Machine,
}

impl Default for Likeness {
    /// What another processor or another kernel of OpenBLAS meets, where no long training
    /// carries its last bits further.
    fn default() -> Self {
        Likeness::Near { tolerance: 1e-6 }
    }
}

/// What is said about a figure, beside it and in its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// What one would see.
    pub alt: String,
    /// What is plotted, and with which settings.
    pub caption: String,
    /// How far another run may stray from what is drawn.
    #[serde(flatten)]
    pub likeness: Likeness,
}

/// The content of `results.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Results {
    /// The command that makes all of it.
    pub command: String,
    /// The figures, by name.
    pub figures: BTreeMap<String, Description>,
    /// The machine, if anything here depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// What was printed, by section: how far another run may stray from it.
    pub outputs: BTreeMap<String, Likeness>,
    /// The numbers, by name.
    pub values: BTreeMap<String, Value>,
}

impl Results {
    /// Adds a number.
    pub fn add(&mut self, name: &str, value: Value) -> Result<(), Problem> {
        check_name(name)?;
        if let Value::Near { tolerance, .. } = value {
            check_tolerance(name, tolerance)?;
        }
        if value.number().0.is_null() {
            return Err(Problem::NotFinite { name: name.into() });
        }
        match self.values.insert(name.into(), value) {
            None => Ok(()),
            Some(_) => Err(Problem::Twice { what: "result", name: name.into() }),
        }
    }

    /// Whether anything of this depends on the machine.
    pub fn depend_on_machine(&self) -> bool {
        let figures = self.figures.values().map(|figure| &figure.likeness);
        figures.chain(self.outputs.values()).any(|likeness| *likeness == Likeness::Machine)
            || self.values.values().any(|value| matches!(value, Value::Machine { .. }))
    }

    /// As text: indented, in alphabetical order.
    pub fn json(&self) -> String {
        // Through a `Value`, whose objects are sorted.
        let value = serde_json::to_value(self).expect("names are texts, numbers are finite");
        format!("{value:#}\n")
    }
}

/// Checks that a name can be a file's name, a key, and a part of a directive in the book.
pub fn check_name(name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) {
        return Ok(());
    }
    Err(Problem::Name { name: name.into() })
}

/// Checks that a tolerance is one.
pub fn check_tolerance(name: &str, tolerance: f64) -> Result<(), Problem> {
    if tolerance >= 0.0 && tolerance.is_finite() {
        return Ok(());
    }
    Err(Problem::Tolerance { name: name.into(), tolerance })
}

/// A mistake in how a chapter reports what it found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    #[error("{name:?} cannot be a name: names have lower-case letters, digits, `_` and `-`")]
    Name { name: String },
    #[error("the {what} {name:?} is given twice")]
    Twice { what: &'static str, name: String },
    #[error("the result {name:?} is not finite")]
    NotFinite { name: String },
    #[error("the tolerance of {name:?} must be finite and not negative, but is {tolerance}")]
    Tolerance { name: String, tolerance: f64 },
    #[error("there is no section yet whose numbers could stray")]
    NoSection,
    #[error("the figure {name:?} needs a caption, and an alt text that says what one would see")]
    Wordless { name: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_sorted_and_keeps_every_digit() {
        let mut results = Results { command: "cargo run --bin c".into(), ..Default::default() };
        results.add("third", Value::Near { tolerance: 1e-12, value: (1.0 / 3.0).into() }).unwrap();
        results.add("count", Value::Exact { value: u64::MAX.into() }).unwrap();
        results.add("time", Value::Machine { unit: "s".into(), value: 0.5.into() }).unwrap();
        let likeness = Likeness::Machine;
        let description = Description { alt: "a".into(), caption: "c".into(), likeness };
        results.figures.insert("line".into(), description);
        results.outputs.insert("table".into(), Likeness::default());
        let expected = r#"{
  "command": "cargo run --bin c",
  "figures": {
    "line": {
      "alt": "a",
      "caption": "c",
      "kind": "machine"
    }
  },
  "outputs": {
    "table": {
      "kind": "near",
      "tolerance": 1e-6
    }
  },
  "values": {
    "count": {
      "kind": "exact",
      "value": 18446744073709551615
    },
    "third": {
      "kind": "near",
      "tolerance": 1e-12,
      "value": 0.3333333333333333
    },
    "time": {
      "kind": "machine",
      "unit": "s",
      "value": 0.5
    }
  }
}
"#;
        assert_eq!(results.json(), expected);
    }

    #[test]
    fn numbers_that_are_none_and_names_that_are_taken_are_refused() {
        let mut results = Results::default();
        let mut add = |name: &str, value: f64, tolerance| {
            let value = Value::Near { tolerance, value: value.into() };
            results.add(name, value).map_err(|e| e.to_string())
        };
        assert_eq!(add("a", 1.0, 0.0), Ok(()));
        assert_eq!(add("a", 1.0, 0.0).unwrap_err(), r#"the result "a" is given twice"#);
        assert_eq!(add("b", f64::NAN, 0.0).unwrap_err(), r#"the result "b" is not finite"#);
        assert_eq!(
            add("b", 1.0, f64::NAN).unwrap_err(),
            r#"the tolerance of "b" must be finite and not negative, but is NaN"#
        );
        assert!(add("a b", 1.0, 0.0).unwrap_err().contains("lower-case"));
    }
}

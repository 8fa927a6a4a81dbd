//! Whether two values are the same, as far as that can be asked of numbers.

use signatures::Value;

use crate::show;

/// How far a number may be from what is expected: |found − expected| ≤ absolute + relative ·
/// |expected|.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// In proportion to what is expected.
    pub relative: f64,
    /// What remains where that is close to 0.
    pub absolute: f64,
}

impl Default for Tolerance {
    /// A thousand times what rounding does to a sum of a thousand numbers near 1, in `f64`; a
    /// mistake is larger by far.
    fn default() -> Self {
        Self { relative: 1e-9, absolute: 1e-12 }
    }
}

impl Tolerance {
    /// Whether a number is what was expected. Written so that a NaN is not.
    fn allows(self, expected: f64, found: f64) -> bool {
        let allowed = self.absolute + self.relative * expected.abs();
        expected == found || (allowed.is_finite() && (found - expected).abs() <= allowed)
    }
}

/// The first place where a value differs from what is expected, in words; nothing if it is right.
pub fn difference(expected: &Value, found: &Value, tolerance: Tolerance) -> Option<String> {
    let (shape, shape_found) = (show::shape(expected), show::shape(found));
    if shape != shape_found {
        return Some(format!("the shape should be {shape}, and is {shape_found}"));
    }
    first_difference(expected, found, "", &|expected, found| tolerance.allows(expected, found))
}

/// Whether two answers are the same mistake: each number the other up to rounding, which a
/// mistake may have enlarged, and NaN where the other is NaN.
pub fn alike(one: &Value, other: &Value, tolerance: Tolerance) -> bool {
    let same = |a: f64, b: f64| {
        let allowed = tolerance.absolute + 1e3 * tolerance.relative * a.abs().max(b.abs());
        a == b || (a.is_nan() && b.is_nan()) || (allowed.is_finite() && (a - b).abs() <= allowed)
    };
    show::shape(one) == show::shape(other) && first_difference(one, other, "", &same).is_none()
}

/// The first place below `place` where two values of the same shape differ.
fn first_difference(
    expected: &Value,
    found: &Value,
    place: &str,
    same: &dyn Fn(f64, f64) -> bool,
) -> Option<String> {
    let at = |place: &str| match place.trim_end_matches(',') {
        "" => String::new(),
        place => format!("at {place}: "),
    };
    let parts = |all: &[Value], others: &[Value], name: &dyn Fn(usize) -> String| {
        let mut pairs = all.iter().zip(others).enumerate();
        pairs.find_map(|(i, (a, b))| {
            first_difference(a, b, format!("{place}{}", name(i)).trim(), same)
        })
    };
    match (expected, found) {
        (&Value::Number(a), &Value::Number(b)) => (!same(a, b))
            .then(|| format!("{}expected {}, found {}", at(place), in_full(a), in_full(b))),
        (Value::Whole(a), Value::Whole(b)) => {
            (a != b).then(|| format!("{}expected {a}, found {b}", at(place)))
        }
        (Value::Array { shape, numbers: all, .. }, Value::Array { numbers: others, .. }) => {
            let differs = all.iter().zip(others).position(|(&a, &b)| !same(a, b))?;
            let place = format!("{place} {:?}", index(differs, shape));
            let (a, b) = (in_full(all[differs]), in_full(others[differs]));
            Some(format!("{}expected {a}, found {b}", at(place.trim())))
        }
        (Value::List(all), Value::List(others)) if all.len() == others.len() => {
            parts(all, others, &|i| format!(" [{i}]"))
        }
        (Value::Tuple(all), Value::Tuple(others)) if all.len() == others.len() => {
            let names = ["the first value,", "the second value,", "the third value,"];
            parts(all, others, &|i| format!(" {}", names.get(i).unwrap_or(&"a later value,")))
        }
        (Value::Something(a), Value::Something(b)) => first_difference(a, b, place, same),
        (Value::Nothing, Value::Nothing) => None,
        _ => Some(format!("{}another kind of value", at(place))),
    }
}

/// The place of a number in an array, from its place in the row of all numbers.
fn index(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (place, &length) in index.iter_mut().zip(shape).rev() {
        *place = flat % length;
        flat /= length;
    }
    index
}

fn in_full(x: f64) -> String {
    if x != 0.0 && !(1e-4..1e6).contains(&x.abs()) { format!("{x:e}") } else { x.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use signatures::Exchange;

    fn difference_of(found: &Array2<f64>) -> Option<String> {
        let expected = array![[1.0, -2.0, 0.0], [1e6, 0.5, 1e-20]];
        difference(&expected.to_value(), &found.to_value(), Tolerance::default())
    }

    #[test]
    fn rounding_passes_and_mistakes_fail() {
        assert_eq!(
            difference_of(&array![[1.0 + 1e-10, -2.0, 1e-13], [1e6 + 1e-4, 0.5, 0.0]]),
            None
        );
        let sign = difference_of(&array![[1.0, 2.0, 0.0], [1e6, 0.5, 1e-20]]);
        assert_eq!(sign.unwrap(), "at [0, 1]: expected -2, found 2");
        let small = difference_of(&array![[1.0, -2.0, 1e-11], [1e6, 0.5, 1e-20]]);
        assert_eq!(small.unwrap(), "at [0, 2]: expected 0, found 1e-11");
        assert!(difference_of(&array![[1.0, -2.0, 0.0], [1e6 + 1.0, 0.5, 1e-20]]).is_some());
    }

    #[test]
    fn what_is_not_finite_fails() {
        let differs = |expected: f64, found: f64| {
            let tolerance = Tolerance::default();
            difference(&Value::Number(expected), &Value::Number(found), tolerance).is_some()
        };
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(differs(0.5, wrong), "{wrong}");
        }
        assert!(differs(f64::INFINITY, 1.0));
        assert!(differs(f64::NAN, f64::NAN));
        assert!(!differs(f64::INFINITY, f64::INFINITY));
    }

    #[test]
    fn the_shape_is_part_of_the_answer() {
        let transposed = array![[1.0, -2.0, 0.0], [1e6, 0.5, 1e-20]].reversed_axes();
        let said = difference_of(&transposed).unwrap();
        assert_eq!(said, "the shape should be (2, 3), and is (3, 2)");
    }

    #[test]
    fn whole_numbers_options_and_pairs() {
        let said = |a: &dyn Fn() -> Value, b: &dyn Fn() -> Value| {
            difference(&a(), &b(), Tolerance::default())
        };
        assert_eq!(said(&|| 7_usize.to_value(), &|| 7_usize.to_value()), None);
        assert!(said(&|| 7_usize.to_value(), &|| 8_usize.to_value()).is_some());
        assert!(said(&|| Some(1.0).to_value(), &|| None::<f64>.to_value()).is_some());
        assert!(said(&|| 1.0.to_value(), &|| 1_usize.to_value()).is_some());
        let lists = said(&|| vec![1_u8, 2].to_value(), &|| vec![1_u8, 3].to_value());
        assert_eq!(lists.unwrap(), "at [1]: expected 2, found 3");
        assert!(said(&|| vec![1_u8, 2].to_value(), &|| vec![1_u8].to_value()).is_some());
        let pair = said(&|| (1.0, array![2.0]).to_value(), &|| (1.0, array![3.0]).to_value());
        assert_eq!(pair.unwrap(), "at the second value, [0]: expected 2, found 3");
        let pair = said(&|| (1.0, 2.0).to_value(), &|| (1.5, 2.0).to_value());
        assert_eq!(pair.unwrap(), "at the first value: expected 1, found 1.5");
    }

    #[test]
    fn the_same_mistake_is_recognised_through_rounding() {
        let one = array![[1.0, f64::NAN], [f64::INFINITY, -3.0]].to_value();
        let rounded = array![[1.0 + 1e-9, f64::NAN], [f64::INFINITY, -3.0]].to_value();
        assert!(alike(&one, &rounded, Tolerance::default()));
        for other in [
            array![[1.001, f64::NAN], [f64::INFINITY, -3.0]],
            array![[1.0, 0.0], [f64::INFINITY, -3.0]],
            array![[1.0, f64::NAN], [f64::NEG_INFINITY, -3.0]],
        ] {
            assert!(!alike(&one, &other.to_value(), Tolerance::default()), "{other}");
        }
    }
}

//! How values look in a terminal.

use signatures::Value;

/// So many entries of a row, and so many rows, are shown.
const MOST: usize = 10;

/// The shape as it is compared and shown: `(3, 4)`; empty for a single number.
pub fn shape(value: &Value) -> String {
    match value {
        Value::Number(_) | Value::Whole(_) => String::new(),
        Value::Nothing => "None".to_owned(),
        Value::Something(value) => shape(value),
        Value::Array { shape, .. } => match shape.as_slice() {
            [] => "a single number".to_owned(),
            [one] => format!("({one})"),
            several => format!("{several:?}").replace('[', "(").replace(']', ")"),
        },
        Value::List(all) => {
            let inner: Vec<String> = all.iter().map(shape).collect();
            match inner.iter().find(|shape| !shape.is_empty()) {
                Some(_) => format!("{} arrays: {}", all.len(), inner.join(", ")),
                None => format!("({})", all.len()),
            }
        }
        Value::Tuple(parts) => {
            let shapes: Vec<String> = parts.iter().map(shape).collect();
            if shapes.iter().all(String::is_empty) {
                return String::new();
            }
            let name = |shape: String| if shape.is_empty() { "a number".into() } else { shape };
            shapes.into_iter().map(name).collect::<Vec<_>>().join(" and ")
        }
    }
}

/// A value, on as many lines as it needs.
pub fn value(value: &Value) -> String {
    match value {
        Value::Number(x) => number(*x),
        Value::Whole(whole) => whole.to_string(),
        Value::Nothing => "None".to_owned(),
        Value::Something(inner) => format!("Some: {}", self::value(inner)),
        Value::Array { shape, numbers, .. } => array(shape, numbers),
        Value::List(all) => {
            let shown: Vec<String> = all.iter().map(self::value).collect();
            let single = all.iter().all(|value| shape(value).is_empty());
            list(&shown, if single { "  " } else { "\n\n" })
        }
        Value::Tuple(parts) => {
            let parts: Vec<String> = parts.iter().map(self::value).collect();
            let lines = parts.iter().any(|part| part.contains('\n'));
            if lines { parts.join("\nand\n") } else { format!("({})", parts.join(", ")) }
        }
    }
}

/// A value with its shape on the first line, if it has one.
pub fn with_shape(value: &Value) -> String {
    let (shape, shown) = (shape(value), self::value(value));
    if shape.is_empty() || *value == Value::Nothing { shown } else { format!("{shape}\n{shown}") }
}

/// A number with about seven digits: as many as one can compare by eye.
fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || !x.is_finite() || (size < 1e6 && x == x.round()) {
        format!("{x}")
    } else if (1e-3..1e6).contains(&size) {
        format!("{x:.6}")
    } else {
        format!("{x:.5e}")
    }
}

/// An array: a row as a line, a matrix as aligned lines, a stack of matrices one after another.
fn array(shape: &[usize], numbers: &[f64]) -> String {
    match shape {
        [] | [_] => list(&numbers.iter().map(|&x| number(x)).collect::<Vec<_>>(), "  "),
        [rows, columns] => {
            let shown = numbers.chunks(*columns.max(&1)).take(MOST);
            let cells: Vec<Vec<String>> =
                shown.map(|row| row.iter().map(|&x| number(x)).collect()).collect();
            let width = |column: usize| {
                cells.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max()
            };
            let line = |row: &Vec<String>| {
                let padded = row.iter().enumerate();
                let padded = padded.map(|(i, c)| format!("{c:>0$}", width(i).unwrap_or(0)));
                list(&padded.collect::<Vec<_>>(), "  ")
            };
            let lines: Vec<String> = cells.iter().map(line).collect();
            lines.join("\n") + if *rows > MOST { "\n…" } else { "" }
        }
        [parts, inner @ ..] => {
            let size = inner.iter().product::<usize>().max(1);
            let shown = numbers.chunks(size).enumerate().take(MOST);
            let shown = shown.map(|(i, part)| format!("[{i}]\n{}", array(inner, part)));
            let shown: Vec<String> = shown.collect();
            shown.join("\n") + if *parts > MOST { "\n…" } else { "" }
        }
    }
}

/// The first of these, and a sign that there are more.
fn list(shown: &[String], between: &str) -> String {
    let first = shown[..shown.len().min(MOST)].join(between);
    if shown.len() > MOST { format!("{first}{between}…") } else { first }
}

/// A name and a value, on one line if it fits there.
pub fn named(name: &str, shown: &str) -> String {
    if shown.contains('\n') {
        format!("{name}:\n{}", indent(shown, 2))
    } else {
        format!("{name}: {shown}")
    }
}

/// Every line moved to the right.
pub fn indent(text: &str, by: usize) -> String {
    let space = " ".repeat(by);
    let lines = text.lines().map(|line| format!("{space}{line}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Words in lines of at most 78 characters.
pub fn wrap(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= 78 {
            *line += " ";
            *line += word;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2, Array3, array};
    use signatures::Exchange;

    #[test]
    fn numbers_have_digits_enough() {
        assert_eq!(number(1000.0), "1000");
        assert_eq!(number(-0.25), "-0.250000");
        assert_eq!(number(4.25e-18), "4.25000e-18");
        assert_eq!(number(f64::NAN), "NaN");
    }

    #[test]
    fn a_matrix_is_aligned() {
        let shown = value(&array![[1.0, -20.0], [0.5, 3.0]].to_value());
        assert_eq!(shown, "       1  -20\n0.500000    3");
        let stack = value(&Array3::<f64>::zeros((2, 1, 2)).to_value());
        assert_eq!(stack, "[0]\n0  0\n[1]\n0  0");
    }

    #[test]
    fn long_arrays_are_cut() {
        assert!(value(&Array1::<f64>::zeros(11).to_value()).ends_with("0  …"));
        assert!(value(&Array2::<f64>::zeros((11, 2)).to_value()).ends_with("0  0\n…"));
        assert!(value(&Array2::<f64>::zeros((2, 11)).to_value()).ends_with("0  …"));
    }

    #[test]
    fn a_shape_of_nothing_can_be_shown() {
        let value = |shape: Vec<usize>| Value::Array { shape, by_columns: false, numbers: vec![] };
        for shape in [vec![0], vec![0, 3], vec![3, 0], vec![usize::MAX, 0, usize::MAX]] {
            assert!(!with_shape(&value(shape)).is_empty());
        }
    }

    #[test]
    fn parts_of_a_tuple_stand_on_one_line_where_they_fit() {
        assert_eq!(value(&(1.0, Some(2_usize)).to_value()), "(1, Some: 2)");
        assert_eq!(shape(&(array![[1.0]], array![2.0]).to_value()), "(1, 1) and (1)");
        assert_eq!(shape(&(1.0, array![2.0]).to_value()), "a number and (1)");
        assert_eq!(
            shape(&vec![array![[1.0]], array![[2.0]]].to_value()),
            "2 arrays: (1, 1), (1, 1)"
        );
    }

    #[test]
    fn long_words_are_wrapped() {
        let wrapped = wrap(&"word ".repeat(40));
        assert!(wrapped.lines().count() == 3 && wrapped.lines().all(|line| line.len() <= 78));
    }
}

//! How values look in a terminal.

use ndarray::{ArrayViewD, Axis};

/// So many entries of a row, and so many rows, are shown.
const MOST: usize = 10;

/// A number with about seven digits: as many as one can compare by eye.
pub fn number(x: f64) -> String {
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
pub fn array<T>(view: ArrayViewD<'_, T>, entry: &dyn Fn(&T) -> String) -> String {
    match view.ndim() {
        0 | 1 => list(&view.iter().map(entry).collect::<Vec<_>>(), "  "),
        2 => {
            let rows = view.outer_iter().take(MOST);
            let cells: Vec<Vec<String>> = rows.map(|row| row.iter().map(entry).collect()).collect();
            let width = |column: usize| {
                cells.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max()
            };
            let line = |row: &Vec<String>| {
                let padded = row.iter().enumerate();
                let padded = padded.map(|(i, c)| format!("{c:>0$}", width(i).unwrap_or(0)));
                list(&padded.collect::<Vec<_>>(), "  ")
            };
            let lines: Vec<String> = cells.iter().map(line).collect();
            let rest = if view.len_of(Axis(0)) > MOST { "\n…" } else { "" };
            lines.join("\n") + rest
        }
        _ => {
            let parts = view.outer_iter().enumerate().take(MOST);
            let parts = parts.map(|(i, part)| format!("[{i}]\n{}", array(part, entry)));
            parts.collect::<Vec<_>>().join("\n")
        }
    }
}

/// The first of these, and a sign that there are more.
pub fn list(shown: &[String], between: &str) -> String {
    let first = shown[..shown.len().min(MOST)].join(between);
    if shown.len() > MOST { format!("{first}{between}…") } else { first }
}

/// The parts of a tuple: on one line where each of them fits on one.
pub fn several(parts: &[String]) -> String {
    let lines = parts.iter().any(|part| part.contains('\n'));
    if lines { parts.join("\nand\n") } else { format!("({})", parts.join(", ")) }
}

/// Every line moved to the right.
pub fn indent(text: &str, by: usize) -> String {
    let space = " ".repeat(by);
    let lines: Vec<String> = text.lines().map(|line| format!("{space}{line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, array};

    #[test]
    fn numbers_have_digits_enough() {
        assert_eq!(number(1000.0), "1000");
        assert_eq!(number(-0.25), "-0.250000");
        assert_eq!(number(4.25e-18), "4.25000e-18");
        assert_eq!(number(f64::NAN), "NaN");
    }

    #[test]
    fn a_matrix_is_aligned() {
        let shown = array(array![[1.0, -20.0], [0.5, 3.0]].view().into_dyn(), &|&x| number(x));
        assert_eq!(shown, "       1  -20\n0.500000    3");
        let stack = Array3::<f64>::zeros((2, 1, 2));
        let shown = array(stack.view().into_dyn(), &|&x| number(x));
        assert_eq!(shown, "[0]\n0  0\n[1]\n0  0");
    }

    #[test]
    fn long_arrays_are_cut() {
        let long = ndarray::Array1::<f64>::zeros(11);
        assert!(array(long.view().into_dyn(), &|&x| number(x)).ends_with("0  …"));
    }
}

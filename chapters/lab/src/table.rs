//! Tables of text, aligned.

use std::fmt;

use unicode_width::UnicodeWidthStr;

/// A table: the first column is text, the others are numbers.
///
/// ```
/// let table = lab::Table::new(&["loss", "value"]).row(["MSE", "0.25"]).row(["BCE", "12.5"]);
/// assert_eq!(table.to_string(), "loss  value\n────  ─────\nMSE    0.25\nBCE   12.5");
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column names and no rows yet.
    pub fn new<T: ToString>(columns: &[T]) -> Self {
        Self { header: columns.iter().map(T::to_string).collect(), rows: Vec::new() }
    }

    /// With one more row.
    ///
    /// # Panics
    /// If the number of cells is not the number of columns.
    pub fn row<T: ToString>(mut self, cells: impl IntoIterator<Item = T>) -> Self {
        self.push(cells.into_iter().map(|cell| cell.to_string()).collect());
        self
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If the number of cells is not the number of columns.
    pub fn push(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.header.len(), "a row has one cell for each column: {cells:?}");
        self.rows.push(cells);
    }

    /// One column, header first: every text padded to the same width.
    fn column(&self, index: usize) -> Vec<String> {
        let mut cells: Vec<String> = self.rows.iter().map(|row| row[index].clone()).collect();
        if index > 0 {
            align_points(&mut cells);
        }
        cells.insert(0, self.header[index].clone());
        let width = cells.iter().map(|cell| cell.width()).max().unwrap_or(0);
        for cell in &mut cells {
            let space = " ".repeat(width - cell.width());
            *cell = if index == 0 { format!("{cell}{space}") } else { format!("{space}{cell}") };
        }
        cells.insert(1, "─".repeat(width));
        cells
    }
}

/// Fills numbers up to the right, so that their decimal points stand below each other.
/// Leaves a column with an exponent alone, and texts in any column.
fn align_points(cells: &mut [String]) {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let is_number = |cell: &str| {
        let unsigned = cell.trim_start_matches(['-', '−', '+']);
        unsigned.starts_with(digits) && unsigned.chars().all(digits)
    };
    if cells
        .iter()
        .any(|cell| cell.starts_with(|c: char| "-−+0123456789".contains(c)) && !is_number(cell))
    {
        return;
    }
    let tail = |cell: &str| cell.find('.').map_or(0, |point| cell.len() - point);
    let longest = cells.iter().filter(|c| is_number(c)).map(|c| tail(c)).max().unwrap_or(0);
    for cell in cells.iter_mut().filter(|cell| is_number(cell)) {
        cell.push_str(&" ".repeat(longest - tail(cell)));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let columns: Vec<_> = (0..self.header.len()).map(|index| self.column(index)).collect();
        for line in 0..self.rows.len() + 2 {
            let cells: Vec<&str> = columns.iter().map(|column| column[line].as_str()).collect();
            let end = if line == 0 { "" } else { "\n" };
            write!(f, "{end}{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_below_each_other() {
        let table = Table::new(&["name", "value", "note"])
            .row(["a", "-1.25", "–"])
            .row(["bb", "100", "1e-9"])
            .row(["c", "3.5", "12e-12"]);
        let expected = "\
name   value    note
────  ──────  ──────
a      -1.25       –
bb    100       1e-9
c       3.5   12e-12";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn wide_characters_and_marks_count_as_what_they_take() {
        let table = Table::new(&["f", "∂L/∂ŷ"]).row(["层", "y\u{302}"]).row(["σ′", "NaN"]);
        let expected = "f   ∂L/∂ŷ\n──  ─────\n层      y\u{302}\nσ′    NaN";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    #[should_panic(expected = "one cell for each column")]
    fn a_row_of_another_length_is_refused() {
        let _ = Table::new(&["a", "b"]).row(["1"]);
    }
}

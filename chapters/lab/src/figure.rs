//! Figures: data, how they are drawn, and how they are written as numbers.

mod axis;
mod canvas;
mod cells;
pub mod contours;
mod frame;
mod geometry;
pub mod heat_map;
pub mod images;
mod legend;
pub mod lines;
mod march;
mod marks;
pub mod panels;
pub mod race;
pub mod regions;
pub mod rows;
mod svg;

use crate::Result;

/// Data that can be drawn, and written down.
pub trait Figure {
    /// The figure as an SVG document, the same for the same data.
    ///
    /// # Errors
    /// If there is something in the data that cannot be drawn, such as an infinite number.
    fn draw(&self) -> Result<String>;

    /// What is drawn, as comma-separated values with a header.
    fn csv(&self) -> String;
}

/// Comma-separated values: the header, and one line for each row.
fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |fields: Vec<String>| {
        let quoted = fields.into_iter().map(|field| {
            if field.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field
            }
        });
        quoted.collect::<Vec<_>>().join(",") + "\n"
    };
    let header = line(header.iter().map(|&name| name.into()).collect());
    rows.into_iter().map(line).fold(header, |text, line| text + &line)
}

/// A number, to its last digit.
fn number(value: f64) -> String {
    format!("{value:?}")
}

/// Checks that the points of a series can be drawn.
fn check_finite(series: &str, points: &[(f64, f64)]) -> Result<()> {
    match points.iter().position(|(x, y)| !(x.is_finite() && y.is_finite())) {
        None => Ok(()),
        Some(i) => {
            let (x, y) = points[i];
            Err(format!("point {i} of {series:?} is ({x}, {y}), which cannot be drawn").into())
        }
    }
}

/// Checks that a range can be drawn.
fn check_range(what: &str, (lo, hi): (f64, f64)) -> Result<()> {
    if lo < hi && (hi - lo).is_finite() {
        return Ok(());
    }
    Err(format!(
        "the range of {what:?} must go from a smaller to a larger number, not from {lo} to {hi}"
    )
    .into())
}

//! The names of the series, below the plot.

use plotters::style::RGBColor;

use super::canvas::{Canvas, Marker, Side, stroke, text_width};
use crate::Result;

/// The height of a row of names.
const ROW: f64 = 23.0;

/// The width of a sample, with the space between it and the name.
const SAMPLE: f64 = 34.0;

/// The space between one entry and the next.
const SPACE: f64 = 22.0;

/// One name, and how its series looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub name: String,
    pub colour: RGBColor,
    pub sample: Sample,
}

/// How a series looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    Line,
    Dashed,
    Marker(Marker),
    Path,
    DashedPath,
    Sign(usize),
}

/// Rows of names.
pub struct Legend {
    rows: Vec<Vec<Entry>>,
    width: f64,
}

fn width(entry: &Entry) -> f64 {
    SAMPLE + text_width(&entry.name) + SPACE
}

impl Legend {
    /// As many names to a row as have room. Entries without a name are left out.
    pub fn new(entries: impl IntoIterator<Item = Entry>, all: f64) -> Self {
        let mut rows: Vec<Vec<Entry>> = Vec::new();
        let mut used = f64::INFINITY;
        for entry in entries.into_iter().filter(|entry| !entry.name.is_empty()) {
            if used + width(&entry) > all + SPACE {
                rows.push(Vec::new());
                used = 0.0;
            }
            used += width(&entry);
            rows.last_mut().expect("a row was begun").push(entry);
        }
        Self { rows, width: all }
    }

    /// How much room it takes.
    pub fn height(&self) -> f64 {
        if self.rows.is_empty() { 0.0 } else { ROW * self.rows.len() as f64 + 8.0 }
    }

    /// Draws it, below this height.
    pub fn draw(&self, canvas: &Canvas, top: f64) -> Result<()> {
        for (row, entries) in self.rows.iter().enumerate() {
            let y = top + ROW * (row as f64 + 0.5);
            let used: f64 = entries.iter().map(width).sum::<f64>() - SPACE;
            let mut x = ((self.width - used) / 2.0).max(4.0);
            for entry in entries {
                sample(canvas, entry, (x, y))?;
                canvas.text(&entry.name, (x + SAMPLE, y), Side::Right)?;
                x += width(entry);
            }
        }
        Ok(())
    }
}

fn sample(canvas: &Canvas, entry: &Entry, (x, y): (f64, f64)) -> Result<()> {
    let line = [(x, y), (x + 26.0, y)];
    let style = stroke(entry.colour, 2.0);
    match entry.sample {
        Sample::Line | Sample::Path => canvas.line(&line, style)?,
        Sample::Dashed | Sample::DashedPath => canvas.dashed(&line, (6.0, 4.0), style)?,
        Sample::Marker(_) | Sample::Sign(_) => {}
    }
    match entry.sample {
        Sample::Line | Sample::Dashed => Ok(()),
        Sample::Sign(index) => canvas.sign((x + 13.0, y), index),
        Sample::Marker(marker) => canvas.marker((x + 13.0, y), marker, 4.0, entry.colour),
        Sample::Path | Sample::DashedPath => {
            canvas.marker((x + 13.0, y), Marker::Circle, 3.2, entry.colour)
        }
    }
}

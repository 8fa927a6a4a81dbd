//! Several plots in one figure.

use super::canvas::{self, WIDTH};
use super::csv;
use super::legend::Legend;
use crate::{Figure, Lines, Result};

/// Several plots of curves, side by side or in a grid, with one legend.
#[derive(Debug, Clone)]
pub struct Panels {
    columns: usize,
    panels: Vec<(String, Lines)>,
}

impl Panels {
    /// A grid with this many columns, and nothing in it yet.
    pub fn new(columns: usize) -> Self {
        Self { columns: columns.max(1), panels: Vec::new() }
    }

    /// With one more plot, below its title. Rows are filled from left to right.
    pub fn panel(mut self, title: &str, lines: Lines) -> Self {
        self.panels.push((title.into(), lines));
        self
    }
}

impl Panels {
    /// How large a plot with its title is.
    fn size(&self) -> (f64, f64) {
        let height = match self.columns {
            1 => 320.0,
            2 => 300.0,
            _ => 260.0,
        };
        (WIDTH / self.columns as f64, height)
    }
}

impl Figure for Panels {
    fn draw(&self) -> Result<String> {
        for (title, lines) in &self.panels {
            lines.check().map_err(|error| format!("panel {title:?}: {error}"))?;
        }
        let looks = Lines::looks(self.panels.iter().map(|(_, lines)| lines));
        let legend = Legend::new(looks.clone(), WIDTH);
        let (width, height) = self.size();
        let all = height * self.panels.len().div_ceil(self.columns) as f64;
        canvas::draw((WIDTH, all + legend.height()), |canvas| {
            for (row, panels) in self.panels.chunks(self.columns).enumerate() {
                let rows = panels.iter().map(|(_, lines)| lines.rows_above(width));
                let above = rows.collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or(0);
                for (column, (title, lines)) in panels.iter().enumerate() {
                    let corner = (width * column as f64, height * row as f64);
                    lines.plot(canvas, (corner, (width, height)), (title, above), &looks)?;
                }
            }
            legend.draw(canvas, all)
        })
    }

    fn csv(&self) -> String {
        let rows = self.panels.iter().flat_map(|(title, lines)| {
            lines.csv_rows().map(|row| [vec![title.clone()], row].concat())
        });
        csv(&["panel", "series", "x", "y"], rows)
    }
}

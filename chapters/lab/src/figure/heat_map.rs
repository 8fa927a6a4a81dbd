//! A matrix in colours.

use ndarray::{Array2, ArrayRef2};

use plotters::style::RGBColor;

use super::axis::Axis;
use super::canvas::{self, Canvas, Side, TEXT, stroke, text_width};
use super::cells::{Block, blocks};
use super::{csv, number};
use crate::colour::{self, INK};
use crate::{Figure, Result};

/// A matrix: one coloured cell for each entry, row 0 at the top.
#[derive(Debug, Clone)]
pub struct HeatMap {
    x_label: String,
    y_label: String,
    values: Array2<f64>,
    rows: Vec<String>,
    columns: Vec<String>,
    decimals: Option<usize>,
    diverging: bool,
}

impl HeatMap {
    /// The entries of `values`; the axes name what columns and rows are.
    pub fn new(x_label: &str, y_label: &str, values: &ArrayRef2<f64>) -> Self {
        Self {
            x_label: x_label.into(),
            y_label: y_label.into(),
            values: values.to_owned(),
            rows: (0..values.nrows()).map(|row| row.to_string()).collect(),
            columns: (0..values.ncols()).map(|column| column.to_string()).collect(),
            decimals: None,
            diverging: false,
        }
    }

    /// With these names for rows and columns, instead of numbers from 0.
    pub fn labels<R: ToString, C: ToString>(
        mut self,
        rows: impl IntoIterator<Item = R>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        self.rows = rows.into_iter().map(|row| row.to_string()).collect();
        self.columns = columns.into_iter().map(|column| column.to_string()).collect();
        self
    }

    /// With each value written into its cell, to this many decimals.
    pub fn annotate(mut self, decimals: usize) -> Self {
        self.decimals = Some(decimals);
        self
    }

    /// From blue below 0 through white to red above, instead of from pale to dark.
    pub fn diverging(mut self) -> Self {
        self.diverging = true;
        self
    }
}

/// How many shades there are between the palest and the darkest.
const SHADES: f64 = 100.0;

/// Sizes in the drawing, in pixels.
struct Layout {
    /// Where the matrix begins.
    left: f64,
    top: f64,
    /// The side of a cell.
    cell: f64,
    /// Whether the names of the columns read upwards.
    upright: bool,
    /// How much they need below the matrix.
    below: f64,
}

/// The longest of these texts.
fn longest(texts: &[String]) -> f64 {
    texts.iter().map(|text| text_width(text)).fold(0.0, f64::max)
}

impl HeatMap {
    fn check(&self) -> Result<()> {
        let (rows, columns) = self.values.dim();
        if rows == 0 || columns == 0 {
            return Err("a heat map needs at least one cell".into());
        }
        if (self.rows.len(), self.columns.len()) != (rows, columns) {
            return Err(format!(
                "a heat map of {rows} × {columns} cells has {} names for rows and {} for columns",
                self.rows.len(),
                self.columns.len()
            )
            .into());
        }
        match self.values.indexed_iter().find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some(((i, j), value)) => {
                Err(format!("row {i}, column {j} is {value}, which cannot be drawn").into())
            }
        }
    }

    /// The value of the palest colour, or the bluest, and that of the darkest, or the reddest.
    fn scale(&self) -> Result<Axis> {
        let (lo, hi) = self
            .values
            .iter()
            .fold((0.0_f64, 0.0_f64), |(lo, hi), &value| (lo.min(value), hi.max(value)));
        if self.diverging {
            let most = hi.max(-lo);
            return Axis::around("", [-most, most].into_iter(), 0.0, false);
        }
        // Values that are all positive, or all negative, begin at 0.
        Axis::around("", [lo, hi].into_iter(), 0.0, false)
    }

    fn colour(&self, t: f64) -> RGBColor {
        if self.diverging { colour::diverging(t) } else { colour::sequential(t) }
    }

    fn text(&self, value: f64) -> Option<String> {
        let decimals = self.decimals?;
        let text = format!("{value:.decimals$}");
        let zero = text.parse() == Ok(0.0);
        Some(if zero { text.replace('-', "") } else { text.replace('-', "−") })
    }

    fn layout(&self) -> Layout {
        let (rows, columns) = self.values.dim();
        let texts: Vec<String> = self.values.iter().filter_map(|&v| self.text(v)).collect();
        let room = if texts.is_empty() { 2.0 } else { longest(&texts) + 10.0 };
        let cell = (560.0 / columns as f64).min(400.0 / rows as f64).min(56.0).max(room);
        let names = longest(&self.columns);
        let numbers = self.columns.iter().all(|name| name.parse::<f64>().is_ok());
        let upright = !numbers && names + 6.0 > cell;
        Layout {
            left: TEXT + 12.0 + longest(&self.rows) + 8.0,
            top: 12.0,
            cell,
            upright,
            below: if upright { names + 12.0 } else { TEXT + 10.0 },
        }
    }

    fn draw_names(&self, canvas: &Canvas, layout: &Layout) -> Result<()> {
        let Layout { left, top, cell, upright, below } = *layout;
        let (height, width) = (cell * self.rows.len() as f64, cell * self.columns.len() as f64);
        let stride = ((TEXT + 2.0) / cell).ceil() as usize;
        for (i, name) in self.rows.iter().enumerate().step_by(stride) {
            canvas.text(name, (left - 7.0, top + cell * (i as f64 + 0.5)), Side::Left)?;
        }
        let room = if upright { TEXT + 2.0 } else { longest(&self.columns) + 6.0 };
        for (j, name) in self.columns.iter().enumerate().step_by((room / cell).ceil() as usize) {
            let x = left + cell * (j as f64 + 0.5);
            if upright {
                canvas.upright(name, (x, top + height + 7.0), true)?;
            } else {
                canvas.text(name, (x, top + height + 6.0), Side::Below)?;
            }
        }
        let middle = (left + width / 2.0, top + height + below + 4.0);
        canvas.text(&self.x_label, middle, Side::Below)?;
        canvas.upright(&self.y_label, (TEXT * 0.75, top + height / 2.0), false)
    }

    /// The colour bar, whose upper left corner is given.
    fn draw_bar(
        &self,
        canvas: &Canvas,
        scale: &Axis,
        (x, y): (f64, f64),
        height: f64,
    ) -> Result<()> {
        let steps = 64;
        for step in 0..steps {
            let from = f64::from(step) / f64::from(steps);
            let to = f64::from(step + 1) / f64::from(steps);
            let colour = self.colour((from + to) / 2.0);
            let corners = ((x, y + height * (1.0 - to)), (x + 14.0, y + height * (1.0 - from)));
            canvas.fill(corners.0, corners.1, colour, 1.0)?;
        }
        canvas.outline((x, y), (x + 14.0, y + height), stroke(INK, 1.0))?;
        for (value, label) in scale.ticks((height / 60.0) as usize) {
            let at = y + height * (1.0 - scale.position(value));
            canvas.line(&[(x + 14.0, at), (x + 18.0, at)], stroke(INK, 1.0))?;
            canvas.text(&label, (x + 22.0, at), Side::Right)?;
        }
        Ok(())
    }
}

impl Figure for HeatMap {
    fn draw(&self) -> Result<String> {
        self.check()?;
        let scale = self.scale()?;
        let layout = self.layout();
        let Layout { left, top, cell, below, .. } = layout;
        let (rows, columns) = self.values.dim();
        let (width, height) = (cell * columns as f64, cell * rows as f64);
        let bar = height.max(110.0);
        let ticks: Vec<String> =
            scale.ticks((bar / 60.0) as usize).into_iter().map(|(_, label)| label).collect();
        let all_width = left + width + 24.0 + 22.0 + longest(&ticks) + 4.0;
        let all_height = top + (height + below + TEXT + 12.0).max(bar + 12.0);
        canvas::draw((all_width, all_height), |canvas| {
            let shades = self.values.mapv(|v| (scale.position(v) * SHADES).round() as u8);
            for (shade, blocks) in blocks(&shades) {
                let colour = self.colour(f64::from(shade) / SHADES);
                for Block { rows, columns } in blocks {
                    let at = |i: usize, j: usize| (left + cell * j as f64, top + cell * i as f64);
                    let (from, to) = (at(rows.start, columns.start), at(rows.end, columns.end));
                    canvas.fill(from, to, colour, 1.0)?;
                }
            }
            for ((i, j), &value) in self.values.indexed_iter() {
                if let Some(text) = self.text(value) {
                    let colour = colour::text_on(self.colour(scale.position(value)));
                    let (x, y) = (left + cell * (j as f64 + 0.5), top + cell * (i as f64 + 0.5));
                    canvas.text_in(colour, &text, (x, y), Side::Centre)?;
                }
            }
            canvas.outline((left, top), (left + width, top + height), stroke(INK, 1.0))?;
            self.draw_names(canvas, &layout)?;
            self.draw_bar(canvas, &scale, (left + width + 24.0, top), bar)
        })
    }

    fn csv(&self) -> String {
        let rows = self.values.indexed_iter().map(|((i, j), &value)| {
            let name =
                |names: &[String], index: usize| names.get(index).cloned().unwrap_or_default();
            vec![name(&self.rows, i), name(&self.columns, j), number(value)]
        });
        csv(&["row", "column", "value"], rows)
    }
}

//! Numbers beside names.

use super::axis::Axis;
use super::canvas::{self, Canvas, Marker, Side, TEXT, WIDTH, stroke, text_width};
use super::legend::{Entry, Legend, Sample};
use super::{csv, number};
use crate::colour::{self, GRID, GRID_OPACITY, INK};
use crate::{Figure, Result};
use plotters::style::{Color, ShapeStyle};

/// The height of a row.
const ROW: f64 = 25.0;

/// What lies below the rows: numbers and the name of the axis.
const BOTTOM: f64 = 50.0;

/// Named rows, from the top, each with a bar or some points along a common axis.
///
/// ```
/// let rows = lab::Rows::new("seconds", &["before", "after"])
///     .bars("measured", [2.0, 0.5])
///     .points("predicted", [1.8, 0.4]);
/// ```
#[derive(Debug, Clone)]
pub struct Rows {
    label: String,
    names: Vec<String>,
    series: Vec<Series>,
    log: bool,
}

#[derive(Debug, Clone)]
struct Series {
    name: String,
    bars: bool,
    values: Vec<f64>,
}

impl Rows {
    /// Rows with these names, and nothing in them yet.
    pub fn new<T: ToString>(label: &str, names: &[T]) -> Self {
        let names = names.iter().map(T::to_string).collect();
        Self { label: label.into(), names, series: Vec::new(), log: false }
    }

    /// With a bar for each row. Bars begin at 0: they have no place on a logarithmic axis.
    pub fn bars(self, name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        self.with(name, true, values)
    }

    /// With a point for each row.
    pub fn points(self, name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        self.with(name, false, values)
    }

    fn with(mut self, name: &str, bars: bool, values: impl IntoIterator<Item = f64>) -> Self {
        let values = values.into_iter().collect();
        self.series.push(Series { name: name.into(), bars, values });
        self
    }

    /// With a logarithmic axis.
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }

    fn check(&self) -> Result<()> {
        for Series { name, bars, values } in &self.series {
            if values.len() != self.names.len() {
                let (rows, values) = (self.names.len(), values.len());
                return Err(format!("{name:?} has {values} values for {rows} rows").into());
            }
            if *bars && self.log {
                return Err(format!("the bars {name:?} have no zero to begin at").into());
            }
            let good = |value: f64| value.is_finite() && (value > 0.0 || !self.log && value == 0.0);
            if let Some(row) = values.iter().position(|&value| !good(value)) {
                let (row, value) = (&self.names[row], values[row]);
                return Err(format!("{name:?} is {value} in row {row:?}, and has no place").into());
            }
        }
        Ok(())
    }

    fn axis(&self) -> Result<Axis> {
        let values = self.series.iter().flat_map(|series| &series.values).copied();
        if self.log {
            return Axis::around(&self.label, values, 0.04, true);
        }
        let most = values.fold(0.0, f64::max);
        Axis::new(&self.label, (0.0, if most > 0.0 { 1.04 * most } else { 1.0 }), false)
    }

    /// The looks, in the order of the series.
    fn looks(&self) -> Vec<Entry> {
        let look = |(index, series): (usize, &Series)| Entry {
            name: series.name.clone(),
            colour: colour::series(index),
            // A bar among names looks like a thick line.
            sample: if series.bars { Sample::Line } else { Sample::Marker(Marker::of(index)) },
        };
        self.series.iter().enumerate().map(look).collect()
    }

    fn plot(&self, canvas: &Canvas, looks: &[Entry]) -> Result<()> {
        let axis = self.axis()?;
        let names = self.names.iter().map(|name| text_width(name)).fold(0.0, f64::max);
        let (left, top, right) = (names + 12.0, 8.0, WIDTH - 26.0);
        let (width, bottom) = (right - left, top + ROW * self.names.len() as f64);
        let grid: ShapeStyle = ShapeStyle { color: GRID.mix(GRID_OPACITY), ..stroke(GRID, 1.0) };
        for (value, label) in axis.ticks((width / 80.0) as usize) {
            let x = left + width * axis.position(value);
            canvas.line(&[(x, top), (x, bottom)], grid)?;
            canvas.text(&label, (x, bottom + 6.0), Side::Below)?;
        }
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], stroke(INK, 1.0))?;
        canvas.text(&self.label, (left + width / 2.0, bottom + 13.0 + TEXT), Side::Below)?;
        for (row, name) in self.names.iter().enumerate() {
            let y = top + ROW * (row as f64 + 0.5);
            canvas.text(name, (left - 7.0, y), Side::Left)?;
            for (series, look) in self.series.iter().zip(looks) {
                let x = left + width * axis.position(series.values[row]);
                if let Sample::Marker(marker) = look.sample {
                    canvas.marker((x, y), marker, 4.6, look.colour)?;
                } else {
                    canvas.fill((left, y - 0.32 * ROW), (x, y + 0.32 * ROW), look.colour, 0.55)?;
                }
            }
            if !self.series.iter().any(|series| series.bars) {
                canvas.line(&[(left, y), (right, y)], grid)?;
            }
        }
        Ok(())
    }
}

impl Figure for Rows {
    fn draw(&self) -> Result<String> {
        self.check()?;
        let looks = self.looks();
        let legend = Legend::new(looks.clone(), WIDTH);
        let height = 8.0 + ROW * self.names.len() as f64 + BOTTOM;
        canvas::draw((WIDTH, height + legend.height()), |canvas| {
            self.plot(canvas, &looks)?;
            legend.draw(canvas, height)
        })
    }

    fn csv(&self) -> String {
        let series = self.series.iter().map(|series| series.name.as_str());
        let header: Vec<&str> = std::iter::once("row").chain(series).collect();
        let row = |(i, name): (usize, &String)| {
            let values = self.series.iter().map(|series| number(series.values[i]));
            std::iter::once(name.clone()).chain(values).collect()
        };
        csv(&header, self.names.iter().enumerate().map(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(rows: &Rows) -> String {
        rows.draw().unwrap_err().to_string()
    }

    #[test]
    fn a_bar_is_as_long_as_its_number() {
        let rows = Rows::new("s", &["a", "b"]).bars("t", [1.0, 4.0]);
        let svg = rows.draw().unwrap();
        // How far each bar goes to the right.
        let bars = svg.lines().filter(|line| line.contains("opacity=\"0.55\""));
        let course = |line: &str| {
            line.split(" d=").nth(1)?.split('h').nth(1)?.split('v').next()?.parse().ok()
        };
        let widths: Vec<f64> = bars.filter_map(course).collect();
        let [a, b] = widths[..] else { panic!("two bars, not {widths:?}") };
        assert!((b / a - 4.0).abs() < 0.02, "{a} {b}");
        assert_eq!(rows.csv(), "row,t\na,1.0\nb,4.0\n");
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let rows = Rows::new("s", &["a", "b"]);
        assert!(error(&rows.clone().bars("t", [1.0])).contains("has 1 values for 2 rows"));
        assert!(error(&rows.clone().points("t", [1.0, 0.0]).log()).contains("0 in row \"b\""));
        assert!(error(&rows.clone().points("t", [f64::NAN, 1.0])).contains("NaN"));
        assert!(error(&rows.clone().bars("t", [1.0, 1.0]).log()).contains("no zero"));
        assert!(rows.points("t", [0.1, 10.0]).log().draw().is_ok());
    }
}

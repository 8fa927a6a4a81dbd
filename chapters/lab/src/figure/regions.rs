//! What a classifier decides where, and the samples it decides about.

use ndarray::{Array2, ArrayRef2};

use super::axis::Axis;
use super::canvas::{self, Canvas, Marker, stroke};
use super::cells::{Block, blocks};
use super::contours::shortened;
use super::frame::Frame;
use super::geometry::Point;
use super::legend::{Entry, Legend, Sample};
use super::march::level_lines;
use super::{check_finite, check_range, csv, number};
use crate::colour::{self, INK};
use crate::{Figure, Result};

/// How many shades a class has, from undecided to certain.
const SHADES: u8 = 6;

/// How much of a class's colour is seen where it is certain.
const OPACITY: f64 = 0.36;

/// What a classifier decides at each point of a rectangle, and the samples in it.
#[derive(Debug, Clone)]
pub struct Regions {
    x_label: String,
    y_label: String,
    x_range: (f64, f64),
    y_range: (f64, f64),
    values: Array2<f64>,
    /// Whether the values are classes, not probabilities.
    classes: bool,
    scatters: Vec<(String, Vec<(f64, f64)>)>,
}

impl Regions {
    /// The points at which a classifier is to be asked: a grid of (rows, columns) points over
    /// the rectangle, its corners included. Shape (rows · columns, 2), row after row from
    /// the lowest y, each from the lowest x.
    pub fn points(
        x_range: (f64, f64),
        y_range: (f64, f64),
        (rows, columns): (usize, usize),
    ) -> Array2<f64> {
        let at = |(lo, hi): (f64, f64), i: usize, n: usize| {
            lo + (hi - lo) * i as f64 / (n.max(2) - 1) as f64
        };
        Array2::from_shape_fn((rows * columns, 2), |(k, axis)| match axis {
            0 => at(x_range, k % columns, columns),
            _ => at(y_range, k / columns, rows),
        })
    }

    /// What the classifier said at [`points`](Self::points): in row i, column j of
    /// `probabilities` either the probability of the second class (with a boundary at 0.5),
    /// or, if all are whole numbers, the class.
    pub fn new(
        x_label: &str,
        y_label: &str,
        x_range: (f64, f64),
        y_range: (f64, f64),
        probabilities: &ArrayRef2<f64>,
    ) -> Self {
        Self {
            x_label: x_label.into(),
            y_label: y_label.into(),
            x_range,
            y_range,
            classes: probabilities.iter().all(|p| p.fract() == 0.0),
            // To a thousandth: finer differences are not seen.
            values: probabilities.mapv(|p| (p * 1000.0).round() / 1000.0),
            scatters: Vec::new(),
        }
    }

    /// With the samples of the next class: they take its colour.
    pub fn scatter(mut self, name: &str, points: &[(f64, f64)]) -> Self {
        self.scatters.push((name.into(), points.to_vec()));
        self
    }
}

impl Regions {
    fn check(&self) -> Result<()> {
        check_range(&self.x_label, self.x_range)?;
        check_range(&self.y_label, self.y_range)?;
        let (rows, columns) = self.values.dim();
        if rows < 2 || columns < 2 {
            return Err("regions need at least two rows and columns of points".into());
        }
        let allowed = |p: f64| {
            if self.classes { (0.0..256.0).contains(&p) } else { (0.0..=1.0).contains(&p) }
        };
        if let Some(((i, j), p)) = self.values.indexed_iter().find(|(_, p)| !allowed(**p)) {
            let what = "neither a probability nor a class";
            return Err(format!("row {i}, column {j} is {p}, which is {what}").into());
        }
        self.scatters.iter().try_for_each(|(name, points)| check_finite(name, points))
    }

    /// The point that a node of the grid stands for; halves are between nodes.
    fn point(&self, row: f64, column: f64) -> Point {
        let (rows, columns) = self.values.dim();
        let along = |(lo, hi): (f64, f64), i: f64, n: usize| {
            lo + (hi - lo) * (i / (n - 1) as f64).clamp(0.0, 1.0)
        };
        (along(self.x_range, column, columns), along(self.y_range, row, rows))
    }

    /// The class of a value, and how certain it is: 0 to SHADES.
    fn shade(&self, p: f64) -> (u8, u8) {
        if self.classes {
            return (p as u8, SHADES);
        }
        let certainty = ((2.0 * p - 1.0).abs() * f64::from(SHADES)).ceil() as u8;
        (u8::from(p >= 0.5), certainty)
    }

    fn draw_shades(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let shades = self.values.mapv(|p| self.shade(p));
        for ((class, certainty), blocks) in blocks(&shades) {
            let opacity = OPACITY * f64::from(certainty) / f64::from(SHADES);
            for Block { rows, columns } in blocks {
                let corner = |row: usize, column: usize| {
                    frame.at(self.point(row as f64 - 0.5, column as f64 - 0.5))
                };
                let (from, to) = (corner(rows.end, columns.start), corner(rows.start, columns.end));
                canvas.fill(from, to, colour::series(class.into()), opacity)?;
            }
        }
        Ok(())
    }

    /// The lines on which both classes are equally probable.
    fn boundary(&self) -> Vec<Vec<Point>> {
        if self.classes {
            return Vec::new();
        }
        level_lines(&self.values, 0.5, |a, b| {
            let (from, to) = (self.values[a], self.values[b]);
            let t = (0.5 - from) / (to - from);
            let between = |a: usize, b: usize| a as f64 + t * (b as f64 - a as f64);
            self.point(between(a.0, b.0), between(a.1, b.1))
        })
    }
}

impl Figure for Regions {
    fn draw(&self) -> Result<String> {
        self.check()?;
        let (x_range, y_range) = (self.x_range, self.y_range);
        let x = Axis::new(&self.x_label, x_range, false)?;
        let y = Axis::new(&self.y_label, y_range, false)?;
        let shape = (x_range.1 - x_range.0, y_range.1 - y_range.0);
        let (frame, (width, height)) = Frame::to_scale(x, y, shape);
        let entries = self.scatters.iter().enumerate().map(|(index, (name, _))| Entry {
            name: name.clone(),
            colour: colour::series(index),
            sample: Sample::Marker(Marker::of(index)),
        });
        let legend = Legend::new(entries, width);
        canvas::draw((width, height + legend.height()), |canvas| {
            self.draw_shades(canvas, &frame)?;
            frame.draw(canvas)?;
            for line in self.boundary() {
                let line: Vec<Point> = line.into_iter().map(|point| frame.at(point)).collect();
                canvas.line(&line, stroke(INK, 2.0))?;
            }
            for (index, (_, points)) in self.scatters.iter().enumerate() {
                let (marker, colour) = (Marker::of(index), colour::series(index));
                for &point in points.iter().filter(|point| frame.holds(**point)) {
                    canvas.marker(frame.at(point), marker, 3.2, colour)?;
                }
            }
            legend.draw(canvas, height)
        })
    }

    fn csv(&self) -> String {
        let blocks = runs(&self.values).into_iter().map(|(i, columns, p)| {
            let (x, y) = self.point(i as f64, columns.start as f64);
            let (to, _) = self.point(i as f64, columns.end as f64 - 1.0);
            let [x, to] = [x, to].map(|x| number(shortened(x, self.x_range)));
            let y = number(shortened(y, self.y_range));
            vec!["region".into(), String::new(), x, to, y, number(p)]
        });
        let scatters = self.scatters.iter().flat_map(|(name, points)| {
            let sample = move |&(x, y): &Point| {
                vec!["sample".into(), name.clone(), number(x), number(x), number(y), String::new()]
            };
            points.iter().map(sample)
        });
        csv(&["kind", "name", "x_from", "x_to", "y", "value"], blocks.chain(scatters))
    }
}

/// Runs of equal values in the rows of a grid: row, columns, value.
fn runs(values: &Array2<f64>) -> Vec<(usize, std::ops::Range<usize>, f64)> {
    let mut runs: Vec<(usize, std::ops::Range<usize>, f64)> = Vec::new();
    for ((i, j), &value) in values.indexed_iter() {
        match runs.last_mut() {
            Some((row, columns, last)) if *row == i && *last == value => columns.end = j + 1,
            _ => runs.push((i, j..j + 1, value)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_runs_where_both_classes_are_equal() {
        let range = (-1.0, 3.0);
        let points = Regions::points(range, range, (41, 21));
        assert_eq!(points.row(0).to_vec(), [-1.0, -1.0]);
        assert_eq!(points.row(20).to_vec(), [3.0, -1.0]);
        let p = points.column(0).mapv(|x| 0.25 + 0.25 * x).mapv(|p| p.clamp(0.0, 1.0));
        let p = p.into_shape_with_order((41, 21)).unwrap();
        let regions = Regions::new("x", "y", range, range, &p);
        let lines = regions.boundary();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].iter().all(|(x, _)| (x - 1.0).abs() < 1e-9));
        assert_eq!(regions.shade(0.5), (1, 0));
        assert_eq!(regions.shade(0.01), (0, SHADES));
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        let values = ndarray::array![[0.5, 1.5], [0.0, 0.0]];
        let regions = Regions::new("x", "y", (0.0, 1.0), (0.0, 1.0), &values);
        let error = regions.draw().unwrap_err().to_string();
        assert_eq!(error, "row 0, column 1 is 1.5, which is neither a probability nor a class");
    }
}

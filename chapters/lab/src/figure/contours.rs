//! Level lines of a function of two numbers, and paths across them.

use ndarray::Array2;

use super::axis::Axis;
use super::canvas::{self, Marker, stroke};
use super::frame::Frame;
use super::geometry::Point;
use super::legend::{Entry, Legend, Sample};
use super::march::level_lines;
use super::{check_finite, check_range, csv, number};
use crate::colour::{self, INK};
use crate::{Figure, Result};

/// How many points along each axis the function is asked at.
const NODES: usize = 101;

/// Level lines of a function of two numbers, and paths across them.
#[derive(Debug, Clone)]
pub struct Contours {
    x_label: String,
    y_label: String,
    x_range: (f64, f64),
    y_range: (f64, f64),
    /// Each level, with its lines.
    levels: Vec<(f64, Vec<Vec<Point>>)>,
    /// A point at which the function is not finite.
    hole: Option<Point>,
    paths: Vec<(String, Vec<Point>)>,
    marks: Vec<(String, Point)>,
}

impl Contours {
    /// The lines on which `f` has one of the `levels`.
    pub fn new(
        x_label: &str,
        y_label: &str,
        x_range: (f64, f64),
        y_range: (f64, f64),
        f: impl Fn(f64, f64) -> f64,
        levels: &[f64],
    ) -> Self {
        let node = |(row, column): (usize, usize)| {
            let share = |i: usize| i as f64 / (NODES - 1) as f64;
            let along = |(lo, hi): (f64, f64), t: f64| lo + (hi - lo) * t;
            (along(x_range, share(column)), along(y_range, share(row)))
        };
        let value = |(x, y): Point| f(x, y);
        let grid = Array2::from_shape_fn((NODES, NODES), |index| value(node(index)));
        let hole = grid.indexed_iter().find(|(_, v)| !v.is_finite()).map(|(i, _)| node(i));
        let lines = |&level: &f64| {
            let crossing = |a, b| crossing(value, level, node(a), node(b));
            let lines = level_lines(&grid, level, crossing).into_iter().map(|line| {
                let short = |p: Point| (shortened(p.0, x_range), shortened(p.1, y_range));
                line.into_iter().map(short).collect()
            });
            (level, lines.collect())
        };
        Self {
            x_label: x_label.into(),
            y_label: y_label.into(),
            x_range,
            y_range,
            levels: levels.iter().map(lines).collect(),
            hole,
            paths: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// With a path through these points, each with a small dot.
    pub fn path(mut self, name: &str, points: &[(f64, f64)]) -> Self {
        self.paths.push((name.into(), points.to_vec()));
        self
    }

    /// With a sign at one point: a plus at the first, a cross at the second.
    pub fn mark(mut self, name: &str, x: f64, y: f64) -> Self {
        self.marks.push((name.into(), (x, y)));
        self
    }
}

/// The point between two others at which a function has this value, by halving.
fn crossing(f: impl Fn(Point) -> f64, level: f64, mut a: Point, mut b: Point) -> Point {
    let above = f(a) >= level;
    let middle = |a: Point, b: Point| ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
    for _ in 0..24 {
        let half = middle(a, b);
        if (f(half) >= level) == above { a = half } else { b = half }
    }
    middle(a, b)
}

/// A number to a millionth of a range: more is never seen.
pub(super) fn shortened(value: f64, (lo, hi): (f64, f64)) -> f64 {
    let decimals = (6.0 - (hi - lo).abs().log10().floor()).clamp(0.0, 300.0) as usize;
    format!("{value:.decimals$}").parse().unwrap_or(value)
}

impl Contours {
    /// The paths, each with its name.
    pub(super) fn paths(&self) -> &[(String, Vec<Point>)] {
        &self.paths
    }

    /// Whether a point lies in the frame.
    pub(super) fn holds(&self, (x, y): Point) -> bool {
        let within = |(lo, hi): (f64, f64), v: f64| (lo..=hi).contains(&v);
        within(self.x_range, x) && within(self.y_range, y)
    }

    pub(super) fn check(&self) -> Result<()> {
        check_range(&self.x_label, self.x_range)?;
        check_range(&self.y_label, self.y_range)?;
        if let Some((x, y)) = self.hole {
            return Err(format!("the function is not finite at ({x}, {y})").into());
        }
        self.paths.iter().try_for_each(|(name, points)| check_finite(name, points))?;
        self.marks.iter().try_for_each(|(name, point)| check_finite(name, &[*point]))
    }

    fn legend(&self, width: f64) -> Legend {
        let paths = self.paths.iter().enumerate().map(|(index, (name, _))| {
            let colour = colour::series(index);
            Entry { name: name.clone(), colour, sample: Sample::Path }
        });
        let marks = self.marks.iter().enumerate().map(|(index, (name, _))| Entry {
            name: name.clone(),
            colour: INK,
            sample: Sample::Sign(index),
        });
        Legend::new(paths.chain(marks), width)
    }
}

impl Contours {
    /// The frame, and the size of the drawing without the legend.
    fn frame(&self) -> Result<(Frame, Point)> {
        let (x_range, y_range) = (self.x_range, self.y_range);
        let x = Axis::new(&self.x_label, x_range, false)?;
        let y = Axis::new(&self.y_label, y_range, false)?;
        let shape = (x_range.1 - x_range.0, y_range.1 - y_range.0);
        Ok(Frame::to_scale(x, y, shape))
    }

    /// The drawing with its legend, but without the paths themselves, and its frame.
    pub(super) fn draw_without_paths(&self) -> Result<(String, Frame)> {
        Ok((self.drawing(false)?, self.frame()?.0))
    }

    fn drawing(&self, with_paths: bool) -> Result<String> {
        let (frame, (width, height)) = self.frame()?;
        let legend = self.legend(width);
        canvas::draw((width, height + legend.height()), |canvas| {
            frame.draw(canvas)?;
            for line in self.levels.iter().flat_map(|(_, lines)| lines) {
                let line: Vec<Point> = line.iter().map(|&point| frame.at(point)).collect();
                canvas.line(&line, stroke(INK, 1.0))?;
            }
            for (index, (_, points)) in self.paths.iter().enumerate().filter(|_| with_paths) {
                let colour = colour::series(index);
                for piece in frame.pieces(points) {
                    canvas.line(&piece, stroke(colour, 2.0))?;
                }
                for &point in points.iter().filter(|point| frame.holds(**point)) {
                    canvas.marker(frame.at(point), Marker::Circle, 2.6, colour)?;
                }
            }
            for (index, &(_, point)) in self.marks.iter().enumerate() {
                if frame.holds(point) {
                    canvas.sign(frame.at(point), index)?;
                }
            }
            legend.draw(canvas, height)
        })
    }

    /// The rows of the data: level lines, paths if they are wanted, marks.
    pub(super) fn rows(&self, with_paths: bool) -> impl Iterator<Item = Vec<String>> {
        let row = |kind: &str, name: &str, piece: usize, (x, y): Point| {
            vec![kind.into(), name.into(), piece.to_string(), number(x), number(y)]
        };
        let levels = self.levels.iter().flat_map(move |(level, lines)| {
            lines.iter().enumerate().flat_map(move |(piece, line)| {
                line.iter().map(move |&point| row("level", &number(*level), piece, point))
            })
        });
        let paths = self.paths.iter().filter(move |_| with_paths);
        let paths = paths.flat_map(move |(name, points)| {
            points.iter().map(move |&point| row("path", name, 0, point))
        });
        let marks = self.marks.iter().map(move |(name, point)| row("mark", name, 0, *point));
        levels.chain(paths).chain(marks)
    }
}

impl Figure for Contours {
    fn draw(&self) -> Result<String> {
        self.check()?;
        self.drawing(true)
    }

    fn csv(&self) -> String {
        csv(&["kind", "name", "piece", "x", "y"], self.rows(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_lines_of_a_bowl_are_circles() {
        let bowl = |x: f64, y: f64| x * x + y * y;
        let range = (-2.0, 2.0);
        let contours = Contours::new("x", "y", range, range, bowl, &[0.25, 1.0, 3.5]);
        for (level, lines) in &contours.levels {
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].first(), lines[0].last());
            assert!(lines[0].len() > 60);
            for &(x, y) in &lines[0] {
                assert!((bowl(x, y) - level).abs() < 1e-5, "({x}, {y}) on {level}");
            }
        }
        // The circle of radius √5 leaves the square: an arc in each corner.
        let corners = Contours::new("x", "y", range, range, bowl, &[5.0]);
        assert_eq!(corners.levels[0].1.len(), 4);
    }

    #[test]
    fn a_function_with_a_hole_and_an_infinite_path_are_refused() {
        let range = (-1.0, 1.0);
        let hole = Contours::new("x", "y", range, range, |x, _| 1.0 / x, &[1.0]);
        assert!(hole.draw().unwrap_err().to_string().contains("not finite at (0, -1)"));
        let path = Contours::new("x", "y", range, range, |x, _| x, &[0.5])
            .path("diverging", &[(0.0, 0.0), (f64::INFINITY, 0.0)]);
        assert!(path.draw().unwrap_err().to_string().contains("point 1 of \"diverging\""));
    }
}

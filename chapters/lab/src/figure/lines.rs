//! Curves and points over two axes.

use super::axis::Axis;
use super::canvas::{self, Canvas, Marker, Side, TEXT, WIDTH, stroke, text_width};
use super::frame::Frame;
use super::geometry::{Point, thinned};
use super::legend::{Entry, Legend, Sample};
use super::marks::{self, FLAG, Mark};
use super::{check_finite, csv, number};
use crate::colour;
use crate::{Figure, Result};

/// The height of a plot without its legend.
const HEIGHT: f64 = 400.0;

/// Curves and points over two axes.
#[derive(Debug, Clone)]
pub struct Lines {
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) series: Vec<Series>,
    pub(super) marks: Vec<Mark>,
    pub(super) log_x: bool,
    pub(super) log_y: bool,
    pub(super) x_range: Option<(f64, f64)>,
    pub(super) y_range: Option<(f64, f64)>,
}

/// One curve, or one set of points.
#[derive(Debug, Clone)]
pub struct Series {
    pub name: String,
    pub style: Style,
    pub points: Vec<Point>,
    /// Whether there was a y for each x.
    pub complete: bool,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Line,
    Dashed,
    Points,
}

impl Lines {
    /// Axes with these names, and nothing in them yet.
    pub fn new(x_label: &str, y_label: &str) -> Self {
        Self {
            x_label: x_label.into(),
            y_label: y_label.into(),
            series: Vec::new(),
            marks: Vec::new(),
            log_x: false,
            log_y: false,
            x_range: None,
            y_range: None,
        }
    }

    /// With a curve through these points.
    pub fn series(
        self,
        name: &str,
        xs: impl IntoIterator<Item = f64>,
        ys: impl IntoIterator<Item = f64>,
    ) -> Self {
        self.with(name, Style::Line, xs, ys)
    }

    /// With a dashed curve through these points.
    pub fn dashed(
        self,
        name: &str,
        xs: impl IntoIterator<Item = f64>,
        ys: impl IntoIterator<Item = f64>,
    ) -> Self {
        self.with(name, Style::Dashed, xs, ys)
    }

    /// With these points, each for itself.
    pub fn points(
        self,
        name: &str,
        xs: impl IntoIterator<Item = f64>,
        ys: impl IntoIterator<Item = f64>,
    ) -> Self {
        self.with(name, Style::Points, xs, ys)
    }

    fn with(
        mut self,
        name: &str,
        style: Style,
        xs: impl IntoIterator<Item = f64>,
        ys: impl IntoIterator<Item = f64>,
    ) -> Self {
        let (mut xs, mut ys) = (xs.into_iter(), ys.into_iter());
        // An endless count, such as `(0..).map(f64::from)`, has an x for every y.
        let endless = xs.size_hint().0 == usize::MAX;
        let mut points = Vec::new();
        let complete = loop {
            match (xs.next(), ys.next()) {
                (Some(x), Some(y)) => points.push((x, y)),
                (x, y) => break y.is_none() && (x.is_none() || endless),
            }
        };
        self.series.push(Series { name: name.into(), style, points, complete });
        self
    }

    /// With a logarithmic axis from left to right.
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// With a logarithmic axis from bottom to top.
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// From `lo` on the left to `hi` on the right; what lies outside is cut off.
    pub fn x_range(mut self, lo: f64, hi: f64) -> Self {
        self.x_range = Some((lo, hi));
        self
    }

    /// From `lo` at the bottom to `hi` at the top; what lies outside is cut off.
    pub fn y_range(mut self, lo: f64, hi: f64) -> Self {
        self.y_range = Some((lo, hi));
        self
    }

    /// With a line from bottom to top at this x.
    pub fn vertical(mut self, name: &str, x: f64) -> Self {
        self.marks.push(Mark { name: name.into(), vertical: true, at: x });
        self
    }

    /// With a line from left to right at this y.
    pub fn horizontal(mut self, name: &str, y: f64) -> Self {
        self.marks.push(Mark { name: name.into(), vertical: false, at: y });
        self
    }
}

impl Lines {
    /// What cannot be drawn, if anything.
    pub(super) fn check(&self) -> Result<()> {
        for Series { name, points, complete, .. } in &self.series {
            if !complete {
                return Err(format!("{name:?} does not have one y for each x").into());
            }
            check_finite(name, points)?;
            let positive = |&(x, y): &Point| (x > 0.0 || !self.log_x) && (y > 0.0 || !self.log_y);
            if let Some(i) = points.iter().position(|point| !positive(point)) {
                let (x, y) = points[i];
                return Err(format!(
                    "point {i} of {name:?} is ({x}, {y}), and has no place on a logarithmic axis"
                )
                .into());
            }
        }
        for Mark { name, at, vertical } in &self.marks {
            let log = if *vertical { self.log_x } else { self.log_y };
            if !at.is_finite() || (log && *at <= 0.0) {
                return Err(format!("the line {name:?} cannot be drawn at {at}").into());
            }
        }
        Ok(())
    }

    fn axes(&self) -> Result<(Axis, Axis)> {
        let marks = |vertical| {
            self.marks.iter().filter(move |mark| mark.vertical == vertical).map(|mark| mark.at)
        };
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = match self.x_range {
            Some(range) => Axis::new(&self.x_label, range, self.log_x)?,
            None => {
                let lines = self.series.iter().any(|series| series.style != Style::Points);
                let xs = points().map(|point| point.0).chain(marks(true));
                Axis::around(&self.x_label, xs, if lines { 0.0 } else { 0.05 }, self.log_x)?
            }
        };
        let x = x.whole(points().all(|point| point.0.fract() == 0.0));
        let y = match self.y_range {
            Some(range) => Axis::new(&self.y_label, range, self.log_y)?,
            None => {
                let seen = points().filter(|point| x.holds(point.0)).map(|point| point.1);
                Axis::around(&self.y_label, seen.chain(marks(false)), 0.05, self.log_y)?
            }
        };
        Ok((x, y))
    }

    /// How each series of several plots looks, by name: what has one name is one thing.
    pub(super) fn looks<'a>(plots: impl Iterator<Item = &'a Lines> + Clone) -> Vec<Entry> {
        let all = || plots.clone().flat_map(|plot| &plot.series);
        let mut looks: Vec<Entry> = Vec::new();
        let mut markers = (0..).map(Marker::of);
        for Series { name, .. } in all() {
            if looks.iter().any(|look| look.name == *name) {
                continue;
            }
            let has = |style| all().any(|series| series.name == *name && series.style == style);
            let sample = match (has(Style::Points), has(Style::Line), has(Style::Dashed)) {
                (true, false, false) => Sample::Marker(markers.next().unwrap_or(Marker::Circle)),
                (true, true, _) => Sample::Path,
                (true, false, true) => Sample::DashedPath,
                (false, true, _) => Sample::Line,
                (false, false, _) => Sample::Dashed,
            };
            looks.push(Entry { name: name.clone(), colour: colour::series(looks.len()), sample });
        }
        looks
    }

    /// Draws the plot and its title into a rectangle, with `above` rows for the names of
    /// vertical lines.
    pub(super) fn plot(
        &self,
        canvas: &Canvas,
        (corner, size): (Point, Point),
        (title, above): (&str, usize),
        looks: &[Entry],
    ) -> Result<()> {
        let (x, y) = self.axes()?;
        let beside = self.marks.iter().filter(|mark| !mark.vertical);
        let right = beside.map(|mark| text_width(&mark.name) + 8.0).fold(16.0, f64::max);
        let title_height = if title.is_empty() { 0.0 } else { TEXT + 10.0 };
        let top = 10.0 + title_height + above as f64 * FLAG;
        let frame = Frame::within((corner, size), (top, right), x, y);
        frame.draw(canvas)?;
        let middle = frame.corner.0 + frame.size.0 / 2.0;
        canvas.text(title, (middle, corner.1 + 4.0), Side::Below)?;
        marks::draw(canvas, &frame, &self.marks)?;
        for series in &self.series {
            let look = looks.iter().find(|look| look.name == series.name);
            draw_series(canvas, &frame, series, look.expect("every name has its look"))?;
        }
        Ok(())
    }

    /// How many rows the names of vertical lines need above a plot of this width.
    pub(super) fn rows_above(&self, width: f64) -> Result<usize> {
        let (x, _) = self.axes()?;
        let flags = marks::flags(&self.marks, |at| width * 0.85 * x.position(at), width);
        Ok(flags.iter().map(|flag| flag.row + 1).max().unwrap_or(0))
    }
}

fn draw_series(canvas: &Canvas, frame: &Frame, series: &Series, look: &Entry) -> Result<()> {
    if series.style == Style::Points {
        let marker = if let Sample::Marker(marker) = look.sample { marker } else { Marker::Circle };
        let seen = series.points.iter().filter(|point| frame.holds(**point));
        return seen
            .map(|&point| frame.at(point))
            .try_for_each(|point| canvas.marker(point, marker, 3.2, look.colour));
    }
    for piece in frame.pieces(&series.points) {
        let (line, style) = (thinned(&piece), stroke(look.colour, 2.0));
        if series.style == Style::Dashed {
            canvas.dashed(&line, (7.0, 5.0), style)?;
        } else {
            canvas.line(&line, style)?;
        }
    }
    Ok(())
}

impl Figure for Lines {
    fn draw(&self) -> Result<String> {
        self.check()?;
        let looks = Self::looks(std::iter::once(self));
        let legend = Legend::new(looks.clone(), WIDTH);
        let above = self.rows_above(WIDTH)?;
        canvas::draw((WIDTH, HEIGHT + legend.height()), |canvas| {
            self.plot(canvas, ((0.0, 0.0), (WIDTH, HEIGHT)), ("", above), &looks)?;
            legend.draw(canvas, HEIGHT)
        })
    }

    fn csv(&self) -> String {
        csv(&["series", "x", "y"], self.csv_rows())
    }
}

impl Lines {
    /// The points of all series, and the place of each straight line.
    pub(super) fn csv_rows(&self) -> impl Iterator<Item = Vec<String>> {
        let points = self.series.iter().flat_map(|Series { name, points, .. }| {
            points.iter().map(|(x, y)| vec![name.clone(), number(*x), number(*y)])
        });
        points.chain(self.marks.iter().map(|Mark { name, vertical, at }| {
            let (x, y) =
                if *vertical { (number(*at), String::new()) } else { (String::new(), number(*at)) };
            vec![name.clone(), x, y]
        }))
    }
}

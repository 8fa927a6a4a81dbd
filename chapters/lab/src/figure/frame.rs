//! The frame of a plot: two axes, a grid, and the way from numbers to pixels.

use super::axis::Axis;
use super::canvas::{Canvas, Side, TEXT, stroke, text_width};
use super::geometry::{Point, clipped};
use crate::Result;
use crate::colour::{GRID, GRID_OPACITY, INK};
use plotters::style::{Color, ShapeStyle};

/// What lies below a frame: numbers and the name of the axis.
pub const BOTTOM: f64 = 50.0;

/// A rectangle in the drawing that stands for a rectangle of numbers.
pub struct Frame {
    pub corner: Point,
    pub size: Point,
    pub x: Axis,
    pub y: Axis,
}

impl Frame {
    /// A frame that fills a rectangle of the drawing together with its labels, except for
    /// what it leaves free at the top and on the right.
    pub fn within((corner, size): (Point, Point), (top, right): Point, x: Axis, y: Axis) -> Self {
        let height = size.1 - top - BOTTOM;
        let left = left_of(&y, height);
        let width = size.0 - left - right;
        let width = width - beyond(&x, width, right);
        Self { corner: (corner.0 + left, corner.1 + top), size: (width, height), x, y }
    }

    /// A frame in which a step to the right is as long as a step upwards, as far as its shape
    /// allows, and the size of a drawing that holds it with its labels.
    pub fn to_scale(x: Axis, y: Axis, (width, height): Point) -> (Self, Point) {
        let (most_wide, most_high) = (620.0, 440.0);
        let share = height / width;
        let high = (most_wide * share).min(most_high);
        let size = ((high / share).max(300.0), high.max(220.0));
        let (left, top, right) = (left_of(&y, size.1), 12.0, 20.0);
        let right = right + beyond(&x, size.0, right);
        let all = (left + size.0 + right, top + size.1 + BOTTOM);
        (Self { corner: (left, top), size, x, y }, all)
    }

    /// Where a point of numbers stands in the drawing.
    pub fn at(&self, (x, y): Point) -> Point {
        (
            self.corner.0 + self.size.0 * self.x.position(x),
            self.corner.1 + self.size.1 * (1.0 - self.y.position(y)),
        )
    }

    /// Whether a point of numbers lies in the frame.
    pub fn holds(&self, (x, y): Point) -> bool {
        self.x.holds(x) && self.y.holds(y)
    }

    /// Draws the axes, their numbers and names.
    pub fn draw(&self, canvas: &Canvas) -> Result<()> {
        let ((left, top), (width, height)) = (self.corner, self.size);
        let (right, bottom) = (left + width, top + height);
        let grid: ShapeStyle = ShapeStyle { color: GRID.mix(GRID_OPACITY), ..stroke(GRID, 1.0) };
        for (value, label) in x_ticks(&self.x, width) {
            let x = left + width * self.x.position(value);
            canvas.line(&[(x, top), (x, bottom)], grid)?;
            canvas.text(&label, (x, bottom + 6.0), Side::Below)?;
        }
        for (value, label) in y_ticks(&self.y, height) {
            let y = top + height * (1.0 - self.y.position(value));
            canvas.line(&[(left, y), (right, y)], grid)?;
            canvas.text(&label, (left - 7.0, y), Side::Left)?;
        }
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], stroke(INK, 1.0))?;
        canvas.text(&self.x.label, (left + width / 2.0, bottom + 27.0), Side::Below)?;
        let name_x = left - left_of(&self.y, height) + TEXT * 0.75;
        canvas.upright(&self.y.label, (name_x, top + height / 2.0), false)
    }

    /// The pieces of a line that lie in the frame, in pixels.
    pub fn pieces(&self, points: &[Point]) -> Vec<Vec<Point>> {
        let points: Vec<Point> = points.iter().map(|&point| self.at(point)).collect();
        clipped(&points, self.corner, self.size)
    }
}

/// How much a frame of this height needs on its left for the numbers and the name of y.
fn left_of(y: &Axis, height: f64) -> f64 {
    let ticks = y_ticks(y, height);
    let widest = ticks.iter().map(|(_, label)| text_width(label)).fold(0.0, f64::max);
    TEXT + 10.0 + widest + 7.0
}

/// How far the numbers of x reach beyond what a frame of this width has on its right.
fn beyond(x: &Axis, width: f64, right: f64) -> f64 {
    let end = |(value, label): (f64, String)| width * x.position(value) + text_width(&label) / 2.0;
    x_ticks(x, width).into_iter().map(|tick| end(tick) - width - right).fold(0.0, f64::max)
}

fn y_ticks(y: &Axis, height: f64) -> Vec<(f64, String)> {
    y.ticks((height / 45.0) as usize)
}

/// As many numbers as have room beside each other.
fn x_ticks(x: &Axis, width: f64) -> Vec<(f64, String)> {
    let mut wanted = (width / 75.0) as usize;
    loop {
        let ticks = x.ticks(wanted);
        let room = ticks.iter().map(|(_, label)| text_width(label) + 14.0).fold(0.0, f64::max);
        let fits = ticks
            .windows(2)
            .all(|pair| width * (x.position(pair[1].0) - x.position(pair[0].0)) >= room);
        if fits || wanted <= 2 {
            return ticks;
        }
        wanted -= 1;
    }
}

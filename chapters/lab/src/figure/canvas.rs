//! A sheet to draw on, in pixels and fractions of pixels, by plotters' SVG backend.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use unicode_width::UnicodeWidthChar;

use super::geometry::{Point, dashes};
use super::svg;
use crate::Result;
use crate::colour::INK;

/// The height of ordinary text.
pub const TEXT: f64 = 14.0;

/// How wide a figure is, unless its content decides.
pub const WIDTH: f64 = 720.0;

/// plotters knows whole pixels: ten of its pixels are one of ours.
const SCALE: u32 = 10;

/// A sheet to draw on.
pub struct Canvas<'a> {
    sheet: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws on an empty sheet of this size; returns the SVG document.
pub fn draw(
    (width, height): (f64, f64),
    content: impl FnOnce(&Canvas) -> Result<()>,
) -> Result<String> {
    let size = (width.ceil() as u32, height.ceil() as u32);
    let mut document = String::new();
    {
        let backend = SVGBackend::with_string(&mut document, (size.0 * SCALE, size.1 * SCALE));
        let canvas = Canvas { sheet: backend.into_drawing_area() };
        content(&canvas)?;
        canvas.sheet.present()?;
    }
    Ok(svg::tidy(&document, size, SCALE))
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
    Below,
    Centre,
}

/// The shape of a point of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    Circle,
    Triangle,
    Square,
    Diamond,
}

impl Marker {
    /// The marker of a series.
    pub fn of(index: usize) -> Self {
        [Self::Circle, Self::Triangle, Self::Square, Self::Diamond][index % 4]
    }
}

fn to_sheet((x, y): Point) -> (i32, i32) {
    let scale = |v: f64| (v * f64::from(SCALE)).round() as i32;
    (scale(x), scale(y))
}

/// A line of this colour and width, in pixels.
pub fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    colour.stroke_width((width * f64::from(SCALE)).round() as u32)
}

impl Canvas<'_> {
    /// A line through these points.
    pub fn line(&self, points: &[Point], style: ShapeStyle) -> Result<()> {
        if points.len() > 1 {
            let points: Vec<_> = points.iter().map(|&point| to_sheet(point)).collect();
            self.sheet.draw(&PathElement::new(points, style))?;
        }
        Ok(())
    }

    /// A line of dashes through these points.
    pub fn dashed(&self, points: &[Point], (on, off): Point, style: ShapeStyle) -> Result<()> {
        dashes(points, on, off).iter().try_for_each(|dash| self.line(dash, style))
    }

    /// A filled rectangle from one corner to the opposite one.
    pub fn fill(&self, from: Point, to: Point, colour: RGBColor, opacity: f64) -> Result<()> {
        let corners = [to_sheet(from), to_sheet(to)];
        self.sheet.draw(&Rectangle::new(corners, colour.mix(opacity).filled()))?;
        Ok(())
    }

    /// The outline of a rectangle.
    pub fn outline(&self, from: Point, to: Point, style: ShapeStyle) -> Result<()> {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from].map(to_sheet);
        self.sheet.draw(&PathElement::new(corners, style))?;
        Ok(())
    }

    /// A point of a series.
    pub fn marker(&self, at: Point, marker: Marker, size: f64, colour: RGBColor) -> Result<()> {
        let offsets: &[Point] = match marker {
            Marker::Circle => {
                let radius = (size * f64::from(SCALE)).round() as i32;
                self.sheet.draw(&Circle::new(to_sheet(at), radius, colour.filled()))?;
                return Ok(());
            }
            Marker::Triangle => &[(0.0, -1.3), (1.15, 0.8), (-1.15, 0.8)],
            Marker::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Marker::Diamond => &[(0.0, -1.35), (1.35, 0.0), (0.0, 1.35), (-1.35, 0.0)],
        };
        let corner = |&(dx, dy): &Point| to_sheet((at.0 + size * dx, at.1 + size * dy));
        let corners: Vec<_> = offsets.iter().map(corner).collect();
        self.sheet.draw(&Polygon::new(corners, colour.filled()))?;
        Ok(())
    }

    /// The sign of a marked point, in ink: a plus, a cross, a square or a diamond.
    pub fn sign(&self, (x, y): Point, index: usize) -> Result<()> {
        let (arm, style) = (7.0, stroke(INK, 3.0));
        let line = |corners: &[Point]| {
            let corner = |&(dx, dy): &Point| (x + arm * dx, y + arm * dy);
            self.line(&corners.iter().map(corner).collect::<Vec<_>>(), style)
        };
        let (d, o) = (0.75, 0.0);
        match index % 4 {
            0 => line(&[(-1.0, o), (1.0, o)]).and_then(|()| line(&[(o, -1.0), (o, 1.0)])),
            1 => line(&[(-d, -d), (d, d)]).and_then(|()| line(&[(-d, d), (d, -d)])),
            2 => line(&[(-d, -d), (d, -d), (d, d), (-d, d), (-d, -d)]),
            _ => line(&[(-1.0, o), (o, -1.0), (1.0, o), (o, 1.0), (-1.0, o)]),
        }
    }

    /// A text in the colour of ink.
    pub fn text(&self, text: &str, at: Point, side: Side) -> Result<()> {
        self.text_in(INK, text, at, side)
    }

    /// A text in a colour of its own.
    pub fn text_in(&self, colour: RGBColor, text: &str, at: Point, side: Side) -> Result<()> {
        let (h, v) = match side {
            Side::Left => (HPos::Right, VPos::Center),
            Side::Right => (HPos::Left, VPos::Center),
            Side::Below => (HPos::Center, VPos::Top),
            Side::Centre => (HPos::Center, VPos::Center),
        };
        self.sheet.draw(&Text::new(text.to_owned(), to_sheet(at), style(colour, h, v)))?;
        Ok(())
    }

    /// A text that reads upwards, centred at this point, or ending there if `end`.
    pub fn upright(&self, text: &str, at: Point, end: bool) -> Result<()> {
        let h = if end { HPos::Right } else { HPos::Center };
        let style = style(INK, h, VPos::Center).transform(FontTransform::Rotate270);
        self.sheet.draw(&Text::new(text.to_owned(), to_sheet(at), style))?;
        Ok(())
    }
}

fn style(colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    // The backend divides the size it is given by 1.24.
    let size = TEXT * f64::from(SCALE) * 1.24;
    ("sans-serif", size).with_color(colour).into_text_style(&(1, 1)).pos(Pos::new(h, v))
}

/// About how wide a text will be: fonts differ, and this is a wide one.
pub fn text_width(text: &str) -> f64 {
    let width = |c: char| match c {
        _ if c.width() == Some(0) => 0.0,
        _ if c.width() == Some(2) => 1.0,
        'i' | 'j' | 'l' | 'I' | '|' | '.' | ',' | ':' | ';' | '\'' | ' ' | '′' => 0.32,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.4,
        '⁰'..='⁹' | '¹' | '²' | '³' | '₀'..='₉' | '⁻' => 0.42,
        'm' | 'w' | 'M' | 'W' | '−' | '+' | '=' | '%' | '→' | '∞' => 0.9,
        's' | 'c' | 'k' | 'v' | 'x' | 'y' | 'z' => 0.53,
        'A'..='Z' => 0.7,
        _ => 0.61,
    };
    TEXT * text.chars().map(width).sum::<f64>()
}

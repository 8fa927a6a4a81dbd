//! Small grey images with titles.

use ndarray::ArrayView2;

use super::canvas::{self, Canvas, Side, TEXT, stroke, text_width};
use super::cells::{Block, blocks};
use super::csv;
use super::geometry::Point;
use crate::colour;
use crate::{Figure, Result};

/// The side of an image in the drawing, about.
const SIDE: f64 = 84.0;

/// Small square grey images in a grid, each with a title.
#[derive(Debug, Clone)]
pub struct Images {
    columns: usize,
    images: Vec<Image>,
}

#[derive(Debug, Clone)]
struct Image {
    pixels: Vec<u8>,
    title: String,
    highlight: bool,
}

impl Images {
    /// A grid with this many columns, and nothing in it yet.
    pub fn new(columns: usize) -> Self {
        Self { columns: columns.max(1), images: Vec::new() }
    }

    /// With one more image, row after row from the top: 0 is paper, 255 is ink. An image that
    /// is to be noticed gets a frame.
    pub fn image(mut self, pixels: &[u8], title: &str, highlight: bool) -> Self {
        self.images.push(Image { pixels: pixels.to_vec(), title: title.into(), highlight });
        self
    }
}

impl Image {
    /// How many pixels a side has.
    fn side(&self) -> usize {
        self.pixels.len().isqrt()
    }

    fn draw(&self, canvas: &Canvas, (left, top): Point, size: f64) -> Result<()> {
        let side = self.side();
        // Sixteen greys look the same as 256, and fall into larger blocks.
        let greys = self.pixels.iter().map(|&pixel| (f64::from(pixel) / 17.0).round() as u8 * 17);
        let greys: Vec<u8> = greys.collect();
        let cells = ArrayView2::from_shape((side, side), &greys)?;
        let pixel = size / side as f64;
        canvas.fill((left, top), (left + size, top + size), colour::pixel(0), 1.0)?;
        for (grey, blocks) in blocks(&cells).into_iter().filter(|(grey, _)| *grey > 0) {
            for Block { rows, columns } in blocks {
                let at = |row: usize, column: usize| {
                    (left + pixel * column as f64, top + pixel * row as f64)
                };
                let (from, to) = (at(rows.start, columns.start), at(rows.end, columns.end));
                canvas.fill(from, to, colour::pixel(grey), 1.0)?;
            }
        }
        if self.highlight {
            let (from, to) = ((left - 2.0, top - 2.0), (left + size + 2.0, top + size + 2.0));
            canvas.outline(from, to, stroke(colour::HIGHLIGHT, 4.0))?;
        }
        canvas.text(&self.title, (left + size / 2.0, top + size + 6.0), Side::Below)
    }
}

impl Figure for Images {
    fn draw(&self) -> Result<String> {
        for Image { pixels, title, .. } in &self.images {
            if pixels.is_empty() || pixels.len().isqrt().pow(2) != pixels.len() {
                let count = pixels.len();
                return Err(
                    format!("the image {title:?} has {count} pixels, which are no square").into()
                );
            }
        }
        let titles = self.images.iter().map(|image| text_width(&image.title));
        let wide = titles.fold(SIDE, f64::max) + 16.0;
        let high = SIDE + TEXT + 22.0;
        let rows = self.images.len().div_ceil(self.columns);
        let columns = self.columns.min(self.images.len());
        canvas::draw((wide * columns as f64, high * rows as f64), |canvas| {
            for (index, image) in self.images.iter().enumerate() {
                let (row, column) = (index / self.columns, index % self.columns);
                let corner = (wide * (column as f64 + 0.5) - SIDE / 2.0, high * row as f64 + 8.0);
                image.draw(canvas, corner, SIDE)?;
            }
            Ok(())
        })
    }

    fn csv(&self) -> String {
        let most = self.images.iter().map(|image| image.pixels.len()).max().unwrap_or(0);
        let pixels: Vec<String> = (0..most).map(|index| format!("pixel{index}")).collect();
        let header: Vec<&str> =
            std::iter::once("title").chain(pixels.iter().map(String::as_str)).collect();
        let rows = self.images.iter().map(|image| {
            let pixels = image.pixels.iter().map(u8::to_string);
            std::iter::once(image.title.clone()).chain(pixels).collect()
        });
        csv(&header, rows)
    }
}

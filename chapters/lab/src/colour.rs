//! Every colour of every figure. A figure has no background: its colours are chosen to be read
//! on a white page and on a dark one (`#161923`), and a page may map them to its own.

use plotters::style::RGBColor;

/// Text, axes, and lines that belong to no series. No grey has a contrast of 4.5 on both
/// pages; this one has 4.2 on each.
pub const INK: RGBColor = RGBColor(0x7C, 0x7C, 0x7C);

/// The grid behind the data, drawn with the opacity below.
pub const GRID: RGBColor = RGBColor(0x80, 0x80, 0x80);

/// How much of the grid is seen.
pub const GRID_OPACITY: f64 = 0.28;

/// Series, in their order. Each has a contrast of at least 3 on both pages, and any two differ
/// for people who see no red or no green.
pub const SERIES: [RGBColor; 6] = [
    RGBColor(0x33, 0x90, 0xE8), // blue
    RGBColor(0xB9, 0x54, 0x1A), // rust
    RGBColor(0x22, 0x8A, 0x72), // teal
    RGBColor(0x87, 0x46, 0xF0), // purple
    RGBColor(0xA3, 0x8F, 0x0F), // gold
    RGBColor(0xE6, 0x3F, 0xA5), // pink
];

/// The frame of an image that is to be noticed.
pub const HIGHLIGHT: RGBColor = SERIES[5];

/// The colour of a series; the seventh has that of the first.
pub fn series(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()]
}

/// From pale to dark, for t from 0 to 1.
pub fn sequential(t: f64) -> RGBColor {
    between(&[0xEFF4FB, 0xB5D1EC, 0x6AA5DA, 0x2D6DB5, 0x0D3372], t)
}

/// From blue through white to red, for t from 0 to 1.
pub fn diverging(t: f64) -> RGBColor {
    between(&[0x1F5FA8, 0x8FBFE0, 0xF7F7F7, 0xF2A182, 0xB01C2E], t)
}

/// From paper to ink, for a pixel from 0 to 255.
pub fn pixel(value: u8) -> RGBColor {
    between(&[0xF4F4F4, 0x141414], f64::from(value) / 255.0)
}

/// For text on a coloured cell: black or white, whichever is read better.
pub fn text_on(cell: RGBColor) -> RGBColor {
    let (white, black) = (RGBColor(0xFF, 0xFF, 0xFF), RGBColor(0x00, 0x00, 0x00));
    if contrast(white, cell) > contrast(black, cell) { white } else { black }
}

/// The colour at t, of colours that are equally far apart from 0 to 1.
fn between(stops: &[u32], t: f64) -> RGBColor {
    let position = t.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let first = (position as usize).min(stops.len() - 2);
    let share = position - first as f64;
    let channel = |shift: u32| {
        let [a, b] = [first, first + 1].map(|i| f64::from(stops[i] >> shift & 0xFF));
        (a + (b - a) * share).round() as u8
    };
    RGBColor(channel(16), channel(8), channel(0))
}

/// How well one colour is read on the other, from 1 to 21, as the Web Content Accessibility
/// Guidelines define it.
fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let luminance =
        |c: RGBColor| 0.2126 * linear(c.0) + 0.7152 * linear(c.1) + 0.0722 * linear(c.2);
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    if a > b { a / b } else { b / a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_on_a_white_and_on_a_dark_page() {
        for page in [RGBColor(0xFF, 0xFF, 0xFF), RGBColor(0x16, 0x19, 0x23)] {
            assert!(contrast(INK, page) > 4.1);
            for colour in SERIES {
                assert!(contrast(colour, page) > 3.0, "{colour:?}");
            }
        }
        for step in 0..=20 {
            let t = f64::from(step) / 20.0;
            for cell in [sequential(t), diverging(t)] {
                assert!(contrast(text_on(cell), cell) > 4.5, "{cell:?}");
            }
        }
    }

    #[test]
    fn scales_end_where_they_should() {
        assert_eq!(pixel(0), RGBColor(0xF4, 0xF4, 0xF4));
        assert_eq!(pixel(255), RGBColor(0x14, 0x14, 0x14));
        assert_eq!(diverging(0.5), RGBColor(0xF7, 0xF7, 0xF7));
        assert_eq!(sequential(1.0), RGBColor(0x0D, 0x33, 0x72));
    }
}

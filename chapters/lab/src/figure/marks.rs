//! Straight lines across a plot, with their names outside of it.

use super::canvas::{Canvas, Side, TEXT, stroke, text_width};
use super::frame::Frame;
use crate::Result;
use crate::colour::INK;

/// The height of a row of names above the plot.
pub const FLAG: f64 = TEXT + 4.0;

/// A straight line across the plot.
#[derive(Debug, Clone)]
pub struct Mark {
    pub name: String,
    pub vertical: bool,
    pub at: f64,
}

/// The name of a vertical line.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// Which line.
    pub mark: usize,
    /// The row above the plot, from the lowest.
    pub row: usize,
    /// Where the text begins.
    pub text: f64,
}

/// The names of the vertical lines. Each begins at its line, like a flag at its pole, in the
/// lowest row in which it overlaps no other; `x` says where a number stands in the drawing,
/// and no name goes beyond `end`.
pub fn flags(marks: &[Mark], x: impl Fn(f64) -> f64, end: f64) -> Vec<Flag> {
    let named = |i: &usize| marks[*i].vertical && !marks[*i].name.is_empty();
    let mut order: Vec<usize> = (0..marks.len()).filter(named).collect();
    // From right to left: a pole then never crosses a flag in a lower row.
    order.sort_by(|&a, &b| marks[b].at.total_cmp(&marks[a].at));
    let mut starts: Vec<f64> = Vec::new();
    let mut flags = Vec::new();
    for mark in order {
        let (pole, width) = (x(marks[mark].at), text_width(&marks[mark].name));
        let text = (pole + 4.0).min(end - width);
        let row = starts.iter().position(|start| text + width + 6.0 <= *start);
        let row = row.unwrap_or(starts.len());
        starts.resize(starts.len().max(row + 1), 0.0);
        starts[row] = text.min(pole);
        flags.push(Flag { mark, row, text });
    }
    flags
}

/// Draws the lines and their names.
pub fn draw(canvas: &Canvas, frame: &Frame, marks: &[Mark]) -> Result<()> {
    let ((left, top), (width, height)) = (frame.corner, frame.size);
    let right = left + width;
    let dotted = |from, to| canvas.dashed(&[from, to], (2.0, 4.0), stroke(INK, 1.5));
    let flags = flags(marks, |at| frame.at((at, 0.0)).0, right + 14.0);
    for (index, mark) in marks.iter().enumerate().filter(|(_, mark)| mark.vertical) {
        let x = frame.at((mark.at, 0.0)).0;
        let flag = flags.iter().find(|flag| flag.mark == index);
        if !frame.x.holds(mark.at) {
            continue;
        }
        let up = flag.map_or(0.0, |flag| FLAG * (flag.row + 1) as f64 - 3.0);
        dotted((x, top + height), (x, top - up))?;
        if let Some(flag) = flag {
            let y = top - FLAG * (flag.row as f64 + 0.5) - 1.0;
            canvas.text(&mark.name, (flag.text, y), Side::Right)?;
        }
    }
    let mut across: Vec<&Mark> = marks.iter().filter(|mark| !mark.vertical).collect();
    across.retain(|mark| frame.y.holds(mark.at));
    across.sort_by(|a, b| b.at.total_cmp(&a.at));
    // From top to bottom: a name that would overlap the one above moves down.
    let mut last = f64::NEG_INFINITY;
    for mark in across {
        let y = frame.at((0.0, mark.at)).1;
        dotted((left, y), (right, y))?;
        last = y.max(last + TEXT + 2.0);
        canvas.text(&mark.name, (right + 6.0, last), Side::Right)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(name: &str, at: f64) -> Mark {
        Mark { name: name.into(), vertical: true, at }
    }

    #[test]
    fn flags_overlap_neither_each_other_nor_a_pole() {
        let marks = [mark("one", 0.0), mark("two", 20.0), mark("three", 200.0), mark("", 90.0)];
        let flags = flags(&marks, |at| at, 210.0);
        let of = |mark: usize| flags.iter().find(|flag| flag.mark == mark).unwrap();
        assert_eq!(flags.len(), 3);
        assert_eq!((of(0).row, of(1).row, of(2).row), (1, 0, 0));
        assert!(of(2).text + text_width("three") <= 210.0);
        assert_eq!(of(1).text, 24.0);
    }
}

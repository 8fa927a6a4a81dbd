//! Figures: the data as comma-separated values, and the drawing.

use std::collections::BTreeSet;

use crate::text::{self, skeleton};
use crate::{Difference, Likeness};

/// How far a line may lie from where it was: as far as a pixel is wide. Drawings have ten
/// units to a pixel.
const PIXEL: f64 = 10.0;

/// With more than this, the data move lines, axes and dashes by more than a pixel of a
/// drawing's 720.
const LARGE: f64 = 1e-3;

/// Compares the data of a figure. They are written to their last digit: no decimal is free.
pub fn compare_data(
    place: &str,
    committed: &str,
    found: &str,
    likeness: Likeness,
) -> Vec<Difference> {
    // A comma between two numbers is none between thousands.
    let (a, b) = (committed.replace(',', " "), found.replace(',', " "));
    text::compare(place, &a, &b, likeness, false)
}

/// Compares two drawings. They have the same shapes and words in the same order, and each
/// coordinate within a pixel. A drawing of data that depend on the machine or have a large
/// tolerance has the same words; what can be said of its numbers, its data say.
pub fn compare_drawing(
    place: &str,
    committed: &str,
    found: &str,
    likeness: Likeness,
) -> Vec<Difference> {
    match likeness {
        Likeness::Near(tolerance) if tolerance <= LARGE => near(place, committed, found, tolerance),
        _ => {
            let (a, b) = (words(committed), words(found));
            if a == b { Vec::new() } else { vec![Difference::new(place, list(&a), list(&b))] }
        }
    }
}

/// The first place where two drawings differ.
fn near(place: &str, committed: &str, found: &str, tolerance: f64) -> Vec<Difference> {
    let (old, new): (Vec<_>, Vec<_>) = (committed.lines().collect(), found.lines().collect());
    if old.len() != new.len() {
        let count = |lines: &[&str]| format!("{} lines", lines.len());
        return vec![Difference::new(place, count(&old), count(&new))];
    }
    for (i, (a, b)) in old.into_iter().zip(new).enumerate() {
        let place = format!("{place}, line {}", i + 1);
        if !(a.starts_with('<') && b.starts_with('<')) {
            let differences = text::compare(&place, a, b, Likeness::Near(tolerance), true);
            if !differences.is_empty() {
                return vec![Difference::new(place, a, b)];
            }
            continue;
        }
        let ((look_a, at_a), (look_b, at_b)) = (shape(a), shape(b));
        if look_a != look_b {
            return vec![Difference::new(place, look_a, look_b)];
        }
        // As many numbers: each has left its sign in the look.
        let far = at_a.iter().zip(&at_b).find(|(a, b)| (*a - *b).abs() > PIXEL);
        if let Some((a, b)) = far {
            let at = |x: &f64| format!("a coordinate of {x}");
            return vec![Difference::new(place, at(a), at(b))];
        }
    }
    Vec::new()
}

/// A tag with `#` for each number, and the numbers. A colour is no number.
fn shape(tag: &str) -> (String, Vec<f64>) {
    let (mut look, mut numbers) = (String::new(), Vec::new());
    let (mut digits, mut colour) = (String::new(), false);
    for c in tag.chars().chain([' ']) {
        colour = c == '#' || (colour && c.is_ascii_hexdigit());
        let part = c.is_ascii_digit() || c == '.' || (c == '-' && digits.is_empty());
        if part && !colour {
            digits.push(c);
            continue;
        }
        push_number(&mut digits, &mut look, &mut numbers);
        if c == '-' {
            digits.push(c);
        } else {
            look.push(c);
        }
    }
    (look.trim_end().to_owned(), numbers)
}

/// Ends a number, if there is one: `-` alone is a hyphen.
fn push_number(digits: &mut String, look: &mut String, numbers: &mut Vec<f64>) {
    match digits.parse() {
        Ok(number) => {
            numbers.push(number);
            look.push('#');
        }
        Err(_) => look.push_str(digits),
    }
    digits.clear();
}

/// The words in a drawing. Where its axes have numbers depends on what is drawn.
fn words(drawing: &str) -> BTreeSet<Vec<&str>> {
    let texts = drawing.lines().filter(|line| !line.starts_with('<'));
    let with_letters = texts.filter(|text| text.contains(char::is_alphabetic));
    with_letters.map(skeleton).collect()
}

fn list(words: &BTreeSet<Vec<&str>>) -> String {
    let texts: Vec<_> = words.iter().map(|words| words.join(" ")).collect();
    texts.join(" | ")
}

//! Texts: their words have to be the same, their numbers nearly.

use crate::{Difference, Likeness, near};

/// After this many lines it is enough.
const LINES: usize = 5;

/// Compares two texts, line by line; `place` is the name of the file.
///
/// In a text that was `printed`, a number with decimals may also differ by one in the last of
/// them. How wide a column of a table is does not matter.
pub fn compare(
    place: &str,
    committed: &str,
    found: &str,
    likeness: Likeness,
    printed: bool,
) -> Vec<Difference> {
    let differ = |a: &str, b: &str| match likeness {
        Likeness::Near(tolerance) => !alike(a, b, tolerance, printed),
        Likeness::Machine => skeleton(a) != skeleton(b),
    };
    let (old, new): (Vec<_>, Vec<_>) = (committed.lines().collect(), found.lines().collect());
    let pairs = old.iter().zip(&new).enumerate().filter(|(_, (a, b))| differ(a, b));
    let line = |(i, (a, b)): (usize, (&&str, &&str))| {
        Difference::new(format!("{place}, line {}", i + 1), short(a), short(b))
    };
    let all: Vec<Difference> = pairs.map(line).collect();
    let more = all.len().saturating_sub(LINES);
    let mut differences: Vec<_> = all.into_iter().take(LINES).collect();
    if more > 0 {
        let what = format!("{more} lines more that differ");
        differences.push(Difference::new(place, what.clone(), what));
    }
    if old.len() != new.len() {
        let lines = |lines: &[&str]| format!("{} lines", lines.len());
        differences.push(Difference::new(place, lines(&old), lines(&new)));
    }
    differences
}

/// A line that fits the screen.
fn short(line: &str) -> String {
    const WIDTH: usize = 160;
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    line.chars().take(WIDTH).chain(" …".chars()).collect()
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// Anything without a blank or a number.
    Word(String),
    /// A number, and how much one in its last decimal is: nothing if it is whole.
    Number { value: f64, last: f64 },
}

/// Whether two lines have the same words, and numbers that are near each other.
fn alike(a: &str, b: &str, tolerance: f64, printed: bool) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (tokens(a), tokens(b));
    a.len() == b.len()
        && a.iter().zip(&b).all(|pair| match pair {
            (Token::Number { value: v, last: p }, Token::Number { value: x, last: q }) => {
                let last = if printed { p.max(*q) * (1.0 + 1e-6) } else { 0.0 };
                v == x || near(*v, *x, tolerance) || (x - v).abs() <= last
            }
            (a, b) => a == b,
        })
}

/// The words and numbers of a line. A digit behind a letter belongs to a name, such as `f32`.
pub fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = line;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        if let Some((token, length)) = number(rest, before) {
            tokens.push(token);
            before = '0';
            rest = &rest[length..];
            continue;
        }
        match tokens.last_mut() {
            _ if c.is_whitespace() => {}
            // The rule below a table's header is as wide as its columns.
            _ if c == '─' && before == '─' => {}
            Some(Token::Word(word)) if !before.is_whitespace() => word.push(c),
            _ => tokens.push(Token::Word(c.into())),
        }
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    tokens
}

/// The number that a text begins with, and how long it is. `before` stands in front of it.
fn number(text: &str, before: char) -> Option<(Token, usize)> {
    if before.is_alphanumeric() || before == '_' || before == '#' {
        return None;
    }
    let sign = text.chars().next().filter(|c| ['-', '−', '+'].contains(c));
    let start = sign.map_or(0, char::len_utf8);
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut end = start + digits(&text[start..]);
    if end == start {
        return None;
    }
    while text[end..].starts_with(',') && digits(&text[end + 1..]) == 3 {
        end += 4;
    }
    let mut decimals = None;
    if text[end..].starts_with('.') && digits(&text[end + 1..]) > 0 {
        let count = digits(&text[end + 1..]);
        decimals = Some(count as i32);
        end += 1 + count;
    }
    let mut exponent = None;
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['-', '+']));
        let count = digits(&text[end + 1 + sign..]);
        if count > 0 {
            exponent = text[end + 1..end + 1 + sign + count].parse::<i32>().ok();
            end += 1 + sign + count;
        }
    }
    let plain = text[start..end].replace(',', "");
    let value: f64 = plain.parse().ok()?;
    let value = if matches!(sign, Some('-' | '−')) { -value } else { value };
    let last = match (decimals, exponent) {
        (None, None) => 0.0,
        _ => 10_f64.powi(exponent.unwrap_or(0) - decimals.unwrap_or(0)),
    };
    Some((Token::Number { value, last }, end))
}

/// The words of a line, with one sign for everything that has a digit in it.
pub fn skeleton(line: &str) -> Vec<&str> {
    let has_digit = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    let is_rule = |word: &str| word.chars().all(|c| c == '─');
    let word = |word| match word {
        word if has_digit(word) => "#",
        word if is_rule(word) => "─",
        word => word,
    };
    line.split_whitespace().map(word).collect()
}

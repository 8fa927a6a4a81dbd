//! As much of Markdown as is needed to tell code and formulas from prose.

/// A part of a page.
#[derive(Debug, PartialEq)]
pub struct Block<'a> {
    /// The line it begins on, from 0.
    pub line: usize,
    /// What it is.
    pub kind: Kind<'a>,
}

/// What a block is.
#[derive(Debug, PartialEq)]
pub enum Kind<'a> {
    /// Lines without a blank one among them, outside any fence.
    Prose(&'a str),
    /// A line that is a heading.
    Heading(&'a str),
    /// A fence: the word after the backticks, what is inside, and the whole.
    Fence {
        /// The word after the backticks.
        info: &'a str,
        /// What is inside.
        text: &'a str,
        /// The whole, with its fences.
        whole: &'a str,
    },
    /// A blank line.
    Blank,
}

/// The blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block<'_>> {
    let lines: Vec<&str> = page.split_inclusive('\n').collect();
    let mut starts: Vec<usize> = Vec::with_capacity(lines.len() + 1);
    let mut position = 0;
    for line in &lines {
        starts.push(position);
        position += line.len();
    }
    starts.push(position);

    let mut blocks = Vec::new();
    let mut i = 0;
    while i < lines.len() {
        let begin = i;
        let kind = if lines[i].trim().is_empty() {
            i += 1;
            Kind::Blank
        } else if let Some(fence) = fence(lines[i]) {
            let closes = |l: &&str| {
                let l = l.trim();
                l.starts_with(fence) && l.trim_start_matches(&fence[..1]).is_empty()
            };
            let length = lines[i + 1..].iter().position(closes);
            let inside = length.unwrap_or(lines.len() - i - 1);
            i = (i + 2 + inside).min(lines.len());
            Kind::Fence {
                info: lines[begin].trim().trim_start_matches(&fence[..1]).trim(),
                text: &page[starts[begin + 1]..starts[begin + 1 + inside]],
                whole: &page[starts[begin]..starts[i]],
            }
        } else if heading(lines[i]).is_some() {
            i += 1;
            Kind::Heading(lines[begin])
        } else {
            let prose =
                |l: &&&str| !l.trim().is_empty() && fence(l).is_none() && heading(l).is_none();
            i += lines[i..].iter().take_while(prose).count();
            Kind::Prose(&page[starts[begin]..starts[i]])
        };
        blocks.push(Block { line: begin, kind });
    }
    blocks
}

/// The backticks or tildes that open a fence.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    ["`", "~"].into_iter().find_map(|mark| {
        let length = line.len() - line.trim_start_matches(mark).len();
        let info = &line[length..];
        (length >= 3 && !info.contains('`')).then(|| &line[..length])
    })
}

/// A part of prose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece<'a> {
    /// Words, and whatever else Markdown has.
    Words(&'a str),
    /// A code span, without its backticks, and the whole.
    Code(&'a str, &'a str),
    /// A formula, without its dollars.
    Math(&'a str),
    /// Two dollars in a row, or one that is not closed.
    StrayDollar(&'a str),
    /// `{{#name arguments}}`, without the braces.
    Directive(&'a str, &'a str),
}

/// The pieces of prose, each with the line it begins on, counted from the first.
pub fn pieces(prose: &str) -> Vec<(usize, Piece<'_>)> {
    let mut pieces = Vec::new();
    let (mut words, mut i) = (0, 0);
    let line = |at: usize| prose[..at].matches('\n').count();
    while let Some(offset) = prose[i..].find(['\\', '`', '$', '{']) {
        let at = i + offset;
        let rest = &prose[at..];
        let found = match rest.as_bytes()[0] {
            b'\\' => {
                let skipped = rest[1..].chars().next().map_or(0, char::len_utf8);
                i = at + 1 + skipped;
                continue;
            }
            b'`' => code(rest),
            b'$' => Some(math(rest)),
            _ => directive(rest),
        };
        let Some((piece, length)) = found else {
            // Backticks that nothing closes, or braces: words.
            i = at + rest.len() - rest.trim_start_matches(&rest[..1]).len();
            continue;
        };
        if at > words {
            pieces.push((line(words), Piece::Words(&prose[words..at])));
        }
        pieces.push((line(at), piece));
        i = at + length;
        words = i;
    }
    if words < prose.len() {
        pieces.push((line(words), Piece::Words(&prose[words..])));
    }
    pieces
}

fn code(rest: &str) -> Option<(Piece<'_>, usize)> {
    let ticks = rest.len() - rest.trim_start_matches('`').len();
    let mut search = ticks;
    loop {
        let found = search + rest[search..].find(&rest[..ticks])?;
        let length = rest[found..].len() - rest[found..].trim_start_matches('`').len();
        if length == ticks {
            let whole = &rest[..found + ticks];
            return Some((Piece::Code(rest[ticks..found].trim(), whole), whole.len()));
        }
        search = found + length;
    }
}

fn math(rest: &str) -> (Piece<'_>, usize) {
    if rest.starts_with("$$") {
        return (Piece::StrayDollar(&rest[..2]), 2);
    }
    let closed = rest[1..].char_indices().find(|&(i, c)| {
        let backslashes = rest[1..1 + i].chars().rev().take_while(|c| *c == '\\').count();
        c == '$' && backslashes % 2 == 0
    });
    match closed {
        Some((length, _)) => (Piece::Math(&rest[1..1 + length]), length + 2),
        None => (Piece::StrayDollar(&rest[..1]), 1),
    }
}

fn directive(rest: &str) -> Option<(Piece<'_>, usize)> {
    let inside = rest.strip_prefix("{{#")?;
    let end = inside.find("}}")?;
    let (name, arguments) = match inside[..end].split_once(char::is_whitespace) {
        Some((name, arguments)) => (name, arguments.trim()),
        None => (&inside[..end], ""),
    };
    Some((Piece::Directive(name, arguments), end + 5))
}

/// A heading: its level, its title, and its id if it has one.
pub fn heading(line: &str) -> Option<(usize, &str, Option<&str>)> {
    let level = line.len() - line.trim_start_matches('#').len();
    let title = line[level..].strip_prefix(' ').filter(|_| (1..=6).contains(&level))?.trim();
    match title.strip_suffix('}').and_then(|t| t.rsplit_once("{#")) {
        Some((title, id)) => Some((level, title.trim(), Some(id.trim()))),
        None => Some((level, title, None)),
    }
}

/// An id made from a title.
pub fn slug(title: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    let words: String = title.chars().map(plain).collect();
    words.split_whitespace().collect::<Vec<_>>().join("-")
}

/// Text as HTML that neither Markdown nor a formula's delimiters can be found in.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_ascii_punctuation() && !",.:;/()-=+%".contains(c) => {
                escaped.push_str(&format!("&#{};", c as u32));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_and_prose_are_told_apart() {
        let page = "# A\nb\n\n```rust\n{{#x}}\n\n```\nc\n~~~\nd";
        let blocks = blocks(page);
        let kinds: Vec<_> = blocks.iter().map(|b| (b.line, &b.kind)).collect();
        assert_eq!(kinds[0], (0, &Kind::Heading("# A\n")));
        assert_eq!(kinds[1], (1, &Kind::Prose("b\n")));
        assert_eq!(kinds[2], (2, &Kind::Blank));
        let whole = "```rust\n{{#x}}\n\n```\n";
        assert_eq!(kinds[3], (3, &Kind::Fence { info: "rust", text: "{{#x}}\n\n", whole }));
        assert_eq!(kinds[4], (7, &Kind::Prose("c\n")));
        assert_eq!(kinds[5], (8, &Kind::Fence { info: "", text: "d", whole: "~~~\nd" }));
    }

    #[test]
    fn pieces_of_prose() {
        let text = "a `$x` \\$ 5 {{#ref b}} and\n$\\$y$ or {z} ``a`b`` `c";
        use Piece::*;
        assert_eq!(
            pieces(text),
            [
                (0, Words("a ")),
                (0, Code("$x", "`$x`")),
                (0, Words(" \\$ 5 ")),
                (0, Directive("ref", "b")),
                (0, Words(" and\n")),
                (1, Math("\\$y")),
                (1, Words(" or {z} ")),
                (1, Code("a`b", "``a`b``")),
                (1, Words(" `c")),
            ]
        );
        assert_eq!(pieces("$$x"), [(0, StrayDollar("$$")), (0, Words("x"))]);
        assert_eq!(pieces("5 $"), [(0, Words("5 ")), (0, StrayDollar("$"))]);
    }

    #[test]
    fn headings_have_ids() {
        assert_eq!(heading("## A title {#the-id}"), Some((2, "A title", Some("the-id"))));
        assert_eq!(heading("# A"), Some((1, "A", None)));
        assert_eq!(heading("#A"), None);
        assert_eq!(slug("Why “softmax” sums to 1"), "why-softmax-sums-to-1");
    }
}

//! The listings: source between anchors.

use crate::files;
use crate::problem::{Place, Problems};
use std::collections::BTreeMap;
use std::path::Path;

/// What a page can show without scrolling.
const MOST_LINES: usize = 40;
/// What a page can show without wrapping.
const MOST_COLUMNS: usize = 80;

/// Source between anchors.
#[derive(Debug)]
pub struct Listing {
    /// The source, as far to the left as it goes.
    pub text: String,
    /// Where it begins.
    pub place: Place,
}

impl Listing {
    /// Why it cannot be printed on a page, if so.
    pub fn fault(&self) -> Option<String> {
        let lines = self.text.lines().count();
        if lines > MOST_LINES {
            return Some(format!("has {lines} lines; a page shows {MOST_LINES}"));
        }
        let wide = self.text.lines().map(|l| l.chars().count()).max().unwrap_or(0);
        (wide > MOST_COLUMNS)
            .then(|| format!("has a line of {wide} columns; a page shows {MOST_COLUMNS}"))
    }
}

/// The listings of the repository, by `FILE:ANCHOR`.
pub fn read(root: &Path, problems: &mut Problems) -> BTreeMap<String, Listing> {
    let mut listings = BTreeMap::new();
    for (folder, extension) in
        [("src", "rs"), ("chapters", "rs"), ("chapters", "py"), ("tests", "rs"), ("examples", "rs")]
    {
        for file in files::below(root, folder, extension) {
            let text = files::read(root, &file, problems);
            read_file(&file, &text, &mut listings, problems);
        }
    }
    listings
}

fn read_file(
    file: &str,
    text: &str,
    listings: &mut BTreeMap<String, Listing>,
    problems: &mut Problems,
) {
    let mut open: Option<(String, Place, Vec<&str>)> = None;
    for (i, line) in text.lines().enumerate() {
        let place = Place::new(file, i + 1);
        if let Some(name) = marker(line, "ANCHOR:") {
            if let Some((other, ..)) = &open {
                problems.add(&place, format!("anchor `{name}` begins inside anchor `{other}`"));
            }
            open = Some((name.to_owned(), place, Vec::new()));
        } else if let Some(name) = marker(line, "ANCHOR_END:") {
            match open.take() {
                Some((begun, begin, lines)) if begun == name => {
                    let listing = Listing { text: dedent(&lines), place: begin.clone() };
                    if listings.insert(format!("{file}:{name}"), listing).is_some() {
                        problems.add(&begin, format!("there is another anchor `{name}` here"));
                    }
                }
                _ => problems.add(&place, format!("anchor `{name}` ends and did not begin")),
            }
        } else if let Some((.., lines)) = &mut open {
            lines.push(line);
        }
    }
    if let Some((name, place, _)) = open {
        problems.add(&place, format!("anchor `{name}` begins and does not end"));
    }
}

/// The name in `// ANCHOR: name` or `# ANCHOR: name`.
fn marker<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let line = line.trim();
    let comment = line.strip_prefix("//").or_else(|| line.strip_prefix('#'))?;
    Some(comment.trim_start().strip_prefix(word)?.trim())
}

fn dedent(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let least = filled.map(indent).min().unwrap_or(0);
    let cut: Vec<&str> = lines.iter().map(|line| line.get(least..).unwrap_or("")).collect();
    cut.join("\n").trim_matches('\n').to_owned()
}

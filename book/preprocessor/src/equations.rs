//! The equations: tests of a chapter, with their LaTeX in the doc comment.

use crate::files;
use crate::problem::{Place, Problems};
use std::collections::BTreeMap;
use std::path::Path;

/// An equation, and the test that checks it.
#[derive(Debug)]
pub struct Equation {
    /// The chapter whose equation it is.
    pub chapter: u32,
    /// What the doc comment says before the formula.
    pub words: String,
    /// The formula.
    pub tex: String,
    /// The test as it stands in its file, doc comment included.
    pub source: String,
    /// Where the test is.
    pub place: Place,
    /// Where its formula begins.
    pub formula: Place,
}

/// The equations of all chapters, by name.
pub fn read(root: &Path, problems: &mut Problems) -> BTreeMap<String, Equation> {
    let mut equations = BTreeMap::new();
    for file in files::below(root, "tests", "rs") {
        let Some(chapter) = chapter_of(&file) else { continue };
        let text = files::read(root, &file, problems);
        for (name, equation) in equations_in(&file, chapter, &text, problems) {
            let place = equation.place.clone();
            if equations.insert(name.clone(), equation).is_some() {
                problems.add(&place, format!("there is another test `{name}`"));
            }
        }
    }
    equations
}

/// The number in `tests/chapter03.rs`.
fn chapter_of(file: &str) -> Option<u32> {
    file.strip_prefix("tests/chapter")?.strip_suffix(".rs")?.parse().ok()
}

fn equations_in(
    file: &str,
    chapter: u32,
    text: &str,
    problems: &mut Problems,
) -> Vec<(String, Equation)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (i, _) in lines.iter().enumerate().filter(|(_, line)| **line == "#[test]") {
        let begin = i - lines[..i].iter().rev().take_while(|l| l.starts_with("///")).count();
        let end = i + lines[i..].iter().position(|l| *l == "}").unwrap_or(0);
        let place = Place::new(file, i + 1);
        let name = lines[i..=end].iter().find_map(|l| l.strip_prefix("fn ")?.split_once('('));
        let doc: Vec<&str> = lines[begin..i].iter().map(|l| l[3..].trim()).collect();
        let fence = doc.iter().position(|l| *l == "```math");
        let (Some((name, _)), Some(fence)) = (name, fence) else {
            problems.add(&place, "a test of a chapter needs a name, and a formula in ```math");
            continue;
        };
        let formula = doc[fence + 1..].iter().take_while(|l| **l != "```");
        let equation = Equation {
            chapter,
            words: doc[..fence].join(" ").trim().to_owned(),
            tex: formula.copied().collect::<Vec<_>>().join("\n"),
            source: lines[begin..=end].join("\n"),
            place,
            formula: Place::new(file, begin + fence + 2),
        };
        found.push((name.to_owned(), equation));
    }
    found
}

//! What the grader wrote down of its checks: the questions that each of them asks, and which of
//! them the known wrong answers get wrong.

use crate::exercises::{Exercise, Kind};
use crate::files;
use crate::problem::{Place, Problems, unknown};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;

/// The file that the grader writes: `cargo run --bin matrix`.
pub const FILE: &str = "book/src/generated/checks.json";

/// The check of one function.
pub struct Check {
    /// The name of the exercise and of the function.
    pub name: String,
    /// Of each question, what is special about it; of most, nothing.
    pub questions: Vec<String>,
    /// The wrong answers that it has to catch.
    pub wrong: Vec<Wrong>,
    /// What passes besides the answer one would expect.
    pub right: Vec<Right>,
    /// Where it begins.
    pub place: Place,
}

/// A wrong answer that is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// What it does, in a few words.
    pub name: String,
    /// The work in which it was published.
    pub published: Option<String>,
    /// The equation or section that explains it.
    pub about: Option<String>,
    /// Of each question, whether it gets it wrong.
    pub fails: Vec<bool>,
    /// Where it begins.
    #[serde(skip)]
    pub place: Place,
}

/// Another right answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// What it does, in a few words.
    pub name: String,
}

/// The file as it is written. What has a place of its own is read in a second step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow)]
    chapters: Vec<Chapter<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chapter<'a> {
    number: u32,
    #[serde(borrow)]
    checks: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    name: String,
    questions: Vec<String>,
    #[serde(borrow)]
    wrong: Vec<&'a RawValue>,
    right: Vec<Right>,
}

/// A part of the file, and where it begins.
fn part<'a, T: Deserialize<'a>>(text: &'a str, part: &'a str) -> Result<(T, Place), Problem> {
    let before = part.as_ptr() as usize - text.as_ptr() as usize;
    let line = text[..before].matches('\n').count() + 1;
    match serde_json::from_str(part) {
        Ok(value) => Ok((value, Place::new(FILE, line))),
        Err(error) => Err((Place::new(FILE, line + error.line().max(1) - 1), error.to_string())),
    }
}

type Problem = (Place, String);

/// The checks, by chapter: `chapter01` and so on. A book without the file has none.
pub fn read(
    root: &Path,
    exercises: &[Exercise],
    problems: &mut Problems,
) -> BTreeMap<String, Vec<Check>> {
    let mut chapters = BTreeMap::new();
    if !root.join(FILE).is_file() {
        return chapters;
    }
    let text = files::read(root, FILE, problems);
    let all = match parse(&text) {
        Ok(all) => all,
        Err((place, error)) => {
            problems.add(&place, format!("not what the grader writes: {error}"));
            return chapters;
        }
    };
    let assignments: Vec<&Exercise> =
        exercises.iter().filter(|exercise| exercise.entry.kind == Kind::Assignment).collect();
    for (chapter, check) in all {
        let checks: &mut Vec<Check> = chapters.entry(format!("chapter{chapter:02}")).or_default();
        let name = &check.name;
        if checks.iter().any(|other| other.name == *name) {
            problems.add(&check.place, format!("there is another check `{name}`"));
        }
        let mut names =
            assignments.iter().filter(|e| e.chapter == chapter).map(|e| e.entry.name.as_str());
        if !names.clone().any(|other| other == name) {
            let what = format!("assignment of chapter {chapter}");
            problems.add(&check.place, unknown(&what, name, &mut names));
        }
        for (place, message) in check.faults() {
            problems.add(&place, message);
        }
        checks.push(check);
    }
    for Exercise { entry, chapter, place } in assignments {
        let checks = chapters.get(&format!("chapter{chapter:02}"));
        if !checks.is_some_and(|checks| checks.iter().any(|check| check.name == entry.name)) {
            let message = format!(
                "`{}` has no check in {FILE}: write one in chapter {chapter} of the checks, then \
                 the file with `cargo run --bin matrix`",
                entry.name
            );
            problems.add(place, message);
        }
    }
    chapters
}

/// All checks, each with the number of its chapter.
fn parse(text: &str) -> Result<Vec<(u32, Check)>, Problem> {
    let mut all = Vec::new();
    let (file, _) = part::<File>(text, text)?;
    for chapter in file.chapters {
        for raw in chapter.checks {
            let (entry, place) = part::<Entry>(text, raw.get())?;
            let mut wrong = Vec::new();
            for raw in entry.wrong {
                let (answer, place) = part::<Wrong>(text, raw.get())?;
                wrong.push(Wrong { place, ..answer });
            }
            let Entry { name, questions, right, .. } = entry;
            all.push((chapter.number, Check { name, questions, wrong, right, place }));
        }
    }
    Ok(all)
}

impl Check {
    /// What cannot be true of it.
    fn faults(&self) -> Vec<Problem> {
        let mut faults = Vec::new();
        let asked = self.questions.len();
        if self.wrong.is_empty() {
            let message = format!("`{}` has no wrong answer that it must catch", self.name);
            faults.push((self.place.clone(), message));
        }
        for wrong in &self.wrong {
            let answered = wrong.fails.len();
            let message = if answered != asked {
                format!("`{}` has {answered} answers to {asked} questions", wrong.name)
            } else if !wrong.fails.contains(&true) {
                format!("no question of `{}` catches `{}`", self.name, wrong.name)
            } else {
                continue;
            };
            faults.push((wrong.place.clone(), message));
        }
        faults
    }
}

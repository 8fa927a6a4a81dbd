//! The exercises, from the course's registry.

use crate::files;
use crate::problem::{Place, Problems};
use serde::Deserialize;
use std::path::Path;

/// An exercise as the registry has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// Its name, unique in the book.
    pub name: String,
    /// Whether it is checked by code.
    pub kind: Kind,
    /// What it is called on the page.
    pub title: String,
    /// What it counts, if it is checked by code.
    pub points: Option<u32>,
    /// The equation or the section it belongs to.
    pub about: String,
    /// What to do.
    pub task: String,
    /// What helps.
    pub hint: String,
    /// How one knows that one is right.
    pub check: String,
    /// The chapter it belongs to.
    #[serde(skip)]
    pub chapter: u32,
    /// Where it begins.
    #[serde(skip)]
    pub place: Place,
}

/// Whether code can tell a right answer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A function, checked by the course's checks.
    Assignment,
    /// Open.
    Challenge,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    exercise: Vec<Exercise>,
}

/// All exercises, chapter by chapter, in the order of the registry.
pub fn read(root: &Path, problems: &mut Problems) -> Vec<Exercise> {
    let mut all: Vec<Exercise> = Vec::new();
    for file in files::below(root, "assignments", "toml") {
        let chapter = file
            .strip_prefix("assignments/chapter")
            .and_then(|f| f.strip_suffix("/exercises.toml"));
        let Some(chapter) = chapter.and_then(|number| number.parse().ok()) else { continue };
        let text = files::read(root, &file, problems);
        let what = "a registry of exercises";
        let Some(registry) = files::toml::<Registry>(&file, &text, what, problems) else {
            continue;
        };
        let places = files::entries(&file, &text, "[[exercise]]");
        for (mut exercise, place) in registry.exercise.into_iter().zip(places) {
            exercise.chapter = chapter;
            exercise.place = place;
            if all.iter().any(|other| other.name == exercise.name) {
                problems
                    .add(&exercise.place, format!("there is another exercise `{}`", exercise.name));
            }
            if (exercise.kind == Kind::Assignment) != exercise.points.is_some() {
                problems.add(&exercise.place, "an assignment has points, and a challenge has none");
            }
            all.push(exercise);
        }
    }
    all
}

//! The exercises, from the course's registry.

use crate::files;
use crate::problem::{Place, Problems};
pub use registry::Kind;
use registry::Registry;
use std::path::Path;

/// An exercise, and where it stands.
pub struct Exercise {
    /// What the registry says of it.
    pub entry: registry::Exercise,
    /// The chapter it belongs to.
    pub chapter: u32,
    /// Where it begins.
    pub place: Place,
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
        let mut problem = |error: registry::Error| {
            problems.add(&Place::new(&file, error.line), error.fault.to_string());
        };
        let registry = match Registry::parse(&text) {
            Ok(registry) => registry,
            Err(error) => {
                problem(error);
                continue;
            }
        };
        registry.faults().into_iter().for_each(problem);
        for entry in registry.exercises {
            let place = Place::new(&file, entry.line);
            let twin = all.iter().find(|e| e.entry.name == entry.name && e.chapter != chapter);
            if let Some(Exercise { place: other, .. }) = twin {
                let name = &entry.name;
                let message = format!("there is another exercise `{name}` at {other}: rename one");
                problems.add(&place, message);
            }
            all.push(Exercise { entry, chapter, place });
        }
    }
    all
}

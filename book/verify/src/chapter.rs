//! Everything that a chapter writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::results::Results;
use crate::{Difference, Likeness, figure, text};

/// How the folder that a chapter has just written differs from the committed one.
pub fn compare(committed: &Path, found: &Path) -> Vec<Difference> {
    let read = |folder: &Path| Results::read(&folder.join("results.json"));
    let (old, new) = match (read(committed), read(found)) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let what = |read: Result<Results, String>| match read {
                Ok(_) => "as it should be".to_owned(),
                Err(problem) => problem,
            };
            return vec![Difference::new("results.json", what(old), what(new))];
        }
    };
    let mut differences = old.compare(&new);
    let (old_files, new_files) = (files(committed), files(found));
    for name in old_files.union(&new_files) {
        let (a, b) = (old_files.contains(name), new_files.contains(name));
        if !(a && b) {
            let is = |there| if there { "there" } else { "not there" };
            differences.push(Difference::new(name, is(a), is(b)));
            continue;
        }
        let Some((likeness, kind)) = likeness(&old, name) else { continue };
        let text = |folder: &Path, results: &Results| {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            match results.machine() {
                Some(machine) => text.replace(machine, "(this machine)"),
                None => text,
            }
        };
        let (a, b) = (text(committed, &old), text(found, &new));
        if a != b {
            differences.extend(match kind {
                Kind::Output => text::compare(name, &a, &b, likeness, true),
                Kind::Data => figure::compare_data(name, &a, &b, likeness),
                Kind::Drawing => figure::compare_drawing(name, &a, &b, likeness),
            });
        }
    }
    differences
}

enum Kind {
    Output,
    Data,
    Drawing,
}

/// How a file is compared, and how closely: `None` for results.json, which is, and for files
/// that no section and no figure has written.
fn likeness(results: &Results, file: &str) -> Option<(Likeness, Kind)> {
    let (name, extension) = file.rsplit_once('.')?;
    let (what, name, kind) = match (name.strip_prefix("outputs/"), extension) {
        (Some(name), "txt") => ("outputs", name, Kind::Output),
        (None, "csv") => ("figures", name, Kind::Data),
        (None, "svg") => ("figures", name, Kind::Drawing),
        _ => return None,
    };
    results.names(what).contains(name).then(|| (results.likeness(what, name), kind))
}

/// The names of the files that a chapter has written.
fn files(folder: &Path) -> BTreeSet<String> {
    let below = |folder: &Path, prefix: &str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        let names = files.map(|file| format!("{prefix}{}", file.file_name().to_string_lossy()));
        names.collect::<BTreeSet<_>>()
    };
    let mut files = below(folder, "");
    files.extend(below(&folder.join("outputs"), "outputs/"));
    files
}

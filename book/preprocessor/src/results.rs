//! What the chapters' programs found: numbers, figures, printed outputs.

use crate::files;
use crate::problem::{Place, Problems, unknown};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The content of a chapter's `results.json`, and the outputs beside it.
#[derive(Debug, Default, Deserialize)]
pub struct Results {
    /// The machine on which times were measured.
    pub machine: Option<String>,
    /// The figures, by name.
    #[serde(default)]
    pub figures: BTreeMap<String, Figure>,
    /// The numbers, by name.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// What was printed, by name.
    #[serde(skip)]
    pub texts: BTreeMap<String, String>,
}

/// What is said about a figure.
#[derive(Debug, Deserialize)]
pub struct Figure {
    /// What is plotted, with which settings.
    pub caption: String,
    /// What one would see.
    pub alt: String,
}

/// A number.
#[derive(Debug, Deserialize)]
pub struct Value {
    /// The number itself.
    pub value: serde_json::Number,
    /// Whether it is exact, near, or of the machine.
    pub kind: Kind,
    /// How far another run may stray from it, as a part of max(1, |value|).
    pub tolerance: Option<f64>,
}

/// How far a number can be relied on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The same in every run.
    Exact,
    /// The same up to its tolerance.
    Near,
    /// Depends on the machine.
    Machine,
}

/// Where the chapters write to.
pub const GENERATED: &str = "book/src/generated";

/// The results of all chapters, by chapter.
pub fn read(root: &Path, problems: &mut Problems) -> BTreeMap<String, Results> {
    let mut all = BTreeMap::new();
    for file in files::below(root, GENERATED, "json") {
        let parts: Vec<&str> = file.split('/').collect();
        let [.., chapter, "results.json"] = &parts[..] else { continue };
        let text = files::read(root, &file, problems);
        let mut results: Results = serde_json::from_str(&text).unwrap_or_else(|error| {
            let place = Place::new(&file, error.line().max(1));
            problems.add(&place, format!("not the results of a chapter: {error}"));
            Results::default()
        });
        for output in files::below(root, &format!("{GENERATED}/{chapter}/outputs"), "txt") {
            let stem = Path::new(&output).file_stem().unwrap_or_default();
            let text = files::read(root, &output, problems);
            results.texts.insert(stem.to_string_lossy().into_owned(), text);
        }
        all.insert((*chapter).to_owned(), results);
    }
    all
}

/// What the chapters have under a name such as `chapter01/curves` or `chapter01.seconds`.
///
/// # Errors
/// If there is nothing: with the names that are closest.
pub fn find<'r, T>(
    all: &'r BTreeMap<String, Results>,
    what: &str,
    name: &str,
    separator: char,
    kind: fn(&Results) -> &BTreeMap<String, T>,
) -> Result<&'r T, String> {
    let parts = name.split_once(separator);
    let found = parts.and_then(|(chapter, name)| kind(all.get(chapter)?).get(name));
    found.ok_or_else(|| {
        let names = all.iter().flat_map(|(chapter, results)| {
            kind(results).keys().map(move |name| format!("{chapter}{separator}{name}"))
        });
        let names: Vec<String> = names.collect();
        unknown(what, name, names.iter().map(String::as_str))
    })
}

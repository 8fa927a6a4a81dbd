//! The tables of symbols.

use crate::files;
use crate::problem::{Place, Problems};
use crate::tex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The folder of the tables.
pub const FOLDER: &str = "book/symbols";

/// A row of a table of symbols.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symbol {
    /// As it appears in formulas.
    pub tex: String,
    /// What it stands for.
    pub meaning: String,
    /// Its shape.
    pub shape: String,
    /// Its name in the code, or nothing.
    #[serde(default)]
    pub code: String,
    /// Where the row is.
    #[serde(skip)]
    pub place: Place,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    symbol: Vec<Symbol>,
}

/// The tables, by name: `common`, `chapter01` and so on.
pub fn read(root: &Path, problems: &mut Problems) -> BTreeMap<String, Vec<Symbol>> {
    let mut tables = BTreeMap::new();
    // What a code name may be found in.
    let mut code = String::new();
    for (folder, extension) in [("src", "rs"), ("chapters", "rs"), ("tests", "rs")] {
        for file in files::below(root, folder, extension) {
            code.push_str(&files::read(root, &file, problems));
        }
    }
    for file in files::below(root, FOLDER, "toml") {
        let text = files::read(root, &file, problems);
        let what = "a table of symbols";
        let Some(table) = files::toml::<Table>(&file, &text, what, problems) else { continue };
        let mut rows = table.symbol;
        let mut seen: Vec<String> = Vec::new();
        for (row, place) in rows.iter_mut().zip(files::entries(&file, &text, "[[symbol]]")) {
            row.place = place;
            let name = tex::normal(&row.tex);
            if seen.contains(&name) {
                problems.add(&row.place, format!("there is another row for `{name}` here"));
            }
            seen.push(name);
            for word in row.code.split([',', ' ']).filter(|word| !word.is_empty()) {
                if !code.contains(word) {
                    problems.add(&row.place, format!("`{word}` is nowhere in the code"));
                }
            }
        }
        let name = Path::new(&file).file_stem().unwrap_or_default().to_string_lossy();
        tables.insert(name.into_owned(), rows);
    }
    tables
}

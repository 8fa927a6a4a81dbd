//! Everything the book is taken from, read once.

use crate::bibliography::{self, Work};
use crate::checks::{self, Check};
use crate::equations::{self, Equation};
use crate::exercises::{self, Exercise};
use crate::files;
use crate::listings::{self, Listing};
use crate::problem::{Problems, unknown};
use crate::results::{self, Results};
use crate::symbols::{self, Symbol};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Everything the book is taken from.
pub struct Repository {
    /// The root of the repository.
    pub root: PathBuf,
    /// The equations, by the names of their tests.
    pub equations: BTreeMap<String, Equation>,
    /// The names of all tests.
    pub tests: Vec<String>,
    /// The listings, by `FILE:ANCHOR`.
    pub listings: BTreeMap<String, Listing>,
    /// What the chapters' programs found, by chapter.
    pub results: BTreeMap<String, Results>,
    /// The tables of symbols, by name.
    pub symbols: BTreeMap<String, Vec<Symbol>>,
    /// The exercises, chapter by chapter.
    pub exercises: Vec<Exercise>,
    /// What is known of the checks of the assignments, by chapter.
    pub checks: BTreeMap<String, Vec<Check>>,
    /// The works, by key.
    pub works: BTreeMap<String, Work>,
    /// The source of `cargo xtask`.
    tasks: String,
}

impl Repository {
    /// Reads it all.
    pub fn read(root: &Path, problems: &mut Problems) -> Self {
        let mut tests = Vec::new();
        for folder in ["tests", "src", "chapters", "xtask", "assignments"] {
            for file in files::below(root, folder, "rs") {
                tests.extend(test_names(&files::read(root, &file, problems)));
            }
        }
        let exercises = exercises::read(root, problems);
        let tasks = files::below(root, "xtask/src", "rs");
        Self {
            root: root.to_owned(),
            equations: equations::read(root, problems),
            tests,
            listings: listings::read(root, problems),
            results: results::read(root, problems),
            symbols: symbols::read(root, problems),
            checks: checks::read(root, &exercises, problems),
            exercises,
            works: bibliography::read(root, problems),
            tasks: tasks.iter().map(|file| files::read(root, file, problems)).collect(),
        }
    }

    /// What is wrong with a command or a path that the book prints, if anything.
    pub fn fault_of_code(&self, code: &str) -> Option<String> {
        let words: Vec<&str> = code.split_whitespace().collect();
        match &words[..] {
            ["cargo", "test", rest @ ..] => self.fault_of_test(rest),
            ["cargo", "run", rest @ ..] => {
                let chapter = after(rest, "--bin")?;
                let is_there = self.root.join("chapters").join(chapter).is_dir();
                (!is_there && !placeholder(chapter))
                    .then(|| unknown("program", chapter, self.results.keys().map(String::as_str)))
            }
            ["cargo", "xtask", task, ..] if !task.starts_with('-') && !placeholder(task) => {
                let capitals = task.split('-').map(|word| {
                    let (first, rest) =
                        word.split_at(word.chars().next().map_or(0, char::len_utf8));
                    first.to_uppercase() + rest
                });
                let variant: String = capitals.collect();
                let is_there =
                    self.tasks.split(|c: char| !c.is_alphanumeric()).any(|word| word == variant);
                (!is_there).then(|| format!("`cargo xtask` has no command `{task}`"))
            }
            [path] => self.fault_of_path(path),
            _ => None,
        }
    }

    fn fault_of_test(&self, words: &[&str]) -> Option<String> {
        if let Some(file) = after(words, "--test") {
            let is_there = self.root.join(format!("tests/{file}.rs")).is_file()
                || self.root.join(format!("tests/{file}/main.rs")).is_file();
            if !is_there && !placeholder(file) {
                return Some(format!("there is no file `tests/{file}.rs`"));
            }
        }
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--" => return None,
                "--test" | "-p" | "--package" => {
                    words.next();
                }
                option if option.starts_with('-') => {}
                name => {
                    let is_there = self.tests.iter().any(|test| test.contains(name));
                    let names = self.equations.keys().map(String::as_str);
                    return (!is_there && !placeholder(name)).then(|| unknown("test", name, names));
                }
            }
        }
        None
    }

    fn fault_of_path(&self, path: &str) -> Option<String> {
        const FOLDERS: [&str; 8] =
            ["src", "tests", "chapters", "book", "assignments", "data", "xtask", "examples"];
        let (folder, _) = path.split_once('/')?;
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        let named = FOLDERS.contains(&folder) && plain && !placeholder(path);
        (named && !self.root.join(path).exists()).then(|| format!("there is no file `{path}`"))
    }
}

/// Whether a name stands for others.
fn placeholder(name: &str) -> bool {
    name.contains("NN") || name.contains("NAME") || name.contains('…') || name == "N"
}

/// The word that follows an option.
fn after<'a>(words: &[&'a str], option: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| *word == option)?;
    words.get(at + 1).copied()
}

/// The functions below `#[test]`.
fn test_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "#[test]" {
            let function = lines.by_ref().find_map(|l| l.strip_prefix("fn "));
            names.extend(function.and_then(|f| f.split_once('(')).map(|(name, _)| name.to_owned()));
        }
    }
    names
}

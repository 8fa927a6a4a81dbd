//! What the book relies on: each equation is a test with its LaTeX in the doc comment, a test's
//! name finds that test alone, and a formula does not change behind its test's back.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// A test: its name, its file, and its doc comment.
struct Test {
    name: String,
    file: String,
    doc: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, build products left out.
fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// The tests in a file: `#[test]`, possibly inside `proptest!`, with the doc comment above.
fn tests_in(file: &str, text: &str) -> Vec<Test> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut tests = Vec::new();
    for (i, _) in lines.iter().enumerate().filter(|(_, line)| **line == "#[test]") {
        let function = lines[i..].iter().find_map(|line| line.strip_prefix("fn "));
        let Some((name, _)) = function.and_then(|line| line.split_once('(')) else { continue };
        let above = lines[..i].iter().rev().take_while(|line| line.starts_with("///"));
        let mut doc: Vec<&str> = above.map(|line| line.trim_start_matches('/').trim()).collect();
        doc.reverse();
        tests.push(Test { name: name.to_owned(), file: file.to_owned(), doc: doc.join("\n") });
    }
    tests
}

fn all_tests() -> Vec<Test> {
    let mut files = Vec::new();
    rust_files(root(), &mut files);
    let read = |path: &PathBuf| {
        let file = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        tests_in(&file, &fs::read_to_string(path).unwrap())
    };
    files.iter().flat_map(read).collect()
}

fn is_chapter(file: &str) -> bool {
    file.starts_with("tests/chapter")
}

/// What is wrong with an equation's doc comment: one sentence or more, then one fence.
fn fault(doc: &str) -> Option<&'static str> {
    let fences = doc.matches("```").count();
    match doc.split_once("```math\n") {
        _ if fences != 2 => Some("needs one fenced formula"),
        None => Some("needs a fence that begins with ```math"),
        Some((words, _)) if !words.trim().ends_with('.') => Some("needs a sentence first"),
        Some((_, rest)) if rest.trim_end_matches('`').trim().len() < 5 => Some("has no formula"),
        Some((_, rest)) if !rest.ends_with("```") => Some("must end with its formula"),
        Some(_) => None,
    }
}

#[test]
fn every_equation_has_a_sentence_and_a_formula() {
    let mut per_chapter = BTreeMap::new();
    for test in all_tests().iter().filter(|test| is_chapter(&test.file)) {
        assert_eq!(fault(&test.doc), None, "{} in {}", test.name, test.file);
        *per_chapter.entry(test.file.clone()).or_insert(0) += 1;
    }
    assert_eq!(per_chapter.len(), 10, "{per_chapter:?}");
    assert!(per_chapter.values().all(|&count| count >= 12), "{per_chapter:?}");
}

#[test]
fn the_name_of_an_equation_finds_one_test() {
    let tests = all_tests();
    for equation in tests.iter().filter(|test| is_chapter(&test.file)) {
        let found: Vec<_> = tests.iter().filter(|t| t.name.contains(&equation.name)).collect();
        let places: Vec<_> = found.iter().map(|t| format!("{} in {}", t.name, t.file)).collect();
        assert_eq!(places.len(), 1, "cargo test {} runs {places:?}", equation.name);
    }
}

/// The file of the formulas as they were when somebody last compared them with their tests.
const READ: &str = "tests/equations.lock";

/// A formula in a few letters, wherever its lines break.
fn seal(doc: &str) -> String {
    let (_, formula) = doc.split_once("```math").unwrap_or_default();
    let words: Vec<&str> = formula.trim_end_matches('`').split_whitespace().collect();
    let digest = Sha256::digest(words.join(" "));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// No program reads LaTeX as we do: whether a test computes the formula above it, a person has
/// to see. A formula that has changed since then is a failure until somebody has looked again.
#[test]
fn no_formula_has_changed_since_it_was_compared_with_its_test() {
    let equations = all_tests().into_iter().filter(|test| is_chapter(&test.file));
    let now: BTreeMap<String, String> =
        equations.map(|test| (test.name, seal(&test.doc))).collect();
    let path = root().join(READ);
    if env::var_os("GRADUS_FORMULAS_READ").is_some() {
        let lines = now.iter().map(|(name, seal)| format!("{name} {seal}\n"));
        fs::write(path, lines.collect::<String>()).unwrap();
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    let read: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, seal)| (name.to_owned(), seal.to_owned()))
        .collect();
    let changed: Vec<&String> =
        now.keys().filter(|name| now.get(*name) != read.get(*name)).collect();
    let gone: Vec<&String> = read.keys().filter(|name| !now.contains_key(*name)).collect();
    assert!(
        changed.is_empty() && gone.is_empty(),
        "new or changed formulas: {changed:?}; gone: {gone:?}. Compare each with what its test \
         computes, expression by expression; then record them with \
         `GRADUS_FORMULAS_READ=1 cargo test --test equations`"
    );
}

#[test]
fn a_changed_sign_changes_the_seal_and_a_line_break_does_not() {
    let doc = "Words.\n\n```math\nx = 1 + 1\n```";
    assert_eq!(seal(doc), seal(&doc.replace("= 1", "=\n  1")));
    assert_eq!(seal(doc), seal(&doc.replace("Words", "Other words")));
    assert_ne!(seal(doc), seal(&doc.replace('+', "-")));
}

#[test]
fn a_doc_comment_without_its_formula_is_noticed() {
    assert_eq!(fault("Words.\n\n```math\nx = 1 + 1\n```"), None);
    assert!(fault("Words.").is_some());
    assert!(fault("Words.\n\n```\nx = 1 + 1\n```").is_some());
    assert!(fault("```math\nx = 1 + 1\n```").is_some());
    assert!(fault("Words.\n\n```math\n\n```").is_some());
    let text =
        "/// Words.\n#[test]\nfn name_of_it() {}\n#[test]\n#[cfg(unix)]\nfn other(x in 1..2) {}";
    let tests = tests_in("file", text);
    assert_eq!(tests[0].name, "name_of_it");
    assert_eq!(tests[0].doc, "Words.");
    assert_eq!(tests[1].name, "other");
}

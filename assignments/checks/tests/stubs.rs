//! What the student's crate earns as it is shipped: nothing. Built with `--features all` only.

use std::fs;
use std::path::Path;
use std::time::Duration;

use assignments::{CHAPTERS, Chapter, Failure, Outcome, run};

/// The functions of a chapter whose body is still `todo!()`.
fn stubs(chapter: &Chapter) -> Vec<String> {
    let file = format!("../student/src/chapter{:02}.rs", chapter.number);
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let functions = text.split("\npub fn ").skip(1);
    let stubs = functions.filter(|function| {
        function.split_once("{\n").is_some_and(|(_, body)| body.trim_start().starts_with("todo!()"))
    });
    stubs.filter_map(|stub| stub.split_once('(')).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn a_stub_passes_no_check() {
    for chapter in CHAPTERS {
        let stubs = stubs(chapter);
        let checks = (chapter.student)().expect("built with all chapters");
        for (number, check) in checks.into_iter().enumerate() {
            let name = check.name;
            if stubs.iter().any(|stub| stub == name) {
                let outcome = run(check, 1, number, Duration::from_secs(10));
                assert_eq!(outcome, Outcome::Judged(Err(Failure::NotWritten)), "{name}");
            }
        }
    }
}

/// Whoever has begun to write would fail this one: `cargo test -p assignments --features all
/// -- --include-ignored`, for those who ship.
#[test]
#[ignore = "for a repository in which no student has written anything"]
fn nothing_is_written_as_shipped() {
    for chapter in CHAPTERS {
        let names: Vec<&str> = (chapter.reference)().iter().map(|check| check.name).collect();
        assert_eq!(stubs(chapter), names, "chapter {}: stubs, in order", chapter.number);
    }
}

//! The checks are checked: right answers pass, each wrong variant fails the check that it
//! should, and the text and the code have the same names.

use std::collections::BTreeSet;
use std::time::Duration;

use assignments::{CHAPTERS, Chapter, Check, Failure, Kind, Outcome, Registry, run};

const LIMIT: Duration = Duration::from_secs(60);

fn registry(chapter: &Chapter) -> Registry {
    match Registry::read(chapter.exercises) {
        Ok(registry) => registry,
        Err(error) => panic!("chapter {}: {error}", chapter.number),
    }
}

/// The names of the checks that do not pass, each with its outcome.
fn failures(checks: Vec<Check>, seed: u64) -> Vec<(&'static str, Outcome)> {
    let named = checks.into_iter().enumerate().map(|(number, check)| {
        let name = check.name;
        (name, run(check, seed, number, LIMIT))
    });
    named.filter(|(_, outcome)| !outcome.passed()).collect()
}

#[test]
fn text_and_checks_have_the_same_names_in_the_same_order() {
    let mut seen = BTreeSet::new();
    for chapter in CHAPTERS {
        let registry = registry(chapter);
        let texts: Vec<&str> = registry.assignments().map(|e| e.name.as_str()).collect();
        let checks: Vec<&str> = (chapter.reference)().iter().map(|check| check.name).collect();
        assert_eq!(texts, checks, "chapter {}: exercises.toml, and CHECKS", chapter.number);
        for exercise in registry.exercises {
            assert!(seen.insert(exercise.name.clone()), "`{}` is there twice", exercise.name);
        }
    }
}

#[test]
fn every_exercise_is_complete() {
    for chapter in CHAPTERS {
        for e in registry(chapter).exercises {
            let name = &e.name;
            for text in [&e.title, &e.about, &e.task, &e.hint, &e.check] {
                assert!(!text.trim().is_empty(), "{name} has an empty text");
            }
            match e.kind {
                Kind::Assignment => {
                    assert!(e.points.is_some_and(|points| points > 0), "{name} needs points");
                    assert!(e.task.contains(&format!("fn {name}(")), "{name}: no signature");
                    let plain = !e.hint.contains('$') && !e.hint.contains("{{");
                    assert!(plain, "{name}: the hint is printed in a terminal, as it stands");
                }
                Kind::Challenge => assert_eq!(e.points, None, "{name} is open: no points"),
            }
        }
    }
}

#[test]
fn the_reference_passes_for_every_seed() {
    let mut faults = Vec::new();
    for chapter in CHAPTERS {
        for seed in 0..40 {
            for (name, outcome) in failures((chapter.reference)(), seed) {
                faults.push(format!("{name}, seed {seed}: {outcome:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_variant_fails_its_check_and_no_other() {
    let mut faults = Vec::new();
    for chapter in CHAPTERS {
        for seed in 0..10 {
            for variant in (chapter.variants)() {
                let failures = failures(variant.checks, seed);
                let failed: Vec<&str> = failures.iter().map(|(name, _)| *name).collect();
                let expected: Vec<&str> = variant.fails.into_iter().collect();
                // Not by a panic of a variant that does not work at all.
                let wrong = |o: &Outcome| matches!(o, Outcome::Judged(Err(Failure::Wrong { .. })));
                if failed != expected || !failures.iter().all(|(_, outcome)| wrong(outcome)) {
                    faults.push(format!(
                        "chapter {}, \"{}\" should fail {expected:?}, seed {seed}: {failures:?}",
                        chapter.number, variant.name
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_check_catches_something() {
    for chapter in CHAPTERS {
        let number = chapter.number;
        let caught: Vec<&str> = (chapter.variants)().iter().filter_map(|v| v.fails).collect();
        assert!(caught.len() >= 5, "chapter {number} has {} wrong variants", caught.len());
        for check in (chapter.reference)() {
            assert!(caught.contains(&check.name), "no wrong variant is for {}", check.name);
        }
    }
}

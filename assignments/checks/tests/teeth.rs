//! The checks themselves are checked: right answers pass, and each wrong one fails where it should
//! and is recognised.

use std::collections::{BTreeMap, BTreeSet};

use assignments::{CHAPTERS, Chapter, Outcome, Reason, Variant, grade_check};
use registry::{Kind, Registry};

fn registry(chapter: &Chapter) -> Registry {
    match Registry::read(chapter.exercises) {
        Ok(registry) => registry,
        Err(error) => panic!("chapter {}: {error}", chapter.number),
    }
}

#[test]
fn text_and_checks_have_the_same_names_in_the_same_order() {
    let mut seen = BTreeSet::new();
    for chapter in CHAPTERS {
        let registry = registry(chapter);
        let texts: Vec<&str> = registry.assignments().map(|e| e.name.as_str()).collect();
        let checks: Vec<&str> = chapter.checks.iter().map(|(name, _)| *name).collect();
        assert_eq!(texts, checks, "chapter {}: exercises.toml, and its checks", chapter.number);
        assert!((4..=8).contains(&checks.len()), "chapter {}", chapter.number);
        for exercise in registry.exercises {
            assert!(seen.insert(exercise.name.clone()), "`{}` is there twice", exercise.name);
        }
    }
}

#[test]
fn every_text_can_be_printed_in_a_terminal() {
    for chapter in CHAPTERS {
        for e in registry(chapter).exercises {
            let name = &e.name;
            if e.kind == Kind::Assignment {
                assert!(e.task.contains(&format!("fn {name}(")), "{name}: no signature");
            }
            if e.kind != Kind::Challenge {
                let plain = !e.hint.contains('$') && !e.hint.contains("{{");
                assert!(plain, "{name}: the hint is printed in a terminal, as it stands");
            }
        }
    }
}

#[test]
fn the_reference_passes_for_every_seed() {
    let mut faults = Vec::new();
    for chapter in CHAPTERS {
        for seed in 0..40 {
            for check in 0..chapter.checks.len() {
                let mut answers = chapter.reference;
                let outcome = grade_check(chapter, check, seed, &mut answers);
                if outcome != Outcome::Passed {
                    faults.push(format!("{}, seed {seed}: {outcome:?}", chapter.checks[check].0));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// What is not as it should be about a variant.
fn fault(chapter: &Chapter, variant: &Variant, check: usize, seed: u64) -> Option<String> {
    let own = variant.function == chapter.checks[check].0;
    let mut answers = &variant.answer;
    match grade_check(chapter, check, seed, &mut answers) {
        Outcome::Passed if !(own && variant.wrong) => None,
        Outcome::Failed(failure) if own && variant.wrong => {
            // Not by any panic: that would be a variant that does not work at all.
            match &failure.reason {
                Reason::Wrong(_) if !variant.panics => {}
                Reason::Panicked(_) if variant.panics && failure.wrong < failure.asked => {}
                other => return Some(format!("is wrong in another way: {other:?}")),
            }
            let names: Vec<&str> = failure.diagnoses.iter().map(|d| d.name).collect();
            (names != [variant.name]).then(|| format!("is diagnosed as {names:?}"))
        }
        outcome => Some(format!("{outcome:?}")),
    }
}

#[test]
fn each_variant_fails_its_check_and_no_other_and_is_recognised() {
    let mut faults: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for chapter in CHAPTERS {
        for seed in 0..10 {
            for variant in (chapter.variants)() {
                for check in 0..chapter.checks.len() {
                    if let Some(fault) = fault(chapter, &variant, check, seed) {
                        let (number, check) = (chapter.number, chapter.checks[check].0);
                        let (function, name) = (variant.function, variant.name);
                        let text =
                            format!("chapter {number}, {function}, \"{name}\": {check} {fault}");
                        faults.entry(text).or_default().push(seed);
                    }
                }
            }
        }
    }
    let faults = faults.into_iter().map(|(fault, seeds)| format!("{fault}; seeds {seeds:?}"));
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_check_catches_something() {
    for chapter in CHAPTERS {
        let number = chapter.number;
        let wrong: Vec<Variant> = (chapter.variants)().into_iter().filter(|v| v.wrong).collect();
        assert!(wrong.len() >= 5, "chapter {number} has {} wrong variants", wrong.len());
        for (check, _) in chapter.checks {
            let caught = wrong.iter().any(|variant| variant.function == *check);
            assert!(caught, "no wrong variant is for {check}");
        }
        for variant in (chapter.variants)() {
            let there = chapter.checks.iter().any(|(check, _)| *check == variant.function);
            assert!(there, "\"{}\" is for {}, which is no check", variant.name, variant.function);
        }
    }
}

#[test]
fn every_question_is_worth_asking() {
    // With several seeds: what is random may be harmless once.
    for chapter in CHAPTERS {
        for (number, (check, _)) in chapter.checks.iter().enumerate() {
            let asked = chapter.questions(number, 1).len();
            assert!(asked >= 3, "{check} asks {asked} questions");
        }
    }
}

#[test]
fn what_is_said_about_mistakes_is_in_the_book() {
    let read =
        |path: String| std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let works = read(format!("{root}/book/bibliography.toml"));
    for chapter in CHAPTERS {
        let number = chapter.number;
        let page = read(format!("{root}/book/src/chapter{number:02}.md"));
        let there = |name: &str| {
            if name.contains('-') {
                page.contains(&format!("{{#{name}}}"))
            } else {
                page.contains(&format!("{{{{#equation {name}}}}}"))
            }
        };
        for exercise in registry(chapter).exercises {
            if exercise.kind != Kind::Challenge {
                let (name, about) = (exercise.name, exercise.about);
                assert!(there(&about), "{name}: chapter {number} has no `{about}`");
            }
        }
        for variant in (chapter.variants)() {
            let name = variant.name;
            if let Some(about) = variant.about {
                assert!(there(about), "\"{name}\": chapter {number} has no `{about}`");
            }
            if let Some(work) = variant.published {
                assert!(works.contains(&format!("[{work}]")), "\"{name}\": no work `{work}`");
            }
        }
    }
}

#[test]
fn the_book_prints_what_the_checks_find() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/src/generated/checks.json");
    let printed = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let found = assignments::matrix();
    assert!(printed == found, "checks.json has changed: look at `cargo run --bin matrix`");
}

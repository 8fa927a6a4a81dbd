//! A registry in which nothing is wrong, and everything that can be.

use super::*;

const WELL: &str = "\
# Chapter 1.

[[exercise]]
name = 'halve'
kind = 'assignment'
title = 'Half of it'
points = 2
about = 'twice_is_the_sum'
task = '''
Write

[[exercise]]
'''
hint = 'Undo it.'
check = '3 becomes 1.5.'

[[exercise]] # open
name = 'third'
kind = 'challenge'
title = 'A third'
about = 'section'
task = 'Try it.'
hint = 'Not with shifts.'
check = 'You get it back.'
";

/// What `read` says of the text with one part replaced.
#[track_caller]
fn message(old: &str, new: &str) -> String {
    assert!(WELL.contains(old), "no {old:?}");
    match Registry::read(&WELL.replace(old, new)) {
        Ok(registry) => panic!("{new:?} for {old:?} is read: {registry:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn exercises_have_lines_even_if_their_headings_are_disguised() {
    let registry = Registry::read(WELL).unwrap();
    let found: Vec<_> = registry.exercises.iter().map(|e| (e.name.as_str(), e.line)).collect();
    assert_eq!(found, [("halve", 3), ("third", 17)]);
    let assignments: Vec<_> = registry.assignments().map(|e| e.name.as_str()).collect();
    assert_eq!(assignments, ["halve"]);
    let halve = &registry.exercises[0];
    assert_eq!((halve.kind, halve.points, halve.visibility), (Kind::Assignment, Some(2), None));
    assert_eq!(halve.task, "Write\n\n[[exercise]]\n");
}

#[test]
fn what_is_checked_together_is_scored_and_no_function_to_write() {
    let text = WELL.replace("'challenge'", "'together'\npoints = 4\nvisibility = 'hidden'");
    let registry = Registry::read(&text).unwrap();
    assert_eq!(registry.exercises[1].kind, Kind::Together);
    assert_eq!(registry.assignments().count(), 1);
}

#[test]
fn a_chapter_without_exercises_is_empty() {
    assert_eq!(Registry::read("# later\n").unwrap().exercises, []);
}

#[test]
fn visibility_has_the_words_of_gradescope() {
    use Visibility::*;
    for (word, value) in [
        ("visible", Visible),
        ("hidden", Hidden),
        ("after_due_date", AfterDueDate),
        ("after_published", AfterPublished),
    ] {
        let text = WELL.replace("points = 2", &format!("points = 2\nvisibility = '{word}'"));
        assert_eq!(Registry::read(&text).unwrap().exercises[0].visibility, Some(value));
        assert_eq!(toml::Value::try_from(value).unwrap().as_str(), Some(word));
    }
    assert_eq!(Visibility::default(), Visible);
}

#[test]
fn unknown_and_missing_keys_are_refused() {
    let hind = message("hint = 'Undo it.'", "hind = 'Undo it.'");
    assert!(hind.starts_with("line 14: not a registry of exercises: unknown field `hind`"));
    assert!(hind.contains("`hint`"), "the right one is among those it names: {hind}");
    let line = message("hint = 'Undo it.'", "line = 3");
    assert!(line.starts_with("line 14: ") && line.contains("unknown field `line`"), "{line}");
    let missing = message("title = 'A third'\n", "");
    assert!(missing.starts_with("line 17: ") && missing.contains("`title`"), "{missing}");
    let top = message("# Chapter 1.", "chapter = 1");
    assert!(top.starts_with("line 1: ") && top.contains("`chapter`"), "{top}");
    let syntax = message("points = 2", "points = 2 3");
    assert!(syntax.starts_with("line 7: not a registry of exercises"), "{syntax}");
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let kind = message("'challenge'", "'open'");
    assert!(kind.starts_with("line 19: ") && kind.contains("`challenge`"), "{kind}");
    let points = message("points = 2", "points = -2");
    assert!(points.starts_with("line 7: "), "{points}");
    let word = message("points = 2", "points = 2\nvisibility = 'after due date'");
    assert!(word.starts_with("line 8: ") && word.contains("`after_due_date`"), "{word}");
}

#[test]
fn faults_name_the_exercise_and_its_line() {
    for (old, new, expected) in [
        (
            "points = 2\n",
            "",
            "line 3: `halve` is checked by code and has no points: add `points = 1`, or more",
        ),
        (
            "points = 2\n",
            "points = 0\n",
            "line 3: `halve` is checked by code and has no points: add `points = 1`, or more",
        ),
        (
            "kind = 'challenge'",
            "kind = 'together'",
            "line 17: `third` is checked by code and has no points: add `points = 1`, or more",
        ),
        (
            "title = 'A third'",
            "title = 'A third'\npoints = 1",
            "line 17: `third` is a challenge, which nobody scores: take away its `points`",
        ),
        (
            "title = 'A third'",
            "title = 'A third'\nvisibility = 'visible'",
            "line 17: `third` is a challenge, which nobody scores: take away its `visibility`",
        ),
        ("'Undo it.'", "' '", "line 3: `halve` has an empty `hint`: write it"),
        (
            "name = 'third'",
            "name = 'halve'",
            "line 17: there is another exercise `halve` on line 3: rename one of them",
        ),
    ] {
        assert_eq!(message(old, new), expected);
    }
}

#[test]
fn all_faults_are_found_where_the_keys_are_right() {
    let text = WELL.replace("points = 2\n", "").replace("'Try it.'", "''");
    let lines: Vec<usize> =
        Registry::parse(&text).unwrap().faults().iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [3, 16]);
}

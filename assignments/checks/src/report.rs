//! What the student reads: a table of checks, and what each failure needs.

use std::fmt;
use std::time::Duration;

use crate::chapter::Check;
use crate::given::Failure;
use crate::registry::{Exercise, Registry};
use crate::run::{Outcome, run};
use crate::show::indent;

/// The outcome of all checks of a chapter.
#[derive(Debug)]
pub struct Report {
    chapter: u32,
    seed: u64,
    lines: Vec<(Exercise, Outcome)>,
}

impl Report {
    /// Runs these checks, one after another.
    ///
    /// # Panics
    /// If a check has no assignment of its name in the registry.
    pub fn new(
        chapter: u32,
        registry: &Registry,
        checks: Vec<Check>,
        seed: u64,
        limit: Duration,
    ) -> Self {
        let lines = checks.into_iter().enumerate().map(|(number, check)| {
            let exercise = registry.assignments().find(|exercise| exercise.name == check.name);
            let exercise = exercise.expect("a test compares the names").clone();
            (exercise, run(check, seed, number, limit))
        });
        Self { chapter, seed, lines: lines.collect() }
    }

    /// Each check's name and outcome, in order.
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        self.lines.iter().map(|(exercise, outcome)| (exercise.name.as_str(), outcome))
    }

    /// The points earned.
    pub fn earned(&self) -> u32 {
        let passed = self.lines.iter().filter(|(_, outcome)| outcome.passed());
        passed.map(|(exercise, _)| points(exercise)).sum()
    }

    /// The points there are.
    pub fn total(&self) -> u32 {
        self.lines.iter().map(|(exercise, _)| points(exercise)).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (exercise, outcome) in &self.lines {
            if let Some(text) = explain(exercise, outcome, self.chapter) {
                writeln!(f, "{text}\n")?;
            }
        }
        let width = self.lines.iter().map(|(e, _)| e.name.len()).max().unwrap_or(0).max(9);
        let heading = format!("Chapter {}", self.chapter);
        writeln!(f, "{heading:width$}                      points")?;
        for (exercise, outcome) in &self.lines {
            let all = points(exercise);
            let earned = if outcome.passed() { all } else { 0 };
            let word = word(outcome);
            writeln!(f, "{:width$}   {word:15}  {earned:>2} of {all:>2}", exercise.name)?;
        }
        let (earned, total) = (self.earned(), self.total());
        writeln!(f, "{:width$}   {:15}  {earned:>2} of {total:>2}", "", "")?;
        write!(f, "\nThe random numbers are those of --seed {}.", self.seed)
    }
}

fn points(exercise: &Exercise) -> u32 {
    exercise.points.unwrap_or(0)
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Judged(Ok(())) => "passed",
        Outcome::Judged(Err(Failure::NotWritten)) => "not written yet",
        Outcome::Judged(Err(Failure::Wrong { .. })) => "FAILED",
        Outcome::Judged(Err(Failure::Panicked { .. })) => "PANICKED",
        Outcome::TooSlow(_) => "TOO SLOW",
    }
}

/// What the student needs to find the mistake; nothing for what passed or is not written.
fn explain(exercise: &Exercise, outcome: &Outcome, chapter: u32) -> Option<String> {
    let (case, given, parts) = match outcome {
        Outcome::Judged(Ok(()) | Err(Failure::NotWritten)) => return None,
        Outcome::Judged(Err(Failure::Wrong { case, given, expected, found, difference })) => {
            let parts = vec![
                value("expected", expected),
                value("found", found),
                difference.clone(), //
            ];
            (case.as_ref(), &given[..], parts)
        }
        Outcome::Judged(Err(Failure::Panicked { case, given, message })) => {
            (case.as_ref(), &given[..], vec![value("panicked", message)])
        }
        Outcome::TooSlow(limit) => {
            let text = format!("no answer after {} s: a loop without end?", limit.as_secs_f64());
            (None, &[][..], vec![text])
        }
    };
    let mut lines = vec![format!("{}: {}", exercise.name, exercise.title)];
    lines.extend(case.map(|case| format!("  {case}")));
    lines.extend(given.iter().map(|(name, shown)| indent(&value(name, shown), 2)));
    lines.extend(parts.iter().map(|part| indent(part, 2)));
    lines.push(indent(&wrap(&format!("hint: {}", exercise.hint)), 2));
    lines.push(format!("  in the book: chapter {chapter}, {}", exercise.about));
    Some(lines.join("\n"))
}

/// A name and a value, on one line if it fits there.
fn value(name: &str, shown: &str) -> String {
    match shown.split_once('\n') {
        None => format!("{name}: {shown}"),
        Some((shape, rest)) if shape.starts_with('(') => {
            format!("{name} {shape}:\n{}", indent(rest, 4))
        }
        Some(_) => format!("{name}:\n{}", indent(shown, 4)),
    }
}

/// The words of a text on lines that fit a terminal.
fn wrap(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one from the start");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= 78 {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chapter::bind;
    use crate::given::given;

    const TEXT: &str = r#"
[[exercise]]
name = "double"
kind = "assignment"
title = "Twice as much"
points = 3
about = "twice"
task = "fn double(x: f64) -> f64"
hint = "Add it to itself."
check = "It is even."

[[exercise]]
name = "loud"
kind = "assignment"
title = "Loud"
points = 2
about = "twice"
task = "fn loud(x: f64) -> f64"
hint = "Whisper."
check = "It is quiet."
"#;

    #[derive(Clone, Copy)]
    struct Functions {
        double: fn(f64) -> f64,
        loud: fn(f64) -> f64,
    }

    fn report(double: fn(f64) -> f64, loud: fn(f64) -> f64) -> Report {
        let checks = bind::<Functions>(
            &[
                ("double", |f, _| given("x", &1.5).expect(&3.0, || (f.double)(1.5))),
                ("loud", |f, _| given("x", &1.5).case("once").expect(&1.5, || (f.loud)(1.5))),
            ],
            Functions { double, loud },
        );
        let registry = Registry::read(TEXT).unwrap();
        Report::new(1, &registry, checks, 7, Duration::from_millis(300))
    }

    #[test]
    fn a_report_of_one_right_and_one_wrong_answer() {
        let report = report(|x| x + x, |x| x * 0.5);
        assert_eq!((report.earned(), report.total()), (3, 5));
        let right = "\
loud: Loud
  once
  x: 1.500000
  expected: 1.500000
  found: 0.750000
  expected 1.5, found 0.75
  hint: Whisper.
  in the book: chapter 1, twice

Chapter 1                      points
double      passed            3 of  3
loud        FAILED            0 of  2
                              3 of  5

The random numbers are those of --seed 7.";
        assert_eq!(report.to_string(), right);
    }

    #[test]
    fn panics_and_endless_loops_are_reported_and_earn_nothing() {
        let report = report(
            |x| {
                while std::hint::black_box(x) > 0.0 {}
                x
            },
            |_| panic!("too loud"),
        );
        let text = report.to_string();
        assert_eq!(report.earned(), 0, "{text}");
        assert!(text.contains("double: Twice as much\n  no answer after 0.3 s"), "{text}");
        assert!(text.contains("x: 1.500000\n  panicked: too loud"), "{text}");
        assert!(text.contains("TOO SLOW") && text.contains("PANICKED"), "{text}");
    }

    #[test]
    fn long_hints_are_wrapped() {
        let wrapped = wrap(&"word ".repeat(40));
        assert!(wrapped.lines().count() == 3 && wrapped.lines().all(|line| line.len() <= 78));
    }
}

//! What the student reads: a table of checks, and what each failure needs.

use registry::Exercise;

use crate::course::Part;
use crate::outcome::{Diagnosis, Failure, Outcome, Reason};
use crate::show::{indent, named, wrap};

/// The outcome of all checks of a part of the course.
#[derive(Debug)]
pub struct Report {
    /// What was graded.
    pub part: Part,
    /// The random inputs were those of this seed.
    pub seed: u64,
    /// The checks, in order.
    pub lines: Vec<Line>,
}

/// The outcome of one check.
#[derive(Debug)]
pub struct Line {
    /// Its text, points and hint.
    pub exercise: Exercise,
    /// How it ended.
    pub outcome: Outcome,
    /// More to say about it, whatever the outcome.
    pub note: String,
    /// What the student's code printed meanwhile.
    pub printed: String,
}

impl Line {
    /// The points there are for it.
    pub fn points(&self) -> u32 {
        self.exercise.points.unwrap_or(0)
    }

    /// The points earned.
    pub fn earned(&self) -> u32 {
        if self.outcome == Outcome::Passed { self.points() } else { 0 }
    }
}

impl Report {
    /// The points earned.
    pub fn earned(&self) -> u32 {
        self.lines.iter().map(Line::earned).sum()
    }

    /// The points there are.
    pub fn total(&self) -> u32 {
        self.lines.iter().map(Line::points).sum()
    }

    /// What the student needs to find the mistake; empty for what passed, is not written, or was
    /// not graded. `book` is where the book is published, and ends with a slash.
    pub fn explain(&self, line: &Line, book: &str) -> String {
        let exercise = &line.exercise;
        let mut text = match &line.outcome {
            Outcome::Passed | Outcome::NotWritten | Outcome::NotGraded(_) => String::new(),
            Outcome::Failed(failure) => {
                let mut parts = describe(failure);
                parts.extend(failure.diagnoses.iter().map(|diagnosis| {
                    wrap(&self.diagnosis(diagnosis, &exercise.about, book)) //
                }));
                if matches!(failure.reason, Reason::Wrong(_)) {
                    parts.push(wrap(&format!("hint: {}", exercise.hint)));
                }
                parts.push(format!("in the book: {}", self.link(&exercise.about, book)));
                parts.join("\n")
            }
        };
        if !line.note.is_empty() {
            text = format!("{text}\n{}", wrap(&line.note));
        }
        let printed = shortened(line.printed.trim_end());
        if !printed.is_empty() {
            text = format!("{text}\n{}", named("your code printed", &printed));
        }
        text.trim_start().to_owned()
    }

    /// The report as a terminal shows it.
    pub fn show(&self, book: &str) -> String {
        let mut text = String::new();
        if let Some(why) = self.not_graded() {
            text += &format!("{}\n\n", why.trim_end());
        }
        for line in &self.lines {
            let explained = indent(&self.explain(line, book), 2);
            if !explained.is_empty() {
                let Exercise { name, title, .. } = &line.exercise;
                text += &format!("{name}: {title}\n{explained}\n\n");
            }
        }
        let title = self.part.to_string();
        let width = self.lines.iter().map(|line| line.exercise.name.len()).max();
        let width = width.unwrap_or(0).max(title.len());
        text += &format!("{title:width$}                      points\n");
        for line in &self.lines {
            let (name, word) = (&line.exercise.name, word(&line.outcome));
            let (earned, points) = (line.earned(), line.points());
            text += &format!("{name:width$}   {word:15}  {earned:>2} of {points:>2}\n");
        }
        let (earned, total) = (self.earned(), self.total());
        text += &format!("{:width$}   {:15}  {earned:>2} of {total:>2}\n\n", "", "");
        text + &self.seed_in_words()
    }

    /// Why nothing of this was graded, if that is so: one reason, for all checks.
    pub fn not_graded(&self) -> Option<&str> {
        match &self.lines.first()?.outcome {
            Outcome::NotGraded(why) => Some(why),
            _ => None,
        }
    }

    /// How to ask the same questions once more.
    pub fn seed_in_words(&self) -> String {
        format!("The random numbers are those of --seed {}.", self.seed)
    }

    fn diagnosis(&self, diagnosis: &Diagnosis, exercise: &str, book: &str) -> String {
        let name = diagnosis.name;
        let mut text = format!("diagnosis: these are the answers of a known mistake: {name}");
        if diagnosis.published.is_some() {
            text += " (a published tutorial has it, too: see appendix C of the book)";
        }
        match diagnosis.about {
            Some(about) if about != exercise => format!("{text}. See {}", self.link(about, book)),
            _ => text,
        }
    }

    /// Where the book has an equation, by the name of its test, or a section, by its id.
    fn link(&self, about: &str, book: &str) -> String {
        // Names of tests have no hyphens, and all ids of sections have one.
        let id = if about.contains('-') { about.to_owned() } else { format!("equation-{about}") };
        format!("{book}{}.html#{id}", self.part.page())
    }
}

/// Several reports in a line each, and what could be done next.
pub fn summary(reports: &[Report]) -> String {
    let mut text = format!("{:12}  {:17}  points\n", "", "functions");
    let (mut earned, mut total) = (0, 0);
    for report in reports {
        let done = report.lines.iter().filter(|line| line.outcome == Outcome::Passed).count();
        let mut state = format!("{done} of {}", report.lines.len());
        if let Some(why) = report.not_graded() {
            state = why.lines().next().unwrap_or_default().to_owned();
        }
        let marks = format!("{:>2} of {:>2}", report.earned(), report.total());
        let part = report.part.to_string();
        if state.len() > 17 {
            text += &format!("{part:12}  {:17}  {marks}  {state}\n", "");
        } else {
            text += &format!("{part:12}  {state:17}  {marks}\n");
        }
        earned += report.earned();
        total += report.total();
    }
    text += &format!("{:12}  {:17}  {earned:>2} of {total:>2}\n", "", "");
    let mut open =
        reports.iter().flat_map(|report| report.lines.iter().map(move |line| (report, line)));
    let next = open.find(|(_, line)| line.outcome != Outcome::Passed);
    match next {
        Some((Report { part: Part::Chapter(chapter), .. }, line)) => {
            let Exercise { name, title, .. } = &line.exercise;
            text + &format!("\nNext: {name}, \"{title}\": cargo xtask grade {chapter}")
        }
        Some(_) => text + "\nNext, all of it together: cargo xtask grade all",
        None => text + "\nAll is done.",
    }
}

/// One word, or three, for an outcome.
pub fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::NotWritten => "not written yet",
        Outcome::NotGraded(_) => "NOT GRADED",
        Outcome::Failed(failure) => match failure.reason {
            Reason::Wrong(_) => "FAILED",
            Reason::Panicked(_) => "PANICKED",
            Reason::Ended(_) => "ENDED EARLY",
            Reason::TooSlow => "TOO SLOW",
        },
    }
}

/// The first and the last lines, where there are many.
fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= 20 {
        return text.to_owned();
    }
    let (first, last) = (lines[..10].join("\n"), lines[lines.len() - 3..].join("\n"));
    format!("{first}\n… {} lines …\n{last}", lines.len() - 13)
}

/// The call, and what is wrong with what came of it.
fn describe(failure: &Failure) -> Vec<String> {
    let mut parts = Vec::new();
    if !failure.case.is_empty() {
        parts.push(failure.case.clone());
    }
    parts.extend(failure.given.iter().map(|(name, value)| named(name, value)));
    match &failure.reason {
        Reason::Wrong(fault) => {
            parts.push(named("expected", &fault.expected));
            parts.push(named("found", &fault.found));
            parts.push(fault.difference.clone());
            if failure.asked > 1 {
                parts.push(format!("{} of {} answers are wrong", failure.wrong, failure.asked));
            }
        }
        Reason::Panicked(said) => parts.push(named("panicked", said)),
        Reason::Ended(how) => parts.push(format!("your program did not live to answer: {how}")),
        Reason::TooSlow => parts.push("no answer in time: a loop without end?".to_owned()),
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::Fault;

    /// Chapter 3, whose checks are worth 2, 2, 2, 2, 3 and 3 points, with these outcomes.
    fn report(outcomes: [Outcome; 6]) -> Report {
        Part::Chapter(3).report(7, |check| outcomes[check].clone()).unwrap()
    }

    fn failed(reason: Reason) -> Outcome {
        let given = vec![("eta".to_owned(), "0.500000".to_owned())];
        let diagnosis =
            Diagnosis { name: "uphill", about: Some("momentum-limit"), published: None };
        let (case, diagnoses) = ("once".to_owned(), vec![diagnosis]);
        Outcome::Failed(Box::new(Failure { case, given, reason, wrong: 2, asked: 5, diagnoses }))
    }

    fn wrong() -> Outcome {
        failed(Reason::Wrong(Fault {
            expected: "(2)\n1  2".to_owned(),
            found: "(2)\n1  3".to_owned(),
            difference: "at [1]: expected 2, found 3".to_owned(),
        }))
    }

    #[test]
    fn a_report_shows_what_a_student_needs() {
        let report = report([
            Outcome::Passed,
            wrong(),
            Outcome::NotWritten,
            failed(Reason::Panicked("no\nat student/src/chapter03.rs:3:1".to_owned())),
            failed(Reason::TooSlow),
            failed(Reason::Ended("exit code 0".to_owned())),
        ]);
        assert_eq!((report.earned(), report.total()), (2, 14));
        let text = report.show("https://example.org/");
        let first = "\
momentum_step: State in, state out
  once
  eta: 0.500000
  expected:
    (2)
    1  2
  found:
    (2)
    1  3
  at [1]: expected 2, found 3
  2 of 5 answers are wrong
  diagnosis: these are the answers of a known mistake: uphill. See
  https://example.org/chapter03.html#momentum-limit
  hint: ";
        assert!(text.starts_with(first), "{text}");
        assert!(
            text.contains("  panicked:\n    no\n    at student/src/chapter03.rs:3:1\n"),
            "{text}"
        );
        let table = "\
Chapter 3                                points
bowl_step             passed            2 of  2
momentum_step         FAILED            0 of  2
moving_average_step   not written yet   0 of  2
nesterov_step         PANICKED          0 of  2
heavy_ball_radius     TOO SLOW          0 of  3
best_pair             ENDED EARLY       0 of  3
                                        2 of 14

The random numbers are those of --seed 7.";
        assert!(text.ends_with(table), "{text}");
    }

    #[test]
    fn of_much_that_was_printed_some_is_shown() {
        let mut report = report([const { Outcome::Passed }; 6]);
        report.lines[0].printed = (0..100).map(|i| format!("line {i}\n")).collect();
        let text = report.explain(&report.lines[0], "");
        assert!(text.contains("  line 9\n  … 87 lines …\n  line 97\n"), "{text}");
    }

    #[test]
    fn a_reason_for_all_checks_is_given_once() {
        let report = Part::Chapter(3).report(7, |_| Outcome::NotGraded("it has no end".to_owned()));
        let text = report.unwrap().show("");
        assert_eq!(text.matches("it has no end").count(), 1, "{text}");
        assert_eq!(text.matches("NOT GRADED").count(), 6, "{text}");
    }

    #[test]
    fn a_summary_has_a_line_for_each_part_and_what_is_next() {
        let all_passed = || report([const { Outcome::Passed }; 6]);
        let mut some = all_passed();
        some.lines[2].outcome = Outcome::NotWritten;
        let why = "your file does not compile\nerror: there".to_owned();
        let broken = Part::Together.report(7, |_| Outcome::NotGraded(why.clone())).unwrap();
        let text = summary(&[all_passed(), some, broken]);
        let right = "\
              functions          points
Chapter 3     6 of 6             14 of 14
Chapter 3     5 of 6             12 of 14
All together                      0 of 10  your file does not compile
                                 26 of 38

Next: moving_average_step, \"The same, averaged\": cargo xtask grade 3";
        assert_eq!(text.trim_start(), right.trim_start());
        assert!(summary(&[all_passed()]).ends_with("All is done."));
    }
}

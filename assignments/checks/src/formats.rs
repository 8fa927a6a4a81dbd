//! Reports for other programs: Gradescope's JSON, and JUnit's XML.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use registry::Visibility;
use serde::Serialize;

use crate::outcome::{Outcome, Reason};
use crate::report::{Line, Report, word};

/// What Gradescope reads. There is no score at the top: it adds those of the tests.
#[derive(Serialize)]
struct Results {
    output: String,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: String,
    number: String,
    score: u32,
    max_score: u32,
    status: &'static str,
    visibility: Visibility,
    output: String,
}

/// The `results.json` of Gradescope's autograders.
pub fn gradescope(reports: &[Report], book: &str) -> String {
    let mut tests = Vec::new();
    for report in reports {
        for (i, line) in report.lines.iter().enumerate() {
            tests.push(Test {
                name: format!("{}: {}", line.exercise.name, line.exercise.title),
                number: number(report, i),
                score: line.earned(),
                max_score: line.points(),
                status: if line.outcome == Outcome::Passed { "passed" } else { "failed" },
                visibility: line.exercise.visibility.unwrap_or_default(),
                output: explained(report, line, book),
            });
        }
    }
    let mut output: Vec<&str> = reports.iter().filter_map(Report::not_graded).collect();
    let seed = reports.first().map(Report::seed_in_words).unwrap_or_default();
    output.push(&seed);
    let results = Results { output: output.join("\n\n"), tests };
    serde_json::to_string_pretty(&results).expect("strings and numbers") + "\n"
}

/// A JUnit report, with a suite for each part of the course.
///
/// # Errors
/// If it cannot be written down, which has not been seen.
pub fn junit(reports: &[Report], book: &str) -> Result<String, quick_junit::SerializeError> {
    let mut all = quick_junit::Report::new("Gradus");
    for report in reports {
        let mut suite = TestSuite::new(report.part.to_string());
        for line in &report.lines {
            let mut status = match &line.outcome {
                Outcome::Passed => TestCaseStatus::success(),
                // Not skipped: a class may take what is skipped for done.
                Outcome::NotWritten => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Outcome::Failed(failure) if matches!(failure.reason, Reason::Wrong(_)) => {
                    TestCaseStatus::non_success(NonSuccessKind::Failure)
                }
                _ => TestCaseStatus::non_success(NonSuccessKind::Error),
            };
            if line.outcome != Outcome::Passed {
                status.set_message(word(&line.outcome));
                status.set_description(explained(report, line, book));
            }
            let mut case = TestCase::new(line.exercise.name.as_str(), status);
            case.set_classname(report.part.program());
            case.extra
                .insert("points".into(), format!("{} of {}", line.earned(), line.points()).into());
            suite.add_test_case(case);
        }
        suite.add_property(("seed", report.seed.to_string().as_str()));
        all.add_test_suite(suite);
    }
    all.to_string()
}

/// The exercise's number: 2.1 for the first of chapter 2.
fn number(report: &Report, line: usize) -> String {
    match report.part {
        crate::Part::Chapter(chapter) => format!("{chapter}.{}", line + 1),
        crate::Part::Together => {
            let last = crate::CHAPTERS.iter().map(|chapter| chapter.number).max();
            (last.unwrap_or(0) + 1).to_string()
        }
    }
}

/// What became of a check, in full.
fn explained(report: &Report, line: &Line, book: &str) -> String {
    match report.not_graded() {
        // The whole of it is at the top of the page.
        Some(why) => format!("not graded: {}", why.lines().next().unwrap_or_default()),
        None => match report.explain(line, book) {
            text if text.is_empty() => word(&line.outcome).to_owned(),
            text => text,
        },
    }
}

/// Writes a file so that whoever reads it finds all of it, or what was there before.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let readable = Permissions::from_mode(0o644); // a temporary file is its owner's alone
    let mut file = tempfile::Builder::new();
    let mut file = file.permissions(readable).tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::Part;
    use serde_json::{Value, json};

    fn reports() -> Vec<Report> {
        let chapter = Part::Chapter(2).report(7, |check| match check {
            0 => Outcome::Passed,
            _ => Outcome::NotWritten,
        });
        let why = "not <built> & \"kept\"\nerror: line 1".to_owned();
        let together = Part::Together.report(7, |_| Outcome::NotGraded(why.clone()));
        vec![chapter.unwrap(), together.unwrap()]
    }

    #[test]
    fn gradescope_reads_scores_and_nothing_at_the_top() {
        let mut reports = reports();
        reports[0].lines[1].exercise.visibility = Some(Visibility::AfterDueDate);
        let results: Value = serde_json::from_str(&gradescope(&reports, "b/")).unwrap();
        let top: Vec<&String> = results.as_object().unwrap().keys().collect();
        assert_eq!(top, ["output", "tests"]);
        let output = results["output"].as_str().unwrap();
        assert!(output.starts_with("not <built> & \"kept\"\nerror: line 1\n\n"), "{output}");
        assert!(output.ends_with("--seed 7."), "{output}");
        let tests = results["tests"].as_array().unwrap();
        assert_eq!(tests.len(), 7);
        let first = json!({
            "name": "squared_error_rows: Squared errors, and a stack of rows", "number": "2.1",
            "score": 2, "max_score": 2, "status": "passed", "visibility": "visible",
            "output": "passed",
        });
        assert_eq!(tests[0], first);
        assert_eq!(tests[1]["visibility"], "after_due_date");
        assert_eq!((&tests[1]["score"], &tests[1]["status"]), (&json!(0), &json!("failed")));
        assert_eq!(tests[6]["output"], "not graded: not <built> & \"kept\"");
        let number = crate::CHAPTERS.last().unwrap().number + 1;
        assert_eq!(tests[6]["number"], json!(number.to_string()));
        assert_eq!(tests[6]["max_score"], json!(10));
    }

    #[test]
    fn junit_has_a_suite_for_each_part() {
        let text = junit(&reports(), "b/").unwrap();
        for part in [
            "<testsuites name=\"Gradus\" tests=\"7\" failures=\"5\" errors=\"1\"",
            "<testsuite name=\"Chapter 2\" tests=\"6\" disabled=\"0\" errors=\"0\" failures=\"5\"",
            "points=\"2 of 2\"",
            "<failure message=\"not written yet\">",
            "not graded: not &lt;built&gt; &amp; &quot;kept&quot;",
            "<property name=\"seed\" value=\"7\"/>",
        ] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("no/such/folder/x"), "three").is_err());
    }
}

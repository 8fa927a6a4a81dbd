//! What the directives print that show the teeth of the checks: the wrong answers that are
//! known, and which questions catch them.

use crate::checks::{self, Check, Wrong};
use crate::exercises::Exercise;
use crate::markdown::escape;
use crate::problem::unknown;
use crate::render::Renderer;
use std::fmt::Write;

impl<'a> Renderer<'a> {
    /// The wrong answers to each function of a chapter.
    pub(crate) fn mistakes(&mut self, chapter: &str) -> Result<String, String> {
        self.for_each_check("mistakes", chapter, |renderer, exercise, check, out| {
            if let Ok(about) = renderer.about(&exercise.entry.about) {
                let _ = writeln!(out, " <span class=\"origin\">on {about}</span>");
            }
            let known = check.wrong.len();
            let noun = if known == 1 { "wrong answer" } else { "wrong answers" };
            let _ = writeln!(out, "\n<details>\n<summary>{known} {noun}</summary>\n");
            for wrong in &check.wrong {
                let name = escape(&wrong.name);
                // In an element of its own a name cannot begin a list.
                let _ = writeln!(out, "- <span>{name}</span>{}", renderer.origin(wrong));
            }
            out.push_str("\n</details>\n");
        })
    }

    /// Which questions catch which wrong answers to each function of a chapter.
    pub(crate) fn kill_matrix(&mut self, chapter: &str) -> Result<String, String> {
        self.for_each_check("kill_matrix", chapter, |_, _, check, out| {
            let asked = check.questions.len();
            let questions = match asked {
                1 => "Question 1".to_owned(),
                _ => format!("Questions 1 to {asked}"),
            };
            let _ = writeln!(out, "\n\n| Wrong answer | {questions} | Caught by |\n|---|---|---|");
            for wrong in &check.wrong {
                let caught = wrong.fails.iter().filter(|fails| **fails).count();
                let (name, marks) = (escape(&wrong.name), marks(&wrong.fails));
                let _ = writeln!(out, "| {name} | {marks} | {caught} of {asked} |");
            }
            out.push('\n');
            for (special, numbers) in special(&check.questions) {
                let noun = if numbers.len() == 1 { "Question" } else { "Questions" };
                let _ = writeln!(out, "- {noun} {}: {}", list(&numbers), escape(special));
            }
            if !check.right.is_empty() {
                let names: Vec<String> =
                    check.right.iter().map(|right| escape(&right.name)).collect();
                let _ = writeln!(out, "\nPasses as right: {}.", names.join("; "));
            }
        })
    }

    /// A block for each function of a chapter, in the order of the exercises.
    fn for_each_check(
        &mut self,
        directive: &str,
        chapter: &str,
        mut print: impl FnMut(&mut Self, &'a Exercise, &'a Check, &mut String),
    ) -> Result<String, String> {
        let repository = self.repository;
        let Some(checks) = repository.checks.get(chapter) else {
            if repository.checks.is_empty() {
                return Err(format!("there are no checks in `{}`", checks::FILE));
            }
            return Err(unknown("chapter", chapter, repository.checks.keys().map(String::as_str)));
        };
        let mut out = String::new();
        for exercise in &repository.exercises {
            let Exercise { entry, place, .. } = exercise;
            let Some(check) = checks.iter().find(|check| check.name == entry.name) else {
                continue;
            };
            let name = &check.name;
            let title = self.prose(&entry.title, place);
            let number = self.index.get(name).map_or_else(String::new, |target| self.link(target));
            let _ = write!(
                out,
                "<div class=\"{directive}\" id=\"{directive}-{name}\">\n\n**{number}. {title}**"
            );
            print(self, exercise, check, &mut out);
            out.push_str("\n</div>\n\n");
        }
        Ok(out)
    }

    /// Where a wrong answer is explained, and where it was published.
    fn origin(&mut self, wrong: &Wrong) -> String {
        let about = wrong.about.as_deref().map(|name| ("see", self.about(name)));
        let published = wrong.published.as_deref().map(|key| ("published by", self.citation(key)));
        let mut parts = Vec::new();
        for (what, link) in about.into_iter().chain(published) {
            match link {
                Ok(link) => parts.push(format!("{what} {link}")),
                Err(message) => self.problems.add(&wrong.place, message),
            }
        }
        match &parts[..] {
            [] => String::new(),
            parts => format!("<span class=\"origin\">: {}</span>", parts.join("; ")),
        }
    }
}

/// A mark for each question, in groups of five; and the same in words.
fn marks(fails: &[bool]) -> String {
    let groups = fails.chunks(5).map(|group| {
        let marks: String = group.iter().map(|f| if *f { "<b>✕</b>" } else { "·" }).collect();
        format!("<span>{marks}</span>")
    });
    let groups = groups.collect::<Vec<_>>().join(" ");
    let numbers: Vec<usize> = (1..).zip(fails).filter(|(_, f)| **f).map(|(i, _)| i).collect();
    let words = format!("wrong at {} of {}", list(&numbers), fails.len());
    format!("<code class=\"marks\" role=\"img\" aria-label=\"{words}\">{groups}</code>")
}

/// What is special about some questions, each thing once, with their numbers from 1.
fn special(questions: &[String]) -> Vec<(&str, Vec<usize>)> {
    let mut all: Vec<(&str, Vec<usize>)> = Vec::new();
    for (number, question) in (1..).zip(questions).filter(|(_, question)| !question.is_empty()) {
        match all.iter_mut().find(|(other, _)| other == question) {
            Some((_, numbers)) => numbers.push(number),
            None => all.push((question, vec![number])),
        }
    }
    all
}

/// Numbers that grow, as one would say them: "1, 3 to 5 and 8".
fn list(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let mut words = Vec::new();
    for (first, last) in runs {
        match last - first {
            0 => words.push(first.to_string()),
            1 => words.extend([first.to_string(), last.to_string()]),
            _ => words.push(format!("{first} to {last}")),
        }
    }
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_in_runs() {
        for (numbers, words) in [
            (&[][..], ""),
            (&[3], "3"),
            (&[3, 4], "3 and 4"),
            (&[3, 4, 5], "3 to 5"),
            (&[1, 3, 4, 5, 8, 9], "1, 3 to 5, 8 and 9"),
        ] {
            assert_eq!(list(numbers), words);
        }
    }

    #[test]
    fn special_questions_are_named_once() {
        let questions = ["", "far apart", "", "one row", "far apart"].map(str::to_owned);
        assert_eq!(special(&questions), [("far apart", vec![2, 5]), ("one row", vec![4])]);
    }

    #[test]
    fn marks_stand_in_groups_of_five() {
        assert_eq!(
            marks(&[false, true, false, false, false, true, true]),
            "<code class=\"marks\" role=\"img\" aria-label=\"wrong at 2, 6 and 7 of 7\">\
             <span>·<b>✕</b>···</span> <span><b>✕</b><b>✕</b></span></code>"
        );
    }
}

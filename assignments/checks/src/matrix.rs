//! Which questions catch which wrong answers: the book prints it.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::CHAPTERS;
use crate::answer::Answers;
use crate::chapter::Chapter;
use crate::outcome::reason;

/// The book shows the questions of this seed; with others, other numbers are asked for.
const SEED: u64 = 1;

#[derive(Serialize)]
struct Matrix {
    chapters: Vec<MatrixOfChapter>,
}

#[derive(Serialize)]
struct MatrixOfChapter {
    number: u32,
    checks: Vec<MatrixOfCheck>,
}

#[derive(Serialize)]
struct MatrixOfCheck {
    name: &'static str,
    /// What is special about each question, often nothing.
    questions: Vec<String>,
    wrong: Vec<Wrong>,
    right: Vec<Right>,
}

#[derive(Serialize)]
struct Wrong {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'static str>,
    /// Which of the questions it gets wrong.
    fails: Box<RawValue>, // on one line
}

#[derive(Serialize)]
struct Right {
    name: &'static str,
}

/// All variants and what becomes of them, as JSON.
pub fn matrix() -> String {
    let chapters = CHAPTERS.iter().map(|chapter| {
        let checks = (0..chapter.checks.len()).map(|check| of_check(chapter, check));
        MatrixOfChapter { number: chapter.number, checks: checks.collect() }
    });
    let matrix = Matrix { chapters: chapters.collect() };
    serde_json::to_string_pretty(&matrix).expect("strings and truths") + "\n"
}

fn of_check(chapter: &Chapter, check: usize) -> MatrixOfCheck {
    let name = chapter.checks[check].0;
    let questions = chapter.questions(check, SEED);
    let (mut wrong, mut right) = (Vec::new(), Vec::new());
    for variant in (chapter.variants)().into_iter().filter(|variant| variant.function == name) {
        if !variant.wrong {
            right.push(Right { name: variant.name });
            continue;
        }
        let fails = questions.iter().map(|question| {
            let answer = (&variant.answer).answer(&question.call);
            reason(question, &answer).is_some()
        });
        let fails = to_raw_value(&fails.collect::<Vec<bool>>()).expect("truths");
        let (name, published, about) = (variant.name, variant.published, variant.about);
        wrong.push(Wrong { name, published, about, fails });
    }
    let questions = questions.into_iter().map(|question| question.case).collect();
    MatrixOfCheck { name, questions, wrong, right }
}

//! A check that was answered: what came of it, and which known mistake it looks like.

use signatures::Call;

use crate::answer::{Answer, Answers};
use crate::chapter::{Chapter, Variant};
use crate::question::{Fault, Question};
use crate::show;

/// How a check ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Every answer was right.
    Passed,
    /// The function is still `todo!()`.
    NotWritten,
    /// Something was not.
    Failed(Box<Failure>),
    /// Nothing was asked, for this reason.
    NotGraded(String),
}

/// The first answer that was not right.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What is special about the call, if anything.
    pub case: String,
    /// The arguments: names, with shapes, and values.
    pub given: Vec<(String, String)>,
    /// What was wrong with it.
    pub reason: Reason,
    /// How many answers were not right.
    pub wrong: usize,
    /// How many questions there are.
    pub asked: usize,
    /// The known mistakes that give the same answers to all of them: one, as a rule.
    pub diagnoses: Vec<Diagnosis>,
}

/// What was wrong with an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The function returned something else than expected.
    Wrong(Fault),
    /// It panicked: what it said, and where.
    Panicked(String),
    /// The student's process ended: how.
    Ended(String),
    /// It did not return in time.
    TooSlow,
}

/// A mistake that others have made before.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// What it is, in a few words.
    pub name: &'static str,
    /// The equation or section that says what would be right, if not that of the exercise.
    pub about: Option<&'static str>,
    /// The key of the tutorial that has it.
    pub published: Option<&'static str>,
}

/// Asks all questions of a check, and judges the answers.
pub fn grade(chapter: &Chapter, check: usize, seed: u64, student: &mut dyn Answers) -> Outcome {
    let questions = chapter.questions(check, seed);
    let answers = ask(&questions, student);
    if answers.first() == Some(&Answer::NotWritten) {
        return Outcome::NotWritten;
    }
    let reasons: Vec<Option<Reason>> =
        questions.iter().zip(&answers).map(|(question, answer)| reason(question, answer)).collect();
    let Some(first) = reasons.iter().position(Option::is_some) else {
        return Outcome::Passed;
    };
    let (question, wrong) = (&questions[first], reasons.iter().flatten().count());
    Outcome::Failed(Box::new(Failure {
        case: question.case.clone(),
        given: given(&question.call),
        wrong,
        asked: questions.len(),
        diagnoses: diagnose(chapter, check, &questions, &answers),
        reason: reasons.into_iter().flatten().next().expect("there is a first"),
    }))
}

/// The answers, up to one after which there will be no others.
fn ask(questions: &[Question], student: &mut dyn Answers) -> Vec<Answer> {
    let mut answers = Vec::new();
    for question in questions {
        let answer = student.answer(&question.call);
        let last = matches!(answer, Answer::NotWritten | Answer::Ended(_) | Answer::TooSlow);
        answers.push(answer);
        if last {
            break;
        }
    }
    answers
}

/// What is wrong with an answer; nothing if it is right.
pub fn reason(question: &Question, answer: &Answer) -> Option<Reason> {
    match answer {
        Answer::Returned(value) => question.fault(value).map(Reason::Wrong),
        Answer::Panicked(said) => Some(Reason::Panicked(said.clone())),
        Answer::Ended(how) => Some(Reason::Ended(how.clone())),
        Answer::NotWritten => Some(Reason::Panicked("this call comes to a todo!()".to_owned())),
        Answer::TooSlow => Some(Reason::TooSlow),
    }
}

/// The known mistakes that look like these answers.
fn diagnose(
    chapter: &Chapter,
    check: usize,
    questions: &[Question],
    answers: &[Answer],
) -> Vec<Diagnosis> {
    if answers.len() < questions.len() {
        return Vec::new();
    }
    let function = chapter.checks[check].0;
    let variants = (chapter.variants)().into_iter();
    let alike = variants.filter(|variant| {
        variant.wrong && variant.function == function && makes(variant, questions, answers)
    });
    let diagnosis = |v: Variant| Diagnosis { name: v.name, about: v.about, published: v.published };
    alike.map(diagnosis).collect()
}

/// Whether a variant gets the same answers wrong, and in the same way.
fn makes(variant: &Variant, questions: &[Question], answers: &[Answer]) -> bool {
    questions.iter().zip(answers).all(|(question, answer)| {
        let other = (&variant.answer).answer(&question.call);
        match (reason(question, answer), reason(question, &other)) {
            (None, None) => true,
            (Some(_), Some(_)) => match (answer, &other) {
                (Answer::Returned(one), Answer::Returned(other)) => question.alike(one, other),
                (Answer::Panicked(_), Answer::Panicked(_)) => true,
                _ => false,
            },
            _ => false,
        }
    })
}

/// The arguments of a call, as they are shown.
fn given(call: &Call) -> Vec<(String, String)> {
    let shown = call.arguments.iter().map(|(name, value)| {
        let shape = show::shape(value);
        let name = if shape.is_empty() { name.clone() } else { format!("{name} {shape}") };
        (name, show::value(value))
    });
    shown.collect()
}

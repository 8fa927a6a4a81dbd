//! The checks behind `cargo xtask grade`: what the student's functions are called with, and what
//! is expected of them.
//!
//! A chapter is one file: the reference, which points at the library, and a check for each
//! function, which asks questions. Signatures stand in `assignments/signatures`; titles, points
//! and hints in the registry, `assignments/chapterNN/exercises.toml`, from which the book prints
//! its exercises. Below each chapter are its *mutants*, wrong variants that the checks have to
//! catch and to recognise, and right variants that have to pass. `assignments/README.md` says how
//! a chapter is added.
//!
//! The student's code is not linked to this. It runs in a process of its own (`answer`), which
//! is told the arguments and returns values; they are compared here.

mod answer;
mod chapter;
mod compare;
mod course;
mod draw;
mod formats;
mod matrix;
mod outcome;
mod question;
mod report;
mod show;
mod together;

mod chapter01;
mod chapter02;
mod chapter03;
mod chapter04;
mod chapter05;
mod chapter06;
mod chapter07;
mod chapter08;
mod chapter09;
mod chapter10;

pub use answer::{Answer, Answers, Student};
pub use chapter::{Chapter, Variant};
pub use course::{Error, Part, Programs, grade};
pub use formats::{gradescope, junit, write};
pub use matrix::matrix;
pub use outcome::{Diagnosis, Failure, Outcome, Reason, grade as grade_check};
pub use report::{Line, Report, summary};
pub use together::{grade as grade_together, reference};

/// The chapters that have an assignment.
pub const CHAPTERS: &[Chapter] = &[
    // A line for each.
    chapter01::CHAPTER,
    chapter02::CHAPTER,
    chapter03::CHAPTER,
    chapter04::CHAPTER,
    chapter05::CHAPTER,
    chapter06::CHAPTER,
    chapter07::CHAPTER,
    chapter08::CHAPTER,
    chapter09::CHAPTER,
    chapter10::CHAPTER,
];

//! The checks behind `cargo xtask grade`: what the student's functions are called with, and what
//! is expected of them.
//!
//! A chapter is one file: the signatures of its functions, the reference, which points at the
//! library, and a check for each function. Titles, points and hints stand in the registry,
//! `assignments/chapterNN/exercises.toml`, from which the book prints its exercises. Below each
//! chapter are its *mutants*, wrong variants that the checks have to catch, and right variants
//! that have to pass. `assignments/README.md` says how a chapter is added.

// Signatures stand in `Functions` as the student has them.
#![allow(clippy::type_complexity)]

mod chapter;
mod draw;
mod given;
mod panic;
mod registry;
mod report;
mod run;
mod show;
mod value;

mod chapter01;
mod chapter02;
mod chapter03;
mod chapter04;
mod chapter05;

pub use chapter::{Chapter, Check, Variant, bind};
pub use draw::Draw;
pub use given::{Failure, Given, Tolerance, Verdict, given};
pub use registry::{Exercise, Kind, Registry};
pub use report::Report;
pub use run::{Outcome, run};
pub use value::{Entry, Value};

/// The chapters that have an assignment.
pub const CHAPTERS: &[Chapter] = &[
    // A line for each.
    chapter01::CHAPTER,
    chapter02::CHAPTER,
    chapter03::CHAPTER,
    chapter04::CHAPTER,
    chapter05::CHAPTER,
];

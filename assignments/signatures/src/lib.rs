//! The functions that students write: their signatures, chapter by chapter, and how a call of one
//! of them travels from the grader's process to the student's and back.
//!
//! The grader never runs a student's code. It sends a [`Call`], a name and arguments, through a
//! pipe; the program in `assignments/answers` makes the call and sends a [`Reply`] back. Both
//! sides are compiled with the signatures in this crate, one [`signatures!`] for each chapter.

mod argument;
mod frame;
mod macros;
mod message;
mod value;

pub mod chapter01;
pub mod chapter02;
pub mod chapter03;
pub mod chapter04;
pub mod chapter05;
pub mod chapter06;
pub mod chapter07;
pub mod chapter08;
pub mod chapter09;
pub mod chapter10;

pub use argument::{Argument, Exchange};
pub use frame::{read_frame, write_frame};
pub use message::{Call, Functions, Misfit, Reply, TypedCall, reply_to};
pub use value::Value;

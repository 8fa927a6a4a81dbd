//! Your answers: one file for each chapter.
//!
//! Replace each `todo!()` in `chapter01.rs` by code of your own, and run `cargo xtask grade 1`.
//! Arrays come from ndarray; the library of the book is not to be seen from here.

#[cfg(feature = "chapter01")]
pub mod chapter01;
#[cfg(feature = "chapter02")]
pub mod chapter02;
#[cfg(feature = "chapter03")]
pub mod chapter03;
#[cfg(feature = "chapter04")]
pub mod chapter04;
#[cfg(feature = "chapter05")]
pub mod chapter05;
#[cfg(feature = "chapter06")]
pub mod chapter06;
#[cfg(feature = "chapter07")]
pub mod chapter07;
#[cfg(feature = "chapter08")]
pub mod chapter08;
#[cfg(feature = "chapter09")]
pub mod chapter09;
#[cfg(feature = "chapter10")]
pub mod chapter10;

//! What the chapters of *Gradus* share: the command line, progress, tables, figures and the
//! files that the book quotes.
//!
//! A chapter computes, and tells its [`Lab`] what it found:
//!
//! ```no_run
//! #[derive(clap::Parser)]
//! #[command(about = "Chapter 0: a straight line")]
//! struct Args {
//!     #[command(flatten)]
//!     common: lab::Common,
//! }
//!
//! impl lab::Arguments for Args {
//!     fn common(&self) -> &lab::Common {
//!         &self.common
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     lab::main(env!("CARGO_PKG_NAME"), chapter)
//! }
//!
//! fn chapter(_: &Args, lab: &mut lab::Lab) -> lab::Result<()> {
//!     lab.section("line", "A straight line")?;
//!     lab.say("It rises by 2 for each step to the right.");
//!     lab.exact("slope", 2);
//!     let line = lab::Lines::new("x", "y").series("2x", [0.0, 1.0], [0.0, 2.0]);
//!     lab.figure("line", "The line y = 2x.", "A straight line that rises to the right.", &line)
//! }
//! ```

mod clock;
mod colour;
mod figure;
mod files;
mod machine;
mod progress;
mod record;
mod results;
mod start;
mod table;
pub mod text;

pub use clock::Clock;
pub use figure::Figure;
pub use figure::contours::Contours;
pub use figure::heat_map::HeatMap;
pub use figure::images::Images;
pub use figure::lines::Lines;
pub use figure::panels::Panels;
pub use figure::race::Race;
pub use figure::regions::Regions;
pub use figure::rows::Rows;
pub use machine::machine;
pub use progress::Progress;
pub use record::Lab;
pub use results::Number;
pub use start::{Arguments, Common, main};
pub use table::Table;

/// What a chapter returns: anything can go wrong, and all of it is only reported.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

//! The book as pages: mdBook with its preprocessors.

use crate::plan::Need;
use crate::set_up::set_up;
use crate::workspace::{cannot_start, cargo, root, status};
use crate::{Error, done, found};
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

/// `mdbook serve book ARGS`.
pub fn serve(args: &[String]) -> Result<ExitStatus, Error> {
    prepare()?;
    status(mdbook("serve").args(args).arg(root().join("book")))
}

/// `mdbook build book`, which calls it a success when a page is broken: here a warning is an
/// error.
pub fn build() -> Result<ExitStatus, Error> {
    prepare()?;
    let mut mdbook = mdbook("build");
    mdbook.arg(root().join("book")).stderr(Stdio::piped());
    // Nobody's settings may hide a warning.
    mdbook.env_remove("RUST_LOG").env_remove("MDBOOK_LOG");
    let mut child = mdbook.spawn().map_err(|source| cannot_start(&mdbook, source))?;
    let mut warnings = 0;
    for line in BufReader::new(child.stderr.take().expect("it is piped")).split(b'\n').flatten() {
        let line = String::from_utf8_lossy(&line);
        eprintln!("{line}");
        warnings += usize::from(is_warning(&line));
    }
    done(child.wait().map_err(|source| cannot_start(&mdbook, source))?)?;
    if warnings == 0 { Ok(ExitStatus::default()) } else { Err(Error::Warnings(warnings)) }
}

/// Installs mdBook, and builds our own preprocessor: into a folder of its own, where no
/// chapter that is being built keeps the pages waiting.
fn prepare() -> Result<(), Error> {
    set_up(&[Need::Compiler, Need::Patch, Need::MdBook, Need::MdBookKatex])?;
    let mut cargo = cargo("build");
    cargo.args(["--package", "bookwright", "--target-dir"]).arg(root().join("target/book"));
    done(status(&mut cargo)?)
}

/// mdBook, which finds its preprocessors where cargo installs them.
fn mdbook(subcommand: &str) -> Command {
    let mut mdbook = Command::new("mdbook");
    mdbook.arg(subcommand).env("PATH", found::path());
    mdbook
}

/// Whether a line of mdBook's or a preprocessor's log tells of something wrong. That
/// mdbook-katex was built beside another patch of mdBook is nothing wrong.
fn is_warning(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| word == "WARN" || word == "ERROR")
        && !line.contains("mdbook-katex was built against mdbook")
}

#[cfg(test)]
mod tests {
    use super::is_warning;

    #[test]
    fn warnings_are_found_in_every_form_of_a_log() {
        assert!(is_warning(" WARN unclosed HTML tag `<b>` found in `chapter_1.md`"));
        assert!(is_warning("ERROR Error updating \"{{#include nothing.md}}\""));
        assert!(is_warning("2026-01-01 12:00:00 [WARN] (mdbook::book): x"));
        assert!(is_warning("[2026-01-01T12:00:00Z ERROR mdbook_katex] x"));
        assert!(!is_warning(" INFO HTML book written to `target/book-html`"));
        assert!(!is_warning(" INFO Warnings and errors: none"));
        assert!(!is_warning(
            "WARN mdbook_katex: This mdbook-katex was built against mdbook v0.5.3, but we are \
             being called from mdbook v0.5.4."
        ));
    }
}

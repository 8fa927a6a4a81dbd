//! Packs what grades a chapter as an archive for Gradescope: `cargo xtask gradescope 2` builds and
//! starts this. The scripts in the archive are those in `templates/`; its `README.md` says what it
//! protects, and what not.

mod archive;
mod manifest;
mod sources;
mod vendor;

use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::{env, fs, io};

/// Packs the grader of a chapter for Gradescope
#[derive(Parser)]
#[command(bin_name = "cargo xtask gradescope")]
struct Args {
    /// The chapter's number, or `all`: every chapter, and all of a student's work together
    chapter: String,
    /// The seed of the questions, the same ones for every submission
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Other questions for each submission
    #[arg(long, conflicts_with = "seed")]
    fresh_seeds: bool,
    /// Where the book is published, for links to it
    #[arg(long, value_parser = address)]
    book: Option<String>,
    /// The archive, instead of `target/gradescope/chapter02.zip`
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("chapter `{asked}` has no assignment; these have one: {there_are:?}, and `all`")]
    NoSuchChapter { asked: String, there_are: Vec<u32> },
    #[error("{action} {}: {source}", .path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{}: {problem}", .path.display())]
    Manifest { path: PathBuf, problem: String },
    #[error("{}: {source}", .path.display())]
    Registry { path: PathBuf, source: registry::Error },
    #[error("cannot start `{program}`: {source}")]
    CannotStart { program: String, source: io::Error },
    #[error("`{command}` failed: {status}\n{said}")]
    Failed { command: String, status: ExitStatus, said: String },
    #[error("cannot read what `cargo metadata` printed: {0}")]
    Metadata(#[from] serde_json::Error),
    #[error(
        "{0} is not in the repository's Cargo.lock: the archive would grade with other crates. \
         Does `cargo build --locked` work in the repository?"
    )]
    NotLocked(String),
    #[error(
        "`{0}` is no released version of Rust, and could not be installed again: \
         make the archive with one, `cargo +1.95.0 xtask gradescope` for example"
    )]
    NotReleased(String),
    #[error("cannot write {}: {source}", .path.display())]
    Zip { path: PathBuf, source: zip::result::ZipError },
}

fn main() -> ExitCode {
    match pack(&Args::parse()) {
        Ok((path, bytes)) => {
            println!("{}: {:.1} MB", path.display(), bytes as f64 / 1e6);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the archive; says where it is, and how large.
fn pack(args: &Args) -> Result<(PathBuf, u64), Error> {
    let root = root();
    let chapters = chosen(&args.chapter, sources::chapters(&root)?)?;
    let name = match &chapters[..] {
        [chapter] if args.chapter != "all" => format!("chapter{chapter:02}"),
        _ => "all".to_owned(),
    };
    let points = sources::points(&root, &chapters, args.chapter == "all")?;
    let settings = settings(args, &chapters, points, &released(&rustc_version()?)?);
    let folder = target(&root).join("gradescope");
    // It is kept, for those who would like to see what is in the archive.
    let stage = folder.join(&name);
    if stage.exists() {
        fs::remove_dir_all(&stage).map_err(file("cannot empty", &stage))?;
    }
    sources::copy(&root, &stage, &chapters, args.chapter == "all", &settings)?;
    vendor::vendor(&root, &stage)?;
    let path = args.out.clone().unwrap_or_else(|| folder.join(name + ".zip"));
    let bytes = archive::write(&stage, &path)?;
    Ok((path, bytes))
}

/// The chapters to grade.
fn chosen(asked: &str, there_are: Vec<u32>) -> Result<Vec<u32>, Error> {
    if asked == "all" {
        return Ok(there_are);
    }
    match asked.strip_prefix("chapter").unwrap_or(asked).parse() {
        Ok(number) if there_are.contains(&number) => Ok(vec![number]),
        _ => Err(Error::NoSuchChapter { asked: asked.to_owned(), there_are }),
    }
}

/// What stands in the templates for `@NAME@`.
fn settings(args: &Args, chapters: &[u32], points: u32, rust: &str) -> Vec<(&'static str, String)> {
    let all = args.chapter == "all";
    let mut programs: Vec<_> =
        chapters.iter().map(|number| format!("chapter{number:02}")).collect();
    let files: Vec<_> = programs.iter().map(|program| format!("`{program}.rs`")).collect();
    let (name, part, what) = match all {
        true => ("all".to_owned(), "all".to_owned(), "all chapters".to_owned()),
        false => {
            let number = chapters[0];
            (programs[0].clone(), number.to_string(), format!("chapter {number}"))
        }
    };
    if all {
        programs.push("together".to_owned());
    }
    let mut options = Vec::new();
    if !args.fresh_seeds {
        options.push(format!("--seed {}", args.seed));
    }
    if let Some(book) = &args.book {
        options.push(format!("--book '{book}'"));
    }
    let seeds = match args.fresh_seeds {
        true => "Each submission is asked other questions.".to_owned(),
        false => format!("Every submission is asked the same questions (seed {}).", args.seed),
    };
    vec![
        ("WHAT", what),
        ("NAME", name),
        ("PART", part),
        ("PROGRAMS", programs.join(" ")),
        ("FILES", files.join(", ")),
        ("OPTIONS", options.join(" ")),
        ("POINTS", points.to_string()),
        ("SEEDS", seeds),
        ("RUST", rust.to_owned()),
        ("GRADE_SECONDS", if all { "900" } else { "180" }.to_owned()),
        ("TIMEOUT", if all { "40 minutes" } else { "10 minutes" }.to_owned()),
    ]
}

/// An address that can stand in a shell script.
fn address(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_graphic() && !"'\"\\`$<>".contains(c);
    match text.starts_with("http") && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("not an address such as https://example.org/gradus/".to_owned()),
    }
}

/// What `rustc --version` prints.
fn rustc_version() -> Result<String, Error> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    output(Command::new(rustc).arg("--version"))
}

/// The version in `rustc 1.95.0 (59807616e 2026-04-14)`, if an installer knows it.
fn released(printed: &str) -> Result<String, Error> {
    let version = printed.split(' ').nth(1).unwrap_or_default();
    match version.split('.').count() == 3 && version.chars().all(|c| ".0123456789".contains(c)) {
        true => Ok(version.to_owned()),
        false => Err(Error::NotReleased(printed.trim().to_owned())),
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("")).to_owned()
}

/// Where cargo puts what it builds.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The cargo that started us.
fn cargo(subcommand: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(subcommand);
    cargo
}

/// Runs a command, and keeps what it prints.
fn output(command: &mut Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| Error::CannotStart { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::Failed {
        command: format!("{command:?}"),
        status: output.status,
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// An error with the file that it is about.
fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::File { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_is_found_by_number_or_by_name() {
        for asked in ["2", "02", "chapter02"] {
            assert_eq!(chosen(asked, vec![1, 2]).unwrap(), [2], "{asked}");
        }
        assert_eq!(chosen("all", vec![1, 2]).unwrap(), [1, 2]);
        let said = chosen("3", vec![1, 2]).unwrap_err().to_string();
        assert_eq!(said, "chapter `3` has no assignment; these have one: [1, 2], and `all`");
    }

    #[test]
    fn only_a_released_rust_can_be_installed_again() {
        assert_eq!(released("rustc 1.95.0 (59807616e 2026-04-14)\n").unwrap(), "1.95.0");
        assert!(released("rustc 1.97.0-nightly (0123456 2026-06-01)\n").is_err());
        assert!(released("").is_err());
    }

    #[test]
    fn an_address_cannot_end_the_quotes_around_it() {
        assert!(address("https://example.org/gradus/?a=1&b=(2)#c").is_ok());
        for text in ["", "example.org", "https://x'; reboot; '", "https://x y", "https://$(x)"] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seeds_are_the_same_for_all_unless_others_are_asked_for() {
        let options = |words: &[&str]| {
            let args = Args::parse_from([&["gradescope", "2"], words].concat());
            let settings = settings(&args, &[2], 14, "1.95.0");
            settings.into_iter().find(|(name, _)| *name == "OPTIONS").unwrap().1
        };
        assert_eq!(options(&[]), "--seed 1");
        assert_eq!(options(&["--seed", "7"]), "--seed 7");
        assert_eq!(options(&["--fresh-seeds", "--book", "https://x"]), "--book 'https://x'");
        assert!(Args::try_parse_from(["x", "2", "--seed", "7", "--fresh-seeds"]).is_err());
    }
}

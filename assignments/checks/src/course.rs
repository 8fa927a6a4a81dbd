//! Grading the parts of the course: a chapter by itself, or all of a student's work together.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use std::{fs, io};

use registry::{Exercise, Kind, Registry};

use crate::CHAPTERS;
use crate::answer::Student;
use crate::chapter::Chapter;
use crate::outcome::{self, Outcome};
use crate::report::{Line, Report};
use crate::together;

/// What one check may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What training with the student's functions may take.
const LIMIT_TOGETHER: Duration = Duration::from_secs(120);

/// Something that is graded by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The functions of one chapter, with the library for everything else.
    Chapter(u32),
    /// The functions of several chapters, which train a network.
    Together,
}

/// Where the programs with the student's code are, and how they are started.
#[derive(Debug, Clone)]
pub struct Programs {
    /// This folder holds a program for each part, `chapter02` or `together`, or a text that says
    /// why there is none, `chapter02.txt`.
    pub folder: PathBuf,
    /// A program, and its arguments, that starts them: nothing, to start them as they are.
    pub run_with: Vec<OsString>,
}

/// Why something cannot be graded. What is wrong with a student's code is not among it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such assignment.
    #[error("`{asked}` has no assignment; there are {}", in_words(&Part::all()))]
    NoSuchPart {
        /// What was asked for.
        asked: String,
    },
    /// The text of a chapter is not as it should be.
    #[error("assignments/chapter{chapter:02}/exercises.toml, {source}")]
    Registry {
        /// The chapter.
        chapter: u32,
        /// What is wrong with it.
        source: registry::Error,
    },
    /// A program with the student's code does not start.
    #[error("cannot start {program:?}: {source}")]
    CannotStart {
        /// The program.
        program: OsString,
        /// Why.
        source: io::Error,
    },
    /// The images are not there.
    #[error(transparent)]
    Images(#[from] gradus::Error),
}

impl Part {
    /// Everything there is, in order.
    pub fn all() -> Vec<Self> {
        let chapters = CHAPTERS.iter().map(|chapter| Self::Chapter(chapter.number));
        chapters.chain([Self::Together]).collect()
    }

    /// Its program's name: `chapter02`.
    pub fn program(self) -> String {
        match self {
            Self::Chapter(number) => format!("chapter{number:02}"),
            Self::Together => "together".to_owned(),
        }
    }

    /// Its page in the book: `chapter02`.
    pub fn page(self) -> String {
        format!("chapter{:02}", self.chapter().number)
    }

    /// The chapter whose text has its exercises.
    fn chapter(self) -> &'static Chapter {
        let is_it = |chapter: &&Chapter| match self {
            Self::Chapter(number) => chapter.number == number,
            Self::Together => has_the_work_together(chapter),
        };
        CHAPTERS.iter().find(is_it).unwrap_or(&CHAPTERS[CHAPTERS.len() - 1])
    }

    /// Its exercises.
    ///
    /// # Errors
    /// If the text of the chapter is not as it should be.
    pub fn exercises(self) -> Result<Vec<Exercise>, Error> {
        let chapter = self.chapter();
        let kind = if self == Self::Together { Kind::Together } else { Kind::Assignment };
        let registry = Registry::read(chapter.exercises)
            .map_err(|source| Error::Registry { chapter: chapter.number, source })?;
        Ok(registry.exercises.into_iter().filter(|exercise| exercise.kind == kind).collect())
    }

    /// A report in which this has become of every check.
    ///
    /// # Errors
    /// If the text of the chapter is not as it should be.
    pub fn report(self, seed: u64, outcome: impl Fn(usize) -> Outcome) -> Result<Report, Error> {
        let lines = self.exercises()?.into_iter().enumerate().map(|(check, exercise)| {
            let outcome = outcome(check);
            Line { exercise, outcome, note: String::new(), printed: String::new() }
        });
        Ok(Report { part: self, seed, lines: lines.collect() })
    }
}

/// Whether the exercise on all of a student's work stands in a chapter's text.
fn has_the_work_together(chapter: &Chapter) -> bool {
    let Ok(registry) = Registry::read(chapter.exercises) else { return false };
    registry.exercises.iter().any(|exercise| exercise.kind == Kind::Together)
}

impl FromStr for Part {
    type Err = Error;

    fn from_str(asked: &str) -> Result<Self, Error> {
        let number = asked.strip_prefix("chapter").unwrap_or(asked).parse();
        let part = match number {
            Ok(number) => Some(Self::Chapter(number)),
            Err(_) => (asked == "together").then_some(Self::Together),
        };
        part.filter(|part| Self::all().contains(part))
            .ok_or_else(|| Error::NoSuchPart { asked: asked.to_owned() })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chapter(number) => write!(f, "Chapter {number}"),
            Self::Together => f.write_str("All together"),
        }
    }
}

fn in_words(parts: &[Part]) -> String {
    let words = parts.iter().map(|part| match part {
        Part::Chapter(number) => number.to_string(),
        Part::Together => "together".to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Grades one part of the course.
///
/// # Errors
/// If that cannot be done, for a reason that is not the student's.
pub fn grade(part: Part, programs: &Programs, seed: u64) -> Result<Report, Error> {
    let program = programs.folder.join(part.program());
    if !program.exists() {
        let why = fs::read_to_string(program.with_extension("txt"));
        let why = why.unwrap_or_else(|_| format!("there is no program {}", program.display()));
        return part.report(seed, |_| Outcome::NotGraded(why.clone()));
    }
    let mut command = programs.run_with.clone();
    command.push(program.into_os_string());
    let limit = if part == Part::Together { LIMIT_TOGETHER } else { LIMIT };
    let start = || {
        Student::start(&command, limit)
            .map_err(|source| Error::CannotStart { program: command[0].clone(), source })
    };
    let mut lines = Vec::new();
    for (check, exercise) in part.exercises()?.into_iter().enumerate() {
        // Each check has a process of its own: one that ends it costs no other check.
        let mut student = start()?;
        let (outcome, note) = match part {
            Part::Chapter(_) => {
                (outcome::grade(part.chapter(), check, seed, &mut student), String::new())
            }
            Part::Together => together::grade(seed, &mut student)?,
        };
        lines.push(Line { exercise, outcome, note, printed: student.finish() });
    }
    Ok(Report { part, seed, lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_number_or_by_name() {
        for (asked, part) in [
            ("2", Part::Chapter(2)),
            ("02", Part::Chapter(2)),
            ("chapter02", Part::Chapter(2)),
            ("together", Part::Together),
        ] {
            assert_eq!(asked.parse::<Part>().unwrap(), part, "{asked}");
            assert_eq!(part.program().parse::<Part>().unwrap(), part);
        }
        for asked in ["0", "99", "", "chapter", "-1", "Together", "chaptertogether"] {
            let said = asked.parse::<Part>().unwrap_err().to_string();
            let right = format!("`{asked}` has no assignment; there are 1, 2, 3, 4, 5");
            assert!(said.starts_with(&right) && said.ends_with(", together"), "{said}");
        }
    }

    #[test]
    fn the_work_together_stands_in_one_chapter_which_need_not_be_the_last() {
        let with = CHAPTERS.iter().filter(|chapter| has_the_work_together(chapter));
        assert_eq!(with.map(|chapter| chapter.number).collect::<Vec<_>>(), [5]);
        assert_eq!(Part::Together.page(), "chapter05");
        let exercises = Part::Together.exercises().unwrap();
        assert_eq!(exercises.iter().map(|e| &e.name[..]).collect::<Vec<_>>(), ["all_together"]);
    }
}

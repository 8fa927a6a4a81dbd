//! What a chapter says and finds, on the screen and in the files that the book quotes.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use unicode_width::UnicodeWidthStr;

use crate::results::{
    Description, Likeness, Number, Problem, Results, Value, check_name, check_tolerance,
};
use crate::{Figure, Progress, Result, Table, files, machine};

/// Where a chapter reports to.
///
/// What it says is printed, and from the first [`section`](Lab::section) on also recorded;
/// figures, recorded outputs and results become files in the chapter's folder.
pub struct Lab {
    chapter: String,
    out: PathBuf,
    /// Whether `out` is the chapter's own folder, which holds nothing that it did not make.
    own: bool,
    /// Whether nothing of this run goes into files.
    aside: bool,
    results: Results,
    section: Option<Section>,
    problem: Option<Box<dyn Error>>,
    screen: Box<dyn Write>,
}

/// What was said and drawn since a section began.
struct Section {
    name: String,
    text: String,
    figures: Vec<String>,
    likeness: Likeness,
}

impl Lab {
    /// Where `chapter` reports to: its own folder in the book, or `out`.
    pub(crate) fn new(chapter: &str, command: String, out: Option<&Path>) -> Result<Self> {
        let own = out.is_none();
        let out = match out {
            Some(out) => out.to_owned(),
            None => own_folder(chapter)?,
        };
        Self::with(chapter, command, out, own, Box::new(io::stdout()))
    }

    fn with(
        chapter: &str,
        command: String,
        out: PathBuf,
        own: bool,
        screen: Box<dyn Write>,
    ) -> Result<Self> {
        files::folder(&out)?;
        files::folder(&out.join("outputs"))?;
        Ok(Self {
            chapter: chapter.into(),
            out,
            own,
            aside: false,
            results: Results { command, ..Results::default() },
            section: None,
            problem: None,
            screen,
        })
    }

    /// Says that this run is one that a reader tries out, with settings that are not the
    /// chapter's: unless they have chosen a folder for its files, it is only printed, and what
    /// the book quotes stays as it is.
    pub fn aside(&mut self) {
        self.aside = self.own;
    }

    /// Begins a section: prints its title. What is said from here on, up to the next
    /// section, is also recorded as `outputs/NAME.txt`, below the command that made it.
    ///
    /// # Errors
    /// If the name is taken or is not a name, or the section before cannot be written.
    pub fn section(&mut self, name: &str, title: &str) -> Result<()> {
        check_name(name)?;
        self.end_section()?;
        if self.results.outputs.contains_key(name) {
            return Err(Problem::Twice { what: "section", name: name.into() }.into());
        }
        self.print(&format!("\n{title}\n{}\n", "─".repeat(title.width())));
        self.section = Some(Section {
            name: name.into(),
            text: format!("$ {}\n", self.results.command),
            figures: Vec::new(),
            likeness: Likeness::default(),
        });
        Ok(())
    }

    fn end_section(&mut self) -> Result<()> {
        let Some(section) = self.section.take() else { return Ok(()) };
        if self.aside {
            return Ok(());
        }
        let path = self.out.join("outputs").join(format!("{}.txt", section.name));
        files::write(&path, &section.text)?;
        for name in &section.figures {
            if let Some(figure) = self.results.figures.get_mut(name) {
                figure.likeness = section.likeness;
            }
        }
        self.results.outputs.insert(section.name, section.likeness);
        Ok(())
    }

    /// Lets the numbers that this section prints and draws stray in another run, by the rule
    /// of [`near`](Lab::near). A section that does not call this or
    /// [`section_machine`](Lab::section_machine) has a tolerance of 1e-6. What is printed may
    /// always differ by one in its last decimal.
    pub fn section_near(&mut self, tolerance: f64) {
        self.section_is(Likeness::Near { tolerance });
    }

    /// Says that what this section prints and draws depends on the machine: of another run
    /// only the words are compared.
    pub fn section_machine(&mut self) {
        self.section_is(Likeness::Machine);
    }

    fn section_is(&mut self, likeness: Likeness) {
        let result = match (&mut self.section, likeness) {
            (None, _) => Err(Problem::NoSection),
            (Some(section), Likeness::Near { tolerance }) => {
                check_tolerance(&section.name, tolerance).map(|()| section.likeness = likeness)
            }
            (Some(section), Likeness::Machine) => {
                section.likeness = likeness;
                Ok(())
            }
        };
        self.note(result);
    }

    /// Prints and records a line, or several.
    pub fn say(&mut self, text: impl Display) {
        let text = text.to_string();
        self.print(&text);
        if let Some(section) = &mut self.section {
            section.text.push_str(&text);
            section.text.push('\n');
        }
    }

    /// Prints and records a table.
    pub fn table(&mut self, table: &Table) {
        self.say(table);
    }

    /// A result that is the same in every run.
    pub fn exact(&mut self, name: &str, value: impl Into<Number>) {
        self.add(name, Value::Exact { value: value.into() });
    }

    /// A result of which another run may find x, with
    /// |x − `value`| ≤ `tolerance` · max(1, |`value`|): relative for large numbers, absolute
    /// for small ones.
    pub fn near(&mut self, name: &str, value: f64, tolerance: f64) {
        self.add(name, Value::Near { tolerance, value: value.into() });
    }

    /// A result that depends on the machine, such as a time.
    pub fn machine(&mut self, name: &str, value: f64, unit: &str) {
        self.add(name, Value::Machine { unit: unit.into(), value: value.into() });
    }

    fn add(&mut self, name: &str, value: Value) {
        let result = self.results.add(name, value);
        self.note(result);
    }

    /// Keeps the first mistake for the end.
    fn note(&mut self, result: std::result::Result<(), Problem>) {
        if let Err(problem) = result {
            self.problem.get_or_insert(problem.into());
        }
    }

    /// Writes a figure as `NAME.svg` and its data as `NAME.csv`. The caption says what is
    /// plotted, with which settings; `alt` says what one would see.
    ///
    /// # Errors
    /// If the name is taken or is not a name, a text is missing, the data cannot be drawn, or
    /// a file cannot be written.
    pub fn figure(
        &mut self,
        name: &str,
        caption: &str,
        alt: &str,
        figure: &dyn Figure,
    ) -> Result<()> {
        check_name(name)?;
        if caption.trim().is_empty() || alt.trim().is_empty() || alt == caption {
            return Err(Problem::Wordless { name: name.into() }.into());
        }
        let likeness = Likeness::default();
        let description = Description { alt: alt.into(), caption: caption.into(), likeness };
        if self.results.figures.insert(name.into(), description).is_some() {
            return Err(Problem::Twice { what: "figure", name: name.into() }.into());
        }
        if let Some(section) = &mut self.section {
            section.figures.push(name.into());
        }
        let svg = figure.draw().map_err(|error| format!("figure {name:?}: {error}"))?;
        if self.aside {
            return Ok(());
        }
        files::write(&self.out.join(format!("{name}.svg")), &svg)?;
        files::write(&self.out.join(format!("{name}.csv")), &figure.csv())?;
        Ok(())
    }

    /// Shows how far a training has come.
    pub fn progress(&mut self, label: &str) -> Progress {
        Progress::new(label)
    }

    /// The folder for this chapter's files.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// The chapter's name.
    pub fn chapter(&self) -> &str {
        &self.chapter
    }

    /// Prints a line. A reader who has seen enough and closed the pipe is no reason to stop;
    /// a full disk is reported at the end.
    fn print(&mut self, text: &str) {
        if let Err(error) = writeln!(self.screen, "{text}") {
            if error.kind() != io::ErrorKind::BrokenPipe {
                let error = format!("cannot write to standard output: {error}");
                self.problem.get_or_insert(error.into());
            }
            self.screen = Box::new(io::sink());
        }
    }

    /// Writes what is left to write, and says where everything went.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.end_section()?;
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if self.aside {
            return Ok(());
        }
        self.results.machine = self.results.depend_on_machine().then(machine::machine);
        files::write(&self.out.join("results.json"), &self.results.json())?;
        if self.own {
            self.remove_leftovers()?;
        }
        let here = std::env::current_dir().unwrap_or_default();
        let out = self.out.strip_prefix(&here).unwrap_or(&self.out).display().to_string();
        self.print(&format!("\nFigures and results are in {out}"));
        self.problem.map_or(Ok(()), Err)
    }

    /// Removes the figures and outputs of earlier versions of this chapter.
    fn remove_leftovers(&self) -> Result<()> {
        for name in files::stems(&self.out, "svg") {
            if !self.results.figures.contains_key(&name) {
                files::remove(&self.out.join(format!("{name}.svg")))?;
                files::remove(&self.out.join(format!("{name}.csv")))?;
            }
        }
        let outputs = self.out.join("outputs");
        for name in files::stems(&outputs, "txt") {
            if !self.results.outputs.contains_key(&name) {
                files::remove(&outputs.join(format!("{name}.txt")))?;
            }
        }
        Ok(())
    }
}

/// The folder in the book that this chapter's files belong in.
fn own_folder(chapter: &str) -> Result<PathBuf> {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(""));
    if !workspace.join("Cargo.toml").is_file() {
        let gone = workspace.display();
        return Err(format!("the book is no longer in {gone}: choose a folder with --out").into());
    }
    Ok(workspace.join("book/src/generated").join(chapter))
}

#[cfg(test)]
mod tests;

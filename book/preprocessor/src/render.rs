//! A page with its directives replaced by what they name.

use crate::index::{self, Index, Page, Target};
use crate::markdown::{self, Kind, Piece, escape};
use crate::number;
use crate::problem::{Place, Problems, unknown};
use crate::repository::Repository;
use crate::results;
use crate::tex;
use std::collections::BTreeSet;

/// What is needed to render a page.
pub struct Renderer<'a> {
    /// Where everything is taken from.
    pub repository: &'a Repository,
    /// Where everything is printed.
    pub index: &'a Index,
    /// The page.
    pub page: &'a Page,
    /// What is wrong.
    pub problems: &'a mut Problems,
    /// The rows of the tables of symbols that were used: table and symbol.
    pub used: &'a mut BTreeSet<(String, String)>,
}

/// The directives that stand within a sentence.
const INLINE: [&str; 4] = ["ref", "value", "machine", "cite"];

/// The directives that stand on a line of their own.
const ALONE: [&str; 12] = [
    "equation",
    "listing",
    "test",
    "figure",
    "output",
    "run",
    "exercise",
    "mistakes",
    "kill_matrix",
    "symbols",
    "equations",
    "bibliography",
];

impl Renderer<'_> {
    /// The whole page.
    pub fn page(&mut self) -> String {
        let page = self.page;
        self.markdown(&page.text, &Place::new(&page.file, 1))
    }

    /// Markdown that begins at a place: a page, or a part of an exercise.
    pub fn markdown(&mut self, text: &str, place: &Place) -> String {
        let mut out = String::new();
        let mut sections = 0;
        for block in markdown::blocks(text) {
            let place = place.below(block.line);
            match block.kind {
                Kind::Heading(line) => out.push_str(&self.heading(line, &mut sections, &place)),
                Kind::Prose(text) => out.push_str(&self.prose(text, &place)),
                Kind::Fence { info, text, whole } => {
                    out.push_str(&self.fence(info, text, whole, &place));
                }
                Kind::Blank => out.push('\n'),
            }
        }
        out
    }

    fn heading(&mut self, line: &str, sections: &mut usize, place: &Place) -> String {
        let Some((level, title, given)) = markdown::heading(line) else { return line.to_owned() };
        let title = self.prose(title, place);
        let marks = "#".repeat(level);
        let id =
            index::section_id(&self.page.name, markdown::heading(line).map_or("", |h| h.1), given);
        match (level, self.page.chapter()) {
            (1, Some(chapter)) => format!("# {chapter}. {title}\n"),
            (1, None) => format!("# {title}\n"),
            (2, Some(chapter)) => {
                *sections += 1;
                format!("## {chapter}.{sections} {title} {{#{id}}}\n")
            }
            _ => format!("{marks} {title} {{#{id}}}\n"),
        }
    }

    /// A formula in a fence is a definition; a command in a fence has to exist.
    fn fence(&mut self, info: &str, text: &str, whole: &str, place: &Place) -> String {
        if info == "math" {
            self.formula(text, &place.below(1));
            return display(text.trim());
        }
        if ["sh", "console", "bash"].contains(&info) {
            for (i, line) in text.lines().enumerate() {
                let command = line.trim_start_matches("$ ").split(" #").next().unwrap_or_default();
                self.code(command.trim(), &place.below(i + 1));
            }
        }
        whole.to_owned()
    }

    /// Prose: formulas are checked and left for KaTeX, directives replaced.
    pub fn prose(&mut self, text: &str, place: &Place) -> String {
        let pieces = markdown::pieces(text);
        let mut out = String::new();
        for (i, (line, piece)) in pieces.iter().enumerate() {
            let place = place.below(*line);
            match *piece {
                Piece::Words(words) => out.push_str(words),
                Piece::Code(code, whole) => {
                    self.code(code, &place);
                    out.push_str(whole);
                }
                Piece::Math(formula) => {
                    if formula.contains("{{#") {
                        self.problems.add(&place, "a directive inside a formula");
                    }
                    self.formula(formula, &place);
                    // Written with white space inside, it would not be one for every reader.
                    out.push_str(&format!("${}$", formula.trim()));
                }
                Piece::StrayDollar("$$") => {
                    let message = "a displayed formula needs a test: {{#equation NAME}}; \
                                   a definition of notation stands in a fence, ```math";
                    self.problems.add(&place, message);
                }
                Piece::StrayDollar(_) => {
                    self.problems.add(&place, "a formula that is not closed; a dollar is \\$");
                }
                Piece::Directive(name, arguments) => {
                    let before = i.checked_sub(1).map(|i| pieces[i].1);
                    let alone =
                        ends_line(before, true) && ends_line(pieces.get(i + 1).map(|p| p.1), false);
                    match self.directive(name, arguments, alone, &place) {
                        Ok(text) => out.push_str(&text),
                        Err(message) => {
                            self.problems.add(&place, &message);
                            out.push_str(&format!("<mark>{}</mark>", escape(&message)));
                        }
                    }
                }
            }
        }
        out
    }

    /// Checks a code span, or a command.
    fn code(&mut self, code: &str, place: &Place) {
        if let Some(fault) = self.repository.fault_of_code(code) {
            self.problems.add(place, fault);
        }
    }

    /// Checks that every symbol of a formula is in a table: that of the page, or the common one.
    pub fn formula(&mut self, formula: &str, place: &Place) {
        let chapter = self.page.chapter();
        for symbol in tex::symbols(formula) {
            let mut tables: Vec<&String> = self.repository.symbols.keys().collect();
            if chapter.is_some() {
                // The chapter's own meaning comes before the common one.
                tables.retain(|table| **table == "common" || **table == self.page.name);
                tables.sort_by_key(|table| **table == "common");
            } else {
                tables.sort_by_key(|table| **table != "common");
            }
            let holds = |table: &&String| {
                self.repository.symbols[*table].iter().any(|row| tex::normal(&row.tex) == symbol)
            };
            match tables.into_iter().find(holds) {
                Some(table) => {
                    self.used.insert((table.clone(), symbol));
                }
                None => {
                    let file = crate::symbols::FOLDER;
                    let name = if chapter.is_some() { &self.page.name } else { "common" };
                    self.problems.add(
                        place,
                        format!(
                            "`{symbol}` is in no table of symbols: define it in {file}/{name}.toml"
                        ),
                    );
                }
            }
        }
    }

    fn directive(
        &mut self,
        name: &str,
        arguments: &str,
        alone: bool,
        place: &Place,
    ) -> Result<String, String> {
        if ALONE.contains(&name) && !alone {
            return Err(format!("{{{{#{name}}}}} needs a line of its own"));
        }
        let (first, rest) = match arguments.split_once(char::is_whitespace) {
            Some((first, rest)) => (first, rest.trim()),
            None => (arguments, ""),
        };
        if !rest.is_empty() && !["value", "run"].contains(&name) {
            return Err(format!("{{{{#{name}}}}} takes one name, not `{arguments}`"));
        }
        match name {
            "ref" => self.reference(first),
            "value" => self.value(first, rest),
            "machine" => self.machine(first),
            "cite" => self.citation(first),
            "equation" => self.equation(first),
            "listing" => self.listing(first),
            "test" => self.test(first),
            "figure" => self.figure(first),
            "output" => self.output(first),
            "run" => {
                self.code(arguments, place);
                Ok(format!("<div class=\"run\">\n\n```sh\n{arguments}\n```\n\n</div>"))
            }
            "exercise" => self.exercise(first),
            "mistakes" => self.mistakes(first),
            "kill_matrix" => self.kill_matrix(first),
            "symbols" => self.symbols(first),
            "equations" => self.equations(first),
            "bibliography" => Ok(self.bibliography()),
            _ => Err(unknown("directive", name, ALONE.into_iter().chain(INLINE))),
        }
    }

    fn reference(&mut self, name: &str) -> Result<String, String> {
        match self.index.get(name) {
            Some(target) => Ok(self.link(target)),
            None => Err(unknown(
                "equation, figure, listing, section, exercise or page",
                name,
                self.index.names(),
            )),
        }
    }

    /// A link to what is printed somewhere.
    pub fn link(&self, target: &Target) -> String {
        let page = if target.page == self.page.name && !target.id.is_empty() {
            String::new()
        } else {
            format!("{}.md", target.page)
        };
        let id = if target.id.is_empty() { String::new() } else { format!("#{}", target.id) };
        format!("[{}]({page}{id})", target.label)
    }

    fn value(&mut self, name: &str, format: &str) -> Result<String, String> {
        let value = results::find(&self.repository.results, "value", name, '.', |r| &r.values)?;
        number::format(value, format)
    }

    fn machine(&mut self, chapter: &str) -> Result<String, String> {
        let results = &self.repository.results;
        let Some(found) = results.get(chapter) else {
            return Err(unknown("chapter", chapter, results.keys().map(String::as_str)));
        };
        found.machine.as_deref().map(escape).ok_or_else(|| format!("{chapter} measured no times"))
    }

    pub(crate) fn citation(&mut self, key: &str) -> Result<String, String> {
        let works = &self.repository.works;
        match works.get(key) {
            Some(work) => Ok(format!("[{}](bibliography.md#{key})", work.label())),
            None => Err(unknown("work", key, works.keys().map(String::as_str))),
        }
    }
}

/// Whether nothing but a line break is on this side of a directive.
fn ends_line(neighbour: Option<Piece>, before: bool) -> bool {
    match neighbour {
        None => true,
        Some(Piece::Words(words)) if before => {
            words.rsplit('\n').next().is_some_and(|l| l.trim().is_empty()) && words.contains('\n')
        }
        Some(Piece::Words(words)) => words.starts_with('\n') || words.trim().is_empty(),
        Some(_) => false,
    }
}

/// A displayed formula for KaTeX, on one line: blank ones would end the HTML around it.
pub fn display(formula: &str) -> String {
    let line = formula.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    format!("<div class=\"formula\">$${line}$$</div>\n")
}

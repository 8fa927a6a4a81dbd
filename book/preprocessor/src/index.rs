//! What is printed where, and under which number.

use crate::exercises::Exercise;
use crate::markdown::{self, Kind, Piece};
use crate::problem::{Place, Problems};
use crate::repository::Repository;
use crate::results::GENERATED;
use std::collections::{BTreeMap, BTreeSet};

/// A page of the book.
pub struct Page {
    /// Its name: `chapter01`.
    pub name: String,
    /// Its file in the repository.
    pub file: String,
    /// Its text.
    pub text: String,
}

impl Page {
    /// The number of the chapter that it is, if it is one.
    pub fn chapter(&self) -> Option<u32> {
        self.name.strip_prefix("chapter")?.parse().ok()
    }

    /// Its title.
    pub fn title(&self) -> &str {
        let heading = self.text.lines().find_map(markdown::heading);
        heading.map_or("", |(_, title, _)| title)
    }
}

/// Where something is printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// What the text calls it: "(1.14)", "Figure 1.2".
    pub label: String,
    /// The page it is on.
    pub page: String,
    /// The element's id.
    pub id: String,
    /// The line that prints it.
    pub place: Place,
}

/// What is printed where.
#[derive(Default)]
pub struct Index {
    targets: BTreeMap<String, Target>,
    /// The sections that refer to something, by its name.
    pub referring: BTreeMap<String, BTreeSet<Target>>,
}

/// The directives that print something once.
const ONCE: [&str; 8] =
    ["equation", "figure", "listing", "exercise", "test", "output", "mistakes", "kill_matrix"];

/// The name under which something is found: the same for every directive that can print it.
fn key(directive: &str, name: &str) -> String {
    match directive {
        "test" | "output" | "mistakes" | "kill_matrix" => format!("{directive} {name}"),
        _ => name.to_owned(),
    }
}

/// The id of what a directive prints.
pub fn id(directive: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    format!("{directive}-{}", name.chars().map(plain).collect::<String>())
}

impl Index {
    /// Walks through the pages in their order and numbers what they print.
    pub fn new(pages: &[Page], repository: &Repository, problems: &mut Problems) -> Self {
        let mut index = Self::default();
        for page in pages {
            let chapter = page.chapter().map(|chapter| format!("Chapter {chapter}"));
            let label = chapter.unwrap_or_else(|| page.title().to_owned());
            let target = Target {
                label,
                page: page.name.clone(),
                id: String::new(),
                place: Place::new(&page.file, 1),
            };
            index.insert(page.name.clone(), target, problems);
            Walk::new(&mut index, page, problems).blocks(repository);
        }
        index.never_printed(repository, problems);
        index
    }

    /// Where something is printed.
    pub fn get(&self, name: &str) -> Option<&Target> {
        self.targets.get(name)
    }

    /// Where a listing, test or output of that directive is printed.
    pub fn printed(&self, directive: &str, name: &str) -> Option<&Target> {
        self.targets.get(&key(directive, name))
    }

    /// What can be referred to.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.targets.keys().map(String::as_str)
    }

    fn insert(&mut self, name: String, target: Target, problems: &mut Problems) {
        if let Some(other) = self.targets.get(&name) {
            let message = format!("`{name}` is already at {}", other.place);
            problems.add(&target.place, message);
        } else {
            self.targets.insert(name, target);
        }
    }

    /// Reports what the repository holds for the book, and no page prints.
    fn never_printed(&self, repository: &Repository, problems: &mut Problems) {
        let mut missing = |place: &Place, directive: &str, name: &str, page: &str| {
            if !self.targets.contains_key(name) {
                problems.add(
                    place,
                    format!("no page prints it: write {{{{#{directive} {name}}}}} in {page}"),
                );
            }
        };
        for (name, equation) in &repository.equations {
            let page = format!("book/src/chapter{:02}.md", equation.chapter);
            missing(&equation.place, "equation", name, &page);
        }
        for (name, listing) in &repository.listings {
            missing(
                &listing.place,
                "listing",
                name,
                "the page it belongs to, or take the anchor away",
            );
        }
        for (chapter, results) in &repository.results {
            let place = Place::new(format!("{GENERATED}/{chapter}/results.json"), 1);
            for figure in results.figures.keys() {
                missing(
                    &place,
                    "figure",
                    &format!("{chapter}/{figure}"),
                    &format!("book/src/{chapter}.md"),
                );
            }
        }
        for Exercise { entry, chapter, place } in &repository.exercises {
            missing(place, "exercise", &entry.name, &format!("book/src/chapter{chapter:02}.md"));
        }
    }
}

/// The way through one page.
struct Walk<'a> {
    index: &'a mut Index,
    page: &'a Page,
    problems: &'a mut Problems,
    counts: BTreeMap<&'static str, usize>,
    /// The section we are in.
    section: Target,
}

impl<'a> Walk<'a> {
    fn new(index: &'a mut Index, page: &'a Page, problems: &'a mut Problems) -> Self {
        let section = index.targets[&page.name].clone();
        Self { index, page, problems, counts: BTreeMap::new(), section }
    }

    fn blocks(&mut self, repository: &Repository) {
        for block in markdown::blocks(&self.page.text) {
            let place = Place::new(&self.page.file, block.line + 1);
            match block.kind {
                Kind::Heading(line) => self.heading(line, place),
                Kind::Prose(text) => self.prose(text, &place, repository),
                Kind::Fence { .. } | Kind::Blank => {}
            }
        }
    }

    /// The next number of its kind: "1.3", or nothing on a page that is not a chapter.
    fn number(&mut self, kind: &'static str) -> Option<String> {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        self.page.chapter().map(|chapter| format!("{chapter}.{count}"))
    }

    fn heading(&mut self, line: &str, place: Place) {
        let Some((level, title, given)) = markdown::heading(line) else { return };
        if level > 2 {
            // Without a number; what has an id can be referred to by its title.
            let Some(id) = given else { return };
            let (label, page) = (format!("“{title}”"), self.page.name.clone());
            let target = Target { label, page, id: id.to_owned(), place };
            return self.index.insert(id.to_owned(), target, self.problems);
        }
        if level < 2 {
            return;
        }
        let label = match self.number("section") {
            Some(number) => format!("Section {number}"),
            None => format!("“{title}”"),
        };
        let id = section_id(&self.page.name, title, given);
        self.section = Target { label, page: self.page.name.clone(), id: id.clone(), place };
        self.index.insert(id, self.section.clone(), self.problems);
    }

    fn prose(&mut self, text: &str, place: &Place, repository: &Repository) {
        for (line, piece) in markdown::pieces(text) {
            let Piece::Directive(directive, arguments) = piece else { continue };
            let place = place.below(line);
            if directive == "ref" {
                let referring = self.index.referring.entry(arguments.to_owned()).or_default();
                referring.insert(self.section.clone());
            }
            let Some(directive) = ONCE.iter().copied().find(|d| *d == directive) else { continue };
            let name = arguments.split_whitespace().next().unwrap_or_default();
            let kind = if directive == "test" { "listing" } else { directive };
            let label = match (directive, self.number(kind)) {
                ("equation", Some(number)) => format!("({number})"),
                ("equation", None) => {
                    self.problems.add(&place, "equations are printed in chapters");
                    String::new()
                }
                (_, Some(number)) => format!("{} {number}", capital(kind)),
                (_, None) => format!("the {kind}"),
            };
            let target = Target {
                label,
                page: self.page.name.clone(),
                id: id(directive, name),
                place: place.clone(),
            };
            self.index.insert(key(directive, name), target, self.problems);
            if directive == "exercise"
                && let Some(exercise) = repository.exercises.iter().find(|e| e.entry.name == name)
            {
                let entry = &exercise.entry;
                for text in [&entry.task, &entry.hint, &entry.check] {
                    self.prose(text, &place, repository);
                }
            }
        }
    }
}

/// The id of a section: the one it was given, or one made from its title.
pub fn section_id(page: &str, title: &str, given: Option<&str>) -> String {
    given.map_or_else(|| format!("{page}-{}", markdown::slug(title)), str::to_owned)
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

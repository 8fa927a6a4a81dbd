//! The preprocessor of the book. mdBook runs it twice: `before` KaTeX it replaces the directives
//! by what they name, `after` it keeps Markdown out of the formulas and puts the figures in. A
//! directive that names nothing stops the build; `GRADUS_DRAFT=1` builds in spite of it.
//!
//! `check` prints the same problems without mdBook: `bookwright check chapter01`.

mod after;
mod bibliography;
mod checks;
mod equations;
mod exercises;
mod files;
mod index;
mod katex;
mod listings;
mod markdown;
mod matrix;
mod number;
mod print;
mod problem;
mod render;
mod repository;
mod results;
mod symbols;
#[cfg(test)]
mod tests;
mod tex;

use index::{Index, Page};
use mdbook_preprocessor::book::{Book, BookItem};
use problem::{Place, Problems, unknown};
use render::Renderer;
use repository::Repository;
use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        // mdBook asks which renderers we work for.
        [_, "supports", renderer] => return exit(["html", "markdown"].contains(&renderer)),
        ["before"] => preprocess(before),
        ["after"] => preprocess(after),
        ["check", ref names @ ..] => check(names),
        _ => Err("usage: bookwright before | after | check [PAGE…]".into()),
    };
    match result {
        Ok(well) => exit(well),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn exit(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A step of the way: new texts for the pages, in their order.
type Step = fn(&[Page], &Repository, &mut Problems) -> Vec<String>;

/// Takes the book from mdBook, and gives it back.
fn preprocess(step: Step) -> Result<bool, Box<dyn Error>> {
    let (context, mut book) = mdbook_preprocessor::parse_input(io::stdin())?;
    let root = context.root.parent().unwrap_or(Path::new("..")).to_owned();
    let mut problems = Problems::default();
    let repository = Repository::read(&root, &mut problems);
    let pages = pages(&book);
    katex::provide(&context.root.join("src/katex"));
    let mut texts = step(&pages, &repository, &mut problems).into_iter();
    book.for_each_chapter_mut(|chapter| {
        if chapter.path.is_some() {
            chapter.content = texts.next().unwrap_or_default();
        }
    });
    let draft = env::var_os("GRADUS_DRAFT").is_some();
    report(&problems, |_| true);
    if !problems.is_empty() && !draft {
        return Ok(false);
    }
    serde_json::to_writer(io::stdout(), &book)?;
    Ok(true)
}

/// Replaces the directives.
fn before(pages: &[Page], repository: &Repository, problems: &mut Problems) -> Vec<String> {
    let index = Index::new(pages, repository, problems);
    let mut used = BTreeSet::new();
    let mut texts = Vec::new();
    for page in pages {
        let used = &mut used;
        texts.push(Renderer { repository, index: &index, page, problems, used }.page());
    }
    for (table, rows) in &repository.symbols {
        for row in rows {
            let symbol = tex::normal(&row.tex);
            if !used.contains(&(table.clone(), symbol)) {
                problems.add(&row.place, format!("no formula uses `{}`", row.tex));
            }
        }
    }
    texts
}

/// Finishes the pages.
fn after(pages: &[Page], repository: &Repository, problems: &mut Problems) -> Vec<String> {
    pages.iter().map(|page| after::finish(page, repository, pages, problems)).collect()
}

/// The pages of a book, in their order.
fn pages(book: &Book) -> Vec<Page> {
    let chapters = book.iter().filter_map(|item| match item {
        BookItem::Chapter(chapter) => chapter.path.as_ref().map(|path| (path, chapter)),
        _ => None,
    });
    chapters
        .map(|(path, chapter)| Page {
            name: path.with_extension("").to_string_lossy().into_owned(),
            file: format!("book/src/{}", path.display()),
            text: chapter.content.clone(),
        })
        .collect()
}

fn report(problems: &Problems, wanted: impl Fn(&Place) -> bool) -> usize {
    let wanted: Vec<_> = problems.iter().filter(|(place, _)| wanted(place)).collect();
    for (place, message) in &wanted {
        eprintln!("error: {place}: {message}");
    }
    wanted.len()
}

/// Prints what is wrong with some pages, or with all, without mdBook and without KaTeX.
fn check(names: &[&str]) -> Result<bool, Box<dyn Error>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("."))
        .to_owned();
    let summary = fs::read_to_string(root.join("book/src/SUMMARY.md"))?;
    let links = summary.split("](").skip(1).filter_map(|link| link.split_once(".md)"));
    let mut pages = Vec::new();
    for name in links.map(|(name, _)| name) {
        let file = format!("book/src/{name}.md");
        let text = fs::read_to_string(root.join(&file)).unwrap_or_default();
        pages.push(Page { name: name.into(), file, text });
    }
    if let Some(name) = names.iter().find(|name| pages.iter().all(|page| page.name != **name)) {
        return Err(unknown("page", name, pages.iter().map(|page| page.name.as_str())).into());
    }
    let mut problems = Problems::default();
    let repository = Repository::read(&root, &mut problems);
    before(&pages, &repository, &mut problems);
    let wanted = |place: &Place| {
        names.is_empty() || names.iter().any(|n| place.file.contains(n.trim_start_matches("./")))
    };
    Ok(report(&problems, wanted) == 0)
}

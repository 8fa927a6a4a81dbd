//! What is left to do once KaTeX has run: keep Markdown out of its output, and put the figures in.

use crate::index::Page;
use crate::markdown::{self, Kind, Piece, escape};
use crate::problem::{Place, Problems};
use crate::repository::Repository;
use crate::results::{self, GENERATED};
use std::fs;

/// A page as mdBook may have it.
pub fn finish(
    page: &Page,
    repository: &Repository,
    pages: &[Page],
    problems: &mut Problems,
) -> String {
    let text = protect(&page.text);
    // Two dollars that are left are a formula that KaTeX could not read, and left as it was.
    for block in markdown::blocks(&text) {
        let Kind::Prose(prose) = block.kind else { continue };
        for formula in left_over(prose) {
            let place = find(&formula, page, repository, pages);
            problems.add(&place, format!("KaTeX cannot read `{formula}`: its reason is above"));
        }
    }
    splice(&text, repository, page, problems)
}

/// The formulas that KaTeX left.
fn left_over(prose: &str) -> Vec<String> {
    if let Some((_, rest)) = prose.split_once("$$") {
        return vec![rest.split("$$").next().unwrap_or_default().trim().to_owned()];
    }
    let formula = |(_, piece): (usize, Piece)| match piece {
        Piece::Math(formula) => Some(formula.trim().to_owned()),
        _ => None,
    };
    markdown::pieces(prose).into_iter().filter_map(formula).collect()
}

/// Where a formula was written.
fn find(formula: &str, page: &Page, repository: &Repository, pages: &[Page]) -> Place {
    let same = |tex: &str| tex.split_whitespace().eq(formula.split_whitespace());
    if let Some(equation) = repository.equations.values().find(|e| same(&e.tex)) {
        return equation.formula.clone();
    }
    let first = formula.lines().next().unwrap_or(formula);
    let line_in = |text: &str| text.lines().position(|line| line.contains(first));
    let source = |p: &Page| fs::read_to_string(repository.root.join(&p.file)).unwrap_or_default();
    for page in std::iter::once(page).chain(pages) {
        if let Some(line) = line_in(&source(page)) {
            return Place::new(&page.file, line + 1);
        }
    }
    let row = repository.symbols.values().flatten().find(|row| same(&row.tex));
    row.map_or_else(|| Place::new(&page.file, 1), |row| row.place.clone())
}

/// Takes TeX out of KaTeX's output, and what Markdown would read as emphasis, links or cells.
fn protect(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("<span class=\"katex") {
        out.push_str(&rest[..at]);
        let length = balanced(&rest[at..]);
        let (formula, after) = rest[at..].split_at(length);
        // A short formula takes the mark behind it along to the next line.
        let mark = after.len() - after.trim_start_matches(['.', ',', ';', ':', '?', ')']).len();
        let short = formula.matches("class=\"base\"").count() == 1;
        let together = short && mark > 0 && !formula.starts_with("<span class=\"katex-display");
        let mark = if together { mark } else { 0 };
        if together {
            out.push_str("<span class=\"together\">");
        }
        protect_formula(formula, &mut out);
        if together {
            out.push_str(&after[..mark]);
            out.push_str("</span>");
        }
        rest = &after[mark..];
    }
    out.push_str(rest);
    out
}

/// The length of the element that a text begins with, a `<span>`.
fn balanced(text: &str) -> usize {
    let (mut depth, mut i) = (0, 0);
    while let Some(offset) = text[i..].find('<') {
        i += offset;
        if text[i..].starts_with("<span") {
            depth += 1;
        } else if text[i..].starts_with("</span>") {
            depth -= 1;
            if depth == 0 {
                return i + "</span>".len();
            }
        }
        i += 1;
    }
    text.len()
}

fn protect_formula(html: &str, out: &mut String) {
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("<annotation") {
            let end = "</annotation>";
            rest = rest.find(end).map_or("", |at| &rest[at + end.len()..]);
            continue;
        }
        // A tag, or an entity, goes as it is.
        let whole = match c {
            '<' => rest.find('>').map(|end| &rest[..=end]),
            '&' => rest.find(';').map(|end| &rest[..=end]),
            _ => None,
        };
        if let Some(whole) = whole {
            out.push_str(whole);
            rest = &rest[whole.len()..];
            continue;
        }
        if c.is_ascii_punctuation() {
            out.push_str(&format!("&#{};", c as u32));
        } else {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
}

/// Puts the figures where their comments are.
fn splice(text: &str, repository: &Repository, page: &Page, problems: &mut Problems) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let begin = "<!--figure ";
    while let Some(at) = rest.find(begin) {
        out.push_str(&rest[..at]);
        rest = &rest[at + begin.len()..];
        let Some((name, after)) = rest.split_once("-->") else { break };
        rest = after;
        match drawing(name, repository) {
            Ok(svg) => out.push_str(&svg),
            Err(message) => problems.add(&Place::new(&page.file, 1), message),
        }
    }
    out.push_str(rest);
    out
}

/// A figure as a part of a page: with its alternative text, and without blank lines, which
/// would end the HTML around it.
fn drawing(name: &str, repository: &Repository) -> Result<String, String> {
    let file = format!("{GENERATED}/{name}.svg");
    let svg = fs::read_to_string(repository.root.join(&file))
        .map_err(|error| format!("cannot read `{file}`: {error}"))?;
    let figure = results::find(&repository.results, "figure", name, '/', |r| &r.figures)?;
    let label = format!("<svg role=\"img\" aria-label=\"{}\" ", escape(&figure.alt));
    let lines: Vec<&str> = svg.lines().filter(|line| !line.trim().is_empty()).collect();
    Ok(lighter(&lines.join("\n")).replacen("<svg ", &label, 1))
}

/// The same drawing in fewer bytes: the page says which letters, and a hundredth of a pixel
/// is seen by nobody.
fn lighter(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some(at) = rest.find(" font-size=\"") {
        let (before, after) = rest.split_at(at + " font-size=\"".len());
        let end = after.find('"').unwrap_or(after.len());
        let size = after[..end].parse::<f64>().map(|size| format!("{size:.0}"));
        out.push_str(before);
        out.push_str(size.as_deref().unwrap_or(&after[..end]));
        rest = &after[end..];
    }
    out.push_str(rest);
    out.replace(" font-family=\"sans-serif\"", "")
        .replace(" />", "/>")
        .replace(">\n", ">")
        .replace("\n</", "</")
}

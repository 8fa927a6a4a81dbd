//! What the directives that stand alone print.

use crate::exercises::{Exercise, Kind};
use crate::index;
use crate::markdown::escape;
use crate::problem::unknown;
use crate::render::{Renderer, display};
use crate::results::{self, GENERATED};

impl Renderer<'_> {
    pub(crate) fn equation(&mut self, name: &str) -> Result<String, String> {
        let equations = &self.repository.equations;
        let Some(equation) = equations.get(name) else {
            return Err(unknown("test of an equation", name, equations.keys().map(String::as_str)));
        };
        if self.page.chapter() != Some(equation.chapter) {
            return Err(format!("`{name}` is an equation of chapter {}", equation.chapter));
        }
        self.formula(&equation.tex, &equation.formula);
        let label = self.index.get(name).map_or("", |target| &target.label);
        let id = index::id("equation", name);
        let page = format!("equations{:02}.html", equation.chapter);
        Ok(format!(
            "<div class=\"equation\" id=\"{id}\">\n{}<span class=\"number\">{label}</span>\n\
             <a class=\"proof\" href=\"{page}#test-{name}\" title=\"The test that checks this equation\">\
             cargo test {}</a>\n</div>\n",
            display(&equation.tex),
            escape(name),
        ))
    }

    pub(crate) fn listing(&mut self, name: &str) -> Result<String, String> {
        let listings = &self.repository.listings;
        let Some(listing) = listings.get(name) else {
            let file = name.split(':').next().unwrap_or_default();
            if !self.repository.root.join(file).is_file() {
                return Err(format!("there is no file `{file}`"));
            }
            return Err(unknown("anchor", name, listings.keys().map(String::as_str)));
        };
        if let Some(fault) = listing.fault() {
            return Err(format!("`{name}` {fault}"));
        }
        let file = listing.place.file.clone();
        let language = if file.ends_with(".py") { "python" } else { "rust" };
        Ok(self.code_block("listing", name, &file, language, &listing.text))
    }

    pub(crate) fn test(&mut self, name: &str) -> Result<String, String> {
        let equations = &self.repository.equations;
        let Some(equation) = equations.get(name) else {
            return Err(unknown("test of an equation", name, equations.keys().map(String::as_str)));
        };
        Ok(self.code_block("test", name, &equation.place.file.clone(), "rust", &equation.source))
    }

    /// Code with its caption.
    fn code_block(
        &self,
        directive: &str,
        name: &str,
        file: &str,
        language: &str,
        text: &str,
    ) -> String {
        // Only chapters have numbers.
        let target = self.index.printed(directive, name);
        let target = target.filter(|_| self.page.chapter().is_some());
        let label = target.map_or_else(String::new, |target| format!("{}. ", target.label));
        let id = index::id(directive, name);
        // A doc comment may hold a fence of three.
        format!(
            "<div class=\"listing\" id=\"{id}\">\n<p class=\"caption\">{label}<code>{}</code></p>\n\n\
             ````{language}\n{text}\n````\n\n</div>",
            escape(file),
        )
    }

    pub(crate) fn figure(&mut self, name: &str) -> Result<String, String> {
        let results = &self.repository.results;
        let figure = results::find(results, "figure", name, '/', |r| &r.figures)?;
        for file in [format!("{GENERATED}/{name}.svg"), format!("{GENERATED}/{name}.csv")] {
            if !self.repository.root.join(&file).is_file() {
                return Err(format!("there is no file `{file}`"));
            }
        }
        let label = self.index.get(name).map_or("", |target| &target.label);
        let id = index::id("figure", name);
        // The drawing comes after the formulas: a dollar in it would begin one.
        Ok(format!(
            "<figure id=\"{id}\">\n<div class=\"plot\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\">\n\
             <!--figure {name}-->\n</div>\n\
             <figcaption><strong>{label}.</strong> {} \
             <a class=\"data\" href=\"generated/{name}.csv\" download>data</a></figcaption>\n</figure>\n",
            escape(&figure.caption),
        ))
    }

    pub(crate) fn output(&mut self, name: &str) -> Result<String, String> {
        let results = &self.repository.results;
        let text = results::find(results, "output", name, '/', |r| &r.texts)?;
        let id = index::id("output", name);
        Ok(format!(
            "<div class=\"output\" id=\"{id}\">\n\n```text\n{}\n```\n\n</div>",
            text.trim_end()
        ))
    }

    pub(crate) fn exercise(&mut self, name: &str) -> Result<String, String> {
        let exercises = &self.repository.exercises;
        let Some(exercise) = exercises.iter().find(|exercise| exercise.entry.name == name) else {
            return Err(unknown("exercise", name, exercises.iter().map(|e| e.entry.name.as_str())));
        };
        if self.page.chapter() != Some(exercise.chapter) {
            return Err(format!("`{name}` is an exercise of chapter {}", exercise.chapter));
        }
        let Exercise { entry, chapter, place } = exercise;
        let about = self
            .about(&entry.about)
            .inspect_err(|m| self.problems.add(place, m))
            .unwrap_or_default();
        let title = self.prose(&entry.title, place);
        let [task, hint, check] =
            [&entry.task, &entry.hint, &entry.check].map(|t| self.markdown(t.trim(), place));
        let [task, hint, check] = [task, hint, check].map(|t| t.trim().to_owned());
        let label = self.index.get(name).map_or("", |target| &target.label);
        let kind = match (entry.kind, entry.points) {
            (Kind::Assignment | Kind::Together, Some(1)) => "1 point".to_owned(),
            (Kind::Assignment | Kind::Together, Some(points)) => format!("{points} points"),
            _ => "open".to_owned(),
        };
        let command = match entry.kind {
            Kind::Assignment => format!(" To check it: `cargo xtask grade {chapter}`."),
            Kind::Together => " To check it: `cargo xtask grade all`.".to_owned(),
            Kind::Challenge => String::new(),
        };
        Ok(format!(
            "<div class=\"exercise\" id=\"{}\">\n\n**{label}. {title}** <span class=\"points\">{kind}, \
             on</span> {about}\n\n{task}\n\n<details>\n<summary>Hint</summary>\n\n{hint}\n\n</details>\n\n\
             *How you know.* {check}{command}\n\n</div>",
            index::id("exercise", name),
        ))
    }

    /// A link to the equation or section that an exercise belongs to.
    pub(crate) fn about(&self, name: &str) -> Result<String, String> {
        match self.index.get(name) {
            Some(target) => Ok(self.link(target)),
            None => Err(unknown("equation or section", name, self.index.names())),
        }
    }

    pub(crate) fn symbols(&mut self, name: &str) -> Result<String, String> {
        let tables = &self.repository.symbols;
        if name.is_empty() {
            let mut out = String::new();
            let mut names: Vec<&String> = tables.keys().collect();
            names.sort_by_key(|name| **name != "common");
            for name in names {
                let title = match name.strip_prefix("chapter") {
                    Some(number) => format!("Chapter {}", number.trim_start_matches('0')),
                    None => "Everywhere".to_owned(),
                };
                out.push_str(&format!("\n## {title} {{#symbols-{name}}}\n\n{}", self.table(name)));
            }
            return Ok(out);
        }
        if !tables.contains_key(name) {
            return Err(unknown("table of symbols", name, tables.keys().map(String::as_str)));
        }
        Ok(self.table(name))
    }

    fn table(&mut self, name: &str) -> String {
        let mut out = "| Symbol | Meaning | Shape | In the code |\n|---|---|---|---|\n".to_owned();
        for row in &self.repository.symbols[name] {
            let meaning = self.prose(&row.meaning, &row.place);
            let names = row.code.split(',').map(str::trim).filter(|name| !name.is_empty());
            let code = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let shape = escape(&row.shape);
            out.push_str(&format!("| ${}$ | {meaning} | {shape} | {code} |\n", row.tex));
        }
        out
    }

    /// The appendix: every equation of a chapter, its test, and where it is used.
    pub(crate) fn equations(&mut self, chapter: &str) -> Result<String, String> {
        let number: Option<u32> = chapter.strip_prefix("chapter").and_then(|n| n.parse().ok());
        let all = &self.repository.equations;
        let mut equations: Vec<_> =
            all.iter().filter(|(_, equation)| Some(equation.chapter) == number).collect();
        if equations.is_empty() {
            return Err(unknown(
                "chapter",
                chapter,
                self.repository.results.keys().map(String::as_str),
            ));
        }
        // In the order in which they are printed.
        equations.sort_by_key(|(name, _)| self.index.get(name).map(|t| t.place.line));
        let mut out = String::new();
        for (name, equation) in equations {
            let printed = self.index.get(name).map(|target| self.link(target)).unwrap_or_default();
            let empty = Default::default();
            let referring = self.index.referring.get(name).unwrap_or(&empty);
            let links: Vec<String> = referring.iter().map(|target| self.link(target)).collect();
            let used = match &links[..] {
                [] => String::new(),
                links => format!(" Referred to in {}.", links.join(", ")),
            };
            let words = self.prose(&equation.words, &equation.place);
            out.push_str(&format!(
                "\n### `{name}` {{#test-{name}}}\n\n{printed} {words}{used}\n\n{}\n\
                 <details>\n<summary>The test, in {}</summary>\n\n````rust\n{}\n````\n\n</details>\n",
                display(&equation.tex),
                escape(&equation.place.file),
                equation.source,
            ));
        }
        Ok(out)
    }

    pub(crate) fn bibliography(&mut self) -> String {
        let mut works: Vec<_> = self.repository.works.iter().collect();
        works.sort_by_key(|(_, work)| (work.short.clone(), work.year));
        let mut out = String::new();
        for (key, work) in works {
            let year = work.year.map(|year| format!(" ({year})")).unwrap_or_default();
            let place = if work.place.is_empty() {
                String::new()
            } else {
                format!(" {}.", escape(&work.place))
            };
            out.push_str(&format!(
                "<p class=\"work\" id=\"{key}\">{}{year}. <em>{}</em>.{place}</p>\n",
                escape(&work.authors),
                escape(&work.title),
            ));
        }
        out
    }
}

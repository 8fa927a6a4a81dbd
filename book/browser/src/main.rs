//! Looks at every page of the built book in a browser without a window.
//!
//! `pages FOLDER` serves the folder to itself, opens each page by day, by night, on a phone and
//! without a mouse, and prints what is wrong: page, element, values.

mod chromium;
mod links;
mod page;
mod search;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use chromium::{Chromium, Result};
use page::{Finding, Page};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let [folder] = &args[..] else {
        eprintln!("usage: pages FOLDER, the folder of the built book");
        return ExitCode::from(2);
    };
    match look(Path::new(folder)) {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            tell(&findings);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what is wrong; two colours that do not go together once, however many pages have them.
fn tell(findings: &[Finding]) {
    let kind = |finding: &Finding| {
        let what = finding.what.as_str();
        let colours = what.starts_with("contrast").then(|| what.split(" (").next()).flatten();
        (finding.look, colours.unwrap_or(what).to_owned())
    };
    let mut kinds: BTreeMap<_, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        kinds.entry(kind(finding)).or_default().push(finding);
    }
    let mut groups: Vec<_> = kinds.into_values().collect();
    groups.sort();
    for group in &groups {
        println!("{}", group[0]);
        if let [_, more @ ..] = &group[..]
            && !more.is_empty()
        {
            let pages: Vec<_> = more.iter().map(|finding| finding.page.as_str()).collect();
            println!("    also: {}", pages.join(", "));
        }
    }
    println!("\n{} things are wrong.", groups.len());
}

/// Looks at all of the book.
fn look(folder: &Path) -> Result<Vec<Finding>> {
    let names = names(folder)?;
    let origin = server::serve(folder)?;
    let mut chromium = Chromium::start()?;
    let mut pages = BTreeMap::new();
    for name in names {
        let start = Instant::now();
        let page = page::look(&mut chromium, &origin, &name)?;
        let (weight, seconds) = (page.weight / 1000.0, start.elapsed().as_secs_f64());
        println!("{name}: {weight:.0} kB, looked at in {seconds:.1} s");
        pages.insert(name, page);
    }
    let mut findings = links::check(folder, &origin, &pages);
    findings.extend(search::check(&mut chromium, &origin, "softmax")?);
    let bytes = search::paper(&mut chromium, &origin)?;
    println!("chapter08.html: {bytes} bytes on paper");
    findings.extend(pages.into_values().flat_map(|page: Page| page.findings));
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// The pages of the book. `toc.html` is a part of others, for browsers without scripts.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> =
        names.filter(|name| name.ends_with(".html") && name != "toc.html").collect();
    names.sort();
    if names.is_empty() {
        return Err(format!("there is no page in {}: `cargo xtask book`", folder.display()));
    }
    Ok(names)
}

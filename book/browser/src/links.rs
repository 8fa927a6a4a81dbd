//! Links from page to page.

use std::collections::BTreeMap;
use std::path::Path;

use crate::page::{Finding, Page};
use crate::server::{decoded, find};

/// The links that lead nowhere: to a file that is not there, or a place that its page does not
/// have. What lies on other servers is theirs.
pub fn check(folder: &Path, origin: &str, pages: &BTreeMap<String, Page>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, page) in pages {
        for (address, link) in &page.links {
            if let Some(problem) = problem(folder, origin, pages, address) {
                let what = format!("{problem}: {link} leads to {address}");
                findings.push(Finding { page: name.clone(), look: "", what });
            }
        }
    }
    findings
}

fn problem(
    folder: &Path,
    origin: &str,
    pages: &BTreeMap<String, Page>,
    address: &str,
) -> Option<String> {
    let (path, fragment) = match address.split_once('#') {
        Some((path, fragment)) => (path, decoded(fragment).unwrap_or_default()),
        None => (address, String::new()),
    };
    let Some(path) = path.strip_prefix(&format!("{origin}/")) else {
        let known = ["https://", "http://", "mailto:"].iter().any(|kind| address.starts_with(kind));
        return if known && !address.starts_with(origin) {
            None
        } else {
            Some("a link of a strange kind".into())
        };
    };
    let Some(file) = find(folder, path).filter(|file| file.is_file()) else {
        return Some("there is no such file".into());
    };
    let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
    let page = pages.get(&name)?;
    let there = fragment.is_empty() || page.targets.contains(&fragment);
    if there { None } else { Some(format!("{name} has no place \"{fragment}\"")) }
}

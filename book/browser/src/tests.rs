//! Small pages with mistakes: each check finds its own, and nothing besides.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::chromium::Chromium;
use crate::page::{self, Page};
use crate::{links, search, server};

/// Each page, and all that is wrong with it: how one has to look at it, and what is said.
const EXPECTED: &[(&str, &[(&str, &str)])] = &[
    ("good.html", &[]),
    (
        "raw.html",
        &[
            ("", r"TeX in <p> “Half is \frac{1}{2}.”: \frac{1}{2}."),
            ("", "TeX in <p> “A sum $x + y$ in a sentence.”: $x + y$"),
            ("", "TeX in <p> “Display: $$x$$”: $x$"),
            ("", "TeX in <p> “Display: $$x$$”: $$x$$"),
            ("", r"TeX in <p> “In brackets: \(x\)”: \(x\)"),
            ("", "a directive in <p> “{{#ref softmax}}”: {{#ref softmax}}"),
            ("", "a directive in <pre>"),
            ("", "a Markdown link in <p> “See [the page](page.md).”: See [the page](page.md)."),
            ("", "Markdown in <p> “This is **bold.”: **bold."),
            ("", "a formula that KaTeX could not set: <span.katex-error> “x^^2”"),
        ],
    ),
    (
        "pictures.html",
        &[
            ("", "no alternative text: <img "),
            ("", "not shown: data:image/gif"),
            ("", "no alternative text: <svg#speechless>"),
            ("", "no role=\"img\": <svg#roleless>"),
            ("", "the id \"twice\" is given 2 times"),
        ],
    ),
    (
        "contrast.html",
        &[
            ("light", "contrast 2.42, below 4.5: page, text: #a7a7a7 on #ffffff"),
            ("light", "contrast 3.54, below 4.5: page, text: #888888 on #ffffff"),
            ("light", "contrast 1.04, below 4.5: figure, text: #333333 on #0d3372"),
            ("light", "contrast 1.16, below 3: figure, line: #eeeeee on #ffffff"),
            ("light", "contrast 2.81, below 3: figure, line: #9a9a9a on #ffffff"),
            ("dark", "contrast 1.63, below 4.5: page, text: #444444 on #222222"),
            ("dark", "contrast 3.07, below 4.5: page, text: #6d6d6d on #222222"),
            ("dark", "contrast 4.49, below 4.5: page, text: #888888 on #222222"),
            ("dark", "contrast 1.04, below 4.5: figure, text: #333333 on #0d3372"),
            ("navy", "contrast 1.07, below 4.5: page, text: #ffff00 on #ffffff"),
            ("navy", "contrast 2.42, below 4.5: page, text: #a7a7a7 on #ffffff"),
            ("navy", "contrast 3.54, below 4.5: page, text: #888888 on #ffffff"),
            ("navy", "contrast 1.04, below 4.5: figure, text: #333333 on #0d3372"),
            ("navy", "contrast 1.16, below 3: figure, line: #eeeeee on #ffffff"),
            ("navy", "contrast 2.81, below 3: figure, line: #9a9a9a on #ffffff"),
        ],
    ),
    (
        "wide.html",
        &[
            ("phone", "the page is 509 pixels wide on a screen of 375"),
            ("phone", "reaches to 508: <table#table> “wide”"),
        ],
    ),
    (
        "keyboard.html",
        &[
            ("keyboard", "not reached with the Tab key: <button> “Skipped”"),
            ("keyboard", "not reached with the Tab key: <span> “Mouse only”"),
            ("keyboard", "looks the same when it has the focus: <button.blind> “Blind”"),
        ],
    ),
    ("links.html", &[]),
];

/// The fixtures, and one file that is too heavy to be kept.
fn served() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), folder.path());
    fs::write(folder.path().join("heavy.bin"), vec![7; 1_000_000]).unwrap();
    let origin = server::serve(folder.path()).unwrap();
    (folder, origin)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Each of the expected sentences begins exactly one finding, and no finding is left over.
fn compare(what: &str, mut found: Vec<(&str, String)>, expected: &[(&str, &str)]) {
    for (look, start) in expected {
        let at = found.iter().position(|(l, sentence)| l == look && sentence.starts_with(start));
        match at {
            Some(at) => drop(found.remove(at)),
            None => panic!("{what}, {look}: nobody says `{start}`, but {found:#?}"),
        }
    }
    assert!(found.is_empty(), "{what}: {found:#?}");
}

fn said(page: &Page) -> Vec<(&str, String)> {
    page.findings.iter().map(|finding| (finding.look, finding.what.clone())).collect()
}

#[test]
fn each_check_finds_its_own_mistakes() {
    let (folder, origin) = served();
    let mut chromium = Chromium::start().unwrap();
    let mut pages = BTreeMap::new();
    for (name, expected) in EXPECTED {
        let page = page::look(&mut chromium, &origin, name).unwrap();
        compare(name, said(&page), expected);
        assert!((100.0..10_000.0).contains(&page.weight), "{name}: {}", page.weight);
        pages.insert((*name).to_owned(), page);
    }
    let broken = links::check(folder.path(), &origin, &pages);
    let broken =
        broken.into_iter().map(|finding| ("", format!("{}: {}", finding.page, finding.what)));
    compare(
        "links",
        broken.collect(),
        &[
            ("", "links.html: there is no such file: <a> “Gone”"),
            ("", "links.html: good.html has no place \"gone\": <a> “No such place”"),
            ("", "links.html: links.html has no place \"gone\": <a> “No such place here”"),
            ("", "links.html: there is no such file: <a> “Outside”"),
            ("", "links.html: a link of a strange kind: <a> “A file”"),
        ],
    );
}

#[test]
fn what_a_page_asks_for_is_watched() {
    let (_folder, origin) = served();
    let mut chromium = Chromium::start().unwrap();
    let page = page::look(&mut chromium, &origin, "requests.html").unwrap();
    let missing = format!("status 404 for \"{origin}/missing.css\"");
    let by_day = [
        ("light", "console, error: I am unhappy"),
        ("light", "a script failed: \"Error: I give up"),
        ("light", "asks another server for http://elsewhere.example/x.png"),
        ("light", "cannot load http://elsewhere.example/x.png"),
        ("light", &missing),
    ];
    let found = said(&page);
    let (light, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|(look, _)| *look == "light");
    compare("requests", light, &by_day);
    let (once, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(look, _)| look.is_empty());
    compare(
        "requests, once",
        once,
        &[("", "not shown: http://elsewhere.example/x.png"), ("", "10")],
    );
    // By night and on a phone; nothing changes with the theme, which is therefore not tried.
    assert_eq!(rest.len(), 2 * by_day.len(), "{rest:#?}");
    assert!(page.weight > page::WEIGHT);
}

#[test]
fn search_has_to_find_the_word() {
    let (_folder, origin) = served();
    let mut chromium = Chromium::start().unwrap();
    let mut problems = |folder: &str| {
        let findings = search::check(&mut chromium, &format!("{origin}/{folder}"), "softmax");
        let findings = findings.unwrap().into_iter();
        findings.map(|finding| finding.what.replace(&origin, "")).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(problems("search-found"), none);
    assert_eq!(
        problems("search-lost"),
        ["search for \"softmax\": the word does not stand in /search-lost/page.html"]
    );
    assert_eq!(problems("search-empty"), ["search for \"softmax\": nothing is found"]);
}

#[test]
fn addresses_stay_in_the_folder() {
    let find = |address| server::find(Path::new("/book"), address);
    assert_eq!(find("/a%20b/c.html?x=1#y"), Some("/book/a b/c.html".into()));
    assert_eq!(find("/../secret"), None);
    assert_eq!(find("/a/%2e%2e/%2e%2e/secret"), None);
    assert_eq!(find("/%zz"), None);
}

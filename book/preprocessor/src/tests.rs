//! A small book, and everything that can be wrong with it.

mod after;
mod checks;

use super::*;
use std::collections::BTreeMap;

/// The files of a repository.
struct Small(BTreeMap<String, String>);

/// A book in which nothing is wrong.
fn small() -> Small {
    let mut files = BTreeMap::new();
    let mut add = |file: &str, text: &str| files.insert(file.to_owned(), text.to_owned());
    add(
        "tests/chapter01.rs",
        "/// Twice is the sum.\n///\n/// ```math\n/// 2x = x + x\n/// ```\n#[test]\nfn twice_is_the_sum() {\n    assert_eq!(2 * 3, 3 + 3);\n}\n",
    );
    add(
        "src/lib.rs",
        "// ANCHOR: double\nfn double(x: u8) -> u8 {\n    2 * x\n}\n// ANCHOR_END: double\n",
    );
    add("chapters/chapter01/src/main.rs", "fn main() {}\n");
    add("xtask/src/main.rs", "enum Task { VerifyBook, Grade }\n");
    add(
        "book/src/generated/chapter01/results.json",
        r#"{"figures": {"line": {"alt": "A line.", "caption": "y = 2x, for $1 each."}},
            "values": {"six": {"kind": "exact", "value": 6},
                       "third": {"kind": "near", "tolerance": 0.001, "value": 0.3333}}}"#,
    );
    add(
        "book/src/generated/chapter01/line.svg",
        "<svg viewBox=\"0 0 1 1\">\n\n<text>\n$2\n</text>\n</svg>\n",
    );
    add("book/src/generated/chapter01/line.csv", "x,y\n");
    add("book/src/generated/chapter01/outputs/run.txt", "$ cargo run --bin chapter01\n6\n");
    add(
        "book/symbols/common.toml",
        "[[symbol]]\ntex = 'x'\nmeaning = 'a number'\nshape = 'scalar'\ncode = 'x'\n",
    );
    add(
        "book/bibliography.toml",
        "[euclid]\nauthors = 'Euclid'\nshort = 'Euclid'\ntitle = 'Elements'\n",
    );
    add(
        "assignments/chapter01/exercises.toml",
        "[[exercise]]\nname = 'halve'\nkind = 'assignment'\ntitle = 'Halve'\npoints = 1\nabout = 'twice_is_the_sum'\ntask = 'Halve $x$.'\nhint = 'See {{#ref double-section}}.'\ncheck = 'Double it.'\n",
    );
    add(
        "book/src/chapter01.md",
        "# Doubling\n\nSee {{#ref twice_is_the_sum}} and {{#cite euclid}}.\n\n## To double {#double-section}\n\n{{#equation twice_is_the_sum}}\n\nIt is {{#value chapter01.six}}, of $x$; {{#value chapter01.third fixed=2}}. Run `cargo test twice`.\n\n{{#listing src/lib.rs:double}}\n\n{{#figure chapter01/line}}\n\n{{#output chapter01/run}}\n\n{{#run cargo run --bin chapter01}}\n\n{{#exercise halve}}\n\n{{#symbols common}}\n\n`a {{#b}} $c`\n",
    );
    add(
        "book/src/equations01.md",
        "# Equations\n\n{{#equations chapter01}}\n\n{{#bibliography}}\n",
    );
    Small(files)
}

impl Small {
    /// The same with one text replaced in one file.
    fn with(mut self, file: &str, old: &str, new: &str) -> Self {
        let text = self.0.get_mut(file).unwrap_or_else(|| panic!("no {file}"));
        assert!(text.contains(old), "{old:?} is not in {file}");
        *text = text.replace(old, new);
        self
    }

    fn on_page(self, old: &str, new: &str) -> Self {
        self.with("book/src/chapter01.md", old, new)
    }

    fn without(mut self, file: &str) -> Self {
        self.0.remove(file).expect("the file");
        self
    }

    /// The texts of the pages, and what is wrong.
    fn run(&self, step: Step, edit: fn(String) -> String) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in &self.0 {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let page = |name: &str| {
            let file = format!("book/src/{name}.md");
            Page { name: name.into(), text: edit(self.0[&file].clone()), file }
        };
        let mut problems = Problems::default();
        let repository = Repository::read(folder.path(), &mut problems);
        let texts = step(&[page("chapter01"), page("equations01")], &repository, &mut problems);
        let lines = problems.iter().map(|(place, message)| format!("{place}: {message}"));
        (texts, lines.collect())
    }

    /// Asserts that one thing is wrong, there, and that the message says so.
    #[track_caller]
    fn fails(self, place: &str, message: &str) {
        let (_, problems) = self.run(before, |text| text);
        let found =
            problems.iter().any(|p| p.starts_with(&format!("{place}: ")) && p.contains(message));
        assert!(found, "expected {place}: …{message}…, found {problems:#?}");
    }
}

#[test]
fn a_book_without_faults_is_rendered() {
    let (texts, problems) = small().run(before, |text| text);
    assert_eq!(problems, Vec::<String>::new());
    let chapter = &texts[0];
    for part in [
        "# 1. Doubling",
        "## 1.1 To double {#double-section}",
        "See [(1.1)](#equation-twice_is_the_sum) and [Euclid](bibliography.md#euclid).",
        "$$2x = x + x$$",
        "<span class=\"number\">(1.1)</span>",
        "href=\"equations01.html#test-twice_is_the_sum\"",
        "It is 6, of $x$; 0.33.",
        "Listing 1.1. <code>src/lib.rs</code>",
        "fn double(x: u8) -> u8 {\n    2 * x\n}",
        "<!--figure chapter01/line-->",
        "<strong>Figure 1.1.</strong> y = 2x, for &#36;1 each.",
        "href=\"generated/chapter01/line.csv\"",
        "```text\n$ cargo run --bin chapter01\n6\n```",
        "```sh\ncargo run --bin chapter01\n```",
        "**Exercise 1.1. Halve** <span class=\"points\">1 point, on</span> [(1.1)]",
        "<summary>Hint</summary>\n\nSee [Section 1.1](#double-section).",
        "`cargo xtask grade 1`",
        "| $x$ | a number | scalar | `x` |",
        "`a {{#b}} $c`",
    ] {
        assert!(chapter.contains(part), "no {part:?} in\n{chapter}");
    }
    let appendix = &texts[1];
    for part in [
        "### `twice_is_the_sum` {#test-twice_is_the_sum}",
        "[(1.1)](chapter01.md#equation-twice_is_the_sum) Twice is the sum. Referred to in [Chapter 1](chapter01.md).",
        "assert_eq!(2 * 3, 3 + 3);",
        "Euclid. <em>Elements</em>.",
    ] {
        assert!(appendix.contains(part), "no {part:?} in\n{appendix}");
    }
}

#[test]
fn names_of_nothing_are_found() {
    let page = "book/src/chapter01.md";
    let cases = [
        (
            "{{#equation twice_is_the_sum}}",
            "{{#equation twice_is_teh_sum}}",
            7,
            "did you mean `twice_is_the_sum`",
        ),
        (
            "{{#ref twice_is_the_sum}}",
            "{{#ref twice_is_the_som}}",
            3,
            "did you mean `twice_is_the_sum`",
        ),
        ("src/lib.rs:double", "src/lib.rs:dubble", 11, "did you mean `src/lib.rs:double`"),
        ("src/lib.rs:double", "src/lob.rs:double", 11, "there is no file `src/lob.rs`"),
        ("figure chapter01/line", "figure chapter01/lime", 13, "did you mean `chapter01/line`"),
        ("output chapter01/run", "output chapter01/ran", 15, "did you mean `chapter01/run`"),
        ("value chapter01.six", "value chapter01.sixx", 9, "did you mean `chapter01.six`"),
        ("cite euclid", "cite euklid", 3, "did you mean `euclid`"),
        ("exercise halve", "exercise halves", 19, "did you mean `halve`"),
        ("symbols common", "symbols commons", 21, "did you mean `common`"),
        ("{{#symbols common}}", "{{#symbol common}}", 21, "did you mean `symbols`"),
        ("cargo test twice", "cargo test thrice_is", 9, "there is no test `thrice_is`"),
        ("run --bin chapter01}}", "run --bin chapter09}}", 17, "there is no program `chapter09`"),
        ("`cargo test twice`", "`cargo xtask verify`", 9, "has no command `verify`"),
        ("`cargo test twice`", "`src/lip.rs`", 9, "there is no file `src/lip.rs`"),
    ];
    for (old, new, line, message) in cases {
        small().on_page(old, new).fails(&format!("{page}:{line}"), message);
    }
    small()
        .with(
            "assignments/chapter01/exercises.toml",
            "about = 'twice_is_the_sum'",
            "about = 'nothing'",
        )
        .fails(
            "assignments/chapter01/exercises.toml:1",
            "there is no equation or section `nothing`",
        );
    small()
        .with("book/src/equations01.md", "equations chapter01", "equations chapter02")
        .fails("book/src/equations01.md:3", "there is no chapter `chapter02`");
}

#[test]
fn what_no_page_prints_is_found() {
    let page = "book/src/chapter01.md";
    small().on_page("{{#equation twice_is_the_sum}}", "").fails(
        "tests/chapter01.rs:6",
        &format!("write {{{{#equation twice_is_the_sum}}}} in {page}"),
    );
    small()
        .on_page("{{#listing src/lib.rs:double}}", "")
        .fails("src/lib.rs:1", "no page prints it");
    small()
        .on_page("{{#figure chapter01/line}}", "")
        .fails("book/src/generated/chapter01/results.json:1", "{{#figure chapter01/line}}");
    small()
        .on_page("{{#exercise halve}}", "")
        .fails("assignments/chapter01/exercises.toml:1", "no page prints it");
    small()
        .with(
            "book/symbols/common.toml",
            "tex = 'x'",
            "tex = 'x'\nmeaning = 'a'\nshape = ''\n[[symbol]]\ntex = 'q'",
        )
        .fails("book/symbols/common.toml:5", "no formula uses `q`");
}

#[test]
fn what_is_printed_twice_is_found() {
    for line in [
        "{{#equation twice_is_the_sum}}",
        "{{#listing src/lib.rs:double}}",
        "{{#figure chapter01/line}}",
        "{{#exercise halve}}",
    ] {
        small()
            .on_page("`a {{#b}} $c`", line)
            .fails("book/src/chapter01.md:23", "is already at book/src/chapter01.md:");
    }
    small()
        .on_page("`a {{#b}} $c`", "## Again {#double-section}")
        .fails("book/src/chapter01.md:23", "`double-section` is already at");
    let anchor = "// ANCHOR_END: double\n";
    let again = format!("{anchor}// ANCHOR: double\n{anchor}");
    small().with("src/lib.rs", anchor, &again).fails("src/lib.rs:6", "another anchor `double`");
    small().with("src/lib.rs", anchor, "").fails("src/lib.rs:1", "does not end");
    small().with("src/lib.rs", "// ANCHOR: double\n", "").fails("src/lib.rs:4", "did not begin");
    small()
        .with("assignments/chapter01/exercises.toml", "check = 'Double it.'\n", "check = ''\n[[exercise]]\nname = 'halve'\nkind = 'challenge'\ntitle = ''\nabout = ''\ntask = ''\nhint = ''\ncheck = ''\n")
        .fails("assignments/chapter01/exercises.toml:10", "another exercise `halve`");
    let mut twin = small();
    let text = twin.0["assignments/chapter01/exercises.toml"].clone();
    twin.0.insert("assignments/chapter02/exercises.toml".into(), format!("\n{text}"));
    twin.fails(
        "assignments/chapter02/exercises.toml:2",
        "another exercise `halve` at assignments/chapter01/exercises.toml:1: rename",
    );
}

#[test]
fn mathematics_without_a_test_is_found() {
    let page = "book/src/chapter01.md";
    small().on_page("of $x$;", "of $$x$$;").fails(&format!("{page}:9"), "needs a test");
    small().on_page("of $x$;", "of $x;").fails(&format!("{page}:9"), "not closed");
    small()
        .on_page("of $x$;", "of $y$;")
        .fails(&format!("{page}:9"), "`y` is in no table of symbols");
    small()
        .with("tests/chapter01.rs", "2x = x + x", r"2\xi = x + x")
        .fails("tests/chapter01.rs:4", r"`\xi` is in no table");
    small()
        .with("assignments/chapter01/exercises.toml", "$x$", "$u$")
        .fails("assignments/chapter01/exercises.toml:1", "`u` is in no table");
    small()
        .with("tests/chapter01.rs", "```math", "```")
        .fails("tests/chapter01.rs:6", "needs a name, and a formula");
    small()
        .with(
            "book/src/equations01.md",
            "{{#equations chapter01}}",
            "{{#equation twice_is_the_sum}}",
        )
        .fails("book/src/equations01.md:3", "equations are printed in chapters");
    let exercise = small().with(
        "assignments/chapter01/exercises.toml",
        "task = 'Halve $x$.'",
        "task = \"\"\"Halve:\n```math\nx = 2\n```\n\"\"\"",
    );
    let (texts, problems) = exercise.run(before, |t| t);
    assert_eq!(problems, Vec::<String>::new());
    assert!(texts[0].contains("$$x = 2$$"));
    let (texts, problems) =
        small().on_page("`a {{#b}} $c`", "```math\nx = 1\n```").run(before, |t| t);
    assert_eq!(problems, Vec::<String>::new());
    assert!(texts[0].contains("$$x = 1$$"));
}

#[test]
fn directives_out_of_place_are_found() {
    let page = "book/src/chapter01.md";
    small()
        .on_page("See {{#ref", "{{#figure chapter01/line}} See {{#ref")
        .fails(&format!("{page}:3"), "needs a line of its own");
    small()
        .on_page("of $x$", "of $x {{#value chapter01.six}}$")
        .fails(&format!("{page}:9"), "inside a formula");
    small()
        .on_page("chapter01.third fixed=2", "chapter01.third")
        .fails(&format!("{page}:9"), "not a whole number");
    small().on_page("fixed=2", "fixed=4").fails(&format!("{page}:9"), "print fewer");
    small()
        .on_page("{{#cite euclid}}", "{{#cite euclid p. 5}}")
        .fails(&format!("{page}:3"), "takes one name");
}

#[test]
fn files_that_cannot_be_read_are_found() {
    let results = "book/src/generated/chapter01/results.json";
    small()
        .without("book/src/generated/chapter01/line.svg")
        .fails("book/src/chapter01.md:13", "line.svg");
    small()
        .without("book/src/generated/chapter01/line.csv")
        .fails("book/src/chapter01.md:13", "line.csv");
    small()
        .with(results, "\"exact\"", "\"excat\"")
        .fails(&format!("{results}:2"), "not the results of a chapter");
    small()
        .with("book/symbols/common.toml", "meaning", "meening")
        .fails("book/symbols/common.toml:3", "meening");
    small()
        .with("book/symbols/common.toml", "code = 'x'", "code = 'xyz'")
        .fails("book/symbols/common.toml:1", "`xyz` is nowhere in the code");
    small()
        .with("book/bibliography.toml", "title", "titel")
        .fails("book/bibliography.toml:4", "titel");
    let exercises = "assignments/chapter01/exercises.toml";
    small()
        .with(exercises, "points = 1\n", "")
        .fails(&format!("{exercises}:1"), "is checked by code and has no points: add");
    small()
        .with(exercises, "hint", "hind")
        .fails(&format!("{exercises}:8"), "unknown field `hind`");
    small()
        .with(exercises, "points = 1", "points = 1\nvisibility = 'sometimes'")
        .fails(&format!("{exercises}:6"), "expected one of `visible`, `hidden`");
}

#[test]
fn listings_that_no_page_can_show_are_found() {
    let long = format!("2 * x{}", "\n// line".repeat(40));
    small().with("src/lib.rs", "2 * x", &long).fails("book/src/chapter01.md:11", "has 43 lines");
    let wide = format!("2 * x // {}", "wide ".repeat(20));
    small().with("src/lib.rs", "2 * x", &wide).fails("book/src/chapter01.md:11", "has a line of");
}

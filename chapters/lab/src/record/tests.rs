use super::*;
use crate::Lines;
use std::fs;

fn lab(out: &Path, own: bool) -> Lab {
    let command = "cargo run --bin chapter99".into();
    Lab::with("chapter99", command, out.to_owned(), own, Box::new(io::sink())).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn line() -> Lines {
    Lines::new("x", "y").series("", [0.0, 1.0], [0.0, 1.0])
}

#[test]
fn a_section_records_what_is_said_in_it() {
    let out = tempfile::tempdir().unwrap();
    let mut lab = lab(out.path(), true);
    lab.say("before");
    lab.section("one", "One").unwrap();
    lab.say("a\nb");
    lab.table(&Table::new(&["x"]).row(["1"]));
    lab.section("two", "Two").unwrap();
    lab.say("c");
    lab.finish().unwrap();
    let read = |name: &str| fs::read_to_string(out.path().join("outputs").join(name)).unwrap();
    assert_eq!(read("one.txt"), "$ cargo run --bin chapter99\na\nb\nx\n─\n1\n");
    assert_eq!(read("two.txt"), "$ cargo run --bin chapter99\nc\n");
}

#[test]
fn leftovers_go_from_the_chapters_own_folder_only_and_only_at_the_end() {
    for own in [true, false] {
        let out = tempfile::tempdir().unwrap();
        fs::create_dir(out.path().join("outputs")).unwrap();
        for name in
            ["old.svg", "old.csv", "notes.csv", "model.bin", "outputs/old.txt", "outputs/a.md"]
        {
            fs::write(out.path().join(name), "").unwrap();
        }
        let mut lab = lab(out.path(), own);
        lab.section("new", "New").unwrap();
        lab.figure("new", "A line.", "A rising line.", &line()).unwrap();
        assert!(out.path().join("old.svg").exists());
        lab.finish().unwrap();
        let kept = names(out.path());
        let outputs = names(&out.path().join("outputs"));
        if own {
            let all = ["model.bin", "new.csv", "new.svg", "notes.csv", "outputs", "results.json"];
            assert_eq!(kept, all);
            assert_eq!(outputs, ["a.md", "new.txt"]);
        } else {
            assert_eq!(kept.len(), 8);
            assert_eq!(outputs.len(), 3);
        }
    }
}

#[test]
fn mistakes_of_a_chapter_are_errors() {
    let out = tempfile::tempdir().unwrap();
    let mut lab = lab(out.path(), true);
    let figure = |lab: &mut Lab, name: &str, alt: &str, figure: &Lines| {
        lab.figure(name, "A line.", alt, figure).map_err(|e| e.to_string())
    };
    assert!(figure(&mut lab, "../x", "A rising line.", &line()).is_err());
    assert!(figure(&mut lab, "line", " ", &line()).unwrap_err().contains("alt text"));
    assert_eq!(figure(&mut lab, "line", "A rising line.", &line()), Ok(()));
    assert!(figure(&mut lab, "line", "A rising line.", &line()).unwrap_err().contains("twice"));
    let broken = line().points("p", [f64::NAN], [0.0]);
    assert!(figure(&mut lab, "nan", "Nothing.", &broken).unwrap_err().contains("\"nan\""));
    lab.section("s", "S").unwrap();
    assert!(lab.section("s", "S").unwrap_err().to_string().contains("twice"));
    lab.near("loss", f64::INFINITY, 0.1);
    let error = lab.finish().unwrap_err().to_string();
    assert_eq!(error, "the result \"loss\" is not finite");
    assert!(!out.path().join("results.json").exists());
}

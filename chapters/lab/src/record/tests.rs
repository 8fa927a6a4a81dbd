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

#[test]
fn a_section_says_how_far_its_numbers_may_stray() {
    let out = tempfile::tempdir().unwrap();
    let mut lab = lab(out.path(), true);
    let figure = |lab: &mut Lab, name: &str| {
        lab.figure(name, "A line.", "A rising line.", &line()).unwrap();
    };
    lab.section("plain", "Plain").unwrap();
    figure(&mut lab, "plain");
    lab.section("training", "Training").unwrap();
    figure(&mut lab, "before");
    lab.section_near(0.25);
    lab.section("times", "Times").unwrap();
    lab.section_machine();
    figure(&mut lab, "after");
    lab.section("end", "End").unwrap();
    lab.finish().unwrap();
    let results = fs::read_to_string(out.path().join("results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    let likeness = |what: &str, name: &str| {
        let likeness = &results[what][name];
        (likeness["kind"].as_str().unwrap().to_owned(), likeness["tolerance"].as_f64())
    };
    let near = |tolerance| ("near".to_owned(), Some(tolerance));
    let machine = ("machine".to_owned(), None);
    assert_eq!(likeness("outputs", "plain"), near(1e-6));
    assert_eq!(likeness("figures", "plain"), near(1e-6));
    assert_eq!(likeness("outputs", "training"), near(0.25));
    assert_eq!(likeness("figures", "before"), near(0.25));
    assert_eq!(likeness("outputs", "times"), machine);
    assert_eq!(likeness("figures", "after"), machine);
    assert_eq!(likeness("outputs", "end"), near(1e-6));
    assert!(results["machine"].as_str().unwrap().contains(" of a"));
}

#[test]
fn the_machine_is_named_only_where_something_depends_on_it() {
    let out = tempfile::tempdir().unwrap();
    let results = |say: fn(&mut Lab)| {
        let mut lab = lab(out.path(), true);
        lab.section("s", "S").unwrap();
        say(&mut lab);
        lab.finish().map_err(|error| error.to_string())?;
        Ok::<_, String>(fs::read_to_string(out.path().join("results.json")).unwrap())
    };
    assert!(!results(|lab| lab.exact("one", 1)).unwrap().contains("\"machine\""));
    assert!(results(|lab| lab.machine("one", 1.0, "s")).unwrap().contains("\"machine\": \""));
    assert!(results(|lab| lab.section_machine()).unwrap().contains("\"machine\": \""));
    let error = results(|lab| lab.section_near(-1.0)).unwrap_err();
    assert_eq!(error, "the tolerance of \"s\" must be finite and not negative, but is -1");
    let mut early = lab(out.path(), true);
    early.section_machine();
    assert!(early.finish().unwrap_err().to_string().starts_with("there is no section"));
}

#[test]
fn a_run_aside_leaves_the_book_as_it_is_unless_a_folder_was_chosen() {
    for own in [true, false] {
        let out = tempfile::tempdir().unwrap();
        fs::create_dir(out.path().join("outputs")).unwrap();
        fs::write(out.path().join("results.json"), "old").unwrap();
        fs::write(out.path().join("old.svg"), "").unwrap();
        let mut lab = lab(out.path(), own);
        lab.aside();
        lab.section("new", "New").unwrap();
        lab.say("something");
        lab.exact("one", 1);
        lab.figure("line", "A line.", "A rising line.", &line()).unwrap();
        lab.finish().unwrap();
        let kept = names(out.path());
        if own {
            assert_eq!(kept, ["old.svg", "outputs", "results.json"]);
            assert_eq!(fs::read_to_string(out.path().join("results.json")).unwrap(), "old");
            assert_eq!(names(&out.path().join("outputs")), [""; 0]);
        } else {
            assert_eq!(kept, ["line.csv", "line.svg", "old.svg", "outputs", "results.json"]);
        }
    }
}

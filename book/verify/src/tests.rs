//! Each rule is seen to let pass what it should, and to find what it should find.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Likeness::{self, Machine, Near};
use crate::chapter;
use crate::figure::{compare_data, compare_drawing};
use crate::results::Results;
use crate::text::{self, Token, skeleton, tokens};

/// Where two printed texts differ: `line 3`.
fn lines(committed: &str, found: &str, likeness: Likeness) -> Vec<String> {
    let differences = text::compare("t", committed, found, likeness, true);
    differences.into_iter().map(|d| d.place.replace("t, ", "")).collect()
}

fn same(committed: &str, found: &str, likeness: Likeness) -> bool {
    lines(committed, found, likeness).is_empty()
}

fn number(value: f64, last: f64) -> Token {
    Token::Number { value, last }
}

fn word(text: &str) -> Token {
    Token::Word(text.into())
}

#[test]
fn numbers_are_found_among_words() {
    assert_eq!(tokens("loss 0.25, of"), [word("loss"), number(0.25, 0.01), word(","), word("of")]);
    assert_eq!(
        tokens("50,890 − 1,5"),
        [number(50890.0, 0.0), word("−"), number(1.0, 0.0), word(","), number(5.0, 0.0)]
    );
    assert_eq!(tokens("-7.30e-4 −2"), [number(-7.3e-4, 1e-6), number(-2.0, 0.0)]);
    assert_eq!(tokens("f32 W0[12]"), [word("f32"), word("W0["), number(12.0, 0.0), word("]")]);
    assert_eq!(tokens("2-32-3")[0], number(2.0, 0.0));
    assert_eq!(tokens("a  b"), tokens(" a b "));
    assert_ne!(tokens("a b"), tokens("ab"));
    assert_eq!(tokens("──── ──"), tokens("── ─────"));
    assert_ne!(tokens("──── ──"), tokens("────"));
    assert_eq!(
        tokens("1e5 1e 1.e"),
        [number(1e5, 1e5), number(1.0, 0.0), word("e"), number(1.0, 0.0), word(".e")]
    );
}

#[test]
fn near_texts_have_the_same_words_and_nearly_the_same_numbers() {
    let near = Near(1e-6);
    assert!(same("loss 0.1234", "loss 0.1234", Near(0.0)));
    assert!(same("loss 0.1234", "loss 0.1235", near), "the last decimal");
    assert!(same("error 9e-8 x", "error  2.1e-7  x", near), "rounding errors, another width");
    assert!(same("x 0 y", "x -2.8e-17 y", near));
    assert!(!same("loss 0.1234", "loss 0.1236", near));
    assert!(!same("loss 0.1234", "cost 0.1234", near));
    assert!(!same("loss 0.1234", "loss -0.1234", near));
    assert!(!same("9,779 of 10,000", "9,780 of 10,000", near), "whole numbers are whole");
    assert!(same("9,779 of 10,000", "9,780 of 10,000", Near(0.01)));
    assert!(!same("9,779 of 10,000", "9,979 of 10,000", Near(0.01)));
    assert!(!same("x 0.5", "x NaN", near));
    assert!(!same("x inf", "x -inf", near));
    assert!(!same("0.5 passed", "0.5 FAILED", Near(9.0)), "words stay, however wide the numbers");
    assert!(!same("1 2", "1", near));
    assert!(!same("in f32", "in f64", Near(9.0)), "a name is no number");
}

#[test]
fn of_texts_of_the_machine_the_words_are_compared() {
    assert!(same("took 19 µs, ratio 13", "took 245.5 µs, ratio 7", Machine));
    assert!(same("sum ff4decba…745a", "sum 0a1…77", Machine));
    assert!(!same("took 19 µs", "took 19 ms", Machine));
    assert!(!same("took 19 µs", "took NaN µs", Machine));
    assert!(!same("took 19 µs", "took 19 20 µs", Machine));
    assert_eq!(skeleton("─── a 1.5 0x7f b"), ["─", "a", "#", "#", "b"]);
}

#[test]
fn every_line_that_differs_is_named_up_to_a_few() {
    let old = "a\nb\nc 1\n";
    assert_eq!(lines(old, "a\nx\nc 2\n", Near(0.0)), ["line 2", "line 3"]);
    assert_eq!(lines(old, "a\nb\n", Near(0.0)), ["t"]);
    let many = text::compare("t", &"a\n".repeat(9), &"b\n".repeat(9), Near(0.0), true);
    assert_eq!(many.len(), 6);
    assert_eq!(many[0].to_string(), "  t, line 1\n    committed: a\n    found:     b");
    assert_eq!(many[5].found, "4 lines more that differ");
}

#[test]
fn data_have_no_free_decimal() {
    let differs = |a: &str, b: &str| !compare_data("f.csv", a, b, Near(1e-6)).is_empty();
    assert!(!differs("x,y\n1.0,0.3333333333333333\n", "x,y\n1.0,0.3333333333333337\n"));
    assert!(differs("x,y\n1.0,0.3\n", "x,y\n1.1,0.3\n"));
    assert!(differs("x,y\n1.0,0.3\n", "x,z\n1.0,0.3\n"));
    assert!(differs("x,y\n1,100\n", "x,y\n1,102\n"));
    assert!(differs("x,y\n1,2\n", "x,y\n1,2\n3,4\n"));
    let machine = |a: &str, b: &str| compare_data("f.csv", a, b, Machine).is_empty();
    assert!(machine("s,x\nslow one,1.5\n", "s,x\nslow one,7.5\n"));
    assert!(!machine("s,x\nslow one,1.5\n", "s,x\nslow two,1.5\n"));
}

const DRAWING: &str = r##"<svg width="720" viewBox="0 0 7200 4310">
<path fill="none" stroke="#808080" stroke-width="10" d="M696,100 696,-3500"/>
<text x="696" y="3560" dy="0.76em" fill="#7C7C7C">
0.01
</text>
<text x="9" y="9">
loss, step 5
</text>
</svg>
"##;

#[test]
fn near_drawings_have_the_same_shapes_within_a_pixel() {
    let is_like = |old: &str, new: &str| {
        assert!(DRAWING.contains(old));
        compare_drawing("f.svg", DRAWING, &DRAWING.replace(old, new), Near(1e-6)).is_empty()
    };
    assert!(is_like("696,-3500", "705,-3491"));
    assert!(!is_like("696,-3500", "707,-3500"));
    assert!(!is_like("696,-3500", "696,3500"));
    assert!(!is_like("M696,100 ", ""));
    assert!(!is_like("#808080", "#808081"));
    assert!(!is_like("loss", "cost"));
    assert!(!is_like("\n0.01\n", "\n0.03\n"));
    assert!(!is_like("</svg>\n", "<path d=\"M0,0 1,1\"/>\n</svg>\n"));
}

#[test]
fn other_drawings_have_the_same_words() {
    for likeness in [Machine, Near(0.02)] {
        let is_like = |old: &str, new: &str| {
            compare_drawing("f.svg", DRAWING, &DRAWING.replace(old, new), likeness).is_empty()
        };
        assert!(is_like("696,-3500", "1,2 3,4 5,6"));
        assert!(is_like("\n0.01\n", "\n0.02\n"));
        assert!(is_like("step 5", "step 17"));
        assert!(!is_like("loss, step", "cost, step"));
        assert!(!is_like("\nloss, step 5\n", "\n"));
    }
}

/// A chapter's results, with everything that can be in them.
fn results() -> Value {
    json!({
        "command": "cargo run --bin c",
        "machine": "2 cores of a Z80, OpenBLAS kernel Small",
        "figures": { "f": { "alt": "a", "caption": "c", "kind": "near", "tolerance": 1e-6 } },
        "outputs": { "o": { "kind": "near", "tolerance": 1e-6 }, "t": { "kind": "machine" } },
        "values": {
            "e": { "kind": "exact", "value": 3 },
            "n": { "kind": "near", "tolerance": 0.1, "value": 20.0 },
            "m": { "kind": "machine", "unit": "s", "value": 0.5 }
        }
    })
}

#[test]
fn results_are_compared_by_their_kind() {
    let places = |change: fn(&mut Value)| {
        let mut new = results();
        change(&mut new);
        let differences = Results::new(results()).compare(&Results::new(new));
        let places = differences.into_iter().map(|d| d.place.replace("results.json, ", ""));
        places.collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(places(|_| ()), none);
    assert_eq!(places(|r| r["machine"] = json!("another")), none);
    assert_eq!(places(|r| r["values"]["m"]["value"] = json!(1e9)), none);
    assert_eq!(places(|r| r["values"]["n"]["value"] = json!(21.9)), none);
    assert_eq!(
        places(|r| r["values"]["n"]["value"] = json!(22.1)),
        ["values.n (near, tolerance 0.1)"]
    );
    assert_eq!(places(|r| r["values"]["e"]["value"] = json!(4)), ["values.e (exact)"]);
    assert_eq!(places(|r| r["values"]["m"]["value"] = json!(null)), ["values.m (machine)"]);
    assert_eq!(places(|r| r["values"]["m"]["unit"] = json!("ms")), ["values.m.unit"]);
    assert_eq!(places(|r| r["values"]["n"]["tolerance"] = json!(9)), ["values.n.tolerance"]);
    assert_eq!(places(|r| r["values"]["new"] = json!({ "kind": "exact" })), ["values.new"]);
    assert_eq!(places(|r| drop(r["values"].as_object_mut().unwrap().remove("e"))), ["values.e"]);
    assert_eq!(places(|r| r["figures"]["f"]["alt"] = json!("b")), ["figures.f.alt"]);
    assert_eq!(places(|r| r["figures"]["f"]["caption"] = json!("b")), ["figures.f.caption"]);
    assert_eq!(places(|r| r["outputs"]["t"]["kind"] = json!("near")), ["outputs.t.kind"]);
    assert_eq!(places(|r| r["command"] = json!("make")), ["command"]);
    assert_eq!(places(|r| r["machine"] = json!(null)), ["machine"]);
}

/// A folder as a chapter writes it.
fn write(changes: &[(&str, Option<&str>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("outputs")).unwrap();
    let results = results().to_string();
    let files = [
        ("results.json", &results[..]),
        ("f.svg", DRAWING),
        ("f.csv", "x,y\n1.0,2.0\n"),
        ("outputs/o.txt", "loss 0.25\n"),
        ("outputs/t.txt", "took 3 s on 2 cores of a Z80, OpenBLAS kernel Small\n"),
    ];
    for (file, text) in files {
        fs::write(path.join(file), text).unwrap();
    }
    for (file, text) in changes {
        match text {
            Some(text) => fs::write(path.join(file), text).unwrap(),
            None => fs::remove_file(path.join(file)).unwrap(),
        }
    }
    folder
}

#[test]
fn every_file_of_a_chapter_is_compared() {
    let committed = write(&[]);
    let places = |file: &str, text: Option<&str>| {
        let found = write(&[(file, text)]);
        let differences = chapter::compare(committed.path(), found.path());
        differences.into_iter().map(|d| d.place).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(places("f.csv", Some("x,y\n1.0,2.0000000001\n")), none);
    assert_eq!(places("f.csv", Some("x,y\n1.0,2.1\n")), ["f.csv, line 2"]);
    let drawing = DRAWING.replace("3500", "3400");
    assert_eq!(places("f.svg", Some(&drawing)), ["f.svg, line 2"]);
    assert_eq!(places("outputs/o.txt", Some("loss 0.35\n")), ["outputs/o.txt, line 1"]);
    assert_eq!(places("outputs/o.txt", None), ["outputs/o.txt"]);
    assert_eq!(places("outputs/t.txt", Some("took 9 s on a Z80\n")), ["outputs/t.txt, line 1"]);
    assert_eq!(places("more.svg", Some("")), ["more.svg"]);
    assert_eq!(places("results.json", Some("{")), ["results.json"]);
    assert_eq!(places("results.json", None).len(), 1);
    // Another machine prints its own name.
    let results = results().to_string().replace("Z80", "6502");
    let text = "took 9 s on 2 cores of a 6502, OpenBLAS kernel Small\n";
    let found = write(&[("results.json", Some(&results)), ("outputs/t.txt", Some(text))]);
    assert_eq!(chapter::compare(committed.path(), found.path()), []);
}

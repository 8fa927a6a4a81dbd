//! The directives that show the teeth of the checks, and what can be wrong with their file.

use super::*;

const FILE: &str = "book/src/generated/checks.json";
const EXERCISES: &str = "assignments/chapter01/exercises.toml";
const PAGE: &str = "book/src/equations01.md";

const CHECKS: &str = r#"{ "chapters": [ { "number": 1, "checks": [
    { "name": "halve",
      "questions": ["", "", "", "", "", "at $0$, | and −1", "", "a * b"],
      "wrong": [
        { "name": "1. x * 2",
          "published": "euclid", "about": "twice_is_the_sum",
          "fails": [true, true, true, true, true, false, true, true] },
        { "name": "a plain 0", "about": "double-section",
          "fails": [false, false, false, true, false, false, false, false] }
      ],
      "right": [ { "name": "x >> 1" }, { "name": "half x" } ] }
] } ] }
"#;

/// The book in which nothing is wrong, with checks and both directives.
fn checked() -> Small {
    let mut small = small();
    small.0.insert(FILE.into(), CHECKS.into());
    small.with(
        PAGE,
        "{{#bibliography}}\n",
        "{{#bibliography}}\n\n{{#mistakes chapter01}}\n\n{{#kill_matrix chapter01}}\n",
    )
}

#[test]
fn mistakes_and_matrix_are_printed() {
    let (texts, problems) = checked().run(before, |text| text);
    assert_eq!(problems, Vec::<String>::new());
    for part in [
        "<div class=\"mistakes\" id=\"mistakes-halve\">\n\n\
         **[Exercise 1.1](chapter01.md#exercise-halve). Halve** \
         <span class=\"origin\">on [(1.1)](chapter01.md#equation-twice_is_the_sum)</span>\n\n\
         <details>\n<summary>2 wrong answers</summary>\n\n\
         - <span>1. x &#42; 2</span><span class=\"origin\">: see \
         [(1.1)](chapter01.md#equation-twice_is_the_sum); \
         published by [Euclid](bibliography.md#euclid)</span>\n\
         - <span>a plain 0</span><span class=\"origin\">: see \
         [Section 1.1](chapter01.md#double-section)</span>\n\n</details>\n\n</div>",
        "<div class=\"kill_matrix\" id=\"kill_matrix-halve\">\n\n\
         **[Exercise 1.1](chapter01.md#exercise-halve). Halve**\n\n\
         | Wrong answer | Questions 1 to 8 | Caught by |\n|---|---|---|\n\
         | 1. x &#42; 2 | <code class=\"marks\" role=\"img\" \
         aria-label=\"wrong at 1 to 5, 7 and 8 of 8\">",
        "<span>·<b>✕</b><b>✕</b></span></code> | 7 of 8 |\n| a plain 0 | ",
        "<span>···<b>✕</b>·</span> <span>···</span></code> | 1 of 8 |\n\n\
         - Question 6: at &#36;0&#36;, &#124; and −1\n- Question 8: a &#42; b\n\n\
         Passes as right: x &gt;&gt; 1; half x.\n\n</div>",
    ] {
        assert!(texts[1].contains(part), "no {part:?} in\n{}", texts[1]);
    }
}

#[test]
fn exercises_have_their_order_and_titles_their_formulas() {
    let second = CHECKS.replace("halve", "third");
    let (_, entry) = second.split_once("\"checks\": [").unwrap();
    let (entry, _) = entry.rsplit_once("] } ] }").unwrap();
    let first = format!("\"checks\": [{entry},");
    let text = "[[exercise]]\nname = 'third'\nkind = 'assignment'\ntitle = 'A third of $x$'\npoints = 1\nabout = 'double-section'\ntask = 'x'\nhint = 'x'\ncheck = 'x'\n";
    let small = checked()
        .with(FILE, "\"checks\": [", &first)
        .with(EXERCISES, "check = 'Double it.'\n", &format!("check = 'Double it.'\n{text}"))
        .on_page("{{#exercise halve}}", "{{#exercise halve}}\n\n{{#exercise third}}");
    let (texts, problems) = small.run(before, |text| text);
    assert_eq!(problems, Vec::<String>::new());
    let at = |part: &str| texts[1].find(part).unwrap_or_else(|| panic!("no {part}: {}", texts[1]));
    assert!(at("id=\"mistakes-halve\"") < at("id=\"mistakes-third\""));
    assert!(at("A third of $x$**") < at("id=\"kill_matrix-halve\""));
}

#[test]
fn all_together_is_scored_and_has_no_check() {
    let text = "[[exercise]]\nname = 'both'\nkind = 'together'\ntitle = 'Both'\npoints = 4\nabout = 'double-section'\ntask = 'x'\nhint = 'x'\ncheck = 'x.'\n";
    let small = checked()
        .with(EXERCISES, "check = 'Double it.'\n", &format!("check = 'Double it.'\n{text}"))
        .on_page("{{#exercise halve}}", "{{#exercise halve}}\n\n{{#exercise both}}");
    let (texts, problems) = small.run(before, |text| text);
    assert_eq!(problems, Vec::<String>::new());
    assert!(texts[0].contains("4 points, on"), "{}", texts[0]);
    assert!(texts[0].contains("x. To check it: `cargo xtask grade all`."), "{}", texts[0]);
}

#[test]
fn a_single_question_is_one() {
    let (texts, _) = checked()
        .with(
            FILE,
            "[\"\", \"\", \"\", \"\", \"\", \"at $0$, | and −1\", \"\", \"a * b\"]",
            "[\"\"]",
        )
        .with(FILE, "[true, true, true, true, true, false, true, true]", "[true]")
        .with(FILE, "[false, false, false, true, false, false, false, false]", "[true]")
        .with(FILE, "{ \"name\": \"x >> 1\" }, { \"name\": \"half x\" }", "")
        .run(before, |text| text);
    assert!(texts[1].contains("| Wrong answer | Question 1 | Caught by |"), "{}", texts[1]);
    assert!(texts[1].contains("aria-label=\"wrong at 1 of 1\""), "{}", texts[1]);
    assert!(!texts[1].contains("Passes as right"), "{}", texts[1]);
}

#[test]
fn chapters_without_checks_are_found() {
    checked()
        .with(PAGE, "mistakes chapter01", "mistakes chapter02")
        .fails(&format!("{PAGE}:7"), "there is no chapter `chapter02`: did you mean `chapter01`?");
    checked()
        .with(PAGE, "kill_matrix chapter01", "kill_matrix")
        .fails(&format!("{PAGE}:9"), "there is no chapter ``");
    checked()
        .with(PAGE, "{{#kill_matrix chapter01}}", "See {{#kill_matrix chapter01}}")
        .fails(&format!("{PAGE}:9"), "needs a line of its own");
    checked()
        .with(PAGE, "{{#mistakes chapter01}}", "See {{#mistakes chapter01}}")
        .fails(&format!("{PAGE}:7"), "needs a line of its own");
    checked().with(PAGE, "{{#kill_matrix chapter01}}", "{{#mistakes chapter01}}").fails(
        &format!("{PAGE}:9"),
        "`mistakes chapter01` is already at book/src/equations01.md:7",
    );
    checked()
        .without(FILE)
        .fails(&format!("{PAGE}:7"), "there are no checks in `book/src/generated/checks.json`");
}

#[test]
fn origins_that_are_nowhere_are_found() {
    checked()
        .with(FILE, "\"euclid\"", "\"euklid\"")
        .fails(&format!("{FILE}:5"), "there is no work `euklid`: did you mean `euclid`?");
    checked()
        .with(FILE, "\"about\": \"double-section\"", "\"about\": \"double-sektion\"")
        .fails(&format!("{FILE}:8"), "did you mean `double-section`?");
}

#[test]
fn checks_and_exercises_that_lack_each_other_are_found() {
    let renamed = || checked().with(FILE, "\"name\": \"halve\"", "\"name\": \"halves\"");
    renamed().fails(
        &format!("{FILE}:2"),
        "there is no assignment of chapter 1 `halves`: did you mean `halve`?",
    );
    renamed().fails(&format!("{EXERCISES}:1"), "`halve` has no check in book/src/generated/");
    checked()
        .with(FILE, "\"number\": 1", "\"number\": 2")
        .fails(&format!("{FILE}:2"), "there is no assignment of chapter 2 `halve`");
    checked()
        .with(EXERCISES, "kind = 'assignment'", "kind = 'challenge'")
        .fails(&format!("{FILE}:2"), "there is no assignment of chapter 1 `halve`");
    let (_, check) = CHECKS.split_once("\"checks\": [").unwrap();
    let (check, _) = check.rsplit_once("] } ] }").unwrap();
    checked()
        .with(FILE, "half x\" } ] }\n", &format!("half x\" }} ] }},{check}"))
        .fails(&format!("{FILE}:12"), "there is another check `halve`");
}

#[test]
fn checks_without_teeth_are_found() {
    checked()
        .with(FILE, "[false, false, false, true,", "[false, false, false, false,")
        .fails(&format!("{FILE}:8"), "no question of `halve` catches `a plain 0`");
    checked()
        .with(FILE, "[false, false, false, true,", "[false, false, true,")
        .fails(&format!("{FILE}:8"), "`a plain 0` has 7 answers to 8 questions");
    let (before, after) =
        (CHECKS.find("\"wrong\": [").unwrap(), CHECKS.find("],\n      \"right").unwrap());
    let wrong = &CHECKS[before..after];
    checked()
        .with(FILE, wrong, "\"wrong\": [")
        .fails(&format!("{FILE}:2"), "`halve` has no wrong answer that it must catch");
}

#[test]
fn a_file_of_another_form_is_found_where_it_differs() {
    for (old, new, line, message) in [
        ("\"number\": 1", "\"number\": \"1\"", 1, "expected u32"),
        ("\"questions\"", "\"question\"", 3, "unknown field `question`"),
        ("\"about\": \"double-section\"", "\"abouts\": \"\"", 8, "unknown field `abouts`"),
        ("\"half x\"", "5", 11, "expected a string"),
    ] {
        let place = format!("{FILE}:{line}");
        checked().with(FILE, old, new).fails(&place, "not what the grader writes");
        checked().with(FILE, old, new).fails(&place, message);
    }
}

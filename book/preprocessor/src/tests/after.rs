//! What is done once KaTeX has run.

use super::*;

#[test]
fn formulas_that_katex_left_are_found() {
    let (_, problems) = small().run(after, |text| {
        text.replace("$x$", r"$\nope{x$")
            .replace("{{#equation twice_is_the_sum}}", "<div>$$2x = x + x$$</div>")
    });
    // Sought in the files: there the first is still `$x$`, so its page is named.
    assert!(
        problems.iter().any(|p| p.starts_with("book/src/chapter01.md:")
            && p.contains(r"KaTeX cannot read `\nope{x`")),
        "{problems:?}"
    );
    assert!(
        problems
            .iter()
            .any(|p| p.starts_with("tests/chapter01.rs:4: KaTeX cannot read `2x = x + x`")),
        "{problems:?}"
    );
}

#[test]
fn markdown_does_not_see_the_formulas() {
    let katex = "<p>a <span class=\"katex\"><span class=\"katex-mathml\"><math><mo>_</mo><mo>*</mo><annotation encoding=\"application/x-tex\">a_b*c</annotation></math></span><span class=\"katex-html\">|&lt;$</span></span> *b*</p>";
    let edit = |_: String| String::new();
    let mut small = small();
    small.0.insert("book/src/chapter01.md".into(), katex.into());
    let (texts, problems) = small.run(after, |text| text);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        texts[0],
        "<p>a <span class=\"katex\"><span class=\"katex-mathml\"><math><mo>&#95;</mo><mo>&#42;</mo></math></span><span class=\"katex-html\">&#124;&lt;&#36;</span></span> *b*</p>"
    );
    assert_eq!(small.run(after, edit).0[0], "");
}

#[test]
fn a_mark_stays_with_its_formula() {
    let formula = |bases: usize| {
        let bases = "<span class=\"base\"></span>".repeat(bases);
        format!("<span class=\"katex\"><span class=\"katex-html\">{bases}</span></span>")
    };
    let rendered = |text: String| {
        let mut small = small();
        small.0.insert("book/src/chapter01.md".into(), text);
        small.run(after, |text| text).0[0].clone()
    };
    let (short, long) = (formula(1), formula(2));
    let together = format!("<span class=\"together\">{short}).</span> And");
    assert_eq!(rendered(format!("{short}). And")), together);
    assert_eq!(rendered(format!("{short} and")), format!("{short} and"));
    assert_eq!(rendered(format!("{long}. And")), format!("{long}. And"));
}

#[test]
fn figures_come_with_words_and_without_blank_lines() {
    let (texts, problems) = small().run(after, |text| {
        text.replace("{{#figure chapter01/line}}", "<!--figure chapter01/line-->")
            .replace("{{#", "")
            .replace('$', "")
    });
    assert_eq!(problems, Vec::<String>::new());
    assert!(
        texts[0].contains(
            "<svg role=\"img\" aria-label=\"A line.\" viewBox=\"0 0 1 1\"><text>$2</text></svg>"
        ),
        "{}",
        texts[0]
    );
}

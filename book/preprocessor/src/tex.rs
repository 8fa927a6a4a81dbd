//! The symbols in a formula.

/// Commands that are not symbols: structure, relations, brackets, spaces, functions with a
/// name of their own.
const NOT_SYMBOLS: &[&str] = &[
    "frac",
    "tfrac",
    "dfrac",
    "sqrt",
    "sum",
    "prod",
    "int",
    "lim",
    "max",
    "min",
    "sup",
    "inf",
    "exp",
    "ln",
    "log",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "coth",
    "sech",
    "arg",
    "det",
    "dim",
    "ker",
    "binom",
    "partial",
    "nabla",
    "infty",
    "left",
    "right",
    "middle",
    "big",
    "Big",
    "bigg",
    "Bigg",
    "bigl",
    "bigr",
    "Bigl",
    "Bigr",
    "biggl",
    "biggr",
    "Biggl",
    "Biggr",
    "bigm",
    "Bigm",
    "cdot",
    "cdots",
    "ldots",
    "dots",
    "vdots",
    "ddots",
    "times",
    "circ",
    "odot",
    "oplus",
    "otimes",
    "pm",
    "mp",
    "le",
    "ge",
    "leq",
    "geq",
    "ll",
    "gg",
    "ne",
    "neq",
    "approx",
    "equiv",
    "sim",
    "simeq",
    "propto",
    "in",
    "notin",
    "ni",
    "subset",
    "subseteq",
    "cup",
    "cap",
    "to",
    "gets",
    "mapsto",
    "leftarrow",
    "rightarrow",
    "Leftarrow",
    "Rightarrow",
    "Leftrightarrow",
    "leftrightarrow",
    "longrightarrow",
    "longmapsto",
    "Longrightarrow",
    "Longleftarrow",
    "Longleftrightarrow",
    "implies",
    "iff",
    "xrightarrow",
    "xleftarrow",
    "forall",
    "exists",
    "land",
    "lor",
    "neg",
    "top",
    "bot",
    "mid",
    "parallel",
    "perp",
    "lvert",
    "rvert",
    "lVert",
    "rVert",
    "vert",
    "Vert",
    "langle",
    "rangle",
    "lceil",
    "rceil",
    "lfloor",
    "rfloor",
    "lbrace",
    "rbrace",
    "backslash",
    "quad",
    "qquad",
    "enspace",
    "thinspace",
    "hfill",
    "underset",
    "overset",
    "underbrace",
    "overbrace",
    "underline",
    "overline",
    "substack",
    "displaystyle",
    "textstyle",
    "scriptstyle",
    "scriptscriptstyle",
    "mathstrut",
    "strut",
    "phantom",
    "vphantom",
    "hphantom",
    "smash",
    "bmod",
    "pmod",
    "mod",
    "prime",
    "colon",
    "limits",
    "nolimits",
    "small",
    "footnotesize",
    "scriptsize",
    "tiny",
    "normalsize",
    "large",
    "hline",
    "cancel",
    "boxed",
    "not",
    "star",
    "ast",
    "bullet",
    "dagger",
    "stackrel",
    "lbrack",
    "rbrack",
    "overrightarrow",
    "surd",
    "angle",
    "square",
    "Pr",
    "triangleq",
    "coloneqq",
    "vcentcolon",
    "notag",
    "nonumber",
    "cr",
    "newline",
];

/// Commands whose argument is words, or the name of something.
const WORDS: &[&str] = &[
    "text",
    "textbf",
    "textit",
    "textrm",
    "texttt",
    "textsf",
    "mathrm",
    "operatorname",
    "begin",
    "end",
    "mathop",
    "tag",
    "hspace",
    "kern",
    "mkern",
    "color",
    "textcolor",
];

/// Commands that make one symbol of another.
const STYLES: &[&str] = &[
    "hat",
    "widehat",
    "bar",
    "tilde",
    "widetilde",
    "vec",
    "dot",
    "ddot",
    "check",
    "breve",
    "mathbf",
    "mathsf",
    "mathbb",
    "mathcal",
    "mathfrak",
    "mathscr",
    "boldsymbol",
    "bm",
    "mathit",
    "mathtt",
];

/// The symbols of a formula, in order: letters, Greek letters, and letters with an accent or
/// in a style, each as `\hat{y}`. What cannot be a symbol and is none of TeX's words either
/// is among them too.
pub fn symbols(formula: &str) -> Vec<String> {
    let mut symbols = Vec::new();
    let mut rest = formula;
    while let Some(c) = rest.chars().next() {
        if c == '\\' {
            let (command, after) = command(rest);
            rest = after;
            if command.is_empty() || NOT_SYMBOLS.contains(&command) {
                continue;
            } else if WORDS.contains(&command) {
                rest = argument(rest.trim_start_matches('*')).1;
                // The columns of an array.
                if formula[..formula.len() - rest.len()].ends_with("{array}") && command == "begin"
                {
                    rest = argument(rest).1;
                }
            } else if STYLES.contains(&command) {
                let (inner, after) = argument(rest);
                rest = after;
                symbols.push(format!("\\{command}{{{}}}", normal(inner)));
            } else {
                symbols.push(format!("\\{command}"));
            }
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if c.is_alphabetic() || !c.is_ascii() {
            symbols.push(c.to_string());
        }
    }
    symbols
}

/// A symbol in the form in which [`symbols`] finds it: `\hat y` is `\hat{y}`.
pub fn normal(symbol: &str) -> String {
    let found = symbols(symbol);
    match &found[..] {
        [one] => one.clone(),
        _ => symbol.trim().to_owned(),
    }
}

/// The command that a text begins with, and what follows.
fn command(text: &str) -> (&str, &str) {
    let name =
        text[1..].len() - text[1..].trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    if name == 0 {
        // A sign such as \, or \{ or \\.
        let sign = text[1..].chars().next().map_or(0, char::len_utf8);
        return ("", &text[1 + sign..]);
    }
    (&text[1..=name], &text[1 + name..])
}

/// The argument that a text begins with, in braces or not, and what follows.
fn argument(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.chars().next() {
        Some('{') => {
            let mut depth = 0;
            for (i, c) in text.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    return (&text[1..i], &text[i + 1..]);
                }
            }
            (&text[1..], "")
        }
        Some('\\') => {
            let (_, after) = command(text);
            // A style around a style: \hat\mathbf{x}.
            let (name, _) = command(text);
            let after = if STYLES.contains(&name) { argument(after).1 } else { after };
            (&text[..text.len() - after.len()], after)
        }
        Some(c) => text.split_at(c.len_utf8()),
        None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_found() {
        let found = symbols(
            r"\hat y_j = \frac{\partial \mathbf{J}}{\partial z} + \hat{\mathbf g}\,\sigma'(z)",
        );
        assert_eq!(
            found,
            [r"\hat{y}", "j", r"\mathbf{J}", "z", r"\hat{\mathbf{g}}", r"\sigma", "z"]
        );
        let found =
            symbols(r"\operatorname{diag}(s) \text{ if } x > 0 \\ \begin{array}{cc} a \end{array}");
        assert_eq!(found, ["s", "x", "a"]);
        assert_eq!(symbols(r"\nosuch{x} → 3"), [r"\nosuch", "x", "→"]);
        assert_eq!(symbols(r"\operatorname*{arg\,max}_k"), ["k"]);
        assert_eq!(
            symbols(r"\underset{(n, m)}{\mathstrut \bar\theta}"),
            ["n", "m", r"\bar{\theta}"]
        );
    }
}

//! Reading order is import order: a file of the library uses only files that the reader has
//! already met, in the order in which `lib.rs` declares them.

use std::fs;
use std::path::Path;

/// The modules that `lib.rs` declares, in order.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(source("lib")).unwrap();
    let declared = lib.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    });
    declared.collect()
}

fn source(module: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(format!("{module}.rs"))
}

/// The modules of this crate that a text names in code, comments left out.
fn named(text: &str) -> Vec<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>();
    let code = code.join("\n");
    let mut names = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let rest = &code[at + path.len()..];
        // `use crate::{a, b}` names several.
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(""));
        let count = if rest.starts_with('{') { usize::MAX } else { 1 };
        for name in list.split(',').take(count) {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let name: String = name.trim().chars().take_while(|&c| word(c)).collect();
            names.push(name);
        }
    }
    names
}

/// Every place where a file names a file that comes later, or none that is declared.
fn violations(modules: &[String], text_of: impl Fn(&str) -> String) -> Vec<String> {
    let mut found = Vec::new();
    for (place, module) in modules.iter().enumerate() {
        for name in named(&text_of(module)) {
            match modules.iter().position(|m| *m == name) {
                Some(other) if other <= place => {}
                Some(_) => found.push(format!("{module} uses {name}, which comes later")),
                None => found.push(format!("{module} names crate::{name}, not its file")),
            }
        }
    }
    found
}

#[test]
fn library_files_use_only_files_above_them() {
    let modules = modules();
    assert!(modules.len() > 10 && modules[0] == "float", "{modules:?}");
    let read = |module: &str| fs::read_to_string(source(module)).unwrap();
    assert_eq!(violations(&modules, read), Vec::<String>::new());
}

#[test]
fn library_has_no_file_that_lib_does_not_declare() {
    let mut declared = modules();
    declared.push("lib".to_owned());
    for entry in fs::read_dir(source("lib").parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        assert!(declared.contains(&name), "{} is not declared", path.display());
    }
}

#[test]
fn a_forward_reference_is_found() {
    let modules = ["first".to_owned(), "second".to_owned()];
    let text = |module: &str| match module {
        "first" => "use crate::{first::A, second::B}; // crate::nothing".to_owned(),
        _ => "fn f() { crate::first::g(); crate::G::h() }".to_owned(),
    };
    let expected = ["first uses second, which comes later", "second names crate::G, not its file"];
    assert_eq!(violations(&modules, text), expected);
}

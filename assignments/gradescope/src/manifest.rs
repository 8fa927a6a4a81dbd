//! A `Cargo.toml`, less what the archive does without.

use std::collections::BTreeSet;
use toml::{Table, Value};

/// The manifest of a member: without tests, examples, and what only they need.
pub fn member(manifest: &mut Table) {
    for key in ["dev-dependencies", "test", "example", "bench"] {
        manifest.remove(key);
    }
}

/// The manifest of the library, which is also that of the workspace: without its features, all of
/// which ask for OpenBLAS, and the crates that only they bring in.
pub fn library(manifest: &mut Table) {
    member(manifest);
    manifest.remove("features");
    if let Some(dependencies) = table(manifest, "dependencies") {
        dependencies.retain(|_, about| about.get("optional").is_none());
    }
    if let Some(package) = table(manifest, "package") {
        for key in ["readme", "include", "keywords", "categories"] {
            package.remove(key);
        }
    }
}

/// Makes the repository's workspace one of these members alone, whose manifests are given.
pub fn workspace(manifest: &mut Table, members: &[&str], manifests: &[&Table]) {
    let inherited: BTreeSet<String> = manifests.iter().flat_map(|it| inherited(it)).collect();
    if let Some(workspace) = table(manifest, "workspace") {
        workspace.remove("default-members");
        let members = members.iter().map(|&member| Value::from(member)).collect();
        workspace.insert("members".to_owned(), Value::Array(members));
        if let Some(dependencies) = table(workspace, "dependencies") {
            dependencies.retain(|name, _| inherited.contains(name));
        }
    }
    // Settings for one crate: cargo would warn where it is not there.
    for (_, profile) in table(manifest, "profile").into_iter().flatten() {
        if let Some(packages) = profile.as_table_mut().and_then(|it| table(it, "package")) {
            packages.retain(|name, _| name == "*");
        }
    }
}

/// The crates of which a manifest says `workspace = true`.
fn inherited(manifest: &Table) -> Vec<String> {
    let dependencies = manifest.get("dependencies").and_then(Value::as_table);
    let dependencies = dependencies.into_iter().flatten();
    dependencies
        .filter(|(_, about)| about.get("workspace").is_some())
        .map(|(name, _)| name.clone())
        .collect()
}

/// What crates are asked for, and for what. Features may name those of tests, too.
const DEPENDENCIES: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

/// The manifest of a crate that is locked and never compiled: its name, and what it depends on.
pub fn placeholder(manifest: &mut Table) {
    let keep = |key: &str| ["package", "features", "target"].contains(&key);
    manifest.retain(|key, _| keep(key) || DEPENDENCIES.contains(&key));
    if let Some(package) = table(manifest, "package") {
        package.retain(|key, _| ["name", "version", "edition"].contains(&key));
    }
    for (_, target) in table(manifest, "target").into_iter().flatten() {
        if let Some(target) = target.as_table_mut() {
            target.retain(|key, _| DEPENDENCIES.contains(&key));
        }
    }
}

fn table<'a>(manifest: &'a mut Table, key: &str) -> Option<&'a mut Table> {
    manifest.get_mut(key).and_then(Value::as_table_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn of_the_library_nothing_asks_for_openblas_and_nothing_is_there_for_tests() {
        let mut manifest = parse(
            r#"
            package = { name = "gradus", readme = "README.md" }
            features = { openblas = ["ndarray/blas", "dep:openblas-src"] }
            dev-dependencies = { proptest = "1" }
            [dependencies]
            ndarray = { workspace = true }
            openblas-src = { version = "0.10", optional = true }
            "#,
        );
        library(&mut manifest);
        let right = parse(
            r#"
            package = { name = "gradus" }
            dependencies = { ndarray = { workspace = true } }
            "#,
        );
        assert_eq!(manifest, right);
    }

    #[test]
    fn the_workspace_has_only_the_members_that_are_there_and_what_they_inherit() {
        let mut manifest = parse(
            r#"
            [workspace]
            members = ["a", "b"]
            default-members = ["."]
            dependencies = { ndarray = "0.17", plotters = "0.3" }
            [profile.dev]
            opt-level = 3
            package = { "*" = { debug-assertions = false }, clap_builder = { opt-level = 0 } }
            "#,
        );
        let member =
            parse(r#"dependencies = { ndarray = { workspace = true }, plotters = "0.3" }"#);
        workspace(&mut manifest, &["a"], &[&member]);
        let right = parse(
            r#"
            [workspace]
            members = ["a"]
            dependencies = { ndarray = "0.17" }
            [profile.dev]
            opt-level = 3
            package = { "*" = { debug-assertions = false } }
            "#,
        );
        assert_eq!(manifest, right);
    }

    #[test]
    fn a_placeholder_keeps_what_the_lock_file_is_made_of() {
        let mut manifest = parse(
            r#"
            package = { name = "w", version = "1.0.0", edition = "2021", build = "build.rs" }
            lib = { path = "src/main.rs" }
            features = { a = ["e/f"] }
            dependencies = { b = "1" }
            dev-dependencies = { e = "1" }
            [target."cfg(windows)"]
            build-dependencies = { c = "1" }
            "#,
        );
        placeholder(&mut manifest);
        let right = parse(
            r#"
            package = { name = "w", version = "1.0.0", edition = "2021" }
            features = { a = ["e/f"] }
            dependencies = { b = "1" }
            dev-dependencies = { e = "1" }
            [target."cfg(windows)"]
            build-dependencies = { c = "1" }
            "#,
        );
        assert_eq!(manifest, right);
    }
}

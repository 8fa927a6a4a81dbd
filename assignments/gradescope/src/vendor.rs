//! The crates, so that no network is needed: as `cargo vendor` has them, with empty placeholders
//! for those that Linux does not need. They are most of it, import libraries for Windows above all;
//! but cargo wants to find everything that is locked.

use crate::sources::{entries, read_manifest, write, write_manifest};
use crate::{Error, cargo, file, manifest, output};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{self, Path};
use toml::{Table, Value};

/// Where an archive may be set up.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Fills `vendor/` for both workspaces, and trims their lock files.
pub fn vendor(root: &Path, stage: &Path) -> Result<(), Error> {
    let workspaces = [stage.join("grader"), stage.join("answers")];
    let folder = path::absolute(stage.join("vendor")).map_err(file("cannot find", stage))?;
    output(
        cargo("vendor")
            .args(["--quiet", "--versioned-dirs", "--manifest-path"])
            .arg(workspaces[0].join("Cargo.toml"))
            .arg("--sync")
            .arg(workspaces[1].join("Cargo.toml"))
            .arg(&folder),
    )?;
    let known = locked(root)?;
    let mut needed = BTreeSet::new();
    for workspace in &workspaces {
        // Cargo took out of its copy what the workspace has no use for. It must not have added.
        if let Some(new) = locked(workspace)?.difference(&known).next() {
            return Err(Error::NotLocked(new.clone()));
        }
        needed.extend(compiled(workspace)?);
    }
    for path in entries(&folder)? {
        let mut manifest = read_manifest(&path)?;
        if !needed.contains(&identity(&manifest["package"])) {
            manifest::placeholder(&mut manifest);
            empty(&path, &manifest)?;
        }
    }
    // What cargo does not understand now, it would not when the archive is set up.
    workspaces.iter().try_for_each(|workspace| metadata(workspace, Some(&folder), &[]).map(drop))
}

/// Name and version.
fn identity(package: &Value) -> String {
    let text = |key| package.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("name"), text("version"))
}

/// The crates in a lock file: those from elsewhere, with their checksums.
fn locked(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let path = folder.join("Cargo.lock");
    let text = fs::read_to_string(&path).map_err(file("cannot read", &path))?;
    let lock: Table = text.parse().map_err(|error: toml::de::Error| Error::Manifest {
        path: path.clone(),
        problem: error.to_string(),
    })?;
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let foreign = packages.filter(|package| package.get("source").is_some());
    let checksum = |it: &Value| it.get("checksum").and_then(Value::as_str).map(str::to_owned);
    let named = |it| format!("{} (checksum {})", identity(it), checksum(it).unwrap_or_default());
    Ok(foreign.map(named).collect())
}

/// The crates of a workspace that are compiled on one of the platforms.
fn compiled(workspace: &Path) -> Result<BTreeSet<String>, Error> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let mut names = BTreeSet::new();
    for platform in PLATFORMS {
        let printed = metadata(workspace, None, &["--filter-platform", platform])?;
        let Metadata { packages } = serde_json::from_str(&printed)?;
        names.extend(packages.iter().map(|it| format!("{} {}", it.name, it.version)));
    }
    Ok(names)
}

/// What cargo knows of a workspace, whose crates it takes from a folder or from where it has them.
fn metadata(workspace: &Path, vendored: Option<&Path>, args: &[&str]) -> Result<String, Error> {
    let mut cargo = cargo("metadata");
    cargo.args(["--format-version=1", "--locked", "--offline", "--manifest-path"]);
    cargo.arg(workspace.join("Cargo.toml")).args(args);
    if let Some(folder) = vendored {
        cargo.args(["--config", "source.crates-io.replace-with='vendored'", "--config"]);
        cargo.arg(format!("source.vendored.directory={}", Value::from(&*folder.to_string_lossy())));
    }
    output(&mut cargo)
}

/// Leaves nothing of a crate but its name.
fn empty(folder: &Path, manifest: &Table) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Checksums {
        package: String,
    }
    let path = folder.join(".cargo-checksum.json");
    let text = fs::read_to_string(&path).map_err(file("cannot read", &path))?;
    let Checksums { package } = serde_json::from_str(&text)?;
    fs::remove_dir_all(folder).map_err(file("cannot empty", folder))?;
    write(&path, serde_json::json!({ "files": {}, "package": package }).to_string())?;
    write(&folder.join("src/lib.rs"), "")?;
    write_manifest(folder, manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_or_checksum_is_not_what_the_repository_has() {
        let lock = |version: &str, source: &str| {
            let folder = tempfile::tempdir().unwrap();
            let package = format!("[[package]]\nname = 'a'\nversion = '{version}'\n{source}");
            write(&folder.path().join("Cargo.lock"), package).unwrap();
            locked(folder.path()).unwrap()
        };
        let known = lock("1.0.0", "source = 'registry'\nchecksum = '0a'");
        assert!(lock("1.0.0", "source = 'registry'\nchecksum = '0a'").is_subset(&known));
        assert!(!lock("1.0.1", "source = 'registry'\nchecksum = '0a'").is_subset(&known));
        assert!(!lock("1.0.0", "source = 'registry'\nchecksum = '0b'").is_subset(&known));
        // Members of the workspace are no crates from elsewhere.
        assert!(lock("1.0.0", "").is_empty());
    }

    #[test]
    fn an_emptied_crate_keeps_its_name_and_the_checksum_that_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("windows-1.0.0");
        let manifest = "[package]\nname = 'windows'\nversion = '1.0.0'\n";
        write(&path.join("Cargo.toml"), manifest).unwrap();
        write(&path.join("lib/large.a"), "large").unwrap();
        let checksums = r#"{ "files": { "lib/large.a": "0a" }, "package": "0b" }"#;
        write(&path.join(".cargo-checksum.json"), checksums).unwrap();
        empty(&path, &read_manifest(&path).unwrap()).unwrap();
        let text = fs::read_to_string(path.join(".cargo-checksum.json")).unwrap();
        assert_eq!(text, r#"{"files":{},"package":"0b"}"#);
        assert_eq!(read_manifest(&path).unwrap(), manifest.parse().unwrap());
        assert!(!path.join("lib").exists() && path.join("src/lib.rs").exists());
    }
}

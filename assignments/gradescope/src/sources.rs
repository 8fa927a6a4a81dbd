//! What the archive has of the repository: two workspaces, with the repository's layout. The
//! grader's, which knows the answers, and the student's, which must not.

use crate::{Error, file, manifest};
use registry::{Kind, Registry};
use std::path::{Path, PathBuf};
use std::{fs, io};
use toml::Table;

/// The grader's members, beside the library.
const GRADER: [&str; 3] = ["assignments/checks", "assignments/registry", "assignments/signatures"];
/// The members of the student's workspace.
const ANSWERS: [&str; 3] = ["assignments/answers", "assignments/signatures", "assignments/student"];

/// The files of the archive that are the same for every chapter, but for their settings.
const TEMPLATES: [(&str, &str); 7] = [
    ("README.md", include_str!("../templates/README.md")),
    ("as_student", include_str!("../templates/as_student")),
    ("run_autograder", include_str!("../templates/run_autograder")),
    ("settings", include_str!("../templates/settings")),
    ("setup.sh", include_str!("../templates/setup.sh")),
    ("vendored.toml", include_str!("../templates/vendored.toml")),
    ("watched_rustc", include_str!("../templates/watched_rustc")),
];

/// The chapters that have an assignment: those with stubs.
pub fn chapters(root: &Path) -> Result<Vec<u32>, Error> {
    let folders = entries(&root.join("assignments"))?;
    let number = |path: &PathBuf| name(path).strip_prefix("chapter")?.parse().ok();
    let with_stubs = folders.iter().filter(|folder| folder.join("stub.rs").exists());
    Ok(with_stubs.filter_map(number).collect())
}

/// The points there are for these chapters, with or without what is graded together.
pub fn points(root: &Path, chapters: &[u32], together: bool) -> Result<u32, Error> {
    let mut points = 0;
    for number in chapters {
        let path = root.join(format!("assignments/chapter{number:02}/exercises.toml"));
        let text = fs::read_to_string(&path).map_err(file("cannot read", &path))?;
        let registry = Registry::read(&text).map_err(|source| Error::Registry { path, source })?;
        let counts = |kind| kind != Kind::Together || together;
        let counted = registry.exercises.iter().filter(|exercise| counts(exercise.kind));
        points += counted.filter_map(|exercise| exercise.points).sum::<u32>();
    }
    Ok(points)
}

/// Lays out the archive's own files and the two workspaces; both have the repository's Cargo.lock
/// for now.
pub fn copy(
    root: &Path,
    stage: &Path,
    chapters: &[u32],
    data: bool,
    settings: &[(&str, String)],
) -> Result<(), Error> {
    for (name, template) in TEMPLATES {
        write(&stage.join(name), filled(template, settings))?;
    }
    grader(root, &stage.join("grader"), data)?;
    answers(root, &stage.join("answers"), chapters)
}

fn grader(root: &Path, stage: &Path, data: bool) -> Result<(), Error> {
    let mut workspace = read_manifest(root)?;
    manifest::library(&mut workspace);
    copy_folder(&root.join("src"), &stage.join("src"))?;
    finish(root, stage, workspace, &GRADER)?;
    // The checks have these files built in.
    for folder in entries(&root.join("assignments"))? {
        let exercises = folder.join("exercises.toml");
        if exercises.exists() {
            let text = fs::read(&exercises).map_err(file("cannot read", &exercises))?;
            write(&stage.join("assignments").join(name(&folder)).join("exercises.toml"), text)?;
        }
    }
    if data { copy_folder(&root.join("data"), &stage.join("data")) } else { Ok(()) }
}

fn answers(root: &Path, stage: &Path, chapters: &[u32]) -> Result<(), Error> {
    let mut workspace = read_manifest(root)?;
    // The workspace alone, without the library.
    workspace.retain(|key, _| ["workspace", "profile"].contains(&key));
    finish(root, stage, workspace, &ANSWERS)?;
    // Stubs as the repository has them, not what somebody has written into their copies.
    let student = stage.join("assignments/student/src");
    for path in entries(&student)? {
        if name(&path).starts_with("chapter") {
            fs::remove_file(&path).map_err(file("cannot remove", &path))?;
        }
    }
    for number in chapters {
        let stub = root.join(format!("assignments/chapter{number:02}/stub.rs"));
        let text = fs::read(&stub).map_err(file("cannot read", &stub))?;
        write(&student.join(format!("chapter{number:02}.rs")), text)?;
    }
    Ok(())
}

/// Copies the members, and writes the manifest of their workspace.
fn finish(root: &Path, stage: &Path, mut workspace: Table, members: &[&str]) -> Result<(), Error> {
    let mut manifests = vec![workspace.clone()];
    for member in members {
        let mut manifest = read_manifest(&root.join(member))?;
        manifest::member(&mut manifest);
        write_manifest(&stage.join(member), &manifest)?;
        manifests.push(manifest);
        copy_folder(&root.join(member).join("src"), &stage.join(member).join("src"))?;
    }
    manifest::workspace(&mut workspace, members, &manifests.iter().collect::<Vec<_>>());
    write_manifest(stage, &workspace)?;
    let lock = root.join("Cargo.lock");
    let text = fs::read(&lock).map_err(file("cannot read", &lock))?;
    write(&stage.join("Cargo.lock"), text)
}

/// A template with its settings. What looks like one and is none stays.
fn filled(template: &str, settings: &[(&str, String)]) -> String {
    let fill =
        |text: String, (name, value): &(&str, String)| text.replace(&format!("@{name}@"), value);
    settings.iter().fold(template.to_owned(), fill)
}

/// The manifest in a folder.
pub fn read_manifest(folder: &Path) -> Result<Table, Error> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(file("cannot read", &path))?;
    text.parse()
        .map_err(|error: toml::de::Error| Error::Manifest { path, problem: error.to_string() })
}

/// Writes the manifest of a folder.
pub fn write_manifest(folder: &Path, manifest: &Table) -> Result<(), Error> {
    write(&folder.join("Cargo.toml"), manifest.to_string())
}

/// Copies a folder, without hidden files and what editors leave behind.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    for path in entries(from)? {
        let name = name(&path);
        let to = to.join(name);
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            copy_folder(&path, &to)?;
        } else {
            write(&to, fs::read(&path).map_err(file("cannot read", &path))?)?;
        }
    }
    Ok(())
}

/// Writes a file, and makes its folder.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file("cannot make", folder))?;
    }
    fs::write(path, content).map_err(file("cannot write", path))
}

/// What is in a folder, in the order of names.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut paths = read().map_err(file("cannot read", folder))?;
    paths.sort();
    Ok(paths)
}

/// The last part of a path.
pub fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Args, root, settings};
    use clap::Parser;

    fn staged(words: &[&str], chapters: &[u32]) -> tempfile::TempDir {
        let args = Args::parse_from([&["gradescope"], words].concat());
        let stage = tempfile::tempdir().unwrap();
        let settings = settings(&args, chapters, 14, "1.95.0");
        copy(&root(), stage.path(), chapters, args.chapter == "all", &settings).unwrap();
        stage
    }

    #[test]
    fn no_setting_is_left_out_of_the_templates() {
        let stage = staged(&["2"], &[2]);
        for (name, _) in TEMPLATES {
            let text = fs::read_to_string(stage.path().join(name)).unwrap();
            let mut after = text.split('@').skip(1);
            let left = after.find(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
            assert_eq!(left, None, "{name}");
        }
    }

    #[test]
    fn the_students_side_has_stubs_and_no_answers() {
        let stage = staged(&["2"], &[2]);
        let answers = stage.path().join("answers/assignments");
        let names: Vec<_> =
            entries(&answers).unwrap().iter().map(|it| name(it).to_owned()).collect();
        assert_eq!(names, ["answers", "signatures", "student"]);
        let student = entries(&answers.join("student/src")).unwrap();
        let names: Vec<_> = student.iter().map(|path| name(path)).collect();
        assert_eq!(names, ["chapter02.rs", "lib.rs"]);
        let stub = fs::read_to_string(root().join("assignments/chapter02/stub.rs")).unwrap();
        assert_eq!(fs::read_to_string(&student[0]).unwrap(), stub);
    }

    #[test]
    fn the_grader_has_no_code_of_students_no_openblas_and_data_only_where_it_trains() {
        let stage = staged(&["2"], &[2]);
        let grader = stage.path().join("grader");
        assert!(!grader.join("assignments/student").exists());
        assert!(!grader.join("data").exists());
        let manifest = fs::read_to_string(grader.join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("blas") && !manifest.contains("plotters"), "{manifest}");
    }
}

//! The archive: the same bytes for the same files, whenever and wherever it is made.

use crate::sources::{entries, name};
use crate::{Error, file};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// What is started: it has to be executable once it is unpacked.
const PROGRAMS: [&str; 4] = ["as_student", "run_autograder", "setup.sh", "watched_rustc"];

/// Writes all that is in a folder, and says how many bytes that makes.
pub fn write(folder: &Path, path: &Path) -> Result<u64, Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(file("cannot make", parent))?;
    }
    let out = File::create(path).map_err(file("cannot write", path))?;
    let mut archive = ZipWriter::new(BufWriter::new(out));
    let failed = |source| Error::Zip { path: path.to_owned(), source };
    add(&mut archive, folder, "", path)?;
    let mut out = archive.finish().map_err(failed)?;
    out.flush().map_err(file("cannot write", path))?;
    Ok(fs::metadata(path).map_err(file("cannot read", path))?.len())
}

/// Adds what is in a folder under a prefix such as `grader/`.
fn add<W: Write + io::Seek>(
    archive: &mut ZipWriter<W>,
    folder: &Path,
    prefix: &str,
    path: &Path,
) -> Result<(), Error> {
    for entry in entries(folder)? {
        let name = format!("{prefix}{}", name(&entry));
        if entry.is_dir() {
            add(archive, &entry, &format!("{name}/"), path)?;
            continue;
        }
        let mode = if PROGRAMS.contains(&&*name) { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default())
            .unix_permissions(mode);
        let content = fs::read(&entry).map_err(file("cannot read", &entry))?;
        archive
            .start_file(name, options)
            .map_err(|source| Error::Zip { path: path.to_owned(), source })?;
        archive.write_all(&content).map_err(file("cannot write", path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zip::ZipArchive;

    #[test]
    fn an_archive_is_sorted_and_knows_what_is_started() {
        let folder = tempfile::tempdir().unwrap();
        let stage = folder.path().join("stage");
        fs::create_dir_all(stage.join("b")).unwrap();
        for name in ["setup.sh", "b/setup.sh", "run_autograder", "a"] {
            fs::write(stage.join(name), name).unwrap();
        }
        let path = folder.path().join("deep/x.zip");
        let bytes = write(&stage, &path).unwrap();
        let first = fs::read(&path).unwrap();
        assert_eq!(bytes, first.len() as u64);

        let mut archive = ZipArchive::new(File::open(&path).unwrap()).unwrap();
        let found: Vec<_> = (0..archive.len())
            .map(|i| {
                let file = archive.by_index(i).unwrap();
                (file.name().unwrap().into_owned(), file.unix_mode().unwrap() & 0o777)
            })
            .collect();
        let right =
            [("a", 0o644), ("b/setup.sh", 0o644), ("run_autograder", 0o755), ("setup.sh", 0o755)];
        assert_eq!(found, right.map(|(name, mode)| (name.to_owned(), mode)));

        // Again, from files that are written later.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(stage.join("a"), "a").unwrap();
        write(&stage, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
    }
}

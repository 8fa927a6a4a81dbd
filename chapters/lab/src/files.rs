//! Files that change only when their content does.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use gradus::Error;

/// Writes a file, by a temporary file in the same folder and a rename, unless it already has
/// this content; says whether it wrote.
pub fn write(path: &Path, content: &str) -> gradus::Result<bool> {
    if fs::read(path).is_ok_and(|old| old == content.as_bytes()) {
        return Ok(false);
    }
    replace(path, content).map_err(|source| cannot("write", path, source))?;
    Ok(true)
}

fn replace(path: &Path, content: &str) -> io::Result<()> {
    let mut file = temporary(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(content.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Makes a folder, and makes sure that files can be written into it.
pub fn folder(path: &Path) -> gradus::Result<()> {
    fs::create_dir_all(path)
        .and_then(|()| temporary(path).map(drop))
        .map_err(|source| cannot("write", path, source))
}

/// The names, without extension, of the plain files in a folder that end in `.extension`.
pub fn stems(folder: &Path, extension: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let plain = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|t| t.is_file()));
    plain
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect()
}

/// Removes a file; a file that is not there is as good as removed.
pub fn remove(path: &Path) -> gradus::Result<()> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(cannot("remove", path, source))
        }
        _ => Ok(()),
    }
}

fn cannot(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_only_when_its_content_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        assert!(write(&path, "x\n1\n").unwrap());
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        fs::File::options().append(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        assert!(!write(&path, "x\n1\n").unwrap());
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), long_ago);
        assert!(write(&path, "x\n2\n").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "x\n2\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder_ = tempfile::tempdir().unwrap();
        let file = folder_.path().join("file");
        fs::write(&file, "").unwrap();
        let error = folder(&file.join("inside")).unwrap_err().to_string();
        assert!(error.starts_with("cannot write "), "{error}");
        assert!(error.contains("file/inside"), "{error}");
    }
}

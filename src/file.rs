//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// The whole content of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

// ANCHOR: write_atomically
/// Writes a file beside its place, then renames it: whoever looks finds the old
/// content or the new, and never a part.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".gradus-").suffix(".part");
        // With the permissions of any new file: those of temporary ones are
        // narrower.
        let mut file =
            builder.make_in(folder, |path| File::create_new(path))?;
        file.as_file_mut().write_all(bytes)?;
        // On the disk before it has the name; the name on the disk before we
        // say so.
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    };
    write().map_err(|source| Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}
// ANCHOR_END: write_atomically

//! KaTeX's stylesheet and fonts, of the version that writes our formulas.

use flate2::read::GzDecoder;
use sha2::{Digest, Sha512};
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// The version that mdbook-katex was built with.
const VERSION: &str = "0.16.4";

/// The SHA-512 of its npm package.
const SHA512: &str = "5ae7512948fccb205e54323869830dc61c795618763e3a73430d4646efcb546a8be26d40c700f519c529d0831b74969fe73b23b63f2084fd0339045886ba0d93";

/// Browsers can draw the formulas themselves, from their MathML.
const FALLBACK: &str =
    "/* KaTeX's own stylesheet could not be had: the browser draws the formulas. */
.katex-html { display: none; }
.katex-display { display: block; margin: 1em 0; text-align: center; }
";

/// Puts the stylesheet and the fonts into a folder, unless they are there. Where they cannot
/// be had, the stylesheet leaves the formulas to the browser.
pub fn provide(folder: &Path) {
    if folder.join("katex.min.css").is_file() {
        return;
    }
    if let Err(error) = fetch(folder) {
        eprintln!(
            "note: KaTeX's fonts cannot be had from npm ({error}): the browser will draw the \
             formulas its own way. To try again, remove {}",
            folder.display()
        );
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::write(folder.join("katex.min.css"), FALLBACK));
        if let Err(error) = written {
            eprintln!("note: cannot write to {}: {error}", folder.display());
        }
    }
}

/// Fetches the npm package, checks it, and unpacks what a page needs.
fn fetch(folder: &Path) -> Result<(), Box<dyn Error>> {
    let parent = folder.parent().ok_or("no folder")?;
    let scratch = tempfile::Builder::new().prefix(".katex").tempdir_in(parent)?;
    let output = Command::new("npm")
        .args(["pack", &format!("katex@{VERSION}"), "--silent", "--fetch-retries=1"])
        .arg("--pack-destination")
        .arg(scratch.path())
        .current_dir(scratch.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start npm: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().next().unwrap_or("npm pack failed").to_owned().into());
    }
    let archive = fs::read(scratch.path().join(format!("katex-{VERSION}.tgz")))?;
    let found: String = Sha512::digest(&archive).iter().map(|b| format!("{b:02x}")).collect();
    if found != SHA512 {
        return Err(format!("its package is not the one we know, but {found}").into());
    }
    let unpacked = scratch.path().join("katex");
    unpack(&archive, &unpacked)?;
    // Whole or not at all; another build may have been faster.
    match fs::rename(&unpacked, folder) {
        Err(_) if folder.join("katex.min.css").is_file() => Ok(()),
        result => Ok(result?),
    }
}

/// The stylesheet, and the fonts in the one format that every browser reads.
fn unpack(archive: &[u8], folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder.join("fonts"))?;
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Ok(path) = path.strip_prefix("package/dist") else { continue };
        if path == Path::new("katex.min.css") {
            let mut css = String::new();
            entry.read_to_string(&mut css)?;
            fs::write(folder.join(path), only_woff2(&css))?;
        } else if path.starts_with("fonts") && path.extension().is_some_and(|e| e == "woff2") {
            io::copy(&mut entry, &mut File::create(folder.join(path))?)?;
        }
    }
    Ok(())
}

/// The stylesheet without the other formats of its fonts.
fn only_woff2(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find(",url(fonts/") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find([';', '}']).map_or(rest.len(), |end| at + end);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

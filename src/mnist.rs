//! MNIST, and data sets in its form: 70,000 grey images of 28 by 28 pixels in
//! ten classes.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use mnist::MnistBuilder;
use ndarray::Array2;
use sha2::{Digest, Sha256};

use crate::data::Bytes;
use crate::error::{Error, Result};
use crate::file_problem::FileProblem;

/// Rows and columns of an image.
pub const SIDE: usize = 28;

/// How many classes there are.
pub const CLASSES: usize = 10;

const TRAIN: usize = 60_000;
const TEST: usize = 10_000;

/// The four files: name, whether it holds images, how many entries.
const FILES: [(&str, bool, usize); 4] = [
    ("train-images-idx3-ubyte", true, TRAIN),
    ("train-labels-idx1-ubyte", false, TRAIN),
    ("t10k-images-idx3-ubyte", true, TEST),
    ("t10k-labels-idx1-ubyte", false, TEST),
];

/// A list of digests, in the format of `sha256sum`, that may lie beside the
/// files.
const DIGESTS: &str = "SHA256SUMS";

/// The two parts of MNIST. Pixels are scaled to [0, 1]; targets are one-hot.
#[derive(Debug, Clone)]
pub struct Mnist {
    /// 60,000 samples to learn from.
    pub train: Bytes,
    /// 10,000 samples to be judged by.
    pub test: Bytes,
}

impl Mnist {
    /// Reads MNIST, or another set in the same form such as Fashion-MNIST, from
    /// a folder with the four IDX files, each plain or gzipped. If the folder
    /// has a `SHA256SUMS`, the uncompressed content is checked against it.
    ///
    /// # Errors
    /// If a file is missing, damaged, or not what its name says.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let digests = read_digests(folder)?;
        // The `mnist` crate panics on malformed files: it is given copies that
        // were checked.
        let checked = tempfile::tempdir()
            .map_err(|e| io("write", &std::env::temp_dir(), e))?;
        for (name, is_images, count) in FILES {
            let (path, content) = read_file(folder, name)?;
            check_idx(&content, is_images, count)
                .and_then(|()| check_digest(&content, name, &digests))
                .map_err(|problem| Error::File { path, problem })?;
            let copy = checked.path().join(name);
            fs::write(&copy, &content).map_err(|e| io("write", &copy, e))?;
        }
        let sets = MnistBuilder::new()
            .base_path(&checked.path().to_string_lossy())
            .training_images_filename(FILES[0].0)
            .training_labels_filename(FILES[1].0)
            .test_images_filename(FILES[2].0)
            .test_labels_filename(FILES[3].0)
            .training_set_length(TRAIN as u32)
            .validation_set_length(0)
            .test_set_length(TEST as u32)
            .finalize();
        Ok(Self {
            train: bytes(sets.trn_img, sets.trn_lbl)?,
            test: bytes(sets.tst_img, sets.tst_lbl)?,
        })
    }
}

fn bytes(mut pixels: Vec<u8>, labels: Vec<u8>) -> Result<Bytes> {
    // The `mnist` crate leaves room behind them for twice as many.
    pixels.shrink_to_fit();
    let images = Array2::from_shape_vec((labels.len(), SIDE * SIDE), pixels)
        .expect("the lengths were checked before the files were parsed");
    Bytes::new(images, labels, 1.0 / 255.0, CLASSES)
}

/// The content of `name` or `name.gz`, uncompressed, and which of the two it
/// was.
fn read_file(folder: &Path, name: &str) -> Result<(PathBuf, Vec<u8>)> {
    let plain = folder.join(name);
    let zipped = folder.join(format!("{name}.gz"));
    let path = if plain.exists() || !zipped.exists() { plain } else { zipped };
    let file = File::open(&path).map_err(|e| io("read", &path, e))?;
    // Enough for the largest file, and one byte to notice that there is more.
    let most = (16 + TRAIN * SIDE * SIDE + 1) as u64;
    let mut content = Vec::new();
    let read = if path.extension().is_some_and(|e| e == "gz") {
        GzDecoder::new(file).take(most).read_to_end(&mut content)
    } else {
        file.take(most).read_to_end(&mut content)
    };
    read.map_err(|e| io("read", &path, e))?;
    Ok((path, content))
}

/// Checks an IDX file: four bytes of magic, one big-endian size for each axis,
/// then a byte for each entry.
fn check_idx(
    content: &[u8],
    is_images: bool,
    count: usize,
) -> Result<(), FileProblem> {
    let (kind, magic, expected) = if is_images {
        ("images", [0, 0, 8, 3], vec![count as u32, SIDE as u32, SIDE as u32])
    } else {
        ("labels", [0, 0, 8, 1], vec![count as u32])
    };
    if !content.starts_with(&magic) {
        let found = content.iter().take(4).copied().collect();
        return Err(FileProblem::Magic { expected: kind, found });
    }
    let header = 4 + 4 * expected.len();
    let size = |bytes: &[u8]| {
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    };
    let found: Vec<u32> =
        content[4..].chunks_exact(4).take(expected.len()).map(size).collect();
    if found.len() == expected.len() && found != expected {
        return Err(FileProblem::IdxShape { expected, found });
    }
    let length =
        header + expected.iter().map(|&n| n as usize).product::<usize>();
    if content.len() != length {
        return Err(FileProblem::Length {
            expected: length,
            found: content.len(),
        });
    }
    if !is_images {
        let labels = &content[header..];
        if let Some(position) =
            labels.iter().position(|&label| usize::from(label) >= CLASSES)
        {
            return Err(FileProblem::IdxLabel {
                label: labels[position],
                position,
            });
        }
    }
    Ok(())
}

fn read_digests(folder: &Path) -> Result<Option<String>> {
    let path = folder.join(DIGESTS);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io("read", &path, e)),
    }
}

fn check_digest(
    content: &[u8],
    name: &str,
    digests: &Option<String>,
) -> Result<(), FileProblem> {
    let Some(digests) = digests else { return Ok(()) };
    let found: String =
        Sha256::digest(content).iter().map(|b| format!("{b:02x}")).collect();
    let listed = digests.lines().any(|line| {
        let mut words = line.split_whitespace();
        // A star before the name says that the digest is of the file as bytes.
        words.next() == Some(&found)
            && words.next().map(|w| w.trim_start_matches('*')) == Some(name)
    });
    if listed { Ok(()) } else { Err(FileProblem::Digest { list: DIGESTS }) }
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io { action, path: path.to_owned(), source }
}

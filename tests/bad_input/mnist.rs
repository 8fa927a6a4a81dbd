//! Folders that do not hold MNIST.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use gradus::Mnist;
use tempfile::TempDir;

use crate::Table;

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The magic bytes and the sizes of an IDX file.
fn header(magic: [u8; 4], sizes: &[u32]) -> Vec<u8> {
    [&magic[..], &sizes.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>()].concat()
}

const IMAGES: [u8; 4] = [0, 0, 8, 3];
const LABELS: [u8; 4] = [0, 0, 8, 1];

/// Writes a header and so many zeros.
fn idx(path: &Path, header: &[u8], zeros: u64) {
    let mut file = File::create(path).unwrap();
    file.write_all(header).unwrap();
    file.set_len(header.len() as u64 + zeros).unwrap();
}

/// A folder with black images of zeros only.
fn black() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, count) in NAMES.into_iter().zip([60_000, 60_000, 10_000, 10_000]) {
        let path = folder.path().join(name);
        if name.contains("images") {
            idx(&path, &header(IMAGES, &[count, 28, 28]), u64::from(count) * 28 * 28);
        } else {
            idx(&path, &header(LABELS, &[count]), u64::from(count));
        }
    }
    folder
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(content).unwrap();
    gz.finish().unwrap()
}

#[test]
fn refuses_folders_that_do_not_hold_mnist() {
    let mut t = Table::new();
    let folder = t.folder().to_owned();
    let read = || Mnist::read(&folder);
    let images = "FOLDER/train-images-idx3-ubyte";
    if cfg!(unix) {
        let none = t.path("none");
        let message = "cannot read FOLDER/none/train-images-idx3-ubyte: \
                       No such file or directory (os error 2)";
        t.case("no folder", message, || Mnist::read(&none));
        let message = format!("cannot read {images}: No such file or directory (os error 2)");
        t.case("an empty folder", &message, read);
        fs::create_dir(t.path(NAMES[0])).unwrap();
        t.case(
            "a folder in its place",
            &format!("cannot read {images}: Is a directory (os error 21)"),
            read,
        );
        fs::remove_dir(t.path(NAMES[0])).unwrap();
    }

    let mut zipped = |name: &str, message: &str, bytes: &[u8]| {
        let path = t.file("train-images-idx3-ubyte.gz", bytes);
        t.case(name, message, read);
        fs::remove_file(path).unwrap();
    };
    let gz = format!("{images}.gz");
    zipped(
        "not gzipped",
        &format!("cannot read {gz}: invalid gzip header"),
        b"plain text, not gzip",
    );
    let whole = gzip(&[b"\0\0\x08\x03", &[7; 9999][..]].concat());
    let message = format!("cannot read {gz}: incomplete deflate stream");
    zipped("cut gzip", &message, &whole[..whole.len() / 2]);
    zipped("empty gzip", &format!("cannot read {gz}: unexpected end of file"), b"");
    let mut damaged = whole.clone();
    damaged[whole.len() - 8] ^= 1;
    let message =
        format!("cannot read {gz}: corrupt gzip stream does not have a matching checksum");
    zipped("damaged gzip", &message, &damaged);
    let message =
        format!("{gz} is not an IDX file of images: its first bytes are [00, 00, 08, 01]");
    zipped("labels, gzipped", &message, &gzip(&header(LABELS, &[60_000])));

    let mut plain = |name: &str, message: &str, bytes: &[u8]| {
        let path = t.file(NAMES[0], bytes);
        t.case(name, &format!("{images} {message}"), read);
        fs::remove_file(path).unwrap();
    };
    let magic = "is not an IDX file of images: its first bytes are";
    plain("empty", &format!("{magic} []"), b"");
    plain("three bytes", &format!("{magic} [00, 00, 08]"), b"\0\0\x08");
    plain("text", &format!("{magic} [3c, 68, 74, 6d]"), b"<html>404 Not Found</html>");
    let length = "must have 47040016 bytes, but has";
    plain("half a header", &format!("{length} 10"), &header(IMAGES, &[60_000, 28, 28])[..10]);
    plain("a header only", &format!("{length} 16"), &header(IMAGES, &[60_000, 28, 28]));
    let shape = "must hold [60000, 28, 28] entries, but its header says";
    plain("test images", &format!("{shape} [10000, 28, 28]"), &header(IMAGES, &[10_000, 28, 28]));
    plain("larger images", &format!("{shape} [60000, 32, 32]"), &header(IMAGES, &[60_000, 32, 32]));
    let most = u32::MAX;
    plain("huge images", &format!("{shape} [{most}, {most}, {most}]"), &header(IMAGES, &[most; 3]));
    t.finish(if cfg!(unix) { 16 } else { 13 });
}

#[test]
fn refuses_mnist_files_that_are_not_what_they_should_be() {
    let mut t = Table::new();
    let black = black();
    for name in NAMES {
        fs::rename(black.path().join(name), t.path(name)).unwrap();
    }
    let folder = t.folder().to_owned();
    let read = || Mnist::read(&folder);
    assert!(read().is_ok_and(|mnist| mnist.train.labels().len() == 60_000));

    let path = t.path(NAMES[0]);
    idx(&path, &header(IMAGES, &[60_000, 28, 28]), 60_000 * 28 * 28 + 999);
    let length = "FOLDER/train-images-idx3-ubyte must have 47040016 bytes, but has 47040017";
    t.case("longer than announced", length, read);
    idx(&path, &header(IMAGES, &[60_000, 28, 28]), 60_000 * 28 * 28);

    let path = t.path(NAMES[1]);
    let labels = |t: &mut Table, name: &str, message: &str, header: &[u8], zeros| {
        idx(&path, header, zeros);
        t.case(name, &format!("FOLDER/train-labels-idx1-ubyte {message}"), read);
        idx(&path, &self::header(LABELS, &[60_000]), 60_000);
    };
    let magic = "is not an IDX file of labels: its first bytes are [00, 00, 08, 03]";
    labels(&mut t, "images as labels", magic, &header(IMAGES, &[60_000, 28, 28]), 60_000);
    let count = "must hold [60000] entries, but its header says [59999]";
    labels(&mut t, "a label less", count, &header(LABELS, &[59_999]), 59_999);
    let length = "must have 60008 bytes, but has 60007";
    labels(&mut t, "a byte less", length, &header(LABELS, &[60_000]), 59_999);
    let ten = [&header(LABELS, &[60_000])[..], &[9, 9, 10]].concat();
    labels(&mut t, "label 10", "has label 10 at position 2; labels are 0 to 9", &ten, 59_997);

    let digest = "is damaged: its digest is not the one in SHA256SUMS; restore it from a copy";
    t.file("SHA256SUMS", format!("{}  {}\n", "0".repeat(64), NAMES[0]));
    t.case("a wrong digest", &format!("FOLDER/train-images-idx3-ubyte {digest}"), read);
    t.file("SHA256SUMS", "");
    t.case("no digest", &format!("FOLDER/train-images-idx3-ubyte {digest}"), read);
    t.file("SHA256SUMS", b"\xff\xfe");
    let message = "cannot read FOLDER/SHA256SUMS: stream did not contain valid UTF-8";
    t.case("no text", message, read);
    t.finish(8);
}

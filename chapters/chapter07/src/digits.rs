//! Handwritten digits, where they are and a few pixels beside it.

use std::path::Path;

use gradus::{Bytes, Mnist, Subset, mnist};
use lab::Result;
use ndarray::{Array2, ArrayRef2, s};

/// The side of an image.
pub const SIDE: usize = mnist::SIDE;

/// How many images the networks of this chapter learn from, unless it is said otherwise.
pub const IMAGES: usize = 10_000;

/// Every so many test images is moved around.
const EVERY: usize = 5;

/// The directions in which digits are moved: down and to the right, in steps.
pub const DIRECTIONS: [(&str, isize, isize); 4] =
    [("up", -1, 0), ("down", 1, 0), ("left", 0, -1), ("right", 0, 1)];

/// Where the book is.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(""))
}

/// Reads MNIST.
pub fn read() -> Result<Mnist> {
    Ok(Mnist::read(workspace().join("data/mnist"))?)
}

/// The first so many images to learn from.
pub fn first(images: &Mnist, count: usize) -> Result<Subset<'_, f32>> {
    Ok(Subset::new(&images.train, 0..count)?)
}

// ANCHOR: moved
/// Images moved down and to the right by so many pixels, or up and to the left
/// if they are negative. What leaves the image is lost; what comes in is empty.
pub fn moved(images: &ArrayRef2<u8>, down: isize, right: isize) -> Array2<u8> {
    // Where a pixel comes from, if that is in the image.
    let source = |at: usize, by: isize| {
        let source = at.checked_add_signed(-by)?;
        (source < SIDE).then_some(source)
    };
    let mut moved = Array2::zeros(images.dim());
    for ((image, pixel), byte) in moved.indexed_iter_mut() {
        let row = source(pixel / SIDE, down);
        let column = source(pixel % SIDE, right);
        if let (Some(row), Some(column)) = (row, column) {
            *byte = images[[image, row * SIDE + column]];
        }
    }
    moved
}
// ANCHOR_END: moved

/// Every fifth test image, moved.
pub fn moved_test(images: &Mnist, down: isize, right: isize) -> Result<Bytes> {
    let some = images.test.bytes().slice(s![..;EVERY as isize, ..]);
    let labels = images.test.labels().iter().copied().step_by(EVERY).collect();
    Ok(Bytes::new(moved(&some, down, right), labels, 1.0 / 255.0, mnist::CLASSES)?)
}

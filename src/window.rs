//! A square window that slides over an image: what convolution and pooling have
//! in common.

use std::ops::Range;

use crate::error::{Result, setting};
use crate::layer::{Shape, misfit};

// ANCHOR: Window
/// A window of `size` × `size` pixels that moves `stride` pixels at a time,
/// over an image with `padding` pixels of zeros around it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    pub size: usize,
    pub stride: usize,
    pub padding: usize,
    /// The image, without the padding.
    height: usize,
    width: usize,
    pub channels: usize,
    /// At how many places the window stands, in a column and in a row.
    down: usize,
    across: usize,
}

impl Window {
    /// How many places there are along a side of so many pixels: what is left
    /// over at the end is not looked at.
    fn places_along(&self, side: usize) -> usize {
        (side + 2 * self.padding - self.size) / self.stride + 1
    }

    /// Which pixels of the window lie inside the image, along one side, at
    /// place number i.
    fn inside(&self, i: usize, side: usize) -> Range<usize> {
        let start = i * self.stride;
        let end = side + self.padding - start;
        self.padding.saturating_sub(start)..end.min(self.size)
    }
}
// ANCHOR_END: Window

impl Window {
    /// A window of this size, which is at least 1.
    pub fn new(size: usize, stride: usize) -> Self {
        Self { size, stride, ..Self::default() }
    }

    /// Sets the stride.
    ///
    /// # Errors
    /// If it is 0.
    pub fn set_stride(&mut self, stride: usize) -> Result<()> {
        self.stride = stride;
        setting("the stride", "be at least 1", stride as f64, stride > 0)
    }

    /// Sets the padding.
    ///
    /// # Errors
    /// If the window has room beside the image.
    pub fn set_padding(&mut self, padding: usize) -> Result<()> {
        self.padding = padding;
        let range = "be less than the size of the kernel, \
                     which would see nothing of the image";
        setting("the padding", range, padding as f64, padding < self.size)
    }

    /// Takes note of the image; returns the rows and columns of places where
    /// the window can stand.
    ///
    /// # Errors
    /// If this is no image, or the window is larger than it.
    pub fn accept(&mut self, input: Shape) -> Result<(usize, usize)> {
        let Shape::Image { height, width, channels } = input else {
            return Err(misfit("an image", input));
        };
        // A padding is less than the size: what is taken off does not overflow.
        let least = (self.size - self.padding).saturating_sub(self.padding);
        let least = least.max(1);
        if height.min(width) < least {
            let takes = format!("an image of at least {least}×{least} pixels");
            return Err(misfit(takes, input));
        }
        let room = || {
            input.checked_len()?;
            let side = self.padding.checked_mul(2)?;
            height.max(width).checked_add(side)?;
            self.len_of(channels)
        };
        if room().is_none() {
            return Err(misfit("a smaller window for an image", input));
        }
        (self.height, self.width, self.channels) = (height, width, channels);
        self.down = self.places_along(height);
        self.across = self.places_along(width);
        Ok((self.down, self.across))
    }

    fn len_of(&self, channels: usize) -> Option<usize> {
        self.size.checked_mul(self.size)?.checked_mul(channels)
    }

    /// How many numbers a window sees: size · size · channels.
    pub fn len(&self) -> usize {
        self.size * self.size * self.channels
    }

    /// How many places there are in one image.
    pub fn places(&self) -> usize {
        self.down * self.across
    }

    // ANCHOR: runs
    /// What a window sees at its place number `place`, piece by piece: where a
    /// piece begins among the numbers of the window, and which numbers of the
    /// image it is. A row of the window is one piece: its pixels, and their
    /// channels, lie side by side in the image.
    pub fn runs(
        &self,
        place: usize,
    ) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let Window { size, stride, padding, width, channels, .. } = *self;
        let (i, j) = (place / self.across, place % self.across);
        let columns = self.inside(j, width);
        let length = columns.len() * channels;
        self.inside(i, self.height).map(move |row| {
            let y = i * stride + row - padding;
            let x = j * stride + columns.start - padding;
            let start = (y * width + x) * channels;
            let within = (row * size + columns.start) * channels;
            (within, start..start + length)
        })
    }
    // ANCHOR_END: runs
}

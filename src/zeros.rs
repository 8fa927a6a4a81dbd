//! Matrix products that skip zeros.
//!
//! Four of five pixels of a digit are black, and a multiplication by zero takes
//! as long as any other. The two products of a layer with its inputs x are
//!
//! ```text
//! y ← y + x W          (n, m) + (n, k) (k, m)
//! ∂L/∂W ← xᵀ d         (k, n) (n, m)
//! ```
//!
//! and each entry of x multiplies one row of m numbers. Where most of x is
//! zero, it is faster to find the other entries and to multiply those; where it
//! is not, BLAS is faster, and is asked.

use multiversion::multiversion;
use ndarray::ArrayRef2;

use crate::blas;
use crate::float::Float;

/// How many columns of x, and how many of its rows, are looked at together:
/// one bit for each in a `u64`.
const STRIP: usize = 64;

/// y ← y + x w.
///
/// # Shapes
/// `x`: (n, k), `w`: (k, m), `y`: (n, m).
///
/// # Panics
/// If the shapes do not fit.
pub fn product<F: Float>(
    x: &ArrayRef2<F>,
    w: &ArrayRef2<F>,
    y: &mut ArrayRef2<F>,
) {
    assert_eq!(x.ncols(), w.nrows(), "the inner sizes of a product must agree");
    assert_eq!(y.dim(), (x.nrows(), w.ncols()), "a place of the right shape");
    let (n, k) = x.dim();
    if let (Some(a), Some(b), Some(c)) =
        (mostly_zeros(x, w.ncols()), w.as_slice(), y.as_slice_mut())
    {
        forward(a, n, k, b, c);
    } else {
        blas::product(F::one(), x, w, F::one(), y);
    }
}

/// d_w ← xᵀ d.
///
/// # Shapes
/// `x`: (n, k), `d`: (n, m), `d_w`: (k, m).
///
/// # Panics
/// If the shapes do not fit.
pub fn transposed_product<F: Float>(
    x: &ArrayRef2<F>,
    d: &ArrayRef2<F>,
    d_w: &mut ArrayRef2<F>,
) {
    assert_eq!(x.nrows(), d.nrows(), "the inner sizes of a product must agree");
    assert_eq!(d_w.dim(), (x.ncols(), d.ncols()), "a place of the right shape");
    let (n, k) = x.dim();
    if let (Some(a), Some(b), Some(c)) =
        (mostly_zeros(x, d.ncols()), d.as_slice(), d_w.as_slice_mut())
    {
        backward(a, n, k, b, c);
    } else {
        blas::product(F::one(), &x.t(), d, F::zero(), d_w);
    }
}

/// The entries of x, row by row, if it pays to skip zeros: at most one entry
/// in four is anything else, and there are enough for BLAS to take its time.
fn mostly_zeros<F: Float>(x: &ArrayRef2<F>, m: usize) -> Option<&[F]> {
    let entries = x.as_slice()?;
    let large = x.ncols() >= STRIP && m >= 16;
    (large && 4 * count_others(entries) <= entries.len()).then_some(entries)
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn count_others<F: Float>(entries: &[F]) -> usize {
    let mut count = 0_u32;
    for &x in entries {
        count += u32::from(x != F::zero());
    }
    count as usize
}

// ANCHOR: Tile
/// Up to 64 rows of x, and 64 of its columns.
struct Tile<'a, F> {
    /// The rows, from the first of these columns on.
    x: &'a [F],
    /// How far it is from a row to the next.
    k: usize,
    /// Which entries of each row are anything but zero.
    bits: [u64; STRIP],
}

impl<'a, F: Float> Tile<'a, F> {
    #[inline(always)]
    fn new(x: &'a [F], k: usize, rows: usize, columns: usize) -> Self {
        let mut bits = [0; STRIP];
        for i in 0..rows {
            for (j, &x) in x[i * k..][..columns].iter().enumerate() {
                bits[i] |= u64::from(x != F::zero()) << j;
            }
        }
        Self { x, k, bits }
    }
}
// ANCHOR_END: Tile

// ANCHOR: forward
/// y ← y + x w. A strip of 64 columns of x meets only 64 rows of w, which stay
/// in the fastest memory while the rows of x pass by.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn forward<F: Float>(x: &[F], n: usize, k: usize, w: &[F], y: &mut [F]) {
    let m = w.len() / k;
    for left in (0..k).step_by(STRIP) {
        for top in (0..n).step_by(STRIP) {
            let (rows, columns) = (STRIP.min(n - top), STRIP.min(k - left));
            let tile = Tile::new(&x[top * k + left..], k, rows, columns);
            let (w, y) = (&w[left * m..], &mut y[top * m..][..rows * m]);
            let mut at = 0;
            while at < m {
                at += match m - at {
                    64.. => add_rows::<F, 64>(&tile, w, y, m, at),
                    16.. => add_rows::<F, 16>(&tile, w, y, m, at),
                    _ => add_rows::<F, 1>(&tile, w, y, m, at),
                }
            }
        }
    }
}

/// For each entry of a tile that is not zero, adds a multiple of a row of w to a
/// row of y: B numbers of it, which the processor keeps in registers.
#[inline(always)]
fn add_rows<F: Float, const B: usize>(
    tile: &Tile<F>,
    w: &[F],
    y: &mut [F],
    m: usize,
    at: usize,
) -> usize {
    for i in 0..y.len() / m {
        let x = &tile.x[i * tile.k..];
        let y = part_mut::<F, B>(y, i * m + at);
        let mut sum = *y;
        let mut bits = tile.bits[i];
        while bits != 0 {
            let j = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            let w = part::<F, B>(w, j * m + at);
            for l in 0..B {
                sum[l] += x[j] * w[l];
            }
        }
        *y = sum;
    }
    B
}
// ANCHOR_END: forward

// ANCHOR: backward
/// d_w ← xᵀ d: the same, but that a row of d_w collects multiples of rows of d.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn backward<F: Float>(x: &[F], n: usize, k: usize, d: &[F], d_w: &mut [F]) {
    let m = d_w.len() / k;
    for left in (0..k).step_by(STRIP) {
        d_w[left * m..][..STRIP.min(k - left) * m].fill(F::zero());
        for top in (0..n).step_by(STRIP) {
            let (rows, columns) = (STRIP.min(n - top), STRIP.min(k - left));
            let tile = Tile::new(&x[top * k + left..], k, rows, columns);
            let (d, d_w) = (&d[top * m..][..rows * m], &mut d_w[left * m..]);
            let mut at = 0;
            while at < m {
                at += match m - at {
                    64.. => collect_rows::<F, 64>(&tile, d, d_w, m, at),
                    16.. => collect_rows::<F, 16>(&tile, d, d_w, m, at),
                    _ => collect_rows::<F, 1>(&tile, d, d_w, m, at),
                }
            }
        }
    }
}

#[inline(always)]
fn collect_rows<F: Float, const B: usize>(
    tile: &Tile<F>,
    d: &[F],
    d_w: &mut [F],
    m: usize,
    at: usize,
) -> usize {
    for i in 0..d.len() / m {
        let x = &tile.x[i * tile.k..];
        let d = *part::<F, B>(d, i * m + at);
        let mut bits = tile.bits[i];
        while bits != 0 {
            let j = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            let d_w = part_mut::<F, B>(d_w, j * m + at);
            for l in 0..B {
                d_w[l] += x[j] * d[l];
            }
        }
    }
    B
}
// ANCHOR_END: backward

#[inline(always)]
fn part<F, const B: usize>(row: &[F], at: usize) -> &[F; B] {
    row[at..].first_chunk().expect("a block within its row")
}

#[inline(always)]
fn part_mut<F, const B: usize>(row: &mut [F], at: usize) -> &mut [F; B] {
    row[at..].first_chunk_mut().expect("a block within its row")
}

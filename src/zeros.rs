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

/// The entries of x, row by row, if it pays to skip zeros: x is large enough,
/// and at most one entry in four is anything else. That is seen from one row in
/// eight.
fn mostly_zeros<F: Float>(x: &ArrayRef2<F>, m: usize) -> Option<&[F]> {
    let entries = x.as_slice().filter(|_| x.ncols() >= STRIP && m >= 16)?;
    let (mut others, mut seen) = (0, 0);
    for row in entries.chunks_exact(x.ncols()).step_by(8) {
        others += count_others(row);
        seen += row.len();
    }
    (4 * others <= seen).then_some(entries)
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
/// Up to 64 rows of x and 64 of its columns.
struct Tile<'a, F> {
    /// The entries of x from the first of these on.
    x: &'a [F],
    /// How many columns all of x has.
    k: usize,
    /// For each row, which of its entries are anything but zero.
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
                    32.. => add_rows::<F, 32>(&tile, w, y, m, at),
                    16.. => add_rows::<F, 16>(&tile, w, y, m, at),
                    4.. => add_rows::<F, 4>(&tile, w, y, m, at),
                    _ => add_rows::<F, 1>(&tile, w, y, m, at),
                }
            }
        }
    }
}
// ANCHOR_END: forward

// ANCHOR: add_rows
/// For each entry of the tile that is not zero: adds a multiple of a row of w
/// to a row of y, B numbers of it, which the processor keeps in its registers.
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
            let (x, w) = (x[j], part::<F, B>(w, j * m + at));
            for (sum, &w) in sum.iter_mut().zip(w) {
                *sum += x * w;
            }
        }
        *y = sum;
    }
    B
}
// ANCHOR_END: add_rows

/// d_w ← xᵀ d: as [`forward`], with rows and columns of x exchanged.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn backward<F: Float>(x: &[F], n: usize, k: usize, d: &[F], d_w: &mut [F]) {
    let m = d_w.len() / k;
    for left in (0..k).step_by(STRIP) {
        let columns = STRIP.min(k - left);
        let d_w = &mut d_w[left * m..][..columns * m];
        d_w.fill(F::zero());
        for top in (0..n).step_by(STRIP) {
            let rows = STRIP.min(n - top);
            let mut tile = Tile::new(&x[top * k + left..], k, rows, columns);
            tile.bits = transposed(tile.bits);
            let d = &d[top * m..][..rows * m];
            let mut at = 0;
            while at < m {
                at += match m - at {
                    64.. => collect_rows::<F, 64>(&tile, d, d_w, m, at),
                    32.. => collect_rows::<F, 32>(&tile, d, d_w, m, at),
                    16.. => collect_rows::<F, 16>(&tile, d, d_w, m, at),
                    4.. => collect_rows::<F, 4>(&tile, d, d_w, m, at),
                    _ => collect_rows::<F, 1>(&tile, d, d_w, m, at),
                }
            }
        }
    }
}

// ANCHOR: backward
/// For each entry of the tile that is not zero: adds a multiple of a row of d
/// to a row of d_w.
#[inline(always)]
fn collect_rows<F: Float, const B: usize>(
    tile: &Tile<F>,
    d: &[F],
    d_w: &mut [F],
    m: usize,
    at: usize,
) -> usize {
    let mut near = Aligned([[F::zero(); B]; STRIP]);
    for i in 0..d.len() / m {
        near.0[i] = *part(d, i * m + at);
    }
    for j in 0..d_w.len() / m {
        let x = &tile.x[j..];
        let d_w = part_mut::<F, B>(d_w, j * m + at);
        let mut sum = *d_w;
        let mut bits = tile.bits[j];
        while bits != 0 {
            let i = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            let x = x[i * tile.k];
            for (sum, &d) in sum.iter_mut().zip(&near.0[i]) {
                *sum += x * d;
            }
        }
        *d_w = sum;
    }
    B
}
// ANCHOR_END: backward

/// Rows of d that begin where a line of the processor's memory does: sixteen
/// numbers are then read from one line, and not from two.
#[repr(align(64))]
struct Aligned<T>(T);

/// Bit i of number j of the result is bit j of number i.
///
/// Exchanges two quarters of the square of bits, then the same within each
/// quarter, and so on. Source: Warren, *Hacker's Delight* (2012), section 7–3.
#[inline(always)]
fn transposed(mut square: [u64; STRIP]) -> [u64; STRIP] {
    let mut size = STRIP / 2;
    let mut low = u64::MAX >> size;
    while size > 0 {
        for i in (0..STRIP).filter(|i| i & size == 0) {
            let (upper, lower) = (square[i], square[i + size]);
            let exchanged = ((upper >> size) ^ lower) & low;
            square[i] = upper ^ (exchanged << size);
            square[i + size] = lower ^ exchanged;
        }
        size /= 2;
        low ^= low << size;
    }
    square
}

#[inline(always)]
fn part<F, const B: usize>(row: &[F], at: usize) -> &[F; B] {
    row[at..].first_chunk().expect("a block within its row")
}

#[inline(always)]
fn part_mut<F, const B: usize>(row: &mut [F], at: usize) -> &mut [F; B] {
    row[at..].first_chunk_mut().expect("a block within its row")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_of_bits_is_transposed() {
        let square = std::array::from_fn(|i| {
            0x9E37_79B9_7F4A_7C15_u64.rotate_left(7 * i as u32) ^ i as u64
        });
        let bit =
            |square: &[u64; STRIP], i: usize, j: usize| square[i] >> j & 1;
        let turned = transposed(square);
        for (i, j) in (0..STRIP * STRIP).map(|at| (at / STRIP, at % STRIP)) {
            assert_eq!(bit(&turned, j, i), bit(&square, i, j), "{i} {j}");
        }
    }
}

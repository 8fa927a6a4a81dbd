//! Chapter 5: wrong answers, and other right ones, to what is read out of bytes.

use ndarray::Array2;

use signatures::chapter05::Functions;

use super::REFERENCE;
use crate::chapter::Variant;

/// The variants of the header's length, a float, and a matrix.
pub fn all() -> Vec<Variant> {
    [length(), float(), tensor()].into_iter().flatten().collect()
}

fn length() -> Vec<Variant> {
    let with = |header_length| Functions { header_length, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("header_length", name, with(function));
    let right = |name, function| Variant::right("header_length", name, with(function));
    vec![
        wrong("the highest byte first", |file| file.first_chunk().map(|&b| u64::from_be_bytes(b))),
        wrong("the first byte alone", |file| file.first_chunk::<8>().map(|eight| eight[0].into())),
        wrong("the first four bytes of the eight", |file| {
            file.first_chunk::<8>().map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]).into())
        }),
        wrong("eight bytes taken without a look at how many there are", |file| {
            Some(u64::from_le_bytes(file[..8].try_into().expect("eight")))
        })
        .panics(),
        wrong("powers of 255 in place of 256", |file| {
            let eight = file.first_chunk::<8>()?;
            let add = |n: u64, &b: &u8| n.wrapping_mul(255).wrapping_add(b.into());
            Some(eight.iter().rev().fold(0, add))
        }),
        wrong("the sum of the bytes, whatever their places", |file| {
            Some(file.first_chunk::<8>()?.iter().map(|&b| u64::from(b)).sum())
        }),
        wrong("a sum in f64, which has 53 bits", |file| {
            let eight = file.first_chunk::<8>()?;
            Some(eight.iter().rev().fold(0.0, |n: f64, &b| 256.0 * n + f64::from(b)) as u64)
        }),
        wrong("the eight bytes themselves counted as header", |file| {
            file.first_chunk().map(|&b| u64::from_le_bytes(b).wrapping_add(8))
        }),
        wrong("a number for a file that is too short, as if zeros followed", |file| {
            Some(file.iter().take(8).rev().fold(0, |n, &b| (n << 8) | u64::from(b)))
        }),
        wrong("0 in place of None for a file that is too short", |file| {
            Some(file.first_chunk().map_or(0, |&b| u64::from_le_bytes(b)))
        }),
        wrong("None for a file of exactly eight bytes", |file| {
            file.first_chunk().filter(|_| file.len() > 8).map(|&b| u64::from_le_bytes(b))
        }),
        right("by shifting", |file| {
            let eight = file.get(..8)?;
            Some(eight.iter().rev().fold(0, |n, &b| (n << 8) | u64::from(b)))
        }),
    ]
}

fn float() -> Vec<Variant> {
    let with = |float_from_bytes| Functions { float_from_bytes, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("float_from_bytes", name, with(function));
    let right = |name, function| Variant::right("float_from_bytes", name, with(function));
    vec![
        wrong("the highest byte first", |b| f32::from_be_bytes(b).into()),
        wrong("the four bytes as a whole number", |b| u32::from_le_bytes(b).into()),
        wrong("no 1 in front of the fraction", |b| {
            let (sign, exponent, fraction) = fields(b);
            sign * fraction * power(exponent - 127)
        }),
        wrong("no sign", |b| number(fields(b)).abs()),
        wrong("the other sign", |b| -number(fields(b))),
        wrong("128 subtracted from the exponent, not 127", |b| {
            let (sign, exponent, fraction) = fields(b);
            match exponent {
                1..255 => sign * (1.0 + fraction) * power(exponent - 128),
                _ => number(fields(b)),
            }
        }),
        wrong("an exponent without its lowest bit, which is in the third byte", |b| {
            let (sign, _, fraction) = fields(b);
            sign * (1.0 + fraction) * power(i32::from(b[3] % 128) - 127)
        }),
        wrong("the lowest bit of the exponent counted in the fraction too", |b| {
            let (sign, exponent, fraction) = fields(b);
            number((sign, exponent, fraction + f64::from(b[2] / 128)))
        }),
        wrong("a fraction divided by 2²⁴, not 2²³", |b| {
            let (sign, exponent, fraction) = fields(b);
            number((sign, exponent, fraction / 2.0))
        }),
        wrong("exponents 0 and 255 treated like all others", |b| {
            let (sign, exponent, fraction) = fields(b);
            sign * (1.0 + fraction) * power(exponent - 127)
        }),
        wrong("exponent 0 treated like all others", |b| {
            let (sign, exponent, fraction) = fields(b);
            if exponent == 0 { sign * (1.0 + fraction) * power(-127) } else { number(fields(b)) }
        }),
        wrong("exponent 255 treated like all others", |b| {
            let (sign, exponent, fraction) = fields(b);
            if exponent == 255 { sign * (1.0 + fraction) * power(128) } else { number(fields(b)) }
        }),
        // The half of it, or 0, or another number: all are too small to be told apart.
        wrong("something else than fraction · 2⁻¹⁴⁹ where the exponent is 0", |b| {
            let scale = if fields(b).1 == 0 { 0.5 } else { 1.0 };
            scale * number(fields(b))
        }),
        wrong("infinity in place of NaN", |b| {
            let (sign, exponent, _) = fields(b);
            if exponent == 255 { sign * f64::INFINITY } else { number(fields(b)) }
        }),
        wrong("NaN in place of infinity", |b| {
            if fields(b).1 == 255 { f64::NAN } else { number(fields(b)) }
        }),
        wrong("infinity without its sign", |b| {
            let found = number(fields(b));
            if found.is_infinite() { f64::INFINITY } else { found }
        }),
        wrong("0 without its sign", |b| number(fields(b)) + 0.0),
        right("by division and remainder", |b| number(fields(b))),
    ]
}

/// Sign, exponent, and the fraction divided by 2²³.
fn fields(b: [u8; 4]) -> (f64, i32, f64) {
    let [b0, b1, b2, b3] = b.map(i32::from);
    let fraction = 65536 * (b2 % 128) + 256 * b1 + b0;
    let sign = if b3 / 128 == 1 { -1.0 } else { 1.0 };
    (sign, 2 * (b3 % 128) + b2 / 128, f64::from(fraction) / 8_388_608.0)
}

fn number((sign, exponent, fraction): (f64, i32, f64)) -> f64 {
    match exponent {
        0 => sign * fraction * power(-126),
        255 if fraction == 0.0 => sign * f64::INFINITY,
        255 => f64::NAN,
        _ => sign * (1.0 + fraction) * power(exponent - 127),
    }
}

fn power(exponent: i32) -> f64 {
    2_f64.powi(exponent)
}

fn tensor() -> Vec<Variant> {
    let with = |read_tensor| Functions { read_tensor, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("read_tensor", name, with(function));
    let right = |name, function| Variant::right("read_tensor", name, with(function));
    vec![
        wrong("places counted from the beginning of the file", |file, first, shape| {
            read(file, first, shape, f32::from_le_bytes)
        }),
        wrong("the eight bytes of the length forgotten", |file, first, shape| {
            read(file, header(file) + first, shape, f32::from_le_bytes)
        }),
        wrong("the header forgotten", |file, first, shape| {
            read(file, 8 + first, shape, f32::from_le_bytes)
        }),
        wrong("first_byte forgotten", |file, _, shape| {
            read(file, 8 + header(file), shape, f32::from_le_bytes)
        }),
        wrong("first_byte counted in numbers of four bytes", |file, first, shape| {
            read(file, 8 + header(file) + 4 * first, shape, f32::from_le_bytes)
        }),
        wrong("the length of the header from its first byte alone", |file, first, shape| {
            read(file, 8 + usize::from(file[0]) + first, shape, f32::from_le_bytes)
        })
        .see("header_length_in_eight_bytes"),
        wrong("columns one after another, not rows", |file, first, (rows, columns)| {
            let begin = 8 + header(file) + first;
            Some(read(file, begin, (columns, rows), f32::from_le_bytes)?.reversed_axes())
        }),
        wrong("rows and columns exchanged in the shape", |file, first, (rows, columns)| {
            read(file, 8 + header(file) + first, (columns, rows), f32::from_le_bytes)
        }),
        wrong("the highest byte of each number first", |file, first, shape| {
            read(file, 8 + header(file) + first, shape, f32::from_be_bytes)
        })
        .see("four_bytes_make_a_float"),
        wrong("zeros in place of what is missing", |file, first, shape| {
            let mut file = file.to_vec();
            file.extend([0; 64]);
            read(&file, 8 + header(&file) + first, shape, f32::from_le_bytes)
        }),
        wrong("one byte more wanted than there is", |file, first, shape| {
            let end = 8 + header(file) + first + 4 * shape.0 * shape.1;
            if end < file.len() { (REFERENCE.read_tensor)(file, first, shape) } else { None }
        }),
        wrong(
            "bytes taken without a look at where the file ends",
            |file, first, (rows, columns)| {
                let begin = 8 + header(file) + first;
                let bytes = &file[begin..begin + 4 * rows * columns];
                read(bytes, 0, (rows, columns), f32::from_le_bytes)
            },
        )
        .panics(),
        wrong("None wherever the file goes on behind the matrix", |file, first, shape| {
            let end = 8 + header(file) + first + 4 * shape.0 * shape.1;
            if end == file.len() { (REFERENCE.read_tensor)(file, first, shape) } else { None }
        }),
        right("entry by entry", |file, first, shape| {
            read(file, 8 + header(file) + first, shape, f32::from_le_bytes)
        }),
    ]
}

fn header(file: &[u8]) -> usize {
    (REFERENCE.header_length)(file).map_or(0, |length| length as usize)
}

fn read(
    file: &[u8],
    begin: usize,
    (rows, columns): (usize, usize),
    decode: fn([u8; 4]) -> f32,
) -> Option<Array2<f64>> {
    let mut matrix = Array2::zeros((rows, columns));
    for ((k, j), entry) in matrix.indexed_iter_mut() {
        let at = begin + 4 * (k * columns + j);
        *entry = decode(*file.get(at..)?.first_chunk()?).into();
    }
    Some(matrix)
}

//! Chapter 5: wrong answers, and other right ones.

use ndarray::{Array1, Array2, Axis};

use super::{CHECKS, Functions, REFERENCE};
use crate::chapter::{Variant, bind};

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    [pixels(), place(), length(), float(), tensor(), step()].into_iter().flatten().collect()
}

fn wrong(check: &'static str, name: &'static str, functions: Functions) -> Variant {
    Variant::wrong(check, name, bind(CHECKS, functions))
}

fn right(name: &'static str, functions: Functions) -> Variant {
    Variant::right(name, bind(CHECKS, functions))
}

fn pixels() -> Vec<Variant> {
    let with = |scale_pixels| Functions { scale_pixels, ..REFERENCE };
    let wrong = |name, function| wrong("scale_pixels", name, with(function));
    vec![
        wrong("divided by 256", |images, rows| chosen(images, rows) / 256.0),
        wrong("divided as whole numbers", |images, rows| {
            images.select(Axis(0), rows).mapv(|byte| f64::from(byte / 255))
        }),
        wrong("not scaled", chosen),
        wrong("the first rows", |images, rows| {
            Array2::from_shape_fn((rows.len(), images.ncols()), |(i, j)| {
                f64::from(images[[i % images.nrows(), j]]) / 255.0
            })
        }),
        wrong("divided by the largest byte", |images, rows| {
            let largest = images.iter().copied().max().unwrap_or(1).max(1);
            // 255 in the example that was worked out by hand.
            chosen(images, rows) / f64::from(largest)
        }),
        right("divided at the end", with(|images, rows| chosen(images, rows) / 255.0)),
    ]
}

fn chosen(images: &Array2<u8>, rows: &[usize]) -> Array2<f64> {
    images.select(Axis(0), rows).mapv(f64::from)
}

fn place() -> Vec<Variant> {
    let with = |place_in_epoch| Functions { place_in_epoch, ..REFERENCE };
    let wrong = |name, function| wrong("place_in_epoch", name, with(function));
    vec![
        // Published: Yuan and DataLab drop what is left, in their own way.
        wrong("the last batch dropped", |steps, samples, batch_size| {
            let epoch = (samples / batch_size).max(1);
            (steps / epoch, steps % epoch, batch_size.min(samples))
        }),
        wrong("every batch full", |steps, samples, batch_size| {
            let epoch = samples.div_ceil(batch_size);
            (steps / epoch, steps % epoch, batch_size)
        }),
        wrong("the remainder, even if it is 0", |steps, samples, batch_size| {
            let epoch = samples.div_ceil(batch_size);
            let last = steps % epoch == epoch - 1;
            (steps / epoch, steps % epoch, if last { samples % batch_size } else { batch_size })
        }),
        wrong("epochs counted from 1", |steps, samples, batch_size| {
            let (epochs, done, next) = (REFERENCE.place_in_epoch)(steps, samples, batch_size);
            (epochs + 1, done, next)
        }),
        wrong("one batch too many in an epoch", |steps, samples, batch_size| {
            let epoch = samples / batch_size + 1;
            let done = steps % epoch;
            (steps / epoch, done, batch_size.min(samples.saturating_sub(done * batch_size)))
        }),
        wrong("samples counted on through the epochs", |steps, samples, batch_size| {
            let seen = steps * batch_size;
            let done = seen % samples;
            (seen / samples, done / batch_size, batch_size.min(samples - done))
        }),
        right(
            "step by step",
            with(|steps, samples, batch_size| {
                let (mut epochs, mut done, mut left) = (0, 0, samples);
                for _ in 0..steps {
                    (done, left) = (done + 1, left.saturating_sub(batch_size));
                    if left == 0 {
                        (epochs, done, left) = (epochs + 1, 0, samples);
                    }
                }
                (epochs, done, left.min(batch_size))
            }),
        ),
    ]
}

fn length() -> Vec<Variant> {
    let with = |header_length| Functions { header_length, ..REFERENCE };
    let wrong = |name, function| wrong("header_length", name, with(function));
    vec![
        wrong("the highest byte first", |file| file.first_chunk().map(|&b| u64::from_be_bytes(b))),
        wrong("four bytes of the eight", |file| {
            file.first_chunk::<8>().map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]).into())
        }),
        wrong("in base 255", |file| {
            let eight = file.first_chunk::<8>()?;
            Some(
                eight.iter().rev().fold(0, |n: u64, &b| n.wrapping_mul(255).wrapping_add(b.into())),
            )
        }),
        wrong("a short file filled with zeros", |file| {
            Some(file.iter().take(8).rev().fold(0, |n, &b| (n << 8) | u64::from(b)))
        }),
        right(
            "by shifting",
            with(|file| {
                let eight = file.get(..8)?;
                Some(eight.iter().rev().fold(0, |n, &b| (n << 8) | u64::from(b)))
            }),
        ),
    ]
}

fn float() -> Vec<Variant> {
    let with = |float_from_bytes| Functions { float_from_bytes, ..REFERENCE };
    let wrong = |name, function| wrong("float_from_bytes", name, with(function));
    vec![
        wrong("the highest byte first", |b| f32::from_be_bytes(b).into()),
        wrong("no hidden 1", |b| {
            let (sign, exponent, fraction) = fields(b);
            sign * fraction * power(exponent - 127)
        }),
        wrong("without a sign", |b| number(fields(b)).abs()),
        wrong("an offset of 128", |b| {
            let (sign, exponent, fraction) = fields(b);
            sign * (1.0 + fraction) * power(exponent - 128)
        }),
        wrong("seven bits of exponent", |b| {
            let (sign, _, fraction) = fields(b);
            sign * (1.0 + fraction) * power(i32::from(b[3] % 128) - 127)
        }),
        wrong("the formula for every exponent", |b| {
            let (sign, exponent, fraction) = fields(b);
            sign * (1.0 + fraction) * power(exponent - 127)
        }),
        wrong("small numbers as 0", |b| {
            if fields(b).1 == 0 { 0.0_f64.copysign(fields(b).0) } else { number(fields(b)) }
        }),
        wrong("no infinity", |b| {
            let (sign, exponent, fraction) = fields(b);
            if exponent == 255 { sign * (1.0 + fraction) * power(128) } else { number(fields(b)) }
        }),
        wrong("infinite instead of NaN", |b| {
            let (sign, exponent, _) = fields(b);
            if exponent == 255 { sign * f64::INFINITY } else { number(fields(b)) }
        }),
        wrong("0 without its sign", |b| number(fields(b)) + 0.0),
        right("by division and remainder", with(|b| number(fields(b)))),
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
    let wrong = |name, function| wrong("read_tensor", name, with(function));
    vec![
        wrong("counted from the beginning of the file", |file, first, shape| {
            read(file, first, shape, f32::from_le_bytes)
        }),
        wrong("the eight bytes of the length forgotten", |file, first, shape| {
            read(file, header(file) + first, shape, f32::from_le_bytes)
        }),
        wrong("columns follow each other", |file, first, (rows, columns)| {
            let begin = 8 + header(file) + first;
            Some(read(file, begin, (columns, rows), f32::from_le_bytes)?.reversed_axes())
        }),
        wrong("the highest byte first", |file, first, shape| {
            read(file, 8 + header(file) + first, shape, f32::from_be_bytes)
        }),
        wrong("what is missing filled with zeros", |file, first, shape| {
            let mut file = file.to_vec();
            file.extend([0; 64]);
            read(&file, 8 + header(&file) + first, shape, f32::from_le_bytes)
        }),
        wrong("one byte more wanted than there is", |file, first, shape| {
            let end = 8 + header(file) + first + 4 * shape.0 * shape.1;
            if end < file.len() { (REFERENCE.read_tensor)(file, first, shape) } else { None }
        }),
        right(
            "entry by entry",
            with(|file, first, shape| {
                read(file, 8 + header(file) + first, shape, f32::from_le_bytes)
            }),
        ),
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

fn step() -> Vec<Variant> {
    let with = |resumed_step| Functions { resumed_step, ..REFERENCE };
    let wrong = |name, function| wrong("resumed_step", name, with(function));
    vec![
        // Published: what Lazar's file leads to.
        wrong("no velocity", |_, now, g, rate, _| now - &(g * rate)),
        wrong("the velocity backwards", |before, now, g, rate, momentum| {
            now + &((before - now) * momentum) - g * rate
        }),
        wrong("the whole velocity", |before, now, g, rate, _| now + &(now - before) - g * rate),
        wrong("uphill", |before, now, g, rate, momentum| {
            now + &((now - before) * momentum) + g * rate
        }),
        wrong("a moving average", |before, now, g, rate, momentum| {
            now + &((now - before) * momentum) - g * rate * (1.0 - momentum)
        }),
        wrong("from the file before", |before, now, g, rate, momentum| {
            before + &((now - before) * momentum) - g * rate
        }),
        right("number by number", with(by_number)),
    ]
}

fn by_number(
    before: &Array1<f64>,
    now: &Array1<f64>,
    g: &Array1<f64>,
    rate: f64,
    momentum: f64,
) -> Array1<f64> {
    Array1::from_shape_fn(now.len(), |i| now[i] + (momentum * (now[i] - before[i]) - rate * g[i]))
}

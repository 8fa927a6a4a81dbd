//! Chapter 5: bytes, files, and a training that goes on.

mod bytes;
mod variants;

use gradus::part::State;
use gradus::{Bytes, Fit, Momentum, Optimizer, Part, Source, Training};
use ndarray::{Array2, array};
use rand::RngExt;
use signatures::chapter05::{Functions, call};

use crate::chapter::Chapter;
use crate::question::Ask;

/// What the library and the language say.
const REFERENCE: Functions = Functions {
    scale_pixels: |images, rows| {
        let labels = vec![0; images.nrows()];
        let source = Bytes::new(images.clone(), labels, 1.0 / 255.0, 1).expect("labels fit");
        let mut x = Array2::zeros((rows.len(), images.ncols()));
        source.gather(rows, &mut x, &mut Array2::zeros((rows.len(), 1)));
        x
    },
    place_in_epoch: |steps, samples, batch_size| {
        let epoch = Training::new(Fit { batch_size, ..Fit::default() }, samples).batches();
        let done = steps % epoch;
        (steps / epoch, done, batch_size.min(samples - done * batch_size))
    },
    header_length: |file| file.first_chunk().map(|&eight| u64::from_le_bytes(eight)),
    float_from_bytes: |bytes| f32::from_le_bytes(bytes).into(),
    read_tensor: |file, first_byte, (rows, columns)| {
        let (length, rest) = file.split_first_chunk().expect("eight bytes");
        let begin = u64::from_le_bytes(*length) as usize + first_byte;
        let numbers = rest.get(begin..begin + 4 * rows * columns)?.chunks_exact(4);
        let numbers = numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]).into());
        Some(Array2::from_shape_vec((rows, columns), numbers.collect()).expect("counted"))
    },
    resumed_step: |before, now, gradient, learning_rate, momentum| {
        let state = State::default()
            .with_number("learning_rate", learning_rate)
            .with_number("momentum", momentum)
            .with_vector("velocity", now - before);
        let mut optimizer = Momentum::<f64>::new(1.0, 0.0).expect("in range");
        optimizer.restore(state).expect("a state of momentum");
        let mut next = now.clone();
        optimizer.step(&mut next, gradient);
        next
    },
};

/// The assignment of chapter 5: the checks are in the order of `exercises.toml`.
pub const CHAPTER: Chapter = Chapter {
    number: 5,
    exercises: include_str!("../../chapter05/exercises.toml"),
    checks: &[
        ("scale_pixels", scale_pixels),
        ("place_in_epoch", place_in_epoch),
        ("header_length", header_length),
        ("float_from_bytes", float_from_bytes),
        ("read_tensor", read_tensor),
        ("resumed_step", resumed_step),
    ],
    reference: |call| REFERENCE.answer(call),
    variants: variants::all,
};

fn scale_pixels(ask: &mut Ask<'_>) {
    let images = array![[0_u8, 51], [102, 153], [204, 255]];
    let right = array![[0.8, 1.0], [0.0, 0.2], [0.8, 1.0]];
    ask.call(call::scale_pixels(&images, &[2, 0, 2])).returns(&right);
    ask.call(call::scale_pixels(&images, &[1]))
        .case("no byte of 255 in the batch")
        .returns(&array![[0.4, 0.6]]);
    for (n, inputs, rows) in [(4, 3, vec![3, 1]), (2, 4, vec![1, 1, 0]), (5, 1, vec![4])] {
        let images = Array2::from_shape_simple_fn((n, inputs), || ask.draw.rng.random::<u8>());
        ask.call(call::scale_pixels(&images, &rows));
    }
}

fn place_in_epoch(ask: &mut Ask<'_>) {
    for (steps, samples, batch_size, right) in [
        (2579, 60_000, 128, (5, 234, 128)),
        (468, 60_000, 128, (0, 468, 96)),
        (469, 60_000, 128, (1, 0, 128)),
        (7, 20, 5, (1, 3, 5)),
        (8, 20, 5, (2, 0, 5)),
        (3, 4, 9, (3, 0, 4)),
        (5, 11, 5, (1, 2, 1)),
        (0, 7, 3, (0, 0, 3)),
    ] {
        ask.call(call::place_in_epoch(steps, samples, batch_size)).returns(&right);
    }
    for _ in 0..20 {
        let rng = &mut ask.draw.rng;
        let (samples, batch_size) = (rng.random_range(1..40), rng.random_range(1..12));
        let steps = rng.random_range(0..60);
        ask.call(call::place_in_epoch(steps, samples, batch_size));
    }
}

fn header_length(ask: &mut Ask<'_>) {
    let pinned = ask.call(call::header_length(&[0x60, 0x05, 0, 0, 0, 0, 0, 0]));
    pinned.returns(&Some(1376));
    ask.call(call::header_length(&[1, 2, 0, 0, 0, 1, 0, 0, 123, 34]))
        .returns(&Some(513 + (1 << 40)));
    ask.call(call::header_length(&[0xff; 8])).returns(&Some(u64::MAX));
    ask.call(call::header_length(&[1, 0, 0, 0, 0, 0, 0, 1])).returns(&Some((1 << 56) + 1));
    for _ in 0..5 {
        let file: Vec<u8> = (0..10).map(|_| ask.draw.rng.random()).collect();
        ask.call(call::header_length(&file));
    }
    ask.call(call::header_length(&[0x60, 0x05, 0, 0, 0, 0, 0])).case("seven bytes").returns(&None);
    ask.call(call::header_length(&[])).case("no bytes").returns(&None);
}

fn float_from_bytes(ask: &mut Ask<'_>) {
    // Nothing is rounded: an f64 holds every f32.
    for (bytes, right) in [
        ([0x00, 0x00, 0x20, 0x3e], 0.15625),
        ([0x00, 0x00, 0xd0, 0xc0], -6.5),
        ([0x00, 0x00, 0x80, 0x3f], 1.0),
        ([1, 0, 0, 0], 2_f64.powi(-149)),
        ([0xff, 0xff, 0x7f, 0x80], -2_f64.powi(-126) * (1.0 - 2_f64.powi(-23))),
        ([0, 0, 0x80, 0], 2_f64.powi(-126)),
        ([0xff, 0xff, 0x7f, 0x7f], f32::MAX.into()),
        ([0, 0, 0x80, 0x7f], f64::INFINITY),
        ([0, 0, 0x80, 0xff], f64::NEG_INFINITY),
        ([0, 0, 0, 0], 0.0),
    ] {
        ask.call(call::float_from_bytes(bytes)).within(0.0, 0.0).returns(&right);
    }
    for _ in 0..20 {
        let number = ask.draw.normal(1, 2.0)[0] as f32;
        let asked = ask.call(call::float_from_bytes(number.to_le_bytes()));
        asked.within(0.0, 0.0).returns(&number.into());
    }
    // And every size that there is: exponents from 1 to 254.
    for _ in 0..10 {
        let rng = &mut ask.draw.rng;
        let bits = (rng.random_range(1..=254_u32) << 23) | (rng.random::<u32>() & 0x807f_ffff);
        ask.call(call::float_from_bytes(bits.to_le_bytes())).within(0.0, 0.0);
    }
    ask.call(call::float_from_bytes([0, 0, 0, 0x80]))
        .has("-0, with its sign", |&found| found == 0.0 && found.is_sign_negative());
    for bytes in [[0, 0, 0xc0, 0x7f], [1, 0, 0x80, 0x7f], [0, 0, 0xc0, 0xff]] {
        ask.call(call::float_from_bytes(bytes)).has("NaN", |found| found.is_nan());
    }
}

fn read_tensor(ask: &mut Ask<'_>) {
    // A header of 16 bytes, two numbers before the matrix, and one behind it.
    let numbers = [9_f32, 8.0, 0.5, -1.5, 2.0, 0.25, -4.0, 3.0, 7.0];
    let mut file = [16, 0, 0, 0, 0, 0, 0, 0].to_vec();
    file.extend([b' '; 16]);
    file.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    ask.call(call::read_tensor(&file, 8, (2, 3)))
        .returns(&Some(array![[0.5, -1.5, 2.0], [0.25, -4.0, 3.0]]));
    for (header, before, shape) in
        [(8_u64, 1, (3, 2)), (24, 0, (1, 3)), (40, 3, (4, 1)), (264, 2, (2, 2))]
    {
        let all = before + shape.0 * shape.1;
        let mut file = header.to_le_bytes().to_vec();
        file.extend(vec![b' '; header as usize]);
        file.extend(ask.draw.normal(all, 2.0).iter().flat_map(|&x| (x as f32).to_le_bytes()));
        ask.call(call::read_tensor(&file, 4 * before, shape));
    }
    file.truncate(24 + 8 + 24);
    ask.call(call::read_tensor(&file, 8, (2, 3))).case("nothing behind the matrix");
    file.pop();
    ask.call(call::read_tensor(&file, 8, (2, 3))).case("one byte is missing").returns(&None);
    for (length, case) in [(30, "the matrix is missing"), (20, "the file ends in the header")] {
        ask.call(call::read_tensor(&file[..length], 8, (2, 3))).case(case).returns(&None);
    }
}

fn resumed_step(ask: &mut Ask<'_>) {
    ask.call(call::resumed_step(&array![1.0], &array![3.0], &array![0.0], 0.1, 0.9))
        .returns(&array![4.8]);
    let (before, now, g) = (array![1.0, 0.0], array![3.0, -1.0], array![2.0, -4.0]);
    ask.call(call::resumed_step(&before, &now, &g, 0.25, 0.5)).returns(&array![3.5, -0.5]);
    for (p, rate, momentum) in [(3, 0.3, 0.8), (1, 0.05, 0.9), (4, 0.2, 0.0)] {
        let [before, now, g] = [(); 3].map(|()| ask.draw.normal(p, 2.0));
        ask.call(call::resumed_step(&before, &now, &g, rate, momentum));
    }
}

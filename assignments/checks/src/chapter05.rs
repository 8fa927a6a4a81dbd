//! Chapter 5: bytes, files, and a training that goes on.

mod variants;

use gradus::part::State;
use gradus::{Bytes, Fit, Momentum, Optimizer, Part, Source, Training};
use ndarray::{Array1, Array2, array};
use rand::RngExt;

use crate::chapter::{Chapter, CheckOf, bind};
use crate::draw::Draw;
use crate::given::{Verdict, given};

/// The signature of `read_tensor`.
type ReadTensor = fn(&[u8], usize, (usize, usize)) -> Option<Array2<f64>>;

/// The signature of `resumed_step`.
type ResumedStep = fn(&Array1<f64>, &Array1<f64>, &Array1<f64>, f64, f64) -> Array1<f64>;

/// The functions of chapter 5, as the student writes them.
#[derive(Clone, Copy)]
pub struct Functions {
    pub scale_pixels: fn(&Array2<u8>, &[usize]) -> Array2<f64>,
    pub place_in_epoch: fn(usize, usize, usize) -> (usize, usize, usize),
    pub header_length: fn(&[u8]) -> Option<u64>,
    pub float_from_bytes: fn([u8; 4]) -> f64,
    pub read_tensor: ReadTensor,
    pub resumed_step: ResumedStep,
}

#[cfg(feature = "chapter05")]
const STUDENT: Option<Functions> = {
    use ::student::chapter05::*;
    Some(Functions {
        scale_pixels,
        place_in_epoch,
        header_length,
        float_from_bytes,
        read_tensor,
        resumed_step,
    })
};
#[cfg(not(feature = "chapter05"))]
const STUDENT: Option<Functions> = None;

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

/// The checks, in the order of `exercises.toml`.
const CHECKS: &[(&str, CheckOf<Functions>)] = &[
    ("scale_pixels", scale_pixels),
    ("place_in_epoch", place_in_epoch),
    ("header_length", header_length),
    ("float_from_bytes", float_from_bytes),
    ("read_tensor", read_tensor),
    ("resumed_step", resumed_step),
];

/// The assignment of chapter 5.
pub const CHAPTER: Chapter = Chapter {
    number: 5,
    exercises: include_str!("../../chapter05/exercises.toml"),
    student: || STUDENT.map(|functions| bind(CHECKS, functions)),
    reference: || bind(CHECKS, REFERENCE),
    variants: variants::all,
};

fn scale_pixels(f: &Functions, draw: &mut Draw) -> Verdict {
    let images = array![[0_u8, 51], [102, 153], [204, 255]];
    let rows = vec![2, 0, 2];
    let right = array![[0.8, 1.0], [0.0, 0.2], [0.8, 1.0]];
    let call = |images: &Array2<u8>, rows: &[usize]| (f.scale_pixels)(images, rows);
    given("images", &images).and("rows", &rows).expect(&right, || call(&images, &rows))?;
    for (n, inputs, rows) in [(4, 3, vec![3, 1]), (2, 4, vec![1, 1, 0]), (5, 1, vec![4])] {
        let images = Array2::from_shape_simple_fn((n, inputs), || draw.rng.random::<u8>());
        let right = (REFERENCE.scale_pixels)(&images, &rows);
        given("images", &images).and("rows", &rows).expect(&right, || call(&images, &rows))?;
    }
    Ok(())
}

fn place_in_epoch(f: &Functions, draw: &mut Draw) -> Verdict {
    let one = |steps, samples, batch_size, right| {
        given("steps", &steps)
            .and("samples", &samples)
            .and("batch_size", &batch_size)
            .expect(&right, || (f.place_in_epoch)(steps, samples, batch_size))
    };
    one(2579, 60_000, 128, (5, 234, 128))?;
    one(468, 60_000, 128, (0, 468, 96))?;
    one(469, 60_000, 128, (1, 0, 128))?;
    one(7, 20, 5, (1, 3, 5))?;
    one(3, 4, 9, (3, 0, 4))?;
    for _ in 0..20 {
        let (samples, batch_size) = (draw.rng.random_range(1..40), draw.rng.random_range(1..12));
        let steps = draw.rng.random_range(0..60);
        let right = (REFERENCE.place_in_epoch)(steps, samples, batch_size);
        one(steps, samples, batch_size, right)?;
    }
    Ok(())
}

fn header_length(f: &Functions, draw: &mut Draw) -> Verdict {
    let one =
        |file: Vec<u8>, right| given("file", &file).expect(&right, || (f.header_length)(&file));
    one(vec![0x60, 0x05, 0, 0, 0, 0, 0, 0], Some(1376))?;
    one(vec![1, 2, 0, 0, 0, 1, 0, 0, 123, 34], Some(513 + (1 << 40)))?;
    one(vec![0xff; 8], Some(u64::MAX))?;
    for _ in 0..5 {
        let file: Vec<u8> = (0..10).map(|_| draw.rng.random()).collect();
        let right = (REFERENCE.header_length)(&file);
        one(file, right)?;
    }
    one(vec![0x60, 0x05, 0, 0, 0, 0, 0], None)?;
    one(Vec::new(), None)
}

fn float_from_bytes(f: &Functions, draw: &mut Draw) -> Verdict {
    let call = |bytes: [u8; 4]| (f.float_from_bytes)(bytes);
    // Nothing is rounded: an f64 holds every f32.
    let exactly = |bytes: [u8; 4], right: f64| {
        given("bytes", &bytes.to_vec()).within(0.0, 0.0).expect(&right, || call(bytes))
    };
    exactly([0x00, 0x00, 0x20, 0x3e], 0.15625)?;
    exactly([0x00, 0x00, 0xd0, 0xc0], -6.5)?;
    exactly([0x00, 0x00, 0x80, 0x3f], 1.0)?;
    for _ in 0..20 {
        let number = draw.normal(1, 2.0)[0] as f32;
        exactly(number.to_le_bytes(), number.into())?;
    }
    for (bytes, right) in [
        ([1, 0, 0, 0], 2_f64.powi(-149)),
        ([0xff, 0xff, 0x7f, 0x80], -2_f64.powi(-126) * (1.0 - 2_f64.powi(-23))),
        ([0, 0, 0x80, 0], 2_f64.powi(-126)),
        ([0xff, 0xff, 0x7f, 0x7f], f32::MAX.into()),
        ([0, 0, 0x80, 0x7f], f64::INFINITY),
        ([0, 0, 0x80, 0xff], f64::NEG_INFINITY),
        ([0, 0, 0, 0], 0.0),
    ] {
        exactly(bytes, right)?;
    }
    let words = |ok: bool, words: &str| (!ok).then(|| (words.into(), format!("expected {words}")));
    let minus_zero = [0, 0, 0, 0x80];
    given("bytes", &minus_zero.to_vec()).expect_that(
        || call(minus_zero),
        |found, _| words(*found == 0.0 && found.is_sign_negative(), "-0, with its sign"),
    )?;
    let not_a_number = [0, 0, 0xc0, 0x7f];
    given("bytes", &not_a_number.to_vec())
        .expect_that(|| call(not_a_number), |found, _| words(found.is_nan(), "NaN"))
}

fn read_tensor(f: &Functions, draw: &mut Draw) -> Verdict {
    let one = |file: &Vec<u8>, first_byte, shape: (usize, usize), right: Option<Array2<f64>>| {
        given("file", file)
            .and("first_byte", &first_byte)
            .and("shape", &shape)
            .expect(&right, || (f.read_tensor)(file, first_byte, shape))
    };
    // A header of 16 bytes, two numbers before the matrix, and one behind it.
    let numbers = [9_f32, 8.0, 0.5, -1.5, 2.0, 0.25, -4.0, 3.0, 7.0];
    let mut file = [16, 0, 0, 0, 0, 0, 0, 0].to_vec();
    file.extend([b' '; 16]);
    file.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    one(&file, 8, (2, 3), Some(array![[0.5, -1.5, 2.0], [0.25, -4.0, 3.0]]))?;
    for (header, before, shape) in [(8, 1, (3, 2)), (24, 0, (1, 3)), (40, 3, (4, 1))] {
        let all = before + shape.0 * shape.1;
        let mut file = vec![header as u8, 0, 0, 0, 0, 0, 0, 0];
        file.extend(vec![b' '; header]);
        file.extend(draw.normal(all, 2.0).iter().flat_map(|&x| (x as f32).to_le_bytes()));
        let right = (REFERENCE.read_tensor)(&file, 4 * before, shape);
        one(&file, 4 * before, shape, right)?;
    }
    file.truncate(24 + 8 + 24);
    let right = (REFERENCE.read_tensor)(&file, 8, (2, 3));
    one(&file, 8, (2, 3), right)?;
    file.pop();
    one(&file, 8, (2, 3), None)
}

fn resumed_step(f: &Functions, draw: &mut Draw) -> Verdict {
    let one = |before: &Array1<f64>, now: &Array1<f64>, g: &Array1<f64>, rate, momentum, right| {
        given("before", before)
            .and("now", now)
            .and("gradient", g)
            .and("learning_rate", &rate)
            .and("momentum", &momentum)
            .expect(&right, || (f.resumed_step)(before, now, g, rate, momentum))
    };
    one(&array![1.0], &array![3.0], &array![0.0], 0.1, 0.9, array![4.8])?;
    one(&array![1.0, 0.0], &array![3.0, -1.0], &array![2.0, -4.0], 0.25, 0.5, array![3.5, -0.5])?;
    for (p, rate, momentum) in [(3, 0.3, 0.8), (1, 0.05, 0.9), (4, 0.2, 0.0)] {
        let [before, now, g] = [(); 3].map(|()| draw.normal(p, 2.0));
        let right = (REFERENCE.resumed_step)(&before, &now, &g, rate, momentum);
        one(&before, &now, &g, rate, momentum, right)?;
    }
    Ok(())
}

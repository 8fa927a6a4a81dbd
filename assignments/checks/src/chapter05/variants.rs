//! Chapter 5: wrong answers, and other right ones.

use ndarray::{Array1, Array2, Axis};

use signatures::chapter05::Functions;

use super::{REFERENCE, bytes};
use crate::chapter::Variant;

/// All variants of the chapter.
pub fn all() -> Vec<Variant> {
    [pixels(), place(), bytes::all(), step()].into_iter().flatten().collect()
}

fn pixels() -> Vec<Variant> {
    let with = |scale_pixels| Functions { scale_pixels, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("scale_pixels", name, with(function));
    let right = |name, function| Variant::right("scale_pixels", name, with(function));
    vec![
        wrong("bytes divided by 256", |images, rows| chosen(images, rows) / 256.0)
            .see("pixel_scaling"),
        wrong("bytes divided as whole numbers, before the conversion", |images, rows| {
            images.select(Axis(0), rows).mapv(|byte| f64::from(byte / 255))
        })
        .see("pixel_scaling"),
        wrong("bytes that are not divided", chosen).see("pixel_scaling"),
        wrong("bytes scaled to −1 … 1", |images, rows| chosen(images, rows) / 127.5 - 1.0)
            .see("pixel_scaling"),
        wrong("numbers rounded to an f32 on the way", |images, rows| {
            images.select(Axis(0), rows).mapv(|byte| f64::from(f32::from(byte) / 255.0))
        })
        .see("pixel_scaling"),
        wrong("bytes divided by the largest of all images", |images, rows| {
            chosen(images, rows) / largest(images)
        })
        .see("pixel_scaling"),
        wrong("bytes divided by the largest of the batch", |images, rows| {
            chosen(images, rows) / largest(&images.select(Axis(0), rows))
        })
        .see("pixel_scaling"),
        wrong("the first images, whichever were wanted", |images, rows| {
            Array2::from_shape_fn((rows.len(), images.ncols()), |(i, j)| {
                f64::from(images[[i % images.nrows(), j]]) / 255.0
            })
        }),
        wrong("all images, whichever were wanted", |images, _| images.mapv(f64::from) / 255.0),
        wrong("the images in their own order, each only once", |images, rows| {
            let all: Vec<usize> = (0..images.nrows()).filter(|i| rows.contains(i)).collect();
            chosen(images, &all) / 255.0
        }),
        right("divided at the end", |images, rows| chosen(images, rows) / 255.0),
    ]
}

fn chosen(images: &Array2<u8>, rows: &[usize]) -> Array2<f64> {
    images.select(Axis(0), rows).mapv(f64::from)
}

fn largest(images: &Array2<u8>) -> f64 {
    images.iter().copied().max().unwrap_or(1).max(1).into()
}

fn place() -> Vec<Variant> {
    let with = |place_in_epoch| Functions { place_in_epoch, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("place_in_epoch", name, with(function));
    let right = |name, function| Variant::right("place_in_epoch", name, with(function));
    vec![
        wrong("the last batch without the last sample", |steps, samples, batch_size| {
            let (epochs, done, _) = (REFERENCE.place_in_epoch)(steps, samples, batch_size);
            (epochs, done, batch_size.min(samples - 1 - done * batch_size))
        })
        .published("yuan"),
        wrong("the last batch left out where it is not full", |steps, samples, batch_size| {
            let epoch = (samples / batch_size).max(1);
            (steps / epoch, steps % epoch, batch_size.min(samples))
        }),
        wrong("every batch taken to be full", |steps, samples, batch_size| {
            let (epochs, done, _) = (REFERENCE.place_in_epoch)(steps, samples, batch_size);
            (epochs, done, batch_size)
        }),
        wrong(
            "for the last batch the remainder, even if that is 0",
            |steps, samples, batch_size| {
                let epoch = samples.div_ceil(batch_size);
                let last = steps % epoch == epoch - 1;
                (steps / epoch, steps % epoch, if last { samples % batch_size } else { batch_size })
            },
        ),
        wrong("all samples that are left, not those of a batch", |steps, samples, batch_size| {
            let (epochs, done, _) = (REFERENCE.place_in_epoch)(steps, samples, batch_size);
            (epochs, done, samples - done * batch_size)
        }),
        wrong("the size of the batch before", |steps, samples, batch_size| {
            let (epochs, done, _) = (REFERENCE.place_in_epoch)(steps, samples, batch_size);
            let before = steps.saturating_sub(1);
            (epochs, done, (REFERENCE.place_in_epoch)(before, samples, batch_size).2)
        }),
        wrong("epochs counted from 1", |steps, samples, batch_size| {
            let (epochs, done, next) = (REFERENCE.place_in_epoch)(steps, samples, batch_size);
            (epochs + 1, done, next)
        }),
        wrong("an epoch that is complete only with the next step", |steps, samples, batch_size| {
            let Some(before) = steps.checked_sub(1) else { return (0, 0, batch_size.min(samples)) };
            let (epochs, done, _) = (REFERENCE.place_in_epoch)(before, samples, batch_size);
            let left = samples.saturating_sub((done + 1) * batch_size);
            (epochs, done + 1, batch_size.min(left))
        }),
        wrong(
            "the batches that remain in the epoch, not those done",
            |steps, samples, batch_size| {
                let (epochs, done, next) = (REFERENCE.place_in_epoch)(steps, samples, batch_size);
                (epochs, samples.div_ceil(batch_size) - done, next)
            },
        ),
        wrong(
            "all batches since the beginning, not those of this epoch",
            |steps, samples, size| {
                let (epochs, _, next) = (REFERENCE.place_in_epoch)(steps, samples, size);
                (epochs, steps, next)
            },
        ),
        wrong("one batch too many where the size divides the samples", |steps, samples, size| {
            let epoch = samples / size + 1;
            let done = steps % epoch;
            (steps / epoch, done, size.min(samples.saturating_sub(done * size)))
        }),
        wrong("batches that go on across the end of an epoch", |steps, samples, batch_size| {
            let seen = steps * batch_size;
            let done = seen % samples;
            (seen / samples, done / batch_size, batch_size.min(samples - done))
        }),
        right("step by step", |steps, samples, batch_size| {
            let (mut epochs, mut done, mut left) = (0, 0, samples);
            for _ in 0..steps {
                (done, left) = (done + 1, left.saturating_sub(batch_size));
                if left == 0 {
                    (epochs, done, left) = (epochs + 1, 0, samples);
                }
            }
            (epochs, done, left.min(batch_size))
        }),
    ]
}

fn step() -> Vec<Variant> {
    let with = |resumed_step| Functions { resumed_step, ..REFERENCE };
    let wrong = |name, function| Variant::wrong("resumed_step", name, with(function));
    let right = |name, function| Variant::right("resumed_step", name, with(function));
    vec![
        wrong("a step from rest: the velocity is lost", |_, now, g, rate, _| now - &(g * rate))
            .see("parameters_alone_lose_the_velocity")
            .published("lazar"),
        wrong("the velocity with the wrong sign", |before, now, g, rate, momentum| {
            now + &((before - now) * momentum) - g * rate
        }),
        wrong("the velocity without its factor momentum", |before, now, g, rate, _| {
            now + &(now - before) - g * rate
        })
        .see("resumed_path_by_hand"),
        wrong("the velocity times the learning rate", |before, now, g, rate, momentum| {
            now + &(((now - before) * momentum - g) * rate)
        })
        .see("resumed_path_by_hand"),
        wrong("the gradient without the learning rate", |before, now, g, _, momentum| {
            now + &((now - before) * momentum) - g
        })
        .see("resumed_path_by_hand"),
        wrong(
            "a step uphill: the gradient with the wrong sign",
            |before, now, g, rate, momentum| now + &((now - before) * momentum) + g * rate,
        )
        .see("resumed_path_by_hand"),
        wrong("a moving average, not momentum", |before, now, g, rate, momentum| {
            now + &((now - before) * momentum) - g * rate * (1.0 - momentum)
        })
        .see("resumed_path_by_hand"),
        wrong("momentum times the gradient too", |before, now, g, rate, momentum| {
            now + &((now - before - g * rate) * momentum)
        })
        .see("resumed_path_by_hand"),
        wrong("a Nesterov step, not one of momentum", |before, now, g, rate, momentum| {
            now + &(((now - before) * momentum - g * rate) * momentum) - g * rate
        })
        .see("resumed_path_by_hand"),
        wrong("learning rate and momentum exchanged", |before, now, g, rate, momentum| {
            now + &((now - before) * rate) - g * momentum
        }),
        wrong("a step that begins at the parameters before", |before, now, g, rate, momentum| {
            before + &((now - before) * momentum) - g * rate
        })
        .see("resumed_path_by_hand"),
        wrong("the velocity, not added to the parameters", |before, now, g, rate, momentum| {
            (now - before) * momentum - g * rate
        })
        .see("resumed_path_by_hand"),
        right("number by number", by_number),
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

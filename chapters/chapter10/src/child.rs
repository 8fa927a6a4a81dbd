//! This program as a process of its own: OpenBLAS chooses its kernel and its threads before
//! `main` begins, and memory is only fresh in a fresh process.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use gradus::{Float, Network, blas, train};
use lab::Result;
use ndarray::{Array1, Array2};

use crate::ceilings::best_product;
use crate::curve;
use crate::in_place::{InPlace, With};
use crate::measure::{Watch, least, median, median_of};
use crate::plain::{Floats, PLAIN, Plain};
use crate::task::{BATCH, Place, SIZES, Task};

/// The word on the command line that asks for it.
const WORD: &str = "--child";

/// The OpenBLAS kernel that any 64-bit x86 processor has, for `OPENBLAS_CORETYPE`.
pub const SLOW: &str = "PRESCOTT";

/// Does what a parent process asks for, if one does.
pub fn asked() -> Option<ExitCode> {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if args.first()? != WORD {
        return None;
    }
    let word = |i: usize| args.get(i).and_then(|arg| arg.to_str());
    let seed = word(2).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let result = match (word(1), args.get(3)) {
        (Some("kernel"), Some(file)) => slow_steps(seed, Path::new(file)),
        (Some("plain"), Some(file)) => plain(seed, Path::new(file)),
        (Some("threads"), Some(_)) => dense_steps(seed),
        (Some("memory"), Some(_)) => memory(seed),
        _ => Err("--child is what this program calls itself with".into()),
    };
    match result {
        Ok(()) => Some(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("error: {error}");
            Some(ExitCode::FAILURE)
        }
    }
}

/// What a child process printed: names with numbers behind them.
pub struct Answer(String);

impl Answer {
    /// The numbers behind a name.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or("").split(' ').filter_map(|number| number.parse().ok()).collect()
    }

    /// The one number behind a name.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers(name).first().copied()
    }

    /// The words behind a name.
    pub fn words(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }
}

/// Starts this program again with these settings of OpenBLAS, and waits for its answer; `None`
/// if it could not do what was asked.
pub fn ask(what: &str, seed: u64, file: &Path, settings: &[(&str, &str)]) -> Option<Answer> {
    let mut child = Command::new(std::env::current_exe().ok()?);
    child.args([WORD, what, &seed.to_string()]).arg(file).envs(settings.iter().copied());
    let output = child.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(Answer(text))
}

/// Writes a place into a file, as its numbers' bytes.
pub fn write_place(place: &Place<f64>, file: &Path) -> Result<()> {
    let numbers = place.params.iter().chain(&place.velocity);
    Ok(std::fs::write(file, numbers.flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())?)
}

/// Reads it back.
pub fn read_place(file: &Path) -> Result<Place<f64>> {
    let bytes = std::fs::read(file)?;
    let number = |b: &[u8]| f64::from_le_bytes(b.try_into().unwrap_or([0; 8]));
    let numbers: Vec<f64> = bytes.chunks_exact(8).map(number).collect();
    let (params, velocity) = numbers.split_at(numbers.len() / 2);
    Ok(Place {
        params: Array1::from_vec(params.into()),
        velocity: Array1::from_vec(velocity.into()),
    })
}

/// How many steps are timed together, and how often.
pub const TIMED: usize = 100;
pub const ROUNDS: usize = 5;

/// The same with the slow kernel.
pub const SLOW_ROUNDS: usize = 3;

/// The plain step with this process's kernel of OpenBLAS.
fn slow_steps(seed: u64, file: &Path) -> Result<()> {
    blas::use_one_thread();
    let openblas = blas::openblas().ok_or("there is no OpenBLAS here")?;
    println!("kernel {}", openblas.kernel);
    println!("product_f64 {}", best_product::<f64>());
    println!("product_f32 {}", best_product::<f32>());
    println!("first_layer {}", first_layer());
    if file.as_os_str() == "-" {
        return Ok(());
    }
    let task = Task::read(seed)?;
    let (place, order) = (read_place(file)?, task.orders(1).remove(0));
    let floats = Floats::of(&task.images.train);
    let mut seconds = Vec::new();
    let mut losses = Vec::new();
    for _ in 0..SLOW_ROUNDS {
        let mut network = Plain::at(&place, &task);
        let step = |rows: &[usize]| network.step(&floats, rows, PLAIN);
        let (time, found) = timed(&order, step);
        seconds.push(time);
        losses = found;
    }
    println!("seconds {}", median(&seconds));
    let losses: Vec<String> = losses.iter().map(f64::to_string).collect();
    println!("losses {}", losses.join(" "));
    Ok(())
}

/// Seconds of the product of a batch with the first weights, in f32.
pub fn first_layer() -> f64 {
    let [k, m, _] = SIZES;
    let (x, w) = (Array2::from_elem((BATCH, k), 0.5_f32), Array2::from_elem((k, m), 0.1));
    let mut y = Array2::zeros((BATCH, m));
    median_of(21, || blas::product(1.0, &x, &w, 0.0, &mut y))
}

/// Takes a step that is not timed and [`TIMED`] that are, over the first batches of an order; the
/// seconds of one of them, and the losses of all.
pub fn timed(order: &[usize], mut step: impl FnMut(&[usize]) -> f64) -> (f64, Vec<f64>) {
    let mut batches = order[..order.len().min((TIMED + 1) * BATCH)].chunks(BATCH);
    let mut losses = vec![batches.next().map_or(f64::NAN, &mut step)];
    let begin = Instant::now();
    losses.extend(batches.map(&mut step));
    (begin.elapsed().as_secs_f64() / (losses.len() - 1).max(1) as f64, losses)
}

/// The plain program, from the start.
fn plain(seed: u64, file: &Path) -> Result<()> {
    blas::use_one_thread();
    let kernel = blas::openblas().map(|openblas| openblas.kernel);
    if !kernel.is_some_and(|kernel| kernel.eq_ignore_ascii_case(SLOW)) {
        return Err(format!("{SLOW} is not among the kernels").into());
    }
    curve::alone(&Task::read(seed)?, file)
}

/// Steps whose products all go to OpenBLAS, with as many threads as it likes.
fn dense_steps(seed: u64) -> Result<()> {
    let threads = blas::openblas().map_or(1, |openblas| openblas.threads);
    println!("threads {threads}");
    println!("seconds {}", dense_seconds::<f32>(&Task::read(seed)?)?);
    Ok(())
}

/// Seconds of a step whose products all go to OpenBLAS.
pub fn dense_seconds<F: Float>(task: &Task) -> Result<f64> {
    let (place, order) = (task.start()?.cast::<F>(), task.orders(1).remove(0));
    let with = With { zeros: false, flush: true };
    // Where cores are busy, OpenBLAS's threads wait for each other: a few steps have to do.
    let order = &order[..41 * BATCH];
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let mut network = InPlace::at(&place, task)?;
        let step =
            |rows: &[usize]| network.step(&task.images.train, rows, with, &mut Watch::start());
        times.push(timed(order, step).0);
    }
    Ok(least(&times))
}

/// How much memory a training needs.
fn memory(seed: u64) -> Result<()> {
    let before = resident("VmRSS:").ok_or("only Linux tells how much memory a process has")?;
    let task = Task::read(seed)?;
    let read = resident("VmRSS:").unwrap_or(before);
    let mut network = task.network(&task.start()?.cast::<f32>())?;
    network.fit(&task.images.train, &task.fit(1, 1), None, &mut train::silent)?;
    let after = resident("VmRSS:").unwrap_or(read);
    let peak = resident("VmHWM:").unwrap_or(after);
    println!("before {before}\nread {read}\nafter {after}\npeak {peak}");
    Ok(())
}

/// A line of what Linux says of this process, in bytes.
fn resident(line: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let rest = status.lines().find_map(|text| text.strip_prefix(line))?;
    Some(1024.0 * rest.trim().trim_end_matches(" kB").trim().parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_by_name() {
        let answer = Answer("seconds 0.5\nsecond 2\nlosses 1 2.5 3\nkernel Sky Lake\n".into());
        assert_eq!(answer.number("second"), Some(2.0));
        assert_eq!(answer.numbers("losses"), [1.0, 2.5, 3.0]);
        assert_eq!(answer.words("kernel"), Some("Sky Lake"));
        assert_eq!(answer.number("none"), None);
    }

    #[test]
    fn a_place_comes_back_from_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let place =
            Place { params: ndarray::array![1.5, -0.1], velocity: ndarray::array![1e-40, 3.0] };
        write_place(&place, file.path()).unwrap();
        let back = read_place(file.path()).unwrap();
        assert_eq!((back.params, back.velocity), (place.params, place.velocity));
    }

    #[test]
    fn the_first_step_is_not_timed_and_all_losses_are_told() {
        let order: Vec<usize> = (0..BATCH * (TIMED + 5)).collect();
        let mut first = true;
        let (seconds, losses) = timed(&order, |rows| {
            if std::mem::take(&mut first) {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            rows[0] as f64
        });
        assert!(seconds < 0.05 / TIMED as f64, "{seconds}");
        assert_eq!((losses.len(), losses[TIMED]), (TIMED + 1, (TIMED * BATCH) as f64));
    }
}

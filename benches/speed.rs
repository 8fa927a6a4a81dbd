//! How long the parts of the library take.
//!
//! ```sh
//! cargo bench --bench speed             # everything: about three minutes
//! cargo bench --bench speed -- step     # what has `step` in its name
//! cargo bench --bench speed -- --list   # the names
//! ```
//!
//! Each module says what to compare with what. A second run says what has changed since the
//! first. Times of a machine that does anything else at the same time mean little.

mod data;
mod files;
mod gather;
mod layers;
mod optimizers;
mod products;
mod softmax;
mod step;

use std::process::{Command, ExitCode};
use std::time::Duration;

use criterion::Criterion;
use gradus::blas;

fn main() -> ExitCode {
    if let Some(code) = start_again() {
        return code;
    }
    blas::use_one_thread();
    match blas::openblas() {
        Some(openblas) => eprintln!("Products by OpenBLAS, kernel {}.", openblas.kernel),
        None => eprintln!("Products by matrixmultiply."),
    }
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .nresamples(10_000)
        .configure_from_args();
    step::all(&mut criterion);
    products::all(&mut criterion);
    optimizers::all(&mut criterion);
    softmax::all(&mut criterion);
    gather::all(&mut criterion);
    layers::all(&mut criterion);
    files::all(&mut criterion);
    criterion.final_summary();
    ExitCode::SUCCESS
}

/// Runs this program again with a better OpenBLAS kernel, if there is one: OpenBLAS looks for
/// the setting only once, before `main`.
fn start_again() -> Option<ExitCode> {
    let kernel = blas::better_kernel()?;
    let mut again = Command::new(std::env::current_exe().ok()?);
    again.args(std::env::args_os().skip(1)).env("OPENBLAS_CORETYPE", kernel);
    let code = again.status().ok()?.code();
    Some(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into())
}

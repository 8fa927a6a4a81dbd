//! A parameter vector in NumPy's own format, as in Lazar's tutorial: the numbers
//! alone, without the network they belong to.

use std::path::Path;

use ndarray::Array1;
use ndarray_npy::WriteNpyExt;
use ndarray_npy::npy::header::{Header, ReadHeaderError};

use crate::error::{Error, Result};
use crate::file::{read, write_atomically};
use crate::file_problem::FileProblem;
use crate::float::Float;
use crate::persist::from_le;

/// Writes a vector in NumPy's format, atomically.
///
/// # Errors
/// If the file cannot be written.
pub fn save_npy<F: Float>(path: &Path, vector: &Array1<F>) -> Result<()> {
    let wide = vector.mapv(F::as_f64);
    let mut bytes = Vec::new();
    let written = match F::NAME {
        f32::NAME => wide.mapv(f32::cast).write_npy(&mut bytes),
        _ => wide.write_npy(&mut bytes),
    };
    written.map_err(|e| npy(path, &e))?;
    write_atomically(path, &bytes)
}

/// Reads a vector of `f32` or `f64` in NumPy's format.
///
/// # Errors
/// If the file cannot be read, or holds anything else.
pub fn load_npy<F: Float>(path: &Path) -> Result<Array1<F>> {
    let bytes = read(path)?;
    let wrong = |reason: String| npy(path, &reason);
    let mut numbers = &bytes[..];
    let header = Header::from_reader(&mut numbers).map_err(|e| match e {
        ReadHeaderError::Io(_) => wrong("it ends within its header".to_owned()),
        ReadHeaderError::Parse(e) => wrong(e.to_string()),
    })?;
    let kind = header.type_descriptor.to_string();
    let size = match &kind[..] {
        "'<f4'" => 4,
        "'<f8'" => 8,
        _ => {
            return Err(wrong(format!(
                "its numbers are {kind}, not '<f4' or '<f8'"
            )));
        }
    };
    let [n] = header.shape[..] else {
        return Err(wrong(format!("its shape is {:?}", header.shape)));
    };
    // Checked before anything is allocated.
    if n.checked_mul(size) != Some(numbers.len()) {
        let found = numbers.len();
        return Err(wrong(format!(
            "its header announces {n} numbers, but {found} bytes follow"
        )));
    }
    let vector = match size {
        4 => from_le::<f32>(numbers)
            .into_iter()
            .map(f64::from)
            .map(F::cast)
            .collect(),
        _ => from_le::<f64>(numbers).into_iter().map(F::cast).collect(),
    };
    Ok(vector)
}

fn npy(path: &Path, reason: &dyn ToString) -> Error {
    // What a parser says of a bad header may go on with a drawing of it.
    let reason = reason
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect();
    Error::File { path: path.to_owned(), problem: FileProblem::Npy { reason } }
}

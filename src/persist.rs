//! What a file holds: named arrays and a description, with a checksum.
//!
//! The format is safetensors, readable from Python: eight bytes with the length
//! of the header, the header in JSON, then the numbers. The header's metadata
//! has one entry, `gradus`, which holds a SHA-256 digest and the description,
//! so that the same model always gives the same bytes. The digest covers the
//! whole file, with its own place filled with zeros.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ndarray::ArrayD;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::file::{read, write_atomically};
use crate::file_problem::FileProblem;
use crate::float::Float;
use crate::part::{Part, State};

/// The version of the format.
const VERSION: u64 = 1;

/// How every file begins, after the eight bytes with the length of the header.
const BEGINNING: &[u8] = br#"{"__metadata__":{"gradus":""#;

/// Where the digest stands: 64 hexadecimal digits.
const DIGEST: std::ops::Range<usize> =
    8 + BEGINNING.len()..8 + BEGINNING.len() + 64;

const VALID: &str = "arrays in memory make a valid file";

/// What is written into the metadata.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    version: u64,
    precision: String,
    description: Value,
}

/// A description and arrays with names: the content of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document<F: Float> {
    /// Everything that is not an array.
    pub description: Value,
    /// The arrays, by name.
    pub tensors: BTreeMap<String, ArrayD<F>>,
}

impl<F: Float> Document<F> {
    /// The file as bytes: the same for the same document.
    ///
    /// # Panics
    /// If the description has more than safetensors' limit of 100 MB.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.serialize().expect(VALID)
    }

    fn serialize(&self) -> Result<Vec<u8>, SafeTensorError> {
        let metadata = Metadata {
            version: VERSION,
            precision: F::NAME.to_owned(),
            description: self.description.clone(),
        };
        let json = serde_json::to_string(&metadata).expect(VALID);
        let metadata =
            [("gradus".to_owned(), format!("{} {json}", "0".repeat(64)))]
                .into();
        let data: Vec<_> = self
            .tensors
            .iter()
            .map(|(k, t)| (k, t.shape(), to_le(t)))
            .collect();
        let view = |(name, shape, bytes)| {
            let view =
                TensorView::new(dtype::<F>(), <[usize]>::to_vec(shape), bytes);
            (name, view.expect(VALID))
        };
        let views = data
            .iter()
            .map(|(name, shape, bytes)| view((name, *shape, &bytes[..])));
        let mut bytes = safetensors::serialize(views, Some(metadata))?;
        let digest = digest(&bytes);
        bytes[DIGEST].copy_from_slice(digest.as_bytes());
        Ok(bytes)
    }

    /// The document in a file's bytes.
    ///
    /// # Errors
    /// If the bytes are not exactly what [`to_bytes`](Self::to_bytes) wrote, or
    /// are of another version or precision.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FileProblem> {
        if bytes.get(8..DIGEST.start) != Some(BEGINNING)
            || bytes.len() < DIGEST.end
        {
            return Err(FileProblem::Foreign);
        }
        if digest(bytes).as_bytes() != &bytes[DIGEST] {
            return Err(FileProblem::Checksum);
        }
        let unreadable = |reason: &dyn ToString| FileProblem::Metadata {
            reason: reason.to_string(),
        };
        let file =
            SafeTensors::deserialize(bytes).map_err(|e| unreadable(&e))?;
        let (_, header) =
            SafeTensors::read_metadata(bytes).map_err(|e| unreadable(&e))?;
        let entry = header.metadata().as_ref().and_then(|m| m.get("gradus"));
        let json = entry
            .and_then(|text| text.get(65..))
            .ok_or(FileProblem::Foreign)?;
        let metadata: Value =
            serde_json::from_str(json).map_err(|e| unreadable(&e))?;
        // Before all else: another version may have other entries.
        if let Some(found) =
            metadata["version"].as_u64().filter(|&found| found != VERSION)
        {
            return Err(FileProblem::Version { found, expected: VERSION });
        }
        let metadata: Metadata =
            serde_json::from_value(metadata).map_err(|e| unreadable(&e))?;
        if metadata.precision != F::NAME {
            let found = metadata.precision;
            return Err(FileProblem::Precision { found, expected: F::NAME });
        }
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != dtype::<F>() {
                return Err(unreadable(&format!(
                    "tensor {name:?} is not {}",
                    F::NAME
                )));
            }
            let array =
                ArrayD::from_shape_vec(view.shape(), from_le(view.data()));
            tensors.insert(name, array.map_err(|e| unreadable(&e))?);
        }
        Ok(Self { description: metadata.description, tensors })
    }

    /// Writes the file, so that at every moment either the old or the new one
    /// is there, whole.
    ///
    /// # Errors
    /// If the file cannot be written; the old one is then still there.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.serialize().map_err(|e| {
            let source =
                io::Error::other(format!("the description does not fit: {e}"));
            Error::Io { action: "write", path: path.to_owned(), source }
        })?;
        write_atomically(path, &bytes)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or is not one of ours.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = read(path)?;
        Self::from_bytes(&bytes)
            .map_err(|problem| Error::File { path: path.to_owned(), problem })
    }
}

/// A part as a file describes it: its name and its numbers. Its vectors are
/// tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartRecord {
    /// The name, by which the part is made again.
    pub name: String,
    /// The numbers of its state.
    pub numbers: BTreeMap<String, f64>,
}

impl PartRecord {
    /// Describes a part, and adds its vectors to the tensors as `role.vector`.
    ///
    /// # Errors
    /// If a number is infinite or not a number: JSON knows no such thing.
    pub fn of<F: Float>(
        role: &str,
        part: &(impl Part<F> + ?Sized),
        tensors: &mut BTreeMap<String, ArrayD<F>>,
    ) -> Result<Self> {
        let State { numbers, vectors } = part.state();
        if let Some((name, &value)) =
            numbers.iter().find(|(_, value)| !value.is_finite())
        {
            let name = format!("{role}.{name}");
            return Err(Error::Unsavable { name, value });
        }
        for (name, vector) in vectors {
            tensors.insert(format!("{role}.{name}"), vector.into_dyn());
        }
        Ok(Self { name: part.name().to_owned(), numbers })
    }

    /// The state of the part, with its vectors taken out of the tensors.
    pub fn state<F: Float>(
        &self,
        role: &str,
        tensors: &mut BTreeMap<String, ArrayD<F>>,
    ) -> State<F> {
        let prefix = format!("{role}.");
        let mut state =
            State { numbers: self.numbers.clone(), vectors: BTreeMap::new() };
        let ours: Vec<String> = tensors
            .keys()
            .filter(|k| k.starts_with(&prefix))
            .cloned()
            .collect();
        for key in ours {
            let name = key[prefix.len()..].to_owned();
            if let Some(vector) = tensors.remove(&key) {
                state.vectors.insert(name, vector.flatten().into_owned());
            }
        }
        state
    }
}

/// What a description says, if it is one of this kind of model.
pub(crate) fn describe<D: DeserializeOwned>(
    description: Value,
    model: &str,
) -> Result<D, FileProblem> {
    let found = description["model"].as_str();
    if let Some(found) = found.filter(|&found| found != model) {
        let reason = format!("a {found:?} is not a {model:?}");
        return Err(FileProblem::Metadata { reason });
    }
    serde_json::from_value(description)
        .map_err(|e| FileProblem::Metadata { reason: e.to_string() })
}

/// Takes a tensor of this name and shape out.
pub(crate) fn take<F: Float>(
    tensors: &mut BTreeMap<String, ArrayD<F>>,
    name: String,
    expected: &[usize],
) -> Result<ArrayD<F>, FileProblem> {
    let Some(tensor) = tensors.remove(&name) else {
        return Err(FileProblem::MissingTensor { name });
    };
    if tensor.shape() != expected {
        let (expected, found) = (expected.to_vec(), tensor.shape().to_vec());
        return Err(FileProblem::TensorShape { name, expected, found });
    }
    Ok(tensor)
}

/// The digest of a file, with zeros in its own place.
fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(&bytes[..DIGEST.start])
        .chain_update([b'0'; 64])
        .chain_update(&bytes[DIGEST.end..])
        .finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn dtype<F: Float>() -> Dtype {
    if F::NAME == f32::NAME { Dtype::F32 } else { Dtype::F64 }
}

fn to_le<F: Float>(tensor: &ArrayD<F>) -> Vec<u8> {
    let numbers = tensor.iter().map(|x| x.as_f64());
    match dtype::<F>() {
        Dtype::F32 => numbers.flat_map(|x| (x as f32).to_le_bytes()).collect(),
        _ => numbers.flat_map(f64::to_le_bytes).collect(),
    }
}

/// Numbers from their bytes, the lowest first.
pub(crate) fn from_le<F: Float>(bytes: &[u8]) -> Vec<F> {
    match dtype::<F>() {
        Dtype::F32 => {
            let (numbers, _) = bytes.as_chunks();
            numbers
                .iter()
                .map(|&b| F::cast(f64::from(f32::from_le_bytes(b))))
                .collect()
        }
        _ => {
            let (numbers, _) = bytes.as_chunks();
            numbers.iter().map(|&b| F::cast(f64::from_le_bytes(b))).collect()
        }
    }
}

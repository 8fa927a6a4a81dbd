//! What can be wrong with the content of a file.

/// What is wrong with the content of a file. Each reads as the end of a
/// sentence that begins with the file's name.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// Not written by this library.
    #[error(
        "is not a model saved by gradus (a safetensors file with its metadata first)"
    )]
    Foreign,

    /// The checksum does not fit the content.
    #[error(
        "is damaged: its checksum does not fit its content; restore it from a copy"
    )]
    Checksum,

    /// Written by another version of the format.
    #[error(
        "has format version {found}, but this library reads version {expected}"
    )]
    Version {
        /// The version in the file.
        found: u64,
        /// The version this library reads.
        expected: u64,
    },

    /// Written in the other precision.
    #[error(
        "holds {found} numbers, not {expected}: load it as a network of {found}"
    )]
    Precision {
        /// The precision in the file.
        found: String,
        /// The precision asked for.
        expected: &'static str,
    },

    /// Not what the list of digests beside it says.
    #[error(
        "is damaged: its digest is not the one in {list}; restore it from a copy"
    )]
    Digest {
        /// The name of the list.
        list: &'static str,
    },

    /// The content is whole, but no network can be made of it.
    #[error("cannot be used: {reason}")]
    Unusable {
        /// What is out of range.
        reason: String,
    },

    /// The metadata cannot be read.
    #[error("has metadata that cannot be read: {reason}")]
    Metadata {
        /// What the parser said.
        reason: String,
    },

    /// A tensor is missing.
    #[error("lacks the tensor {name:?}")]
    MissingTensor {
        /// Its name.
        name: String,
    },

    /// A tensor has the wrong shape.
    #[error("has a tensor {name:?} of shape {found:?}, not {expected:?}")]
    TensorShape {
        /// Its name.
        name: String,
        /// The shape it must have.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },

    /// Not a vector in NumPy's format.
    #[error("is not a NumPy file with one vector of floats: {reason}")]
    Npy {
        /// What the parser said.
        reason: String,
    },

    /// Not the number of values that the network has parameters.
    #[error("holds {found} values, but the network has {expected} parameters")]
    ParameterCount {
        /// How many parameters the network has.
        expected: usize,
        /// How many values the file has.
        found: usize,
    },

    /// Not an IDX file of the right kind.
    #[error(
        "is not an IDX file of {expected}: its first bytes are {found:02x?}"
    )]
    Magic {
        /// "images" or "labels".
        expected: &'static str,
        /// Up to four bytes.
        found: Vec<u8>,
    },

    /// An IDX file whose header announces another size.
    #[error("must hold {expected:?} entries, but its header says {found:?}")]
    IdxShape {
        /// The sizes of MNIST.
        expected: Vec<u32>,
        /// The sizes in the header.
        found: Vec<u32>,
    },

    /// An IDX file that is shorter or longer than it must be.
    #[error("must have {expected} bytes, but has {found}")]
    Length {
        /// The length that it must have.
        expected: usize,
        /// The length of the content.
        found: usize,
    },

    /// Labels above nine.
    #[error("has label {label} at position {position}; labels are 0 to 9")]
    IdxLabel {
        /// The label.
        label: u8,
        /// Its position, counted from 0.
        position: usize,
    },
}

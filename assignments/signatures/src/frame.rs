//! Messages in a stream of bytes: four bytes of length, the lowest first, then CBOR.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};

/// No message of the course comes near this many bytes: a batch of images has a hundredth of it.
const MOST: u32 = 1 << 26;

/// Values are nested three deep; a student's process may send what it likes.
const DEEPEST: usize = 32;

/// Writes a message.
///
/// # Errors
/// If it is too long, or cannot be written.
pub fn write_frame(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = Vec::new();
    ciborium::into_writer(message, &mut bytes).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).ok().filter(|&length| length <= MOST);
    let length = length.ok_or_else(|| io::Error::other("a message that is too long"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&bytes)?;
    to.flush()
}

/// Reads a message; nothing where the stream ends before it.
///
/// # Errors
/// If it is too long, cannot be read, or is not such a message.
pub fn read_frame<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = u32::from_le_bytes(length);
    if length > MOST {
        return Err(io::Error::other("a message that is too long"));
    }
    let mut bytes = Vec::new();
    from.take(length.into()).read_to_end(&mut bytes)?;
    let message = ciborium::de::from_reader_with_recursion_limit(bytes.as_slice(), DEEPEST);
    message.map(Some).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Reply;
    use crate::value::Value;

    fn written(message: &impl Serialize) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, message).unwrap();
        bytes
    }

    #[test]
    fn messages_follow_each_other() {
        let numbers = vec![f64::NEG_INFINITY, -0.0, 0.1, f64::MIN_POSITIVE];
        let array = Value::Array { shape: vec![2, 2], by_columns: false, numbers };
        let messages = [Reply::Returned(array), Reply::NotWritten, Reply::Panicked("no".into())];
        let bytes: Vec<u8> = messages.iter().flat_map(written).collect();
        let mut stream = bytes.as_slice();
        for message in messages {
            assert_eq!(read_frame(&mut stream).unwrap(), Some(message));
        }
        assert_eq!(read_frame::<Reply>(&mut stream).unwrap(), None);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(read_frame::<Reply>(&mut [255; 9].as_slice()).is_err());
        assert!(read_frame::<Reply>(&mut [2, 0, 0, 0, 7, 7].as_slice()).is_err());
        let whole = written(&Reply::Panicked("a few words".into()));
        assert!(read_frame::<Reply>(&mut &whole[..whole.len() - 1]).is_err());
    }

    #[test]
    fn a_value_that_is_nested_too_deeply_is_an_error() {
        let bytes = |value: &Value| written(value).split_off(4);
        let inner = bytes(&Value::Nothing);
        let outer = bytes(&Value::Something(Box::new(Value::Nothing)));
        let one = &outer[..outer.len() - inner.len()];
        let nested = |depth: usize| {
            let bytes = [one.repeat(depth), inner.clone()].concat();
            let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            read_frame::<Value>(&mut [&length[..], &bytes[..]].concat().as_slice())
        };
        assert!(nested(3).unwrap().is_some());
        assert!(nested(1_000_000).is_err());
    }
}

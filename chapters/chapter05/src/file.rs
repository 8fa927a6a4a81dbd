//! What is in the file of a model, and what happens when it is not whole.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gradus::{Mnist, Network, NeuralNetwork};
use lab::{Lab, Result, Table};
use ndarray::Axis;
use serde_json::Value;

use crate::Broken;
use crate::args::{Args, shown};
use lab::text::thousands;

/// The header of a safetensors file: where it ends, and what it says.
struct Header {
    end: usize,
    digest: String,
    metadata: Value,
    tensors: Vec<Tensor>,
}

struct Tensor {
    name: String,
    shape: String,
    begin: usize,
    end: usize,
}

/// Reads the header without the library's help, as any other program would.
fn header(file: &[u8]) -> Result<Header> {
    let (length, rest) = file.split_first_chunk().ok_or("the file is too short")?;
    let length = u64::from_le_bytes(*length) as usize;
    let json: Value = serde_json::from_slice(rest.get(..length).ok_or("the file is too short")?)?;
    let text = json["__metadata__"]["gradus"].as_str().ok_or("there is no metadata")?;
    let (digest, metadata) = text.split_once(' ').ok_or("there is no digest")?;
    let mut tensors = Vec::new();
    for (name, entry) in json.as_object().ok_or("there is no header")? {
        if name != "__metadata__" {
            let [begin, end] = serde_json::from_value(entry["data_offsets"].clone())?;
            let shape: Vec<usize> = serde_json::from_value(entry["shape"].clone())?;
            let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
            tensors.push(Tensor { name: name.clone(), shape, begin, end });
        }
    }
    tensors.sort_by_key(|tensor| tensor.begin);
    let metadata = serde_json::from_str(metadata)?;
    Ok(Header { end: 8 + length, digest: digest.to_owned(), metadata, tensors })
}

/// Takes the file apart.
pub fn what_is_in_it(lab: &mut Lab, file: &[u8], network: &NeuralNetwork<f32>) -> Result<()> {
    lab.section("file", "What is in the file")?;
    lab.section_machine();
    let header = header(file)?;
    let first = file[..8].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    lab.say(format!(
        "The file as it was at the break. Its first eight bytes are {first}, which means,\n\
         lowest byte first, that {} bytes of header follow. The header is JSON. A part of it,\n\
         called gradus, begins with a checksum, and describes the network:\n",
        thousands(header.end - 8),
    ));
    lab.say(format!("    checksum     {}…{}", &header.digest[..8], &header.digest[56..]));
    let description = &header.metadata["description"];
    for key in ["version", "precision"] {
        lab.say(format!("    {key:12} {}", header.metadata[key]));
    }
    for key in ["model", "sizes", "hidden", "output", "loss", "optimizer", "composed"] {
        lab.say(format!("    {key:12} {}", description[key]));
    }
    lab.say("    training");
    for (key, value) in description["training"].as_object().ok_or("there was no training")? {
        match value {
            Value::Object(entries) => {
                for (name, value) in entries {
                    let key = format!("{key}.{name}");
                    let first = value[0].as_f64().map_or(String::new(), |x| format!("{x:.4}, …"));
                    let value = match value {
                        Value::Array(numbers) => format!("[{first}]: {} numbers", numbers.len()),
                        value => value.to_string(),
                    };
                    lab.say(format!("      {key:28} {value}"));
                }
            }
            Value::Number(x) if x.is_f64() => {
                lab.say(format!("      {key:28} {:.4}…", x.as_f64().unwrap_or_default()));
            }
            value => lab.say(format!("      {key:28} {value}")),
        }
    }
    lab.say(
        "\nThe rest of the header says where each tensor lies, counted from the header's end:\n",
    );
    let mut table = Table::new(&["tensor", "shape", "first byte", "one past its last", "bytes"]);
    for Tensor { name, shape, begin, end } in &header.tensors {
        let numbers = [*begin, *end, end - begin].map(thousands);
        table.push([&[name.clone(), shape.clone()], &numbers[..]].concat());
    }
    lab.table(&table);
    let numbers: usize = header.tensors.iter().map(|tensor| tensor.end - tensor.begin).sum();
    let p = network.params().len();
    lab.say(format!(
        "\n8 + {} + {} = {} bytes, and nothing besides: 4 for each of {} parameters\n\
         and as many for its velocity. The checksum is the SHA-256 of all of them, with zeros in\n\
         its own place.",
        thousands(header.end - 8),
        thousands(numbers),
        thousands(8 + header.end - 8 + numbers),
        thousands(p),
    ));
    if header.end + numbers != file.len() || numbers != 8 * p {
        return Err("the file has another size than its header says".into());
    }
    lab.exact("tensors", header.tensors.len());
    lab.exact("tensor_bytes", numbers);
    lab.near("header_bytes", (header.end - 8) as f64, 0.05);
    lab.near("file_bytes", file.len() as f64, 0.01);
    Ok(())
}

/// Damages copies of the file, and tries to load them.
pub fn what_is_refused(args: &Args, lab: &mut Lab, broken: &Broken) -> Result<()> {
    lab.section("damage", "What is refused")?;
    lab.section_machine();
    let Broken { file, .. } = broken;
    let header = header(file)?;
    let weights = header.tensors.iter().find(|tensor| tensor.name == "weights.1");
    let at = header.end + weights.ok_or("there are no weights")?.begin;
    let mut flipped = file.clone();
    // The highest bit of the exponent of a weight.
    flipped[at + 3] ^= 1 << 6;
    let weight =
        |file: &[u8]| f32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);
    lab.say(format!(
        "One bit of one weight is flipped in a copy of the file: it was {:.4}, and would be {:.1e}.\n\
         Then half of the file, nothing, a file of another program, and the wrong precision:\n",
        weight(file),
        weight(&flipped),
    ));
    let npy = fs::read(args.model().with_extension("npy"))?;
    let cases: [(&str, &[u8]); 4] = [
        ("flipped.safetensors", &flipped),
        ("half.safetensors", &file[..file.len() / 2]),
        ("empty.safetensors", &[]),
        ("numpy.safetensors", &npy),
    ];
    let folder = tempfile::tempdir()?;
    for (name, bytes) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes)?;
        match NeuralNetwork::<f32>::load(&path) {
            Ok(_) => return Err(format!("{name} was loaded, and should not have been").into()),
            Err(error) => lab.say(format!("    {}", without_folder(&error, folder.path()))),
        }
    }
    let whole = folder.path().join("whole.safetensors");
    fs::write(&whole, file)?;
    match NeuralNetwork::<f64>::load(&whole) {
        Ok(_) => return Err("a file of f32 was loaded as f64".into()),
        Err(error) => lab.say(format!("    {}", without_folder(&error, folder.path()))),
    }
    lab.exact("refused", cases.len() + 1);
    Ok(())
}

/// A message that does not depend on where the file lay.
fn without_folder(error: &gradus::Error, folder: &Path) -> String {
    error.to_string().replace(&format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR), "")
}

/// How often two networks are saved over each other.
const SAVES: usize = 40;

/// Saves two networks over each other while somebody reads: in place, and as the library does.
pub fn old_or_new(
    args: &Args,
    lab: &mut Lab,
    old: &NeuralNetwork<f32>,
    new: &NeuralNetwork<f32>,
) -> Result<()> {
    lab.section("atomic", "The old one or the new one")?;
    lab.section_machine();
    let path = args.folder().join("watched.safetensors");
    let models = [old, new];
    let files = [old.to_document()?.to_bytes(), new.to_document()?.to_bytes()];
    let mut table = Table::new(&["", "found whole", "found in part"]);
    let in_place = watched(&path, &files, |i| Ok(fs::write(&path, &files[i])?))?;
    let renamed = watched(&path, &files, |i| Ok(models[i].save(&path)?))?;
    fs::remove_file(&path)?;
    for (what, found) in [("written in place", &in_place), ("written beside, renamed", &renamed)] {
        table = table.row([what.to_owned(), thousands(found.whole), thousands(found.parts)]);
    }
    lab.say(format!(
        "The half-trained network and the trained one were saved over each other {SAVES} times, while\n\
         another thread read the file over and over. What it found:\n",
    ));
    lab.table(&table);
    if renamed.parts > 0 {
        return Err("a file must never be seen in part".into());
    }
    lab.say(
        "\nA process that is killed between writing and renaming leaves the old file whole, and\n\
         perhaps a stray one beside it.",
    );
    lab.exact("saves_watched", SAVES);
    lab.exact("parts_read", renamed.parts);
    lab.machine("parts_read_in_place", in_place.parts as f64, "reads");
    lab.machine("whole_files_read", renamed.whole as f64, "reads");
    Ok(())
}

/// How often a reader found a whole file, and how often a part of one.
#[derive(Default)]
struct Found {
    whole: usize,
    parts: usize,
}

/// Reads a file over and over while it is saved.
fn watched(
    path: &Path,
    files: &[Vec<u8>; 2],
    save: impl Fn(usize) -> Result<()> + Sync,
) -> Result<Found> {
    fs::write(path, &files[0])?;
    let mut found = Found::default();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let writer = scope.spawn(|| {
            let saved = (1..=SAVES).try_for_each(|i| save(i % 2)).map_err(|e| e.to_string());
            done.store(true, Ordering::SeqCst);
            saved
        });
        while !done.load(Ordering::SeqCst) {
            let bytes = fs::read(path)?;
            let whole = files.contains(&bytes);
            found.whole += usize::from(whole);
            found.parts += usize::from(!whole);
        }
        Ok(writer.join().map_err(|_| "the writer panicked")??)
    })?;
    Ok(found)
}

/// How to read the file without this library.
pub fn from_python(
    args: &Args,
    lab: &mut Lab,
    images: &Mnist,
    network: &NeuralNetwork<f32>,
) -> Result<()> {
    lab.section("python", "From Python")?;
    lab.section_machine();
    let digits = [0, 8, 247];
    lab.say(format!(
        "The file needs no Rust. NumPy and a page of Python read it:\n\n    \
         python3 chapters/chapter05/read_model.py {} {} {}\n\nWhat this library says of the same \
         digits:\n",
        shown(&args.model()),
        shown(&args.data()),
        digits.map(|digit| digit.to_string()).join(" "),
    ));
    let x = images.test.inputs().select(Axis(0), &digits);
    let (y_hat, said) = (network.predict(&x)?, network.predict_labels(&x)?);
    for (i, (&digit, &k)) in digits.iter().zip(&said).enumerate() {
        let (p, label) = (y_hat[[i, k]], images.test.labels()[digit]);
        let line = format!("digit {digit}: predicted {k} with probability {p:.4}, label {label}");
        lab.say(format!("    {line}"));
    }
    Ok(())
}

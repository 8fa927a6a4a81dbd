//! Files as a whole: any damage is noticed, nothing else in a folder is touched, the same model
//! gives the same bytes, and a save that is killed leaves the old file or the new one.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gradus::persist::Document;
use gradus::{
    BinaryCrossEntropy, Elementwise, Error, Fit, Float, GradientDescent, Identity, Init,
    MeanSquaredError, Momentum, Network, NeuralNetwork, Optimizer, Part, Registry, Relu, Result,
    Sigmoid, State, Tanh, toy, train,
};
use ndarray::{Array1, ArrayD, ArrayRef1, IxDyn};
use serde_json::json;
use tempfile::tempdir;

/// A small network after a short training with momentum.
fn small<F: Float>() -> NeuralNetwork<F> {
    let (optimizer, init) = (Momentum::new(0.5, 0.9).unwrap(), Init::GlorotNormal);
    let (output, loss) = (Elementwise(Sigmoid), BinaryCrossEntropy);
    let mut network =
        NeuralNetwork::new(&[2, 2, 1], Tanh, output, loss, optimizer, init, 7).unwrap();
    let fit = Fit { batch_size: 3, epochs: 2, ..Fit::default() };
    network.fit(&toy::xor(), &fit, None, &mut train::silent).unwrap();
    network
}

/// Every file that `edit` makes is refused, or is the same model.
fn nothing_goes_unnoticed(edit: impl Fn(&[u8]) -> Vec<Vec<u8>>) {
    let document = small::<f32>().to_document().unwrap();
    let whole = document.to_bytes();
    assert!((400..2400).contains(&whole.len()), "{} bytes", whole.len());
    let registry = Registry::default();
    // What `NeuralNetwork::load` does with the bytes that it has read.
    let load = |bytes: &[u8]| {
        let network = NeuralNetwork::from_document(Document::from_bytes(bytes).ok()?, &registry);
        Some(network.ok()?.to_document().unwrap())
    };
    assert_eq!(load(&whole).as_ref(), Some(&document));
    let edited = edit(&whole);
    assert!(edited.len() >= whole.len());
    for (i, bytes) in edited.iter().enumerate() {
        assert_ne!(bytes, &whole, "edit {i} changes nothing");
        if let Some(other) = load(bytes) {
            assert_eq!(other, document, "edit {i} loads as another model");
        }
    }
    // The same from a file, for some of them.
    let folder = tempdir().unwrap();
    let path = folder.path().join("model");
    for bytes in edited.iter().step_by(edited.len() / 50) {
        fs::write(&path, bytes).unwrap();
        let network = NeuralNetwork::<f32>::load(&path);
        assert_eq!(network.is_ok(), load(bytes).is_some());
    }
}

#[test]
fn every_flipped_bit_of_a_model_is_noticed() {
    nothing_goes_unnoticed(|whole| {
        let flip = |bit: usize| {
            let mut bytes = whole.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        (0..8 * whole.len()).map(flip).collect()
    });
}

#[test]
fn every_cut_of_a_model_is_noticed() {
    nothing_goes_unnoticed(|whole| (0..whole.len()).map(|end| whole[..end].to_vec()).collect());
    nothing_goes_unnoticed(|whole| (1..=whole.len()).map(|at| whole[at..].to_vec()).collect());
}

#[test]
fn every_byte_lost_or_added_in_a_model_is_noticed() {
    nothing_goes_unnoticed(|whole| {
        let lost = |at: usize| [&whole[..at], &whole[at + 1..]].concat();
        (0..whole.len()).map(lost).collect()
    });
    nothing_goes_unnoticed(|whole| {
        let added =
            |at: usize| [b' ', b'0', 0xff].map(|b| [&whole[..at], &[b], &whole[at..]].concat());
        (0..=whole.len()).flat_map(added).collect()
    });
}

#[test]
fn one_model_has_one_file() {
    fn check<F: Float>(network: &NeuralNetwork<F>) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("model");
        network.save(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        // Fifty times: an unordered map would show itself.
        let mut again = NeuralNetwork::<F>::load(&path).unwrap();
        for _ in 0..50 {
            again.save(&path).unwrap();
            assert!(fs::read(&path).unwrap() == bytes, "saving again gives other bytes");
            again = NeuralNetwork::load(&path).unwrap();
        }
        assert_eq!(Document::<F>::load(&path).unwrap(), network.to_document().unwrap());
    }
    check(&small::<f32>());
    check(&small::<f64>());
    assert_eq!(small::<f32>().to_document().unwrap(), small::<f32>().to_document().unwrap());
}

/// The names of everything in a folder.
fn names(folder: &Path) -> BTreeSet<OsString> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

#[test]
fn saving_leaves_the_rest_of_the_folder_alone() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let others = [".gradus-.part", ".gradus-other.part", "model.part", "model~", "notes.txt"];
    for name in others {
        fs::write(at(name), name).unwrap();
    }
    fs::create_dir(at("models")).unwrap();
    let network = small::<f32>();
    for _ in 0..3 {
        network.save(at("model")).unwrap();
        network.save_params(at("params.npy")).unwrap();
    }
    assert!(network.save(at("models")).is_err() && network.save_params(at("models")).is_err());
    let expected = others.into_iter().chain(["models", "model", "params.npy"]);
    assert_eq!(names(folder.path()), expected.map(OsString::from).collect());
    for name in others {
        assert_eq!(fs::read_to_string(at(name)).unwrap(), name);
    }
    assert!(names(&at("models")).is_empty());
}

/// An optimizer with a number and a vector of any content.
#[derive(Debug, Clone)]
struct Memory<F: Float> {
    number: f64,
    vector: Array1<F>,
}

impl<F: Float> Part<F> for Memory<F> {
    fn name(&self) -> &str {
        "memory"
    }

    fn state(&self) -> State<F> {
        State::default()
            .with_number("number", self.number)
            .with_vector("vector", self.vector.clone())
    }

    fn restore(&mut self, mut state: State<F>) -> Result<()> {
        self.number = state.take_number("number")?;
        self.vector = state.take_vector("vector")?;
        state.finish()
    }
}

impl<F: Float> Optimizer<F> for Memory<F> {
    fn step(&mut self, _: &mut ArrayRef1<F>, _: &ArrayRef1<F>) {}
}

fn with_memory<F: Float>(params: &[F], number: f64) -> NeuralNetwork<F> {
    let memory = Memory { number, vector: Array1::from(params.to_vec()) };
    let (output, loss) = (Elementwise(Identity), MeanSquaredError);
    let sizes = [1, params.len() / 2];
    let mut network = NeuralNetwork::new(&sizes, Relu, output, loss, memory, Init::He, 1).unwrap();
    network.set_params(&Array1::from(params.to_vec())).unwrap();
    network
}

#[test]
fn what_cannot_be_loaded_is_not_written() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("model");
    small::<f32>().save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = with_memory(&[1.0_f32, 2.0], bad).save(&path).unwrap_err();
        let Error::Unsavable { name, value } = &error else { panic!("{error}") };
        assert_eq!(name, "optimizer.number");
        assert_eq!(value.to_bits(), bad.to_bits());
        assert!(fs::read(&path).unwrap() == before, "the old file is lost");
        assert_eq!(names(folder.path()), BTreeSet::from(["model".into()]));
    }
    // A vector is not text: it holds everything.
    let infinite = Memory { number: 0.5, vector: Array1::from(vec![f32::INFINITY, -0.0]) };
    let (output, loss) = (Elementwise(Identity), MeanSquaredError);
    let network =
        NeuralNetwork::new(&[1, 1], Relu, output, loss, infinite.clone(), Init::He, 1).unwrap();
    network.save(&path).unwrap();
    let loaded = NeuralNetwork::load_with(&path, &registry()).unwrap();
    assert_eq!(loaded.optimizer().state(), Part::state(&infinite));
}

fn registry<F: Float>() -> Registry<F> {
    let mut registry = Registry::default();
    let empty = || Memory { number: 0.0, vector: Array1::zeros(0) };
    registry.add_optimizer(move || Box::new(empty())).unwrap();
    registry
}

#[test]
fn floats_survive_files_bit_for_bit() {
    fn check<F: Float>(params: &[F]) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("model");
        let numbers = [0.1, -0.0, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1.0 / 3.0, 1e16, -1e-7];
        for number in numbers {
            let network = with_memory(params, number);
            network.save(&path).unwrap();
            let loaded = NeuralNetwork::<F>::load_with(&path, &registry()).unwrap();
            let state = loaded.optimizer().state();
            assert_eq!(state.numbers["number"].to_bits(), number.to_bits(), "{number:e}");
            // As `f64`s, in which each `F` has bits of its own.
            let bits = |x: &F| x.as_f64().to_bits();
            for (i, expected) in params.iter().enumerate() {
                assert_eq!(bits(&loaded.params()[i]), bits(expected), "parameter {expected:e}");
                let velocity = &state.vectors["vector"][i];
                assert_eq!(bits(velocity), bits(expected), "vector entry {expected:e}");
            }
        }
    }
    let smallest = f32::from_bits(1);
    let largest_subnormal = f32::MIN_POSITIVE.next_down();
    let params = [0.0, -0.0, smallest, -smallest, largest_subnormal, f32::MIN_POSITIVE, f32::MAX];
    check(&[&params[..], &[f32::MIN, f32::EPSILON, 0.1, 1.0_f32.next_up(), -1.0 / 3.0]].concat());
    let smallest = f64::from_bits(1);
    let largest_subnormal = f64::MIN_POSITIVE.next_down();
    let params = [0.0, -0.0, smallest, -smallest, largest_subnormal, f64::MIN_POSITIVE, f64::MAX];
    check(&[&params[..], &[f64::MIN, f64::EPSILON, 0.1, 1.0_f64.next_up(), -1.0 / 3.0]].concat());
}

#[test]
fn documents_of_any_shape_survive_files() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("document");
    let shapes: [&[usize]; 7] = [&[], &[0], &[3], &[0, 5], &[2, 3], &[4, 1, 2], &[2, 2, 2, 2]];
    let tensor = |shape: &[usize]| {
        let mut next = 0.0;
        ArrayD::<f32>::from_shape_simple_fn(IxDyn(shape), || {
            next += 0.5;
            next
        })
    };
    let mut document = Document {
        description: json!({"ü": [1, -2.5, null, "\u{0}\"\\\u{10ffff}"], "": {"z": true, "a": {}}}),
        tensors: shapes.iter().map(|shape| (format!("{shape:?}"), tensor(shape))).collect(),
    };
    let odd_order = tensor(&[3, 4]).reversed_axes();
    document.tensors.insert("a \"name\"\n".to_owned(), odd_order);
    document.save(&path).unwrap();
    assert_eq!(Document::load(&path).unwrap(), document);
    let empty = Document::<f64> { description: json!(null), tensors: [].into() };
    empty.save(&path).unwrap();
    assert_eq!(Document::load(&path).unwrap(), empty);
}

/// This test binary again, with one test and a path handed on in a variable.
fn again(test: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(PATH, path).stdout(Stdio::null());
    command
}

/// The variable that says where the binary, when it runs again, is to save.
const PATH: &str = "GRADUS_TEST_PATH";

fn path_from_outside() -> Option<PathBuf> {
    std::env::var_os(PATH).map(PathBuf::from)
}

#[cfg(unix)]
#[test]
fn saved_files_have_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let save = |folder: &Path| {
        small::<f32>().save(folder.join("model")).unwrap();
        small::<f32>().save_params(folder.join("params.npy")).unwrap();
        fs::write(folder.join("other"), "").unwrap();
    };
    if let Some(folder) = path_from_outside() {
        return save(&folder);
    }
    let here = tempdir().unwrap();
    save(here.path());
    assert_eq!(mode(&here.path().join("model")), mode(&here.path().join("other")));
    // The umask belongs to a process: others have others.
    let mut modes = BTreeSet::new();
    for umask in ["077", "022", "002", "000"] {
        let folder = tempdir().unwrap();
        let test = again("saved_files_have_the_permissions_of_any_new_file", folder.path());
        let status = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
            .arg(test.get_program())
            .args(test.get_args())
            .env(PATH, folder.path())
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "umask {umask}");
        let expected = mode(&folder.path().join("other"));
        for name in ["model", "params.npy"] {
            assert_eq!(mode(&folder.path().join(name)), expected, "{name} with umask {umask}");
        }
        modes.insert(expected);
    }
    assert_eq!(modes.len(), 4, "each umask shows itself");
}

/// Ends a process when it is no longer needed, also when the test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_killed_save_leaves_a_whole_file() {
    // Two models of half a megabyte: writing takes long enough to be interrupted.
    let model = |seed| {
        let (optimizer, init) = (GradientDescent::new(0.1).unwrap(), Init::He);
        let (output, loss) = (Elementwise(Identity), MeanSquaredError);
        NeuralNetwork::<f64>::new(&[250, 250, 10], Relu, output, loss, optimizer, init, seed)
            .unwrap()
    };
    let (old, new) = (model(1), model(2));
    if let Some(path) = path_from_outside() {
        // As long as the test may take at most, should nobody end this.
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            new.save(&path).unwrap();
            old.save(&path).unwrap();
        }
        return;
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("model");
    let [old, new] = [old, new].map(|network| network.to_document().unwrap().to_bytes());
    assert!(old != new && old.len() > 500_000);
    for round in 0..24 {
        fs::write(&path, &old).unwrap();
        let child = again("a_killed_save_leaves_a_whole_file", &path).spawn().unwrap();
        let killed = Killed(child);
        // Until it has begun to save, and then a little longer in each round.
        let start = Instant::now();
        while fs::read(&path).unwrap() == old {
            assert!(start.elapsed() < Duration::from_secs(30), "nothing was saved");
        }
        std::thread::sleep(Duration::from_micros(700 * round));
        drop(killed);
        let left = fs::read(&path).unwrap();
        assert!(left == old || left == new, "round {round}: {} bytes of {}", left.len(), old.len());
        assert!(NeuralNetwork::<f64>::load(&path).is_ok(), "round {round}");
    }
    // What was cut off lies beside it, under its own name.
    for name in names(folder.path()) {
        let name = name.to_string_lossy();
        assert!(
            name == "model" || name.starts_with(".gradus-") && name.ends_with(".part"),
            "{name}"
        );
    }
}

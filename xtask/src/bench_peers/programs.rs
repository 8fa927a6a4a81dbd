//! The programs, what they need, and how to start them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::chapters::better_kernel;
use crate::plan::Need;
use crate::set_up::set_up as set_up_machine;
use crate::workspace::{cargo, cargo_in, root, status};
use crate::{Error, done};

/// What all programs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Ten epochs of one training.
    P,
    /// The way to 98 %.
    Race,
}

impl Task {
    /// The seed of a round: the race has seeds that nothing was chosen with.
    pub fn seed(self, round: u64) -> u64 {
        match self {
            Self::P => round,
            Self::Race => 1000 + round,
        }
    }
}

/// One program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// What the command line calls it.
    pub key: &'static str,
    /// What the table calls it.
    pub name: &'static str,
    kind: Kind,
    /// The Python program for the race, if there is one.
    race: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ours,
    Python(&'static str),
    Rust(&'static str),
}

/// This library.
pub const OURS: Program = Program { key: "ours", name: "Gradus", kind: Kind::Ours, race: None };

const PEERS: [Program; 8] = [
    python("jax", "JAX, an epoch in one `lax.scan`", "jax_scan.py", Some("jax_race.py")),
    python("compile", "PyTorch, `torch.compile`", "torch_compile.py", Some("torch_race.py")),
    python("torch", "PyTorch, eager", "torch_eager.py", None),
    python("numpy", "NumPy, written well", "numpy_f32.py", None),
    python("sklearn", "scikit-learn", "sklearn_mlp.py", None),
    rust("candle", "candle", "candle-peer"),
    rust("burn", "burn, flex", "burn-peer"),
    python("tutorial", "Yuan's tutorial, rewritten: f64, judges itself", "tutorial.py", None),
];

const fn python(
    key: &'static str,
    name: &'static str,
    file: &'static str,
    race: Option<&'static str>,
) -> Program {
    Program { key, name, kind: Kind::Python(file), race }
}

const fn rust(key: &'static str, name: &'static str, binary: &'static str) -> Program {
    Program { key, name, kind: Kind::Rust(binary), race: None }
}

/// All programs for a task, ours first.
pub fn all(task: Task) -> Vec<Program> {
    let peers = PEERS.into_iter().filter(|peer| task == Task::P || peer.race.is_some());
    [OURS].into_iter().chain(peers).collect()
}

/// The programs that were asked for, or all.
pub fn find(task: Task, asked: &[String]) -> Result<Vec<Program>, Error> {
    let mut programs = all(task);
    if let Some(asked) = asked.iter().find(|&key| programs.iter().all(|one| one.key != key)) {
        let programs = programs.iter().map(|program| program.key).collect();
        return Err(Error::NoSuchProgram { asked: asked.clone(), programs });
    }
    if !asked.is_empty() {
        programs.retain(|program| asked.iter().any(|key| key == program.key));
    }
    Ok(programs)
}

/// Programs that can be started, or why they cannot.
pub struct Ready {
    ours: PathBuf,
    kernel: Option<String>,
    /// Python itself, and the folder of the programs in Rust, if they were asked for.
    python: Option<Result<PathBuf, String>>,
    rust: Option<Result<PathBuf, String>>,
}

/// Installs and compiles what these programs need, after saying what that is. Only where ours
/// cannot be had is there nothing to compare.
pub fn set_up(programs: &[Program]) -> Result<Ready, Error> {
    set_up_machine(&[Need::Compiler, Need::OpenBlas])?;
    let any = |wanted: fn(Kind) -> bool| programs.iter().any(|program| wanted(program.kind));
    let python = any(|kind| matches!(kind, Kind::Python(_))).then(set_up_python);
    let rust = any(|kind| matches!(kind, Kind::Rust(_))).then(set_up_rust);
    for reason in [&python, &rust].into_iter().flatten().filter_map(|found| found.as_ref().err()) {
        eprintln!("some programs will be missing: {reason}");
    }
    // Into a folder of its own: nobody's next build may change what is being measured.
    let folder = target("gradus");
    let mut build = cargo("build");
    build.args(["--release", "--example", "task_p", "--target-dir"]).arg(&folder);
    done(status(&mut build)?)?;
    let ours = folder.join("release/examples/task_p");
    Ok(Ready { ours, kernel: better_kernel()?, python, rust })
}

/// A folder for what is measured.
fn target(name: &str) -> PathBuf {
    root().join("target/bench-peers").join(name)
}

fn peers(name: &str) -> PathBuf {
    root().join("benches/peers").join(name)
}

/// Makes a Python environment, unless there is one with all that `requirements.txt` names.
fn set_up_python() -> Result<PathBuf, String> {
    let (folder, asked) = (target("python"), peers("python").join("requirements.txt"));
    let (python, installed) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let read = |path: &Path| fs::read(path).ok();
    if read(&installed).is_some_and(|text| Some(text) == read(&asked)) {
        return Ok(python);
    }
    eprintln!(
        "Downloading PyTorch, JAX, NumPy and scikit-learn from PyPI into {}: on Linux 3.2 GB, \
         and 6 GB once it is there, because PyTorch comes with CUDA. No CUDA is used.",
        folder.display()
    );
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r"]);
    succeed(pip.arg(&asked))?;
    fs::copy(&asked, &installed).map_err(|error| error.to_string())?;
    Ok(python)
}

/// Builds the workspace with candle and burn.
fn set_up_rust() -> Result<PathBuf, String> {
    let (folder, target) = (peers("rust"), target("rust"));
    if !target.exists() {
        eprintln!(
            "Downloading and compiling candle and burn into {}: a quarter of an hour, 1 GB.",
            target.display()
        );
    }
    let mut cargo = cargo_in(&folder, "build");
    // Where the settings of cargo are that candle's own repository has.
    succeed(cargo.current_dir(&folder).args(["--release", "--locked", "--quiet"]))?;
    Ok(target.join("release"))
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{program}` failed: {status}")),
        Err(error) => Err(format!("cannot start `{program}`: {error}")),
    }
}

fn found(place: &Option<Result<PathBuf, String>>) -> Result<&PathBuf, String> {
    place.as_ref().expect("it was asked for").as_ref().map_err(String::clone)
}

impl Ready {
    /// The command that starts a program, held to so many threads.
    pub fn command(
        &self,
        program: &Program,
        task: Task,
        threads: usize,
    ) -> Result<Command, String> {
        let mut command = match program.kind {
            Kind::Ours => {
                let mut command = Command::new(&self.ours);
                if let (Some(kernel), None) = (&self.kernel, env::var_os("OPENBLAS_CORETYPE")) {
                    command.env("OPENBLAS_CORETYPE", kernel);
                }
                if task == Task::Race {
                    command.arg("--race");
                }
                command
            }
            Kind::Python(file) => {
                let file = if task == Task::Race { program.race.unwrap_or(file) } else { file };
                let mut command = Command::new(found(&self.python)?);
                command.arg(peers("python").join(file)).env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            Kind::Rust(binary) => Command::new(found(&self.rust)?.join(binary)),
        };
        // Ours keeps OpenBLAS on one thread all the same, and splits batches between threads.
        for library in ["OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "RAYON_NUM"] {
            command.env(format!("{library}_THREADS"), threads.to_string());
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::{OURS, Task, all, find};
    use std::collections::BTreeSet;

    #[test]
    fn programs_are_found_by_key() {
        let keys = |asked: &[&str]| {
            let asked: Vec<_> = asked.iter().map(|&key| key.to_owned()).collect();
            find(Task::P, &asked).map(|found| found.iter().map(|one| one.key).collect::<Vec<_>>())
        };
        assert_eq!(keys(&["jax", "ours"]).expect("both exist"), ["ours", "jax"]);
        assert_eq!(keys(&[]).expect("all exist").len(), 9);
        let error = keys(&["jax", "keras"]).expect_err("there is no such program").to_string();
        assert!(error.contains("keras") && error.contains("numpy"), "{error}");
    }

    #[test]
    fn every_program_has_a_key_of_its_own() {
        for task in [Task::P, Task::Race] {
            let programs = all(task);
            let keys: BTreeSet<_> = programs.iter().map(|program| program.key).collect();
            assert_eq!((keys.len(), programs[0]), (programs.len(), OURS));
        }
    }
}

//! What was measured, run by run.

use serde_json::{Value, json};
use std::fmt;

use super::machine::Machine;
use super::programs::{OURS, Task};

/// One training by one program.
#[derive(Clone, Debug)]
pub struct Run {
    /// The program, as the command line calls it.
    pub key: &'static str,
    /// Which peer's turn it was: ours runs before each.
    pub beside: &'static str,
    /// From which round.
    pub round: u64,
    /// Threads that the program might use.
    pub threads: usize,
    /// What the program calls itself.
    pub version: String,
    /// How long the training took.
    pub seconds: f64,
    /// The share of the test images that is then read rightly.
    pub accuracy: f64,
    /// The line that the program printed.
    pub line: Value,
}

/// A run that came to nothing.
#[derive(Clone, Debug)]
pub struct Failure {
    pub key: &'static str,
    pub round: u64,
    pub threads: usize,
    pub reason: String,
}

/// All runs so far.
#[derive(Clone, Debug)]
pub struct Runs {
    pub task: Task,
    pub rounds: u64,
    pub machine: Machine,
    pub done: Vec<Run>,
    pub failed: Vec<Failure>,
}

impl Run {
    /// Reads the line that a program printed.
    pub fn read(
        line: &str,
        key: &'static str,
        beside: &'static str,
        round: u64,
        threads: usize,
    ) -> Result<Self, String> {
        let wrong = |what: &str| format!("{what} in what it printed: {line}");
        let line: Value = serde_json::from_str(line).map_err(|_| wrong("there is no JSON"))?;
        let number = |name: &str| line[name].as_f64().filter(|x| x.is_finite());
        let seconds = number("seconds").filter(|&seconds| seconds > 0.0);
        let seconds = seconds.ok_or_else(|| wrong("there are no seconds"))?;
        let accuracy = number("accuracy").ok_or_else(|| wrong("there is no accuracy"))?;
        let version = line["version"].as_str().unwrap_or_default().to_owned();
        Ok(Self { key, beside, round, threads, version, seconds, accuracy, line })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, threads, seconds, accuracy, .. } = self;
        write!(f, "{key}, threads: {threads}: {seconds:.3} s, {:.2} %", 100.0 * accuracy)
    }
}

impl Runs {
    /// No runs yet.
    pub fn new(task: Task, rounds: u64, machine: Machine) -> Self {
        Self { task, rounds, machine, done: Vec::new(), failed: Vec::new() }
    }

    /// The runs of a program with so many threads.
    pub fn of<'a>(&'a self, key: &'a str, threads: usize) -> impl Iterator<Item = &'a Run> {
        self.done.iter().filter(move |run| run.key == key && run.threads == threads)
    }

    /// Our time over that of a peer, of each pair that ran side by side.
    pub fn ratios(&self, key: &str, threads: usize) -> Vec<f64> {
        let pairs = self.of(key, threads).filter_map(|theirs| {
            let mut ours = self.of(OURS.key, threads);
            let ours = ours.find(|ours| ours.beside == key && ours.round == theirs.round)?;
            Some(ours.seconds / theirs.seconds)
        });
        pairs.collect()
    }

    /// All of it, for figures.
    pub fn to_json(&self) -> String {
        let runs = self.done.iter().map(|run| {
            let mut line = run.line.clone();
            line["key"] = json!(run.key);
            line["beside"] = json!(run.beside);
            line["round"] = json!(run.round);
            line
        });
        // A line for each run: what changed can be read from a diff.
        let lines: Vec<_> = runs.map(|run| format!("    {run}")).collect();
        let failed = self.failed.iter().map(|failure| {
            let Failure { key, round, threads, reason } = failure;
            json!({ "key": key, "round": round, "threads": threads, "reason": reason })
        });
        let Machine { processor, cores, system, vectors } = &self.machine;
        let machine = json!({
            "processor": processor, "cores": cores, "system": system, "vectors": vectors,
        });
        format!(
            "{{\n  \"machine\": {machine},\n  \"failed\": {},\n  \"runs\": [\n{}\n  ]\n}}\n",
            Value::from_iter(failed),
            lines.join(",\n")
        )
    }
}

#[cfg(test)]
pub mod tests {
    use super::{Failure, Machine, OURS, Run, Runs, Task};
    use serde_json::Value;

    /// Runs of ours and of NumPy: ours takes 1 s, 2 s, 3 s, and NumPy 4 s every time, but in
    /// the third round it fails.
    pub fn example() -> Runs {
        let machine = Machine {
            processor: "Test".into(),
            cores: 2,
            system: "linux x86_64".into(),
            vectors: "AVX2",
        };
        let mut runs = Runs::new(Task::P, 3, machine);
        for round in 0..3 {
            for (key, seconds) in [(OURS.key, 1.0 + round as f64), ("numpy", 4.0)] {
                let line = format!(
                    "{{\"version\": \"{key} 1.0\", \"seconds\": {seconds}, \"accuracy\": 0.975}}"
                );
                match Run::read(&line, key, "numpy", round, 1) {
                    Ok(run) if (key, round) != ("numpy", 2) => runs.done.push(run),
                    _ => {
                        let reason = "exit status: 1".into();
                        runs.failed.push(Failure { key, round, threads: 1, reason });
                    }
                }
            }
        }
        runs
    }

    #[test]
    fn ratios_are_of_runs_side_by_side() {
        let mut runs = example();
        assert_eq!(runs.ratios("numpy", 1), [0.25, 0.5]);
        assert!(runs.ratios("numpy", 2).is_empty());
        for run in &mut runs.done {
            if run.key == OURS.key {
                run.beside = "jax";
            }
        }
        assert!(runs.ratios("numpy", 1).is_empty());
    }

    #[test]
    fn what_a_program_prints_is_checked() {
        let read = |line: &str| Run::read(line, "numpy", "numpy", 0, 1).map(|run| run.seconds);
        assert_eq!(read("{\"seconds\": 2.5, \"accuracy\": 0.9}"), Ok(2.5));
        for wrong in ["", "2.5", "{\"accuracy\": 1}", "{\"seconds\": 0, \"accuracy\": 1}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_runs_are_json() {
        let value: Value = serde_json::from_str(&example().to_json()).expect("JSON");
        assert_eq!(value["runs"].as_array().map(Vec::len), Some(5));
        assert_eq!(value["runs"][1]["beside"], "numpy");
        assert_eq!(value["failed"][0]["reason"], "exit status: 1");
        assert_eq!(value["machine"]["cores"], 2);
    }
}

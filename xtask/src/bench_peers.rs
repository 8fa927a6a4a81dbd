//! The library and its peers, side by side: `cargo xtask bench-peers`.

mod machine;
mod programs;
mod report;
mod runs;
mod statistics;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::Error;
use crate::workspace::root;
use machine::Machine;
use programs::{OURS, Program, Task};
use runs::{Failure, Run, Runs};

/// Options of `bench-peers`.
#[derive(clap::Args)]
pub struct Options {
    /// How often each program runs, each time from another seed: 3, or 10 in the race
    #[arg(long)]
    rounds: Option<u64>,
    /// With how many threads each program runs
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Only these programs: `jax,numpy`, or `ours` alone
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Epochs, to see quickly whether everything runs
    #[arg(long)]
    epochs: Option<usize>,
    /// The way to 98 % instead of ten epochs of the same training for all
    #[arg(long)]
    race: bool,
}

/// Sets everything up, runs all programs in turn, and writes down what they needed.
pub fn bench_peers(options: &Options) -> Result<ExitStatus, Error> {
    let task = if options.race { Task::Race } else { Task::P };
    let programs = programs::find(task, &options.only)?;
    let ready = programs::set_up(&programs)?;
    let peers: Vec<_> = programs.iter().filter(|program| program.key != OURS.key).collect();
    let rounds = options.rounds.unwrap_or(if options.race { 10 } else { 3 });
    let mut runs = Runs::new(task, rounds, Machine::look());
    for round in 0..rounds {
        for &threads in &options.threads {
            // Ours runs beside each peer, so that both meet the machine in the same mood.
            for peer in &peers {
                let turn = Turn { task, round, threads, beside: peer.key, options };
                turn.take(&ready, &OURS, &mut runs);
                turn.take(&ready, peer, &mut runs);
            }
            if peers.is_empty() {
                let turn = Turn { task, round, threads, beside: OURS.key, options };
                turn.take(&ready, &OURS, &mut runs);
            }
        }
        // After every round: whoever breaks off keeps what is complete.
        write_down(&runs, &folder(options), task)?;
    }
    println!("\n{}", report::markdown(&runs));
    eprintln!("This is in {} now.", folder(options).display());
    Ok(ExitStatus::default())
}

/// Where the results go: into the repository, if they are of all programs, as they should run.
fn folder(options: &Options) -> PathBuf {
    let whole = options.only.is_empty() && options.epochs.is_none() && options.threads == [1, 2];
    root().join(if whole { "benches" } else { "target/bench-peers" })
}

fn write_down(runs: &Runs, folder: &Path, task: Task) -> Result<(), Error> {
    let (table, data) = match task {
        Task::P => ("RESULTS.md", "results.json"),
        Task::Race => ("RACE.md", "race.json"),
    };
    for (name, text) in [(table, report::markdown(runs)), (data, runs.to_json())] {
        let (path, new) = (folder.join(name), folder.join(format!("{name}.new")));
        let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
        written.map_err(|source| Error::CannotWrite { path, source })?;
    }
    Ok(())
}

/// One run that is due.
struct Turn<'a> {
    task: Task,
    round: u64,
    threads: usize,
    beside: &'static str,
    options: &'a Options,
}

impl Turn<'_> {
    /// Runs a program, and notes what came of it. A program that fails stops no other.
    fn take(&self, ready: &programs::Ready, program: &Program, runs: &mut Runs) {
        let (round, threads) = (self.round, self.threads);
        let result = ready.command(program, self.task, threads).and_then(|mut command| {
            command.args(["--threads", &threads.to_string()]);
            command.args(["--seed", &self.task.seed(round).to_string()]);
            if let Some(epochs) = self.options.epochs {
                command.args(["--epochs", &epochs.to_string()]);
            }
            let line = line_of(&mut command)?;
            Run::read(&line, program.key, self.beside, round, threads)
        });
        match result {
            Ok(run) => {
                eprintln!("round {}, {run}", round + 1);
                runs.done.push(run);
            }
            Err(reason) => {
                let (name, key) = (program.name, program.key);
                eprintln!("round {}, {name}, threads: {threads}: failed, {reason}", round + 1);
                runs.failed.push(Failure { key, round, threads, reason });
            }
        }
    }
}

/// What a program prints: its last line.
fn line_of(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let last = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    };
    if output.status.success() {
        Ok(last(&output.stdout))
    } else {
        Err(format!("{}: {}", output.status, last(&output.stderr)))
    }
}

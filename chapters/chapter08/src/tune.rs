//! The search of rates for the handwritten digits, and the file that keeps what it found.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use lab::{Lab, Result};

use crate::mnist::{Digits, all};

/// The first of the seeds of the search: none that the chapter itself uses.
const FIRST_SEED: u64 = 101;

/// The command that searches.
const COMMAND: &str = "cargo run --bin chapter08 -- --tune";

/// What the search found.
pub struct Tuned {
    /// The command that made it.
    pub command: String,
    rows: Vec<(String, f64, Option<f64>)>,
}

/// The rates that are tried: powers of about 3.
const RATES: [f64; 11] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0];

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tuned.csv")
}

/// Tries all rates for all optimizers, and stores the losses.
pub fn search(digits: &Digits, lab: &mut Lab) -> Result<()> {
    lab.say("The search of rates: three trainings for each of eleven rates.");
    let mut text = format!("# {COMMAND}\noptimizer,rate,training loss\n");
    for (name, maker) in all() {
        for rate in RATES {
            let means = digits.means(&|| Ok(maker(rate)?), FIRST_SEED)?;
            let loss = means.map_or(String::new(), |means| means.loss.to_string());
            let _ = writeln!(text, "{name},{rate},{loss}");
        }
        lab.say(format!("{name} is done."));
    }
    Ok(fs::write(file(), text).map_err(|e| format!("cannot write {}: {e}", file().display()))?)
}

impl Tuned {
    /// Reads what the search found.
    pub fn read() -> Result<Self> {
        let path = file();
        let wrong = |what: String| format!("{}: {what}; {COMMAND} makes it anew", path.display());
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let mut lines = text.lines();
        let command = lines.next().and_then(|line| line.strip_prefix("# "));
        let command = command.ok_or_else(|| wrong("does not say which command made it".into()))?;
        let row = |line: &str| {
            let (name, rest) = line.split_once(',')?;
            let (rate, loss) = rest.split_once(',')?;
            let loss = if loss.is_empty() { None } else { Some(loss.parse().ok()?) };
            Some((name.to_owned(), rate.parse().ok()?, loss))
        };
        let rows = lines.skip(1).map(|line| row(line).ok_or_else(|| wrong(format!("{line:?}"))));
        let rows = rows.collect::<std::result::Result<_, _>>()?;
        Ok(Self { command: command.into(), rows })
    }

    /// The losses of an optimizer, wherever they are finite.
    pub fn curve(&self, name: &str) -> Vec<(f64, f64)> {
        let rows = self.rows.iter().filter(|row| row.0 == name);
        rows.filter_map(|row| Some((row.1, row.2?))).collect()
    }

    /// The rate with the smallest loss, and that loss.
    ///
    /// # Errors
    /// If there is none, or if it is the smallest or the largest of all: beyond it may be a
    /// better one.
    pub fn best(&self, name: &str) -> Result<(f64, f64)> {
        let best = self.curve(name).into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let (rate, loss) = best.ok_or_else(|| format!("no rate is known for {name}"))?;
        if [RATES[0], RATES[RATES.len() - 1]].contains(&rate) {
            return Err(format!("the best rate for {name}, {rate}, lies at the edge").into());
        }
        Ok((rate, loss))
    }
}

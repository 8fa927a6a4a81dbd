//! `results.json`: what a chapter found, and how far another run may stray from it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::{Difference, Likeness, near};

/// The content of `results.json`.
pub struct Results(Value);

impl Results {
    /// Reads the file; what is wrong with it is said in a sentence.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self(value))
    }

    #[cfg(test)]
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// The names of the `figures`, `outputs` or `values`.
    pub fn names(&self, what: &str) -> BTreeSet<&str> {
        let entries = self.0[what].as_object().into_iter().flatten();
        entries.map(|(name, _)| name.as_str()).collect()
    }

    /// How far another run may stray from one of the `figures` or `outputs`.
    pub fn likeness(&self, what: &str, name: &str) -> Likeness {
        let entry = &self.0[what][name];
        match entry["tolerance"].as_f64() {
            _ if entry["kind"] == "machine" => Likeness::Machine,
            tolerance => Likeness::Near(tolerance.unwrap_or(0.0)),
        }
    }

    /// The machine, in a few words.
    pub fn machine(&self) -> Option<&str> {
        self.0["machine"].as_str()
    }

    /// Compares everything that stands in two files.
    pub fn compare(&self, found: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut differ = |place: String, committed: &Value, found: &Value| {
            let text = |value: &Value| match value {
                Value::Null => "nothing".to_owned(),
                value => value.to_string(),
            };
            let place = format!("results.json, {place}");
            differences.push(Difference::new(place, text(committed), text(found)));
        };
        if self.0["command"] != found.0["command"] {
            differ("command".into(), &self.0["command"], &found.0["command"]);
        }
        if self.machine().is_some() != found.machine().is_some() {
            differ("machine".into(), &self.0["machine"], &found.0["machine"]);
        }
        for what in ["figures", "outputs", "values"] {
            for &name in self.names(what).union(&found.names(what)) {
                let (old, new) = (&self.0[what][name], &found.0[what][name]);
                if old.is_null() || new.is_null() {
                    differ(format!("{what}.{name}"), old, new);
                    continue;
                }
                for key in ["kind", "tolerance", "unit", "caption", "alt"] {
                    if old[key] != new[key] {
                        differ(format!("{what}.{name}.{key}"), &old[key], &new[key]);
                    }
                }
                if what == "values" && !value_is_like(old, new) {
                    differ(format!("{what}.{name} ({})", rule(old)), &old["value"], &new["value"]);
                }
            }
        }
        differences
    }
}

/// Whether the second of two results may stand for the first.
fn value_is_like(old: &Value, new: &Value) -> bool {
    let (old_value, new_value) = (&old["value"], &new["value"]);
    let numbers = (old_value.as_f64(), new_value.as_f64(), old["tolerance"].as_f64());
    match (old["kind"].as_str(), numbers) {
        (Some("exact"), (Some(_), ..)) => old_value == new_value,
        (Some("near"), (Some(v), Some(x), Some(tolerance))) => near(v, x, tolerance),
        (Some("machine"), (Some(v), Some(x), _)) => v.is_finite() && x.is_finite(),
        _ => false,
    }
}

/// What a result has to meet, in a few words.
fn rule(entry: &Value) -> String {
    match entry["kind"].as_str() {
        Some("near") => format!("near, tolerance {}", entry["tolerance"]),
        Some(kind) => kind.to_owned(),
        None => "no kind".to_owned(),
    }
}

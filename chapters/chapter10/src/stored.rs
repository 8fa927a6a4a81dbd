//! Long runs, stored in files of this crate.

use std::fs;
use std::path::PathBuf;

use lab::Result;

use crate::task::stored;

/// A stored run: two lines of comment, the command and the machine, and rows of fields.
pub struct Stored {
    path: PathBuf,
    command: &'static str,
    text: String,
}

impl Stored {
    /// Reads it.
    pub fn read(name: &str, command: &'static str) -> Result<Self> {
        let path = stored(name);
        let mut file = Self { path, command, text: String::new() };
        let text = fs::read_to_string(&file.path);
        file.text = text.map_err(|error| file.wrong(&error.to_string()))?;
        Ok(file)
    }

    /// What is wrong with it, and what to do.
    pub fn wrong(&self, what: &str) -> String {
        format!("{}: {what}; {} makes it anew", self.path.display(), self.command)
    }

    /// The machine on which it was made.
    pub fn machine(&self) -> &str {
        let mut comments = self.text.lines().filter_map(|line| line.strip_prefix("# "));
        comments.nth(1).unwrap_or("an unknown machine")
    }

    /// What follows in the rows that begin with these fields.
    pub fn rows(&self, begin: &[&str]) -> impl Iterator<Item = &str> {
        let begin = format!("{},", begin.join(","));
        self.text.lines().filter_map(move |line| line.strip_prefix(&begin[..]))
    }

    /// A row as so many numbers.
    pub fn numbers<const N: usize>(&self, row: &str) -> Result<[f64; N]> {
        let numbers: Option<Vec<f64>> = row.split(',').map(|field| field.parse().ok()).collect();
        let numbers = numbers.and_then(|numbers| <[f64; N]>::try_from(numbers).ok());
        Ok(numbers.ok_or_else(|| self.wrong(&format!("{row:?} is not {N} numbers")))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_how_they_begin() {
        let text = "# make\n# 2 cores\na,b,1,2.5\na,c,3,4\nab,b,9,9\na,b,5,x\n".to_owned();
        let file = Stored { path: "f.csv".into(), command: "make", text };
        assert_eq!(file.machine(), "2 cores");
        let rows: Vec<&str> = file.rows(&["a", "b"]).collect();
        assert_eq!(rows, ["1,2.5", "5,x"]);
        assert_eq!(file.numbers::<2>(rows[0]).unwrap(), [1.0, 2.5]);
        let error = file.numbers::<2>(rows[1]).unwrap_err().to_string();
        assert_eq!(error, "f.csv: \"5,x\" is not 2 numbers; make makes it anew");
        assert!(file.numbers::<3>(rows[0]).is_err());
    }
}

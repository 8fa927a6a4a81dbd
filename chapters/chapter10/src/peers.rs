//! This library beside others, as `cargo xtask bench-peers` stored it.

use std::fs;

use lab::{Lab, Result, Rows, Table};

use crate::task::workspace;

/// A program, its seconds as they are written there, with their range, and what else is told.
#[derive(Debug, Clone, PartialEq)]
struct Peer {
    name: String,
    cells: Vec<String>,
}

/// The two comments around what has a name.
fn marks(name: &str) -> [String; 2] {
    ["ANCHOR", "ANCHOR_END"].map(|word| format!("<!-- {word}: {name} -->"))
}

/// The text between them.
fn between<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let [begin, end] = marks(name);
    let rest = &text[text.find(&begin)? + begin.len()..];
    Some(rest[..rest.find(&end)?].trim())
}

/// The rows of a table, without its header.
fn rows(table: &str) -> Vec<Peer> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim().trim_start_matches('|').trim_end_matches('|');
        line.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let peer = |line: &str| {
        let mut cells = cells(line);
        Peer { name: cells.remove(0), cells }
    };
    table.lines().skip(2).map(peer).collect()
}

impl Peer {
    /// The median of the seconds, if it ran.
    fn seconds(&self) -> Option<f64> {
        self.cells.first()?.split(' ').next()?.parse().ok()
    }
}

/// Others.
pub fn tell(lab: &mut Lab) -> Result<()> {
    let path = workspace().join("benches/RESULTS.md");
    let Ok(text) = fs::read_to_string(&path) else {
        lab.say("\nbenches/RESULTS.md is not there: `cargo xtask bench-peers` makes it.");
        return Ok(());
    };
    lab.section("peers", "This library and others")?;
    let machine = between(&text, "machine").unwrap_or_default();
    lab.say(format!("Stored by cargo xtask bench-peers, on {machine}"));
    let tables = ["threads1", "threads2"].map(|name| rows(between(&text, name).unwrap_or("")));
    for (table, threads) in tables.iter().zip(["one thread", "two threads"]) {
        let mut shown = Table::new(&[threads, "seconds", "ours / theirs", "test accuracy"]);
        for Peer { name, cells } in table {
            let cell = |i: usize| match cells.get(i).map(String::as_str) {
                None | Some("") => "–".to_owned(),
                Some(cell) => cell.to_owned(),
            };
            let seconds = cell(0);
            let median = seconds.split(" (").next().unwrap_or_default().to_owned();
            shown.push(vec![name.clone(), median, cell(1), cell(2)]);
        }
        lab.say("");
        lab.table(&shown);
    }
    let of = |name: &str, table: &[Peer]| -> Option<f64> {
        table.iter().find(|peer| peer.name == name)?.seconds()
    };
    let both = tables[0]
        .iter()
        .filter_map(|peer| Some((peer.name.clone(), peer.seconds()?, of(&peer.name, &tables[1])?)));
    let both: Vec<(String, f64, f64)> = both.collect();
    if both.is_empty() {
        let path = path.display();
        return Err(format!("{path} has no program that ran: cargo xtask bench-peers").into());
    }
    let names: Vec<&String> = both.iter().map(|(name, ..)| name).collect();
    lab.figure(
        "peers",
        "Ten epochs of the same network on MNIST, by this library and others: medians of runs in \
         turn, with one thread and with two.",
        "Named rows with two points each, sorted by the time with one thread.",
        &Rows::new("seconds for ten epochs", &names)
            .points("one thread", both.iter().map(|(_, one, _)| *one))
            .points("two threads", both.iter().map(|(_, _, two)| *two)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_by_its_anchor() {
        let [begin, end] = marks("threads1");
        let text = format!(
            "# T\n{begin}\n| 1 thread | seconds | ours / theirs | a |\n|---|---|---|---|\n\
             | Gradus | 1.20 (1.18 to 1.31) |  | 97.0 % |\n| X | failed: no | | |\n{end}\n"
        );
        let rows = rows(between(&text, "threads1").unwrap());
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].name.as_str(), rows[0].seconds()), ("Gradus", Some(1.2)));
        assert_eq!((rows[1].name.as_str(), rows[1].seconds()), ("X", None));
        assert_eq!(between(&text, "threads2"), None);
    }
}

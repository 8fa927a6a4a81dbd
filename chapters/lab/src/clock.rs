//! How long the parts of a chapter take.

use std::time::Instant;

use crate::{Lab, Result, Table, machine};

/// How long each part of a chapter took.
pub struct Clock {
    last: Instant,
    laps: Vec<(&'static str, &'static str, f64)>,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { last: Instant::now(), laps: Vec::new() }
    }

    /// Notes how long it was since the last time, under a name and in words.
    pub fn lap(&mut self, name: &'static str, what: &'static str) {
        self.laps.push((name, what, self.last.elapsed().as_secs_f64()));
        self.last = Instant::now();
    }

    /// Says how long, and on which machine.
    ///
    /// # Errors
    /// If the lab has a section of this name already.
    pub fn tell(self, lab: &mut Lab) -> Result<()> {
        lab.section("times", "How long it took")?;
        lab.section_machine();
        let mut table = Table::new(&["", "seconds"]);
        for (name, what, seconds) in &self.laps {
            table = table.row([what, &format!("{seconds:.2}")[..]]);
            lab.machine(&format!("seconds_{name}"), *seconds, "s");
        }
        let all: f64 = self.laps.iter().map(|(_, _, seconds)| seconds).sum();
        lab.machine("seconds_in_all", all, "s");
        lab.table(&table.row(["in all", &format!("{all:.2}")]));
        lab.say(format!("\nMeasured on {}.", machine()));
        Ok(())
    }
}

//! How times are taken.

use std::time::Instant;

/// The middle one of some numbers, or the mean of the two in the middle.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    (sorted[n / 2] + sorted[(n - 1) / 2]) / 2.0
}

/// The seconds that something takes.
pub fn seconds(run: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    run();
    begin.elapsed().as_secs_f64()
}

/// The seconds that each of some calls takes, one call or many at a time so that a clock can see
/// them.
fn all_of(times: usize, mut run: impl FnMut()) -> Vec<f64> {
    run();
    let once = seconds(&mut run).max(1e-9);
    let calls = (2e-4 / once).ceil().max(1.0) as usize;
    let one = |_| seconds(|| (0..calls).for_each(|_| run())) / calls as f64;
    (0..times).map(one).collect()
}

/// The median of the seconds that each of some calls takes.
pub fn median_of(times: usize, run: impl FnMut()) -> f64 {
    median(&all_of(times, run))
}

/// The least of them: for what a machine can do at most.
pub fn best_of(times: usize, run: impl FnMut()) -> f64 {
    least(&all_of(times, run))
}

/// The smallest of some numbers.
pub fn least(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::INFINITY, f64::min)
}

// ANCHOR: Watch
/// How long the parts of something take, over many times.
#[derive(Debug, Clone)]
pub struct Watch {
    last: Instant,
    parts: Vec<(&'static str, f64)>,
}

impl Watch {
    /// Starts now.
    pub fn start() -> Self {
        Self { last: Instant::now(), parts: Vec::new() }
    }

    /// Counts what has passed since the last call to this part.
    pub fn lap(&mut self, part: &'static str) {
        let now = Instant::now();
        let passed = (now - self.last).as_secs_f64();
        self.last = now;
        match self.parts.iter_mut().find(|(name, _)| *name == part) {
            Some((_, sum)) => *sum += passed,
            None => self.parts.push((part, passed)),
        }
    }

    /// Lets the time since the last call belong to nothing.
    pub fn skip(&mut self) {
        self.last = Instant::now();
    }
}
// ANCHOR_END: Watch

impl Watch {
    /// The seconds of one part: none if it was never met.
    pub fn of(&self, part: &str) -> f64 {
        self.parts.iter().find(|(name, _)| *name == part).map_or(0.0, |(_, seconds)| *seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), 3.0);
    }

    #[test]
    fn time_goes_to_the_part_that_took_it() {
        let mut watch = Watch::start();
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(3));
            watch.lap("slow");
            watch.lap("fast");
        }
        std::thread::sleep(Duration::from_millis(3));
        watch.skip();
        watch.lap("fast");
        assert!(watch.of("slow") >= 0.006 && watch.of("fast") < 0.003, "{watch:?}");
        assert_eq!(watch.parts.len(), 2);
        assert_eq!(watch.of("never"), 0.0);
    }
}

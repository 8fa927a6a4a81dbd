//! Numbers that were found several times.

/// The mean of several numbers, and how far it may be from what many more would give.
#[derive(Debug, Clone, Copy)]
pub struct Mean {
    pub mean: f64,
    /// The standard error: the deviation between the numbers, divided by the root of how many
    /// there are.
    pub error: f64,
}

impl Mean {
    /// Of these numbers, of which there are at least two.
    pub fn of(numbers: &[f64]) -> Self {
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        let squares: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
        Self { mean, error: (squares / (n - 1.0) / n).sqrt() }
    }

    /// Of one part of each of these.
    pub fn over<T>(runs: &[T], part: impl Fn(&T) -> f64) -> Self {
        Self::of(&runs.iter().map(part).collect::<Vec<_>>())
    }

    /// As a loss: "0.278 ± 0.012".
    pub fn loss(self) -> String {
        format!("{:.3} ± {:.3}", self.mean, self.error)
    }

    /// As a share: "89.6 ± 0.4 %".
    pub fn share(self) -> String {
        format!("{:.1} ± {:.1} %", 100.0 * self.mean, 100.0 * self.error)
    }
}

/// A share as text: "89.6 %".
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The numbers of the epochs, counted from 1.
pub fn epochs(n: usize) -> impl Iterator<Item = f64> + Clone {
    (1..=n).map(|epoch| epoch as f64)
}

//! How far a training has come, for the person who waits.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gradus::{Event, Training};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A training that takes less than this is over before one could read about it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar on a terminal, or a line every two seconds: what a training is told to report to.
///
/// ```no_run
/// use gradus::Network;
///
/// # fn f(lab: &mut lab::Lab, network: &mut gradus::NeuralNetwork<f64>,
/// #      samples: &gradus::Samples<f64>) -> lab::Result<()> {
/// let mut progress = lab.progress("XOR");
/// let fit = gradus::Fit::default();
/// network.fit(samples, &fit, None, &mut |event| progress.observe(event))?;
/// progress.finish();
/// # Ok(()) }
/// ```
///
/// It goes to standard error and into no file, and nothing is shown in the first second.
pub struct Progress {
    label: String,
    started: Instant,
    before: Option<f64>,
    shown: Option<Duration>,
    last: String,
    screen: Screen,
}

enum Screen {
    Bar(Option<ProgressBar>),
    Lines(Box<dyn Write>),
}

impl Progress {
    pub(crate) fn new(label: &str) -> Self {
        let stderr = std::io::stderr();
        let screen =
            if stderr.is_terminal() { Screen::Bar(None) } else { Screen::Lines(Box::new(stderr)) };
        Self::on(label, screen)
    }

    fn on(label: &str, screen: Screen) -> Self {
        let (started, last) = (Instant::now(), String::new());
        Self { label: label.into(), started, before: None, shown: None, last, screen }
    }

    /// Takes note of a batch or an epoch. Never breaks a training off.
    pub fn observe(&mut self, event: Event) -> ControlFlow<()> {
        self.observe_at(event, self.started.elapsed());
        ControlFlow::Continue(())
    }

    fn observe_at(&mut self, event: Event, elapsed: Duration) {
        let (Event::Batch { training, .. } | Event::Epoch { training }) = event;
        let before = *self.before.get_or_insert_with(|| {
            // A training that is resumed does not begin at nothing.
            let batches = training.epoch * training.batches() + training.batch;
            batches.saturating_sub(1) as f64 / total(training)
        });
        let wait = match self.screen {
            Screen::Bar(_) => Duration::from_millis(100),
            Screen::Lines(_) => Duration::from_secs(2),
        };
        let due = self.shown.map_or(PATIENCE, |shown| shown + wait);
        let over = training.is_finished();
        if elapsed >= PATIENCE || over {
            self.last = account(training, None);
        }
        if elapsed >= due {
            let share = done(training);
            let left = elapsed.mul_f64((1.0 - share) / (share - before).max(f64::MIN_POSITIVE));
            self.shown = Some(elapsed);
            self.show(training, account(training, (!over).then_some(left)));
        }
    }

    fn show(&mut self, training: &Training, account: String) {
        match &mut self.screen {
            Screen::Bar(bar) => {
                let bar = bar.get_or_insert_with(|| new_bar(&self.label));
                bar.set_position((done(training) * 1000.0) as u64);
                bar.set_message(account);
            }
            Screen::Lines(screen) => {
                let _ = writeln!(screen, "{}: {account}", self.label);
            }
        }
    }

    /// The end: takes the bar away, and leaves a last line if anything was shown before.
    pub fn finish(self) {
        let elapsed = self.started.elapsed();
        self.finish_at(elapsed);
    }

    fn finish_at(mut self, elapsed: Duration) {
        if self.shown.is_none() {
            return;
        }
        let line = format!("{}: {}, took {}", self.label, self.last, time(elapsed));
        match &mut self.screen {
            Screen::Bar(bar) => {
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                }
                let _ = writeln!(std::io::stderr(), "{line}");
            }
            Screen::Lines(screen) => {
                let _ = writeln!(screen, "{line}");
            }
        }
    }
}

fn new_bar(label: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:16} {wide_msg}")
        .expect("a template that is written here is a good one");
    ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr())
        .with_style(style)
        .with_prefix(label.to_owned())
}

/// How many batches the whole training has.
fn total(training: &Training) -> f64 {
    training.fit.epochs as f64 * training.batches() as f64
}

/// Which share of the training is done, from 0 to 1.
fn done(training: &Training) -> f64 {
    let batches = training.epoch as f64 * training.batches() as f64 + training.batch as f64;
    batches / total(training)
}

/// Where a training stands, in words: the mean loss of the epoch so far, and the accuracy on
/// the validation data after the last.
fn account(training: &Training, left: Option<Duration>) -> String {
    let Training { fit, history, epoch, batch, .. } = training;
    let running = if *batch > 0 { epoch + 1 } else { *epoch };
    let mut text = format!("epoch {running} of {}", fit.epochs);
    if let Some(left) = left {
        let _ = write!(text, ", {} left", time(left));
    }
    let loss = if *batch > 0 {
        let seen = training.samples.min(batch * fit.batch_size);
        Some(training.loss_sum / seen as f64)
    } else {
        history.loss.last().copied()
    };
    if let Some(loss) = loss {
        let _ = write!(text, ", loss {loss:.4}");
    }
    if let Some(accuracy) = history.validation_accuracy.last() {
        let _ = write!(text, ", accuracy {:.2} %", 100.0 * accuracy);
    }
    text
}

fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..10.0 => format!("{seconds:.1} s"),
        ..100.0 => format!("{seconds:.0} s"),
        _ => format!("{} min", (seconds / 60.0).ceil()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus::Fit;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Ten epochs of ten batches, each batch taking `milliseconds`.
    fn run(milliseconds: u64) -> String {
        let screen = Shared::default();
        let mut progress = Progress::on("XOR", Screen::Lines(Box::new(screen.clone())));
        let mut training = Training::new(Fit { batch_size: 1, ..Fit::default() }, 10);
        let mut elapsed = Duration::ZERO;
        for _ in 0..10 {
            for batch in 1..=10 {
                elapsed += Duration::from_millis(milliseconds);
                training.batch = batch;
                training.loss_sum += 0.5;
                progress.observe_at(Event::Batch { loss: 0.5, training: &training }, elapsed);
            }
            (training.epoch, training.batch) = (training.epoch + 1, 0);
            training.loss_sum = 0.0;
            training.history.loss.push(0.5);
            training.history.validation_accuracy.push(0.975);
            progress.observe_at(Event::Epoch { training: &training }, elapsed);
        }
        progress.finish_at(elapsed);
        let bytes = screen.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_short_training_is_silent() {
        assert_eq!(run(9), "");
    }

    #[test]
    fn a_longer_one_tells_every_two_seconds_and_at_the_end() {
        let expected = "\
XOR: epoch 3 of 10, 3.0 s left, loss 0.5000, accuracy 97.50 %
XOR: epoch 8 of 10, 1.0 s left, loss 0.5000, accuracy 97.50 %
XOR: epoch 10 of 10, loss 0.5000, accuracy 97.50 %, took 4.0 s
";
        assert_eq!(run(40), expected);
    }
}

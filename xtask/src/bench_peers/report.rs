//! What was measured, as tables.

use std::fmt::Write;

use super::programs::{OURS, Program, Task, all};
use super::runs::Runs;
use super::statistics::{Summary, mean};

/// The results as Markdown, which the book quotes by the names in its comments.
pub fn markdown(runs: &Runs) -> String {
    let (title, command, what) = match runs.task {
        Task::P => (
            "Ten epochs on MNIST, by this library and others",
            "cargo xtask bench-peers",
            "784-64-10, ReLU, softmax with cross-entropy, batches of 128, momentum 0.9 at rate \
             0.1, He's initial weights, `f32`, 10 epochs in a new order each",
        ),
        Task::Race => (
            "The way to 98 %, by this library and others",
            "cargo xtask bench-peers --race",
            "784-128-10, batches of 128, Nesterov's momentum 0.9, a rate that rises to 0.3 and \
             falls to 0, label smoothing 0.05, 4 epochs",
        ),
    };
    let machine = &runs.machine;
    let mut text = format!(
        "# {title}\n\n`{command}` writes this, and nobody else.\n\n{what}: training alone, \
         without reading, compiling or judging. Medians of {}, each from another seed, and \
         ranges; every ratio is the median of those of two runs side by side.\n\n\
         <!-- ANCHOR: machine -->\n{}, {} cores, {}, {}.\n<!-- ANCHOR_END: machine -->\n",
        rounds(runs.rounds),
        machine.processor,
        machine.cores,
        machine.vectors,
        machine.system,
    );
    let failed = runs.failed.iter().map(|failure| failure.threads);
    let mut threads: Vec<_> = runs.done.iter().map(|run| run.threads).chain(failed).collect();
    threads.sort_unstable();
    threads.dedup();
    for threads in threads {
        let table = table(runs, threads);
        let _ = write!(
            text,
            "\n<!-- ANCHOR: threads{threads} -->\n{table}<!-- ANCHOR_END: threads{threads} -->\n"
        );
    }
    let versions = versions(runs);
    let _ = write!(
        text,
        "\n<!-- ANCHOR: versions -->\n| program | version |\n|---|---|\n{versions}\
         <!-- ANCHOR_END: versions -->\n"
    );
    text
}

fn rounds(count: u64) -> String {
    if count == 1 { "1 round".into() } else { format!("{count} rounds") }
}

/// The programs with so many threads, the fastest first.
fn table(runs: &Runs, threads: usize) -> String {
    let of = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
    let accuracy = match runs.task {
        Task::P => "test accuracy",
        Task::Race => "test accuracy: mean, least | at least 98 %",
    };
    let line = if runs.task == Task::P { "|---|---|---|---|" } else { "|---|---|---|---|---|" };
    let mut rows: Vec<_> =
        all(runs.task).iter().filter_map(|program| row(runs, program, threads)).collect();
    rows.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let rows: String = rows.into_iter().map(|(_, row)| row).collect();
    format!("| {of} | seconds | ours / theirs | {accuracy} |\n{line}\n{rows}")
}

/// A program's row, and the number by which rows are sorted.
fn row(runs: &Runs, program: &Program, threads: usize) -> Option<(f64, String)> {
    let (key, name) = (program.key, program.name);
    let failed = |failure: &&super::Failure| failure.key == key && failure.threads == threads;
    let failures: Vec<_> = runs.failed.iter().filter(failed).collect();
    let seconds: Vec<_> = runs.of(key, threads).map(|run| run.seconds).collect();
    let Some(summary) = Summary::of(&seconds) else {
        let reason = failures.first()?.reason.replace('|', "\\|");
        let cells = if runs.task == Task::P { "| | |" } else { "| | | |" };
        return Some((f64::INFINITY, format!("| {name} | failed: {reason} {cells}\n")));
    };
    let ratio = match Summary::of(&runs.ratios(key, threads)) {
        Some(ratio) if key != OURS.key => spread(&ratio),
        _ => String::new(),
    };
    let note = match failures.len() {
        0 => String::new(),
        count => format!(", {count} of {} failed", count + seconds.len()),
    };
    let accuracies: Vec<_> = runs.of(key, threads).map(|run| run.accuracy).collect();
    let accuracy = accuracy(runs.task, &accuracies);
    let row = format!("| {name}{note} | {} | {ratio} | {accuracy} |\n", spread(&summary));
    Some((summary.median, row))
}

/// "1.20 (1.18 to 1.31)", or "1.20" if there is nothing else.
fn spread(summary: &Summary) -> String {
    let Summary { least, median, most } = summary;
    if least == most {
        return format!("{median:.2}");
    }
    format!("{median:.2} ({least:.2} to {most:.2})")
}

fn accuracy(task: Task, accuracies: &[f64]) -> String {
    let mean = 100.0 * mean(accuracies).unwrap_or_default();
    match task {
        Task::P => format!("{mean:.1} %"),
        Task::Race => {
            let least = 100.0 * accuracies.iter().copied().fold(1.0, f64::min);
            let there = accuracies.iter().filter(|&&accuracy| accuracy >= 0.98).count();
            format!("{mean:.2} %, {least:.2} % | {there} of {}", accuracies.len())
        }
    }
}

/// What each program calls itself.
fn versions(runs: &Runs) -> String {
    let versions = all(runs.task).into_iter().filter_map(|program| {
        let run = runs.done.iter().find(|run| run.key == program.key)?;
        Some(format!("| {} | {} |\n", program.name, run.version))
    });
    versions.collect()
}

#[cfg(test)]
mod tests {
    use super::super::runs::tests::example;
    use super::{Task, markdown};

    #[test]
    fn the_table_has_medians_ranges_and_ratios() {
        let text = markdown(&example());
        assert!(text.contains("| Gradus | 2.00 (1.00 to 3.00) |  | 97.5 % |"), "{text}");
        let numpy = "| NumPy, written well, 1 of 3 failed | 4.00 \
                     | 0.38 (0.25 to 0.50) | 97.5 % |";
        assert!(text.contains(numpy), "{text}");
        assert!(text.contains("\nTest, 2 cores, AVX2, linux x86_64.\n"), "{text}");
        assert!(text.contains("| Gradus | ours 1.0 |"), "{text}");
        assert!(!text.contains("JAX"), "{text}");
    }

    #[test]
    fn the_fastest_comes_first_and_what_failed_last() {
        let mut runs = example();
        runs.done.iter_mut().filter(|run| run.key == "numpy").for_each(|run| run.seconds = 0.5);
        let place = |text: &str, name: &str| text.find(name).expect("it has a row");
        let text = markdown(&runs);
        assert!(place(&text, "| NumPy") < place(&text, "| Gradus"), "{text}");
        runs.done.retain(|run| run.key != "numpy");
        let text = markdown(&runs);
        assert!(text.contains("| NumPy, written well | failed: exit status: 1 | | |"), "{text}");
        assert!(place(&text, "| Gradus") < place(&text, "| NumPy"), "{text}");
    }

    #[test]
    fn the_race_counts_who_arrives() {
        let mut runs = example();
        runs.task = Task::Race;
        runs.done[0].accuracy = 0.98;
        let text = markdown(&runs);
        assert!(text.contains("| 97.67 %, 97.50 % | 1 of 3 |"), "{text}");
    }
}

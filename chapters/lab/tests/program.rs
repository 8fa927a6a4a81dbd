//! A chapter as a program: this test starts itself as one.

use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};

use clap::Parser;

#[derive(Parser)]
#[command(about = "Chapter 99: a test")]
struct Args {
    /// Fails
    #[arg(long)]
    fail: bool,
    /// Says this many lines
    #[arg(long, default_value_t = 1)]
    lines: usize,
    #[command(flatten)]
    common: lab::Common,
}

impl lab::Arguments for Args {
    fn common(&self) -> &lab::Common {
        &self.common
    }
}

fn chapter(args: &Args, lab: &mut lab::Lab) -> lab::Result<()> {
    lab.section("first", "The first section")?;
    for line in 0..args.lines {
        lab.say(format!("line {line}, seed {}", args.common.seed));
    }
    lab.exact("seed", args.common.seed);
    if args.fail {
        return Err("as you wished".into());
    }
    let line = lab::Lines::new("x", "y").series("", [0.0, 1.0], [0.0, 1.0]);
    lab.figure("line", "A line.", "A straight line, rising.", &line)
}

const CHILD: &str = "GRADUS_LAB_TEST";

fn main() -> ExitCode {
    if std::env::var_os(CHILD).is_some() {
        return lab::main("chapter99", chapter);
    }
    it_writes_what_it_says_and_finds();
    it_fails_with_one_line();
    it_survives_a_closed_pipe();
    ExitCode::SUCCESS
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).env(CHILD, "1");
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    // What is said about the kernel depends on the machine.
    text.lines().filter(|line| !line.starts_with("OpenBLAS chose")).collect::<Vec<_>>().join("\n")
}

fn it_writes_what_it_says_and_finds() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/folder");
    let output = run(&["--seed", "7", "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let said = "$ cargo run --bin chapter99 -- --seed 7\nline 0, seed 7\n";
    assert_eq!(read("outputs/first.txt"), said);
    assert!(read("results.json").contains("\"value\": 7"));
    assert!(read("line.svg").starts_with("<svg "));
    assert_eq!(read("line.csv"), "series,x,y\n,0.0,0.0\n,1.0,1.0\n");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = format!(
        "\nThe first section\n─────────────────\n\nline 0, seed 7\n\nFigures and results are in {}\n",
        out.display()
    );
    assert_eq!(printed, expected);
    assert_eq!(stderr(&output), "");
}

fn it_fails_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = run(&["--fail", "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "error: as you wished");
    assert!(!out.join("results.json").exists());

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = run(&["--out", file.join("below").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.starts_with("error: cannot write "), "{message}");
    assert!(message.contains("file/below"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");

    let output = run(&["--seed", "abc"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("invalid value 'abc' for '--seed <N>'"));
}

fn it_survives_a_closed_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let out: &Path = &folder.path().join("out");
    let mut child = command(&["--lines", "20000", "--out", out.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
    let said = std::fs::read_to_string(out.join("outputs/first.txt")).unwrap();
    assert_eq!(said.lines().count(), 20_001);
}

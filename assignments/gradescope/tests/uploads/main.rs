//! Archives where they are used: in a bare Debian, with what students hand in, and what they should
//! not. Needs root, debootstrap, unzip, and Debian's packages:
//!
//! ```sh
//! cargo test --package gradescope --test uploads -- --ignored --nocapture
//! ```
//!
//! Each of the two takes about ten minutes on two cores, five of them for setup.sh. `UPLOADS_ROOT`
//! keeps the Debian in a folder for the next run; `UPLOADS_SET_UP=no` skips setup.sh there, and
//! `UPLOADS_ONLY=loop` hands in only what has that in its name.

mod misbehaviour;

use misbehaviour as bad;
use serde::Deserialize;
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;
use std::{env, fs};

/// The function that misbehaves in most of these submissions.
const FIRST: &str = "squared_error_rows";

/// Something that is handed in.
struct Upload {
    name: &'static str,
    /// Paths and contents.
    files: Vec<(&'static str, Vec<u8>)>,
    /// A link, and where it leads.
    link: Option<(&'static str, &'static str)>,
    /// A line of `settings`, and another for it: nobody wants to wait for two minutes here.
    hurry: Option<(&'static str, &'static str)>,
    marks: Marks,
    /// What the report has to say.
    says: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Marks {
    All,
    Nothing,
    /// All but the first function's.
    Others,
    /// Nothing for the first function; whatever for the others.
    NotTheFirst,
    /// All but these, whose numbers begin like this.
    But(&'static [&'static str]),
}
use Marks::{All, But, NotTheFirst, Nothing, Others};

fn upload(name: &'static str, chapter: &str, marks: Marks, says: &'static str) -> Upload {
    let files = vec![("chapter02.rs", chapter.as_bytes().to_vec())];
    Upload { name, files, link: None, hurry: None, marks, says }
}

/// What is handed in, and what has to come of it.
fn uploads() -> Vec<Upload> {
    let stub = fs::read_to_string(repository().join("assignments/chapter02/stub.rs")).unwrap();
    let right = answers("chapter02");
    // The right answers, after something else in the first of them.
    let first = |code: &str| {
        let (start, rest) = right.split_once(" {\n").unwrap();
        assert!(start.contains(FIRST));
        format!("{start} {{\n{code}\n{rest}")
    };
    let after = |code: &str| format!("{right}\n{code}");
    let changed = |from: &str, to: &str| {
        assert!(right.contains(from), "{from}");
        right.replacen(from, to, 1)
    };
    let mut uploads = vec![
        upload("stub", &stub, Nothing, "not written yet"),
        upload("right answers", &right, All, "passed"),
        upload("known mistake", &changed("2.0 / m *", "2.0 *"), Others, "diagnosis"),
        upload("does not compile", &first("let x: u8 = \"\";"), Nothing, "mismatched types"),
        upload("loop without end", &first("loop {}"), Others, "no answer in time"),
        upload("exit(0)", &first("std::process::exit(0);"), Others, "exit code 0"),
        upload("abort", &first("std::process::abort();"), Others, "aborted"),
        upload("panic", &first("panic!(\"no idea\");"), Others, "no idea"),
        upload(
            "panic in a thread that stays",
            &first(bad::THREADS),
            Others,
            "TOO SLOW|no answer in time",
        ),
        upload("stack overflow", &first(bad::STACK), Others, "aborted"),
        upload("memory hog", &first(bad::MEMORY), Others, "aborted|no answer in time|was killed"),
        upload("memory hog, many processes", &first(bad::MEMORIES), NotTheFirst, ""),
        upload("fork bomb", &first(bad::FORKS), NotTheFirst, ""),
        upload("thread bomb", &first(bad::THREAD_BOMB), NotTheFirst, ""),
        upload("flood of output", &first(bad::FLOOD), All, "bytes more"),
        upload("garbage in every pipe", &first(bad::GARBAGE), Others, "did not live to answer"),
        upload("slices", &first(bad::SLICES), All, "passed"),
        upload("leaves a process behind", &first(bad::BEHIND), All, "passed"),
        upload("reaches for the grader", &first(bad::REACH), All, "0 things went well"),
        upload(
            "unsafe code",
            &first(bad::UNSAFE).replace("#![allow(", "#![allow(unsafe_code, "),
            Nothing,
            "unsafe code",
        ),
        upload("path attribute", &after(bad::PATH), Nothing, "couldn't read"),
        upload("include_str", &after(bad::INCLUDE), Nothing, "couldn't read"),
        upload("empty file", "", Nothing, "does not compile"),
    ];
    let mut endless = upload("compiles for ever", &after(bad::CONST), Nothing, "30 seconds");
    endless.hurry = Some(("compile_seconds=120", "compile_seconds=30"));
    uploads.push(endless);
    let mut unfinished = upload("no time to grade", &first("loop {}"), Nothing, "did not finish");
    unfinished.hurry = Some(("grade_seconds=180", "grade_seconds=2"));
    uploads.push(unfinished);
    let mut not_utf8 = upload("not UTF-8", "", Nothing, "does not compile");
    not_utf8.files[0].1 = [b"// \xff\xfe\n", right.as_bytes()].concat();
    uploads.push(not_utf8);
    let mut deeper = upload("right answers, deeper", &right, All, "passed");
    deeper.files[0].0 = "assignments/student/src/chapter02.rs";
    uploads.push(deeper);
    let mut tampered = upload("other files of the crate", &right, All, "passed");
    tampered.files[0].0 = "assignments/student/src/chapter02.rs";
    let script = "fn main() { panic!(\"a build script ran\"); }";
    for (path, text) in [
        ("assignments/student/Cargo.toml", "[package]\nname = \"student\"\nbuild = \"build.rs\"\n"),
        ("assignments/student/build.rs", script),
        ("assignments/student/src/lib.rs", "compile_error!(\"lib.rs was taken\");"),
        ("assignments/answers/src/main.rs", "fn main() {}"),
        ("Cargo.toml", "[workspace]\n"),
        (".cargo/config.toml", "[build]\nrustc = \"/bin/false\"\n"),
        ("results.json", "{\"score\": 100}"),
    ] {
        tampered.files.push((path, text.into()));
    }
    uploads.push(tampered);
    for (name, link, to) in [
        (
            "link to the grader",
            "chapter02.rs",
            "/opt/gradus/grader/assignments/checks/src/chapter02.rs",
        ),
        ("link to a folder", "src", "/opt/gradus/clean/assignments/student/src"),
    ] {
        let mut linked = upload(name, "", Nothing, "not among the files");
        linked.files.clear();
        linked.link = Some((link, to));
        uploads.push(linked);
    }
    let mut other = upload("another file only", "", Nothing, "not among the files");
    other.files[0].0 = "chapter2.rs";
    uploads.push(other);
    let mut nothing = upload("nothing", "", Nothing, "not among the files");
    nothing.files.clear();
    uploads.push(nothing);
    uploads
}

/// What Gradescope reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Results {
    output: String,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "that they are there is what matters")]
struct Test {
    name: String,
    number: String,
    score: f64,
    max_score: f64,
    status: String,
    visibility: String,
    output: String,
}

/// Nobody else sets anything up meanwhile.
static ROOT: Mutex<()> = Mutex::new(());

/// Sets an archive up, and hands these in.
fn hand_in(part: &str, uploads: &[Upload]) {
    let _alone = ROOT.lock();
    let scratch = tempfile::tempdir().unwrap();
    let root =
        env::var_os("UPLOADS_ROOT").map_or_else(|| scratch.path().join("root"), PathBuf::from);
    if env::var("UPLOADS_SET_UP").as_deref() != Ok("no") {
        let archive = scratch.path().join("archive.zip");
        run(Command::new(env!("CARGO_BIN_EXE_gradescope")).args([part, "--out"]).arg(&archive));
        let bytes = fs::metadata(&archive).unwrap().len();
        let started = Instant::now();
        run(script(&root, "setup").arg(&archive));
        println!("{part}: set up in {:.0} s, from {bytes} bytes", started.elapsed().as_secs_f64());
    }
    let settings = root.join("opt/gradus/settings");
    let limits = fs::read_to_string(&settings).unwrap();

    let only = env::var("UPLOADS_ONLY").unwrap_or_default();
    let mut failures = String::new();
    for upload in uploads.iter().filter(|upload| upload.name.contains(&only)) {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in &upload.files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        if let Some((link, to)) = upload.link {
            symlink(to, folder.path().join(link)).unwrap();
        }
        let (from, to) = upload.hurry.unwrap_or_default();
        assert!(limits.contains(from), "{from}");
        fs::write(&settings, limits.replacen(from, to, 1)).unwrap();
        let started = Instant::now();
        let json = run(script(&root, "grade").arg(folder.path()));
        let seconds = started.elapsed().as_secs_f64();
        let results: Results = serde_json::from_str(&json).unwrap();
        let earned: f64 = results.tests.iter().map(|test| test.score).sum();
        let total: f64 = results.tests.iter().map(|test| test.max_score).sum();
        println!("{:30} {earned:>3} of {total:>3} {seconds:>6.1} s", upload.name);
        if let Err(problem) = check(upload, &results) {
            println!("    {problem}");
            let _ = writeln!(failures, "{}: {problem}\n{json}", upload.name);
        }
        // `run_autograder` left nobody of the student's behind.
        let left = fs::read_to_string(root.join("autograder/results/left")).unwrap();
        assert_eq!(left.trim(), "0", "{}: processes are left", upload.name);
    }
    fs::write(&settings, limits).unwrap();
    assert!(failures.is_empty(), "{failures}");
}

#[test]
#[ignore = "needs root, Debian's packages, and ten minutes"]
fn whatever_is_handed_in_has_its_results() {
    hand_in("2", &uploads());
}

#[test]
#[ignore = "needs root, Debian's packages, and ten minutes"]
fn of_a_whole_course_each_chapter_counts_by_itself() {
    let chapters = chapters();
    // The number of what is graded together comes after that of the last chapter.
    let last: u32 = chapters[chapters.len() - 1][7..].parse().unwrap();
    let together: &str = (last + 1).to_string().leak();
    let but = |number| But(vec![number, together].leak());
    let upload = |name, marks, says| {
        let file = |chapter: &String| &*format!("{chapter}.rs").leak();
        let right = |chapter: &String| (file(chapter), answers(chapter).into_bytes());
        let files = chapters.iter().map(right).collect();
        Upload { name, files, link: None, hurry: None, marks, says }
    };
    let mut missing = upload("one is missing", but("3."), "not among the files");
    missing.files.remove(2);
    let mut broken = upload("one does not compile", but("4."), "does not compile");
    broken.files[3].1 = b"pub fn flatten_parameters( {".to_vec();
    hand_in("all", &[upload("the whole course", All, "passed"), missing, broken]);
}

/// Whether the results are those that this upload has to have.
fn check(upload: &Upload, results: &Results) -> Result<(), String> {
    let mut said = results.output.clone();
    for test in &results.tests {
        let first = test.name.starts_with(FIRST);
        let right = match upload.marks {
            All => true,
            Nothing => false,
            Others => !first,
            But(numbers) => !numbers.iter().any(|&number| test.number.starts_with(number)),
            NotTheFirst if first => false,
            NotTheFirst => test.score > 0.0,
        };
        if (test.score > 0.0) != right || (test.status == "passed") != right {
            return Err(format!("{} of {} for {}", test.score, test.max_score, test.name));
        }
        if test.score > 0.0 && test.score < test.max_score {
            return Err(format!("{} has a part of its points", test.name));
        }
        said += &test.output;
    }
    if results.tests.len() < 6 {
        return Err(format!("only {} tests", results.tests.len()));
    }
    match upload.says.split('|').any(|words| said.contains(words)) {
        true => Ok(()),
        false => Err(format!("nothing says `{}`", upload.says)),
    }
}

/// The chapters with an assignment: `chapter01`.
fn chapters() -> Vec<String> {
    let folders = fs::read_dir(repository().join("assignments")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().path());
    let with_stubs = folders.filter(|folder| folder.join("stub.rs").exists());
    let name = |folder: PathBuf| folder.file_name().unwrap().to_string_lossy().into_owned();
    let mut chapters: Vec<String> = with_stubs.map(name).collect();
    chapters.sort();
    chapters
}

/// The code of the worked answers.
fn answers(chapter: &str) -> String {
    let path = repository().join(format!("assignments/solutions/{chapter}.md"));
    let text = fs::read_to_string(path).unwrap();
    let mut code = "#![allow(unused, unreachable_code)]\nuse ndarray::*;\n".to_owned();
    for block in text.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        if block.starts_with("pub fn ") {
            code += &format!("\n{block}");
        }
    }
    code
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn script(root: &Path, task: &str) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/root.sh"));
    command.arg(root).arg(task);
    command
}

/// Runs a command, and returns what it prints.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

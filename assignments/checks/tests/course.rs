//! The course as a student has it: files are written, compiled and graded. That takes a minute or
//! two, so that it is asked for: `cargo test -p assignments --test course -- --ignored`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use assignments::{CHAPTERS, Failure, Outcome, Part, Programs, Reason, Report, grade};

/// One scratch workspace, so that ndarray is compiled once: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The chapters, by number.
fn numbers() -> impl Iterator<Item = u32> {
    CHAPTERS.iter().map(|chapter| chapter.number)
}

fn stub(chapter: u32) -> String {
    read(root().join(format!("assignments/chapter{chapter:02}/stub.rs")))
}

/// The worked answers, as they are printed for those who have their own.
fn solutions(chapter: u32) -> String {
    let text = read(root().join(format!("assignments/solutions/chapter{chapter:02}.md")));
    let blocks = text.split("```rust\n").skip(1).filter_map(|block| block.split("```").next());
    let answers = blocks.filter(|block| block.contains("pub fn "));
    let mut file = String::from(
        "#![allow(missing_docs, clippy::all)]\nuse ndarray::*;\n", //
    );
    answers.for_each(|answer| file += answer);
    file
}

/// A student: a workspace like ours, with other answers in it.
struct Student {
    folder: PathBuf,
}

impl Student {
    fn new() -> Self {
        let folder = root().join("target/course-test");
        let student = Self { folder };
        for package in ["answers", "signatures", "student"] {
            let from = root().join("assignments").join(package);
            for file in ["Cargo.toml", "src"] {
                student.copy(&from.join(file), &format!("assignments/{package}/{file}"));
            }
        }
        student.copy(&root().join("Cargo.lock"), "Cargo.lock");
        let manifest = read(root().join("Cargo.toml"));
        let workspace = &manifest[..manifest.find("[package]").expect("a package")];
        let members = workspace.find("resolver").expect("a resolver");
        let workspace =
            format!("[workspace]\nmembers = [\"assignments/*\"]\n{}", &workspace[members..]);
        student.write("Cargo.toml", &workspace);
        numbers().for_each(|chapter| student.answers(chapter, &stub(chapter)));
        student
    }

    fn copy(&self, from: &Path, to: &str) {
        if from.is_dir() {
            for entry in fs::read_dir(from).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                self.copy(&path, &format!("{to}/{name}"));
            }
        } else {
            self.write(to, &read(from));
        }
    }

    /// Writes a file, unless it is there already: nothing is compiled twice.
    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return;
        }
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    fn answers(&self, chapter: u32, text: &str) {
        self.write(&format!("assignments/student/src/chapter{chapter:02}.rs"), text);
    }

    /// Compiles, and returns whether that went well, and what the compiler said.
    fn compile(&self, program: &str) -> (bool, String) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["build", "--quiet", "--package", "answers", "--features", program])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .output()
            .expect("cargo");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn grade(&self, part: Part) -> Report {
        let (compiled, said) = self.compile(&part.program());
        assert!(compiled, "{said}");
        let folder = self.folder.join("programs");
        fs::create_dir_all(&folder).expect("a folder");
        let program = folder.join(part.program());
        let _ = fs::remove_file(&program);
        fs::copy(self.folder.join("target/debug/answers"), &program).expect("the program");
        grade(part, &Programs { folder, run_with: Vec::new() }, 1).expect("graded")
    }

    /// What becomes of one function of chapter 1 that has this body.
    fn failure(&self, function: &str, body: &str) -> (Failure, Report) {
        let stub = stub(1);
        let signature = stub.find(&format!("pub fn {function}(")).expect("the function");
        let todo = signature + stub[signature..].find("todo!()").expect("a stub");
        let text = format!("{}{body}{}", &stub[..todo], &stub[todo + "todo!()".len()..]);
        self.answers(1, &text);
        let report = self.grade(Part::Chapter(1));
        for line in report.lines.iter().filter(|line| line.exercise.name != function) {
            assert_eq!(line.outcome, Outcome::NotWritten, "{}", line.exercise.name);
        }
        let line = report.lines.iter().find(|line| line.exercise.name == function);
        match &line.expect("the check").outcome {
            Outcome::Failed(failure) => (Failure::clone(failure), report),
            other => panic!("{function}: {other:?}"),
        }
    }
}

#[test]
#[ignore = "compiles the stubs"]
fn stubs_compile_without_a_warning_and_earn_nothing() {
    let _one = ONE_AT_A_TIME.lock();
    let student = Student::new();
    for part in Part::all() {
        // A warning that was shown is not shown again: what is compiled is new.
        student.answers(1, &format!("{}\n// {part}, {}\n", stub(1), std::process::id()));
        let (compiled, said) = student.compile(&part.program());
        assert!(compiled && said.is_empty(), "{part}: {said}");
        for line in student.grade(part).lines {
            assert_eq!(line.outcome, Outcome::NotWritten, "{}", line.exercise.name);
        }
    }
}

#[test]
#[ignore = "compiles the solutions, and trains a network with them"]
fn the_printed_solutions_earn_all_points_alone_and_together() {
    let _one = ONE_AT_A_TIME.lock();
    let student = Student::new();
    numbers().for_each(|chapter| student.answers(chapter, &solutions(chapter)));
    for part in Part::all() {
        let report = student.grade(part);
        assert_eq!(report.earned(), report.total(), "{}", report.show(""));
        assert!(report.total() > 0);
    }
}

#[test]
#[ignore = "compiles an answer"]
fn the_library_cannot_be_seen_and_nothing_unsafe_compiles() {
    let _one = ONE_AT_A_TIME.lock();
    let student = Student::new();
    for (line, error) in [
        ("pub use gradus::Softmax;\n", "unresolved import `gradus`"),
        ("pub fn f() { let _ = gradus::Relu; }\n", "gradus"),
        ("pub use signatures::Value;\n", "unresolved import `signatures`"),
        ("pub use answers::main;\n", "unresolved import `answers`"),
        ("pub use assignments::CHAPTERS;\n", "unresolved import `assignments`"),
        ("pub fn f() { unsafe { std::hint::unreachable_unchecked() } }\n", "unsafe"),
        ("#[unsafe(no_mangle)] pub fn f() {}\n", "unsafe"),
    ] {
        student.answers(1, &(stub(1) + line));
        let (compiled, said) = student.compile("chapter01");
        assert!(!compiled && said.contains(error), "{line}{said}");
    }
}

#[test]
#[ignore = "compiles answers"]
fn a_mistake_is_shown_and_diagnosed() {
    let _one = ONE_AT_A_TIME.lock();
    let student = Student::new();
    let (failure, report) =
        student.failure("softmax_vjp", "println!(\"here\"); d_s * s * &(1.0 - s)");
    assert!(matches!(failure.reason, Reason::Wrong(_)), "{failure:?}");
    assert_eq!(failure.given[0].0, "s (1, 3)");
    assert_eq!(failure.diagnoses.len(), 1, "{failure:?}");
    let text = report.show("https://example.org/");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let readme = read(root().join("assignments/README.md"));
    let example = readme.split("```text\n").nth(1).and_then(|text| text.split("```").next());
    assert!(text.contains(example.expect("an example").trim_end()), "the README's example\n{text}");
    for part in [
        "diagnosis: these are the answers of a known mistake: the diagonal of the Jacobian only",
        "s (1, 3): 0.500000 0.300000 0.200000",
        "expected: (1, 3) 0.050000 0.330000 -0.380000 found: (1, 3) 0.250000",
        "4 of 4 answers are wrong",
        "your code printed: here here here here Chapter 1",
        "https://example.org/chapter01.html#equation-softmax_vector_product",
        "softmax_vjp FAILED 0 of 3",
        "--seed 1",
    ] {
        assert!(words.contains(part), "no {part:?} in\n{text}");
    }
    // ndarray's `s!` allows itself something unsafe, and is welcome.
    let (failure, _) =
        student.failure("relu_slope", "z.slice(ndarray::s![.., ..]).to_owned() * f64::NAN");
    assert!(matches!(failure.reason, Reason::Wrong(_)) && failure.diagnoses.is_empty());
}

#[test]
#[ignore = "compiles answers, and waits for one that never comes"]
fn code_that_does_not_return_fails_its_check_alone() {
    let _one = ONE_AT_A_TIME.lock();
    let student = Student::new();
    let reason = |body: &str| student.failure("sigmoid_stable", body).0.reason;
    let panicked = reason("let numbers = [z]; (numbers[z as usize + 7], z)");
    let Reason::Panicked(said) = panicked else { panic!("{panicked:?}") };
    assert!(said.contains("index out of bounds") && said.contains("chapter01.rs:"), "{said}");
    // What ndarray panics about has the line of the student's that asked for it.
    let inside = reason("let numbers = Array1::from(vec![z]); (numbers[z as usize + 7], z)");
    let Reason::Panicked(said) = inside else { panic!("{inside:?}") };
    assert!(said.contains("out of bounds") && said.contains("chapter01.rs:"), "{said}");
    let halfway = reason("if z != 0.0 { todo!() } else { (0.5, 0.25) }");
    assert_eq!(halfway, Reason::Panicked("this call comes to a todo!()".to_owned()));
    for (body, how) in [
        ("std::process::exit(0)", "exit code 0"),
        ("std::process::exit(7)", "exit code 7"),
        ("std::process::abort()", "aborted"),
        ("fn f(z: f64) -> f64 { f(z + 1.0) + f(z) } (f(z), z)", "aborted"),
        ("let many = vec![1.0; 1 << 40]; (many[z as usize], z)", "aborted"),
        ("let mut all = vec![]; loop { all.push(vec![z; 1 << 24]); }", "aborted"),
    ] {
        let reason = reason(body);
        let Reason::Ended(said) = &reason else { panic!("{body}: {reason:?}") };
        assert!(said.contains(how), "{body}: {said}");
    }
    let endless = reason("let mut z = z; loop { z = std::hint::black_box(z) + 1.0; }");
    assert_eq!(endless, Reason::TooSlow);
    // Its own threads, its prints and its standard input are nobody's business.
    let mischief = "std::thread::spawn(|| loop { print!(\"{}\", \"x\".repeat(1000)); });
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        (line.len() as f64, z)";
    assert!(matches!(reason(mischief), Reason::Wrong(_)));
}

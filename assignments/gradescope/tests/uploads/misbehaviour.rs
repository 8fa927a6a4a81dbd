//! What students should not do: code for the beginning of a function.

pub const THREADS: &str =
    "std::thread::spawn(|| panic!(\"elsewhere\")); loop { std::thread::park(); }";
pub const STACK: &str =
    "fn f(n: u64) -> u64 { if n == u64::MAX { 0 } else { f(n + 1) + n } } println!(\"{}\", f(0));";
pub const MEMORY: &str =
    "let mut all = Vec::new(); loop { all.push(vec![1u8; 1 << 24]); std::hint::black_box(&all); }";
pub const MEMORIES: &str = r#"for _ in 0..8 {
    let hog = "x=0123456789; while :; do x=$x$x; done";
    let _ = std::process::Command::new("setsid").args(["bash", "-c", hog]).spawn();
}
std::process::exit(1);"#;
pub const FORKS: &str = r#"let bomb = "b() { b | b & }; b; while :; do b; done";
let _ = std::process::Command::new("setsid").args(["bash", "-c", bomb]).spawn();
loop {}"#;
pub const THREAD_BOMB: &str =
    "loop { let _ = std::thread::Builder::new().spawn(|| loop { std::thread::park(); }); }";
pub const FLOOD: &str =
    "for _ in 0..200_000 { println!(\"{}\", \"x\".repeat(100)); eprintln!(\"y\"); }";
pub const GARBAGE: &str = r#"let write = "for fd in 3 4 5 6 7 8; do echo garbage >&$fd; done";
let _ = std::process::Command::new("bash").args(["-c", write]).status();"#;
/// Macros of ndarray that have unsafe code inside.
pub const SLICES: &str = "let _ = (y.slice(ndarray::s![.., 0]), ndarray::array![[1.0]]);";
pub const BEHIND: &str =
    r#"let _ = std::process::Command::new("setsid").args(["sleep", "1000"]).spawn();"#;
pub const REACH: &str = r#"let mut went_well = Vec::new();
for path in [
    "/autograder/results/results.json", "/autograder/results/x", "/opt/gradus/grader/grade",
    "/opt/gradus/x", "/opt/gradus/answers/programs/chapter02", "/opt/gradus/as_student",
    "/opt/gradus/answers/assignments/student/src/lib.rs", "/opt/gradus/vendor/x", "/etc/passwd",
] {
    if std::fs::OpenOptions::new().write(true).create(true).open(path).is_ok() {
        went_well.push(path.to_owned());
    }
}
for path in ["/autograder/source", "/autograder/submission", "/opt/gradus/grader", "/root"] {
    if std::fs::read_dir(path).is_ok() { went_well.push(path.to_owned()); }
}
let grader = std::os::unix::process::parent_id();
for path in [format!("/proc/{grader}/mem"), format!("/proc/{grader}/environ")] {
    if std::fs::read(&path).is_ok() { went_well.push(path); }
}
for pid in [grader, 1] {
    let kill = format!("kill -KILL {pid}");
    let kill = std::process::Command::new("bash").args(["-c", &kill]).status();
    if kill.is_ok_and(|status| status.success()) { went_well.push(format!("kill {pid}")); }
}
println!("{} things went well {went_well:?}", went_well.len());"#;
pub const UNSAFE: &str = "let one = 1.0; assert!(unsafe { std::ptr::read(&one) } == 1.0);";
pub const CONST: &str = "#[allow(long_running_const_eval)]
pub const _: () = { let mut i = 0u64; while i < u64::MAX { i += 1; } };";
pub const PATH: &str = "#[path = \"/opt/gradus/grader/src/loss.rs\"] mod loss;";
pub const INCLUDE: &str =
    "pub const X: &str = include_str!(\"/autograder/source/grader/src/lib.rs\");";

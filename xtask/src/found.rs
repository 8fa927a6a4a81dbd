//! What is on this machine: nothing here changes anything.

use crate::plan::{Found, Manager, Need, Rights, Tool};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::{env, fs};

/// Looks for what is `needed`, and, where something is missing, for a way to install it.
pub fn look(needed: &[Need]) -> Found {
    let missing: Vec<Need> = needed.iter().copied().filter(|&need| !is_there(need)).collect();
    let tools = needed.iter().filter_map(|need| need.tool());
    let versions = tools.filter_map(|tool| Some((tool, version(tool)?)));
    let manager = manager();
    Found {
        lists: missing.iter().all(|need| need.tool().is_some()) || manager.is_none_or(has_lists),
        missing,
        unfit: versions.filter(|(tool, version)| !tool.fits(version)).collect(),
        manager,
        rights: rights(),
    }
}

fn is_there(need: Need) -> bool {
    match need {
        Need::Compiler => links("", &[]),
        Need::OpenBlas => {
            succeeds("pkg-config", &["--exists", "openblas"])
                || links("cblas_dgemm(); dgesdd_();", &openblas_flags())
        }
        // Once mdbook-katex is there, nothing is compiled. A Mac has it.
        Need::Patch => {
            cfg!(target_os = "macos")
                || is_there(Need::MdBookKatex)
                || succeeds("patch", &["--version"])
        }
        Need::MdBook | Need::MdBookKatex => need.tool().and_then(version).is_some(),
    }
}

/// The version of a tool, if it is there: it says "mdbook v0.5.3" or "mdbook-katex 0.10.0".
fn version(tool: Tool) -> Option<String> {
    let output = Command::new(tool.name).arg("--version").env("PATH", path()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().nth(1)?;
    Some(version.trim_start_matches('v').to_owned())
}

/// Where programs are looked for: where cargo installs them, even if the shell does not know
/// that folder, and the shell's folders.
pub fn path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let root = env::var_os("CARGO_INSTALL_ROOT").or_else(|| env::var_os("CARGO_HOME"));
    let root = root.map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let installed = root.map(|root| root.join("bin"));
    let folders = installed.into_iter().chain(env::split_paths(&path));
    env::join_paths(folders).unwrap_or(path)
}

/// How the linker finds OpenBLAS. Homebrew keeps it out of the linker's way; the build
/// script of openblas-src asks `brew --prefix` too, so nothing has to be set for cargo.
fn openblas_flags() -> Vec<String> {
    let mut flags = vec!["-lopenblas".to_owned()];
    if cfg!(target_os = "macos")
        && let Ok(output) = Command::new("brew").args(["--prefix", "openblas"]).output()
    {
        let prefix = String::from_utf8_lossy(&output.stdout);
        flags.insert(0, format!("-L{}/lib", prefix.trim()));
    }
    flags
}

/// Whether a C program with these calls links. It is never run.
fn links(calls: &str, flags: &[String]) -> bool {
    let stem = env::temp_dir().join(format!("gradus-xtask-{}", process::id()));
    let (source, program) = (stem.with_extension("c"), stem.with_extension("out"));
    let text = format!(
        "void cblas_dgemm(void); void dgesdd_(void);\nint main(void) {{ {calls} return 0; }}\n"
    );
    let linked = fs::write(&source, text).is_ok()
        && quiet(Command::new("cc").arg(&source).arg("-o").arg(&program).args(flags));
    // Left-overs in the temporary directory are no reason to fail.
    let _ = fs::remove_file(source);
    let _ = fs::remove_file(program);
    linked
}

fn manager() -> Option<Manager> {
    if cfg!(target_os = "macos") {
        return on_path("brew").then_some(Manager::Brew);
    }
    [("apt-get", Manager::Apt), ("dnf", Manager::Dnf), ("pacman", Manager::Pacman)]
        .into_iter()
        .find(|(program, _)| on_path(program))
        .map(|(_, manager)| manager)
}

fn has_lists(manager: Manager) -> bool {
    let Some(package) = manager.packages(Need::OpenBlas).first() else {
        return true;
    };
    match manager {
        Manager::Apt => succeeds("apt-get", &["install", "--simulate", package]),
        Manager::Pacman => succeeds("pacman", &["-Si", package]),
        // These two fetch what they lack by themselves.
        Manager::Dnf | Manager::Brew => true,
    }
}

fn rights() -> Rights {
    let user = Command::new("id").arg("-u").output();
    if user.is_ok_and(|output| output.stdout.trim_ascii() == b"0") {
        Rights::Root
    } else if on_path("sudo") {
        Rights::Sudo
    } else {
        Rights::None
    }
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    quiet(Command::new(program).args(args))
}

/// Runs a command without its output; a program that is not there counts as a failure.
fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

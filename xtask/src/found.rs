//! What is on this machine: nothing here changes anything.

use crate::plan::{Found, Manager, Need, Rights};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::{env, fs};

/// Looks for what is `needed`, and, where something is missing, for a way to install it.
pub fn look(needed: &[Need]) -> Found {
    let missing: Vec<Need> = needed.iter().copied().filter(|&need| !is_there(need)).collect();
    let manager = manager();
    Found {
        lists: missing.is_empty() || manager.is_none_or(has_lists),
        missing,
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
    }
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

//! What to install, and how: a pure function of what was found on the machine.

mod text;

pub use text::{lines, names};

/// Something that a command of ours cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A C compiler that also links: rustc links through it.
    Compiler,
    /// OpenBLAS with what is needed to link against it, CBLAS and LAPACK included.
    OpenBlas,
    /// `patch`, which mdbook-katex is compiled with.
    Patch,
    /// What makes the book's pages.
    MdBook,
    /// What sets its formulas.
    MdBookKatex,
}

/// A program that cargo installs, in the version that the book is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name, as a program and as a package.
    pub name: &'static str,
    /// The version that is installed where there is none.
    pub version: &'static str,
}

/// The package managers we know how to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Debian, Ubuntu and their relatives.
    Apt,
    /// Fedora and its relatives.
    Dnf,
    /// Arch and its relatives.
    Pacman,
    /// Homebrew, on a Mac.
    Brew,
}

/// How far we may go in changing the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// We are root.
    Root,
    /// We are not, but there is `sudo`.
    Sudo,
    /// Neither.
    None,
}

/// What was found on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What is needed and not there.
    pub missing: Vec<Need>,
    /// What is there in a version that does not fit, with that version.
    pub unfit: Vec<(Tool, String)>,
    /// The package manager, if it is one that we know.
    pub manager: Option<Manager>,
    /// What we may do.
    pub rights: Rights,
    /// Whether the package manager has its lists of packages: on a fresh system it does
    /// not know a single one before it is told to fetch them.
    pub lists: bool,
}

/// A command, word by word.
pub type Words = Vec<String>;

/// What to do before the job itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Everything is there.
    Ready,
    /// Run these commands, in order.
    Install {
        /// What for.
        missing: Vec<Need>,
        /// The commands.
        commands: Vec<Words>,
    },
    /// Somebody has to type these commands, because we may not.
    Ask {
        /// What for.
        missing: Vec<Need>,
        /// Who: "an administrator", "you".
        whom: &'static str,
        /// The commands.
        commands: Vec<Words>,
    },
    /// Tools of the reader's own are in the way: we leave them alone.
    Replace {
        /// Which, and the versions that were found.
        unfit: Vec<(Tool, String)>,
    },
    /// No command is known for this system.
    Explain {
        /// What has to be there.
        missing: Vec<Need>,
    },
}

/// Decides what to do about what was found.
pub fn plan(found: &Found) -> Plan {
    if !found.unfit.is_empty() {
        return Plan::Replace { unfit: found.unfit.clone() };
    }
    let tools: Vec<Words> =
        found.missing.iter().filter_map(|need| need.tool()).map(Tool::install).collect();
    let system = found.missing.iter().copied().filter(|need| need.tool().is_none()).collect();
    match plan_system(found, system) {
        Plan::Ready if tools.is_empty() => Plan::Ready,
        Plan::Ready => Plan::Install { missing: found.missing.clone(), commands: tools },
        Plan::Install { commands, .. } => {
            let commands = [commands, tools].concat();
            Plan::Install { missing: found.missing.clone(), commands }
        }
        // Once somebody has done that, the rest is ours.
        plan => plan,
    }
}

/// The same for what the system's package manager installs.
fn plan_system(found: &Found, missing: Vec<Need>) -> Plan {
    if missing.is_empty() {
        return Plan::Ready;
    }
    let Some(manager) = found.manager else {
        return Plan::Explain { missing };
    };
    if manager == Manager::Brew {
        return plan_brew(missing);
    }
    let mut commands = Vec::new();
    if !found.lists {
        commands.extend(manager.fetch_lists());
    }
    commands.push(manager.install(&missing));
    if found.rights == Rights::None {
        return Plan::Ask { missing, whom: "an administrator", commands };
    }
    for command in &mut commands {
        // Nobody is asked anything while a command of ours runs; `sudo` drops variables,
        // so that this one has to be set behind it.
        if manager == Manager::Apt {
            command.splice(..0, words("env DEBIAN_FRONTEND=noninteractive"));
        }
        if found.rights == Rights::Sudo {
            command.insert(0, "sudo".to_owned());
        }
    }
    Plan::Install { missing, commands }
}

/// Homebrew needs no rights, and refuses root. A Mac's compiler does not come from it:
/// Apple's installer brings it, and asks in a window of its own.
fn plan_brew(missing: Vec<Need>) -> Plan {
    let brew = Manager::Brew.install(&missing);
    if missing.contains(&Need::Compiler) {
        let mut commands = vec![words("xcode-select --install")];
        if missing.contains(&Need::OpenBlas) {
            commands.push(brew);
        }
        return Plan::Ask { missing, whom: "you", commands };
    }
    Plan::Install { missing, commands: vec![brew] }
}

impl Manager {
    /// The packages that bring `need`.
    ///
    /// Each `OpenBLAS` here holds CBLAS and LAPACK too. (Arch's did not before 0.3.23-2,
    /// of 2023, when its LAPACK was the separate package `lapack`.)
    pub fn packages(self, need: Need) -> &'static [&'static str] {
        match (self, need) {
            // Without its recommendations, Debian's gcc has no C library to link.
            (Manager::Apt, Need::Compiler) => &["gcc", "libc6-dev"],
            (Manager::Apt, Need::OpenBlas) => &["libopenblas-dev"],
            (Manager::Dnf | Manager::Pacman, Need::Compiler) => &["gcc"],
            (Manager::Dnf, Need::OpenBlas) => &["openblas-devel"],
            (Manager::Pacman | Manager::Brew, Need::OpenBlas) => &["openblas"],
            (Manager::Apt | Manager::Dnf | Manager::Pacman, Need::Patch) => &["patch"],
            (Manager::Brew, Need::Patch) => &["gpatch"],
            (Manager::Brew, Need::Compiler) | (_, Need::MdBook | Need::MdBookKatex) => &[],
        }
    }

    /// The command that fetches the lists of packages, where it is one of its own.
    fn fetch_lists(self) -> Option<Words> {
        match self {
            Manager::Apt => Some(words("apt-get update")),
            Manager::Pacman => Some(words("pacman -Sy")),
            Manager::Dnf | Manager::Brew => None,
        }
    }

    /// The command that installs what is missing, and asks no questions.
    fn install(self, missing: &[Need]) -> Words {
        let mut command = words(match self {
            Manager::Apt => "apt-get install --yes",
            Manager::Dnf => "dnf install --assumeyes",
            Manager::Pacman => "pacman -S --needed --noconfirm",
            Manager::Brew => "brew install",
        });
        for &need in missing {
            command.extend(self.packages(need).iter().map(|&name| name.to_owned()));
        }
        command
    }
}

impl Need {
    /// The tool, if cargo is what installs it.
    pub fn tool(self) -> Option<Tool> {
        match self {
            Need::Compiler | Need::OpenBlas | Need::Patch => None,
            Need::MdBook => Some(Tool { name: "mdbook", version: "0.5.3" }),
            Need::MdBookKatex => Some(Tool { name: "mdbook-katex", version: "0.10.0" }),
        }
    }
}

impl Tool {
    /// The command that installs it.
    fn install(self) -> Words {
        words(&format!("cargo install --locked {}@{}", self.name, self.version))
    }

    /// Whether another version does as well: one with the same first two numbers.
    pub fn fits(self, version: &str) -> bool {
        self.series() == series(version)
    }

    /// Its first two numbers: "0.5".
    fn series(self) -> String {
        series(self.version)
    }
}

fn series(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn words(line: &str) -> Words {
    line.split(' ').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;

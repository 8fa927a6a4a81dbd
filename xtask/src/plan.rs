//! What to install, and how: a pure function of what was found on the machine.

use std::fmt;

/// Something that a command of ours cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A C compiler that also links: rustc links through it.
    Compiler,
    /// OpenBLAS with what is needed to link against it, CBLAS and LAPACK included.
    OpenBlas,
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
    /// No command is known for this system.
    Explain {
        /// What has to be there.
        missing: Vec<Need>,
    },
}

/// Decides what to do about what was found.
pub fn plan(found: &Found) -> Plan {
    let missing = found.missing.clone();
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
            (Manager::Brew, Need::Compiler) => &[],
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

fn words(line: &str) -> Words {
    line.split(' ').map(str::to_owned).collect()
}

/// The commands as lines to type.
pub fn lines(commands: &[Words]) -> String {
    let lines: Vec<String> =
        commands.iter().map(|words| format!("    {}", words.join(" "))).collect();
    lines.join("\n")
}

/// The names of what is missing, as they stand in a sentence.
pub fn names(missing: &[Need]) -> String {
    let names: Vec<String> = missing.iter().map(Need::to_string).collect();
    names.join(" and ")
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Need::Compiler => "a C compiler",
            Need::OpenBlas => "OpenBLAS",
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Plan::Ready => Ok(()),
            Plan::Install { missing, commands } => {
                let missing = names(missing);
                let commands = lines(commands);
                write!(f, "This machine lacks {missing}. Installing with:\n{commands}")
            }
            Plan::Ask { missing, whom, commands } => {
                let missing = names(missing);
                let commands = lines(commands);
                write!(
                    f,
                    "This machine lacks {missing}, and only {whom} can install that, by typing:\n\
                     {commands}\n\
                     Then run the same command again."
                )
            }
            Plan::Explain { missing } => {
                let names = names(missing);
                write!(
                    f,
                    "This machine lacks {names}, and has no package manager that is known here \
                     (apt, dnf, pacman, brew). Please install:"
                )?;
                for need in missing {
                    write!(f, "\n    {}", need.in_words())?;
                }
                write!(f, "\nThen run the same command again.")
            }
        }
    }
}

impl Need {
    /// What to look for on a system that we do not know.
    fn in_words(self) -> &'static str {
        match self {
            Need::Compiler => "a C compiler that is called `cc`, with its linker and C library",
            Need::OpenBlas => {
                "OpenBLAS with CBLAS, LAPACK and its development files \
                 (the linker must find it as -lopenblas)"
            }
        }
    }
}

#[cfg(test)]
mod tests;

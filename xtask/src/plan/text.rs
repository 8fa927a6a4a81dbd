//! What is said about a plan.

use super::{Need, Plan, Words};
use std::fmt;

/// The commands as lines to type.
pub fn lines(commands: &[Words]) -> String {
    let lines: Vec<String> =
        commands.iter().map(|words| format!("    {}", words.join(" "))).collect();
    lines.join("\n")
}

/// The names of what is missing, as they stand in a sentence.
pub fn names(missing: &[Need]) -> String {
    let names: Vec<String> = missing.iter().map(Need::to_string).collect();
    match &names[..] {
        [some @ .., last] if some.len() > 1 => format!("{} and {last}", some.join(", ")),
        names => names.join(" and "),
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Need::Compiler => "a C compiler",
            Need::OpenBlas => "OpenBLAS",
            Need::Patch => "patch",
            Need::MdBook => "mdbook",
            Need::MdBookKatex => "mdbook-katex",
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
            Plan::Replace { unfit } => {
                let (mut sentences, mut commands) = (Vec::new(), Vec::new());
                for (tool, version) in unfit {
                    let (name, series) = (tool.name, tool.series());
                    sentences.push(format!(
                        "{name} {version} is installed, and the book is made with {name} {series}."
                    ));
                    commands.push(tool.install());
                }
                write!(
                    f,
                    "{}\nPlease put the right one in its place, by typing:\n{}\n\
                     Then run the same command again.",
                    sentences.join("\n"),
                    lines(&commands)
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
            Need::Patch => "the program `patch`",
            Need::MdBook | Need::MdBookKatex => "a tool that `cargo install` brings",
        }
    }
}

//! Carries a plan out, after saying what it is.

use crate::found;
use crate::plan::{self, Found, Need, Plan, Words};
use std::process::Command;

/// Why this machine is not set up now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing that we could do ourselves.
    #[error("{0}")]
    NotOurs(Plan),
    /// A command of the plan failed.
    #[error(
        "`{command}` failed ({reason}).\nOnce that is mended, type:\n{}\n\
         Then run the same command again.",
        plan::lines(.commands)
    )]
    Failed {
        /// The command that failed.
        command: String,
        /// How.
        reason: String,
        /// All that has to be done.
        commands: Vec<Words>,
    },
    /// The plan went through, and did not help.
    #[error(
        "the installation went well, and still this machine lacks {}: {}",
        plan::names(.0),
        if .0.iter().all(|need| need.tool().is_some()) {
            "it does not start. Does it start when you type its name?"
        } else {
            "`cc` links no test program. Is OpenBLAS where the linker looks, with CBLAS and LAPACK?"
        }
    )]
    StillMissing(Vec<Need>),
}

/// Installs what is missing, or says what to type.
pub fn set_up(needed: &[Need]) -> Result<(), Error> {
    let mut found = found::look(needed);
    if found.missing.is_empty() && found.unfit.is_empty() {
        return Ok(());
    }
    let mut result = install(&found);
    if let Err(Error::Failed { .. }) = result {
        // Old lists name versions that the servers have since replaced: once more, with
        // new lists.
        let plan = plan::plan(&found);
        found.lists = false;
        if plan != plan::plan(&found) {
            eprintln!("That failed. Once more, with new lists of packages.");
            result = install(&found);
        }
    }
    result?;
    match found::look(needed).missing {
        missing if missing.is_empty() => Ok(()),
        missing => Err(Error::StillMissing(missing)),
    }
}

fn install(found: &Found) -> Result<(), Error> {
    let plan = plan::plan(found);
    let Plan::Install { commands, .. } = &plan else {
        return Err(Error::NotOurs(plan));
    };
    eprintln!("{plan}");
    for command in commands {
        let (program, args) = command.split_first().expect("a command has a first word");
        let reason = match Command::new(program).args(args).status() {
            Ok(status) if status.success() => continue,
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        return Err(Error::Failed {
            command: command.join(" "),
            reason,
            commands: commands.clone(),
        });
    }
    Ok(())
}

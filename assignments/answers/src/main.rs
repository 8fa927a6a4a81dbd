//! The process in which the code of students runs. It makes the calls that it reads from standard
//! input, and writes what came of them to standard output. It knows no answer: the grader, which
//! started it, compares.

mod chapters;

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::{io as unix, stdio};
use signatures::{Call, read_frame, reply_to, write_frame};
use std::fs::File;
use std::io::{self, BufReader};

fn main() -> io::Result<()> {
    limit(Resource::As, 2 << 30)?;
    limit(Resource::Fsize, 64 << 20)?;
    limit(Resource::Core, 0)?;
    // What students print goes to standard error, and what they read is empty: the two pipes are
    // ours alone.
    let mut calls = BufReader::new(File::from(unix::dup(stdio::stdin())?));
    let mut replies = File::from(unix::dup(stdio::stdout())?);
    stdio::dup2_stdin(File::open("/dev/null")?)?;
    stdio::dup2_stdout(stdio::stderr())?;
    while let Some(call) = read_frame::<Call>(&mut calls)? {
        write_frame(&mut replies, &reply_to(|| chapters::answer(&call)))?;
    }
    Ok(())
}

/// Takes no more than this from now on, and never again more. Where a system does not know the
/// limit, there is none.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    match setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }) {
        // It was lower already.
        Err(unix::Errno::PERM | unix::Errno::INVAL) => Ok(()),
        result => Ok(result?),
    }
}

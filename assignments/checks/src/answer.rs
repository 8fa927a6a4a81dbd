//! Where answers come from: functions in this process, or the student's process.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use signatures::{Call, Misfit, Reply, Value, read_frame, reply_to, write_frame};

/// What became of one call.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The function returned.
    Returned(Value),
    /// The function is still `todo!()`.
    NotWritten,
    /// The function panicked: what it said, and where.
    Panicked(String),
    /// The student's process ended: how.
    Ended(String),
    /// It had not returned when its time was over.
    TooSlow,
}

/// Something that can be called.
pub trait Answers {
    /// What becomes of this call.
    fn answer(&mut self, call: &Call) -> Answer;
}

/// Functions in this process, which can be trusted to return.
impl<F: Fn(&Call) -> Result<Value, Misfit>> Answers for F {
    fn answer(&mut self, call: &Call) -> Answer {
        reply_to(|| self(call)).into()
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Returned(value) if value.is_sound() => Self::Returned(value),
            Reply::Returned(_) => Self::Ended("it sent an array that is none".to_owned()),
            Reply::NotWritten => Self::NotWritten,
            Reply::Panicked(said) => Self::Panicked(said),
            Reply::Misfit(why) => Self::Ended(why),
        }
    }
}

/// The process that runs a student's code. Nothing that comes out of it is trusted: it is
/// compared here. Dropping this ends the process, and all that it started.
pub struct Student {
    child: Child,
    calls: Sender<Call>,
    replies: Receiver<io::Result<Option<Reply>>>,
    printed: Receiver<String>,
    deadline: Instant,
    ended: Option<Answer>,
}

/// So much of what a student's code prints is kept.
const MOST_PRINTED: u64 = 4000;

impl Student {
    /// Starts a process that has this long for everything that it will be asked. `command` is a
    /// program and its arguments.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &[OsString], limit: Duration) -> io::Result<Self> {
        let [program, arguments @ ..] = command else {
            return Err(io::Error::other("no program to start"));
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (calls, to_send) = mpsc::channel();
        let (received, replies) = mpsc::channel();
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("no pipes"));
        };
        thread::spawn(move || converse(stdin, stdout, &to_send, &received));
        let (print, printed) = mpsc::channel();
        thread::spawn(move || print.send(read_print(stderr)));
        let deadline = Instant::now() + limit;
        Ok(Self { child, calls, replies, printed, deadline, ended: None })
    }

    /// Ends the process, and returns what the student's code printed.
    pub fn finish(mut self) -> String {
        self.kill();
        // A process that hides from its group may keep the pipe open for ever.
        self.printed.recv_timeout(Duration::from_secs(1)).unwrap_or_default()
    }

    /// Why there is no reply, now that the pipe is closed.
    fn how_it_ended(&mut self) -> Answer {
        // Whoever closes its pipe and lives on has not ended by itself.
        let waiting = Instant::now();
        while waiting.elapsed() < Duration::from_secs(1) {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Ok(Some(status)) => return Answer::Ended(in_words(status)),
                Err(error) => return Answer::Ended(error.to_string()),
            }
        }
        Answer::Ended("it closed the pipe through which it replies".to_owned())
    }

    fn kill(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answers for Student {
    fn answer(&mut self, call: &Call) -> Answer {
        if let Some(ended) = &self.ended {
            return ended.clone();
        }
        // If nobody listens any more, the channel of replies says why.
        let _ = self.calls.send(call.clone());
        let left = self.deadline.saturating_duration_since(Instant::now());
        let answer = match self.replies.recv_timeout(left) {
            Ok(Ok(Some(reply))) => reply.into(),
            Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => self.how_it_ended(),
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => self.how_it_ended(),
            Ok(Err(error)) => Answer::Ended(format!("its reply cannot be read: {error}")),
            Err(RecvTimeoutError::Timeout) => Answer::TooSlow,
        };
        if matches!(answer, Answer::Ended(_) | Answer::TooSlow) {
            self.kill();
            self.ended = Some(answer.clone());
        }
        answer
    }
}

impl Drop for Student {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends calls and receives replies, in a thread of its own: a pipe that nobody reads would
/// stop us for ever.
fn converse(
    mut stdin: ChildStdin,
    mut stdout: ChildStdout,
    calls: &Receiver<Call>,
    replies: &Sender<io::Result<Option<Reply>>>,
) {
    for call in calls {
        let reply = write_frame(&mut stdin, &call).and_then(|()| read_frame(&mut stdout));
        let last = !matches!(reply, Ok(Some(_)));
        if replies.send(reply).is_err() || last {
            return;
        }
    }
}

/// The first words of what was printed. What comes after them is read too, and dropped: a full
/// pipe would stop the student's code.
fn read_print(mut from: impl Read) -> String {
    let mut first = Vec::new();
    let _ = from.by_ref().take(MOST_PRINTED).read_to_end(&mut first);
    let rest = io::copy(&mut from, &mut io::sink()).unwrap_or(0);
    let mut text = String::from_utf8_lossy(&first).into_owned();
    // Nothing that a terminal would obey.
    text.retain(|c| c == '\n' || c == '\t' || !c.is_control());
    if rest > 0 {
        text += &format!("\n… and {rest} bytes more");
    }
    text
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended by itself, with exit code {code}"),
        (None, Some(6 | 11)) => "it was aborted: a recursion without end, or no memory".to_owned(),
        (None, Some(9)) => "it was killed: too much memory?".to_owned(),
        (None, Some(signal)) => format!("it ended with signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a call of this shell script, and what it printed.
    fn answer_of(script: &str) -> (Answer, String) {
        let command = ["sh", "-c", script].map(OsString::from);
        let mut student = Student::start(&command, Duration::from_millis(500)).unwrap();
        let call = Call { function: "f".to_owned(), arguments: Vec::new() };
        let answer = student.answer(&call);
        assert_eq!(student.answer(&call), answer, "{script}: it is over, once and for all");
        (answer, student.finish())
    }

    fn ended(how: &str) -> Answer {
        Answer::Ended(how.to_owned())
    }

    #[test]
    fn a_process_that_does_not_answer_is_described() {
        assert_eq!(answer_of("exit 0").0, ended("it ended by itself, with exit code 0"));
        assert_eq!(answer_of("exit 3").0, ended("it ended by itself, with exit code 3"));
        assert_eq!(answer_of("kill -TERM $$").0, ended("it ended with signal 15"));
        assert_eq!(answer_of("sleep 60").0, Answer::TooSlow);
        let open = answer_of("exec >&-; sleep 60").0;
        assert_eq!(open, ended("it closed the pipe through which it replies"));
    }

    #[test]
    fn nonsense_is_no_answer() {
        for script in
            ["yes", "cat /dev/zero", "printf '\\4\\0\\0\\0abcd'", "printf '\\377\\377\\377\\377'"]
        {
            let answer = answer_of(script).0;
            assert!(matches!(answer, Answer::Ended(_)), "{script}: {answer:?}");
        }
        let array = Value::Array { shape: vec![3], by_columns: false, numbers: vec![1.0] };
        assert!(matches!(Answer::from(Reply::Returned(array)), Answer::Ended(_)));
    }

    #[test]
    fn what_is_printed_is_kept_up_to_a_length() {
        assert_eq!(answer_of("echo here >&2; exit 1").1, "here\n");
        assert_eq!(answer_of("printf '\\033[2Jred\\r' >&2; exit 1").1, "[2Jred");
        let (_, printed) = answer_of("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1");
        assert!(printed.len() < 5000 && printed.ends_with("… and 996000 bytes more"), "{printed}");
    }

    #[test]
    fn what_it_started_ends_with_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display();
        let (answer, _) = answer_of(&format!("(sleep 1.5; echo alive > {path}) & sleep 60"));
        assert_eq!(answer, Answer::TooSlow);
        thread::sleep(Duration::from_secs(2));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let missing = ["/there/is/no/such/program".into()];
        assert!(Student::start(&missing, Duration::from_secs(1)).is_err());
        assert!(Student::start(&[], Duration::from_secs(1)).is_err());
    }
}

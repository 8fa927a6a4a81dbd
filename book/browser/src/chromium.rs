//! Chromium without a window, spoken to through a pipe: messages in JSON, each ended by a zero.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What can go wrong with a browser, in a sentence.
pub type Result<T> = std::result::Result<T, String>;

/// How long a page may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// The names that Chromium and its relatives are installed under.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A running browser.
pub struct Chromium {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    /// What was told and not yet asked for, by session.
    events: HashMap<String, Vec<Value>>,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts the browser, with an empty profile of its own.
    pub fn start() -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there = |name: &&str| std::env::split_paths(&path).any(|at| at.join(name).is_file());
        let program = PROGRAMS.into_iter().find(is_there).ok_or_else(|| {
            format!("there is no browser here: install one of {}", PROGRAMS.join(", "))
        })?;
        let profile = tempfile::tempdir().map_err(|error| format!("no place to work: {error}"))?;
        let mut command = Command::new("sh");
        // Chromium listens on 3 and answers on 4.
        command.args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#, program]);
        command.args(["--headless", "--remote-debugging-pipe", "--no-first-run"]);
        command.args(["--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]);
        // Pages that we have built ourselves need no sandbox, which root could not have.
        command.arg("--no-sandbox");
        // Whatever a page asks of others is not there, and is seen to be asked for.
        command.args(["--disable-background-networking", "--disable-component-update"]);
        command.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().map_err(|error| format!("cannot start {program}: {error}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else { unreachable!("both are piped") };
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(std::result::Result::ok) {
                let message = serde_json::from_slice(&message).unwrap_or_default();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let events = HashMap::new();
        Ok(Self { child, input, messages, last_id: 0, events, _profile: profile })
    }

    /// Asks for something, and waits for the answer.
    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Result<Value> {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let sent = self.input.write_all(format!("{message}\0").as_bytes());
        sent.map_err(|error| format!("the browser is gone: {error}"))?;
        let until = Instant::now() + PATIENCE;
        loop {
            let mut message = self.receive(until, method)?;
            if message["id"] == self.last_id {
                return match &message["error"]["message"] {
                    Value::Null => Ok(message["result"].take()),
                    error => Err(format!("{method}: {error}")),
                };
            }
            self.keep(message);
        }
    }

    fn receive(&mut self, until: Instant, what: &str) -> Result<Value> {
        let left = until.saturating_duration_since(Instant::now());
        self.messages.recv_timeout(left).map_err(|error| format!("{what}: {error}"))
    }

    fn keep(&mut self, event: Value) {
        if let Some(session) = event["sessionId"].as_str() {
            self.events.entry(session.to_owned()).or_default().push(event);
        }
    }

    /// A new tab, as if this browser had never been used.
    pub fn tab(&mut self) -> Result<Tab<'_>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let context = self.call(None, "Target.createBrowserContext", json!({}))?;
        let context = text(&context["browserContextId"]);
        let params = json!({ "url": "about:blank", "browserContextId": context });
        let target = self.call(None, "Target.createTarget", params)?;
        let params = json!({ "targetId": target["targetId"], "flatten": true });
        let session = text(&self.call(None, "Target.attachToTarget", params)?["sessionId"]);
        let mut tab = Tab { chromium: self, context, session, events: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(tab)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A tab, with a memory of its own.
pub struct Tab<'a> {
    chromium: &'a mut Chromium,
    context: String,
    session: String,
    events: Vec<Value>,
}

impl Tab<'_> {
    /// Asks for something, and waits for the answer.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        let answer = self.chromium.call(Some(&self.session), method, params);
        self.gather();
        answer
    }

    /// Goes to a page, and waits until it is loaded and nothing moves any more.
    pub fn open(&mut self, address: &str) -> Result<()> {
        let seen = self.events.len();
        let answer = self.call("Page.navigate", json!({ "url": address }))?;
        if let Some(error) = answer["errorText"].as_str() {
            return Err(format!("{address}: {error}"));
        }
        self.wait(&format!("loading {address}"), |events| {
            events[seen..].iter().any(|event| event["method"] == "Page.loadEventFired")
        })?;
        self.settle()
    }

    /// Waits until fonts are there and no request is under way.
    pub fn settle(&mut self) -> Result<()> {
        let quiet = "document.fonts.ready.then(() => new Promise(done => setTimeout(done, 30)))";
        self.evaluate(&format!("{quiet}.then(() => null)"))?;
        self.wait("waiting for the last request", |events| {
            let count = |methods: &[&str]| {
                let is = |event: &&Value| methods.iter().any(|method| event["method"] == *method);
                let ids = events.iter().filter(is).map(|e| e["params"]["requestId"].to_string());
                ids.collect::<std::collections::BTreeSet<_>>()
            };
            let ended = count(&["Network.loadingFinished", "Network.loadingFailed"]);
            let begun = count(&["Network.requestWillBeSent"]);
            begun.is_subset(&ended)
        })
    }

    fn wait(&mut self, what: &str, is_over: impl Fn(&[Value]) -> bool) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while !is_over(&self.events) {
            let message = self.chromium.receive(until, what)?;
            self.chromium.keep(message);
            self.gather();
        }
        Ok(())
    }

    fn gather(&mut self) {
        self.events.extend(self.chromium.events.remove(&self.session).unwrap_or_default());
    }

    /// Everything that has happened so far, with these names.
    pub fn events(&self, method: &str) -> impl Iterator<Item = &Value> {
        let events = self.events.iter().filter(move |event| event["method"] == method);
        events.map(|event| &event["params"])
    }

    /// The value of an expression in the page; of a promise, what it promises.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", params)?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].take()),
            details => Err(format!("in the page: {}", details["exception"]["description"])),
        }
    }

    /// Presses a key, such as `Tab` or `/`.
    pub fn press(&mut self, key: &str) -> Result<()> {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "ArrowDown" => 40,
            key => key.bytes().next().map_or(0, |byte| u32::from(byte.to_ascii_uppercase())),
        };
        let text = match key {
            "Enter" => "\r",
            key if key.len() == 1 => key,
            _ => "",
        };
        let mut params = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        if !text.is_empty() {
            params["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", params)?;
        let params = json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", params).map(drop)
    }
}

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        let params = json!({ "browserContextId": self.context });
        let _ = self.chromium.call(None, "Target.disposeBrowserContext", params);
        self.chromium.events.remove(&self.session);
    }
}

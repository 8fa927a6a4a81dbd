//! One page, looked at in all the ways that its readers may.

use serde_json::{Value, json};

use crate::chromium::{Chromium, Result, Tab};

/// What a page may weigh with all that it loads, in bytes, sent as web servers send it:
/// compressed. (The same classes and styles stand in every formula: a tenth of it is left.)
pub const WEIGHT: f64 = 1_000_000.0;

/// How wide a phone is.
const PHONE: u32 = 375;

/// How a reader looks at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// On a large screen by day.
    Light,
    /// On a large screen by night: the theme that the book prefers then.
    Dark,
    /// With a theme that the reader has chosen.
    Navy,
    /// On a phone.
    Phone,
    /// On paper, with the same choice.
    Paper,
}

impl Look {
    fn name(self) -> &'static str {
        match self {
            Look::Light => "light",
            Look::Dark => "dark",
            Look::Navy => "navy",
            Look::Phone => "phone",
            Look::Paper => "paper",
        }
    }

    /// Makes a tab show its pages like this.
    pub fn apply(self, tab: &mut Tab) -> Result<()> {
        let phone = self == Look::Phone;
        let (width, height) = if phone { (PHONE, 800) } else { (1280, 1000) };
        let screen =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        tab.call("Emulation.setDeviceMetricsOverride", screen)?;
        let scheme = if self == Look::Dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let media = if self == Look::Paper { "print" } else { "" };
        tab.call("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }))?;
        // The page for printing opens a dialogue that nobody is there to close.
        let mut script = "window.print = () => {};".to_owned();
        if matches!(self, Look::Navy | Look::Paper) {
            script += "localStorage.setItem('mdbook-theme', 'navy');";
        }
        tab.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).map(drop)
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The page, from the book's folder.
    pub page: String,
    /// How one has to look at it; empty if that is all the same.
    pub look: &'static str,
    /// What.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { page, look, what } = self;
        if look.is_empty() {
            write!(f, "{page}: {what}")
        } else {
            write!(f, "{page}, {look}: {what}")
        }
    }
}

/// What is known of a page once it has been looked at.
#[derive(Debug, Default)]
pub struct Page {
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// How many bytes came for it.
    pub weight: f64,
    /// Its links: where they lead, and how they look.
    pub links: Vec<(String, String)>,
    /// What in it links can lead to.
    pub targets: Vec<String>,
}

/// Looks at the page `name` of the book at `origin`.
pub fn look(chromium: &mut Chromium, origin: &str, name: &str) -> Result<Page> {
    let mut page = Page::default();
    let mut night = Value::Null;
    let looks: &[Look] = match name {
        // All of the book: what its pages are on a screen has been seen.
        "print.html" => &[Look::Light, Look::Paper],
        _ => &[Look::Light, Look::Dark, Look::Navy, Look::Phone],
    };
    for &look in looks {
        let mut tab = chromium.tab()?;
        look.apply(&mut tab)?;
        tab.open(&format!("{origin}/{name}"))?;
        let theme = tab.evaluate("[...document.documentElement.classList].sort().join(' ')")?;
        if look == Look::Navy && night == theme {
            continue; // The book's own choice: seen already.
        }
        if look == Look::Dark {
            night = theme;
        }
        tab.evaluate(include_str!("checks.js"))?;
        let mut findings = Findings { page: name, look: look.name(), list: &mut page.findings };
        if look == Look::Light {
            findings.look = "";
            for check in ["raw", "pictures", "ids"] {
                findings.extend(&tab.evaluate(&format!("pages.{check}()"))?);
            }
            let links = tab.evaluate("pages.links()")?;
            (page.links, page.targets) = read_links(&links);
            page.weight = tab
                .events("Network.loadingFinished")
                .filter_map(|e| e["encodedDataLength"].as_f64())
                .sum();
            if page.weight > WEIGHT && name != "print.html" {
                let (found, most) = (page.weight, WEIGHT);
                findings.push(format!("{found} bytes are loaded, more than {most}"));
            }
            if name != "print.html" {
                findings.look = "keyboard";
                findings.extend(&keyboard(&mut tab)?);
            }
        }
        findings.look = look.name();
        match look {
            Look::Phone => findings.extend(&tab.evaluate(&format!("pages.width({PHONE})"))?),
            _ if look == Look::Light && name == "print.html" => {}
            _ => findings.extend(&tab.evaluate("pages.contrasts()")?),
        }
        happened(&tab, origin, &mut findings);
    }
    Ok(page)
}

/// A list of findings on one page in one look.
struct Findings<'a> {
    page: &'a str,
    look: &'static str,
    list: &'a mut Vec<Finding>,
}

impl Findings<'_> {
    fn push(&mut self, what: String) {
        let (page, look) = (self.page.to_owned(), self.look);
        self.list.push(Finding { page, look, what });
    }

    /// Adds the sentences of a check.
    fn extend(&mut self, sentences: &Value) {
        for sentence in sentences.as_array().into_iter().flatten() {
            self.push(sentence.as_str().unwrap_or_default().to_owned());
        }
    }
}

fn read_links(links: &Value) -> (Vec<(String, String)>, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |key: &str| links[key].as_array().cloned().unwrap_or_default();
    let to = list("to").iter().map(|link| (text(&link[0]), text(&link[1]))).collect();
    (to, list("targets").iter().map(text).collect())
}

/// Goes through a page with the Tab key.
fn keyboard(tab: &mut Tab) -> Result<Value> {
    let controls = tab.evaluate("pages.keyboard()")?.as_u64().unwrap_or(0);
    // Regions that scroll have the focus in passing.
    for presses in 0..2 * controls + 10 {
        if presses % 20 == 0 && tab.evaluate("pages_reached()")? == true {
            break;
        }
        tab.press("Tab")?;
    }
    tab.evaluate("pages_keyboard()")
}

/// What the browser has told while the page was loaded and looked at.
fn happened(tab: &Tab, origin: &str, findings: &mut Findings) {
    for event in tab.events("Runtime.consoleAPICalled") {
        let kind = event["type"].as_str().unwrap_or_default();
        if ["error", "warning", "assert"].contains(&kind) {
            let words = event["args"].as_array().into_iter().flatten().map(|arg| {
                let text = arg["value"].as_str().or_else(|| arg["description"].as_str());
                text.unwrap_or_default().to_owned()
            });
            findings.push(format!("console, {kind}: {}", words.collect::<Vec<_>>().join(" ")));
        }
    }
    for event in tab.events("Runtime.exceptionThrown") {
        let details = &event["exceptionDetails"];
        findings.push(format!("a script failed: {}", details["exception"]["description"]));
    }
    for event in tab.events("Log.entryAdded") {
        let entry = &event["entry"];
        let (level, source) = (entry["level"].as_str(), entry["source"].as_str());
        // Failed requests are told below.
        if matches!(level, Some("error" | "warning")) && source != Some("network") {
            findings.push(format!("the browser complains: {}", entry["text"]));
        }
    }
    for event in tab.events("Network.requestWillBeSent") {
        let address = event["request"]["url"].as_str().unwrap_or_default();
        let inside = ["data:", "blob:", "about:"].iter().any(|scheme| address.starts_with(scheme));
        if !inside && !address.starts_with(&format!("{origin}/")) {
            findings.push(format!("asks another server for {address}"));
        }
    }
    for event in tab.events("Network.responseReceived") {
        let (status, address) = (&event["response"]["status"], &event["response"]["url"]);
        if status.as_f64().is_some_and(|status| status >= 400.0) {
            findings.push(format!("status {status} for {address}"));
        }
    }
    for event in tab.events("Network.loadingFailed") {
        let id = &event["requestId"];
        // What was answered with a status has been told.
        if tab.events("Network.responseReceived").any(|e| e["requestId"] == *id) {
            continue;
        }
        let request = tab.events("Network.requestWillBeSent").find(|e| e["requestId"] == *id);
        let address = request.map_or("something", |e| e["request"]["url"].as_str().unwrap_or(""));
        findings.push(format!("cannot load {address}: {}", event["errorText"]));
    }
}

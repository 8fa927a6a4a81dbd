//! The book's search, used without a mouse; and the book on paper.

use serde_json::json;

use crate::chromium::{Chromium, Result, Tab};
use crate::page::{Finding, Look};

/// Looks for a word that the book is full of, and goes to what is found.
pub fn check(chromium: &mut Chromium, origin: &str, word: &str) -> Result<Vec<Finding>> {
    let mut tab = chromium.tab()?;
    tab.open(&format!("{origin}/index.html"))?;
    let problem = match find(&mut tab, word)? {
        None => return Ok(Vec::new()),
        Some(problem) => problem,
    };
    let what = format!("search for \"{word}\": {problem}");
    Ok(vec![Finding { page: "index.html".into(), look: "keyboard", what }])
}

/// What goes wrong, if something does.
fn find(tab: &mut Tab, word: &str) -> Result<Option<String>> {
    tab.press("/")?;
    if !comes_true(tab, "document.activeElement.localName === 'input'")? {
        return Ok(Some("the key / does not lead to a field".into()));
    }
    tab.call("Input.insertText", json!({ "text": word }))?;
    let results = "document.querySelectorAll('[id*=searchresults] a')";
    if !comes_true(tab, &format!("{results}.length > 0"))? {
        return Ok(Some("nothing is found".into()));
    }
    let first = tab.evaluate(&format!("{results}[0].href"))?;
    tab.press("ArrowDown")?;
    tab.press("Enter")?;
    let address = first.as_str().unwrap_or_default().split('?').next().unwrap_or_default();
    if !comes_true(tab, &format!("location.href.startsWith({address:?})"))? {
        return Ok(Some(format!("the result {address} does not open")));
    }
    let found = format!("document.body?.innerText.toLowerCase().includes({word:?})");
    if !comes_true(tab, &found)? {
        return Ok(Some(format!("the word does not stand in {address}")));
    }
    Ok(None)
}

/// Waits a while for something in the page.
fn comes_true(tab: &mut Tab, expression: &str) -> Result<bool> {
    for _ in 0..100 {
        // While a page goes and another comes there is nobody to ask.
        if tab.evaluate(expression).is_ok_and(|value| value == true) {
            return Ok(true);
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Ok(false)
}

/// Prints a chapter with a figure that moves, and says how many bytes that makes. (The page that holds
/// the whole book can be printed, too, but takes minutes.)
pub fn paper(chromium: &mut Chromium, origin: &str) -> Result<usize> {
    let mut tab = chromium.tab()?;
    Look::Paper.apply(&mut tab)?;
    tab.open(&format!("{origin}/chapter08.html"))?;
    let stream = tab.call("Page.printToPDF", json!({ "transferMode": "ReturnAsStream" }))?;
    let mut bytes = 0;
    loop {
        let part = tab.call("IO.read", json!({ "handle": stream["stream"] }))?;
        // Three bytes in four letters.
        bytes += part["data"].as_str().map_or(0, str::len) / 4 * 3;
        if part["eof"] == true {
            return Ok(bytes);
        }
    }
}

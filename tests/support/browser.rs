//! A real browser without a screen: Chromium, driven over WebDriver (<https://www.w3.org/TR/webdriver2/>).

use crate::root;
use crate::running::wait_for;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use eyre::{Result, WrapErr, bail, eyre};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines, Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs};

/// The name of an element's reference in an answer (WebDriver, 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// The key Enter as text that is typed (WebDriver, 17.4.2).
pub const ENTER: &str = "\u{E007}";

/// How often a driver is started that ends before it listens.
const STARTS: usize = 3;

type Words = Lines<BufReader<ChildStdout>>;

/// A browser with one page. It ends with the test.
pub struct Browser {
    driver: Child,
    /// Kept open: a driver whose words nobody hears would end.
    _words: Words,
    session: String,
}

/// A driver that listens, what it goes on to say, and its port.
///
/// One that ended before that failed a test once, nobody heard why: it has another try, and its words are in the error.
fn drive() -> Result<(Child, Words, u16)> {
    let program = env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
    let mut said = String::new();
    for _ in 0..STARTS {
        // A file: nobody reads along, and a pipe would fill.
        let mut errors = tempfile::tempfile()?;
        let mut command = Command::new(&program);
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone()?)
            .process_group(0);
        let mut driver = command.spawn().wrap_err_with(|| {
            format!(
                "{program} does not start, and this test needs a browser: apt-get install chromium chromium-driver \
                 (Debian; elsewhere install Chrome and name its driver: CHROMEDRIVER=/path/to/chromedriver)"
            )
        })?;
        let mut words = BufReader::new(driver.stdout.take().ok_or_else(|| eyre!("no output"))?).lines();
        for line in words.by_ref().map_while(Result::ok) {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return Ok((driver, words, port.trim_end_matches('.').parse()?));
            }
            said += &format!("{line}\n");
        }
        said += &format!("{}\n", driver.wait()?);
        errors.rewind()?;
        errors.read_to_string(&mut said)?;
    }
    bail!("{program} ended {STARTS} times before it said its port:\n{said}")
}

impl Browser {
    /// Starts Chromium and opens an address.
    ///
    /// # Errors
    /// There is no Chromium or no driver for it; the page does not load.
    pub fn open(address: &str) -> Result<Self> {
        Self::open_with(address, &[])
    }

    /// As [`open`](Self::open), with a camera that plays a film (`.mjpeg`) and a microphone that beeps; both are allowed without
    /// a question.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_camera(address: &str, film: &Path) -> Result<Self> {
        let film = format!("--use-file-for-fake-video-capture={}", film.display());
        Self::open_with(address, &["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", &film])
    }

    /// As [`open`](Self::open), with further arguments of Chromium.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(address: &str, further: &[&str]) -> Result<Self> {
        let (driver, words, port) = drive()?;
        let mut browser = Self { driver, _words: words, session: String::new() };
        // Chromium in a container has no sandbox, and must not fill the shared memory that the mirror is measured in.
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000"];
        let arguments = [&arguments, further].concat();
        // Eager: the live picture never ends to load.
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "pageLoadStrategy": "eager",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let base = format!("http://127.0.0.1:{port}/session");
        let session = post(&base, &wanted).wrap_err("Chromium does not start: apt-get install chromium")?;
        let id = session["sessionId"].as_str().ok_or_else(|| eyre!("no session: {session}"))?;
        browser.session = format!("{base}/{id}");
        browser.ask("url", &json!({"url": address}))?;
        Ok(browser)
    }

    fn ask(&self, command: &str, body: &Value) -> Result<Value> {
        post(&format!("{}/{command}", self.session), body)
    }

    /// The first element that a CSS selector finds.
    fn find(&self, selector: &str) -> Result<String> {
        let found = self.ask("element", &json!({"using": "css selector", "value": selector}))?;
        found[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| eyre!("no element {selector}: {found}"))
    }

    /// The value of a JavaScript function's body: `return document.title`.
    ///
    /// # Errors
    /// It throws.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.ask("execute/sync", &json!({"script": script, "args": []}))
    }

    /// The text of the element of that id, as people see it: empty while it is hidden.
    ///
    /// # Errors
    /// There is no such element.
    pub fn text(&self, id: &str) -> Result<String> {
        let text = self.run(&format!("return document.getElementById('{id}').innerText"))?;
        text.as_str().map(str::to_owned).ok_or_else(|| eyre!("{id} has no text: {text}"))
    }

    /// Replaces what is in a field by that text, key by key; [`ENTER`] is the key Enter.
    ///
    /// # Errors
    /// There is no such field, or it cannot be typed into.
    pub fn type_into(&self, id: &str, text: &str) -> Result<()> {
        let element = self.find(&format!("#{id}"))?;
        self.ask(&format!("element/{element}/click"), &json!({}))?;
        // Select all, as people do.
        self.ask(&format!("element/{element}/value"), &json!({"text": "\u{E009}a\u{E000}"}))?;
        self.ask(&format!("element/{element}/value"), &json!({"text": text})).map(drop)
    }

    /// Presses keys in the element of that id: see "Keyboard Actions" of WebDriver, 17.4.2.
    ///
    /// # Errors
    /// There is no such element, or it takes no keys.
    pub fn press(&self, id: &str, keys: &str) -> Result<()> {
        let element = self.find(&format!("#{id}"))?;
        self.ask(&format!("element/{element}/value"), &json!({"text": keys})).map(drop)
    }

    /// Presses a key in no field: what had the focus loses it first.
    ///
    /// # Errors
    /// The driver knows no such key.
    pub fn shortcut(&self, key: &str) -> Result<()> {
        self.run("document.activeElement.blur()")?;
        let strokes = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.ask("actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})).map(drop)
    }

    /// Clicks the element of that id, where people would.
    ///
    /// # Errors
    /// There is no such element, or something else lies over it.
    pub fn click(&self, id: &str) -> Result<()> {
        self.click_first(&format!("#{id}"))
    }

    /// As [`click`](Self::click), the first element that a CSS selector finds.
    ///
    /// # Errors
    /// As [`click`](Self::click).
    pub fn click_first(&self, selector: &str) -> Result<()> {
        let element = self.find(selector)?;
        self.ask(&format!("element/{element}/click"), &json!({})).map(drop)
    }

    /// Whatever the page offers to be saved from now on goes into that folder, without a question.
    ///
    /// # Errors
    /// The driver cannot: it is not Chromium's.
    pub fn save_into(&self, folder: &Path) -> Result<()> {
        let place = json!({"behavior": "allow", "downloadPath": folder.display().to_string()});
        self.ask("goog/cdp/execute", &json!({"cmd": "Browser.setDownloadBehavior", "params": place})).map(drop)
    }

    /// Answers the browser's question for the page: `camera`, `granted` or `denied`.
    ///
    /// # Errors
    /// The driver knows no such permission.
    pub fn permit(&self, name: &str, state: &str) -> Result<()> {
        self.ask("permissions", &json!({"descriptor": {"name": name}, "state": state})).map(drop)
    }

    /// Makes the window as large as that, in pixels.
    ///
    /// # Errors
    /// The driver cannot.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.ask("window/rect", &json!({"width": width, "height": height})).map(drop)
    }

    /// Keeps what is to be seen under that name, for people: `out/screenshots/name.png`.
    ///
    /// # Errors
    /// There is no picture; the file cannot be written.
    pub fn screenshot(&self, name: &str) -> Result<()> {
        let url = format!("{}/screenshot", self.session);
        let answer: Value = ureq::get(&url).call()?.body_mut().with_config().limit(64 << 20).read_json()?;
        let text = answer["value"].as_str().ok_or_else(|| eyre!("no picture: {answer}"))?;
        let folder = root().join("out/screenshots");
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(format!("{name}.png")), BASE64_STANDARD.decode(text)?)?)
    }

    /// Waits until a JavaScript expression is true.
    ///
    /// # Errors
    /// It does not become true.
    pub fn wait_until(&self, what: &str, expression: &str) -> Result<()> {
        let script = format!("return Boolean({expression})");
        wait_for(what, || self.run(&script).is_ok_and(|value| value == true))
            .wrap_err_with(|| self.run("return document.body.innerText").unwrap_or_default().to_string())
    }

    /// What the page has complained of in the console since the last call.
    ///
    /// # Errors
    /// The browser does not say.
    pub fn complaints(&self) -> Result<Vec<String>> {
        let log = self.ask("se/log", &json!({"type": "browser"}))?;
        let lines = log.as_array().ok_or_else(|| eyre!("no log: {log}"))?.iter();
        let lines = lines.filter(|line| line["level"] == "SEVERE" || line["level"] == "WARNING");
        Ok(lines.filter_map(|line| Some(line["message"].as_str()?.to_owned())).collect())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser with the session; what is left of the group goes after it.
        let _ = ureq::delete(&self.session).call();
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.driver.id())]).status();
        let _ = self.driver.wait();
    }
}

/// A command of WebDriver: its `value`, or its error in one line.
fn post(url: &str, body: &Value) -> Result<Value> {
    let request = ureq::post(url).config().http_status_as_error(false).build();
    let answer: Value = request.send_json(body)?.body_mut().read_json()?;
    let value = answer["value"].clone();
    match value["error"].as_str() {
        Some(error) => bail!("{error}: {}", value["message"].as_str().unwrap_or_default().replace('\n', " ")),
        None => Ok(value),
    }
}

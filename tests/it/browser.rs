//! The page for people in a browser: hostile records run nothing and load nothing, and what the page itself does works.
//!
//! It is driven through a pair of pipes, by messages of the Chrome DevTools Protocol that end in a zero byte.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::html::{HOSTILE, event, hostile_page, page};

/// How long an answer may take before the browser is taken for dead.
const PATIENCE: Duration = Duration::from_secs(120);

/// The browser on this machine: what `LAWBOOK_CHROMIUM` names, or one of the usual names.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("LAWBOOK_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// A browser with one page.
struct Browser {
    child: Child,
    to: File,
    from: Receiver<Value>,
    session: String,
    number: u64,
    /// What happened in the page: messages of the console, violations, requests, dialogs, errors.
    told: Vec<Value>,
    folder: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    fn start() -> Option<Self> {
        let Some(program) = chromium().filter(|_| cfg!(unix)) else {
            crate::skipped(
                "the HTML report in a browser: there is no chromium (try: apt-get install chromium, or LAWBOOK_CHROMIUM)",
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let (to, from) = (folder.path().join("to"), folder.path().join("from"));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        let script = r#"exec "$0" --remote-debugging-pipe --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
            --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage \
            --user-data-dir="$1/profile" about:blank 3<>"$1/to" 4<>"$1/from""#;
        let child = Command::new("sh")
            .args(["-c", script])
            .arg(program)
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = OpenOptions::new().write(true).open(to).unwrap();
        let mut reader = BufReader::new(File::open(from).unwrap());
        let (give, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while reader.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                if give.send(serde_json::from_slice(&message).unwrap_or_default()).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Self { child, to, from, session: String::new(), number: 0, told: Vec::new(), folder };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.ask("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// What a method answers.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let number = self.number;
        let mut message = json!({ "id": number, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let told = self.next();
            if told["id"] == number {
                assert!(told.get("error").is_none(), "{method}: {told}");
                return told["result"].clone();
            }
        }
    }

    fn next(&mut self) -> Value {
        let told = self.from.recv_timeout(PATIENCE).expect("the browser answers");
        if told["method"] == "Page.javascriptDialogOpening" {
            // Otherwise it would wait for ever.
            self.number += 1;
            let close = json!({ "id": self.number, "method": "Page.handleJavaScriptDialog", "params": { "accept": false }, "sessionId": self.session });
            self.to.write_all(format!("{close}\0").as_bytes()).unwrap();
        }
        if told.get("method").is_some() {
            self.told.push(told.clone());
        }
        told
    }

    /// Opens a page, and waits until it is there.
    fn open(&mut self, html: &str) -> String {
        let file = self.folder.path().join("page.html");
        fs::write(&file, html).unwrap();
        let url = format!("file://{}", file.display());
        self.told.clear();
        self.ask("Page.navigate", json!({ "url": url }));
        while !self.told.iter().any(|told| told["method"] == "Page.loadEventFired") {
            self.next();
        }
        url
    }

    /// The value of an expression in the page.
    fn value(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.ask("Runtime.evaluate", params);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    fn size(&mut self, width: u32) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
    }

    fn media(&mut self, media: &str, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.ask("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }));
    }

    /// Asserts that the page did nothing but be shown.
    fn assert_quiet(&mut self, url: &str) {
        // What is under way has been told when this is answered.
        self.value("new Promise((done) => setTimeout(done, 300))");
        for told in &self.told {
            let method = told["method"].as_str().unwrap();
            let loud = match method {
                "Page.javascriptDialogOpening" | "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" => true,
                "Log.entryAdded" => true,
                "Audits.issueAdded" => told["params"]["issue"]["code"] == "ContentSecurityPolicyIssue",
                "Network.requestWillBeSent" => {
                    told["params"]["request"]["url"].as_str().unwrap().split('#').next() != Some(url)
                }
                "Page.frameAttached" | "Page.windowOpen" | "Page.downloadWillBegin" => true,
                _ => false,
            };
            assert!(!loud, "{told:#}");
        }
    }
}

/// What a page shows: visible groups, and the texts of the headline of each.
const SHOWN: &str = "[...document.querySelectorAll('#groups > details')].filter((group) => !group.hidden).map((group) => group.querySelector('h3').firstChild.textContent.trim())";

#[test]
fn hostile_records_run_nothing_and_load_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    // What would be asked for over the network would be asked for here.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let page = hostile_page(&host);
    let title = regex::Regex::new("<title>(Lawbook[^<]*)</title>").unwrap().captures(&page).unwrap()[1].to_owned();
    let url = browser.open(&page);
    browser.assert_quiet(&url);
    // Opened, hovered over, focused and clicked, none of it does anything either.
    browser.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    browser.value(
        "document.querySelectorAll('#groups *').forEach((one) => { for (const kind of ['mouseover', 'focus', 'click', 'error', 'load']) one.dispatchEvent(new Event(kind)); })",
    );
    browser.assert_quiet(&url);
    assert_eq!(browser.value("document.title"), title, "a script would have changed it");
    assert!(listener.accept().is_err(), "something called home");
    let elements = "script, iframe, img, object, embed, link, base, form, meta[http-equiv]";
    let counted = browser.value(&format!(
        "[...document.querySelectorAll('{elements}')].map((one) => one.tagName + (one.id || one.httpEquiv || '')).join(' ')"
    ));
    assert_eq!(counted, "METAContent-Security-Policy FORMfilters SCRIPT");
    let handlers = "[...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]).filter((attribute) => /^on|^style$|^srcdoc$/i.test(attribute.name)).length";
    assert_eq!(browser.value(handlers), 0);
    let links = "[...document.links].every((link) => link.href.startsWith('https://') || link.getAttribute('href').startsWith('#'))";
    assert_eq!(browser.value(links), true);
    // The texts are there, as texts.
    let text = browser.value("document.body.textContent");
    for part in [HOSTILE[0], HOSTILE[1], HOSTILE[3], HOSTILE[14], HOSTILE[16]] {
        let shown: String = part
            .chars()
            .flat_map(
                |letter| if letter.is_control() { letter.escape_unicode().collect::<Vec<_>>() } else { vec![letter] },
            )
            .collect();
        assert!(text.as_str().unwrap().contains(&shown), "{shown}");
    }
    // And a browser does stop a script that would have got in.
    let url =
        browser.open(&page.replace(
            "<main>",
            "<main><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">",
        ));
    browser.value("new Promise((done) => setTimeout(done, 300))");
    assert_eq!(browser.value("document.title"), title, "{url}");
}

#[test]
fn filter_and_search_leave_what_was_meant() {
    let Some(mut browser) = Browser::start() else { return };
    let names = ["apple", "pear", "plum", "apple tart"];
    let severities = ["critical", "high", "low", "low"];
    let events: Vec<Value> = names
        .iter()
        .zip(severities)
        .enumerate()
        .map(|(number, (name, severity))| event(number, name, json!({ "severity": severity })))
        .collect();
    let page = page(&events);
    let url = browser.open(&page);
    assert_eq!(browser.value("document.querySelectorAll('#groups > details[open]').length"), 0, "closed to begin with");
    assert_eq!(browser.value("document.getElementById('filters').hidden"), false);
    let mut after = |script: &str| {
        browser.value(script);
        let shown = browser
            .value(SHOWN)
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap().replace(" made", ""))
            .collect::<Vec<_>>();
        let told = browser.value("document.getElementById('matches').textContent");
        assert_eq!(told, format!("{} of 4 groups", shown.len()));
        shown
    };
    let search = |text: &str| {
        format!(
            "(() => {{ const box = document.getElementById('search'); box.value = '{text}'; box.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
        )
    };
    let click = |selector: &str| format!("document.querySelector('{selector}').click()");
    assert_eq!(after("0"), names);
    assert_eq!(after(&search("APPLE")), ["apple", "apple tart"]);
    assert_eq!(after(&search("apple low")), ["apple tart"], "all words");
    assert_eq!(after(&search("198.51.100.7 e-1")), ["pear"], "what only stands in the evidence");
    assert!(after(&search("nothing of it")).is_empty());
    assert_eq!(after(&search("")), names);
    assert_eq!(after(&click("input[value=low]")), ["apple", "pear"]);
    assert_eq!(after(&click("input[value=critical]")), ["pear"]);
    assert_eq!(
        after(
            "(() => { document.querySelector('button[type=reset]').click(); return new Promise((done) => setTimeout(done, 50)); })()"
        ),
        names
    );
    assert!(after(&click("input[value=new]")).is_empty());
    assert_eq!(after(&click("input[value=new]")), names);
    browser.value("document.getElementById('open').click()");
    assert_eq!(browser.value("document.querySelectorAll('#groups > details[open]').length"), 4);
    browser.value("document.getElementById('close').click()");
    assert_eq!(browser.value("document.querySelectorAll('#groups > details[open]').length"), 0);
    // A link to a finding opens it, and a slash goes to the search.
    let id = browser.value("document.querySelectorAll('#groups > details')[2].id").as_str().unwrap().to_owned();
    browser.value(&format!(
        "(() => {{ location.hash = '{id}'; return new Promise((done) => setTimeout(done, 100)); }})()"
    ));
    assert_eq!(
        browser.value("[...document.querySelectorAll('#groups > details')].map((group) => group.open).join()"),
        "false,false,true,false"
    );
    browser.ask("Input.dispatchKeyEvent", json!({ "type": "keyDown", "key": "/", "text": "/" }));
    assert_eq!(browser.value("document.activeElement.id + document.getElementById('search').value"), "search");
    browser.assert_quiet(&url);
    // Without its script all of it can be read.
    browser.ask("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.open(&page);
    let open = browser.value(
        "document.querySelectorAll('#groups > details[open]').length + ' ' + document.getElementById('filters').hidden",
    );
    assert_eq!(open, "4 true");
}

#[test]
fn the_page_fits_narrow_and_wide_light_dark_and_on_paper() {
    let Some(mut browser) = Browser::start() else { return };
    let url = browser.open(&hostile_page("attacker.example"));
    for (width, scheme) in [(400, "light"), (400, "dark"), (1280, "light"), (1280, "dark")] {
        browser.size(width);
        browser.media("screen", scheme);
        for open in [false, true] {
            browser.value(&format!("document.querySelectorAll('details').forEach((one) => {{ one.open = {open}; }})"));
            let over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.value(over), 0, "{scheme}, {width}, open: {open}");
        }
        let contrast = browser.value(CONTRAST);
        assert_eq!(contrast, json!([]), "text that is hard to read ({scheme}, {width})");
    }
    browser.media("print", "dark");
    browser.value("document.querySelectorAll('details').forEach((one) => { one.open = false; })");
    let hidden = browser.value("[...document.querySelectorAll('#groups .body')].filter((body) => body.checkVisibility({ contentVisibilityAuto: true }) === false).length");
    assert_eq!(hidden, 0, "on paper nothing can be opened");
    assert_eq!(browser.value("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    let paper = browser.ask("Page.printToPDF", json!({}));
    assert!(paper["data"].as_str().unwrap().len() > 10_000);
    browser.assert_quiet(&url);
}

/// Texts whose colour is too near to what is behind them: 4.5 to 1, as WCAG 2.1 has it (AA).
const CONTRAST: &str = r#"(() => {
  const numbers = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = (colour) => {
    const [red, green, blue] = colour.map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const weak = new Map();
  for (const one of document.body.querySelectorAll('*')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!own || !one.checkVisibility() || one.closest('script, title')) continue;
    const colours = [light(numbers(getComputedStyle(one).color).slice(0, 3)), light(behind(one))].sort((a, b) => b - a);
    const ratio = (colours[0] + 0.05) / (colours[1] + 0.05);
    if (ratio < 4.5) weak.set(one.tagName + '.' + one.className, ratio.toFixed(2));
  }
  return [...weak];
})()"#;

//! The page for people: what it tells, how much of it, and what records can do to it.

use std::fs;
use std::path::Path;

use lawbook::engine::{self, Outcome, Request};
use lawbook::input;
use lawbook::inventory::Inventory;
use lawbook::policy::{Checked, Pack};
use lawbook::report::{self, Format, Look};
use lawbook::script::Limits;
use serde_json::{Value, json};

const POLICY: &str = r#"//! ---
//! title: ${key} made
//! severity: medium
//! judges: cloudtrail
//! when: { eventName: CreateKeyPair }
//! tags: [attack.t1098, attack.persistence]
//! references: ["https://docs.aws.amazon.com/x?a=1&b=2"]
//! remediation:
//!   console: Delete ${key}.
//!   cli: aws ec2 delete-key-pair --key-name ${key}
//!   python: boto3.client("ec2").delete_key_pair(KeyName=${other})
//! ---
//! ## What it finds
//! A key <b>pair</b>.
//!
//! ## Why it matters
//! A key opens *machines*. It lasts.

fn matches(event) { if event.bad == true { throw "cannot say" }; event.requestParameters.keyName != () }
fn context(event) { #{ key: event.requestParameters.keyName, more: event.requestParameters } }
fn resources(event) { [event.requestParameters.keyName] }
fn severity(event) { event.severity }
fn group(event) { event.group ?? event.eventID }
"#;

/// Texts that mean something to a browser, to a terminal, or to whoever reads; `HOST` is where they would call home.
pub(crate) const HOSTILE: [&str; 22] = [
    "<script>document.title='ran-1';alert(1)</script>",
    "</script><script>document.title='ran-2'</script>",
    "</style><script>document.title='ran-3'</script>",
    "<img src=x onerror=\"document.title='ran-4'\">",
    "<img src=\"http://HOST/5\">",
    "\"><svg onload=document.title='ran-6'>",
    "' autofocus onfocus=document.title='ran-7' x='",
    "javascript:document.title='ran-8'",
    "<a href=\"javascript:document.title='ran-9'\">click</a>",
    "<iframe src=\"http://HOST/10\"></iframe><iframe srcdoc=\"<script>parent.document.title='ran-10'</script>\"></iframe>",
    "<link rel=stylesheet href=\"http://HOST/11\"><style>@import 'http://HOST/11b'; * { display: none }</style>",
    "<meta http-equiv=refresh content=\"0;url=http://HOST/12\"><base href=\"http://HOST/\">",
    "<form action=\"http://HOST/13\"><button>send</button></form><object data=\"http://HOST/13\"></object>",
    "{{ 7 * 7 }} {% raw %} {# x #} ${7*7} <%= 7 %>",
    "&lt;script&gt; &#60;b&#62; &amp;amp;",
    "a\u{202e}drowssap\u{202c}b \u{2066}c\u{2069} \u{200b}\u{feff}d",
    "nul\u{0}bell\u{7}escape\u{1b}[31m c1 \u{9b}31m",
    "]]> --> <!-- <![CDATA[ <plaintext> <xmp> <textarea> <title>",
    "-->\"'`\\\n\r\t\u{2028}\u{2029}",
    "<details ontoggle=document.title='ran-20' open><summary>x</summary></details>",
    "<math><mtext><table><mglyph><style><img src=x onerror=document.title='ran-21'>",
    "\u{1f980} \u{0301}\u{0301} 文字 עברית العربية",
];

pub(crate) fn event(number: usize, name: &str, more: Value) -> Value {
    let mut event = json!({
        "eventVersion": "1.10", "eventID": format!("e-{number}"),
        "eventTime": format!("2024-05-{:02}T{:02}:00:00Z", 1 + number % 28, number % 24),
        "eventSource": "ec2.amazonaws.com", "eventName": "CreateKeyPair", "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.7",
        "userIdentity": { "type": "IAMUser", "userName": "alice", "arn": "arn:aws:iam::111122223333:user/alice" },
        "requestParameters": { "keyName": name }, "severity": "high",
    });
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

pub(crate) fn judged(events: &[Value]) -> (Checked, Outcome) {
    let packs = Pack::from_text("key-made", POLICY).check(&crate::of_invented_events(), &Limits::default()).unwrap();
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    let (records, faults) = input::events("log.ndjson", lines.join("\n").into_bytes());
    assert!(faults.is_empty() && records.len() == events.len());
    let mut request = Request::new(std::iter::empty::<&str>());
    request.now = "2024-06-15T00:00:00Z".parse().unwrap();
    request.tally = Some(50);
    let outcome = engine::judge(&packs, &records, Inventory::default(), &request).unwrap();
    (packs, outcome)
}

pub(crate) fn page(events: &[Value]) -> String {
    let (packs, outcome) = judged(events);
    let mut out = Vec::new();
    report::write(Format::Html, &outcome, &packs, Look::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A page in which every text that records give is hostile.
pub(crate) fn hostile_page(host: &str) -> String {
    let events: Vec<Value> = HOSTILE
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let text = text.replace("HOST", host);
            let more = json!({
                "eventName": "CreateKeyPair", "awsRegion": text, "recipientAccountId": text, "sourceIPAddress": text,
                "userIdentity": { "type": text, "userName": text, "arn": text, "accessKeyId": text, "accountId": text },
                "requestParameters": { "keyName": text, "huge": "W".repeat(200_000), text.clone(): { text.clone(): [text, 1, null] } },
                "group": if number % 5 == 0 { json!("one") } else { Value::Null },
                "severity": (["info", "low", "medium", "high", "critical"][number % 5]),
            });
            event(number, &text, more)
        })
        .chain([event(99, "broken", json!({ "bad": true }))])
        .collect();
    page(&events)
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn the_page_tells_all_that_there_is_to_a_finding() {
    let page = page(&[
        event(1, "laptop", json!({})),
        event(2, "phone", json!({ "severity": "low" })),
        event(3, "x", json!({ "bad": true })),
    ]);
    for part in [
        "2 findings in 3 records",
        "Not to be relied on.",
        "<h3>laptop made <span class=\"under\">key-made · 2024-05-02T01:00:00Z · 111122223333 · us-east-1</span></h3>",
        "A key opens <em>machines</em>. It lasts.",
        "A key &lt;b&gt;pair&lt;/b&gt;.",
        "arn:aws:iam::111122223333:user/alice",
        "198.51.100.7",
        "CreateKeyPair of ec2.amazonaws.com",
        "log.ndjson, record 1, line 1",
        "aws ec2 delete-key-pair --key-name laptop",
        "No With Python",
        "<a href=\"https://docs.aws.amazon.com/x?a=1&amp;b=2\" rel=\"noreferrer noopener\">",
        "cannot say",
        "attack.persistence",
        "There were no waivers and no baseline",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!((count(&page, "<details class=\"group"), count(&page, "<svg viewBox")), (2, 1));
    assert!(page.find("laptop made").unwrap() < page.find("phone made").unwrap(), "the worst stands first");
    assert_eq!(
        page,
        self::page(&[
            event(1, "laptop", json!({})),
            event(2, "phone", json!({ "severity": "low" })),
            event(3, "x", json!({ "bad": true }))
        ])
    );
}

#[test]
fn all_calls_are_on_the_page_in_numbers() {
    let denied = json!({ "eventName": "RunInstances", "errorCode": "Client.UnauthorizedOperation" });
    let mut events: Vec<Value> =
        (0..60).map(|at| event(at, "x", json!({ "userAgent": format!("agent-{at}") }))).collect();
    events.extend([event(60, "x", denied), event(61, "x", json!({ "userAgent": null }))]);
    let page = page(&events);
    for part in [
        "<a href=\"#calls\">All calls</a>",
        "62 calls, from 2024-05-01T00:00:00Z to 2024-05-28T",
        "61 succeeded, 1 failed.",
        "<th scope=\"row\">RunInstances <small>ec2.amazonaws.com</small></th>",
        "<th scope=\"row\">UnauthorizedOperation</th>",
        "<th scope=\"row\"><em>none</em></th>",
        "10 more values with 10 calls, of which 0 failed.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let by = |title: &str| page.split(&format!("By {title}</h3>")).nth(1).unwrap().split("</details>").next().unwrap();
    assert!(by("event").contains("<td class=\"number\">61</td><td class=\"number\">0</td>"), "{}", by("event"));
    assert!(by("event").contains("<td class=\"number\">1</td><td class=\"number\">1</td>"), "{}", by("event"));

    // Without having been asked for, there is nothing of it.
    let (packs, outcome) = judged(&events);
    let mut out = Vec::new();
    let outcome = Outcome { tally: None, ..outcome };
    report::write(Format::Html, &outcome, &packs, Look::default(), &mut out).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains("All calls"));
}

#[test]
fn the_page_of_nothing_says_so() {
    let page = page(&[event(1, "x", json!({ "eventName": "DeleteKeyPair" }))]);
    for part in [
        "0 findings in 1 record",
        "Passed.",
        "Nothing: all that was read was judged",
        "<p>None.</p>",
        "No finding is about an event",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn no_text_of_a_record_is_markup() {
    let page = hostile_page("attacker.example");
    let markup = regex::Regex::new(r"<[a-zA-Z/!][^>]*>").unwrap();
    // Our own, and nothing else: no element and no attribute comes from a record.
    let known = [
        "a",
        "body",
        "br",
        "button",
        "code",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "g",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "head",
        "header",
        "html",
        "i",
        "input",
        "label",
        "legend",
        "li",
        "main",
        "meta",
        "nav",
        "option",
        "output",
        "p",
        "pre",
        "rect",
        "script",
        "section",
        "select",
        "small",
        "span",
        "strong",
        "style",
        "summary",
        "svg",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
        "!doctype",
    ];
    let quoted = regex::Regex::new("\"[^\"]*\"").unwrap();
    let body = page.split("<script>").next().unwrap();
    for tag in markup.find_iter(body).map(|tag| tag.as_str()) {
        let name = tag.trim_start_matches(['<', '/']).split([' ', '>', '/', '\n']).next().unwrap();
        assert!(known.contains(&name), "{tag}");
        // Between the quotes anything may stand.
        let bare = quoted.replace_all(tag, "").to_ascii_lowercase();
        for attribute in [" on", " style=", " src=", " srcdoc=", " action="] {
            assert!(!bare.contains(attribute), "{tag}");
        }
    }
    assert_eq!(
        (count(&page, "<script"), count(&page, "<style"), count(&page, "<title>")),
        (1, 1, 1 + count(&page, "<g><title>"))
    );
    assert_eq!(count(&page, "href=\"javascript"), 0);
    let steers = |letter: char| {
        (letter.is_control() && letter != '\n' && letter != '\t')
            || ('\u{202a}'..='\u{202e}').contains(&letter)
            || ('\u{2066}'..='\u{2069}').contains(&letter)
    };
    assert!(!page.contains(steers));
    for shown in ["\\u{202e}drowssap", "nul\\u{0}bell", "{{ 7 * 7 }} {% raw %} {# x #}", "&amp;lt;script&amp;gt;"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(page.len() < 2_000_000, "{} bytes: texts of any length are cut", page.len());
    assert!(page.contains("more characters)"));
}

#[test]
fn the_page_stays_small_and_says_what_it_leaves_out() {
    let events: Vec<Value> = (0..2_000)
        .map(|number| {
            let severity = ["low", "medium", "high"][number % 3];
            event(
                number,
                &format!("key-{number}"),
                json!({ "severity": severity, "sourceIPAddress": format!("10.0.{}.{}", number / 250, number % 250) }),
            )
        })
        .collect();
    let page = page(&events);
    assert_eq!(count(&page, "<details class=\"group"), 500);
    assert_eq!(count(&page, "<details class=\"group group-high"), 500, "the worst are shown");
    assert!(
        page.contains("1500 findings more in 1500 groups are counted above and not shown here"),
        "{}",
        &page[page.len() - 3_000..]
    );
    assert!(page.contains("1990 more sources with 1990 findings."));
    assert!(page.contains("2000 findings in 2000 records"));
}

#[test]
fn headings_are_in_order_and_ids_are_single() {
    let page = hostile_page("attacker.example");
    let heading = regex::Regex::new(r"<h([1-6])[ >]").unwrap();
    let mut before = 0;
    for level in heading.captures_iter(&page).map(|found| found[1].parse::<u32>().unwrap()) {
        assert!(level <= before + 1, "h{level} follows h{before}");
        before = level;
    }
    let id = regex::Regex::new(r#" id="([^"]*)""#).unwrap();
    let mut ids: Vec<String> = id.captures_iter(&page).map(|found| found[1].to_owned()).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
    let refers = regex::Regex::new("(?:href=\"#|aria-labelledby=\"|<label for=\")([^\"]*)\"").unwrap();
    for target in refers.captures_iter(&page) {
        assert!(ids.contains(&target[1].to_owned()), "{}", &target[1]);
    }
}

#[test]
fn waivers_baselines_and_what_was_not_evaluated_are_on_the_page() {
    let desk = tempfile::tempdir().unwrap();
    let at = |name: &str| desk.path().join(name).display().to_string();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sample").display().to_string();
    let run = |args: &[&str]| {
        crate::cli::lawbook().args(["scan", &sample, "--now", "2024-06-01T00:00:00Z"]).args(args).output().unwrap()
    };
    run(&["--format", "json", "--output", &at("before.json")]);
    let before: Value = serde_json::from_str(&fs::read_to_string(at("before.json")).unwrap()).unwrap();
    let waived = &before["findings"][0];
    fs::write(
        at("waivers.yaml"),
        format!(
            "waivers:\n  - fingerprint: {}\n    owner: carol@example.com\n    reason: Was <i>planned</i>.\n    expires: 2025-01-15\n  - policy: eip-churn\n    resources: [\"none\"]\n    owner: dave\n    reason: Old.\n    expires: 2025-01-15\n",
            waived["fingerprint"].as_str().unwrap()
        ),
    )
    .unwrap();
    run(&["--waivers", &at("waivers.yaml"), "--report", &format!("html={}", at("page.html"))]);
    let page = fs::read_to_string(at("page.html")).unwrap();
    for part in [
        "Waived by carol@example.com until 2025-01-15: Was &lt;i&gt;planned&lt;/i&gt;.",
        "<span class=\"standing standing-waived\">waived</span>",
        "Waivers that excuse nothing",
        "of dave",
        "Not evaluated: what a policy could not say",
        "was refused",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let total = before["summary"]["findings"]["total"].as_u64().unwrap();
    assert!(page.contains(&format!("{total} findings in ")));
}

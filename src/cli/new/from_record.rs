//! A policy that fires on a record that somebody has, and cases that show its two sides.

use std::path::Path;

use lawbook::cases::write_yaml;
use lawbook::engine::{self, Request};
use lawbook::error::Error;
use lawbook::record::{CLOUDTRAIL, Record};
use serde_json::{Value, json};

/// The text of a policy, and of its cases.
pub(super) struct Written {
    pub(super) policy: String,
    pub(super) cases: String,
}

/// What makes a record not be found any more.
struct Quiet {
    /// Of the condition.
    condition: String,
    /// Of the case that stays quiet.
    name: &'static str,
    /// `with` or `without`, and what is in it.
    change: (&'static str, Value),
}

/// Writes a policy that finds the first record of a file.
pub(super) fn write(file: &Path) -> Result<Written, Error> {
    let subject = file.display().to_string();
    let read = engine::read(&Request::new([file]))?;
    if let Some(fault) = read.faults.first() {
        return Err(Error::new(format!("cannot be read: {}", fault.reason)).about(subject));
    }
    let Some(record) = read.records.first() else {
        return Err(Error::new("holds no record")
            .about(subject)
            .try_to("a CloudTrail record, or what an AWS command prints"));
    };
    let value = record.value.view().to_json();
    let made = if &*record.kind == CLOUDTRAIL { of_event(&value) } else { of_resource(record, &value) };
    made.map_err(|reason| Error::new(reason).about(subject))
}

/// A word that may stand in a policy's text as it is.
fn word<'v>(value: &'v Value, key: &str) -> Result<&'v str, String> {
    let text = value.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_word =
        !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_:/".contains(letter));
    if is_word { Ok(text) } else { Err(format!("its first record has no `{key}` to ask for")) }
}

fn of_event(event: &Value) -> Result<Written, String> {
    let (name, source) = (word(event, "eventName")?, word(event, "eventSource")?);
    let quiet = match word(event, "errorCode") {
        Ok(code) => Quiet {
            condition: format!("event.errorCode == \"{code}\""),
            name: "the call succeeds",
            change: ("without", json!(["errorCode"])),
        },
        Err(_) => Quiet {
            condition: "succeeded(event)".to_owned(),
            name: "the call is refused",
            change: ("with", json!({ "errorCode": "AccessDenied" })),
        },
    };
    let policy = format!(
        "{}//! judges: cloudtrail\n//! when:\n//!   eventSource: {source}\n//!   eventName: {name}\n{}\
         fn matches(event) {{\n    {}\n}}\n\nfn title(event) {{\n    `{name} called by ${{actor(event).name}}`\n}}\n\n\
         fn context(event) {{\n    #{{ region: region(event) }}\n}}\n",
        head(&format!("{name} called")),
        foot(),
        quiet.condition,
    );
    let others = [
        ("it is another call", json!({ "eventName": "AnotherCall" })),
        ("another service has a call of that name", json!({ "eventSource": "another.amazonaws.com" })),
    ];
    Ok(Written { policy, cases: cases(event, None, &quiet, &others) })
}

fn of_resource(record: &Record, resource: &Value) -> Result<Written, String> {
    let quiet =
        telling(resource).ok_or("its first resource has no member to ask for that is a word, or true or false")?;
    let policy = format!(
        "{}//! judges: {}\n{}fn matches(resource) {{\n    {}\n}}\n",
        head(&format!("A resource of {} to look at", record.kind)),
        record.kind,
        foot(),
        quiet.condition,
    );
    Ok(Written { policy, cases: cases(resource, Some(record), &quiet, &[]) })
}

/// The first member that tells resources apart: true or false before a word; ids and names do not.
fn telling(resource: &Value) -> Option<Quiet> {
    let members = || {
        resource.as_object().into_iter().flatten().filter(|(key, _)| {
            let is_name = key.chars().all(|letter| letter.is_ascii_alphanumeric());
            is_name && !["Id", "Arn", "ARN", "Name", "Time"].iter().any(|end| key.ends_with(end))
        })
    };
    if let Some((key, value)) = members().find(|(_, value)| value.is_boolean()) {
        let other = !value.as_bool().unwrap_or_default();
        return Some(Quiet {
            condition: format!("resource.{key} == {value}"),
            name: "it is otherwise",
            change: ("with", json!({ key: other })),
        });
    }
    let (key, text) = members().find_map(|(key, _)| word(resource, key).ok().map(|text| (key, text)))?;
    Some(Quiet {
        condition: format!("resource.{key} == \"{text}\""),
        name: "it is otherwise",
        change: ("with", json!({ key: "otherwise" })),
    })
}

fn head(title: &str) -> String {
    format!("//! ---\n//! lawbook: 1\n//! title: {title}\n//! severity: low\n")
}

fn foot() -> &'static str {
    "//! tags: []\n//! references: []\n//! ---\n//! ## What it finds\n//! Say in a sentence what this finds.\n//!\n\
     //! ## Why it matters\n//! Say what an attacker gains by it, or what breaks.\n//!\n\
     //! ## False positives\n//! Say when it is expected.\n//!\n//! ## Respond\n//! Say what to look at first.\n\n"
}

fn cases(record: &Value, of: Option<&Record>, quiet: &Quiet, others: &[(&str, Value)]) -> String {
    let mut out =
        String::from("# What the policy must say about records that you know: `lawbook test` asks it.\nrecords:\n");
    write_yaml(&mut out, 2, "base", record);
    out.push_str("cases:\n");
    let mut case = |name: &str, change: Option<(&str, &Value)>, expect: &str| {
        write_yaml_item(&mut out, name);
        if let Some((key, value)) = change {
            write_yaml(&mut out, 4, key, value);
        }
        for (key, value) in [
            ("account", of.and_then(|of| of.scope.account.as_deref())),
            ("region", of.and_then(|of| of.scope.region.as_deref())),
        ] {
            if let Some(value) = value {
                write_yaml(&mut out, 4, key, &value.into());
            }
        }
        write_yaml(&mut out, 4, "expect", &expect.into());
    };
    case("the record that was given", None, "fires");
    case(quiet.name, Some((quiet.change.0, &quiet.change.1)), "silent");
    for (name, with) in others {
        case(name, Some(("with", with)), "silent");
    }
    out
}

fn write_yaml_item(out: &mut String, name: &str) {
    out.push_str(&format!("  - name: {name}\n    record: base\n"));
}

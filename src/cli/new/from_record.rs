//! A policy that fires on a record that somebody has, and cases that show its two sides.

use std::path::Path;

use lawbook::cases::{self, write_yaml};
use lawbook::engine::{self, Request};
use lawbook::error::Error;
use lawbook::fault::printable;
use lawbook::policy::{Overrides, Pack};
use lawbook::record::{CLOUDTRAIL, Record};
use lawbook::schema::{self, Shapes};
use lawbook::script::Limits;
use serde_json::{Value, json};

/// The text of a policy, and of its cases.
pub(super) struct Written {
    pub(super) policy: String,
    pub(super) cases: String,
    /// What should be known of them.
    pub(super) note: Option<String>,
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

/// Writes a policy that finds a record of a file: the one that is selected, else the first.
pub(super) fn write(
    id: &str,
    file: &Path,
    judges: Option<&str>,
    select: Option<&str>,
    overrides: &Overrides,
) -> Result<Written, Error> {
    let subject = file.display().to_string();
    let records = records(file, judges)?;
    let about = |reason: &str| Error::new(reason).about(&subject);
    let at = match select {
        None => 0,
        Some(path) => cases::select(&records, path)
            .map_err(|reason| Error::new(format!("`{path}` {reason}")).about("--select").try_to("such as `$[2]`"))?
            .first()
            .copied()
            .ok_or_else(|| {
                Error::new(format!("`{path}` selects none of {} records", records.len())).about("--select")
            })?,
    };
    let record = records.get(at).ok_or_else(|| match judges {
        Some(kind) => about(&format!("holds no record of the kind `{kind}`")),
        None => about("holds no record").try_to("a CloudTrail record, or what an AWS command prints"),
    })?;
    let value = record.value.view().to_json();
    let of = |with_context: bool| match &*record.kind == CLOUDTRAIL {
        true => of_event(&value, with_context),
        false => of_resource(record, &value),
    };
    let made = of(true).and_then(|made| {
        // What shapes do not know of the call is no context to begin with: the policy must load.
        let loads = Pack::from_text(id, &made.policy).check(overrides, &Limits::default()).is_ok();
        if loads { Ok(made) } else { of(false) }
    });
    let mut made = made.map_err(|reason| about(&reason))?;
    if select.is_none() && records.len() > 1 {
        let name = record.id.as_deref().map(|id| format!(" ({})", printable(id, 100))).unwrap_or_default();
        made.note = Some(format!(
            "{} holds {} records, and the policy is made of the first{name} (try: --select '$[1]' for the second)",
            printable(&subject, 1_000),
            records.len()
        ));
    }
    Ok(made)
}

/// The records of a file, or those of a kind.
fn records(file: &Path, judges: Option<&str>) -> Result<Vec<Record>, Error> {
    let subject = file.display().to_string();
    let request = Request::new([file]);
    let read = engine::read(&request)?;
    let mut records = read.records;
    if let Some(kind) = judges {
        records.retain(|record| &*record.kind == kind);
        // Where several commands print the same, who asks for a kind knows which it was.
        if records.is_empty() && kind != CLOUDTRAIL {
            records = engine::read_as(&request, kind)?;
        }
        if !records.is_empty() {
            return Ok(records);
        }
    }
    match read.faults.first() {
        Some(fault) => {
            let error = Error::new(format!("cannot be read: {}", fault.reason)).about(subject);
            let is_choice = judges.is_none() && fault.reason.starts_with("could be of kind");
            Err(if is_choice { error.try_to("`--judges KIND`") } else { error })
        }
        None => Ok(records),
    }
}

/// A word that may stand in a policy's text as it is.
fn word<'v>(value: &'v Value, key: &str) -> Result<&'v str, String> {
    let text = value.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_word =
        !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_:/".contains(letter));
    if is_word { Ok(text) } else { Err(format!("its record has no `{key}` to ask for")) }
}

fn of_event(event: &Value, with_context: bool) -> Result<Written, String> {
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
         fn context(event) {{\n    #{{ region: region(event){} }}\n}}\n",
        head(&format!("{name} called")),
        foot(&page_of_call(source, name)),
        quiet.condition,
        if with_context { context(event) } else { String::new() },
    );
    let others = [
        ("it is another call", json!({ "eventName": "AnotherCall" })),
        ("another service has a call of that name", json!({ "eventSource": "another.amazonaws.com" })),
    ];
    Ok(Written { policy, cases: written(event, None, &quiet, &others), note: None })
}

fn of_resource(record: &Record, resource: &Value) -> Result<Written, String> {
    let quiet =
        telling(resource).ok_or("its first resource has no member to ask for that is a word, or true or false")?;
    let policy = format!(
        "{}//! judges: {}\n{}fn matches(resource) {{\n    {}\n}}\n",
        head(&format!("A resource of {} to look at", record.kind)),
        record.kind,
        foot(&page_of_kind(&record.kind)),
        quiet.condition,
    );
    Ok(Written { policy, cases: written(resource, Some(record), &quiet, &[]), note: None })
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

fn foot(reference: &str) -> String {
    format!(
        "//! tags: []\n//! references: [\"{reference}\"]\n//! ---\n//! ## What it finds\n//! Say in a sentence what this finds.\n//!\n\
         //! ## Why it matters\n//! Say what an attacker gains by it, or what breaks.\n//!\n\
         //! ## False positives\n//! Say when it is expected.\n//!\n//! ## Respond\n//! Say what to look at first.\n\n"
    )
}

/// Where the references of services' calls stand whose pages are named by the call.
const PAGES: &[(&str, &str)] = &[
    ("cloudtrail", "awscloudtrail/latest/APIReference"),
    ("config", "config/latest/APIReference"),
    ("dynamodb", "amazondynamodb/latest/APIReference"),
    ("ec2", "AWSEC2/latest/APIReference"),
    ("ecr", "AmazonECR/latest/APIReference"),
    ("eks", "eks/latest/APIReference"),
    ("guardduty", "guardduty/latest/APIReference"),
    ("iam", "IAM/latest/APIReference"),
    ("kms", "kms/latest/APIReference"),
    ("logs", "AmazonCloudWatchLogs/latest/APIReference"),
    ("monitoring", "AmazonCloudWatch/latest/APIReference"),
    ("organizations", "organizations/latest/APIReference"),
    ("rds", "AmazonRDS/latest/APIReference"),
    ("s3", "AmazonS3/latest/API"),
    ("secretsmanager", "secretsmanager/latest/apireference"),
    ("sns", "sns/latest/api"),
    ("sqs", "AWSSimpleQueueService/latest/APIReference"),
    ("ssm", "systems-manager/latest/APIReference"),
    ("sts", "STS/latest/APIReference"),
];

/// The page of a call; where that cannot be known, the page of what its record holds.
fn page_of_call(source: &str, name: &str) -> String {
    let service = source.strip_suffix(".amazonaws.com").unwrap_or_default();
    let is_operation =
        Shapes::embedded().is_event(source, name) && name.chars().all(|letter| letter.is_ascii_alphabetic());
    match PAGES.iter().find(|(known, _)| *known == service).filter(|_| is_operation) {
        Some((_, below)) => format!("https://docs.aws.amazon.com/{below}/API_{name}.html"),
        None => {
            "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"
                .to_owned()
        }
    }
}

/// The page of the command that prints resources of a kind.
fn page_of_kind(kind: &str) -> String {
    let printed = schema::commands().find(|command| command.kinds().any(|known| &**known == kind));
    match printed {
        Some(command) => {
            format!("https://docs.aws.amazon.com/cli/latest/reference/{}/{}.html", command.service, command.name)
        }
        None => "https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html".to_owned(),
    }
}

/// Words that are no names of members in a script.
const RESERVED: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "const",
    "continue",
    "default",
    "do",
    "else",
    "export",
    "false",
    "fn",
    "for",
    "go",
    "if",
    "import",
    "in",
    "is",
    "let",
    "loop",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "shared",
    "spawn",
    "static",
    "super",
    "switch",
    "sync",
    "this",
    "thread",
    "throw",
    "true",
    "try",
    "until",
    "use",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Members of the context beside the region: what the call was asked for, where that is a word or a number.
fn context(event: &Value) -> String {
    let members = event.get("requestParameters").and_then(Value::as_object).into_iter().flatten();
    let is_plain = |key: &str| {
        key.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && key.chars().all(|letter| letter.is_ascii_alphanumeric())
            && !RESERVED.contains(&key)
    };
    let mut out = String::new();
    let mut seen = vec!["region".to_owned()];
    for (key, value) in members.filter(|(key, _)| is_plain(key)) {
        let name = snake(key);
        if seen.len() < 6 && (value.is_string() || value.is_number() || value.is_boolean()) && !seen.contains(&name) {
            out.push_str(&format!(", {name}: event.requestParameters.{key}"));
            seen.push(name);
        }
    }
    out
}

/// `keyId` as `key_id`, `DBInstanceName` as `db_instance_name`.
fn snake(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let is_start = letter.is_ascii_uppercase()
            && at > 0
            && (!letters[at - 1].is_ascii_uppercase() || letters.get(at + 1).is_some_and(char::is_ascii_lowercase));
        if is_start {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn written(record: &Value, of: Option<&Record>, quiet: &Quiet, others: &[(&str, Value)]) -> String {
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

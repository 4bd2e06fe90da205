//! `lawbook waive`: excuses a finding until a day.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lawbook::error::Error;
use lawbook::triage::{Waivers, day, is_over};
use lawbook::yaml::{self, Data, Yaml};

use super::Failure;
use super::layers::{ConfigArgs, Layers};
use super::output::Output;
use super::values::{now, time};

const EXAMPLES: &str = "Examples:
  lawbook waive 24ddb4a41a798b39311945453c7803c8 --owner alice --reason 'is being replaced' --expires 30d --ticket OPS-12
  lawbook waive 24ddb4a41a798b39311945453c7803c8 --owner alice --reason 'moves to another account' --expires 2030-12-31
  lawbook scan ./logs --waivers waivers.yaml

What else a waiver can be for (resources, accounts, actors, tags, a JSONPath) is written by hand: docs/triage.md.";

/// Excuse a finding until a day
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The finding, as reports have it: `known as`, `fingerprint`
    fingerprint: String,

    /// Who answers for it
    #[arg(long)]
    owner: String,

    /// Why
    #[arg(long)]
    reason: String,

    /// The last day on which it holds, in UTC, or for how long from the time of the run, such as 30d
    #[arg(long, value_name = "DAY", value_parser = end)]
    expires: End,

    /// Where it was decided
    #[arg(long)]
    ticket: Option<String>,

    /// The file of waivers; without it that of the configuration, or `waivers.yaml`
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The time of the run, from which a duration counts [env: LAWBOOK_NOW]
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,

    #[command(flatten)]
    config: ConfigArgs,
}

/// Until when a waiver holds.
#[derive(Clone, Copy, Debug)]
enum End {
    Day(Date),
    /// So many seconds after the time of the run.
    After(i64),
}

fn end(text: &str) -> Result<End, String> {
    let after = || lawbook::script::parse_duration(text).map(End::After);
    let end = day(text).map(End::Day).or_else(after);
    end.ok_or_else(|| "expected a day such as 2025-12-31, or a duration such as 30d".to_owned())
}

impl End {
    /// The last day, as of a time.
    fn day(self, now: Timestamp) -> Result<Date, Error> {
        match self {
            Self::Day(day) => Ok(day),
            Self::After(seconds) => {
                let end = now.checked_add(SignedDuration::from_secs(seconds));
                let too_long = |_| Error::new("is after the last day that there is").about("--expires");
                let end = end.map_err(|error| too_long(error).try_to("a day, or a shorter duration"))?;
                Ok(TimeZone::UTC.to_datetime(end).date())
            }
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let is_fingerprint = args.fingerprint.len() == 32 && args.fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_fingerprint {
        let error = Error::new("is no fingerprint: 32 hexadecimal digits").about(&args.fingerprint);
        return Err(error.try_to("copy it from `known as` of a report").into());
    }
    let (fingerprint, expires) = (args.fingerprint.to_lowercase(), expires(args)?);
    for (flag, text, remedy) in [
        ("--owner", Some(&args.owner), "the name of who answers for it"),
        ("--reason", Some(&args.reason), "why it is excused"),
        ("--ticket", args.ticket.as_ref(), "leave it out if there is none"),
    ] {
        if text.is_some_and(|text| text.trim().is_empty()) {
            return Err(Error::new("is empty").about(flag).try_to(remedy).into());
        }
    }
    let configured = Layers::read(&args.config)?.file("waivers", args.file.as_ref());
    let file = configured.map_or_else(|| PathBuf::from("waivers.yaml"), |file| file.value);
    let before = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(trouble(&file, &format!("cannot be read: {error}")).into()),
    };
    let known = Waivers::parse(&file.display().to_string(), &before)?;
    if let Some(same) = known.waivers.iter().find(|waiver| waiver.fingerprint.as_ref() == Some(&fingerprint)) {
        let error = trouble(&file, "has a waiver for this finding").at(same.line, 1);
        return Err(error.try_to("change its `expires`").into());
    }
    let entry = entry(args, &fingerprint, expires);
    let Some(after) = appended(&before, &entry).filter(|after| is_one_more(&known, after, &fingerprint)) else {
        // On lines of its own, so that it can be pasted.
        write!(super::stdout(), "{entry}")?;
        let error = trouble(&file, "is not written so that something can be added at its end");
        return Err(error.try_to("add it by hand to the list `waivers`: it is on standard output").into());
    };
    Output::create("", &file)?.write(|out| out.write_all(after.as_bytes()))?;
    writeln!(super::stdout(), "{fingerprint} is waived until {expires} in {}", file.display())?;
    Ok(0)
}

fn trouble(file: &Path, reason: &str) -> Error {
    Error::new(reason).about(file.display().to_string())
}

/// The last day. One that is over at the time of the run is refused if that time was said; the clock's may be another than that
/// of the scans for which it is written.
fn expires(args: &Args) -> Result<Date, Error> {
    let said = now(args.now)?;
    let now = said.unwrap_or_else(Timestamp::now);
    let day = args.expires.day(now)?;
    if !is_over(day, now) {
        return Ok(day);
    }
    let today = TimeZone::UTC.to_datetime(now).date();
    let told = format!("{day} is over on {today}, so that the waiver excuses nothing");
    if said.is_some() {
        return Err(Error::new(told).about("--expires").try_to("a later day, or a duration such as `30d`"));
    }
    super::note(&format!("{told} in a scan of that day (try: a later day, or `--now` if scans have another time)"));
    Ok(day)
}

/// The lines of a waiver, without an indent.
fn entry(args: &Args, fingerprint: &str, expires: Date) -> String {
    let quoted = |text: &str| serde_json::Value::from(text.trim()).to_string();
    let mut lines = format!(
        "- fingerprint: \"{fingerprint}\"\n  owner: {}\n  reason: {}\n  expires: {expires}\n",
        quoted(&args.owner),
        quoted(&args.reason),
    );
    if let Some(ticket) = &args.ticket {
        lines.push_str(&format!("  ticket: {}\n", quoted(ticket)));
    }
    lines
}

/// Whether a text has the waivers that are known and one for a finding. What was there stays as it was written, so the text must
/// be what it seems.
fn is_one_more(known: &Waivers, text: &str, fingerprint: &str) -> bool {
    let Ok(read) = Waivers::parse("", text) else { return false };
    let is_it = |waiver: &&lawbook::triage::Waiver| waiver.fingerprint.as_deref() == Some(fingerprint);
    read.waivers.len() == known.waivers.len() + 1
        && read.waivers.iter().filter(is_it).count() == 1
        && read.faults().count() == known.faults().count()
}

/// The text of a file with an entry at the end of its list, indented as the others are; `None` where there is no list that
/// takes lines.
fn appended(before: &str, entry: &str) -> Option<String> {
    let yaml = yaml::parse(before).ok()?;
    let Some(list) = yaml.get("waivers") else {
        // Nothing, or comments alone.
        let is_empty = yaml.members().is_empty() && yaml.raw().is_none();
        return is_empty.then(|| {
            let list = inserted(before, before.len(), "waivers:", 0);
            inserted(&list, list.len(), entry, 2)
        });
    };
    if let [first, ..] = list.items() {
        let line = before[..list.span.start].rfind('\n').map_or(0, |at| at + 1);
        let indent = before[line..].len() - before[line..].trim_start_matches(' ').len();
        let is_lines = before[line + indent..].starts_with('-') && line + indent <= first.span.start;
        let end = list.items().last().map(|last| end_of(before, last))?;
        return is_lines.then(|| inserted(before, end, entry, indent));
    }
    // An empty list, or none: what stands for it goes, and what stands behind it may be a comment.
    let key = yaml.key_span("waivers");
    let colon = key.end + before[key.end..].find(':')? + 1;
    let line_end = before[colon..].find('\n').map_or(before.len(), |at| colon + at);
    let rest = &before[colon..line_end];
    let value = rest.trim_start();
    let len = match value.chars().next() {
        None | Some('#') => return Some(inserted(before, line_end, entry, 2)),
        Some('[') => value.find(']')? + 1,
        Some(_) => value.find(char::is_whitespace).unwrap_or(value.len()),
    };
    let end = line_end - value.len() + len;
    let text = [&before[..colon], &before[end..]].concat();
    let at = line_end - (end - colon);
    Some(inserted(&text, at, entry, 2))
}

/// Where a value ends. What the parser says of that may be where the next begins, after comments.
fn end_of(text: &str, yaml: &Yaml) -> usize {
    let own = &text[yaml.span.start..yaml.span.end];
    let last = match &yaml.data {
        _ if own.starts_with(['{', '[']) => {
            return own.rfind(['}', ']']).map_or(yaml.span.end, |at| yaml.span.start + at + 1);
        }
        Data::List(items) => items.last(),
        Data::Map(members) => members.last().map(|(_, value)| value),
        Data::Scalar { .. } => None,
    };
    last.map_or_else(|| text[..yaml.span.end].trim_end().len(), |last| end_of(text, last))
}

/// A text with lines after the line that a place is in, indented.
fn inserted(text: &str, at: usize, lines: &str, indent: usize) -> String {
    let end = text[at..].find('\n').map_or(text.len(), |found| at + found + 1);
    let (before, after) = text.split_at(end);
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = before.to_owned();
    if !before.is_empty() && !before.ends_with('\n') {
        out.push_str(line_end);
    }
    for line in lines.lines() {
        out.push_str(&format!("{}{line}{line_end}", " ".repeat(indent)));
    }
    out.push_str(after);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str =
        "- fingerprint: \"24ddb4a41a798b39311945453c7803c8\"\n  owner: \"a\"\n  reason: \"r\"\n  expires: 2030-01-01\n";
    const ONE: &str = "policy: p, resources: [a], owner: a, reason: r, expires: 2030-01-01";

    /// The entry, indented.
    fn indented(by: usize) -> String {
        ENTRY.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
    }

    #[test]
    fn an_entry_goes_to_the_end_of_the_list() {
        let (two, none) = (indented(2), indented(0));
        let block = "policy: p\n    resources: [a]\n    owner: a\n    expires: 2030-01-01\n    reason:";
        for (before, after) in [
            (String::new(), format!("waivers:\n{two}")),
            ("# ours\n".to_owned(), format!("# ours\nwaivers:\n{two}")),
            ("# ours".to_owned(), format!("# ours\nwaivers:\n{two}")),
            ("---\n".to_owned(), format!("---\nwaivers:\n{two}")),
            ("waivers:".to_owned(), format!("waivers:\n{two}")),
            ("waivers: # all\n".to_owned(), format!("waivers: # all\n{two}")),
            ("waivers: []".to_owned(), format!("waivers:\n{two}")),
            ("waivers: []\n".to_owned(), format!("waivers:\n{two}")),
            ("waivers: [ ] # none\n# end\n".to_owned(), format!("waivers: # none\n{two}# end\n")),
            ("waivers: ~\nlawbook: 1\n".to_owned(), format!("waivers:\n{two}lawbook: 1\n")),
            ("waivers: null".to_owned(), format!("waivers:\n{two}")),
            ("\"waivers\" : []\n".to_owned(), format!("\"waivers\" :\n{two}")),
            ("lawbook: 1\nwaivers:\n".to_owned(), format!("lawbook: 1\nwaivers:\n{two}")),
            (format!("waivers:\n- {{ {ONE} }}"), format!("waivers:\n- {{ {ONE} }}\n{none}")),
            (format!("waivers:\n- {{ {ONE} }}\n"), format!("waivers:\n- {{ {ONE} }}\n{none}")),
            (
                format!("waivers: # all\n    - {{ {ONE} }} # the one\n\n# end\nlawbook: 1\n"),
                format!("waivers: # all\n    - {{ {ONE} }} # the one\n{}\n# end\nlawbook: 1\n", indented(4)),
            ),
            (
                format!("waivers:\n  - {{\n    {ONE}\n  }}\n# end\n"),
                format!("waivers:\n  - {{\n    {ONE}\n  }}\n{two}# end\n"),
            ),
            (format!("waivers:\n  - {block} r\n"), format!("waivers:\n  - {block} r\n{two}")),
            (format!("waivers:\n  - {block} \"r\n      s\"\n"), format!("waivers:\n  - {block} \"r\n      s\"\n{two}")),
            (
                format!("waivers:\n  - {block} |\n      r\n      s\n\nlawbook: 1\n"),
                format!("waivers:\n  - {block} |\n      r\n      s\n{two}\nlawbook: 1\n"),
            ),
            (
                format!("waivers:\n  - {block} r # ü\nlawbook: 1"),
                format!("waivers:\n  - {block} r # ü\n{two}lawbook: 1"),
            ),
            (
                format!("waivers:\r\n  - {{ {ONE} }}\r\n"),
                format!("waivers:\r\n  - {{ {ONE} }}\r\n{}", two.replace('\n', "\r\n")),
            ),
        ] {
            let known = Waivers::parse("", &before).unwrap_or_default();
            let told = appended(&before, ENTRY);
            assert_eq!(told.as_deref(), Some(&*after), "{before}");
            assert!(is_one_more(&known, &after, "24ddb4a41a798b39311945453c7803c8"), "{after}");
        }
    }

    #[test]
    fn what_takes_no_lines_is_left_alone() {
        for before in [
            &*format!("waivers: [{{ {ONE} }}]\n"),
            &*format!("waivers: [\n  {{ {ONE} }}\n]\n"),
            "{ waivers: [] }\n",
            "waivers: [\n]\n",
            "{}\n",
            "waivers: []\n...\n# end\n",
        ] {
            let known = Waivers::parse("", before).unwrap_or_default();
            let told =
                appended(before, ENTRY).filter(|text| is_one_more(&known, text, "24ddb4a41a798b39311945453c7803c8"));
            let is_kept = told.as_deref().is_none_or(|told| told.contains("# end"));
            assert!(is_kept, "{before}: {told:?}");
        }
    }
}

//! `untraced-session`: questions about who began a session, of a policy for which sessions are not followed.

use std::ops::Range;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Base, Read, Step};
use crate::sessions;

pub(super) const LINT: Lint = Lint {
    code: "untraced-session",
    category: Category::Correctness,
    level: Level::Error,
    summary: "`actor(event).origin`, `.chain` or `.via` in a policy that does not declare `cloudtrail/sessions`.",
    avoid: "`actor(event).origin.name` without `uses: [cloudtrail/sessions]`",
    prefer: "`uses: [cloudtrail/sessions]`",
    why: "Who began a session stands in other records, which may be read later. Only for policies that declare the kind does a \
          scan wait for them; for others the origin would always be `()`.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && actor(event).origin == () }",
        "fn matches(event) { succeeded(event) && actor(event).via == \"key\" }",
        "fn matches(event) { let who = actor(event); succeeded(event) && who.origin.type == \"Root\" }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && all(\"ec2/volumes\").len() > 1 }\nfn context(event) { #{ through: actor(event).chain } }",
        "fn matches(event) { succeeded(event) && began(event) == \"eve\" }\n//// lib\nfn began(e) { actor(e).origin.name }",
    ],
    good: &[
        "//! uses: [cloudtrail/sessions]\nfn matches(event) { succeeded(event) && actor(event).origin.name == \"eve\" }",
        "//! needs: [cloudtrail/sessions]\nfn matches(event) { succeeded(event) && actor(event).chain.len() > 2 }",
        "fn matches(event) { succeeded(event) && actor(event).session == \"eve\" }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let header = subject.header();
    if header.uses.iter().chain(&header.needs).any(|kind| kind == sessions::KIND) {
        return Vec::new();
    }
    let mut out: Vec<Diagnostic> = Vec::new();
    for Read { path, place } in subject.readings.values().flat_map(|reading| &reading.reads) {
        let (Base::Actor, [Step::Name(name)]) = (&path.base, path.steps.as_slice()) else { continue };
        if !crate::script::TRACED.contains(&name.as_str()) {
            continue;
        }
        // What a library asks is for the policy that calls it to declare.
        let span = if place.file == 0 { place.span.clone() } else { place.site.clone() };
        let message = format!("`actor(…).{name}` is told by other records, and `{}` is not declared", sessions::KIND);
        let diagnostic = LINT
            .at(subject.source, span, message)
            .help(format!("add `{}` to `uses:` (the policy can judge without it) or to `needs:`", sessions::KIND));
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
    if let Some((span, text)) = declaration(subject)
        && !out.is_empty()
    {
        let first = out.remove(0);
        out.insert(0, first.fix(span, text));
    }
    out
}

/// What to write into the front matter, and where.
fn declaration(subject: &Subject<'_>) -> Option<(Range<usize>, String)> {
    let text = &subject.source.text;
    let kind = sessions::KIND;
    let Some((_, span)) = subject.items(&["uses"]).pop() else {
        if !subject.header().uses.is_empty() {
            return None;
        }
        let judges = subject.key_span(&["judges"]);
        let line = text[..judges.start].rfind('\n').map_or(0, |at| at + 1);
        return text[line..judges.start].starts_with("//!").then(|| (line..line, format!("//! uses: [{kind}]\n")));
    };
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..span.start];
    if before.trim_end().ends_with('-') {
        let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at);
        return Some((end..end, format!("\n{before}{kind}")));
    }
    Some((span.end..span.end, format!(", {kind}")))
}

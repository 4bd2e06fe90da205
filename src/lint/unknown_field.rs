//! `unknown-field`: fields that no record and no resource can have.

use super::calls::{at_end, at_key, borrowed, last_step};
use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean, surely_meant};
use crate::schema::{Call, Place as Holder, Step as Stepped};
use crate::script::reading::{Base, Path, Place, Read, Step};

pub(super) const LINT: Lint = Lint {
    code: "unknown-field",
    category: Category::Correctness,
    level: Level::Error,
    summary: "A field that no event, or no resource of the kind, has: AWS lists all there are.",
    avoid: "`event.userIdentity.tpye`, `event.SourceIPAddress`, `volume.Encryptd`, `lookup(\"ec2/volumes\", \"VolumeID\", …)`",
    prefer: "`event.userIdentity.type`, `event.sourceIPAddress`, `volume.Encrypted`, `lookup(\"ec2/volumes\", \"VolumeId\", …)`",
    why: "A misspelt field is an absent one: the policy would judge nothing, and say nothing. A field that is newer than this \
          version of Lawbook can be told with `--shapes`.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && is_one_of(actor(event).arn, [\"arn:aws:iam::111122223333:role/x\"]) }",
        "fn matches(event) { is_one_of(event, [\"arn:aws:iam::111122223333:role/x\"]) && succeeded(event) }",
        "fn matches(event) { succeeded(event) && event.userIdentity.tpye == \"Root\" }",
        "fn matches(event) { succeeded(event) && event.SourceIPAddress == \"1.2.3.4\" }",
        "fn matches(event) { succeeded(event) && event.evntName != () }",
        "fn matches(e) { let u = e.userIdentity; succeeded(e) && u.sessionContext.sessionIsuer.arn == () }",
        "fn matches(e) { succeeded(e) && of(e) == \"x\" }\nfn of(x) { x[\"tlsDetail\"] }",
        "fn matches(event) { succeeded(event) }\nfn title(event) { `${event.awsRegoin}` }",
        "//! when: { eventSource: ec2.amazonaws.com, userIdentity.tpye: Root }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventNmae: RunInstances }\nfn matches(event) { succeeded(event) }",
        "//! judges: ec2/volumes\nfn matches(volume) { volume.Encryptd == false }",
        "//! judges: ec2/instances\nfn matches(i) { i.NetworkInterfaces.some(|n| n.Assocation.PublicIp != ()) }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", \"VolumeId\", event.eventID).Encyrpted == false }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup_all(\"ec2/volumes\", \"Attachments.InstanceID\", event.eventID).len() > 1 }",
        "//! needs: [ec2/volumes]\nfn matches(event) { succeeded(event) && all(\"ec2/volumes\").some(|v| v.encrypted == false) }",
        "fn matches(event) { succeeded(event) && actor(event).nmae == \"root\" }",
        "//! uses: [cloudtrail/sessions]\nfn matches(event) { succeeded(event) && actor(event).origin.nmae == \"root\" }",
        "fn matches(event) { succeeded(event) && event.get(\"userIdenttiy\") != () }",
        "fn matches(event) { succeeded(event) && jsonpath(event, \"$.userIdentity.tpye\")[0] == \"Root\" }",
        "fn matches(event) { succeeded(event) && jsonpath(event, \"$['resources'][*].anr\").len() > 0 }",
        "//! judges: ec2/instances\nfn matches(i) { jsonpath(i, \"$.NetworkInterfaces[0].Grops[*]\").len() > 0 }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && event.userIdentity.type == \"Root\" && event.tlsDetails.tlsVersion == \"TLSv1\" }",
        "fn matches(event) { succeeded(event) && event.additionalEventData.anything == 1 && event.serviceEventDetails.x == 1 }",
        "fn matches(event) { succeeded(event) && event.userIdentity.sessionContext.attributes.mfaAuthenticated == \"true\" }",
        "fn matches(event) { succeeded(event) && event.resources.some(|r| r.ARN == \"x\") && actor(event).session == \"x\" }",
        "//! judges: ec2/instances\nfn matches(i) { i.NetworkInterfaces.some(|n| n.Association.PublicIp != ()) && i.Tags[0].Key == \"a\" }",
        "//! judges: ec2/security-groups\nfn matches(g) { g.IpPermissions.some(|p| p.IpRanges.some(|r| r.CidrIp == \"0.0.0.0/1\")) }",
        "//! uses: [ec2/volumes]\nfn matches(event) { succeeded(event) && lookup(\"ec2/volumes\", \"Attachments.InstanceId\", event.eventID).Encrypted == false }",
        "fn matches(event) { succeeded(event) && jsonpath(event, \"$..userIdenttiy\") == [] && jsonpath(event, \"$.resources[?@.anr]\") == [] }",
        "fn matches(event) { succeeded(event) && jsonpath(event, \"$.userIdentity.type\")[0] == \"Root\" && event.get(\"errorCode\") == () }",
        "//! judges: iam/roles\nfn matches(role) { list(role.AssumeRolePolicyDocument.Statement).some(|s| s.Effect == \"Allow\") }",
        "//! judges: config/aws-rds-db-cluster\nfn matches(c) { c.anything == 1 }",
        "fn matches(event) { succeeded(event) && event.eventName.len() > 3 && event.eventName.len > 0 }",
    ],
};

/// What is read, where, and what is known there.
pub(super) struct Unknown<'a> {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) place: &'a Place,
    pub(super) known: Vec<String>,
    /// What to do instead, where the member is that of an item, or of a set.
    pub(super) help: Option<String>,
}

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = unknown(subject, true).iter().map(|found| remark(&LINT, subject, found)).collect();
    // What the prelude reads is told once, where it is called.
    out.dedup();
    out.extend(in_when(&LINT, subject, true));
    out.extend(in_look_ups(subject));
    out.extend(of_actors(subject));
    out
}

/// Steps to members that nobody knows, where AWS lists them all (`is_closed`) or where records may have more. Where one
/// place reads several things, as a function does that is called for several, it is enough if one of them has the member.
pub(super) fn unknown<'a>(subject: &'a Subject<'_>, is_closed: bool) -> Vec<Unknown<'a>> {
    let calls = borrowed(&subject.calls);
    let mut found: Vec<Unknown<'_>> = Vec::new();
    let mut sound: Vec<&Place> = Vec::new();
    for Read { path, place } in subject.readings.values().flat_map(|reading| &reading.reads) {
        let Some(name) = path.last().filter(|name| !OF_RHAI.contains(name)) else { continue };
        let is_told = found.iter().any(|other| other.place == place);
        match last_step(path, subject, &calls) {
            Some(Stepped::Unknown { is_closed: all_are_listed, known }) if all_are_listed == is_closed && !is_told => {
                let help = of_items(path, name, subject, &calls).map(|(what, how)| format!("{what}: {how}"));
                found.push(Unknown { path: path.names().join("."), name: name.to_owned(), place, known, help });
            }
            Some(Stepped::Unknown { .. }) | None => {}
            Some(_) => sound.push(place),
        }
    }
    let is_at = |place: &Place, other: &Place| place.file == other.file && place.span == other.span;
    found.retain(|found| !sound.iter().any(|place| is_at(place, found.place)));
    // What a library reads may be there for another policy.
    sound.iter().filter(|place| place.file != 0).for_each(|place| subject.acquit(place));
    found
}

/// What to write where a list, or an object with `items`, is in the way: its items have the member.
fn of_items(path: &Path, name: &str, subject: &Subject<'_>, calls: &[Call<'_>]) -> Option<(&'static str, String)> {
    let (_, steps) = path.steps.split_last()?;
    let place = at_end(&Path { base: path.base.clone(), steps: steps.to_vec() }, subject, calls)?;
    let has = |place: &Holder<'_>| matches!(place.field(name), Stepped::Known(_));
    if let Stepped::Known(item) = place.item()
        && has(&item)
    {
        return Some((
            "it is a list, whose items have it",
            format!("`.some(|one| one.{name} …)`, `.map(|one| one.{name})`"),
        ));
    }
    if let Stepped::Known(items) = place.field("items")
        && let Stepped::Known(item) = items.item()
        && has(&item)
    {
        return Some(("it is an object, whose list is `items`", format!("`.items.some(|one| one.{name} …)`")));
    }
    None
}

/// Properties of texts and lists that are Rhai's own.
const OF_RHAI: &[&str] = &["len", "is_empty", "chars", "bytes"];

/// A remark about a step, with what was meant.
pub(super) fn remark(lint: &Lint, subject: &Subject<'_>, found: &Unknown<'_>) -> Diagnostic {
    if subject.is_of_prelude(found.place) {
        let site = found.place.site.clone();
        let called = subject.source.text.get(site.clone()).and_then(|text| text.split('(').next()).unwrap_or_default();
        let called = called.rsplit('.').next().unwrap_or_default().trim();
        let message = format!("`{called}` reads members that there are not in what it is given");
        let diagnostic = lint.at(subject.source, site, message);
        return match crate::script::ACTOR.contains(&found.name.as_str()) {
            true => diagnostic.help("give it `actor(event)`"),
            false => diagnostic.help(format!("such as `{}`", found.name)),
        };
    }
    let source = subject.source_of(found.place);
    let span = found.place.span.clone();
    let names = || found.known.iter().map(String::as_str);
    let diagnostic = lint.at(source, span.clone(), format!("there is no field `{}`", found.path));
    if let Some(help) = &found.help {
        return diagnostic.help(help);
    }
    let Some(meant) = did_you_mean(&found.name, names()) else {
        return diagnostic.help("if it is newer than this version of Lawbook, say so in a folder for `--shapes`");
    };
    let diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
    match surely_meant(&found.name, names()) {
        Some(meant) if source.text.get(span.clone()) == Some(&found.name) => diagnostic.fix(span, meant),
        _ => diagnostic,
    }
}

/// Keys of `when`, where AWS lists all names that there are (`is_closed`) or where records may have more.
pub(super) fn in_when(lint: &Lint, subject: &Subject<'_>, is_closed: bool) -> Vec<Diagnostic> {
    let calls = borrowed(&subject.calls);
    let told = |path: &[String]| of_names(lint, subject, &calls, path, &["when"], is_closed);
    subject.header().when.conditions.iter().filter_map(|condition| told(&condition.path)).collect()
}

/// The first of some names of a record that nobody knows.
pub(super) fn of_names(
    lint: &Lint,
    subject: &Subject<'_>,
    calls: &[Call<'_>],
    names: &[String],
    keys: &[&str],
    is_closed: bool,
) -> Option<Diagnostic> {
    let mut path = Path::of(Base::Record);
    for name in names {
        path = path.then(Step::Name(name.clone()));
        let Some(Stepped::Unknown { is_closed: all_are_listed, known }) = last_step(&path, subject, calls) else {
            continue;
        };
        if all_are_listed != is_closed {
            return None;
        }
        let written = names.join(".");
        let span = subject.key_span(&[keys, &[written.as_str()]].concat());
        let diagnostic = lint.at(subject.source, span, format!("there is no field `{}`", path.names().join(".")));
        if let Some((what, _)) = of_items(&path, name, subject, calls) {
            return Some(diagnostic.help(format!("{what}: ask in a function of the policy")));
        }
        let meant = did_you_mean(name, known.iter().map(String::as_str));
        return Some(match meant {
            Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
            None => diagnostic,
        });
    }
    None
}

/// Keys by which resources are looked up; they lead through lists.
fn in_look_ups(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    for call in subject.readings.values().flat_map(|reading| &reading.calls) {
        let [kind, key, ..] = call.args.as_slice() else { continue };
        let (Some(kind), Some(key)) = (kind.text(), key.text()) else { continue };
        if !call.name.starts_with("lookup") {
            continue;
        }
        let Some(place) = subject.shapes.resource(kind) else { continue };
        let (Stepped::Unknown { known, .. }, name) = at_key(place, key) else { continue };
        let source = subject.source_of(&call.place);
        let diagnostic = LINT.at(source, call.place.span.clone(), format!("`{kind}` has no field `{key}`"));
        let diagnostic = match did_you_mean(name, known.iter().map(String::as_str)) {
            Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
            None => diagnostic,
        };
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
    out
}

/// Members of what `actor` gives.
fn of_actors(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let none = Vec::new();
    let own: Vec<String> = crate::script::ACTOR.iter().map(|name| (*name).to_owned()).collect();
    let all: Vec<String> = own.iter().cloned().chain(crate::script::TRACED.map(str::to_owned)).collect();
    let mut out: Vec<Diagnostic> = Vec::new();
    for Read { path, place } in subject.readings.values().flat_map(|reading| &reading.reads) {
        let (name, known, of) = match (&path.base, path.steps.as_slice()) {
            (Base::Actor, [Step::Name(name)]) => (name, &all, "actor(…)"),
            (Base::Actor, [Step::Name(first), Step::Name(name)]) if first == "origin" => {
                (name, &own, "actor(…).origin")
            }
            // Of a text.
            (Base::Actor, [Step::Name(_), Step::Name(name)]) => (name, &none, "actor(…)"),
            _ => continue,
        };
        if known.contains(name) || OF_RHAI.contains(&name.as_str()) {
            continue;
        }
        let found =
            Unknown { path: format!("{of}.{name}"), name: name.clone(), place, known: known.clone(), help: None };
        let diagnostic = remark(&LINT, subject, &found);
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
    out
}

//! Reads `inventory.json`, which says of the files beside it what they are, whose, and how the call ended.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::place::{self, Hint};
use crate::diagnostic::did_you_mean;
use crate::fault::Fault;
use crate::inventory::{Builder, Collected};
use crate::record::{Origin, Scope};
use crate::schema;
use crate::yaml;

/// The name by which a manifest is known.
pub const NAME: &str = "inventory.json";

/// What the manifests that were read say of files.
#[derive(Debug, Default)]
pub struct Manifests {
    entries: HashMap<PathBuf, Entry>,
    /// The files that are listed as collected, with their manifests, in order.
    collected: Vec<(PathBuf, PathBuf)>,
}

/// What a manifest says of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) hint: Option<Hint>,
    /// With the spelling of the API: `Name` for `--name`.
    pub(super) arguments: Map<String, Value>,
    pub(super) scope: Scope,
    pub(super) time: Option<Timestamp>,
    pub(super) status: Status,
    /// True when a manifest lists the file.
    pub(super) listed: bool,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// All of its answer is there.
    #[default]
    Ok,
    /// It was not allowed.
    Refused,
    /// Some of its answer is there.
    Partial,
}

#[derive(serde::Deserialize)]
struct Manifest {
    answers: Vec<Answer>,
}

#[derive(serde::Deserialize)]
struct Answer {
    file: Option<String>,
    service: String,
    command: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    account: Option<String>,
    region: Option<String>,
    time: Option<String>,
    #[serde(default)]
    status: Status,
}

static SHAPE: LazyLock<Option<jsonschema::Validator>> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../../schemas/inventory-manifest.schema.json")).ok()?;
    jsonschema::validator_for(&schema).ok()
});

/// True for the path of a manifest whose text is one, or nothing at all: other tools have files of that name too.
pub fn is_manifest(path: &Path, text: &[u8]) -> bool {
    path.file_name().is_some_and(|name| name == NAME)
        && (text.trim_ascii().is_empty()
            || String::from_utf8_lossy(&text[..text.len().min(4096)]).contains("\"lawbook\""))
}

/// What is wrong with a command that was refused, if it is one that nobody knows, though it is nearly one that is known: which
/// kind was not collected would stay untold.
fn unknown(hint: &Hint) -> Option<String> {
    let Hint { service, command } = hint;
    if schema::command(service, command).is_some() {
        return None;
    }
    let is_service = schema::is_service(service);
    let meant = match is_service {
        true => {
            let commands = schema::commands().filter(|known| known.service == service).map(|known| known.name);
            did_you_mean(command, commands).map(|meant| format!("{service} {meant}"))
        }
        false => {
            let services = schema::commands().filter(|known| known.name == command).map(|known| known.service);
            did_you_mean(service, services).map(|meant| format!("{meant} {command}"))
        }
    };
    let reason = format!("no command `{service} {command}` is known, so nobody knows what was refused");
    match meant {
        Some(meant) => Some(format!("{reason} (try: did you mean `{meant}`?)")),
        // Of a service that nobody knows, nobody asks.
        None => is_service.then_some(reason),
    }
}

impl Manifests {
    /// Takes in the manifest at `path`: remembers what it says of files, notes refused calls. Every remark about it is a
    /// fault: text that is no manifest, and listed files that are not `there`.
    pub fn read(
        &mut self,
        path: &Path,
        text: &[u8],
        there: &dyn Fn(&Path) -> bool,
        builder: &mut Builder,
    ) -> Vec<Fault> {
        let text = String::from_utf8_lossy(text);
        let file: Arc<str> = path.to_string_lossy().into();
        // Only for the places of mistakes: it costs more than all the rest.
        let tree = LazyCell::new(|| yaml::parse(&text).ok());
        let fault = |pointer: &str, reason: String| {
            let span = tree.as_ref().and_then(|tree| tree.pointer(pointer)).map(|found| found.span.start);
            let line = span.map(|at| text[..at].matches('\n').count() as u64 + 1);
            Fault::inventory(reason, Origin { file: Arc::clone(&file), position: 0, line })
        };
        let value: Value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => {
                let origin = Origin { file, position: 0, line: Some(error.line() as u64) };
                return vec![Fault::inventory(format!("the manifest is not JSON: {error}"), origin)];
            }
        };
        let errors: Vec<Fault> = SHAPE
            .iter()
            .flat_map(|shape| shape.iter_errors(&value))
            .map(|error| {
                let pointer = error.instance_path().to_string();
                fault(&pointer, format!("the manifest is not valid at `{pointer}`: {error}"))
            })
            .collect();
        if !errors.is_empty() {
            return errors;
        }
        let manifest: Manifest = match serde_json::from_value(value) {
            Ok(manifest) => manifest,
            Err(error) => return vec![fault("", format!("the manifest is not valid: {error}"))],
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut faults = Vec::new();
        for (at, answer) in manifest.answers.into_iter().enumerate() {
            let named = answer.file.as_ref().map(|file| clean(&folder.join(file)));
            if answer.time.as_ref().is_some_and(|time| time.parse::<Timestamp>().is_err()) {
                let reason = "`time` is not a time with a zone (try: `2025-01-31T12:00:00Z`)";
                faults.push(fault(&format!("/answers/{at}/time"), reason.to_owned()));
            }
            let entry = answer.entry();
            entry.note_asked(builder);
            if entry.status == Status::Refused {
                entry.note_refused(builder);
                if let Some(reason) = entry.hint.as_ref().and_then(unknown) {
                    faults.push(fault(&format!("/answers/{at}"), reason));
                }
            } else if let Some(named) = &named
                && there(named)
            {
                self.collected.push((path.to_owned(), named.clone()));
            } else if let Some(missing) = &named {
                faults.push(fault(
                    &format!("/answers/{at}/file"),
                    format!(
                        "the manifest lists `{}`, which is not there (try: collect it again, or take its entry out)",
                        missing.display()
                    ),
                ));
            }
            if let Some(named) = named {
                let shown = named.display().to_string();
                // Which of the two is meant nobody knows; the same said again does no harm.
                if self.entries.insert(named, entry.clone()).is_some_and(|before| before != entry) {
                    let reason = format!("`{shown}` is listed before as something else (try: one entry for each file)");
                    faults.push(fault(&format!("/answers/{at}/file"), reason));
                }
            }
        }
        faults
    }

    /// Every file that is listed as collected and there, with its manifest.
    pub fn all(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.collected.iter().map(|(manifest, file)| (manifest.as_path(), file.as_path()))
    }

    /// True for a file that a manifest lists: it is inventory, whatever it looks like.
    pub fn lists(&self, path: &Path) -> bool {
        self.of(path).is_some()
    }

    /// What is said of a file.
    pub(super) fn of(&self, path: &Path) -> Option<&Entry> {
        if self.entries.is_empty() { None } else { self.entries.get(&clean(path)) }
    }
}

impl Answer {
    fn entry(self) -> Entry {
        let text = |text: Option<String>| text.map(Arc::from);
        let region = self.region.filter(|_| !place::is_global(&self.service));
        Entry {
            hint: Some(Hint { service: self.service, command: self.command }),
            arguments: self.arguments.into_iter().map(|(name, value)| (api_name(&name), value)).collect(),
            scope: Scope { account: text(self.account), region: text(region) },
            time: self.time.and_then(|time| time.parse().ok()),
            status: self.status,
            listed: true,
        }
    }
}

impl Entry {
    /// What the call tells of.
    fn kinds(&self) -> Vec<Arc<str>> {
        let Some(Hint { service, command }) = &self.hint else { return Vec::new() };
        match schema::command(service, command) {
            Some(command) => command.kinds().cloned().collect(),
            None => vec![format!("{service}/{}", command.split_once('-').map_or(&**command, |(_, noun)| noun)).into()],
        }
    }

    fn note_refused(&self, builder: &mut Builder) {
        for kind in self.kinds() {
            builder.note_collected(&kind, self.scope.clone(), Collected::Refused);
        }
    }

    /// Of a call about one thing: others of its kind may be answered, and say nothing of this one.
    fn note_asked(&self, builder: &mut Builder) {
        if !self.narrows() {
            return;
        }
        let arguments = Value::Object(self.arguments.clone()).to_string();
        for kind in self.kinds() {
            builder.note_asked(&kind, &self.scope, arguments.clone(), self.status != Status::Refused);
        }
    }

    /// True when the arguments ask for some of what there is.
    pub(super) fn narrows(&self) -> bool {
        self.arguments.iter().any(|(name, value)| match name.as_str() {
            "PageSize"
            | "MaxItems"
            | "MaxResults"
            | "Limit"
            | "Output"
            | "Region"
            | "Profile"
            | "NoCliPager"
            | "IncludeShadowTrails"
            | "IncludeAllInstances"
            | "IncludePublicIpv4Pools"
            | "NoPaginate" => false,
            // One's own images and snapshots are all that there are to judge.
            "Owners" | "OwnerIds" => {
                let own = |owner: &Value| {
                    owner.as_str().is_some_and(|owner| owner == "self" || Some(owner) == self.scope.account.as_deref())
                };
                !value.as_array().map_or_else(|| own(value), |owners| owners.iter().all(own))
            }
            _ => true,
        })
    }
}

/// `--owner-ids`, `owner-ids` and `ownerIds` as the API spells them: `OwnerIds`.
fn api_name(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}

/// A path without `.` and `x/..`.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

//! Tables of policies: by area, severity, service and framework.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::framework::{Control, Natural, natural};
use super::markdown::{code, inline};
use super::{Entry, service};
use crate::finding::Severity;

/// Writes a page that lists policies.
type Write = fn(&[Entry<'_>]) -> String;

/// Controls of a framework in their order, each as a link, with the policies that it names.
type Controls<'e> = BTreeMap<(Natural, String), Vec<&'e Entry<'e>>>;

/// The pages that list policies: the name of the file, what it is by, and what writes it.
pub(super) const INDEXES: [(&str, &str, Write); 4] = [
    ("README.md", "area", by_area),
    ("by-severity.md", "severity", by_severity),
    ("by-service.md", "service", by_service),
    ("by-framework.md", "framework", by_framework),
];

/// Links to all indexes, in a line.
pub(super) fn links() -> String {
    let links: Vec<String> = INDEXES.iter().map(|(file, by, _)| format!("[{by}]({file})")).collect();
    format!("Policies by {}.\n", links.join(", "))
}

fn link(entry: &Entry<'_>) -> String {
    format!("[{}]({})", entry.policy.id, entry.target)
}

/// A table of policies; of those whose severity is not the same for all findings that is said.
pub(super) fn table(entries: &[&Entry<'_>], out: &mut String) {
    out.push_str("| policy | severity | judges | what it finds |\n|---|---|---|---|\n");
    for entry in entries {
        let header = &entry.policy.header;
        let moves = if entry.policy.moves_severity() { ", moves" } else { "" };
        let _ = writeln!(
            out,
            "| {} | {}{moves} | {} | {} |",
            link(entry),
            entry.policy.usual_severity().word(),
            code(&header.judges),
            inline(&header.title.text)
        );
    }
}

/// Groups of policies, each under its heading.
fn groups<'e, K: Ord>(groups: impl IntoIterator<Item = (K, &'e Entry<'e>)>) -> BTreeMap<K, Vec<&'e Entry<'e>>> {
    let mut all: BTreeMap<K, Vec<&'e Entry<'e>>> = BTreeMap::new();
    for (key, entry) in groups {
        all.entry(key).or_default().push(entry);
    }
    all
}

fn titled(title: &str, entries: &[&Entry<'_>], out: &mut String) {
    let _ = writeln!(out, "\n## {}\n", inline(title));
    table(entries, out);
}

fn by_area(entries: &[Entry<'_>]) -> String {
    let packs: BTreeSet<&str> = entries.iter().map(|entry| &*entry.policy.pack).collect();
    let names: Vec<String> = packs.iter().map(|pack| code(pack)).collect();
    let mut out = format!(
        "# Policies\n\n{} of {}. {}*moves*: the severity depends on what is found.\n",
        count(entries.len()),
        names.join(", "),
        links().replace("Policies by", "By").replace('\n', " ")
    );
    let area = |entry: &Entry<'_>| match (packs.len(), entry.area.as_str()) {
        (1, area) => area.to_owned(),
        (_, "") => entry.policy.pack.to_string(),
        (_, area) => format!("{}: {area}", entry.policy.pack),
    };
    for (area, entries) in groups(entries.iter().map(|entry| (area(entry), entry))) {
        match area.as_str() {
            "" => {
                out.push('\n');
                table(&entries, &mut out);
            }
            area => titled(area, &entries, &mut out),
        }
    }
    out
}

fn count(policies: usize) -> String {
    if policies == 1 { "1 policy".to_owned() } else { format!("{policies} policies") }
}

fn by_severity(entries: &[Entry<'_>]) -> String {
    let mut out = format!("# Policies by severity\n\n{}", links());
    out.push_str("\nBy what a finding has unless the policy moves it.\n");
    let mut all = groups(entries.iter().map(|entry| (entry.policy.usual_severity(), entry)));
    for severity in Severity::ALL.into_iter().rev() {
        if let Some(entries) = all.remove(&severity) {
            titled(severity.word(), &entries, &mut out);
        }
    }
    out
}

fn by_service(entries: &[Entry<'_>]) -> String {
    let mut out = format!("# Policies by service\n\n{}", links());
    out.push_str("\nBy the service whose events or resources are judged.\n");
    let mut all = groups(
        entries.iter().flat_map(|entry| service::of(entry.policy).into_iter().map(move |service| (service, entry))),
    );
    let any = all.remove_entry(service::ANY);
    for (service, entries) in all.into_iter().chain(any) {
        titled(&service, &entries, &mut out);
    }
    out
}

fn by_framework(entries: &[Entry<'_>]) -> String {
    let mut out = format!("# Policies by framework\n\n{}", links());
    out.push_str("\nBy their tags; `lawbook list --coverage` has the same for programs.\n");
    let mut frameworks: BTreeMap<String, Controls<'_>> = BTreeMap::new();
    let mut without = Vec::new();
    for entry in entries {
        let controls: Vec<Control> = entry.policy.header.tags.iter().filter_map(|tag| Control::of(tag)).collect();
        if controls.is_empty() {
            without.push(entry);
        }
        for control in controls {
            let key = (natural(&control.name), format!("[{}]({})", control.name, control.page));
            frameworks.entry(control.framework).or_default().entry(key).or_default().push(entry);
        }
    }
    for (framework, controls) in frameworks {
        let _ = writeln!(out, "\n## {framework}\n\n| | policies |\n|---|---|");
        for ((_, control), entries) in controls {
            let policies: Vec<String> = entries.into_iter().map(link).collect();
            let _ = writeln!(out, "| {control} | {} |", policies.join(", "));
        }
    }
    if !without.is_empty() {
        titled("In no framework", &without, &mut out);
    }
    out
}

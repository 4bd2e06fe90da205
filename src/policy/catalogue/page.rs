//! Everything that a policy says about itself, as Markdown.

use std::fmt::Write as _;

use super::framework::Control;
use super::markdown::{address, block, code, inline, prose};
use crate::policy::pack::DEFAULT;
use crate::policy::{Condition, Param, Policy, show_path};
use crate::record::CLOUDTRAIL;

/// Writes the page of a policy; `place` is its file below the folder of the pack, and `level` are the signs of its heading.
pub(super) fn write(policy: &Policy, place: &str, level: &str, out: &mut String) {
    // What is written to a text is written.
    let _ = writeln!(out, "{level} {}\n\n{}\n", policy.id, inline(&policy.header.title.text));
    facts(policy, place, out);
    for (title, text) in policy.sections() {
        if !title.is_empty() {
            let _ = writeln!(out, "\n{level}# {}", inline(title));
        }
        out.push('\n');
        out.push_str(&prose(text));
    }
    if let Some(text) = policy.severity_code() {
        let _ = writeln!(out, "\n{level}# What moves the severity\n");
        out.push_str(&block("rust", text));
    }
    params(policy, level, out);
    remediation(policy, level, out);
    if !policy.header.references.is_empty() {
        let _ = writeln!(out, "\n{level}# References\n");
        policy.header.references.iter().for_each(|reference| {
            let _ = writeln!(out, "- {}", address(reference));
        });
    }
    waive(policy, level, out);
    test(policy, place, level, out);
}

fn facts(policy: &Policy, place: &str, out: &mut String) {
    for fact in policy.facts().iter().filter(|fact| !fact.values.is_empty()) {
        let values: Vec<String> = match fact.label {
            "severity" | "window" => fact.values.iter().map(|value| inline(value)).collect(),
            "tags" => fact.values.iter().map(|tag| tagged(tag)).collect(),
            _ => fact.values.iter().map(|value| code(value)).collect(),
        };
        let mut label = fact.label.to_owned();
        label[..1].make_ascii_uppercase();
        let _ = writeln!(out, "- {label}: {}", values.join(", "));
        if fact.label == "judges" {
            let when: Vec<String> = policy.header.when.conditions.iter().map(asked).collect();
            if !when.is_empty() {
                let _ = writeln!(out, "- When: {}", when.join(", and "));
            }
        }
    }
    let _ = writeln!(out, "- Pack: {}, {}", code(&policy.pack), code(place));
}

/// A condition of `when`, in words.
fn asked(condition: &Condition) -> String {
    let value = |value: &Option<String>| value.as_ref().map_or_else(|| "absent".to_owned(), |text| code(text));
    let values: Vec<String> = condition.any_of.iter().map(value).collect();
    format!("{} is {}", code(&show_path(&condition.path)), values.join(" or "))
}

/// A tag, with the page of what it names.
fn tagged(tag: &str) -> String {
    match Control::of(tag) {
        // What is a name of a framework has no letter that means something in Markdown.
        Some(Control { framework, name, page }) => format!("[{framework} {name}]({page})"),
        None => code(tag),
    }
}

fn params(policy: &Policy, level: &str, out: &mut String) {
    let Some(first) = policy.header.params.first() else { return };
    let _ = writeln!(out, "\n{level}# Parameters\n\n| parameter | type | default | |\n|---|---|---|---|");
    for param in &policy.header.params {
        let Param { name, kind, default, doc } = param;
        let default = code(&param.show(default));
        let _ = writeln!(out, "| {} | {} | {default} | {} |", code(name), kind.describe(), inline(doc));
    }
    let _ =
        writeln!(out, "\n`--param {}.{}=VALUE` sets one for a run, `lawbook.yaml` for good.", policy.id, first.name);
}

fn remediation(policy: &Policy, level: &str, out: &mut String) {
    let instructions = policy.instructions();
    if instructions.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{level}# Remediation");
    if instructions.iter().any(|instruction| instruction.text.contains("${")) {
        let _ = writeln!(out, "\nReports fill `${{…}}` with the ids of a finding, quoted.");
    }
    for instruction in instructions {
        let _ = writeln!(out, "\n{level}## {}\n", instruction.title);
        out.push_str(&block(instruction.language, instruction.text));
    }
}

fn waive(policy: &Policy, level: &str, out: &mut String) {
    let (selector, others) = if *policy.header.judges == *CLOUDTRAIL {
        ("actor: [\"arn:aws:iam::111122223333:role/deploy\"]", "resources, account, region, where")
    } else {
        ("resources: [\"*example*\"]", "account, region, tag, where")
    };
    let _ = writeln!(
        out,
        "\n{level}# How to waive it\n\nOne finding, by the fingerprint that reports have: `lawbook waive FINGERPRINT --owner NAME --reason WHY --expires 30d`.\nSeveral, in the file that `--waivers` names:\n"
    );
    let text = format!(
        "waivers:\n  - policy: {}\n    {selector}  # and: {others}\n    owner: alice@example.com\n    reason: Why it is no trouble.\n    expires: 2030-12-31",
        policy.id
    );
    out.push_str(&block("yaml", &text));
}

fn test(policy: &Policy, place: &str, level: &str, out: &mut String) {
    let _ = writeln!(
        out,
        "\n{level}# How to test it\n\nIts cases, in the folder of the pack; then why it fires or stays silent on records of yours:\n"
    );
    let pack = if &*policy.pack == DEFAULT { "" } else { " --pack ." };
    let text = format!("lawbook test {place}\nlawbook scan PATH{pack} --only {id} --why {id}", id = policy.id);
    out.push_str(&block("sh", &text));
}

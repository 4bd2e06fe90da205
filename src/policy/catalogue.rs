//! What policies find, as a page of Markdown: a table of all, then everything that each says about itself.

use std::fmt::Write as _;

use super::{Checked, Policy};

/// The page of all policies of packs, in their order.
pub fn catalogue(packs: &Checked) -> String {
    let mut page = String::from("# Policies\n\n");
    page.push_str("This page is written by `lawbook docs --policies`.\n\n");
    page.push_str("| policy | severity | judges | what it finds |\n|---|---|---|---|\n");
    for policy in packs.policies() {
        let header = &policy.header;
        let severity = policy.severity.unwrap_or(header.severity).word();
        let _ = writeln!(
            page,
            "| [{id}](#{id}) | {severity} | `{}` | {} |",
            header.judges,
            cell(&header.title.text),
            id = policy.id
        );
    }
    for policy in packs.policies() {
        one(policy, &mut page);
    }
    page
}

fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn one(policy: &Policy, page: &mut String) {
    let header = &policy.header;
    // What is written to a text is written.
    let _ = writeln!(page, "\n## {}\n\n{}\n", policy.id, cell(&header.title.text));
    let code = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let when: Vec<String> = header.when.conditions.iter().map(|condition| format!("`{condition}`")).collect();
    let rows = [
        ("Severity", policy.severity.unwrap_or(header.severity).word().to_owned()),
        ("Judges", format!("`{}`", header.judges)),
        ("When", when.join(", ")),
        ("Looks up", code(&header.uses)),
        ("Needs", code(&header.needs)),
        ("Tags", code(&header.tags)),
        ("Pack", policy.pack.to_string()),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(page, "- {name}: {value}");
    }
    if !header.params.is_empty() {
        page.push_str("\n| parameter | type | default | |\n|---|---|---|---|\n");
        for param in &header.params {
            let (kind, default) = (cell(&param.kind.describe()), cell(&param.default.to_string()));
            let _ = writeln!(page, "| `{}` | {kind} | `{default}` | {} |", param.name, cell(&param.doc));
        }
    }
    for (title, text) in policy.sections() {
        let _ = writeln!(page, "\n### {title}\n\n{text}");
    }
    let forms = [
        ("Console", "text", &header.remediation.console),
        ("AWS CLI", "sh", &header.remediation.cli),
        ("Python", "python", &header.remediation.python),
    ];
    for (title, language, form) in forms {
        if let Some(form) = form {
            let _ = writeln!(page, "\n{title}:\n\n```{language}\n{}\n```", form.text.trim_end());
        }
    }
    if !header.references.is_empty() {
        page.push('\n');
        for reference in header.references.iter() {
            let _ = writeln!(page, "- <{reference}>");
        }
    }
}

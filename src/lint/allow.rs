//! Comments that allow something: `// lawbook: allow(code) reason`, for its own line and the next line of code, and
//! `// lawbook: allow-file(code) reason`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{Category, Check, Lint, find, lints};
use crate::diagnostic::{Diagnostic, Level, SourceText, did_you_mean};
use crate::policy::Pack;
use crate::script::syntax::Tokens;

/// What is said of the comments themselves.
pub(super) const LINTS: [Lint; 2] = [
    Lint {
        code: "allow",
        category: Category::Style,
        level: Level::Warning,
        summary: "A comment that is meant to allow something and does not: without a reason, of a code that there is not, or of \
                  an error.",
        avoid: "`// lawbook: allow(outcome)`",
        prefer: "`// lawbook: allow(outcome) refused attempts are what this is about`",
        why: "Whoever reads the policy next should know why it may do what others may not. Errors cannot be allowed, for \
              what cannot work does not work with a reason either.",
        check: Check::Allow,
        bad: &[
            "// lawbook: allow(outcome)\nfn matches(event) { event.eventName == \"A\" }",
            "// lawbook: allow(outcom) why not\nfn matches(event) { event.eventName == \"A\" }",
            "fn matches(event) {\n    event.readOnly // lawbook: allow(bare-path) I know\n}",
            "// lawbook: alow(outcome) why not\nfn matches(event) { event.eventName == \"A\" }",
            "// lawbook: allow outcome why not\nfn matches(event) { event.eventName == \"A\" }",
            "//! tags: [attack.t9999] # lawbook: allow(unknown-tag)\nfn matches(event) { succeeded(event) }",
        ],
        good: &[
            "// lawbook: allow(outcome) attempts count\nfn matches(event) { event.awsRegion == \"x\" }",
            "fn matches(event) { succeeded(event) && event.userAgent != \"// lawbook: allow(x)\" }",
        ],
    },
    Lint {
        code: "unused-allow",
        category: Category::Style,
        level: Level::Warning,
        summary: "A comment that allows what nobody says.",
        avoid: "",
        prefer: "Take it away; `lawbook check --fix` does.",
        why: "It would hide the next mistake of the kind, which nobody has looked at.",
        check: Check::Allow,
        bad: &[
            "// lawbook: allow(outcome) attempts count\nfn matches(event) { succeeded(event) }",
            "// lawbook: allow-file(outcome) attempts count\nfn matches(event) { succeeded(event) }",
            "fn matches(event) { succeeded(event) }\n// lawbook: allow(outcome) attempts count",
        ],
        good: &[
            "// lawbook: allow-file(outcome) attempts count\nfn matches(event) { event.awsRegion == \"x\" }",
            "fn matches(event) { event.awsRegion == \"x\" } // lawbook: allow(outcome) attempts count",
            "//! tags: [attack.t9999] # lawbook: allow(unknown-tag) ours\nfn matches(event) { succeeded(event) }",
        ],
    },
];

/// A comment that allows something.
struct Allowance {
    /// From `lawbook:` on: where its codes stand, and the codes.
    codes: Vec<(Range<usize>, String)>,
    /// The comment.
    span: Range<usize>,
    /// The lines that it is about; none for the whole file.
    lines: Option<Range<usize>>,
    has_reason: bool,
}

/// Takes away what comments allow, and says what is wrong with these.
pub(super) fn apply(pack: &Pack, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let sources: Vec<&Arc<SourceText>> = pack.sources().iter().chain(pack.libraries()).collect();
    let mut by_file: BTreeMap<&str, Vec<Diagnostic>> = BTreeMap::new();
    let mut out = Vec::new();
    let with_comments: Vec<&Arc<SourceText>> =
        sources.into_iter().filter(|source| source.text.contains("lawbook: ")).collect();
    if with_comments.is_empty() {
        return diagnostics;
    }
    for source in &with_comments {
        by_file.insert(&source.file, Vec::new());
    }
    for diagnostic in diagnostics {
        match by_file.get_mut(diagnostic.source.file.as_str()) {
            Some(of_file) => of_file.push(diagnostic),
            None => out.push(diagnostic),
        }
    }
    for source in with_comments {
        let of_file = by_file.remove(source.file.as_str()).unwrap_or_default();
        out.extend(in_file(source, of_file));
    }
    out
}

fn in_file(source: &Arc<SourceText>, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut kept = diagnostics;
    for comment in comments(&source.text) {
        match read(&source.text, &comment) {
            Ok(None) => {}
            Ok(Some(allowance)) => kept = settle(source, &allowance, kept, &mut out),
            Err(problem) => out.push(
                LINTS[0].at(source, comment, problem).help("`// lawbook: allow(CODE) why`, or `allow-file(CODE) why`"),
            ),
        }
    }
    kept.extend(out);
    kept
}

/// Takes away what one comment allows.
fn settle(
    source: &Arc<SourceText>,
    allowance: &Allowance,
    diagnostics: Vec<Diagnostic>,
    out: &mut Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut kept = diagnostics;
    let mut unused = Vec::new();
    for (span, code) in &allowance.codes {
        let Some(lint) = find(code).filter(|lint| !matches!(lint.check, Check::Allow)) else {
            let known = lints().into_iter().map(|lint| lint.code);
            let diagnostic = LINTS[0].at(source, span.clone(), format!("no diagnostic `{code}`"));
            out.push(match did_you_mean(code, known) {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")).fix(span.clone(), meant),
                None => diagnostic.help("`lawbook explain` lists all"),
            });
            continue;
        };
        if lint.level == Level::Error {
            let message = format!("`{code}` is an error, which cannot be allowed");
            out.push(LINTS[0].at(source, span.clone(), message));
            continue;
        }
        if !allowance.has_reason {
            let message = format!("`{code}` is allowed without a reason, so it is not");
            out.push(LINTS[0].at(source, allowance.span.clone(), message).help("say why behind the bracket"));
            continue;
        }
        let before = kept.len();
        kept.retain(|diagnostic| !(diagnostic.code == code && covers(allowance, diagnostic)));
        if kept.len() == before {
            unused.push(code.as_str());
        }
    }
    if !unused.is_empty() {
        let message = format!("allows {}, which nobody says here", names(&unused));
        let diagnostic = LINTS[1].at(source, allowance.span.clone(), message).help("take it away");
        let whole = unused.len() == allowance.codes.len();
        out.push(if whole { diagnostic.fix(with_blanks(&source.text, &allowance.span), "") } else { diagnostic });
    }
    kept
}

fn names(codes: &[&str]) -> String {
    codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ")
}

fn covers(allowance: &Allowance, diagnostic: &Diagnostic) -> bool {
    let Some(lines) = &allowance.lines else { return true };
    lines.contains(&diagnostic.place().0)
}

/// The comments of a text: those of the script, and of the front matter's YAML.
fn comments(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for comment in Tokens::of(text).comments {
        let words = &text[comment.clone()];
        if !words.contains("lawbook: ") {
            continue;
        }
        match words.strip_prefix("//!") {
            // A line of YAML; its comment begins behind a blank.
            Some(yaml) => {
                if let Some(at) = yaml.find("# lawbook: ").filter(|at| *at == 0 || yaml[..*at].ends_with(' ')) {
                    found.push(comment.start + 3 + at..comment.end);
                }
            }
            None => found.push(comment),
        }
    }
    found
}

/// What a comment allows; `None` if it is none of ours.
fn read(text: &str, comment: &Range<usize>) -> Result<Option<Allowance>, String> {
    let words = &text[comment.clone()];
    let lead = words.len() - words.trim_start_matches(['/', '#', '*']).trim_start().len();
    let Some(order) = words[lead..].strip_prefix("lawbook: ") else { return Ok(None) };
    let start = comment.start + lead + "lawbook: ".len();
    let verb_end = order.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-')).unwrap_or(order.len());
    let verb = &order[..verb_end];
    if !matches!(verb, "allow" | "allow-file") {
        return Err(format!("`{verb}` is nothing that a comment can say"));
    }
    let rest = order[verb_end..].strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let Some((list, reason)) = rest else { return Err("no code in brackets behind it".to_owned()) };
    let mut at = start + verb_end + 1;
    let mut codes = Vec::new();
    for part in list.split(',') {
        let code = part.trim();
        let begin = at + (part.len() - part.trim_start().len());
        codes.push((begin..begin + code.len(), code.to_owned()));
        at += part.len() + 1;
    }
    let reason = reason.trim().trim_end_matches("*/").trim();
    let has_reason = reason.chars().any(char::is_alphanumeric);
    let lines = (verb == "allow").then(|| lines(text, comment));
    Ok(Some(Allowance { codes, span: comment.clone(), lines, has_reason }))
}

/// The lines that a comment is about: its own; and, if nothing stands before it there, the next that is no comment.
fn lines(text: &str, comment: &Range<usize>) -> Range<usize> {
    let line_start = text[..comment.start].rfind('\n').map_or(0, |at| at + 1);
    let own = text[..comment.start].matches('\n').count() + 1;
    let before = text[line_start..comment.start].trim();
    if !(before.is_empty() || before == "//!") {
        return own..own + 1;
    }
    let is_front_matter = before == "//!";
    let after = text[comment.end..].lines().skip(1);
    let skipped = after.take_while(|line| {
        let line = line.trim();
        if is_front_matter { line.starts_with("//! #") } else { line.is_empty() || line.starts_with("//") }
    });
    own..own + 2 + skipped.count()
}

/// A comment with the blanks before it, or its whole line.
fn with_blanks(text: &str, comment: &Range<usize>) -> Range<usize> {
    let start = text[..comment.start].trim_end_matches([' ', '\t']).len();
    let is_whole_line = start == 0 || text[..start].ends_with('\n');
    let end = if is_whole_line && text[comment.end..].starts_with('\n') { comment.end + 1 } else { comment.end };
    // A line of front matter of which nothing is left goes, too.
    match text[..start].strip_suffix("//!") {
        Some(above) if above.is_empty() || above.ends_with('\n') => {
            start - 3..text[end..].find('\n').map_or(end, |at| end + at + 1)
        }
        _ => start..end,
    }
}

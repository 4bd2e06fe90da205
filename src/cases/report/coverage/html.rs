//! What cases go through, as one page with nothing that is loaded from elsewhere.

use std::io::{self, Write};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::{is_missing, part, shown};
use crate::cases::coverage::{Coverage, FileCoverage};
use crate::report::html::escaped;

/// How the page looks.
const STYLE: &str = r#"
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}
pre{font:13px/1.5 ui-monospace,monospace;overflow-x:auto}pre span{display:block}pre span i{display:inline-block;width:7rem;color:#667;font-style:normal}
.hit{background:#e6f6e9}.part{background:#fff3cd}.miss{background:#fde2e2}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#15181c}.hit{background:#12351c}.part{background:#473a0b}.miss{background:#4a1b1b}}
"#;

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Coverage of cases</title>"#;

/// What the page may load and run: its own style, known by its hash, and nothing else.
fn policy() -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    format!("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'\">")
}

/// Writes the page.
pub(super) fn write(coverage: &Coverage, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEAD}{}<style>{STYLE}</style></head><body>\n<h1>Coverage of cases</h1>", policy())?;
    writeln!(out, "<table><tr><th>File</th><th>Lines</th><th>Conditions</th></tr>")?;
    for (at, file) in coverage.files.iter().enumerate() {
        let name = format!("<a href=\"#f{at}\">{}</a>", escaped(&file.source.file));
        let (lines, conditions) = (shown(file.line_share()), shown(file.condition_share()));
        writeln!(out, "<tr><td>{name}</td><td class=\"n\">{lines}</td><td class=\"n\">{conditions}</td></tr>")?;
    }
    let (lines, conditions) = (shown(coverage.line_share()), shown(coverage.condition_share()));
    writeln!(out, "<tr><th>All</th><td class=\"n\">{lines}</td><td class=\"n\">{conditions}</td></tr></table>")?;
    for (at, file) in coverage.files.iter().enumerate() {
        of_file(at, file, out)?;
    }
    writeln!(out, "</body></html>")
}

fn of_file(at: usize, file: &FileCoverage, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<h2 id=\"f{at}\">{}</h2>\n<pre>", escaped(&file.source.file))?;
    let lines = file.lines();
    for (number, line) in file.source.text.lines().enumerate() {
        let number = number + 1;
        let missing: Vec<String> = file
            .points
            .iter()
            .filter(|point| point.line == number && is_missing(point))
            .map(|point| format!("{} (false {}, true {})", part(file, point), point.counts[0], point.counts[1]))
            .collect();
        let (class, count) = match lines.get(&number) {
            None => ("", String::new()),
            Some(0) => ("miss", "0".to_owned()),
            Some(count) if missing.is_empty() => ("hit", count.to_string()),
            Some(count) => ("part", count.to_string()),
        };
        let title = escaped(&missing.join("; "));
        writeln!(
            out,
            "<span class=\"{class}\" title=\"{title}\"><i>{number:>4} {count:>6}</i> {}</span>",
            escaped(line)
        )?;
    }
    writeln!(out, "</pre>")
}

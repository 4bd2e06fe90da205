//! What cases go through, for people and for programs.

mod html;

use std::io::{self, Write};

use serde_json::{Value, json};

use super::paint::{BAD, BOLD, GOOD, NOTE, paint};
use crate::cases::coverage::{Coverage, FileCoverage, Point, Share};
use crate::fault::printable;
use crate::script::probe::What;

/// A format in which it is told what cases go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverageFormat {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// What editors and services read: lines, functions' branches.
    Lcov,
    /// One page, with nothing that is loaded from elsewhere.
    Html,
}

/// Tells what cases go through.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_coverage(
    format: CoverageFormat,
    coverage: &Coverage,
    colour: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        CoverageFormat::Text => text(coverage, colour, out),
        CoverageFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &whole(coverage))?;
            writeln!(out)
        }
        CoverageFormat::Lcov => lcov(coverage, out),
        CoverageFormat::Html => html::write(coverage, out),
    }
}

fn shown(share: Share) -> String {
    format!("{:5.1} % {:>9}", share.percent(), format!("({}/{})", share.of, share.all))
}

fn column(file: &FileCoverage, point: &Point) -> usize {
    let text = &file.source.text;
    let start = text[..point.span.start].rfind('\n').map_or(0, |at| at + 1);
    text[start..point.span.start].chars().count() + 1
}

/// A part of a script on one line.
fn part(file: &FileCoverage, point: &Point) -> String {
    let text = file.source.text[point.span.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
    printable(&text, 100)
}

fn text(coverage: &Coverage, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let width = coverage.files.iter().map(|file| file.source.file.chars().count()).max().unwrap_or(0).max(5);
    writeln!(
        out,
        "\n{}",
        paint(colour, BOLD, &format!("{:width$}  {:>18}  {:>18}", "coverage", "lines", "conditions"))
    )?;
    let row = |out: &mut dyn Write, name: &str, lines: Share, conditions: Share| {
        let is_whole = lines.of == lines.all && conditions.of == conditions.all;
        let line = format!("{:width$}  {:>18}  {:>18}", printable(name, 400), shown(lines), shown(conditions));
        writeln!(out, "{}", paint(colour, if is_whole { GOOD } else { NOTE }, &line))
    };
    for file in &coverage.files {
        row(out, &file.source.file, file.line_share(), file.condition_share())?;
    }
    row(out, "all", coverage.line_share(), coverage.condition_share())?;
    for file in &coverage.files {
        for (point, what) in file.missing() {
            let place = format!("{}:{}:{}", file.source.file, point.line, column(file, point));
            writeln!(out, "{}: `{}` {}", printable(&place, 400), part(file, point), paint(colour, BAD, what))?;
        }
    }
    for one in &coverage.one_sided {
        let lacks = match (one.fires, one.silent) {
            (false, true) => "no case that fires",
            (true, false) => "no case that stays quiet",
            _ => "neither a case that fires nor one that stays quiet",
        };
        writeln!(out, "{}: {}", one.policy, paint(colour, BAD, lacks))?;
    }
    Ok(())
}

/// Everything as one JSON object.
pub(super) fn whole(coverage: &Coverage) -> Value {
    let share = |share: Share| json!({ "of": share.of, "all": share.all, "percent": share.percent() });
    let file = |file: &FileCoverage| {
        let missing = file.missing().into_iter().map(|(point, what)| {
            json!({ "line": point.line, "column": column(file, point), "text": part(file, point), "missing": what })
        });
        let conditions = file.conditions().map(|point| {
            json!({ "line": point.line, "column": column(file, point), "text": part(file, point), "false": point.counts[0], "true": point.counts[1] })
        });
        json!({
            "file": file.source.file,
            "library": file.is_library,
            "lines": share(file.line_share()),
            "conditions": share(file.condition_share()),
            "line_counts": file.lines().iter().map(|(line, count)| json!([line, count])).collect::<Vec<_>>(),
            "condition_counts": conditions.collect::<Vec<_>>(),
            "missing": missing.collect::<Vec<_>>(),
        })
    };
    json!({
        "lines": share(coverage.line_share()),
        "conditions": share(coverage.condition_share()),
        "files": coverage.files.iter().map(file).collect::<Vec<_>>(),
        "one_sided": coverage.one_sided,
    })
}

/// The tracefile of lcov: a record a file, a branch for each of a condition's answers.
fn lcov(coverage: &Coverage, out: &mut dyn Write) -> io::Result<()> {
    for file in &coverage.files {
        writeln!(out, "TN:\nSF:{}", file.source.file.replace('\n', "?"))?;
        for (block, point) in file.conditions().enumerate() {
            for (branch, count) in point.counts.iter().enumerate() {
                // A condition that was never asked has no count.
                let taken = if point.counts == [0, 0] { "-".to_owned() } else { count.to_string() };
                writeln!(out, "BRDA:{},{block},{branch},{taken}", point.line)?;
            }
        }
        let conditions = file.condition_share();
        writeln!(out, "BRF:{}\nBRH:{}", conditions.all, conditions.of)?;
        for (line, count) in file.lines() {
            writeln!(out, "DA:{line},{count}")?;
        }
        let lines = file.line_share();
        writeln!(out, "LF:{}\nLH:{}\nend_of_record", lines.all, lines.of)?;
    }
    Ok(())
}

/// What of a point is missing, for a page.
fn is_missing(point: &Point) -> bool {
    match point.what {
        What::Condition => point.counts.contains(&0),
        _ => point.counts == [0, 0],
    }
}

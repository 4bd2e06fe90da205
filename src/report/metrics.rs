//! A scan in numbers, in the text format of Prometheus: for the textfile collector of a machine that scans again and again.
//!
//! The format: "Exposition formats" in the Prometheus documentation, version 0.0.4. Metrics of one name stand together, and
//! no line is written twice.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::Outcome;
use crate::fault::is_deceptive;
use crate::policy::Checked;

/// A run of the program, which need not have come to an outcome.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What it found by which policies, unless it stopped before.
    pub outcome: Option<(&'a Outcome, &'a Checked)>,
    /// The exit code.
    pub exit: u8,
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took.
    pub took: Duration,
}

/// Writes the metrics of a run.
///
/// # Errors
/// When `out` cannot be written to; or, with an [`Error`](crate::Error) inside, when what did not fit into memory cannot be
/// read again.
pub fn write(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out };
    page.head("build_info", "The version of Lawbook, as a label.")?;
    page.line("build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1")?;
    page.one("last_run_timestamp_seconds", "When the run ended.", &seconds(run.ended))?;
    page.one("last_run_duration_seconds", "How long the run took.", &format!("{:.3}", run.took.as_secs_f64()))?;
    page.one(
        "last_run_exit_code",
        "0: nothing to report, 1: new findings, 2: something went wrong.",
        &run.exit.to_string(),
    )?;
    // What is left out of the findings because it could not be read is in the code, too.
    let is_complete = if run.outcome.is_some() && run.exit < 2 { "1" } else { "0" };
    page.one("last_run_complete", "1 if the run came to its end and nothing went wrong, else 0.", is_complete)?;
    match run.outcome {
        Some((outcome, packs)) => of_outcome(outcome, packs, &mut page),
        None => Ok(()),
    }
}

fn of_outcome(outcome: &Outcome, packs: &Checked, page: &mut Page<'_>) -> io::Result<()> {
    let summary = &outcome.summary;
    page.head("findings", "Findings by severity, standing, and whether those of the policy fail a run.")?;
    for (severity, standing, enforcement, count) in &summary.findings.each {
        let labels =
            [("severity", severity.word()), ("standing", standing.word()), ("enforcement", enforcement.word())];
        page.line("findings", &labels, &count.to_string())?;
    }
    let records = &summary.records;
    page.head("records", "Records by what became of them.")?;
    for (kind, count) in [
        ("event", records.events),
        ("resource", records.resources),
        ("recognised", records.recognised),
        ("filtered", records.filtered),
    ] {
        page.line("records", &[("kind", kind)], &count.to_string())?;
    }
    page.head("files", "Files by what became of them.")?;
    for (kind, count) in [("read", summary.files.read), ("skipped", summary.files.skipped)] {
        page.line("files", &[("kind", kind)], &count.to_string())?;
    }
    page.head("faults", "What could not be processed, by stage.")?;
    for stage in ["input", "inventory", "waiver", "policy"] {
        let of = outcome.faults.iter().filter(|fault| fault.stage == stage);
        page.line("faults", &[("stage", stage)], &of.map(|fault| fault.count).sum::<u64>().to_string())?;
    }
    page.one(
        "not_evaluated",
        "Pairs of policy and record that could not be judged.",
        &summary.not_evaluated.to_string(),
    )?;
    page.head("policies", "Policies that were loaded, and those that were asked about a record.")?;
    for (kind, count) in [("loaded", summary.policies.loaded), ("asked", summary.policies.asked)] {
        page.line("policies", &[("kind", kind)], &count.to_string())?;
    }
    by_policy(outcome, packs, page)
}

/// Numbers of a policy: findings, not evaluated, faults.
type OfPolicy = [u64; 3];

fn by_policy(outcome: &Outcome, packs: &Checked, page: &mut Page<'_>) -> io::Result<()> {
    let mut findings = vec![0; packs.policies().len()];
    let each = outcome.findings.each(&mut |finding| {
        if let Some(count) = findings.get_mut(finding.policy()) {
            *count += 1;
        }
        Ok(true)
    });
    each.map_err(io::Error::other)?;
    // Two policies of one pack may be called alike, and no line is written twice.
    let mut all: BTreeMap<(&str, &str), OfPolicy> = BTreeMap::new();
    for ((policy, counts), findings) in packs.policies().iter().zip(&outcome.policies).zip(findings) {
        let of = all.entry((&policy.pack, &policy.id)).or_default();
        for (sum, count) in of.iter_mut().zip([findings, counts.not_evaluated, counts.faults]) {
            *sum += count;
        }
    }
    for (at, name, help) in [
        (0, "policy_findings", "Findings of a policy."),
        (1, "policy_not_evaluated", "Records that a policy could not judge."),
        (2, "policy_faults", "Records on which a policy failed."),
    ] {
        page.head(name, help)?;
        for ((pack, policy), of) in &all {
            page.line(name, &[("pack", pack), ("policy", policy)], &of[at].to_string())?;
        }
    }
    Ok(())
}

struct Page<'o> {
    out: &'o mut dyn Write,
}

impl Page<'_> {
    /// What comes before the values of a metric: all of them are gauges, as a run may find less than the one before.
    fn head(&mut self, name: &str, help: &str) -> io::Result<()> {
        writeln!(self.out, "# HELP lawbook_{name} {help}\n# TYPE lawbook_{name} gauge")
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: &str) -> io::Result<()> {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(self.out, "lawbook_{name}{labels} {value}")
    }

    fn one(&mut self, name: &str, help: &str, value: &str) -> io::Result<()> {
        self.head(name, help)?;
        self.line(name, &[], value)
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            // Somebody may look at the file in a terminal.
            letter if letter.is_control() || is_deceptive(letter) => {
                out.push('\\');
                out.extend(letter.escape_unicode());
            }
            letter => out.push(letter),
        }
    }
    out
}

/// Seconds since 1970, with milliseconds.
fn seconds(time: Timestamp) -> String {
    let milliseconds = time.as_millisecond();
    format!("{}.{:03}", milliseconds.div_euclid(1000), milliseconds.rem_euclid(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_label_ends_it() {
        assert_eq!(escaped("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
        assert_eq!(escaped("\\n"), "\\\\n");
        assert_eq!(escaped("\u{1b}\u{202e}"), "\\\\u{1b}\\\\u{202e}");
        assert_eq!(seconds("1970-01-01T00:00:01.5Z".parse().unwrap()), "1.500");
    }
}

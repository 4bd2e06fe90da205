//! Prints Markdown tables of what was measured.

use crate::data::Corpus;
use crate::measure::{Line, Run, Runs};

/// Prints a heading and what the table is about.
pub(crate) fn heading(title: &str, about: &str) {
    anstream::println!("\n### {title}\n\n{about}\n");
}

/// Prints the head of a table; all columns but the first are numbers.
pub(crate) fn head(columns: &[&str]) {
    let rule: String = columns.iter().skip(1).map(|_| "---:|").collect();
    anstream::println!("| {} |\n|---|{rule}", columns.join(" | "));
}

/// Prints a row.
pub(crate) fn row(cells: &[String]) {
    anstream::println!("| {} |", cells.join(" | "));
}

/// Prints what commands took: each beside the first, over so many of what it judged.
pub(crate) fn compared(lines: &[Line], taken: &[Runs], count: usize, of_what: &str) {
    head(&["", "wall s", "CPU s", "× wall", "× CPU", &format!("{of_what}/s"), "peak MB"]);
    for (line, runs) in lines.iter().zip(taken) {
        row(&[
            line.name.clone(),
            seconds(runs.median(wall)),
            seconds(runs.median(cpu)),
            times(runs.times(&taken[0], wall)),
            times(runs.times(&taken[0], cpu)),
            per_second(count as f64 / runs.median(wall)),
            megabytes(runs.median(memory)),
        ]);
    }
    spread(taken);
}

/// Says how far rounds lay apart.
pub(crate) fn spread<'a>(taken: impl IntoIterator<Item = &'a Runs>) {
    let (of_wall, of_cpu) = taken
        .into_iter()
        .fold((0_f64, 0_f64), |most, runs| (most.0.max(runs.spread(wall)), most.1.max(runs.spread(cpu))));
    anstream::println!(
        "\nRounds of one row lay up to {:.0} % (wall) and {:.0} % (CPU) apart.",
        of_wall * 100.0,
        of_cpu * 100.0
    );
}

/// What a corpus is, in words.
pub(crate) fn about(corpus: &Corpus) -> String {
    let files = if corpus.files == 1 { "one file".to_owned() } else { format!("{} files", whole(corpus.files)) };
    format!(
        "{} records in {files}: {} MB of text, {} MB on disk",
        whole(corpus.records),
        megabytes(corpus.text as f64),
        megabytes(corpus.packed as f64)
    )
}

pub(crate) fn wall(run: &Run) -> f64 {
    run.wall
}

pub(crate) fn cpu(run: &Run) -> f64 {
    run.cpu
}

pub(crate) fn memory(run: &Run) -> f64 {
    run.memory
}

pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 9.95 { format!("{seconds:.3}") } else { format!("{seconds:.1}") }
}

pub(crate) fn times(times: f64) -> String {
    format!("{times:.2}")
}

/// In units of 10^6 bytes.
pub(crate) fn megabytes(bytes: f64) -> String {
    let value = bytes / 1e6;
    if value < 9.95 { format!("{value:.1}") } else { whole(value.round() as usize) }
}

/// With three digits that count.
fn per_second(value: f64) -> String {
    let unit = 10_f64.powf((value.max(1.0).log10().floor() - 2.0).max(0.0));
    whole(((value / unit).round() * unit) as usize)
}

/// With commas between thousands.
pub(crate) fn whole(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! Which changes of policies no case notices, for people and for programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Look;
use super::paint::{DIM, GOOD, NOTE, paint};
use crate::cases::mutate::{Fate, Mutation};
use crate::diagnostic::Diagnostic;
use crate::fault::printable;
use crate::report::diagnostic::draw;

/// Tells which changes no case notices, each with its line drawn.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_mutation(mutation: &Mutation, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let colour = look.colour;
    writeln!(out)?;
    if look.verbose {
        for tried in &mutation.tried {
            let style = if tried.fate == Fate::Survived { NOTE } else { DIM };
            let told = format!("{}:{}  {}", tried.file, tried.line, tried.what);
            writeln!(
                out,
                "{}  {}",
                paint(colour, style, &format!("{:13}", tried.fate.words())),
                printable(&told, 1_000)
            )?;
        }
        writeln!(out)?;
    }
    if !mutation.survivors.is_empty() {
        let remarks: Vec<Diagnostic> = mutation.survivors.iter().map(|survivor| survivor.diagnostic()).collect();
        let drawn = draw(&remarks, colour);
        // What it counts at its end is counted below in other words.
        out.write_all(drawn.trim_end().rsplit_once("\n\n").map_or("", |(drawn, _)| drawn).as_bytes())?;
        writeln!(out, "\n")?;
    }
    let tried = mutation.killed + mutation.survivors.len();
    let mut told =
        format!("mutation: {} of {tried} changes were noticed: score {:.1} %", mutation.killed, mutation.score());
    if mutation.invalid > 0 {
        told.push_str(&format!("; {} do not load", mutation.invalid));
    }
    if mutation.left > 0 {
        told.push_str(&format!("; for {} there was no time", mutation.left));
    }
    let style = if mutation.survivors.is_empty() { GOOD } else { NOTE };
    writeln!(out, "{} in {:.1} ms", paint(colour, style, &told), mutation.time.as_secs_f64() * 1e3)
}

/// The same as a JSON object.
pub(super) fn whole(mutation: &Mutation) -> Value {
    let survivors = mutation.survivors.iter().map(|survivor| {
        let (line, column) = survivor.diagnostic().place();
        json!({
            "file": survivor.source.file,
            "line": line,
            "column": column,
            "text": survivor.source.text[survivor.span.clone()],
            "change": survivor.what,
            "covered": survivor.is_covered,
        })
    });
    json!({
        "score": mutation.score(),
        "killed": mutation.killed,
        "survived": mutation.survivors.len(),
        "invalid": mutation.invalid,
        "left": mutation.left,
        "survivors": survivors.collect::<Vec<_>>(),
    })
}

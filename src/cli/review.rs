//! `lawbook review`: accepts, rejects or skips pending snapshots.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use lawbook::cases::report::{Detail, write_changes};
use lawbook::cases::{self, Pattern, Pending};
use lawbook::diagnostic::did_you_mean;
use lawbook::error::Error;

use super::Failure;

/// Accept, reject or skip pending snapshots
///
/// `lawbook test` keeps what differs from a snapshot in `<policy>.snap.new`. This shows what each would change, finding by
/// finding and field by field, and asks. `cargo insta review` works on the same files.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lawbook review                        this folder, one by one\n  lawbook review my-pack --accept       all of them\n  lawbook review my-pack --reject --only 'key-pair*'"
)]
pub(crate) struct Args {
    /// Folders, policies or pending snapshots; without any, the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Accept without asking
    #[arg(long, conflicts_with = "reject")]
    accept: bool,

    /// Reject without asking
    #[arg(long)]
    reject: bool,

    /// Only policies whose id is this, contains it, or fits it as a glob
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
}

/// What becomes of a pending snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Accept,
    Reject,
    Skip,
    Quit,
}

pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut pending = cases::pending(&paths)?;
    if let Some(only) = &args.only {
        let pattern = Pattern::new(only)?;
        let before = pending.len();
        pending.retain(|one| pattern.chooses(&one.policy));
        let ids = cases::ids(&paths);
        if pending.is_empty() && !ids.iter().any(|id| pattern.chooses(id)) {
            let error = Error::new(format!("no policy is named `{only}`")).about("--only");
            let remedy = match did_you_mean(only, ids.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "an id, a part of one, or a glob of it; `lawbook list --pack DIR` lists all".to_owned(),
            };
            return Err(error.try_to(remedy).into());
        }
        if pending.is_empty() && before > 0 {
            return Err(Error::new(format!("no pending snapshot is of a policy `{only}`")).about("--only").into());
        }
    }
    let mut out = super::stdout();
    if pending.is_empty() {
        writeln!(out, "nothing to review")?;
        return Ok(0);
    }
    let decided = match (args.accept, args.reject) {
        (true, _) => Some(Decision::Accept),
        (_, true) => Some(Decision::Reject),
        _ => None,
    };
    let colour = super::colour_on_stdout();
    if decided.is_none() && !std::io::stdin().is_terminal() {
        let files: Vec<String> = pending.iter().map(|one| one.file.display().to_string()).collect();
        let noun = if files.len() == 1 { "is 1 pending snapshot" } else { "are pending snapshots" };
        return Err(Error::new(format!("there {noun} and no terminal to ask on: {}", files.join(", ")))
            .try_to("`lawbook review --accept` or `lawbook review --reject`, with paths or `--only PATTERN`")
            .into());
    }
    let (mut left, total) = (0, pending.len());
    for (at, one) in pending.iter().enumerate() {
        show(one, at + 1, total, colour, &mut out)?;
        let decision = match decided {
            // What the cases as they are speak against is not accepted unseen.
            Some(Decision::Accept) if !one.contradictions.is_empty() => Decision::Skip,
            Some(decision) => decision,
            None => ask(one, &mut std::io::stdin().lock(), &mut out)?,
        };
        match decision {
            Decision::Accept => one.accept()?,
            Decision::Reject => one.reject()?,
            Decision::Skip => left += 1,
            Decision::Quit => {
                left += total - at;
                break;
            }
        }
        left += usize::from(decision == Decision::Reject && one.is_orphan);
        let word = match decision {
            Decision::Accept if one.is_orphan => "removed",
            Decision::Accept => "accepted",
            Decision::Reject => "rejected",
            Decision::Skip | Decision::Quit => "skipped",
        };
        writeln!(out, "{word} {}\n", one.file.display())?;
    }
    if left > 0 {
        writeln!(out, "{left} left")?;
    }
    Ok(u8::from(left > 0))
}

fn show(one: &Pending, number: usize, total: usize, colour: bool, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{number} of {total}: {}", lawbook::fault::printable(&one.file.display().to_string(), 2_000))?;
    if one.is_orphan {
        return writeln!(out, "      there is no policy `{}`: accepting removes the file", one.policy);
    }
    for contradiction in &one.contradictions {
        let told = lawbook::fault::printable(contradiction, 1_000);
        writeln!(out, "      it is of an earlier run: {told} (try: `lawbook test`)")?;
    }
    if one.changes.is_empty() {
        return writeln!(out, "      nothing differs");
    }
    write_changes(&one.changes, Detail::Whole, colour, out)
}

fn ask(one: &Pending, answers: &mut dyn BufRead, out: &mut dyn Write) -> std::io::Result<Decision> {
    loop {
        write!(out, "{}: [a]ccept, [r]eject, [s]kip, [q]uit, [?]? ", one.policy)?;
        out.flush()?;
        let mut line = String::new();
        if answers.read_line(&mut line)? == 0 {
            return Ok(Decision::Quit);
        }
        match line.trim() {
            "a" | "accept" => return Ok(Decision::Accept),
            "r" | "reject" => return Ok(Decision::Reject),
            "s" | "skip" => return Ok(Decision::Skip),
            "q" | "quit" => return Ok(Decision::Quit),
            _ => help(one, out)?,
        }
    }
}

/// What each answer does.
fn help(one: &Pending, out: &mut dyn Write) -> std::io::Result<()> {
    let name = |file: &std::path::Path| lawbook::fault::printable(&file.display().to_string(), 1_000);
    let (file, snapshot) = (name(&one.file), name(&one.snapshot));
    if one.is_orphan {
        writeln!(out, "  a  remove {file}, which has no policy")?;
        writeln!(out, "  r  leave it, and fail `lawbook test`")?;
    } else {
        writeln!(
            out,
            "  a  what is shown with + is right: {file} becomes {snapshot}, to be committed with the policy"
        )?;
        writeln!(out, "  r  it is wrong: {file} is removed; mend the policy, and run `lawbook test` again")?;
    }
    writeln!(out, "  s  decide later: it stays pending, and `lawbook test` fails")?;
    writeln!(out, "  q  the same for this one and all that follow")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_answered_with_what_each_does() {
        let pending = Pending {
            policy: "x".to_owned(),
            file: "x.snap.new".into(),
            snapshot: "x.snap".into(),
            changes: Vec::new(),
            is_orphan: false,
            contradictions: Vec::new(),
        };
        let mut out = Vec::new();
        let decision = ask(&pending, &mut &b"?\ns\n"[..], &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(decision == Decision::Skip && out.contains("x.snap.new becomes x.snap"), "{out}");
    }
}

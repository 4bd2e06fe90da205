//! Measures whole processes: wall clock, processor time and peak memory, several runs of several commands in turn.

use std::ffi::OsString;
use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The word that makes a benchmark run a command and print what it took (see [`run_and_print`]).
pub(crate) const MEASURE: &str = "measure";

/// A command, and what tables call it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    words: Vec<OsString>,
}

impl Line {
    pub(crate) fn new(name: impl Into<String>, program: impl Into<OsString>) -> Self {
        Self { name: name.into(), words: vec![program.into()] }
    }

    pub(crate) fn arg(mut self, word: impl Into<OsString>) -> Self {
        self.words.push(word.into());
        self
    }

    pub(crate) fn args(mut self, words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// The command, to run it for its output.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        command
    }

    /// Runs it once, in a process of its own.
    fn run(&self) -> io::Result<Run> {
        let output = Command::new(std::env::current_exe()?).arg(MEASURE).args(&self.words).output()?;
        let told = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<f64> = told.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let wrong = |what: &str| io::Error::other(format!("`{}` {what}: {:?}", self.name, self.words));
        match numbers[..] {
            [wall, cpu, memory, code] if (0.0..=1.0).contains(&code) => Ok(Run { wall, cpu, memory }),
            [.., code] => Err(wrong(&format!("ended with {code}"))),
            [] => Err(wrong("could not be measured")),
        }
    }
}

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Seconds.
    pub(crate) wall: f64,
    /// Seconds, user and system.
    pub(crate) cpu: f64,
    /// Bytes at the peak.
    pub(crate) memory: f64,
}

/// Some figure of a run.
pub(crate) type Of = fn(&Run) -> f64;

/// What several runs of one command took, the first of them in the first round, and so on.
#[derive(Clone, Debug)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    /// The median.
    pub(crate) fn median(&self, of: Of) -> f64 {
        median(self.0.iter().map(of).collect())
    }

    /// The median of what this took more than another in the same round.
    pub(crate) fn more_than(&self, other: &Self, of: Of) -> f64 {
        median(self.pairs(other).map(|(run, other)| of(run) - of(other)).collect())
    }

    /// The median of how many times as much as another this took in the same round.
    pub(crate) fn times(&self, other: &Self, of: Of) -> f64 {
        median(self.pairs(other).map(|(run, other)| of(run) / of(other).max(1e-9)).collect())
    }

    /// How far the runs lie apart, as a part of the median.
    pub(crate) fn spread(&self, of: Of) -> f64 {
        let most = self.0.iter().map(of).fold(f64::MIN, f64::max);
        let least = self.0.iter().map(of).fold(f64::MAX, f64::min);
        (most - least) / self.median(of).max(1e-9)
    }

    fn pairs<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a Run, &'a Run)> {
        self.0.iter().zip(&other.0)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
}

/// Runs commands one after another, in so many rounds, so that what else the machine does falls on all of them; one round
/// before them warms caches up and does not count.
pub(crate) fn in_turn(lines: &[Line], rounds: usize) -> io::Result<Vec<Runs>> {
    let mut all = vec![Runs(Vec::new()); lines.len()];
    for round in 0..=rounds.max(1) {
        for (line, runs) in lines.iter().zip(&mut all) {
            let run = line.run()?;
            if round > 0 {
                runs.0.push(run);
            }
        }
    }
    Ok(all)
}

/// Runs the command that the arguments name and prints what it took, from a process that has no other children: the
/// system tells the peak of memory of the largest of them.
pub(crate) fn run_and_print(words: &[String]) -> io::Result<()> {
    let started = Instant::now();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let code = command.status()?.code().unwrap_or(-1);
    let wall = started.elapsed().as_secs_f64();
    let (cpu, memory) = used_by_children()?;
    anstream::println!("{wall} {cpu} {memory} {code}");
    Ok(())
}

/// Seconds of processor time, and bytes at the peak.
#[cfg(unix)]
fn used_by_children() -> io::Result<(f64, f64)> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // macOS counts bytes, all others kilobytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok((cpu as f64 / 1e6, (usage.max_rss() * unit) as f64))
}

/// Not known on this system.
#[cfg(not(unix))]
fn used_by_children() -> io::Result<(f64, f64)> {
    Ok((f64::NAN, f64::NAN))
}

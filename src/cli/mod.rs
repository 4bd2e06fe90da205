//! The command line: flags, help, and the way from a command to the library.

mod baseline;
mod check;
mod completions;
mod config;
mod docs;
mod events;
mod explain;
mod layers;
mod list;
mod log;
mod lock;
mod man;
mod metrics;
mod new;
mod output;
mod pack;
mod packs;
mod progress;
mod redact;
mod remediate;
mod review;
mod scan;
mod settings;
mod show;
mod state;
mod summary;
mod test;
mod try_expr;
mod values;
mod waive;
mod watch;

use std::io;

use anstream::ColorChoice;
use clap::builder::Resettable;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use lawbook::diagnostic::{Diagnostic, did_you_mean};
use lawbook::error::Error;

use self::log::{Level, Log, LogFormat};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Policy as code for AWS: judge CloudTrail records and EC2 inventory with small Rhai scripts, offline.
#[derive(Debug, Parser)]
#[command(name = "lawbook", version, styles = STYLES, max_term_width = 110, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to write with colour.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,

    /// How to write warnings, faults and reasons on standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = log::VARIABLE, value_name = "FORMAT")]
    log_format: LogFormat,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing to report, 1 new findings at or above --fail-on or cases that fail, 2 something could not be \
                          read, loaded or judged (2 beats 1). They are the same for every command and format.";

#[derive(Debug, Subcommand)]
enum Command {
    Scan(Box<scan::Args>),
    Summary(summary::Args),
    Check(Box<check::Args>),
    Test(Box<test::Args>),
    Review(review::Args),
    List(Box<list::Args>),
    Show(Box<show::Args>),
    Config(Box<config::Args>),
    Lock(lock::Args),
    Pack(pack::Args),
    State(state::Args),
    Waive(waive::Args),
    Remediate(Box<remediate::Args>),
    Baseline(baseline::Args),
    Try(try_expr::Args),
    New(new::Args),
    Explain(explain::Args),
    Docs(docs::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// When to write with colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something that is told in a line.
    Error(Error),
    /// Several of these.
    Errors(Vec<Error>),
    /// Mistakes in policies.
    Diagnostics(Vec<Diagnostic>),
    /// Each of these.
    All(Vec<Failure>),
    /// The reader of our output went away: nothing to tell, and no error.
    ReaderGone,
}

impl Failure {
    /// Stops if there are errors.
    fn unless_none(errors: Vec<Error>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self::Errors(errors)) }
    }
}

/// What two things came to; why neither did is told of both.
fn both<A, B>(one: Result<A, Failure>, other: Result<B, Failure>) -> Result<(A, B), Failure> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(Failure::All(vec![one, other])),
        (Err(failure), _) | (_, Err(failure)) => Err(failure),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderGone;
        }
        match error.downcast::<Error>() {
            Ok(error) => error.into(),
            Err(error) => Error::new(format!("cannot write: {error}")).into(),
        }
    }
}

/// Reads the command line; the exit code where there is nothing to run.
pub(crate) fn parse() -> Result<Cli, u8> {
    let command = without_empty_variables(Cli::command());
    command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| {
        let log = Log::of_arguments(std::env::args_os());
        if error.use_stderr() && log.is_json() {
            let told = error.render().to_string();
            let first = told.lines().next().unwrap_or_default().trim_start_matches("error: ");
            log.line(Level::Error, "usage", first, serde_json::json!({ "detail": told.trim_end() }));
        } else {
            // There is nobody left to tell.
            let _ = error.print();
        }
        u8::try_from(error.exit_code()).unwrap_or(2)
    })
}

/// An empty variable sets nothing: a secret that is not there is one in many pipelines.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// What is said of a word that is no inventory kind.
fn no_kind(word: &str) -> Error {
    let meant = did_you_mean(word, lawbook::schema::kinds()).unwrap_or("ec2/volumes");
    Error::new("is no inventory kind").about(word).try_to(format!("`{meant}`"))
}

/// Runs a command; the exit code.
pub(crate) fn run(cli: Cli) -> u8 {
    let choice = match cli.color {
        Colour::Auto => ColorChoice::Auto,
        Colour::Always => ColorChoice::Always,
        Colour::Never => ColorChoice::Never,
    };
    choice.write_global();
    let log = Log::new(cli.log_format);
    let result = match cli.command {
        Command::Scan(args) => scan::run(&args, log),
        Command::Summary(args) => summary::run(&args, log),
        Command::Check(args) => check::run(&args, log),
        Command::Test(args) => test::run(&args, log),
        Command::Review(args) => review::run(&args),
        Command::List(args) => list::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Waive(args) => waive::run(&args),
        Command::Remediate(args) => remediate::run(&args, log),
        Command::Baseline(args) => baseline::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Lock(args) => lock::run(&args),
        Command::Pack(args) => pack::run(&args, log),
        Command::State(args) => state::run(&args),
        Command::Try(args) => try_expr::run(&args, log),
        Command::New(args) => new::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Docs(args) => docs::run(&args, log),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(Failure::ReaderGone) => 0,
        Err(failure) => {
            tell_failure(failure, log);
            2
        }
    }
}

/// Says on standard error why a command stopped.
fn tell_failure(failure: Failure, log: Log) {
    match failure {
        Failure::ReaderGone => {}
        Failure::Error(error) => log.error(&error),
        Failure::Errors(errors) => errors.iter().for_each(|error| log.error(error)),
        Failure::Diagnostics(diagnostics) => log.diagnostics(&diagnostics),
        Failure::All(failures) => failures.into_iter().for_each(|failure| tell_failure(failure, log)),
    }
}

/// Says something on standard error that stops nothing, before a command knows how it is to be said.
fn note(text: &str) {
    let text = lawbook::fault::printable(text, 2_000);
    let entry = log::Entry { level: log::Level::Warn, event: "note", message: &text, fields: serde_json::json!({}) };
    Log::of_arguments(std::env::args_os()).tell(&format!("note: {text}\n"), entry);
}

/// Standard output; colour leaves unless it is a terminal.
fn stdout() -> anstream::AutoStream<io::StdoutLock<'static>> {
    anstream::AutoStream::auto(io::stdout().lock())
}

fn colour_on_stderr() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

fn colour_on_stdout() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

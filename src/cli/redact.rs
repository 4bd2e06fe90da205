//! Pseudonyms in reports that leave the house: the flags of it.

use std::path::PathBuf;

use clap::Args;
use lawbook::engine::Outcome;
use lawbook::error::Error;
use lawbook::policy::Checked;
use lawbook::redact::Redactor;

/// The variable that names a key for all runs.
const KEY: &str = "LAWBOOK_REDACT_KEY";

/// Whether a report has pseudonyms.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Report")]
pub(crate) struct RedactArgs {
    /// Put pseudonyms in the place of accounts, addresses and names, in all reports of this run
    #[arg(long)]
    redact: bool,

    /// A file with the key of the pseudonyms, 16 bytes or more: with the same key they are the same. Without it they are
    /// others in every run
    #[arg(long, value_name = "FILE", env = KEY)]
    redact_key: Option<PathBuf>,
}

impl RedactArgs {
    /// The file with the key, if one is named.
    pub(crate) fn key(&self) -> Option<&PathBuf> {
        self.redact_key.as_ref()
    }

    /// What is to be done with the outcome; a key that cannot be read is better known before the run than after.
    pub(crate) fn redaction(&self) -> Result<impl FnOnce(Outcome, &Checked) -> Outcome, Error> {
        let redactor = self.redactor()?;
        Ok(move |outcome, packs: &Checked| match redactor {
            Some(redactor) => redactor.redact(outcome, packs),
            None => outcome,
        })
    }

    fn redactor(&self) -> Result<Option<Redactor>, Error> {
        let path = match (&self.redact_key, self.redact) {
            (Some(path), true) => path,
            (None, true) => return Redactor::random().map(Some),
            // In the environment it may be set for other runs.
            (Some(path), false) if std::env::var_os(KEY).is_none_or(|set| set != path.as_os_str()) => {
                let error = Error::new("is of no use without `--redact`");
                return Err(error.about("--redact-key").try_to("add `--redact`"));
            }
            (_, false) => return Ok(None),
        };
        let about = |error: Error| error.about(format!("--redact-key {}", path.display()));
        let secret = std::fs::read(path).map_err(|error| about(Error::new(format!("cannot be read: {error}"))))?;
        Redactor::new(secret.trim_ascii()).map(Some).map_err(about)
    }
}

//! What stopped the program: the file, the place in it, the reason, the remedy. Imports nothing of ours.

use std::fmt;

/// Something that stops a command before or outside of scanning: a bad flag, a missing path, an output that cannot be
/// written. Exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file, flag or command it is about, if any.
    pub subject: Option<String>,
    /// 1-based line and column in the file, where that is known.
    pub place: Option<(usize, usize)>,
    /// What was found and what was expected: a lower-case fragment, names in backticks.
    pub reason: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Error {
    /// An error with a reason alone.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { subject: None, place: None, reason: reason.into(), remedy: None }
    }

    /// Names the file, flag or command.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Says where in the file, as 1-based line and column.
    #[must_use]
    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.place = Some((line, column));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn try_to(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(subject) = &self.subject {
            write!(f, "{subject}")?;
            if let Some((line, column)) = self.place {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", self.reason)?;
        if let Some(remedy) = &self.remedy {
            write!(f, " (try: {remedy})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

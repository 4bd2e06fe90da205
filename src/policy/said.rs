//! Where a setting was said: by a flag, in the environment, in a file, or nowhere.

use std::fmt;

use crate::error::Error;

/// Who said it; the later beats the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Nobody: it is so unless somebody says otherwise.
    Default,
    /// The configuration.
    File,
    /// A variable of the environment.
    Env,
    /// A flag.
    Flag,
}

impl By {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Env => "env",
            Self::Flag => "flag",
        }
    }
}

/// Where a setting was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who said it.
    pub by: By,
    /// The flag, the variable, or the file.
    pub name: String,
    /// 1-based line and column in the file.
    pub place: Option<(usize, usize)>,
}

impl Said {
    /// Said by nobody.
    pub fn by_default() -> Self {
        Self { by: By::Default, name: By::Default.word().to_owned(), place: None }
    }

    /// Said by a flag.
    pub fn by_flag(flag: impl Into<String>) -> Self {
        Self { by: By::Flag, name: flag.into(), place: None }
    }

    /// Said by a variable of the environment.
    pub fn by_env(name: impl Into<String>) -> Self {
        Self { by: By::Env, name: name.into(), place: None }
    }

    /// An error about what was said there.
    pub fn wrong(&self, reason: impl Into<String>) -> Error {
        self.blamed(Error::new(reason))
    }

    /// An error that is about what was said there.
    pub fn blamed(&self, error: Error) -> Error {
        let error = error.about(&self.name);
        match self.place {
            Some((line, column)) => error.at(line, column),
            None => error,
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, _)) => write!(f, "{}:{line}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

//! A case: records that are known, and what a policy must say about them.

use std::ops::Range;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use crate::finding::Severity;
use crate::record::{Record, Scope};
use crate::yaml::Yaml;

/// What a policy must do with the records of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There are findings.
    Fires,
    /// There is nothing to tell.
    Silent,
    /// The records cannot be judged.
    NotEvaluated,
    /// The policy fails.
    Fault,
}

impl Expect {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fires, Self::Silent, Self::NotEvaluated, Self::Fault];

    /// Its word in case files and snapshots.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fires => "fires",
            Self::Silent => "silent",
            Self::NotEvaluated => "not_evaluated",
            Self::Fault => "fault",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|expect| expect.word() == word)
    }
}

/// What a finding must say; what is `None` may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// How bad it is.
    pub severity: Option<Severity>,
    /// Its title.
    pub title: Option<String>,
    /// Its resources, in order.
    pub resources: Option<Vec<String>>,
    /// Members that its context has, among others.
    pub context: Vec<(String, Value)>,
}

/// A case, read and found to be sound.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Where its name stands in the file.
    pub span: Range<usize>,
    /// 1-based line of its name.
    pub line: usize,
    /// What is judged.
    pub records: Vec<Record>,
    /// Whether the records are those of a file.
    pub(super) is_of_file: bool,
    /// The files and folders that it is made of, as they are named from the folder of its own.
    pub made_of: Vec<String>,
    /// What is looked things up in.
    pub(super) inventory: Given,
    /// Whose resources are.
    pub(super) scope: Scope,
    /// What is set for the policy.
    pub(super) params: Vec<(String, Yaml)>,
    /// The time of the case.
    pub now: Timestamp,
    /// What the policy must do.
    pub expect: Expect,
    /// How many findings there must be.
    pub count: Option<usize>,
    /// What every finding must say.
    pub every: Expected,
    /// What each finding must say, in order; empty if that is not asked.
    pub findings: Vec<Expected>,
    /// A part of the reason.
    pub reason: Option<String>,
    /// Whether no other policy of the pack may fire.
    pub others_silent: bool,
    /// The operations that the policy may use.
    pub max_operations: Option<u64>,
    /// Why it does not pass yet.
    pub todo: Option<String>,
}

/// The inventory of a case.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// Kind and resources, and when they were collected, if that is known.
    Inline(Vec<(String, Vec<Value>)>, Option<Timestamp>),
    /// A file or folder.
    Path(PathBuf),
}

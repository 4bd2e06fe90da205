//! Runs the cases beside policies, and compares what policies say with what was reviewed.
//!
//! A case is a named input with an expectation; a snapshot holds the whole findings of a policy's cases, as a person
//! accepted them. *Law*: what cannot be checked fails. A case file without a policy, a key that nobody knows, a record
//! that is not there, a snapshot of a case that is gone: each is told, and none passes.

mod case;
mod change;
mod check;
mod compare;
mod coverage;
mod emit;
mod fields;
mod file;
mod impact;
mod judge;
mod mutate;
mod patch;
mod records;
mod remembered;
pub mod report;
mod review;
mod revision;
mod runner;
mod snapshot;
mod suite;
mod trace;

pub use self::case::{Case, Expect, Expected};
pub use self::change::{Change, changes};
pub use self::check::check;
pub use self::compare::Difference;
pub use self::coverage::{Coverage, FileCoverage, OneSided, Point, Share, cover};
pub use self::emit::member as write_yaml;
pub use self::file::{CASES, file_of, load};
pub use self::impact::{Difference as FindingDifference, Impact, Kind, PolicyImpact, Side, State, impact};
pub use self::judge::{Answer, CaseResult, Verdict};
pub use self::mutate::{Fate, Mutation, Survivor, Tried, mutate};
pub use self::records::select;
pub use self::remembered::{last_failed, remember};
pub use self::review::{Pending, ids, pending};
pub use self::runner::{Counts, Options, Pattern, PolicyResult, Report, SnapshotState, run};
pub use self::snapshot::{Entry, Snapshot, pending_of, snapshot_of};
pub use self::suite::{Stop, Suite, TestedPack, TestedPolicy, policy_of};
pub use self::trace::{Hook, Part, Trace};

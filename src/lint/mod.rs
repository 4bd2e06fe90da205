//! What is said of policies without running them: one lint a file, each with its page and its cases.
//!
//! What keeps a script from running is found while it is read (`script/`, `policy/`); `loading` has the pages of that.
//! Everything else is a [`Lint`] with a check of its own. To add one, write its file and name it in `CHECKED`.
//!
//! *Law*: an error is what cannot work, whatever is judged; everything that is a matter of judgement is a warning. Where
//! something was not understood a lint is silent.

mod allow;
mod always_true;
mod arn_as_text;
mod bad_default;
mod bad_literal;
mod calls;
mod cidr_as_text;
mod constant_condition;
mod duplicate_condition;
mod event_source;
mod fix;
mod formerly;
mod headings;
mod impossible_type;
mod letter_case;
mod list_as_text;
mod loading;
mod malformed_value;
mod member_of_list;
mod misplaced_argument;
mod misspelt_code;
mod named;
mod negated_absent;
mod never_matches;
mod never_true;
mod no_cases;
mod not_collected;
mod object_as_text;
mod outcome;
mod page;
mod pattern_as_text;
mod plain_quotes;
mod plain_seconds;
mod references;
mod remediation_order;
mod self_comparison;
mod solve;
mod subject;
mod text_as_bool;
mod title_style;
mod uncalled_function;
mod unfilled_placeholder;
mod unknown_event;
mod unknown_field;
mod unknown_member;
mod unknown_parameter;
mod unknown_severity;
mod unknown_source;
mod unknown_tag;
mod unknown_window_name;
mod unlike_types;
mod unlisted_event;
mod unlisted_source;
mod unlisted_value;
mod unmatched_pattern;
mod unreachable_code;
mod untraced;
mod unused_function;
mod unused_kind;
mod unused_param;
mod unused_value;
mod unused_variable;
mod user_name;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

pub use self::fix::{Fixed, fix};
pub use self::page::{markdown, page};
use self::subject::{Acquitted, File, Subject, Whole};
use crate::diagnostic::{Diagnostic, Level, SourceText};
use crate::policy::{self, Checked, Draft, Loaded, Overrides, Pack};
use crate::schema::Shapes;
use crate::script::Limits;

/// What a lint is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The policy does not do what it says.
    Correctness,
    /// Fields that are not there.
    NullSafety,
    /// What an attacker would get past.
    Security,
    /// What to do about a finding.
    Remediation,
    /// What is said about the policy.
    Metadata,
    /// What nobody needs.
    Style,
}

impl Category {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Correctness => "correctness",
            Self::NullSafety => "null-safety",
            Self::Security => "security",
            Self::Remediation => "remediation",
            Self::Metadata => "metadata",
            Self::Style => "style",
        }
    }
}

/// Something that can be said of a policy.
#[derive(Debug)]
pub struct Lint {
    /// Its name in kebab-case.
    pub code: &'static str,
    /// What it is about.
    pub category: Category,
    /// Whether the policy loads all the same.
    pub level: Level,
    /// What is found, in a sentence.
    pub summary: &'static str,
    /// What not to write, in Markdown; empty if there is nothing to show.
    pub avoid: &'static str,
    /// What to write instead.
    pub prefer: &'static str,
    /// What it is good for.
    pub why: &'static str,
    /// How it is found.
    check: Check,
    /// Texts that must give it, in the notation of the tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "the cases of a lint stand beside its check"))]
    bad: &'static [&'static str],
    /// Texts that must not.
    #[cfg_attr(not(test), expect(dead_code, reason = "the cases of a lint stand beside its check"))]
    good: &'static [&'static str],
}

/// How a lint finds what it is about.
#[derive(Clone, Copy, Debug)]
enum Check {
    /// It is told while the policy is read.
    Loading,
    /// By the policy and its script.
    Policy(fn(&Subject<'_>) -> Vec<Diagnostic>),
    /// By the tree of a file alone: of a policy, or of a library.
    File(fn(&File<'_>) -> Vec<Diagnostic>),
    /// By all policies of a pack.
    Pack(fn(&Whole<'_>) -> Vec<Diagnostic>),
    /// By the comments that allow something.
    Allow,
}

impl Lint {
    /// A remark of this lint.
    fn at(&self, source: &Arc<SourceText>, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { level: self.level, ..Diagnostic::error(self.code, source, span, message) }
    }
}

/// Every lint but those of `loading`.
const CHECKED: &[Lint] = &[
    always_true::LINT,
    arn_as_text::LINT,
    bad_default::LINT,
    bad_literal::LINT,
    cidr_as_text::LINT,
    constant_condition::LINT,
    duplicate_condition::LINT,
    event_source::LINT,
    formerly::LINT,
    remediation_order::LINT,
    headings::LINT,
    impossible_type::LINT,
    letter_case::LINT,
    list_as_text::LINT,
    malformed_value::LINT,
    member_of_list::LINT,
    misplaced_argument::LINT,
    misspelt_code::LINT,
    negated_absent::LINT,
    never_matches::LINT,
    never_true::LINT,
    no_cases::LINT,
    not_collected::LINT,
    object_as_text::LINT,
    outcome::LINT,
    pattern_as_text::LINT,
    plain_quotes::LINT,
    plain_seconds::LINT,
    references::LINT,
    self_comparison::LINT,
    text_as_bool::LINT,
    title_style::LINT,
    uncalled_function::LINT,
    unfilled_placeholder::LINT,
    unknown_event::LINT,
    unknown_field::LINT,
    unknown_member::LINT,
    unknown_parameter::LINT,
    unknown_severity::LINT,
    unknown_source::LINT,
    unknown_tag::LINT,
    unknown_window_name::LINT,
    unlike_types::LINT,
    unlisted_event::LINT,
    unlisted_source::LINT,
    unlisted_value::LINT,
    unmatched_pattern::LINT,
    unreachable_code::LINT,
    untraced::LINT,
    unused_function::LINT,
    unused_kind::LINT,
    unused_param::LINT,
    unused_value::LINT,
    unused_variable::LINT,
    user_name::LINT,
];

/// Everything that can be said of a policy, by code.
pub fn lints() -> Vec<&'static Lint> {
    let mut all: Vec<&Lint> =
        CHECKED.iter().chain(loading::LINTS.iter().flat_map(|of_one| of_one.iter())).chain(&allow::LINTS).collect();
    all.sort_by_key(|lint| lint.code);
    all
}

/// The lint of that code.
pub fn find(code: &str) -> Option<&'static Lint> {
    lints().into_iter().find(|lint| lint.code == code)
}

/// What is asked of every policy: it costs nothing that one policy more would not.
fn inspect(draft: &Draft<'_>, shapes: &Shapes, acquitted: &Acquitted) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    if let Some(tree) = draft.tree {
        let file = File::new(draft.source, tree);
        out.extend(of_file(&file));
    }
    let Some(subject) = Subject::of(draft, shapes, acquitted) else { return out };
    for lint in CHECKED {
        if let Check::Policy(check) = lint.check {
            out.extend(check(&subject));
        }
    }
    out
}

fn of_file(file: &File<'_>) -> Vec<Diagnostic> {
    let checks = CHECKED.iter().filter_map(|lint| match lint.check {
        Check::File(check) => Some(check),
        _ => None,
    });
    checks.flat_map(|check| check(file)).collect()
}

/// Everything that is said of a pack, by file and place, and its policies.
fn judge(pack: &Pack, overrides: &Overrides, limits: &Limits) -> (Loaded, Vec<Diagnostic>) {
    let acquitted = Acquitted::default();
    let inspect = |draft: &Draft<'_>| inspect(draft, overrides.shapes(), &acquitted);
    let mut loaded = policy::load(pack, Some(&inspect), overrides, limits);
    let mut diagnostics = std::mem::take(&mut loaded.diagnostics);
    acquitted.judge(pack, &mut diagnostics);
    let libraries = loaded.shared.iter().flat_map(|shared| &shared.libraries);
    for (source, tree) in libraries {
        diagnostics.extend(of_file(&File::new(source, tree)));
    }
    let whole = Whole { pack, policies: &loaded.policies };
    for lint in CHECKED {
        if let Check::Pack(check) = lint.check {
            diagnostics.extend(check(&whole));
        }
    }
    // A hook that is misspelt is called by nobody, which need not be said twice.
    let place = |diagnostic: &Diagnostic| (diagnostic.source.file.clone(), diagnostic.place().0);
    let hooks: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.code == "hook").map(place).collect();
    diagnostics.retain(|diagnostic| diagnostic.code != "unused-function" || !hooks.contains(&place(diagnostic)));
    let mut diagnostics = allow::apply(pack, diagnostics);
    diagnostics.sort_by(|a, b| a.order().cmp(&b.order()));
    diagnostics.dedup();
    (loaded, diagnostics)
}

// `policy` stands above this module and cannot name it; whoever loads a pack should not have to.
impl Pack {
    /// Loads it, with everything checked that can be checked without a record. What is said that keeps no policy from
    /// loading is in [`Checked::warnings`].
    ///
    /// # Errors
    /// Everything that is said of the pack, if an error is among it.
    pub fn check(&self, overrides: &Overrides, limits: &Limits) -> Result<Checked, Vec<Diagnostic>> {
        let (loaded, diagnostics) = judge(self, overrides, limits);
        checked(loaded, diagnostics)
    }

    /// Loads it to judge by: as [`check`](Self::check), but for the embedded pack, whose texts are those that tests have
    /// checked.
    ///
    /// # Errors
    /// Everything that is said of the pack, if an error is among it.
    pub fn load(&self, overrides: &Overrides, limits: &Limits) -> Result<Checked, Vec<Diagnostic>> {
        if self.is_embedded() { self.again(overrides, limits) } else { self.check(overrides, limits) }
    }

    /// Loads it without looking for mistakes: a pack that was checked already.
    pub(crate) fn again(&self, overrides: &Overrides, limits: &Limits) -> Result<Checked, Vec<Diagnostic>> {
        let mut loaded = policy::load(self, None, overrides, limits);
        let diagnostics = std::mem::take(&mut loaded.diagnostics);
        checked(loaded, diagnostics)
    }
}

fn checked(loaded: Loaded, diagnostics: Vec<Diagnostic>) -> Result<Checked, Vec<Diagnostic>> {
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        return Err(diagnostics);
    }
    let mut checked = Checked::default();
    checked.extend(loaded.policies);
    checked.warn(diagnostics);
    Ok(checked)
}

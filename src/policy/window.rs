//! What a policy asks of several records in time.
//!
//! Times are those of the events, never of their arrival. The words of the front matter stand in docs/windows.md.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::front_matter::FrontMatter;
use crate::diagnostic::SourceText;
use crate::script::{Named, parse_duration};
use crate::yaml::Yaml;

/// A condition over the hits of one group in a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What hits are grouped by; hits of one group have all of these alike.
    pub by: Vec<Key>,
    /// Seconds: hits so far apart, or less, are in one window. Of first sightings how far back is looked.
    pub within: i64,
    /// Seconds for which the condition must not have held before another finding of the group opens.
    pub cooldown: i64,
    /// The condition.
    pub shape: Shape,
    /// The functions that it names.
    pub named: Named,
}

/// The condition of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// So many hits, or more.
    Threshold(usize),
    /// So many different values, or more.
    Distinct {
        /// What is counted.
        of: Key,
        /// The least number of them.
        count: usize,
    },
    /// One hit of each of these steps, in this order, by their numbers in [`Named::steps`].
    Sequence(Vec<u8>),
    /// One hit of each step, in any order.
    All,
    /// A hit of step 0 that no hit of step 1 follows.
    Absence,
    /// A hit that no other was before.
    FirstSeen,
}

/// A field, or a function of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// As it is written: the name of a function, if the policy has one of that name.
    pub text: String,
    /// Its steps as a field.
    pub path: Vec<String>,
}

impl Window {
    /// Seconds before a moment from which on hits bear on whether a finding opens at it.
    pub fn reach(&self) -> i64 {
        match self.shape {
            Shape::FirstSeen => self.within,
            _ => self.within.saturating_add(self.cooldown),
        }
    }

    /// What it groups and counts by.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        let counted = if let Shape::Distinct { of, .. } = &self.shape { Some(of) } else { None };
        self.by.iter().chain(counted)
    }

    /// Whether it must be known of which times there are records.
    pub fn needs_history(&self) -> bool {
        matches!(self.shape, Shape::Absence | Shape::FirstSeen)
    }
}

/// As it is told in a line.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by: Vec<&str> = self.by.iter().map(|key| key.text.as_str()).collect();
        let (by, span) = (by.join(" and "), span(self.within));
        let step = |at: &u8| self.named.steps.get(usize::from(*at)).map_or("", String::as_str);
        match &self.shape {
            Shape::Threshold(count) => write!(f, "at least {count} hits within {span} by {by}"),
            Shape::Distinct { of, count } => {
                write!(f, "at least {count} different `{}` within {span} by {by}", of.text)
            }
            Shape::Sequence(steps) => {
                let steps: Vec<&str> = steps.iter().map(step).collect();
                write!(f, "{} within {span} by {by}", steps.join(", then "))
            }
            Shape::All => write!(f, "{} in any order within {span} by {by}", self.named.steps.join(" and ")),
            Shape::Absence => write!(f, "{}, and no {} within {span} by {by}", step(&0), step(&1)),
            Shape::FirstSeen => write!(f, "never in the {span} before, by {by}"),
        }
    }
}

/// Other windows than a policy's: where its file would be changed, what would stand there, and what that comes to.
pub(crate) fn changes(source: &Arc<SourceText>) -> Vec<(Range<usize>, String, String)> {
    let Ok(head) = FrontMatter::read(source) else { return Vec::new() };
    let Some(window) = head.yaml.get("window") else { return Vec::new() };
    let mut out = Vec::new();
    let mut replace = |value: &Yaml, text: String| {
        let at = head.span(&value.span);
        let what = format!("`{}` is `{text}`", value.raw().unwrap_or_default());
        out.push((at, format!("{text:?}"), what));
    };
    for count in [window.get("count"), window.get("distinct").and_then(|distinct| distinct.get("count"))] {
        let Some((count, text)) = count.and_then(|count| Some((count, count.raw()?))) else { continue };
        let digits = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or(text.len());
        let Ok(number) = text[digits..].trim().parse::<u64>() else { continue };
        for other in [number.saturating_add(1), number.saturating_sub(1)].into_iter().filter(|other| *other > 0) {
            replace(count, format!("{}{other}", &text[..digits]));
        }
    }
    for name in ["within", "first_seen", "cooldown"] {
        let value = window.get(name).and_then(|value| Some((value, parse_duration(value.raw()?)?)));
        let Some((value, seconds)) = value else { continue };
        for other in [seconds.saturating_mul(2), seconds / 2].into_iter().filter(|other| *other > 0) {
            replace(value, span(other));
        }
    }
    for (name, least) in [("by", 2), ("sequence", 3), ("all", 3)] {
        let items = window.get(name).map(Yaml::items).unwrap_or_default();
        for (at, gone) in items.iter().enumerate().filter(|_| items.len() >= least) {
            let (Some(first), Some(last)) = (items.first(), items.last()) else { continue };
            let left: Vec<String> = items
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .map(|(_, item)| format!("{:?}", item.raw().unwrap_or_default()))
                .collect();
            let whole = head.span(&(first.span.start..last.span.end));
            // A list of lines is left to whoever writes one of those.
            if !source.text[whole.clone()].contains('\n') {
                let what = format!("`{}` is gone from `{name}`", gone.raw().unwrap_or_default());
                out.push((whole, left.join(", "), what));
            }
        }
    }
    out
}

/// Seconds as they are written in front matter.
pub(crate) fn span(seconds: i64) -> String {
    let mut left = seconds;
    let mut out = String::new();
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if left >= size {
            out.push_str(&format!("{}{unit}", left / size));
            left %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

//! The functions of a policy that Lawbook calls, and what each is given.

/// What a policy without a window may define: each is given the record.
const OF_RECORD: &[&str] = &["matches", "title", "severity", "resources", "context", "group"];

/// What a policy with a window may define that is given the record.
const BEFORE_WINDOW: &[&str] = &["matches", "keep"];

/// What a policy with a window may define that is given its hits.
const OF_HITS: &[&str] = &["confirm", "title", "severity", "resources", "context", "group"];

/// The members of a hit, as scripts see it.
pub const OF_HIT: &[&str] =
    &["number", "time", "id", "name", "step", "by", "account", "region", "actor", "source_ip", "kept", "origin"];

/// What a hook is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// The record that is judged.
    Record,
    /// The hits of a window, a list.
    Hits,
}

/// The functions that a window names: each is given the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Those that say which step a record is.
    pub steps: Vec<String>,
    /// Names that may be those of functions, or of fields: what hits are grouped and counted by.
    pub keys: Vec<String>,
}

impl Named {
    fn has(&self, name: &str) -> bool {
        self.steps.iter().chain(&self.keys).any(|known| known == name)
    }
}

/// The hooks of a policy, which depend on whether it has a window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hooks<'a> {
    /// What its window names, if it has one.
    pub window: Option<&'a Named>,
}

impl<'a> Hooks<'a> {
    /// What a function of that name is given; `None` if it is no hook.
    pub fn given(self, name: &str) -> Option<Given> {
        let Some(named) = self.window else { return OF_RECORD.contains(&name).then_some(Given::Record) };
        if BEFORE_WINDOW.contains(&name) || named.has(name) {
            return Some(Given::Record);
        }
        OF_HITS.contains(&name).then_some(Given::Hits)
    }

    /// Whether a hook must answer yes or no.
    pub fn is_test(self, name: &str) -> bool {
        let is_step = |named: &Named| name == "confirm" || named.steps.iter().any(|step| step == name);
        name == "matches" || self.window.is_some_and(is_step)
    }

    /// The names that hooks may have.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        let named = self.window.into_iter().flat_map(|named| named.steps.iter().chain(&named.keys)).map(String::as_str);
        let fixed: [&[&str]; 2] = if self.window.is_some() { [BEFORE_WINDOW, OF_HITS] } else { [OF_RECORD, &[]] };
        fixed.into_iter().flatten().copied().chain(named)
    }

    /// Whether a name would be that of a hook if the policy had a window.
    pub fn wants_window(self, name: &str) -> bool {
        self.window.is_none() && !OF_RECORD.contains(&name) && (name == "keep" || name == "confirm")
    }
}

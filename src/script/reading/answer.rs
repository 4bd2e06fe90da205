//! Puts tests together.

use serde_json::Value as Json;

use super::{Test, Value};

/// All of the parts; those of one kind within each other are put side by side.
pub(super) fn all(parts: Vec<Test>) -> Test {
    joined(parts, true)
}

/// One of the parts.
pub(super) fn any(parts: Vec<Test>) -> Test {
    joined(parts, false)
}

/// Parts of which those that are `unit` make no difference.
fn joined(parts: Vec<Test>, unit: bool) -> Test {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Test::Always(known) if known == unit => {}
            Test::All(inner) if unit => flat.extend(inner),
            Test::Any(inner) if !unit => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.len() {
        0 => Test::Always(unit),
        1 => flat.remove(0),
        _ if unit => Test::All(flat),
        _ => Test::Any(flat),
    }
}

/// The opposite.
pub(super) fn not(test: Test) -> Test {
    match test {
        Test::Always(known) => Test::Always(!known),
        Test::Not(inner) => *inner,
        other => Test::Not(Box::new(other)),
    }
}

impl Value {
    /// Whether it is true.
    pub(super) fn truth(self) -> Test {
        match self {
            Self::Answer(test) => *test,
            Self::Literal(Json::Bool(known)) => Test::Always(known),
            _ => Test::Unknown,
        }
    }

    pub(super) fn is_yes_or_no(&self) -> bool {
        matches!(self, Self::Answer(_) | Self::Literal(Json::Bool(_)))
    }

    /// One of two values.
    pub(super) fn or(self, other: Self) -> Self {
        let mut values = Vec::new();
        for value in [self, other] {
            match value {
                Self::Any(inner) => values.extend(inner),
                one => values.push(one),
            }
        }
        if values.len() > 16 || values.iter().any(|value| matches!(value, Self::Unknown)) {
            return Self::Unknown;
        }
        Self::Any(values)
    }
}

/// One way to an answer: a condition, and what is answered then.
pub(super) fn way(condition: Test, value: Value) -> Test {
    match value.truth() {
        Test::Always(false) => Test::Always(false),
        answer => all(vec![condition, answer]),
    }
}

/// What a condition chooses.
pub(super) fn choose(condition: Test, yes: Value, no: Value) -> Value {
    if yes.is_yes_or_no() && no.is_yes_or_no() {
        let otherwise = not(condition.clone());
        return Value::Answer(Box::new(any(vec![way(condition, yes), way(otherwise, no)])));
    }
    yes.or(no)
}

//! Changes a record by dotted paths.

use serde_json::{Map, Value};

use crate::diagnostic::did_you_mean;
use crate::policy::{parse_path, show_path};

/// Puts a value at a path; what is missing on the way is made.
pub(super) fn put(record: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let steps = parse_path(path).map_err(|reason| format!("`{path}` is not a path: {reason}"))?;
    let mut at = record;
    for step in &steps {
        at = match at {
            Value::Array(items) => {
                let place = step.parse::<usize>().ok().and_then(|place| items.get_mut(place));
                place.ok_or_else(|| format!("`{path}`: the list has no item `{step}`"))?
            }
            Value::Object(members) => members.entry(step.as_str()).or_insert(Value::Null),
            other => {
                *other = Value::Object(Map::new());
                match other {
                    Value::Object(members) => members.entry(step.as_str()).or_insert(Value::Null),
                    _ => return Ok(()),
                }
            }
        };
    }
    *at = value;
    Ok(())
}

/// Takes out what is at a path; it must be there, else the case would not be what it seems.
pub(super) fn remove(record: &mut Value, path: &str) -> Result<(), Missing> {
    let steps = parse_path(path)
        .map_err(|reason| Missing { reason: format!("`{path}` is not a path: {reason}"), meant: None })?;
    let Some((last, way)) = steps.split_last() else { return Ok(()) };
    let mut at = record;
    for (number, step) in way.iter().enumerate() {
        let next = match &mut *at {
            Value::Array(items) => step.parse::<usize>().ok().filter(|place| *place < items.len()).is_some(),
            other => other.get(step.as_str()).is_some(),
        };
        if !next {
            return Err(missing(at, path, &steps, number));
        }
        at = match at {
            Value::Array(items) => &mut items[step.parse::<usize>().unwrap_or_default()],
            other => &mut other[step.as_str()],
        };
    }
    match at.as_object_mut().and_then(|members| members.remove(last)) {
        Some(_) => Ok(()),
        None => Err(missing(at, path, &steps, way.len())),
    }
}

/// Why nothing can be taken out.
pub(super) struct Missing {
    pub(super) reason: String,
    /// The path that was meant, perhaps.
    pub(super) meant: Option<String>,
}

/// What is said of a path of which `at` has no step of that number.
fn missing(at: &Value, path: &str, steps: &[String], number: usize) -> Missing {
    let known = at.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let meant = did_you_mean(&steps[number], known).map(|meant| {
        let mut steps = steps.to_vec();
        meant.clone_into(&mut steps[number]);
        show_path(&steps)
    });
    Missing { reason: format!("`without`: there is nothing at `{path}`"), meant }
}

//! Changes a record by dotted paths.

use serde_json::{Map, Value};

use crate::policy::parse_path;

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
pub(super) fn remove(record: &mut Value, path: &str) -> Result<(), String> {
    let steps = parse_path(path).map_err(|reason| format!("`{path}` is not a path: {reason}"))?;
    let missing = || format!("`without`: there is nothing at `{path}`");
    let Some((last, way)) = steps.split_last() else { return Ok(()) };
    let mut at = record;
    for step in way {
        at = match at {
            Value::Array(items) => {
                step.parse::<usize>().ok().and_then(|place| items.get_mut(place)).ok_or_else(missing)?
            }
            other => other.get_mut(step.as_str()).ok_or_else(missing)?,
        };
    }
    match at.as_object_mut().and_then(|members| members.remove(last)) {
        Some(_) => Ok(()),
        None => Err(missing()),
    }
}

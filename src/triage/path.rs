//! JSONPaths that ask something of a finding.
//!
//! *Law*: what is there and says nothing (`null`, `false`, what is empty) is as little as what is not, also where a filter
//! asks whether there is a member: that only narrows what JSONPath itself would find.

use jsonpath_rust::JsonPath;
use jsonpath_rust::parser::model::{Filter, FilterAtom, JpQuery, Segment, Selector, Test};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use crate::finding::Finding;

/// Why a text is no JSONPath.
pub(super) fn check(path: &str) -> Result<(), String> {
    Value::Null.query(path).map(|_| ()).map_err(|error| error.to_string())
}

/// Whether a JSONPath finds something in a finding.
pub(super) fn selects(path: &str, finding: &Finding) -> bool {
    let (Ok(whole), Ok(query)) = (serde_json::to_value(finding), parse_json_path(path)) else { return false };
    // A filter is of the items of a list, and a finding is none.
    match query.segments.as_slice() {
        [Segment::Selector(Selector::Filter(filter)), ..] => {
            finds(&query, &Value::Array(vec![whole.clone()])) && holds(filter, &whole)
        }
        _ => finds(&query, &whole),
    }
}

fn finds(query: &JpQuery, value: &Value) -> bool {
    js_path_process(query, value).is_ok_and(|found| found.into_iter().any(|found| is_something(found.val())))
}

/// Whether all members that a filter must find say something; what it asks besides is left to JSONPath.
fn holds(filter: &Filter, value: &Value) -> bool {
    match filter {
        // Each side with what JSONPath says of it: one that is not so must not let the other's member pass.
        Filter::Or(any) => any.iter().any(|one| is_so(one, value) && holds(one, value)),
        Filter::And(all) => all.iter().all(|one| holds(one, value)),
        Filter::Atom(FilterAtom::Filter { expr, not: false }) => holds(expr, value),
        Filter::Atom(FilterAtom::Test { expr, not: false }) => match &**expr {
            Test::RelQuery(segments) => finds(&JpQuery::new(segments.clone()), value),
            Test::AbsQuery(_) | Test::Function(_) => true,
        },
        Filter::Atom(_) => true,
    }
}

/// Whether a filter holds of a value, as JSONPath has it.
fn is_so(filter: &Filter, value: &Value) -> bool {
    let query = JpQuery::new(vec![Segment::Selector(Selector::Filter(filter.clone()))]);
    finds(&query, &Value::Array(vec![value.clone()]))
}

/// Whether a value says anything: an empty list is as little as none.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

//! Looking things up in the inventory.

use rhai::{Array, Dynamic};

use super::{Call, Failure, Family, Lowered, Row, as_shown, as_text};
use crate::inventory::{Collected, When};
use crate::record::{Node, Scope};
use crate::script::predicate::Value;
use crate::script::value::{show, to_json};
use crate::tags;

/// The look-ups that answer with a list, by kind, key and value.
pub(crate) const LISTING: [&str; 4] = ["lookup_all", "lookup_anywhere", "lookup_ever", "lookup_before"];

pub(super) const FAMILY: Family = Family {
    name: "Inventory",
    doc: "What is, as collected. A kind must be declared in `uses:` (the policy can judge without it) or `needs:` (it cannot: where the kind was not collected in the record's account and region the policy is *not evaluated*). Keys are dotted paths that go through lists: `Attachments.InstanceId`. Look-ups see the record's account and region; what has an unknown account or region is seen from everywhere. For an event they answer as of its time, where inventory was collected at several times or comes from events; for a resource that is judged, as of the newest.",
    rows: &[
        Row {
            name: "lookup",
            params: &["kind", "key", "value"],
            doc: "The one resource of that kind whose key has that value; `()` if there is none, or the value is `()`. Several are a fault: use `lookup_all`.",
            examples: &[
                r#"lookup("ec2/addresses", "AllocationId", "eipalloc-1").PublicIp == "198.51.100.7""#,
                r#"lookup("ec2/addresses", "AllocationId", ()) == ()"#,
            ],
            run: |call, args| {
                let found = find(call, args, true)?;
                match found.as_slice() {
                    [] => Ok(Dynamic::UNIT),
                    [one] => Ok(show(one)),
                    many => Err(call.fail(format!(
                        "`lookup` in `{}` by `{}` found {} resources where one was expected (try: `lookup_all`)",
                        args[0],
                        args[1],
                        many.len()
                    ))),
                }
            },
        },
        Row {
            name: "lookup_all",
            params: &["kind", "key", "value"],
            doc: "The list of the resources of that kind whose key has that value.",
            examples: &[r#"lookup_all("ec2/addresses", "Domain", "vpc").len() == 2"#],
            run: |call, args| Ok(find(call, args, true)?.iter().map(show).collect::<Array>().into()),
        },
        Row {
            name: "lookup_anywhere",
            params: &["kind", "key", "value"],
            doc: "As `lookup_all`, in every account and region.",
            examples: &[r#"lookup_anywhere("ec2/addresses", "Domain", "vpc").len() == 2"#],
            run: |call, args| Ok(find(call, args, false)?.iter().map(show).collect::<Array>().into()),
        },
        Row {
            name: "lookup_ever",
            params: &["kind", "key", "value"],
            doc: "As `lookup_all`, at any time: everything that had that value before or after as well, in the order of time for each resource.",
            examples: &[r#"lookup_ever("ec2/addresses", "Domain", "vpc").len() == 2"#],
            run: |call, args| {
                Ok(find_when(call, args, true, Some(When::Ever))?.iter().map(show).collect::<Array>().into())
            },
        },
        Row {
            name: "lookup_before",
            params: &["kind", "key", "value"],
            doc: "As `lookup_all`, but only what had been seen by the time of the event, and is what it was then. What was collected later alone is not found, for the event may have changed it, nor is what has no time (`inventory.md`, \"Over time\"). To leave an event alone because something was so before, ask this one; for a resource that is judged it is `lookup_all`.",
            examples: &[r#"lookup_before("ec2/addresses", "Domain", "vpc").is_empty()"#],
            run: |call, args| {
                Ok(find_when(call, args, true, call.env.before())?.iter().map(show).collect::<Array>().into())
            },
        },
        Row {
            name: "all",
            params: &["kind"],
            doc: "Every resource of that kind in the record's account and region: a view, to loop over or to ask with `some`, `all`, `filter`, `find`. It may be longer than any list; what is made of it is a list, and has the limit of lists.",
            examples: &[
                r#"all("ec2/addresses").some(|a| a.PublicIp == "198.51.100.7")"#,
                r#"all("ec2/addresses").len() == 2"#,
            ],
            run: |call, args| {
                // What is not text is no kind: there are none of it.
                let kind = as_text(&args[0]).unwrap_or_default();
                must_be_declared(call, &kind)?;
                prove_absence(call, &kind, true)?;
                Ok(Dynamic::from(call.env.view(&kind)))
            },
        },
        Row {
            name: "collected",
            params: &["kind"],
            doc: "True if the whole of that kind was collected in the record's account and region, so that what is not found is not there.",
            examples: &[r#"collected("ec2/addresses")"#, r#"!collected("ec2/volumes")"#],
            run: |call, args| {
                let Some(kind) = as_text(&args[0]) else { return Ok(false.into()) };
                must_be_declared(call, &kind)?;
                Ok((call.env.in_scope(|scope| call.env.inventory.collected(&kind, scope)) == Collected::Whole).into())
            },
        },
        Row {
            name: "tag",
            params: &["resource", "key"],
            doc: "The value of a resource's tag, from any of AWS's spellings of tags, or of one in a list of tags; `()` if it has none.",
            examples: &[
                r#"tag(parse_json(`{"Tags":[{"Key":"Owner","Value":"ops"}]}`), "Owner") == "ops""#,
                r#"tag(parse_json(`{"tagSet":{"items":[{"key":"Owner","value":"ops"}]}}`), "Owner") == "ops""#,
                r#"tag(parse_json(`{"Tags":[{"Key":"Owner","Value":"ops"}]}`).Tags, "Owner") == "ops""#,
                r#"tag((), "Owner") == ()"#,
            ],
            run: |_, args| {
                let (Some(resource), Some(key)) = (as_shown(&args[0]), as_text(&args[1])) else {
                    return Ok(Dynamic::UNIT);
                };
                let value = tags::find(resource.0.view(), &key);
                Ok(value.map_or(Dynamic::UNIT, |value| show(&resource.0.share(value))))
            },
        },
    ],
    lowered: &[("tag", 2, Lowered::Of(lowered_tag))],
};

/// What is declared is checked, and read for the policy. A kind that is named where that could not be seen, as by a function
/// that another one calls, must be declared, too: else a slip of the pen would find nothing, silently.
fn must_be_declared(call: &Call<'_>, kind: &str) -> Result<(), Failure> {
    match &*call.env.uses.borrow() {
        Some(declared) if !declared.iter().any(|declared| declared == kind) => {
            Err(call.fail(format!("inventory `{kind}` is not declared (try: add it to `uses:` or `needs:`)")))
        }
        _ => Ok(()),
    }
}

/// A kind that the policy needs and of which a part alone was collected cannot prove that something is not there.
fn prove_absence(call: &Call<'_>, kind: &str, in_scope: bool) -> Result<(), Failure> {
    let needed = call.env.needs.borrow().iter().any(|need| need == kind);
    if !needed {
        return Ok(());
    }
    let inventory = &call.env.inventory;
    let collected = match in_scope {
        true => call.env.in_scope(|scope| inventory.collected(kind, scope)),
        false => inventory.collected(kind, &Scope::default()),
    };
    match collected {
        Collected::Whole => Ok(()),
        Collected::Partial => {
            Err(call.not_evaluated(format!("inventory `{kind}` is a part only, which cannot prove absence")))
        }
        Collected::Refused => Err(call.not_evaluated(format!("collecting inventory `{kind}` was refused"))),
        Collected::No => Err(call.not_evaluated(format!("inventory `{kind}` was not collected"))),
    }
}

fn find(call: &Call<'_>, args: &[Dynamic], in_scope: bool) -> Result<Vec<Node>, Failure> {
    find_when(call, args, in_scope, Some(call.env.when()))
}

/// What is found at a time; nothing, if nobody knows at which.
fn find_when(call: &Call<'_>, args: &[Dynamic], in_scope: bool, when: Option<When>) -> Result<Vec<Node>, Failure> {
    let (Some(kind), Some(key)) = (as_text(&args[0]), as_text(&args[1])) else { return Ok(Vec::new()) };
    must_be_declared(call, &kind)?;
    let value = match as_text(&args[2]) {
        Some(text) => text,
        None => match to_json(&args[2]) {
            number @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => number.to_string().into(),
            _ => return Ok(Vec::new()),
        },
    };
    let finder = call.env.finder(&kind, &key);
    let found: Vec<Node> = call.env.in_scope(|scope| {
        let found = when.map(|when| finder.find(&value, in_scope.then_some(scope), when));
        found.into_iter().flatten().map(|record| record.value.clone()).collect()
    });
    call.charge(1 + found.len())?;
    if found.is_empty() {
        prove_absence(call, &kind, in_scope)?;
    }
    Ok(found)
}

/// [`tag`], asked without Rhai.
fn lowered_tag<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let (Value::Part(resource), Value::Text(key)) = (&args[0], &args[1]) else { return None };
    Some(Value::of_field(tags::find(*resource, key)))
}

//! Shows the hits of a window to the hooks of its policy: a list of maps, which have the members that the reference names.

use std::rc::Rc;

use crate::engine::hits::Held;
use crate::engine::place::Map;
use crate::error::Error;
use crate::principal::{StoredPrincipal, Traced};
use crate::record::{Making, Node, Origin, Ref};
use crate::spill::damaged;

/// The list of hits with their numbers, which have `by` alike; `steps` are the names of the window's.
///
/// # Errors
/// When what is kept of a hit cannot be read, and where the hits are more text than a document may hold.
pub(super) fn list(hits: &[(u64, Rc<Held>)], by: Ref<'_>, steps: &[String], map: &Map) -> Result<Node, Error> {
    let mut making = Making::new();
    making.list(|list| {
        hits.iter().try_for_each(|(number, held)| list.map(|hit| members(hit, *number, held, by, steps, map)))
    })?;
    let too_large = || Error::new("the hits of a window are more than 4 GiB of text, which no policy can be given");
    Ok(Node::from(making.finish().ok_or_else(too_large)?))
}

fn members(hit: &mut Making, number: u64, held: &Held, by: Ref<'_>, steps: &[String], map: &Map) -> Result<(), Error> {
    let stored = held.read()?;
    hit.member("account").text(stored.account);
    hit.member("actor").map(|actor| actor_members(actor, &stored.actor))?;
    hit.member("by").copy(by);
    hit.member("id").text(Some(held.key.id.as_str()).filter(|id| !id.is_empty()));
    match &*stored.kept {
        "" => hit.member("kept").text(None),
        kept => read(hit.member("kept"), kept)?,
    }
    hit.member("name").text(stored.name);
    hit.member("number").number(Some(number));
    hit.member("origin").map(|origin| origin_members(origin, &held.origin(map)?))?;
    hit.member("region").text(stored.region);
    hit.member("source_ip").text(stored.source_ip);
    hit.member("step").text(steps.get(usize::from(stored.step)).map(String::as_str));
    hit.member("time").text(Some(&stored.written(held.key.time)));
    Ok(())
}

fn actor_members(into: &mut Making, actor: &StoredPrincipal<'_>) -> Result<(), Error> {
    for (name, text) in actor.texts() {
        into.member(name).text(text);
    }
    into.member("mfa").flag(actor.mfa);
    let Some(Traced { origin, chain, via }) = actor.traced.as_deref() else { return Ok(()) };
    // Rare, and as these are written elsewhere.
    let json = [("origin", serde_json::to_string(origin)), ("chain", serde_json::to_string(chain))];
    for (name, json) in json.into_iter().chain([("via", serde_json::to_string(via))]) {
        read(into.member(name), &json.map_err(|_| damaged())?)?;
    }
    Ok(())
}

fn origin_members(into: &mut Making, Origin { file, position, line }: &Origin) -> Result<(), Error> {
    into.member("file").text(Some(file));
    into.member("position").number(Some(*position));
    into.member("line").number(*line);
    Ok(())
}

fn read(into: &mut Making, json: &str) -> Result<(), Error> {
    into.read(&mut serde_json::Deserializer::from_str(json)).map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::evaluate::Hit;
    use crate::engine::hits::{self, Key, Seeds};
    use crate::engine::place::Place;
    use crate::principal::{Principal, Via};
    use crate::record::{CLOUDTRAIL, Document, Record, Scope};
    use crate::script::OF_HIT;

    /// A hit of the second step, read on the fourth line.
    fn held(event: &Value, actor: Principal, kept: Value) -> Rc<Held> {
        let time: Timestamp = "2024-05-14T12:00:00Z".parse().unwrap();
        let record = Record {
            kind: CLOUDTRAIL.into(),
            id: None,
            time: Some(time),
            scope: Scope { account: Some("111122223333".into()), region: None },
            value: Node::from(Document::from(event)),
            origin: Origin { file: "elsewhere".into(), position: 9, line: Some(4) },
        };
        let hit = Hit { by: Vec::new(), of: None, step: 1, actor, kept };
        let mut payload = Vec::new();
        hits::put_hit(&hit, &record, time, &Seeds::default(), &mut payload).unwrap();
        let place = Place { position: 3, ..Place::default() };
        let id = event["eventID"].as_str().unwrap_or_default().to_owned();
        let key = Key { policy: 0, group: "[]".into(), time, id, hash: [0; 16], place };
        Rc::new(Held { key, payload: payload.into() })
    }

    #[test]
    fn every_member_has_its_value() {
        let event = json!({
            "eventID": "e-1", "eventTime": "2024-05-14T14:00:00+02:00", "eventName": "Run", "eventSource": "ec2.amazonaws.com",
            "sourceIPAddress": "203.0.113.7",
        });
        let texts = ["type", "name", "arn", "role", "account", "session", "access_key", "service"];
        let [kind, name, arn, role, account, session, access_key, service] =
            texts.map(|name| Some(format!("its {name}")));
        let origin = Some(Principal { name: Some("eve".to_owned()), ..Principal::default() });
        let traced = Some(Box::new(Traced { origin, chain: vec!["a".to_owned()], via: Some(Via::Console) }));
        let mfa = Some(true);
        let actor = Principal { kind, name, arn, role, account, session, access_key, service, mfa, traced };
        let shown_actor = serde_json::to_value(&actor).unwrap();
        let whole = held(&event, actor, json!({ "b": [1], "a": "x" }));
        let bare = held(&json!({}), Principal::default(), Value::Null);
        let by = Document::from(&json!(["x", 7]));
        let (steps, map) = (["taken", "given"].map(str::to_owned), Map::new(vec!["log".into()], Vec::new()));
        let shown = list(&[(5, whole), (6, bare)], by.root(), &steps, &map).unwrap();
        let origin = json!({ "file": "log", "position": 3, "line": 4 });
        let told = shown.view().to_json();
        let expected = json!([
            {
                "account": "111122223333", "actor": shown_actor, "by": ["x", 7], "id": "e-1",
                "kept": { "a": "x", "b": [1] }, "name": "Run", "number": 5, "origin": origin, "region": null,
                "source_ip": "203.0.113.7", "step": "given", "time": "2024-05-14T14:00:00+02:00",
            },
            {
                "account": "111122223333", "actor": serde_json::to_value(Principal::default()).unwrap(), "by": ["x", 7],
                "id": null, "kept": null, "name": null, "number": 6, "origin": origin, "region": null,
                "source_ip": null, "step": "given", "time": "2024-05-14T12:00:00Z",
            },
        ]);
        assert_eq!(told, expected);
        for hit in shown.view().items() {
            let names: BTreeSet<&str> = hit.entries().map(|(name, _)| name).collect();
            assert_eq!(names, OF_HIT.iter().copied().collect(), "what scripts may name");
        }
    }

    #[test]
    fn what_is_damaged_is_told() {
        let mut hit = Rc::into_inner(held(&json!({}), Principal::default(), json!({ "a": 1 }))).unwrap();
        let at = hit.payload.len() - 1;
        hit.payload[at] = b'[';
        let by = Document::from(&Value::Null);
        assert!(list(&[(1, Rc::new(hit))], by.root(), &[], &Map::new(vec!["log".into()], Vec::new())).is_err());
    }
}

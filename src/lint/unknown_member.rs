//! `unknown-member`: members that a map of the script's own does not have.

use std::collections::BTreeMap;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level, did_you_mean, surely_meant};
use crate::script::reading::{Missing, Place};

pub(super) const LINT: Lint = Lint {
    code: "unknown-member",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A member of a map that the script makes, under a name that the map does not have.",
    avoid: "`named(event).allocatoin_id`, where `named` gives `#{ allocation_id: … }`",
    prefer: "`named(event).allocation_id`",
    why: "Rhai gives `()` for it, which a title or a context shows as nothing. Where the member need not be there, say what holds \
          without it: `options.limit ?? 10`.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && named(event).nmae == \"x\" }\nfn named(event) { #{ name: event.eventID } }",
        "fn matches(event) { succeeded(event) }\nfn title(event) { let all = #{ who: event.eventID, what: 1 }; `${all.whom}` }",
        "const PORTS = #{ ssh: 22 };\nfn matches(event) { succeeded(event) && event.eventID == PORTS[\"shh\"] }",
        "fn matches(event) { succeeded(event) && list(event.resources).map(|r| #{ arn: r.ARN }).some(|r| r.anr == \"x\") }",
        "fn matches(event) { succeeded(event) && (named(event).nmae ?? named(event).name) == \"x\" }\nfn named(event) { #{ name: event.eventID } }",
        "fn matches(event) { succeeded(event) && of(event).nmae == 1 }\nfn of(e) { if e.readOnly { return #{ name: 2 }; } #{ name: 1 } }",
        "fn matches(event) { succeeded(event) && arn(event.requestParameters.roleArn).acount == \"x\" }",
        "fn matches(event) { succeeded(event) && statements(event.requestParameters.policy).some(|s| s.Efect == \"Allow\") }",
        "//! window: { by: awsRegion, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn title(hits) { `${hits[0].naem}` }",
        "//! window: { by: awsRegion, within: 1h, count: 5 }\nfn matches(event) { succeeded(event) }\nfn keep(event) { #{ tool: event.userAgent } }\nfn title(hits) { let first = hits[0].kept; `${first.tol}` }",
        "fn matches(event) { succeeded(event) && made(event).nmae == 1 }\n//// lib\nfn made(e) { let made = #{}; made.name = e.eventID; made }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && named(event).name == \"x\" }\nfn named(event) { #{ name: event.eventID } }",
        "fn matches(event) { succeeded(event) && of(#{}) && of(#{ limit: 1 }) }\nfn of(options) { options.limit == 1 }",
        "fn matches(event) { succeeded(event) && of(#{}) }\nfn of(options) { (options.limit ?? 10) == 10 }",
        "fn matches(event) { succeeded(event) && of(#{}) }\nfn of(options) { (options[\"limit\"] ?? options.most ?? 10) == 10 }",
        "fn matches(event) { let m = #{}; if succeeded(event) { m.a = 1; } m.a == 1 }",
        "fn matches(event) { let m = #{}; for r in list(event.resources) { m.a = 1; } succeeded(event) && m.a == 1 }",
        "fn matches(event) { let m = #{}; m += #{ a: 1 }; succeeded(event) && m.a == 1 }",
        "fn matches(event) { let m = #{}; m.set(\"a\", 1); succeeded(event) && m.a == 1 }",
        "fn matches(event) { let m = #{}; m[event.eventID] = 1; succeeded(event) && m.a == 1 }",
        "fn matches(event) { succeeded(event) && event.requestParameters.a == 1 }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    // Where one place reads several maps, as a function does that is given several, it is enough if one has the member.
    let mut missing: BTreeMap<(usize, usize), Option<(&Place, &Missing)>> = BTreeMap::new();
    for (place, read) in subject.readings.values().flat_map(|reading| &reading.members) {
        let known = missing.entry((place.file, place.span.start)).or_insert(read.as_ref().map(|of| (place, of)));
        if read.is_none() {
            *known = None;
        }
    }
    // What a library may be given by another policy is that one's.
    let own = missing.into_values().flatten().filter(|(place, _)| place.file == 0);
    let is_told = |(_, missing): &(&Place, &Missing)| !missing.is_optional || meant(missing).is_some();
    own.filter(is_told).map(|(place, missing)| remark(subject, place, missing)).collect()
}

fn meant(missing: &Missing) -> Option<&str> {
    did_you_mean(&missing.name, missing.known.iter().map(String::as_str))
}

fn remark(subject: &Subject<'_>, place: &Place, missing: &Missing) -> Diagnostic {
    let source = subject.source_of(place);
    let names = || missing.known.iter().map(String::as_str);
    let name = &missing.name;
    let diagnostic = LINT.at(source, place.span.clone(), format!("the map that is made has no member `{name}`"));
    let diagnostic = match (meant(missing), missing.known.as_slice()) {
        (Some(meant), _) => diagnostic.help(format!("did you mean `{meant}`?")),
        (None, []) => diagnostic.help("it has none at all"),
        (None, known) => diagnostic.help(format!("it has `{}`", known.join("`, `"))),
    };
    match surely_meant(name, names()) {
        Some(meant) if source.text.get(place.span.clone()) == Some(name) => diagnostic.fix(place.span.clone(), meant),
        _ => diagnostic,
    }
}

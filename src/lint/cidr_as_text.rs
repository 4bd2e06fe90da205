//! `cidr-as-text`: addresses and blocks compared as text.

use ipnet::IpNet;

use super::subject::Subject;
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};
use crate::script::reading::{Comparison, Relation, Value};

pub(super) const LINT: Lint = Lint {
    code: "cidr-as-text",
    category: Category::Security,
    level: Level::Warning,
    summary: "A block of addresses that is everybody is compared as text, or an address by how its text begins.",
    avoid: "`rule.cidrIp == \"0.0.0.0/0\"`, `event.sourceIPAddress.starts_with(\"10.\")`",
    prefer: "`is_world(rule.cidrIp)`, or `cidr_contains(rule.cidrIp, \"0.0.0.0/1\")` for halves, too; \
             `ip_in_cidr(event.sourceIPAddress, \"10.0.0.0/8\")`",
    why: "`0.0.0.0/0` is one spelling of everybody: `::/0` is the other family's, and two halves do the same. An address is no \
          text either: `10.` is the beginning of `10.evil.example`, and of no IPv6 address.",
    check: Check::Policy(check),
    bad: &[
        "fn matches(event) { succeeded(event) && event.requestParameters.cidrIp == \"0.0.0.0/0\" }",
        "fn matches(event) { succeeded(event) && list(event.x).some(|r| r.cidrIp == \"0.0.0.0/0\" || r.cidrIpv6 == \"::/0\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.cidrIp in [\"0.0.0.0/0\", \"::/0\"] }",
        "fn matches(event) { succeeded(event) && is_open(event.requestParameters.cidrIp) }\nfn is_open(cidr) { cidr == \"0.0.0.0/0\" }",
        "fn matches(event) { succeeded(event) && is_open(event.requestParameters.cidrIp) }\n//// lib\nfn is_open(cidr) { cidr == \"0.0.0.0/0\" }",
        "const WORLD = \"0.0.0.0/0\";\nfn matches(event) { succeeded(event) && event.requestParameters.cidrIp == WORLD }",
        "fn matches(event) { succeeded(event) && jsonpath(event, \"$..cidrIp\").contains(\"0.0.0.0/0\") }",
        "fn matches(event) { succeeded(event) && switch event.requestParameters.cidrIp { \"0.0.0.0/0\" => true, _ => false } }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress.starts_with(\"10.\") }",
        "fn matches(event) { succeeded(event) && !glob(event.sourceIPAddress, [\"192.168.*\", \"10.*\"]) }",
        "fn matches(event) { succeeded(event) && regex(event.sourceIPAddress, \"^10\\\\.\") }",
        "fn matches(event) { let ip = event.sourceIPAddress; succeeded(event) && !ip.starts_with(\"fd00:\") }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress.split(\".\")[0] == \"10\" }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress.sub_string(0, 3) == \"10.\" }",
        "//! when: { eventSource: ec2.amazonaws.com, requestParameters.cidrIp: 0.0.0.0/0 }\nfn matches(event) { succeeded(event) }",
        "//! judges: ec2/security-groups\nfn matches(group) { group.IpPermissions.some(|p| p.IpRanges.some(|r| r.CidrIp == \"0.0.0.0/0\")) }",
    ],
    good: &[
        "fn matches(event) { succeeded(event) && is_world(event.requestParameters.cidrIp) }",
        "fn matches(event) { succeeded(event) && cidr_contains(event.requestParameters.cidrIp, \"0.0.0.0/0\") }",
        "fn matches(event) { succeeded(event) && ip_in_cidr(event.sourceIPAddress, [\"10.0.0.0/8\"]) }",
        "fn matches(event) { succeeded(event) && event.requestParameters.cidrBlock == \"10.0.0.0/16\" }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress == \"198.51.100.7\" }",
        "fn matches(event) { succeeded(event) && event.sourceIPAddress.ends_with(\".amazonaws.com\") }",
        "fn matches(event) { succeeded(event) && event.eventVersion.starts_with(\"1.0\") }",
        "fn matches(event) { succeeded(event) && event.requestParameters.description.contains(\"10.\") }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for comparison in subject.comparisons() {
        let Some((message, help)) = remark(comparison) else { continue };
        out.push(LINT.at(subject.source_of(&comparison.place), comparison.place.span.clone(), message).help(help));
    }
    for condition in &subject.header().when.conditions {
        if condition.any_of.iter().flatten().any(|text| is_everybody(text)) {
            let path = condition.path.join(".");
            let diagnostic = LINT.at(subject.source, subject.key_span(&["when", &path]), EVERYBODY);
            out.push(diagnostic.help("ask in `matches`: `is_world(…)`"));
        }
    }
    out
}

const EVERYBODY: &str = "everybody is compared as text: other spellings, the other family and halves are missed";

fn remark(comparison: &Comparison) -> Option<(&'static str, &'static str)> {
    let texts = || comparison.right.iter().filter_map(Value::text);
    match comparison.relation {
        Relation::Equal | Relation::In | Relation::Contains if texts().any(is_everybody) => {
            Some((EVERYBODY, "`is_world(x)`, or `cidr_contains(x, \"0.0.0.0/1\")` for halves of it, too"))
        }
        Relation::StartsWith | Relation::EndsWith | Relation::Contains | Relation::Glob | Relation::Regex
            if is_address(&comparison.left) && texts().any(is_part_of_address) =>
        {
            Some(("an address is compared as text", "`ip_in_cidr(x, \"10.0.0.0/8\")`"))
        }
        Relation::Equal | Relation::In
            if matches!(comparison.left, Value::Part(..))
                && is_address(&comparison.left)
                && texts().next().is_some() =>
        {
            Some(("a part of an address is compared", "`ip_in_cidr(x, \"10.0.0.0/8\")`"))
        }
        _ => None,
    }
}

fn is_everybody(text: &str) -> bool {
    text.parse::<IpNet>().is_ok_and(|net| net.prefix_len() == 0)
}

/// True for a field that holds an address or a block, by its name.
fn is_address(value: &Value) -> bool {
    let by_name = |name: &str| {
        let name = name.to_lowercase();
        ["ipaddress", "cidr", "publicip", "privateip", "sourceip"].iter().any(|part| name.contains(part))
            || name == "ip"
    };
    value.paths().iter().any(|path| path.last().is_some_and(by_name))
}

/// True for the beginning of an address, or a pattern of one: digits and dots, or hexadecimal digits and colons.
fn is_part_of_address(text: &str) -> bool {
    let plain: String = text.chars().filter(|letter| !r"^$\*?()[]{}+|".contains(*letter)).collect();
    let is_v4 = plain.contains('.') && plain.chars().all(|letter| letter.is_ascii_digit() || ".-/,d".contains(letter));
    let is_v6 = plain.contains(':') && plain.chars().all(|letter| letter.is_ascii_hexdigit() || ":/".contains(letter));
    (is_v4 || is_v6) && plain.chars().any(|letter| letter.is_ascii_hexdigit())
}

//! Tells from a path, from ids and from ARNs whose a resource is, and what its own id is.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::record::{Ref, Scope, is_account, is_region, region_of};
use crate::schema::{self, singular};

/// A service and a command, as named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hint {
    pub(super) service: String,
    pub(super) command: String,
}

/// Services without regions: what they print is the same in every one.
const GLOBAL: [&str; 5] = ["iam", "s3api", "sts", "organizations", "route53"];

/// True when the service of this kind has no regions.
pub(super) fn is_global(kind: &str) -> bool {
    kind.split('/').next().is_some_and(|service| GLOBAL.contains(&service))
}

/// Reads `[<account>/][<region>/]<service>/<command>[/…]` or `<service>/<command>.json` in a path.
///
/// A service that the table does not have counts only below a region, so that `docs/get-started` is not inventory.
/// Of another layout whose it is.
pub(super) fn of_path(path: &Path) -> (Scope, Option<Hint>) {
    let mut parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    if let Some(file) = parts.last_mut() {
        *file = file.split('.').next().unwrap_or_default();
    }
    for at in (1..parts.len()).rev() {
        let (service, command) = (parts[at - 1], parts[at]);
        let above = || parts[..at - 1].iter().rev().filter(|part| !is_stamp(part)).take(2);
        let region = above().find(|part| is_region(part));
        if is_read(command) && (schema::is_service(service) || region.is_some() && is_word(service)) {
            let account = above().find(|part| is_account(part));
            let scope = Scope { account: account.map(|of| Arc::from(*of)), region: region.map(|of| Arc::from(*of)) };
            return (scope, Some(Hint { service: service.to_owned(), command: command.to_owned() }));
        }
    }
    (named(&parts), None)
}

/// The account and the region that a path of another layout names, if it names one and no other: in a part of their own, as
/// `account=111122223333`, or among the words of a name, `111122223333-us-east-1-describe-volumes`. What a file is its content
/// tells; whose it is, nothing else may.
fn named(parts: &[&str]) -> Scope {
    // The first words of regions: a name may begin with others.
    const AREAS: [&str; 11] = ["af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us"];
    let (mut accounts, mut regions) = (BTreeSet::new(), BTreeSet::new());
    for part in parts.iter().filter(|part| !is_stamp(part)) {
        for piece in part.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-') {
            let words: Vec<&str> = piece.split('-').collect();
            accounts.extend(words.iter().filter(|word| is_account(word) && !is_stamp(word)).copied());
            let areas = words.iter().enumerate().filter(|(_, word)| AREAS.contains(word)).map(|(at, _)| at);
            // Of three words, or of four: `us-east-1`, `us-gov-west-1`.
            let names = |at: usize| [3, 4].map(|count| Some(words.get(at..at + count)?.join("-")));
            regions.extend(areas.filter_map(|at| names(at).into_iter().flatten().find(|name| is_region(name))));
        }
    }
    fn only<T: AsRef<str> + Ord>(names: &BTreeSet<T>) -> Option<Arc<str>> {
        names.first().filter(|_| names.len() == 1).map(|name| Arc::from(name.as_ref()))
    }
    Scope { account: only(&accounts), region: only(&regions) }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Reads of events, log lines and answers to queries: no inventory.
const EVENTS: [&str; 5] =
    ["lookup-events", "get-log-events", "filter-log-events", "get-query-results", "get-log-record"];

fn is_read(command: &str) -> bool {
    let verbs = ["describe-", "get-", "list-", "search-", "select-", "lookup-", "batch-get-", "batch-describe-"];
    is_word(command) && !EVENTS.contains(&command) && verbs.iter().any(|verb| command.starts_with(verb))
}

/// Twelve digits that are a minute of this century, as tools name folders by the time of a run: `202405141230`. Of all
/// accounts one in twenty thousand is called so, and nobody knows by the path whose such a folder is.
fn is_stamp(text: &str) -> bool {
    is_account(text) && text.starts_with("20") && jiff::civil::DateTime::strptime("%Y%m%d%H%M", text).is_ok()
}

/// Ids that the rule would not find, or not find unique: several members are joined by `:`, the first list that is
/// there counts.
const IDS: [(&str, &[&[&str]]); 15] = [
    ("ec2/addresses", &[&["AllocationId"], &["PublicIp"]]),
    ("ec2/security-groups", &[&["GroupId"]]),
    ("ec2/key-pairs", &[&["KeyPairId"], &["KeyName"]]),
    ("ec2/placement-groups", &[&["GroupId"], &["GroupName"]]),
    ("ec2/tags", &[&["ResourceId", "Key"]]),
    ("ec2/launch-template-versions", &[&["LaunchTemplateId", "VersionNumber"]]),
    ("ec2/fast-snapshot-restores", &[&["SnapshotId", "AvailabilityZone"]]),
    ("ec2/regions", &[&["RegionName"]]),
    ("ec2/availability-zones", &[&["ZoneName"]]),
    ("cloudwatch/metric-alarms", &[&["AlarmName"]]),
    ("cloudwatch/composite-alarms", &[&["AlarmName"]]),
    ("logs/log-groups", &[&["logGroupName"]]),
    ("logs/metric-filters", &[&["logGroupName", "filterName"]]),
    ("logs/subscription-filters", &[&["logGroupName", "filterName"]]),
    ("route53/resource-record-sets", &[&["Name", "Type", "SetIdentifier"], &["Name", "Type"]]),
];

/// How resources of a kind are named, found out once for all of them.
pub(super) struct Naming<'k> {
    kind: &'k str,
    /// The noun of the kind as it begins the names of members: in the singular and as it stands, without hyphens.
    nouns: [String; 2],
    ids: Option<&'static [&'static [&'static str]]>,
}

/// What a resource says of its account and region.
#[derive(Default)]
pub(super) struct Whose<'a> {
    pub(super) account: Option<Cow<'a, str>>,
    pub(super) region: Option<&'a str>,
}

impl<'k> Naming<'k> {
    pub(super) fn of(kind: &'k str) -> Self {
        let noun = kind.rsplit('/').next().unwrap_or_default().replace('-', "");
        let ids = IDS.iter().find(|(of, _)| *of == kind).map(|(_, ids)| *ids);
        Self { kind, nouns: [singular(&noun), noun], ids }
    }

    /// What the ids in a resource say of its account and region: `OwnerId`, its own ARN, its availability zone.
    ///
    /// A trail is listed in other regions and accounts than its own, so its ARN says its account only where it is known
    /// not to be an organisation's, and never a region. Images and snapshots are listed with others' that are shared with
    /// an account, so their owner does not say in whose inventory they are.
    pub(super) fn whose<'a>(&self, value: Ref<'a>) -> Whose<'a> {
        let (mut owners, mut zone, mut placement, mut shared, mut arn) = ([None; 3], None, None, false, None);
        for (key, value) in value.entries() {
            match key {
                "OwnerId" => owners[0] = Some(value),
                "ownerId" => owners[1] = Some(value),
                "AWSAccountId" => owners[2] = Some(value),
                "AvailabilityZone" => zone = value.as_str(),
                "Placement" => placement = value.text(&["AvailabilityZone"]),
                "IsOrganizationTrail" => shared = value.as_bool() == Some(true),
                _ => arn = arn.or_else(|| self.own_arn(key, value)),
            }
        }
        let trail = self.kind.starts_with("cloudtrail/trail");
        let lent = matches!(self.kind, "ec2/images" | "ec2/snapshots");
        let of_arn = |at: usize| arn.and_then(|arn| arn.splitn(6, ':').nth(at));
        let owner = owners.into_iter().flatten().find_map(Ref::scalar_text);
        let owner = owner.filter(|owner| is_account(owner) && !lent);
        let account = owner.or_else(|| of_arn(4).filter(|_| !shared).map(Cow::from));
        let region = zone.or(placement).and_then(region_of).or_else(|| of_arn(3).filter(|_| !trail));
        Whose {
            account: account.filter(|account| is_account(account)),
            region: region.filter(|region| is_region(region) && !is_global(self.kind)),
        }
    }

    /// The ARN, if this member is the resource's own.
    fn own_arn<'a>(&self, key: &str, value: Ref<'a>) -> Option<&'a str> {
        let stem = strip_suffix_in_any_case(key, "arn")?;
        value.as_str().filter(|text| text.starts_with("arn:") && self.is_of(stem))
    }

    /// The id by which a resource is known: as [`IDS`] says; else `<Singular>Id`, `…Arn`, `…Name` of its kind
    /// (`VolumeId` of `ec2/volumes`); else `Id`, `Arn`, `Name`; else the first `…Id`, `…Arn`, `…Name` whose name begins or
    /// ends that singular (`GroupId` of `iam/user-groups`).
    pub(super) fn id(&self, value: Ref<'_>) -> Option<Arc<str>> {
        if let Some(ids) = self.ids {
            return ids.iter().find_map(|ids| match ids {
                [id] => value.get(id)?.scalar_text().map(Arc::from),
                ids => {
                    let parts: Option<Vec<_>> = ids.iter().map(|id| value.get(id)?.scalar_text()).collect();
                    parts.map(|parts| parts.join(":").into())
                }
            });
        }
        let rank = |key: &str| {
            let ends = ["id", "identifier", "arn", "name"].iter().enumerate();
            let (end, stem) = ends.into_iter().find_map(|(at, end)| Some((at, strip_suffix_in_any_case(key, end)?)))?;
            let fits = if self.nouns.iter().any(|noun| noun.eq_ignore_ascii_case(stem)) {
                0
            } else if stem.is_empty() {
                1
            } else if self.is_of(stem) {
                2
            } else {
                return None;
            };
            Some((fits, end))
        };
        let ranked = value.entries().filter_map(|(key, value)| Some((rank(key)?, value.scalar_text()?)));
        // Of equals the first.
        ranked.filter(|(_, text)| !text.is_empty()).min_by_key(|(rank, _)| *rank).map(|(_, text)| text.into())
    }

    /// True for the beginning or the end of the kind's noun, in any case, and for nothing at all.
    fn is_of(&self, stem: &str) -> bool {
        let begins = |noun: &str| noun.get(..stem.len()).is_some_and(|head| head.eq_ignore_ascii_case(stem));
        let ends = |noun: &str| {
            noun.len()
                .checked_sub(stem.len())
                .and_then(|at| noun.get(at..))
                .is_some_and(|tail| tail.eq_ignore_ascii_case(stem))
        };
        stem.is_empty() || stem.len() > 1 && self.nouns.iter().any(|noun| begins(noun) || ends(noun))
    }
}

fn strip_suffix_in_any_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let stem = text.len().checked_sub(suffix.len())?;
    text.as_bytes()[stem..].eq_ignore_ascii_case(suffix.as_bytes()).then(|| &text[..stem])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Document;

    #[test]
    fn paths_say_whose_and_what() {
        let hint = |service: &str, command: &str| Some(Hint { service: service.into(), command: command.into() });
        let scope = |account: &str, region: &str| Scope { account: Some(account.into()), region: Some(region.into()) };
        let of = |path: &str| of_path(Path::new(path));
        assert_eq!(
            of("x/111122223333/eu-west-1/ec2/describe-volumes/1.json"),
            (scope("111122223333", "eu-west-1"), hint("ec2", "describe-volumes"))
        );
        assert_eq!(
            of("inventory/c7n/ec2/describe-volumes.json.gz"),
            (Scope::default(), hint("ec2", "describe-volumes"))
        );
        // By the time of the run.
        for path in [
            "111122223333/202405141230/eu-west-1/ec2/describe-volumes.json",
            "202405141230/111122223333/eu-west-1/ec2/describe-volumes.json",
            "111122223333/eu-west-1/202405141230/ec2/describe-volumes.json",
        ] {
            assert_eq!(of(path).0, scope("111122223333", "eu-west-1"), "{path}");
        }
        assert_eq!(of("202405141230/ec2/describe-volumes.json").0, Scope::default());
        assert_eq!(of("202413141230/eu-west-1/ec2/describe-volumes.json").0, scope("202413141230", "eu-west-1"));
        assert_eq!(of("eu-west-1/fsx/describe-backups/a.json").1, hint("fsx", "describe-backups"));
        assert_eq!(of("docs/get-started.json").1, None);
        // In other layouts, where there is no doubt.
        for path in [
            "x/111122223333/eu-west-1/describe-volumes.json",
            "x/eu-west-1/111122223333/volumes.json",
            "111122223333/ec2/eu-west-1/describe-volumes.json",
            "account=111122223333/region=eu-west-1/service=ec2/describe-volumes.json",
            "111122223333-eu-west-1-describe-volumes.json",
            "prod-111122223333/eu-west-1/EC2/describe-volumes.json",
            "dumps/describe-volumes_111122223333_eu-west-1.json",
            "111122223333/prod-eu-west-1/20240514/EC2/describe-volumes.json",
        ] {
            assert_eq!(of(path), (scope("111122223333", "eu-west-1"), None), "{path}");
        }
        let gov = of("111122223333/us-gov-west-1/volumes.json").0;
        assert_eq!(gov, scope("111122223333", "us-gov-west-1"));
        for path in ["111122223333/444455556666/eu-west-1/us-east-1/a.json", "202405141230/volumes.json", "a/b-1.json"]
        {
            assert_eq!(of(path).0, Scope::default(), "{path}");
        }
    }

    #[test]
    fn zones_name_their_region() {
        assert_eq!(region_of("us-east-1a"), Some("us-east-1"));
        assert_eq!(region_of("us-west-2-lax-1a"), Some("us-west-2"));
        assert_eq!(region_of("us-gov-west-1b"), Some("us-gov-west-1"));
        assert_eq!(region_of("Multiple Availability Zones"), None);
        assert!(is_region("ap-southeast-2") && !is_region("us-east-1a") && !is_region("ec2"));
    }

    #[test]
    fn ids() {
        let id = |kind: &str, text: &str| {
            Naming::of(kind).id(Document::parse(text.as_bytes()).unwrap().root()).map(|id| id.to_string())
        };
        assert_eq!(id("ec2/volumes", r#"{"SnapshotId":"snap","VolumeId":"vol"}"#).as_deref(), Some("vol"));
        assert_eq!(id("ec2/addresses", r#"{"PublicIp":"1.2.3.4"}"#).as_deref(), Some("1.2.3.4"));
        assert_eq!(id("ec2/dhcp-options", r#"{"OwnerId":"1","DhcpOptionsId":"dopt"}"#).as_deref(), Some("dopt"));
        assert_eq!(id("cloudtrail/trails", r#"{"Name":"n","TrailARN":"arn:a"}"#).as_deref(), Some("arn:a"));
        assert_eq!(id("ec2/tags", r#"{"ResourceId":"r","Key":"k"}"#).as_deref(), Some("r:k"));
        assert_eq!(id("ec2/spot-price-history", r#"{"SpotPrice":"1"}"#), None);
        assert_eq!(id("ec2/vpc-peering-connections", r#"{"VpcPeeringConnectionId":"pcx"}"#).as_deref(), Some("pcx"));
    }
}

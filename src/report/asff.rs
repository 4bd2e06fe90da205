//! The AWS Security Finding Format: what Security Hub's `BatchImportFindings` takes, an array of at most 100 findings a line.
//!
//! Members and their limits: <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html> and
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>. What is longer is cut,
//! and ends in an ellipsis.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::attack::{self, Attack};
use super::json::one_line;
use crate::engine::Outcome;
use crate::finding::{Finding, Remediation, Severity, Standing};
use crate::policy::{Checked, Policy};
use crate::record::{CLOUDTRAIL, is_account};

/// Findings that one call takes, and bytes: a call takes six megabytes.
const BATCH: usize = 100;
const BATCH_BYTES: usize = 5_000_000;

/// Resources that a finding may name.
const RESOURCES: usize = 32;

/// Pairs of `ProductFields`, and the bytes that all their values may have here: a finding may have 240 KB.
const FIELDS: usize = 50;
const FIELD_BYTES: usize = 100_000;

/// The account of a record that does not say it, where no product says one either.
const NO_ACCOUNT: &str = "000000000000";

pub(super) fn write(outcome: &Outcome, packs: &Checked, product: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let now = &outcome.summary.now;
    let (mut count, mut bytes) = (0, 0);
    for finding in &outcome.findings {
        let finding = finding.map_err(io::Error::other)?;
        let policy = packs.of(&finding.pack, &finding.policy);
        let text = one_line(&Told { finding: &finding, policy, product, now }.finding());
        if count == BATCH || bytes + text.len() > BATCH_BYTES {
            writeln!(out, "]")?;
            (count, bytes) = (0, 0);
        }
        write!(out, "{}{text}", if count == 0 { "[" } else { "," })?;
        count += 1;
        bytes += text.len();
    }
    // A call takes one finding at least, so of none there is no line.
    if count > 0 { writeln!(out, "]") } else { Ok(()) }
}

/// A finding, and what is told with it.
struct Told<'a> {
    finding: &'a Finding,
    policy: Option<&'a Policy>,
    product: Option<&'a str>,
    /// The time of the run.
    now: &'a str,
}

impl Told<'_> {
    fn finding(&self) -> Value {
        let finding = self.finding;
        let severity = json!({ "Label": label(finding.severity), "Original": finding.severity.word() });
        let types = self.types();
        let first = self.seen(|window| &window.first);
        let mut out = json!({
            "SchemaVersion": "2018-10-08",
            "Id": cut(&format!("lawbook/{}/{}/{}", finding.pack, finding.policy, finding.fingerprint), 512),
            "ProductArn": self.product_arn(),
            "ProductName": "Lawbook",
            "CompanyName": "Lawbook",
            "GeneratorId": cut(&format!("{}/{}", finding.pack, finding.policy), 512),
            "AwsAccountId": self.account(),
            "Types": types,
            "FirstObservedAt": first,
            "LastObservedAt": self.seen(|window| &window.last),
            "CreatedAt": first,
            "UpdatedAt": self.now,
            "Severity": severity,
            "Title": cut(&finding.title, 256),
            "Description": self.description(),
            "ProductFields": self.fields(),
            "Resources": self.resources(),
            "Workflow": { "Status": match finding.standing {
                Standing::New => "NEW",
                Standing::Waived => "SUPPRESSED",
                Standing::Known => "NOTIFIED",
            } },
            "RecordState": "ACTIVE",
            "FindingProviderFields": { "Severity": severity, "Types": types },
        });
        if let Some(remediation) = self.remediation() {
            out["Remediation"] = json!({ "Recommendation": remediation });
        }
        if let Some(waiver) = &finding.waiver {
            let text = format!("{} (until {})", waiver.reason, waiver.expires);
            out["Note"] =
                json!({ "Text": cut(&text, 512), "UpdatedBy": cut(&waiver.owner, 512), "UpdatedAt": self.now });
        }
        if &*finding.record.kind == CLOUDTRAIL {
            out["Action"] = self.action();
        } else {
            out["Compliance"] = self.compliance();
        }
        out
    }

    /// Twelve digits; those of the product if the record says none.
    fn account(&self) -> &str {
        let of_product = || self.product.and_then(|arn| arn.split(':').nth(4)).filter(|text| is_account(text));
        self.finding.record.account.as_deref().filter(|text| is_account(text)).or_else(of_product).unwrap_or(NO_ACCOUNT)
    }

    /// The region, if it is one by its form.
    fn region(&self) -> Option<&str> {
        let is_region = |text: &&str| {
            matches!(text.len(), 9..=16)
                && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        self.finding.record.region.as_deref().filter(is_region)
    }

    fn partition(&self) -> &'static str {
        match self.region().unwrap_or_default() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    fn product_arn(&self) -> String {
        let own = || {
            let region = self.region().unwrap_or("us-east-1");
            let (partition, account) = (self.partition(), self.account());
            format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default")
        };
        cut(&self.product.map_or_else(own, str::to_owned), 2_048)
    }

    fn types(&self) -> Vec<String> {
        if &*self.finding.record.kind != CLOUDTRAIL {
            return vec!["Software and Configuration Checks/AWS Security Best Practices".to_owned()];
        }
        let tactics = attack::of(&self.finding.tags).filter_map(|attack| match attack {
            Attack::Tactic(name, _) => Some(format!("TTPs/{name}")),
            Attack::Technique(..) => None,
        });
        let mut types: Vec<String> = tactics.take(FIELDS).collect();
        if types.is_empty() {
            types.push("Unusual Behaviors/User".to_owned());
        }
        types
    }

    /// A time as RFC 3339; that of the run where there is no other.
    fn seen(&self, of: impl Fn(&crate::finding::Windowed) -> &String) -> String {
        let time = self.finding.window.as_ref().map(of).or(self.finding.record.time.as_ref());
        let time = time.and_then(|time| time.parse::<Timestamp>().ok());
        time.map_or_else(|| self.now.to_owned(), |time| time.to_string())
    }

    fn description(&self) -> String {
        let section = |name| self.policy.map_or("", |policy| policy.section(name));
        let text = [section("What it finds"), section("Why it matters")].join("\n\n");
        cut(if text.trim().is_empty() { &self.finding.title } else { text.trim() }, 1_024)
    }

    fn remediation(&self) -> Option<Value> {
        let Remediation { console, cli, python, .. } = &self.finding.remediation;
        let url = self.finding.references.first().filter(|url| url.starts_with("https://"));
        let text = console.as_ref().or(cli.as_ref()).or(python.as_ref()).filter(|text| !text.trim().is_empty());
        let mut recommendation = Map::new();
        recommendation.extend(text.map(|text| ("Text".to_owned(), cut(text.trim(), 512).into())));
        recommendation.extend(url.map(|url| ("Url".to_owned(), url.as_str().into())));
        (!recommendation.is_empty()).then(|| recommendation.into())
    }

    fn resources(&self) -> Value {
        let record = &self.finding.record;
        let one = |kind: &str, id: &str| {
            let mut resource = json!({ "Type": kind, "Id": cut(id, 512), "Partition": self.partition() });
            if let Some(region) = self.region() {
                resource["Region"] = region.into();
            }
            resource
        };
        let own = record.id.as_deref().filter(|_| &*record.kind != CLOUDTRAIL && self.finding.resources.is_empty());
        let ids = self.finding.resources.iter().map(String::as_str).chain(own).filter(|id| !id.trim().is_empty());
        let mut resources: Vec<Value> = ids.take(RESOURCES).map(|id| one(kind_of(id), id)).collect();
        if resources.is_empty() {
            resources.push(one("AwsAccount", &format!("AWS::::Account:{}", self.account())));
        }
        resources.into()
    }

    /// What the format has no place for, as text by name.
    fn fields(&self) -> Value {
        let finding = self.finding;
        let mut all: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: Option<&str>| {
            all.extend(
                value
                    .filter(|value| !value.trim().is_empty())
                    .map(|value| (format!("lawbook/{name}"), value.to_owned())),
            );
        };
        add("standing", Some(finding.standing.word()));
        add("fingerprint", Some(&finding.fingerprint.to_string()));
        add("record", finding.record.id.as_deref());
        add("origin", Some(&finding.origin.to_string()));
        add("tags", Some(&finding.tags.join(" ")));
        add("source", finding.source_ip.as_deref());
        if let Some(actor) = &finding.actor {
            add("actor/name", actor.name.as_deref());
            add("actor/arn", actor.arn.as_deref());
            add("actor/access_key", actor.access_key.as_deref());
        }
        if let Some(window) = &finding.window {
            add("hits", Some(&window.count.to_string()));
        }
        if finding.resources.len() > RESOURCES {
            add("resources", Some(&finding.resources.len().to_string()));
        }
        add("cli", finding.remediation.cli.as_deref());
        for (key, value) in finding.context.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            let text = value.as_str().map_or_else(|| one_line(value), str::to_owned);
            add(&format!("context/{key}"), Some(&text));
        }
        let mut left = FIELD_BYTES;
        let mut fields = Map::new();
        for (name, value) in all.into_iter().take(FIELDS) {
            let value = cut(&value, 2_048);
            if value.len() <= left {
                left -= value.len();
                fields.insert(cut(&name, 128), value.into());
            }
        }
        fields.into()
    }

    fn action(&self) -> Value {
        let record = &self.finding.record;
        let mut call = json!({
            "FirstSeen": self.seen(|window| &window.first),
            "LastSeen": self.seen(|window| &window.last),
        });
        for (member, text) in [("Api", &record.name), ("ServiceName", &record.source)] {
            if let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) {
                call[member] = cut(text, 128).into();
            }
        }
        match self.finding.source_ip.as_deref().filter(|from| !from.trim().is_empty()) {
            Some(from) if from.parse::<Ipv4Addr>().is_ok() => {
                call["CallerType"] = "remoteIp".into();
                call["RemoteIpDetails"] = json!({ "IpAddressV4": from });
            }
            // There is a place for IPv4 only: an address of IPv6 is in `ProductFields`.
            Some(from) if from.parse::<std::net::Ipv6Addr>().is_err() => {
                call["CallerType"] = "domain".into();
                call["DomainDetails"] = json!({ "Domain": cut(from, 128) });
            }
            _ => {}
        }
        json!({ "ActionType": "AWS_API_CALL", "AwsApiCallAction": call })
    }

    fn compliance(&self) -> Value {
        let controls = self.finding.tags.iter().filter(|tag| tag.starts_with("cis.") || tag.starts_with("fsbp."));
        let controls: Vec<String> = controls.take(RESOURCES).map(|tag| cut(tag, 64)).collect();
        let mut compliance = json!({ "Status": "FAILED" });
        if !controls.is_empty() {
            compliance["RelatedRequirements"] = controls.into();
        }
        compliance
    }
}

fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "INFORMATIONAL",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

/// Security Hub's name for a kind of resource, told by its ARN or its id.
fn kind_of(id: &str) -> &'static str {
    const OF_ID: [(&str, &str); 10] = [
        ("i-", "AwsEc2Instance"),
        ("vol-", "AwsEc2Volume"),
        ("sg-", "AwsEc2SecurityGroup"),
        ("eni-", "AwsEc2NetworkInterface"),
        ("eipalloc-", "AwsEc2Eip"),
        ("vpc-", "AwsEc2Vpc"),
        ("subnet-", "AwsEc2Subnet"),
        ("rtb-", "AwsEc2RouteTable"),
        ("acl-", "AwsEc2NetworkAcl"),
        ("lt-", "AwsEc2LaunchTemplate"),
    ];
    const OF_ARN: [(&str, &str, &str); 12] = [
        ("ec2", "instance", "AwsEc2Instance"),
        ("ec2", "volume", "AwsEc2Volume"),
        ("ec2", "security-group", "AwsEc2SecurityGroup"),
        ("ec2", "network-interface", "AwsEc2NetworkInterface"),
        ("ec2", "vpc", "AwsEc2Vpc"),
        ("ec2", "subnet", "AwsEc2Subnet"),
        ("iam", "user", "AwsIamUser"),
        ("iam", "role", "AwsIamRole"),
        ("iam", "policy", "AwsIamPolicy"),
        ("cloudtrail", "trail", "AwsCloudTrailTrail"),
        ("kms", "key", "AwsKmsKey"),
        ("lambda", "function", "AwsLambdaFunction"),
    ];
    let parts: Vec<&str> = id.splitn(6, ':').collect();
    if let ["arn", _, service, _, _, resource] = parts.as_slice() {
        if *service == "s3" {
            return if resource.contains('/') { "AwsS3Object" } else { "AwsS3Bucket" };
        }
        let kind = resource.split(['/', ':']).next().unwrap_or_default();
        return OF_ARN.iter().find(|(of, is, _)| of == service && *is == kind).map_or("Other", |(_, _, name)| name);
    }
    let is_id = |rest: &str| matches!(rest.len(), 8 | 17) && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    OF_ID.iter().find(|(start, _)| id.strip_prefix(start).is_some_and(is_id)).map_or("Other", |(_, name)| name)
}

/// At most so many characters, the last of them an ellipsis if there were more.
fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

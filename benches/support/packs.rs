//! Writes packs of generated policies.

use std::fs;
use std::io;
use std::path::Path;

use super::Dice;

/// The packs that have a size of their own, by name.
pub(crate) const ALL: [(&str, Make); 15] = [
    ("fifty", fifty),
    ("fifty-plain", fifty_plain),
    ("fifty-sigma", fifty_sigma),
    ("fifty-rego", fifty_rego),
    ("firing", firing),
    ("silent", silent),
    ("firing-among", firing_among),
    ("firing-among-plain", firing_among_plain),
    ("looping", looping),
    ("looping-among", looping_among),
    ("looping-among-plain", looping_among_plain),
    ("watching", watching),
    ("windowed", windowed),
    ("unwindowed", unwindowed),
    ("of-addresses", of_addresses),
];

/// Fills a folder.
pub(crate) type Make = fn(&Path) -> io::Result<()>;

/// A policy's file: its id, its front matter but for the title, and its functions.
fn policy(folder: &Path, id: &str, severity: &str, judges: &str, header: &str, functions: &str) -> io::Result<()> {
    let head: String = header.lines().map(|line| format!("//! {line}\n")).collect();
    let text = format!(
        "//! ---\n//! lawbook: 1\n//! title: Policy {id}\n//! severity: {severity}\n//! judges: {judges}\n{head}//! ---\n//! ## What it finds\n//! What a benchmark looks for.\n//!\n//! ## Why it matters\n//! It does not.\n//!\n//! ## False positives\n//! None.\n//!\n//! ## Respond\n//! Not at all.\n\n{functions}\n"
    );
    fs::write(folder.join(format!("{id}.rhai")), text)
}

/// The hooks that policies have beside `matches`.
const HOOKS: &str = "fn title(event) { `${event.eventName} by ${actor(event).name}` }\nfn context(event) { #{ region: region(event), source: event.sourceIPAddress } }";

/// Calls that a pack of detections asks for: rare ones, and some that are made all day.
const ASKED: [(&str, &str); 50] = [
    ("ec2.amazonaws.com", "DisassociateAddress"),
    ("ec2.amazonaws.com", "ReleaseAddress"),
    ("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress"),
    ("ec2.amazonaws.com", "ModifySnapshotAttribute"),
    ("ec2.amazonaws.com", "RunInstances"),
    ("iam.amazonaws.com", "CreateAccessKey"),
    ("iam.amazonaws.com", "PutRolePolicy"),
    ("cloudtrail.amazonaws.com", "StopLogging"),
    ("cloudtrail.amazonaws.com", "DeleteTrail"),
    ("cloudtrail.amazonaws.com", "UpdateTrail"),
    ("cloudtrail.amazonaws.com", "PutEventSelectors"),
    ("signin.amazonaws.com", "ConsoleLogin"),
    ("ec2.amazonaws.com", "DeleteFlowLogs"),
    ("ec2.amazonaws.com", "DisableEbsEncryptionByDefault"),
    ("ec2.amazonaws.com", "CreateKeyPair"),
    ("ec2.amazonaws.com", "ImportKeyPair"),
    ("ec2.amazonaws.com", "AuthorizeSecurityGroupEgress"),
    ("ec2.amazonaws.com", "CreateNetworkAclEntry"),
    ("ec2.amazonaws.com", "ReplaceIamInstanceProfileAssociation"),
    ("ec2.amazonaws.com", "AssociateIamInstanceProfile"),
    ("ec2.amazonaws.com", "ModifyImageAttribute"),
    ("ec2.amazonaws.com", "ModifyInstanceAttribute"),
    ("ec2.amazonaws.com", "GetPasswordData"),
    ("ec2.amazonaws.com", "EnableSerialConsoleAccess"),
    ("ec2.amazonaws.com", "CreateRoute"),
    ("iam.amazonaws.com", "CreateUser"),
    ("iam.amazonaws.com", "CreateLoginProfile"),
    ("iam.amazonaws.com", "UpdateLoginProfile"),
    ("iam.amazonaws.com", "AttachUserPolicy"),
    ("iam.amazonaws.com", "AttachRolePolicy"),
    ("iam.amazonaws.com", "UpdateAssumeRolePolicy"),
    ("iam.amazonaws.com", "DeactivateMFADevice"),
    ("iam.amazonaws.com", "CreateSAMLProvider"),
    ("kms.amazonaws.com", "ScheduleKeyDeletion"),
    ("kms.amazonaws.com", "DisableKey"),
    ("kms.amazonaws.com", "PutKeyPolicy"),
    ("s3.amazonaws.com", "PutBucketPolicy"),
    ("s3.amazonaws.com", "PutBucketAcl"),
    ("s3.amazonaws.com", "DeleteBucketPublicAccessBlock"),
    ("config.amazonaws.com", "StopConfigurationRecorder"),
    ("config.amazonaws.com", "DeleteDeliveryChannel"),
    ("guardduty.amazonaws.com", "DeleteDetector"),
    ("securityhub.amazonaws.com", "DisableSecurityHub"),
    ("logs.amazonaws.com", "DeleteLogGroup"),
    ("logs.amazonaws.com", "PutRetentionPolicy"),
    ("monitoring.amazonaws.com", "DisableAlarmActions"),
    ("lambda.amazonaws.com", "UpdateFunctionCode20150331v2"),
    ("ssm.amazonaws.com", "SendCommand"),
    ("secretsmanager.amazonaws.com", "BatchGetSecretValue"),
    ("sts.amazonaws.com", "GetFederationToken"),
];

/// 50 policies with `when` on `eventSource` and `eventName`.
pub(crate) fn fifty(folder: &Path) -> io::Result<()> {
    for (at, (source, name)) in ASKED.iter().enumerate() {
        let header = format!("when:\n  eventSource: {source}\n  eventName: {name}");
        let functions =
            format!("fn matches(event) {{ succeeded(event) && actor(event).type != \"AWSService\" }}\n{HOOKS}");
        policy(folder, &format!("call-{at}"), "medium", "cloudtrail", &header, &functions)?;
    }
    Ok(())
}

/// The same 50 as any Rhai engine runs them: what `when` says is in the script, and nothing of Lawbook's is called.
pub(crate) fn fifty_plain(folder: &Path) -> io::Result<()> {
    for (at, (source, name)) in ASKED.iter().enumerate() {
        let functions = format!(
            "fn matches(event) {{\n    event.eventSource == \"{source}\" && event.eventName == \"{name}\"\n        && event.errorCode == () && event.userIdentity.type != \"AWSService\"\n}}\nfn title(event) {{ `${{event.eventName}} by ${{event.userIdentity.type}}` }}"
        );
        policy(folder, &format!("call-{at}"), "medium", "cloudtrail", "", &functions)?;
    }
    Ok(())
}

/// The same 50 as Sigma rules.
pub(crate) fn fifty_sigma(folder: &Path) -> io::Result<()> {
    for (at, (source, name)) in ASKED.iter().enumerate() {
        let rule = format!(
            "title: Call {at}\nid: 00000000-0000-4000-8000-{at:012}\nstatus: test\ndescription: What a benchmark looks for\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n  selection:\n    eventSource: {source}\n    eventName: {name}\n  machines:\n    userIdentity.type: AWSService\n  refused:\n    errorCode: '*'\n  condition: selection and not machines and not refused\nlevel: medium\n"
        );
        fs::write(folder.join(format!("call-{at}.yml")), rule)?;
    }
    Ok(())
}

/// The same 50 as one condition of jq.
pub(crate) fn fifty_jq() -> String {
    let asked: Vec<String> = ASKED.iter().map(|(source, name)| format!("\"{source} {name}\":1")).collect();
    format!(
        "select({{{}}}[.eventSource + \" \" + .eventName] and .errorCode == null and .userIdentity.type != \"AWSService\") | .eventID",
        asked.join(",")
    )
}

/// The same 50 as one policy of OPA, over a whole log object.
pub(crate) fn fifty_rego(folder: &Path) -> io::Result<()> {
    let asked: Vec<String> = ASKED.iter().map(|(source, name)| format!("\"{source} {name}\"")).collect();
    let policy = format!(
        "package bench\n\nimport rego.v1\n\nasked := {{{}}}\n\nfound contains event.eventID if {{\n\tsome event in input.Records\n\tconcat(\" \", [event.eventSource, event.eventName]) in asked\n\tnot event.errorCode\n\tevent.userIdentity.type != \"AWSService\"\n}}\n",
        asked.join(", ")
    );
    fs::write(folder.join("bench.rego"), policy)
}

/// So many policies with distinct names and values: of a hundred 90 with `when`, 7 whose script compares fields with
/// literals in one way or another, 2 about an error or a caller alone, and 1 that no fact narrows (left out unless wanted):
/// of those every second is understood, and the others are run in Rhai.
pub(crate) fn growing(folder: &Path, count: usize, with_the_last: bool) -> io::Result<()> {
    fs::create_dir_all(folder.join("lib"))?;
    fs::write(
        folder.join("lib/callers.rhai"),
        "/// True if a machine calls.\nfn is_machine(event) { actor(event).type == \"AssumedRole\" && glob(actor(event).session, \"i-*\") }\n",
    )?;
    let mut dice = Dice::new(count as u64);
    for at in 0..count {
        let id = format!("policy-{at}");
        let (header, matches) = match at % 100 {
            0..90 => {
                let (source, name) = ASKED[at % ASKED.len()];
                // Most names are nobody's: a pack of thousands is mostly about calls that are never made.
                let name = if at < ASKED.len() { name.to_owned() } else { format!("{name}{}", dice.hex(6)) };
                (
                    format!("when:\n  eventSource: {source}\n  eventName: {name}"),
                    "succeeded(event) && !is_machine(event)".to_owned(),
                )
            }
            90..97 => {
                let value = dice.hex(17);
                let condition = match at % 14 {
                    0 => format!("event.eventName == \"Call{value}\" && event.requestParameters.name != ()"),
                    1 => format!(
                        "if event.eventSource != \"s{value}.amazonaws.com\" {{ return false; }} succeeded(event)"
                    ),
                    2 => format!("event.requestParameters.instanceId == \"i-{value}\" && succeeded(event)"),
                    3 => format!(
                        "event.sourceIPAddress == \"203.0.{}.{}\" && !is_machine(event)",
                        dice.below(256),
                        dice.below(256)
                    ),
                    4 => format!("event.userIdentity.arn == \"arn:aws:iam::111122223333:user/{value}\""),
                    5 => format!(
                        "event.eventName in [\"Put{value}\", \"Delete{value}\"] || event.eventName == \"Set{value}\""
                    ),
                    6 => format!("event.userIdentity.userName == \"{value}\" && event.awsRegion == \"us-east-1\""),
                    7 => format!("event.eventName.starts_with(\"Call{value}\") && event.awsRegion == \"us-east-1\""),
                    8 => format!("glob(event.userAgent, \"*tool-{value}/*\") && succeeded(event)"),
                    9 => format!("(event.errorCode ?? \"none\") == \"{value}\" || actor(event).name == \"{value}\""),
                    10 => format!("switch event.eventName {{ \"Get{value}\" | \"Put{value}\" => true, _ => false }}"),
                    11 => format!("actor(event).arn.ends_with(\":user/{value}\") && !is_machine(event)"),
                    12 => format!(
                        "let name = event.eventName; if name != \"{value}\" {{ return false; }} !is_machine(event)"
                    ),
                    _ => format!("list(event.resources).some(|one| one.ARN == \"arn:aws:s3:::{value}\")"),
                };
                (String::new(), condition)
            }
            97..99 => {
                let value = dice.letters(8);
                let condition = match at % 5 {
                    0 => format!("event.errorCode == \"Client.{value}Exception\""),
                    1 => format!("error_code(event) == \"{value}Exception\""),
                    2 => format!("event.userIdentity.type == \"{value}\""),
                    3 => format!("actor(event).type == \"{value}\""),
                    _ => format!("actor(event).name == \"{value}\""),
                };
                (String::new(), condition)
            }
            _ if with_the_last => (String::new(), {
                let value = dice.hex(8);
                match at / 100 % 4 {
                    0 => format!("let parts = event.userAgent.split(\"/\"); parts.sort(); parts[0] == \"{value}\""),
                    1 => format!(
                        "let found = 0; for word in [\"{value}\", \"{}\"] {{ if event.userAgent.contains(word) {{ found += 1; }} }} found == 2",
                        dice.hex(8)
                    ),
                    2 => format!(
                        "event.userAgent.split(\"/\").reduce(|longest, part| if part.len() > longest.len() {{ part }} else {{ longest }}, \"\") == \"{value}\""
                    ),
                    _ => format!(
                        "for part in event.userAgent.split(\"/\") {{ if part.to_lower() == \"{value}\" {{ return true; }} }} false"
                    ),
                }
            }),
            _ => continue,
        };
        policy(
            folder,
            &id,
            "low",
            "cloudtrail",
            &header,
            &format!("fn matches(event) {{\n    {matches}\n}}\n{HOOKS}"),
        )?;
    }
    Ok(())
}

/// Three policies that fire on every record, and need Rhai for it.
pub(crate) fn firing(folder: &Path) -> io::Result<()> {
    asking(folder, RUN, ["parts[0].len() > 1", "name.len() > 5", "letters == 32"])
}

/// Three policies that fire on every record, and need no Rhai though they loop, count and put text together.
pub(crate) fn looping(folder: &Path) -> io::Result<()> {
    asking(folder, UNDERSTOOD, ["words > 1", "name.len() + event.awsRegion.len() > 5", "id.len() == 32"])
}

/// Those that need Rhai, and the 50: every script is called by the naive way, and three fire on every record.
pub(crate) fn firing_among(folder: &Path) -> io::Result<()> {
    fifty(folder)?;
    firing(folder)
}

/// The same for any Rhai engine.
pub(crate) fn firing_among_plain(folder: &Path) -> io::Result<()> {
    fifty_plain(folder)?;
    firing(folder)
}

/// Those that need no Rhai, and the 50.
pub(crate) fn looping_among(folder: &Path) -> io::Result<()> {
    fifty(folder)?;
    looping(folder)
}

/// The same for any Rhai engine.
pub(crate) fn looping_among_plain(folder: &Path) -> io::Result<()> {
    fifty_plain(folder)?;
    looping(folder)
}

/// Three policies that need Rhai for every record, and stay silent.
pub(crate) fn silent(folder: &Path) -> io::Result<()> {
    asking(folder, RUN, ["parts[0].len() > 99", "name.len() > 999", "letters == 33"])
}

/// What is run in Rhai: lists that are changed, letters, sums over lists.
const RUN: [&str; 3] = [
    "let parts = event.eventSource.split(\".\"); parts.sort();",
    "let name = event.eventName.to_chars();",
    "let letters = event.eventID.split(\"-\").reduce(|sum, part| sum + part.len(), 0);",
];

/// What is understood.
const UNDERSTOOD: [&str; 3] = [
    "let words = 0; for part in event.eventSource.split(\".\") { if part.len() > 1 { words += 1; } }",
    "let name = event.eventName;",
    "let id = \"\"; for part in event.eventID.split(\"-\") { id += part; }",
];

fn asking(folder: &Path, scripts: [&str; 3], answers: [&str; 3]) -> io::Result<()> {
    for (at, (script, answer)) in scripts.iter().zip(answers).enumerate() {
        let functions = format!(
            "fn matches(event) {{ {script} {answer} }}\nfn title(event) {{ `${{event.eventName}} in ${{event.awsRegion}}` }}"
        );
        policy(folder, &format!("fires-{at}"), "low", "cloudtrail", "", &functions)?;
    }
    Ok(())
}

/// A threshold of which every record is a hit.
pub(crate) fn windowed(folder: &Path) -> io::Result<()> {
    let functions = "fn matches(event) { event.eventVersion != () }\nfn title(hits) { `${hit_count(hits)} calls of ${hits[0].actor.name}` }";
    let window = "window: { by: userIdentity.arn, within: 10m, count: \">= 5\" }";
    policy(folder, "threshold", "low", "cloudtrail", window, functions)
}

/// The same without a window: every record is a finding.
pub(crate) fn unwindowed(folder: &Path) -> io::Result<()> {
    let functions =
        "fn matches(event) { event.eventVersion != () }\nfn title(event) { `a call of ${actor(event).name}` }";
    policy(folder, "each", "low", "cloudtrail", "", functions)
}

/// Policies that look at every record: who acted as root, and what was refused.
pub(crate) fn watching(folder: &Path) -> io::Result<()> {
    policy(
        folder,
        "root-used",
        "high",
        "cloudtrail",
        "",
        &format!("fn matches(event) {{ actor(event).type == \"Root\" && !is_aws_service(event) }}\n{HOOKS}"),
    )?;
    policy(
        folder,
        "call-refused",
        "low",
        "cloudtrail",
        "",
        &format!("fn matches(event) {{ refused(event) && actor(event).type == \"IAMUser\" }}\n{HOOKS}"),
    )
}

/// 100 policies over addresses: half judge each, half look them up for a call.
pub(crate) fn of_addresses(folder: &Path) -> io::Result<()> {
    for at in 0..50 {
        let functions = match at % 4 {
            0 => format!("fn matches(address) {{ address.PublicIp == \"203.0.{at}.7\" }}"),
            1 => format!(
                "fn matches(address) {{ address.AssociationId == () && tag(address, \"Name\") == \"orders-{at}\" }}"
            ),
            2 => format!(
                "fn matches(address) {{ address.InstanceId == () && address.AllocationId.ends_with(\"{at:05x}\") }}"
            ),
            _ => format!(
                "fn matches(address) {{ address.Domain == \"standard{at}\" || address.NetworkBorderGroup != \"us-east-1\" }}"
            ),
        };
        policy(folder, &format!("address-{at}"), "low", "ec2/addresses", "", &functions)?;
    }
    for at in 0..50 {
        let header =
            "when:\n  eventName: [DisassociateAddress, AssociateAddress, ReleaseAddress]\nuses: [ec2/addresses]";
        let functions = format!(
            "fn matches(event) {{\n    let allocation = event.requestParameters.allocationId;\n    lookup(\"ec2/addresses\", \"AllocationId\", allocation) != () || all(\"ec2/addresses\").len() == {at}\n}}"
        );
        policy(folder, &format!("call-{at}"), "low", "cloudtrail", header, &functions)?;
    }
    Ok(())
}

/// 300 policies with 1,000 cases beside them: each about one of [`ASKED`], with a parameter and two conditions.
pub(crate) fn with_cases(folder: &Path) -> io::Result<()> {
    for number in 0..300 {
        let (source, name) = ASKED[number % ASKED.len()];
        let id = format!("tested-{number}");
        let head = format!(
            "when: {{ eventSource: {source}, eventName: {name} }}\nparams:\n  trusted: {{ type: list, of: text, default: [], doc: Who may. }}"
        );
        let matches = "fn matches(event) {\n    succeeded(event) && !params.trusted.contains(actor(event).name) && event.sourceIPAddress != \"192.0.2.1\"\n}";
        let resources = "fn resources(event) { list(event.requestParameters.name) }";
        policy(folder, &id, "high", "cloudtrail", &head, &format!("{matches}\n{HOOKS}\n{resources}"))?;
        let mut cases = format!(
            "records:\n  call:\n    eventVersion: \"1.10\"\n    eventID: 00000000-0000-4000-8000-{number:012}\n    eventTime: \"2024-05-14T09:00:00Z\"\n    eventSource: {source}\n    eventName: {name}\n    awsRegion: us-east-1\n    sourceIPAddress: 198.51.100.7\n    recipientAccountId: \"111122223333\"\n    userIdentity: {{ type: IAMUser, userName: alice, arn: \"arn:aws:iam::111122223333:user/alice\" }}\n    requestParameters: {{ name: main }}\ncases:\n  - {{ name: somebody does it, record: call, expect: fires, severity: high, resources: [main] }}\n  - {{ name: the call is refused, record: call, with: {{ errorCode: AccessDenied }}, expect: silent }}\n  - {{ name: a trusted user does it, record: call, params: {{ trusted: [alice] }}, expect: silent }}\n"
        );
        if number % 3 == 0 {
            cases.push_str(
                "  - { name: from the office, record: call, with: { sourceIPAddress: 192.0.2.1 }, expect: silent }\n",
            );
        }
        fs::write(folder.join(format!("{id}.cases.yaml")), cases)?;
    }
    Ok(())
}

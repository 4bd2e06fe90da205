//! What the tags of policies name: techniques of ATT&CK, controls of benchmarks; and where these are described.

/// Something that a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Control {
    /// The framework that it is part of.
    pub(super) framework: String,
    /// What it is called there.
    pub(super) name: String,
    /// The page that describes it, or the framework.
    pub(super) page: String,
}

/// The tactics of ATT&CK for Enterprise, by their tags, with their ids (attack.mitre.org/tactics/enterprise).
const TACTICS: [(&str, &str); 14] = [
    ("collection", "TA0009"),
    ("command-and-control", "TA0011"),
    ("credential-access", "TA0006"),
    ("defense-evasion", "TA0005"),
    ("discovery", "TA0007"),
    ("execution", "TA0002"),
    ("exfiltration", "TA0010"),
    ("impact", "TA0040"),
    ("initial-access", "TA0001"),
    ("lateral-movement", "TA0008"),
    ("persistence", "TA0003"),
    ("privilege-escalation", "TA0004"),
    ("reconnaissance", "TA0043"),
    ("resource-development", "TA0042"),
];

/// How Security Hub spells services in the names of its controls, where that is not all capitals.
const SPELT: [(&str, &str); 12] = [
    ("account", "Account"),
    ("autoscaling", "AutoScaling"),
    ("cloudfront", "CloudFront"),
    ("cloudtrail", "CloudTrail"),
    ("cloudwatch", "CloudWatch"),
    ("config", "Config"),
    ("dynamodb", "DynamoDB"),
    ("guardduty", "GuardDuty"),
    ("inspector", "Inspector"),
    ("lambda", "Lambda"),
    ("macie", "Macie"),
    ("secretsmanager", "SecretsManager"),
];

impl Control {
    /// What a tag names; `None` for a tag of somebody's own.
    pub(super) fn of(tag: &str) -> Option<Self> {
        let (family, rest) = tag.split_once('.')?;
        match family {
            "attack" => attack(rest),
            "cis" => cis(rest),
            "fsbp" => fsbp(rest),
            _ => None,
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn attack(rest: &str) -> Option<Control> {
    let (name, page) = match TACTICS.iter().find(|(tag, _)| *tag == rest) {
        Some((tag, id)) => (tag.replace('-', " "), format!("https://attack.mitre.org/tactics/{id}/")),
        None => {
            let numbers: Vec<&str> = rest.strip_prefix('t')?.split('.').collect();
            if numbers.len() > 2 || !numbers.iter().all(|part| is_number(part)) {
                return None;
            }
            let path = rest.to_uppercase().replace('.', "/");
            (rest.to_uppercase(), format!("https://attack.mitre.org/techniques/{path}/"))
        }
    };
    Some(Control { framework: "MITRE ATT&CK".to_owned(), name, page })
}

fn cis(rest: &str) -> Option<Control> {
    let parts: Vec<&str> = rest.split('.').collect();
    let plain =
        parts.iter().enumerate().all(|(at, part)| is_number(if at == 0 { part.trim_start_matches('v') } else { part }));
    if !plain {
        return None;
    }
    // With a version of three numbers before the control's own, or without any.
    let (version, control) = match rest.strip_prefix('v') {
        Some(_) if parts.len() > 3 => (format!(" {}", parts[..3].join(".")), parts[3..].join(".")),
        _ => (String::new(), rest.to_owned()),
    };
    Some(Control {
        framework: format!("CIS AWS Foundations Benchmark{version}"),
        name: control,
        page: "https://www.cisecurity.org/benchmark/amazon_web_services".to_owned(),
    })
}

fn fsbp(rest: &str) -> Option<Control> {
    let (service, number) = rest.split_once('.')?;
    let is_service =
        !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !is_service || !is_number(number) {
        return None;
    }
    let spelt = SPELT
        .iter()
        .find(|(tag, _)| *tag == service)
        .map_or_else(|| service.to_uppercase(), |(_, name)| (*name).to_owned());
    Some(Control {
        framework: "AWS Foundational Security Best Practices".to_owned(),
        name: format!("{spelt}.{number}"),
        page: format!(
            "https://docs.aws.amazon.com/securityhub/latest/userguide/{service}-controls.html#{service}-{number}"
        ),
    })
}

/// What a text with numbers is put in order by: its words, each with the number behind it.
pub(super) type Natural = Vec<(String, u64)>;

/// What puts `3.10` behind `3.9`.
pub(super) fn natural(text: &str) -> Natural {
    let mut key = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[word..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| word + end);
        key.push((rest[..word].to_owned(), rest[word..digits].parse().unwrap_or(u64::MAX)));
        rest = &rest[digits..];
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_techniques_and_controls_and_others_are_free() {
        let told =
            |tag: &str| Control::of(tag).map(|control| [control.framework, control.name, control.page].join(" | "));
        for (tag, wanted) in [
            ("attack.t1531", "MITRE ATT&CK | T1531 | https://attack.mitre.org/techniques/T1531/"),
            ("attack.t1562.008", "MITRE ATT&CK | T1562.008 | https://attack.mitre.org/techniques/T1562/008/"),
            ("attack.defense-evasion", "MITRE ATT&CK | defense evasion | https://attack.mitre.org/tactics/TA0005/"),
            (
                "cis.v5.0.0.5.1.1",
                "CIS AWS Foundations Benchmark v5.0.0 | 5.1.1 | https://www.cisecurity.org/benchmark/amazon_web_services",
            ),
            (
                "cis.4.0.1",
                "CIS AWS Foundations Benchmark | 4.0.1 | https://www.cisecurity.org/benchmark/amazon_web_services",
            ),
            (
                "fsbp.ec2.182",
                "AWS Foundational Security Best Practices | EC2.182 | https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-182",
            ),
            (
                "fsbp.cloudtrail.1",
                "AWS Foundational Security Best Practices | CloudTrail.1 | https://docs.aws.amazon.com/securityhub/latest/userguide/cloudtrail-controls.html#cloudtrail-1",
            ),
        ] {
            assert_eq!(told(tag).as_deref(), Some(wanted), "{tag}");
        }
        for tag in [
            "team-a",
            "my.own.tag",
            "attack.T1531",
            "attack.tx",
            "attack.t1.2.3",
            "attack.../x",
            "cis.x",
            "fsbp.ec2",
            "fsbp.e](c.2",
            "attack",
        ] {
            assert_eq!(Control::of(tag), None, "{tag}");
        }
        let known = include_str!("../../../schemas/attack-techniques.txt");
        for tactic in known.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())) {
            assert!(Control::of(&format!("attack.{tactic}")).is_some(), "{tactic}");
        }
    }

    #[test]
    fn numbers_in_texts_count() {
        let mut all = ["3.10", "3.9", "EC2.19", "EC2.2", "T1562.008", "T1531", "3"];
        all.sort_by_key(|text| natural(text));
        assert_eq!(all, ["3", "3.9", "3.10", "EC2.2", "EC2.19", "T1531", "T1562.008"]);
    }
}

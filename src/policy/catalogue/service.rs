//! Which services a policy is about, by what it judges.

use std::collections::BTreeSet;

use crate::policy::Policy;
use crate::record::CLOUDTRAIL;

/// The names of services, each with its words: in `eventSource`, and where it has another, in kinds of inventory.
const NAMES: [(&str, &[&str]); 34] = [
    ("Amazon CloudWatch", &["monitoring", "cloudwatch"]),
    ("Amazon CloudWatch Logs", &["logs"]),
    ("Amazon DynamoDB", &["dynamodb"]),
    ("Amazon EC2", &["ec2"]),
    ("Amazon EC2 Auto Scaling", &["autoscaling"]),
    ("Amazon ECR", &["ecr"]),
    ("Amazon ECS", &["ecs"]),
    ("Amazon EFS", &["elasticfilesystem", "efs"]),
    ("Amazon EKS", &["eks"]),
    ("Amazon EventBridge", &["events"]),
    ("Amazon GuardDuty", &["guardduty"]),
    ("Amazon RDS", &["rds"]),
    ("Amazon Redshift", &["redshift"]),
    ("Amazon Route 53", &["route53"]),
    ("Amazon S3", &["s3", "s3api", "s3control"]),
    ("Amazon SNS", &["sns"]),
    ("Amazon SQS", &["sqs"]),
    ("Amazon Security Lake", &["securitylake"]),
    ("AWS Certificate Manager", &["acm"]),
    ("AWS CloudTrail", &["cloudtrail"]),
    ("AWS Config", &["config", "configservice"]),
    ("AWS IAM", &["iam"]),
    ("AWS IAM Access Analyzer", &["access-analyzer", "accessanalyzer"]),
    ("AWS KMS", &["kms"]),
    ("AWS Lambda", &["lambda"]),
    ("AWS Organizations", &["organizations"]),
    ("AWS Secrets Manager", &["secretsmanager"]),
    ("AWS Security Hub", &["securityhub"]),
    ("AWS Sign-In", &["signin"]),
    ("AWS STS", &["sts"]),
    ("AWS Systems Manager", &["ssm"]),
    ("AWS WAF", &["wafv2"]),
    ("Elastic Load Balancing", &["elasticloadbalancing", "elb", "elbv2"]),
    ("IAM Identity Center", &["sso"]),
];

/// What policies are listed under whose `when` names no service.
pub(super) const ANY: &str = "Any service";

/// The services of a policy: the sources of the events that it is asked about, or that of its kind.
pub(super) fn of(policy: &Policy) -> BTreeSet<String> {
    let header = &policy.header;
    if *header.judges != *CLOUDTRAIL {
        return header.judges.split('/').take(1).map(name).collect();
    }
    let sources = header.when.conditions.iter().find(|condition| condition.path == ["eventSource"]);
    match sources {
        Some(sources) => sources.any_of.iter().flatten().map(|source| name(source)).collect(),
        None => BTreeSet::from([ANY.to_owned()]),
    }
}

fn name(word: &str) -> String {
    let word = word.strip_suffix(".amazonaws.com").unwrap_or(word);
    let known = NAMES.iter().find(|(_, words)| words.contains(&word));
    known.map_or_else(|| word.to_owned(), |(name, _)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_of_inventory_has_a_name_and_no_word_has_two() {
        let words: Vec<&str> = NAMES.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        for kind in crate::schema::kinds() {
            let service = kind.split('/').next().unwrap();
            assert!(words.contains(&service), "{service} has no name");
        }
        assert_eq!(
            (name("monitoring.amazonaws.com"), name("cloudwatch")),
            (name("cloudwatch"), "Amazon CloudWatch".into())
        );
        assert_eq!(name("new.amazonaws.com"), "new");
    }
}

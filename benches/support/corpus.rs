//! Writes CloudTrail records of an invented organisation: ten accounts, five regions, a mix of calls that is mostly reading,
//! and, in a thousand, a few calls that a policy may want to see.
//!
//! *Law*: the same bytes in every run, on any number of threads: the numbers of an object are drawn from its own dice.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Dice;

const REGIONS: [&str; 5] = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"];

const AGENTS: [&str; 9] = [
    "aws-sdk-go-v2/1.30.3 ua/2.0 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.173.0",
    "Boto3/1.34.131 md/Botocore#1.34.131 ua/2.0 os/linux#5.10 md/arch#x86_64 lang/python#3.11.9 cfg/retry-mode#legacy",
    "aws-cli/2.17.20 md/awscrt#0.20.11 ua/2.0 os/macos#23.5.0 md/arch#arm64 lang/python#3.11.8 cfg/retry-mode#standard",
    "aws-sdk-java/2.26.12 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.11 Java/17.0.11 io/sync http/Apache cfg/retry-mode/legacy",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.2 terraform-provider-aws/5.59.0 aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.4",
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "aws-sdk-js/3.600.0 ua/2.1 os/linux lang/js md/nodejs#20.15.0 api/secrets-manager#3.600.0 exec-env/AWS_Lambda_nodejs20.x",
    "console.amazonaws.com",
    "AWS Internal",
];

const SYSTEMS: [&str; 12] = [
    "payments", "ledger", "orders", "search", "ingest", "auth", "frontend", "billing", "reports", "mesh", "media",
    "risk",
];

const PEOPLE: [&str; 10] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];

/// A call: its source, its name, how often it is made in ten thousand, and what is asked and answered (`@` stands for
/// things that differ: see [`Corpus::fill`]).
const CALLS: [(&str, &str, usize, &str, &str); 40] = [
    (
        "sts.amazonaws.com",
        "AssumeRole",
        1500,
        r#"{"roleArn":"arn:aws:iam::@a:role/@n","roleSessionName":"@n","durationSeconds":3600}"#,
        r#"{"credentials":{"accessKeyId":"ASIA@k","sessionToken":"@t","expiration":"May 14, 2024, 2:01:12 PM"},"assumedRoleUser":{"assumedRoleId":"AROA@k:@n","arn":"arn:aws:sts::@a:assumed-role/@n/@n"}}"#,
    ),
    (
        "kms.amazonaws.com",
        "Decrypt",
        1200,
        r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::@n"},"keyId":"@u","encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        "null",
    ),
    (
        "kms.amazonaws.com",
        "GenerateDataKey",
        400,
        r#"{"keyId":"@u","keySpec":"AES_256","encryptionContext":{"aws:ebs:id":"vol-@r"}}"#,
        "null",
    ),
    (
        "ec2.amazonaws.com",
        "DescribeInstances",
        1000,
        r#"{"instancesSet":{"items":[{"instanceId":"i-@r"}]},"filterSet":{}}"#,
        "null",
    ),
    (
        "ec2.amazonaws.com",
        "DescribeNetworkInterfaces",
        400,
        r#"{"networkInterfaceIdSet":{"items":[{"networkInterfaceId":"eni-@r"}]},"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[{"value":"vpc-@r"}]}}]}}"#,
        "null",
    ),
    (
        "ec2.amazonaws.com",
        "DescribeSecurityGroups",
        300,
        r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-@r"},{"groupId":"sg-@r"}]},"filterSet":{}}"#,
        "null",
    ),
    (
        "ec2.amazonaws.com",
        "DescribeVolumes",
        250,
        r#"{"volumeSet":{"items":[{"volumeId":"vol-@r"}]},"filterSet":{}}"#,
        "null",
    ),
    (
        "ec2.amazonaws.com",
        "DescribeAddresses",
        100,
        r#"{"publicIpsSet":{},"filterSet":{},"allocationIdsSet":{}}"#,
        "null",
    ),
    (
        "ec2.amazonaws.com",
        "DescribeLaunchTemplateVersions",
        150,
        r#"{"DescribeLaunchTemplateVersionsRequest":{"LaunchTemplateVersion":{"tag":1,"content":"$Latest"},"LaunchTemplateId":"lt-@r"}}"#,
        "null",
    ),
    (
        "logs.amazonaws.com",
        "CreateLogStream",
        500,
        r#"{"logGroupName":"/aws/lambda/@n","logStreamName":"2024/05/14/[$LATEST]@u"}"#,
        "null",
    ),
    ("logs.amazonaws.com", "DescribeLogGroups", 150, r#"{"logGroupNamePrefix":"/aws/@n"}"#, "null"),
    (
        "monitoring.amazonaws.com",
        "DescribeAlarms",
        250,
        r#"{"maxRecords":100,"alarmNames":["@n-cpu","@n-errors"]}"#,
        "null",
    ),
    ("monitoring.amazonaws.com", "ListMetrics", 100, r#"{"namespace":"AWS/EC2"}"#, "null"),
    ("dynamodb.amazonaws.com", "DescribeTable", 350, r#"{"tableName":"@n"}"#, "null"),
    ("lambda.amazonaws.com", "GetFunction20150331v2", 250, r#"{"functionName":"@n"}"#, "null"),
    ("ssm.amazonaws.com", "GetParameters", 350, r#"{"withDecryption":true,"names":["/@n/url","/@n/secret"]}"#, "null"),
    (
        "ssm.amazonaws.com",
        "UpdateInstanceInformation",
        450,
        r#"{"instanceId":"i-@r","agentVersion":"3.3.987.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2","iPAddress":"10.0.1.20","computerName":"ip-10-0-1-20.ec2.internal","agentName":"amazon-ssm-agent"}"#,
        "null",
    ),
    (
        "secretsmanager.amazonaws.com",
        "GetSecretValue",
        350,
        r#"{"secretId":"arn:aws:secretsmanager:us-east-1:@a:secret:@n"}"#,
        "null",
    ),
    ("s3.amazonaws.com", "GetBucketAcl", 200, r#"{"bucketName":"@n","Host":"@n.s3.amazonaws.com","acl":""}"#, "null"),
    (
        "s3.amazonaws.com",
        "GetBucketLocation",
        150,
        r#"{"bucketName":"@n","Host":"@n.s3.amazonaws.com","location":""}"#,
        "null",
    ),
    (
        "ecr.amazonaws.com",
        "BatchGetImage",
        250,
        r#"{"registryId":"@a","repositoryName":"@n","imageIds":[{"imageTag":"main"}]}"#,
        "null",
    ),
    (
        "ecs.amazonaws.com",
        "DescribeTasks",
        250,
        r#"{"cluster":"@n","tasks":["arn:aws:ecs:us-east-1:@a:task/@n/@u"]}"#,
        "null",
    ),
    (
        "elasticloadbalancing.amazonaws.com",
        "DescribeTargetHealth",
        300,
        r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:us-east-1:@a:targetgroup/@n/@r"}"#,
        "null",
    ),
    (
        "autoscaling.amazonaws.com",
        "DescribeAutoScalingGroups",
        150,
        r#"{"autoScalingGroupNames":["@n"],"maxRecords":100}"#,
        "null",
    ),
    ("iam.amazonaws.com", "GetRole", 150, r#"{"roleName":"@n"}"#, "null"),
    ("iam.amazonaws.com", "ListAttachedRolePolicies", 100, r#"{"roleName":"@n"}"#, "null"),
    ("iam.amazonaws.com", "GetRolePolicy", 60, r#"{"roleName":"@n","policyName":"@n"}"#, "null"),
    ("cloudformation.amazonaws.com", "DescribeStacks", 120, r#"{"stackName":"@n"}"#, "null"),
    ("rds.amazonaws.com", "DescribeDBInstances", 100, r#"{"dBInstanceIdentifier":"@n"}"#, "null"),
    ("eks.amazonaws.com", "DescribeCluster", 60, r#"{"name":"@n"}"#, "null"),
    (
        "ec2.amazonaws.com",
        "RunInstances",
        12,
        r#"{"instancesSet":{"items":[{"imageId":"ami-@r","minCount":1,"maxCount":1}]},"instanceType":"m5.large","blockDeviceMapping":{},"monitoring":{"enabled":false},"subnetId":"subnet-@r"}"#,
        r#"{"requestId":"@u","reservationId":"r-@r","ownerId":"@a","groupSet":{},"instancesSet":{"items":[{"instanceId":"i-@r","imageId":"ami-@r","currentState":{"code":0,"name":"pending"},"privateDnsName":"ip-10-0-1-20.ec2.internal","instanceType":"m5.large","subnetId":"subnet-@r","vpcId":"vpc-@r","privateIpAddress":"10.0.1.20"}]}}"#,
    ),
    (
        "ec2.amazonaws.com",
        "AuthorizeSecurityGroupIngress",
        10,
        r#"{"groupId":"sg-@r","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        r#"{"requestId":"@u","_return":true}"#,
    ),
    (
        "ec2.amazonaws.com",
        "AssociateAddress",
        6,
        r#"{"allocationId":"eipalloc-@r","instanceId":"i-@r","allowReassociation":true}"#,
        r#"{"requestId":"@u","_return":true,"associationId":"eipassoc-@r"}"#,
    ),
    (
        "ec2.amazonaws.com",
        "DisassociateAddress",
        6,
        r#"{"associationId":"eipassoc-@r"}"#,
        r#"{"requestId":"@u","_return":true}"#,
    ),
    (
        "ec2.amazonaws.com",
        "ReleaseAddress",
        3,
        r#"{"allocationId":"eipalloc-@r"}"#,
        r#"{"requestId":"@u","_return":true}"#,
    ),
    (
        "iam.amazonaws.com",
        "CreateAccessKey",
        4,
        r#"{"userName":"@n"}"#,
        r#"{"accessKey":{"accessKeyId":"AKIA@k","status":"Active","userName":"@n","createDate":"May 14, 2024, 9:12:02 AM"}}"#,
    ),
    (
        "iam.amazonaws.com",
        "PutRolePolicy",
        4,
        r#"{"roleName":"@n","policyName":"@n","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}"#,
        "null",
    ),
    ("cloudtrail.amazonaws.com", "StopLogging", 2, r#"{"name":"@n"}"#, "null"),
    ("signin.amazonaws.com", "ConsoleLogin", 12, "null", r#"{"ConsoleLogin":"Success"}"#),
    (
        "ec2.amazonaws.com",
        "ModifySnapshotAttribute",
        1,
        r#"{"snapshotId":"snap-@r","createVolumePermission":{"add":{"items":[{"group":"all"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}"#,
        r#"{"requestId":"@u","_return":true}"#,
    ),
];

/// Who makes calls, and on what: the same in every corpus.
struct Organisation {
    accounts: Vec<String>,
    names: Vec<String>,
    addresses: Vec<String>,
    resources: Vec<String>,
    weights: usize,
}

impl Organisation {
    fn new() -> Self {
        let mut dice = Dice::new(20_240_514);
        let stages = ["prod", "stage", "dev"];
        Self {
            accounts: (0..10).map(|at| format!("{:012}", 111_122_223_333_u64 + at * 1_010_101)).collect(),
            names: SYSTEMS.iter().flat_map(|system| stages.map(|stage| format!("{stage}-{system}-worker"))).collect(),
            addresses: (0..400)
                .map(|_| {
                    format!("{}.{}.{}.{}", 3 + dice.below(200), dice.below(256), dice.below(256), 1 + dice.below(254))
                })
                .collect(),
            resources: (0..600).map(|_| dice.hex(17)).collect(),
            weights: CALLS.iter().map(|call| call.2).sum(),
        }
    }
}

/// One log object: whose it is, of when, and its numbers.
struct Object<'a> {
    all: &'a Organisation,
    dice: Dice,
    account: &'a str,
    region: &'static str,
    /// The day of May 2024.
    day: usize,
    /// The second of the day in which its five minutes begin.
    second: usize,
    number: usize,
}

impl<'a> Object<'a> {
    fn new(all: &'a Organisation, number: usize) -> Self {
        let slot = number / (all.accounts.len() * REGIONS.len());
        Self {
            all,
            dice: Dice::new(number as u64),
            account: &all.accounts[number / REGIONS.len() % all.accounts.len()],
            region: REGIONS[number % REGIONS.len()],
            day: 1 + slot / 288 % 31,
            second: slot % 288 * 300,
            number,
        }
    }

    /// Its path below the bucket, as CloudTrail names it.
    fn path(&self) -> PathBuf {
        let Self { account, region, day, second, number, .. } = self;
        PathBuf::from(format!(
            "AWSLogs/{account}/CloudTrail/{region}/2024/05/{day:02}/{account}_CloudTrail_{region}_202405{day:02}T{:02}{:02}Z_{number:016}.json.gz",
            second / 3_600,
            second / 60 % 60,
        ))
    }

    /// Appends so many records, each followed by `between` but the last.
    fn records(&mut self, count: usize, between: &str, out: &mut String) {
        for at in 0..count {
            if at > 0 {
                out.push_str(between);
            }
            self.record(self.second + at * 300 / count, out);
        }
    }

    /// Appends a record of a second of the day.
    fn record(&mut self, second: usize, out: &mut String) {
        let Self { all, account, region, day, .. } = *self;
        let mut roll = self.dice.below(all.weights);
        let call = CALLS.iter().find(|call| {
            let is_it = roll < call.2;
            roll = roll.saturating_sub(call.2);
            is_it
        });
        let (source, name, _, request, response) = call.unwrap_or(&CALLS[0]);
        let time = format!("2024-05-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60);
        let is_reading =
            ["Describe", "Get", "List", "Batch", "Assume", "Decrypt"].iter().any(|verb| name.starts_with(verb));
        let refused = self.dice.below(200) == 0;
        out.push_str(r#"{"eventVersion":"1.09","userIdentity":"#);
        let own = self.identity(name, out);
        let address = own.map_or_else(|| self.dice.pick_uneven(&all.addresses).as_str(), String::as_str);
        out.push_str(&format!(
            r#","eventTime":"{time}","eventSource":"{source}","eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"{address}","userAgent":"{}""#,
            self.dice.pick_uneven(&AGENTS)
        ));
        if refused {
            out.push_str(r#","errorCode":"AccessDenied","errorMessage":"User is not authorized to perform this action because no identity-based policy allows it""#);
        }
        out.push_str(r#","requestParameters":"#);
        self.fill(request, out);
        out.push_str(r#","responseElements":"#);
        self.fill(if refused { "null" } else { response }, out);
        let kind = if *source == "signin.amazonaws.com" { "AwsConsoleSignIn" } else { "AwsApiCall" };
        out.push_str(&format!(
            r#","requestID":"{}","eventID":"{}","readOnly":{is_reading},"eventType":"{kind}","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management""#,
            self.dice.uuid(),
            self.dice.uuid()
        ));
        if self.dice.below(4) > 0 {
            out.push_str(&format!(r#","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{source}"}}"#));
        }
        out.push('}');
    }

    /// Who calls; the address that it calls from, if that is always the same.
    fn identity(&mut self, name: &str, out: &mut String) -> Option<&'a String> {
        let (all, account) = (self.all, self.account);
        let key = self.dice.letters(16);
        let mut own = None;
        out.push_str(&match self.dice.below(1_000) {
            0 => format!(r#"{{"type":"Root","principalId":"{account}","arn":"arn:aws:iam::{account}:root","accountId":"{account}","accessKeyId":"ASIA{key}","sessionContext":{{"attributes":{{"creationDate":"2024-05-01T06:00:00Z","mfaAuthenticated":"true"}}}}}}"#),
            1..100 => {
                let person = self.dice.pick_uneven(&PEOPLE);
                format!(r#"{{"type":"IAMUser","principalId":"AIDA{key}A","arn":"arn:aws:iam::{account}:user/{person}","accountId":"{account}","accessKeyId":"AKIA{key}","userName":"{person}"}}"#)
            }
            100..300 if name == "AssumeRole" => r#"{"type":"AWSService","invokedBy":"ecs-tasks.amazonaws.com"}"#.to_owned(),
            _ => {
                let role = self.dice.pick_uneven(&all.names);
                // One session of five is of an instance, which has an address; others are of functions, tasks and pipelines.
                let at = self.dice.below(all.resources.len()).min(self.dice.below(all.resources.len()));
                let session = if self.dice.below(5) == 0 {
                    own = all.addresses.get(at % all.addresses.len());
                    format!("i-{}", all.resources[at])
                } else {
                    format!("{}-{}", self.dice.pick_uneven(&all.names), &all.resources[at][..8])
                };
                format!(r#"{{"type":"AssumedRole","principalId":"AROA{key}A:{session}","arn":"arn:aws:sts::{account}:assumed-role/{role}/{session}","accountId":"{account}","accessKeyId":"ASIA{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{key}A","arn":"arn:aws:iam::{account}:role/{role}","accountId":"{account}","userName":"{role}"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"2024-05-01T06:00:00Z","mfaAuthenticated":"false"}},"ec2RoleDelivery":"2.0"}}}}"#)
            }
        });
        own
    }

    /// Puts what differs in the place of `@a` (account), `@n` (name), `@r` (resource id), `@u` (UUID), `@k` (key), `@t`
    /// (token).
    fn fill(&mut self, shape: &str, out: &mut String) {
        let all = self.all;
        let mut parts = shape.split('@');
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            match part.as_bytes().first() {
                Some(b'a') => out.push_str(self.account),
                Some(b'n') => out.push_str(self.dice.pick_uneven::<String>(&all.names)),
                Some(b'r') => out.push_str(self.dice.pick_uneven::<String>(&all.resources)),
                Some(b'u') => out.push_str(&self.dice.uuid()),
                Some(b'k') => out.push_str(&self.dice.letters(16)),
                _ => out.push_str(&self.dice.letters(300)),
            }
            out.push_str(&part[1..]);
        }
    }
}

/// How a corpus lies on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Layout {
    /// Compressed log objects, as CloudTrail delivers them
    Objects,
    /// One compressed log object
    One,
    /// One plain log object
    Plain,
    /// One file of lines, a record each
    Lines,
}

/// How much of a corpus there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) records: usize,
    /// Records of an object; what is written as one file is drawn from as many objects.
    pub(crate) per_file: usize,
}

impl Size {
    fn objects(self) -> usize {
        self.records.div_ceil(self.per_file)
    }

    fn records_of(self, number: usize) -> usize {
        self.per_file.min(self.records - number * self.per_file)
    }
}

/// Writes a corpus below a folder; the bytes of its text.
pub(crate) fn write(folder: &Path, size: Size, layout: Layout) -> io::Result<u64> {
    fs::create_dir_all(folder)?;
    let file = |name: &str| fs::File::create(folder.join(name)).map(|file| io::BufWriter::with_capacity(1 << 20, file));
    match layout {
        Layout::Objects => objects(folder, size),
        Layout::One => {
            let mut out = GzEncoder::new(file("one.json.gz")?, Compression::default());
            let written = one(size, &mut out, [OPEN, ",", CLOSE])?;
            out.finish()?.flush()?;
            Ok(written)
        }
        Layout::Plain => one(size, &mut file("one.json")?, [OPEN, ",", CLOSE]),
        Layout::Lines => one(size, &mut file("all.ndjson")?, ["", "\n", "\n"]),
    }
}

const OPEN: &str = "{\"Records\":[";
const CLOSE: &str = "]}";

/// Writes log objects on all cores.
fn objects(folder: &Path, size: Size) -> io::Result<u64> {
    let all = Organisation::new();
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<u64> {
        let mut written = 0;
        let mut text = String::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= size.objects() {
                return Ok(written);
            }
            let mut object = Object::new(&all, number);
            text.clear();
            text.push_str(OPEN);
            object.records(size.records_of(number), ",", &mut text);
            text.push_str(CLOSE);
            written += text.len() as u64;
            let path = folder.join(object.path());
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, gzip(text.as_bytes())?)?;
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        working
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err(io::Error::other("writing the corpus failed"))))
            .sum()
    })
}

/// Writes everything to one file; `around` is what stands before, between and behind records.
fn one(size: Size, out: &mut dyn Write, around: [&str; 3]) -> io::Result<u64> {
    let all = Organisation::new();
    let mut text = around[0].to_owned();
    let mut written = 0;
    for number in 0..size.objects() {
        if number > 0 {
            text.push_str(around[1]);
        }
        Object::new(&all, number).records(size.records_of(number), around[1], &mut text);
        written += text.len() as u64;
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    out.write_all(around[2].as_bytes())?;
    out.flush()?;
    Ok(written + around[2].len() as u64)
}

/// Compresses as CloudTrail does.
fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(text)?;
    out.finish()
}

/// An inventory of so many Elastic IPs, as `aws ec2 describe-addresses` prints it.
pub(crate) fn addresses(count: usize) -> String {
    let mut dice = Dice::new(7);
    let mut text = String::from("{\n    \"Addresses\": [\n");
    for at in 0..count {
        let comma = if at + 1 < count { "," } else { "" };
        let (a, b, c) = (at >> 16 & 255, at >> 8 & 255, at & 255);
        let used = if dice.below(10) == 0 {
            String::new()
        } else {
            format!(
                "            \"InstanceId\": \"i-{}\",\n            \"AssociationId\": \"eipassoc-{at:017x}\",\n",
                dice.hex(17)
            )
        };
        text.push_str(&format!(
            "        {{\n{used}            \"PublicIp\": \"203.{a}.{b}.{c}\",\n            \"AllocationId\": \"eipalloc-{at:017x}\",\n            \"Domain\": \"vpc\",\n            \"PublicIpv4Pool\": \"amazon\",\n            \"NetworkBorderGroup\": \"us-east-1\",\n            \"Tags\": [\n                {{\n                    \"Key\": \"Name\",\n                    \"Value\": \"{}-{at}\"\n                }}\n            ]\n        }}{comma}\n",
            SYSTEMS[at % SYSTEMS.len()]
        ));
    }
    text.push_str("    ]\n}\n");
    text
}

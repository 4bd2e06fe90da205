//! How CloudTrail spells what AWS's models name, by records made by hand after examples in the services' guides.

use lawbook::diagnostic::did_you_mean;
use lawbook::schema::{Call, Holds, Shapes, Step};
use serde_json::{Value, json};

use crate::shapes::see;

fn record(source: &str, name: &str, request: Value, response: Value) -> Value {
    json!({
        "eventVersion": "1.11", "eventTime": "2025-03-01T10:00:00Z", "eventID": "1", "requestID": "2", "awsRegion": "eu-west-1",
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "eventType": "AwsApiCall",
        "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15", "recipientAccountId": "111122223333",
        "readOnly": false, "managementEvent": true, "eventCategory": "Management",
        "userIdentity": { "type": "IAMUser", "userName": "alice", "arn": "arn:aws:iam::111122223333:user/alice" },
        "requestParameters": request, "responseElements": response,
    })
}

/// Every path of these is known.
#[track_caller]
fn known(source: &str, name: &str, request: Value, response: Value) {
    let seen = see(&record(source, name, request, response));
    assert!(seen.unknown.is_empty(), "{source} {name} {:?}", seen.unknown);
    let parameters = |path: &&String| path.starts_with(".re") && path.contains("e.") || path.starts_with(".requestP");
    let open: Vec<&String> = seen.open.iter().filter(parameters).collect();
    assert!(open.is_empty() && seen.kinds.is_empty(), "{source} {name} {open:?} {:?}", seen.kinds);
}

#[test]
fn services_of_the_query_protocol() {
    known(
        "rds",
        "ModifyDBInstance",
        json!({ "dBInstanceIdentifier": "db1", "dBParameterGroupName": "p", "vpcSecurityGroupIds": ["sg-1"],
            "masterUserPassword": "****", "cloudwatchLogsExportConfiguration": { "enableLogTypes": ["audit"] } }),
        json!({ "dBInstanceIdentifier": "db1", "dBSubnetGroup": { "subnets": [{ "subnetAvailabilityZone": { "name": "a" } }] },
            "pendingModifiedValues": { "masterUserPassword": "****" }, "cACertificateIdentifier": "rds-ca" }),
    );
    known(
        "iam",
        "CreateRole",
        json!({ "roleName": "r", "assumeRolePolicyDocument": "{}", "permissionsBoundary": "arn" }),
        json!({ "role": { "roleId": "AROA", "arn": "arn:aws:iam::1:role/r", "createDate": "Mar 1, 2025, 10:00:00 AM" } }),
    );
    known(
        "iam",
        "UploadSSHPublicKey",
        json!({ "sSHPublicKeyBody": "ssh-rsa" }),
        json!({ "sSHPublicKey": { "sSHPublicKeyId": "A" } }),
    );
    known(
        "sts",
        "AssumeRoleWithSAML",
        json!({ "sAMLAssertionID": "_1", "roleArn": "r", "principalArn": "p", "durationSeconds": 3600 }),
        json!({ "subjectType": "persistent", "issuer": "https://idp", "nameQualifier": "q", "audience": "https://signin",
            "credentials": { "accessKeyId": "ASIA", "expiration": "Mar 1, 2025" }, "assumedRoleUser": { "arn": "a" } }),
    );
    known(
        "cloudformation",
        "CreateStack",
        json!({ "stackName": "s", "templateURL": "https://", "parameters": [{ "parameterKey": "k", "parameterValue": "v" }],
            "capabilities": ["CAPABILITY_IAM"], "roleARN": "arn" }),
        json!({ "stackId": "arn" }),
    );
    known(
        "autoscaling",
        "CreateLaunchConfiguration",
        json!({ "launchConfigurationName": "l", "imageId": "ami-1", "instanceMonitoring": { "enabled": true }, "ebsOptimized": false }),
        Value::Null,
    );
    known(
        "elasticloadbalancing",
        "CreateLoadBalancer",
        json!({ "loadBalancerName": "b", "listeners": [{ "protocol": "HTTP", "loadBalancerPort": 80, "instancePort": 80 }],
            "subnets": ["subnet-1"], "type": "application", "scheme": "internet-facing" }),
        json!({ "dNSName": "b.elb.amazonaws.com", "loadBalancers": [{ "loadBalancerArn": "arn", "state": { "code": "provisioning" },
            "availabilityZones": [{ "subnetId": "subnet-1", "zoneName": "a" }] }] }),
    );
    known(
        "sns",
        "SetTopicAttributes",
        json!({ "topicArn": "arn", "attributeName": "Policy", "attributeValue": "{}" }),
        Value::Null,
    );
    known(
        "redshift",
        "CreateCluster",
        json!({ "clusterIdentifier": "c", "nodeType": "ra3" }),
        json!({ "clusterStatus": "creating", "vpcSecurityGroups": [] }),
    );
}

#[test]
fn ec2_as_its_old_interface_spoke() {
    known(
        "ec2",
        "CreateSecurityGroup",
        json!({ "groupName": "g", "groupDescription": "d", "vpcId": "vpc-1" }),
        json!({ "_return": true, "groupId": "sg-1", "requestId": "r" }),
    );
    known(
        "ec2",
        "DescribeNetworkAcls",
        json!({ "networkAclIdSet": { "items": [{ "networkAclId": "acl-1" }] },
            "filterSet": { "items": [{ "name": "vpc-id", "valueSet": { "items": [{ "value": "vpc-1" }] } }] } }),
        Value::Null,
    );
    known("ec2", "MonitorInstances", json!({ "instancesSet": { "items": [{ "instanceId": "i-1" }] } }), Value::Null);
    known(
        "ec2",
        "ModifyInstanceAttribute",
        json!({ "instanceId": "i-1", "groupSet": { "items": [{ "groupId": "sg-1" }] }, "sourceDestCheck": { "value": false } }),
        json!({ "_return": true }),
    );
    known(
        "ec2",
        "ReplaceRoute",
        json!({ "routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1" }),
        json!({ "_return": true }),
    );
    known(
        "ec2",
        "CreateKeyPair",
        json!({ "keyName": "k" }),
        json!({ "keyName": "k", "keyFingerprint": "1f:", "keyMaterial": "<sensitiveDataRemoved>" }),
    );
    known(
        "ec2",
        "DeleteTags",
        json!({ "resourcesSet": { "items": [{ "resourceId": "i-1" }] }, "tagSet": { "items": [{ "key": "a" }] } }),
        json!({ "_return": true }),
    );
    known(
        "ec2",
        "CreateVpcPeeringConnection",
        json!({ "vpcId": "vpc-1", "peerVpcId": "vpc-2", "peerOwnerId": "1" }),
        json!({ "vpcPeeringConnection": { "accepterVpcInfo": { "ownerId": "1", "vpcId": "vpc-2" }, "status": { "code": "initiating-request" } } }),
    );
    known(
        "ec2",
        "ModifySubnetAttribute",
        json!({ "subnetId": "s", "mapPublicIpOnLaunch": { "value": true } }),
        json!({ "_return": true }),
    );
}

#[test]
fn ec2_as_its_newer_operations_speak() {
    known(
        "ec2",
        "CreateVpcEndpoint",
        json!({ "CreateVpcEndpointRequest": { "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-west-1.s3",
            "RouteTableId": { "tag": 1, "content": "rtb-1" }, "PolicyDocument": "{}" } }),
        json!({ "CreateVpcEndpointResponse": { "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "requestId": "r",
            "vpcEndpoint": { "vpcEndpointId": "vpce-1", "routeTableIdSet": { "item": "rtb-1" }, "state": "available" } } }),
    );
    known(
        "ec2",
        "CreateLaunchTemplate",
        json!({ "CreateLaunchTemplateRequest": { "LaunchTemplateName": "t", "LaunchTemplateData": { "ImageId": "ami-1",
            "NetworkInterface": { "tag": 1, "DeviceIndex": 0, "SecurityGroupId": { "tag": 1, "content": "sg-1" } },
            "TagSpecification": [{ "tag": 1, "ResourceType": "instance", "Tag": { "tag": 1, "Key": "a", "Value": true } }] } } }),
        json!({ "CreateLaunchTemplateResponse": { "launchTemplate": { "launchTemplateId": "lt-1", "latestVersionNumber": 1 } } }),
    );
    known(
        "ec2",
        "ModifyInstanceMetadataOptions",
        json!({ "ModifyInstanceMetadataOptionsRequest": { "InstanceId": "i-1", "HttpTokens": "optional" } }),
        Value::Null,
    );
    known(
        "ec2",
        "EnableSerialConsoleAccess",
        json!({ "EnableSerialConsoleAccessRequest": "" }),
        json!({ "EnableSerialConsoleAccessResponse": { "serialConsoleAccessEnabled": true } }),
    );
}

#[test]
fn s3_has_headers_words_and_xml() {
    known(
        "s3",
        "PutBucketAcl",
        json!({ "bucketName": "b", "Host": "b.s3.amazonaws.com", "acl": "", "AccessControlPolicy": { "xmlns": "http://s3/",
            "AccessControlList": { "Grant": [{ "Permission": "READ", "Grantee": { "xsi:type": "Group", "xmlns:xsi": "http://w3", "URI": "http://acs" } }] } } }),
        Value::Null,
    );
    known(
        "s3",
        "PutBucketAcl",
        json!({ "bucketName": "b", "acl": [""], "x-amz-acl": ["public-read"], "host": ["b.s3"] }),
        Value::Null,
    );
    known(
        "s3",
        "PutBucketPublicAccessBlock",
        json!({ "bucketName": "b", "publicAccessBlock": "", "PublicAccessBlockConfiguration": { "xmlns": "x", "BlockPublicAcls": true, "RestrictPublicBuckets": true } }),
        Value::Null,
    );
    known(
        "s3",
        "PutBucketReplication",
        json!({ "bucketName": "b", "replication": "", "ReplicationConfiguration": { "Role": "arn",
            "Rule": { "ID": "1", "Status": "Enabled", "Destination": { "Bucket": "arn", "Account": "1" } } } }),
        Value::Null,
    );
    known(
        "s3",
        "PutBucketEncryption",
        json!({ "bucketName": "b", "encryption": "", "ServerSideEncryptionConfiguration": { "Rule": {
            "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k" } } } }),
        Value::Null,
    );
    known(
        "s3",
        "CopyObject",
        json!({ "bucketName": "b", "key": "k", "x-amz-copy-source": "a/k", "x-amz-server-side-encryption": "AES256", "x-amz-meta-a": "1" }),
        json!({ "x-amz-server-side-encryption": "AES256", "x-amz-version-id": "1" }),
    );
    known(
        "s3",
        "GetObject",
        json!({ "bucketName": "b", "key": "k", "X-Amz-Algorithm": "AWS4", "X-Amz-Expires": "300", "X-Amz-Date": "d", "response-content-type": "a" }),
        Value::Null,
    );
    known(
        "s3",
        "ListObjects",
        json!({ "bucketName": "b", "list-type": "2", "prefix": "", "max-keys": "1", "encoding-type": "url" }),
        Value::Null,
    );
    known(
        "s3express",
        "CreateSession",
        json!({ "bucketName": "b", "session": "", "x-amz-create-session-mode": "ReadWrite" }),
        Value::Null,
    );
}

#[test]
fn services_of_the_json_protocols() {
    known(
        "lambda",
        "AddPermission20150331v2",
        json!({ "functionName": "f", "statementId": "s", "principal": "*", "action": "lambda:InvokeFunction", "functionUrlAuthType": "NONE" }),
        json!({ "statement": "{}" }),
    );
    known(
        "lambda",
        "UpdateFunctionConfiguration20150331v2",
        json!({ "functionName": "f", "environment": {}, "layers": ["arn"] }),
        json!({ "vpcConfig": { "subnetIds": [] }, "tracingConfig": { "mode": "Active" } }),
    );
    known(
        "kms",
        "PutKeyPolicy",
        json!({ "keyId": "k", "policyName": "default", "policy": "{}", "bypassPolicyLockoutSafetyCheck": true }),
        json!({ "keyId": "arn" }),
    );
    known(
        "secretsmanager",
        "RotateSecret",
        json!({ "secretId": "s" }),
        json!({ "aRN": "arn", "name": "s", "versionId": "v" }),
    );
    known(
        "dynamodb",
        "UpdateTable",
        json!({ "tableName": "t", "sSESpecification": { "enabled": true, "kMSMasterKeyId": "k" } }),
        json!({ "tableDescription": { "sSEDescription": { "status": "UPDATING" } } }),
    );
    known(
        "guardduty",
        "UpdateDetector",
        json!({ "detectorId": "d", "enable": false, "dataSources": { "s3Logs": { "enable": false } } }),
        Value::Null,
    );
    known(
        "cloudtrail",
        "PutEventSelectors",
        json!({ "trailName": "t", "advancedEventSelectors": [{ "name": "n", "fieldSelectors": [{ "field": "eventCategory", "equals": ["Data"] }] }] }),
        json!({ "trailARN": "arn" }),
    );
    known(
        "config",
        "PutConfigurationRecorder",
        json!({ "configurationRecorder": { "name": "default", "roleARN": "arn", "recordingGroup": { "allSupported": true } } }),
        Value::Null,
    );
    known(
        "eks",
        "CreateAccessEntry",
        json!({ "name": "c", "principalArn": "arn", "clientRequestToken": "t" }),
        json!({ "accessEntry": { "clusterName": "c", "accessEntryArn": "arn" } }),
    );
    known(
        "ecs",
        "RegisterTaskDefinition",
        json!({ "family": "f", "containerDefinitions": [{ "image": "i", "environment": [{ "name": "a", "value": "b" }] }] }),
        json!({ "taskDefinition": { "taskDefinitionArn": "arn" } }),
    );
    known(
        "ecr",
        "SetRepositoryPolicy",
        json!({ "repositoryName": "r", "policyText": "{}", "force": false }),
        json!({ "registryId": "1" }),
    );
    known(
        "logs",
        "PutSubscriptionFilter",
        json!({ "logGroupName": "g", "filterName": "f", "filterPattern": "", "destinationArn": "arn" }),
        Value::Null,
    );
    known(
        "monitoring",
        "PutMetricAlarm",
        json!({ "alarmName": "a", "comparisonOperator": "GreaterThanThreshold", "dimensions": [{ "name": "n", "value": "v" }] }),
        Value::Null,
    );
    known(
        "organizations",
        "CreateAccount",
        json!({ "email": "****", "accountName": "****", "roleName": "r" }),
        json!({ "createAccountStatus": { "id": "car-1", "state": "IN_PROGRESS" } }),
    );
    known(
        "securityhub",
        "BatchUpdateFindings",
        json!({ "FindingIdentifiers": [{ "Id": "i", "ProductArn": "p" }], "Workflow": { "Status": "SUPPRESSED" } }),
        json!({ "ProcessedFindings": [], "UnprocessedFindings": [] }),
    );
    known(
        "ssm",
        "SendCommand",
        json!({ "documentName": "AWS-RunShellScript", "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS", "targets": [{ "key": "tag:a", "values": ["b"] }] }),
        json!({ "command": { "commandId": "c" } }),
    );
    known(
        "cognito-idp",
        "AdminCreateUser",
        json!({ "userPoolId": "p", "username": "HIDDEN_DUE_TO_SECURITY_REASONS" }),
        json!({ "user": { "enabled": true, "userStatus": "FORCE_CHANGE_PASSWORD" } }),
    );
    known("bedrock", "InvokeModel", json!({ "modelId": "m" }), Value::Null);
    known("wafv2", "DisassociateWebACL", json!({ "resourceArn": "arn" }), Value::Null);
}

#[test]
fn route53_cloudfront_and_api_gateway() {
    known(
        "route53",
        "ChangeResourceRecordSets",
        json!({ "hostedZoneId": "Z1", "changeBatch": { "changes": [{ "action": "UPSERT", "resourceRecordSet": { "name": "a.", "type": "A",
            "tTL": 60, "resourceRecords": [{ "value": "192.0.2.1" }] } }] } }),
        json!({ "changeInfo": { "id": "/change/C1", "status": "PENDING", "submittedAt": "Mar 1, 2025" } }),
    );
    known(
        "route53",
        "AssociateVPCWithHostedZone",
        json!({ "hostedZoneId": "Z1", "vPC": { "vPCId": "vpc-1", "vPCRegion": "eu-west-1" } }),
        Value::Null,
    );
    known(
        "cloudfront",
        "UpdateDistribution2020_05_31",
        json!({ "id": "E1", "ifMatch": "E", "distributionConfig": { "origins": { "items": [{ "domainName": "d" }], "quantity": 1 }, "webACLId": "" } }),
        json!({ "eTag": "E", "distribution": { "aRN": "arn", "domainName": "d" } }),
    );
    known(
        "apigateway",
        "CreateRestApi",
        json!({ "createRestApiInput": { "name": "n", "endpointConfiguration": { "types": ["EDGE"] } }, "template": false }),
        json!({ "id": "a", "name": "n", "createdDate": "Mar 1, 2025" }),
    );
    known(
        "apigateway",
        "UpdateStage",
        json!({ "restApiId": "a", "stageName": "prod", "updateStageInput": { "patchOperations": [{ "op": "replace", "path": "/x" }] } }),
        Value::Null,
    );
}

fn unknown(source: &str, name: &str, part: &str, path: &[&str]) -> Option<String> {
    let source = format!("{source}.amazonaws.com");
    let calls = [Call { source: &source, name }];
    let mut place = match Shapes::embedded().record(&calls).field(part) {
        Step::Known(place) => place,
        other => panic!("{part} {other:?}"),
    };
    for (at, step) in path.iter().enumerate() {
        let below = if *step == "[]" { place.item() } else { place.field(step) };
        match below {
            Step::Known(below) => place = below,
            Step::Unknown { is_closed, known } if at + 1 == path.len() => {
                assert!(!is_closed && known.is_sorted());
                return did_you_mean(step, known.iter().map(String::as_str)).map(str::to_owned);
            }
            other => panic!("{path:?} {other:?}"),
        }
    }
    panic!("{source} {name} {path:?} is known");
}

#[test]
fn other_spellings_are_unknown_and_the_right_one_is_near() {
    let request = |source, name, path: &[&str]| unknown(source, name, "requestParameters", path);
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(request("rds", "DeleteDBInstance", &["dbInstanceIdentifier"]), is("dBInstanceIdentifier"));
    assert_eq!(request("ec2", "StopInstances", &["instanceSet"]), is("instancesSet"));
    assert_eq!(request("ec2", "StopInstances", &["InstancesSet"]), is("instancesSet"));
    assert_eq!(request("ec2", "ReleaseAddress", &["allocatonId"]), is("allocationId"));
    assert_eq!(request("ec2", "DeleteFlowLogs", &["DeleteFlowLogsRequest", "FlowLogsId"]), is("FlowLogId"));
    assert_eq!(request("s3", "PutBucketAcl", &["buketName"]), is("bucketName"));
    assert_eq!(request("cloudtrail", "StopLogging", &["Name"]), is("name"));
    assert_eq!(request("iam", "CreateUser", &["username"]), is("userName"));
    assert_eq!(unknown("iam", "CreateUser", "responseElements", &["user", "userNme"]), is("userName"));
    assert_eq!(unknown("iam", "CreateRole", "responseElements", &["roles"]), is("role"));
}

#[test]
fn the_record_is_closed_where_aws_lists_its_fields() {
    let record = Shapes::embedded().record(&[]);
    for (path, near) in [
        (vec!["eventNme"], "eventName"),
        (vec!["useridentity"], "userIdentity"),
        (vec!["userIdentity", "accesKeyId"], "accessKeyId"),
        (vec!["userIdentity", "sessionContext", "attributes", "mfaAuthenicated"], "mfaAuthenticated"),
        (vec!["tlsDetails", "tlsversion"], "tlsVersion"),
    ] {
        let mut place = record.clone();
        let (last, before) = path.split_last().unwrap();
        for step in before {
            let Step::Known(below) = place.field(step) else { panic!("{path:?}") };
            place = below;
        }
        let Step::Unknown { is_closed: true, known } = place.field(last) else { panic!("{path:?}") };
        assert_eq!(did_you_mean(last, known.iter().map(String::as_str)), Some(near));
    }
    let Step::Known(data) = record.field("additionalEventData") else { panic!() };
    assert!(matches!(data.field("bytesTransferredIn"), Step::Open));
    let Step::Known(request) = record.field("requestParameters") else { panic!() };
    assert!(matches!(request.field("anything"), Step::Open));
}

#[test]
fn values_and_kinds_are_told() {
    let calls = [Call { source: "ec2.amazonaws.com", name: "RunInstances" }];
    let record = Shapes::embedded().record(&calls);
    let Step::Known(of) = record.field("eventType") else { panic!() };
    assert!(of.values().unwrap().contains(&"AwsConsoleSignIn"));
    let Step::Known(read) = record.field("readOnly") else { panic!() };
    assert_eq!((read.holds(), read.values()), (vec![Holds::Bool], None));
    assert!(read.may_be(Holds::Text) && read.may_be(Holds::Bool) && !read.may_be(Holds::Int));
    let Step::Known(request) = record.field("requestParameters") else { panic!() };
    let Step::Known(size) = request.field("instanceType") else { panic!() };
    assert!(size.values().unwrap().contains(&"t3.micro"));
}

#[test]
fn what_several_calls_may_hold_is_what_any_of_them_may() {
    let call = |name| Call { source: "ec2.amazonaws.com", name };
    let calls = [call("ReleaseAddress"), call("DisassociateAddress")];
    let Step::Known(request) = Shapes::embedded().record(&calls).field("requestParameters") else { panic!() };
    assert!(matches!(request.field("allocationId"), Step::Known(_)));
    assert!(matches!(request.field("associationId"), Step::Known(_)));
    assert!(matches!(request.field("instanceId"), Step::Unknown { is_closed: false, .. }));
    let calls = [call("ReleaseAddress"), call("BidEvictedEvent")];
    let Step::Known(request) = Shapes::embedded().record(&calls).field("requestParameters") else { panic!() };
    assert!(matches!(request.field("allocationId"), Step::Known(_)) && matches!(request.field("other"), Step::Open));
}

#[test]
fn a_request_without_its_wrapper_is_what_the_language_shows() {
    let calls = [Call { source: "ec2.amazonaws.com", name: "DeleteFlowLogs" }];
    let request = Shapes::embedded().request(&calls);
    let Step::Known(ids) = request.field("FlowLogId") else { panic!() };
    assert!(matches!(ids.item(), Step::Known(_)) && matches!(ids.field("content"), Step::Unknown { .. }));
    assert!(matches!(request.field("DeleteFlowLogsRequest"), Step::Unknown { .. }));
    let calls = [Call { source: "iam.amazonaws.com", name: "CreateRole" }];
    let Step::Known(document) = Shapes::embedded().request(&calls).field("assumeRolePolicyDocument") else { panic!() };
    assert!(matches!(document.field("Statement"), Step::Open));
}

#[test]
fn users_add_what_aws_adds() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.yaml", "record: { newField: { deep: text } }\nsources:\n  new.amazonaws.com: { events: [Start, Stop] }\n");
    write(
        "b.json",
        r#"{"sources":{"ec2.amazonaws.com":{"events":{"StopInstances":{"request":{"quietly":"bool"}},
            "StopThem":{"as":"StopInstances"}}}},"kinds":{"ec2/volumes":{"NewMember":"text a b"}}}"#,
    );
    write("notes.txt", "not ours");
    let shapes = Shapes::embedded().with_extra(folder.path()).unwrap();
    assert!(shapes.is_source("new.amazonaws.com") && shapes.is_event("new.amazonaws.com", "Stop"));
    assert!(!Shapes::embedded().is_source("new.amazonaws.com"));
    assert_eq!(shapes.sources_of("StopThem"), ["ec2.amazonaws.com"]);
    for name in ["StopInstances", "StopThem"] {
        let calls = [Call { source: "ec2.amazonaws.com", name }];
        let record = shapes.record(&calls);
        let Step::Known(request) = record.field("requestParameters") else { panic!() };
        assert!(matches!(request.field("instancesSet"), Step::Known(_)));
        assert!(matches!(request.field("quietly"), Step::Known(_)));
        let Step::Known(new) = record.field("newField") else { panic!() };
        assert!(
            matches!(new.field("deep"), Step::Known(_))
                && matches!(new.field("dep"), Step::Unknown { is_closed: true, .. })
        );
    }
    let volume = shapes.resource("ec2/volumes").unwrap();
    let Step::Known(new) = volume.field("NewMember") else { panic!() };
    assert_eq!(new.values(), Some(vec!["a", "b"]));
    assert!(matches!(volume.field("VolumeId"), Step::Known(_)));
}

#[test]
fn the_example_in_the_documentation_is_read() {
    let page = include_str!("../../docs/shapes.md");
    let example = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), example).unwrap();
    let shapes = Shapes::embedded().with_extra(folder.path()).unwrap();
    let calls = [Call { source: "ec2.amazonaws.com", name: "MakeWidget" }];
    let record = shapes.record(&calls);
    let Step::Known(request) = record.field("requestParameters") else { panic!() };
    let Step::Known(mode) = request.field("mode") else { panic!() };
    assert_eq!(mode.values(), Some(vec!["fast", "slow"]));
    let Step::Known(response) = record.field("responseElements") else { panic!() };
    let Step::Known(widget) = response.field("widget") else { panic!() };
    assert!(matches!(widget.field("widgetId"), Step::Known(_)) && matches!(widget.field("other"), Step::Open));
}

#[test]
fn mistakes_in_extra_shapes_are_told_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let none = Shapes::embedded().with_extra(folder.path()).unwrap_err();
    assert!(none[0].to_string().contains("has no `.yaml`"), "{}", none[0]);
    std::fs::write(folder.path().join("a.yaml"), "sorces: {}\n").unwrap();
    std::fs::write(folder.path().join("b.yaml"), "record:\n  a: txt\n").unwrap();
    std::fs::write(folder.path().join("c.yaml"), "record: [\n").unwrap();
    let errors = Shapes::embedded().with_extra(folder.path()).unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(told.len() == 3, "{told:?}");
    assert!(told[0].contains("a.yaml:1:1") && told[0].contains("sources"), "{told:?}");
    assert!(told[1].contains("b.yaml:2:6"), "{told:?}");
    assert!(told[2].contains("c.yaml"), "{told:?}");
}

#[test]
fn the_notation_has_a_schema_that_our_own_files_keep() {
    let schema: Value = serde_json::from_str(include_str!("../../schemas/shapes.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for text in
        [include_str!("../../schemas/cloudtrail-record.yaml"), include_str!("../../schemas/cloudtrail-events.yaml")]
    {
        let value = lawbook::yaml::parse(text).unwrap().to_json();
        let wrong: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

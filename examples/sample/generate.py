#!/usr/bin/env python3
"""Writes the sample beside it: one morning of an invented account, as CloudTrail delivers it and the AWS CLI prints it.

Run it again after a change: the same program writes the same bytes. Nothing in it is genuine; addresses are those set
aside for documentation.

The story: the inventory is collected at 09:05. At 09:12 somebody uses the build server's key from an address it was
never used from, becomes `deploy`, takes the bastion's Elastic IP (which a security group lets in) for a machine of
theirs, opens a port, turns off encryption by default and, last, stops the trail.
"""

import json
import struct
import uuid
import zlib
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
ACCOUNT = "111122223333"
OFFICE, BUILD_SERVER, STRANGER = "198.51.100.20", "198.51.100.40", "203.0.113.77"
CLI, CONSOLE, TERRAFORM = (
    "aws-cli/2.17.20 md/awscrt#0.20.11 ua/2.0 os/linux#6.1.0 lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#standard",
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "APN/1.0 HashiCorp/1.0 Terraform/1.8.2 terraform-provider-aws/5.48.0 aws-sdk-go-v2/1.26.1",
)
VPC = "vpc-0a11b22c33d44e55f"
BASTION, WEB, OLD, THEIRS = (f"i-0{name:0<16}" for name in ("ba5710", "eb", "dead", "bad"))
BASTION_IP, BASTION_ALLOCATION, BASTION_ASSOCIATION = "198.51.100.7", "eipalloc-0ba57100000000001", "eipassoc-0ba57100000000001"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"


# --- who -------------------------------------------------------------------------------------------------------------

def user(name, number):
    return {
        "type": "IAMUser", "principalId": f"AIDAEXAMPLE{number:010}", "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT, "accessKeyId": f"AKIAEXAMPLE{number:09}", "userName": name,
    }


def role(name, session, number, path="", service=None):
    identity = {
        "type": "AssumedRole", "principalId": f"AROAEXAMPLE{number:010}:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}", "accountId": ACCOUNT,
        "accessKeyId": f"ASIAEXAMPLE{number:09}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": f"AROAEXAMPLE{number:010}", "arn": f"arn:aws:iam::{ACCOUNT}:role/{path}{name}",
                "accountId": ACCOUNT, "userName": name,
            },
            "attributes": {"creationDate": "2024-05-14T08:00:00Z", "mfaAuthenticated": "false"},
        },
    }
    return identity | ({"invokedBy": service} if service else {})


def service(name):
    return {"type": "AWSService", "invokedBy": name}


ALICE, CI = user("alice", 1), user("ci-runner", 2)
DEPLOY, THIEF = role("deploy", "build-4711", 3), role("deploy", "aws-go-sdk-1715677", 3)
SCALING = role("AWSServiceRoleForAutoScaling", "AutoScaling", 4, "aws-service-role/autoscaling.amazonaws.com/", "autoscaling.amazonaws.com")
MONITOR = role("monitoring", "i-0eb0000000000000", 5)


# --- what happened ---------------------------------------------------------------------------------------------------

EVENTS = []


def call(time, who, api, request=None, response=None, source=OFFICE, agent=CLI, region="us-east-1", error=None, **more):
    """Adds a record; `api` is `service:EventName`, `error` a code and a message."""
    prefix, name = api.split(":")
    number = len(EVENTS)
    ids = [str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{kind}-{number}.example.com")) for kind in ("event", "request")]
    if response and prefix == "ec2":
        response = {"requestId": ids[1]} | response
    record = {
        "eventVersion": "1.09", "userIdentity": who, "eventTime": f"2024-05-14T{time}Z",
        "eventSource": f"{prefix}.amazonaws.com", "eventName": name, "awsRegion": region,
        "sourceIPAddress": who["invokedBy"] if "invokedBy" in who else source,
        "userAgent": who["invokedBy"] if "invokedBy" in who else agent,
    }
    if error:
        record |= {"errorCode": error[0], "errorMessage": error[1]}
    record |= {
        "requestParameters": request, "responseElements": response, "requestID": ids[1], "eventID": ids[0],
        "readOnly": name.startswith(("Describe", "Get", "List", "Lookup", "Head")) or name in ("AssumeRole", "Decrypt"),
        "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
    }
    EVENTS.append(record | more)


def tell_the_story():
    # An ordinary morning.
    call("08:01:12", service("ec2.amazonaws.com"), "sts:AssumeRole",
         {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/monitoring", "roleSessionName": "i-0eb0000000000000"}, {"credentials": {"accessKeyId": "ASIAEXAMPLE000000005", "expiration": "May 14, 2024, 2:01:12 PM"}})
    for minute in range(4, 60, 9):
        call(f"08:{minute:02}:31", MONITOR, "ec2:DescribeInstances", {"instancesSet": {}, "filterSet": {}}, source="10.0.1.20")
        call(f"08:{minute:02}:33", MONITOR, "monitoring:DescribeAlarms", {"maxRecords": 100}, source="10.0.1.20")
    call("08:20:00", service("cloudtrail.amazonaws.com"), "s3:GetBucketAcl", {"bucketName": "example-trail-logs", "acl": ""})
    call("08:30:40", ALICE, "signin:ConsoleLogin", None, {"ConsoleLogin": "Success"}, agent=CONSOLE, eventType="AwsConsoleSignIn",
         additionalEventData={"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "Yes"})
    call("08:36:05", user("bob", 7), "signin:ConsoleLogin", None, {"ConsoleLogin": "Success"}, agent=CONSOLE, eventType="AwsConsoleSignIn",
         additionalEventData={"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"})
    call("08:39:41", user("dora", 8), "signin:ConsoleLogin", None, {"ConsoleLogin": "Failure"}, agent=CONSOLE, eventType="AwsConsoleSignIn",
         additionalEventData={"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"})
    for name in ("DescribeInstances", "DescribeAddresses", "DescribeVpcs", "DescribeVolumes"):
        call(f"08:31:0{len(name) % 10}", ALICE, f"ec2:{name}", {}, agent=CONSOLE, sessionCredentialFromConsole="true")
    call("08:33:10", ALICE, "ec2:AllocateAddress", {"domain": "vpc"},
         {"publicIp": "198.51.100.33", "domain": "vpc", "allocationId": "eipalloc-0a11ce00000000001", "publicIpv4Pool": "amazon", "networkBorderGroup": "us-east-1"},
         agent=CONSOLE, sessionCredentialFromConsole="true")
    call("08:41:00", SCALING, "ec2:DescribeLaunchTemplates", {"DescribeLaunchTemplatesRequest": {"LaunchTemplateName": {"tag": 1, "content": "web"}}})
    call("08:44:22", ALICE, "ec2:ReleaseAddress", {"allocationId": "eipalloc-0a11ce00000000001", "networkBorderGroup": "us-east-1"}, {"_return": True},
         agent=CONSOLE, sessionCredentialFromConsole="true")
    call("08:50:02", CI, "sts:AssumeRole", {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy", "roleSessionName": "build-4711"},
         {"credentials": {"accessKeyId": "ASIAEXAMPLE000000003", "expiration": "May 14, 2024, 9:50:02 AM"}}, source=BUILD_SERVER)
    call("08:50:30", DEPLOY, "ec2:DescribeSecurityGroups", {"securityGroupSet": {}, "securityGroupIdSet": {}, "filterSet": {}}, source=BUILD_SERVER, agent=TERRAFORM)
    call("08:50:44", DEPLOY, "ec2:AuthorizeSecurityGroupIngress",
         {"groupId": "sg-0eb00000000000001", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0", "description": "https"}]}, "ipv6Ranges": {}, "prefixListIds": {}}]}},
         {"_return": True, "securityGroupRuleSet": {"items": [{"groupOwnerId": ACCOUNT, "groupId": "sg-0eb00000000000001", "securityGroupRuleId": "sgr-0eb00000000000443", "isEgress": False, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"}]}},
         source=BUILD_SERVER, agent=TERRAFORM)
    call("08:58:00", role("auditor", "nightly", 6), "ec2:DescribeVolumes", {"volumeSet": {}, "filterSet": {}}, region="eu-west-1")
    for second, name in enumerate(("DescribeAddresses", "DescribeInstances", "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeNetworkAcls", "DescribeVolumes", "DescribeVpcs", "DescribeFlowLogs")):
        call(f"09:05:{second:02}", role("auditor", "nightly", 6), f"ec2:{name}", {})
    call("09:05:20", role("auditor", "nightly", 6), "ec2:DescribeFlowLogs", {}, region="eu-west-1",
         error=("Client.UnauthorizedOperation", "You are not authorized to perform this operation."))

    # The build server's key, from elsewhere.
    stranger = {"source": STRANGER, "agent": "aws-sdk-go-v2/1.26.1 os/linux lang/go#1.22.2"}
    call("09:12:07", CI, "sts:GetCallerIdentity", None, **stranger)
    call("09:12:15", CI, "iam:ListUsers", None, error=("AccessDenied", f"User: {CI['arn']} is not authorized to perform: iam:ListUsers"), **stranger)
    call("09:12:40", CI, "sts:AssumeRole", {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy", "roleSessionName": "aws-go-sdk-1715677"},
         {"credentials": {"accessKeyId": "ASIAEXAMPLE000000003", "expiration": "May 14, 2024, 10:12:40 AM"}}, **stranger)
    for second, api in enumerate(("ec2:DescribeAddresses", "ec2:DescribeSecurityGroups", "ec2:DescribeInstances", "cloudtrail:DescribeTrails", "ec2:GetEbsEncryptionByDefault")):
        call(f"09:13:{second * 7:02}", THIEF, api, {}, **stranger)
    call("09:14:30", THIEF, "ec2:RunInstances",
         {"instancesSet": {"items": [{"imageId": "ami-0a11b22c33d44e55f", "minCount": 1, "maxCount": 1}]}, "instanceType": "t3.micro", "subnetId": "subnet-0a11b22c33d44e55f"},
         {"instancesSet": {"items": [{"instanceId": THEIRS, "imageId": "ami-0a11b22c33d44e55f", "instanceState": {"code": 0, "name": "pending"}, "instanceType": "t3.micro"}]}}, **stranger)
    call("09:15:50", THIEF, "ec2:DisassociateAddress", {"associationId": BASTION_ASSOCIATION},
         error=("Client.DryRunOperation", "Request would have succeeded, but DryRun flag is set."), **stranger)
    call("09:16:02", THIEF, "ec2:DisassociateAddress", {"associationId": BASTION_ASSOCIATION}, {"_return": True}, **stranger)
    call("09:16:09", THIEF, "ec2:AssociateAddress", {"instanceId": THEIRS, "allocationId": BASTION_ALLOCATION, "allowReassociation": True},
         {"_return": True, "associationId": "eipassoc-0bad0000000000001"}, **stranger)
    call("09:18:20", THIEF, "ec2:AuthorizeSecurityGroupIngress",
         {"groupId": "sg-0ba57100000000001", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"},
         {"_return": True, "securityGroupRuleSet": {"items": [{"groupOwnerId": ACCOUNT, "groupId": "sg-0ba57100000000001", "securityGroupRuleId": "sgr-0bad0000000000022", "isEgress": False, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"}]}}, **stranger)
    call("09:20:11", THIEF, "ec2:DisableEbsEncryptionByDefault", {"DisableEbsEncryptionByDefaultRequest": ""},
         {"DisableEbsEncryptionByDefaultResponse": {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "ebsEncryptionByDefault": False}}, **stranger)
    call("09:21:45", THIEF, "ec2:CreateSnapshot", {"volumeId": "vol-0eb00000000000001", "description": "tmp"},
         {"snapshotId": "snap-0bad0000000000001", "volumeId": "vol-0eb00000000000001", "status": "pending", "encrypted": False}, **stranger)
    call("09:23:00", CI, "cloudtrail:StopLogging", {"name": TRAIL},
         error=("AccessDenied", f"User: {CI['arn']} is not authorized to perform: cloudtrail:StopLogging on resource: {TRAIL}"), **stranger)
    call("09:23:20", THIEF, "cloudtrail:StopLogging", {"name": TRAIL}, None, **stranger)


# --- what is ---------------------------------------------------------------------------------------------------------

def rule(port, *blocks):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": block} for block in blocks],
            "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}


def group(id, name, *rules, vpc=VPC):
    out = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}
    return {"GroupId": id, "GroupName": name, "Description": name, "OwnerId": ACCOUNT, "VpcId": vpc,
            "IpPermissions": list(rules), "IpPermissionsEgress": [out], "Tags": []}


def instance(id, name, state, interface, address, groups):
    return {"InstanceId": id, "ImageId": "ami-0a11b22c33d44e55f", "InstanceType": "t3.small", "LaunchTime": "2024-02-01T07:00:00+00:00",
            "State": {"Code": {"running": 16, "stopped": 80}[state], "Name": state}, "VpcId": VPC, "SubnetId": "subnet-0a11b22c33d44e55f",
            "PrivateIpAddress": address, "Placement": {"AvailabilityZone": "us-east-1a"}, "SecurityGroups": [{"GroupId": id} for id in groups],
            "NetworkInterfaces": [{"NetworkInterfaceId": interface}], "Tags": [{"Key": "Name", "Value": name}]}


def interface(id, instance, address, groups):
    return {"NetworkInterfaceId": id, "OwnerId": ACCOUNT, "VpcId": VPC, "SubnetId": "subnet-0a11b22c33d44e55f", "Status": "in-use",
            "PrivateIpAddress": address, "AvailabilityZone": "us-east-1a", "InterfaceType": "interface",
            "Attachment": {"InstanceId": instance, "Status": "attached", "DeviceIndex": 0}, "Groups": [{"GroupId": id} for id in groups], "TagSet": []}


def volume(id, instance, encrypted, size, zone="us-east-1a"):
    attachments = [{"InstanceId": instance, "VolumeId": id, "Device": "/dev/xvda", "State": "attached", "DeleteOnTermination": True}] if instance else []
    return {"VolumeId": id, "Size": size, "VolumeType": "gp3", "State": "in-use" if instance else "available", "Encrypted": encrypted,
            "AvailabilityZone": zone, "CreateTime": "2024-02-01T07:00:01.000000+00:00", "Attachments": attachments, "Tags": []}


def flow_log(id, resource, **more):
    return {"FlowLogId": id, "ResourceId": resource, "FlowLogStatus": "ACTIVE", "TrafficType": "ALL", "LogDestinationType": "cloud-watch-logs",
            "LogGroupName": "vpc", "MaxAggregationInterval": 600, "CreationTime": "2024-02-01T07:10:00+00:00", "Tags": []} | more


def vpc(id, block, default):
    return {"VpcId": id, "CidrBlock": block, "IsDefault": default, "State": "available", "OwnerId": ACCOUNT, "InstanceTenancy": "default", "Tags": []}


def acl(id, vpc, block="0.0.0.0/0"):
    entry = {"Protocol": "-1", "CidrBlock": "0.0.0.0/0"}
    return {"NetworkAclId": id, "VpcId": vpc, "IsDefault": True, "OwnerId": ACCOUNT, "Associations": [], "Tags": [], "Entries": [
        entry | {"RuleNumber": number, "Egress": egress, "RuleAction": action, "CidrBlock": block if number == 100 else "0.0.0.0/0"}
        for egress in (True, False) for number, action in ((100, "allow"), (32767, "deny"))]}


TRAILS = {"trailList": [{
    "Name": "main", "S3BucketName": "example-trail-logs", "IncludeGlobalServiceEvents": True, "IsMultiRegionTrail": True,
    "HomeRegion": "us-east-1", "TrailARN": TRAIL, "LogFileValidationEnabled": True, "HasCustomEventSelectors": False,
    "HasInsightSelectors": False, "IsOrganizationTrail": False}]}

INVENTORY = {
    "us-east-1": {
        "ec2 describe-addresses": {"Addresses": [
            {"PublicIp": BASTION_IP, "AllocationId": BASTION_ALLOCATION, "AssociationId": BASTION_ASSOCIATION, "Domain": "vpc", "InstanceId": BASTION,
             "NetworkInterfaceId": "eni-0ba57100000000001", "NetworkInterfaceOwnerId": ACCOUNT, "PrivateIpAddress": "10.0.1.10",
             "PublicIpv4Pool": "amazon", "NetworkBorderGroup": "us-east-1", "Tags": [{"Key": "Name", "Value": "bastion"}]},
            {"PublicIp": "198.51.100.9", "AllocationId": "eipalloc-0f4ee000000000001", "Domain": "vpc", "PublicIpv4Pool": "amazon",
             "NetworkBorderGroup": "us-east-1", "Tags": []}]},
        "ec2 describe-instances": {"Reservations": [{"ReservationId": "r-0a11b22c33d44e55f", "OwnerId": ACCOUNT, "Groups": [], "Instances": [
            instance(BASTION, "bastion", "running", "eni-0ba57100000000001", "10.0.1.10", ["sg-0ba57100000000001"]),
            instance(WEB, "web", "running", "eni-0eb00000000000001", "10.0.1.20", ["sg-0eb00000000000001"]),
            instance(OLD, "old-reports", "stopped", "eni-0dead000000000001", "10.0.1.30", ["sg-0dead000000000001"])]}]},
        "ec2 describe-network-interfaces": {"NetworkInterfaces": [
            interface("eni-0ba57100000000001", BASTION, "10.0.1.10", ["sg-0ba57100000000001"]),
            interface("eni-0eb00000000000001", WEB, "10.0.1.20", ["sg-0eb00000000000001"]),
            interface("eni-0dead000000000001", OLD, "10.0.1.30", ["sg-0dead000000000001"])]},
        "ec2 describe-security-groups": {"SecurityGroups": [
            group("sg-0ba57100000000001", "bastion", rule(22, OFFICE + "/32")),
            group("sg-0eb00000000000001", "web", rule(443, "0.0.0.0/0"), rule(22, BASTION_IP + "/32")),
            group("sg-0dead000000000001", "old-reports", rule(3389, "0.0.0.0/0"))]},
        "ec2 describe-network-acls": {"NetworkAcls": [acl("acl-0a11b22c33d44e55f", VPC)]},
        "ec2 describe-volumes": {"Volumes": [
            volume("vol-0ba57100000000001", BASTION, True, 16), volume("vol-0eb00000000000001", WEB, False, 100),
            volume("vol-0dead000000000001", OLD, False, 500)]},
        "ec2 describe-vpcs": {"Vpcs": [vpc(VPC, "10.0.0.0/16", False)]},
        "ec2 describe-flow-logs": {"FlowLogs": [flow_log("fl-0a11b22c33d44e55f", VPC, DeliverLogsStatus="FAILED", DeliverLogsErrorMessage="Access error")]},
        "ec2 get-ebs-encryption-by-default": {"EbsEncryptionByDefault": True, "SseType": "sse-ebs"},
        "cloudtrail describe-trails": TRAILS,
        "cloudtrail get-trail-status": {"IsLogging": True, "LatestDeliveryTime": "2024-05-14T09:04:10.000000+00:00", "StartLoggingTime": "2024-02-01T07:00:00.000000+00:00"},
        "configservice describe-configuration-recorder-status": {"ConfigurationRecordersStatus": [
            {"name": "default", "lastStartTime": "2024-02-01T07:00:00+00:00", "recording": True, "lastStatus": "SUCCESS", "lastStatusChangeTime": "2024-05-14T09:00:00+00:00"}]},
    },
    "eu-west-1": {
        "ec2 describe-addresses": {"Addresses": []},
        "ec2 describe-security-groups": {"SecurityGroups": [group("sg-0e000000000000001", "default", vpc="vpc-0e00000000000001f")]},
        "ec2 describe-volumes": {"Volumes": []},
        "ec2 describe-vpcs": {"Vpcs": [vpc("vpc-0e00000000000001f", "172.31.0.0/16", True)]},
        "ec2 get-ebs-encryption-by-default": {"EbsEncryptionByDefault": False},
        "cloudtrail describe-trails": TRAILS,
        "configservice describe-configuration-recorder-status": {"ConfigurationRecordersStatus": [
            {"name": "default", "lastStartTime": "2024-02-01T07:00:00+00:00", "lastStopTime": "2024-03-01T12:00:00+00:00", "recording": False, "lastStatus": "SUCCESS"}]},
    },
}


# --- how it is delivered ---------------------------------------------------------------------------------------------

def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def gzipped(data):
    """Gzip without a time, a name or an operating system in its header."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return header + deflate.compress(data) + deflate.flush() + struct.pack("<II", zlib.crc32(data), len(data))


def write_logs():
    deliveries = {}
    for event in sorted(EVENTS, key=lambda event: event["eventTime"]):
        time = datetime.fromisoformat(event["eventTime"].removesuffix("Z"))
        delivered = time + timedelta(minutes=15 - time.minute % 15 + 5)
        deliveries.setdefault((event["awsRegion"], delivered.strftime("%Y%m%dT%H%MZ")), []).append(event)
    for (region, stamp), records in deliveries.items():
        unique = uuid.uuid5(uuid.NAMESPACE_DNS, f"{region}-{stamp}.example.com").hex[:16]
        folder = HERE / "logs/AWSLogs" / ACCOUNT / "CloudTrail" / region / "2024/05/14"
        text = json.dumps({"Records": records}, separators=(",", ":"))
        write(folder / f"{ACCOUNT}_CloudTrail_{region}_{stamp}_{unique}.json.gz", gzipped(text.encode()))


def write_inventory():
    # Files in `<account>/<region>/<service>/<command>.json` speak for themselves. The manifest says what they cannot:
    # which trail a status is of, and which call was refused.
    for region, answers in INVENTORY.items():
        for command, answer in answers.items():
            service, name = command.split()
            write(HERE / "inventory" / ACCOUNT / region / service / f"{name}.json", (json.dumps(answer, indent=4) + "\n").encode())
    whose = {"account": ACCOUNT, "time": "2024-05-14T09:05:00Z"}
    manifest = {"lawbook": 1, "answers": [
        {"service": "cloudtrail", "command": "get-trail-status", "file": f"{ACCOUNT}/us-east-1/cloudtrail/get-trail-status.json",
         "arguments": {"Name": TRAIL}, "region": "us-east-1"} | whose,
        {"service": "ec2", "command": "describe-flow-logs", "region": "eu-west-1", "status": "refused"} | whose,
    ]}
    write(HERE / "inventory/inventory.json", (json.dumps(manifest, indent=4) + "\n").encode())


if __name__ == "__main__":
    tell_the_story()
    write_logs()
    write_inventory()
    print(f"{len(EVENTS)} events")

"""What logs: trails and their buckets, AWS Config, flow logs, alarms, log groups."""
import datetime

import boto3

from . import ACCOUNT, REGION, Case, event, makes


def client(service, region=REGION):
    return boto3.client(service, region_name=region)


def bucket(name):
    client("s3").create_bucket(Bucket=name)
    return name


def trail(name, **more):
    """A trail of one region that logs to a bucket of its own; its ARN. One of all regions would hide what others make."""
    cloudtrail = client("cloudtrail")
    made = cloudtrail.create_trail(Name=name, S3BucketName=bucket(f"files-of-{name}"), **more)
    cloudtrail.start_logging(Name=name)
    return made["TrailARN"]


def key():
    return client("kms").create_key()["KeyMetadata"]["Arn"]


def log_group(name, **more):
    """A log group that keeps its events for a year; its ARN as others name it."""
    client("logs").create_log_group(logGroupName=name, **more)
    client("logs").put_retention_policy(logGroupName=name, retentionInDays=365)
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"


def role(name):
    return client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]


# Trails.


@makes("cloudtrail-stopped")
def trail_stopped():
    arn = trail("stopped")
    record = event("cloudtrail", "StopLogging", {"name": "stopped"})
    return Case("cloudtrail-stopped", about=arn, record=record, later=lambda: client("cloudtrail").stop_logging(Name="stopped"))


@makes("trail-not-logging")
def trail_not_logging():
    arn, sound = trail("silent"), trail("not-silent")
    client("cloudtrail").stop_logging(Name="silent")
    return Case("trail-not-logging", about=arn, sound=[sound])


@makes("cloudtrail-deleted")
def trail_deleted():
    arn = trail(
        "deleted", EnableLogFileValidation=True, KmsKeyId=key(),
        CloudWatchLogsLogGroupArn=log_group("trail-deleted"), CloudWatchLogsRoleArn=role("trail-deleted"),
    )
    # The second is gone before the inventory is collected, which says nothing of its bucket then.
    trail("deleted-unknown")
    client("cloudtrail").delete_trail(Name="deleted-unknown")
    return [
        Case(
            "cloudtrail-deleted", about=arn, record=event("cloudtrail", "DeleteTrail", {"name": arn}),
            later=lambda: client("cloudtrail").delete_trail(Name="deleted"),
        ),
        Case(
            "cloudtrail-deleted", about="deleted-unknown", record=event("cloudtrail", "DeleteTrail", {"name": "deleted-unknown"}),
            params={"bucket": "files-of-deleted-unknown"},
        ),
    ]


@makes("trail-weakened")
def trail_weakened():
    arn = trail(
        "weakened", EnableLogFileValidation=True, KmsKeyId=key(),
        CloudWatchLogsLogGroupArn=log_group("trail-weakened"), CloudWatchLogsRoleArn=role("trail-weakened"),
    )
    bucket("files-of-mallory")
    asked = {
        "Name": "weakened", "S3BucketName": "files-of-mallory", "EnableLogFileValidation": False,
        "IncludeGlobalServiceEvents": False, "KmsKeyId": "", "CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": "",
    }
    request = {name[0].lower() + name[1:]: value for name, value in asked.items()}
    response = request | {"trailARN": arn, "logFileValidationEnabled": False, "isMultiRegionTrail": False}
    del response["enableLogFileValidation"]
    return Case(
        "trail-weakened", about=arn, record=event("cloudtrail", "UpdateTrail", request, response),
        later=lambda: client("cloudtrail").update_trail(**asked),
    )


@makes("trail-single-region")
def trail_of_a_region():
    return Case("trail-single-region", about=trail("of-a-region"))


@makes("trail-unvalidated")
def trail_without_validation():
    return Case("trail-unvalidated", about=trail("unvalidated"), sound=[trail("validated", EnableLogFileValidation=True)])


@makes("trail-unencrypted")
def trail_without_key():
    return Case("trail-unencrypted", about=trail("unencrypted"), sound=[trail("encrypted", KmsKeyId=key())])


@makes("trail-without-cloudwatch")
def trail_without_log_group():
    group, writer = log_group("trail-with-group"), role("trail-with-group")
    sound = trail("with-group", CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=writer)
    return Case("trail-without-cloudwatch", about=trail("without-group"), sound=[sound])


EVERYTHING = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}
OBJECTS = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]


def advanced(category, **equals):
    fields = {"eventCategory": category} | equals
    return [{"Name": category, "FieldSelectors": [{"Field": field, "Equals": [value]} for field, value in fields.items()]}]


@makes("event-selectors-narrowed")
def selectors_narrowed():
    cloudtrail = client("cloudtrail")
    # One had data events by the inventory, of the other it knows what the call set.
    arn, known_late = trail("selectors-narrowed"), trail("selectors-narrowed-early")
    cloudtrail.put_event_selectors(TrailName="selectors-narrowed", EventSelectors=[EVERYTHING | {"DataResources": OBJECTS}])
    asked = EVERYTHING | {"IncludeManagementEvents": False}
    shown = {"readWriteType": "All", "includeManagementEvents": False, "dataResources": [], "excludeManagementEventSources": []}
    early = advanced("Management", readOnly="true")
    cloudtrail.put_event_selectors(TrailName=known_late, AdvancedEventSelectors=early)
    shown_early = [
        {"name": one["Name"], "fieldSelectors": [{"field": of["Field"], "equals": of["Equals"]} for of in one["FieldSelectors"]]}
        for one in early
    ]
    return [
        Case(
            "event-selectors-narrowed", about=arn,
            record=event(
                "cloudtrail", "PutEventSelectors", {"trailName": "selectors-narrowed", "eventSelectors": [shown]},
                {"trailARN": arn, "eventSelectors": [shown]},
            ),
            later=lambda: cloudtrail.put_event_selectors(TrailName="selectors-narrowed", EventSelectors=[asked]),
        ),
        Case(
            "event-selectors-narrowed", about=known_late,
            record=event(
                "cloudtrail", "PutEventSelectors", {"trailName": known_late, "advancedEventSelectors": shown_early},
                {"trailARN": known_late, "advancedEventSelectors": shown_early},
            ),
        ),
    ]


@makes("trail-selectors-narrow")
def selectors_narrow():
    cloudtrail = client("cloudtrail")
    narrow, narrow_too, sound = trail("selectors-data"), trail("selectors-writes"), trail("selectors-all")
    cloudtrail.put_event_selectors(
        TrailName=narrow, EventSelectors=[EVERYTHING | {"IncludeManagementEvents": False, "DataResources": OBJECTS}]
    )
    cloudtrail.put_event_selectors(TrailName=narrow_too, AdvancedEventSelectors=advanced("Management", readOnly="false"))
    cloudtrail.put_event_selectors(TrailName=sound, EventSelectors=[EVERYTHING])
    return [Case("trail-selectors-narrow", about=arn, sound=[sound]) for arn in (narrow, narrow_too)]


@makes("trail-bucket-changed")
def bucket_changed():
    s3 = client("s3")
    cases = []

    def changed(name, call, **request):
        place = f"files-of-bucket-{name}"
        request = {"bucketName": place, "Host": f"{place}.s3.amazonaws.com"} | request
        cases.append(Case("trail-bucket-changed", about=place, record=event("s3", call, request)))
        return {"Bucket": place}

    for name in ("suspended", "unblocked", "without-policy", "with-other-policy", "denied", "expires", "with-acl", "gone"):
        trail(f"bucket-{name}")
    s3.put_bucket_versioning(
        **changed("suspended", "PutBucketVersioning", versioning="", VersioningConfiguration={"Status": "Suspended"}),
        VersioningConfiguration={"Status": "Suspended"},
    )
    s3.delete_public_access_block(**changed("unblocked", "DeleteBucketPublicAccessBlock", publicAccessBlock=""))
    s3.delete_bucket_policy(**changed("without-policy", "DeleteBucketPolicy", policy=""))
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject",'
        '"Resource":"arn:aws:s3:::files-of-bucket-with-other-policy/*"}]}'
    )
    s3.put_bucket_policy(**changed("with-other-policy", "PutBucketPolicy", policy="", bucketPolicy=policy), Policy=policy)
    denied = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"Service":"cloudtrail.amazonaws.com"},'
        '"Action":"s3:PutObject","Resource":"arn:aws:s3:::files-of-bucket-denied/*"}]}'
    )
    s3.put_bucket_policy(**changed("denied", "PutBucketPolicy", policy="", bucketPolicy=denied), Policy=denied)
    changed(
        "expires", "PutBucketLifecycle", lifecycle="",
        LifecycleConfiguration={"Rule": {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}},
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket="files-of-bucket-expires",
        LifecycleConfiguration={"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]},
    )
    s3.put_bucket_acl(**changed("with-acl", "PutBucketAcl", acl="", **{"x-amz-acl": "public-read"}), ACL="public-read")
    s3.delete_bucket(**changed("gone", "DeleteBucket"))
    return cases


@makes("trail-bucket-public", "trail-bucket-unblocked")
def bucket_public():
    s3 = client("s3")
    everything = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
    for name in ("public-by-policy", "public-by-acl", "public-in-part", "not-public"):
        trail(f"bucket-{name}")
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
        '"Resource":"arn:aws:s3:::files-of-bucket-BUCKET/*"}]}'
    )
    for name in ("public-by-policy", "not-public"):
        s3.put_bucket_policy(Bucket=f"files-of-bucket-{name}", Policy=policy.replace("BUCKET", name))
    for name in ("public-by-acl", "public-in-part"):
        s3.put_bucket_acl(Bucket=f"files-of-bucket-{name}", ACL="public-read")
    s3.put_public_access_block(Bucket="files-of-bucket-not-public", PublicAccessBlockConfiguration=everything)
    s3.put_public_access_block(
        Bucket="files-of-bucket-public-in-part", PublicAccessBlockConfiguration=everything | {"IgnorePublicAcls": False}
    )
    sound = ["files-of-bucket-not-public"]
    return [
        Case(policy, about=f"files-of-bucket-{name}", sound=sound)
        for policy in ("trail-bucket-public", "trail-bucket-unblocked")
        for name in ("public-by-policy", "public-by-acl", "public-in-part")
    ]


@makes("logging-tampered-then-activity")
def tampered_then_acted():
    iam = client("iam")
    user = iam.create_user(UserName="tampers", Path="/team/")["User"]["Arn"]
    access_key = iam.create_access_key(UserName="tampers")["AccessKey"]["AccessKeyId"]
    by_role = role("tampers-and-acts")
    # Revoked once, long before.
    long_ago = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":'
        '{"DateLessThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}}}]}'
    )
    iam.put_user_policy(UserName="tampers", PolicyName="AWSRevokeOlderSessions", PolicyDocument=long_ago)
    iam.put_role_policy(RoleName="tampers-and-acts", PolicyName="AWSRevokeOlderSessions", PolicyDocument=long_ago)
    now = datetime.datetime.now(datetime.timezone.utc)

    def records(identity):
        calls = [
            ("cloudtrail", "StopLogging", {"name": "elsewhere"}, 20),
            ("iam", "CreateUser", {"userName": "made-by-mallory"}, 10),
        ]
        return [
            event(
                source, name, request, userIdentity=identity,
                eventTime=(now - datetime.timedelta(minutes=ago)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            )
            for source, name, request, ago in calls
        ]

    as_user = {
        "type": "IAMUser", "principalId": "AIDATAMPERS0000000000", "arn": user, "accountId": ACCOUNT, "accessKeyId": access_key,
        "userName": "tampers",
    }
    as_role = {
        "type": "AssumedRole", "principalId": "AROATAMPERS0000000000:eve", "accountId": ACCOUNT,
        "accessKeyId": "ASIATAMPERS000000000", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/tampers-and-acts/eve",
        "sessionContext": {"sessionIssuer": {
            "type": "Role", "principalId": "AROATAMPERS0000000000", "arn": by_role, "accountId": ACCOUNT,
            "userName": "tampers-and-acts",
        }},
    }
    return [
        Case("logging-tampered-then-activity", about=user, records=records(as_user)),
        Case("logging-tampered-then-activity", about=by_role, records=records(as_role)),
    ]


# AWS Config, which has one recorder and one channel in a region: those that would fight are in regions of their own.

SOME_TYPES = {"allSupported": False, "includeGlobalResourceTypes": False, "resourceTypes": ["AWS::EC2::VPC", "AWS::EC2::Volume"]}


def recorder(name, group=None):
    return {
        "name": name, "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config",
        "recordingGroup": group or {"allSupported": True, "includeGlobalResourceTypes": True},
    }


def config(name, region, group=None, channel=True, on=True):
    """A recorder in a region, with a channel of that name; the client of the region."""
    made = client("config", region)
    made.put_configuration_recorder(ConfigurationRecorder=recorder(name, group))
    if channel:
        made.put_delivery_channel(DeliveryChannel={
            "name": name, "s3BucketName": bucket(f"config-{name}"),
            "configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"},
        })
    if on:
        made.start_configuration_recorder(ConfigurationRecorderName=name)
    return made


@makes("config-recorder-stopped", "config-recorder-narrowed", "config-recorder-off", "config-recorder-partial")
def recorders():
    region = "us-west-2"
    west = config("west", region)
    config("east", REGION, group=SOME_TYPES, on=False)
    shown = {"configurationRecorder": recorder("west", SOME_TYPES)}
    return [
        Case(
            "config-recorder-stopped", about="west", regions=[region],
            record=event("config", "StopConfigurationRecorder", {"configurationRecorderName": "west"}, awsRegion=region),
            later=lambda: west.stop_configuration_recorder(ConfigurationRecorderName="west"),
        ),
        Case(
            "config-recorder-narrowed", about="west", regions=[region],
            record=event("config", "PutConfigurationRecorder", shown, awsRegion=region),
            later=lambda: west.put_configuration_recorder(ConfigurationRecorder=recorder("west", SOME_TYPES)),
        ),
        Case("config-recorder-off", about="east", sound=["west"], regions=[region]),
        Case("config-recorder-partial", about="east", sound=["west"], regions=[region]),
    ]


@makes("config-delivery-channel-deleted", "config-delivery-channel-missing")
def channels():
    regions = ["eu-central-1", "eu-west-1"]
    frankfurt = config("frankfurt", regions[0])
    config("ireland", regions[1], channel=False, on=False)

    def delete():
        frankfurt.stop_configuration_recorder(ConfigurationRecorderName="frankfurt")
        frankfurt.delete_delivery_channel(DeliveryChannelName="frankfurt")

    record = event("config", "DeleteDeliveryChannel", {"deliveryChannelName": "frankfurt"}, awsRegion=regions[0])
    return [
        Case("config-delivery-channel-deleted", about="frankfurt", regions=regions, record=record, later=delete),
        Case("config-delivery-channel-missing", about="ireland", sound=["frankfurt"], regions=regions),
    ]


# Flow logs.


def vpc(network):
    return client("ec2").create_vpc(CidrBlock=f"10.{network}.0.0/16")["Vpc"]["VpcId"]


def flow_log(logged, place, traffic="ALL"):
    made = client("ec2").create_flow_logs(
        ResourceType="VPC", ResourceIds=[logged], TrafficType=traffic, LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{place}", MaxAggregationInterval=60,
    )
    return made["FlowLogIds"][0]


@makes("flow-logs-deleted")
def flow_log_deleted():
    log = flow_log(vpc(60), bucket("flow-logs-deleted"))
    record = event(
        "ec2", "DeleteFlowLogs", {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": log}}},
        {"DeleteFlowLogsResponse": {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "unsuccessful": ""}},
    )
    return Case("flow-logs-deleted", about=log, record=record, later=lambda: client("ec2").delete_flow_logs(FlowLogIds=[log]))


@makes("flow-logs-missing")
def flow_log_missing():
    bad, sound = vpc(61), vpc(62)
    flow_log(sound, bucket("flow-logs-there"))
    # Its bucket is not there yet, and is made.
    return Case("flow-logs-missing", about=bad, sound=[sound], params={"bucket": "arn:aws:s3:::flow-logs-to-be-made"})


# Alarms.


def alarm(name, acts=True, **more):
    """An alarm about a metric; its ARN."""
    about = {
        "Namespace": "Example", "MetricName": name, "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
    }
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**about | {"AlarmName": name, "ActionsEnabled": acts} | more)
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["AlarmArn"]


@makes("alarm-actions-disabled")
def actions_disabled():
    names = ["actions-disabled", "actions disabled, too"]
    for name in names:
        alarm(name)
    client("cloudwatch").disable_alarm_actions(AlarmNames=names)
    listed = alarm('["actions-disabled-not"]', acts=False)
    alarm("actions-disabled-not")
    listed = listed.split(":alarm:")[-1]
    return [
        Case("alarm-actions-disabled", about=some[0], record=event("monitoring", "DisableAlarmActions", {"alarmNames": some}))
        for some in (names, [listed])
    ]


@makes("alarm-actions-off")
def actions_off():
    sound = [alarm("actions-on")]
    # The second has a name that is a list of other names, to the AWS CLI.
    return [
        Case("alarm-actions-off", about=alarm(name, acts=False), sound=sound) for name in ("actions-off", '["actions-on"]')
    ]


@makes("alarms-deleted")
def alarms_deleted():
    names = ["alarm-deleted", "alarm deleted, too"]
    alarm(names[0], AlarmDescription="It's \"quoted\"", Dimensions=[{"Name": "Path", "Value": "/a b"}])
    alarm(names[1], acts=False, TreatMissingData="breaching")
    # To the AWS CLI a list of another name.
    listed = ['["alarm-kept"]']
    alarm(listed[0])
    alarm("alarm-kept")

    def deleted(some):
        return Case(
            "alarms-deleted", about=some[0], record=event("monitoring", "DeleteAlarms", {"alarmNames": some}),
            later=lambda: client("cloudwatch").delete_alarms(AlarmNames=some),
        )

    return [deleted(names), deleted(listed)]


# Instances.


def launch():
    made = client("ec2").run_instances(ImageId="ami-0aaa1111bbbb2222c", InstanceType="t3.micro", MinCount=1, MaxCount=1)
    return made["Instances"][0]["InstanceId"]


def dimension(instance):
    return [{"Name": "InstanceId", "Value": instance}]


@makes("instance-cpu-high")
def busy():
    now = datetime.datetime.now(datetime.timezone.utc)
    bad, sound = launch(), launch()
    for instance, percent in ((bad, 99), (sound, 9)):
        client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=[
            {
                "MetricName": "CPUUtilization", "Dimensions": dimension(instance), "Value": percent, "Unit": "Percent",
                "Timestamp": now - datetime.timedelta(hours=hours),
            }
            for hours in range(1, 12)
        ])
    return Case("instance-cpu-high", about=bad, sound=[sound], looks=True)


@makes("instance-without-cpu-alarm")
def without_cpu_alarm():
    bad, sound = launch(), launch()
    # Of the agent's metric: asked for the alarms of a metric, moto does not look at the dimensions.
    alarm("cpu-of-sound", Namespace="CWAgent", MetricName="cpu_usage_active", Dimensions=dimension(sound))
    return Case("instance-without-cpu-alarm", about=bad, sound=[sound])


# Log groups.


@makes("log-group-deleted")
def group_deleted():
    log_group("/example/deleted")
    return Case(
        "log-group-deleted", about="/example/deleted",
        record=event("logs", "DeleteLogGroup", {"logGroupName": "/example/deleted"}),
        later=lambda: client("logs").delete_log_group(logGroupName="/example/deleted"),
        no_way_back="moto lacks PutLogGroupDeletionProtection",
    )


@makes("log-group-without-retention")
def group_without_retention():
    logs = client("logs")
    log_group("/example/with-retention")
    logs.create_log_group(logGroupName="/example/without-retention")
    [sound] = logs.describe_log_groups(logGroupNamePrefix="/example/with-retention")["logGroups"]
    return Case(
        "log-group-without-retention", about="/example/without-retention", sound=[sound.get("logGroupArn", sound["arn"])]
    )


@makes("log-retention-shortened")
def retention_shortened():
    logs = client("logs")
    log_group("/example/shortened")
    logs.create_log_group(logGroupName="/example/shortened-from-ever")
    cases = []
    for name in ("/example/shortened", "/example/shortened-from-ever"):
        asked = {"logGroupName": name, "retentionInDays": 1}
        cases.append(Case(
            "log-retention-shortened", about=name, record=event("logs", "PutRetentionPolicy", asked),
            later=lambda asked=asked: logs.put_retention_policy(**asked),
        ))
    return cases


@makes("trail-retention-shortened")
def retention_shortened():
    # No inventory has the trail: the log alone tells that CloudTrail delivers to the bucket.
    s3, bucket = client("s3"), "files-of-bucket-of-another-account"
    s3.create_bucket(Bucket=bucket)
    kept = {"ID": "kept", "Status": "Enabled", "Filter": {"Prefix": "kept/"}, "Expiration": {"Days": 400}}
    moved = {"ID": "moved", "Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}
    nuke = {"ID": "nuke", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [kept, nuke, moved]})
    of = {"bucketName": bucket, "Host": f"{bucket}.s3.amazonaws.com"}
    service = {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    when = before.strftime("%Y-%m-%dT%H:%M:%SZ")
    looks = event("s3", "GetBucketAcl", of | {"acl": ""}, userIdentity=service, eventTime=when, readOnly=True)
    shortens = event("s3", "PutBucketLifecycle", of | {"lifecycle": "", "LifecycleConfiguration": {"Rule": [kept, nuke]}})
    return Case("trail-retention-shortened", about=bucket, records=[looks, shortens])

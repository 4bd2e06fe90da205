"""Encryption of EBS and of KMS keys."""
import boto3

from . import REGION, Case, event, makes

# Of accounts and texts that are not ours.
STRANGER = "444455556666"
TRUSTED = "777788889999"
HOSTILE = [{"Key": "Name", "Value": "it's \"$(id)\" `x`, {}"}, {"Key": "k=v,", "Value": "file:///etc/passwd"}]


def ec2():
    return boto3.client("ec2", region_name=REGION)


def kms():
    return boto3.client("kms", region_name=REGION)


def key(rotated=True):
    made = kms().create_key()["KeyMetadata"]
    if rotated:
        kms().enable_key_rotation(KeyId=made["KeyId"])
    return made["KeyId"], made["Arn"]


def volume(**more):
    """A new volume: what CreateVolume answers."""
    tags = [{"ResourceType": "volume", "Tags": HOSTILE}]
    how = {"VolumeType": "gp3", "Size": 12, "Iops": 4000, "Throughput": 250, "TagSpecifications": tags} | more
    return ec2().create_volume(AvailabilityZone=f"{REGION}a", **how)


def attached(volume_id, device="/dev/sdf"):
    """A new instance that has the volume."""
    place = {"AvailabilityZone": f"{REGION}a"}
    made = ec2().run_instances(ImageId="ami-0e2c000000000000a", MinCount=1, MaxCount=1, Placement=place)["Instances"][0]["InstanceId"]
    ec2().attach_volume(VolumeId=volume_id, InstanceId=made, Device=device)
    return made


def snapshot(encrypted=False):
    tags = [{"ResourceType": "snapshot", "Tags": HOSTILE}]
    of = volume(Encrypted=encrypted)["VolumeId"]
    return ec2().create_snapshot(VolumeId=of, Description="file:///etc/passwd", TagSpecifications=tags)["SnapshotId"]


def shared(with_accounts, with_all=False):
    """A new snapshot that is shared, and the record of that."""
    made = snapshot()
    groups = {"GroupNames": ["all"]} if with_all else {}
    ec2().modify_snapshot_attribute(
        SnapshotId=made, Attribute="createVolumePermission", OperationType="add", UserIds=with_accounts, **groups
    )
    items = [{"userId": one} for one in with_accounts] + ([{"group": "all"}] if with_all else [])
    request = {"snapshotId": made, "createVolumePermission": {"add": {"items": items}}, "attributeType": "CREATE_VOLUME_PERMISSION"}
    return made, event("ec2", "ModifySnapshotAttribute", request, {"requestId": "1", "_return": True})


@makes("ebs-default-encryption-disabled")
def default_encryption_disabled():
    ec2().disable_ebs_encryption_by_default()
    answer = {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "requestId": "1", "ebsEncryptionByDefault": False}
    record = event(
        "ec2", "DisableEbsEncryptionByDefault", {"DisableEbsEncryptionByDefaultRequest": ""}, {"DisableEbsEncryptionByDefaultResponse": answer}
    )
    return Case("ebs-default-encryption-disabled", record=record)


@makes("ebs-default-encryption-off")
def default_encryption_off():
    ec2().disable_ebs_encryption_by_default()
    return Case("ebs-default-encryption-off")


@makes("ebs-snapshot-shared")
def snapshot_is_shared():
    bad, _ = shared([STRANGER, TRUSTED], with_all=True)
    sound, _ = shared([TRUSTED])
    return Case("ebs-snapshot-shared", about=bad, sound=[sound], params={"trusted_accounts": [TRUSTED]})


@makes("ebs-volume-created-unencrypted")
def volume_created_unencrypted():
    made = volume()
    answer = {
        "requestId": "1",
        "volumeId": made["VolumeId"],
        "size": "12",
        "zone": made["AvailabilityZone"],
        "status": "creating",
        "volumeType": "gp3",
        "encrypted": False,
        "tagSet": {"items": [{"key": one["Key"], "value": one["Value"]} for one in HOSTILE]},
    }
    request = {"size": "12", "zone": made["AvailabilityZone"], "volumeType": "gp3", "iops": 4000, "throughput": 250}
    attached(made["VolumeId"])
    return Case("ebs-volume-created-unencrypted", about=made["VolumeId"], record=event("ec2", "CreateVolume", request, answer))


@makes("ebs-volume-key-unusable")
def volume_key_unusable():
    volumes = {}
    for state in ("Disabled", "PendingDeletion", "Enabled"):
        id, arn = key()
        volumes[state] = volume(Encrypted=True, KmsKeyId=arn)["VolumeId"]
        if state == "Disabled":
            kms().disable_key(KeyId=id)
        elif state == "PendingDeletion":
            kms().schedule_key_deletion(KeyId=id, PendingWindowInDays=7)
    sound = volumes.pop("Enabled")
    return [Case("ebs-volume-key-unusable", about=one, sound=[sound]) for one in volumes.values()]


@makes("ebs-volume-unattached")
def volume_unattached():
    sound = volume(Encrypted=True)["VolumeId"]
    attached(sound)
    return Case("ebs-volume-unattached", about=volume()["VolumeId"], sound=[sound])


@makes("ebs-volume-unencrypted")
def volume_unencrypted():
    running, stopped = volume()["VolumeId"], volume()["VolumeId"]
    sound = volume(Encrypted=True)["VolumeId"]
    attached(running)
    ec2().stop_instances(InstanceIds=[attached(stopped)])
    return [Case("ebs-volume-unencrypted", about=one, sound=[sound], stays=True) for one in (running, stopped)]


@makes("kms-key-deletion-scheduled")
def key_deletion_scheduled():
    id, arn = key()
    kms().schedule_key_deletion(KeyId=id, PendingWindowInDays=7)
    answer = {"keyId": arn, "keyState": "PendingDeletion", "pendingWindowInDays": 7}
    more = {"resources": [{"ARN": arn, "accountId": arn.split(":")[4], "type": "AWS::KMS::Key"}]}
    record = event("kms", "ScheduleKeyDeletion", {"keyId": id, "pendingWindowInDays": 7}, answer, **more)
    return Case("kms-key-deletion-scheduled", about=arn, record=record)


@makes("kms-key-disabled")
def key_disabled():
    id, arn = key()
    kms().disable_key(KeyId=id)
    more = {"resources": [{"ARN": arn, "accountId": arn.split(":")[4], "type": "AWS::KMS::Key"}]}
    return Case("kms-key-disabled", about=arn, record=event("kms", "DisableKey", {"keyId": id}, {"keyId": arn}, **more))


@makes("kms-key-pending-deletion")
def key_pending_deletion():
    id, arn = key()
    kms().schedule_key_deletion(KeyId=id, PendingWindowInDays=7)
    return Case("kms-key-pending-deletion", about=arn, sound=[key()[1]])


@makes("kms-key-unusable")
def key_unusable():
    id, arn = key()
    volume(Encrypted=True, KmsKeyId=arn)
    kms().disable_key(KeyId=id)
    return Case("kms-key-unusable", about=arn, sound=[key()[1]])


@makes("kms-rotation-off")
def rotation_off():
    return Case("kms-rotation-off", about=key(rotated=False)[1], sound=[key()[1]])


@makes("snapshot-shared")
def snapshot_shared():
    made, record = shared([STRANGER], with_all=True)
    return Case("snapshot-shared", about=made, record=record)

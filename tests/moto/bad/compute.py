"""Instances: their metadata, their roles, their user data."""
import boto3

from . import ACCOUNT, REGION, Case, event, makes
from .access import as_role, at, iam, principals, role


def ec2():
    return boto3.client("ec2", region_name=REGION)


def launch(count=1, kind="t3.micro", tokens="required", **more):
    """Starts instances that are as they should be; their ids."""
    made = ec2().run_instances(
        ImageId="ami-0aaa1111bbbb2222c", InstanceType=kind, MinCount=count, MaxCount=count, MetadataOptions={"HttpTokens": tokens}, **more
    )
    return [one["InstanceId"] for one in made["Instances"]]


def profile(name):
    """An instance profile with a role of its own, both of that name; its ARN."""
    arn = iam().create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
    iam().add_role_to_instance_profile(InstanceProfileName=name, RoleName=role(name))
    return arn


@makes("imds-weakened")
def tokens_made_optional():
    [instance] = launch()
    ec2().modify_instance_metadata_options(InstanceId=instance, HttpTokens="optional", HttpEndpoint="enabled")
    record = event(
        "ec2", "ModifyInstanceMetadataOptions",
        {"ModifyInstanceMetadataOptionsRequest": {"InstanceId": instance, "HttpTokens": "optional", "HttpEndpoint": "enabled"}},
        {"ModifyInstanceMetadataOptionsResponse": {"instanceId": instance}},
    )
    return Case("imds-weakened", about=instance, record=record)


@makes("imdsv1-allowed")
def tokens_optional():
    [allows], [sound] = launch(tokens="optional"), launch()
    return Case("imdsv1-allowed", about=allows, sound=[sound])


def calls_of_instance(name, addresses):
    """An instance with a role of that name, and calls by its credentials; its id, the records."""
    [instance] = launch(IamInstanceProfile={"Arn": profile(name)})
    identity = as_role(name, session=instance)
    identity["sessionContext"]["ec2RoleDelivery"] = "2.0"
    # A second after the launch: what was before it is not the instance's.
    return instance, [
        event("s3", "ListBuckets", None, None, userIdentity=identity, readOnly=True, sourceIPAddress=address, eventTime=at(seconds=-1))
        for address in addresses
    ]


@makes("instance-credentials-from-two-addresses")
def credentials_from_two_addresses():
    instance, records = calls_of_instance("called-from-two", ["203.0.113.70", "203.0.113.71"])
    return Case("instance-credentials-from-two-addresses", about=instance, records=records)


@makes("instance-credentials-used-elsewhere")
def credentials_elsewhere():
    instance, records = calls_of_instance("called-from-elsewhere", ["203.0.113.72"])
    return Case("instance-credentials-used-elsewhere", about=instance, records=records)


@makes("instance-profile-swapped")
def profile_swapped():
    [instance], arn = launch(), profile("swapped")
    made = ec2().associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={"Arn": arn})["IamInstanceProfileAssociation"]
    answer = {
        "instanceId": instance,
        "associationId": made["AssociationId"],
        "state": "associating",
        "iamInstanceProfile": {"id": made["IamInstanceProfile"]["Id"], "arn": arn},
    }
    record = event(
        "ec2", "AssociateIamInstanceProfile",
        {"AssociateIamInstanceProfileRequest": {"InstanceId": instance, "IamInstanceProfile": {"Name": "swapped"}}},
        {"AssociateIamInstanceProfileResponse": {"iamInstanceProfileAssociation": answer}},
    )
    return Case("instance-profile-swapped", about=instance, record=record)


@makes("instance-public-with-profile")
def public_with_profile():
    # The subnets of the default VPC give public addresses.
    [both], [no_profile] = launch(), launch()
    ec2().associate_iam_instance_profile(InstanceId=both, IamInstanceProfile={"Arn": profile("public")})
    return Case("instance-public-with-profile", about=both, sound=[no_profile])


@makes("instance-type-unusual")
def unusual_type():
    ids = launch(count=2, kind="p3.2xlarge")
    record = event(
        "ec2", "RunInstances",
        {
            "instancesSet": {"items": [{"imageId": "ami-0aaa1111bbbb2222c", "minCount": 2, "maxCount": 2}]},
            "instanceType": "p3.2xlarge",
        },
        {"instancesSet": {"items": [{"instanceId": one} for one in ids]}},
    )
    return Case("instance-type-unusual", about=ids[0], record=record)


def reads(name, instance, **request):
    def records(identity):
        return [event("ec2", name, {"instanceId": instance} | request, {"requestId": "1"}, userIdentity=identity, readOnly=True)]

    return records


@makes("password-data-read")
def password_read():
    [instance] = launch()
    return principals("password-data-read", reads("GetPasswordData", instance))


@makes("user-data-read")
def user_data_read():
    [instance] = launch(UserData="#!/bin/sh\nexport PASSWORD=secret\n")
    return principals("user-data-read", reads("DescribeInstanceAttribute", instance, attribute="userData"))

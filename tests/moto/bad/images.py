"""Images."""
import boto3

from . import ACCOUNT, REGION, Case, event, makes

STRANGER = "444455556666"
TRUSTED = "777788889999"
ORGANIZATION = f"arn:aws:organizations::{STRANGER}:organization/o-123abcd456"
UNIT = f"arn:aws:organizations::{STRANGER}:ou/o-123abcd456/ou-1234-5example"


def ec2():
    return boto3.client("ec2", region_name=REGION)


def image(name, *permissions):
    """A new image that they may launch."""
    of = ec2().run_instances(ImageId="ami-0e3d000000000000a", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    made = ec2().create_image(InstanceId=of, Name=name)["ImageId"]
    if permissions:
        ec2().modify_image_attribute(ImageId=made, LaunchPermission={"Add": list(permissions)})
    return made


@makes("image-public")
def image_public():
    bad, sound = image("image-public-bad", {"Group": "all"}), image("image-public-sound", {"UserId": STRANGER})
    return Case("image-public", about=bad, sound=[sound])


@makes("image-shared")
def image_shared():
    made = image("image-shared", {"Group": "all"}, {"UserId": STRANGER}, {"OrganizationArn": ORGANIZATION}, {"UserId": TRUSTED})
    items = [{"group": "all"}, {"userId": STRANGER}, {"organizationArn": ORGANIZATION}]
    request = {"imageId": made, "launchPermission": {"add": {"items": items}}, "attributeType": "launchPermission"}
    record = event("ec2", "ModifyImageAttribute", request, {"requestId": "1", "_return": True})
    return Case("image-shared", about=made, record=record)


@makes("image-shared-outside")
def image_shared_outside():
    shares = {"UserId": STRANGER}, {"OrganizationArn": ORGANIZATION}, {"OrganizationalUnitArn": UNIT}, {"UserId": TRUSTED}
    bad = image("image-shared-outside-bad", *shares)
    sound = image("image-shared-outside-sound", {"UserId": TRUSTED}, {"UserId": ACCOUNT})
    return Case("image-shared-outside", about=bad, sound=[sound], params={"trusted_accounts": [TRUSTED]})

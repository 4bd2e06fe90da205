"""Elastic IPs."""
import datetime

import boto3

from . import ACCOUNT, REGION, Case, event, makes

_NETWORK = []


def ec2():
    return boto3.client("ec2", region_name=REGION)


def network():
    """The VPC and the subnet of all that is made here."""
    if not _NETWORK or not ec2().describe_vpcs(Filters=[{"Name": "vpc-id", "Values": _NETWORK[:1]}])["Vpcs"]:
        vpc = ec2().create_vpc(CidrBlock="10.71.0.0/16")["Vpc"]["VpcId"]
        _NETWORK[:] = vpc, ec2().create_subnet(VpcId=vpc, CidrBlock="10.71.1.0/24")["Subnet"]["SubnetId"]
    return _NETWORK


def address(**tags):
    """A new address, with tags: what it is called, and its number."""
    tags = [{"Key": key, "Value": value} for key, value in tags.items()]
    more = {"TagSpecifications": [{"ResourceType": "elastic-ip", "Tags": tags}]} if tags else {}
    made = ec2().allocate_address(Domain="vpc", **more)
    return made["AllocationId"], made["PublicIp"]


def instance(group=None):
    """A new instance: what it is called, and its interface."""
    more = {"SecurityGroupIds": [group]} if group else {}
    made = ec2().run_instances(ImageId="ami-0e1b000000000000a", MinCount=1, MaxCount=1, SubnetId=network()[1], **more)["Instances"][0]
    return made["InstanceId"], made["NetworkInterfaces"][0]["NetworkInterfaceId"]


def group(name, *permissions):
    made = ec2().create_security_group(GroupName=name, Description=name, VpcId=network()[0])["GroupId"]
    ec2().authorize_security_group_ingress(GroupId=made, IpPermissions=list(permissions))
    return made


def given(allocation, to):
    """Gives an address to an instance: the association, and its record."""
    made = ec2().associate_address(AllocationId=allocation, InstanceId=to)["AssociationId"]
    request = {"allocationId": allocation, "instanceId": to}
    return made, event("ec2", "AssociateAddress", request, {"requestId": "1", "_return": True, "associationId": made})


def taken(association, minutes=5):
    """Takes an address away: the record."""
    ec2().disassociate_address(AssociationId=association)
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)
    request = {"associationId": association}
    more = {"eventTime": then.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return event("ec2", "DisassociateAddress", request, {"requestId": "1", "_return": True}, **more)


def earlier(record, minutes):
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)
    return record | {"eventTime": then.strftime("%Y-%m-%dT%H:%M:%SZ")}


@makes("eip-behind-open-group")
def behind_open_group():
    world = {"CidrIp": "0.0.0.0/0", "Description": "for all: (us), #1 $HOME [x] {y}"}
    first = group(
        "eip-open",
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [world, {"CidrIp": "10.0.0.0/8"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    )
    second = group("eip-web", {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]})
    bad, sound = address(Owner="a")[0], address(Owner="a")[0]
    given(bad, instance(first)[0])
    given(sound, instance(second)[0])
    return Case("eip-behind-open-group", about=bad, sound=[sound])


@makes("eip-churn")
def churn():
    iam = boto3.client("iam")
    iam.create_role(RoleName="eip-churner", Path="/ops/", AssumeRolePolicyDocument="{}")
    role = f"arn:aws:iam::{ACCOUNT}:role/ops/eip-churner"
    session = {
        "type": "AssumedRole",
        "principalId": "AROAEIPCHURNER0000000:eve",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/eip-churner/eve",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEIPCHURNER000000",
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "principalId": "AROAEIPCHURNER0000000", "arn": role, "accountId": ACCOUNT, "userName": "eip-churner"},
            "attributes": {"creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "false"},
        },
    }
    records = []
    for minutes in range(20, 12, -1):
        allocation, public_ip = address(Owner="a")
        answer = {"requestId": "1", "publicIp": public_ip, "domain": "vpc", "allocationId": allocation}
        records.append(earlier(event("ec2", "AllocateAddress", {"domain": "vpc"}, answer, userIdentity=session), minutes))
    return Case("eip-churn", about=role, records=records)


@makes("eip-disassociated")
def disassociated():
    allocation, _ = address(Owner="a")
    association, first = given(allocation, instance()[0])
    return Case("eip-disassociated", about=allocation, records=[earlier(first, 90), taken(association)])


@makes("eip-left-idle")
def left_idle():
    allocation, _ = address(Owner="a")
    association, first = given(allocation, instance()[0])
    # That nothing came for an hour, only a later record tells.
    later = event("ec2", "DescribeAddresses", None, None, readOnly=True)
    return Case("eip-left-idle", about=allocation, records=[earlier(first, 150), taken(association, 90), later])


@makes("eip-on-stopped-instance")
def on_stopped_instance():
    bad, sound = address(Owner="a")[0], address(Owner="a")[0]
    stopped = instance()[0]
    given(bad, stopped)
    given(sound, instance()[0])
    ec2().stop_instances(InstanceIds=[stopped])
    return Case("eip-on-stopped-instance", about=bad, sound=[sound])


@makes("eip-released")
def released():
    allocation, public_ip = address(Owner="a")
    answer = {"requestId": "1", "publicIp": public_ip, "domain": "vpc", "allocationId": allocation}
    first = earlier(event("ec2", "AllocateAddress", {"domain": "vpc"}, answer), 90)
    # What is still named is wanted back.
    group("eip-partner", {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": f"{public_ip}/32"}]})
    ec2().release_address(AllocationId=allocation)
    gone = event("ec2", "ReleaseAddress", {"allocationId": allocation}, {"requestId": "1", "_return": True})
    return Case("eip-released", about=allocation, records=[first, gone])


@makes("eip-taken-from-nat-gateway")
def taken_from_nat_gateway():
    (allocation, public_ip), (vpc, subnet) = address(Owner="a"), network()
    asked = {"ConnectivityType": "public", "AllocationId": allocation, "SubnetId": subnet}
    gateway = ec2().create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    table = ec2().create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2().create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    made = {"natGatewayId": gateway, "subnetId": subnet, "vpcId": vpc, "natGatewayAddressSet": {"item": {"allocationId": allocation}}}
    first = event("ec2", "CreateNatGateway", {"CreateNatGatewayRequest": asked}, {"CreateNatGatewayResponse": {"natGateway": made}})
    ec2().delete_nat_gateway(NatGatewayId=gateway)
    # The stand-in leaves the address where it was.
    for one in ec2().describe_addresses(AllocationIds=[allocation])["Addresses"]:
        if "AssociationId" in one:
            ec2().disassociate_address(AssociationId=one["AssociationId"])
    request = {"DeleteNatGatewayRequest": {"NatGatewayId": gateway}}
    gone = event("ec2", "DeleteNatGateway", request, {"DeleteNatGatewayResponse": {"natGatewayId": gateway}})
    return Case("eip-taken-from-nat-gateway", about=gateway, records=[earlier(first, 90), gone])


@makes("eip-taken-over")
def taken_over():
    allocation, _ = address(Owner="a")
    association, first = given(allocation, instance()[0])
    gone = taken(association)
    _, second = given(allocation, instance()[0])
    return Case("eip-taken-over", about=allocation, records=[earlier(first, 90), gone, second])


@makes("eip-unassociated")
def unassociated():
    bad, sound = address(Owner="a")[0], address(Owner="a")[0]
    given(sound, instance()[0])
    return Case("eip-unassociated", about=bad, sound=[sound])


@makes("eip-without-owner")
def without_owner():
    bad, sound = address()[0], address(Owner="a")[0]
    of_it = instance()[0]
    given(bad, of_it)
    ec2().create_tags(Resources=[of_it], Tags=[{"Key": "Team", "Value": 'file:///etc/passwd", "x": $(id)'}])
    return Case("eip-without-owner", about=bad, sound=[sound])

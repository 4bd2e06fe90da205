"""Security groups, network ACLs and routes."""
import boto3

from . import REGION, Case, event, makes


def ec2():
    return boto3.client("ec2", region_name=REGION)


def vpc():
    return ec2().create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def default_of(vpc_id):
    """The default security group of a VPC."""
    of_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    return ec2().describe_security_groups(Filters=of_vpc)["SecurityGroups"][0]


@makes("default-security-group-open")
def default_group_has_rules():
    has, emptied = default_of(vpc()), default_of(vpc())
    more = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "it's"}]}
    ec2().authorize_security_group_ingress(GroupId=has["GroupId"], IpPermissions=[more])
    for permissions, revoke in (
        (emptied["IpPermissions"], ec2().revoke_security_group_ingress),
        (emptied["IpPermissionsEgress"], ec2().revoke_security_group_egress),
    ):
        if permissions:
            revoke(GroupId=emptied["GroupId"], IpPermissions=permissions)
    return Case("default-security-group-open", about=has["GroupId"], sound=[emptied["GroupId"]])


def acl_of(vpc_id):
    """The ACL that AWS makes with a VPC: it lets in everything."""
    return ec2().describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["NetworkAcls"][0]["NetworkAclId"]


@makes("network-acl-open")
def acl_open():
    of = vpc()
    # One that somebody makes lets in nothing.
    sound = ec2().create_network_acl(VpcId=of)["NetworkAcl"]["NetworkAclId"]
    ec2().create_network_acl_entry(
        NetworkAclId=sound, RuleNumber=100, Protocol="6", RuleAction="allow", Egress=False, CidrBlock="0.0.0.0/0",
        PortRange={"From": 443, "To": 443},
    )
    return Case("network-acl-open", about=acl_of(vpc()), sound=[sound])


@makes("network-acl-opened")
def acl_opened():
    """A rule for SSH from everywhere by IPv4, one for everything by IPv6."""
    ssh, everything = (ec2().create_network_acl(VpcId=vpc())["NetworkAcl"]["NetworkAclId"] for _ in range(2))
    ec2().create_network_acl_entry(
        NetworkAclId=ssh, RuleNumber=50, Protocol="6", RuleAction="allow", Egress=False, CidrBlock="0.0.0.0/0",
        PortRange={"From": 22, "To": 22},
    )
    ec2().create_network_acl_entry(
        NetworkAclId=everything, RuleNumber=51, Protocol="-1", RuleAction="allow", Egress=False, Ipv6CidrBlock="::/0"
    )
    requests = [
        {
            "networkAclId": ssh, "ruleNumber": 50, "egress": False, "ruleAction": "allow", "icmpTypeCode": {},
            "portRange": {"from": 22, "to": 22}, "aclProtocol": "6", "cidrBlock": "0.0.0.0/0",
        },
        {
            "networkAclId": everything, "ruleNumber": 51, "egress": False, "ruleAction": "allow", "icmpTypeCode": {},
            "portRange": {}, "aclProtocol": "-1", "ipv6CidrBlock": "::/0",
        },
    ]
    return [
        Case(
            "network-acl-opened", about=request["networkAclId"],
            record=event("ec2", "CreateNetworkAclEntry", request, {"requestId": "1", "_return": True}),
        )
        for request in requests
    ]


@makes("route-to-internet-added")
def routes_added():
    cases = []
    for member, destination in (("destinationCidrBlock", "0.0.0.0/0"), ("destinationIpv6CidrBlock", "::/0")):
        of = vpc()
        gateway = ec2().create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2().attach_internet_gateway(VpcId=of, InternetGatewayId=gateway)
        table = ec2().create_route_table(VpcId=of)["RouteTable"]["RouteTableId"]
        ec2().create_route(RouteTableId=table, GatewayId=gateway, **{member[0].upper() + member[1:]: destination})
        request = {"routeTableId": table, member: destination, "gatewayId": gateway}
        record = event("ec2", "CreateRoute", request, {"requestId": "1", "_return": True})
        cases.append(Case("route-to-internet-added", about=table, record=record))
    return cases


OPEN = [
    {
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "it's \"mine\""}, {"CidrIp": "10.0.0.0/8"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
    },
    {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
]


def group(name, permissions):
    made = ec2().create_security_group(GroupName=name, Description="web", VpcId=vpc())["GroupId"]
    ec2().authorize_security_group_ingress(GroupId=made, IpPermissions=permissions)
    return made


@makes("security-group-open-to-world")
def group_open():
    return Case("security-group-open-to-world", about=group("open", OPEN), sound=[group("web-alone", OPEN[2:])])


def as_recorded(permission):
    """A permission as CloudTrail writes it."""
    ports = {"fromPort": permission["FromPort"], "toPort": permission["ToPort"]} if "FromPort" in permission else {}
    blocks = [
        {"cidrIp": one["CidrIp"]} | ({"description": one["Description"]} if "Description" in one else {})
        for one in permission["IpRanges"]
    ]
    of_six = [{"cidrIpv6": one["CidrIpv6"]} for one in permission.get("Ipv6Ranges", [])]
    return {
        "ipProtocol": permission["IpProtocol"], **ports, "groups": {}, "ipRanges": {"items": blocks},
        "ipv6Ranges": {"items": of_six} if of_six else {}, "prefixListIds": {},
    }


@makes("security-group-opened-to-world")
def group_opened():
    opened = group("opened", OPEN)
    request = {"groupId": opened, "ipPermissions": {"items": [as_recorded(one) for one in OPEN]}}
    record = event("ec2", "AuthorizeSecurityGroupIngress", request, {"requestId": "1", "_return": True})
    return Case("security-group-opened-to-world", about=opened, record=record)

"""Users, roles, keys, passwords and second factors."""
import datetime
import json

import boto3

from . import ACCOUNT, Case, event, makes

ARN = f"arn:aws:iam::{ACCOUNT}"
PASSWORD = "Aa1-correct-horse-battery"


def iam():
    return boto3.client("iam")


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EVERYTHING = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
LITTLE = document({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
EC2_MAY = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def at(**earlier):
    """The time so much earlier than now, as CloudTrail writes it."""
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**earlier)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def user(name, password=False):
    iam().create_user(UserName=name)
    if password:
        iam().create_login_profile(UserName=name, Password=PASSWORD)
    return name


def role(name, trust=EC2_MAY):
    iam().create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    return name


def as_user(name):
    """The `userIdentity` of calls by a key of the user."""
    return {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE0000000001",
        "arn": f"{ARN}:user/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAEXAMPLE000000001",
        "userName": name,
    }


def as_role(name, session="eve"):
    """The `userIdentity` of calls of a session of the role."""
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE0000000001:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLE000000001",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLE0000000001",
                "arn": f"{ARN}:role/{name}",
                "accountId": ACCOUNT,
                "userName": name,
            },
            "attributes": {"creationDate": at(hours=1), "mfaAuthenticated": "false"},
        },
    }


def principals(policy, records, **more):
    """A case of a role and one of a user: `records` gives the calls of a `userIdentity`."""
    return [
        Case(policy, about=f"{ARN}:role/{role(policy)}", records=records(as_role(policy)), **more),
        Case(policy, about=f"{ARN}:user/{user(policy)}", records=records(as_user(policy)), **more),
    ]


@makes("access-key-created-for-another")
def key_for_another():
    key = iam().create_access_key(UserName=user("key-for-another"))["AccessKey"]
    answer = {"userName": key["UserName"], "accessKeyId": key["AccessKeyId"], "status": "Active"}
    record = event("iam", "CreateAccessKey", {"userName": key["UserName"]}, {"accessKey": answer})
    return Case("access-key-created-for-another", about=key["AccessKeyId"], record=record)


@makes("access-key-from-two-networks")
def key_in_two_places():
    key = iam().create_access_key(UserName=user("key-in-two-places"))["AccessKey"]["AccessKeyId"]
    identity = as_user("key-in-two-places") | {"accessKeyId": key}
    records = [
        event("sts", "GetCallerIdentity", None, None, userIdentity=identity, readOnly=True, sourceIPAddress=address, eventTime=at(minutes=ago))
        for address, ago in (("198.51.100.7", 30), ("203.0.113.50", 20), ("198.51.100.7", 10))
    ]
    return Case("access-key-from-two-networks", about=key, records=records)


@makes("access-key-old")
def key_old():
    """Keys are old by the time of the scan."""
    name = user("key-old")
    old, off = (iam().create_access_key(UserName=name)["AccessKey"]["AccessKeyId"] for _ in range(2))
    iam().update_access_key(UserName=name, AccessKeyId=off, Status="Inactive")
    return Case("access-key-old", about=old, sound=[off])


@makes("admin-policy-attached")
def administrators():
    """One of each way to become an administrator."""
    c = iam()
    policy = c.create_policy(PolicyName="administrators", PolicyDocument=EVERYTHING)["Policy"]["Arn"]
    made = []

    def given(call, about, request, response=None):
        made.append(Case("admin-policy-attached", about=about, record=event("iam", call, request, response)))

    for kind in ("user", "role", "group"):
        attached, written = f"attached-{kind}", f"written-{kind}"
        for name in (attached, written):
            if kind == "group":
                c.create_group(GroupName=name)
            else:
                {"user": user, "role": role}[kind](name)
        named = f"{kind.title()}Name"
        getattr(c, f"attach_{kind}_policy")(**{named: attached, "PolicyArn": policy})
        given(f"Attach{kind.title()}Policy", f"{ARN}:{kind}/{attached}", {f"{kind}Name": attached, "policyArn": policy})
        getattr(c, f"put_{kind}_policy")(**{named: written, "PolicyName": "all", "PolicyDocument": EVERYTHING})
        request = {f"{kind}Name": written, "policyName": "all", "policyDocument": EVERYTHING}
        given(f"Put{kind.title()}Policy", f"{ARN}:{kind}/{written}", request)

    joined = user("joined-administrators")
    c.add_user_to_group(GroupName="attached-group", UserName=joined)
    given("AddUserToGroup", f"{ARN}:user/{joined}", {"groupName": "attached-group", "userName": joined})

    widened = c.create_policy(PolicyName="widened", PolicyDocument=LITTLE)["Policy"]["Arn"]
    version = c.create_policy_version(PolicyArn=widened, PolicyDocument=EVERYTHING, SetAsDefault=True)["PolicyVersion"]
    request = {"policyArn": widened, "policyDocument": EVERYTHING, "setAsDefault": True}
    answer = {"policyVersion": {"versionId": version["VersionId"], "isDefaultVersion": True}}
    given("CreatePolicyVersion", widened, request, answer)
    return made


def sign_in(identity, answer, **more):
    """A sign-in to the console by a password alone."""
    return event(
        "signin", "ConsoleLogin", None, {"ConsoleLogin": answer}, eventType="AwsConsoleSignIn", userIdentity=identity,
        userAgent="Mozilla/5.0",
        additionalEventData={"LoginTo": "https://console.aws.amazon.com/", "MobileVersion": "No", "MFAUsed": "No"},
    ) | more


@makes("console-login-failures")
def sign_ins_failed():
    name = user("guessed", password=True)
    # CloudTrail does not tell the ARN of who could not sign in.
    identity = {"type": "IAMUser", "accountId": ACCOUNT, "accessKeyId": "", "userName": name}
    records = [
        sign_in(identity, "Failure", errorMessage="Failed authentication", sourceIPAddress="203.0.113.60", eventTime=at(minutes=number))
        for number in range(5, 0, -1)
    ]
    return Case("console-login-failures", about=name, records=records)


@makes("console-login-without-mfa")
def sign_in_without_mfa():
    name = user("password-alone", password=True)
    record = sign_in(as_user(name) | {"accessKeyId": ""}, "Success")
    return Case("console-login-without-mfa", about=f"{ARN}:user/{name}", record=record)


@makes("denied-calls-burst")
def refused_calls():
    def records(identity):
        return [
            event(
                "ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}}, None, userIdentity=identity, readOnly=True,
                errorCode="Client.UnauthorizedOperation", errorMessage="You are not authorized to perform this operation.",
                eventTime=at(seconds=20 - number),
            )
            for number in range(10)
        ]

    return principals("denied-calls-burst", records)


@makes("first-use-of-sensitive-call")
def sensitive_call():
    # What shows that there are records of the month before.
    before = event("sts", "GetCallerIdentity", None, None, readOnly=True, eventTime=at(days=40))

    def records(identity):
        name = user(f"made-by-{identity['type']}")
        return [before, event("iam", "CreateUser", {"userName": name}, {"user": {"userName": name}}, userIdentity=identity)]

    return principals("first-use-of-sensitive-call", records)


@makes("key-pair-created")
def key_pair():
    pair = boto3.client("ec2").create_key_pair(KeyName="my laptop")
    answer = {
        "keyName": pair["KeyName"],
        "keyFingerprint": pair["KeyFingerprint"],
        "keyPairId": pair["KeyPairId"],
        "keyMaterial": "<sensitiveDataRemoved>",
    }
    request = {"keyName": pair["KeyName"], "keyType": "rsa", "keyFormat": "pem"}
    return Case("key-pair-created", about=pair["KeyPairId"], record=event("ec2", "CreateKeyPair", request, answer))


@makes("login-profile-created")
def password_given():
    name = user("password-given", password=True)
    answer = {"loginProfile": {"userName": name, "passwordResetRequired": False}}
    record = event("iam", "CreateLoginProfile", {"userName": name, "passwordResetRequired": False}, answer)
    # Whoever gave the second took it back, and signed in meanwhile.
    taken = user("password-given-and-taken")
    also = event("iam", "CreateLoginProfile", {"userName": taken, "passwordResetRequired": False}, answer)
    return [
        Case("login-profile-created", about=f"{ARN}:user/{name}", record=record),
        Case("login-profile-created", about=f"{ARN}:user/{taken}", record=also),
    ]


def device(name, of):
    serial = iam().create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    iam().enable_mfa_device(UserName=of, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321")
    return serial


@makes("mfa-device-deactivated")
def device_taken():
    name = user("device-taken", password=True)
    serial = device("taken", name)
    iam().deactivate_mfa_device(UserName=name, SerialNumber=serial)
    record = event("iam", "DeactivateMFADevice", {"userName": name, "serialNumber": serial})
    return Case("mfa-device-deactivated", about=serial, record=record)


@makes("role-trust-changed")
def trust_changed():
    def may(principal):
        return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}

    account = f"{ARN}:root"
    cases = []
    for name, trust in {
        "trusts-another": document(may({"AWS": ["arn:aws:iam::444455556666:root", account]})),
        "trusts-everybody": document(may("*")),
        "trusts-everybody-in-one": json.dumps({"Version": "2012-10-17", "Statement": may({"AWS": "*"})}),
    }.items():
        role(name)
        iam().update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        record = event("iam", "UpdateAssumeRolePolicy", {"roleName": name, "policyDocument": trust})
        cases.append(Case("role-trust-changed", about=f"{ARN}:role/{name}", record=record))
    return cases


@makes("user-without-mfa")
def no_second_factor():
    user("no-device", password=True)
    device("own", user("has-device", password=True))
    user("has-no-password")
    sound = [f"{ARN}:user/has-device", f"{ARN}:user/has-no-password"]
    return Case("user-without-mfa", about=f"{ARN}:user/no-device", sound=sound)

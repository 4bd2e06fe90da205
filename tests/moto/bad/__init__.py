"""Bad states for the proof: each policy has a function that makes what the policy finds, and what it must not find."""
import dataclasses
import datetime
import importlib
import pkgutil
import uuid
from collections.abc import Callable

ACCOUNT = "123456789012"
REGION = "us-east-1"
_MAKERS = {}


@dataclasses.dataclass
class Case:
    """What a scan must find."""

    policy: str
    # A resource's id, or a value of the finding's context; None where the policy has one finding at most.
    about: str | None = None
    # Ids of resources that the policy must not find.
    sound: list = dataclasses.field(default_factory=list)
    # The event, of a policy that judges events.
    record: dict | None = None
    # The events, where one is not enough.
    records: list = dataclasses.field(default_factory=list)
    # Done once the inventory is collected: what the event tells of, where an inventory from before knows more.
    later: Callable[[], object] | None = None
    # Regions to collect beside `REGION`.
    regions: list = dataclasses.field(default_factory=list)
    # Parameters of the policy.
    params: dict = dataclasses.field(default_factory=dict)
    # The policy's commands only look.
    looks: bool = False
    # Which call moto lacks of the way back, which is not gone then.
    no_way_back: str | None = None
    # What was found stays when it is done, for people to delete: a scan goes on finding it.
    stays: bool = False


def makes(*policies):
    """Marks a function that makes the bad state of these policies, and returns a `Case`, or several."""

    def mark(maker):
        for policy in policies:
            assert policy not in _MAKERS, f"{policy} has two makers"
            _MAKERS[policy] = maker
        return maker

    return mark


def event(source, name, request=None, response=None, **more):
    """A record as CloudTrail would have written it, a minute ago. `more` are members of the record."""
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
    return {
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAMALLORY0000000000",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAMALLORY000000000",
            "userName": "mallory",
        },
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": request,
        "responseElements": response,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    } | more


def _load():
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def policies():
    """The policies that have a maker."""
    _load()
    return sorted(_MAKERS)


def make(wanted):
    """Makes the bad states of these policies; the cases."""
    cases, done = [], set()
    for policy in wanted:
        maker = _MAKERS[policy]
        if maker in done:
            continue
        done.add(maker)
        made = maker()
        cases += [case for case in (made if isinstance(made, list) else [made]) if case.policy in wanted]
    return cases

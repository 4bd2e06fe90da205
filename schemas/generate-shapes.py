#!/usr/bin/env python3
"""Writes schemas/aws-shapes.bin: every service and operation of AWS, what requests and responses hold, and the
`eventSource` by which CloudTrail calls the service.

The facts come from the service models in the Python package botocore (Apache-2.0). Run it in a virtual environment that
has exactly the version named below; the same version gives the same file, byte for byte:

    pip install botocore==1.44.8 && python schemas/generate-shapes.py

With --check it writes nothing, and fails if the file holds anything else than it would write. The file is a head and blocks, each block a zlib stream of UTF-8 text, so that a reader inflates only what it is asked about.

    head      the line "lawbook shapes 1 INDEX NAMES": lengths in bytes of the first two blocks, which follow at once
    INDEX     one line a service, sorted: NAME PROTOCOL LENGTH SPELLING SOURCES DATES. LENGTH is that of its block, in bytes;
              the services' blocks follow the first two in this order. SOURCES are without ".amazonaws.com", separated by
              commas. DATES are the versions of the API whose names CloudTrail may write (2020_05_31), or "-"
    NAMES     one line a service, in the same order: its operations, sorted; "Name~20150331" adds the date in its path
    service   first one line an operation, in the order of NAMES: "REQUEST RESPONSE", "-" for none, then the words
              that stand in every query string of it ("acl"); then an empty line; then one line a shape, which is called by its
              number, from 0

A shape is one of

    {A>t B=wire@q>3      a structure: members in the order of the model, each with its name on the wire if that differs, with
                         letters that say where it is on the wire, and its type
    [Item>t  [>3         a list: what an item is called on the wire, and its type; "[~" when it has no element of its own
    *t                   a map with any keys: the type of its values
    "A<tab>B             text that is one of these

A type is a letter (t text, i integer, n number, b boolean, d time, x bytes, o any document) or the number of a shape. Where
a member is: u path, q query string, h header, p the whole body, a an attribute in XML, f a list without element of its own.

SPELLING has letters: c members are written with a small first letter, k as the model has them, e either way (nothing better
is known); w the one structure of an answer is left out, and its members stand in its place; s events, too, begin with a
small letter.
"""

import json
import pathlib
import re
import sys
import zlib

import botocore
import botocore.loaders

VERSION = "1.44.8"

# `eventSource` where neither the endpoint's prefix nor the name in signatures is the whole truth. From the pages "Logging
# ... API calls using AWS CloudTrail" of the services' guides, and "CloudTrail record contents", which names the exceptions.
SOURCES = {
    "apigateway": "apigateway", "apigatewayv2": "apigateway", "apigatewaymanagementapi": "apigateway execute-api",
    "appstream": "appstream", "bedrock-runtime": "bedrock", "bedrock-agent-runtime": "bedrock", "bedrock-agent": "bedrock",
    "bedrock-data-automation": "bedrock", "bedrock-data-automation-runtime": "bedrock", "cloudwatch": "monitoring",
    "cloudhsmv2": "cloudhsm", "connectparticipant": "connect", "customer-profiles": "profile", "docdb": "rds",
    "dynamodbstreams": "dynamodb", "ecr": "ecr", "ecr-public": "ecr-public", "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing", "es": "es", "opensearch": "es", "opensearchserverless": "aoss",
    "identitystore": "identitystore sso-directory", "iot-data": "iot iotdata", "iotsecuretunneling": "iotsecuredtunneling",
    "lex-models": "lex", "lex-runtime": "lex", "lexv2-models": "lex", "lexv2-runtime": "lex", "mailmanager": "ses",
    "marketplace-catalog": "aws-marketplace marketplacecatalog", "marketplace-entitlement": "aws-marketplace entitlement-marketplace",
    "meteringmarketplace": "aws-marketplace metering-marketplace", "memorydb": "memorydb memory-db", "neptune": "rds",
    "neptunedata": "neptune-db neptune-graph", "pinpoint": "mobiletargeting pinpoint", "pinpoint-email": "ses",
    "pinpoint-sms-voice": "sms-voice", "sms-voice": "sms-voice", "resourcegroupstaggingapi": "tagging", "s3": "s3 s3express",
    "s3control": "s3 s3express s3-outposts", "ses": "ses", "sesv2": "ses", "sso": "sso", "sso-admin": "sso",
    "sso-oidc": "sso sso-oauth", "signin": "signin", "stepfunctions": "states", "timestream-query": "timestream",
    "timestream-write": "timestream", "transcribestreaming": "transcribe",
}

# Services whose records are known to begin members with a small letter whatever the model says, from records and examples
# in the services' guides. Those of the protocols `query` and `ec2` all do.
SMALL = set("""accessanalyzer acm apigateway apigatewayv2 application-autoscaling athena backup batch cloudfront cloudhsm
cloudhsmv2 cloudsearch cloudtrail cloudwatch codebuild codecommit codedeploy codepipeline cognito-identity cognito-idp config
dax directconnect discovery dms ds dynamodb dynamodbstreams ecr ecs efs eks emr es events firehose fsx glacier glue guardduty
health kinesis kms lambda lightsail logs opensearch opsworks organizations ram resourcegroupstaggingapi route53
route53domains route53resolver sagemaker secretsmanager servicecatalog servicediscovery shield snowball sqs ssm stepfunctions
storagegateway support swf transfer waf waf-regional wafv2 workspaces""".split())
# Services whose records keep the capital letter, from the same sources.
CAPITAL = set("account ce devops-guru resource-explorer-2 securityhub".split())
# Services of one family whose records leave out the one structure that an answer holds.
WITHOUT_RESULT = set("rds neptune docdb redshift elasticache".split())

# Versions of CloudFront's API that botocore never had, and that records of CloudTrail's first year do.
EARLIER_OF_CLOUDFRONT = {"2013-11-11", "2013-11-22", "2014-01-31"}

SCALARS = {
    "string": "t", "character": "t", "integer": "i", "long": "i", "float": "n", "double": "n", "boolean": "b",
    "timestamp": "d", "blob": "x",
}
PLACES = {"uri": "u", "querystring": "q", "header": "h", "headers": "h"}
NAME = re.compile(r"^[^\s=@>]+$")


class Service:
    """Writes the shapes of one service that its requests and responses reach."""

    def __init__(self, model):
        self.model = model
        self.numbers = {}
        self.lines = []

    def type_of(self, name):
        shape = self.model["shapes"][name]
        kind = shape["type"]
        if shape.get("document"):
            return "o"
        if kind in SCALARS and not (kind == "string" and shape.get("enum")):
            return SCALARS[kind]
        if name not in self.numbers:
            self.numbers[name] = len(self.lines)
            self.lines.append(None)
            self.lines[self.numbers[name]] = self.line(shape)
        return str(self.numbers[name])

    def line(self, shape):
        if shape["type"] == "structure":
            return "{" + " ".join(self.member(name, ref, shape) for name, ref in shape["members"].items())
        if shape["type"] == "list":
            item = shape["member"]
            flat = "~" if shape.get("flattened") else ""
            return f"[{flat}{item.get('locationName', '')}>{self.type_of(item['shape'])}"
        if shape["type"] == "map":
            return "*" + self.type_of(shape["value"]["shape"])
        values = [value for value in shape["enum"] if "\t" not in value and "\n" not in value]
        return '"' + "\t".join(values)

    def member(self, name, ref, within):
        target = self.model["shapes"][ref["shape"]]
        wire = ref.get("locationName") or name
        places = PLACES.get(ref.get("location"), "")
        places += "p" * (within.get("payload") == name) + "a" * bool(ref.get("xmlAttribute"))
        places += "f" * bool(ref.get("flattened") or target.get("flattened"))
        assert NAME.match(name) and NAME.match(wire), (name, wire)
        wire = f"={wire}" if wire != name else ""
        places = f"@{places}" if places else ""
        return f"{name}{wire}{places}>{self.type_of(ref['shape'])}"

    def text(self):
        operations = []
        for _, operation in sorted(self.model["operations"].items()):
            ends = [self.type_of(operation[end]["shape"]) if end in operation else "-" for end in ("input", "output")]
            query = operation["http"]["requestUri"].partition("?")[2]
            flags = [word.partition("=")[0] for word in query.split("&") if word]
            operations.append(" ".join(ends + flags))
        return "\n".join(operations + [""] + self.lines) + "\n"


def sources(name, metadata):
    if name in SOURCES:
        return SOURCES[name].split()
    prefix, signing = metadata["endpointPrefix"], metadata.get("signingName")
    found = [] if "." in prefix else [prefix]
    if signing and signing not in found and (not found or signing not in BROAD):
        found.append(signing.lower())
    return found or [name]


# Names in signatures that many services share: their own prefix says which one it is.
BROAD = {"execute-api", "servicecatalog", "aws-marketplace", "mgh", "iam", "cloudwatch", "events", "partnercentral"}


def spelling(name, protocol):
    small = name in SMALL or protocol in ("query", "ec2") or name == "s3control"
    return ("c" if small else "k" if name in CAPITAL else "e") + "w" * (name in WITHOUT_RESULT) + "s" * (name == "route53domains")


def dates(name, loader):
    if name != "cloudfront":
        return "-"
    versions = {*EARLIER_OF_CLOUDFRONT, *loader.list_api_versions(name, "service-2")}
    return ",".join(version.replace("-", "_") for version in sorted(versions))


def names(name, model):
    words = []
    for operation, it in sorted(model["operations"].items()):
        date = re.match(r"^/(\d{4})-(\d\d)-(\d\d)/", it["http"]["requestUri"]) if name.startswith("lambda") else None
        words.append(operation + ("~" + "".join(date.groups()) if date else ""))
    return " ".join(words)


def pack(text):
    return zlib.compress(text.encode(), 9)


def unpack(whole):
    """All texts in the file: what is compared, for another zlib may pack the same text into other bytes."""
    head, _, rest = whole.partition(b"\n")
    texts = []
    while rest:
        block = zlib.decompressobj()
        texts.append(block.decompress(rest))
        rest = block.unused_data
    return head.split()[:3], texts


def main():
    if botocore.__version__ != VERSION:
        raise SystemExit(f"botocore {VERSION} is wanted, not {botocore.__version__}: `pip install botocore=={VERSION}`")
    loader = botocore.loaders.Loader(include_default_search_paths=False)
    loader.search_paths.append(str(pathlib.Path(botocore.__file__).with_name("data")))
    index, called, blocks, operations = [], [], [], 0
    for name in sorted(loader.list_available_services("service-2")):
        model = loader.load_service_model(name, "service-2")
        metadata = model["metadata"]
        # Records were settled when the older protocol was the only one.
        protocols = metadata.get("protocols", [metadata["protocol"]])
        protocol = next((p for p in ("query", "json", "rest-json") if p in protocols), metadata["protocol"])
        block = pack(Service(model).text())
        index.append(" ".join([
            name, protocol, str(len(block)), spelling(name, protocol), ",".join(sources(name, metadata)), dates(name, loader),
        ]))
        called.append(names(name, model))
        blocks.append(block)
        operations += len(model["operations"])
    index, called = pack("\n".join(index) + "\n"), pack("\n".join(called) + "\n")
    head = f"lawbook shapes 1 {len(index)} {len(called)}\n".encode()
    whole = head + index + called + b"".join(blocks)
    print(json.dumps({"services": len(blocks), "operations": operations, "bytes": len(whole)}))
    file = pathlib.Path(__file__).with_name("aws-shapes.bin")
    if sys.argv[1:] != ["--check"]:
        file.write_bytes(whole)
    elif unpack(file.read_bytes()) != unpack(whole):
        raise SystemExit(f"{file} is not what the models say: run this without --check")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes schemas/inventory-commands.json: what each read command of the AWS CLI prints, and the kinds that become of it.

The facts come from the service models in the Python package botocore (Apache-2.0), which the AWS CLI itself is made
from. Run it in a virtual environment that has exactly the version named below:

    pip install botocore==1.44.5 && python schemas/generate-inventory.py

Shape of the file, one line a command: {"services": {SERVICE: {COMMAND: {MEMBER: VALUE}}}}. SERVICE and COMMAND are as on
the command line. VALUE says what the member is:

    ""                        a scalar
    "{A B}"                   a structure with these members; "{}" is a map with any
    "[A B]"                   a list of structures with these members; "[]" is a list of scalars
    "kind[A B]", "kind[]"     a list each of whose items is a resource of the kind SERVICE/kind
    "kind[A B]C[D E]"         a list whose items hold the resources in their member C, a list of structures with D and E
    "kind{A B}"               the answer is exactly this structure, which is one resource of the kind SERVICE/kind

"!" before it all says that every answer has the member.

"" as MEMBER says how the whole answer is taken, when there is something to say: the words "kind=X" (a singleton: the whole
answer is one resource of kind SERVICE/X), "argument" (the command must be told what to look at, so its answer proves
nothing about all others) and "view" (another command prints the same kind whole).
"""

import json
import pathlib
import re

import botocore
import botocore.session
from botocore import xform_name
from botocore.model import ServiceModel

VERSION = "1.44.5"
SERVICES = """accessanalyzer acm autoscaling cloudtrail cloudwatch config dynamodb ec2 ecr ecs efs eks elb elbv2 guardduty
iam kms lambda logs organizations rds redshift route53 s3 s3control secretsmanager securityhub securitylake sns sqs ssm
sts wafv2""".split()
CLI_NAMES = {"config": "configservice", "s3": "s3api"}
READS = re.compile(r"^(describe|get|list|search|select|lookup|batch-get|batch-describe)-(.+)$")
# What these print is events, log lines, objects' data or messages, not resources.
NOT_INVENTORY = {
    ("cloudtrail", "lookup-events"), ("cloudtrail", "get-query-results"), ("logs", "get-log-events"),
    ("logs", "filter-log-events"), ("logs", "get-query-results"), ("logs", "get-log-record"), ("s3", "get-object"),
    ("s3", "select-object-content"), ("dynamodb", "batch-get-item"), ("dynamodb", "get-item"),
}
# Lists whose items only group the resources: the member that holds these.
WITHIN = {("ec2", "describe-instances", "Reservations"): "Instances"}
# Members that say how an answer was cut or asked for, not what there is.
ABOUT_THE_ANSWER = re.compile(
    r"^(.*(token|marker)|is_?truncated|truncated|max_?(results|items|keys|uploads|records|parts)|queryinfo"
    r"|lastevaluated(backuparn|globaltablename|tablename)|next.*|count|scannedcount|requestcharged|registryid"
    r"|defaultcertificatefornewlaunches|additionalroutesavailable|responsemetadata)$",
    re.IGNORECASE,
)
FAILURES = re.compile(r"^(unprocessed.*|unsuccessful.*|failures|failed.*|errors|errorslist|notfound.*|.*error(s|list))$", re.IGNORECASE)
RANK = {"describe": 0, "list": 1, "get": 2}


def plural(word):
    if word.endswith(("s", "data", "history")):
        return word
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def kebab(name):
    name = re.sub(r"ARNs$", "Arns", name)
    return xform_name(name[:1].upper() + name[1:], "-")


def list_kind(member, noun):
    """`trailList` -> `trails`; `LoadBalancerDescriptions` of describe-load-balancers -> `load-balancers`."""
    name = kebab(member)
    for suffix in ("-summary-list", "-summaries", "-detail-list", "-details-list", "-list", "-set"):
        if name.endswith(suffix) and len(name) > len(suffix):
            return plural(name[: -len(suffix)])
    for suffix in ("-descriptions", "-information-list", "-infos"):
        if name.endswith(suffix) and plural(name[: -len(suffix)]) == noun:
            return noun
    return name


def names(shape):
    return " ".join(shape.members) if shape.type_name == "structure" else ""


def read_service(loader, service):
    model = ServiceModel(loader.load_service_model(service, "service-2"))
    commands = {}
    for operation_name in model.operation_names:
        command = xform_name(operation_name, "-")
        reads = READS.match(command)
        operation = model.operation_model(operation_name)
        output = operation.output_shape
        if not reads or (service, command) in NOT_INVENTORY or not output or not output.members:
            continue
        verb, noun = reads.groups()
        members = output.members
        lists = [m for m, s in members.items() if s.type_name == "list" and not FAILURES.match(m)]
        structures = [m for m in lists if members[m].member.type_name == "structure"]
        others = [
            m for m, s in members.items()
            if s.type_name != "list" and not ABOUT_THE_ANSWER.match(m) and not (verb == "list" and structures)
        ]
        values, kinds = {}, {}
        for member, shape in members.items():
            if shape.type_name == "list":
                values[member] = f"[{names(shape.member)}]"
                inner = WITHIN.get((service, command, member))
                if inner:
                    shape = shape.member.members[inner]
                    values[member] += f"{inner}[{names(shape.member)}]"
                if member in lists and not others:
                    kinds[member] = (list_kind(inner or member, noun), shape.member.name)
            elif shape.type_name in ("structure", "map"):
                values[member] = "{" + names(shape) + "}"
            else:
                values[member] = ""
        only = [m for m in members if not ABOUT_THE_ANSWER.match(m)]
        single = len(only) == 1 and members[only[0]].type_name == "structure"
        commands[command] = {
            "required": set(output.required_members), "verb": verb, "noun": noun, "values": values, "kinds": kinds,
            "argument": bool(operation.input_shape and operation.input_shape.required_members),
            "singleton": not kinds, "unwrap": only[0] if single else None,
        }
    return commands


def settle(commands):
    """Where two commands print one kind: the same item shape shares it, another shape gives way to its command's name."""
    singles = {}
    for command, it in commands.items():
        if it["singleton"]:
            singles.setdefault(it["noun"], []).append(command)
    for noun, several in singles.items():
        for command in several:
            commands[command]["single"] = noun if len(several) == 1 or command == sorted(several, key=lambda c: (RANK.get(commands[c]["verb"], 3), c))[0] else command
    claims = {}
    for command, it in commands.items():
        for member, (kind, shape) in it["kinds"].items():
            claims.setdefault(kind, []).append((command, member, shape))
    for kind, several in sorted(claims.items()):
        def order(claim):
            it = commands[claim[0]]
            return (it["noun"] != kind, it["argument"], RANK.get(it["verb"], 3), len(claim[0]), claim[0])
        several.sort(key=order)
        keeper = several[0]
        for claim in several:
            command, member, shape = claim
            it = commands[command]
            if claim == keeper:
                continue
            if shape == keeper[2]:
                it["view"] = True
            else:
                only = len(it["kinds"]) == 1
                other = it["noun"] if only else f"{it['noun']}-{kind}"
                in_use = {k for c, i in commands.items() if c != command for k, _ in i["kinds"].values()}
                it["kinds"][member] = (other if other not in in_use else f"{command}" if only else f"{command}-{kind}", shape)
    listed = {kind for it in commands.values() for kind, _ in it["kinds"].values()}
    for command, it in commands.items():
        if it["singleton"] and it["single"] in listed:
            it["single"] = command


def row(it):
    values = {}
    words = []
    if it["singleton"] and not it["unwrap"]:
        words.append(f"kind={it['single']}")
    words += ["argument"] * it["argument"] + ["view"] * it.get("view", False)
    if words:
        values[""] = " ".join(words)
    for member, value in it["values"].items():
        if member in it["kinds"]:
            value = it["kinds"][member][0] + value
        elif it["singleton"] and member == it["unwrap"]:
            value = it["single"] + value
        values[member] = "!" * (member in it["required"]) + value
    return values


def main():
    if botocore.__version__ != VERSION:
        raise SystemExit(f"botocore {VERSION} is wanted, not {botocore.__version__}: `pip install botocore=={VERSION}`")
    loader = botocore.session.get_session().get_component("data_loader")
    lines = []
    for service in sorted(SERVICES, key=lambda s: CLI_NAMES.get(s, s)):
        commands = read_service(loader, service)
        settle(commands)
        rows = [f"{json.dumps(command)}:{json.dumps(row(it), separators=(',', ':'))}" for command, it in sorted(commands.items())]
        lines.append(f"{json.dumps(CLI_NAMES.get(service, service))}:{{\n" + ",\n".join(rows) + "\n}")
    source = {"generator": "schemas/generate-inventory.py", "package": "botocore", "version": VERSION, "licence": "Apache-2.0"}
    text = f'{{"source":{json.dumps(source)},\n"services":{{\n' + ",\n".join(lines) + "\n}}\n"
    json.loads(text)
    pathlib.Path(__file__).with_name("inventory-commands.json").write_text(text)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes what is a fact about formats of others (members, types, what is required, values, limits) in a notation of our own,
without their texts, for `tests/it/formats.rs`:

    generate.py OCSF_SCHEMA_REPOSITORY SARIF_SCHEMA_FILE

OCSF 1.5.0 is read from a clone of github.com/ocsf/ocsf-schema, SARIF 2.1.0 from sarif-schema-2.1.0.json of OASIS, ASFF from
botocore's model of Security Hub and from the limits below, which AWS documents in the API reference.

An object is a map of its members. `name!` is required, `name-` deprecated; the value is a type, or `{"is": type, ...}` with
`values`, `least`, `most` (of numbers, characters or items), `pattern`, `unique`. `[type]` is a list, `{type}` a map to it, and
any other word an object, or one of text, integer, number, bool, time, address, uri, any. `*` is the type of members that are
not named, `?` a list of lists of members: of each at least one must be there.
"""
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def write(name, source, root, objects):
    told = ",\n".join(f"  {json.dumps(of)}: {json.dumps(members, sort_keys=True)}" for of, members in sorted(objects.items()))
    text = f'{{\n "source": {json.dumps(source)},\n "root": {json.dumps(root)},\n "objects": {{\n{told}\n }}\n}}\n'
    (HERE / name).write_text(text)


def ocsf(repository):
    version = "1.5.0"

    def read(path):
        shown = subprocess.run(["git", "-C", repository, "show", f"{version}:{path}"], capture_output=True, text=True)
        return json.loads(shown.stdout) if shown.returncode == 0 else None

    dictionary = read("dictionary.json")
    names = subprocess.run(["git", "-C", repository, "ls-tree", "-r", "--name-only", version], capture_output=True, text=True)
    files = {}
    for path in names.stdout.split("\n"):
        if path.endswith(".json") and path.split("/")[0] in ("objects", "events"):
            files.setdefault((path.split("/")[0], path.split("/")[-1][:-5]), path)
    scalars = {"string_t": "text", "integer_t": "integer", "long_t": "integer", "float_t": "number", "boolean_t": "bool",
               "timestamp_t": "integer", "json_t": "any", "ip_t": "address", "object": "any"}

    def whole(kind, name):
        own = read(files[(kind, name)])
        parent = own.get("extends")
        base = whole(kind, parent) if parent else {"attributes": {}, "constraints": {}}
        members = {key: dict(value) for key, value in base["attributes"].items()}
        for key, value in own.get("attributes", {}).items():
            if key == "$include":
                continue
            members[key] = {**members.get(key, {}), **value}
        return {"attributes": members, "constraints": own.get("constraints") or base["constraints"]}

    objects = {}

    def scalar(name):
        kind = dictionary["types"]["attributes"].get(name, {})
        return scalars.get(name) or scalars.get(kind.get("type"), "text")

    def add(kind, name, as_name, more=None):
        read_whole = whole(kind, name)
        members = {**read_whole["attributes"], **(more or {})}
        out, wanted = {}, []
        for key, value in sorted(members.items()):
            of = dictionary["attributes"].get(key, {})
            kind_name = value.get("type") or of.get("type") or "string_t"
            is_object = not kind_name.endswith("_t") and kind_name != "object"
            told = kind_name if is_object else scalar(kind_name)
            if is_object:
                wanted.append(kind_name)
            enum = {**of.get("enum", {}), **value.get("enum", {})} if value.get("enum") or of.get("enum") else None
            told = f"[{told}]" if of.get("is_array") else told
            if enum and told in ("integer", "text"):
                told = {"is": told, "values": [int(v) if told == "integer" else v for v in enum]}
            if key == "class_uid":
                told = {"is": "integer", "values": [class_uid[as_name]]}
            if key == "category_uid":
                told = {"is": "integer", "values": [2]}
            if key == "type_uid":
                told = {"is": "integer", "values": [class_uid[as_name] * 100 + at for at in (0, 1, 2, 3, 99)]}
            mark = "!" if value.get("requirement") == "required" else "-" if "@deprecated" in value else ""
            out[key + mark] = told
        one_of = (read_whole["constraints"] or {}).get("at_least_one")
        if one_of:
            out["?"] = [one_of]
        objects[as_name] = out
        return wanted

    # Types, objects and members say which kind of observable they are.
    observables = {0, 99}

    def observe(value):
        if isinstance(value, dict):
            observables.update(number for key, number in value.items() if key == "observable" and isinstance(number, int))
            for inner in value.values():
                observe(inner)

    for path in names.stdout.split("\n"):
        if path == "dictionary.json" or path.startswith(("objects/", "events/")) and path.endswith(".json"):
            observe(read(path))

    class_uid = {"detection_finding": 2004, "compliance_finding": 2003}
    cloud = read("profiles/cloud.json")["attributes"]
    wanted = []
    for name in class_uid:
        wanted += add("events", name, name, cloud)
    # What Lawbook has no use for is left out; the test fails where it has.
    used = {"account", "actor", "analytic", "api", "attack", "cloud", "compliance", "evidences", "finding_info", "metadata",
            "network_endpoint", "observable", "product", "remediation", "resource_details", "service", "session",
            "sub_technique", "tactic", "technique", "user"}
    for name in sorted(used):
        add("objects", name, name, {"region": {}, "cloud_partition": {}} if name == "resource_details" else None)
    objects["observable"]["type_id!"]["values"] = sorted(observables)
    write("ocsf-1.5.0.json", "https://github.com/ocsf/ocsf-schema, tag 1.5.0 (Apache-2.0)", "detection_finding", objects)


def sarif(file):
    schema = json.loads(pathlib.Path(file).read_text())
    objects = {}

    def told(value):
        if "$ref" in value:
            return value["$ref"].split("/")[-1]
        kind = value.get("type")
        if isinstance(kind, list):
            kind = next(k for k in kind if k != "null")
        if kind == "array":
            out = {"is": f"[{inner(value.get('items', {}))}]"}
            for ours, theirs in (("least", "minItems"), ("most", "maxItems"), ("unique", "uniqueItems")):
                if value.get(theirs):
                    out[ours] = value[theirs]
            return out if len(out) > 1 else out["is"]
        if kind == "object" or (kind is None and "additionalProperties" in value):
            more = value.get("additionalProperties")
            return "{" + inner(more) + "}" if isinstance(more, dict) else "any"
        formats = {"uri": "uri", "uri-reference": "uri", "date-time": "time"}
        name = {"string": "text", "boolean": "bool", None: "text" if "enum" in value else "any"}.get(kind, kind)
        out = {"is": formats.get(value.get("format"), name)}
        for ours, theirs in (("values", "enum"), ("pattern", "pattern"), ("least", "minimum"), ("most", "maximum")):
            if theirs in value:
                out[ours] = value[theirs]
        return out if len(out) > 1 else out["is"]

    def inner(value):
        name = told(value)
        return name if isinstance(name, str) else name["is"]

    def add(name, value):
        required = value.get("required", [])
        out = {key + ("!" if key in required else ""): told(member) for key, member in value.get("properties", {}).items()}
        groups = [option["required"] for way in ("anyOf", "oneOf") for option in value.get(way, []) if "required" in option]
        if groups:
            out["?"] = [sorted({key for group in groups for key in group})]
        if value.get("additionalProperties") is not False:
            out["*"] = "any"
        objects[name] = out

    for name, value in schema["definitions"].items():
        add(name, value)
    add("log", schema)
    write("sarif-2.1.0.json", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "log", objects)


def asff():
    import botocore.loaders

    shapes = botocore.loaders.Loader().load_service_model("securityhub", "service-2")["shapes"]
    # From the API reference of AwsSecurityFinding and of what it holds: characters, items, pairs.
    limits = {
        ("AwsSecurityFinding", "AwsAccountId"): {"least": 12, "most": 12, "pattern": "^[0-9]{12}$"},
        ("AwsSecurityFinding", "CompanyName"): {"most": 128},
        ("AwsSecurityFinding", "Description"): {"most": 1024},
        ("AwsSecurityFinding", "GeneratorId"): {"most": 512},
        ("AwsSecurityFinding", "Id"): {"most": 512},
        ("AwsSecurityFinding", "ProductArn"): {"least": 12, "most": 2048, "pattern": "^arn:[^:]+:securityhub:[^:]+:[0-9]*:product/"},
        ("AwsSecurityFinding", "ProductFields"): {"most": 50},
        ("AwsSecurityFinding", "ProductName"): {"most": 128},
        ("AwsSecurityFinding", "Resources"): {"least": 1, "most": 32},
        ("AwsSecurityFinding", "SchemaVersion"): {"values": ["2018-10-08"]},
        ("AwsSecurityFinding", "Title"): {"most": 256},
        ("AwsSecurityFinding", "Types"): {"most": 50},
        ("AwsApiCallAction", "Api"): {"most": 128},
        ("AwsApiCallAction", "ServiceName"): {"most": 128},
        ("Compliance", "RelatedRequirements"): {"most": 32},
        ("Note", "Text"): {"most": 512},
        ("Note", "UpdatedBy"): {"most": 512},
        ("Recommendation", "Text"): {"most": 512},
        ("Resource", "Id"): {"most": 512},
        ("Resource", "Region"): {"most": 16},
        ("Resource", "Type"): {"most": 256},
    }
    times = {"FirstObservedAt", "LastObservedAt", "CreatedAt", "UpdatedAt", "FirstSeen", "LastSeen"}
    used = {"Action", "ActionRemoteIpDetails", "AwsApiCallAction", "AwsApiCallActionDomainDetails", "AwsSecurityFinding",
            "Compliance", "FindingProviderFields", "FindingProviderSeverity", "Note", "Recommendation", "Remediation",
            "Resource", "Severity", "Workflow"}
    scalars = {"string": "text", "integer": "integer", "long": "integer", "double": "number", "boolean": "bool"}

    def told(owner, key, name):
        shape = shapes[name]
        kind = shape["type"]
        if kind == "structure":
            out = {"is": name}
        elif kind == "list":
            of = told(owner, "", shape["member"]["shape"])
            out = {"is": "[" + (of if isinstance(of, str) else of["is"]) + "]"}
        elif kind == "map":
            out = {"is": "{text}"}
        else:
            out = {"is": "time" if key in times else scalars.get(kind, "any")}
            if "enum" in shape:
                out["values"] = shape["enum"]
            if shape.get("pattern") == r".*\S.*":
                out["pattern"] = r"\S"
        out.update(limits.get((owner, key), {}))
        return out if len(out) > 1 else out["is"]

    objects = {}
    for name in used:
        required = shapes[name].get("required", [])
        objects[name] = {key + ("!" if key in required else ""): told(name, key, member["shape"])
                         for key, member in shapes[name]["members"].items()}
    write("asff.json", "botocore's model of securityhub (Apache-2.0), and the limits of AWS's API reference", "AwsSecurityFinding", objects)


if __name__ == "__main__":
    ocsf(sys.argv[1])
    sarif(sys.argv[2])
    asff()

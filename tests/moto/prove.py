#!/usr/bin/env python3
"""Proves the remediation of the embedded policies against real clients.

    python3 tests/moto/prove.py --lawbook target/release/lawbook [--only POLICY...] [--keep DIR]

A stand-in of AWS (moto's server, on loopback) is brought into a bad state with boto3; what it holds is collected with the
AWS CLI and `examples/collect-inventory.sh`, scanned, and remediated by the plan that `lawbook remediate` writes, for bash
and then, from the start, for Python. For each policy:

- found: the scan finds what was made bad, and nothing of the policy about what was left sound;
- done: the step of the plan ran, and its own check says so;
- gone: collected again, a policy of inventory finds it no more;
- back: where there is a way back, it ran, and the step's check says that it is to be done again.

`bad/*.py` make bad states; `unsupported.txt` has the policies that this cannot prove, with the reason. A policy that is in
neither fails the run, and so does one that is in both. Everything it needs but Python and the two packages' registry it
makes itself: the virtual environment stands in `target/moto-venv`.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ACCOUNT = "123456789012"
REGION = "us-east-1"
# So far ahead that what is made now is old.
AHEAD = datetime.timedelta(days=400)


def environment():
    """A virtual environment with the pinned packages; its folder of programs."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    venv = target / "moto-venv"
    wanted = (HERE / "requirements.txt").read_text()
    stamp = venv / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing moto, the AWS CLI and boto3", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted)
    return venv / "bin"


class Server:
    """moto's server, empty at first."""

    def __init__(self, programs, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        more = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_ACCOUNT_ID": ACCOUNT}
        command = [programs / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
        self.process = subprocess.Popen(command, env=os.environ | more, stdout=log, stderr=log)
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/", timeout=5).close()
                return
            except OSError:
                time.sleep(0.5)
        raise SystemExit("moto's server does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Cli:
    """The AWS CLI, loaded once; `folder` has the `aws` that asks it."""

    def __init__(self, programs, folder, log):
        self.folder = folder / "bin"
        self.folder.mkdir()
        path = folder / "aws.socket"
        warm = HERE / "warm.py"
        command = [programs / "python", warm, "serve", path]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit("the AWS CLI cannot be loaded")
        aws = self.folder / "aws"
        aws.write_text(f'#!/bin/sh\nexec "{programs}/python" -I -S "{warm}" "{path}" "$@"\n')
        aws.chmod(0o755)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Desk:
    """A folder to work in, and how programs are run there."""

    def __init__(self, folder, lawbook, programs, server, cli):
        self.folder, self.lawbook = folder, lawbook
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LAWBOOK_"))}
        self.env |= {
            "PATH": f"{cli.folder}:{programs}:{os.environ['PATH']}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": server.url,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
            "COLLECT_PAUSE": "0",
            "LAWBOOK_PAUSES": "0 1 2",
        }
        self.python = str(programs / "python")
        self.now = (datetime.datetime.now(datetime.timezone.utc) + AHEAD).strftime("%Y-%m-%dT%H:%M:%SZ")

    def run(self, *command, codes=(0,), log=None):
        """Runs a program; what it printed. Another exit code than these ends the proof."""
        ran = subprocess.run([str(word) for word in command], cwd=self.folder, env=self.env, text=True, capture_output=True)
        if log:
            (self.folder / log).write_text(f"$ {' '.join(map(str, command))}\n{ran.stdout}\n{ran.stderr}\nexit {ran.returncode}\n")
        if codes and ran.returncode not in codes:
            raise SystemExit(f"{command}: exit {ran.returncode}\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")
        return ran.stdout

    def collect(self, name, regions):
        # What moto does not know fails, and is told: exit 1.
        self.run("sh", ROOT / "examples/collect-inventory.sh", "-o", name, "-r", " ".join(regions), codes=(0, 1), log=f"{name}.log")

    def scan(self, *inputs, report):
        self.run(
            self.lawbook, "scan", *inputs, "--pack", ROOT / "policies", "--now", self.now, "--format", "json",
            "--output", report, "--fail-on", "never", "--allow-empty", codes=(0, 2), log=f"{report}.log",
        )
        return json.loads((self.folder / report).read_text())["findings"]


def is_about(finding, case):
    """True if a finding is the one that a case expects."""
    of = [*finding["resources"], finding["record"]["id"], *map(str, finding["context"].values())]
    return finding["policy"] == case.policy and (case.about is None or case.about in of)


def steps(text):
    """What a plan said of its steps when it ran: the number, the lines."""
    parts = re.split(r"^(\d+)\. \[", text, flags=re.M)
    return {int(number): lines for number, lines in zip(parts[1::2], parts[2::2])}


def prove(form, cases, desk, results):
    program, plan = {"sh": ("bash", "plan.sh"), "python": (desk.python, "plan.py")}[form]
    records = [r for case in cases for r in ([case.record] if case.record else []) + case.records]
    (desk.folder / "logs").mkdir()
    (desk.folder / "logs/records.ndjson").write_text("".join(json.dumps(record) + "\n" for record in records))
    params = {}
    for case in cases:
        for name, value in case.params.items():
            params.setdefault(case.policy, {})[name] = value
    (desk.folder / "lawbook.yaml").write_text(json.dumps({"params": params}) + "\n")

    print(f"{form}: collecting", flush=True)
    regions = sorted({REGION, *(region for case in cases for region in case.regions)})
    desk.collect("before", regions)
    for case in cases:
        if case.later:
            case.later()
    findings = desk.scan("logs", "before", report="before.json")
    wanted = []
    for case in cases:
        of_it = [finding for finding in findings if is_about(finding, case)]
        results[case.policy].setdefault("found", bool(of_it))
        if not of_it:
            results[case.policy]["found"] = False
        wanted += of_it
        for sound in case.sound:
            if any(finding["policy"] == case.policy and sound in finding["resources"] for finding in findings):
                results[case.policy]["found"] = f"finds {sound}, which is sound"
    chosen = {finding["fingerprint"]: finding for finding in wanted}
    if not chosen:
        return
    words = [word for fingerprint in chosen for word in ("--fingerprint", fingerprint)]
    remediate = [desk.lawbook, "remediate", "before.json", "--pack", ROOT / "policies", "--limit", "1000", *words]
    desk.run(*remediate, "--format", form, "--output", plan, log="remediate.log")
    told = json.loads(desk.run(*remediate, "--format", "json"))
    number_of = {fingerprint: step["number"] for step in told["steps"] for fingerprint in step["fingerprints"]}
    whole = (desk.folder / plan).read_text()

    print(f"{form}: showing, then applying {len(chosen)} findings", flush=True)
    desk.run(program, plan, log="show.log")
    unchanged = desk.run(program, plan, "--verify", codes=(0, 1), log="verify-before.log")
    applied = desk.run(program, plan, "--apply", "--keep-going", codes=(0, 1), log="apply.log")
    before, after = steps(unchanged), steps(applied)
    print(f"{form}: collecting again", flush=True)
    desk.collect("after", regions)
    left = desk.scan("logs", "after", report="after.json")
    undone_numbers = []
    for case in cases:
        result = results[case.policy]
        for finding in (finding for finding in chosen.values() if is_about(finding, case)):
            number = number_of.get(finding["fingerprint"])
            lines = after.get(number, "")
            looks = case.looks
            if number is None:
                said = "is in no step"
            elif "done, and verified" in lines:
                said = "done" if "STILL TO BE DONE" in before.get(number, "") else "its check passed before"
            elif looks and "done; there is no check of it" in lines:
                said = "looked"
            elif "already so, left alone" in lines:
                said = "its check passed before it was done"
            else:
                said = " ".join(lines.split())[-300:]
            if said == "done" and not (case.record or case.records) and any(is_about(still, case) for still in left):
                said = "done" if case.stays else "done, but a scan still finds it"
            result.setdefault(form, said)
            if said not in ("done", "looked"):
                result[form] = said
            if number is not None and re.search(rf"^(def )?undo_{number}\(", whole, flags=re.M):
                if case.no_way_back:
                    result[f"{form} undo"] = f"not proved: {case.no_way_back}"
                else:
                    undone_numbers.append((number, case.policy))
    if undone_numbers:
        numbers = sorted({number for number, _ in undone_numbers})
        print(f"{form}: going back", flush=True)
        undone = steps(desk.run(program, plan, "--undo", "--keep-going", *numbers, codes=(0, 1), log="undo.log"))
        verified = steps(desk.run(program, plan, "--verify", *numbers, codes=(0, 1), log="verify-after.log"))
        for number, policy in undone_numbers:
            if "   undone" not in undone.get(number, ""):
                said = " ".join(undone.get(number, "did not run").split())[-300:]
            elif "STILL TO BE DONE" in verified.get(number, ""):
                said = "back"
            else:
                said = "back, but its check still passes"
            results[policy].setdefault(f"{form} undo", said)
            if said != "back":
                results[policy][f"{form} undo"] = said


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = options.add_mutually_exclusive_group(required=True)
    what.add_argument("--lawbook", type=pathlib.Path, help="the program")
    what.add_argument("--install", action="store_true", help="only install what is needed")
    options.add_argument("--only", nargs="*", help="only these policies")
    options.add_argument("--form", choices=["sh", "python"], help="only this form")
    options.add_argument("--keep", type=pathlib.Path, help="leave reports, plans and logs in this folder")
    options = options.parse_args()
    programs = environment()
    if options.install:
        return 0
    # The rest runs with the packages.
    if not os.environ.get("LAWBOOK_MOTO"):
        os.environ["LAWBOOK_MOTO"] = "1"
        os.execv(programs / "python", [str(programs / "python"), __file__, *sys.argv[1:]])

    sys.path.insert(0, str(HERE))
    import bad

    unsupported = {}
    for line in (HERE / "unsupported.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            policy, reason = line.split(": ", 1)
            unsupported[policy] = reason
    lawbook = options.lawbook.resolve()
    listed = subprocess.run(
        [str(lawbook), "list", "--pack", str(ROOT / "policies"), "--format", "json"], text=True, capture_output=True, check=True
    )
    policies = sorted(policy["id"] for policy in json.loads(listed.stdout))
    made = bad.policies()
    mistakes = [f"{policy}: has neither a bad state nor a line in unsupported.txt" for policy in policies if policy not in made and policy not in unsupported]
    mistakes += [f"{policy}: is in unsupported.txt, and has a bad state" for policy in made if policy in unsupported]
    mistakes += [f"{policy}: is no policy" for policy in {*made, *unsupported} if policy not in policies]
    if options.only:
        mistakes = [f"{policy}: has no bad state" for policy in options.only if policy not in made]
        made = options.only

    results = {policy: {} for policy in made}
    base = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="lawbook-proof-"))
    forms = [options.form] if options.form else ["sh", "python"]
    for form in forms:
        folder = base / form
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with open(folder / "moto.log", "w") as log:
            server, cli = Server(programs, log), Cli(programs, folder, log)
            try:
                desk = Desk(folder, lawbook, programs, server, cli)
                print(f"{form}: making bad states", flush=True)
                os.environ |= {name: value for name, value in desk.env.items() if name.startswith("AWS_")}
                cases = bad.make(made)
                prove(form, cases, desk, results)
            finally:
                server.stop()
                cli.stop()

    print("\n| policy | found | " + " | ".join(f"{form} | {form}, back" for form in forms) + " |")
    print("|---|---|" + "---|---|" * len(forms))
    for policy in sorted(results):
        result = results[policy]
        if result.get("found") is not True:
            mistakes.append(f"{policy}: {result.get('found') or 'is not found'}")
        cells = [str(result.get("found", False))]
        for form in forms:
            said, back = result.get(form, "did not run"), result.get(f"{form} undo", "no way back")
            cells += [said, back]
            if result.get("found") is True and said not in ("done", "looked"):
                mistakes.append(f"{policy}: {form}: {said}")
            if back not in ("back", "no way back") and not back.startswith("not proved: "):
                mistakes.append(f"{policy}: {form}, back: {back}")
        print(f"| {policy} | " + " | ".join(cells) + " |")
    print(f"\nNot proved, {len(unsupported)} of {len(policies)}:")
    for policy, reason in sorted(unsupported.items()):
        print(f"  {policy}: {reason}")
    if mistakes:
        print(f"\n{len(mistakes)} do not hold (what was done stands in {base}):")
        for mistake in sorted(mistakes):
            print(f"  {mistake}")
        return 1
    if not options.keep:
        shutil.rmtree(base)
    print(f"\n{len(results)} of {len(policies)} proved.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

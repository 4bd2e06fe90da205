#
#   python3 plan.py                  shows what it would do, and changes nothing
#   python3 plan.py --apply [N...]   does the steps in their order, or these; what is already so is left alone
#   python3 plan.py --verify [N...]  looks which steps are still to be done
#   python3 plan.py --undo N...      goes back, last step first, from steps that this plan did (--even-so: from any)
#
# What was done is written into a file beside this one. --keep-going goes on after a step that fails. Credentials are those that boto3 finds; steps of other accounts than
# theirs wait for another run. Exit codes: 0 all is well, 1 a step failed or is still to be done, 2 nothing could be run,
# 3 steps of other accounts wait.
import inspect
import os
import sys
import time
import zlib
from collections import namedtuple

Step = namedtuple("Step", "number account region severity policies title resources impact do verify undo by_hand")
STEPS = []
DONE = __file__ + ".done"
# How long to wait before each look whether a step worked: what AWS tells lags behind what it did.
PAUSES = [float(pause) for pause in os.environ.get("LAWBOOK_PAUSES", "0 2 5 10 20").split()]


def step(*facts, by_hand=None):
    STEPS.append(Step(*facts, by_hand))


def heading(one):
    print(f"\n{one.number}. [{one.severity}] {one.title}")
    print(f"   {one.policies}, {one.account or 'unknown account'} {one.region}")
    if one.resources:
        print(f"   resources: {one.resources}")
    if one.impact:
        print(f"   impact: {one.impact}")


def tell_by_hand(one):
    reason, lines = one.by_hand
    print(f"   by hand: no code, since {reason}")
    for line in lines:
        print(f"     {line}")


def body(function):
    for line in inspect.getsource(function).splitlines()[1:]:
        print(f" {line}".rstrip())


def show():
    for one in STEPS:
        heading(one)
        if one.by_hand:
            tell_by_hand(one)
            continue
        body(one.do)
        if one.verify:
            print("   verified by:")
            body(one.verify)
        if one.undo:
            print("   undone by:")
            body(one.undo)
    print("\nNothing was changed. python3 plan.py --apply does it.")


def is_so(one):
    """True, False, or what went wrong where that cannot be told."""
    if one.verify is None:
        return "there is no check of it"
    try:
        one.verify()
    except AssertionError:
        return False
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return True


def attempt(work):
    """True if it worked; what went wrong is told."""
    try:
        work()
    except Exception as error:
        print(f"   FAILED: {type(error).__name__}: {error}")
        return False
    return True


def mark(one):
    """What a step is known by in the file of what was done."""
    return f"{one.number} {zlib.crc32(inspect.getsource(one.do).encode())}\n"


def is_ours(one):
    try:
        with open(DONE, encoding="utf-8") as file:
            return mark(one) in file
    except FileNotFoundError:
        return False


def apply_one(one):
    if is_so(one) is True:
        print("   already so, left alone")
        return True
    # What fails half-way may have to be undone, too.
    if not is_ours(one):
        with open(DONE, "a", encoding="utf-8") as file:
            file.write(mark(one))
    if not attempt(one.do):
        return False
    if one.verify is None:
        print("   done; there is no check of it")
        return True
    so = False
    for pause in PAUSES:
        time.sleep(pause)
        so = is_so(one)
        if so is True:
            print("   done, and verified")
            return True
    if so is False:
        print("   done, but what was found is STILL THERE")
    else:
        print(f"   done, but NOT VERIFIED: {so}")
    return False


def verify_one(one):
    so = is_so(one)
    if so is True:
        print("   is so")
    elif so is False:
        print("   STILL TO BE DONE")
    else:
        print(f"   cannot be told: {so}")
    return so is True


def undo_one(one, even_so):
    if one.undo is None:
        print("   there is NO WAY BACK that code could go")
        return False
    if not even_so and not is_ours(one):
        print("   this plan did NOT DO it, so it is left alone (--even-so undoes it)")
        return False
    if not attempt(one.undo):
        return False
    print("   undone")
    return True


def main(words):
    mode, keep_going, even_so, chosen = "show", False, False, set()
    known = {str(one.number): one.number for one in STEPS}
    for word in words:
        if word in ("--apply", "--verify", "--undo"):
            mode = word[2:]
        elif word == "--keep-going":
            keep_going = True
        elif word == "--even-so":
            even_so = True
        elif word in ("-h", "--help"):
            with open(__file__, encoding="utf-8") as file:
                for line in list(file)[1:]:
                    if not line.startswith("#"):
                        break
                    print(line[1:].rstrip().removeprefix(" "))
            return 0
        elif word in known:
            chosen.add(known[word])
        else:
            print(f"there is no step and no flag {word} (try: --help)", file=sys.stderr)
            return 2
    if sys.flags.optimize:
        # Then nothing is asserted, and everything would be so already.
        print("the checks are assertions, which -O and PYTHONOPTIMIZE switch off (try: without them)", file=sys.stderr)
        return 2
    if not STEPS:
        print("There is nothing to do.")
        return 0
    if mode == "show":
        show()
        return 0
    if mode == "undo" and not chosen:
        print("--undo needs the numbers of steps", file=sys.stderr)
        return 2
    try:
        import boto3

        account = boto3.client("sts").get_caller_identity()["Account"]
    except Exception as error:
        print(f"boto3 finds no credentials that work: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    work = {"apply": apply_one, "verify": verify_one, "undo": lambda one: undo_one(one, even_so)}[mode]
    if mode == "apply":
        try:
            with open(DONE, "a", encoding="utf-8"):
                pass
        except OSError as error:
            print(f"what is done could not be written down: {error}", file=sys.stderr)
            return 2
    failed = others = hands = 0
    stopped = None
    for one in reversed(STEPS) if mode == "undo" else STEPS:
        if chosen and one.number not in chosen:
            continue
        heading(one)
        if one.by_hand:
            tell_by_hand(one)
            hands += 1
        elif one.account != account:
            print(f"   waits: the credentials are of {account}")
            others += 1
        elif not work(one):
            failed += 1
            if mode != "verify" and not keep_going:
                stopped = one.number
                break
    print()
    if stopped:
        print(f"Stopped at step {stopped}. Run it again to go on: what is done is left alone.")
    if failed:
        print(f"{failed} failed or still to be done.")
    if hands:
        print(f"{hands} by hand.")
    if others:
        print(f"{others} of other accounts wait for credentials of theirs.")
    if failed or others:
        return 1 if failed else 3
    print("All is well.")
    return 0

#!/usr/bin/env python3
"""Writes schemas/attack-techniques.txt: the ids of ATT&CK's techniques and sub-techniques, and its tactics.

    pip install pysigma==0.11.23 && python3 schemas/generate-attack.py

pySigma carries a table of MITRE ATT&CK for Enterprise; only ids and the names of tactics are taken from it. One line a
technique, `1098 1-7` for T1098 and T1098.001 to T1098.007.
"""

import importlib.metadata
import pathlib

from sigma.data import mitre_attack as attack


def ranges(numbers):
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def main():
    techniques = {}
    for name in attack.mitre_attack_techniques:
        technique, _, sub = name.removeprefix("T").partition(".")
        techniques.setdefault(int(technique), set()).update({int(sub)} if sub else ())
    lines = [
        f"# MITRE ATT&CK for Enterprise {attack.mitre_attack_version}, by pySigma {importlib.metadata.version('pysigma')}",
        "# (c) The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation.",
        "# Made by schemas/generate-attack.py: a technique, and its sub-techniques; then the tactics.",
    ]
    lines += [f"{technique} {ranges(subs)}".rstrip() for technique, subs in sorted(techniques.items())]
    lines += sorted(attack.mitre_attack_tactics.values())
    path = pathlib.Path(__file__).with_name("attack-techniques.txt")
    path.write_text("\n".join(lines) + "\n")


main()

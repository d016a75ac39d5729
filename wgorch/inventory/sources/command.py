"""A command that prints members of the network as JSON; and the contract of every source.

The output is one JSON object with some of these sections, each as in the file::

    {"version": 1,
     "hosts":   {"gw": {"ssh": {"host": "198.51.100.7", "user": "root"}, "subnets": ["10.1.0.0/24"]}},
     "devices": {"phone": {"public_key": "…"}},
     "groups":  {"north": ["gw"]},
     "links":   ["gw -- bcc"],
     "verify":  ["gw -> 10.2.0.1"]}
"""

from __future__ import annotations

from json.decoder import JSONDecodeError
from pathlib import Path

from wgorch.base.local import LATE, MISSING, TooMuch, collect
from wgorch.base.text import visible, without_keys
from wgorch.inventory.nodes import Mapping, Node, Scalar
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.json_nodes import read_json
from wgorch.inventory.sources.permission import Permission
from wgorch.inventory.sources.section import Source

MAX_BYTES = 16 << 20

SECTIONS = ("hosts", "devices", "groups", "links", "verify")
"""What a source may give."""


def read_command(source: Source, permission: Permission, problems: Problems) -> Mapping | None:
    """Run the command in the inventory's folder and read what it prints; None if a problem was added."""
    node, path = source.node, f"{source.path}.command"
    if not permission.allows_command(source.argv):
        words = ", ".join(_yaml_word(word) for word in source.argv)
        problems.add(node, path, "is not run: only you can allow it", permission.fix(f"commands: [[{words}]]"))
        return None
    output = _output(source, permission.folder, problems)
    if output is None:
        return None
    own = problems.of_source(f"output of {source.name}")
    try:
        root = read_json(output, own.name)
    except JSONDecodeError as error:
        at = Scalar(error.lineno, error.colno, "", True, own.name)
        problems.add(at, "", f"not JSON: {error.msg}", f"{source.argv[0]} is to print one JSON object")
        return None
    return checked(root, own.name, problems)


def checked(root: Node, file: str, problems: Problems) -> Mapping | None:
    """The sections of a source; None if a problem was added."""
    if not isinstance(root, Mapping):
        problems.add(root, "", f"expected an object with some of: {', '.join(SECTIONS)}", 'like {"hosts": {…}}')
        return None
    good, found = True, []
    for key, node in root.items:
        if key.text in SECTIONS:
            found.append((key, node))
        elif key.text != "version":
            good = False
            known = f"a source gives some of: {', '.join(SECTIONS)}"
            problems.add(key, key.text, "is no section of a source", known)
        elif not isinstance(node, Scalar) or node.text != "1":
            good = False
            problems.add(node, key.text, "is not 1", "a newer wgorch may read this version")
    return Mapping(root.line, root.column, found, file) if good else None


def _output(source: Source, folder: Path, problems: Problems) -> str | None:
    def add(message: str, fix: str) -> None:
        problems.add(source.node, f"{source.path}.command", message, fix)

    program = source.argv[0]
    try:
        answer = collect(source.argv, str(folder), source.timeout_s, MAX_BYTES)
    except TooMuch:
        add(f"prints more than {MAX_BYTES >> 20} MiB", "print members only")
        return None
    if answer is MISSING:
        add(f"{program} cannot be run", "install it, or name its path; it runs in the inventory's folder")
    elif answer is LATE:
        add(f"took longer than {source.timeout_s:g} s", "see why; timeout: 2min gives it longer")
    elif answer.code:
        lines = answer.errors.strip().split("\n")
        why = without_keys(visible(lines[-1].strip()[:200]))
        add(f"ended with {answer.code}" + (f": {why}" if why else ""), f"run it in {folder} to see why")
    elif not answer.output.strip():
        add("printed nothing", "it is to print one JSON object")
    else:
        return answer.output
    return None


def _yaml_word(word: str) -> str:
    import json
    import re

    return (
        word
        if re.fullmatch(r"[A-Za-z./_-][\w./_-]*", word) and word not in ("no", "yes", "on", "off")
        else json.dumps(word)
    )

"""Faults whose printed fix is carried out."""

from __future__ import annotations

import json
import shlex
from typing import Any

from tests.lab.conftest import INVENTORY, Lab
from tests.lab.faults import Fault

TOOLS = {"conntrack", "ip", "ip6tables", "iptables", "nft", "sysctl", "systemctl", "wg", "wgorch"}


def commands(hint: str) -> list[str]:
    """The commands in a fix, each of which should mend the fault."""
    lines = [line.strip().removeprefix("or: ") for line in hint.split("\n")]
    return [line for line in lines if line.split()[0] in TOOLS]


def carry_out(lab: Lab, host: str, command: str) -> None:
    """Run a fix as a person would paste it: wgorch at the controller, other tools on the host. It must succeed."""
    if command.startswith("wgorch "):
        lab.wgorch(*shlex.split(command)[1:], INVENTORY, "--yes")
        return
    done = lab.world.run(host, "sh", "-c", command, check=False)
    assert done.returncode == 0, f"{host}: {command}: {done.stderr}"


def the_fix_works(lab: Lab, fault: Fault) -> None:
    """Each command in the fix of a fault mends it."""
    number, fixes = 0, [""]
    while number < len(fixes):
        lab.world.sh(fault.machine, fault.make)
        try:
            found = traced(lab, code=1)["finding"]
            assert (fault.host, True) == (found["host"], fault.says in found["problem"]), found
            fixes = commands(found["hint"])
            if fixes:
                carry_out(lab, fault.host, fixes[number])
                assert traced(lab, code=0)["finding"] is None
        finally:
            lab.world.run(fault.machine, "sh", "-c", fault.mend or ":", check=False)
            lab.up(INVENTORY, "--accept-new-key", "bcc")
        number += 1


def traced(lab: Lab, *words: str, code: int) -> Any:
    """The result of a trace from home to target."""
    return json.loads(lab.wgorch("trace", "home", "10.10.13.61", INVENTORY, "--json", *words, code=code).stdout)

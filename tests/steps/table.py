"""Values and helpers that the tables of the steps share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from wgorch.adapters.firewalld import objects
from wgorch.state.change import Command
from wgorch.state.rules import Chain, Rule, rule
from wgorch.state.state import State
from wgorch.state.wireguard import Interface, Peer
from wgorch.steps import all_steps

Row = tuple[str, State, State, list[tuple[str, list[str]]]]
"""A reason, what is wanted, what is there, and the Changes between: sign and commands as text."""

KEY, PEER, OTHER = "k" * 42 + "A=", "p" * 42 + "A=", "q" * 42 + "A="
BASE = State("wgorch:office", "/var/lib/wgorch/office")
WG0 = Interface("wg0", "wgorch:office", 1420, 51820, KEY)
UP = replace(BASE, interfaces={"wg0": WG0})
FWD = Chain("filter", "FORWARD", "wgorch-office-fwd")
MSS = Chain("mangle", "FORWARD", "wgorch-office-mss")
INPUT = Chain("filter", "INPUT", "wgorch-office-in")
NAT = Chain("nat", "POSTROUTING", "wgorch-office-nat")
MAP = Chain("nat", "PREROUTING", "wgorch-office-map")
NETMAP = rule("-d 10.99.13.0/24 -i wg0", BASE.mark, "NETMAP --to 10.10.13.0/24")
RULE = "-4 11902 not from all fwmark 0x7 lookup 7 proto 119"
ACCEPT = rule("-i wg0 -o wg0", BASE.mark, "ACCEPT")
LAN = rule("-d 10.10.13.0/24 -i wg0 -o ens192", BASE.mark, "ACCEPT")
FOREIGN = rule("-s 10.9.0.0/16", "somebody", "ACCEPT")
ZONE = frozenset({"wgo-office interface wg0", "wgo-office-udp port 51820/udp"})
ZONES = frozenset(objects("wgo-office"))
RESTORE = "iptables-restore --wait 10 --noflush"


def make(step: str, want: State, have: State) -> list[tuple[str, list[str]]]:
    """What a step finds: the sign of each Change, and its commands as text."""

    def text(command: Command) -> str:
        return " ".join(command.argv) + (f"\n{command.stdin}" if command.stdin else "")

    return [(c.sign, [text(command) for command in c.commands]) for c in all_steps()[step](want, have)]


def with_peer(
    *nets: str, endpoint: str | None = None, keepalive: int = 0, key: str = PEER, preshared: str = ""
) -> dict[str, Any]:
    return {"peers": {"wg0": {key: Peer(key, nets, endpoint, keepalive, "bcc", preshared)}}}


def with_chain(chain: Chain, *rules: Rule, places: tuple[int, ...] = (1,)) -> State:
    jumps = {chain: places} if places else {}
    return replace(UP, chains={chain: rules}, jumps=jumps, tables=frozenset({chain.table}))


def restored(chain: Chain, *lines: str) -> str:
    return "\n".join([RESTORE, f"*{chain.table}", f":{chain.name} - [0:0]", *lines, "COMMIT"])


JUMP = "-m comment --comment wgorch:office -j"
UNJUMP = f"remove_jump filter FORWARD wgorch:office {FWD.name}"
A = f"-A {FWD.name} {ACCEPT}"
I = f"-I FORWARD 1 {JUMP} {FWD.name}"  # noqa: E741


def rows(table: Mapping[str, list[Row]]) -> list[Any]:
    """A table of steps as parameters of a test."""
    return [pytest.param(step, *row[1:], id=f"{step}: {row[0]}") for step, its in table.items() for row in its]

"""Exit node: all other traffic of the host leaves through another host; what cannot is dropped here, and never leaks.

Rules and routes are those of wg-quick: all but the tunnel's own packets (by their fwmark) look up the network's own
table, after the main table was searched for more than a default route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wgorch.base.sh import Sh, quote, sh
from wgorch.facts.grammar import integer, match
from wgorch.facts.links import ROUTE_KINDS
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import facts_of
from wgorch.state.change import Change, change, command
from wgorch.state.state import ROUTE_PROTO, State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target

FAMILIES = ("-4", "-6")
DETOURS = 10000
"""Added to the number of a network's table: that of its detours."""
DETOUR_PRIORITY = 11880


def exit_routes(want: State, have: State) -> Iterator[Change]:
    """Route all other traffic through the exit node; drop what cannot go there."""
    for route in sorted(want.exit_routes - have.exit_routes):
        family, *words = route.split(" ")
        add = command("ip", family, "route", "replace", *words, "proto", ROUTE_PROTO)
        yield change("+", f"route {route}", "all other traffic would bypass the exit node", add, disruptive=True)
    yield from _detour_rules("+", want.policy_rules - have.policy_rules)
    yield from _detour_rules("-", have.policy_rules - want.policy_rules)
    for rule in sorted(filter(_is_for_exit, want.policy_rules - have.policy_rules)):
        add = command("set_policy_rule", *rule.split(" "))
        renew = [command("renew_endpoints", name) for name in want.interfaces if " fwmark " in rule]
        why = "the tunnel's table would not be looked up"
        yield change("+", f"rule {rule}", why, add, *renew, disruptive=True)
    for rule in sorted(filter(_is_for_exit, have.policy_rules - want.policy_rules)):
        gone = command("delete_policy_rule", *rule.split(" "))
        yield change("-", f"rule {rule}", "the exit node is no longer wanted", gone, disruptive=True)
    for route in sorted(have.exit_routes - want.exit_routes):
        family, *words = route.split(" ")
        drop = command("ip", family, "route", "delete", *words, "proto", ROUTE_PROTO, may_be_absent=True)
        yield change("-", f"route {route}", "the exit node is no longer wanted", drop, disruptive=True)


def _is_for_exit(rule: str) -> bool:
    return " iif " not in rule


def _detour_rules(sign: str, rules: frozenset[str]) -> Iterator[Change]:
    """Rules of a relay about what its spokes send to a spoke that it does not hear."""
    for rule in sorted(rule for rule in rules if not _is_for_exit(rule)):
        family, priority, *words = rule.split(" ")
        verb, why = (
            ("set", "a spoke that another relay hears") if sign == "+" else ("delete", "there is no other relay")
        )
        # As it is shown, and as it is given.
        given = ("protocol" if word == "proto" else word for word in words)
        make = command(f"{verb}_detour_rule", family, "priority", priority, *given)
        yield change(sign, f"rule {rule}", why, make)


def used_by_other(answers: Answers, table: int) -> bool:
    """True if another network of wgorch routes the host's other traffic: rules look up its table, and not `table`."""
    looked_up = {
        int(hit[1]) for f in FAMILIES for line in answers.get(f"policy {f}", []) for hit in _LOOKUP.finditer(line)
    }
    return bool(looked_up) and table not in looked_up


_EXIT = r"[a-z0-9:./_ -]{1,200}"
_DETOUR = r"[^\x00-\x1f\x7f]{1,200}"
"""Texts of rules; one about an interface has its name, which may have any characters."""

_LOOKUP = re.compile(rf"lookup (119[0-9]{{4}}) proto {ROUTE_PROTO}\b")
"""A rule that looks up the table of a network of wgorch."""


def _read(answers: Answers) -> Slice:
    # Rules that look up the main table do not say whose they are.
    table = integer(facts_of(answers).get("table") or "0")
    others = used_by_other(answers, table)
    found = (f"{f} {rule}" for f in FAMILIES for rule in _rules(answers.get(f"policy {f}", [])))
    detours = f" lookup {table + DETOURS} "
    return {
        "policy_rules": frozenset(rule for rule in found if (not others if _is_for_exit(rule) else detours in rule)),
        "exit_routes": frozenset(f"{f} {route}" for f in FAMILIES for route in _routes(answers, f)),
    }


def _rules(lines: list[str]) -> Iterator[str]:
    """Policy rules with wgorch's protocol number, as iproute2 prints them."""
    for line in lines:
        priority, _, words = line.partition(":")
        # A rule about an interface that is away takes effect when it is back.
        rule = " ".join(words.split()).replace(" [detached]", "")
        if rule.endswith(f"proto {ROUTE_PROTO}"):
            yield f"{integer(priority)} {match(_EXIT if _is_for_exit(rule) else _DETOUR, rule)}"


def _routes(answers: Answers, family: str) -> Iterator[str]:
    """Routes of the network's own table, as ``ip route`` takes them."""
    table = facts_of(answers).get("table", "")
    for line in answers.get(f"exit-routes {family}", []):
        words = line.split()
        kind = [words.pop(0)] if words[0] in ROUTE_KINDS else []
        after = dict(zip(words[1:], words[2:], strict=False))
        if after.get("proto") == str(ROUTE_PROTO):
            dev = ["dev", after["dev"]] if "dev" in after and not kind else []
            metric = ["metric", after["metric"]] if kind and "metric" in after else []
            yield " ".join([*kind, match(r"default|[0-9a-f:./]{2,50}", words[0]), *dev, *metric, "table", table])


def _target(target: Target) -> Slice:
    detours = frozenset(_rules_for_detours(target)) if target.desired.detours else frozenset()
    if not target.desired.host.exit:
        return {"policy_rules": detours, "exit_routes": frozenset()}
    families = FAMILIES if target.facts.has_ipv6 else FAMILIES[:1]
    return {
        "policy_rules": detours | frozenset(rule for family in families for rule in _rules_for(target, family)),
        "exit_routes": frozenset(route for family in families for route in _routes_for(target, family)),
    }


def _rules_for(target: Target, family: str) -> Iterator[str]:
    table, ssh_port = target.network.table, target.facts.system.ssh_port
    if ssh_port:
        # sshd's replies keep the main table, so that an SSH session from outside stays up.
        yield f"{family} 11900 from all ipproto tcp sport {ssh_port} lookup main proto {ROUTE_PROTO}"
    yield f"{family} 11901 from all lookup main suppress_prefixlength 0 proto {ROUTE_PROTO}"
    yield f"{family} 11902 not from all fwmark {table:#x} lookup {table} proto {ROUTE_PROTO}"


def _rules_for_detours(target: Target) -> Iterator[str]:
    """What spokes send, and machines in the relay's own LANs; never what the relay itself or another one sends.

    The relay's own answers must reach the spoke directly: they are how it learns that the relay is back.
    """
    for version in sorted({subnet.version for subnet in target.network.subnets}):
        into = (interface for lan, interface in target.lan_interfaces.items() if lan.version == version)
        for name in dict.fromkeys((target.tunnel, *into)):
            rule = f"from all iif {name} lookup {target.network.detour_table} proto {ROUTE_PROTO}"
            yield f"-{version} {DETOUR_PRIORITY} {rule}"


def _routes_for(target: Target, family: str) -> Iterator[str]:
    table, desired = target.network.table, target.desired
    if any(f"-{subnet.version}" == family for subnet in target.network.subnets):
        link = desired.link(desired.host.exit) if desired.host.exit else None
        device = desired.interface_of(link) if link else target.tunnel
        yield f"{family} default dev {device} table {table}"
    yield f"{family} unreachable default metric 4294967295 table {table}"


def _probe(want: State, have: State) -> Iterator[Sh]:
    tables = {route.rpartition(" table ")[2] for state in (want, have) for route in state.exit_routes}
    if tables or want.policy_rules or have.policy_rules:
        yield sh(
            "{{ show ip -4 rule show; show6 ip -6 rule show; }} | grep -e 'proto {proto}' -e '^unreadable '",
            proto=ROUTE_PROTO,
        )
    for table in sorted(tables):
        yield sh("for f in -4 -6; do ip $f route show table {table}; done 2>/dev/null", table=quote(table))


NOUN = Noun(
    state=("policy_rules", "exit_routes"),
    steps=(step(exit_routes),),
    read=_read,
    part=Part(
        {f"{name} {family}": Reread.AFTER_CHANGE for name in ("policy", "exit-routes") for family in FAMILIES},
        labels={"policy_rules": "routing policy rules"},
    ),
    target=_target,
    functions=(
        *("set_policy_rule", "delete_policy_rule", "renew_endpoints"),
        *("set_detour_rule", "delete_detour_rule"),
    ),
    probe=_probe,
)

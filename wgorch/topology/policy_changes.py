"""What a new policy opens and closes, by the lines of both; and lines that do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.inventory.model import IPNetwork
from wgorch.inventory.policy import INTERNET, PolicyRule, moment
from wgorch.topology.boxes import Box, boxes, everything, rest, services_in, size
from wgorch.topology.policy import Line, Policy, is_within
from wgorch.topology.topology import Topology

ALL = "any -> any"
"""What passes without a policy."""


def opened(before: Policy, after: Policy) -> Iterator[str]:
    """Yield the lines of the later policy that let flows pass which the earlier one refused, with the services that do."""
    if before and after:
        yield from _adding(after, before)
    elif before:
        yield ALL


def closed(before: Policy, after: Policy) -> Iterator[str]:
    """Yield the lines of the earlier policy that let flows pass which the later one refuses, with the services that do."""
    if before and after:
        yield from _adding(before, after)
    elif after and not _is_everything(after):
        yield ALL


def _is_everything(policy: Policy) -> bool:
    """True if lines together let everything pass: they are added up before they are looked at one by one."""
    own, whole = _all_boxes(policy), everything()
    return sum(map(size, own)) >= sum(map(size, whole)) and not rest(whole, own)


def _adding(policy: Policy, other: Policy) -> Iterator[str]:
    theirs = _all_boxes(other)
    same = frozenset(theirs)
    for line in policy.lines:
        own = [] if policy.is_over(line) else [box for box in boxes(policy, line) if box not in same]
        left = rest(own, theirs) if own else []
        if left:
            yield str(line.rule._replace(services=services_in(left)))


def _all_boxes(policy: Policy) -> list[Box]:
    return [box for line in policy.lines if not policy.is_over(line) for box in boxes(policy, line)]


def idle_lines(topology: Topology) -> Iterator[tuple[int, PolicyRule, str]]:
    """Yield the lines that allow nothing, or nothing that lines before them do not: number, line and reason."""
    policy, before = topology.policy, list[Box]()
    for line in policy.lines:
        if policy.is_over(line):
            yield line.number, line.rule, f"it ended: {moment(line.rule.until)} is over"
            continue
        own = boxes(policy, line)
        reason = _never(topology, line, own)
        if not reason and not rest(own, before):
            reason = f"{_covering(policy, line)} before it"
        if reason:
            yield line.number, line.rule, reason
        before += own if not line.rule.until else []


def _covering(policy: Policy, line: Line) -> str:
    own = boxes(policy, line)
    before = (each for each in policy.lines[: line.number] if not each.rule.until)
    one = next((each for each in before if not rest(own, boxes(policy, each))), None)
    return f"all of it is allowed by policy[{one.number}]" if one else "all of it is allowed by lines"


def _never(topology: Topology, line: Line, own: list[Box]) -> str:
    """Why a line never matches; empty if it may."""
    if not own:
        return "its sides have no IP version in common, or no address"
    inside = [_owner(topology, net) for side in (line.source, line.target) for net in side.networks]
    if len(set(inside)) == 1 and inside[0] and not line.target.outside:
        return f"both sides are {inside[0]}'s: nothing between them comes through the tunnel"
    if line.rule.target == INTERNET and not any(member.exit for member in topology.hosts.values()):
        return "no member has an exit node"
    return ""


def _owner(topology: Topology, net: IPNetwork) -> str:
    """The member that all of a network belongs to; empty where it is no member's, or of several."""
    owners = (name for name in topology.hosts if is_within(net, topology.own_networks(name)))
    return next(owners, "")

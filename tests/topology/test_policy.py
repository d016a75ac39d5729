"""What a policy allows, what a change of it opens and closes, and who reaches whom."""

from __future__ import annotations

import random
from ipaddress import ip_address

import pytest

from tests import policies
from tests.conftest import ALL, SEED
from tests.inventory.mistyped import BASE
from tests.inventory.sections.test_flows import policy
from wgorch.inventory.load import loads
from wgorch.inventory.policy import ANY, PINGS, Service
from wgorch.topology.path import refused_name_servers, unreachable_flows
from wgorch.topology.policy_changes import closed, idle_lines, opened
from wgorch.topology.reach import between, reaching
from wgorch.topology.topology import Topology, build

TCP_22 = Service("tcp", ((22, 22),))
HOME, COMPANY, TARGET = map(ip_address, ("192.168.2.2", "192.168.2.3", "10.10.13.61"))


def of(*lines: str, groups: str = "") -> Topology:
    return build(loads(policy(*lines, groups=groups)))


@pytest.mark.parametrize(
    ("line", "source", "target", "service", "allowed", "reason"),
    [
        ("home -> company: tcp 22", HOME, COMPANY, TCP_22, True, "the host itself"),
        ("home -> company: tcp 22", COMPANY, HOME, TCP_22, False, "one direction"),
        ("home -> company: tcp 22", HOME, TARGET, TCP_22, False, "a host is not its LAN"),
        ("home -> company.lan: tcp 22", HOME, TARGET, TCP_22, True, "its LAN"),
        ("home -> company.lan: tcp 22", HOME, COMPANY, TCP_22, False, "a LAN is not its gateway"),
        ("any -> any: tcp", HOME, TARGET, TCP_22, True, "every port"),
        ("any -> any: tcp 1-21, tcp 23-65535", HOME, TARGET, TCP_22, False, "beside both ranges"),
        ("any -> any: udp 22", HOME, TARGET, TCP_22, False, "another protocol"),
        ("any -> any", HOME, TARGET, PINGS, True, "every service"),
        ("any -> any: tcp, udp, ping", HOME, TARGET, Service(ANY), False, "a protocol that no line names"),
        ("any -> internet", HOME, TARGET, TCP_22, False, "a LAN is no part of the internet"),
        ("any -> internet", HOME, ip_address("192.0.2.1"), TCP_22, True, "what is in no LAN"),
        ("10.10.13.0/28 -> any", TARGET, HOME, TCP_22, False, "beyond the network"),
        ("home -> company: tcp 22 until 2020-01-31", HOME, COMPANY, TCP_22, False, "it has ended"),
        ("home -> company: tcp 22 until 2100-01-31", HOME, COMPANY, TCP_22, True, "it has not ended"),
    ],
)
def test_a_line_allows_what_it_says(
    line: str, source: object, target: object, service: Service, allowed: bool, reason: str
) -> None:
    assert allowed is of(line).policy.allows(source, target, service), reason  # type: ignore[arg-type]


def test_without_a_policy_everything_passes() -> None:
    empty = build(loads(BASE))

    assert not empty.policy
    assert empty.policy.allows(HOME, TARGET, TCP_22)


@pytest.mark.parametrize(
    ("lines", "flow", "problem"),
    [
        (["home -> company: ping"], "home -> 10.10.13.61: tcp 22", 'no line of policy: allows it; add "- home -> 10.10.13.61: tcp 22"'),
        (["bcc -> home", "home -> company.lan"], "home -x-> 10.10.13.61: tcp 22", "it gets through: policy[1] allows it: home -> company.lan"),
        (["home -> company.lan: tcp 22"], "home -> 10.10.13.61: tcp 22", ""),
        (["home -> company.lan: tcp 22"], "home -x-> 10.10.13.61: tcp 23", ""),
        (["home -> company: ping"], "bcc -x-> home: ping", "it gets through: wgorch itself pings home from bcc: they are peers"),
        (["home -> company: ping"], "company -x-> home: ping", ""),
        ([], "home -x-> 10.10.13.61: tcp 22", "it gets through: there is no policy: that refuses it"),
    ],
)  # fmt: skip
def test_a_policy_that_contradicts_a_test_is_named(lines: list[str], flow: str, problem: str) -> None:
    text = (policy(*lines) if lines else BASE).replace("  - home -> 10.10.13.61\n", f"  - {flow}\n")

    assert ([f"{flow}: {problem}"] if problem else []) == list(map(str, unreachable_flows(build(loads(text)))))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["home -> company.lan: tcp 22"], 'home: the policy refuses its name server 10.10.13.53; add "- home -> 10.10.13.53: udp 53"'),
        (["home -> 10.10.13.53: udp 53"], ""),
        (["home -> company.lan"], ""),
        ([], ""),
    ],
)  # fmt: skip
def test_a_name_server_that_the_policy_refuses_is_named(lines: list[str], said: str) -> None:
    text = (policy(*lines, "home -> 10.10.13.61: ping") if lines else BASE).replace(
        "  home:\n", "  home:\n    dns: [10.10.13.53]\n"
    )

    assert ([said] if said else []) == list(map(str, refused_name_servers(build(loads(text)))))


@pytest.mark.parametrize(
    ("before", "after", "opens", "closes"),
    [
        ([], ["home -> company: tcp 22"], [], ["any -> any"]),
        (["home -> company: tcp 22"], [], ["any -> any"], []),
        (["home -> company: tcp 22"], ["home -> company: tcp 22, ping"], ["home -> company: ping"], []),
        (["any -> any"], ["home -> company: tcp 22"], [], ["any -> any"]),
        (["home -> company: tcp 1-100"], ["192.168.2.2 -> company: tcp 1-50", "home -> 192.168.2.3: tcp 51-100"], [], []),
        (["home -> 10.10.13.0/25", "home -> 10.10.13.128/25"], ["home -> company.lan"], [], []),
    ],
)  # fmt: skip
def test_a_change_opens_and_closes_by_effect(
    before: list[str], after: list[str], opens: list[str], closes: list[str]
) -> None:
    old, new = (of(*lines).policy if lines else build(loads(BASE)).policy for lines in (before, after))

    assert (opens, closes) == (list(opened(old, new)), list(closed(old, new)))


def test_opened_and_closed_flows_are_those_whose_verdict_changes() -> None:
    chance = random.Random(SEED)
    for _ in range(200 if ALL else 60):
        sections = policies.with_policy(chance.randrange(1_000_000))
        other = {**sections, "policy": policies.with_policy(chance.randrange(1_000_000), 4)["policy"]}
        known = {*sections["hosts"], *sections["devices"], *sections.get("groups", ())}
        other["policy"] = _known(other["policy"], known, chance, sections["policy"])
        before, after = (build(policies.loaded(each)) for each in (sections, other))
        for old, new, change in ((before, after, opened), (after, before, opened), (before, after, closed)):
            _compare(old, new, list(change(old.policy, new.policy)), change is closed, chance)


def _known(
    lines: list[dict[str, str]], known: set[str], chance: random.Random, own: list[dict[str, str]]
) -> list[dict[str, str]]:
    """Lines whose sides a network knows, with some of its own."""
    kept = [line for line in lines if all(_is_known(side.strip(), known) for side in next(iter(line)).split("->"))]
    return [*kept, *chance.sample(own, chance.randint(0, len(own)))] or own


def _is_known(side: str, known: set[str]) -> bool:
    return side in known or side in ("any", "internet") or side[0].isdigit()


def _compare(before: Topology, after: Topology, named: list[str], closing: bool, chance: random.Random) -> None:
    """A flow whose verdict changes is in a line that is named; where none is named, none changes."""
    everyone = policies.addresses(before)
    for _ in range(80):
        source, target = chance.sample(everyone, 2)
        service = policies.services(chance)
        if source.version == target.version and before.policy.is_inside(source):
            was, now = (each.policy.allows(source, target, service) for each in (before, after))
            changes = was and not now if closing else now and not was
            assert named or not changes, f"{source} -> {target}: {service}"


def test_idle_lines_are_named_with_the_reason() -> None:
    topology = of(
        "home -> company.lan: tcp 1-100",
        "home -> 10.10.13.0/28: tcp 22",
        "company -> company.lan",
        "home -> internet",
        "home -> bcc until 2020-01-31",
        "home -> fd00::1",
        "home -> 10.10.13.61: tcp 100-101",
    )

    assert [
        (1, "all of it is allowed by policy[0] before it"),
        (2, "both sides are company's: nothing between them comes through the tunnel"),
        (3, "no member has an exit node"),
        (4, "it ended: 2020-01-31 is over"),
        (5, "its sides have no IP version in common, or no address"),
    ] == [(number, reason) for number, _, reason in idle_lines(topology)]


def test_who_reaches_an_address_and_by_which_line() -> None:
    topology = of("home -> company.lan: tcp 22", "bcc -> 10.10.13.0/28", "any -> home: ping")
    target = topology.policy.side("10.10.13.61")

    found = list(reaching(topology, target, TCP_22))
    assert [("home", True, [0])] == [(each.source, each.whole, [line.number for line in each.lines]) for each in found]
    assert ["home", "bcc"] == [each.source for each in reaching(topology, topology.policy.side("company.lan"), None)][
        ::-1
    ]


def test_what_passes_between_two_sides_wholly_or_in_part() -> None:
    policy_ = of("home -> 10.10.13.0/25: tcp 22", "home -> 10.10.13.128/25: tcp 22").policy
    home, lan = policy_.side("home"), policy_.side("company.lan")

    whole = between(policy_, home, lan, TCP_22)
    assert whole
    assert (True, [0, 1]) == (whole[0], [line.number for line in whole[1]])
    part = between(policy_, home, lan, Service("tcp"))
    assert part
    assert part[0] is False
    assert between(policy_, lan, home, TCP_22) is None

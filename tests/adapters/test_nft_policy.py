"""A policy as nft rules."""

from __future__ import annotations

import subprocess
from tempfile import TemporaryDirectory

import pytest

from tests.inventory.sections.test_flows import policy
from wgorch.adapters.nft_policy import CHAINS, policy_rules
from wgorch.inventory.load import loads
from wgorch.topology.topology import build

PHONE = """devices:
  phone: {public_key: "uMy0nNl6bTFlAH6Uq46ZfqCMEZHZCiTXVbOc+LNG+0s=", address: 192.168.2.9, exit: bcc}
"""


def rules(host: str, *lines: str, groups: str = "") -> list[str]:
    """The rules of a host, each behind its chain, without those that every policy has."""
    filtering = build(loads(policy(*lines, groups=PHONE + groups))).desired(host).filtering
    assert filtering
    return [
        f"{rule.chain} {rule.text}"
        for rule in policy_rules(filtering, ("wg0",))
        if " echo-" not in rule.text
        and "ct state related" not in rule.text
        and rule.chain in ("arriving", "relayed", "entering")
    ]


def test_the_end_lets_requests_in_and_answers_to_its_own() -> None:
    both = ["home -> company.lan: tcp 22", "company -> home: udp 53"]

    assert [
        "arriving ip saddr 192.168.2.2 ip daddr 10.10.13.0/24 tcp dport 22 accept",
        "arriving ip saddr 192.168.2.2 ip daddr 192.168.2.3 udp sport 53 ct state established accept",
        "relayed drop",
    ] == rules("company", *both)


def test_what_is_for_the_host_is_judged_before_its_own_nat() -> None:
    filtering = build(loads(policy("home -> company.lan: tcp 22"))).desired("company").filtering
    assert filtering
    found = [f"{rule.chain} {rule.text}" for rule in policy_rules(filtering, ("wg0",))]

    assert "policy-prerouting ip daddr { 10.10.13.0/24, 192.168.2.3 } goto judged" in found
    assert [
        "translated ct direction original ct original ip daddr { 10.10.13.0/24, 192.168.2.3 } accept",
        "translated ct direction reply ct reply ip daddr { 10.10.13.0/24, 192.168.2.3 } accept",
        "translated ip daddr { 10.10.13.0/24, 192.168.2.3 } goto judged",
    ] == [rule for rule in found if rule.startswith("translated")]


def test_a_mapped_lan_is_judged_behind_the_nat_that_maps_it() -> None:
    text = policy("home -> company.lan: tcp 22").replace("[10.10.13.0/24]", "[{lan: 10.10.13.0/24, as: 10.77.13.0/24}]")
    filtering = build(loads(text)).desired("company").filtering
    assert filtering

    assert ["192.168.2.3/32"] == [str(net) for net in filtering.judged]


def test_a_lan_of_another_host_in_ones_own_is_judged_there() -> None:
    text = policy("home -> company.lan: tcp 22").replace("  home:\n", "  home:\n    subnets: [10.10.13.64/26]\n", 1)
    filtering = build(loads(text)).desired("company").filtering
    assert filtering

    judged = sorted(str(net) for net in filtering.judged)
    assert ["10.10.13.0/26", "10.10.13.128/25", "192.168.2.3/32"] == judged


def test_a_relay_knows_answers_by_their_ports_and_no_new_connection() -> None:
    assert [
        "relayed ip saddr 192.168.2.2 ip daddr 10.10.13.0/24 tcp dport { 22, 8000-8010 } accept",
        "relayed ip daddr 192.168.2.9 drop",
        "relayed icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
        "relayed icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept",
        "relayed ip saddr 10.10.13.0/24 ip daddr 192.168.2.2 tcp sport { 22, 8000-8010 }"
        " tcp flags & (syn | ack) != syn accept",
        "relayed drop",
        "entering drop",
    ] == rules("bcc", "home -> company.lan: tcp 8000-8010,22")


def test_a_relay_tracks_what_goes_to_its_devices() -> None:
    assert [
        "relayed ip saddr 192.168.2.9 ip daddr 192.168.2.3 udp dport 53 accept",
        "relayed ip saddr 192.168.2.3 ip daddr 192.168.2.9 udp sport 53 ct state established accept",
        "relayed ip daddr 192.168.2.9 drop",
    ] == rules("bcc", "phone -> company: udp 53")[:3]


def test_lines_with_the_same_services_share_a_rule() -> None:
    lines = ["home -> 10.10.13.0/28: tcp 22", "bcc -> 10.10.13.0/28: tcp 22", "home -> 10.10.13.64/28: ping"]

    assert ["arriving ip saddr 192.168.2.1-192.168.2.2 ip daddr 10.10.13.0/28 tcp dport 22 accept"] == [
        rule for rule in rules("company", *lines) if "tcp dport" in rule
    ]


def test_a_line_that_ends_keeps_to_itself() -> None:
    lines = ["home -> company: tcp 22", "bcc -> company: tcp 22 until 2100-01-31"]
    filtering = build(loads(policy(*lines))).desired("company").filtering
    assert filtering

    ends = {rule.text: rule.until for rule in policy_rules(filtering, ("wg0",)) if "dport 22" in rule.text}
    assert [0, 4105123200] == list(ends.values())


def test_nothing_is_written_without_a_policy() -> None:
    assert build(loads(policy("any -> any").replace("policy:\n  - any -> any\n", ""))).desired("bcc").filtering is None


@pytest.mark.parametrize("host", ["bcc", "home", "company"])
def test_nft_takes_the_rules_of_every_kind_of_line(host: str) -> None:
    lines = [
        "any -> any: tcp 22,80-90, udp, ping",
        "phone -> internet",
        "home -> company.lan",
        "10.0.0.0/8 -> home: tcp",
    ]
    filtering = build(loads(policy(*lines, groups=PHONE))).desired(host).filtering
    assert filtering
    found = list(policy_rules(filtering, ("wg0",)))
    text = "table inet t {\n"
    for chain, head in CHAINS.items():
        text += "\n".join([f"chain {chain} {{", head, *(rule.text for rule in found if rule.chain == chain), "}\n"])
    done = subprocess.run(["nft", "-c", "-f", "-"], input=f"{text}}}\n", text=True, capture_output=True, check=False)
    if "Operation not permitted" in done.stderr or "Protocol not supported" in done.stderr:
        pytest.fail("nft needs root and nf_tables here")

    assert "" == done.stderr


def test_many_flows_of_a_kind_are_one_rule_in_which_nothing_overlaps() -> None:
    lines = [f"10.10.13.{n} -> home: tcp {n + 1}" for n in range(40)]
    wide = ["company.lan -> home: tcp 20-30", "10.10.13.0/28 -> 192.168.2.0/30: tcp 22"]
    found = [rule for rule in rules("home", *lines, *wide) if "tcp dport" in rule]

    assert 1 == len(found)
    flows = found[0].partition("{ ")[2].partition(" }")[0].split(", ")
    assert found[0].startswith("arriving ip saddr . ip daddr . tcp dport { ")
    assert "10.10.13.0 . 192.168.2.2 . 1" in flows
    assert "10.10.13.0-10.10.13.255 . 192.168.2.2 . 20-30" not in flows, "what other lines name is cut out"
    text = f"table inet t {{ chain c {{ type filter hook input priority 0; {found[0].partition(' ')[2]}\n }}\n }}"
    done = subprocess.run(["nft", "-c", "-f", "-"], input=text, text=True, capture_output=True, check=False)
    assert "" == done.stderr


def test_what_nft_lists_and_loads_again_it_lists_the_same() -> None:
    """A rollback states what was listed, and is compared with that."""
    lines = [
        "192.168.2.0/29 -> company.lan: tcp 22,23",
        "any -> home: ping",
        "home -> company",
        "phone -> internet: udp 53",
    ]
    filtering = build(loads(policy(*lines, groups=PHONE))).desired("bcc").filtering
    assert filtering
    found = list(policy_rules(filtering, ("wg0",)))
    chains = "\n".join(
        "\n".join([f"chain {chain} {{", head, *(rule.text for rule in found if rule.chain == chain), "}"])
        for chain, head in CHAINS.items()
    )
    script = "nft -f - && nft -s list ruleset >$1/one && nft flush ruleset && nft -f $1/one && nft -s list ruleset | diff $1/one -"
    with TemporaryDirectory() as place:
        done = subprocess.run(
            ["unshare", "-n", "sh", "-c", script, "sh", place],
            input=f"table inet t {{\n{chains}\n}}\n",
            text=True,
            capture_output=True,
            check=False,
        )
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)

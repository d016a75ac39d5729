"""The verdict of a policy is the packet's fate: the real nft and iptables, in a bare namespace, with packets of every kind.

Of every network, each host that filters gets its rules and packets for itself, for its LANs, for others and for the
internet; what comes through is what the policy allows by itself, and nothing else.
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests import policies
from tests.conftest import ALL, SEED
from tests.lab.firewall import ACK, Firewall, Packet
from wgorch.adapters import nft_policy
from wgorch.adapters.iptables_policy import chains_of_policy
from wgorch.facts.firewall import split_rule
from wgorch.inventory.model import IPAddress
from wgorch.inventory.policy import ANY, PING, PINGS, UDP, Service
from wgorch.state.rules import tool
from wgorch.state.state import State
from wgorch.steps.firewall import policy_chains
from wgorch.steps.nft import nft_table, policy_of
from wgorch.topology.topology import Topology, build

LONG = bool(os.environ.get("WGORCH_LONG"))
POLICIES = 1000 if LONG else 120 if ALL else 24


def rules(topology: Topology, name: str, engine: str) -> dict[str, str]:
    """The rules of a host as its change loads them, by the command that does."""
    network = topology.inventory.network
    nothing = State(network.mark, network.directory)
    if engine == "nft":
        nft = State(network.mark, network.directory, nft=dict(policy_of(topology.desired(name))))
        return {
            engine: next(
                c.stdin for each in nft_table(nft, nothing) for c in each.commands if c.argv[0] == "load_rules"
            )
        }
    filtering = topology.desired(name).filtering
    assert filtering
    chains = chains_of_policy(filtering, network, ("wg0",), (4, 6))
    state = State(network.mark, network.directory, chains=chains, jumps=dict.fromkeys(chains, (1,)))
    kind = engine.partition("-")[2]
    loaded = {f"{name}-{kind}-restore": ["*mangle"] for name in ("iptables", "ip6tables")}
    for each in policy_chains(state, nothing):
        for command in each.commands:
            if command.argv[0] == "restate_chain":
                _, table, parent, mark, chain, place = command.argv
                jump = f"-I {parent} {place} -m comment --comment {mark} -j {chain}"
                loaded[f"{tool(table)}-{kind}-restore"] += [f":{chain} - [0:0]", command.stdin, jump]
    return {name: "\n".join([*lines, "COMMIT", ""]) for name, lines in loaded.items()}


def setup(topology: Topology, name: str) -> dict[str, list[str]]:
    """Addresses and routes of a host, as :class:`Firewall` takes them."""
    host = topology.hosts[name]
    real = [host.real(lan) for lan in host.subnets]
    inside = [net for net in topology.policy.inside if net not in host.subnets]
    return {
        "wg0": [*map(str, host.addresses), *(str(net) for net in inside)],
        "lan0": [*map(str, real)],
        "wan0": ["192.0.2.1", "192.0.2.0/24", "2001:db8::/32"],
    }


OWN_PUBLIC = ipaddress.ip_address("192.0.2.1")
"""An address of the host that is neither in the tunnel nor in a LAN."""


class Case(NamedTuple):
    """A packet, and what is to become of it; empty where it is dropped."""

    packet: Packet
    becomes: str
    why: str


def packet(by: str, source: IPAddress, target: IPAddress, service: Service, sport: int) -> Packet:
    protocol = {PING: "echo-request", ANY: "gre"}.get(service.protocol, service.protocol)
    dport = service.ports[0][0] if service.ports else 0
    return Packet(by, str(source), str(target), protocol, sport, dport)


def goes_to(topology: Topology, name: str, target: IPAddress) -> str:
    """Where a host sends what comes out of the tunnel, if it may."""
    host = topology.hosts[name]
    if target in host.addresses:
        return "local"
    if topology.inventory.is_in_lan(name, target):
        return "lan0"
    if topology.policy.is_inside(target):
        return "wg0" if host.relay else ""
    leads_out = any(member.exit == name for member in topology.hosts.values())
    return "" if not leads_out else "local" if target == OWN_PUBLIC else "wan0"


def is_probe(topology: Topology, name: str, source: IPAddress, target: IPAddress, service: Service) -> bool:
    """True for the pings by which wgorch proves sessions: to the host itself, or through a relay between another and its host."""
    owners = {address: n for n, member in topology.hosts.items() for address in member.addresses}
    ends = (owners.get(source, ""), owners.get(target, ""))
    if service == PINGS and topology.hosts[name].relay and "" not in ends and name not in ends:
        return any(one in topology.relays and one in topology.relays_of(other) for one, other in (ends, ends[::-1]))
    peers = (a for peer in topology.peers(name) for a in topology.hosts[peer].addresses)
    return service == PINGS and source in peers and target in topology.hosts[name].addresses


def is_for_device(topology: Topology, name: str, target: IPAddress) -> bool:
    """True for an address of a device that has the host as relay, or behind it."""
    its = [n for n, d in topology.hosts.items() if d.is_device and topology.relay_of(n) == name]
    return any(target in net for n in its for net in topology.own_networks(n) if net.version == target.version)


def looks_like_answer(topology: Topology, source: IPAddress, target: IPAddress, service: Service, sport: int) -> bool:
    """True for what begins a connection by UDP, or by a protocol without ports, and might be an answer by its looks."""
    if service.protocol == ANY:
        return topology.policy.allows(target, source, service)
    asked = Service(service.protocol, ((sport, sport),))
    return service.protocol == UDP and topology.policy.allows(target, source, asked)


def cases(topology: Topology, name: str, chance: random.Random, count: int) -> Iterator[Case]:
    """Requests out of the tunnel, and what answers them or pretends to."""
    everyone = policies.addresses(topology)
    host = topology.hosts[name]
    seen: set[tuple[IPAddress, IPAddress]] = set()
    for i in range(count):
        source, target = chance.sample(everyone, 2)
        if chance.random() < 0.4 and host.subnets:
            target = chance.choice([*host.addresses, *(lan[3] for lan in host.subnets)])
        if chance.random() < 0.1:
            target = OWN_PUBLIC
        if source.version != target.version or not topology.policy.is_inside(source):
            continue
        if source in host.addresses or topology.inventory.is_in_lan(name, source):
            yield from _answers(topology, name, source, target, chance, 41000 + i)
            continue
        service = policies.services(chance)
        if service.protocol == ANY:  # without ports, what came the other way before makes it an answer
            seen.add((source, target))
            if (target, source) in seen:
                continue
        allowed = topology.policy.allows(source, target, service) or is_probe(topology, name, source, target, service)
        way = goes_to(topology, name, target)
        # A relay has no state but for its devices; the host behind it has, and drops what is no answer.
        lenient = way == "wg0" and not is_for_device(topology, name, target)
        may_be_answer = lenient and looks_like_answer(topology, source, target, service, 40000 + i)
        becomes = way if allowed or may_be_answer else ""
        yield Case(packet("wg0", source, _real(topology, name, target), service, 40000 + i), becomes, f"{service}")


def _real(topology: Topology, name: str, address: IPAddress) -> IPAddress:
    return topology.hosts[name].real_address(address)


def _answers(
    topology: Topology, name: str, source: IPAddress, target: IPAddress, chance: random.Random, sport: int
) -> Iterator[Case]:
    """The host, or a machine in its LAN, sends into the tunnel; answers come only to what it sent and may send."""
    if not topology.policy.is_inside(target) or goes_to(topology, name, target) in ("local", "lan0"):
        return
    service = policies.services(chance)
    if service.protocol == ANY:
        return
    by = "local" if source in topology.hosts[name].addresses else "lan0"
    sent = packet(by, _real(topology, name, source), target, service, sport)
    # Unasked for, it is a connection of its own, to a port that no line names.
    own = Service(ANY) if service == PINGS else Service(service.protocol, ((sport, sport),))
    back = topology.policy.allows(target, source, own)
    unasked = sent.answer._replace(flags=ACK)
    if service != PINGS:
        yield Case(unasked, by if back else "", f"unasked answer to {service}")
    allowed = topology.policy.allows(source, target, service)
    filtered = by == "lan0" and is_for_device(topology, name, target) and topology.hosts[name].relay
    if filtered and back and not allowed:
        return  # the unasked packet began a connection of its own, which this one would answer or break
    yield Case(sent, "wg0" if allowed or not filtered else "", f"{service}, into the tunnel")
    probe = (
        service == PINGS and by == "local" and any(target in topology.hosts[p].addresses for p in topology.peers(name))
    )
    yield Case(sent.answer, by if allowed or back or probe else "", f"answer to {service}")


DOCKER = """
table inet docker {
    chain pre {
        type nat hook prerouting priority -100;
        meta l4proto { tcp, udp } fib daddr type local TO4
        meta l4proto { tcp, udp } fib daddr type local TO6
    }
    chain post {
        type nat hook postrouting priority 100;
        ip saddr 172.17.0.0/24 masquerade
        ip6 saddr fd17::/64 masquerade
    }
}
"""
"""Leads every port of the host's own addresses elsewhere, and hides what a container behind lan0 sends, as Docker does."""


def published(topology: Topology, name: str, where: str) -> str:
    """DOCKER for a host: to a container, to a machine in its LAN that lines may name, or to another port of the host."""
    host = topology.hosts[name]
    to = {4: "172.17.0.2", 6: "fd17::2"}
    if where == "lan":
        to |= {lan.version: str(host.real(lan)[3]) for lan in host.subnets}
    text = DOCKER.replace("TO4", f"dnat ip to {to[4]}:443").replace("TO6", f"dnat ip6 to [{to[6]}]:443")
    if where == "host":
        text = re.sub(r"dnat ip6? to \S+", "redirect to :443", text)
    return text


def container_cases(topology: Topology, name: str, chance: random.Random, count: int, goes: str) -> Iterator[Case]:
    """Requests to ports that the host publishes for a container, and answers to what the container asked."""
    everyone = policies.addresses(topology)
    if any(member.exit == name for member in topology.hosts.values()):
        return  # a container is a part of the internet, to which an exit node leads
    for i in range(count):
        own, other = chance.choice(topology.hosts[name].addresses), chance.choice(everyone)
        service = policies.services(chance)
        elsewhere = goes_to(topology, name, other) not in ("local", "lan0")
        if other.version != own.version or not topology.policy.is_inside(other) or not elsewhere:
            continue
        if service.ports and chance.random() < 0.5:
            allowed = topology.policy.allows(other, own, service)
            yield Case(packet("wg0", other, own, service, 40000 + i), goes if allowed else "", f"published {service}")
        elif service.protocol != ANY and not is_for_device(topology, name, other):
            if service == PINGS and any(other in topology.hosts[peer].addresses for peer in topology.peers(name)):
                continue  # an answer to the host itself passes, as it may prove a session
            # The kernel takes the first address of the tunnel's interface.
            own = topology.hosts[name].address_of(own.version) or own
            inner = ipaddress.ip_address("172.17.0.2" if own.version == 4 else "fd17::2")
            sent = packet("lan0", inner, other, service, 50000 + i)
            answer = sent._replace(source=str(own)).answer
            allowed = topology.policy.allows(own, other, service)
            begun = Service(ANY) if service == PINGS else Service(service.protocol, ((50000 + i, 50000 + i),))
            if topology.policy.allows(other, own, begun) and not allowed:
                continue  # what it sends may as well be a request of its own
            yield Case(sent, "wg0", f"{service} of a container")
            yield Case(answer, "lan0" if allowed else "", f"answer to {service} of a container")


def _try(
    firewall: Firewall, topology: Topology, name: str, its: list[Case], engine: str, beside: str = ""
) -> list[str]:
    """The cases of one host that come out otherwise. `beside`: what else nft loads, and has routes to lan0."""
    its_setup, loaded = setup(topology, name), rules(topology, name, engine)
    if beside:
        its_setup["lan0"] += ["172.17.0.0/24", "fd17::/64"]
        loaded["nft"] = loaded.get("nft", "") + beside
    packets = [case.packet for case in its]
    found = firewall.ask(its_setup, dict(loaded), packets)
    lost = [not got and bool(case.becomes) for case, got in zip(its, found, strict=True)]
    if any(lost):
        # On a busy machine packets get lost; that one comes through which must not is never by chance.
        again = firewall.ask(its_setup, dict(loaded), packets)
        found = [second if late else first for first, second, late in zip(found, again, lost, strict=True)]
    return [
        f"{name}: {case.packet}: {case.why}: {got or 'dropped'}, not {case.becomes or 'dropped'}"
        for case, got in zip(its, found, strict=True)
        if got != case.becomes
    ]


@pytest.mark.slow(30)
@pytest.mark.parametrize("engine", ["nft", "iptables-nft", "iptables-legacy"])
def test_what_the_policy_allows_is_what_comes_through(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    chance = random.Random(SEED)
    seeds = range(POLICIES) if LONG else [chance.randrange(1_000_000) for _ in range(POLICIES)]
    tried = passed = 0
    with Firewall() as firewall:
        for seed in seeds:
            # Half of them as large policies are written, by rules with sets.
            monkeypatch.setattr(nft_policy, "FEW", 1 if seed % 2 else 16)
            sections = policies.with_policy(seed)
            topology = build(policies.loaded(sections))
            for name in topology.inventory.hosts:
                its = list(cases(topology, name, random.Random(f"{seed} {name}"), 60))
                wrong = _try(firewall, topology, name, its, engine)
                assert not wrong, f"seed {seed}\n{json.dumps(sections['policy'])}\n" + "\n".join(wrong[:10])
                tried += len(its)
                passed += sum(bool(case.becomes) for case in its)
    assert passed > tried / 20, "the packets that pass are too few to prove anything"
    print(f"{tried} packets, {passed} of them passed, in {POLICIES} policies from seed {SEED}")


@pytest.mark.slow(20)
@pytest.mark.parametrize("engine", ["nft", "iptables-nft", "iptables-legacy"])
def test_what_a_host_publishes_for_a_container_is_the_hosts_own(engine: str) -> None:
    chance = random.Random(SEED)
    tried = passed = 0
    with Firewall() as firewall:
        for seed in range(POLICIES) if LONG else [chance.randrange(1_000_000) for _ in range(POLICIES // 2)]:
            topology = build(policies.loaded(policies.with_policy(seed)))
            for name in topology.inventory.hosts:
                where = ("container", "lan", "host")[seed % 3]
                goes = "local" if where == "host" else "lan0"
                its = list(container_cases(topology, name, random.Random(f"{seed} {name}"), 40, goes))
                wrong = _try(firewall, topology, name, its, engine, published(topology, name, where))
                assert not wrong, f"seed {seed}\n" + "\n".join(wrong[:10])
                tried += sum(case.packet.by == "wg0" for case in its)
                passed += sum(case.becomes in ("lan0", "local") for case in its)
    assert passed > tried / 20, "the packets that pass are too few to prove anything"
    print(f"{tried} packets, {passed} of them passed, from seed {SEED}")


@pytest.mark.slow(10)
@pytest.mark.parametrize("engine", ["iptables-nft", "iptables-legacy"])
def test_rules_of_iptables_are_listed_as_they_were_written(engine: str) -> None:
    chance = random.Random(SEED)
    for seed in [chance.randrange(1_000_000) for _ in range(40 if ALL else 8)]:
        topology = build(policies.loaded(policies.with_policy(seed)))
        for name in topology.inventory.hosts:
            loaded = rules(topology, name, engine)
            script = "".join(
                f"{tool} <<'END'\n{text}END\n{tool.replace('restore', 'save')} -t mangle\n"
                for tool, text in loaded.items()
            )
            done = subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, text=True, check=True)
            written, listed = (
                [split_rule(line) for line in text.splitlines() if line.startswith("-A wgorch-")]
                for text in ("\n".join(loaded.values()), done.stdout)
            )
            # Chains are listed in an order of their own.
            assert sorted(written, key=lambda rule: rule[1]) == sorted(listed, key=lambda rule: rule[1]), (seed, name)

"""What may stand in a tunnel's way on one host, without a flow: each finding with its remedy. Pure but for its program."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wgorch.base.value import value
from wgorch.errors import Garbled
from wgorch.facts.grammar import NotAnAnswer, sections
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.gather.observed import Observed
from wgorch.host.programs import parameters, uploaded
from wgorch.topology.desired import Desired
from wgorch.verify.diagnose import Finding

CLOCK_S = 60
VPNS = {
    "tailscale": "Tailscale (100.64.0.0/10)",
    "wt": "NetBird (100.64.0.0/10)",
    "zt": "ZeroTier",
    "tun": "a tunnel",
    "wg": "another WireGuard",
}
DAEMONS = {"tailscaled": "Tailscale", "netbird": "NetBird", "easytier-core": "EasyTier", "zerotier-one": "ZeroTier"}


@value
class Looked:
    """What the doctor's own questions brought. `drops`: base chains of others whose policy drops what is forwarded."""

    clock: int
    managers: frozenset[str]
    drops: tuple[str, ...]
    legacy_rules: int
    nft_rules: int
    unresolved: tuple[str, ...]


def program(names: list[str]) -> str:
    """The questions; `names` are to be resolved there."""
    words = parameters({"nonce": NONCE, "names": " ".join(names)})
    return f"{ENVIRONMENT}{words}\n{uploaded('doctor.sh')}"


def parse(host: str, text: str) -> Looked:
    """The answers, read strictly. Raises Garbled."""
    try:
        answers = sections(text, NONCE)
        if "end" not in answers:
            raise NotAnAnswer("it ends too early")
        return Looked(
            clock=int(answers["clock"][0]),
            managers=frozenset(word for word in answers["managers"] if re.fullmatch(r"[A-Za-z-]{1,30}", word)),
            drops=tuple(_drops(answers["chains"])),
            legacy_rules=int((answers["legacy"] or ["0"])[0]),
            nft_rules=int((answers["nft-rules"] or ["0"])[0]),
            unresolved=tuple(line[:-3] for line in answers["names"] if line.endswith(" no")),
        )
    except (NotAnAnswer, ValueError, KeyError, IndexError) as error:
        raise Garbled(host, "parse its reply", str(error), "see -vv for what it said") from None


def _drops(lines: list[str]) -> Iterator[str]:
    table = chain = ""
    for line in lines:
        if hit := re.match(r"\s*table (\S+ \S+) \{", line):
            table = hit[1]
        elif hit := re.match(r"\s*chain (\S+) \{", line):
            chain = hit[1]
        elif "hook forward" in line and "policy drop" in line:
            yield f"{table} {chain}"


def examine(desired: Desired, seen: Observed, looked: Looked, now: int) -> Iterator[Finding]:
    """All that a person should know of this host before, or after, its tunnel; without a fix where nothing is wrong."""
    name, network = desired.name, desired.network
    if not seen.system.kernel_wireguard:
        here = "wireguard-go" in seen.system.tools
        what = f"kernel {seen.system.kernel} has no WireGuard; " + (
            "wireguard-go is used" if here else "no wireguard-go either"
        )
        yield Finding(name, what, "" if here else "a kernel from 5.6 on, or install wireguard-go")
    if "wg" not in seen.system.tools:
        yield Finding(name, "wireguard-tools are missing", "wgorch up installs them")
    if abs(looked.clock - now) > CLOCK_S:
        what = f"its clock is {abs(looked.clock - now)} s {'ahead' if looked.clock > now else 'behind'}"
        yield Finding(name, what, "start time synchronisation: a clock that jumps back keeps peers out")
    yield from _firewall(desired, seen, looked)
    if desired.forwards and seen.is_managed(network):
        off = [
            path
            for path, value in seen.sysctls.items()
            if path == f"net/ipv4/conf/{network.interface}/forwarding" and value != "1"
        ]
        if off and any(subnet.version == 4 for subnet in network.subnets):
            yield Finding(name, f"forwarding is off on {network.interface}", "wgorch up")
    strict = [c for c in sorted(seen.links.devices) if seen.sysctls.get(f"net/ipv4/conf/{c}/rp_filter") == "1"]
    if seen.sysctls.get("net/ipv4/conf/all/rp_filter") == "1" or strict:
        where = "every card" if seen.sysctls.get("net/ipv4/conf/all/rp_filter") == "1" else ", ".join(strict)
        what = f"strict reverse-path filter on {where}: what comes in must leave by the same card"
        yield Finding(name, what, "sysctl net.ipv4.conf.CARD.rp_filter=2, where the ways differ")
    for card in seen.links.devices.values():
        if card.name not in ("lo", network.interface) and card.up and card.mtu < 1500:
            yield Finding(
                name, f"{card.name} carries only {card.mtu} bytes", f"mtu: {max(1280, card.mtu - 80)} under {name}"
            )
    for machine in looked.unresolved:
        yield Finding(name, f"it cannot resolve {machine}", "look at /etc/resolv.conf there")
    yield from _others(network.interface, name, seen, looked)
    if seen.is_managed(network) and not (
        seen.system.starter and seen.slices["units"].get(seen.system.starter, "off") != "off"
    ):
        why = "nothing of ours starts it" if seen.system.starter else "neither systemd, OpenRC, runit nor cron runs"
        yield Finding(
            name,
            f"it will not survive a reboot: {why}",
            "wgorch up" if seen.system.starter else "run the boot program at start",
        )


def _firewall(desired: Desired, seen: Observed, looked: Looked) -> Iterator[Finding]:
    name = desired.name
    owners = sorted(looked.managers & {"ufw", "firewalld", "dockerd"})
    if owners:
        yield Finding(
            name,
            f"its firewall has an owner: {', '.join(owners)}",
            "its reload may take our jumps away; wgorch status sees it",
        )
    policy = seen.firewall.policies.get(("filter", "FORWARD"), "ACCEPT")
    if policy != "ACCEPT":
        yield Finding(name, f"FORWARD drops by policy ({policy}); our chain comes first", "")
    for place in looked.drops:
        if not place.startswith(("ip filter FORWARD", "ip6 filter FORWARD")):
            what = f"the nft chain {place} drops what no rule of its own accepts; our ACCEPT cannot overrule it"
            yield Finding(
                name,
                what,
                f"accept {desired.network.interface} there: nft add rule {place} iifname {desired.network.interface} accept",
            )
    if looked.legacy_rules and looked.nft_rules:
        what = f"both iptables are filled: {looked.legacy_rules} legacy rules and {looked.nft_rules} of nft"
        yield Finding(name, what, "keep one: update-alternatives --config iptables")


def _others(interface: str, name: str, seen: Observed, looked: Looked) -> Iterator[Finding]:
    for card in sorted(seen.links.devices):
        kind = next((told for word, told in VPNS.items() if re.fullmatch(rf"{word}[0-9a-z]*", card)), "")
        if kind and card != interface:
            yield Finding(name, f"{card}: {kind} is there too; no network may be in both", "")
    for daemon in sorted(looked.managers & DAEMONS.keys()):
        yield Finding(name, f"{DAEMONS[daemon]} runs there too; no network may be in both", "")
    for manager in sorted(looked.managers & {"NetworkManager", "systemd-networkd"}):
        yield Finding(name, f"{manager} manages cards there; it must leave {interface} alone", "")

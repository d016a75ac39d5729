"""Diagnose settings of one host that can break its tunnel, before or after it is up; pure."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.base.sh import quote
from wgorch.base.text import hint_lines
from wgorch.facts.owners import owner_of
from wgorch.facts.path_mtu import NEEDED_BY_IPV6, OVERHEAD
from wgorch.gather.observed import Observed
from wgorch.plan.foreign_firewall import refusals
from wgorch.topology.desired import Desired
from wgorch.trace.doctor_facts import DoctorFacts
from wgorch.verify.finding import Finding

CLOCK_S = 60
"""Seconds by which a clock may differ from the controller's."""

ETHERNET_MTU = 1500

VPNS = {
    "Tailscale": "Tailscale (100.64.0.0/10)",
    "NetBird": "NetBird (100.64.0.0/10)",
    **{name: name for name in ("ZeroTier", "Nebula", "EasyTier", "a tunnel", "another WireGuard")},
}
"""Owners of interfaces that are other VPNs, with what they use."""

VPN_DAEMONS = {"tailscaled": "Tailscale", "netbird": "NetBird", "easytier-core": "EasyTier", "zerotier-one": "ZeroTier"}


def examine(desired: Desired, facts: Observed, more: DoctorFacts, now: int) -> Iterator[Finding]:
    """Findings about one host; those without a hint are no faults. `now`: UNIX time of the controller."""
    yield from _wireguard(desired.name, facts)
    yield from _clock(desired.name, more.clock - now)
    yield from _firewall(desired, facts, more)
    yield from _forwarding(desired, facts)
    yield from _rp_filter(desired.name, facts)
    yield from _mtu(desired, facts)
    yield from _names(desired.name, more)
    yield from (Finding(desired.name, f"not known: {what}") for what in more.unknown)
    yield from _other_vpns(desired, facts, more)
    yield from _network_managers(desired, more)
    yield from _startup(desired, facts)


def _wireguard(host: str, facts: Observed) -> Iterator[Finding]:
    system = facts.system
    if not system.kernel_wireguard and "wireguard-go" in system.tools:
        yield Finding(host, f"kernel {system.kernel} has no WireGuard; wireguard-go is used")
    elif not system.kernel_wireguard:
        what = f"kernel {system.kernel} has no WireGuard, and wireguard-go is not installed"
        yield Finding(host, what, "kernel 5.6 or newer, or install wireguard-go")
    if "wg" not in system.tools:
        yield Finding(host, "wireguard-tools not installed", "wgorch up installs them")


def _clock(host: str, fast_s: int) -> Iterator[Finding]:
    if abs(fast_s) > CLOCK_S:
        what = f"clock is {abs(fast_s)} s {'fast' if fast_s > 0 else 'slow'}"
        yield Finding(host, what, "enable NTP (WireGuard rejects handshakes with older timestamps)")


def _firewall(desired: Desired, facts: Observed, more: DoctorFacts) -> Iterator[Finding]:
    host = desired.name
    if owners := sorted(more.daemons & {"ufw", "firewalld", "dockerd"}):
        what = f"firewall is managed by {', '.join(owners)}"
        yield Finding(host, what, "check wgorch status after a reload, which may remove wgorch's jumps")
    policy = facts.firewall.policies.get(("filter", "FORWARD"), "ACCEPT")
    if policy != "ACCEPT":
        yield Finding(host, f"FORWARD policy is {policy}; wgorch's chain comes first")
    for refusal in refusals(desired, facts):
        what = f"cannot {refusal.packets.what}: {refusal.place} drops it: {refusal.why}"
        yield Finding(host, what, refusal.hint)
    if more.legacy_rules and more.nft_rules:
        what = f"both iptables-legacy ({more.legacy_rules} rules) and iptables-nft ({more.nft_rules} rules) are in use"
        yield Finding(host, what, "keep one: update-alternatives --config iptables")


def _forwarding(desired: Desired, facts: Observed) -> Iterator[Finding]:
    network = desired.network
    needed = desired.forwards and facts.is_managed(network) and any(subnet.version == 4 for subnet in network.subnets)
    for interface in desired.interfaces if needed else ():
        if facts.sysctls.get(f"net/ipv4/conf/{interface}/forwarding", "1") != "1":
            yield Finding(desired.name, f"forwarding is off on {interface}", "wgorch up")


def _rp_filter(host: str, facts: Observed) -> Iterator[Finding]:
    def is_strict(name: str) -> bool:
        return facts.sysctls.get(f"net/ipv4/conf/{name}/rp_filter") == "1"

    strict = (
        ["every interface"] if is_strict("all") else [name for name in sorted(facts.links.devices) if is_strict(name)]
    )
    if strict:
        what = f"strict rp_filter on {', '.join(strict)} drops packets whose route back is via another interface"
        names = ["all"] if is_strict("all") else strict
        sets = (f"sysctl -w {quote(f'net/ipv4/conf/{name}/rp_filter=2')}" for name in names)
        yield Finding(host, what, hint_lines(*sets, "where routes are asymmetric"))


def _mtu(desired: Desired, facts: Observed) -> Iterator[Finding]:
    for device in facts.links.devices.values():
        if device.name not in ("lo", *desired.interfaces) and device.up and device.mtu < ETHERNET_MTU:
            mtu = max(NEEDED_BY_IPV6, device.mtu - OVERHEAD[6])
            yield Finding(desired.name, f"{device.name} has MTU {device.mtu}", f"mtu: {mtu} under {desired.name}")


def _names(host: str, more: DoctorFacts) -> Iterator[Finding]:
    for name in more.unresolved:
        yield Finding(host, f"cannot resolve {name}", f"check /etc/resolv.conf on {host}")


def _other_vpns(desired: Desired, facts: Observed, more: DoctorFacts) -> Iterator[Finding]:
    for device in sorted(facts.links.devices):
        vpn = VPNS.get(owner_of(device), "")
        if vpn and device not in desired.interfaces:
            yield Finding(desired.name, f"{device}: {vpn} is present; their subnets must not overlap")
    for daemon in sorted(more.daemons & VPN_DAEMONS.keys()):
        yield Finding(desired.name, f"{VPN_DAEMONS[daemon]} is running; their subnets must not overlap")


def _network_managers(desired: Desired, more: DoctorFacts) -> Iterator[Finding]:
    for manager in sorted(more.daemons & {"NetworkManager", "systemd-networkd"}):
        yield Finding(desired.name, f"{manager} is running; it must leave {desired.network.interface} unmanaged")


def _startup(desired: Desired, facts: Observed) -> Iterator[Finding]:
    starter, interface = facts.system.starter, desired.network.interface
    if not facts.is_managed(desired.network):
        return
    if not starter:
        what = f"{interface} is not started at boot: no systemd, OpenRC, runit or cron"
        yield Finding(desired.name, what, f"run as root at every start: sh {quote(desired.network.directory)}/boot")
    elif facts.slices["units"].get(starter, "off") == "off":
        yield Finding(desired.name, f"{interface} is not started at boot by {starter}", "wgorch up")

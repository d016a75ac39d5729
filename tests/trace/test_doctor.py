"""Settings that can break a tunnel, from facts to findings."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.host.room import SHELLS
from tests.trace.recordings import TOPOLOGY, recorded
from wgorch.errors import Garbled
from wgorch.facts.links import Device
from wgorch.gather.gather import NONCE
from wgorch.gather.observed import Observed
from wgorch.trace.doctor import examine
from wgorch.trace.doctor_facts import DoctorFacts, parse, script

NOW = 1_700_000_000
NOTHING = DoctorFacts(NOW, frozenset(), 0, 0, ())


def healthy() -> Observed:
    return recorded("healthy")[0]["company"]


def found(facts: Observed | None = None, more: DoctorFacts = NOTHING) -> set[str]:
    """What is found on company beside what always is."""

    def all_of(facts: Observed, more: DoctorFacts) -> set[str]:
        return {str(finding) for finding in examine(TOPOLOGY.desired("company"), facts, more, NOW)}

    return all_of(facts or healthy(), more) - all_of(healthy(), NOTHING)


def with_sysctls(**sysctls: str) -> Observed:
    changed = {name.replace("__", "/"): text for name, text in sysctls.items()}
    return replace(healthy(), sysctls={**healthy().sysctls, **changed})


def with_device(device: Device) -> Observed:
    links = healthy().links
    return replace(healthy(), links=replace(links, devices={**links.devices, device.name: device}))


def with_system(**fields: object) -> Observed:
    return replace(healthy(), system=replace(healthy().system, **fields))  # type: ignore[arg-type]


FROM_FACTS: Mapping[str, tuple[Observed, str]] = {
    "no WireGuard": (
        with_system(kernel="5.4.0", kernel_wireguard=False, tools=frozenset({"wg"})),
        "company: kernel 5.4.0 has no WireGuard, and wireguard-go is not installed\n"
        "    fix: kernel 5.6 or newer, or install wireguard-go",
    ),
    "no tools": (
        with_system(tools=healthy().system.tools - {"wg"}),
        "company: wireguard-tools not installed\n    fix: wgorch up installs them",
    ),
    "forwarding off": (
        with_sysctls(net__ipv4__conf__wg0__forwarding="0"),
        "company: forwarding is off on wg0\n    fix: wgorch up",
    ),
    "strict rp_filter on one": (
        with_sysctls(net__ipv4__conf__ens192__rp_filter="1"),
        "company: strict rp_filter on ens192 drops packets whose route back is via another interface\n"
        "    fix: sysctl -w net/ipv4/conf/ens192/rp_filter=2\n         where routes are asymmetric",
    ),
    "strict rp_filter on all": (
        with_sysctls(net__ipv4__conf__all__rp_filter="1"),
        "company: strict rp_filter on every interface drops packets whose route back is via another interface\n"
        "    fix: sysctl -w net/ipv4/conf/all/rp_filter=2\n         where routes are asymmetric",
    ),
    "small MTU": (
        with_device(Device("ppp0", 1400, True)),
        "company: ppp0 has MTU 1400\n    fix: mtu: 1320 under company",
    ),
    "another VPN": (
        with_device(Device("tailscale0", 1500, True)),
        "company: tailscale0: Tailscale (100.64.0.0/10) is present; their subnets must not overlap",
    ),
    "no start-up system": (
        with_system(starter=""),
        "company: wg0 is not started at boot: no systemd, OpenRC, runit or cron\n    fix: run as root at every start: sh /var/lib/wgorch/office/boot",
    ),
    "unit disabled": (
        replace(healthy(), slices={**healthy().slices, "units": {"systemd": "off"}}),
        "company: wg0 is not started at boot by systemd\n    fix: wgorch up",
    ),
}


@pytest.mark.parametrize("name", FROM_FACTS)
def test_a_setting_that_breaks_the_tunnel_is_named(name: str) -> None:
    facts, finding = FROM_FACTS[name]

    assert found(facts) == {finding}


FROM_THE_DOCTOR = {
    "clock fast": (
        replace(NOTHING, clock=NOW + 70),
        "company: clock is 70 s fast\n    fix: enable NTP (WireGuard rejects handshakes with older timestamps)",
    ),
    "clock slow": (
        replace(NOTHING, clock=NOW - 70),
        "company: clock is 70 s slow\n    fix: enable NTP (WireGuard rejects handshakes with older timestamps)",
    ),
    "firewall owner": (
        replace(NOTHING, daemons=frozenset({"firewalld", "dockerd"})),
        "company: firewall is managed by dockerd, firewalld\n"
        "    fix: check wgorch status after a reload, which may remove wgorch's jumps",
    ),
    "two iptables": (
        replace(NOTHING, legacy_rules=2, nft_rules=9),
        "company: both iptables-legacy (2 rules) and iptables-nft (9 rules) are in use\n"
        "    fix: keep one: update-alternatives --config iptables",
    ),
    "name": (
        replace(NOTHING, unresolved=("vpn.example",)),
        "company: cannot resolve vpn.example\n    fix: check /etc/resolv.conf on company",
    ),
    "VPN daemon": (
        replace(NOTHING, daemons=frozenset({"netbird"})),
        "company: NetBird is running; their subnets must not overlap",
    ),
    "network manager": (
        replace(NOTHING, daemons=frozenset({"NetworkManager"})),
        "company: NetworkManager is running; it must leave wg0 unmanaged",
    ),
}


@pytest.mark.parametrize("name", FROM_THE_DOCTOR)
def test_what_only_the_doctor_asks_for_is_named(name: str) -> None:
    more, finding = FROM_THE_DOCTOR[name]

    assert found(more=more) == {finding}


def test_a_clock_that_is_a_minute_off_is_good_enough() -> None:
    assert found(more=replace(NOTHING, clock=NOW + 60)) == set()


def test_answers_of_the_doctors_script_are_read() -> None:
    sections = {
        "clock": "1700000000",
        "managers": "ufw\nNetworkManager\n$(reboot)",
        "legacy": "",
        "nft-rules": "7",
        "names": "vpn.example no\nrelay.example yes",
        "unknown": "whether hub.example resolves (getent failed);rules of iptables-legacy (it failed);",
        "end": "",
    }
    text = "".join(f"\n{NONCE} {name}\n{lines}\n" for name, lines in sections.items())

    assert parse("company", text) == DoctorFacts(
        clock=1_700_000_000,
        daemons=frozenset({"ufw", "NetworkManager"}),
        legacy_rules=0,
        nft_rules=7,
        unresolved=("vpn.example",),
        unknown=("whether hub.example resolves (getent failed)", "rules of iptables-legacy (it failed)"),
    )
    with pytest.raises(Garbled):
        parse("company", text.replace("1700000000", "noon"))
    with pytest.raises(Garbled):
        parse("company", text.removesuffix(f"\n{NONCE} end\n\n"))


def test_what_is_not_known_is_said() -> None:
    more = replace(NOTHING, unknown=("which network managers run (pidof is not installed)",))
    assert found(more=more) == {"company: not known: which network managers run (pidof is not installed)"}


TOOLS = {"getent": "#!/bin/sh\nexit ${STATUS:-2}\n", "pidof": "#!/bin/sh\nexit 1\n"}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("tools", "status", "unresolved", "unknown"),
    [
        (("getent", "pidof"), 2, ("hub.example",), ()),
        (("getent", "pidof"), 0, (), ()),
        (("getent", "pidof"), 1, (), ("whether hub.example resolves (getent failed)",)),
        (("getent",), 0, (), ("which network managers run (pidof is not installed)",)),
        (("pidof",), 0, (), ("whether hub.example resolves (getent is not installed)",)),
    ],
)
def test_a_tool_that_fails_or_lacks_says_nothing_about_the_host(
    tmp_path: Path,
    shell: str,
    tools: tuple[str, ...],
    status: int,
    unresolved: tuple[str, ...],
    unknown: tuple[str, ...],
) -> None:
    for tool in tools:
        (tmp_path / tool).write_text(TOOLS[tool])
        (tmp_path / tool).chmod(0o755)
    for tool in ("date", "grep"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    argv = [shutil.which(word) or word for word in SHELLS[shell][:1]] + list(SHELLS[shell][1:])
    text = re.sub(r"(?m)^export PATH=.*$", "", script(["hub.example"]))
    environment = {"PATH": str(tmp_path), "STATUS": str(status)}
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, env=environment, timeout=20)
    facts = parse("home", done.stdout)
    assert (facts.unresolved, facts.unknown) == (unresolved, unknown), done.stderr

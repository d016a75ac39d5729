"""System of a host: kernel, distribution, tools, and the SSH session that asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache

from wgorch.base.value import value
from wgorch.facts.grammar import integer, match
from wgorch.facts.part import Answers, Part, Reread

CAP_NET_ADMIN = 12
"""Number of the capability to change the network (linux/capability.h)."""

OS_RELEASE = ("ID", "ID_LIKE", "VERSION_ID", "PRETTY_NAME")

PART = Part(
    dict.fromkeys(("host", "tools", "poor-ip", "poor-nft", "udp", "managers"), Reread.NEVER),
    moves_in_prepare=frozenset({"tools", "kernel_wireguard", "os"}),
    labels={"ports_taken": "the UDP ports", "starter": "the start-up system"},
)


@value
class System:
    """System of one host."""

    uid: int
    boot_id: str
    hostname: str
    kernel: str
    os: Mapping[str, str]
    """Fields of /etc/os-release, those of OS_RELEASE."""
    tools: frozenset[str]
    """Commands in PATH, without an ip that lacks -batch (busybox), and without nft where the kernel has no nf_tables."""
    starter: str
    """What starts programs at boot: systemd, openrc, runit, cron, or empty."""
    managers: frozenset[str]
    """Other network managers: NetworkManager, systemd-networkd, wg-quick."""
    kernel_wireguard: bool
    net_admin: bool
    """False where root lacks CAP_NET_ADMIN, as in a container."""
    ports_taken: frozenset[int]
    """The UDP port to listen on is in use."""
    no_nf_tables: bool = False
    """nft is installed, and the kernel has no nf_tables."""
    machine_id: str = field(default="", compare=False)
    ssh_client: str = field(default="", compare=False)
    """Address that the SSH session comes from, empty where there is none."""
    ssh_server: str = field(default="", compare=False)
    """Address of the host that it comes to."""
    ssh_port: int = field(default=0, compare=False)


def facts_of(answers: Answers) -> Mapping[str, str]:
    """``NAME VALUE`` lines of the section host, without those of os-release."""
    return _facts(tuple(answers["host"]))


@lru_cache(maxsize=1 << 10)  # many nouns ask for them
def _facts(lines: tuple[str, ...]) -> Mapping[str, str]:
    parts = (line.partition(" ") for line in lines)
    return {name: text for name, _, text in parts if name != "os"}


def read(answers: Answers) -> System:
    """The System in a host's answers. Raises NotAnAnswer."""
    facts = facts_of(answers)
    ssh = facts.get("ssh", "").split() or ["", "0"]
    capabilities = int(match(r"[0-9a-f]{1,16}", facts.get("rights", "ffff")), 16)
    managers = (match(r"NetworkManager|systemd-networkd|wg-quick", line) for line in answers.get("managers", []))
    return System(
        uid=integer(facts["uid"]),
        boot_id=match(r"[0-9a-f-]{36}|", facts.get("boot_id", "")),
        hostname=facts.get("hostname", "")[:100],
        kernel=facts.get("kernel", "")[:100],
        os=_os_release(answers["host"]),
        tools=_tools(answers),
        starter=match(r"systemd|openrc|runit|cron|", facts.get("init", "")),
        managers=frozenset(managers),
        kernel_wireguard="wireguard" in facts,
        net_admin=bool(capabilities >> CAP_NET_ADMIN & 1),
        ports_taken=frozenset(
            int(match(r"[0-9A-F]{4}", line.rpartition(":")[2]), 16) for line in answers.get("udp", [])
        ),
        no_nf_tables="poor-nft" in answers,
        machine_id=match(r"[0-9a-f]{32}|", facts.get("machine_id", "")),
        ssh_client=facts.get("ssh", "").split(" ")[0],
        ssh_server=ssh[2] if len(ssh) > 3 else "",
        ssh_port=integer(ssh[-1]),
    )


def _os_release(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        name, _, quoted = line.removeprefix("os ").partition("=")
        if line.startswith("os ") and name in OS_RELEASE:
            found[name] = quoted.strip("\"'")[:100]
    return found


def _tools(answers: Answers) -> frozenset[str]:
    tools = frozenset(match(r"[a-z0-9-]{1,30}", tool) for tool in answers["tools"])
    return tools - {tool for tool in ("ip", "nft") if f"poor-{tool}" in answers}

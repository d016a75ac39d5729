"""Which package manager a host has, and what the packages are called there.

Names: Debian and Ubuntu, Fedora and the RHEL family, openSUSE, Arch, Alpine and OpenWrt, as their package lists have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from wgorch.base.value import value

_IPTABLES = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore")


@value
class Manager:
    """A package manager: its command, the systems that are its own (as os-release names them), and names that differ."""

    command: str
    systems: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def package(self, tool: str) -> str:
        """The package that has a command."""
        name = {"wg": "wireguard-tools", "ip": "iproute2"}.get(tool, "iptables" if tool in _IPTABLES else tool)
        return self.names.get(name, name)


MANAGERS = {
    "apt": Manager("apt-get", ("debian", "ubuntu")),
    "dnf": Manager("dnf", ("fedora", "rhel", "centos"), {"iproute2": "iproute"}),
    "yum": Manager("yum", ("rhel", "centos"), {"iproute2": "iproute"}),
    "zypper": Manager("zypper", ("opensuse", "suse")),
    "pacman": Manager("pacman", ("arch",)),
    "apk": Manager("apk", ("alpine",), {"wireguard-tools": "wireguard-tools-wg"}),
    "opkg": Manager("opkg", ("openwrt",), {"iproute2": "ip-full", "iptables": "iptables-nft"}),
}


def manager_of(os: Mapping[str, str], tools: frozenset[str]) -> str:
    """The name of a host's package manager: the one of its system, else the first that is there; empty where none is."""
    systems = f"{os.get('ID', '')} {os.get('ID_LIKE', '')}".split()
    there = [name for name, manager in MANAGERS.items() if manager.command in tools]
    own = [n for n in there if any(s.startswith(system) for s in systems for system in MANAGERS[n].systems)]
    return next(iter([*own, *there]), "")

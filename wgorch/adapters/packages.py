"""Package managers and package names.

Names as in the package lists of Debian, Ubuntu, Fedora, the RHEL family, openSUSE, Arch, Alpine and OpenWrt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from wgorch.base.value import value

_IPTABLES = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore")


@value
class Manager:
    """A package manager."""

    command: str
    systems: tuple[str, ...]
    """Distributions that come with it, as os-release names them."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Package names that differ from Debian's."""

    def package(self, tool: str) -> str:
        """The package that a command is in."""
        name = {"wg": "wireguard-tools", "ip": "iproute2", "nft": "nftables"}.get(
            tool, "iptables" if tool in _IPTABLES else tool
        )
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
    """Name of the package manager: the distribution's own, else the first one installed; empty where there is none."""
    systems = f"{os.get('ID', '')} {os.get('ID_LIKE', '')}".split()
    installed = [name for name, manager in MANAGERS.items() if manager.command in tools]
    own = [n for n in installed if any(s.startswith(system) for s in systems for system in MANAGERS[n].systems)]
    return next(iter([*own, *installed]), "")

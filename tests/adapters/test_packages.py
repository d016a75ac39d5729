"""Package managers and names."""

from __future__ import annotations

import pytest

from wgorch.adapters.packages import MANAGERS, manager_of

TOOLS = ("wg", "ip", "iptables-restore", "nft")


@pytest.mark.parametrize(
    ("manager", "packages"),
    [
        ("apt", ["wireguard-tools", "iproute2", "iptables", "nftables"]),
        ("dnf", ["wireguard-tools", "iproute", "iptables", "nftables"]),
        ("apk", ["wireguard-tools-wg", "iproute2", "iptables", "nftables"]),
        ("opkg", ["wireguard-tools", "ip-full", "iptables-nft", "nftables"]),
    ],
)
def test_the_package_of_a_command(manager: str, packages: list[str]) -> None:
    assert packages == [MANAGERS[manager].package(tool) for tool in TOOLS]


@pytest.mark.parametrize(
    ("os", "tools", "name", "reason"),
    [
        ({"ID": "debian"}, {"apt-get", "dnf"}, "apt", "Debian's own"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, {"yum", "dnf", "apt-get"}, "dnf", "like RHEL"),
        ({"ID": "opensuse-leap"}, {"apt-get", "zypper"}, "zypper", "a name that begins like openSUSE"),
        ({"ID": "other"}, {"pacman", "apk"}, "pacman", "the first one installed"),
        ({"ID": "debian"}, {"ip"}, "", "there is none"),
    ],
)
def test_the_manager_of_a_host(os: dict[str, str], tools: set[str], name: str, reason: str) -> None:
    assert name == manager_of(os, frozenset(tools)), reason

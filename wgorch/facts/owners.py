"""Whose a network interface is, where another program made it; by the names that those programs give, in full."""

from __future__ import annotations

import re

_OWNERS = (
    (r"docker\d+|docker_gwbridge|br-[0-9a-f]{12}", "Docker"),
    (r"podman\d+|cni-podman\d+", "Podman"),
    (r"lxdbr\d+|incusbr\d+|lxcbr\d+", "LXD"),
    (r"virbr\d+(-nic)?|vnet\d+", "libvirt"),
    (r"cni\d+|flannel\.\d+|cilium_\w+|cali[0-9a-f]{11}|kube-bridge|weave", "Kubernetes"),
    (r"veth[0-9a-z]+", "a container"),
    (r"tailscale\d+", "Tailscale"),
    (r"wt\d+", "NetBird"),
    (r"zt[0-9a-z]{8}", "ZeroTier"),
    (r"nebula\d*", "Nebula"),
    (r"easytier\d*|et_\w+", "EasyTier"),
    (r"wg\d*", "another WireGuard"),
    (r"tun\d*|tap\d*|utun\d*", "a tunnel"),
)
_PATTERN = "|".join(f"(?P<o{n}>{pattern})" for n, (pattern, _) in enumerate(_OWNERS))


def owner_of(interface: str) -> str:
    """The program that an interface belongs to, by its whole name; empty for the machine's own."""
    found = re.fullmatch(_PATTERN, interface)
    return _OWNERS[int((found.lastgroup or "o0")[1:])][1] if found else ""


CHAINS = {
    "DOCKER": "Docker",
    "LIBVIRT_": "libvirt",
    "KUBE-": "Kubernetes",
    "cali-": "Calico",
    "CILIUM_": "Cilium",
    "f2b-": "fail2ban",
    "ufw": "ufw",
    "LOCALINPUT": "CSF",
    "LOCALOUTPUT": "CSF",
    "DENYIN": "CSF",
    "CSF": "CSF",
    "nixos-fw": "NixOS",
    "sshguard": "sshguard",
}
"""Owners of chains, by the beginning of a name."""


def chain_owner(chain: str) -> str:
    """The program that a chain of iptables belongs to, by its name; empty where that is not known."""
    return next((owner for start, owner in CHAINS.items() if chain.startswith(start)), "")

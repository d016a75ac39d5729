"""What starts a host's boot program after a reboot: a systemd unit; other init systems will stand beside it."""

from __future__ import annotations

import hashlib

from wgorch.inventory.model import Network

_UNIT = """\
# wgorch:{name}
[Unit]
Description=WireGuard network {name}, by wgorch
Documentation=file:{directory}/boot
Wants=network-online.target
After=network-online.target nftables.service netfilter-persistent.service iptables.service
After=firewalld.service ufw.service docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh {directory}/boot
KillMode=process

[Install]
WantedBy=multi-user.target
"""


def unit_name(network: str) -> str:
    """The unit's name."""
    return f"wgorch-{network}.service"


def unit_path(network: str) -> str:
    """Where the unit lies."""
    return f"/etc/systemd/system/{unit_name(network)}"


def unit_text(network: str, directory: str) -> str:
    """The unit's text."""
    return _UNIT.format(name=network, directory=directory)


def unit_digest(network: Network) -> str:
    """SHA-256 of the unit's text, as ``sha256sum`` prints it."""
    return hashlib.sha256(unit_text(network.name, network.directory).encode()).hexdigest()

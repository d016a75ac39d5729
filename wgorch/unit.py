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


_WATCH_SERVICE = """\
# wgorch:{name}
[Unit]
Description=WireGuard network {name}, by wgorch: peers whose address may become another
Documentation=file:{directory}/watch

[Service]
Type=oneshot
ExecStart=/bin/sh {directory}/watch
"""

_WATCH_TIMER = """\
# wgorch:{name}
[Unit]
Description=WireGuard network {name}, by wgorch: peers whose address may become another

[Timer]
OnActiveSec=30
OnUnitActiveSec=30
AccuracySec=5

[Install]
WantedBy=timers.target
"""

UNITS = "/etc/systemd/system"


def digest(text: str) -> str:
    """SHA-256 as ``sha256sum`` prints it."""
    return hashlib.sha256(text.encode()).hexdigest()


def watch_units(network: str) -> tuple[str, str]:
    """The names of the service that looks after the peers, and of its timer."""
    return f"wgorch-{network}-watch.service", f"wgorch-{network}-watch.timer"


def watch_texts(network: str, directory: str) -> dict[str, str]:
    """Their texts, by name."""
    texts = (_WATCH_SERVICE, _WATCH_TIMER)
    return {n: t.format(name=network, directory=directory) for n, t in zip(watch_units(network), texts, strict=True)}


def unit_name(network: str) -> str:
    """The unit's name."""
    return f"wgorch-{network}.service"


def unit_path(network: str) -> str:
    """Where the unit lies."""
    return f"{UNITS}/{unit_name(network)}"


def unit_text(network: str, directory: str) -> str:
    """The unit's text."""
    return _UNIT.format(name=network, directory=directory)


def unit_digest(network: Network) -> str:
    """SHA-256 of the unit's text, as ``sha256sum`` prints it."""
    return hashlib.sha256(unit_text(network.name, network.directory).encode()).hexdigest()

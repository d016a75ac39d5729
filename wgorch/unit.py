"""What starts a host's boot program after a reboot, and looks after its peers: systemd, or cron where that runs alone."""

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


_CRON = """\
# wgorch:{name}
@reboot root /bin/sh {directory}/boot
* * * * * root [ ! -r {directory}/watch ] || /bin/sh {directory}/watch
"""


def unit_name(network: str, starter: str) -> str:
    """The name of what starts the boot program."""
    return f"wgorch-{network}.service" if starter == "systemd" else f"wgorch-{network}"


def unit_path(network: str, starter: str) -> str:
    """Where it lies."""
    return f"{UNITS if starter == 'systemd' else '/etc/cron.d'}/{unit_name(network, starter)}"


def unit_text(network: str, directory: str, starter: str) -> str:
    """Its text."""
    return (_UNIT if starter == "systemd" else _CRON).format(name=network, directory=directory)


def unit_digest(network: Network, starter: str) -> str:
    """SHA-256 of its text, as ``sha256sum`` prints it."""
    return digest(unit_text(network.name, network.directory, starter))

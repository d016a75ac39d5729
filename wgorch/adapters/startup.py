"""What starts a host's boot program after a reboot and looks after its peers, and what keeps others' hands off."""

from __future__ import annotations

import hashlib

from wgorch.base.value import value
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


_OPENRC = """\
#!/sbin/openrc-run
# wgorch:{name}
description="WireGuard network {name}, by wgorch"

depend() {{
    use net
    after net firewall iptables ip6tables nftables ufw firewalld docker
}}

start() {{
    ebegin "Starting WireGuard network {name}"
    /bin/sh {directory}/boot
    eend $?
}}
"""


_RUNIT = """\
#!/bin/sh
# wgorch:{name}: runit starts this again whenever it ends, so it stays, and looks after the peers meanwhile
# It also starts it at once when it gets it; then the network is up already.
grep -qsx wgorch:{name} /sys/class/net/*/ifalias || /bin/sh {directory}/boot
while :; do
    sleep 30
    [ ! -r {directory}/watch ] || /bin/sh {directory}/watch
done
"""


Words = tuple[str, ...]


@value
class Starter:
    """What starts programs on a host when it starts: our file in it, and the commands that make it know of that file.

    `gone`: what ends it, where that may fail.
    """

    what: str
    path: str
    text: str
    mode: str = "644"
    enable: tuple[Words, ...] = ()
    gone: tuple[Words, ...] = ()
    after: tuple[Words, ...] = ()


_STARTERS = {
    "systemd": Starter(
        "unit wgorch-{name}.service",
        f"{UNITS}/wgorch-{{name}}.service",
        _UNIT,
        enable=(("systemctl", "daemon-reload"), ("systemctl", "enable", "--quiet", "wgorch-{name}.service")),
        gone=(("systemctl", "disable", "--quiet", "wgorch-{name}.service"),),
        after=(("systemctl", "daemon-reload"),),
    ),
    "openrc": Starter(
        "OpenRC service wgorch-{name}",
        "/etc/init.d/wgorch-{name}",
        _OPENRC,
        "755",
        enable=(("rc-update", "--quiet", "add", "wgorch-{name}", "default"),),
        gone=(("rc-update", "--quiet", "delete", "wgorch-{name}", "default"),),
    ),
    "runit": Starter(
        "runit service wgorch-{name}",
        "/etc/sv/wgorch-{name}/run",
        _RUNIT,
        "755",
        enable=(("enable_runit", "wgorch-{name}"),),
        gone=(("disable_runit", "wgorch-{name}"),),
    ),
    "cron": Starter("cron table wgorch-{name}", "/etc/cron.d/wgorch-{name}", _CRON),
}


def starter_of(kind: str, network: str, directory: str) -> Starter:
    """What starts the boot program of a network, by the host's kind of start-up."""

    def fill(commands: tuple[Words, ...]) -> tuple[Words, ...]:
        return tuple(tuple(word.format(name=network) for word in words) for words in commands)

    s = _STARTERS[kind]
    return Starter(
        s.what.format(name=network),
        s.path.format(name=network),
        s.text.format(name=network, directory=directory),
        s.mode,
        fill(s.enable),
        fill(s.gone),
        fill(s.after),
    )


def unit_digest(network: Network, kind: str) -> str:
    """SHA-256 of its text, as ``sha256sum`` prints it."""
    return digest(starter_of(kind, network.name, network.directory).text)


def drop_ins(network: Network, managers: frozenset[str]) -> dict[str, str]:
    """Files that keep other managers of a host's network from touching the tunnel, or its rules; by path."""
    head, name = f"# wgorch:{network.name}: this interface is wgorch's", network.interface
    found = {}
    if "NetworkManager" in managers:
        text = f"{head}\n[keyfile]\nunmanaged-devices+=interface-name:{name}"
        found[f"/etc/NetworkManager/conf.d/wgorch-{network.name}.conf"] = text
    if "systemd-networkd" in managers:
        text = f"{head}\n[Match]\nName={name}\n\n[Link]\nUnmanaged=yes"
        found[f"/etc/systemd/network/05-wgorch-{network.name}.network"] = text
        if network.exits:
            head = f"# wgorch:{network.name}: or it deletes the rules by which everything leaves through the tunnel"
            text = f"{head}\n[Network]\nManageForeignRoutingPolicyRules=no"
            found[f"/etc/systemd/networkd.conf.d/wgorch-{network.name}.conf"] = text
    return found

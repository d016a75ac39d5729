"""Entries of start-up systems: every byte, since a host compares their digests."""

from __future__ import annotations

import subprocess

import pytest

from wgorch.adapters.startup import digest, starter_of, unit_digest, watch_texts
from wgorch.base.assets import asset
from wgorch.inventory.model import Network

PLACE = "/var/lib/wgorch/office"
KINDS = ("systemd", "openrc", "runit", "cron")

TEXTS = {
    "systemd": """\
# wgorch:office
[Unit]
Description=WireGuard network office, managed by wgorch
Documentation=file:/var/lib/wgorch/office/boot
Wants=network-online.target
After=network-online.target nftables.service netfilter-persistent.service iptables.service
After=firewalld.service ufw.service docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /var/lib/wgorch/office/boot
KillMode=process

[Install]
WantedBy=multi-user.target
""",
    "openrc": """\
#!/sbin/openrc-run
# wgorch:office
description="WireGuard network office, managed by wgorch"

depend() {
    use net
    after net firewall iptables ip6tables nftables ufw firewalld docker
}

start() {
    ebegin "Starting WireGuard network office"
    /bin/sh /var/lib/wgorch/office/boot
    eend $?
}
""",
    "runit": """\
#!/bin/sh
# wgorch:office: runit restarts a service that ends, so this one stays, and runs the watch meanwhile.
# It is also started at once when it is enabled; the network is up already then.
grep -qsx wgorch:office /sys/class/net/*/ifalias || /bin/sh /var/lib/wgorch/office/boot
while :; do
    sleep 30
    [ ! -r /var/lib/wgorch/office/watch ] || /bin/sh /var/lib/wgorch/office/watch
done
""",
    "cron": """\
# wgorch:office
@reboot root /bin/sh /var/lib/wgorch/office/boot
* * * * * root [ ! -r /var/lib/wgorch/office/watch ] || /bin/sh /var/lib/wgorch/office/watch
""",
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_of_an_entry(kind: str) -> None:
    assert TEXTS[kind] == starter_of(kind, "office", PLACE).text
    assert digest(TEXTS[kind]) == unit_digest(Network("office", ()), kind)


def test_the_units_of_the_watch() -> None:
    assert watch_texts("office", PLACE) == {
        "wgorch-office-watch.service": """\
# wgorch:office
[Unit]
Description=WireGuard network office, managed by wgorch: follow changing endpoints
Documentation=file:/var/lib/wgorch/office/watch

[Service]
Type=oneshot
ExecStart=/bin/sh /var/lib/wgorch/office/watch
""",
        "wgorch-office-watch.timer": """\
# wgorch:office
[Unit]
Description=WireGuard network office, managed by wgorch: follow changing endpoints

[Timer]
OnActiveSec=30
OnUnitActiveSec=30
AccuracySec=5

[Install]
WantedBy=timers.target
""",
    }


@pytest.mark.parametrize(
    ("kind", "what", "path", "mode", "enable", "disable"),
    [
        (
            "systemd",
            "unit wgorch-office.service",
            "/etc/systemd/system/wgorch-office.service",
            "644",
            ["systemctl daemon-reload", "systemctl enable --quiet wgorch-office.service"],
            ["systemctl disable --quiet wgorch-office.service", "systemctl daemon-reload"],
        ),
        (
            "openrc",
            "OpenRC service wgorch-office",
            "/etc/init.d/wgorch-office",
            "755",
            ["rc-update --quiet add wgorch-office default"],
            ["rc-update --quiet delete wgorch-office default"],
        ),
        (
            "runit",
            "runit service wgorch-office",
            "/etc/sv/wgorch-office/run",
            "755",
            ["enable_runit wgorch-office"],
            ["disable_runit wgorch-office"],
        ),
        ("cron", "cron table wgorch-office", "/etc/cron.d/wgorch-office", "644", [], []),
    ],
)
def test_an_entry_and_its_commands(
    kind: str, what: str, path: str, mode: str, enable: list[str], disable: list[str]
) -> None:
    found = starter_of(kind, "office", PLACE)

    assert (what, path, mode) == (found.what, found.path, found.mode)
    assert enable == [" ".join(words) for words in found.enable]
    assert disable == [" ".join(words) for words in (*found.gone, *found.after)]


@pytest.mark.parametrize("name", ["openrc", "runit"])
def test_a_template_is_sh(name: str) -> None:
    done = subprocess.run(["sh", "-n"], input=asset("host", f"startup/{name}"), text=True, check=False)

    assert 0 == done.returncode

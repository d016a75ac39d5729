"""Endpoints by name, whose address becomes another."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.lab.test_ways import ways

pytestmark = pytest.mark.slow(50)

NAMED = """
network: {name: named, subnet: 10.99.8.0/24}
hosts:
  bcc: {ssh: root@203.0.113.13, endpoint: "relay.example:51820", relay: true}
  home: {ssh: root@192.168.7.7}
"""


def test_a_changed_name_is_followed_where_its_peer_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "named.yaml"
    path.write_text(NAMED)
    with ways(path) as w:
        world = w.world
        first = str(world.layout.names["relay.example"])
        net, host = first.rpartition(".")[0], int(first.rpartition(".")[2])
        other, none = f"{net}.{host + 60}", f"{net}.{host + 70}"

        def moves(old: str, new: str) -> None:
            card = world.sh("bcc", f"ip -o address show to {old} | cut -d' ' -f2").strip()
            world.sh("bcc", f"ip address add {new}/24 dev {card}; ip address del {old}/24 dev {card}")
            world.sh(
                "bcc",
                f"ip address add {new}/24 dev {card} 2>/dev/null; ip route replace default via {net}.1 proto static",
                check=False,
            )

        def leads_to(address: str) -> None:
            world.sh("home", f"sed -i 's/^[0-9.]* relay.example/{address} relay.example/' /etc/hosts")

        told = w.up()
        assert "timer wgorch-named-watch.timer" in told
        assert "No changes." in w.wgorch("plan", "inventory.yaml")
        assert "active" in world.sh("home", "systemctl is-active wgorch-named-watch.timer")
        world.sh("home", "systemd-analyze verify /etc/systemd/system/wgorch-named-watch.timer")

        moves(first, other)
        leads_to(other)
        began = time.monotonic()
        while not w.ping("home", "10.99.8.1", wait=1) and time.monotonic() - began < 125:
            time.sleep(1)
        took = time.monotonic() - began
        print(f"followed after {took:.0f} s")
        assert took < 120
        assert f"{other}:51820" in world.sh("home", "wg show wg0 endpoints")

        # A peer that answers is left alone, wherever its name leads now.
        leads_to(none)
        world.sh("home", "sh /var/lib/wgorch/named/watch")
        assert f"{other}:51820" in world.sh("home", "wg show wg0 endpoints")
        moves(other, first)
        leads_to(first)

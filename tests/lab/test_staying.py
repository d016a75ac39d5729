"""Staying after a reboot where systemd does not run: by cron."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.lab.test_names import NAMED
from tests.lab.test_ways import Ways
from wgorch.inventory.load import load
from wgorch.rehearsal.rehearse import world_of
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot


def test_cron_starts_the_network_and_looks_after_peers(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(NAMED)
    world = world_of(load(path), f"cron-{os.getpid()}", systemd=False)
    with world:
        w = Ways(world)
        assert "neither systemd nor cron runs here" in w.wgorch("plan", "inventory.yaml", code=2)
        before = {name: snapshot(world, name) for name in ("bcc", "home")}
        for host in ("bcc", "home"):
            world.sh(host, "cron")
        told = w.up()
        assert "+ cron table wgorch-named" in told
        assert "+ watch, by cron" in told
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")

        world.reboot("home")
        assert not w.ping("home", "10.99.8.1", wait=1)
        world.sh("home", "cron")
        began = time.monotonic()
        while not w.ping("home", "10.99.8.1", wait=1) and time.monotonic() - began < 20:
            time.sleep(0.5)
        assert w.ping("home", "10.99.8.1")
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")

        w.wgorch("teardown", "inventory.yaml", "--yes")
        assert "wgorch" not in world.sh("home", "ls /etc/cron.d")
        for host in ("bcc", "home"):
            world.sh(host, "kill $(cat /run/crond.pid)")
        ignore = (*KEYS_STAY, "/run/crond", "/var/spool/cron")
        left = {n: then.difference(snapshot(world, n), ignore=ignore) for n, then in before.items()}
        assert not any(left.values()), left

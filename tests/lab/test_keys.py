"""Keys from elsewhere, preshared keys, and keys that end."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from tests.lab.test_ways import lost_while, ways
from tests.soak.rounds import CLOCK
from wgorch.rehearsal.inventory_world import WHERE

pytestmark = pytest.mark.slow(110)

SECRETS = """
network: {name: secret, subnet: 10.99.9.0/24, preshared_keys: true}
hosts:
  bcc: {ssh: root@203.0.113.13, endpoint: "203.0.113.13:51820", relay: true}
  home:
    ssh: root@192.168.7.7
    private_key: {file: /etc/key}
  office:
    ssh: root@192.168.8.8
verify: [home -> office]
"""


def test_preshared_keys_and_a_key_from_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text(SECRETS)
    with ways(path) as w:
        world, person = w.world, w.world.layout.controller
        absent = w.wgorch("up", "inventory.yaml", "--yes", code=None)
        assert "cat /etc/key" in absent
        world.sh("home", "umask 077; wg genkey >/etc/key")
        assert "+ private key" in w.up("-vv")
        public = world.sh("home", "wg pubkey </etc/key").strip()
        assert public == world.sh("home", "wg show wg0 public-key").strip()

        def nonce_hash(host: str) -> set[str]:
            lines = world.sh(host, "wg show wg0 preshared-keys").split("\n")
            secrets = {line.split("\t")[1] for line in lines if line}
            assert "(none)" not in secrets
            return {hashlib.sha256(f"nonce {s}".encode()).hexdigest() for s in secrets}

        assert nonce_hash("home") < nonce_hash("bcc")
        assert nonce_hash("office") < nonce_hash("bcc")
        assert not nonce_hash("home") & nonce_hash("office")
        assert w.ping("home", "10.99.9.3")
        assert "No changes." in w.wgorch("plan", "inventory.yaml")
        shown = w.up("-vv")
        for secret in world.sh("bcc", "cat /var/lib/wgorch/secret/psk.*").split():
            assert secret not in shown
            found = world.sh(person, f"grep -rl '{secret}' /root/.local /root/.ssh {WHERE} 2>/dev/null", check=False)
            assert not found.strip()

        # Drift, and mended: the other end gets the new one, too.
        world.sh("home", "rm /var/lib/wgorch/secret/psk.*")
        assert "preshared key" in w.wgorch("plan", "inventory.yaml", code=2)
        w.up()
        assert nonce_hash("home") < nonce_hash("bcc")

        # What the key comes from has another one: asked for consent, proven, and the old one is gone.
        world.sh("home", "umask 077; wg genkey >/etc/key")
        refused = w.wgorch("up", "inventory.yaml", "--yes", code=4)
        assert "--accept-new-key home" in refused
        w.up("--accept-new-key", "home")
        assert world.sh("home", "wg pubkey </etc/key") == world.sh("home", "wg show wg0 public-key")
        assert world.sh(
            "home", "cmp /etc/key /var/lib/wgorch/secret/private_key && ls /var/lib/wgorch/secret/private_key*"
        ).split() == ["/var/lib/wgorch/secret/private_key"]
        assert "No changes." in w.wgorch("plan", "inventory.yaml")

        # And no more of it, also where a clock is wrong.
        time.sleep(1.1)  # handshakes are told apart by their second
        world.sh("home", CLOCK.format("+86400"))
        w.edit((", preshared_keys: true", ""))
        w.up()
        assert not world.sh("bcc", "ls /var/lib/wgorch/secret/psk.* 2>/dev/null", check=False).strip()
        assert "(none)" in world.sh("home", "wg show wg0 preshared-keys")


def test_keys_end_too() -> None:
    with ways("home-company.yaml") as w:
        world = w.world
        w.up()
        for host in ("home", "bcc"):
            old = world.sh(host, "wg show wg0 public-key").strip()
            kept = world.sh(host, "cat /var/lib/wgorch/office/private_key").strip()
            lost, gap = lost_while(w, "home", "10.10.13.61", ("rotate-key", host, "-i", "inventory.yaml", "--yes"))
            print(f"new key for {host}: {lost} pings of one every 20 ms lost, longest gap {gap:.2f} s")

            new = world.sh(host, "wg show wg0 public-key").strip()
            assert new != old
            assert kept not in world.sh(host, "cat /var/lib/wgorch/office/*", check=False)
            assert all(old not in world.sh(other, "wg show wg0 peers") for other in ("bcc", "home", "company"))
            assert "No changes." in w.wgorch("plan", "inventory.yaml")
            assert gap < 6
            world.reboot(host)
            began = time.monotonic()
            while not w.ping("home", "10.10.13.61", wait=1) and time.monotonic() - began < 40:
                time.sleep(0.5)
            assert world.sh(host, "wg show wg0 public-key").strip() == new


def test_a_rotation_that_fails_leaves_the_old_key() -> None:
    with ways("home-company.yaml") as w:
        world = w.world
        w.up()
        old = world.sh("home", "wg show wg0 public-key").strip()
        world.sh(
            "internet",
            "iptables -I FORWARD -p udp --dport 38371 -j DROP; iptables -I FORWARD -p udp --sport 38371 -j DROP",
        )
        w.wgorch("rotate-key", "home", "-i", "inventory.yaml", "--yes", code=5)
        world.sh("internet", "iptables -F FORWARD")

        assert world.sh("home", "wg show wg0 public-key").strip() == old
        assert old in world.sh("bcc", "wg show wg0 peers")
        assert "No changes." in w.wgorch("plan", "inventory.yaml")
        # A handshake that was lost is repeated after 5 s, or a little later.
        assert any(w.ping("home", "10.10.13.61", wait=2) for _ in range(10))

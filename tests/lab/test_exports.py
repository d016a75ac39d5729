"""Exports are what the other tools take: wg-quick strips them and brings a whole network up from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.conftest import HOSTS, INVENTORY, Lab

pytestmark = pytest.mark.slow(70)

TARGET = "10.10.13.61"


def _with_phone(lab: Lab, key: str = "") -> Path:
    return lab.edited(("verify:\n", f"devices:\n  phone:{' {public_key: ' + key + '}' if key else ''}\n\nverify:\n"))


def test_a_device_is_exported_let_in_and_shut_out_again(network: Lab) -> None:
    world = network.world
    done = network.wgorch("export", "phone", _with_phone(network))
    key = re.search(r"public_key: (\S+)", done.stderr)
    assert key, done.stderr
    assert "PrivateKey = " in done.stdout
    world.write("controller", "/root/phone.conf", done.stdout, "600")
    assert "PublicKey" in world.sh("controller", "wg-quick strip /root/phone.conf")

    network.up(_with_phone(network, key[1]))
    away = network.wgorch("trace", "home", "phone", _with_phone(network, key[1]), code=1)
    assert "bcc: no current session with phone" in away.stdout
    try:
        world.sh("controller", "wg-quick up /root/phone.conf")
        assert world.ping("controller", "192.168.2.1", wait=5)
        assert world.ping("controller", "192.168.2.2", wait=5)
        assert world.ping("controller", TARGET)
        assert "192.168.2.4 reachable" in network.wgorch("trace", "home", "phone", _with_phone(network, key[1])).stdout
        status = network.wgorch("status", _with_phone(network, key[1])).stdout
        assert re.search(r"phone\s+198\.51\.100\.34:", status), status

        # Its private key is in no file and in no line of ours.
        private = re.search(r"PrivateKey = (\S+)", done.stdout)
        assert private
        assert private[1] not in world.sh("controller", "cat /root/.local/state/wgorch/*")

        removed = network.up(INVENTORY)
        assert "peer " in removed.stdout
        assert not world.ping("controller", TARGET)
        assert key[1] not in world.sh("bcc", "wg show wg0 peers")
    finally:
        world.sh(
            "controller",
            "wg-quick down /root/phone.conf; rm -f /root/phone.conf; sleep 0.3; rmdir /run/wireguard; true",
        )


def test_a_code_and_files_for_a_device(lab: Lab) -> None:
    lab.up()
    known = _with_phone(lab, "cGhvbmVwaG9uZXBob25lcGhvbmVwaG9uZXBob25lcGg=")
    assert "works on no device" in lab.wgorch("export", "phone", known, "--qr", code=3).stderr
    inventory = lab.inventory(re.sub(r"public_key: [^,}\n]+,? ?", "", known.read_text()), "keyless.yaml")
    shown = lab.wgorch("export", "phone", inventory, "--qr").stdout
    assert {"█", "▄", "▀"} & set(shown)
    for name, magic in (("phone.png", "PNG"), ("phone.svg", "<svg")):
        lab.wgorch("export", "phone", inventory, "-o", f"/root/{name}")
        assert magic in lab.world.sh("controller", f"cat /root/{name} | tr -d '\\0'")
        assert lab.world.sh("controller", f"stat -c %a /root/{name}; rm /root/{name}").strip() == "600"


def test_a_container_runs_a_device(network: Lab) -> None:
    inventory = _with_phone(network, "cGhvbmVwaG9uZXBob25lcGhvbmVwaG9uZXBob25lcGg=")
    network.wgorch("export", "phone", inventory, "--format", "compose", "-o", "/root/compose")
    shown = network.world.sh("controller", "cd /root/compose && docker-compose -f docker-compose.yaml config")
    network.world.sh("controller", "rm -rf /root/compose")
    assert "container_name: wgorch-office-phone" in shown
    assert "/root/compose/phone.conf:/config/wg_confs/wg0.conf:ro" in shown


def test_a_network_brought_up_by_wg_quick_from_the_exports_works(network: Lab) -> None:
    world = network.world
    network.wgorch("export", INVENTORY, "-o", "/root/exported")
    files = {host: world.sh("controller", f"cat /root/exported/{host}.conf") for host in HOSTS}
    network.wgorch("teardown", INVENTORY, "--yes")
    assert not world.ping("home", TARGET)
    try:
        for host, text in files.items():
            assert "PrivateKey" not in text
            world.write(host, "/root/wg0.conf", text, "600")
            world.sh(host, "wg-quick strip /root/wg0.conf >/dev/null && wg-quick up /root/wg0.conf")
        for source, goal in (("home", "192.168.2.3"), ("home", TARGET), ("company", "192.168.2.2"), ("bcc", TARGET)):
            assert world.ping(source, goal, wait=6), f"{source} -> {goal}"
    finally:
        for host in HOSTS:
            world.sh(
                host,
                "wg-quick down /root/wg0.conf; rm -f /root/wg0.conf; nft delete table ip filter; nft delete table ip nat; nft delete table ip mangle; sleep 0.3; rmdir /run/wireguard; true",
            )
        world.sh("bcc", "echo 1 >/proc/sys/net/ipv4/conf/all/send_redirects")
        world.sh("company", "echo 0 >/proc/sys/net/ipv4/conf/ens192/forwarding")
        world.sh("controller", "rm -rf /root/exported")


def test_names_for_etc_hosts(network: Lab) -> None:
    assert "192.168.2.3\tcompany" in network.wgorch("export", INVENTORY, "--format", "hosts").stdout
    refused = network.wgorch("export", INVENTORY, "--format", "peers", code=3)
    assert "home and company peer only through bcc" in refused.stderr

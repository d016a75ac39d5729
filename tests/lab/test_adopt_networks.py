"""Networks drawn by a seed are adopted as they are, or refused with the name of what an inventory cannot say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from tests.conftest import SEED
from tests.lab.conftest import Lab, own_lab
from tests.lab.live_networks import INEXPRESSIBLE, PLACES, LiveNetwork, drawn
from tests.lab.test_ssh_ways import config

ROUNDS = 300 if os.environ.get("WGORCH_LONG") else 12 if os.environ.get("WGORCH_TEST_ALL") else 2
FIRST = SEED * 1000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("live", tmp_path_factory) as lab:
        config(lab, "Host 10.10.13.62\n  ProxyJump root@198.51.100.66\n")
        yield lab


def objects(lab: Lab, network: LiveNetwork) -> dict[str, str]:
    """What a person would miss; what its daemon holds is said by the daemon's own tools only."""
    i = network.interface
    asked = f"""
        wg show {i} public-key; wg show {i} listen-port; wg show {i} fwmark; wg show {i} persistent-keepalive | sort
        wg show {i} preshared-keys | sort | sha256sum
        wg show {i} allowed-ips | while read -r key nets; do for net in $nets; do echo "$key $net"; done; done | sort
        ip -o address show dev {i} | sed 's/.*inet/inet/; s/ *valid_lft.*//' | sort
        cat /sys/class/net/{i}/mtu
        for v in -4 -6; do ip $v route show dev {i} | sed 's/ proto [a-z0-9]*//' | sort; done
    """
    return {host: lab.world.sh(host, asked) for host in network.hosts}


def rules(lab: Lab, network: LiveNetwork) -> dict[str, list[str]]:
    """The rules of others."""
    texts = {host: lab.world.sh(host, "iptables-save; cat /proc/sys/net/ipv4/ip_forward") for host in network.hosts}
    return {
        host: [line for line in text.split("\n") if line.startswith("-A") and "wgorch" not in line]
        for host, text in texts.items()
    }


def works(lab: Lab, network: LiveNetwork) -> bool:
    """The last host reaches the relay through the tunnel."""
    address = re.search(r"Address = ([0-9.]+)", network.conf["bcc"])
    assert address
    return lab.world.ping(network.hosts[-1], address[1])


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
def test_a_network_is_adopted_as_it_is_or_refused(lab: Lab, seed: int) -> None:
    network = drawn(seed, lab)
    said = f"seed {seed}: {network.interface} on {network.hosts}, {sorted(network.extras)}, quick {network.quick}"
    try:
        network.up(lab)
        lab.wait(lambda: works(lab, network), 20, f"the network made by hand: {said}")
        _judge(lab, network, said)
    finally:
        for host in network.hosts:
            lab.world.sh(host, "rm -rf /var/lib/wgorch", check=False)
        network.down(lab)
        lab.world.sh("controller", "rm -rf /root/.local/state/wgorch")


def _judge(lab: Lab, network: LiveNetwork, said: str) -> None:
    before, foreign = objects(lab, network), rules(lab, network)
    path = lab.directory / "live.yaml"
    path.unlink(missing_ok=True)
    argv = ["adopt", *(PLACES[host] for host in network.hosts), "--interface", network.interface, "-o", path]
    adopted = lab.wgorch(*argv, code=None)
    shown = f"{said}\n{adopted.stdout}{adopted.stderr}"
    assert "Traceback" not in shown
    assert objects(lab, network) == before, shown
    # A route into the tunnel's own subnet may stay as it is, or stand in the way.
    may = network.extras & set(INEXPRESSIBLE) == {"route with attributes"} and adopted.returncode == 0
    if not network.expressible and not may:
        assert adopted.returncode in (3, 4), shown
        assert not path.exists(), shown
        assert re.search(r"address \d|allowed-ips|route to|route \d|fwmark|peer \S+", adopted.stderr), shown
        return
    assert adopted.returncode == 0, shown
    _says_what_the_files_say(network, path.read_text(), adopted.stderr, shown)
    path.chmod(0o644)
    lab.wgorch("check", path)
    address = re.search(r"Address = ([0-9.]+)", network.conf["bcc"])
    assert address
    pinging = lab.world.spawn(network.hosts[-1], "ping", "-n", "-i", "0.01", "-c", "600", address[1])
    up = lab.wgorch("up", path, "--adopt", "--yes", code=None)
    pings = pinging.communicate(timeout=30)[0]
    shown += f"\n{path.read_text()}\n{up.stdout}{up.stderr}"
    assert up.returncode == 0, shown
    assert re.search(r"[ ,]0% packet loss", pings), f"{shown}\n{pings[-300:]}"
    assert objects(lab, network) == before, shown
    assert rules(lab, network) == foreign, shown
    assert "No changes." in lab.wgorch("plan", path).stdout, shown
    secrets = re.findall(r"PresharedKey = (\S+)", "".join(network.conf.values()))
    assert not [secret for secret in secrets if secret in shown]
    down = lab.wgorch("teardown", path, "--yes")
    assert "does NOT come back by itself" in down.stdout + down.stderr, down.stdout
    assert rules(lab, network) == foreign, shown


def _says_what_the_files_say(network: LiveNetwork, text: str, notes: str, shown: str) -> None:
    for extra, name in (("phone", "annas-phone:"), ("router", "fritz-box:"), ("endpoint by name", "hub.example.net:")):
        assert (name in text) == (extra in network.extras), shown
    secrets = re.findall(r"PrivateKey = (\S+)", "".join(network.conf.values()))
    assert not [secret for secret in secrets if secret in text + notes], shown
    dns = "name servers" in network.extras and "home" in network.hosts and not network.quick
    assert ("sets name servers" in notes) == dns, shown
    assert "runs commands at each start" in notes, shown

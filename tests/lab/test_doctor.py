"""`wgorch doctor` finds what may stand in the way on a host, and says what mends it."""

from __future__ import annotations

import json

from tests.lab.conftest import INVENTORY, Lab


def told(lab: Lab, host: str, code: int = 1) -> list[str]:
    done = lab.wgorch("doctor", host, "-i", INVENTORY, "--json", code=code)
    return [finding["problem"] for finding in json.loads(done.stdout)["hosts"][host]]


def test_each_obstacle_is_named(network: Lab) -> None:
    usual = told(network, "company", code=0)
    assert all("wireguard-go is used" in line for line in usual), usual

    make = """
    iptables -P FORWARD DROP
    nft 'table inet fence { chain gate { type filter hook forward priority 5; policy drop; }; }'
    echo 1 >/proc/sys/net/ipv4/conf/ens192/rp_filter
    ip link set ens192 mtu 1400
    ip link add tailscale0 type bridge
    systemctl disable --quiet wgorch-office
    """
    mend = """
    iptables -P FORWARD ACCEPT; nft delete table inet fence; echo 0 >/proc/sys/net/ipv4/conf/ens192/rp_filter
    ip link set ens192 mtu 1500; ip link delete tailscale0
    """
    network.world.sh("company", make)
    try:
        found = "\n".join(told(network, "company"))
        shown = network.wgorch("doctor", "company", "-i", INVENTORY, code=1).stdout
    finally:
        network.world.sh("company", mend)
        network.up()

    for what in (
        "FORWARD drops by policy (DROP); our chain comes first",
        "the nft chain inet fence gate drops what no rule of its own accepts",
        "strict reverse-path filter on ens192",
        "ens192 carries only 1400 bytes",
        "tailscale0: Tailscale",
        "it will not survive a reboot: nothing of ours starts it",
    ):
        assert what in found, found
    assert shown.count("fix: ") == 4
    assert told(network, "company", code=0) == usual

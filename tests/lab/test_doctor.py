"""`wgorch doctor` names settings of a host that can break the tunnel, with fixes."""

from __future__ import annotations

import json

from tests.lab.conftest import INVENTORY, Lab


def findings(lab: Lab, host: str, code: int = 1) -> list[str]:
    done = lab.wgorch("doctor", host, "-i", INVENTORY, "--json", code=code)
    return [finding["problem"] for finding in json.loads(done.stdout)["hosts"][host]]


def test_each_obstacle_is_named(network: Lab) -> None:
    usual = findings(network, "company", code=0)
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
        found = "\n".join(findings(network, "company"))
        output = network.wgorch("doctor", "company", "-i", INVENTORY, code=1).stdout
    finally:
        network.world.sh("company", mend)
        network.up()

    for what in (
        "FORWARD policy is DROP; wgorch's chain comes first",
        "chain gate of nft table inet fence drops it: policy drop",
        "strict rp_filter on ens192",
        "ens192 has MTU 1400",
        "tailscale0: Tailscale",
        "wg0 is not started at boot by systemd",
    ):
        assert what in found, found
    assert output.count("fix: ") == 4
    assert findings(network, "company", code=0) == usual

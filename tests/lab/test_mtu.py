"""What fits is found and used, over ways of several sizes, with ICMP and without."""

from __future__ import annotations

import re

import pytest

from tests.conftest import draw
from tests.lab.conftest import ROOT, Lab

# What carries our SSH must not need what is blocked: such a router would cut everybody off.
CLAMP = "FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1100"
WAYS = [(1400, ""), (1280, ""), (1400, "-p icmp --icmp-type fragmentation-needed"), (1400, "-p icmp")]


@pytest.mark.parametrize(("mtu", "block"), draw(WAYS, 2))
def test_a_narrow_way_is_found_and_used(lab: Lab, mtu: int, block: str) -> None:
    world = lab.world
    world.sh("home-router", f"ip link set wan mtu {mtu}")
    world.sh("internet", f"ip link set home mtu {mtu}")
    world.sh("home-router", f"iptables -t mangle -A {CLAMP}")
    for router in ("internet", "home-router"):
        if block:
            world.sh(router, f"iptables -I FORWARD {block} -j DROP; iptables -I OUTPUT {block} -j DROP")
    try:
        lab.up()
        tunnel = mtu - 60
        if block == "-p icmp":
            # Only the tunnel itself shows what fits, and WireGuard pads what it carries to 16 bytes.
            tunnel -= tunnel % 16
        assert f" mtu {tunnel} " in world.sh("home", "ip link show wg0"), (mtu, block)
        for host in ("bcc", "company"):
            assert f" mtu {tunnel} " in world.sh(host, "ip link show wg0")
        target = "10.10.13.61"
        assert world.ping("home", target, "-M", "do", "-s", str(tunnel - 28)), (mtu, block)
        larger = world.run("home", "ping", "-n", "-c", "1", "-M", "do", "-s", str(tunnel - 27), target, check=False)
        assert re.search(rf"mtu[ =:]*{tunnel}\b", larger.stdout + larger.stderr)
        assert world.ping("home", target, "-s", "1472")
        assert world.ask("home", "tcp", target, text="send 10000000") == "all"
        assert "No changes." in lab.wgorch("plan", ROOT / "inventory" / "home-company.yaml").stdout
    finally:
        lab.wgorch("teardown", ROOT / "inventory" / "home-company.yaml", "--yes", "--purge", code=None)
        for router in ("internet", "home-router"):
            if block:
                world.sh(router, f"iptables -D FORWARD {block} -j DROP; iptables -D OUTPUT {block} -j DROP")
        world.sh("home-router", "ip link set wan mtu 1500")
        world.sh("internet", "ip link set home mtu 1500")
        world.sh("home-router", f"iptables -t mangle -D {CLAMP}")
        world.sh("home", "ip route flush cache")


def test_ipv6_inside_is_refused_where_the_way_is_too_narrow_for_it(lab: Lab) -> None:
    world = lab.world
    world.sh("home-router", "ip link set wan mtu 1280")
    world.sh("internet", "ip link set home mtu 1280")
    try:
        both = lab.edited(("subnet: 192.168.2.0/24 ", "subnet: [192.168.2.0/24, 'fd00:2::/64'] "))
        both.write_text(re.sub(r"    address: .*\n", "", both.read_text()))
        refused = lab.wgorch("up", both, "--yes", code=4)
        assert "leaves 1220 bytes in the tunnel; IPv6 needs 1280" in refused.stderr
    finally:
        world.sh("home-router", "ip link set wan mtu 1500")
        world.sh("internet", "ip link set home mtu 1500")

"""The sh of the questions, run by this machine with stand-ins for what would look at it."""

from __future__ import annotations

import subprocess
from ipaddress import ip_network

from wgorch.gather.gather import Ask, asking, questions
from wgorch.inventory.model import Network

PING = """\
ping() { # the name is known, and of what must not be cut only 1480 bytes get through
    case $* in
    *-s' 0 relay.example') echo 'PING relay.example (192.0.2.2) 0(28) bytes of data.' ;;
    *' 198.51.100.9') return 1 ;;
    *) [ "$9" -le 1452 ] || { echo 'ping: sendmsg: Message too long, mtu=1480'; return 1; } ;;
    esac
}
ask_all() { echo asked; cat <&3; }
"""


def said(*ways: str) -> list[str]:
    network = Network("office", (ip_network("192.168.2.0/24"),), interface="wgnone")
    sh = "\n".join([asking()["ask_path_mtu"], PING, questions(network, Ask((51820,), mtu_targets=ways))])
    return subprocess.run(["sh"], input=sh, capture_output=True, text=True, timeout=20, check=True).stdout.split("\n")


def test_what_fits_each_way_is_told_behind_the_answers() -> None:
    assert ["asked", "", ""] == [*said(), ""][:3]
    assert ["asked", "192.0.2.1 192.0.2.1 1480", ""] == said("192.0.2.1")

    first, *found = said("192.0.2.1", "relay.example", "198.51.100.9")
    assert "asked" == first
    assert ["", "192.0.2.1 192.0.2.1 1480", "relay.example 192.0.2.2 1480"] == sorted(found)

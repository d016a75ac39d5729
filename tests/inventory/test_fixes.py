"""The fix of a problem: typed into the file, it removes the problem."""

from __future__ import annotations

import re

import pytest

from tests.inventory.mistyped import address, endpoint, network, problems, shown, subnets, swap

FIXED = [
    (address("192.168.02.2"), "192.168.02.2"),
    (network("  listen_port: 010\n"), "010"),
    (network("  persistent_keepalive: 1:30\n"), "1:30"),
    (network("  interface: eth0\n"), "eth0"),
    (swap("name: office", "name: Office"), "Office"),
    (subnets("[10.10.13.0 /24]"), "10.10.13.0 /24"),
    (endpoint("203.0.113.13"), "203.0.113.13\n"),
    (endpoint("udp://203.0.113.13:51820"), "udp://203.0.113.13:51820"),
    (endpoint("[2001:db8::1]:51820"), "[2001:db8::1]:51820"),
    (endpoint("host.example.:51820"), "host.example."),
    (address("192.168.2.2/24"), "192.168.2.2/24"),
    (subnets("[10.10.13.5/24]"), "10.10.13.5/24"),
    (subnets("[10.10.13.0/255.255.255.0]"), "10.10.13.0/255.255.255.0"),
    (subnets("10.10.13.0/24, 10.10.14.0/24"), "10.10.13.0/24, 10.10.14.0/24"),
    (swap("home -> 10.10.13.61", "home -> 10.10.13.61:80"), "home -> 10.10.13.61:80"),
    (network("  mtu: 9000\n"), "9000"),
]


@pytest.mark.parametrize(("text", "wrong"), FIXED)
def test_typing_what_the_fix_says_repairs_the_file(text: str, wrong: str) -> None:
    fix = problems(text)[0].fix
    words = re.sub(
        r"^(write( the address alone:| a list:| it as:| the prefix:| the network:)?|put it in quotes:) ", "", fix
    )
    right = words.rsplit("usually ", 1)[-1] + ("\n" if wrong.endswith("\n") else "")

    repaired = text.replace(wrong, right) if "\n" in wrong else right.join(text.rsplit(wrong, 1))

    assert "" == shown(repaired)

"""Files of other programs: peers by their comments, endpoints, commands, name servers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.interop.hosts import key_of
from wgorch.interop.configurations import PeerLines, read

ROOT = Path(__file__).resolve().parents[2]
A, B = key_of("a"), key_of("b")


def answer(path: str, text: str) -> str:
    return f"file {path}\n" + "".join(f"|{line}\n" for line in text.strip("\n").split("\n"))


@pytest.mark.parametrize(
    ("above", "name"),
    [
        ("# anna", "anna"),
        ("### Client anna", "anna"),
        ("# BEGIN_PEER anna", "anna"),
        ("### begin anna ###", "anna"),
        ("# friendly_name=anna", "anna"),
        ("# Client: anna (5f0c2a)", "anna"),
        ("; Name = anna", "anna"),
        ("# anna\n# PersistentKeepalive = 25", "anna"),
        ("# this one is for the printer in the hall", ""),
        ("# PresharedKey = x", ""),
        ("#", ""),
        ("# anna\n", ""),
    ],
)
def test_a_peer_is_called_as_its_comment_calls_it(above: str, name: str) -> None:
    text = f"[Interface]\nAddress = 10.6.0.1/24\n\n{above}\n[Peer]\nPublicKey = {A}\n"
    (file,) = read(answer("/etc/wireguard/wg0.conf", text))
    assert file.peers == {A: PeerLines(name)}


def test_a_comment_stands_above_or_inside_its_own_peer_only() -> None:
    text = f"[Interface]\nListenPort = 1\n[Peer]\n# anna\nPublicKey = {A}\nEndpoint = hub.example.net:51820\n# ben\n[Peer]\nPublicKey = {B} # the second\n"
    (file,) = read(answer("/etc/wireguard/wg0.conf", text))
    assert file.peers == {A: PeerLines("anna", "hub.example.net:51820"), B: PeerLines("the second")}


def test_networkd_networkmanager_and_netplan_have_peers_too() -> None:
    networkd = f"[NetDev]\nName=wg0\n\n# anna\n[WireGuardPeer]\nPublicKey={A}\nEndpoint=[2001:db8::1]:51820\n"
    manager = f"[connection]\ninterface-name=wg0\n\n[wireguard-peer.{B}]\nendpoint=hub.example.net:443\n"
    netplan = f"""
network:
  tunnels:
    wg0:
      keys:
        private: HIDDEN
      peers:
        # ben
        - keys:
            public: {A}
          allowed-ips:
            - 10.6.0.2/32
            - fd00:6::2/128
          endpoint: 203.0.113.9:51820
        - endpoint: "198.51.100.7:51820"
          keys:
            public: {B}
"""
    files = read("".join(answer(f"/{n}", t) for n, t in (("a", networkd), ("b", manager), ("c", netplan))))
    assert [file.peers for file in files] == [
        {A: PeerLines("anna", "[2001:db8::1]:51820")},
        {B: PeerLines("", "hub.example.net:443")},
        {A: PeerLines("ben", "203.0.113.9:51820"), B: PeerLines("", "198.51.100.7:51820")},
    ]


def test_commands_and_name_servers() -> None:
    text = "[Interface]\nPostUp = iptables -A FORWARD -i %i -j ACCEPT\npreup=x\n# PostUp = no\nPostDown = y\nDNS = 10.0.0.1, 10.0.0.2 lan.example\n"
    interfaces = (
        "auto wg0\niface wg0 inet static\n  pre-up ip link add wg0 type wireguard\n  up wg setconf wg0 /x\n  down z\n"
    )
    quick, ifupdown = read(answer("/q", text) + answer("/i", interfaces))
    assert quick.commands == ("iptables -A FORWARD -i %i -j ACCEPT", "x")
    assert quick.dns == ("10.0.0.1", "10.0.0.2", "lan.example")
    assert ifupdown.commands == ("ip link add wg0 type wireguard", "wg setconf wg0 /x")


@pytest.mark.parametrize(
    "text",
    ["", "file", "|x", "file x\n|y", "file /a\nfile /b\n|[\n|]", f"file /a\n|{A}", "file /a\n|\x00\x1b[2J# \x1b[31m"],
)
def test_no_answer_is_too_odd(text: str) -> None:
    for file in read(text):
        assert not any("\x1b" in peer.name for peer in file.peers.values())


@pytest.mark.parametrize("sed", ["sed", "busybox sed"])
def test_the_host_tells_public_keys_only(tmp_path: Path, sed: str) -> None:
    """The sed of the program itself, on one file."""
    program = (ROOT / "wgorch/host/configurations.sh").read_text()
    start = program.index("    sed -e")
    lines = program[program.index("key='") :].split("\n")[0], program[start : program.index('"$file"', start)]
    file = tmp_path / "wg0.conf"
    file.write_text(
        f"PrivateKey = {B}\nPublicKey = {A}\nPublicKey = {A} # psk {B}\nPostUp = wg set %i peer {B}\n[wireguard-peer.{A}]\n"
        f"private-key={B}\n  public: {A}\n  shared: {B}\n  key: {B}\n"
    )
    script = f'{lines[0]}\nfile={file}\n{lines[1].replace("sed -e", f"{sed} -e", 1)} "$file"'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert B not in said
    assert said.count(A) == 4
    assert len(said.split("\n")) == 10

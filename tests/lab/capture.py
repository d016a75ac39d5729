"""Packets on an interface of a machine, by tcpdump, and small requests from there."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from wgorch.rehearsal.world import World

DNS = r"""
import socket, struct, sys
kind, server, name = sys.argv[1:4]
asked = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0)
asked += b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" + struct.pack(">HH", 1, 1)
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((server, 53))
s.sendall(struct.pack(">H", len(asked)) + asked if kind == "tcp" else asked)
answer = s.recv(4096)
print(socket.inet_ntoa(answer[-4:]))
"""

SERVE = r"""
import socket
server = socket.create_server(("0.0.0.0", 7777))
print("ready", flush=True)
while True:
    client, peer = server.accept()
    with client:
        client.sendall(peer[0].encode() + b" said " + client.recv(4096))
"""


@contextmanager
def capture(
    world: World, machine: str, interface: str, *expression: str, options: tuple[str, ...] = ()
) -> Iterator[list[str]]:
    """Lines that tcpdump prints while the body runs; the list is filled when it has ended."""
    argv = ("tcpdump", "-i", interface, "-nn", "-l", "--immediate-mode", *options, *expression)
    process = world.spawn(machine, *argv, start_new_session=True)
    assert process.stdout
    lines: list[str] = []
    try:
        while "listening on" not in (line := process.stdout.readline()):
            assert line, f"tcpdump did not start on {machine}"
        yield lines
        time.sleep(0.3)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        process.wait(10)
    lines += [line for line in rest.split("\n") if line and not re.match(r"\d+ packets? ", line)]


@contextmanager
def serving(world: World, machine: str) -> Iterator[None]:
    """An echo server on TCP port 7777 of a machine that has none."""
    process = world.spawn(machine, "/usr/bin/python3", "-c", SERVE, start_new_session=True)
    assert process.stdout
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def resolve(world: World, machine: str, kind: str, server: str, name: str) -> str:
    """Address that a resolver answers a machine, by UDP or TCP; empty where no answer comes."""
    argv = ("/usr/bin/python3", "-c", DNS, kind, server, name)
    return world.run(machine, *argv, check=False).stdout.strip()


def firewall(world: World, machine: str) -> str:
    """A machine's iptables rules without counters and dates."""
    return world.sh(machine, r"iptables-save | grep -v '^#' | sed 's/\[[0-9]*:[0-9]*\]/[0:0]/'")

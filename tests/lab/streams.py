"""Packets that are sent and counted while a network changes: a stream that is allowed beside one that is not."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from wgorch.rehearsal.handle import WorldHandle

ALLOWED, FORBIDDEN, TCP = 5001, 5002, 5003

_SEND = """
import json, select, socket, sys, time
rate, address, ports = int(sys.argv[1]), sys.argv[2], list(map(int, sys.argv[3:]))
sender, sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
began = time.monotonic()
while not select.select([sys.stdin], [], [], max(0, began + sent / rate - time.monotonic()))[0]:
    for port in ports:
        try:
            sender.sendto(b"%d" % sent, (address, port))
        except OSError:
            pass
    sent += 1
print(json.dumps(sent))
"""

_COUNT = """
import json, select, socket, sys
sockets = {}
for port in map(int, sys.argv[1:]):
    sockets[socket.socket(socket.AF_INET, socket.SOCK_DGRAM)] = port
for each, port in sockets.items():
    each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    each.bind(("0.0.0.0", port))
seen = {port: set() for port in sockets.values()}
print("ready", flush=True)
while sys.stdin not in (ready := select.select([sys.stdin, *sockets], [], [])[0]):
    for each in ready:
        seen[sockets[each]].add(int(each.recv(100)))
print(json.dumps({port: sorted(numbers) for port, numbers in seen.items()}))
"""

_LISTEN = """
import socket, sys
sockets = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in sys.argv[1:]]
for each, port in zip(sockets, sys.argv[1:]):
    each.bind(("::", int(port)))
print("ready", flush=True)
sys.stdin.read()
"""

_ECHO = """
import socket, sys, threading
def answer(client):
    with client:
        while line := client.recv(100):
            client.sendall(line)
server = socket.create_server(("0.0.0.0", %d))
print("ready", flush=True)
def serve():
    while True:
        threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
threading.Thread(target=serve, daemon=True).start()
sys.stdin.read()
"""

_TALK = """
import json, select, socket, sys, time
gaps = []
client = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
client.settimeout(30)
print("ready", flush=True)
answered = time.monotonic()
try:
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        client.sendall(b"line")
        if not client.recv(100):
            break
        gaps.append(time.monotonic() - answered)
        answered = time.monotonic()
except OSError:
    gaps.append(None)
print(json.dumps(gaps))
"""


@dataclass
class Counted:
    """What was sent, and what arrived, by port; complete once the block is left."""

    sent: int = 0
    arrived: dict[int, list[int]] = field(default_factory=dict)

    def lost(self, port: int) -> int:
        return self.sent - len(self.arrived[port])


@contextmanager
def counted(
    world: WorldHandle, sender: str, receiver: str, address: str, ports: tuple[int, ...], rate: int = 500
) -> Iterator[Counted]:
    """Send UDP packets to each port, so many a second, as long as the block runs."""
    found = Counted()
    counting = _start(world, receiver, _COUNT, *map(str, ports))
    sending = world.spawn(
        sender, "/usr/bin/python3", "-c", _SEND, str(rate), address, *map(str, ports), stdin=subprocess.PIPE
    )
    try:
        time.sleep(0.5)
        yield found
        time.sleep(0.3)
    finally:
        found.sent = json.loads(_end(sending) or "0")
        time.sleep(0.5)
        found.arrived = {int(port): its for port, its in json.loads(_end(counting) or "{}").items()}


@contextmanager
def listening(world: WorldHandle, machine: str, *ports: int) -> Iterator[None]:
    """UDP ports at which something listens and never answers."""
    process = _start(world, machine, _LISTEN, *map(str, ports))
    try:
        yield
    finally:
        _end(process)


@contextmanager
def talking(world: WorldHandle, client: str, server: str, address: str) -> Iterator[list[float | None]]:
    """A TCP connection with a line and its echo every 20 ms; the gaps between two answers, None where it broke."""
    found: list[float | None] = []
    echo = _start(world, server, _ECHO % TCP)
    talk = _start(world, client, _TALK, address, str(TCP))
    try:
        yield found
    finally:
        found += json.loads(_end(talk) or "[]")
        _end(echo)


def _start(world: WorldHandle, machine: str, text: str, *words: str) -> subprocess.Popen[str]:
    process = world.spawn(machine, "/usr/bin/python3", "-c", text, *words, stdin=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def _end(process: subprocess.Popen[str]) -> str:
    """End a program, which the end of its input does, and return its last line."""
    output, _ = process.communicate(timeout=20)
    return output.strip().split("\n")[-1] if output else ""

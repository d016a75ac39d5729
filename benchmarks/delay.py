"""A long wire: two TAP devices with a delay between them, in user space, as the kernel may have no netem.

python delay.py BRIDGE-NETNS-PID INSIDE-NETNS-PID ONE-WAY-SECONDS
"""

from __future__ import annotations

import collections
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wgorch.rehearsal.world import World

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
Frames = collections.deque[tuple[float, bytes]]
"""When a frame is due, and the frame."""


@contextmanager
def delayed(world: World, seconds: float) -> Iterator[None]:
    """Put a delay between the controller and all hosts while the body runs; none if it is 0."""
    if not seconds:
        yield
        return
    # In a network namespace of its own, which both devices leave at once.
    argv = ["unshare", "--net", sys.executable, __file__, str(world.pids["wires"]), str(world.pids["controller"])]
    process = subprocess.Popen([*argv, str(seconds)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        _, far, near = process.stdout.readline().split()
        bridge = world.sh("wires", "ip -o link show type bridge | head -1 | cut -d: -f2").strip()
        world.sh("wires", f"ip link set {far} master {bridge} && ip link set {far} up")
        world.sh(
            "controller",
            "ip address flush dev eth0; ip link set eth0 down; "
            f"ip link set {near} up; ip address add 198.18.0.2/16 dev {near}",
        )
        yield
    finally:
        process.terminate()
        process.wait()


def tap(pid: str, name: str) -> int:
    """Make a TAP device, move it into a network namespace, and return its descriptor."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "netns", pid], check=True)
    return end


def main(wires: str, inside: str, seconds: float) -> None:
    """Forward frames between two namespaces until the parent has ended."""
    far, near = f"far{os.getpid()}"[:15], f"near{os.getpid()}"[:15]
    ends = (tap(wires, far), tap(inside, near))
    print("ready", far, near, flush=True)
    queues: tuple[Frames, Frames] = (collections.deque(), collections.deque())
    while os.getppid() != 1:
        due = min((queue[0][0] for queue in queues if queue), default=None)
        readable, _, _ = select.select(ends, (), (), 1.0 if due is None else max(0.0, due - time.monotonic()))
        now = time.monotonic()
        for side, end in enumerate(ends):
            while end in readable:
                try:
                    queues[1 - side].append((now + seconds, os.read(end, 65536)))
                except BlockingIOError:
                    break
        now = time.monotonic()
        for side, queue in enumerate(queues):
            while queue and queue[0][0] <= now:
                try:
                    os.write(ends[side], queue.popleft()[1])
                except OSError:
                    pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))

"""A wire that is long: two TUN ends with a delay between them, in user space (this kernel may have no netem).

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

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


def tap(pid: str, name: str) -> int:
    """A TAP card made here and moved into a network namespace; its descriptor stays with us."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "netns", pid], check=True)
    return end


def main() -> None:
    wires, inside, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    ends = (tap(wires, f"far{os.getpid()}"[:15]), tap(inside, f"near{os.getpid()}"[:15]))
    print("ready", f"far{os.getpid()}"[:15], f"near{os.getpid()}"[:15], flush=True)
    waiting: tuple[collections.deque[tuple[float, bytes]], ...] = (collections.deque(), collections.deque())
    while True:
        due = min((queue[0][0] for queue in waiting if queue), default=None)
        timeout = 1.0 if due is None else max(0.0, due - time.monotonic())
        if os.getppid() == 1:
            return
        readable, _, _ = select.select(ends, (), (), timeout)
        now = time.monotonic()
        for side, end in enumerate(ends):
            while end in readable:
                try:
                    waiting[1 - side].append((now + seconds, os.read(end, 65536)))
                except BlockingIOError:
                    break
        now = time.monotonic()
        for side, queue in enumerate(waiting):
            while queue and queue[0][0] <= now:
                try:
                    os.write(ends[side], queue.popleft()[1])
                except OSError:
                    pass


main()

"""The world of a benchmark: a relay, its spokes with a LAN each, and a controller, all in one segment.

controller 198.18.0.2 ── [delay] ──┬── h0 198.18.1.250 (relay)
                                   ├── h1 198.18.1.1 ── LAN 10.100.1.0/24
                                   └── hN …
"""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from benchmarks.job import JUMP, Node, nodes
from wgorch.rehearsal.machine import Interface, Machine
from wgorch.rehearsal.world import World

HERE = Path(__file__).resolve().parent
SSHD = ("MaxStartups 200", "MaxSessions 50", "LogLevel VERBOSE")


class Lab:
    """The world, and what is measured on its hosts."""

    def __init__(self, count: int) -> None:
        self.nodes = nodes(count)
        machines = [
            *map(_machine, self.nodes),
            _on_segment("jump", JUMP, SSHD),
            _on_segment("controller", "198.18.0.2"),
        ]
        self.world = World(f"bench-{os.getpid()}", {machine.name: machine for machine in machines})
        self._pool = ThreadPoolExecutor(8)

    def __enter__(self) -> Self:
        self.world.up()
        w = self.world
        w.sh("controller", "rm -rf /root/.ssh /root/.local/state; mkdir -p -m 700 /root/.ssh /root/bench")
        w.write("controller", "/root/.ssh/id_ed25519", w.controller_key(), "600")
        places = {n.ssh: n.name for n in self.nodes} | {JUMP: "jump"}
        keys = self._pool.map(lambda pair: f"{pair[0]} {w.host_key(pair[1])}\n", places.items())
        w.write("controller", "/root/.ssh/known_hosts", "".join(keys), "600")
        # sshd in its machine's own control group, so that what it causes is counted there.
        self.everywhere(
            "kill $(cat /run/world-sshd.pid); echo $$ >/sys/fs/cgroup/cgroup.procs; sleep 0.2; "
            "/usr/sbin/sshd -f /etc/ssh/world_sshd_config -E /run/sshd.log"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.world.down()

    def add_user(self) -> None:
        """Add a user `bench` to every host who may become root by sudo, without a password."""
        list(self._pool.map(lambda n: self.world.add_user(n.name, "bench"), self.nodes))

    def everywhere(self, script: str) -> list[str]:
        """Run a script on every host and return what each printed."""
        return list(self._pool.map(lambda n: self.world.sh(n.name, script, check=False), self.nodes))

    def reset(self) -> None:
        """Make every host as it was before any runner."""
        self.everywhere((HERE / "reset.sh").read_text())
        self.world.sh("controller", "rm -rf /root/.local/state/wgorch /root/bench/* /root/.ansible/cp")

    # --- measuring

    def cpu(self) -> float:
        """CPU seconds that all hosts have used."""
        texts = self.everywhere("cat /sys/fs/cgroup/cpu.stat")
        return sum(int(found[1]) for text in texts if (found := re.search(r"usage_usec (\d+)", text))) / 1e6

    def logins(self) -> tuple[int, int]:
        """SSH handshakes and channels that the hosts' sshd counted since the last reset."""
        texts = self.everywhere("grep -c 'Accepted publickey' /run/sshd.log; grep -c 'Starting session' /run/sshd.log")
        pairs = [[int(word) for word in text.split()] for text in texts]
        return sum(p[0] for p in pairs), sum(p[1] for p in pairs)

    def check(self) -> list[str]:
        """What is missing of the job on each host; shares no code with any runner."""
        texts = self.everywhere((HERE / "check.sh").read_text())
        wrong = [
            line for node, text in zip(self.nodes, texts, strict=True) for line in _missing(node, text, self.nodes)
        ]
        spokes = self.nodes[1:]
        return wrong + [
            f"{n.name}: pings" for n, ok in zip(spokes, self._pool.map(self._ping, spokes), strict=True) if not ok
        ]

    def _ping(self, node: Node) -> bool:
        pings = f"ping -c1 -W3 {self.nodes[0].address} && ping -c1 -W3 {node.next_lan}"
        return self.world.run(node.name, "sh", "-c", pings, check=False).returncode == 0


def _machine(node: Node) -> Machine:
    lan = Interface("lan0", f"lan{node.number}", (f"{node.lan_address}/24",))
    return _on_segment(node.name, node.ssh, SSHD, *(() if node.hub else (lan,)))


def _on_segment(name: str, address: str, sshd: tuple[str, ...] | None = None, *more: Interface) -> Machine:
    return Machine(name, (Interface("eth0", "net", (f"{address}/16",)), *more), sshd=sshd)


def _missing(node: Node, text: str, hosts: list[Node]) -> list[str]:
    needs = [f"inet {node.address}/", "key 600", "forward 1"]
    if not node.hub:
        needs += ["rule forward", "rule masquerade", f"route {hosts[1 if node.number != 1 else -1].lan}"]
    peers = text.count("peer ")
    wrong = [f"{node.name}: {peers} peers"] if node.hub and peers != len(hosts) - 1 else []
    return wrong + [f"{node.name}: lacks {need}" for need in needs if need not in text]


def memory(pid: int) -> int:
    """PSS in KiB of a process and all below it."""
    try:
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    except OSError:
        return 0
    return (int(found[1]) if found else 0) + sum(memory(int(child)) for child in children)

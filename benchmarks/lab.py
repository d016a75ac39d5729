"""The world of a benchmark: a relay, its spokes with a LAN each, and a controller, all on one wire.

controller 198.18.0.2 ── [delay] ──┬── h0 198.18.1.0 (relay)
                                   ├── h1 198.18.1.1 ── LAN 10.100.1.0/24
                                   └── hN …
"""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from wgorch.rehearsal.machine import Interface, Machine
from wgorch.rehearsal.world import World

NETWORK = "10.99.0.0/16"
PORT = 51820


@dataclass(frozen=True)
class Node:
    """One host of the job, with all that a runner needs to know of it."""

    number: int
    ssh: str
    address: str
    lan: str
    lan_address: str
    next_lan: str

    @property
    def name(self) -> str:
        return f"h{self.number}"

    @property
    def hub(self) -> bool:
        return self.number == 0


def nodes(count: int) -> list[Node]:
    """The hosts of a benchmark; each spoke pings the LAN of the next one."""
    found = []
    for i in range(count):
        following = i + 1 if i + 1 < count else 1
        lan = f"10.{100 + i // 250}.{i % 250}"
        after = f"10.{100 + following // 250}.{following % 250}.1"
        found.append(
            Node(i, f"198.18.1.{i}" if i else "198.18.1.250", f"10.99.0.{i + 1}", f"{lan}.0/24", f"{lan}.1", after)
        )
    return found


class Lab:
    """The world, and what is measured at its hosts."""

    def __init__(self, count: int) -> None:
        self.nodes = nodes(count)
        options = ("MaxStartups 200", "MaxSessions 50", "LogLevel VERBOSE")
        machines = {
            n.name: Machine(
                n.name,
                (
                    Interface("eth0", "net", (f"{n.ssh}/16",)),
                    *(() if n.hub else (Interface("lan0", f"lan{n.number}", (f"{n.lan_address}/24",)),)),
                ),
                sshd=options,
            )
            for n in self.nodes
        }
        machines["jump"] = Machine("jump", (Interface("eth0", "net", ("198.18.0.9/16",)),), sshd=options)
        machines["controller"] = Machine("controller", (Interface("eth0", "net", ("198.18.0.2/16",)),))
        self.world = World(f"bench-{os.getpid()}", machines)
        self._pool = ThreadPoolExecutor(8)

    def __enter__(self) -> Lab:
        self.world.up()
        w = self.world
        w.sh("controller", "rm -rf /root/.ssh /root/.local/state; mkdir -p -m 700 /root/.ssh /root/bench")
        w.write("controller", "/root/.ssh/id_ed25519", w.controller_key(), "600")
        places = {n.ssh: n.name for n in self.nodes} | {"198.18.0.9": "jump"}
        keys = self._pool.map(lambda pair: f"{pair[0]} {w.host_key(pair[1])}\n", places.items())
        w.write("controller", "/root/.ssh/known_hosts", "".join(keys), "600")
        # sshd in its machine's own cgroup, so that what it causes is counted there.
        self.everywhere(
            "kill $(cat /run/world-sshd.pid); echo $$ >/sys/fs/cgroup/cgroup.procs; sleep 0.2; "
            "/usr/sbin/sshd -f /etc/ssh/world_sshd_config -E /run/sshd.log"
        )
        return self

    def add_user(self) -> None:
        """A user `bench` on every host who may become root by sudo, without a password."""
        list(self._pool.map(lambda n: self.world.add_user(n.name, "bench"), self.nodes))

    def __exit__(self, *_: object) -> None:
        self.world.down()

    def everywhere(self, script: str) -> list[str]:
        """Run a script on every host."""
        return list(self._pool.map(lambda n: self.world.sh(n.name, script, check=False), self.nodes))

    def reset(self) -> None:
        """Every host as it was before any runner touched it."""
        self.everywhere(
            "ip link del wg0 2>/dev/null; rm -rf /etc/wireguard/* /var/lib/wgorch /etc/sysctl.d/99-wg.conf /etc/rules.v4 /root/.ansible /tmp/pyinfra*; "
            "nft flush ruleset 2>/dev/null; echo 0 >/proc/sys/net/ipv4/ip_forward; "
            "for f in /proc/sys/net/ipv4/conf/*/forwarding; do echo 0 >$f; done; : >/run/sshd.log; "
            "i=0; while [ -e /var/run/wireguard/wg0.sock ] && [ $i -lt 30 ]; do sleep 0.1; i=$((i+1)); done"
        )
        self.world.sh("controller", "rm -rf /root/.local/state/wgorch /root/bench/* /root/.ansible/cp")

    def cpu(self) -> float:
        """CPU seconds that all hosts have used."""
        said = self.everywhere("cat /sys/fs/cgroup/cpu.stat")
        return sum(int(found[1]) for text in said if (found := re.search(r"usage_usec (\d+)", text))) / 1e6

    def logins(self) -> tuple[int, int]:
        """SSH handshakes and channels that the hosts' sshd counted since the last reset."""
        said = self.everywhere("grep -c 'Accepted publickey' /run/sshd.log; grep -c 'Starting session' /run/sshd.log")
        pairs = [[int(word) for word in text.split()] for text in said]
        return sum(p[0] for p in pairs), sum(p[1] for p in pairs)

    def check(self) -> list[str]:
        """What is not as the job demands, looked at on every host by none of the runners' own means."""
        wrong = []
        for node, text in zip(self.nodes, self.everywhere(_CHECK), strict=True):
            if node.hub:
                peers = text.count("peer ")
                if peers != len(self.nodes) - 1:
                    wrong.append(f"{node.name}: {peers} peers")
            needs = [f"inet {node.address}/", "key 600", "forward 1"]
            if not node.hub:
                needs += ["rule forward", "rule masquerade", f"route {self.nodes[1 if node.number != 1 else -1].lan}"]
            wrong += [f"{node.name}: lacks {need}" for need in needs if need not in text]
        spokes = self.nodes[1:]
        pings = self._pool.map(
            lambda n: (
                self.world.run(
                    n.name,
                    *("sh", "-c", f"ping -c1 -W3 {self.nodes[0].address} && ping -c1 -W3 {n.next_lan}"),
                    check=False,
                ).returncode
            ),
            spokes,
        )
        return wrong + [f"{n.name}: pings" for n, code in zip(spokes, pings, strict=True) if code]


_CHECK = r"""
ip -o -4 address show dev wg0 2>/dev/null
for key in /etc/wireguard/key /var/lib/wgorch/bench/private_key; do [ -s "$key" ] && stat -c 'key %a' "$key"; done
wg show wg0 peers 2>/dev/null | sed 's/^/peer /'
ip route show dev wg0 2>/dev/null | sed 's/^/route /'
[ "$(cat /proc/sys/net/ipv4/conf/wg0/forwarding)" = 1 ] && echo forward 1
iptables-save | grep -q -e '-o wg0 .*ACCEPT' && echo rule forward
iptables-save | grep -q MASQUERADE && echo rule masquerade
"""


def memory(pid: int) -> int:
    """PSS in KiB of a process and all below it."""
    total = 0
    try:
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
        with open(f"/proc/{pid}/smaps_rollup") as file:
            found = re.search(r"^Pss:\s+(\d+)", file.read(), re.M)
        total = int(found[1]) if found else 0
    except OSError:
        return 0
    return total + sum(memory(int(child)) for child in children)

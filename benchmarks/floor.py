"""The floor: bare OpenSSH, one process and one conversation a host, the whole job, nothing decided and nothing shown.

python floor.py HOSTS.json [--probe] [-o SSH-OPTION]…
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
WAIT_S = 120
Node = dict[str, str]


class Floor:
    """The job on all hosts at once; `good` has one entry for each host that is done."""

    def __init__(self, job: dict[str, Any], options: list[str]) -> None:
        self.nodes: list[Node] = job["nodes"]
        self.user = job.get("user", "root")
        self.options = [*options, *(["-J", job["jump"]] if "jump" in job else [])]
        self.hub = self.nodes[0]
        self.good: list[bool] = []
        self._keys: dict[str, str] = {}
        self._guard = threading.Lock()
        self._all_keys, self._hub_ready = threading.Event(), threading.Event()
        self._ready = threading.Barrier(len(self.nodes), timeout=WAIT_S)

    def probe(self, node: Node) -> None:
        """Look at a host on which the job is done."""
        with self._ssh(node, "probe.sh") as process:
            assert process.stdout
            lines = process.stdout.read().split("\n")
            self.good.append(f"DONE {len(self._pings(node))}" in lines)

    def build(self, node: Node) -> None:
        """Do the job on a host."""
        with self._ssh(node, "floor.sh") as process:
            assert process.stdin and process.stdout
            self._talk(node, process.stdin, process.stdout)

    def _ssh(self, node: Node, script: str) -> subprocess.Popen[str]:
        text = (HERE / script).read_text().replace("'", "'\\''")
        pings = self._pings(node) or ["", ""]
        argv = f"sh -c '{text}' wg {node['address']} {node['lan']} '{pings[0]}' '{pings[1]}'"
        command = f"sudo -n {argv}" if self.user != "root" else argv
        return subprocess.Popen(
            ["ssh", "-oBatchMode=yes", *self.options, f"{self.user}@{node['ssh']}", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def _pings(self, node: Node) -> list[str]:
        return [] if node is self.hub else [self.hub["address"], node["next_lan"]]

    def _talk(self, node: Node, into: IO[str], out: IO[str]) -> None:
        key = out.readline().split()[1]
        with self._guard:
            self._keys[node["name"]] = key
            if len(self._keys) == len(self.nodes):
                self._all_keys.set()
        # A spoke's first handshake to a relay without its key would cost 5 s.
        (self._all_keys if node is self.hub else self._hub_ready).wait(WAIT_S)
        into.write("\n".join([*self._peers(node), *self._routes(node), "END", ""]))
        assert out.readline() == "READY\n"
        if node is self.hub:
            self._hub_ready.set()
        self._ready.wait()
        into.write("GO\n")
        self.good.append(out.readline() == f"DONE {len(self._pings(node))}\n")

    def _peers(self, node: Node) -> list[str]:
        if node is self.hub:
            spokes = self.nodes[1:]
            return [f"peer {self._keys[n['name']]} allowed-ips {n['address']}/32,{n['lan']}" for n in spokes]
        networks = ",".join(["10.99.0.0/16", *self._lans(node)])
        endpoint = f"{self.hub['ssh']}:51820"
        key = self._keys[self.hub["name"]]
        return [f"peer {key} allowed-ips {networks} endpoint {endpoint} persistent-keepalive 25"]

    def _routes(self, node: Node) -> list[str]:
        return [f"route {lan}" for lan in self._lans(node)]

    def _lans(self, node: Node) -> list[str]:
        return [n["lan"] for n in self.nodes[1:] if n is not node]


def main() -> int:
    """Run the job, or with --probe a look at it; 1 if a host failed."""
    options = [word for word in sys.argv[2:] if word != "--probe"]
    floor = Floor(json.loads(Path(sys.argv[1]).read_text()), options)
    work = floor.probe if "--probe" in sys.argv else floor.build
    threads = [threading.Thread(target=work, args=(node,)) for node in floor.nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0 if len(floor.good) == len(floor.nodes) and all(floor.good) else 1


if __name__ == "__main__":
    sys.exit(main())

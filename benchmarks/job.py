"""The job, in the words of every runner: its hosts, and the files that a runner reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
JUMP = "198.18.0.9"


@dataclass(frozen=True)
class Node:
    """One host of the job; the first one is the relay."""

    number: int
    ssh: str
    address: str
    lan: str
    lan_address: str
    next_lan: str
    """The address in the LAN of the next spoke, which this one pings."""

    @property
    def name(self) -> str:
        return f"h{self.number}"

    @property
    def hub(self) -> bool:
        return self.number == 0


def nodes(count: int) -> list[Node]:
    """The hosts of a job; each spoke pings the LAN of the next one."""
    found = []
    for i in range(count):
        following = i + 1 if i + 1 < count else 1
        lan = f"10.{100 + i // 250}.{i % 250}"
        after = f"10.{100 + following // 250}.{following % 250}.1"
        ssh = f"198.18.1.{i}" if i else "198.18.1.250"
        found.append(Node(i, ssh, f"10.99.0.{i + 1}", f"{lan}.0/24", f"{lan}.1", after))
    return found


def files(hosts: Sequence[Node], user: str, *, jump: bool = False) -> dict[str, str]:
    """The files of all runners, by name. `jump`: reach the hosts through a jump host."""
    job = [{"name": n.name, "ssh": n.ssh, "address": n.address, "lan": n.lan, "next_lan": n.next_lan} for n in hosts]
    return {
        "hosts.json": json.dumps({"nodes": job, "user": user} | ({"jump": f"root@{JUMP}"} if jump else {})),
        "inventory.yaml": _inventory(hosts, user, f", via: root@{JUMP}" if jump else ""),
        "playbooks/verify.yaml": "checks: [handshakes, flows, full_size]\n",
        "hosts.ini": _ansible_hosts(hosts, user),
        "pyinfra.py": f"hosts = ({[n.ssh for n in hosts]}, {{'ssh_user': '{user}'}})\n",
        "keys.py": (HERE / "pyinfra" / "keys.py").read_text(),
        "network.py": (HERE / "pyinfra" / "network.py").read_text(),
        "play.yaml": (HERE / "ansible" / "play.yaml").read_text(),
    }


def _inventory(hosts: Sequence[Node], user: str, via: str) -> str:
    lines = ["network: {name: bench, subnet: 10.99.0.0/16}", "hosts:"]
    for n in hosts:
        lines.append(f"  {n.name}:\n    ssh: {{host: {n.ssh}, user: {user}{via}}}\n    address: {n.address}")
        lines += [f"    endpoint: {n.ssh}:51820\n    relay: true"] if n.hub else [f"    subnets: [{n.lan}]"]
    flows = "".join(f"\n  - {n.name} -> {n.next_lan}" for n in hosts if not n.hub)
    return "\n".join([*lines, f"verify:{flows}"]) + "\n"


def _ansible_hosts(hosts: Sequence[Node], user: str) -> str:
    lines = [f"{n.name} ansible_host={n.ssh} address={n.address} lan={n.lan} next_lan={n.next_lan}" for n in hosts]
    spokes = [n.name for n in hosts if not n.hub]
    common = ["[all:vars]", f"ansible_user={user}", "ansible_python_interpreter=/usr/bin/python3"]
    return "\n".join([*lines, "[spokes]", *spokes, *common]) + "\n"

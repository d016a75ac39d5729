"""Run the whole job by every runner, interleaved, and keep what came out.

python -m benchmarks [--hosts 4,16,64] [--runs 3] [--runners floor,wgorch,…] [--rtt MS] [--jump] [--sudo] [-o FILE]
python -m benchmarks --runners wgorch,wgorch-before --before DIR     # DIR: another checkout, to be compared with this one
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.environments import environment, versions
from benchmarks.lab import Lab, memory
from benchmarks.report import tables

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FAST = ["-oKexAlgorithms=curve25519-sha256", "-oCiphers=aes128-gcm@openssh.com"]


class Bench:
    """One world of some size, and the runners in it."""

    def __init__(self, lab: Lab, *, jump: bool = False, sudo: bool = False, before: str = "") -> None:
        self.lab, self.jump, self.user = lab, jump, "bench" if sudo else "root"
        self.runners: dict[str, Callable[[bool], list[str]]] = {
            "floor": lambda again: self._floor(FAST),
            "floor-read-only": lambda again: self._floor([*FAST, *(["--probe"] if again else [])]),
            "floor-as-shipped": lambda again: self._floor([]),
            "wgorch": lambda again: self._wgorch(),
            "wgorch-before": lambda again: ["env", f"PYTHONPATH={before}", *self._wgorch()],
            "wgorch-unsafe": lambda again: [sys.executable, str(HERE / "unsafe.py"), *self._wgorch()[1:]],
            "fabric-naive": lambda again: [sys.executable, str(HERE / "naive.py"), "hosts.json"],
            "pyinfra": lambda again: self._pyinfra(),
            "ansible": lambda again: self._ansible("linear"),
            "ansible-mitogen": lambda again: self._ansible("mitogen_linear"),
        }

    def prepare(self) -> None:
        """The files of every runner, in the controller's directory."""
        nodes = [
            {"name": n.name, "ssh": n.ssh, "address": n.address, "lan": n.lan, "next_lan": n.next_lan}
            for n in self.lab.nodes
        ]
        told = {"nodes": nodes, "user": self.user} | ({"jump": "root@198.18.0.9"} if self.jump else {})
        self._write("hosts.json", json.dumps(told))
        self._write("inventory.yaml", self._inventory())
        self._write("playbooks/verify.yaml", "checks: [handshakes, flows, full_size]\n")
        hosts = "\n".join(
            f"{n['name']} ansible_host={n['ssh']} address={n['address']} lan={n['lan']} next_lan={n['next_lan']}"
            for n in nodes
        )
        spokes = "\n".join(str(n["name"]) for n in nodes[1:])
        common = f"[all:vars]\nansible_user={self.user}\nansible_python_interpreter=/usr/bin/python3\n"
        self._write("hosts.ini", f"{hosts}\n[spokes]\n{spokes}\n{common}")
        self._write("pyinfra.py", f"hosts = ({[n['ssh'] for n in nodes]}, {{'ssh_user': '{self.user}'}})\n")
        for name in ("keys.py", "network.py"):
            self._write(name, (HERE / "pyinfra" / name).read_text())
        self._write("play.yaml", (HERE / "ansible" / "play.yaml").read_text())

    def _write(self, name: str, text: str) -> None:
        self.lab.world.write("controller", f"/root/bench/{name}", text)

    def _inventory(self) -> str:
        via = ", via: root@198.18.0.9" if self.jump else ""
        lines = ["network: {name: bench, subnet: 10.99.0.0/16}", "hosts:"]
        for n in self.lab.nodes:
            lines.append(f"  {n.name}:\n    ssh: {{host: {n.ssh}, user: {self.user}{via}}}\n    address: {n.address}")
            lines += [f"    endpoint: {n.ssh}:51820\n    relay: true"] if n.hub else [f"    subnets: [{n.lan}]"]
        flows = "".join(f"\n  - {n.name} -> {n.next_lan}" for n in self.lab.nodes[1:])
        return "\n".join([*lines, f"verify:{flows}"]) + "\n"

    def _floor(self, options: list[str]) -> list[str]:
        return [sys.executable, str(HERE / "floor.py"), "hosts.json", *options]

    def _wgorch(self) -> list[str]:
        return [str(Path(sys.executable).parent / "wgorch"), "up", "inventory.yaml", "--yes", "--quiet"]

    def _ansible(self, strategy: str) -> list[str]:
        place = environment("ansible")
        found = next(place.glob("lib/python*/site-packages/ansible_mitogen/plugins/strategy"))
        settings = {
            "ANSIBLE_FORKS": "50",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_STRATEGY": strategy,
            "ANSIBLE_STRATEGY_PLUGINS": str(found),
            "ANSIBLE_SSH_ARGS": "-oControlMaster=auto -oControlPersist=60s -oKexAlgorithms=curve25519-sha256",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
        }
        env = [f"{name}={value}" for name, value in settings.items()]
        return ["env", *env, str(place / "bin" / "ansible-playbook"), "-i", "hosts.ini", "play.yaml"]

    def _pyinfra(self) -> list[str]:
        program = environment("pyinfra") / "bin" / "pyinfra"
        both = f"mkdir -p keys && {program} -y pyinfra.py keys.py && {program} -y pyinfra.py network.py"
        return ["sh", "-c", both]

    # --- measuring

    def time(self, name: str, *, again: bool, with_memory: bool = False) -> dict[str, Any]:
        """One run of a runner: wall and CPU seconds, what sshd counted, and what the checker found."""
        argv = self.lab.world.argv("controller", ["env", "-C", "/root/bench", *self.runners[name](again)])
        env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
        }
        env |= {"PYTHONPATH": str(ROOT), "TERM": "dumb"}
        self.lab.everywhere(": >/run/sshd.log")
        before, used = self.lab.cpu(), resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        peak = 0
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.append(process.stdout.read() if process.stdout else ""))
        reader.start()
        while with_memory and process.poll() is None:
            peak = max(peak, memory(process.pid))
            time.sleep(0.03)
        process.wait()
        wall = time.monotonic() - began
        reader.join()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        handshakes, channels = self.lab.logins()
        wrong = [f"exit {process.returncode}: {said[0][-600:]}"] if process.returncode else self.lab.check()
        return {
            "runner": name,
            "again": again,
            "wall_s": round(wall, 3),
            "controller_cpu_s": round(after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime, 3),
            "hosts_cpu_s": round(self.lab.cpu() - before, 3),
            "peak_pss_mib": round(peak / 1024, 1) if with_memory else None,
            "ssh_handshakes": handshakes,
            "ssh_channels": channels,
            "wrong": wrong[:5],
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--hosts", default="4,16,64")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slow-runs", type=int, default=1, help="runs of Ansible at 64 hosts")
    parser.add_argument(
        "--runners",
        default="floor,floor-read-only,floor-as-shipped,wgorch,wgorch-unsafe,fabric-naive,pyinfra,ansible,ansible-mitogen",
    )
    parser.add_argument("--rtt", type=float, default=0, help="milliseconds between controller and hosts")
    parser.add_argument("--jump", action="store_true")
    parser.add_argument("--sudo", action="store_true")
    parser.add_argument("--before", default="", help="another checkout, for the runner wgorch-before")
    parser.add_argument("--memory", action="store_true", help="one more run of each, with memory watched")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    before = Path(args.before).resolve()
    if "wgorch-before" in args.runners.split(",") and not (args.before and (before / "wgorch" / "cli.py").is_file()):
        parser.error(f'wgorch-before: no checkout in "{args.before}"; give one with --before DIR')
    rows: list[dict[str, Any]] = []
    for count in map(int, args.hosts.split(",")):
        with Lab(count) as lab:
            if args.sudo:
                lab.add_user()
            delayer = _delay(lab, args.rtt / 2000) if args.rtt else None
            bench = Bench(lab, jump=args.jump, sudo=args.sudo, before=str(before))
            for turn in range(args.runs + (1 if args.memory else 0)):
                for name in args.runners.split(","):
                    if name.startswith("ansible") and count >= 64 and turn >= args.slow_runs:
                        continue
                    lab.reset()
                    bench.prepare()
                    for again in (False, True):
                        watched = args.memory and turn == args.runs
                        row = bench.time(name, again=again, with_memory=watched)
                        rows.append({"hosts": count, "rtt_ms": args.rtt, "jump": args.jump, "sudo": args.sudo} | row)
                        print(json.dumps(rows[-1]), flush=True)
            if delayer:
                delayer.terminate()
                delayer.wait()
    print(*tables(rows), sep="\n")
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        args.output.write_text(json.dumps({"versions": versions(), "rows": rows}, indent=1) + "\n")
    return 1 if any(row["wrong"] for row in rows) else 0


def _delay(lab: Lab, seconds: float) -> subprocess.Popen[str]:
    """Put a long wire between the controller and everybody else."""
    world = lab.world
    argv = [
        sys.executable,
        str(HERE / "delay.py"),
        str(world.pids["wires"]),
        str(world.pids["controller"]),
        str(seconds),
    ]
    # In a network namespace of its own, which its cards leave at once.
    process = subprocess.Popen(["unshare", "--net", *argv], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    _, far, near = process.stdout.readline().split()
    bridge = world.sh("wires", "ip -o link show type bridge | head -1 | cut -d: -f2").strip()
    world.sh("wires", f"ip link set {far} master {bridge} && ip link set {far} up")
    world.sh(
        "controller",
        f"ip address flush dev eth0; ip link set eth0 down; ip link set {near} up; ip address add 198.18.0.2/16 dev {near}",
    )
    return process


if __name__ == "__main__":
    sys.exit(main())

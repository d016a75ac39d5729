"""What each phase of `up` costs a host, in CPU time by its own control group: python -m benchmarks.phases [--hosts 16]."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict

from benchmarks.__main__ import Bench
from benchmarks.lab import Lab

WATCHED = """
import sys
from wgorch.cli.main import main
from wgorch.remote.shell import Shell

exchange = Shell.exchange
def watched(self, program, wish, *args, **options):
    note = 'read -r _ used </sys/fs/cgroup/cpu.stat; echo "$used {} %s" >>/run/cpu.log' % wish
    return exchange(self, f"{note.format('in')}\\n{program}\\n{note.format('after')}\\n", wish, *args, **options)

Shell.exchange = watched
sys.argv = ["wgorch", "up", "inventory.yaml", "--yes", "--quiet"]
sys.exit(main())
"""
MARK = 'read -r _ used </sys/fs/cgroup/cpu.stat; echo "$used {}" {}/run/cpu.log'


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phases")
    parser.add_argument("--hosts", type=int, default=16)
    hosts = parser.parse_args().hosts
    with Lab(hosts) as lab:
        bench = Bench(lab)
        bench.runners["watched"] = lambda _again: [sys.executable, "-c", WATCHED]
        lab.reset()
        bench.prepare()
        for again in (False, True):
            lab.everywhere(MARK.format("in login", ">"))
            wrong = bench.time("watched", again=again)["wrong"]
            lab.everywhere("sleep 0.5; " + MARK.format("after all", ">>"))
            used: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
            for node, text in zip(lab.nodes, lab.everywhere("cat /run/cpu.log"), strict=True):
                rows = [line.split(" ", 1) for line in text.strip().split("\n")]
                for (start, what), (end, _) in zip(rows, rows[1:], strict=False):
                    used[what][node.hub] += (int(end) - int(start)) / 1000
            print(f"\n{'second' if again else 'first'} run, {hosts} hosts {wrong or ''}")
            for what, (spokes, hub) in used.items():
                print(f"| {what} | {spokes / (hosts - 1):.1f} ms | {hub:.1f} ms |")
            print(
                f"| all | {sum(s for s, _ in used.values()) / (hosts - 1):.1f} ms | {sum(h for _, h in used.values()):.1f} ms |"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

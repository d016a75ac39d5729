"""The world from a shell: ``python -m wgorch.rehearsal demo | up | down | run MACHINE COMMAND…``."""

from __future__ import annotations

import argparse
import os
import sys

USAGE = """\
  demo                     the reference network in namespaces, and the main job on it
  up                       build the reference world and leave it up
  run MACHINE COMMAND …    run a command in it, as controller, home, bcc, company, target, …
  down                     take it down, whatever is left of it
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m wgorch.rehearsal", epilog=USAGE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=("demo", "up", "run", "down"))
    parser.add_argument("words", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if os.geteuid() != 0:
        sys.stderr.write("the world is made of namespaces, and needs root\n")
        return 3
    from wgorch.rehearsal import demo, world
    from wgorch.rehearsal.cleanup import sweep
    from wgorch.rehearsal.reference import ReferenceWorld, machines

    if args.verb == "demo":
        return demo.demo()
    if args.verb == "down":
        sweep("reference")
        return 0
    if args.verb == "up":
        ReferenceWorld().up()
        sys.stdout.write(f"up: {', '.join(machines())}\n")
        sys.stdout.flush()
        os._exit(0)  # the machines stay; `down` finds them by the ids that were recorded
    if not args.words:
        parser.error("run needs a machine and a command")
    there = world.attach("reference", machines())
    name, *command = args.words
    if name not in there.pids:
        sys.stderr.write(f"there is no machine {name}; there are {', '.join(sorted(there.pids))}\n")
        return 3
    argv = there.argv(name, command or ["bash"])
    return os.execvpe(argv[0], argv, {**world.ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")})


if __name__ == "__main__":
    raise SystemExit(main())

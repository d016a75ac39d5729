"""The reference world from a shell: ``python -m wgorch.rehearsal up | down | run MACHINE COMMAND…``."""

from __future__ import annotations

import argparse
import os
import sys

USAGE = """\
  up                       build the reference world and leave it up
  run MACHINE COMMAND …    run a command on a machine: controller, home, bcc, company, target, …
  down                     remove the world, or what is left of it
"""


def main() -> int:
    """Run one verb; the exit code is that of the command line (3: usage)."""
    parser = argparse.ArgumentParser(
        prog="python -m wgorch.rehearsal", epilog=USAGE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=("up", "run", "down"))
    parser.add_argument("words", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if args.verb == "run" and not args.words:
        parser.error("run needs a machine and a command")
    if os.geteuid() != 0:
        sys.stderr.write("network namespaces need root\n")
        return 3
    from wgorch.rehearsal.cleanup import sweep
    from wgorch.rehearsal.handle import attach
    from wgorch.rehearsal.machine import WorldError
    from wgorch.rehearsal.reference import ReferenceWorld, machines
    from wgorch.rehearsal.rehearse import become

    if args.verb == "down":
        sweep("reference")
        return 0
    if args.verb == "up":
        ReferenceWorld().up().keep()
        sys.stdout.write(f"up: {', '.join(machines())}\n")
        sys.stdout.flush()
        os._exit(0)  # the machines stay; `down` finds them by the ids that were recorded
    try:
        become(attach("reference", machines()), args.words[0], args.words[1:])
    except WorldError as error:
        sys.stderr.write(f"{error}\n")
        return 3


if __name__ == "__main__":
    raise SystemExit(main())

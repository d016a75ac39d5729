"""`wgorch facts`: write what every host says of itself into a directory."""

from __future__ import annotations

import argparse
import time
from contextlib import suppress
from pathlib import Path

from wgorch.cli.options import Options, run_options
from wgorch.errors import ABSENT, DONE

SUMMARY = "Gather the facts of every host into a directory, for plan --facts (read-only)"
EXAMPLES = ("wgorch facts -o facts",)


class FactsOptions(Options):
    """Options of `wgorch facts`."""

    output: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    run_options(parser, "gather only from these hosts and their peers")
    output = "directory to write HOST.json into; old files of hosts that are not reached go"
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help=output)


def run(options: FactsOptions) -> int:
    """Read every host, and write its facts."""
    from wgorch.base.text import count
    from wgorch.cli.context import open_run
    from wgorch.gather.recorded import to_text
    from wgorch.report.files import make_directory, write
    from wgorch.report.verdict import render_absent

    with open_run(options) as context:
        context.run.gather(context.run.involved, traffic=False)
        now, absent = int(time.time()), context.run.absent
        texts = {f"{name}.json": to_text(seen, now) for name, seen in context.run.seen.items()}
        make_directory(options.output)
        for name in absent:
            # What it said before is not what it says now.
            with suppress(OSError):
                (options.output / f"{name}.json").unlink()
        write(texts, options.output)
        render_absent(context.out, absent)
        if not options.quiet:
            context.out.print(f"✓ facts of {count(len(texts), 'host')} in {options.output}", style="green")
    return ABSENT if absent else DONE

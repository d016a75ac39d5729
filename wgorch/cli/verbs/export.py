"""`wgorch export`: write the network as files for other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wgorch.cli.options import Options, host_argument, inventory_argument, login_options
from wgorch.errors import ABSENT, DONE

SUMMARY = "Write the network as files for other tools, or a device as a QR code"
EXAMPLES = ("wgorch export phone --qr", "wgorch export -o configs/")


class ExportOptions(Options):
    """Options of `wgorch export`."""

    what: str | None
    format: str
    qr: bool
    output: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    host_argument(parser, "what", nargs="?", help="device or host to export (default: every host)")
    inventory_argument(parser)
    forms = ("wg-quick", "peers", "compose", "hosts")
    parser.add_argument("--format", choices=forms, default="wg-quick", help="target tool (default: wg-quick)")
    parser.add_argument("--qr", action="store_true", help="print the file of a device as a QR code")
    output = "output file (.conf, .png, .svg) or directory (default: stdout)"
    parser.add_argument("-o", "--output", metavar="PATH", type=Path, help=output)
    login_options(parser)


def run(options: ExportOptions) -> int:
    """Read the public keys from the hosts and write the files; notes go to stderr."""
    from wgorch.cli.context import open_run
    from wgorch.interop.configs import export
    from wgorch.report import files

    what, inventory = options.what, options.inventory
    if what and inventory is None and Path(what).suffix in (".yaml", ".yml"):
        what, inventory = None, what
    with open_run(options, inventory=inventory, quiet=True) as context:
        exported = export(context.run, what, options.format)
        code = ABSENT if context.run.absent else DONE
    sys.stderr.writelines(f"{note}\n" for note in exported.notes)
    if options.qr or (options.output and options.output.suffix in (".png", ".svg")):
        files.render_qr_code(exported.only, options.output, sys.stdout)
    elif options.output:
        files.write(exported.texts, options.output)
    else:
        sys.stdout.write("\n".join(exported.texts.values()))
    return code
